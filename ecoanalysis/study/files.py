"""The files of a study as they lie on the disk: which they are, and the text that they hold.

Text is decoded by its byte-order mark, else as UTF-8, else as cp1252: detectors that guess among
all code pages read the French ê as another letter.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from itertools import chain, islice, zip_longest
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import REQUIRED, TABLES
from ecoanalysis.study.faults import make_faults
from ecoanalysis.study.suggest import suggest_words

WORKBOOK = "study.xlsx"
DESCRIPTOR = "datapackage.yaml"
EXPLANATIONS = "lisez-moi"
_CHUNK = 50_000
_TABLE_FILE = re.compile(
    r"(?!contacts\.|matches\.csv|~\$|\.).+\.(csv|tsv|xlsx?|ods|parquet)", re.IGNORECASE
)
_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_BINARY_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff")
_ZERO_WIDTH = dict.fromkeys(
    [0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]
)

Text = npt.NDArray[np.object_]


@dataclass(frozen=True)
class RawTable:
    """One table as text: labels, columns of cells, and the spreadsheet's row of each record."""

    name: str
    file: str
    labels: list[str]
    columns: list[Text]
    rows: npt.NDArray[np.int64]
    separator: str = ""
    askew: tuple[int, ...] = ()
    whole: bool = True


@dataclass(frozen=True)
class StudyFiles:
    """What lies in a study's folder: files that count, as bytes, and tables that do not."""

    path: Path
    contents: dict[str, bytes]
    others: list[str]


def read_files(path: str | Path) -> StudyFiles:
    """Read the files of a study's folder that can hold a table, and its descriptor.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder of the study.

    Returns
    -------
    StudyFiles
        Bytes by file name, and the names of tables and workbooks that the study does not read.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    names = sorted(file.name for file in folder.iterdir() if file.is_file())
    tables = {_name_table(name): name for name in names}
    counted = {tables.get(table) for table in TABLES} | {WORKBOOK, DESCRIPTOR}
    others = [name for name in names if _TABLE_FILE.fullmatch(name) and name not in counted]
    contents = {name: (folder / name).read_bytes() for name in names if name in counted}
    return StudyFiles(folder, contents, others)


def parse_tables(files: StudyFiles) -> tuple[dict[str, RawTable], list[pd.DataFrame]]:
    """Parse every table of a study into text.

    Returns
    -------
    tuple of (dict of str to RawTable, list of pandas.DataFrame)
        Tables by name, and faults: `both_kinds`, `binary_file`, `unreadable_encoding`,
        `unclosed_quote`, `ragged_row`, `unused_file`, `missing_table`, `empty_table`.
    """
    tables: dict[str, RawTable] = {}
    faults = [_report_unused(file, Path(file).stem) for file in files.others]
    csv_files = [name for name in files.contents if name not in (WORKBOOK, DESCRIPTOR)]
    parts = [_parse_csv(files.contents[name], file=name) for name in csv_files]
    if WORKBOOK in files.contents:
        if csv_files:
            found = ", ".join(csv_files)
            faults.append(make_faults("both_kinds", file=WORKBOOK, found=found))
        parts = [_parse_workbook(files.contents[WORKBOOK])]
    for part in chain.from_iterable(parts):
        if isinstance(part, RawTable):
            tables[part.name] = part
        else:
            faults.append(part)
    for table in REQUIRED:
        file = WORKBOOK if WORKBOOK in files.contents else f"{table}.csv"
        empty = table in tables and tables[table].whole and not len(tables[table].rows)
        if empty or table not in tables:
            blank = table in map(_name_table, files.contents)
            code = "empty_table" if empty or blank else "missing_table"
            faults.append(make_faults(code, table=table, file=file, found=table))
            tables[table] = _leave_unread(table, file)
    return tables, faults


def clean_text(text: str) -> str:
    """Compose accents (NFC), drop characters without width, trim, and use one kind of line end.

    Examples
    --------
    >>> clean_text(" Cafe\u0301\u200b\u00a0")
    'Café'
    """
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_ZERO_WIDTH))
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.strip()


def _name_table(file: str) -> str:
    return file.lower().removesuffix(".csv") if file.lower().endswith(".csv") else ""


def _report_unused(file: str, name: str) -> pd.DataFrame:
    suggestion = suggest_words([name], known=[*TABLES, "study"])
    return make_faults("unused_file", file=file, found=name, suggestion=suggestion)


def _parse_csv(content: bytes, *, file: str) -> Iterator[RawTable | pd.DataFrame]:
    table = _name_table(file)
    encoding, fault = _find_encoding(content)
    if fault:
        yield make_faults(fault, table=table, file=file)
        yield _leave_unread(table, file)
        return
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    separator = _find_separator(stream.readline())
    stream.seek(0)
    reader = csv.reader(stream, delimiter=separator, strict=True)
    yield from _stack_table(_read_chunks(reader), table=table, file=file, separator=separator)


def _leave_unread(table: str, file: str) -> RawTable:
    return RawTable(table, file, [], [], np.empty(0, np.int64), whole=False)


def _find_encoding(content: bytes) -> tuple[str, str]:
    """Find the encoding, or the code of the fault that stands in the way."""
    marked = [name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)]
    if not marked:
        start = content[:8192]
        controls = len(re.findall(rb"[\x00-\x08\x0e-\x1f]", start))
        if content.startswith(_BINARY_STARTS) or controls > max(len(start) // 20, 4):
            return "", "binary_file"
    for encoding in marked or ["utf-8", "cp1252"]:
        try:
            content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding, ""
    return "", "unreadable_encoding"


def _find_separator(header: str) -> str:
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t", key=bare.count)


def _read_chunks(reader: Iterator[list[str]]) -> Iterator[list[list[str]] | None]:
    """Read records by the ten thousands; None says that a quotation mark is not closed."""
    while True:
        chunk: list[list[str]] = []
        try:
            chunk.extend(islice(reader, _CHUNK))
        except csv.Error:
            yield chunk
            yield None
            return
        if not chunk:
            return
        yield chunk


def _parse_workbook(content: bytes) -> Iterator[RawTable | pd.DataFrame]:
    import openpyxl

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError):
        yield make_faults("binary_file", file=WORKBOOK)
        yield from (_leave_unread(table, WORKBOOK) for table in REQUIRED)
        return
    for sheet in book.worksheets:
        name = sheet.title.strip().lower()
        if name not in TABLES:
            if name != EXPLANATIONS:
                yield _report_unused(WORKBOOK, sheet.title)
            continue
        sheet.reset_dimensions()
        records = [[_write_cell(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
        yield from _stack_table([records], table=name, file=WORKBOOK, separator="")
    book.close()


def _write_cell(cell: Any) -> str:
    """Write a typed cell of a workbook as CSV would hold it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, datetime) and cell.time() == time():
        cell = cell.date()
    return cell.isoformat() if isinstance(cell, date | time) else str(cell)


def _stack_table(
    chunks: Iterable[list[list[str]] | None], *, table: str, file: str, separator: str
) -> Iterator[RawTable | pd.DataFrame]:
    """Turn records into columns, a chunk at a time; report the rows that do not fit."""
    labels: list[str] = []
    blocks: list[RawTable] = []
    seen = 0
    whole = True
    for chunk in chunks:
        if chunk is None:
            yield make_faults("unclosed_quote", table=table, file=file, rows=[seen + 1])
            whole = False
            break
        records = chunk
        while not labels and records:
            labels = [clean_text(label) for label in records[0]]
            labels = labels if any(labels) else []
            records = records[1:]
            seen += 1
        if records:
            rows = np.arange(seen + 1, seen + 1 + len(records))
            block = RawTable(table, file, labels, [], rows, separator)
            seen += len(records)
            for part in _stack_chunk(records, block):
                if isinstance(part, RawTable):
                    blocks.append(part)
                else:
                    yield part
    if labels or not whole:
        parts = zip(*(block.columns for block in blocks), strict=True)
        columns = [np.concatenate(part) for part in parts] or [np.empty(0, object)] * len(labels)
        numbers = np.concatenate([np.empty(0, np.int64), *(block.rows for block in blocks)])
        askew = tuple(chain.from_iterable(block.askew for block in blocks))
        yield RawTable(table, file, labels, columns, numbers, separator, askew, whole)


def _stack_chunk(records: list[list[str]], block: RawTable) -> Iterator[RawTable | pd.DataFrame]:
    """Stack the records of one chunk below `block`, which knows the labels and the row numbers."""
    place = {"table": block.name, "file": block.file}
    width = len(block.labels)
    named = max(i for i, label in enumerate(block.labels, start=1) if label)
    lengths = np.fromiter(map(len, records), np.int64, len(records))
    filled = np.zeros(len(records), bool)
    longer = np.zeros(len(records), bool)
    swallowed = np.zeros(len(records), bool)
    columns: list[Text] = []
    blank = ("",) * len(records)
    cells = chain(zip_longest(*records, fillvalue=""), [blank] * (width - int(lengths.max())))
    for i, column in enumerate(cells):
        codes, distinct = pd.factorize(np.array(column, dtype=object))
        clean = np.array([clean_text(text) for text in distinct], dtype=object)
        filled |= (clean != "")[codes]
        if i >= width:
            longer |= (clean != "")[codes]
            continue
        columns.append(clean[codes])
        inside = [_swallows_rows(text, i, width, block.separator) for text in distinct]
        if any(inside):
            swallowed |= np.array(inside)[codes]
    if swallowed.any():
        yield make_faults("unclosed_quote", rows=block.rows[swallowed], **place)
    ragged = filled & (longer | ((lengths < named) & (block.separator != "")))
    if ragged.any():
        found = lengths[ragged].astype(str)
        yield make_faults(
            "ragged_row", rows=block.rows[ragged], found=found, allowed=str(width), **place
        )
    askew = tuple(map(int, block.rows[ragged | swallowed]))
    columns = [column[filled] for column in columns]
    yield replace(block, columns=columns, rows=block.rows[filled], askew=askew)


def _swallows_rows(text: str, place: int, width: int, separator: str) -> bool:
    """Tell whether a cell holds the end of its row and the beginning of another."""
    if "\n" not in text or not separator or width < 3:
        return False
    lines = text.split("\n")  # a separator of the table has no space behind it, a comma does
    first, *between, last = (len(re.findall(rf"{separator}(?! )", line)) for line in lines)
    return first == width - 1 - place and last == place and all(n == width - 1 for n in between)
