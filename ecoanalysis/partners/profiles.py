"""The profile of four of each actor on each challenge, and the two lists that come of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import compress
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis import ratings as panel
from ecoanalysis.codebook import READINESS
from ecoanalysis.ratings.voices import gather_voices

Values = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Rows = npt.NDArray[np.intp]

PARTS: Final = ("concern", "match", "readiness", "lever")
RESOURCES: Final = ("financial", "technical", "human", "data", "ideas")
OFFERS: Final = [f"resource_{name}" for name in RESOURCES]
LEVERS: Final = ["lever_visibility", "lever_partnership", "lever_pilot"]
STRENGTHS: Final = ("supports", "concerned", "brings", "ready", "must")
GROUNDS: Final = ("against", "speaks_for_users", "affected")
STRONG: Final = 0.6
"""From this share of its scale on, a part is given as a reason."""
AFFECTED: Final = 0.8
"""From this rating of concern on (4 of 5), who does not support a challenge is affected by it."""
COLUMNS: Final = [
    "challenge_id", "list", "actor_id", "rank", "score", "low", "high", "coverage", "p_first",
    *PARTS, "product_rank", "minimum_rank", "reasons", "resource", "best_lever", "gain", "position",
]  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What was said of the actors, 0-1 on each declared scale and favourable upwards.

    `means` is indexed by actor_id, one column a criterion (those asked on a challenge as
    `criterion:challenge_id`, positions as `position:challenge_id`), missing if not asked; `draws`
    are (draws, actors, columns) of it, no draw where the panel gives no interval.
    """

    means: pd.DataFrame
    draws: Values

    def take(self, columns: list[str]) -> tuple[Values, Values]:
        """Return means (actors, columns) and draws of them; missing where nobody was asked."""
        at = self.means.columns.get_indexer(pd.Index(columns))
        drawn = np.full((*self.draws.shape[:2], len(at)), np.nan)
        drawn[..., at >= 0] = self.draws[..., at[at >= 0]]
        return self.means.reindex(columns=columns).to_numpy(dtype=float), drawn


def gather_answers(
    means: pd.DataFrame,
    draws: Values,
    *,
    ratings: pd.DataFrame,
    raters: pd.DataFrame,
    positions: pd.DataFrame,
    criteria: pd.DataFrame,
) -> Answers:
    """Gather what was said in general and on each challenge, on one scale.

    `means` are those of ratings in general, indexed by actor_id, one column a criterion in its own
    scale, and `draws` (draws, actors, criteria) of them. To these are added the ratings on one
    challenge, each challenge a criterion of its own, without what raters say of their own
    organisation, and the positions (value -4 to 4), of which one's own counts. Draws on challenges
    come from a fit of their own (`ratings.fit_panel`); where it gives no interval they repeat the
    mean. There are no draws where the general ones are missing.
    """
    scale = {"scale_min": -4.0, "scale_max": 4.0, "direction": 1, "per_challenge": "yes"}
    scales = pd.concat([criteria[list(scale)], pd.DataFrame(scale, index=["position"])])
    said = positions.assign(
        criterion="position", rater_id="position:" + positions["rater_id"].astype(str)
    )
    columns = ["actor_id", "rater_id", "criterion", "challenge_id", "value"]
    rows = pd.concat([t.reindex(columns=columns).astype(object) for t in (ratings, said)])
    asked = rows["criterion"].map(scales["per_challenge"]).eq("yes")
    rows = rows[asked & rows["challenge_id"].notna()]
    codes = (rows["criterion"] + ":" + rows["challenge_id"]).rename("code")
    asked_of = rows["criterion"].groupby(codes, sort=False).first()
    rows = rows.assign(criterion=codes, challenge_id=None)
    own = scales.loc[asked_of].set_axis(asked_of.index).assign(per_challenge="no")
    people = pd.DataFrame({"actor_id": means.index})
    fit = panel.fit_panel(rows, raters=raters, criteria=own, actors=people)
    voices = gather_voices(rows, raters=raters)
    wide = voices[~voices["own"]].pivot_table("value", "actor_id", "criterion")
    everything = means.join(wide.reindex(means.index, columns=fit.criteria))
    n = len(draws) if np.isfinite(draws).any() else 0
    drawn = np.concatenate([draws[:n], panel.draw_actor_effects(fit, draws=n)], axis=2)
    ends = pd.concat([scales, own]).loc[everything.columns]
    low, high = (ends[end].to_numpy(dtype=float) for end in ("scale_min", "scale_max"))
    low, high = np.where(ends["direction"] > 0, (low, high), (high, low))
    points = (everything - low) / (high - low)
    shares = np.clip((drawn - low) / (high - low), 0, 1)
    return Answers(points, np.where(np.isnan(shares), points, shares))


def suggest_partners(
    answers: Answers,
    *,
    actors: pd.DataFrame,
    challenges: pd.DataFrame,
    constraints: pd.DataFrame,
    kinds: pd.DataFrame,
    first: int = 5,
    minimum_coverage: float = 0.5,
) -> pd.DataFrame:
    """Suggest, for each challenge, who can contribute and who must be heard.

    The profile of four, each 0-1: concern (position, else the rating), resource match
    Σ need·resource / Σ need over what is known, readiness (mean of familiarity and appetite), lever
    (the strongest). Their mean over what is known of them gives the order; who is against, or
    barred by a constraint, is never a contributor. Who must be heard is not scored.

    Of the parts `minimum_coverage` (0-1) must be known to be suggested; `first` is the length of
    the head of the list, for `p_first`; `kinds` are those of the codebook, and the other tables
    those of one territory.

    Returns
    -------
    pandas.DataFrame
        One row a challenge, list and actor:

        - challenge_id, list ("contribute" or "hear"), actor_id, rank (1 is first)
        - score (0-1), low, high (5 and 95 % of draws), coverage (0-1)
        - p_first : share of draws in which it is among the `first`; missing without draws
        - concern, match, readiness, lever : 0-1, missing if not asked
        - product_rank, minimum_rank : by the geometric mean, by the lowest of the known parts
        - reasons : `;` between `STRENGTHS` or `GROUNDS`
        - resource, best_lever, gain : criteria, of the offers from `STRONG` on the most needed;
          "" if there is none
        - position : -4 to 4, mean; missing if nobody was asked
    """
    ids, even = answers.means.index, np.ones(len(PARTS))
    register = actors.set_index("actor_id").loc[ids]
    users = register["kind"].map(kinds["user_side"]).eq("yes")
    users |= register["roles"].fillna("").str.contains("users_voice")
    levers = answers.means.reindex(columns=LEVERS)
    best = np.nan_to_num(levers, nan=-1).argmax(axis=1)[:, None]
    same: dict[str, Any] = {
        "actor_id": ids,
        "best_lever": _name_best(levers),
        "gain": _name_best(answers.means.filter(like="interest_")),
    }
    found = []
    for code, need in read_needs(challenges).iterrows():
        rules = constraints[constraints["challenge_id"] == code].groupby("rule")["actor_id"]
        barred, must = (ids.isin([*rules.get_group(rule)] if rule in rules.groups else [])
                        for rule in ("never", "must"))  # fmt: skip
        columns = [f"position:{code}", f"concern:{code}", *READINESS, *OFFERS, *LEVERS]
        values, drawn = (
            np.concatenate([v[..., :9], np.take_along_axis(v[..., 9:], b, axis=-1)], axis=-1)
            for v, b in zip(answers.take(columns), (best, best[None]), strict=True)
        )  # the best lever by the means, in every draw: the best of noisy ones would look better
        parts, known = _measure_parts(values, need=need.to_numpy())
        score, coverage = _average(parts, even)[0], known.mean(axis=-1)
        position, concern = values[:, :2].T
        against = position < 0.5
        held = np.isfinite(score) & (coverage >= minimum_coverage - 1e-9) & ~against & ~barred
        scores = _average(_measure_parts(drawn, need=need.to_numpy())[0], even)[0]
        offers = pd.DataFrame(values[:, 4:9] * need.to_numpy(), columns=OFFERS)
        supports = position >= (1 + STRONG) / 2
        concerned = np.isnan(position) & (concern >= STRONG)
        ready = (parts[:, 2] >= STRONG) & (values[:, 2:4] >= 0.5).all(axis=1)
        brings = (values[:, 4:9][:, need > 0] >= STRONG).any(axis=1)
        strong = np.stack([supports, concerned, brings, ready, must], axis=1)
        said = np.stack([against, users, (concern >= AFFECTED) & ~supports], axis=1)
        table = pd.DataFrame(parts, columns=list(PARTS)).assign(
            challenge_id=str(code), position=8 * position - 4, against=against, **same,
            **_measure_doubt(scores, held=held, first=first), score=score, coverage=coverage,
            resource=_name_best(offers.where(values[:, 4:9] >= STRONG)),
            product=_average(np.log(np.maximum(parts, 1e-9)), even)[0],
            least=np.fmin.reduce(parts, axis=1),
        )  # fmt: skip
        gives = table.assign(list="contribute", reasons=join_codes(strong, STRENGTHS))[held]
        gives = gives.sort_values(["score", "actor_id"], ascending=[False, True])
        orders = gives[["score", "product", "least"]].round(12).rank(ascending=False, method="min")
        gives[["rank", "product_rank", "minimum_rank"]] = orders
        hears = table.reindex(columns=["challenge_id", "actor_id", "position", "against"])
        hears = hears.assign(list="hear", reasons=join_codes(said, GROUNDS), concern=concern)
        order = ["against", "concern", "actor_id"]
        hears = hears.iloc[np.flatnonzero(said.any(axis=1))].sort_values(
            order, ascending=[False, False, True]
        )
        found += [gives, hears.assign(rank=np.arange(1.0, len(hears) + 1))]
    found = [table.reindex(columns=COLUMNS) for table in found if len(table)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


def read_needs(challenges: pd.DataFrame) -> pd.DataFrame:
    """Return by challenge_id what each needs (0-5) of each of `OFFERS`; 0 if nothing is stated."""
    given = challenges.set_index("challenge_id").reindex(columns=[f"needs_{n}" for n in RESOURCES])
    return given.set_axis(pd.Index(OFFERS), axis=1).astype(float).fillna(0)


def join_codes(flags: Flags, names: Iterable[str]) -> pd.Series:
    """Name, for each row, the columns that are true, `;` between them."""
    names = list(names)
    return pd.Series([";".join(compress(names, row)) for row in flags], dtype="str")


def _measure_parts(values: Values, *, need: Values) -> tuple[Values, Values]:
    """Profile (…, actors, 4), and how much of each is known, 0-1.

    The values are position, concern, readiness (2), resources (5) and the best lever.
    """
    position, concern, ready, offers, lever = np.split(values, [1, 2, 4, 9], axis=-1)
    held = np.where(np.isnan(position), concern, position)
    one, two = np.ones(1), np.ones(2)
    parts = [_average(v, w) for v, w in ((held, one), (offers, need), (ready, two), (lever, one))]
    means, known = (np.stack(part, axis=-1) for part in zip(*parts, strict=True))
    return means, known


def _average(values: Values, weight: Values) -> tuple[Values, Values]:
    """Weighted mean of what is known along the last axis, and the share of the weights known."""
    known = np.isfinite(values) @ weight
    mean = np.nan_to_num(values) @ weight / np.where(known > 0, known, np.nan)
    return mean, known / (weight.sum() or 1)


def _measure_doubt(drawn: Values, *, held: Flags, first: int) -> dict[str, Values | float]:
    """Return 5 and 95 % of draws, and how often each is among the first of those held."""
    if not len(drawn):
        return dict.fromkeys(("low", "high", "p_first"), np.nan)
    places = np.where(held, drawn, -1).argsort(axis=1).argsort(axis=1)
    low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    return {"low": low, "high": high, "p_first": (places >= len(held) - first).mean(axis=0)}


def _name_best(values: pd.DataFrame) -> list[str]:
    """Name the column of each row's largest value; "" without a positive one."""
    table = values.fillna(0).astype(float)
    table.insert(0, "", 0.0)
    return table.idxmax(axis=1).astype("str").to_list()
