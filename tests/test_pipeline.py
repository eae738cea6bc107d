"""The flow of one territory, on real studies without ratings and on the one with all of them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ecoanalysis import pipeline
from ecoanalysis.study import read_study

DATA = Path(__file__).parents[1] / "data"


@pytest.mark.parametrize("storage", ["python", "pyarrow"])
@pytest.mark.parametrize(
    ("study", "territory_id", "n_actors"),
    # Counted by hand in the actors tables.
    [("cabo-verde", "sao-vicente", 27), ("training", "rive-songe", 43)],
)
def test_text_is_read_alike_with_and_without_arrow(
    study: str, territory_id: str, n_actors: int, storage: str
) -> None:
    with pd.option_context("mode.string_storage", storage):
        tables = pipeline.run_territory(read_study(DATA / study), territory_id).tables
    assert len(tables["actors"]) == n_actors
    assert tables["disagreement"].empty is (study != "training")
