"""The rule tables applied to a list of actors."""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecoanalysis.codebook import UNCLASSIFIED, Codebook, read_codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.typology.cells import fold_text, list_values, read_column

_KEYS = ["territory_id", "actor_id"]
_FOUND = ["kind", "subkind", "helix", "rule", "confidence", "evidence"]
Texts = NDArray[Any]
_NO_TEXTS: Texts = np.empty(0, dtype=int)
_CERTAINTY = {"certain": 0, "probable": 1, "possible": 2}


def classify_actors(
    actors: pd.DataFrame,
    *,
    rules: pd.DataFrame | None = None,
    codebook: Codebook | None = None,
) -> pd.DataFrame:
    """Classify actors by what their list says of them.

    A person's `kind` wins over every rule. Otherwise the matching rule of lowest `priority`
    decides; rules of equal priority that name different kinds leave the actor unclassified. A
    subkind that the deciding rule leaves open comes from the next matching rule of the same kind.

    Parameters
    ----------
    actors : pandas.DataFrame
        territory_id, actor_id, and any of name, kind, subkind, source_category (``system:code``,
        ``;`` between several), tags (``;``), website.
    rules : pandas.DataFrame, optional
        Rule tables as the codebook has them; by default the codebook's own. A rule on
        ``source_category`` matches a code within its `system`; on another field, a blank `system`
        means any actor, else only those that this source lists. Texts and exact patterns are
        compared without case, accents and doubled spaces; regular expressions are searched in the
        text folded in that way, each tag by itself.
    codebook : Codebook, optional
        Kinds and helices, with a study's own additions.

    Returns
    -------
    pandas.DataFrame
        One row an actor, in the order and with the index of `actors`: territory_id, actor_id,
        kind (a code, or ``unclassified``), subkind (missing if not known), helix (missing if
        unclassified), rule (name of the rule, ``stated`` or ``conflict``; missing if none
        matched), confidence (certain, probable, possible; missing if unclassified), evidence
        (what was matched, as ``field=text``).

    Raises
    ------
    UsageError
        If a pattern is no regular expression.

    References
    ----------
    AFD & IDDRI (2018), exercise 3; Carayannis & Campbell (2009) for the helices.
    """
    book = codebook or read_codebook()
    listed = actors.reset_index(drop=True)
    hits = _match_rules(_list_texts(listed), book.rules if rules is None else rules)
    found = _keep_statements(_decide(hits).reindex(listed.index), listed, book.subkinds["kind"])
    found["kind"] = found["kind"].fillna(UNCLASSIFIED)
    found["helix"] = found["kind"].map(book.kinds["helix"].replace("", pd.NA))
    found[_FOUND] = found[_FOUND].astype("str")
    return listed[_KEYS].join(found[_FOUND]).set_axis(actors.index)


def _list_texts(actors: pd.DataFrame) -> pd.DataFrame:
    """List what rules can look at: row, field, system (of a category), value, folded."""
    categories = list_values(read_column(actors, "source_category"))
    categories[["system", "code"]] = categories["value"].str.extract(r"(?s)^(?:([^:]+):)?(.*)$")
    parts = [categories.assign(field="source_category", folded=fold_text(categories["code"]))]
    for field in ("name", "tags", "website"):
        cells = read_column(actors, field)
        values = list_values(cells) if field == "tags" else _list_cells(cells)
        parts.append(values.assign(field=field, folded=fold_text(values["value"])))
    return pd.concat(parts, ignore_index=True)


def _list_cells(cells: pd.Series) -> pd.DataFrame:
    return cells.dropna().rename_axis("row").rename("value").reset_index()


def _match_rules(texts: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """List who matches what: row, evidence and the columns of the rule, the strongest first."""
    numbered = rules.fillna({"system": ""}).reset_index(drop=True)
    exact = numbered["match"] == "exact"
    patterns = numbered["pattern"].mask(exact, fold_text(numbered["pattern"].astype("str")))
    pools, folded = _pool_texts(texts), texts["folded"].to_numpy(dtype=object)
    found: list[Texts] = []
    for rule in numbered.assign(pattern=patterns).to_dict("records"):
        pool = pools.get((rule["field"], rule["system"]), _NO_TEXTS)
        found.append(pool[_test_texts(folded[pool], rule)] if len(pool) else pool)
    matched = texts.loc[np.concatenate([_NO_TEXTS, *found]), ["row", "field", "value"]]
    matched["position"] = np.repeat(np.arange(len(found)), [len(hits) for hits in found])
    matched["evidence"] = matched["field"] + "=" + matched["value"]
    hits = matched[["row", "position", "evidence"]].join(numbered, on="position")
    hits["certainty"] = hits["confidence"].map(_CERTAINTY)
    return hits.sort_values(["row", "priority", "certainty", "position"], ignore_index=True)


def _pool_texts(texts: pd.DataFrame) -> dict[tuple[Hashable, Hashable], Texts]:
    """Sort the texts by field and by the source system that lists the actor ("" for any)."""
    categories = texts[texts["field"] == "source_category"]
    pools: dict[tuple[Hashable, Hashable], Texts] = {}
    for field, part in texts.groupby("field"):
        pools[field, ""] = part.index.to_numpy()
        for system, own in categories.groupby("system"):
            pools[field, system] = part.index[part["row"].isin(own["row"])].to_numpy()
    for system, own in categories.groupby("system"):
        pools["source_category", system] = own.index.to_numpy()
    return pools


def _test_texts(folded: Texts, rule: Mapping[Hashable, Any]) -> NDArray[np.bool_]:
    if rule["match"] == "exact":
        return np.asarray(folded == rule["pattern"], dtype=bool)
    try:
        pattern = re.compile(rule["pattern"])
    except re.error as error:
        raise UsageError(f"Rule {rule['rule']}: the pattern cannot be read: {error}.") from error
    return np.fromiter((pattern.search(text) is not None for text in folded), bool, len(folded))


def _decide(hits: pd.DataFrame) -> pd.DataFrame:
    """Keep one finding a row: the rule that decides, or the conflict between several."""
    first = hits.groupby("row")["priority"].transform("min")
    best = hits[hits["priority"] == first]
    winners = best.drop_duplicates("row").set_index("row")
    kind = hits["row"].map(winners["kind"])
    finer = hits[(hits["kind"] == kind) & hits["subkind"].fillna("").ne("")]
    finer = finer.drop_duplicates("row").set_index("row").reindex(winners.index)
    elsewhere = finer["evidence"].where(finer["rule"] != winners["rule"])
    evidence = winners["evidence"] + ("; " + elsewhere).fillna("")
    decided = winners.assign(subkind=finer["subkind"], evidence=evidence)
    rivals = best.drop_duplicates(["row", "kind"])
    rivals = rivals[rivals.duplicated("row", keep=False)]
    sides = rivals["kind"] + " by " + rivals["rule"] + " (" + rivals["evidence"] + ")"
    conflicts = sides.groupby(rivals["row"]).agg(" | ".join)
    decided.loc[conflicts.index, ["kind", "subkind", "confidence"]] = pd.NA
    decided.loc[conflicts.index, "rule"] = "conflict"
    decided.loc[conflicts.index, "evidence"] = conflicts
    return decided[["kind", "subkind", "rule", "confidence", "evidence"]]


def _keep_statements(
    found: pd.DataFrame, actors: pd.DataFrame, subkinds: pd.Series
) -> pd.DataFrame:
    """Let a person's kind and subkind win; a subkind of one kind only states that kind."""
    kind, subkind = read_column(actors, "kind"), read_column(actors, "subkind")
    implied = subkind.map(subkinds[subkinds.ne("") & ~subkinds.str.contains(";")])
    kind = kind.mask(kind == UNCLASSIFIED)
    evidence = ("kind=" + kind).fillna("subkind=" + subkind)
    kind = kind.fillna(implied)
    possible = list_values(subkinds)
    pairs = pd.MultiIndex.from_frame(possible[["row", "value"]])
    fits = pd.MultiIndex.from_arrays([subkind, found["kind"]]).isin(pairs)
    found = found.assign(subkind=found["subkind"].mask(fits, subkind))
    stated = pd.DataFrame({"kind": kind, "subkind": subkind, "evidence": evidence})
    stated = stated.assign(rule="stated", confidence="certain")
    return found.mask(kind.notna(), stated.reindex(columns=found.columns))
