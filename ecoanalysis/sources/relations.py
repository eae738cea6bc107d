"""Ties that a list names: edges of a graph, organisations in the cells of its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ecoanalysis.linkage import fold_id, fold_name
from ecoanalysis.schemas import list_columns
from ecoanalysis.sources.mapping import ListMapping, check_name
from ecoanalysis.sources.records import clean_id, split_cells
from ecoanalysis.sources.values import NAME_STEPS, take_steps


def read_ties(
    raw: pd.DataFrame, edges: pd.DataFrame, *, records: pd.DataFrame, mapping: ListMapping
) -> pd.DataFrame:
    """Read the ties of a list, by the `relations` of its mapping.

    The columns are source_id, target_id (record identifiers), kind (missing where the mapping does
    not say what the edges mean), weight, provenance, file, row, found; and for the values of a list
    column record (position), organisation (identifier), name, entry (position in the mapping).
    """
    how = next((entry for entry in mapping.relations if "field" not in entry), {})
    if "weight" in how:
        check_name(how["weight"], edges.columns, "relations in the mapping, weight")
    ties = edges.reset_index().rename(columns={"source": "source_id", "target": "target_id"})
    ties[["source_id", "target_id"]] = ties[["source_id", "target_id"]].apply(clean_id)
    weight = ties.get(how.get("weight", "weight"), pd.Series(index=ties.index, dtype="str"))
    ties = ties.reindex(columns=["source_id", "target_id", "file", "row"])
    ties["kind"] = pd.Series(how.get("kind"), index=ties.index, dtype="str")
    ties["weight"] = pd.to_numeric(weight, errors="coerce").astype("float64")
    ties["provenance"] = ties["source_id"] + "--" + ties["target_id"]
    ties["found"] = ties["source_id"] + " – " + ties["target_id"]
    named = pd.DataFrame(columns=["record", "organisation", "name", "entry"])
    cells = [
        _read_cells(raw[entry["field"]], records, entry).assign(entry=n)
        for n, entry in enumerate(mapping.relations)
        if "field" in entry
    ]
    ties = pd.concat([ties, *(cells or [named])], ignore_index=True)
    return ties.assign(provenance=ties["provenance"].radd(f"{mapping.source['name']}:"))


def _read_cells(cells: pd.Series, records: pd.DataFrame, entry: Mapping[str, Any]) -> pd.DataFrame:
    parts = split_cells(
        cells.reset_index(drop=True),
        separators=entry.get("split", []),
        meanings=entry.get("translations", {}),
    )
    ties = records.loc[parts.index, ["file", "row", "record_id"]]
    ties = ties.rename_axis("record").reset_index()
    ties["found"] = ties["name"] = take_steps(parts.reset_index(drop=True), NAME_STEPS)[0]
    folded = ties["name"].map(fold_name, na_action="ignore")
    ties["organisation"] = folded.radd(f"{fold_id(entry['field'])}-")
    ties["provenance"] = ties["record_id"]
    ends = ["record_id", "organisation"][:: -1 if entry.get("end") == "source" else 1]
    ties[["source_id", "target_id"]] = ties[ends]
    return ties.drop(columns="record_id").assign(kind=entry["kind"], weight=np.nan)


def list_organisations(
    ties: pd.DataFrame, *, placed: pd.DataFrame, mapping: ListMapping
) -> pd.DataFrame:
    """List, as records, the organisations that cells name, in each territory that they are in.

    `placed` has `record` (position) and `territory_id` of the records that are imported.
    """
    named = ties.dropna(subset="name").merge(placed[["record", "territory_id"]], on="record")
    named["name"] = named.groupby("organisation")["name"].transform("first")
    named = named.drop_duplicates(["organisation", "territory_id"])
    made = pd.DataFrame([entry.get("target", {}) for entry in mapping.relations], dtype="str")
    made = made.reindex(named["entry"]).set_axis(named.index)
    made = made.assign(placed="stated", record_id=named["organisation"])
    made["provenance"] = named["organisation"].radd(f"{mapping.source['name']}:")
    made = made.assign(**named[["territory_id", "name"]])
    return made.reindex(columns=[*list_columns("actors"), "record_id"])


def join_relations(
    relations: pd.DataFrame,
    *,
    ties: pd.DataFrame,
    homes: pd.DataFrame,
    actors: pd.DataFrame,
    undirected: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the ties of a list to the relations of a study.

    Ties of one kind between the same two actors of a territory are one relation, whose weights add
    up; one that the study has stays as it is. A tie between actors of several territories is kept
    in each one that both are in, else as a tie that leaves the source's territory. `homes` are the
    record_id, territory_id and actor_id of the records that are in the study, `undirected` the
    kinds of relation without direction. Returns the relations, the new ones last, by territory and
    ends; and for each tie outcome (kept, merged, set_aside) and reason (code).
    """
    rows = _find_ends(ties, homes)
    alone = rows["source_id"].eq(rows["target_id"])
    fit = rows[~(alone | rows["weight"].lt(0) | rows["kind"].isna())]
    fit = fit.assign(key=_make_keys(fit, actors, undirected))
    had = relations.assign(key=_make_keys(relations, actors, undirected))
    more = fit.drop_duplicates(["key", "provenance"]).groupby("key")["provenance"].agg(";".join)
    new = fit.drop_duplicates("key").set_index("key")
    new = new.assign(weight=fit.groupby("key")["weight"].sum(min_count=1), provenance=more)
    new = new.drop(had["key"], errors="ignore").reset_index()
    new = new.sort_values(["territory_id", "source_id", "target_id"])
    both = had["provenance"].str.cat(had["key"].map(more), sep=";", na_rep="").str.strip(";")
    parts = both[both.ne("")].str.split(";").map(lambda said: ";".join(dict.fromkeys(said)))
    had["provenance"] = parts.reindex(had.index).astype("str")
    tables = [part for part in (had, new.reindex(columns=had.columns)) if len(part)] or [had]
    table = pd.concat(tables, ignore_index=True)
    began = table.drop_duplicates("key").set_index("key")["provenance"].str.split(";").str[0]
    kept = fit["provenance"].eq(fit["key"].map(began)) & ~fit["key"].duplicated()
    outcome = kept.groupby(fit["tie"]).first().map({True: "kept", False: "merged"})
    outcome = outcome.reindex(ties.index).fillna("set_aside").astype("str")
    reason = pd.Series("end_set_aside", index=ties.index, dtype="str")
    for why, hit in (
        ("self_relation", ties.index.isin(rows["tie"])),
        ("negative_weight", ties["weight"].lt(0)),
        ("no_kind", ties["kind"].isna()),
        ("tie", outcome.eq("kept")),
        ("same_tie", outcome.eq("merged")),
    ):
        reason = reason.mask(hit, why)
    return table[relations.columns], pd.DataFrame({"outcome": outcome, "reason": reason})


def _find_ends(ties: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
    """Find the actors of each tie: those of one territory, else the first of each end."""
    said = ties[["source_id", "target_id", "kind", "weight", "provenance"]]
    pairs = said.rename_axis("tie").reset_index()
    for end in ("source", "target"):
        at = homes.rename(columns={"record_id": f"{end}_id", "territory_id": f"{end}_in"})
        pairs = pairs.merge(at, on=f"{end}_id").drop(columns=f"{end}_id")
        pairs = pairs.rename(columns={"actor_id": f"{end}_id"})
    pairs = pairs.sort_values("tie", kind="stable", ignore_index=True)
    inside = pairs["source_in"].eq(pairs["target_in"])
    alone = ~inside.groupby(pairs["tie"]).transform("any") & ~pairs["tie"].duplicated()
    return pairs[inside | alone].rename(columns={"source_in": "territory_id"})


def _make_keys(relations: pd.DataFrame, actors: pd.DataFrame, undirected: list[str]) -> pd.Series:
    """Name what makes two relations the same: kind, ends, and the territory that holds both."""
    source, target = relations["source_id"], relations["target_id"]
    swap = relations["kind"].isin(undirected) & (source > target)
    here = pd.MultiIndex.from_frame(actors[["territory_id", "actor_id"]])
    ends = pd.MultiIndex.from_frame(relations[["territory_id", "target_id"]])
    territory = relations["territory_id"].where(ends.isin(here), "")
    parts = pd.DataFrame({0: source.mask(swap, target), 1: target.mask(swap, source), 2: territory})
    return relations["kind"].astype("str").str.cat(parts.astype("str"), sep="\x1f")
