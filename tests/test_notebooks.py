"""The notebooks as files: thin, clean, and equal when they are run again."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_thin(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    code = [cell for cell in cells if cell.cell_type == "code"]
    assert 0 < len(code) <= 20
    for before, cell in pairwise(cells):
        if cell.cell_type == "code":
            assert before.cell_type == "markdown", cell.source
    for cell in code:
        assert not cell.outputs
        assert cell.execution_count is None
        assert not re.search(r"^\s*(def|class|for|while)\b", cell.source, re.M), cell.source
        assert not re.search(r"\bimport\s+_|\._[a-z]", cell.source), cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_parameters_are_typed_and_explained(path: Path) -> None:
    cells = nbformat.read(path, as_version=4).cells
    (cell,) = [c for c in cells if "parameters" in c.metadata.get("tags", [])]
    lines = [line for line in cell.source.splitlines() if line and not line.startswith("#")]
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z_]+: [a-z]+ = .+  # .+", line), line


@pytest.mark.parametrize(
    "page",
    ["training/fr/comparison", "training/en/{first}", "ile-de-france/en/95-val-d-oise"],
)
def test_strict_nbval_finds_equal_outputs(page: str, reports: Path) -> None:
    if "{first}" in page:
        folder = sorted(p for p in (reports / "training/en").iterdir() if p.is_dir())[-1]
    else:
        folder = reports / page
    executed = nbformat.read(folder / "report.ipynb", as_version=4)
    assert sum(len(cell.get("outputs", [])) for cell in executed.cells) >= 8
    command = [sys.executable, "-m", "pytest", "--nbval", "-p", "no:cacheprovider", "-q"]
    command += ["-c", "/dev/null", "--rootdir", str(folder), "report.ipynb"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
