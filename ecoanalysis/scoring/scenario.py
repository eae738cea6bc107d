"""A scenario: other weights of the criteria, another least coverage, kept in a small YAML file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ecoanalysis.errors import UsageError

FIELDS = ("territory", "minimum_coverage", "weights")


@dataclass(frozen=True)
class Scenario:
    """What a scenario changes: weights by criterion, least coverage (0-1), for which territory."""

    weights: Mapping[str, float] = field(default_factory=dict)
    minimum_coverage: float | None = None
    territory: str = ""


def read_scenario(path: str | Path, *, criteria: pd.DataFrame) -> Scenario:
    """Read a scenario file, with keys of `FIELDS`, each of which may be left out.

    Raises
    ------
    UsageError
        If the file cannot be read as YAML, or a field is unknown or out of range; it names the
        file, each field, what was found and what is allowed. A criterion must be one of
        `criteria` (indexed by code), and what is left of each dimension must not weigh 0.
    """
    try:
        said = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read as YAML: {error}") from error
    if not isinstance(said, dict):
        raise UsageError(f"{path}: found a {type(said).__name__}; allowed: {', '.join(FIELDS)}")
    faults = [f"{name}: unknown; allowed: {', '.join(FIELDS)}" for name in set(said) - {*FIELDS}]
    weights, least = said.get("weights") or {}, said.get("minimum_coverage")
    if not isinstance(weights, dict):
        faults.append(f"weights: found {weights!r}; allowed: one line a criterion, code: weight")
        weights = {}
    for code, weight in weights.items():
        if code not in criteria.index:
            faults.append(
                f"weights.{code}: unknown criterion; allowed: {', '.join(criteria.index)}"
            )
        elif not _is_number(weight) or not 0 <= weight < float("inf"):
            faults.append(f"weights.{code}: found {weight!r}; allowed: a number, 0 or more")
    if least is not None and not (_is_number(least) and 0 <= least <= 1):
        faults.append(f"minimum_coverage: found {least!r}; allowed: 0 to 1")
    if not faults:
        changed = weigh_criteria(criteria, weights=weights)
        touched = criteria["dimension"].reindex(list(weights))
        sums = changed[changed["dimension"].isin(touched)].groupby("dimension")["weight"].sum()
        faults += [f"weights: those of {name} sum to 0" for name in sums.index[sums == 0]]
    if faults:
        raise UsageError("\n".join(f"{path}: {fault}" for fault in sorted(faults)))
    return Scenario(dict(weights), least, str(said.get("territory") or ""))


def write_scenario(scenario: Scenario, path: str | Path) -> Path:
    """Write a scenario file, as `read_scenario` reads it; return its path."""
    said: dict[str, Any] = {"territory": scenario.territory or None}
    said |= {"minimum_coverage": scenario.minimum_coverage, "weights": dict(scenario.weights)}
    text = yaml.safe_dump(
        {name: value for name, value in said.items() if value not in (None, {})},
        sort_keys=False, allow_unicode=True,
    )  # fmt: skip
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def weigh_criteria(criteria: pd.DataFrame, *, weights: Mapping[str, float]) -> pd.DataFrame:
    """Give criteria (indexed by code) the weights of a scenario in place of their own."""
    given = pd.Series(weights, dtype=float).reindex(criteria.index)
    return criteria.assign(weight=given.fillna(criteria["weight"]))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
