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
from ecoanalysis.schemas import list_columns, list_fields
from ecoanalysis.sources import reading
from ecoanalysis.sources.joining import join_records
from ecoanalysis.sources.mapping import ListMapping, check_name, guess_mapping, read_mapping
from ecoanalysis.sources.placement import place_records
from ecoanalysis.sources.records import map_records
from ecoanalysis.sources.relations import join_relations, list_organisations, read_ties
from ecoanalysis.sources.report import ImportReport, make_report
from ecoanalysis.sources.saving import open_study, save_study
from ecoanalysis.study.columns import type_columns
from ecoanalysis.study.suggest import suggest_words

_MOST_FAULTS = 20
_POINT = ["latitude", "longitude"]


def import_list(
    source_format: Literal["geojson", "table", "gexf", "graphml"] | str,
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
    raw, edges, how = _read_list(source_format, files, mapping)
    study = open_study(Path(study_path))
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
    numbers = range(len(placed), len(placed) + len(named))
    named = named.set_axis(numbers).astype(fit.dtypes[named.columns])
    added = pd.concat([fit[named.columns], named])
    graph = source_format in ("gexf", "graphml")
    joined, outcomes, conflicts = join_records(actors, records=added, distinct=graph)
    homes = added[["record_id", "territory_id"]].join(outcomes["actor_id"])
    undirected = list(kinds.index[kinds["directed"].eq("no")])
    relations, tied = join_relations(
        study.tables["relations"], ties=ties, homes=homes, actors=joined, undirected=undirected
    )
    tables = {"territories": _locate_territories(territories, joined), "actors": joined}
    if len(relations):
        tables["relations"] = relations
    source = {"name": "", "title": how.source["name"], **how.source}
    source.setdefault("accessed_on", str(date.today()))
    save_study(study, source=source, **tables)
    once = named.drop_duplicates("record_id")[["record_id", "name"]].join(outcomes)
    once = once.rename(columns={"name": "found"}).assign(field="name", reason="named")
    read = [
        _list_records(notes, placed, outcomes, conflicts).assign(table="actors"),
        once.assign(table="organisations"),
        ties[["file", "row", "found"]].join(tied).assign(table="relations"),
    ]
    known_fields = {*how.fields, reading.LATITUDE, reading.LONGITUDE, reading.SHAPE}
    unused = [str(field) for field in raw if field not in known_fields]
    n_new, guesses = len(joined) - len(actors), how.columns if how.guessed else {}
    rows = pd.concat(read, ignore_index=True).assign(source=source["name"])
    report = make_report(rows, n_new=n_new, guesses=guesses, unused=unused)
    _keep_import(report, how, study.path / "import", mapping)
    return report


def _read_list(
    source_format: str, files: Sequence[str | Path], mapping: str | Path | None
) -> tuple[pd.DataFrame, pd.DataFrame, ListMapping]:
    """Read a list, its edges, and the mapping that says, or guesses, what its fields are."""
    if not files:
        raise UsageError("No file to import.")
    check_name(source_format, ("geojson", "table", "gexf", "graphml"), "Format")
    how = None if mapping is None else read_mapping(mapping)
    if source_format in ("gexf", "graphml"):
        raw, edges = reading.read_graph(files, source_format=source_format)
    else:
        sheet, table = how.sheet if how else None, source_format == "table"
        raw = reading.read_table(files, sheet=sheet) if table else reading.read_geojson(files)
        edges = raw[:0].reindex(columns=reading.EDGE_ENDS).astype("str")
    if how is None:
        return raw, edges, guess_mapping(raw.columns, source_title=Path(files[0]).stem)
    where = f"{Path(str(mapping)).name}, field"
    for field in how.fields:
        check_name(field, raw.columns, where)
    for weight in [entry["weight"] for entry in how.relations if "weight" in entry]:
        check_name(weight, edges.columns, where)
    return raw, edges, how


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
    ids = [str(name) for name in territories["territory_id"]]
    for key in ("prefixes", "cities"):
        for name in how.placement.get(key, {}).values():
            check_name(name, ids, "placement in the mapping, territory")
    if territory_id is not None:
        check_name(territory_id, ids, "Territory")
    return territories


def _check_codes(records: pd.DataFrame, codebook: Codebook, how: ListMapping) -> None:
    """Refuse codes that the study would refuse, all at once, with what was probably meant."""
    for entry in how.relations:
        check_name(entry["kind"], codebook.relation_kinds.index, "relations in the mapping, kind")
    made = pd.DataFrame([entry.get("target", {}) for entry in how.relations])
    made = made.assign(file="the mapping", row=range(1, len(made) + 1))
    table = pd.concat([records, made], ignore_index=True)
    faults: list[str] = []
    for name, field in list_fields("actors").items():
        codes = field["constraints"].get("enum", [])
        if "codebook" in field:
            codes = list(getattr(codebook, field["codebook"]).index)
        parts = table[name].dropna().astype("str").str.split(";").explode().str.strip()
        wrong = parts[~parts.isin(codes)].drop_duplicates() if codes else parts[:0]
        meant = suggest_words(wrong, known=codes)
        for (at, code), near in zip(wrong.items(), meant, strict=True):
            hint = f"; did you mean {near!r}?" if near else ""
            file, row = table.loc[[at], ["file", "row"]].to_numpy()[0]
            faults.append(f"{file}, row {row}, {name}: {code!r}{hint}")
    if faults:
        more = f"\n… and {len(faults) - _MOST_FAULTS} more" if len(faults) > _MOST_FAULTS else ""
        shown = "\n".join(faults[:_MOST_FAULTS])
        raise UsageError(f"Codes not known; translate them in the mapping:\n{shown}{more}")


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
        stated = stated.fillna(str(territories["territory_id"].iloc[0]))
    copies = records.assign(territory_id=stated.str.split(r"\s*;\s*", regex=True))
    copies = copies.rename_axis("record").explode("territory_id").reset_index()
    copies["territory_id"] = copies["territory_id"].astype("str")
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


def _locate_territories(territories: pd.DataFrame, actors: pd.DataFrame) -> pd.DataFrame:
    """Put a territory without coordinates at the median of its actors' points."""
    middle = actors.groupby("territory_id")[_POINT].median().round(4)
    middle = middle.reindex(territories["territory_id"]).set_axis(territories.index)
    blank = territories[_POINT].isna().any(axis=1)
    return territories.assign(**territories[_POINT].astype("float64").mask(blank, middle))


def _list_records(
    notes: pd.DataFrame,
    placed: pd.DataFrame,
    outcomes: pd.DataFrame,
    conflicts: pd.DataFrame,
) -> pd.DataFrame:
    """One row a record, then one a cell that was mended, left out or not followed."""
    each = placed.drop(columns="actor_id").join(outcomes)
    each = each.sort_values("reason", key=pd.Series.notna, kind="stable")
    each = each.drop_duplicates("record").set_index("record").sort_index()
    place = each[["file", "row", "record_id", "actor_id"]]
    outcome = each["outcome"].fillna("set_aside")
    reason = each["reason"].fillna(each["placed"])
    reason = reason.mask(outcome.eq("merged"), "same_organisation")
    whole = place.assign(field="name", found=each["name"], outcome=outcome, reason=reason)
    differing = conflicts.rename(columns={"other": "found", "kept": "used"})
    apart = placed.loc[placed.index.isin(outcomes.index[outcomes["undecided"]]), ["name"]]
    apart = apart.rename(columns={"name": "found"}).rename_axis("position").reset_index()
    apart = apart.assign(field="name", reason="undecided")
    joined = pd.concat([differing.assign(reason="differs"), apart])
    joined["position"] = joined["position"].map(placed["record"])
    noted = pd.concat([notes, joined.dropna(subset="position")])
    noted = noted.join(place, on="position").assign(outcome="noted").drop_duplicates()
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
        said: dict[str, Any] = {"source": dict(how.source), "columns": dict(how.columns)}
        said |= {key: value for key in ("id", "category") if (value := getattr(how, key))}
        text = yaml.safe_dump(said, allow_unicode=True, sort_keys=False)
        kept.write_text(text, encoding="utf-8")
    rows = report.rows.astype("str").replace(r"^([=+\-@])", r"'\1", regex=True)
    for name, table in (("report.csv", report.table.astype("str")), ("report-rows.csv", rows)):
        if (folder / name).is_file():
            former = pd.read_csv(folder / name, dtype="str")
            table = pd.concat([former[former["source"] != report.source], table])[table.columns]
        table.to_csv(folder / name, index=False, lineterminator="\n")
