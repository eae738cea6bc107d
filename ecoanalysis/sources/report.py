"""What an import did: every record and every tie is kept, merged or set aside, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ecoanalysis.wording import Language

_MOST_ROWS = 20
_COLUMNS = [
    "source", "table", "outcome", "reason", "file", "row", "record_id", "actor_id", "field",
    "found", "used",
]  # fmt: skip


@dataclass(frozen=True)
class ImportReport:
    """What became of each record of a list, and of each tie that it names.

    Parameters
    ----------
    source : str
        Name of the list.
    table : pandas.DataFrame
        ``source``, ``table`` (actors: the list's records; organisations: those that its cells
        name; relations), ``outcome`` (kept, merged, set_aside; noted: a cell of a record was
        mended or left out), ``reason`` (code, or what the mapping says), ``n``.
    rows : pandas.DataFrame
        Whatever was merged or set aside, and every noted cell: ``source``, ``table``, ``outcome``,
        ``reason``, ``file``, ``row``, ``record_id``, ``actor_id``, ``field``, ``found``, ``used``.
    n_new : int
        Actors that the study did not have before.
    guesses : mapping
        Field of the list: column of the study, where no mapping was given.
    unused : tuple of str
        Fields of the list that were not read.
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
        return self.count("kept") + self.count("merged") + self.count("set_aside")

    def count(self, outcome: str, *, table: str = "actors") -> int:
        """Count the records (actors), organisations or ties (relations) with this outcome."""
        hit = self.table["outcome"].eq(outcome) & self.table["table"].eq(table)
        return int(self.table.loc[hit, "n"].sum())


def make_report(
    rows: pd.DataFrame, *, source: str, n_new: int, guesses: Mapping[str, str], unused: list[str]
) -> ImportReport:
    """Count what became of what was read; `rows` has one row each, in the columns of the report."""
    order = ["actors", "organisations", "relations", "kept", "merged", "set_aside", "noted"]
    table = rows.groupby(["table", "outcome", "reason"]).size().rename("n").reset_index()
    ranks = table.assign(
        **{c: table[c].map(order.index) for c in ("table", "outcome")}, n=-table["n"]
    )
    ranks = ranks.sort_values(["table", "outcome", "n", "reason"])
    table.insert(0, "source", source)
    rows = rows[rows["outcome"].ne("kept")].assign(source=source).astype({"row": "Int64"})
    return ImportReport(
        source=source,
        table=table.loc[ranks.index].reset_index(drop=True),
        rows=rows.reindex(columns=_COLUMNS).reset_index(drop=True),
        n_new=n_new,
        guesses=guesses,
        unused=tuple(unused),
    )


def describe_import(report: ImportReport, *, language: Language) -> list[str]:
    """Say in sentences what an import did.

    Returns
    -------
    list of str
        For records and ties the total, then each reason with its count; the records set aside;
        then what was guessed and what was not read.
    """
    said = language.ngettext
    lines = []
    for table in ("actors", "organisations", "relations"):
        counts = {name: report.count(name, table=table) for name in ("kept", "merged", "set_aside")}
        n = sum(counts.values())
        sentence = {
            "actors": said(
                "%(read)s record read: %(kept)s kept, %(merged)s merged, %(set_aside)s set aside.",
                "%(read)s records read: %(kept)s kept, %(merged)s merged, %(set_aside)s set aside.",
                n,
            ),
            "organisations": said(
                "%(read)s organisation named in the records: %(kept)s new, %(merged)s known.",
                "%(read)s organisations named in the records: %(kept)s new, %(merged)s known.",
                n,
            ),
            "relations": said(
                "%(read)s tie read: %(kept)s kept, %(merged)s merged, %(set_aside)s set aside.",
                "%(read)s ties read: %(kept)s kept, %(merged)s merged, %(set_aside)s set aside.",
                n,
            ),
        }[table]
        counts["read"] = n
        if n:
            lines.append(sentence % {k: language.format_number(v) for k, v in counts.items()})
    new = said(
        "%(new)s actor is new in the study.", "%(new)s actors are new in the study.", report.n_new
    )
    lines.append(new % {"new": language.format_number(report.n_new)})
    sentences = _list_reasons(language)
    for reason, n in zip(report.table["reason"], report.table["n"], strict=True):
        lines.append(f"  {language.format_number(n)}  {sentences.get(reason, reason)}")
    aside = report.rows[report.rows["outcome"].eq("set_aside") & report.rows["table"].eq("actors")]
    for row in aside.head(_MOST_ROWS).fillna("").to_dict("records"):
        why = sentences.get(row["reason"], row["reason"])
        lines.append(f"  {row['file']}, {row['row']}: {row['found']} – {why}")
    if report.guesses:
        lines.append(language.gettext("No mapping was given; the columns were read as:"))
        lines += [f"  {name} → {column}" for name, column in report.guesses.items()]
    if report.unused:
        names = {"fields": ", ".join(report.unused)}
        lines.append(language.gettext("Not read: %(fields)s") % names)
    return lines


def _list_reasons(language: Language) -> dict[str, str]:
    _ = language.gettext
    return {
        "postcode": _("placed by postcode"),
        "city": _("placed by city"),
        "inferred": _("placed by the five nearest points that have a postcode"),
        "stated": _("placed where the list or the command says"),
        "same_organisation": _("the same name, and nothing contradicts: one organisation"),
        "no_name": _("no name"),
        "no_place": _("no postcode, no city and no point"),
        "unknown_place": _("neither postcode nor city belongs to a territory of the study"),
        "far_from_others": _("too far from the points that have a postcode"),
        "neighbours_disagree": _("the nearest points lie in different territories"),
        "undecided": _("could be either of two actors of that name, so it stays apart"),
        "differs": _("another record says otherwise; the first was followed"),
        "holds_contact": _("held an e-mail address or a handle; left out"),
        "at_sign": _("name written without its at sign"),
        "name_withheld": _("name withheld, for it may be that of a person"),
        "channel_page": _("page on a social network; the channel is noted, the address left out"),
        "first_of_several": _("several web addresses; the first was kept"),
        "not_a_website": _("not a web address; left out"),
        "not_a_year": _("not a year; left out"),
        "not_a_date": _("not a day that can be read; left out"),
        "not_a_point": _("not a point in degrees; left out"),
        "shape_not_a_point": _("not a point on the map but another shape; left out"),
        "city_spelling": _("city written in its usual spelling"),
        "spreadsheet_error": _("error of a spreadsheet formula; left out"),
        "named": _("named in a cell of a record"),
        "tie": _("tie between two actors"),
        "same_tie": _("the same tie again; weights were added"),
        "end_set_aside": _("tie whose end was set aside"),
        "self_relation": _("tie of an actor to itself"),
        "negative_weight": _("tie of negative weight"),
        "no_kind": _("the mapping does not say what the edges mean"),
    }
