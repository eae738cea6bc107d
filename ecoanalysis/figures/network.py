"""The picture of the network: who is tied to whom, and who ties many."""

from __future__ import annotations

from collections.abc import Sequence

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.names import Array, describe_omitted, place_names
from ecoanalysis.wording import Language

_FEW, _NAMED, _STRIP = 120, 20, 0.16
_HALO = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5}


def plot_network(
    ties: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    ax: Axes,
    codebook: Codebook,
    language: Language,
    limit: int = 400,
    seed: int = 1,
) -> Axes:
    """Draw the ties between actors, near one another where they share many.

    Parameters
    ----------
    ties : pandas.DataFrame
        `source_id`, `target_id`; ties to actors that are not in `actors` are left out, several
        ties between two actors are one line.
    actors : pandas.DataFrame
        `actor_id`, `name`, `helix`.
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels, words and numbers.
    limit : int
        Beyond this number of tied actors only the best-tied core (k-core) is drawn.
    seed : int
        Seed of the layout.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes. Marks grow with the number of ties; the best-tied actors are named first.
        Actors without a tie are not drawn but counted, and some named, in a note.
    """
    known = actors.drop_duplicates("actor_id").set_index("actor_id")
    graph = _build_graph(ties, known.index)
    degree = pd.Series(dict(graph.degree()), index=known.index)
    graph.remove_nodes_from(list(known.index[degree == 0]))
    if not len(graph):
        return style.say_empty(ax, language=language)
    core = _find_core(graph, limit=limit)
    shown = known.loc[list(core)].assign(degree=degree)
    notes = _describe_missing(known.loc[degree == 0, "name"], len(core), len(graph), language)
    style.clear_frame(ax)
    key = style.make_key(shown["helix"], codebook=codebook, language=language)
    height = 360 if len(core) > 12 else 240
    style.frame_axes(ax, height=height, key=key, notes=notes, spare=1)
    places = _lay_out(core, seed=seed)
    _draw_ties(ax, core, dict(zip(core, places, strict=True)))
    few = len(core) <= _FEW
    least, most = (6.0, 15.0) if few else (3.5, 10.0)
    share = shown["degree"].to_numpy(float) / shown["degree"].max()
    sizes = least + (most - least) * np.sqrt(share)
    style.draw_marks(ax, shown["helix"], places, sizes=sizes)
    order = np.argsort(-share, kind="stable")
    order = order if few else order[:_NAMED]
    names, halves = shown["name"].iloc[order].tolist(), sizes[order] / 2
    omitted = place_names(ax, places[order], names, radius=halves, limit=_NAMED, bbox=_HALO)
    many = language.gettext("Only the best-tied are named.")
    style.write_note(ax, describe_omitted(omitted, language=language) if few else many)
    return ax


def _build_graph(ties: pd.DataFrame, actor_ids: pd.Index[str]) -> nx.Graph[str]:
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(actor_ids)
    inside = ties["source_id"].isin(actor_ids) & ties["target_id"].isin(actor_ids)
    pairs = ties.loc[inside & (ties["source_id"] != ties["target_id"])]
    graph.add_edges_from(zip(pairs["source_id"], pairs["target_id"], strict=True))
    return graph


def _find_core(graph: nx.Graph[str], *, limit: int) -> nx.Graph[str]:
    """Return the graph, or its largest k-core of at most `limit` actors, else the best-tied."""
    if len(graph) <= limit:
        return graph
    level = pd.Series(nx.core_number(graph))
    fits = [k for k in sorted(level.unique()) if (level >= k).sum() <= limit]
    best = sorted(graph, key=lambda node: -graph.degree(node))[:limit]
    kept = set(level.index[level >= fits[0]]) if fits else set(best)
    return _take(graph, [node for node in graph if node in kept])


def _take(graph: nx.Graph[str], nodes: list[str]) -> nx.Graph[str]:
    """Return a part of a graph with its nodes in this order (`Graph.subgraph` has them in any)."""
    part: nx.Graph[str] = nx.Graph()
    part.add_nodes_from(nodes)
    part.add_edges_from(tie for tie in graph.edges() if tie[0] in part and tie[1] in part)
    return part


def _lay_out(graph: nx.Graph[str], *, seed: int) -> Array:
    """Lay out the large components beside each other, the small ones in a strip below."""
    parts = sorted(nx.connected_components(graph), key=lambda part: (-len(part), min(part)))
    large = [part for part in parts if len(part) >= max(6, len(parts[0]) / 4)] or parts[:1]
    small = parts[len(large) :]
    floor = _STRIP if small else 0.0
    placed: dict[str, Array] = {}
    for row, low, high in ((large, floor, 1.0), (small, 0.0, floor * 0.75)):
        widths = np.sqrt([len(part) for part in row])
        ends = np.concatenate([[0], np.cumsum(widths) / max(widths.sum(), 1)])
        for part, left, right in zip(row, ends[:-1], ends[1:], strict=True):
            box = np.array([[left, low], [right, high]])
            placed |= _lay_out_part(_take(graph, sorted(part)), box, seed=seed)
    return np.array([placed[node] for node in graph])


def _lay_out_part(part: nx.Graph[str], box: Array, *, seed: int) -> dict[str, Array]:
    """Lay out one component inside a box (lower left, upper right corner)."""
    if len(part) <= 60:
        found = nx.kamada_kawai_layout(part, weight=None)
    else:
        apart = 2.2 / len(part) ** 0.5
        found = nx.spring_layout(part, seed=seed, k=apart, iterations=50, method="force")
    places = np.array([found[node] for node in part], dtype=float)
    places -= places.mean(axis=0)
    places = places @ np.linalg.svd(places, full_matrices=False)[2].T  # the long way across
    spread = np.ptp(places, axis=0)
    middle = places.min(axis=0) + spread / 2
    room = (box[1] - box[0]) * 0.88
    scaled = (places - middle) / np.where(spread > 1e-9, spread, np.inf) * room
    return dict(zip(part, scaled + box.mean(axis=0), strict=True))


def _draw_ties(ax: Axes, graph: nx.Graph[str], places: dict[str, Array]) -> None:
    """Draw all ties as one path, which keeps the file small."""
    ends = np.array([places[node] for tie in graph.edges() for node in tie])
    path = Path(ends, np.tile([Path.MOVETO, Path.LINETO], len(ends) // 2))
    width, alpha = (0.9, 0.75) if len(ends) < 600 else (0.35, 0.45)
    line = PathPatch(path, fill=False, edgecolor=style.RULE, linewidth=width, alpha=alpha, zorder=1)
    ax.add_patch(line)
    ax.set(xlim=(0, 1), ylim=(0, 1))


def _describe_missing(
    alone: Sequence[str] | pd.Series[str], n_core: int, n_tied: int, language: Language
) -> list[str]:
    """Say who has no tie, and how many of the tied actors are drawn."""
    notes, number = [], language.format_number
    if n_core < n_tied:
        words = language.gettext("Drawn: the %(n)s best-tied of %(all)s actors.")
        notes.append(words % {"n": number(n_core), "all": number(n_tied)})
    if n := len(alone):
        words = language.ngettext(
            "No tie listed for %(n)s actor: %(names)s",
            "No tie listed for %(n)s actors: %(names)s",
            n,
        )
        names = ", ".join(style.shorten_name(name) for name in list(alone)[:5])
        notes.append(words % {"n": number(n), "names": names + (" …" if n > 5 else "")})
    return notes
