"""Tables of cells, light to dark: what moves and brings each actor, and which groups are tied."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.names import Array
from ecoanalysis.wording import Language

_ROW, _HIGH_ROW, _LETTER = 21.0, 30.0, 5.4
_SHADES = LinearSegmentedColormap.from_list("shades", style.SHADES)


def plot_heatmap(
    averages: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    dimension: str,
    ax: Axes,
    codebook: Codebook,
    language: Language,
    limit: int = 30,
) -> Axes:
    """Draw the mean ratings of actors on the criteria of one dimension.

    Parameters
    ----------
    averages : pandas.DataFrame
        `actor_id`, `criterion`, `mean` (on the criterion's scale).
    actors : pandas.DataFrame
        `actor_id`, `name`.
    dimension : str
        Dimension of the codebook's criteria: interest, resource, seeks, lever …
    ax, codebook, language : Axes, Codebook, Language
        Where to draw; criteria, their order, labels and scales; words and numbers.
    limit : int
        Number of actors drawn; beyond it those with the most criteria answered.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: criteria along x, actors downwards along y, those that are strongest on the
        first criterion first, then those on the second, and so on. What was not answered is
        hatched, and differs from 0.
    """
    criteria = codebook.criteria[codebook.criteria["dimension"] == dimension]
    wide = averages.pivot_table(index="actor_id", columns="criterion", values="mean")
    wide = wide[criteria.index.intersection(wide.columns, sort=False)].dropna(how="all")
    names = actors.drop_duplicates("actor_id").set_index("actor_id")["name"]
    wide = wide[wide.index.isin(names.index)]
    if wide.empty:
        return style.say_empty(ax, language=language)
    shown = _order_actors(wide, limit=limit)
    low, high = float(criteria["scale_min"].min()), float(criteria["scale_max"].max())
    words = [[language.format_number(v, 1) for v in row] for row in shown.to_numpy(float)]
    _draw_cells(ax, (shown.to_numpy(float) - low) / (high - low), words)
    labels = [style.shorten_name(names[actor], length=22) for actor in shown.index]
    style.write_rows(ax, range(len(shown)), labels, fontsize=style.SMALL)
    notes = []
    if shown.isna().any(axis=None):
        notes.append(language.gettext("Hatched: not asked, or “don't know”."))
    if left_out := len(wide) - len(shown):
        more = language.ngettext("+ %(n)s actor not shown", "+ %(n)s actors not shown", left_out)
        notes.append(more % {"n": language.format_number(left_out)})
    heads = _drop_start([codebook.label("criteria", c, language.code) for c in shown.columns])
    _frame_cells(ax, heads, [-0.5] * len(heads), height=len(shown) * _ROW, notes=notes)
    return ax


def plot_mixing(
    matrix: pd.DataFrame,
    *,
    ax: Axes,
    codebook: Codebook,
    language: Language,
    group: str = "helices",
) -> Axes:
    """Draw how many ties join each pair of groups.

    Parameters
    ----------
    matrix : pandas.DataFrame
        `source_group`, `target_group`, `n_ties`; each pair once, or both ways round (then added).
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels and order of the groups, numbers.
    group : {"helices", "kinds"}
        Table of the codebook that the groups come from.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: groups along x and downwards along y, each pair in the lower half only,
        ties within a group on the framed diagonal.
    """
    if matrix.empty or not matrix["n_ties"].sum():
        return style.say_empty(ax, language=language)
    present = set(matrix["source_group"]) | set(matrix["target_group"])
    known = [code for code in [*getattr(codebook, group).index, "unclassified"] if code in present]
    codes = known + sorted(str(code) for code in present - set(known))
    ties = matrix.pivot_table("n_ties", "source_group", "target_group", aggfunc="sum")
    counts = ties.reindex(index=codes, columns=codes).fillna(0).to_numpy(float)
    counts = counts + counts.T - np.diag(np.diag(counts))
    below = np.tril(np.ones(counts.shape, dtype=bool))
    words = [[language.format_number(n) for n in row] for row in counts]
    _draw_cells(ax, np.where(below, counts / counts.max(), -1), words)
    for i in range(len(codes)):
        ax.add_patch(Rectangle((i - 0.47, i - 0.45), 0.94, 0.9, fill=False, edgecolor=style.INK))
    labels = [codebook.label(group, code, language.code) for code in codes]
    rows = [style.wrap_words(label, width=24) for label in labels]
    style.write_rows(ax, range(len(codes)), rows)
    tops = [i - 0.5 for i in range(len(codes))]
    _frame_cells(ax, labels, tops, height=len(codes) * _HIGH_ROW)
    return ax


def _order_actors(wide: pd.DataFrame, *, limit: int) -> pd.DataFrame:
    """Keep the actors with the most answers; group them by the criterion they are strongest on."""
    strongest = wide.to_numpy(float, na_value=-np.inf).argmax(axis=1)
    order = pd.DataFrame({"strongest": strongest, "best": wide.max(axis=1)}, index=wide.index)
    order["answered"] = wide.notna().sum(axis=1)
    kept = order.sort_values(["answered", "best"], ascending=False, kind="stable").head(limit)
    return wide.loc[kept.sort_values(["strongest", "best"], ascending=[True, False]).index]


def _draw_cells(ax: Axes, shares: Array, words: Sequence[Sequence[str]]) -> None:
    """Shade cells from 0 to 1 and write in them; missing ones are hatched, negative ones empty."""
    corners = np.array([(-0.47, -0.45), (0.47, -0.45), (0.47, 0.45), (-0.47, 0.45)])
    missing = [np.add(corners, (x, y)) for y, x in np.argwhere(np.isnan(shares))]
    filled = [np.add(corners, (x, y)) for y, x in np.argwhere(shares >= 0)]
    for (y, x), share in np.ndenumerate(shares):
        if share >= 0:
            colour = "white" if share > 0.6 else style.INK
            style.write(ax, (x, y), words[y][x], ha="center", va="center_baseline",
                        fontsize=style.SMALL, color=colour, in_layout=False)  # fmt: skip
    ax.add_collection(PolyCollection(filled, facecolors=_SHADES(shares[shares >= 0])))
    blank = PolyCollection(missing, facecolors="white", edgecolors=style.RULE, linewidths=0)
    blank.set_hatch("///")
    ax.add_collection(blank)
    ax.set(xlim=(-0.5, shares.shape[1] - 0.5), ylim=(shares.shape[0] - 0.5, -0.5))
    style.clear_frame(ax)


def _frame_cells(
    ax: Axes,
    heads: Sequence[str],
    tops: Sequence[float],
    *,
    height: float,
    notes: Sequence[str] = (),
) -> None:
    """Frame the cells; write each column's head above its topmost cell, upright if too wide."""
    style.frame_axes(ax, height=height)
    column = ax.get_window_extent().width / style.find_figure(ax).dpi * 72 / len(heads)
    width = max(int(column / _LETTER), *(len(word) for head in heads for word in head.split()), 1)
    written = []
    for x, (head, top) in enumerate(zip(heads, tops, strict=True)):
        words = style.wrap_words(head, width=width, lines=4)
        written.append(style.write(ax, (x, top), words, shift=(0, 5), ha="center", va="bottom",
                                   fontsize=style.SMALL - 1, linespacing=1.1))  # fmt: skip
    boxes = [text.get_window_extent() for text in written]
    if any(left.x1 + 2 > right.x0 for left, right in pairwise(boxes)):
        for text, head in zip(written, heads, strict=True):
            narrow = style.shorten_name(head, length=20)
            words = narrow if column < 30 else style.wrap_words(head, width=15, lines=4)
            text.set(rotation=90, text=words)
    style.frame_axes(ax, height=height, notes=notes)


def _drop_start(labels: Sequence[str]) -> list[str]:
    """Drop what all labels say before a colon ("Interest: profit"), since the page says it."""
    parts = [label.partition(":") for label in labels]
    if len(parts) < 2 or len({start for start, _, _ in parts}) > 1:
        return list(labels)
    return [end.strip()[:1].upper() + end.strip()[1:] for _, _, end in parts]
