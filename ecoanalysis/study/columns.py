"""The columns of a table: which are known, which are never read, and what their cells mean."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis.schemas import list_fields
from ecoanalysis.study.faults import Texts, make_faults
from ecoanalysis.study.files import Table
from ecoanalysis.study.suggest import fold_text, suggest_words

DONT_KNOW = "dont_know"
_YEAR_LAST = r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})$"
_EMAIL = r"[^@\s]+@[^@\s]+\.[^@\s]+"


def name_columns(raw: Table, *, date_order: str) -> Table:
    """Match labels to the declared columns, and normalise cells; `date_order` is ymd or dmy.

    The faults are `misspelt_column`, `doubled_column`, `blank_column_name`, `contact_column`,
    `unused_column`.
    """
    fields, labels = list_fields(raw.name), list(raw.cells.columns)
    absent = [name for name in fields if name not in labels]
    kept: dict[str, pd.Series[str]] = {}
    faults: list[pd.DataFrame] = []

    def report(code: str, **texts: Texts) -> None:
        faults.append(make_faults(code, table=raw.name, file=raw.file, rows=[1], **texts))

    for i, label in enumerate(labels):
        name, column = label, raw.cells.iloc[:, i]
        if not label:
            if (column != "").any():
                from openpyxl.utils import get_column_letter

                report("blank_column_name", found=get_column_letter(i + 1))
            continue
        if label not in fields:
            means = _read_label(label)
            if means == "contact" or column.str.fullmatch(_EMAIL).any():
                report("contact_column", field=label)
                continue
            (near,) = suggest_words([label], known=absent, likeness=84)
            code = "misspelt_column" if near else "unused_column"
            meant = near or means * (means in absent)
            report(code, field=label, found=label, suggestion=meant)
            name = near or label
        if name in kept:
            report("doubled_column", field=name, found=str(max(labels.count(label), 2)))
        kept.setdefault(name, column)
    for name in kept.keys() & fields.keys():
        kept[name] = _normalise(kept[name], fields[name], date_order, raw.separator)
    missing = tuple(name for name in fields if name not in kept)
    cells = pd.DataFrame(kept | dict.fromkeys(missing, ""), index=raw.cells.index, dtype="str")
    return replace(raw, cells=cells, missing=missing, faults=tuple(faults))


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


def split_parts(cells: pd.Series[str]) -> pd.Series[str]:
    """Split cells that may hold several values at their semicolons, one a row, none of them blank.

    The index repeats that of the cells.
    """
    parts = cells.dropna().astype("str").str.split(";").explode().astype("str").str.strip()
    return parts[parts != ""]


def read_days(texts: pd.Series[str], *, date_order: str | None) -> pd.Series[str]:
    """Write day/month/year (dmy) or month/day/year (mdy) as ISO does; other texts are missing.

    In any other `date_order` a day above 12 anywhere in the column settles which of them it is.
    """
    parts = texts.str.extract(_YEAR_LAST).dropna()
    if date_order not in ("dmy", "mdy"):
        first, second = parts[[0, 1]].astype(int).gt(12).any()
        date_order = "dmy" if first > second else "mdy" if second > first else None
    day, month = (parts[i].str.zfill(2) for i in ((1, 0) if date_order == "mdy" else (0, 1)))
    iso = parts[2] + "-" + month + "-" + day
    real = pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce").notna() & bool(date_order)
    return iso[real].reindex(texts.index)


def _read_label(label: str) -> str:
    """Look up what people mean by a label that is not declared: a column, contacts or nothing."""
    with Path(__file__).with_name("labels.csv").open(encoding="utf-8") as lines:
        patterns = {row["pattern"]: row["means"] for row in csv.DictReader(lines)}
    folded = fold_text(label)
    return next((means for pattern, means in patterns.items() if re.search(pattern, folded)), "")


def _normalise(
    column: pd.Series[str], field: Mapping[str, Any], date_order: str, separator: str
) -> pd.Series[str]:
    """Write TRUE as yes, 1,5 as 1.5 between semicolons, 3.0 as 3 where whole, days as ISO does.

    Other days stay where neither `date_order` nor a day above 12 settles what they are.
    """
    if field["numeric"] and separator == ";":
        column = column.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True)
    if field["type"] == "integer":
        column = column.str.replace(r"^([+-]?\d+)\.0+$", r"\1", regex=True)
    if "yes" in field["constraints"].get("enum", ()):
        column = column.replace({"TRUE": "yes", "FALSE": "no"})
    if field["type"] == "date":
        column = read_days(column, date_order=date_order).fillna(column)
    return column
