"""Records of a list into the actors of a study: known, the same as another, or new."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecoanalysis.linkage import LIST_COLUMNS, fold_id, match_records, unite_records

_ID_LENGTH = 48


def join_records(
    actors: pd.DataFrame, *, records: pd.DataFrame, distinct: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Add the records of a list to the actors of a study.

    A record that the study knows by its provenance only fills the blanks of its actor: what the
    study says, perhaps corrected by a person, stays. Any other record joins an actor where
    `linkage.match_records` finds that both are one organisation, else it becomes a new actor.
    Actors that the study has are never merged with each other, nor, in a list whose records are
    `distinct`, its records. One record in several territories is one actor_id in each of them.

    Parameters
    ----------
    actors, records : pandas.DataFrame
        The actors table of the study; placed records with a name, in its columns, and `record_id`.
    distinct : bool
        Does the list itself tell its organisations apart, as the nodes of a graph do?

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
    columns = actors.columns.union(records.columns.drop("record_id"), sort=False)
    order = records.sort_values("observed_on", ascending=False, kind="stable", na_position="last")
    known = _find_known(actors, order)
    stack = pd.concat([actors, order.drop(columns="record_id")], ignore_index=True)
    group = pd.Series(stack.index.to_numpy(), index=stack.index)
    known = known.set_axis(stack.index[len(actors) :])
    group = known.reindex(group.index).fillna(group).astype("int64")
    loose = stack[group == stack.index]
    own = order["provenance"].str.extract(r"^([^:]*):")[0].unique()
    matches = match_records(
        _tell_apart(loose, own) if distinct else loose,
        settled=loose.index.to_series() < len(actors),
    )
    group[loose.index] = loose.index.to_numpy()[matches["group"]]
    stack = _respect_study(stack, known.dropna().astype("int64"))
    united, conflicts = unite_records(stack, groups=group)
    united["actor_id"] = _name_actors(united, n_settled=len(actors))
    others = ~united["provenance"].str.extract(r"^([^:;]*):")[0].isin(own)
    undecided = match_records(_tell_apart(united, own) if distinct else united, settled=others)
    rank = pd.Series(pd.factorize(group)[0], index=group.index)[len(actors) :]
    first = united["provenance"].str.extract(r"^([^;]*)")[0].to_numpy()[rank]
    outcomes = pd.DataFrame(
        {
            "actor_id": united["actor_id"].to_numpy()[rank],
            "outcome": np.where(first == order["provenance"].to_numpy(), "kept", "merged"),
            "undecided": undecided["undecided"].to_numpy(dtype=bool)[rank],
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


def _list_sources(actors: pd.DataFrame) -> pd.Series:
    """List every record that an actor comes from; the index repeats the actor's position."""
    parts = actors["provenance"].reset_index(drop=True).dropna().str.split(";").explode()
    return parts.str.strip().astype("str")


def _find_known(actors: pd.DataFrame, records: pd.DataFrame) -> pd.Series:
    """Find the position of the actor that already holds each record; missing for the others."""
    keys = _list_sources(actors)
    places = actors["territory_id"].to_numpy()[keys.index]
    held = pd.Series(keys.index, index=pd.MultiIndex.from_arrays([places, keys]), dtype="Int64")
    held = held[~held.index.duplicated()]
    wanted = pd.MultiIndex.from_frame(records[["territory_id", "provenance"]])
    return held.reindex(wanted).set_axis(records.index)


def _tell_apart(actors: pd.DataFrame, sources: np.ndarray) -> pd.DataFrame:
    """Let the records of these lists contradict each other, as categories of one system do."""
    own = actors["provenance"].str.extract(rf"((?:{'|'.join(sources)}):[^;]*)")[0]
    said = actors["source_category"].str.cat(own.radd("/"), sep=";", na_rep="")
    return actors.assign(source_category=said)


def _respect_study(stack: pd.DataFrame, known: pd.Series) -> pd.DataFrame:
    """Blank the lists of known records where their actor has one: nothing comes back by stealth."""
    stack = stack.copy()
    for column in LIST_COLUMNS:
        if column in stack:
            said = stack[column].reindex(known).notna().to_numpy()
            stack.loc[known.index[said], column] = np.nan
    return stack


def _name_actors(actors: pd.DataFrame, *, n_settled: int) -> pd.Series:
    """Give new actors a readable identifier that no other organisation of the study has.

    The name; where several share it, name and city; then name and record. A record in several
    territories has one identifier.
    """
    ids = actors["actor_id"].astype("str").copy()
    keys = _list_sources(actors)
    first = keys.index.to_series().groupby(keys.to_numpy()).transform("min").to_numpy()
    leader = pd.Series(first, index=keys.index).groupby(level=0).min().reindex(ids.index)
    follows = leader.lt(ids.index.to_series()) & (ids.index >= n_settled)
    taken = set(ids[:n_settled])
    new = actors[n_settled:][~follows[n_settled:]]
    name = new["name"].map(lambda text: fold_id(text, limit=_ID_LENGTH))
    record = new["provenance"].str.extract(r":([^;]*)")[0].map(fold_id)
    name = name.where(name.ne(""), record).replace("", "actor")
    city = (name + "-" + new["city"].fillna("").map(fold_id)).str.slice(0, 64).str.strip("-")
    number = (name + "-" + record).str.slice(0, 64).str.strip("-")
    for wish in (name, city, number):
        free = wish[ids[wish.index].isna() & ~wish.isin(taken)]
        single = free[~free.duplicated(keep=False)]
        ids[single.index] = single
        taken |= set(single)
    for at in new.index[ids[new.index].isna()]:
        n = 2
        while f"{name[at]}-{n}" in taken:
            n += 1
        ids[at] = f"{name[at]}-{n}"
        taken.add(ids[at])
    for at in ids.index[follows]:
        ids[at] = ids[int(leader[at])]
    return ids
