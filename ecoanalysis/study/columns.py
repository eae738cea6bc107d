"""The columns of a table: which are known, which are never read, and what their cells mean."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis.schemas import list_fields
from ecoanalysis.study.faults import Faults, Texts, make_faults
from ecoanalysis.study.files import RawTable
from ecoanalysis.study.suggest import fold_text, suggest_words

DONT_KNOW = "dont_know"
JOINT = "\x1f"
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


@dataclass(frozen=True)
class TextTable:
    """One table as text; the index is the spreadsheet's row, `askew` those that do not fit.

    `found` is what the file says in the columns that it has, under their right names; `cells` is
    what the schema wants, ISO dates and a decimal point, the columns that are `missing` blank.
    """

    name: str
    file: str
    found: pd.DataFrame
    cells: pd.DataFrame
    missing: tuple[str, ...] = ()
    askew: tuple[int, ...] = ()
    whole: bool = True


def name_columns(raw: RawTable, *, date_order: str) -> tuple[TextTable, list[pd.DataFrame]]:
    """Match labels to the declared columns, and normalise cells; `date_order` is ymd or dmy.

    The faults are `misspelt_column`, `doubled_column`, `blank_column_name`, `ambiguous_date`,
    `contact_column`, `unused_column`.
    """
    fields = list_fields(raw.name)
    absent = [name for name in fields if name not in raw.labels]
    kept: dict[str, Any] = {}
    faults: list[pd.DataFrame] = []

    def report(code: str, **texts: Texts) -> None:
        faults.append(make_faults(code, table=raw.name, file=raw.file, rows=[1], **texts))

    for i, (label, column) in enumerate(zip(raw.labels, raw.columns, strict=True), 1):
        name = label
        if not label and (column != "").any():
            from openpyxl.utils import get_column_letter

            report("blank_column_name", found=get_column_letter(i))
        if label and label not in fields:
            means = _read_label(label)
            if means == "contact" or any(map(_EMAIL.fullmatch, pd.unique(column))):
                report("contact_column", field=label)
                continue
            near = suggest_words([label], known=absent, likeness=84)[0]
            word = near or means
            code = "misspelt_column" if near else "unused_column"
            report(code, field=label, found=label, suggestion=word if word in absent else "")
            name = near or label
        if name in kept:
            report("doubled_column", field=name, found=str(max(raw.labels.count(label), 2)))
        if name:
            kept.setdefault(name, column)
    found = pd.DataFrame(kept, index=raw.rows, dtype="str")
    missing = tuple(name for name in fields if name not in kept)
    typed = {c: f for c, f in fields.items() if f["type"] != "string" or f["constraints"]}
    values = {c: _normalise(found[c], f, date_order, raw) for c, f in typed.items() if c in kept}
    cells = found.assign(**values, **dict.fromkeys(missing, ""))
    table = TextTable(raw.name, raw.file, found, cells, missing, raw.askew, raw.whole)
    for name in [c for c in values if fields[c]["type"] == "date"]:
        unsettled = found.loc[(found[name] != "") & (cells[name] == ""), name]
        faults += report_cells(table, "ambiguous_date", unsettled, allowed="YYYY-MM-DD")
    return table, faults


def type_columns(name: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Give the text of a table that passed its check the types of its schema.

    There is every declared column, then the others: text `str`, numbers `float64`, dates
    `datetime64[s]`, all missing where blank. Ratings have `value` in numbers, missing where the
    answer is "don't know", and a boolean column `dont_know`.
    """
    fields = list_fields(name)
    cells = cells.reset_index(drop=True)
    blank = pd.Series("", index=cells.index, dtype="str")
    typed: dict[str, pd.Series[Any]] = {}
    own: list[Any] = [c for c in cells if c not in fields and (name, c) != ("ratings", DONT_KNOW)]
    for column in (*fields, *own):
        texts, field = cells.get(column, blank), fields.get(column, {"type": "string"})
        if field["type"] == "date":
            days = pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce")
            typed[column] = days.astype("datetime64[s]")
        elif field.get("numeric"):
            typed[column] = pd.to_numeric(texts, errors="coerce").astype("float64")
        else:
            typed[column] = texts.mask(texts == "")
        if (name, column) == ("ratings", "value"):
            typed[DONT_KNOW] = texts == DONT_KNOW
    return pd.DataFrame(typed, index=cells.index)


def report_cells(table: TextTable, code: str, cells: pd.Series[str], **texts: Texts) -> Faults:
    """Report cells of one column, if there are any; their index is the spreadsheet's row."""
    if len(cells):
        texts |= {"field": str(cells.name), "found": cells}
        yield make_faults(code, table=table.name, file=table.file, rows=cells.index, **texts)


def join_cells(cells: pd.DataFrame) -> pd.Series[str]:
    """Join the cells of each row to one text, by a character that no cell holds."""
    first, others = cells.iloc[:, 0], cells.iloc[:, 1:]
    return first.str.cat(others, sep=JOINT) if others.shape[1] else first


def _read_label(label: str) -> str:
    """Look up what people mean by a label that is not declared: a column, contacts or nothing."""
    lines = Path(__file__).with_name("labels.csv").read_text(encoding="utf-8").splitlines()
    patterns = {row["pattern"]: row["means"] for row in csv.DictReader(lines)}
    folded = fold_text(label)
    return next((means for pattern, means in patterns.items() if re.search(pattern, folded)), "")


def _normalise(
    column: pd.Series[str], field: Mapping[str, Any], date_order: str, raw: RawTable
) -> pd.Series[str]:
    """Write TRUE as yes, 1,5 as 1.5 between semicolons, 3.0 as 3 where whole, days as ISO does."""
    if field["numeric"] and raw.separator == ";":
        column = column.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True)
    if field["type"] == "integer":
        column = column.str.replace(r"^([+-]?\d+)\.0+$", r"\1", regex=True)
    if "yes" in field["constraints"].get("enum", ()):
        column = column.replace({"TRUE": "yes", "FALSE": "no"})
    return _write_days(column, date_order) if field["type"] == "date" else column


def _write_days(column: pd.Series[str], date_order: str) -> pd.Series[str]:
    """Write day/month/year as ISO; blank if neither `date_order` nor a day above 12 settles it."""
    parts = column.str.extract(r"^(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})$")
    found = parts[0].notna()
    day, month = parts.loc[found, 0].astype(int), parts.loc[found, 1].astype(int)
    if date_order == "dmy" or ((day > 12).any() and (month <= 12).all()):
        iso = parts[2] + "-" + parts[1].str.zfill(2) + "-" + parts[0].str.zfill(2)
        return column.where(~found, iso)
    return column.mask(found, "")
