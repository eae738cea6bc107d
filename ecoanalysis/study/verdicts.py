"""Verdicts that are kept, so that a study that has not changed is not checked again."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
from functools import cache
from pathlib import Path

import pandas as pd
import platformdirs

from ecoanalysis.study.faults import FAULT_COLUMNS
from ecoanalysis.study.files import StudyFiles

_LOGGER = logging.getLogger(__name__)
_PACKAGE = Path(__file__).parents[1]


def name_verdict(files: StudyFiles) -> Path:
    """Name the file of the verdict on these files: by their hash and that of the checker.

    Parameters
    ----------
    files : StudyFiles
        As `ecoanalysis.study.files.read_files` returns them.

    Returns
    -------
    pathlib.Path
        A file of the user's cache folder; it need not exist.
    """
    digest = hashlib.sha256(_hash_checker() + repr(files.others).encode())
    for name, content in files.contents.items():
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    folder = platformdirs.user_cache_path("ecoanalysis", appauthor=False)
    return folder / "verdicts" / f"{digest.hexdigest()}.json"


def read_verdict(file: Path) -> pd.DataFrame | None:
    """Read the faults that a check found, or None if there is no verdict that can be read."""
    try:
        records = json.loads(file.read_text(encoding="utf-8"))
        faults = pd.DataFrame(records, columns=list(FAULT_COLUMNS))
        return faults.astype({c: "Int64" if c == "row" else "str" for c in FAULT_COLUMNS})
    except (OSError, ValueError, TypeError):
        return None


def store_verdict(faults: pd.DataFrame, file: Path) -> None:
    """Store faults; where the cache cannot be written, the study is checked again next time."""
    records = faults.astype(object).where(faults.notna(), None).to_numpy().tolist()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(records, stream, ensure_ascii=False)
        Path(name).replace(file)
    except OSError as error:
        _LOGGER.debug("The verdict is not kept: %s", error)


@cache
def _hash_checker() -> bytes:
    """Hash what decides on a verdict: schemas, codebook and the code of the check."""
    digest = hashlib.sha256()
    for folder in ("schemas", "codebook", "study"):
        for file in sorted((_PACKAGE / folder).rglob("*")):
            if file.suffix in {".json", ".csv", ".py"}:
                digest.update(file.name.encode() + file.read_bytes())
    return digest.digest()
