"""Drawing to SVG: one compact string, the same bytes each time, that a page takes in as an image.

matplotlib's own SVG is made for editors and shapes each word anew. This renderer writes outlines
and words once, and knows what figures here use: solid lines and fills; it clips nothing.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable
from functools import cache
from itertools import groupby
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backend_bases import FigureCanvasBase, GraphicsContextBase, RendererBase
from matplotlib.colors import to_hex, to_rgba
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ft2font import LoadFlags
from matplotlib.path import Path
from matplotlib.textpath import text_to_path
from matplotlib.transforms import Transform

from ecoanalysis.figures.style import RC, WIDTH

_EM, _COMMANDS = 100.0, {1: "M", 2: "L", 3: "Q", 4: "C"}
_GLYPHS: dict[str, Any] = {}


def draw(plot: Callable[[Axes], object]) -> str:
    """Render what `plot` draws on the axes it is given as one `<svg>` element.

    As wide as its container, text as outlines, no script, style sheet or date. The words of the
    page say what it shows, those of an image's `alt` among them.
    """
    with mpl.rc_context(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        figure = Figure(figsize=(WIDTH, 4))
        renderer = _Renderer(figure)
        FigureCanvasBase(figure).get_renderer = lambda: renderer  # type: ignore[attr-defined]
        collecting = gc.isenabled()
        gc.disable()  # it would pass over all that is there already, again and again
        try:
            plot(figure.add_subplot())
            figure.draw(renderer)
        finally:
            if collecting:
                gc.enable()
    shapes = "".join(shape % name for shape, name in renderer.shapes.items())
    runs = groupby(renderer.uses, key=lambda use: use[0])
    body = "".join(f"<g{style}>{''.join(use for _, use in run)}</g>" for style, run in runs)
    box = "0 0 {:.5g} {:.5g}".format(*figure.bbox.size)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="100%">'
    return f'{head}<defs>{shapes}</defs><g stroke-linejoin="round">{body}</g></svg>'


class _Renderer(RendererBase):
    """Collects shapes, each defined once, and where they are used in which style."""

    def __init__(self, figure: Figure) -> None:
        super().__init__()
        self.figure, self.shapes, self.uses = figure, dict[str, str](), list[tuple[str, str]]()

    def get_canvas_width_height(self) -> tuple[float, float]:
        return self.figure.bbox.width, self.figure.bbox.height

    def get_text_width_height_descent(self, s: str, prop: FontProperties, ismath: object) -> Any:
        return tuple(x * prop.get_size_in_points() / _EM for x in _shape(s, prop.get_weight())[0])

    def draw_path(
        self, gc: GraphicsContextBase, path: Path, transform: Transform, face: Any = None
    ) -> None:
        points = transform.transform(path.vertices) * (1, -1) + (0, self.figure.bbox.height)
        if len(points) and np.isfinite(points).all():
            shape = self._define("path", f'd="{_outline(points - points[0], path.codes)}"')
            self.uses.append((self._describe(gc, face), _use(shape, *points[0])))

    def draw_text(
        self, gc: GraphicsContextBase, x: float, y: float, s: str, prop: FontProperties,
        angle: float, ismath: object = False, mtext: object = None,
    ) -> None:  # fmt: skip
        glyphs = _shape(s, prop.get_weight())[1]
        word = "".join(_use(self._define("path", f'd="{d}"'), *at) for d, at in glyphs)
        scale = f'transform="scale({prop.get_size_in_points() / _EM:g})"'
        turn = f' transform="rotate({-angle:g} {x:.5g} {y:.5g})"' if angle else ""
        use = _use(self._define("g", scale, word), x, y, turn)
        self.uses.append((f' fill="{to_hex(gc.get_rgb())}"', use))

    def _define(self, tag: str, look: str, inside: str = "") -> str:
        shape = f'<{tag} id="%s" {look}>{inside}</{tag}>'
        return self.shapes.setdefault(shape, f"s{len(self.shapes):x}")

    def _describe(self, gc: GraphicsContextBase, face: Any) -> str:
        """Return fill and stroke as attributes."""
        alpha = gc.get_alpha() if gc.get_forced_alpha() else None
        fill, edge = (
            "none" if c is None else to_hex(to_rgba(c, alpha), keep_alpha=True).removesuffix("ff")
            for c in (face, gc.get_rgb())
        )
        line = gc.get_linewidth()
        return f' fill="{fill}"' + (f' stroke="{edge}" stroke-width="{line:g}"' if line else "")


def _use(shape: str, x: float, y: float, turn: str = "") -> str:
    return f'<use href="#{shape}" x="{x:.5g}"' + (f' y="{y:.5g}"' if y else "") + f"{turn}/>"


def _outline(points: Any, codes: Any) -> str:
    parts, last = [], 0
    steps = [1] + [2] * (len(points) - 1) if codes is None else codes
    for (x, y), code in zip(np.round(points, 2).tolist(), steps, strict=True):
        command = " " if code == last != 1 else _COMMANDS.get(code, "Z")
        parts.append("Z" if command == "Z" else f"{command}{x:g} {y:g}")
        last = code
    return "".join(parts)


@cache
def _shape(words: str, weight: str | int) -> tuple[list[float], list[tuple[str, Any]]]:
    """Return width, height, descent of words of `_EM` points; outlines of glyphs and places."""
    font = get_font(findfont(FontProperties(weight=weight)))
    font.set_size(_EM, 72)
    font.set_text(words, flags=LoadFlags.NO_HINTING)
    size = [length / 64 for length in (*font.get_width_height(), font.get_descent())]
    glyphs, _, _ = text_to_path.get_glyphs_with_font(font, words, glyph_map=_GLYPHS)
    return size, [(d, (x, -y)) for name, x, y, _ in glyphs if (d := _outline_glyph(name))]


@cache
def _outline_glyph(name: str) -> str:
    points, codes = _GLYPHS[name]
    return _outline(points * (1, -1), codes)
