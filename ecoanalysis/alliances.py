"""Positions and alliances: salience, the power-interest grid and MACTOR.

Optional lenses for internal reports. They put numbers on people's standing, and numbers seduce:
whoever reads them says so, and shows nobody as a danger.
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

    `values` are (draws, actors, 3), each 0-1: power, legitimacy, urgency; one has it above the
    middle of the scale. There is one row an actor whose three values are known: actor_id, class (of
    `SALIENCE`, the most frequent), probability (0-1, its share of the draws; missing where there
    is a single one), and one column a class.
    """
    return _count_classes(values, names=SALIENCE, actors=actors)


def measure_grid(values: Values, *, actors: pd.Index) -> pd.DataFrame:
    """Say as `measure_salience` how often each actor falls in each quadrant of `GRID`.

    `values` are (draws, actors, 2), each 0-1: power, interest.
    """
    return _count_classes(values, names=GRID, actors=actors)


def _count_classes(values: Values, *, names: tuple[str, ...], actors: pd.Index) -> pd.DataFrame:
    known = np.flatnonzero(np.isfinite(values).all(axis=(0, 2)) & (len(values) > 0))
    drawn = (values[:, known] > 0.5) @ (2 ** np.arange(values.shape[2])[::-1])
    shares = {name: (drawn == code).sum(axis=0) / len(values) for code, name in enumerate(names)}
    found = pd.DataFrame(shares, index=pd.Index(actors[known], name="actor_id"))
    found.insert(0, "class", found.idxmax(axis=1))
    found.insert(1, "probability", found[[*names]].max(axis=1) if len(values) > 1 else np.nan)
    return found.reset_index()


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

    MIDI_ij = MID_ij + Σ_k min(MID_ik, MID_kj); I and D are its sums over others;
    r_i = (I_i - MIDI_ii) / ΣI · I_i / (I_i + D_i), competitiveness n r_i / Σr, missing for all as
    soon as one actor has neither influence nor dependence; `plain` leaves the diagonal in:
    r_i = (I_i / ΣI) · I_i / (I_i + D_i).

    `influences` are source_id, target_id, value (0-4), `positions` actor_id, challenge_id, value
    (-4 to 4); of several raters (rater_id) the mean counts, and with `draws` the doubt about
    influences gives low and high. Actors without influences are left out; a pair or position that
    nobody gave counts as none (see `Mactor`). More than `MOST_ACTORS` actors, of whom a panel
    cannot judge so many pairs, are a UsageError unless `force`.
    """
    ids = pd.Index(pd.unique(influences[["source_id", "target_id"]].to_numpy().ravel()))
    if len(ids) > MOST_ACTORS and not force:
        raise UsageError(
            f"MACTOR is for at most {MOST_ACTORS} actors, not {len(ids)}: choose those who weigh "
            "most, or pass force=True"
        )
    known = positions[positions["actor_id"].isin(ids)]
    codes = pd.Index(pd.unique(known["challenge_id"].to_numpy()), dtype=object)
    given = influences.pivot_table("value", "source_id", "target_id").reindex(ids, columns=ids)
    said = known.pivot_table("value", "actor_id", "challenge_id").reindex(ids, columns=codes)
    pairs = ~np.eye(len(ids), dtype=bool)
    mid = np.where(pairs, given.fillna(0).to_numpy(dtype=float), 0)
    valued = said.fillna(0).to_numpy(dtype=float)
    through = _chain(mid)
    midi = mid + through.sum(axis=-2)
    influence, dependence = ((midi * pairs).sum(axis=axis) for axis in (1, 0))
    strength = _measure_strength(midi, plain=plain)
    low, high = np.full((2, len(ids)), np.nan)
    if draws and len(influences) and "rater_id" in influences.columns:
        drawn = _draw_influences(influences, mid, ids, draws, seed)
        drawn = _measure_strength(drawn + _chain(drawn).sum(axis=-2), plain=plain)
        low, high = np.quantile(drawn, [0.05, 0.95], axis=0)
    orders = {1: np.sign(valued), 2: valued, 3: valued * strength[:, None]}
    near, far = (
        {order: _compare_positions(mao, sign=sign) for order, mao in orders.items()}
        for sign in (1, -1)
    )
    unsure = {order: _measure_ambivalence(near[order], far[order]) for order in orders}
    weighed = pd.DataFrame(orders[3], ids, codes)
    actors = {
        "influence": influence,
        "dependence": dependence,
        "net_influence": influence - dependence,
        "competitiveness": strength,
        "low": low,
        "high": high,
        "mobilisation": weighed.abs().sum(axis=1, skipna=False),
        "ambivalence": unsure[3],
    }
    challenges = {
        "support": weighed.clip(lower=0).sum(skipna=False),
        "opposition": weighed.clip(upper=0).sum(skipna=False),
        "mobilisation": weighed.abs().sum(skipna=False),
    }
    return Mactor(
        actors=pd.DataFrame(actors, ids.rename("actor_id")).reset_index(),
        challenges=pd.DataFrame(challenges, codes.rename("challenge_id")).reset_index(),
        midi=pd.DataFrame(midi, ids, ids),
        mmidi=pd.DataFrame(np.maximum(mid, through.max(axis=-2, initial=0)) * pairs, ids, ids),
        net=pd.DataFrame(midi - midi.T, ids, ids),
        mao={order: pd.DataFrame(mao, ids, codes) for order, mao in orders.items()},
        convergences={order: pd.DataFrame(table, ids, ids) for order, table in near.items()},
        divergences={order: pd.DataFrame(table, ids, ids) for order, table in far.items()},
        ambivalence={order: pd.Series(values, ids) for order, values in unsure.items()},
        coverage=(
            float(given.notna().to_numpy()[pairs].mean()) if pairs.any() else np.nan,
            float(said.notna().to_numpy().mean()) if len(codes) else np.nan,
        ),
    )


def _chain(mid: Values) -> Values:
    """Influence (…, i, k, j) of i on j through k: what the weaker of both steps lets through."""
    return np.minimum(mid[..., :, :, None], mid[..., None, :, :])


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
    ends = influences[["source_id", "target_id"]]
    pair = ends["source_id"].astype(str) + "\t" + ends["target_id"].astype(str)
    scale = {"scale_min": 0.0, "scale_max": 4.0, "direction": 1, "per_challenge": "no"}
    fit = ratings.fit_panel(
        influences.assign(actor_id=pair, criterion="influence"),
        raters=pd.DataFrame({"rater_id": influences["rater_id"].unique(), "actor_id": None}),
        criteria=pd.DataFrame(scale, index=["influence"]),
        actors=pd.DataFrame({"actor_id": pair.unique()}),
    )
    ends = ends[~pair.duplicated()]
    source, target = (ids.get_indexer(pd.Index(ends[end])) for end in ends)
    tables = np.repeat(mid[None], draws, axis=0)
    drawn = ratings.draw_actor_effects(fit, draws=draws, seed=seed)
    tables[:, source, target] = np.clip(drawn[:, :, 0], 0, 4)
    return tables


def _compare_positions(mao: Values, *, sign: int) -> Values:
    """Sum, for each two actors, (|a| + |b|) / 2 over challenges of same (1) or other (-1) sign."""
    size, side = np.abs(mao), np.sign(mao)
    pull = (size[:, None] + size[None]) / 2
    agree = side[:, None] * side[None] == sign
    total: Values = np.where(agree | np.isnan(pull), pull, 0).sum(axis=2)
    np.fill_diagonal(total, 0)
    return total


def _measure_ambivalence(near: Values, far: Values) -> Values:
    whole = (near + far).sum(axis=1)
    gap = np.abs(near - far).sum(axis=1)
    ambivalence: Values = 1 - gap / np.where(whole > 0, whole, np.nan)
    return ambivalence
