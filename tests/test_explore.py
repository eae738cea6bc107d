"""The map of ties to explore, in a real browser, with names that try to break out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from playwright.sync_api import Browser, Page
from test_pages import browser  # noqa: F401

from ecoanalysis.codebook import read_codebook
from ecoanalysis.report.explore import explore_map
from ecoanalysis.report.section import FOLDER

BOOK = read_codebook()
HOSTILE = [
    "</script><script>window.broken = 1</script>", "{{ 7 * 7 }} {% raw %}", "$x$ \\(y\\) `${1}`",
    '"><img src=x onerror="window.broken = 1">', "<!-- <script>", "École d'Été & Cie",
]  # fmt: skip
ACTORS = pd.DataFrame(
    {
        "actor_id": [f"a{i}" for i in range(8)],
        "name": [*HOSTILE, "Alone", "Alone too"],
        "helix": ["public", "private", "civil", "knowledge", None, "public", "civil", "civil"],
    }
)
# a0 is tied to all others; a1 and a2 to each other, in two ways; nobody to the last two
TIES = pd.DataFrame(
    [("a0", f"a{i}", "partners_with") for i in range(1, 6)]
    + [("a1", "a2", "funds"), ("a2", "a1", "hosts")],
    columns=["source_id", "target_id", "kind"],
)
FIGURE = '<figure><img alt="static" src="data:image/svg+xml,%3Csvg/%3E"></figure>'


def write_page(
    path: Path, *, ties: pd.DataFrame = TIES, actors: pd.DataFrame = ACTORS, **options: Any
) -> str:
    made = explore_map(ties, actors=actors, codebook=BOOK, language="en", **options)
    style = (FOLDER / "style.css").read_text("utf-8")
    path.write_text(
        f"<!doctype html><html lang=en><meta charset=utf-8><title>t</title><style>{style}</style>"
        f'<link rel=icon href="data:,"><body class="eco">{FIGURE}{made}</body>',
        "utf-8",
    )
    return path.as_uri()


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Any:  # noqa: F811
    context = browser.new_context(offline=True, viewport={"width": 800, "height": 1000})
    opened = context.new_page()
    faults: list[str] = []
    opened.on("console", lambda message: faults.append(message.text))
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("request", lambda request: faults.append(request.url))
    opened.goto(write_page(tmp_path / "map.html", bridges={"a2"}))
    yield opened
    faults[:] = [fault for fault in faults if not fault.startswith(("data:", "file:"))]
    assert not faults
    assert opened.evaluate("window.broken") is None
    context.close()


def list_rows(page: Page) -> dict[str, int]:
    rows = page.locator(".explore tbody tr").evaluate_all(
        "rows => rows.map(row => [row.cells[0].textContent, +row.cells[2].textContent])"
    )
    return dict(rows)


def test_hostile_names_are_text_in_map_and_list(page: Page) -> None:
    # ties of each, counted by hand from the table above
    expected = dict(zip(ACTORS["name"], [5, 2, 2, 1, 1, 1, 0, 0], strict=True))
    assert list_rows(page) == expected
    labels = page.locator(".map [role=option]").evaluate_all(
        "marks => marks.map(m => m.ariaLabel || m.getAttribute('aria-label'))"
    )
    assert sorted(labels) == sorted(
        f"{name}, {sector}, tied to {n}"
        for (name, n), sector in zip(
            expected.items(),
            ["Public", "Private", "Civil society", "Knowledge", "Unclassified", "Public"]
            + ["Civil society"] * 2,
            strict=True,
        )
    )
    assert page.locator("img[src=x]").count() == 0


def test_the_figure_gives_way_to_the_map_and_stays_without_script(
    page: Page, browser: Browser, tmp_path: Path  # noqa: F811
) -> None:  # fmt: skip
    assert not page.locator("figure img").is_visible() and page.locator("svg.map").is_visible()
    context = browser.new_context(java_script_enabled=False)
    still = context.new_page()
    still.goto(write_page(tmp_path / "still.html"))
    assert still.locator("figure img").is_visible() and not still.locator("svg.map").is_visible()
    context.close()


def test_search_and_filters_work_alike_on_map_and_list(page: Page) -> None:
    page.locator("input[type=search]").fill("ecole d'ete")  # without accents
    assert list(list_rows(page)) == [HOSTILE[5]]
    assert page.get_by_role("status").inner_text().startswith("Shown: 1 of 8 organisations")
    page.locator("input[type=search]").fill("")
    page.get_by_role("checkbox", name="Public").uncheck()
    rows = list_rows(page)  # without the hub, the two that are tied keep one neighbour each
    assert HOSTILE[0] not in rows and rows[HOSTILE[1]] == rows[HOSTILE[2]] == 1
    assert page.locator(".map [role=option]:visible").count() == 6
    page.get_by_role("checkbox", name="Public").check()
    for kind in ("funds", "hosts"):
        page.get_by_role("checkbox", name=kind).uncheck()
    assert list_rows(page)[HOSTILE[1]] == 1


def test_keys_reach_an_organisation_show_its_ties_and_leave_it(page: Page) -> None:
    page.locator("svg.map").focus()
    page.keyboard.press("Home")
    first = page.locator("svg.map").get_attribute("aria-activedescendant")
    assert page.locator(f"#{first}").get_attribute("aria-label").startswith(HOSTILE[2])  # bridge
    page.keyboard.press("Enter")
    about = page.locator(".about").inner_text()
    assert "bridge between groups" in about and HOSTILE[1] in about and "funds, hosts" in about
    assert page.locator("[aria-selected=true]").count() == 1
    faint = "marks => marks.filter(m => m.style.opacity < 1).length"
    assert page.locator(".map [role=option]").evaluate_all(faint) == 5  # all but a2, a0, a1
    seen = set()
    for key in ("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown"):
        page.keyboard.press(key)
        seen.add(page.locator("svg.map").get_attribute("aria-activedescendant"))
    assert len(seen) > 2
    page.keyboard.press("Escape")
    assert page.locator("[aria-selected=true]").count() == 0
    assert page.locator(".about").inner_text() == ""


def test_zoom_pan_and_click(page: Page) -> None:
    where = "() => document.querySelector('.map g').getAttribute('transform')"
    whole = page.evaluate(where)
    page.get_by_label("Zoom in").click()
    near = page.evaluate(where)
    assert near != whole
    box = page.locator("svg.map").bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 100)
    page.mouse.wheel(0, -200)  # the map is not chosen yet: the page scrolls
    assert page.evaluate(where) == near
    page.locator("svg.map").focus()
    page.mouse.wheel(0, -200)
    page.wait_for_function(f"({where})() !== {json.dumps(near)}")
    near = page.evaluate(where)
    page.mouse.down()
    page.mouse.move(box["x"] + 260, box["y"] + 130, steps=4)
    page.mouse.up()
    assert page.evaluate(where) != near
    page.get_by_role("button", name="Whole map").click()
    assert page.evaluate(where) == whole
    mark = page.locator(".map [role=option]").last.bounding_box()
    assert mark
    page.mouse.click(mark["x"] + mark["width"] / 2, mark["y"] + mark["height"] / 2)
    assert page.locator("[aria-selected=true]").count() == 1


def test_names_never_overlap(page: Page, tmp_path: Path) -> None:
    ids = [f"a{i}" for i in range(120)]
    actors = pd.DataFrame({"actor_id": ids, "name": "A name of some length", "helix": "civil"})
    ends = {"source_id": ids * 3, "target_id": ids[1:] + ids[7:] + ids[31:] + ids[:39]}
    ties = pd.DataFrame(ends).assign(kind="partners_with")
    page.goto(write_page(tmp_path / "many.html", ties=ties, actors=actors))
    boxes = page.locator(".map text").evaluate_all(
        "texts => texts.map(t => { const b = t.getBBox(); return [b.x, b.y, b.width, b.height] })"
    )
    assert 20 < len(boxes) < 120
    for i, (x, y, width, _) in enumerate(boxes):
        for left, top, wide, _ in boxes[:i]:
            apart = x >= left + wide - 1 or left >= x + width - 1 or abs(y - top) >= 13
            assert apart, boxes


def test_nothing_is_made_without_ties() -> None:
    assert explore_map(TIES[:0], actors=ACTORS, codebook=BOOK, language="fr") == ""


def test_the_script_is_small() -> None:
    assert len((FOLDER / "explore.js").read_text("utf-8").splitlines()) <= 250
