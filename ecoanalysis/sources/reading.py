"""Lists as they come, read into tables of text: GeoJSON, CSV, XLSX, JSON, GEXF, GraphML.

Every table has an index of `file` and `row`: the row as the spreadsheet shows it (header = 1), else
the number of the object in the file, from 1. What cannot be read is a `UsageError` that names
file, row, field and what is wanted.
"""

from __future__ import annotations

import json
import math
import re
import warnings
from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError
from zipfile import BadZipFile

import networkx as nx
import openpyxl
import pandas as pd
from defusedxml import DefusedXmlException, ElementTree

from ecoanalysis.errors import UsageError
from ecoanalysis.study.faults import describe_faults
from ecoanalysis.study.files import StudyFiles, clean_text, parse_tables
from ecoanalysis.wording import use_language

LATITUDE, LONGITUDE, SHAPE = "geometry.latitude", "geometry.longitude", "geometry.type"
EDGE_ENDS = ["source", "target"]
SPREADSHEET_ERROR = r"#[A-ZÀ-Ü/0]+ ?[!?]|#N/[AD]"
_GRAPH_READERS: dict[str, Any] = {"gexf": nx.read_gexf, "graphml": nx.read_graphml}
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def write_cell(value: object) -> str | None:
    """Write one value as text; None when there is nothing in the cell.

    Whole floats lose their ``.0`` (a postcode stays what it was), midnight its time; lists are
    joined by ``;``.

    Examples
    --------
    >>> write_cell(75001.0), write_cell(["web", "b2b"]), write_cell("  ")
    ('75001', 'web;b2b', None)
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
    return _BLANK.sub(" ", clean_text(text)).strip() or None


def read_geojson(files: Iterable[str | Path]) -> pd.DataFrame:
    """Read the features of the GeoJSON files (RFC 7946) of one list.

    Returns
    -------
    pandas.DataFrame
        One text column a property, and `geometry.latitude`, `geometry.longitude` (degrees, WGS 84;
        missing where the shape is not a point) and `geometry.type`.
    """
    return pd.concat([_read_geojson(Path(file)) for file in files])


def read_table(files: Iterable[str | Path], *, sheet: str | None = None) -> pd.DataFrame:
    """Read the rows of the CSV, XLSX (`sheet`, else the first) or JSON files of one list.

    Returns
    -------
    pandas.DataFrame
        One text column a field; blank rows are no records.
    """
    return pd.concat([_read_table(Path(file), sheet) for file in files])


def read_graph(
    files: Iterable[str | Path], *, source_format: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the nodes and edges of the GEXF or GraphML files of one list.

    Files that declare entities, which can hide an attack, are refused.

    Returns
    -------
    nodes : pandas.DataFrame
        ``id``, ``label`` (the id where no node of the file has one), a text column an attribute.
    edges : pandas.DataFrame
        ``source``, ``target`` (ids), a text column an attribute, such as ``weight``.
    """
    graphs = [(Path(file).name, _read_graph(Path(file), source_format)) for file in files]
    nodes, edges = [], []
    for name, graph in graphs:
        said = [{**attributes, "id": node} for node, attributes in graph.nodes(data=True)]
        labelled = any(write_cell(node.get("label")) for node in said)
        nodes.append(
            _frame([{"label": None if labelled else n["id"], **n} for n in said], file=name)
        )
        ties = [{**said, "source": a, "target": b} for a, b, said in graph.edges(data=True)]
        edges.append(_frame(ties, file=name))
    all_edges = pd.concat(edges)
    columns = [*EDGE_ENDS, *all_edges.columns.difference(EDGE_ENDS, sort=False)]
    return pd.concat(nodes), all_edges.reindex(columns=columns).astype("str")


def _read_graph(path: Path, source_format: str) -> Any:
    where = path.name
    try:
        ElementTree.parse(path)
        graph: Any = _GRAPH_READERS[source_format](path)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    except ParseError as error:
        line, column = error.position
        raise UsageError(f"{where}, line {line}, column {column}: not XML ({error}).") from error
    except DefusedXmlException as error:
        raise UsageError(f"{where}: declares entities, so it is not read.") from error
    except (nx.NetworkXException, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{where}: cannot be read as {source_format}: {error}.") from error
    for _, attributes in graph.nodes(data=True):
        attributes.pop("viz", None)  # colour and size
    return graph


def _number_rows(file: str, rows: Iterable[int]) -> pd.MultiIndex:
    return pd.MultiIndex.from_product([[file], list(rows)], names=["file", "row"])


def _frame(records: Sequence[dict[str, Any]], *, file: str) -> pd.DataFrame:
    """Make a table of text from records; what is nested becomes ``outer.inner``."""
    flat = [_flatten(record) for record in records]
    columns = list(dict.fromkeys(field for record in flat for field in record))
    index = _number_rows(file, range(1, len(flat) + 1))
    cells = {field: [write_cell(record.get(field)) for record in flat] for field in columns}
    return pd.DataFrame(cells, index=index, columns=pd.Index(columns, dtype="str"), dtype="str")


def _flatten(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for field, value in record.items():
        inner = _flatten(value) if isinstance(value, dict) else None
        flat |= {field: value} if inner is None else {f"{field}.{k}": v for k, v in inner.items()}
    return flat


def _read_geojson(path: Path) -> pd.DataFrame:
    collection = _read_json(path)
    if not isinstance(collection, dict) or collection.get("type") != "FeatureCollection":
        raise UsageError(f'{path.name}: a GeoJSON "FeatureCollection" is wanted.')
    crs = json.dumps(collection.get("crs") or "CRS84")
    if not crs.strip('"}').endswith(("CRS84", ":4326")):
        raise UsageError(f"{path.name}, crs: found {crs}; save it again in WGS 84 (EPSG:4326).")
    features = collection.get("features")
    if not isinstance(features, list):
        raise UsageError(f"{path.name}, features: a list is wanted.")
    where = f"{path.name}, feature"
    records = [_read_feature(feature, f"{where} {n}") for n, feature in enumerate(features, 1)]
    return _frame(records, file=path.name)


def _read_feature(feature: Any, where: str) -> dict[str, Any]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise UsageError(f'{where}: an object of type "Feature" is wanted.')
    properties, geometry = feature.get("properties") or {}, feature.get("geometry") or {}
    for name, value in (("properties", properties), ("geometry", geometry)):
        if not isinstance(value, dict):
            raise UsageError(f"{where}, {name}: an object or null is wanted.")
    place: dict[str, Any] = {SHAPE: geometry.get("type")}
    if geometry.get("type") == "Point":
        point: Any = geometry.get("coordinates")
        numbers = isinstance(point, list) and len(point) in (2, 3)
        if not numbers or any(
            type(part) not in (int, float) or not abs(part) <= most
            for part, most in zip(point, (180, 90, math.inf), strict=False)
        ):
            raise UsageError(
                f"{where}, geometry.coordinates: found {json.dumps(point)}; wanted [longitude, "
                "latitude] in degrees."
            )
        place |= {LONGITUDE: float(point[0]), LATITUDE: float(point[1])}
    return {**({"id": feature["id"]} if "id" in feature else {}), **properties, **place}


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{path.name}, {where}: not JSON ({error.msg}).") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name}: not UTF-8 text.") from error


def _read_table(path: Path, sheet: str | None) -> pd.DataFrame:
    suffix = path.suffix.lower()
    if suffix == ".json":
        return _read_objects(path)
    if suffix in (".csv", ".tsv", ".txt"):
        return _read_csv(path)
    if suffix in (".xlsx", ".xlsm"):
        return _read_sheet(path, sheet)
    raise UsageError(f"{path.name}: no table; wanted .csv, .tsv, .txt, .xlsx, .xlsm or .json.")


def _read_objects(path: Path) -> pd.DataFrame:
    objects = _read_json(path)
    if not isinstance(objects, list):
        raise UsageError(f"{path.name}: a list of objects is wanted.")
    for n, record in enumerate(objects, start=1):
        if not isinstance(record, dict):
            raise UsageError(f"{path.name}, row {n}: an object is wanted, found {record!r:.40}.")
    return _frame(objects, file=path.name)


def _read_csv(path: Path) -> pd.DataFrame:
    """Parse as the tables of a study are parsed, with the same faults."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    if b"\0" in content and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"{path.name}: not a text file; save it as CSV UTF-8 or XLSX.")
    file = f"{path.stem}.csv"
    tables, faults = parse_tables(StudyFiles(path.parent, {file: content}, []))
    own = pd.concat(faults)
    own = own[own["file"].eq(file) & own["code"].ne("empty_table")]
    if len(own):
        lines = describe_faults(own, language=use_language("en"))
        raise UsageError("\n".join(lines).replace(file, path.name))
    raw = tables.get(path.stem.lower())
    if raw is None:
        return _name_cells(pd.DataFrame(), [], path.name)
    return _name_cells(pd.DataFrame(dict(enumerate(raw.columns)), raw.rows), raw.labels, path.name)


def _read_sheet(path: Path, sheet: str | None) -> pd.DataFrame:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles that openpyxl does not know
            book = openpyxl.load_workbook(path, data_only=True)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror or error}.") from error
    except (BadZipFile, KeyError, ValueError) as error:
        raise UsageError(f"{path.name}: not a workbook that can be read; save it again.") from error
    if sheet is not None and sheet not in book.sheetnames:
        there = ", ".join(book.sheetnames)
        raise UsageError(f"{path.name}: no sheet {sheet!r}; there are: {there}.")
    chosen = book[sheet or book.sheetnames[0]]
    where = path.name if len(book.sheetnames) == 1 else f"{path.name} [{chosen.title}]"
    cells = pd.DataFrame(chosen.values, dtype=object).map(write_cell)
    cells = cells.set_axis(cells.index + 1).dropna(how="all")
    labels = [label or "" for label in cells.iloc[0]] if len(cells) else []
    return _name_cells(cells[1:], labels, where)


def _name_cells(cells: pd.DataFrame, labels: list[str], where: str) -> pd.DataFrame:
    if cells.empty:
        raise UsageError(f"{where}: a header and at least one row are wanted.")
    texts = cells.map(write_cell).astype("str")
    for n, label in enumerate(labels):
        if (not label and texts[n].notna().any()) or (label and label in labels[:n]):
            fault = "twice in the header" if label else "no name in the header"
            raise UsageError(f"{where}, column {n + 1}: {label!r} {fault}.")
    named = texts[[n for n, label in enumerate(labels) if label]].set_axis(
        [*filter(None, labels)], axis=1
    )
    return named.set_axis(_number_rows(where, cells.index))
