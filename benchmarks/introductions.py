"""Hold out ties of EuroSiS and ask how well natural introductions find them again.

Writes docs/introductions.md; run it with `python benchmarks/introductions.py` (about a minute).
"""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import numpy as np
import pandas as pd
from scipy.stats import rankdata

from ecoanalysis import ties
from ecoanalysis.partners import introductions
from ecoanalysis.study import read_study

ROOT = Path(__file__).parents[1]
SHARE, REPEATS, SEED = 0.1, 50, 20180801
COLUMNS = (
    "country", "actors", "ties", "natural introductions", "5–95 % of repeats",
    "Adamic–Adar (networkx)", "product of degrees", "chance",
)  # fmt: skip
HEAD = f"""# How plausible are natural introductions?

A natural introduction joins two organisations without a tie that share contacts; among pairs
without another reason the order is that of Adamic & Adar (2003). The test: in each country of
EuroSiS, hide {SHARE:.0%} of the ties at random, {REPEATS} times (seed {SEED}), and score all pairs
that are then without a tie. The AUC is the chance that a hidden tie scores higher than a pair that
never had one, equal scores counting half. Chance gives 0.5.

| {" | ".join(COLUMNS)} |
{"|---" * len(COLUMNS)}|
"""
TAIL = """
Nobody rated these organisations, so that the order of natural introductions is that of Adamic–Adar
alone: networkx gives the same numbers, which checks our own. In small and sparse lists (Armenia,
Italy, Portugal) few hidden ties leave a contact in common, and the product of degrees does better;
there the list is short as well. The links of EuroSiS are links between
websites; an AUC says that missing links are found near existing ones, not that an introduction is
useful. Bridging introductions are not judged by it: their purpose is ties that do not exist yet.

Written by `benchmarks/introductions.py`.
"""


def measure_auc(score: np.ndarray, *, hidden: np.ndarray) -> float:
    """Chance that a hidden tie scores higher than another pair (Mann & Whitney)."""
    n = hidden.sum()
    ranks = rankdata(score)[hidden].sum()
    return float((ranks - n * (n + 1) / 2) / (n * (len(hidden) - n)))


def try_country(relations: pd.DataFrame, *, actors: pd.DataFrame) -> list[tuple[float, ...]]:
    """AUC of our score, of networkx's Adamic–Adar and of the product of degrees, each repeat."""
    rng, n = np.random.default_rng(SEED), len(actors)
    upper = np.triu_indices(n, 1)
    pairs = ties.combine_ties(relations, actors=actors)
    found = []
    while len(found) < REPEATS:
        out = rng.random(len(pairs)) < SHARE
        if not out.any():
            continue
        graph = nx.empty_graph(n)
        graph.add_edges_from(pairs.loc[~out, ["source", "target"]].to_numpy())
        hidden = np.zeros((n, n), bool)
        hidden[pairs["source"][out], pairs["target"][out]] = True
        free = nx.to_numpy_array(graph)[upper] == 0
        held = introductions.join_ties(pairs[~out], actors)
        ours = introductions.weigh_contacts(*held).toarray()[upper][free]
        open_ = list(zip(*(end[free] for end in upper), strict=True))
        theirs = [score for _, _, score in nx.adamic_adar_index(graph, open_)]
        degrees = [score for _, _, score in nx.preferential_attachment(graph, open_)]
        scores = (ours, np.array(theirs), np.array(degrees))
        found.append(tuple(measure_auc(s, hidden=hidden[upper][free]) for s in scores))
    return found


def main() -> None:
    """Try every country and write the table."""
    study = read_study(ROOT / "data" / "eurosis")
    rows = []
    for place, name in study.tables["territories"].set_index("territory_id")["name"].items():
        actors, relations = (
            table[table["territory_id"] == place]
            for table in (study.tables["actors"], study.tables["relations"])
        )
        inside = relations[relations["target_id"].isin(actors["actor_id"])]
        found = np.array(try_country(inside, actors=actors))
        ours, theirs, degrees = found.mean(axis=0)
        low, high = np.quantile(found[:, 0], [0.05, 0.95])
        n_ties = len(ties.combine_ties(inside, actors=actors))
        rows.append(
            f"| {name} | {len(actors)} | {n_ties} | {ours:.3f} | {low:.3f}–{high:.3f} "
            f"| {theirs:.3f} | {degrees:.3f} | 0.500 |\n"
        )
    (ROOT / "docs" / "introductions.md").write_text(HEAD + "".join(rows) + TAIL, encoding="utf-8")


if __name__ == "__main__":
    main()
