"""The map of ties to explore: one piece of HTML with its script, without any request."""

from __future__ import annotations

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

    It stays hidden until its script runs, so that the figure beside it is seen without. It shows
    the places of `figures.place_network`, which takes `ties`, `actors` and `bridges`.
    """
    known, pairs = figures.place_network(ties, actors=actors, bridges=bridges)
    if pairs.empty:
        return Markup("")
    codes = known["helix"].where(known["helix"].isin(list(style.HELICES)), "").astype(str)
    order = [code for code in [*style.HELICES, ""] if code in set(codes)]
    key = style.make_key(codes, codebook, use_language(language))
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
    }  # fmt: skip
    template = use_templates(language).get_template("explore.html.j2")
    return Markup(template.render(data=data, script=Markup(_read_script())))


@cache
def _read_script() -> str:
    return (FOLDER / "explore.js").read_text("utf-8")
