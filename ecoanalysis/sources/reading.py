"""Lists as they come, read into tables of text: GeoJSON, CSV, XLSX, JSON, GEXF, GraphML.

Every table has an index of `file` and `row`: the row as the spreadsheet shows it (header = 1), else
the number of the object in the file, from 1. What cannot be read is a `UsageError` that names
file, row, field and what is wanted.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

import networkx as nx
import pandas as pd
from defusedxml import DefusedXmlException, ElementTree

from ecoanalysis.errors import UsageError
from ecoanalysis.study.faults import describe_faults, join_faults
from ecoanalysis.study.files import clean_text, read_sheets
from ecoanalysis.wording import use_language

LATITUDE, LONGITUDE, SHAPE = "geometry.latitude", "geometry.longitude", "geometry.type"
EDGE_ENDS = ["source", "target"]
SPREADSHEET_ERROR = r"#[A-ZÀ-Ü/0]+ ?[!?]|#N/[AD]"
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".json")
_BLANK = r"[\s\x00-\x1f\x7f-\x9f]+"


def write_cell(value: object) -> str | None:
    """Write one value as text; None when there is nothing in the cell.

    Whole floats lose their ``.0`` (a postcode stays what it was), midnight its time; lists are
    joined by ``;``.
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        parts = [write_cell(part) for part in value]
        return ";".join(part.replace(";", ",") for part in parts if part) or None
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return re.sub(_BLANK, " ", clean_text(text)).strip() or None


def read_geojson(files: Iterable[str | Path]) -> pd.DataFrame:
    """Read the features of the GeoJSON files (RFC 7946) of one list.

    There is a text column for each property, then `geometry.latitude`, `geometry.longitude`
    (degrees, WGS 84; missing where the shape is not a point) and `geometry.type`.
    """
    return pd.concat([_read_features(Path(file)) for file in files])


def read_table(files: Iterable[str | Path], *, sheet: str | None = None) -> pd.DataFrame:
    """Read the CSV, XLSX (`sheet`, else the first) or JSON files of one list.

    There is a text column for each field; blank rows are no records.
    """
    return pd.concat([_read_table(Path(file), sheet) for file in files])


def read_graph(
    files: Iterable[str | Path], *, source_format: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the nodes and the edges of the GEXF or GraphML files of one list.

    Nodes have `id` and `label` (the id where no node of the file has one), edges `source` and
    `target` (ids), both a text column for each attribute, such as `weight`. Files that declare
    entities, which can hide an attack, are refused.
    """
    nodes, edges = [], []
    for path in map(Path, files):
        with _refusing(path, source_format):
            ElementTree.parse(path)
            graph: Any = nx.read_gexf(path) if source_format == "gexf" else nx.read_graphml(path)
        said = [
            {**{k: v for k, v in own.items() if k != "viz"}, "id": node}  # viz: colour and size
            for node, own in graph.nodes(data=True)
        ]
        table = _frame(said, path.name)
        if "label" not in table or table["label"].isna().all():
            table["label"] = table["id"]
        nodes.append(table)
        links = [{**own, "source": a, "target": b} for a, b, own in graph.edges(data=True)]
        edges.append(_frame(links, path.name))
    ties = pd.concat(edges)
    columns = [*EDGE_ENDS, *ties.columns.difference(EDGE_ENDS, sort=False)]
    return pd.concat(nodes), ties.reindex(columns=columns).astype("str")


@contextmanager
def _refusing(path: Path, form: str) -> Iterator[None]:
    """Say which file cannot be read, where and why."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{path.name}, {where}: not JSON ({error.msg}).") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name}: not UTF-8 text.") from error
    except ParseError as error:
        line, column = error.position
        raise UsageError(
            f"{path.name}, line {line}, column {column}: not XML ({error})."
        ) from error
    except DefusedXmlException as error:
        raise UsageError(f"{path.name}: declares entities, so it is not read.") from error
    except (nx.NetworkXException, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path.name}: cannot be read as {form}: {error}.") from error


def _frame(records: list[dict[str, Any]], file: str) -> pd.DataFrame:
    """Make a table of text from records; what is nested becomes ``outer.inner``."""
    cells = pd.DataFrame([_flatten(record) for record in records], dtype=object)
    return _number_rows(cells.map(write_cell), file, range(1, len(records) + 1))


def _flatten(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for field, value in record.items():
        inner = _flatten(value) if isinstance(value, dict) else None
        flat |= {field: value} if inner is None else {f"{field}.{k}": v for k, v in inner.items()}
    return flat


def _number_rows(cells: pd.DataFrame, file: str, rows: Iterable[int]) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([[file], list(rows)], names=["file", "row"])
    return cells.astype("str").set_axis(index)


def _read_json(path: Path) -> Any:
    with _refusing(path, "JSON"):
        return json.loads(path.read_text(encoding="utf-8-sig"))


def _read_features(path: Path) -> pd.DataFrame:
    said = _read_json(path)
    wanted = isinstance(said, dict) and said.get("type") == "FeatureCollection"
    if not (wanted and isinstance(said.get("features"), list)):
        raise UsageError(f'{path.name}: a GeoJSON "FeatureCollection" is wanted.')
    crs = json.dumps(said.get("crs") or "CRS84")
    if not crs.strip('"}').endswith(("CRS84", ":4326")):
        raise UsageError(f"{path.name}, crs: found {crs}; save it again in WGS 84 (EPSG:4326).")
    where = f"{path.name}, feature"
    features = enumerate(said["features"], start=1)
    return _frame([_read_feature(feature, f"{where} {n}") for n, feature in features], path.name)


def _read_feature(feature: Any, where: str) -> dict[str, Any]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise UsageError(f'{where}: an object of type "Feature" is wanted.')
    own, geometry = (feature.get(name) or {} for name in ("properties", "geometry"))
    for name, value in (("properties", own), ("geometry", geometry)):
        if not isinstance(value, dict):
            raise UsageError(f"{where}, {name}: an object or null is wanted.")
    place = {SHAPE: geometry.get("type")}
    if place[SHAPE] == "Point":
        point: Any = geometry.get("coordinates")
        numbers = isinstance(point, list) and {type(part) for part in point} <= {int, float}
        if not (numbers and len(point) in (2, 3) and abs(point[0]) <= 180 and abs(point[1]) <= 90):
            found = json.dumps(point)
            wanted = "wanted [longitude, latitude] in degrees"
            raise UsageError(f"{where}, geometry.coordinates: found {found}; {wanted}.")
        place |= {LONGITUDE: float(point[0]), LATITUDE: float(point[1])}
    return {**({"id": feature["id"]} if "id" in feature else {}), **own, **place}


def _read_table(path: Path, sheet: str | None) -> pd.DataFrame:
    if path.suffix.lower() not in _TABLES:
        raise UsageError(f"{path.name}: no table; wanted {', '.join(_TABLES)}.")
    if path.suffix.lower() != ".json":
        return _read_sheet(path, sheet)
    objects = _read_json(path)
    if not isinstance(objects, list):
        raise UsageError(f"{path.name}: a list of objects is wanted.")
    for n, record in enumerate(objects, start=1):
        if not isinstance(record, dict):
            raise UsageError(f"{path.name}, row {n}: an object is wanted, found {record!r:.40}.")
    return _frame(objects, path.name)


def _read_sheet(path: Path, sheet: str | None) -> pd.DataFrame:
    """Read a CSV file or a sheet as the tables of a study are read, with the same faults."""
    with _refusing(path, "a table"):
        content = path.read_bytes()
    where, book = path.name, path.suffix.lower().startswith(".xls")
    if not book and b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"{where}: not a text file; save it as CSV UTF-8 or XLSX.")
    only = [sheet.strip().lower()] if sheet else []
    there = []
    for raw in read_sheets(content, file=where, only=only):
        if not (book and raw.whole and sheet) or raw.name == sheet:
            break
        there.append(raw.name)
    else:
        raise UsageError(f"{where}: no sheet {sheet!r}; there are: {', '.join(there)}.")
    if book and not raw.whole:
        raise UsageError(f"{where}: not a workbook that can be read; save it again.")
    if raw.faults:
        lines = describe_faults(join_faults(raw.faults), language=use_language("en"))
        raise UsageError("\n".join(lines))
    labels = list(raw.cells.columns)
    if raw.cells.empty:
        raise UsageError(f"{where}: a header and at least one row are wanted.")
    where += f" [{raw.name}]" if book and sheet else ""
    texts = raw.cells.set_axis(range(len(labels)), axis=1)
    texts = texts.apply(lambda cells: cells.str.replace(_BLANK, " ", regex=True).str.strip())
    texts = texts.mask(texts == "").replace({"TRUE": "yes", "FALSE": "no"} if book else {})
    for n, label in enumerate(labels):
        if (not label and texts[n].notna().any()) or (label and label in labels[:n]):
            fault = "twice in the header" if label else "no name in the header"
            raise UsageError(f"{where}, column {n + 1}: {label!r} {fault}.")
    named = texts.set_axis(labels, axis=1)[[*filter(None, labels)]]
    return _number_rows(named, where, raw.cells.index)
