"""Ties as arrays: the form in which they are counted."""

from __future__ import annotations

from dataclasses import dataclass

import igraph
import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.ties import combine_ties

Rows = npt.NDArray[np.intp]
Values = npt.NDArray[np.float64]

LARGE, PIVOTS = 2_000, 500
"""Above so many actors, what needs all paths is left out, or estimated from so many of them."""


@dataclass(frozen=True)
class Arcs:
    """The ties of `n` actors: their ends by row and their weights, one entry a tie."""

    n: int
    source: Rows
    target: Rows
    weight: Values
    directed: bool = False

    @property
    def degree(self) -> npt.NDArray[np.int64]:
        """Ties of each actor; of arcs those that leave and those that arrive."""
        return np.bincount(np.concatenate([self.source, self.target]), minlength=self.n)

    def make_graph(self) -> igraph.Graph:
        """Make the igraph graph with the same order of actors and ties."""
        return igraph.Graph(self.n, np.stack([self.source, self.target], 1), self.directed)


def read_arcs(
    relations: pd.DataFrame, *, actors: pd.DataFrame, directed: bool = False, weighted: bool = True
) -> Arcs:
    """Combine relations into ties (see `ties.combine_ties`), each of weight 1 if not weighted."""
    plain = relations.drop(columns=["kind", *([] if weighted else ["weight"])], errors="ignore")
    if not weighted and "weight" in relations.columns:
        plain = plain[relations["weight"].ne(0)]
    pairs = combine_ties(plain, actors=actors, directed=directed)
    weight = pairs["weight"].to_numpy(float) if weighted else np.ones(len(pairs))
    source, target = pairs["source"].to_numpy(np.intp), pairs["target"].to_numpy(np.intp)
    return Arcs(len(actors), source, target, weight, directed)


def find_arcs(arcs: Arcs, source: Rows, target: Rows) -> Rows:
    """Find the place of each arc source → target among the arcs; -1 where there is none."""
    keys, wanted = arcs.source * arcs.n + arcs.target, source * arcs.n + target
    if not len(keys):
        return np.full(len(wanted), -1)
    order = np.argsort(keys, kind="stable")
    place = order[np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)]
    return np.where(keys[place] == wanted, place, -1)


def mirror_arcs(arcs: Arcs) -> Arcs:
    """Add to each arc the one that goes back; the weights of the two ways add up in both."""
    source = np.concatenate([arcs.source, arcs.target])
    target = np.concatenate([arcs.target, arcs.source])
    keys, place = np.unique(source * arcs.n + target, return_inverse=True)
    weight = np.bincount(place, np.tile(arcs.weight, 2), minlength=len(keys)).astype(float)
    n = max(arcs.n, 1)
    return Arcs(arcs.n, keys // n, keys % n, weight, directed=True)


def list_triangles(arcs: Arcs) -> Rows:
    """List the triples of actors that are all tied, whatever the direction, in all six orders.

    Each tie points to its better-tied end, so that a hub starts few paths: at most m √(2m) paths
    of two steps are looked at (Chiba & Nishizeki 1985). Shape (3, number of triples).
    """
    both = mirror_arcs(arcs)
    rank = np.empty(arcs.n, dtype=np.intp)
    rank[np.lexsort((np.arange(arcs.n), both.degree))] = np.arange(arcs.n)
    up = rank[both.source] < rank[both.target]
    ties = Arcs(arcs.n, both.source[up], both.target[up], both.weight[up])  # sorted by source
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
    orders = [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
    return np.hstack([triple[list(order)] for order in orders])
