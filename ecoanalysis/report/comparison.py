"""The eight parts of a comparison of territories; each shows only what the gate allows.

Each function takes the tables of `comparison.compare_territories` and the study they come from,
and returns one part of the page in the language asked for; the sentences are in the templates. A
part that links to other pages takes the region too, blank for a comparison of the whole study.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from ecoanalysis import comparison, figures
from ecoanalysis.report.section import (
    Section,
    choose_text,
    find_twin,
    list_records,
    render_section,
)
from ecoanalysis.study import Study
from ecoanalysis.wording import Language, use_language

Compared = Mapping[str, pd.DataFrame]


def show_header(
    compared: Compared, *, study: Study, language: str = "fr", region: str = ""
) -> Section:
    """Show the head of the page: study, region, notice, key numbers, contents."""
    title = use_language(language).gettext("Comparison of the territories")
    title += f" – {region}" if region else ""
    name = choose_text(study.descriptor.title, language) or study.study_id
    notice = study.descriptor.notice.get(language, "")
    totals = {row["kind"]: row["n_organisations"] for row in list_records(compared["totals"])}
    return render_section(
        "comparison/header",
        language,
        page={"title": f"{title} – {name}", "notice": notice},
        title=title,
        study=name,
        notice=notice,
        fictional=study.descriptor.fictional,
        n_territories=len(compared["territories"]),
        n_organisations=totals["all"],
        n_kinds=sum(n > 0 for kind, n in totals.items() if kind not in ("all", "unclassified")),
        n_allowed=len(comparison.list_allowed(compared["gate"])),
        n_comparisons=len(comparison.COMPARISONS),
        **find_twin(language, comparison.name_page(region=region)),
    )


def show_gate(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show what may be compared and why the rest may not."""
    return _show(
        "gate",
        compared,
        study,
        language,
        gate=list_records(compared["gate"]),
        comparisons=comparison.COMPARISONS,
        reason=choose_text(study.descriptor.comparable_reason, language),
        regions=study.descriptor.comparable_regions,
    )


def show_territories(
    compared: Compared, *, study: Study, language: str = "fr", region: str = ""
) -> Section:
    """Show the territories, how much is known of each, and which are too thin to be read."""
    table = compared["territories"]
    names = table.set_index("territory_id")["name"]
    return _show(
        "territories",
        compared,
        study,
        language,
        territories=list_records(table.assign(within=table["within"].map(names))),
        filled=[column for column in table if table[column].ne(0).any()],
        top="../" * (comparison.name_page(region=region).count("/") + 1),
        fewest=comparison.THIN_ACTORS,
        most_unclassified=comparison.THIN_UNCLASSIFIED,
    )


def show_mixes(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the share of each kind, territory by territory."""
    listed = compared["mixes"].groupby("kind")["n"].transform("sum") > 0
    mixes = _name(compared["mixes"][listed], compared)
    return _show(
        "mixes",
        compared,
        study,
        language,
        mixes=[(kind, list_records(rows)) for kind, rows in mixes.groupby("kind", sort=False)],
        figure=_draw(mixes, figures.plot_mixes, study, use_language(language)),
        census=study.descriptor.census,
    )


def show_diversity(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show how diverse each list is in a random part of one common size."""
    table = _name(compared["diversity"], compared)
    return _show(
        "diversity",
        compared,
        study,
        language,
        diversity=list_records(table),
        figure=_draw(table, figures.plot_diversity, study, use_language(language)),
    )


def show_readiness(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the distributions of readiness side by side."""
    table = _name(compared["readiness"], compared)
    scored = table[table["n_scored"] > 0]
    rated = bool(compared["territories"]["n_rated_actors"].gt(0).any())
    plot = figures.plot_readiness_distributions
    return _show(
        "readiness",
        compared,
        study,
        language,
        readiness=list_records(scored),
        rated=rated,
        figure=_draw(scored, plot, study, use_language(language)),
    )


def show_networks(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the networks side by side."""
    table = _name(_join_free_index(compared["networks"]), compared)
    asked = compared["gate"].set_index("item")["passed"][["tie_question", "ties"]].all()
    return _show(
        "networks",
        compared,
        study,
        language,
        networks=list_records(table),
        asked=bool(asked),
    )


def show_totals(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show all territories together, each organisation counted once."""
    totals = compared["totals"]
    return _show(
        "totals",
        compared,
        study,
        language,
        everything=list_records(totals[totals["kind"] == "all"])[0],
        totals=list_records(totals[(totals["kind"] != "all") & (totals["n_entries"] > 0)]),
    )


def show_method(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the method, its limits, the sources and the notice."""
    return _show(
        "method",
        compared,
        study,
        language,
        notice=study.descriptor.notice.get(language, ""),
        fictional=study.descriptor.fictional,
        sources=study.descriptor.sources,
        licences=study.descriptor.licences,
    )


def _show(name: str, compared: Compared, study: Study, language: str, /, **context: Any) -> Section:
    return render_section(
        f"comparison/{name}",
        language,
        codebook=study.codebook,
        allowed=comparison.list_allowed(compared["gate"]),
        **context,
    )


def _name(table: pd.DataFrame, compared: Compared) -> pd.DataFrame:
    """Put the territories' names beside their codes."""
    names = compared["territories"].set_index("territory_id")["name"]
    return table.assign(name=table["territory_id"].map(names))


def _join_free_index(networks: pd.DataFrame) -> pd.DataFrame:
    """Keep one row a territory: all its ties, and the E-I index of the free ones."""
    index = ["territory_id", "ei_index", "ei_expected"]
    free = networks.loc[networks["structure"] == "free", index]
    everything = networks[networks["structure"] == "all"].drop(columns=index[1:])
    return everything.merge(free, on="territory_id", how="left")


def _draw(table: pd.DataFrame, plot: Callable[..., Axes], study: Study, words: Language) -> str:
    """Draw a figure where its table has rows; the page gives it its words."""
    if table.empty:
        return ""
    return figures.draw(
        lambda ax: plot(table, ax=ax, codebook=study.codebook, language=words), alt=""
    )
