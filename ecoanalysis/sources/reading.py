"""Lists as they come, read into one table of text: GeoJSON, CSV, XLSX, JSON, GEXF, GraphML."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import networkx as nx
import pandas as pd
from defusedxml import ElementTree

from ecoanalysis.errors import UsageError
from ecoanalysis.sources.mapping import check_document, read_schema
from ecoanalysis.study.faults import describe_faults, join_faults
from ecoanalysis.study.files import clean_text, read_sheets, write_cell
from ecoanalysis.study.suggest import check_name
from ecoanalysis.wording import use_language

LATITUDE, LONGITUDE, SHAPE = "geometry.latitude", "geometry.longitude", "geometry.type"
EDGE_ENDS = ["source", "target"]
_GRAPHS = ("gexf", "graphml")
_TABLES = (".csv", ".tsv", ".txt", ".xlsx", ".xlsm", ".json")
_OBJECTS = {"type": "array", "description": "a list", "items": {"type": "object"}}
_BLANK = r"[\s\x00-\x1f\x7f-\x9f]+"
_TRUTHS = {"TRUE": "yes", "FALSE": "no", "": None}

Format = Literal["geojson", "table", "gexf", "graphml"]


def read_list(
    source_format: Format | str, files: Iterable[str | Path], *, sheet: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the files of one list: a row a record (row, object, feature, node), and a row an edge.

    Both are text and have an index of `file` and `row`: the row as the spreadsheet shows it (the
    header is 1), else the number of the object in the file, from 1. What is nested is
    `outer.inner`. Features have `geometry.type` and, in degrees of WGS 84, `geometry.latitude` and
    `geometry.longitude` where that is a point; nodes have `id` and `label` (the id where no node
    of the file has one); edges, which only graphs have, `source`, `target` and their attributes.
    `sheet` is that of a workbook, else the first. What cannot be read, and a graph that declares
    entities, which can hide an attack, is a UsageError that names the place.
    """
    check_name(source_format, ("geojson", "table", *_GRAPHS), "Format")
    parts = [_read_file(Path(file), source_format, sheet) for file in files]
    if not parts:
        raise UsageError("No file to import.")
    edges = pd.concat([part[1] for part in parts])
    others = edges.columns.difference(EDGE_ENDS, sort=False)
    edges = edges.reindex(columns=[*EDGE_ENDS, *others]).astype("str")
    return pd.concat([part[0] for part in parts]), edges


def write_value(value: Any) -> str | None:
    """Write one value as text on one line, None if there is nothing; lists are joined by ``;``."""
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        parts = filter(None, map(write_value, value))
        value = ";".join(part.replace(";", ",") for part in parts)
    elif isinstance(value, list | dict):
        value = json.dumps(value, ensure_ascii=False)
    elif pd.isna(value):
        return None
    text = re.sub(_BLANK, " ", clean_text(write_cell(value))).strip()
    return _TRUTHS.get(text, text)


def _read_file(
    path: Path, source_format: str, sheet: str | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read one file, and say which it is if it cannot be read, and why."""
    edges: list[dict[str, Any]] = []
    try:
        content = path.read_bytes()
        if source_format == "geojson":
            records = _read_features(json.loads(content), path.name)
        elif source_format in _GRAPHS:
            records, edges = _read_graph(content, source_format)
        elif path.suffix.lower() == ".json":
            records = check_document(json.loads(content), _OBJECTS, path.name)
        elif path.suffix.lower() in _TABLES:
            return _read_sheet(content, path.name, sheet), _frame(edges, path.name)
        else:
            raise UsageError(f"{path.name}: no table; wanted {', '.join(_TABLES)}.")
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    except UsageError:
        raise
    except (SyntaxError, ValueError, KeyError, TypeError, nx.NetworkXException) as error:
        raise UsageError(f"{path.name}: cannot be read as {source_format}: {error}.") from error
    return _frame(records, path.name), _frame(edges, path.name)


def _frame(records: Sequence[dict[str, Any]], file: str) -> pd.DataFrame:
    cells = pd.DataFrame(map(_flatten, records), range(1, len(records) + 1), dtype=object)
    return _number_rows(cells, file)


def _number_rows(cells: pd.DataFrame, file: str) -> pd.DataFrame:
    index = pd.MultiIndex.from_product([[file], cells.index], names=["file", "row"])
    return cells.map(write_value).astype("str").set_axis(index)


def _flatten(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for field, value in record.items():
        inner = _flatten(value) if isinstance(value, dict) else None
        flat |= {field: value} if inner is None else {f"{field}.{k}": v for k, v in inner.items()}
    return flat


def _read_features(said: Any, where: str) -> list[dict[str, Any]]:
    records = []
    for feature in check_document(said, read_schema("geojson"), where)["features"]:
        geometry = feature.get("geometry") or {}
        record = {"id": feature["id"]} if "id" in feature else {}
        record |= (feature.get("properties") or {}) | {SHAPE: geometry.get("type")}
        if record[SHAPE] == "Point":
            record |= zip((LONGITUDE, LATITUDE), map(float, geometry["coordinates"]), strict=False)
        records.append(record)
    return records


def _read_graph(
    content: bytes, source_format: str
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    ElementTree.fromstring(content)  # refuses entities
    read = nx.read_gexf if source_format == "gexf" else nx.read_graphml
    graph: Any = read(io.BytesIO(content))
    nodes = [{**own, "id": node} for node, own in graph.nodes(data=True)]
    labelled = any("label" in node for node in nodes)
    for node in nodes:
        node.pop("viz", None)  # colour and size
        if not labelled:
            node["label"] = node["id"]
    return nodes, [{**own, "source": a, "target": b} for a, b, own in graph.edges(data=True)]


def _read_sheet(content: bytes, file: str, sheet: str | None) -> pd.DataFrame:
    """Read a CSV file or a sheet as the tables of a study are read, with the same faults."""
    sheets = read_sheets(content, file=file, only=[sheet.strip().lower()] if sheet else [])
    raw = next(sheets)
    if sheet and raw.whole and not raw.separator:
        named = {table.name: table for table in (raw, *sheets)}
        check_name(sheet, named, f"{file}, sheet")
        raw = named[sheet]
    if raw.faults:
        lines = describe_faults(join_faults(raw.faults), language=use_language("en"))
        raise UsageError("\n".join(lines))
    if raw.cells.empty:
        raise UsageError(f"{file}: a header and at least one row are wanted.")
    labels = list(raw.cells.columns)
    for n, label in enumerate(labels):
        if label in labels[:n] if label else raw.cells.iloc[:, n].ne("").any():
            fault = "twice in the header" if label else "no name in the header"
            raise UsageError(f"{file}, column {n + 1}: {label!r} {fault}.")
    return _number_rows(raw.cells[[*filter(None, labels)]], file)
