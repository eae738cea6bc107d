"""The shipped study of the Paris region is the list it says it is, and facts only."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest

from ecoanalysis.linkage import fold_city, match_records
from ecoanalysis.sources import read_mapping
from ecoanalysis.study import Study, check_study, read_study

PATH = Path(__file__).parents[1] / "data" / "ile-de-france"
TEXT = (".csv", ".yaml")
# TechOnMap's public file of 2015 has 2,120 records. Reference counts after merging, made apart from
# this package: placed by postcode, else city, else the majority of the five nearest points.
EXPECTED = {
    "75-paris": 1194,
    "77-seine-et-marne": 50,
    "78-yvelines": 125,
    "91-essonne": 109,
    "92-hauts-de-seine": 445,
    "93-seine-saint-denis": 82,
    "94-val-de-marne": 76,
    "95-val-d-oise": 33,
}


@pytest.fixture(scope="module")
def study() -> Study:
    return read_study(PATH)


@pytest.fixture(scope="module")
def actors(study: Study) -> pd.DataFrame:
    return study.tables["actors"]


def test_counts_per_departement(actors: pd.DataFrame) -> None:
    found = actors["territory_id"].value_counts()
    assert set(found.index) == set(EXPECTED)
    for territory_id, n in EXPECTED.items():
        assert found[territory_id] == pytest.approx(n, rel=0.03)
    assert len(actors) == pytest.approx(2114, rel=0.03)
    assert actors["actor_id"].is_unique


def test_the_report_adds_up(actors: pd.DataFrame) -> None:
    report = pd.read_csv(PATH / "import" / "report.csv")
    counts = report.groupby("outcome")["n"].sum()
    assert counts[["kept", "merged"]].sum() == 2120  # none of the records is set aside
    assert counts["kept"] == len(actors)
    records = actors["provenance"].str.split(";").explode()
    assert records.is_unique
    assert len(records) == 2120
    placed = report[report["outcome"] == "kept"].set_index("reason")["n"].to_dict()
    assert placed == actors["placed"].value_counts().to_dict()
    rows = pd.read_csv(PATH / "import" / "report-rows.csv", dtype="str")
    assert (rows["outcome"] == "merged").sum() == counts["merged"]


def test_what_was_merged_is_one_organisation(actors: pd.DataFrame) -> None:
    """Seven pairs of one address in the list; the file was read for them by eye."""
    pairs = actors.loc[actors["provenance"].str.contains(";"), "actor_id"]
    assert set(pairs) == {
        "ant-inno", "fbourboulon-conseil", "incubaschool", "ip-label", "kernix",
        "my-biodybalance", "pharmacloud",
    }  # fmt: skip
    assert match_records(actors)["group"].is_unique  # and nothing is left to merge


def test_only_facts_about_organisations(study: Study, actors: pd.DataFrame) -> None:
    assert set(actors.columns) == set(study.tables["actors"].columns)
    for column in ("kind", "subkind", "roles", "reach", "publish", "sensitive"):
        assert actors[column].isna().all()  # nobody was rated, asked or guessed at
    for name in ("ratings", "raters", "relations", "positions"):
        assert study.tables[name].empty
    text = "".join(
        file.read_text("utf-8") for file in sorted(PATH.rglob("*")) if file.suffix in TEXT
    )
    assert "@" not in text
    assert not re.search(r"https?://[^/\s,]*(?:facebook|linkedin|twitter|viadeo)\.com/\w", text)


def test_values_are_clean(actors: pd.DataFrame) -> None:
    channels = actors["channels"].dropna().str.split(";").explode()
    assert set(channels) == {"facebook", "google_plus", "linkedin", "twitter", "viadeo"}
    assert actors["website"].dropna().str.match(r"https?://[^\s]+\.[^\s]+$").all()
    assert actors["founded"].dropna().between(1800, 2015).all()
    assert actors["observed_on"].between("2014-01-01", "2015-12-31").all()
    assert actors["source_category"].str.match(r"techonmap:\w").all()
    assert actors["latitude"].between(48.1, 49.3).all()  # the region
    assert actors["longitude"].between(1.4, 3.6).all()
    cities = actors["city"].dropna()
    assert not cities.str.contains(r"\d|[Cc]edex").any()
    assert cities.map(fold_city).nunique() == cities.nunique() < 232


def test_places_and_descriptor(study: Study) -> None:
    territories = study.tables["territories"].set_index("territory_id")
    assert list(territories.index) == list(EXPECTED)
    assert set(territories["country_code"]) == {"FR"}
    assert set(territories["region"]) == {"Île-de-France"}
    middle = study.tables["actors"].groupby("territory_id")["latitude"].median()
    assert (territories["latitude"] - middle).abs().max() < 1e-3
    descriptor = study.descriptor
    assert descriptor.comparable
    assert not descriptor.census
    assert not descriptor.fictional
    assert descriptor.licences[0]["name"] == "ODbL-1.0"
    for text in (descriptor.notice, descriptor.boundary_rule, descriptor.comparable_reason):
        assert set(text) == {"fr", "en"}
    assert descriptor.notice["en"] == (
        "Contains information from TechOnMap, which is made available under the Open Database "
        "License (ODbL) 1.0."
    )
    (source,) = descriptor.sources
    mapping = read_mapping(PATH / "import" / "techonmap-2015.yaml")
    assert dict(mapping.source) == source
    assert check_study(PATH).empty
