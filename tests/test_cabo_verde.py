"""The shipped study of Cabo Verde holds two islands, their start-ups and who supported them.

The numbers come from the raw list, startups.csv, counted apart from this package: 121 filled rows,
86 of them in Santiago, 22 in São Vicente and one in both, so 87 and 23; two of Santiago are entered
twice; 12 rows lie elsewhere; 78 names stand in the column of supporters, of nine programmes.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ecoanalysis.sources import read_mapping
from ecoanalysis.study import Study, check_study, read_study
from ecoanalysis.typology import classify_actors

PATH = Path(__file__).parents[1] / "data" / "cabo-verde"
LISTED = {"santiago": 87, "sao-vicente": 23}


@pytest.fixture(scope="module")
def study() -> Study:
    return read_study(PATH)


def is_programme(actors: pd.DataFrame) -> pd.Series:
    return actors["source_category"].eq("cabo-verde:Powerd by CVD")


def test_listed_actors_per_island(study: Study) -> None:
    actors = study.tables["actors"]
    found = actors.loc[~is_programme(actors), "territory_id"].value_counts()
    assert set(found.index) == set(LISTED)
    for territory_id, n in LISTED.items():
        assert found[territory_id] == pytest.approx(n, rel=0.03)
    assert found.sum() == 87 + 23 - 2


def test_one_start_up_on_two_islands_is_one_organisation(study: Study) -> None:
    both = study.tables["actors"].query("name == 'DevGo'")
    assert both["territory_id"].tolist() == ["santiago", "sao-vicente"]
    assert both["actor_id"].tolist() == ["devgo", "devgo"]


def test_who_supports_whom(study: Study) -> None:
    actors, relations = study.tables["actors"], study.tables["relations"]
    programmes = actors[is_programme(actors)]
    # counted in the raw column; DevGo's two are written in both islands
    assert len(relations) == 78 + 2
    by_name = relations.merge(programmes, left_on=["territory_id", "target_id"],
                              right_on=["territory_id", "actor_id"])  # fmt: skip
    named = by_name["name"].value_counts()
    assert named["GoGlobal"] == 29 + 1
    assert named["BCVD"] == 21
    assert named["Dreams & Demos"] == 15
    assert named["Kode Verde"] == 4 + 1
    assert programmes["actor_id"].nunique() == 9
    assert set(relations["kind"]) == {"takes_part_in"}
    structure = study.codebook.relation_kinds.loc["takes_part_in", "structure"]
    assert structure == "two_mode"
    kinds = classify_actors(programmes, codebook=study.codebook)["kind"]
    assert set(kinds) == {"intermediary"}


def test_the_import_adds_up() -> None:
    report = pd.read_csv(PATH / "import" / "report.csv")
    counts = report.groupby(["table", "outcome"])["n"].sum()
    assert counts["actors"][["kept", "merged", "set_aside"]].tolist() == [107, 2, 12]
    assert counts["relations"].to_dict() == {"kept": 78}
    assert counts["organisations"].to_dict() == {"kept": 9}


def test_facts_only_and_no_person(study: Study) -> None:
    assert check_study(PATH).empty
    for file in PATH.rglob("*.csv"):
        text = file.read_text("utf-8")
        assert "@" not in text
        assert "msha.ke" not in text  # a profile page that names a person
    descriptor = study.descriptor
    assert descriptor.licences[0]["name"] == "PDDL-1.0"
    for text_of in (descriptor.boundary_rule, descriptor.tie_question):
        assert set(text_of) == {"fr", "en"}
    (source,) = descriptor.sources
    assert dict(read_mapping(PATH / "import" / "cabo-verde-startups.yaml").source) == source
