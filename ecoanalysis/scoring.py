"""Scores from ratings: average, put on one scale, add up; missing stays missing.

The criteria table (code, dimension, weight, direction, scale) is the method: OECD/JRC (2008),
*Handbook on Constructing Composite Indicators*. Scores lie on 0-100 between the declared ends of
the scale (goalposts), so that they mean the same in every territory. Beside each stands its
coverage and the range it would have if the missing answers were the lowest or the highest. The
kernels take arrays whose last axis is the criterion, so (actors, criteria) as well as
(draws, actors, criteria).
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from ecoanalysis.errors import UsageError

Values = npt.NDArray[np.float64]
NormaliseMethod = Literal["goalposts"]
AggregateMethod = Literal["arithmetic"]

TOLERANCE = 1e-9
UNSCORED = "desk"
SCORE_COLUMNS = (
    "actor_id",
    "dimension",
    "score",
    "coverage",
    "range_low",
    "range_high",
    "n_raters",
)


def normalise(
    values: pd.DataFrame, *, scales: pd.DataFrame, method: NormaliseMethod = "goalposts"
) -> pd.DataFrame:
    """Put criteria of different scales on 0-100, 100 being the favourable end.

    Parameters
    ----------
    values : pandas.DataFrame
        One row an actor, one column a criterion; missing where nothing is known.
    scales : pandas.DataFrame
        Indexed by criterion: scale_min, scale_max, direction (1, or -1 where less is better).
    method : str
        "goalposts": 100 (x - min) / (max - min) with the declared ends of the scale (OECD/JRC
        2008, §5), turned round where direction is -1. It does not depend on the other actors.

    Returns
    -------
    pandas.DataFrame
        Same rows and columns, 0-100, missing where `values` is. A column of equal values is as
        good as any other here, since the scale is declared and not observed.

    Raises
    ------
    UsageError
        If the method is unknown, a criterion has no usable scale or a value lies outside it.

    Examples
    --------
    >>> scales = pd.DataFrame(
    ...     {"scale_min": 0, "scale_max": 5, "direction": [1, -1]}, index=["appetite", "cost"]
    ... )
    >>> normalise(pd.DataFrame({"appetite": [4.0], "cost": [4.0]}), scales=scales)
       appetite  cost
    0      80.0  20.0
    """
    _check_method(method, allowed=get_args(NormaliseMethod))
    known = scales.reindex(values.columns)
    low, high, direction = (
        known[column].to_numpy(dtype=float) for column in ("scale_min", "scale_max", "direction")
    )
    usable = np.isfinite(low) & np.isfinite(high) & (high > low) & np.isin(direction, (1, -1))
    _refuse(~usable, names=values.columns, fault="criteria without a usable scale or direction")
    array = values.to_numpy(dtype=float)
    outside = ((array < low - TOLERANCE) | (array > high + TOLERANCE)).any(axis=0)
    _refuse(np.atleast_1d(outside), names=values.columns, fault="values outside the scale of")
    scaled = _rescale(array, low=low, high=high, direction=direction)
    return pd.DataFrame(scaled, index=values.index, columns=values.columns)


def aggregate(
    values: pd.DataFrame, *, weights: pd.Series, method: AggregateMethod = "arithmetic"
) -> pd.Series:
    """Add criteria up to one value a row.

    Parameters
    ----------
    values : pandas.DataFrame
        One row an actor, one column a criterion, all on one scale.
    weights : pandas.Series
        Indexed by criterion, none negative, not all zero; only their ratios matter.
    method : str
        "arithmetic": mean of the known values weighted with the weights of the known (OECD/JRC
        2008, §6). Low values are made up for by high ones.

    Returns
    -------
    pandas.Series
        Named "score", in the scale of `values`; missing where no criterion of positive weight is
        known.

    Raises
    ------
    UsageError
        If the method is unknown, or weights are missing, negative, or sum to 0.

    Examples
    --------
    >>> values = pd.DataFrame({"familiarity": [20.0, 60.0], "appetite": [80.0, np.nan]})
    >>> aggregate(values, weights=pd.Series({"familiarity": 1, "appetite": 2})).to_list()
    [60.0, 60.0]
    """
    _check_method(method, allowed=get_args(AggregateMethod))
    weight = _read_weights(weights, criteria=values.columns)
    score = _weigh(values.to_numpy(dtype=float), weight=weight)
    return pd.Series(score, index=values.index, name="score")


def average_ratings(
    ratings: pd.DataFrame, *, raters: pd.DataFrame, criteria: pd.DataFrame
) -> pd.DataFrame:
    """Average what the raters said of each actor, criterion by criterion.

    Raters have one voice each. What a rater says of the own organisation is kept apart. Answers
    on one challenge (criteria that are asked per challenge) do not enter a general average.

    Parameters
    ----------
    ratings : pandas.DataFrame
        One territory's: actor_id, rater_id, criterion, value (missing if not known); optionally
        dont_know (bool) and challenge_id.
    raters : pandas.DataFrame
        The same territory's: rater_id, actor_id (own organisation; may be missing).
    criteria : pandas.DataFrame
        Indexed by code; per_challenge (yes, no).

    Returns
    -------
    pandas.DataFrame
        One row an actor and criterion on which anybody was asked, in the order of first mention:

        - actor_id, criterion
        - mean : in the criterion's own scale; missing where nobody else gave a value
        - n_raters : int, raters behind the mean
        - n_dont_know : int, raters who answered "don't know"
        - n_self : int, answers on the own organisation, left out
        - low, high : lowest and highest value given by a rater; not an interval

    Raises
    ------
    UsageError
        If a criterion is not in the table of criteria.
    """
    unknown = sorted(set(ratings["criterion"].dropna()) - set(criteria.index))
    if unknown:
        raise UsageError(f"ratings name criteria that are not declared: {', '.join(unknown)}")
    rows = ratings.reindex(columns=["actor_id", "criterion", "rater_id", "value"])
    rows["dont_know"] = False
    if "dont_know" in ratings.columns:
        rows["dont_know"] = ratings["dont_know"].astype(bool)
    if "challenge_id" in ratings.columns:
        on_challenge = ratings["criterion"].map(criteria["per_challenge"]).eq("yes")
        rows = rows[~(on_challenge & ratings["challenge_id"].notna())]
    own = rows["rater_id"].map(raters.set_index("rater_id")["actor_id"])
    rows = rows.assign(own=own.eq(rows["actor_id"]))
    voices = rows.groupby(["actor_id", "criterion", "rater_id"], sort=False, as_index=False).agg(
        value=("value", "mean"), dont_know=("dont_know", "any"), own=("own", "any")
    )
    voices["value"] = voices["value"].astype(float).mask(voices["own"])
    voices["dont_know"] &= voices["value"].isna() & ~voices["own"]
    found = voices.groupby(["actor_id", "criterion"], sort=False, as_index=False).agg(
        mean=("value", "mean"),
        n_raters=("value", "count"),
        n_dont_know=("dont_know", "sum"),
        n_self=("own", "sum"),
        low=("value", "min"),
        high=("value", "max"),
    )
    counts = ["n_raters", "n_dont_know", "n_self"]
    return found.astype(dict.fromkeys(counts, "int64"))


def score_actors(
    averages: pd.DataFrame,
    *,
    criteria: pd.DataFrame,
    actors: pd.DataFrame,
    minimum_coverage: float = 0.5,
) -> pd.DataFrame:
    """Score every actor on each dimension that anybody was asked about.

    Desk evidence is counted elsewhere and never scored.

    Parameters
    ----------
    averages : pandas.DataFrame
        As `average_ratings` returns them.
    criteria : pandas.DataFrame
        Indexed by code: dimension, weight, scale_min, scale_max, direction.
    actors : pandas.DataFrame
        One row each (actor_id); those without ratings are listed too.
    minimum_coverage : float
        A score is shown where at least this share (0-1) of the weights is answered.

    Returns
    -------
    pandas.DataFrame
        One row a dimension and actor, empty where nothing was asked:

        - actor_id, dimension
        - score : 0-100, weighted mean of the known criteria; missing under `minimum_coverage`
        - coverage : 0-1, share of the dimension's weights that is answered
        - range_low, range_high : 0-100, the score were all missing answers lowest or highest;
          actors whose ranges overlap are not ordered by what is known
        - n_raters : int, most raters on one of the criteria

    Raises
    ------
    UsageError
        If weights or scales cannot serve, an average belongs to no actor listed, or
        `minimum_coverage` is not a share.
    """
    if not 0 <= minimum_coverage <= 1:
        raise UsageError(f"minimum_coverage must lie between 0 and 1, not {minimum_coverage}")
    strangers = sorted(set(averages["actor_id"]) - set(actors["actor_id"]))
    if strangers:
        raise UsageError(f"ratings of actors that are not listed: {', '.join(strangers[:5])}")
    ids = pd.Index(actors["actor_id"])
    means, panels = (_widen(averages, column, ids=ids) for column in ("mean", "n_raters"))
    asked = criteria.loc[criteria.index.isin(averages["criterion"]), "dimension"]
    blocks = []
    for dimension in asked[asked != UNSCORED].unique():
        part = criteria[criteria["dimension"] == dimension]
        known = means.reindex(columns=part.index)
        block = _score_dimension(known, criteria=part, minimum_coverage=minimum_coverage)
        block["n_raters"] = panels.reindex(columns=part.index).max(axis=1).fillna(0).astype("int64")
        blocks.append(block.assign(dimension=dimension).rename_axis("actor_id").reset_index())
    if not blocks:
        return _make_empty_scores()
    return pd.concat(blocks, ignore_index=True)[list(SCORE_COLUMNS)]


def measure_shared_raters(ratings: pd.DataFrame) -> pd.DataFrame:
    """Measure how far the territories of a study were rated by the same people.

    The same rater_id in two territories is the same rater.

    Parameters
    ----------
    ratings : pandas.DataFrame
        The whole study's: territory_id, rater_id.

    Returns
    -------
    pandas.DataFrame
        One row a territory with ratings:

        - territory_id
        - n_shared_raters : int, its raters who rated elsewhere too
        - n_linked_territories : int >= 1, territories joined to it by a chain of shared raters,
          itself included
    """
    pairs = ratings[["territory_id", "rater_id"]].dropna().drop_duplicates()
    place, names = pd.factorize(pairs["territory_id"])
    rater, people = pd.factorize(pairs["rater_id"])
    panel = sparse.coo_array((np.ones(len(pairs)), (place, rater)), (len(names), len(people)))
    shared = pairs["rater_id"].duplicated(keep=False).to_numpy()
    label: npt.NDArray[np.intp] = np.zeros(0, dtype=np.intp)
    if len(names):
        label = csgraph.connected_components(panel @ panel.T, directed=False)[1].astype(np.intp)
    return pd.DataFrame(
        {
            "territory_id": names,
            "n_shared_raters": np.bincount(place[shared], minlength=len(names)),
            "n_linked_territories": np.bincount(label, minlength=1)[label],
        }
    )


def _widen(averages: pd.DataFrame, column: str, *, ids: pd.Index) -> pd.DataFrame:
    wide = averages.pivot(index="actor_id", columns="criterion", values=column)  # noqa: PD010
    return wide.reindex(ids).astype(float)


def _score_dimension(
    means: pd.DataFrame, *, criteria: pd.DataFrame, minimum_coverage: float
) -> pd.DataFrame:
    scaled = normalise(means, scales=criteria)
    weights = criteria["weight"]
    weight = _read_weights(weights, criteria=scaled.columns)
    coverage = scaled.notna().to_numpy() @ weight / weight.sum()
    shown = coverage >= minimum_coverage - TOLERANCE
    return pd.DataFrame(
        {
            "score": aggregate(scaled, weights=weights).where(shown),
            "coverage": coverage,
            "range_low": aggregate(scaled.fillna(0.0), weights=weights),
            "range_high": aggregate(scaled.fillna(100.0), weights=weights),
        },
        index=scaled.index,
    )


def _make_empty_scores() -> pd.DataFrame:
    text = {"actor_id": "str", "dimension": "str"}
    kinds = {c: text.get(c, "float64") for c in SCORE_COLUMNS} | {"n_raters": "int64"}
    return pd.DataFrame({column: pd.Series(dtype=kind) for column, kind in kinds.items()})


def _check_method(method: str, *, allowed: tuple[str, ...]) -> None:
    if method not in allowed:
        raise UsageError(f"unknown method {method!r}; there are: {', '.join(allowed)}")


def _refuse(bad: npt.NDArray[np.bool_], *, names: pd.Index, fault: str) -> None:
    if bad.any():
        raise UsageError(f"{fault}: {', '.join(map(str, names[bad]))}")


def _read_weights(weights: pd.Series, *, criteria: pd.Index) -> Values:
    known = weights.reindex(criteria).to_numpy(dtype=float)
    _refuse(~np.isfinite(known), names=criteria, fault="criteria without a weight")
    _refuse(known < 0, names=criteria, fault="criteria of negative weight")
    if len(criteria) == 0 or known.sum() == 0:
        raise UsageError(f"weights sum to 0: {', '.join(map(str, criteria)) or 'no criterion'}")
    return known


def _rescale(values: Values, *, low: Values, high: Values, direction: Values) -> Values:
    """Put (..., criteria) on 0-100; rounding at the ends of the scale is cut off."""
    share = (values - low) / (high - low)
    return 100 * np.clip(np.where(direction > 0, share, 1 - share), 0, 1)


def _weigh(values: Values, *, weight: Values) -> Values:
    """Average (..., criteria) over the known criteria; missing where none has weight."""
    known = ~np.isnan(values)
    total = np.where(known, weight, 0.0).sum(axis=-1)
    added = np.where(known, values * weight, 0.0).sum(axis=-1)
    mean: Values = np.divide(added, total, out=np.full_like(total, np.nan), where=total > 0)
    return mean
