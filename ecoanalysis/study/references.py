"""The check across tables: what a row names must be there, and lie where its country is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ecoanalysis.schemas import read_schema
from ecoanalysis.study.columns import TextTable, join_cells, report_cells
from ecoanalysis.study.faults import Faults, make_faults
from ecoanalysis.study.files import WORKBOOK
from ecoanalysis.study.outlines import find_country, find_inside
from ecoanalysis.study.suggest import suggest_words


def check_references(tables: Mapping[str, TextTable]) -> Faults:
    """Check that what is named exists, by foreign keys: `dangling_reference`, `missing_table`."""
    for table in tables.values():
        lost: list[int] = list(table.askew)
        for key in read_schema(table.name).get("foreignKeys", []):
            target, wanted = key["reference"]["resource"], key["reference"]["fields"]
            names = table.cells[key["fields"]].drop(lost)
            named = names[(names != "").all(axis=1)]
            known = tables.get(target)
            if known is None:
                if len(named):
                    file = WORKBOOK if table.file == WORKBOOK else f"{target}.csv"
                    yield make_faults("missing_table", table=target, file=file, found=target)
            elif known.whole and not set(wanted) & set(known.missing):
                dangling = named[~join_cells(named).isin(join_cells(known.cells[wanted]))]
                if key["fields"] == ["territory_id"]:  # what else such a row names is lost with it
                    lost += list(dangling.index)
                if len(dangling):
                    yield from _report_dangling(table, dangling, known, wanted[-1])


def check_sources(tables: Mapping[str, TextTable], *, sources: Sequence[str]) -> Faults:
    """Warn of each source of a provenance that no one described (`unknown_source`)."""
    for table in tables.values():
        if sources and "provenance" in table.cells:
            names = table.cells["provenance"].str.split(";").explode().str.split(":").str[0]
            names = names.str.strip()
            unknown = names[~names.isin(["", *sources])].drop_duplicates()
            meant = suggest_words(unknown, known=sources)
            yield from report_cells(table, "unknown_source", unknown, suggestion=meant)


def check_places(tables: Mapping[str, TextTable]) -> Faults:
    """Warn of territories without actors (`territory_without_actors`) and with none in the country.

    `points_outside_country` suggests the country of the first point, or to exchange coordinates.
    """
    territories, actors = tables["territories"], tables["actors"]
    if not actors.whole or "territory_id" in (*territories.missing, *actors.missing):
        return
    ids = territories.cells["territory_id"]
    bare = ids[(ids != "") & ~ids.isin(actors.cells["territory_id"])]
    yield from report_cells(territories, "territory_without_actors", bare)
    rows = dict(zip(ids[::-1], ids.index[::-1], strict=True))
    xy = ["longitude", "latitude"]
    numbers = actors.cells[xy].apply(pd.to_numeric, errors="coerce")
    placed = numbers.abs().le([180, 90]).all(axis=1) & (numbers != 0).any(axis=1)
    points = actors.cells[["territory_id"]].join(numbers[placed], how="inner").drop_duplicates()
    for territory_id, here in points.groupby("territory_id"):
        row = rows.get(territory_id)
        country = "" if row is None else str(territories.cells.loc[row, "country_code"])
        every = here[xy].to_numpy()
        few = every[:20]
        if any(find_inside(part, country_code=country).any() for part in (few, every)):
            continue
        swapped = find_inside(few[:, ::-1], country_code=country).any()
        meant = "latitude ↔ longitude" if swapped else find_country(every[0])
        found = pd.Series(str(len(every)), index=[row], name="country_code")
        code = "points_outside_country"
        yield from report_cells(territories, code, found, allowed=country, suggestion=meant)


def _report_dangling(
    table: TextTable, dangling: pd.DataFrame, known: TextTable, wanted: str
) -> Faults:
    """Report references, each with the nearest identifier, or the one that bears such a name."""
    found = dangling.iloc[:, -1]
    meant: dict[Any, str] = {}
    groups = dangling.groupby("territory_id") if dangling.shape[1] > 1 else [("", dangling)]
    for territory_id, rows in groups:
        cells = known.cells
        if territory_id:
            cells = cells[cells["territory_id"] == territory_id]
        ids = dict(zip(cells[wanted], cells[wanted], strict=True))
        names = dict(zip(cells.get("name", cells[wanted]), cells[wanted], strict=True))
        meant |= zip(rows.index, suggest_words(found[rows.index], known=names | ids), strict=True)
    texts: dict[str, Any] = {"allowed": known.name, "suggestion": found.index.map(meant)}
    yield from report_cells(table, "dangling_reference", found, **texts)
