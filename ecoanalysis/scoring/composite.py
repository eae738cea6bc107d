"""Scores: criteria added up along their hierarchy, for averages and for draws alike."""

from __future__ import annotations

from collections.abc import Iterable
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

UNSCORED = "desk"
PERCENT = ("percentile", "best_distance", "best_fraction")
ON_RATIOS = ("geometric", "harmonic")
BLOCK = 2**19  # numbers scored at a time: few calls, and about what a cache holds
SCORE_COLUMNS = (
    "actor_id", "dimension", "score", "coverage", "range_low", "range_high", "n_raters",
)  # fmt: skip


@dataclass(frozen=True)
class Hierarchy:
    """The criteria of one dimension and how they add up.

    `table` is indexed by code. `leaves` are rows of the criteria to be rated: neither made up of
    others nor of weight 0. `groups` are (row of a criterion or -1 for the dimension, rows of its
    parts), the lowest first. `weights` are those declared, `shares` (0-1) those in the dimension,
    were all known. `scales` are lowest value, highest value and direction of the leaves.
    """

    table: pd.DataFrame
    leaves: Codes
    groups: tuple[tuple[int, Codes], ...]
    weights: Values
    shares: Values
    scales: Scales

    @property
    def codes(self) -> pd.Index:
        """Codes of the leaves."""
        return self.table.index[self.leaves]


def read_hierarchy(criteria: pd.DataFrame, *, dimension: str) -> Hierarchy:
    """Read how the criteria of a dimension add up.

    Criteria are indexed by code: dimension, weight, scale_min, scale_max, direction; optionally
    parent. Whose parent is another criterion of the dimension is a part of it; all others are parts
    of the dimension. Weight 0 leaves a criterion out, with its parts. Weights that are missing,
    negative or sum to 0, or a criterion that is a part of itself, are a UsageError.
    """
    table = criteria[criteria["dimension"] == dimension]
    weights, rows = read_weights(table["weight"], criteria=table.index), np.arange(len(table))
    parent = table["parent"] if "parent" in table.columns else pd.Series("", index=table.index)
    up = table.index.get_indexer(pd.Index(parent.where(parent != dimension, None)))
    up = above = np.where(up == rows, -1, up)
    for _ in rows:
        above = np.where(above >= 0, up[above], -1)
    refuse(above >= 0, names=table.index, fault="criteria that are parts of themselves")
    groups, shares, waiting = [], np.zeros(len(table)), [-1]
    for row in waiting:
        siblings = np.flatnonzero(up == row)
        parts = siblings[weights[siblings] > 0]
        if not len(parts):
            raise UsageError(f"weights sum to 0: {', '.join(map(str, table.index[siblings]))}")
        whole = 1.0 if row < 0 else shares[row]
        shares[parts] = whole * weights[parts] / weights[parts].sum()
        groups.append((row, parts))
        waiting += [int(part) for part in parts if (up == part).any()]
    leaves = np.setdiff1d(np.flatnonzero(shares), waiting)
    scales = read_scales(table, criteria=table.index[leaves])
    return Hierarchy(table, leaves, tuple(groups[::-1]), weights, shares, scales)


def read_means(averages: pd.DataFrame, *, tree: Hierarchy, actors: pd.DataFrame) -> pd.DataFrame:
    """Lay the averages of one dimension out: one row an actor, one column a leaf of the hierarchy.

    Missing where nobody gave a value. A value outside its scale, or a rating of a criterion that is
    made up of others, is a UsageError.
    """
    ids = pd.Index(actors["actor_id"])
    inner = tree.table.index[[row for row, _ in tree.groups[:-1]]]
    rated = _widen(averages, "mean", ids=ids, codes=inner).notna().any().to_numpy()
    refuse(rated, names=inner, fault="criteria rated although they are made up of others")
    means = _widen(averages, "mean", ids=ids, codes=tree.codes)
    refuse_outside(means, scales=tree.table)
    return means


def score_actors(
    averages: pd.DataFrame,
    *,
    criteria: pd.DataFrame,
    actors: pd.DataFrame,
    minimum_coverage: float = 0.5,
    normalisation: NormaliseMethod = "goalposts",
    aggregation: AggregateMethod = "arithmetic",
) -> pd.DataFrame:
    """Score every actor on each dimension that anybody was asked about; desk evidence never is.

    Averages are those of `average_ratings`, criteria as in `read_hierarchy`; a score is shown where
    at least the share `minimum_coverage` (0-1) of the weights is answered. Of the normalisations
    only goalposts compare between territories; shares count as percentages here, geometric and
    harmonic means are taken on 1-100. Weights or scales that cannot serve, and an average of no
    actor listed, are a UsageError.

    There is one row a dimension and actor: actor_id, dimension; score (0-100, weighted mean of the
    known criteria; missing under `minimum_coverage`); coverage (0-1, share of the dimension's
    weights that is answered); range_low, range_high (0-100, the score were all missing answers
    lowest or highest; actors whose ranges overlap are not ordered by what is known); n_raters (int,
    most raters on one of the criteria).
    """
    if not 0 <= minimum_coverage <= 1:
        raise UsageError(f"minimum_coverage must lie between 0 and 1, not {minimum_coverage}")
    strangers = sorted(set(averages["actor_id"]) - set(actors["actor_id"]))
    if strangers:
        raise UsageError(f"ratings of actors that are not listed: {', '.join(strangers[:5])}")
    asked = criteria.loc[criteria.index.isin(averages["criterion"]), "dimension"]
    blocks = [_make_empty_scores()]
    for dimension in asked[asked != UNSCORED].unique():
        tree = read_hierarchy(criteria, dimension=dimension)
        means = read_means(averages, tree=tree, actors=actors)
        scaled = scale_criteria(
            means.to_numpy(), tree=tree, normalisation=normalisation, aggregation=aggregation
        )
        ends = [np.fmin.reduce(scaled, initial=np.nan), np.fmax.reduce(scaled, initial=np.nan)]
        if normalisation == "goalposts":
            ends = [1.0 if aggregation in ON_RATIOS else 0.0, 100.0]
        score, low, high = (
            add_criteria(filled, tree=tree, method=aggregation)
            for filled in (scaled, *(np.where(np.isnan(scaled), end, scaled) for end in ends))
        )
        coverage = means.notna().to_numpy() @ tree.shares[tree.leaves]
        n_raters = _widen(averages, "n_raters", ids=means.index, codes=tree.table.index)
        block = {
            "actor_id": means.index,
            "dimension": dimension,
            "score": np.where(coverage >= minimum_coverage - TOLERANCE, score, np.nan),
            "coverage": coverage,
            "range_low": low,
            "range_high": high,
            "n_raters": n_raters.max(axis=1).fillna(0).astype("int64").to_numpy(),
        }
        blocks.append(pd.DataFrame(block))
    return pd.concat(blocks[len(blocks) > 1 :], ignore_index=True)


def score_draws(
    draws: Values | Iterable[Values],
    *,
    tree: Hierarchy,
    columns: pd.Index,
    weights: pd.DataFrame | None = None,
    minimum_coverage: float = 0.5,
    normalisation: NormaliseMethod = "goalposts",
    aggregation: AggregateMethod = "arithmetic",
) -> Values:
    """Score every draw of every actor on one dimension, as `score_actors` scores averages.

    Draws are (draws, actors, criteria) in the criteria's own scales, or blocks of it: a hundred
    thousand actors need not be in memory at once. `columns` are the codes along the last axis; a
    leaf that is not there is missing. `weights` has one row a draw, as `draw_weights` returns them.
    Returns (draws, actors), 0-100; draws beyond the ends of a scale count as its ends.
    """
    at, scores, start = columns.get_indexer(tree.codes), [np.empty((0, 0))], 0
    drawn = None if weights is None else weights[list(tree.table.index)].to_numpy(dtype=float)
    plain = (normalisation, aggregation, len(tree.groups)) == ("goalposts", "arithmetic", 1)
    whole = np.empty(draws.shape[:2]) if isinstance(draws, np.ndarray) else None
    for block in [draws] if isinstance(draws, np.ndarray) else draws:
        wide = block.shape[1] if aggregation == "copeland" else len(at)
        step = max(1, BLOCK // max(1, block.shape[1] * wide))
        room = np.empty((step, block.shape[1], len(at)))
        for first in range(0, len(block), step):
            part = _take_columns(block[first : first + step], at=at)
            mine = None if drawn is None else drawn[start : start + len(part), None]
            start += len(part)
            if plain:
                score = _score_plain(
                    part, tree=tree, weights=mine, least=minimum_coverage, room=room[: len(part)]
                )
            else:
                score = score_array(
                    part, tree=tree, weights=mine, minimum_coverage=minimum_coverage,
                    normalisation=normalisation, aggregation=aggregation,
                )  # fmt: skip
            if whole is None:
                scores.append(score)
            else:
                whole[first : first + step] = score
    return np.concatenate(scores[len(scores) > 1 :]) if whole is None else whole


def measure_contributions(means: pd.DataFrame, *, tree: Hierarchy) -> pd.DataFrame:
    """Measure what each criterion adds to each score (goalposts, arithmetic mean).

    One row an actor and criterion: actor_id, criterion; value (0-100, the criterion alone; missing
    if not known); share (0-1, its weight among the criteria that are known of this actor);
    contribution (points, value × share; they add up to the score).
    """
    array = means.to_numpy()
    value = scale_criteria(array, tree=tree, normalisation="goalposts", aggregation="arithmetic")
    counted = np.zeros((len(means), len(tree.table)))
    counted[:, tree.leaves] = means.notna()
    for row, parts in tree.groups[:-1]:
        counted[:, row] = counted[:, parts].any(axis=1)
    shares = counted * tree.weights
    for row, parts in tree.groups[::-1]:
        total = shares[:, parts].sum(axis=1, keepdims=True)
        shares[:, parts] /= np.where(total > 0, total, 1)
        shares[:, parts] *= 1 if row < 0 else shares[:, [row]]
    share = shares[:, tree.leaves]
    cells = {"value": value, "share": share, "contribution": value * share}
    rows = pd.MultiIndex.from_product([means.index, tree.codes], names=["actor_id", "criterion"])
    flat = {name: cell.ravel() for name, cell in cells.items()}
    return pd.DataFrame(flat, index=rows).reset_index()


def score_array(
    values: Values,
    *,
    tree: Hierarchy,
    weights: Values | None = None,
    minimum_coverage: float = 0.5,
    normalisation: NormaliseMethod = "goalposts",
    aggregation: AggregateMethod = "arithmetic",
) -> Values:
    """Score (..., actors, leaves), in their own scales, as `score_actors` does."""
    scaled = scale_criteria(values, tree=tree, normalisation=normalisation, aggregation=aggregation)
    score = add_criteria(scaled, tree=tree, method=aggregation, weights=weights)
    coverage = ~np.isnan(values) @ tree.shares[tree.leaves]
    return np.where(coverage >= minimum_coverage - TOLERANCE, score, np.nan)


def scale_criteria(
    values: Values, *, tree: Hierarchy, normalisation: NormaliseMethod, aggregation: AggregateMethod
) -> Values:
    """Normalise (..., actors, leaves) for an aggregation: on 1-100 or 1-n where 0 would annul."""
    check_scales(tree.scales, names=tree.codes, method=normalisation)
    scaled = scale_array(values, method=normalisation, scales=tree.scales)
    if normalisation in PERCENT:
        scaled = 100 * scaled
    if aggregation not in ON_RATIOS or normalisation == "rank":
        return scaled
    if normalisation == "zscore":
        raise UsageError(f"a {aggregation} mean cannot be taken of z-scores, which have no zero")
    return scaled + 1 if normalisation == "borda" else 1 + 0.99 * scaled


def add_criteria(
    scaled: Values, *, tree: Hierarchy, method: AggregateMethod, weights: Values | None = None
) -> Values:
    """Add (..., actors, leaves) up along the hierarchy, the lowest criteria first."""
    weights = tree.weights if weights is None else weights
    nodes = np.full((*scaled.shape[:-1], len(tree.table) + 1), np.nan)
    nodes[..., tree.leaves] = scaled
    for row, parts in tree.groups:  # the dimension itself, -1, comes last
        nodes[..., row] = add_array(nodes[..., parts], weight=weights[..., parts], method=method)
    whole: Values = nodes[..., -1]
    return whole


def _score_plain(
    values: Values, *, tree: Hierarchy, weights: Values | None, least: float, room: Values
) -> Values:
    """Score goalposts, arithmetic mean, one level, as one product; `room` is for cut values."""
    check_scales(tree.scales, names=tree.codes, method="goalposts")
    low, high, direction = tree.scales
    one_scale = (low == low[0]).all() and (high == high[0]).all()
    ends = (low[0], high[0]) if one_scale else np.tile([[low], [high]], (values.shape[1], 1))
    weight = (tree.weights if weights is None else weights)[..., tree.leaves]
    weight = weight / weight.sum(axis=-1, keepdims=True)
    worst, slope = np.where(direction > 0, low, high), 100 * direction / (high - low) * weight
    score = _multiply(np.clip(values, *ends, out=room), slope)
    lost = np.isnan(score).any()
    if lost:
        missing = np.isnan(values)
        np.copyto(room, worst, where=missing)
        score = _multiply(room, slope)
    score -= (slope * worst).sum(axis=-1)
    if lost:
        np.copyto(room, missing)
        unknown, coverage = _multiply(room, weight), 1 - _multiply(room, tree.shares[tree.leaves])
        shown = (coverage >= least - TOLERANCE) & (unknown < 1 - TOLERANCE)
        score = np.divide(score, 1 - unknown, out=np.full_like(score, np.nan), where=shown)
    return np.clip(score, 0, 100, out=score)


def _multiply(cells: Values, factor: Values) -> Values:
    """Multiply (draws, actors, criteria) by (criteria,) or by (draws, 1, criteria)."""
    if factor.ndim == 1:
        return (cells.reshape(-1, len(factor)) @ factor).reshape(cells.shape[:-1])
    product: Values = np.matmul(cells, np.swapaxes(factor, -1, -2))[..., 0]
    return product


def _take_columns(block: Values, *, at: Codes) -> Values:
    """Take the criteria wanted, those that are not there (-1) as missing."""
    if np.array_equal(at, np.arange(block.shape[-1])):
        return block
    part = np.full((*block.shape[:-1], len(at)), np.nan)
    part[..., at >= 0] = block[..., at[at >= 0]]
    return part


def _widen(averages: pd.DataFrame, column: str, *, ids: pd.Index, codes: pd.Index) -> pd.DataFrame:
    mine = averages[averages["criterion"].isin(codes)]
    wide = mine.pivot(index="actor_id", columns="criterion", values=column)  # noqa: PD010
    return wide.reindex(index=ids, columns=codes).astype(float)


def _make_empty_scores() -> pd.DataFrame:
    text = {"actor_id": "str", "dimension": "str"}
    kinds = {c: text.get(c, "float64") for c in SCORE_COLUMNS} | {"n_raters": "int64"}
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in kinds.items()})
