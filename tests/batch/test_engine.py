"""The engine against papermill's own: equal notebooks and pages, and no trace in the next one."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from ecoanalysis.batch import run_reports
from ecoanalysis.batch.server import ProcessEndedError, use_pool
from ecoanalysis.study import read_study
from tests.batch.conftest import write_notebook, write_notebooks

CELLS = [
    "x = 1",
    "import pandas as pd\npd.DataFrame({'a': [1, 2]})",
    "import sys\nprint('one')\nprint('two')",
    "print('fault', file=sys.stderr)",
    "import matplotlib.pyplot as plt\nax = plt.subplots()[1]\nax.plot([1, 3, 2])\nNone",
    "plt.rcParams['figure.dpi'], plt.get_backend().lower().rsplit('.')[-1]",
    "handle = display('before', display_id='d')",
    "handle.update('after')",
    "from IPython.display import clear_output\nprint('gone')\nclear_output()\nprint('stays')",
    "%matplotlib inline\nfigure = plt.figure(figsize=(1, 1))\nfigure",
    "import asyncio\nawait asyncio.sleep(0.01)\n'awaited'",
    "!echo shell",
    "import threading\ntexts = [str(i) * 30_000 for i in range(4)]\n"
    "threads = [threading.Thread(target=print, args=(text,)) for text in texts]\n"
    "for thread in threads: thread.start()\nfor text in texts: display(len(text))\n"
    "for thread in threads: thread.join()\nclear_output()\nprint('joined')",
    "x;",
    "%%capture caught\nprint('unseen')",
    "class Shown:\n    _repr_html_ = lambda self: '<b>x</b>'\n    __repr__ = lambda self: 'x'",
    "Shown()",
    "from IPython.display import Image\nImage(data=b'\\x89PNG\\r\\n\\x1a\\n')",
    "__name__, In[1]",
    "undefined_name",
    "print('never')",
]
BOTH = """\
import json, sys
from pathlib import Path
import papermill
import ecoanalysis.batch.engine
from ecoanalysis.batch import pages, plan, server
from ecoanalysis.study import read_study

folder, study = sys.argv[1:]
for name in ("nbclient", "ecoanalysis"):
    try:
        papermill.execute_notebook(
            f"{folder}/cells.ipynb", f"{folder}/{name}.ipynb", engine_name=name,
            kernel_name="python3", progress_bar=False,
        )
    except papermill.PapermillExecutionError as error:
        print(error.ename)
server.preload_modules()
(page,) = plan.plan_pages(
    read_study(study), root=Path(folder, "pages"), languages=["fr"], territories=["kabara"],
    compared="",
)
for name in ("nbclient", "ecoanalysis"):
    ecoanalysis.batch.engine.ENGINE = name
    print(pages.make_page(page)["status"])
    Path(page.folder).rename(f"{folder}/page-{name}")
"""


def read_cells(file: Path) -> list[object]:
    """Read what a notebook shows, but for what differs from one start of a kernel to the next."""
    notebook = nbformat.read(file, as_version=4)
    cells = json.dumps([(c.source, c.get("execution_count"), c.get("outputs"))
                        for c in notebook.cells])  # fmt: skip
    kept = {k: v for k, v in notebook.metadata.items() if k != "papermill"}
    return [json.loads(re.sub(r"0x[0-9a-f]{8,}|ipykernel_\d+", "", cells)), kept]


def test_notebook_and_page_equal_those_of_the_standard_engine(
    good_study: Path, tmp_path: Path
) -> None:
    write_notebook(tmp_path / "cells.ipynb", *CELLS)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", BOTH, str(tmp_path), str(good_study)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.split() == ["NameError", "NameError", "done", "done"], done.stderr
    ours, theirs = (read_cells(tmp_path / f"{n}.ipynb") for n in ("ecoanalysis", "nbclient"))
    assert ours == theirs
    assert "<table" in str(ours)
    assert "image/png" in str(ours)
    pages = [tmp_path / f"page-{name}" for name in ("ecoanalysis", "nbclient")]
    ours, theirs = (read_cells(page / "report.ipynb") for page in pages)
    assert ours == theirs
    names = sorted(file.relative_to(pages[0]) for file in pages[0].rglob("*") if file.is_file())
    assert len(names) > 20
    for name in [*(n for n in names if n.suffix == ".csv"), Path("report.html")]:
        assert (pages[0] / name).read_text("utf-8") == (pages[1] / name).read_text("utf-8"), name


STATE = """\
import builtins, os, random, sys, json
import matplotlib as mpl, numpy as np, pandas as pd
state = [
    "leaked" in globals(), hasattr(json, "leaked"), hasattr(builtins, "leaked"),
    pd.get_option("display.max_rows"), mpl.rcParams["font.size"], os.environ.get("LEAKED"),
    Path.cwd().name.startswith(".making-"), "/leaked" in sys.path,
]
chance = [random.random(), np.random.random()]
leaked = json.leaked = builtins.leaked = True
pd.set_option("display.max_rows", 7)
mpl.rcParams["font.size"] = 99
os.environ["LEAKED"] = "1"
os.chdir("/")
sys.path.append("/leaked")
random.seed(0)
np.random.seed(0)
text += f"<i>{json.dumps([state, chance])}</i>"
"""


def test_a_notebook_leaves_no_trace_in_the_next(
    towns: Path, notebooks: Path, tmp_path: Path
) -> None:
    write_notebooks(notebooks, STATE)
    status = run_reports([towns], out=tmp_path / "out", languages=["fr"], jobs=1)
    assert set(status["cause"]) == {""}
    pages = [tmp_path / f"out/towns/fr/town-00{i}/report.html" for i in range(4)]
    found = [json.loads(re.findall("<i>(.*)</i>", p.read_text("utf-8"))[0]) for p in pages]
    for state, _ in found:
        assert state == [False, False, False, 60, 10.0, None, True, False]
    chances = [tuple(chance) for _, chance in found]
    assert len(set(chances)) == 4


SERVER = """(lambda os, gc, zmq: {
    "threads": len(os.listdir(f"/proc/{os.getppid()}/task")),
    "sockets": [f for f in os.listdir(f"/proc/{os.getppid()}/fd")
                if os.readlink(f"/proc/{os.getppid()}/fd/{f}").startswith("socket")],
    "context": zmq.Context._instance is not None,
    "frozen": gc.get_freeze_count() > 10_000,
    "blas": os.environ["OPENBLAS_NUM_THREADS"],
    "own session": os.getsid(0) == os.getpid(),
})(*map(__import__, ("os", "gc", "zmq")))"""


def test_the_server_is_fit_to_fork() -> None:
    found = use_pool().submit(eval, SERVER).result()
    assert found == {
        "threads": 1, "sockets": [], "context": False, "frozen": True, "blas": "1",
        "own session": True,
    }  # fmt: skip
    with pytest.raises(ProcessEndedError, match="KeyError: 'what'"):
        use_pool().submit(eval, "{}['what']").result()


LEAVE = (
    "(os := __import__('os')).fork() and os.kill(os.getpid(), 9) or __import__('time').sleep(60)"
)


def test_a_killed_process_is_noticed_although_what_it_started_lives_on() -> None:
    start = time.monotonic()
    with pytest.raises(ProcessEndedError, match="was ended by SIGKILL"):
        use_pool().submit(eval, LEAVE).result(timeout=30)
    assert time.monotonic() - start < 20


def test_a_study_that_changed_after_it_was_read_is_read_anew(towns: Path) -> None:
    study = read_study(towns)
    actors = (towns / "actors.csv").read_text("utf-8")
    (towns / "actors.csv").write_text(actors.replace("Actor 0 of town-001", "Renamed"))
    for kept in (study, read_study(towns)):  # what was read before, and what is there
        use_pool().keep_study(kept)
        found = use_pool().submit(read_study, str(towns)).result()
        assert "Renamed" in set(found.tables["actors"]["name"])


@pytest.mark.parametrize("first", ["papermill", "ecoanalysis.batch.engine"])
def test_papermill_knows_the_engine_whichever_is_imported_first(first: str, tmp_path: Path) -> None:
    notebook = write_notebook(tmp_path / "one.ipynb", "import os\nos.getppid()")
    call = f"""\
import {first}, papermill, os
made = papermill.execute_notebook({str(notebook)!r}, None, engine_name="ecoanalysis",
                                  kernel_name="python3", progress_bar=False)
print(made.cells[-1].outputs[0].data["text/plain"], os.getpid())
"""
    done = subprocess.run(
        [sys.executable, "-c", call], check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    parent, runner = done.stdout.split()[-2:]
    assert parent == runner  # the cells ran in a child of the process that called papermill
