"""The check across tables: what a row names must be there, and lie where its country is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from ecoanalysis.schemas import read_schema
from ecoanalysis.study.columns import TextTable
from ecoanalysis.study.faults import make_faults
from ecoanalysis.study.files import WORKBOOK
from ecoanalysis.study.outlines import find_country, find_inside
from ecoanalysis.study.suggest import suggest_words

_JOINT = "\x1f"


def check_references(tables: Mapping[str, TextTable]) -> Iterator[pd.DataFrame]:
    """Check that every row that is named exists, by the foreign keys of the schemas.

    Parameters
    ----------
    tables : mapping of str to TextTable
        The tables that the study holds.

    Yields
    ------
    pandas.DataFrame
        Faults `dangling_reference`, and `missing_table` where a whole table is not there.
    """
    for table in tables.values():
        lost: list[int] = []
        for key in read_schema(table.name).get("foreignKeys", []):
            target, wanted = key["reference"]["resource"], key["reference"]["fields"]
            if not set(key["fields"]) <= set(table.cells):
                continue
            names = table.cells[key["fields"]].drop(list(table.askew))
            named = names[(names != "").all(axis=1)].drop(lost, errors="ignore")
            if target not in tables:
                if len(named):
                    file = WORKBOOK if table.file == WORKBOOK else f"{target}.csv"
                    yield make_faults("missing_table", table=target, file=file, found=target)
                continue
            known = tables[target]
            if not known.whole or set(wanted) & set(known.missing):
                continue
            dangling = named[~_join(named).isin(_join(known.cells[wanted]))]
            if key["fields"] == ["territory_id"]:
                lost += list(dangling.index)
            if len(dangling):
                yield _report_dangling(table, dangling, known, wanted)


def check_sources(
    tables: Mapping[str, TextTable], *, sources: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Warn of each source of a provenance that no one described (`unknown_source`)."""
    for table in tables.values():
        if not sources or "provenance" not in table.cells:
            continue
        names = table.cells["provenance"].str.split(";").explode().str.split(":").str[0].str.strip()
        unknown = names[~names.isin(["", *sources])].drop_duplicates()
        if len(unknown):
            yield make_faults(
                "unknown_source",
                table=table.name,
                file=table.file,
                rows=unknown.index,
                field="provenance",
                found=unknown,
                suggestion=suggest_words(unknown, known=sources),
            )


def check_places(tables: Mapping[str, TextTable]) -> Iterator[pd.DataFrame]:
    """Warn of territories without actors, or with all points outside the country.

    Yields
    ------
    pandas.DataFrame
        Warnings `territory_without_actors` and `points_outside_country`, the latter with the
        country that the first point lies in, or the exchange of the coordinates, as suggestion.
    """
    territories, actors = tables.get("territories"), tables.get("actors")
    if territories is None or actors is None:
        return
    if not actors.whole or "territory_id" in (*territories.missing, *actors.missing):
        return
    place: dict[str, Any] = {"table": "territories", "file": territories.file}
    ids = territories.cells["territory_id"]
    bare = ids[(ids != "") & ~ids.isin(actors.cells["territory_id"])]
    if len(bare):
        yield make_faults(
            "territory_without_actors", rows=bare.index, field="territory_id", found=bare, **place
        )
    points = _locate_actors(actors)
    countries = territories.cells.get("country_code", ids * 0)
    for territory_id, here in points.groupby("territory_id"):
        rows = ids.index[ids == territory_id][:1]
        country = str(countries[rows[0]]) if len(rows) else ""
        xy = here[["longitude", "latitude"]].to_numpy()
        if not find_inside(xy[:20], country_code=country).any() and (
            not find_inside(xy, country_code=country).any()
        ):
            swapped = find_inside(xy[:20, ::-1], country_code=country).any()
            yield make_faults(
                "points_outside_country",
                rows=rows,
                field="country_code",
                found=str(len(xy)),
                allowed=country,
                suggestion="latitude ↔ longitude" if swapped else find_country(xy[0]),
                **place,
            )


def _locate_actors(actors: TextTable) -> pd.DataFrame:
    """Keep the distinct points of each territory, those at 0, 0 and off the globe left out."""
    names = ["latitude", "longitude"]
    if not set(names) <= set(actors.cells):
        return pd.DataFrame(columns=["territory_id", *names])
    numbers = {name: pd.to_numeric(actors.cells[name], errors="coerce") for name in names}
    points = actors.cells[["territory_id"]].assign(**numbers).dropna().drop_duplicates()
    on_globe = points["latitude"].abs().le(90) & points["longitude"].abs().le(180)
    somewhere = (points["latitude"] != 0) | (points["longitude"] != 0)
    return points[on_globe & somewhere]


def _join(names: pd.DataFrame) -> pd.Series[str]:
    if names.shape[1] == 1:
        return names.iloc[:, 0]
    return names.iloc[:, 0].str.cat(names.iloc[:, 1:], sep=_JOINT)


def _report_dangling(
    table: TextTable, dangling: pd.DataFrame, known: TextTable, wanted: list[str]
) -> pd.DataFrame:
    """Report references, each with the nearest identifier, or the one that bears such a name."""
    own, other = dangling.columns[-1], wanted[-1]
    found = dangling[own]
    meant: dict[int, str] = {}
    territories = dangling["territory_id"] if len(wanted) > 1 else found.mask(found != "", "")
    for territory_id, here in found.groupby(territories):
        cells = known.cells
        if len(wanted) > 1:
            cells = cells[cells["territory_id"] == territory_id]
        names = cells["name"] if "name" in cells else cells[other]
        spellings = dict(zip([*names, *cells[other]], [*cells[other]] * 2, strict=True))
        meant |= zip(here.index, suggest_words(here, known=spellings), strict=True)
    return make_faults(
        "dangling_reference",
        table=table.name,
        file=table.file,
        rows=found.index,
        field=str(own),
        found=found,
        allowed=known.name,
        suggestion=[meant[row] for row in found.index],
    )
