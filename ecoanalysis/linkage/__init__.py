"""Which records speak of the same organisation, what they say together, what a person decided."""

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
