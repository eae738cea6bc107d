"""Every refusal and every warning: the good study is broken in one place, and the place is found.

Rows are counted by hand as a spreadsheet shows them, the header being row 1.
"""
# ruff: noqa: E501 (one case a line reads better than one word a line)

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from conftest import GOOD_STUDY, write_folder

from ecoanalysis.study import FAULT_COLUMNS, check_study, describe_faults
from ecoanalysis.study.faults import make_faults, read_messages
from ecoanalysis.wording import use_language

ALL = ""  # in place of a text: the whole file
ACTORS, TERRITORIES, RELATIONS = "actors.csv", "territories.csv", "relations.csv"
RATINGS, YAML = "ratings.csv", "datapackage.yaml"
MAIRIE = GOOD_STUDY[ACTORS].splitlines()[1]
TIE = "kabara,mairie,fablab,funds,2,existing,visit:12,2024-03-16\n"

# name: file, text, what stands there instead, code, row, field, found, suggestion
BROKEN: dict[str, tuple[str, str, str, str, int | None, str, str, str]] = {
    # codes
    "kind": (ACTORS, ",university,", ",universty,", "unknown_code", 5, "kind", "universty", "university"),
    "kind by its label": (
        ACTORS, ",university,higher_education,", ",Université,,",
        "unknown_code", 5, "kind", "Université", "university",
    ),
    "subkind": (ACTORS, ",bank,", ",banc,", "unknown_code", 3, "subkind", "banc", "bank"),
    "subkind of another kind": (
        ACTORS, ",bank,", ",fab_lab,", "subkind_of_another_kind", 3, "subkind", "fab_lab", "",
    ),
    "one role of two": (
        ACTORS, "client;funder", "client;funders", "unknown_code", 2, "roles", "funders", "funder",
    ),
    "reach": (ACTORS, "researcher,national", "researcher,nationale", "unknown_code", 5, "reach", "nationale", "national"),
    "yes in French": (ACTORS, "crédit,yes", "crédit,Oui", "unknown_code", 3, "publish", "Oui", "yes"),
    "country by its name": (
        TERRITORIES, "Kabara,ML", "Kabara,Sénégal", "unknown_code", 2, "country_code", "Sénégal", "SN",
    ),
    "relation kind": (
        RELATIONS, "banque,femmes,supports", "banque,femmes,support",
        "unknown_code", 4, "kind", "support", "supports",
    ),
    "relation status": (RELATIONS, "desired", "wished", "unknown_code", 6, "status", "wished", ""),
    "criterion": (RATINGS, "r1,appetite", "r1,apetite", "unknown_code", 4, "criterion", "apetite", "appetite"),
    "answer in words": (RATINGS, "dont_know", "don't know", "unknown_code", 4, "value", "don't know", "dont_know"),
    "answer that only begins like one": (RATINGS, "dont_know", "dont_knows", "unknown_code", 4, "value", "dont_knows", "dont_know"),
    "lever that is none": ("actions.csv", "lever_pilot", "familiarity", "unknown_code", 2, "lever", "familiarity", ""),
    "helix": ("kinds.csv", ",civil,", ",civic,", "unknown_code", 2, "helix", "civic", "civil"),
    "setting": (YAML, "census: no", "census: non", "unknown_code", None, "ecosystem.census", "non", "no"),
    "name of a setting": (
        YAML, "date_window:", "date_windows:",
        "unknown_setting", None, "ecosystem.date_windows", "2024-01-01/2024-12-31", "date_window",
    ),
    "comparable region nowhere": (
        YAML, "date_window:", "comparable_regions: [Centr]\n  date_window:",
        "dangling_reference", None, "ecosystem.comparable_regions", "Centr", "Centre",
    ),
    # blanks
    "blank name": (ACTORS, "Banque du Fleuve", "", "blank_value", 3, "name", "", ""),
    "name of a no-break space": (ACTORS, "Banque du Fleuve", "\u00a0\u200b", "blank_value", 3, "name", "", ""),
    "blank answer": (RATINGS, "familiarity,4", "familiarity,", "blank_value", 3, "value", "", ""),
    "not with nobody": ("constraints.csv", "not_with,femmes", "not_with,", "blank_value", 3, "other_id", "", ""),
    "not with nobody, and no column": (
        "constraints.csv", ALL, "challenge_id,actor_id,rule\netatcivil,banque,not_with\n",
        "blank_value", 2, "other_id", "", "",
    ),
    "new kind without helix": ("kinds.csv", ",civil,", ",,", "blank_value", 2, "helix", "", ""),
    # keys and references
    "doubled actor": (ACTORS, "kabara,banque,", "kabara,mairie,", "doubled_key", 3, "actor_id", "kabara + mairie", ""),
    "doubled territory": (TERRITORIES, "nioro,Nïoro", "kabara,Nïoro", "doubled_key", 3, "territory_id", "kabara", ""),
    "doubled rating without challenge": (
        RATINGS, "fablab,r2", "fablab,r1",
        "doubled_key", 3, "challenge_id", "kabara + fablab + r1 + familiarity + ", "",
    ),
    "territory nowhere": (ACTORS, "nioro,radio", "niro,radio", "dangling_reference", 8, "territory_id", "niro", "nioro"),
    "territory of a tie nowhere": (
        RELATIONS, "nioro,commune", "niro,commune", "dangling_reference", 6, "territory_id", "niro", "nioro",
    ),
    "source nowhere": (RELATIONS, "kabara,banque", "kabara,banques", "dangling_reference", 4, "source_id", "banques", "banque"),
    "source in another territory": (RELATIONS, "nioro,commune", "kabara,commune", "dangling_reference", 6, "source_id", "commune", ""),
    "target nowhere, by its name": (
        RELATIONS, "fablab,radio", "fablab,Radio Dounia",
        "dangling_reference", 5, "target_id", "Radio Dounia", "radio",
    ),
    "rater nowhere": (RATINGS, "fablab,r2", "fablab,r9", "dangling_reference", 3, "rater_id", "r9", ""),
    "challenge nowhere": (
        "constraints.csv", "etatcivil,mairie", "etat-civil,mairie",
        "dangling_reference", 2, "challenge_id", "etat-civil", "etatcivil",
    ),
    "parent nowhere": (TERRITORIES, "Centre,kabara", "Centre,cabara", "dangling_reference", 3, "parent_id", "cabara", "kabara"),
    "tie to itself": (RELATIONS, "mairie,fablab", "mairie,mairie", "self_relation", 2, "target_id", "mairie", ""),
    "influence on itself": ("influences.csv", "mairie,fablab", "mairie,mairie", "self_relation", 2, "target_id", "mairie", ""),
    # numbers
    "parts without weight": (
        "criteria.csv", ALL, "code,dimension,parent,weight\ntills,interest,interest_profit,0\n",
        "no_weight", 2, "weight", "0", "",
    ),
    "scale without length": ("criteria.csv", ALL, "code,scale_min\nappetite,5\n", "out_of_scale", 2, "scale_max", "5", ""),
    "latitude": (ACTORS, "12.64", "92.64", "out_of_scale", 3, "latitude", "92.64", ""),
    "longitude": (ACTORS, "-8.02", "-188.02", "out_of_scale", 6, "longitude", "-188.02", ""),
    "need": ("challenges.csv", "2,2,2,0,5", "2,2,2,0,6", "out_of_scale", 3, "needs_ideas", "6", ""),
    "rating": (RATINGS, "familiarity,5", "familiarity,7", "out_of_scale", 2, "value", "7", ""),
    "position": ("positions.csv", "r1,-1", "r1,-5", "out_of_scale", 3, "value", "-5", ""),
    "influence": ("influences.csv", "r1,3", "r1,5", "out_of_scale", 2, "value", "5", ""),
    "weight": (RELATIONS, ",0.5,", ",-0.5,", "out_of_scale", 4, "weight", "-0.5", ""),
    "year": (ACTORS, ",1995,", ",19955,", "out_of_scale", 3, "founded", "19955", ""),
    "NaN": (ACTORS, "12.64", "NaN", "not_a_number", 3, "latitude", "NaN", ""),
    "infinite": (RELATIONS, ",0.5,", ",inf,", "not_a_number", 4, "weight", "inf", ""),
    "underscore": (TERRITORIES, "130690", "130_690", "not_a_number", 3, "population", "130_690", ""),
    "foreign digits": (ACTORS, ",1995,", ",١٩٩٥,", "not_a_number", 3, "founded", "١٩٩٥", ""),
    "spaced thousands": (TERRITORIES, "130690", "130 690", "not_a_number", 3, "population", "130 690", "130690"),
    "decimal comma": (ACTORS, "12.64", '"12,64"', "not_a_number", 3, "latitude", "12,64", "12.64"),
    "half a year": (ACTORS, ",1995,", ",1995.5,", "not_a_whole_number", 3, "founded", "1995.5", ""),
    "half coordinates": (ACTORS, "12.64,", ",", "half_coordinates", 3, "latitude", "", ""),
    "half coordinates, and no column": (
        TERRITORIES, ALL, "territory_id,name,country_code,latitude\nkabara,Kabara,ML,12.65\nnioro,N,ML,\n",
        "half_coordinates", 2, "longitude", "", "",
    ),
    # texts
    "NUL": (ACTORS, "Banque du Fleuve", "Banque\0du Fleuve", "control_character", 3, "name", "Banque\0du Fleuve", ""),
    "spreadsheet error": (ACTORS, ",1995,", ",#NUM!,", "spreadsheet_error", 3, "founded", "#NUM!", ""),
    "30 February": (ACTORS, "register:2,2024-03-15", "register:2,2024-02-30", "impossible_date", 3, "observed_on", "2024-02-30", ""),
    "a year for a day": ("actions.csv", "2025-06-30", "2025", "impossible_date", 2, "due_on", "2025", ""),
    "31/06 where days come first": (
        "actions.csv", "2025-06-30", "31/06/2025", "impossible_date", 2, "due_on", "31/06/2025", "",
    ),
    "day or month": ("actions.csv", "2025-06-30", "05/06/2025", "ambiguous_date", 2, "due_on", "05/06/2025", ""),
    "folder": (TERRITORIES, "nioro,", "Nioro du Sahel,N,ML,,,,,\nnioro,", "unfit_id", 3, "territory_id", "Nioro du Sahel", "nioro-du-sahel"),
    "reserved folder": (TERRITORIES, "nioro,", "index,N,ML,,,,,\nnioro,", "unfit_id", 3, "territory_id", "index", "index-1"),
    "device of Windows": (TERRITORIES, "nioro,", "com1,N,ML,,,,,\nnioro,", "unfit_id", 3, "territory_id", "com1", "com1-1"),
    "address without scheme": (
        ACTORS, "https://ecole.example", "ecole.example",
        "not_a_web_address", 5, "website", "ecole.example", "https://ecole.example",
    ),
    "script for an address": (
        ACTORS, "https://ecole.example", "javascript:alert(1)",
        "not_a_web_address", 5, "website", "javascript:alert(1)", "",
    ),
    "licence at no address": (
        YAML, "https://creativecommons.example/by/4.0", "javascript:1",
        "not_a_web_address", None, "licences.path", "javascript:1", "",
    ),
    # rows and columns
    "short row": (RELATIONS, TIE, "kabara,mairie,fablab,funds\n", "ragged_row", 2, "", "4", ""),
    "long row": (RELATIONS, TIE, TIE.replace("funds", "funds,x"), "ragged_row", 2, "", "9", ""),
    "missing column": (
        "positions.csv", ALL, "territory_id,actor_id,challenge_id,value\nkabara,fablab,etatcivil,3\n",
        "missing_column", 1, "rater_id", "", "",
    ),
    "missing code of a local subkind": ("subkinds.csv", "code,", "note,", "missing_column", 1, "code", "", ""),
    "doubled column": (RELATIONS, "weight,", "kind,", "doubled_column", 1, "kind", "2", ""),
    "misspelt column": (ACTORS, "website", "web_site", "misspelt_column", 1, "web_site", "web_site", "website"),
    "misspelt required column": (ACTORS, ",name,", ",Name,", "misspelt_column", 1, "Name", "Name", "name"),
    "column without name": (RELATIONS, ",weight,", ",,", "blank_column_name", 1, "", "E", ""),
    "quote open to the end": (ACTORS, "Union des femmes", '"Union des femmes', "unclosed_quote", 6, "", "", ""),
    "quote closed before the end of the cell": (
        ACTORS, "Union des femmes", '"Union" des femmes', "unclosed_quote", 6, "", "", "",
    ),
    "quote that swallows a row": (
        "positions.csv", "fablab,etatcivil,r1,3\nkabara,banque,", '"fablab,etatcivil,r1,3\nkabara,banque",',
        "unclosed_quote", 2, "", "", "",
    ),
    # files
    "binary": (ACTORS, ALL, "PK\x03\x04\x14\0\x06\0", "binary_file", None, "", "", ""),
    "empty table": (ACTORS, ALL, GOOD_STUDY[ACTORS].splitlines()[0] + "\n", "empty_table", None, "", "actors", ""),
    "YAML": (YAML, "contributors:", "contributors: [", "unreadable_descriptor", 10, "", "", ""),
}  # fmt: skip

SORTS = [*read_messages("refusal"), *read_messages("warning")]

# an identifier that is gone is missed where other tables name it; nothing else may cascade
FOLLOWED = {"doubled actor", "doubled territory", "territory nowhere"}

WARNED: dict[str, tuple[str, str, str, str, int | None, str, str, str]] = {
    "territory without actors": (
        TERRITORIES, "kabara,13.43,-6.26,130690\n", "kabara,13.43,-6.26,130690\nbare,Nu,ML,,,,,\n",
        "territory_without_actors", 4, "territory_id", "bare", "",
    ),
    "points in another country": (TERRITORIES, "Kabara,ML", "Kabara,SN", "points_outside_country", 2, "country_code", "4", "ML"),
    "point at zero": (ACTORS, "12.64,-8.01", "0,0.0", "zero_coordinates", 3, "latitude", "0", ""),
    "doubled tie": (RELATIONS, TIE, TIE + TIE.replace(",2,", ",1,"), "doubled_relation", 3, "target_id", "mairie + fablab + funds + kabara + existing", ""),
    "doubled tie, the other way round": (
        RELATIONS, TIE, TIE + "kabara,ecole,fablab,partners_with,,,,\n",
        "doubled_relation", 4, "target_id", "ecole + fablab + partners_with + kabara + ", "",
    ),
    "e-mail": (ACTORS, ",channels,", ",E-mail,", "contact_column", 1, "E-mail", "", ""),
    "telephone": (ACTORS, ",channels,", ",N° de téléphone,", "contact_column", 1, "N° de téléphone", "", ""),
    "person": (ACTORS, ",channels,", ",nome_do_responsável,", "contact_column", 1, "nome_do_responsável", "", ""),
    "addresses under another name": (
        "subkinds.csv", ALL, "code,note\ngriots,griots@courrier.example\n", "contact_column", 1, "note", "", "",
    ),
    "unused column": (ACTORS, ",channels,", ",Ancienneté,", "unused_column", 1, "Ancienneté", "Ancienneté", ""),
    "unused column that stands for another": (ACTORS, "reach,city", "reach,Ville", "unused_column", 1, "Ville", "Ville", "city"),
    "unused file": ("ratings2.csv", ALL, "a,b\n", "unused_file", None, "", "ratings2", "ratings"),
    "source that is not described": (ACTORS, "register:4", "registre:4", "unknown_source", 5, "provenance", "registre", "register"),
}  # fmt: skip


def break_study(folder: Path, file: str, text: str, instead: str) -> Path:
    good = GOOD_STUDY.get(file, "")
    assert good.count(text) == 1 or text == ALL or file == YAML
    broken = instead if text == ALL else good.replace(text, instead, 1)
    return write_folder(GOOD_STUDY | {file: broken}, folder / "broken")


def check_place(faults: pd.DataFrame, file: str, expected: tuple[str, int | None, str, str]) -> str:
    """Find the one fault at the expected place, and return its suggestion."""
    code, row, field, found = expected
    at_row = faults["row"].isna() if row is None else faults["row"] == row
    here = faults[(faults["file"] == file) & at_row & (faults["field"] == field)]
    assert list(here["code"]) == [code], faults.to_string()
    assert here["found"].iloc[0] == found or code == "unreadable_descriptor"
    return str(here["suggestion"].iloc[0])


@pytest.mark.parametrize("name", BROKEN)
def test_refusal_names_file_row_and_field(name: str, tmp_path: Path) -> None:
    file, text, instead, code, row, field, found, suggestion = BROKEN[name]
    faults = check_study(break_study(tmp_path, file, text, instead))
    refused = faults[faults["severity"] == "refusal"]
    assert check_place(refused, file, (code, row, field, found)) == suggestion
    follows = {"dangling_reference"} if name in FOLLOWED else set()
    assert set(refused["code"]) - (follows - {code}) == {code}, refused.to_string()
    assert len(refused) == 1 or follows, refused.to_string()


@pytest.mark.parametrize("case", WARNED.values(), ids=WARNED)
def test_warning_names_file_row_and_field(
    case: tuple[str, str, str, str, int | None, str, str, str], tmp_path: Path
) -> None:
    file, text, instead, code, row, field, found, suggestion = case
    faults = check_study(break_study(tmp_path, file, text, instead))
    assert check_place(faults, file, (code, row, field, found)) == suggestion
    assert list(faults["severity"]) == ["warning"] * len(faults), faults.to_string()


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        # each the part of the other; of the third, a part of one of them, nothing is amiss
        ("code,parent\ninterest_profit,interest_cause\ninterest_cause,interest_profit\n"
         "interest_democracy,interest_cause\n",
         [("criteria.csv", "part_of_itself", 2, "parent", "interest_cause", ""),
          ("criteria.csv", "part_of_itself", 3, "parent", "interest_profit", "")]),
        # all five of a dimension that is asked about
        ("code,weight\n" + "".join(f"interest_{name},0\n" for name in (
            "profit", "cause", "knowledge", "efficiency", "democracy")),
         [("criteria.csv", "no_weight", row, "weight", "0", "interest_profit; interest_cause; "
           "interest_knowledge; interest_efficiency; interest_democracy") for row in range(2, 7)]),
        # appetite is rated in row 4, and now made up of two others
        ("code,dimension,parent\nwants,readiness,appetite\nplans,readiness,appetite\n",
         [("ratings.csv", "rated_whole", 4, "criterion", "appetite", "wants; plans")]),
        # a whole that counts for nothing is not looked into
        ("code,dimension,parent,weight\ntills,interest,interest_profit,0\ninterest_profit,,,0\n", []),
        ("code,scale_min,scale_max\nfamiliarity,5,9\n", [
            ("ratings.csv", "out_of_scale", 3, "value", "4", "5 … 9")]),
    ],
)  # fmt: skip
def test_criteria_that_do_not_add_up(
    criteria: str, expected: list[tuple[object, ...]], tmp_path: Path
) -> None:
    files = GOOD_STUDY | {"criteria.csv": criteria}
    files["ratings.csv"] = "\n".join(files["ratings.csv"].splitlines()[:5]) + "\n"
    faults = check_study(write_folder(files, tmp_path / "added"))
    columns = ["file", "code", "row", "field", "found", "allowed"]
    assert [tuple(row) for row in faults[columns].to_numpy()] == expected


def test_good_study_has_no_fault(good_study: Path) -> None:
    faults = check_study(good_study)
    assert faults.empty
    assert tuple(faults.columns) == FAULT_COLUMNS


def test_every_sort_of_fault_has_a_case() -> None:
    tried = {case[3] for case in (*BROKEN.values(), *WARNED.values())}
    elsewhere = {"both_kinds", "missing_table", "unreadable_encoding"}
    elsewhere |= {"part_of_itself", "rated_whole"}
    later = {"unclassified_actors", "probable_duplicate"}
    assert tried | elsewhere | later == set(SORTS)


# what a person reads -----------------------------------------------------------------------------


def test_sentences_name_place_finding_and_mend(tmp_path: Path) -> None:
    faults = check_study(break_study(tmp_path, *BROKEN["kind"][:3]))
    (line,) = describe_faults(faults, language=use_language("en"))
    assert line.startswith("actors.csv, row 5, column kind: “universty” is not one of the codes.")
    assert line.endswith("Did you mean “university”?")
    warned = check_study(break_study(tmp_path, *WARNED["point at zero"][:3]))
    (line,) = describe_faults(warned, language=use_language("en"))
    assert line.startswith("Warning: actors.csv, row 3, column latitude: The point is at 0, 0")


@pytest.mark.parametrize("code", SORTS)
@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_sort_has_a_sentence(code: str, language: str) -> None:
    fault = make_faults(code, table="actors", file="study.xlsx", found="50 %\n(x)s", allowed="7")
    (line,) = describe_faults(fault, language=use_language(language))
    assert "actors" in line
    assert "\n" not in line
    assert code not in line


def test_what_was_found_cannot_steer_the_screen() -> None:
    fault = make_faults("unknown_code", file="actors.csv", found="\x1b[31m\nuniv\ty", field="\x07")
    (line,) = describe_faults(fault, language=use_language("en"))
    assert "“�[31m univ y”" in line
    assert line.isprintable()


def test_a_long_sort_is_cut_and_counted() -> None:
    many = make_faults(
        "blank_value", table="actors", file="actors.csv", rows=range(2, 62), field="name"
    )
    one = make_faults("self_relation", table="relations", file="relations.csv", rows=[2], found="a")
    faults = pd.concat([many, one], ignore_index=True)
    lines = describe_faults(faults, language=use_language("en"))
    assert len(lines) == 50 + 1 + 1
    assert lines[50] == "… and 10 more of this sort, 60 in all."
    assert len(describe_faults(faults, language=use_language("en"), limit=3)) == 3 + 1 + 1


def test_warnings_of_later_stages_have_blanks() -> None:
    row = {"severity": "warning", "code": "probable_duplicate", "table": "actors", "found": "a ~ b"}
    faults = pd.DataFrame([row]).reindex(columns=list(FAULT_COLUMNS))
    (line,) = describe_faults(faults, language=use_language("en"))
    assert line == "Warning: actors: Probably the same organisation twice: a ~ b."
