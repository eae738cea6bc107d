"""The flow of one territory, written once: classify, score, connect, match, say what is missing.

Stages take tables and return tables of codes and numbers; `ecoanalysis.report` makes the sentences.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
from ecoanalysis.codebook import UNCLASSIFIED, Codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.study import Descriptor, Study, check_study, read_study
from ecoanalysis.study.check import find_listed
from ecoanalysis.study.columns import split_parts
from ecoanalysis.study.faults import join_faults, make_faults
from ecoanalysis.study.suggest import check_name
from ecoanalysis.study.write import save_study

Tables = Mapping[str, pd.DataFrame]
Found = dict[str, pd.DataFrame]

SEED, TOP = 20180801, 5
PARTNER_DRAWS = 100  # of the draws, those over which partners, groups and positions are weighed
RANKED = "readiness"  # the dimension of which ranks are given
EXPLAINED = ("readiness", "resource")  # dimensions of which a page says what makes up the scores
PROFILED = ("interest", "resource", "lever")  # dimensions that groups of actors rest on
FIELDS = ["city", "latitude", "website", "founded", "tags", "roles", "reach", "channels"]


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
    tables: Tables


def run_territory(
    study: Study,
    territory_id: str,
    *,
    minimum_coverage: float = 0.5,
    draws: int = 500,
    scenario: str | Path = "",
) -> TerritoryResult:
    """Run every stage once for one territory of a study that passed its check.

    `minimum_coverage` is the share of a score's weights (0-1) that must be answered for the score
    to be shown, `draws` (1 or more) how often the doubt about the ratings is drawn, with a fixed
    seed, and `scenario` a file of other weights and least coverage, which then count. A territory
    that the study does not have, options out of range and faults of the scenario are a UsageError.

    The tables: actors, summary, kinds, helices, subkinds, roles, actor_roles, themes, founded,
    desk, fields; averages, criteria, raters, agreement, disagreement, rater_answers, panel_mix,
    panels, effects, scores (with low, median, high, other_low, other_high: 0-100), ranks (of
    `RANKED`, weights fixed, stated or open, as `rank_actors`, `compared` (bool) in the largest
    panel), choices, removals, weights_needed, rank_drivers (of that panel), contributions (of
    `EXPLAINED`; each with dimension), profiles, profile_members, profile_groups, profile_traits;
    ties, actor_network, network, layers, mixing, mixing_matrix, brokerage, bridges, key_players,
    stability; challenges, positions, constraints, actions, partners, coalitions,
    coalition_members, coalition_groups, needs, introductions, gaps,
    elsewhere, shortfalls, salience, grid, mactor, mactor_challenges; questions, provenance,
    warnings.
    """
    if draws < 1:
        raise UsageError(f"draws must be 1 or more, not {draws}")
    book, changed = study.codebook, scoring.Scenario()
    if scenario:
        changed = scoring.read_scenario(scenario, criteria=book.criteria)
        weighed = scoring.weigh_criteria(book.criteria, weights=changed.weights)
        study = replace(study, codebook=replace(book, criteria=weighed))
    least = changed.minimum_coverage
    least = minimum_coverage if least is None else least
    here = _take_territory(study, territory_id)
    tables = _run_typology(study, here)
    drawn, found = _run_ratings(study, here, least, draws)
    tables |= found
    tables |= _run_network(study, here, tables)
    tables |= _run_partners(study, here, tables, drawn, least)
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
        parameters={"minimum_coverage": least, "draws": draws, "weights": changed.weights},
        draws=drawn,
        tables={name: table.reset_index(drop=True) for name, table in tables.items()},
    )


def review_study(path: str | Path) -> pd.DataFrame:
    """Check a study (`check_study`) and add the warnings that only the later stages can see.

    If nothing is refused these are `unclassified_actors` (one a territory, `found` has the count)
    and `probable_duplicate` (one a pair, unless a person decided in the review file that they are
    different).
    """
    faults = check_study(path)
    if (faults["severity"] == "refusal").any():
        return faults
    study = read_study(path)
    actors = study.tables["actors"]
    kinds = typology.classify_actors(actors, codebook=study.codebook)["kind"]
    unknown = actors.loc[kinds == UNCLASSIFIED, "territory_id"].value_counts().sort_index()
    pairs = linkage.propose_matches(actors, matches=linkage.read_matches(path))
    pairs = pairs[pairs[["actor_id", "other_id"]].isin(list(actors["actor_id"])).all(axis=1)]
    pairs = pairs[pairs["decision"].ne("different")]
    counts = [f"{name} ({n})" for name, n in unknown.items()]
    said = pairs["actor_id"] + " ~ " + pairs["other_id"]
    seen = (("unclassified_actors", "kind", counts), ("probable_duplicate", "name", [*said]))
    added = (
        make_faults(code, table="actors", rows=[None] * len(found), field=field, found=found)
        for code, field, found in seen
    )
    return join_faults([faults, *added])


def match_study(path: str | Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Follow the decisions of the review file, then propose in it what else may be one.

    Returns the review file as it now is (`linkage.propose_matches`) and the log of what was changed
    in the study (`linkage.replay_matches`), whose tables are written whole or not at all, and only
    where actors were united. Faults of the study or the review file are a StudyError, decisions
    that contradict each other a UsageError.
    """
    study, matches = read_study(path), linkage.read_matches(path)
    changed, log = linkage.replay_matches(study.tables, matches=matches)
    if changed:
        save_study(study, source=None, **changed)
    proposed = linkage.propose_matches({**study.tables, **changed}["actors"], matches=matches)
    if len(proposed) or len(matches):
        linkage.write_matches(proposed, path)
    return proposed, log


def _take_territory(study: Study, territory_id: str) -> Found:
    """Take the rows of one territory, constraints with the challenges that they are on."""
    here = {
        name: table[table["territory_id"] == territory_id] if "territory_id" in table else table
        for name, table in study.tables.items()
    }
    if here["territories"].empty:
        check_name(territory_id, study.tables["territories"]["territory_id"], str(study.path))
    rules, mine = here["constraints"], here["challenges"]["challenge_id"]
    return here | {"constraints": rules[rules["challenge_id"].isin(mine)]}


def _run_typology(study: Study, here: Tables) -> Found:
    actors, book = here["actors"], study.codebook
    classified = typology.classify_actors(actors, codebook=book)
    found = classified.drop(columns=["territory_id", "actor_id"])
    roles, actor_roles = typology.compare_roles(classified, actors=actors, kinds=book.kinds)
    decades = (actors["founded"].dropna() // 10 * 10).astype(int).value_counts().sort_index()
    filled = actors[FIELDS].notna()
    return {
        "actors": actors.drop(columns=["kind", "subkind", "territory_id"]).join(found),
        "kinds": typology.tabulate_kinds(classified, kinds=book.kinds),
        "helices": typology.tabulate_helices(classified),
        "subkinds": typology.tabulate_subkinds(classified),
        "roles": roles,
        "actor_roles": actor_roles,
        "themes": typology.tabulate_themes(actors),
        "founded": pd.DataFrame({"period": decades.index.astype(str), "n": decades.to_numpy()}),
        "desk": typology.measure_desk_evidence(actors),
        "fields": filled.agg(["sum", "mean"]).T.set_axis(["n_filled", "share"], axis=1)
        .astype({"n_filled": int}).rename_axis("field").reset_index(),
    }  # fmt: skip


def _run_ratings(
    study: Study, here: Tables, minimum_coverage: float, n: int
) -> tuple[Draws, Found]:
    """Average the answers, draw what is doubted of them once, and score and rank both."""
    answers, actors, criteria = here["ratings"], here["actors"], study.codebook.criteria
    known: dict[str, Any] = {"raters": here["raters"], "criteria": criteria}
    averages = scoring.average_ratings(answers, **known)
    fit = ratings.fit_panel(answers, actors=actors, **known)
    within, other = (
        ratings.draw_actor_effects(fit, draws=n, scope=scope, seed=SEED)
        for scope in get_args(ratings.Scope)
    )
    drawn = Draws(within, fit.actors, fit.criteria, fit.panel)
    scores = scoring.score_actors(
        averages, criteria=criteria, actors=actors, minimum_coverage=minimum_coverage
    )
    asked, rated = list(scores["dimension"].unique()), fit.panel >= 0
    intervals, parts, doubts = [], [], Found()
    for dimension in dict.fromkeys([*asked, RANKED]):  # one at least, for the columns
        tree = scoring.read_hierarchy(
            criteria, dimension=dimension, minimum_coverage=minimum_coverage
        )
        ends, wider = (
            scoring.measure_intervals(
                scoring.score_draws(part[:, rated], tree=tree, columns=fit.criteria),
                actors=actors[rated],
            )
            for part in (within, other)
        )
        wider = wider[["low", "high"]].add_prefix("other_")
        intervals.append(ends.join(wider).assign(dimension=dimension))
        if dimension in EXPLAINED:
            means = scoring.read_means(averages, tree=tree, actors=actors[rated])
            made_of = scoring.measure_contributions(means, tree=tree)
            parts.append(made_of.assign(dimension=dimension))
            if dimension == RANKED:
                doubts = _measure_doubts(drawn, means, tree)
    doubts["contributions"] = pd.concat(parts)
    counted = asked if rated.any() else []
    return drawn, {
        "averages": averages,
        "criteria": _describe_criteria(averages, answers, criteria, drawn),
        "raters": _count_raters(answers, here["raters"], criteria),
        "agreement": ratings.measure_agreement(answers, raters=here["raters"]),
        "disagreement": ratings.measure_disagreement(answers, **known),
        "rater_answers": ratings.measure_raters(answers, **known),
        "panel_mix": ratings.measure_panel_mix(answers, **known),
        "panels": fit.panels.assign(reason=fit.reason, residual_sd=fit.residual_sd),
        "effects": ratings.measure_actor_effects(fit, drawn=(within, other)),
        "scores": scores.merge(pd.concat(intervals), on=["actor_id", "dimension"], how="left"),
        **{name: table[table["dimension"].isin(counted)] for name, table in doubts.items()},
        **profiles.classify_profiles(averages, criteria=criteria, dimensions=PROFILED, seed=SEED),
    }


def _measure_doubts(drawn: Draws, means: pd.DataFrame, tree: scoring.Hierarchy) -> Found:
    """Measure the doubt about the ranks of who was rated (raters, weights) and about choices.

    Ranks are given within each panel; what else would change them, in the one with most actors.
    """
    rated = drawn.panel >= 0
    values, panel = drawn.array[:, rated], drawn.panel[rated]
    compared = panel == np.bincount(panel[means.notna().any(axis=1)], minlength=1).argmax()
    actors, means = pd.DataFrame({"actor_id": drawn.actors[rated]}), means[compared]
    ranks = []
    for opinion in get_args(scoring.Opinion):
        weights = scoring.draw_weights(tree, opinion=opinion, draws=len(values), seed=SEED)
        scores = scoring.score_draws(values, tree=tree, columns=drawn.criteria, weights=weights)
        table = scoring.rank_actors(scores, actors=actors, top=TOP, panel=panel)
        ranks.append(table.assign(weights=opinion, compared=compared))
    found = {
        "ranks": pd.concat(ranks),
        "choices": scoring.compare_choices(means, tree=tree),
        "removals": scoring.compare_removals(means, tree=tree),
        "weights_needed": scoring.compare_weights(means, tree=tree),
        "rank_drivers": scoring.measure_rank_drivers(
            values[:, compared], tree=tree, columns=drawn.criteria, n=64, seed=SEED
        ),
    }
    return {name: table.assign(dimension=RANKED) for name, table in found.items()}


def _describe_criteria(
    averages: pd.DataFrame, answers: pd.DataFrame, criteria: pd.DataFrame, drawn: Draws
) -> pd.DataFrame:
    """Describe the answers criterion by criterion: mean over actors with its interval, counts.

    `share` (0-1) is the mean on the criterion's scale.
    """
    known = averages.assign(dimension=averages["criterion"].map(criteria["dimension"]))
    found = known.groupby(["dimension", "criterion"], sort=False).agg(
        mean=("mean", "mean"), n_actors=("mean", "count"), n_ratings=("n_raters", "sum"),
        n_dont_know=("n_dont_know", "sum"), n_self=("n_self", "sum"),
    ).reset_index()  # fmt: skip
    scales = criteria.reindex(found["criterion"])
    low, high = (scales[f"scale_{end}"].to_numpy(dtype=float) for end in ("min", "max"))
    found["share"] = (found["mean"] - low) / (high - low)
    voices = answers.dropna(subset="value").groupby("criterion")["rater_id"].nunique()
    found["n_raters"] = found["criterion"].map(voices).fillna(0).astype(int)
    n_known = (~np.isnan(drawn.array)).sum(axis=1)
    means = np.nansum(drawn.array, axis=1) / np.where(n_known, n_known, np.nan)
    ends = scoring.measure_intervals(means, actors=pd.DataFrame({"actor_id": drawn.criteria}))
    return found.join(ends.set_index("actor_id")[["low", "high"]], on="criterion")


def _count_raters(
    answers: pd.DataFrame, raters: pd.DataFrame, criteria: pd.DataFrame
) -> pd.DataFrame:
    """Count by dimension, role and mode who rated organisations of others, and their ratings."""
    who = raters[["rater_id", "actor_id", "role", "mode"]]
    given = answers.dropna(subset="value").merge(who, on="rater_id", suffixes=("", "_own"))
    given = given[given["actor_id"].ne(given["actor_id_own"])]
    given = given.assign(dimension=given["criterion"].map(criteria["dimension"]))
    mix = given.groupby(["dimension", "role", "mode"], dropna=False)
    return mix.agg(n_raters=("rater_id", "nunique"), n_ratings=("value", "size")).reset_index()


def _run_network(study: Study, here: Tables, tables: Tables) -> Found:
    known: dict[str, Any] = {"actors": tables["actors"]}
    kinds, relations = study.codebook.relation_kinds, _gather_relations(study, here["actors"])
    kept = ties.select_ties(relations, relation_kinds=kinds, **known)
    inside = kept[kept["scope"] == "inside"]
    free = inside[inside["structure"] == "free"]
    deals: dict[str, Any] = {"permutations": 499 if len(tables["actors"]) <= network.LARGE else 99}
    places = network.measure_actors(inside, seed=1, **known)
    places = places.merge(network.classify_communities(inside, **known), on="actor_id")
    roles = network.measure_brokerage(free, group="helix", directed=False, **known, **deals)
    return {
        "ties": kept,
        "actor_network": places.merge(network.classify_core(free, **known), on="actor_id"),
        "network": pd.concat(
            network.measure_territory(part, group="helix", **known).assign(structure=name)
            for name, part in [("all", inside), *inside.groupby("structure")]
        ),
        "layers": network.measure_layers(kept, **known),
        "mixing": pd.concat(
            network.measure_mixing(free, group=group, **known, **deals)
            for group in ("kind", "helix")
        ),
        "mixing_matrix": network.tabulate_mixing(free, group="helix", **known),
        "brokerage": roles,
        "bridges": network.measure_bridges(free, **known).merge(roles, on="actor_id"),
        "key_players": network.measure_key_players(free, **known),
        "stability": network.measure_stability(free, **known),
    }


def _gather_relations(study: Study, actors: pd.DataFrame) -> pd.DataFrame:
    """Relations recorded here, and those that come in from elsewhere across the border.

    A relation inside another territory stays there, although one of its ends may be an
    organisation that is listed here as well.
    """
    relations, everyone = study.tables["relations"], study.tables["actors"]
    ends, listed = relations[["territory_id", "target_id"]], everyone[["territory_id", "actor_id"]]
    mine = relations["territory_id"].isin(actors["territory_id"])
    incoming = relations["target_id"].isin(actors["actor_id"]) & ~find_listed(ends, listed)
    incoming &= ~relations["source_id"].isin(actors["actor_id"])
    return relations[mine | incoming]


def _run_partners(
    study: Study, here: Tables, tables: Tables, drawn: Draws, minimum_coverage: float
) -> Found:
    """Suggest partners, groups and introductions, find what lacks, and weigh positions."""
    means, draws = tables["averages"].pivot_table("mean", "actor_id", "criterion"), drawn.array
    answers = partners.gather_answers(
        means.reindex(index=drawn.actors, columns=drawn.criteria), draws[:PARTNER_DRAWS],
        ratings=here["ratings"], raters=here["raters"], positions=here["positions"],
        criteria=study.codebook.criteria,
    )  # fmt: skip
    actors, challenges = tables["actors"], here["challenges"]
    given: dict[str, Any] = {"actors": actors, "challenges": challenges}
    given |= {"constraints": here["constraints"], "kinds": study.codebook.kinds}
    suggested = partners.suggest_partners(answers, minimum_coverage=minimum_coverage, **given)
    groups = partners.suggest_groups(answers, suggested, **given)
    kinds, matrix = tables["kinds"], tables["mixing_matrix"]
    free = tables["ties"].query("scope == 'inside' and structure == 'free'")
    gaps = kinds.loc[(kinds["origin"] == "guide") & (kinds["n"] == 0), ["kind"]]
    elsewhere = _list_elsewhere(study, actors)
    positions = here["positions"].groupby(["challenge_id", "actor_id"], sort=False)["value"]
    return _run_alliances(here, answers, len(draws[:PARTNER_DRAWS])) | groups | {
        "challenges": challenges.drop(columns="territory_id"),
        "positions": positions.agg(mean="mean", n_raters="count").reset_index(),
        "constraints": here["constraints"],
        "actions": here["actions"].drop(columns="territory_id"),
        "partners": suggested,
        "introductions": partners.suggest_introductions(
            free, actors=actors, known=here["relations"], answers=answers, challenges=challenges
        ),
        "gaps": gaps,
        "elsewhere": elsewhere[["actor_id", "name", "kind"]],
        "shortfalls": partners.find_shortfalls(
            gaps, helices=tables["helices"], needs=groups["needs"].query("challenge_id != ''"),
            mixing=matrix if len(free) else matrix[:0], elsewhere=elsewhere,
        ),
    }  # fmt: skip


def _run_alliances(here: Tables, answers: partners.Answers, n: int) -> Found:
    """Weigh salience, power and interest over draws, and influences over n draws of their own.

    Where too many have influences for MACTOR, each has its row, with nothing measured.
    """
    concerns = [f"concern:{code}" for code in here["challenges"]["challenge_id"]]
    means, draws = answers.take(["power", "legitimacy", "urgency", *concerns])
    values, ids = draws if len(draws) else means[None], answers.means.index
    known = np.isfinite(values[..., 3:]).sum(axis=2)
    interest = np.nansum(values[..., 3:], axis=2) / np.where(known > 0, known, np.nan)
    grid = np.stack([values[..., 0], interest], axis=2)
    centre = pd.DataFrame(grid.mean(axis=0), ids, ["power", "interest"])
    influences = here["influences"]
    named = pd.unique(influences[["source_id", "target_id"]].to_numpy().ravel())
    few = len(named) <= alliances.MOST_ACTORS
    mactor = alliances.analyse_mactor(
        influences if few else influences[:0], here["positions"], draws=n, seed=SEED
    )
    weighed = mactor.actors.set_index("actor_id").reindex(named).rename_axis("actor_id")
    return {
        "salience": alliances.measure_salience(values[..., :3], actors=ids),
        "grid": alliances.measure_grid(grid, actors=ids).join(centre, "actor_id"),
        "mactor": weighed.reset_index().assign(pairs_known=mactor.coverage[0]),
        "mactor_challenges": mactor.challenges,
    }


def _list_elsewhere(study: Study, here: pd.DataFrame) -> pd.DataFrame:
    """List the national and international actors of the study's other territories.

    Their means are of what others than themselves say, who have one voice in each territory.
    """
    everyone = study.tables["actors"]
    wide = everyone["reach"].isin(["national", "international"])
    others = everyone[wide & ~everyone["actor_id"].isin(here["actor_id"])]
    others = others.drop_duplicates("actor_id").reset_index(drop=True)
    found = typology.classify_actors(others, codebook=study.codebook)[["kind", "helix"]]
    rated = study.tables["ratings"]
    rated = rated[rated["actor_id"].isin(others["actor_id"])]
    rated, raters = (
        table.assign(rater_id=table["territory_id"] + ":" + table["rater_id"])
        for table in (rated, study.tables["raters"])
    )
    averages = scoring.average_ratings(rated, raters=raters, criteria=study.codebook.criteria)
    means = averages.pivot_table("mean", "actor_id", "criterion")
    scales = study.codebook.criteria.loc[means.columns]
    shares = (means - scales["scale_min"]) / (scales["scale_max"] - scales["scale_min"])
    return others[["actor_id", "name"]].join(found).join(shares, on="actor_id")


def _join_measures(tables: Tables) -> pd.DataFrame:
    """Add degree, readiness and its coverage to the register (missing where nothing was asked)."""
    register, scores = tables["actors"], tables["scores"]
    ready = scores[scores["dimension"] == "readiness"].set_index("actor_id")
    degree = tables["actor_network"].set_index("actor_id")["degree"].astype(float)
    known = degree if len(tables["ties"]) else degree * math.nan
    measures = {"degree": known, "readiness": ready["score"], "coverage": ready["coverage"]}
    return register.assign(**{name: register["actor_id"].map(m) for name, m in measures.items()})


def _count_sources(register: pd.DataFrame, descriptor: Descriptor) -> pd.DataFrame:
    names = split_parts(register["provenance"]).str.split(":").str[0]
    counts = names.str.strip().groupby(level=0).unique().explode().value_counts()
    said = ["title", "licence", "credit", "accessed_on"]
    sources = pd.DataFrame(descriptor.sources, columns=["name", *said])
    n_actors = sources["name"].map(counts).fillna(0).astype(int)
    return sources.rename(columns={"name": "source"}).assign(n_actors=n_actors)


def _list_questions(tables: Tables) -> pd.DataFrame:
    """Say what is still to be collected: `code`, and `n` actors or kinds that it is open of."""
    actors = tables["actors"]
    sought = {"ratings": "averages", "relations": "ties", "challenges": "challenges"}
    sought |= {"positions": "positions", "actions": "actions"}
    rows = [(f"no_{name}", math.nan) for name, table in sought.items() if tables[table].empty]
    for code, column in (("no_roles", "roles"), ("no_coordinates", "latitude")):
        rows += [(code, math.nan)] if actors[column].isna().all() else []
    counts = {"unclassified": (actors["kind"] == UNCLASSIFIED).sum()}
    counts |= {"missing_kind": len(tables["gaps"])}
    rows += [(code, n) for code, n in counts.items() if n]
    return pd.DataFrame(rows, columns=["code", "n"])


def _summarise(tables: Tables, study: Study, territory_id: str) -> pd.DataFrame:
    """Count what there is: raters and ratings are of other organisations, ties are pairs."""
    actors, kinds, voices = tables["actors"], tables["kinds"], tables["rater_answers"]
    beyond = tables["ties"].query("scope == 'beyond'")
    ends = pd.DataFrame({"actor_id": beyond[["source_id", "target_id"]].melt()["value"].unique()})
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
        "n_raters": int((voices["n_ratings"] > voices["n_self"]).sum()),
        "n_rated_actors": len(tables["disagreement"]),
        "n_linked_territories": int(panel["n_linked_territories"].sum()),
        "n_ties": int(tables["network"].query("structure == 'all'")["n_ties"].sum()),
        "n_ties_beyond": len(ties.combine_ties(beyond, actors=ends)),
        "n_challenges": len(tables["challenges"]),
    }
    return pd.DataFrame({"measure": list(values), "value": [float(v) for v in values.values()]})
