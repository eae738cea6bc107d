"""The shipped study of African cities: nothing padded, nothing counted twice, facts only."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ecoanalysis.linkage import fold_name, read_matches
from ecoanalysis.sources import read_mapping
from ecoanalysis.study import Study, check_study, read_study
from ecoanalysis.typology import classify_actors

PATH = Path(__file__).parents[1] / "data" / "african-cities"
# Records in each published file: rows of the CSV files, features of the GeoJSON files.
READ = {
    "techonmap-afrique-2015": 185,
    "african-tech-hubs-2025": 507,
    "universities": 436,
    "ror": 2682,
    "osm-kinshasa-banks": 148,
    "osm-kinshasa-embassies": 67,
    "national-operators": 406,
    "mali-ngos": 124,
}
# Counted in the files apart from this package: TechOnMap and hubs by their field city, universities
# and ROR by the city's name in the name (without doubles), addresses of NGOs that name Bamako; less
# the doubles that are united. Kinshasa: 26 banks and 60 embassies of OpenStreetMap.
LOCATED = {
    "abidjan": 29 + 5 + 2 - 1,
    "abuja": 25 + 4 - 1,
    "accra": 37 + 2 - 2,
    "bamako": 8 + 10 + 4 + 65 - 2,
    "cairo": 24 + 9,
    "dakar": 28 + 12 + 6 - 2,
    "kigali": 24 + 7,
    "kinshasa": 6 + 3 + 5 + 26 + 60,
    "lagos": 51 + 7,
    "nairobi": 37 + 6,
    "tunis": 10 + 18 - 1,
    "yaounde": 18 + 2 + 6,
}


@pytest.fixture(scope="module")
def study() -> Study:
    return read_study(PATH)


@pytest.fixture(scope="module")
def actors(study: Study) -> pd.DataFrame:
    return study.tables["actors"]


@pytest.fixture(scope="module")
def records(actors: pd.DataFrame) -> pd.DataFrame:
    """One row a record of a list, in each territory that it is in."""
    split = actors.assign(record=actors["provenance"].str.split(";")).explode("record")
    return split.assign(source=split["record"].str.split(":").str[0])


def test_every_city_has_its_located_actors(actors: pd.DataFrame) -> None:
    located = actors[actors["placed"].ne("stated")]
    assert located.groupby("territory_id").size().to_dict() == LOCATED
    assert len(LOCATED) >= 11
    assert min(LOCATED.values()) >= 25
    assert not located.duplicated(["territory_id", "name"]).any()
    # every one of them says where it is: city, point, name; or its address named Bamako
    cities = located["territory_id"].map(fold_name)
    named = [city in fold_name(name) for city, name in zip(cities, located["name"], strict=True)]
    untold = located[located["city"].isna() & located["latitude"].isna() & ~np.array(named)]
    assert set(untold["territory_id"]) == {"bamako"}
    assert untold["provenance"].str.fullmatch(r"mali-ngos:[^;:]+").all()


def test_the_reports_add_up(actors: pd.DataFrame, records: pd.DataFrame) -> None:
    report = pd.read_csv(PATH / "import" / "report.csv")
    counts = report.pivot_table("n", "source", "outcome", "sum", fill_value=0)
    parts = counts[["kept", "merged", "set_aside"]]
    assert parts.sum(axis=1).astype(int).to_dict() == READ
    taken = records.drop_duplicates("record")["source"].value_counts().to_dict()
    assert taken == (counts["kept"] + counts["merged"]).astype(int).to_dict()
    assert not records.duplicated(["territory_id", "record"]).any()
    united = read_matches(PATH)["decision"].eq("same").sum()
    assert actors["actor_id"].nunique() == counts["kept"].sum() - united == 720


def test_branches_of_a_bank_are_one_actor(actors: pd.DataFrame, records: pd.DataFrame) -> None:
    banks = records[records["source"].eq("osm-kinshasa-banks")]
    branches = banks.groupby("name").size()
    assert len(banks) == 148 - 7  # five points bear no name, two that of a branch only
    assert len(branches) == 26
    assert branches["Rawbank"] == 31  # 23 with the brand Rawbank, 8 with the name alone
    assert branches["EquityBCDC"] == 19 + 2 + 4 + 2 + 1  # Equity, EquityBCDC, BCDC, ProCredit
    assert banks["latitude"].isna().all()
    # banks that also stand in the list of operators are the same actors
    both = actors["provenance"].str.contains("osm-kinshasa-banks.*national-operators")
    assert set(actors.loc[both, "name"]) == {"Access Bank", "Bank of Africa", "EquityBCDC", "UBA"}


def test_embassies_are_donors(study: Study, actors: pd.DataFrame) -> None:
    embassies = actors[actors["provenance"].str.contains("osm-kinshasa-embassies")]
    kinds = classify_actors(embassies, codebook=study.codebook)
    assert set(kinds["kind"]) == {"donor"}
    assert not embassies["name"].str.contains("(?i)r[eé]siden").any()


def test_national_operators_are_counted_once(actors: pd.DataFrame, records: pd.DataFrame) -> None:
    national = records[records["source"].eq("national-operators")]
    assert set(national["reach"]) == {"national"}
    several = actors[actors["actor_id"].duplicated(keep=False)]
    homes = several.groupby("actor_id")["territory_id"].agg(set)
    assert homes.map(sorted).map(tuple).unique().tolist() == [("abuja", "lagos")]
    # Nigeria: 22 rows, two of them not operational
    assert len(homes) == 20
    assert len(actors) == actors["actor_id"].nunique() + 20


def test_points_are_sites_of_their_city(actors: pd.DataFrame) -> None:
    pointed = actors.dropna(subset="latitude")
    shared = pointed.groupby(["territory_id", "latitude", "longitude"]).size()
    assert shared.max() == 2  # three or more would be the middle of a city
    middle = pointed.groupby("territory_id")[["latitude", "longitude"]].transform("median")
    north = pointed["latitude"] - middle["latitude"]
    east = (pointed["longitude"] - middle["longitude"]) * np.cos(np.radians(middle["latitude"]))
    assert 111.2 * np.hypot(north, east).max() < 40  # kilometres; none in France, Kano or Bukavu


def test_the_list_without_a_licence_can_be_left_out(records: pd.DataFrame) -> None:
    unlicensed = set(records.loc[records["source"].eq("mali-ngos"), "actor_id"])
    others = set(records.loc[records["source"].ne("mali-ngos"), "actor_id"])
    assert len(unlicensed) == 65
    assert not unlicensed & others
    assert "territories" not in (PATH / "import" / "mali-ngos.yaml").read_text("utf-8")


def test_only_facts_about_organisations(study: Study, actors: pd.DataFrame) -> None:
    for column in ("kind", "subkind", "roles", "publish", "sensitive"):
        assert actors[column].isna().all()
    for name in ("ratings", "raters", "relations", "positions"):
        assert study.tables[name].empty
    text = "".join(
        file.read_text("utf-8") for file in PATH.rglob("*") if file.suffix in (".csv", ".yaml")
    )
    assert "@" not in text
    assert not re.search(r"(?i)https?://[^/\s,]*(?:facebook|linkedin|twitter)\.com/\w", text)
    assert not re.search(r"\(\+\d|\+\d{3}[ -]\d", text)


def test_descriptor(study: Study) -> None:
    descriptor = study.descriptor
    assert descriptor.comparable is False
    assert not descriptor.census
    assert descriptor.licences[0]["name"] == "ODbL-1.0"
    for text in (descriptor.notice, descriptor.boundary_rule, descriptor.comparable_reason):
        assert set(text) == {"fr", "en"}
    assert "TechOnMap and OpenStreetMap" in descriptor.notice["en"]
    sources = {source["name"]: source for source in descriptor.sources}
    assert set(sources) == set(READ)
    for name, source in sources.items():
        assert dict(read_mapping(PATH / "import" / f"{name}.yaml").source) == source
    territories = study.tables["territories"].set_index("territory_id")
    assert set(territories.index) == set(LOCATED)
    assert territories.loc[["abuja", "lagos"], "country_code"].eq("NG").all()
    assert set(territories["region"]) == {
        "Afrique centrale", "Afrique de l'Est", "Afrique de l'Ouest", "Afrique du Nord",
    }  # fmt: skip
    assert check_study(PATH).empty
