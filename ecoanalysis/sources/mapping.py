"""What each field of a list is: read from a YAML file, or guessed from the names of the fields.

Keys of the file; only `source` and `columns` are needed.

source        name (of the list, as in provenance), title, licence, credit, path, accessed_on
id            field that tells the records of the list apart
columns       field of the list: column of the study (several fields may go to one column)
constants     column: value where the list says nothing
translations  column: {what the list says: what is meant}; "" for nothing
split         list column: [separators] of cells that hold several values
category      system:field, the list's own category
channels      field that says something when this public channel is open: name of the channel
placement     postcode: [fields], prefixes: {prefix: territory}, cities: {city: territory},
              within_km (of the five nearest points)
territories   the territories that the list is about, as in the table territories
date_order    dmy or mdy, where days and months cannot be told apart
sheet         sheet of a workbook
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from ecoanalysis.errors import UsageError
from ecoanalysis.linkage import LIST_COLUMNS, fold_id, fold_name
from ecoanalysis.schemas import list_columns
from ecoanalysis.study.suggest import suggest_words

DERIVED_COLUMNS = ("actor_id", "placed", "provenance", "source_category", "channels")
"""Columns of the actors table that no field goes to: the import fills them by other keys."""

_TEXTS = ("id", "category", "date_order", "sheet")
_LISTS = ("territories",)
_PAIRS = ("source", "columns", "constants", "translations", "split", "channels", "placement")
_SOURCE_KEYS = ("name", "title", "licence", "credit", "path", "accessed_on")
_PLACEMENT_KEYS = ("postcode", "prefixes", "cities", "within_km")
_OBVIOUS = {
    "name": "name nom organisation organization structure raisonsociale denomination acteur actor",
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
    """What each field of one list is; see the keys at the head of this module."""

    source: Mapping[str, str]
    columns: Mapping[str, str]
    id: str | None = None
    constants: Mapping[str, str] = field(default_factory=dict)
    translations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    split: Mapping[str, list[str]] = field(default_factory=dict)
    category: str | None = None
    channels: Mapping[str, str] = field(default_factory=dict)
    placement: Mapping[str, Any] = field(default_factory=dict)
    territories: list[Mapping[str, str]] = field(default_factory=list)
    date_order: str | None = None
    sheet: str | None = None
    guessed: bool = False

    @property
    def fields(self) -> list[str]:
        """Every field of the list that this mapping reads."""
        single = [self.id] if self.id else []
        single += [self.category.split(":", 1)[1]] if self.category else []
        several = [*self.columns, *self.channels, *self.placement.get("postcode", [])]
        return list(dict.fromkeys([*single, *several]))


def read_mapping(path: str | Path) -> ListMapping:
    """Read a mapping from its YAML file.

    Every value is text, as it is written: ``yes``, ``2015-06-01`` and ``01`` stay what they are.

    Parameters
    ----------
    path : str or pathlib.Path
        The file, UTF-8.

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
    _check_shape(content, dict, file.name)
    _check_content(content, file.name)
    split = {key: _list_texts(value) for key, value in content.get("split", {}).items()}
    placement = dict(content.get("placement", {}))
    if placement:
        placement["postcode"] = _list_texts(placement.get("postcode", []))
        placement["within_km"] = float(placement.get("within_km", "20"))
    return ListMapping(**{**content, "split": split, "placement": placement})


def _check_content(content: Mapping[str, Any], file: str) -> None:
    for part in content:
        check_name(part, (*_TEXTS, *_LISTS, *_PAIRS), file)
        shape = str if part in _TEXTS else list if part in _LISTS else dict
        _check_shape(content[part], shape, f"{file}, {part}")
    for part in ("source", "columns"):
        if part not in content:
            raise UsageError(f"{file}: the key {part!r} is missing.")
    columns = [column for column in list_columns("actors") if column not in DERIVED_COLUMNS]
    known = {
        "source": (content["source"], _SOURCE_KEYS),
        "columns": (content["columns"].values(), columns),
        "constants": (content.get("constants", {}), columns),
        "translations": (content.get("translations", {}), columns),
        "split": (content.get("split", {}), LIST_COLUMNS),
        "placement": (content.get("placement", {}), _PLACEMENT_KEYS),
    }
    for part, (names, allowed) in known.items():
        for name in names:
            check_name(name, allowed, f"{file}, {part}")
    for column, pairs in content.get("translations", {}).items():
        _check_shape(pairs, dict, f"{file}, translations, {column}")
    for part in ("prefixes", "cities"):
        _check_shape(content.get("placement", {}).get(part, {}), dict, f"{file}, placement, {part}")
    _check_values(content, file)


def _check_values(content: Mapping[str, Any], file: str) -> None:
    forms = {
        "source, name": (
            content["source"].get("name", ""),
            r"[a-z0-9][a-z0-9.-]{0,63}",
            "a-z 0-9 -",
        ),
        "category": (content.get("category", "a:b"), r"[^:;\s]+:.+", "system:field"),
        "date_order": (content.get("date_order", "dmy"), "dmy|mdy", "dmy or mdy"),
        "placement, within_km": (
            content.get("placement", {}).get("within_km", "20"),
            r"\d+(\.\d+)?",
            "a number",
        ),
    }
    for part, (value, pattern, wanted) in forms.items():
        if not re.fullmatch(pattern, str(value)):
            raise UsageError(f"{file}, {part}: found {value!r}, wanted {wanted}.")
    for n, territory in enumerate(content.get("territories", []), start=1):
        where = f"{file}, territories, {n}"
        for name in _check_shape(territory, dict, where):
            check_name(name, list_columns("territories"), where)
        for name in ("territory_id", "name", "country_code"):
            if not territory.get(name):
                raise UsageError(f"{where}: the key {name!r} is missing.")


def _list_texts(value: Any) -> list[str]:
    return list(value) if isinstance(value, list) else [value]


def _check_shape(value: Any, wanted: type, where: str) -> Any:
    if not isinstance(value, wanted):
        words = {"dict": "pairs of key and value", "list": "a list", "str": "one value"}
        raise UsageError(f"{where}: {words[wanted.__name__]} wanted, found {value!r:.60}.")
    return value


def check_name(name: str, known: Iterable[str], where: str) -> None:
    """Refuse a name that is not known, and say which one was probably meant."""
    allowed = list(known)
    if name not in allowed:
        (near,) = suggest_words([name], known=allowed)
        hint = f"did you mean {near!r}? " if near else ""
        raise UsageError(f"{where}: {name!r} is not known; {hint}Allowed: {', '.join(allowed)}.")


def guess_mapping(fields: Iterable[str], *, source_title: str) -> ListMapping:
    """Guess what each field is from its name; only obvious names are recognised.

    Parameters
    ----------
    fields : iterable of str
        Fields of the list.
    source_title : str
        Title of the list; its name in provenance is made from it.

    Returns
    -------
    ListMapping
        The guess, to be shown to the person.

    Raises
    ------
    UsageError
        If no field is obviously the name of an organisation.
    """
    folded = {fold_name(name): name for name in reversed(list(fields))}
    columns: dict[str, str] = {}
    for column, words in _OBVIOUS.items():
        found = _find_field(folded, words)
        if found:
            columns.setdefault(found, column)
    if "name" not in columns.values():
        raise UsageError(
            "No field is obviously the organisation's name; say which one in a mapping. Fields: "
            + ", ".join(reversed(folded.values()))
        )
    name, category = fold_id(source_title) or "list", _find_field(folded, _OBVIOUS_CATEGORY)
    return ListMapping(
        source={"name": name, "title": source_title},
        columns=columns,
        id=_find_field(folded, _OBVIOUS_ID),
        category=f"{name}:{category}" if category else None,
        guessed=True,
    )


def _find_field(folded: Mapping[str, str], words: str) -> str | None:
    """Find the first field by the order of the words, so that `name` wins over `organisation`."""
    return next((folded[word] for word in words.split() if word in folded), None)
