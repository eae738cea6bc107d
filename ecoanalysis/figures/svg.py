"""Drawing to SVG: one compact string, the same bytes each time, that a page takes in as it is.

matplotlib's own SVG is written for editors: comments, a style on every mark, six decimals,
identifiers that clash when two figures share a page, and a style sheet that would leak into it.
`draw` keeps the shapes and drops the rest.
"""

from __future__ import annotations

import hashlib
import html
import io
import re
import warnings
from collections.abc import Callable

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ecoanalysis.figures.style import RC, WIDTH, clean_words

_DROPPED = re.compile(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", re.DOTALL)
_BOX = re.compile(r'viewBox="([^"]*)"')
_DECIMAL = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_PATH = re.compile(r' d="([^"]*)"( transform="scale\(0\.015625\)")?')
_MARKS = re.compile(r'<g( clip-path="[^"]*")>((?:<use [^>]*/>)+)</g>')
_STYLE = re.compile(r' style="[^"]*"')
_NAME = re.compile(r'(id="|href="#|url\(#)([\w.:-]+)')


def draw(plot: Callable[[Axes], object], *, alt: str, height: float = 4.2) -> str:
    """Render one figure as an SVG string for a page.

    Parameters
    ----------
    plot : callable
        Takes the axes to draw on, e.g. ``lambda ax: plot_kinds(kinds, ax=ax, …)``.
    alt : str
        What the figure shows, for those who do not see it; becomes the `aria-label`; empty
        where the page says it.
    height : float
        Height in inches, where the figure does not choose its own, as all of this package do.

    Returns
    -------
    str
        One `<svg>` element, as wide as its container, text as outlines, without scripts, style
        sheets, comments or dates; identifiers are its own, so several fit on one page.
    """
    with mpl.rc_context(RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=r"Glyph .* missing from")
        figure = Figure(figsize=(WIDTH, height))
        FigureCanvasSVG(figure)
        plot(figure.add_subplot())
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return _compact(stream.getvalue(), alt=alt)


def _compact(svg: str, *, alt: str) -> str:
    """Shorten matplotlib's markup, which holds no text but that of the comments dropped here."""
    box = " ".join(_round(number) for number in _BOX.findall(svg)[0].split())
    body = _DROPPED.sub("", svg[svg.index(">", svg.index("<svg")) + 1 : svg.rindex("</svg>")])
    body = re.sub(r"> <", "><", re.sub(r"\s+", " ", body))
    body = re.sub(r'<g id="[^"]*"', "<g", body).replace(": ", ":").replace("; ", ";")
    body = re.sub(r' transform="translate\((\S+) 0\)"/>', r' x="\1"/>', body)
    body = _DECIMAL.sub(lambda match: _round(match[0]), _PATH.sub(_shorten_path, body))
    body = _MARKS.sub(_gather_marks, body.replace("xlink:href", "href"))
    prefix, short = "f" + hashlib.sha256(svg.encode()).hexdigest()[:5], dict[str, str]()
    body = _NAME.sub(
        lambda match: match[1] + short.setdefault(match[2], f"{prefix}{len(short):x}"), body
    )
    label = f' role="img" aria-label="{html.escape(clean_words(alt))}"' if alt else ""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}" width="100%"{label}>'
    return f'{head}<g stroke-linejoin="round">{body.strip()}</g></svg>'


def _shorten_path(match: re.Match[str]) -> str:
    """Drop the blanks around commands; of a glyph keep an eighth of its precision, still plenty."""
    path = re.sub(r"\s*([MLQCZz])\s*", r"\1", match[1])
    if not match[2]:
        return f' d="{path}"'
    path = re.sub(r"-?\d+", lambda number: str(round(int(number[0]) / 8)), path)
    return f' d="{path}" transform="scale(.125)"'


def _gather_marks(match: re.Match[str]) -> str:
    """Write the style that all marks of a group share once, on the group."""
    styles = set(_STYLE.findall(match[2]))
    if len(styles) != 1:
        return match[0]
    return f"<g{match[1]}{styles.pop()}>{_STYLE.sub('', match[2])}</g>"


def _round(number: str) -> str:
    size = abs(float(number))
    return f"{float(number):.{1 if size >= 10 else 2 if size >= 1 else 3}f}".rstrip("0").rstrip(".")
