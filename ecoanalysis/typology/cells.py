"""Cells of the actors' table as rules and counts read them."""

from __future__ import annotations

import numpy as np
import pandas as pd

_SPELLINGS = str.maketrans(
    {"œ": "oe", "æ": "ae", "’": "'", "ʼ": "'", "‘": "'", "‐": "-", "–": "-", "—": "-"}
)


def read_column(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a text column with blanks missing; a column that is not there is all missing."""
    if name not in table:
        return pd.Series(np.nan, index=table.index, dtype="str")
    text = table[name].astype("str").str.strip()
    return text.mask(text == "")


def list_values(cells: pd.Series) -> pd.DataFrame:
    """List the values of cells that hold several, separated by ``;``.

    Returns
    -------
    pandas.DataFrame
        row (index of the cell), value (not blank); a value said twice in a cell is listed twice.
    """
    values = cells.dropna().str.split(";").explode().str.strip()
    return values[values != ""].rename_axis("row").rename("value").reset_index()


def fold_text(text: pd.Series) -> pd.Series:
    """Write without case, accents and doubled spaces, so that spellings compare."""
    plain = text.str.casefold().str.normalize("NFKD").str.translate(_SPELLINGS)
    plain = plain.str.replace("[\u0300-\u036f]", "", regex=True)
    return plain.str.replace(r"\s+", " ", regex=True).str.strip()
