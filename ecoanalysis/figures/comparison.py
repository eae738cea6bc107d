"""Territories side by side: a row each, in the order of the table, and no rank."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ecoanalysis.codebook import UNCLASSIFIED, Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.style import INK, NUMBER, SHADES, SMALL, Array, Mark, fill_in, write
from ecoanalysis.wording import Language

_KINDS, _ACROSS, _ROW, _WIDE_ROW, _HEAD = 10, 1.14, 17.0, 27.0, 3.6
_FULL, _OPEN = Mark(SHADES[4], SHADES[4]), Mark("#ffffff", INK)
_MIDDLE = Mark(SHADES[2], SHADES[3], "D", 0.82)


def plot_mixes(mixes: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language) -> Axes:
    """Draw the share of each kind in each territory: a panel a kind, the ten with the largest.

    `mixes`: territory_id, name, kind, n, share, low, high (0-1; low and high may be missing). Open
    marks where none is listed; the unclassified are not drawn.
    """
    known = mixes[(mixes["kind"] != UNCLASSIFIED) & mixes["share"].notna()]
    largest = known.groupby("kind", sort=False)["share"].max()
    kinds = largest.index[largest.index.isin(largest[largest > 0].nlargest(_KINDS).index)]
    if kinds.empty:
        return style.say_empty(ax, language)
    names = known.drop_duplicates("territory_id").set_index("territory_id")["name"]
    top = float(known[["share", "high"]].max().max())
    short = [style.shorten_name(name, length=18) for name in names]
    ticks: Array = np.array(MaxNLocator(2, steps=[1, 2, 5, 10]).tick_values(0, top))
    helices = [codebook.kinds["helix"].get(kind) for kind in kinds]
    for i, (kind, helix) in enumerate(zip(kinds, helices, strict=True)):  # two panels a line
        left, first = i % 2 * top * _ACROSS, i // 2 * (len(names) + _HEAD)
        places, foot = first + np.arange(len(names)), first + len(names) - 0.4
        head = style.wrap_words(codebook.label("kinds", kind, language.code), width=26)
        write(ax, (left, first), head, shift=(-4, _ROW * 0.75), fontsize=SMALL, linespacing=1.1)
        style.write_rows(ax, places, short if not left else [""] * len(names), fontsize=SMALL)
        for tick in ticks[(ticks >= 0) & (ticks <= top)].tolist():
            colour, side = (style.GRID, "center") if tick else (style.RULE, "left")
            ax.vlines(left + tick, first - 0.6, foot, color=colour, linewidth=0.8, zorder=0.5)
            write(ax, (left + tick, foot), style.describe_share(tick, language), shift=(0, -3),
                  va="top", ha=side, color=style.MUTED, fontsize=SMALL - 1)  # fmt: skip
        rows, full = known[known["kind"] == kind], style.find_mark(helix)
        rows = rows.assign(y=places[names.index.get_indexer(rows["territory_id"])])
        lines, none = rows[rows["low"] < rows["high"]], rows["n"] == 0
        ax.hlines(lines["y"], left + lines["low"], left + lines["high"], color=full.edge,
                  linewidth=1.4, alpha=0.6)  # fmt: skip
        for shown, mark in ((rows[~none], full), (rows[none], full._replace(colour="#ffffff"))):
            style.put_marks(ax, left + shown["share"], shown["y"], mark, size=6.5)
    ax.set(xlim=(0, top * (1 + _ACROSS)), ylim=(foot, -0.6))
    n_more = int((largest > 0).sum()) - len(kinds)
    more = language.ngettext("+ %(n)s kind not shown", "+ %(n)s kinds not shown", n_more)
    line = language.gettext("Line: range if each list were a random draw of what exists.")
    notes = [line] if known["low"].notna().any() else []
    notes += [language.gettext("Open mark: none listed."), fill_in(more, n_more, language)]
    key, height = style.make_key(helices, codebook, language), (ax.get_ylim()[0] + 0.6) * _ROW
    return style.frame_axes(ax, height=height, key=key, notes=[" ".join(notes)])


def plot_diversity(
    diversity: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw how many kinds each list holds at equal size: all, the common ones, the dominant ones.

    `diversity`: territory_id, name, size, hill_0, hill_1, hill_2 (numbers of kinds, 1 or more;
    missing where the list is too short, which a dash says).
    """
    if diversity["hill_0"].isna().all():
        return style.say_empty(ax, language)
    top, title = float(diversity["hill_0"].max()) * 1.04, language.gettext("Number of kinds")
    ticks = np.array(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True).tick_values(0, top))
    key = [
        (_FULL, language.gettext("dominant kinds")),
        (_MIDDLE, language.gettext("common kinds")),
        (_OPEN, language.gettext("all kinds")),
    ]
    lowest, common, highest = (diversity[f"hill_{order}"] for order in (2, 1, 0))
    style.draw_rows(
        ax, map(style.shorten_name, diversity["name"]), language, top=top, title=title,
        ticks=ticks[ticks <= top], lines=[(lowest, highest, SHADES[1], 4)],
        marks=[(lowest, _FULL), (common, _MIDDLE), (highest, _OPEN)],
    )  # fmt: skip
    for y in np.flatnonzero(highest.isna()).tolist():
        write(ax, (0, y), "–", **NUMBER)
    words = language.gettext("Kinds expected among %(n)s organisations drawn from each list.")
    notes = [fill_in(words, diversity["size"].max(), language)]
    notes += [language.gettext("–: list too short.")] if highest.isna().any() else []
    height = len(diversity) * _WIDE_ROW
    return style.frame_axes(ax, height=height, key=key, notes=[" ".join(notes)])


def plot_spread(
    spread: pd.DataFrame, *, ax: Axes, language: Language, top: float | None = None,
    title: str = "", form: Callable[[float], str] | None = None,
) -> Axes:  # fmt: skip
    """Draw how values spread, a row each: range, middle half, median.

    `spread`: label, lowest, lower_quartile, median, upper_quartile, highest, on a scale from 0 to
    `top`, of which `form` writes the numbers; rows without values are left out.
    """
    rows = spread.dropna(subset="median")
    if rows.empty:
        return style.say_empty(ax, language)
    top = top or float(rows["highest"].max()) * 1.04 or 1.0
    ticks = np.array(MaxNLocator(4, steps=[1, 2, 2.5, 5, 10]).tick_values(0, top))
    style.draw_rows(
        ax, [style.wrap_words(label, width=26) for label in rows["label"]], language, top=top,
        ticks=ticks[ticks <= top], title=title or " ", marks=[(rows["median"], _OPEN)], form=form,
        lines=[(rows["lowest"], rows["highest"], style.RULE, 1.2),
               (rows["lower_quartile"], rows["upper_quartile"], SHADES[2], 9)],
    )  # fmt: skip
    note = language.gettext("Line: all. Bar: middle half. Mark: median.")
    return style.frame_axes(ax, height=len(rows) * _WIDE_ROW, notes=[note])
