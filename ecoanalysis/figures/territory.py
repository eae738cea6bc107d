"""Kinds, roles and ranks of the actors of one territory, a row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ecoanalysis.codebook import UNCLASSIFIED, Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.style import INK, MUTED, NUMBER, RULE, SMALL, Mark, write
from ecoanalysis.wording import Language

_RANKS, _DOUBT = 30, 0.005
_SHARES = ("share", "share_low", "share_high")
_STATED, _EXPECTED = Mark(INK, INK, "o", 0.75), Mark("#ffffff", INK, "o", 1.2)


def plot_kinds(kinds: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language) -> Axes:
    """Draw how many of each kind are listed: the guide's ten, even if none, then others present.

    `kinds`: kind, helix, origin (guide, extension), n, share, share_low, share_high (0-1, of the
    classified; low and high are the worst and best case for the unclassified, who come last).
    """
    if kinds.empty:
        return style.say_empty(ax, language)
    rows = kinds.sort_values("n", ascending=False, kind="stable")
    known, listed = rows["kind"] != UNCLASSIFIED, rows["n"] > 0
    guide, total = known & (rows["origin"] == "guide"), max(rows["n"][known].sum(), 1)
    rows["share"] = rows["share"].where(known, rows["n"] / total)
    blocks = (
        (language.gettext("The guide’s ten kinds"), rows[guide]),
        (language.gettext("Other kinds listed"), rows[known & ~guide & listed]),
        ("", rows[~known & listed]),
    )
    y, reach, labels = 0.0, 0.01, {}
    for title, block in blocks:
        if title and len(block):
            style.write_rows(ax, [y], [title], shift=-20, fontsize=SMALL, color=MUTED)
            y += 0.8
        for row in block.to_dict("records"):
            label = codebook.label("kinds", row["kind"], language.code)
            labels[y] = style.wrap_words(label, width=26)
            y, reach = y + 1, max(reach, _draw_kind(ax, y, row, language))
        y += 0.15
    style.write_rows(ax, labels, labels.values(), shift=-20)
    ax.set(xlim=(0, reach), ylim=(y - 0.6, -0.5))
    ax.axvline(0, color=RULE, linewidth=0.8, zorder=0.5)
    doubt = known & listed & (rows["share_high"] - rows["share_low"] > _DOUBT)
    note = language.gettext("Thin line: the share if none, or all, of the unclassified were of it.")
    key = style.make_key(rows["helix"][known & listed], codebook, language)
    return style.frame_axes(ax, height=y * 30, key=key, notes=[note] if doubt.any() else [])


def plot_roles(roles: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language) -> Axes:
    """Draw how many state each role (full mark) and should by their kind (open).

    `roles`: role, n_stated, n_expected; roles that nobody states and nobody should are left out.
    """
    counts = roles.set_index("role")[["n_stated", "n_expected"]]
    counts = counts[counts.max(axis=1) > 0]
    if counts.empty:
        return style.say_empty(ax, language)
    labels = [codebook.label("roles", role, language.code) for role in counts.index]
    most, stated, expected = counts.max(axis=1), counts["n_stated"], counts["n_expected"]
    style.draw_rows(
        ax, [style.wrap_words(label, width=24) for label in labels], language, top=most.max(),
        lines=[(0, most, style.GRID, 1), (stated, expected, RULE, 2.5)],
        marks=[(expected, _EXPECTED), (stated, _STATED)],
    )  # fmt: skip
    for y, pair in enumerate(counts.to_numpy()):
        words = " / ".join(language.format_number(n) for n in pair)
        write(ax, (pair.max(), y), words, **NUMBER | {"shift": (10, 0)})
    words = language.gettext("expected of their kind")
    key = [(_STATED, language.gettext("stated")), (_EXPECTED, words)]
    return style.frame_axes(ax, height=len(counts) * 26, key=key)


def plot_ranks(ranks: pd.DataFrame, *, ax: Axes, language: Language) -> Axes:
    """Draw the rank of each actor, 1 the first, and between which ranks it lies; the first thirty.

    `ranks`: name, low, median, high, n_ranked (actors ranked together); unranked ones left out.
    """
    known = ranks.dropna(subset="median").sort_values(["median", "low", "high"], kind="stable")
    if known.empty:
        return style.say_empty(ax, language)
    shown, last = known.head(_RANKS), known["n_ranked"].max()
    style.draw_rows(
        ax, map(style.shorten_name, shown["name"]), language, top=last,
        low=1 - max(last - 1, 1) / 40, ticks=np.unique(np.linspace(1, last, min(5, last)).round()),
        title=language.gettext("Rank"), marks=[(shown["median"], _STATED)],
        lines=[(shown["low"], shown["high"], style.SHADES[2], 4)],
    )  # fmt: skip
    words = language.gettext("Mark: median rank. Line: in %(share)s of draws.")
    notes = [words % {"share": language.format_percent(0.9)},
             style.describe_more(len(known) - len(shown), language)]  # fmt: skip
    return style.frame_axes(ax, height=len(shown) * 20, notes=notes)


def _draw_kind(ax: Axes, y: float, row: Mapping[Any, Any], language: Language) -> float:
    """Draw one bar with its mark, whisker and number; return how far it reaches."""
    mark, (reach, low, high) = style.find_mark(row["helix"]), (row[share] for share in _SHARES)
    if row["n"] == 0:
        style.put_marks(ax, 0, y, mark._replace(colour="#ffffff", edge=RULE), shift=-10)
        write(ax, (0, y), language.gettext("none listed to date"), **NUMBER)
        return 0.0
    known, words = row["kind"] != UNCLASSIFIED, language.format_number(row["n"])
    style.put_marks(ax, 0, y, mark, shift=-10)
    ax.barh(y, reach, height=0.4, color=mark.colour, edgecolor=mark.edge, linewidth=0.6,
            hatch="" if known else "////")  # fmt: skip
    words += f" · {style.describe_share(reach, language)}" if known else ""
    if known and high - low > _DOUBT:
        ax.plot([low, high], [y, y], color=INK, linewidth=1, marker="|", markersize=6)
        reach = max(reach, high)
    write(ax, (reach, y), words, **NUMBER | {"color": INK})
    return float(reach)
