"""The explorer: its computation against the pipeline's, and the widgets in a real JupyterLab."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from ecoanalysis import explorer, scoring
from ecoanalysis.pipeline import TerritoryResult, run_territory
from ecoanalysis.study import read_study
from ecoanalysis.wording import use_language

ROOT = Path(__file__).parents[1]
TRAINING = ROOT / "data" / "training"
TOWN = "haute-brume"
WEIGHTS = {"familiarity": 3.0, "appetite": 1.0, "knows_local_issues": 0.0}


@pytest.fixture(scope="module")
def town() -> TerritoryResult:
    return run_territory(read_study(TRAINING), TOWN)


def test_a_scenario_has_the_numbers_of_its_report(town: TerritoryResult, tmp_path: Path) -> None:
    scenario = scoring.Scenario(WEIGHTS, 0.6, TOWN)
    view = explorer.compute_view(town, scenario)
    file = scoring.write_scenario(scenario, tmp_path / "mine.yaml")
    tables = run_territory(read_study(TRAINING), TOWN, scenario=file).tables
    found = view["actors"].set_index("actor_id")
    scores = tables["scores"].query("dimension == 'readiness'").set_index("actor_id")
    ranks = tables["ranks"].query("dimension == 'readiness' and weights == 'stated'")
    pairs = [
        (["score", "low", "high", "coverage"], scores),
        (["rank_low", "rank_high", "p_top"], ranks.set_index("actor_id")),
    ]
    for mine, theirs in pairs:
        columns = [name.removeprefix("rank_") for name in mine]
        assert np.array_equal(found[mine], theirs.loc[found.index, columns], equal_nan=True)
    assert len(found) == 30


def test_the_views_say_what_was_computed(town: TerritoryResult) -> None:
    chosen = "mutuelle-entraide-en-haut"  # two raters: 5 and 5, 1 and 1; see the study's README
    view, english = explorer.compute_view(town, scoring.Scenario(WEIGHTS)), use_language("en")
    grid = explorer.draw_grid(view["actors"], result=town, language=english)
    assert grid.count("<circle") == 30
    ranks = explorer.draw_ranks(view["actors"], actor_id=chosen, language=english)
    assert ranks.count("<tr") == 31 and ranks.count("class=chosen") == 1
    answers = read_study(TRAINING).tables["ratings"].query("territory_id == @TOWN")
    about = explorer.describe_actor(
        view, answers=answers, actor_id=chosen, result=town, language=english
    )
    assert re.search(
        r"60\.0 = Familiarity 45\.0, Appetite 15\.0 \(90% of draws: \d+–\d+; 100%\)", about
    )  # 60 on both, 3 to 1
    assert re.findall(r"<td>(.*?)</td>", about) == ["ex-01", "hb-02"]


def test_names_are_text(town: TerritoryResult) -> None:
    view, english = explorer.compute_view(town, scoring.Scenario(WEIGHTS)), use_language("en")
    actors = view["actors"].assign(name="<script>")
    for markup in (
        explorer.draw_grid(actors, result=town, language=english),
        explorer.draw_ranks(actors, language=english),
    ):
        assert "<script" not in markup


def test_nobody_rated_and_weights_of_zero_are_said(good_study: Path) -> None:
    (good_study / "ratings.csv").unlink()
    box = explorer.show_explorer(read_study(good_study), language="en")
    place, familiarity, appetite, *_, message, views, actor, _ = box.children
    assert [code for _, code in place.options] == ["kabara", "nioro"]
    assert "<circle" not in views.children[0].value and actor.options == (("–", ""),)
    familiarity.value = appetite.value = 0
    assert "weights sum to 0" in message.value
    appetite.value = 1
    assert message.value == ""


def test_a_scenario_goes_to_a_new_folder_and_a_failure_is_said(
    good_study: Path, tmp_path: Path
) -> None:
    box = explorer.show_explorer(read_study(good_study), language="en")
    *_, saving, message, _, _, _ = box.children
    file, save = saving.children
    file.value = str(tmp_path / "scenarios" / "a.yaml")
    save.click()
    assert "Saved;" in message.value
    criteria = read_study(good_study).codebook.criteria
    read = scoring.read_scenario(file.value, criteria=criteria)
    # weight 2 is the study's own, 1 the codebook's; half is what the slider starts from
    assert (read.weights["familiarity"], read.weights["appetite"]) == (2, 1)
    assert (read.minimum_coverage, read.territory) == (0.5, "kabara")
    (tmp_path / "<file>").touch()
    file.value = str(tmp_path / "<file>" / "b.yaml")
    save.click()
    assert "&lt;file&gt;" in message.value and "Saved" not in message.value


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Serve the notebook in JupyterLab, with the parameters of one town in English."""
    folder = tmp_path_factory.mktemp("lab")
    text = (ROOT / "notebooks/explore.ipynb").read_text(encoding="utf-8")
    for old, new in (
        ("../data/training", TRAINING.as_posix()),
        ('\\"fr\\"', '\\"en\\"'),
        ('territory_id: str = \\"\\"', f'territory_id: str = \\"{TOWN}\\"'),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "explore.ipynb").write_text(text, encoding="utf-8")
    own = {name: str(folder / name) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    own |= {"IPYTHONDIR": str(folder / "ipython"), "JUPYTERLAB_SETTINGS_DIR": str(folder / "set")}
    own |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / "work")}
    options = ["--no-browser", "--ip=127.0.0.1", "--port=0", "--allow-root", "--ServerApp.token="]
    options += ["--ServerApp.password=", f"--ServerApp.root_dir={folder}"]
    options += ["--expose-app-in-browser", "--LabApp.news_url=", "--LabApp.check_for_updates_class="
                "jupyterlab.NeverCheckForUpdate"]  # fmt: skip
    log = folder / "lab.log"
    with log.open("w") as stream:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *options],
            stdout=stream, stderr=stream, env=os.environ | own,
        )  # fmt: skip
    try:
        for _ in range(600):
            if found := re.search(r"http://127\.0\.0\.1:\d+/lab", log.read_text()):
                break
            assert server.poll() is None, log.read_text()
            time.sleep(0.2)
        yield found[0], folder  # type: ignore[index]
    finally:
        server.terminate()
        server.wait(30)


def read_table(page: Page) -> pd.DataFrame:
    cells = page.locator(".explore tr:has(.bar)").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent.trim()))"
    )
    return pd.DataFrame(cells, columns=["name", "score", "draws", "coverage", "rank"])


def test_a_moved_weight_changes_grid_and_ranks_and_its_scenario_the_report(
    lab: tuple[str, Path],
) -> None:
    url, folder = lab
    path = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=flags)
        page = browser.new_page(viewport={"width": 1280, "height": 2400})
        page.set_default_timeout(120_000)
        expect.set_options(timeout=120_000)
        page.goto(url.replace("/lab", "/doc/tree/explore.ipynb"))
        expect(page.locator(".jp-Notebook-cell")).to_have_count(7)
        page.wait_for_function(
            "window.jupyterapp.shell.currentWidget?.sessionContext?.session?.kernel?.status"
            " === 'idle'"
        )
        page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
        expect(page.locator(".explore circle")).to_have_count(30)
        before, grid = read_table(page), page.locator(".explore svg").inner_html()
        ranks = page.locator(".explore table:has(.bar)").inner_html()
        slider = page.locator(".widget-slider", has_text="Familiarity").locator(".widget-readout")
        slider.fill("3")
        slider.press("Enter")
        changed = "([place, old]) => document.querySelector(place).innerHTML != old"
        for place, old in (("svg", grid), ("table:has(.bar)", ranks)):
            page.wait_for_function(changed, arg=[f".explore {place}", old])
        after = read_table(page)
        page.get_by_role("button", name="Save as scenario").click()
        expect(page.get_by_text("Saved;")).to_be_visible()
        browser.close()
    assert not after.equals(before) and set(after["name"]) == set(before["name"])
    tables = run_territory(
        read_study(TRAINING), TOWN, scenario=folder / "scenario.yaml"
    ).tables  # the file that the button wrote
    ranks = tables["ranks"].query("dimension == 'readiness' and weights == 'stated'")
    reported = tables["scores"].query("dimension == 'readiness'").merge(
        ranks, on="actor_id", suffixes=("", "_rank")
    ).merge(tables["actors"][["actor_id", "name"]], on="actor_id").set_index("name")  # fmt: skip
    english = use_language("en")
    for row in after.itertuples():
        want = reported.loc[str(row.name)]
        number = english.format_number
        assert row.score == number(want["score"], 1)
        assert row.draws == f"{number(want['low'])}–{number(want['high'])}"
        assert row.rank == f"{number(want['low_rank'])}–{number(want['high_rank'])}"
