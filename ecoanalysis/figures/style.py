"""Palette, type and the frame that every figure shares.

Figures are read on telephones (about 360 px), on screens (about 720 px) and on grey paper. So: one
width, large type, few words, and four helices that differ in hue, in lightness and in the shape of
their mark. Text is never read as mathematics; whatever a name holds is text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from ecoanalysis.codebook import UNCLASSIFIED, Codebook
from ecoanalysis.wording import Language

Array = NDArray[Any]
Point = tuple[float, float] | Array
WIDTH = 6.2
"""Width of every figure, in inches."""
SMALL, LINE, PAD = 11.0, 15.0, 4.0
"""Type of numbers and notes, height of a line, margin of a figure, in points."""
INK, MUTED, RULE, GRID, FAINT = "#1d2830", "#56636d", "#98a4ad", "#e4e9ec", "#f3f5f7"
SHADES = ("#edf2f7", "#c3d4e5", "#88a9cb", "#4b7aa8", "#1b3a5c")
"""Light to dark, for counts, shares and means."""
HALO = {"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5}
"""Ground of words on lines and marks."""
RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans", "font.size": 12.0, "text.parse_math": False, "text.color": INK,
    "figure.dpi": 72,
}  # fmt: skip
"""Settings under which `draw` renders; other code may use them with `matplotlib.rc_context`."""


class Mark(NamedTuple):
    """How one helix is drawn; `scale` makes the shapes look equally large."""

    colour: str
    edge: str
    shape: str = "o"
    scale: float = 1.0


HELICES = {
    "public": Mark("#1b3a5c", "#1b3a5c"),
    "private": Mark("#c0503a", "#c0503a", "s", 0.9),
    "civil": Mark("#5fae98", "#2f7a66", "^", 1.08),
    "knowledge": Mark("#f0cb5e", "#9a7412", "D", 0.82),
}
"""Dark to light (CIE L* about 24, 48, 65, 83), so that they differ in grey as well."""
UNKNOWN = Mark("#ffffff", "#7b8790", "X")
Key = list[tuple[Mark, str]]


def find_mark(helix: object) -> Mark:
    """Return the mark of a helix, or that of the unclassified."""
    return HELICES.get(str(helix), UNKNOWN)


def make_key(helices: Iterable[object], codebook: Codebook, language: Language) -> Key:
    """Pair the marks of the helices that occur with their labels, in the palette's order."""
    found = {str(helix) for helix in helices}
    codes = [code for code in HELICES if code in found]
    key = [(HELICES[code], codebook.label("helices", code, language.code)) for code in codes]
    rest = (UNKNOWN, codebook.label("kinds", UNCLASSIFIED, language.code))
    return [*key, rest] if found - set(HELICES) else key


def clean_words(words: object) -> str:
    """Put text on one line and drop what cannot be shown: controls, lone surrogates."""
    line = re.sub(r"[ \t\n\r\f\v\u2028\u2029]+", " ", str(words))
    return "".join(c for c in line if c.isprintable() or c in "\u00a0\u202f").strip()


def shorten_name(name: object) -> str:
    """Cut a name to 28 characters, the last one being an ellipsis."""
    words = clean_words(name)
    return words if len(words) <= 28 else words[:27].rstrip(" ,;:-–(") + "…"


def wrap_words(words: str, *, width: int) -> str:
    """Break a label into at most two lines of about `width` characters, never a word."""
    return "\n".join(textwrap.wrap(clean_words(words), width, max_lines=2, placeholder="…",
                                   break_long_words=False))  # fmt: skip


def list_names(names: Iterable[object], language: Language) -> str:
    """List the first six names, shortened, and say how many more there are."""
    short = [shorten_name(name) for name in names]
    n_more = max(len(short) - 6, 0)
    more = fill_in(language.ngettext("%(n)s other", "%(n)s others", n_more), n_more, language)
    return ", ".join(filter(None, [*short[:6], more]))


def fill_in(words: str, n: float, language: Language) -> str:
    """Put a number into a note; nothing where it is 0."""
    return words % {"n": language.format_number(n)} if n else ""


def describe_more(n: int, language: Language) -> str:
    """Say how many organisations a figure leaves out; nothing where it shows all."""
    words = language.ngettext("+ %(n)s organisation not shown", "+ %(n)s organisations not shown",
                              n)  # fmt: skip
    return fill_in(words, n, language)


def write(
    ax: Axes, at: Point, words: str, *, shift: Point = (0, 0),
    transform: Transform | None = None, **options: Any,
) -> Text:  # fmt: skip
    """Write words at a place of the axes, moved by `shift` points, never read as mathematics."""
    lines = "\n".join(clean_words(line) for line in words.splitlines())
    moved = move(ax, shift, transform)
    return ax.text(at[0], at[1], lines, transform=moved, parse_math=False, **options)


def write_rows(ax: Axes, places: Iterable[float], labels: Iterable[str], **options: Any) -> None:
    """Write the labels of rows to the left of the axes."""
    look: dict[str, Any] = {"ha": "right", "va": "center", "linespacing": 1.1} | options
    left = move(ax, (-7, 0), ax.get_yaxis_transform())
    for y, label in zip(places, labels, strict=True):
        write(ax, (0, y), label, transform=left, **look)


def write_scale(ax: Axes, ticks: Mapping[float, str], title: str) -> None:
    """Write the labels of places below the axes, and their title below them, to the right."""
    look: dict[str, Any] = {"va": "top", "fontsize": SMALL, "color": MUTED}
    below = move(ax, (0, -6), ax.get_xaxis_transform())
    for x, label in ticks.items():
        write(ax, (x, 0), label, transform=below, ha="center", **look)
    write(ax, (1, 0), title, shift=(0, -7 - LINE), transform=ax.transAxes, ha="right", **look)


def draw_marks(
    ax: Axes, helices: pd.Series[str], places: Array, *, sizes: float | Array, alpha: float = 1.0,
    hollow: pd.Series[bool] | None = None,
) -> None:  # fmt: skip
    """Draw actors, with diameters in points; the most frequent helix below, of opacity `alpha`."""
    codes, diameters = helices.fillna("").astype(str), np.broadcast_to(sizes, len(helices))
    empty = np.zeros(len(codes), bool) if hollow is None else hollow.to_numpy(bool)
    for rank, code in enumerate(codes.value_counts().index):
        mark, here = find_mark(code), (codes == code).to_numpy()
        x, y = places[here].T
        ax.scatter(x, y, s=(diameters[here] * mark.scale) ** 2,
                   c=np.where(empty[here], "#ffffff", mark.colour),
                   marker=mark.shape, edgecolors=mark.edge, linewidths=0.6, zorder=2 + rank / 10,
                   clip_on=False, alpha=1 if rank else alpha)  # fmt: skip


def fan_out(ax: Axes, places: Array, *, spacing: float) -> Array:
    """Move marks at one and the same place apart, by their diameter, like seeds of a sunflower.

    Data coordinates, shape (n, 2), in axes whose frame and limits are final; `spacing` in points.
    """
    _, group, size = np.unique(places.round(6), axis=0, return_inverse=True, return_counts=True)
    rank = pd.Series(group).groupby(group).cumcount().to_numpy()
    turn, step = rank * np.pi * (3 - np.sqrt(5)), spacing * 0.62 * find_figure(ax).dpi / 72
    reach = np.where(size[group] > 1, step * np.sqrt(rank + 0.5), 0)
    away = np.column_stack([reach * np.cos(turn), reach * np.sin(turn)])
    return np.asarray(ax.transData.inverted().transform(ax.transData.transform(places) + away))


def say_empty(ax: Axes, language: Language) -> Axes:
    """Say instead of a figure that there is nothing to draw."""
    words = language.gettext("Nothing to draw: not collected yet.")
    write(ax, (0.5, 0.5), words, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    return frame_axes(ax, height=60)


def frame_axes(
    ax: Axes, *, height: float, key: Key | None = None, notes: Iterable[str] = (), spare: int = 0
) -> Axes:
    """Fit the figure around axes `height` points high and all that hangs over their edges.

    The key stands above, the notes that are not empty below, then `spare` lines for `write_note`.
    Axes that share their figure stay where they are, without key and notes.
    """
    figure, width, starts, right, row = find_figure(ax), WIDTH * 72, [], 0.0, 0
    ax.set(xticks=[], yticks=[])
    ax.set_axis_off()
    if len(figure.axes) > 1:
        return ax
    for _, label in key or []:
        size = _measure(label) + 30
        right, row = (size, row + 1) if right + size > width else (right + size, row)
        starts.append((right - size, row))
    lines = [line for note in notes if note for line in _break_lines(note, width - 2 * PAD)]
    above = (row + 1) * (LINE + 2) + 6 if starts else 0
    below = (len(lines) + spare) * LINE + (4 if lines or spare else 0)
    margins = np.zeros(4)
    for _ in range(4):  # again for words whose place depends on the width
        around, inner = ax.get_tightbbox(), ax.get_window_extent()
        assert around is not None
        over = np.subtract([*inner.min, *around.max], [*around.min, *inner.max]).clip(0)
        last, margins = margins, over / figure.dpi * 72 + (PAD, PAD + below, PAD, PAD + above)
        left, low, right, high = margins
        if np.allclose(last, margins, rtol=0, atol=0.5):
            break
        total = low + height + high
        figure.set_size_inches(WIDTH, total / 72)
        across = max(1 - (left + right) / width, 0.1)
        ax.set_position((left / width, low / total, across, height / total))
    for (mark, label), (x, row) in zip(key or [], starts, strict=True):
        y, inches = (total - PAD - (row + 0.5) * (LINE + 2)) / 72, figure.dpi_scale_trans
        sign = Line2D([(PAD + x + 4.5) / 72], [y], linestyle="none", marker=mark.shape,
                      markersize=7.5 * mark.scale, markerfacecolor=mark.colour,
                      markeredgecolor=mark.edge, transform=inches, clip_on=False)  # fmt: skip
        sign.set_in_layout(False)
        ax.add_artist(sign)
        write(ax, ((PAD + x + 13) / 72, y), label, transform=inches, fontsize=SMALL, va="center",
              in_layout=False)  # fmt: skip
    for i, line in enumerate(reversed(lines)):
        write_note(ax, line, line=i + spare)
    return ax


def write_note(ax: Axes, words: str, *, line: int = 0) -> None:
    """Write a small note below the axes, `line` lines above the lowest."""
    figure = find_figure(ax)
    if words and len(figure.axes) == 1:
        write(ax, (PAD / 72, (PAD + line * LINE + 3) / 72), words, transform=figure.dpi_scale_trans,
              fontsize=SMALL, color=MUTED, in_layout=False)  # fmt: skip


def find_figure(ax: Axes) -> Figure:
    """Return the figure that the axes stand in, however deep."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def move(ax: Axes, points: Point, transform: Transform | None = None) -> Transform:
    """Return a transform, that of the data if none is given, followed by a shift in points."""
    moved, (x, y), scale = transform or ax.transData, points, find_figure(ax).dpi_scale_trans
    return moved + ScaledTranslation(x / 72, y / 72, scale) if x or y else moved


@cache
def _measure(words: str) -> float:
    return text_to_path.get_text_width_height_descent(words, FontProperties(size=SMALL), False)[0]


def _break_lines(note: str, width: float) -> list[str]:
    lines, used = [""], 0.0
    for word in clean_words(note).split(" "):
        used += _measure(f"{word} ")
        if used > width:
            lines, used = [*lines, ""], _measure(f"{word} ")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines
