"""How sure we are of each actor: draws from rating = actor + rater + residual.

Two intervals come of it: *within this panel* (had all of it rated everybody) and *for another
panel* (if others like these had answered: raters are chosen, not sampled).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse, stats
from scipy.sparse import csgraph

from ecoanalysis.errors import UsageError
from ecoanalysis.ratings.voices import gather_voices

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
    are what draws need: scales (`low`, `length`) and, of each criterion, the answers, the weight of
    each rater for each actor (1 / their number), the inverse root of the raters' equations,
    connected groups.
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
    cells: tuple[sparse.csr_array, ...]
    shares: tuple[sparse.csr_array, ...]
    roots: Values
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
    share = (voices["value"].to_numpy(dtype=float) - low[c]) / (high - low)[c]
    shape, size = (len(ids), len(people)), len(codes)
    cells = tuple(
        sparse.csr_array((share[c == k], (a[c == k], r[c == k])), shape) for k in range(size)
    )
    shares = tuple(_share_out(table) for table in cells)
    estimates, effects = (np.full((n, size), np.nan) for n in shape)
    n_raters = np.zeros((shape[0], size), dtype=np.intp)
    groups, roots = np.zeros((size, sum(shape)), np.intp), np.zeros((size, shape[1], shape[1]))
    for k, table in enumerate(cells):
        groups[k], n_raters[:, k] = _label_groups(table), np.diff(table.indptr)
        estimates[:, k], effects[:, k], roots[k] = _fit_additive(table, shares[k])
    residual = share - estimates[a, c] - effects[r, c]
    n_groups = (groups.max(axis=1, initial=-1) + 1).sum()
    df = int(len(share) - (groups >= 0).sum() + n_groups)
    rounding = np.mean(1 / (12 * (high - low) ** 2)) if size else np.nan
    variance = max(residual @ residual / df, rounding) if df else np.nan
    label = _label_groups(sparse.csr_array((np.ones(len(a)), (a, r)), shape))
    return PanelFit(
        actors=ids, raters=people, criteria=codes, panels=_count_panels(label, n=shape[0]),
        panel=label[: shape[0]], estimates=estimates, n_raters=n_raters, effects=effects,
        residual_sd=float(np.sqrt(variance)), df=df, halo=_measure_halo(residual, a, r),
        reason="" if df else ("no_ratings", "one_rater", "no_overlap")[min(shape[1], 2)],
        low=low, length=high - low, cells=cells, shares=shares, roots=roots, groups=groups,
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
    for choice, allowed in ((scope, get_args(Scope)), (method, get_args(DrawMethod))):
        if choice not in allowed:
            raise UsageError(f"unknown choice {choice!r}; there are: {', '.join(allowed)}")
    block = max(1, BLOCK // max(1, fit.estimates.size))
    sizes = [min(block, draws - start) for start in range(0, draws, block)]
    streams = np.random.default_rng(seed).spawn(7)
    if method == "bootstrap":
        return (_resample_raters(fit, n, streams) for n in sizes)
    return (_draw_block(fit, n, streams, shifted=scope == "other") for n in sizes)


def measure_actor_effects(fit: PanelFit, *, draws: int = 1000, seed: int = 0) -> pd.DataFrame:
    """Measure both intervals of each actor on each criterion that was rated.

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
    for scope, prefix in zip(get_args(Scope), ("", "other_"), strict=True):
        drawn = draw_actor_effects(fit, draws=draws, scope=scope, seed=seed)[:, a, c]
        found[f"{prefix}low"], found[f"{prefix}high"] = np.quantile(drawn, [0.05, 0.95], axis=0)
    return found


def _label_groups(cells: sparse.csr_array) -> Codes:
    """Label each actor, then each rater: connected groups, most actors first; -1 if unrated."""
    n = cells.shape[0]
    graph = sparse.block_array([[None, cells], [cells.T, None]], format="coo")
    linked = np.unique(graph.coords[0])
    ones = sparse.coo_array((np.ones(graph.nnz), graph.coords), graph.shape)
    label = csgraph.connected_components(ones, directed=False)[1]
    actors = np.bincount(label[linked[linked < n]], minlength=len(label) + 1)
    order = np.lexsort((np.arange(len(actors)), -actors))
    found = np.full(sum(cells.shape), -1, dtype=np.intp)
    found[linked] = np.argsort(order)[label[linked]]
    return found


def _count_panels(label: Codes, *, n: int) -> pd.DataFrame:
    """Count the actors (the first `n`) and raters of each panel."""
    panels = range(label.max(initial=-1) + 1)
    counts = [
        np.bincount(part[part >= 0], minlength=len(panels)) for part in (label[:n], label[n:])
    ]
    return pd.DataFrame({"panel": panels, "n_actors": counts[0], "n_raters": counts[1]})


def _share_out(table: sparse.csr_array) -> sparse.csr_array:
    """Weigh the raters of each actor evenly: rows sum to 1, or are empty."""
    n_raters = np.diff(table.indptr)
    each = 1 / np.repeat(n_raters, n_raters)
    return sparse.csr_array((each, table.indices, table.indptr), table.shape)


def _fit_additive(
    table: sparse.csr_array, share: sparse.csr_array
) -> tuple[Values, Values, Values]:
    """Fit one criterion by the normal equations of the raters, who are few.

    Returns the estimates of actors, the effects of raters, and the symmetric root of the
    generalised inverse of the raters' equations.
    """
    n_actors = np.diff(table.indptr)
    n_people = np.bincount(table.indices, minlength=table.shape[1])
    mean = table.sum(axis=1) / np.where(n_actors > 0, n_actors, np.nan)
    shared = share.T @ sparse.diags_array(n_actors.astype(float)) @ share
    values, vectors = np.linalg.eigh(np.diag(n_people) - shared.toarray())
    kept = values > 1e-9 * max(1.0, values.max(initial=0))
    inverse = np.divide(1, values, out=np.zeros_like(values), where=kept)
    above = table.sum(axis=0) - share.T @ np.nan_to_num(mean * n_actors)
    effects = np.where(n_people > 0, vectors @ (inverse * (vectors.T @ above)), np.nan)
    root = (vectors * np.sqrt(inverse)) @ vectors.T
    return mean - share @ np.nan_to_num(effects), effects, root


def _measure_halo(residual: Values, a: Codes, r: Codes) -> float:
    """Correlation of residuals within (actor, rater): mean product over mean square, 0-1."""
    pairs = pd.DataFrame({"e": residual, "q": residual**2, "n": 1.0}).groupby([a, r]).sum()
    square, n_products = pairs["q"].sum(), (pairs["n"] * (pairs["n"] - 1)).sum()
    if square < 1e-12 or not n_products:
        return 0.0
    product = (pairs["e"] ** 2 - pairs["q"]).sum() / n_products
    return float(np.clip(product / (square / len(residual)), 0, 1))


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
    for k, share in enumerate(fit.shares):
        by_rater = share @ (fit.roots[k] @ people[:, :, k].T)
        own[:, :, k] /= np.sqrt(np.maximum(fit.n_raters[:, k], 1))
        own[:, :, k] = spread[:, None] * (own[:, :, k] + by_rater.T)
        if shifted:
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
    for k, table in enumerate(fit.cells):
        ones = sparse.csr_array((np.ones(table.nnz), table.indices, table.indptr), table.shape)
        total, voices = table @ times, ones @ times
        np.divide(total.T, voices.T, out=share[:, :, k], where=voices.T > 0)
    return fit.low + fit.length * share
