"""The map of one territory: actors as marks over thin outlines."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection

from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.names import Array, describe_omitted, place_names
from ecoanalysis.wording import Language

_KM = 111.32
"""Kilometres in one degree of latitude."""
_ABROAD = "#dee5e9"
_COARSE = 25.0
"""Half width in kilometres under which outlines of countries would mislead."""
_POSTAL = r"(?i)\bcedex\b.*|\d.*"
_NEAR, _SMALLEST, _NAMED = 1.3, 1.0, 150


class _Frame(NamedTuple):
    """Centre in degrees, half width and half height in kilometres."""

    longitude: float
    latitude: float
    half_width: float
    half_height: float


def plot_map(
    actors: pd.DataFrame,
    *,
    ax: Axes,
    codebook: Codebook,
    language: Language,
    outlines: Sequence[Array] = (),
) -> Axes:
    """Draw where the actors are, helix by helix.

    Parameters
    ----------
    actors : pandas.DataFrame
        `name`, `helix`, `city`, `latitude`, `longitude` (degrees, WGS 84). Actors without a place
        are left out.
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels, words and numbers.
    outlines : sequence of arrays of shape (n, 2)
        Rings of longitude and latitude, as `study.read_outlines` gives them for a country. They
        are coarse: drawn only where the map is more than 50 km wide, what lies outside darker.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: longitude along x and latitude along y, at true proportions in the middle.
        The frame holds all actors but those far off (beyond 1.3 times the distance, from the
        median place, within which 98 % lie), whom a note counts. Actors at one and the same place
        are fanned out around it. Towns are named, or actors where all are in one town.
    """
    located = actors.dropna(subset=["latitude", "longitude"]).reset_index(drop=True)
    if located.empty:
        return style.say_empty(ax, language=language)
    frame, near = _choose_frame(located)
    shown = located[near].reset_index(drop=True)
    same = shown.duplicated(["latitude", "longitude"])
    shape = 0.5 if same.sum() == len(shown) - 1 else frame.half_height / frame.half_width
    n_far = len(located) - len(shown)
    far = language.ngettext(
        "%(n)s actor lies outside the frame.", "%(n)s actors lie outside the frame.", n_far
    )
    notes = [far % {"n": language.format_number(n_far)}] if n_far else []
    if same.any():
        notes.append(language.gettext("Actors at one and the same place are fanned out."))
    towns = _find_towns(shown)
    style.clear_frame(ax)
    key = style.make_key(shown["helix"], codebook=codebook, language=language)
    height = style.WIDTH * 72 * float(np.clip(shape, 0.5, 1.05))
    style.frame_axes(
        ax, height=height, key=key, notes=notes, spare=int(towns is None and len(shown) <= _NAMED)
    )
    _set_limits(ax, frame)
    _draw_outlines(ax, outlines if frame.half_width > _COARSE else [])
    size = 8.0 if len(shown) <= 60 else 6.0 if len(shown) <= 300 else 4.2
    places = style.fan_out(ax, shown[["longitude", "latitude"]].to_numpy(float), spacing=size)
    alpha = 0.6 if len(shown) > 300 else 1.0
    style.draw_marks(ax, shown["helix"], places, sizes=size, alpha=alpha)
    _draw_scale(ax, frame, language=language)
    if towns is not None:
        _name_towns(ax, towns, places, size=size)
    elif len(shown) <= _NAMED:
        away = np.hypot(*(places - np.median(places, axis=0)).T)
        order = np.argsort(-away, kind="stable")
        names = shown["name"].iloc[order].tolist()
        omitted = place_names(ax, places[order], names, radius=size / 2)
        style.write_note(ax, describe_omitted(omitted, language=language))
    return ax


def _choose_frame(located: pd.DataFrame) -> tuple[_Frame, pd.Series[bool]]:
    middle = located[["longitude", "latitude"]].median().to_numpy(float)
    degree = np.array([_KM * np.cos(np.radians(middle[1])), _KM])
    away = (located[["longitude", "latitude"]].to_numpy(float) - middle) * degree
    distance = pd.Series(np.hypot(*away.T), located.index)
    near = distance <= max(distance.quantile(0.98, interpolation="lower") * _NEAR, _SMALLEST)
    low, high = away[near].min(axis=0), away[near].max(axis=0)
    centre, half = middle + (low + high) / 2 / degree, np.maximum((high - low) * 0.54, _SMALLEST)
    return _Frame(*centre.tolist(), *half.tolist()), near


def _set_limits(ax: Axes, frame: _Frame) -> None:
    """Fill the axes with the frame, at the same kilometres per point both ways."""
    box = ax.get_window_extent()
    scale = max(frame.half_width / box.width, frame.half_height / box.height) / _KM
    half_x = scale * box.width / float(np.cos(np.radians(frame.latitude)))
    half_y = scale * box.height
    ax.set_xlim(frame.longitude - half_x, frame.longitude + half_x)
    ax.set_ylim(frame.latitude - half_y, frame.latitude + half_y)


def _draw_outlines(ax: Axes, outlines: Sequence[Array]) -> None:
    ax.set_facecolor(_ABROAD if len(outlines) else style.FAINT)
    corners = np.array([ax.get_xlim(), ax.get_ylim()]).T
    near = [
        ring
        for ring in outlines
        if (ring.max(axis=0) > corners[0]).all() and (ring.min(axis=0) < corners[1]).all()
    ]
    land = PolyCollection(near, facecolors=style.FAINT, edgecolors=style.RULE, linewidths=0.7)
    land.set_zorder(0.5)
    ax.add_collection(land, autolim=False)


def _draw_scale(ax: Axes, frame: _Frame, *, language: Language) -> None:
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    degree = _KM * float(np.cos(np.radians(frame.latitude)))
    room = (right - left) * degree / 4
    tens = 10 ** np.floor(np.log10(room))
    length = max(step * tens for step in (1, 2, 5) if step * tens <= room)
    x, y = left + (right - left) * 0.03, low + (high - low) * 0.035
    ax.plot([x, x + length / degree], [y, y], color=style.INK, linewidth=1.6, zorder=4)
    number = language.format_number(length, 0 if length >= 1 else 1)
    words = language.gettext("%(n)s km") % {"n": number}
    style.write(ax, (x, y), words, shift=(0, 4), fontsize=style.SMALL, zorder=4)


def _find_towns(shown: pd.DataFrame) -> pd.Series[str] | None:
    """Return each actor's town as it is mostly written; nothing where nearly all share one."""
    cities = shown["city"].fillna("").astype(str).str.replace(_POSTAL, "", regex=True).str.strip()
    folded = cities.str.replace(r"[\W_]+", " ", regex=True).str.casefold()
    names = cities.groupby(folded).agg(lambda spelled: spelled.mode()[0])
    towns = folded.map(names.map(lambda name: name.title() if name.isupper() else name))
    counts = towns[towns != ""].value_counts()
    return towns if len(counts) > 1 and counts.iloc[0] < 0.9 * len(shown) else None


def _name_towns(ax: Axes, towns: pd.Series[str], places: Array, *, size: float) -> None:
    """Name the towns with the most actors, in the middle of theirs."""
    names = towns[towns != ""].value_counts().index.tolist()
    middles = np.array([np.median(places[towns == name], axis=0) for name in names])
    dense = len(places) > _NAMED
    halo = {"facecolor": style.FAINT, "alpha": 0.75, "linewidth": 0, "pad": 1.2}
    place_names(ax, middles, names, obstacles=None if dense else places, limit=14, zorder=4,
                radius=0 if dense else size / 2, bbox=halo)  # fmt: skip
