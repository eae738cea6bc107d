"""Numbers, dates and sentences of the two languages; expected forms are those of Unicode CLDR."""

from __future__ import annotations

import logging
import pickle
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

from ecoanalysis import wording
from ecoanalysis.codebook import TABLES, read_codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.wording import LANGUAGES, use_language

NARROW, WIDE = "\u202f", "\u00a0"


@pytest.fixture
def catalogues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(wording, "_CATALOGUES", tmp_path)
    wording._read_catalogue.cache_clear()
    yield tmp_path
    wording._read_catalogue.cache_clear()


def test_languages_are_french_and_english() -> None:
    assert LANGUAGES == ("fr", "en")
    assert use_language("fr") is use_language("fr")
    with pytest.raises(UsageError, match=r"'de'.*fr, en"):
        use_language("de")


@pytest.mark.parametrize(
    ("value", "digits", "french", "english"),
    [
        (12345.678, 0, f"12{NARROW}346", "12,346"),
        (12345.678, 2, f"12{NARROW}345,68", "12,345.68"),
        (3, 1, "3,0", "3.0"),
        (-0.3, 0, "0", "0"),
        (1.234e30, 0, "1,23E30", "1.23E30"),
        (float("inf"), 0, "∞", "∞"),
        (float("nan"), 0, "–", "–"),
        (None, 2, "–", "–"),
    ],
)
def test_numbers(value: float | None, digits: int, french: str, english: str) -> None:
    assert use_language("fr").format_number(value, digits) == french
    assert use_language("en").format_number(value, digits) == english


@pytest.mark.parametrize(
    ("share", "digits", "french", "english"),
    [
        (0.256, 0, f"26{WIDE}%", "26%"),
        (0.2567, 1, f"25,7{WIDE}%", "25.7%"),
        (1, 0, f"100{WIDE}%", "100%"),
        (0, 0, f"0{WIDE}%", "0%"),
        (0.004, 0, f"<{WIDE}1{WIDE}%", "<1%"),  # 1 of 250 is there
        (0.005, 0, f"1{WIDE}%", "1%"),
        (0.0004, 1, f"<{WIDE}0,1{WIDE}%", "<0.1%"),
        (float("nan"), 0, "–", "–"),
    ],
)
def test_percentages(share: float, digits: int, french: str, english: str) -> None:
    assert use_language("fr").format_percent(share, digits) == french
    assert use_language("en").format_percent(share, digits) == english


@pytest.mark.parametrize(
    ("day", "french", "english"),
    [
        (date(2015, 3, 1), "1er mars 2015", "1 March 2015"),
        (pd.Timestamp("2015-08-12"), "12 août 2015", "12 August 2015"),
        ("2015-08-12", "12 août 2015", "12 August 2015"),
        ("2015", "2015", "2015"),
        (" ", "–", "–"),
        (pd.NaT, "–", "–"),
        (None, "–", "–"),
    ],
)
def test_dates(day: date | str | None, french: str, english: str) -> None:
    assert use_language("fr").format_date(day) == french
    assert use_language("en").format_date(day) == english


@given(st.floats(-1e12, 1e12), st.integers(0, 3))
def test_a_written_number_can_be_read_again(value: float, digits: int) -> None:
    french = use_language("fr").format_number(value, digits)
    again = float(french.replace(NARROW, "").replace(",", "."))
    assert again == pytest.approx(value, abs=0.51 * 10**-digits)
    assert not french.startswith("-0") or again != 0


def test_french_comes_from_the_compiled_catalogue(catalogues: Path) -> None:
    catalogue = Catalog(locale="fr")
    catalogue.add("Who is there", "Qui est là")
    catalogue.add(("%(n)s actor", "%(n)s actors"), ("%(n)s acteur", "%(n)s acteurs"))
    file = catalogues / "fr" / "LC_MESSAGES" / "ecoanalysis.mo"
    file.parent.mkdir(parents=True)
    with file.open("wb") as handle:
        write_mo(handle, catalogue)
    french = use_language("fr")
    assert french.gettext("Who is there") == "Qui est là"
    # French counts zero with one, English with many
    assert french.ngettext("%(n)s actor", "%(n)s actors", 0) % {"n": 0} == "0 acteur"
    assert use_language("en").ngettext("%(n)s actor", "%(n)s actors", 0) % {"n": 0} == "0 actors"
    assert french.gettext("") == ""


def test_a_missing_catalogue_is_said_and_english_used(
    catalogues: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, logger="ecoanalysis.wording"):
        assert use_language("fr").gettext("Who is there") == "Who is there"
    assert "No compiled catalogue" in caplog.text
    assert use_language("en").gettext("Who is there") == "Who is there"


def test_french_is_set_as_french_is_set() -> None:
    """No space that may end a line before : ; ! ? % » or after «, and no straight apostrophe."""
    file = Path(wording.__file__).parent / "locale" / "fr" / "LC_MESSAGES" / "ecoanalysis.po"
    with file.open("rb") as handle:
        entries = [message.string for message in read_po(handle) if message.id]
    french = [text for entry in entries for text in ([entry] if isinstance(entry, str) else entry)]
    book = read_codebook()
    for table in (getattr(book, name) for name in TABLES):
        french += [str(cell) for column in table.filter(regex="_fr$") for cell in table[column]]
    assert len(french) > 700 and all(french)
    assert not [text for text in french if re.search(r" (?:[:;!?»]|%(?!\())|« |'", text)]


def test_a_language_can_be_sent_to_another_process() -> None:
    french = use_language("fr")
    assert french.translations is not None
    assert pickle.loads(pickle.dumps(french)) == french
