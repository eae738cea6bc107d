"""Whom to introduce to whom, and what nobody on the list brings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import sparse

from ecoanalysis import ties as links
from ecoanalysis.partners.profiles import (
    OFFERS,
    RESOURCES,
    STRONG,
    Answers,
    Flags,
    Rows,
    Values,
    join_codes,
    read_needs,
)

SOUGHT: Final = RESOURCES[:4]
CLEAR: Final = 0.8
"""From this share of its scale on (4 of 5), an offer or a search counts for an introduction."""
INTRODUCTIONS: Final = [
    "list", "actor_id", "other_id", "gives", "takes", "together", "n_common", "contact_id",
    "adamic_adar",
]  # fmt: skip


def suggest_introductions(
    ties: pd.DataFrame,
    *,
    actors: pd.DataFrame,
    known: pd.DataFrame,
    answers: Answers,
    challenges: pd.DataFrame,
    limit: int = 10,
) -> pd.DataFrame:
    """Suggest introductions between actors without a known tie, in two lists.

    *Bridging*: of different helices, one offering what the other seeks, or both together covering
    the needs of a challenge that neither covers alone. *Natural*: the others with a contact in
    common, those with such a reason first, then by Adamic & Adar's (2003) Σ 1 / log(degree) over
    common contacts; of each list at most `limit`. `ties` are the free ones inside the territory
    (`ties.select_ties`), the network that makes contacts; `known` has every relation on record,
    planned ones as well; `actors` have a helix; answers and challenges as for `suggest_partners`.

    Returns
    -------
    pandas.DataFrame
        One row a pair, the best first in each list: list ("bridging", "natural"), actor_id,
        other_id, gives, takes (`;` between resources that the first offers and the other seeks,
        and the reverse), together (`;` between challenges), n_common (int), contact_id (the
        common contact with fewest ties; "" if none), adamic_adar (0 or more).
    """
    ids, helix = links.index_actors(actors), actors["helix"].to_numpy(dtype=object)
    graph, degree = join_ties(ties, actors)
    near, common = weigh_contacts(graph, degree), graph @ graph
    every = answers.take(OFFERS)[0] >= CLEAR
    offers = every[:, : len(SOUGHT)]
    seeks = answers.take([f"seeks_{name}" for name in SOUGHT])[0] >= CLEAR
    able = {
        str(code): (every & ~(answers.take([f"position:{code}"])[0] < 0.5))[:, need > 0]
        for code, need in read_needs(challenges).iterrows()
    }
    fits = sparse.csr_array(1.0 * offers) @ sparse.csr_array(1.0 * seeks.T)
    either = sum((_complete(flags) for flags in able.values()), common + fits + fits.T)
    i, j = (at.astype(np.intp) for at in sparse.triu(either, k=1, format="coo").coords)
    source, target = (ids.get_indexer(pd.Index(known[f"{end}_id"])) for end in ("source", "target"))
    on_record = np.minimum(source, target) * len(ids) + np.maximum(source, target)
    strangers = ~np.isin(i * len(ids) + j, on_record)
    i, j = i[strangers], j[strangers]
    gives, takes = offers[i] & seeks[j], offers[j] & seeks[i]
    whole = [
        (flags[i] | flags[j]).all(axis=1) & ~flags[i].all(axis=1) & ~flags[j].all(axis=1)
        for flags in able.values()
    ]
    together = np.array(whole, dtype=bool).reshape(len(able), len(i)).T
    reasons = np.sum([flags.any(axis=1) for flags in (gives, takes, together)], axis=0)
    crosses = (helix[i] != helix[j]) & pd.notna(helix[i]) & pd.notna(helix[j])
    found = pd.DataFrame(
        {"list": np.where(crosses & (reasons > 0), "bridging", "natural"), "i": i, "j": j,
         "actor_id": ids[i], "other_id": ids[j], "reasons": reasons,
         "adamic_adar": _look(near, i, j), "n_common": _look(common, i, j).astype(int)}
    )  # fmt: skip
    found = found[found["list"].eq("bridging") | (found["n_common"] > 0)]
    order = ["list", "reasons", "adamic_adar", "actor_id", "other_id"]
    found = found.sort_values(order, ascending=[True, False, False, True, True])
    found = found.groupby("list", sort=False).head(limit)
    at, pairs = found.index, found[["i", "j"]].to_numpy()
    found = found.reset_index(drop=True).assign(
        gives=join_codes(gives[at], SOUGHT),
        takes=join_codes(takes[at], SOUGHT),
        together=join_codes(together[at], able),
        contact_id=[_name_contact(graph, degree, a, b, ids) for a, b in pairs],
    )
    return found[INTRODUCTIONS]


def find_shortfalls(
    gaps: pd.DataFrame, *, helices: pd.DataFrame, needs: pd.DataFrame, mixing: pd.DataFrame,
    elsewhere: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """Find what the list lacks, and who beyond the territory could fill it.

    `gaps` are the guide's kinds that are not listed (kind), `helices` have helix and n listed,
    `needs` challenge_id, need (a criterion of resources), most (0-1), nearest, hindrance, `mixing`
    source_group, target_group, n_ties (free) between helices (empty if none at all), `elsewhere`
    the national and international actors of the rest of the study: actor_id, kind, helix and
    resources (0-1). There is one row a gap: what ("kind", "helix", "resource", "tie"), subject (a
    code; `;` between two helices), challenge_id, most, nearest, hindrance (as given; for resources
    of which nobody who can take part offers `STRONG`), fillers (`;` between ids from elsewhere).
    """
    bare = helices[(helices["n"] == 0) & (helices["helix"] != "unclassified")]
    apart = mixing[(mixing["n_ties"] == 0) & (mixing["source_group"] != mixing["target_group"])]
    weak = needs[~(needs["most"] >= STRONG) | needs["hindrance"].ne("")]
    found = pd.concat([
        gaps.rename(columns={"kind": "subject"}).assign(what="kind"),
        bare.rename(columns={"helix": "subject"}).assign(what="helix"),
        weak.rename(columns={"need": "subject"}).assign(what="resource"),
        apart.assign(subject=apart["source_group"] + ";" + apart["target_group"], what="tie"),
    ])[["what", "subject", "challenge_id", "most", "nearest", "hindrance"]]  # fmt: skip
    able = elsewhere.reindex(columns=OFFERS).astype(float) >= STRONG
    fits: dict[str, Any] = {
        "kind": elsewhere["kind"].eq,
        "helix": elsewhere["helix"].eq,
        "resource": able.get,
    }
    fillers = [
        ";".join(elsewhere["actor_id"][fits[what](subject)]) if what in fits else ""
        for what, subject in found[["what", "subject"]].to_numpy()
    ]
    found = found.fillna({"challenge_id": "", "nearest": "", "hindrance": ""})
    return found.assign(fillers=fillers).reset_index(drop=True)


def join_ties(ties: pd.DataFrame, actors: pd.DataFrame) -> tuple[sparse.csr_array, Values]:
    """Return the ties as a symmetric matrix of ones, and the degrees."""
    pairs = links.combine_ties(ties, actors=actors)
    source, target = (pairs[end].to_numpy(np.intp) for end in ("source", "target"))
    both = (np.r_[source, target], np.r_[target, source])
    graph = sparse.csr_array((np.ones(len(both[0])), both), shape=(len(actors),) * 2)
    return graph, np.asarray(graph.sum(axis=1), dtype=float)


def weigh_contacts(graph: sparse.csr_array, degree: Values) -> sparse.csr_array:
    """Weigh each pair by its contacts in common: Σ 1 / log(degree) (Adamic & Adar 2003)."""
    weight = sparse.diags_array(1 / np.log(np.maximum(degree, 2)))
    return sparse.csr_array(graph @ weight @ graph)


def _complete(able: Flags) -> sparse.csr_array:
    """Pairs (upper triangle) that have every column together, but neither alone."""
    some = np.flatnonzero(able.any(axis=1) & ~able.all(axis=1))
    i, j = np.triu(((able[some, None] | able[None, some]).all(axis=2)), k=1).nonzero()
    return sparse.csr_array((np.ones(len(i)), (some[i], some[j])), shape=(len(able),) * 2)


def _look(table: sparse.csr_array, i: Rows, j: Rows) -> Values:
    return np.asarray(table[i, j]) if len(i) else np.zeros(0)


def _name_contact(graph: sparse.csr_array, degree: Values, a: int, b: int, ids: pd.Index) -> str:
    shared = np.intersect1d(graph[[a]].indices, graph[[b]].indices)
    return str(ids[shared[degree[shared].argmin()]]) if len(shared) else ""
