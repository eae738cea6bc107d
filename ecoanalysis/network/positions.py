"""The place of each actor in the network, and the network as a whole."""

from __future__ import annotations

import math

import igraph
import numpy as np
import pandas as pd

from ecoanalysis.network.arcs import (
    LARGE,
    PIVOTS,
    Arcs,
    Rows,
    Values,
    find_arcs,
    list_triangles,
    mirror_arcs,
    read_arcs,
)
from ecoanalysis.network.mixing import code_groups, count_mixing, measure_ei
from ecoanalysis.ties import combine_ties


def measure_actors(
    relations: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    directed: bool = False,
    weighted: bool = False,
    seed: int | None = None,
) -> pd.DataFrame:
    """Measure the place of each actor in the network.

    Where tools disagree: paths are counted in steps, weights or not; closeness and harmonic follow
    outgoing paths and closeness looks at the actors reached only, as igraph has them (networkx
    follows incoming ones and multiplies by the share reached); Burt's measures follow his
    definition (networkx counts self-relations, igraph counts weight zero).

    `directed` counts arcs: degree and coreness then add those in and those out (Freeman 1978).
    `weighted` uses the recorded weights (blank = 1) in strength, PageRank and Burt's measures.
    With a `seed`, betweenness beyond 2,000 actors is estimated from the paths out of 500 actors
    drawn (Brandes & Pich 2007); otherwise it is exact, whatever that takes.

    Returns
    -------
    pandas.DataFrame
        One row an actor, in the order of `actors`:

        - actor_id
        - degree : int >= 0, number of ties
        - strength : float >= 0, sum of the weights of the actor's ties
        - betweenness : float >= 0, pairs of others whose shortest paths pass here (Freeman 1977)
        - closeness : 0-1, inverse of the mean distance to those reached; missing if nobody is
        - harmonic : 0-1, mean of the inverse distances to all others, 0 to those not reached
        - pagerank : 0-1, sums to 1 (damping .85; Brin & Page 1998)
        - coreness : int >= 0, most ties that everybody in some group has inside it (Seidman 1983)
        - constraint : float > 0, how far the contacts depend on one another (Burt 1992)
        - effective_size : float >= 1, contacts less their overlap (Burt 1992)
        - efficiency : 0-1, effective size over the number of contacts; these three are missing
          for isolates
        - component : int, 0 for the largest group of actors tied to one another directly or not,
          whatever the direction; equal sizes in the order of their first actor_id
        - isolate : bool, no tie inside the territory
    """
    arcs = read_arcs(relations, actors=actors, directed=directed, weighted=weighted)
    graph, n = arcs.make_graph(), arcs.n
    weights = arcs.weight.tolist() if weighted else None
    ends = np.concatenate([arcs.source, arcs.target])
    constraint, effective, contacts = measure_holes(mirror_arcs(arcs))
    parts = graph.connected_components(mode="weak").membership
    return pd.DataFrame(
        {
            "actor_id": arcs.ids,
            "degree": arcs.degree,
            "strength": np.bincount(ends, np.tile(arcs.weight, 2), minlength=n).astype(float),
            "betweenness": measure_betweenness(graph, seed),
            "closeness": np.array(graph.closeness(mode="out", normalized=True), dtype=float),
            "harmonic": np.array(graph.harmonic_centrality(mode="out"), dtype=float),
            "pagerank": np.array(graph.pagerank(weights=weights) if n else [], dtype=float),
            "coreness": np.array(graph.coreness(), dtype=int),
            "constraint": constraint,
            "effective_size": effective,
            "efficiency": effective / contacts,
            "component": rank_components(arcs.ids, parts),
            "isolate": arcs.degree == 0,
        }
    )


def measure_territory(
    ties: pd.DataFrame, *, actors: pd.DataFrame, group: str = "helix"
) -> pd.DataFrame:
    """Measure the network of a territory as a whole, direction dropped.

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
    arcs = read_arcs(ties, actors=actors)
    n, m = arcs.n, len(arcs.source)
    sizes = arcs.make_graph().connected_components().sizes()
    row = {
        "n_actors": n,
        "n_ties": m,
        "density": 2 * m / (n * (n - 1)) if n > 1 else math.nan,
        "mean_degree": 2 * m / n if n else math.nan,
        "n_components": len(sizes),
        "largest_component_share": max(sizes) / n if n else math.nan,
        "n_isolates": int((arcs.degree == 0).sum()),
        "cross_share": (1 + measure_ei(count_mixing(code_groups(actors, group)[0], arcs))) / 2,
    }
    return pd.DataFrame([row])


def measure_layers(ties: pd.DataFrame, *, actors: pd.DataFrame) -> pd.DataFrame:
    """Measure what each kind of relation brings to the network (ties as of `ties.select_ties`).

    There is one row a relation kind, in alphabetical order: kind; structure; n_inside, n_beyond,
    the relations recorded inside the territory and out of it; n_ties, the pairs that they make;
    n_only, those pairs that no other kind makes; n_actors, the actors that they tie (int).
    """
    pairs = combine_ties(ties, actors=actors)
    pairs = pairs.assign(kind=pairs["kinds"].str.split(";"), only=~pairs["kinds"].str.contains(";"))
    made, recorded = pairs.explode("kind"), ties["scope"].groupby(ties["kind"])
    ends = made.melt("kind", ["source", "target"]).groupby("kind")["value"]
    counts = {
        "n_inside": recorded.agg(lambda scope: scope.eq("inside").sum()),
        "n_beyond": recorded.agg(lambda scope: scope.eq("beyond").sum()),
        "n_ties": made.groupby("kind").size(),
        "n_only": made.groupby("kind")["only"].sum(),
        "n_actors": ends.nunique(),
    }
    found = pd.DataFrame(counts).fillna(0).astype(int).rename_axis("kind")
    found.insert(0, "structure", ties.groupby("kind")["structure"].first().astype("str"))
    return found.reset_index()


def rank_components(ids: pd.Index, label: list[int]) -> Rows:
    """Renumber components from the largest, then by their first id."""
    found = pd.DataFrame({"label": label, "id": ids}).groupby("label")["id"].agg(["size", "min"])
    order = found.sort_values(["size", "min"], ascending=[False, True]).index.to_numpy(np.intp)
    return np.argsort(order)[np.asarray(label, dtype=np.intp)]


def measure_betweenness(graph: igraph.Graph, seed: int | None) -> Values:
    """Betweenness, beyond `LARGE` actors estimated from `PIVOTS` of them unless seed is None."""
    n = graph.vcount()
    if n <= LARGE or seed is None:
        return np.array(graph.betweenness(), dtype=float)
    chosen = np.random.default_rng(seed).choice(n, PIVOTS, replace=False).tolist()
    found: Values = np.array(graph.betweenness(sources=chosen)) * (n / PIVOTS)
    return found


def measure_holes(both: Arcs) -> tuple[Values, Values, Values]:
    """Constraint, effective size and number of contacts, missing for isolates (Burt 1992, ch. 2).

    With z the symmetric weights, p_ij = z_ij / Σ_q z_iq and m_jq = z_jq / max_k z_jk:
    constraint_i = Σ_j (p_ij + Σ_q p_iq p_qj)², effective size_i = Σ_j (1 - Σ_q p_iq m_jq), j over
    the contacts of i. Each closed triple (i, q, j) adds one term to the inner sums.
    """
    n, i = both.n, both.source
    share = both.weight / np.bincount(i, both.weight, minlength=n)[i]
    most = np.zeros(n)
    np.maximum.at(most, i, both.weight)
    first, middle, last = list_triangles(both)
    iq, qj, ij = (
        find_arcs(both, *ends) for ends in ((first, middle), (middle, last), (first, last))
    )
    through = np.bincount(ij, share[iq] * share[qj], minlength=len(i))
    overlap = np.bincount(first, share[iq] * both.weight[qj] / most[last], minlength=n)
    contacts = np.bincount(i, minlength=n).astype(float)
    contacts[contacts == 0] = np.nan
    constraint = np.bincount(i, (share + through) ** 2, minlength=n) + 0 * contacts
    return constraint, contacts - overlap, contacts
