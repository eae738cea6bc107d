"""What each field of a list is: read from a YAML file, or guessed from the names of the fields."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import fastjsonschema
import pandas as pd
import yaml

from ecoanalysis.errors import UsageError
from ecoanalysis.linkage import fold_id, fold_name
from ecoanalysis.schemas import list_columns
from ecoanalysis.study.suggest import check_name

_DERIVED = ("actor_id", "placed", "provenance", "source_category", "channels")
MAPPED_COLUMNS = tuple(column for column in list_columns("actors") if column not in _DERIVED)
"""Columns of the actors table that fields go to; the import fills the others by other keys."""

_WANTED = {"object": "pairs of key and value", "array": "a list", "string": "a text"}


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
    What is not YAML, a key or a column that is not known is a UsageError, which names what was
    probably meant.
    """
    file = Path(path)
    try:
        content = yaml.load(file.read_text("utf-8-sig"), Loader=yaml.BaseLoader)
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageError(f"{file.name}: not YAML: {' '.join(str(error).split())}") from error
    schema = read_schema("mapping")
    known = {"column": MAPPED_COLUMNS, "own_column": (*MAPPED_COLUMNS, "source_category")}
    known["territory_column"] = tuple(list_columns("territories"))
    parts = schema["definitions"] | {name: {"enum": [*names]} for name, names in known.items()}
    content = _list_texts(content, schema, parts)
    return ListMapping(**check_document(content, {**schema, "definitions": parts}, file.name))


def read_schema(name: str) -> dict[str, Any]:
    """Read a JSON Schema that lies beside this file."""
    text = Path(__file__).with_name(f"{name}.json").read_text("utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def check_document(content: Any, schema: dict[str, Any], where: str) -> Any:
    """Return a document that fits its JSON Schema, else a UsageError says where it does not."""
    try:
        return fastjsonschema.compile(schema)(content)
    except fastjsonschema.JsonSchemaValueException as error:
        form, found, part = error.definition, error.value, content
        for key in error.path[1:]:
            where += f", {int(key) + 1 if isinstance(part, list) else key}"
            part = part[int(key) if isinstance(part, list) else key]
        if error.rule in ("enum", "propertyNames", "additionalProperties"):
            names = form.get("propertyNames", form).get("enum") or form["properties"]
            for name in [found] if error.rule == "enum" else found:
                check_name(name, names, where)
        wanted = form.get("description") or _WANTED.get(form.get("type"))
        if error.rule == "required":
            wanted = f"the keys {', '.join(form['required'])} are"
        raise UsageError(f"{where}: {wanted} wanted, found {found!r:.60}.") from error


def _list_texts(value: Any, schema: Mapping[str, Any], parts: Mapping[str, Any]) -> Any:
    """Make one text a list of it wherever the schema wants a list."""
    schema = parts.get(schema.get("$ref", "").rpartition("/")[2], schema)
    if schema.get("type") == "array":
        value = [value] if isinstance(value, str) else value
        if isinstance(value, list):
            return [_list_texts(part, schema["items"], parts) for part in value]
    if isinstance(value, dict):
        own, others = schema.get("properties", {}), schema.get("additionalProperties") or {}
        return {key: _list_texts(part, own.get(key, others), parts) for key, part in value.items()}
    return value


def guess_mapping(fields: Iterable[str], *, source_title: str) -> ListMapping:
    """Guess what each field is from its name, to be shown to the person; the source is titled.

    Only obvious names are recognised; without one for the organisations' name it is a UsageError.
    """
    folded = {fold_name(name): name for name in reversed(list(fields))}
    obvious = pd.read_csv(Path(__file__).with_name("obvious.csv"), index_col="column")["names"]
    words = obvious.str.split().explode()
    known = words[words.isin([*folded])].groupby(level=0, sort=False).first().map(folded)
    found = {str(column): str(field) for column, field in known.items()}
    if "name" not in found:
        raise UsageError(
            "No field is obviously the organisation's name; say which one in a mapping. Fields: "
            + ", ".join(reversed(folded.values()))
        )
    name = fold_id(source_title) or "list"
    own, category = found.pop("id", None), found.pop("category", None)
    return ListMapping(
        source={"name": name, "title": source_title},
        columns={field: column for column, field in found.items()},
        id=own,
        category=[f"{name}:{category}"] if category else [],
        guessed=True,
    )
