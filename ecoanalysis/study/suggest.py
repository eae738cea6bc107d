"""What a person probably meant by a code, an identifier or a column name that is not known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz import fuzz, process

from ecoanalysis.errors import UsageError

_MOST_COMPARISONS = 5_000_000
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("oui", "vrai", "true", "sim", "y", "o", "1"), "yes"),
    **dict.fromkeys(("non", "faux", "false", "nao", "n", "0"), "no"),
    **dict.fromkeys(("non demande", "not_asked", "pas demande"), "not asked"),
    **dict.fromkeys(("ne sait pas", "nsp", "don't know", "dk", "?"), "dont_know"),
}


def fold_text(text: str) -> str:
    """Fold case, accents and punctuation away: N° Téléphone_2 is n telephone 2."""
    plain = unicodedata.normalize("NFKD", text)
    letters = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return " ".join(re.findall(r"[^\W_]+", letters))


def suggest_words(
    found: Iterable[str], *, known: Mapping[str, str] | Sequence[str], likeness: float = 62.0
) -> list[str]:
    """Suggest for each text the known word most like it; blank if none is, or there are too many.

    `known` may map spellings to the word of each; `likeness` is the least Indel ratio (0-100).
    """
    texts = list(found)
    words = known if isinstance(known, Mapping) else {word: word for word in known}
    spellings = {spelling: fold_text(spelling) for spelling in words}
    meant: dict[str, str] = {}
    for text in list(dict.fromkeys(texts))[: _MOST_COMPARISONS // max(len(words), 1)]:
        word = _WORDS.get(folded := fold_text(text)) or _WORDS.get(text.casefold())
        if word not in words.values():
            hit = process.extractOne(folded, spellings, scorer=fuzz.ratio, score_cutoff=likeness)
            word = words[hit[2]] if hit else ""
        meant[text] = str(word)
    return [meant.get(text, "") for text in texts]


def check_name(name: object, known: Iterable[str], where: str) -> None:
    """Refuse a name that is not known, and say which one was probably meant."""
    allowed = list(known)
    if name not in allowed:
        (near,) = suggest_words([str(name)], known=allowed)
        hint = f"did you mean {near!r}? " if near else ""
        raise UsageError(f"{where}: {name!r} is not known; {hint}Allowed: {', '.join(allowed)}.")


def suggest_folder(text: str) -> str:
    """Suggest a name that every computer gives a folder: val-d-oise for Val d'Oise, index-1."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")[:64]
    return f"{name}-1" if name == text else name
