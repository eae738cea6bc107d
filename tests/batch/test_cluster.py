"""A Dask scheduler and two workers as processes of their own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pandas as pd
import pytest

from ecoanalysis.batch import run_reports
from ecoanalysis.errors import UsageError
from tests.batch.conftest import hash_pages, write_notebooks, write_study


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["distributed.cli.dask_scheduler", "--host", address, "--no-dashboard",
                 "--no-show"]  # fmt: skip
    worker = ["distributed.cli.dask_worker", address, "--nthreads", "1", "--no-nanny",
              "--no-dashboard", "--memory-limit", "0", "--local-directory",
              str(tmp_path / "dask")]  # fmt: skip
    with (tmp_path / "dask.log").open("wb") as log:
        processes = [
            subprocess.Popen(
                [sys.executable, "-W", "ignore", "-m", *command], stdout=log, stderr=log
            )
            for command in (scheduler, worker, worker)
        ]
        yield address, processes
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize("n", [24, pytest.param(200, marks=pytest.mark.soak)])
def test_all_pages_are_made_although_a_worker_is_killed(
    n: int,
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
    start_batch: Callable[..., subprocess.Popen[str]],
    notebooks: Path, tmp_path: Path,
) -> None:  # fmt: skip
    address, (_, worker, _) = cluster
    study, out = write_study(tmp_path / "towns", n), tmp_path / "out"
    batch = start_batch(study, out, f"cluster={address}", "languages=fr")
    assert batch.stdout
    for line in batch.stdout:
        if line.startswith("6 done"):
            break
    os.kill(worker.pid, signal.SIGKILL)
    lines = batch.stdout.read().splitlines()
    assert batch.wait() == 0
    assert lines[-1] == "whole"
    assert not [line for line in lines if " failed " in line]
    status = pd.read_csv(out / "towns/status.csv")
    assert len(status) == n + 1
    assert not status["page"].duplicated().any()
    assert len(list((out / "towns/fr").glob("town-*/report.html"))) == n
    assert not [path for path in out.rglob("*") if path.name.startswith(".")]
    # Another row, and a run on this machine: it goes on from what the cluster made.
    actors = (study / "actors.csv").read_text("utf-8")
    (study / "actors.csv").write_text(actors.replace("Actor 0 of town-017", "Renamed"))
    again = run_reports([study], out=out, languages=["fr"])
    assert list(again.loc[again["status"] == "done", "page"]) == ["comparison", "town-017"]


@pytest.mark.parametrize("options", [[], ["apart=yes"]])
def test_a_lost_scheduler_ends_the_run_and_a_local_one_goes_on(
    options: list[str],
    cluster: tuple[str, list[subprocess.Popen[bytes]]],
    start_batch: Callable[..., subprocess.Popen[str]],
    notebooks: Path, tmp_path: Path,
) -> None:  # fmt: skip
    address, (scheduler, *_) = cluster
    write_notebooks(notebooks, "time.sleep(0.5)")
    study, out = write_study(tmp_path / "towns", 12), tmp_path / "out"
    batch = start_batch(study, out, f"cluster={address}", "languages=fr", *options)
    assert batch.stdout
    assert batch.stdout.readline().startswith("1 done")
    scheduler.kill()
    said = batch.stdout.read()
    assert batch.wait(timeout=60) == 1
    assert "BatchError" in said
    assert "cluster" in said
    status = run_reports([study], out=out, languages=["fr"])
    if options:  # the workers have notebooks of their own
        return
    counts = status["status"].value_counts()
    assert set(counts.index) == {"current", "done"}
    run_reports([study], out=tmp_path / "whole", languages=["fr"])
    assert hash_pages(out) == hash_pages(tmp_path / "whole")


def test_workers_that_do_not_see_the_folder_send_pages_back(
    towns: Path, notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from distributed import Client, LocalCluster

        from ecoanalysis.batch import cluster as module

        monkeypatch.setattr(module, "sees_text", lambda *_: False)
        local = LocalCluster(
            n_workers=1, threads_per_worker=2, processes=False, dashboard_address=None
        )
        monkeypatch.setattr(module, "find_notebook", lambda name: notebooks / f"{name}.ipynb")
        with local, Client(local) as client:
            status = run_reports([towns], out=tmp_path / "far", cluster=client)
    assert set(status["status"]) == {"done"}
    run_reports([towns], out=tmp_path / "here")
    assert hash_pages(tmp_path / "far") == hash_pages(tmp_path / "here")


def test_no_scheduler_is_said(
    towns: Path, notebooks: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecoanalysis.batch import cluster as module

    monkeypatch.setattr(module, "CONNECT_SECONDS", 1)
    with pytest.raises(UsageError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        run_reports([towns], out=tmp_path / "out", cluster="tcp://127.0.0.1:9")
