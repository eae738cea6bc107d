"""The language of a page: its sentences, its numbers and its dates.

Messages are plain English in the code; French comes from the compiled catalogue
``locale/fr/LC_MESSAGES/ecoanalysis.mo``. Numbers and dates follow Unicode CLDR as Babel ships it.
"""

from __future__ import annotations

import csv
import gettext as gettext_module
import logging
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import BinaryIO, Literal, cast, get_args

import babel
import babel.dates
import babel.numbers
import pandas as pd

from ecoanalysis.errors import UsageError

LanguageCode = Literal["fr", "en"]
LANGUAGES: tuple[LanguageCode, ...] = get_args(LanguageCode)
MISSING = "–"

_LOCALES: dict[str, str] = {"fr": "fr_FR", "en": "en_GB"}
_FORMERLY = {"CZ": "Czech Republic"}  # what lists still say, CLDR no longer
_CATALOGUES = Path(__file__).parent / "locale"
_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Language:
    """One language of the reports, by its ISO 639-1 code; `use_language` returns it."""

    code: LanguageCode

    @property
    def translations(self) -> gettext_module.NullTranslations:
        """Catalogue of this language, in the form that Jinja's i18n extension installs."""
        return _read_catalogue(self.code)

    def gettext(self, message: str) -> str:
        """Translate `message`, the English sentence, before its ``%(name)s`` are filled."""
        return self.translations.gettext(message) if message else ""

    def ngettext(self, one: str, many: str, n: int) -> str:
        """Translate the sentence that fits `n` things, by the plural rule of the language."""
        return self.translations.ngettext(one, many, n)

    def format_number(self, value: float | None, digits: int = 0) -> str:
        """Write a number with `digits` decimals; a missing one is ``–``.

        Beyond 10¹⁵, where digits no longer mean anything, it is written with an exponent.

        Examples
        --------
        >>> use_language("en").format_number(12345.678, 1)
        '12,345.7'
        """
        if _is_missing(value):
            return MISSING
        number = _round_half_even(value, digits)
        if 1e15 <= abs(number) < math.inf:
            return babel.numbers.format_scientific(number, "0.##E0", locale=self._locale)
        pattern = "#,##0" + _decimals(digits)
        return babel.numbers.format_decimal(number, format=pattern, locale=self._locale)

    def format_percent(self, share: float | None, digits: int = 0) -> str:
        """Write a share between 0 and 1 as a percentage, never 0 of what there is; missing: ``–``.

        Examples
        --------
        >>> use_language("en").format_percent(0.256)
        '26%'
        """
        if _is_missing(share):
            return MISSING
        pattern = self._locale.percent_formats[None].pattern
        pattern = pattern.replace("#,##0", "#,##0" + _decimals(digits))
        rounded = _round_half_even(share, digits + 2)
        less = ""
        if rounded == 0 < cast("float", share):
            less, rounded = "<\N{NO-BREAK SPACE}" if self.code == "fr" else "<", 0.1 ** (digits + 2)
        return less + babel.numbers.format_percent(rounded, format=pattern, locale=self._locale)

    def format_date(self, day: date | str | None) -> str:
        """Write a day in full; a bare year or month, as sources give them, stays as it is.

        Examples
        --------
        >>> use_language("en").format_date("2015-03-01")
        '1 March 2015'
        """
        moment = _parse_iso(day) if isinstance(day, str) else day
        if moment is None or pd.isna(moment):
            return day.strip() or MISSING if isinstance(day, str) else MISSING
        written = babel.dates.format_date(moment, format="long", locale=self._locale)
        return f"1er{written[1:]}" if self.code == "fr" and moment.day == 1 else written

    def name_place(self, name: str, country_code: object) -> str:
        """Write a country that is named in English as this language names it; no other place.

        Examples
        --------
        >>> use_language("fr").name_place("Belgium", "BE")
        'Belgique'
        """
        code = str(country_code)
        english = (babel.Locale("en").territories.get(code), _FORMERLY.get(code))
        return self._locale.territories[code] if name in english and self.code != "en" else name

    @property
    def _locale(self) -> babel.Locale:
        return babel.Locale.parse(_LOCALES[self.code])


@cache
def use_language(code: str) -> Language:
    """Return the language of `code`, the same record each time; UsageError if there is none."""
    if code not in LANGUAGES:
        raise UsageError(f"Unknown language: {code!r}; allowed: {', '.join(LANGUAGES)}.")
    return Language(code)


def extract_messages(
    file: BinaryIO, *_: object, **__: object
) -> Iterator[tuple[int, str, str, list[str]]]:
    """Find the sentences of a table with a column `message`, for Babel (see babel.cfg)."""
    rows = csv.DictReader(file.read().decode("utf-8").splitlines())
    yield from ((n, "gettext", row["message"], []) for n, row in enumerate(rows, start=2))


@cache
def _read_catalogue(code: LanguageCode) -> gettext_module.NullTranslations:
    if code == "en":
        return gettext_module.NullTranslations()
    try:
        return gettext_module.translation("ecoanalysis", str(_CATALOGUES), languages=[code])
    except FileNotFoundError:
        _LOGGER.warning("No compiled catalogue for %r in %s: English is used.", code, _CATALOGUES)
        return gettext_module.NullTranslations()


def _parse_iso(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None


def _is_missing(value: float | None) -> bool:
    return value is None or bool(pd.isna(value))


def _decimals(digits: int) -> str:
    return "." + "0" * digits if digits else ""


def _round_half_even(value: float | None, digits: int) -> float:
    """Round first, so that −0.3 without decimals is written 0 and not −0."""
    number = float(cast("float", value))
    return number if math.isinf(number) else round(number, digits) + 0.0
