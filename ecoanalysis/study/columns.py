"""The columns of a table: which are known, which are never read, and what their cells mean."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from ecoanalysis.schemas import list_columns, read_schema
from ecoanalysis.study.faults import make_faults
from ecoanalysis.study.files import RawTable
from ecoanalysis.study.suggest import fold_text, suggest_words

DONT_KNOW = "dont_know"
_OTHER_WORDS = {
    "lat": "latitude",
    **dict.fromkeys(("lon", "lng", "long"), "longitude"),
    **dict.fromkeys(("nom", "nome"), "name"),
    **dict.fromkeys(("ville", "commune", "cidade"), "city"),
    **dict.fromkeys(("url", "site", "site web", "web"), "website"),
    **dict.fromkeys(("pays", "country", "pais"), "country_code"),
    **dict.fromkeys(("territoire", "territory", "territorio"), "territory_id"),
}
_CONTACT_WORDS = (
    r"e ?mails?|mails?|mel|courriels?|correio|adresse electronique|address email"
    r"|tel|telephones?|telefones?|telefono|telemovel|celular|phones?|mobile phone|gsm|fax|whatsapp"
    r"|contacts?|contatos?|contactos?|interlocut\w+|prenoms?|first ?name|last ?name|surname"
    r"|nom de famille|apelido|sobrenome|personne|person|pessoa|responsables?|responsavel"
    r"|referent\w?|manager|director|directeur|directrice|diretor\w?|president\w?|ceo"
    r"|founders?|fondateurs?|fondatrices?|fundador\w*"
)
_CONTACT = re.compile(
    rf"(^| )({_CONTACT_WORDS})( |$)|^(mobile|portable)$|e?mail|telephone|telefone"
)
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_DAY_FIRST = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")


@dataclass(frozen=True)
class TextTable:
    """One table as text, its columns named; the index is the spreadsheet's row.

    `found` is what the file says; `cells` is the same with dates as year-month-day and a decimal
    point, which is what the schema is held against. Rows `askew` have too few or too many cells.
    """

    name: str
    file: str
    found: pd.DataFrame
    cells: pd.DataFrame
    missing: tuple[str, ...] = ()
    askew: tuple[int, ...] = ()
    whole: bool = True


def name_columns(raw: RawTable, *, date_order: str) -> tuple[TextTable, list[pd.DataFrame]]:
    """Match the labels of a table to the declared columns and normalise what the cells hold.

    Parameters
    ----------
    raw : RawTable
        A table as `ecoanalysis.study.files.parse_tables` returns it.
    date_order : {"ymd", "dmy"}
        The order of dates that the study declares.

    Returns
    -------
    tuple of (TextTable, list of pandas.DataFrame)
        The table with the columns that are read, a misspelt one under its right name; and faults
        `misspelt_column`, `doubled_column`, `blank_column_name`, `ambiguous_date`,
        `contact_column`, `unused_column`.
    """
    place = {"table": raw.name, "file": raw.file}
    declared = list_columns(raw.name)
    faults: list[pd.DataFrame] = []
    kept: dict[str, Any] = {}
    for i, (label, column) in enumerate(zip(raw.labels, raw.columns, strict=True), start=1):
        if not label:
            if (column != "").any():
                faults.append(make_faults("blank_column_name", rows=[1], found=_letter(i), **place))
            continue
        name = label
        if label not in declared:
            if _holds_contacts(label, column):
                faults.append(make_faults("contact_column", rows=[1], field=label, **place))
                continue
            meant, sure = _find_meant(label, [c for c in declared if c not in raw.labels])
            code = "misspelt_column" if sure else "unused_column"
            faults.append(
                make_faults(code, rows=[1], field=label, found=label, suggestion=meant, **place)
            )
            name = meant if sure else label
        if name in kept:
            n = str(max(raw.labels.count(label), 2))
            faults.append(make_faults("doubled_column", rows=[1], field=name, found=n, **place))
        kept.setdefault(name, column)
    found = pd.DataFrame(kept, index=raw.rows, dtype="str")
    missing = tuple(column for column in declared if column not in kept)
    table = TextTable(raw.name, raw.file, found, found, missing, raw.askew, raw.whole)
    cells, ambiguous = _normalise_cells(table, date_order=date_order, comma=raw.separator == ";")
    return replace(table, cells=cells), faults + ambiguous


def type_columns(name: str, cells: pd.DataFrame) -> pd.DataFrame:
    """Give the text of a table that passed its check the types of its schema.

    Parameters
    ----------
    name : str
        The table.
    cells : pandas.DataFrame
        Text, blank where nothing is said; declared columns may be absent.

    Returns
    -------
    pandas.DataFrame
        Every declared column, then the others: text `str`, numbers `float64`, dates
        `datetime64[s]`, all missing where blank. Ratings have `value` in numbers, missing where the
        answer is "don't know", and a boolean column `dont_know`.
    """
    values = cells.reset_index(drop=True)
    typed: dict[str, pd.Series[Any]] = {}
    for field in read_schema(name)["fields"]:
        blank = pd.Series("", index=values.index, dtype="str")
        column = values.get(field["name"], blank)
        if field["type"] == "date":
            typed[field["name"]] = parse_dates(column)
        elif is_numeric(field):
            typed[field["name"]] = pd.to_numeric(column, errors="coerce").astype("float64")
        else:
            typed[field["name"]] = column.mask(column == "")
    others = [c for c in values.columns if c not in typed and (name, c) != ("ratings", DONT_KNOW)]
    extra = {c: values[c].mask(values[c] == "") for c in others}
    result = pd.DataFrame(typed | extra, index=values.index)
    if name == "ratings":
        answers = values.get("value", pd.Series(dtype="str"))
        result.insert(list(result).index("value") + 1, DONT_KNOW, answers == DONT_KNOW)
    return result


def parse_dates(column: pd.Series[str]) -> pd.Series[Any]:
    """Parse ISO days; what is no day of the calendar is missing."""
    return pd.to_datetime(column, format="%Y-%m-%d", errors="coerce").astype("datetime64[s]")


def report_cells(
    table: TextTable,
    code: str,
    name: str,
    cells: pd.Series[str],
    *,
    allowed: str | Iterable[str] = "",
    suggestion: str | Iterable[str] = "",
) -> Iterator[pd.DataFrame]:
    """Report cells of one column, if there are any; their index is the spreadsheet's row."""
    if len(cells):
        yield make_faults(
            code,
            table=table.name,
            file=table.file,
            rows=cells.index,
            field=name,
            found=cells,
            allowed=allowed,
            suggestion=suggestion,
        )


def is_no_number(text: str) -> bool:
    """Tell what the number type of the schema would take, or call off the scale, by mistake."""
    if not text:
        return False
    try:
        return not (text.isascii() and "_" not in text and math.isfinite(float(text)))
    except ValueError:
        return True


def is_numeric(field: Mapping[str, Any]) -> bool:
    """Tell whether a schema's field holds numbers."""
    return field["type"] in {"number", "integer"} or "numeric" in field


def _letter(place: int) -> str:
    """Name a column as spreadsheets do: A to Z, then AA."""
    letters = ""
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def _holds_contacts(label: str, column: np.ndarray[Any, Any]) -> bool:
    if _CONTACT.search(fold_text(label)):
        return True
    return any(_EMAIL.fullmatch(text) for text in pd.unique(column))


def _find_meant(label: str, absent: list[str]) -> tuple[str, bool]:
    """Name the absent column that a label stands for, and whether it is surely a misspelling."""
    near = suggest_words([label], known=absent, likeness=84)[0]
    if near:
        return near, True
    word = _OTHER_WORDS.get(fold_text(label), "")
    return (word, False) if word in absent else ("", False)


def _normalise_cells(
    table: TextTable, *, date_order: str, comma: bool
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    cells = table.found
    values: dict[str, Any] = {}
    faults: list[pd.DataFrame] = []
    for field in read_schema(table.name)["fields"]:
        name = field["name"]
        if name not in cells:
            continue
        if is_numeric(field):
            values[name] = _normalise_numbers(cells[name], field, comma=comma)
        elif "yes" in field.get("constraints", {}).get("enum", ()):
            values[name] = cells[name].replace({"TRUE": "yes", "FALSE": "no"})
        elif field["type"] == "date":
            values[name], unsettled = _normalise_dates(cells[name], date_order=date_order)
            faults += report_cells(table, "ambiguous_date", name, unsettled, allowed="YYYY-MM-DD")
    return cells.assign(**values), faults


def _normalise_numbers(
    column: pd.Series[str], field: dict[str, Any], *, comma: bool
) -> pd.Series[str]:
    if comma:
        column = column.str.replace(r"^([+-]?\d+),(\d+)$", r"\1.\2", regex=True)
    if field["type"] == "integer":
        column = column.str.replace(r"^([+-]?\d+)\.0+$", r"\1", regex=True)
    return column


def _normalise_dates(
    column: pd.Series[str], *, date_order: str
) -> tuple[pd.Series[str], pd.Series[str]]:
    """Write day/month/year as ISO where the order is declared or some day above 12 settles it."""
    parts = column.str.extract(rf"^{_DAY_FIRST.pattern}$")
    slashed = parts[0].notna()
    if not slashed.any():
        return column, column[slashed]
    first, second = parts.loc[slashed, 0].astype(int), parts.loc[slashed, 1].astype(int)
    if date_order != "dmy" and not ((first > 12).any() and (second <= 12).all()):
        unsettled = column[slashed]
        return column.mask(slashed, ""), unsettled
    days = parts[slashed].apply(lambda part: part.str.zfill(2))
    return column.where(~slashed, days[2] + "-" + days[1] + "-" + days[0]), column[:0]
