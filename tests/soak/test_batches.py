"""Faults ten times in a row, many pages, and a country."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ecoanalysis.batch import run_reports
from tests.batch.conftest import ROOT, notebooks, write_study  # noqa: F401

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("nth", range(10))
def test_every_fault_ten_times_in_a_row(nth: int) -> None:
    faults = [str(ROOT / "tests/batch" / f"test_{name}.py") for name in ("faults", "cluster")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *faults]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]


def test_two_thousand_pages_leave_the_memory_flat_and_are_found_again(
    notebooks: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    study = write_study(tmp_path / "towns", 2000)
    held: list[float] = []

    def note(done: int, total: int, row: Mapping[str, Any]) -> None:
        if done > 200:
            status = Path(f"/proc/{os.getpid()}/status").read_text()
            held.append(int(status.split("VmRSS:")[1].split()[0]) / 1024)

    times = []
    for _ in range(2):
        start = time.perf_counter()
        run_reports([study], out=tmp_path / "out", languages=["fr"], on_progress=note)
        times.append(time.perf_counter() - start)
    assert max(held) - min(held) < 100  # 50 megabytes to either side
    assert times[1] < 0.01 * times[0]


def test_a_country_is_made_with_a_flat_memory_and_found_again() -> None:
    script = ROOT / "benchmarks/national.py"  # which holds itself to both
    done = subprocess.run([sys.executable, str(script)], cwd=ROOT, check=False)
    assert done.returncode == 0
    assert "2001 reports" in (ROOT / "docs/national-run.md").read_text(encoding="utf-8")
