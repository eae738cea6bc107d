"""Figures: functions that draw prepared tables on given axes, and `draw`, which makes them SVG.

A figure function takes a table, the axes, the codebook where it needs labels, and the language; it
lays the table out and returns the axes. It computes nothing, saves nothing, and says so in a
sentence where the table holds nothing to draw.
"""

from ecoanalysis.figures.actors import plot_map, plot_power_interest, plot_readiness
from ecoanalysis.figures.comparison import (
    plot_diversity,
    plot_mixes,
    plot_spread,
)
from ecoanalysis.figures.matrices import plot_heatmap, plot_mixing
from ecoanalysis.figures.network import ACROSS, MOST, place_network, plot_network
from ecoanalysis.figures.style import shorten_name
from ecoanalysis.figures.svg import draw
from ecoanalysis.figures.territory import plot_kinds, plot_ranks, plot_roles

__all__ = [
    "ACROSS", "MOST", "draw", "place_network", "plot_diversity", "plot_heatmap", "plot_kinds",
    "plot_map", "plot_mixes", "plot_mixing", "plot_network", "plot_power_interest", "plot_ranks",
    "plot_readiness", "plot_roles", "plot_spread", "shorten_name",
]  # fmt: skip
