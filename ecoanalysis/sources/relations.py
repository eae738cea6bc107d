"""Ties that a list names: edges of a graph, organisations in the cells of its records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from ecoanalysis.linkage import fold_id, fold_name
from ecoanalysis.schemas import list_columns
from ecoanalysis.sources.mapping import ListMapping
from ecoanalysis.sources.records import Records, clean_id, unite_lists
from ecoanalysis.sources.values import clean_names

NO_ID = "?"


def read_ties(
    raw: pd.DataFrame, edges: pd.DataFrame, *, records: Records, mapping: ListMapping
) -> pd.DataFrame:
    """Read the ties of a list, by the `relations` of its mapping.

    Returns
    -------
    pandas.DataFrame
        ``source_id``, ``target_id`` (record identifiers), ``kind`` (missing where the mapping does
        not say what the edges mean), ``weight``, ``provenance``, ``file``, ``row``, ``found``, and
        for the values of a list column ``record`` (position), ``organisation`` (identifier),
        ``name``, ``entry`` (position in the mapping).
    """
    entries = list(enumerate(mapping.relations))
    found = [_read_cells(raw, records, entry, n) for n, entry in entries if "field" in entry]
    meaning = [entry for _, entry in entries if "field" not in entry]
    found.append(_read_edges(edges, meaning[0] if meaning else {}))
    ties = pd.concat(found, ignore_index=True)
    ties["provenance"] = ties["provenance"].radd(f"{mapping.source['name']}:")
    return ties


def _read_edges(edges: pd.DataFrame, entry: Mapping[str, Any]) -> pd.DataFrame:
    places = edges.index.to_frame(index=False)
    said = edges.reset_index(drop=True)
    weight = said.get(entry.get("weight", "weight"), pd.Series(index=said.index, dtype="str"))
    source, target = (clean_id(said[end]).fillna(NO_ID) for end in ("source", "target"))
    return places.assign(
        source_id=source,
        target_id=target,
        kind=pd.Series(entry.get("kind"), index=said.index, dtype="str"),
        weight=pd.to_numeric(weight, errors="coerce"),
        provenance=source + "--" + target,
        found=source + " – " + target,
    )


def _read_cells(
    raw: pd.DataFrame, records: Records, entry: Mapping[str, Any], n: int
) -> pd.DataFrame:
    cells = raw[[entry["field"]]].reset_index(drop=True)
    separators = entry.get("split", [])
    parts = unite_lists(cells, separators=separators, meanings=entry.get("translations", {}))
    names, at = clean_names(parts.reset_index(drop=True))[0], parts.index
    folded = names.map(fold_name, na_action="ignore").fillna(NO_ID)
    organisation = f"{fold_id(entry['field'])}-" + folded
    record = records.table["record_id"].loc[at].reset_index(drop=True)
    ends = [record, organisation]
    if entry.get("end") == "source":
        ends.reverse()
    return records.places.loc[at].reset_index(drop=True).assign(
        source_id=ends[0],
        target_id=ends[1],
        kind=entry["kind"],
        weight=np.nan,
        provenance=record,
        found=names,
        record=at,
        organisation=organisation,
        name=names,
        entry=n,
    )  # fmt: skip


def list_organisations(
    ties: pd.DataFrame, *, placed: pd.DataFrame, mapping: ListMapping
) -> pd.DataFrame:
    """List the organisations that cells name, in each territory of the records that name them.

    `placed` has `record` (position) and `territory_id` of the records that are imported. Returns
    records in the columns of the actors table, and `record_id`.
    """
    columns = [*list_columns("actors"), "record_id"]
    if "organisation" not in ties:
        return pd.DataFrame(columns=columns)
    named = ties[ties["name"].notna()].merge(placed[["record", "territory_id"]], on="record")
    named["name"] = named.groupby("organisation")["name"].transform("first")
    named = named.drop_duplicates(["organisation", "territory_id"])
    made = named[["territory_id", "name"]].assign(record_id=named["organisation"], placed="stated")
    source = mapping.source["name"]
    made["provenance"] = made["record_id"].radd(f"{source}:")
    for n, entry in enumerate(mapping.relations):
        for column, value in entry.get("target", {}).items():
            if column not in made:
                made[column] = pd.Series(index=made.index, dtype="str")
            made[column] = made[column].mask(named["entry"].eq(n), value)
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
    in each one that both are in, else as a tie that leaves the source's territory.

    Parameters
    ----------
    relations, actors : pandas.DataFrame
        Tables of the study, actors with the new ones.
    ties : pandas.DataFrame
        As `read_ties` returns them.
    homes : pandas.DataFrame
        ``record_id``, ``territory_id``, ``actor_id`` of the records that are in the study.
    undirected : list of str
        Relation kinds without direction.

    Returns
    -------
    relations : pandas.DataFrame
        The relations of the study in their order, then the new ones by territory and ends.
    outcomes : pandas.DataFrame
        Index of `ties`; ``outcome`` (kept, merged, set_aside), ``reason`` (code).
    """
    rows = _find_ends(ties, homes)
    apart = ties["weight"].lt(0).reindex(rows["tie"]).to_numpy() | rows["kind"].isna()
    fit = rows[(rows["source_id"] != rows["target_id"]) & ~apart].copy()
    fit["key"] = _make_keys(fit, actors, undirected)
    had = relations.assign(key=_make_keys(relations, actors, undirected))
    first = fit.drop_duplicates("key").set_index("key")
    sums = fit.groupby("key", sort=False)
    first["weight"] = sums["weight"].sum(min_count=1)
    first["provenance"] = sums["provenance"].agg(_unite).astype("str")
    new = first[~first.index.isin(had["key"])]
    more = had["key"].map(first["provenance"])
    both = [
        _unite(part for part in pair if isinstance(part, str))
        for pair in zip(had["provenance"], more, strict=True)
    ]
    united = pd.Series(both, index=had.index, dtype="str")
    had["provenance"] = united.mask(united.eq(""))
    began = pd.concat([had.set_index("key")["provenance"], new["provenance"]])
    began = began[~began.index.duplicated()].astype("str").str.split(";").str[0]
    kept = fit["provenance"].eq(fit["key"].map(began)) & ~fit["key"].duplicated()
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
    new = new.sort_values(["territory_id", "source_id", "target_id"])
    parts = [had[relations.columns], new.reindex(columns=relations.columns)]
    table = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    return table, pd.DataFrame({"outcome": outcome, "reason": reason})


def _unite(provenance: Iterable[str]) -> str:
    parts = (part for cell in provenance for part in cell.split(";"))
    return ";".join(dict.fromkeys(parts))


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
