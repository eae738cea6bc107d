"""Records of a list into the actors of a study: known, the same as another, or new."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecoanalysis.linkage import LIST_COLUMNS, fold_id, match_records, unite_records

_ID_LENGTH = 48


def join_records(
    actors: pd.DataFrame, *, records: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Add the records of a list to the actors of a study.

    A record that the study knows by its provenance only fills the blanks of its actor: what the
    study says, perhaps corrected by a person, stays. Any other record joins an actor where
    `linkage.match_records` finds that both are one organisation, else it becomes a new actor.
    Actors that the study has are never merged with each other.

    Parameters
    ----------
    actors : pandas.DataFrame
        The actors table of the study, perhaps empty.
    records : pandas.DataFrame
        Placed records with a name, in the columns of the actors table, and `record_id`.

    Returns
    -------
    actors : pandas.DataFrame
        The actors of the study in their order, then the new ones by territory and `actor_id`.
    outcomes : pandas.DataFrame
        Index of `records`; ``actor_id``, ``outcome`` (kept: the record its actor began with, else
        merged), ``undecided`` (bool: its actor could be either of two others, so it stays apart).
    conflicts : pandas.DataFrame
        ``position`` (index of `records`), ``field``, ``kept``, ``other``.
    """
    known = _find_known(actors, records["provenance"])
    columns = actors.columns.union(records.columns.drop("record_id"), sort=False)
    order = records.sort_values("observed_on", ascending=False, kind="stable", na_position="last")
    stack = pd.concat([actors, order.drop(columns="record_id")], ignore_index=True)
    group = pd.Series(stack.index.to_numpy(), index=stack.index)
    known = known.reindex(order.index).set_axis(stack.index[len(actors) :])
    group = known.reindex(group.index).fillna(group).astype("int64")
    loose = stack[group == stack.index]
    matches = match_records(loose, settled=loose.index.to_series() < len(actors))
    group[loose.index] = loose.index.to_numpy()[matches["group"]]
    stack = _respect_study(stack, known.dropna().astype("int64"))
    united, conflicts = unite_records(stack, groups=group)
    united["actor_id"] = _name_actors(united, n_settled=len(actors))
    rank = pd.Series(pd.factorize(group)[0], index=group.index)[len(actors) :]
    outcomes = pd.DataFrame(
        {
            "actor_id": united["actor_id"].to_numpy()[rank],
            "outcome": _tell_outcome(order["provenance"], united["provenance"].to_numpy()[rank]),
            "undecided": _find_undecided(united, order["provenance"])[rank],
        },
        index=order.index,
    )
    conflicts["position"] = conflicts["position"].map(dict(enumerate(order.index, len(actors))))
    new = united[len(actors) :].sort_values(["territory_id", "actor_id"])
    result = pd.concat([united[: len(actors)], new], ignore_index=True)
    return (
        result.reindex(columns=columns),
        outcomes.reindex(records.index),
        conflicts.sort_values(["position", "field"]).drop(columns="group"),
    )


def _find_known(actors: pd.DataFrame, provenance: pd.Series) -> pd.Series:
    """Find the position of the actor that already holds each record; missing for the others."""
    keys = actors["provenance"].reset_index(drop=True).dropna().str.split(";").explode()
    keys = keys.str.strip().drop_duplicates()
    return provenance.map(pd.Series(keys.index, index=keys.to_numpy(), dtype="Int64"))


def _respect_study(stack: pd.DataFrame, known: pd.Series) -> pd.DataFrame:
    """Blank the lists of known records where their actor has one: nothing comes back by stealth."""
    stack = stack.copy()
    for column in LIST_COLUMNS:
        if column in stack:
            said = stack[column].reindex(known).notna().to_numpy()
            stack.loc[known.index[said], column] = np.nan
    return stack


def _tell_outcome(record: pd.Series, provenance: np.ndarray) -> np.ndarray:
    first = pd.Series(provenance, dtype="str").str.extract(r"^([^;]*)")[0].to_numpy()
    return np.where(first == record.to_numpy(), "kept", "merged")


def _find_undecided(actors: pd.DataFrame, records: pd.Series) -> np.ndarray:
    """Flag the actors of a list that could be either of two others; the same at every import."""
    source = actors["provenance"].str.extract(r"^([^:;]*):")[0]
    others = ~source.isin(records.str.extract(r"^([^:]*):")[0].unique())
    return match_records(actors, settled=others)["undecided"].to_numpy(dtype=bool)


def _name_actors(actors: pd.DataFrame, *, n_settled: int) -> pd.Series:
    """Give new actors a readable identifier that no other actor of the study has.

    The name; where several share it, name and city; then name and record.
    """
    ids = actors["actor_id"].astype("str").copy()
    taken = set(ids[:n_settled])
    new = actors[n_settled:]
    name = new["name"].map(lambda text: fold_id(text, limit=_ID_LENGTH))
    record = new["provenance"].str.extract(r":([^;]*)")[0].map(fold_id)
    name = name.where(name.ne(""), record).replace("", "actor")
    city = (name + "-" + new["city"].fillna("").map(fold_id)).str.slice(0, 64).str.strip("-")
    number = (name + "-" + record).str.slice(0, 64).str.strip("-")
    for wish in (name, city, number):
        free = ids.isna() & ~wish.reindex(ids.index).isin(taken)
        open_ = wish[free[wish.index]]
        single = open_[~open_.duplicated(keep=False)]
        ids[single.index] = single
        taken |= set(single)
    for at in ids.index[ids.isna()]:
        n = 2
        while f"{name[at]}-{n}" in taken:
            n += 1
        ids[at] = f"{name[at]}-{n}"
        taken.add(ids[at])
    return ids
