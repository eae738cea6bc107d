"""Groups of actors that are alike in what moves them and what they bring, where there are any.

Gower's distance (1971) on the criteria that both were rated on, complete linkage, the number of
groups by the silhouette (Rousseeuw 1987), each group's stability by the bootstrap (Hennig 2007).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.cluster import hierarchy
from scipy.spatial import distance

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]

CLEAR, STABLE = 0.25, 0.6  # least mean silhouette (Kaufman & Rousseeuw 1990), stability (Hennig)
FEWEST, MOST, BLOCK = 10, 6, 2_000_000


def measure_gower(shares: pd.DataFrame) -> pd.DataFrame:
    """Measure Gower's distance between actors (rows), of criteria on 0-1, missing where not known.

    Square, 0-1: mean of |a - b| over the criteria known of both; missing if none is.
    """
    cells = shares.to_numpy(dtype=float)
    found = np.full((len(cells), len(cells)), np.nan)
    step = max(1, BLOCK // max(1, cells.size))
    for first in range(0, len(cells), step):
        apart = np.abs(cells[first : first + step, None] - cells[None])
        n = (~np.isnan(apart)).sum(axis=-1)
        np.divide(np.nansum(apart, axis=-1), n, out=found[first : first + step], where=n > 0)
    return pd.DataFrame(found, index=shares.index, columns=shares.index)


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
    averages: pd.DataFrame,
    *,
    criteria: pd.DataFrame,
    dimensions: Sequence[str],
    draws: int = 50,
    seed: int = 0,
) -> dict[str, pd.DataFrame]:
    """Find groups of actors that are alike: `FEWEST` actors or more, two to `MOST` groups.

    `averages` (actor_id, criterion, mean) count on the `criteria` (scale_min, scale_max, dimension)
    of the dimensions given. Actors with under half of them, or nothing in common with another one,
    are not placed. `draws` is how often the actors are resampled.

    Returns
    -------
    dict of str to pandas.DataFrame
        - profiles : one row: reason ("" if the groups are clear, else "too_few", "alike"
          (silhouette), "unstable"), n_placed
        - profile_members : actor_id, group (1 is the largest; 0: not placed), silhouette (-1 to 1)
        - profile_groups : group, n, silhouette (mean), typical (actor_id, the medoid), stability
          (0-1, mean Jaccard)
        - profile_traits : group, criterion, mean (0-1 of the scale), difference (to all who were
          placed, -1 to 1)
    """
    scales = criteria[criteria["dimension"].isin(dimensions)]
    means = averages.pivot_table("mean", "actor_id", "criterion").reindex(columns=scales.index)
    shares = (means - scales["scale_min"]) / (scales["scale_max"] - scales["scale_min"])
    shares = shares.dropna(axis="columns", how="all").dropna(how="all")
    placed = shares[shares.notna().mean(axis=1) >= 0.5]
    apart = measure_gower(placed)
    placed = placed[apart.notna().all(axis=1)]
    square = apart.loc[placed.index, placed.index].to_numpy()
    reason, labels, stable = _find_groups(square, draws=draws, seed=seed)
    found = pd.DataFrame({"group": labels, "silhouette": measure_silhouette(square, labels)})
    found = found.set_axis(placed.index.rename("actor_id"))
    found["middle"] = [square[row, labels == one].sum() for row, one in enumerate(labels)]
    groups = found[labels > 0].reset_index().sort_values("middle").groupby("group").agg(
        n=("middle", "size"), silhouette=("silhouette", "mean"), typical=("actor_id", "first")
    )  # fmt: skip
    mean = placed[labels > 0].groupby(labels[labels > 0]).mean().rename_axis("group")
    traits = mean.melt(var_name="criterion", value_name="mean", ignore_index=False).reset_index()
    known = traits["criterion"].map(placed.mean()).astype(float)
    members = found[["group", "silhouette"]].reindex(shares.index.rename("actor_id"))
    return {
        "profiles": pd.DataFrame({"reason": [reason], "n_placed": int((labels > 0).sum())}),
        "profile_members": members.fillna({"group": 0}).astype({"group": "int64"}).reset_index(),
        "profile_groups": groups.assign(stability=stable).reset_index(),
        "profile_traits": traits.assign(difference=traits["mean"].astype(float) - known),
    }


def _find_groups(square: Values, *, draws: int, seed: int) -> tuple[str, Codes, Values | float]:
    """Find why there are no clear groups (or ""), the group of each, and stability (0-1)."""
    if len(square) < FEWEST:
        return "too_few", np.zeros(len(square), np.intp), np.nan
    tried = [_cut(square, n) for n in range(2, MOST + 1)]
    widths = [
        measure_silhouette(square, labels).mean() if np.bincount(labels)[1:].min() > 1 else -1.0
        for labels in tried
    ]
    labels = tried[int(np.argmax(widths))]
    if max(widths) < CLEAR:
        return "alike", labels, np.nan
    rng, n = np.random.default_rng(seed), labels.max()
    stable = np.zeros(n)
    for _ in range(draws):
        some = np.unique(rng.integers(len(square), size=len(square)))
        both = np.zeros((n, n))
        np.add.at(both, (labels[some] - 1, _cut(square[np.ix_(some, some)], n) - 1), 1)
        union = both.sum(axis=1, keepdims=True) + both.sum(axis=0) - both
        stable += (both / np.maximum(union, 1)).max(axis=1) / draws
    return "" if (stable >= STABLE).all() else "unstable", labels, stable


def _cut(square: Values, n: int) -> Codes:
    """Cut the tree of complete linkage into at most `n` groups, 1 the largest."""
    tree = hierarchy.linkage(distance.squareform(square, checks=False), "complete")
    found = hierarchy.fcluster(tree, n, "maxclust")
    order = np.argsort(-np.bincount(found)[1:], kind="stable")
    return np.asarray(np.argsort(order)[found - 1] + 1, dtype=np.intp)
