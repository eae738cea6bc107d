"""Two records are one organisation only where nothing contradicts it."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis.errors import StudyError, UsageError
from ecoanalysis.linkage import (
    find_duplicates,
    fold_city,
    fold_id,
    fold_name,
    fold_website,
    match_records,
    propose_matches,
    read_matches,
    replay_matches,
    unite_records,
    write_matches,
)
from ecoanalysis.study import read_study, write_study

TEXTS = ["territory_id", "name", "kind", "source_category", "city", "website", "tags", "provenance"]


def frame(*records: dict[str, object]) -> pd.DataFrame:
    table = pd.DataFrame([{"territory_id": "t", **record} for record in records])
    table = table.reindex(columns=[*TEXTS, "latitude", "longitude", "founded"])
    numbers = dict.fromkeys(["latitude", "longitude", "founded"], "float64")
    return table.astype({**dict.fromkeys(TEXTS, "str"), **numbers})


def merge_duplicates(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return unite_records(table, groups=match_records(table)["group"])


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


# the review of near-duplicates -------------------------------------------------------------------


def study_actors(*records: dict[str, object]) -> pd.DataFrame:
    table = frame(*records)
    return table.assign(actor_id=[f"a{i}" for i in range(len(table))])


def pair_up(*records: dict[str, object]) -> list[list[object]]:
    found = find_duplicates(study_actors(*records))
    return found[["actor_id", "other_id"]].to_numpy().tolist()


def test_pairs_come_with_their_evidence() -> None:
    """0.004° of latitude are 444.8 m; folded names of 12 and 13 letters that share 12: 96 %."""
    site = {"website": "https://www.strate.fr/contact", "latitude": 48.0, "longitude": 2.0}
    found = find_duplicates(
        study_actors(
            {"name": "Strat College", "kind": "ngo", **site},
            {"name": "Strate College", "kind": "university", **site, "latitude": 48.004},
            {"name": "Institut supérieur d'informatique", "website": "https://isi.sn"},
            {"name": "I.S.I."},
            {"name": "Pôle agricole (PAGRI)"},
            {"name": "Pagri SARL"},
        )
    )
    evidence = found.set_index(["actor_id", "other_id"])
    assert set(evidence.index) == {("a0", "a1"), ("a2", "a3"), ("a4", "a5")}
    first = evidence.loc[("a0", "a1")]
    assert (first["name"], first["other_name"]) == ("Strat College", "Strate College")
    assert first["similarity"] == pytest.approx(96, abs=1e-3)
    assert (first["same_domain"], first["distance_m"]) == ("yes", pytest.approx(444.8, abs=0.1))
    assert pd.isna(first["acronym"])
    assert evidence.loc[("a2", "a3"), "acronym"] == "isi"
    assert evidence.loc[("a4", "a5"), "acronym"] == "pagri"
    assert evidence.loc[("a2", "a3"), ["same_domain", "distance_m"]].isna().all()


def test_one_website_outweighs_the_kind_but_not_the_city_nor_a_number() -> None:
    site = {"website": "http://lab.fr"}
    assert pair_up({"name": "Lab", **site}, {"name": "Lab Incubateur", **site}) == [["a0", "a1"]]
    assert not pair_up({"name": "Lab"}, {"name": "Lab Incubateur"})
    assert not pair_up({"name": "Lab", **site}, {"name": "Lab 2", **site})
    assert not pair_up({"name": "Lab", **site}, {"name": "Fonderie", **site})
    towns = (
        {"name": "Lab", "city": "Cergy", **site},
        {"name": "Lab Nord", "city": "Melun", **site},
    )
    assert not pair_up(*towns)
    branches = [{"name": f"Lab {town}", **site} for town in ("", "Nord", "Sud", "Yoff", "Gombe")]
    assert len(pair_up(*branches)) == 4  # the first name is part of each other; five share it
    assert not pair_up(*branches, {"name": "Lab Centre", **site})  # six: the site of a network


def test_a_name_alone_does_not_reach_far() -> None:
    """0.044° of latitude are 4.9 km, 0.046° 5.1 km."""
    here = {"name": "Jokkolab Dakar", "latitude": 14.7, "longitude": -17.4}
    near, far = ({**here, "name": "Jokkolabs Dakar", "latitude": 14.7 + d} for d in (0.044, 0.046))
    assert pair_up(here, near) == [["a0", "a1"]]
    assert not pair_up(here, far)


def decide(folder: Path, decisions: dict[str, str]) -> None:
    """Fill the review file as a French Excel saves it: semicolons, cp1252."""
    table = pd.read_csv(folder / "matches.csv", dtype="str", encoding="utf-8-sig")
    table["decision"] = table["other_id"].map(decisions)
    table["remarque"] = "vérifié"
    table.to_csv(folder / "matches.csv", sep=";", index=False, encoding="cp1252")


def test_decisions_stay_and_new_pairs_are_added(tmp_path: Path) -> None:
    actors = study_actors(
        {"name": "Fab Lab Nord"}, {"name": "FabLab du Nord"}, {"name": "Métis"}, {"name": "Métiss"}
    )
    assert read_matches(tmp_path).empty
    write_matches(propose_matches(actors, matches=read_matches(tmp_path)), tmp_path)
    assert (tmp_path / "matches.csv").read_bytes().startswith(b"\xef\xbb\xbf")  # for Excel
    decide(tmp_path, {"a1": "Different"})
    more = pd.concat([actors, study_actors({"name": "Fab-lab Nord"}).assign(actor_id="a9")])
    more.loc[more["actor_id"] == "a3", "name"] = "Autre chose"
    again = propose_matches(more, matches=read_matches(tmp_path))
    assert again[["actor_id", "other_id", "decision"]].to_numpy().tolist() == [
        ["a0", "a1", "different"],  # and Métis is no longer near anything
        ["a0", "a9", ""],
        ["a1", "a9", ""],
    ]
    assert again["remarque"].tolist() == ["vérifié", "", ""]
    assert again["similarity"].tolist() == ["91", "100", "91"]  # 2 · 10 / 22
    write_matches(again, tmp_path)
    text = (tmp_path / "matches.csv").read_text("utf-8-sig")
    assert text.startswith("territory_id;actor_id;other_id;name;")  # as the person's Excel has it
    pd.testing.assert_frame_equal(read_matches(tmp_path).reset_index(drop=True), again)
    assert propose_matches(more, matches=read_matches(tmp_path))["decision"].eq("").sum() == 2


def test_one_pair_of_organisations_is_proposed_once(tmp_path: Path) -> None:
    names = ({"name": "Orange Money"}, {"name": "OrangeMoney"})
    both = [study_actors(*names).assign(territory_id=place) for place in ("t", "u")]
    proposed = propose_matches(pd.concat(both), matches=read_matches(tmp_path))
    assert proposed[["territory_id", "actor_id", "other_id"]].to_numpy().tolist() == [
        ["t", "a0", "a1"]
    ]


def test_names_are_no_formulas_in_the_review_file(tmp_path: Path) -> None:
    actors = study_actors({"name": "=cmd|'/C calc'!A0;-x"}, {"name": "=cmd|'/C calc'!A0;-x "})
    for _ in range(2):  # what the first run wrote, the second reads and writes again
        proposed = propose_matches(actors, matches=read_matches(tmp_path))
        proposed["decision"] = "different"
        write_matches(proposed.assign(**{"+note": "-"}), tmp_path)
        shown = pd.read_csv(tmp_path / "matches.csv", encoding="utf-8-sig")
        assert shown["name"].tolist() == ["'=cmd|'/C calc'!A0;'-x"]
        assert shown["'+note"].tolist() == ["'-"]


def test_decisions_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "matches.csv").write_text("actor_id,other_id,decision\na,b,same\na,c,diferent\n")
    with pytest.raises(StudyError) as caught:
        read_matches(tmp_path)
    (fault,) = caught.value.faults[["file", "row", "field", "found", "suggestion"]].to_numpy()
    assert list(fault) == ["matches.csv", 3, "decision", "diferent", "different"]
    (tmp_path / "matches.csv").write_text("one,two\na,b\n")
    with pytest.raises(StudyError) as caught:
        read_matches(tmp_path)
    assert caught.value.faults["field"].tolist() == ["actor_id", "other_id", "decision"]
    (tmp_path / "matches.csv").write_bytes(b"PK\x03\x04 a workbook")
    with pytest.raises(StudyError):
        read_matches(tmp_path)


def decided(*pairs: tuple[str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["actor_id", "other_id", "decision"], dtype="str")


def test_the_same_is_united_in_every_table(good_study: Path) -> None:
    """`ecole` becomes `fablab`: two answers to one question, a tie to itself, the rest follows."""
    for name, rows in {
        "actors": "nioro,ecole,École,university,,,,,,,,,,,,,no,yes,register:9,2024-01-01",
        "relations": "nioro,commune,ecole,funds,1,existing,,",
        "ratings": "kabara,ecole,r1,familiarity,1,,,\nkabara,ecole,r2,appetite,2,,,",
        "positions": "kabara,ecole,etatcivil,r2,4\nkabara,ecole,etatcivil,r1,-4",
        "influences": "kabara,ecole,mairie,r1,2\nkabara,fablab,ecole,r1,1",
        "constraints": "etatcivil,femmes,not_with,ecole,",
        "actions": "kabara,a2,ecole,etatcivil,,Une rencontre,,,proposed",
        "raters": "kabara,r3,ecole,university,actor,form",
    }.items():
        file = good_study / f"{name}.csv"
        file.write_text(file.read_text("utf-8") + rows + "\n", encoding="utf-8")
    study = read_study(good_study)
    changed, log = replay_matches(study.tables, matches=decided(("fablab", "ecole", "same")))
    assert set(changed) == {
        "actors", "relations", "ratings", "positions", "influences", "constraints", "actions",
        "raters",
    }  # fmt: skip
    actors = changed["actors"].set_index(["territory_id", "actor_id"])
    assert len(actors) == len(study.tables["actors"]) - 1
    one = actors.loc[("kabara", "fablab")]
    assert one["provenance"] == "register:3;visit:12;register:4"
    assert one["name"] == "Fab-lab Sanankoua"
    assert one["website"] == "https://ecole.example"  # it gave none
    assert (one["publish"], one["roles"]) == ("not asked", "trainer;researcher")
    assert actors.loc[("nioro", "fablab"), ["name", "publish"]].tolist() == ["École", "no"]
    for table in changed.values():
        assert not table.isin(["ecole"]).any(axis=None)
    ends = changed["relations"][["source_id", "target_id"]].to_numpy().tolist()
    assert ["fablab", "fablab"] not in ends
    assert ["commune", "fablab"] in ends
    answers = changed["ratings"].set_index(["actor_id", "rater_id", "criterion"])["value"]
    assert answers["fablab", "r1", "familiarity"] == 5  # its own answer, not the other's 1
    assert answers["fablab", "r2", "appetite"] == 2
    positions = changed["positions"].set_index(["actor_id", "rater_id"])["value"]
    assert positions["fablab", "r1"] == 3
    assert positions["fablab", "r2"] == 4
    gone = log[log["change"] == "removed"][["table", "other"]].to_numpy().tolist()
    assert sorted(gone) == [
        ["influences", "kabara + fablab + fablab + r1"],
        ["positions", "kabara + fablab + etatcivil + r1"],
        ["ratings", "kabara + fablab + r1 + familiarity"],
        ["relations", "fablab + fablab + partners_with"],
    ]
    united = log[log["change"] == "united"].iloc[0]
    assert united[["table", "actor_id", "other_id"]].tolist() == ["actors", "fablab", "ecole"]
    assert united[["kept", "other"]].tolist() == ["Fab-lab Sanankoua", "École d'ingénieurs"]
    left = log[log["change"] == "left_out"].set_index("field")
    assert left.loc["founded", ["kept", "other"]].tolist() == ["2016", "2001"]
    assert left.loc["kind", ["actor_id", "other_id"]].tolist() == ["fablab", "ecole"]
    write_study({**study.tables, **changed}, good_study, descriptor=study.descriptor)
    assert len(read_study(good_study).tables["actors"]) == len(actors)  # and nothing is refused


def test_a_replay_has_nothing_to_do_twice_and_follows_chains() -> None:
    tables = {"actors": study_actors(*({"name": name} for name in "ABCD"))}
    chain = decided(("a3", "a2", "same"), ("a2", "a1", "same"), ("a0", "a3", "different"))
    changed, log = replay_matches(tables, matches=chain)
    assert changed["actors"]["actor_id"].tolist() == ["a0", "a1"]
    assert set(log.loc[log["change"] == "united", "other_id"]) == {"a2", "a3"}
    again, log = replay_matches(changed, matches=chain)
    assert not again
    assert log.empty
    # a2 and a3 are a1 now, which the file remembers
    torn = pd.concat([chain, decided(("a1", "a3", "different"))])
    with pytest.raises(UsageError, match="a1 and a3 different, and also the same"):
        replay_matches(changed, matches=torn)
