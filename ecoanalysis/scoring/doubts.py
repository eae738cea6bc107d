"""Three doubts, never pooled: raters (scores), raters and weights (ranks), choices (a grid).

`tree` and `means` are one dimension's, as `read_hierarchy` and `read_means` return them; scores are
(draws, actors), made by `score_draws` from draws within one panel, and `actors` one row each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd
from scipy import stats

from ecoanalysis.scoring.composite import Codes, Hierarchy, score_array, score_draws
from ecoanalysis.scoring.scales import (
    TOLERANCE,
    AggregateMethod,
    NormaliseMethod,
    Values,
    rank_array,
)
from ecoanalysis.study.suggest import check_name

Opinion = Literal["fixed", "stated", "open"]

NORMALISATIONS: tuple[NormaliseMethod, ...] = ("goalposts", "minmax", "percentile")
AGGREGATIONS: tuple[AggregateMethod, ...] = ("arithmetic", "geometric", "harmonic")
DOUBTS = ("ratings", "weights", "normalisation", "aggregation")


def measure_concentration(n_weights: int) -> int:
    """Measure c of Dirichlet(c·w): 1 / K, of K weights, has standard deviation 1 / 4K."""
    return 16 * (n_weights - 1) - 1


def draw_weights(
    tree: Hierarchy, *, opinion: Opinion = "stated", draws: int = 1000, seed: int = 0
) -> pd.DataFrame:
    """Draw weights among the parts of each whole: one row a draw, one column a criterion, 0-1.

    "stated" opinions are Dirichlet(c·w) around the declared weights, c as `measure_concentration`
    has it; "open" ones Dirichlet(1), that is none (SMAA-2, Lahdelma & Salminen 2001); "fixed" ones
    are as declared. The parts of a whole sum to 1, weight 0 stays 0.
    """
    check_name(opinion, get_args(Opinion), "opinion")
    rng, found = np.random.default_rng(seed), np.zeros((draws, len(tree.table)))
    for _, parts in tree.groups:
        weight = tree.weights[parts] / tree.weights[parts].sum()
        if opinion != "fixed" and len(parts) > 1:
            stated = measure_concentration(len(parts)) * weight
            weight = rng.dirichlet(stated if opinion == "stated" else np.ones(len(parts)), draws)
        found[:, parts] = weight
    return pd.DataFrame(found, columns=tree.table.index)


def measure_intervals(scores: Values, *, actors: pd.DataFrame) -> pd.DataFrame:
    """Measure low, median and high, 5, 50 and 95 % of the draws of each score (actor_id), 0-100."""
    ends = _take_quantiles(scores, method="linear")
    return pd.DataFrame({"actor_id": actors["actor_id"].to_numpy()} | ends)


def rank_actors(
    scores: Values, *, actors: pd.DataFrame, top: int = 5, panel: Codes | None = None
) -> pd.DataFrame:
    """Rank the actors in every draw, within their own `panel` (one number each) where given.

    One row an actor, missing without a score: actor_id; low, median, high (5, 50 and 95 % of the
    ranks; 1 is best, ties share the best); p_first, p_top (0-1, share of draws in which it is
    first, among the first `top`); n_ranked (int, actors ranked in the panel).
    """
    label = np.zeros(scores.shape[1]) if panel is None else panel
    ranks, n_ranked = np.full(scores.shape, np.nan), np.zeros(scores.shape[1], dtype=np.int64)
    for one in np.unique(label):
        mine = label == one
        ranks[:, mine] = _rank(scores[:, mine])
        n_ranked[mine] = (~np.isnan(scores[:, mine]).all(axis=0)).sum()
    known = (~np.isnan(ranks)).sum(axis=0)
    found = {"actor_id": actors["actor_id"].to_numpy()}
    found |= _take_quantiles(ranks, method="inverted_cdf")
    for name, last in (("p_first", 1), ("p_top", top)):
        found[name] = (ranks <= last).sum(axis=0) / np.where(known, known, np.nan)
    return pd.DataFrame(found | {"n_ranked": n_ranked})


def compare_pairs(
    scores: Values, *, actors: pd.DataFrame, panel: Codes | None = None
) -> pd.DataFrame:
    """Compare every two actors: P(row > column), the share of draws in which one scores higher.

    0-1, ties counted half; missing without a score and between two panels.
    """
    ids = pd.Index(actors["actor_id"])
    wins = np.full((len(ids), len(ids)), np.nan)
    for a in range(len(ids)):
        apart = np.sign(scores[:, [a]] - scores)
        n = (~np.isnan(apart)).sum(axis=0)
        np.divide((np.nansum(apart, axis=0) + n) / 2, n, out=wins[a], where=n > 0)
    if panel is not None:
        wins[panel[:, None] != panel] = np.nan
    return pd.DataFrame(wins, index=ids, columns=ids)


def compare_choices(
    means: pd.DataFrame,
    *,
    tree: Hierarchy,
    normalisations: Sequence[NormaliseMethod] = NORMALISATIONS,
    aggregations: Sequence[AggregateMethod] = AGGREGATIONS,
) -> pd.DataFrame:
    """Compare the ranks that other ways of scoring would give with those of the first way.

    One row a choice and actor: normalisation, aggregation, actor_id; score (in the choice's own
    scale); rank (1 is best, ties share the best); n_lost (int, actors that have a score in the
    first choice only); n_moved (int, those whose rank among the others is not that of the first
    choice; 0: without effect).
    """
    blocks: list[pd.DataFrame] = []
    for way in product(normalisations, aggregations):
        score = score_array(means.to_numpy(), tree=tree, way=way)
        n_lost, moves = _compare_ranks(score, blocks[0]["score"].to_numpy() if blocks else score)
        said = {"normalisation": way[0], "aggregation": way[1], "actor_id": means.index}
        found = {"score": score, "rank": _rank(score), "n_lost": n_lost}
        blocks.append(pd.DataFrame(said | found | {"n_moved": (moves > 0).sum()}))
    return pd.concat(blocks, ignore_index=True)


def compare_removals(means: pd.DataFrame, *, tree: Hierarchy) -> pd.DataFrame:
    """Compare the ranks without each criterion in turn (goalposts, arithmetic mean).

    One row a criterion: criterion; n_lost (int, actors of whom nothing else is known: no score is
    left); among the others n_moved (int, those whose rank changes; 0: no effect), largest_move
    (int, places) and first_id (who is first without it, `;` between).
    """
    whole = score_array(means.to_numpy(), tree=tree)
    each = np.arange(len(tree.leaves))
    without = np.repeat(means.to_numpy()[None], len(each), axis=0)
    without[each, :, each] = np.nan
    scores = score_array(without, tree=replace(tree, minimum_coverage=0))
    scores = np.where(np.isnan(whole), np.nan, scores)
    n_lost, moves = _compare_ranks(scores, whole)
    found = {
        "criterion": tree.codes,
        "n_lost": n_lost,
        "n_moved": (moves > 0).sum(axis=1),
        "largest_move": moves.max(axis=1, initial=0).astype(np.int64),
        "first_id": [";".join(means.index[rank == 1]) for rank in _rank(scores)],
    }
    return pd.DataFrame(found)


def compare_weights(means: pd.DataFrame, *, tree: Hierarchy) -> pd.DataFrame:
    """Compare the weights declared with those that would change the first place.

    One weight at a time moves in steps of a thousandth, the others of the same whole keep their
    ratios (goalposts, arithmetic mean).

    One row a criterion that has siblings: criterion; share (0-1, its weight among them as
    declared); needed_share (0-1, the nearest at which another actor is first; missing if none is);
    first_id (that actor).
    """
    whole = score_array(means.to_numpy(), tree=tree)
    first = whole >= np.fmax.reduce(whole, initial=-np.inf) - TOLERANCE
    rows, tried = [], np.linspace(0, 1, 1001)
    draws = np.broadcast_to(means.to_numpy(), (len(tried), *means.shape))
    score = partial(score_draws, draws, tree=replace(tree, minimum_coverage=0), columns=tree.codes)
    for parts in (parts for _, parts in tree.groups if len(parts) > 1):
        declared = tree.weights[parts] / tree.weights[parts].sum()
        for row, share in zip(parts, declared, strict=True):
            weights = np.tile(tree.weights, (len(tried), 1))
            weights[:, parts] = declared * ((1 - tried) / (1 - share))[:, None]
            weights[:, row] = tried
            scores = score(weights=pd.DataFrame(weights, columns=tree.table.index))
            scores = np.where(np.isnan(scores) | np.isnan(whole), -1, scores)
            others = np.where(first, -1, scores)
            leader = np.where(first, scores, -1).max(axis=1, initial=-1)
            changed = others.max(axis=1, initial=-1) > leader + TOLERANCE
            at = int(np.where(changed, np.abs(tried - share), np.inf).argmin())
            needed = (np.nan, None)
            if changed.any():
                needed = (tried[at], means.index[others[at].argmax()])
            rows.append((tree.table.index[row], share, *needed))
    return pd.DataFrame(rows, columns=["criterion", "share", "needed_share", "first_id"])


def measure_rank_drivers(
    draws: Values,
    *,
    tree: Hierarchy,
    columns: pd.Index,
    normalisations: Sequence[NormaliseMethod] = NORMALISATIONS,
    aggregations: Sequence[AggregateMethod] = AGGREGATIONS,
    n: int = 256,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure which doubt moves the ranks most, by Sobol indices.

    What is explained is the mean over actors of the absolute shift from the ranks of the mean draw,
    goalposts and arithmetic mean (Saisana, Saltelli & Tarantola 2005). All choices are as likely;
    `n`, a power of 2, is the sample size: 6 n scores are made. Returns doubt (`DOUBTS`),
    first_order and total: about 0-1, its share of the variance of that shift, alone and with its
    interactions; missing where nothing moves.
    """
    drawn = draw_weights(tree, draws=len(draws), seed=seed)
    score = partial(score_draws, tree=tree, columns=columns)
    nominal = _rank(score(draws.mean(axis=0, keepdims=True)))
    ways = list(product(normalisations, aggregations))
    sizes = np.array([[len(draws)], [len(drawn)], [len(normalisations)], [len(aggregations)]])

    def shift(uniform: Values) -> Values:
        a, b, i, j = np.minimum(uniform * sizes, sizes - 1).astype(int)
        found = np.zeros(len(a))
        for k, way in enumerate(ways):
            mine = np.flatnonzero(i * len(aggregations) + j == k)
            scores = score(draws[a[mine]], weights=drawn.iloc[b[mine]], way=way)
            found[mine] = np.nansum(np.abs(_rank(scores) - nominal), axis=1)
        return np.asarray(found[None] / max(1, np.isfinite(nominal).sum()))

    indices = {"first_order": np.full(4, np.nan), "total": np.full(4, np.nan)}
    if np.ptp(shift(np.random.default_rng(seed).random((4, n)))) > 0:
        even: Any = [stats.uniform()] * 4
        sobol = stats.sobol_indices(func=shift, n=n, dists=even, rng=seed)
        indices = {"first_order": sobol.first_order.ravel(), "total": sobol.total_order.ravel()}
    return pd.DataFrame({"doubt": DOUBTS} | indices)


def _compare_ranks(scores: Values, first: Values) -> tuple[Any, Values]:
    """How many have a score in `first` alone, and by how many places the others have moved."""
    lost = np.isnan(scores) & ~np.isnan(first)
    moves = np.abs(_rank(scores) - _rank(np.where(np.isnan(scores), np.nan, first)))
    return lost.sum(axis=-1), np.nan_to_num(moves)


def _rank(scores: Values) -> Values:
    """Rank along the last axis; what only the rounding of sums tells apart is tied."""
    return rank_array(np.round(scores, 9))


def _take_quantiles(
    values: Values, *, method: Literal["linear", "inverted_cdf"]
) -> dict[str, Values]:
    """5, 50 and 95 % of what is known of each column."""
    ordered = np.sort(values, axis=0)  # what is missing comes last
    levels, n = np.array([[0.05], [0.5], [0.95]]), (~np.isnan(values)).sum(axis=0)
    at = levels * (n - 1) if method == "linear" else np.ceil(levels * n - TOLERANCE) - 1
    at = np.maximum(at, 0)
    below = np.floor(at).astype(int)
    low, high = (np.take_along_axis(ordered, i, axis=0) for i in (below, np.ceil(at).astype(int)))
    return dict(zip(("low", "median", "high"), low + (high - low) * (at - below), strict=True))
