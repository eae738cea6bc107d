"""From the fields of a list to the columns of the actors table, by a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.linkage import LIST_COLUMNS, fold_id
from ecoanalysis.schemas import list_columns
from ecoanalysis.sources import values
from ecoanalysis.sources.mapping import MAPPED_COLUMNS, ListMapping
from ecoanalysis.sources.reading import LATITUDE, LONGITUDE, SHAPE, SPREADSHEET_ERROR

_CLOSED = ("no", "non", "n", "0", "false", "faux", "-")
_GEOMETRY = {"latitude": LATITUDE, "longitude": LONGITUDE}


def map_records(
    raw: pd.DataFrame, *, mapping: ListMapping, cities: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring the fields of a list, as it was read, into the columns of the actors table, and clean.

    `cities` are those that the study has, in its spelling. The first table has the columns of
    actors, `record_id`, `aside` (why the mapping sets the record aside), `file`, `row`, and an
    index from 0; the second every cell that was mended or left out, see `sources.values`.
    """
    fields = raw.reset_index(drop=True)
    text = pd.DataFrame({c: _read_column(fields, mapping, c) for c in MAPPED_COLUMNS})
    sound = text.apply(lambda cells: cells.mask(cells.str.fullmatch(SPREADSHEET_ERROR, na=False)))
    names = sound["name"]
    number = fields.index.to_series().add(1).astype("str")
    number = clean_id(fields[mapping.id]) if mapping.id else number
    for field, held in mapping.withhold.items():
        written = _look_up(fields[field].fillna(""), dict(zip(held, held, strict=True)))
        names = (written + " " + number).fillna(names).rename("name")
    table, notes = _clean_columns(sound.assign(name=names), mapping, cities=cities)
    for c in MAPPED_COLUMNS:
        notes.append(values.note_changes(text[c], sound[c], reason="spreadsheet_error"))
    notes.append(values.note_changes(sound["name"], names, reason="name_withheld", private=True))
    if SHAPE in fields:
        drawn = fields[SHAPE].mask(fields[SHAPE].eq("Point"))
        notes.append(values.note_changes(drawn, drawn.isna(), reason="shape_not_a_point"))
    table["channels"] = _read_channels(fields, mapping, pages=table["channels"])
    table["source_category"] = _read_column(fields, mapping, "source_category")
    places = raw.index.to_frame(index=False)
    table["record_id"] = _read_ids(number, table, places, field=mapping.id)
    table["provenance"] = table["record_id"].radd(f"{mapping.source['name']}:")
    table["aside"] = pd.Series(index=fields.index, dtype="str")
    for field, reasons in mapping.set_aside.items():
        table["aside"] = table["aside"].fillna(_look_up(fields[field].fillna(""), reasons))
    table = table.reindex(columns=[*list_columns("actors"), "record_id", "aside"]).join(places)
    table = table.astype({"actor_id": "str", "placed": "str"})
    return table, pd.concat(notes, ignore_index=True)


def split_cells(
    cells: pd.Series, *, separators: Sequence[str], meanings: Mapping[str, str]
) -> pd.Series:
    """Split each cell and translate each part, one a row; the index repeats that of the cells."""
    for separator in separators:
        cells = cells.str.replace(separator, ";", regex=False)
    parts = _translate(cells.dropna().str.split(";").explode().str.strip().astype("str"), meanings)
    return drop_repeats(parts[parts.notna() & parts.ne("")])


def drop_repeats(parts: pd.Series) -> pd.Series:
    """Keep one of each part of a row, whatever its case."""
    return parts[~pd.MultiIndex.from_arrays([parts.index, parts.str.casefold()]).duplicated()]


def clean_id(ids: pd.Series) -> pd.Series:
    """Make identifiers fit for provenance."""
    return ids.str.replace(r"[\s;@]+", "-", regex=True)


def _read_column(fields: pd.DataFrame, mapping: ListMapping, column: str) -> pd.Series:
    """Read what the list says in one column; a list column unites its fields."""
    mapped = [("", field) for field, target in mapping.columns.items() if target == column]
    if column == "source_category":
        mapped = [(f"{s}:", field) for s, _, field in (c.partition(":") for c in mapping.category)]
    elif not mapped and _GEOMETRY.get(column) in fields:
        mapped = [("", _GEOMETRY[column])]
    meanings, separators = mapping.translations.get(column, {}), mapping.split.get(column, [])
    found = pd.Series(index=fields.index, dtype="str", name=column)
    if column in (*LIST_COLUMNS, *mapping.split):
        said = [found.dropna()]
        for system, field in mapped:
            cells = fields[field].str.replace(";", ",") if system else fields[field]
            said.append(split_cells(cells, separators=separators, meanings=meanings).radd(system))
        parts = drop_repeats(pd.concat(said).sort_index(kind="stable"))
        found = _join_parts(parts, fields.index).rename(column)
    else:
        for _, field in mapped:
            found = found.fillna(_translate(fields[field], meanings))
    constant = mapping.constants.get(column)
    return found.fillna(constant) if constant else found


def _look_up(cells: pd.Series, meanings: Mapping[str, str]) -> pd.Series:
    folded = {key.casefold(): to for key, to in meanings.items()}
    return cells.str.casefold().map(folded).astype("str")


def _translate(cells: pd.Series, meanings: Mapping[str, str]) -> pd.Series:
    meant = _look_up(cells, meanings).fillna(cells)
    return meant.mask(meant.eq(""))


def _join_parts(parts: pd.Series, index: pd.Index) -> pd.Series:
    united = parts.groupby(level=0).agg(lambda said: ";".join(dict.fromkeys(said)))
    return united.reindex(index).astype("str")


def _clean_columns(
    text: pd.DataFrame, mapping: ListMapping, *, cities: pd.Series
) -> tuple[pd.DataFrame, list[pd.DataFrame]]:
    clean = text.copy()
    clean["name"], names = values.clean_names(text["name"])
    clean["website"], clean["channels"], websites = values.clean_websites(text["website"])
    clean["founded"], years = values.clean_years(text["founded"])
    clean["observed_on"], days = values.clean_dates(
        text["observed_on"], date_order=mapping.date_order
    )
    clean[[*_GEOMETRY]], points = values.clean_points(text[[*_GEOMETRY]])
    city, contacts = values.drop_emails(text["city"])
    clean["city"], spellings = values.mend_cities(city, known=cities)
    tags, kept = values.drop_emails(text["tags"].dropna().str.split(";").explode())
    clean["tags"] = _join_parts(tags.dropna(), text.index)
    return clean, [names, websites, years, days, points, contacts, spellings, kept]


def _read_channels(fields: pd.DataFrame, mapping: ListMapping, *, pages: pd.Series) -> pd.Series:
    """List the channels that are open, in alphabetical order; handles are never kept."""
    found = [pages.dropna()]
    for field, channel in mapping.channels.items():
        says = fields[field].notna() & ~fields[field].str.casefold().isin(_CLOSED)
        found.append(pd.Series(channel, index=fields.index[says], dtype="str"))
    return _join_parts(pd.concat(found).sort_values(), fields.index)


def _read_ids(
    ids: pd.Series, table: pd.DataFrame, places: pd.DataFrame, *, field: str | None
) -> pd.Series:
    """Take the record's identifier; without a field for it, its name and city stand for it."""
    if field is None:
        words = table["name"].fillna("") + " " + table["city"].fillna("")
        stem = words.map(fold_id).replace("", "record")
        again = stem.groupby(stem).cumcount() + 1
        return stem.where(again.eq(1), stem + "-" + again.astype("str"))
    for fault, wrong in (("is blank", ids.isna()), ("is there twice", ids.duplicated(keep=False))):
        if wrong.any():
            bad = places[wrong & (ids.isna() | ids.eq(ids[wrong].iloc[0]))]
            rows = ", ".join(bad["row"][:5].astype("str"))
            raise UsageError(
                f"{bad['file'].iloc[0]}, row {rows}, field {field}: {ids[wrong].iloc[0]!r} {fault}."
                " Mend the list, name another field, or leave `id` out of the mapping: name and "
                "city then tell the records apart."
            )
    return ids
