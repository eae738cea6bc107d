"""The flow of one territory: what is known of its ratings, and how surely, in tables."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import write_ratings

from ecoanalysis import pipeline
from ecoanalysis.pipeline import TerritoryResult, run_territory
from ecoanalysis.study import read_study

DATA = Path(__file__).parents[1] / "data"
TRAINING = DATA / "training"
DOUBTS = ["ranks", "choices", "removals", "weights_needed", "rank_drivers"]
DOUBTS += ["contributions", "effects", "panels"]


@pytest.fixture(scope="module")
def haute_brume() -> TerritoryResult:
    return run_territory(read_study(TRAINING), "haute-brume")


def test_draws_are_of_all_actors_and_criteria_and_seeded(haute_brume: TerritoryResult) -> None:
    drawn = haute_brume.draws
    actors = haute_brume.tables["actors"]["actor_id"]
    # 23 criteria were asked in general; concern is asked challenge by challenge.
    assert drawn.array.shape == (500, 32, 23) == (500, len(actors), len(drawn.criteria))
    assert list(drawn.actors) == list(actors)
    unrated = ~actors.isin(haute_brume.tables["averages"]["actor_id"]).to_numpy()
    assert np.array_equal(np.isnan(drawn.array).all(axis=(0, 2)), unrated)
    assert np.array_equal(drawn.panel == -1, unrated)
    again = run_territory(read_study(TRAINING), "haute-brume")
    assert np.array_equal(again.draws.array, drawn.array, equal_nan=True)


def test_each_score_and_rank_has_its_interval(haute_brume: TerritoryResult) -> None:
    scores = haute_brume.tables["scores"]
    known = scores.dropna(subset="score")
    ends = known[["low", "median", "high"]].to_numpy()
    assert ((ends >= 0) & (ends <= 100)).all() and (np.diff(ends) > 0).all()
    assert scores.loc[scores["score"].isna(), ["low", "high", "other_low"]].isna().all(axis=None)
    ranks = haute_brume.tables["ranks"]
    assert set(zip(ranks["dimension"], ranks["weights"], strict=True)) == {
        ("readiness", w) for w in ("fixed", "stated", "open")
    }
    # 30 of the 32 were rated; the more is doubted, the wider the interval of ranks.
    assert (ranks["n_ranked"] == 30).all()
    assert ranks.groupby("weights")["p_first"].sum().ge(1 - 1e-9).all()
    width = (ranks["high"] - ranks["low"]).groupby(ranks["weights"]).mean()
    assert width["fixed"] < width["stated"] < width["open"]


def test_the_uncertain_rank_is_the_least_sure_score(haute_brume: TerritoryResult) -> None:
    """Planted: two informants, 5 and 1 on both criteria; everybody else has three or more."""
    scores = haute_brume.tables["scores"].query("dimension == 'readiness'").set_index("actor_id")
    width = scores["high"] - scores["low"]
    assert width.idxmax() == "mutuelle-entraide-en-haut"
    assert scores["n_raters"].where(scores["n_raters"] > 0).idxmin() == width.idxmax()


def test_contributions_add_up_to_the_score(haute_brume: TerritoryResult) -> None:
    tables = haute_brume.tables
    added = tables["contributions"].groupby(["dimension", "actor_id"])["contribution"].sum()
    assert set(tables["contributions"]["dimension"]) == {"readiness", "resource"}
    score = tables["scores"].set_index(["dimension", "actor_id"])["score"].dropna()
    assert np.allclose(added, score[added.index])


def test_nobody_rated_gives_empty_tables_of_the_same_columns(
    good_study: Path, haute_brume: TerritoryResult
) -> None:
    (good_study / "ratings.csv").unlink()
    result = run_territory(read_study(good_study), "kabara")
    assert result.draws.array.shape == (500, 5, 0)
    for name in [*DOUBTS, "scores"]:
        assert result.tables[name].empty
        assert list(result.tables[name]) == list(haute_brume.tables[name])


def test_one_rater_has_scores_but_neither_interval_nor_rank(good_study: Path) -> None:
    rows = [
        f"{actor},r2,{criterion},{value}"
        for actor, value in (("fablab", 5), ("banque", 2))
        for criterion in ("familiarity", "appetite")
    ]
    write_ratings(good_study, rows)
    tables = run_territory(read_study(good_study), "kabara").tables
    assert tables["panels"]["reason"].tolist() == ["one_rater"]
    scores = tables["scores"].set_index("actor_id")
    assert scores.loc["fablab", "score"] == 100 and scores.loc["banque", "score"] == 40
    assert scores[["low", "high", "other_low"]].isna().all(axis=None)
    assert tables["ranks"][["low", "high", "p_first", "p_top"]].isna().all(axis=None)
    assert (tables["ranks"]["n_ranked"] == 0).all()


def test_unconnected_panels_are_ranked_apart(good_study: Path) -> None:
    """Two pairs of raters who share no actor: nobody can say whose pair is more severe."""
    rows = [
        ("mairie", "r1", 5), ("mairie", "r2", 4), ("fablab", "r1", 1), ("fablab", "r2", 1),
        ("ecole", "r3", 3), ("ecole", "r4", 2), ("femmes", "r3", 5), ("femmes", "r4", 5),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["actor_id", "rater_id", "value"])
    table = table.assign(territory_id="kabara").merge(
        pd.DataFrame({"criterion": ["familiarity", "appetite"]}), how="cross"
    )
    table.to_csv(good_study / "ratings.csv", index=False)
    raters = pd.DataFrame({"rater_id": ["r1", "r2", "r3", "r4"], "role": "expert"})
    raters.assign(territory_id="kabara").to_csv(good_study / "raters.csv", index=False)
    (good_study / "positions.csv").unlink()
    (good_study / "influences.csv").unlink()
    tables = run_territory(read_study(good_study), "kabara").tables
    assert tables["panels"][["n_actors", "n_raters"]].to_numpy().tolist() == [[2, 2], [2, 2]]
    ranks = tables["ranks"].query("dimension == 'readiness' and weights == 'fixed'")
    assert (ranks["n_ranked"] == 2).all() and (ranks["high"] <= 2).all()
    assert ranks.set_index("actor_id").loc[["mairie", "femmes"], "median"].tolist() == [1, 1]


def test_the_least_coverage_reaches_the_draws(good_study: Path) -> None:
    """Rated on familiarity alone, of weight 2 to 1 in this study: a coverage of two thirds."""
    rows = [
        f"{actor},{rater},familiarity,{value}"
        for actor, rater, value in (
            ("fablab", "r1", 5), ("fablab", "r2", 3), ("banque", "r1", 2), ("banque", "r2", 1)
        )
    ]  # fmt: skip
    write_ratings(good_study, rows)
    study = read_study(good_study)
    assert not run_territory(study, "kabara").tables["scores"]["low"].dropna().empty
    strict = run_territory(study, "kabara", minimum_coverage=0.9).tables
    assert strict["scores"]["low"].isna().all() and strict["ranks"]["low"].isna().all()


def test_the_least_coverage_reaches_the_partners(good_study: Path) -> None:
    """Of the fab-lab its position and one of two questions on readiness are known: 1.5 of 4."""
    study = read_study(good_study)
    for least, want in ((0.5, []), (0.375, ["fablab"]), (0.4, [])):
        found = run_territory(study, "kabara", minimum_coverage=least).tables["partners"]
        assert found.loc[found["list"] == "contribute", "actor_id"].tolist() == want


@pytest.mark.parametrize(("rater", "fillers"), [("r1", "banque"), ("r2", "")])
def test_who_elsewhere_could_fill_a_gap_is_not_what_it_says_of_itself(
    good_study: Path, rater: str, fillers: str
) -> None:
    """r2 is of the bank, which it gives 5 of 5; r1 of the mayor's office."""
    for name, old, new in (
        ("raters", "kabara,r2,,", "kabara,r2,banque,"),
        ("ratings", "nioro,radio,r1,familiarity,3", "nioro,commune,r1,resource_financial,1"),
        ("ratings", "fablab,r2,familiarity,4", f"banque,{rater},resource_financial,5"),
    ):
        file = good_study / f"{name}.csv"
        file.write_text(file.read_text("utf-8").replace(old, new), encoding="utf-8")
    lacks = run_territory(read_study(good_study), "nioro").tables["shortfalls"]
    lacks = lacks[lacks["subject"] == "resource_financial"]
    assert lacks[["most", "fillers"]].to_numpy().tolist() == [[0.2, fillers]]


def test_influences_have_their_interval_where_nothing_else_was_asked(good_study: Path) -> None:
    (good_study / "ratings.csv").unlink()
    pairs = itertools.permutations(["mairie", "fablab", "banque", "ecole"], 2)
    rows = [(*pair, f"r{k}", 2 + (i + k) % 2) for i, pair in enumerate(pairs) for k in (1, 2)]
    pd.DataFrame(rows, columns=["source_id", "target_id", "rater_id", "value"]).assign(
        territory_id="kabara"
    ).to_csv(good_study / "influences.csv", index=False)
    found = run_territory(read_study(good_study), "kabara").tables["mactor"]
    assert len(found) == 4
    assert (found["low"] < found["high"]).all()


def test_a_question_is_asked_once_with_how_many_it_is_open_of(good_study: Path) -> None:
    """Of the guide's ten kinds Kabara lists a mayor, a bank, a school and a union of women."""
    found = run_territory(read_study(good_study), "kabara").tables["questions"]
    assert found.to_numpy().tolist() == [["missing_kind", 6]]


def test_options_out_of_range_are_refused() -> None:
    with pytest.raises(pipeline.UsageError, match="minimum_coverage"):
        run_territory(read_study(TRAINING), "haute-brume", minimum_coverage=2)
    with pytest.raises(pipeline.UsageError, match="draws must be 1 or more, not 0"):
        run_territory(read_study(TRAINING), "haute-brume", draws=0)


@pytest.mark.parametrize("storage", ["python", "pyarrow"])
@pytest.mark.parametrize(
    ("study", "territory_id", "n_actors"),
    # Counted by hand in the actors tables.
    [("cabo-verde", "sao-vicente", 27), ("training", "rive-songe", 43)],
)
def test_text_is_read_alike_with_and_without_arrow(
    study: str, territory_id: str, n_actors: int, storage: str
) -> None:
    with pd.option_context("mode.string_storage", storage):
        tables = pipeline.run_territory(read_study(DATA / study), territory_id).tables
    assert len(tables["actors"]) == n_actors
    assert tables["disagreement"].empty is (study != "training")


def test_a_scenario_gives_the_numbers_of_its_weights(
    tmp_path: Path, haute_brume: TerritoryResult
) -> None:
    """Familiarity alone: the score is its mean on 0 to 100 (a weight of 0 leaves appetite out)."""
    file = tmp_path / "scenario.yaml"
    file.write_text("weights: {familiarity: 3, appetite: 0}\nminimum_coverage: 1", "utf-8")
    result = run_territory(read_study(TRAINING), "haute-brume", scenario=file)
    assert result.parameters == {
        "minimum_coverage": 1, "draws": 500, "weights": {"familiarity": 3, "appetite": 0}
    }  # fmt: skip
    means = haute_brume.tables["averages"].query("criterion == 'familiarity'")
    scores = result.tables["scores"].query("dimension == 'readiness'").set_index("actor_id")
    assert np.allclose(scores.loc[means["actor_id"], "score"], 20 * means["mean"])
    assert not np.allclose(
        result.tables["ranks"]["median"].head(30), haute_brume.tables["ranks"]["median"].head(30)
    )
