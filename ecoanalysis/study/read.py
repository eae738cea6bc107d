"""Reading a study: files to text, text to columns, columns to verdict, and only then to types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ecoanalysis.codebook import Codebook, read_codebook
from ecoanalysis.errors import StudyError
from ecoanalysis.schemas import TABLES
from ecoanalysis.study.check import check_table
from ecoanalysis.study.columns import TextTable, name_columns, type_columns
from ecoanalysis.study.descriptor import Descriptor, read_descriptor
from ecoanalysis.study.faults import join_faults
from ecoanalysis.study.files import DESCRIPTOR, StudyFiles, parse_tables, read_files
from ecoanalysis.study.references import check_places, check_references, check_sources
from ecoanalysis.study.verdicts import name_verdict, read_verdict, store_verdict

_CODEBOOK_TABLES = ("kinds", "subkinds", "criteria")
_Text = tuple[dict[str, TextTable], Descriptor, list[pd.DataFrame]]


@dataclass(frozen=True)
class Study:
    """A study that passed its check.

    Attributes
    ----------
    path : pathlib.Path
        Its folder.
    study_id : str
        The folder's name.
    descriptor : Descriptor
        What the study says of itself.
    tables : mapping of str to pandas.DataFrame
        Every table of `ecoanalysis.schemas.TABLES`, with every declared column, then the study's
        own; one that is not there is empty.
    codebook : Codebook
        The codebook with the study's own kinds, subkinds and criteria.
    warnings : pandas.DataFrame
        Faults of severity `warning`, as `check_study` returns them.
    """

    path: Path
    study_id: str
    descriptor: Descriptor
    tables: Mapping[str, pd.DataFrame]
    codebook: Codebook
    warnings: pd.DataFrame


def read_study(path: str | Path) -> Study:
    """Read a study, if its check finds nothing to refuse.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder of the study: CSV files, or `study.xlsx`; and `datapackage.yaml`.

    Returns
    -------
    Study
        Tables with types: text `str`, numbers `float64`, dates `datetime64[s]`, missing where
        blank; `ratings` has a boolean column `dont_know`.

    Raises
    ------
    StudyError
        With all faults at once, if there is anything to refuse.
    UsageError
        If there is no such folder.
    """
    files = read_files(path)
    text = _read_text(files)
    faults = _judge(files, text)
    refused = faults["severity"] == "refusal"
    if refused.any():
        message = f"{files.path} cannot be read: {int(refused.sum())} faults."
        raise StudyError(message, faults=faults)
    read, descriptor, _ = text
    blank = pd.DataFrame()
    tables = {
        name: type_columns(name, read[name].cells if name in read else blank) for name in TABLES
    }
    codebook = read_codebook(**{name: tables[name] for name in _CODEBOOK_TABLES})
    study_id = files.path.resolve().name
    return Study(files.path, study_id, descriptor, tables, codebook, faults)


def check_study(path: str | Path) -> pd.DataFrame:
    """Check a study and return all faults at once.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder of the study.

    Returns
    -------
    pandas.DataFrame
        One row a fault, refusals first: `severity` (refusal, warning), `code`, `table`, `file`,
        `row` (as the spreadsheet shows it, the header being 1; missing for a whole file), `field`,
        `found`, `allowed` (for a doubled key or tie: the row that has it first), `suggestion`.

    Raises
    ------
    UsageError
        If there is no such folder.
    """
    return _judge(read_files(path))


def _read_text(files: StudyFiles) -> _Text:
    """Read the columns of every table and the descriptor, with what is amiss so far."""
    study_id = files.path.resolve().name
    descriptor, faults = read_descriptor(files.contents.get(DESCRIPTOR), study_id=study_id)
    raw, unread = parse_tables(files)
    tables: dict[str, TextTable] = {}
    for name in TABLES:
        if name in raw:
            tables[name], amiss = name_columns(raw.pop(name), date_order=descriptor.date_order)
            faults += amiss
    return tables, descriptor, faults + unread


def _judge(files: StudyFiles, text: _Text | None = None) -> pd.DataFrame:
    """Return the verdict on a study: the one that is kept, else that of a new check."""
    file = name_verdict(files)
    verdict = read_verdict(file)
    if verdict is None:
        tables, descriptor, faults = text or _read_text(files)
        codebook, amiss = _check_codebook(tables)
        for name in tables.keys() - set(_CODEBOOK_TABLES):
            amiss += check_table(tables[name], codebook=codebook)
        amiss += check_references(tables)
        amiss += check_places(tables)
        amiss += check_sources(tables, sources=[s.get("name", "") for s in descriptor.sources])
        verdict = join_faults([*faults, *amiss])
        store_verdict(verdict, file)
    return verdict


def _check_codebook(tables: Mapping[str, TextTable]) -> tuple[Codebook, list[pd.DataFrame]]:
    """Check the study's own codes; where they have faults, only their names count further on."""
    own = {name: tables[name] for name in _CODEBOOK_TABLES if name in tables}
    cells = {name: table.cells for name, table in own.items() if "code" in table.cells}
    codes = {name: table[["code"]] for name, table in cells.items()}
    codebook = read_codebook(kinds=codes.get("kinds"))
    faults: list[pd.DataFrame] = []
    for table in own.values():
        faults += check_table(table, codebook=codebook)
    refused = any((part["severity"] == "refusal").any() for part in faults)
    return read_codebook(**(codes if refused else cells)), faults
