"""The parts of a comparison of territories; each shows only what the gate allows.

Each function takes the tables of `comparison.compare_territories`, the study they come from, the
language, and, where the part links to other pages, the region (blank: the whole study).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import pandas as pd

from ecoanalysis import comparison
from ecoanalysis.report.section import (
    Section,
    find_twin,
    list_records,
    name_places,
    render_section,
)  # fmt: skip
from ecoanalysis.study import Study
from ecoanalysis.wording import use_language

Compared = Mapping[str, pd.DataFrame]
MANY = 60
"""Of more territories the page sums up all of them, and shows the first of each table only."""


def show_header(
    compared: Compared, *, study: Study, language: str = "fr", region: str = ""
) -> Section:
    """Show the head of the page: study, region, notice, key numbers, contents."""
    title = use_language(language).gettext("Comparison of the territories")
    title += f" – {region}" if region else ""
    twin = find_twin(language, comparison.name_page(region=region))
    return _show("header", compared, study, language, title=title, **twin)


def show_gate(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show what may be compared and why the rest may not."""
    return _show("gate", compared, study, language)


def show_territories(
    compared: Compared, *, study: Study, language: str = "fr", region: str = ""
) -> Section:
    """Show the territories, how much is known of each, and which are too thin to be read."""
    top = "../" * (comparison.name_page(region=region).count("/") + 1)
    thin = {"fewest": comparison.THIN_ACTORS, "most_unclassified": comparison.THIN_UNCLASSIFIED}
    return _show("territories", compared, study, language, top=top, **thin)


def show_mixes(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the share of each kind, territory by territory; of many, how they spread."""
    mixes, names = compared["mixes"], name_places(study.tables["territories"], language)
    mixes = mixes[mixes.groupby("kind")["n"].transform("sum") > 0]
    named = mixes.assign(name=mixes["territory_id"].map(names)).groupby("kind", sort=False)
    column = "share" if mixes["share"].notna().any() else "n"
    wide = mixes.pivot_table(column, "territory_id", "kind", sort=False)
    known = mixes[mixes["kind"] != "unclassified"]
    few = len(compared["territories"]) <= MANY
    return _show(
        "mixes", compared, study, language,
        mixes=[(kind, list_records(rows)) for kind, rows in named] if few else [],
        largest=list(known.groupby("kind")["share"].max().dropna().nlargest(10).index),
        most=known[["share", "high"]].max().max(), spread=_sum_up(wide, list(wide)),
    )  # fmt: skip


def show_diversity(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show how diverse each list is in a random part of one common size."""
    spread = _sum_up(compared["diversity"], ["hill_0", "hill_1", "hill_2"])
    return _show("diversity", compared, study, language, spread=spread)


def show_readiness(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the distributions of readiness side by side."""
    spread = _sum_up(compared["readiness"], ["lower_quartile", "median", "upper_quartile"])
    return _show("readiness", compared, study, language, spread=spread)


def show_networks(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the networks side by side: all ties of each, and the E-I index of the free ones."""
    index = ["territory_id", "ei_index", "ei_expected"]
    networks = compared["networks"]
    free = networks.loc[networks["structure"] == "free", index]
    everything = networks[networks["structure"] == "all"].drop(columns=index[1:])
    joined = everything.merge(free, on="territory_id", how="left")
    return _show("networks", {**compared, "networks": joined}, study, language)


def show_totals(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show all territories together, each organisation counted once."""
    return _show("totals", compared, study, language)


def show_method(compared: Compared, *, study: Study, language: str = "fr") -> Section:
    """Show the method, its limits, the sources and the notice."""
    return _show("method", compared, study, language)


def _show(name: str, compared: Compared, study: Study, language: str, /, **context: Any) -> Section:
    """Render a part, whose template may read any table, with names beside the territories."""
    names = name_places(study.tables["territories"], language)

    def read_table(table: str) -> list[dict[str, Any]]:
        rows = compared[table]
        if "territory_id" in rows:
            rows = rows.assign(name=rows["territory_id"].map(names))
        return list_records(rows)

    return render_section(
        f"comparison/{name}", language, study,
        table=cache(read_table), names=names, comparisons=comparison.COMPARISONS,
        allowed=comparison.list_allowed(compared["gate"]),
        many=len(compared["territories"]) > MANY, **context,
    )  # fmt: skip


def _sum_up(table: pd.DataFrame, columns: list[Any]) -> list[dict[str, Any]]:
    """Describe how the values of each column spread over the territories, a row each."""
    shares, values = comparison.QUARTILES, table[columns].astype(float)
    spread = values.quantile([*shares.values()]).set_axis([*shares]).T
    return list_records(spread.assign(code=columns, n=(values > 0).sum()))
