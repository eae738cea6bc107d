"""Which relations are ties, and the graph they make."""

from __future__ import annotations

import networkx as nx
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis import ties
from ecoanalysis.errors import UsageError

KINDS = pd.DataFrame(
    {"directed": ["yes", "no", "yes"], "structure": ["free", "free", "membership"]},
    index=pd.Index(["funds", "partners_with", "member_of"], name="code"),
)
ACTORS = pd.DataFrame(
    {
        "actor_id": ["a", "b", "c", "alone"],
        "name": ["A", "B", None, "Alone"],
        "kind": ["ngo", "bank", "ngo", "unclassified"],
        "helix": ["civil", "private", "civil", None],
    }
)
COLUMNS = ["source_id", "target_id", "kind", "weight", "status"]


def _relations(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=COLUMNS)


def test_only_existing_relations_are_kept() -> None:
    relations = _relations(
        ("a", "b", "funds", None, "existing"),
        ("a", "c", "funds", None, None),
        ("b", "c", "funds", None, "planned"),
        ("c", "b", "funds", None, "desired"),
    )
    found = ties.select_ties(relations, actors=ACTORS, relation_kinds=KINDS)
    assert found[["source_id", "target_id"]].to_numpy().tolist() == [["a", "b"], ["a", "c"]]


def test_scope_structure_and_direction_are_said() -> None:
    relations = _relations(
        ("a", "b", "funds", 2.0, None),
        ("a", "far", "member_of", None, None),
        ("far", "b", "partners_with", None, None),
        ("far", "elsewhere", "funds", None, None),
    )
    found = ties.select_ties(relations, actors=ACTORS, relation_kinds=KINDS)
    assert list(found.columns) == list(ties.TIE_COLUMNS)
    assert found["scope"].tolist() == ["inside", "beyond", "beyond"]
    assert found["structure"].tolist() == ["free", "membership", "free"]
    assert found["directed"].tolist() == [True, True, False]
    assert found["weight"].isna().tolist() == [False, True, True]
    assert found.index.tolist() == [0, 1, 2]


def test_no_relations_give_an_empty_table_of_the_same_columns() -> None:
    found = ties.select_ties(_relations(), actors=ACTORS, relation_kinds=KINDS)
    assert found.empty
    assert list(found.columns) == list(ties.TIE_COLUMNS)
    assert ties.build_graph(found, actors=ACTORS).number_of_nodes() == 4


def test_an_unknown_kind_and_a_doubled_actor_are_refused() -> None:
    with pytest.raises(UsageError, match="kind: 'bribes' is not known; Allowed: funds, partner"):
        ties.select_ties(
            _relations(("a", "b", "bribes", None, None)), actors=ACTORS, relation_kinds=KINDS
        )
    with pytest.raises(UsageError, match="listed twice: a;"):
        ties.index_actors(pd.concat([ACTORS, ACTORS.iloc[:1]]))


def test_relations_of_a_pair_make_one_tie_and_weights_add_up() -> None:
    # a-b three times (2 + blank, which counts 1, + 4 the other way round) = one tie of weight 7.
    relations = _relations(
        ("a", "b", "funds", 2.0, None),
        ("a", "b", "partners_with", None, None),
        ("b", "a", "funds", 4.0, None),
        ("b", "b", "funds", 9.0, None),
        ("b", "c", "funds", 0.0, None),
        ("a", "far", "funds", 1.0, None),
        ("a", "c", "funds", 1.0, "desired"),
    )
    found = ties.combine_ties(relations, actors=ACTORS)
    assert found.to_dict("records") == [
        {"source_id": "a", "target_id": "b", "source": 0, "target": 1}
        | {"weight": 7.0, "kinds": "funds;partners_with"}
    ]
    arcs = ties.combine_ties(relations, actors=ACTORS, directed=True)
    assert arcs[["source_id", "target_id", "weight"]].to_numpy().tolist() == [
        ["a", "b", 3.0],
        ["b", "a", 4.0],
    ]


def test_a_kind_without_direction_makes_two_arcs() -> None:
    relations = _relations(("a", "b", "partners_with", 3.0, None), ("a", "c", "funds", 1.0, None))
    selected = ties.select_ties(relations, actors=ACTORS, relation_kinds=KINDS)
    arcs = ties.combine_ties(selected, actors=ACTORS, directed=True)
    assert arcs[["source_id", "target_id"]].to_numpy().tolist() == [
        ["a", "b"],
        ["a", "c"],
        ["b", "a"],
    ]


def test_a_negative_weight_is_refused() -> None:
    with pytest.raises(UsageError, match="negative; found -2"):
        ties.combine_ties(_relations(("a", "b", "funds", -2.0, None)), actors=ACTORS)


def test_the_graph_keeps_isolates_attributes_and_weights() -> None:
    relations = _relations(("b", "a", "funds", 2.0, None), ("a", "b", "partners_with", 3.0, None))
    graph = ties.build_graph(relations, actors=ACTORS, weighted=True)
    assert list(graph) == ["a", "b", "c", "alone"]
    assert list(nx.isolates(graph)) == ["c", "alone"]
    assert graph.nodes["c"] == {"name": "", "kind": "ngo", "helix": "civil"}
    assert graph.nodes["alone"]["helix"] == ""
    assert dict(graph.edges["a", "b"]) == {"weight": 5.0, "kinds": "funds;partners_with"}
    plain = ties.build_graph(relations, actors=ACTORS[["actor_id"]], directed=True)
    assert plain.is_directed()
    assert dict(plain.edges["b", "a"]) == {"kinds": "funds"}


def test_actors_and_relations_are_left_as_they_were() -> None:
    relations = _relations(("b", "a", "funds", 2.0, None))
    before = relations.copy()
    ties.build_graph(relations, actors=ACTORS)
    pd.testing.assert_frame_equal(relations, before)


PAIRS = st.lists(st.tuples(st.sampled_from("abcde"), st.sampled_from("abcde")), max_size=15)


@settings(max_examples=40, deadline=None)
@given(pairs=PAIRS, order=st.randoms(use_true_random=False))
def test_pairs_are_those_of_networkx_whatever_the_order_of_rows(
    pairs: list[tuple[str, str]], order: object
) -> None:
    actors = pd.DataFrame({"actor_id": list("abcd")})
    table = pd.DataFrame(pairs, columns=["source_id", "target_id"], dtype="str")
    expected = nx.Graph([(s, t) for s, t in pairs if s != t and "e" not in (s, t)])
    found = ties.combine_ties(table, actors=actors)
    assert set(map(frozenset, expected.edges)) == set(
        map(frozenset, found[["source_id", "target_id"]].itertuples(index=False))
    )
    order.shuffle(pairs)  # type: ignore[attr-defined]
    shuffled = pd.DataFrame(pairs, columns=["source_id", "target_id"], dtype="str")
    pd.testing.assert_frame_equal(ties.combine_ties(shuffled, actors=actors), found)
