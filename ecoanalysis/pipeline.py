"""The flow of one territory, written once: classify, score, connect, and say what is missing.

Every stage takes tables and returns tables of codes and numbers; the sentences are made by
`ecoanalysis.report`. A notebook calls `run_territory` and shows what it returns.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from ecoanalysis import (
    alliances,
    linkage,
    network,
    partners,
    profiles,
    ratings,
    scoring,
    ties,
    typology,
)
from ecoanalysis.codebook import Codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.study import Descriptor, Study, check_study, read_study
from ecoanalysis.study.write import save_study

SEED, TOP = 20180801, 5
RANKED = ("readiness", "resource")  # dimensions of which ranks are given
PROFILED = ("interest", "resource", "lever")  # dimensions that groups of actors rest on
INTERVALS = ["actor_id", "dimension", "low", "median", "high", "other_low", "other_high"]


@dataclass(frozen=True)
class Draws:
    """What the panel would say, as draws that later stages carry on (`ratings.fit_panel`).

    `array` is (draws, actors, criteria) in each criterion's own scale, missing where nobody
    rated and everywhere without an interval; `actors` and `criteria` index the last two axes, and
    `panel` numbers the panel of each actor (-1: unrated). Without ratings there are no criteria.
    """

    array: npt.NDArray[np.float64]
    actors: pd.Index
    criteria: pd.Index
    panel: npt.NDArray[np.intp]


@dataclass(frozen=True)
class TerritoryResult:
    """All that is known of one territory.

    `territory` is its own row, `parameters` the options that the tables were computed with,
    `draws` the doubt about its ratings, and `tables` have fixed columns, empty where the study
    holds no data.
    """

    study_id: str
    territory_id: str
    territory: Mapping[str, Any]
    descriptor: Descriptor
    codebook: Codebook
    parameters: Mapping[str, Any]
    draws: Draws
    tables: Mapping[str, pd.DataFrame]


def run_territory(
    study: Study,
    territory_id: str,
    *,
    minimum_coverage: float = 0.5,
    draws: int = 500,
    group_draws: int = 100,
    scenario: str | Path = "",
) -> TerritoryResult:
    """Run every stage once for one territory.

    Parameters
    ----------
    study : Study
        A study that passed its check.
    territory_id : str
        One of the study's territories.
    minimum_coverage : float
        Share of a score's weights (0-1) that must be answered for the score to be shown.
    draws : int
        How many times the doubt about the ratings is drawn; the seed is fixed.
    scenario : str or pathlib.Path
        File of other weights and least coverage, which then count (`scoring.read_scenario`).

    Returns
    -------
    TerritoryResult
        Tables: actors, summary, kinds, helices, subkinds, roles, actor_roles, themes, founded,
        desk, fields, averages, criteria, raters, agreement, disagreement, rater_answers,
        panel_mix, panels, effects, scores (with low, median, high, other_low, other_high: 0-100),
        ranks (of `RANKED`: dimension, weights fixed, stated or open, and as `rank_actors`),
        choices, places, removals, weights_needed, rank_drivers, contributions (each with
        dimension), profiles (reason, n_placed), profile_members, profile_groups, profile_traits,
        ties, actor_network, network, layers, mixing,
        mixing_matrix, brokerage, bridges, key_players, stability,
        challenges, positions, constraints, actions, gaps, questions, provenance,
        warnings.

    Raises
    ------
    UsageError
        If the study has no such territory, or the scenario has faults.
    """
    if not 0 <= minimum_coverage <= 1:
        raise UsageError(f"minimum_coverage must lie between 0 and 1, not {minimum_coverage}")
    changed = scoring.Scenario()
    if scenario:
        changed = scoring.read_scenario(scenario, criteria=study.codebook.criteria)
        weighed = scoring.weigh_criteria(study.codebook.criteria, weights=changed.weights)
        study = replace(study, codebook=replace(study.codebook, criteria=weighed))
        if changed.minimum_coverage is not None:
            minimum_coverage = changed.minimum_coverage
    here = {name: _keep_territory(table, territory_id) for name, table in study.tables.items()}
    if here["territories"].empty:
        known = ", ".join(study.tables["territories"]["territory_id"])
        raise UsageError(f"no territory {territory_id!r} in {study.path}; there are: {known}")
    if not study.tables["constraints"].empty:
        mine = study.tables["constraints"]["challenge_id"].isin(here["challenges"]["challenge_id"])
        here["constraints"] = study.tables["constraints"][mine]
    tables = _run_typology(here, study.codebook)
    tables |= _run_scores(here, study.codebook, minimum_coverage)
    drawn, doubts = _run_draws(here, tables, study.codebook, minimum_coverage, draws)
    tables |= doubts | _run_profiles(tables["averages"], study.codebook)
    tables |= _run_network(here, tables["actors"], study)
    tables |= _run_challenges(here)
    tables |= _run_partners(here, tables, drawn, study, group_draws)
    tables["actors"] = _join_measures(tables)
    tables["provenance"] = _count_sources(tables["actors"], study.descriptor)
    tables["questions"] = _list_questions(tables)
    tables["warnings"] = study.warnings.loc[:, ["code", "table", "field", "found"]]
    tables["summary"] = _summarise(tables, study, territory_id)
    return TerritoryResult(
        study_id=study.study_id,
        territory_id=territory_id,
        territory={str(k): v for k, v in here["territories"].iloc[0].items()},
        descriptor=study.descriptor,
        codebook=study.codebook,
        parameters={
            "minimum_coverage": minimum_coverage,
            "draws": draws,
            "weights": changed.weights,
        },
        draws=drawn,
        tables={name: table.reset_index(drop=True) for name, table in tables.items()},
    )


def review_study(path: str | Path) -> pd.DataFrame:
    """Check a study and add what only the later stages can see.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder of the study.

    Returns
    -------
    pandas.DataFrame
        The faults of `check_study`, and below them, if nothing is refused, the warnings
        `unclassified_actors` (one a territory, `found` has the count) and `probable_duplicate`
        (one a pair, unless a person decided in the review file that they are different).
    """
    faults = check_study(path)
    if (faults["severity"] == "refusal").any():
        return faults
    study = read_study(path)
    actors = study.tables["actors"]
    classified = typology.classify_actors(actors, codebook=study.codebook)
    unknown = classified.loc[classified["kind"] == "unclassified", "territory_id"].value_counts()
    rows = [
        {"code": "unclassified_actors", "field": "kind", "found": f"{territory_id} ({n})"}
        for territory_id, n in unknown.sort_index().items()
    ]
    pairs = linkage.propose_matches(actors, matches=linkage.read_matches(path))
    here = pairs[["actor_id", "other_id"]].isin(list(actors["actor_id"])).all(axis=1)
    pairs = pairs[here & pairs["decision"].ne("different")]
    rows += [
        {"code": "probable_duplicate", "field": "name", "found": f"{a} ~ {b}"}
        for a, b in zip(pairs["actor_id"], pairs["other_id"], strict=True)
    ]
    if not rows:
        return faults
    later = pd.DataFrame(rows).assign(severity="warning", table="actors")
    return pd.concat([faults, later.reindex(columns=faults.columns)], ignore_index=True)


def match_study(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Follow the decisions of the review file, then propose in it what else may be one.

    The study's tables are written whole or not at all, and only where actors were united.

    Parameters
    ----------
    path : str or pathlib.Path
        Folder of the study.

    Returns
    -------
    matches : pandas.DataFrame
        The review file as it now is; see `linkage.propose_matches`.
    log : pandas.DataFrame
        What was changed in the study; see `linkage.replay_matches`.

    Raises
    ------
    StudyError
        If the study or the review file has faults.
    UsageError
        If decisions contradict each other.
    """
    study, matches = read_study(path), linkage.read_matches(path)
    changed, log = linkage.replay_matches(study.tables, matches=matches)
    if changed:
        save_study(study, source=None, **changed)
    proposed = linkage.propose_matches({**study.tables, **changed}["actors"], matches=matches)
    if len(proposed) or len(matches):
        linkage.write_matches(proposed, path)
    return proposed, log


def _keep_territory(table: pd.DataFrame, territory_id: str) -> pd.DataFrame:
    if "territory_id" not in table.columns:
        return table
    return table[table["territory_id"] == territory_id]


def _run_typology(here: Mapping[str, pd.DataFrame], book: Codebook) -> dict[str, pd.DataFrame]:
    actors = here["actors"]
    classified = typology.classify_actors(actors, codebook=book)
    found = classified.drop(columns=["territory_id", "actor_id"]).set_axis(actors.index)
    register = actors.drop(columns=["kind", "subkind", "territory_id"]).join(found)
    roles, actor_roles = typology.compare_roles(classified, actors=actors, kinds=book.kinds)
    return {
        "actors": register,
        "kinds": typology.tabulate_kinds(classified, kinds=book.kinds),
        "helices": typology.tabulate_helices(classified),
        "subkinds": typology.tabulate_subkinds(classified),
        "roles": roles,
        "actor_roles": actor_roles,
        "themes": typology.tabulate_themes(actors),
        "founded": _count_founded(actors["founded"]),
        "desk": typology.measure_desk_evidence(actors),
        "fields": _count_filled(actors),
    }


def _run_scores(
    here: Mapping[str, pd.DataFrame], book: Codebook, minimum_coverage: float
) -> dict[str, pd.DataFrame]:
    answers, raters, actors = here["ratings"], here["raters"], here["actors"]
    averages = scoring.average_ratings(answers, raters=raters, criteria=book.criteria)
    scores = scoring.score_actors(
        averages, criteria=book.criteria, actors=actors, minimum_coverage=minimum_coverage
    )
    known = averages.merge(book.criteria[["dimension"]], left_on="criterion", right_index=True)
    criteria = known.groupby(["dimension", "criterion"], sort=False).agg(
        mean=("mean", "mean"),
        n_actors=("mean", "count"),
        n_ratings=("n_raters", "sum"),
        n_dont_know=("n_dont_know", "sum"),
        n_self=("n_self", "sum"),
    )
    voices = answers.dropna(subset="value").groupby("criterion")["rater_id"].nunique()
    criteria = criteria.reset_index()
    criteria["n_raters"] = criteria["criterion"].map(voices).fillna(0).astype(int)
    n_ratings = answers.groupby("rater_id").size()
    panel = raters.assign(n_ratings=raters["rater_id"].map(n_ratings).fillna(0).astype(int))
    mix = panel.groupby(["role", "mode"], dropna=False)
    raters_mix = mix.agg(n_raters=("rater_id", "nunique"), n_ratings=("n_ratings", "sum"))
    return {
        "averages": averages,
        "scores": scores,
        "criteria": criteria,
        "raters": raters_mix.reset_index(),
        "agreement": ratings.measure_agreement(answers, raters=raters),
        "disagreement": ratings.measure_disagreement(
            answers, raters=raters, criteria=book.criteria
        ),
        "rater_answers": ratings.measure_raters(answers, raters=raters, criteria=book.criteria),
        "panel_mix": pd.concat(
            ratings.measure_panel_mix(
                answers[answers["criterion"].map(book.criteria["dimension"]) == dimension],
                raters=raters,
            ).assign(dimension=dimension)
            for dimension in RANKED
        ),
    }


def _run_draws(
    here: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    book: Codebook,
    minimum_coverage: float,
    n: int,
) -> tuple[Draws, dict[str, pd.DataFrame]]:
    """Draw the ratings once, and measure from the draws how sure scores and ranks are."""
    actors, scores = here["actors"], tables["scores"]
    fit = ratings.fit_panel(
        here["ratings"], raters=here["raters"], criteria=book.criteria, actors=actors
    )
    within, other = (
        ratings.draw_actor_effects(fit, draws=n, scope=scope, seed=SEED)
        for scope in get_args(ratings.Scope)
    )
    intervals = []
    for dimension in scores["dimension"].unique():
        score = partial(
            scoring.score_draws, columns=fit.criteria, minimum_coverage=minimum_coverage,
            tree=scoring.read_hierarchy(book.criteria, dimension=dimension),
        )  # fmt: skip
        ends = scoring.measure_intervals(score(within), actors=actors)
        wider = scoring.measure_intervals(score(other), actors=actors)[["low", "high"]]
        intervals.append(ends.join(wider.add_prefix("other_")).assign(dimension=dimension))
    empty = scores[["actor_id", "dimension"]].iloc[:0].reindex(columns=INTERVALS)
    known = pd.concat(intervals) if intervals else empty
    rated = np.flatnonzero(fit.panel >= 0)
    n_known = (~np.isnan(within)).sum(axis=1)
    means = np.nansum(within, axis=1) / np.where(n_known, n_known, np.nan)
    ends = scoring.measure_intervals(means, actors=pd.DataFrame({"actor_id": fit.criteria}))
    ends = ends.set_index("actor_id")[["low", "high"]]
    draws = Draws(within, fit.actors, fit.criteria, fit.panel)
    chosen = [d for d in RANKED if d in set(scores["dimension"]) and len(rated)]
    doubts = [
        _measure_doubts(draws, rated, tables["averages"], book, dimension, minimum_coverage)
        for dimension in chosen or RANKED[:1]
    ]
    kept = slice(None if chosen else 0)  # nobody rated: tables of the same columns, empty
    found = {name: pd.concat([part[name][kept] for part in doubts]) for name in doubts[0]}
    return draws, found | {
        "criteria": tables["criteria"].join(ends, on="criterion"),
        "scores": scores.merge(known, on=["actor_id", "dimension"], how="left"),
        "effects": ratings.measure_actor_effects(fit, draws=n, seed=SEED),
        "panels": fit.panels.assign(reason=fit.reason, residual_sd=fit.residual_sd),
    }


def _run_profiles(averages: pd.DataFrame, book: Codebook) -> dict[str, pd.DataFrame]:
    """Group actors by what moves them and what they bring."""
    criteria = book.criteria[book.criteria["dimension"].isin(PROFILED)]
    wide = averages.pivot_table("mean", "actor_id", "criterion").reindex(columns=criteria.index)
    wide = wide.dropna(axis="columns", how="all").dropna(how="all")
    found = profiles.classify_profiles(wide, scales=criteria, seed=SEED)
    n_placed = int((found.members["group"] > 0).sum())
    return {
        "profiles": pd.DataFrame({"reason": [found.reason], "n_placed": n_placed}),
        "profile_members": found.members,
        "profile_groups": found.groups,
        "profile_traits": found.traits,
    }


def _measure_doubts(
    draws: Draws,
    rated: npt.NDArray[np.intp],
    averages: pd.DataFrame,
    book: Codebook,
    dimension: str,
    minimum_coverage: float,
) -> dict[str, pd.DataFrame]:
    """Measure the doubt about ranks (raters, weights) and choices in one dimension."""
    tree = scoring.read_hierarchy(book.criteria, dimension=dimension)
    values, n = draws.array[:, rated], len(draws.array)
    actors = pd.DataFrame({"actor_id": draws.actors[rated]})
    means = scoring.read_means(averages, tree=tree, actors=actors)
    ranks = []
    for opinion in get_args(scoring.Opinion):
        drawn = scoring.score_draws(
            values, tree=tree, columns=draws.criteria, minimum_coverage=minimum_coverage,
            weights=scoring.draw_weights(tree, opinion=opinion, draws=n, seed=SEED),
        )  # fmt: skip
        table = scoring.rank_actors(drawn, actors=actors, top=TOP, panel=draws.panel[rated])
        ranks.append(table.assign(weights=opinion))
    choices = scoring.compare_choices(means, tree=tree, minimum_coverage=minimum_coverage)
    found = {
        "ranks": pd.concat(ranks, ignore_index=True),
        "choices": choices,
        "places": scoring.measure_choices(choices, top=TOP),
        "removals": scoring.compare_removals(means, tree=tree, minimum_coverage=minimum_coverage),
        "weights_needed": scoring.compare_weights(
            means, tree=tree, minimum_coverage=minimum_coverage
        ),
        "rank_drivers": scoring.measure_rank_drivers(
            values, tree=tree, columns=draws.criteria, n=64, seed=SEED
        ),
        "contributions": scoring.measure_contributions(means, tree=tree),
    }
    return {name: table.assign(dimension=dimension) for name, table in found.items()}


def _run_network(
    here: Mapping[str, pd.DataFrame], register: pd.DataFrame, study: Study
) -> dict[str, pd.DataFrame]:
    kept = ties.select_ties(
        _gather_relations(study, here["actors"]),
        actors=register,
        relation_kinds=study.codebook.relation_kinds,
    )
    inside = kept[kept["scope"] == "inside"]
    free = inside[inside["structure"] == "free"]
    rows = [
        network.measure_territory(t, actors=register, group="helix").assign(structure=name)
        for name, t in [("all", inside), *inside.groupby("structure")]
    ]
    deals = 499 if len(register) <= network.LARGE else 99
    mixing = [
        network.measure_mixing(free, actors=register, group=group, permutations=deals)
        for group in ("kind", "helix")
    ]
    places = network.measure_actors(inside, actors=register, seed=1)
    groups = network.classify_communities(inside, actors=register)
    core = network.classify_core(free, actors=register)
    roles = network.measure_brokerage(
        free, actors=register, group="helix", directed=False, permutations=deals
    )
    bridges = network.measure_bridges(free, actors=register)
    return {
        "ties": kept,
        "actor_network": places.merge(groups, on="actor_id").merge(core, on="actor_id"),
        "network": pd.concat(rows, ignore_index=True),
        "layers": network.measure_layers(kept, actors=register),
        "mixing": pd.concat(mixing, ignore_index=True),
        "mixing_matrix": network.tabulate_mixing(free, actors=register, group="helix"),
        "brokerage": roles,
        "bridges": bridges.merge(roles, on="actor_id"),
        "key_players": network.measure_key_players(free, actors=register),
        "stability": network.measure_stability(free, actors=register),
    }


def _gather_relations(study: Study, actors: pd.DataFrame) -> pd.DataFrame:
    """Relations recorded here, and those that come in from elsewhere across the border.

    A relation inside another territory stays there, although one of its ends may be an
    organisation that is listed here as well.
    """
    relations, everyone = study.tables["relations"], study.tables["actors"]
    listed = pd.MultiIndex.from_frame(everyone[["territory_id", "actor_id"]])
    ends = pd.MultiIndex.from_frame(relations[["territory_id", "target_id"]])
    mine = relations["territory_id"].isin(actors["territory_id"])
    incoming = relations["target_id"].isin(actors["actor_id"]) & ~ends.isin(listed)
    incoming &= ~relations["source_id"].isin(actors["actor_id"])
    return relations[mine | incoming]


def _run_challenges(here: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    positions = here["positions"].groupby(["challenge_id", "actor_id"], sort=False)["value"]
    return {
        "challenges": here["challenges"].drop(columns="territory_id"),
        "positions": positions.agg(mean="mean", n_raters="count").reset_index(),
        "constraints": here["constraints"],
        "actions": here["actions"].drop(columns="territory_id"),
    }


def _run_partners(
    here: Mapping[str, pd.DataFrame],
    tables: Mapping[str, pd.DataFrame],
    drawn: Draws,
    study: Study,
    n: int,
) -> dict[str, pd.DataFrame]:
    """Suggest partners, groups and introductions, find what lacks, and weigh positions."""
    actors, book, challenges = tables["actors"], study.codebook, here["challenges"]
    means = tables["averages"].pivot_table("mean", "actor_id", "criterion")
    answers = partners.gather_answers(
        means.reindex(index=drawn.actors, columns=drawn.criteria), drawn.array[:n],
        ratings=here["ratings"], raters=here["raters"], positions=here["positions"],
        criteria=book.criteria,
    )  # fmt: skip
    given: dict[str, Any] = {
        "challenges": challenges,
        "constraints": here["constraints"],
        "kinds": book.kinds,
    }
    suggested = partners.suggest_partners(answers, actors=actors, **given)
    groups = partners.suggest_groups(answers, suggested, actors=actors, draws=n, **given)
    inside = tables["ties"][tables["ties"]["scope"] == "inside"]
    gaps = _find_gaps(tables["kinds"])
    elsewhere = _list_elsewhere(study, actors)
    return _run_alliances(here, answers) | groups | {
        "partners": suggested,
        "introductions": partners.suggest_introductions(
            inside[inside["structure"] == "free"], actors=actors, known=here["relations"],
            answers=answers, challenges=challenges,
        ),
        "gaps": gaps,
        "elsewhere": elsewhere[["actor_id", "name", "kind"]],
        "shortfalls": partners.find_shortfalls(
            gaps, helices=tables["helices"], needs=groups["needs"].query("challenge_id != ''"),
            mixing=tables["mixing_matrix"] if len(inside) else tables["mixing_matrix"][:0],
            elsewhere=elsewhere,
        ),
    }  # fmt: skip


def _run_alliances(
    here: Mapping[str, pd.DataFrame], answers: partners.Answers
) -> dict[str, pd.DataFrame]:
    """Weigh salience, power and interest over draws, and influences where they are few enough."""
    concerns = [f"concern:{code}" for code in here["challenges"]["challenge_id"]]
    means, draws = answers.take(["power", "legitimacy", "urgency", *concerns])
    values = draws if len(draws) else means[None]
    known = np.isfinite(values[..., 3:]).sum(axis=2)
    interest = np.nansum(values[..., 3:], axis=2) / np.where(known > 0, known, np.nan)
    grid = np.stack([values[..., 0], interest], axis=2)
    influences = here["influences"]
    few = len({*influences["source_id"], *influences["target_id"]}) <= alliances.MOST_ACTORS
    mactor = alliances.analyse_mactor(
        influences if few else influences[:0], here["positions"], draws=len(draws), seed=SEED
    )
    return {
        "salience": alliances.measure_salience(values[..., :3], actors=answers.means.index),
        "grid": alliances.measure_grid(grid, actors=answers.means.index).join(
            pd.DataFrame(grid.mean(axis=0), answers.means.index, ["power", "interest"]), "actor_id"
        ),
        "mactor": mactor.actors.assign(pairs_known=mactor.coverage[0]),
        "mactor_challenges": mactor.challenges,
    }


def _list_elsewhere(study: Study, here: pd.DataFrame) -> pd.DataFrame:
    """List the national and international actors of the study's other territories."""
    everyone = study.tables["actors"]
    wide = everyone["reach"].isin(["national", "international"])
    others = everyone[wide & ~everyone["actor_id"].isin(here["actor_id"])]
    others = others.drop_duplicates("actor_id").reset_index(drop=True)
    found = typology.classify_actors(others, codebook=study.codebook)[["kind", "helix"]]
    rated = study.tables["ratings"]
    rated = rated[rated["actor_id"].isin(others["actor_id"]) & rated["value"].notna()]
    means = rated.pivot_table(index="actor_id", columns="criterion", values="value")
    scales = study.codebook.criteria.loc[means.columns]
    shares = (means - scales["scale_min"]) / (scales["scale_max"] - scales["scale_min"])
    return others[["actor_id", "name"]].join(found).join(shares, on="actor_id")


def _join_measures(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Add degree, readiness and its coverage to the register (missing where nothing was asked)."""
    register, scores = tables["actors"], tables["scores"]
    ready = scores[scores["dimension"] == "readiness"].set_index("actor_id")
    degree = tables["actor_network"].set_index("actor_id")["degree"].astype(float)
    known = degree if len(tables["ties"]) else degree * math.nan
    measures = {"degree": known, "readiness": ready["score"], "coverage": ready["coverage"]}
    return register.assign(**{name: register["actor_id"].map(m) for name, m in measures.items()})


def _count_founded(founded: pd.Series) -> pd.DataFrame:
    years = founded.dropna().astype(int)
    counts = (years // 10 * 10).value_counts().sort_index()
    return pd.DataFrame({"period": counts.index.astype(str), "n": counts.to_numpy()})


def _count_filled(actors: pd.DataFrame) -> pd.DataFrame:
    fields = ["city", "latitude", "website", "founded", "tags", "roles", "reach", "channels"]
    filled = actors[fields].notna().sum()
    share = filled / len(actors) if len(actors) else filled * math.nan
    return pd.DataFrame({"field": fields, "n_filled": filled.to_numpy(), "share": share.to_numpy()})


def _count_sources(register: pd.DataFrame, descriptor: Descriptor) -> pd.DataFrame:
    names = register["provenance"].fillna("").str.split(";").explode().str.split(":").str[0]
    counts = names.str.strip().groupby(level=0).unique().explode().value_counts()
    said = ["title", "licence", "credit", "accessed_on"]
    sources = pd.DataFrame(descriptor.sources, columns=["name", *said])
    n_actors = sources["name"].map(counts).fillna(0).astype(int)
    return sources.rename(columns={"name": "source"}).assign(n_actors=n_actors)


def _find_gaps(kinds: pd.DataFrame) -> pd.DataFrame:
    missing = (kinds["origin"] == "guide") & (kinds["n"] == 0)
    return kinds.loc[missing, ["kind", "helix"]]


def _list_questions(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Say which table is still to be collected, as codes: `code` and its `subject`."""
    actors = tables["actors"]
    checks = [
        ("no_ratings", tables["averages"].empty),
        ("no_relations", tables["ties"].empty),
        ("no_challenges", tables["challenges"].empty),
        ("no_positions", tables["positions"].empty),
        ("no_actions", tables["actions"].empty),
        ("no_roles", actors["roles"].isna().all()),
        ("no_coordinates", actors["latitude"].isna().all()),
    ]
    rows = [(code, "", math.nan) for code, holds in checks if holds]
    n_unknown = int((actors["kind"] == "unclassified").sum())
    rows += [("unclassified", "", n_unknown)] if n_unknown else []
    rows += [("missing_kind", kind, math.nan) for kind in tables["gaps"]["kind"]]
    return pd.DataFrame(rows, columns=["code", "subject", "n"])


def _summarise(tables: Mapping[str, pd.DataFrame], study: Study, territory_id: str) -> pd.DataFrame:
    actors, kinds, kept = tables["actors"], tables["kinds"], tables["ties"]
    panels = scoring.measure_shared_raters(study.tables["ratings"])
    panel = panels[panels["territory_id"] == territory_id]
    listed = kinds[(kinds["n"] > 0) & (kinds["kind"] != "unclassified")]
    n_unknown = int((actors["kind"] == "unclassified").sum())
    values = {
        "n_actors": len(actors),
        "n_kinds": len(listed),
        "n_guide_kinds": int((kinds["origin"] == "guide").sum()),
        "n_guide_kinds_listed": int((listed["origin"] == "guide").sum()),
        "n_unclassified": n_unknown,
        "share_unclassified": n_unknown / len(actors) if len(actors) else math.nan,
        "n_located": int(actors["latitude"].notna().sum()),
        "n_inferred": int((actors["placed"] == "inferred").sum()),
        "n_with_website": int(actors["website"].notna().sum()),
        "n_in_several_sources": int(actors["provenance"].fillna("").str.contains(";").sum()),
        "n_ratings": int(tables["raters"]["n_ratings"].sum()),
        "n_raters": int(tables["raters"]["n_raters"].sum()),
        "n_rated_actors": tables["averages"]["actor_id"].nunique(),
        "n_shared_raters": int(panel["n_shared_raters"].sum()),
        "n_linked_territories": int(panel["n_linked_territories"].sum()),
        "n_ties": int((kept["scope"] == "inside").sum()),
        "n_ties_beyond": int((kept["scope"] == "beyond").sum()),
        "n_challenges": len(tables["challenges"]),
        "n_actions": len(tables["actions"]),
    }
    return pd.DataFrame({"measure": list(values), "value": [float(v) for v in values.values()]})
