"""Check and read a national list of actors beside frictionless alone, each in a fresh process.

Ours checks keys, references, codes, scales and countries, and reads typed tables; frictionless
reads the same CSV file by the same schema. Seconds of processor and the peak of memory.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import frictionless
import numpy as np
import pandas as pd

from ecoanalysis.schemas import read_schema
from ecoanalysis.study import read_study

RUNS = ("frictionless alone", "csv", "csv, checked before", "parquet", "parquet, checked before")


def write_lists(folder: Path, *, n_territories: int, n_actors: int) -> None:
    """Draw a list of France, and write it as a study in CSV and as one in Parquet."""
    rng = np.random.default_rng(1)
    codes = [f"c{i:05d}" for i in range(n_territories)]
    towns = pd.DataFrame({"territory_id": codes, "name": codes, "country_code": "FR"})
    actors = pd.DataFrame({"territory_id": np.sort(rng.choice(codes, n_actors))})
    actors = actors.assign(
        actor_id=[f"a{i}" for i in range(n_actors)],
        name=[f"Association numéro {i}" for i in range(n_actors)],
        kind=rng.choice(["ngo", "university", "telecom", None], n_actors),
        latitude=rng.uniform(44, 48, n_actors).round(5),
        longitude=rng.uniform(1, 5, n_actors).round(5),
        website=[f"https://a{i}.example" if i % 3 else None for i in range(n_actors)],
        founded=rng.integers(1901, 2024, n_actors),
        tags=rng.choice(["sport;jeunes", "culture", None], n_actors),
        provenance=[f"list:{i}" for i in range(n_actors)],
        observed_on="2024-03-15",
    )
    for kind in ("csv", "parquet"):
        (folder / kind).mkdir()
        for name, table in {"territories": towns, "actors": actors}.items():
            getattr(table, f"to_{kind}")(folder / kind / f"{name}.{kind}", index=False)


def run_once(work: str, folder: Path) -> None:
    """Do one run, and print its seconds and megabytes."""
    start = time.process_time()
    if work == RUNS[0]:
        schema = read_schema("actors")
        kept = ("name", "type", "constraints")
        fields = [{k: field[k] for k in kept if k in field} for field in schema["fields"]]
        said = {"fields": fields, "primaryKey": schema["primaryKey"], "fieldsMatch": "partial"}
        os.chdir(folder / "csv")
        checked = frictionless.Schema.from_descriptor(said)
        assert frictionless.Resource(path="actors.csv", schema=checked).validate().valid
    else:
        assert read_study(folder / work.split(",")[0]).warnings.empty
    seconds = time.process_time() - start
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def run_rounds(folder: Path, *, rounds: int) -> None:
    """Let the runs take turns, and print the medians."""
    spent: dict[str, list[list[float]]] = {work: [] for work in RUNS}
    for i in range(rounds):
        environment = os.environ | {"XDG_CACHE_HOME": str(folder / f"cache-{i}")}
        for work in RUNS:
            command = [sys.executable, __file__, "--once", work, "--folder", str(folder)]
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True
            )
            spent[work].append([float(word) for word in done.stdout.split()])
    medians = {w: [statistics.median(s) for s in zip(*r, strict=True)] for w, r in spent.items()}
    alone, peak = medians.pop(RUNS[0])
    for work, (seconds, megabytes) in medians.items():
        ours, peer = f"{seconds:.1f} s, {megabytes:.0f} MB", f"{alone:.1f} s, {peak:.0f} MB"
        target = "≤ 1.5 ×, ≤ 2 GB"
        print(f"| {work} / {RUNS[0]} | {ours} | {peer} | {seconds / alone:.2f} × | {target} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--actors", type=int, default=1_000_000)
    parser.add_argument("--territories", type=int, default=35_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--once", choices=RUNS)
    parser.add_argument("--folder", type=Path)
    asked = parser.parse_args()
    if asked.once:
        run_once(asked.once, asked.folder)
    else:
        with tempfile.TemporaryDirectory() as scratch:
            size = {"n_territories": asked.territories, "n_actors": asked.actors}
            write_lists(Path(scratch), **size)
            run_rounds(Path(scratch), rounds=asked.rounds)
