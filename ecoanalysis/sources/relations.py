"""Ties that a list names: edges of a graph, organisations in the cells of its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ecoanalysis.linkage import fold_id, fold_name
from ecoanalysis.schemas import list_columns
from ecoanalysis.sources.mapping import ListMapping
from ecoanalysis.sources.records import clean_id, split_cells
from ecoanalysis.sources.values import clean_names

NO_ID = "?"


def read_ties(
    raw: pd.DataFrame, edges: pd.DataFrame, *, records: pd.DataFrame, mapping: ListMapping
) -> pd.DataFrame:
    """Read the ties of a list, by the `relations` of its mapping.

    The columns are source_id, target_id (record identifiers), kind (missing where the mapping does
    not say what the edges mean), weight, provenance, file, row, found, and for the values of a list
    column record (position), organisation (identifier), name, entry (position in the mapping).
    """
    of_edges = [entry for entry in mapping.relations if "field" not in entry]
    found = [
        _read_cells(raw, records, entry).assign(entry=n)
        for n, entry in enumerate(mapping.relations)
        if entry not in of_edges
    ]
    ties = pd.concat([*found, _read_edges(edges, *of_edges[:1])], ignore_index=True)
    ties["provenance"] = ties["provenance"].radd(f"{mapping.source['name']}:")
    return ties


def _read_edges(edges: pd.DataFrame, entry: Mapping[str, Any] | None = None) -> pd.DataFrame:
    said, how = edges.reset_index(drop=True), entry or {}
    weight = said.get(how.get("weight", "weight"), pd.Series(index=said.index, dtype="str"))
    source, target = (clean_id(said[end]).fillna(NO_ID) for end in ("source", "target"))
    ties = pd.DataFrame({"source_id": source, "target_id": target})
    ties["kind"] = pd.Series(how.get("kind"), index=said.index, dtype="str")
    ties["weight"] = pd.to_numeric(weight, errors="coerce")
    ties = ties.assign(provenance=source + "--" + target, found=source + " – " + target)
    return ties.join(edges.index.to_frame(index=False))


def _read_cells(raw: pd.DataFrame, records: pd.DataFrame, entry: Mapping[str, Any]) -> pd.DataFrame:
    cells = raw[entry["field"]].reset_index(drop=True)
    meanings, separators = entry.get("translations", {}), entry.get("split", [])
    parts = split_cells(cells, separators=separators, meanings=meanings)
    ties = records.loc[parts.index, ["file", "row", "record_id"]]
    ties = ties.rename_axis("record").reset_index()
    ties["found"] = ties["name"] = clean_names(parts.reset_index(drop=True))[0]
    folded = ties["name"].map(fold_name, na_action="ignore").fillna(NO_ID)
    ties["organisation"] = f"{fold_id(entry['field'])}-" + folded
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
    columns = [*list_columns("actors"), "record_id"]
    if "organisation" not in ties:
        return pd.DataFrame(columns=columns)
    named = ties[ties["name"].notna()].merge(placed[["record", "territory_id"]], on="record")
    named["name"] = named.groupby("organisation")["name"].transform("first")
    named = named.drop_duplicates(["organisation", "territory_id"])
    made = pd.DataFrame([entry.get("target", {}) for entry in mapping.relations], dtype="str")
    made = made.reindex(named["entry"]).set_axis(named.index)
    key = named["organisation"]
    made = made.assign(territory_id=named["territory_id"], name=named["name"], placed="stated")
    made = made.assign(record_id=key, provenance=key.radd(f"{mapping.source['name']}:"))
    return made.reindex(columns=columns)


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
    apart = rows["weight"].lt(0) | rows["kind"].isna() | rows["source_id"].eq(rows["target_id"])
    fit = rows[~apart]
    fit = fit.assign(key=_make_keys(fit, actors, undirected))
    had = relations.assign(key=_make_keys(relations, actors, undirected))
    groups = fit.groupby("key", sort=False)
    more = groups["provenance"].agg(_unite)
    new = fit.drop_duplicates("key").set_index("key")
    new = new.assign(weight=groups["weight"].sum(min_count=1), provenance=more).reset_index()
    new = new[~new["key"].isin(had["key"])].sort_values(["territory_id", "source_id", "target_id"])
    both = [_unite(pair) for pair in zip(had["provenance"], had["key"].map(more), strict=True)]
    had["provenance"] = pd.Series(both, index=had.index, dtype="str")
    parts = [part for part in (had, new.reindex(columns=had.columns)) if len(part)] or [had]
    table = pd.concat(parts, ignore_index=True)
    began = table.drop_duplicates("key").set_index("key")["provenance"].str.split(";").str[0]
    began = fit["key"].map(began)
    kept = fit["provenance"].eq(began) & ~fit["key"].duplicated()
    outcome = pd.Series(np.where(kept, "kept", "merged"), index=fit["tie"], dtype="str")
    outcome = outcome[~outcome.index.duplicated()].reindex(ties.index).fillna("set_aside")
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


def _unite(cells: Iterable[Any]) -> str | None:
    """Unite the provenance of cells, some of which may be missing."""
    parts = [part for cell in cells if isinstance(cell, str) for part in cell.split(";")]
    return ";".join(dict.fromkeys(parts)) or None


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
