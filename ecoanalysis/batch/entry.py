"""What papermill loads by the entry point `ecoanalysis`, while it is itself half loaded."""

from __future__ import annotations

from typing import Any


class LateEngine:
    """Stands for `engine.ForkEngine`, which needs papermill whole, until it is asked something."""

    def __getattr__(self, name: str) -> Any:
        """Give what the engine has by this name."""
        from ecoanalysis.batch.engine import ForkEngine

        return getattr(ForkEngine, name)


late_engine = LateEngine()
