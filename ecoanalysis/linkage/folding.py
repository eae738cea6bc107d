"""Names, cities, titles and addresses, folded to what their spellings have in common."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import pandas as pd

_LEGAL_FORMS = re.compile(
    "sas|sasu|sarl|sarlu|suarl|eurl|sa|sau|snc|scop|scic|scs|gie|eirl|ltd|limited|llc|llp|inc"
    "|incorporated|corp|plc|gmbh|ag|srl|spa|bv|nv|lda|ltda|pty|pvt"
)
_LETTERS = str.maketrans(
    {"œ": "oe", "æ": "ae", "ø": "o", "ł": "l", "đ": "d", "ı": "i", "+": " plus "}
)
_WORD = re.compile(r"[^\W_]+")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}")
_SMALL_WORDS = re.compile(
    "an?d?|as|aux?|d|da|das|de|del|des|do|dos|du|e|el|en|et|for|in|l|la|las|le|les|los|o|of|os"
    "|para|pour|sur|the|y"
)
_BRACKETS = re.compile(r"\(([^()]*)\)")
_CITY_NOISE = re.compile(r"\d+\s*(?:er|e|eme|nd)?\b|\bcedex\b|\barrondissement\b")
_SAINT = re.compile(r"\bst(e?)\b")


def _fold_letters(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.casefold().translate(_LETTERS))
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def split_words(name: str) -> list[str]:
    """Split a name into words without case or accents; "S.A." is one, "+" is read as "plus"."""
    initials = _INITIALS.sub(lambda found: found[0].replace(".", "") + " ", name)
    return _WORD.findall(_fold_letters(initials))


@lru_cache(maxsize=100_000)
def fold_name(name: str) -> str:
    """Fold a name to letters and digits, without a legal form at either end; empty without any."""
    words = split_words(name)
    for end in (-1, 0):
        while len(words) > 1 and _LEGAL_FORMS.fullmatch(words[end]):
            words.pop(end)
    return "".join(words)


def fold_acronyms(name: str) -> set[str]:
    """List the short forms of a name, 3 to 8 letters: its initials, and what stands in brackets."""
    words = split_words(_BRACKETS.sub(" ", name))
    initials = "".join(word[0] for word in words if not _SMALL_WORDS.fullmatch(word))
    short = {initials, *map(fold_name, _BRACKETS.findall(name))}
    return {text for text in short if 3 <= len(text) <= 8}


@lru_cache(maxsize=100_000)
def fold_city(city: str) -> str:
    """Fold a city's name; postcode, "cedex" and arrondissement numbers are no part of it."""
    plain = _CITY_NOISE.sub(" ", _fold_letters(city))
    return _SAINT.sub(r"saint\1", " ".join(_WORD.findall(plain)))


def fold_id(text: str, *, limit: int = 64) -> str:
    """Fold a text to an identifier, ``[a-z0-9][a-z0-9-]*``; empty without Latin letter or digit."""
    words = re.findall(r"[a-z0-9]+", _fold_letters(text).replace("'", "").replace("’", ""))
    return "-".join(words)[:limit].strip("-")


def fold_website(website: pd.Series) -> pd.Series:
    """Reduce web addresses to their domain in small letters without ``www.``, else missing."""
    host = website.str.casefold().str.extract(r"^(?:https?://)?(?:www\.)?([^/:?#\s]+)")[0]
    return host.rename("domain")
