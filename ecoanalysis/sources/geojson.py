"""GeoJSON (RFC 7946): a FeatureCollection of points with properties."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.sources.cells import frame_records

LATITUDE = "geometry.latitude"
LONGITUDE = "geometry.longitude"
SHAPE = "geometry.type"


def read_geojson(files: Iterable[str | Path]) -> pd.DataFrame:
    """Read the features of GeoJSON files.

    Parameters
    ----------
    files : iterable of path
        Files of one list.

    Returns
    -------
    pandas.DataFrame
        One text column a property, and `geometry.latitude`, `geometry.longitude` (degrees, WGS 84)
        and `geometry.type`; coordinates are missing where the shape is not a point. The index
        holds `file` and `row`, the number of the feature in the file, from 1.

    Raises
    ------
    UsageError
        If a file is not GeoJSON in WGS 84: file, feature, field and what is wanted are named.
    """
    return pd.concat([_read_file(Path(file)) for file in files])


def _read_file(path: Path) -> pd.DataFrame:
    collection = read_json(path)
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
    return frame_records(records, file=path.name, rows=range(1, len(records) + 1))


def _read_feature(feature: Any, where: str) -> dict[str, object]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise UsageError(f'{where}: an object of type "Feature" is wanted.')
    properties, geometry = feature.get("properties") or {}, feature.get("geometry") or {}
    for name, value in (("properties", properties), ("geometry", geometry)):
        if not isinstance(value, dict):
            raise UsageError(f"{where}, {name}: an object or null is wanted.")
    place = {SHAPE: geometry.get("type")}
    if geometry.get("type") == "Point":
        longitude, latitude = _read_point(geometry.get("coordinates"), where)
        place |= {LONGITUDE: longitude, LATITUDE: latitude}
    return {**({"id": feature["id"]} if "id" in feature else {}), **properties, **place}


def _read_point(point: Any, where: str) -> tuple[float, float]:
    numbers = isinstance(point, list) and len(point) in (2, 3)
    if numbers and all(type(part) in (int, float) and math.isfinite(part) for part in point):
        longitude, latitude = float(point[0]), float(point[1])
        if abs(longitude) <= 180 and abs(latitude) <= 90:
            return longitude, latitude
    raise UsageError(
        f"{where}, geometry.coordinates: found {json.dumps(point)}; wanted [longitude, latitude] "
        "in degrees."
    )


def read_json(path: Path) -> Any:
    """Read a JSON file; one that is missing or broken is refused with line and column."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}.") from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise UsageError(f"{path.name}, {where}: not JSON ({error.msg}).") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path.name}: not UTF-8 text.") from error
