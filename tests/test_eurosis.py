"""The shipped EuroSiS study holds every actor and link of twelve countries, and counts the rest.

The numbers come from the raw file, eurosis-light.gexf, counted apart from this package: 1,285
elements `<node`, of which 47 have the country "International"; 6,462 elements `<edge`, of which 454
touch one of those 47, 5,280 join two nodes of one country and 728 two nodes of different countries.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ecoanalysis.sources import read_mapping
from ecoanalysis.study import Study, check_study, read_study
from ecoanalysis.ties import select_ties
from ecoanalysis.typology import classify_actors

PATH = Path(__file__).parents[1] / "data" / "eurosis"
# nodes by the attribute `country` in the raw file
COUNTRIES = {
    "armenia": 88, "belgium": 197, "bulgaria": 105, "czech-republic": 33, "estonia": 164,
    "finland": 85, "france": 151, "hungary": 101, "italy": 72, "montenegro": 67, "poland": 138,
    "portugal": 37,
}  # fmt: skip


@pytest.fixture(scope="module")
def study() -> Study:
    return read_study(PATH)


def test_actors_are_those_of_the_list(study: Study) -> None:
    actors = study.tables["actors"]
    assert actors["territory_id"].value_counts().to_dict() == COUNTRIES
    assert len(actors) == 1238
    assert actors["provenance"].is_unique
    assert actors["provenance"].str.fullmatch(r"eurosis:\d+").all()
    assert actors["latitude"].isna().all()


def test_links_are_undirected_and_complete(study: Study) -> None:
    actors, relations = study.tables["actors"], study.tables["relations"]
    home = actors.set_index("actor_id")["territory_id"]
    source, target = relations["source_id"].map(home), relations["target_id"].map(home)
    assert source.eq(relations["territory_id"]).all()
    assert (source.eq(target).sum(), source.ne(target).sum()) == (5280, 728)
    ends = pd.DataFrame([sorted(pair) for pair in relations[["source_id", "target_id"]].to_numpy()])
    assert not ends.duplicated().any()  # one row a link
    here = actors[actors["territory_id"] == "estonia"]
    kinds = study.codebook.relation_kinds
    ties = select_ties(relations, actors=here, relation_kinds=kinds)
    assert not ties["directed"].any()  # the list does not say which site links to which
    beyond = source.eq("estonia") ^ target.eq("estonia")
    assert ties["scope"].value_counts()["beyond"] == beyond.sum()


def test_the_import_adds_up() -> None:
    report = pd.read_csv(PATH / "import" / "report.csv")
    counts = report.groupby(["table", "outcome"])["n"].sum()
    assert counts["actors"][["kept", "set_aside"]].tolist() == [1238, 47]
    assert counts["relations"][["kept", "set_aside"]].tolist() == [5280 + 728, 454]
    assert "merged" not in set(report["outcome"])
    rows = pd.read_csv(PATH / "import" / "report-rows.csv", dtype="str")
    aside = rows[rows["outcome"] == "set_aside"]
    assert aside["table"].value_counts().to_dict() == {"relations": 454, "actors": 47}


def test_the_spellings_of_kinds_are_brought_together(study: Study) -> None:
    """22 spellings in the raw file, of which "International" is set aside."""
    actors = study.tables["actors"]
    categories = actors["source_category"].str.removeprefix("eurosis:")
    assert categories.nunique() == 21
    assert categories.str.casefold().nunique() == 13
    kinds = classify_actors(actors, codebook=study.codebook)["kind"]
    unclassified = categories[kinds == "unclassified"].str.casefold()
    # 42 events and 27 personal websites are no kind of actor
    assert set(unclassified) == {"events/projects", "personal websites"}
    assert len(unclassified) == 42 + 27


def test_no_person_is_named(study: Study) -> None:
    actors = study.tables["actors"]
    own = actors[actors["source_category"].str.casefold() == "eurosis:personal websites"]
    assert own["name"].str.fullmatch(r"Personal websites \d+").all()
    for file in PATH.rglob("*.csv"):
        assert "@" not in file.read_text("utf-8")


def test_the_descriptor_says_what_may_be_compared(study: Study) -> None:
    descriptor = study.descriptor
    assert descriptor.comparable
    assert descriptor.licences[0]["name"] == "notspecified"
    for text in (descriptor.boundary_rule, descriptor.tie_question, descriptor.comparable_reason):
        assert set(text) == {"fr", "en"}
    territories = study.tables["territories"]
    assert set(territories["region"]) == {"Europe"}
    assert sorted(territories["country_code"]) == [
        "AM", "BE", "BG", "CZ", "EE", "FI", "FR", "HU", "IT", "ME", "PL", "PT",
    ]  # fmt: skip
    (source,) = descriptor.sources
    assert dict(read_mapping(PATH / "import" / "eurosis.yaml").source) == source
    assert check_study(PATH).empty
