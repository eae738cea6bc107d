"""Which kind of actor each one is, by which rule, and what the lists say of them.

Nothing is guessed: whom no rule matches, or on whom equal rules disagree, is *unclassified*.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecoanalysis.codebook import UNCLASSIFIED, Codebook, read_codebook
from ecoanalysis.errors import UsageError
from ecoanalysis.study.columns import split_parts

_KEYS = ["territory_id", "actor_id"]
_FOUND = ["kind", "subkind", "helix", "rule", "confidence", "evidence"]
Texts = NDArray[Any]
_NO_TEXTS: Texts = np.empty(0, dtype=int)
_CERTAINTY = {"certain": 0, "probable": 1, "possible": 2}
_SPELLINGS = str.maketrans(
    {"œ": "oe", "æ": "ae", "’": "'", "ʼ": "'", "‘": "'", "‐": "-", "–": "-", "—": "-"}
    | dict.fromkeys(map(chr, range(0x300, 0x370)))
)


def classify_actors(
    actors: pd.DataFrame, *, rules: pd.DataFrame | None = None, codebook: Codebook | None = None
) -> pd.DataFrame:
    """Classify actors by what their list says of them.

    A person's `kind` wins over every rule. Otherwise the matching rule of lowest `priority`
    decides; rules of equal priority that name different kinds leave the actor unclassified. A
    subkind that the deciding rule leaves open comes from the next matching rule of the same kind.

    `actors` has territory_id, actor_id, and any of name, kind, subkind, source_category
    (``system:code``, ``;`` between several), tags (``;``), website. Rules, the codebook's own by
    default, on ``source_category`` match a code within their `system`; on another field, a blank
    `system` means any actor, else only those that this source lists. Texts and exact patterns are
    compared without case, accents and doubled spaces; regular expressions are searched in the
    text folded in that way, each tag by itself. One that cannot be read is a UsageError.

    One row an actor, in the order and with the index of `actors`: territory_id, actor_id; kind (a
    code, or ``unclassified``); subkind (missing if not known); helix (Carayannis & Campbell 2009;
    missing if unclassified); rule (its name, ``stated`` or ``conflict``; missing if none matched);
    confidence (certain, probable, possible; missing if unclassified); evidence (what was matched,
    as ``field=text``).
    """
    book = codebook or read_codebook()
    listed = actors.reset_index(drop=True)
    hits = _match_rules(_list_texts(listed), book.rules if rules is None else rules)
    found = _keep_statements(_decide(hits).reindex(listed.index), listed, book.subkinds["kind"])
    found["kind"] = found["kind"].fillna(UNCLASSIFIED)
    found["helix"] = found["kind"].map(book.kinds["helix"].replace("", pd.NA))
    found[_FOUND] = found[_FOUND].astype("str")
    return listed[_KEYS].join(found[_FOUND]).set_axis(actors.index)


def tabulate_kinds(classified: pd.DataFrame, *, kinds: pd.DataFrame) -> pd.DataFrame:
    """Count the actors of each kind, those that nobody listed included.

    The columns are kind (each of the codebook's `kinds`, in its order, ``unclassified`` last),
    helix, origin (both missing for unclassified), n (int >= 0), share (0-1, of the classified;
    missing if none is, and for unclassified), share_low and share_high (0-1, of all actors: if no
    unclassified actor, or each of them, were of this kind; missing for unclassified).
    """
    n = classified["kind"].value_counts()
    others = n.index.difference([*kinds.index, UNCLASSIFIED]).tolist()
    order = pd.Index([*kinds.index, *others, UNCLASSIFIED], name="kind")
    table = kinds[["helix", "origin"]].reindex(order)
    table["n"] = n.reindex(order, fill_value=0)
    n_unknown, total = int((classified["kind"] == UNCLASSIFIED).sum()), len(classified)
    known = table["n"].drop(UNCLASSIFIED).astype(float)
    table["share"] = known / (total - n_unknown or np.nan)
    table["share_low"] = known / (total or np.nan)
    table["share_high"] = (known + n_unknown) / (total or np.nan)
    return table.reset_index()


def tabulate_subkinds(classified: pd.DataFrame) -> pd.DataFrame:
    """Count the actors of each subkind that is known.

    The columns are kind, subkind, n (int >= 1), the most frequent first; actors without a subkind
    are in no row.
    """
    known = classified.dropna(subset=["subkind"])
    counts = known.groupby(["kind", "subkind"]).size().reset_index(name="n")
    return counts.sort_values("n", ascending=False, kind="stable", ignore_index=True)


def tabulate_helices(classified: pd.DataFrame) -> pd.DataFrame:
    """Count the actors of each helix (Carayannis & Campbell 2009); our assignment of kinds.

    The columns are helix (public, private, knowledge, civil, ``unclassified``), n (int >= 0),
    share (0-1, of the classified; missing for unclassified).
    """
    order = [*read_codebook().helices.index, UNCLASSIFIED]
    n = classified["helix"].fillna(UNCLASSIFIED).value_counts().reindex(order, fill_value=0)
    table = n.rename_axis("helix").rename("n").reset_index()
    known = table["n"].where(table["helix"] != UNCLASSIFIED).astype(float)
    return table.assign(share=known / (known.sum() or np.nan))


def compare_roles(
    classified: pd.DataFrame, *, actors: pd.DataFrame, kinds: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the roles stated of actors with those expected of their kind.

    What is expected follows AFD & IDDRI (2018), step 3. `actors` has roles and `kinds`
    expected_roles, ``;`` between several.

    Returns one row a role: role, n_stated (actors said to play it), n_expected (actors of whose
    kind it is expected), n_both; and the surprises, stated and not expected: territory_id,
    actor_id, kind, role (not of the unclassified, of whom nothing is expected).
    """
    of_kind = _list_values(kinds["expected_roles"]).set_axis(["kind", "role"], axis=1)
    expected = classified[[*_KEYS, "kind"]].merge(of_kind, on="kind")[[*_KEYS, "role"]]
    listed = actors.reset_index(drop=True)
    said = _list_values(_read_column(listed, "roles")).drop_duplicates().set_index("row")
    stated = listed[_KEYS].join(said["value"].rename("role"), how="inner")
    met = stated.merge(expected, how="left", on=[*_KEYS, "role"], indicator=True)
    both = met["_merge"] == "both"
    counts = {
        "n_stated": stated["role"].value_counts(),
        "n_expected": expected["role"].value_counts(),
        "n_both": met.loc[both, "role"].value_counts(),
    }
    order = list(dict.fromkeys([*of_kind["role"], *sorted(stated["role"])]))
    roles = pd.DataFrame({name: n.reindex(order, fill_value=0) for name, n in counts.items()})
    surprises = classified[[*_KEYS, "kind"]].merge(met.loc[~both, [*_KEYS, "role"]], on=_KEYS)
    surprises = surprises[surprises["kind"] != UNCLASSIFIED].reset_index(drop=True)
    return roles.rename_axis("role").reset_index(), surprises


def tabulate_themes(actors: pd.DataFrame, *, top: int = 30) -> pd.DataFrame:
    """Count the tags of the actors, whatever their case and accents.

    The columns are tag (its most frequent spelling), n (organisations that carry it, each counted
    once), the `top` most frequent first.
    """
    listed = actors.reset_index(drop=True)
    tags = _list_values(_read_column(listed, "tags"))
    tags["actor"] = tags["row"].map(listed["actor_id"])
    tags["value"] = tags["value"].str.lstrip("# ")
    tags["folded"] = _fold_text(tags["value"])
    tags = tags[tags["folded"] != ""].drop_duplicates(["actor", "folded"])
    spellings = tags.groupby(["folded", "value"]).size().rename("uses").reset_index()
    spellings = spellings.sort_values(["folded", "uses", "value"], ascending=[True, False, True])
    shown = spellings.drop_duplicates("folded").set_index("folded")["value"]
    table = pd.DataFrame({"tag": shown, "n": tags.groupby("folded").size()}).sort_index()
    return table.sort_values("n", ascending=False, kind="stable", ignore_index=True).head(top)


def measure_desk_evidence(actors: pd.DataFrame) -> pd.DataFrame:
    """Count what can be seen of the actors from a desk; it rates nobody.

    The columns are indicator (``desk_website``, ``desk_channel:`` and the name of a public channel,
    the most frequent first, ``desk_founded``), n (actors of which it is known), share (0-1, of all
    actors; missing if there is none).
    """
    channels = _list_values(_read_column(actors.reset_index(drop=True), "channels"))
    listed = channels.assign(value=_fold_text(channels["value"])).drop_duplicates()
    open_channels = listed.groupby("value").size().sort_values(ascending=False, kind="stable")
    counts = {
        "desk_website": int(_read_column(actors, "website").notna().sum()),
        **{f"desk_channel:{name}": int(n) for name, n in open_channels.items()},
        "desk_founded": int(actors["founded"].notna().sum()) if "founded" in actors else 0,
    }
    table = pd.DataFrame(counts.items(), columns=["indicator", "n"])
    return table.assign(share=table["n"] / (len(actors) or np.nan))


def prepare_rules() -> None:
    """Read the codebook and compile the patterns of its rules, which are kept."""
    rules = read_codebook().rules
    for pattern in rules.loc[rules["match"] == "regex", "pattern"]:
        re.compile(pattern)


def _list_texts(actors: pd.DataFrame) -> pd.DataFrame:
    """List what rules can look at: row, field, system (of a category), value, folded."""
    categories = _list_values(_read_column(actors, "source_category"))
    categories[["system", "code"]] = categories["value"].str.extract(r"(?s)^(?:([^:]+):)?(.*)$")
    parts = [categories.assign(field="source_category", folded=_fold_text(categories["code"]))]
    for field in ("name", "tags", "website"):
        cells = _read_column(actors, field)
        values = _list_values(cells, several=field == "tags")
        parts.append(values.assign(field=field, folded=_fold_text(values["value"])))
    return pd.concat(parts, ignore_index=True)


def _match_rules(texts: pd.DataFrame, rules: pd.DataFrame) -> pd.DataFrame:
    """List who matches what: row, evidence and the columns of the rule, the strongest first."""
    numbered = rules.fillna({"system": ""}).reset_index(drop=True)
    exact = numbered["match"] == "exact"
    patterns = numbered["pattern"].mask(exact, _fold_text(numbered["pattern"].astype("str")))
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
        found = map(re.compile(rule["pattern"]).search, folded)
    except re.error as error:
        raise UsageError(f"Rule {rule['rule']}: the pattern cannot be read: {error}.") from error
    return np.fromiter((match is not None for match in found), bool, len(folded))


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


def _keep_statements(found: pd.DataFrame, actors: pd.DataFrame, homes: pd.Series) -> pd.DataFrame:
    """Let a person's kind and subkind win; a subkind of one kind only states that kind."""
    kind, subkind = _read_column(actors, "kind"), _read_column(actors, "subkind")
    implied = subkind.map(homes[homes.ne("") & ~homes.str.contains(";")])
    kind = kind.mask(kind == UNCLASSIFIED)
    evidence = ("kind=" + kind).fillna("subkind=" + subkind)
    kind = kind.fillna(implied)
    pairs = pd.MultiIndex.from_frame(_list_values(homes))
    fits = pd.MultiIndex.from_arrays([subkind, found["kind"]]).isin(pairs)
    found = found.assign(subkind=found["subkind"].mask(fits, subkind))
    stated = pd.DataFrame({"kind": kind, "subkind": subkind, "evidence": evidence})
    stated = stated.assign(rule="stated", confidence="certain")
    return found.mask(kind.notna(), stated.reindex(columns=found.columns))


def _read_column(table: pd.DataFrame, name: str) -> pd.Series:
    """Return a text column with blanks missing; a column that is not there is all missing."""
    if name not in table:
        return pd.Series(np.nan, index=table.index, dtype="str")
    text = table[name].astype("str").str.strip()
    return text.mask(text == "")


def _list_values(cells: pd.Series, *, several: bool = True) -> pd.DataFrame:
    """List row (index of the cell) and value (not blank) of cells that may hold several."""
    values = split_parts(cells) if several else cells.dropna()
    return values.rename_axis("row").rename("value").reset_index()


def _fold_text(text: pd.Series) -> pd.Series:
    """Write without case, accents and doubled spaces, so that spellings compare."""
    plain = text.str.casefold().str.normalize("NFKD").str.translate(_SPELLINGS)
    return plain.str.replace(r"\s+", " ", regex=True).str.strip()
