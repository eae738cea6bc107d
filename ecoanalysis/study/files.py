"""The files of a study, and the text that they hold: by its mark, else UTF-8, else cp1252.

Detectors that guess among all code pages read the French ê as another letter.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, time
from itertools import count, islice, zip_longest
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
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_BINARY_STARTS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\xff\xd8\xff")
_ZERO_WIDTH = dict.fromkeys(
    [0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070)]
)


@dataclass(frozen=True)
class RawTable:
    """One table as clean text, and what is amiss with it.

    `labels` name the `columns`; `rows` are the numbers that the spreadsheet shows. Rows `askew`
    have too few or too many cells. A table that is not `whole` could not be read to its end.
    """

    name: str
    file: str
    separator: str = ""
    labels: list[str] = field(default_factory=list)
    columns: list[npt.NDArray[np.object_]] = field(default_factory=list)
    rows: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    askew: tuple[int, ...] = ()
    whole: bool = True
    faults: tuple[pd.DataFrame, ...] = ()


@dataclass(frozen=True)
class StudyFiles:
    """A study's folder: the bytes of the files that count, and the names of tables that do not."""

    path: Path
    contents: dict[str, bytes]
    others: list[str]


def read_files(path: str | Path) -> StudyFiles:
    """Read the files of a study's folder; UsageError if there is no such folder."""
    folder = Path(path)
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    names = sorted(file.name for file in folder.iterdir() if file.is_file())
    folded = {name.lower(): name for name in names}
    counted = {WORKBOOK, DESCRIPTOR, *(folded.get(f"{table}.csv") for table in TABLES)}
    others = [name for name in names if _TABLE_FILE.fullmatch(name) and name not in counted]
    contents = {name: (folder / name).read_bytes() for name in names if name in counted}
    return StudyFiles(folder, contents, others)


def parse_tables(files: StudyFiles) -> tuple[dict[str, RawTable], list[pd.DataFrame]]:
    """Parse every table of a study into text, by name.

    The faults are those of `read_sheets`, `both_kinds`, `unused_file`, `missing_table` and
    `empty_table`; a table that every study needs is there even so, not whole.
    """
    unused = [(file, Path(file).stem) for file in files.others]
    faults: list[pd.DataFrame] = []
    csv_files = [name for name in files.contents if name not in (WORKBOOK, DESCRIPTOR)]
    book = [WORKBOOK] if WORKBOOK in files.contents else []
    if book and csv_files:
        faults.append(make_faults("both_kinds", file=WORKBOOK, found=", ".join(csv_files)))
    tables: dict[str, RawTable] = {}
    for file in book or csv_files:
        for raw in read_sheets(files.contents[file], file=file, only=TABLES):
            name = raw.name.strip().lower()
            if name in TABLES or file != WORKBOOK:
                faults += [fault.assign(table=name) for fault in raw.faults]
                if raw.labels or not raw.whole or name in REQUIRED:
                    tables[name] = replace(raw, name=name)
            elif not raw.whole:
                faults += raw.faults
                tables |= {table: replace(raw, name=table) for table in REQUIRED}
            elif name != EXPLANATIONS:
                unused.append((file, raw.name))
    for name in REQUIRED:
        found = tables.get(name)
        if found is None or (found.whole and not len(found.rows)):
            file = found.file if found else WORKBOOK if book else f"{name}.csv"
            code = "empty_table" if found else "missing_table"
            faults.append(make_faults(code, table=name, file=file, found=name))
            tables[name] = RawTable(name, file, whole=False)
    for file, name in unused:
        meant = suggest_words([name], known=[*TABLES, "study"])
        faults.append(make_faults("unused_file", file=file, found=name, suggestion=meant))
    return tables, faults


def read_sheets(content: bytes, *, file: str, only: Collection[str] = ()) -> Iterator[RawTable]:
    """Read a CSV file or, if `file` is named like one, sheet by sheet a workbook, as text.

    A table has the name of its sheet, or of the file without its ending; none, if it is no
    workbook. Sheets that are not `only` (in lower case) are named and not read. Dates become
    year-month-day, true and false TRUE and FALSE, whole numbers lose their point. Faults:
    `binary_file`, `unreadable_encoding`, `unclosed_quote`, `ragged_row`.
    """
    if not file.lower().endswith((".xlsx", ".xlsm")):
        yield _read_csv(content, file)
        return
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles that openpyxl does not know
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError):
        yield RawTable("", file, whole=False, faults=(make_faults("binary_file", file=file),))
        return
    for sheet in book.worksheets:
        raw = RawTable(sheet.title, file)
        if not only or sheet.title.strip().lower() in only:
            sheet.reset_dimensions()
            cells = sheet.iter_rows(values_only=True)
            raw = _stack_records(([_write_cell(cell) for cell in row] for row in cells), raw)
        yield raw
    book.close()


def clean_text(text: str) -> str:
    """Compose accents (NFC), drop characters without width, trim, and use one kind of line end."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_ZERO_WIDTH))
    return (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text).strip()


def _read_csv(content: bytes, file: str) -> RawTable:
    raw = RawTable(Path(file).stem, file)
    encoding, code = _find_encoding(content)
    if code:
        return replace(raw, whole=False, faults=(make_faults(code, file=file),))
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    header = re.sub(r'"[^"]*"', "", stream.readline())
    separator = max(",;\t", key=header.count)
    stream.seek(0)
    reader = csv.reader(stream, delimiter=separator, strict=True)
    return _stack_records(reader, replace(raw, separator=separator))


def _find_encoding(content: bytes) -> tuple[str, str]:
    """Find the encoding, or the code of the fault that stands in the way."""
    marked = [name for mark, name in _MARKS.items() if content.startswith(mark)]
    start = content[:8192]
    controls = len(re.findall(rb"[\x00-\x08\x0e-\x1f]", start))
    if not marked and (content.startswith(_BINARY_STARTS) or controls > max(len(start) // 20, 4)):
        return "", "binary_file"
    for encoding in marked or ["utf-8", "cp1252"]:
        with suppress(UnicodeDecodeError):
            content.decode(encoding)
            return encoding, ""
    return "", "unreadable_encoding"


def _write_cell(cell: Any) -> str:
    """Write a typed cell of a workbook as CSV would hold it."""
    if isinstance(cell, bool):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(cell)
    if isinstance(cell, date | time):
        return cell.isoformat().removesuffix("T00:00:00")
    return "" if cell is None else str(cell)


def _stack_records(records: Iterable[list[str]], raw: RawTable) -> RawTable:
    """Turn records into columns: the first that is filled is labels, blank ones are dropped.

    A chunk at a time, each distinct text of a column is cleaned once.
    """
    open_at: list[int] = []
    numbered = _number(records, open_at)
    headers = ([clean_text(label) for label in record] for _, record in numbered)
    raw = replace(raw, labels=next(filter(any, headers), []))
    width = len(raw.labels)
    columns = [[np.empty(0, object)] for _ in raw.labels]
    marks = [np.empty((5, 0), np.int64)]
    while chunk := list(islice(numbered, _CHUNK)):
        filled, longer, torn = np.zeros((3, len(chunk)), np.int64)
        cells = zip_longest(raw.labels, *(record for _, record in chunk), fillvalue="")
        for i, (_, *texts) in enumerate(cells):
            codes, distinct = pd.factorize(np.array(texts, dtype=object))
            clean = np.array([clean_text(text) for text in distinct], dtype=object)
            filled |= (clean != "")[codes]
            if i < width:
                columns[i].append(clean[codes])
                torn |= np.array([_swallows_rows(text, i, raw) for text in distinct])[codes]
            else:
                longer |= (clean != "")[codes]
        rows, lengths = np.array([(row, len(record)) for row, record in chunk]).T
        marks.append(np.stack([rows, lengths, filled, longer, torn]))
    rows, lengths, *flags = np.concatenate(marks, axis=1)
    filled, longer, torn = (flag.astype(bool) for flag in flags)
    named = max((i for i, label in enumerate(raw.labels, start=1) if label), default=0)
    ragged = filled & (longer | ((lengths < named) & (raw.separator != "")))
    misfit: dict[str, Any] = {"found": lengths[ragged].astype(str), "allowed": str(width)}
    faults = [("unclosed_quote", [*rows[torn], *open_at], {}), ("ragged_row", rows[ragged], misfit)]
    return replace(
        raw,
        columns=[np.concatenate(parts)[filled] for parts in columns],
        rows=rows[filled],
        askew=tuple(map(int, rows[ragged | torn])),
        whole=not open_at,
        faults=tuple(
            make_faults(c, file=raw.file, rows=r, **more) for c, r, more in faults if len(r)
        ),
    )


def _number(records: Iterable[list[str]], open_at: list[int]) -> Iterator[tuple[int, list[str]]]:
    """Count the records, and add the row of a quotation mark that is not closed to `open_at`."""
    rows = count(1)
    try:
        yield from zip(rows, records, strict=False)
    except csv.Error:
        open_at.append(next(rows) - 1)


def _swallows_rows(text: str, place: int, raw: RawTable) -> bool:
    """Tell whether a cell holds the end of its row and the beginning of another."""
    if "\n" not in text or not raw.separator or (width := len(raw.labels)) < 3:
        return False
    lines = text.split("\n")  # a separator of the table has no space behind it, a comma does
    first, *between, last = (len(re.findall(rf"{raw.separator}(?! )", line)) for line in lines)
    return first == width - 1 - place and last == place and all(n == width - 1 for n in between)
