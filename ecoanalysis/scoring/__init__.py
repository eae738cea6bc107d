"""Scores from ratings: put on one scale, added up, ranked; missing stays missing.

The criteria table (code, dimension, parent, weight, direction, scale) is the method.
"""

from ecoanalysis.scoring.averages import average_ratings, measure_shared_raters
from ecoanalysis.scoring.composite import (
    SCORE_COLUMNS,
    Hierarchy,
    measure_contributions,
    read_hierarchy,
    read_means,
    score_actors,
    score_draws,
)
from ecoanalysis.scoring.doubts import (
    Opinion,
    compare_choices,
    compare_pairs,
    compare_removals,
    compare_weights,
    draw_weights,
    measure_concentration,
    measure_intervals,
    measure_rank_drivers,
    rank_actors,
)
from ecoanalysis.scoring.scales import aggregate, normalise
from ecoanalysis.scoring.scenario import Scenario, read_scenario, weigh_criteria, write_scenario

__all__ = [
    "SCORE_COLUMNS", "Hierarchy", "Opinion", "Scenario", "aggregate", "average_ratings",
    "compare_choices", "compare_pairs", "compare_removals", "compare_weights", "draw_weights",
    "measure_concentration", "measure_contributions", "measure_intervals",
    "measure_rank_drivers", "measure_shared_raters", "normalise", "rank_actors", "read_hierarchy",
    "read_means", "read_scenario", "score_actors", "score_draws", "weigh_criteria",
    "write_scenario",
]  # fmt: skip
