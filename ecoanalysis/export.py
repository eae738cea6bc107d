"""Tables as files for other programs, in which nothing that a name holds is ever a formula."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import REQUIRED
from ecoanalysis.study import Study
from ecoanalysis.study.descriptor import write_descriptor
from ecoanalysis.study.files import DESCRIPTOR
from ecoanalysis.study.write import restore_answers
from ecoanalysis.wording import Language

NOTICE = "notice"
PACKAGE = "datapackage.json"
WIDEST = 60

# What a spreadsheet reads as the start of a formula: at the start of a cell, and after a
# semicolon, where an Excel in French cuts a comma-separated line.
_FORMULA = re.compile(r"(^|;)('*[=+\-@\t\r\n＝＋－＠])")
_NEUTRAL = re.compile(r"(^|;)'('*[=+\-@\t\r\n＝＋－＠])")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_TYPES = {"i": "integer", "u": "integer", "f": "number", "b": "boolean", "M": "datetime"}
_DTYPES = {"integer": "int64", "number": "float64", "datetime": "datetime64[s]", "string": "str"}


def write_tables(
    tables: Mapping[str, pd.DataFrame], folder: str | Path, *, notice: str = ""
) -> None:
    """Write tables as CSV files with a descriptor of their types, all of them or none.

    The folder is made, or replaced; nothing is written when it is an empty string. The `notice`, a
    licence or warning, stands on each row in a last column ``notice``.
    """
    if folder == "":
        return
    with _replace_folder(Path(folder)) as building:
        for name, table in tables.items():
            written = neutralise_formulas(table)
            if notice:
                written = written.drop(columns=NOTICE, errors="ignore").assign(**{NOTICE: notice})
            # Lines end as RFC 4180 says, the same on every system; a lone CR is then quoted.
            written.to_csv(
                building / f"{name}.csv", index=False, encoding="utf-8", lineterminator="\r\n"
            )
        package = {"name": "tables", "notice": notice, "resources": _describe(tables)}
        text = json.dumps(package, ensure_ascii=False, indent=1)
        (building / PACKAGE).write_text(text + "\n", encoding="utf-8")


def read_tables(folder: str | Path) -> dict[str, pd.DataFrame]:
    """Read back what `write_tables` wrote, with types, without the notice.

    Text that was blank is missing. A folder without such tables is a UsageError.
    """
    file = Path(folder) / PACKAGE
    if not file.is_file():
        raise UsageError(f"no tables in {folder}: {PACKAGE} is missing")
    package = json.loads(file.read_text(encoding="utf-8"))
    return {
        resource["name"]: _read_table(Path(folder) / resource["path"], resource["schema"])
        for resource in package["resources"]
    }


def read_results(
    results: str | Path, *, territories: pd.DataFrame
) -> dict[str, dict[str, pd.DataFrame]]:
    """Read the stored tables of those territories that have some, in the order of the table.

    The folder `results` holds one folder a territory, with its ``tables`` in it. If none has any,
    it is a UsageError.
    """
    folders = {t: Path(results) / t / "tables" for t in territories["territory_id"]}
    found = {t: read_tables(f) for t, f in folders.items() if (f / PACKAGE).is_file()}
    if not found:
        raise UsageError(f"no territory of this study has tables in {results}")
    return found


def export_xlsx(study: Study, path: str | Path, *, language: Language) -> None:
    """Write a whole study to one workbook, whole or not at all, a sheet a table that has rows.

    The notice stands on a sheet of its own and on each row.
    """
    notice = study.descriptor.notice.get(language.code, "")
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, table in study.tables.items():
        if len(table) or name in REQUIRED:
            _fill_sheet(book.create_sheet(name), table, notice)
    if notice:
        _fill_sheet(book.create_sheet(NOTICE), pd.DataFrame({NOTICE: [notice]}), "")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        book.save(Path(folder) / "study.xlsx")
        (Path(folder) / "study.xlsx").replace(target)


def export_parquet(study: Study, path: str | Path) -> None:
    """Write a whole study to a new folder as Parquet, which `read_study` reads back.

    The notice stands in the descriptor and with the properties of each file. A folder that holds
    anything, or pyarrow not being installed, is a UsageError.
    """
    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; choose a folder that is new or empty.")
    tables = {n: t for n, t in study.tables.items() if len(t) or n in REQUIRED}
    with _replace_folder(folder) as building:
        for name, table in tables.items():
            written = restore_answers(table).dropna(axis="columns", how="all")
            written.attrs = {NOTICE: study.descriptor.notice}
            try:
                written.to_parquet(building / f"{name}.parquet", index=False)
            except ImportError as error:
                raise UsageError(
                    "This needs pyarrow: pip install 'ecoanalysis[parquet]'"
                ) from error
        own, name = study.descriptor, study.study_id
        text = write_descriptor(own, name=name, tables=tables, ending="parquet")
        (building / DESCRIPTOR).write_text(text, encoding="utf-8")


def neutralise_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before each text that a spreadsheet would run as a formula.

    Those are texts that start with ``= + - @``, tab or line break, also after a semicolon; where
    there are apostrophes already, one more is put, so that `read_tables` can take it away.

    Examples
    --------
    >>> neutralise_formulas(pd.DataFrame({"name": ["=1+1"], "n": [-1]})).values.tolist()
    [["'=1+1", -1]]
    """
    return _map_texts(table, _FORMULA, r"\1'\2")


def _map_texts(table: pd.DataFrame, pattern: re.Pattern[str], by: str) -> pd.DataFrame:
    texts = [name for name, kind in table.dtypes.items() if kind.kind not in _TYPES]
    changed = table[texts].map(lambda c: pattern.sub(by, c) if isinstance(c, str) else c)
    return table.assign(**changed) if texts else table


def _describe(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, object]]:
    described: list[dict[str, object]] = []
    for name, table in tables.items():
        types = [(str(c), _TYPES.get(kind.kind, "string")) for c, kind in table.dtypes.items()]
        fields = [{"name": column, "type": kind} for column, kind in types]
        described.append({"name": name, "path": f"{name}.csv", "schema": {"fields": fields}})
    return described


def _read_table(file: Path, schema: Mapping[str, list[dict[str, str]]]) -> pd.DataFrame:
    types = {field["name"]: field["type"] for field in schema["fields"]}
    raw = pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    table = _map_texts(raw[list(types)], _NEUTRAL, r"\1\2")
    booleans = [name for name, kind in types.items() if kind == "boolean"]
    table[booleans] = table[booleans] == "True"
    return table.astype({n: _DTYPES.get(kind, "bool") for n, kind in types.items()})


@contextmanager
def _replace_folder(place: Path) -> Iterator[Path]:
    """Give a folder beside its place, and put it there once it is complete."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=place.parent) as scratch:
        building = Path(scratch) / "new"
        building.mkdir()
        yield building
        if place.exists():
            place.replace(Path(scratch) / "old")
        building.replace(place)


def _fill_sheet(sheet: Worksheet, table: pd.DataFrame, notice: str) -> None:
    """Fill one sheet: header that stays, widths that fit, text that stays text."""
    shown = neutralise_formulas(table.assign(**{NOTICE: notice}) if notice else table)
    sheet.append([str(column) for column in shown.columns])
    for row in shown.astype(object).where(shown.notna(), None).itertuples(index=False):
        sheet.append([_CONTROL.sub("", c) if isinstance(c, str) else c for c in row])
    for cell in (cell for cells in sheet.iter_rows(min_row=2) for cell in cells):
        if isinstance(cell.value, str):
            cell.data_type = "s"
    sheet.freeze_panes = "A2"
    for i, column in enumerate(shown.columns, start=1):
        cell = sheet.cell(1, i)
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="top")
        widths = [len(str(column)), *shown[column].dropna().astype("str").str.len()]
        sheet.column_dimensions[get_column_letter(i)].width = min(max(widths) + 2, WIDEST)
