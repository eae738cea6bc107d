"""A small study without a fault, that tests break in one place at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import settings

from ecoanalysis.batch.lock import wait_for_lock

settings.register_profile("shared", deadline=None)  # other work on a machine is no fault
settings.load_profile("shared")

GOOD_STUDY: dict[str, str] = {
    "territories.csv": """\
territory_id,name,country_code,region,parent_id,latitude,longitude,population
kabara,Kabara,ML,Centre,,12.65,-8.0,2713000
nioro,Nïoro,ML,Centre,kabara,13.43,-6.26,130690
""",
    "actors.csv": """\
territory_id,actor_id,name,kind,subkind,source_category,roles,reach,city,latitude,longitude,placed,\
website,channels,founded,tags,publish,sensitive,provenance,observed_on
kabara,mairie,Mairie de Kabara,local_authority,municipality,,client;funder,local,Kabara,12.65,-8.0,\
stated,https://mairie.example,facebook,1978,services;état civil,yes,no,register:1,2024-03-15
kabara,banque,Banque du Fleuve,traditional_private,bank,,funder,national,Kabara,12.64,-8.01,\
stated,http://banque.example/fr,linkedin,1995,crédit,yes,no,register:2,2024-03-15
kabara,fablab,Fab-lab Sanankoua,intermediary,fab_lab,,trainer,local,Kabara,12.63,-7.99,\
city,,facebook;twitter,2016,formation;bois,not asked,no,register:3;visit:12,2024-03-16
kabara,ecole,École d'ingénieurs,university,higher_education,,researcher,national,Kabara,,,,\
https://ecole.example,,2001,recherche,yes,no,register:4,2024-03-16
kabara,femmes,Union des femmes,community_organisation,,,users_voice,local,Kabara,12.66,-8.02,\
inferred,,,,,no,yes,register:5,
nioro,commune,Commune de Nïoro,local_authority,municipality,,client,local,Nïoro,13.43,-6.26,\
stated,,,1966,,yes,no,register:6,2024-04-02
nioro,radio,Radio Dounia,radio_station,,,users_voice,local,Nïoro,13.44,-6.27,\
stated,https://dounia.example,facebook,1999,langues,yes,no,register:7,2024-04-02
nioro,reparateur,Atelier Téléphonie,small_provider,repair_sales,,solution_provider,local,Nïoro,,,,\
,,2019,réparation,not asked,no,register:8,2024-04-02
""",
    "relations.csv": """\
territory_id,source_id,target_id,kind,weight,status,provenance,observed_on
kabara,mairie,fablab,funds,2,existing,visit:12,2024-03-16
kabara,fablab,ecole,partners_with,,,visit:12,2024-03-16
kabara,banque,femmes,supports,0.5,planned,register:2,2024-03-15
kabara,fablab,radio,partners_with,1,existing,visit:12,2024-03-16
nioro,commune,radio,supplies,1,desired,register:6,2024-04-02
""",
    "raters.csv": """\
territory_id,rater_id,actor_id,kind,role,mode
kabara,r1,mairie,local_authority,authority,interview
kabara,r2,,,expert,form
nioro,r1,radio,radio_station,actor,workshop
""",
    "ratings.csv": """\
territory_id,actor_id,rater_id,criterion,value,challenge_id,observed_on,provenance
kabara,fablab,r1,familiarity,5,,2024-03-20,
kabara,fablab,r2,familiarity,4,,2024-03-21,
kabara,fablab,r1,appetite,dont_know,,2024-03-20,
kabara,banque,r1,concern,2.5,etatcivil,2024-03-20,
nioro,radio,r1,familiarity,3,,2024-04-03,
""",
    "challenges.csv": """\
territory_id,challenge_id,title,description,people_concerned,scope,needs_financial,needs_technical,\
needs_human,needs_data,needs_ideas
kabara,etatcivil,Un état civil sans file d'attente,"Actes de naissance, de mariage,
de décès","Familles, écoles",project,3,4,2,5,1
nioro,marche,Un marché relié,,Commerçantes,ecosystem,2,2,2,0,5
""",
    "positions.csv": """\
territory_id,actor_id,challenge_id,rater_id,value
kabara,fablab,etatcivil,r1,3
kabara,banque,etatcivil,r1,-1
""",
    "influences.csv": """\
territory_id,source_id,target_id,rater_id,value
kabara,mairie,fablab,r1,3
kabara,banque,mairie,r1,0
""",
    "constraints.csv": """\
challenge_id,actor_id,rule,other_id,reason
etatcivil,mairie,must,,Elle tient le registre
etatcivil,banque,not_with,femmes,Conflit ancien
""",
    "actions.csv": """\
territory_id,action_id,actor_id,challenge_id,lever,what,responsible_role,due_on,status
kabara,a1,fablab,etatcivil,lever_pilot,Un guichet d'essai,État civil,2025-06-30,agreed
""",
    "kinds.csv": """\
code,helix,origin,user_side,innovator,expected_roles,label_fr,label_en
radio_station,civil,extension,yes,no,users_voice,Radios locales,Local radio
""",
    "subkinds.csv": """\
code,kind,label_fr,label_en
griots,community_organisation,Griots,Griots
""",
    "criteria.csv": """\
code,weight
familiarity,2
""",
    "datapackage.yaml": """\
name: good
title: Two towns
languages: [fr, en]
licenses:
  - {name: CC-BY-4.0, title: Attribution 4.0, path: "https://creativecommons.example/by/4.0"}
sources:
  - {name: register, title: Register, licence: CC-BY-4.0, accessed_on: 2024-03-15, credit: Kabara}
  - {name: visit, title: Visits}
contributors:
  - {title: The two towns}
ecosystem:
  boundary_rule: {fr: Siège dans la commune, en: Seat in the municipality}
  tie_question: With whom did you work last year?
  date_window: 2024-01-01/2024-12-31
  census: no
  comparable: yes
  comparable_reason: {fr: Même registre, en: Same register}
  retention_date: 2026-12-31
""",
}


def write_folder(texts: Mapping[str, str], folder: Path) -> Path:
    """Write the files of a study as they are, and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder


@pytest.fixture
def good_study(tmp_path: Path) -> Path:
    """Write a study of two territories without a fault, as a folder of CSV files."""
    return write_folder(GOOD_STUDY, tmp_path / "good")


def write_ratings(study: Path, rows: Iterable[str]) -> None:
    """Write the ratings of the first town of the study anew: actor, rater, criterion, value."""
    head = "territory_id,actor_id,rater_id,criterion,value"
    text = "\n".join([head, *(f"kabara,{row}" for row in rows), ""])
    (study / "ratings.csv").write_text(text, encoding="utf-8")


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the verdicts of the tests, and of the processes they start, out of the user's cache."""
    folder = tmp_path_factory.mktemp("cache")
    kept = {name: os.environ.get(name) for name in ("XDG_CACHE_HOME", "LOCALAPPDATA")}
    os.environ.update(dict.fromkeys(kept, str(folder)))
    yield folder
    for name, value in kept.items():
        if value is None:
            os.environ.pop(name)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages of the shipped studies: two of them whole, of the others what is most unlike these.

    Where tests run side by side, the first that asks has them made for all.
    """
    home = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        home = home.parent
    with wait_for_lock(home / "pages.lock"):
        make_pages(home / "pages")
    return home / "pages"


def make_pages(folder: Path) -> None:
    """Make them; a second call finds them current."""
    make_reports("ile-de-france", "training", out=folder)
    make_reports("african-cities", "--region", "afrique-du-nord", out=folder)
    chosen = ["bamako", "estonia", "33-gironde", "santiago"]
    words = [word for territory_id in chosen for word in ("--territory", territory_id)]
    others = ["african-cities", "eurosis", "mediation-numerique", "cabo-verde"]
    make_reports(*others, *words, out=folder)


def make_reports(*words: str, out: Path) -> None:
    """Run the command that `make reports` runs; a word without a dash before it is a study."""
    data = Path(__file__).parents[1] / "data"
    named = [str(data / word) if (data / word).is_dir() else word for word in words]
    command = [sys.executable, "-m", "ecoanalysis", "report", *named, "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
