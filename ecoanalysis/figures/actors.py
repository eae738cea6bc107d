"""Actors as marks in a plane: on the map, in the grid of readiness, in the network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import networkx as nx
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.names import describe_omitted, place_names
from ecoanalysis.figures.style import FAINT, GRID, INK, MUTED, RULE, SMALL, Array, fill_in, write
from ecoanalysis.wording import Language

CRITERIA, PLACE = ["familiarity", "appetite"], ["longitude", "latitude"]
_NEAR, _SMALLEST, _POSTAL = 1.3, 1.0, r"(?i)\bcedex\b.*|\d.*"
_NAMED, _MANY, _CORE, _TOP, _SURE = 150, 300, 400, 40, 0.9


def plot_map(actors: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language) -> Axes:
    """Draw where actors are (name, helix, city, latitude, longitude in degrees), fanned out.

    The frame holds all but those beyond 1.3 times the distance, from the median place, within which
    98 % lie. Towns are named, or actors where nearly all are in one town.
    """
    located = actors.dropna(subset=PLACE)
    if located.empty:
        return style.say_empty(ax, language)
    away = located[PLACE] - located[PLACE].median()
    away *= _measure_degree(located["latitude"].median())
    distance = pd.Series(np.hypot(*away.to_numpy().T), located.index)
    reach = max(distance.quantile(0.98, interpolation="lower") * _NEAR, _SMALLEST)
    near = distance[distance <= reach].sort_values(ascending=False, kind="stable")
    shown, n_far = located.loc[near.index], len(located) - len(near)
    same, towns = shown.duplicated(PLACE), _find_towns(shown["city"])
    far = language.ngettext("%(n)s organisation lies outside the frame.",
                            "%(n)s organisations lie outside the frame.", n_far)  # fmt: skip
    fanned = language.gettext("Organisations at one and the same place are fanned out.")
    notes = [fill_in(far, n_far, language), fanned if same.any() else ""]
    low, high = shown[PLACE].min().to_numpy(), shown[PLACE].max().to_numpy()
    km = _measure_degree((low + high)[1] / 2)
    half = np.maximum((high - low) * km * 0.54, _SMALLEST)
    shape = 0.5 if same.sum() == len(shown) - 1 else np.clip(half[1] / half[0], 0.5, 1.05)
    key = style.make_key(shown["helix"], codebook, language)
    named, dense = towns is None and len(shown) <= _NAMED, len(shown) > _NAMED
    style.frame_axes(ax, height=style.WIDTH * 72 * shape, key=key, notes=notes, spare=int(named))
    size = np.array(ax.get_window_extent().size)
    middle, half = (low + high) / 2, size * (half / size).max() / km
    _draw_ground(ax, middle - half, middle + half, km[0], language)
    sizes = 8.0 if len(shown) <= 60 else 6.0 if len(shown) <= _MANY else 4.2
    places = style.fan_out(ax, shown[PLACE].to_numpy(float), spacing=sizes)
    alpha = 0.6 if len(shown) > _MANY else 1.0
    style.draw_marks(ax, shown["helix"], places, sizes=sizes, alpha=alpha)
    if named:
        place_names(ax, places, list(shown["name"]), radius=sizes / 2, language=language)
    elif towns is not None:
        names = list(towns[towns != ""].value_counts().index[:14])
        middles = np.array([np.median(places[towns == name], axis=0) for name in names])
        place_names(ax, middles, names, obstacles=middles if dense else places, zorder=4,
                    radius=0 if dense else sizes / 2, bbox=style.HALO)  # fmt: skip
    return ax


def plot_readiness(
    actors: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw the familiarity (x) and appetite (y) of each actor, with thin crosses as intervals.

    `actors`: name, helix, familiarity, appetite (on their scales), and where they are known
    familiarity_low, familiarity_high, appetite_low, appetite_high. Actors without both are listed.
    """
    scales = codebook.criteria.loc[CRITERIA, ["scale_min", "scale_max"]].to_numpy(float)
    words = language.gettext("Not drawn, too few answers on one or both questions: %(names)s.")
    quarters = (
        language.gettext("To be won over step by step"),
        language.gettext("At ease, to be convinced"),
        language.gettext("Keen, to be supported"),
        language.gettext("At ease and keen"),
    )  # fmt: skip
    titles = [codebook.label("criteria", code, language.code) for code in CRITERIA]
    return _plot_grid(actors, CRITERIA, scales, quarters, titles, words, ax, codebook, language)


def plot_power_interest(
    actors: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw the interest (x) and power (y) of each actor, open where the quarter is unsure.

    `actors`: name, helix, power, interest (0-1), p_quadrant (0-1, share of the draws in its
    quarter; open below 0.9), and bounds where they are known (power_low, …).
    """
    words = language.gettext("Not drawn, power or interest unknown: %(names)s.")
    quarters = (
        language.gettext("To be kept in view"), language.gettext("To be kept informed"),
        language.gettext("To be kept satisfied"), language.gettext("To work with closely"),
    )  # fmt: skip
    titles = [language.gettext("Interest"), language.gettext("Power")]
    return _plot_grid(actors, ["interest", "power"], np.array([(0, 1), (0, 1)]), quarters, titles,
                      words, ax, codebook, language)  # fmt: skip


def plot_network(
    ties: pd.DataFrame, *, actors: pd.DataFrame, ax: Axes, codebook: Codebook, language: Language
) -> Axes:
    """Draw the ties between actors, the larger the more tied; of more than 400 the core (k-cores).

    `ties`: source_id, target_id (those to others are left out); `actors`: actor_id, name, helix.
    """
    known = actors.drop_duplicates("actor_id").reset_index(drop=True)
    number = pd.Index(known["actor_id"])  # so that nothing depends on how text is hashed
    ends = zip(*(number.get_indexer(ties[end]) for end in ("source_id", "target_id")), strict=True)
    graph = nx.empty_graph(len(known))
    graph.add_edges_from((a, b) for a, b in ends if a != b and min(a, b) >= 0)
    known["degree"] = [graph.degree(node) for node in graph]
    known["core"] = pd.Series(nx.core_number(graph))
    tied = known[known["degree"] > 0].sort_values(["core", "degree"], ascending=False)
    if tied.empty:
        return style.say_empty(ax, language)
    shown = tied.head(_CORE).sort_values("degree", ascending=False, kind="stable")
    alone, number = known["name"][known["degree"] == 0], language.format_number
    core = language.gettext("Drawn: the %(n)s best-tied of %(all)s organisations.")
    none = language.ngettext("No tie listed for %(n)s organisation: %(names)s",
                             "No tie listed for %(n)s organisations: %(names)s",
                             len(alone))  # fmt: skip
    notes = [
        core % {"n": number(len(shown)), "all": number(len(tied))} * (len(shown) < len(tied)),
        none % {"n": number(len(alone)), "names": style.list_names(alone, language)}
        if len(alone)
        else "",
    ]
    key = style.make_key(shown["helix"], codebook, language)
    ax.set(xlim=(0, 1), ylim=(0, 1))
    height = 360 if len(shown) > 12 else 240
    style.frame_axes(ax, height=height, key=key, notes=notes, spare=1)
    steps = nx.floyd_warshall_numpy(graph.subgraph(shown.index), list(shown.index))
    places = _lay_out(np.where(np.isinf(steps), steps[np.isfinite(steps)].max() + 2, steps))
    lines = places[np.argwhere(np.triu(steps == 1))].reshape(-1, 2)
    path = Path(lines, np.tile([Path.MOVETO, Path.LINETO], len(lines) // 2))
    width, alpha = 0.9 if len(lines) < 600 else 0.4, np.clip(800 / len(lines), 0.12, 0.75)
    ax.add_patch(PathPatch(path, fill=False, ec=RULE, lw=width, alpha=alpha, zorder=1))
    least, most = (6.0, 15.0) if len(shown) <= 120 else (3.5, 10.0)
    sizes = least + (most - least) * np.sqrt(shown["degree"].to_numpy() / shown["degree"].max())
    style.draw_marks(ax, shown["helix"], places, sizes=sizes)
    top = places[:_TOP], list(shown["name"][:_TOP])  # names may cover the marks of the others
    omitted = place_names(ax, *top, radius=sizes[:_TOP] / 2, limit=20, bbox=style.HALO)
    note = language.gettext("Only those with the most ties are named.") if len(shown) > _TOP else ""
    style.write_note(ax, note or describe_omitted(omitted, language=language))
    return ax


def _measure_degree(latitude: float) -> Array:
    """Return the kilometres in a degree of longitude and of latitude."""
    return np.array([np.cos(np.radians(latitude)), 1]) * 111.32


def _find_towns(cities: pd.Series[str]) -> pd.Series[str] | None:
    """Return each actor's town as it is mostly written; nothing where nearly all share one."""
    cities = cities.fillna("").astype(str).str.replace(_POSTAL, "", regex=True).str.strip()
    folded = cities.str.replace(r"[\W_]+", " ", regex=True).str.casefold()
    names = cities.groupby(folded).agg(lambda spelled: spelled.mode()[0])
    towns = folded.map(names.map(lambda name: name.title() if name.isupper() else name))
    counts = towns[towns != ""].value_counts()
    return towns if len(counts) > 1 and counts.iloc[0] < 0.9 * len(cities) else None


def _draw_ground(ax: Axes, low: Array, high: Array, degree: float, language: Language) -> None:
    """Set the limits of a map, colour its ground, and draw a scale in kilometres."""
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.axvspan(low[0], high[0], color=FAINT, linewidth=0, zorder=0)
    room = (high[0] - low[0]) * degree / 4
    tens = 10 ** np.floor(np.log10(room))
    length = max(step * tens for step in (1, 2, 5) if step * tens <= room)
    x, y = low + (high - low) * (0.03, 0.035)
    ax.plot([x, x + length / degree], [y, y], color=INK, linewidth=1.6, zorder=4)
    words = language.gettext("%(n)s km") % {"n": language.format_number(length, int(length < 1))}
    write(ax, (x, y), words, shift=(0, 4), fontsize=SMALL, zorder=4)


def _plot_grid(
    actors: pd.DataFrame, columns: list[str], scales: Array, quarters: Sequence[str],
    titles: Sequence[str], missing: str, ax: Axes, codebook: Codebook, language: Language,
) -> Axes:  # fmt: skip
    """Draw actors, the highest first to be named, in a plane of four quarters."""
    drawn = actors.dropna(subset=columns)
    best = drawn[columns].sum(axis=1).sort_values(ascending=False, kind="stable").index
    drawn, absent = drawn.loc[best], actors.loc[actors.index.difference(best, sort=False), "name"]
    if drawn.empty:
        return style.say_empty(ax, language)
    bounds = [f"{column}_{end}" for column in columns for end in ("low", "high")]
    ends = drawn.reindex(columns=bounds).to_numpy(float)
    unsure = drawn["p_quadrant"] < _SURE if "p_quadrant" in drawn else pd.Series(False, best)
    lines = language.gettext("Thin lines: %(share)s of draws.")
    share = {"share": language.format_percent(_SURE)}
    hollow = language.gettext("Open mark: in this quarter in fewer than %(share)s of draws.")
    same = language.gettext("Organisations at one and the same place are fanned out.")
    notes = [
        missing % {"names": style.list_names(absent, language)} if len(absent) else "",
        lines % share if np.isfinite(ends).any() else "",
        same if drawn.duplicated(columns).any() else "",
        hollow % share if unsure.any() else "",
    ]
    _draw_quarters(ax, scales, quarters, titles, language)
    style.frame_axes(ax, height=340, key=style.make_key(drawn["helix"], codebook, language),
                     notes=notes, spare=1)  # fmt: skip
    places = style.fan_out(ax, drawn[columns].to_numpy(float), spacing=8)
    ax.hlines(places[:, 1], *ends[:, :2].T, color=RULE, linewidth=0.6, alpha=0.7, zorder=1)
    ax.vlines(places[:, 0], *ends[:, 2:].T, color=RULE, linewidth=0.6, alpha=0.7, zorder=1)
    style.draw_marks(ax, drawn["helix"], places, sizes=8, hollow=unsure)
    place_names(ax, places, list(drawn["name"]), radius=4, language=language, bbox=style.HALO)
    return ax


def _draw_quarters(
    ax: Axes, scales: Array, quarters: Sequence[str], titles: Sequence[str], language: Language
) -> None:
    """Set the scales, shade the quarter that is strong in both, and name all four."""
    low, high = (scales + np.outer(np.ptp(scales, axis=1) * (0.03, 0.1), (-1, 1))).T
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    middle = scales.mean(axis=1)
    ax.axvspan(middle[0], high[0], 0.5, 1, color=FAINT, zorder=0, linewidth=0)
    for (x, y), colour in ((middle, GRID), (low, RULE)):
        ax.axvline(x, color=colour, linewidth=1, zorder=0.5)
        ax.axhline(y, color=colour, linewidth=1, zorder=0.5)
    look: dict[str, Any] = {"color": MUTED, "fontsize": SMALL}
    for i, words in enumerate(quarters):
        x, y = i % 2, i // 2
        write(ax, (x, y), words, shift=(6 - 12 * x, 6 - 12 * y), transform=ax.transAxes,
              ha=("left", "right")[x], va=("bottom", "top")[y], weight="bold", **look)  # fmt: skip
    xs, ys = (np.linspace(low, high, int(min(high - low, 10)) + 1) for low, high in scales)
    style.write_scale(ax, xs, f"{titles[0]} →", language)
    style.write_rows(ax, ys, [language.format_number(y) for y in ys], **look)
    write(ax, (0, 1), f"↑ {titles[1]}", transform=ax.transAxes, shift=(-8, 5), **look)


def _lay_out(steps: Array) -> Array:
    """Return places in the unit square, as far apart as can be as there are `steps` between them.

    Stress majorisation (Gansner, Koren & North 2005) from classical scaling, the long way across.
    """
    n = len(steps)
    weights = 1 / np.maximum(steps, 1) ** 2 - np.eye(n)
    solve = np.linalg.inv(np.diag(weights.sum(axis=1)) - weights + 1 / n)
    centred = steps**2 - (steps**2).mean(axis=0)
    values, vectors = np.linalg.eigh(centred.mean(axis=1)[:, None] - centred)
    places = vectors[:, -2:] * np.sqrt(np.maximum(values[-2:], 0.1))
    places = places + np.random.default_rng(1).normal(0, 0.05, places.shape)
    for _ in range(100):
        square = (places**2).sum(axis=1)
        away = np.sqrt(np.maximum(square[:, None] + square - 2 * places @ places.T, 1e-9))
        pull = weights * steps / away
        places = solve @ (pull.sum(axis=1)[:, None] * places - pull @ places)
    places = places @ np.linalg.svd(places, full_matrices=False)[2].T
    low, spread = places.min(axis=0), np.ptp(places, axis=0)
    middle, room = low + spread / 2, np.where(spread > 1e-9, spread, np.inf) / 0.88
    return np.asarray(0.5 + (places - middle) / room)
