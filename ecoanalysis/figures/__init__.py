"""Figures: functions that draw prepared tables on given axes, and `draw`, which makes them SVG.

A figure function takes a table, the axes, the codebook where it needs labels, and the language; it
lays the table out and returns the axes. It computes nothing, saves nothing, and says so in a
sentence where the table holds nothing to draw.
"""

from ecoanalysis.figures.actors import plot_map, plot_power_interest, plot_readiness
from ecoanalysis.figures.matrices import plot_mixing
from ecoanalysis.figures.network import ACROSS, MOST, place_network, plot_network
from ecoanalysis.figures.svg import draw

__all__ = [
    "ACROSS", "MOST", "draw", "place_network", "plot_map", "plot_mixing",
    "plot_network", "plot_power_interest", "plot_readiness",
]  # fmt: skip
