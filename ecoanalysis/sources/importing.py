"""The import of a list into a study, from the file to the report."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import yaml

from ecoanalysis.codebook import Codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import list_columns, read_schema
from ecoanalysis.sources.geojson import LATITUDE, LONGITUDE, SHAPE, read_geojson
from ecoanalysis.sources.joining import join_records
from ecoanalysis.sources.mapping import ListMapping, check_name, guess_mapping, read_mapping
from ecoanalysis.sources.placement import place_records
from ecoanalysis.sources.records import Records, map_records
from ecoanalysis.sources.report import ImportReport, make_report
from ecoanalysis.sources.saving import open_study, save_study
from ecoanalysis.sources.table import read_table
from ecoanalysis.study.suggest import suggest_words

_MOST_FAULTS = 20


def import_list(
    source_format: Literal["geojson", "table"] | str,
    files: Sequence[str | Path],
    *,
    study_path: str | Path,
    territory_id: str | None = None,
    mapping: str | Path | None = None,
) -> ImportReport:
    """Bring a list into a study.

    The mapping, and the report as ``report.csv`` and ``report-rows.csv``, are kept in the study's
    folder ``import``. Importing the same list again changes nothing.

    Parameters
    ----------
    source_format : {"geojson", "table"}
        Form of the files; a table is CSV, XLSX or a JSON list of objects.
    files : sequence of path
        Files of one list.
    study_path : path
        Folder of the study; made when it is not there and the mapping names the territories.
    territory_id : str, optional
        The territory that every record belongs to.
    mapping : path, optional
        YAML file that says what each field is; without it obvious names are recognised.

    Returns
    -------
    ImportReport
        What became of each record; those read are kept, merged or set aside.

    Raises
    ------
    UsageError
        If a file, the mapping or a territory cannot be used; nothing is written.
    StudyError
        If the study has faults of its own.
    """
    raw, how = _read_list(source_format, files, mapping)
    study = open_study(Path(study_path))
    actors = study.tables["actors"]
    territories = _list_territories(study.tables["territories"], how, territory_id)
    records = map_records(raw, mapping=how, cities=actors["city"])
    _check_codes(records, study.codebook)
    placed = _place(records.table, raw, how, territories, territory_id)
    fit = placed["reason"].isna()
    if not fit.any():
        known = ", ".join(territories["territory_id"])
        raise UsageError(
            "No record has a name and a place, so nothing was imported. Say the territory of the "
            f"whole list (--territory), or `placement` in a mapping. Territories: {known}."
        )
    table = records.table.assign(territory_id=placed["territory_id"], placed=placed["placed"])
    joined, outcomes, conflicts = join_records(actors, records=table[fit])
    save_study(
        study,
        actors=joined,
        territories=_locate_territories(territories, joined),
        source=_name_source(how),
    )
    report = make_report(
        _list_rows(records, placed, outcomes, conflicts),
        source=how.source["name"],
        n_new=len(joined) - len(actors),
        guesses=how.columns if how.guessed else {},
        unused=[
            str(field) for field in raw if field not in {*how.fields, LATITUDE, LONGITUDE, SHAPE}
        ],
    )
    _keep_import(report, how, study.path / "import", mapping)
    return report


def _read_list(
    source_format: str, files: Sequence[str | Path], mapping: str | Path | None
) -> tuple[pd.DataFrame, ListMapping]:
    if not files:
        raise UsageError("No file to import.")
    how = None if mapping is None else read_mapping(mapping)
    if source_format == "geojson":
        raw = read_geojson(files)
    elif source_format == "table":
        raw = read_table(files, sheet=how.sheet if how else None)
    else:
        raise UsageError(f"Unknown format: {source_format!r}; allowed: geojson, table.")
    if how is None:
        return raw, guess_mapping(raw.columns, source_title=Path(files[0]).stem)
    for field in how.fields:
        check_name(field, raw.columns, f"{Path(str(mapping)).name}, field")
    return raw, how


def _list_territories(
    known: pd.DataFrame, how: ListMapping, territory_id: str | None
) -> pd.DataFrame:
    """Join the territories of the study and those that the mapping brings."""
    brought = pd.DataFrame(how.territories, columns=list_columns("territories"), dtype="str")
    brought = brought[~brought["territory_id"].isin(known["territory_id"])]
    for column in ("latitude", "longitude", "population"):
        brought[column] = pd.to_numeric(brought[column])
    territories = pd.concat([known, brought], ignore_index=True)
    if territories.empty:
        raise UsageError(
            "The study has no territory yet: fill the table territories, or list them under "
            "`territories` in the mapping."
        )
    ids = [str(name) for name in territories["territory_id"]]
    named = [*how.placement.get("prefixes", {}).values(), *how.placement.get("cities", {}).values()]
    for name in dict.fromkeys(named):
        check_name(name, ids, "placement in the mapping, territory")
    if territory_id is not None:
        check_name(territory_id, ids, "Territory")
    return territories


def _check_codes(records: Records, codebook: Codebook) -> None:
    """Refuse codes that the study would refuse, all at once, with what was probably meant."""
    faults: list[str] = []
    for field in read_schema("actors")["fields"]:
        codes = field.get("constraints", {}).get("enum", [])
        if "codebook" in field:
            codes = list(getattr(codebook, field["codebook"]).index)
        if not codes:
            continue
        parts = records.table[field["name"]].dropna().str.split(";").explode().str.strip()
        wrong = parts[~parts.isin(codes)].drop_duplicates()
        for at, code in wrong.items():
            place = records.places.loc[at]
            (near,) = suggest_words([code], known=codes)
            hint = f"; did you mean {near!r}?" if near else ""
            faults.append(f"{place['file']}, row {place['row']}, {field['name']}: {code!r}{hint}")
    if faults:
        more = f"\n… and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        shown = "\n".join(faults[:_MOST_FAULTS])
        raise UsageError(f"Codes not known; translate them in the mapping:\n{shown}{more}")


def _place(
    table: pd.DataFrame,
    raw: pd.DataFrame,
    how: ListMapping,
    territories: pd.DataFrame,
    territory_id: str | None,
) -> pd.DataFrame:
    stated = table["territory_id"]
    if territory_id is not None:
        stated = pd.Series(territory_id, index=table.index, dtype="str")
    elif not how.placement and len(territories) == 1:
        stated = stated.fillna(str(territories["territory_id"].iloc[0]))
    placed = place_records(
        table.assign(territory_id=stated),
        territories=territories,
        placement=how.placement,
        postcodes=raw[how.placement.get("postcode", [])].reset_index(drop=True),
    )
    return placed.assign(reason=placed["reason"].mask(table["name"].isna(), "no_name"))


def _locate_territories(territories: pd.DataFrame, actors: pd.DataFrame) -> pd.DataFrame:
    """Put a territory without coordinates at the median of its actors' points."""
    middle = actors.groupby("territory_id")[["latitude", "longitude"]].median().round(4)
    middle = middle.reindex(territories["territory_id"]).set_axis(territories.index)
    blank = territories[["latitude", "longitude"]].isna().any(axis=1)
    place = territories[["latitude", "longitude"]].astype("float64").mask(blank, middle)
    return territories.assign(latitude=place["latitude"], longitude=place["longitude"])


def _name_source(how: ListMapping) -> dict[str, str]:
    source = {"name": how.source["name"], "title": how.source.get("title", how.source["name"])}
    return {**source, **how.source, "accessed_on": how.source.get("accessed_on", str(date.today()))}


def _list_rows(
    records: Records, placed: pd.DataFrame, outcomes: pd.DataFrame, conflicts: pd.DataFrame
) -> pd.DataFrame:
    """One row a record, then one a cell that was mended, left out or not followed."""
    each = records.places.assign(record_id=records.table["record_id"])
    each = each.join(outcomes[["actor_id", "outcome"]])
    each["outcome"] = each["outcome"].astype("str").fillna("set_aside")
    reason = placed["reason"].fillna(placed["placed"])
    whole = each.assign(field="name", found=records.table["name"])
    whole["reason"] = reason.mask(each["outcome"].eq("merged"), "same_organisation")
    differing = conflicts.rename(columns={"other": "found", "kept": "used"})
    apart = pd.DataFrame({"position": outcomes.index[outcomes["undecided"]], "field": "name"})
    apart["found"] = records.table["name"].reindex(apart["position"]).to_numpy()
    parts = [records.notes, differing.assign(reason="differs"), apart.assign(reason="undecided")]
    noted = pd.concat(parts, ignore_index=True)
    noted = noted.join(each.drop(columns="outcome"), on="position").assign(outcome="noted")
    return pd.concat([whole, noted], ignore_index=True)


def _keep_import(
    report: ImportReport, how: ListMapping, folder: Path, mapping: str | Path | None
) -> None:
    folder.mkdir(exist_ok=True)
    kept = folder / f"{report.source}.yaml"
    if mapping is None:
        if not kept.exists():  # a person may have corrected the guess of an earlier import
            kept.write_text(_write_guess(how), encoding="utf-8")
    elif Path(mapping).resolve().parent != folder.resolve():
        shutil.copyfile(mapping, kept)
    _replace_source(report.table, folder / "report.csv", report.source)
    rows = report.rows.astype("str").replace(r"^([=+\-@])", r"'\1", regex=True)
    _replace_source(rows, folder / "report-rows.csv", report.source)


def _write_guess(how: ListMapping) -> str:
    said: dict[str, Any] = {"source": dict(how.source), "columns": dict(how.columns)}
    said |= {key: value for key, value in (("id", how.id), ("category", how.category)) if value}
    return yaml.safe_dump(said, allow_unicode=True, sort_keys=False)


def _replace_source(table: pd.DataFrame, file: Path, source: str) -> None:
    """Write the rows of one list, and leave those of the others in the file."""
    if file.is_file():
        former = pd.read_csv(file, dtype="str")
        table = pd.concat([former[former["source"] != source], table.astype("str")])
    table.to_csv(file, index=False, lineterminator="\n")
