"""From the fields of a list to the columns of the actors table, by a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.linkage import LIST_COLUMNS, fold_id
from ecoanalysis.schemas import list_columns
from ecoanalysis.sources.cells import SPREADSHEET_ERROR
from ecoanalysis.sources.geojson import LATITUDE, LONGITUDE, SHAPE
from ecoanalysis.sources.mapping import DERIVED_COLUMNS, ListMapping
from ecoanalysis.sources.values import (
    clean_dates,
    clean_names,
    clean_points,
    clean_websites,
    clean_years,
    drop_emails,
    mend_cities,
    note_changes,
)

_CLOSED = ("no", "non", "n", "0", "false", "faux", "-")
_GEOMETRY = {"latitude": LATITUDE, "longitude": LONGITUDE}


@dataclass(frozen=True)
class Records:
    """The records of one list, cleaned; their territories are still to be found.

    Parameters
    ----------
    table : pandas.DataFrame
        Every column of the actors table, and `record_id`; index from 0 in the order of the list.
    places : pandas.DataFrame
        `file` and `row` of each record.
    notes : pandas.DataFrame
        Every cell that was mended or left out; see `ecoanalysis.sources.values`.
    """

    table: pd.DataFrame
    places: pd.DataFrame
    notes: pd.DataFrame


def map_records(raw: pd.DataFrame, *, mapping: ListMapping, cities: pd.Series) -> Records:
    """Bring the fields of a list into the columns of the actors table.

    `raw` is what `read_geojson` or `read_table` returned, `cities` those that the study has, in
    its spelling. Two records of one identifier are refused.
    """
    places = raw.index.to_frame(index=False)
    fields = raw.reset_index(drop=True)
    columns = [column for column in list_columns("actors") if column not in DERIVED_COLUMNS]
    text = pd.DataFrame({column: _read_column(fields, mapping, column) for column in columns})
    sound = text.apply(lambda cells: cells.mask(cells.str.fullmatch(SPREADSHEET_ERROR, na=False)))
    table, notes = _clean_columns(sound, mapping, cities=cities)
    notes += [note_changes(text[c], sound[c], reason="spreadsheet_error") for c in columns]
    if SHAPE in fields:
        drawn = fields[SHAPE].mask(fields[SHAPE].eq("Point"))
        notes.append(note_changes(drawn, drawn.isna(), reason="shape_not_a_point"))
    table["channels"] = _read_channels(fields, mapping, pages=table["channels"])
    table["source_category"] = _read_category(fields, mapping)
    table["record_id"] = _read_ids(fields, mapping, table, places)
    table["provenance"] = table["record_id"].radd(f"{mapping.source['name']}:")
    table = table.reindex(columns=[*list_columns("actors"), "record_id"])
    table = table.astype({"actor_id": "str", "placed": "str"})
    return Records(table, places, pd.concat(notes, ignore_index=True))


def _read_column(fields: pd.DataFrame, mapping: ListMapping, column: str) -> pd.Series:
    """Read what the list says in one column; a list column unites its fields."""
    mapped = [field for field, target in mapping.columns.items() if target == column]
    if not mapped and _GEOMETRY.get(column) in fields:
        mapped = [_GEOMETRY[column]]
    constant = mapping.constants.get(column)
    if not mapped:
        return pd.Series(constant, index=fields.index, name=column, dtype="str")
    meanings = {key.casefold(): to for key, to in mapping.translations.get(column, {}).items()}
    if column in LIST_COLUMNS:
        found = _unite_lists(fields[mapped], mapping.split.get(column, []), meanings)
    else:
        found = _translate(fields[mapped[0]], meanings)
        for field in mapped[1:]:
            found = found.fillna(_translate(fields[field], meanings))
    return (found.fillna(constant) if constant else found).rename(column)


def _translate(cells: pd.Series, meanings: Mapping[str, str]) -> pd.Series:
    if not meanings:
        return cells
    meant = cells.str.casefold().map(meanings)
    meant = meant.where(meant.notna(), cells)
    return meant.mask(meant.eq("")).astype("str")


def _unite_lists(
    cells: pd.DataFrame, separators: list[str], meanings: Mapping[str, str]
) -> pd.Series:
    """Split the cells, translate each part, and keep one of each, whatever its case."""
    whole = pd.concat([cells[field].dropna() for field in cells]).sort_index(kind="stable")
    for separator in separators:
        whole = whole.str.replace(separator, ";", regex=False)
    parts = _translate(whole.str.split(";").explode().str.strip().astype("str"), meanings)
    said = parts[parts.notna() & parts.ne("")].rename("part").rename_axis("at").reset_index()
    said = said.assign(fold=said["part"].str.casefold()).drop_duplicates(["at", "fold"])
    return _join_parts(said.set_index("at")["part"], cells.index)


def _join_parts(parts: pd.Series, index: pd.Index) -> pd.Series:
    return parts.groupby(level=0).agg(";".join).reindex(index).astype("str")


def _clean_columns(
    text: pd.DataFrame, mapping: ListMapping, *, cities: pd.Series
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    name, name_notes = clean_names(text["name"])
    website, channels, website_notes = clean_websites(text["website"])
    founded, founded_notes = clean_years(text["founded"])
    observed_on, day_notes = clean_dates(text["observed_on"], date_order=mapping.date_order)
    points, point_notes = clean_points(text[["latitude", "longitude"]])
    city, city_contacts = drop_emails(text["city"])
    city, city_notes = mend_cities(city, known=cities)
    tags, tag_notes = drop_emails(text["tags"].dropna().str.split(";").explode())
    table = text.assign(
        name=name,
        website=website,
        channels=channels,
        founded=founded,
        observed_on=observed_on,
        latitude=points["latitude"],
        longitude=points["longitude"],
        city=city,
        tags=_join_parts(tags.dropna(), text.index),
    )
    return table, [
        name_notes,
        website_notes,
        founded_notes,
        day_notes,
        point_notes,
        city_contacts,
        city_notes,
        tag_notes,
    ]


def _read_channels(fields: pd.DataFrame, mapping: ListMapping, *, pages: pd.Series) -> pd.Series:
    """List the channels that are open, in alphabetical order; handles are never kept."""
    found = [pages.dropna()]
    for field, channel in mapping.channels.items():
        says = fields[field].notna() & ~fields[field].str.casefold().isin(_CLOSED)
        found.append(pd.Series(channel, index=fields.index[says], dtype="str"))
    names = pd.concat(found).rename("channel").rename_axis("at").reset_index()
    names = names.drop_duplicates().sort_values(["at", "channel"]).set_index("at")
    return _join_parts(names["channel"], fields.index)


def _read_category(fields: pd.DataFrame, mapping: ListMapping) -> pd.Series:
    if not mapping.category:
        return pd.Series(index=fields.index, dtype="str")
    system, field = mapping.category.split(":", 1)
    return fields[field].str.replace(";", ",").radd(f"{system}:")


def _read_ids(
    fields: pd.DataFrame, mapping: ListMapping, table: pd.DataFrame, places: pd.DataFrame
) -> pd.Series:
    """Read the record's identifier; without one, its name and city stand for it."""
    if mapping.id is None:
        words = table["name"].fillna("") + " " + table["city"].fillna("")
        stem = words.map(fold_id).replace("", "record")
        again = stem.groupby(stem).cumcount() + 1
        return stem.where(again.eq(1), stem + "-" + again.astype("str"))
    record_id = fields[mapping.id].str.replace(r"[\s;@]+", "-", regex=True)
    for fault, wrong in (
        ("is blank", record_id.isna()),
        ("is there twice", record_id.duplicated(keep=False)),
    ):
        if wrong.any():
            at = record_id.index[wrong]
            same = at[record_id[at].eq(record_id[at[0]]) | record_id[at].isna()]
            rows = ", ".join(places.loc[same[:5], "row"].astype("str"))
            raise UsageError(
                f"{places.loc[at[0], 'file']}, row {rows}, field {mapping.id}: "
                f"{record_id[at[0]]!r} {fault}. Mend the list, name another field, or leave `id` "
                "out of the mapping: name and city then tell the records apart."
            )
    return record_id
