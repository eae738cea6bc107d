"""Tables as files for other programs, in which nothing that a name holds is ever a formula."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pandas as pd
from openpyxl.utils import get_column_letter
from pandas.io.json import build_table_schema

from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import REQUIRED
from ecoanalysis.study import Study
from ecoanalysis.study.descriptor import write_descriptor
from ecoanalysis.study.files import DESCRIPTOR, neutralise_formulas, replace_texts, restore_texts
from ecoanalysis.study.write import restore_answers
from ecoanalysis.wording import Language

NOTICE = "notice"
PACKAGE = "datapackage.json"
COMPARED = ("summary", "actors", "kinds", "scores", "network", "mixing")
WIDEST = 60

_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
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
    with _replace(Path(folder)) as building:
        building.mkdir()
        resources = []
        for name, table in tables.items():
            fields = build_table_schema(table, index=False, version=False)["fields"]
            path = f"{name}.csv"
            resources.append({"name": name, "path": path, "schema": {"fields": fields}})
            # Lines end as RFC 4180 says, the same on every system; a lone CR is then quoted.
            written = _add_notice(neutralise_formulas(table), notice)
            written.to_csv(building / path, index=False, encoding="utf-8", lineterminator="\r\n")
        package = {"name": "tables", "notice": notice, "resources": resources}
        text = json.dumps(package, ensure_ascii=False, indent=1)
        (building / PACKAGE).write_text(text + "\n", encoding="utf-8")


def read_tables(folder: str | Path, *, names: Collection[str] = ()) -> dict[str, pd.DataFrame]:
    """Read back what `write_tables` wrote, with types, without the notice; all, or those named.

    Text that was blank is missing. A folder without such tables is a UsageError.
    """
    file = Path(folder) / PACKAGE
    if not file.is_file():
        raise UsageError(f"no tables in {folder}: {PACKAGE} is missing")
    tables = {}
    for resource in json.loads(file.read_text(encoding="utf-8"))["resources"]:
        if names and resource["name"] not in names:
            continue
        types = {field["name"]: field["type"] for field in resource["schema"]["fields"]}
        raw = pd.read_csv(
            file.with_name(resource["path"]), dtype=str, keep_default_na=False, na_values=[""]
        )
        table = restore_texts(raw)[list(types)]
        booleans = [name for name, kind in types.items() if kind == "boolean"]
        table[booleans] = table[booleans] == "True"
        dtypes = {name: _DTYPES.get(kind, "bool") for name, kind in types.items()}
        tables[resource["name"]] = table.astype(dtypes)
    return tables


def read_results(
    results: str | Path, *, territories: pd.DataFrame
) -> dict[str, dict[str, pd.DataFrame]]:
    """Read the stored tables that a comparison needs, of those territories that have some.

    The folder `results` holds one folder a territory, with its ``tables`` in it. If none has any,
    it is a UsageError.
    """
    folders = {t: Path(results) / t / "tables" for t in territories["territory_id"]}
    stored = {t: folder for t, folder in folders.items() if (folder / PACKAGE).is_file()}
    found = {t: read_tables(folder, names=COMPARED) for t, folder in stored.items()}
    if not found:
        raise UsageError(f"no territory of this study has tables in {results}")
    return found


def export_study(
    study: Study, path: str | Path | None, *, to: Literal["xlsx", "parquet"], language: Language
) -> Path:
    """Write a whole study, whole or not at all, and return where (by its name if not given).

    A workbook has a sheet a table that has rows; the notice in that language stands on a sheet of
    its own and on each row. Parquet is a new folder that `read_study` reads back; the notice stands
    in the descriptor and with the properties of each file. A place that is taken, or no pyarrow,
    is a UsageError.
    """
    write, ending = {"xlsx": (_write_xlsx, ".xlsx"), "parquet": (_write_parquet, "-parquet")}[to]
    place = Path(path or f"{study.study_id}{ending}")
    fits = place.is_file() if to == "xlsx" else place.is_dir() and not any(place.iterdir())
    if place.exists() and not fits:
        raise UsageError(f"{place} is there already; choose a place that is new or empty.")
    tables = {n: t for n, t in study.tables.items() if len(t) or n in REQUIRED}
    with _replace(place) as building:
        write(study, tables, building, language)
    return place


def _write_xlsx(
    study: Study, tables: Mapping[str, pd.DataFrame], path: Path, language: Language
) -> None:
    notice = study.descriptor.notice.get(language.code, "")
    sheets = {name: _add_notice(table, notice) for name, table in tables.items()}
    sheets |= {NOTICE: pd.DataFrame({NOTICE: [notice]})} if notice else {}
    with pd.ExcelWriter(path, engine="openpyxl") as book:
        for name, table in sheets.items():
            shown = neutralise_formulas(replace_texts(table, _CONTROL, ""))
            shown.to_excel(book, sheet_name=name, index=False, freeze_panes=(1, 0))
            for i, column in enumerate(shown.columns, start=1):
                widths = [len(str(column)), *shown[column].dropna().astype("str").str.len()]
                letter = get_column_letter(i)
                book.sheets[name].column_dimensions[letter].width = min(max(widths) + 2, WIDEST)


def _write_parquet(
    study: Study, tables: Mapping[str, pd.DataFrame], folder: Path, _: Language
) -> None:
    folder.mkdir()
    for name, table in tables.items():
        written = restore_answers(table).dropna(axis="columns", how="all")
        written.attrs = {NOTICE: study.descriptor.notice}
        try:
            written.to_parquet(folder / f"{name}.parquet", index=False)
        except ImportError as error:
            raise UsageError("This needs pyarrow: pip install 'ecoanalysis[parquet]'") from error
    text = write_descriptor(study.descriptor, name=study.study_id, tables=tables, ending="parquet")
    (folder / DESCRIPTOR).write_text(text, encoding="utf-8")


def _add_notice(table: pd.DataFrame, notice: str) -> pd.DataFrame:
    return (
        table.drop(columns=NOTICE, errors="ignore").assign(**{NOTICE: notice}) if notice else table
    )


@contextmanager
def _replace(place: Path) -> Iterator[Path]:
    """Give a path beside a file or folder for what, once complete, takes its place."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=place.parent) as scratch:
        building = Path(scratch) / f"new{place.suffix}"
        yield building
        if place.exists():
            place.replace(Path(scratch) / "old")
        building.replace(place)
