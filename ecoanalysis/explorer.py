"""Explore a territory in a notebook: move weights and coverage; grid, scores and ranks follow.

A scenario, computation, view (a template) and widgets stand apart. The draws are those of a report,
so that a saved scenario gives a report the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Any

import ipywidgets as widgets
import pandas as pd

from ecoanalysis import pipeline, scoring
from ecoanalysis.codebook import READINESS
from ecoanalysis.errors import EcoanalysisError
from ecoanalysis.pipeline import TerritoryResult
from ecoanalysis.report.section import list_records, use_templates
from ecoanalysis.study import Study
from ecoanalysis.wording import Language, use_language

DIMENSION = "readiness"


def compute_view(result: TerritoryResult, scenario: scoring.Scenario) -> dict[str, pd.DataFrame]:
    """Score and rank a territory's actors with the weights and the least coverage of a scenario.

    The averages and draws of `pipeline.run_territory` are used as they are. The tables are actors
    (one row an actor rated, best first: actor_id, name, familiarity, appetite (their scale), score,
    low, high (0-100), coverage (0-1), rank_low, rank_high, n_ranked, p_top (0-1); missing under the
    least coverage) and contributions, as of `measure_contributions`. Weights that are negative or
    sum to 0 are a UsageError.
    """
    criteria = scoring.weigh_criteria(result.codebook.criteria, weights=scenario.weights)
    drawn, averages = result.draws, result.tables["averages"]
    usual, least = result.parameters["minimum_coverage"], scenario.minimum_coverage
    least = usual if least is None else least
    tree = scoring.read_hierarchy(criteria, dimension=DIMENSION, minimum_coverage=least)
    rated = drawn.panel >= 0
    actors = pd.DataFrame({"actor_id": drawn.actors[rated]})
    marks = averages.pivot_table("mean", "actor_id", "criterion").reindex(columns=READINESS)
    mine = averages["criterion"].isin(tree.table.index)
    mine &= averages["actor_id"].isin(actors["actor_id"])
    scores = scoring.score_actors(
        averages[mine], criteria=criteria, actors=actors, minimum_coverage=least
    )
    score = partial(scoring.score_draws, drawn.array[:, rated], tree=tree, columns=drawn.criteria)
    weights = scoring.draw_weights(tree, draws=len(drawn.array), seed=pipeline.SEED)
    ranks = scoring.rank_actors(
        score(weights=weights), actors=actors, top=pipeline.TOP, panel=drawn.panel[rated]
    ).rename(columns={"low": "rank_low", "high": "rank_high"})
    found = actors.set_index("actor_id").join([
        result.tables["actors"].set_index("actor_id")["name"], marks,
        scores.set_index("actor_id")[["score", "coverage"]],
        scoring.measure_intervals(score(), actors=actors).set_index("actor_id")[["low", "high"]],
        ranks.set_index("actor_id")[["rank_low", "rank_high", "n_ranked", "p_top"]],
    ])  # fmt: skip
    means = scoring.read_means(averages[mine], tree=tree, actors=actors)
    return {
        "actors": found.sort_values(["score", "name"], ascending=[False, True]).reset_index(),
        "contributions": scoring.measure_contributions(means, tree=tree),
    }


def draw_grid(actors: pd.DataFrame, *, result: TerritoryResult, language: Language) -> str:
    """Draw familiarity against appetite as SVG: the darker a mark, the higher its score."""
    scales = result.codebook.criteria.loc[READINESS, ["scale_min", "scale_max"]]
    across, up = (result.codebook.label("criteria", code, language.code) for code in READINESS)
    rows = actors.dropna(subset=READINESS)
    return _fill("grid", language, rows, scales=scales.to_numpy(float), across=across, up=up)


def draw_ranks(actors: pd.DataFrame, *, language: Language, actor_id: str = "") -> str:
    """Draw scores and ranks with their intervals as an HTML table, one actor marked."""
    return _fill("ranks", language, actors, chosen=actor_id)


def describe_actor(
    tables: Mapping[str, pd.DataFrame], *, answers: pd.DataFrame, actor_id: str,
    result: TerritoryResult, language: Language,
) -> str:  # fmt: skip
    """Describe what an actor's score is made up of, and who rated it: ids, no names.

    `answers` are the territory's ratings (rater_id, actor_id, criterion, value).
    """
    row, parts, said = (
        table[table["actor_id"] == actor_id]
        for table in (tables["actors"], tables["contributions"].dropna(), answers)
    )
    said = said[said["criterion"].isin(parts["criterion"])]
    return "" if row.empty else _fill(
        "actor", language, row, parts=list_records(parts),
        raters=list_records(said.pivot_table("value", "rater_id", "criterion").reset_index()),
        label=partial(result.codebook.label, "criteria", language=language.code),
    )  # fmt: skip


def _fill(macro: str, language: Language, rows: pd.DataFrame, **context: Any) -> str:
    view = use_templates(language.code).get_template("explorer.html.j2").module
    return str(getattr(view, macro)(list_records(rows), **context))


def show_explorer(study: Study, *, territory_id: str = "", language: str = "fr") -> widgets.VBox:
    """Show widgets to explore a study; `territory_id` is the first when not given."""
    words = use_language(language)
    places = study.tables["territories"].set_index("territory_id")["name"]
    place = widgets.Dropdown(
        options=[(name, code) for code, name in places.items()],
        value=territory_id or places.index[0], description=words.gettext("Territory"),
    )  # fmt: skip
    slider = partial(
        widgets.FloatSlider, min=0, style={"description_width": "14em"}, layout={"width": "32em"}
    )
    criteria = study.codebook.criteria.query("dimension == @DIMENSION")
    sliders = {
        code: slider(value=weight, max=max(5.0, weight), step=0.25, description=label)
        for code, weight, label in criteria[["weight", f"label_{language}"]].itertuples()
    }
    least = slider(value=0.5, max=1, step=0.05, description=words.gettext("Least coverage"))
    actor = widgets.Dropdown(description=words.gettext("Organisation"))
    file = widgets.Text(value="scenario.yaml", description=words.gettext("File"))
    save = widgets.Button(description=words.gettext("Save as scenario"))
    grid, ranks, about, message = (widgets.HTML() for _ in range(4))
    results: list[TerritoryResult] = []

    def read_scenario() -> scoring.Scenario:
        weights = {code: slider.value for code, slider in sliders.items()}
        return scoring.Scenario(weights, least.value, place.value)

    def update(_: object = None) -> None:
        result, answers = results[-1], study.tables["ratings"]
        try:
            tables = compute_view(result, read_scenario())
        except EcoanalysisError as error:
            message.value = f"<b>{escape(str(error))}</b>"
            return
        answers = answers[answers["territory_id"] == result.territory_id]
        given: dict[str, Any] = {"actor_id": actor.value or "", "language": words}
        message.value = ""
        grid.value = draw_grid(tables["actors"], result=result, language=words)
        ranks.value = draw_ranks(tables["actors"], **given)
        about.value = describe_actor(tables, answers=answers, result=result, **given)

    def choose_place(_: object = None) -> None:
        results[:] = [pipeline.run_territory(study, place.value)]
        register, drawn = results[-1].tables["actors"], results[-1].draws
        rated = register[register["actor_id"].isin(drawn.actors[drawn.panel >= 0])]
        names = rated.sort_values("name")[["name", "actor_id"]].itertuples(index=False, name=None)
        actor.options = [("–", ""), *names]
        update()

    def write(_: object) -> None:
        path = Path(file.value)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            scoring.write_scenario(read_scenario(), path)
        except OSError as error:
            message.value = f"<b>{escape(str(error))}</b>"
            return
        said = words.gettext("Saved; “ecoanalysis report … --scenario %(file)s” makes the report.")
        message.value = escape(said % {"file": path})

    place.observe(choose_place, "value")
    for widget in (*sliders.values(), least, actor):
        widget.observe(update, "value")
    save.on_click(write)
    choose_place()
    box = widgets.VBox([
        place, *sliders.values(), least, widgets.HBox([file, save]), message,
        widgets.HBox([grid, ranks]), actor, about,
    ])  # fmt: skip
    box.add_class("explore")
    return box
