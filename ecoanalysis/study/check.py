"""The check of one table: against its schema, and by column what frictionless lets through."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pandas as pd

from ecoanalysis.codebook import Codebook, read_codebook
from ecoanalysis.schemas import read_schema
from ecoanalysis.study.columns import (
    TextTable,
    is_no_number,
    parse_dates,
    report_cells,
)
from ecoanalysis.study.conformity import check_conformity
from ecoanalysis.study.faults import make_faults
from ecoanalysis.study.suggest import suggest_words

_RESERVED = ("comparison", "index", "regions")
_DEVICE = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])(\..*)?")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]")
_SPREADSHEET_ERRORS = {
    *("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!"),
    *("#VALEUR!", "#NOM?", "#NOMBRE!", "#REF !", "#VALOR!", "#NOME?", "#NÚM!", "#N/D"),
}


def check_table(table: TextTable, *, codebook: Codebook) -> Iterator[pd.DataFrame]:
    """Check one table by itself.

    Parameters
    ----------
    table : TextTable
        As `ecoanalysis.study.columns.name_columns` returns it.
    codebook : Codebook
        Codes that are allowed, the study's own included.

    Yields
    ------
    pandas.DataFrame
        Faults of one sort in one column: `missing_column`, `blank_value`, `unknown_code`,
        `subkind_of_another_kind`, `out_of_scale`, `not_a_number`, `not_a_whole_number`,
        `control_character`, `spreadsheet_error`, `half_coordinates`, `impossible_date`, `unfit_id`,
        `not_a_web_address`, `self_relation`, `doubled_key`, `too_many_faults`, and the warnings
        `zero_coordinates` and `doubled_relation`.
    """
    schema = read_schema(table.name)
    if table.found.columns.empty:
        return
    askew = list(table.askew)
    table = replace(table, found=table.found.drop(askew), cells=table.cells.drop(askew))
    fields = {field["name"]: field for field in schema["fields"]}
    for name in table.missing:
        if fields[name].get("constraints", {}).get("required"):
            place = {"table": table.name, "file": table.file, "field": name}
            yield make_faults("missing_column", rows=[1], **place)
    for name in table.found.columns:
        numeric = fields.get(name, {}).get("type") in {"number", "integer"}
        yield from _check_texts(table, name, numeric=numeric)
    yield from check_conformity(table)
    for field in fields.values():
        if field["name"] in table.cells:
            yield from _check_field(table, field, codebook)
    yield from _check_rows(table, schema, codebook)


def _find_cells(column: pd.Series[str], is_bad: Callable[[str], object]) -> pd.Series[str]:
    """Keep the cells that a test on their distinct texts finds bad."""
    bad = [text for text in column.unique() if is_bad(text)]
    return column[column.isin(bad)] if bad else column.iloc[:0]


def _check_texts(table: TextTable, name: str, *, numeric: bool) -> Iterator[pd.DataFrame]:
    column = table.found[name]
    yield from report_cells(table, "control_character", name, _find_cells(column, _CONTROL.search))
    errors = _find_cells(column, _SPREADSHEET_ERRORS.__contains__)
    yield from report_cells(table, "spreadsheet_error", name, errors)
    if numeric:
        values = table.cells[name].drop(errors.index)
        bad = _find_cells(values, is_no_number)
        sought = [_write_plainly(text) for text in bad]
        yield from report_cells(table, "not_a_number", name, column[bad.index], suggestion=sought)


def _write_plainly(text: str) -> str:
    """Write 1 234,5 as 1234.5, where that is a number."""
    plain = re.sub(r"\s", "", text).replace(",", ".")
    return "" if is_no_number(plain) else plain


def _check_field(
    table: TextTable, field: Mapping[str, Any], codebook: Codebook
) -> Iterator[pd.DataFrame]:
    name = field["name"]
    column = table.cells[name]
    if "codebook" in field:
        yield from _check_codes(table, field, codebook)
    if field["type"] == "date":
        filled = column[column != ""]
        bad = filled[parse_dates(filled).isna()]
        cells = table.found.loc[bad.index, name]
        yield from report_cells(table, "impossible_date", name, cells, allowed="YYYY-MM-DD")
    if table.name == "territories" and name == "territory_id":
        bad = _find_cells(column, lambda text: text in _RESERVED or _DEVICE.fullmatch(text))
        meant = [f"{text}-1" for text in bad]
        allowed = field["allowed"]
        yield from report_cells(table, "unfit_id", name, bad, allowed=allowed, suggestion=meant)


def _check_codes(
    table: TextTable, field: Mapping[str, Any], codebook: Codebook
) -> Iterator[pd.DataFrame]:
    entries: pd.DataFrame = getattr(codebook, field["codebook"])
    if "dimension" in field:
        entries = entries[entries["dimension"] == field["dimension"]]
    codes = set(entries.index)
    words = table.cells[field["name"]]
    if field.get("many"):
        words = words.str.split(";").explode().str.strip()
    bad = _find_cells(words, lambda text: text and text not in codes)
    if len(bad):
        labels = {
            str(label): str(code)
            for name in ("label_fr", "label_en")
            for code, label in entries[name].items()
        }
        meant = suggest_words(bad, known=labels | {code: code for code in codes})
        allowed = "; ".join(entries.index)
        yield from report_cells(
            table, "unknown_code", field["name"], bad, allowed=allowed, suggestion=meant
        )


def _check_rows(
    table: TextTable, schema: Mapping[str, Any], codebook: Codebook
) -> Iterator[pd.DataFrame]:
    """Check what several cells of a row, or several rows, say together."""
    values = table.cells
    if {"latitude", "longitude"} <= set(values):
        yield from _check_points(table)
    if {"kind", "subkind"} <= set(values):
        yield from _check_subkinds(table, codebook)
    for one, other in (("source_id", "target_id"), ("actor_id", "other_id")):
        if {one, other} <= set(values):
            same = values.loc[(values[one] == values[other]) & (values[one] != ""), other]
            yield from report_cells(table, "self_relation", other, same)
    if {"rule", "other_id"} <= set(values):
        alone = values.loc[(values["rule"] == "not_with") & (values["other_id"] == ""), "other_id"]
        yield from report_cells(table, "blank_value", "other_id", alone)
    if {"criterion", "value"} <= set(values) and table.name == "ratings":
        yield from _check_answers(table, codebook)
    if table.name == "kinds" and "code" in values:
        new = ~values["code"].isin(read_codebook().kinds.index)
        helix = values.get("helix", values["code"].str.slice(0, 0))
        blank = helix[new & (helix == "")]
        yield from report_cells(table, "blank_value", "helix", blank)
    key = schema.get("primaryKey", [])
    if key and key[0] in values:
        keys = values[[name for name in key if name in values]]
        yield from _check_keys(table, keys, "doubled_key", field=keys.columns[-1])
    if table.name == "relations" and {"source_id", "target_id", "kind"} <= set(values):
        yield from _check_ties(table, codebook)


def _check_points(table: TextTable) -> Iterator[pd.DataFrame]:
    latitude, longitude = table.cells["latitude"], table.cells["longitude"]
    for name, other in (("latitude", longitude), ("longitude", latitude)):
        half = table.found.loc[(table.cells[name] == "") & (other != ""), name]
        yield from report_cells(table, "half_coordinates", name, half)
    zero = latitude.isin(["0", "0.0", "-0.0"]) & longitude.isin(["0", "0.0", "-0.0"])
    yield from report_cells(
        table, "zero_coordinates", "latitude", table.found.loc[zero, "latitude"]
    )


def _check_subkinds(table: TextTable, codebook: Codebook) -> Iterator[pd.DataFrame]:
    values = table.cells[["kind", "subkind"]]
    homes = values["subkind"].map(codebook.subkinds["kind"]).fillna("")
    pairs = pd.DataFrame({"kind": values["kind"], "home": homes}).drop_duplicates()
    wrong = {
        (kind, home)
        for kind, home in pairs.itertuples(index=False)
        if kind in codebook.kinds.index and home and kind not in home.split(";")
    }
    if wrong:
        bad = pd.MultiIndex.from_arrays([values["kind"], homes]).isin(list(wrong))
        cells = table.found.loc[bad, "subkind"]
        yield from report_cells(
            table, "subkind_of_another_kind", "subkind", cells, allowed=homes[bad]
        )


def _check_answers(table: TextTable, codebook: Codebook) -> Iterator[pd.DataFrame]:
    answers = pd.to_numeric(table.cells["value"], errors="coerce")
    criteria = table.cells["criterion"]
    low = criteria.map(codebook.criteria["scale_min"])
    high = criteria.map(codebook.criteria["scale_max"])
    off = (answers < low) | (answers > high)
    allowed = [f"{a:g} … {b:g}" for a, b in zip(low[off], high[off], strict=True)]
    yield from report_cells(
        table, "out_of_scale", "value", table.found.loc[off, "value"], allowed=allowed
    )


def _check_keys(
    table: TextTable, keys: pd.DataFrame, code: str, *, field: str
) -> Iterator[pd.DataFrame]:
    """Report the rows whose key is in a row above; `allowed` is that row's number."""
    filled = keys[(keys.iloc[:, :2] != "").all(axis=1)]
    joined = filled.iloc[:, 0]
    if filled.shape[1] > 1:
        joined = joined.str.cat(filled.iloc[:, 1:], sep="\x1f")
    again = joined[joined.duplicated()]
    if len(again):
        first = joined.drop_duplicates()
        above = again.map(pd.Series(first.index.astype(str), index=first.array))
        found = again.str.replace("\x1f", " + ")
        yield from report_cells(table, code, field, found, allowed=above)


def _check_ties(table: TextTable, codebook: Codebook) -> Iterator[pd.DataFrame]:
    """Warn of ties that are there already; without direction, the other way round is the same."""
    values = table.cells
    source, target = values["source_id"], values["target_id"]
    directed = values["kind"].map(codebook.relation_kinds["directed"]).eq("yes")
    swap = ~directed & (source > target)
    names = [name for name in ("kind", "territory_id", "status") if name in values]
    ends = {"source": source.where(~swap, target), "target": target.where(~swap, source)}
    keys = pd.DataFrame(ends).join(values[names])
    yield from _check_keys(table, keys, "doubled_relation", field="target_id")
