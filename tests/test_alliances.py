"""Positions and alliances against LIPSOR's own example, a case by hand and the definitions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecoanalysis import alliances
from ecoanalysis.errors import UsageError

ORACLE = json.loads((Path(__file__).parent / "oracles" / "mactor.json").read_text(encoding="utf-8"))
CASES = ("aeroport_de_paris", "isolated_actor")
EXACT: dict[str, Any] = {"rtol": 1e-9, "atol": 0, "equal_nan": True}


def list_pairs(mid: list[list[float]], **more: Any) -> pd.DataFrame:
    n = range(len(mid))
    rows = [(f"a{i}", f"a{j}", mid[i][j]) for i in n for j in n if i != j]
    return pd.DataFrame(rows, columns=["source_id", "target_id", "value"]).assign(**more)


def list_positions(mao: list[list[float]]) -> pd.DataFrame:
    rows = [(f"a{i}", f"o{k}", value) for i, row in enumerate(mao) for k, value in enumerate(row)]
    return pd.DataFrame(rows, columns=["actor_id", "challenge_id", "value"])


NOBODY = list_positions([])


@pytest.mark.parametrize("case", CASES)
def test_mactor_is_that_of_the_published_example(case: str) -> None:
    want = ORACLE[case]
    found = alliances.analyse_mactor(list_pairs(want["mid"]), list_positions(want["mao2"]))
    for key, table in (
        ("MIDI", found.midi), ("net_influence", found.net), ("MAO1", found.mao[1]),
        ("mao2", found.mao[2]), ("MAO3", found.mao[3]),
        *((f"{order}CAA", found.convergences[order]) for order in (1, 2, 3)),
        *((f"{order}DAA", found.divergences[order]) for order in (1, 2, 3)),
    ):  # fmt: skip
        np.testing.assert_allclose(table.to_numpy(), np.array(want[key], float), **EXACT)
    actors = found.actors
    for key, values in (
        ("I", actors["influence"]), ("D", actors["dependence"]), ("R", actors["competitiveness"]),
        ("mobilisation_actor", actors["mobilisation"]),
        ("mobilisation_objective", found.challenges["mobilisation"]),
    ):  # fmt: skip
        np.testing.assert_allclose(values, np.array(want[key], float), **EXACT)
    for order, unsure in found.ambivalence.items():
        np.testing.assert_allclose(
            unsure, np.array(want["ambivalence"][str(order)], float), **EXACT
        )
    assert found.coverage == (1, 1)
    if "MMIDI" in want:
        np.testing.assert_array_equal(found.mmidi, want["MMIDI"])


def test_competitiveness_by_hand_and_its_plain_form() -> None:
    want = ORACLE["three_actors"]
    for plain, key in ((False, "competitiveness"), (True, "competitiveness_plain")):
        found = alliances.analyse_mactor(list_pairs(want["mid"]), NOBODY, plain=plain)
        np.testing.assert_allclose(found.actors["competitiveness"], want[key], atol=5e-5)
    np.testing.assert_array_equal(found.midi, want["midi"])
    # LIPSOR's example in its plain form: 1.181 .978 .479 1.415 .848 1.098.
    paris = list_pairs(ORACLE["aeroport_de_paris"]["mid"])
    found = alliances.analyse_mactor(paris, NOBODY, plain=True)
    want = [1.181, 0.978, 0.479, 1.415, 0.848, 1.098]
    np.testing.assert_allclose(found.actors["competitiveness"], want, atol=5e-4)


@given(st.integers(2, 6).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 4), min_size=n, max_size=n), min_size=n, max_size=n)
))  # fmt: skip
def test_nobody_is_less_than_powerless(mid: list[list[float]]) -> None:
    actors = alliances.analyse_mactor(list_pairs(mid), NOBODY).actors
    strength, n = actors["competitiveness"], len(mid)
    idle = ((actors["influence"] + actors["dependence"]) == 0).any()
    if idle or strength.isna().any():  # somebody alone, or the whole matrix without force
        assert strength.isna().all()
    else:
        assert (strength >= 0).all()
        assert strength.mean() == pytest.approx(1)
    assert n == len(actors)


def test_many_actors_are_refused_unless_forced() -> None:
    many = list_pairs(np.ones((21, 21)).tolist())
    with pytest.raises(UsageError, match="at most 20 actors, not 21"):
        alliances.analyse_mactor(many, NOBODY)
    forced = alliances.analyse_mactor(many, NOBODY, force=True).actors
    np.testing.assert_allclose(forced["competitiveness"], 1)


def test_what_nobody_said_is_counted() -> None:
    # Of 3 x 2 pairs four are given; a2 holds no position, a stranger's position is left out.
    pairs = list_pairs(ORACLE["three_actors"]["mid"]).iloc[:4]
    held = list_positions([[2], [-1]])
    stranger = held.assign(actor_id="elsewhere")
    found = alliances.analyse_mactor(pairs, pd.concat([held, stranger]))
    assert list(found.coverage) == pytest.approx([4 / 6, 2 / 3])


def test_several_raters_give_an_interval_around_the_mean() -> None:
    mid = np.array(ORACLE["aeroport_de_paris"]["mid"])
    rng = np.random.default_rng(1)
    said = [
        list_pairs(np.clip(mid + rng.integers(-1, 2, mid.shape), 0, 4).tolist(), rater_id=f"r{i}")
        for i in range(3)
    ]
    found = alliances.analyse_mactor(pd.concat(said), NOBODY, draws=200, seed=4).actors
    assert (found["low"] < found["high"]).all()
    assert found["competitiveness"].between(found["low"], found["high"]).mean() > 0.8
    alone = alliances.analyse_mactor(said[0], NOBODY, draws=200).actors
    assert alone[["low", "high"]].isna().all(axis=None)  # one rater has no interval


def test_salience_classes_and_their_probabilities() -> None:
    # Power, legitimacy, urgency over four draws; b crosses the middle of power in one of them.
    a, b, c = [0.9, 0.8, 0.1], [0.6, 0.2, 0.9], [0.1, np.nan, 0.2]
    draws = np.array([[a, b, c]] * 3 + [[a, [0.4, 0.2, 0.9], c]])
    found = alliances.measure_salience(draws, actors=pd.Index(["a", "b", "c"]))
    assert found["actor_id"].tolist() == ["a", "b"]  # nobody said how legitimate c is
    assert found["class"].tolist() == ["dominant", "dialogue"]
    assert found["probability"].tolist() == [1, 0.75]
    assert found.loc[1, ["dialogue", "demanding"]].tolist() == [0.75, 0.25]
    assert not any("danger" in name for name in alliances.SALIENCE)
    single = alliances.measure_salience(draws[:1], actors=pd.Index(["a", "b", "c"]))
    assert single["probability"].isna().all()
    assert alliances.measure_salience(draws[:0], actors=pd.Index(["a", "b", "c"])).empty


def test_power_interest_quadrants() -> None:
    values = np.array([[[0.9, 0.9], [0.9, 0.1], [0.1, 0.9], [0.5, 0.5]]] * 2)
    found = alliances.measure_grid(values, actors=pd.Index(list("abcd")))
    assert found["class"].tolist() == ["involve", "satisfy", "inform", "watch"]
    np.testing.assert_allclose(found[list(alliances.GRID)].sum(axis=1), 1)
