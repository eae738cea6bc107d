"""How sure we are of each actor: draws from rating = actor + rater + residual.

Two intervals come of it: *within this panel* (had all of it rated everybody) and *for another
panel* (if others like these had answered: raters are chosen, not sampled).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats
from scipy.sparse import csgraph

from ecoanalysis.errors import UsageError
from ecoanalysis.ratings.voices import gather_voices
from ecoanalysis.study.suggest import check_name

Values = npt.NDArray[np.float64]
Codes = npt.NDArray[np.intp]
Scope = Literal["panel", "other"]
DrawMethod = Literal["model", "bootstrap"]

BOOTSTRAP_COVERAGE = {2: 0.51, 3: 0.61, 5: 0.77, 8: 0.83}  # of its "90 %" interval, by raters
BLOCK = 2_000_000  # numbers drawn at a time


@dataclass(frozen=True)
class PanelFit:
    """The additive model fitted to one territory's ratings; arrays on 0-1 of each scale.

    `actors`, `raters`, `criteria` are the codes along the axes; criteria are those that anybody
    answered. `panels` (panel, n_actors, n_raters; 0 has the most actors) are actors and raters
    joined by ratings: between two panels no difference is identified, each is estimated within its
    own; `panel` is that of each actor, -1 without ratings. `estimates` and `n_raters` (actors,
    criteria) are the mean had the whole panel rated the actor, and the raters behind it; `effects`
    (raters, criteria) what each rater adds, with sum 0 over a panel.

    `residual_sd` is pooled over criteria, at least that of rounding to whole points (1 / √12),
    since an answer stands for anything within half a point; `df` its degrees of freedom; `halo`
    (0-1) the correlation over criteria of the residuals of one rater on one actor. `reason` says
    why there is no interval: "one_rater", "no_overlap" (no residual left), "no_ratings". The others
    are what draws need: the scales and, of each criterion, the answers `cells` and what the raters'
    doubt adds to each actor, `loads` (criteria, actors, raters), and the connected group of each
    actor and rater.
    """

    actors: pd.Index
    raters: pd.Index
    criteria: pd.Index
    panels: pd.DataFrame
    panel: Codes
    estimates: Values
    n_raters: Codes
    effects: Values
    residual_sd: float
    df: int
    halo: float
    reason: str
    low: Values
    length: Values
    cells: Values
    loads: Values
    groups: Codes


def fit_panel(
    ratings: pd.DataFrame, *, raters: pd.DataFrame, criteria: pd.DataFrame, actors: pd.DataFrame
) -> PanelFit:
    """Fit rating = actor + rater + residual to the cells that exist, criterion by criterion.

    Rater effects sum to 0 over each panel that is connected on the criterion. What raters say of
    the own organisation and answers on one challenge (criteria asked per challenge) are left out.
    Tables are one territory's; criteria are indexed by code (scale_min, scale_max, direction,
    per_challenge); actors without ratings stay in, as missing. A criterion rated that is not
    declared, or an actor that is not listed, is a UsageError.
    """
    voices = gather_voices(ratings, raters=raters, criteria=criteria, general=True)
    voices = voices[~voices["own"]]
    ids, people = pd.Index(actors["actor_id"]), pd.Index(voices["rater_id"].unique())
    strangers = voices.loc[~voices["actor_id"].isin(ids), "actor_id"].unique()
    if len(strangers):
        raise UsageError(f"ratings of actors that are not listed: {', '.join(strangers[:5])}")
    codes = criteria.index[criteria.index.isin(voices["criterion"])]
    low, high = (criteria.loc[codes, f"scale_{end}"].to_numpy(float) for end in ("min", "max"))
    a, r, c = (
        names.get_indexer(pd.Index(voices[column]))
        for names, column in ((ids, "actor_id"), (people, "rater_id"), (codes, "criterion"))
    )
    cells = np.full((len(codes), len(ids), len(people)), np.nan)
    cells[c, a, r] = (voices["value"].to_numpy(dtype=float) - low[c]) / (high - low)[c]
    known = ~np.isnan(cells)
    estimates, effects, loads = _fit_additive(cells)
    label, *parts = (_label_groups(table) for table in (known.any(axis=0), *known))
    groups = np.array(parts, dtype=np.intp).reshape(len(codes), len(label))
    residual = cells - estimates[..., None] - effects[:, None]
    df = int(known.sum() - (groups >= 0).sum() + (groups.max(axis=1, initial=-1) + 1).sum())
    rounding = np.mean(1 / (12 * (high - low) ** 2)) if len(codes) else np.nan
    variance = max(np.nansum(residual**2) / df, rounding) if df else np.nan
    return PanelFit(
        actors=ids, raters=people, criteria=codes, panels=_count_panels(label, n=len(ids)),
        panel=label[: len(ids)], estimates=estimates.T, n_raters=known.sum(axis=2).T,
        effects=effects.T, residual_sd=float(np.sqrt(variance)), df=df,
        halo=_measure_halo(residual),
        reason="" if df else ("no_ratings", "one_rater", "no_overlap")[min(len(people), 2)],
        low=low, length=high - low, cells=cells, loads=loads, groups=groups,
    )  # fmt: skip


def draw_actor_effects(
    fit: PanelFit,
    *,
    draws: int = 1000,
    scope: Scope = "panel",
    method: DrawMethod = "model",
    seed: int = 0,
) -> Values:
    """Draw what the panel would say of each actor, had all of it rated everybody.

    Per draw σ² = ν s² / χ²_ν with the residual pooled over criteria; actor effects are normal
    around the estimate with covariance σ² (XᵀX)⁻¹, and go together over criteria as `halo` says.
    For another panel, a shift common to the panel's actors is added: its rater effects in random
    proportion, so that each weighted sum of criteria shifts by a t on R - 1 degrees of freedom
    (where one rater stands alone: by the variance between raters found elsewhere).

    `scope` is "panel" (within this panel, for ranks) or "other" (another panel, between
    territories); the same seed gives both the same residuals. `method` is "model", or "bootstrap"
    of raters, whose intervals are too narrow (`BOOTSTRAP_COVERAGE`). Returns (draws, actors,
    criteria) in each criterion's own scale, cut off at its ends only when scored; missing where
    nobody rated, and everywhere if there is a `fit.reason`.
    """
    blocks = stream_actor_effects(fit, draws=draws, scope=scope, method=method, seed=seed)
    return np.concatenate([np.empty((0, *fit.estimates.shape)), *blocks])


def stream_actor_effects(
    fit: PanelFit,
    *,
    draws: int = 1000,
    scope: Scope = "panel",
    method: DrawMethod = "model",
    seed: int = 0,
) -> Iterator[Values]:
    """Draw as `draw_actor_effects` does, the same numbers in blocks that fit in memory."""
    check_name(scope, get_args(Scope), "scope")
    check_name(method, get_args(DrawMethod), "method")
    block = max(1, BLOCK // max(1, fit.estimates.size))
    sizes = [min(block, draws - start) for start in range(0, draws, block)]
    streams = np.random.default_rng(seed).spawn(7)
    if method == "bootstrap":
        return (_resample_raters(fit, n, streams) for n in sizes)
    return (_draw_block(fit, n, streams, shifted=scope == "other") for n in sizes)


def measure_actor_effects(
    fit: PanelFit, *, draws: int = 1000, seed: int = 0, drawn: Sequence[Values] = ()
) -> pd.DataFrame:
    """Measure both intervals of each actor on each criterion that was rated.

    `drawn` are the draws within this panel and for another, where they are made already.
    There is one row an actor and criterion, in the criterion's own scale: actor_id, criterion,
    panel (int, as in `fit.panels`); estimate (the mean had the whole panel rated the actor; may
    pass the scale's ends); n_raters (int; one or two are "one opinion", "two opinions", never of
    zero width); low, high (5 and 95 % of draws within this panel); other_low, other_high (for
    another).
    """
    a, c = np.nonzero(fit.n_raters)
    found = pd.DataFrame({"actor_id": fit.actors[a], "criterion": fit.criteria[c]})
    found = found.assign(panel=fit.panel[a], estimate=(fit.low + fit.length * fit.estimates)[a, c])
    found["n_raters"] = fit.n_raters[a, c]
    both = drawn or [
        draw_actor_effects(fit, draws=draws, scope=scope, seed=seed) for scope in get_args(Scope)
    ]
    for prefix, values in zip(("", "other_"), both, strict=True):
        ends = np.quantile(values[:, a, c], [0.05, 0.95], axis=0)
        found[f"{prefix}low"], found[f"{prefix}high"] = ends
    return found


def _label_groups(known: npt.NDArray[np.bool_]) -> Codes:
    """Label each actor, then each rater: connected groups, most actors first; -1 if unrated."""
    n, size = len(known), sum(known.shape)
    linked = np.concatenate([known.any(axis=1), known.any(axis=0)])
    if not linked.any():
        return np.full(size, -1)
    a, r = np.nonzero(known)
    graph = sparse.coo_array((np.ones(len(a)), (a, n + r)), (size, size))
    label = csgraph.connected_components(graph, directed=False)[1]
    n_actors = np.bincount(label[:n], weights=linked[:n], minlength=label.max() + 1)
    place = np.argsort(np.argsort(-n_actors, kind="stable"))
    return np.where(linked, place[label], -1)


def _count_panels(label: Codes, *, n: int) -> pd.DataFrame:
    """Count the actors (the first `n`) and raters of each panel."""
    panels = np.arange(label.max(initial=-1) + 1)
    n_actors, n_raters = (
        np.bincount(part[part >= 0], minlength=len(panels)) for part in (label[:n], label[n:])
    )
    return pd.DataFrame({"panel": panels, "n_actors": n_actors, "n_raters": n_raters})


def _fit_additive(cells: Values) -> tuple[Values, Values, Values]:
    """Fit each criterion by the normal equations of the raters, who are few.

    Returns the estimates of actors, the effects of raters, and the loads: the symmetric root of
    the generalised inverse of these equations, averaged over the raters of each actor.
    """
    known, sums = ~np.isnan(cells), np.nan_to_num(cells)
    n_raters, n_actors = known.sum(axis=2), known.sum(axis=1)
    share = known / np.maximum(n_raters, 1)[..., None]
    turned = np.swapaxes(share, 1, 2)
    equations = np.eye(cells.shape[2]) * n_actors[:, None] - turned @ known.astype(float)
    values, vectors = np.linalg.eigh(equations)
    kept = values > 1e-9 * values.max(axis=1, initial=1, keepdims=True)
    scale = np.where(kept, np.where(kept, values, 1) ** -0.5, 0)
    root = (vectors * scale[:, None]) @ np.swapaxes(vectors, 1, 2)
    above = sums.sum(axis=1)[..., None] - turned @ sums.sum(axis=2)[..., None]
    effects = root @ (root @ above)
    estimates = sums.sum(axis=2) / np.where(n_raters, n_raters, np.nan) - (share @ effects)[..., 0]
    return estimates, np.where(n_actors, effects[..., 0], np.nan), share @ root


def _measure_halo(residual: Values) -> float:
    """Correlation of residuals within (actor, rater): mean product over mean square, 0-1."""
    n, square = (~np.isnan(residual)).sum(axis=0), np.nansum(residual**2, axis=0)
    n_products = (n * (n - 1)).sum()
    if square.sum() < 1e-12 or not n_products:
        return 0.0
    product = (np.nansum(residual, axis=0) ** 2 - square).sum() / n_products
    return float(np.clip(product / (square.sum() / n.sum()), 0, 1))


def _draw_block(
    fit: PanelFit, n: int, streams: list[np.random.Generator], *, shifted: bool
) -> Values:
    if not fit.df:
        return np.full((n, *fit.estimates.shape), np.nan)
    spread = fit.residual_sd * np.sqrt(fit.df / streams[0].chisquare(fit.df, n))
    own, people = (
        np.sqrt(1 - fit.halo) * streams[i].standard_normal((n, *part.shape))
        + np.sqrt(fit.halo) * streams[i + 1].standard_normal((n, len(part), 1))
        for i, part in ((1, fit.estimates), (3, fit.effects))
    )
    z, u = streams[5].standard_normal((n, len(fit.raters))), streams[6].random(n)
    own = own / np.sqrt(np.maximum(fit.n_raters, 1)) + (fit.loads @ people.T).T
    own *= spread[:, None, None]
    if shifted:
        for k in range(len(fit.criteria)):
            own[:, :, k] += _draw_shift(fit, k, z=z, u=u)
    drawn: Values = fit.low + fit.length * (fit.estimates + own)
    return drawn


def _draw_shift(fit: PanelFit, k: int, *, z: Values, u: Values) -> Values:
    """Draw (draws, actors) what another panel would add, one number a group of this one."""
    actors, people = np.split(fit.groups[k], [len(fit.actors)])
    size = np.bincount(people[people >= 0])
    elsewhere = np.isfinite(fit.effects).sum() - (fit.groups.max(axis=1) + 1).sum()
    pooled = np.sqrt(np.nansum(fit.effects**2) / elsewhere)
    df = np.where(size > 1, size - 1, fit.panels["n_raters"].max() - 1)
    gain = np.zeros((len(people), len(size)))
    for group, n in enumerate(size):
        mine = people == group
        gain[mine, group] = fit.effects[mine, k] / np.sqrt(n * (n - 1)) if n > 1 else pooled
    shift: Values = (z @ gain) * np.sqrt(df / stats.chi2.ppf(u[:, None], df))
    return shift[:, actors]


def _resample_raters(fit: PanelFit, n: int, streams: list[np.random.Generator]) -> Values:
    """Average over raters drawn with replacement; missing where none of an actor's was drawn."""
    share = np.full((n, *fit.estimates.shape), np.nan)
    if len(fit.raters) < 2:
        return share
    people = np.full(len(fit.raters), 1 / len(fit.raters))
    times = streams[0].multinomial(len(people), people, size=n).T
    total, voices = np.nan_to_num(fit.cells) @ times, ~np.isnan(fit.cells) @ times
    np.divide(total.T, voices.T, out=share, where=voices.T > 0)
    return fit.low + fit.length * share
