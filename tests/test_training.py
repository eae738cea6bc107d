"""The training study holds the facts that its README names, and the stages find those due today.

The README's two tables are read first; every fact is then worked out from the study's own tables
by hand arithmetic (pandas and networkx, none of the package's formulas).
"""

import dataclasses
import functools
import html as html_module
import itertools
import re
from pathlib import Path
from typing import NamedTuple

import networkx as nx
import pandas as pd
import pytest

from ecoanalysis import comparison, pipeline, report
from ecoanalysis.study import check_study, read_study

STUDY = Path(__file__).parents[1] / "data" / "training"
TERRITORIES = ("rive-songe", "val-palabre", "haute-brume")
RESOURCES = ("financial", "technical", "human", "data", "ideas")
SOUGHT = RESOURCES[:4]
GUIDE_KINDS = {
    "local_authority",
    "traditional_private",
    "telecom",
    "digital_startup",
    "small_provider",
    "social_economy",
    "ngo",
    "community_organisation",
    "citizens",
    "university",
}
# What a reader takes a blank kind for, from the first word of the name.
SPOKEN = {
    "Mairie": "local_authority",
    "Commune": "local_authority",
    "Université": "university",
    "Lycée": "university",
    "École": "university",
    "Chambre": "chamber_union",
    "Radio": "media",
    "ONG": "ngo",
    "Incubateur": "intermediary",
    "Coopérative": "social_economy",
}
SIDES = {  # the broker's three sides, by kind
    "authorities and schools": "local_authority national_authority state_local_service donor "
    "university intermediary",
    "firms": "traditional_private telecom digital_startup small_provider investor chamber_union",
    "civil society": "social_economy ngo community_organisation citizens media diaspora "
    "customary_religious",
}
SIDE_OF = {kind: side for side, kinds in SIDES.items() for kind in kinds.split()}
FREE = {"funds", "supplies", "shares_data_with", "partners_with", "supports", "regulates"}
FREE |= {"refers_to", "links_to"}


class Fact(NamedTuple):
    territories: list[str]
    named: list[str]
    status: str


# ------------------------------------------------------------------ the README and the tables


def read_rows(heading):
    """Cells of the table under a heading, without its two head lines."""
    text = (STUDY / "README.md").read_text(encoding="utf-8").split(f"## {heading}\n")[1]
    lines = [line for line in text.split("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def read_codes(cell):
    return re.findall(r"`([^`]+)`", cell)


ROWS = read_rows("Planted facts")
FACTS = {
    read_codes(row[0])[0]: Fact(read_codes(row[1]), read_codes(row[3]), row[4]) for row in ROWS
}
BEST = {read_codes(row[0])[0]: read_codes(row[2]) for row in read_rows("Best-placed contributors")}
EXPECTED_FACTS = {
    "broker",
    "scarce_isolate",
    "kind_not_listed",
    "equal_groups",
    "offer_seek_pair",
    "near_duplicate",
    "uncertain_rank",
    "best_placed",
    "uniform_rater",
    "shared_out_views",
    "unexpected_role",
    "heard_first",
    "unclassified",
    "counted_once",
}


@functools.cache
def load(name):
    return pd.read_csv(STUDY / f"{name}.csv", dtype=str, keep_default_na=False)


def load_in(name, territory_id):
    return keep_territory(load(name), territory_id)


def keep_territory(table, territory_id):
    return table[table["territory_id"] == territory_id]


@functools.cache
def load_kinds():
    """Kind by (territory, actor); blank ones as a reader takes them, "" where nobody could say."""
    actors = load("actors").set_index(["territory_id", "actor_id"])
    spoken = actors["name"].str.split().str[0].map(SPOKEN).fillna("")
    return actors["kind"].where(actors["kind"] != "", spoken).to_dict()


@functools.cache
def load_ratings():
    """Answers in numbers, without don't-knows and without what raters say of their own."""
    ratings = load("ratings").merge(
        load("raters")[["territory_id", "rater_id", "actor_id"]],
        on=["territory_id", "rater_id"],
        suffixes=("", "_own"),
    )
    ratings = ratings[(ratings["value"] != "dont_know")]
    ratings = ratings[ratings["actor_id"] != ratings["actor_id_own"]]
    return ratings.assign(value=ratings["value"].astype(float))


@functools.cache
def average():
    """Mean answer by (territory, actor, criterion, challenge)."""
    keys = ["territory_id", "actor_id", "criterion", "challenge_id"]
    return load_ratings().groupby(keys)["value"].mean().to_dict()


@functools.cache
def build_graph(territory_id):
    """Existing free ties inside the territory, without direction."""
    actors = load_in("actors", territory_id)["actor_id"]
    ties = load_in("relations", territory_id)
    ties = ties[ties["status"].isin(["", "existing"])]
    ties = ties[ties["kind"].isin(FREE) & ties["target_id"].isin(actors)]
    graph = nx.Graph()
    graph.add_nodes_from(actors)
    graph.add_edges_from(zip(ties["source_id"], ties["target_id"], strict=True))
    return graph


def take_mean(known):
    known = [value for value in known if value is not None]
    return sum(known) / len(known) if known else None


def read_positions(territory_id, actor_id, challenge_id):
    here = load_in("positions", territory_id)
    said = here[(here["actor_id"] == actor_id) & (here["challenge_id"] == challenge_id)]
    return said["value"].astype(float).to_list()


def describe_parts(territory_id, actor_id, challenge):
    """Concern, resource match, readiness, lever, each 0-1 or None."""
    means = average()

    def ask(criterion, challenge_id=""):
        return means.get((territory_id, actor_id, criterion, challenge_id))

    said = read_positions(territory_id, actor_id, challenge["challenge_id"])
    concern = ask("concern", challenge["challenge_id"])
    if said:
        concern = (sum(said) / len(said) + 4) / 8
    elif concern is not None:
        concern /= 5
    needs = {name: float(challenge[f"needs_{name}"]) for name in RESOURCES}
    known = {name: ask(f"resource_{name}") for name, need in needs.items() if need}
    known = {name: value for name, value in known.items() if value is not None}
    covered = sum(needs[name] * value / 5 for name, value in known.items())
    match = covered / sum(needs[name] for name in known) if known else None
    ready = take_mean([ask("familiarity"), ask("appetite")])
    levers = [ask(f"lever_{name}") for name in ("visibility", "partnership", "pilot")]
    lever = max((value for value in levers if value is not None), default=None)
    return [concern, match, ready and ready / 5, lever and lever / 5]


@functools.cache
def list_profiles(challenge_id):
    """Parts of every rated actor without a negative position, by actor."""
    challenge = load("challenges").set_index("challenge_id", drop=False).loc[challenge_id]
    territory_id = challenge["territory_id"]
    rules = load("constraints")
    never = (rules["challenge_id"] == challenge_id) & (rules["rule"] == "never")
    barred = set(rules.loc[never, "actor_id"])
    profiles = {}
    for actor_id in load_in("actors", territory_id)["actor_id"]:
        said = read_positions(territory_id, actor_id, challenge_id)
        against = bool(said) and sum(said) < 0
        parts = describe_parts(territory_id, actor_id, challenge)
        if not against and actor_id not in barred and any(parts):
            profiles[actor_id] = parts
    return profiles


# ------------------------------------------------------------------ the lists themselves


def test_every_fact_is_listed_once_with_a_status():
    codes = [read_codes(row[0])[0] for row in ROWS]
    assert len(codes) == len(set(codes))
    assert set(codes) == EXPECTED_FACTS
    assert {fact.status for fact in FACTS.values()} <= {"found", "waiting"}
    assert all(fact.named for fact in FACTS.values())


def test_every_challenge_has_a_right_answer():
    challenges = load("challenges")
    assert set(BEST) == set(challenges["challenge_id"])
    assert challenges["territory_id"].value_counts().to_dict() == dict.fromkeys(TERRITORIES, 3)


def test_study_has_no_fault_and_says_that_it_is_invented():
    faults = check_study(STUDY)
    assert faults.empty, faults.to_string()
    study = read_study(STUDY)
    assert study.descriptor.fictional
    assert "fictive" in study.descriptor.notice["fr"]
    assert "Fictional" in study.descriptor.notice["en"]
    sites = load("actors")["website"]
    assert sites[sites != ""].str.contains(r"^https://[a-z0-9-]+\.example\.org(?:/|$)").all()


def test_sizes_and_panels():
    sizes = load("actors")["territory_id"].value_counts()
    assert sizes.between(30, 45).all()
    assert load("raters")["territory_id"].value_counts().between(6, 9).all()
    shared = load("ratings").groupby("rater_id")["territory_id"].nunique()
    assert shared[["ex-01", "ex-02"]].eq(3).all()
    assert set(load("raters")["role"]) == {"authority", "actor", "user", "expert"}
    assert set(load("raters")["mode"]) == {"interview", "form", "workshop"}
    codebook = read_study(STUDY).codebook
    asked = codebook.criteria.index[codebook.criteria["dimension"] != "desk"]
    for territory_id, ratings in load("ratings").groupby("territory_id"):
        assert set(ratings["criterion"]) == set(asked), territory_id
    assert load("influences").groupby("territory_id")["source_id"].nunique().eq(12).all()


# ------------------------------------------------------------------ each fact, by hand


def test_broker_is_the_only_way_between_the_sides():
    (territory_id,), (broker,) = FACTS["broker"][:2]
    graph = build_graph(territory_id)
    sides = {actor: SIDE_OF.get(load_kinds()[territory_id, actor]) for actor in graph}
    reached = nx.node_connected_component(graph, broker)
    assert {sides[actor] for actor in reached} >= set(SIDES)
    rest = graph.subgraph(set(graph) - {broker})
    for part in nx.connected_components(rest):
        assert len({sides[actor] for actor in part} - {None}) <= 1
    between = nx.betweenness_centrality(graph, normalized=False)
    others = max(value for actor, value in between.items() if actor != broker)
    assert between[broker] > 2 * others


def test_isolate_holds_the_scarce_data():
    (territory_id,), (isolate,) = FACTS["scarce_isolate"][:2]
    graph = build_graph(territory_id)
    assert list(nx.isolates(graph)) == [isolate]
    relations = load("relations")
    assert isolate not in set(relations["source_id"]) | set(relations["target_id"])
    here = keep_territory(load_ratings(), territory_id)
    data = here[here["criterion"] == "resource_data"]
    own = data["actor_id"] == isolate
    assert data.loc[own, "value"].min() >= 4
    assert data.loc[~own, "value"].max() <= 3


def test_one_kind_of_the_guide_is_not_listed():
    (territory_id,), (kind,) = FACTS["kind_not_listed"][:2]
    for place in TERRITORIES:
        listed = {found for (at, _), found in load_kinds().items() if at == place}
        assert GUIDE_KINDS - listed == ({kind} if place == territory_id else set())


def test_exactly_two_pairs_cover_the_needs_and_are_equally_good():
    (territory_id,), (challenge_id, *named) = FACTS["equal_groups"][:2]
    groups = [set(named[:2]), set(named[2:])]
    challenge = load("challenges").set_index("challenge_id").loc[challenge_id]
    needs = [name for name in RESOURCES if float(challenge[f"needs_{name}"])]
    assert needs == ["financial", "technical", "human", "data"]
    actors = sorted({actor for (place, actor, *_) in average() if place == territory_id})
    offers = {
        actor: [average().get((territory_id, actor, f"resource_{name}", ""), 0) for name in needs]
        for actor in actors
    }
    for least in (2.5, 3, 3.5, 4, 4.5):
        covering = [
            {a, b}
            for a, b in itertools.combinations(actors, 2)
            if all(max(pair) >= least for pair in zip(offers[a], offers[b], strict=True))
        ]
        assert sorted(map(sorted, covering)) == sorted(map(sorted, groups))
        assert not any(min(offers[actor]) >= least for actor in actors)
    # What each pair brings: 4.75 for each need by its best, 5.5 by both together.
    for pair in groups:
        rows = [offers[actor] for actor in pair]
        assert [max(column) for column in zip(*rows, strict=True)] == [4.75] * 4
        assert [sum(column) for column in zip(*rows, strict=True)] == [5.5] * 4
    whole = pd.Series(challenge).to_dict() | {"challenge_id": challenge_id}
    parts = [describe_parts(territory_id, actor, whole) for actor in named]
    assert all(own == pytest.approx(parts[0]) for own in parts)
    kinds = [sorted(load_kinds()[territory_id, actor] for actor in pair) for pair in groups]
    assert kinds == [["digital_startup", "ngo"], ["community_organisation", "digital_startup"]]
    assert not set(load("constraints")["actor_id"]) & set(named)


def test_one_untied_pair_where_each_offers_what_the_other_seeks():
    (territory_id,), (one, other, contact) = FACTS["offer_seek_pair"][:2]
    graph, means = build_graph(territory_id), average()
    sides = {actor: SIDE_OF.get(load_kinds()[territory_id, actor]) for actor in graph}
    relations = load_in("relations", territory_id)
    ends = zip(relations["source_id"], relations["target_id"], strict=True)
    tied = {frozenset(pair) for pair in ends}
    fits = {
        (a, b, name)
        for a, b in itertools.permutations(graph, 2)
        for name in SOUGHT
        if frozenset((a, b)) not in tied
        and min(
            means.get((territory_id, a, f"resource_{name}", ""), 0),
            means.get((territory_id, b, f"seeks_{name}", ""), 0),
        )
        >= 4
    }
    assert fits == {(one, other, "technical"), (other, one, "data")}
    assert sides[one] != sides[other]
    assert contact in nx.common_neighbors(graph, one, other)


def test_one_organisation_is_spelt_in_two_ways():
    (territory_id,), pair = FACTS["near_duplicate"][:2]
    actors = load_in("actors", territory_id).set_index("actor_id").loc[pair]
    assert actors["name"].nunique() == 2
    assert len(set(actors["name"].str.casefold().str.findall(r"\w{3,}").str.join(" "))) == 1
    assert len(set(actors["website"].str.extract(r"https://([^/]+)")[0])) == 1
    assert len(set(actors["kind"])) == 1
    assert actors["provenance"].str.split(":").str[0].nunique() == 2


def test_one_rank_rests_on_two_opposed_opinions():
    (territory_id,), (actor_id,) = FACTS["uncertain_rank"][:2]
    here = keep_territory(load_ratings(), territory_id)
    raters = here.groupby("actor_id")["rater_id"].nunique()
    assert raters[actor_id] == 2
    assert raters.drop(actor_id).min() >= 3
    ready = here[here["criterion"].isin(["familiarity", "appetite"])]
    mine = ready[ready["actor_id"] == actor_id].groupby("rater_id")["value"].mean()
    assert sorted(mine) == [1, 5]
    means = ready.groupby(["actor_id", "criterion"])["value"].mean().groupby("actor_id").mean()
    below = int((means < means[actor_id]).sum())
    assert len(means) / 5 < below < 4 * len(means) / 5  # in the crowd, where ranks are close


@pytest.mark.parametrize("challenge_id", BEST)
def test_best_placed_contributors_lead_by_hand(challenge_id):
    best, profiles = BEST[challenge_id], list_profiles(challenge_id)
    mean = {actor: take_mean(parts) for actor, parts in profiles.items()}
    lead = sorted(mean, key=mean.get, reverse=True)
    assert set(lead[: len(best)]) == set(best)
    assert min(mean[actor] for actor in best) - mean[lead[len(best)]] > 0.05
    assert all(None not in profiles[actor] for actor in best)


def test_best_placed_names_every_challenge():
    fact = FACTS["best_placed"]
    assert fact.territories == list(TERRITORIES)
    assert fact.named == list(BEST)


def test_one_rater_answers_nearly_always_the_same():
    (territory_id,), (rater_id,) = FACTS["uniform_rater"][:2]
    answers = load_ratings()
    most = answers.groupby(["territory_id", "rater_id"])["value"].agg(
        lambda given: given.value_counts(normalize=True).iloc[0]
    )
    assert most[territory_id, rater_id] > 0.95
    assert most.drop((territory_id, rater_id)).max() < 0.5
    assert (answers["rater_id"] == rater_id).sum() >= 100


def test_views_on_one_actor_are_shared_out():
    (territory_id,), (actor_id,) = FACTS["shared_out_views"][:2]
    panel = load_in("raters", territory_id)["rater_id"]
    here = keep_territory(load_ratings(), territory_id)
    mine = here[here["actor_id"] == actor_id]
    ready = mine[mine["criterion"].isin(["familiarity", "appetite"])]
    camps = ready.groupby("rater_id")["value"].mean()
    assert set(camps.index) == set(panel)
    assert ((camps <= 1).sum(), (camps >= 4).sum()) == (3, 3)
    several = load_ratings().groupby(["territory_id", "actor_id", "criterion", "challenge_id"])
    spread = several["value"].std()[several["rater_id"].nunique() >= 3]
    by_actor = spread.groupby(["territory_id", "actor_id"]).mean()
    assert by_actor.idxmax() == (territory_id, actor_id)
    assert by_actor.max() > 1.5 * by_actor.drop((territory_id, actor_id)).max()


def test_one_actor_states_a_role_that_its_kind_does_not_suggest():
    (territory_id,), (actor_id, role) = FACTS["unexpected_role"][:2]
    expected = read_study(STUDY).codebook.kinds["expected_roles"].fillna("").str.split(";")
    actors = load("actors")
    surprises = [
        (place, actor, stated)
        for place, actor, roles in zip(
            actors["territory_id"], actors["actor_id"], actors["roles"], strict=True
        )
        for stated in filter(None, roles.split(";"))
        if stated not in expected[load_kinds()[place, actor]]
    ]
    assert surprises == [(territory_id, actor_id, role)]


def test_one_able_actor_is_against():
    (territory_id,), (challenge_id, actor_id) = FACTS["heard_first"][:2]
    challenge = load("challenges").set_index("challenge_id", drop=False).loc[challenge_id]
    said = read_positions(territory_id, actor_id, challenge_id)
    assert max(said) <= -3
    _, match, ready, _ = describe_parts(territory_id, actor_id, challenge)
    assert min(match, ready) >= 0.85
    assert actor_id not in list_profiles(challenge_id)


def test_some_actors_say_too_little_to_be_classified():
    fact = FACTS["unclassified"]
    unknown = [(place, actor) for (place, actor), kind in load_kinds().items() if not kind]
    assert [actor for _, actor in unknown] == fact.named
    assert list(dict.fromkeys(place for place, _ in unknown)) == fact.territories


def test_some_organisations_work_in_several_towns():
    shared = load("actors").groupby("actor_id")["territory_id"].nunique()
    assert set(shared[shared > 1].index) == set(FACTS["counted_once"].named)
    assert load("actors").groupby("actor_id")["name"].nunique().eq(1).all()


# ------------------------------------------------------------------ what the stages find today


@functools.cache
def run(territory_id):
    return run_whole(territory_id).tables


@functools.cache
def run_whole(territory_id):
    return pipeline.run_territory(read_study(STUDY), territory_id)


def find_broker():
    first, second = run("rive-songe")["bridges"].head(2).itertuples(index=False)
    assert first.through > 2 * second.through
    assert first.liaison_p < 0.05
    return [first.actor_id]


def find_scarce_isolate():
    tables = run("haute-brume")
    network = tables["actor_network"]
    data = tables["averages"].query("criterion == 'resource_data' and mean >= 4")
    alone = network.loc[network["isolate"], "actor_id"].to_list()
    assert alone == data["actor_id"].to_list()
    return alone


def find_kind_not_listed():
    gaps = {place: run(place)["gaps"]["kind"].to_list() for place in TERRITORIES}
    assert gaps["rive-songe"] == gaps["haute-brume"] == []
    return gaps["val-palabre"]


def find_near_duplicate():
    faults = pipeline.review_study(STUDY).query("code == 'probable_duplicate'")
    assert len(faults) == 1
    return faults["found"].iloc[0].split(" ~ ")


def find_unexpected_role():
    surprises = [run(place)["actor_roles"] for place in TERRITORIES]
    (row,) = pd.concat(surprises)[["actor_id", "role"]].to_numpy().tolist()
    return row


def find_unclassified():
    actors = pd.concat([run(place)["actors"] for place in TERRITORIES])
    return actors.loc[actors["kind"] == "unclassified", "actor_id"].to_list()


def find_counted_once():
    study = read_study(STUDY)
    results = {place: run(place) for place in TERRITORIES}
    compared = comparison.compare_territories(
        results,
        descriptor=study.descriptor,
        territories=study.tables["territories"],
        codebook=study.codebook,
    )
    everything = compared["totals"].set_index("kind").loc["all"]
    names = load("actors")["actor_id"]
    assert everything["n_entries"] == len(names)
    assert everything["n_organisations"] == names.nunique()
    several = names.value_counts()
    assert everything["n_in_several"] == (several > 1).sum()
    return several[several > 1].index.to_list()


def find_uniform_rater():
    answers = {place: run(place)["rater_answers"] for place in TERRITORIES}
    uniform = {place: t.loc[t["uniform"], "rater_id"].to_list() for place, t in answers.items()}
    assert uniform["val-palabre"] == uniform["haute-brume"] == []
    return uniform["rive-songe"]


def find_shared_out_views():
    views = pd.concat([run(place)["disagreement"] for place in TERRITORIES])
    return views.loc[views["shared_out"].astype(bool), "actor_id"].to_list()


def find_equal_groups():
    tables = run("val-palabre")
    row = tables["coalitions"].set_index("challenge_id").loc["vp-marche"]
    assert (row["seats"], row["n_groups"], row["complete"]) == (2, 2, True)
    groups = tables["coalition_groups"].query("challenge_id == 'vp-marche'")
    pairs = {frozenset(group) for _, group in groups.groupby("group")["actor_id"]}
    named = FACTS["equal_groups"].named[1:]
    assert pairs == {frozenset(named[:2]), frozenset(named[2:])}
    members = tables["coalition_members"].query("challenge_id == 'vp-marche'")
    inclusion = members.set_index("actor_id")["inclusion"]
    assert inclusion[named].between(0.3, 0.7).all()  # neither pair is the better one
    return ["vp-marche", *set().union(*pairs)]


def find_offer_seek_pair():
    introductions = run("val-palabre")["introductions"]
    first = introductions[introductions["list"] == "bridging"].iloc[0]
    assert {first["gives"], first["takes"]} == {"data", "technical"}
    both = introductions[(introductions["gives"] != "") & (introductions["takes"] != "")]
    assert len(both) == 1
    return first[["actor_id", "other_id", "contact_id"]].to_list()


def list_contributors(place, challenge_id):
    suggested = run(place)["partners"].query("list == 'contribute'")
    return suggested[suggested["challenge_id"] == challenge_id]


def find_best_placed():
    for place in TERRITORIES:
        for code in load_in("challenges", place)["challenge_id"]:
            given = list_contributors(place, code)
            assert set(given["actor_id"][: len(BEST[code])]) == set(BEST[code])
            hand = {actor: take_mean(parts) for actor, parts in list_profiles(code).items()}
            found = given.set_index("actor_id")["score"]
            assert found.to_dict() == pytest.approx({actor: hand[actor] for actor in found.index})
    return list(BEST)


def find_heard_first():
    (place,), (code, actor_id) = FACTS["heard_first"][:2]
    heard = run(place)["partners"].query("list == 'hear' and challenge_id == @code")
    against = heard[heard["position"] < 0]
    assert against["reasons"].str.startswith("against").all()
    assert actor_id in set(against["actor_id"])
    assert actor_id not in set(list_contributors(place, code)["actor_id"])
    strongest = against.loc[against["position"].astype(float).idxmin(), "actor_id"]
    return [code, strongest]


def find_uncertain_rank():
    """Whose rank rests on one or two opinions, in the towns where the report says so."""
    few = []
    for place in TERRITORIES:
        mix = run(place)["panel_mix"].query("dimension == 'readiness'")
        n_opinions = mix.groupby("actor_id")["n_raters"].sum()
        few += n_opinions.index[n_opinions <= 2].to_list()
    return few


FINDERS = {
    "broker": find_broker,
    "equal_groups": find_equal_groups,
    "offer_seek_pair": find_offer_seek_pair,
    "best_placed": find_best_placed,
    "heard_first": find_heard_first,
    "uncertain_rank": find_uncertain_rank,
    "uniform_rater": find_uniform_rater,
    "shared_out_views": find_shared_out_views,
    "scarce_isolate": find_scarce_isolate,
    "kind_not_listed": find_kind_not_listed,
    "near_duplicate": find_near_duplicate,
    "unexpected_role": find_unexpected_role,
    "unclassified": find_unclassified,
    "counted_once": find_counted_once,
}


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_pages_say_what_is_planted_about_partners(language):
    names = load("actors").drop_duplicates("actor_id").set_index("actor_id")["name"]

    def show(place, part):
        result = pipeline.run_territory(read_study(STUDY), place)
        html = getattr(report, f"show_{part}")(result, language=language).html
        return html_module.unescape(re.sub(r"\s*<[^>]*>\s*", "|", html))

    page = show("val-palabre", "partners")
    for pair in (FACTS["equal_groups"].named[1:3], FACTS["equal_groups"].named[3:]):
        one, other = names[pair]
        assert f"{one} + {other}" in page or f"{other} + {one}" in page
    assert {"fr": "2 groupes se valent", "en": "2 groups are equally good"}[language] in page
    page = show("val-palabre", "next")
    one, other, contact = names[FACTS["offer_seek_pair"].named]
    assert re.search(rf"({one}\|↔\|{other}|{other}\|↔\|{one})", page)
    reason = {
        "fr": f"Contact commun\N{NO-BREAK SPACE}: {contact}",
        "en": f"Contact in common: {contact}",
    }
    assert reason[language] in page
    kind = read_study(STUDY).codebook.label("kinds", "small_provider", language)
    assert f"|{kind}|" in page
    page = show("rive-songe", "partners")
    heard = {"fr": "À entendre d’abord", "en": "To hear first"}[language]
    assert any(
        names["songenet"] in part.split("(−3")[0] for part in page.split(heard)[1:] if "(−3" in part
    )
    for title in load_in("challenges", "rive-songe")["title"]:
        assert title in page
    sheet = {"fr": "Fiche de réunion à imprimer", "en": "Meeting sheet to print"}[language]
    assert page.count(sheet) == 3
    assert {"fr": "90 % de 100 tirages", "en": "90% of 100 draws"}[language] in page.replace(
        "\N{NO-BREAK SPACE}", " "
    )


def test_what_nobody_offers_and_what_cannot_be_is_said():
    study = read_study(STUDY)
    tables = dict(study.tables)
    ratings = tables["ratings"].copy()
    ratings.loc[ratings["criterion"] == "resource_ideas", "value"] = 1.0  # of 5, for everybody
    rules = [("must", None), ("not_with", "greenlark-analytics")]
    more = pd.DataFrame(
        [("vp-marche", "tam-tam-logiciels", *rule) for rule in rules]
        + [("vp-marche", "greenlark-analytics", "must", None)],
        columns=["challenge_id", "actor_id", "rule", "other_id"],
    )
    tables |= {"ratings": ratings, "constraints": pd.concat([tables["constraints"], more])}
    changed = dataclasses.replace(study, tables=tables)
    result = pipeline.run_territory(changed, "val-palabre", draws=20)
    conflicts = result.tables["coalitions"].set_index("challenge_id")["conflicts"]
    assert conflicts["vp-marche"].split(";") == [
        "must:tam-tam-logiciels", "not_with:tam-tam-logiciels:greenlark-analytics",
        "must:greenlark-analytics",
    ]  # fmt: skip
    lacks = result.tables["shortfalls"].query("what == 'resource'")
    assert set(lacks["subject"]) == {"resource_ideas"}
    assert lacks["most"].tolist() == [0.2, 0.2]  # vp-eau, vp-jeunes
    html = report.show_partners(result, language="en").html
    assert html.count("No group satisfies all conditions") == 1
    assert html.count("Nobody listed offers enough") == 3  # and the local group
    assert "with 1.0 of 5" in html


@pytest.mark.parametrize("n", [20, 21])
def test_too_many_organisations_for_mactor_are_said(n):
    study = read_study(STUDY)
    ids = load_in("actors", "val-palabre")["actor_id"].head(n).tolist()
    ring = pd.DataFrame({"source_id": ids, "target_id": [*ids[1:], ids[0]], "value": 2.0})
    influences = ring.assign(territory_id="val-palabre", rater_id="vp-01")
    changed = dataclasses.replace(study, tables=study.tables | {"influences": influences})
    result = pipeline.run_territory(changed, "val-palabre", draws=20)
    found = result.tables["mactor"]
    assert len(found) == n
    assert found["influence"].isna().all() == (n == 21)
    html = report.show_partners(result, language="en").html
    assert ("Influences between 21 organisations are on record" in html) == (n == 21)
    assert ("Who weighs on whom (MACTOR)" in html) == (n == 20)


def test_who_alone_has_it_and_is_against_is_named_with_the_reason():
    study = read_study(STUDY)
    ratings = study.tables["ratings"].copy()
    ideas = ratings["criterion"] == "resource_ideas"
    ratings.loc[ideas, "value"] = 1.0
    ratings.loc[ideas & (ratings["actor_id"] == "onde-claire-telecom"), "value"] = 5.0
    changed = dataclasses.replace(study, tables=study.tables | {"ratings": ratings})
    result = pipeline.run_territory(changed, "val-palabre", draws=20)
    # Its positions on vp-eau are -2 and -3; vp-jeunes needs ideas as well, and there it is for.
    lacks = result.tables["shortfalls"].query("what == 'resource'")
    columns = ["subject", "challenge_id", "most", "nearest", "hindrance"]
    assert lacks[columns].to_numpy().tolist() == [
        ["resource_ideas", "vp-eau", 1.0, "onde-claire-telecom", "against"]
    ]
    text = re.sub("<[^>]+>", "", report.show_partners(result, language="en").html)
    assert "Nobody listed offers enough" not in text
    name = "The nearest is Onde Claire Télécom, with 5.0 of 5. It is not in the group"
    said = [part.split(".")[0] for part in text.split(name)[1:]]
    reason = "it is against, or leans so, and is to be heard first"
    assert said == [f": {reason}", f", because of one challenge at least: {reason}"]
    assert f"({reason})" in report.show_next(result, language="en").html
    french = html_module.unescape(report.show_next(result, language="fr").html)
    assert not re.findall(r"\w+[:;] .*", french)


def test_exactly_the_facts_marked_found_have_a_finder():
    assert set(FINDERS) == {code for code, fact in FACTS.items() if fact.status == "found"}


@pytest.mark.parametrize("code", FINDERS)
def test_the_package_names_what_is_marked_found(code):
    assert sorted(FINDERS[code]()) == sorted(FACTS[code].named)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_says_who_bridges_and_who_has_no_tie(language):
    html = report.show_ties(run_whole("rive-songe"), language=language).html
    text = " ".join(re.sub("<[^>]+>", "", html).split())
    said = {
        "en": "La Fabrique du Confluent lies on the shortest ways of 53% of the pairs of "
        "others. "
        "Without it, 23 organisations would be cut off.",
        "fr": "La Fabrique du Confluent se trouve sur les plus courts chemins de 53 % "
        "des paires d’autres organisations. Sans elle, 23 organisations seraient coupées des "
        "autres.",
    }
    assert said[language] in text.replace("\u00a0", " ")
    html = report.show_ties(run_whole("haute-brume"), language=language).html
    heading = {"en": "No tie recorded", "fr": "Aucun lien recensé"}[language]
    assert re.findall(rf"<h3>{heading}.*?</ul>", html, re.S)[0].count("<li>") == 1
    assert "Observatoire" in html[html.index(heading) :]


def test_stated_and_blank_kinds_are_read_as_people_read_them():
    for place in TERRITORIES:
        for row in run(place)["actors"].itertuples():
            assert row.kind == (load_kinds()[place, row.actor_id] or "unclassified"), row.name
