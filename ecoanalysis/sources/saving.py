"""Opening a study that may still be empty, and writing back what an import adds to it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import yaml

from ecoanalysis.codebook import read_codebook
from ecoanalysis.errors import StudyError
from ecoanalysis.schemas import LOCAL_CODES, REQUIRED, TABLES
from ecoanalysis.study import Descriptor, Study, check_study, read_study, write_study
from ecoanalysis.study.columns import DONT_KNOW, name_columns, type_columns
from ecoanalysis.study.descriptor import read_descriptor, write_descriptor
from ecoanalysis.study.files import DESCRIPTOR, WORKBOOK, parse_tables, read_files

_NOT_YET = ("missing_table", "empty_table")
_SOURCES = re.compile(r"^sources:[ \t]*(?:\[\])?[ \t]*(?:#.*)?$\n?", re.M)


def open_study(path: Path) -> Study:
    """Read a study; one without territories or actors, or no folder, is opened all the same.

    Tables that are not there yet have all their columns and no row. Any other fault is a
    `StudyError`.
    """
    name, faults = path.resolve().name, pd.DataFrame()
    descriptor, cells = Descriptor(title={"fr": name, "en": name}), {}
    if path.is_dir():
        faults = check_study(path)
        refusals = faults[faults["severity"].eq("refusal")]
        if refusals.empty:
            return read_study(path)
        if not (refusals["code"].isin(_NOT_YET) & refusals["table"].isin(REQUIRED)).all():
            message = f"{path} has faults of its own; mend them before anything is imported."
            raise StudyError(message, faults=faults)
        files = read_files(path)
        descriptor = read_descriptor(files.contents.get(DESCRIPTOR), study_id=name)[0]
        order = descriptor.date_order
        for table, raw in parse_tables(files)[0].items():
            cells[table] = name_columns(raw, date_order=order).cells
    tables = {table: type_columns(table, cells.get(table, pd.DataFrame())) for table in TABLES}
    book = read_codebook(**{table: tables[table] for table in LOCAL_CODES})
    return Study(path, name, descriptor, tables, book, faults)


def save_study(
    study: Study, *, source: Mapping[str, str] | None = None, **tables: pd.DataFrame
) -> None:
    """Write some tables of a study, as they shall be, and name the source of what is new."""
    descriptor = study.descriptor
    if source and source["name"] in {entry.get("name") for entry in descriptor.sources}:
        source = None
    if source:
        descriptor = replace(descriptor, sources=[*descriptor.sources, dict(source)])
    file = study.path / DESCRIPTOR
    said = file.read_text("utf-8-sig") if file.is_file() else None
    if (study.path / WORKBOOK).is_file():
        _write_workbook(study.path / WORKBOOK, tables)
    else:
        write_study({**study.tables, **tables}, study.path, descriptor=descriptor)
    if said is not None:  # a person's descriptor keeps its comments and its order
        if source:
            entry = yaml.safe_dump([dict(source)], allow_unicode=True, sort_keys=False, width=100)
            said, n = _SOURCES.subn(lambda _: f"sources:\n{entry}", said, count=1)
            if not n:
                said = write_descriptor(descriptor, name=study.study_id, tables=tables)
        file.write_text(said, encoding="utf-8", newline="\n")


def _write_workbook(path: Path, tables: Mapping[str, pd.DataFrame]) -> None:
    """Write the rows of some sheets anew; headers, widths and all other sheets stay."""
    book = openpyxl.load_workbook(path)
    sheets = {sheet.title.strip().lower(): sheet for sheet in book.worksheets}
    for name, table in tables.items():
        if DONT_KNOW in table:
            answers = table["value"].astype(object).mask(table[DONT_KNOW], DONT_KNOW)
            table = table.drop(columns=DONT_KNOW).assign(value=answers)
        sheet = sheets[name] if name in sheets else book.create_sheet(name)
        header = [str(cell.value).strip() for cell in sheet[1] if cell.value is not None]
        filled = table.columns[table.notna().any()].astype("str")
        header += filled.difference(header, sort=False).to_list()
        cells = table.reindex(columns=header).astype(object).map(_write_value)
        sheet.delete_rows(1, sheet.max_row)
        for row in (header, *cells.to_numpy().tolist()):
            sheet.append(row)
        for cell in (cell for row in sheet.iter_rows() for cell in row):
            if isinstance(cell.value, str):
                cell.data_type = "s"  # never a formula, whatever it begins with
    fresh = path.with_name(f".{path.name}.new")
    book.save(fresh)
    fresh.replace(path)


def _write_value(value: Any) -> Any:
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.date()
    return int(value) if isinstance(value, float) and value.is_integer() else value
