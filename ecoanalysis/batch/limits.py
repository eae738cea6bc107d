"""What one notebook may use."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Seconds for a cell and in all, megabytes that the cells hold, and print in one cell."""

    cell_seconds: float = 600
    notebook_seconds: float = 1800
    memory_mb: int = 4096
    printed_mb: float = 20
