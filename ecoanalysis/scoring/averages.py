"""What the raters said of each actor on average, and how far territories share raters."""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy import sparse
from scipy.sparse import csgraph

from ecoanalysis.ratings.voices import gather_voices


def average_ratings(
    ratings: pd.DataFrame, *, raters: pd.DataFrame, criteria: pd.DataFrame
) -> pd.DataFrame:
    """Average what the raters said of each actor, criterion by criterion.

    Raters have one voice each. What a rater says of the own organisation is kept apart; answers on
    one challenge (criteria with per_challenge) do not enter. Ratings (actor_id, rater_id,
    criterion, value; optionally dont_know, challenge_id) and raters (rater_id, actor_id of the own
    organisation) are one territory's; a criterion that is not declared is a UsageError.

    There is one row an actor and criterion on which anybody was asked, in the order of first
    mention: actor_id, criterion; mean (in the criterion's own scale; missing where nobody else gave
    a value); n_raters, n_dont_know, n_self (int: raters behind the mean, those who answered "don't
    know", answers on the own organisation); low, high (lowest and highest value given by a rater;
    not an interval).
    """
    voices = gather_voices(ratings, raters=raters, criteria=criteria, general=True, silent=True)
    voices["value"] = voices["value"].mask(voices["own"])
    voices["dont_know"] &= voices["value"].isna() & ~voices["own"]
    found = voices.groupby(["actor_id", "criterion"], sort=False, as_index=False).agg(
        mean=("value", "mean"),
        n_raters=("value", "count"),
        n_dont_know=("dont_know", "sum"),
        n_self=("own", "sum"),
        low=("value", "min"),
        high=("value", "max"),
    )
    return found.astype(dict.fromkeys(["n_raters", "n_dont_know", "n_self"], "int64"))


def measure_shared_raters(ratings: pd.DataFrame) -> pd.DataFrame:
    """Measure how far the territories of a study were rated by the same people.

    One row a territory in which anybody gave a value: territory_id; n_linked_territories (int >= 1,
    joined to it by a chain of shared raters, itself included).
    """
    pairs = ratings[["territory_id", "rater_id", "value"]].dropna()
    pairs = pairs.drop_duplicates(["territory_id", "rater_id"])
    place, names = pd.factorize(pairs["territory_id"])
    rater, people = pd.factorize(pairs["rater_id"])
    panel = sparse.coo_array((np.ones(len(pairs)), (place, rater)), (len(names), len(people)))
    linked = csgraph.connected_components(panel @ panel.T)[1] if len(names) else place
    n_linked = np.bincount(linked, minlength=1)[linked]
    return pd.DataFrame({"territory_id": names, "n_linked_territories": n_linked})
