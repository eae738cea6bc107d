"""What each field of a list is: read from a YAML file, or guessed from the names of the fields.

Its keys are explained in docs/mapping.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ecoanalysis.errors import UsageError
from ecoanalysis.linkage import fold_id, fold_name
from ecoanalysis.schemas import list_columns
from ecoanalysis.study.suggest import suggest_words

_DERIVED = ("actor_id", "placed", "provenance", "source_category", "channels")
MAPPED_COLUMNS = tuple(column for column in list_columns("actors") if column not in _DERIVED)
"""Columns of the actors table that fields go to; the import fills the others by other keys."""

_FORM: dict[str, Any] = {
    "source!": dict.fromkeys(("title", "licence", "credit", "path", "accessed_on"), "a text")
    | {"name!": "a-z 0-9 -"},
    "id": "a text",
    "columns!": {"*": "a column"},
    "constants": {"column": "a text"},
    "translations": {"column": {"*": "a text"}},
    "split": {"column": ["a text"]},
    "category": ["system:field"],
    "channels": {"*": "a text"},
    "placement": {
        "postcode": ["a text"],
        "prefixes": {"*": "a text"},
        "cities": {"*": "a text"},
        "within_km": "a number",
        "named_in": ["a text"],
    },
    "set_aside": {"*": {"*": "a text"}},
    "withhold": {"*": ["a text"]},
    "relations": [
        {
            "kind!": "a text",
            "weight": "a text",
            "field": "a text",
            "split": ["a text"],
            "translations": {"*": "a text"},
            "end": "target or source",
            "target": {"column": "a text"},
        }
    ],
    "territories": [{"territory_id!": "a text", "name!": "a text", "country_code!": "a text"}],
    "date_order": "dmy or mdy",
    "sheet": "a text",
}
"""What a mapping may hold: keys (! needed, * any, column: of the table actors), lists, and texts of
`_TEXTS`; where a list of texts is wanted, one text will do."""

_TEXTS = {
    "a text": ".*",
    "a column": ".+",
    "a number": r"\d+(\.\d+)?",
    "a-z 0-9 -": r"[a-z0-9][a-z0-9.-]{0,63}",
    "system:field": r"[^:;\s]+:.+",
    "dmy or mdy": "dmy|mdy",
    "target or source": "target|source",
}
_OBVIOUS = {
    "name": "name nom organisation organization structure raisonsociale denomination acteur actor "
    "label",
    "city": "city ville commune town municipality localite cidade",
    "website": "website site siteweb siteinternet url web homepage",
    "latitude": "latitude lat geometrylatitude",
    "longitude": "longitude lon lng long geometrylongitude",
    "founded": "founded foundedin creationyear yearfounded anneecreation anneedecreation",
    "tags": "tags tag motscles keywords themes",
    "territory_id": "territoryid territory territoire",
    "observed_on": "observedon updated datemaj lastverified",
    **{name: name for name in ("kind", "subkind", "roles", "reach", "publish", "sensitive")},
}
_OBVIOUS_ID = "id identifiant identifier recordid"
_OBVIOUS_CATEGORY = "category categorie type typologie"


@dataclass(frozen=True)
class ListMapping:
    """What each field of one list is; see docs/mapping.md."""

    source: Mapping[str, str]
    columns: Mapping[str, str]
    id: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    split: Mapping[str, list[str]] = field(default_factory=dict)
    category: list[str] = field(default_factory=list)
    channels: Mapping[str, str] = field(default_factory=dict)
    placement: Mapping[str, Any] = field(default_factory=dict)
    set_aside: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    withhold: Mapping[str, list[str]] = field(default_factory=dict)
    relations: list[Mapping[str, Any]] = field(default_factory=list)
    territories: list[Mapping[str, str]] = field(default_factory=list)
    date_order: str | None = None
    sheet: str | None = None
    guessed: bool = False

    @property
    def fields(self) -> list[str]:
        """Every field of the list that this mapping reads."""
        several = [
            *([self.id] if self.id else []),
            *(entry.split(":", 1)[1] for entry in self.category),
            *self.columns, *self.channels, *self.set_aside, *self.withhold,
            *self.placement.get("postcode", []), *self.placement.get("named_in", []),
            *(entry["field"] for entry in self.relations if "field" in entry),
        ]  # fmt: skip
        return list(dict.fromkeys(several))


def read_mapping(path: str | Path) -> ListMapping:
    """Read a mapping from its YAML file, UTF-8.

    Every value is text, as it is written: ``yes``, ``2015-06-01`` and ``01`` stay what they are.

    Returns
    -------
    ListMapping
        The mapping, checked.

    Raises
    ------
    UsageError
        If it is not YAML, or holds a key or a column that is not known; what was probably meant
        is named.
    """
    file = Path(path)
    try:
        content = yaml.load(file.read_text("utf-8-sig"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file.name}: not YAML: {' '.join(str(error).split())}") from error
    content = _check(content, _FORM, file.name)
    if placement := content.get("placement"):
        placement.setdefault("postcode", [])
        placement["within_km"] = float(placement.get("within_km", "20"))
    return ListMapping(**content)


def _check(value: Any, form: Any, where: str) -> Any:
    """Check a part of a mapping against its form, and return it with lists where they belong."""
    if isinstance(form, list):
        if isinstance(form[0], str) and isinstance(value, str):
            value = [value]
        _refuse(not isinstance(value, list), "a list", value, where)
        return [_check(part, form[0], f"{where}, {n}") for n, part in enumerate(value, start=1)]
    if isinstance(form, str):
        fit = isinstance(value, str) and re.fullmatch(_TEXTS[form], value, re.S)
        _refuse(not fit, form, value, where)
        if form == "a column":
            check_name(value, MAPPED_COLUMNS, where)
        return value
    _refuse(not isinstance(value, dict), "pairs of key and value", value, where)
    known = _list_known(form)
    for key in (key.rstrip("!") for key in form if key.endswith("!")):
        _refuse(not value.get(key), f"the key {key!r}", list(value), where)
    for key in value:
        if "*" not in form:
            check_name(key, known, where)
    return {
        key: _check(part, known.get(key, form.get("*")), f"{where}, {key}")
        for key, part in value.items()
    }


def _list_known(form: Mapping[str, Any]) -> dict[str, Any]:
    known = {key.rstrip("!"): part for key, part in form.items()}
    if "column" in known:
        return dict.fromkeys((*MAPPED_COLUMNS, "source_category"), known["column"])
    if "country_code" in known:
        return dict.fromkeys(list_columns("territories"), "a text")
    return known


def _refuse(wrong: bool, wanted: str, found: Any, where: str) -> None:
    if wrong:
        raise UsageError(f"{where}: {wanted} wanted, found {found!r:.60}.")


def check_name(name: str, known: Iterable[str], where: str) -> None:
    """Refuse a name that is not known, and say which one was probably meant."""
    allowed = list(known)
    if name not in allowed:
        (near,) = suggest_words([name], known=allowed)
        hint = f"did you mean {near!r}? " if near else ""
        raise UsageError(f"{where}: {name!r} is not known; {hint}Allowed: {', '.join(allowed)}.")


def guess_mapping(fields: Iterable[str], *, source_title: str) -> ListMapping:
    """Guess what each field is from its name; only obvious names are recognised.

    Returns
    -------
    ListMapping
        The guess, to be shown to the person; its source is named by `source_title`.

    Raises
    ------
    UsageError
        If no field is obviously the name of an organisation.
    """
    folded = {fold_name(name): name for name in reversed(list(fields))}

    def find(words: str) -> str | None:  # by the order of the words: name wins over organisation
        return next((folded[word] for word in words.split() if word in folded), None)

    found = {find(words): column for column, words in reversed(_OBVIOUS.items())}
    columns = {name: column for name, column in reversed(found.items()) if name}
    if "name" not in columns.values():
        there = ", ".join(reversed(folded.values()))
        raise UsageError(
            "No field is obviously the organisation's name; say which one in a mapping. Fields: "
            + there
        )
    name, category = fold_id(source_title) or "list", find(_OBVIOUS_CATEGORY)
    return ListMapping(
        source={"name": name, "title": source_title},
        columns=columns,
        id=find(_OBVIOUS_ID),
        category=[f"{name}:{category}"] if category else [],
        guessed=True,
    )
