"""The check of one table: of each distinct cell, then of what cells and rows say together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import babel
import pandas as pd

from ecoanalysis.codebook import Codebook, read_codebook
from ecoanalysis.schemas import list_fields, read_schema
from ecoanalysis.study.columns import DONT_KNOW
from ecoanalysis.study.faults import Faults, Texts, make_faults
from ecoanalysis.study.files import Table
from ecoanalysis.study.suggest import suggest_folder, suggest_words
from ecoanalysis.wording import LANGUAGES

_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(/\S*)?")
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]"
_NUMBER = r"[+-]?([0-9]{1,99}\.?[0-9]*|\.[0-9]+)([eE](\+?[0-9]{1,2}|-[0-9]{1,3}))?"
SPREADSHEET_ERRORS = (
    *("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!"),
    *("#VALEUR!", "#NOM?", "#NOMBRE!", "#REF !", "#VALOR!", "#NOME?", "#NÚM!", "#N/D"),
)
_FAULTS = {
    **{"type": "not_a_number", "integer": "not_a_whole_number", "date": "impossible_date"},
    **{"required": "blank_value", "minimum": "out_of_scale", "maximum": "out_of_scale"},
    **{"website": "not_a_web_address", "territory_id": "unfit_id", "code": "unfit_id"},
}
_NUMBERS = ("number", "integer")
_Map = Mapping[str, Any]


def check_table(table: Table, *, codebook: Codebook) -> Faults:
    """Check one table by itself; `codebook` holds the study's own codes too.

    Yields faults of one sort in one column: `missing_column`, `doubled_key`,
    `doubled_relation`, those of `_make_judge` for a cell and of `_find_rows` for a row.
    """
    if table.cells.empty:
        return
    table = replace(table, cells=table.cells.drop(list(table.askew)))
    fields = list_fields(table.name)
    for name in table.missing:
        if "required" in fields[name]["constraints"]:
            yield from report_cells(table, "missing_column", pd.Series("", index=[1], name=name))
    yield from check_cells(table, codebook=codebook)
    for code, name, bad, allowed in _find_rows(table, codebook):
        texts = allowed if isinstance(allowed, str) else allowed[bad]
        yield from report_cells(table, code, table.cells.loc[bad, name], allowed=texts)
    key = read_schema(table.name).get("primaryKey", [])
    if key and key[0] not in table.missing:
        keys = table.cells[[name for name in key if name not in table.missing]]
        yield from _check_keys(table, keys, "doubled_key", field=keys.columns[-1])
    if table.name == "relations":
        ties = _direct_ties(table, codebook)
        yield from _check_keys(table, ties, "doubled_relation", field="target_id")


def report_cells(table: Table, code: str, cells: pd.Series[str], **texts: Texts) -> Faults:
    """Report cells of one column, if there are any; their index is the spreadsheet's row."""
    if len(cells):
        texts |= {"field": str(cells.name), "found": cells}
        yield make_faults(code, table=table.name, file=table.file, rows=cells.index, **texts)


def find_listed(rows: pd.DataFrame, among: pd.DataFrame) -> pd.Series[bool]:
    """Tell which rows stand, column by column, among those of another table."""
    if rows.shape[1] == 1:
        return rows.iloc[:, 0].isin(among.iloc[:, 0])
    listed = pd.MultiIndex.from_frame(rows).isin(pd.MultiIndex.from_frame(among))
    return pd.Series(listed, rows.index)


def list_codes(field: _Map, codebook: Codebook) -> dict[str, str]:
    """List the codes that a column takes, by every spelling that stands for one."""
    mixed = field["type"] == "string" and field.get("numeric")
    codes = {word: word for word in field["constraints"].get("enum", [DONT_KNOW] * bool(mixed))}
    names = {"UK": "GB"} if field["name"] == "country_code" else {}
    for language in ("en", "fr", "pt") if names else ():
        labels = babel.Locale(language).territories.items()
        names |= {label: code for code, label in labels if code in codes}
    if "codebook" in field:
        entries: pd.DataFrame = getattr(codebook, field["codebook"])
        if "dimension" in field:
            entries = entries[entries["dimension"] == field["dimension"]]
        codes = {code: code for code in entries.index}
        for language in LANGUAGES:
            names |= dict(zip(entries[f"label_{language}"], entries.index, strict=True))
    return codes | names | codes


def check_cells(table: Table, *, codebook: Codebook) -> Faults:
    """Judge each distinct text of each column that is there."""
    fields = list_fields(table.name)
    for name, column in table.cells.drop(columns=list(table.missing)).items():
        field = fields.get(str(name), {"name": name, "type": "string", "constraints": {}})
        texts = column.str.split(";").explode().str.strip() if field.get("many") else column
        codes = list_codes(field, codebook)
        judge = _make_judge(field, codes)
        distinct = texts.drop_duplicates()
        sorts: dict[str, list[str]] = {}
        for text in distinct[~_is_plain(distinct, field)]:
            sorts.setdefault(judge(text), []).append(text)
        sorts.pop("", None)
        for code, bad in sorts.items():
            cells = texts[texts.isin(bad)]
            yield from report_cells(table, code, cells, **_explain(code, field, codes, cells))


def _is_plain(texts: pd.Series[str], field: _Map) -> pd.Series[bool]:
    """Tell at once for most texts that nothing is amiss: numbers within bounds, and free text."""
    rules = field["constraints"]
    if field["type"] in _NUMBERS:
        low, high = rules.get("minimum", -1e99), rules.get("maximum", 1e99)
        number = _NUMBER if field["type"] == "number" else "[+-]?[0-9]+"
        inside = pd.to_numeric(texts, errors="coerce").between(low, high)
        return texts.str.fullmatch(number) & inside
    if field["type"] == "string" and not rules.keys() - {"required"} and "codebook" not in field:
        return ~(texts.str.contains(_CONTROL) | texts.isin([*SPREADSHEET_ERRORS, ""]))
    return pd.Series(data=False, index=texts.index)


def _make_judge(field: _Map, codes: _Map) -> Callable[[str], str]:
    """Make the function that names what is amiss with the text of a cell, if anything."""
    from frictionless import fields

    kind = getattr(fields, field["type"].capitalize() + "Field")
    read = kind(name=field["name"], constraints=field["constraints"]).create_cell_reader()
    known = {"", *codes.values()} if "codebook" in field else None

    def judge(text: str) -> str:
        if re.search(_CONTROL, text):
            return "control_character"
        if text in SPREADSHEET_ERRORS:
            return "spreadsheet_error"
        if field["type"] in _NUMBERS and text and not re.fullmatch(_NUMBER, text):
            return "not_a_number"
        for note in read(text)[1] or ():
            detail = {"type": field["type"], "pattern": field["name"]}.get(note, note)
            code = _FAULTS.get(detail) or _FAULTS.get(note, "unknown_code")
            return "ambiguous_date" if detail == "date" and _is_day(text) else code
        return "" if known is None or text in known else "unknown_code"

    return judge


def _is_day(text: str) -> bool:
    """Tell a day of the calendar, written day/month/year or month/day/year."""
    for order in ("%d/%m/%Y", "%m/%d/%Y"):
        with suppress(ValueError):
            return bool(datetime.strptime(re.sub(r"[.-]", "/", text), order))
    return False


def _explain(code: str, field: _Map, codes: _Map, cells: pd.Series[str]) -> dict[str, Texts]:
    """Say what is allowed in a column, and what was probably meant by each bad cell."""
    allowed = field.get("allowed", "; ".join(dict.fromkeys(codes.values())))
    if code == "unknown_code":
        likeness = 80 if field["name"] == "country_code" else 62
        meant = suggest_words(cells, known=codes, likeness=likeness)
    elif code == "unfit_id":
        joint = "_" if field["name"] == "code" else "-"
        meant = [suggest_folder(text).replace("-", joint) for text in cells]
    elif code == "not_a_web_address":
        meant = [f"https://{text}" if _HOST.fullmatch(text) else "" for text in cells]
    elif code == "not_a_number":  # 1 234,5 is written 1234.5
        plain = [re.sub(r"\s", "", text).replace(",", ".") for text in cells]
        return {"suggestion": [text if re.fullmatch(_NUMBER, text) else "" for text in plain]}
    elif code == "out_of_scale":
        low, high = (field["constraints"].get(end, "") for end in ("minimum", "maximum"))
        return {"allowed": f"{low} … {high}".strip()}
    else:
        return {"allowed": "YYYY-MM-DD"} if code.endswith("_date") else {}
    return {"allowed": allowed, "suggestion": meant}


def _find_rows(
    table: Table, codebook: Codebook
) -> Iterator[tuple[str, str, pd.Series[bool], str | pd.Series[str]]]:
    """Find the rows whose cells do not fit together: code, column, which rows, what is allowed."""
    values = table.cells
    if "latitude" in values:
        points = values[["latitude", "longitude"]]
        for name, blank in (points == "").items():
            yield "half_coordinates", str(name), blank & (points != "").any(axis=1), ""
        yield "zero_coordinates", "latitude", points.isin(["0", "0.0", "-0.0"]).all(axis=1), ""
    if {"kind", "subkind"} <= set(values):
        homes = codebook.subkinds["kind"]
        home = values["subkind"].map(homes).fillna("")
        known = (home != "") & values["kind"].isin(codebook.kinds.index)
        pairs = homes.str.split(";").explode().reset_index()
        fits = find_listed(values[["subkind", "kind"]], pairs)
        yield "subkind_of_another_kind", "subkind", known & ~fits, home
    for one, other in (("source_id", "target_id"), ("actor_id", "other_id")):
        if {one, other} <= set(values):
            yield "self_relation", other, (values[one] == values[other]) & (values[one] != ""), ""
    if table.name == "constraints":
        alone = (values["rule"] == "not_with") & (values["other_id"] == "")
        yield "blank_value", "other_id", alone, ""
    if table.name == "kinds":
        new = ~values["code"].isin([*read_codebook().kinds.index, ""])
        yield "blank_value", "helix", new & (values["helix"] == ""), ""
    if table.name == "ratings":
        ends = codebook.criteria[["scale_min", "scale_max"]]
        low, high = (values["criterion"].map(ends[end]) for end in ends)
        answers = pd.to_numeric(values["value"], errors="coerce")
        scale = ends.map("{:g}".format).agg(" … ".join, axis=1)
        off = (answers < low) | (answers > high)
        yield "out_of_scale", "value", off, values["criterion"].map(scale)


def _direct_ties(table: Table, codebook: Codebook) -> pd.DataFrame:
    """Key ties by their ends; those without direction are the same the other way round."""
    source, target = table.cells["source_id"], table.cells["target_id"]
    directed = table.cells["kind"].map(codebook.relation_kinds["directed"]).eq("yes")
    swap = ~directed & (source > target)
    ends = {"source": source.where(~swap, target), "target": target.where(~swap, source)}
    others = [name for name in ("kind", "territory_id", "status") if name not in table.missing]
    return pd.DataFrame(ends).join(table.cells[others])


def _check_keys(table: Table, keys: pd.DataFrame, code: str, *, field: str) -> Faults:
    """Report the rows whose key is in a row above; `allowed` is that row's number."""
    keys = keys[(keys.iloc[:, :2] != "").all(axis=1)]
    again = keys[keys.duplicated()]
    if len(again):
        first = keys.drop_duplicates().reset_index(names="above")
        above = again.merge(first, how="left")["above"].astype("str")
        found = again.agg(" + ".join, axis=1).rename(field)
        yield from report_cells(table, code, found, allowed=above)
