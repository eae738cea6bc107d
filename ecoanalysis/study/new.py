"""A study to begin with: a workbook whose sheets wait for rows, and a descriptor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecoanalysis.codebook import Codebook, read_codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import REQUIRED, TABLES, read_schema
from ecoanalysis.study.files import DESCRIPTOR, EXPLANATIONS, WORKBOOK

if TYPE_CHECKING:
    from openpyxl.worksheet.worksheet import Worksheet

_LAST_ROW = 5_000
_LOCAL_TABLES = ("kinds", "subkinds", "criteria")
_DESCRIPTOR = """\
# Décrit l'étude / Describes the study. Une ligne commençant par # n'est pas lue / is not read.
name: {name}
title: {title}
languages: [fr, en]
licenses: []      # - {{name: ODbL-1.0, title: Open Database License, path: "https://…"}}
sources: []       # - {{name: my-list, title: …, licence: …, accessed_on: 2025-01-31, credit: …}}
contributors: []  # - {{title: …}}
ecosystem:
  # Qui est dans la liste, et qui n'y est pas / Who is in the list and who is not
  boundary_rule: {{fr: "", en: ""}}
  # Question qui a donné les liens / Question that the ties answer
  tie_question: {{fr: "", en: ""}}
  # Période décrite / Period described: 2025-01-01/2025-12-31
  date_window: ""
  # La liste est-elle complète ? / Is the list complete? (yes, no)
  census: no
  fictional: no
  # Ordre des dates / Order of dates: ymd (2025-01-31), dmy (31/01/2025)
  date_order: ymd
"""


def new_study(path: str | Path) -> None:
    """Make a folder with an empty `study.xlsx` and a `datapackage.yaml` to fill in.

    The workbook has a sheet for each table with its headers, lists to choose codes from, and a
    sheet `lisez-moi` that explains every column in French and in English.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder to make; an existing one must be empty.

    Raises
    ------
    UsageError
        If the folder is there and holds anything.
    """
    import openpyxl

    folder = Path(path)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already; choose a folder that is new or empty.")
    folder.mkdir(parents=True, exist_ok=True)
    book = openpyxl.Workbook()
    first = book.active
    if first is not None:
        book.remove(first)
    codebook = read_codebook()
    tables = [name for name in TABLES if name not in _LOCAL_TABLES]
    for name in tables:
        _fill_sheet(book.create_sheet(name), read_schema(name)["fields"], codebook)
    _explain_tables(book.create_sheet(EXPLANATIONS, 0), tables)
    book.save(folder / WORKBOOK)
    name = folder.resolve().name
    text = _DESCRIPTOR.format(name=repr(name), title=repr(name))
    (folder / DESCRIPTOR).write_text(text, encoding="utf-8")


def _fill_sheet(sheet: Worksheet, fields: list[dict[str, Any]], codebook: Codebook) -> None:
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    sheet.freeze_panes = "A2"
    for i, field in enumerate(fields, start=1):
        letter = get_column_letter(i)
        required = field.get("constraints", {}).get("required", False)
        sheet.cell(1, i, field["name"]).font = Font(bold=required, italic=not required)
        sheet.column_dimensions[letter].width = max(len(field["name"]) + 2, 14)
        if field["type"] == "string":
            sheet.column_dimensions[letter].number_format = "@"
        codes = ",".join(_list_codes(field, codebook))
        if 0 < len(codes) <= 255:
            choice = DataValidation(type="list", formula1=f'"{codes}"', showErrorMessage=False)
            choice.add(f"{letter}2:{letter}{_LAST_ROW}")
            sheet.add_data_validation(choice)


def _list_codes(field: dict[str, Any], codebook: Codebook) -> list[str]:
    """List what may be chosen in a column that takes one code."""
    if "codebook" in field and not field.get("many"):
        return list(getattr(codebook, field["codebook"]).index)
    if "allowed" in field:
        return []
    return [str(code) for code in field.get("constraints", {}).get("enum", ())]


def _explain_tables(sheet: Worksheet, tables: list[str]) -> None:
    from openpyxl.styles import Font

    sheet.append(["table", "colonne / column", "obligatoire / required", "français", "English"])
    for name in tables:
        schema = read_schema(name)
        needed = "oui / yes" if name in REQUIRED else "non / no"
        sheet.append([name, "", needed, schema["title_fr"], schema["title"]])
        for field in schema["fields"]:
            mark = "oui / yes" if field.get("constraints", {}).get("required") else ""
            sheet.append([name, field["name"], mark, field["description_fr"], field["description"]])
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    for letter, width in zip("ABCDE", (14, 20, 14, 70, 70), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.freeze_panes = "A2"
