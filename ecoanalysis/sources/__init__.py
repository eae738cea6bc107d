"""Lists that a town already has, read into the tables of a study."""

from __future__ import annotations

from ecoanalysis.sources.importing import import_list
from ecoanalysis.sources.mapping import ListMapping, guess_mapping, read_mapping
from ecoanalysis.sources.placement import place_records
from ecoanalysis.sources.reading import read_list
from ecoanalysis.sources.report import ImportReport, describe_import

__all__ = [
    "ImportReport", "ListMapping", "describe_import", "guess_mapping", "import_list",
    "place_records", "read_list", "read_mapping",
]  # fmt: skip
