"""Ties and the groups of their ends: do they stay within or cross, and who stands between."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.codebook import UNCLASSIFIED
from ecoanalysis.network.arcs import Arcs, Rows, find_arcs, list_triangles, mirror_arcs, read_arcs
from ecoanalysis.study.suggest import check_name

UNGROUPED = ["", UNCLASSIFIED]
ROLES = ("coordinator", "itinerant", "gatekeeper", "representative", "liaison")
UNDIRECTED_ROLES = ("coordinator", "itinerant", "boundary", "liaison")


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
    the share of ties from group to group, a and b its margins (Newman 2003). `directed` counts
    arcs instead of pairs; `permutations` is how often the groups are dealt anew over the graph.

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
    codes, _ = code_groups(actors, group)
    arcs = read_arcs(relations, actors=actors, directed=directed)
    mixing = count_mixing(codes, arcs)
    row = {
        "group": group,
        "n_ties": int(mixing.sum()),
        "ei_index": measure_ei(mixing),
        "ei_expected": _expect_ei(codes),
        "ei_p": _test_ei(codes, arcs, permutations, np.random.default_rng(seed)),
        "assortativity": _measure_assortativity(mixing if directed else mixing + mixing.T),
        "n_ungrouped": len(arcs.source) - int(mixing.sum()),
    }
    return pd.DataFrame([row])


def tabulate_mixing(
    ties: pd.DataFrame, *, actors: pd.DataFrame, group: str, directed: bool = False
) -> pd.DataFrame:
    """Tabulate how many ties join each pair of groups: source_group, target_group, n_ties (int).

    Groups stand in alphabetical order, zeros included. Undirected ties fill the upper triangle with
    its diagonal, directed ones the whole square.
    """
    codes, names = code_groups(actors, group)
    mixing = count_mixing(codes, read_arcs(ties, actors=actors, directed=directed))
    places = np.indices(mixing.shape).reshape(2, -1)
    if not directed:
        mixing, places = mixing + np.tril(mixing, -1).T, np.stack(np.triu_indices(len(names)))
    ends = {"source_group": names[places[0]], "target_group": names[places[1]]}
    return pd.DataFrame({**ends, "n_ties": mixing[*places]})


def measure_brokerage(
    relations: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    group: str,
    directed: bool,
    permutations: int = 0,
    seed: int = 1,
) -> pd.DataFrame:
    """Count the pairs that each actor mediates between, by the groups of the three.

    An actor v mediates where a → v and v → b but not a → b (Gould & Fernandez 1989). Of the groups
    of a, v and b: coordinator A-A-A, itinerant A-B-A, gatekeeper A-B-B, representative A-A-B,
    liaison A-B-C; triples with an actor without a group are left out. Without direction each pair
    {a, b} counts once (sna counts it twice), and gatekeeper and representative are one role, the
    boundary. `permutations` is how often the groups are dealt anew over the fixed graph, which
    tests what role an actor has, never how many pairs it mediates between: that hardly changes.

    Returns
    -------
    pandas.DataFrame
        One row an actor: actor_id; coordinator, itinerant, gatekeeper, representative, liaison
        (undirected: coordinator, itinerant, boundary, liaison) and total, int >= 0; with
        permutations `<role>_p`, 0-1: how often chance gives at least as many.
    """
    codes, _ = code_groups(actors, group)
    arcs = read_arcs(relations, actors=actors, directed=directed)
    arcs = arcs if directed else mirror_arcs(arcs)
    kept = (codes[arcs.source] >= 0) & (codes[arcs.target] >= 0)
    arcs = Arcs(arcs.ids, arcs.source[kept], arcs.target[kept], arcs.weight[kept])
    closed = list_triangles(arcs)
    for ends in ([0, 1], [1, 2], [0, 2]):
        closed = closed[:, find_arcs(arcs, *closed[ends]) >= 0]
    mutual = find_arcs(arcs, arcs.target, arcs.source) >= 0
    returns = np.stack([arcs.source, arcs.target, arcs.source])[:, mutual]
    excluded = np.hstack([closed, returns])
    counts = _count_roles(arcs, codes, excluded, directed=directed)
    roles = ROLES if directed else UNDIRECTED_ROLES
    found = pd.DataFrame(counts, columns=list(roles)).assign(total=counts.sum(axis=1))
    found.insert(0, "actor_id", arcs.ids)
    if permutations:
        known = np.flatnonzero(codes >= 0)
        rng, dealt, reached = np.random.default_rng(seed), codes.copy(), np.zeros(counts.shape)
        for _ in range(permutations):
            dealt[known] = rng.permutation(codes[known])
            reached += _count_roles(arcs, dealt, excluded, directed=directed) >= counts
        chance = (reached + 1) / (permutations + 1)  # what is there counts as one deal
        found[[f"{role}_p" for role in roles]] = chance
    return found


def code_groups(actors: pd.DataFrame, group: str) -> tuple[Rows, pd.Index]:
    """Return each actor's group by its place in the alphabet, -1 for none; and their names."""
    check_name(group, actors.columns, "column of actors")
    names = actors[group].mask(actors[group].isin(UNGROUPED)).astype("str")
    codes, known = pd.factorize(names, sort=True)
    return codes, known


def count_mixing(codes: Rows, arcs: Arcs) -> npt.NDArray[np.int64]:
    """Count ties from group to group, those of which both ends have one."""
    n, (source, target) = int(codes.max(initial=-1)) + 1, codes[[arcs.source, arcs.target]]
    known = (source >= 0) & (target >= 0)
    return np.bincount((source * n + target)[known], minlength=n * n).reshape(n, n)


def measure_ei(mixing: npt.NDArray[np.int64]) -> float:
    """E-I index of a table of ties from group to group; missing without a tie."""
    total, internal = int(mixing.sum()), int(np.trace(mixing))
    return (total - 2 * internal) / total if total else math.nan


def _expect_ei(codes: Rows) -> float:
    sizes = np.bincount(codes[codes >= 0])
    n, within = int(sizes.sum()), int((sizes * (sizes - 1)).sum())
    return 1 - 2 * within / (n * (n - 1)) if n > 1 else math.nan


def _test_ei(codes: Rows, arcs: Arcs, permutations: int, rng: np.random.Generator) -> float:
    """Two-sided: compare the number of ties within a group with its mean over all deals."""
    known = (codes[arcs.source] >= 0) & (codes[arcs.target] >= 0)
    grouped = np.flatnonzero(codes >= 0)
    if not known.any() or not permutations:
        return math.nan
    source, target = (np.searchsorted(grouped, end[known]) for end in (arcs.source, arcs.target))
    held = codes[grouped]
    within = [np.array([(held[source] == held[target]).sum()])]
    size = max(1, 2_000_000 // (len(held) + len(source)))
    for first in range(0, permutations, size):
        dealt = rng.permuted(np.tile(held, (min(size, permutations - first), 1)), axis=1)
        within.append((dealt[:, source] == dealt[:, target]).sum(axis=1))
    away = np.abs(np.concatenate(within) - len(source) * (1 - _expect_ei(codes)) / 2)
    return float((away >= away[0] - 1e-9).mean())


def _measure_assortativity(mixing: npt.NDArray[np.int64]) -> float:
    total = int(mixing.sum())
    chance = float(mixing.sum(axis=1) @ mixing.sum(axis=0)) / total**2 if total else 1.0
    return (float(np.trace(mixing)) / total - chance) / (1 - chance) if chance < 1 else math.nan


def _count_roles(arcs: Arcs, codes: Rows, excluded: Rows, *, directed: bool) -> Rows:
    """Count roles from each actor's arcs by group, less the `excluded` a, v, b (tied, or a = b)."""
    n, n_groups = arcs.n, int(codes.max(initial=-1)) + 1
    into, out = (
        np.bincount(here * n_groups + codes[there], minlength=n * n_groups).reshape(n, n_groups)
        for here, there in ((arcs.target, arcs.source), (arcs.source, arcs.target))
    )
    own = np.arange(n_groups) == codes[:, None]
    in_own, out_own = (into * own).sum(axis=1), (out * own).sum(axis=1)
    in_other, out_other = into.sum(axis=1) - in_own, out.sum(axis=1) - out_own
    alike = (into * out * ~own).sum(axis=1)
    roles = [in_own * out_own, alike, in_other * out_own, in_own * out_other]
    counts = np.column_stack([*roles, in_other * out_other - alike])
    a, v, b = codes[excluded]
    case = 4 * (a == v) + 2 * (v == b) + (a == b)
    taken = excluded[1] * len(ROLES) + np.array([4, 1, 2, 0, 3, 0, 0, 0])[case]
    counts -= np.bincount(taken, minlength=counts.size).reshape(counts.shape)
    return counts if directed else counts[:, [0, 1, 2, 4]] // [2, 2, 1, 2]
