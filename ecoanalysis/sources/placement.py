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

    Parameters
    ----------
    records, territories : pandas.DataFrame
        ``territory_id`` (of records: where stated), ``city``, ``latitude``, ``longitude``; the
        territories to choose from have a ``name``.
    placement : mapping
        ``prefixes``, ``cities`` and ``within_km`` of a `ListMapping`.
    postcodes, texts : pandas.DataFrame
        Fields that may hold a postcode, the most trusted first, or name a city; same index.

    Returns
    -------
    pandas.DataFrame
        Same index; ``territory_id`` (missing where it cannot be found), ``placed`` (stated,
        postcode, city, inferred), ``reason`` (why not: no_place, unknown_place, far_from_others,
        neighbours_disagree).
    """
    nothing = pd.Series(index=records.index, dtype="str")
    found = pd.DataFrame({"territory_id": nothing, "placed": nothing})
    names = _name_territories(territories)
    says = records["territory_id"]
    by_name = says.map(fold_city, na_action="ignore").map(names)
    found = _fill(found, says.where(says.isin(territories["territory_id"]), by_name), "stated")
    named = names | {fold_city(name): at for name, at in placement.get("cities", {}).items()}
    by_postcode = _read_postcodes(postcodes, placement.get("prefixes", {}))
    found = _fill(found, by_postcode, "postcode")
    city = records["city"].map(fold_city, na_action="ignore").astype("str")
    found = _fill(found, city.map(_list_cities(city, by_postcode) | named), "city")
    if texts is not None and texts.shape[1]:
        found = _fill(found, _find_names(texts, named), "city")
    left = found["territory_id"].isna()
    point = records[["latitude", "longitude"]].dropna()
    vote = _ask_neighbours(
        point[left.reindex(point.index)],
        point[found["placed"].eq("postcode").reindex(point.index)],
        found["territory_id"],
        within_km=float(placement.get("within_km", 20)),
    )
    found = _fill(found, vote["territory_id"].reindex(found.index), "inferred")
    silent = says.isna() & city.isna() & postcodes.isna().all(axis=1)
    reason = vote["reason"].reindex(found.index).fillna("unknown_place")
    reason = reason.mask(silent & ~found.index.isin(vote.index), "no_place")
    return found.assign(reason=reason.where(found["territory_id"].isna()))


def _fill(found: pd.DataFrame, territory: pd.Series, placed: str) -> pd.DataFrame:
    new = found["territory_id"].isna() & territory.notna()
    by = pd.Series(placed, index=found.index)
    return found.assign(
        territory_id=found["territory_id"].mask(new, territory),
        placed=found["placed"].mask(new, by),
    )


def _read_postcodes(postcodes: pd.DataFrame, prefixes: Mapping[str, str]) -> pd.Series:
    territory = pd.Series(index=postcodes.index, dtype="str")
    for field in postcodes:
        code = postcodes[field].str.extract(_POSTCODE)[0]
        for prefix in sorted(prefixes, key=len, reverse=True):
            hit = territory.isna() & code.str.startswith(prefix).fillna(False).astype(bool)
            territory = territory.mask(hit, prefixes[prefix])
    return territory


def _name_territories(territories: pd.DataFrame) -> dict[str, str]:
    names = territories["territory_id"].set_axis(territories["name"].map(fold_city))
    return dict(names[~names.index.duplicated(keep=False) & (names.index != "")])


def _list_cities(city: pd.Series, by_postcode: pd.Series) -> dict[str, str]:
    """List the cities whose postcodes all lie in one territory."""
    seen = pd.DataFrame({"city": city, "territory_id": by_postcode}).dropna().drop_duplicates()
    seen = seen[~seen["city"].duplicated(keep=False)]
    return dict(zip(seen["city"], seen["territory_id"], strict=True))


def _find_names(texts: pd.DataFrame, named: Mapping[str, str]) -> pd.Series:
    """Find the territory whose name, as whole words, is the only one that the texts hold."""
    folded = texts.fillna("").agg(" | ".join, axis=1).map(fold_city)
    words = " " + folded + " "
    hits = [
        pd.Series(at, index=texts.index[words.str.contains(f" {city} ", regex=False)], dtype="str")
        for city, at in named.items()
        if city
    ]
    places = pd.concat([words[:0], *hits]).groupby(level=0).agg(["nunique", "first"])
    return places.loc[places["nunique"].eq(1), "first"].reindex(texts.index).astype("str")


def _ask_neighbours(
    asking: pd.DataFrame, known: pd.DataFrame, territory: pd.Series, *, within_km: float
) -> pd.DataFrame:
    """Let the five nearest known points vote; more than half of them decide."""
    answer = pd.DataFrame(index=asking.index, columns=["territory_id", "reason"], dtype="str")
    if asking.empty:
        return answer
    if len(known) < NEIGHBOURS:
        return answer.assign(reason="unknown_place")
    chord, nearest = KDTree(_to_sphere(known)).query(_to_sphere(asking), k=NEIGHBOURS)
    metres = 2 * EARTH_RADIUS_M * np.arcsin(np.clip(chord / 2, 0, 1))
    names, codes = np.unique(territory[known.index].to_numpy(dtype=object), return_inverse=True)
    votes = (codes[nearest][:, :, None] == np.arange(len(names))).sum(axis=1)
    far = metres.max(axis=1) > within_km * 1000
    split = votes.max(axis=1) * 2 <= NEIGHBOURS
    answer["reason"] = np.select([far, split], ["far_from_others", "neighbours_disagree"], "")
    answer["territory_id"] = names[votes.argmax(axis=1)]
    return answer.assign(territory_id=answer["territory_id"].mask(far | split))


def _to_sphere(points: pd.DataFrame) -> np.ndarray:
    latitude, longitude = np.radians(points.to_numpy(dtype=float)).T
    flat = np.cos(latitude)
    return np.column_stack([flat * np.cos(longitude), flat * np.sin(longitude), np.sin(latitude)])
