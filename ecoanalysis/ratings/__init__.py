"""Ratings by several informants: how far they agree, how each answers, and how sure we are.

Raters have one voice each; what a rater says of the own organisation is kept apart. "Points" are
hundredths of a criterion's scale, 100 being its favourable end.
"""

from ecoanalysis.ratings.agreement import (
    measure_agreement,
    measure_disagreement,
    measure_panel_mix,
    measure_raters,
)
from ecoanalysis.ratings.effects import (
    BOOTSTRAP_COVERAGE,
    PanelFit,
    Scope,
    draw_actor_effects,
    fit_panel,
    measure_actor_effects,
    stream_actor_effects,
)

__all__ = [
    "BOOTSTRAP_COVERAGE", "PanelFit", "Scope", "draw_actor_effects", "fit_panel",
    "measure_actor_effects", "measure_agreement", "measure_disagreement", "measure_panel_mix",
    "measure_raters", "stream_actor_effects",
]  # fmt: skip
