"""The tables of a study, each declared once as a Frictionless Table Schema beside this file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ecoanalysis.errors import UsageError

LOCAL_CODES: tuple[str, ...] = ("kinds", "subkinds", "criteria")
TABLES: tuple[str, ...] = (
    *("territories", "actors", "relations", "raters", "ratings", "challenges"),
    *("positions", "influences", "constraints", "actions", *LOCAL_CODES),
)
REQUIRED: tuple[str, ...] = ("territories", "actors")
_NUMBERS = ("number", "integer")


def read_schema(table: str) -> dict[str, Any]:
    """Read the schema of one of `TABLES`: `title`, `fields`, `primaryKey`, `foreignKeys`.

    Beyond the standard, a field may say `codebook` (the table whose codes it takes; with
    `dimension`, only those of one dimension), `many` (codes separated by `;`), `numeric` (text that
    holds numbers beside a word), `allowed` (what to show in place of a pattern) and
    `description_fr`.
    """
    if table not in TABLES:
        raise UsageError(f"Unknown table: {table!r}; allowed: {', '.join(TABLES)}.")
    text = Path(__file__).with_name(f"{table}.json").read_text(encoding="utf-8")
    schema: dict[str, Any] = json.loads(text)
    return schema


def list_fields(table: str) -> dict[str, dict[str, Any]]:
    """List the fields of a table by name, each with `constraints`, if only {}, and `numeric`."""
    declared = read_schema(table)["fields"]
    return {f["name"]: {"constraints": {}, "numeric": f["type"] in _NUMBERS, **f} for f in declared}


def list_columns(table: str) -> list[str]:
    """List the declared columns of a table, in their order."""
    return list(list_fields(table))
