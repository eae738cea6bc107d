"""What a person probably meant by a code, an identifier or a column name that is not known."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from rapidfuzz import fuzz, process

_MOST_COMPARISONS = 5_000_000
_WORDS: Mapping[str, str] = {
    **dict.fromkeys(("oui", "vrai", "true", "sim", "y", "o", "1"), "yes"),
    **dict.fromkeys(("non", "faux", "false", "nao", "n", "0"), "no"),
    **dict.fromkeys(("non demande", "not_asked", "pas demande"), "not asked"),
    **dict.fromkeys(("ne sait pas", "nsp", "don't know", "dk", "?"), "dont_know"),
}


def fold_text(text: str) -> str:
    """Fold case, accents and punctuation away, so that spellings can be compared.

    Examples
    --------
    >>> fold_text("N° Téléphone_2")
    'n telephone 2'
    """
    plain = unicodedata.normalize("NFKD", text)
    letters = "".join(c for c in plain if not unicodedata.combining(c)).casefold()
    return " ".join(re.findall(r"[^\W_]+", letters))


def suggest_words(
    found: Iterable[str], *, known: Mapping[str, str] | Sequence[str], likeness: float = 62.0
) -> list[str]:
    """Suggest for each text the known word that looks most like it.

    Parameters
    ----------
    found : iterable of str
        Texts that are not known.
    known : mapping of str to str, or sequence of str
        Words, or spellings (codes, labels) and the word that each stands for.
    likeness : float
        Least ratio of Indel distance (0-100) at which a word is near enough.

    Returns
    -------
    list of str
        One for each of `found`, blank where nothing is near enough, or too much to compare.
    """
    texts = list(found)
    words = known if isinstance(known, Mapping) else {word: word for word in known}
    meant: dict[str, str] = {}
    distinct = list(dict.fromkeys(texts))
    most = _MOST_COMPARISONS // max(len(words), 1)
    spellings = {spelling: fold_text(spelling) for spelling in words} if most else {}
    for text in distinct[:most]:
        folded = fold_text(text)
        word = _WORDS.get(folded) or _WORDS.get(text.casefold())
        if word in words.values():
            meant[text] = str(word)
            continue
        hit = process.extractOne(folded, spellings, scorer=fuzz.ratio, score_cutoff=likeness)
        meant[text] = words[hit[2]] if hit else ""
    return [meant.get(text, "") for text in texts]


def suggest_folder(text: str) -> str:
    """Suggest an identifier that every computer takes as a folder's name.

    Examples
    --------
    >>> suggest_folder("Val d'Oise (95)")
    'val-d-oise-95'
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.casefold()).strip("-")[:64]
