"""Scores: criteria added up along their hierarchy, for averages and for draws alike."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.scoring.scales import (
    TOLERANCE,
    AggregateMethod,
    NormaliseMethod,
    Scales,
    Values,
    add_array,
    check_scales,
    read_scales,
    read_weights,
    refuse,
    refuse_outside,
    scale_array,
)

Codes = npt.NDArray[np.intp]
Groups = list[tuple[int, Codes]]
Way = tuple[NormaliseMethod, AggregateMethod]

PLAIN: Way = ("goalposts", "arithmetic")
UNSCORED = "desk"
PERCENT = ("percentile", "best_distance", "best_fraction")
ON_RATIOS = ("geometric", "harmonic")
BLOCK = 2**19  # numbers scored at a time: few calls, and about what a cache holds
SCORE_COLUMNS = {
    "actor_id": "str", "dimension": "str", "score": "float64", "coverage": "float64",
    "range_low": "float64", "range_high": "float64", "n_raters": "int64",
}  # fmt: skip


@dataclass(frozen=True)
class Hierarchy:
    """The criteria of one dimension, how they add up, and the coverage (0-1) of a score shown.

    `table` is indexed by code. `leaves` are rows of the criteria to be rated: neither made up of
    others nor of weight 0. `groups` are (row of a criterion or -1 for the dimension, rows of its
    parts), the lowest first. `weights` are those declared, `shares` (0-1) those in the dimension,
    were all known. `scales` are those of the leaves.
    """

    table: pd.DataFrame
    leaves: Codes
    groups: Groups
    weights: Values
    shares: Values
    scales: Scales
    minimum_coverage: float

    @property
    def codes(self) -> pd.Index:
        """Codes of the leaves."""
        return self.table.index[self.leaves]

    @property
    def worst(self) -> Values:
        """The least favourable value of each leaf."""
        low, high, direction = self.scales
        return np.where(direction > 0, low, high)

    @property
    def best(self) -> Values:
        """The most favourable value of each leaf."""
        low, high, direction = self.scales
        return np.where(direction > 0, high, low)


def read_hierarchy(
    criteria: pd.DataFrame, *, dimension: str, minimum_coverage: float = 0.5
) -> Hierarchy:
    """Read how the criteria of a dimension add up.

    Criteria are indexed by code: dimension, weight, scale_min, scale_max, direction; optionally
    parent. Whose parent is another criterion of the dimension is a part of it; all others are parts
    of the dimension. Weight 0 leaves a criterion out, with its parts. Weights that are missing,
    negative or sum to 0, a criterion that is a part of itself, and a coverage that is not from 0
    to 1 are a UsageError.
    """
    if not 0 <= minimum_coverage <= 1:
        raise UsageError(f"minimum_coverage must lie between 0 and 1, not {minimum_coverage}")
    table = criteria[criteria["dimension"] == dimension]
    parent = table.get("parent", pd.Series("", index=table.index))
    up = table.index.get_indexer(pd.Index(parent.where(parent != dimension, None)))
    up = above = np.where(up == np.arange(len(table)), -1, up)
    for _ in range(len(table)):
        above = np.where(above >= 0, up[above], -1)
    refuse(above >= 0, names=table.index, fault="criteria that are parts of themselves")
    groups: Groups = []
    waiting = [-1]
    for row in waiting:
        siblings = np.flatnonzero(up == row)
        weight = read_weights(table["weight"], criteria=table.index[siblings])
        groups.insert(0, (row, siblings[weight > 0]))
        waiting += [int(part) for part in groups[0][1] if (up == part).any()]
    weights = table["weight"].to_numpy(dtype=float)
    shares = share_out(weights, groups)
    leaves = np.setdiff1d(np.flatnonzero(shares), waiting)
    scales = read_scales(table, criteria=table.index[leaves])
    return Hierarchy(table, leaves, groups, weights, shares, scales, minimum_coverage)


def share_out(weights: Values, groups: Groups) -> Values:
    """Share a dimension out among its criteria by weights (..., criteria): 0-1 of the whole."""
    shares = np.zeros((*weights.shape[:-1], weights.shape[-1] + 1))
    shares[..., -1] = 1
    for row, parts in reversed(groups):
        mine = weights[..., parts]
        total = mine.sum(axis=-1, keepdims=True)
        shares[..., parts] = shares[..., [row]] * mine / np.where(total > 0, total, 1)
    return shares[..., :-1]


def read_means(averages: pd.DataFrame, *, tree: Hierarchy, actors: pd.DataFrame) -> pd.DataFrame:
    """Lay the averages of one dimension out: one row an actor, one column a leaf of the hierarchy.

    Missing where nobody gave a value. A value outside its scale, or a rating of a criterion that is
    made up of others, is a UsageError.
    """
    inner = tree.table.index[[row for row, _ in tree.groups[:-1]]]
    rated = inner.isin(averages.loc[averages["mean"].notna(), "criterion"])
    refuse(rated, names=inner, fault="criteria rated although they are made up of others")
    means = _widen(averages, "mean", actors=actors, codes=tree.codes)
    refuse_outside(means, scales=tree.table)
    return means


def score_actors(
    averages: pd.DataFrame,
    *,
    criteria: pd.DataFrame,
    actors: pd.DataFrame,
    minimum_coverage: float = 0.5,
) -> pd.DataFrame:
    """Score every actor on each dimension that anybody was asked about; desk evidence never is.

    Averages are those of `average_ratings`, criteria as in `read_hierarchy`; a score is shown where
    at least the share `minimum_coverage` (0-1) of the weights is answered. Weights or scales that
    cannot serve, and an average of no actor listed, are a UsageError.

    There is one row a dimension and actor: actor_id, dimension; score (0-100, weighted mean of the
    known criteria); coverage (0-1, share of the dimension's weights that is answered); range_low,
    range_high (0-100, the score were all missing answers lowest or highest; actors whose ranges
    overlap are not ordered by what is known); n_raters (int, most raters on one of the criteria).
    """
    strangers = sorted(set(averages["actor_id"]) - set(actors["actor_id"]))
    if strangers:
        raise UsageError(f"ratings of actors that are not listed: {', '.join(strangers[:5])}")
    blocks = [pd.DataFrame(columns=list(SCORE_COLUMNS))]
    asked = criteria.loc[criteria.index.isin(averages["criterion"]), "dimension"]
    for dimension in asked[asked != UNSCORED].unique():
        tree = read_hierarchy(criteria, dimension=dimension, minimum_coverage=minimum_coverage)
        means = read_means(averages, tree=tree, actors=actors)
        n_raters = _widen(averages, "n_raters", actors=actors, codes=tree.table.index)
        block = {
            "actor_id": means.index,
            "dimension": dimension,
            "score": score_array(means.to_numpy(), tree=tree),
            "coverage": means.notna().to_numpy() @ tree.shares[tree.leaves],
            "range_low": score_array(np.where(means.isna(), tree.worst, means), tree=tree),
            "range_high": score_array(np.where(means.isna(), tree.best, means), tree=tree),
            "n_raters": n_raters.max(axis=1).fillna(0).to_numpy(),
        }
        blocks.append(pd.DataFrame(block))
    return pd.concat(blocks[len(blocks) > 1 :], ignore_index=True).astype(SCORE_COLUMNS)


def score_draws(
    draws: Values,
    *,
    tree: Hierarchy,
    columns: pd.Index,
    weights: pd.DataFrame | None = None,
    way: Way = PLAIN,
) -> Values:
    """Score every draw of every actor on one dimension, as `score_actors` scores averages.

    Draws are (draws, actors, criteria) in the criteria's own scales; `columns` are the codes along
    the last axis; a leaf that is not there is missing. `weights` has one row a draw, as
    `draw_weights` returns them. `way` is the normalisation and the aggregation: shares of the best
    and the like count as percentages, geometric and harmonic means are taken on 1-100. Returns
    (draws, actors), on goalposts 0-100; draws beyond the ends of a scale count as its ends.
    """
    at, scores = columns.get_indexer(tree.codes), np.empty(draws.shape[:2])
    drawn = None if weights is None else weights[tree.table.index].to_numpy(float)[:, None]
    wide = draws.shape[1] if way[1] == "copeland" else len(at)
    step = max(1, BLOCK // max(1, draws.shape[1] * wide))
    room = np.empty((step, draws.shape[1], len(at)))
    for rows in (slice(first, first + step) for first in range(0, len(draws), step)):
        part = draws[rows]
        if not np.array_equal(at, np.arange(part.shape[-1])):
            part = np.pad(part, ((0, 0), (0, 0), (0, 1)), constant_values=np.nan)[..., at]
        mine = None if drawn is None else drawn[rows]
        if way == PLAIN:
            scores[rows] = _score_known(part, tree=tree, weights=mine, room=room[: len(part)])
        if way != PLAIN or np.isnan(scores[rows]).any():
            scores[rows] = score_array(part, tree=tree, weights=mine, way=way)
    return scores


def measure_contributions(means: pd.DataFrame, *, tree: Hierarchy) -> pd.DataFrame:
    """Measure what each criterion adds to each score (goalposts, arithmetic mean).

    One row an actor and criterion: actor_id, criterion; value (0-100, the criterion alone; missing
    if not known); share (0-1, its weight among the criteria that are known of this actor);
    contribution (points, value × share; they add up to the score).
    """
    value = scale_array(means.to_numpy(), method="goalposts", scales=tree.scales)
    counted = np.zeros((len(means), len(tree.table)))
    counted[:, tree.leaves] = means.notna()
    for row, parts in tree.groups[:-1]:
        counted[:, row] = counted[:, parts].any(axis=1)
    share = share_out(counted * tree.weights, tree.groups)[:, tree.leaves]
    cells = {"value": value, "share": share, "contribution": value * share}
    rows = pd.MultiIndex.from_product([means.index, tree.codes], names=["actor_id", "criterion"])
    flat = {name: cell.ravel() for name, cell in cells.items()}
    return pd.DataFrame(flat, index=rows).reset_index()


def score_array(
    values: Values, *, tree: Hierarchy, weights: Values | None = None, way: Way = PLAIN
) -> Values:
    """Score (..., actors, leaves), in their own scales; missing under the least coverage."""
    check_scales(tree.scales, names=tree.codes, method=way[0])
    nodes = np.full((*values.shape[:-1], len(tree.table) + 1), np.nan)
    nodes[..., tree.leaves] = _scale(values, tree=tree, way=way)
    weights = tree.weights if weights is None else weights
    for row, parts in tree.groups:  # the dimension itself, -1, comes last
        mine = weights[..., parts]
        nodes[..., row] = add_array(nodes[..., parts], weight=mine, method=way[1])
    coverage = ~np.isnan(values) @ tree.shares[tree.leaves]
    return np.where(coverage >= tree.minimum_coverage - TOLERANCE, nodes[..., -1], np.nan)


def _scale(values: Values, *, tree: Hierarchy, way: Way) -> Values:
    """Normalise (..., actors, leaves) for an aggregation: on 1-100 or 1-n where 0 would annul."""
    normalisation, aggregation = way
    scaled = scale_array(values, method=normalisation, scales=tree.scales)
    if normalisation in PERCENT:
        scaled = 100 * scaled
    if aggregation not in ON_RATIOS or normalisation == "rank":
        return scaled
    if normalisation == "zscore":
        raise UsageError(f"a {aggregation} mean cannot be taken of z-scores, which have no zero")
    return scaled + 1 if normalisation == "borda" else 1 + 0.99 * scaled


def _score_known(
    values: Values, *, tree: Hierarchy, weights: Values | None, room: Values
) -> Values:
    """Score goalposts by their arithmetic mean as one product; missing where anything is."""
    check_scales(tree.scales, names=tree.codes, method="goalposts")
    low, high, direction = tree.scales
    one_scale = (low == low[0]).all() and (high == high[0]).all()
    ends = (low[0], high[0]) if one_scale else np.tile([[low], [high]], (values.shape[-2], 1))
    shares = tree.shares if weights is None else share_out(weights, tree.groups)
    slope = 100 * direction / (high - low) * shares[..., tree.leaves]
    np.clip(values, *ends, out=room)
    if slope.ndim == 1:
        score = (room.reshape(-1, len(slope)) @ slope).reshape(room.shape[:-1])
    else:
        score = np.matmul(room, np.swapaxes(slope, -1, -2))[..., 0]
    score -= (slope * tree.worst).sum(axis=-1)
    return np.asarray(np.clip(score, 0, 100, out=score))


def _widen(
    averages: pd.DataFrame, column: str, *, actors: pd.DataFrame, codes: pd.Index
) -> pd.DataFrame:
    wide = averages.pivot_table(column, "actor_id", "criterion")
    return wide.reindex(index=pd.Index(actors["actor_id"]), columns=codes).astype(float)
