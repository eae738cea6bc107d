"""The tables of a study, each declared once as a Frictionless Table Schema beside this file.

Beyond the standard, a field may say `codebook` (the codebook table whose codes it takes; with
`dimension`, only those of one dimension), `many` (several codes, separated by `;`), `numeric` (text
that holds numbers beside a word), `allowed` (what to show a person in place of a pattern or a long
list) and `description_fr`.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from importlib import resources
from typing import Any

from ecoanalysis.errors import UsageError

TABLES: tuple[str, ...] = (
    "territories",
    "actors",
    "relations",
    "raters",
    "ratings",
    "challenges",
    "positions",
    "influences",
    "constraints",
    "actions",
    "kinds",
    "subkinds",
    "criteria",
)
REQUIRED: tuple[str, ...] = ("territories", "actors")


def read_schema(table: str) -> dict[str, Any]:
    """Read the Table Schema of one table.

    Parameters
    ----------
    table : str
        One of `TABLES`.

    Returns
    -------
    dict
        A fresh copy of the schema: `title`, `fields`, `primaryKey`, `foreignKeys`.

    Raises
    ------
    UsageError
        If no such table is declared.
    """
    return deepcopy(_load_schema(table))


def list_columns(table: str) -> list[str]:
    """List the declared columns of one table, in their order.

    Parameters
    ----------
    table : str
        One of `TABLES`.

    Returns
    -------
    list of str
        Column names.

    Examples
    --------
    >>> list_columns("subkinds")[:2]
    ['code', 'kind']
    """
    return [field["name"] for field in _load_schema(table)["fields"]]


@cache
def _load_schema(table: str) -> dict[str, Any]:
    if table not in TABLES:
        raise UsageError(f"Unknown table: {table!r}; allowed: {', '.join(TABLES)}.")
    text = resources.files(__package__).joinpath(f"{table}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema
