"""What an import did: every record is kept, merged or set aside, and says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from ecoanalysis.wording import Language

TABLE_COLUMNS = ["source", "outcome", "reason", "n"]
_MOST_ROWS = 20
ROW_COLUMNS = [
    "source", "outcome", "reason", "file", "row", "record_id", "actor_id", "field", "found", "used",
]  # fmt: skip


@dataclass(frozen=True)
class ImportReport:
    """What became of each record of a list.

    Parameters
    ----------
    source : str
        Name of the list.
    table : pandas.DataFrame
        ``source``, ``outcome`` (kept, merged, set_aside; noted: a cell of a record was mended or
        left out), ``reason`` (code), ``n`` (records, or cells when noted).
    rows : pandas.DataFrame
        Every record that was merged or set aside, and every noted cell: ``source``, ``outcome``,
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

    def count(self, outcome: str) -> int:
        """Count the records, or the cells, with this outcome."""
        return int(self.table.loc[self.table["outcome"] == outcome, "n"].sum())


def make_report(
    rows: pd.DataFrame, *, source: str, n_new: int, guesses: Mapping[str, str], unused: list[str]
) -> ImportReport:
    """Count what became of the records.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row a record, and one a noted cell: the columns of `ImportReport.rows`.
    source, n_new, guesses, unused
        See `ImportReport`.

    Returns
    -------
    ImportReport
        Counts, and the rows that are worth a look.
    """
    order = ["kept", "merged", "set_aside", "noted"]
    table = rows.groupby(["outcome", "reason"]).size().rename("n").reset_index()
    table["rank"] = table["outcome"].map(order.index)
    table = table.sort_values(["rank", "n", "reason"], ascending=[True, False, True])
    rows = rows[rows["outcome"].ne("kept")].assign(source=source)
    return ImportReport(
        source=source,
        table=table.assign(source=source)[TABLE_COLUMNS].reset_index(drop=True),
        rows=rows.reindex(columns=ROW_COLUMNS).reset_index(drop=True),
        n_new=n_new,
        guesses=guesses,
        unused=tuple(unused),
    )


def describe_import(report: ImportReport, *, language: Language) -> list[str]:
    """Say in sentences what an import did.

    Parameters
    ----------
    report : ImportReport
        What `import_list` returned.
    language : Language
        Language of the sentences.

    Returns
    -------
    list of str
        The total, then each reason with its count, then what was guessed and what was not read.
    """
    numbers = {
        name: language.format_number(n)
        for name, n in {
            "read": report.n_read,
            "kept": report.count("kept"),
            "merged": report.count("merged"),
            "set_aside": report.count("set_aside"),
            "new": report.n_new,
        }.items()
    }
    lines = [
        language.ngettext(
            "%(read)s record read: %(kept)s kept, %(merged)s merged, %(set_aside)s set aside.",
            "%(read)s records read: %(kept)s kept, %(merged)s merged, %(set_aside)s set aside.",
            report.n_read,
        )
        % numbers,
        language.ngettext(
            "%(new)s actor is new in the study.",
            "%(new)s actors are new in the study.",
            report.n_new,
        )
        % numbers,
    ]
    sentences = _list_reasons(language)
    for reason, n in zip(report.table["reason"], report.table["n"], strict=True):
        lines.append(f"  {language.format_number(n)}  {sentences[reason]}")
    aside = report.rows[report.rows["outcome"].eq("set_aside")].head(_MOST_ROWS)
    for row in aside.fillna("").to_dict("records"):
        lines.append(f"  {row['file']}, {row['row']}: {row['found']} – {sentences[row['reason']]}")
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
        "channel_page": _("page on a social network; the channel is noted, the address left out"),
        "first_of_several": _("several web addresses; the first was kept"),
        "not_a_website": _("not a web address; left out"),
        "not_a_year": _("not a year; left out"),
        "not_a_date": _("not a day that can be read; left out"),
        "not_a_point": _("not a point in degrees; left out"),
        "shape_not_a_point": _("not a point on the map but another shape; left out"),
        "city_spelling": _("city written in its usual spelling"),
        "spreadsheet_error": _("error of a spreadsheet formula; left out"),
    }
