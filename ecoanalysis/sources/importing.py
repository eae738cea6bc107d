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
from ecoanalysis.sources.joining import join_records
from ecoanalysis.sources.mapping import ListMapping, check_name, guess_mapping, read_mapping
from ecoanalysis.sources.placement import place_records
from ecoanalysis.sources.reading import (
    EDGE_ENDS,
    LATITUDE,
    LONGITUDE,
    SHAPE,
    read_geojson,
    read_graph,
    read_table,
)
from ecoanalysis.sources.records import Records, map_records
from ecoanalysis.sources.relations import join_relations, list_organisations, read_ties
from ecoanalysis.sources.report import ImportReport, make_report
from ecoanalysis.sources.saving import open_study, save_study
from ecoanalysis.study.suggest import suggest_words

_MOST_FAULTS = 20


def import_list(
    source_format: Literal["geojson", "table", "gexf", "graphml"] | str,
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
    source_format : {"geojson", "table", "gexf", "graphml"}
        Form of the files of the list; a table is CSV, XLSX or a JSON list of objects.
    files, mapping : path
        Without a mapping (YAML; see docs/mapping.md) obvious names are recognised.
    study_path : path
        Folder of the study; made when it is not there and the mapping names the territories.
    territory_id : str, optional
        The territory that every record belongs to.

    Returns
    -------
    ImportReport
        What became of each record and tie; those read are kept, merged or set aside.

    Raises
    ------
    UsageError, StudyError
        If a file, the mapping or a territory cannot be used, or the study has faults of its own;
        nothing is written.
    """
    raw, edges, how = _read_list(source_format, files, mapping)
    study = open_study(Path(study_path))
    actors, book = study.tables["actors"], study.codebook
    territories = _list_territories(study.tables["territories"], how, territory_id)
    records = map_records(raw, mapping=how, cities=actors["city"])
    _check_codes(records, book, how)
    placed = _place(records.table, raw, how, territories, territory_id)
    fit = placed[placed["reason"].isna()]
    if fit.empty:
        known = ", ".join(territories["territory_id"])
        raise UsageError(
            "No record has a name and a place, so nothing was imported. Say the territory of the "
            f"whole list (--territory), or `placement` in a mapping. Territories: {known}."
        )
    ties = read_ties(raw, edges, records=records, mapping=how)
    named = list_organisations(ties, placed=fit, mapping=how)
    named = named.set_axis(range(len(placed), len(placed) + len(named)))
    added = pd.concat(
        [fit.drop(columns=["record", "reason"]), named.astype(fit.dtypes[named.columns])]
    )
    distinct = source_format in ("gexf", "graphml")
    joined, outcomes, conflicts = join_records(actors, records=added, distinct=distinct)
    homes = added[["record_id", "territory_id"]].join(outcomes["actor_id"])
    kinds = book.relation_kinds
    relations, tied = join_relations(
        study.tables["relations"],
        ties=ties,
        homes=homes,
        actors=joined,
        undirected=list(kinds.index[kinds["directed"].eq("no")]),
    )
    tables = {"territories": _locate_territories(territories, joined), "actors": joined}
    if len(relations):
        tables["relations"] = relations
    save_study(study, source=_name_source(how), **tables)
    known_fields = {*how.fields, LATITUDE, LONGITUDE, SHAPE}
    report = make_report(
        pd.concat(
            [
                _list_records(records, placed, outcomes, conflicts),
                _list_named(named, outcomes),
                ties[["file", "row", "found"]].join(tied).assign(table="relations"),
            ],
            ignore_index=True,
        ),
        source=how.source["name"],
        n_new=len(joined) - len(actors),
        guesses=how.columns if how.guessed else {},
        unused=[str(field) for field in raw if field not in known_fields],
    )
    _keep_import(report, how, study.path / "import", mapping)
    return report


def _read_list(
    source_format: str, files: Sequence[str | Path], mapping: str | Path | None
) -> tuple[pd.DataFrame, pd.DataFrame, ListMapping]:
    if not files:
        raise UsageError("No file to import.")
    how = None if mapping is None else read_mapping(mapping)
    if source_format == "geojson":
        raw = read_geojson(files)
    elif source_format == "table":
        raw = read_table(files, sheet=how.sheet if how else None)
    elif source_format in ("gexf", "graphml"):
        raw, edges = read_graph(files, source_format=source_format)
    else:
        raise UsageError(
            f"Unknown format: {source_format!r}; allowed: geojson, table, gexf, graphml."
        )
    if source_format in ("geojson", "table"):
        edges = raw[:0].reindex(columns=EDGE_ENDS).astype("str")
    if how is None:
        return raw, edges, guess_mapping(raw.columns, source_title=Path(files[0]).stem)
    where = f"{Path(str(mapping)).name}, field"
    for field in how.fields:
        check_name(field, raw.columns, where)
    for entry in how.relations:
        if "weight" in entry:
            check_name(entry["weight"], edges.columns, where)
    return raw, edges, how


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


def _check_codes(records: Records, codebook: Codebook, how: ListMapping) -> None:
    """Refuse codes that the study would refuse, all at once, with what was probably meant."""
    for entry in how.relations:
        check_name(entry["kind"], codebook.relation_kinds.index, "relations in the mapping, kind")
    made = pd.DataFrame([entry.get("target", {}) for entry in how.relations])
    made_at = pd.DataFrame({"file": "the mapping", "row": range(1, len(made) + 1)})
    table = pd.concat([records.table, made], ignore_index=True)
    places = pd.concat([records.places, made_at], ignore_index=True)
    faults: list[str] = []
    for field in read_schema("actors")["fields"]:
        codes = field.get("constraints", {}).get("enum", [])
        if "codebook" in field:
            codes = list(getattr(codebook, field["codebook"]).index)
        parts = table[field["name"]].dropna().astype("str").str.split(";").explode().str.strip()
        wrong = parts[~parts.isin(codes)].drop_duplicates() if codes else parts[:0]
        for at, code in wrong.items():
            (near,) = suggest_words([code], known=codes)
            hint = f"; did you mean {near!r}?" if near else ""
            place = places.loc[at]
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
    """Place each record, one row a territory: ``record`` is its position, ``reason`` why not."""
    stated = table["territory_id"]
    if territory_id is not None:
        stated = pd.Series(territory_id, index=table.index, dtype="str")
    elif not how.placement and len(territories) == 1:
        stated = stated.fillna(str(territories["territory_id"].iloc[0]))
    copies = table.assign(territory_id=stated.str.split(r"\s*;\s*", regex=True), record=table.index)
    copies = copies.explode("territory_id", ignore_index=True)
    copies["territory_id"] = copies["territory_id"].astype("str")
    fields = raw.reset_index(drop=True).loc[copies["record"]].reset_index(drop=True)
    placed = place_records(
        copies,
        territories=territories,
        placement=how.placement,
        postcodes=fields[how.placement.get("postcode", [])],
        texts=fields[how.placement.get("named_in", [])],
    )
    reason = placed["reason"].mask(copies["name"].isna(), "no_name")
    return copies.drop(columns="aside").assign(
        territory_id=placed["territory_id"],
        placed=placed["placed"],
        reason=reason.mask(copies["aside"].notna(), copies["aside"]),
    )


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


def _list_records(
    records: Records, placed: pd.DataFrame, outcomes: pd.DataFrame, conflicts: pd.DataFrame
) -> pd.DataFrame:
    """One row a record, then one a cell that was mended, left out or not followed."""
    first = placed.assign(out=placed["reason"].notna()).sort_values("out", kind="stable")
    first = first.drop_duplicates("record").sort_values("record")
    each = records.places.assign(record_id=records.table["record_id"])
    each = each.join(outcomes.reindex(first.index).set_axis(each.index)[["actor_id", "outcome"]])
    each["outcome"] = each["outcome"].astype("str").fillna("set_aside")
    reason = first["reason"].fillna(first["placed"]).set_axis(each.index)
    whole = each.assign(field="name", found=records.table["name"])
    whole["reason"] = reason.mask(each["outcome"].eq("merged"), "same_organisation")
    differing = conflicts.rename(columns={"other": "found", "kept": "used"})
    doubtful = outcomes.index[outcomes["undecided"]]
    apart = pd.DataFrame({"position": doubtful, "field": "name"})
    apart["found"] = placed["name"].reindex(doubtful).to_numpy()
    joined = pd.concat([differing.assign(reason="differs"), apart.assign(reason="undecided")])
    joined["position"] = joined["position"].map(placed["record"])
    noted = pd.concat([records.notes, joined.dropna(subset="position")], ignore_index=True)
    noted = noted.join(each.drop(columns="outcome"), on="position").assign(outcome="noted")
    return pd.concat([whole, noted.drop_duplicates()], ignore_index=True).assign(table="actors")


def _list_named(named: pd.DataFrame, outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row an organisation that cells name, however many territories it is in."""
    once = named.drop_duplicates("record_id")
    once = once[["record_id", "name"]].join(outcomes[["actor_id", "outcome"]])
    return once.rename(columns={"name": "found"}).assign(
        table="organisations", field="name", reason="named"
    )


def _keep_import(
    report: ImportReport, how: ListMapping, folder: Path, mapping: str | Path | None
) -> None:
    folder.mkdir(exist_ok=True)
    kept = folder / f"{report.source}.yaml"
    if mapping is None:
        if not kept.exists():  # a person may have corrected the guess of an earlier import
            said: dict[str, Any] = {"source": dict(how.source), "columns": dict(how.columns)}
            said |= {key: value for key in ("id", "category") if (value := getattr(how, key))}
            kept.write_text(
                yaml.safe_dump(said, allow_unicode=True, sort_keys=False), encoding="utf-8"
            )
    elif Path(mapping).resolve().parent != folder.resolve():
        shutil.copyfile(mapping, kept)
    _replace_source(report.table, folder / "report.csv", report.source)
    rows = report.rows.astype("str").replace(r"^([=+\-@])", r"'\1", regex=True)
    _replace_source(rows, folder / "report-rows.csv", report.source)


def _replace_source(table: pd.DataFrame, file: Path, source: str) -> None:
    """Write the rows of one list, and leave those of the others in the file."""
    if file.is_file():
        former = pd.read_csv(file, dtype="str")
        others = former[former["source"] != source]
        table = pd.concat([others, table.astype("str")])[table.columns]
    table.to_csv(file, index=False, lineterminator="\n")
