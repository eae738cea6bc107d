"""Reading a study: files to text, text to columns, columns to verdict, and only then to types."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import pandas as pd
import platformdirs

from ecoanalysis.codebook import Codebook, read_codebook
from ecoanalysis.errors import StudyError
from ecoanalysis.schemas import LOCAL_CODES, REQUIRED, TABLES
from ecoanalysis.study.check import (
    check_criteria,
    check_names,
    check_places,
    check_references,
    check_table,
)
from ecoanalysis.study.columns import name_columns, type_columns
from ecoanalysis.study.descriptor import Descriptor, read_descriptor
from ecoanalysis.study.faults import FAULT_COLUMNS, join_faults
from ecoanalysis.study.files import DESCRIPTOR, Table, parse_tables, read_files

_Text = tuple[dict[str, Table], Descriptor, list[pd.DataFrame]]

_DECIDING = ("schemas", "codebook", "study")
_NOT_YET = ("missing_table", "empty_table")
_KEPT: dict[Path, Study] = {}


@dataclass(frozen=True)
class Study:
    """A study that passed its check.

    `study_id` is the name of its folder. `tables` has each of `ecoanalysis.schemas.TABLES`, with
    every declared column, then the study's own; one that is not there is empty. `codebook` has the
    study's own codes too; `warnings` are faults as `check_study` returns them; `stamp` tells the
    files as they were before they were read (`stamp_files`).
    """

    path: Path
    study_id: str
    descriptor: Descriptor
    tables: Mapping[str, pd.DataFrame]
    codebook: Codebook
    warnings: pd.DataFrame
    stamp: Sequence[tuple[str, int, int]] = ()


def read_study(path: str | Path, *, unfinished: bool = False) -> Study:
    """Read the study in a folder.

    In its tables text is `str`, numbers are `float64`, dates `datetime64[s]`, all missing where
    blank; `ratings` has a boolean column `dont_know`. A study with anything to refuse is a
    StudyError, which has all faults at once; no such folder, a UsageError. One that is `unfinished`
    may still lack its folder, its territories or its actors.
    """
    stamp = stamp_files(path)
    kept = _KEPT.get(Path(path).resolve())
    if kept and kept.stamp == stamp:
        return replace(kept, path=Path(path))
    new = unfinished and not Path(path).exists()
    contents = {} if new else read_files(path)
    study_id = Path(path).resolve().name
    text = _read_text(contents, study_id)
    faults = _judge(contents, lambda: text)
    refused = faults["severity"] == "refusal"
    if unfinished:
        refused &= ~(faults["code"].isin(_NOT_YET) & faults["table"].isin(REQUIRED))
    if refused.any():
        raise StudyError(f"{path} cannot be read: {refused.sum()} faults.", faults=faults)
    read, descriptor, _ = text
    cells = {name: read[name].cells if name in read else pd.DataFrame() for name in TABLES}
    tables = {name: type_columns(name, cells[name]) for name in TABLES}
    codebook = read_codebook(**{name: tables[name] for name in LOCAL_CODES})
    return Study(Path(path), study_id, descriptor, tables, codebook, faults, stamp)


def keep_study(study: Study) -> None:
    """Keep a study for `read_study` in this process, and those forked from it, until it changes."""
    _KEPT[study.path.resolve()] = study


def stamp_files(path: str | Path) -> list[tuple[str, int, int]]:
    """List the files of a folder with their sizes and the times of their last change."""
    folder = Path(path)
    found = ((file.name, file.stat()) for file in (folder.iterdir() if folder.is_dir() else ()))
    return sorted((name, stat.st_size, stat.st_mtime_ns) for name, stat in found)


def check_study(path: str | Path) -> pd.DataFrame:
    """Check the study in a folder and return all faults at once; UsageError without a folder.

    One row a fault, refusals first: `severity` (refusal, warning), `code`, `table`, `file`, `row`
    (as the spreadsheet shows it, the header being 1; missing for a whole file), `field`, `found`,
    `allowed` (for a doubled key or tie: the row that has it first), `suggestion`.
    """
    contents, study_id = read_files(path), Path(path).resolve().name
    return _judge(contents, lambda: _read_text(contents, study_id))


def _read_text(contents: Mapping[str, bytes | None], study_id: str) -> _Text:
    """Read the columns of every table and the descriptor, with what is amiss so far."""
    descriptor, faults = read_descriptor(contents.get(DESCRIPTOR), study_id=study_id)
    raw, unread = parse_tables(contents)
    order = descriptor.date_order
    tables = {t: name_columns(raw.pop(t), date_order=order) for t in TABLES if t in raw}
    return tables, descriptor, faults + unread


def _judge(contents: Mapping[str, bytes | None], read: Callable[[], _Text]) -> pd.DataFrame:
    """Return the verdict on a study: the one in the user's cache, else that of a new check."""
    file = _name_verdict(contents)
    try:
        records = json.loads(file.read_text(encoding="utf-8"))
        faults = pd.DataFrame(records, columns=list(FAULT_COLUMNS))
        return faults.astype({c: "Int64" if c == "row" else "str" for c in FAULT_COLUMNS})
    except (OSError, ValueError, TypeError):
        faults = _check_text(*read())
    with suppress(OSError):  # where the cache cannot be written, it is checked again next time
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=file.parent) as folder:
            faults.to_json(Path(folder, "verdict"), orient="values")
            Path(folder, "verdict").replace(file)
    return faults


def _check_text(
    tables: Mapping[str, Table], descriptor: Descriptor, faults: list[pd.DataFrame]
) -> pd.DataFrame:
    """Check the tables, first the study's own codes; of faulty ones only the names count."""
    own = {name: table for name, table in tables.items() if name in LOCAL_CODES}
    cells = {name: table.cells for name, table in own.items() if "code" not in table.missing}
    codes = {name: table[["code"]] for name, table in cells.items()}
    codebook = read_codebook(kinds=codes.get("kinds"))
    amiss = [part for table in own.values() for part in check_table(table, codebook=codebook)]
    refused = any((part["severity"] == "refusal").any() for part in amiss)
    codebook = read_codebook(**(codes if refused else cells))
    if "criteria" in own and not refused:
        amiss += check_criteria(own["criteria"], codebook=codebook)
    for table in tables.values():
        if table.name not in own:
            amiss += check_table(table, codebook=codebook)
    amiss += [part for table in tables.values() for part in table.faults]
    across = [*check_references(tables), *check_places(tables)]
    return join_faults([*faults, *amiss, *across, *check_names(tables, descriptor=descriptor)])


def _name_verdict(contents: Mapping[str, bytes | None]) -> Path:
    """Name the file of a verdict by all that decides on it: files, schemas, codebook and code."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256(repr([(n, c and len(c)) for n, c in contents.items()]).encode())
    for file in chain(*(sorted((package / p).rglob("*")) for p in _DECIDING)):
        if file.suffix in {".json", ".csv", ".py"}:
            digest.update(file.read_bytes())
    for content in filter(None, contents.values()):
        digest.update(content)
    folder = platformdirs.user_cache_path("ecoanalysis", appauthor=False)
    return folder / "verdicts" / f"{digest.hexdigest()}.json"
