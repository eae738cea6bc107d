"""Sections and pages: all text escaped, both languages, nothing fetched, nothing pretended."""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from babel.messages.extract import extract_from_dir
from conftest import GOOD_STUDY, write_folder, write_ratings

from ecoanalysis import comparison, pipeline, report
from ecoanalysis.report import comparison as compared_report
from ecoanalysis.report import section
from ecoanalysis.study import Study, read_study

PARTS = (
    "header",
    "profile",
    "actors",
    "readiness",
    "motives",
    "ties",
    "partners",
    "next",
    "method",
)
COMPARED = (
    "header",
    "gate",
    "territories",
    "mixes",
    "diversity",
    "readiness",
    "networks",
    "totals",
    "method",
)
HOSTILE = [
    "</script><script>alert(1)</script>",
    "{{7*7}} {% raw %}",
    "$x$ \\(y\\)",
    '"><img src=x onerror=a>',
]


class Reader(HTMLParser):
    """Collects tags, and what each would fetch."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


@cache
def read_hostile_study(folder: Path) -> Study:
    study = read_study(folder)
    actors = study.tables["actors"].copy()
    actors.loc[: len(HOSTILE) - 1, "name"] = HOSTILE
    actors["tags"] = HOSTILE[0]
    actors.loc[0, "website"] = "javascript:alert(1)"
    challenges = study.tables["challenges"].assign(title=HOSTILE[0], description=HOSTILE[3])
    actions = study.tables["actions"].assign(what=HOSTILE[0])
    tables = dict(study.tables) | {"actors": actors, "challenges": challenges, "actions": actions}
    notice = {"fr": "Étude <fictive>", "en": "A <fictional> study"}
    descriptor = dataclasses.replace(study.descriptor, notice=notice, fictional=True)
    return dataclasses.replace(study, tables=tables, descriptor=descriptor)


def show_all(study: Study, language: str) -> list[report.Section]:
    result = pipeline.run_territory(study, "kabara")
    return [getattr(report, f"show_{part}")(result, language=language) for part in PARTS]


def make_page(sections: list[report.Section], folder: Path, language: str) -> str:
    notebook = nbformat.v4.new_notebook()
    for part in [report.show_style(), *sections]:
        cell = nbformat.v4.new_code_cell("secret_code()")
        data = part._repr_mimebundle_()
        cell.outputs = [nbformat.v4.new_output("execute_result", data=data, execution_count=1)]
        notebook.cells += [nbformat.v4.new_markdown_cell("for the analyst"), cell]
    notebook.cells[1].metadata["tags"] = ["lab"]
    noise = nbformat.v4.new_output("stream", name="stderr", text="a warning")
    notebook.cells[-1].outputs.append(noise)
    nbformat.write(notebook, folder / "report.ipynb")
    return report.render_page(folder / "report.ipynb", language=language)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_page_is_whole_escaped_and_asks_nothing(
    good_study: Path, tmp_path: Path, language: str
) -> None:
    html = make_page(show_all(read_hostile_study(good_study), language), tmp_path, language)
    tags = Reader(html).tags
    names = [tag for tag, _ in tags]
    assert not {"iframe", "object", "embed", "form", "base"} & set(names)
    scripts = re.findall(r"<script[^>]*>(.*?)</script>", html, re.DOTALL)  # the map's, no other
    assert [attrs for tag, attrs in tags if tag == "script"] == [{"type": "application/json"}, {}]
    assert HOSTILE[0] in json.loads(scripts[0])["names"]
    assert scripts[1] == (section.FOLDER / "explore.js").read_text("utf-8")
    assert not [attrs for _, attrs in tags if any(name.startswith("on") for name in attrs)]
    for tag, attrs in tags:
        asked = [attrs[name] for name in ("src", "srcset", "data", "poster") if name in attrs]
        asked += [attrs["href"]] if tag != "a" and "href" in attrs else []
        assert all(url.startswith("data:") for url in asked), (tag, asked)
        if tag == "a" and attrs["href"].startswith("http"):
            assert attrs["rel"] == "noopener"
        assert not attrs.get("href", "").startswith("javascript:")
        if tag == "img":
            assert attrs["alt"]
    assert not re.search(r"url\((?!#)|@import", html)
    assert "{{7*7}} {% raw %}" in html
    assert "&lt;/script&gt;" in html
    assert "$x$" in html
    assert 'class="eco-page mathjax_ignore tex2jax_ignore"' in html
    assert f'<html lang="{language}">' in html
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    assert set(PARTS[1:]) <= set(ids)
    assert len(ids) == len(set(ids))
    anchors = {attrs["href"][1:] for tag, attrs in tags if tag == "a" and attrs["href"][0] == "#"}
    assert anchors <= set(ids)
    levels = [int(tag[1]) for tag in names if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(b - a <= 1 for a, b in itertools.pairwise(levels))
    notice = {"fr": "Étude &lt;fictive&gt;", "en": "A &lt;fictional&gt; study"}[language]
    assert html.count(notice) >= 3  # above, in part 8, at the foot
    for hidden in ("secret_code", "for the analyst", "a warning"):
        assert hidden not in html


def test_sections_are_short_as_text_and_whole_as_html(good_study: Path) -> None:
    result = pipeline.run_territory(read_study(good_study), "kabara")
    first = report.show_header(result, language="en")
    assert repr(first) == "<Section header>"
    assert set(first._repr_mimebundle_()) == {"text/plain", "text/html", section.PAGE_TYPE}
    assert first._repr_html_() == first.html


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_list_alone_pretends_nothing(good_study: Path, language: str) -> None:
    for name in ("relations", "raters", "ratings", "challenges", "positions", "influences",
                 "constraints", "actions"):  # fmt: skip
        (good_study / f"{name}.csv").unlink()
    sections = {part.name: part.html for part in show_all(read_study(good_study), language)}
    assert list(sections) == list(PARTS)
    for part in ("readiness", "motives", "ties", "partners"):
        assert sections[part].count('class="box"') == 1
    for part in ("motives", "ties"):
        assert "<table" not in sections[part]
    tables = ("raters", "ratings", "relations", "challenges", "positions", "actions")
    assert all(name in sections["next"] for name in tables)


def test_a_territory_without_actors_has_a_page(good_study: Path) -> None:
    with (good_study / "territories.csv").open("a", encoding="utf-8") as file:
        file.write("vide,Vide,ML,,,,,\n")
    result = pipeline.run_territory(read_study(good_study), "vide")
    for part in PARTS:
        assert getattr(report, f"show_{part}")(result, language="en").html


SHAPES: dict[str, list[tuple[str, str, str]]] = {
    "no tie": [],
    "one tie": [("a0", "a1", "partners_with")],
    "a star": [("a0", f"a{i}", "funds") for i in range(1, 30)],
    "parts": [(f"a{i}", f"a{i + 1}", "supplies") for i in range(0, 29, 2)],
    "both ways": [("a0", "a1", "funds"), ("a1", "a0", "partners_with"), ("a1", "a2", "funds")],
    "everybody": [(f"a{i}", f"a{j}", "refers_to") for i in range(30) for j in range(i)],
    "members": [("a0", f"a{i}", "member_of") for i in range(1, 9)],
    "beyond": [("a0", "far", "funds")],
}


def tie_actors(shape: str, n: int, folder: Path) -> pipeline.TerritoryResult:
    """Run a territory of `n` actors with these ties; `far` lies in another territory."""
    for name in ("ratings", "raters", "challenges", "positions", "influences", "constraints",
                 "actions"):  # fmt: skip
        (folder / f"{name}.csv").unlink()
    helices = itertools.cycle(["ngo", "university", "telecom", "local_authority"])
    rows = [f"kabara,a{i},Actor {i:02},{next(helices)}" for i in range(n)]
    actors = ["territory_id,actor_id,name,kind", *rows, "nioro,far,Far,ngo"]
    ties = [f"kabara,{','.join(tie)}" for tie in SHAPES[shape]]
    relations = ["territory_id,source_id,target_id,kind", *ties]
    for name, lines in (("actors", actors), ("relations", relations)):
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return pipeline.run_territory(read_study(folder), "kabara")


@pytest.mark.parametrize("shape", SHAPES)
def test_any_network_has_a_page(good_study: Path, shape: str) -> None:
    result = tie_actors(shape, 30, good_study)
    said = {language: report.show_ties(result, language=language).html for language in ("fr", "en")}
    html = " ".join(said["en"].split())
    assert "nan" not in html
    assert ("Bridging organisations" in html) == (shape not in ("no tie", "beyond"))
    free = shape not in ("no tie", "beyond", "members")
    assert ("Do they keep to their own?" in html) == free
    assert ("memberships or run through a shared place" in html) == (shape == "members")
    assert ("adhésions ou passent par un lieu commun" in said["fr"]) == (shape == "members")
    assert ("Nobody stands between" in html) == (shape in ("one tie", "parts", "everybody"))
    # Under 20 ties nobody is ranked; the star falls apart as soon as its centre is missing.
    assert ("one tie more or less changes the order" in html) == (shape == "both ways")
    assert ("it is counted apart" in html) == (shape == "beyond")


def test_two_actors_have_a_page(good_study: Path) -> None:
    html = report.show_ties(tie_actors("one tie", 2, good_study), language="en").html
    assert "So few ties are described, not tested." in html


def test_sectors_lack_a_tie_only_where_free_ties_say_so(good_study: Path, tmp_path: Path) -> None:
    """Civil and private share a contact, so a meeting is suggested; 3 more pairs are apart."""
    html = report.show_next(tie_actors("both ways", 30, good_study), language="en").html
    assert read_text(html).count("no free tie on record see the introductions above") == 1
    assert read_text(html).count("no free tie on record to be looked for") == 3
    members = tie_actors("members", 30, write_folder(GOOD_STUDY, tmp_path / "members"))
    assert "no free tie" not in report.show_next(members, language="en").html


def test_who_is_against_and_must_take_part_is_said_to_be_both() -> None:
    text = read_text(report.show_partners(run_town("haute-brume"), language="en").html)
    assert "Commune de Haute-Brume (−1.0), Highmist Labs (−1.7)" in text
    assert "they are suggested as partners, before they have been heard, only if they must" in text
    assert "Local authorities must take part · against (−1.0) Its reservations" in text


def test_few_answers_give_no_score_and_opinions_are_counted(good_study: Path) -> None:
    result = pipeline.run_territory(read_study(good_study), "kabara")
    html = report.show_readiness(result, language="en").html
    # Fab-lab: familiarity 5 and 4 (weight 2), appetite "don't know" (weight 1): coverage 2/3,
    # score 100 * 4.5 / 5 = 90, from 60 (appetite 0) to 93 (appetite 5).
    row = html[html.index("Fab-lab Sanankoua") :]
    row = row[: row.index("</tr>")]
    assert '<b class="score">90.0</b>' in row
    assert "60–93" in row
    assert "67%" in row
    assert "two opinions" in row


def test_the_only_question_that_counts_is_not_without_effect(good_study: Path) -> None:
    """Nor is there a weight in doubt: 16 (K - 1) - 1 of one weight would be c = −1."""
    (good_study / "criteria.csv").write_text("code,weight\nappetite,0\n", encoding="utf-8")
    rows = [
        f"{actor},{rater},familiarity,{value}"
        for actor, rater, value in (
            ("fablab", "r1", 5), ("fablab", "r2", 4), ("banque", "r1", 2), ("banque", "r2", 1)
        )
    ]  # fmt: skip
    write_ratings(good_study, rows)
    result = pipeline.run_territory(read_study(good_study), "kabara")
    text = read_text(report.show_readiness(result, language="en").html)
    assert "Without “Familiarity”, 2 organisations have no score." in text
    assert "This question had no effect" not in text
    assert "with one question only, no weight is in doubt" in text
    assert "c = " not in text


def test_a_tie_is_a_pair_on_the_whole_page(good_study: Path) -> None:
    """Town hall and fab-lab fund and supply each other: with the school, two pairs of three ties.

    The radio of the other town has two relations with the fab-lab: one pair more, beyond.
    """
    lines = ["kabara,fablab,mairie,supplies,,,,", "kabara,fablab,radio,supports,,,,"]
    with (good_study / "relations.csv").open("a", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    result = pipeline.run_territory(read_study(good_study), "kabara")
    counts = result.tables["summary"].set_index("measure")["value"]
    assert counts[["n_ties", "n_ties_beyond"]].to_list() == [2, 1]
    header = read_text(report.show_header(result, language="en").html)
    assert "ties recorded between them 2 " in header
    text = read_text(report.show_ties(result, language="en").html)
    assert "ties recorded: 2; organisations without any: 2" in text
    assert "1 tie leads to an organisation of another territory" in text


def test_who_was_asked_and_did_not_know_has_not_rated(good_study: Path) -> None:
    """r1 rates its own organisation, and says "don't know" of another: nobody is rated."""
    rows = ["mairie,r1,familiarity,5", "fablab,r1,familiarity,dont_know"]
    write_ratings(good_study, rows)
    result = pipeline.run_territory(read_study(good_study), "kabara")
    counts = result.tables["summary"].set_index("measure")["value"]
    assert counts[["n_rated_actors", "n_raters", "n_ratings"]].to_list() == [0, 0, 0]
    assert "rated" not in read_text(report.show_header(result, language="en").html)
    assert "Nobody has rated" in read_text(report.show_profile(result, language="en").html)
    assert "Nobody has rated" in read_text(report.show_partners(result, language="en").html)


def test_people_and_organisations_are_those_of_each_part(good_study: Path) -> None:
    """r1 rated two in readiness, on one question; r2 one on an interest from 1 to 7.

    r3 gave a position only: two people have rated three organisations, one of them two of five.
    """
    rows = ["fablab,r1,familiarity,5", "banque,r1,familiarity,3", "ecole,r2,interest_profit,7",
            "ecole,r2,interest_cause,1"]  # fmt: skip
    write_ratings(good_study, rows)
    scales = "code,scale_min,scale_max\ninterest_profit,1,7\n"
    (good_study / "criteria.csv").write_text(scales, encoding="utf-8")
    with (good_study / "raters.csv").open("a", encoding="utf-8") as file:
        file.write("kabara,r3,,,user,form\n")
    with (good_study / "positions.csv").open("a", encoding="utf-8") as file:
        file.write("kabara,fablab,etatcivil,r3,2\n")
    result = pipeline.run_territory(read_study(good_study), "kabara")
    header = read_text(report.show_header(result, language="en").html)
    assert "organisations rated (people who rated: 2) 3 " in header
    assert "2 people have rated 3 of them" in read_text(
        report.show_profile(result, language="en").html
    )
    text = read_text(report.show_readiness(result, language="en").html)
    assert "1 person has rated 2 of the 5 organisations, by these questions: Familiarity" in text
    assert "Appetite How keen" not in text
    assert "Who rated: local authority 1 · interview 1." in text
    html = report.show_motives(result, language="en").html
    text = read_text(html)
    assert "Organisations covered by answers: 1." in text and "not shown" not in text
    # 7 is the end of its scale, 1 a fifth of the other: as a share of the scale, 1 and 0.2
    assert '<td class="s5">7</td><td class="s1">1</td>' in html
    assert "Highest on average: Profit (1–7) (7.0" in text
    assert "The scale of each question stands beside its name." in text and "0 to 5" not in text


def test_what_is_offered_is_said_on_the_scale_it_was_asked_on(good_study: Path) -> None:
    """The two asked of 1 to 7 gave 2 and 1: no more than that, of 7."""
    scales = "code,scale_min,scale_max\nresource_data,1,7\n"
    (good_study / "criteria.csv").write_text(scales, encoding="utf-8")
    rated = {"fablab": {"familiarity": 4, "appetite": 4, "resource_data": 2},
             "mairie": {"familiarity": 2, "appetite": 3, "resource_data": 1}}  # fmt: skip
    write_ratings(
        good_study, (f"{a},r2,{code},{n}" for a, said in rated.items() for code, n in said.items())
    )
    result = pipeline.run_territory(read_study(good_study), "kabara")
    partners = read_text(report.show_partners(result, language="en").html)
    assert "The nearest is Fab-lab Sanankoua, with 2.0 of 7." in partners
    following = read_text(report.show_next(result, language="en").html)
    assert "at most 2.0 of 7: Fab-lab Sanankoua" in following


def test_no_pair_is_said_to_hold_a_whole_together_that_does_not_fall_apart(
    good_study: Path,
) -> None:
    """All pairs of five are tied but one: without any two, the three left reach each other."""
    ids = ["mairie", "banque", "fablab", "ecole", "femmes"]
    rows = [f"kabara,{a},{b},partners_with" for a, b in itertools.combinations(ids, 2)][1:]
    text = "territory_id,source_id,target_id,kind\n" + "\n".join(rows) + "\n"
    (good_study / "relations.csv").write_text(text, encoding="utf-8")
    result = pipeline.run_territory(read_study(good_study), "kabara")
    text = read_text(report.show_ties(result, language="en").html)
    assert "lies on the shortest ways" in text and "Without both" not in text


def test_places_are_told_within_one_panel(good_study: Path) -> None:
    """The school has the highest mean, of raters who may be the most generous: it leads nobody."""
    rows = [
        f"{actor},{rater},{criterion},{value}"
        for raters, values in (
            (("r1", "r2"), {"banque": 3, "fablab": 2, "mairie": 1}),
            (("r3", "r4"), {"ecole": 5, "femmes": 4}),
        )
        for actor, value in values.items()
        for rater in raters
        for criterion in ("familiarity", "appetite")
    ]
    write_ratings(good_study, rows)
    raters = "".join(f"kabara,r{i},expert\n" for i in (1, 2, 3, 4))
    (good_study / "raters.csv").write_text(f"territory_id,rater_id,role\n{raters}", "utf-8")
    (good_study / "positions.csv").unlink()
    (good_study / "influences.csv").unlink()
    result = pipeline.run_territory(read_study(good_study), "kabara")
    assert set(result.tables["choices"]["actor_id"]) == {"banque", "fablab", "mairie"}
    ranks = result.tables["ranks"].query("dimension == 'readiness' and weights == 'fixed'")
    assert ranks.set_index("actor_id")["n_ranked"].to_dict() == {
        "banque": 3, "fablab": 3, "mairie": 3, "ecole": 2, "femmes": 2
    }  # fmt: skip
    text = read_text(report.show_readiness(result, language="en").html)
    assert "form 2 groups that share no organisation" in text
    assert "is said of one group, none being larger: 3 organisations." in text
    assert "Banque du Fleuve is first, alone or level with others, in 9 of 9 ways" in text
    assert text.count("is first, alone or level") == 1
    assert "École d&#39;ingénieurs 100%" not in text  # among the first five of two


def test_weights_are_drawn_by_the_questions_of_each_whole(good_study: Path) -> None:
    """Two questions made up of three each: c is 16 (2 - 1) - 1 of two weights, 31 of three."""
    parts = "".join(
        f"{whole}_{i},readiness,{whole}\n" for whole in ("familiarity", "appetite") for i in "abc"
    )
    (good_study / "criteria.csv").write_text(f"code,dimension,parent\n{parts}", encoding="utf-8")
    rows = [
        f"{actor},{rater},{whole}_{i},{value}"
        for whole in ("familiarity", "appetite")
        for i in "abc"
        for actor, rater, value in (
            ("fablab", "r1", 5), ("fablab", "r2", 4), ("banque", "r1", 2), ("banque", "r2", 1)
        )
    ]  # fmt: skip
    write_ratings(good_study, rows)
    result = pipeline.run_territory(read_study(good_study), "kabara")
    assert "(Dirichlet, c = 15, 31)" in read_text(report.show_readiness(result, language="en").html)


TRAINING = Path(__file__).parents[1] / "data" / "training"


@cache
def run_town(territory_id: str) -> pipeline.TerritoryResult:
    return pipeline.run_territory(read_study(TRAINING), territory_id)


def read_text(html: str) -> str:
    """The words alone; spaces that do not break are spaces too."""
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", html))


@pytest.mark.parametrize(
    ("territory_id", "language", "said"),
    [
        # Planted in the training study (its README): who, and what the report says of it.
        ("haute-brume", "en", "Least sure: Mutuelle L&#39;Entraide d&#39;En-Haut rests on two "
         "opinions (actor 1, expert 1): score 60.0, in 90% of draws"),
        ("haute-brume", "fr", "Le moins sûr : Mutuelle L&#39;Entraide d&#39;En-Haut repose "
         "sur deux avis"),
        ("haute-brume", "en", "Opinion is split: Plantations de la Corniche. 3 people"),
        ("haute-brume", "fr", "Avis partagés : Plantations de la Corniche. 3 personnes"),
        ("rive-songe", "en", "Very uniform answers: rs-06 gave 3 in"),
        ("rive-songe", "fr", "Réponses très uniformes : rs-06"),
    ],
)  # fmt: skip
def test_planted_doubts_are_named(territory_id: str, language: str, said: str) -> None:
    html = report.show_readiness(run_town(territory_id), language=language).html
    assert said in read_text(html)


def test_each_score_on_the_page_has_its_interval_and_coverage() -> None:
    result = run_town("val-palabre")
    for part in (report.show_readiness, report.show_motives):
        html = part(result, language="en").html
        # a score is bold: an interval follows in the same cell, coverage in the same row
        rows = [row for row in html.split("<tr>") if 'class="score"' in row]
        assert len(rows) >= 35  # all whom somebody rated; 37 are listed
        for row in rows:
            assert re.search(r'class="score">[\d.]+</b> <span class="whole">.*\d+–\d+</small>', row)
            assert "coverage" in row or re.search(r'<td class="n">\d+%</td>', row)
        sentences = re.findall(r"points \([^)]*\)", html)
        assert len(sentences) == 3  # the first three are explained in words
        assert all("in 90% of draws" in said and "coverage" in said for said in sentences)


def test_both_sections_say_why_a_score_can_lie_outside_its_interval() -> None:
    result = run_town("rive-songe")
    found = result.tables["scores"].dropna(subset=["score", "low"])
    outside = found[(found["score"] < found["low"]) | (found["score"] > found["high"])]
    assert outside["dimension"].unique().tolist() == ["resource"]
    said = f"{len(outside)} scores lie outside their intervals: those who rated"
    assert said in read_text(report.show_motives(result, language="en").html)
    html = report.show_motives(result, language="fr").html.replace("\N{NO-BREAK SPACE}", " ")
    assert "scores se trouvent hors de leur intervalle" in html
    assert "une moyenne peut donc se trouver hors de son intervalle" in html
    assert "outside their" not in read_text(report.show_readiness(result, language="en").html)


def test_three_doubts_are_said_apart() -> None:
    text = read_text(report.show_readiness(run_town("val-palabre"), language="en").html)
    three = ["Who was asked: the scores", "Who was asked and what weighs more: the ranks",
             "How it is added up: the choices"]  # fmt: skip
    assert [text.count(name) for name in three] == [1, 1, 1]
    # 16 (K - 1) - 1 for K = 2 weights
    assert "(Dirichlet, c = 15)" in text
    assert "of 9 ways of scoring" in text


def test_an_option_without_effect_is_said(good_study: Path) -> None:
    """Two organisations, one better on both questions: no choice changes the order."""
    rows = [
        f"{actor},{rater},{criterion},{value - (rater == 'r2')}"
        for actor, value in (("fablab", 5), ("banque", 2))
        for criterion in ("appetite", "familiarity")
        for rater in ("r1", "r2")
    ]
    write_ratings(good_study, rows)
    result = pipeline.run_territory(read_study(good_study), "kabara")
    text = read_text(report.show_readiness(result, language="en").html)
    asked = [text.index(question) for question in ("Familiarity How ", "Appetite How ")]
    assert asked == sorted(asked)  # as the codebook has them
    assert "This option had no effect: the geometric mean." in text
    assert "This question had no effect on the order: “Familiarity”." in text
    assert "No other weight of “Appetite” alone would change the first place." in text


@pytest.mark.parametrize(
    ("raters", "said"),
    [
        (("r2",), "One person only has rated: no interval can be given, and nobody is ranked."),
        (("r1", "r2"), "Too few answers overlap to say how sure the scores are"),
    ],
)
def test_without_interval_the_page_says_why(
    good_study: Path, raters: tuple[str, ...], said: str
) -> None:
    rows = [
        f"{actor},{raters[i % len(raters)]},{criterion},{value}"
        for i, (actor, value) in enumerate((("fablab", 5), ("banque", 2)))
        for criterion in ("familiarity", "appetite")
    ]
    write_ratings(good_study, rows)
    text = read_text(
        report.show_readiness(
            pipeline.run_territory(read_study(good_study), "kabara"), language="en"
        ).html
    )
    assert said in text
    assert "100.0 no interval" in text
    assert "How sure is the order?" not in text


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_comparison_obeys_the_gate(good_study: Path, tmp_path: Path, language: str) -> None:
    study = read_study(good_study)
    results = {
        name: pipeline.run_territory(study, name).tables
        for name in study.tables["territories"]["territory_id"]
    }
    refused = dataclasses.replace(study.descriptor, comparable=False)
    compared = comparison.compare_territories(
        results,
        descriptor=refused,
        territories=study.tables["territories"],
        codebook=study.codebook,
    )
    sections = [
        getattr(compared_report, f"show_{part}")(compared, study=study, language=language)
        for part in COMPARED
    ]
    html = make_page(sections, tmp_path, language)
    assert "<figure" not in html
    ids = {attrs["id"] for _, attrs in Reader(html).tags if "id" in attrs}
    assert set(COMPARED[1:]) <= ids


def test_the_gate_has_one_sign_for_what_the_study_does_not_say(good_study: Path) -> None:
    study = read_study(good_study)
    unsaid = dataclasses.replace(study.descriptor, comparable=None, tie_question={})
    summary = pd.DataFrame({"measure": ["n_actors", "n_ratings"], "value": [30.0, 0.0]})
    gate = comparison.check_gate(unsaid, summaries={"kabara": summary, "nioro": summary})
    compared = {"gate": gate, "territories": study.tables["territories"]}
    html = compared_report.show_gate(compared, study=study, language="en").html
    said = re.findall(r'class="([\w-]+)"><span aria-hidden="true">(.)</span> ([^<]*)</span>', html)
    assert said == [
        ("unsaid", "?", "the study does not say (this refuses nothing)"),  # comparable
        ("yes", "✓", "yes"),  # two territories
        ("yes", "✓", "yes, it is stated"),  # boundary
        ("yes", "✓", "yes, it is stated"),  # window
        ("no-go", "?", "the study does not say"),  # question about ties
        ("no-go", "✗", "no"),  # ties
        ("no-go", "✗", "nobody was rated"),
        ("yes", "✓", "yes"),  # 30 organisations each
    ]


@pytest.mark.parametrize("declared", [True, False])
def test_a_comparison_of_many_territories_sums_them_up(
    good_study: Path, tmp_path: Path, declared: bool
) -> None:
    study, n = read_study(good_study), 300
    tables = pipeline.run_territory(study, "kabara").tables
    kinds = tables["kinds"].assign(n=tables["kinds"]["n"] * 7)
    ids = [f"t{i:03}" for i in range(n)]
    territories = pd.DataFrame({"territory_id": ids, "name": ids, "country_code": "ML"})
    descriptor = dataclasses.replace(study.descriptor, comparable=declared)
    study = dataclasses.replace(
        study, descriptor=descriptor, tables={**study.tables, "territories": territories}
    )
    compared = comparison.compare_territories(
        {name: {**tables, "kinds": kinds} for name in ids},
        descriptor=descriptor,
        territories=territories.assign(region="Centre"),
        codebook=study.codebook,
    )
    shown = [
        getattr(compared_report, f"show_{part}")(compared, study=study, language="en")
        for part in COMPARED
    ]
    html = make_page(shown, tmp_path, "en")
    assert len(html.encode()) < 300_000
    assert ("each row sums up all of them" in html) and "--region" in html
    assert "the first 100 of 300; all are in tables/territories.csv" in html
    rows = [row for row in html.split("<tr>") if 'data-label="Listed in"' in row]
    kind = study.codebook.label("kinds", "local_authority", "en")
    (row,) = [row for row in rows if kind in row]
    # one of five organisations everywhere, seven times over
    cell = "20%" if declared else "7"
    assert re.findall('data-label="[^"]*" class="n">([^<>]*)</td>', row) == ["300", *[cell] * 5]


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_country_has_its_name_in_the_language_of_the_page(
    good_study: Path, language: str
) -> None:
    study = read_study(good_study)
    names = {"name": ["Belgium", "Czech Republic"], "country_code": ["BE", "CZ"]}
    named = study.tables["territories"].assign(**names)
    study = dataclasses.replace(study, tables={**study.tables, "territories": named})
    result = pipeline.run_territory(study, "kabara")
    name = {"fr": "Belgique", "en": "Belgium"}[language]
    assert f"<h1>{name}</h1>" in report.show_header(result, language=language).html
    assert name in report.show_profile(result, language=language).html
    index = report.render_index(
        study, folder=good_study, status=pd.DataFrame({"page": []}), language=language
    )
    assert name in index and {"fr": "Tchéquie", "en": "Czech Republic"}[language] in index


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_refused_comparison_shows_inventories_and_says_why(
    good_study: Path, tmp_path: Path, language: str
) -> None:
    study = read_study(good_study)
    reason = {"fr": "Deux listes, deux fins", "en": "Two lists, two ends"}
    descriptor = dataclasses.replace(study.descriptor, comparable=False, comparable_reason=reason)
    study = dataclasses.replace(study, descriptor=descriptor)
    territories = study.tables["territories"].drop(columns="parent_id")
    compared = comparison.compare_territories(
        {name: pipeline.run_territory(study, name).tables for name in territories["territory_id"]},
        descriptor=descriptor,
        territories=territories,
        codebook=study.codebook,
    )
    shown = {
        part: getattr(compared_report, f"show_{part}")(compared, study=study, language=language)
        for part in COMPARED
    }
    assert reason[language] in shown["gate"].html
    none = {"fr": "Aucune n’est présente dans", "en": "None stands in several territories."}
    assert none[language] in shown["totals"].html
    mixes = re.sub(r"\s*<[^>]*>\s*", "|", shown["mixes"].html)
    assert re.search(r"\|Kabara\|+Nïoro\|", mixes)
    label = study.codebook.label("kinds", "local_authority", language)
    assert re.search(rf"\|{label}\|+1\|+1\|", mixes)  # a town hall in each
    assert "%" not in mixes
    for part in ("readiness", "networks"):  # both were asked about, so no form is called for
        assert '<div class="box">' not in shown[part].html
        assert "<table" not in shown[part].html


def test_the_index_lists_pages_failures_and_remarks(good_study: Path, tmp_path: Path) -> None:
    study = read_hostile_study(good_study)
    (tmp_path / "kabara").mkdir()
    (tmp_path / "kabara" / "report.html").touch()
    status = pd.DataFrame(
        {
            "page": ["kabara", "nioro"],
            "status": ["done", "failed"],
            "seconds": [1.25, None],
            "cause": ["", "ValueError: <b>broken</b>"],
        }
    )
    html = report.render_index(study, folder=tmp_path, status=status, language="en")
    assert '<a href="kabara/report.html">Kabara</a>' in html
    assert 'href="nioro/report.html"' not in html
    assert "ValueError: &lt;b&gt;broken&lt;/b&gt;" in html
    assert "A &lt;fictional&gt; study" in html
    assert "<script" not in html


def test_an_index_of_many_territories_is_folded_by_region(good_study: Path, tmp_path: Path) -> None:
    study, n = read_study(good_study), 103
    ids = [f"t{i:03}" for i in range(n)]
    regions = ["Île", "Sud"] * 51 + [None]
    territories = pd.DataFrame({"territory_id": ids, "name": [f"Étang {i:03}" for i in range(n)]})
    territories = territories.assign(country_code="ML", region=pd.Series(regions, dtype="str"))
    study = dataclasses.replace(study, tables={**study.tables, "territories": territories})
    for name in ids[:-1]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "report.html").touch()
    (tmp_path / "t001" / "run.json").write_text('{"summary": {"n_actors": "1234"}}')
    last = ["done"] * 100 + ["current", "failed"]
    status = pd.DataFrame({"page": ids[:-1], "status": last, "seconds": 1.0, "cause": "<why>"})
    html = report.render_index(study, folder=tmp_path, status=status, language="en")
    keys = re.findall(r"<div><dt>(.*?)</dt><dd>(.*?)</dd>", html)
    assert keys == [
        ("territories", "103"), ("pages made by the last run", "100"),
        ("page of an earlier run", "1"), ("page not made yet", "1"), ("page that failed", "1"),
    ]  # fmt: skip
    assert html.count("&lt;why&gt;") == 1  # that of t101 alone
    folds = re.findall(r"<summary>(.*?)</summary>\s*<ul[^>]*>(.*?)</ul>", html, re.DOTALL)
    # the one without a region stands under its first letter
    assert [name for name, _ in folds] == ["E · 1", "Île · 51", "Sud · 51"]
    assert [re.findall(r"Étang \d+", rows)[0] for _, rows in folds] == [
        "Étang 102", "Étang 000", "Étang 001",
    ]  # fmt: skip
    assert "<li>Étang 102\n" in folds[0][1]
    assert '<li><a href="t001/report.html">Étang 001</a> 1,234\n' in folds[2][1]


def test_templates_leave_no_sentence_untranslatable() -> None:
    folder = section.FOLDER / "templates"
    methods = [("**.html.j2", "jinja2.ext:babel_extract")]
    found = extract_from_dir(folder, methods, {"**.html.j2": {"silent": "false"}})
    messages = {m if isinstance(m, str) else m[0] for _, _, m, *_ in found}
    assert len(messages) > 150
    assert not [m for m in messages if m != " ".join(m.split())]
    for file in folder.rglob("*.j2"):
        text = file.read_text("utf-8")
        for code in (
            r"<style>.*?</style>|\{#.*?#\}|\{% trans.*?endtrans %\}",
            r"\{\{.*?\}\}|\{%.*?%\}",
            "<[^>]*>",
        ):
            text = re.sub(code, " ", text, flags=re.DOTALL)
        assert not re.findall(r"[A-Za-zÀ-ÿ]{4,}", text), file


def test_themes_and_decades_are_bars_with_their_numbers(good_study: Path) -> None:
    result = pipeline.run_territory(read_study(good_study), "kabara")
    founded = pd.DataFrame({"period": ["1250", "1990", "2010"], "n": [1, 4, 30]})
    themes = pd.DataFrame({"tag": [f"theme {i}" for i in range(20)], "n": range(40, 20, -1)})
    tables = {**result.tables, "founded": founded, "themes": themes}
    html = report.show_actors(dataclasses.replace(result, tables=tables), language="en").html
    bars = re.findall(r'row">([^<]*)</th><td><i style="width:([\d.]+)%"></i>(\d+)', html)
    # eight decades up to the 2010s, those without anybody too; all before in one row
    decades = [(name, n) for name, _, n in bars if name.endswith("0s") or "before" in name]
    assert decades == [
        ("before 1940", "1"), ("1940s", "0"), ("1950s", "0"), ("1960s", "0"), ("1970s", "0"),
        ("1980s", "0"), ("1990s", "4"), ("2000s", "0"), ("2010s", "30"),
    ]  # fmt: skip
    assert ("theme 0", "86.0", "40") in bars and ("theme 10", "64.5", "30") in bars  # 86 · 30 / 40
    assert "theme 14" in html and "theme 15" not in html and "+ 5 themes not shown" in html


def test_kinds_are_bars_the_guides_first_and_gaps_keep_their_row(good_study: Path) -> None:
    result = pipeline.run_territory(read_study(good_study), "kabara")
    kinds = result.tables["kinds"].set_index("kind").assign(n=0.0, share=0.0)
    kinds.loc["ngo", ["n", "share", "share_low", "share_high"]] = 1, 1 / 401, 1 / 401, 1 / 401
    kinds.loc["media", ["n", "share", "share_low", "share_high"]] = 400, 400 / 401, 0.9, 1
    tables = {**result.tables, "kinds": kinds.reset_index()}
    html = report.show_actors(dataclasses.replace(result, tables=tables), language="en").html
    figure = html[html.index('<figure class="bars kinds">') :].split("</figure>")[0]
    rows = re.findall(r'row">([^<]*)</th><td class="sector (\w+)">(.*?)</td>', figure)
    book = result.codebook.kinds
    guide = book.loc[book["origin"] == "guide", "label_en"]
    assert {name for name, *_ in rows[:10]} == set(guide)
    assert [name for name, _, cell in rows if cell == "none listed to date"] == [
        name for name in guide if name != book.loc["ngo", "label_en"]
    ]
    cells = {name: (sector, read_text(cell).strip()) for name, sector, cell in rows}
    assert cells[book.loc["ngo", "label_en"]] == ("civil", "1 · &lt;1%")
    assert cells[book.loc["media", "label_en"]] == ("civil", "400 · 100%")


def test_cells_are_shaded_and_only_what_nobody_answered_is_hatched() -> None:
    result = run_town("rive-songe")
    who = list(result.tables["actors"]["actor_id"][:3])
    rows = [(who[0], "lever_pilot", 0.0), (who[0], "lever_visibility", 5.0),
            (who[1], "lever_pilot", 2.4)]  # fmt: skip
    averages = pd.DataFrame(rows, columns=["actor_id", "criterion", "mean"])
    averages = averages.assign(low=averages["mean"], high=averages["mean"])
    tables = {**result.tables, "averages": averages}
    html = report.show_motives(dataclasses.replace(result, tables=tables), language="en").html
    heat = html[html.index('<figure class="heat">') :].split("</figure>")[0]
    # the strongest lever of the first is visibility, which comes before the pilot
    assert re.findall(r'<td class="(\w+)">(\d*)</td>', heat) == [
        ("s5", "5"), ("s0", "0"), ("none", ""), ("s2", "2"),
    ]  # fmt: skip
    assert re.findall(r'colspan="(\d)">(\w+)', heat) == [("2", "Levers")]


def test_cells_are_those_of_the_best_covered() -> None:
    result = run_town("rive-songe")
    first = result.tables["actors"].iloc[0]
    actors = pd.DataFrame([first] * 60).assign(
        actor_id=[f"a{i:02}" for i in range(60)], name=[f"Actor {i:02}" for i in range(60)]
    )
    asked = ["lever_pilot", "lever_visibility"]
    answers = [(f"a{i:02}", code, 3.0) for i in range(60) for code in asked[: 1 + (i > 1)]]
    averages = pd.DataFrame(answers, columns=["actor_id", "criterion", "mean"])
    averages = averages.assign(low=averages["mean"], high=averages["mean"])
    empty = {name: result.tables[name][:0] for name in ("scores", "profile_groups")}
    summary = result.tables["summary"].set_index("measure").assign(value=60.0).reset_index()
    tables = {**result.tables, "actors": actors, "averages": averages, "summary": summary, **empty}
    html = report.show_motives(dataclasses.replace(result, tables=tables), language="en").html
    shown = re.findall(r'row">Actor (\d\d)</th>', html)
    assert len(shown) == 50 and not {"00", "01"} & set(shown)
    assert "+ 10 organisations not shown" in html
