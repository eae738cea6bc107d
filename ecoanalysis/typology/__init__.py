"""Which kind of actor each one is, by which rule, and what the lists say of them.

The kinds are the ten of the guide (AFD & IDDRI, *Smart city guide*, 2018, exercise 3) and the
extensions that real lists need; the helices are those of Carayannis & Campbell (2009), and which
kind belongs to which helix is our assignment. Nothing is guessed: an actor that no rule matches,
or on which rules of equal priority disagree, is *unclassified*, counted and shown.
"""

from ecoanalysis.typology.rules import classify_actors
from ecoanalysis.typology.tables import (
    compare_roles,
    measure_desk_evidence,
    tabulate_helices,
    tabulate_kinds,
    tabulate_subkinds,
    tabulate_themes,
)

__all__ = [
    "classify_actors",
    "compare_roles",
    "measure_desk_evidence",
    "tabulate_helices",
    "tabulate_kinds",
    "tabulate_subkinds",
    "tabulate_themes",
]
