"""Describe the network of one territory: who is tied to whom, and whether ties cross groups.

All measures count ties inside the territory, as `ties.combine_ties` makes them: several relations
between two actors are one tie, self-relations and weight zero are none, isolates stay. A value
that is not defined (density of one actor, E-I without a tie) is missing, never 0.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from ecoanalysis.codebook import UNCLASSIFIED
from ecoanalysis.errors import UsageError
from ecoanalysis.ties import combine_ties, index_actors, locate_ends

Rows = npt.NDArray[np.intp]

UNGROUPED = ("", UNCLASSIFIED)


def measure_actors(
    relations: pd.DataFrame, *, actors: pd.DataFrame, directed: bool = False, weighted: bool = False
) -> pd.DataFrame:
    """Measure the place of each actor in the network.

    Parameters
    ----------
    relations : pandas.DataFrame
        source_id, target_id; optionally weight, status, directed (see `ties.combine_ties`).
    actors : pandas.DataFrame
        One row each (actor_id); those without a tie are measured too.
    directed : bool
        Count arcs: degree is then in-degree plus out-degree (Freeman 1978).
    weighted : bool
        Sum the recorded weights into `strength` (blank = 1). Otherwise every tie weighs 1.

    Returns
    -------
    pandas.DataFrame
        One row an actor, in the order of `actors`:

        - actor_id
        - degree : int >= 0, number of ties
        - strength : float >= 0, sum of the weights of the actor's ties; degree if not weighted
        - component : int, 0 for the largest group of actors tied to one another directly or not,
          whatever the direction; equal sizes in the order of their first actor_id
        - isolate : bool, no tie inside the territory

    Raises
    ------
    UsageError
        If an actor is listed twice or a weight is negative.
    """
    pairs = combine_ties(relations, actors=actors, directed=directed)
    source, target = locate_ends(pairs, actors=actors)
    weight = pairs["weight"].to_numpy() if weighted else np.ones(len(pairs))
    degree = _count_ends(source, target, n=len(actors))
    return pd.DataFrame(
        {
            "actor_id": actors["actor_id"].to_numpy(),
            "degree": degree.astype(int),
            "strength": _count_ends(source, target, n=len(actors), weight=weight),
            "component": _rank_components(index_actors(actors), source, target),
            "isolate": degree == 0,
        }
    )


def measure_territory(
    ties: pd.DataFrame, *, actors: pd.DataFrame, group: str = "helix"
) -> pd.DataFrame:
    """Measure the network of a territory as a whole, direction dropped.

    Parameters
    ----------
    ties : pandas.DataFrame
        As `ties.select_ties` returns them.
    actors : pandas.DataFrame
        actor_id and the column `group`.
    group : str
        Column whose values `cross_share` compares.

    Returns
    -------
    pandas.DataFrame
        One row:

        - n_actors, n_ties : int, ties are pairs
        - density : 0-1, ties over possible pairs; missing under two actors
        - mean_degree : ties per actor, times two; missing without actors
        - n_components : int, isolates included
        - largest_component_share : 0-1, share of actors in the largest; missing without actors
        - n_isolates : int
        - cross_share : 0-1, share of the ties that join two groups, among those whose two ends
          have a group; missing where there is none
    """
    pairs = combine_ties(ties, actors=actors)
    source, target = locate_ends(pairs, actors=actors)
    n, m = len(actors), len(pairs)
    components = _rank_components(index_actors(actors), source, target)
    possible = n * (n - 1) / 2
    mixing, _ = _count_mixing(_code_groups(actors, group), source, target)
    row = {
        "n_actors": n,
        "n_ties": m,
        "density": m / possible if possible else math.nan,
        "mean_degree": 2 * m / n if n else math.nan,
        "n_components": int(components.max() + 1) if n else 0,
        "largest_component_share": float((components == 0).mean()) if n else math.nan,
        "n_isolates": int((_count_ends(source, target, n=n) == 0).sum()),
        "cross_share": (1 + _measure_ei(mixing)) / 2,
    }
    return pd.DataFrame([row])


def measure_mixing(
    relations: pd.DataFrame, *, actors: pd.DataFrame, group: str, directed: bool = False
) -> pd.DataFrame:
    """Measure whether ties stay within groups or cross them, beside what chance would give.

    The E-I index is (E - I) / (E + I) with E ties between groups and I within. If ties fell on
    pairs of actors at random it would be 1 - 2 N_in / N on average, N_in being the number of
    possible pairs within a group and N that of all pairs (Krackhardt & Stern 1988). It means
    something for freely chosen ties only, not for membership lists: the caller selects them.

    Parameters
    ----------
    relations : pandas.DataFrame
        source_id, target_id; optionally weight, status, directed (see `ties.combine_ties`).
    actors : pandas.DataFrame
        actor_id and the column `group`; blank and "unclassified" are no group.
    group : str
        Column that holds the groups.
    directed : bool
        Count arcs instead of pairs. The value by chance is the same.

    Returns
    -------
    pandas.DataFrame
        One row:

        - group : the column's name
        - n_ties : int, ties whose two ends have a group
        - ei_index : -1 (all within) to 1 (all between); missing without a tie
        - ei_expected : -1 to 1, by chance among the actors with a group; missing under two
        - n_ungrouped : int, ties left out since an end has no group

    Raises
    ------
    UsageError
        If `actors` has no column `group` or lists an actor twice.
    """
    codes = _code_groups(actors, group)
    pairs = combine_ties(relations, actors=actors, directed=directed)
    mixing, n_ungrouped = _count_mixing(codes, *locate_ends(pairs, actors=actors))
    row = {
        "group": group,
        "n_ties": int(mixing.sum()),
        "ei_index": _measure_ei(mixing),
        "ei_expected": _expect_ei(np.bincount(codes[codes >= 0])),
        "n_ungrouped": n_ungrouped,
    }
    return pd.DataFrame([row])


def tabulate_mixing(
    ties: pd.DataFrame, *, actors: pd.DataFrame, group: str, directed: bool = False
) -> pd.DataFrame:
    """Tabulate how many ties join each pair of groups.

    Parameters
    ----------
    ties, actors, group, directed
        As for `measure_mixing`.

    Returns
    -------
    pandas.DataFrame
        Groups in alphabetical order, zeros included: source_group, target_group, n_ties (int).
        Undirected ties fill the upper triangle with its diagonal, directed ones the whole square.
    """
    codes = _code_groups(actors, group)
    pairs = combine_ties(ties, actors=actors, directed=directed)
    mixing, _ = _count_mixing(codes, *locate_ends(pairs, actors=actors))
    names = _list_groups(actors[group])
    if directed:
        source, target = (place.ravel() for place in np.indices(mixing.shape))
    else:
        mixing = mixing + np.tril(mixing, -1).T
        source, target = np.triu_indices(len(names))
    return pd.DataFrame(
        {
            "source_group": names[source],
            "target_group": names[target],
            "n_ties": mixing[source, target],
        }
    )


def _list_groups(values: pd.Series) -> pd.Index:
    known = values.dropna()
    names: pd.Index = pd.Index(sorted(set(known[~known.isin(UNGROUPED)])), dtype="str")
    return names


def _code_groups(actors: pd.DataFrame, group: str) -> Rows:
    """Return each actor's group by its place in the alphabet; -1 where there is none."""
    if group not in actors.columns:
        raise UsageError(f"no column {group!r} in actors; there are: {', '.join(actors.columns)}")
    return _list_groups(actors[group]).get_indexer(pd.Index(actors[group]))


def _count_ends(
    source: Rows, target: Rows, *, n: int, weight: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.float64]:
    ends = np.concatenate([source, target])
    both = np.ones(len(ends)) if weight is None else np.concatenate([weight, weight])
    return np.bincount(ends, weights=both, minlength=n).astype(float)


def _rank_components(ids: pd.Index, source: Rows, target: Rows) -> npt.NDArray[np.int64]:
    """Rank the weakly connected components from the largest, then by their first id."""
    n = len(ids)
    if n == 0:
        return np.zeros(0, dtype=np.int64)
    matrix = sparse.coo_array((np.ones(len(source)), (source, target)), shape=(n, n))
    _, label = csgraph.connected_components(matrix, directed=False)
    found = pd.DataFrame({"label": label, "id": ids}).groupby("label")["id"].agg(["size", "min"])
    order = found.sort_values(["size", "min"], ascending=[False, True]).index
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    return rank[label]


def _count_mixing(codes: Rows, source: Rows, target: Rows) -> tuple[npt.NDArray[np.int64], int]:
    """Count ties from group to group, and those of which an end has no group."""
    n = int(codes.max(initial=-1)) + 1
    ends = np.column_stack([codes[source], codes[target]])
    known = ends[(ends >= 0).all(axis=1)]
    counts = np.bincount(known[:, 0] * n + known[:, 1], minlength=n * n)
    return counts.reshape(n, n).astype(np.int64), len(ends) - len(known)


def _measure_ei(mixing: npt.NDArray[np.int64]) -> float:
    total, internal = int(mixing.sum()), int(np.trace(mixing))
    return (total - 2 * internal) / total if total else math.nan


def _expect_ei(sizes: npt.NDArray[np.int64]) -> float:
    n = int(sizes.sum())
    within = int((sizes * (sizes - 1)).sum())
    return 1 - 2 * within / (n * (n - 1)) if n > 1 else math.nan
