"""Agreement and disagreement of raters, and draws from the additive model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis import ratings
from ecoanalysis.errors import UsageError
from ecoanalysis.study import read_study

ROOT = Path(__file__).parents[1]
ORACLES = json.loads((Path(__file__).parent / "oracles/ratings.json").read_text("utf-8"))
CRITERIA = pd.DataFrame(
    {
        "dimension": "readiness",
        "scale_min": [0.0, 0.0, 1.0, 0.0],
        "scale_max": [5.0, 5.0, 7.0, 5.0],
        "direction": [1, 1, -1, 1],
        "per_challenge": ["no", "no", "no", "yes"],
    },
    index=pd.Index(["familiarity", "appetite", "cost", "concern"]),
)


def _table(data: object, *, criterion: str = "familiarity") -> pd.DataFrame:
    """One row a rater, one column an actor, as ratings."""
    wide = pd.DataFrame(data, dtype=float)
    wide = wide.set_axis([f"a{i}" for i in range(wide.shape[1])], axis=1)
    rows = wide.set_axis([f"r{i}" for i in range(len(wide))]).rename_axis("rater_id").reset_index()
    long = rows.melt("rater_id", var_name="actor_id").assign(criterion=criterion)
    return long.assign(dont_know=long["value"].isna())


def _raters(table: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(
        {"rater_id": table["rater_id"].unique(), "actor_id": None, "role": "expert"}
    )


def _fit(table: pd.DataFrame, **known: pd.DataFrame) -> ratings.PanelFit:
    actors = pd.DataFrame({"actor_id": table["actor_id"].unique()})
    options = {"raters": _raters(table), "criteria": CRITERIA, "actors": actors} | known
    return ratings.fit_panel(table, **options)


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval", "ratio"])
@pytest.mark.parametrize("name", ORACLES["krippendorff"])
def test_alpha_is_that_of_krippendorff(name: str, level: str) -> None:
    oracle = ORACLES["krippendorff"][name]
    found = ratings.measure_agreement(_table(oracle["data"]), level=level, draws=0)  # type: ignore[arg-type]
    expected = oracle["definition"][level]
    if expected is None:
        assert np.isnan(found.loc[0, "alpha"])
        assert found.loc[0, "percent_agreement"] == 100
        assert found.loc[0, "hardly_varies"]
    else:
        assert found.loc[0, "alpha"] == pytest.approx(expected, rel=1e-9)


def test_alpha_as_published() -> None:
    published = ORACLES["krippendorff_data1"]
    for level, alpha in published["alpha"].items():
        found = ratings.measure_agreement(_table(published["data"]), level=level, draws=200)
        row = found.iloc[0]
        assert round(row["alpha"], 3) == alpha
        assert row["low"] < row["alpha"] < row["high"] <= 1
        assert (row["n_actors"], row["n_raters"]) == (11, 4)  # the last unit has one rating only


def test_icc_as_published() -> None:
    published = ORACLES["shrout_fleiss"]
    found = ratings.measure_agreement(_table(published["data_by_judge"]), draws=0).iloc[0]
    assert round(found["icc_single"], 2) == published["icc"]["2,1"]
    assert round(found["icc_mean"], 2) == published["icc"]["2,k"]
    assert (found["icc_actors"], found["icc_raters"]) == (6, 4)


def test_icc_rests_on_a_complete_block() -> None:
    # The published block, and beside it a rater of one actor and an actor with one rater.
    data = [[*row, np.nan] for row in ORACLES["shrout_fleiss"]["data_by_judge"]]
    data[0][-1] = 3
    found = ratings.measure_agreement(_table([*data, [5] + [np.nan] * 6]), draws=0).iloc[0]
    assert round(found["icc_single"], 2) == 0.29
    assert (found["icc_actors"], found["icc_raters"]) == (6, 4)
    alone = ratings.measure_agreement(_table([[1, 2, 3]]), draws=10).iloc[0]
    assert alone[["alpha", "low", "icc_single", "percent_agreement"]].isna().all()
    assert alone[["n_actors", "icc_actors"]].to_list() == [0, 0]


def test_the_interval_of_alpha_resamples_actors() -> None:
    # 200 actors, half agreed on, so alpha hardly moves; seeded, so twice the same.
    rng = np.random.default_rng(4)
    first = rng.integers(0, 6, 200)
    second = np.where(rng.random(200) < 0.5, first, rng.integers(0, 6, 200))
    table = _table([first, second])
    one, two = (ratings.measure_agreement(table, draws=500, seed=2) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    other = ratings.measure_agreement(table, draws=500, seed=3)
    assert one.loc[0, "low"] != other.loc[0, "low"]
    # As if drawn actors were other actors: alpha of 25 such panels, standard deviation by hand.
    drawn = [rng.integers(0, 200, 200) for _ in range(25)]
    again = [
        ratings.measure_agreement(_table([first[d], second[d]]), draws=0).loc[0, "alpha"]
        for d in drawn
    ]
    assert np.std(again) == pytest.approx((one["high"] - one["low"])[0] / 3.29, rel=0.45)


def test_where_answers_hardly_vary_alpha_is_not_read() -> None:
    data = np.full((2, 20), 3.0)
    data[0, 0], data[1, 1] = 2, 4
    found = ratings.measure_agreement(_table(data), draws=0).iloc[0]
    assert found["alpha"] < 0.1
    assert found["percent_agreement"] == pytest.approx(90)  # 18 pairs of 20
    assert found["hardly_varies"]


def test_answers_are_compared_on_the_same_challenge_and_without_oneself() -> None:
    table = pd.concat(
        [_table([[5], [0]]).assign(challenge_id="x"), _table([[1], [1]]).assign(challenge_id="y")]
    )
    found = ratings.measure_agreement(table, level="nominal", draws=0).iloc[0]
    assert found["percent_agreement"] == 50
    raters = pd.DataFrame({"rater_id": ["r0", "r1"], "actor_id": ["a0", None]})
    alone = ratings.measure_agreement(table, raters=raters, draws=0).iloc[0]
    assert alone["n_actors"] == 0
    with pytest.raises(UsageError, match="'cardinal' is not known; did you mean 'ordinal'"):
        ratings.measure_agreement(table, level="cardinal")  # type: ignore[arg-type]
    assert ratings.measure_agreement(table.iloc[:0]).empty


def test_views_that_are_shared_out_are_two_camps() -> None:
    # a0: 0 1 | 4 5; a1: one against three; a2: spread, no gap of 2; a3: two raters only.
    nan = np.nan
    table = _table([[0, 0, 1, 0], [1, 4, 2, 5], [4, 4, 3, nan], [5, 4, 4, nan]])
    found = ratings.measure_disagreement(table, raters=_raters(table), criteria=CRITERIA)
    found = found.set_index("actor_id")
    assert found["shared_out"].to_list() == [True, False, False, False]
    camps = ["n_raters", "n_low", "n_high", "camp_low", "camp_high"]
    assert found.loc["a0", camps].to_list() == pytest.approx([4, 2, 2, 10, 90])
    assert found.loc["a3", ["n_raters", "n_low", "n_high"]].to_list() == [2, 0, 0]
    assert found.loc["a3", "spread"] == pytest.approx(100 / 2**0.5)  # 0 and 5
    raters = pd.DataFrame({"rater_id": ["r0"], "actor_id": ["a0"]})
    alone = table[(table["actor_id"] == "a0") & (table["rater_id"] == "r0")]
    found = ratings.measure_disagreement(alone, raters=raters, criteria=CRITERIA)
    assert found.empty and found["shared_out"].dtype == bool


def test_each_rater_is_described() -> None:
    # r0 is one point above the panel's mean everywhere, r1 one below; r2 answers 3 throughout and
    # rates the own organisation, of which the others say 2.
    level = np.arange(1, 4).repeat(8)
    table = _table([level + 1, level - 1, np.full(24, 3)])
    raters = pd.DataFrame(
        {"rater_id": ["r0", "r1", "r2", "r3"], "actor_id": [None, None, "a8", None]}
    )
    found = ratings.measure_raters(table, raters=raters, criteria=CRITERIA).set_index("rater_id")
    assert found["n_ratings"].to_list() == [24, 24, 24, 0]
    assert found["uniform"].to_list() == [False, False, True, False]
    assert found.loc["r2", ["most_common", "share_most_common", "n_self"]].to_list() == [3, 1, 1]
    assert found.loc["r2", "self_difference"] == pytest.approx(20)
    severity = found["severity"]
    assert severity["r1"] - severity["r0"] == pytest.approx(40)  # 2 of 5 points
    # With a direction of -1 a low value is the generous one.
    dear = table.assign(criterion="cost", value=table["value"] + 1)
    turned = ratings.measure_raters(dear, raters=raters, criteria=CRITERIA).set_index("rater_id")
    assert turned["severity"]["r0"] - turned["severity"]["r1"] == pytest.approx(100 * 2 / 6)
    table.loc[0, ["value", "dont_know"]] = [np.nan, True]
    unsure = ratings.measure_raters(table, raters=raters, criteria=CRITERIA)
    assert unsure["n_dont_know"].to_list()[:2] == [1, 0]
    roles = raters.assign(role=["user", "user", None, "user"])
    mix = ratings.measure_panel_mix(table, raters=roles, criteria=CRITERIA)
    assert mix["dimension"].unique().tolist() == ["readiness"]
    assert mix[mix["actor_id"] == "a1"]["n_raters"].to_list() == [2, 1]


def _solve(table: pd.DataFrame) -> tuple[pd.Series, np.ndarray]:
    """Least squares as a textbook has it: actors and raters as dummies, raters summing to 0."""
    known = table.dropna(subset="value")
    a, ids = pd.factorize(known["actor_id"])
    r, people = pd.factorize(known["rater_id"])
    raters = np.eye(len(people))[r]
    design = np.hstack([np.eye(len(ids))[a], raters[:, :-1] - raters[:, [-1]]])
    solution = np.linalg.lstsq(design, known["value"].to_numpy(), rcond=None)[0]
    covariance = np.linalg.inv(design.T @ design)[: len(ids), : len(ids)]
    residual = known["value"].to_numpy() - design @ solution
    degrees = len(known) - design.shape[1]
    return pd.Series(solution[: len(ids)], index=ids), covariance * (residual @ residual) / degrees


def test_the_additive_model_is_least_squares() -> None:
    rng = np.random.default_rng(0)
    data = rng.integers(0, 6, (5, 12)).astype(float)
    data[rng.random(data.shape) < 0.4] = np.nan
    table = _table(data)
    expected, covariance = _solve(table)
    fit = _fit(table)
    found = pd.Series(5 * fit.estimates[:, 0], index=fit.actors)[expected.index]
    assert found.to_numpy() == pytest.approx(expected.to_numpy(), rel=1e-9)
    assert np.nansum(fit.effects) == pytest.approx(0, abs=1e-12)
    draws = ratings.draw_actor_effects(fit, draws=40_000, seed=5)[:, :, 0]
    drawn = pd.DataFrame(draws, columns=fit.actors)[expected.index]
    # A t with ν degrees of freedom has variance ν / (ν - 2).
    wide = covariance * fit.df / (fit.df - 2)
    assert np.cov(drawn.T) == pytest.approx(wide, rel=0.1, abs=0.03 * wide.max())


def test_complete_panels_have_the_textbook_interval() -> None:
    # Actor means; standard error s / √R on (n - 1)(R - 1) degrees of freedom.
    rng = np.random.default_rng(1)
    table = _table(2.5 + rng.normal(0, 0.7, (4, 10)))
    fit = _fit(table)
    found = ratings.measure_actor_effects(fit, draws=20_000, seed=1)
    means = table.groupby("actor_id", sort=False)["value"].mean()
    assert found["estimate"].to_numpy() == pytest.approx(means.to_numpy(), rel=1e-12)
    assert fit.df == 27
    half = 1.7033 * 5 * fit.residual_sd / 2  # t of 27 at 95 %
    assert (found["high"] - found["low"]).to_numpy() == pytest.approx(2 * half, rel=0.05)
    # For another panel the mean over all actors varies by a t of 3, s of the raters / √R.
    other = ratings.draw_actor_effects(fit, draws=40_000, scope="other", seed=2)
    within = ratings.draw_actor_effects(fit, draws=40_000, seed=2)
    shift = (other - within)[:, :, 0]
    assert np.ptp(shift, axis=1).max() < 1e-12
    sd = table.groupby("rater_id")["value"].mean().std()
    assert np.quantile(shift[:, 0], 0.95) == pytest.approx(2.3534 * sd / 2, rel=0.05)


def test_one_and_two_opinions_are_as_wide_as_the_pooled_residual_says() -> None:
    rng = np.random.default_rng(3)
    data = np.clip(np.round(rng.normal(2.5, 1, (4, 12))), 0, 5)
    data[1:, 0] = data[2:, 1] = np.nan
    found = ratings.measure_actor_effects(_fit(_table(data))).set_index("actor_id")
    width = found["high"] - found["low"]
    assert found.loc[["a0", "a1"], "n_raters"].to_list() == [1, 2]
    assert width["a0"] > width["a1"] > width["a2"] > 0


@pytest.mark.parametrize("data", [np.full((3, 4), 2.0), [[1, 2, 3], [2, 3, 4], [0, 1, 2]]])
def test_no_residual_is_still_rounding(data: object) -> None:
    # All equal, or raters a whole step apart: answers stand for half a point either way.
    fit = _fit(_table(data))
    assert 5 * fit.residual_sd == pytest.approx(12**-0.5)
    found = ratings.measure_actor_effects(fit)
    assert (found["high"] - found["low"] > 0.3).all()
    assert (found["other_high"] - found["other_low"] >= found["high"] - found["low"] - 0.1).all()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([[1.0, 2, 5]], "one_rater"),
        ([[1.0], [4], [5]], "no_overlap"),  # one actor
        ([[1.0, 2, np.nan], [np.nan, 3, 4]], "no_overlap"),  # a chain: all is used up
        ([[1.0, np.nan], [np.nan, 3]], "no_overlap"),  # two strangers
    ],
)
def test_without_residual_there_is_no_interval(data: list[list[float]], reason: str) -> None:
    fit = _fit(_table(data))
    assert fit.reason == reason
    for scope in ("panel", "other"):
        assert np.isnan(ratings.draw_actor_effects(fit, draws=3, scope=scope)).all()  # type: ignore[arg-type]
    found = ratings.measure_actor_effects(fit, draws=3)
    assert found["estimate"].notna().all()
    assert found[["low", "high", "other_low", "other_high"]].isna().all(axis=None)


def test_no_ratings_at_all() -> None:
    table = _table([[1.0]])
    fit = _fit(table.iloc[:0], raters=_raters(table), actors=pd.DataFrame({"actor_id": ["a0"]}))
    assert fit.reason == "no_ratings"
    assert ratings.draw_actor_effects(fit).shape == (1000, 1, 0)
    assert ratings.measure_actor_effects(fit).empty
    assert fit.panels.empty
    assert fit.panel.tolist() == [-1]
    empty = {"raters": _raters(table), "criteria": CRITERIA}
    assert ratings.measure_disagreement(table.iloc[:0], **empty).empty
    described = ratings.measure_raters(table.iloc[:0], **empty)
    assert described["n_ratings"].to_list() == [0]
    assert ratings.measure_panel_mix(table.iloc[:0], **empty).empty


def test_unconnected_panels_are_found_and_kept_apart() -> None:
    # r0 and r1 rate a0 to a3; r2, r3 rate a4 to a6; r4 rates a7 alone; nobody rates a8.
    nan = np.nan
    data = np.full((5, 8), nan)
    data[:2, :4] = [[1, 2, 4, 5], [0, 2, 3, 5]]
    data[2:4, 4:7] = [[3, 3, 1], [5, 4, 3]]
    data[4, 7] = 2
    table = _table(data)
    actors = pd.DataFrame({"actor_id": [f"a{i}" for i in range(9)]})
    fit = _fit(table, actors=actors)
    assert fit.panels.to_numpy().tolist() == [[0, 4, 2], [1, 3, 2], [2, 1, 1]]
    assert fit.panel.tolist() == [0] * 4 + [1] * 3 + [2, -1]
    alone = _fit(_table(data[2:4, 4:7]))
    assert fit.estimates[4:7] == pytest.approx(alone.estimates)  # as if the others were not there
    assert fit.df == 3 + 2
    within, other = (
        ratings.draw_actor_effects(fit, scope=scope)  # type: ignore[arg-type]
        for scope in ("panel", "other")
    )
    assert np.isnan(within[:, 8]).all()
    assert not np.isnan(other[:, :8]).any()  # the rater alone borrows the others' variance
    shift = (other - within)[:, :8, 0]
    assert np.ptp(shift[:, :4], axis=1).max() < 1e-9
    assert abs(np.corrcoef(np.sign(shift[:, 0]), np.sign(shift[:, 4]))[0, 1]) < 0.15
    found = ratings.measure_actor_effects(fit).set_index("actor_id")
    assert found.loc["a7", "high"] > found.loc["a7", "low"]


def test_a_panel_is_connected_criterion_by_criterion() -> None:
    # The two halves are joined on familiarity only.
    halves = np.full((4, 6), np.nan)
    halves[:2, :3], halves[2:, 3:] = [[1, 2, 4], [2, 3, 4]], [[5, 3, 1], [4, 3, 2]]
    joined = np.array([[1, 2, 3, 4, 5, 2]] * 4, dtype=float)
    table = pd.concat([_table(joined), _table(halves, criterion="appetite")])
    fit = _fit(table)
    assert len(fit.panels) == 1
    alone = _fit(_table(halves, criterion="appetite"))
    assert fit.estimates[:, 1] == pytest.approx(alone.estimates[:, 0])


def test_halo_ties_the_criteria_together() -> None:
    rng = np.random.default_rng(6)
    shared = rng.normal(0, 0.8, (6, 20))
    parts = [2.5 + shared + rng.normal(0, 0.4, shared.shape) for _ in range(2)]
    table = pd.concat([_table(parts[0]), _table(parts[1], criterion="appetite")])
    fit = _fit(table)
    assert fit.halo == pytest.approx(0.8, abs=0.1)  # 0.64 / (0.64 + 0.16)
    draws = ratings.draw_actor_effects(fit, draws=4000)
    between = [np.corrcoef(draws[:, a].T)[0, 1] for a in range(20)]
    assert np.mean(between) == pytest.approx(fit.halo, abs=0.03)
    alone = _fit(table[table["criterion"] == "appetite"])
    assert alone.halo == 0
    free = pd.concat(
        [_table(rng.normal(2, 1, (6, 40))), _table(rng.normal(2, 1, (6, 40)), criterion="appetite")]
    )
    assert _fit(free).halo < 0.15


def test_draws_come_in_blocks_of_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    table = _table(np.random.default_rng(7).integers(0, 6, (4, 9)))
    fit = _fit(table)
    for options in ({"scope": "panel"}, {"scope": "other"}, {"method": "bootstrap"}):
        whole = ratings.draw_actor_effects(fit, draws=50, seed=1, **options)  # type: ignore[arg-type]
        monkeypatch.setattr("ecoanalysis.ratings.effects.BLOCK", 9 * 7)
        blocks = list(ratings.stream_actor_effects(fit, draws=50, seed=1, **options))  # type: ignore[arg-type]
        assert [len(block) for block in blocks] == [7] * 7 + [1]
        assert np.concatenate(blocks) == pytest.approx(whole, rel=1e-12)
        monkeypatch.undo()
    with pytest.raises(UsageError, match="scope: 'all' is not known; Allowed: panel, other"):
        ratings.draw_actor_effects(fit, scope="all")  # type: ignore[arg-type]


def test_the_rater_bootstrap_is_an_option() -> None:
    # Three raters, complete: means of resampled raters; √(Σ (x - mean)² / 3 / 3) each.
    data = np.array([[1.0, 2, 5], [3, 3, 1], [2, 4, 0]])
    draws = ratings.draw_actor_effects(_fit(_table(data)), draws=20_000, method="bootstrap")
    assert draws.mean(axis=0)[:, 0] == pytest.approx(data.mean(axis=0), abs=0.03)
    assert draws.std(axis=0)[:, 0] == pytest.approx(data.std(axis=0) / 3**0.5, rel=0.03)
    assert ratings.BOOTSTRAP_COVERAGE[3] == 0.61
    one = ratings.draw_actor_effects(_fit(_table([[1.0, 2]])), draws=2, method="bootstrap")
    assert np.isnan(one).all()


def test_self_ratings_and_challenges_stay_out_of_the_panel() -> None:
    table = pd.concat(
        [
            _table([[5, 2, 3], [1, 2, 3], [1, 2, 4]]),
            _table([[5, 5, 5]] * 3, criterion="concern").assign(challenge_id="water"),
        ]
    )
    raters = pd.DataFrame({"rater_id": ["r0", "r1", "r2"], "actor_id": ["a0", None, None]})
    fit = _fit(table, raters=raters)
    assert fit.criteria.to_list() == ["familiarity"]
    assert fit.n_raters[:, 0].tolist() == [2, 3, 3]
    with pytest.raises(UsageError, match="not listed: a0"):
        _fit(table, actors=pd.DataFrame({"actor_id": ["a1", "a2"]}))
    with pytest.raises(UsageError, match="not declared: concern"):
        _fit(table, criteria=CRITERIA.drop(index="concern"))


@settings(max_examples=10, deadline=None)
@given(
    cells=st.lists(
        st.tuples(st.integers(0, 5), st.integers(0, 4), st.integers(0, 5)),
        min_size=1, max_size=30, unique_by=lambda cell: cell[:2],
    )
)  # fmt: skip
def test_any_panel_fits_and_order_does_not_matter(cells: list[tuple[int, int, int]]) -> None:
    rows = [(f"a{a}", f"r{r}", "familiarity", float(v)) for a, r, v in cells]
    table = pd.DataFrame(rows, columns=["actor_id", "rater_id", "criterion", "value"])
    actors = pd.DataFrame({"actor_id": [f"a{i}" for i in range(6)]})
    fit = _fit(table, actors=actors)
    turned = table.iloc[::-1].replace({f"r{i}": f"q{i}" for i in range(5)})
    other = _fit(turned, actors=actors.iloc[::-1])
    assert other.estimates[::-1] == pytest.approx(fit.estimates, rel=1e-9, abs=1e-9, nan_ok=True)
    assert other.df == fit.df
    assert other.reason == fit.reason
    rated = actors["actor_id"].isin(table["actor_id"])
    draws = ratings.draw_actor_effects(fit, draws=5)
    assert np.isnan(draws[:, ~rated]).all()
    assert np.isnan(draws).all() == bool(fit.reason)
    assert len(ratings.measure_agreement(table, draws=5)) == 1
    raters = _raters(table)
    assert len(ratings.measure_raters(table, raters=raters, criteria=CRITERIA)) == len(raters)
    found = ratings.measure_disagreement(table, raters=raters, criteria=CRITERIA)
    assert len(found) == rated.sum()


@pytest.mark.parametrize(
    ("territory_id", "shared_out", "uniform"),
    [
        ("rive-songe", [], ["rs-06"]),
        ("val-palabre", [], []),
        ("haute-brume", ["plantations-corniche"], []),
    ],
)
def test_the_training_studys_planted_facts_are_found(
    territory_id: str, shared_out: list[str], uniform: list[str]
) -> None:
    study = read_study(ROOT / "data/training")
    table, raters = (
        part[part["territory_id"] == territory_id]
        for part in (study.tables["ratings"], study.tables["raters"])
    )
    known = {"raters": raters, "criteria": study.codebook.criteria}
    actors = ratings.measure_disagreement(table, **known)
    assert actors.loc[actors["shared_out"], "actor_id"].to_list() == shared_out
    people = ratings.measure_raters(table, **known)
    assert people.loc[people["uniform"], "rater_id"].to_list() == uniform
    if shared_out:
        camps = actors.set_index("actor_id").loc[shared_out[0], ["n_low", "n_high"]]
        assert camps.to_list() == [3, 3]
        opinions = actors.set_index("actor_id")["n_raters"]
        assert opinions[opinions <= 2].index.to_list() == ["mutuelle-entraide-en-haut"]
