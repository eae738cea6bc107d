"""Who is there: kinds, themes, founding decades and roles of one territory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes

from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.style import Mark
from ecoanalysis.wording import Language

_ROW, _THIN_ROW = 30.0, 22.0


def plot_kinds(kinds: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language) -> Axes:
    """Draw how many actors of each kind are listed: the guide's ten first, then the others present.

    Parameters
    ----------
    kinds : pandas.DataFrame
        `kind`, `helix`, `origin` (guide, extension), `n`, `share`, `share_low`, `share_high`
        (0-1, of the classified; low and high are the worst and best case for the unclassified).
        A row `unclassified` is drawn last.
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels, words and numbers.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: shares along x, rows downwards along y. A kind of the guide without actors
        keeps its row, with an open mark and words instead of a bar.
    """
    if kinds.empty:
        return style.say_empty(ax, language=language)
    titles = [language.gettext("The guide's ten kinds"), language.gettext("Other kinds listed"), ""]
    y, longest = 0.0, 0.01
    for title, block in zip(titles, _split_kinds(kinds), strict=True):
        if title and len(block):
            style.write_rows(ax, [y], [title], shift=-20, fontsize=style.SMALL, color=style.MUTED)
            y += 0.8
        for row in block.to_dict("records"):
            label = style.wrap_words(codebook.label("kinds", row["kind"], language.code), width=26)
            style.write_rows(ax, [y], [label], shift=-20)
            longest = max(longest, _draw_kind(ax, y, row, language=language))
            y += 1
        y += 0.15
    ax.set(xlim=(0, longest), ylim=(max(y - 0.6, 0.5), -0.5))
    ax.axvline(0, color=style.RULE, linewidth=0.8, zorder=0.5)
    style.clear_frame(ax)
    listed = kinds[(kinds["n"] > 0) & (kinds["kind"] != "unclassified")]
    note = language.gettext(
        "Thin line: share if none, or all, of the unclassified were of this kind."
    )
    doubt = (listed["share_high"] - listed["share_low"] > 0.005).any()
    key = style.make_key(listed["helix"], codebook=codebook, language=language)
    style.frame_axes(ax, height=max(y, 1) * _ROW, key=key, notes=[note] if doubt else [])
    return ax


def plot_themes(themes: pd.DataFrame, *, ax: Axes, language: Language, limit: int = 15) -> Axes:
    """Draw the most frequent tags.

    Parameters
    ----------
    themes : pandas.DataFrame
        `tag`, `n` (actors that carry it), most frequent first.
    ax, language : Axes, Language
        Where to draw, words and numbers.
    limit : int
        Number of tags drawn.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: `n` along x, one row a tag along y, downwards from 0.
    """
    shown, left_out = themes.head(limit), max(len(themes) - limit, 0)
    if shown.empty:
        return style.say_empty(ax, language=language)
    names = [style.shorten_name(tag) for tag in shown["tag"]]
    words = language.ngettext("+ %(n)s theme not shown", "+ %(n)s themes not shown", left_out)
    notes = [words % {"n": language.format_number(left_out)}] if left_out else []
    return _draw_counts(ax, names, shown["n"], language=language, notes=notes)


def plot_founded(founded: pd.DataFrame, *, ax: Axes, language: Language, limit: int = 8) -> Axes:
    """Draw how many actors were founded in each decade.

    Parameters
    ----------
    founded : pandas.DataFrame
        `period` (first year of a decade, as text), `n`.
    ax, language : Axes, Language
        Where to draw, words and numbers.
    limit : int
        Number of decades drawn one by one, the last ones; those before are drawn together.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: `n` along x, one row a decade along y, downwards from 0, empty decades
        included.
    """
    if founded.empty:
        return style.say_empty(ax, language=language)
    counts = founded["n"].groupby(founded["period"].astype(int)).sum()
    last = int(counts.index.max())
    first = max(int(counts.index.min()), last - 10 * (limit - 1))
    decades = range(first, last + 1, 10)
    names = [language.gettext("%(year)ss") % {"year": decade} for decade in decades]
    n = [int(counts.get(decade, 0)) for decade in decades]
    if before := int(counts[counts.index < first].sum()):
        names.insert(0, language.gettext("before %(year)s") % {"year": first})
        n.insert(0, before)
    return _draw_counts(ax, names, n, language=language)


def plot_roles(roles: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language) -> Axes:
    """Draw, role by role, how many actors state it and of how many their kind lets one expect it.

    Parameters
    ----------
    roles : pandas.DataFrame
        `role`, `n_stated`, `n_expected` (counts of actors).
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels, words and numbers.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: counts along x, one row a role along y, downwards from 0; a full mark for
        stated, an open one for expected. Roles that nobody states and nobody should are left out.
    """
    shown = roles[roles[["n_stated", "n_expected"]].max(axis=1) > 0]
    if shown.empty:
        return style.say_empty(ax, language=language)
    full, open_ = Mark(style.INK, style.INK, "o", 0.75), Mark("#ffffff", style.INK, "o", 1.2)
    most = shown[["n_stated", "n_expected"]].max(axis=1).to_numpy()
    places = np.arange(len(shown))
    ax.hlines(places, 0, most, color=style.GRID, linewidth=1, zorder=0.5)
    ax.hlines(places, shown["n_stated"], shown["n_expected"], color=style.RULE, linewidth=2.5)
    counts = zip(shown["n_stated"], shown["n_expected"], strict=True)
    for y, (stated, expected) in enumerate(counts):
        style.put_mark(ax, (expected, y), open_)
        style.put_mark(ax, (stated, y), full)
        words = f"{language.format_number(stated)} / {language.format_number(expected)}"
        _write_number(ax, max(stated, expected), y, words, shift=10)
    labels = [codebook.label("roles", role, language.code) for role in shown["role"]]
    style.write_rows(ax, places, [style.wrap_words(label, width=24) for label in labels])
    ax.set(xlim=(0, most.max()), ylim=(len(shown) - 0.5, -0.5))
    style.clear_frame(ax)
    key = [
        (full, language.gettext("stated")),
        (open_, language.gettext("expected of their kind")),
    ]
    style.frame_axes(ax, height=len(shown) * 26, key=key)
    return ax


def _split_kinds(kinds: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the guide's kinds, the extensions present and the unclassified, large ones first."""
    unknown, guide = kinds["kind"] == "unclassified", kinds["origin"] == "guide"
    total = max(int(kinds.loc[~unknown, "n"].sum()), 1)
    present = kinds["n"] > 0
    rest = kinds[unknown & present].assign(share=lambda row: row["n"] / total)
    blocks = [kinds[guide & ~unknown], kinds[~guide & ~unknown & present], rest]
    return [block.sort_values("n", ascending=False, kind="stable") for block in blocks]


def _draw_kind(ax: Axes, y: float, row: Mapping[Any, Any], *, language: Language) -> float:
    """Draw one bar with its mark, whisker and number; return how far it reaches."""
    mark, reach = style.find_mark(row["helix"]), float(row["share"])
    if row["n"] == 0:
        style.put_mark(ax, (0, y), mark._replace(colour="#ffffff", edge=style.RULE), shift=-10)
        _write_number(ax, 0, y, language.gettext("none listed to date"))
        return 0.0
    style.put_mark(ax, (0, y), mark, shift=-10)
    (bar,) = ax.barh(y, reach, height=0.4, color=mark.colour, edgecolor=mark.edge, linewidth=0.6)
    words = language.format_number(row["n"])
    if row["kind"] == "unclassified":
        bar.set_hatch("////")
    else:
        tiny = row["share"] < 0.005
        share = language.format_percent(0.01 if tiny else row["share"])
        words += f" · < {share}" if tiny else f" · {share}"
        if row["share_high"] - row["share_low"] > 0.005:
            ends = [row["share_low"], row["share_high"]]
            ax.plot(ends, [y, y], color=style.INK, linewidth=1, marker="|", markersize=6)
            reach = max(reach, row["share_high"])
    _write_number(ax, reach, y, words, color=style.INK)
    return reach


def _draw_counts(
    ax: Axes,
    names: Sequence[str],
    n: Sequence[int] | pd.Series[int],
    *,
    language: Language,
    notes: Sequence[str] = (),
) -> Axes:
    """Draw plain counts, one row each, the number at the end of its bar."""
    places = np.arange(len(names))
    sns.barplot(x=list(n), y=places, orient="h", color=style.SHADES[3], saturation=1, width=0.62,
                native_scale=True, ax=ax)  # fmt: skip
    for y, count in enumerate(n):
        _write_number(ax, count, y, language.format_number(count))
    style.write_rows(ax, places, names)
    ax.set(xlabel="", ylabel="", xlim=(0, max([1, *n])), ylim=(len(names) - 0.5, -0.5))
    style.clear_frame(ax)
    style.frame_axes(ax, height=len(names) * _THIN_ROW, notes=notes)
    return ax


def _write_number(
    ax: Axes, x: float, y: float, words: str, *, shift: float = 6, color: str = style.MUTED
) -> None:
    style.write(ax, (x, y), words, shift=(shift, 0), va="center", fontsize=style.SMALL, color=color)
