"""A part of a page: one Jinja2 template filled with tables, in the language of the page.

Autoescape is on, so whatever a name holds is text; only figures drawn by `ecoanalysis.figures`
enter as images, and the map of ties as made by `ecoanalysis.report.explore`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup
from matplotlib.axes import Axes

from ecoanalysis import figures, linkage
from ecoanalysis.pipeline import TerritoryResult
from ecoanalysis.study import Study
from ecoanalysis.wording import LANGUAGES, Language, use_language

PAGE_TYPE = "application/vnd.ecoanalysis.page+json"
FOLDER = Path(__file__).parent


@dataclass(frozen=True, repr=False)
class Section:
    """One part of a page, shown by Jupyter as HTML, its text escaped.

    `name` is that of its template, `page` what the frame of the page says: the header has it.
    """

    name: str
    html: str
    page: Mapping[str, str] | None = None

    def __repr__(self) -> str:
        return f"<Section {self.name}>"

    def _repr_html_(self) -> str:
        return self.html

    def _repr_mimebundle_(self, **_: object) -> dict[str, object]:
        frame = {PAGE_TYPE: dict(self.page)} if self.page else {}
        return {"text/plain": repr(self), "text/html": self.html, **frame}


def render_section(
    name: str, language: str, source: Study | TerritoryResult, /, **context: Any
) -> Section:
    """Fill `templates/<name>.html.j2` with the context, and with what `source` says of itself."""
    descriptor, book = source.descriptor, source.codebook
    context |= {
        "id": Path(name).name,
        "compared": name.startswith("comparison/"),
        "descriptor": descriptor,
        "notice": descriptor.notice.get(language, ""),
        "study": choose_text(descriptor.title, language) or source.study_id,
        "text": partial(choose_text, language=language),
        "label": lambda table, code: book.label(table, code, language),
        "definitions": book.kinds[f"definition_{language}"].to_dict(),
    }
    html = use_templates(language).get_template(f"{name}.html.j2").render(**context)
    page = {"title": f"{context.get('title')} – {context['study']}", "notice": context["notice"]}
    return Section(name, html, page if context["id"] == "header" else None)


def draw(plot: Callable[..., Axes], table: pd.DataFrame, **options: Any) -> str:
    """Draw a figure where its table has rows; the page gives it its words."""
    return figures.draw(lambda ax: plot(table, ax=ax, **options)) if len(table) else ""


@cache
def use_templates(code: str) -> jinja2.Environment:
    """Return the templates with the sentences, numbers and dates of one language.

    Autoescape is on; an undefined name is an error.
    """
    language = use_language(code)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext,
        lambda one, many, n: language.ngettext(one, many, int(n)),  # counts come as floats
        newstyle=True,
    )
    templates.globals["language"] = language
    templates.policies["json.dumps_kwargs"] = {"ensure_ascii": False, "separators": (",", ":")}
    templates.filters |= {
        "number": language.format_number,
        "percent": language.format_percent,
        "date": language.format_date,
        "signed": partial(_write_signed, language),
        "web": _keep_web_address,
        "data_uri": _embed_svg,
        "by_name": partial(sorted, key=lambda row: linkage.fold_name(row["name"])),
    }
    return templates


def find_twin(language: str, page: str) -> dict[str, Any]:
    """Say where a report's index and the same report in the other language stand beside it."""
    other = next(code for code in LANGUAGES if code != language)
    top = "../" * (page.count("/") + 1)
    return {"up": f"{top}index.html", "twin": f"{top}../{other}/{page}/report.html", "other": other}


def choose_text(text: Any, language: str) -> str:
    """Take a descriptor's text in this language, else in any."""
    if not isinstance(text, dict):
        return str(text or "")
    return str(text.get(language) or next(iter(text.values()), ""))


def name_places(territories: pd.DataFrame, language: str) -> pd.Series:
    """Name each territory (territory_id) in a language, which may differ of countries."""
    name = use_language(language).name_place
    pairs = zip(territories["name"], territories["country_code"], strict=True)
    return pd.Series([name(*pair) for pair in pairs], territories["territory_id"], dtype="str")


def list_records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Give a table to a template: one dictionary a row, missing values as None."""
    names = [str(name) for name in table]
    columns = [
        [None if missing else value for value, missing in zip(column, column.isna(), strict=True)]
        for _, column in table.items()
    ]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _write_signed(language: Language, value: float | None, digits: int = 2) -> str:
    written = language.format_number(value, digits)
    return f"+{written}" if value is not None and value > 0 else written.replace("-", "−")


def _keep_web_address(url: object) -> str:
    """Keep what a browser opens as a page; anything else is no link."""
    text = str(url or "").strip()
    return text if text.lower().startswith(("http://", "https://")) else ""


def _embed_svg(svg: str) -> Markup:
    """Write a figure as the address of an image; a quarter shorter than in base64."""
    for mark, written in (("%", "%25"), ("#", "%23"), ("&", "%26"), ('"', "'")):
        svg = svg.replace(mark, written)
    return Markup("data:image/svg+xml," + svg)
