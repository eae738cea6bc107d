"""The files of a study, and the text that they hold: by its mark, else UTF-8, else cp1252."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import warnings
import zipfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, time
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

import numpy as np
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
# What a spreadsheet reads as the start of a formula: at the start of a cell, and after a
# semicolon, where an Excel in French cuts a comma-separated line.
_FORMULA = re.compile(r"(^|;)('*[=+\-@\t\r\n＝＋－＠])")
_NEUTRAL = re.compile(r"(^|;)'('*[=+\-@\t\r\n＝＋－＠])")


@dataclass(frozen=True)
class Table:
    """One table as clean text; the index of `cells` is the row that the spreadsheet shows.

    The columns have the labels of the file, until `name_columns` gives them their right names and
    adds those that are `missing`, blank. Rows `askew` have too few or too many cells; a table that
    is not `whole` could not be read to its end.
    """

    name: str
    file: str
    cells: pd.DataFrame = field(default_factory=pd.DataFrame)
    separator: str = ""
    missing: tuple[str, ...] = ()
    askew: tuple[int, ...] = ()
    whole: bool = True
    faults: tuple[pd.DataFrame, ...] = ()


def read_files(path: str | Path) -> dict[str, bytes | None]:
    """Read the files of a study's folder; None for a table that is none of the study's.

    No such folder is a UsageError.
    """
    folder = Path(path)
    if not folder.is_dir():
        raise UsageError(f"There is no folder {folder}.")
    contents: dict[str, bytes | None] = {}
    for file in sorted(file for file in folder.iterdir() if file.is_file()):
        stem, _, ending = file.name.lower().rpartition(".")
        table = stem in TABLES and ending in ("csv", "parquet")
        if table or file.name in (WORKBOOK, DESCRIPTOR):
            contents[file.name] = file.read_bytes()
        elif _TABLE_FILE.fullmatch(file.name):
            contents[file.name] = None
    return contents


def parse_tables(
    contents: Mapping[str, bytes | None],
) -> tuple[dict[str, Table], list[pd.DataFrame]]:
    """Parse every table of a study into text, by name.

    The faults are those of `read_sheets`, `both_kinds`, `unused_file`, `missing_table` and
    `empty_table`; a table that every study needs is there even so, not whole.
    """
    unused = [(file, Path(file).stem) for file, content in contents.items() if content is None]
    kinds: dict[str, dict[str, bytes]] = {}
    for file, content in contents.items():
        if content is not None and file != DESCRIPTOR:
            kinds.setdefault(Path(file).suffix.lower(), {})[file] = content
    faults: list[pd.DataFrame] = []
    first, *more = [kinds[kind] for kind in sorted(kinds, reverse=True)] or [{}]
    if more:
        found = ", ".join(chain.from_iterable(more))
        faults.append(make_faults("both_kinds", file=next(iter(first)), found=found))
    tables: dict[str, Table] = {}
    for file, content in first.items():
        for raw in read_sheets(content, file=file, only=TABLES):
            name = raw.name.strip().lower()
            faults += raw.faults
            if not name:  # no workbook
                tables |= {table: replace(raw, name=table) for table in REQUIRED}
            elif name in TABLES:
                if len(raw.cells.columns) or not raw.whole or name in REQUIRED:
                    tables[name] = replace(raw, name=name)
            elif name != EXPLANATIONS:
                unused.append((file, raw.name))
    for name in REQUIRED:
        table = tables.get(name)
        if table is None or (table.whole and table.cells.empty):
            file = table.file if table else WORKBOOK if WORKBOOK in first else f"{name}.csv"
            code = "empty_table" if table else "missing_table"
            faults.append(make_faults(code, table=name, file=file, found=name))
            tables[name] = Table(name, file, whole=False)
    for file, name in unused:
        meant = suggest_words([name], known=[*TABLES, "study"])
        faults.append(make_faults("unused_file", file=file, found=name, suggestion=meant))
    return tables, faults


def read_sheets(content: bytes, *, file: str, only: Collection[str] = ()) -> Iterator[Table]:
    """Read a CSV or Parquet file or, if `file` is named like one, sheet by sheet a workbook.

    A table has the name of its sheet, or of the file without its ending; none, if it is no
    workbook. Sheets that are not `only` (in lower case) are named and not read. Dates become
    year-month-day, true and false TRUE and FALSE, whole numbers lose their point. Faults:
    `binary_file`, `unreadable_encoding`, `unclosed_quote`, `ragged_row`.
    """
    raw = Table(Path(file).stem, file)
    if not file.lower().endswith((".xlsx", ".xlsm")):
        parquet = file.lower().endswith(".parquet")
        yield _read_parquet(content, raw) if parquet else _read_csv(content, raw)
        return
    import openpyxl

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles that openpyxl does not know
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError):
        yield _give_up(replace(raw, name=""), "binary_file")
        return
    for sheet in book.worksheets:
        raw = Table(sheet.title, file)
        if not only or sheet.title.strip().lower() in only:
            sheet.reset_dimensions()
            rows = sheet.iter_rows(values_only=True)
            raw = _stack_records(([write_cell(cell) for cell in row] for row in rows), raw)
        yield raw
    book.close()


def clean_text(text: str) -> str:
    """Compose accents (NFC), drop characters without width, trim, and use one kind of line end."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text.translate(_ZERO_WIDTH))
    return (text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text).strip()


def neutralise_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before each text or label that a spreadsheet would run as a formula.

    Those are texts that start with ``= + - @``, tab or line break, also after a semicolon; where
    there are apostrophes already, one more is put, so that `restore_texts` can take it away.

    Examples
    --------
    >>> neutralise_formulas(pd.DataFrame({"name": ["=1+1"], "n": [-1]})).values.tolist()
    [["'=1+1", -1]]
    """
    return replace_texts(table, _FORMULA, r"\1'\2")


def restore_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Take away the apostrophes that `neutralise_formulas` put."""
    return replace_texts(table, _NEUTRAL, r"\1\2")


def replace_texts(table: pd.DataFrame, pattern: re.Pattern[str], by: str) -> pd.DataFrame:
    """Replace a pattern in the texts and the labels of a table."""

    def change(cell: Any) -> Any:
        return pattern.sub(by, cell) if isinstance(cell, str) else cell

    changed = table.rename(columns=change)
    texts = changed.select_dtypes(exclude=["number", "bool", "datetime"]).columns
    changed[texts] = changed[texts].map(change)
    return changed


def _give_up(raw: Table, code: str) -> Table:
    fault = make_faults(code, table=raw.name.strip().lower(), file=raw.file)
    return replace(raw, whole=False, faults=(fault,))


def _read_parquet(content: bytes, raw: Table) -> Table:
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise UsageError(f"{raw.file} needs pyarrow: pip install 'ecoanalysis[parquet]'") from error
    try:
        table = pq.read_table(pa.BufferReader(content))
        names, columns = map(clean_text, table.column_names), table.itercolumns()
        texts = [_clean_column(column.to_pandas()) for column in columns]
    except (pa.ArrowException, TypeError):  # none, or it holds lists or records
        return _give_up(raw, "binary_file")
    cells = pd.DataFrame(dict(enumerate(texts))).set_axis(pd.RangeIndex(2, table.num_rows + 2))
    return replace(raw, cells=cells.set_axis(list(names), axis=1))


def _read_csv(content: bytes, raw: Table) -> Table:
    encoding, code = _find_encoding(content)
    if code:
        return _give_up(raw, code)
    stream = io.TextIOWrapper(io.BytesIO(content), encoding=encoding, newline="")
    header = re.sub(r'"[^"]*"', "", stream.readline())
    separator = max(",;\t", key=header.count)
    stream.seek(0)
    reader = csv.reader(stream, delimiter=separator, strict=True)
    return _stack_records(reader, replace(raw, separator=separator))


def _find_encoding(content: bytes) -> tuple[str, str]:
    """Find the encoding, or the code of the fault that stands in the way.

    Detectors that guess among all code pages read the French ê as another letter.
    """
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


def write_cell(cell: Any) -> str:
    """Write a typed cell as CSV would hold it."""
    if isinstance(cell, bool | np.bool_):
        return str(cell).upper()
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() else repr(float(cell))
    if isinstance(cell, date | time):
        return cell.isoformat().removesuffix("T00:00:00")
    return "" if cell is None else str(cell)


def _clean_column(column: pd.Series) -> pd.Series[str]:
    """Write a column as clean text, each distinct cell once; what is missing is blank."""
    codes, distinct = pd.factorize(column)
    texts = [*(clean_text(write_cell(cell)) for cell in distinct), ""]
    return pd.Series(pd.array(texts, dtype="str").take(codes), column.index)


def _stack_records(records: Iterable[list[str]], raw: Table) -> Table:
    """Turn records into columns: the first that is filled is labels, blank ones are dropped."""
    open_at: list[int] = []
    numbered = _number(records, open_at)
    labels = next(filter(any, ([clean_text(cell) for cell in row] for _, row in numbered)), [])
    width, named = len(labels), max((i for i, label in enumerate(labels, 1) if label), default=0)
    parts = [pd.DataFrame(columns=range(width), dtype="str")]
    torn: list[int] = []
    ragged: dict[int, int] = {}
    while chunk := list(islice(numbered, _CHUNK)):
        sizes = {row: len(cells) for row, cells in chunk}
        widest = max(width, *sizes.values())
        padded = [[*cells, *[""] * (widest - len(cells))] for _, cells in chunk]
        part = pd.DataFrame(padded, list(sizes), range(widest)).apply(_clean_column)
        part = part[(part != "").any(axis=1)]
        longer = (part.iloc[:, width:] != "").any(axis=1)
        short = (part.index.map(sizes) < named) & (raw.separator != "")
        ragged |= {row: sizes[row] for row in part.index[longer | short]}
        parts.append(part.iloc[:, :width])
        for i in range(width if raw.separator else 0):
            lines = part.loc[part[i].str.contains("\n"), i]
            rows = zip(lines.index.tolist(), lines, strict=True)
            torn += [row for row, text in rows if _swallows_rows(text, i, raw, width)]
    misfit: dict[str, Any] = {"found": map(str, ragged.values()), "allowed": str(width)}
    faults = [("unclosed_quote", [*torn, *open_at], {}), ("ragged_row", [*ragged], misfit)]
    return replace(
        raw,
        cells=pd.concat(parts).set_axis(labels, axis=1),
        askew=tuple(dict.fromkeys([*ragged, *torn])),
        whole=not open_at,
        faults=tuple(
            make_faults(code, table=raw.name.strip().lower(), file=raw.file, rows=rows, **texts)
            for code, rows, texts in faults
            if rows
        ),
    )


def _number(records: Iterable[list[str]], open_at: list[int]) -> Iterator[tuple[int, list[str]]]:
    """Count the records, and add the row of a quotation mark that is not closed to `open_at`."""
    rows = count(1)
    try:
        yield from zip(rows, records, strict=False)
    except csv.Error:
        open_at.append(next(rows) - 1)


def _swallows_rows(text: str, place: int, raw: Table, width: int) -> bool:
    """Tell whether a cell holds the end of its row and the beginning of another."""
    if width < 3:
        return False
    lines = text.split("\n")  # a separator of the table has no space behind it, a comma does
    first, *between, last = (len(re.findall(rf"{raw.separator}(?! )", line)) for line in lines)
    return first == width - 1 - place and last == place and all(n == width - 1 for n in between)
