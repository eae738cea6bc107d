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
    name_places,
    render_section,
)
from ecoanalysis.study import Study
from ecoanalysis.wording import Language, use_language

Compared = Mapping[str, pd.DataFrame]
MANY = 60
"""Of more territories the figures sum up all of them, and show none by itself."""


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
    table = _name("territories", compared, study, language)
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
    """Show the share of each kind, territory by territory; of many, how they spread."""
    mixes, words = _name("mixes", compared, study, language), use_language(language)
    mixes = mixes[mixes.groupby("kind")["n"].transform("sum") > 0]
    by_kind = {str(kind): table for kind, table in mixes.groupby("kind", sort=False)}
    shares = "mixes" in comparison.list_allowed(compared["gate"])
    if many := len(compared["territories"]) > MANY:
        wide = mixes.pivot_table("share" if shares else "n", "territory_id", "kind")
        labels = {kind: study.codebook.label("kinds", kind, language) for kind in by_kind}
        spread = _sum_up(wide, labels)
        spread["n"] = [int((table["n"] > 0).sum()) for table in by_kind.values()]
        figure = _draw_spread(spread, words, form=words.format_percent)
    else:
        spread = mixes[:0]
        figure = _draw(mixes, figures.plot_mixes, study, words)
    return _show(
        "mixes",
        compared,
        study,
        language,
        mixes=[] if many else [(kind, list_records(rows)) for kind, rows in by_kind.items()],
        spread=list_records(spread),
        figure=figure,
        census=study.descriptor.census,
    )


def show_diversity(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show how diverse each list is in a random part of one common size."""
    table, words = _name("diversity", compared, study, language), use_language(language)
    orders = {
        "hill_0": words.gettext("all kinds"),
        "hill_1": words.gettext("common kinds"),
        "hill_2": words.gettext("dominant kinds"),
    }
    if len(table) > MANY:
        title = words.gettext("Number of kinds")
        figure = _draw_spread(_sum_up(table, orders), words, title=title)
    else:
        figure = _draw(table, figures.plot_diversity, study, words)
    return _show(
        "diversity", compared, study, language, diversity=list_records(table), figure=figure
    )


def show_readiness(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the distributions of readiness side by side."""
    table, words = _name("readiness", compared, study, language), use_language(language)
    scored = table[table["n_scored"] > 0]
    if len(scored) > MANY:
        quarters = {
            "lower_quartile": words.gettext("Lower quarter"),
            "median": words.gettext("Median"),
            "upper_quartile": words.gettext("Upper quarter"),
        }
        spread = _sum_up(scored, quarters)
    else:
        pairs = zip(scored["name"], scored["n_scored"].map(words.format_number), strict=True)
        names = [f"{figures.shorten_name(name, length=20)} ({n})" for name, n in pairs]
        spread = scored.assign(label=names)
    return _show(
        "readiness",
        compared,
        study,
        language,
        readiness=list_records(scored),
        rated=bool(compared["territories"]["n_rated_actors"].gt(0).any()),
        figure=_draw_spread(spread, words, top=100, title=words.gettext("Readiness, 0 to 100")),
    )


def show_networks(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the networks side by side."""
    table = _join_free_index(_name("networks", compared, study, language))
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
        many=len(compared["territories"]) > MANY,
        **context,
    )


def _name(table: str, compared: Compared, study: Study, language: str) -> pd.DataFrame:
    """Put the territories' names, in this language, beside their codes."""
    names = name_places(study.tables["territories"], language)
    return compared[table].assign(name=compared[table]["territory_id"].map(names))


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


def _sum_up(table: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """Describe how the values of each column spread over the territories, a row each."""
    shares = comparison.QUARTILES
    spread = table.reindex(columns=list(labels)).astype(float).quantile([*shares.values()])
    return spread.set_axis([*shares]).T.assign(label=[*labels.values()])


def _draw_spread(spread: pd.DataFrame, words: Language, **options: Any) -> str:
    if spread.empty:
        return ""
    return figures.draw(
        lambda ax: figures.plot_spread(spread, ax=ax, language=words, **options), alt=""
    )
