"""Records and ties of a list into a study: known, the same as another, or new."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd

from ecoanalysis.linkage import LIST_COLUMNS, fold_id, match_records, unite_records
from ecoanalysis.study.check import find_listed, order_ends
from ecoanalysis.study.columns import split_parts

_ID_LENGTH = 48


def join_records(
    actors: pd.DataFrame, *, records: pd.DataFrame, distinct: bool = False
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Add the records of a list, placed and named, to the actors of a study.

    A record that the study knows by its provenance only fills the blanks of its actor: what the
    study says, perhaps corrected by a person, stays. Any other record joins an actor where
    `linkage.match_records` finds that both are one organisation, else it becomes a new actor.
    Actors that the study has are never merged with each other, nor, in a list whose records are
    `distinct`, as the nodes of a graph are, its records. One record in several territories is one
    actor_id in each.

    Returns the actors, the new ones last, by territory and actor_id; in the index of the records,
    actor_id and outcome (kept: the record its actor began with, else merged); and notes: position
    (index of the record), field, reason (differs: another record was followed; undecided: it could
    be either of two actors and stays apart), found, used.
    """
    n = len(actors)
    order = records.sort_values("observed_on", ascending=False, kind="stable", na_position="last")
    stack = pd.concat([actors, order.drop(columns="record_id")], ignore_index=True)
    keys = _list_keys(stack)
    held = pd.Series(keys.index, index=pd.MultiIndex.from_frame(keys))
    held = held[(held < n) & ~held.index.duplicated()]
    known = held.reindex(pd.MultiIndex.from_frame(stack[["territory_id", "provenance"]][n:]))
    known = known.set_axis(stack.index[n:]).dropna().astype("int64")
    group = stack.index.to_series()
    group[known.index] = known
    own = [*order["provenance"].str.extract(r"^([^:]*):")[0].unique()]
    apart = own if distinct else []
    loose = stack.drop(known.index)
    matches = match_records(_tell_apart(loose, apart), settled=loose.index.to_series() < n)
    group[loose.index] = loose.index.to_numpy()[matches["group"]]
    for column in LIST_COLUMNS:  # what a person took out of a list does not come back by stealth
        said = stack[column].reindex(known).notna().to_numpy()
        stack.loc[known.index[said], column] = np.nan
    united, conflicts = unite_records(stack, groups=group)
    united["actor_id"] = _name_actors(united, n)
    first = united["provenance"].str.extract(r"^(([^:;]*)[^;]*)")
    settled = ~first[1].isin(own)
    united["undecided"] = match_records(_tell_apart(united, apart), settled=settled)["undecided"]
    united["first"] = first[0]
    outcomes = united.loc[pd.factorize(group)[0][n:]].set_index(order.index)
    kept = outcomes["first"].eq(order["provenance"])
    outcomes["outcome"] = kept.map({True: "kept", False: "merged"})
    conflicts["position"] = conflicts["position"].map(dict(enumerate(order.index, n)))
    conflicts = conflicts.rename(columns={"other": "found", "kept": "used"})
    torn = order.loc[outcomes["undecided"], ["name"]].rename_axis("position").reset_index()
    torn = torn.rename(columns={"name": "found"}).assign(field="name", reason="undecided")
    notes = pd.concat([conflicts.drop(columns="group").assign(reason="differs"), torn])
    united = united[stack.columns]
    new = united[n:].sort_values(["territory_id", "actor_id"])
    return (
        pd.concat([united[:n], new], ignore_index=True),
        outcomes.loc[records.index, ["actor_id", "outcome"]],
        notes,
    )


def join_relations(
    relations: pd.DataFrame,
    *,
    ties: pd.DataFrame,
    homes: pd.DataFrame,
    actors: pd.DataFrame,
    undirected: list[str],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Add the ties of a list to the relations of a study.

    Ties of one kind between the same two actors of a territory are one relation, whose weights add
    up; one that the study has stays as it is. A tie between actors of several territories is kept
    in each one that both are in, else as a tie that leaves the source's territory. `homes` are the
    record_id, territory_id and actor_id of the records that are in the study, `undirected` the
    kinds of relation without direction. Returns the relations, the new ones last, by territory and
    ends; and for each tie outcome (kept, merged, set_aside) and reason (code).
    """
    rows = _find_ends(ties, homes)
    alone = rows["source_id"].eq(rows["target_id"])
    fit = rows[~(alone | rows["weight"].lt(0) | rows["kind"].isna())]
    fit = fit.assign(key=_make_keys(fit, actors, undirected))
    had = relations.assign(key=_make_keys(relations, actors, undirected))
    more = fit.drop_duplicates(["key", "provenance"]).groupby("key")["provenance"].agg(";".join)
    new = fit.drop_duplicates("key").set_index("key")
    new = new.assign(weight=fit.groupby("key")["weight"].sum(min_count=1), provenance=more)
    new = new.drop(had["key"], errors="ignore").reset_index()
    new = new.sort_values(["territory_id", "source_id", "target_id"])
    both = had["provenance"].str.cat(had["key"].map(more), sep=";", na_rep="")
    said = split_parts(both).groupby(level=0)
    had["provenance"] = said.agg(lambda parts: ";".join(dict.fromkeys(parts))).astype("str")
    tables = [part for part in (had, new.reindex(columns=had.columns)) if len(part)] or [had]
    table = pd.concat(tables, ignore_index=True)
    began = table.drop_duplicates("key").set_index("key")["provenance"].str.split(";").str[0]
    kept = fit["provenance"].eq(fit["key"].map(began)) & ~fit["key"].duplicated()
    outcome = kept.groupby(fit["tie"]).first().map({True: "kept", False: "merged"})
    outcome = outcome.reindex(ties.index).fillna("set_aside").astype("str")
    reason = pd.Series("end_set_aside", index=ties.index, dtype="str")
    for why, hit in (
        ("self_relation", ties.index.isin(rows["tie"])),
        ("negative_weight", ties["weight"].lt(0)),
        ("no_kind", ties["kind"].isna()),
        ("tie", outcome.eq("kept")),
        ("same_tie", outcome.eq("merged")),
    ):
        reason = reason.mask(hit, why)
    return table[relations.columns], pd.DataFrame({"outcome": outcome, "reason": reason})


def _list_keys(actors: pd.DataFrame) -> pd.DataFrame:
    """List every record that an actor comes from; the index repeats the actor's position."""
    keys = split_parts(actors["provenance"]).rename("key")
    return actors[["territory_id"]].join(keys, how="inner")


def _tell_apart(actors: pd.DataFrame, sources: list[str]) -> pd.DataFrame:
    """Let the records of these lists contradict each other, as categories of one system do."""
    if not sources:
        return actors
    own = actors["provenance"].str.extract(rf"((?:{'|'.join(sources)}):[^;]*)")[0]
    said = actors["source_category"].str.cat(own.radd("/"), sep=";", na_rep="")
    return actors.assign(source_category=said)


def _name_actors(actors: pd.DataFrame, n_settled: int) -> pd.Series:
    """Give new actors a readable identifier that no other organisation of the study has.

    The name; where several share it, name and city; then name and record; then a number.
    """
    ids = actors["actor_id"].astype("str").copy()
    keys = _list_keys(actors)["key"]
    first = keys.index.to_series().groupby(keys.to_numpy()).transform("min")
    leader = first.groupby(level=0).min().reindex(ids.index)
    follows = leader.index[leader.lt(leader.index) & (leader.index >= n_settled)]
    new = actors[n_settled:].drop(follows)
    record = new["provenance"].str.extract(r":([^;]*)")[0].map(fold_id)
    name = new["name"].map(lambda text: fold_id(text, limit=_ID_LENGTH))
    name = name.where(name.ne(""), record).replace("", "actor")
    taken = set(ids[:n_settled])
    for more in ("", new["city"].fillna("").map(fold_id), record):
        wish = (name + "-" + more).str.slice(0, 64).str.strip("-")
        free = wish[ids[new.index].isna() & ~wish.isin(taken)]
        free = free[~free.duplicated(keep=False)]
        ids[free.index] = free
        taken |= set(free)
    for at in new.index[ids[new.index].isna()]:
        numbers = (f"{name[at]}-{n}" for n in itertools.count(2))
        ids[at] = next(text for text in numbers if text not in taken)
        taken.add(ids[at])
    for at in follows:
        ids[at] = ids[int(leader[at])]
    return ids


def _find_ends(ties: pd.DataFrame, homes: pd.DataFrame) -> pd.DataFrame:
    """Find the actors of each tie: those of one territory, else the first of each end."""
    said = ties[["source_id", "target_id", "kind", "weight", "provenance"]]
    pairs = said.rename_axis("tie").reset_index()
    for end in ("source", "target"):
        at = homes.rename(columns={"record_id": f"{end}_id", "territory_id": f"{end}_in"})
        pairs = pairs.merge(at, on=f"{end}_id").drop(columns=f"{end}_id")
        pairs = pairs.rename(columns={"actor_id": f"{end}_id"})
    pairs = pairs.sort_values("tie", kind="stable", ignore_index=True)
    inside = pairs["source_in"].eq(pairs["target_in"])
    alone = ~inside.groupby(pairs["tie"]).transform("any") & ~pairs["tie"].duplicated()
    return pairs[inside | alone].rename(columns={"source_in": "territory_id"})


def _make_keys(relations: pd.DataFrame, actors: pd.DataFrame, undirected: list[str]) -> pd.Series:
    """Name what makes two relations the same: kind, ends, and the territory that holds both."""
    parts = order_ends(relations, undirected=relations["kind"].isin(undirected))
    here = actors[["territory_id", "actor_id"]]
    inside = find_listed(relations[["territory_id", "target_id"]], here)
    parts["territory_id"] = relations["territory_id"].where(inside, "")
    return relations["kind"].astype("str").str.cat(parts.astype("str"), sep="\x1f")
