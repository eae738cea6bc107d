"""Compare territories, after asking whether their lists can be compared at all.

What the gate refuses is not computed. Territories keep the order given: nothing is a ranking.
Intervals read "if this list were a random draw of what exists"; a declared census has none.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from ecoanalysis.codebook import UNCLASSIFIED
from ecoanalysis.errors import UsageError
from ecoanalysis.linkage import fold_id

if TYPE_CHECKING:
    from ecoanalysis.codebook import Codebook
    from ecoanalysis.study import Descriptor

Counts = Sequence[int] | npt.NDArray[np.int64] | pd.Series
Results = Mapping[str, Mapping[str, pd.DataFrame]]

COMPARISONS = ("mixes", "diversity", "readiness", "networks")
SMALLEST_SIZE = 5
LEVEL = 0.95
THIN_ACTORS, THIN_UNCLASSIFIED = 25, 0.5
"""A list of fewer actors, or of which a larger share is unclassified, is too thin to be read."""
TERRITORY_MEASURES = [
    "n_actors", "n_kinds", "n_guide_kinds_listed", "n_unclassified", "share_unclassified",
    "n_located", "n_rated_actors", "n_ratings", "n_raters", "n_ties", "n_ties_beyond",
]  # fmt: skip
GATE_MEASURES = [
    "n_actors", "n_unclassified", "n_ratings", "n_linked_territories", "n_ties", "n_ties_beyond",
]  # fmt: skip
QUARTILES = {"lowest": 0.0, "lower_quartile": 0.25, "median": 0.5, "upper_quartile": 0.75}
QUARTILES |= {"highest": 1.0}


def compare_territories(
    results: Results, *, descriptor: Descriptor, territories: pd.DataFrame, codebook: Codebook
) -> dict[str, pd.DataFrame]:
    """Compare the territories of a study from their stored tables; none is a UsageError.

    A territory within another that is compared too (`parent_id`) is not set beside it: it stands
    in `territories`, and its organisations in `totals`, and nowhere else. Of `results`, per
    territory_id in the order to keep, the tables `summary`, `actors`, `kinds`, `scores`, `network`
    and `mixing` are read; `territories` has territory_id, name, region, parent_id.

    Returns
    -------
    dict of str to pandas.DataFrame
        - gate, mixes, diversity, totals : see `check_gate`, `compare_mixes`, `compare_diversity`,
          `count_organisations`; mixes have counts only, and diversity is empty, if refused
        - territories : territory_id, name, within (the territory that it is counted in, else
          missing), thin (bool, `THIN_ACTORS`), share_classified and share_located (0-1), then
          counts from `summary` (missing where not stored)
        - readiness : territory_id, n_actors, n_scored, and of the scores (0-100) lowest,
          lower_quartile, median, upper_quartile, highest: distributions side by side, whose
          differences may be stated only if the gate allows it; empty if the study declares its
          territories not comparable
        - networks : territory_id, structure, the columns of `network.measure_territory`, and for
          free ties ei_index and ei_expected between helices; empty if refused
    """
    if not results:
        raise UsageError("no territory to compare: no stored results")
    listed = _list_territories(results, territories=territories)
    apart = listed.loc[listed["within"].isna(), "territory_id"]
    beside = {str(name): results[name] for name in apart}
    places = territories.reindex(columns=["territory_id", "region"]).astype("str").fillna("")
    regions = set(places.loc[places["territory_id"].isin(beside), "region"])
    summaries = {name: tables["summary"] for name, tables in beside.items()}
    gate = check_gate(descriptor, summaries=summaries, regions=regions)
    allowed, kinds = list_allowed(gate), _stack(beside, "kinds")
    mixes = compare_mixes(kinds, census=bool(descriptor.census))
    if "mixes" not in allowed:
        mixes = mixes.assign(share=np.nan, low=np.nan, high=np.nan)
    tables = {
        "gate": gate,
        "territories": listed,
        "mixes": mixes,
        "diversity": compare_diversity(kinds),
        "readiness": _describe_readiness(beside),
        "networks": _join_networks(beside),
        "totals": count_organisations(_stack(results, "actors"), kinds=codebook.kinds.index),
    }
    declared = gate.set_index("item").loc["comparable", "passed"]
    refused = {"diversity", "networks"} - allowed | (set() if declared else {"readiness"})
    return tables | {name: tables[name].iloc[:0] for name in refused}


def select_region(territories: pd.DataFrame, *, region: str) -> pd.DataFrame:
    """Select the territories of a region, named as the table or as a folder names it.

    All of them when `region` is blank; none if there is no such region.
    """
    if not region:
        return territories
    folded = territories["region"].map(fold_region, na_action="ignore")
    return territories[folded == fold_region(region)]


def fold_region(region: str) -> str:
    """Fold the name of a region to the name of its folder."""
    return fold_id(region) or f"region-{zlib.crc32(region.encode()):08x}"


def name_page(*, region: str = "") -> str:
    """Name the folder of a comparison: of a region, or of a whole study when it is blank."""
    return f"regions/{fold_region(region)}/comparison" if region else "comparison"


def check_gate(
    descriptor: Descriptor,
    *,
    summaries: Mapping[str, pd.DataFrame],
    regions: Collection[str] = (),
) -> pd.DataFrame:
    """Check what may be compared between territories that lie in `regions`.

    `summaries` has per territory the table measure, value; a count that is not stored is 0. One row
    an item: item, passed (bool), reason (code), allows (`;` between: the comparisons that need this
    item). Items and reasons, those that pass first:

    - comparable : declared_comparable, comparable_region (the study is not, but says that the
      only region is), not_stated / declared_not_comparable
    - territories : several / single
    - boundary_rule, date_window, tie_question : stated / not_stated
    - ties : listed (in two territories or more) / not_listed
    - shared_raters : shared (a chain of shared raters joins all rated territories) / not_shared,
      no_ratings (in two territories or more)
    - size : large_enough (two territories have 5 classified actors) / too_small
    - census : declared, not_declared; decides about intervals, refuses nothing
    """
    values = _read_measures(summaries, GATE_MEASURES).fillna(0)
    rated = values["n_ratings"] > 0
    linked = values.loc[rated, "n_linked_territories"] >= rated.sum()
    n_tied = (values["n_ties"] + values["n_ties_beyond"] > 0).sum()
    n_large = (values["n_actors"] - values["n_unclassified"] >= SMALLEST_SIZE).sum()
    everything, lists = ";".join(COMPARISONS), "mixes;diversity;networks"
    declared = {None: "not_stated", True: "declared_comparable"}.get(descriptor.comparable, "")
    if not declared and len(regions) == 1 and {*regions} <= {*descriptor.comparable_regions}:
        declared = "comparable_region"
    several, alone = rated.sum() > 1, "not_shared" if rated.sum() > 1 else "no_ratings"
    rows = [
        ("comparable", declared, declared, "declared_not_comparable", everything),
        ("territories", len(summaries) > 1, "several", "single", everything),
        *(
            (item, _is_stated(getattr(descriptor, item)), "stated", "not_stated", allows)
            for item, allows in (
                ("boundary_rule", lists), ("date_window", everything), ("tie_question", "networks")
            )
        ),
        ("ties", n_tied > 1, "listed", "not_listed", "networks"),
        ("shared_raters", several and linked.all(), "shared", alone, "readiness"),
        ("size", n_large > 1, "large_enough", "too_small", "diversity"),
        ("census", True, "declared" if descriptor.census else "not_declared", "", ""),
    ]  # fmt: skip
    judged = [(item, bool(ok), yes if ok else no, allows) for item, ok, yes, no, allows in rows]
    return pd.DataFrame(judged, columns=["item", "passed", "reason", "allows"])


def list_allowed(gate: pd.DataFrame) -> set[str]:
    """List the comparisons (of `COMPARISONS`) that every item of the gate allows, and no other."""
    failed = gate.loc[~gate["passed"].astype(bool), "allows"].fillna("")
    return set(COMPARISONS) - set(";".join(failed).split(";"))


def compare_mixes(kinds_by_territory: pd.DataFrame, *, census: bool = False) -> pd.DataFrame:
    """Compare the share of each kind of actor between territories.

    The table is territory_id, kind, n (int >= 0); "unclassified" is counted and has no share. A
    `census`, where the lists are declared complete, has nothing to estimate, and no interval.

    One row each, in the order given: territory_id, kind, n; share (0-1 of the territory's
    classified actors; missing where there are none); low, high (0-1, Jeffreys' interval, 95 %,
    Brown, Cai & DasGupta 2001: quantiles of Beta(n + 1/2, N - n + 1/2), low 0 where n = 0 and high
    1 where n = N; where n = 0, `high` bounds the share of a kind that is not listed).
    """
    table = kinds_by_territory[["territory_id", "kind", "n"]].reset_index(drop=True)
    n = table["n"].where(table["kind"] != UNCLASSIFIED).astype(float)
    total = n.groupby(table["territory_id"]).transform("sum")
    total = total.where(total > 0)
    ends = np.array([[1 - LEVEL], [1 + LEVEL]]) / 2
    low, high = np.asarray(stats.beta.ppf(ends, n + 0.5, total - n + 0.5))
    table["share"] = n / total
    table["low"] = np.nan if census else np.where(table["share"] == 0, 0, low)
    table["high"] = np.nan if census else np.where(table["share"] == 1, 1, high)
    return table


def compare_diversity(kinds_by_territory: pd.DataFrame) -> pd.DataFrame:
    """Compare how diverse the kinds of actors are in random parts of one size of the lists.

    A longer list shows more kinds for that reason alone. No list is extrapolated. The table is
    territory_id, kind, n (int >= 0), of which "unclassified" is left out; the common size is that
    of the smallest list of at least 5 actors.

    One row a territory, in the order given: territory_id, n (classified actors), size (missing
    where no list has 5 actors), hill_0, hill_1, hill_2 (see `rarefy`), compared (bool; False, and
    no Hill numbers, where the list is shorter than 5).
    """
    known = kinds_by_territory[kinds_by_territory["kind"] != UNCLASSIFIED]
    names = pd.Index(kinds_by_territory["territory_id"].unique(), name="territory_id")
    n = known.groupby("territory_id")["n"].sum().reindex(names, fill_value=0).astype("int64")
    compared = n >= SMALLEST_SIZE
    common = n[compared].min()
    parts = {name: known.loc[known["territory_id"] == name, "n"] for name in names[compared]}
    hills = {name: rarefy(part, int(common)) for name, part in parts.items()}
    columns = ["hill_0", "hill_1", "hill_2"]
    found = pd.DataFrame.from_dict(hills, orient="index", columns=columns, dtype=float)
    found = pd.DataFrame({"n": n, "size": float(common)}).join(found)
    return found.assign(compared=compared).reset_index()


def hill_numbers(counts: Counts) -> tuple[float, float, float]:
    """Return the Hill numbers of order 0, 1 and 2 of a list, missing where nothing is listed.

    Order 0 is the number of kinds, 1 the exponential of Shannon's entropy, 2 the inverse of
    Simpson's concentration: the number of equally frequent kinds that would be as diverse, rare
    kinds weighing less and less (Hill 1973, *Ecology* 54).

    Examples
    --------
    >>> [round(d, 5) for d in hill_numbers([10, 20, 20, 0, 3])]
    [4.0, 3.36264, 3.09021]
    """
    n = int(_read_counts(counts).sum())
    return rarefy(counts, n) if n else (math.nan, math.nan, math.nan)


def rarefy(counts: Counts, size: int) -> tuple[float, float, float]:
    """Return the Hill numbers of order 0, 1 and 2 expected in a random part of a list.

    With f_k(m) the expected number of kinds that stand k times among m actors drawn without
    replacement, sum over kinds of C(X, k) C(n - X, m - k) / C(n, m), the Hill number of order q
    is (sum of (k/m)^q f_k(m))^(1 / (1 - q)), its limit for q = 1 (Chao et al. 2014,
    *Ecological Monographs* 84; for q = 0 Hurlbert 1971, *Ecology* 52). At full size these are
    `hill_numbers`; a `size` that is not from 1 to the number of actors is a UsageError.

    Examples
    --------
    >>> round(rarefy([12, 7, 5, 3, 2, 1], 10)[0], 5)
    4.46743
    """
    listed = _read_counts(counts)
    n = int(listed.sum())
    if not 1 <= size <= n:
        raise UsageError(f"size must lie between 1 and the {n} actors listed, not {size}")
    k = np.arange(1, size + 1)
    standing = np.asarray(stats.hypergeom.pmf(k[:, None], n, listed[None, :], size))
    expected = standing.sum(axis=1)
    share = k / size
    shannon = float(np.exp(-(share * np.log(share) * expected).sum()))
    return float(expected.sum()), shannon, float(1 / (share**2 * expected).sum())


def count_organisations(actors: pd.DataFrame, *, kinds: Sequence[str] | pd.Index) -> pd.DataFrame:
    """Count organisations over all territories, each once.

    The same actor_id in several territories is the same organisation; its kind is the first that
    is not "unclassified". `kinds` are listed in their order; those met besides follow.

    A row "all" and one a kind: kind, n_organisations, n_entries (rows in the lists; larger where an
    organisation stands in several), n_in_several (organisations in two territories or more).
    """
    known = actors["kind"].mask(actors["kind"] == UNCLASSIFIED)
    found = known.groupby(actors["actor_id"], sort=False).agg(["first", "size"])
    found = found.assign(several=found["size"] > 1).fillna({"first": UNCLASSIFIED})
    totals = found.groupby("first").agg(
        n_organisations=("size", "size"), n_entries=("size", "sum"), n_in_several=("several", "sum")
    )
    order = list(dict.fromkeys([*kinds, *sorted(set(totals.index) - {UNCLASSIFIED}), UNCLASSIFIED]))
    totals = totals.reindex(order, fill_value=0).astype("int64")
    everything = totals.sum().to_frame("all").T
    return pd.concat([everything, totals]).rename_axis("kind").reset_index()


def _is_stated(text: object) -> bool:
    parts = text.values() if isinstance(text, Mapping) else [text]
    return any(str(part or "").strip() for part in parts)


def _read_measures(summaries: Mapping[str, pd.DataFrame], measures: list[str]) -> pd.DataFrame:
    """Read measures (columns) of territories (rows), missing where they are not stored."""
    values = {name: table.set_index("measure")["value"] for name, table in summaries.items()}
    rows = pd.DataFrame(values, index=measures).T
    numbers: pd.DataFrame = rows.apply(pd.to_numeric, errors="coerce")
    return numbers


def _stack(results: Results, table: str) -> pd.DataFrame:
    parts = [tables[table].assign(territory_id=name) for name, tables in results.items()]
    return pd.concat(parts, ignore_index=True)


def _list_territories(results: Results, *, territories: pd.DataFrame) -> pd.DataFrame:
    summaries = {name: tables["summary"] for name, tables in results.items()}
    table = _read_measures(summaries, TERRITORY_MEASURES).rename_axis("territory_id")
    known = territories.set_index("territory_id").reindex(columns=["name", "parent_id"])
    parents = dict(known["parent_id"].dropna().items())
    n, listed = table["n_actors"], set(table.index[table["n_actors"] > 0])
    within = [_find_ancestor(str(name), parents, listed) for name in table.index]
    first = {
        "name": known["name"].reindex(table.index),
        "within": pd.Series(within, table.index, dtype="str"),
        "thin": (n < THIN_ACTORS) | (table["share_unclassified"] > THIN_UNCLASSIFIED),
        "share_classified": 1 - table["share_unclassified"],
        "share_located": table["n_located"] / n.where(n > 0),
    }
    return pd.DataFrame(first).join(table).reset_index()


def _find_ancestor(name: str, parents: Mapping[Any, str], listed: set[Any]) -> str | None:
    """Find the widest territory with actors that holds another, however far up."""
    above = [name]
    while parent := parents.get(above[-1]):
        if parent in above:  # a circle holds nothing
            return None
        above.append(parent)
    return next((other for other in reversed(above[1:]) if other in listed), None)


def _describe_readiness(results: Results) -> pd.DataFrame:
    rows = []
    for name, tables in results.items():
        ready = tables["scores"]["dimension"] == "readiness"
        known = tables["scores"].loc[ready, "score"].dropna().astype(float)
        ends = known.quantile([*QUARTILES.values()])
        rows.append((name, len(tables["actors"]), len(known), *ends))
    return pd.DataFrame(rows, columns=["territory_id", "n_actors", "n_scored", *QUARTILES])


def _join_networks(results: Results) -> pd.DataFrame:
    networks, mixing = _stack(results, "network"), _stack(results, "mixing")
    between = mixing[mixing["group"] == "helix"].assign(structure="free")
    keys = ["territory_id", "structure"]
    joined = networks.merge(between[[*keys, "ei_index", "ei_expected"]], on=keys, how="left")
    return joined[[*keys, *joined.columns.drop(keys)]]


def _read_counts(counts: Counts) -> npt.NDArray[np.int64]:
    array = np.asarray(counts, dtype=float)
    if not (np.isfinite(array) & (array >= 0) & (array == np.floor(array))).all():
        raise UsageError(f"counts must be whole numbers, none negative; found {list(counts)}")
    return array[array > 0].astype(np.int64)
