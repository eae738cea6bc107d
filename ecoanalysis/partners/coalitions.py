"""Groups of partners: the best ones under seats, found by integer programming, all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

from ecoanalysis.errors import UsageError
from ecoanalysis.partners.profiles import (
    OFFERS,
    STRONG,
    Answers,
    Flags,
    Rows,
    Values,
    read_needs,
)

Condition = tuple[Values, float, float]  # one number an actor; least and most of their sum

MOST_SEATS: Final = 8
LEAST_GAIN: Final = 0.05
SURE: Final = 1e-7
SMALL: Final = 60  # actors that the solver takes whole
WIDE: Final = 6  # needs of which all subsets are tried
MANY: Final = 20_000  # groups tried one by one in a draw


def suggest_coalitions(
    offers: pd.DataFrame,
    weights: Mapping[str, float],
    *,
    constraints: pd.DataFrame | None = None,
    traits: pd.DataFrame | None = None,
    minima: Mapping[str, int] | None = None,
    seats: int | None = None,
    costs: Mapping[str, float] | None = None,
    budget: float = math.inf,
    prefer: pd.Series | None = None,
    draws: Values | None = None,
    limit: int = 10,
) -> dict[str, pd.DataFrame]:
    """Suggest the groups that cover the needs best, each need being covered by its best member.

    `offers` are indexed by actor_id, one column a need: 0-1, unknown ones cannot be counted on;
    needs of weight 0 are left out. Conditions are `constraints` (actor_id, rule: must, never or
    not_with, other_id), `minima`: how many members must at least have each of the `traits` (true or
    false by actor_id), and a `budget` for the `costs` (1 if not named). A group has at most `seats`
    members: unless given, the fewest (up to `MOST_SEATS`) after which one more adds less than
    `LEAST_GAIN`. `prefer` (0-1 by actor_id) orders equally good groups, of which `limit` are
    listed; `draws` are (draws, actors, needs) of the offers.

    Returns
    -------
    dict of pandas.DataFrame
        - coalitions : one row: seats (int, 0 if nothing is feasible), coverage (0-1, Σ weight ·
          best offer / Σ weight of the groups), low, high (0-1, of the first: 5 and 95 % of draws),
          gain (0-1, what one seat more adds; missing where it cannot be), complete (bool, whether
          these are all the groups), n_groups, conflicts (`;` between the conditions each of which,
          dropped alone, makes a group feasible; all of them if none does; "" where there is one, or
          nobody to choose from)
        - coalition_groups : group (0 is first by preference), actor_id; no other group betters them
        - coalition_members : actor_id, in_groups (0-1, share of the groups), inclusion (0-1, share
          of the draws whose best group holds it; missing without draws)
        - needs : need; covered (0-1) and actor_id: what the first group's best gives, and who

    Raises
    ------
    UsageError
        If a constraint names an actor that is not in `offers`, or a minimum an unknown trait.
    """
    needs, ids = [str(need) for need in offers if weights.get(str(need), 0) > 0], offers.index
    share = np.array([float(weights[need]) for need in needs]) / (sum(weights.values()) or 1)
    values = np.nan_to_num(offers[needs].to_numpy(dtype=float)) * share
    rows = _read_rows(ids, constraints, traits, minima or {})
    if costs is not None:
        rows["budget"] = (np.array([costs.get(i, 1.0) for i in ids]), -math.inf, budget)
    rank = np.zeros(len(ids)) if prefer is None else prefer.reindex(ids).fillna(0).to_numpy()
    pool = np.arange(len(ids)) if len(ids) <= SMALL else _find_candidates(values, rows, prefer=rank)
    task = _Task(values[pool], _pick(rows, pool))

    @cache
    def cover(size: int) -> float:
        best = task.solve(size)
        return math.nan if best is None else float(task.offers[best].max(axis=0, initial=0).sum())

    for size in [seats] if seats else range(1, MOST_SEATS + 1):
        coverage, gain = cover(size), cover(size + 1) - cover(size)
        if math.isfinite(coverage) and not gain >= LEAST_GAIN:
            break
    low, high, inclusion, groups = math.nan, math.nan, np.full(len(ids), np.nan), []
    if math.isfinite(coverage):
        drawn = np.empty((0, *values.shape))
        if draws is not None and len(draws):
            drawn = np.nan_to_num(draws[..., offers.columns.isin(needs)]) * share
            inclusion = _count_inclusion(drawn, rows, size, prefer=rank)
            rank = inclusion + rank / 100
        optima = task.list_optima(size, coverage, rank[pool])
        groups = [np.sort(pool[group]) for group in itertools.islice(optima, limit + 1)]
        if len(drawn) and len(groups[0]):
            reached = drawn[:, groups[0]].max(axis=1).sum(axis=1)
            low, high = np.quantile(reached, [0.05, 0.95]).tolist()
    listed = [(g, ids[i]) for g, group in enumerate(groups[:limit]) for i in group]
    found = pd.DataFrame(listed, columns=["group", "actor_id"]).astype({"group": int})
    times = found["actor_id"].value_counts().reindex(ids, fill_value=0).to_numpy()
    members = pd.DataFrame(
        {"actor_id": ids, "in_groups": times / max(len(groups[:limit]), 1), "inclusion": inclusion}
    ).sort_values(["in_groups", "inclusion"], ascending=False)
    row = {
        "seats": len(groups[0]) if groups else 0, "coverage": coverage, "low": low, "high": high,
        "gain": gain, "complete": len(groups) <= limit, "n_groups": len(groups[:limit]),
        "conflicts": "" if groups or not len(ids) else ";".join(task.explain(seats or MOST_SEATS)),
    }  # fmt: skip
    covered, who = _find_best(offers[needs].iloc[groups[0] if groups else []])
    served = pd.DataFrame({"covered": covered, "actor_id": who}).rename_axis("need")
    return {
        "coalitions": pd.DataFrame([row]),
        "coalition_groups": found,
        "coalition_members": members.query("in_groups > 0 or inclusion > 0"),
        "needs": served.reset_index(),
    }


def suggest_groups(
    answers: Answers,
    suggested: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    challenges: pd.DataFrame,
    constraints: pd.DataFrame,
    kinds: pd.DataFrame,
) -> dict[str, pd.DataFrame]:
    """Suggest a group for each challenge and the local group over all of them, as tables.

    A group has a voice of users and an innovator, and is made of those who can contribute and
    those who must. The local group is made of those who can contribute to every challenge; each
    challenge weighs the same in it. Tables are as `suggest_partners` takes and returns them (kinds
    with innovator as well); those returned are as of `suggest_coalitions`, with challenge_id (""
    is the local group) first, and empty where nobody was asked for resources. The needs say as well
    who offers most: most (0-1, missing if nobody was asked) and nearest, of those whom the group is
    made from or, where none of these reaches `STRONG`, of anybody listed; and in hindrance what
    then keeps the nearest out, for the local group on any challenge: "never" (barred), "against",
    "unknown" (too little is known), "" if nothing does.
    """
    kind, roles = actors["kind"], actors["roles"].fillna("")
    flags = {
        "users_voice": kind.map(kinds["user_side"]).eq("yes") | roles.str.contains("users_voice"),
        "innovator": kind.map(kinds["innovator"]).eq("yes"),
    }
    traits = pd.DataFrame(flags).set_axis(pd.Index(actors["actor_id"]))
    needs, able = read_needs(challenges), suggested[suggested["list"] == "contribute"]
    against = suggested[suggested["reasons"].str.contains("against")].assign(rule="against")
    out = pd.concat([constraints[constraints["rule"] == "never"], against])
    out = pd.concat([out, out.assign(challenge_id="")])
    if len(needs) > 1:
        everywhere = able.groupby("actor_id")["challenge_id"].transform("size") == len(needs)
        local = able[everywhere].drop_duplicates("actor_id").assign(challenge_id="", score=np.nan)
        able = pd.concat([able, local])
        apart = constraints[constraints["rule"] == "not_with"].assign(challenge_id="")
        constraints = pd.concat([constraints, apart])
        needs.loc[""] = needs.div(needs.sum(axis=1).replace(0, 1), axis=0).sum()
    means, drawn = answers.take(OFFERS)
    offers = pd.DataFrame(means, answers.means.index, OFFERS)
    nothing = suggest_coalitions(offers[:0], {})
    nothing["needs"] = nothing["needs"].assign(most=math.nan, nearest="", hindrance="")
    tables = {name: [table[:0].assign(challenge_id="")] for name, table in nothing.items()}
    asked = needs[needs.any(axis=1)] if np.isfinite(means).any() else needs[:0]
    for code, need in asked.iterrows():
        mine = able[able["challenge_id"] == code].set_index("actor_id")["score"].astype(float)
        rules = constraints[constraints["challenge_id"] == code]
        alone = rules["rule"] != "not_with"
        here = offers.index.isin([*mine.index, *rules.loc[rules["rule"] == "must", "actor_id"]])
        named = rules[["actor_id", "other_id"]].isin(offers.index[here])
        found = suggest_coalitions(
            offers[here], dict(zip(OFFERS, need, strict=True)), traits=traits, prefer=mine,
            constraints=rules[named["actor_id"] & (named["other_id"] | alone)],
            minima=dict.fromkeys(flags, 1), draws=drawn[:, here],
        )  # fmt: skip
        kept_out = out[out["challenge_id"] == code].drop_duplicates("actor_id")
        found["needs"] = _add_nearest(
            found["needs"], offers, here=here, out=kept_out.set_index("actor_id")["rule"]
        )
        for name, table in found.items():
            tables[name].append(table.assign(challenge_id=str(code)))
    return {
        name: pd.concat(parts).set_index("challenge_id").reset_index()
        for name, parts in tables.items()
    }


@dataclass(frozen=True)
class _Task:
    """Weighted offers (actors, needs) and the conditions on a group, for the solver."""

    offers: Values
    rows: Mapping[str, Condition]

    def solve(
        self, seats: int, *, least: float | None = None, prefer: Values | float = 0,
        cuts: Sequence[Rows] = (), without: str = "",
    ) -> Rows | None:  # fmt: skip
        """Return the best group of at most `seats`, or the smallest that covers `least`."""
        n, (actor, need) = len(self.offers), np.nonzero(self.offers)
        if not n:
            return None
        m, gives = len(actor), self.offers[actor, need]
        serve, once = actor[:, None] == np.arange(n), np.arange(self.offers.shape[1])[:, None]
        held = [row for name, row in self.rows.items() if name != without]
        held.append((np.ones(n), -math.inf, seats))
        held += [
            (np.isin(np.arange(n), cut).astype(float), -math.inf, len(cut) - 1.0) for cut in cuts
        ]
        conditions = [
            LinearConstraint(np.hstack([-1.0 * serve, np.eye(m)]), -math.inf, 0),
            LinearConstraint(np.hstack([np.zeros((len(once), n)), once == need]), -math.inf, 1),
            *(LinearConstraint(np.r_[a, np.zeros(m)], low, high) for a, low, high in held),
        ]
        aim = np.r_[np.zeros(n), -gives]
        if least is not None:
            conditions.append(LinearConstraint(-aim, least - SURE, math.inf))
            aim = np.r_[np.ones(n) - 1e-3 * prefer, np.zeros(m)]
        done = milp(
            aim, bounds=Bounds(0, 1), integrality=np.r_[np.ones(n), np.zeros(m)],
            constraints=conditions, options={"mip_rel_gap": 0},
        )  # fmt: skip
        return None if done.x is None else np.flatnonzero(done.x[:n] > 0.5)

    def list_optima(self, seats: int, coverage: float, prefer: Values) -> Iterator[Rows]:
        """Yield the smallest groups that cover as much, the preferred first (no-good cuts)."""
        cuts: list[Rows] = []
        while True:
            group = self.solve(seats, least=coverage, prefer=prefer, cuts=cuts)
            if group is None or (cuts and len(group) > len(cuts[0])):
                return
            cuts.append(group)
            yield group

    def explain(self, seats: int) -> tuple[str, ...]:
        alone = [name for name in self.rows if self.solve(seats, without=name) is not None]
        return tuple(alone or self.rows)


def _read_rows(
    ids: pd.Index,
    constraints: pd.DataFrame | None,
    traits: pd.DataFrame | None,
    minima: Mapping[str, int],
) -> dict[str, Condition]:
    """Write what a group must satisfy as sums over its members, each under a name."""
    rules = pd.DataFrame() if constraints is None else constraints.astype(object)
    rules = rules.reindex(columns=["rule", "actor_id", "other_id"])
    named = pd.unique(rules[["actor_id", "other_id"]].to_numpy().ravel())
    unknown = [str(name) for name in named if not pd.isna(name) and name not in ids]
    if unknown:
        raise UsageError(f"constraints name actors that are not listed: {', '.join(unknown)}")
    rows: dict[str, Condition] = {}
    for trait, least in minima.items():
        if traits is None or trait not in traits:
            raise UsageError(f"no trait {trait!r} to ask for; give it as a column of traits")
        has = traits[trait].reindex(ids, fill_value=False).to_numpy(dtype=float)
        rows[f"minimum:{trait}"] = (has, least, math.inf)
    for rule, actor_id, other_id in rules.itertuples(index=False):
        who = [actor_id, other_id] if rule == "not_with" else [actor_id]
        ends = {"must": (1, 1), "never": (0, 0), "not_with": (-math.inf, 1)}[rule]
        rows[":".join([rule, *who])] = (ids.isin(who).astype(float), *ends)
    return rows


def _pick(rows: Mapping[str, Condition], pool: Rows) -> dict[str, Condition]:
    return {name: (a[pool], low, high) for name, (a, low, high) in rows.items()}


def _find_candidates(
    values: Values, rows: Mapping[str, Condition], *, prefer: Values, equal: bool = True
) -> Rows:
    """Find the actors of whom every best group can be made; without `equal` ones, a best group.

    In a best group each member serves some needs and brings some traits that are asked for; nobody
    else with these traits serves these needs better, or the group could be bettered. Those whom a
    constraint names stay as well (all have a cost); for members that serve no need, the preferred.
    """
    minima = [row for name, row in rows.items() if name.startswith("minimum")]
    others = [a > 0 for name, (a, *_) in rows.items() if not name.startswith("minimum")]
    kept = np.any([*others, np.full(len(values), values.shape[1] > WIDE)], axis=0)
    most = max([1, *(int(least) for _, least, _ in minima)])
    subsets = np.array(list(itertools.product((0, 1), repeat=values.shape[1])), float)
    order = np.lexsort((-np.arange(len(prefer)), prefer)).argsort() / max(len(prefer), 1)
    weight = np.where(subsets.any(axis=1), 0 if equal else SURE, 1)  # of the order, nobody equal
    sums = values @ subsets.T + weight * order[:, None]
    free = np.flatnonzero(~kept)
    for chosen in itertools.product((False, True), repeat=len(minima)):
        held = [a[free] > 0 for a, *_ in itertools.compress(minima, chosen)]
        who = free[np.all([*held, free >= 0], axis=0)]
        if len(who):
            least = np.partition(sums[who], -min(most, len(who)), axis=0)[-min(most, len(who))]
            kept[who] |= (sums[who] >= least - SURE * equal).any(axis=1)
    return np.flatnonzero(kept)


def _count_inclusion(
    drawn: Values, rows: Mapping[str, Condition], seats: int, *, prefer: Values
) -> Values:
    """Count the share of draws in whose best group each actor is."""
    inside = np.zeros(drawn.shape[1])
    for values in drawn:
        for equal in (True, False):
            pool = _find_candidates(values, rows, prefer=prefer, equal=equal)
            few = math.comb(len(pool), seats) <= MANY
            if few:
                break
        task = _Task(values[pool], _pick(rows, pool))
        best = _try_all(task, seats) if few else task.solve(seats)
        inside[pool[[] if best is None else best]] += 1
    return inside / len(drawn)


def _try_all(task: _Task, seats: int) -> Rows | None:
    """Try every group of at most `seats`; what the solver finds, faster where there are few."""
    best, reached = None, -1.0
    for size in range(1, min(seats, len(task.offers)) + 1):
        groups = _list_groups(len(task.offers), size)
        held = np.ones(len(groups), bool)
        for a, low, high in task.rows.values():
            total = a[groups].sum(axis=1)
            held &= (total >= low) & (total <= high)
        covered = np.where(held, task.offers[groups].max(axis=1).sum(axis=1), -1)
        if covered.max(initial=-1) > reached + SURE:
            best, reached = groups[covered.argmax()], covered.max()
    return best


@cache
def _list_groups(n: int, size: int) -> Rows:
    return np.array(list(itertools.combinations(range(n), size)), dtype=np.intp)


def _add_nearest(
    needs: pd.DataFrame, offers: pd.DataFrame, *, here: Flags, out: pd.Series
) -> pd.DataFrame:
    """Add who offers most of each need, of those `here` if enough, and what keeps who is out."""
    offers = offers[needs["need"]]
    (most, nearest), (every, anybody) = map(
        _find_best, (offers[here], pd.concat([offers[here], offers[~here]]))
    )
    enough = most >= STRONG
    nearest = nearest.where(enough, anybody)
    free = {"", *offers.index[here]}
    hindrance = ["" if who in free else str(out.get(who, "unknown")) for who in nearest]
    found = {"most": most.where(enough, every), "nearest": nearest, "hindrance": hindrance}
    return needs.join(pd.DataFrame(found, offers.columns), on="need")


def _find_best(offers: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Find what is offered at most of each need (missing if nobody was asked), and by whom."""
    known = offers.loc[:, offers.notna().any()]
    who = known.idxmax() if len(known) else pd.Series(dtype=object)
    return known.max().reindex(offers.columns), who.reindex(offers.columns).fillna("")
