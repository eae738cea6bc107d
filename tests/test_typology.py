"""Kinds, roles, themes and desk evidence; expected values are worked out by hand."""

from __future__ import annotations

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecoanalysis.codebook import UNCLASSIFIED, Codebook, read_codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.typology import (
    classify_actors,
    compare_roles,
    measure_desk_evidence,
    tabulate_helices,
    tabulate_kinds,
    tabulate_subkinds,
    tabulate_themes,
)

RULE_COLUMNS = [
    *("rule", "system", "field", "match", "pattern"),
    *("kind", "subkind", "confidence", "priority"),
]
FOUND = ["kind", "subkind", "helix", "rule", "confidence", "evidence"]


def make_actors(*rows: dict[str, object]) -> pd.DataFrame:
    table = pd.DataFrame([{"territory_id": "delta", "actor_id": f"a{i}"} for i in range(len(rows))])
    return table.join(pd.DataFrame(list(rows), index=table.index))


def make_rules(*rows: tuple[object, ...]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=RULE_COLUMNS)


def classify_one(**actor: object) -> pd.Series:
    return classify_actors(make_actors(actor)).iloc[0]


# --- who decides ------------------------------------------------------------------------------


def test_the_persons_kind_wins_over_every_rule() -> None:
    found = classify_one(name="Orange", kind="customary_religious", source_category="iati:10")
    assert found[FOUND].tolist()[:1] == ["customary_religious"]
    assert found["helix"] == "civil"
    assert (found["rule"], found["confidence"]) == ("stated", "certain")
    assert found["evidence"] == "kind=customary_religious"
    assert pd.isna(found["subkind"])


def test_a_stated_subkind_of_one_kind_states_that_kind() -> None:
    found = classify_one(name="Orange", subkind="bank")
    assert found[["kind", "subkind", "rule"]].tolist() == ["traditional_private", "bank", "stated"]
    assert found["evidence"] == "subkind=bank"


def test_a_stated_use_shared_by_kinds_goes_with_the_rule() -> None:
    found = classify_one(name="ONG Espoir", subkind="digital_use_advocacy")
    assert found[["kind", "subkind", "rule"]].tolist() == [
        "ngo",
        "digital_use_advocacy",
        "name_ngo",
    ]


def test_the_lowest_priority_wins() -> None:
    rules = make_rules(
        ("late", "", "name", "regex", "delta", "media", "", "certain", 20),
        ("early", "", "name", "regex", "delta", "ngo", "", "possible", 10),
    )
    found = classify_actors(make_actors({"name": "Delta"}), rules=rules).iloc[0]
    assert found[["kind", "rule", "confidence"]].tolist() == ["ngo", "early", "possible"]
    assert found["evidence"] == "name=Delta"


def test_equal_rules_that_disagree_leave_the_actor_unclassified() -> None:
    rules = make_rules(
        ("press", "", "name", "regex", "delta", "media", "press", "certain", 10),
        ("help", "", "tags", "exact", "aide", "ngo", "", "possible", 10),
        ("later", "", "name", "regex", "delta", "donor", "", "certain", 30),
    )
    actors = make_actors({"name": "Delta", "tags": "Aide;eau"})
    found = classify_actors(actors, rules=rules).iloc[0]
    assert found[["kind", "rule"]].tolist() == [UNCLASSIFIED, "conflict"]
    assert found[["subkind", "helix", "confidence"]].isna().all()
    assert found["evidence"] == "media by press (name=Delta) | ngo by help (tags=Aide)"


def test_equal_rules_that_agree_keep_the_surest() -> None:
    rules = make_rules(
        ("weak", "", "name", "regex", "delta", "ngo", "", "possible", 10),
        ("sure", "", "name", "regex", "^delta", "ngo", "national_ngo", "certain", 10),
    )
    found = classify_actors(make_actors({"name": "Delta"}), rules=rules).iloc[0]
    assert found[["kind", "subkind", "rule"]].tolist() == ["ngo", "national_ngo", "sure"]


def test_a_weaker_rule_of_the_same_kind_adds_the_subkind() -> None:
    place = classify_one(name="X", source_category="techonmap:Tiers-lieu", tags="b2b;Coworking")
    assert place[["kind", "subkind", "rule"]].tolist() == [
        "intermediary",
        "coworking",
        "techonmap_shared_place",
    ]
    assert place["evidence"] == "source_category=techonmap:Tiers-lieu; tags=Coworking"
    # the same tag on a company says nothing of its kind, nor of its subkind
    firm = classify_one(name="X", source_category="techonmap:Entreprise", tags="coworking")
    assert firm["kind"] == "digital_startup"
    assert pd.isna(firm["subkind"])


def test_what_no_rule_matches_is_never_guessed_nor_dropped() -> None:
    actors = make_actors({"name": "Zyzzyva"}, {"name": None}, {"name": "ONG Espoir"})
    found = classify_actors(actors)
    assert found["kind"].tolist() == [UNCLASSIFIED, UNCLASSIFIED, "ngo"]
    nothing = found.loc[:1, ["subkind", "helix", "rule", "confidence", "evidence"]]
    assert nothing.isna().all(axis=None)


# --- what rules look at ------------------------------------------------------------------------


def test_a_category_matches_only_within_its_system() -> None:
    assert classify_one(source_category="iati:10")["kind"] == "national_authority"
    assert classify_one(source_category="ror:10")["kind"] == UNCLASSIFIED
    assert classify_one(source_category="10")["kind"] == UNCLASSIFIED
    several = classify_one(source_category="mediation-hub-lo:EPN; mediation-hub-lo:Mairie")
    assert several[["kind", "rule"]].tolist() == ["local_authority", "mediation_hub_lo_town_hall"]


def test_tags_of_a_system_are_read_only_in_that_system() -> None:
    listed = classify_one(source_category="techonmap:Communauté", tags="syndicat")
    assert listed["kind"] == "chamber_union"
    assert classify_one(source_category="iati:90", tags="syndicat")["kind"] == UNCLASSIFIED


@pytest.mark.parametrize(
    "spelling", ["Universities and secondary schools", " universities  and Secondary SCHOOLS"]
)
def test_spellings_of_a_category_are_one(spelling: str) -> None:
    assert classify_one(source_category=f"eurosis:{spelling}")["kind"] == "university"


def test_a_pattern_that_cannot_be_read_is_named() -> None:
    rules = make_rules(("broken", "", "name", "regex", "(", "ngo", "", "certain", 1))
    with pytest.raises(UsageError, match="broken"):
        classify_actors(make_actors({"name": "x"}), rules=rules)


def test_a_study_kind_is_known_with_its_helix() -> None:
    own = pd.DataFrame({"code": ["griot"], "helix": ["civil"], "label_fr": ["Griots"]})
    found = classify_actors(
        make_actors({"name": "x", "kind": "griot"}), codebook=read_codebook(kinds=own)
    )
    assert found.loc[0, ["kind", "helix"]].tolist() == ["griot", "civil"]


# --- names -------------------------------------------------------------------------------------

NAMES = {
    "telecom": "Orange|ORANGE SA|Orange Mali|Orange Business Services|SFR|Sfr Business Team"
    "|Bouygues Telecom|Free|Free Mobile|MTN Cameroon|Moov Africa|La Poste Mobile|TDF",
    "university": "Université Cheikh-Anta-Diop|L'Université de Bangui|University of Lagos"
    "|Makerere University|Universidade de Cabo Verde|École nationale d'informatique|Ecole Centrale"
    "|Lycée Kléber|CNRS|Institut de recherche pour le développement|Musée des arts|ENS Cachan",
    "local_authority": "Mairie de Pessac|MAIRIE D’ARVEYRES|Mairie du 18e|Commune de Matam"
    "|Ville de Paris|Conseil départemental de la Gironde|Conseil régional|Arusha City Council"
    "|Communauté de communes du Val|Médiathèque Saint-Exupéry|CCAS de Bordeaux|City of Cape Town"
    "|Câmara Municipal da Praia",
    "national_authority": "Ministère de la Santé|Ministry of Health|Ministério da Saúde|ARCEP"
    "|Agence nationale de l'aviation civile|Bank of Ghana|Banque centrale des Comores",
    "state_local_service": "Pôle emploi Cholet|Préfecture du Nord|CAF de la Gironde|La Poste Cars"
    "|France Services Targon|Mission locale du Médoc|South African Police Service",
    "community_organisation": "Association Keoogo|Associação de Moradores|Centre social Équinoxe"
    "|Amicale laïque de Bacalan|Groupement de femmes de Pikine",
    "ngo": "ONG Espoir|Karkara ONG|Médecins sans frontières|Oxfam Fair Trade",
    "social_economy": "Coopérative des maraîchers|Mutuelle de santé|La Ressourcerie|Le Relais SCOP",
    "citizens": "Comité de quartier Nord|Conseil citoyen|OpenStreetMap Niger",
    "donor": "AFD|GIZ Mali|PNUD|Banque mondiale|Ambassade du Japon",
    "chamber_union": "Chambre de commerce et d'industrie|CCI Paris|Chambre des métiers"
    "|Armenian Chamber of Commerce|Syndicat national des éditeurs",
    "traditional_private": "Ecobank|Banque Atlantique|Equity Bank|NSIA Assurances|Air Liquide",
    "intermediary": "Incubateur HEC|Ouaga Fab Lab|Espace public numérique|Chad Innovation Hub"
    "|Prime Coworking",
    "media": "Radio Ndeke Luka|Le Journal du Mali",
    "customary_religious": "Paroisse Saint-Pierre|Chefferie de Bana|Mosquée centrale",
    "small_provider": "Cybercafé du port",
    "diaspora": "Association des ressortissants de Kayes",
    "investor": "Paris Business Angels",
}


def test_names_that_say_a_kind() -> None:
    expected = [(kind, name) for kind, names in NAMES.items() for name in names.split("|")]
    found = classify_actors(make_actors(*({"name": name} for _, name in expected)))
    assert list(zip(found["kind"], [name for _, name in expected], strict=True)) == expected


def test_names_that_only_look_like_a_kind() -> None:
    names = """
        Orangerie du parc|Orange Digital Ventures|Orange Fab France|Orangeraie|Oranges|Freelance.com
        Free Apps 365|Free Time|Sfrench|Bouygues Telecom Initiative|Ville Fluide|Villes Internet
        Commune Image|La Banque Audiovisuelle|Marie Curie|Banque alimentaire|Food Bank|Blood Bank
        KissKissBankBank|Mairiedotcom|École de conduite Martin|École des loisirs|Ecolectif
        University Press|University Teaching Hospital|Friends of the University of Lagos
        Université populaire|Ministre-moi|RadioLine|Journalism++|Teleportd|Associés & Co
        Associations.com|Société générale des travaux|Conseil & Cie|Conseil général de l'économie
        Conseiller numérique|Le Conseil de Paul|CAF Africa|Bibliothèque nationale|Congo|Bongo
        City of Innovation|Cap'Incubateur de rires|Jongo Hub Kin|Mutuellement|Coopératif
        Chambre d'hôtes|Red Cross War Memorial Children's Hospital|Fabulous Labs
        Syndicat d'initiative
    """
    listed = [name.strip() for name in names.replace("\n", "|").split("|") if name.strip()]
    found = classify_actors(make_actors(*({"name": name} for name in listed)))
    assert found.assign(name=listed).dropna(subset="rule")[["name", "rule"]].to_numpy().size == 0


def test_web_addresses_are_the_last_resort() -> None:
    expected = {
        "https://www.sante.gouv.sn/": "national_authority",
        "http://nita.gov.gh": "national_authority",
        "https://www.ug.edu.gh/": "university",
        "http://www.univ-bouira.dz": "university",
        "https://ville-exemple.fr": "local_authority",
        "https://gouvernance.fr/": UNCLASSIFIED,
        "https://example.com/univ-x.fr": UNCLASSIFIED,
        "https://edu-tech.io": UNCLASSIFIED,
        "https://mygov.com": UNCLASSIFIED,
    }
    found = classify_actors(make_actors(*({"name": "x", "website": site} for site in expected)))
    assert dict(zip(expected, found["kind"], strict=True)) == expected
    named = classify_actors(make_actors(*({"name": "ONG x", "website": w} for w in expected)))
    assert (named["kind"] == "ngo").all()


def test_hostile_names_are_only_text() -> None:
    names = [
        *("</script><b>x", "{{ 7*7 }}", "$\\frac{", "=HYPERLINK(1)", "(((((", "[a-z]+", "\\"),
        *("\u202eevil", "\u0000", "a" * 50_000, "université " * 5_000, "| ; :", "é́́"),
    ]
    rows = [{"name": n, "tags": n, "source_category": n, "website": n} for n in names]
    found = classify_actors(make_actors(*rows))
    said = found["kind"] != UNCLASSIFIED
    assert [name[:10] for name, known in zip(names, said, strict=True) if known] == ["université"]


@settings(deadline=None, max_examples=15)
@given(
    st.lists(
        st.tuples(st.text(max_size=30), st.none() | st.text(max_size=30), st.none() | st.text()),
        max_size=5,
    )
)
def test_whatever_the_list_holds_each_actor_has_one_line(
    rows: list[tuple[str, str | None, str | None]],
) -> None:
    actors = pd.DataFrame(rows, columns=["name", "tags", "source_category"], dtype="str")
    actors = actors.assign(territory_id="t", actor_id=[f"a{i}" for i in range(len(rows))])
    before = actors.copy()
    found = classify_actors(actors)
    assert found["actor_id"].tolist() == actors["actor_id"].tolist()
    assert found["kind"].notna().all()
    unknown = found["kind"] == UNCLASSIFIED
    assert (found["helix"].isna() == unknown).all()
    pd.testing.assert_frame_equal(actors, before)


def test_order_and_index_are_those_of_the_actors() -> None:
    actors = make_actors({"name": "ONG A"}, {"name": "?"}, {"name": "SFR"}).set_axis([7, 7, 2])
    found = classify_actors(actors)
    assert found.index.tolist() == [7, 7, 2]
    assert found["kind"].tolist() == ["ngo", UNCLASSIFIED, "telecom"]
    assert found.columns.tolist() == ["territory_id", "actor_id", *FOUND]


def test_no_actors_no_lines() -> None:
    empty = make_actors({"name": "x", "tags": "y"}).head(0)
    found = classify_actors(empty)
    assert found.empty
    assert tabulate_kinds(found, kinds=read_codebook().kinds)["n"].sum() == 0


# --- source systems: every category of the lists is decided, or known not to say a kind --------

SILENT = {
    "eurosis": {"events/projects", "international", "personal websites"},
    "ror": {"archive", "healthcare", "other"},
    "mediation-gironde": {"autre"},
    "mediation-maine-et-loire": {"ehpad"},
    "mediation-hub-lo": {
        "autre",
        "promeneur du net",
        "pdn",
        "ambassadeur referent pdn",
        "referent",
    },
    "iati": {"30", "90"},
}
CATEGORIES = {
    "techonmap": "Entreprise|Tiers-lieu|Incubateur|École|Investisseur|Communauté|Acteur public",
    "african-tech-hubs": "Innovation / Tech Hub|University / Research Hub|Incubator|Accelerator"
    "|Coworking Space|NGO / Foundation|Makerspace / FabLab",
    "eurosis": "Universities and secondary schools|NGO-CSO|Research centers|Media|International"
    "|Science centres and museums|Portal or other independent Websites|Companies|Events/projects"
    "|Policy makers and governmental organizations|Network of organizations|Advisory bodies"
    "|Universities and Secondary schools|Personal websites|Subnational and local actors"
    "|science centres and museums|subnational and local actors|advisory bodies"
    "|Policy makers and Governmental organizations|universities and secondary schools"
    "|personal websites|network of organizations",
    "mediation-gironde": "Collectivité|Association|Autre|Pôle Emploi|La poste|CPAM|MSA|CAF",
    "mediation-hub-lo": "EPN|MSAP|Médiathèque|CoWorking|FabLab|Fablab|Autre|Promeneur du Net|PDN"
    "|Promeneur du net|Club Info|Référent|Mairie|Ambassadeur référent PDN|EPN / PDN|Public"
    "|Associatif|Privé|msap",
    "mediation-maine-et-loire": "Bibliothèque - Médiathèque|Collectivité et services de la "
    "collectivité|Association|Opérateur - Service public|France Services|Centre Social|CCAS"
    "|La Poste|MDS|Centre Social / France Services|Point Information Jeunesse (PIJ)|Mission locale"
    "|Cybercentre|Centre Social / Cybercentre|Centre Social / Cybercentre / France Services"
    "|Espace de vie sociale|EHPAD",
    "ror": "Education|Nonprofit|Government|Healthcare|Other|Facility|Company|Archive",
    "national-operators": "mobile operator|brands/amenity/bank|brands/office/insurance"
    "|brands/shop/telecommunication|brands/amenity/money_transfer|operators/office/government"
    "|brands/office/telecommunication|brands/office/coworking",
    "cabo-verde": "Startup|Early Stage|Growth|Pré-seed|Coworking Space|Incubator|Services",
    "iati": "10|11|15|21|22|23|24|30|40|60|70|71|72|73|80|90",
    "osm": "amenity=bank|amenity=diplomatic|boundary=administrative",
    "universities": "university",
    "mali-ngos": "ngo",
}


def test_categories_of_the_source_lists() -> None:
    codes = [(system, c) for system, listed in CATEGORIES.items() for c in listed.split("|")]
    found = classify_actors(make_actors(*({"source_category": f"{s}:{c}"} for s, c in codes)))
    assert (found["rule"] != "conflict").all()
    unknown: dict[str, set[str]] = {}
    for (system, code), kind in zip(codes, found["kind"], strict=True):
        if kind == UNCLASSIFIED:
            unknown.setdefault(system, set()).add(code.casefold().replace("é", "e"))
    assert unknown == SILENT


def test_a_long_list_is_quick() -> None:
    rules = read_codebook().rules
    own = rules[rules["match"] == "regex"].sample(80, replace=True, random_state=1)
    rules = pd.concat([rules, own.assign(rule=[f"own_{i}" for i in range(80)])], ignore_index=True)
    assert len(rules) >= 300
    names = [name for listed in NAMES.values() for name in listed.split("|")]
    actors = make_actors(
        *(
            {
                "name": f"{names[i % len(names)]} {i}",
                "tags": "b2b;mobile;conseil",
                "source_category": "techonmap:Entreprise",
            }
            for i in range(2_000)
        )
    )
    started = time.process_time()
    classify_actors(actors, rules=rules)
    assert time.process_time() - started < 2


# --- tables ------------------------------------------------------------------------------------


@pytest.fixture
def classified() -> pd.DataFrame:
    # five actors: 2 ngo, 1 telecom, 2 unclassified
    return pd.DataFrame(
        {
            "territory_id": "t",
            "actor_id": list("abcde"),
            "kind": ["ngo", "ngo", "telecom", UNCLASSIFIED, UNCLASSIFIED],
            "subkind": ["national_ngo", np.nan, "isp", np.nan, np.nan],
            "helix": ["civil", "civil", "private", np.nan, np.nan],
        }
    )


@pytest.fixture(scope="module")
def book() -> Codebook:
    return read_codebook()


def test_shares_are_of_the_classified_with_worst_and_best_case(
    classified: pd.DataFrame, book: Codebook
) -> None:
    table = tabulate_kinds(classified, kinds=book.kinds)
    assert table.columns.tolist() == [
        *("kind", "helix", "origin", "n", "share", "share_low", "share_high"),
    ]
    assert table["kind"].tolist() == [*book.kinds.index, UNCLASSIFIED]
    rows = table.set_index("kind")
    shares = ["share", "share_low", "share_high"]
    # ngo: 2 of the 3 classified; 2 of 5 if no unclassified is one, 4 of 5 if both are
    assert rows.loc["ngo", shares].tolist() == pytest.approx([2 / 3, 2 / 5, 4 / 5])
    assert rows.loc["telecom", shares].tolist() == pytest.approx([1 / 3, 1 / 5, 3 / 5])
    # none listed: nobody for sure, two of five at most
    assert rows.loc["media", shares].tolist() == pytest.approx([0, 0, 2 / 5])
    assert rows.loc[UNCLASSIFIED, "n"] == 2
    assert rows.loc[UNCLASSIFIED, ["helix", "origin", *shares]].isna().all()
    assert rows["n"].sum() == len(classified)


def test_a_kind_that_the_codebook_does_not_know_is_still_counted(
    classified: pd.DataFrame, book: Codebook
) -> None:
    table = tabulate_kinds(classified.replace({"kind": {"telecom": "griot"}}), kinds=book.kinds)
    assert table["n"].sum() == 5
    assert table.set_index("kind").loc["griot", "n"] == 1


def test_nobody_classified_no_shares(book: Codebook) -> None:
    unknown = pd.DataFrame({"kind": [UNCLASSIFIED]})
    rows = tabulate_kinds(unknown, kinds=book.kinds).set_index("kind")
    assert rows["share"].isna().all()
    assert rows.loc["ngo", ["share_low", "share_high"]].tolist() == [0, 1]


def test_helices_and_subkinds(classified: pd.DataFrame) -> None:
    helices = tabulate_helices(classified).set_index("helix")
    assert helices["n"].to_dict() == {
        "public": 0,
        "private": 1,
        "knowledge": 0,
        "civil": 2,
        UNCLASSIFIED: 2,
    }
    assert helices.loc["civil", "share"] == pytest.approx(2 / 3)
    assert pd.isna(helices.loc[UNCLASSIFIED, "share"])
    subkinds = tabulate_subkinds(classified)
    assert subkinds.to_numpy().tolist() == [["ngo", "national_ngo", 1], ["telecom", "isp", 1]]


def test_roles_stated_against_expected(classified: pd.DataFrame, book: Codebook) -> None:
    # expected: ngo trainer, users_voice (a, b); telecom infrastructure, data_holder, adviser (c)
    roles = ["trainer;funder", np.nan, "data_holder; data_holder;funder", "funder", np.nan]
    actors = classified[["territory_id", "actor_id"]].assign(roles=roles)
    table, surprises = compare_roles(classified, actors=actors, kinds=book.kinds)
    counts = table.set_index("role")
    assert set(counts.index) == set(book.roles.index)
    assert counts.loc["trainer"].tolist() == [1, 2, 1]
    assert counts.loc["users_voice"].tolist() == [0, 2, 0]
    assert counts.loc["data_holder"].tolist() == [1, 1, 1]
    assert counts.loc["funder"].tolist() == [3, 0, 0]
    # d is unclassified: nothing is expected of it, so nothing surprises
    assert surprises.to_numpy().tolist() == [
        ["t", "a", "ngo", "funder"],
        ["t", "c", "telecom", "funder"],
    ]


def test_themes_count_an_organisation_once_whatever_the_spelling() -> None:
    tags = ["Éducation;education;santé", "éducation", "#Éducation ; ;Santé", np.nan]
    actors = pd.DataFrame({"actor_id": ["a", "b", "c", "d"], "tags": tags})
    table = tabulate_themes(actors)
    # Éducation is written so by a and c, éducation by b; santé and Santé once each
    assert table.to_numpy().tolist() == [["Éducation", 3], ["Santé", 2]]
    assert tabulate_themes(actors, top=1)["tag"].tolist() == ["Éducation"]
    # listed in two territories, the same organisation counts once
    assert tabulate_themes(actors.assign(actor_id="a"))["n"].tolist() == [1, 1]
    assert tabulate_themes(actors.drop(columns="tags")).empty


def test_desk_evidence_counts_and_rates_nobody() -> None:
    actors = pd.DataFrame(
        {
            "website": ["https://a.example", np.nan, "https://c.example", np.nan],
            "channels": ["facebook;linkedin", "Facebook;facebook", np.nan, np.nan],
            "founded": [2010, np.nan, np.nan, np.nan],
        }
    )
    table = measure_desk_evidence(actors)
    assert table.to_numpy().tolist() == [
        ["desk_website", 2, 0.5],
        ["desk_channel:facebook", 2, 0.5],
        ["desk_channel:linkedin", 1, 0.25],
        ["desk_founded", 1, 0.25],
    ]
    nobody = measure_desk_evidence(actors.head(0))
    assert nobody["n"].tolist() == [0, 0]
    assert nobody["share"].isna().all()
