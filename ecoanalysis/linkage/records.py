"""Records grouped by organisation, and each group made one row."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from ecoanalysis.linkage.folding import fold_city, fold_name, fold_website
from ecoanalysis.study.columns import split_parts

LIST_COLUMNS = ("roles", "tags", "channels", "source_category", "provenance")
EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG), metres."""
SAME_SITE_M = 500.0
"""Points farther apart than this, in metres, are two sites."""

_CAUTIOUS = {"publish": ("no", "not asked", "yes"), "sensitive": ("yes", "no")}
_UNLOGGED = ("actor_id", "placed", "observed_on", "latitude", "longitude")


def match_records(actors: pd.DataFrame, *, settled: pd.Series | None = None) -> pd.DataFrame:
    """Group the records that are one organisation, whatever their order.

    They are one where their folded names agree and nothing else that both say contradicts it.
    Agreement is not passed on: where A agrees with B and B with C but A contradicts C, B could be
    either; it stays apart and is flagged. Beside name and territory_id, what there is of city,
    latitude, longitude, website, kind, source_category may contradict; a missing value never does.
    `settled` marks records that are known to be different organisations from each other. Returns,
    in the same index, group (position, from 0, of the group's first record) and undecided (bool:
    agrees with several records that contradict each other).
    """
    left, right = pair_values(actors, actors["name"].map(fold_name, na_action="ignore"))
    apart = contradict(actors, left, right, same_site_m=SAME_SITE_M)
    if settled is not None:
        fixed = settled.to_numpy(dtype=bool)
        apart |= fixed[left] & fixed[right]
    left, right, n = left[~apart], right[~apart], len(actors)
    ends = (np.ones(2 * len(left)), (np.r_[left, right], np.r_[right, left]))
    agree = sparse.coo_array(ends, shape=(n, n)).tocsr()
    degree: np.ndarray = agree.sum(axis=1)
    closed: np.ndarray = (agree @ agree).multiply(agree).sum(axis=1)
    undecided = closed < degree * (degree - 1)  # some of its partners do not agree
    keep = ~(undecided[left] | undecided[right])
    group = group_positions(left[keep], right[keep], n)
    return pd.DataFrame({"group": group, "undecided": undecided}, index=actors.index)


def group_positions(left: np.ndarray, right: np.ndarray, n: int) -> np.ndarray:
    """Give each of `n` positions the first that pairs, one after the other, join it to."""
    graph = sparse.coo_array((np.ones(len(left)), (left, right)), shape=(n, n))
    label = connected_components(graph, directed=False)[1] if n else np.empty(0, int)
    first = np.full(n, n)
    np.minimum.at(first, label, np.arange(n))
    return np.asarray(first[label])


def pair_values(actors: pd.DataFrame, values: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Pair the positions of all records of one value, not blank, in one territory."""
    keys = actors[["territory_id"]].assign(value=values, at=np.arange(len(actors)))
    keys = keys[keys["value"].notna() & keys["value"].ne("")]
    pairs = keys.merge(keys, on=["value", "territory_id"], suffixes=("", "_other"))
    pairs = pairs[pairs["at"] < pairs["at_other"]]
    return pairs["at"].to_numpy(), pairs["at_other"].to_numpy()


def contradict(
    actors: pd.DataFrame,
    left: np.ndarray,
    right: np.ndarray,
    *,
    same_site_m: float = np.inf,
    fields: tuple[str, ...] = ("city", "website", "kind", "source_category"),
) -> np.ndarray:
    """Say for each pair of positions whether anything that both records say differs."""
    said = actors[[field for field in fields if field in actors]].astype("str")
    if "city" in said:
        city = said["city"].map(fold_city, na_action="ignore")
        said["city"] = city.where(city.ne(""))
    if "website" in said:
        said["website"] = fold_website(said["website"])
    if "source_category" in said:
        said = said.join(_split_categories(said.pop("source_category")))
    apart = measure_distance(actors, left, right) > same_site_m
    for column in said:
        code = pd.factorize(said[column])[0]
        a, b = code[left], code[right]
        apart |= (a != b) & (a >= 0) & (b >= 0)
    return apart


def _split_categories(categories: pd.Series) -> pd.DataFrame:
    """One column a source system, so that only categories of one system are compared."""
    named = split_parts(categories).str.extract(r"^(?P<system>[^:]*):(?P<code>.*)$").dropna()
    named = named.rename_axis("at").reset_index().drop_duplicates().sort_values("code")
    codes = named.pivot_table("code", index="at", columns="system", aggfunc=";".join)
    return codes.reindex(categories.index).add_prefix("category:")


def measure_distance(actors: pd.DataFrame, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Great-circle distance of pairs in metres (haversine); missing where a point is."""
    place = np.radians(actors.reindex(columns=["latitude", "longitude"]).to_numpy(dtype=float))
    here, there = place[left], place[right]
    half = np.sin((there - here) / 2) ** 2
    chord = half[:, 0] + np.cos(here[:, 0]) * np.cos(there[:, 0]) * half[:, 1]
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(chord)))


def unite_records(actors: pd.DataFrame, *, groups: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make one row of each group of records, the most trusted first.

    Lists are united; coordinates come from one record; who objects to being published, or is
    sensitive, in one record is so in all; of every other field the first record that says something
    is followed. Returns the rows, in the order of the groups' first records, and the values that
    were not followed: group, position (of the record, from 0), field, kept, other.
    """
    ordered = actors.reset_index(drop=True)
    group = pd.Series(np.asarray(groups), name="group")
    place = [column for column in ("latitude", "longitude") if column in ordered]
    half = ordered[place].isna().any(axis=1)
    united = ordered.assign(**{column: ordered[column].mask(half) for column in place})
    united = united.groupby(group, sort=False).first()
    several = group[group.duplicated(keep=False)]
    records = ordered.loc[several.index]
    for column in records.columns.intersection([*LIST_COLUMNS]):
        joined = _join_lists(records[column], several)
        united.loc[joined.index, column] = joined
    for column in records.columns.intersection([*_CAUTIOUS]):
        for answer in reversed(_CAUTIOUS[column]):
            united.loc[several[records[column].eq(answer)].unique(), column] = answer
    conflicts = _list_conflicts(records, several, united)
    return united.reset_index(drop=True).reindex(columns=actors.columns), conflicts


def _join_lists(cells: pd.Series, group: pd.Series) -> pd.Series:
    """Unite the lists of the groups whose records say different ones."""
    said = pd.DataFrame({"list": cells, "group": group}).dropna().drop_duplicates()
    said = said[said["group"].duplicated(keep=False)]
    parts = said.join(split_parts(said["list"]).rename("part"), how="inner")
    parts = parts.assign(fold=parts["part"].str.casefold()).drop_duplicates(["group", "fold"])
    return parts.groupby("group")["part"].agg(";".join).astype("str")


def _list_conflicts(records: pd.DataFrame, group: pd.Series, united: pd.DataFrame) -> pd.DataFrame:
    fields = records.columns.difference([*LIST_COLUMNS, *_UNLOGGED], sort=False)
    said, kept = (
        rows[fields].convert_dtypes().astype("str").rename_axis(key).reset_index().melt(key)
        for rows, key in ((records, "position"), (united.loc[group.unique()], "group"))
    )
    said["group"] = said["position"].map(group)
    said = said.dropna(subset="value").rename(columns={"variable": "field", "value": "other"})
    kept = kept.rename(columns={"variable": "field", "value": "kept"})
    said = said.merge(kept, on=["group", "field"])
    said = said[said["other"] != said["kept"]].sort_values(["position", "field"])
    return said[["group", "position", "field", "kept", "other"]].reset_index(drop=True)
