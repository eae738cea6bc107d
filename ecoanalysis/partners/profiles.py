"""The profile of four of each actor on each challenge, and the two lists that come of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis import ratings as panel
from ecoanalysis.ratings.voices import gather_voices

Values = npt.NDArray[np.float64]

PARTS: Final = ("concern", "match", "readiness", "lever")
RESOURCES: Final = ("financial", "technical", "human", "data", "ideas")
READINESS: Final = ("familiarity", "appetite")
STRONG: Final = 0.6
"""From this share of its scale on, a part is given as a reason."""
LEVERS: Final = ("lever_visibility", "lever_partnership", "lever_pilot")
AFFECTED: Final = 0.8
"""From this rating of concern on (4 of 5), who does not support a challenge is affected by it."""
COLUMNS: Final = [
    "challenge_id", "list", "actor_id", "rank", "score", "low", "high", "coverage", "p_first",
    *PARTS, "product_rank", "minimum_rank", "reasons", "resource", "best_lever", "gain", "position",
]  # fmt: skip


@dataclass(frozen=True)
class Answers:
    """What was said of the actors, 0-1 on each declared scale and favourable upwards.

    Attributes
    ----------
    means : pandas.DataFrame
        Indexed by actor_id; one column a criterion, those asked on a challenge as
        `criterion:challenge_id`, positions as `position:challenge_id`. Missing if not asked.
    draws : numpy.ndarray
        (draws, actors, columns) of `means`; no draw where the panel gives no interval.
    """

    means: pd.DataFrame
    draws: Values

    def take(self, columns: list[str]) -> tuple[Values, Values]:
        """Return means (actors, columns) and draws of them; missing where nobody was asked."""
        at, values = self.means.columns.get_indexer(pd.Index(columns)), self.means.to_numpy(float)
        if not values.shape[1]:
            return np.full((len(values), len(at)), np.nan), np.full(
                (0, len(values), len(at)), np.nan
            )
        points, drawn = values[:, at], self.draws[..., at]
        points[:, at < 0], drawn[..., at < 0] = np.nan, np.nan
        return points, drawn


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

    Parameters
    ----------
    means : pandas.DataFrame
        Mean ratings in general, indexed by actor_id: one column a criterion, in its own scale.
    draws : numpy.ndarray
        (draws, actors, criteria) of `means`, in the same scales and order.
    ratings, raters, criteria : pandas.DataFrame
        One territory's; of the ratings, those on one challenge are added, each challenge a
        criterion of its own. What raters say of their own organisation is left out.
    positions : pandas.DataFrame
        actor_id, challenge_id, rater_id, value (-4 to 4); one's own position counts.

    Returns
    -------
    Answers
        Draws on challenges come from a fit of their own (`ratings.fit_panel`); where it gives no
        interval they repeat the mean. No draws where the general ones are missing.
    """
    said = positions.assign(
        criterion="position", rater_id="position:" + positions["rater_id"].astype(str)
    )
    columns = ["actor_id", "rater_id", "criterion", "challenge_id", "value"]
    rows = pd.concat([t.reindex(columns=columns).astype(object) for t in (ratings, said)])
    asked = rows["criterion"].map(criteria["per_challenge"]).eq("yes")
    rows = rows[(asked | rows["criterion"].eq("position")) & rows["challenge_id"].notna()]
    scales = criteria[["scale_min", "scale_max", "direction"]].astype(float)
    scales.loc["position"] = [-4.0, 4.0, 1.0]
    rows = rows.assign(code=rows["criterion"] + ":" + rows["challenge_id"])
    asked_of = rows.drop_duplicates("code").set_index("code")["criterion"]
    table = pd.concat([scales.loc[means.columns], scales.loc[asked_of].set_axis(asked_of.index)])
    rows = rows.assign(criterion=rows["code"], challenge_id=None)
    own = table.loc[asked_of.index].assign(per_challenge="no")
    people = {"actor_id": pd.Series(means.index)}
    fit = panel.fit_panel(rows, raters=raters, criteria=own, actors=pd.DataFrame(people))
    voices = gather_voices(rows, raters=raters, criteria=own)
    voices = voices[~voices["own"]].astype({"value": float})
    wide = voices.pivot_table(index="actor_id", columns="criterion", values="value")
    everything = means.join(wide.reindex(index=means.index, columns=fit.criteria))
    n = len(draws) if np.isfinite(draws).any() else 0
    specific = panel.draw_actor_effects(fit, draws=n)
    drawn = np.concatenate([draws[:n], specific], axis=2)
    scale = table.loc[everything.columns]
    low, high = (scale[end].to_numpy() for end in ("scale_min", "scale_max"))
    low, high = np.where(scale["direction"] > 0, (low, high), (high, low))
    points = (everything.to_numpy(dtype=float) - low) / (high - low)
    shares = np.clip((drawn - low) / (high - low), 0, 1)
    shares = np.where(np.isnan(shares), points, shares)
    return Answers(pd.DataFrame(points, everything.index, everything.columns), shares)


def suggest_partners(
    answers: Answers,
    *,
    actors: pd.DataFrame,
    challenges: pd.DataFrame,
    constraints: pd.DataFrame,
    kinds: pd.DataFrame,
    weights: Mapping[str, float] | None = None,
    first: int = 5,
    minimum_coverage: float = 0.5,
) -> pd.DataFrame:
    """Suggest, for each challenge, who can contribute and who must be heard.

    The profile of four, each 0-1: concern (position, else the rating), resource match
    Σ need·resource / Σ need over what is known, readiness (mean of familiarity and appetite), lever
    (the strongest). Their weighted mean over the known parts gives the order; who is against, or
    barred by a constraint, is never a contributor. Who must be heard is not scored.

    Parameters
    ----------
    answers : Answers
        As `gather_answers` returns them.
    actors, challenges, constraints : pandas.DataFrame
        One territory's: actor_id, kind, roles; challenge_id, needs_*; the constraints table.
    kinds : pandas.DataFrame
        The codebook's, indexed by code: user_side.
    weights : mapping, optional
        Weight of each of `PARTS`; 1 unless given.
    first : int
        Length of the head of the list, for `p_first`.
    minimum_coverage : float
        Share (0-1) of the weights that must be known to be suggested.

    Returns
    -------
    pandas.DataFrame
        One row a challenge, list and actor:

        - challenge_id, list ("contribute" or "hear"), actor_id, rank (1 is first)
        - score (0-1), low, high (5 and 95 % of draws), coverage (0-1)
        - p_first : share of draws in which it is among the `first`; missing without draws
        - concern, match, readiness, lever : 0-1, missing if not asked
        - product_rank, minimum_rank : by the geometric mean, by the lowest of the known parts
        - reasons : `;` between codes: supports, concerned, brings, ready; must | against,
          speaks_for_users, affected
        - resource, best_lever, gain : criteria; "" if not asked
        - position : -4 to 4, mean; missing if nobody was asked
    """
    ids, weight = answers.means.index, np.array([(weights or {}).get(part, 1.0) for part in PARTS])
    register = actors.set_index("actor_id").loc[ids]
    users = register["kind"].map(kinds["user_side"]).eq("yes")
    speaks = (users | register["roles"].fillna("").str.contains("users_voice")).to_numpy()
    interests = answers.means.filter(like="interest_")
    levers = answers.means.reindex(columns=list(LEVERS))
    best = np.nan_to_num(levers.to_numpy(dtype=float), nan=-1).argmax(axis=1)[:, None]
    found = []
    for challenge in challenges.to_dict("records"):
        code = str(challenge["challenge_id"])
        need = read_needs(challenge)
        rules = constraints[constraints["challenge_id"] == code]
        barred, must = (
            ids.isin(rules.loc[rules["rule"] == rule, "actor_id"]) for rule in ("never", "must")
        )
        values, drawn = (
            np.concatenate([v[..., :9], np.take_along_axis(v[..., 9:], b, axis=-1)], axis=-1)
            for v, b in zip(answers.take(_name_columns(code)), (best, best[None]), strict=True)
        )  # the best lever by the means, in every draw: the best of noisy ones would look better
        parts, (position, concern) = _measure_parts(values, need=need), values[:, :2].T
        coverage = _measure_known(values, need=need) @ weight / weight.sum()
        against, score = position < 0.5, _average(parts, weight)
        held = np.isfinite(score) & (coverage >= minimum_coverage - 1e-9) & ~against & ~barred
        doubt = _measure_doubt(
            _average(_measure_parts(drawn, need=need), weight), held=held, first=first
        )
        offers = pd.DataFrame(values[:, 4:9] * np.sign(need), columns=list(RESOURCES))
        strong = {
            "supports": position >= (1 + STRONG) / 2,
            "concerned": np.isnan(position) & (concern >= STRONG),
            "brings": offers.max(axis=1).to_numpy() >= STRONG,
            "ready": parts[:, 2] >= STRONG,
            "must": must,
        }
        affected = (concern >= AFFECTED) & ~strong["supports"]
        said = {"against": against, "speaks_for_users": speaks, "affected": affected}
        table = pd.DataFrame(parts, columns=list(PARTS)).assign(
            challenge_id=code, actor_id=ids, position=8 * position - 4, against=against,
            **dict(zip(("low", "high", "p_first"), doubt, strict=True)),
            score=score, coverage=coverage, resource=_name_best(offers * need, "resource_"),
            best_lever=_name_best(levers), gain=_name_best(interests),
            product=_average(np.log(np.maximum(parts, 1e-9)), weight),
            least=np.fmin.reduce(parts, axis=1),
        )  # fmt: skip
        gives = table.assign(list="contribute", reasons=join_codes(strong))[held]
        gives = gives.sort_values(["score", "actor_id"], ascending=[False, True])
        orders = gives[["score", "product", "least"]].round(12).rank(ascending=False, method="min")
        gives[["rank", "product_rank", "minimum_rank"]] = orders
        hears = table[["challenge_id", "actor_id", "position", "against"]].assign(
            list="hear", reasons=join_codes(said), concern=concern
        )[np.any(list(said.values()), axis=0)]
        order = ["against", "concern", "actor_id"]
        hears = hears.sort_values(order, ascending=[False, False, True])
        found += [gives, hears.assign(rank=np.arange(1.0, len(hears) + 1))]
    found = [table.reindex(columns=COLUMNS) for table in found if len(table)]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=COLUMNS)


def read_needs(challenge: Mapping[Any, Any]) -> Values:
    """Return what a challenge needs (0-5) of each of `RESOURCES`; 0 where nothing is stated."""
    given = pd.Series({name: challenge.get(f"needs_{name}") for name in RESOURCES})
    return np.asarray(given.astype(float).fillna(0))


def _name_columns(challenge_id: str) -> list[str]:
    parts = [f"position:{challenge_id}", f"concern:{challenge_id}", *READINESS]
    return parts + [f"resource_{name}" for name in RESOURCES] + list(LEVERS)


def _measure_parts(values: Values, *, need: Values) -> Values:
    """Profile (…, actors, 4) from the columns of `_name_columns`, the best lever alone."""
    position, concern, ready, offers, lever = np.split(values, [1, 2, 4, 9], axis=-1)
    parts = [
        np.where(np.isnan(position), concern, position)[..., 0], _average(offers, need),
        _average(ready, np.ones(2)), lever[..., 0],
    ]  # fmt: skip
    return np.stack(parts, axis=-1)


def _average(values: Values, weight: Values) -> Values:
    """Weighted mean of what is known along the last axis."""
    known = np.isfinite(values) @ weight
    total: Values = np.nan_to_num(values) @ weight
    return np.asarray(total / np.where(known > 0, known, np.nan))


def _measure_known(values: Values, *, need: Values) -> Values:
    """How much of each part is known, (actors, 4), each 0-1."""
    held = np.isfinite(values).astype(float)
    whole = need.sum() or np.nan
    parts = [
        held[:, :2].max(axis=1), np.nan_to_num(held[:, 4:9] @ need / whole),
        held[:, 2:4].mean(axis=1), held[:, 9:].max(axis=1),
    ]  # fmt: skip
    return np.stack(parts, axis=1)


def _measure_doubt(drawn: Values, *, held: npt.NDArray[np.bool_], first: int) -> list[Values]:
    """Return 5 and 95 % of draws, and how often each is among the first of those held."""
    if not len(drawn):
        return [np.full(len(held), np.nan)] * 3
    places = np.where(held, drawn, -1).argsort(axis=1).argsort(axis=1)
    ends = np.quantile(drawn, [0.05, 0.95], axis=0)
    return [*ends, (places >= len(held) - first).mean(axis=0)]


def _name_best(values: pd.DataFrame, prefix: str = "") -> list[str]:
    """Name the column of each row's largest value; "" without a positive one."""
    table = values.fillna(0).to_numpy(dtype=float)
    names = np.array([*(f"{prefix}{name}" for name in values), ""])
    best = table.argmax(axis=1) if table.shape[1] else np.zeros(len(table), int)
    top = table.max(axis=1, initial=0)
    return list(names[np.where(top > 0, best, -1)])


def join_codes(flags: Mapping[str, npt.NDArray[np.bool_]]) -> list[str] | str:
    """Name, for each row, the flags that are true, `;` between them."""
    names = np.array(list(flags))
    rows = np.array(list(flags.values())).T
    return [";".join(names[row]) for row in rows] if len(names) else ""
