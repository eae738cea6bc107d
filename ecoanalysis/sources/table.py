"""Tables as people keep them: CSV, XLSX, or a JSON list of objects."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from zipfile import BadZipFile

import openpyxl
import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.sources.cells import frame_records, write_cell
from ecoanalysis.sources.geojson import read_json

_SUFFIXES = ".csv, .tsv, .txt, .xlsx, .xlsm, .json"


def read_table(files: Iterable[str | Path], *, sheet: str | None = None) -> pd.DataFrame:
    """Read the rows of CSV, XLSX or JSON files.

    CSV is read as UTF-8 (else cp1252, UTF-16 by its mark), cells separated by ``,``, ``;`` or tab.

    Parameters
    ----------
    files : iterable of path
        Files of one list.
    sheet : str, optional
        Sheet of a workbook; the first one when not given.

    Returns
    -------
    pandas.DataFrame
        One text column a field. The index holds `file` and `row`: the row as the spreadsheet
        shows it (header = 1), or the number of the object, from 1. Blank rows are no records.

    Raises
    ------
    UsageError
        If a file cannot be read as a table: file, row, field and what is wanted are named.
    """
    return pd.concat([_read_file(Path(file), sheet) for file in files])


def _read_file(path: Path, sheet: str | None) -> pd.DataFrame:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _read_objects(path)
    if suffix in (".csv", ".tsv", ".txt"):
        return _frame_rows(_read_csv(path), path.name)
    if suffix in (".xlsx", ".xlsm"):
        return _frame_rows(*_read_sheet(path, sheet))
    raise UsageError(f"{path.name}: cannot be read as a table; wanted one of {_SUFFIXES}.")


def _read_objects(path: Path) -> pd.DataFrame:
    objects = read_json(path)
    if not isinstance(objects, list):
        raise UsageError(f"{path.name}: a list of objects is wanted.")
    for n, record in enumerate(objects, start=1):
        if not isinstance(record, dict):
            raise UsageError(f"{path.name}, row {n}: an object is wanted, found {record!r:.40}.")
    return frame_records(objects, file=path.name, rows=range(1, len(objects) + 1))


def _read_csv(path: Path) -> list[list[object]]:
    text = _decode(path)
    head = text.lstrip("\n").split("\n", 1)[0]
    separator = max(",;\t", key=head.count)
    rows: list[list[object]] = []
    try:
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True):
            rows.append([*row])
    except csv.Error as error:
        raise UsageError(
            f"{path.name}, row {len(rows) + 1}: {error}; is a quotation mark left open?"
        ) from error
    return rows


def _decode(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16")
    if b"\0" in content:
        raise UsageError(f"{path.name}: not a text file; save it as CSV UTF-8 or XLSX.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", errors="replace")


def _read_sheet(path: Path, sheet: str | None) -> tuple[list[list[object]], str]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles that openpyxl does not know
            book = openpyxl.load_workbook(path, data_only=True)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}.") from error
    except (BadZipFile, KeyError, ValueError) as error:
        raise UsageError(f"{path.name}: not a workbook that can be read; save it again.") from error
    if sheet is not None and sheet not in book.sheetnames:
        raise UsageError(
            f"{path.name}: no sheet {sheet!r}; there are: {', '.join(book.sheetnames)}."
        )
    chosen = book[sheet or book.sheetnames[0]]
    label = path.name if len(book.sheetnames) == 1 else f"{path.name} [{chosen.title}]"
    return [list(row) for row in chosen.iter_rows(values_only=True)], label


def _frame_rows(rows: Sequence[list[object]], label: str) -> pd.DataFrame:
    """Name the cells of each row by the header, the first row that is not blank."""
    filled = [n for n, row in enumerate(rows) if any(map(_is_filled, row))]
    if len(filled) < 2:
        raise UsageError(f"{label}: a header and at least one row are wanted.")
    start, *body = filled
    header = [write_cell(cell) or "" for cell in rows[start]]
    while not header[-1]:
        header.pop()
    for n, field in enumerate(header):
        if not field or field in header[:n]:
            fault = "twice in the header" if field else "no name in the header"
            raise UsageError(f"{label}, row {start + 1}, column {n + 1}: {field!r} {fault}.")
    for n in body:
        cells, wanted = rows[n], len(header)
        if len(cells) < wanted or any(map(_is_filled, cells[wanted:])):
            raise UsageError(
                f"{label}, row {n + 1}: {len(cells)} cells, {wanted} wanted as in the header; is a "
                "quotation mark or a separator missing or too many?"
            )
    records = [dict(zip(header, rows[n], strict=False)) for n in body]
    return frame_records(records, file=label, rows=[n + 1 for n in body])


def _is_filled(cell: object) -> bool:
    return cell is not None and bool(str(cell).strip())
