"""Groups of actors that are alike in what moves them and what they bring, where there are any.

Gower's distance (1971) on the criteria that both were rated on, complete linkage, the number of
groups by the silhouette (Rousseeuw 1987), each group's stability by the bootstrap (Hennig 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial import distance

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

CLEAR, STABLE = 0.25, 0.6  # least mean silhouette (Kaufman & Rousseeuw 1990), stability (Hennig)
FEWEST, MOST, BLOCK = 10, 6, 2_000_000


@dataclass(frozen=True)
class Profiles:
    """Groups of actors, or none that are clear.

    Attributes
    ----------
    reason : str
        "" if the groups are clear, else why not: "too_few", "alike" (silhouette), "unstable".
    members : pandas.DataFrame
        actor_id, group (1 is the largest; 0: too few answers in common), silhouette (-1 to 1).
    groups : pandas.DataFrame
        group, n, silhouette (mean), typical (actor_id, the medoid), stability (0-1, mean Jaccard).
    traits : pandas.DataFrame
        group, criterion, mean (0-1 of the scale), difference (to all who were placed, -1 to 1).
    """

    reason: str
    members: pd.DataFrame
    groups: pd.DataFrame
    traits: pd.DataFrame


def measure_gower(values: pd.DataFrame, *, scales: pd.DataFrame) -> pd.DataFrame:
    """Measure Gower's distance between actors.

    Parameters
    ----------
    values : pandas.DataFrame
        One row an actor, one column a criterion, in its own scale; missing where not known.
    scales : pandas.DataFrame
        Indexed by criterion: scale_min, scale_max.

    Returns
    -------
    pandas.DataFrame
        Square, 0-1: mean over the criteria known of both of |a - b| / scale; missing if none is.
    """
    share = _scale(values, scales)
    found = np.full((len(share), len(share)), np.nan)
    step = max(1, BLOCK // max(1, share.size))
    for first in range(0, len(share), step):
        apart = np.abs(share[first : first + step, None] - share[None])
        n = (~np.isnan(apart)).sum(axis=-1)
        np.divide(np.nansum(apart, axis=-1), n, out=found[first : first + step], where=n > 0)
    return pd.DataFrame(found, index=values.index, columns=values.index)


def measure_silhouette(distances: Values, labels: Codes) -> Values:
    """Measure how much nearer each is to its own group than to the next: -1 to 1, alone 0."""
    groups, label = np.unique(labels, return_inverse=True)
    inside = label[:, None] == np.arange(len(groups))
    n, total = inside.sum(axis=0), distances @ inside
    rows = np.arange(len(label))
    own = total[rows, label] / np.maximum(n[label] - 1, 1)
    other = np.where(inside, np.inf, total / n).min(axis=1, initial=np.inf)
    span = np.maximum(own, other)
    alone = (n[label] == 1) | (span == 0) | (len(groups) == 1)
    return np.where(alone, 0.0, (other - own) / np.where(alone, 1.0, span))


def classify_profiles(
    values: pd.DataFrame, *, scales: pd.DataFrame, draws: int = 50, seed: int = 0
) -> Profiles:
    """Find groups of actors that are alike; at least `FEWEST` actors, two to `MOST` groups.

    Parameters
    ----------
    values, scales : pandas.DataFrame
        As in `measure_gower`. Actors with under half of the criteria, or nothing in common with
        another one, are not placed.
    draws, seed : int
        How often the actors are resampled for the stability, and the seed.
    """
    placed = values[values.notna().mean(axis=1) >= 0.5]
    apart = measure_gower(placed, scales=scales)
    placed = placed[apart.notna().all(axis=1)]
    if len(placed) < FEWEST:
        return _collect(values, placed, scales, np.zeros(len(placed), np.intp), "too_few")
    square = apart.loc[placed.index, placed.index].to_numpy()
    tried = [_cut(square, n) for n in range(2, MOST + 1)]
    widths = [
        measure_silhouette(square, labels).mean() if np.bincount(labels)[1:].min() > 1 else -1.0
        for labels in tried
    ]
    labels = tried[int(np.argmax(widths))]
    if max(widths) < CLEAR:
        return _collect(values, placed, scales, labels, "alike", square)
    rng, n = np.random.default_rng(seed), labels.max()
    stable = np.zeros(n)
    for _ in range(draws):
        some = np.unique(rng.integers(len(square), size=len(square)))
        both = np.zeros((n, n))
        np.add.at(both, (labels[some] - 1, _cut(square[np.ix_(some, some)], n) - 1), 1)
        union = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
        stable += (both / np.maximum(union, 1)).max(axis=1) / draws
    reason = "" if (stable >= STABLE).all() else "unstable"
    return _collect(values, placed, scales, labels, reason, square, stable)


def _scale(values: pd.DataFrame, scales: pd.DataFrame) -> Values:
    low, high = scales.loc[values.columns, ["scale_min", "scale_max"]].to_numpy(float).T
    share: Values = (values.to_numpy(float) - low) / (high - low)
    return share


def _cut(square: Values, n: int) -> Codes:
    """Cut the tree of complete linkage into at most `n` groups, 1 the largest."""
    tree = hierarchy.linkage(distance.squareform(square, checks=False), "complete")
    found = hierarchy.fcluster(tree, n, "maxclust")
    order = np.argsort(-np.bincount(found)[1:], kind="stable")
    return np.asarray(np.argsort(order)[found - 1] + 1, dtype=np.intp)


def _collect(
    values: pd.DataFrame, placed: pd.DataFrame, scales: pd.DataFrame, labels: Codes, reason: str,
    square: Values | None = None, stable: Values | None = None,
) -> Profiles:  # fmt: skip
    square = np.zeros((len(placed), len(placed))) if square is None else square
    found = pd.DataFrame({"group": labels, "silhouette": measure_silhouette(square, labels)})
    found = found.set_axis(placed.index)
    middle = np.array([square[row, labels == one].sum() for row, one in enumerate(labels)])
    part = found.assign(middle=middle, actor_id=found.index)[labels > 0].sort_values("middle")
    groups = part.groupby("group").agg(
        n=("middle", "size"), silhouette=("silhouette", "mean"), typical=("actor_id", "first")
    )
    groups["stability"] = np.nan if stable is None else stable
    shares = pd.DataFrame(_scale(placed, scales), placed.index, placed.columns)
    mean = shares[labels > 0].groupby(labels[labels > 0]).mean().rename_axis("group")
    traits = mean.melt(var_name="criterion", value_name="mean", ignore_index=False).reset_index()
    known = traits["criterion"].map(shares.mean()).astype(float)
    traits["difference"] = traits["mean"].astype(float) - known
    members = found.reindex(values.index).fillna({"group": 0}).astype({"group": "int64"})
    members = members.rename_axis("actor_id").reset_index()
    return Profiles(reason, members, groups.reset_index(), traits)
