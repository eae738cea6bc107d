"""The map of ties to explore: one piece of HTML with its script, without any request."""

from __future__ import annotations

import json
from collections.abc import Collection
from functools import cache

import pandas as pd
from markupsafe import Markup

from ecoanalysis import figures
from ecoanalysis.codebook import Codebook
from ecoanalysis.figures import style
from ecoanalysis.report.section import FOLDER, use_templates
from ecoanalysis.wording import use_language

SHAPES = {
    "o": "M-1 0A1 1 0 1 0 1 0A1 1 0 1 0-1 0Z", "s": "M-.9-.9H.9V.9H-.9Z", "^": "M0-1.1 1.1 1H-1.1Z",
    "D": "M0-1.25 1.25 0 0 1.25-1.25 0Z",
    "X": "M-1-.5-.5-1 0-.5 .5-1 1-.5 .5 0 1 .5 .5 1 0 .5-.5 1-1 .5-.5 0Z",
}  # fmt: skip
"""Outlines of the marks, about as large as a circle of radius 1."""


def explore_map(
    ties: pd.DataFrame, *, actors: pd.DataFrame, codebook: Codebook, language: str,
    bridges: Collection[str] = (),
) -> Markup:  # fmt: skip
    """Make the map of ties to explore; empty where there is no tie.

    It stays hidden until its script runs, so that the figure beside it is seen without.

    Parameters
    ----------
    ties, actors, bridges : as in `figures.place_network`, of which it shows the places.
    codebook : Codebook
        Labels of helices and of kinds of ties.
    language : str
        Language code of the page.
    """
    known, pairs = figures.place_network(ties, actors=actors, bridges=bridges)
    if pairs.empty:
        return Markup("")
    words = use_language(language)
    codes = known["helix"].where(known["helix"].isin(list(style.HELICES)), "").astype(str)
    order = [code for code in [*style.HELICES, ""] if code in set(codes)]
    key = style.make_key(codes, codebook, words)
    counts = codes.value_counts()
    groups = dict(list(pairs.groupby("kind", sort=False)[["source", "target"]]))
    data = {
        "names": [style.clean_words(name) for name in known["name"]],
        "helix": [order.index(code) for code in codes],
        "x": known["x"].round(1).tolist(),
        "y": known["y"].round(1).tolist(),
        "width": round(figures.ACROSS),
        "height": round(known["y"].max()) + 12,
        "bridges": known.index[known["bridge"]].tolist(),
        "kinds": [codebook.label("relation_kinds", str(kind), language) for kind in groups],
        "ties": [ends.to_numpy().ravel().tolist() for ends in groups.values()],
        "helices": [
            {"label": label, "fill": mark.colour, "edge": mark.edge, "d": SHAPES[mark.shape],
             "n": int(counts[code])}
            for code, (mark, label) in zip(order, key, strict=True)
        ],
        "words": {
            "lang": language,
            "status": words.gettext("Shown: {n} of {all} organisations, {ties} ties."),
            "option": words.gettext("{name}, {sector}, tied to {ties}"),
            "tied": words.gettext("Tied to, either way:"),
            "alone": words.gettext("No tie shown."),
            "bridge": words.gettext("bridge between groups"),
        },
    }  # fmt: skip
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    page = (
        use_templates(language)
        .get_template("explore.html.j2")
        .render(data=data, json=Markup(text.replace("<", r"\u003c")), script=Markup(_read_script()))
    )
    return Markup(page)


@cache
def _read_script() -> str:
    return (FOLDER / "explore.js").read_text("utf-8")
