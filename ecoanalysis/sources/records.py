"""From the fields of a list to the columns of the actors table, by a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.linkage import LIST_COLUMNS, fold_id
from ecoanalysis.schemas import list_columns
from ecoanalysis.sources.mapping import MAPPED_COLUMNS, ListMapping
from ecoanalysis.sources.reading import LATITUDE, LONGITUDE, SHAPE, SPREADSHEET_ERROR
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

    `table` has every column of the actors table, `record_id` and `aside` (why the mapping sets the
    record aside); index from 0 in the order of the list. `places` has the `file` and `row` of each
    record; `notes` every cell that was mended or left out, see `ecoanalysis.sources.values`.
    """

    table: pd.DataFrame
    places: pd.DataFrame
    notes: pd.DataFrame


def map_records(raw: pd.DataFrame, *, mapping: ListMapping, cities: pd.Series) -> Records:
    """Bring the fields of a list into the columns of the actors table.

    `raw` is what `ecoanalysis.sources.reading` returned, `cities` those that the study has, in its
    spelling. Two records of one identifier are refused.
    """
    places = raw.index.to_frame(index=False)
    fields = raw.reset_index(drop=True)
    columns = MAPPED_COLUMNS
    text = pd.DataFrame({column: _read_column(fields, mapping, column) for column in columns})
    sound = text.apply(lambda cells: cells.mask(cells.str.fullmatch(SPREADSHEET_ERROR, na=False)))
    notes = [note_changes(text[c], sound[c], reason="spreadsheet_error") for c in columns]
    named = sound.assign(name=_withhold_names(sound["name"], fields, mapping))
    notes.append(note_changes(sound["name"], named["name"], reason="name_withheld", private=True))
    table, mended = _clean_columns(named, mapping, cities=cities)
    if SHAPE in fields:
        drawn = fields[SHAPE].mask(fields[SHAPE].eq("Point"))
        notes.append(note_changes(drawn, drawn.isna(), reason="shape_not_a_point"))
    table["channels"] = _read_channels(fields, mapping, pages=table["channels"])
    table["source_category"] = _read_categories(fields, mapping)
    table["record_id"] = _read_ids(fields, mapping, table, places)
    table["provenance"] = table["record_id"].radd(f"{mapping.source['name']}:")
    table["aside"] = _set_aside(fields, mapping)
    table = table.reindex(columns=[*list_columns("actors"), "record_id", "aside"])
    table = table.astype({"actor_id": "str", "placed": "str"})
    return Records(table, places, pd.concat([*mended, *notes], ignore_index=True))


def unite_lists(
    cells: pd.DataFrame, *, separators: Sequence[str], meanings: Mapping[str, str]
) -> pd.Series:
    """Split the cells of each row, translate each part, and keep one of each, whatever its case.

    Returns the parts, one a row; the index repeats that of `cells`.
    """
    whole = pd.concat([cells[field].dropna() for field in cells]).sort_index(kind="stable")
    for separator in separators:
        whole = whole.str.replace(separator, ";", regex=False)
    parts = _translate(whole.str.split(";").explode().str.strip().astype("str"), meanings)
    said = parts[parts.notna() & parts.ne("")].rename("part").rename_axis("at").reset_index()
    said = said.assign(fold=said["part"].str.casefold()).drop_duplicates(["at", "fold"])
    return said.set_index("at")["part"].rename_axis(None)


def clean_id(ids: pd.Series) -> pd.Series:
    """Make identifiers fit for provenance."""
    return ids.str.replace(r"[\s;@]+", "-", regex=True)


def _read_column(fields: pd.DataFrame, mapping: ListMapping, column: str) -> pd.Series:
    """Read what the list says in one column; a list column unites its fields."""
    mapped = [field for field, target in mapping.columns.items() if target == column]
    if not mapped and _GEOMETRY.get(column) in fields:
        mapped = [_GEOMETRY[column]]
    constant = mapping.constants.get(column)
    if not mapped:
        return pd.Series(constant, index=fields.index, name=column, dtype="str")
    meanings = mapping.translations.get(column, {})
    if column in (*LIST_COLUMNS, *mapping.split):
        separators = mapping.split.get(column, [])
        parts = unite_lists(fields[mapped], separators=separators, meanings=meanings)
        found = _join_parts(parts, fields.index)
    else:
        found = _translate(fields[mapped[0]], meanings)
        for field in mapped[1:]:
            found = found.fillna(_translate(fields[field], meanings))
    return (found.fillna(constant) if constant else found).rename(column)


def _translate(cells: pd.Series, meanings: Mapping[str, str]) -> pd.Series:
    if not meanings:
        return cells
    meant = cells.str.casefold().map({key.casefold(): to for key, to in meanings.items()})
    meant = meant.where(meant.notna(), cells)
    return meant.mask(meant.eq("")).astype("str")


def _join_parts(parts: pd.Series, index: pd.Index) -> pd.Series:
    return parts.groupby(level=0).agg(";".join).reindex(index).astype("str")


def _withhold_names(names: pd.Series, fields: pd.DataFrame, mapping: ListMapping) -> pd.Series:
    number = clean_id(fields[mapping.id]) if mapping.id else (fields.index + 1).astype("str")
    for field, values in mapping.withhold.items():
        written = {value.casefold(): value for value in values}
        stands_for = fields[field].fillna("").str.casefold().map(written) + " " + number
        names = names.where(stands_for.isna(), stands_for)
    return names


def _clean_columns(
    text: pd.DataFrame, mapping: ListMapping, *, cities: pd.Series
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    clean = text.copy()
    clean["name"], names = clean_names(text["name"])
    clean["website"], clean["channels"], websites = clean_websites(text["website"])
    clean["founded"], years = clean_years(text["founded"])
    clean["observed_on"], days = clean_dates(text["observed_on"], date_order=mapping.date_order)
    place = ["latitude", "longitude"]
    clean[place], points = clean_points(text[place])
    city, contacts = drop_emails(text["city"])
    clean["city"], spellings = mend_cities(city, known=cities)
    tags, kept = drop_emails(text["tags"].dropna().str.split(";").explode())
    clean["tags"] = _join_parts(tags.dropna(), text.index)
    return clean, [names, websites, years, days, points, contacts, spellings, kept]


def _read_channels(fields: pd.DataFrame, mapping: ListMapping, *, pages: pd.Series) -> pd.Series:
    """List the channels that are open, in alphabetical order; handles are never kept."""
    found = [pages.dropna()]
    for field, channel in mapping.channels.items():
        says = fields[field].notna() & ~fields[field].str.casefold().isin(_CLOSED)
        found.append(pd.Series(channel, index=fields.index[says], dtype="str"))
    names = pd.concat(found).rename("channel").rename_axis("at").reset_index()
    names = names.drop_duplicates().sort_values(["at", "channel"]).set_index("at")
    return _join_parts(names["channel"], fields.index)


def _read_categories(fields: pd.DataFrame, mapping: ListMapping) -> pd.Series:
    separators = mapping.split.get("source_category", [])
    found = [pd.Series(dtype="str")]
    for entry in mapping.category:
        system, field = entry.split(":", 1)
        cells = fields[[field]].apply(lambda said: said.str.replace(";", ","))
        meanings = mapping.translations.get("source_category", {})
        parts = unite_lists(cells, separators=separators, meanings=meanings)
        found.append(parts.radd(f"{system}:"))
    said = _join_parts(pd.concat(found).astype("str"), fields.index)
    constant = mapping.constants.get("source_category")
    return said.fillna(constant) if constant else said


def _set_aside(fields: pd.DataFrame, mapping: ListMapping) -> pd.Series:
    reason = pd.Series(index=fields.index, dtype="str")
    for field, reasons in mapping.set_aside.items():
        folded = {value.casefold(): why for value, why in reasons.items()}
        reason = reason.fillna(fields[field].fillna("").str.casefold().map(folded).astype("str"))
    return reason


def _read_ids(
    fields: pd.DataFrame, mapping: ListMapping, table: pd.DataFrame, places: pd.DataFrame
) -> pd.Series:
    """Read the record's identifier; without one, its name and city stand for it."""
    if mapping.id is None:
        words = table["name"].fillna("") + " " + table["city"].fillna("")
        stem = words.map(fold_id).replace("", "record")
        again = stem.groupby(stem).cumcount() + 1
        return stem.where(again.eq(1), stem + "-" + again.astype("str"))
    record_id = clean_id(fields[mapping.id])
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
