"""A scenario: other weights of the criteria, another least coverage, kept in a small YAML file."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

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

    A file that cannot be read as YAML, fields that are unknown or out of range, criteria that are
    not in `criteria` (indexed by code) and dimensions that are left without weight are one
    UsageError: file, field, what was found and what is allowed.
    """
    try:
        said = yaml.safe_load(Path(path).read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise UsageError(f"{path}: cannot be read as YAML: {error}") from error
    fields, codes = ", ".join(FIELDS), ", ".join(criteria.index)
    if not isinstance(said, dict):
        raise UsageError(f"{path}: found a {type(said).__name__}; allowed: {fields}")
    faults = [f"{name}: unknown; allowed: {fields}" for name in set(said) - {*FIELDS}]
    weights, least = said.get("weights") or {}, said.get("minimum_coverage")
    if not isinstance(weights, dict):
        faults.append(f"weights: found {weights!r}; allowed: one line a criterion, code: weight")
        weights = {}
    for code, weight in weights.items():
        if code not in criteria.index:
            faults.append(f"weights.{code}: unknown criterion; allowed: {codes}")
        elif not _is_within(weight, sys.float_info.max):
            faults.append(f"weights.{code}: found {weight!r}; allowed: a number, 0 or more")
    if not (least is None or _is_within(least, 1)):
        faults.append(f"minimum_coverage: found {least!r}; allowed: 0 to 1")
    if not faults:
        weighed = weigh_criteria(criteria, weights=weights).groupby("dimension")["weight"].sum()
        touched = weighed[criteria["dimension"].reindex(list(weights)).unique()]
        faults = [f"weights: those of {name} sum to 0" for name in touched.index[touched == 0]]
    if faults:
        raise UsageError("\n".join(f"{path}: {fault}" for fault in sorted(faults)))
    return Scenario(dict(weights), least, str(said.get("territory") or ""))


def write_scenario(scenario: Scenario, path: str | Path) -> Path:
    """Write a scenario file, as `read_scenario` reads it; return its path."""
    said = {name: getattr(scenario, name) for name in FIELDS}
    said["weights"] = dict(scenario.weights)
    kept = {name: value for name, value in said.items() if value not in (None, "", {})}
    text = yaml.safe_dump(kept, sort_keys=False, allow_unicode=True)
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def weigh_criteria(criteria: pd.DataFrame, *, weights: Mapping[str, float]) -> pd.DataFrame:
    """Give criteria (indexed by code) the weights of a scenario in place of their own."""
    given = pd.Series(weights, dtype=float).reindex(criteria.index)
    return criteria.assign(weight=given.fillna(criteria["weight"]))


def _is_within(value: object, most: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
