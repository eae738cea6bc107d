"""Names beside points: each where it covers nothing, or not at all.

Greedy point-feature labelling (Christensen, Marks & Shieber 1995): names in the order of their
importance, each at the first of its candidate places that is free.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text
from numpy.typing import NDArray

from ecoanalysis.figures import style
from ecoanalysis.wording import Language

Array = NDArray[np.float64]

_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_TURNS = tuple((np.cos(turn), np.sin(turn)) for turn in np.linspace(0, 2 * np.pi, 17)[:-1])


def place_names(
    ax: Axes,
    places: Array,
    names: Sequence[str],
    *,
    obstacles: Array | None = None,
    radius: float | Array = 5.0,
    limit: int = 60,
    **options: Any,
) -> int:
    """Write as many names as fit beside their points.

    A name stands at its mark, clearly nearer to it than to any other; or a little away, tied to
    it by a hair line.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Axes whose frame and limits are final.
    places : array of shape (n, 2)
        Points in data coordinates, the most important first.
    names : sequence of str
        Their names, shortened here.
    obstacles : array of shape (m, 2), optional
        All points that names must not cover, where there are others than `places`.
    radius : float or array of shape (n,)
        Half the size of the marks, in points.
    limit : int
        At most so many names are tried.
    **options
        Properties of the text.

    Returns
    -------
    int
        Number of names that were not written.
    """
    if not len(names):
        return 0
    point = style.find_figure(ax).dpi / 72
    dots = ax.transData.transform(places)
    others = dots if obstacles is None else ax.transData.transform(obstacles)
    reaches = np.broadcast_to(np.asarray(radius, dtype=float) * point, len(dots))
    reach = reaches[:, None] if obstacles is None else reaches.min()
    texts = [_box(text) for text in ax.texts if text.get_text()]
    taken = np.vstack([np.hstack([others - reach, others + reach]), *texts])
    inside = np.array(ax.get_window_extent().extents)
    look: dict[str, Any] = {
        "fontsize": style.SMALL,
        "annotation_clip": False,
        "va": "bottom",
    } | options
    written = 0
    for i in range(min(limit, len(names))):
        words = style.shorten_name(names[i])
        text = ax.annotate(
            words, places[i], (0, 0), "data", "offset pixels", parse_math=False, **look
        )
        size = _box(text)[2:] - _box(text)[:2]
        found = _find_place(dots[i], size, taken, others, inside, reaches[i], point)
        if found is None:
            text.remove()
            continue
        box, leader = found
        text.set_position(tuple(box[:2] - dots[i]))
        taken = np.vstack([taken, box + np.array([-4, 0, 4, 0]) * point, np.hstack([leader] * 2)])
        written += 1
        if len(leader):
            x, y = ax.transData.inverted().transform(leader[[0, -1]]).T
            ax.plot(x, y, color=style.RULE, lw=0.7, zorder=1.5, scalex=False, scaley=False)
    return len(names) - written


def describe_omitted(n: int, *, language: Language) -> str:
    """Say how many names a figure leaves out; nothing where it shows all."""
    words = language.ngettext("+ %(n)s name not shown", "+ %(n)s names not shown", n)
    return words % {"n": language.format_number(n)} if n else ""


def _find_place(
    dot: Array, size: Array, taken: Array, dots: Array, inside: Array, reach: float, point: float
) -> tuple[Array, Array] | None:
    """Return the first free box (x0, y0, x1, y1) and points along its leader, if it needs one."""
    gap = reach + 2.5 * point
    near = [(gap * dx, gap * 0.8 * dy, dx, dy) for dx, dy in _SIDES]
    rings = product((16 * point, 26 * point), _TURNS)
    far = [(ring * dx, ring * dy, round(dx), round(dy)) for ring, (dx, dy) in rings]
    for i, (dx, dy, toward_x, toward_y) in enumerate(near + far):
        low = dot + (dx, dy) + size * ((toward_x - 1) / 2, (toward_y - 1) / 2)
        box = np.concatenate([low, low + size])
        if (box[:2] < inside[:2]).any() or (box[2:] > inside[2:]).any():
            continue
        leader = _lay_leader(dot, box, reach) if i >= len(near) else dot[None][:0]
        parts = np.vstack([box, np.hstack([leader, leader])])[:, None]
        apart = (taken[:, :2] >= parts[..., 2:]) | (taken[:, 2:] <= parts[..., :2])
        if apart.any(axis=2).all() and (len(leader) or _belongs(dot, box, dots)):
            return box, leader
    return None


def _belongs(dot: Array, box: Array, dots: Array) -> bool:
    """Say whether a name is clearly nearer to its own mark than to any other."""
    away = np.hypot(*(dots - np.clip(dots, box[:2], box[2:])).T)
    own = np.hypot(*(dot - np.clip(dot, box[:2], box[2:])))
    others = np.hypot(*(dots - dot).T) > 1
    return bool((away[others] > 1.5 * own).all())


def _lay_leader(dot: Array, box: Array, reach: float) -> Array:
    """Return points on a line from just outside a mark to the nearest edge of a box."""
    end = np.clip(dot, box[:2], box[2:])
    start = dot + (end - dot) * min(1.5 * reach / max(np.hypot(*(end - dot)), 1e-9), 1)
    return np.linspace(start, end, 8)


def _box(text: Text) -> Array:
    return np.array(Text.get_window_extent(text).extents)
