"""Networks against R (sna, igraph, netseg), published values and counts by hand."""

from __future__ import annotations

import itertools
import json
import time
from functools import partial
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
from ecoanalysis.network import positions

ORACLES = Path(__file__).parent / "oracles"
GRAPHS: dict[str, dict[str, Any]] = json.loads((ORACLES / "networks.json").read_text("utf-8"))
GRAPHS.pop("source")
PUBLISHED: dict[str, Any] = json.loads((ORACLES / "published.json").read_text("utf-8"))
# igraph's and sna's answers for these two differ from the definition that we follow (see below).
PLAIN = [name for name in GRAPHS if name not in ("selfloop", "zero_weight")]
WEIGHTED = [name for name in GRAPHS if GRAPHS[name]["weighted"]]
POSITIONS = ["betweenness", "closeness", "harmonic", "pagerank", "coreness"]
HOLES = ["constraint", "effective_size", "efficiency"]


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


def _expect(found: pd.DataFrame, graph: dict[str, Any], columns: list[str]) -> None:
    wanted = pd.DataFrame({column: graph[column] for column in columns}, dtype=float)
    for column in columns:
        assert found[column.removesuffix("_w")].to_numpy(float) == pytest.approx(
            wanted[column].to_numpy(), rel=1e-9, abs=1e-12, nan_ok=True
        ), column


@pytest.mark.parametrize("name", GRAPHS)
def test_positions_are_those_of_igraph_and_of_burt(name: str) -> None:
    # Tools count a self-relation in PageRank; it is no tie here, so that oracle is left out.
    edges, actors, graph = _read_graph(name)
    plain = edges.drop(columns="weight", errors="ignore")
    found = network.measure_actors(plain, actors=actors, directed=graph["directed"])
    left_out = ["pagerank"] if name == "selfloop" else []
    _expect(found, graph, [c for c in POSITIONS + HOLES if c not in left_out])


@pytest.mark.parametrize("name", WEIGHTED)
def test_weights_count_in_pagerank_and_in_the_measures_of_burt(name: str) -> None:
    # zero_weight: a-b weighs nothing and is no contact (igraph counts it: constraint of a 1.44).
    edges, actors, graph = _read_graph(name)
    found = network.measure_actors(edges, actors=actors, weighted=True)
    _expect(found, graph, ["pagerank_w", "constraint_w", "effective_size_w"])


def test_a_network_of_nobody_and_of_two() -> None:
    assert network.measure_actors(_ties(), actors=_actors({})).empty
    # One tie: each reaches the other in one step, depends on it wholly, and stands between nobody.
    row = network.measure_actors(_ties(("a", "b")), actors=_actors({"a": "x", "b": "y"})).iloc[0]
    ones = ["degree", "closeness", "harmonic", "coreness", *HOLES]
    assert row[ones].tolist() == [1] * 7
    assert row[["betweenness", "pagerank"]].tolist() == pytest.approx([0, 0.5])


def test_betweenness_of_many_actors_is_estimated_on_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In a ring all actors are alike, so that the sum over actors, estimated from the paths out of
    # 20 of the 40, is the true one, and only its spread is not 0.
    ids = [f"{i:02}" for i in range(40)]
    ring = _ties(*zip(ids, ids[1:] + ids[:1], strict=True))
    actors = _actors(dict.fromkeys(ids, "x"))
    whole = network.measure_actors(ring, actors=actors)["betweenness"]
    assert whole.to_numpy() == pytest.approx(whole[0])
    monkeypatch.setattr(positions, "LARGE", 39)
    monkeypatch.setattr(positions, "PIVOTS", 20)
    half = network.measure_actors(ring, actors=actors, seed=1)["betweenness"]
    assert half.sum() == pytest.approx(whole.sum())
    assert half.std() > 0
    exact = network.measure_actors(ring, actors=actors)["betweenness"]
    pd.testing.assert_series_equal(exact, whole)


@pytest.mark.parametrize("name", GRAPHS)
def test_brokerage_roles_are_those_of_gould_and_fernandez(name: str) -> None:
    edges, actors, graph = _read_graph(name)
    edges = edges.drop(columns="weight", errors="ignore")
    directed = graph["directed"]
    found = network.measure_brokerage(edges, actors=actors, group="group", directed=directed)
    roles = np.array(graph["roles"])
    if not directed:  # sna counts both ways round; gatekeeper is then the boundary
        roles = roles[:, [0, 1, 2, 4, 5]] / [2, 2, 1, 2, 2]
    assert found.drop(columns="actor_id").to_numpy().tolist() == roles.tolist()


def test_brokerage_of_the_medici() -> None:
    edges, actors, _ = _read_graph("florentine16")
    families = sorted(actors["actor_id"])
    classes = dict(zip(families, itertools.cycle("XYZ"), strict=False))
    found = network.measure_brokerage(
        edges, actors=_actors(classes), group="group", directed=False, permutations=200
    ).set_index("actor_id")
    expected = PUBLISHED["florentine16_gould_fernandez_undirected"]["Medici"]
    medici = found.loc["Medici"]
    assert medici[list(expected)].to_dict() == expected
    # No deal gives fewer than the 0 pairs that it coordinates; Pucci, tied to nobody, has no pair.
    assert medici["coordinator_p"] == 1
    assert found.loc["Pucci"].to_numpy().tolist() == [0] * 5 + [1] * 4


def test_chance_of_a_role_is_that_over_all_deals() -> None:
    # a - v - b, groups x, x, y: v is boundary unless it got the y, in 1 of 3 deals: itinerant.
    actors, ties = _actors({"a": "x", "v": "x", "b": "y"}), _ties(("a", "v"), ("v", "b"))
    found = network.measure_brokerage(
        ties, actors=actors, group="group", directed=False, permutations=4_000
    ).iloc[1]
    assert found["boundary"] == found["total"] == 1
    assert found["boundary_p"] == pytest.approx(2 / 3, abs=0.03)


def test_brokerage_leaves_out_triples_with_an_unknown_group() -> None:
    actors = _actors({"a": "x", "v": "x", "b": None, "c": "y"})
    ties = _ties(("a", "v"), ("v", "b"), ("v", "c"))
    found = network.measure_brokerage(ties, actors=actors, group="group", directed=True).iloc[1]
    assert found["representative"] == found["total"] == 1


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
    # netseg's is that of igraph without direction; with it, it takes the mean of the margins.
    wanted = graph["igraph_assortativity"]
    if not directed and wanted is not None:
        assert wanted == pytest.approx(graph["netseg_assortativity"], rel=1e-9)
    expected = np.nan if wanted is None else wanted
    assert arcs["assortativity"] == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)
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
    published = PUBLISHED["catania"]
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
    row = network.measure_mixing(couples, actors=actors, group="group", directed=True).iloc[0]
    assert row["ei_index"] == pytest.approx(published["ei_index"], abs=5e-7)
    assert row["assortativity"] == pytest.approx(published["assortativity"], abs=5e-7)
    assert row["ei_p"] == 1 / 1000  # none of 999 deals comes near


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


def test_probability_of_the_ei_index_is_that_over_all_deals() -> None:
    # a-b, c-d, groups x x y y: E-I is -1. Of the 3 ways to part four in two pairs one keeps both
    # ties within and two make both cross; the mean is 1/3, so that only the first is as far off.
    actors = _actors(dict(zip("abcd", "xxyy", strict=True)))
    row = network.measure_mixing(
        _ties(("a", "b"), ("c", "d")), actors=actors, group="group", permutations=4_000
    ).iloc[0]
    assert (row["ei_index"], row["ei_expected"]) == (-1, pytest.approx(1 / 3))
    assert row["ei_p"] == pytest.approx(1 / 3, abs=0.03)
    # All four ties across: 0 within here, 2 in both other ways; the mean is 4/3, 0 the farthest.
    across = _ties(("a", "c"), ("a", "d"), ("b", "c"), ("b", "d"))
    row = network.measure_mixing(across, actors=actors, group="group", permutations=4_000).iloc[0]
    assert row["ei_index"] == 1
    assert row["ei_p"] == pytest.approx(1 / 3, abs=0.03)


@pytest.mark.parametrize("name", [n for n in GRAPHS if not GRAPHS[n]["directed"]])
def test_communities_reach_the_best_modularity(name: str) -> None:
    edges, actors, graph = _read_graph(name)
    found = network.classify_communities(edges.iloc[:, :2], actors=actors)
    if graph["edges"] and graph["modularity"] is not None:  # known by exact search
        assert found["modularity"].to_numpy() == pytest.approx(graph["modularity"], abs=1e-12)
    again = network.classify_communities(edges.iloc[:, :2], actors=actors)
    pd.testing.assert_frame_equal(found, again)


def test_core_of_the_karate_club() -> None:
    edges, actors, _ = _read_graph("karate")
    found = network.classify_core(edges, actors=actors)
    published = PUBLISHED["karate_core"]
    core = sorted(found.loc[found["core"], "actor_id"].astype(int))
    assert core == published["core"]
    assert found["fit"].to_numpy() == pytest.approx(published["correlation"], abs=5e-7)


@pytest.mark.parametrize("name", ["kite", "florentine16", "er_dir_12_dense", "path6"])
def test_core_fit_is_the_best_correlation(name: str) -> None:
    # Trying all cores (up to 20 actors) finds what a correlation of the two matrices, core by
    # core, finds among those of up to three actors; and never less than the search does.
    edges, actors, _ = _read_graph(name)
    ids = list(actors["actor_id"])
    graph = nx.Graph()
    graph.add_nodes_from(ids)
    graph.add_edges_from(edges.to_numpy().tolist())
    upper = np.triu_indices(len(ids), 1)
    tied = nx.to_numpy_array(graph)[upper]
    fits = []
    for size in (1, 2, 3):
        for core in itertools.combinations(range(len(ids)), size):
            inside = np.isin(np.arange(len(ids)), core)
            fits.append(np.corrcoef(tied, (inside[:, None] | inside)[upper])[0, 1])
    found = network.classify_core(edges, actors=actors)
    assert found["fit"][0] >= max(fits) - 1e-12
    if found["core"].sum() <= 3:
        assert found["fit"][0] == pytest.approx(max(fits))


def test_a_star_has_its_centre_as_core_and_a_complete_graph_none() -> None:
    edges, actors, _ = _read_graph("star7")
    star = network.classify_core(edges, actors=actors)
    assert star.loc[star["core"], "actor_id"].tolist() == ["0"]
    assert star["fit"][0] == pytest.approx(1)
    three = _actors(dict.fromkeys("abc", "x"))
    complete = network.classify_core(_ties(*itertools.combinations("abc", 2)), actors=three)
    assert not complete["core"].any()
    assert complete["fit"].isna().all()


def test_key_players_of_florence() -> None:
    edges, actors, _ = _read_graph("florentine16")
    published = PUBLISHED["florentine16_key_players"]
    for people, values in [
        (actors, published),
        (actors[actors["actor_id"] != "Pucci"], published["fifteen_families"]),
    ]:
        found = network.measure_key_players(edges, actors=people)
        assert found["actor_id"].tolist() == published["remove"]
        assert found["fragmentation"][0] == pytest.approx(values["F"], abs=5e-5)
        assert found["distance_fragmentation"][0] == pytest.approx(values["DF"], abs=5e-5)
    assert network.measure_key_players(_ties(), actors=actors).empty


def test_bridges_hold_the_parts_of_the_network_together() -> None:
    # Two triangles a b c and e f g joined by d, and h hanging on g. d lies between 3 * 4 of the 21
    # pairs of others and parts the 3 of its smaller side; g lies between h and the 6 others.
    pairs = [("a", "b"), ("a", "c"), ("b", "c"), ("e", "f"), ("e", "g"), ("f", "g")]
    ties = _ties(*pairs, ("c", "d"), ("d", "e"), ("g", "h"))
    actors = _actors(dict.fromkeys("abcdefgh", "x"))
    found = network.measure_bridges(ties, actors=actors)
    found = found.set_index("actor_id")
    assert set(found.index) == {"c", "d", "e", "g"}
    assert found.loc["d"].tolist() == [pytest.approx(12 / 21), 3]
    assert found.loc["g"].tolist() == [pytest.approx(6 / 21), 1]


def test_stability_is_that_of_the_ranks() -> None:
    edges, actors, _ = _read_graph("karate")
    found = network.measure_stability(edges, actors=actors)
    assert (found["n_ties"] == 78).all()
    table = found.pivot_table(index="missing_share", columns="measure", values="correlation")
    assert (table.loc[0.3] < table.loc[0.1]).all()
    assert table.loc[0.1].between(0.8, 1).all()
    # Whoever is missing, a star's centre stays first unless it is missing itself, and then all
    # are equal: each correlation that there is, is 1.
    star, people, _ = _read_graph("star7")
    stable = network.measure_stability(star, actors=people)["correlation"]
    assert stable.to_numpy() == pytest.approx(1)
    ring = _ties(("a", "b"), ("b", "c"), ("c", "a"))  # all alike: no order that could hold
    alike = network.measure_stability(ring, actors=_actors(dict.fromkeys("abc", "x")))
    assert alike["correlation"].isna().all()


def test_layers_say_what_each_kind_adds() -> None:
    ties = _ties(("a", "b"), ("b", "a"), ("a", "b"), ("b", "c"), ("a", "far"))
    ties["kind"] = ["funds", "funds", "hosts", "hosts", "funds"]
    ties["structure"] = ["free", "free", "two_mode", "two_mode", "free"]
    ties["scope"] = ["inside"] * 4 + ["beyond"]
    found = network.measure_layers(ties, actors=_actors(dict.fromkeys("abc", "x")))
    assert found.to_dict("list") == {
        "kind": ["funds", "hosts"],
        "structure": ["free", "two_mode"],
        "n_inside": [2, 2],
        "n_beyond": [1, 0],
        "n_ties": [1, 2],
        "n_only": [0, 1],
        "n_actors": [2, 3],
    }
    assert network.measure_layers(ties.iloc[:0], actors=_actors({"a": "x"})).empty


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
    with pytest.raises(UsageError, match=r"actors: 'sector' is not known; .*Allowed: actor_id"):
        network.measure_mixing(_ties(), actors=_actors({"a": "x"}), group="sector")


def test_a_large_territory_is_measured_fast() -> None:
    random = np.random.default_rng(7)
    names = np.array([f"actor-{i}" for i in range(1190)])
    actors = pd.DataFrame({"actor_id": names, "helix": random.choice(list("abcd"), 1190)})
    ends = random.choice(names, (6000, 2))
    ties = pd.DataFrame(ends, columns=["source_id", "target_id"]).assign(kind="funds")
    start = time.process_time()
    network.measure_actors(ties, actors=actors)
    network.measure_territory(ties, actors=actors)
    network.measure_mixing(ties, actors=actors, group="helix")
    network.tabulate_mixing(ties, actors=actors, group="helix")
    assert time.process_time() - start < 2  # about 0.3 s


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
    mixing = partial(network.measure_mixing, permutations=0)  # deals follow the order of rows
    for measure in (network.measure_territory, mixing):
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
