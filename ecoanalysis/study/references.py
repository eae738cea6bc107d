"""The check across tables: what a row names must be there, and lie where its country is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from ecoanalysis.schemas import read_schema
from ecoanalysis.study.check import find_listed, report_cells
from ecoanalysis.study.faults import Faults, make_faults
from ecoanalysis.study.files import DESCRIPTOR, WORKBOOK, Table
from ecoanalysis.study.outlines import find_country, find_inside
from ecoanalysis.study.suggest import suggest_words

_XY = ["longitude", "latitude"]


def check_references(tables: Mapping[str, Table]) -> Faults:
    """Check that what is named exists, by foreign keys: `dangling_reference`, `missing_table`."""
    for table in tables.values():
        lost: list[int] = list(table.askew)
        for key in read_schema(table.name).get("foreignKeys", []):
            target, wanted = key["reference"]["resource"], key["reference"]["fields"]
            names = table.cells[key["fields"]].drop(lost)
            named = names[(names != "").all(axis=1)]
            known = tables.get(target)
            if named.empty:
                continue
            if known is None:
                file = WORKBOOK if table.file == WORKBOOK else f"{target}.csv"
                yield make_faults("missing_table", table=target, file=file, found=target)
            elif known.whole and not set(wanted) & set(known.missing):
                dangling = named[~find_listed(named, known.cells[wanted])]
                if key["fields"] == ["territory_id"]:  # what else such a row names is lost with it
                    lost += list(dangling.index)
                if len(dangling):
                    yield from _report_dangling(table, dangling, known, wanted[-1])


def check_sources(tables: Mapping[str, Table], *, sources: Sequence[str]) -> Faults:
    """Warn of each source of a provenance that no one described (`unknown_source`)."""
    for table in tables.values():
        if sources and "provenance" in table.cells:
            names = table.cells["provenance"].drop_duplicates().str.split(";").explode()
            names = names.str.split(":").str[0].str.strip()
            unknown = names[~names.isin(["", *sources])].drop_duplicates()
            meant = suggest_words(unknown, known=sources)
            yield from report_cells(table, "unknown_source", unknown, suggestion=meant)


def check_regions(territories: Table, *, regions: Sequence[str]) -> Faults:
    """Check that regions which the descriptor calls comparable exist (`dangling_reference`)."""
    known = territories.cells.get("region", pd.Series(dtype="str"))
    for found in set(regions) - set(known) if territories.whole else ():
        meant = suggest_words([found], known=known.unique().tolist())
        yield make_faults(
            "dangling_reference", file=DESCRIPTOR, field="ecosystem.comparable_regions",
            found=found, allowed="territories", suggestion=meant,
        )  # fmt: skip


def check_places(tables: Mapping[str, Table]) -> Faults:
    """Warn of territories without actors (`territory_without_actors`) and with none in the country.

    `points_outside_country` suggests the country of the first point, or to exchange coordinates.
    """
    territories, actors = tables["territories"], tables["actors"]
    if not actors.whole or "territory_id" in (*territories.missing, *actors.missing):
        return
    ids = territories.cells["territory_id"]
    bare = ids[(ids != "") & ~ids.isin(actors.cells["territory_id"])]
    yield from report_cells(territories, "territory_without_actors", bare)
    numbers = actors.cells[_XY].apply(pd.to_numeric, errors="coerce")
    placed = numbers.abs().le([180, 90]).all(axis=1) & (numbers != 0).any(axis=1)
    points = actors.cells[["territory_id"]].join(numbers[placed], how="inner").drop_duplicates()
    rows = territories.cells.rename_axis("row").reset_index().drop_duplicates("territory_id")
    points = points.merge(rows[["territory_id", "country_code", "row"]])
    for n in (1, 20, len(points)):  # most have their first point inside
        for country, sample in points.groupby("territory_id").head(n).groupby("country_code"):
            inside = find_inside(sample[_XY].to_numpy(), country_code=str(country))
            points = points[~points["territory_id"].isin(sample.loc[inside, "territory_id"])]
    for row, here in points.groupby("row"):
        country, every = str(here["country_code"].iloc[0]), here[_XY].to_numpy()
        swapped = find_inside(every[:20, ::-1], country_code=country).any()
        meant = "latitude ↔ longitude" if swapped else find_country(every[0])
        found = pd.Series(str(len(every)), index=[row], name="country_code")
        code = "points_outside_country"
        yield from report_cells(territories, code, found, allowed=country, suggestion=meant)


def _report_dangling(table: Table, dangling: pd.DataFrame, known: Table, wanted: str) -> Faults:
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
