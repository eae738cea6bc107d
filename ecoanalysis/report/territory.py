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
from ecoanalysis.wording import Language, use_language

DIMENSIONS = ("interest", "resource", "lever", "seeks")
WAYS = ("stated", "certain", "probable", "possible")
NAMES_SHOWN, BRIDGES_SHOWN, PLACES_SHOWN, THEMES_SHOWN = 12, 5, 15, 15
FIRST = 5
OFTEN = 0.25  # from this share of draws on, who is in none of the groups is named as well
ENOUGH = 0.6  # from this share of its scale on, a need counts as covered
WHOLE = (
    "fields",
    "subkinds",
    "agreement",
    "rater_answers",
    "panels",
    "layers",
    "gaps",
    "provenance",
)
DUE = ("overdue", "next", "done")


def show_header(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show the head of the page: territory, notice, key numbers, contents."""
    title = _name_territory(result, language)
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
    known = result.tables["kinds"].query("kind != 'unclassified' and n > 0")
    name, origins = (
        _name_territory(result, language),
        result.tables["provenance"].query("n_actors > 0"),
    )
    return _show(
        "profile", result, language, name=name, top=known.nlargest(3, "n"), origins=origins
    )


def show_actors(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show who is there: kinds, map, themes, roles, what is not listed, the register."""
    tables, book, words = result.tables, result.codebook, use_language(language)
    kinds, roles, themes = tables["kinds"], tables["roles"], tables["themes"]
    located = tables["actors"].dropna(subset=["latitude", "longitude"])
    shared, look = themes[themes["n"] > 1], {"codebook": book, "language": words}
    return _show(
        "actors",
        result,
        language,
        kinds_figure=_draw(figures.plot_kinds, kinds, **look),
        map_figure=_draw(figures.plot_map, located, **look),
        themes=list(shared[["tag", "n"]].head(THEMES_SHOWN).itertuples(index=False)),
        n_themes=len(shared),
        rare_themes=list(themes.loc[themes["n"] < 2, "tag"]) if len(themes) < 30 else [],
        founded=_list_decades(tables["founded"], words),
        roles_figure=_draw(
            figures.plot_roles, roles if roles["n_stated"].any() else roles[:0], **look
        ),
        n_founded=int(tables["founded"]["n"].sum()),
        listed=kinds[kinds["n"] > 0],
        helices=tables["helices"].query("n > 0"),
        expected=roles.query("n_expected > 0").sort_values("n_expected", ascending=False),
        surprises=_name(result, "actor_roles"),
        register=_list_register(result, language),
        definition=lambda kind: str(book.kinds[f"definition_{language}"][kind]),
    )


def _list_decades(founded: pd.DataFrame, words: Language) -> list[tuple[str, int]]:
    """Count the last eight decades, empty ones too, and all before them as one."""
    decades = founded["n"].set_axis(founded["period"].astype(int))
    if decades.empty:
        return []
    first = max(decades.index.min(), decades.index.max() - 70)
    early, late = words.gettext("before %(year)s"), words.gettext("%(year)ss")
    shown = decades.reindex(range(first, decades.index.max() + 1, 10), fill_value=0)
    before = [(early % {"year": first}, n)] if (n := decades[decades.index < first].sum()) else []
    return [*before, *((late % {"year": year}, n) for year, n in shown.items())]


def show_readiness(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show who is ready: grid, scores and ranks with what is doubted, and desk evidence apart."""
    tables, book, words = result.tables, result.codebook, use_language(language)
    look, rated = {"codebook": book, "language": words}, _explain_scores(result, "readiness")
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
        figure=_draw(figures.plot_readiness, _pair_readiness(tables, book), **look),
        ranks_figure=_draw(figures.plot_ranks, ranks.dropna(subset="low"), language=words),
        alpha=_summarise_agreement(tables["agreement"]),
        shared=_name(result, "disagreement").query("shared_out"),
        asked=_list_criteria(book, "readiness"),
        desk=tables["desk"].query("n > 0"),
    )


def _pair_readiness(tables: Mapping[str, pd.DataFrame], book: Codebook) -> pd.DataFrame:
    """Put the mean familiarity and appetite of each actor, and their intervals, by its name."""
    if tables["averages"].empty:
        return tables["averages"]
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
        figures.plot_heatmap, tables["averages"] if len(criteria) else criteria,
        actors=tables["actors"], dimensions=DIMENSIONS, codebook=book, language=words,
    )  # fmt: skip
    asked = [(dimension, _list_criteria(book, dimension)) for dimension in DIMENSIONS]
    return _show(
        "motives",
        result,
        language,
        parts=parts,
        figure=figure,
        asked=asked,
        criteria=criteria,
        resources=_explain_scores(result, "resource"),
        profiles=_describe_profiles(tables),
        n_rated=tables["averages"]["actor_id"].nunique(),
    )


def _describe_profiles(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """Collect the groups of alike actors, with their three strongest traits and their members."""
    (found,) = list_records(tables["profiles"])
    names = tables["actors"].set_index("actor_id")["name"]
    traits = tables["profile_traits"].groupby("group")
    members = tables["profile_members"].groupby("group")["actor_id"]
    groups = [
        row
        | {
            "typical": names[row["typical"]],
            "names": sorted(names[list(members.get_group(row["group"]))]),
            "more": list_records(traits.get_group(row["group"]).nlargest(3, "difference")),
            "less": list_records(traits.get_group(row["group"]).nsmallest(2, "difference")),
        }
        for row in list_records(tables["profile_groups"])
    ]
    return found | {"groups": groups}


def show_ties(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show how the organisations are tied, who bridges, who stands apart, what leaves."""
    tables, book = result.tables, result.codebook
    look = {"codebook": book, "language": use_language(language)}
    ties, actors, matrix = tables["ties"], tables["actors"], tables["mixing_matrix"]
    inside, places = ties[ties["scope"] == "inside"], _name(result, "actor_network")
    order, held = _judge_order(tables["stability"])
    bridges = _name(result, "bridges").head(BRIDGES_SHOWN)
    best = places[places["degree"] > 0].nlargest(PLACES_SHOWN, "degree")
    if order:
        bridges, best = bridges.sort_values("name"), best.sort_values("name")
    shown: dict[str, Any] = {"actors": actors, "bridges": set(bridges["actor_id"])}
    return _show(
        "ties",
        result,
        language,
        figure=_draw(figures.plot_network, inside, **shown, **look),
        explorer=explore_map(inside, codebook=book, language=language, **shown),
        matrix_figure=_draw(figures.plot_mixing, matrix, **look),
        everything=list_records(tables["network"])[0],
        network=tables["network"].query("structure in ['all', 'free']"),
        mixing=list_records(tables["mixing"].query("group == 'helix'"))[0],
        n_free=int(tables["stability"]["n_ties"].max()),
        not_free=int((inside["structure"] != "free").sum()),
        isolates=places[places["isolate"].astype(bool)] if len(ties) else [],
        order=order,
        held=held,
        bridges=bridges,
        key_players=_name(result, "key_players"),
        core=places[places["core"].astype(bool)],
        n_groups=int((places["community"].value_counts() > 1).sum()),
        modularity=places["modularity"].max(),
        core_fit=places["fit"].max(),
        places=best,
        large=len(actors) > LARGE,
        drawn=figures.MOST,
    )


def _judge_order(stability: pd.DataFrame) -> tuple[str, float]:
    """Say why the order of the bridges is not shown as a ranking, if so; how well it held."""
    held = stability.loc[stability["measure"] == "betweenness", "correlation"].min()
    if (stability["n_ties"] < MINIMUM_TIES).any():
        return "few", held
    return ("" if held >= MINIMUM_CORRELATION else "unstable" if held == held else "untried"), held


def show_partners(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show with whom to work on each challenge, a sheet for each meeting, and positions."""
    actors, book, tables = result.tables["actors"], result.codebook, result.tables
    users = book.kinds.index[book.kinds["user_side"] == "yes"]
    heard = [
        (kind, list(group.head(NAMES_SHOWN)), max(len(group) - NAMES_SHOWN, 0))
        for kind in users
        if len(group := actors.loc[actors["kind"] == kind, "name"].sort_values())
    ]
    challenges = [
        challenge | _collect_challenge(result, challenge)
        for challenge in list_records(tables["challenges"])
    ]
    lenses = {
        name: {code: list_records(rows) for code, rows in _name(result, name).groupby("class")}
        for name in ("grid", "salience")
    }
    placed = _name(result, "grid").merge(actors[["actor_id", "helix"]], on="actor_id")
    placed = placed.rename(columns={"probability": "p_quadrant"})
    return _show(
        "partners",
        result,
        language,
        grid_figure=_draw(
            figures.plot_power_interest, placed, codebook=book, language=use_language(language)
        ),
        challenges=challenges,
        heard=heard,
        local=_collect_group(result, ""),
        n_rated=tables["averages"]["actor_id"].nunique(),
        n_influences=tables["mactor"]["actor_id"].nunique(),
        mactor=list_records(_name(result, "mactor").sort_values("competitiveness")[::-1]),
        **lenses,
    )


def show_next(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show what comes next: introductions, what lacks, the to-do list, questions to ask."""
    tables = result.tables
    names = pd.concat(
        [t.set_index("actor_id")["name"] for t in (tables["elsewhere"], tables["actors"])]
    )
    titles = tables["challenges"].set_index("challenge_id")["title"]
    last = _find_last_day(tables["actors"])
    actions = _name(result, "actions").sort_values("due_on")
    open_ = ~actions["status"].isin(["done", "dropped"])
    late = open_ & actions["due_on"].lt(last if last is not None else "")
    actions = actions.assign(
        challenge=actions["challenge_id"].map(titles),
        due=late.map({True: "overdue", False: "next"}).where(open_, "done"),
    )
    introductions = _name(result, "introductions").assign(
        other=lambda t: t["other_id"].map(names), contact=lambda t: t["contact_id"].map(names),
        together=lambda t: t["together"].map(lambda codes: _split_names(codes, titles)),
    )  # fmt: skip
    lacks = tables["shortfalls"].assign(
        challenge=tables["shortfalls"]["challenge_id"].map(titles),
        nearest=tables["shortfalls"]["nearest"].map(names),
        fillers=tables["shortfalls"]["fillers"].map(lambda codes: _split_names(codes, names)),
    )
    bare = lacks["what"].isin(["kind", "helix"]) & (lacks["fillers"].map(len) == 0)
    questions = [
        {"code": code, "n": group["n"].sum()}
        for code, group in tables["questions"].groupby("code", sort=False)
    ]
    return _show(
        "next",
        result,
        language,
        introductions={k: list_records(t) for k, t in introductions.groupby("list")},
        asked_offers=bool(tables["criteria"]["dimension"].eq("seeks").any()),
        lacks=list_records(lacks[~bare]),
        unlisted=list_records(lacks[bare]),
        actions=[(due, list_records(actions[actions["due"] == due])) for due in DUE],
        last=last,
        questions=questions,
    )


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
        how=_count_ways(result.tables["actors"]),
        census=descriptor.census,
        boundary_rule=choose_text(descriptor.boundary_rule, language),
        date_window=choose_text(descriptor.date_window, language),
        n_warnings=len(result.tables["warnings"]),
        licences=descriptor.licences,
        glossary=glossary[glossary["definition"] != ""],
    )


def _show(template: str, result: TerritoryResult, language: str, /, **context: Any) -> Section:
    """Render a part with key numbers, parameters and the tables that a template reads whole."""
    whole: dict[str, Any] = {name: result.tables[name] for name in WHOLE}
    whole |= {"s": _read_summary(result), "parameters": result.parameters}
    return render_section(template, language, codebook=result.codebook, **(whole | context))


def _draw(plot: Callable[..., Axes], table: pd.DataFrame, **options: Any) -> str:
    """Draw a figure where its table has rows; the page gives it its words."""
    return figures.draw(lambda ax: plot(table, ax=ax, **options), alt="") if len(table) else ""


def _read_summary(result: TerritoryResult) -> dict[str, float]:
    summary = result.tables["summary"]
    return dict(zip(summary["measure"], summary["value"], strict=True))


def _name_territory(result: TerritoryResult, language: str) -> str:
    here = result.territory
    return use_language(language).name_place(str(here["name"]), here.get("country_code"))


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


def _name(result: TerritoryResult, table: str, code: str | None = None) -> pd.DataFrame:
    """Give the rows of a table (on one challenge) the name and kind of their actor."""
    rows, actors = result.tables[table], result.tables["actors"].set_index("actor_id")
    rows = rows if code is None else rows[rows["challenge_id"] == code]
    found = rows.assign(name=rows["actor_id"].map(actors["name"]))
    return found if "kind" in rows else found.assign(kind=rows["actor_id"].map(actors["kind"]))


def _split_names(codes: str, names: pd.Series) -> list[str]:
    return [str(names[code]) for code in codes.split(";") if code]


def _collect_challenge(result: TerritoryResult, challenge: dict[str, Any]) -> dict[str, Any]:
    """Collect one challenge: what it needs, who can contribute, who is heard, group, sheet."""
    code, names = challenge["challenge_id"], result.tables["actors"].set_index("actor_id")["name"]
    needs = {
        name.replace("needs_", "resource_"): value
        for name, value in challenge.items()
        if name.startswith("needs_") and value
    }
    named = _name(result, "partners", code)
    gives, hears = (named[named["list"] == part] for part in ("contribute", "hear"))
    first, constraints = gives.head(FIRST), _name(result, "constraints", code)
    against = hears["position"] < 0
    positions = _name(result, "positions", code)
    return {
        "needs": [{"criterion": name, "value": value} for name, value in needs.items()],
        "first": list_records(first),
        "others": list(gives["name"][FIRST : FIRST + NAMES_SHOWN]),
        "n_others": max(len(gives) - FIRST - NAMES_SHOWN, 0),
        "stay": [int((first[rank] <= FIRST).sum()) for rank in ("product_rank", "minimum_rank")],
        "against": list_records(hears[against]),
        "hears": list_records(hears[~against].head(NAMES_SHOWN)),
        "n_hears": max(int((~against).sum()) - NAMES_SHOWN, 0),
        "group": _collect_group(result, code),
        "sheet": _collect_sheet(result, code, gives, hears),
        "positions": list_records(positions.sort_values(["mean", "name"], ascending=[False, True])),
        "constraints": list_records(constraints.assign(other=constraints["other_id"].map(names))),
    }


def _collect_group(result: TerritoryResult, code: str) -> dict[str, Any]:
    """Collect the groups on a challenge: who is in all of them, whom they differ by, what lacks."""
    rows, names = result.tables["coalitions"], result.tables["actors"].set_index("actor_id")["name"]
    found = list_records(rows[rows["challenge_id"] == code])
    if not found:
        return {}
    members, groups = (
        _name(result, "coalition_members", code),
        _name(result, "coalition_groups", code),
    )
    core, chosen = (members["in_groups"] >= 1), members["in_groups"] > 0
    needs = _name(result, "needs", code)
    needs["nearest"] = needs["nearest"].map(names)
    served = "covered" if found[0]["seats"] else "most"
    conflicts = [part.split(":") for part in found[0]["conflicts"].split(";") if part]
    return found[0] | {
        "core": list(members["name"][core]),
        "alternatives": [
            list(group.loc[~group["actor_id"].isin(members["actor_id"][core]), "name"])
            for _, group in groups.groupby("group")
        ],
        "first": list_records(members[chosen & (members["inclusion"] > 0.05)]),
        "often": list_records(members[~chosen & (members["inclusion"] >= OFTEN)]),
        "lacks": list_records(needs[~(needs[served] >= ENOUGH)]),
        "conflicts": [(rule, [names.get(c, c) for c in who]) for rule, *who in conflicts],
    }


def _collect_sheet(
    result: TerritoryResult, code: str, gives: pd.DataFrame, hears: pd.DataFrame
) -> list[dict[str, Any]]:
    """List whom to invite: the first group, up to three who are against, three voices of users."""
    groups, needs = _name(result, "coalition_groups", code), result.tables["needs"]
    group = groups.loc[groups["group"] == 0, ["actor_id", "name", "kind"]]
    group = group.merge(gives[["actor_id", "reasons", "position", "resource"]], "left", "actor_id")
    rest = hears[~hears["actor_id"].isin(group["actor_id"])]
    against, speaks = rest["position"] < 0, rest["reasons"].str.contains("speaks_for_users")
    columns = list(group)
    table = pd.concat([group, rest[against][:3][columns], rest[speaks & ~against][:3][columns]])
    heard = hears["actor_id"][hears["reasons"].str.contains("speaks_for_users")]
    served = needs[needs["challenge_id"] == code].groupby("actor_id")["need"].agg(list)
    table = table.fillna({"reasons": "must"}).join(
        gives.set_index("actor_id")[["gain", "best_lever"]], on="actor_id"
    )
    speaks = table["actor_id"].isin(heard)
    return list_records(table.assign(speaks=speaks, asked=table["actor_id"].map(served)))
