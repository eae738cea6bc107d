"""What to make: the pages of a study, and which of them stand as they would be made now.

A page's key is a hash of all that decides on it. Its `run.json` holds the key it was made with, and
is put in place with the page: these files are the manifest, which so cannot tell of another page.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ecoanalysis.batch.pages import Page, read_versions, relate_path
from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import LOCAL_CODES
from ecoanalysis.study import Study

SOURCES = {".py", ".csv", ".json", ".j2", ".css", ".js", ".mo", ".yaml"}


def plan_pages(
    study: Study,
    *,
    root: Path,
    languages: Sequence[str],
    territories: Sequence[str],
    compared: str,
    region: str = "",
    parameters: Mapping[str, Any] | None = None,
) -> list[Page]:
    """Plan the pages of a study: its territories', then for each language the comparison.

    `compared` is the folder of the comparison of these territories, blank for none, and `region`
    the name of the region compared. `parameters` are further ones of the territories' notebook: a
    Path is given as seen from the page, and its content decides on the page.
    """
    files = hash_files(study.path)
    rows = hash_territories(study)
    common = (hash_package(), _hash_study(study), read_versions())
    notebooks = {name: find_notebook(name) for name in ("territory", "comparison")}
    texts = {name: _hash_file(file) for name, file in notebooks.items()}
    more = dict(parameters or {})
    contents = {name: _hash_file(v) for name, v in more.items() if isinstance(v, Path)}
    pages: list[Page] = []

    def add(language: str, page: str, name: str, own: dict[str, Any], *of: Any) -> str:
        folder = root / study.study_id / language / page
        seen = {k: relate_path(v, folder) if isinstance(v, Path) else v for k, v in own.items()}
        where = relate_path(study.path.resolve(), folder)
        key = _hash_text([common, texts[name], language, where, seen, contents, of])
        pages.append(
            Page(
                study=str(study.path.resolve()), study_id=study.study_id, page=page,
                language=language, folder=str(folder), notebook=str(notebooks[name]),
                parameters=seen, study_files=files, key=key,
            )
        )  # fmt: skip
        return key

    for language in languages:
        keys = [
            add(language, place, "territory", {"territory_id": place, **more}, rows[place])
            for place in territories
        ]
        if compared:
            up = "/".join([".."] * (compared.count("/") + 1))
            add(language, compared, "comparison", {"results": up, "region": region}, keys)
    return pages


def find_notebook(name: str) -> Path:
    """Find a notebook by its name: beside the sources in a clone, in the package when installed."""
    package = Path(__file__).parents[1]
    for folder in (package / "notebooks", package.parent / "notebooks"):
        if (folder / f"{name}.ipynb").is_file():
            return folder / f"{name}.ipynb"
    raise UsageError(f"no notebook {name!r} in this installation")


def is_current(page: Page) -> bool:
    """Say whether a page stands as it would be made now; a record that is cut short says no."""
    try:
        record = json.loads(Path(page.folder, "run.json").read_bytes())
        return (
            bool(page.key and record["key"] == page.key)
            and Path(page.folder, "report.html").is_file()
        )
    except (OSError, ValueError, KeyError, TypeError):
        return False


def hash_territories(study: Study) -> dict[str, str]:
    """Hash what a study's tables say of each territory.

    That is its rows in their order, the rules for groups on its challenges, the relations that come
    in from other territories, and how its raters tie it to others.
    """
    ids = pd.Index(study.tables["territories"]["territory_id"])
    sums = np.zeros(len(ids), dtype="uint64")
    tables = {n: t for n, t in study.tables.items() if "territory_id" in t.columns and len(t)}
    relations, actors = study.tables["relations"], study.tables["actors"]
    if len(study.tables["constraints"]):
        asked = study.tables["challenges"][["territory_id", "challenge_id"]]
        tables["constraints"] = study.tables["constraints"].merge(asked, on="challenge_id")
    if len(relations):
        at = actors[["territory_id", "actor_id"]].rename(columns={"actor_id": "target_id"})
        inside = pd.MultiIndex.from_frame(relations[["territory_id", "target_id"]])
        leaving = relations[~inside.isin(pd.MultiIndex.from_frame(at))]
        leaving = leaving.rename(columns={"territory_id": "from"})
        tables["incoming"] = leaving.merge(at, on="target_id")
    if len(study.tables["ratings"]):
        from ecoanalysis.scoring import measure_shared_raters

        tables["shared"] = measure_shared_raters(study.tables["ratings"])
    for name, table in tables.items():
        salt = np.uint64(int(_hash_text([name, *map(str, table.columns)])[:15], 16))
        mixed = pd.util.hash_pandas_object(table, index=False).to_numpy() ^ salt
        nth = table.groupby("territory_id", sort=False).cumcount().to_numpy(dtype="uint64")
        np.add.at(sums, ids.get_indexer(table["territory_id"]), mixed * (2 * nth + np.uint64(1)))
    return {territory_id: f"{value:016x}" for territory_id, value in zip(ids, sums, strict=True)}


def hash_files(folder: Path) -> dict[str, str]:
    """Hash the tables and the descriptor of a study: SHA-256 by file name."""
    kinds = {".csv", ".xlsx", ".yaml", ".parquet"}
    files = sorted(f for f in folder.iterdir() if f.suffix.lower() in kinds)
    return {file.name: _hash_file(file) for file in files}


def _hash_study(study: Study) -> str:
    """Hash what every page of a study shows: descriptor, codes, remarks, and who is everywhere."""
    tables = study.tables
    wide = tables["actors"][tables["actors"]["reach"].isin(["national", "international"])]
    rated = tables["ratings"][tables["ratings"]["actor_id"].isin(wide["actor_id"])]
    warnings = study.warnings[["code", "table", "field", "found"]]  # their rows show nowhere
    shared = [*(tables[name] for name in LOCAL_CODES), warnings]
    hashes = (pd.util.hash_pandas_object(t, index=False) for t in (*shared, wide, rated))
    parts = [hashlib.sha256(rows.to_numpy().tobytes()).hexdigest() for rows in hashes]
    return _hash_text([repr(study.descriptor), parts])


@cache
def hash_package() -> str:
    """Hash the package: sources, catalogues, templates, codebook."""
    package = Path(__file__).parents[1]
    files = sorted(f for f in package.rglob("*") if f.suffix in SOURCES)
    names = (file.relative_to(package).as_posix().encode() for file in files)
    content = chain.from_iterable(zip(names, (f.read_bytes() for f in files), strict=True))
    return hashlib.sha256(b"\0".join(content)).hexdigest()


def _hash_file(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _hash_text(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()
