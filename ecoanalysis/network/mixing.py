"""Whether ties stay within groups or cross them, beside what chance would give."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.codebook import UNCLASSIFIED
from ecoanalysis.errors import UsageError
from ecoanalysis.network.arcs import Arcs, Rows, read_arcs

UNGROUPED = ("", UNCLASSIFIED)


def measure_mixing(
    relations: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    group: str,
    directed: bool = False,
    permutations: int = 999,
    seed: int = 1,
) -> pd.DataFrame:
    """Measure whether ties stay within groups or cross them.

    The E-I index is (E - I) / (E + I) with E ties between groups and I within; where groups are
    dealt at random it is 1 - 2 N_in / N on average, N_in of the N possible pairs being within a
    group (Krackhardt & Stern 1988). Assortativity is (Σ e_gg - Σ a_g b_g) / (1 - Σ a_g b_g), e
    the share of ties from group to group, a and b its margins (Newman 2003).

    Parameters
    ----------
    relations, actors, group
        See the package.
    directed : bool
        Count arcs instead of pairs. The value by chance is the same.
    permutations, seed : int
        Number of times that the groups are dealt anew over the fixed graph, and its seed.

    Returns
    -------
    pandas.DataFrame
        One row:

        - group : the column's name
        - n_ties : int, ties whose two ends have a group
        - ei_index : -1 (all within) to 1 (all between); missing without a tie
        - ei_expected : -1 to 1, by chance among the actors with a group; missing under two
        - ei_p : 0-1, share of the deals at least as far from it, this one counted in
        - assortativity : -1 to 1 (all within), 0 by chance; missing without ties in two groups
        - n_ungrouped : int, ties left out since an end has no group
    """
    codes = code_groups(actors, group)
    arcs = read_arcs(relations, actors=actors, directed=directed)
    mixing = count_mixing(codes, arcs)
    row = {
        "group": group,
        "n_ties": int(mixing.sum()),
        "ei_index": measure_ei(mixing),
        "ei_expected": _expect_ei(np.bincount(codes[codes >= 0])),
        "ei_p": _test_ei(codes, arcs, permutations, np.random.default_rng(seed)),
        "assortativity": _measure_assortativity(mixing if directed else mixing + mixing.T),
        "n_ungrouped": len(arcs.source) - int(mixing.sum()),
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
    arcs = read_arcs(ties, actors=actors, directed=directed)
    mixing = count_mixing(code_groups(actors, group), arcs)
    names = _list_groups(actors[group])
    if directed:
        source, target = (place.ravel() for place in np.indices(mixing.shape))
    else:
        mixing = mixing + np.tril(mixing, -1).T
        source, target = np.triu_indices(len(names))
    ends = {"source_group": names[source], "target_group": names[target]}
    return pd.DataFrame({**ends, "n_ties": mixing[source, target]})


def code_groups(actors: pd.DataFrame, group: str) -> Rows:
    """Return each actor's group by its place in the alphabet; -1 where there is none."""
    if group not in actors.columns:
        raise UsageError(f"no column {group!r} in actors; there are: {', '.join(actors.columns)}")
    return _list_groups(actors[group]).get_indexer(pd.Index(actors[group]))


def count_mixing(codes: Rows, arcs: Arcs) -> npt.NDArray[np.int64]:
    """Count ties from group to group, those of which both ends have one."""
    n, (source, target) = int(codes.max(initial=-1)) + 1, codes[[arcs.source, arcs.target]]
    known = (source >= 0) & (target >= 0)
    return np.bincount((source * n + target)[known], minlength=n * n).reshape(n, n)


def measure_ei(mixing: npt.NDArray[np.int64]) -> float:
    """E-I index of a table of ties from group to group; missing without a tie."""
    total, internal = int(mixing.sum()), int(np.trace(mixing))
    return (total - 2 * internal) / total if total else math.nan


def _list_groups(values: pd.Series) -> pd.Index:
    known = values.dropna()
    names: pd.Index = pd.Index(sorted(set(known[~known.isin(UNGROUPED)])), dtype="str")
    return names


def _expect_ei(sizes: npt.NDArray[np.int64]) -> float:
    n, within = int(sizes.sum()), int((sizes * (sizes - 1)).sum())
    return 1 - 2 * within / (n * (n - 1)) if n > 1 else math.nan


def _test_ei(codes: Rows, arcs: Arcs, permutations: int, rng: np.random.Generator) -> float:
    """Two-sided: compare the number of ties within a group with its mean over all deals."""
    known = (codes[arcs.source] >= 0) & (codes[arcs.target] >= 0)
    grouped = np.flatnonzero(codes >= 0)
    if not known.any() or not permutations:
        return math.nan
    source, target = (np.searchsorted(grouped, end[known]) for end in (arcs.source, arcs.target))
    held, within = (
        codes[grouped],
        [np.array([(codes[grouped][source] == codes[grouped][target]).sum()])],
    )
    size = max(1, 2_000_000 // (len(held) + len(source)))
    for first in range(0, permutations, size):
        dealt = rng.permuted(np.tile(held, (min(size, permutations - first), 1)), axis=1)
        within.append((dealt[:, source] == dealt[:, target]).sum(axis=1))
    away = np.abs(np.concatenate(within) - len(source) * (1 - _expect_ei(np.bincount(held))) / 2)
    return float((away >= away[0] - 1e-9).mean())


def _measure_assortativity(mixing: npt.NDArray[np.int64]) -> float:
    total = int(mixing.sum())
    chance = float(mixing.sum(axis=1) @ mixing.sum(axis=0)) / total**2 if total else 1.0
    return (float(np.trace(mixing)) / total - chance) / (1 - chance) if chance < 1 else math.nan
