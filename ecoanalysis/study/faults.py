"""The table of faults, and what it says to a person who knows spreadsheets and nothing else."""
# ruff: noqa: E501 (one sentence a line, to be found by its words)

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from ecoanalysis.wording import Language

FAULT_COLUMNS: tuple[str, ...] = (
    *("severity", "code", "table", "file", "row", "field", "found", "allowed", "suggestion"),
)
Faults = Iterator[pd.DataFrame]
Texts = str | Iterable[str]


def _(message: str) -> str:
    """Mark a sentence for translation; it is translated when it is shown."""
    return message


REFUSALS: dict[str, str] = {
    "both_kinds": _("The folder holds study.xlsx and also %(found)s. Keep the workbook or the CSV files, not both."),
    "missing_table": _("The table “%(found)s” is missing; a study cannot do without it."),
    "empty_table": _("The table “%(found)s” has no rows; fill in at least one."),
    "binary_file": _("This is not a table of text. In your spreadsheet choose “Save as”, then CSV UTF-8, or put the sheet into study.xlsx."),
    "unreadable_encoding": _("The letters of this file cannot be read. In your spreadsheet choose “Save as”, then CSV UTF-8."),
    "unreadable_descriptor": _("datapackage.yaml cannot be read: %(found)s."),
    "unknown_setting": _("The setting is not known. Known: %(allowed)s."),
    "unclosed_quote": _('A quotation mark (") opens a cell and is not closed at its end, so the rows below cannot be read. Close it or delete it; inside a cell write it twice.'),
    "ragged_row": _("This row has %(found)s cells where the table has %(allowed)s columns. Look for a missing separator, or for one too many."),
    "missing_column": _("The column is missing; add it, with a value in every row."),
    "misspelt_column": _("The column “%(found)s” is not known."),
    "doubled_column": _("The column is there %(found)s times; keep one."),
    "blank_column_name": _("Column %(found)s has values but no name; name it or delete it."),
    "too_many_faults": _("The check of this table stopped after %(found)s faults; mend these first."),
    "unfit_id": _("“%(found)s” cannot name a folder on every computer. Allowed: %(allowed)s, and no name that the program or Windows keeps for itself."),
    "blank_value": _("The cell is blank, and it must be filled."),
    "control_character": _("The cell holds a character that cannot be seen and is no text. Type the cell anew."),
    "spreadsheet_error": _("The cell holds the error %(found)s of a spreadsheet formula. Correct the formula, or leave the cell blank."),
    "unknown_code": _("“%(found)s” is not one of the codes. Allowed: %(allowed)s."),
    "subkind_of_another_kind": _("The subkind “%(found)s” belongs to the kind “%(allowed)s”."),
    "not_a_number": _("“%(found)s” is not a number. Write digits, with nothing after or between them; leave the cell blank when it is not known."),
    "not_a_whole_number": _("“%(found)s” is not a whole number."),
    "out_of_scale": _("%(found)s is off the scale. Allowed: %(allowed)s."),
    "half_coordinates": _("The point has only half of its coordinates; fill in this cell or empty the other one."),
    "impossible_date": _("“%(found)s” is not a day of the calendar. Write %(allowed)s: year, month, day."),
    "ambiguous_date": _("“%(found)s” may be day/month or month/day. Write %(allowed)s, or say “date_order: dmy” in datapackage.yaml."),
    "not_a_web_address": _("“%(found)s” is not a web address. It begins with %(allowed)s."),
    "doubled_key": _("“%(found)s” is there already, in row %(allowed)s. Each may be there once: delete one of the two rows, or give it another code."),
    "self_relation": _("“%(found)s” is tied to itself; delete the row or correct the other end."),
    "dangling_reference": _("“%(found)s” is nowhere in the table “%(allowed)s”. Add it there, or correct it here."),
}  # fmt: skip
WARNINGS: dict[str, str] = {
    "territory_without_actors": _("The territory “%(found)s” has no actors; its page stays bare."),
    "points_outside_country": _("None of the %(found)s points of this territory lies in its country (%(allowed)s)."),
    "zero_coordinates": _("The point is at 0, 0, in the ocean off Ghana; leave both cells blank when it is not known."),
    "doubled_relation": _("The tie “%(found)s” is there already, in row %(allowed)s."),
    "contact_column": _("The column holds contacts of persons: it is not read, and goes nowhere. Better delete it."),
    "unused_column": _("No stage uses this column; it is kept."),
    "unused_file": _("This file or sheet is not one of the tables; it is not read."),
    "unknown_source": _("The source “%(found)s” is not described in datapackage.yaml."),
    "unclassified_actors": _("Actors that no rule could classify, to be given a kind or left unclassified: %(found)s."),
    "probable_duplicate": _("Probably the same organisation twice: %(found)s."),
}  # fmt: skip
_PLACES = {
    "table": _("sheet %(table)s"),
    "row": _("row %(row)s"),
    "field": _("column %(field)s"),
}


def make_faults(
    code: str, *, table: str = "", file: str = "", rows: Iterable[int] | None = None, **texts: Texts
) -> pd.DataFrame:
    """Make faults of one sort: one for each of `rows` (the header is 1), or one of a whole file.

    The texts are `field`, `found`, `allowed` and `suggestion`: one for all rows, or one for each.
    The columns are `FAULT_COLUMNS`; `row` is Int64 and missing for a whole file, others are text.
    """
    numbers = [pd.NA] if rows is None else list(rows)
    severity = "refusal" if code in REFUSALS else "warning"
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
    places = {code: i for i, code in enumerate([*REFUSALS, *WARNINGS])}
    return faults.sort_values(
        ["code", "file", "table", "row"],
        key=lambda column: column.map(places) if column.name == "code" else column,
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
            message = language.gettext("… and %(more)s more of this sort, %(total)s in all.")
            numbers = {"more": len(sort) - limit, "total": len(sort)}
            lines.append(message % {k: language.format_number(n) for k, n in numbers.items()})
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
    parts = [language.gettext(text) % shown for name, text in _PLACES.items() if shown[name]]
    place = ", ".join([place, *parts])
    code = fault["code"]
    said = language.gettext(REFUSALS.get(code) or WARNINGS.get(code) or code) % shown
    if shown["suggestion"]:
        said += " " + language.gettext("Did you mean “%(suggestion)s”?") % shown
    line = language.gettext("%(place)s: %(fault)s") % {"place": place, "fault": said}
    return f"{language.gettext('Warning:')} {line}" if fault["severity"] == "warning" else line
