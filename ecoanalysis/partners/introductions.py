"""Whom to introduce to whom, and what nobody on the list brings."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import sparse

from ecoanalysis import ties as links
from ecoanalysis.partners.profiles import RESOURCES, STRONG, Answers, join_codes, read_needs

Values = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]

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
    common contacts.

    Parameters
    ----------
    ties : pandas.DataFrame
        Free ties inside the territory (`ties.select_ties`): the network that makes contacts.
    actors : pandas.DataFrame
        One row each: actor_id, helix.
    known : pandas.DataFrame
        Every relation on record (source_id, target_id), planned ones as well.
    answers, challenges
        As for `suggest_partners`.
    limit : int
        Most rows in each list.

    Returns
    -------
    pandas.DataFrame
        One row a pair, the best first in each list: list ("bridging", "natural"), actor_id,
        other_id, gives, takes (`;` between resources that the first offers and the other seeks,
        and the reverse), together (`;` between challenges), n_common (int), contact_id (the
        common contact with fewest ties; "" if none), adamic_adar (0 or more).
    """
    n, ids, helix = len(actors), links.index_actors(actors), actors["helix"].to_numpy(dtype=object)
    graph, degree = _join(ties, actors)
    near = graph @ sparse.diags_array(1 / np.log(np.maximum(degree, 2))) @ graph
    common = graph @ graph
    offers, seeks = (
        answers.take([f"{end}_{name}" for name in SOUGHT])[0] >= CLEAR
        for end in ("resource", "seeks")
    )
    fits = {name: _pair_up(offers[:, k], seeks[:, k]) for k, name in enumerate(SOUGHT)}
    joint = {}
    every = answers.take([f"resource_{name}" for name in RESOURCES])[0] >= CLEAR
    for challenge in challenges.to_dict("records"):
        code = str(challenge["challenge_id"])
        willing = ~(answers.take([f"position:{code}"])[0] < 0.5)
        joint[code] = _complete((every & willing)[:, read_needs(challenge) > 0])
    either = sum((t + t.T for t in [near, *fits.values(), *joint.values()]), 0 * near)
    i, j = (at.astype(np.intp) for at in sparse.triu(either, k=1, format="coo").coords)
    ends = np.sort(
        [ids.get_indexer(pd.Index(known[e])) for e in ("source_id", "target_id")], axis=0
    )
    strangers = ~np.isin(i * n + j, ends[0] * n + ends[1])
    i, j = i[strangers], j[strangers]
    gives, takes = sum(fits.values(), 0 * near), sum((t.T for t in fits.values()), 0 * near).tocsr()
    whole = sum(joint.values(), 0 * near)
    reasons = np.sum([_look(table, i, j) > 0 for table in (gives, takes, whole)], axis=0)
    crosses = (helix[i] != helix[j]) & pd.notna(helix[i]) & pd.notna(helix[j])
    found = pd.DataFrame(
        {"list": np.where(crosses & (reasons > 0), "bridging", "natural"), "i": i, "j": j,
         "reasons": reasons, "adamic_adar": _look(near, i, j), "n_common": _look(common, i, j)}
    )  # fmt: skip
    found = found[found["list"].eq("bridging") | (found["n_common"] > 0)]
    found = found.assign(actor_id=ids[found["i"]], other_id=ids[found["j"]])
    order = ["list", "reasons", "adamic_adar", "actor_id", "other_id"]
    found = found.sort_values(order, ascending=[True, False, False, True, True])
    found = found.groupby("list", sort=False).head(limit).astype({"n_common": int})
    i, j = found["i"].to_numpy(), found["j"].to_numpy()
    found = found.assign(
        gives=join_codes({name: _look(table, i, j) > 0 for name, table in fits.items()}),
        takes=join_codes({name: _look(table, j, i) > 0 for name, table in fits.items()}),
        together=join_codes({code: _look(table, i, j) > 0 for code, table in joint.items()}),
        contact_id=[_name_contact(graph, degree, *pair, ids) for pair in zip(i, j, strict=True)],
    )
    return found[INTRODUCTIONS].reset_index(drop=True)


def score_nearness(ties: pd.DataFrame, *, actors: pd.DataFrame) -> Values:
    """Score every pair by Adamic & Adar (2003): an array (actors, actors)."""
    graph, degree = _join(ties, actors)
    weights = sparse.diags_array(1 / np.log(np.maximum(degree, 2)))
    return np.asarray((graph @ weights @ graph).todense())


def find_shortfalls(
    gaps: pd.DataFrame, *, helices: pd.DataFrame, needs: pd.DataFrame, mixing: pd.DataFrame,
    elsewhere: pd.DataFrame,
) -> pd.DataFrame:  # fmt: skip
    """Find what the list lacks, and who beyond the territory could fill it.

    Parameters
    ----------
    gaps, helices : pandas.DataFrame
        kind, helix of the guide's kinds that are not listed; helix and n listed.
    needs : pandas.DataFrame
        challenge_id, need (a criterion of resources), most (0-1, missing if not asked), nearest.
    mixing : pandas.DataFrame
        source_group, target_group, n_ties between helices; empty if no tie is on record.
    elsewhere : pandas.DataFrame
        National and international actors listed elsewhere in the study: actor_id, kind, helix and
        criteria of resources (0-1).

    Returns
    -------
    pandas.DataFrame
        One row a gap: what ("kind", "helix", "resource", "tie"), subject (a code; `;` between two
        helices), challenge_id, most, nearest (as given; for resources nobody offers from
        `STRONG` on), fillers (`;` between ids from elsewhere).
    """
    bare = helices.loc[(helices["n"] == 0) & (helices["helix"] != "unclassified"), "helix"]
    apart = mixing[(mixing["n_ties"] == 0) & (mixing["source_group"] != mixing["target_group"])]
    weak = needs.loc[~(needs["most"] >= STRONG), ["need", "challenge_id", "most", "nearest"]]
    rows = [("kind", code, "", np.nan, "", elsewhere["kind"] == code) for code in gaps["kind"]]
    rows += [("helix", code, "", np.nan, "", elsewhere["helix"] == code) for code in bare]
    for need, challenge_id, most, nearest in weak.to_numpy().tolist():
        able = elsewhere.reindex(columns=[need])[need].astype(float) >= STRONG
        rows.append(("resource", need, challenge_id, most, nearest, able))
    pairs = apart["source_group"] + ";" + apart["target_group"]
    rows += [("tie", pair, "", np.nan, "", elsewhere["kind"] == pair) for pair in pairs]
    columns = ["what", "subject", "challenge_id", "most", "nearest", "fillers"]
    found = [(*row, ";".join(elsewhere.loc[able, "actor_id"])) for *row, able in rows]
    return pd.DataFrame(found, columns=columns)


def _join(ties: pd.DataFrame, actors: pd.DataFrame) -> tuple[sparse.csr_array, Values]:
    """Return the ties as a symmetric matrix of ones, and the degrees."""
    pairs = links.combine_ties(ties, actors=actors)
    source, target = (pairs[end].to_numpy(np.intp) for end in ("source", "target"))
    both = (np.r_[source, target], np.r_[target, source])
    graph = sparse.csr_array((np.ones(len(both[0])), both), shape=(len(actors),) * 2)
    return graph, np.asarray(graph.sum(axis=1), dtype=float)


def _pair_up(offers: npt.NDArray[np.bool_], seeks: npt.NDArray[np.bool_]) -> sparse.csr_array:
    one, other = (sparse.csr_array(flags[:, None].astype(float)) for flags in (offers, seeks))
    return sparse.csr_array(one @ other.T)


def _complete(able: npt.NDArray[np.bool_]) -> sparse.csr_array:
    """Pairs (upper triangle) that have every column together, but neither alone."""
    some = np.flatnonzero(able.any(axis=1) & ~able.all(axis=1))
    i, j = np.triu(((able[some, None] | able[None, some]).all(axis=2)), k=1).nonzero()
    return sparse.csr_array((np.ones(len(i)), (some[i], some[j])), shape=(len(able),) * 2)


def _look(table: Any, i: Rows, j: Rows) -> Values:
    return np.asarray(table[i, j]).ravel() if len(i) else np.zeros(0)


def _name_contact(graph: sparse.csr_array, degree: Values, a: int, b: int, ids: pd.Index) -> str:
    shared = np.intersect1d(graph[[a]].indices, graph[[b]].indices)
    return str(ids[shared[degree[shared].argmin()]]) if len(shared) else ""
