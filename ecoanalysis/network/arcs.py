"""Ties as arrays: the form in which they are counted."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import igraph
import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.ties import combine_ties, index_actors

Rows = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]

LARGE, PIVOTS = 2_000, 500
"""Above so many actors, what needs all paths is left out, or estimated from so many of them."""


@dataclass(frozen=True)
class Arcs:
    """The ties of actors: their ends by row of `ids` and their weights, one entry a tie."""

    ids: pd.Index
    source: Rows
    target: Rows
    weight: Values
    directed: bool = True

    @property
    def n(self) -> int:
        """Number of actors."""
        return len(self.ids)

    @property
    def degree(self) -> npt.NDArray[np.int64]:
        """Ties of each actor; of arcs those that leave and those that arrive."""
        return np.bincount(np.concatenate([self.source, self.target]), minlength=self.n)

    def make_graph(self) -> igraph.Graph:
        """Make the igraph graph with the same order of actors and ties."""
        ends = zip(self.source.tolist(), self.target.tolist(), strict=True)  # makes no garbage
        return igraph.Graph(self.n, ends, self.directed)


def read_arcs(
    relations: pd.DataFrame, *, actors: pd.DataFrame, directed: bool = False, weighted: bool = False
) -> Arcs:
    """Combine relations into ties (see `ties.combine_ties`), each of weight 1 if not weighted."""
    plain = relations.drop(columns="kind", errors="ignore")
    pairs = combine_ties(plain, actors=actors, directed=directed)
    source, target, weight = (pairs[name].to_numpy() for name in ("source", "target", "weight"))
    weight = weight if weighted else np.ones(len(pairs))
    return Arcs(index_actors(actors), source, target, weight, directed)


def find_arcs(arcs: Arcs, source: Rows, target: Rows) -> Rows:
    """Find the place of each arc source → target among the arcs; -1 where there is none."""
    keys = pd.Index(arcs.source * arcs.n + arcs.target)
    place: Rows = keys.get_indexer(pd.Index(source * arcs.n + target))
    return place


def mirror_arcs(arcs: Arcs) -> Arcs:
    """Add to each arc the one that goes back; the weights of the two ways add up in both."""
    source = np.concatenate([arcs.source, arcs.target])
    target = np.concatenate([arcs.target, arcs.source])
    n = max(arcs.n, 1)
    keys, place = np.unique(source * n + target, return_inverse=True)
    weight = np.bincount(place, np.tile(arcs.weight, 2), minlength=len(keys)).astype(float)
    return Arcs(arcs.ids, keys // n, keys % n, weight)


def list_triangles(arcs: Arcs) -> Rows:
    """List the triples of actors that are all tied, whatever the direction, in all six orders.

    Each tie points to its better-tied end, so that a hub starts few paths: at most m √(2m) paths
    of two steps are looked at (Chiba & Nishizeki 1985). Shape (3, number of triples).
    """
    both = mirror_arcs(arcs)
    rank = np.empty(arcs.n, dtype=np.intp)
    rank[np.lexsort((np.arange(arcs.n), both.degree))] = np.arange(arcs.n)
    up = rank[both.source] < rank[both.target]
    ties = Arcs(arcs.ids, both.source[up], both.target[up], both.weight[up])  # sorted by source
    n_out = np.bincount(ties.source, minlength=arcs.n)
    repeats = n_out[ties.source]
    first = np.repeat(np.arange(len(ties.source)), repeats)
    start = (np.cumsum(n_out) - n_out)[ties.source] - (np.cumsum(repeats) - repeats)
    second = np.repeat(start, repeats) + np.arange(len(first))
    higher = rank[ties.target[first]] < rank[ties.target[second]]
    first, second = first[higher], second[higher]
    closed = find_arcs(ties, ties.target[first], ties.target[second]) >= 0
    first, second = first[closed], second[closed]
    triple = np.stack([ties.source[first], ties.target[first], ties.target[second]])
    return np.hstack([triple[list(order)] for order in permutations(range(3))])
