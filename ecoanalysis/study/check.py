"""The check: each distinct cell, then what the cells, the rows and the tables say together."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

import babel
import pandas as pd

from ecoanalysis.codebook import Codebook, read_codebook
from ecoanalysis.schemas import list_fields, read_schema
from ecoanalysis.study.columns import DONT_KNOW, split_parts
from ecoanalysis.study.descriptor import Descriptor
from ecoanalysis.study.faults import Faults, Texts, make_faults
from ecoanalysis.study.files import DESCRIPTOR, WORKBOOK, Table
from ecoanalysis.study.outlines import find_country, find_inside
from ecoanalysis.study.suggest import suggest_folder, suggest_words
from ecoanalysis.wording import LANGUAGES

SPREADSHEET_ERRORS = (
    *("#NULL!", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#N/A", "#SPILL!"),
    *("#VALEUR!", "#NOM?", "#NOMBRE!", "#REF !", "#VALOR!", "#NOME?", "#NÚM!", "#N/D"),
)
_HOST = re.compile(r"[\w-]+(\.[\w-]+)+(/\S*)?")
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff]"
_NUMBER = r"[+-]?([0-9]{1,99}\.?[0-9]*|\.[0-9]+)([eE](\+?[0-9]{1,2}|-[0-9]{1,3}))?"
_NUMBERS = ("number", "integer")
_XY = ["longitude", "latitude"]
UNSCORED = "desk"  # a dimension without weights
_FAULTS = {
    **{"integer": "not_a_whole_number", "number": "not_a_number", "date": "impossible_date"},
    **{"required": "blank_value", "minimum": "out_of_scale", "maximum": "out_of_scale"},
    **{"website": "not_a_web_address", "territory_id": "unfit_id", "code": "unfit_id"},
}
_Map = Mapping[str, Any]


def check_table(table: Table, *, codebook: Codebook) -> Faults:
    """Check one table by itself; `codebook` holds the study's own codes too."""
    if table.cells.empty:
        return
    table = replace(table, cells=table.cells.drop(list(table.askew)))
    for name, field in list_fields(table.name).items():
        if name in table.missing and "required" in field["constraints"]:
            yield from report_cells(table, "missing_column", pd.Series("", index=[1], name=name))
    yield from check_cells(table, codebook=codebook)
    for code, name, bad, allowed in _find_rows(table.cells, table.name, codebook):
        texts = allowed if isinstance(allowed, str) else allowed[bad]
        yield from report_cells(table, code, table.cells.loc[bad, name], allowed=texts)
    key = read_schema(table.name).get("primaryKey", [])
    if key and key[0] not in table.missing:
        keys = table.cells[[name for name in key if name not in table.missing]]
        yield from _check_keys(table, keys, "doubled_key", field=keys.columns[-1])
    if table.name == "relations":
        ties = _direct_ties(table, codebook)
        yield from _check_keys(table, ties, "doubled_relation", field="target_id")


def check_cells(table: Table, *, codebook: Codebook) -> Faults:
    """Judge each distinct text of each column that is there."""
    fields = list_fields(table.name)
    for name, column in table.cells.drop(columns=list(table.missing)).items():
        field = fields.get(str(name), {"name": name, "type": "string", "constraints": {}})
        texts = split_parts(column) if field.get("many") else column
        codes = list_codes(field, codebook)
        distinct = texts.drop_duplicates()
        distinct = distinct[~_is_plain(distinct, field)]
        found = distinct.map(_make_judge(field, codes))
        for code in found[found != ""].unique():
            cells = texts[texts.isin(distinct[found == code])]
            yield from report_cells(table, code, cells, **_explain(code, field, codes, cells))


def report_cells(table: Table, code: str, cells: pd.Series[str], **texts: Texts) -> Faults:
    """Report cells of one column, if there are any; their index is the spreadsheet's row."""
    if len(cells):
        texts |= {"field": str(cells.name), "found": cells}
        yield make_faults(code, table=table.name, file=table.file, rows=cells.index, **texts)


def check_criteria(table: Table, *, codebook: Codebook) -> Faults:
    """Check that criteria add up, those of the study (a table without fault) and all others.

    `part_of_itself` and `no_weight` (of all parts of a whole) make scores impossible, and so does a
    scale whose end is not above its beginning (`out_of_scale`).
    """
    criteria, codes = codebook.criteria, table.cells["code"]
    whole, scored = _find_wholes(criteria), criteria["dimension"] != UNSCORED
    above = whole
    for _ in range(len(criteria)):
        above = above.map(whole).fillna("")
    yield from report_cells(table, "part_of_itself", table.cells["parent"][codes.isin(above)])
    siblings = [criteria["dimension"], whole]
    names = criteria.index.to_series().groupby(siblings).transform("; ".join)
    bare = criteria["weight"].groupby(siblings).transform("sum").eq(0) & scored
    bare &= whole.map(criteria["weight"]).fillna(1) > 0
    cells = table.cells["weight"][codes.isin(criteria.index[bare])]
    yield from report_cells(table, "no_weight", cells, allowed=codes[cells.index].map(names))
    low, high = (codes.map(criteria[f"scale_{end}"]) for end in ("min", "max"))
    ends = high[low >= high].map("{:g}".format).rename("scale_max")
    least = low[ends.index].map("> {:g}".format)
    yield from report_cells(table, "out_of_scale", ends, allowed=least)


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
                if dangling.empty:
                    continue
                if key["fields"] == ["territory_id"]:  # what else such a row names is lost with it
                    lost += list(dangling.index)
                meant = _guess_references(dangling, known.cells, wanted[-1])
                texts: dict[str, Any] = {"allowed": target, "suggestion": meant}
                yield from report_cells(table, "dangling_reference", dangling.iloc[:, -1], **texts)


def check_names(tables: Mapping[str, Table], *, descriptor: Descriptor) -> Faults:
    """Check what the descriptor and the tables name of each other.

    `unknown_source` warns of a source of a provenance that no one described; regions that the
    descriptor calls comparable must exist (`dangling_reference`).
    """
    sources = [source.get("name", "") for source in descriptor.sources]
    for table in tables.values() if sources else ():
        if "provenance" in table.cells:
            names = split_parts(table.cells["provenance"].drop_duplicates())
            names = names.str.split(":").str[0].str.strip()
            unknown = names[~names.isin(["", *sources])].drop_duplicates()
            meant = suggest_words(unknown, known=sources)
            yield from report_cells(table, "unknown_source", unknown, suggestion=meant)
    regions = tables["territories"].cells.get("region", pd.Series(dtype="str"))
    nowhere = set(descriptor.comparable_regions) - set(regions)
    for found in nowhere if tables["territories"].whole else ():
        yield make_faults(
            "dangling_reference", file=DESCRIPTOR, field="ecosystem.comparable_regions",
            found=found, allowed="territories",
            suggestion=suggest_words([found], known=regions.unique().tolist()),
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


def list_codes(field: _Map, codebook: Codebook) -> dict[str, str]:
    """List the codes that a column takes, by every spelling that stands for one."""
    mixed = field["type"] == "string" and field.get("numeric")
    codes = {word: word for word in field["constraints"].get("enum", [DONT_KNOW] * bool(mixed))}
    names: dict[str, str] = {}
    if field["name"] == "country_code":
        for language in ("en", "fr", "pt"):
            labels = babel.Locale(language).territories.items()
            names |= {label: code for code, label in labels if code in codes}
        names["UK"] = "GB"
    if "codebook" in field:
        entries: pd.DataFrame = getattr(codebook, field["codebook"])
        if "dimension" in field:
            entries = entries[entries["dimension"] == field["dimension"]]
        codes = {code: code for code in entries.index}
        for language in LANGUAGES:
            names |= dict(zip(entries[f"label_{language}"], entries.index, strict=True))
    return codes | names | codes


def _is_plain(texts: pd.Series[str], field: _Map) -> pd.Series[bool]:
    """Tell at once for most texts that nothing is amiss: numbers within bounds, and free text."""
    rules = field["constraints"]
    if field["type"] in _NUMBERS:
        low, high = rules.get("minimum", -1e99), rules.get("maximum", 1e99)
        number = _NUMBER if field["type"] == "number" else "[+-]?[0-9]+"
        inside = pd.to_numeric(texts, errors="coerce").between(low, high)
        return texts.str.fullmatch(number) & inside
    if field["type"] == "string" and not rules.keys() - {"required"} and "codebook" not in field:
        return ~(texts.str.contains(_CONTROL) | texts.isin([*SPREADSHEET_ERRORS, ""]))
    return pd.Series(data=False, index=texts.index)


def _make_judge(field: _Map, codes: _Map) -> Callable[[str], str]:
    """Make the function that names what is amiss with the text of a cell, if anything."""
    from frictionless import fields

    kind = getattr(fields, field["type"].capitalize() + "Field")
    read = kind(name=field["name"], constraints=field["constraints"]).create_cell_reader()
    known = {"", *codes.values()} if "codebook" in field else None

    def judge(text: str) -> str:
        if re.search(_CONTROL, text):
            return "control_character"
        if text in SPREADSHEET_ERRORS:
            return "spreadsheet_error"
        if field["type"] in _NUMBERS and text and not re.fullmatch(_NUMBER, text):
            return "not_a_number"
        for note in read(text)[1] or ():
            if note == "type" and field["type"] == "date" and _is_day(text):
                return "ambiguous_date"
            detail = {"type": field["type"], "pattern": field["name"]}.get(note, note)
            return _FAULTS.get(detail) or _FAULTS.get(note, "unknown_code")
        return "" if known is None or text in known else "unknown_code"

    return judge


def _is_day(text: str) -> bool:
    """Tell a day of the calendar, written day/month/year or month/day/year."""
    for order in ("%d/%m/%Y", "%m/%d/%Y"):
        with suppress(ValueError):
            return bool(datetime.strptime(re.sub(r"[.-]", "/", text), order))
    return False


def _explain(code: str, field: _Map, codes: _Map, cells: pd.Series[str]) -> dict[str, Texts]:
    """Say what is allowed in a column, and what was probably meant by each bad cell."""
    allowed = field.get("allowed", "; ".join(dict.fromkeys(codes.values())))
    meant: list[str] = []
    if code == "unknown_code":
        likeness = 80 if field["name"] == "country_code" else 62
        meant = suggest_words(cells, known=codes, likeness=likeness)
    elif code == "unfit_id":
        joint = "_" if field["name"] == "code" else "-"
        meant = [suggest_folder(text).replace("-", joint) for text in cells]
    elif code == "not_a_web_address":
        meant = [f"https://{text}" if _HOST.fullmatch(text) else "" for text in cells]
    elif code == "not_a_number":  # 1 234,5 is written 1234.5
        plain = [re.sub(r"\s", "", text).replace(",", ".") for text in cells]
        return {"suggestion": [text if re.fullmatch(_NUMBER, text) else "" for text in plain]}
    elif code == "out_of_scale":
        low, high = (field["constraints"].get(end, "") for end in ("minimum", "maximum"))
        return {"allowed": f"{low} … {high}".strip()}
    else:
        return {"allowed": "YYYY-MM-DD" if code.endswith("_date") else ""}
    return {"allowed": allowed, "suggestion": meant}


def _find_rows(
    values: pd.DataFrame, name: str, codebook: Codebook
) -> Iterator[tuple[str, str, pd.Series[bool], str | pd.Series[str]]]:
    """Find the rows whose cells do not fit together: code, column, which rows, what is allowed."""
    if "latitude" in values:
        points = values[["latitude", "longitude"]]
        for column, blank in (points == "").items():
            yield "half_coordinates", str(column), blank & (points != "").any(axis=1), ""
        yield "zero_coordinates", "latitude", points.isin(["0", "0.0", "-0.0"]).all(axis=1), ""
    if {"kind", "subkind"} <= set(values):
        homes = codebook.subkinds["kind"]
        home = values["subkind"].map(homes).fillna("")
        known = (home != "") & values["kind"].isin(codebook.kinds.index)
        pairs = split_parts(homes).reset_index()
        fits = find_listed(values[["subkind", "kind"]], pairs)
        yield "subkind_of_another_kind", "subkind", known & ~fits, home
    for one, other in (("source_id", "target_id"), ("actor_id", "other_id")):
        if {one, other} <= set(values):
            yield "self_relation", other, (values[one] == values[other]) & (values[one] != ""), ""
    if name == "constraints":
        alone = (values["rule"] == "not_with") & (values["other_id"] == "")
        yield "blank_value", "other_id", alone, ""
    if name == "kinds":
        new = ~values["code"].isin([*read_codebook().kinds.index, ""])
        yield "blank_value", "helix", new & (values["helix"] == ""), ""
    if name == "ratings":
        ends = codebook.criteria[["scale_min", "scale_max"]]
        low, high = (values["criterion"].map(ends[end]) for end in ends)
        answers = pd.to_numeric(values["value"], errors="coerce")
        scale = ends.map("{:g}".format).agg(" … ".join, axis=1)
        off = (answers < low) | (answers > high)
        yield "out_of_scale", "value", off, values["criterion"].map(scale)
        whole = _find_wholes(codebook.criteria)
        parts = whole.index.to_series().groupby(whole).agg("; ".join)
        parts = parts[codebook.criteria["weight"].reindex(parts.index) > 0]
        bad = values["criterion"].isin(parts.index)
        yield "rated_whole", "criterion", bad, values["criterion"].map(parts)


def _find_wholes(criteria: pd.DataFrame) -> pd.Series[str]:
    """Find the criterion of its dimension that each is a part of; blank where there is none."""
    whole, dimension = criteria["parent"], criteria["dimension"]
    inside = whole.map(dimension).eq(dimension) & (whole != dimension)
    return whole.where(inside & (whole != criteria.index), "")


def _direct_ties(table: Table, codebook: Codebook) -> pd.DataFrame:
    """Key ties by their ends; those without direction are the same the other way round."""
    directed = table.cells["kind"].map(codebook.relation_kinds["directed"]).eq("yes")
    others = [name for name in ("kind", "territory_id", "status") if name not in table.missing]
    return order_ends(table.cells, undirected=~directed).join(table.cells[others])


def order_ends(ties: pd.DataFrame, *, undirected: pd.Series[bool]) -> pd.DataFrame:
    """Return source_id and target_id, in alphabetical order where a tie has no direction."""
    source, target = ties["source_id"], ties["target_id"]
    swap = undirected & (source > target)
    ends = {"source_id": source.mask(swap, target), "target_id": target.mask(swap, source)}
    return pd.DataFrame(ends)


def _check_keys(table: Table, keys: pd.DataFrame, code: str, *, field: str) -> Faults:
    """Report the rows whose key is in a row above; `allowed` is that row's number."""
    keys = keys[(keys.iloc[:, :2] != "").all(axis=1)]
    again = keys[keys.duplicated()]
    if len(again):
        first = keys.drop_duplicates().reset_index(names="above")
        above = again.merge(first, how="left")["above"].astype("str")
        found = again.agg(" + ".join, axis=1).rename(field)
        yield from report_cells(table, code, found, allowed=above)


def find_listed(rows: pd.DataFrame, among: pd.DataFrame) -> pd.Series[bool]:
    """Tell which rows stand, column by column, among those of another table."""
    if rows.shape[1] == 1:
        return rows.iloc[:, 0].isin(among.iloc[:, 0])
    listed = pd.MultiIndex.from_frame(rows).isin(pd.MultiIndex.from_frame(among))
    return pd.Series(listed, rows.index)


def _guess_references(dangling: pd.DataFrame, known: pd.DataFrame, wanted: str) -> list[str]:
    """Find the nearest identifier for each reference, or the one that bears such a name."""
    meant: dict[Any, str] = {}
    inside = dangling.shape[1] > 1  # an identifier of the row's own territory is wanted
    for territory_id, rows in dangling.groupby("territory_id") if inside else [("", dangling)]:
        cells = known[known["territory_id"] == territory_id] if inside else known
        names = dict(zip(cells.get("name", cells[wanted]), cells[wanted], strict=True))
        names |= dict(zip(cells[wanted], cells[wanted], strict=True))
        meant |= zip(rows.index, suggest_words(rows.iloc[:, -1], known=names), strict=True)
    return [meant[row] for row in dangling.index]
