"""Figures: laid out on the axes given, nothing overlapping, light, and the same bytes each time."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Callable
from itertools import combinations, combinations_with_replacement
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

from ecoanalysis import figures
from ecoanalysis.codebook import read_codebook
from ecoanalysis.figures import names, style
from ecoanalysis.wording import use_language

pytestmark = pytest.mark.filterwarnings("ignore:Glyph .* missing from")  # `draw` sees to it itself
BOOK = read_codebook()
NAMES = [
    "Mairie de Valmontagne",
    "Syndicat mixte de gestion de l'eau potable et de l'assainissement des trois vallées réunies",
    "Réseau $x$ des makers",
    "</script><b>Gras</b>",
    "Associação São João da Conceição",
    "Tartu Ülikooli teaduspark Õismäe",
    "جمعية شباب المدينة",
    "日本のハブ",
    "Deux\nlignes\x0b et plus",
    "École 42",
]


def make_actors(n: int, *, spread: float = 0.02, city: str = "Valmontagne") -> pd.DataFrame:
    draws = np.random.default_rng(3)
    kinds = draws.choice(BOOK.kinds.index, n)
    return pd.DataFrame(
        {
            "actor_id": [f"a{i}" for i in range(n)],
            "name": [NAMES[i % len(NAMES)] for i in range(n)],
            "kind": kinds,
            "helix": BOOK.kinds["helix"].reindex(kinds).to_numpy(),
            "city": city,
            "latitude": 45 + draws.normal(0, spread, n),
            "longitude": 3 + draws.normal(0, spread, n),
        }
    )


def make_averages(actors: pd.DataFrame, *, same: bool = False) -> pd.DataFrame:
    draws = np.random.default_rng(5)
    rated = BOOK.criteria["dimension"].isin(["readiness", "interest", "resource", "lever", "seeks"])
    cells = pd.MultiIndex.from_product(
        [actors["actor_id"], BOOK.criteria.index[rated]], names=["actor_id", "criterion"]
    )
    means = np.full(len(cells), 3.0) if same else draws.integers(0, 11, len(cells)) / 2
    table = pd.DataFrame({"mean": means}, index=cells).reset_index()
    return table if same else table[draws.random(len(table)) > 0.15]


def make_grid(actors: pd.DataFrame, *, same: bool = False) -> pd.DataFrame:
    averages, means = make_averages(actors, same=same), ["familiarity", "appetite"]
    wide = averages.pivot_table("mean", "actor_id", "criterion").reindex(columns=means)
    grid = actors.merge(wide, left_on="actor_id", right_index=True)
    ends = {"low": grid[means] - 0.4, "high": grid[means] + 0.3}
    return grid.join([ends[end].add_suffix(f"_{end}") for end in ends])


def make_ties(n: int, *, mean_degree: float = 4) -> pd.DataFrame:
    draws = np.random.default_rng(7)
    ends = draws.integers(0, n, (int(n * mean_degree / 2), 2))
    ends = ends[ends[:, 0] != ends[:, 1]]
    return pd.DataFrame(
        {"source_id": [f"a{i}" for i in ends[:, 0]], "target_id": [f"a{i}" for i in ends[:, 1]]}
    ).assign(kind="partners_with")


def make_powers(actors: pd.DataFrame) -> pd.DataFrame:
    power, interest = np.random.default_rng(6).random((2, len(actors)))
    sure = np.arange(len(actors)) % 2
    return actors.assign(power=power, interest=interest, p_quadrant=0.6 + 0.4 * sure)


def make_matrix(group: str) -> pd.DataFrame:
    codes = getattr(BOOK, group).index[:10]
    pairs = list(combinations_with_replacement(codes, 2))
    return pd.DataFrame(pairs, columns=["source_group", "target_group"]).assign(
        n_ties=range(len(pairs))
    )


STAR = pd.DataFrame({"source_id": "a0", "target_id": [f"a{i}" for i in range(1, 12)], "kind": ""})
FEW, MANY = make_actors(33), make_actors(1190)
TWO_TOWNS = FEW.assign(city=["Valmontagne", "PARIS CEDEX 16", "Paris  cedex"] * 11)
WORDS = {"fr": use_language("fr"), "en": use_language("en")}
BOTH: dict[str, Any] = {"codebook": BOOK, "language": WORDS["fr"]}

PLOTS: dict[str, Callable[[Axes], Axes]] = {
    "map": lambda ax: figures.plot_map(FEW, ax=ax, **BOTH),
    "map, towns": lambda ax: figures.plot_map(TWO_TOWNS, ax=ax, **BOTH),
    "map, one actor": lambda ax: figures.plot_map(FEW[:1], ax=ax, **BOTH),
    "map, one place": lambda ax: figures.plot_map(make_actors(33, spread=0), ax=ax, **BOTH),
    "map, many": lambda ax: figures.plot_map(MANY, ax=ax, **BOTH),
    "readiness": lambda ax: figures.plot_readiness(make_grid(FEW), ax=ax, **BOTH),
    "readiness, all the same": lambda ax: figures.plot_readiness(
        make_grid(FEW, same=True), ax=ax, **BOTH
    ),
    "readiness, one actor": lambda ax: figures.plot_readiness(
        make_grid(FEW[:1], same=True), ax=ax, **BOTH
    ),
    "power and interest": lambda ax: figures.plot_power_interest(make_powers(FEW), ax=ax, **BOTH),
    "network": lambda ax: figures.plot_network(make_ties(30), actors=FEW, ax=ax, **BOTH),
    "network, one tie": lambda ax: figures.plot_network(
        make_ties(30)[:1], actors=FEW, ax=ax, **BOTH
    ),
    "network, star": lambda ax: figures.plot_network(STAR, actors=FEW, ax=ax, **BOTH),
    "network, bridges": lambda ax: figures.plot_network(
        make_ties(30), actors=FEW, ax=ax, bridges={"a3", "a9"}, **BOTH
    ),
    "network, 120": lambda ax: figures.plot_network(
        make_ties(120, mean_degree=8), actors=MANY[:150], ax=ax, **BOTH
    ),
    "network, many": lambda ax: figures.plot_network(
        make_ties(1190, mean_degree=10), actors=MANY, ax=ax, **BOTH
    ),
    "mixing": lambda ax: figures.plot_mixing(make_matrix("helices"), ax=ax, **BOTH),
}
EMPTY: dict[str, Callable[[Axes], Axes]] = {
    "map": lambda ax: figures.plot_map(FEW.assign(latitude=np.nan), ax=ax, **BOTH),
    "readiness": lambda ax: figures.plot_readiness(make_grid(FEW)[:0], ax=ax, **BOTH),
    "power and interest": lambda ax: figures.plot_power_interest(
        make_powers(FEW)[:0], ax=ax, **BOTH
    ),
    "network": lambda ax: figures.plot_network(make_ties(30)[:0], actors=FEW, ax=ax, **BOTH),
    "mixing": lambda ax: figures.plot_mixing(make_matrix("helices")[:0], ax=ax, **BOTH),
}


@pytest.fixture
def ax() -> Axes:
    figure = Figure(figsize=(style.WIDTH, 4), dpi=72)
    FigureCanvasSVG(figure)  # measures text as `draw` does
    return figure.add_subplot()


@pytest.fixture(autouse=True)
def look() -> Any:
    with mpl.rc_context(style.RC):
        yield


def read_words(ax: Axes) -> list[str]:
    return [text.get_text() for text in list_texts(ax)]


def list_texts(ax: Axes) -> list[Text]:
    texts = [
        *ax.texts,
        ax.xaxis.label,
        ax.yaxis.label,
        *ax.get_xticklabels(),
        *ax.get_yticklabels(),
    ]
    return [text for text in texts if text.get_text() and text.get_visible()]


@pytest.mark.parametrize("name", PLOTS)
def test_words_stay_inside_and_apart(name: str, ax: Axes) -> None:
    assert PLOTS[name](ax) is ax
    figure = style.find_figure(ax)
    figure.draw_without_rendering()
    boxes = [(text.get_text(), Text.get_window_extent(text)) for text in list_texts(ax)]
    for words, box in boxes:
        assert box.x0 >= -0.5 and box.x1 <= figure.bbox.width + 0.5, words
        assert box.y0 >= -0.5 and box.y1 <= figure.bbox.height + 0.5, words
    for (one, a), (other, b) in combinations(boxes, 2):
        across, upwards = min(a.x1, b.x1) - max(a.x0, b.x0), min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 0.5 or upwards < 1.5, (one, other)


@pytest.mark.parametrize("name", PLOTS)
def test_drawings_are_light_and_hold_shapes_only(name: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = figures.draw(PLOTS[name])
    limits = {"network, many": 300_000, "map, many": 300_000}  # bytes
    assert len(svg.encode()) < limits.get(name, 120_000)
    root = ElementTree.fromstring(svg)
    assert root.attrib["width"] == "100%" and root.attrib["viewBox"].startswith("0 0 446.4 ")
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "g", "defs", "path", "use", "clipPath", "rect", "pattern"}
    assert not any((element.text or "").strip() for element in root.iter())
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert set(re.findall(r'(?:href="|url\()#(\w+)', svg)) <= set(ids)
    assert svg.count("http") == 1 and "$" not in svg and "<!" not in svg


def test_drawings_are_the_same_in_another_process() -> None:
    code = (
        "import sys; sys.path.insert(0, 'tests'); import test_figures as t;"
        "sys.stdout.write(''.join(t.figures.draw(t.PLOTS[n]) for n in sys.argv[1:]))"
    )
    chosen = ["network", "map"]
    run = subprocess.run(
        [sys.executable, "-c", code, *chosen],
        env=os.environ | {"PYTHONHASHSEED": "12"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == "".join(figures.draw(PLOTS[name]) for name in chosen)


@pytest.mark.parametrize("name", EMPTY)
def test_empty_tables_say_so(name: str, ax: Axes) -> None:
    assert EMPTY[name](ax) is ax
    assert read_words(ax) == [WORDS["fr"].gettext("Nothing to draw: not collected yet.")]


def test_axes_of_others_keep_their_figure() -> None:
    figure = Figure(figsize=(9, 4), dpi=100)
    left, right = figure.subplots(1, 2)
    figures.plot_mixing(make_matrix("helices"), ax=right, codebook=BOOK, language=WORDS["en"])
    assert tuple(figure.get_size_inches()) == (9, 4)
    assert left.get_window_extent().x1 < right.get_window_extent().x0


def test_helices_differ_in_lightness_and_in_shape() -> None:
    # CIE L* = 116 (Y / Yn)^(1/3) - 16, Y from sRGB (IEC 61966-2-1) with Yn = 1
    def measure_lightness(colour: str) -> float:
        rgb = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(116 * (linear @ [0.2126, 0.7152, 0.0722]) ** (1 / 3) - 16)

    assert set(style.HELICES) == set(BOOK.helices.index)
    lightness = sorted(measure_lightness(mark.colour) for mark in style.HELICES.values())
    assert min(np.diff(lightness)) > 15
    assert len({mark.shape for mark in [*style.HELICES.values(), style.UNKNOWN]}) == 5


def test_names_are_short_single_lines() -> None:
    assert style.shorten_name(NAMES[1]) == "Syndicat mixte de gestion d…"
    assert style.shorten_name(NAMES[8]) == "Deux lignes et plus"
    assert style.clean_words("Deux\x0b et \ud800") == "Deux et"
    assert style.wrap_words("Structures d’accompagnement et lieux", width=26).count("\n") == 1


def test_marks_at_one_place_are_fanned_out(ax: Axes) -> None:
    ax.set(xlim=(0, 1), ylim=(0, 1))
    places = np.array([[0.5, 0.5]] * 5 + [[0.1, 0.9]])
    moved = style.fan_out(ax, places, spacing=8)
    dots = ax.transData.transform(moved)
    assert np.allclose(moved[-1], places[-1])
    assert min(np.hypot(*(a - b)) for a, b in combinations(dots[:5], 2)) > 6


def test_names_that_do_not_fit_are_counted(ax: Axes) -> None:
    ax.set(xlim=(0, 1), ylim=(0, 1))
    places = np.random.default_rng(1).random((80, 2))
    omitted = names.place_names(ax, places, ["Maison des associations"] * 80)
    assert omitted == 80 - len(ax.texts) > 0
    assert names.describe_omitted(12, language=WORDS["en"]) == "+ 12 names not shown"
    assert names.describe_omitted(0, language=WORDS["en"]) == ""


def test_far_actors_leave_the_frame_and_are_counted(ax: Axes) -> None:
    far = FEW.assign(latitude=FEW["latitude"].mask(FEW.index == 4, 4.0))
    figures.plot_map(far, ax=ax, codebook=BOOK, language=WORDS["en"])
    assert "1 organisation lies outside the frame." in read_words(ax)
    low, high = ax.get_ylim()
    assert 44 < low < FEW["latitude"].drop(4).min() < FEW["latitude"].drop(4).max() < high < 46


def test_map_has_true_proportions(ax: Axes) -> None:
    figures.plot_map(FEW, ax=ax, **BOTH)
    box, (left, right), (low, high) = ax.get_window_extent(), ax.get_xlim(), ax.get_ylim()
    narrowing = np.cos(np.radians((low + high) / 2))
    assert (right - left) * narrowing / box.width == pytest.approx((high - low) / box.height)


def test_towns_are_named_once_without_postal_remains(ax: Axes) -> None:
    figures.plot_map(TWO_TOWNS, ax=ax, **BOTH)
    words = read_words(ax)
    assert words.count("Paris") == 1 and not any("cedex" in word.lower() for word in words)


@pytest.mark.parametrize(
    ("written", "town"),
    [
        ("93100 Montreuil", "Montreuil"),
        ("F-93 100 Montreuil", "Montreuil"),
        ("6th of October", "6th of October"),
        ("10th of Ramadan 2", "10th of Ramadan"),
        ("Saint-Denis (93)", "Saint-Denis"),
        ("Saint-Denis (Seine 93)", "Saint-Denis"),
        ("LYON 3E", "Lyon"),
        ("Villeurbanne, 69100", "Villeurbanne"),
    ],
)
def test_codes_and_districts_are_no_part_of_a_town(written: str, town: str, ax: Axes) -> None:
    figures.plot_map(FEW.assign(city=["Valmontagne", written, written] * 11), ax=ax, **BOTH)
    assert {"Valmontagne", town} <= set(read_words(ax))


@pytest.mark.parametrize(
    ("longitudes", "middle", "width"),  # the width holds a rim of 1/25 at each side
    [
        ([179.9, -179.9, 180.0], 180.0, 0.2 * 1.08),  # Fiji
        ([-0.1, 0.3, 0.1], 0.1, 0.4 * 1.08),  # both sides of Greenwich
        ([2.3, -1.7, 4.8] * 20 + [166.4], 1.55, 6.5 * 1.08),  # one in Nouméa, outside the frame
        ([-61.5, -61.25, -61.0], -61.25, 0.5 * 1.08),
    ],
)
def test_a_map_runs_across_180_degrees_where_actors_lie_there(
    longitudes: list[float], middle: float, width: float, ax: Axes
) -> None:
    actors = make_actors(len(longitudes), spread=0).assign(longitude=longitudes)
    figures.plot_map(actors.assign(latitude=-17.0), ax=ax, **BOTH)
    assert np.mean(ax.get_xlim()) == pytest.approx(middle)
    assert np.ptp(ax.get_xlim()) == pytest.approx(width)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0, 5, ["0", "1", "2", "3", "4", "5"]),
        (0, 12, ["0", "2", "4", "6", "8", "10", "12"]),
        (1, 7, ["1", "2", "3", "4", "5", "6", "7"]),
        (1, 12, ["2", "4", "6", "8", "10", "12"]),
        (0, 1, ["0", "1"]),
        (0, 0.25, ["0.00", "0.05", "0.10", "0.15", "0.20", "0.25"]),
    ],
)
def test_ticks_stand_where_their_numbers_say(
    low: float, high: float, labels: list[str], ax: Axes
) -> None:
    criteria = BOOK.criteria.assign(scale_min=float(low), scale_max=float(high))
    book = dataclasses.replace(BOOK, criteria=criteria)
    grid = FEW[:1].assign(familiarity=high, appetite=high)
    figures.plot_readiness(grid, ax=ax, codebook=book, language=WORDS["en"])
    ticks = [text for text in ax.texts if re.fullmatch(r"[\d.]+", text.get_text())]
    assert [text.get_text() for text in ticks] == labels * 2  # across, upwards
    places = [sum(text.get_position()) for text in ticks]  # the other coordinate is 0
    assert places == pytest.approx([float(label) for label in labels * 2])


def test_half_rated_actors_are_counted_and_quarters_named(ax: Axes) -> None:
    grid = FEW[:3].assign(familiarity=[4.0, np.nan, np.nan], appetite=[4.5, 1.0, np.nan])
    figures.plot_readiness(grid, ax=ax, codebook=BOOK, language=WORDS["en"])
    words = read_words(ax)
    assert {"At ease and keen", "Keen, to be supported", "Mairie de Valmontagne"} <= set(words)
    (note,) = [word for word in words if word.startswith("Not drawn")]
    assert "Syndicat mixte" in note and "Mairie" not in note
    dots = [tuple(c.get_offsets()[0]) for c in ax.collections if len(c.get_facecolors())]
    assert len(dots) == 1 and dots[0] == pytest.approx((4.0, 4.5))
    assert not any("draws" in word for word in words)


def test_intervals_are_crosses_and_a_missing_bound_draws_none(ax: Axes) -> None:
    ends = {"familiarity_low": [3.5, np.nan], "familiarity_high": [4.2, np.nan]}
    grid = FEW[:2].assign(familiarity=[4.0, 2.0], appetite=[4.5, 2.0], **ends)
    figures.plot_readiness(grid, ax=ax, codebook=BOOK, language=WORDS["en"])
    lines = [s for c in ax.collections if hasattr(c, "get_segments") for s in c.get_segments()]
    (line,) = [line for line in lines if len(line)]
    assert np.allclose(line, [[3.5, 4.5], [4.2, 4.5]])
    assert "Thin lines: 90% of draws." in read_words(ax)


def test_actors_of_an_unsure_quarter_are_open(ax: Axes) -> None:
    figures.plot_power_interest(make_powers(FEW[:2]), ax=ax, codebook=BOOK, language=WORDS["en"])
    faces = [c.get_facecolors()[0].tolist() for c in ax.collections if len(c.get_facecolors())]
    assert sum(face[:3] == [1, 1, 1] for face in faces) == 1 and len(faces) == 2


def test_mixing_adds_both_ways_round(ax: Axes) -> None:
    rows = [("public", "civil", 2), ("civil", "public", 3), ("civil", "civil", 4)]
    matrix = pd.DataFrame(rows, columns=["source_group", "target_group", "n_ties"])
    figures.plot_mixing(matrix, ax=ax, **BOTH)
    cells = {text.get_position(): text.get_text() for text in ax.texts if text.get_text().isdigit()}
    # seaborn puts the middle of the first cell at one half
    assert cells == {(0.5, 0.5): "0", (0.5, 1.5): "5", (1.5, 1.5): "4"}


def test_network_names_the_untied(ax: Axes) -> None:
    actors = FEW.assign(name=[f"Actor {i}" for i in range(33)])
    figures.plot_network(make_ties(30), actors=actors, ax=ax, codebook=BOOK, language=WORDS["en"])
    assert any("Actor 30, Actor 31, Actor 32" in word for word in read_words(ax))


def test_network_draws_everybody_and_rings_bridges(ax: Axes) -> None:
    figures.plot_network(
        make_ties(1190, mean_degree=10), actors=MANY, ax=ax, bridges={"a5"}, **BOTH
    )
    drawn = [len(c.get_offsets()) for c in ax.collections if len(c.get_facecolors())]
    rings = [len(c.get_offsets()) for c in ax.collections if not len(c.get_facecolors())]
    assert sum(drawn) == 1190 and rings == [1]


def test_only_the_most_tied_of_a_great_many_are_drawn() -> None:
    actors = make_actors(6000)
    ties = make_ties(5000)
    known, pairs = figures.place_network(ties, actors=actors, bridges=["a0"])
    assert 1000 < len(known) <= figures.MOST and known["actor_id"][0] == "a0"
    assert known["degree"].min() > 0 and pairs["target"].max() < figures.MOST
    svg = figures.draw(lambda ax: figures.plot_map(actors, ax=ax, **BOTH))
    assert len(svg) < 300_000


def test_places_hold_each_tie_once_and_rows_of_the_untied() -> None:
    ties = pd.DataFrame(
        [("a1", "a2", "funds"), ("a2", "a1", "funds"), ("a2", "a1", "hosts"), ("a3", "a3", "funds"),
         ("a2", "elsewhere", "funds"), ("a2", "a4", "funds")],
        columns=["source_id", "target_id", "kind"],
    )  # fmt: skip
    known, pairs = figures.place_network(ties, actors=FEW[:6], bridges=["a4"])
    assert list(known["actor_id"][:3]) == ["a4", "a2", "a1"] and list(known["degree"]) == [
        1, 2, 1, 0, 0, 0,
    ]  # fmt: skip
    assert pairs.to_numpy().tolist() == [[1, 2, "funds"], [1, 2, "hosts"], [0, 1, "funds"]]
    tied, alone = known[known["degree"] > 0], known[known["degree"] == 0]
    assert np.ptp(alone["y"]) == 0 and alone["y"].min() > tied["y"].max()
    assert known["x"].between(0, 446).all() and known["x"].nunique() >= 5
    again, _ = figures.place_network(ties, actors=FEW[:6], bridges=["a4"])
    pd.testing.assert_frame_equal(known, again)


def test_a_name_in_a_network_has_no_leader_that_looks_like_a_tie(ax: Axes) -> None:
    figures.plot_network(make_ties(30), actors=FEW, ax=ax, **BOTH)
    assert sum(len(line.get_xdata()) == 2 for line in ax.lines) == 1  # the rule above the untied
