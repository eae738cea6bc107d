"""Writing a study as a folder of CSV files, whole or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import REQUIRED, TABLES, list_columns, read_schema
from ecoanalysis.study.columns import DONT_KNOW, is_numeric
from ecoanalysis.study.descriptor import Descriptor, write_descriptor
from ecoanalysis.study.files import DESCRIPTOR, WORKBOOK, clean_text


def write_study(
    tables: Mapping[str, pd.DataFrame], path: str | Path, *, descriptor: Descriptor
) -> None:
    """Write the tables of a study as CSV (UTF-8, comma, decimal point) and its descriptor.

    Either every file is new or every file is as it was. Files of the folder that are no table of a
    study stay; a table that is not given or has no rows goes, unless every study needs it.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        Tables as `read_study` returns them.
    path : str or pathlib.Path
        Folder of the study; it is made where there is none.
    descriptor : Descriptor
        What the study says of itself.

    Raises
    ------
    UsageError
        If a table is not declared, or the folder holds a `study.xlsx`.
    OSError
        If a file cannot be replaced, for example while a spreadsheet has it open.
    """
    folder = Path(path)
    unknown = sorted(set(tables) - set(TABLES))
    if unknown:
        raise UsageError(
            f"No table of a study: {', '.join(unknown)}; there are {', '.join(TABLES)}."
        )
    if (folder / WORKBOOK).exists():
        raise UsageError(
            f"{folder} holds {WORKBOOK}: a study is a workbook or CSV files, not both."
        )
    empty = pd.DataFrame()
    filled = {name: tables.get(name, empty) for name in TABLES}
    filled = {name: t for name, t in filled.items() if len(t) or name in REQUIRED}
    texts: dict[str, str | None] = {f"{name}.csv": None for name in TABLES}
    texts |= {f"{name}.csv": _write_csv(table, name=name) for name, table in filled.items()}
    texts[DESCRIPTOR] = write_descriptor(descriptor, name=folder.resolve().name, tables=filled)
    folder.mkdir(parents=True, exist_ok=True)
    _replace_files(texts, folder)


def _write_csv(table: pd.DataFrame, *, name: str) -> str:
    fields = {field["name"]: field for field in read_schema(name)["fields"]}
    if name == "ratings" and DONT_KNOW in table:
        answers = _write_numbers(table["value"]).mask(table[DONT_KNOW].astype(bool), DONT_KNOW)
        table = table.drop(columns=DONT_KNOW).assign(value=answers)
    given = table.dropna(axis="columns", how="all")
    required = {n for n, field in fields.items() if field.get("constraints", {}).get("required")}
    columns = [c for c in list_columns(name) if c in given or c in required]
    columns += [c for c in given.columns if c not in fields]
    written = {c: _write_column(table[c], fields.get(c, {})) for c in columns if c in table}
    cells = pd.DataFrame(written, index=table.index, columns=columns)
    return cells.to_csv(index=False, lineterminator="\n", na_rep="")


def _write_column(column: pd.Series[Any], field: dict[str, Any]) -> pd.Series[str]:
    if pd.api.types.is_datetime64_any_dtype(column):
        days: pd.Series[str] = column.dt.strftime("%Y-%m-%d").fillna("")
        return days
    if pd.api.types.is_numeric_dtype(column) or (field and is_numeric(field)):
        return _write_numbers(column)
    return column.astype("str").where(column.notna(), "").map(clean_text)


def _write_numbers(column: pd.Series[Any]) -> pd.Series[str]:
    """Write numbers with the fewest digits that read back the same, whole ones without a point."""
    texts = column.astype("str").where(column.notna(), "")
    return texts.str.replace(r"^(-?\d+)\.0$", r"\1", regex=True)


def _replace_files(texts: Mapping[str, str | None], folder: Path) -> None:
    """Replace files by new ones (None: by nothing), and put all back if one cannot be replaced."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as name:
        fresh, former = Path(name) / "new", Path(name) / "old"
        fresh.mkdir()
        former.mkdir()
        for file, text in texts.items():
            if text is not None:
                (fresh / file).write_text(text, encoding="utf-8", newline="")
        done: list[str] = []
        try:
            for file in texts:
                done.append(file)
                if (folder / file).exists():
                    (folder / file).replace(former / file)
                if (fresh / file).exists():
                    (fresh / file).replace(folder / file)
        except OSError:
            for file in done:
                if (former / file).exists():
                    (former / file).replace(folder / file)
                elif texts[file] is not None and not (fresh / file).exists():
                    (folder / file).unlink()
            raise
