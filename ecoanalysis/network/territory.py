"""The network of a territory as a whole, and its layers."""

from __future__ import annotations

import math

import pandas as pd

from ecoanalysis.network.arcs import read_arcs
from ecoanalysis.network.mixing import code_groups, count_mixing, measure_ei
from ecoanalysis.ties import combine_ties


def measure_territory(
    ties: pd.DataFrame, *, actors: pd.DataFrame, group: str = "helix"
) -> pd.DataFrame:
    """Measure the network of a territory as a whole, direction dropped.

    Parameters
    ----------
    ties, actors, group
        See the package; `cross_share` compares the groups.

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
        "cross_share": (1 + measure_ei(count_mixing(code_groups(actors, group), arcs))) / 2,
    }
    return pd.DataFrame([row])


def measure_layers(ties: pd.DataFrame, *, actors: pd.DataFrame) -> pd.DataFrame:
    """Measure what each kind of relation brings to the network.

    Parameters
    ----------
    ties, actors
        As `ties.select_ties` returns the ties; see the package.

    Returns
    -------
    pandas.DataFrame
        One row a relation kind, in alphabetical order: kind; structure; n_inside, n_beyond, the
        relations recorded inside the territory and out of it; n_ties, the pairs that they make;
        n_only, those pairs that no other kind makes; n_actors, the actors that they tie (int).
    """
    pairs = combine_ties(ties, actors=actors)
    kinds = pairs["kinds"].str.split(";")
    layers = (
        pairs.assign(kind=kinds, only=~pairs["kinds"].str.contains(";"))
        .explode("kind")
        .groupby("kind")
    )
    ends = pairs.assign(kind=kinds).melt("kind", ["source", "target"]).explode("kind")
    scope = pd.crosstab(ties["kind"], ties["scope"]).reindex(columns=["inside", "beyond"])
    found = scope.set_axis(["n_inside", "n_beyond"], axis=1).rename_axis("kind")
    found.insert(0, "structure", ties.groupby("kind")["structure"].first())
    found["n_ties"], found["n_only"] = layers.size(), layers["only"].sum()
    found["n_actors"] = ends.groupby("kind")["value"].nunique()
    numbers = found.columns[1:]
    return (
        found.astype({"structure": "str"})
        .fillna(dict.fromkeys(numbers, 0))
        .astype(dict.fromkeys(numbers, int))
        .reset_index()
    )
