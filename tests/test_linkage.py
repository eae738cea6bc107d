"""Two records are one organisation only where nothing contradicts it."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis.linkage import (
    find_duplicates,
    fold_city,
    fold_id,
    fold_name,
    fold_website,
    match_records,
    merge_duplicates,
)

TEXTS = ["territory_id", "name", "kind", "source_category", "city", "website", "tags", "provenance"]


def frame(*records: dict[str, object]) -> pd.DataFrame:
    table = pd.DataFrame([{"territory_id": "t", **record} for record in records])
    table = table.reindex(columns=[*TEXTS, "latitude", "longitude", "founded"])
    numbers = dict.fromkeys(["latitude", "longitude", "founded"], "float64")
    return table.astype({**dict.fromkeys(TEXTS, "str"), **numbers})


def groups(table: pd.DataFrame) -> list[int]:
    return match_records(table)["group"].tolist()


@pytest.mark.parametrize(
    "spellings",
    [
        ("Ant Inno", "Ant’Inno", "ANT-INNO", "antinno"),
        ("L'Œuvre numérique", "SARL l oeuvre Numerique", "L’ŒUVRE NUMÉRIQUE S.A.R.L."),
        ("PharmaCloud", "PharmaCloud SARL", "PHARMACLOUD (SAS)"),
        ("Straße & Söhne GmbH", "Strasse Sohne"),
        ("Acme Ltd.", "ACME LIMITED", "Acme"),
    ],
)
def test_spellings_of_one_name_fold_alike(spellings: tuple[str, ...]) -> None:
    assert len({fold_name(name) for name in spellings}) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [("A+", "A"), ("SAS", "SA"), ("Radio Sahel 1", "Radio Sahel 2"), ("شركة", "مؤسسة")],
)
def test_different_names_fold_apart(one: str, other: str) -> None:
    assert fold_name(one) != fold_name(other)
    assert fold_name(one)  # a legal form alone is a name


def test_cities_ids_and_domains_fold() -> None:
    assert {fold_city(c) for c in ("Paris", "75012 PARIS", "Paris 12e", "paris cedex 12")} == {
        "paris"
    }
    assert fold_city("St-Ouen") == fold_city("Saint Ouen")
    assert fold_city("Cedex") == ""
    assert fold_id("L’Été à Sèvres – n° 2") == "lete-a-sevres-n-2"
    assert len(fold_id("x" * 80)) == 64
    assert fold_website(pd.Series(["HTTP://www.A.fr/x", "a.fr:80", None])).dropna().tolist() == [
        "a.fr",
        "a.fr",
    ]


# Each pair has one name; the second line says what differs. None: the record does not say.
CONTRADICTIONS = {
    "city": ("Cergy", "Melun"),
    "website": ("http://a.fr", "http://b.fr"),
    "kind": ("ngo", "donor"),
    "source_category": ("x:1", "x:2"),
}


@pytest.mark.parametrize(("field", "values"), CONTRADICTIONS.items())
def test_any_contradiction_keeps_two(field: str, values: tuple[str, str]) -> None:
    name = "Médiathèque Saint-Exupéry"
    assert groups(frame(*({"name": name, field: value} for value in values))) == [0, 1]
    for value in values:  # the same, or silence, does not contradict
        assert groups(frame({"name": name, field: value}, {"name": name, field: value})) == [0, 0]
        assert groups(frame({"name": name, field: value}, {"name": name})) == [0, 0]


def test_one_name_in_two_territories_stays_two() -> None:
    table = frame({"name": "Orange"}, {"name": "Orange", "territory_id": "u"})
    assert groups(table) == [0, 1]


def test_categories_of_two_systems_do_not_contradict() -> None:
    table = frame(
        {"name": "A", "source_category": "x:1;y:2"},
        {"name": "A", "source_category": "z:9"},
        {"name": "B", "source_category": "x:1;y:2"},
        {"name": "B", "source_category": "y:3"},
    )
    assert groups(table) == [0, 0, 2, 3]


def test_categories_stay_with_their_record() -> None:
    """Sorted by code on the way, they must come back to the record that said them."""
    table = frame(
        {"name": "A", "source_category": "x:z"},
        {"name": "B", "source_category": "x:a"},
        {"name": "A", "source_category": "x:z"},
        {"name": "B", "source_category": "x:a"},
    )
    assert groups(table) == [0, 1, 0, 1]


def test_two_sites_of_one_name_stay_two() -> None:
    """One degree of latitude is 111.2 km, so 0.004° are 445 m (one site), 0.005° 556 m (two)."""
    here = {"name": "Rawbank", "latitude": -4.3, "longitude": 15.3}
    assert groups(frame(here, {**here, "latitude": -4.304})) == [0, 0]
    assert groups(frame(here, {**here, "latitude": -4.305})) == [0, 1]


def test_agreement_is_not_passed_on() -> None:
    """A and C lie in two towns; B says no town and could be either, so it stays apart."""
    a, b, c = {"name": "X", "city": "Cergy"}, {"name": "X"}, {"name": "X", "city": "Melun"}
    for order in itertools.permutations([a, b, c, a]):
        matches = match_records(frame(*order))
        undecided = [bool(flag) for flag in matches["undecided"]]
        assert undecided == ["city" not in record for record in order]
        assert matches["group"].nunique() == 3
    # 300 m steps along a street: the middle one is near both ends, which are 600 m apart
    street = [{"name": "Bank", "latitude": 0.0027 * n, "longitude": 1.0} for n in range(3)]
    assert match_records(frame(*street))["undecided"].tolist() == [False, True, False]


def test_settled_actors_are_never_merged_with_each_other() -> None:
    table = frame({"name": "X"}, {"name": "X"}, {"name": "X"})
    settled = pd.Series([True, True, False])
    matches = match_records(table, settled=settled)
    assert matches["group"].tolist() == [0, 1, 2]
    assert matches["undecided"].tolist() == [False, False, True]
    assert groups(table) == [0, 0, 0]


def test_merging_keeps_provenance_unites_lists_and_names_conflicts() -> None:
    table = frame(
        {"name": "Ant Inno", "provenance": "s:1", "tags": "web;B2B", "founded": 2009},
        {"name": "Autre", "provenance": "s:2"},
        {
            "name": "Ant’Inno", "provenance": "s:3", "tags": "b2b;data", "founded": 2010,
            "city": "Montreuil", "latitude": 48.86, "longitude": 2.43,
        },
    )  # fmt: skip
    merged, conflicts = merge_duplicates(table)
    assert merged["name"].tolist() == ["Ant Inno", "Autre"]
    first = merged.iloc[0]
    assert first["provenance"] == "s:1;s:3"
    assert first["tags"] == "web;B2B;data"
    assert first["founded"] == 2009
    assert (first["city"], first["latitude"], first["longitude"]) == ("Montreuil", 48.86, 2.43)
    assert conflicts.to_dict("records") == [
        {"group": 0, "position": 2, "field": "founded", "kept": "2009", "other": "2010"},
        {"group": 0, "position": 2, "field": "name", "kept": "Ant Inno", "other": "Ant’Inno"},
    ]


def test_a_point_comes_from_one_record() -> None:
    table = frame(
        {"name": "X", "latitude": 10.0}, {"name": "X", "latitude": 20.0, "longitude": 5.0}
    )
    merged, _ = merge_duplicates(table)
    assert merged[["latitude", "longitude"]].to_numpy().tolist() == [[20.0, 5.0]]


def test_nothing_is_changed_in_place_and_empty_tables_pass() -> None:
    table = frame({"name": "X", "tags": "a"}, {"name": "X", "tags": "b"}, {"name": None})
    before = table.copy()
    merge_duplicates(table)
    pd.testing.assert_frame_equal(table, before)
    merged, conflicts = merge_duplicates(table.head(0))
    assert merged.empty
    assert conflicts.empty
    assert groups(frame({"name": "???"}, {"name": "!!!"}, {"name": None})) == [0, 1, 2]


RECORDS = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["X", "x.", "Y"])},
        optional={
            "city": st.sampled_from(["Cergy", "CERGY", "Melun"]),
            "website": st.sampled_from(["http://a.fr", "https://www.a.fr/", "http://b.fr"]),
            "kind": st.sampled_from(["ngo", "donor"]),
        },
    ),
    max_size=7,
)


@settings(max_examples=40, deadline=None)
@given(RECORDS, st.randoms())
def test_groups_are_complete_and_do_not_depend_on_order(
    records: list[dict[str, object]], chance: object
) -> None:
    """Against brute force: a pair is together only if it agrees, and no lone pair agrees."""

    def agree(one: dict[str, object], other: dict[str, object]) -> bool:
        folds = {"city": fold_city, "website": lambda url: "a" in str(url), "kind": str}
        same_name = fold_name(str(one["name"])) == fold_name(str(other["name"]))
        both = [field for field in folds if field in one and field in other]
        return same_name and all(folds[f](one[f]) == folds[f](other[f]) for f in both)

    order = list(range(len(records)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    matches = match_records(frame(*records))
    shuffled = match_records(frame(*(records[i] for i in order)))
    for i, j in itertools.combinations(range(len(records)), 2):
        together = matches["group"].iloc[i] == matches["group"].iloc[j]
        assert together == (
            shuffled["group"].iloc[order.index(i)] == shuffled["group"].iloc[order.index(j)]
        )
        free = not (matches["undecided"].iloc[i] or matches["undecided"].iloc[j])
        assert together == (free and agree(records[i], records[j]))


def test_probable_duplicates_are_named_for_a_person() -> None:
    table = frame(
        {"name": "Fab Lab du Nord"},
        {"name": "FabLab Nord"},
        {"name": "Lycée Diderot 1"},
        {"name": "Lycée Diderot 2"},
        {"name": "Fablab Nord", "territory_id": "u"},
        {"name": "Radio Kassaï", "city": "Luebo"},
        {"name": "Radio Kasaï", "city": "Kananga"},
    ).assign(actor_id=list("abcdefg"))
    found = find_duplicates(table)
    # folded "fablabdunord" (12) and "fablabnord" (10): 2 · 10 / 22 = 90.9 %
    assert found[["territory_id", "actor_id", "other_id"]].to_numpy().tolist() == [["t", "a", "b"]]
    assert found["similarity"].iloc[0] == pytest.approx(90.909, abs=1e-3)
    assert find_duplicates(table.head(0)).empty


def test_names_compare_across_blocks() -> None:
    """Blocks of 1,000 names: the pair stands in two of them."""
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    rng = np.random.default_rng(7)
    names = ["".join(rng.choice(letters, 14)) for _ in range(1500)]
    names[3], names[1400] = "Maison des Associations", "Maison des Asociations"
    table = frame(*({"name": name} for name in names))
    found = find_duplicates(table.assign(actor_id=[f"a{i}" for i in range(1500)]))
    assert found[["actor_id", "other_id"]].to_numpy().tolist() == [["a3", "a1400"]]
