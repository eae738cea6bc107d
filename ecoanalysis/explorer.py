"""Explore a territory in a notebook: move weights and coverage; grid, scores and ranks follow.

State, computation and view stand apart: a `State` says what was chosen, `compute_view` makes tables
of it, the `draw_` and `describe_` functions make markup of these, and `show_explorer` wires widgets
to them. The draws are those of a report, so that a saved scenario gives a report the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any

import ipywidgets as widgets
import pandas as pd

from ecoanalysis import pipeline, scoring
from ecoanalysis.errors import EcoanalysisError
from ecoanalysis.pipeline import TerritoryResult
from ecoanalysis.study import Study
from ecoanalysis.wording import Language, use_language

DIMENSION, GRID = "readiness", ("familiarity", "appetite")
SIZE, MARGIN = 340, 34  # pixels
STYLE = """<style>
.explore table { border-collapse: collapse; font-size: 13px; }
.explore td, .explore th { padding: 2px 8px; text-align: left; line-height: 1.35; }
.explore td.n { text-align: right; white-space: nowrap; }
.explore .bar { position: relative; display: inline-block; width: 120px; height: 8px;
  background: #e7ecef; }
.explore .bar i { position: absolute; top: 0; bottom: 0; background: #a3bdd6; }
.explore .bar b { position: absolute; top: -2px; width: 3px; height: 12px; background: #1b4f7f; }
.explore tr.chosen { background: #fff3d6; }
</style>"""


@dataclass(frozen=True)
class State:
    """What was chosen: weights by criterion, least coverage (0-1), an actor or none ("")."""

    weights: Mapping[str, float]
    minimum_coverage: float = 0.5
    actor_id: str = ""


def compute_view(result: TerritoryResult, state: State) -> dict[str, pd.DataFrame]:
    """Score and rank a territory's actors with the weights and the coverage of a state.

    Parameters
    ----------
    result : TerritoryResult
        Of `pipeline.run_territory`, whose averages and draws are used as they are.
    state : State
        What was chosen.

    Returns
    -------
    dict of str to pandas.DataFrame
        actors: one row an actor rated, best first: actor_id, name, familiarity, appetite (their
        scale), score, low, high (0-100), coverage (0-1), rank_low, rank_high, n_ranked, p_top
        (0-1); missing under the least coverage. contributions: as `measure_contributions`.

    Raises
    ------
    UsageError
        If the weights are negative or sum to 0.
    """
    criteria = scoring.weigh_criteria(result.codebook.criteria, weights=state.weights)
    tree = scoring.read_hierarchy(criteria, dimension=DIMENSION)
    drawn, averages = result.draws, result.tables["averages"]
    rated = drawn.panel >= 0
    actors = pd.DataFrame({"actor_id": drawn.actors[rated]})
    mine = averages["criterion"].isin(tree.table.index) & averages["actor_id"].isin(
        actors["actor_id"]
    )
    least = state.minimum_coverage
    scores = scoring.score_actors(
        averages[mine], criteria=criteria, actors=actors, minimum_coverage=least
    )
    score = partial(
        scoring.score_draws, drawn.array[:, rated], tree=tree, columns=drawn.criteria,
        minimum_coverage=least,
    )  # fmt: skip
    weights = scoring.draw_weights(tree, draws=len(drawn.array), seed=pipeline.SEED)
    ranks = scoring.rank_actors(
        score(weights=weights), actors=actors, top=pipeline.TOP, panel=drawn.panel[rated]
    )
    found = scores.set_index("actor_id").reindex(actors["actor_id"])
    ends, taken = ["low", "high"], ["low", "high", "n_ranked", "p_top"]
    found[ends] = scoring.measure_intervals(score(), actors=actors)[ends].to_numpy()
    found[["rank_low", "rank_high", "n_ranked", "p_top"]] = ranks[taken].to_numpy()
    found["name"] = result.tables["actors"].set_index("actor_id")["name"].reindex(found.index)
    means = scoring.read_means(averages[mine], tree=tree, actors=actors)
    for code in GRID:
        own = averages[averages["criterion"] == code].set_index("actor_id")["mean"]
        found[code] = own.reindex(found.index)
    return {
        "actors": found.sort_values(["score", "name"], ascending=[False, True]).reset_index(),
        "contributions": scoring.measure_contributions(means, tree=tree),
    }


def draw_grid(actors: pd.DataFrame, *, result: TerritoryResult, language: Language) -> str:
    """Draw familiarity against appetite as SVG: the darker a mark, the higher its score."""
    scales = result.codebook.criteria.loc[list(GRID), ["scale_min", "scale_max"]].to_numpy(float)
    (left, right), (bottom, top) = scales
    known = actors.dropna(subset=list(GRID))
    x = MARGIN + (known["familiarity"] - left) / (right - left) * (SIZE - 2 * MARGIN)
    y = SIZE - MARGIN - (known["appetite"] - bottom) / (top - bottom) * (SIZE - 2 * MARGIN)
    marks = [
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="6" fill="#1b4f7f" stroke="#1b4f7f" '
        f'fill-opacity="{0 if pd.isna(score) else score / 100:.3f}"><title>{escape(name)}: '
        f"{language.format_number(score)}</title></circle>"
        for a, b, score, name in zip(x, y, known["score"], known["name"], strict=True)
    ]
    across, up = (escape(result.codebook.label("criteria", c, language.code)) for c in GRID)
    inner = SIZE - 2 * MARGIN
    return (
        f'<svg width="{SIZE}" height="{SIZE}" role="img" aria-label="{across}, {up}">'
        f'<rect x="{MARGIN}" y="{MARGIN}" width="{inner}" height="{inner}" fill="none" '
        f'stroke="#8796a3"/><path d="M{SIZE / 2} {MARGIN}v{inner}M{MARGIN} {SIZE / 2}h{inner}" '
        f'stroke="#d5dce1"/>{"".join(marks)}<text x="{SIZE - MARGIN}" y="{SIZE - 8}" '
        f'text-anchor="end" font-size="13">{across} →</text>'
        f'<text x="{MARGIN}" y="20" font-size="13">↑ {up}</text></svg>'
    )


def draw_ranks(actors: pd.DataFrame, *, state: State, language: Language) -> str:
    """Draw scores and ranks with their intervals as an HTML table."""
    number, percent, t = language.format_number, language.format_percent, language.gettext
    heads = [t("Organisation"), t("Score"), t("90%% of draws") % (), t("Coverage"), t("Rank")]
    rows = []
    for row in actors.to_dict("records"):
        low, high, score = row["low"], row["high"], row["score"]
        spread = place = "–"
        if pd.notna(low):
            spread = f"{number(low)}–{number(high)}"
            place = f"{number(row['rank_low'])}–{number(row['rank_high'])}"
            spread = (
                f'<span class="bar"><i style="left:{low:.0f}%;right:{100 - high:.0f}%"></i>'
                f'<b style="left:{score:.0f}%"></b></span> {spread}'
            )
        cells = [number(score, 1), spread, percent(row["coverage"]), place]
        chosen = " class=chosen" if row["actor_id"] == state.actor_id else ""
        rows.append(
            f"<tr{chosen}><td>{escape(row['name'])}</td>"
            + "".join(f'<td class="n">{cell}</td>' for cell in cells)
            + "</tr>"
        )
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<table><tr>{head}</tr>{''.join(rows)}</table>"


def describe_actor(
    tables: Mapping[str, pd.DataFrame], *, answers: pd.DataFrame, state: State,
    result: TerritoryResult, language: Language,
) -> str:  # fmt: skip
    """Describe what an actor's score is made up of, and who rated it: ids of raters, no names.

    `answers` are the territory's ratings (rater_id, actor_id, criterion, value).
    """
    (row,) = tables["actors"].query("actor_id == @state.actor_id").to_dict("records")
    label = partial(result.codebook.label, "criteria", language=language.code)
    parts = tables["contributions"].query("actor_id == @state.actor_id").dropna()
    made = ", ".join(
        f"{escape(label(code))} {language.format_number(points, 1)}"
        for code, points in zip(parts["criterion"], parts["contribution"], strict=True)
    )
    number, said = language.format_number, language.gettext("too few answers")
    if pd.notna(row["score"]):
        ends = language.gettext("90%% of draws") % ()
        said = f"{number(row['score'], 1)} = {made} ({ends}: {number(row['low'])}–"
        said += f"{number(row['high'])}; {language.format_percent(row['coverage'])})"
    mine = answers["actor_id"].eq(state.actor_id) & answers["criterion"].isin(parts["criterion"])
    wide = answers[mine].pivot_table("value", "rater_id", "criterion")
    head = "".join(f"<th>{escape(label(str(code)))}</th>" for code in wide)
    rows = "".join(
        f"<tr><td>{escape(str(rater))}</td>"
        + "".join(f'<td class="n">{number(value)}</td>' for value in values)
        + "</tr>"
        for rater, values in zip(wide.index, wide.to_numpy(), strict=True)
    )
    head = f"<tr><th>{language.gettext('Rater')}</th>{head}</tr>"
    return f"<p><b>{escape(row['name'])}</b>: {said}</p><table>{head}{rows}</table>"


def show_explorer(study: Study, *, territory_id: str = "", language: str = "fr") -> widgets.VBox:
    """Show widgets to explore a study; `territory_id` is the first when not given."""
    words = use_language(language)
    places = study.tables["territories"].set_index("territory_id")["name"]
    place = widgets.Dropdown(
        options=[(name, code) for code, name in places.items()],
        value=territory_id or places.index[0], description=words.gettext("Territory"),
    )  # fmt: skip
    criteria = study.codebook.criteria.query("dimension == @DIMENSION")
    sliders = {
        code: widgets.FloatSlider(
            value=weight, min=0, max=max(5.0, weight), step=0.25, description=label,
            style={"description_width": "14em"}, layout={"width": "32em"},
        )
        for code, weight, label in criteria[["weight", f"label_{language}"]].itertuples()
    }  # fmt: skip
    least = widgets.FloatSlider(
        value=0.5, min=0, max=1, step=0.05, description=words.gettext("Least coverage"),
        style={"description_width": "14em"}, layout={"width": "32em"},
    )  # fmt: skip
    actor = widgets.Dropdown(description=words.gettext("Organisation"))
    file = widgets.Text(value="scenario.yaml", description=words.gettext("File"))
    save = widgets.Button(description=words.gettext("Save as scenario"))
    grid, ranks, about, message = (widgets.HTML() for _ in range(4))
    known: dict[str, Any] = {}

    def read_state() -> State:
        weights = {code: slider.value for code, slider in sliders.items()}
        return State(weights, least.value, actor.value or "")

    def update(_: object = None) -> None:
        try:
            state, result = read_state(), known["result"]
            tables = compute_view(result, state)
            grid.value = draw_grid(tables["actors"], result=result, language=words)
            ranks.value = STYLE + draw_ranks(tables["actors"], state=state, language=words)
            about.value = (
                describe_actor(
                    tables, answers=known["answers"], state=state, result=result, language=words
                )
                if state.actor_id
                else ""
            )
            message.value = ""
        except EcoanalysisError as error:
            message.value = f"<b>{escape(str(error))}</b>"

    def choose_place(_: object = None) -> None:
        known["result"] = pipeline.run_territory(study, place.value)
        answers = study.tables["ratings"]
        known["answers"] = answers[answers["territory_id"] == place.value]
        names = known["result"].tables["actors"].set_index("actor_id")["name"]
        rated = names[
            names.index.isin(known["result"].draws.actors[known["result"].draws.panel >= 0])
        ]
        actor.options = [("–", ""), *((name, code) for code, name in rated.sort_values().items())]
        update()

    def write(_: object) -> None:
        state = read_state()
        scenario = scoring.Scenario(state.weights, state.minimum_coverage, place.value)
        path = scoring.write_scenario(scenario, file.value)
        message.value = escape(
            words.gettext("Saved; “ecoanalysis report … --scenario %(file)s” makes the report.")
            % {"file": path}
        )

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
