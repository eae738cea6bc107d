"""Territories side by side: mixes, diversity, readiness and networks.

Every figure gives each territory a row, in the order of its table, and no rank. All four take the
same arguments, so that one call serves them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.style import SHADES, SMALL, Mark
from ecoanalysis.wording import Language

_ROW, _WIDE_ROW, _HEAD = 17.0, 27.0, 3.6
_HILLS = {
    "hill_0": Mark("#ffffff", style.INK),
    "hill_1": Mark(SHADES[2], SHADES[3], "D", 0.82),
    "hill_2": Mark(SHADES[4], SHADES[4]),
}


def plot_mixes(
    mixes: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language, limit: int = 10
) -> Axes:
    """Draw the share of each kind in each territory: a small panel a kind, a row a territory.

    Parameters
    ----------
    mixes : pandas.DataFrame
        `territory_id`, `name`, `kind`, `n`, `share`, `low`, `high` (0-1; low and high may be
        missing). The unclassified are not drawn.
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels, words and numbers.
    limit : int
        Number of kinds drawn, those with the largest shares anywhere.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes, with two panels beside each other on one common scale; a full mark with its
        interval, an open mark where none is listed.
    """
    known = mixes[(mixes["kind"] != "unclassified") & mixes["share"].notna()]
    largest = known.groupby("kind", sort=False)["share"].max()
    kinds = largest[largest > 0].nlargest(limit).index
    if not len(kinds):
        return style.say_empty(ax, language=language)
    names = known.drop_duplicates("territory_id").set_index("territory_id")["name"]
    top = float(known[["share", "high"]].max().max())
    ticks = style.choose_ticks(top, n=2)
    shown = [kind for kind in largest.index if kind in kinds]
    labels = [codebook.label("kinds", kind, language.code) for kind in shown]
    starts = _draw_panels(ax, labels, names, top=top, gap=0.14)
    helices = [codebook.kinds["helix"].get(kind) for kind in shown]
    for kind, helix, (left, row) in zip(shown, helices, starts, strict=True):
        _draw_grid(ax, left, row, ticks, [language.format_percent(t) for t in ticks], n=len(names))
        cells = known[known["kind"] == kind].set_index("territory_id").reindex(names.index)
        for i, cell in enumerate(cells.to_dict("records")):
            _draw_share(ax, left, row + i, cell, style.find_mark(helix))
    notes = [language.gettext("Open mark: none listed.")]
    if known["low"].notna().any():
        words = language.gettext("Line: range if each list were a random draw of what exists.")
        notes.insert(0, words)
    if more := int((largest > 0).sum()) - len(kinds):
        words = language.ngettext("+ %(n)s kind not shown", "+ %(n)s kinds not shown", more)
        notes.append(words % {"n": language.format_number(more)})
    key = style.make_key(helices, codebook=codebook, language=language)
    return _frame_panels(ax, starts, n=len(names), key=key, notes=[" ".join(notes)])


def plot_network_summary(
    networks: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw four measures of each territory's network, a panel each.

    Parameters
    ----------
    networks : pandas.DataFrame
        `territory_id`, `name`, `mean_degree`, `n_actors`, `n_isolates`,
        `largest_component_share`, `cross_share` (shares 0-1). Where there is a column
        `structure`, the rows `all` are drawn.
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels (none needed), words and numbers.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: ties per actor on their own scale, shares from 0 to 1; every mark with its
        number, a dash where there is none.
    """
    if "structure" in networks:
        networks = networks[networks["structure"] == "all"]
    if networks.empty:
        return style.say_empty(ax, language=language)
    isolated = networks["n_isolates"] / networks["n_actors"].where(networks["n_actors"] > 0)
    panels = {
        language.gettext("Ties per actor"): networks["mean_degree"],
        language.gettext("Actors without a tie"): isolated,
        language.gettext("Actors in the largest group"): networks["largest_component_share"],
        language.gettext("Ties between helices"): networks["cross_share"],
    }
    starts = _draw_panels(ax, list(panels), networks["name"], top=1, gap=0.38)
    for i, (values, (left, row)) in enumerate(zip(panels.values(), starts, strict=True)):
        _draw_grid(ax, left, row, [0], [""], n=len(networks))
        most = 1.0 if i else max(float(values.max()), 1e-9)
        for y, value in enumerate(values.astype(float)):
            x = left + (0 if math.isnan(value) else value / most)
            words = language.format_percent(value) if i else language.format_number(value, 1)
            ax.hlines(row + y, left, x, color=SHADES[1], linewidth=5, zorder=1)
            if not math.isnan(value):
                style.put_mark(ax, (x, row + y), _HILLS["hill_2"], size=6)
            style.write(ax, (x, row + y), words, shift=(7, 0), va="center", fontsize=SMALL)
    return _frame_panels(ax, starts, n=len(networks))


def plot_diversity(
    diversity: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw how many kinds each list holds at equal size: all, the common ones, the dominant ones.

    Parameters
    ----------
    diversity : pandas.DataFrame
        `territory_id`, `name`, `size`, `hill_0`, `hill_1`, `hill_2` (numbers of kinds, 1 or more;
        missing where the list is too short, which a dash says).
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels (none needed), words and numbers.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: number of kinds along x, one row a territory along y, downwards from 0.
    """
    if diversity["hill_0"].isna().all():
        return style.say_empty(ax, language=language)
    top = float(diversity["hill_0"].max()) * 1.04
    ticks = style.choose_ticks(top, n=5, whole=True)
    _start_rows(ax, diversity["name"], ticks, top=top, language=language)
    for y, row in enumerate(diversity.to_dict("records")):
        if math.isnan(row["hill_0"]):
            style.write(ax, (0, y), "–", shift=(6, 0), va="center", color=style.MUTED)
            continue
        ax.hlines(y, row["hill_2"], row["hill_0"], color=SHADES[1], linewidth=4, zorder=1)
        for column, mark in _HILLS.items():
            style.put_mark(ax, (row[column], y), mark, size=8)
    size = language.gettext("Kinds expected among %(n)s actors drawn from each list.")
    notes = [size % {"n": language.format_number(diversity["size"].max())}]
    if diversity["hill_0"].isna().any():
        notes.append(language.gettext("–: list too short."))
    words = [
        language.gettext("all kinds"),
        language.gettext("common kinds"),
        language.gettext("dominant kinds"),
    ]
    key = list(zip(_HILLS.values(), words, strict=True))[::-1]
    ax.set_xlabel(language.gettext("Number of kinds"), loc="right", parse_math=False)
    style.frame_axes(ax, height=len(diversity) * _WIDE_ROW, key=key, notes=[" ".join(notes)])
    return ax


def plot_readiness_distributions(
    readiness: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw the readiness scores of each territory side by side: range, middle half, median.

    Parameters
    ----------
    readiness : pandas.DataFrame
        `territory_id`, `name`, `n_scored`, `lowest`, `lower_quartile`, `median`,
        `upper_quartile`, `highest` (scores, 0-100). Territories without scores are left out.
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels (none needed), words and numbers.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: score along x, one row a territory along y, downwards from 0.
    """
    scored = readiness[readiness["n_scored"] > 0]
    if scored.empty:
        return style.say_empty(ax, language=language)
    names = [
        f"{style.shorten_name(name, length=20)} ({language.format_number(n)})"
        for name, n in zip(scored["name"], scored["n_scored"], strict=True)
    ]
    _start_rows(ax, names, [0, 25, 50, 75, 100], top=100, language=language)
    places = np.arange(len(scored))
    ax.hlines(places, scored["lowest"], scored["highest"], color=style.RULE, linewidth=1.2)
    middle = scored["lower_quartile"], scored["upper_quartile"]
    ax.hlines(places, *middle, color=SHADES[2], linewidth=9)
    for y, median in enumerate(scored["median"]):
        style.put_mark(ax, (median, y), _HILLS["hill_0"], size=7)
    ax.set_xlabel(language.gettext("Readiness, 0 to 100"), loc="right", parse_math=False)
    note = language.gettext("Line: all. Bar: middle half. Mark: median. (n): actors scored.")
    style.frame_axes(ax, height=len(scored) * _WIDE_ROW, notes=[note])
    return ax


def _draw_panels(
    ax: Axes, labels: Sequence[str], names: Iterable[str], *, top: float, gap: float
) -> list[tuple[float, float]]:
    """Write heads and territories, two panels a line; return their left ends and first rows."""
    style.clear_frame(ax)
    short = [style.shorten_name(name, length=18) for name in names]
    step, height = top * (1 + gap), len(short) + _HEAD
    ax.set_xlim(0, step * 2 - top * gap)
    starts = []
    for i, label in enumerate(labels):
        left, row = (i % 2) * step, (i // 2) * height
        head = style.wrap_words(label, width=26)
        style.write(ax, (left, row), head, shift=(-4, _ROW * 0.75), fontsize=SMALL, linespacing=1.1)
        if not i % 2:
            style.write_rows(ax, row + np.arange(len(short)), short, fontsize=SMALL)
        starts.append((left, row))
    return starts


def _draw_grid(
    ax: Axes, left: float, row: float, ticks: Sequence[float], words: Sequence[str], *, n: int
) -> None:
    """Draw the grid of one panel, its scale written below."""
    for tick, word in zip(ticks, words, strict=True):
        colour = style.GRID if tick else style.RULE
        ax.vlines(left + tick, row - 0.6, row + n - 0.4, color=colour, linewidth=0.8, zorder=0.5)
        style.write(ax, (left + tick, row + n - 0.4), word, shift=(0, -3), va="top",
                    ha="center" if tick else "left", color=style.MUTED,
                    fontsize=SMALL - 1)  # fmt: skip


def _draw_share(ax: Axes, left: float, y: float, cell: Mapping[Any, Any], mark: Mark) -> None:
    if math.isnan(cell["share"]):
        return
    if not math.isnan(cell["low"]):
        ends = left + cell["low"], left + cell["high"]
        ax.hlines(y, *ends, color=mark.edge, linewidth=1.4, alpha=0.6)
    shown = mark if cell["n"] else mark._replace(colour="#ffffff")
    style.put_mark(ax, (left + cell["share"], y), shown, size=6.5)


def _frame_panels(
    ax: Axes,
    starts: Sequence[tuple[float, float]],
    *,
    n: int,
    key: Sequence[tuple[Mark, str]] = (),
    notes: Sequence[str] = (),
) -> Axes:
    bottom = starts[-1][1] + n - 0.4
    ax.set_ylim(bottom, -0.6)
    style.frame_axes(ax, height=(bottom + 0.6) * _ROW, key=key, notes=notes)
    return ax


def _start_rows(
    ax: Axes, names: Sequence[str] | pd.Series[str], ticks: Sequence[float], *, top: float,
    language: Language,
) -> None:  # fmt: skip
    """Set one wide panel: territories along y, a scale along x."""
    style.clear_frame(ax)
    style.write_rows(ax, range(len(names)), [style.shorten_name(name) for name in names])
    ax.set(xlim=(0, top), ylim=(len(names) - 0.5, -0.5))
    ax.vlines(ticks, -0.5, len(names) - 0.5, color=style.GRID, linewidth=0.8, zorder=0.5)
    style.write_ticks(ax, ticks, [language.format_number(tick) for tick in ticks])
