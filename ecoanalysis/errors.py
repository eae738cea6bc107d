"""What can go wrong, each a subclass of a builtin."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


class EcoanalysisError(Exception):
    """Base of every error that this package raises on purpose."""


class UsageError(EcoanalysisError, ValueError):
    """A call that cannot be served: an unknown name, a missing file, options that exclude."""


class BatchError(EcoanalysisError, OSError):
    """A batch that cannot go on: no place to write to, no space left, the cluster lost."""


class StudyError(EcoanalysisError, ValueError):
    """A study that cannot be read as it is.

    Parameters
    ----------
    message : str
        One sentence for the person who started the command.
    faults : pandas.DataFrame
        All faults at once, as `ecoanalysis.study.check_study` returns them.
    """

    def __init__(self, message: str, *, faults: pd.DataFrame) -> None:
        super().__init__(message)
        self.faults = faults
