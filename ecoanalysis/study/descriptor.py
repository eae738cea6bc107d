"""What a study says of itself: the Frictionless descriptor `datapackage.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

import pandas as pd
import yaml

from ecoanalysis.study.faults import make_faults
from ecoanalysis.study.files import DESCRIPTOR
from ecoanalysis.study.suggest import suggest_words
from ecoanalysis.wording import LANGUAGES

FICTIONAL_NOTICE = {
    "fr": "Étude fictive, faite pour apprendre : rien ni personne n'y est réel.",
    "en": "Fictional study, made for learning: no organisation, person or figure in it is real.",
}
_WEB = re.compile(r"https?://[^\s<>\"]+")
_SETTINGS = (
    "title",
    "boundary_rule",
    "tie_question",
    "date_window",
    "census",
    "comparable",
    "comparable_reason",
    "fictional",
    "date_order",
    "retention_date",
    "notice",
)
_YES_NO = ("census", "comparable", "fictional")


@dataclass(frozen=True)
class Descriptor:
    """What a study says of itself.

    Attributes
    ----------
    title, boundary_rule, tie_question, comparable_reason : dict of str to str
        Text by language code.
    languages : tuple of str
        Language codes of the study.
    licences, sources, contributors : list of dict
        `name`, `title`, `path` of each; a source has also `licence`, `accessed_on`, `credit`.
    date_window : str
        Days or years that the study speaks of, ISO 8601 (`2015-01-01/2015-12-31`).
    census : bool
        Is every actor within the boundary rule listed?
    comparable : bool or None
        May the territories be compared? None: the study does not say.
    fictional : bool
        Is everything invented?
    date_order : {"ymd", "dmy"}
        Order of the dates in the tables.
    retention_date : str
        Day until which the ratings may be kept.
    notice : dict of str to str
        What every page, table and export must say, by language code; empty if nothing.
    """

    title: dict[str, str]
    languages: tuple[str, ...] = LANGUAGES
    licences: list[dict[str, str]] = field(default_factory=list)
    sources: list[dict[str, str]] = field(default_factory=list)
    contributors: list[dict[str, str]] = field(default_factory=list)
    boundary_rule: dict[str, str] = field(default_factory=dict)
    tie_question: dict[str, str] = field(default_factory=dict)
    date_window: str = ""
    census: bool = False
    comparable: bool | None = None
    comparable_reason: dict[str, str] = field(default_factory=dict)
    fictional: bool = False
    date_order: Literal["ymd", "dmy"] = "ymd"
    retention_date: str = ""
    notice: dict[str, str] = field(default_factory=dict)


def read_descriptor(
    content: bytes | None, *, study_id: str
) -> tuple[Descriptor, list[pd.DataFrame]]:
    """Read `datapackage.yaml`.

    Parameters
    ----------
    content : bytes or None
        The file; None if there is none, which is allowed.
    study_id : str
        Name of the folder: the title of a study that gives none.

    Returns
    -------
    tuple of (Descriptor, list of pandas.DataFrame)
        The descriptor with defaults for what is not said or wrong; and faults
        `unreadable_descriptor`, `unknown_setting`, `unknown_code`, `not_a_web_address`.
    """
    default = Descriptor(title=_by_language(study_id))
    try:
        document = yaml.safe_load((content or b"").decode("utf-8-sig")) or {}
        own = document.get("ecosystem") or {}
        titles = document.get("title") or study_id
        settings = {"title": titles, **own}
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        rows = None if mark is None else [mark.line + 1]
        found = str(getattr(error, "problem", None) or type(error).__name__)
        return default, [
            make_faults("unreadable_descriptor", file=DESCRIPTOR, rows=rows, found=found)
        ]
    faults = [*_check_settings(own), *_check_links(document)]
    said = {name: _read_setting(name, settings[name]) for name in _SETTINGS if name in settings}
    said |= {name: value for name, value in _read_lists(document).items() if value}
    said = {name: value for name, value in said.items() if value is not None}
    if said.get("fictional") and not said.get("notice"):
        said["notice"] = FICTIONAL_NOTICE
    return Descriptor(**said), faults


def write_descriptor(descriptor: Descriptor, *, name: str, tables: Iterable[str]) -> str:
    """Write a descriptor as YAML, with the CSV files of `tables` as its resources."""
    default = Descriptor(title={})
    said = {
        setting: getattr(descriptor, setting)
        for setting in _SETTINGS
        if getattr(descriptor, setting) != getattr(default, setting)
    }
    if descriptor.fictional and descriptor.notice == FICTIONAL_NOTICE:
        del said["notice"]
    slug = re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-")
    document = {
        "name": slug or "study",
        "title": next(iter(descriptor.title.values()), name),
        "languages": list(descriptor.languages),
        "licenses": descriptor.licences,
        "sources": descriptor.sources,
        "contributors": descriptor.contributors,
        "ecosystem": said,
        "resources": [{"name": table, "path": f"{table}.csv"} for table in tables],
    }
    filled = {key: value for key, value in document.items() if value}
    return yaml.safe_dump(filled, allow_unicode=True, sort_keys=False, width=100)


def _by_language(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        return {str(code): str(text) for code, text in value.items()}
    return dict.fromkeys(LANGUAGES, str(value)) if value not in (None, "") else {}


def _read_setting(name: str, value: Any) -> Any:
    if name in _YES_NO:
        return value if isinstance(value, bool) else None
    if name == "date_order":
        return value if value in ("ymd", "dmy") else None
    if name in ("date_window", "retention_date"):
        return _write_text(value)
    return _by_language(value)


def _read_lists(document: dict[str, Any]) -> dict[str, Any]:
    licences = document.get("licenses") or document.get("licences")
    languages = document.get("languages") or ()
    return {
        "licences": _list_records(licences),
        "sources": _list_records(document.get("sources")),
        "contributors": _list_records(document.get("contributors")),
        "languages": tuple(str(code) for code in languages),
    }


def _list_records(value: Any) -> list[dict[str, str]]:
    records = value if isinstance(value, list) else []
    return [
        {str(key): _write_text(text) for key, text in record.items()}
        for record in records
        if isinstance(record, dict)
    ]


def _write_text(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)


def _check_settings(own: dict[str, Any]) -> list[pd.DataFrame]:
    faults = []
    for name, value in own.items():
        allowed = {**dict.fromkeys(_YES_NO, "yes; no"), "date_order": "ymd; dmy"}.get(name, "")
        place: dict[str, Any] = {
            "file": DESCRIPTOR,
            "field": f"ecosystem.{name}",
            "found": str(value),
        }
        if name not in _SETTINGS:
            meant = suggest_words([str(name)], known=_SETTINGS)
            known = "; ".join(_SETTINGS)
            faults.append(make_faults("unknown_setting", allowed=known, suggestion=meant, **place))
        elif allowed and _read_setting(name, value) is None:
            meant = suggest_words([str(value)], known=allowed.split("; "))
            faults.append(make_faults("unknown_code", allowed=allowed, suggestion=meant, **place))
    return faults


def _check_links(document: dict[str, Any]) -> list[pd.DataFrame]:
    lists = _read_lists(document)
    return [
        make_faults(
            "not_a_web_address",
            file=DESCRIPTOR,
            field=f"{name}.path",
            found=record["path"],
            allowed="https://… http://…",
        )
        for name in ("licences", "sources", "contributors")
        for record in lists[name]
        if record.get("path") and not _WEB.fullmatch(record["path"])
    ]
