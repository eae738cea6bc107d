"""Writing a study: a workbook to begin with, or a folder of CSV files, whole or not at all."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import yaml

from ecoanalysis.codebook import read_codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import LOCAL_CODES, REQUIRED, TABLES, list_fields, read_schema
from ecoanalysis.study.check import list_codes
from ecoanalysis.study.columns import DONT_KNOW
from ecoanalysis.study.descriptor import Descriptor, write_descriptor
from ecoanalysis.study.files import DESCRIPTOR, EXPLANATIONS, WORKBOOK, clean_text
from ecoanalysis.study.suggest import check_name

if TYPE_CHECKING:
    from ecoanalysis.study.read import Study

_SOURCES = re.compile(r"^sources:[ \t]*(?:\[\])?[ \t]*(?:#.*)?$\n?", re.M)
_HEADER = ("table", "colonne / column", "obligatoire / required", "français", "English", "codes")


def write_study(
    tables: Mapping[str, pd.DataFrame], path: str | Path, *, descriptor: Descriptor
) -> None:
    """Write the tables of a study as CSV (UTF-8, comma, decimal point) and its descriptor.

    Either every file is new or every file is as it was. Files of the folder that are no table of a
    study stay; a table that is not given or has no rows goes, unless every study needs it. A table
    that is not declared, or a `study.xlsx` or Parquet in the folder, is a UsageError; a file that
    cannot be replaced, for example while a spreadsheet has it open, an OSError.
    """
    folder = Path(path)
    for name in tables:
        check_name(name, TABLES, "table of a study")
    for other in (folder / WORKBOOK, *folder.glob("*.parquet")):
        if other.exists():
            raise UsageError(f"{folder} holds {other.name}: CSV files cannot stand beside it.")
    given = {name: tables.get(name, pd.DataFrame()) for name in TABLES}
    kept = {name: table for name, table in given.items() if len(table) or name in REQUIRED}
    texts = {f"{name}.csv": _write_csv(kept[name], name) if name in kept else "" for name in TABLES}
    texts[DESCRIPTOR] = write_descriptor(descriptor, name=folder.resolve().name, tables=kept)
    folder.mkdir(parents=True, exist_ok=True)
    _replace_files(texts, folder)


def save_study(
    study: Study, *, source: Mapping[str, str] | None = None, **tables: pd.DataFrame
) -> None:
    """Write some tables of a study, as they shall be, and name the source of what is new.

    A workbook stays one, and a person's descriptor keeps its comments and its order.
    """
    descriptor, file = study.descriptor, study.path / DESCRIPTOR
    if source and source["name"] in {entry.get("name") for entry in descriptor.sources}:
        source = None
    if source:
        descriptor = replace(descriptor, sources=[*descriptor.sources, dict(source)])
    said = file.read_text("utf-8-sig") if file.is_file() else None
    if (study.path / WORKBOOK).is_file():
        _write_workbook(study.path / WORKBOOK, tables)
    else:
        write_study({**study.tables, **tables}, study.path, descriptor=descriptor)
    if said is not None:
        if source:
            entry = yaml.safe_dump([dict(source)], allow_unicode=True, sort_keys=False, width=100)
            said, n = _SOURCES.subn(lambda _: f"sources:\n{entry}", said, count=1)
            if not n:
                said = write_descriptor(descriptor, name=study.study_id, tables=tables)
        file.write_text(said, encoding="utf-8", newline="\n")


def new_study(path: str | Path) -> None:
    """Make a folder with an empty `study.xlsx` and a `datapackage.yaml` to fill in.

    The workbook has a sheet for each table with its headers and lists to choose codes from, and a
    sheet `lisez-moi` that explains every column in French and in English, with its codes.
    UsageError if the folder is there and holds anything.
    """
    import openpyxl
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; choose a folder that is new or empty.")
    folder.mkdir(parents=True, exist_ok=True)
    book, codebook = openpyxl.Workbook(), read_codebook()
    help_sheet = book.worksheets[0]
    help_sheet.title = EXPLANATIONS
    help_sheet.append(_HEADER)
    for name in TABLES[: -len(LOCAL_CODES)]:
        schema, fields, sheet = read_schema(name), list_fields(name), book.create_sheet(name)
        needed = "oui / yes" if name in REQUIRED else "non / no"
        help_sheet.append([name, "", needed, schema["title_fr"], schema["title"]])
        sheet.append(list(fields))
        for cell, field in zip(sheet[1], fields.values(), strict=True):
            required = "required" in field["constraints"]
            codes = list(dict.fromkeys(list_codes(field, codebook).values()))
            texts = field["description_fr"], field["description"]
            allowed = field.get("allowed", "; ".join(codes))
            needed = "oui / yes" if required else ""
            help_sheet.append([name, cell.value, needed, *texts, allowed, *codes])
            if codes and not (field.get("many") or field["numeric"]):
                row, last = help_sheet.max_row, get_column_letter(6 + len(codes))
                choice = DataValidation("list", f"'{EXPLANATIONS}'!$G${row}:${last}${row}")
                choice.add(f"{cell.column_letter}2:{cell.column_letter}5000")
                sheet.add_data_validation(choice)
            column = sheet.column_dimensions[cell.column_letter]
            column.width = max(len(cell.value) + 2, 14)
            column.number_format = "@" if field["type"] == "string" else "General"
            cell.font = Font(bold=required, italic=not required)
    for letter, width in zip("ABCDEF", (14, 20, 14, 70, 70, 70), strict=True):
        help_sheet[f"{letter}1"].font = Font(bold=True)
        help_sheet.column_dimensions[letter].width = width
    help_sheet.column_dimensions.group("G", "JZ", hidden=True)
    for sheet in book.worksheets:
        sheet.freeze_panes = "A2"
    book.save(folder / WORKBOOK)
    text = Path(__file__).with_name("template.yaml").read_text(encoding="utf-8")
    text = text.replace("{name}", repr(folder.resolve().name))
    (folder / DESCRIPTOR).write_text(text, encoding="utf-8")


def restore_answers(table: pd.DataFrame) -> pd.DataFrame:
    """Put "don't know" back where a table of answers has it in a column of its own."""
    if DONT_KNOW not in table:
        return table
    answers = _write_column(table["value"], {"numeric": True})
    answers = answers.mask(table[DONT_KNOW].astype(bool), DONT_KNOW)
    return table.drop(columns=DONT_KNOW).assign(value=answers)


def _write_workbook(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write the rows of some sheets anew; headers, widths and all other sheets stay."""
    import openpyxl

    book = openpyxl.load_workbook(path)
    sheets = {sheet.title.strip().lower(): sheet for sheet in book.worksheets}
    for name, table in ((name, restore_answers(table)) for name, table in tables.items()):
        sheet = sheets[name] if name in sheets else book.create_sheet(name)
        header = [str(cell.value).strip() for cell in sheet[1] if cell.value is not None]
        filled = table.columns[table.notna().any()]
        header += filled.difference(header, sort=False).to_list()
        days = table.select_dtypes("datetime").apply(lambda column: column.dt.date)
        cells = table.assign(**days).reindex(columns=header).astype(object)
        sheet.delete_rows(1, sheet.max_row)
        for row in (header, *cells.where(cells.notna(), None).to_numpy().tolist()):
            sheet.append(row)
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            if isinstance(cell.value, str):
                cell.data_type = "s"  # never a formula, whatever it begins with
    fresh = path.with_name(f".{path.name}.new")
    book.save(fresh)
    fresh.replace(path)


def _write_csv(table: pd.DataFrame, name: str) -> str:
    """Write one table: the declared columns that are filled or required, then the others."""
    fields = list_fields(name)
    table = restore_answers(table)
    given = table.dropna(axis="columns", how="all")
    columns: list[Any] = [c for c in fields if c in given or "required" in fields[c]["constraints"]]
    columns += [c for c in given if c not in fields]
    written = {c: _write_column(table[c], fields.get(c, {})) for c in columns if c in table}
    cells = pd.DataFrame(written, index=table.index, columns=columns)
    return cells.to_csv(index=False, lineterminator="\n", na_rep="")


def _write_column(column: pd.Series[Any], field: Mapping[str, Any]) -> pd.Series[str]:
    """Write numbers with the fewest digits that read back the same, whole ones without a point."""
    if pd.api.types.is_datetime64_any_dtype(column):
        column = column.dt.strftime("%Y-%m-%d")
    texts = column.astype("str").where(column.notna(), "")
    if pd.api.types.is_numeric_dtype(column) or field.get("numeric"):
        return texts.str.replace(r"^(-?\d+)\.0$", r"\1", regex=True)
    return texts.map(clean_text)


def _replace_files(texts: Mapping[str, str], folder: Path) -> None:
    """Replace files by new ones (blank: by none), and put all back if one cannot be replaced."""
    with tempfile.TemporaryDirectory(dir=folder, prefix=".writing-") as name:
        for file, text in texts.items():
            if text:
                Path(name, file).write_text(text, encoding="utf-8", newline="")
        moved: list[tuple[Path, Path]] = []
        try:
            for file in texts:
                fresh, here, former = Path(name, file), folder / file, Path(name, f"former-{file}")
                for start, end in ((here, former), (fresh, here)):
                    if start.exists():
                        start.replace(end)
                        moved.append((start, end))
        except OSError:
            for start, end in reversed(moved):
                end.replace(start)
            raise
