"""Brokers: who stands between two actors that are not tied, and between which groups."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecoanalysis.network.arcs import Arcs, Rows, find_arcs, list_triangles, mirror_arcs, read_arcs
from ecoanalysis.network.mixing import code_groups
from ecoanalysis.ties import index_actors

ROLES = ("coordinator", "itinerant", "gatekeeper", "representative", "liaison")


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
    liaison A-B-C. Without direction each pair {a, b} counts once (sna counts it twice), and
    gatekeeper and representative are one role, the boundary.

    Parameters
    ----------
    relations, actors, group
        See the package; triples with an actor without a group are left out.
    directed : bool
        Count arcs instead of pairs.
    permutations : int
        Number of times that the groups are dealt anew over the fixed graph. This tests which role
        an actor has, never how many pairs it mediates between: the total hardly changes.
    seed : int
        Of the permutations.

    Returns
    -------
    pandas.DataFrame
        One row an actor: actor_id; coordinator, itinerant, gatekeeper, representative, liaison
        (undirected: coordinator, itinerant, boundary, liaison) and total, int >= 0; with
        permutations `<role>_p`, 0-1: how often chance gives at least as many.
    """
    codes = code_groups(actors, group)
    arcs = read_arcs(relations, actors=actors, directed=directed)
    arcs = arcs if directed else mirror_arcs(arcs)
    known = np.flatnonzero(codes >= 0)
    kept = (codes[arcs.source] >= 0) & (codes[arcs.target] >= 0)
    arcs = Arcs(arcs.n, arcs.source[kept], arcs.target[kept], arcs.weight[kept], directed=True)
    closed = list_triangles(arcs)
    for ends in ([0, 1], [1, 2], [0, 2]):
        closed = closed[:, find_arcs(arcs, *closed[ends]) >= 0]
    mutual = find_arcs(arcs, arcs.target, arcs.source) >= 0
    returns = np.stack([arcs.source, arcs.target, arcs.source])[:, mutual]
    excluded = np.hstack([closed, returns])
    counts = _count_roles(arcs, codes, excluded, directed=directed)
    columns = ROLES if directed else ("coordinator", "itinerant", "boundary", "liaison")
    found = pd.DataFrame(counts, columns=list(columns))
    found.insert(0, "actor_id", index_actors(actors))
    found["total"] = counts.sum(axis=1)
    if permutations:
        rng, dealt, reached = np.random.default_rng(seed), codes.copy(), np.zeros(counts.shape)
        for _ in range(permutations):
            dealt[known] = rng.permutation(codes[known])
            reached += _count_roles(arcs, dealt, excluded, directed=directed) >= counts
        chance = (reached + 1) / (permutations + 1)  # what is there counts as one deal
        found[[f"{role}_p" for role in columns]] = chance
    return found


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
