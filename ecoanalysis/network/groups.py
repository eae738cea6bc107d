"""Groups that the ties themselves make: communities, and a core with its periphery."""

from __future__ import annotations

import random
from typing import Any

import igraph
import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.network.arcs import LARGE, Arcs, Values, mirror_arcs, read_arcs
from ecoanalysis.network.positions import rank_components

Flags = npt.NDArray[np.bool_]

EXHAUSTIVE = 20


def classify_communities(
    relations: pd.DataFrame, *, actors: pd.DataFrame, seed: int = 1
) -> pd.DataFrame:
    """Put actors into communities: many ties within, few between (Leiden; Traag et al. 2019).

    The best of 10 runs is taken, beyond 2,000 actors the first. There is one row an actor:
    actor_id; community (int, 0 the largest); modularity (-0.5 to 1, of the whole, the same in each
    row; missing without a tie; Newman & Girvan 2004).
    """
    arcs = read_arcs(relations, actors=actors)
    graph = arcs.make_graph()
    igraph.set_random_number_generator(random.Random(seed))
    runs = [
        graph.community_leiden(objective_function="modularity", n_iterations=10)
        for _ in range(10 if graph.vcount() <= LARGE else 1)
    ]
    igraph.set_random_number_generator(random)
    best = max(runs, key=lambda one: one.modularity)
    community = rank_components(arcs.ids, best.membership)
    found = pd.DataFrame({"actor_id": arcs.ids, "community": community})
    return found.assign(modularity=best.modularity if graph.ecount() else np.nan)


def classify_core(relations: pd.DataFrame, *, actors: pd.DataFrame, seed: int = 1) -> pd.DataFrame:
    """Divide actors into a core, tied to everybody, and a periphery without ties among itself.

    The division whose ideal pattern, a tie wherever an end is in the core, correlates best with
    the ties (Borgatti & Everett 2000, discrete): all divisions are tried up to 20 actors, beyond
    that a local search from 20 random starts and from the best-tied, beyond 2,000 from those only.
    There is one row an actor: actor_id; core (bool); fit (-1 to 1, the correlation, the same in
    each row; missing, and nobody in the core, where no pair or every pair is tied).
    """
    both = mirror_arcs(read_arcs(relations, actors=actors))
    n, m = both.n, len(both.source) // 2
    core, fit = np.zeros(n, dtype=bool), np.nan
    if 0 < m < n * (n - 1) // 2:
        core = _try_all(both) if n <= EXHAUSTIVE else _search(both, seed)
        fit = float(_correlate(both, core.sum(), _count_touched(both, core)))
    return pd.DataFrame({"actor_id": both.ids, "core": core, "fit": fit})


def _correlate(both: Arcs, size: Any, touched: Any) -> Values:
    """Correlate the ties with the ideal of a core of that size, on which `touched` ties end.

    Both patterns hold 0 and 1 over the N pairs, so that four counts give the correlation.
    """
    n, m = both.n, len(both.source) / 2
    pairs, ideal = n * (n - 1) / 2, size * (size - 1) / 2 + size * (n - size)
    spread = m * (pairs - m) * ideal * (pairs - ideal)
    fit: Values = (pairs * touched - m * ideal) / np.sqrt(np.where(spread > 0, spread, np.inf))
    return np.where(spread > 0, fit, -1.0)


def _count_touched(both: Arcs, core: Flags) -> int:
    return int((core[both.source] | core[both.target]).sum()) // 2


def _try_all(both: Arcs) -> Flags:
    """Count the ties inside each possible periphery, one bit an actor, by doubling."""
    neighbours = np.zeros(both.n, dtype=np.uint32)
    np.bitwise_or.at(neighbours, both.source, np.uint32(1) << both.target.astype(np.uint32))
    inside = np.zeros(2**both.n, dtype=np.int32)
    sets = np.arange(2**both.n, dtype=np.uint32)
    for i, mine in enumerate(neighbours):
        inside[2**i : 2 ** (i + 1)] = inside[: 2**i] + np.bitwise_count(sets[: 2**i] & mine)
    sizes = both.n - np.bitwise_count(sets).astype(float)
    periphery = np.argmax(_correlate(both, sizes, len(both.source) / 2 - inside))
    core: Flags = (periphery >> np.arange(both.n)) & 1 == 0
    return core


def _search(both: Arcs, seed: int) -> Flags:
    """Move one actor at a time while the fit grows, from the best-tied and from random cores."""
    rng, order = np.random.default_rng(seed), np.argsort(-both.degree, kind="stable")
    rank = np.argsort(order)
    reached = np.minimum(rank[both.source], rank[both.target])
    touched = np.cumsum(np.bincount(reached, minlength=both.n)) / 2
    size = int(np.argmax(_correlate(both, np.arange(1, both.n + 1), touched))) + 1
    best, best_fit = rank < size, -1.0
    for start in range(21 if both.n <= LARGE else 1):
        core = rank < size if start == 0 else rng.permutation(both.n) < size
        fit = float(_correlate(both, core.sum(), _count_touched(both, core)))
        while True:
            open_ends = np.bincount(both.source[~core[both.target]], minlength=both.n)
            step = np.where(core, -1, 1)
            moved = _count_touched(both, core) + step * open_ends
            fits = _correlate(both, core.sum() + step, moved)
            chosen = int(np.argmax(fits))
            if fits[chosen] <= fit + 1e-12:
                break
            core[chosen], fit = not core[chosen], float(fits[chosen])
        if fit > best_fit + 1e-12:
            best, best_fit = core, fit
    return best
