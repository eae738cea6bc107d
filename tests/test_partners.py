"""Partners by hand arithmetic, groups by enumeration and a published set cover."""

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

from ecoanalysis import partners
from ecoanalysis.codebook import read_codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.partners import coalitions

SET_COVER = json.loads(
    (Path(__file__).parent / "oracles" / "set_cover.json").read_text(encoding="utf-8")
)
BOOK = read_codebook()
NO_RULES = pd.DataFrame(columns=["challenge_id", "actor_id", "rule", "other_id"])
NO_TIES = pd.DataFrame(columns=["source_id", "target_id"])
CHALLENGES = pd.DataFrame({"challenge_id": ["c"], "needs_technical": [1.0], "needs_data": [3.0]})


def make_answers(rows: dict[str, dict[str, float]]) -> partners.Answers:
    means = pd.DataFrame.from_dict(rows, orient="index").rename_axis("actor_id")
    return partners.Answers(means, np.empty((0, *means.shape)))


def make_actors(kinds: dict[str, str], **more: Any) -> pd.DataFrame:
    table = pd.DataFrame({"actor_id": list(kinds), "kind": list(kinds.values()), "roles": None})
    return table.assign(helix=table["kind"].map(BOOK.kinds["helix"]), **more)


# ------------------------------------------------------------------ profiles and lists

PROFILES = make_answers(
    {
        "firm": {
            "position:c": 0.75, "concern:c": 0.2, "resource_technical": 0.8, "resource_data": 0.4,
            "familiarity": 1.0, "appetite": 0.6, "lever_pilot": 0.9, "lever_visibility": 0.3,
            "interest_profit": 0.7, "interest_cause": 0.1,
        },
        "lab": {"concern:c": 0.9, "resource_data": 0.8},
        "club": {"position:c": 0.25, "resource_data": 1.0, "familiarity": 1.0, "lever_pilot": 1.0},
        "shop": {"position:c": 1.0, "resource_data": 1.0, "familiarity": 1.0, "lever_pilot": 1.0},
        "nobody": {},
    }
)  # fmt: skip
KINDS = {
    "firm": "digital_startup", "lab": "university", "club": "ngo", "shop": "digital_startup",
    "nobody": "citizens",
}  # fmt: skip
NEVER = pd.DataFrame(
    {"challenge_id": ["c"], "actor_id": ["shop"], "rule": ["never"], "other_id": [None]}
)


def suggest(**options: Any) -> pd.DataFrame:
    given = {"challenges": CHALLENGES, "constraints": NEVER, "kinds": BOOK.kinds}
    return partners.suggest_partners(PROFILES, actors=make_actors(KINDS), **(given | options))


def test_profiles_of_four_by_hand() -> None:
    found = suggest(minimum_coverage=0.25)
    gives = found[found["list"] == "contribute"].set_index("actor_id")
    # firm: position .75; match (1 x .8 + 3 x .4) / 4 = .5; readiness (1 + .6) / 2; pilot .9.
    # lab: concern .9 (no position); data alone is known, .8; nothing else was asked, so it is
    # covered by 1 part and 3/4 of another of four, and its mean is over these two.
    parts = gives[list(partners.PARTS)]
    assert parts.loc["firm"].tolist() == pytest.approx([0.75, 0.5, 0.8, 0.9])
    assert gives.loc["firm", "score"] == pytest.approx((0.75 + 0.5 + 0.8 + 0.9) / 4)
    assert parts.loc["lab"].tolist() == pytest.approx([0.9, 0.8, math.nan, math.nan], nan_ok=True)
    assert gives["coverage"].to_dict() == pytest.approx({"lab": 1.75 / 4, "firm": 1})
    assert gives["rank"].to_dict() == {"lab": 1, "firm": 2}
    assert gives["minimum_rank"].to_dict() == {"lab": 1, "firm": 2}
    assert gives.loc["firm", ["resource", "best_lever", "gain"]].tolist() == [
        "resource_technical", "lever_pilot", "interest_profit",
    ]  # fmt: skip
    assert gives["reasons"].to_dict() == {"lab": "concerned;brings", "firm": "brings;ready"}
    assert set(suggest()["actor_id"][suggest()["list"] == "contribute"]) == {"firm"}


def test_a_reason_is_given_only_where_it_holds() -> None:
    """Data are needed most, 3 x .4 > 1 x .8, but .4 is no strong offer; .65 hides a .3."""
    firm = PROFILES.means.loc[["firm"]].assign(appetite=0.3)
    found = partners.suggest_partners(
        partners.Answers(firm, np.empty((0, *firm.shape))), actors=make_actors({"firm": "telecom"}),
        challenges=CHALLENGES, constraints=NO_RULES, kinds=BOOK.kinds,
    )  # fmt: skip
    assert found.loc[0, "readiness"] == pytest.approx(0.65)
    assert found.loc[0, ["reasons", "resource"]].tolist() == ["brings", "resource_technical"]


def test_who_is_against_or_barred_is_never_suggested_but_heard() -> None:
    found = suggest(minimum_coverage=0)
    assert not {"club", "shop", "nobody"} & set(found["actor_id"][found["list"] == "contribute"])
    heard = found[found["list"] == "hear"]
    assert heard["actor_id"].tolist() == ["club", "lab", "nobody"]
    assert heard["reasons"].tolist() == ["against;speaks_for_users", "affected", "speaks_for_users"]
    assert heard["position"].tolist()[0] == -2
    assert heard[["score", "match", "readiness", "lever", "coverage"]].isna().all(axis=None)


def test_draws_give_intervals_and_the_share_in_the_first() -> None:
    means = PROFILES.means
    draws = np.clip(means.to_numpy() + np.linspace(-0.1, 0.1, 21)[:, None, None], 0, 1)
    found = partners.suggest_partners(
        partners.Answers(means, draws), actors=make_actors(KINDS), challenges=CHALLENGES,
        constraints=NEVER, kinds=BOOK.kinds, first=1, minimum_coverage=0.25,
    )  # fmt: skip
    gives = found[found["list"] == "contribute"].set_index("actor_id")
    assert gives.loc["lab", ["low", "high"]].tolist() == pytest.approx([0.76, 0.94])
    assert gives["p_first"].to_dict() == {"lab": 1, "firm": 0}


def test_answers_leave_out_what_raters_say_of_their_own() -> None:
    raters = pd.DataFrame({"rater_id": ["r1", "r2"], "actor_id": ["a", None]})
    columns = ["actor_id", "rater_id", "criterion", "challenge_id", "value"]
    ratings = pd.DataFrame(
        [("a", "r1", "concern", "c", 5.0), ("a", "r2", "concern", "c", 2.0),
         ("b", "r1", "concern", "c", 1.0), ("b", "r2", "concern", "c", 2.0)],
        columns=columns,
    )  # fmt: skip
    held = pd.DataFrame({"actor_id": ["a"], "rater_id": ["r1"], "challenge_id": "c", "value": 2.0})
    means = pd.DataFrame({"power": [2.0, math.nan]}, index=pd.Index(["a", "b"], name="actor_id"))
    answers = partners.gather_answers(
        means, np.array([[[1.0], [math.nan]], [[6.0], [math.nan]]]),
        ratings=ratings, raters=raters, positions=held, criteria=BOOK.criteria,
    )  # fmt: skip
    assert answers.means["concern:c"].tolist() == [0.4, 0.3]
    assert answers.means["position:c"].tolist() == pytest.approx([0.75, math.nan], nan_ok=True)
    points, drawn = answers.take(["power", "unknown", "concern:c"])
    assert points[0].tolist() == pytest.approx([0.4, math.nan, 0.4], nan_ok=True)
    assert drawn[:, 0, 0].tolist() == [0.2, 1]  # beyond the end of the scale counts as its end
    assert np.isfinite(drawn[:, :, 2]).all()


# ------------------------------------------------------------------ groups


def make_offers(rows: dict[str, list[float]]) -> pd.DataFrame:
    return pd.DataFrame.from_dict(rows, orient="index", columns=list("xyz"))


def find_groups(offers: pd.DataFrame, weights: dict[str, float], **options: Any) -> Any:
    """Suggest groups; the values of the one row are attributes beside the other tables."""
    found = partners.suggest_coalitions(offers, weights, **options)
    (row,) = found["coalitions"].to_dict("records")
    names = {name.removeprefix("coalition_"): table for name, table in found.items()}
    return SimpleNamespace(**{str(name): value for name, value in row.items()}, **names)


def list_groups(found: Any) -> list[set[str]]:
    return [set(group["actor_id"]) for _, group in found.groups.groupby("group")]


def test_the_published_cover_has_exactly_three_optima() -> None:
    universe = [str(k) for k in range(1, 11)]
    offers = pd.DataFrame(
        [[float(int(k) in held) for k in universe] for held in SET_COVER["sets"].values()],
        index=list(SET_COVER["sets"]), columns=universe,
    )  # fmt: skip
    found = find_groups(offers, dict.fromkeys(universe, 1))
    assert found.seats == SET_COVER["size"]
    assert found.coverage == pytest.approx(1)
    assert found.gain == pytest.approx(0)
    assert found.complete
    want = [{str(k) for k in group} for group in SET_COVER["optima"]]
    assert sorted(map(sorted, list_groups(found))) == sorted(map(sorted, want))


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.lists(st.sampled_from([0.0, 0.2, 0.6, 1.0]), min_size=3, max_size=3), min_size=3,
             max_size=7),
    st.integers(0, 6), st.integers(1, 3), st.booleans(),
)  # fmt: skip
def test_groups_are_those_that_enumeration_finds(
    rows: list[list[float]], other: int, seats: int, reduced: bool
) -> None:
    ids = [f"a{i}" for i in range(len(rows))]
    offers = make_offers(dict(zip(ids, rows, strict=True)))
    weights = {"x": 3, "y": 2, "z": 1}
    traits = pd.DataFrame({"users_voice": [i % 2 == 0 for i in range(len(ids))]}, index=ids)
    pair = (ids[0], ids[other % len(ids)])
    rules = pd.DataFrame(columns=["actor_id", "rule", "other_id"])
    if pair[0] != pair[1]:
        rules = pd.DataFrame([{"actor_id": pair[0], "rule": "not_with", "other_id": pair[1]}])
    best: dict[tuple[str, ...], float] = {}
    for size in range(1, seats + 1):
        for group in itertools.combinations(ids, size):
            if traits.loc[list(group), "users_voice"].any() and not (
                len(rules) and set(pair) <= set(group)
            ):
                cover = offers.loc[list(group)].max() * pd.Series(weights)
                best[group] = cover.sum() / 6
    top = max(best.values())
    smallest = min(len(g) for g, value in best.items() if value > top - 1e-9)
    want = [g for g, value in best.items() if value > top - 1e-9 and len(g) == smallest]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(coalitions, "SMALL", 0 if reduced else 60)
        found = find_groups(
            offers, weights, constraints=rules, traits=traits, minima={"users_voice": 1},
            seats=seats, limit=200, draws=offers.to_numpy()[None],
        )  # fmt: skip
    assert found.coverage == pytest.approx(top)
    assert found.seats == smallest
    held = [tuple(sorted(group)) for group in list_groups(found)]
    assert set(held) <= set(want)
    assert held if reduced else len(held) == len(want)  # of those who bring nothing, the preferred
    # One draw equal to the offers: its best group is one of these, or as good.
    inside = found.members.loc[found.members["inclusion"] == 1, "actor_id"]
    assert best[tuple(sorted(inside))] == pytest.approx(top)


OFFERS = make_offers(
    {"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 0.5], "d": [0.9, 0.9, math.nan], "e": [0, 0, 0.2]}
)
EVENLY = dict.fromkeys("xyz", 1)


def test_one_seat_more_is_worth_what_it_adds() -> None:
    # One: d, .6; two: d and c, (.9 + .9 + .5) / 3; three: a, b, c, 2.5 / 3; four: nothing more.
    values = [
        find_groups(OFFERS, EVENLY, seats=seats) for seats in (1, 2, 3)
    ]  # fmt: skip
    assert [found.coverage for found in values] == pytest.approx([0.6, 2.3 / 3, 2.5 / 3])
    assert [found.gain for found in values] == pytest.approx([0.5 / 3, 0.2 / 3, 0])
    assert list_groups(values[2]) == [{"a", "b", "c"}]
    # Left free, the group grows as long as a seat adds 5 points of 100.
    assert find_groups(OFFERS, EVENLY).seats == 3
    need = values[1].needs.set_index("need")
    assert need.loc["z", ["covered", "actor_id"]].tolist() == [0.5, "c"]
    assert need.loc["x", ["covered", "actor_id"]].tolist() == [0.9, "d"]


def test_costs_and_a_budget() -> None:
    costs = {"d": 3.0, "c": 0.5}
    found = find_groups(OFFERS, EVENLY, seats=3, costs=costs, budget=1.9)
    assert sorted(map(sorted, list_groups(found))) == [["a", "c"], ["b", "c"]]


def test_what_cannot_be_is_named() -> None:
    rules = pd.DataFrame(
        [("a", "must", None), ("b", "must", None), ("a", "not_with", "b")],
        columns=["actor_id", "rule", "other_id"],
    )
    found = find_groups(OFFERS, EVENLY, constraints=rules)
    assert found.groups.empty
    assert (found.seats, found.conflicts) == (0, "must:a;must:b;not_with:a:b")
    traits = pd.DataFrame({"innovator": [False] * 5}, index=OFFERS.index)
    found = find_groups(OFFERS, EVENLY, traits=traits, minima={"innovator": 1})
    assert found.conflicts == "minimum:innovator"
    apart = rules.iloc[2:]
    assert {"a", "b"} not in list_groups(
        find_groups(OFFERS, {"x": 1, "y": 1}, seats=2, constraints=apart)
    )


def test_constraints_on_unknown_actors_and_traits_are_refused_by_name() -> None:
    rules = pd.DataFrame([("a", "not_with", "ghost")], columns=["actor_id", "rule", "other_id"])
    with pytest.raises(UsageError, match="not listed: ghost"):
        find_groups(OFFERS, EVENLY, constraints=rules)
    with pytest.raises(UsageError, match="no trait 'knowledge'"):
        find_groups(OFFERS, EVENLY, minima={"knowledge": 1})


def test_nobody_to_choose_from_and_nothing_to_serve() -> None:
    nobody = find_groups(OFFERS.iloc[:0], EVENLY)
    assert (nobody.seats, nobody.groups.empty, nobody.conflicts) == (0, True, "")
    alone = find_groups(OFFERS.iloc[:1], EVENLY)
    assert list_groups(alone) == [{"a"}]
    assert alone.needs.set_index("need")["covered"].to_dict() == {"x": 1, "y": 0, "z": 0}
    unknown = find_groups(OFFERS.loc[["d"]], {"z": 1})
    assert math.isnan(unknown.needs.loc[0, "covered"])


def test_ten_thousand_actors_are_no_more_than_a_few() -> None:
    rng = np.random.default_rng(3)
    ids = [f"a{i}" for i in range(10_000)]
    offers = pd.DataFrame(rng.random((10_000, 5)).round(3), index=ids, columns=list("vwxyz"))
    traits = pd.DataFrame({"users_voice": rng.random(10_000) < 0.3}, index=ids)
    found = find_groups(
        offers, dict.fromkeys("vwxyz", 1), traits=traits, minima={"users_voice": 1}, seats=3,
        prefer=pd.Series(rng.random(10_000), index=ids), draws=offers.to_numpy()[None],
    )  # fmt: skip
    assert found.seats == 3
    assert found.coverage > 0.98  # of 10,000 uniform offers, three can nearly have all five


def test_of_long_lists_the_best_of_each_need_are_enough() -> None:
    rng = np.random.default_rng(5)
    ids = [f"a{i}" for i in range(150)]
    columns = [f"resource_{name}" for name in partners.RESOURCES]
    means = pd.DataFrame(
        rng.random((150, 5)), index=pd.Index(ids, name="actor_id"), columns=columns
    )
    answers = partners.Answers(means, np.empty((0, 150, 5)))
    actors = make_actors(dict(zip(ids, rng.choice(["ngo", "digital_startup"], 150), strict=True)))
    suggested = pd.DataFrame(
        {"challenge_id": "c", "list": "contribute", "actor_id": ids, "score": rng.random(150)}
    ).assign(reasons="")
    found = partners.suggest_groups(
        answers, suggested, actors=actors, challenges=CHALLENGES, constraints=NO_RULES,
        kinds=BOOK.kinds,
    )  # fmt: skip
    row = found["coalitions"].iloc[0]
    whole = find_groups(
        means, {"resource_technical": 1, "resource_data": 3}, seats=int(row["seats"]),
        traits=pd.get_dummies(actors.set_index("actor_id")["kind"]),
        minima={"ngo": 1, "digital_startup": 1},
    )  # fmt: skip
    assert row["coverage"] == pytest.approx(whole.coverage)


def group(
    rows: dict[str, dict[str, float]], *rules: tuple[str, str, str | None], n: int = 1
) -> dict[str, pd.DataFrame]:
    """Suggest groups of a start-up without data and these NGOs, for n challenges that need data.

    All are for every challenge (+2, 3/4 of the scale) unless another position is given.
    """
    names = [f"c{k}" for k in range(1, n + 1)]
    held = {f"position:{name}": 0.75 for name in names}
    answers = make_answers({who: held | said for who, said in (FIRM | rows).items()})
    given: dict[str, Any] = {
        "actors": make_actors({"firm": "digital_startup"} | dict.fromkeys(rows, "ngo")),
        "challenges": pd.DataFrame({"challenge_id": names, "needs_data": 5.0}),
        "constraints": pd.DataFrame([("c1", *rule) for rule in rules], columns=list(NO_RULES)),
        "kinds": BOOK.kinds,
    }
    return partners.suggest_groups(answers, partners.suggest_partners(answers, **given), **given)


FIRM = {"firm": {"resource_data": 0.0}}
B = {"resource_data": 0.4}  # 2 of 5
AGAINST = {"position:c1": 1 / 8}  # -3


@pytest.mark.parametrize(
    ("a", "b", "rules", "want"),
    [
        ({"resource_data": 1.0} | AGAINST, B, [], ["b", 1.0, "a", "against"]),
        ({"resource_data": 1.0}, B, [("a", "never", None)], ["b", 1.0, "a", "never"]),
        # Without a position one part of four is known of a: too little to suggest it.
        ({"resource_data": 1.0, "position:c1": math.nan}, B, [], ["b", 1.0, "a", "unknown"]),
        ({"resource_data": 1.0} | AGAINST, {"resource_data": 0.8}, [], ["b", 0.8, "b", ""]),
        # Both have 2 of 5: who can take part is the nearest.
        (B | AGAINST, B, [], ["b", 0.4, "b", ""]),
        (B, {"resource_data": 1.0} | AGAINST, [("b", "must", None)], ["b", 1.0, "b", ""]),
    ],
)  # fmt: skip
def test_who_has_it_and_cannot_take_part_is_named_with_the_reason(
    a: dict[str, float], b: dict[str, float], rules: list[Any], want: list[Any]
) -> None:
    needs = group({"a": a, "b": b}, *rules)["needs"]
    assert needs[["actor_id", "most", "nearest", "hindrance"]].to_numpy().tolist() == [want]


def test_who_is_against_one_challenge_is_not_in_the_local_group_and_named_there() -> None:
    found = group({"a": {"resource_data": 1.0} | AGAINST, "b": B}, n=2)
    needs = found["needs"].set_index("challenge_id")[["actor_id", "most", "nearest", "hindrance"]]
    assert needs.loc["c2"].tolist() == ["a", 1, "a", ""]
    assert needs.loc["c1"].tolist() == needs.loc[""].tolist() == ["b", 1, "a", "against"]


def test_nobody_left_to_choose_from_is_no_conflict_of_conditions() -> None:
    found = group({"a": {"resource_data": 1.0} | AGAINST}, ("firm", "never", None))
    assert found["coalitions"][["seats", "conflicts"]].to_numpy().tolist() == [[0, ""]]
    assert found["needs"][["most", "nearest", "hindrance"]].to_numpy().tolist() == [
        [1, "a", "against"]
    ]


def test_an_actor_that_must_and_must_not_is_a_conflict() -> None:
    found = group({"a": B, "b": B}, ("a", "must", None), ("a", "never", None))
    assert found["coalitions"]["conflicts"].tolist() == ["must:a;never:a"]


# ------------------------------------------------------------------ introductions

TIES = pd.DataFrame(
    [("a", "hub"), ("b", "hub"), ("c", "hub"), ("a", "q"), ("c", "q")],
    columns=["source_id", "target_id"],
)
PEOPLE = make_actors(
    {"a": "digital_startup", "b": "local_authority", "c": "digital_startup", "hub": "university",
     "q": "digital_startup", "far": "ngo"}
)  # fmt: skip
SOUGHT = make_answers(
    {"a": {"resource_technical": 0.9, "seeks_data": 0.8}, "b": {"resource_data": 0.8},
     "c": {"seeks_technical": 1.0}, "hub": {}, "q": {}, "far": {"seeks_data": 1.0}}
)  # fmt: skip


def introduce(known: pd.DataFrame = TIES, answers: partners.Answers = SOUGHT) -> pd.DataFrame:
    return partners.suggest_introductions(
        TIES, actors=PEOPLE, known=known, answers=answers, challenges=CHALLENGES[:0]
    )


def test_introductions_have_a_reason_and_a_common_contact() -> None:
    rows = introduce().set_index(["actor_id", "other_id"])
    # b (public) has the data that a (private) and far (civil) seek; a and c are both private.
    bridging = rows[rows["list"] == "bridging"]
    assert list(bridging.index) == [("a", "b"), ("b", "far")]
    assert bridging["takes"].tolist() == ["data", ""]
    assert bridging["gives"].tolist() == ["", "data"]
    assert bridging["contact_id"].tolist() == ["hub", ""]
    natural = rows[rows["list"] == "natural"]
    assert list(natural.index) == [("a", "c"), ("hub", "q"), ("b", "c")]
    # a and c share hub (3 ties) and q (2 ties); hub and q share a and c, 2 ties each.
    both = 1 / math.log(3) + 1 / math.log(2)
    assert natural["adamic_adar"].tolist() == pytest.approx(
        [both, 2 / math.log(2), 1 / math.log(3)]
    )
    assert natural["gives"].tolist() == ["technical", "", ""]
    assert natural["contact_id"].tolist() == ["q", "a", "hub"]
    assert natural["n_common"].tolist() == [2, 2, 1]


def test_a_planned_tie_needs_no_introduction() -> None:
    planned = pd.DataFrame({"source_id": ["b", "c"], "target_id": ["a", "elsewhere"]})
    found = introduce(known=pd.concat([TIES, planned]))
    assert ("a", "b") not in set(zip(found["actor_id"], found["other_id"], strict=True))


def test_two_who_have_only_together_what_a_challenge_needs() -> None:
    answers = make_answers(
        {"a": {"resource_technical": 1.0, "position:c": 0.9}, "b": {"resource_data": 1.0},
         "c": {"resource_technical": 1.0, "position:c": 0.2}, "hub": {}, "q": {}, "far": {}}
    )  # fmt: skip
    found = partners.suggest_introductions(
        TIES, actors=PEOPLE, known=TIES, answers=answers, challenges=CHALLENGES
    )
    assert found.loc[found["together"] == "c", ["actor_id", "other_id"]].to_numpy().tolist() == [
        ["a", "b"]
    ]  # c is against


def test_no_tie_two_actors_and_nobody() -> None:
    nothing = make_answers({actor: {} for actor in PEOPLE["actor_id"]})
    for actors, ties in ((PEOPLE, NO_TIES), (PEOPLE[:2], NO_TIES), (PEOPLE[:0], NO_TIES)):
        held = partners.Answers(nothing.means.loc[actors["actor_id"]], nothing.draws)
        found = partners.suggest_introductions(
            ties, actors=actors, known=ties, answers=held, challenges=CHALLENGES
        )
        assert found.empty


def test_what_lacks_and_who_elsewhere_could_fill_it() -> None:
    elsewhere = pd.DataFrame(
        {"actor_id": ["bank", "lab"], "kind": ["traditional_private", "university"],
         "helix": ["private", "knowledge"], "resource_data": [0.9, math.nan]}
    )  # fmt: skip
    found = partners.find_shortfalls(
        pd.DataFrame({"kind": ["university", "citizens"], "helix": ["knowledge", "civil"]}),
        helices=pd.DataFrame({"helix": ["knowledge", "private"], "n": [0, 3]}),
        needs=pd.DataFrame(
            {"challenge_id": "c",
             "need": [f"resource_{name}" for name in ("data", "human", "ideas", "technical")],
             "most": [0.4, 0.7, math.nan, 1.0], "nearest": ["a", "b", "", "d"],
             "hindrance": ["", "", "", "against"]}
        ),
        mixing=pd.DataFrame(
            {"source_group": ["civil", "civil"], "target_group": ["civil", "private"], "n_ties": 0}
        ),
        elsewhere=elsewhere,
    )  # fmt: skip
    assert found[["what", "subject", "fillers"]].to_numpy().tolist() == [
        ["kind", "university", "lab"],
        ["kind", "citizens", ""],
        ["helix", "knowledge", "lab"],
        ["resource", "resource_data", "bank"],
        ["resource", "resource_ideas", ""],
        ["resource", "resource_technical", ""],
        ["tie", "civil;private", ""],
    ]
    assert found.loc[3, ["challenge_id", "most", "nearest"]].tolist() == ["c", 0.4, "a"]
    assert found["hindrance"].tolist() == [*[""] * 5, "against", ""]
