"""Scores against COINr and by hand; missing answers, weights and edges."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis import scoring
from ecoanalysis.errors import UsageError
from ecoanalysis.scoring import scales
from ecoanalysis.scoring.scales import AggregateMethod, NormaliseMethod

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
    with pytest.raises(UsageError, match="'tscore' is not known; did you mean 'zscore'"):
        scoring.normalise(values, scales=CRITERIA, method="tscore")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="'median' is not known; Allowed: arithmetic, geo"):
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
    # r1 rated in x and y, r2 in y and z; w has its own rater. So x, y, z hang together; that r9
    # was asked in z as well and did not know joins nothing.
    ratings = pd.DataFrame(
        [("x", "r1"), ("y", "r1"), ("y", "r2"), ("y", "r2"), ("z", "r2"), ("w", "r9"), ("z", "r8")],
        columns=["territory_id", "rater_id"],
    ).assign(value=3.0)
    unsure = pd.DataFrame({"territory_id": ["z"], "rater_id": ["r9"], "value": [np.nan]})
    ratings = pd.concat([ratings, unsure], ignore_index=True)
    found = scoring.measure_shared_raters(ratings)
    assert found.to_numpy().tolist() == [["x", 3], ["y", 3], ["z", 3], ["w", 1]]
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
    ends = (np.zeros(2), np.full(2, 5.0), np.array([1.0, -1.0]))
    scaled = scales.scale_array(draws, method="goalposts", scales=ends)
    found = scales.add_array(scaled, weight=np.array([1.0, 3.0]), method="arithmetic")
    assert found == pytest.approx(np.array([[0, 100], [50, np.nan]]), nan_ok=True)


SCORING_ORACLES = json.loads((ORACLES / "scoring.json").read_text("utf-8"))
UNIT = json.loads((ORACLES / "composite_unit.json").read_text("utf-8"))


def _scaled(values: pd.DataFrame, method: str, **known: object) -> pd.DataFrame:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return scoring.normalise(values, method=method, **known)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("method", "function"),
    [
        ("minmax", "n_minmax"),
        ("zscore", "n_zscore"),
        ("rank", "n_rank"),
        ("percentile", "n_prank"),
        ("borda", "n_borda"),
        ("best_distance", "n_dist2max"),
        ("best_fraction", "n_fracmax"),
    ],
)
def test_every_normalisation_is_that_of_coinr(method: str, function: str) -> None:
    values = pd.DataFrame({"x": UNIT["x"]}, dtype=float)
    expected = np.array(UNIT[function], dtype=float)
    assert _scaled(values, method)["x"].to_numpy() == pytest.approx(
        expected, rel=1e-9, abs=1e-12, nan_ok=True
    )
    # The same on the negated vector where less is better (but shares have no negative values).
    if method != "best_fraction":
        less = pd.DataFrame({"direction": -1}, index=["x"])
        turned = _scaled(-values, method, scales=less)["x"].to_numpy()
        assert turned == pytest.approx(expected, rel=1e-9, abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(
    ("method", "function"),
    [("geometric", "a_gmean"), ("harmonic", "a_hmean"), ("power", "a_genmean_2_noNA")],
)
def test_every_mean_is_that_of_coinr(method: str, function: str) -> None:
    values = pd.DataFrame([UNIT["x"]], dtype=float)
    weights = pd.Series(UNIT["w"], dtype=float)
    found = scoring.aggregate(values, weights=weights, method=method)  # type: ignore[arg-type]
    assert found.to_list() == pytest.approx([UNIT[function]], rel=1e-9)


def _read_asem() -> tuple[pd.DataFrame, pd.DataFrame]:
    criteria = pd.read_csv(ORACLES / "asem_criteria.csv", index_col="code")
    values = pd.read_csv(ORACLES / "asem_values.csv", index_col="uCode")
    return criteria.assign(dimension="Index", scale_min=np.nan, scale_max=np.nan), values


def test_a_whole_hierarchy_is_that_of_coinr() -> None:
    # COINr 1.1.14 on ASEM (MIT): 49 indicators of 51 units, eight pillars, two sub-indices, index;
    # min-max, arithmetic means, equal weights. The index is the dimension here.
    criteria, values = _read_asem()
    expected = pd.read_csv(ORACLES / "asem_results.csv", index_col="uCode").loc[values.index]
    for dimension in ("Index", "Conn", "Sust"):
        below = criteria.drop(index="Index")
        while dimension != "Index" and not below.equals(kept := _keep_below(below, dimension)):
            below = kept
        tree = scoring.read_hierarchy(below.assign(dimension=dimension), dimension=dimension)
        grid = scoring.compare_choices(
            values[tree.codes], tree=tree, normalisations=["minmax"], aggregations=["arithmetic"]
        )
        assert grid["score"].to_numpy() == pytest.approx(expected[dimension].to_numpy(), rel=1e-9)
        if dimension == "Index":
            assert len(tree.groups) == 11
            assert grid["rank"].to_list() == expected["Rank"].to_list()


def _keep_below(criteria: pd.DataFrame, top: str) -> pd.DataFrame:
    return criteria[criteria["parent"].isin([top, *criteria.index])].drop(
        index=top, errors="ignore"
    )


def test_ranks_of_many_criteria_are_those_of_coinr() -> None:
    # TolMin is left out: values that differ in the 16th digit are printed alike in its file.
    criteria, values = _read_asem()
    ranks = pd.read_csv(ORACLES / "asem_ranks.csv", index_col="uCode").drop(columns="TolMin")
    found = scoring.normalise(values[ranks.columns], scales=criteria, method="rank")
    pd.testing.assert_frame_equal(found, ranks.astype(float))


@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric", "harmonic"])
def test_a_composite_of_two_pillars_is_that_of_coinr(aggregation: str) -> None:
    # COINr scales on [1, 100] throughout; our arithmetic mean is on 0-100: 1 + 0.99 of it. The
    # file does not say that x2 has weight 2; by hand (1 · 34 + 2 · 100) / 3 and 50.5: 64.25.
    toy = SCORING_ORACLES["composite_toy"]
    values = pd.DataFrame({x: toy[x] for x in ("x1", "x2", "x3")}, dtype=float)
    criteria = pd.DataFrame(
        {
            "parent": ["P1", "P1", "P2", "", ""],
            "direction": [1, 1, -1, 1, 1],
            "weight": [1.0, 2.0, 1.0, 1.0, 1.0],
        },
        index=["x1", "x2", "x3", "P1", "P2"],
    )
    tree = scoring.read_hierarchy(criteria.assign(dimension="toy"), dimension="toy")
    grid = scoring.compare_choices(
        values,
        tree=tree,
        normalisations=["minmax"],
        aggregations=[aggregation],  # type: ignore[list-item]
    )
    found = 1 + 0.99 * grid["score"] if aggregation == "arithmetic" else grid["score"]
    assert found.to_list() == pytest.approx(toy[aggregation], abs=5e-6)  # given with 5 digits


@pytest.mark.parametrize("name", SCORING_ORACLES["mcda"])
def test_weighted_sums_and_products_are_those_of_mcda_tools(name: str) -> None:
    # scikit-criteria 0.10 and pymcdm 1.4.0: sum of min-max values, sum and product of values
    # divided by their sum (1 / value where less is better); weights are divided by their sum.
    problem = SCORING_ORACLES["mcda"][name]
    matrix, turn = pd.DataFrame(problem["matrix"]), np.array(problem["objectives"])
    weights = pd.Series(problem["weights"])
    known = pd.DataFrame({"direction": turn}, index=matrix.columns)
    scaled = _scaled(matrix, "minmax", scales=known)
    found = scoring.aggregate(scaled, weights=weights) / 100
    expected = np.array(problem["wsm_minmax"], dtype=float)
    if np.isnan(expected).all() and len(matrix) > 1:
        # One criterion is constant: we leave it out, scikit-criteria counts it as 0 for everybody,
        # pymcdm as 1. The order is the same; so are the others' values, times their weights' sum.
        constant = matrix.max() == matrix.min()
        assert scaled.loc[:, constant].isna().all(axis=None)
        others = weights[~constant].sum() / weights.sum()
        lifted = found * others + (1 - others)
        assert lifted.to_numpy() == pytest.approx(problem["wsm_minmax_pymcdm"], rel=1e-9)
    else:
        assert found.to_numpy() == pytest.approx(expected, rel=1e-9, nan_ok=True)
    if problem["wpm_sum"]:
        shares = matrix.pow(turn, axis="columns")
        shares = shares / shares.sum()
        total = scoring.aggregate(shares, weights=weights)
        assert total.to_numpy() == pytest.approx(problem["wsm_sum"], rel=1e-9)
        product = scoring.aggregate(shares, weights=weights, method="geometric")
        assert product.to_numpy() == pytest.approx(problem["wpm_sum"], rel=1e-9)


def test_a_constant_column_is_missing_with_a_warning() -> None:
    values = pd.DataFrame({"familiarity": [3.0, 3.0, np.nan], "appetite": [1.0, 2.0, 4.0]})
    for method in ("minmax", "zscore", "rank", "percentile", "borda", "best_distance"):
        with pytest.warns(UserWarning, match=f"{method} cannot tell .* missing: familiarity"):
            found = scoring.normalise(values, scales=CRITERIA, method=method)  # type: ignore[arg-type]
        assert found["familiarity"].isna().all()
        assert found["appetite"].notna().all()
    shares = scoring.normalise(values, scales=CRITERIA, method="best_fraction")
    assert shares["familiarity"].to_list()[:2] == [1, 1]
    nothing = pd.DataFrame({"appetite": [np.nan, np.nan]})  # nothing known: nothing to warn of
    assert scoring.normalise(nothing, scales=CRITERIA, method="minmax").isna().all(axis=None)


def test_fractions_of_the_best_by_hand() -> None:
    values = pd.DataFrame({"x": [1.0, 2.0, 4.0], "y": [1.0, 2.0, 4.0], "z": [0.0, 1.0, 2.0]})
    known = pd.DataFrame({"direction": [1, -1, -1]}, index=["x", "y", "z"])
    with pytest.warns(UserWarning, match="missing: z"):  # nothing is a fraction of a best 0
        found = scoring.normalise(values, scales=known, method="best_fraction")
    assert found["x"].to_list() == [0.25, 0.5, 1]
    assert found["y"].to_list() == [1, 0.5, 0.25]


def test_zero_annuls_and_negatives_are_refused() -> None:
    values = pd.DataFrame({"x": [0.0, 4.0], "y": [9.0, 9.0]})
    weights = pd.Series({"x": 1.0, "y": 1.0})
    geometric = scoring.aggregate(values, weights=weights, method="geometric")
    assert geometric.to_list() == pytest.approx([0, 6])  # √(4 · 9)
    harmonic = scoring.aggregate(values, weights=weights, method="harmonic")
    assert harmonic.to_list() == pytest.approx([0, 72 / 13])  # 2 / (1/4 + 1/9)
    for method in ("geometric", "harmonic", "power"):
        with pytest.raises(UsageError, match=f"{method} mean of negative values: x"):
            scoring.aggregate(values - [1, 0], weights=weights, method=method)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="exponent of a power mean must not be 0"):
        scoring.aggregate(values, weights=weights, method="power", exponent=0)


def test_copeland_by_hand() -> None:
    # Weights 2, 1, 1. a beats b on x (2 against 1 + 1: a tie), beats c on x alone where both are
    # known; b beats c on y and z. d is known on nothing.
    values = pd.DataFrame(
        [[3, 1, 1], [2, 2, 2], [1, np.nan, 1], [np.nan] * 3], columns=["x", "y", "z"], dtype=float
    )
    weights = pd.Series({"x": 2.0, "y": 1.0, "z": 1.0})
    found = scoring.aggregate(values, weights=weights, method="copeland")
    assert found.to_numpy() == pytest.approx([1, 1, -2, np.nan], nan_ok=True)


NESTED = pd.DataFrame(
    {
        "dimension": "skills",
        "parent": ["skills", "tools", "tools", "skills", "", "ghost"],
        "weight": [1.0, 1.0, 3.0, 1.0, 0.0, 2.0],
        "scale_min": 0.0,
        "scale_max": 5.0,
        "direction": 1,
    },
    index=pd.Index(["people", "office", "code", "tools", "idle", "money"]),
)


def test_criteria_add_up_along_their_parents() -> None:
    # Dimension: people 1, tools 1, money 2 (its parent exists nowhere). Tools: office 1, code 3.
    tree = scoring.read_hierarchy(NESTED, dimension="skills")
    assert tree.codes.to_list() == ["people", "office", "code", "money"]
    assert tree.shares[tree.leaves].tolist() == [0.25, 1 / 16, 3 / 16, 0.5]
    averages = _averages(
        {("a", "people"): 5, ("a", "office"): 5, ("a", "code"): 0, ("a", "money"): 2.5,
         ("b", "people"): 1, ("b", "code"): 3, ("c", "office"): 4, ("c", "idle"): 5}
    )  # fmt: skip
    scores = scoring.score_actors(averages, criteria=NESTED, actors=ACTORS, minimum_coverage=0.1)
    # a: tools 25, then (100 + 25 + 2 · 50) / 4. b: people 20, tools 60 of which office is unknown,
    # 40 on 7/16 of the weights; with money 0 or 5 and office 0 or 5: (20 + 45 + 0) / 4,
    # (20 + 70 + 200) / 4. c: 1/16 only.
    columns = ["score", "coverage", "range_low", "range_high"]
    assert _row(scores, "a", "skills")[columns].tolist() == pytest.approx([56.25, 1, 56.25, 56.25])
    assert _row(scores, "b", "skills")[columns].tolist() == pytest.approx([40, 7 / 16, 16.25, 72.5])
    assert np.isnan(_row(scores, "c", "skills")["score"])
    means = scoring.read_means(averages, tree=tree, actors=ACTORS)
    parts = scoring.measure_contributions(means, tree=tree)
    b = parts[parts["actor_id"] == "b"].set_index("criterion")
    assert b["share"].to_dict() == {"people": 0.5, "office": 0, "code": 0.5, "money": 0}
    assert b["contribution"].dropna().to_dict() == pytest.approx({"people": 10, "code": 30})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {("people", "parent"): "money", ("money", "parent"): "people"},
            "parts of themselves: peo",
        ),
        ({("office", "weight"): 0.0, ("code", "weight"): 0.0}, "weights sum to 0: office, code"),
        ({("office", "weight"): -1.0}, "criteria of negative weight: office"),
    ],
)
def test_hierarchies_that_cannot_serve_are_refused(
    change: dict[tuple[str, str], object], message: str
) -> None:
    criteria = NESTED.copy()
    for cell, value in change.items():
        criteria.loc[cell] = value
    with pytest.raises(UsageError, match=message):
        scoring.read_hierarchy(criteria, dimension="skills")


def test_a_criterion_made_up_of_others_is_not_rated_itself() -> None:
    averages = _averages({("a", "tools"): 3})
    with pytest.raises(UsageError, match="made up of others: tools"):
        scoring.score_actors(averages, criteria=NESTED, actors=ACTORS)


READY = pd.DataFrame(
    {
        "dimension": "readiness",
        "weight": [1.0, 2.0, 1.0],
        "scale_min": [0.0, 0.0, 1.0],
        "scale_max": [5.0, 5.0, 7.0],
        "direction": [1, 1, -1],
    },
    index=pd.Index(["x", "y", "z"]),
)


def _draw(*, missing: bool, seed: int = 1) -> np.ndarray:
    draws = np.random.default_rng(seed).normal(3, 2, (12, 7, 3))
    if missing:
        draws[:, 2, 1] = draws[:, 4, :] = draws[:4, 5, 0] = np.nan
    return draws


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric", "copeland"])
@pytest.mark.parametrize("normalisation", ["goalposts", "minmax", "rank"])
def test_draws_are_scored_as_averages_are(
    normalisation: NormaliseMethod, aggregation: AggregateMethod, missing: bool
) -> None:
    draws, tree = _draw(missing=missing), scoring.read_hierarchy(READY, dimension="readiness")
    way = (normalisation, aggregation)
    found = scoring.score_draws(draws, tree=tree, columns=READY.index, way=way)
    for draw, score in zip(draws, found, strict=True):
        cells = pd.DataFrame(draw, index=list("abcdefg"), columns=READY.index)
        expected = scoring.compare_choices(
            cells, tree=tree, normalisations=way[:1], aggregations=way[1:]
        )["score"]
        assert score == pytest.approx(expected.to_numpy(), rel=1e-9, nan_ok=True)
        if way == ("goalposts", "arithmetic"):
            cells = cells.clip(READY["scale_min"], READY["scale_max"], axis="columns")
            averages = (
                cells.rename_axis("actor_id")
                .reset_index()
                .melt("actor_id", var_name="criterion", value_name="mean")
            )
            actors = pd.DataFrame({"actor_id": cells.index})
            scores = scoring.score_actors(
                averages.assign(n_raters=1), criteria=READY, actors=actors
            )
            assert score == pytest.approx(scores["score"].to_numpy(), rel=1e-9, nan_ok=True)
            by_hand = _score_by_hand(cells)
            assert score == pytest.approx(by_hand, rel=1e-9, nan_ok=True)


def _score_by_hand(cells: pd.DataFrame) -> np.ndarray:
    """Weighted mean of the shares of each scale; half of the weights, 4 in all, must be known."""
    share = (cells - READY["scale_min"]) / (READY["scale_max"] - READY["scale_min"])
    share = np.where(READY["direction"] > 0, share, 1 - share)
    weight = (~np.isnan(share) * READY["weight"].to_numpy()).sum(axis=1)
    added = np.nansum(100 * share * READY["weight"].to_numpy(), axis=1)
    return np.where(weight >= 2, added / np.maximum(weight, 1), np.nan)


@pytest.mark.parametrize("missing", [False, True])
def test_each_draw_may_have_its_own_weights(missing: bool) -> None:
    draws, tree = _draw(missing=missing), scoring.read_hierarchy(READY, dimension="readiness")
    weights = scoring.draw_weights(tree, opinion="open", draws=len(draws), seed=3)
    found = scoring.score_draws(draws, tree=tree, columns=READY.index, weights=weights)
    for k, score in enumerate(found):
        own = scoring.read_hierarchy(
            READY.assign(weight=weights.iloc[k]), dimension="readiness", minimum_coverage=0
        )
        alone = scoring.score_draws(draws[[k]], tree=own, columns=READY.index)[0]
        shown = ~np.isnan(score)  # coverage goes by the weights declared
        assert score[shown] == pytest.approx(alone[shown], rel=1e-9)
    assert np.isnan(found[:, 4]).all() == missing


def test_a_criterion_that_was_not_drawn_is_missing() -> None:
    tree = scoring.read_hierarchy(READY, dimension="readiness")
    draws = np.full((2, 3, 2), 5.0)
    found = scoring.score_draws(draws, tree=tree, columns=pd.Index(["y", "other"]))
    assert (found == 100).all()  # y alone has half of the weights
    assert np.isnan(scoring.score_draws(draws, tree=tree, columns=pd.Index(["x", "other"]))).all()
    assert scoring.score_draws(draws[:0], tree=tree, columns=pd.Index(["x", "y"])).size == 0


def test_drawn_weights_vary_by_a_quarter_of_themselves() -> None:
    assert [scoring.measure_concentration(k) for k in (2, 3, 5)] == [15, 31, 63]
    equal = READY.assign(weight=1.0)
    tree = scoring.read_hierarchy(equal, dimension="readiness")
    drawn = scoring.draw_weights(tree, draws=20_000, seed=1)
    assert drawn.sum(axis=1).to_numpy() == pytest.approx(np.ones(20_000))
    assert drawn.mean().to_numpy() == pytest.approx(np.full(3, 1 / 3), abs=0.003)
    assert drawn.std().to_numpy() == pytest.approx(np.full(3, 1 / 12), rel=0.03)  # 1 / 4K
    # Dirichlet(1) on three: variance (1/3)(2/3) / 4.
    vague = scoring.draw_weights(tree, opinion="open", draws=20_000, seed=1)
    assert vague.std().to_numpy() == pytest.approx(np.full(3, (1 / 18) ** 0.5), rel=0.03)
    fixed = scoring.draw_weights(
        scoring.read_hierarchy(NESTED, dimension="skills"), opinion="fixed", draws=1
    )
    assert fixed.loc[0].to_dict() == {
        "people": 0.25, "office": 0.25, "code": 0.75, "tools": 0.25, "idle": 0, "money": 0.5
    }  # fmt: skip
    alone = scoring.read_hierarchy(READY.iloc[[0]], dimension="readiness")
    assert scoring.draw_weights(alone, draws=5)["x"].to_list() == [1] * 5
    with pytest.raises(UsageError, match=r"opinion: 'none' is not .*: fixed, stated, open"):
        scoring.draw_weights(tree, opinion="none")  # type: ignore[arg-type]


def test_ranks_and_intervals_by_hand() -> None:
    scores = np.array([[90, 50, 50, np.nan], [80, 85, 10, np.nan]] * 10, dtype=float)
    actors = pd.DataFrame({"actor_id": list("abcd")})
    ranks = scoring.rank_actors(scores, actors=actors, top=2).set_index("actor_id")
    assert ranks.loc["a"].to_list() == [1, 1, 2, 0.5, 1, 3]
    assert ranks.loc["b"].to_list() == [1, 1, 2, 0.5, 1, 3]  # ties share the best: 2 in the first
    assert ranks.loc["c"].to_list() == [2, 2, 3, 0, 0.5, 3]
    assert ranks.loc["d"].isna().to_list() == [True] * 5 + [False]
    found = scoring.measure_intervals(scores, actors=actors).set_index("actor_id")
    assert found.loc["a"].to_list() == pytest.approx([80, 85, 90])
    assert found.loc["d"].isna().all()
    split = scoring.rank_actors(scores, actors=actors, panel=np.array([0, 0, 1, 1]))
    assert split["median"].to_list()[:3] == [1, 1, 1]
    assert split["n_ranked"].to_list() == [2, 2, 1, 1]
    pairs = scoring.compare_pairs(scores, actors=actors)
    assert pairs.loc["b", "c"] == 0.75  # one tie, one win
    assert pairs.loc["a", "b"] == 0.5
    assert (pairs + pairs.T).loc["a", "c"] == 1
    assert pairs["d"].isna().all()
    apart = scoring.compare_pairs(scores, actors=actors, panel=np.array([0, 0, 1, 1]))
    assert np.isnan(apart.loc["a", "c"])


def test_draws_that_lack_an_actor_leave_the_others_alone() -> None:
    scores = np.array([[1.0, np.nan], [2.0, 5.0], [3.0, 7.0]])
    actors = pd.DataFrame({"actor_id": ["a", "b"]})
    found = scoring.measure_intervals(scores, actors=actors)
    assert found["median"].to_list() == [2, 6]
    assert scoring.rank_actors(scores, actors=actors)["p_first"].to_list() == pytest.approx(
        [1 / 3, 1]
    )


MEANS = pd.DataFrame(
    {"x": [5.0, 4.0, 1.0], "y": [2.0, 3.0, 5.0], "z": [4.0, 4.0, 4.0]},
    index=pd.Index(["a", "b", "c"], name="actor_id"),
)


def test_choices_move_ranks() -> None:
    # Equal scales 0-5, weights 1, 1 on x and y. Arithmetic: 70 70 60. Geometric of 1-100: a
    # √(100 · 40.6) = 63.7, b √(80.2 · 60.4) = 69.6, c √(20.8 · 100) = 45.6. Min-max x 100 75 0,
    # y 0 33 100: 50 54 50, geometric √(100 · 1) = 10, 50.5, 10.
    criteria = pd.DataFrame(
        {"dimension": "d", "weight": 1.0, "scale_min": 0.0, "scale_max": 5.0, "direction": 1},
        index=["x", "y"],
    )
    tree = scoring.read_hierarchy(criteria, dimension="d")
    grid = scoring.compare_choices(
        MEANS[["x", "y"]], tree=tree, normalisations=["goalposts", "minmax"],
        aggregations=["arithmetic", "geometric"],
    )  # fmt: skip
    assert grid["rank"].to_list() == [1, 1, 3, 2, 1, 3, 2, 1, 2, 2, 1, 2]
    assert grid["n_moved"].to_list() == [0] * 3 + [1] * 3 + [2] * 6
    assert grid["score"].to_list()[6:9] == pytest.approx([50, 54.1667, 50], abs=1e-4)
    with pytest.raises(UsageError, match="geometric mean cannot be taken of z-scores"):
        scoring.compare_choices(MEANS[["x", "y"]], tree=tree, normalisations=["zscore"])


def test_who_has_no_score_in_another_way_has_not_moved() -> None:
    criteria = READY.iloc[:2].assign(scale_min=0.0, scale_max=5.0, direction=1, weight=1.0)
    tree = scoring.read_hierarchy(criteria, dimension="readiness")
    nan = np.nan
    means = pd.DataFrame({"x": [4, 1, 5, nan], "y": [nan, 4, 4, 4]}, index=list("abcd"))
    # Goalposts: a 80, b 50, c 90, d 80, ranks 2 4 1 2. Min-max leaves nothing of y, the same
    # of all three: a 75, b 0, c 100, d none. Of those that are left none moves.
    grid = scoring.compare_choices(
        means, tree=tree, normalisations=["goalposts", "minmax"], aggregations=["arithmetic"]
    )
    assert grid["rank"].to_list()[:7] == [2, 4, 1, 2, 2, 3, 1]
    assert grid["n_lost"].to_list() == [0] * 4 + [1] * 4
    assert grid["n_moved"].to_list() == [0] * 8


def test_what_each_criterion_decides() -> None:
    # Shares x 1/4, y 1/4, z 1/2, all on 0-5. Scores: a (5 + 2 + 8)/4 · 20 = 75, b 75, c 70.
    criteria = READY.assign(scale_min=0.0, scale_max=5.0, direction=1, weight=[1.0, 1.0, 2.0])
    tree = scoring.read_hierarchy(criteria, dimension="readiness")
    means = MEANS.assign(x=[5.0, 4.5, 1.0])  # now b: (4.5 + 3 + 8)/4 · 20 = 77.5 is first
    removed = scoring.compare_removals(means, tree=tree).set_index("criterion")
    # Without x: y and z, c first. Without y: a. Without z (the same for all): as before.
    assert removed["first_id"].to_dict() == {"x": "c", "y": "a", "z": "b"}
    assert removed["n_moved"].to_list() == [3, 2, 0]
    assert removed["n_lost"].to_list() == [0, 0, 0]
    needed = scoring.compare_weights(means, tree=tree).set_index("criterion")
    # x at share t, y (1 - t)/3, z 2 (1 - t)/3. a passes b where 0.5 t > (1 - t)/3, from t > 0.4; c
    # where 2 (1 - t)/3 > 3.5 t, below t < 4/25, which is nearer to 1/4.
    # y at t: c passes where 2 t > 3.5 (1 - t)/3, from t > 7/19; a where 0.5 (1 - t)/3 > t, t < 1/7.
    assert needed["share"].to_list() == [0.25, 0.25, 0.5]
    assert needed["needed_share"].to_list()[:2] == pytest.approx([0.159, 0.142])
    assert needed["first_id"].to_list()[:2] == ["c", "a"]
    assert np.isnan(needed.loc["z", "needed_share"])
    parts = scoring.measure_contributions(means, tree=tree)
    total = parts.groupby("actor_id")["contribution"].sum()
    assert total.to_list() == pytest.approx([75, 77.5, 70], rel=1e-12)


def test_who_has_no_score_left_without_a_criterion_has_not_moved() -> None:
    # a is known on x alone (5), b on x 4 and y 2, c on y alone (5): 100, 60, 100. Without x a has
    # nothing left; c stays before b. Without y c has nothing left; a stays before b.
    criteria = READY.iloc[:2].assign(scale_min=0.0, scale_max=5.0, direction=1, weight=1.0)
    means = pd.DataFrame({"x": [5.0, 4.0, np.nan], "y": [np.nan, 2.0, 5.0]}, index=MEANS.index)
    tree = scoring.read_hierarchy(criteria, dimension="readiness")
    removed = scoring.compare_removals(means, tree=tree)
    assert removed[["n_lost", "n_moved", "largest_move"]].to_numpy().tolist() == [[1, 0, 0]] * 2
    assert removed["first_id"].to_list() == ["c", "a"]
    # The only criterion that counts: nobody has a score without it.
    alone = scoring.read_hierarchy(criteria.assign(weight=[3, 0]), dimension="readiness")
    removed = scoring.compare_removals(MEANS[["x"]], tree=alone)
    assert removed.to_numpy().tolist() == [["x", 3, 0, 0, ""]]


def test_what_moves_the_ranks() -> None:
    # Only the weights are in doubt: every draw of the ratings is the same, and so are all choices.
    criteria = READY.assign(scale_min=0.0, scale_max=5.0, direction=1)
    tree = scoring.read_hierarchy(criteria, dimension="readiness")
    draws = np.broadcast_to(MEANS.to_numpy(), (50, 3, 3))
    one = {"normalisations": ["goalposts"], "aggregations": ["arithmetic"], "n": 64}
    found = scoring.measure_rank_drivers(draws, tree=tree, columns=MEANS.columns, **one)
    total = found.set_index("doubt")["total"].to_dict()
    assert total.pop("weights") == pytest.approx(1, abs=0.15)  # of 64 samples
    assert set(total.values()) == {0}
    same = np.ones_like(draws)
    found = scoring.measure_rank_drivers(same, tree=tree, columns=MEANS.columns, **one)
    assert found[["first_order", "total"]].isna().all(axis=None)


@settings(max_examples=20, deadline=None)
@given(values=CELLS, weights=WEIGHTS, name=st.sampled_from("xyz"))
@pytest.mark.parametrize("aggregation", ["arithmetic", "geometric", "harmonic", "power"])
def test_a_second_copy_of_weight_zero_changes_nothing(
    aggregation: str, values: pd.DataFrame, weights: pd.Series, name: str
) -> None:
    criteria = SCALES.assign(dimension="d", weight=weights)
    copy = criteria.loc[[name]].assign(weight=0.0).rename(index={name: "copy"})
    both = pd.concat([criteria, copy])
    draws, columns = values.to_numpy()[None], pd.Index(["x", "y", "z", "copy"])
    wide = np.concatenate([draws, draws[..., ["xyz".index(name)]]], axis=-1)
    one, two = (
        scoring.score_draws(
            cells, tree=scoring.read_hierarchy(table, dimension="d"), columns=columns[:n],
            way=("goalposts", aggregation),  # type: ignore[arg-type]
        )
        for cells, table, n in ((draws, criteria, 3), (wide, both, 4))
    )  # fmt: skip
    assert two == pytest.approx(one, rel=1e-12, nan_ok=True)
    assert (np.nan_to_num(one, nan=50) >= -1e-9).all()
    assert (np.nan_to_num(one, nan=50) <= 100 + 1e-9).all()


@settings(max_examples=20, deadline=None)
@given(values=CELLS, weights=WEIGHTS, factor=st.floats(0.01, 100))
def test_order_of_rows_and_names_do_not_matter(
    values: pd.DataFrame, weights: pd.Series, factor: float
) -> None:
    cells = values.set_axis([f"a{i}" for i in range(len(values))]).rename_axis("actor_id")
    criteria = SCALES.assign(dimension="d", weight=weights)
    tree = scoring.read_hierarchy(criteria, dimension="d")
    grid = scoring.compare_choices(cells, tree=tree)
    names = dict(zip("xyz", ["u", "v", "w"], strict=True))
    turned = criteria.assign(weight=weights * factor).iloc[::-1].rename(index=names)
    renamed = scoring.read_hierarchy(turned, dimension="d")
    again = cells.iloc[::-1].rename(columns=names)[renamed.codes].rename(index="b{}".format)
    other = scoring.compare_choices(again, tree=renamed)
    other["actor_id"] = other["actor_id"].str.removeprefix("b")
    keys = ["normalisation", "aggregation", "actor_id"]
    columns = [*keys, "score", "rank"]
    pd.testing.assert_frame_equal(
        grid[columns].sort_values(keys, ignore_index=True),
        other[columns].sort_values(keys, ignore_index=True),
        check_dtype=False,
    )


def test_one_actor_and_nobody() -> None:
    tree = scoring.read_hierarchy(READY, dimension="readiness")
    for n in (1, 0):
        means = MEANS.iloc[:n]
        actors = pd.DataFrame({"actor_id": means.index})
        assert len(scoring.compare_choices(means, tree=tree)) == 9 * n
        assert len(scoring.compare_removals(means, tree=tree)) == 3
        assert len(scoring.compare_weights(means, tree=tree)) == 3
        scores = scoring.score_draws(np.ones((4, n, 3)), tree=tree, columns=READY.index)
        assert len(scoring.rank_actors(scores, actors=actors)) == n
        assert scoring.compare_pairs(scores, actors=actors).shape == (n, n)


def test_small_blocks_give_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    tree = scoring.read_hierarchy(READY, dimension="readiness")
    weights = scoring.draw_weights(tree, draws=12)
    actors = pd.DataFrame({"actor_id": list("abcdefg")})

    def run() -> list[np.ndarray]:
        ways = {"tree": tree, "columns": READY.index, "weights": weights}
        scores = scoring.score_draws(_draw(missing=True), **ways)
        nested = scoring.score_draws(_draw(missing=True), way=("goalposts", "copeland"), **ways)
        ranks = scoring.rank_actors(scores, actors=actors).drop(columns="actor_id")
        return [scores, nested, ranks.to_numpy()]

    whole = run()
    monkeypatch.setattr("ecoanalysis.scoring.composite.BLOCK", 25)
    for small, large in zip(run(), whole, strict=True):
        assert small == pytest.approx(large, rel=1e-12, nan_ok=True)


SCENARIO_CRITERIA = pd.DataFrame(
    {"dimension": ["readiness", "readiness", "desk"], "weight": [1.0, 1.0, 0.0]},
    index=pd.Index(["familiarity", "appetite", "desk_website"]),
)


def test_a_scenario_is_written_and_read_back(tmp_path: Path) -> None:
    given = scoring.Scenario({"familiarity": 2.5, "appetite": 0}, 0.25, "rive-songe")
    file = scoring.write_scenario(given, tmp_path / "scenario.yaml")
    assert scoring.read_scenario(file, criteria=SCENARIO_CRITERIA) == given
    weighed = scoring.weigh_criteria(SCENARIO_CRITERIA, weights=given.weights)
    assert weighed["weight"].to_list() == [2.5, 0, 0]
    assert SCENARIO_CRITERIA["weight"].to_list() == [1, 1, 0]
    (tmp_path / "empty.yaml").write_text("", encoding="utf-8")
    empty = scoring.read_scenario(tmp_path / "empty.yaml", criteria=SCENARIO_CRITERIA)
    assert empty == scoring.Scenario()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weights: {familiarity: -1}", "weights.familiarity: found -1; allowed: a number, 0 or"),
        ("weights: {familiarity: .nan}", "weights.familiarity: found nan"),
        ("weights: {familiarity: yes}", "weights.familiarity: found True"),
        ("weights: {envie: 1}", "weights.envie: unknown criterion; allowed: familiarity, app"),
        ("weights: {familiarity: 0, appetite: 0}", "weights: those of readiness sum to 0"),
        ("weights: [1, 2]", "weights: found"),
        ("minimum_coverage: 50", "minimum_coverage: found 50; allowed: 0 to 1"),
        ("weight: {familiarity: 1}", "weight: unknown; allowed: territory, minimum_coverage, we"),
        ("- familiarity", "found a list"),
        ("weights: {familiarity: 1", "cannot be read as YAML"),
    ],
)
def test_a_faulty_scenario_names_file_and_field(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as error:
        scoring.read_scenario(file, criteria=SCENARIO_CRITERIA)
    assert f"{file}: " in str(error.value) and said in str(error.value)


def test_a_scenario_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no\.yaml"):
        scoring.read_scenario(tmp_path / "no.yaml", criteria=SCENARIO_CRITERIA)
