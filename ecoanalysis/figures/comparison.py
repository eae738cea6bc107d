"""Territories side by side: a row each, in the order of the table, and no rank.

All four figures take the same arguments, so that one call serves them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ecoanalysis.codebook import UNCLASSIFIED, Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.style import INK, NUMBER, SHADES, SMALL, Array, Mark, fill_in, write
from ecoanalysis.wording import Language

_KINDS, _ROW, _WIDE_ROW, _HEAD = 10, 17.0, 27.0, 3.6
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
    heads = [codebook.label("kinds", kind, language.code) for kind in kinds]
    top = float(known[["share", "high"]].max().max())
    ticks = MaxNLocator(2, steps=[1, 2, 5, 10]).tick_values(0, top)
    scale = {t: style.describe_share(t, language) for t in ticks if 0 <= t <= top}
    panels = _draw_panels(ax, heads, names, scale=scale, top=top, gap=0.14)
    helices = [codebook.kinds["helix"].get(kind) for kind in kinds]
    for kind, helix, (left, places) in zip(kinds, helices, panels, strict=True):
        rows, full = known[known["kind"] == kind], style.find_mark(helix)
        rows = rows.assign(y=places[names.index.get_indexer(rows["territory_id"])])
        lines, none = rows[rows["low"] < rows["high"]], rows["n"] == 0
        ax.hlines(lines["y"], left + lines["low"], left + lines["high"], color=full.edge,
                  linewidth=1.4, alpha=0.6)  # fmt: skip
        for shown, mark in ((rows[~none], full), (rows[none], full._replace(colour="#ffffff"))):
            style.put_marks(ax, left + shown["share"], shown["y"], mark, size=6.5)
    n_more = int((largest > 0).sum()) - len(kinds)
    more = language.ngettext("+ %(n)s kind not shown", "+ %(n)s kinds not shown", n_more)
    line = language.gettext("Line: range if each list were a random draw of what exists.")
    notes = [line] if known["low"].notna().any() else []
    notes += [language.gettext("Open mark: none listed."), fill_in(more, n_more, language)]
    key, height = style.make_key(helices, codebook, language), (ax.get_ylim()[0] + 0.6) * _ROW
    return style.frame_axes(ax, height=height, key=key, notes=[" ".join(notes)])


def plot_network_summary(
    networks: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw four measures of each territory's network, a panel each, every mark with its number.

    `networks`: territory_id, name, n_actors, n_isolates, mean_degree, largest_component_share,
    cross_share (0-1). Ties per organisation have their own scale; shares run from 0 to 1.
    """
    if networks.empty:
        return style.say_empty(ax, language)
    alone = networks["n_isolates"] / networks["n_actors"]
    panels = {
        language.gettext("Ties per organisation"): networks["mean_degree"],
        language.gettext("Organisations without ties"): alone,
        language.gettext("Organisations in the largest group"): networks["largest_component_share"],
        language.gettext("Ties between sectors"): networks["cross_share"],
    }
    places = _draw_panels(ax, panels, networks["name"], scale={0: ""}, top=1, gap=0.38)
    for i, (values, (left, rows)) in enumerate(zip(panels.values(), places, strict=True)):
        ends = left + values / (1 if i else max(values.max(), 1e-9))
        ax.hlines(rows, left, ends.fillna(left), color=SHADES[1], linewidth=5, zorder=1)
        style.put_marks(ax, ends, rows, _FULL, size=6)
        for x, y, value in zip(ends.fillna(left), rows, values, strict=True):
            words = language.format_number(value, 1)
            words = style.describe_share(value, language) if i else words
            write(ax, (x, y), words, **NUMBER | {"color": INK})
    return style.frame_axes(ax, height=(ax.get_ylim()[0] + 0.6) * _ROW)


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


def plot_readiness_distributions(
    readiness: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw the readiness scores of each territory that has some: range, middle half, median.

    `readiness`: territory_id, name, n_scored, lowest, lower_quartile, median, upper_quartile,
    highest (0-100).
    """
    scored = readiness[readiness["n_scored"] > 0]
    if scored.empty:
        return style.say_empty(ax, language)
    names = [
        f"{style.shorten_name(name, length=20)} ({language.format_number(n)})"
        for name, n in zip(scored["name"], scored["n_scored"], strict=True)
    ]
    style.draw_rows(
        ax, names, language, top=100, ticks=np.linspace(0, 100, 5),
        title=language.gettext("Readiness, 0 to 100"), marks=[(scored["median"], _OPEN)],
        lines=[(scored["lowest"], scored["highest"], style.RULE, 1.2),
               (scored["lower_quartile"], scored["upper_quartile"], SHADES[2], 9)],
    )  # fmt: skip
    note = language.gettext("Line: all. Bar: middle half. Mark: median. (n): organisations scored.")
    return style.frame_axes(ax, height=len(scored) * _WIDE_ROW, notes=[note])


def _draw_panels(
    ax: Axes, heads: Iterable[str], names: Iterable[str], *, scale: Mapping[float, str], top: float,
    gap: float,
) -> list[tuple[float, Array]]:  # fmt: skip
    """Write heads, names of rows and scales, two panels a line; return left ends and rows."""
    short, panels = [style.shorten_name(name, length=18) for name in names], []
    for i, head in enumerate(heads):
        left, rows = i % 2 * top * (1 + gap), i // 2 * (len(short) + _HEAD) + np.arange(len(short))
        write(ax, (left, rows[0]), style.wrap_words(head, width=26), shift=(-4, _ROW * 0.75),
              fontsize=SMALL, linespacing=1.1)  # fmt: skip
        style.write_rows(ax, rows, short if not left else [""] * len(short), fontsize=SMALL)
        ends = rows[0] - 0.6, rows[-1] + 0.6
        for tick, word in scale.items():
            colour, side = (style.GRID, "center") if tick else (style.RULE, "left")
            ax.vlines(left + tick, *ends, color=colour, linewidth=0.8, zorder=0.5)
            write(ax, (left + tick, ends[1]), word, shift=(0, -3), va="top", ha=side,
                  color=style.MUTED, fontsize=SMALL - 1)  # fmt: skip
        panels.append((left, rows))
    ax.set(xlim=(0, top * (2 + gap)), ylim=(ends[1], -0.6))
    return panels
