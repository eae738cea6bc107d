"""The eight parts of a territory's report.

Each function takes the tables of `pipeline.run_territory` and returns one part of the page in the
language asked for. Templates read the tables with `table(name)`, which puts names beside codes;
here stands what they cannot do: figures, joins, and what is said only if it holds.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from itertools import chain
from typing import Any

import pandas as pd

from ecoanalysis import figures, linkage, partners, scoring
from ecoanalysis.alliances import MOST_ACTORS
from ecoanalysis.codebook import READINESS, Codebook
from ecoanalysis.network import LARGE, MINIMUM_CORRELATION, MINIMUM_TIES
from ecoanalysis.pipeline import PARTNER_DRAWS, TerritoryResult
from ecoanalysis.report.explore import explore_map
from ecoanalysis.report.section import Section, draw, find_twin, list_records, render_section
from ecoanalysis.wording import Language, use_language

DIMENSIONS = ("interest", "resource", "lever", "seeks")
WAYS = ("stated", "certain", "probable", "possible")
BRIDGES_SHOWN = 5
CELLS = 50
OFTEN = 0.25  # from this share of draws on, who is in none of the groups is named as well
NAMED = {
    "actor_id": "name", "other_id": "other", "contact_id": "contact", "first_id": "first",
    "nearest": "nearest", "typical": "typical",
}  # fmt: skip
"""Columns of ids, and the columns that get their names."""


def show_header(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show the head of the page: territory, notice, key numbers, contents."""
    return _show("header", result, language, **find_twin(language, result.territory_id))


def show_profile(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show the territory in five sentences, where they come from and what the list covers."""
    ruled = result.tables["actors"].query("kind != 'unclassified' and rule != 'stated'")
    return _show("profile", result, language, n_ruled=len(ruled))


def show_actors(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show who is there: kinds, map, themes, roles, what is not listed, the register."""
    words, located = use_language(language), result.tables["actors"].dropna(subset="latitude")
    return _show(
        "actors", result, language,
        map_figure=draw(figures.plot_map, located, codebook=result.codebook, language=words),
        founded=_list_decades(result.tables["founded"], words),
        register=_list_register(result, language),
    )  # fmt: skip


def show_readiness(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show who is ready: grid, scores and ranks with what is doubted, and desk evidence apart."""
    tables, book = result.tables, result.codebook
    look, rated = {"codebook": book, "language": use_language(language)}, _explain(result)
    raters = tables["raters"].query("dimension == 'readiness'")
    people = {
        column: raters.groupby(column)["n_raters"].sum().sort_values(ascending=False)
        for column in ("role", "mode")
    }
    return _show(
        "readiness", result, language, rated=rated,
        order=_describe_order(tables, book) if sum(r["low_rank"] is not None for r in rated) > 1
        else {},
        people={column: list(counts.items()) for column, counts in people.items()},
        n_people=int(raters["n_raters"].sum()),
        questions=book.criteria[f"question_{language}"].to_dict(),
        figure=draw(figures.plot_readiness, _pair_readiness(tables, book), **look),
        alpha=_summarise_agreement(tables["agreement"]),
    )  # fmt: skip


def show_motives(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show what moves the organisations and what they bring, kind by kind."""
    cells, codes = _pick_cells(result)
    ends = result.codebook.criteria[["scale_min", "scale_max"]]
    return _show(
        "motives", result, language, cells=cells[:CELLS], n_covered=len(cells), codes=codes,
        resources=_explain(result, "resource"),
        one_scale=len(ends.loc[[*chain(*codes.values())]].drop_duplicates()) == 1,
    )  # fmt: skip


def show_ties(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show how the organisations are tied, who bridges, who stands apart, what leaves."""
    tables = result.tables
    look: dict[str, Any] = {"codebook": result.codebook, "language": use_language(language)}
    inside = tables["ties"][tables["ties"]["scope"] == "inside"]
    held = tables["stability"].query("measure == 'betweenness'")["correlation"].min()
    bridges = _name(result, "bridges").head(BRIDGES_SHOWN)
    shown: dict[str, Any] = {"actors": tables["actors"], "bridges": set(bridges["actor_id"])}
    order = "" if held >= MINIMUM_CORRELATION else "unstable" if held == held else "untried"
    order = "few" if (tables["stability"]["n_ties"] < MINIMUM_TIES).any() else order
    return _show(
        "ties", result, language, order=order, held=held, drawn=figures.MOST,
        figure=draw(figures.plot_network, inside, **shown, **look),
        explorer=explore_map(inside, codebook=result.codebook, language=language, **shown),
        matrix_figure=draw(figures.plot_mixing, tables["mixing_matrix"], **look),
        bridges=list_records(bridges),
        n_groups=int((tables["actor_network"]["community"].value_counts() > 1).sum()),
        large=len(tables["actors"]) > LARGE,
    )  # fmt: skip


def show_partners(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show with whom to work on each challenge, a sheet for each meeting, and positions."""
    actors, book = result.tables["actors"], result.codebook
    placed = _name(result, "grid").rename(columns={"probability": "p_quadrant"})
    helices = placed["actor_id"].map(actors.set_index("actor_id")["helix"])
    speaking = actors[actors["kind"].map(book.kinds["user_side"]) == "yes"]
    codes = list(result.tables["challenges"]["challenge_id"])
    return _show(
        "partners", result, language,
        grid_figure=draw(
            figures.plot_power_interest, placed.assign(helix=helices), codebook=book,
            language=use_language(language),
        ),
        groups={code: _collect_group(result, code) for code in ["", *codes]},
        sheets={code: _collect_sheet(result, code) for code in codes},
        heard=list_records(speaking[["kind", "name"]]),
        positions=list_records(_name(result, "positions").sort_values(
            ["mean", "name"], ascending=[False, True]
        )),
        mactor=list_records(_name(result, "mactor").sort_values("competitiveness")[::-1]),
        most_actors=MOST_ACTORS,
    )  # fmt: skip


def show_next(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show what comes next: introductions, what lacks, the to-do list, questions to ask."""
    actions, last = _name(result, "actions").sort_values("due_on"), _find_last_day(result)
    over = actions["status"].isin(["done", "dropped"])
    late = ~over & actions["due_on"].lt(pd.NaT if last is None else last)
    due = {"overdue": late, "next": ~over & ~late, "done": over}
    lists = {name: list_records(actions[chosen]) for name, chosen in due.items()}
    helix = result.tables["actors"].set_index("actor_id")["helix"].fillna("")
    pairs = result.tables["introductions"][["actor_id", "other_id"]].to_numpy()
    met = {";".join(helix[[*ends]]) for pair in pairs for ends in (pair, pair[::-1])}
    return _show("next", result, language, actions=lists, last=last, met=met)


def show_method(result: TerritoryResult, *, language: str = "fr") -> Section:
    """Show the method, its limits, where everything comes from, the notice and a glossary."""
    actors = result.tables["actors"]
    way = actors["confidence"].mask(actors["rule"] == "stated", "stated").value_counts()
    how = [(name, int(way[name])) for name in WAYS if name in way]
    return _show("method", result, language, how=how)


def _show(template: str, result: TerritoryResult, language: str, /, **context: Any) -> Section:
    """Render a part, whose template may read any table, key numbers and names."""
    tables, book, here = result.tables, result.codebook, result.territory
    summary, titles = tables["summary"], tables["challenges"].set_index("challenge_id")["title"]
    ends = book.criteria[["scale_min", "scale_max"]].itertuples()
    return render_section(
        template, language, result,
        title=use_language(language).name_place(str(here["name"]), here.get("country_code")),
        table=cache(lambda name: list_records(_name(result, name))),
        s=dict(zip(summary["measure"], summary["value"], strict=True)),
        observed_on=_find_last_day(result), parameters=result.parameters,
        partner_draws=min(result.parameters["draws"], PARTNER_DRAWS),
        names=_list_names(tables), challenge_titles=titles.to_dict(),
        scales={str(code): (low, high) for code, low, high in ends},
        asked=lambda name: scoring.read_hierarchy(book.criteria, dimension=name).codes,
        **context,
    )  # fmt: skip


def _list_names(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    parts = (tables[name][["actor_id", "name"]] for name in ("elsewhere", "actors"))
    return {str(k): v for part in parts for k, v in part.itertuples(index=False)}


def _name(result: TerritoryResult, table: str, code: str | None = None) -> pd.DataFrame:
    """Put names beside the ids of a table (of its rows on one challenge), and its actors' kinds."""
    rows, names = result.tables[table], _list_names(result.tables)
    rows = rows if code is None else rows[rows["challenge_id"] == code]
    if "actor_id" in rows and "kind" not in rows:
        kinds = result.tables["actors"].set_index("actor_id")["kind"]
        rows = rows.assign(kind=rows["actor_id"].map(kinds))
    return rows.assign(**{new: rows[old].map(names) for old, new in NAMED.items() if old in rows})


def _find_last_day(result: TerritoryResult) -> Any:
    days = result.tables["actors"]["observed_on"].dropna()
    return days.max() if len(days) else None


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


def _list_register(result: TerritoryResult, language: str) -> dict[str, list[dict[str, Any]]]:
    """List the actors kind by kind, in the order of the codebook, the unclassified last."""
    actors, book = result.tables["actors"], result.codebook
    parts = (
        actors["subkind"].map(book.subkinds[f"label_{language}"]),
        actors["city"],
        actors["founded"].map(lambda year: f"{year:.0f}", na_action="ignore"),
    )
    written = zip(*(part.fillna("") for part in parts), strict=True)
    about = [" · ".join(filter(None, part)) for part in written]
    shown = actors[["kind", "name", "website"]].assign(about=about)
    shown = shown.sort_values("name", key=lambda names: names.map(linkage.fold_name))
    order = [*book.kinds.index, "unclassified"]
    return {kind: list_records(rows) for kind in order if len(rows := shown[shown["kind"] == kind])}


def _pick_cells(result: TerritoryResult) -> tuple[list[dict[str, Any]], dict[str, list[str]]]:
    """List the mean ratings of actors on criteria, and the codes of these by dimension, as columns.

    First stand the `CELLS` actors with most answers, the strongest on the same side by side.
    """
    asked = result.codebook.criteria["dimension"]
    wide = _name(result, "averages").pivot_table("mean", ["actor_id", "name"], "criterion")
    codes = {part: [c for c in asked.index[asked == part] if c in wide] for part in DIMENSIONS}
    wide = wide[[*chain(*codes.values())]].dropna(how="all")
    if wide.empty:
        return [], codes
    strongest = wide.fillna(-math.inf).to_numpy(float).argmax(axis=1)
    order = pd.DataFrame({"n": wide.count(axis=1), "best": wide.max(axis=1), "first": strongest})
    order = order.sort_values(["n", "best"], ascending=False, kind="stable")
    kept = order[:CELLS].sort_values(["first", "best"], ascending=[True, False], kind="stable")
    return list_records(wide.loc[[*kept.index, *order.index[CELLS:]]].reset_index()), codes


def _pair_readiness(tables: Mapping[str, pd.DataFrame], book: Codebook) -> pd.DataFrame:
    """Put the mean familiarity and appetite of each actor, and their intervals, by its name."""
    if tables["averages"].empty:
        return tables["averages"]
    means = tables["averages"].pivot_table("mean", "actor_id", "criterion")
    means = means.reindex(columns=READINESS)
    drawn = tables["effects"].pivot_table(["low", "high"], "actor_id", "criterion")
    scales = book.criteria.loc[list(means)]
    for code, low, high in scales[["scale_min", "scale_max"]].itertuples():
        for end in ("low", "high"):
            known = drawn.get((end, code), math.nan)
            means[f"{code}_{end}"] = pd.Series(known, means.index).clip(low, high)
    return tables["actors"].merge(means, left_on="actor_id", right_index=True)


def _explain(result: TerritoryResult, dimension: str = "readiness") -> list[dict[str, Any]]:
    """Put beside each score its interval, rank, coverage, panel and what it is made up of."""
    scores, ranks, parts, voices = (
        table[table["dimension"] == dimension].drop(columns="dimension")
        for table in (
            _name(result, "scores").query("n_raters > 0"),
            result.tables["ranks"].query("weights == 'stated'").drop(columns=["weights", "median"]),
            result.tables["contributions"],
            result.tables["panel_mix"],
        )
    )
    said = result.tables["averages"]
    said = said[said["criterion"].isin(parts["criterion"])]
    rows = scores.merge(ranks, "left", "actor_id", suffixes=("", "_rank")).assign(
        n_opinions=lambda t: t["actor_id"].map(voices.groupby("actor_id")["n_raters"].sum()),
        apart=lambda t: t["actor_id"].map(
            (said["high"] - said["low"]).groupby(said["actor_id"]).max()
        ),
    )
    made_of, mixes = map(_list_by_actor, (parts, voices))
    return [
        row | {"parts": made_of[row["actor_id"]], "mix": mixes[row["actor_id"]]}
        for row in list_records(rows.sort_values(["score", "name"], ascending=[False, True]))
    ]


def _list_by_actor(table: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    found = defaultdict(list)
    for row in list_records(table):
        found[row["actor_id"]].append(row)
    return found


def _describe_order(tables: Mapping[str, pd.DataFrame], book: Codebook) -> dict[str, Any]:
    """Collect what the order of readiness rests on: raters, weights, choices; each apart."""
    ranks, choices = (
        tables[name].query("dimension == 'readiness'") for name in ("ranks", "choices")
    )
    groups = scoring.read_hierarchy(book.criteria, dimension="readiness").groups
    sizes = {len(parts) for _, parts in groups if len(parts) > 1}
    ranks = ranks[ranks["compared"].astype(bool) & ranks["low"].notna()]
    ways = choices.drop_duplicates(["normalisation", "aggregation"])
    first = ways.iloc[0]
    one = ways[["normalisation", "aggregation"]].eq(first[["normalisation", "aggregation"]])
    return {
        "width": (ranks["high"] - ranks["low"]).groupby(ranks["weights"]).median().to_dict(),
        "concentrations": [scoring.measure_concentration(size) for size in sorted(sizes)],
        "ways": list_records(ways[one.sum(axis=1) == 1]),
        "firsts": choices[choices["rank"] == 1].groupby("actor_id").size().nlargest(3).to_dict(),
        "n_ways": len(ways),
        "n_compared": ranks["actor_id"].nunique(),
    }


def _summarise_agreement(agreement: pd.DataFrame) -> dict[str, float]:
    """Median and range of alpha over the criteria on which answers vary; empty without any."""
    alpha = agreement.loc[~agreement["hardly_varies"].astype(bool), "alpha"].dropna()
    return {"n": len(alpha), **alpha.agg(["median", "min", "max"])} if len(alpha) else {}


def _collect_group(result: TerritoryResult, code: str) -> dict[str, Any]:
    """Collect the groups on a challenge: who is in all of them, whom they differ by, what lacks."""
    coalitions, members, groups, needs = (
        _name(result, table, code)
        for table in ("coalitions", "coalition_members", "coalition_groups", "needs")
    )
    if coalitions.empty:
        return {}
    (found,) = list_records(coalitions)
    core, chosen = members[members["in_groups"] >= 1], members["in_groups"] > 0
    rest = groups[~groups["actor_id"].isin(core["actor_id"])]
    names = _list_names(result.tables)
    conflicts = [part.split(":") for part in found["conflicts"].split(";") if part]
    needs = needs.assign(offered=needs["most"] >= partners.STRONG)
    served = needs["covered" if found["seats"] else "most"] >= partners.STRONG
    return found | {
        "core": list(core["name"]),
        "alternatives": [
            list(rest.loc[rest["group"] == number, "name"]) for number in groups["group"].unique()
        ],
        "first": list_records(members[chosen & (members["inclusion"] > 0.05)]),
        "often": list_records(members[~chosen & (members["inclusion"] >= OFTEN)]),
        "lacks": list_records(needs[~served | needs["hindrance"].ne("")]),
        "conflicts": [(rule, [names.get(c, c) for c in who]) for rule, *who in conflicts],
    }


def _collect_sheet(result: TerritoryResult, code: str) -> list[dict[str, Any]]:
    """List whom to invite: the first group, up to three who are against, three voices of users."""
    named, groups = _name(result, "partners", code), _name(result, "coalition_groups", code)
    gives, hears = (named[named["list"] == part] for part in ("contribute", "hear"))
    speaking = hears["reasons"].str.contains("speaks_for_users")
    bound = hears[hears["position"] < 0].assign(reasons=lambda t: "must;" + t["reasons"])
    known = pd.concat([gives, bound])[["actor_id", "reasons", "position", "resource"]]
    group = groups.loc[groups["group"] == 0, ["actor_id", "name", "kind"]]
    group = group.merge(known, "left", "actor_id")
    rest, against = ~hears["actor_id"].isin(group["actor_id"]), hears["position"] < 0
    others = (hears[rest & against][:3], hears[rest & speaking & ~against][:3])
    table = pd.concat([group, *(part[list(group)] for part in others)]).fillna({"reasons": "must"})
    served = _name(result, "needs", code).groupby("actor_id")["need"].agg(list)
    more = gives.set_index("actor_id")[["gain", "best_lever"]]
    speaks = table["actor_id"].isin(hears["actor_id"][speaking])
    asked = table["actor_id"].map(served)
    return list_records(table.join(more, on="actor_id").assign(speaks=speaks, asked=asked))
