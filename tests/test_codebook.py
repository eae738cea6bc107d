"""The codebook's tables: complete in both languages, closed in their codes, open to a study."""

from __future__ import annotations

import re

import pandas as pd
import pytest

from ecoanalysis.codebook import TABLES, UNCLASSIFIED, Codebook, read_codebook

# AFD & IDDRI (2018), exercise 3, in the order of the guide
GUIDE_KINDS = [
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
]
EXTENSIONS = [
    "national_authority",
    "state_local_service",
    "donor",
    "investor",
    "intermediary",
    "media",
    "customary_religious",
    "chamber_union",
    "diaspora",
]
CRITERIA = {
    "readiness": ["familiarity", "appetite", "knows_local_issues"],
    "concern": ["concern"],
    "interest": [
        f"interest_{x}" for x in ("profit", "cause", "knowledge", "efficiency", "democracy")
    ],
    "resource": [f"resource_{x}" for x in ("financial", "technical", "human", "data", "ideas")],
    "seeks": [f"seeks_{x}" for x in ("financial", "technical", "human", "data")],
    "lever": [f"lever_{x}" for x in ("visibility", "partnership", "pilot")],
    "salience": ["power", "legitimacy", "urgency"],
}
SYSTEMS = [
    "african-tech-hubs",
    "cabo-verde",
    "eurosis",
    "iati",
    "mali-ngos",
    "mediation-gironde",
    "mediation-hub-lo",
    "mediation-maine-et-loire",
    "national-operators",
    "osm",
    "ror",
    "techonmap",
    "universities",
]


@pytest.fixture(scope="module")
def book() -> Codebook:
    return read_codebook()


def test_the_guide_names_ten_kinds_and_real_lists_nine_more(book: Codebook) -> None:
    origin = book.kinds["origin"]
    assert list(book.kinds.index[origin == "guide"]) == GUIDE_KINDS
    assert list(book.kinds.index[origin == "extension"]) == EXTENSIONS


@pytest.mark.parametrize(
    ("code", "label"),
    [
        ("local_authority", "Collectivités territoriales"),
        ("traditional_private", "Entreprises hors numérique"),
        ("telecom", "Télécoms et accès Internet"),
        ("digital_startup", "Start-up et PME du numérique"),
        ("small_provider", "Petits prestataires (dont informels)"),
        ("social_economy", "Économie sociale et solidaire"),
        ("ngo", "ONG"),
        ("community_organisation", "Organisations communautaires de base"),
        ("citizens", "Habitant·es et usager·es"),
        ("university", "Universités, écoles, recherche"),
        ("donor", "Partenaires techniques et financiers"),
        ("intermediary", "Structures d’accompagnement et lieux"),
    ],
)
def test_french_names_of_the_kinds(book: Codebook, code: str, label: str) -> None:
    assert book.label("kinds", code, "fr") == label


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_complete_in_both_languages(book: Codebook, table: str) -> None:
    entries: pd.DataFrame = getattr(book, table)
    assert entries.index.is_unique
    assert entries.index.str.fullmatch("[a-z][a-z0-9_]{0,63}").all()
    for column in entries.columns[entries.columns.str.endswith(("_fr", "_en"))]:
        text = entries[column]
        assert text.str.strip().ne("").all(), column
        assert (text == text.str.strip()).all(), column
        assert not text.str.contains("  ", regex=False).any(), column
        if column.startswith(("label", "question")):
            assert text.is_unique, column


@pytest.mark.parametrize("table", TABLES)
def test_french_punctuation_never_starts_a_line(book: Codebook, table: str) -> None:
    entries: pd.DataFrame = getattr(book, table)
    for column in entries.columns[entries.columns.str.endswith("_fr")]:
        assert not entries[column].str.contains(r"(?:^|[^\u202f])[?!;]| :", regex=True).any()


def test_questions_are_questions(book: Codebook) -> None:
    assert book.criteria["question_fr"].str.endswith("\u202f?").all()
    assert book.criteria["question_en"].str.endswith("?").all()


def test_codes_of_the_kinds_are_known(book: Codebook) -> None:
    assert list(book.helices.index) == ["public", "private", "knowledge", "civil"]
    assert set(book.kinds["helix"]) == set(book.helices.index)
    assert book.kinds[["user_side", "innovator"]].isin(["yes", "no"]).all(axis=None)
    expected = book.kinds["expected_roles"].str.split(";").explode()
    assert set(expected) - {""} == set(book.roles.index)
    assert (book.kinds["user_side"] == "yes").any()
    assert (book.kinds["innovator"] == "yes").any()


def test_subkinds_belong_to_kinds(book: Codebook) -> None:
    kinds = book.subkinds["kind"].str.split(";").explode()
    assert set(kinds) <= set(book.kinds.index)
    named = {"bank", "industry", "isp", "mobile_operator", "incubator", "fab_lab"}
    uses = {f"digital_use_{x}" for x in ("knowledge", "capacity_building", "participation")}
    assert named | uses | {"digital_use_advocacy"} <= set(book.subkinds.index)


def test_criteria_are_those_of_the_design(book: Codebook) -> None:
    rated = book.criteria[book.criteria["dimension"] != "desk"]
    assert {d: list(g.index) for d, g in rated.groupby("dimension")} == CRITERIA
    assert (rated[["scale_min", "scale_max"]] == [0, 5]).all(axis=None)
    assert book.criteria["direction"].isin([1, -1]).all()
    assert book.criteria["round"].isin([1, 2]).all()
    assert list(rated.index[rated["per_challenge"] == "yes"]) == ["concern"]
    desk = book.criteria[book.criteria["dimension"] == "desk"]
    assert desk.index.str.startswith("desk_").all()


def test_weights_leave_nothing_hidden(book: Codebook) -> None:
    rated = book.criteria[book.criteria["dimension"] != "desk"]
    # readiness is the mean of familiarity and appetite; knowing local issues is shown beside it
    assert list(rated.index[rated["weight"] == 0]) == ["knows_local_issues"]
    assert (rated.groupby("dimension")["weight"].sum() > 0).all()
    assert (book.criteria.loc[book.criteria["dimension"] == "desk", "weight"] == 0).all()


def test_relation_kinds_say_their_structure(book: Codebook) -> None:
    kinds = book.relation_kinds
    assert set(kinds.index) == {
        *("funds", "supplies", "shares_data_with", "partners_with", "member_of"),
        *("hosts", "supports", "regulates", "refers_to", "links_to", "takes_part_in"),
        "linked_with",
    }
    assert set(kinds["structure"]) == {"free", "membership", "two_mode"}
    assert kinds.loc["member_of", "structure"] == "membership"
    assert list(kinds.index[kinds["directed"] == "no"]) == ["partners_with", "linked_with"]


def test_rules_are_well_formed(book: Codebook) -> None:
    rules = book.rules
    assert rules["rule"].is_unique
    assert not rules["rule"].isin(["stated", "conflict"]).any()
    assert set(rules["field"]) <= {"source_category", "name", "tags", "website"}
    assert set(rules["match"]) == {"exact", "regex"}
    assert set(rules["confidence"]) == {"certain", "probable", "possible"}
    assert set(rules["kind"]) <= set(book.kinds.index)
    assert sorted(set(rules["system"]) - {""}) == SYSTEMS
    assert rules.loc[rules["field"] == "source_category", "system"].ne("").all()
    assert not rules.duplicated(["system", "field", "match", "pattern", "kind"]).any()
    for pattern in rules.loc[rules["match"] == "regex", "pattern"]:
        re.compile(pattern)
        # texts are folded before they are searched: a capital or an accent would never match
        assert pattern == pattern.lower()
        assert not re.search("[à-öø-ÿ]", pattern)
        assert not re.compile(pattern).search("")


def test_the_subkind_of_a_rule_belongs_to_its_kind(book: Codebook) -> None:
    finer = book.rules[book.rules["subkind"] != ""]
    kinds = finer["subkind"].map(book.subkinds["kind"])
    assert kinds.notna().all()
    fits = [kind in allowed.split(";") for kind, allowed in zip(finer["kind"], kinds, strict=True)]
    assert finer.loc[[not fit for fit in fits], "rule"].tolist() == []


def test_labels_of_unknown_codes(book: Codebook) -> None:
    assert book.label("kinds", UNCLASSIFIED, "fr") == "Non classé"
    assert book.label("kinds", UNCLASSIFIED, "en") == "Unclassified"
    assert book.label("kinds", "griot", "fr") == "griot"


def test_a_study_adds_and_changes_rows() -> None:
    missing = float("nan")
    own = pd.DataFrame(
        {
            "code": ["ngo", "griot", "griot"],
            "helix": [missing, "private", "civil"],
            "label_fr": ["ONG locales", "Griots", "Griots et griottes"],
            "note": ["kept elsewhere"] * 3,
        }
    )
    criteria = pd.DataFrame(
        {"code": ["appetite", "zeal"], "dimension": [missing, "readiness"], "weight": ["2", ""]}
    )
    before = own.copy()
    book = read_codebook(kinds=own, criteria=criteria)
    assert book.label("kinds", "ngo", "fr") == "ONG locales"
    assert book.label("kinds", "ngo", "en") == "NGOs"
    assert book.kinds.loc["ngo", "helix"] == "civil"
    assert book.kinds.index[-1] == "griot"
    # the last row of a code wins; a missing label is lent by the other language
    assert book.kinds.loc["griot", ["helix", "origin", "label_en"]].tolist() == [
        "civil",
        "extension",
        "Griots et griottes",
    ]
    assert "note" not in book.kinds.columns
    assert book.criteria.loc["appetite", "weight"] == 2
    assert book.criteria.loc["appetite", "question_en"].startswith("How keen")
    new = book.criteria.loc["zeal"]
    assert (new["parent"], new["weight"], new["scale_max"], new["label_fr"]) == (
        "readiness",
        1,
        5,
        "zeal",
    )
    pd.testing.assert_frame_equal(own, before)
    assert "griot" not in read_codebook().kinds.index


def test_nobody_can_spoil_the_codebook_of_others() -> None:
    book = read_codebook()
    book.kinds.loc["ngo", "label_fr"] = "?"
    assert read_codebook().label("kinds", "ngo", "fr") == "ONG"
