"""How far raters agree, on which actors they differ, and how each of them answers.

Ratings (actor_id, rater_id, criterion, value; optionally challenge_id, dont_know) and raters
(rater_id, actor_id of the own organisation, role) are one territory's; criteria are by code.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis.ratings.effects import fit_panel
from ecoanalysis.ratings.voices import UNIT, gather_voices
from ecoanalysis.study.suggest import check_name

Values = npt.NDArray[np.float64]
Level = Literal["nominal", "ordinal", "interval", "ratio"]

HARDLY_VARIES = 0.8  # one answer makes up this share: alpha near 0 is then not disagreement
UNIFORM, UNIFORM_ANSWERS = 0.9, 20  # a rater gives one answer this often, over so many answers
CAMPS_APART = 40.0  # points between two camps, that is two steps from 0 to 5
AGREEMENT_COLUMNS = (
    "criterion", "alpha", "low", "high", "n_actors", "n_raters", "percent_agreement",
    "hardly_varies", "icc_single", "icc_mean", "icc_actors", "icc_raters",
)  # fmt: skip


def measure_agreement(
    ratings: pd.DataFrame,
    *,
    level: Level = "ordinal",
    raters: pd.DataFrame | None = None,
    draws: int = 1000,
    seed: int = 0,
) -> pd.DataFrame:
    """Measure how far raters agree on each criterion (over all, differences would inflate alpha).

    Answers on a challenge are compared on the same challenge only. `raters` are needed to leave out
    what they say of themselves; `draws` is how often the actors are resampled.

    There is one row a criterion, in the order of first mention: criterion; alpha (at most 1,
    Krippendorff 2011; missing where all answers are equal); low, high (5 and 95 % of alpha over
    resampled actors, Zapf et al. 2016); n_actors, n_raters (int, rated by two or more, and who
    rated those); percent_agreement (0-100, pairs of answers on one actor that are equal);
    hardly_varies (bool, one answer makes up 80 % or more: read percent_agreement instead);
    icc_single, icc_mean (at most 1, ICC(2,1) and ICC(2,k), Shrout & Fleiss 1979); icc_actors,
    icc_raters (int, size of the complete block that these two rest on).
    """
    check_name(level, get_args(Level), "level")
    voices = gather_voices(ratings, raters=raters)
    rows = []
    for criterion, part in voices[~voices["own"]].groupby("criterion", sort=False):
        shared = part[part.groupby(UNIT)["value"].transform("size") >= 2]
        alphas = _measure_alphas(shared, level=level, draws=draws, seed=seed)
        rows.append((criterion, *alphas, *_measure_icc(part)))
    return pd.DataFrame(rows, columns=list(AGREEMENT_COLUMNS))


def measure_disagreement(
    ratings: pd.DataFrame, *, raters: pd.DataFrame, criteria: pd.DataFrame
) -> pd.DataFrame:
    """Measure how far apart the views of each actor lie: disagreement is information.

    There is one row an actor rated by others, in the order of first mention: actor_id; n_raters
    (int; of one or two, say "one opinion", "two opinions"); spread (points, standard deviation
    between raters, mean over criteria); shared_out (bool, two camps of two raters or more, with 40
    points or more between them); n_low, n_high (int, raters on each side of the widest gap; 0 under
    four raters); camp_low, camp_high (0-100, mean answers of the two sides).
    """
    voices = gather_voices(ratings, raters=raters, criteria=criteria)
    voices = voices[~voices["own"]]
    unit = voices.groupby(UNIT)["points"]
    voices = voices.assign(
        sd=unit.transform("std"), apart=voices["points"] - unit.transform("mean")
    )
    actors = voices.groupby("actor_id", sort=False)
    found = actors["rater_id"].nunique().rename("n_raters").to_frame()
    found["spread"] = voices.drop_duplicates(UNIT).groupby("actor_id")["sd"].mean()
    camps = _find_camps(voices.dropna(subset="sd")).reindex(found.index)
    found["shared_out"] = camps["gap"] >= CAMPS_APART
    counts = camps[["n_low", "n_high"]].fillna(0).astype("int64")
    ends = camps[["camp_low", "camp_high"]].add(actors["points"].mean(), axis=0).clip(0, 100)
    return found.join(counts).join(ends).reset_index()


def measure_raters(
    ratings: pd.DataFrame, *, raters: pd.DataFrame, criteria: pd.DataFrame
) -> pd.DataFrame:
    """Measure how each rater answers, one row a rater of `raters`.

    The columns are rater_id; n_ratings, n_actors, n_self, n_dont_know (int: values given, actors
    rated, answers on the own organisation, answers "don't know"); severity (points under the
    panel's mean on the same actors: rater effect of the additive model, mean over criteria,
    negative where generous); most_common (the answer given most often, in its scale);
    share_most_common (0-1); uniform (bool, at least 90 % of at least 20 answers are the same);
    self_difference (points by which answers on the own organisation lie above the others').
    """
    voices = gather_voices(ratings, raters=raters, criteria=criteria, silent=True)
    unsure = voices.groupby("rater_id")["dont_know"].sum()
    voices = voices.dropna(subset="value")
    groups = voices.groupby("rater_id")
    found = groups.agg(
        n_ratings=("value", "size"), n_actors=("actor_id", "nunique"), n_self=("own", "sum")
    )
    found = found.reindex(pd.Index(raters["rater_id"])).assign(n_dont_know=unsure)
    found = found.fillna(0).astype("int64")
    rated = voices[["actor_id"]].drop_duplicates()
    fit = fit_panel(ratings, raters=raters, criteria=criteria, actors=rated)
    direction = criteria["direction"].reindex(fit.criteria).to_numpy(dtype=float)
    found["severity"] = pd.DataFrame(-100 * fit.effects * direction, index=fit.raters).mean(axis=1)
    most = voices.groupby(["rater_id", "value"]).size().rename("n").sort_values().reset_index()
    most = most.drop_duplicates("rater_id", keep="last").set_index("rater_id")
    found["most_common"], found["share_most_common"] = most["value"], most["n"] / groups.size()
    same = found["share_most_common"] >= UNIFORM
    found["uniform"] = same & (found["n_ratings"] >= UNIFORM_ANSWERS)
    others = voices[~voices["own"]].groupby(UNIT)["points"].mean().rename("others")
    own = voices[voices["own"]].join(others, on=UNIT)
    found["self_difference"] = (own["points"] - own["others"]).groupby(own["rater_id"]).mean()
    return found.reset_index()


def measure_panel_mix(
    ratings: pd.DataFrame, *, raters: pd.DataFrame, criteria: pd.DataFrame
) -> pd.DataFrame:
    """Count which sorts of raters stand behind what is known of each actor.

    The columns are dimension (of `criteria`), actor_id, role (missing if not stated) and n_raters,
    self-ratings left out.
    """
    voices = gather_voices(ratings, raters=raters)
    voices["dimension"] = voices["criterion"].map(criteria["dimension"])
    voices["role"] = voices["rater_id"].map(raters.set_index("rater_id")["role"])
    groups = voices[~voices["own"]].groupby(
        ["dimension", "actor_id", "role"], sort=False, dropna=False
    )
    return groups["rater_id"].nunique().rename("n_raters").reset_index()


def _measure_alphas(
    voices: pd.DataFrame, *, level: Level, draws: int, seed: int
) -> tuple[float, float, float, int, int, float, bool]:
    """Alpha to hardly_varies, from coincidences (answer by answer) added up actor by actor."""
    if voices.empty:
        return np.nan, np.nan, np.nan, 0, 0, np.nan, False
    unit = voices.groupby(UNIT, sort=False).ngroup()
    table = pd.crosstab(unit, voices["value"])
    counts, answers = table.to_numpy()[:, :, None], table.columns.to_numpy(dtype=float)
    pairs = counts * (np.swapaxes(counts, 1, 2) - np.eye(len(answers)))
    pairs = (pairs / (counts.sum(axis=1, keepdims=True) - 1)).reshape(len(pairs), -1)
    actor = voices["actor_id"].groupby(unit).first().to_numpy()
    by_actor = pd.DataFrame(pairs).groupby(actor, sort=False).sum().to_numpy()
    n, whole = len(by_actor), by_actor.sum(axis=0)
    times = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), size=draws)
    alpha, *drawn = _take_alpha(np.vstack([whole, times @ by_actor]), answers, level=level)
    known = np.array(drawn)[~np.isnan(drawn)]
    low, high = np.quantile(known, [0.05, 0.95]) if len(known) else (np.nan, np.nan)
    square = whole.reshape(len(answers), -1)
    same = 100 * float(np.trace(square) / square.sum())
    flat = bool(square.sum(axis=0).max() >= HARDLY_VARIES * square.sum())
    return float(alpha), float(low), float(high), n, voices["rater_id"].nunique(), same, flat


def _take_alpha(pairs: Values, answers: Values, *, level: Level) -> Values:
    """Krippendorff's alpha of coincidences (draws, answers × answers)."""
    pairs = pairs.reshape(len(pairs), len(answers), len(answers))
    margin = pairs.sum(axis=-1)
    places = np.cumsum(margin, axis=-1) - margin / 2 if level == "ordinal" else answers[None]
    apart = np.abs(places[:, :, None] - places[:, None, :])
    if level == "nominal":
        apart = np.sign(apart)
    if level == "ratio":
        both = np.abs(answers[:, None] + answers)[None]
        apart = np.divide(apart, both, out=np.zeros_like(apart), where=both > 0)
    observed = (pairs * apart**2).sum(axis=(1, 2)) * (margin.sum(axis=1) - 1)
    expected = (margin[:, :, None] * margin[:, None, :] * apart**2).sum(axis=(1, 2))
    empty = np.full_like(expected, np.nan)
    return np.asarray(1 - np.divide(observed, expected, out=empty, where=expected > 0))


def _measure_icc(voices: pd.DataFrame) -> tuple[float, float, int, int]:
    """ICC(2,1) and ICC(2,k), on the largest complete block met as those who rated least leave."""
    cells = voices.pivot_table("value", UNIT, "rater_id", sort=False).to_numpy()
    cells = cells[:, np.argsort(np.isnan(cells).sum(axis=0), kind="stable")]
    complete = np.logical_and.accumulate(~np.isnan(cells), axis=1).sum(axis=0)
    sizes = np.where(complete >= 2, complete * np.arange(1, 1 + len(complete)), 0)
    sizes[0] = 0
    if not sizes.any():
        return np.nan, np.nan, 0, 0
    x = cells[:, : int(np.argmax(sizes)) + 1]
    x = x[~np.isnan(x).any(axis=1)]
    n, k = x.shape
    rows, columns = x.mean(axis=1), x.mean(axis=0)
    left = ((x - rows[:, None] - columns + x.mean()) ** 2).sum() / ((n - 1) * (k - 1))
    actors, severity = k * rows.var(ddof=1), k * columns.var(ddof=1) - k * left / n
    parts = [actors + (k - 1) * left + severity, actors + severity / k]
    single, mean = (float((actors - left) / part) if part > 0 else np.nan for part in parts)
    return single, mean, n, k


def _find_camps(voices: pd.DataFrame) -> pd.DataFrame:
    """Split the raters of each actor at the widest gap that leaves two or more on both sides."""
    sides = voices.groupby(["actor_id", "rater_id"])["apart"].mean().reset_index()
    sides = sides.sort_values(["actor_id", "apart"], ignore_index=True)
    raters = sides.groupby("actor_id")["apart"]
    below = raters.cumcount()
    above = raters.transform("size") - below
    gap = (sides["apart"] - raters.shift()).where((below >= 2) & (above >= 2))
    widest = gap.dropna().groupby(sides["actor_id"]).idxmax()
    first = sides["actor_id"].map(widest).astype(float)
    table = pd.DataFrame({"gap": gap.reindex(widest).to_numpy()}, index=widest.index)
    for camp, rows in (("low", sides.index < first), ("high", sides.index >= first)):
        camps = sides[rows].groupby("actor_id")["apart"]
        table[f"n_{camp}"], table[f"camp_{camp}"] = camps.size(), camps.mean()
    return table
