"""Who is ready: how familiar actors are with digital technology, and how much they want it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.names import describe_omitted, place_names
from ecoanalysis.wording import Language

CRITERIA = ["familiarity", "appetite"]
_MARK = 8.0


def plot_readiness(
    averages: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    ax: Axes,
    codebook: Codebook,
    language: Language,
) -> Axes:
    """Draw familiarity against appetite, one mark an actor, and name the four quarters in words.

    Parameters
    ----------
    averages : pandas.DataFrame
        `actor_id`, `criterion`, `mean` (on the criterion's scale); of the criteria `familiarity`
        and `appetite` are drawn.
    actors : pandas.DataFrame
        `actor_id`, `name`, `helix`.
    ax, codebook, language : Axes, Codebook, Language
        Where to draw, labels and scales, words and numbers.

    Returns
    -------
    matplotlib.axes.Axes
        The same axes: familiarity along x, appetite along y, cut at the middle of their scales.
        Actors rated on one of the two only are counted in a note; those with the same two values
        are fanned out around them. No interval is drawn: means are shown as they are.
    """
    wide = averages.pivot_table(index="actor_id", columns="criterion", values="mean")
    wide = wide.reindex(columns=CRITERIA).dropna(how="all")
    rated = actors.merge(wide.dropna(), left_on="actor_id", right_index=True)
    if rated.empty:
        return style.say_empty(ax, language=language)
    best = rated[CRITERIA].sum(axis=1).sort_values(ascending=False, kind="stable").index
    rated = rated.loc[best].reset_index(drop=True)
    _draw_quarters(ax, codebook=codebook, language=language)
    n_half = int(wide.isna().any(axis=1).sum())
    half = language.ngettext(
        "%(n)s actor rated on one of the two only is not drawn.",
        "%(n)s actors rated on one of the two only are not drawn.",
        n_half,
    )
    notes = [half % {"n": language.format_number(n_half)}] if n_half else []
    if rated.duplicated(CRITERIA).any():
        notes.append(language.gettext("Actors with the same two means are fanned out."))
    key = style.make_key(rated["helix"], codebook=codebook, language=language)
    style.frame_axes(ax, height=330, key=key, notes=notes, spare=1)
    places = style.fan_out(ax, rated[CRITERIA].to_numpy(float), spacing=_MARK)
    style.draw_marks(ax, rated["helix"], places, sizes=_MARK, clip_on=False)
    omitted = place_names(ax, places, rated["name"].tolist(), radius=_MARK / 2)
    style.write_note(ax, describe_omitted(omitted, language=language))
    return ax


def _draw_quarters(ax: Axes, *, codebook: Codebook, language: Language) -> None:
    """Set the scales, shade the quarter that is strong in both, and name all four."""
    scales = codebook.criteria.loc[CRITERIA, ["scale_min", "scale_max"]].to_numpy(float)
    margins = (scales[:, 1] - scales[:, 0]) * (0.03, 0.1)
    low, high = scales[:, 0] - margins, scales[:, 1] + margins
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    middle_x, middle_y = scales.mean(axis=1)
    ax.axvspan(middle_x, high[0], 0.5, 1, color=style.FAINT, zorder=0, linewidth=0)
    ax.axvline(middle_x, color=style.GRID, linewidth=1.2, zorder=0.5)
    ax.axhline(middle_y, color=style.GRID, linewidth=1.2, zorder=0.5)
    quarters = {
        (0, 1): language.gettext("Keen, to be supported"),
        (1, 1): language.gettext("At ease and keen"),
        (0, 0): language.gettext("To be won over step by step"),
        (1, 0): language.gettext("At ease, to be convinced"),
    }
    for (x, y), words in quarters.items():
        sides = {"ha": "right" if x else "left", "va": "top" if y else "bottom"}
        style.write(ax, (x, y), words, shift=(6 - 12 * x, 6 - 12 * y), transform=ax.transAxes,
                    color=style.MUTED, fontsize=style.SMALL, weight="bold", **sides)  # fmt: skip
    across, upwards = (codebook.label("criteria", code, language.code) for code in CRITERIA)
    steps = [int(high - low) if high - low <= 10 else 5 for low, high in scales]
    ticks = [
        np.linspace(low, high, n + 1).tolist() for (low, high), n in zip(scales, steps, strict=True)
    ]
    numbers = [[language.format_number(tick) for tick in axis] for axis in ticks]
    style.write_ticks(ax, ticks[0], numbers[0])
    ax.set_yticks([])
    style.write_rows(ax, ticks[1], numbers[1], color=style.MUTED, fontsize=style.SMALL)
    ax.set_xlabel(style.clean_words(f"{across} →"), parse_math=False, loc="right")
    style.write(ax, (0, 1), f"↑ {upwards}", transform=ax.transAxes, shift=(-8, 5),
                color=style.MUTED, fontsize=style.SMALL)  # fmt: skip
