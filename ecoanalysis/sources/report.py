"""What an import did: every record and every tie is kept, merged or set aside, and says why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from ecoanalysis.wording import Language

_OUTCOMES = ["kept", "merged", "set_aside", "noted"]
_COLUMNS = [
    "source", "table", "outcome", "reason", "file", "row", "record_id", "actor_id", "field",
    "found", "used",
]  # fmt: skip
_MOST_ROWS = 20


@dataclass(frozen=True)
class ImportReport:
    """What became of each record of a list, and of each tie that it names.

    `table` counts, with `source`, ``table`` (actors: the list's records; organisations: those that
    its cells name; relations), ``outcome`` (kept, merged, set_aside; noted: a cell of a record was
    mended or left out), ``reason`` (code, or what the mapping says), ``n``. `rows` has whatever was
    merged or set aside, and every noted cell, with ``file``, ``row``, ``record_id``, ``actor_id``,
    ``field``, ``found``, ``used``. `n_new` actors were not in the study; `guesses` are field and
    column where no mapping was given; `unused` are the fields of the list that were not read.
    """

    source: str
    table: pd.DataFrame
    rows: pd.DataFrame
    n_new: int
    guesses: Mapping[str, str] = field(default_factory=dict)
    unused: tuple[str, ...] = ()

    @property
    def n_read(self) -> int:
        """Records read: those kept, merged and set aside."""
        return sum(map(self.count, ("kept", "merged", "set_aside")))

    def count(self, outcome: str, *, table: str = "actors") -> int:
        """Count the records (actors), organisations or ties (relations) with this outcome."""
        hit = self.table["outcome"].eq(outcome) & self.table["table"].eq(table)
        return int(self.table.loc[hit, "n"].sum())


def make_report(
    rows: pd.DataFrame, *, n_new: int, guesses: Mapping[str, str], unused: Iterable[str]
) -> ImportReport:
    """Count what became of what was read; `rows` has one row each, in the columns of the report."""
    table = rows.value_counts(["source", "table", "outcome", "reason"]).rename("n").reset_index()
    table = table.assign(at=table["outcome"].map(_OUTCOMES.index), less=-table["n"])
    table = table.sort_values(["table", "at", "less", "reason"], ignore_index=True)
    table = table.drop(columns=["at", "less"])
    rows = rows[rows["outcome"].ne("kept")].astype({"row": "Int64"})
    rows = rows.reindex(columns=_COLUMNS).reset_index(drop=True)
    return ImportReport(str(table["source"][0]), table, rows, n_new, guesses, tuple(unused))


def describe_import(report: ImportReport, *, language: Language) -> list[str]:
    """Say in plain words what an import did.

    For records and ties there is the total, then each reason with its count; then the records set
    aside; then what was guessed and what was not read.
    """
    labels = pd.read_csv(Path(__file__).with_name("sentences.csv"), index_col="code")
    said, number = labels[language.code].to_dict(), language.format_number
    lines = []
    for table in ("actors", "organisations", "relations"):
        counts = {name: report.count(name, table=table) for name in _OUTCOMES[:3]}
        if n := sum(counts.values()):
            sentence = said[f"{table}_read" if n > 1 else f"one_{table}_read"]
            lines.append(sentence % {name: number(m) for name, m in (*counts.items(), ("read", n))})
    one = report.n_new == 1 or (report.n_new == 0 and language.code == "fr")
    lines.append(said["one_new" if one else "new"] % {"new": number(report.n_new)})
    for why, n in zip(report.table["reason"], report.table["n"], strict=True):
        lines.append(f"  {number(n)}  {said.get(why, why)}")
    aside = report.rows[report.rows["outcome"].eq("set_aside") & report.rows["table"].eq("actors")]
    for row in aside.head(_MOST_ROWS).fillna("").to_dict("records"):
        why = said.get(row["reason"], row["reason"])
        lines.append(f"  {row['file']}, {row['row']}: {row['found']} – {why}")
    if report.guesses:
        lines.append(said["guessed"])
        lines += [f"  {name} → {column}" for name, column in report.guesses.items()]
    if report.unused:
        lines.append(said["not_read"] % {"fields": ", ".join(report.unused)})
    return lines
