"""Cells of any file as text: what a spreadsheet or a JSON file made of a value is undone once."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from datetime import date, datetime, time

import pandas as pd

from ecoanalysis.study.files import clean_text

SPREADSHEET_ERROR = r"#[A-ZÀ-Ü/0]+ ?[!?]|#N/[AD]"
_BLANK = re.compile(r"[\s\x00-\x1f\x7f-\x9f]+")


def write_cell(value: object) -> str | None:
    """Write one value as text; None when there is nothing in the cell.

    Whole floats lose their ``.0`` (a postcode or a nine-digit number stays what it was), midnight
    loses its time, lists are joined by ``;``.

    Examples
    --------
    >>> write_cell(75001.0), write_cell(["web", "b2b"]), write_cell("  ")
    ('75001', 'web;b2b', None)
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list) and not any(isinstance(part, list | dict) for part in value):
        parts = [write_cell(part) for part in value]
        return ";".join(part.replace(";", ",") for part in parts if part) or None
    text = json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else str(value)
    return _BLANK.sub(" ", clean_text(text)).strip() or None


def frame_records(
    records: Sequence[dict[str, object]], *, file: str, rows: Sequence[int]
) -> pd.DataFrame:
    """Make a table of text from the records of one file.

    What is nested becomes ``outer.inner``; the index holds `file` and the `row` in it.
    """
    flat = [_flatten(record) for record in records]
    columns = list(dict.fromkeys(field for record in flat for field in record))
    index = pd.MultiIndex.from_arrays([[file] * len(flat), list(rows)], names=["file", "row"])
    cells = {field: [write_cell(record.get(field)) for record in flat] for field in columns}
    return pd.DataFrame(cells, index=index, columns=pd.Index(columns, dtype="str"), dtype="str")


def _flatten(record: dict[str, object]) -> dict[str, object]:
    flat: dict[str, object] = {}
    for field, value in record.items():
        if isinstance(value, dict):
            flat |= {f"{field}.{inner}": part for inner, part in _flatten(value).items()}
        else:
            flat[field] = value
    return flat
