"""The check of a table against its schema, by frictionless."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from importlib import import_module
from itertools import chain
from typing import Any

import pandas as pd

from ecoanalysis.schemas import read_schema
from ecoanalysis.study.columns import (
    DONT_KNOW,
    TextTable,
    is_no_number,
    is_numeric,
    report_cells,
)
from ecoanalysis.study.faults import make_faults
from ecoanalysis.study.suggest import suggest_folder, suggest_words

_MOST_FAULTS = 10_000
_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(/\S*)?")


def check_conformity(table: TextTable) -> Iterator[pd.DataFrame]:
    """Hold the cells of a table against the types and constraints of its schema.

    Parameters
    ----------
    table : TextTable
        As `ecoanalysis.study.columns.name_columns` returns it.

    Yields
    ------
    pandas.DataFrame
        Faults of one sort in one column: `blank_value`, `unknown_code`, `out_of_scale`,
        `not_a_number`, `not_a_whole_number`, `impossible_date`, `unfit_id`, `not_a_web_address`;
        and `too_many_faults` where the check stopped after 10,000.
    """
    fields = {field["name"]: field for field in read_schema(table.name)["fields"]}
    declared = [name for name in fields if name in table.cells]
    if not declared or table.cells.empty:
        return
    found: dict[tuple[str, str], list[int]] = {}
    n_faults = 0
    columns = [table.cells[name].tolist() for name in declared]
    for row in _read_rows(declared, columns, fields):
        if row.errors:
            number = int(table.cells.index[row.row_number - 2])
            for fault in chain.from_iterable(_name_errors(e, fields) for e in row.errors):
                found.setdefault(fault, []).append(number)
            n_faults += len(row.errors)
            if n_faults >= _MOST_FAULTS:
                place: dict[str, Any] = {"table": table.name, "file": table.file}
                yield make_faults("too_many_faults", found=str(n_faults), **place)
                break
    for (name, code), numbers in found.items():
        cells = table.found.loc[numbers, name]
        allowed, meant = _allow(fields[name], code), _suggest(fields[name], code, cells)
        yield from report_cells(table, code, name, cells, allowed=allowed, suggestion=meant)


def _read_rows(
    names: list[str], columns: list[list[str]], fields: Mapping[str, Mapping[str, Any]]
) -> Iterator[Any]:
    frictionless = _load_frictionless()
    types = {
        "string": frictionless.fields.StringField,
        "number": frictionless.fields.NumberField,
        "integer": frictionless.fields.IntegerField,
        "date": frictionless.fields.DateField,
    }
    schema = frictionless.Schema(
        fields=[
            types[field["type"]](name=name, constraints=field.get("constraints", {}))
            for name, field in fields.items()
        ],
        fields_match="partial",
    )
    resource = frictionless.resources.TableResource(
        data=chain([names], map(list, zip(*columns, strict=True))),
        schema=schema,
    )
    with resource:
        yield from resource.row_stream


def _load_frictionless() -> Any:
    """Import frictionless without the grammar of international addresses.

    jsonschema, which it needs, builds that grammar at import, in two seconds, for a format that no
    schema of ours asks for; where the grammar is not installed it goes without.
    """
    unused = "rfc3987_syntax"
    hidden = unused not in sys.modules
    if hidden:
        sys.modules[unused] = None  # type: ignore[assignment]
    try:
        import frictionless
        import frictionless.fields
        import frictionless.resources

        import_module("jsonschema")
    finally:
        if hidden:
            del sys.modules[unused]
    return frictionless


def _name_errors(error: Any, fields: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Name the column and our code of an error of frictionless."""
    if error.type == "blank-row":
        required = (n for n, f in fields.items() if f.get("constraints", {}).get("required"))
        yield from ((name, "blank_value") for name in required)
        return
    name, field = error.field_name, fields[error.field_name]
    if error.type == "type-error":
        whole = field["type"] == "integer" and not is_no_number(str(error.cell))
        number = "not_a_whole_number" if whole else "not_a_number"
        yield name, "impossible_date" if field["type"] == "date" else number
        return
    constraint = str(error.note).split('"')[1]
    if constraint == "pattern":
        other = "unknown_code" if is_numeric(field) else "unfit_id"
        yield name, "not_a_web_address" if name == "website" else other
        return
    yield name, {"required": "blank_value", "enum": "unknown_code"}.get(constraint, "out_of_scale")


def _allow(field: Mapping[str, Any], code: str) -> str:
    constraints = field.get("constraints", {})
    if code == "impossible_date":
        return "YYYY-MM-DD"
    if code == "out_of_scale":
        low, high = constraints.get("minimum", ""), constraints.get("maximum", "")
        return f"{low} … {high}".strip()
    if code in {"unknown_code", "unfit_id", "not_a_web_address"}:
        codes = "; ".join(map(str, constraints.get("enum", ())))
        return str(field.get("allowed", codes))
    return ""


def _suggest(field: Mapping[str, Any], code: str, cells: pd.Series[str]) -> list[str]:
    if code == "unfit_id":
        return [suggest_folder(text) for text in cells]
    if code == "not_a_web_address":
        return [f"https://{text}" if _HOST.fullmatch(text) else "" for text in cells]
    if code == "unknown_code" and field["name"] == "country_code":
        return suggest_words(cells, known=_list_countries(), likeness=80)
    if code == "unknown_code" and is_numeric(field):
        return suggest_words(cells, known=[DONT_KNOW])
    if code == "unknown_code":
        return suggest_words(cells, known=[str(word) for word in field["constraints"]["enum"]])
    return [""] * len(cells)


def _list_countries() -> dict[str, str]:
    """List country codes by code and by their names in French, English and Portuguese."""
    import babel

    codes = next(f for f in read_schema("territories")["fields"] if f["name"] == "country_code")
    allowed = codes["constraints"]["enum"]
    names = {"UK": "GB"} | {code: code for code in allowed}
    for language in ("en", "fr", "pt"):
        territories = babel.Locale(language).territories
        names |= {territories[code]: code for code in allowed if code in territories}
    return names
