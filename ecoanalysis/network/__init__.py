"""Describe the network of one territory: positions, bridges, groups, and ties that cross groups.

Ties are those inside the territory, as `ties.combine_ties` makes them: several relations between
two actors are one tie, self-relations and weight zero are none, isolates stay. Direction is
dropped unless told otherwise. A value that is not defined (density of one actor, E-I without a
tie, the constraint of an isolate) is missing, never 0. Brokerage, mixing and core mean something
for ties that somebody chose, not for memberships: the caller passes the free ties.

All functions take `relations` (source_id, target_id; optionally weight, status, directed) and
`actors` (actor_id, one row each, those without a tie too); `group` names a column of `actors` in
which blank and "unclassified" are no group; a `seed` makes what is drawn the same each time. They
raise `UsageError` if an actor is listed twice, a weight is negative, or there is no such column.
"""

from ecoanalysis.network.arcs import LARGE
from ecoanalysis.network.groups import classify_communities, classify_core
from ecoanalysis.network.mixing import measure_brokerage, measure_mixing, tabulate_mixing
from ecoanalysis.network.positions import measure_actors, measure_layers, measure_territory
from ecoanalysis.network.removal import (
    MINIMUM_CORRELATION,
    MINIMUM_TIES,
    measure_bridges,
    measure_key_players,
    measure_stability,
)

__all__ = [
    "LARGE", "MINIMUM_CORRELATION", "MINIMUM_TIES", "classify_communities", "classify_core",
    "measure_actors", "measure_bridges", "measure_brokerage", "measure_key_players",
    "measure_layers", "measure_mixing", "measure_stability", "measure_territory", "tabulate_mixing",
]  # fmt: skip
