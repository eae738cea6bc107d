"""Scores against COINr and by hand; missing answers, weights and edges."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis import scoring
from ecoanalysis.errors import UsageError

ORACLES = Path(__file__).parent / "oracles"
CRITERIA = pd.DataFrame(
    {
        "dimension": ["readiness", "readiness", "interest", "interest", "interest", "desk"],
        "scale_min": 0.0,
        "scale_max": 5.0,
        "direction": [1, 1, 1, 1, -1, 1],
        "weight": [1.0, 1.0, 1.0, 2.0, 1.0, 0.0],
        "per_challenge": ["no", "no", "no", "no", "yes", "no"],
    },
    index=pd.Index(["familiarity", "appetite", "profit", "cause", "cost", "desk_website"]),
)
ACTORS = pd.DataFrame({"actor_id": ["a", "b", "c"]})
RATERS = pd.DataFrame({"rater_id": ["r1", "r2", "r3"], "actor_id": ["a", None, None]})
RATING_COLUMNS = ["actor_id", "rater_id", "criterion", "value", "dont_know", "challenge_id"]


def _ratings(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=RATING_COLUMNS)


def _averages(cells: dict[tuple[str, str], float]) -> pd.DataFrame:
    rows = [(actor, criterion, mean, 2) for (actor, criterion), mean in cells.items()]
    return pd.DataFrame(rows, columns=["actor_id", "criterion", "mean", "n_raters"])


def _row(scores: pd.DataFrame, actor_id: str, dimension: str) -> pd.Series:
    found = scores[(scores["actor_id"] == actor_id) & (scores["dimension"] == dimension)]
    return found.set_index(["actor_id", "dimension"]).iloc[0]


def test_normalise_is_that_of_coinr() -> None:
    oracle = json.loads((ORACLES / "composite_unit.json").read_text("utf-8"))
    values = pd.DataFrame({"x": oracle["x"]}, dtype=float)
    scales = pd.DataFrame({"scale_min": 0, "scale_max": 10, "direction": 1}, index=["x"])
    found = scoring.normalise(values, scales=scales)["x"].to_numpy()
    expected = np.array(oracle["n_goalposts"], dtype=float)
    assert found == pytest.approx(expected, rel=1e-9, nan_ok=True)
    scales["direction"] = -1
    turned = scoring.normalise(values, scales=scales)["x"].to_numpy()
    assert turned == pytest.approx(100 - expected, rel=1e-9, nan_ok=True)


def test_aggregate_is_that_of_coinr() -> None:
    # One vector with a missing value as the criteria of one actor: a_amean gives 2.5.
    oracle = json.loads((ORACLES / "composite_unit.json").read_text("utf-8"))
    values = pd.DataFrame([oracle["x"]], dtype=float)
    found = scoring.aggregate(values, weights=pd.Series(oracle["w"], dtype=float))
    assert found.to_list() == pytest.approx([oracle["a_amean"]], rel=1e-9)


def test_a_composite_of_three_levels_is_that_of_coinr() -> None:
    # COINr 1.1.14 on its ASEM example (MIT): the environment pillar, criteria of both directions,
    # scaled on the observed ends, then added up to sub-index and index with equal weights.
    # norm_CO2 is on [1, 100].
    table = pd.read_csv(ORACLES / "composite_asem.csv", index_col="unit")
    raw = table[["Renew", "PrimEner", "CO2", "MatCon", "Forest"]]
    scales = pd.DataFrame(
        {"scale_min": raw.min(), "scale_max": raw.max(), "direction": [1, -1, -1, -1, -1]}
    )
    scaled = scoring.normalise(raw, scales=scales)
    from_one = 1 + 0.99 * scaled["CO2"].to_numpy()
    assert from_one == pytest.approx(table["norm_CO2"].to_numpy(), rel=1e-9)
    equal = pd.Series(1.0, index=table.columns)
    pillar = scoring.aggregate(scaled, weights=equal)
    assert pillar.to_numpy() == pytest.approx(table["Environ"].to_numpy(), rel=1e-9)
    for name, parts in {
        "Sust": ["Environ", "Social", "SusEcFin"],
        "Index": ["Conn", "Sust"],
    }.items():
        found = scoring.aggregate(table[parts], weights=equal)
        assert found.to_numpy() == pytest.approx(table[name].to_numpy(), rel=1e-9)


def test_a_constant_column_keeps_its_place_on_the_declared_scale() -> None:
    values = pd.DataFrame({"familiarity": [3.0, 3.0]})
    assert scoring.normalise(values, scales=CRITERIA)["familiarity"].to_list() == [60, 60]


def test_unknown_methods_name_those_that_exist() -> None:
    values = pd.DataFrame({"familiarity": [3.0]})
    with pytest.raises(UsageError, match="unknown method 'zscore'; there are: goalposts"):
        scoring.normalise(values, scales=CRITERIA, method="zscore")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="unknown method 'median'; there are: arithmetic"):
        scoring.aggregate(values, weights=CRITERIA["weight"], method="median")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale_max": 0.0}, "without a usable scale or direction: familiarity, appetite"),
        ({"direction": 0}, "without a usable scale or direction: familiarity, appetite"),
        ({"scale_max": np.nan}, "without a usable scale or direction: familiarity, appetite"),
        ({"scale_max": 4.0}, "values outside the scale of: appetite"),
    ],
)
def test_scales_that_cannot_serve_are_refused(change: dict[str, float], message: str) -> None:
    values = pd.DataFrame({"familiarity": [1.0, np.nan], "appetite": [5.0, 2.0]})
    with pytest.raises(UsageError, match=message):
        scoring.normalise(values, scales=CRITERIA.assign(**change))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"x": 1.0, "y": -1.0}, "criteria of negative weight: y"),
        ({"x": 0.0, "y": 0.0}, "weights sum to 0: x, y"),
        ({"x": 1.0}, "criteria without a weight: y"),
        ({"x": 1.0, "y": np.inf}, "criteria without a weight: y"),
    ],
)
def test_weights_that_cannot_serve_are_refused(weights: dict[str, float], message: str) -> None:
    values = pd.DataFrame({"x": [1.0], "y": [2.0]})
    with pytest.raises(UsageError, match=message):
        scoring.aggregate(values, weights=pd.Series(weights))


def test_missing_is_missing_and_never_zero() -> None:
    values = pd.DataFrame({"x": [50.0, np.nan, np.nan], "y": [np.nan, np.nan, 70.0]})
    found = scoring.aggregate(values, weights=pd.Series({"x": 1.0, "y": 0.0}))
    # The third is known on a criterion without weight only, so nothing is known that counts.
    assert found.to_numpy() == pytest.approx([50, np.nan, np.nan], nan_ok=True)


def test_ratings_are_averaged_over_the_other_raters() -> None:
    ratings = _ratings(
        ("a", "r1", "appetite", 5.0, False, None),  # r1 belongs to a: kept apart
        ("a", "r2", "appetite", 2.0, False, None),
        ("a", "r3", "appetite", 3.0, False, None),
        ("b", "r1", "appetite", 4.0, False, None),
        ("b", "r2", "appetite", np.nan, True, None),
        ("b", "r3", "appetite", np.nan, False, None),  # left blank: neither value nor answer
        ("c", "r2", "appetite", np.nan, True, None),
        ("a", "r1", "profit", 1.0, False, None),
    )
    found = scoring.average_ratings(ratings, raters=RATERS, criteria=CRITERIA)
    expected = pd.DataFrame(
        [
            ("a", "appetite", 2.5, 2, 0, 1, 2.0, 3.0),
            ("b", "appetite", 4.0, 1, 1, 0, 4.0, 4.0),
            ("c", "appetite", np.nan, 0, 1, 0, np.nan, np.nan),
            ("a", "profit", np.nan, 0, 0, 1, np.nan, np.nan),
        ],
        columns=[
            "actor_id",
            "criterion",
            "mean",
            "n_raters",
            "n_dont_know",
            "n_self",
            "low",
            "high",
        ],
    )
    pd.testing.assert_frame_equal(found, expected)


def test_answers_on_one_challenge_do_not_enter_the_general_average() -> None:
    ratings = _ratings(
        ("a", "r2", "cost", 1.0, False, "water"),
        ("a", "r2", "cost", 4.0, False, None),
        ("b", "r2", "cost", 3.0, False, "water"),
        ("b", "r2", "profit", 1.0, False, "water"),  # asked once per actor all the same:
        ("b", "r2", "profit", 2.0, False, "waste"),  # one rater, one voice, 1.5
        ("b", "r3", "profit", 3.5, False, None),
    )
    found = scoring.average_ratings(ratings, raters=RATERS, criteria=CRITERIA)
    assert found[["actor_id", "criterion", "mean", "n_raters"]].to_numpy().tolist() == [
        ["a", "cost", 4.0, 1],
        ["b", "profit", 2.5, 2],
    ]


def test_a_rating_of_an_undeclared_criterion_is_refused() -> None:
    with pytest.raises(UsageError, match="not declared: charm"):
        scoring.average_ratings(
            _ratings(("a", "r2", "charm", 1.0, False, None)), raters=RATERS, criteria=CRITERIA
        )


def test_no_ratings_give_empty_tables_of_the_same_columns() -> None:
    averages = scoring.average_ratings(_ratings(), raters=RATERS.iloc[:0], criteria=CRITERIA)
    assert averages.empty
    scores = scoring.score_actors(averages, criteria=CRITERIA, actors=ACTORS)
    assert scores.empty
    assert list(scores.columns) == list(scoring.SCORE_COLUMNS)


def test_scores_stand_beside_coverage_and_range() -> None:
    averages = _averages(
        {("a", "familiarity"): 4, ("a", "appetite"): 3, ("b", "familiarity"): 1, ("b", "profit"): 5}
    )
    scores = scoring.score_actors(averages, criteria=CRITERIA, actors=ACTORS)
    assert scores["dimension"].unique().tolist() == ["readiness", "interest"]
    assert len(scores) == 6
    # a: 80 and 60 -> 70. b: 20 on half of the weights; were the other 0 -> 10, 100 -> 60.
    values = ["score", "coverage", "range_low", "range_high", "n_raters"]
    assert _row(scores, "a", "readiness")[values].tolist() == [70, 1, 70, 70, 2]
    assert _row(scores, "b", "readiness")[values].tolist() == [20, 0.5, 10, 60, 2]
    # b's profit alone is a quarter of the weights 1 + 2 + 1: no score; 25 to 100.
    interest = _row(scores, "b", "interest")
    assert np.isnan(interest["score"])
    assert interest[values[1:]].tolist() == [0.25, 25, 100, 2]
    nobody = _row(scores, "c", "readiness")
    assert np.isnan(nobody["score"])
    assert nobody[values[1:]].tolist() == [0, 0, 100, 0]


def test_the_least_coverage_can_be_set() -> None:
    averages = _averages({("b", "profit"): 5, ("a", "familiarity"): 4})

    def score(least: float) -> pd.DataFrame:
        return scoring.score_actors(
            averages, criteria=CRITERIA, actors=ACTORS, minimum_coverage=least
        )

    assert _row(score(0.25), "b", "interest")["score"] == 100
    assert np.isnan(_row(score(0.51), "a", "readiness")["score"])
    assert score(0)["score"].notna().sum() == 2  # nothing known stays nothing
    with pytest.raises(UsageError, match="between 0 and 1, not 50"):
        score(50)


def test_desk_evidence_is_not_scored() -> None:
    averages = _averages({("a", "desk_website"): 1, ("a", "appetite"): 5})
    scores = scoring.score_actors(averages, criteria=CRITERIA, actors=ACTORS)
    assert scores["dimension"].unique().tolist() == ["readiness"]


def test_scores_of_weightless_dimensions_and_strangers_are_refused() -> None:
    averages = _averages({("a", "appetite"): 5})
    weightless = CRITERIA.assign(weight=0.0)
    with pytest.raises(UsageError, match="weights sum to 0: familiarity, appetite"):
        scoring.score_actors(averages, criteria=weightless, actors=ACTORS)
    with pytest.raises(UsageError, match="not listed: a"):
        scoring.score_actors(averages, criteria=CRITERIA, actors=ACTORS.iloc[1:])


def test_shared_raters_link_territories_by_chains() -> None:
    # r1 rated in x and y, r2 in y and z; w has its own rater. So x, y, z hang together.
    ratings = pd.DataFrame(
        [("x", "r1"), ("y", "r1"), ("y", "r2"), ("y", "r2"), ("z", "r2"), ("w", "r9"), ("z", "r8")],
        columns=["territory_id", "rater_id"],
    )
    found = scoring.measure_shared_raters(ratings)
    assert found.to_numpy().tolist() == [["x", 1, 3], ["y", 2, 3], ["z", 1, 3], ["w", 0, 1]]
    assert scoring.measure_shared_raters(ratings.iloc[:0]).empty


VALUES = st.floats(0, 5)
CELLS = st.lists(st.tuples(*[st.one_of(st.none(), VALUES)] * 3), min_size=1, max_size=6).map(
    lambda rows: pd.DataFrame(rows, columns=["x", "y", "z"], dtype=float)
)
WEIGHTS = st.tuples(*[st.floats(0.01, 100)] * 3).map(lambda w: pd.Series(w, index=["x", "y", "z"]))
SCALES = pd.DataFrame({"scale_min": 0, "scale_max": 5, "direction": [1, -1, 1]}, index=list("xyz"))


def _score(values: pd.DataFrame, weights: pd.Series) -> pd.Series:
    return scoring.aggregate(scoring.normalise(values, scales=SCALES), weights=weights)


@settings(max_examples=50, deadline=None)
@given(values=CELLS, weights=WEIGHTS, factor=st.floats(0.01, 100))
def test_scores_stay_on_the_scale_and_weights_are_ratios(
    values: pd.DataFrame, weights: pd.Series, factor: float
) -> None:
    score = _score(values, weights)
    assert score.dropna().between(-1e-9, 100 + 1e-9).all()
    assert score.isna().equals(values.isna().all(axis=1))
    scaled = _score(values, weights * factor)
    assert scaled.to_numpy() == pytest.approx(score.to_numpy(), nan_ok=True)
    turned = _score(values.iloc[::-1, ::-1], weights)
    assert turned.iloc[::-1].to_numpy() == pytest.approx(score.to_numpy(), nan_ok=True)


@settings(max_examples=50, deadline=None)
@given(values=CELLS, weights=WEIGHTS, criterion=st.sampled_from("xyz"), step=st.floats(0, 5))
def test_scores_rise_with_every_criterion(
    values: pd.DataFrame, weights: pd.Series, criterion: str, step: float
) -> None:
    better = values.copy()
    direction = SCALES.loc[criterion, "direction"]
    better[criterion] = (values[criterion] + direction * step).clip(0, 5)
    before, after = _score(values, weights), _score(better, weights)
    assert ((after >= before - 1e-9) | before.isna()).all()


@settings(max_examples=50, deadline=None)
@given(values=CELLS, weights=WEIGHTS, filled=VALUES)
def test_the_range_holds_every_completion(
    values: pd.DataFrame, weights: pd.Series, filled: float
) -> None:
    criteria = SCALES.assign(dimension="d", weight=weights)
    cells = values.set_axis([f"a{i}" for i in range(len(values))]).rename_axis("actor_id")
    averages = cells.reset_index().melt("actor_id", var_name="criterion", value_name="mean")
    actors = pd.DataFrame({"actor_id": cells.index})
    scores = scoring.score_actors(averages.assign(n_raters=1), criteria=criteria, actors=actors)
    whole = _score(values.fillna(filled), weights).to_numpy()
    assert (scores["range_low"] <= whole + 1e-9).all()
    assert (scores["range_high"] >= whole - 1e-9).all()
    assert (scores["range_low"] <= scores["range_high"] + 1e-9).all()
    assert (scores["score"].isna() == (scores["coverage"] < 0.5 - 1e-9)).all()


def test_the_kernels_take_draws() -> None:
    # Two draws of two actors and two criteria in one call: (draws, actors, criteria).
    draws = np.array([[[0.0, 5.0], [5.0, np.nan]], [[2.5, 2.5], [np.nan, np.nan]]])
    ends = {"low": np.zeros(2), "high": np.full(2, 5.0), "direction": np.array([1.0, -1.0])}
    scaled = scoring._rescale(draws, **ends)
    found = scoring._weigh(scaled, weight=np.array([1.0, 3.0]))
    assert found == pytest.approx(np.array([[0, 100], [50, np.nan]]), nan_ok=True)
