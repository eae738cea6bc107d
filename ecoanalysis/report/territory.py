"""The eight parts of a territory's report.

Each function takes the tables of `pipeline.run_territory` and returns one part of the page in the
language asked for; the sentences are in the templates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from ecoanalysis import figures, linkage, scoring
from ecoanalysis.codebook import Codebook
from ecoanalysis.network import LARGE, MINIMUM_CORRELATION, MINIMUM_TIES
from ecoanalysis.pipeline import TerritoryResult
from ecoanalysis.report.explore import explore_map
from ecoanalysis.report.section import (
    Section,
    choose_text,
    find_twin,
    list_records,
    render_section,
)
from ecoanalysis.wording import use_language

DIMENSIONS = ("interest", "resource", "lever", "seeks")
WAYS = ("stated", "certain", "probable", "possible")
NAMES_SHOWN, BRIDGES_SHOWN, PLACES_SHOWN = 12, 5, 15


def show_header(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show the head of the page: territory, notice, key numbers, contents."""
    title = str(result.territory["name"])
    notice = result.descriptor.notice.get(language, "")
    name = choose_text(result.descriptor.title, language) or result.study_id
    return render_section(
        "header",
        language,
        page={"title": f"{title} – {name}", "notice": notice},
        title=title,
        notice=notice,
        fictional=result.descriptor.fictional,
        study=name,
        observed_on=_find_last_day(result.tables["actors"]),
        s=_read_summary(result),
        **find_twin(language, result.territory_id),
    )


def show_profile(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show the territory in five sentences, where they come from and what the list covers."""
    kinds = result.tables["kinds"]
    known = kinds[(kinds["kind"] != "unclassified") & (kinds["n"] > 0)]
    return _show(
        "profile",
        result,
        language,
        name=str(result.territory["name"]),
        top=list_records(known.nlargest(3, "n")),
        fields=list_records(result.tables["fields"]),
        origins=list_records(result.tables["provenance"].query("n_actors > 0")),
    )


def show_actors(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show who is there: kinds, map, themes, roles, what is not listed, the register."""
    tables, book, words = result.tables, result.codebook, use_language(language)
    kinds, roles, themes = tables["kinds"], tables["roles"], tables["themes"]
    shared = themes[themes["n"] > 1]
    located = tables["actors"].dropna(subset=["latitude", "longitude"])
    return _show(
        "actors",
        result,
        language,
        kinds_figure=_draw(
            kinds, lambda ax: figures.plot_kinds(kinds, ax=ax, codebook=book, language=words)
        ),
        map_figure=_draw(
            located, lambda ax: figures.plot_map(located, ax=ax, codebook=book, language=words)
        ),
        themes_figure=_draw(shared, lambda ax: figures.plot_themes(shared, ax=ax, language=words)),
        rare_themes=list(themes.loc[themes["n"] < 2, "tag"]) if len(themes) < 30 else [],
        founded_figure=_draw(
            tables["founded"],
            lambda ax: figures.plot_founded(tables["founded"], ax=ax, language=words),
        ),
        roles_figure=_draw(
            roles[roles["n_stated"] > 0],
            lambda ax: figures.plot_roles(roles, ax=ax, codebook=book, language=words),
        ),
        n_founded=int(tables["founded"]["n"].sum()),
        listed=list_records(kinds[kinds["n"] > 0]),
        helices=list_records(tables["helices"][tables["helices"]["n"] > 0]),
        subkinds=list_records(tables["subkinds"]),
        expected=list_records(
            roles[roles["n_expected"] > 0].sort_values("n_expected", ascending=False)
        ),
        surprises=list_records(
            tables["actor_roles"].merge(tables["actors"][["actor_id", "name"]], on="actor_id")
        ),
        register=_list_register(result, language),
        definition=lambda kind: str(book.kinds[f"definition_{language}"][kind]),
    )


def show_readiness(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show who is ready: grid, scores and ranks with what is doubted, and desk evidence apart."""
    tables, book, words = result.tables, result.codebook, use_language(language)
    rated = _explain_scores(result, "readiness")
    ranks = tables["ranks"].query("dimension == 'readiness' and weights == 'stated'")
    ranks = ranks.merge(tables["actors"][["actor_id", "name"]], on="actor_id")
    return _show(
        "readiness",
        result,
        language,
        rated=rated,
        order=_describe_order(result, rated),
        roles=_count_people(tables["raters"], "role"),
        modes=_count_people(tables["raters"], "mode"),
        figure=_draw(
            tables["averages"],
            lambda ax: figures.plot_readiness(
                _pair_readiness(tables, book), ax=ax, codebook=book, language=words
            ),
        ),
        ranks_figure=_draw(
            ranks.dropna(subset="low"), lambda ax: figures.plot_ranks(ranks, ax=ax, language=words)
        ),
        agreement=list_records(tables["agreement"]),
        alpha=_summarise_agreement(tables["agreement"]),
        shared=list_records(_pick_shared_views(tables)),
        answers=list_records(tables["rater_answers"]),
        asked=_list_criteria(book, "readiness"),
        desk=list_records(tables["desk"][tables["desk"]["n"] > 0]),
        panels=list_records(tables["panels"]),
        parameters=result.parameters,
    )


def _pair_readiness(tables: Mapping[str, pd.DataFrame], book: Codebook) -> pd.DataFrame:
    """Put the mean familiarity and appetite of each actor, and their intervals, by its name."""
    means = tables["averages"].pivot_table("mean", "actor_id", "criterion")
    means = means.reindex(columns=["familiarity", "appetite"])
    drawn = tables["effects"].pivot_table(["low", "high"], "actor_id", "criterion")
    scales = book.criteria.loc[list(means)]
    for code, low, high in scales[["scale_min", "scale_max"]].itertuples():
        for end in ("low", "high"):
            known = drawn.get((end, code), math.nan)
            means[f"{code}_{end}"] = pd.Series(known, means.index).clip(low, high)
    return tables["actors"].merge(means, left_on="actor_id", right_index=True)


def _explain_scores(result: TerritoryResult, dimension: str) -> list[dict[str, Any]]:
    """Put beside each score its interval, rank, coverage, panel and what it is made up of."""
    tables = result.tables
    scores, ranks, places = (
        tables[name][tables[name]["dimension"] == dimension].drop(columns="dimension")
        for name in ("scores", "ranks", "places")
    )
    ranks = ranks[ranks["weights"] == "stated"].drop(columns=["weights", "median"])
    rows = scores[scores["n_raters"] > 0].merge(tables["actors"][["actor_id", "name", "kind"]])
    rows = rows.merge(ranks, on="actor_id", how="left", suffixes=("", "_rank")).merge(
        places[["actor_id", "best", "worst", "n_top", "n_same", "n_choices"]], how="left"
    )
    parts = dict(iter(tables["contributions"].groupby(["dimension", "actor_id"])))
    voices = dict(iter(tables["panel_mix"].groupby(["dimension", "actor_id"])))
    codes = tables["contributions"].loc[tables["contributions"]["dimension"] == dimension]
    said = tables["averages"][tables["averages"]["criterion"].isin(codes["criterion"])]
    apart = (said["high"] - said["low"]).groupby(said["actor_id"]).max()
    opinions = {who: int(table["n_raters"].sum()) for who, table in voices.items()}
    rows["n_opinions"] = [opinions[dimension, actor] for actor in rows["actor_id"]]
    rows["apart"] = rows["actor_id"].map(apart)
    return [
        row
        | {
            "parts": list_records(parts[dimension, row["actor_id"]]),
            "mix": list_records(voices[dimension, row["actor_id"]]),
        }
        for row in list_records(rows.sort_values(["score", "name"], ascending=[False, True]))
    ]


def _describe_order(result: TerritoryResult, rated: list[dict[str, Any]]) -> dict[str, Any]:
    """Collect what the order of readiness rests on: raters, weights, choices; each apart."""
    tables = {
        name: table[table["dimension"] == "readiness"]
        for name, table in result.tables.items()
        if name in ("ranks", "choices", "removals", "weights_needed", "rank_drivers")
    }
    ranked = [row for row in rated if row["low_rank"] is not None]
    if len(ranked) < 2:
        return {}
    names = result.tables["actors"].set_index("actor_id")["name"].to_dict()
    ranks, choices = tables["ranks"].dropna(subset="low"), tables["choices"]
    ways = choices.drop_duplicates(["normalisation", "aggregation"])
    first = ways.iloc[0]
    one = ways[["normalisation", "aggregation"]].eq(first[["normalisation", "aggregation"]])
    return {
        "names": names,
        "leaders": sorted(ranked, key=lambda row: -row["p_top"])[:5],
        "unsure": [row for row in ranked if row["n_opinions"] <= 2],
        "width": (ranks["high"] - ranks["low"]).groupby(ranks["weights"]).median().to_dict(),
        "concentration": scoring.measure_concentration(len(tables["removals"])),
        "n_outside": sum(not row["low"] <= row["score"] <= row["high"] for row in ranked),
        "ways": list_records(ways[one.sum(axis=1) == 1]),
        "firsts": choices[choices["rank"] == 1].groupby("actor_id").size().nlargest(3).to_dict(),
        "n_ways": len(ways),
        "removals": list_records(tables["removals"]),
        "needed": list_records(tables["weights_needed"]),
        "drivers": list_records(tables["rank_drivers"].nlargest(4, "total")),
    }


def _summarise_agreement(agreement: pd.DataFrame) -> dict[str, float]:
    """Median and range of alpha over the criteria on which answers vary; empty without any."""
    varied = agreement[~agreement["hardly_varies"].astype(bool)].dropna(subset="alpha")
    if varied.empty:
        return {}
    alpha = varied["alpha"]
    return {"n": len(alpha), "median": alpha.median(), "min": alpha.min(), "max": alpha.max()}


def _pick_shared_views(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    views = tables["disagreement"]
    return views[views["shared_out"].astype(bool)].merge(
        tables["actors"][["actor_id", "name"]], on="actor_id"
    )


def show_motives(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show what moves the organisations and what they bring, kind by kind."""
    tables, book, words = result.tables, result.codebook, use_language(language)
    criteria = tables["criteria"][tables["criteria"]["dimension"].isin(DIMENSIONS)]
    parts = [
        {"dimension": dimension, "top": list_records(group.nlargest(3, "mean"))}
        for dimension in DIMENSIONS
        if len(group := criteria[criteria["dimension"] == dimension])
    ]
    figure = _draw(
        criteria,
        lambda ax: figures.plot_heatmap(
            tables["averages"], actors=tables["actors"], dimensions=DIMENSIONS, ax=ax,
            codebook=book, language=words,
        ),
    )  # fmt: skip
    asked = [(dimension, _list_criteria(book, dimension)) for dimension in DIMENSIONS]
    return _show(
        "motives",
        result,
        language,
        parts=parts,
        figure=figure,
        asked=asked,
        criteria=list_records(criteria),
        resources=_explain_scores(result, "resource"),
        n_rated=tables["averages"]["actor_id"].nunique(),
    )


def show_ties(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show how the organisations are tied, who bridges, who stands apart, what leaves."""
    tables, book, words = result.tables, result.codebook, use_language(language)
    ties, actors, matrix = tables["ties"], tables["actors"], tables["mixing_matrix"]
    inside = ties[ties["scope"] == "inside"]
    mixing = tables["mixing"][tables["mixing"]["group"] == "helix"]
    network = tables["network"][tables["network"]["structure"].isin(["all", "free"])]
    names = actors[["actor_id", "name"]]
    places = tables["actor_network"].merge(names, on="actor_id")
    order, held = _judge_order(tables["stability"])
    bridges = tables["bridges"].head(BRIDGES_SHOWN).merge(names, on="actor_id")
    ringed = set(bridges["actor_id"])
    best = places[places["degree"] > 0].nlargest(PLACES_SHOWN, "degree")
    return _show(
        "ties",
        result,
        language,
        figure=_draw(
            inside,
            lambda ax: figures.plot_network(
                inside, actors=actors, ax=ax, codebook=book, language=words, bridges=ringed
            ),
        ),
        explorer=explore_map(
            inside, actors=actors, codebook=book, language=language, bridges=ringed
        ),
        matrix_figure=_draw(
            matrix,
            lambda ax: figures.plot_mixing(matrix, ax=ax, codebook=book, language=words),
        ),
        everything=list_records(tables["network"])[0],
        network=list_records(network),
        mixing=next(iter(list_records(mixing)), None),
        n_free=int(tables["stability"]["n_ties"].max()),
        not_free=int((inside["structure"] != "free").sum()),
        isolates=list_records(places[places["isolate"].astype(bool)]) if len(ties) else [],
        layers=list_records(tables["layers"]),
        order=order,
        held=held,
        bridges=list_records(bridges if not order else bridges.sort_values("name")),
        key_players=list_records(tables["key_players"].merge(names, on="actor_id")),
        core=list_records(places[places["core"].astype(bool)]),
        n_groups=int((places["community"].value_counts() > 1).sum()),
        modularity=places["modularity"].max(),
        core_fit=places["fit"].max(),
        places=list_records(best if not order else best.sort_values("name")),
        large=len(actors) > LARGE,
    )


def _judge_order(stability: pd.DataFrame) -> tuple[str, float]:
    """Say why the order of the bridges is not shown as a ranking, if so; how well it held."""
    held = stability.loc[stability["measure"] == "betweenness", "correlation"].min()
    if (stability["n_ties"] < MINIMUM_TIES).any():
        return "few", held
    return ("" if held >= MINIMUM_CORRELATION else "unstable" if held == held else "untried"), held


def show_partners(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show what is known of each challenge, and who must be heard."""
    actors, book = result.tables["actors"], result.codebook
    names = actors.set_index("actor_id")["name"]
    users = book.kinds.index[book.kinds["user_side"] == "yes"]
    heard = [
        (kind, list(group.head(NAMES_SHOWN)), max(len(group) - NAMES_SHOWN, 0))
        for kind in users
        if len(group := actors.loc[actors["kind"] == kind, "name"].sort_values())
    ]
    challenges = [
        challenge | _collect_challenge(result, challenge, names)
        for challenge in list_records(result.tables["challenges"])
    ]
    return _show("partners", result, language, challenges=challenges, heard=heard)


def show_next(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show what comes next: gaps, agreed actions, and the questions still to be asked."""
    tables = result.tables
    names = tables["actors"].set_index("actor_id")["name"]
    titles = tables["challenges"].set_index("challenge_id")["title"]
    actions = tables["actions"].assign(
        name=tables["actions"]["actor_id"].map(names),
        challenge=tables["actions"]["challenge_id"].map(titles),
    )
    questions = [
        {"code": code, "n": group["n"].sum()}
        for code, group in tables["questions"].groupby("code", sort=False)
    ]
    return _show("next", result, language, actions=list_records(actions), questions=questions)


def show_method(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show the method, its limits, where everything comes from, the notice and a glossary."""
    descriptor, kinds = result.descriptor, result.codebook.kinds
    columns = {f"label_{language}": "label", f"definition_{language}": "definition"}
    glossary = kinds.rename(columns=columns)[[*columns.values()]]
    return _show(
        "method",
        result,
        language,
        notice=descriptor.notice.get(language, ""),
        fictional=descriptor.fictional,
        minimum_coverage=result.parameters["minimum_coverage"],
        draws=result.parameters["draws"],
        how=_count_ways(result.tables["actors"]),
        census=descriptor.census,
        boundary_rule=choose_text(descriptor.boundary_rule, language),
        date_window=choose_text(descriptor.date_window, language),
        n_warnings=len(result.tables["warnings"]),
        licences=descriptor.licences,
        glossary=list_records(glossary[glossary["definition"] != ""]),
    )


def _show(template: str, result: TerritoryResult, language: str, /, **context: Any) -> Section:
    """Render a part with what most parts name: key numbers, gaps, sources."""
    return render_section(
        template,
        language,
        codebook=result.codebook,
        s=_read_summary(result),
        gaps=list_records(result.tables["gaps"]),
        sources=list_records(result.tables["provenance"]),
        **context,
    )


def _draw(table: pd.DataFrame, plot: Callable[[Axes], object]) -> str:
    """Draw a figure where its table has rows; the page gives it its words."""
    return figures.draw(plot, alt="") if len(table) else ""


def _read_summary(result: TerritoryResult) -> dict[str, float]:
    summary = result.tables["summary"]
    return dict(zip(summary["measure"], summary["value"], strict=True))


def _find_last_day(actors: pd.DataFrame) -> Any:
    days = actors["observed_on"].dropna()
    return days.max() if len(days) else None


def _list_criteria(book: Codebook, dimension: str) -> list[str]:
    asked = (book.criteria["dimension"] == dimension) & (book.criteria["weight"] > 0)
    return list(book.criteria.index[asked])


def _count_people(raters: pd.DataFrame, column: str) -> list[tuple[str, int]]:
    counts = raters.groupby(column)["n_raters"].sum().sort_values(ascending=False)
    return [(str(name), int(n)) for name, n in counts.items()]


def _count_ways(actors: pd.DataFrame) -> list[tuple[str, int]]:
    """Count how the kinds were found: said by a person, or by rules, the surest first."""
    way = actors["confidence"].mask(actors["rule"] == "stated", "stated").value_counts()
    return [(name, int(way[name])) for name in WAYS if name in way]


def _list_register(
    result: TerritoryResult, language: str
) -> list[tuple[str, list[dict[str, Any]]]]:
    """List the actors kind by kind, in the order of the codebook, the unclassified last."""
    actors = result.tables["actors"]
    subkind = actors["subkind"].map(result.codebook.subkinds[f"label_{language}"]).fillna("")
    city = actors["city"].fillna("")
    founded = actors["founded"].map(lambda year: f"{year:.0f}", na_action="ignore").fillna("")
    about = [" · ".join(filter(None, parts)) for parts in zip(subkind, city, founded, strict=True)]
    shown = actors.assign(about=about).sort_values("name", key=lambda s: s.map(linkage.fold_name))
    groups = dict(iter(shown[["kind", "name", "website", "about"]].groupby("kind")))
    order = [*result.codebook.kinds.index, "unclassified"]
    return [(kind, list_records(groups[kind])) for kind in order if kind in groups]


def _collect_challenge(
    result: TerritoryResult, challenge: dict[str, Any], names: pd.Series
) -> dict[str, Any]:
    """Collect what was said on one challenge: needs, positions, constraints."""
    tables, code = result.tables, challenge["challenge_id"]
    positions = tables["positions"][tables["positions"]["challenge_id"] == code]
    constraints = tables["constraints"][tables["constraints"]["challenge_id"] == code]
    needs = {
        name.replace("needs_", "resource_"): value
        for name, value in challenge.items()
        if name.startswith("needs_") and value
    }
    named = positions.assign(name=positions["actor_id"].map(names))
    return {
        "needs": [{"criterion": name, "value": value} for name, value in needs.items()],
        "positions": list_records(named.sort_values(["mean", "name"], ascending=[False, True])),
        "constraints": list_records(
            constraints.assign(
                name=constraints["actor_id"].map(names), other=constraints["other_id"].map(names)
            )
        ),
    }
