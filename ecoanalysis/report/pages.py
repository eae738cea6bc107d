"""Whole pages: an executed notebook as one HTML file, and the index of a study's pages.

A page holds its style, its figures and the script of its map; it asks nothing of any network.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
from nbconvert.exporters.templateexporter import TemplateExporter

from ecoanalysis import comparison, figures, linkage
from ecoanalysis.report import section
from ecoanalysis.report.section import FOLDER, PAGE_TYPE, Section, list_records, use_templates
from ecoanalysis.study import Study, describe_faults
from ecoanalysis.typology import prepare_rules
from ecoanalysis.wording import LANGUAGES, use_language

KEY_NUMBERS = ("n_actors", "n_guide_kinds_listed", "n_rated_actors", "n_ties")


def render_page(notebook: str | Path, *, language: str) -> str:
    """Render an executed notebook, the path of a file, as one self-contained page of HTML.

    Its cells have shown sections, the header among them. Code, markdown and cells tagged ``lab``
    stay out; `language` is that of the frame.
    """
    executed = nbformat.read(notebook, as_version=4)
    shown = [o.data for c in executed.cells for o in c.get("outputs", []) if "data" in o]
    page: Mapping[str, str] = next((data[PAGE_TYPE] for data in shown if PAGE_TYPE in data), {})
    frame = _make_frame(language, title=page.get("title", ""), notice=page.get("notice", ""))
    html, _ = _use_exporter().from_notebook_node(executed, resources={"frame": frame})
    return str(html)


def render_index(study: Study, *, folder: str | Path, status: pd.DataFrame, language: str) -> str:
    """Render the index of the pages of a study that stand in one language, as HTML.

    `folder` has its pages in this language, those of earlier runs too; `status` has the pages of
    the last run: page, status ("done" or "failed"), seconds, cause.
    """
    places = study.tables["territories"]
    names = section.name_places(places, language)
    last = {row["page"]: row for row in list_records(status)}
    entries = [_describe_page(Path(folder), str(page), name, last) for page, name in names.items()]
    regions = {"": use_language(language).gettext("The territories side by side")}
    regions |= {region: region for region in places["region"].dropna()}
    pages = {comparison.name_page(region=region): regions[region] for region in reversed(regions)}
    compared = [_describe_page(Path(folder), *page, last) for page in reversed(pages.items())]
    title = section.choose_text(study.descriptor.title, language) or study.study_id
    notice = study.descriptor.notice.get(language, "")
    twin = section.find_twin(language, "")
    return (
        use_templates(language)
        .get_template("index.html.j2")
        .render(
            frame=_make_frame(language, title=title, notice=notice),
            title=title,
            notice=notice,
            descriptor=study.descriptor,
            up="",
            twin=f"../{twin['other']}/index.html",
            other=twin["other"],
            entries=entries,
            folds=_fold_entries(entries, places["region"].fillna("")),
            filled={column for entry in entries for column, n in entry["s"].items() if n},
            comparisons=[page for page in compared if page["stands"] or page["status"]],
            warnings=describe_faults(study.warnings, language=use_language(language)),
        )
    )


def prepare_pages() -> None:
    """Do once what each page does first, so that processes forked later have it done.

    Rules and codes are read, templates compiled, the numbers of a language and letters known.
    """
    prepare_rules()
    for code in LANGUAGES:
        templates = use_templates(code)
        for name in templates.list_templates():
            templates.get_template(name)
        use_language(code).format_number(0)
    figures.draw(lambda ax: ax.text(0, 0, string.ascii_letters + string.digits))
    frame = _make_frame(LANGUAGES[0], title="", notice="")
    _use_exporter().from_notebook_node(nbformat.v4.new_notebook(), resources={"frame": frame})


def show_style() -> Section:
    """Give the sections of a notebook their look in JupyterLab; a page has it in its head."""
    return Section("style", f"<style>\n{_read_style()}</style>")


def _fold_entries(
    entries: Iterable[dict[str, Any]], regions: Iterable[str]
) -> dict[str, list[dict[str, Any]]]:
    """Group pages by region, those without one by the first letter of their name."""
    fold, folds = linkage.fold_name, dict[str, list[dict[str, Any]]]()
    pairs = zip(regions, entries, strict=True)
    for region, entry in sorted(pairs, key=lambda pair: (fold(pair[0]), fold(pair[1]["name"]))):
        folds.setdefault(region or fold(entry["name"])[:1].upper(), []).append(entry)
    return folds


def _describe_page(folder: Path, page: str, name: str, last: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether a page stands, how its last making ended, and its key numbers."""
    outcome = last.get(page, {})
    numbers: Mapping[str, str] = {}
    with suppress(OSError, ValueError):
        numbers = json.loads((folder / page / "run.json").read_bytes()).get("summary", {})
    shown = {name: float(value or "nan") for name, value in numbers.items() if name in KEY_NUMBERS}
    log = f"_failed/{page}/traceback.txt"
    return {
        "page": page,
        "name": name,
        "stands": (folder / page / "report.html").is_file(),
        "status": outcome.get("status", ""),
        "seconds": outcome.get("seconds"),
        "cause": outcome.get("cause") or "",
        "s": shown,
        "log": log if (folder / log).is_file() else "",
    }


def _make_frame(language: str, *, title: str, notice: str) -> dict[str, str]:
    words = use_language(language)
    return {
        "language": language,
        "title": title,
        "notice": notice,
        "skip": words.gettext("Skip to the content"),
        "working": words.gettext("Working document – not for distribution"),
        "style": _read_style(),
    }


@cache
def _read_style() -> str:
    return (FOLDER / "style.css").read_text(encoding="utf-8")


@cache
def _use_exporter() -> TemplateExporter:
    return TemplateExporter(
        template_name="ecoanalysis",
        template_file="index.html.j2",
        extra_template_basedirs=[str(FOLDER / "nbconvert")],
        extra_template_paths=[str(FOLDER / "templates")],
    )
