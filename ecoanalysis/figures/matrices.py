"""Tables of cells, light to dark: what moves and brings each actor, and which groups are tied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap

from ecoanalysis.codebook import UNCLASSIFIED, Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.style import INK, SMALL, Array
from ecoanalysis.wording import Language

_LIMIT = 50
_SHADES = LinearSegmentedColormap.from_list("shades", style.SHADES)
_CELL = np.array([(-0.47, -0.45), (0.47, -0.45), (0.47, 0.45), (-0.47, 0.45)])


def plot_heatmap(
    averages: pd.DataFrame, *, actors: pd.DataFrame, dimensions: Sequence[str], ax: Axes,
    codebook: Codebook, language: Language,
) -> Axes:  # fmt: skip
    """Draw the mean ratings of actors (rows) on the criteria of some dimensions (columns).

    `averages`: actor_id, criterion, mean (on the criterion's scale); `actors`: actor_id, name.
    Actors with the same strongest criterion stand together; fifty with the most answers are kept.
    """
    asked, wide = codebook.criteria, averages.pivot_table("mean", "actor_id", "criterion")
    codes = [code for part in dimensions for code in asked.index[asked["dimension"] == part]]
    wide = wide[[code for code in codes if code in wide]].dropna(how="all")
    names = actors.drop_duplicates("actor_id").set_index("actor_id")["name"]
    wide = wide[wide.index.isin(names.index)]
    if wide.empty:
        return style.say_empty(ax, language)
    answered, best = -wide.count(axis=1).to_numpy(), -wide.max(axis=1).to_numpy()
    strongest = wide.to_numpy(float, na_value=-np.inf).argmax(axis=1)
    kept = np.lexsort((best, answered))[:_LIMIT]
    shown = wide.iloc[kept[np.lexsort((best[kept], strongest[kept]))]]
    low, high = asked.loc[shown.columns, ["scale_min", "scale_max"]].to_numpy(float).T
    words = shown.map(language.format_number, na_action="ignore").to_numpy()
    group = asked.loc[shown.columns, "dimension"]
    columns = np.arange(len(group)) + 0.4 * (group.ne(group.shift()).cumsum().to_numpy() - 1)
    _draw_cells(ax, (shown.to_numpy(float) - low) / (high - low), words, columns)
    rounded = language.gettext("Means, rounded to whole numbers.")
    hatched = language.gettext("Hatched: not asked, or “don’t know”.")
    notes = [rounded, hatched if shown.isna().any(axis=None) else ""]
    rows = [style.shorten_name(names[actor], length=22) for actor in shown.index]
    style.write_rows(ax, range(len(rows)), rows, fontsize=SMALL)
    heads = [codebook.label("criteria", code, language.code) for code in shown.columns]
    titles = {
        "interest": language.gettext("Gains"), "resource": language.gettext("Means"),
        "lever": language.gettext("Levers"), "seeks": language.gettext("Needs"),
    }  # fmt: skip
    parts = {part: np.flatnonzero(group == part) for part in group.unique()}
    for here in parts.values():  # "Resources: money", "Resources: data" share their first word
        split = pd.Series([heads[i] for i in here]).str.split(expand=True).nunique(dropna=False)
        shared = len(here) > 1 and int((split > 1).argmax())
        for i in here:
            head = " ".join(heads[i].split()[shared:])
            heads[i] = head[:1].upper() + head[1:]
    top = 14 + _write_heads(ax, heads, columns, np.full(len(heads), -0.5), rows)
    for part, here in parts.items() if len(dimensions) > 1 else ():
        middle = columns[here[[0, -1]]].mean()
        style.write(ax, (middle, -0.5), titles[part], shift=(0, top), ha="center")
    notes = [" ".join(filter(None, notes)), style.describe_more(len(wide) - len(shown), language)]
    return style.frame_axes(ax, height=len(rows) * 17, notes=notes)


def plot_mixing(
    matrix: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language,
    group: str = "helices",
) -> Axes:  # fmt: skip
    """Draw how many ties join each pair of groups, those within a group framed.

    `matrix`: source_group, target_group (codes of the codebook's table `group`), n_ties; both ways
    round are added.
    """
    if matrix.empty or not matrix["n_ties"].sum():
        return style.say_empty(ax, language)
    present = set(matrix["source_group"]) | set(matrix["target_group"])
    codes = [code for code in [*getattr(codebook, group).index, UNCLASSIFIED] if code in present]
    ties = matrix.pivot_table("n_ties", "source_group", "target_group", aggfunc="sum")
    counts = ties.reindex(index=codes, columns=codes).fillna(0).to_numpy(float)
    counts = np.tril(counts + counts.T - np.diag(np.diag(counts)))
    words = np.vectorize(language.format_number)(counts)
    hidden = ~np.tri(len(codes), dtype=bool)
    sns.heatmap(
        counts, mask=hidden, annot=words, fmt="", cmap=_SHADES, vmin=0, cbar=False, linewidths=1,
        annot_kws={"fontsize": SMALL, "va": "center_baseline"}, ax=ax, xticklabels=False,
        yticklabels=False,
    )  # fmt: skip
    own = [[(i, i), (i + 1, i), (i + 1, i + 1), (i, i + 1)] for i in range(len(codes))]
    ax.add_collection(PolyCollection(own, facecolors="none", edgecolors=INK))
    labels = [codebook.label(group, code, language.code) for code in codes]
    rows = [style.wrap_words(label, width=24) for label in labels]
    places = np.arange(len(codes))
    style.write_rows(ax, places + 0.5, rows)
    _write_heads(ax, labels, places + 0.5, places.astype(float), rows)
    return style.frame_axes(ax, height=len(codes) * 30)


def _draw_cells(ax: Axes, shares: Array, words: Array, columns: Array) -> None:
    """Shade cells from 0 to 1 and write in them; missing ones are hatched."""
    order = np.column_stack(np.unravel_index(np.argsort(shares, axis=None), shares.shape))
    full, missing = (order[which[tuple(order.T)]] for which in (shares >= 0, np.isnan(shares)))
    cells = [[_CELL + np.array((columns[x], y)) for y, x in which] for which in (full, missing)]
    shades = shares[tuple(full.T)]
    ax.add_collection(PolyCollection(cells[0], facecolors=_SHADES(shades)))
    ax.add_collection(PolyCollection(cells[1], facecolors="white", edgecolors=style.RULE,
                                     linewidths=0, hatch="///"))  # fmt: skip
    for (y, x), shade in zip(full, shades, strict=True):
        style.write(ax, (columns[x], y), words[y][x], ha="center", va="center_baseline",
                    color="white" if shade > 0.6 else INK, in_layout=False,
                    fontsize=SMALL)  # fmt: skip
    ax.set(xlim=(-0.5, columns[-1] + 0.5), ylim=(shares.shape[0] - 0.5, -0.5))


def _write_heads(
    ax: Axes, heads: Sequence[str], columns: Array, tops: Array, rows: Iterable[str]
) -> float:
    """Write heads above columns, upright where they are narrow; return their height in points."""
    label = max(len(line) for row in rows for line in row.splitlines())
    column = (style.WIDTH * 72 - 6.4 * label - 15) / (columns[-1] + 1)
    upright = max(len(word) for head in heads for word in head.split()) * 6.2 > column
    narrow = (15, int(column / 13)) if column > 26 else (26, 1)
    width, lines = narrow if upright else (int(column / 5.8), 4)
    texts = [
        style.write(ax, (x, top), style.wrap_words(head, width=width, lines=lines), shift=(0, 5),
                    ha="center", va="bottom", linespacing=1.1, fontsize=SMALL - 1,
                    rotation=90 * upright)
        for x, top, head in zip(columns, tops, heads, strict=True)
    ]  # fmt: skip
    return max(text.get_window_extent().height for text in texts) * 72 / style.find_figure(ax).dpi
