"""One cleaner a kind of value. What is dropped or mended is noted, never done in silence.

Each function returns the clean cells, then the notes: `position` (index of the cell), `field`,
`reason` (code), `found` (missing where it must not be repeated) and `used`.
"""

from __future__ import annotations

import pandas as pd

from ecoanalysis.linkage import fold_city, fold_website

CHANNEL_PAGES = {
    **{f"{name}.com": name for name in ("facebook", "instagram", "linkedin", "tiktok", "twitter")},
    **{"viadeo.com": "viadeo", "youtube.com": "youtube", "plus.google.com": "google_plus"},
    **{"x.com": "twitter", "t.me": "telegram", "wa.me": "whatsapp"},
    **dict.fromkeys(("about.me", "linktr.ee", "msha.ke", "vizify.com"), ""),
}
"""Domains whose pages are somebody's profile: the channel is open, the address is not kept."""

_EMAIL = r"[^\s@;,<>()]+@[^\s@;,<>()]+\.[^\W\d_]{2,}"
_WEB_ADDRESS = r"(?i:https?)://(?:[^\s/@:?#.]+\.)+[^\s/@:?#.]{2,}(?::\d+)?(?:[/?#][^\s<>\"@]*)?"
_CITY_NOISE = r"(?i)\b\d{4,6}\b|\bcedex\b.*|\b\d{1,2}\s*(?:er|e|[eè]me|nd)?\b(?:\s*arrondissement)?"
_ACCENT = r"[\u0300-\u036f]"

Cleaned = tuple[pd.Series, pd.DataFrame]


def note_changes(
    found: pd.Series, used: pd.Series, *, reason: str, private: bool = False
) -> pd.DataFrame:
    """List the cells that were changed; what was found is not repeated when it is `private`."""
    changed = found.notna() & (found != used)
    notes = pd.DataFrame({"field": str(found.name), "reason": reason}, index=found.index[changed])
    notes["found"] = pd.Series(dtype="str") if private else found[changed]
    notes["used"] = used[changed].astype("str")
    return notes.rename_axis("position").reset_index()


def drop_emails(texts: pd.Series) -> Cleaned:
    """Drop the values that hold an e-mail address."""
    kept = texts.mask(texts.str.contains(_EMAIL, na=False))
    return kept, note_changes(texts, kept, reason="holds_contact", private=True)


def clean_names(names: pd.Series) -> Cleaned:
    """Drop names that are e-mail addresses.

    An at sign that begins a name is the mark of a handle and goes; inside it is read as an a.
    """
    kept, dropped = drop_emails(names)
    plain = kept.str.replace(r"(?<!\S)@\s*", "", regex=True).str.replace("@", "a").str.strip()
    plain = plain.mask(plain.eq(""))
    changed = note_changes(kept, plain, reason="at_sign", private=True)
    return plain, pd.concat([dropped, changed], ignore_index=True)


def clean_websites(websites: pd.Series) -> tuple[pd.Series, pd.Series, pd.DataFrame]:
    """Make web addresses fit for the tables, and name the channels that stood in their place.

    Of several addresses the first is kept. One with an at sign, one that is no address, and a
    profile page of a social network (`CHANNEL_PAGES`) are missing afterwards. Notes are private,
    for a cell may name somebody's page.
    """
    safe = websites.mask(websites.str.contains("@", na=False))
    single = safe.str.replace(r"\s.*", "", regex=True)
    single = single.str.replace(r"(?i)^(https?)[:/]+", r"\1://", regex=True)
    whole = single.where(single.str.contains("://", na=False), "http://" + single).astype("str")
    fit = whole.where(whole.str.fullmatch(_WEB_ADDRESS, na=False))
    mirror = r"^(?:m|[a-z]{2}|[a-z]{2}-[a-z]{2})\.(?=\w+\.)"
    page = fold_website(fit).str.replace(mirror, "", regex=True).map(CHANNEL_PAGES)
    page = page.where(fit.str.contains(r"://[^/]+/[^/\s]", na=False))
    kept = fit.where(page.isna()).astype("str")
    steps = [
        (websites, safe, "holds_contact"),
        (safe, safe.where(~safe.str.contains(" ", na=False), kept), "first_of_several"),
        (single, single.where(fit.notna()), "not_a_website"),
        (fit, kept, "channel_page"),
    ]
    notes = [note_changes(was, now, reason=reason, private=True) for was, now, reason in steps]
    return kept, page.where(page.ne("")).astype("str"), pd.concat(notes, ignore_index=True)


def clean_years(years: pd.Series) -> Cleaned:
    """Read the year, 800–2100, out of years and dates: 2013, 2013.0, 2013-05-01, 01/05/2013."""
    parts = years.str.extract(
        r"^(\d{3,4})(?:[.,]0+)?$|^(\d{4})[-/.]\d{1,2}\b|^\d{1,2}[-/.]\d{1,2}[-/.](\d{4})\b"
    )
    year = pd.to_numeric(parts[0].fillna(parts[1]).fillna(parts[2])).astype("float64")
    year = year.where(year.between(800, 2100))
    return year, note_changes(years, years.where(year.notna()), reason="not_a_year")


def clean_dates(dates: pd.Series, *, date_order: str | None) -> Cleaned:
    """Read days: ISO 8601, day/month/year, milliseconds since 1970, a spreadsheet's day number.

    Where no `date_order` (dmy, mdy) is given, a day above 12 anywhere in the column settles it.
    """
    iso = dates.str.extract(r"^(\d{4}[-/]\d{1,2}[-/]\d{1,2})(?:$|[T ])")[0].str.replace("/", "-")
    day = pd.to_datetime(iso, format="%Y-%m-%d", errors="coerce")
    number = pd.to_numeric(dates.where(dates.str.fullmatch(r"\d{5}|\d{12,13}", na=False)))
    day = day.fillna(pd.to_datetime(number.where(number > 80_000), unit="ms"))
    serial = number.where(number.between(20_000, 80_000))  # 1954 to 2119
    day = day.fillna(pd.to_datetime(serial, unit="D", origin="1899-12-30"))
    parts = dates.str.extract(r"^(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})(?:$|[T ])").dropna()
    parts = parts.astype("int64")
    first, second = parts[0].gt(12).any(), parts[1].gt(12).any()
    order = date_order or ("dmy" if first and not second else "mdy" if second and not first else "")
    if order:
        names = ["day", "month", "year"] if order == "dmy" else ["month", "day", "year"]
        named = pd.to_datetime(parts.set_axis(names, axis=1), errors="coerce")
        day = day.fillna(named.reindex(day.index))
    day = day.dt.floor("D").astype("datetime64[s]")
    return day, note_changes(dates, dates.where(day.notna()), reason="not_a_date")


def clean_points(points: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read coordinates in degrees, with a decimal point or comma, to six decimals.

    Half a point, (0, 0) and what is not in degrees is no point.
    """
    text = points.replace(r"^(-?\d+),(\d+)$", r"\1.\2", regex=True)
    number = text.apply(pd.to_numeric, errors="coerce").astype("float64")
    fit = number["latitude"].abs().le(90) & number["longitude"].abs().le(180)
    fit &= number.ne(0).any(axis=1)
    notes = [note_changes(points[c], points[c].where(fit), reason="not_a_point") for c in points]
    return number.where(fit).round(6), pd.concat(notes, ignore_index=True)


def mend_cities(cities: pd.Series, *, known: pd.Series) -> Cleaned:
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
    mended = cities.map(fold_city, na_action="ignore").map(written).astype("str")
    return mended, note_changes(cities, mended, reason="city_spelling")
