"""The network beside igraph called directly, networkx and plain Python.

Each row holds the medians of rounds in which ours and the peer take turns; one round where a round
takes minutes. Seconds are those of the processor, on one thread, so that other work on the machine
counts little. networkx is timed on 20 actors and scaled, since it takes them one by one.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = "1"  # read by igraph as it is imported

import igraph
import networkx as nx
import numpy as np
import pandas as pd

from ecoanalysis import network, pipeline
from ecoanalysis.network.arcs import mirror_arcs, read_arcs
from ecoanalysis.network.positions import measure_holes
from ecoanalysis.study import read_study

DATA = Path(__file__).parents[1] / "data"
KINDS = ["ngo", "university", "telecom", "local_authority", "digital_startup"]
CRITERIA = ["familiarity", "appetite", "power", "legitimacy", "urgency", "lever_pilot"]
CRITERIA += [f"resource_{name}" for name in ("financial", "technical", "human", "data", "ideas")]
CRITERIA += [f"interest_{name}" for name in ("profit", "cause", "knowledge", "efficiency")]
CRITERIA += ["seeks_technical", "seeks_data"]
Ends = list[tuple[int, int]]


def make_network(n: int, m: int) -> tuple[pd.DataFrame, pd.DataFrame, Ends]:
    """Draw a random network: ties, actors with a helix each, and the ties by row."""
    ends = igraph.Graph.Erdos_Renyi(n, m=m).get_edgelist()
    actors = pd.DataFrame({"actor_id": [f"actor-{i}" for i in range(n)]})
    actors["helix"] = np.random.default_rng(1).choice(["a", "b", "c", "d"], n)
    columns = ["source_id", "target_id"]
    ties = pd.DataFrame([(f"actor-{s}", f"actor-{t}") for s, t in ends], columns=columns)
    return ties, actors, ends


def time_turns(
    ours: Callable[[], object], peer: Callable[[], object] | None = None, *, rounds: int = 3
) -> tuple[float, float]:
    """Take turns; return the median processor seconds of ours and of the peer (0 without one)."""
    spent: dict[int, list[float]] = {0: [], 1: []}
    for _ in range(rounds):
        for side, work in enumerate((ours, peer)):
            start = time.process_time()
            if work is not None:
                work()
            spent[side].append(time.process_time() - start if work is not None else 0.0)
    return statistics.median(spent[0]), statistics.median(spent[1])


def show_row(work: str, ours: float, peer: float, target: str, *, faster: bool = False) -> None:
    """Print one row; the ratio is peer over ours where it says how much faster ours is."""
    ratio = (peer / ours if faster else ours / peer) if peer else 0.0
    cells = [work, f"{ours:.3g} s", f"{peer:.3g} s" if peer else "–"]
    print("|", " | ".join([*cells, f"{ratio:.3g} ×" if peer else "–", target]), "|", flush=True)


def compare_paths(n: int, m: int, *, rounds: int) -> None:
    """Every measure of every actor, and communities, against the same calls of igraph."""
    ties, actors, ends = make_network(n, m)

    def call_igraph() -> None:
        graph = igraph.Graph(n, ends)
        for measure in ("betweenness", "closeness", "harmonic_centrality", "pagerank", "coreness"):
            getattr(graph, measure)()

    n_runs = 10 if n <= network.LARGE else 1

    def call_leiden() -> None:
        graph = igraph.Graph(n, ends)
        for _ in range(n_runs):
            graph.community_leiden(objective_function="modularity", n_iterations=10)

    spent = time_turns(
        lambda: network.measure_actors(ties, actors=actors), call_igraph, rounds=rounds
    )
    show_row(f"paths of {n:,} actors, {m:,} ties / igraph", *spent, "≤ 1.2 ×")
    spent = time_turns(
        lambda: network.classify_communities(ties, actors=actors),
        call_leiden,
        rounds=5,
    )
    show_row(f"communities of {n:,} actors, best of {n_runs} / igraph", *spent, "≤ 1.2 ×")


def compare_holes(n: int, m: int) -> None:
    """Constraint and effective size against networkx on 20 actors, scaled."""
    ties, actors, ends = make_network(n, m)
    graph = nx.Graph(ends)
    some = random.Random(1).sample(sorted(graph), 20)

    def call_networkx() -> None:
        nx.constraint(graph, nodes=some)
        nx.effective_size(graph, nodes=some)

    ours, peer = time_turns(
        lambda: measure_holes(mirror_arcs(read_arcs(ties, actors=actors))), call_networkx
    )
    work = f"constraint and effective size, {n:,} actors / networkx (20 actors, scaled)"
    show_row(work, ours, peer * n / len(some), "≥ 500 ×", faster=True)


def compare_roles(n: int, m: int) -> None:
    """Gould and Fernandez' roles against a plain loop, both from the table of ties."""
    ties, actors, _ = make_network(n, m)

    def count_plainly() -> Counter[tuple[int, bool, bool, bool]]:
        helix = actors["helix"].tolist()
        row = {actor_id: i for i, actor_id in enumerate(actors["actor_id"])}
        ends = [(row[s], row[t]) for s, t in zip(ties["source_id"], ties["target_id"], strict=True)]
        into: list[list[int]] = [[] for _ in range(n)]
        out: list[list[int]] = [[] for _ in range(n)]
        for source, target in ends:
            out[source].append(target)
            into[target].append(source)
        arcs, roles = set(ends), Counter[tuple[int, bool, bool, bool]]()
        for v in range(n):
            for a in into[v]:
                for b in out[v]:
                    if a != b and (a, b) not in arcs:
                        alike = helix[a] == helix[v], helix[v] == helix[b], helix[a] == helix[b]
                        roles[v, *alike] += 1
        return roles

    spent = time_turns(
        lambda: network.measure_brokerage(ties, actors=actors, group="helix", directed=True),
        count_plainly,
    )
    show_row(f"Gould–Fernandez, {n:,} actors / plain Python", *spent, "≥ 2 ×", faster=True)


def write_study(folder: Path, n: int, m: int, *, n_rated: int) -> Path:
    """Write a study of one territory with so many actors, relations and actors that five rate."""
    ties, actors, _ = make_network(n, m)
    rng = np.random.default_rng(1)
    kinds, raters = rng.choice(KINDS, n), [f"r{i}" for i in range(5)]
    keys = [actors["actor_id"][:n_rated], CRITERIA, raters]
    answers = pd.MultiIndex.from_product(keys, names=["actor_id", "criterion", "rater_id"])
    ratings = answers.to_frame(index=False)
    needs = {"needs_technical": [3, 1], "needs_data": [1, 3], "needs_human": [2, 2]}
    tables = {
        "territories": pd.DataFrame([{"territory_id": "t", "name": "T", "country_code": "FR"}]),
        "actors": actors[["actor_id"]].assign(name=actors["actor_id"], kind=kinds),
        "relations": ties.assign(kind="partners_with"),
        "ratings": ratings.assign(value=rng.integers(0, 6, len(ratings))),
        "raters": pd.DataFrame({"rater_id": raters, "role": "expert", "mode": "form"}),
        "challenges": pd.DataFrame({"challenge_id": ["c1", "c2"], "title": ["C1", "C2"], **needs}),
    }
    for name, table in tables.items():
        table.assign(territory_id="t").to_csv(folder / f"{name}.csv", index=False)
    return folder


def time_territories(folder: Path) -> None:
    """Whole territories, and the network's share of one."""
    eurosis, training = read_study(DATA / "eurosis"), read_study(DATA / "training")
    here = pipeline._take_territory(eurosis, "belgium")
    tables = pipeline.run_territory(eurosis, "belgium").tables
    spent = time_turns(lambda: pipeline._run_network(eurosis, here, tables))
    show_row("network section of Belgium (197 actors, 1,233 ties)", *spent, "≤ 1.5 s")
    spent = time_turns(lambda: pipeline.run_territory(training, "rive-songe"))
    show_row("run_territory, training (43 actors)", *spent, "≤ 3 s")
    for n_rated in (0, 2_000):
        large = read_study(write_study(folder, 10_000, 50_000, n_rated=n_rated))
        spent = time_turns(lambda study=large: pipeline.run_territory(study, "t"), rounds=1)
        work = f"run_territory, 10,000 actors, {n_rated:,} of them rated, 50,000 ties"
        show_row(work, *spent, "≤ 60 s")


def main(arguments: list[str] | None = None) -> None:
    """Print the rows: work, ours, peer, ratio, target."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="leave out what takes minutes")
    quick = parser.parse_args(arguments).quick
    random.seed(1)
    compare_paths(1_000, 5_000, rounds=3)
    compare_holes(10_000, 50_000)
    compare_roles(10_000, 50_000)
    if not quick:
        with tempfile.TemporaryDirectory() as folder:
            time_territories(Path(folder))
        compare_paths(10_000, 50_000, rounds=1)


if __name__ == "__main__":
    main()
