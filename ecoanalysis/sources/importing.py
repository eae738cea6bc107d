"""The import of a list into a study, from the file to the report."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pandas as pd
import yaml

from ecoanalysis.codebook import Codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.schemas import list_columns, list_fields
from ecoanalysis.sources.joining import join_records, join_relations
from ecoanalysis.sources.mapping import ListMapping, guess_mapping, read_mapping
from ecoanalysis.sources.placement import place_records
from ecoanalysis.sources.reading import LATITUDE, LONGITUDE, SHAPE, Format, read_list
from ecoanalysis.sources.records import map_records
from ecoanalysis.sources.relations import list_organisations, read_ties
from ecoanalysis.sources.report import ImportReport, make_report
from ecoanalysis.study import read_study
from ecoanalysis.study.check import check_cells
from ecoanalysis.study.columns import split_parts, type_columns
from ecoanalysis.study.faults import describe_faults, join_faults
from ecoanalysis.study.files import Table, neutralise_formulas
from ecoanalysis.study.suggest import check_name
from ecoanalysis.study.write import save_study
from ecoanalysis.wording import use_language

_MOST_FAULTS = 20
_POINT = ["latitude", "longitude"]


def import_list(
    source_format: Format | str,
    files: Sequence[str | Path],
    *,
    study_path: str | Path,
    territory_id: str | None = None,
    mapping: str | Path | None = None,
) -> ImportReport:
    """Bring a list into a study, which is made where the mapping names its territories.

    A table is CSV, XLSX or a JSON list of objects. Without a mapping (YAML; see docs/mapping.md)
    obvious names are recognised; `territory_id` is that of every record. The mapping, and the
    report as ``report.csv`` and ``report-rows.csv``, are kept in the study's folder ``import``;
    importing the same list again changes nothing. Returns what became of each record and tie. A
    file, a mapping or a territory that cannot be used is a UsageError, a study with faults of its
    own a StudyError, and nothing is written.
    """
    how = None if mapping is None else read_mapping(mapping)
    raw, edges = read_list(source_format, files, sheet=how.sheet if how else None)
    if how is None:
        how = guess_mapping(raw.columns, source_title=Path(files[0]).stem)
    for field in how.fields:
        check_name(field, raw.columns, f"{Path(str(mapping)).name}, field")
    study = read_study(study_path, unfinished=True)
    actors, kinds = study.tables["actors"], study.codebook.relation_kinds
    territories = _list_territories(study.tables["territories"], how, territory_id)
    records, notes = map_records(raw, mapping=how, cities=actors["city"])
    _check_codes(records, study.codebook, how)
    placed = _place(records, raw, how, territories, territory_id)
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
    added = pd.concat([fit[named.columns], named.astype(fit.dtypes[named.columns])])
    joined, outcomes, remarks = join_records(
        actors, records=added, distinct=source_format in ("gexf", "graphml")
    )
    homes = added[["record_id", "territory_id"]].join(outcomes["actor_id"])
    undirected = list(kinds.index[kinds["directed"].eq("no")])
    relations, tied = join_relations(
        study.tables["relations"], ties=ties, homes=homes, actors=joined, undirected=undirected
    )
    middle = joined.groupby("territory_id")[_POINT].median().round(4)
    middle = middle.reindex(territories["territory_id"]).set_axis(territories.index)
    blank = territories[_POINT].isna().any(axis=1)
    tables = {"territories": territories.assign(**territories[_POINT].mask(blank, middle))}
    source = {"name": "", "title": how.source["name"], **how.source}
    source.setdefault("accessed_on", str(date.today()))
    save_study(study, source=source, **tables, actors=joined, relations=relations)
    once = named.drop_duplicates("record_id")[["record_id", "name"]].join(outcomes)
    read = [
        _list_records(notes, placed, outcomes, remarks).assign(table="actors"),
        once.rename(columns={"name": "found"}).assign(
            table="organisations", field="name", reason="named"
        ),
        ties[["file", "row", "found"]].join(tied).assign(table="relations"),
    ]
    unused = raw.columns.difference([*how.fields, LATITUDE, LONGITUDE, SHAPE], sort=False)
    report = make_report(
        pd.concat(read, ignore_index=True).assign(source=source["name"]),
        n_new=len(joined) - len(actors),
        guesses=how.columns if how.guessed else {},
        unused=unused,
    )
    _keep_import(report, how, Path(study_path) / "import", mapping)
    return report


def _list_territories(
    known: pd.DataFrame, how: ListMapping, territory_id: str | None
) -> pd.DataFrame:
    """Join the territories of the study and those that the mapping brings."""
    brought = pd.DataFrame(how.territories, columns=list_columns("territories"), dtype="str")
    brought = type_columns("territories", brought.fillna(""))
    brought = brought[~brought["territory_id"].isin(known["territory_id"])]
    territories = pd.concat([known, brought], ignore_index=True)
    if territories.empty:
        raise UsageError(
            "The study has no territory yet: fill the table territories, or list them under "
            "`territories` in the mapping."
        )
    meant = {**how.placement.get("prefixes", {}), **how.placement.get("cities", {})}
    for name in meant.values():
        check_name(name, territories["territory_id"], "placement in the mapping, territory")
    if territory_id is not None:
        check_name(territory_id, territories["territory_id"], "Territory")
    return territories


def _check_codes(records: pd.DataFrame, codebook: Codebook, how: ListMapping) -> None:
    """Refuse codes that the study would refuse, all at once, with what was probably meant."""
    for entry in how.relations:
        check_name(entry["kind"], codebook.relation_kinds.index, "relations in the mapping, kind")
    made = pd.DataFrame([entry.get("target", {}) for entry in how.relations])
    made = made.assign(file="mapping, relations", row=range(1, len(made) + 1))
    fields = list_fields("actors").items()
    coded = [name for name, f in fields if "codebook" in f or "enum" in f["constraints"]]
    faults: list[pd.DataFrame] = []
    for file, rows in pd.concat([records, made]).groupby("file"):
        cells = rows.set_index("row")[coded].fillna("").astype("str")
        faults += check_cells(Table("actors", str(file), cells), codebook=codebook)
    if faults:
        said = describe_faults(join_faults(faults), language=use_language("en"), limit=_MOST_FAULTS)
        raise UsageError("\n".join(["Codes not known; translate them in the mapping:", *said]))


def _place(
    records: pd.DataFrame,
    raw: pd.DataFrame,
    how: ListMapping,
    territories: pd.DataFrame,
    territory_id: str | None,
) -> pd.DataFrame:
    """Place each record, one row a territory: ``record`` is its position, ``reason`` why not."""
    stated = records["territory_id"]
    if territory_id is not None:
        stated = pd.Series(territory_id, index=records.index, dtype="str")
    elif not how.placement and len(territories) == 1:
        stated = stated.fillna(territories["territory_id"].iloc[0])
    copies = records.drop(columns="territory_id").rename_axis("record")
    copies = copies.join(split_parts(stated).rename("territory_id")).reset_index()
    fields = raw.iloc[copies["record"]].set_axis(copies.index)
    placed = place_records(
        copies,
        territories=territories,
        placement=how.placement,
        postcodes=fields[how.placement.get("postcode", [])],
        texts=fields[how.placement.get("named_in", [])],
    )
    reason = placed["reason"].mask(copies["name"].isna(), "no_name")
    return copies.assign(**placed).assign(reason=copies["aside"].fillna(reason))


def _list_records(
    notes: pd.DataFrame, placed: pd.DataFrame, outcomes: pd.DataFrame, remarks: pd.DataFrame
) -> pd.DataFrame:
    """One row a record, then one a cell that was mended, left out or not followed."""
    each = placed.drop(columns="actor_id").join(outcomes)
    each = each.sort_values("reason", key=pd.Series.notna, kind="stable")
    each = each.drop_duplicates("record").set_index("record").sort_index()
    place = each[["file", "row", "record_id", "actor_id"]]
    outcome = each["outcome"].fillna("set_aside")
    reason = each["reason"].fillna(each["placed"]).mask(outcome.eq("merged"), "same_organisation")
    whole = place.assign(field="name", found=each["name"], outcome=outcome, reason=reason)
    remarks = remarks.assign(position=remarks["position"].map(placed["record"]))
    noted = pd.concat([notes, remarks.dropna(subset="position")]).join(place, on="position")
    noted = noted.assign(outcome="noted").drop_duplicates()
    return pd.concat([whole, noted], ignore_index=True)


def _keep_import(
    report: ImportReport, how: ListMapping, folder: Path, mapping: str | Path | None
) -> None:
    """Keep the mapping, and the rows of the report instead of those of an earlier import."""
    folder.mkdir(exist_ok=True)
    kept = folder / f"{report.source}.yaml"
    if mapping is not None and Path(mapping).resolve().parent != folder.resolve():
        shutil.copyfile(mapping, kept)
    elif mapping is None and not kept.exists():  # a person may have corrected an earlier guess
        said = {key: value for key, value in asdict(how).items() if value and key != "guessed"}
        text = yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
        kept.write_text(text, encoding="utf-8")
    for name, new in (("report.csv", report.table), ("report-rows.csv", report.rows)):
        table = neutralise_formulas(new.astype("str"))
        if (folder / name).is_file():
            former = pd.read_csv(folder / name, dtype="str", keep_default_na=False)
            table = pd.concat([former[former["source"] != report.source], table])[table.columns]
        table.to_csv(folder / name, index=False, lineterminator="\n")
