"""Networks against R (sna, igraph, netseg), published values and counts by hand."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis import network
from ecoanalysis.errors import UsageError

ORACLES = Path(__file__).parent / "oracles"
GRAPHS: dict[str, dict[str, Any]] = json.loads((ORACLES / "networks.json").read_text("utf-8"))
GRAPHS.pop("source")
# igraph's and sna's answers for these two differ from the definition that we follow (see below).
PLAIN = [name for name in GRAPHS if name not in ("selfloop", "zero_weight")]


def _read_graph(name: str) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any]]:
    graph = GRAPHS[name]
    columns = ["source_id", "target_id", "weight"][: 3 if graph["weighted"] else 2]
    edges = pd.DataFrame(graph["edges"], columns=columns)
    return edges, pd.DataFrame({"actor_id": graph["nodes"], "group": graph["groups"]}), graph


def _ties(*pairs: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(list(pairs), columns=["source_id", "target_id"], dtype="str")


def _actors(groups: dict[str, str | None]) -> pd.DataFrame:
    return pd.DataFrame({"actor_id": list(groups), "group": list(groups.values())}, dtype="str")


@pytest.mark.parametrize("name", PLAIN)
def test_degree_and_strength_are_those_of_r(name: str) -> None:
    edges, actors, graph = _read_graph(name)
    found = network.measure_actors(
        edges, actors=actors, directed=graph["directed"], weighted=graph["weighted"]
    )
    assert found["degree"].tolist() == graph["sna_degree_freeman"]
    assert (
        found["strength"].tolist()
        == graph["igraph_strength_all" if graph["weighted"] else "sna_degree_freeman"]
    )
    assert found["isolate"].sum() == graph["n_isolates"]
    assert found["component"].nunique() == graph["n_weak_components"]


@pytest.mark.parametrize("name", [n for n in PLAIN if not GRAPHS[n]["directed"]])
def test_territory_measures_are_those_of_r(name: str) -> None:
    edges, actors, graph = _read_graph(name)
    row = network.measure_territory(edges, actors=actors, group="group").iloc[0]
    assert row["n_actors"] == len(graph["nodes"])
    assert row["n_ties"] == len(graph["edges"])
    density = np.nan if graph["sna_density"] is None else graph["sna_density"]
    assert row["density"] == pytest.approx(density, rel=1e-9, nan_ok=True)
    assert row["mean_degree"] == pytest.approx(np.mean(graph["sna_degree_freeman"]))
    assert row["n_components"] == graph["n_weak_components"]
    assert row["n_isolates"] == graph["n_isolates"]
    ei = graph["netseg_ei"]
    cross = np.nan if ei is None else (1 + ei) / 2  # E-I = share between - share within
    assert row["cross_share"] == pytest.approx(cross, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", PLAIN)
def test_ei_and_mixing_are_those_of_igraph_and_netseg(name: str) -> None:
    edges, actors, graph = _read_graph(name)
    directed = graph["directed"]
    plain = network.measure_mixing(edges, actors=actors, group="group").iloc[0]
    arcs = network.measure_mixing(edges, actors=actors, group="group", directed=directed).iloc[0]
    for row, key in [
        (plain, "igraph_ei_undirected"),
        (arcs, "netseg_ei"),
        (arcs, "igraph_ei_arcs"),
    ]:
        expected = np.nan if graph[key] is None else graph[key]
        assert row["ei_index"] == pytest.approx(expected, rel=1e-9, nan_ok=True)
    mixing = network.tabulate_mixing(edges, actors=actors, group="group", directed=directed)
    counts = np.array(graph["netseg_mixing"]["counts"])
    wanted = counts.ravel() if directed else counts[np.triu_indices(len(counts))]
    assert mixing["n_ties"].tolist() == wanted.tolist()


def test_a_self_relation_is_no_tie() -> None:
    # netseg counts 0 -> 0 as a tie within g1 (-.2); without it two ties stay and two cross: 0,
    # as igraph has it. sna's density leaves the loop out too: 4 arcs of 12.
    edges, actors, graph = _read_graph("selfloop")
    row = network.measure_mixing(edges, actors=actors, group="group", directed=True).iloc[0]
    assert (row["n_ties"], row["ei_index"]) == (4, graph["igraph_ei_arcs"])
    assert network.measure_actors(edges, actors=actors)["degree"].tolist() == [2, 2, 3, 1]


def test_weight_zero_is_no_tie() -> None:
    # a-b weighs 0: without it a-c, b-c, c-d are left, two between groups and one within.
    edges, actors, graph = _read_graph("zero_weight")
    found = network.measure_actors(edges, actors=actors, weighted=True)
    assert found["degree"].tolist() == [1, 1, 3, 1]
    assert found["strength"].to_numpy() == pytest.approx(graph["igraph_strength_all"], rel=1e-12)
    row = network.measure_mixing(edges, actors=actors, group="group").iloc[0]
    assert row["ei_index"] == pytest.approx(1 / 3)


def test_ei_of_the_catania_couples() -> None:
    # The mixing matrix of 1,958 couples, one actor per person: E-I -.475996.
    published = json.loads((ORACLES / "published.json").read_text("utf-8"))["catania"]
    names = published["rows_male"]
    men, women = zip(
        *(
            (male, female)
            for (i, male), (j, female) in itertools.product(enumerate(names), repeat=2)
            for _ in range(published["matrix"][i][j])
        ),
        strict=True,
    )
    n = len(men)
    actors = pd.DataFrame({"actor_id": [f"m{i}" for i in range(n)] + [f"f{i}" for i in range(n)]})
    actors["group"] = [*men, *women]
    couples = _ties(*((f"m{i}", f"f{i}") for i in range(n)))
    row = network.measure_mixing(couples, actors=actors, group="group").iloc[0]
    assert row["ei_index"] == pytest.approx(published["ei_index"], abs=5e-7)


def test_ei_of_the_kinship_positions_and_its_value_by_chance() -> None:
    # White 1975 in Freeman 1978: ten positions, five of men and five of women; 22 ties, of which
    # 9 between the two (Freeman's index .26 = 1 - 9 / (22 * 25 / 45)). E-I = (9 - 13) / 22 =
    # -.1818; by chance 1 - 2 * 20 / 45 = +.1111. Which pairs are tied makes no difference.
    men, women = [f"m{i}" for i in range(5)], [f"w{i}" for i in range(5)]
    within = [*itertools.combinations(men, 2), *itertools.combinations(women, 2)][:13]
    between = list(itertools.product(men, women))[:9]
    actors = _actors(dict.fromkeys(men, "male") | dict.fromkeys(women, "female"))
    row = network.measure_mixing(_ties(*within, *between), actors=actors, group="group").iloc[0]
    assert row["n_ties"] == 22
    assert row["ei_index"] == pytest.approx(-0.1818, abs=5e-5)
    assert row["ei_expected"] == pytest.approx(0.1111, abs=5e-5)


def test_chance_value_is_the_mean_over_all_graphs() -> None:
    # Groups of 3, 2 and 1: of the 15 pairs 3 + 1 are within, so 1 - 2 * 4/15 = 7/15. The mean of
    # E-I over all C(15, 2) = 105 graphs with two ties must be the same.
    actors = _actors(dict(zip("abcdef", "xxxyyz", strict=True)))
    pairs = list(itertools.combinations("abcdef", 2))
    rows = [
        network.measure_mixing(_ties(*two), actors=actors, group="group").iloc[0]
        for two in itertools.combinations(pairs, 2)
    ]
    assert rows[0]["ei_expected"] == pytest.approx(7 / 15)
    assert np.mean([row["ei_index"] for row in rows]) == pytest.approx(7 / 15)


def test_actors_without_a_group_are_counted_and_left_out() -> None:
    actors = _actors({"a": "x", "b": "y", "c": None, "d": "unclassified", "e": ""})
    ties = _ties(("a", "b"), ("a", "c"), ("b", "d"), ("d", "e"))
    row = network.measure_mixing(ties, actors=actors, group="group").iloc[0]
    assert (row["n_ties"], row["n_ungrouped"], row["ei_index"], row["ei_expected"]) == (1, 3, 1, 1)
    assert network.tabulate_mixing(ties, actors=actors, group="group")["n_ties"].tolist() == [
        0,
        1,
        0,
    ]
    territory = network.measure_territory(ties, actors=actors, group="group").iloc[0]
    assert (territory["n_ties"], territory["cross_share"]) == (4, 1)


def test_several_relations_are_one_tie_unless_weighted() -> None:
    ties = _ties(("a", "b"), ("b", "a"), ("a", "b"), ("b", "c"))
    ties["kind"] = ["funds", "funds", "hosts", "funds"]
    actors = _actors({"a": "x", "b": "x", "c": "y", "d": "y"})
    plain = network.measure_actors(ties, actors=actors)
    assert plain["degree"].tolist() == plain["strength"].tolist() == [1, 2, 1, 0]
    weighted = network.measure_actors(ties, actors=actors, weighted=True)
    assert weighted["degree"].tolist() == [1, 2, 1, 0]
    assert weighted["strength"].tolist() == [3, 4, 1, 0]
    assert network.measure_territory(ties, actors=actors, group="group")["density"][0] == 2 / 6


def test_components_are_numbered_from_the_largest() -> None:
    actors = _actors(dict.fromkeys("zyxwva", "g"))
    found = network.measure_actors(_ties(("v", "w"), ("w", "x"), ("y", "a")), actors=actors)
    # {v, w, x} is largest, then {a, y}, then {z} alone.
    assert found["component"].tolist() == [2, 1, 0, 0, 0, 1]
    assert found["isolate"].tolist() == [True, *[False] * 5]


def test_a_territory_without_actors_or_with_one() -> None:
    nobody, somebody = _actors({}), _actors({"a": "x"})
    assert network.measure_actors(_ties(), actors=nobody).empty
    row = network.measure_territory(_ties(), actors=nobody, group="group").iloc[0]
    assert row[["n_actors", "n_ties", "n_components", "n_isolates"]].tolist() == [0, 0, 0, 0]
    undefined = ["density", "mean_degree", "largest_component_share", "cross_share"]
    assert row[undefined].isna().all()
    row = network.measure_territory(_ties(), actors=somebody, group="group").iloc[0]
    assert row[["mean_degree", "n_components", "largest_component_share"]].tolist() == [0, 1, 1]
    assert row[["density", "cross_share"]].isna().all()
    for actors in (nobody, somebody):
        mixing = network.measure_mixing(_ties(), actors=actors, group="group").iloc[0]
        assert mixing["n_ties"] == 0
        assert mixing[["ei_index", "ei_expected"]].isna().all()
    assert network.tabulate_mixing(_ties(), actors=nobody, group="group").empty


def test_no_ties_leave_everybody_alone() -> None:
    actors = _actors({"a": "x", "b": "x", "c": "y"})
    assert network.measure_actors(_ties(), actors=actors)["isolate"].all()
    row = network.measure_territory(_ties(), actors=actors, group="group").iloc[0]
    assert row[["density", "mean_degree"]].tolist() == [0, 0]
    assert row["largest_component_share"] == pytest.approx(1 / 3)
    assert np.isnan(row["cross_share"])


def test_an_unknown_group_is_refused() -> None:
    with pytest.raises(UsageError, match="no column 'sector' in actors; there are: actor_id"):
        network.measure_mixing(_ties(), actors=_actors({"a": "x"}), group="sector")


def test_a_large_territory_is_measured_fast() -> None:
    random = np.random.default_rng(7)
    names = np.array([f"actor-{i}" for i in range(1190)])
    actors = pd.DataFrame({"actor_id": names, "helix": random.choice(list("abcd"), 1190)})
    ends = random.choice(names, (6000, 2))
    ties = pd.DataFrame(ends, columns=["source_id", "target_id"]).assign(kind="funds")
    start = time.perf_counter()
    network.measure_actors(ties, actors=actors)
    network.measure_territory(ties, actors=actors)
    network.measure_mixing(ties, actors=actors, group="helix")
    network.tabulate_mixing(ties, actors=actors, group="helix")
    assert time.perf_counter() - start < 2  # about 0.1 s on a laptop


PAIRS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=20)
GROUPS = st.lists(st.sampled_from(["x", "y", "z"]), min_size=6, max_size=6)


@settings(max_examples=40, deadline=None)
@given(pairs=PAIRS, groups=GROUPS, order=st.permutations(range(6)))
def test_measures_depend_neither_on_row_order_nor_on_names(
    pairs: list[tuple[str, str]], groups: list[str], order: list[int]
) -> None:
    actors, ties = _actors(dict(zip("abcdef", groups, strict=True))), _ties(*pairs)
    ids = dict(zip("abcdef", "uvwxyz", strict=True))
    renamed = _ties(*((ids[s], ids[t]) for s, t in reversed(pairs)))
    others = actors.assign(actor_id=actors["actor_id"].map(ids)).iloc[order]
    for measure in (network.measure_territory, network.measure_mixing):
        first = measure(ties, actors=actors, group="group")
        second = measure(renamed, actors=others, group="group")
        pd.testing.assert_frame_equal(first, second)
    degree = network.measure_actors(ties, actors=actors)["degree"]
    other = network.measure_actors(renamed, actors=others)["degree"]
    assert degree.iloc[order].tolist() == other.tolist()


@settings(max_examples=40, deadline=None)
@given(pairs=PAIRS, groups=GROUPS)
def test_measures_agree_with_networkx_and_keep_their_range(
    pairs: list[tuple[str, str]], groups: list[str]
) -> None:
    actors = _actors(dict(zip("abcdef", groups, strict=True)))
    graph = nx.Graph([(s, t) for s, t in pairs if s != t])
    graph.add_nodes_from("abcdef")
    row = network.measure_territory(_ties(*pairs), actors=actors, group="group").iloc[0]
    assert row["density"] == pytest.approx(nx.density(graph))
    assert row["n_components"] == nx.number_connected_components(graph)
    largest = max(map(len, nx.connected_components(graph)))
    assert row["largest_component_share"] == pytest.approx(largest / 6)
    mixing = network.measure_mixing(_ties(*pairs), actors=actors, group="group").iloc[0]
    assert -1 <= mixing["ei_expected"] <= 1
    assert np.isnan(mixing["ei_index"]) if not graph.edges else -1 <= mixing["ei_index"] <= 1
