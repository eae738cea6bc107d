"""The reports of an invented country: pace and memory as the run goes on.

Territories are as uneven as municipalities: their sizes are log-normal (sigma 1.2), 14 actors on
average. All data are invented. Writes docs/national-run.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from run import describe_machine

from ecoanalysis.batch import run_reports
from ecoanalysis.batch.server import use_pool
from reports import write_towns

DOCUMENT = Path(__file__).parents[1] / "docs/national-run.md"
COUNTRY = 35_000


def read_memory(pid: int) -> float:
    """Return the megabytes that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def run_country(n: int, *, folder: Path) -> pd.DataFrame:
    """Make a country's reports in one language; return the state at twenty moments."""
    write_towns(folder / "towns", n=n, n_actors=14 * n, kind="parquet")
    start = time.perf_counter()
    rows: list[dict[str, float]] = []

    def note(done: int, total: int, row: Mapping[str, Any]) -> None:
        if done % max(1, total // 20) == 0 or done == total:
            pids = {"batch_mb": os.getpid(), "server_mb": use_pool().process.pid}
            memory = {name: read_memory(pid) for name, pid in pids.items()}
            rows.append({"done": done, "seconds": time.perf_counter() - start, **memory})

    status = run_reports([folder / "towns"], out=folder / "out", languages=["fr"], on_progress=note)
    assert set(status["status"]) == {"done"}, status["cause"].unique()
    return pd.DataFrame(rows)


def describe_run(found: pd.DataFrame, again: float) -> str:
    """Write what was found, and what a whole country would take; see that it stays flat."""
    steps = found[["done", "seconds"]].diff().fillna(found[["done", "seconds"]].iloc[0])
    found = found.assign(pace=60 * steps["done"] / steps["seconds"])
    n, seconds = found["done"].iloc[-1], found["seconds"].iloc[-1]
    steady = found[found["done"] > n / 4]
    spread = steady[["batch_mb", "server_mb"]].agg(lambda held: held.max() - held.min())
    assert spread["batch_mb"] <= 50, spread
    assert again <= 0.01 * seconds, again
    hours = COUNTRY * seconds / n / 3600
    lines = ["| reports | minutes | a minute | batch, MB | server, MB |", "|---|---|---|---|---|"]
    lines += [
        f"| {row.done:.0f} | {row.seconds / 60:.1f} | {row.pace:.0f} | {row.batch_mb:.0f} "
        f"| {row.server_mb:.0f} |"
        for row in found.itertuples()
    ]
    assert __doc__
    return "\n".join(
        [
            "# A national run\n",
            __doc__.split("\n\n")[1].replace(" Writes docs/national-run.md.", "").strip() + "\n",
            f"{n:.0f} reports in one language on {os.cpu_count()} processors took "
            f"{seconds / 60:.1f} minutes, {60 * n / seconds:.0f} a minute; at this pace {COUNTRY} "
            f"would take {hours:.1f} hours on such a machine, {hours / 8:.1f} if eight of them "
            "shared the work evenly. "
            f"A second run that found nothing changed took {again:.1f} s.",
            "After the first quarter the memory of the batch varied by "
            f"{spread['batch_mb']:.0f} MB, that of the fork server by {spread['server_mb']:.0f}.",
            f"Measured {datetime.now(UTC):%Y-%m-%d} on {describe_machine()}\n",
            *lines,
            "\nWritten by `benchmarks/national.py`.\n",
        ]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--territories", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=DOCUMENT)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        made = run_country(asked.territories, folder=Path(scratch))
        begin = time.perf_counter()
        run_reports([Path(scratch) / "towns"], out=Path(scratch) / "out", languages=["fr"])
        text = describe_run(made, time.perf_counter() - begin)
        asked.out.write_text(text, encoding="utf-8")
