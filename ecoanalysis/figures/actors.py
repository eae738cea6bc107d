"""Actors as marks in a plane: on the map, in grids of two scales."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from ecoanalysis.codebook import READINESS, Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.names import place_names
from ecoanalysis.figures.style import FAINT, GRID, INK, MUTED, RULE, SMALL, Array, fill_in, write
from ecoanalysis.wording import Language

PLACE = ["longitude", "latitude"]
_NEAR, _SMALLEST = 1.3, 1.0
_POSTAL = (
    r"(?i)^\s*(?:[a-z]{1,2}-)?(?:\d ?){4,}"  # a code before the town
    r"|\W*\bcedex\b.*"
    r"|(?<=[^\W\d])[\W_]*(?:\(\D*)?\d.*"  # a code or a district behind it
)
_NAMED, _MANY, _MOST, _SURE = 150, 300, 3000, 0.9


def plot_map(actors: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language) -> Axes:
    """Draw where actors are (name, helix, city, latitude, longitude in degrees), fanned out.

    The frame holds all but those beyond 1.3 times the distance, from the median place, within which
    98 % lie; where most lie at both sides of 180°, it runs across it. Towns are named, or actors
    where nearly all are in one town. Of more than 3,000 so many are drawn, chosen at random by a
    fixed seed.
    """
    located = actors.dropna(subset=PLACE)
    if located.empty:
        return style.say_empty(ax, language)
    located = located.assign(longitude=_join_longitudes(located["longitude"]))
    away = located[PLACE] - located[PLACE].median()
    away *= _measure_degree(located["latitude"].median())
    distance = pd.Series(np.hypot(*away.to_numpy().T), located.index)
    reach = max(distance.quantile(0.98, interpolation="lower") * _NEAR, _SMALLEST)
    near = distance[distance <= reach].sort_values(ascending=False, kind="stable")
    n_far, n_spared = len(located) - len(near), max(len(near) - _MOST, 0)
    shown = located.loc[near.sample(_MOST, random_state=1).index if n_spared else near.index]
    same, towns = shown.duplicated(PLACE), _find_towns(shown["city"])
    far = language.ngettext("%(n)s organisation lies outside the frame.",
                            "%(n)s organisations lie outside the frame.", n_far)  # fmt: skip
    fanned = language.gettext("Organisations at one and the same place are fanned out.")
    notes = [fill_in(far, n_far, language), fanned if same.any() else "",
             style.describe_more(n_spared, language)]  # fmt: skip
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
    scales = codebook.criteria.loc[READINESS, ["scale_min", "scale_max"]].to_numpy(float)
    words = language.gettext("Not drawn, too few answers on one or both questions: %(names)s.")
    quarters = (
        language.gettext("To be won over step by step"),
        language.gettext("At ease, to be convinced"),
        language.gettext("Keen, to be supported"),
        language.gettext("At ease and keen"),
    )  # fmt: skip
    titles = [codebook.label("criteria", code, language.code) for code in READINESS]
    return _plot_grid(actors, READINESS, scales, quarters, titles, words, ax, codebook, language)


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


def _measure_degree(latitude: float) -> Array:
    """Return the kilometres in a degree of longitude and of latitude."""
    return np.array([np.cos(np.radians(latitude)), 1]) * 111.32


def _join_longitudes(longitudes: pd.Series[float]) -> pd.Series[float]:
    """Count eastwards from Greenwich (0-360°) where the places lie nearer to their median so."""
    ways = (longitudes, longitudes % 360)
    return min(ways, key=lambda way: round((way - way.median()).abs().mean(), 6))


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


def _choose_ticks(low: float, high: float, language: Language) -> dict[float, str]:
    """Choose at most 11 round numbers of a scale, written with all of their decimals."""
    locator = MaxNLocator(10, integer=True, steps=[1, 2, 5, 10])
    ticks = np.round(locator.tick_values(low, high), 9)
    ticks = ticks[(ticks >= low) & (ticks <= high)]
    digits = next(n for n in range(10) if (ticks == ticks.round(n)).all())
    return {tick: language.format_number(tick, digits) for tick in ticks.tolist()}


def _plot_grid(
    actors: pd.DataFrame, columns: list[str], scales: Array, quarters: Sequence[str],
    titles: Sequence[str], missing: str, ax: Axes, codebook: Codebook, language: Language,
) -> Axes:  # fmt: skip
    """Draw actors, the highest first to be named, in a plane; shade the quarter strong in both."""
    drawn = actors.dropna(subset=columns)
    best = drawn[columns].sum(axis=1).sort_values(ascending=False, kind="stable").index
    drawn, absent = drawn.loc[best], actors.loc[actors.index.difference(best, sort=False), "name"]
    if drawn.empty:
        return style.say_empty(ax, language)
    bounds = [f"{column}_{end}" for column in columns for end in ("low", "high")]
    ends = drawn.reindex(columns=bounds).to_numpy(float, copy=True)
    ends[_MANY:] = np.nan  # more lines would hide the marks
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
    xs, ys = (_choose_ticks(low, high, language) for low, high in scales)
    style.write_scale(ax, xs, f"{titles[0]} →")
    style.write_rows(ax, ys, ys.values(), **look)
    write(ax, (0, 1), f"↑ {titles[1]}", transform=ax.transAxes, shift=(-8, 5), **look)
    style.frame_axes(ax, height=340, key=style.make_key(drawn["helix"], codebook, language),
                     notes=notes, spare=1)  # fmt: skip
    places = style.fan_out(ax, drawn[columns].to_numpy(float), spacing=8)
    ax.hlines(places[:, 1], *ends[:, :2].T, color=RULE, linewidth=0.6, alpha=0.7, zorder=1)
    ax.vlines(places[:, 0], *ends[:, 2:].T, color=RULE, linewidth=0.6, alpha=0.7, zorder=1)
    style.draw_marks(ax, drawn["helix"], places, sizes=8, hollow=unsure)
    place_names(ax, places, list(drawn["name"]), radius=4, language=language, bbox=style.HALO)
    return ax
