"""What would change if actors were not there: bridges, key players, stability of the measures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import igraph
import numpy as np
import pandas as pd

from ecoanalysis.network.arcs import LARGE, read_arcs
from ecoanalysis.network.positions import measure_betweenness

MINIMUM_TIES, MINIMUM_CORRELATION = 20, 0.8


def measure_bridges(
    relations: pd.DataFrame, *, actors: pd.DataFrame, seed: int = 1
) -> pd.DataFrame:
    """Measure what passes through the actors that stand between most others.

    There is a row for each of the ten with most betweenness above 0, of equal ones the first by
    actor_id: actor_id; through (0-1, share of the pairs of other actors whose shortest paths pass
    here; beyond 2,000 actors estimated from the paths out of 500); n_parted (int, actors that would
    be cut off from the largest part of those it holds together).
    """
    arcs, parted = read_arcs(relations, actors=actors), []
    graph, pairs = arcs.make_graph(), max((arcs.n - 1) * (arcs.n - 2) / 2, 1)
    through = measure_betweenness(graph, seed) / pairs
    found = pd.DataFrame({"actor_id": arcs.ids, "through": through}).query("through > 0")
    found = found.sort_values(["through", "actor_id"], ascending=[False, True]).head(10)
    for row in found.index:
        rest = graph.copy()
        rest.delete_edges(graph.incident(row))
        parts = rest.connected_components()
        sizes = [parts.size(part) for part in {parts.membership[i] for i in graph.neighbors(row)}]
        parted.append(sum(sizes) - max(sizes))
    return found.assign(n_parted=np.array(parted, dtype=int)).reset_index(drop=True)


def measure_key_players(relations: pd.DataFrame, *, actors: pd.DataFrame) -> pd.DataFrame:
    """Find the two actors without whom the network falls apart most (Borgatti 2006).

    Of all pairs the one with the largest fragmentation, of equal ones (the 50 with most
    betweenness) the largest distance-weighted one. Beyond 60 actors only pairs among the 60 with
    most betweenness are tried, beyond 2,000 among the 10 with most ties. There are two rows, none
    without a tie or with fewer than four actors: actor_id; fragmentation (0-1, share of the pairs
    left that cannot reach each other); distance_fragmentation (0-1, with each other pair counted as
    1 - 1 / distance; missing above 2,000 actors); fragmentation_before (0-1, with everybody there).
    """
    arcs = read_arcs(relations, actors=actors)
    graph, n = arcs.make_graph(), arcs.n
    columns = ["fragmentation", "distance_fragmentation", "fragmentation_before"]
    if n < 4 or not graph.ecount():
        return pd.DataFrame({"actor_id": arcs.ids[:0]} | dict.fromkeys(columns, np.empty(0)))
    weight = np.array(graph.betweenness() if n <= LARGE else graph.degree())
    tried = sorted(np.argsort(-weight, kind="stable")[: 60 if n <= LARGE else 10].tolist())
    pairs = sorted(combinations(tried, 2), key=lambda pair: -weight[list(pair)].sum())
    apart = np.array([_fragment(_leave_out(graph, pair)) for pair in pairs])
    best = [pairs[i] for i in np.flatnonzero(apart >= apart.max() - 1e-12)[:50]]
    distant = [np.nan] * len(best)
    if n <= LARGE:
        rests = (_leave_out(graph, pair) for pair in best)
        distant = [1 - float(np.mean(rest.harmonic_centrality())) for rest in rests]
    chosen = int(np.argmax(distant))
    found = pd.DataFrame({"actor_id": arcs.ids[list(best[chosen])]})
    found[columns] = apart.max(), distant[chosen], _fragment(graph)
    return found.sort_values("actor_id", ignore_index=True)


def measure_stability(
    relations: pd.DataFrame, *, actors: pd.DataFrame, seed: int = 1
) -> pd.DataFrame:
    """Measure whether the order of actors holds when some are missing (Smith & Moody 2013).

    20 times each, 10, 20 and 30 % of the actors are left out. There is one row a measure (degree;
    betweenness up to 2,000 actors) and share: measure; missing_share; correlation (-1 to 1, mean
    rank correlation of the actors that stay, with and without the others; missing where all are
    equal); n_ties (int, in the whole network).
    """
    graph, rng = read_arcs(relations, actors=actors).make_graph(), np.random.default_rng(seed)
    n, rows = graph.vcount(), []
    names = ("degree", "betweenness") if n <= LARGE else ("degree",)
    whole = {name: np.array(getattr(graph, name)()) for name in names}
    for share in np.repeat([0.1, 0.2, 0.3], 20):
        gone = rng.choice(n, round(share * n), replace=False) if n else []
        rest = _leave_out(graph, gone)
        for name, values in whole.items():
            ends = {"with": np.delete(values, gone), "without": getattr(rest, name)()}
            rows.append((name, share, pd.DataFrame(ends).corr("spearman").iloc[0, 1]))
    found = pd.DataFrame(rows, columns=["measure", "missing_share", "correlation"])
    found = found.groupby(["measure", "missing_share"], sort=False, as_index=False).mean()
    return found.assign(n_ties=graph.ecount())


def _leave_out(graph: igraph.Graph, gone: Sequence[int]) -> igraph.Graph:
    rest = graph.copy()
    rest.delete_vertices(list(gone))
    return rest


def _fragment(graph: igraph.Graph) -> float:
    sizes = np.array(graph.connected_components().sizes())
    n = sizes.sum()
    return 1 - float((sizes * (sizes - 1)).sum() / (n * (n - 1)))
