"""The words of the method: kinds, roles, criteria, relation kinds and the rules of the typology.

The tables of this folder *are* the method: forms, labels, scores and the dictionary come from
them, in French and in English. The ten kinds of ``origin`` *guide*, the questions and the expected
roles follow the guide of AFD and IDDRI, *Smart city guide: local authorities leading the digital
transformation* (Criqui, Barthel & Jaunet, 2018), step 3 and exercise 3, in our own words. The
helices are those of Carayannis & Campbell (2009); which kind belongs to which helix is our
assignment, and a study may change it. Salience is that of Mitchell, Agle & Wood (1997).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd

UNCLASSIFIED: Final = "unclassified"
READINESS: Final = ["familiarity", "appetite"]
"""The two questions on who turns most easily towards digital technology: the axes of a grid."""
TABLES: Final = ("kinds", "subkinds", "helices", "roles", "criteria", "relation_kinds")
"""Tables of codes, each with ``label_fr`` and ``label_en``."""

_FOLDER = Path(__file__).parent
_UNCLASSIFIED_LABELS = {"fr": "Non classé", "en": "Unclassified"}
_NUMBERS = {"scale_min": 0.0, "scale_max": 5.0, "direction": 1, "weight": 1.0}
_NUMBERS |= {"round": 2, "priority": 50}
_DEFAULTS = {"origin": "extension", "dimension": ""}
_DEFAULTS |= dict.fromkeys(("user_side", "innovator", "per_challenge"), "no")


@dataclass(frozen=True)
class Codebook:
    """Every code that a study may use, with its labels; `read_codebook` returns it.

    The tables are indexed by ``code``; text cells that are empty hold ``""``, and cells that may
    hold several codes (``expected_roles``, a subkind's ``kind``) separate them by ``;``. `rules` is
    a row a typology rule: rule, system, field, match, pattern, kind, subkind, confidence,
    priority (the lower wins).
    """

    kinds: pd.DataFrame
    subkinds: pd.DataFrame
    helices: pd.DataFrame
    roles: pd.DataFrame
    criteria: pd.DataFrame
    relation_kinds: pd.DataFrame
    rules: pd.DataFrame

    def label(self, table: str, code: str, language: str) -> str:
        """Return the name of a code of a table for people; the code itself where it is not known.

        Examples
        --------
        >>> read_codebook().label("kinds", "local_authority", "fr")
        'Collectivités territoriales'
        """
        if code == UNCLASSIFIED:
            return _UNCLASSIFIED_LABELS[language]
        entries: pd.DataFrame = getattr(self, table)
        return str(entries.loc[code, f"label_{language}"]) if code in entries.index else str(code)


def read_codebook(
    *,
    kinds: pd.DataFrame | None = None,
    subkinds: pd.DataFrame | None = None,
    criteria: pd.DataFrame | None = None,
) -> Codebook:
    """Read the codebook, with the additions and changes of a study's own tables.

    A known ``code`` changes the cells that are filled, a new one adds a row; what a new row leaves
    empty takes a plain default (a kind is an extension, a criterion runs from 0 to 5 with weight 1
    in the second round), and a label in one language stands for the other.
    """
    own = {"kinds": kinds, "subkinds": subkinds, "criteria": criteria}
    tables = {name: _override(_read_table(name), own.get(name)) for name in TABLES}
    return Codebook(**tables, rules=_read_rules().copy())


@cache
def _read_table(name: str) -> pd.DataFrame:
    return _read_csv(_FOLDER / f"{name}.csv").set_index("code")


@cache
def _read_rules() -> pd.DataFrame:
    files = sorted((_FOLDER / "rules").glob("*.csv"))
    return pd.concat([_read_csv(file) for file in files], ignore_index=True)


def _read_csv(file: Path) -> pd.DataFrame:
    return _set_types(pd.read_csv(file, dtype=str, keep_default_na=False, encoding="utf-8"))


def _set_types(table: pd.DataFrame) -> pd.DataFrame:
    return table.astype({c: type(_NUMBERS[c]) if c in _NUMBERS else "str" for c in table})


def _override(table: pd.DataFrame, additions: pd.DataFrame | None) -> pd.DataFrame:
    """Lay the filled cells of `additions` over `table`, by code; the last row of a code wins.

    The empty cells of new codes take their defaults, and each text its other language.
    """
    if additions is None or additions.empty:
        return table.copy()
    own = additions.reindex(columns=["code", *table.columns]).astype(object)
    own = own.dropna(subset=["code"]).drop_duplicates("code", keep="last").set_index("code")
    own = own.replace(r"^\s*$", None, regex=True)
    numbers = own.columns.intersection([*_NUMBERS])
    own[numbers] = own[numbers].apply(pd.to_numeric, errors="coerce").astype(object)
    order = [*table.index, *own.index.difference(table.index, sort=False)]
    merged = own.combine_first(table.astype(object)).reindex(index=order, columns=table.columns)
    merged = merged.fillna({k: v for k, v in (_NUMBERS | _DEFAULTS).items() if k in merged})
    for column in merged.columns[merged.columns.str.endswith("_fr")]:
        twin = column.removesuffix("_fr") + "_en"
        french, english = merged[column], merged[twin]
        merged[column], merged[twin] = french.fillna(english), english.fillna(french)
    codes = merged.index.to_series()
    stand_ins = {"label_fr": codes, "label_en": codes, "parent": merged.get("dimension")}
    merged = merged.fillna({name: with_ for name, with_ in stand_ins.items() if name in merged})
    return _set_types(merged.fillna("")).rename_axis("code")
