"""Tables of cells, light to dark: what moves and brings each actor, and which groups are tied."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap

from ecoanalysis.codebook import UNCLASSIFIED, Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.style import INK, SMALL, Array
from ecoanalysis.wording import Language

_LIMIT = 30
_SHADES = LinearSegmentedColormap.from_list("shades", style.SHADES)
_CELL = np.array([(-0.47, -0.45), (0.47, -0.45), (0.47, 0.45), (-0.47, 0.45)])


def plot_heatmap(
    averages: pd.DataFrame, *, actors: pd.DataFrame, dimension: str, ax: Axes, codebook: Codebook,
    language: Language,
) -> Axes:  # fmt: skip
    """Draw the mean ratings of actors (rows) on the criteria (columns) of one dimension.

    `averages`: actor_id, criterion, mean (on the criterion's scale); `actors`: actor_id, name. The
    strongest on the first criterion come first, and so on; thirty with the most answers are kept.
    """
    criteria = codebook.criteria[codebook.criteria["dimension"] == dimension]
    wide = averages.pivot_table(index="actor_id", columns="criterion", values="mean")
    wide = wide[criteria.index.intersection(wide.columns, sort=False)].dropna(how="all")
    names = actors.drop_duplicates("actor_id").set_index("actor_id")["name"]
    wide = wide[wide.index.isin(names.index)]
    if wide.empty:
        return style.say_empty(ax, language)
    answered, best = -wide.count(axis=1).to_numpy(), -wide.max(axis=1).to_numpy()
    strongest = wide.to_numpy(float, na_value=-np.inf).argmax(axis=1)
    kept = np.lexsort((best, answered))[:_LIMIT]
    shown = wide.iloc[kept[np.lexsort((best[kept], strongest[kept]))]]
    means, low = shown.to_numpy(float), criteria["scale_min"].min()
    words = {mean: language.format_number(mean, 1) for mean in np.unique(means)}
    shares = (means - low) / (criteria["scale_max"].max() - low)
    _draw_cells(ax, shares, [[words.get(mean, "") for mean in row] for row in means])
    n_more = len(wide) - len(shown)
    hatched = language.gettext("Hatched: not asked, or “don’t know”.")
    more = language.ngettext("+ %(n)s organisation not shown", "+ %(n)s organisations not shown",
                             n_more)  # fmt: skip
    notes = [hatched if np.isnan(means).any() else "", style.fill_in(more, n_more, language)]
    rows = [style.shorten_name(names[actor], length=22) for actor in shown.index]
    style.write_rows(ax, range(len(rows)), rows, fontsize=SMALL)
    heads = [codebook.label("criteria", code, language.code) for code in shown.columns]
    if len(heads) > 1 and len({head.partition(":")[0] for head in heads}) == 1:  # "Interest: …"
        heads = [head.partition(":")[2].strip() for head in heads]
        heads = [head[:1].upper() + head[1:] for head in heads]
    _write_heads(ax, heads, [-0.5] * len(heads), rows)
    return style.frame_axes(ax, height=len(rows) * 21, notes=notes)


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
    shares = np.where(np.tri(len(codes)), counts / counts.max(), -1)
    _draw_cells(ax, shares, [[language.format_number(n) for n in row] for row in counts])
    own = [_CELL + i for i in range(len(codes))]
    ax.add_collection(PolyCollection(own, facecolors="none", edgecolors=INK))
    labels = [codebook.label(group, code, language.code) for code in codes]
    rows = [style.wrap_words(label, width=24) for label in labels]
    style.write_rows(ax, range(len(codes)), rows)
    _write_heads(ax, labels, np.arange(len(codes)) - 0.5, rows)
    return style.frame_axes(ax, height=len(codes) * 30)


def _draw_cells(ax: Axes, shares: Array, words: Sequence[Sequence[str]]) -> None:
    """Shade cells from 0 to 1 and write in them; missing ones are hatched, negative ones empty."""
    full, missing = shares >= 0, np.isnan(shares)
    cells = [[_CELL + np.array((x, y)) for y, x in np.argwhere(which)] for which in (full, missing)]
    ax.add_collection(PolyCollection(cells[0], facecolors=_SHADES(shares[full])))
    ax.add_collection(PolyCollection(cells[1], facecolors="white", edgecolors=style.RULE,
                                     linewidths=0, hatch="///"))  # fmt: skip
    for y, x in np.argwhere(full):
        style.write(ax, (x, y), words[y][x], ha="center", va="center_baseline", fontsize=SMALL,
                    color="white" if shares[y, x] > 0.6 else INK, in_layout=False)  # fmt: skip
    ax.set(xlim=(-0.5, shares.shape[1] - 0.5), ylim=(shares.shape[0] - 0.5, -0.5))


def _write_heads(
    ax: Axes, heads: Sequence[str], tops: Iterable[float], rows: Iterable[str]
) -> None:
    """Write the heads of columns above their topmost cells, upright where columns are narrow."""
    label = max(len(line) for row in rows for line in row.splitlines())
    column = (style.WIDTH * 72 - 6.4 * label - 15) / len(heads)
    upright = max(len(word) for head in heads for word in head.split()) * 6.2 > column
    narrow = (15, int(column / 13)) if column > 26 else (20, 1)
    width, lines = narrow if upright else (int(column / 5.8), 4)
    for x, (head, top) in enumerate(zip(heads, tops, strict=True)):
        words = style.wrap_words(head, width=width, lines=lines)
        style.write(ax, (x, top), words, shift=(0, 5), ha="center", va="bottom", linespacing=1.1,
                    fontsize=SMALL - 1, rotation=90 * upright)  # fmt: skip
