"""Voices: the answers of a table of ratings, one a rater."""

from __future__ import annotations

import pandas as pd

from ecoanalysis.errors import UsageError

UNIT = ["actor_id", "criterion", "challenge_id"]


def gather_voices(
    ratings: pd.DataFrame,
    *,
    raters: pd.DataFrame | None,
    criteria: pd.DataFrame | None = None,
    general: bool = False,
    silent: bool = False,
) -> pd.DataFrame:
    """Gather the values given, one row an actor, criterion, challenge and rater.

    `general` leaves out answers on one challenge (where criteria are asked so) and gives a rater
    one voice over several; `silent` keeps who gave no value. The columns are actor_id, criterion,
    challenge_id ("" if none), rater_id, value, dont_know (bool), own (bool: on the own
    organisation) and, with criteria, points (0-100, 100 being favourable). A criterion that is not
    declared is a UsageError.
    """
    rows = ratings.reindex(columns=[*UNIT, "rater_id", "value", "dont_know"])
    rows = rows.astype({"value": float, "challenge_id": object})
    rows = rows if silent else rows.dropna(subset="value")
    rows = rows.fillna({"challenge_id": ""}).assign(dont_know=rows["dont_know"].eq(True))
    if criteria is not None:
        unknown = sorted(set(rows["criterion"].dropna()) - set(criteria.index))
        if unknown:
            raise UsageError(f"ratings name criteria that are not declared: {', '.join(unknown)}")
        if general:
            on_challenge = rows["criterion"].map(criteria["per_challenge"]).eq("yes")
            rows = rows[~(on_challenge & rows["challenge_id"].ne(""))].assign(challenge_id="")
    answers = rows.groupby([*UNIT, "rater_id"], sort=False)
    voices = answers.agg(value=("value", "mean"), dont_know=("dont_know", "any")).reset_index()
    own = pd.Series(dtype=object) if raters is None else raters.set_index("rater_id")["actor_id"]
    voices["own"] = voices["rater_id"].map(own).eq(voices["actor_id"])
    if criteria is not None:
        known = criteria.reindex(voices["criterion"]).set_index(voices.index)
        share = (voices["value"] - known["scale_min"]) / (known["scale_max"] - known["scale_min"])
        voices["points"] = 100 * share.where(known["direction"] > 0, 1 - share)
    return voices
