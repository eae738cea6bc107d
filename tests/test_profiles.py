"""Groups of alike actors: distances and silhouettes by hand, planted groups, and none."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from ecoanalysis import profiles

CODES = ["profit", "cause", "data", "ideas"]
SCALES = pd.DataFrame({"dimension": "interest", "scale_min": 0.0, "scale_max": 5.0}, index=CODES)
NAN = np.nan


def find_groups(values: pd.DataFrame, scales: pd.DataFrame = SCALES) -> SimpleNamespace:
    """The tables of a profile by what they are of; and why there is none."""
    long = (
        values.rename_axis("actor_id")
        .reset_index()
        .melt("actor_id", var_name="criterion", value_name="mean")
    )
    tables = profiles.classify_profiles(long, criteria=scales, dimensions=["interest"])
    parts = {name.removeprefix("profile_"): table for name, table in tables.items()}
    (reason,) = parts["profiles"]["reason"]
    return SimpleNamespace(reason=reason, **parts)


def make_actors(centres: list[list[float]], each: int, spread: float) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = np.repeat(np.array(centres, float), each, axis=0)
    rows = np.clip(rows + rng.normal(0, spread, rows.shape), 0, 5)
    return pd.DataFrame(rows, [f"a{i:02}" for i in range(len(rows))], CODES[: rows.shape[1]])


THREE = make_actors([[5, 0, 5, 0], [0, 5, 5, 5], [2, 2, 0, 0]], 8, 0.4)


def test_gower_by_hand() -> None:
    values = pd.DataFrame([[0, 1], [1, NAN], [1, 0], [NAN, NAN]], list("abcd"), CODES[:2])
    found = profiles.measure_gower(values)
    # a-b on profit alone: 1; a-c: (1 + 1) / 2; b-c on profit alone: 0; d has nothing in common
    by_hand = [[0, 1, 1, NAN], [1, 0, 0, NAN], [1, 0, 0, NAN], [NAN] * 4]
    assert found.to_numpy() == pytest.approx(np.array(by_hand), nan_ok=True)


def test_gower_comes_in_blocks_of_the_same_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = profiles.measure_gower(THREE / 5)
    monkeypatch.setattr(profiles, "BLOCK", 1)
    pd.testing.assert_frame_equal(profiles.measure_gower(THREE / 5), whole)


def test_a_longer_scale_counts_as_far_as_it_goes() -> None:
    halved = THREE.assign(profit=THREE["profit"] * 2)
    longer = SCALES.assign(scale_max=[10.0, 5, 5, 5])
    pd.testing.assert_frame_equal(find_groups(halved, longer).traits, find_groups(THREE).traits)


def test_silhouette_by_hand() -> None:
    at = np.array([0.0, 1, 10, 11, 30])
    found = profiles.measure_silhouette(np.abs(at[:, None] - at), np.array([1, 1, 2, 2, 3]))
    # 0: own 1, next (10 + 11) / 2; 1: own 1, next (9 + 10) / 2; 10 and 11 the same mirrored, the
    # third group being further away; alone: 0
    by_hand = [9.5 / 10.5, 8.5 / 9.5, 8.5 / 9.5, 9.5 / 10.5, 0]
    assert found == pytest.approx(by_hand)


def test_planted_groups_are_found_and_described() -> None:
    found = find_groups(THREE)
    assert found.reason == ""
    planted = np.repeat([0, 1, 2], 8)
    assert pd.crosstab(planted, found.members["group"]).gt(0).sum().tolist() == [1, 1, 1]
    assert found.groups["n"].tolist() == [8, 8, 8]
    assert found.groups[["silhouette", "stability"]].gt(0.6).all(axis=None)
    for row in found.groups.itertuples():
        assert row.typical in set(
            found.members.loc[found.members["group"] == row.group, "actor_id"]
        )
    first = found.members.loc[0, "group"]  # profit and data, planted at 5; all others lower
    told = found.traits[found.traits["group"] == first].set_index("criterion")
    assert told["difference"].idxmax() == "profit"
    means = THREE.head(8).mean() / 5
    assert told.loc[CODES, "mean"].to_numpy() == pytest.approx(means.to_numpy())
    assert told.loc[CODES, "difference"].to_numpy() == pytest.approx(means - THREE.mean() / 5)


def test_missing_answers_do_not_move_anybody() -> None:
    holes = THREE.mask(np.random.default_rng(5).random(THREE.shape) < 0.1)
    holes.loc["a00"] = [NAN, NAN, NAN, 0]  # under half: not placed
    found = find_groups(holes)
    assert found.reason == "" and found.members.set_index("actor_id").loc["a00", "group"] == 0
    planted = np.repeat([0, 1, 2], 8)[found.members["group"] > 0]
    mine = found.members.query("group > 0")["group"]
    assert pd.crosstab(planted, mine.to_numpy()).gt(0).sum().tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (make_actors([[2.5] * 4], 40, 1.0), "alike"),
        (make_actors([[2.5] * 4], 20, 0.0), "alike"),
        (make_actors([[5, 0, 5, 0], [0, 5, 5, 5]], 4, 0.1), "too_few"),
        (THREE.iloc[:0], "too_few"),
    ],
)
def test_no_clear_groups(values: pd.DataFrame, reason: str) -> None:
    found = find_groups(values)
    assert found.reason == reason
    assert len(found.members) == len(values)
    assert found.groups["stability"].isna().all()


def test_one_that_stands_alone_is_no_group() -> None:
    alone = pd.concat([make_actors([[2.5] * 4], 20, 0.3), THREE.head(1).set_axis(["alone"])])
    found = find_groups(alone)
    assert found.reason == "alike"


def test_order_of_rows_does_not_matter() -> None:
    mixed = THREE.sample(frac=1, random_state=1)
    found, again = (
        find_groups(table).members.set_index("actor_id")["silhouette"] for table in (THREE, mixed)
    )
    assert again[found.index].to_numpy() == pytest.approx(found.to_numpy())
