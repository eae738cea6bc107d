"""From the fields of a list to the columns of the actors table, by a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.linkage import LIST_COLUMNS, fold_id
from ecoanalysis.sources import values
from ecoanalysis.sources.mapping import MAPPED_COLUMNS, ListMapping
from ecoanalysis.sources.reading import LATITUDE, LONGITUDE, SHAPE
from ecoanalysis.study.columns import split_parts, type_columns

_CLOSED = ("no", "non", "n", "0", "false", "faux", "-")
_GEOMETRY = {"latitude": LATITUDE, "longitude": LONGITUDE}


def map_records(
    raw: pd.DataFrame, *, mapping: ListMapping, cities: pd.Series
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Bring the fields of a list, as it was read, into the columns of the actors table, and clean.

    `cities` are those that the study has, in its spelling. The first table has the columns of
    actors, `record_id`, `aside` (why the mapping sets the record aside), `file`, `row`, and an
    index from 0; the second every cell that was mended or left out (`values.take_steps`).
    """
    fields, places = raw.reset_index(drop=True), raw.index.to_frame(index=False)
    number = fields.index.to_series().add(1).astype("str")
    number = clean_id(fields[mapping.id]) if mapping.id else number
    steps = values.list_steps(date_order=mapping.date_order, cities=cities)
    for field, held in mapping.withhold.items():
        written = _look_up(fields[field].fillna(""), dict(zip(held, held, strict=True)))
        instead = written + " " + number
        steps["name"] = [("name_withheld", instead.fillna), *steps["name"]]
    text = pd.DataFrame({c: _read_column(fields, mapping, c) for c in MAPPED_COLUMNS})
    points = values.read_points(text[[*_GEOMETRY]])
    whole = points["latitude"].notna()
    steps |= {column: [("not_a_point", lambda cells: cells.where(whole))] for column in _GEOMETRY}
    clean, notes = {}, []
    for column, cells in text.items():
        parts = split_parts(cells) if column == "tags" else cells
        parts, noted = values.take_steps(parts, steps.get(str(column), []))
        clean[column] = _join_parts(parts, fields.index) if column == "tags" else parts
        notes.append(noted)
    if SHAPE in fields:
        drawn = fields[SHAPE].mask(fields[SHAPE].eq("Point"))
        notes.append(values.take_steps(drawn, [("shape_not_a_point", drawn[:0].reindex_like)])[1])
    addresses = values.take_steps(text["website"], steps["website"][:-1])[0]
    clean["channels"] = _read_channels(fields, mapping, values.find_channels(addresses))
    clean["source_category"] = _read_column(fields, mapping, "source_category")
    table = type_columns("actors", pd.DataFrame(clean | dict(points.items())))
    table["record_id"] = _read_ids(number, table, places, field=mapping.id)
    table["provenance"] = table["record_id"].radd(f"{mapping.source['name']}:")
    table["aside"] = pd.Series(index=fields.index, dtype="str")
    for field, reasons in mapping.set_aside.items():
        table["aside"] = table["aside"].fillna(_look_up(fields[field].fillna(""), reasons))
    return table.join(places), pd.concat(notes, ignore_index=True)


def split_cells(
    cells: pd.Series, *, separators: Sequence[str], meanings: Mapping[str, str]
) -> pd.Series:
    """Split each cell and translate each part, one a row; the index repeats that of the cells."""
    for separator in separators:
        cells = cells.str.replace(separator, ";", regex=False)
    parts = _translate(split_parts(cells), meanings).dropna()
    repeated = pd.MultiIndex.from_arrays([parts.index, parts.str.casefold()]).duplicated()
    return parts[~repeated]


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
        found = _join_parts(pd.concat(said), fields.index).rename(column)
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
    """Join the parts of each row, one of each whatever its case."""
    parts = parts.dropna().sort_index(kind="stable")
    parts = parts[~pd.MultiIndex.from_arrays([parts.index, parts.str.casefold()]).duplicated()]
    return parts.groupby(level=0).agg(";".join).reindex(index).astype("str")


def _read_channels(fields: pd.DataFrame, mapping: ListMapping, pages: pd.Series) -> pd.Series:
    """List the channels that are open, in alphabetical order; handles are never kept."""
    found = [pages[pages.ne("")].dropna()]
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
    blank = ids.isna()
    wrong = blank if blank.any() else ids.duplicated(keep=False)
    if wrong.any():
        bad = places[wrong & (blank | ids.eq(ids[wrong].iloc[0]))]
        rows = ", ".join(bad["row"][:5].astype("str"))
        raise UsageError(
            f"{bad['file'].iloc[0]}, row {rows}, field {field}: {ids[wrong].iloc[0]!r} is "
            f"{'blank' if blank.any() else 'there twice'}. Mend the list, name another field, or "
            "leave `id` out of the mapping: name and city then tell the records apart."
        )
    return ids
