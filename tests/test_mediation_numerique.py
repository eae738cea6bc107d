"""The shipped study of digital-inclusion places: three lists, eight départements, memberships."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from ecoanalysis import comparison, pipeline, report
from ecoanalysis.linkage import read_matches
from ecoanalysis.sources import read_mapping
from ecoanalysis.study import Study, check_study, read_study

PATH = Path(__file__).parents[1] / "data" / "mediation-numerique"
# Objects in each published file: places of Gironde, of the six départements of the Hub-LO, of
# Maine-et-Loire.
READ = {"mediation-gironde": 347, "mediation-hub-lo": 426, "mediation-maine-et-loire": 243}
# Counted in the files by the first two digits of the postcode, before anything is united: all 347
# of Gironde, all 243 of Maine-et-Loire.
PLACES = {
    "18-cher": 76,
    "28-eure-et-loir": 52,
    "33-gironde": 347,
    "36-indre": 39,
    "37-indre-et-loire": 74,
    "41-loir-et-cher": 87,
    "45-loiret": 98,
    "49-maine-et-loire": 243,
}
CENTRE = [name for name in PLACES if not name.startswith(("33", "49"))]
NAMED = r":(?:intercommunalite|type-structure|c-etiquettes|epci|ss-cat)-"


@pytest.fixture(scope="module")
def study() -> Study:
    return read_study(PATH)


@pytest.fixture(scope="module")
def records(study: Study) -> pd.DataFrame:
    """One row a record of a list, or an organisation that its cells name."""
    actors = study.tables["actors"]
    split = actors.assign(record=actors["provenance"].str.split(";")).explode("record")
    source = split["record"].str.split(":").str[0]
    return split.assign(source=source, named=split["record"].str.contains(NAMED))


def test_counts_per_departement(records: pd.DataFrame) -> None:
    found = records[~records["named"]]["territory_id"].value_counts()
    assert set(found.index) == set(PLACES)
    for territory_id, n in PLACES.items():
        assert found[territory_id] == pytest.approx(n, rel=0.03)


def test_the_reports_add_up(study: Study, records: pd.DataFrame) -> None:
    report = pd.read_csv(PATH / "import" / "report.csv")
    counts = report.pivot_table("n", ["table", "source"], "outcome", "sum", fill_value=0)
    parts = counts[["kept", "merged", "set_aside"]].astype(int)
    assert parts.loc["actors"].sum(axis=1).to_dict() == READ
    taken = records[~records["named"]]["source"].value_counts().to_dict()
    assert taken == parts.loc["actors", ["kept", "merged"]].sum(axis=1).to_dict()
    assert not records.duplicated(["territory_id", "record"]).any()
    # three persons, three without a name
    assert parts.loc["actors", "set_aside"].tolist() == [2, 1, 3]
    united = read_matches(PATH)["decision"].eq("same").sum()
    kept = parts.loc["actors", "kept"].sum() + parts.loc["organisations", "kept"].sum()
    assert study.tables["actors"]["actor_id"].nunique() == kept - united == 1044


def test_ties_are_memberships(study: Study, records: pd.DataFrame) -> None:
    relations, kinds = study.tables["relations"], study.codebook.relation_kinds
    assert set(relations["kind"]) == {"member_of"}
    assert kinds.loc["member_of", "structure"] == "membership"
    named = records[records["named"]]
    assert set(relations["target_id"]) == set(named["actor_id"])
    here = study.tables["actors"].set_index(["territory_id", "actor_id"]).index
    for end in ("source_id", "target_id"):
        assert pd.MultiIndex.from_frame(relations[["territory_id", end]]).isin(here).all()
    assert not relations.duplicated(["territory_id", "source_id", "target_id"]).any()
    # counted in the files: places whose grouping is Bordeaux Métropole (two pairs are united) or
    # Angers Loire Métropole; labels MSAP of the Hub-LO, alone and beside others
    degree = relations["target_id"].value_counts()
    assert degree["bordeaux-metropole"] == 176 - 2
    assert degree["cu-angers-loire-metropole"] == 53
    assert degree["msap-label"] == 37 + 4 + 1 + 1
    # La Poste is named by two lists: one organisation, in two territories
    post = records[records["record"].str.endswith(":type-structure-laposte")]
    also = records[records["record"].str.endswith(":ss-cat-laposte")]
    assert set(post["actor_id"]) == set(also["actor_id"]) == {"la-poste"}


def test_points(study: Study) -> None:
    pointed = study.tables["actors"].dropna(subset="latitude")
    assert not pointed["territory_id"].eq("49-maine-et-loire").any()  # metres, not degrees
    gironde = pointed[pointed["territory_id"].eq("33-gironde")]
    assert gironde["latitude"].between(44.1, 45.6).all()  # the list calls the latitude X
    assert gironde["longitude"].between(-1.4, 0.4).all()
    centre = pointed[pointed["territory_id"].isin(CENTRE)]
    assert centre["latitude"].between(46.3, 48.95).all()  # the region; none in Provence
    assert centre["longitude"].between(0.0, 3.2).all()
    middle = centre.groupby("territory_id")["latitude"].transform("median")
    assert (centre["latitude"] - middle).abs().max() < 0.7


def test_only_facts_about_organisations(study: Study, records: pd.DataFrame) -> None:
    places = records[~records["named"]]
    for column in ("roles", "publish", "sensitive", "founded"):
        assert study.tables["actors"][column].isna().all()
    assert (
        places[~places["actor_id"].isin(records[records["named"]]["actor_id"])]["kind"].isna().all()
    )
    for name in ("ratings", "raters", "positions"):
        assert study.tables[name].empty
    text = "".join(
        file.read_text("utf-8") for file in PATH.rglob("*") if file.suffix in (".csv", ".yaml")
    )
    assert "@" not in text
    assert not re.search(r"(?i)https?://[^/\s,]*(?:facebook|linkedin|twitter)\.com/\w", text)
    assert not re.search(r"\b0[1-9](?:[ .]\d\d){4}\b", text)  # a French telephone number


def test_places_and_descriptor(study: Study) -> None:
    territories = study.tables["territories"].set_index("territory_id")
    assert set(territories.index) == set(PLACES)
    centre = territories["region"].eq("Centre-Val de Loire")
    assert sorted(territories.index[centre]) == CENTRE
    descriptor = study.descriptor
    assert descriptor.comparable is False
    texts = (descriptor.notice, descriptor.boundary_rule, descriptor.tie_question)
    for text in (*texts, descriptor.comparable_reason):
        assert set(text) == {"fr", "en"}
    assert all("Centre-Val de Loire" in said for said in descriptor.comparable_reason.values())
    sources = {source["name"]: source for source in descriptor.sources}
    assert set(sources) == set(READ)
    for name, source in sources.items():
        assert dict(read_mapping(PATH / "import" / f"{name}.yaml").source) == source
    faults = check_study(PATH)
    assert not faults["severity"].eq("refusal").any()


def test_only_the_region_of_one_list_is_compared(study: Study) -> None:
    assert study.descriptor.comparable_regions == ("Centre-Val de Loire",)
    names = ["18-cher", "36-indre", "33-gironde"]
    results = {name: pipeline.run_territory(study, name).tables for name in names}
    for chosen, allowed in ((names[:2], {"mixes", "diversity", "networks"}), (names, set())):
        compared = comparison.compare_territories(
            {name: results[name] for name in chosen},
            descriptor=study.descriptor,
            territories=study.tables["territories"],
            codebook=study.codebook,
        )
        assert comparison.list_allowed(compared["gate"]) == allowed
        assert compared["mixes"]["share"].notna().any() == bool(allowed)
        for language, said in (("fr", "mais ceux de cette région"), ("en", "but those of this")):
            gate = report.comparison.show_gate(compared, study=study, language=language)
            assert (said in gate.html) == bool(allowed)
            assert "Centre-Val de Loire" in gate.html.split("</table>")[1]
