"""Ties that a list names: edges of a graph, organisations in the cells of its records."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from ecoanalysis.linkage import fold_id, fold_name
from ecoanalysis.schemas import list_columns
from ecoanalysis.sources.mapping import ListMapping
from ecoanalysis.sources.records import clean_id, split_cells
from ecoanalysis.sources.values import NAME_STEPS, take_steps
from ecoanalysis.study.suggest import check_name


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
