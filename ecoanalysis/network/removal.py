"""What would change if actors were not there: bridges, key players, stability of the measures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import igraph
import numpy as np
import pandas as pd
from scipy.stats import pearsonr, rankdata

from ecoanalysis.network.arcs import LARGE, Values, read_arcs
from ecoanalysis.network.positions import measure_betweenness
from ecoanalysis.ties import index_actors

MINIMUM_TIES, MINIMUM_CORRELATION = 20, 0.8


def measure_bridges(
    relations: pd.DataFrame, *, actors: pd.DataFrame, seed: int = 1
) -> pd.DataFrame:
    """Measure what passes through the actors that stand between most others.

    Parameters
    ----------
    relations, actors
        See the package.
    seed : int
        Beyond 2,000 actors betweenness is estimated from the paths out of 500 drawn with it.

    Returns
    -------
    pandas.DataFrame
        The ten with most betweenness above 0, of equal ones the first by actor_id: actor_id;
        through (0-1, share of the pairs of other actors whose shortest paths pass here); n_parted
        (int, actors that would be cut off from the largest part of those it holds together).
    """
    graph, ids = read_arcs(relations, actors=actors).make_graph(), index_actors(actors)
    pairs = max((len(ids) - 1) * (len(ids) - 2) / 2, 1)
    through = measure_betweenness(graph, seed) / pairs
    found = pd.DataFrame({"actor_id": ids, "through": through})
    found = found[found["through"] > 0].sort_values("actor_id")
    found = found.sort_values("through", ascending=False, kind="stable").head(10)
    parted = []
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
    most betweenness are tried, beyond 2,000 among the 10 with most ties.

    Parameters
    ----------
    relations, actors
        See the package.

    Returns
    -------
    pandas.DataFrame
        Two rows, none without a tie or with fewer than four actors: actor_id; fragmentation (0-1,
        share of the pairs left that cannot reach each other); distance_fragmentation (0-1, with
        each other pair counted as 1 - 1 / distance; missing above 2,000 actors);
        fragmentation_before (0-1, with everybody there).
    """
    graph, ids = read_arcs(relations, actors=actors).make_graph(), index_actors(actors)
    n = len(ids)
    columns = ["fragmentation", "distance_fragmentation", "fragmentation_before"]
    if n < 4 or not graph.ecount():
        return pd.DataFrame({"actor_id": ids[:0]} | {name: np.empty(0) for name in columns})
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
    found = pd.DataFrame({"actor_id": ids[list(best[chosen])]}).sort_values("actor_id")
    return found.assign(
        **dict(zip(columns, (apart.max(), distant[chosen], _fragment(graph)), strict=True))
    ).reset_index(drop=True)


def measure_stability(
    relations: pd.DataFrame, *, actors: pd.DataFrame, seed: int = 1
) -> pd.DataFrame:
    """Measure whether the order of actors holds when some are missing (Smith & Moody 2013).

    Parameters
    ----------
    relations, actors
        See the package.
    seed : int
        Of the draws: 20 times each 10, 20 and 30 % of the actors are left out.

    Returns
    -------
    pandas.DataFrame
        One row a measure (degree; betweenness up to 2,000 actors) and share: measure;
        missing_share; correlation (-1 to 1, mean rank correlation of the actors that stay, with
        and without the others; missing where all are equal); n_ties (int, in the whole network).
    """
    graph, rng = read_arcs(relations, actors=actors).make_graph(), np.random.default_rng(seed)
    measures = {"degree": igraph.Graph.degree, "betweenness": igraph.Graph.betweenness}
    measures = dict(list(measures.items())[: 2 if graph.vcount() <= LARGE else 1])
    whole = {name: np.array(measure(graph)) for name, measure in measures.items()}
    rows = []
    for share in (0.1, 0.2, 0.3):
        n_gone = round(share * graph.vcount())
        for _ in range(20):
            gone = rng.choice(graph.vcount(), n_gone, replace=False) if graph.vcount() else []
            rest, stay = _leave_out(graph, gone), np.delete(np.arange(graph.vcount()), gone)
            for name, measure in measures.items():
                held = _correlate_ranks(whole[name][stay], np.array(measure(rest)))
                rows.append((name, share, held))
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


def _correlate_ranks(left: Values, right: Values) -> float:
    ranks = [rankdata(values) for values in (left, right)]
    varied = len(left) > 1 and all(np.ptp(values) > 0 for values in ranks)
    return float(pearsonr(*ranks).statistic) if varied else np.nan
