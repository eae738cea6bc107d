"""Who is tied to whom: places in a plane, and the map drawn from them."""

from __future__ import annotations

import random
from collections.abc import Collection

import igraph
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.names import describe_omitted, place_names
from ecoanalysis.figures.style import INK, PAD, RULE, WIDTH, Array, Mark
from ecoanalysis.wording import Language

ACROSS = WIDTH * 72 - 2 * PAD
"""Width of a network, in points."""
MOST = 1500
"""Of more actors at most so many of the most tied are placed, with the ties among them."""
_EXACT, _MARGIN, _CELL = 300, 10.0, 9.0


def place_network(
    ties: pd.DataFrame, *, actors: pd.DataFrame, bridges: Collection[str] = ()
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Place actors so that the tied are near each other, those without a tie in rows below.

    Kamada and Kawai (1989), of more than 300 actors Fruchterman and Reingold (1991); crowds are
    evened out. Of more than `MOST` actors the most tied are kept. The same tables give the same
    places.

    `ties` has source_id, target_id, kind; those to oneself, to others than `actors`, and repeated
    ones are left out. `actors` has actor_id, name, helix; `bridges` are actor_ids to name first.

    Returns the actors, bridges first, then the most tied: actor_id, name, helix, bridge, degree
    (number of others tied to), x, y (points from the left, downwards; x below `ACROSS`); and the
    ties: source, target (positions in that table, source < target), kind.
    """
    known = actors[["actor_id", "name", "helix"]].drop_duplicates("actor_id", ignore_index=True)
    ids = pd.Index(known["actor_id"])  # so that nothing depends on how text is hashed
    ends = np.sort([ids.get_indexer(ties[end]) for end in ("source_id", "target_id")], axis=0)
    pairs = pd.DataFrame({"source": ends[0], "target": ends[1], "kind": ties["kind"].to_numpy()})
    pairs = pairs[(ends[0] >= 0) & (ends[0] < ends[1])].drop_duplicates(ignore_index=True)
    if len(known) > MOST:
        kept = _keep_most_tied(pairs, known=known, bridges=bridges)
        return place_network(ties, actors=kept, bridges=bridges)
    graph = igraph.Graph(len(known), pairs[["source", "target"]].drop_duplicates().to_numpy())
    known["bridge"], known["degree"] = ids.isin(list(bridges)), graph.degree()
    tied = known.index[known["degree"] > 0]
    height = min(70 + 50 * np.sqrt(len(tied)), 460)
    known[["x", "y"]] = np.nan
    if len(tied):
        room = np.array([min(len(tied) / 8, 1) * ACROSS, height]) - 2 * _MARGIN
        places = (_lay_out(graph.subgraph(tied)) - 0.5) * room + (ACROSS / 2, height / 2)
        known.loc[tied, ["x", "y"]] = places
    alone, per_row = known.index.difference(tied), int((ACROSS - _MARGIN) // _CELL)
    rows, columns = np.divmod(np.arange(len(alone)), per_row)
    known.loc[alone, "x"] = _MARGIN + columns * _CELL
    known.loc[alone, "y"] = height + (rows + 2) * _CELL
    order = known.sort_values(["bridge", "degree"], ascending=False, kind="stable").index
    rank = np.argsort(order.to_numpy())
    ends = np.sort(rank[pairs[["source", "target"]].to_numpy()].T, axis=0)
    return known.loc[order].reset_index(drop=True), pairs.assign(source=ends[0], target=ends[1])


def plot_network(
    ties: pd.DataFrame, *, actors: pd.DataFrame, ax: Axes, codebook: Codebook, language: Language,
    bridges: Collection[str] = (),
) -> Axes:  # fmt: skip
    """Draw who is tied to whom, the larger the more tied; `bridges` (actor_ids) are ringed.

    `ties` and `actors` as in `place_network`. Those without a tie stand in rows below.
    """
    known, pairs = place_network(ties, actors=actors, bridges=bridges)
    if pairs.empty:
        return style.say_empty(ax, language)
    tied, alone = known[known["degree"] > 0], known[known["degree"] == 0]
    none = language.ngettext("No tie listed for %(n)s organisation: %(names)s",
                             "No tie listed for %(n)s organisations: %(names)s",
                             len(alone))  # fmt: skip
    untied = style.list_names(alone["name"], language)
    named = {"n": language.format_number(len(alone)), "names": untied}
    key = style.make_key(known["helix"], codebook, language)
    if tied["bridge"].any():
        key.append((Mark("#ffffff", INK), language.gettext("ringed: bridge between groups")))
    more = style.describe_more(actors["actor_id"].nunique() - len(known), language)
    height = float(known["y"].max()) + _MARGIN
    ax.set(xlim=(0, ACROSS), ylim=(height, 0))
    style.frame_axes(
        ax, height=height, key=key, notes=[none % named if len(alone) else "", more], spare=1
    )
    places = known[["x", "y"]].to_numpy()
    if len(alone):
        ax.axhline(alone["y"].min() - _CELL, color=style.GRID, linewidth=1)
    lines = places[pairs[["source", "target"]].to_numpy()].reshape(-1, 2)
    path = Path(lines, np.tile([Path.MOVETO, Path.LINETO], len(pairs)))
    width, alpha = 0.9 if len(pairs) < 300 else 0.4, np.clip(600 / len(pairs), 0.12, 0.75)
    ax.add_artist(PathPatch(path, fill=False, ec=RULE, lw=width, alpha=alpha, zorder=1))
    least, most = ((6.0, 15.0), (3.5, 10.0), (2.5, 7.0))[(len(tied) > 120) + (len(tied) > 500)]
    sizes = least + (most - least) * np.sqrt(known["degree"].to_numpy() / known["degree"].max())
    style.draw_marks(ax, known["helix"], places, sizes=sizes)
    ringed = known["bridge"].to_numpy()
    x, y = places[ringed].T
    ax.scatter(x, y, s=(sizes[ringed] + 6) ** 2, facecolors="none", edgecolors=INK, zorder=2)
    omitted, dots, names = 0, places[: len(tied)], list(tied["name"])
    clear = int(np.clip(len(tied) // 3, 40, 60))  # so many marks are never covered by a name
    for some, kept in ((slice(8), 8 if len(tied) > 60 else clear), (slice(8, None), clear)):
        omitted += place_names(
            ax, dots[some], names[some], obstacles=dots[:kept], radius=sizes[: len(tied)][some] / 2,
            leaders=False, bbox=style.HALO,
        )  # fmt: skip
    style.write_note(ax, describe_omitted(omitted, language=language))
    return ax


def _keep_most_tied(
    pairs: pd.DataFrame, *, known: pd.DataFrame, bridges: Collection[str]
) -> pd.DataFrame:
    ends = pairs[["source", "target"]].drop_duplicates().to_numpy()
    degree = np.bincount(ends.ravel(), minlength=len(known))
    first = np.lexsort((-degree, ~known["actor_id"].isin(list(bridges))))
    among = ends[np.isin(ends, first[:MOST]).all(axis=1)]
    return known.iloc[np.unique(among)]


def _lay_out(graph: igraph.Graph) -> Array:
    """Return places in the unit square, the long way across, evened out where many crowd."""
    n = graph.vcount()
    igraph.set_random_number_generator(random.Random(1))
    exact = graph.vcount() <= _EXACT
    layout = graph.layout_kamada_kawai if exact else graph.layout_fruchterman_reingold
    places = np.array(layout().coords)
    igraph.set_random_number_generator(random)
    places = places @ np.linalg.svd(places - places.mean(axis=0), full_matrices=False)[2].T
    low, spread = places.min(axis=0), np.ptp(places, axis=0)
    unit = np.where(spread > 1e-6 * spread.max(), (places - low) / np.maximum(spread, 1e-9), 0.5)
    even = np.argsort(np.argsort(places, axis=0), axis=0) / max(n - 1, 1)
    crowd = np.clip((n - 20) / 120, 0, 0.6)
    return np.asarray((1 - crowd) * unit + crowd * even)
