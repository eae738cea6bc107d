"""How the cells of each column are cleaned, step by step; nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pandas as pd

from ecoanalysis.linkage import fold_city, fold_website
from ecoanalysis.study.check import SPREADSHEET_ERRORS
from ecoanalysis.study.columns import read_days

Steps = list[tuple[str, Callable[[pd.Series], pd.Series]]]

CHANNEL_PAGES = {
    **{f"{name}.com": name for name in ("facebook", "instagram", "linkedin", "tiktok", "twitter")},
    **{"viadeo.com": "viadeo", "youtube.com": "youtube", "plus.google.com": "google_plus"},
    **{"x.com": "twitter", "t.me": "telegram", "wa.me": "whatsapp"},
    **dict.fromkeys(("about.me", "linktr.ee", "msha.ke", "vizify.com"), ""),
}
"""Domains whose pages are somebody's profile: the channel is open, the address is not kept."""

_MENDING = ("name_withheld", "at_sign", "first_of_several", "city_spelling")
_PRIVATE = (
    *("holds_contact", "name_withheld", "at_sign"),
    *("first_of_several", "not_a_website", "channel_page"),
)
_EMAIL = r"[^\s@;,<>()]+@[^\s@;,<>()]+\.[^\W\d_]{2,}"
_WEB_ADDRESS = r"(?i:https?)://(?:[^\s/@:?#.]+\.)+[^\s/@:?#.]{2,}(?::\d+)?(?:[/?#][^\s<>\"@]*)?"
_MIRROR = r"^(?:m|[a-z]{2}|[a-z]{2}-[a-z]{2})\.(?=\w+\.)"
_CITY_NOISE = r"(?i)\b\d{4,6}\b|\bcedex\b.*|\b\d{1,2}\s*(?:er|e|[eè]me|nd)?\b(?:\s*arrondissement)?"
_ACCENT = r"[\u0300-\u036f]"
_YEAR = r"^(\d{3,4})(?:[.,]0+)?$|^(\d{4})[-/.]\d{1,2}\b|^\d{1,2}[-/.]\d{1,2}[-/.](\d{4})\b"


def _drop_emails(texts: pd.Series) -> pd.Series:
    return texts.mask(texts.str.contains(_EMAIL, na=False))


def _read_at_signs(names: pd.Series) -> pd.Series:
    """Drop the at sign that begins a name, the mark of a handle; inside it is read as an a."""
    plain = names.str.replace(r"(?<!\S)@\s*", "", regex=True).str.replace("@", "a").str.strip()
    return plain.mask(plain.eq(""))


NAME_STEPS: Steps = [("holds_contact", _drop_emails), ("at_sign", _read_at_signs)]


def list_steps(*, date_order: str | None, cities: pd.Series) -> dict[str, Steps]:
    """List the steps of each column: the reason of a note, and the function from text to text.

    `date_order` is dmy or mdy where the list says so; `cities` are those that the study has.
    """
    return {
        "name": NAME_STEPS,
        "city": [NAME_STEPS[0], ("city_spelling", partial(mend_cities, known=cities))],
        "tags": NAME_STEPS[:1],
        "founded": [("not_a_year", _read_years)],
        "observed_on": [("not_a_date", partial(_read_dates, date_order=date_order))],
        "website": [
            ("holds_contact", lambda texts: texts.mask(texts.str.contains("@", na=False))),
            ("first_of_several", lambda texts: texts.str.replace(r"\s.*", "", regex=True)),
            ("not_a_website", _mend_addresses),
            ("channel_page", lambda texts: texts.mask(find_channels(texts).notna())),
        ],
    }


def take_steps(cells: pd.Series, steps: Steps) -> tuple[pd.Series, pd.DataFrame]:
    """Clean the cells of one column.

    Returns the clean cells, and a note for each that was mended or dropped: `position` (index of
    the cell), `field`, `reason`, `found` (missing where it must not be repeated), `used` at last.
    """
    column, taken = str(cells.name), []
    for reason, clean in [("spreadsheet_error", _drop_spreadsheet_errors), *steps]:
        found, cells = cells, clean(cells).astype("str")
        noted = found.notna() & (found.ne(cells) if reason in _MENDING else cells.isna())
        said = found.mask(noted) if reason in _PRIVATE else found
        taken.append((noted, {"field": column, "reason": reason, "found": said}))
    notes = pd.concat([pd.DataFrame({**note, "used": cells})[noted] for noted, note in taken])
    return cells, notes.rename_axis("position").reset_index()


def find_channels(addresses: pd.Series) -> pd.Series:
    """Name the channel of each address that is somebody's page (blank: none of note)."""
    domains = fold_website(addresses).str.replace(_MIRROR, "", regex=True)
    page = addresses.str.contains(r"://[^/]+/[^/\s]", na=False)
    return domains.map(CHANNEL_PAGES).where(page).astype("str")


def read_points(points: pd.DataFrame) -> pd.DataFrame:
    """Read coordinates in degrees, with a decimal point or comma, to six decimals.

    Half a point, (0, 0) and what is not in degrees is no point.
    """
    text = points.replace(r"^(-?\d+),(\d+)$", r"\1.\2", regex=True)
    number: pd.DataFrame = text.apply(pd.to_numeric, errors="coerce").astype("float64")
    fit = number["latitude"].abs().le(90) & number["longitude"].abs().le(180)
    return number.where(fit & number.ne(0).any(axis=1)).round(6)


def mend_cities(cities: pd.Series, *, known: pd.Series) -> pd.Series:
    """Write each city in one way, whatever its spellings.

    Spellings that `linkage.fold_city` brings together take the form that the study already uses
    (`known`), else the most frequent one among those written best: capitals and small letters
    first, accents next. A city known only in capitals or in small letters gets initial capitals.
    A cell that holds only a postcode or "cedex" is missing afterwards.
    """
    trimmed = cities.str.replace(_CITY_NOISE, "", regex=True).str.strip(" -,")
    spelled = pd.concat([trimmed, known], keys=[False, True], names=["known"]).dropna()
    spelled = spelled.rename("spelling").reset_index("known")
    spelled["fold"] = spelled["spelling"].map(fold_city)
    best = spelled[spelled["fold"].ne("")].value_counts().rename("n").reset_index()
    text = best["spelling"]
    best["mixed"] = text.ne(text.str.upper()) & text.ne(text.str.lower())
    best["accents"] = text.str.normalize("NFD").str.contains(_ACCENT)
    order = {"known": False, "mixed": False, "accents": False, "n": False, "spelling": True}
    best = best.sort_values([*order], ascending=[*order.values()]).drop_duplicates("fold")
    text, as_is = best["spelling"], best["mixed"] | best["known"]
    written = text.where(as_is, text.str.title()).set_axis(best["fold"])
    return cities.map(fold_city, na_action="ignore").map(written)


def _drop_spreadsheet_errors(texts: pd.Series) -> pd.Series:
    return texts.mask(texts.isin(SPREADSHEET_ERRORS))


def _mend_addresses(texts: pd.Series) -> pd.Series:
    whole = texts.str.replace(r"(?i)^(https?)[:/]+", r"\1://", regex=True)
    whole = whole.where(whole.str.contains("://", na=False), "http://" + whole).astype("str")
    return whole.where(whole.str.fullmatch(_WEB_ADDRESS, na=False))


def _read_years(texts: pd.Series) -> pd.Series:
    """Read the year, 800-2100, out of years and dates: 2013, 2013.0, 2013-05-01, 01/05/2013."""
    years = texts.str.extract(_YEAR).bfill(axis=1)[0]
    return years.where(pd.to_numeric(years).between(800, 2100))


def _read_dates(dates: pd.Series, *, date_order: str | None) -> pd.Series:
    """Read days: ISO 8601, day/month/year, milliseconds since 1970, a spreadsheet's day number.

    Days with the year last are read as `study.columns.read_days` does.
    """
    bare = dates.str.replace(r"[T ].*", "", regex=True)
    iso = bare.str.extract(r"^(\d{4}[-/]\d{1,2}[-/]\d{1,2})$")[0].str.replace("/", "-")
    day = pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce")
    number = pd.to_numeric(dates.where(dates.str.fullmatch(r"\d{5}|\d{12,13}", na=False)))
    day = day.fillna(pd.to_datetime(number.where(number > 80_000), unit="ms"))
    serial = number.where(number.between(20_000, 80_000))  # 1954 to 2119
    day = day.fillna(pd.to_datetime(serial, unit="D", origin="1899-12-30"))
    return day.dt.strftime("%Y-%m-%d").fillna(read_days(bare, date_order=date_order))
