"""Which groups are tied: a table of cells, light to dark."""

from __future__ import annotations

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.colors import LinearSegmentedColormap

from ecoanalysis.codebook import UNCLASSIFIED, Codebook
from ecoanalysis.figures import style
from ecoanalysis.figures.style import INK, SMALL
from ecoanalysis.wording import Language

_SHADES = LinearSegmentedColormap.from_list("shades", style.SHADES)


def plot_mixing(matrix: pd.DataFrame, *, ax: Axes, codebook: Codebook, language: Language) -> Axes:
    """Draw how many ties join each pair of sectors, those within a sector framed.

    `matrix`: source_group, target_group (helices), n_ties; both ways round are added.
    """
    if matrix.empty or not matrix["n_ties"].sum():
        return style.say_empty(ax, language)
    present = set(matrix["source_group"]) | set(matrix["target_group"])
    codes = [code for code in [*codebook.helices.index, UNCLASSIFIED] if code in present]
    ties = matrix.pivot_table("n_ties", "source_group", "target_group", aggfunc="sum")
    counts = ties.reindex(index=codes, columns=codes).fillna(0).to_numpy(float)
    counts = np.tril(counts + counts.T - np.diag(np.diag(counts)))
    words, hidden = np.vectorize(language.format_number)(counts), ~np.tri(len(codes), dtype=bool)
    sns.heatmap(
        counts, mask=hidden, annot=words, fmt="", cmap=_SHADES, vmin=0, cbar=False,
        linewidths=1, ax=ax, xticklabels=False, yticklabels=False,
        annot_kws={"fontsize": SMALL, "va": "center_baseline"},
    )  # fmt: skip
    own = [[(i, i), (i + 1, i), (i + 1, i + 1), (i, i + 1)] for i in range(len(codes))]
    ax.add_collection(PolyCollection(own, facecolors="none", edgecolors=INK))
    labels = [codebook.label("helices", code, language.code) for code in codes]
    style.write_rows(ax, np.arange(len(codes)) + 0.5, labels)
    for i, label in enumerate(labels):
        head = style.wrap_words(label, width=12)
        style.write(ax, (i + 0.5, i), head, shift=(0, 5), ha="center", fontsize=SMALL - 1)
    return style.frame_axes(ax, height=len(codes) * 30)
