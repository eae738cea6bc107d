"""The review of near-duplicates: pairs with their evidence, and what a person decided of each."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from rapidfuzz import fuzz, process

from ecoanalysis.errors import StudyError, UsageError
from ecoanalysis.linkage import records
from ecoanalysis.linkage.folding import fold_acronyms, fold_name, fold_website, split_words
from ecoanalysis.schemas import TABLES, read_schema
from ecoanalysis.study.faults import join_faults, make_faults
from ecoanalysis.study.files import neutralise_formulas, read_sheets, restore_texts
from ecoanalysis.study.suggest import suggest_words

MATCHES = "matches.csv"
DECISIONS = ("same", "different")
ALIKE = 90.0
"""Least likeness of folded names (0-100, normalised indel) that proposes a pair."""
LIKELY_M = 5_000.0
"""Beyond this distance, in metres, a name alone proposes nothing."""
ALIKE_ON_ONE_SITE = 80.0
"""Least likeness of names (0-100) where two actors give the same website."""
SHARED_BY = 5
"""A website that more actors of one territory give belongs to a network of them."""

_BLOCK = 1000
_PAIR = ["actor_id", "other_id"]
_COLUMNS = [
    "territory_id", *_PAIR, "name", "other_name", "similarity", "same_domain", "acronym",
    "distance_m", "decision",
]  # fmt: skip
_LOG_COLUMNS = ["change", "table", "actor_id", "other_id", "field", "kept", "other"]


def find_duplicates(actors: pd.DataFrame) -> pd.DataFrame:
    """Find the actors of a study that are probably one organisation, for a person to judge.

    Within a territory, with the same numbers in their names and no two cities: names alike, or one
    the acronym of the other, where no website, kind or category contradicts and at most 5 km lie
    between; and names somewhat alike with one website, unless more than five actors give it.

    There is one row a pair, by territory, the most similar first: territory_id, actor_id, other_id,
    name, other_name, similarity (of the folded names, 0-100), same_domain (yes, no; missing where
    one gives no website), acronym (missing without), distance_m (missing without points).
    """
    table = actors.reset_index(drop=True)
    names, place = table["name"].fillna(""), table["territory_id"]
    folded, domain = names.map(fold_name), fold_website(table["website"].astype("str"))
    shared = domain.groupby([place, domain]).transform("size") > SHARED_BY
    sites = np.vstack(records.pair_values(table, domain.mask(shared)))
    ends = [_pair_alike(folded, place), _pair_acronyms(names, folded, place), sites]
    left, right = np.unique(np.concatenate(ends, axis=1), axis=1)
    one, other = (table.loc[at].reset_index(drop=True) for at in (left, right))
    site, other_site = (domain[at].reset_index(drop=True) for at in (left, right))
    same = site.eq(other_site).map({True: "yes", False: "no"})
    short = [_share_acronym(*ends) for ends in zip(names[left], names[right], strict=True)]
    pairs = one[["territory_id", "actor_id"]].assign(
        other_id=other["actor_id"],
        name=one["name"],
        other_name=other["name"],
        similarity=process.cpdist(folded[left].tolist(), folded[right].tolist()).astype(float),
        same_domain=same.mask(site.isna() | other_site.isna()).astype("str"),
        acronym=pd.Series(short, dtype="str"),
        distance_m=records.measure_distance(table, left, right),
    )
    digits = folded.str.replace(r"\D", "", regex=True)
    likely = (pairs["similarity"] >= ALIKE) | pairs["acronym"].notna()
    likely &= ~records.contradict(table, left, right, same_site_m=LIKELY_M)
    on_site = pairs["same_domain"].eq("yes") & ~shared[left].array
    likely |= on_site & _share_words(names, left, right)
    likely &= digits[left].array == digits[right].array
    likely &= ~records.contradict(table, left, right, fields=("city",))
    order = ["territory_id", "similarity", *_PAIR]
    found: pd.DataFrame = pairs[likely].sort_values(order, ascending=[True, False, True, True])
    return found.reset_index(drop=True)


def _pair_alike(folded: pd.Series, place: pd.Series) -> np.ndarray:
    """Pair the positions of names alike, block by block to spare memory."""
    found = [np.empty((2, 0), dtype=int)]
    for here in folded[folded.ne("")].groupby(place).groups.values():
        at, names = here.to_numpy(), folded[here].to_numpy(dtype=object)
        for start in range(0, len(at), _BLOCK):
            block, others = names[start : start + _BLOCK], names[start:]
            alike = process.cdist(
                block, others, scorer=fuzz.ratio, score_cutoff=ALIKE, dtype=np.float32
            )
            found.append(at[start + np.vstack(np.nonzero(np.triu(alike, k=1)))])
    return np.concatenate(found, axis=1)


def _pair_acronyms(names: pd.Series, folded: pd.Series, place: pd.Series) -> np.ndarray:
    """Pair the positions of names with those of their short forms."""
    table = pd.DataFrame({"territory_id": place, "at": names.index, "form": folded})
    forms = table.assign(form=names.map(fold_acronyms).map(sorted)).explode("form")
    forms = forms.dropna(subset="form").astype({"form": "str"})
    pairs = table.merge(forms, on=["territory_id", "form"]).query("at_x != at_y")
    return np.sort(pairs[["at_x", "at_y"]].to_numpy(dtype=int).T, axis=0)


def _share_acronym(one: str, other: str) -> str | None:
    short = fold_acronyms(one) & {fold_name(other)} | fold_acronyms(other) & {fold_name(one)}
    return min(short, default=None)


def _share_words(names: pd.Series, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Say for each pair whether the names are somewhat alike, or one says part of the other."""
    words = names.map(split_words).map(" ".join)
    pairs = words[left].tolist(), words[right].tolist()
    scores = [process.cpdist(*pairs, scorer=s) for s in (fuzz.ratio, fuzz.token_set_ratio)]
    return np.asarray(np.maximum(*scores) >= ALIKE_ON_ONE_SITE)


def read_matches(path: str | Path) -> pd.DataFrame:
    """Read the review file of a study, as a spreadsheet may have left it.

    There are the columns of `propose_matches`, all text, and no row where there is no file. A file
    that is no table, lacks a column, or holds another decision is a StudyError.
    """
    file = Path(path) / MATCHES
    if not file.is_file():
        return pd.DataFrame(columns=_COLUMNS, dtype="str")
    (raw,) = read_sheets(file.read_bytes(), file=MATCHES)
    matches = restore_texts(raw.cells.loc[:, ~raw.cells.columns.duplicated()])
    absent = [c for c in (*_PAIR, "decision") if c not in matches] if raw.whole else []
    columns = [*_COLUMNS, *matches.columns.difference(_COLUMNS, sort=False)]
    matches = matches.reindex(columns=columns, fill_value="").astype("str")
    matches["decision"] = matches["decision"].str.casefold()
    bad = matches.loc[~matches["decision"].isin(["", *DECISIONS]), "decision"]
    faults = [
        *raw.faults,
        *(make_faults("missing_column", file=MATCHES, rows=[1], field=c) for c in absent),
        make_faults(
            "unknown_code", file=MATCHES, rows=bad.index, field="decision", found=bad,
            allowed="; ".join(DECISIONS), suggestion=suggest_words(bad, known=DECISIONS),
        ),
    ]  # fmt: skip
    amiss = join_faults(fault.assign(table="matches") for fault in faults)
    if len(amiss):
        raise StudyError(f"{file} cannot be read: {len(amiss)} faults.", faults=amiss)
    matches.attrs["separator"] = raw.separator
    return matches


def write_matches(matches: pd.DataFrame, path: str | Path) -> None:
    """Write the review file, whole or not at all, for a spreadsheet; no name runs as a formula."""
    shown = neutralise_formulas(matches)
    separator = matches.attrs.get("separator") or ","
    with tempfile.TemporaryDirectory(dir=path, prefix=".writing-") as folder:
        fresh = Path(folder) / MATCHES
        shown.to_csv(fresh, index=False, sep=separator, encoding="utf-8-sig", lineterminator="\r\n")
        fresh.replace(Path(path) / MATCHES)


def propose_matches(actors: pd.DataFrame, *, matches: pd.DataFrame) -> pd.DataFrame:
    """Propose the pairs of `find_duplicates` below those that the review file has.

    A person writes same or different into its column decision, which stays and is followed.
    There are the rows of `matches` that are decided or still found, then the new pairs, the same
    two organisations once: the columns of `find_duplicates`, as text in whole numbers; decision
    (same, different; blank: not yet); then a person's own columns.
    """
    found = find_duplicates(actors)
    for column in ("similarity", "distance_m"):
        found[column] = found[column].round().astype("Int64")
    found = found[~_key_pairs(found).duplicated()].astype("str").fillna("")
    kept = matches[matches["decision"].ne("") | _key_pairs(matches).isin(_key_pairs(found))]
    new = found[~_key_pairs(found).isin(_key_pairs(kept))]
    new = new.reindex(columns=matches.columns, fill_value="").astype("str")
    proposed = pd.concat([kept, new], ignore_index=True)
    proposed.attrs = matches.attrs
    return proposed


def _key_pairs(pairs: pd.DataFrame) -> pd.Index:
    """Key pairs of organisations: the same either way round, and in every territory."""
    return pd.Index(["\n".join(sorted(pair)) for pair in pairs[_PAIR].astype("str").to_numpy()])


def replay_matches(
    tables: Mapping[str, pd.DataFrame], *, matches: pd.DataFrame
) -> tuple[dict[str, pd.DataFrame], pd.DataFrame]:
    """Unite the actors that a person called the same, everywhere in the tables of a study.

    The actor that stands first keeps its code, and every table names it by that code. A row that
    would tie it to itself, or answer one question a second time, goes; its own answer stays. Two
    actors called the same, directly or through others, and also different, are a UsageError.

    Returns the tables that changed, and a log, one row a change: change (united; left_out, a value
    that was not followed; removed, a row), table, actor_id (that stays), other_id (united into it),
    field, kept, other (names, values, or the key of the row).
    """
    stays = _choose_codes(tables["actors"]["actor_id"], matches)
    changed: dict[str, pd.DataFrame] = {}
    logs = [pd.DataFrame(columns=_LOG_COLUMNS, dtype="str")]
    for name in TABLES if stays else ():
        table, fields = tables.get(name, pd.DataFrame()), _list_references(name)
        touched = table.reindex(columns=fields).isin(list(stays)).any(axis=1)
        if touched.any():
            moved = table.assign(**{f: table[f].map(stays).fillna(table[f]) for f in fields})
            if name == "actors":
                changed[name], log = _unite_actors(table, moved)
            else:
                changed[name], log = _drop_repeated(moved, touched, name=name)
            logs.append(log.assign(table=name))
    return changed, pd.concat(logs, ignore_index=True)[_LOG_COLUMNS]


def _choose_codes(codes: pd.Series, matches: pd.DataFrame) -> dict[str, str]:
    """Map each code that goes to the one that stays."""
    decided = matches[matches["decision"].ne("")]
    every = pd.Index([*codes, *decided["actor_id"], *decided["other_id"]]).unique()
    left, right = (every.get_indexer(decided[column]) for column in _PAIR)
    same = decided["decision"].eq("same").to_numpy()
    first = records.group_positions(left[same], right[same], len(every))
    torn = decided[~same & (first[left] == first[right])]
    if len(torn):
        raise UsageError(
            f"{MATCHES} calls {torn['actor_id'].iloc[0]} and {torn['other_id'].iloc[0]} different, "
            "and also the same, perhaps through others; correct one of these decisions."
        )
    gone = (first != np.arange(len(every))) & every.isin(codes)
    return dict(zip(every[gone], every[first[gone]], strict=True))


def _list_references(name: str) -> list[str]:
    """List the columns of a table that hold codes of actors."""
    keys = read_schema(name).get("foreignKeys", ())
    held = [key["fields"][-1] for key in keys if key["reference"]["resource"] == "actors"]
    return ["actor_id"] if name == "actors" else held


def _unite_actors(actors: pd.DataFrame, moved: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    group = moved.groupby(["territory_id", "actor_id"], sort=False).ngroup()
    united, conflicts = records.unite_records(moved, groups=group)
    both = pd.DataFrame({"actor_id": moved["actor_id"], "other_id": actors["actor_id"]})
    both = both.reset_index(drop=True)
    names = actors.drop_duplicates("actor_id").set_index("actor_id")["name"]
    log = both[both["actor_id"] != both["other_id"]].drop_duplicates()
    log = log.assign(kept=log["actor_id"].map(names), other=log["other_id"].map(names))
    left = conflicts.join(both, on="position").assign(change="left_out")
    return united, pd.concat([log.assign(change="united"), left])


def _drop_repeated(
    moved: pd.DataFrame, touched: pd.Series, *, name: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Drop the rows that the new codes make ties to oneself or second answers."""
    ends, key = _list_references(name), read_schema(name).get("primaryKey", [])
    alone = touched & (moved[ends[0]] == moved[ends[-1]]) & (len(ends) > 1)
    first = touched[~alone].sort_values(kind="stable").index
    same = key or ["territory_id", *ends, "kind"]
    again = moved.loc[first].duplicated(same).reindex(moved.index, fill_value=False)
    gone = moved[alone | again]
    cells = gone[key or [*ends, "kind"]].astype("str").fillna("").to_numpy()
    log = gone[[ends[0]]].set_axis(["actor_id"], axis=1).assign(change="removed")
    log["other"] = pd.Series([" + ".join(filter(None, row)) for row in cells], log.index, "str")
    return moved[~(alone | again)].reset_index(drop=True), log
