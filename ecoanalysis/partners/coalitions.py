"""Groups of partners: the best ones under seats, found by integer programming, all of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import Bounds, LinearConstraint, milp

from ecoanalysis.errors import UsageError
from ecoanalysis.partners.profiles import RESOURCES, Answers, read_needs

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]
Condition = tuple[Values, float, float]  # one number an actor; least and most of their sum

MOST_SEATS: Final = 8
LEAST_GAIN: Final = 0.05
SURE: Final = 1e-7
SMALL: Final = 60  # actors that the solver takes whole
HEAD: Final = 15  # of longer lists, how many of those who offer most of each need
WIDE: Final = 6  # needs of which all subsets are tried
MANY: Final = 20_000  # groups tried one by one in a draw


SUMMARY: Final = ["seats", "coverage", "low", "high", "gain", "complete"]
TABLES: Final = {
    "coalitions": ["challenge_id", *SUMMARY, "n_groups", "conflicts"],
    "coalition_groups": ["challenge_id", "group", "actor_id"],
    "coalition_members": ["challenge_id", "actor_id", "in_groups", "inclusion"],
    "needs": ["challenge_id", "need", "covered", "actor_id", "most", "nearest", "weight"],
}


@dataclass(frozen=True)
class Coalitions:
    """Groups that no other group of their size betters, as `suggest_coalitions` returns them.

    Attributes
    ----------
    groups : pandas.DataFrame
        group (0 is first by preference), actor_id.
    members : pandas.DataFrame
        actor_id, in_groups (0-1, share of the groups), inclusion (0-1, share of the draws whose
        best group holds it; missing without draws).
    needs : pandas.DataFrame
        need; covered (0-1) and actor_id: what the first group's best gives, and who; most,
        nearest: the same of anybody listed.
    seats : int
        Size of the groups; 0 if nothing is feasible.
    coverage, low, high : float
        0-1, Σ weight · best offer / Σ weight of the groups; of the first over draws (5, 95 %).
    gain : float
        0-1, what one seat more adds; missing where it cannot be.
    complete : bool
        Whether these are all the groups; False where the limit was reached.
    conflicts : tuple of str
        Without a feasible group: the conditions each of which, dropped alone, makes one feasible;
        all of them if none does.
    """

    groups: pd.DataFrame
    members: pd.DataFrame
    needs: pd.DataFrame
    seats: int
    coverage: float
    low: float
    high: float
    gain: float
    complete: bool
    conflicts: tuple[str, ...]


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
    limit: int = 20,
) -> Coalitions:
    """Suggest the groups that cover the needs best, each need being covered by its best member.

    Parameters
    ----------
    offers : pandas.DataFrame
        Indexed by actor_id, one column a need: 0-1; unknown offers cannot be counted on.
    weights : mapping
        Weight of each need; needs of weight 0 are left out.
    constraints : pandas.DataFrame, optional
        actor_id, rule (must, never, not_with), other_id.
    traits, minima : pandas.DataFrame, mapping, optional
        True or false by actor (users_voice, innovator, a helix …), and how many members must at
        least have each trait.
    seats : int, optional
        Most members. Unless given, the fewest (up to `MOST_SEATS`) after which one more adds less
        than `LEAST_GAIN`.
    costs, budget : mapping, float
        Cost of each actor (1 if not named), and what the group may cost.
    prefer : pandas.Series, optional
        0-1 by actor: the order in which equally good groups are listed.
    draws : numpy.ndarray, optional
        (draws, actors, needs) of `offers`.
    limit : int
        Most groups listed.

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
    pool = np.arange(len(ids))
    if len(ids) > SMALL and len(needs) <= WIDE and costs is None:
        pool = _find_candidates(values, rows, prefer=rank)
    task = _Task(values[pool], {k: (a[pool], low, high) for k, (a, low, high) in rows.items()})

    @cache
    def cover(size: int) -> float:
        best = task.solve(size)
        return math.nan if best is None else task.measure(best)

    for size in [seats] if seats else range(1, MOST_SEATS + 1):
        coverage, gain = cover(size), cover(size + 1) - cover(size)
        if math.isfinite(coverage) and not gain >= LEAST_GAIN:
            break
    low, high, included = math.nan, math.nan, np.full(len(ids), np.nan)
    drawn = np.empty((0, len(ids), len(needs)))
    if draws is not None and len(draws) and math.isfinite(coverage):
        drawn = np.nan_to_num(draws[..., offers.columns.isin(needs)]) * share
        included = _count_inclusion(drawn, rows, size, prefer=rank)
        rank = included + rank / 100
    optima = task.list_optima(size, coverage, rank[pool]) if math.isfinite(coverage) else iter(())
    groups = [np.sort(pool[group]) for group in itertools.islice(optima, limit + 1)]
    first = groups[0] if groups else np.array([], dtype=np.intp)
    if len(drawn) and len(first):
        low, high = np.quantile(drawn[:, first].max(axis=1).sum(axis=1), [0.05, 0.95])
    times = np.bincount(np.concatenate([*groups[:limit], []]).astype(int), minlength=len(ids))
    members = pd.DataFrame(
        {"actor_id": ids, "in_groups": times / max(len(groups[:limit]), 1), "inclusion": included}
    ).sort_values(["in_groups", "inclusion"], ascending=False)
    listed = [(g, ids[i]) for g, group in enumerate(groups[:limit]) for i in group]
    return Coalitions(
        groups=pd.DataFrame(listed, columns=["group", "actor_id"]),
        members=members[members["in_groups"].gt(0) | members["inclusion"].gt(0)],
        needs=_describe_needs(offers[needs], first),
        seats=len(first), coverage=coverage, low=float(low), high=float(high), gain=gain,
        complete=len(groups) <= limit,
        conflicts=() if groups else task.explain(seats or MOST_SEATS),
    )  # fmt: skip


def suggest_groups(
    answers: Answers,
    suggested: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    challenges: pd.DataFrame,
    constraints: pd.DataFrame,
    kinds: pd.DataFrame,
    draws: int = 100,
    limit: int = 10,
) -> dict[str, pd.DataFrame]:
    """Suggest a group for each challenge and the local group over all of them, as tables.

    A group has a voice of users and an innovator, and is made of those who can contribute and
    those who must; of more than `SMALL`, the `HEAD` who offer most of each need, and most of all
    among voices and innovators. The local group is made of those who can contribute to every
    challenge; each challenge weighs the same in it.

    Parameters
    ----------
    answers, suggested, actors, challenges, constraints, kinds
        As `suggest_partners` takes and returns them; kinds has user_side and innovator.
    draws, limit : int
        Draws behind the inclusion frequency; most groups listed.

    Returns
    -------
    dict of pandas.DataFrame
        By challenge_id ("" is the local group), columns as in `Coalitions`: coalitions (one row
        each: seats, coverage, low, high, gain, n_groups, complete, conflicts), coalition_groups,
        coalition_members, needs (with weight, 0-5). Empty where nobody was asked for resources.
    """
    kind, roles = actors["kind"], actors["roles"].fillna("")
    flags = {
        "users_voice": kind.map(kinds["user_side"]).eq("yes") | roles.str.contains("users_voice"),
        "innovator": kind.map(kinds["innovator"]).eq("yes"),
    }
    traits = pd.DataFrame(flags).set_axis(pd.Index(actors["actor_id"]))
    needs = {str(row["challenge_id"]): read_needs(row) for row in challenges.to_dict("records")}
    able = suggested[suggested["list"] == "contribute"]
    pools = {code: able.loc[able["challenge_id"] == code, "actor_id"] for code in needs}
    rules = {code: constraints[constraints["challenge_id"] == code] for code in needs}
    if len(needs) > 1:
        counts = able["actor_id"].value_counts()
        pools[""] = pd.Series(counts.index[counts == len(needs)])
        rules[""] = constraints[constraints["rule"] == "not_with"]
        needs[""] = sum((need / (need.sum() or 1) for need in needs.values()), np.zeros(5))
    columns = [f"resource_{name}" for name in RESOURCES]
    means, drawn = answers.take(columns)
    tables: dict[str, list[pd.DataFrame]] = {name: [] for name in TABLES}
    for code, need in needs.items():
        if not (np.isfinite(means).any() and need.any()):
            continue
        rule = rules[code]
        must = rule.loc[rule["rule"] == "must", "actor_id"]
        here = answers.means.index.isin([*pools[code], *must])
        if here.sum() > SMALL:
            total = np.nan_to_num(means) @ need
            voices = [np.where(traits[flag], total, -1) for flag in flags]
            known = np.where(here, np.nan_to_num([*means[:, need > 0].T, *voices], nan=-1), -2)
            top = known.argsort(axis=1)[:, -HEAD:]
            here &= np.isin(np.arange(len(here)), top) | answers.means.index.isin(must)
        offers = pd.DataFrame(means[here], answers.means.index[here], columns)
        named = rule[["actor_id", "other_id"]].isin(offers.index)
        both = named["actor_id"] & (named["other_id"] | (rule["rule"] == "must"))
        scores = able[able["challenge_id"] == code].set_index("actor_id")["score"].astype(float)
        found = suggest_coalitions(
            offers, dict(zip(columns, need, strict=True)), constraints=rule[both], traits=traits,
            minima=dict.fromkeys(flags, 1), prefer=scores, draws=drawn[:draws, here], limit=limit,
        )  # fmt: skip
        row = {name: getattr(found, name) for name in SUMMARY}
        row |= {"n_groups": found.groups["group"].nunique(), "conflicts": ";".join(found.conflicts)}
        weight = found.needs["need"].map(dict(zip(columns, need, strict=True)))
        parts = [
            pd.DataFrame([row]),
            found.groups,
            found.members,
            found.needs.assign(weight=weight),
        ]
        for name, table in zip(TABLES, parts, strict=True):
            tables[name].append(table.assign(challenge_id=code))
    return {
        name: pd.concat(tables[name])[heads] if tables[name] else pd.DataFrame(columns=heads)
        for name, heads in TABLES.items()
    }


@dataclass(frozen=True)
class _Task:
    """Weighted offers (actors, needs) and the conditions on a group, for the solver."""

    values: Values
    rows: Mapping[str, Condition]

    def measure(self, group: Rows) -> float:
        return float(self.values[group].max(axis=0, initial=0).sum())

    def solve(
        self, seats: int, *, least: float | None = None, prefer: Values | None = None,
        cuts: Sequence[Rows] = (), without: str = "",
    ) -> Rows | None:  # fmt: skip
        """Return the best group of at most `seats`, or the smallest that covers `least`."""
        n, (actor, need) = len(self.values), np.nonzero(self.values)
        m, gives = len(actor), self.values[actor, need]
        if not n:
            return None
        serve, once = np.zeros((m, n)), np.arange(self.values.shape[1])[:, None] == need
        serve[np.arange(m), actor] = 1
        lines: list[Condition] = [row for name, row in self.rows.items() if name != without]
        lines.append((np.ones(n), -math.inf, seats))
        lines += [
            (np.isin(np.arange(n), cut).astype(float), -math.inf, len(cut) - 1.0) for cut in cuts
        ]
        aim, none = np.r_[np.zeros(n), -gives], np.zeros((len(once), n))
        held = np.array([np.r_[a, np.zeros(m)] for a, _, _ in lines])
        low = np.r_[np.full(m + len(once), -math.inf), [least for _, least, _ in lines]]
        high = np.r_[np.zeros(m), np.ones(len(once)), [most for _, _, most in lines]]
        table = np.vstack([np.block([[-serve, np.eye(m)], [none, once]]), held])
        if least is not None and prefer is not None:
            table, low = np.vstack([table, -aim]), np.r_[low, least - SURE]
            high, aim = np.r_[high, math.inf], np.r_[1 - 1e-3 * prefer, np.zeros(m)]
        done = milp(
            aim, bounds=Bounds(0, 1), integrality=np.r_[np.ones(n), np.zeros(m)],
            constraints=LinearConstraint(table, low, high),
            options={"mip_rel_gap": 0},
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
    named = pd.unique(rules.reindex(columns=["actor_id", "other_id"]).to_numpy().ravel())
    unknown = [str(name) for name in named if not pd.isna(name) and name not in ids]
    if unknown:
        raise UsageError(f"constraints name actors that are not listed: {', '.join(unknown)}")
    rows: dict[str, Condition] = {}
    for trait, least in minima.items():
        if traits is None or trait not in traits:
            raise UsageError(f"no trait {trait!r} to ask for; give it as a column of traits")
        has = traits[trait].reindex(ids, fill_value=False).to_numpy(dtype=float)
        rows[f"minimum:{trait}"] = (has, least, math.inf)
    for row in rules.to_dict("records"):
        who = [row["actor_id"], row["other_id"]] if row["rule"] == "not_with" else [row["actor_id"]]
        ends = {"must": (1, 1), "never": (0, 0), "not_with": (-math.inf, 1)}[row["rule"]]
        rows[":".join([row["rule"], *who])] = (ids.isin(who).astype(float), *ends)
    return rows


def _find_candidates(values: Values, rows: Mapping[str, Condition], *, prefer: Values) -> Rows:
    """Find the actors of whom every best group can be made.

    In a best group each member serves some needs and brings some traits that are asked for; nobody
    else with these traits serves these needs better, or the group could be bettered. Those whom a
    constraint names stay as well; for members that serve no need, the preferred ones.
    """
    minima = {name: row for name, row in rows.items() if name.startswith("minimum")}
    kept = np.any([a > 0 for name, (a, *_) in rows.items() if name not in minima], axis=0)
    kept = np.zeros(len(values), bool) | kept
    most = max([1, *(int(low) for _, low, _ in minima.values())])
    subsets = np.array(list(itertools.product((0, 1), repeat=values.shape[1])), float)
    sums = values @ subsets.T + np.where(subsets.any(axis=1), 0, prefer[:, None])
    free = np.flatnonzero(~kept)
    for chosen in itertools.product((False, True), repeat=len(minima)):
        mask = [a[free] > 0 for a, *_ in itertools.compress(minima.values(), chosen)]
        who = free[np.all(mask, axis=0)] if mask else free
        if len(who):
            least = np.partition(sums[who], -min(most, len(who)), axis=0)[-min(most, len(who))]
            kept[who] |= (sums[who] >= least - SURE).any(axis=1)
    return np.flatnonzero(kept)


def _count_inclusion(
    drawn: Values, rows: Mapping[str, Condition], seats: int, *, prefer: Values
) -> Values:
    """Count the share of draws in whose best group each actor is."""
    inside = np.zeros(drawn.shape[1])
    for values in drawn:
        pool = np.arange(len(values))
        if len(pool) > seats and values.shape[1] <= WIDE and "budget" not in rows:
            pool = _find_candidates(values, rows, prefer=prefer)
        mine = {name: (a[pool], low, high) for name, (a, low, high) in rows.items()}
        if math.comb(len(pool), seats) > MANY:
            best = _Task(values[pool], mine).solve(seats)
        else:
            best = _try_all(values[pool], mine, seats)
        inside[pool[best]] += 0 if best is None else 1
    return inside / len(drawn)


def _try_all(values: Values, rows: Mapping[str, Condition], seats: int) -> Rows | None:
    """Try every group of at most `seats`; what the solver finds, faster where there are few."""
    best, reached = None, -1.0
    for size in range(1, min(seats, len(values)) + 1):
        groups = _list_groups(len(values), size)
        held = np.ones(len(groups), bool)
        for a, low, high in rows.values():
            total = a[groups].sum(axis=1)
            held &= (total >= low) & (total <= high)
        covered = np.where(held, values[groups].max(axis=1).sum(axis=1), -1)
        if covered.max(initial=-1) > reached + SURE:
            best, reached = groups[covered.argmax()], covered.max()
    return best


@cache
def _list_groups(n: int, size: int) -> Rows:
    return np.array(list(itertools.combinations(range(n), size)), dtype=np.intp)


def _describe_needs(offers: pd.DataFrame, group: Rows) -> pd.DataFrame:
    """Say of each need what the group's best and the list's best give, and who they are."""
    rows = []
    for need, column in offers.items():
        ends = [(part.max(), part.idxmax()) if part.notna().any() else (math.nan, "")
                for part in (column.iloc[group], column)]  # fmt: skip
        rows.append((need, *ends[0], *ends[1]))
    return pd.DataFrame(rows, columns=["need", "covered", "actor_id", "most", "nearest"])
