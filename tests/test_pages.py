"""Every page of the shipped studies, opened in a real browser without a network."""

from __future__ import annotations

import shutil
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright
from pypdf import PdfReader

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(found for found in map(shutil.which, names) if found)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield chromium
        chromium.close()


def list_pages(reports: Path) -> list[Path]:
    return sorted([*reports.rglob("report.html"), *reports.rglob("index.html")])


def test_all_pages_are_there(reports: Path) -> None:
    whole = [path for name in ("ile-de-france", "training") for path in list_pages(reports / name)]
    pages = [path.as_posix() for path in whole]
    territories = [p for p in pages if p.endswith("report.html") and "/comparison/" not in p]
    assert len(territories) == 22  # (8 départements + 3 fictional towns) in two languages
    assert sum("/comparison/" in page for page in pages) == 4
    assert sum(page.endswith("index.html") for page in pages) == 4


def test_pages_open_offline_in_a_browser(reports: Path, browser: Browser) -> None:
    context = browser.new_context(offline=True, viewport={"width": 390, "height": 844})
    faults: list[tuple[Path, str, object]] = []
    for path in list_pages(reports):
        page = context.new_page()
        said: list[str] = []
        requests: list[str] = []
        page.on("console", lambda message, said=said: said.append(message.text))
        page.on("pageerror", lambda error, said=said: said.append(str(error)))
        page.on("request", lambda request, seen=requests: seen.append(request.url))
        page.goto(path.as_uri())
        asked = [url for url in requests if not url.startswith("data:")]
        faults += [(path, "request", url) for url in asked if url != path.as_uri()]
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 844})
            inner = page.evaluate("document.documentElement.scrollWidth")
            if inner > width:
                faults.append((path, "sideways", f"{inner} > {width}"))
        if path.stat().st_size > 1_500_000:
            faults.append((path, "size", path.stat().st_size))
        broken = "[...document.images].filter(i => !i.complete || !i.naturalWidth || !i.alt).length"
        if page.evaluate(broken):
            faults.append((path, "image", "broken or without alt"))
        faults += [(path, "console", text) for text in said]
        page.close()
    assert not faults


def test_links_between_pages_lead_somewhere(reports: Path, browser: Browser) -> None:
    page = browser.new_page()
    for path in list_pages(reports):
        page.goto(path.as_uri())
        links = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
        local = [link for link in links if link.startswith("file:")]
        for link in {link.split("#")[0] for link in local}:
            assert Path(link.removeprefix("file://")).is_file(), (path, link)
        anchors = [link.split("#")[1] for link in local if "#" in link]
        found = page.evaluate("ids => ids.filter(id => !document.getElementById(id))", anchors)
        assert not found, (path, found)
    page.close()


@pytest.mark.parametrize(
    ("language", "reason"), [("fr", "dressée dans un autre but"), ("en", "drawn for another end")]
)
def test_lists_drawn_for_other_ends_are_only_set_side_by_side(
    reports: Path, language: str, reason: str
) -> None:
    folder = reports / "african-cities" / language / "regions/afrique-du-nord/comparison"
    text = (folder / "report.html").read_text("utf-8")
    assert reason in text
    assert "<svg" not in text
    assert "data:image" not in text  # no figure of mixes, diversity, readiness or networks


@pytest.mark.parametrize("language", ["fr", "en"])
def test_notices_are_on_every_page_and_table(reports: Path, language: str) -> None:
    words = {"ile-de-france": "ODbL", "training": {"fr": "fictive", "en": "ictional"}[language]}
    for study, word in words.items():
        folder = reports / study / language
        for file in [*folder.rglob("*.html"), *folder.rglob("tables/*.csv")]:
            text = file.read_text("utf-8")
            assert word in text or len(text.splitlines()) == 1, file


def test_every_printed_page_says_what_it_is(
    reports: Path, browser: Browser, tmp_path: Path
) -> None:
    page = browser.new_page()
    page.goto((reports / "training/en/rive-songe/report.html").as_uri())
    page.pdf(path=tmp_path / "report.pdf", prefer_css_page_size=True)
    page.close()
    sheets = [sheet.extract_text() for sheet in PdfReader(tmp_path / "report.pdf").pages]
    texts = [unicodedata.normalize("NFKC", text) for text in sheets]  # without ligatures
    assert len(texts) > 5
    said = ["not for distribution", "Fictional study"]
    assert [(i, s) for i, t in enumerate(texts, 1) for s in said if s not in t] == []
    starts, ends = ([i for i, t in enumerate(texts, 1) if s in t] for s in ("To invite", "Agreed"))
    assert len(starts) == 3  # a meeting sheet for each challenge, on one sheet of paper
    assert starts == ends
