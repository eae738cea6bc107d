"""What a study says of itself: the Frictionless descriptor `datapackage.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, Literal

import pandas as pd
import yaml

from ecoanalysis.study.faults import make_faults
from ecoanalysis.study.files import DESCRIPTOR
from ecoanalysis.study.suggest import suggest_words
from ecoanalysis.wording import LANGUAGES

FICTIONAL_NOTICE = {
    "fr": "Étude fictive, faite pour apprendre\N{NO-BREAK SPACE}: rien ni personne n’y est réel.",
    "en": "Fictional study, made for learning: no organisation, person or figure in it is real.",
}
Texts = dict[str, str]


@dataclass(frozen=True)
class Descriptor:
    """What a study says of itself; dicts hold a text by language code.

    `licences`, `sources` and `contributors` have `name`, `title`, `path`; a source also `licence`,
    `accessed_on`, `credit`. `date_window` is ISO 8601 (`2015-01-01/2015-12-31`); `census` says that
    every actor within the boundary rule is listed; `comparable` is None where the study does not
    say, and `comparable_regions` within which territories compare where all do not;
    `retention_date` is the day until which ratings may be kept; `notice` is what every page,
    table and export must say, if anything.
    """

    title: Texts
    languages: tuple[str, ...] = LANGUAGES
    licences: list[Texts] = field(default_factory=list)
    sources: list[Texts] = field(default_factory=list)
    contributors: list[Texts] = field(default_factory=list)
    boundary_rule: Texts = field(default_factory=dict)
    tie_question: Texts = field(default_factory=dict)
    date_window: str = ""
    census: bool = False
    comparable: bool | None = None
    comparable_reason: Texts = field(default_factory=dict)
    comparable_regions: tuple[str, ...] = ()
    fictional: bool = False
    date_order: Literal["ymd", "dmy"] = "ymd"
    retention_date: str = ""
    notice: Texts = field(default_factory=dict)


_WEB = re.compile(r"https?://[^\s<>\"]+")
_LISTS = {"licences": "licenses", "sources": "sources", "contributors": "contributors"}
_SETTINGS = [f.name for f in fields(Descriptor) if f.name not in (*_LISTS, "languages")]
_YES: dict[str, Any] = {"yes": True, "no": False}
_CHOICES = {"census": _YES, "comparable": _YES, "fictional": _YES}
_CHOICES |= {"date_order": {"ymd": "ymd", "dmy": "dmy"}}


def read_descriptor(
    content: bytes | None, *, study_id: str
) -> tuple[Descriptor, list[pd.DataFrame]]:
    """Read `datapackage.yaml`, if there is one, with defaults for what is not said or wrong.

    The faults are `unreadable_descriptor`, `unknown_setting`, `unknown_code`, `not_a_web_address`.
    """
    try:
        document = yaml.safe_load((content or b"").decode("utf-8-sig")) or {}
        settings = {"title": document.get("title") or study_id, **(document.get("ecosystem") or {})}
    except (yaml.YAMLError, UnicodeDecodeError, AttributeError, TypeError) as error:
        mark = getattr(error, "problem_mark", None)
        found = str(getattr(error, "problem", None) or type(error).__name__)
        rows = [mark and mark.line + 1]
        fault = make_faults("unreadable_descriptor", file=DESCRIPTOR, rows=rows, found=found)
        return Descriptor(title=_read_texts(study_id)), [fault]
    faults: list[pd.DataFrame] = []
    said: dict[str, Any] = {"languages": tuple(map(str, document.get("languages") or LANGUAGES))}
    for name, value in settings.items():
        choices = _CHOICES.get(name, {})
        if name not in _SETTINGS or (choices and repr(value) not in map(repr, choices.values())):
            known, code = [*choices] or _SETTINGS, "unknown_code" if choices else "unknown_setting"
            meant = suggest_words([str(value if choices else name)], known=known)
            texts: dict[str, Any] = {"field": f"ecosystem.{name}", "found": str(value)}
            texts |= {"allowed": "; ".join(known), "suggestion": meant}
            faults.append(make_faults(code, file=DESCRIPTOR, **texts))
        elif name == "comparable_regions":
            said[name] = tuple(
                map(str, value if isinstance(value, list) else filter(None, [value]))
            )
        elif name in ("date_window", "retention_date"):
            said[name] = _write_text(value)
        else:
            said[name] = value if choices else _read_texts(value)
    for name, key in _LISTS.items():
        said[name] = _list_records(document.get(key) or document.get(name))
        for path in filter(None, (record.get("path") for record in said[name])):
            if not _WEB.fullmatch(path):
                texts = {"field": f"{name}.path", "found": path, "allowed": "https://… http://…"}
                faults.append(make_faults("not_a_web_address", file=DESCRIPTOR, **texts))
    if said.get("fictional") and not said.get("notice"):
        said["notice"] = FICTIONAL_NOTICE
    return Descriptor(**said), faults


def write_descriptor(
    descriptor: Descriptor, *, name: str, tables: Iterable[str], ending: str = "csv"
) -> str:
    """Write a descriptor as YAML, with the files of tables as its resources."""
    default, own = asdict(Descriptor(title={})), asdict(descriptor)
    if descriptor.fictional and descriptor.notice == FICTIONAL_NOTICE:
        own["notice"] = {}
    document = {
        "name": re.sub(r"[^a-z0-9._-]+", "-", name.lower()).strip("-") or "study",
        "title": next(iter(descriptor.title.values()), name),
        "languages": list(descriptor.languages),
        **{key: own[part] for part, key in _LISTS.items()},
        "ecosystem": {name: own[name] for name in _SETTINGS if own[name] != default[name]},
        "resources": [{"name": table, "path": f"{table}.{ending}"} for table in tables],
    }
    filled = {key: value for key, value in document.items() if value}
    return yaml.safe_dump(filled, allow_unicode=True, sort_keys=False, width=100)


def _read_texts(value: Any) -> Texts:
    if isinstance(value, dict):
        return {str(code): str(text) for code, text in value.items()}
    return dict.fromkeys(LANGUAGES, str(value)) if value not in (None, "") else {}


def _list_records(value: Any) -> list[Texts]:
    records = [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
    return [{str(key): _write_text(v) for key, v in record.items()} for record in records]


def _write_text(value: Any) -> str:
    return "" if value is None else value.isoformat() if isinstance(value, date) else str(value)
