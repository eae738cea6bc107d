"""Run every benchmark of this folder and write their rows to results.md.

A benchmark is a program that prints its rows as lines of a table: work, ours, peer, ratio, target.
"""

from __future__ import annotations

import ast
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
APART = {
    "run.py",
    "introductions.py",
    "national.py",
    "warm.py",
}  # these write a document of their own
LIBRARIES = ("numpy", "pandas", "scipy", "igraph", "networkx", "matplotlib", "papermill",
             "nbconvert", "frictionless", "scikit-criteria")  # fmt: skip
HEAD = "| work | ours | peer | ratio | to reach |\n|---|---|---|---|---|"


def describe_machine() -> str:
    """Say on what the rows were measured: processor, memory and versions."""
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    model = next((x.split(":")[1].strip() for x in lines if "model name" in x), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in LIBRARIES)
    python = platform.python_version()
    return f"{os.cpu_count()} cores ({model}), {memory:.0f} GB; Python {python}, {versions}."


def run_benchmark(script: Path) -> str:
    """Run one benchmark; return its section."""
    done = subprocess.run([sys.executable, script], stdout=subprocess.PIPE, text=True, check=True)
    rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    said = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    return "\n".join([f"## {script.stem}\n\n{said}\n", HEAD, *rows, ""])


def main() -> None:
    """Write results.md anew, or in it the sections of the benchmarks that are named."""
    names = sys.argv[1:]
    results, sections = HERE / "results.md", {}
    if names:
        parts = results.read_text(encoding="utf-8").split("\n## ")[1:]
        sections = {part.split("\n")[0]: f"## {part.rstrip()}\n" for part in parts}
    for script in sorted(HERE.glob("*.py")):
        if script.name not in APART and (not names or script.stem in names):
            sections[script.stem] = run_benchmark(script)
    head = f"# Benchmarks\n\n{describe_machine()} Measured {datetime.now(UTC):%Y-%m-%d}.\n"
    text = "\n".join([head, *(sections[name] for name in sorted(sections))])
    results.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
