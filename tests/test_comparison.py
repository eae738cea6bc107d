"""The gate, mixes, diversity and totals against R, published values and counts by hand."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis import comparison
from ecoanalysis.errors import UsageError

PUBLISHED = json.loads((Path(__file__).parent / "oracles/published.json").read_text("utf-8"))
KINDS = ["ngo", "bank", "media"]


def _descriptor(**changes: Any) -> Any:
    stated = {
        "comparable": True,
        "comparable_regions": (),
        "boundary_rule": {"fr": "Siège dans la commune", "en": "Seat in the town"},
        "tie_question": {"en": "With whom did you work last year?"},
        "date_window": {"en": "2025"},
        "census": False,
    }
    return SimpleNamespace(**(stated | changes))


def _summary(**values: float) -> pd.DataFrame:
    usual = {"n_actors": 20, "n_unclassified": 2, "n_ratings": 9, "n_ties": 5, "n_ties_beyond": 1}
    stored = usual | {"n_linked_territories": 2} | values
    return pd.DataFrame({"measure": list(stored), "value": list(stored.values())})


def _summaries(*changes: dict[str, float]) -> dict[str, pd.DataFrame]:
    return {name: _summary(**change) for name, change in zip("abc", changes, strict=False)}


def _mix(**territories: dict[str, int]) -> pd.DataFrame:
    rows = [(t, kind, n) for t, counts in territories.items() for kind, n in counts.items()]
    return pd.DataFrame(rows, columns=["territory_id", "kind", "n"])


def _result(kinds: dict[str, int], scores: list[float], *, first: int = 0) -> dict[str, Any]:
    """Tables of one territory as a run stores them; actors are numbered from `first`."""
    listed = [kind for kind, n in kinds.items() for _ in range(n)]
    ids = [f"a{first + i}" for i in range(len(listed))]
    return {
        "summary": _summary(n_actors=len(ids), n_unclassified=kinds.get("unclassified", 0)),
        "actors": pd.DataFrame({"actor_id": ids, "kind": listed}),
        "kinds": pd.DataFrame({"kind": list(kinds), "n": list(kinds.values())}),
        "scores": pd.DataFrame(
            {"actor_id": ids[: len(scores)], "dimension": "readiness", "score": scores}
        ),
        "network": pd.DataFrame({"structure": ["all", "free"], "density": [0.5, 0.25]}),
        "mixing": pd.DataFrame(
            {"group": ["kind", "helix"], "ei_index": [0.9, -0.1], "ei_expected": [0.8, 0.4]}
        ),
    }


def _compare(**changes: Any) -> dict[str, pd.DataFrame]:
    results = {
        "b": _result({"ngo": 4, "bank": 2, "media": 0, "unclassified": 1}, [10, 20, math.nan, 40]),
        "a": _result({"ngo": 3, "bank": 3, "media": 4, "unclassified": 0}, [], first=5),
    }
    return comparison.compare_territories(
        results,
        descriptor=_descriptor(**changes),
        territories=pd.DataFrame({"territory_id": ["a", "b"], "name": ["Aa", "Bb"]}),
        codebook=SimpleNamespace(kinds=pd.DataFrame(index=KINDS)),  # type: ignore[arg-type]
    )


def test_a_good_study_passes_the_gate() -> None:
    gate = comparison.check_gate(_descriptor(), summaries=_summaries({}, {}))
    assert gate["passed"].all()
    assert dict(zip(gate["item"], gate["reason"], strict=True)) == {
        "comparable": "declared_comparable",
        "territories": "several",
        "boundary_rule": "stated",
        "date_window": "stated",
        "tie_question": "stated",
        "ties": "listed",
        "shared_raters": "shared",
        "size": "large_enough",
        "census": "not_declared",
    }
    assert comparison.list_allowed(gate) == {"mixes", "diversity", "readiness", "networks"}


LISTS = {"mixes", "diversity", "networks"}
EVERYTHING = LISTS | {"readiness"}


@pytest.mark.parametrize(
    ("changes", "summaries", "item", "reason", "refused"),
    [
        ({"comparable": False}, [{}, {}], "comparable", "declared_not_comparable", EVERYTHING),
        ({"comparable": None}, [{}, {}], "comparable", "not_stated", set()),
        ({}, [{}], "territories", "single", EVERYTHING),
        ({"boundary_rule": {}}, [{}, {}], "boundary_rule", "not_stated", LISTS),
        ({"boundary_rule": {"fr": " "}}, [{}, {}], "boundary_rule", "not_stated", LISTS),
        ({"date_window": ""}, [{}, {}], "date_window", "not_stated", EVERYTHING),
        ({"tie_question": None}, [{}, {}], "tie_question", "not_stated", {"networks"}),
        ({}, [{}, {"n_ties": 0, "n_ties_beyond": 0}], "ties", "not_listed", {"networks"}),
        ({}, [{}, {"n_ratings": 0}], "shared_raters", "no_ratings", {"readiness"}),
        ({}, [{}, {"n_linked_territories": 1}], "shared_raters", "not_shared", {"readiness"}),
        # Two pairs of territories that share raters only within each pair do not hang together.
        ({}, [{}, {}, {}], "shared_raters", "not_shared", {"readiness"}),
        ({}, [{}, {}, {"n_ratings": 0}], "shared_raters", "shared", set()),
        ({}, [{}, {"n_actors": 6}], "size", "too_small", {"diversity"}),
        ({"census": True}, [{}, {}], "census", "declared", set()),
    ],
)
def test_the_gate_refuses_what_depends_on_the_item_that_fails(
    changes: dict[str, Any],
    summaries: list[dict[str, float]],
    item: str,
    reason: str,
    refused: set[str],
) -> None:
    gate = comparison.check_gate(_descriptor(**changes), summaries=_summaries(*summaries))
    row = gate.set_index("item").loc[item]
    assert (row["reason"], bool(row["passed"])) == (reason, not refused)
    if item != "territories":  # one territory fails the size of the others too
        assert gate["passed"].sum() == len(gate) - bool(refused)
    assert comparison.list_allowed(gate) == EVERYTHING - refused


def test_a_region_may_be_compared_where_the_study_may_not() -> None:
    said = _descriptor(comparable=False, comparable_regions=("North", "South"))
    for regions, reason in (
        ({"North"}, "comparable_region"),
        ({"North", "South"}, None),
        ({}, None),
    ):
        gate = comparison.check_gate(said, summaries=_summaries({}, {}), regions=regions)
        row = gate.set_index("item").loc["comparable"]
        assert row["reason"] == (reason or "declared_not_comparable")
        assert comparison.list_allowed(gate) == (EVERYTHING if reason else set())


def test_a_study_whose_counts_are_not_stored_or_that_has_no_territory_is_refused() -> None:
    bare = {name: pd.DataFrame({"measure": ["n_actors"], "value": [30.0]}) for name in "ab"}
    gate = comparison.check_gate(_descriptor(), summaries=bare)
    assert comparison.list_allowed(gate) == {"mixes", "diversity"}
    nothing = comparison.check_gate(_descriptor(), summaries={})
    assert comparison.list_allowed(nothing) == set()


@pytest.mark.parametrize(
    ("n", "low", "high"),
    # R package RSurveillance 0.2.1, binom.jeffreys(n, 200), printed in its manual.
    [
        (25, 0.08462743, 0.176126),
        (10, 0.02599340, 0.08687509),
        (20, 0.06416642, 0.14729862),
        (50, 0.19387268, 0.31330266),
    ],
)
def test_intervals_of_shares_are_those_of_jeffreys(n: int, low: float, high: float) -> None:
    row = comparison.compare_mixes(_mix(a={"ngo": n, "bank": 200 - n})).iloc[0]
    assert row["share"] == n / 200
    assert row["low"] == pytest.approx(low, abs=1e-7)
    assert row["high"] == pytest.approx(high, abs=1e-6)


def test_a_kind_that_is_not_listed_has_an_upper_bound() -> None:
    # One actor, none of the kind: the posterior is Beta(1/2, 3/2), whose distribution function is
    # 2/pi (asin sqrt x + sqrt(x (1 - x))) and reaches .975 at the bound. With all of the actors
    # it is the mirror image.
    found = comparison.compare_mixes(_mix(a={"ngo": 0, "bank": 1}))
    bound = found["high"][0]
    reached = 2 / math.pi * (math.asin(math.sqrt(bound)) + math.sqrt(bound * (1 - bound)))
    assert reached == pytest.approx(0.975, rel=1e-9)
    assert found["low"].tolist() == pytest.approx([0, 1 - bound])
    assert found["high"][1] == 1


def test_the_unclassified_are_counted_outside_the_shares() -> None:
    found = comparison.compare_mixes(
        _mix(a={"ngo": 3, "bank": 1, "unclassified": 4}, b={"ngo": 0, "unclassified": 2})
    )
    assert found["n"].tolist() == [3, 1, 4, 0, 2]
    expected = [0.75, 0.25, np.nan, np.nan, np.nan]
    assert found["share"].to_numpy() == pytest.approx(expected, nan_ok=True)
    assert found["low"].isna().tolist() == found["share"].isna().tolist()
    assert found["high"].isna().tolist() == found["share"].isna().tolist()


def test_a_census_has_shares_and_no_interval() -> None:
    found = comparison.compare_mixes(_mix(a={"ngo": 3, "bank": 0}), census=True)
    assert found["share"].tolist() == [1, 0]
    assert found[["low", "high"]].isna().all(axis=None)


def test_hill_numbers_are_the_published_ones() -> None:
    for entry in (PUBLISHED["hill"], PUBLISHED["rarefaction"]):
        found = comparison.hill_numbers(entry["counts"])
        assert found == pytest.approx([entry["q0"], entry["q1"], entry["q2"]], abs=5e-7)
    assert all(map(math.isnan, comparison.hill_numbers([0, 0])))
    assert comparison.hill_numbers([7]) == (1, 1, 1)
    assert comparison.hill_numbers([3, 3, 3, 0]) == pytest.approx([3, 3, 3])


def test_rarefied_richness_is_the_published_one() -> None:
    entry = PUBLISHED["rarefaction"]
    assert comparison.rarefy(entry["counts"], 10)[0] == pytest.approx(entry["S10"], abs=5e-8)


def test_rarefied_numbers_are_means_over_all_draws() -> None:
    # Of 3 + 2 + 1 actors, all C(6, 4) = 15 draws of four: the mean number of kinds (order 0), and
    # for order 1 and 2 the Hill number of the mean entropy and of the mean concentration, since
    # f_k(m) is the mean number of kinds that stand k times.
    listed = [0, 0, 0, 1, 1, 2]
    shares = [np.bincount(draw, minlength=3) / 4 for draw in itertools.combinations(listed, 4)]
    entropy = [-sum(p * math.log(p) for p in share if p) for share in shares]
    expected = [
        np.mean([np.count_nonzero(share) for share in shares]),
        math.exp(np.mean(entropy)),
        1 / np.mean([(share**2).sum() for share in shares]),
    ]
    assert comparison.rarefy([3, 2, 1], 4) == pytest.approx(expected, rel=1e-12)


def test_at_full_size_nothing_is_lost_and_at_one_all_are_alike() -> None:
    counts = PUBLISHED["rarefaction"]["counts"]
    assert comparison.rarefy(counts, 30) == pytest.approx(comparison.hill_numbers(counts))
    assert comparison.rarefy(counts, 1) == pytest.approx([1, 1, 1])


@pytest.mark.parametrize("size", [0, 31, -1])
def test_no_list_is_extrapolated(size: int) -> None:
    with pytest.raises(UsageError, match=f"between 1 and the 30 actors listed, not {size}"):
        comparison.rarefy(PUBLISHED["rarefaction"]["counts"], size)


@pytest.mark.parametrize("counts", [[-1, 2], [1.5], [math.nan], [math.inf]])
def test_counts_must_be_counts(counts: list[float]) -> None:
    with pytest.raises(UsageError, match="whole numbers"):
        comparison.hill_numbers(counts)  # type: ignore[arg-type]


def test_diversity_is_compared_at_the_size_of_the_smallest_list() -> None:
    mixes = _mix(
        large={"ngo": 10, "bank": 20, "media": 20, "unclassified": 9},
        small={"ngo": 3, "bank": 3, "unclassified": 1},
        tiny={"ngo": 4, "unclassified": 50},
    )
    found = comparison.compare_diversity(mixes)
    assert list(found.columns) == [
        "territory_id",
        "n",
        "size",
        "hill_0",
        "hill_1",
        "hill_2",
        "compared",
    ]
    assert found["territory_id"].tolist() == ["large", "small", "tiny"]
    assert found["n"].tolist() == [50, 6, 4]
    assert found["size"].tolist() == [6, 6, 6]
    assert found["compared"].tolist() == [True, True, False]
    assert found.loc[1, ["hill_0", "hill_1", "hill_2"]].tolist() == pytest.approx([2, 2, 2])
    assert found.loc[0, "hill_0"] == pytest.approx(comparison.rarefy([10, 20, 20], 6)[0])
    assert found.loc[2, ["hill_0", "hill_1", "hill_2"]].isna().all()


def test_lists_that_are_all_too_small_are_not_compared() -> None:
    found = comparison.compare_diversity(_mix(a={"ngo": 4}, b={"unclassified": 8}))
    assert found["n"].tolist() == [4, 0]
    assert not found["compared"].any()
    assert found[["size", "hill_0", "hill_1", "hill_2"]].isna().all(axis=None)


def test_totals_count_an_organisation_once() -> None:
    actors = pd.DataFrame(
        [
            ("x", "one", "ngo"),
            ("y", "one", "ngo"),
            ("x", "two", "unclassified"),
            ("y", "two", "bank"),  # classified somewhere is classified
            ("x", "three", "local_kind"),
            ("y", "four", "unclassified"),
        ],
        columns=["territory_id", "actor_id", "kind"],
    )
    found = comparison.count_organisations(actors, kinds=KINDS)
    assert found.to_numpy().tolist() == [
        ["all", 4, 6, 2],
        ["ngo", 1, 2, 1],
        ["bank", 1, 2, 1],
        ["media", 0, 0, 0],
        ["local_kind", 1, 1, 0],
        ["unclassified", 1, 1, 0],
    ]
    assert list(found.columns) == ["kind", "n_organisations", "n_entries", "n_in_several"]


def test_territories_are_compared_in_the_order_given() -> None:
    tables = _compare()
    assert list(tables) == [
        "gate",
        "territories",
        "mixes",
        "diversity",
        "readiness",
        "networks",
        "totals",
    ]
    assert tables["territories"][["territory_id", "name", "n_actors"]].to_numpy().tolist() == [
        ["b", "Bb", 7],
        ["a", "Aa", 10],
    ]
    assert tables["territories"]["n_kinds"].isna().all()  # not stored here
    assert tables["mixes"]["share"].notna().sum() == 6
    assert tables["diversity"]["size"].tolist() == [6, 6]
    # Scores 10, 20, 40: quartiles 15 and 30 by linear interpolation. Nobody is scored in a.
    ready = tables["readiness"].set_index("territory_id")
    assert ready.loc["b"].tolist() == [7, 3, 10, 15, 20, 30, 40]
    assert ready.loc["a", ["n_actors", "n_scored"]].tolist() == [10, 0]
    assert ready.loc["a"].isna().sum() == 5
    networks = tables["networks"]
    assert list(networks.columns[:2]) == ["territory_id", "structure"]
    free = networks[networks["structure"] == "free"]
    assert (
        free[["density", "ei_index", "ei_expected"]].to_numpy().tolist() == [[0.25, -0.1, 0.4]] * 2
    )
    assert networks.loc[networks["structure"] == "all", "ei_index"].isna().all()
    # a5 and a6 stand in both lists: 15 organisations in 17 entries.
    assert tables["totals"].iloc[0].tolist() == ["all", 15, 17, 2]


def test_what_the_gate_refuses_is_not_computed() -> None:
    tables = _compare(comparable=False)
    assert tables["mixes"]["n"].sum() == 17  # inventories side by side
    assert tables["mixes"][["share", "low", "high"]].isna().all(axis=None)
    for name in ("diversity", "readiness", "networks"):
        assert tables[name].empty
        assert "territory_id" in tables[name].columns
    assert len(_compare(tie_question=None)["networks"]) == 0
    assert len(_compare(tie_question=None)["diversity"]) == 2


def test_a_comparison_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="no territory to compare"):
        comparison.compare_territories(
            {},
            descriptor=_descriptor(),
            territories=pd.DataFrame({"territory_id": ["a"], "name": ["Aa"]}),
            codebook=SimpleNamespace(kinds=pd.DataFrame(index=KINDS)),  # type: ignore[arg-type]
        )


def _compare_nested(parents: dict[str, str | None], **n_actors: int) -> dict[str, pd.DataFrame]:
    """Territories of so many NGOs; all share the organisations a0, a1 …"""
    return comparison.compare_territories(
        {name: _result({"ngo": n}, [50.0] * min(n, 1)) for name, n in n_actors.items()},
        descriptor=_descriptor(),
        territories=pd.DataFrame(
            {"territory_id": list(n_actors), "name": list(n_actors)}
            | {"parent_id": pd.Series([parents.get(t) for t in n_actors], dtype="str")}
        ),
        codebook=SimpleNamespace(kinds=pd.DataFrame(index=KINDS)),  # type: ignore[arg-type]
    )


def test_a_territory_is_not_compared_with_one_that_holds_it() -> None:
    parents = {"town": "county", "ward": "town", "other": None}
    tables = _compare_nested(parents, county=9, town=7, ward=5, other=6)
    assert tables["territories"]["within"].fillna("").tolist() == ["", "county", "county", ""]
    for name in ("mixes", "diversity", "readiness", "networks"):
        assert set(tables[name]["territory_id"]) == {"county", "other"}, name
    # 9 + 7 + 5 + 6 entries of the organisations a0 … a8, of which a7 and a8 stand in one list only
    assert tables["totals"].iloc[0].tolist() == ["all", 9, 27, 7]


def test_a_parent_without_actors_or_results_holds_nothing() -> None:
    parents = {"a": "county", "b": "county", "c": "elsewhere"}
    tables = _compare_nested(parents, county=0, a=5, b=6, c=7)
    assert tables["territories"]["within"].isna().all()
    assert comparison.list_allowed(tables["gate"]) >= {"mixes", "networks"}
    circle = _compare_nested({"a": "b", "b": "a", "c": "c"}, a=5, b=6, c=7)
    assert circle["territories"]["within"].isna().all()


def test_a_parent_and_its_parts_are_no_comparison() -> None:
    tables = _compare_nested({"a": "county"}, county=9, a=5)
    gate = tables["gate"].set_index("item")
    assert gate.loc["territories", "reason"] == "single"
    assert comparison.list_allowed(tables["gate"]) == set()


@pytest.mark.parametrize(
    ("n_actors", "share_unclassified", "thin"),
    [(24, 0.0, True), (25, 0.5, False), (25, 0.52, True), (0, math.nan, True)],
)
def test_thin_lists_are_named(n_actors: int, share_unclassified: float, thin: bool) -> None:
    result = _result({"ngo": 5}, [])
    values = {"share_unclassified": share_unclassified, "n_located": n_actors * 0.4}
    result["summary"] = _summary(n_actors=n_actors, **values)
    table = comparison.compare_territories(
        {"a": result},
        descriptor=_descriptor(),
        territories=pd.DataFrame({"territory_id": ["a"], "name": ["Aa"]}),
        codebook=SimpleNamespace(kinds=pd.DataFrame(index=KINDS)),  # type: ignore[arg-type]
    )["territories"].iloc[0]
    assert bool(table["thin"]) is thin
    shares = [1 - share_unclassified, 0.4 if n_actors else math.nan]
    assert table[["share_classified", "share_located"]].tolist() == pytest.approx(
        shares, nan_ok=True
    )


def test_regions_are_named_as_people_or_folders_name_them() -> None:
    regions = ["Île-de-France", "ile de france", None, "Centre", "الوسط"]
    table = pd.DataFrame({"territory_id": list("abcde"), "region": pd.Series(regions, dtype="str")})

    def choose(region: str) -> str:
        return "".join(comparison.select_region(table, region=region)["territory_id"])

    assert choose("") == "abcde"
    assert choose("Île-de-France") == choose("ile-de-france") == "ab"
    assert choose("nowhere") == ""
    arabic = comparison.name_page(region="الوسط")
    assert choose("الوسط") == choose(arabic.split("/")[1]) == "e"
    assert comparison.name_page() == "comparison"
    page = comparison.name_page(region="Centre-Val de Loire")
    assert page == "regions/centre-val-de-loire/comparison"


COUNTS = st.lists(st.integers(0, 40), min_size=1, max_size=8).filter(lambda c: sum(c) >= 2)


@settings(max_examples=60, deadline=None)
@given(counts=COUNTS, data=st.data())
def test_rarefaction_never_adds_diversity(counts: list[int], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, sum(counts) - 1))
    smaller, larger = comparison.rarefy(counts, size), comparison.rarefy(counts, size + 1)
    assert all(a <= b + 1e-9 for a, b in zip(smaller, larger, strict=True))
    assert smaller[0] >= smaller[1] - 1e-9 >= smaller[2] - 2e-9 >= 1 - 3e-9
    assert smaller == pytest.approx(comparison.rarefy(counts[::-1], size))
    # Order 2 has a closed form: the mean concentration is 1/m + (m-1)/m sum X(X-1)/(n(n-1)).
    n = sum(counts)
    twice = sum(x * (x - 1) for x in counts) / (n * (n - 1))
    assert smaller[2] == pytest.approx(1 / (1 / size + (size - 1) / size * twice))


@settings(max_examples=40, deadline=None)
@given(counts=COUNTS)
def test_intervals_hold_the_share_and_do_not_depend_on_the_order(counts: list[int]) -> None:
    mix = _mix(a={f"k{i}": n for i, n in enumerate(counts)})
    found = comparison.compare_mixes(mix)
    assert found["share"].sum() == pytest.approx(1)
    assert (found["low"] <= found["share"]).all()
    assert (found["share"] <= found["high"]).all()
    assert (found["low"] >= 0).all()
    assert (found["high"] <= 1).all()
    turned = comparison.compare_mixes(mix.iloc[::-1]).iloc[::-1].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, turned)
