"""Positions and alliances: salience, the power-interest grid and MACTOR.

Optional lenses for internal reports. They put numbers on people's standing, and numbers seduce:
whoever reads them says so, and shows nobody as a danger. All kernels take a leading axis of draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis import ratings
from ecoanalysis.errors import UsageError

Values = npt.NDArray[np.float64]

SALIENCE: Final = (
    "latent", "demanding", "discretionary", "dependent", "dormant", "dialogue", "dominant",
    "definitive",
)  # fmt: skip
"""Classes by power (4) + legitimacy (2) + urgency (1). Power and urgency without legitimacy, which
the paper calls dangerous, is `dialogue`: to be engaged in dialogue."""
GRID: Final = ("watch", "inform", "satisfy", "involve")
"""Quadrants by power (2) + interest (1)."""
MOST_ACTORS: Final = 20


@dataclass(frozen=True)
class Mactor:
    """Influences and positions of a few actors (Godet 1991), as `analyse_mactor` returns them.

    Attributes
    ----------
    actors : pandas.DataFrame
        actor_id; influence, dependence (sums of MIDI without the diagonal); net_influence;
        competitiveness (mean 1, with low, high: 5 and 95 % of draws); mobilisation (sum of
        absolute 3MAO); ambivalence (0-1, of order 3: 1 is as near to others as far from them).
    challenges : pandas.DataFrame
        challenge_id; support, opposition (sums of positive, of negative 3MAO); mobilisation.
    midi, mmidi, net : pandas.DataFrame
        Actor by actor: direct and indirect influence; the strongest direct or two-step influence
        (max-min), diagonal 0; MIDI less its transpose.
    mao, convergences, divergences, ambivalence : mapping of int to table
        By order 1 (sign), 2 (valued), 3 (weighed by competitiveness): actor by challenge; actor
        by actor; actor by actor; one number an actor.
    coverage : tuple of float
        Shares (0-1) of pairs and of positions that somebody answered; the rest counts as none.
    """

    actors: pd.DataFrame
    challenges: pd.DataFrame
    midi: pd.DataFrame
    mmidi: pd.DataFrame
    net: pd.DataFrame
    mao: Mapping[int, pd.DataFrame]
    convergences: Mapping[int, pd.DataFrame]
    divergences: Mapping[int, pd.DataFrame]
    ambivalence: Mapping[int, pd.Series]
    coverage: tuple[float, float]


def measure_salience(values: Values, *, actors: pd.Index) -> pd.DataFrame:
    """Say how often each actor falls in each class of Mitchell, Agle & Wood (1997).

    Parameters
    ----------
    values : numpy.ndarray
        (draws, actors, 3), each 0-1: power, legitimacy, urgency. One has it above the middle of
        the scale. A single draw gives classes without probabilities.
    actors : pandas.Index
        Ids along the second axis.

    Returns
    -------
    pandas.DataFrame
        One row an actor whose three values are known: actor_id, class (of `SALIENCE`, the most
        frequent), probability (0-1, its share of the draws), and one column a class.
    """
    return _count_classes(values, names=SALIENCE, actors=actors)


def measure_grid(values: Values, *, actors: pd.Index) -> pd.DataFrame:
    """Say how often each actor falls in each quadrant of the power-interest grid.

    Parameters
    ----------
    values : numpy.ndarray
        (draws, actors, 2), each 0-1: power, interest; as in `measure_salience`.
    actors : pandas.Index
        Ids along the second axis.

    Returns
    -------
    pandas.DataFrame
        As in `measure_salience`, the classes being those of `GRID`.
    """
    return _count_classes(values, names=GRID, actors=actors)


def analyse_mactor(
    influences: pd.DataFrame,
    positions: pd.DataFrame,
    *,
    plain: bool = False,
    force: bool = False,
    draws: int = 0,
    seed: int = 0,
) -> Mactor:
    """Analyse influences between a few actors and their positions (MACTOR, Godet 1991).

    MIDI_ij = MID_ij + Σ_k min(MID_ik, MID_kj); r_i = ((I_i - MIDI_ii) / ΣI) · I_i / (I_i + D_i),
    never negative; competitiveness is n·r_i / Σr, missing for all as soon as one actor has neither
    influence nor dependence.

    Parameters
    ----------
    influences : pandas.DataFrame
        source_id, target_id, value (0-4); optionally rater_id: raters are averaged.
    positions : pandas.DataFrame
        actor_id, challenge_id, value (-4 to 4); optionally rater_id. Actors without influences
        are left out; a pair or position that nobody gave counts as none (see `coverage`).
    plain : bool
        r_i = (I_i / ΣI) · I_i / (I_i + D_i): the diagonal does not leave twice.
    force : bool
        Analyse more than `MOST_ACTORS` actors: a panel cannot judge so many pairs.
    draws, seed : int
        Draws of what several raters said of influences, behind low and high; 0 gives none.

    Raises
    ------
    UsageError
        If there are more than `MOST_ACTORS` actors and no `force`.
    """
    ids = pd.Index(pd.unique(influences[["source_id", "target_id"]].to_numpy().ravel()))
    if len(ids) > MOST_ACTORS and not force:
        raise UsageError(
            f"MACTOR is for at most {MOST_ACTORS} actors, not {len(ids)}: choose those who weigh "
            "most, or pass force=True"
        )
    known = positions[positions["actor_id"].isin(ids)]
    codes = pd.Index(pd.unique(known["challenge_id"].to_numpy()), dtype=object)
    given = influences.pivot_table(index="source_id", columns="target_id", values="value")
    said = known.pivot_table(index="actor_id", columns="challenge_id", values="value")
    mid_table, mao_table = given.reindex(index=ids, columns=ids), said.reindex(ids, columns=codes)
    pairs, n = ~np.eye(len(ids), dtype=bool), len(ids)
    mid = np.where(pairs, mid_table.fillna(0).to_numpy(dtype=float), 0)
    valued = mao_table.fillna(0).to_numpy(dtype=float)
    midi = _add_indirect(mid)
    influence, dependence = ((midi * pairs).sum(axis=axis) for axis in (1, 0))
    strength = _measure_strength(midi, plain=plain)
    low, high = np.full((2, n), np.nan)
    if draws and len(influences) and "rater_id" in influences.columns:
        drawn = _add_indirect(_draw_influences(influences, mid, ids, draws, seed))
        low, high = np.quantile(_measure_strength(drawn, plain=plain), [0.05, 0.95], axis=0)
    orders = {1: np.sign(valued), 2: valued, 3: valued * strength[:, None]}
    near, far = (
        {order: _compare_positions(mao, sign=sign) for order, mao in orders.items()}
        for sign in (1, -1)
    )
    unsure = {order: _measure_ambivalence(near[order], far[order]) for order in orders}
    weighed = orders[3]
    return Mactor(
        actors=pd.DataFrame(
            {
                "actor_id": ids,
                "influence": influence,
                "dependence": dependence,
                "net_influence": influence - dependence,
                "competitiveness": strength,
                "low": low,
                "high": high,
                "mobilisation": np.abs(weighed).sum(axis=1),
                "ambivalence": unsure[3],
            }
        ),
        challenges=pd.DataFrame(
            {
                "challenge_id": codes,
                "support": np.maximum(weighed, 0).sum(axis=0),
                "opposition": np.minimum(weighed, 0).sum(axis=0),
                "mobilisation": np.abs(weighed).sum(axis=0),
            }
        ),
        midi=pd.DataFrame(midi, ids, ids),
        mmidi=pd.DataFrame(
            np.where(pairs, np.maximum(mid, _chain(mid).max(axis=-2, initial=0)), 0), ids, ids
        ),
        net=pd.DataFrame(midi - midi.T, ids, ids),
        mao={order: pd.DataFrame(mao, ids, codes) for order, mao in orders.items()},
        convergences={order: pd.DataFrame(table, ids, ids) for order, table in near.items()},
        divergences={order: pd.DataFrame(table, ids, ids) for order, table in far.items()},
        ambivalence={order: pd.Series(values, ids) for order, values in unsure.items()},
        coverage=(
            float(mid_table.notna().to_numpy()[pairs].mean()) if n > 1 else np.nan,
            float(mao_table.notna().to_numpy().mean()) if len(codes) else np.nan,
        ),
    )


def _count_classes(values: Values, *, names: tuple[str, ...], actors: pd.Index) -> pd.DataFrame:
    known = np.flatnonzero(np.isfinite(values).all(axis=(0, 2)) & (len(values) > 0))
    bits = 2 ** np.arange(values.shape[2])[::-1]
    drawn = (values[:, known] > 0.5) @ bits
    counts = np.stack([(drawn == code).sum(axis=0) for code in range(len(names))], axis=1)
    shares = counts / max(len(values), 1)
    found = pd.DataFrame(shares, columns=list(names))
    found.insert(0, "actor_id", actors[known])
    found.insert(1, "class", np.array(names)[shares.argmax(axis=1)] if len(known) else "")
    found.insert(2, "probability", shares.max(axis=1) if len(values) > 1 else np.nan)
    return found


def _chain(mid: Values) -> Values:
    """Influence (…, i, k, j) of i on j through k: what the weaker of both steps lets through."""
    return np.minimum(mid[..., :, :, None], mid[..., None, :, :])


def _add_indirect(mid: Values) -> Values:
    total: Values = mid + _chain(mid).sum(axis=-2)
    return total


def _measure_strength(midi: Values, *, plain: bool) -> Values:
    """Competitiveness (…, actors) from MIDI; missing where it is not defined for somebody."""
    own = np.diagonal(midi, axis1=-2, axis2=-1)
    influence, dependence = (midi.sum(axis=axis) - own for axis in (-1, -2))
    net, both = influence if plain else influence - own, influence + dependence
    share = influence / np.where(both > 0, both, np.nan)
    whole = influence.sum(axis=-1, keepdims=True)
    r = net / np.where(whole > 0, whole, np.nan) * share
    total = r.sum(axis=-1, keepdims=True)
    strength: Values = r * r.shape[-1] / np.where(total > 0, total, np.nan)
    return strength


def _draw_influences(
    influences: pd.DataFrame, mid: Values, ids: pd.Index, draws: int, seed: int
) -> Values:
    """Draw (draws, actors, actors) from the additive model, a pair being what raters rate."""
    pair = influences["source_id"].astype(str) + "\t" + influences["target_id"].astype(str)
    scale = {"scale_min": 0.0, "scale_max": 4.0, "direction": 1, "per_challenge": "no"}
    fit = ratings.fit_panel(
        influences.assign(actor_id=pair, criterion="influence"),
        raters=pd.DataFrame({"rater_id": influences["rater_id"].unique(), "actor_id": None}),
        criteria=pd.DataFrame(scale, index=["influence"]),
        actors=pd.DataFrame({"actor_id": pair.unique()}),
    )
    drawn = np.clip(ratings.draw_actor_effects(fit, draws=draws, seed=seed)[:, :, 0], 0, 4)
    source, target = (
        ids.get_indexer(pd.Index(influences.loc[~pair.duplicated(), end]))
        for end in ("source_id", "target_id")
    )
    tables = np.repeat(mid[None], draws, axis=0)
    tables[:, source, target] = drawn
    return tables


def _compare_positions(mao: Values, *, sign: int) -> Values:
    """Sum, for each two actors, (|a| + |b|) / 2 over challenges of same (1) or other (-1) sign."""
    size = np.abs(mao)
    pull = (size[:, None] + size[None]) / 2
    agree = np.sign(mao)[:, None] * np.sign(mao)[None] == sign
    total: Values = np.where(np.isnan(pull), np.nan, np.where(agree, pull, 0)).sum(axis=2)
    np.fill_diagonal(total, 0)
    return total


def _measure_ambivalence(near: Values, far: Values) -> Values:
    whole = (near + far).sum(axis=1)
    gap = np.abs(near - far).sum(axis=1)
    ambivalence: Values = 1 - gap / np.where(whole > 0, whole, np.nan)
    return ambivalence
