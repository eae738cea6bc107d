"""Names beside points: each where it covers nothing, or not at all.

Greedy point-feature labelling (Christensen, Marks & Shieber 1995): names in the order of their
importance, each at the first of its candidate places that is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from ecoanalysis.figures import style
from ecoanalysis.figures.style import Array
from ecoanalysis.wording import Language

_SIDES = np.array([(1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1)])
_TURNS = np.arange(16) * np.pi / 8
_RING = np.column_stack([np.cos(_TURNS), np.sin(_TURNS)])
_WAYS = np.vstack([_SIDES, _RING, _RING])
_TRIED = 60


def place_names(
    ax: Axes, places: Array, names: Sequence[str], *, obstacles: Array | None = None,
    radius: float | Array = 5.0, leaders: bool = True,
    language: Language | None = None, **options: Any,
) -> int:  # fmt: skip
    """Write as many of the names as fit beside their points; return how many do not, and say so.

    A name stands at its mark, clearly nearer to it than to any other, or a little away, tied to it
    by a hair line (`leaders`). The most important come first, 60 are tried; `radius` is half
    the size of marks in points, `obstacles` the points not to cover, if others than `places`.
    """
    point, inside = style.find_figure(ax).dpi / 72, np.ravel(ax.get_window_extent())
    dots = ax.transData.transform(places)
    others = dots if obstacles is None else ax.transData.transform(obstacles)
    reaches = np.broadcast_to(radius, len(dots)) * point
    reach = reaches[:, None] if obstacles is None else np.min(reaches, initial=99)
    texts = [text.get_window_extent().extents for text in ax.texts]
    taken = np.vstack([np.hstack([others - reach, others + reach]), *texts])
    written, look = 0, dict[str, Any](fontsize=style.SMALL, va="bottom") | options
    for i, name in enumerate(names[:_TRIED]):
        text = style.write(ax, places[i], style.shorten_name(name), **look)
        size = np.array(text.get_window_extent().size)
        found = _find_place(dots[i], size, taken, others, inside, reaches[i], point, leaders)
        if found is None:
            text.remove()
            continue
        box, leader = found
        text.set_transform(style.move(ax, (box[:2] - dots[i]) / point))
        taken = np.vstack([taken, box + np.array([-4, 0, 4, 0]) * point, leader])
        written += 1
        if len(leader):
            ends = ax.transData.inverted().transform(leader[[0, -1], :2])
            ax.plot(*ends.T, color=style.RULE, lw=0.7, zorder=1.5, scalex=False, scaley=False)
    omitted = len(names) - written
    if language:
        style.write_note(ax, describe_omitted(omitted, language=language))
    return omitted


def describe_omitted(n: int, *, language: Language) -> str:
    """Say how many names a figure leaves out; nothing where it shows all."""
    words = language.ngettext("+ %(n)s name not shown", "+ %(n)s names not shown", n)
    return style.fill_in(words, n, language)


def _find_place(
    dot: Array, size: Array, taken: Array, dots: Array, inside: Array, reach: float, point: float,
    leaders: bool,
) -> tuple[Array, Array] | None:  # fmt: skip
    """Return the first free box (x0, y0, x1, y1), and its leader as boxes without size."""
    gap, near = reach + 2.5 * point, len(_SIDES)
    steps = np.repeat([(gap, gap * 0.8), (16 * point,) * 2, (26 * point,) * 2], (near, 16, 16), 0)
    low = dot + _WAYS * steps + size * (np.round(_WAYS) - 1) / 2
    boxes = np.hstack([low, low + size])
    free = (low >= inside[:2]).all(axis=1) & (low + size <= inside[2:]).all(axis=1)
    for i in np.flatnonzero(free & ~_cover(boxes, taken)):
        end, own = _approach(dot, boxes[i])
        if i < near:
            away = _approach(dots, boxes[i])[1][np.hypot(*(dots - dot).T) > 1]
            if (away > 1.5 * own).all():
                return boxes[i], taken[:0]
        elif leaders:
            start = dot + (end - dot) * min(1.5 * reach / np.maximum(own, 1e-9), 1)
            leader = np.hstack([np.linspace(start, end, 8)] * 2)
            if not _cover(leader, taken).any():
                return boxes[i], leader
    return None


def _cover(boxes: Array, taken: Array) -> Array:
    """Say which boxes cover something."""
    apart = (taken[:, :2] >= boxes[:, None, 2:]) | (taken[:, 2:] <= boxes[:, None, :2])
    return np.asarray(~np.all(np.any(apart, axis=2), axis=1))


def _approach(dots: Array, box: Array) -> tuple[Array, Array]:
    """Return the points of a box that are nearest to the dots, and how far they are."""
    ends = np.clip(dots, box[:2], box[2:])
    return ends, np.hypot(*(dots - ends).T)
