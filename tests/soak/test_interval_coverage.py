"""How often the 90 % intervals hold the truth, by simulation; writes docs/interval-coverage.md."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecoanalysis import ratings, scoring

TABLE = Path(__file__).parents[2] / "docs/interval-coverage.md"
SEED, REPLICATIONS, DRAWS = 20260711, 500, 400
N_ACTORS, SD_ACTOR, SD_RATER, SD_RESIDUAL = 20, 0.8, 0.5, 0.7
CRITERIA = pd.DataFrame(
    {
        "dimension": "readiness",
        "weight": 1.0,
        "scale_min": 0.0,
        "scale_max": 5.0,
        "direction": 1,
        "per_challenge": "no",
    },
    index=pd.Index(["familiarity", "appetite"]),
)
ACTORS = pd.DataFrame({"actor_id": [f"a{i}" for i in range(N_ACTORS)]})
WAYS = {
    "panel": {"scope": "panel"},
    "other": {"scope": "other"},
    "bootstrap": {"method": "bootstrap"},
}
TEXT = """# Coverage of the intervals

How often a "90 %" interval holds the truth, in simulated panels: {replications} replications a row,
{actors} actors, two criteria from 0 to 5, standard deviations {actor} (actors), {rater} (raters, half
of it common to both criteria) and {residual} (residual), answers rounded to whole points and cut off
at the ends of the scale. Seed {seed}, fixed beforehand. Made by `make soak`.

*Within this panel* is held against what the panel thinks of the actor on average, *for another panel*
against what all such raters think; *bootstrap* is the old way, raters drawn with replacement, held
against the same. From three raters on, both intervals must cover 86 to 97 %; two raters are printed
whatever they give (one difference between two raters says little of how raters differ). Three per
actor, drawn at random, is the complete design where there are three raters.

| design | raters | within, criterion | within, score | other, criterion | other, score | bootstrap, score |
|---|---|---|---|---|---|---|
"""


def _simulate(rng: np.random.Generator, *, n_raters: int, each: int) -> tuple[pd.DataFrame, dict]:
    """Rate every actor by `each` raters drawn at random; return what is true as well."""
    actors = rng.normal(2.5, SD_ACTOR, (N_ACTORS, 1, 2))
    severity = rng.normal(0, SD_RATER / 2**0.5, (1, n_raters, 2))
    severity = severity + rng.normal(0, SD_RATER / 2**0.5, (1, n_raters, 1))
    residual = rng.normal(0, SD_RESIDUAL, (N_ACTORS, n_raters, 2))
    answers = np.clip(np.round(actors + severity + residual), 0, 5)
    drawn = rng.random((N_ACTORS, n_raters)).argsort(axis=1).argsort(axis=1) < each
    a, r, c = np.nonzero(np.repeat(drawn[:, :, None], 2, axis=2))
    table = pd.DataFrame(
        {
            "actor_id": ACTORS["actor_id"].to_numpy()[a],
            "rater_id": [f"r{i}" for i in r],
            "criterion": CRITERIA.index[c],
            "value": answers[a, r, c],
        }
    )
    truth = {"panel": (actors + severity.mean(axis=1, keepdims=True))[:, 0], "other": actors[:, 0]}
    return table, truth | {"bootstrap": actors[:, 0]}


def _measure_coverage(*, n_raters: int, each: int) -> dict[str, float]:
    rng = np.random.default_rng([SEED, n_raters, each])
    raters = pd.DataFrame({"rater_id": [f"r{i}" for i in range(n_raters)], "actor_id": None})
    tree = scoring.read_hierarchy(CRITERIA, dimension="readiness")
    held: dict[str, list[float]] = {}
    for seed in range(REPLICATIONS):
        table, truth = _simulate(rng, n_raters=n_raters, each=each)
        fit = ratings.fit_panel(table, raters=raters, criteria=CRITERIA, actors=ACTORS)
        for name, way in WAYS.items():
            draws = ratings.draw_actor_effects(fit, draws=DRAWS, seed=seed, **way)
            low, high = np.nanquantile(draws, [0.05, 0.95], axis=0)
            inside = (low <= truth[name]) & (truth[name] <= high)
            held.setdefault(f"{name}, criterion", []).append(inside.mean())
            scores = scoring.score_draws(draws, tree=tree, columns=fit.criteria)
            low, high = np.nanquantile(scores, [0.05, 0.95], axis=0)
            true = np.clip(truth[name], 0, 5).mean(axis=1) * 20
            inside = (low <= true) & (true <= high)
            held.setdefault(f"{name}, score", []).append(inside.mean())
    return {name: float(np.mean(shares)) for name, shares in held.items()}


@pytest.mark.soak
def test_both_intervals_cover_what_they_say() -> None:
    columns = ["panel, criterion", "panel, score", "other, criterion", "other, score"]
    rows, faults = [], []
    for n_raters in (2, 3, 5, 8):
        for design, each in (("complete", n_raters), ("three per actor", 3)):
            if each > n_raters or (design != "complete" and n_raters == 3):
                continue  # the same as complete
            found = _measure_coverage(n_raters=n_raters, each=each)
            cells = [f"{100 * found[name]:.1f} %" for name in [*columns, "bootstrap, score"]]
            rows.append(f"| {design} | {n_raters} | {' | '.join(cells)} |")
            outside = {name: found[name] for name in columns if not 0.86 <= found[name] <= 0.97}
            faults += [(design, n_raters, outside)] if outside and n_raters >= 3 else []
    head = TEXT.format(
        replications=REPLICATIONS, actors=N_ACTORS, actor=SD_ACTOR, rater=SD_RATER,
        residual=SD_RESIDUAL, seed=SEED,
    )  # fmt: skip
    TABLE.write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    assert not faults
