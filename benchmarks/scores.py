"""Scores and ranks over draws beside plain numpy and scikit-criteria; a large study; the explorer.

Each row holds the medians of rounds in which ours and the peer take turns. scikit-criteria is timed
on 20 draws and scaled, since it takes them one by one. Times are those of the processor, so that
what else the machine does counts little; start it with OPENBLAS_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from ecoanalysis import ratings, scoring
from ecoanalysis.scoring.scales import rank_array

DRAWS, ACTORS, CRITERIA, SOME, ROUNDS = 1_000, 1_000, 20, 20, 5


def list_criteria(n: int) -> pd.DataFrame:
    """Criteria of one dimension on 0 to 5, weights 1, 2, 3 and so on."""
    codes = pd.Index([f"c{i}" for i in range(n)])
    table = {"dimension": "readiness", "scale_min": 0.0, "scale_max": 5.0, "direction": 1}
    return pd.DataFrame(
        table | {"weight": np.arange(1.0, n + 1), "per_challenge": "no"}, index=codes
    )


def time_turns(*works: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    """Take turns; return the median seconds of each."""
    spent: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, times in zip(works, spent, strict=True):
            start = time.process_time()
            work()
            times.append(time.process_time() - start)
    return [statistics.median(times) for times in spent]


def show_row(work: str, ours: str, peer: str, ratio: str, target: str) -> None:
    """Print one row of the table of results."""
    print("|", " | ".join([work, ours, peer, ratio, target]), "|", flush=True)


def compare_scores() -> None:
    """Scores against numpy's floor, scores and ranks against scikit-criteria."""
    from skcriteria import mkdm
    from skcriteria.agg.simple import WeightedSumModel
    from skcriteria.pipelines import mkpipe
    from skcriteria.preprocessing.scalers import MinMaxScaler, SumScaler

    whole = mkpipe(MinMaxScaler(target="matrix"), SumScaler(target="weights"), WeightedSumModel())

    criteria = list_criteria(CRITERIA)
    tree = scoring.read_hierarchy(criteria, dimension="readiness")
    draws = np.random.default_rng(1).normal(2.5, 1.2, (DRAWS, ACTORS, CRITERIA))
    actors = pd.DataFrame({"actor_id": [f"a{i}" for i in range(ACTORS)]})
    weights = criteria["weight"].to_numpy() / criteria["weight"].sum()
    room = np.empty_like(draws)

    def score() -> np.ndarray:
        return scoring.score_draws(draws, tree=tree, columns=tree.codes)

    def score_plainly() -> None:
        (np.clip(draws, 0, 5, out=room).reshape(-1, CRITERIA) @ (20 * weights)).reshape(DRAWS, -1)

    ours, plain = time_turns(score, score_plainly)
    size = f"{DRAWS:,} draws × {ACTORS:,} actors × {CRITERIA} criteria"
    show_row(f"scores, {size} / plain numpy", f"{ours:.3g} s", f"{plain:.3g} s",
             f"{ours / plain:.2f} ×", "≤ 2 ×")  # fmt: skip

    def rank_one_by_one() -> None:
        for draw in draws[:SOME]:
            whole.evaluate(mkdm(draw, [max] * CRITERIA, weights=weights))

    ours, summed, peer = time_turns(
        lambda: rank_array(np.round(score(), 9)),
        lambda: scoring.rank_actors(score(), actors=actors),
        rank_one_by_one,
    )
    peer *= DRAWS / SOME
    for work, seconds, target in (
        ("scores and ranks", ours, "≥ 60 × faster"),
        ("the same, with rank intervals and P(top k)", summed, "–"),
    ):
        show_row(f"{work}, {size} / scikit-criteria ({SOME} draws, scaled)", f"{seconds:.3g} s",
                 f"{peer:.3g} s", f"{peer / seconds:.0f} ×", target)  # fmt: skip


def rank_many(n: int) -> None:
    """Fit, draw, score and rank that many actors in this process; print its peak memory."""
    criteria, rng = list_criteria(CRITERIA), np.random.default_rng(1)
    ids = np.array([f"a{i}" for i in range(n)])
    rows = pd.MultiIndex.from_product([ids, criteria.index], names=["actor_id", "criterion"])
    answers = pd.concat(
        [rows.to_frame(index=False).assign(rater_id=f"r{r}") for r in range(3)], ignore_index=True
    )
    answers["value"] = rng.integers(0, 6, len(answers)).astype(float)
    raters = pd.DataFrame({"rater_id": ["r0", "r1", "r2"], "actor_id": None, "role": "expert"})
    actors = pd.DataFrame({"actor_id": ids})
    start = time.process_time()
    fit = ratings.fit_panel(answers, raters=raters, criteria=criteria, actors=actors)
    tree = scoring.read_hierarchy(criteria, dimension="readiness")
    scores = np.concatenate([
        scoring.score_draws(block, tree=tree, columns=fit.criteria)
        for block in ratings.stream_actor_effects(fit, draws=500)
    ])  # fmt: skip
    scoring.measure_intervals(scores, actors=actors)
    scoring.rank_actors(scores, actors=actors)
    seconds = time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    show_row(f"fit, 500 draws, scores and ranks of {n:,} actors × {CRITERIA} criteria",
             f"{seconds:.3g} s, {peak:.2f} GB", "–", "–", "≤ 4 GB")  # fmt: skip


def move_weight(n: int) -> None:
    """Move one weight of the explorer in a territory of that many actors, all of them rated."""
    from ecoanalysis import explorer
    from ecoanalysis.study import read_study

    study = read_study(Path(__file__).parents[1] / "data" / "training")
    town = study.tables["actors"]["territory_id"] == "rive-songe"
    one = study.tables["actors"][town].head(1)
    actors = pd.concat(
        [one.assign(actor_id=f"a{i}", name=f"Actor {i}") for i in range(n)], ignore_index=True
    )
    rows = pd.MultiIndex.from_product(
        [actors["actor_id"], ["familiarity", "appetite", "knows_local_issues"],
         ["r0", "r1", "r2", "r3"]], names=["actor_id", "criterion", "rater_id"],
    )  # fmt: skip
    answers = rows.to_frame(index=False).assign(territory_id="rive-songe", dont_know=False)
    answers["value"] = np.random.default_rng(1).integers(0, 6, len(answers)).astype(float)
    raters = pd.DataFrame({"rater_id": ["r0", "r1", "r2", "r3"]}).assign(territory_id="rive-songe")
    tables = {name: table.iloc[:0] for name, table in study.tables.items()} | {
        "territories": study.tables["territories"].query("territory_id == 'rive-songe'"),
        "actors": actors,
        "ratings": answers.reindex(columns=study.tables["ratings"].columns),
        "raters": raters.reindex(columns=study.tables["raters"].columns),
    }
    box = explorer.show_explorer(type(study)(**(vars(study) | {"tables": tables})), language="en")
    slider, spent = box.children[1], []
    for value in np.arange(0.25, 5, 0.25):
        start = time.process_time()
        slider.value = value
        spent.append(time.process_time() - start)
    show_row(f"a weight moved in the explorer, {n} actors, in the kernel",
             f"{1000 * statistics.median(spent):.0f} ms", "–", "–", "≤ 200 ms")  # fmt: skip


def main() -> None:
    """Print the rows; `--many` is what a process of its own is started with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--many", type=int)
    many = parser.parse_args().many
    if many:
        rank_many(many)
        return
    compare_scores()
    subprocess.run([sys.executable, __file__, "--many", "100000"], check=True)
    move_weight(200)


if __name__ == "__main__":
    main()
