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
) -> pd.DataFrame:
    """Gather the values given, one row an actor, criterion, challenge and rater.

    `general` leaves out answers on one challenge (where criteria are asked so) and gives a rater
    one voice over several. The columns are actor_id, criterion, challenge_id ("" if none),
    rater_id, value, own (bool: on the own organisation) and, with criteria, points (0-100, 100
    being favourable).
    """
    rows = ratings.reindex(columns=[*UNIT, "rater_id", "value"]).dropna(subset="value")
    rows = rows.astype({"value": float, "challenge_id": object})
    if criteria is not None:
        unknown = sorted(set(rows["criterion"].unique()) - set(criteria.index))
        if unknown:
            raise UsageError(f"ratings name criteria that are not declared: {', '.join(unknown)}")
        if general:
            on_challenge = rows["criterion"].map(criteria["per_challenge"]).eq("yes")
            rows = rows[~(on_challenge & rows["challenge_id"].notna())].assign(challenge_id="")
    rows = rows.fillna({"challenge_id": ""})
    voices = rows.groupby([*UNIT, "rater_id"], sort=False)["value"].mean().reset_index()
    own = pd.Series(dtype=object) if raters is None else raters.set_index("rater_id")["actor_id"]
    voices["own"] = voices["rater_id"].map(own).eq(voices["actor_id"])
    if criteria is not None:
        known = criteria.reindex(voices["criterion"]).set_index(voices.index)
        share = (voices["value"] - known["scale_min"]) / (known["scale_max"] - known["scale_min"])
        voices["points"] = 100 * share.where(known["direction"] > 0, 1 - share)
    return voices
