"""In which territory a record belongs: by postcode, else by city, else by its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from ecoanalysis.linkage import EARTH_RADIUS_M, fold_city

NEIGHBOURS = 5
_POSTCODE = r"(?<!\d)(\d{5})(?!\d)"
_POINT = ["latitude", "longitude"]


def place_records(
    records: pd.DataFrame,
    *,
    territories: pd.DataFrame,
    placement: Mapping[str, Any],
    postcodes: pd.DataFrame,
    texts: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Find the territory of each record.

    In this order: the territory that the list states; the prefix of the first five-digit postcode;
    the city, where the mapping names its territory, where it has a territory's name, or where all
    records of the city that have a postcode lie in one territory; the one territory whose name or
    city stands in `texts`; the territory that most of the five nearest points with a postcode
    share, if all five lie within `within_km`.

    Records have territory_id (where stated), city, latitude, longitude; territories territory_id
    and name; `placement` is that of a `ListMapping`; `postcodes` are fields that may hold a
    postcode, the most trusted first. Returns, in the order of the records, territory_id (missing
    where it cannot be found), placed (stated, postcode, city, inferred) and reason (why not:
    no_place, unknown_place, far_from_others, neighbours_disagree).
    """
    names = territories["territory_id"].set_axis(territories["name"].map(fold_city))
    names = names[~names.index.duplicated(keep=False) & (names.index != "")]
    cities = {fold_city(name): at for name, at in placement.get("cities", {}).items()}
    named: dict[Any, str] = dict(names) | cities
    says, city = records["territory_id"], records["city"].map(fold_city, na_action="ignore")
    by_name = says.map(fold_city, na_action="ignore").map(names)
    by_code = _read_postcodes(postcodes, placement.get("prefixes", {}))
    codes = by_code.groupby(city).agg(["nunique", "first"])
    whole = codes.loc[codes["nunique"].eq(1), "first"]
    by_text = _find_names(records[[]] if texts is None else texts, named)
    point = records[_POINT].dropna()
    ways = pd.DataFrame(
        {
            "stated": says.where(says.isin(territories["territory_id"]), by_name),
            "postcode": by_code,
            "city": city.map(dict(whole) | named).fillna(by_text),
        }
    )
    asking = point[ways.loc[point.index].isna().all(axis=1)]
    known = ways.loc[point.index, "postcode"].mask(ways["stated"].notna()).dropna()
    within_km = float(placement.get("within_km", 20))
    vote = _ask_neighbours(asking, point.loc[known.index], known, within_km=within_km)
    ways["inferred"] = vote["territory_id"]
    silent = says.isna() & city.isna() & postcodes.isna().all(axis=1)
    silent &= ~silent.index.isin(point.index)
    reason = vote["reason"].reindex(ways.index).mask(silent, "no_place").fillna("unknown_place")
    found = ways.notna().any(axis=1)
    placed = ways.notna().idxmax(axis=1).where(found).astype("str")
    territory = ways.astype("str").bfill(axis=1)["stated"]
    return pd.DataFrame({"territory_id": territory, "placed": placed, "reason": reason.mask(found)})


def _read_postcodes(postcodes: pd.DataFrame, prefixes: Mapping[str, str]) -> pd.Series:
    """Look up the prefix, the longest first, of the first field that has one."""
    longest = sorted(prefixes, key=len, reverse=True)
    territory = pd.Series(index=postcodes.index, dtype="str")
    for field in postcodes:
        code = postcodes[field].str.extract(_POSTCODE)[0].fillna("")
        begins = code.map(lambda text: next(filter(text.startswith, longest), ""))
        territory = territory.fillna(begins.map(prefixes).astype("str"))
    return territory


def _find_names(texts: pd.DataFrame, named: Mapping[str, str]) -> pd.Series:
    """Find the territory whose name, as whole words, is the only one that the texts hold."""
    words = pd.Series("", index=texts.index, dtype="str")
    for field in texts:
        words = words + " | " + texts[field].fillna("")
    words = " " + words.map(fold_city) + " "
    hits = [
        pd.Series(at, index=texts.index[words.str.contains(f" {city} ", regex=False)], dtype="str")
        for city, at in named.items()
        if city
    ]
    places = pd.concat([words[:0], *hits]).groupby(level=0).agg(["nunique", "first"])
    return places.loc[places["nunique"].eq(1), "first"].reindex(texts.index).astype("str")


def _ask_neighbours(
    asking: pd.DataFrame, points: pd.DataFrame, territory: pd.Series, *, within_km: float
) -> pd.DataFrame:
    """Let the five nearest points, with the territory of each, vote; more than half decide."""
    answer = pd.DataFrame(index=asking.index, columns=["territory_id", "reason"], dtype="str")
    if asking.empty or len(points) < NEIGHBOURS:
        return answer
    chord, nearest = KDTree(_to_sphere(points)).query(_to_sphere(asking), k=NEIGHBOURS)
    far = np.max(chord, axis=1) > 2 * np.sin(within_km * 1000 / EARTH_RADIUS_M / 2)
    votes = pd.DataFrame(territory.to_numpy()[nearest], index=asking.index)
    most = votes.mode(axis=1)[0]
    split = votes.eq(most, axis=0).sum(axis=1) * 2 <= NEIGHBOURS
    why = np.select([far, split], ["far_from_others", "neighbours_disagree"], "")
    return answer.assign(territory_id=most.mask(far | split), reason=why)


def _to_sphere(points: pd.DataFrame) -> np.ndarray:
    latitude, longitude = np.radians(points.to_numpy(dtype=float)).T
    flat = np.cos(latitude)
    return np.column_stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)])
