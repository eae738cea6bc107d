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
from ecoanalysis.study import Study
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

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Tables by name.
    folder : str or path
        Folder to make, or to replace; nothing is written when it is an empty string.
    notice : str
        Licence or warning, written on each row in a last column ``notice``.
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
    """Read back what `write_tables` wrote, without the notice.

    Parameters
    ----------
    folder : str or path
        Folder of the tables.

    Returns
    -------
    dict of str to pandas.DataFrame
        The tables with their types; text that was blank is missing.

    Raises
    ------
    UsageError
        If the folder holds no such tables.
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
    """Read the stored tables of those territories that have some.

    Parameters
    ----------
    results : str or path
        Folder that holds one folder a territory, with its ``tables`` in it.
    territories : pandas.DataFrame
        Column territory_id.

    Returns
    -------
    dict of str to dict
        Tables by territory, in the order of `territories`.

    Raises
    ------
    UsageError
        If no territory has stored tables.
    """
    folders = {t: Path(results) / t / "tables" for t in territories["territory_id"]}
    found = {t: read_tables(f) for t, f in folders.items() if (f / PACKAGE).is_file()}
    if not found:
        raise UsageError(f"no territory of this study has tables in {results}")
    return found


def export_xlsx(study: Study, path: str | Path, *, language: Language) -> None:
    """Write a whole study to one workbook, a sheet a table that has rows.

    Parameters
    ----------
    study : Study
        The study.
    path : str or path
        File to write, whole or not at all.
    language : Language
        Language of the notice, which stands on a sheet of its own and on each row.
    """
    notice = study.descriptor.notice.get(language.code, "")
    book = Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, table in study.tables.items():
        if len(table) or name in ("territories", "actors"):
            _fill_sheet(book.create_sheet(name), table, notice)
    if notice:
        _fill_sheet(book.create_sheet(NOTICE), pd.DataFrame({NOTICE: [notice]}), "")
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        book.save(Path(folder) / "study.xlsx")
        (Path(folder) / "study.xlsx").replace(target)


def neutralise_formulas(table: pd.DataFrame) -> pd.DataFrame:
    """Put an apostrophe before each text that a spreadsheet would run as a formula.

    Parameters
    ----------
    table : pandas.DataFrame
        Any table; numbers, dates and booleans stay as they are.

    Returns
    -------
    pandas.DataFrame
        The table, texts that start with ``= + - @``, tab or line break (also after a semicolon)
        with an apostrophe before; one more where there are some already, so that
        `read_tables` can take it away.

    Examples
    --------
    >>> neutralise_formulas(pd.DataFrame({"name": ["=1+1"], "n": [-1]})).values.tolist()
    [["'=1+1", -1]]
    """
    return table.apply(_map_text, args=(_FORMULA, r"\1'\2")) if len(table) else table


def _map_text(column: pd.Series, pattern: re.Pattern[str], by: str) -> pd.Series:
    if column.dtype.kind in _TYPES:
        return column
    return column.map(lambda cell: pattern.sub(by, cell) if isinstance(cell, str) else cell)


def _describe(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "path": f"{name}.csv",
            "schema": {
                "fields": [
                    {"name": str(column), "type": _TYPES.get(kind.kind, "string")}
                    for column, kind in table.dtypes.items()
                ],
            },
        }
        for name, table in tables.items()
    ]


def _read_table(file: Path, schema: Mapping[str, list[dict[str, str]]]) -> pd.DataFrame:
    types = {field["name"]: field["type"] for field in schema["fields"]}
    raw = pd.read_csv(file, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8")
    table = (
        raw[list(types)].apply(_map_text, args=(_NEUTRAL, r"\1\2")) if len(raw) else raw[[*types]]
    )
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
    named = table.assign(**{NOTICE: notice}) if notice else table
    shown = neutralise_formulas(named)
    sheet.append([str(column) for column in shown.columns])
    for row in shown.astype(object).where(shown.notna(), None).itertuples(index=False):
        sheet.append([_CONTROL.sub("", c) if isinstance(c, str) else c for c in row])
    for cells in sheet.iter_rows(min_row=2):
        for cell in cells:
            if isinstance(cell.value, str):
                cell.data_type = "s"
    for cell in sheet[1]:
        cell.font, cell.alignment = Font(bold=True), Alignment(vertical="top")
    sheet.freeze_panes = "A2"
    for i, column in enumerate(shown.columns, start=1):
        longest = shown[column].dropna().astype(str).str.len().max()
        width = min(max(len(str(column)), 0 if pd.isna(longest) else int(longest)) + 2, WIDEST)
        sheet.column_dimensions[get_column_letter(i)].width = width
