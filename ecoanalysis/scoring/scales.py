"""Put criteria on one scale, and add them up: kernels on (..., actors, criteria), draws or not.

OECD/JRC (2008), *Handbook on Constructing Composite Indicators*, steps 5 and 6.
"""

from __future__ import annotations

import warnings
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.errors import UsageError
from ecoanalysis.study.suggest import check_name

Values = npt.NDArray[np.float64]
Scales = tuple[Values, Values, Values]  # lowest value, highest value, direction
NormaliseMethod = Literal[
    "goalposts", "minmax", "zscore", "rank", "percentile", "borda", "best_distance", "best_fraction"
]
AggregateMethod = Literal["arithmetic", "geometric", "harmonic", "power", "copeland"]

TOLERANCE = 1e-9
CACHED = 2**14  # numbers that stay near the processor
POWERS = {"arithmetic": 1.0, "geometric": 0.0, "harmonic": -1.0}


def normalise(
    values: pd.DataFrame,
    *,
    scales: pd.DataFrame | None = None,
    method: NormaliseMethod = "goalposts",
) -> pd.DataFrame:
    """Put criteria (columns) of different scales on one, more being better.

    `scales` is indexed by criterion: direction (1, or -1 where less is better; 1 if not given) and
    for goalposts scale_min, scale_max. "goalposts" (0-100 between the declared ends) alone does
    not depend on the other actors, so alone compares between territories; "minmax" is 0-100
    between the ends observed; "zscore" has mean 0, standard deviation 1; "rank" 1 to n, best last,
    ties share the lowest; "borda" is rank - 1, "percentile" borda / (n - 1); "best_distance" is 1
    less the distance to the best over that of the worst; "best_fraction" value / best, or best /
    value where less is better.

    What is missing stays so. A column of equal values, which tell nobody apart, is missing too,
    with a warning, but not on goalposts or as fraction of the best. A method that is unknown, a
    criterion without a usable scale and a value outside it are a UsageError.
    """
    scales = pd.DataFrame({"direction": 1}, index=values.columns) if scales is None else scales
    ends = read_scales(scales, criteria=values.columns)
    check_scales(ends, names=values.columns, method=method)
    if method == "goalposts":
        refuse_outside(values, scales=scales)
    array = values.to_numpy(dtype=float)
    scaled = scale_array(array, method=method, scales=ends)
    lost = values.columns[np.isnan(scaled).all(axis=0) & ~np.isnan(array).all(axis=0)]
    if len(lost):
        fault = f"{method} cannot tell actors apart, set to missing: {', '.join(map(str, lost))}"
        warnings.warn(fault, stacklevel=2)
    return pd.DataFrame(scaled, index=values.index, columns=values.columns)


def aggregate(
    values: pd.DataFrame,
    *,
    weights: pd.Series,
    method: AggregateMethod = "arithmetic",
    exponent: float = 2.0,
) -> pd.Series:
    """Add criteria (columns), all on one scale, up to one value a row, over those that are known.

    `weights` are indexed by criterion; only their ratios matter. Weighted means: "arithmetic" (low
    values are made up for by high ones), "geometric" or "harmonic" (less so; a 0 annuls), "power"
    of `exponent`; or "copeland", actors beaten less actors lost to, each pair by the weights for
    either on what is known of both (1 - n to n - 1). Missing where no criterion of positive weight
    is known. A method, exponent or weights that cannot serve, and a negative value where there
    must be none, are a UsageError.
    """
    weight = read_weights(weights, criteria=values.columns)
    array = values.to_numpy(dtype=float)
    if method == "power" and not exponent:
        raise UsageError("the exponent of a power mean must not be 0")
    if method in ("geometric", "harmonic", "power"):
        fault = f"a {method} mean of negative values"
        refuse(np.atleast_1d((array < 0).any(axis=0)), names=values.columns, fault=fault)
    score = add_array(array, weight=weight, method=method, exponent=exponent)
    return pd.Series(score, index=values.index, name="score")


def scale_array(values: Values, *, method: NormaliseMethod, scales: Scales) -> Values:
    """Normalise (..., actors, criteria); missing where nothing is told apart."""
    low, high, direction = scales
    if method == "goalposts":
        share = (values - low) / (high - low)
        return 100 * np.clip(np.where(direction > 0, share, 1 - share), 0, 1)
    turned = values * direction
    worst, best = (
        end.reduce(turned, axis=-2, keepdims=True, initial=np.nan) for end in (np.fmin, np.fmax)
    )
    n = (~np.isnan(turned)).sum(axis=-2, keepdims=True)
    if method == "best_fraction":
        best = np.where(best * direction > 0, best * direction, np.nan)
        return np.where(direction > 0, values / best, _divide(best, values))
    if method in ("minmax", "best_distance"):
        return (100 if method == "minmax" else 1) * _divide(turned - worst, best - worst)
    if method == "zscore":
        apart = turned - _divide(np.nansum(turned, axis=-2, keepdims=True), n)
        square = _divide(np.nansum(apart**2, axis=-2, keepdims=True), n - 1)
        return _divide(apart, np.sqrt(square) * (best > worst))
    borda = np.swapaxes(rank_array(-np.swapaxes(turned, -1, -2)), -1, -2) - 1
    borda = np.where(best > worst, borda, np.nan)
    return _divide(borda, n - 1) if method == "percentile" else borda + (method == "rank")


def add_array(
    values: Values, *, weight: Values, method: AggregateMethod, exponent: float = 2.0
) -> Values:
    """Aggregate (..., actors, criteria); `weight` is (criteria,) or goes with `values`."""
    check_name(method, get_args(AggregateMethod), "method")
    if method == "copeland":
        return _duel(values, weight=weight)
    power = POWERS.get(method, exponent)
    with np.errstate(divide="ignore"):
        if power == 0:
            return np.asarray(np.exp(_weigh(np.log(values), weight=weight)))
        return np.asarray(_weigh(values**power, weight=weight) ** (1 / power))


def rank_array(values: Values) -> Values:
    """Rank along the last axis: 1 + how many are higher; missing stays missing."""
    ranks = np.array(values, dtype=float, order="C")
    n = values.shape[-1]
    rows, places = ranks.reshape(values.size // max(1, n), n), np.arange(1.0, n + 1)
    step = max(1, CACHED // max(1, n))
    for part in (rows[first : first + step] for first in range(0, len(rows) * (n > 0), step)):
        order = np.argsort(-part, axis=-1)
        order += np.arange(len(part))[:, None] * n
        sorted_ = part.ravel()[order]
        place = np.broadcast_to(places, part.shape).copy()
        place[:, 1:][sorted_[:, 1:] == sorted_[:, :-1]] = 0
        missing = np.isnan(part)
        part.reshape(-1)[order] = np.maximum.accumulate(place, axis=1, out=place)
        part[missing] = np.nan
    return ranks


def refuse(bad: npt.NDArray[np.bool_], *, names: pd.Index, fault: str) -> None:
    """Refuse the names that are marked."""
    if bad.any():
        raise UsageError(f"{fault}: {', '.join(map(str, names[bad]))}")


def refuse_outside(values: pd.DataFrame, *, scales: pd.DataFrame) -> None:
    """Refuse criteria (columns) with a value outside the declared ends of their scale."""
    low, high = (scales.reindex(values.columns)[f"scale_{end}"] for end in ("min", "max"))
    outside = values.lt(low - TOLERANCE) | values.gt(high + TOLERANCE)
    refuse(outside.any().to_numpy(), names=values.columns, fault="values outside the scale of")


def read_scales(scales: pd.DataFrame, *, criteria: pd.Index) -> Scales:
    """Read lowest value, highest value and direction of each criterion, missing if not declared."""
    columns = ["scale_min", "scale_max", "direction"]
    low, high, direction = scales.reindex(index=criteria, columns=columns).to_numpy(dtype=float).T
    return low, high, direction


def check_scales(scales: Scales, *, names: pd.Index, method: NormaliseMethod) -> None:
    """Refuse scales that cannot serve the method."""
    check_name(method, get_args(NormaliseMethod), "method")
    low, high, direction = scales
    usable = np.abs(direction) == 1
    if method == "goalposts":
        usable &= np.isfinite(low) & np.isfinite(high) & (high > low)
    refuse(~usable, names=names, fault="criteria without a usable scale or direction")


def read_weights(weights: pd.Series, *, criteria: pd.Index) -> Values:
    """Read the weights of criteria, refusing what cannot serve."""
    known = weights.reindex(criteria).to_numpy(dtype=float)
    refuse(~np.isfinite(known), names=criteria, fault="criteria without a weight")
    refuse(known < 0, names=criteria, fault="criteria of negative weight")
    if not known.sum():
        raise UsageError(f"weights sum to 0: {', '.join(map(str, criteria)) or 'no criterion'}")
    return known


def _divide(above: Values, below: Values) -> Values:
    """Divide; missing where `below` is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, dtype=float), below)
    quotient = np.full(above.shape, np.nan)
    np.divide(above, below, out=quotient, where=below != 0)
    return quotient


def _weigh(values: Values, *, weight: Values) -> Values:
    """Average (..., criteria) over the known criteria; missing where none has weight."""
    counted = ~np.isnan(values) & (weight > 0)
    total = np.where(counted, weight, 0.0).sum(axis=-1)
    added = np.where(counted, values, 0.0) * weight
    return _divide(added.sum(axis=-1), total)


def _duel(values: Values, *, weight: Values) -> Values:
    net = np.zeros((*values.shape[:-1], values.shape[-2]))
    for k in range(values.shape[-1]):
        sign = np.sign(values[..., :, None, k] - values[..., None, :, k])
        net += np.nan_to_num(sign) * weight[..., k, None]
    known = (~np.isnan(values) & (weight > 0)).any(axis=-1)
    return np.where(known, np.sign(np.round(net, 12)).sum(axis=-1), np.nan)
