"""Ties between actors: which relations count, and the graph that they make.

A relation is a row that somebody wrote down; a tie is a pair of organisations. Several relations
between the same two, of one kind or of several, are **one tie**: degree and density count pairs.
Only the weights add up. Self-relations and relations of weight zero are no ties (Burt 1992).
"""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.study.suggest import check_name

TIE_COLUMNS = ("source_id", "target_id", "kind", "weight", "structure", "scope", "directed")
NODE_ATTRIBUTES = ("name", "kind", "helix")
_ENDS = ["source_id", "target_id"]


def select_ties(
    relations: pd.DataFrame, *, actors: pd.DataFrame, relation_kinds: pd.DataFrame
) -> pd.DataFrame:
    """Select the existing ties of one territory, inside it and beyond it.

    `relations` have source_id, target_id, kind; optionally status (blank = existing) and weight.
    Those that touch nobody here are left out; the same actor_id is the same organisation
    everywhere. An actor listed twice or a kind that is not in the codebook is a UsageError.

    Returns
    -------
    pandas.DataFrame
        One row a relation, in the order given, under a new index:

        - source_id, target_id, kind : as recorded
        - weight : float, missing where none was recorded
        - structure : "free", "membership" or "two_mode"
        - scope : "inside" (both ends are here) or "beyond" (one end is)
        - directed : bool, whether source and target differ in meaning
    """
    here, kept = index_actors(actors), _drop_planned(relations)
    for kind in kept["kind"].dropna().unique():
        check_name(kind, relation_kinds.index, "relation kind")
    n_here = kept[_ENDS].isin(here).sum(axis=1)
    found = kept[[*_ENDS, "kind"]].assign(
        weight=_read_weights(kept),
        structure=kept["kind"].map(relation_kinds["structure"]),
        scope=np.where(n_here == 2, "inside", "beyond"),
        directed=kept["kind"].map(relation_kinds["directed"]).eq("yes"),
    )
    return found[n_here > 0].reset_index(drop=True)


def combine_ties(
    ties: pd.DataFrame, *, actors: pd.DataFrame, directed: bool = False
) -> pd.DataFrame:
    """Combine the relations of each pair of actors into one tie.

    Ties have source_id, target_id, optionally weight (blank = 1), kind, directed (bool). Left out:
    those with an end outside `actors`, self-relations, relations of weight zero and those whose
    `status`, if there is such a column, is planned or desired. If `directed`, a tie is an arc, and
    a relation whose `directed` is False makes two; otherwise a → b and b → a are the same tie. An
    actor listed twice or a negative weight is a UsageError.

    Returns
    -------
    pandas.DataFrame
        One row a pair, in the order of `actors`:

        - source_id, target_id : the earlier actor first where direction is dropped
        - source, target : int, their rows in `actors`, counted from 0
        - weight : float > 0, the sum over the pair's relations
        - kinds : the relation kinds, sorted, `;` between; only with a `kind` column
    """
    ids, rows = index_actors(actors), _drop_planned(ties)
    weight = _read_weights(rows).fillna(1.0).to_numpy()
    if (weight < 0).any():
        raise UsageError(f"a tie's weight must not be negative; found {weight.min():g}")
    source, target = (ids.get_indexer(pd.Index(rows[end])) for end in _ENDS)
    place = np.arange(len(rows))
    if not directed:
        source, target = np.minimum(source, target), np.maximum(source, target)
    elif "directed" in rows.columns:
        both = np.flatnonzero(~rows["directed"].to_numpy(bool))
        place = np.concatenate([place, both])
        source, target = np.r_[source, target[both]], np.r_[target, source[both]]
    held = (np.minimum(source, target) >= 0) & (source != target) & (weight[place] > 0)
    source, target, place = source[held], target[held], place[held]
    n = max(len(ids), 1)
    keys, pair = np.unique(source * n + target, return_inverse=True)
    combined = pd.DataFrame({"source": keys // n, "target": keys % n})
    combined.insert(0, "source_id", ids[combined["source"]])
    combined.insert(1, "target_id", ids[combined["target"]])
    combined["weight"] = np.bincount(pair, weight[place], minlength=len(keys)).astype(float)
    if "kind" in rows.columns:
        kinds = pd.DataFrame({"pair": pair, "kind": rows["kind"].astype("str").to_numpy()[place]})
        kinds = kinds.fillna("").drop_duplicates().sort_values("kind")
        combined["kinds"] = kinds.groupby("pair")["kind"].agg(";".join).astype("str")
    return combined


def build_graph(
    ties: pd.DataFrame, *, actors: pd.DataFrame, directed: bool = False, weighted: bool = False
) -> nx.Graph[str]:
    """Build the networkx graph of one territory, isolates included, as of `combine_ties`.

    Nodes are actor ids in the order of `actors` and carry whichever of name, kind, helix it has,
    empty text where it is missing; edges carry `kinds` and, if `weighted`, `weight`.
    """
    graph: nx.Graph[str] = nx.DiGraph() if directed else nx.Graph()
    texts = actors.set_index(index_actors(actors)).astype("str").fillna("")
    nodes: Any = texts[[name for name in NODE_ATTRIBUTES if name in texts]].to_dict("index")
    graph.add_nodes_from(nodes.items())
    pairs = combine_ties(ties, actors=actors, directed=directed)
    carried: Any = pairs[["weight", "kinds"] if weighted else ["kinds"]].to_dict("records")
    graph.add_edges_from(zip(pairs["source_id"], pairs["target_id"], carried, strict=True))
    return graph


def index_actors(actors: pd.DataFrame) -> pd.Index:
    """Return the actor ids in their order; `UsageError` if one stands twice."""
    ids: pd.Index = pd.Index(actors["actor_id"])
    if not ids.is_unique:
        doubled = ", ".join(map(str, ids[ids.duplicated()].unique()[:5]))
        raise UsageError(f"actors listed twice: {doubled}; pass the actors of one territory")
    return ids


def _drop_planned(relations: pd.DataFrame) -> pd.DataFrame:
    status = relations.get("status", pd.Series("", index=relations.index)).fillna("")
    return relations[status.isin(["", "existing"])]


def _read_weights(relations: pd.DataFrame) -> pd.Series:
    weight: pd.Series = relations.get("weight", pd.Series(np.nan, index=relations.index))
    return weight.astype(float)
