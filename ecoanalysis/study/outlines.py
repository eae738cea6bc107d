"""Outlines of countries: Natural Earth 1:50m, in the public domain, simplified (see the file)."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

Points = npt.NDArray[np.float64]
_CHUNK = 500


def read_outlines(country_code: str) -> list[Points]:
    """Read the outline of a country (ISO 3166-1 alpha-2), nothing if the source has none.

    It is closed rings of shape (n, 2): longitude and latitude in degrees, WGS 84, to 0.01 degree;
    islands, holes and exclaves are rings of their own.
    """
    rings = [np.array(ring).reshape(-1, 2) for ring in _load_outlines().get(country_code, [])]
    return [ring.cumsum(axis=0) / 100 for ring in rings]


def find_inside(
    points: Points, *, country_code: str, tolerance: float = 0.3
) -> npt.NDArray[np.bool_]:
    """Tell which points (longitude, latitude) lie in a country; all, if it has no outline.

    So do those no farther from it than `tolerance` (degrees): coasts are drawn coarsely.
    """
    start, end = _load_edges(country_code)
    if not len(start):
        return np.ones(len(points), dtype=bool)
    low, high = start.min(axis=0) - tolerance, start.max(axis=0) + tolerance
    found: npt.NDArray[np.bool_] = ((points >= low) & (points <= high)).all(axis=1)
    near = points[found]
    chunks = np.array_split(near, len(near) // _CHUNK + 1)
    found[found] = np.concatenate([_is_inside(chunk, start, end, tolerance) for chunk in chunks])
    return found


def find_country(point: Points) -> str:
    """Name the country that a point (longitude, latitude) lies in, to 0.05 degree; blank at sea."""
    for code, rings in _load_outlines().items():
        if rings and find_inside(point[None], country_code=code, tolerance=0.05)[0]:
            return code
    return ""


def _is_inside(
    points: Points, start: Points, end: Points, tolerance: float
) -> npt.NDArray[np.bool_]:
    """Cast a ray to the east through every edge (odd number of hits: inside), then measure."""
    x, y = points[:, :1], points[:, 1:]
    step = end - start
    straddles = (start[:, 1] > y) != (end[:, 1] > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = start[:, 0] + (y - start[:, 1]) * step[:, 0] / step[:, 1]
        inside = (straddles & (x < crossing)).sum(axis=1) % 2 == 1
        along = ((x - start[:, 0]) * step[:, 0] + (y - start[:, 1]) * step[:, 1]) / (step**2).sum(1)
    share = np.clip(np.nan_to_num(along), 0, 1)
    gap = np.hypot(x - start[:, 0] - share * step[:, 0], y - start[:, 1] - share * step[:, 1])
    near: npt.NDArray[np.bool_] = inside | (gap.min(axis=1) < tolerance)
    return near


@cache
def _load_edges(country_code: str) -> tuple[Points, Points]:
    rings = read_outlines(country_code) or [np.empty((0, 2))]
    return np.concatenate([r[:-1] for r in rings]), np.concatenate([r[1:] for r in rings])


@cache
def _load_outlines() -> dict[str, list[list[int]]]:
    text = Path(__file__).with_name("outlines.json").read_text(encoding="utf-8")
    outlines: dict[str, list[list[int]]] = json.loads(text)["outlines"]
    return outlines
