"""Palette, type and the frame that every figure shares.

Figures are read on telephones (about 360 px), on screens (about 720 px) and on grey paper. So: one
width, large type, few words, and four helices that differ in hue, in lightness and in the shape of
their mark. Text is never read as mathematics; whatever a name holds is text.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.textpath import text_to_path
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import Affine2D, Bbox, ScaledTranslation, Transform
from numpy.typing import NDArray

from ecoanalysis.codebook import Codebook
from ecoanalysis.wording import Language

WIDTH = 6.2
"""Width of every figure, in inches."""
SIZE, SMALL, LINE, PAD = 12.0, 11.0, 15.0, 4.0
"""Type of labels, of numbers and notes, height of a line, margin of a figure, in points."""
NAME_LENGTH = 28
"""Longer names are shortened to this number of characters."""
NO_BREAK = "\u00a0\u202f"
"""Spaces that French puts before a colon and inside numbers, where no line ends."""
INK, MUTED, RULE, GRID, FAINT = "#1d2830", "#56636d", "#98a4ad", "#e4e9ec", "#f3f5f7"
SHADES = ("#edf2f7", "#c3d4e5", "#88a9cb", "#4b7aa8", "#1b3a5c")
"""Light to dark, for counts, shares and means."""


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

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": SIZE,
    "text.parse_math": False,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": MUTED,
    "axes.labelsize": SMALL,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "xtick.labelsize": SMALL,
    "xtick.major.size": 0,
    "xtick.major.pad": 6,
    "hatch.linewidth": 0.5,
    "figure.dpi": 72,
    "svg.fonttype": "path",
    "svg.hashsalt": "ecoanalysis",
}
"""Settings under which `draw` renders; other code may use them with `matplotlib.rc_context`."""


def find_mark(helix: object) -> Mark:
    """Return the mark of a helix, or that of the unclassified."""
    return HELICES.get(str(helix), UNKNOWN)


def make_key(
    helices: Iterable[object], *, codebook: Codebook, language: Language
) -> list[tuple[Mark, str]]:
    """Pair the marks of the helices that occur with their labels, in the palette's order."""
    found = {str(helix) for helix in helices}
    codes = [code for code in HELICES if code in found]
    key = [(HELICES[code], codebook.label("helices", code, language.code)) for code in codes]
    rest = codebook.label("kinds", "unclassified", language.code)
    return [*key, (UNKNOWN, rest)] if found - set(HELICES) else key


def clean_words(words: object) -> str:
    """Put text on one line and drop what cannot be shown: controls, lone surrogates."""
    line = re.sub(r"[ \t\n\r\f\v\u2028\u2029]+", " ", str(words))
    return "".join(c for c in line if c.isprintable() or c in NO_BREAK).strip()


def shorten_name(name: object, *, length: int = NAME_LENGTH) -> str:
    """Cut a name to `length` characters, the last one being an ellipsis.

    Examples
    --------
    >>> shorten_name("Maison des associations", length=10)
    'Maison de…'
    """
    words = clean_words(name)
    return words if len(words) <= length else words[: length - 1].rstrip(" ,;:-–(") + "…"


def wrap_words(words: str, *, width: int, lines: int = 2) -> str:
    """Break a label into at most `lines` lines of about `width` characters, never a word."""
    options: dict[str, Any] = {"max_lines": lines, "placeholder": "…", "break_long_words": False}
    return "\n".join(textwrap.wrap(clean_words(words), width, **options))


def write(
    ax: Axes,
    at: tuple[float, float],
    words: str,
    *,
    shift: tuple[float, float] = (0, 0),
    transform: Transform | None = None,
    **options: Any,
) -> Text:
    """Write words at a place of the axes, moved by `shift` points, never read as mathematics."""
    moved = ax.transData if transform is None else transform
    moved = moved + _shift(ax, shift) if any(shift) else moved
    lines = "\n".join(clean_words(line) for line in words.splitlines())
    return ax.text(*at, lines, transform=moved, parse_math=False, **options)


def write_rows(
    ax: Axes, places: Iterable[float], labels: Iterable[str], *, shift: float = -7, **options: Any
) -> None:
    """Write the labels of rows to the left of the axes."""
    look: dict[str, Any] = {"ha": "right", "va": "center", "linespacing": 1.1} | options
    moved = ax.get_yaxis_transform() + _shift(ax, (shift, 0))
    for y, label in zip(places, labels, strict=True):
        write(ax, (0, y), label, transform=moved, **look)


def write_ticks(ax: Axes, places: Sequence[float], words: Sequence[str]) -> None:
    """Label the x axis at these places."""
    ax.set_xticks(list(places), [clean_words(word) for word in words], parse_math=False)


def choose_ticks(high: float, *, n: int, whole: bool = False) -> list[float]:
    """Return round places from 0 to a limit (whole numbers where `whole`)."""
    ticks = MaxNLocator(n, steps=[1, 2, 2.5, 5, 10], integer=whole).tick_values(0, high)
    return [float(tick) for tick in ticks if 0 <= tick <= high * 1.000001]


def put_mark(
    ax: Axes, at: tuple[float, float], mark: Mark, *, shift: float = 0, size: float = 7.5
) -> None:
    """Draw one mark, moved to the right by `shift` points, also outside the frame."""
    (line,) = ax.plot([at[0]], [at[1]], linestyle="none", clip_on=False, scalex=False, scaley=False)
    moved = ax.transData + _shift(ax, (shift, 0)) if shift else ax.transData
    line.set(transform=moved, marker=mark.shape, zorder=3)
    line.set(markersize=size * mark.scale, mfc=mark.colour, mec=mark.edge)


def draw_marks(
    ax: Axes,
    helices: pd.Series[str],
    places: NDArray[np.float64],
    *,
    sizes: float | NDArray[np.float64],
    alpha: float = 1.0,
    clip_on: bool = True,
) -> None:
    """Draw actors at their places (data coordinates), the most frequent helix below.

    `sizes` are diameters in points; `alpha` is the opacity of the most frequent helix.
    """
    codes = helices.fillna("").astype(str).to_numpy()
    for rank, code in enumerate(pd.Series(codes).value_counts().index):
        mark, here = find_mark(code), codes == code
        size = sizes if isinstance(sizes, float) else sizes[here]  # one size: one shape in the file
        ax.scatter(places[here, 0], places[here, 1], s=(size * mark.scale) ** 2,
                   c=mark.colour, marker=mark.shape, edgecolors=mark.edge, linewidths=0.6,
                   zorder=2 + rank / 10, clip_on=clip_on, alpha=1 if rank else alpha)  # fmt: skip


def clear_frame(ax: Axes) -> None:
    """Remove frame and ticks; rows and grids carry themselves."""
    ax.spines[:].set_visible(False)
    ax.set(xticks=[], yticks=[])


def say_empty(ax: Axes, *, language: Language) -> Axes:
    """Say instead of a figure that there is nothing to draw."""
    clear_frame(ax)
    words = language.gettext("Nothing to draw: not collected yet.")
    write(ax, (0.5, 0.5), words, transform=ax.transAxes, ha="center", va="center", color=MUTED)
    frame_axes(ax, height=60)
    return ax


def fan_out(ax: Axes, places: NDArray[np.float64], *, spacing: float) -> NDArray[np.float64]:
    """Move marks that stand at one and the same place apart, like the seeds of a sunflower.

    Takes and returns data coordinates, shape (n, 2), in axes whose frame and limits are final;
    `spacing` is the diameter of a mark in points. A mark that stands alone stays.
    """
    _, group, size = np.unique(places.round(6), axis=0, return_inverse=True, return_counts=True)
    rank = pd.Series(group).groupby(group).cumcount().to_numpy()
    turn, step = rank * np.pi * (3 - np.sqrt(5)), spacing * 0.62 * find_figure(ax).dpi / 72
    reach = np.where(size[group] > 1, step * np.sqrt(rank + 0.5), 0)
    away = np.column_stack([reach * np.cos(turn), reach * np.sin(turn)])
    return np.asarray(ax.transData.inverted().transform(ax.transData.transform(places) + away))


def frame_axes(
    ax: Axes,
    *,
    height: float,
    key: Sequence[tuple[Mark, str]] = (),
    notes: Sequence[str] = (),
    spare: int = 0,
) -> None:
    """Shrink the axes so that all that hangs over their edges fits into their place.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes with everything drawn but names, whose places depend on the frame.
    height : float
        Height of the axes in points. Where the axes stand alone in their figure, the figure's
        height follows, so that rows are equally high however many there are.
    key : sequence of (Mark, str)
        Marks and their meaning, written above on as many lines as they need.
    notes : sequence of str
        Sentences, written below.
    spare : int
        Lines kept free below the notes for `write_note`.
    """
    figure = find_figure(ax)
    point, slot = figure.dpi / 72, _find_slot(ax)
    room = slot.width / point - 2 * PAD
    lines = [line for note in notes for line in _break_lines(note, room)]
    words = [write(ax, (0, 0), label, fontsize=SMALL, va="center") for _, label in key]
    starts = _flow([text.get_window_extent().width / point + 30 for text in words], room)
    for text in words:
        text.set_in_layout(False)
    above = (starts[-1][1] + 1) * (LINE + 2) + 6 if starts else 0
    below = (len(lines) + spare) * LINE + (4 if lines or spare else 0)
    for _ in range(3):
        around, inner = ax.get_tightbbox(), ax.get_window_extent()
        assert around is not None
        left, right = max(inner.x0 - around.x0, 0), max(around.x1 - inner.x1, 0)
        low = max(inner.y0 - around.y0, 0) + (below + PAD) * point
        high = max(around.y1 - inner.y1, 0) + (above + PAD) * point
        if len(figure.axes) == 1:
            figure.set_figheight((height * point + low + high) / figure.dpi)
        slot = _find_slot(ax)
        x0, y0 = slot.x0 + left + PAD * point, slot.y0 + low
        x1, y1 = slot.x1 - right - PAD * point, slot.y1 - high
        inside = Bbox([[x0, y0], [max(x1, x0 + slot.width / 5), max(y1, y0 + slot.height / 5)]])
        if np.allclose(inside, inner, rtol=0, atol=point / 2):
            break
        ax.set_position(inside.transformed(figure.transFigure.inverted()))
    _place_key(ax, key, words, starts)
    for i, line in enumerate(lines):
        write_note(ax, line, line=len(lines) + spare - 1 - i)


def write_note(ax: Axes, words: str, *, line: int = 0) -> None:
    """Write a small note below the axes, `line` lines above the lowest."""
    slot, point = _find_slot(ax), find_figure(ax).dpi / 72
    at = (slot.x0 / point + PAD, slot.y0 / point + PAD + line * LINE + 3)
    note = write(ax, at, words, fontsize=SMALL, color=MUTED, in_layout=False)
    note.set_transform(_points(ax))


def find_figure(ax: Axes) -> Figure:
    """Return the figure that the axes stand in, however deep."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    return figure


def _place_key(
    ax: Axes,
    key: Sequence[tuple[Mark, str]],
    words: Sequence[Text],
    starts: Sequence[tuple[float, int]],
) -> None:
    slot, point = _find_slot(ax), find_figure(ax).dpi / 72
    for (mark, _), text, (start, row) in zip(key, words, starts, strict=True):
        x, y = slot.x0 / point + PAD + start, slot.y1 / point - PAD - (row + 0.5) * (LINE + 2)
        text.set(position=(x + 13, y), transform=_points(ax))
        put_mark(ax, (x + 4.5, y), mark)
        ax.lines[-1].set(transform=_points(ax), in_layout=False)


def _break_lines(note: str, room: float) -> list[str]:
    font, words = FontProperties(size=SMALL), clean_words(note).split(" ")
    sizes = [text_to_path.get_text_width_height_descent(f"{word} ", font, False) for word in words]
    rows = [row for _, row in _flow([size[0] for size in sizes], room)]
    return [
        " ".join(w for w, row in zip(words, rows, strict=True) if row == k)
        for k in sorted(set(rows))
    ]


def _flow(widths: Sequence[float], room: float) -> list[tuple[float, int]]:
    """Return start and line of words of these widths that flow into lines of `room`."""
    places, used, row = [], 0.0, 0
    for width in widths:
        if used and used + width > room:
            used, row = 0.0, row + 1
        places.append((used, row))
        used += width
    return places


def _find_slot(ax: Axes) -> Bbox:
    """Return the pixels that belong to the axes: the whole figure where they stand alone."""
    figure, spec = find_figure(ax), ax.get_subplotspec()
    if len(figure.axes) == 1 or spec is None:
        return Bbox.from_bounds(0, 0, figure.bbox.width, figure.bbox.height)
    return spec.get_position(figure).transformed(figure.transFigure)


def _points(ax: Axes) -> Transform:
    """Transform points from the lower left corner of the figure."""
    return Affine2D().scale(1 / 72) + find_figure(ax).dpi_scale_trans


def _shift(ax: Axes, points: tuple[float, float]) -> Transform:
    x, y = points
    return ScaledTranslation(x / 72, y / 72, find_figure(ax).dpi_scale_trans)
