"""Which records speak of the same organisation, what they say together, what a person decided.

Two records are one organisation only where their folded names agree *and* nothing else that both
of them say contradicts it: territory, city, site, website, kind, the source list's own category.
Two libraries of one name in two towns stay two. What is merely alike is proposed to a person.
"""

from ecoanalysis.linkage.folding import fold_city, fold_id, fold_name, fold_website
from ecoanalysis.linkage.records import EARTH_RADIUS_M, LIST_COLUMNS, match_records, unite_records
from ecoanalysis.linkage.review import (
    MATCHES,
    find_duplicates,
    propose_matches,
    read_matches,
    replay_matches,
    write_matches,
)  # fmt: skip

__all__ = [
    "EARTH_RADIUS_M", "LIST_COLUMNS", "MATCHES", "find_duplicates", "fold_city", "fold_id",
    "fold_name", "fold_website", "match_records", "propose_matches", "read_matches",
    "replay_matches", "unite_records", "write_matches",
]  # fmt: skip
