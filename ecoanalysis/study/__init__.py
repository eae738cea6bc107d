"""A study: a folder of plain tables, checked at the border and read once."""

from __future__ import annotations

from ecoanalysis.study.descriptor import Descriptor
from ecoanalysis.study.faults import FAULT_COLUMNS, describe_faults
from ecoanalysis.study.outlines import read_outlines
from ecoanalysis.study.read import Study, check_study, read_study
from ecoanalysis.study.write import new_study, write_study

__all__ = [
    "FAULT_COLUMNS", "Descriptor", "Study", "check_study", "describe_faults", "new_study",
    "read_outlines", "read_study", "write_study",
]  # fmt: skip
