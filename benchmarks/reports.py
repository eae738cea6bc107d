"""Batches of reports beside the usual ways to make them.

The loop runs the papermill and nbconvert commands one report after the other; it is timed on a few
reports and scaled. The limit is the cells and the HTML of the same reports one after the other in
one warm process, times the processors: what no engine that isolates them can beat. Where two
processes slow each other, the second row of the limit, by as many warm processes as processors, is
what the machine has. Seconds are those of the clock, and all sides run in turn, so that other work
on the machine slows all of them.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout
from functools import cache, partial
from importlib import import_module
from pathlib import Path
from typing import Any

from ecoanalysis.batch.pages import Page, make_page
from ecoanalysis.batch.plan import plan_pages
from ecoanalysis.batch.server import ForkPool, use_pool
from ecoanalysis.study import read_study

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
REFERENCE = str(HERE / "reference.ipynb")
CORES = os.cpu_count() or 1
CHUNK = 20  # reports that a side makes before it is the other's turn


def time_clock(work: Callable[[], object]) -> float:
    """Return the seconds that a call takes by the clock."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def show_row(*cells: str) -> None:
    """Print a row: work, ours, peer, ratio, target."""
    print("|", " | ".join(cells), "|", flush=True)


@cache
def use_exporter() -> Any:
    """Return one exporter, as the nbconvert command has."""
    from nbconvert import HTMLExporter

    return HTMLExporter()


def make_reference(name: str, folder: str) -> None:
    """Execute the reference notebook by the engine, and write its HTML, as a page is made."""
    import papermill

    from ecoanalysis.batch.engine import ENGINE

    papermill.execute_notebook(
        REFERENCE, f"{folder}/{name}.ipynb", parameters={"territory": name}, engine_name=ENGINE,
        kernel_name="python3", progress_bar=False, request_save_on_cell_execute=False,
    )  # fmt: skip
    html, _ = use_exporter().from_filename(f"{folder}/{name}.ipynb")
    Path(folder, f"{name}.html").write_text(html, encoding="utf-8")


def run_many(pool: ForkPool, calls: list[tuple[Callable[..., Any], tuple[Any, ...]]]) -> None:
    """Run calls in forked processes, as many side by side as there are processors."""
    with ThreadPoolExecutor(CORES) as threads:
        for done in threads.map(lambda call: pool.submit(call[0], *call[1]).result(), calls):
            assert done is None or done["status"] == "done", done


def run_commands(source: str, name: str, folder: str, parameters: Mapping[str, str]) -> None:
    """Make one report by the two commands."""
    common = [sys.executable, "-m"]
    notebook = f"{folder}/{name}.ipynb"
    given = [word for pair in parameters.items() for word in ("-r", *pair)]
    papermill = ["papermill", source, notebook, *given, "-k", "python3"]
    nbconvert = ["nbconvert", "--to", "html", notebook]
    for command in (papermill, nbconvert):
        subprocess.run([*common, *command], check=True, capture_output=True)


def compare_loop(*, n: int, n_loop: int, rounds: int) -> None:
    """Make reference reports by the pool and by the loop, in turn."""
    module = import_module("reports")  # as the forked processes import it
    pool = ForkPool(["warm"])  # one exporter for all pages, as in a batch
    pool.submit(os.getpid).result()
    ours, peer = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            calls = [(module.make_reference, (f"town-{i:02d}", folder)) for i in range(n)]
            ours.append(time_clock(lambda calls=calls: run_many(pool, calls)))
            loop = [f"loop-{i}" for i in range(n_loop)]
            peer.append(
                time_clock(
                    lambda loop=loop: [
                        run_commands(REFERENCE, name, folder, {"territory": name}) for name in loop
                    ]
                )
            )
    mine, theirs = statistics.median(ours), statistics.median(peer) * n / n_loop
    show_row(
        f"{n} reports of reference.ipynb, notebook and HTML; {n_loop} by the loop, scaled",
        f"{mine:.1f} s", f"{theirs:.0f} s", f"{theirs / mine:.1f} ×", "≥ 12 ×",
    )  # fmt: skip


def make_warm(pages: list[Page]) -> float:
    """Run the cells and write the HTML of pages in this process; return the seconds."""
    import nbformat
    from IPython.core.interactiveshell import InteractiveShell

    from ecoanalysis import report

    shell = InteractiveShell.instance()
    for i, page in enumerate((pages[0], *pages)):  # the first twice, to be warm
        if i < 2:
            start = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            given = {"study": page.study, "language": page.language, "out": "tables"}
            notebook = nbformat.read(page.notebook, as_version=4)
            for cell in (cell for cell in notebook.cells if cell.cell_type == "code"):
                with redirect_stdout(io.StringIO()):
                    done = shell.run_cell(cell.source)
                done.raise_error()
                if "parameters" in cell.metadata.get("tags", []):
                    shell.user_ns.update(given | dict(page.parameters))
                if hasattr(done.result, "_repr_mimebundle_"):
                    data = done.result._repr_mimebundle_()
                    cell.outputs = [
                        nbformat.v4.new_output("execute_result", data, execution_count=1)
                    ]
            nbformat.write(notebook, "report.ipynb")
            Path("report.html").write_text(report.render_page("report.ipynb", language="fr"))
    return time.perf_counter() - start


def compare_limit(*, n: int, n_loop: int) -> None:
    """Make reports of shipped territories by the pool, in one warm process and by the loop."""
    names = ("ile-de-france", "training", "mediation-numerique", "african-cities", "eurosis")
    pages: list[Page] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            study = read_study(DATA / name)
            towns = list(study.tables["territories"]["territory_id"])
            pages += plan_pages(
                study, root=Path(folder).resolve(), languages=["fr"], territories=towns, compared=""
            )
        step = max(1, len(pages) // n)
        chosen = (pages[::step] * (n // len(pages) + 1))[:n]
        module = import_module("reports")
        pool = use_pool()
        for name in names:
            pool.keep_study(read_study(DATA / name))
        pool.submit(module.make_warm, chosen[:1]).result()
        few = [
            (page.notebook, page.page, folder, give_parameters(page)) for page in chosen[:n_loop]
        ]
        loop = [time_clock(partial(run_commands, *report)) for report in few]
        ours, warm, side = 0.0, 0.0, 0.0
        for start in range(0, n, CHUNK):  # in turn, so that what else is done slows all alike
            part = chosen[start : start + CHUNK]
            calls = [(make_page, (page,)) for page in part]
            ours += time_clock(partial(run_many, pool, calls))
            warm += pool.submit(module.make_warm, part).result()
            halves = [pool.submit(module.make_warm, part[i::CORES]) for i in range(CORES)]
            side += max(half.result() for half in halves)
    for name, limit, target in (
        ("one warm process", warm / CORES, "≥ 75 %"), ("as many as cores", side, "–")
    ):  # fmt: skip
        show_row(
            f"{n} reports of shipped territories; the limit by {name}", f"{ours:.1f} s",
            f"{limit:.1f} s", f"{limit / ours:.0%}", target,
        )  # fmt: skip
    theirs = statistics.mean(loop) * n
    show_row(
        f"the same {n} reports; {n_loop} by the loop, scaled", f"{ours:.1f} s", f"{theirs:.0f} s",
        f"{theirs / ours:.1f} ×", "–",
    )  # fmt: skip


def give_parameters(page: Page) -> dict[str, str]:
    """Give a page's notebook its parameters, as the papermill command takes them."""
    given = {name: str(value) for name, value in page.parameters.items()}
    return given | {"study": page.study, "language": page.language}


def time_second_run(*, n: int, target: str) -> None:
    """Make reports of a small study by the command, then ask for them again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_towns(folder / "towns", n=n, n_actors=n)
        command = [sys.executable, "-m", "ecoanalysis", "report", str(folder / "towns")]
        command += ["--language", "fr", "--out", str(folder / "out")]
        run = partial(subprocess.run, command, check=True, capture_output=True)
        first, again = time_clock(run), time_clock(run)
    work = f"{n} territories of one actor, nothing changed; the first run"
    show_row(work, f"{again:.2f} s", f"{first:.0f} s", f"{again / first:.1%}", target)


def write_towns(folder: Path, *, n: int, n_actors: int, kind: str = "csv") -> None:
    """Draw a fictional study: sizes of territories as uneven as those of municipalities."""
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(1)
    towns = [f"t{i:05d}" for i in range(n)]
    share = rng.lognormal(0, 1.2, n)
    sizes = np.maximum(1, np.round(share / share.sum() * n_actors)).astype(int)
    territories = pd.DataFrame({"territory_id": towns, "name": towns, "country_code": "FR"})
    territories["region"] = [f"Region {i % 13}" for i in range(n)]
    actors = pd.DataFrame({"territory_id": np.repeat(towns, sizes)})
    ids = [f"a{i}" for i in range(len(actors))]
    kinds = ["ngo", "university", "telecom", "local_authority", "digital_startup", None]
    actors = actors.assign(
        actor_id=ids, name=[f"Fictional actor {i}" for i in ids], reach="local",
        kind=rng.choice(kinds, len(ids)), latitude=rng.uniform(44, 48, len(ids)).round(4),
        longitude=rng.uniform(1, 5, len(ids)).round(4), tags=rng.choice(["sport", None], len(ids)),
    )  # fmt: skip
    folder.mkdir(parents=True)
    for name, table in {"territories": territories, "actors": actors}.items():
        getattr(table, f"to_{kind}")(folder / f"{name}.{kind}", index=False)
    (folder / "datapackage.yaml").write_text(
        "name: towns\ntitle: Invented towns\necosystem:\n  fictional: yes\n", encoding="utf-8"
    )


def plan_country(*, n: int, n_actors: int) -> None:
    """Plan a country's reports in a process of its own, after a check that is stored."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_towns(folder / "towns", n=n, n_actors=n_actors, kind="parquet")
        command = [sys.executable, __file__, "--plan", str(folder)]
        environment = os.environ | {"XDG_CACHE_HOME": name}
        for _ in range(2):
            done = subprocess.run(
                command, env=environment, check=True, capture_output=True, text=True
            )
    seconds, megabytes = map(float, done.stdout.split())
    work = (
        f"plan {n} territories with {n_actors} actors (Parquet), all pages of two languages there"
    )
    ours = f"{seconds:.1f} s, {megabytes:.0f} MB"
    show_row(work, ours, "–", "–", "≤ 30 s, ≤ 1 GB")


def plan_once(folder: Path) -> None:
    """Read and plan in two languages, asking of each page whether it stands; print the costs.

    The first time, leave of each page what tells that it stands.
    """
    from ecoanalysis.batch.plan import is_current

    start = time.perf_counter()
    study = read_study(folder / "towns")
    towns = list(study.tables["territories"]["territory_id"])
    pages = plan_pages(
        study, root=folder / "out", languages=["fr", "en"], territories=towns, compared="comparison"
    )
    stand = sum(map(is_current, pages))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(time.perf_counter() - start, peak)
    if not stand:
        for page in pages:
            Path(page.folder).mkdir(parents=True)
            Path(page.folder, "report.html").touch()
            record = {"key": page.key, "study_files": page.study_files, "more": "x" * 4000}
            Path(page.folder, "run.json").write_text(json.dumps(record), encoding="utf-8")
    else:
        assert stand == len(pages)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", type=Path)
    parser.add_argument("--reports", type=int, default=200)
    parser.add_argument("--towns", type=int, default=1000)
    parser.add_argument("--loop", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *sys.path[1:]])
    if asked.plan:
        plan_once(asked.plan)
    else:
        plan_country(n=35_000, n_actors=500_000)
        compare_loop(n=40, n_loop=asked.loop, rounds=asked.rounds)
        compare_limit(n=asked.reports, n_loop=asked.loop)
        time_second_run(n=40, target="≤ 3 s")
        time_second_run(n=asked.towns, target="≤ 1 %")
