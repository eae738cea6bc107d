"""Which records speak of the same organisation, and what they say together.

Two records are one organisation only where their folded names agree *and* nothing else that both
of them say contradicts it: territory, city, site, website, kind, the source list's own category.
Two libraries of one name in two towns stay two.
"""

from __future__ import annotations

import re
import unicodedata

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process
from scipy import sparse
from scipy.sparse.csgraph import connected_components

LIST_COLUMNS = ("roles", "tags", "channels", "source_category", "provenance")
EARTH_RADIUS_M = 6_371_008.8
"""Mean radius of the Earth (IUGG), metres."""

_LEGAL_FORMS = re.compile(
    "sas|sasu|sarl|sarlu|suarl|eurl|sa|sau|snc|scop|scic|scs|gie|eirl|ltd|limited|llc|llp|inc"
    "|incorporated|corp|plc|gmbh|ag|srl|spa|bv|nv|lda|ltda|pty|pvt"
)
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "+": " plus "}
)
_WORD = re.compile(r"[^\W_]+")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_CITY_NOISE = re.compile(r"\d+\s*(?:er|e|eme|nd)?\b|\bcedex\b|\barrondissement\b")
_SAINT = re.compile(r"\bst(e?)\b")
_UNLOGGED = ("actor_id", "placed", "observed_on", "latitude", "longitude")


def _fold_letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def fold_name(name: str) -> str:
    """Fold a name to what its spellings have in common.

    Parameters
    ----------
    name : str
        Name as a list writes it.

    Returns
    -------
    str
        Letters and digits only: no case, accents, spaces or punctuation, no legal form at either
        end ("+" is read as "plus"). Empty when the name holds no letter and no digit.

    Examples
    --------
    >>> fold_name("S.A.R.L. L’Œuvre-Numérique") == fold_name("l'oeuvre numerique")
    True
    """
    initials = _INITIALS.sub(lambda found: found[0].replace(".", "") + " ", name)
    words = _WORD.findall(_fold_letters(initials))
    while len(words) > 1 and _LEGAL_FORMS.fullmatch(words[-1]):
        words.pop()
    while len(words) > 1 and _LEGAL_FORMS.fullmatch(words[0]):
        words.pop(0)
    return "".join(words)


def fold_city(city: str) -> str:
    """Fold a city's name; postcode, "cedex" and arrondissement numbers are no part of it.

    Parameters
    ----------
    city : str
        City as a list writes it.

    Returns
    -------
    str
        Words of letters, separated by one space; "st" is read as "saint".

    Examples
    --------
    >>> fold_city("75012 PARIS 12e"), fold_city("St-Cloud"), fold_city("Évry Cedex 2")
    ('paris', 'saint cloud', 'evry')
    """
    plain = _CITY_NOISE.sub(" ", _fold_letters(city))
    return _SAINT.sub(r"saint\1", " ".join(_WORD.findall(plain)))


def fold_id(text: str, *, limit: int = 64) -> str:
    """Fold a text to an identifier that is fit for a folder and for the tables.

    Parameters
    ----------
    text : str
        A name or a title.
    limit : int
        Longest identifier.

    Returns
    -------
    str
        Matches ``[a-z0-9][a-z0-9-]*``, or is empty when the text holds no Latin letter or digit.
    """
    words = re.findall(r"[a-z0-9]+", _fold_letters(text).replace("'", "").replace("’", ""))
    return "-".join(words)[:limit].strip("-")


def fold_website(website: pd.Series) -> pd.Series:
    """Reduce web addresses to their domain.

    Parameters
    ----------
    website : pandas.Series
        Addresses, with or without ``http://``.

    Returns
    -------
    pandas.Series
        Domain in small letters without ``www.``; missing where there is none.
    """
    host = website.str.casefold().str.extract(r"^(?:https?://)?(?:www\.)?([^/:?#\s]+)")[0]
    return host.rename("domain")


def match_records(
    actors: pd.DataFrame, *, settled: pd.Series | None = None, same_site_m: float = 500.0
) -> pd.DataFrame:
    """Group the records that are one organisation.

    Agreement is not passed on: where A agrees with B and B with C but A contradicts C, B could be
    either; it stays apart and is flagged. The groups do not depend on the order of the records.

    Parameters
    ----------
    actors : pandas.DataFrame
        ``name`` and ``territory_id``; what it has of ``city``, ``latitude``, ``longitude``,
        ``website``, ``kind``, ``source_category`` may contradict. A missing value never does.
    settled : pandas.Series, optional
        True for records that are known to be different organisations from each other, such as
        the actors that a study already has.
    same_site_m : float
        Points farther apart than this, in metres, are two sites.

    Returns
    -------
    pandas.DataFrame
        Same index; ``group`` (position, from 0, of the group's first record) and ``undecided``
        (bool: agrees with several records that contradict each other).
    """
    group = np.arange(len(actors))
    undecided = np.zeros(len(actors), dtype=bool)
    left, right = _pair_names(actors)
    apart = _contradict(actors, left, right, same_site_m=same_site_m)
    if settled is not None:
        fixed = settled.to_numpy(dtype=bool)
        apart |= fixed[left] & fixed[right]
    left, right = left[~apart], right[~apart]
    if len(left):
        undecided = _find_undecided(left, right, len(actors))
        keep = ~(undecided[left] | undecided[right])
        ends = (np.ones(int(keep.sum())), (left[keep], right[keep]))
        graph = sparse.coo_array(ends, shape=(len(actors), len(actors)))
        label = connected_components(graph, directed=False)[1]
        first = np.full(len(actors), len(actors))
        np.minimum.at(first, label, group)
        group = first[label]
    return pd.DataFrame({"group": group, "undecided": undecided}, index=actors.index)


def _pair_names(actors: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Pair the positions of all records of one folded name in one territory."""
    keys = pd.DataFrame(
        {
            "name": actors["name"].map(fold_name, na_action="ignore"),
            "territory_id": actors["territory_id"],
            "at": np.arange(len(actors)),
        }
    )
    keys = keys[keys["name"].notna() & keys["name"].ne("")]
    keys = keys[keys.duplicated(["name", "territory_id"], keep=False)]
    pairs = keys.merge(keys, on=["name", "territory_id"], suffixes=("", "_other"))
    pairs = pairs[pairs["at"] < pairs["at_other"]]
    return pairs["at"].to_numpy(), pairs["at_other"].to_numpy()


def _contradict(
    actors: pd.DataFrame, left: np.ndarray, right: np.ndarray, *, same_site_m: float
) -> np.ndarray:
    """Say for each pair of positions whether anything that both records say differs."""
    apart = np.zeros(len(left), dtype=bool)
    said = pd.DataFrame(index=actors.index)
    if "city" in actors:
        city = actors["city"].map(fold_city, na_action="ignore")
        said["city"] = city.where(city.ne(""))
    if "website" in actors:
        said["website"] = fold_website(actors["website"].astype("str"))
    if "kind" in actors:
        said["kind"] = actors["kind"]
    if "source_category" in actors:
        said = said.join(_split_categories(actors["source_category"]))
    for column in said:
        code = pd.factorize(said[column])[0]
        a, b = code[left], code[right]
        apart |= (a != b) & (a >= 0) & (b >= 0)
    if {"latitude", "longitude"} <= set(actors.columns):
        place = np.radians(actors[["latitude", "longitude"]].to_numpy(dtype=float))
        apart |= _measure_distance(place[left], place[right]) > same_site_m
    return apart


def _split_categories(categories: pd.Series) -> pd.DataFrame:
    """One column a source system, so that only categories of one system are compared."""
    parts = categories.dropna().str.split(";").explode().str.strip()
    named = parts.str.extract(r"^(?P<system>[^:]*):(?P<code>.*)$").dropna().rename_axis("at")
    named = named.reset_index().drop_duplicates().sort_values("code")
    codes = named.pivot_table("code", index="at", columns="system", aggfunc=";".join)
    return codes.reindex(categories.index).add_prefix("category:")


def _measure_distance(here: np.ndarray, there: np.ndarray) -> np.ndarray:
    """Great-circle distance in metres (haversine); NaN where a point is missing."""
    half = (there - here) / 2
    chord = np.sin(half[:, 0]) ** 2
    chord += np.cos(here[:, 0]) * np.cos(there[:, 0]) * np.sin(half[:, 1]) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(chord)))


def _find_undecided(left: np.ndarray, right: np.ndarray, n: int) -> np.ndarray:
    """Flag the records whose partners do not all agree with each other.

    Without them no open triple is left, so that each component is complete.
    """
    ends = (np.ones(2 * len(left)), (np.r_[left, right], np.r_[right, left]))
    agree = sparse.coo_array(ends, shape=(n, n)).tocsr()
    degree: np.ndarray = np.asarray(agree.sum(axis=1))
    closed: np.ndarray = np.asarray((agree @ agree).multiply(agree).sum(axis=1))
    return np.asarray(closed < degree * (degree - 1))


def unite_records(actors: pd.DataFrame, *, groups: pd.Series) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Make one row of each group of records.

    Lists are united; of every other field the first record that says something is followed, and
    coordinates come from one record.

    Parameters
    ----------
    actors : pandas.DataFrame
        Records, the most trusted first.
    groups : pandas.Series
        Group of each record, as `match_records` returns it.

    Returns
    -------
    actors : pandas.DataFrame
        One row a group, in the order of the groups' first records, index from 0.
    conflicts : pandas.DataFrame
        ``group``, ``position`` (of the record not followed, from 0), ``field``, ``kept``,
        ``other``; one row for each value that was not followed.
    """
    ordered = actors.reset_index(drop=True)
    group = pd.Series(np.asarray(groups), name="group")
    place = [column for column in ("latitude", "longitude") if column in ordered]
    half = ordered[place].isna().any(axis=1)
    united = ordered.assign(**{column: ordered[column].mask(half) for column in place})
    united = united.groupby(group, sort=False).first()
    several = group[group.duplicated(keep=False)]
    for column in [column for column in LIST_COLUMNS if column in ordered]:
        joined = _join_lists(ordered.loc[several.index, column], several)
        united.loc[joined.index, column] = joined
    conflicts = _list_conflicts(ordered.loc[several.index], several, united)
    return united.reset_index(drop=True).reindex(columns=actors.columns), conflicts


def _join_lists(cells: pd.Series, group: pd.Series) -> pd.Series:
    """Unite the lists of the groups whose records say different ones."""
    said = pd.DataFrame({"list": cells, "group": group}).dropna().drop_duplicates()
    said = said[said["group"].duplicated(keep=False)]
    parts = said.assign(part=said["list"].str.split(";")).explode("part")
    parts["part"] = parts["part"].str.strip()
    parts["fold"] = parts["part"].str.casefold()
    parts = parts[parts["fold"].ne("")].drop_duplicates(["group", "fold"])
    return parts.groupby("group")["part"].agg(";".join).astype("str")


def _list_conflicts(records: pd.DataFrame, group: pd.Series, united: pd.DataFrame) -> pd.DataFrame:
    fields = records.columns.difference([*LIST_COLUMNS, *_UNLOGGED], sort=False)
    said = records[fields].convert_dtypes().astype("str").rename_axis("position").reset_index()
    said = said.melt("position", var_name="field", value_name="other").dropna(subset="other")
    said["group"] = said["position"].map(group)
    followed = (
        united.loc[group.unique(), fields]
        .convert_dtypes()
        .astype("str")
        .rename_axis("group")
        .reset_index()
    )
    followed = followed.melt("group", var_name="field", value_name="kept")
    said = said.merge(followed, on=["group", "field"])
    said = said[said["other"] != said["kept"]].sort_values(["position", "field"])
    columns = ["group", "position", "field", "kept", "other"]
    return said.reindex(columns=columns).reset_index(drop=True)


def merge_duplicates(
    actors: pd.DataFrame, *, same_site_m: float = 500.0
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Merge the records that are one organisation, and keep the provenance of each.

    Parameters
    ----------
    actors : pandas.DataFrame
        The actors table, the most trusted record first; see `match_records`.
    same_site_m : float
        Points farther apart than this, in metres, are two sites.

    Returns
    -------
    actors : pandas.DataFrame
        One row an organisation.
    conflicts : pandas.DataFrame
        What was not followed; see `unite_records`.
    """
    matches = match_records(actors, same_site_m=same_site_m)
    return unite_records(actors, groups=matches["group"])


def find_duplicates(actors: pd.DataFrame, *, similarity: float = 90.0) -> pd.DataFrame:
    """Find the actors of a study that are probably one organisation, for a person to judge.

    Parameters
    ----------
    actors : pandas.DataFrame
        The actors table.
    similarity : float
        Least normalised indel similarity of the folded names, 0–100.

    Returns
    -------
    pandas.DataFrame
        ``territory_id``, ``actor_id``, ``other_id``, ``similarity`` (0–100), one row a pair:
        names alike, the same numbers in them, and no city, site, website, kind or category that
        contradicts.
    """
    named = actors.assign(folded=actors["name"].map(fold_name, na_action="ignore").fillna(""))
    places = named.reset_index(drop=True).query("folded != ''").groupby("territory_id").groups
    folded = named["folded"].to_numpy(dtype=object)
    found = [_compare_names(folded, at.to_numpy(), similarity) for at in places.values()]
    found.append((np.array([], dtype=int), np.array([], dtype=int), np.array([])))
    left, right, score = (np.concatenate(part) for part in zip(*found, strict=True))
    apart = _contradict(actors, left, right, same_site_m=500.0)
    left, right, score = left[~apart], right[~apart], score[~apart]
    ids = actors["actor_id"].to_numpy()
    return pd.DataFrame(
        {
            "territory_id": actors["territory_id"].to_numpy()[left],
            "actor_id": ids[left],
            "other_id": ids[right],
            "similarity": score.astype(float),
        }
    )


def _compare_names(
    folded: np.ndarray, at: np.ndarray, similarity: float, *, block: int = 1000
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair the positions within `at` whose names are alike, block by block to spare memory."""
    names = folded[at]
    left, right, scores = [], [], []
    for start in range(0, len(at), block):
        rows = names[start : start + block]
        alike = process.cdist(
            rows, names[start:], scorer=fuzz.ratio, score_cutoff=similarity, dtype=np.float32
        )
        i, j = np.nonzero(np.triu(alike, k=1))
        left.append(at[start + i])
        right.append(at[start + j])
        scores.append(alike[i, j])
    a, b, score = np.concatenate(left), np.concatenate(right), np.concatenate(scores)
    digits = np.array([re.sub(r"\D", "", name) for name in folded])
    same = digits[a] == digits[b]
    return a[same], b[same], score[same]
