"""The notebooks as files: thin, clean, and equal when they are run again."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import nbformat
import papermill
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


def execute(name: str, folder: Path) -> dict[str, str]:
    """Run a notebook of the shelf as if it stood there; give the text that each cell shows."""
    executed = papermill.execute_notebook(
        str(ROOT / f"notebooks/{name}.ipynb"), str(folder / "executed.ipynb"),
        cwd=str(ROOT / "notebooks"), kernel_name="python3", progress_bar=False,
    )  # fmt: skip
    shown = {cell.id: cell.get("outputs", []) for cell in executed.cells}
    return {at: outputs[-1]["data"]["text/plain"] for at, outputs in shown.items() if outputs}


def test_every_oracle_of_the_method_check_holds(tmp_path: Path) -> None:
    shown = execute("method-check", tmp_path)
    summary = shown["all"].splitlines()[2:]
    # alpha, ICC, normalise, aggregate, index, sums, diversity, network, MACTOR
    assert len(summary) == 9
    assert all(line.endswith(" True") for line in summary), shown["all"]
    assert shown["rows"].count("True") > 150 and "False" not in shown["rows"]


def test_the_explorer_opens(tmp_path: Path) -> None:
    shown = execute("explore", tmp_path)
    assert shown["explore"].startswith("VBox(children=(Dropdown(")


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
