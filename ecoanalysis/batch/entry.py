"""What papermill loads by the entry point `ecoanalysis`, while it is itself half loaded."""

from __future__ import annotations

from typing import Any


class LateEngine:
    """Stands for `engine.ForkEngine`, which needs papermill whole, until a notebook is run."""

    @staticmethod
    def execute_notebook(*args: Any, **options: Any) -> Any:
        """Run a notebook; see papermill's `Engine`."""
        from ecoanalysis.batch.engine import ForkEngine

        return ForkEngine.execute_notebook(*args, **options)
