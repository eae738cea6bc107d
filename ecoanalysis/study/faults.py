"""The table of faults, and what it says to a person who knows spreadsheets and nothing else."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from ecoanalysis.wording import Language

FAULT_COLUMNS: tuple[str, ...] = (
    *("severity", "code", "table", "file", "row", "field", "found", "allowed", "suggestion"),
)
Faults = Iterator[pd.DataFrame]
Texts = str | Iterable[str]


@cache
def read_messages(severity: str) -> dict[str, str]:
    """Read the English sentence of each code of fault, refusal or warning, in their order."""
    with Path(__file__).with_name("faults.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {row["code"]: row["message"] for row in rows if row["severity"] == severity}


def make_faults(
    code: str,
    *,
    table: str = "",
    file: str = "",
    rows: Iterable[int | None] = (None,),
    **texts: Texts,
) -> pd.DataFrame:
    """Make faults of one sort: one for each of `rows` (the header is 1; None: a whole file).

    The texts are `field`, `found`, `allowed` and `suggestion`: one for all rows, or one for each.
    The columns are `FAULT_COLUMNS`; `row` is Int64 and missing for a whole file, others are text.
    """
    numbers = list(rows)
    severity = "refusal" if code in read_messages("refusal") else "warning"
    columns: dict[str, str | list[str]] = dict.fromkeys(FAULT_COLUMNS, "")
    columns |= {"severity": severity, "code": code, "table": table, "file": file}
    columns |= {name: text if isinstance(text, str) else list(text) for name, text in texts.items()}
    faults = pd.DataFrame(columns, index=range(len(numbers))).astype("str")
    faults["row"] = pd.array(numbers, dtype="Int64")
    return faults.assign(found=faults["found"].str.slice(0, 200))


def join_faults(parts: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """Put faults together, one a cell and finding: by sort, refusals first, file, table and row."""
    faults = pd.concat([make_faults("blank_value", rows=[]), *parts]).drop_duplicates()
    cell = ["severity", "file", "table", "row", "field", "found"]
    faults = faults[faults["row"].isna() | ~faults.duplicated(cell)]
    codes = [*read_messages("refusal"), *read_messages("warning")]
    return faults.sort_values(
        ["code", "file", "table", "row"],
        key=lambda column: column.map(codes.index) if column.name == "code" else column,
        kind="stable", na_position="first", ignore_index=True,
    )  # fmt: skip


def describe_faults(faults: pd.DataFrame, *, language: Language, limit: int = 50) -> list[str]:
    """Say in plain words where each fault is, what was found and how to mend it.

    There is one line a fault, sort by sort; what a sort has above `limit` is counted in a line.
    """
    lines: list[str] = []
    for _code, sort in faults.astype("str").where(faults.notna(), "").groupby("code", sort=False):
        shown = sort.head(limit).to_dict("records")
        lines += [_describe_fault(fault, language=language) for fault in shown]
        if len(sort) > limit:
            numbers = {"more": len(sort) - limit, "total": len(sort)}
            more = language.ngettext(
                "… and %(more)s more of this sort, %(total)s in all.",
                "… and %(more)s more of this sort, %(total)s in all.",
                numbers["more"],
            )
            lines.append(more % {k: language.format_number(n) for k, n in numbers.items()})
    return lines


def _describe_fault(fault: Mapping[Any, str], *, language: Language) -> str:
    # on one line, without the characters that would steer a screen
    shown = {
        name: "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
        for name, text in fault.items()
    }
    place = shown["file"] or shown["table"]
    if not place.endswith(".xlsx"):
        shown["table"] = ""
    parts = read_messages("place").items()
    place = ", ".join([place, *(language.gettext(t) % shown for name, t in parts if shown[name])])
    sentences = read_messages("refusal") | read_messages("warning")
    said = language.gettext(sentences.get(fault["code"], fault["code"])) % shown
    if shown["suggestion"]:
        said += " " + language.gettext("Did you mean “%(suggestion)s”?") % shown
    line = language.gettext("%(place)s: %(fault)s") % {"place": place, "fault": said}
    warning = language.gettext("Warning:")
    return f"{warning} {line}" if fault["severity"] == "warning" else line
