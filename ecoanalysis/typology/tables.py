"""Counts of what the typology found: kinds, helices, roles, themes and desk evidence."""

from __future__ import annotations

import numpy as np
import pandas as pd

from ecoanalysis.codebook import UNCLASSIFIED, read_codebook
from ecoanalysis.typology.cells import fold_text, list_values, read_column

_KEYS = ["territory_id", "actor_id"]


def tabulate_kinds(classified: pd.DataFrame, *, kinds: pd.DataFrame) -> pd.DataFrame:
    """Count the actors of each kind, those that nobody listed included.

    Parameters
    ----------
    classified : pandas.DataFrame
        `kind` of each actor, as `classify_actors` returns it.
    kinds : pandas.DataFrame
        The codebook's kinds: index code; helix, origin.

    Returns
    -------
    pandas.DataFrame
        kind (each of the codebook, in its order, ``unclassified`` last), helix, origin (both
        missing for unclassified), n (int >= 0), share (0-1, of the classified; missing if none
        is, and for unclassified), share_low and share_high (0-1, of all actors: if no
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

    Parameters
    ----------
    classified : pandas.DataFrame
        `kind` and `subkind` of each actor.

    Returns
    -------
    pandas.DataFrame
        kind, subkind, n (int >= 1), the most frequent first; actors without a subkind are in no
        row.
    """
    known = classified.dropna(subset=["subkind"])
    counts = known.groupby(["kind", "subkind"]).size().rename("n").reset_index()
    return counts.sort_values("n", ascending=False, kind="stable", ignore_index=True)


def tabulate_helices(classified: pd.DataFrame) -> pd.DataFrame:
    """Count the actors of each helix.

    Parameters
    ----------
    classified : pandas.DataFrame
        `helix` of each actor; missing for the unclassified.

    Returns
    -------
    pandas.DataFrame
        helix (public, private, knowledge, civil, ``unclassified``), n (int >= 0), share (0-1, of
        the classified; missing for unclassified).

    References
    ----------
    Carayannis & Campbell (2009); the assignment of kinds to helices is the codebook's.
    """
    order = [*read_codebook().helices.index, UNCLASSIFIED]
    n = classified["helix"].fillna(UNCLASSIFIED).value_counts().reindex(order, fill_value=0)
    table = n.rename_axis("helix").rename("n").reset_index()
    known = table["n"].where(table["helix"] != UNCLASSIFIED).astype(float)
    return table.assign(share=known / (known.sum() or np.nan))


def compare_roles(
    classified: pd.DataFrame, *, actors: pd.DataFrame, kinds: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Compare the roles that actors are said to play with those expected of their kind.

    Parameters
    ----------
    classified : pandas.DataFrame
        territory_id, actor_id, kind.
    actors : pandas.DataFrame
        territory_id, actor_id, roles (``;`` between several).
    kinds : pandas.DataFrame
        The codebook's kinds: index code; expected_roles (``;``).

    Returns
    -------
    roles : pandas.DataFrame
        role, n_stated (actors said to play it), n_expected (actors of whose kind it is expected),
        n_both; integers >= 0.
    surprises : pandas.DataFrame
        territory_id, actor_id, kind, role: roles stated and not expected of the kind. The
        unclassified are left out, since nothing is expected of them.

    References
    ----------
    AFD & IDDRI (2018), step 3, for the roles expected of each kind.
    """
    of_kind = list_values(kinds["expected_roles"]).set_axis(["kind", "role"], axis=1)
    expected = classified[[*_KEYS, "kind"]].merge(of_kind, on="kind")[[*_KEYS, "role"]]
    listed = actors.reset_index(drop=True)
    said = list_values(read_column(listed, "roles")).drop_duplicates().set_index("row")
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

    Parameters
    ----------
    actors : pandas.DataFrame
        actor_id, tags (``;`` between several).
    top : int, default 30
        Number of tags kept.

    Returns
    -------
    pandas.DataFrame
        tag (its most frequent spelling), n (organisations that carry it, each counted once), the
        most frequent first.
    """
    listed = actors.reset_index(drop=True)
    tags = list_values(read_column(listed, "tags"))
    tags["actor"] = tags["row"].map(listed["actor_id"])
    tags["value"] = tags["value"].str.lstrip("# ")
    tags["folded"] = fold_text(tags["value"])
    tags = tags[tags["folded"] != ""].drop_duplicates(["actor", "folded"])
    spellings = tags.groupby(["folded", "value"]).size().rename("uses").reset_index()
    spellings = spellings.sort_values(["folded", "uses", "value"], ascending=[True, False, True])
    shown = spellings.drop_duplicates("folded").set_index("folded")["value"]
    n = tags.groupby("folded").size()
    table = pd.DataFrame({"tag": shown, "n": n}).rename_axis("folded").reset_index()
    table = table.sort_values(["n", "folded"], ascending=[False, True])
    return table[["tag", "n"]].head(top).reset_index(drop=True)


def measure_desk_evidence(actors: pd.DataFrame) -> pd.DataFrame:
    """Count what can be seen of the actors from a desk; it rates nobody.

    Parameters
    ----------
    actors : pandas.DataFrame
        website, channels (``;`` between several), founded (year).

    Returns
    -------
    pandas.DataFrame
        indicator (``desk_website``, ``desk_channel:`` and the name of a public channel, the most
        frequent first, ``desk_founded``), n (actors of which it is known), share (0-1, of all
        actors; missing if there is none).
    """
    channels = list_values(read_column(actors.reset_index(drop=True), "channels"))
    channels["value"] = fold_text(channels["value"])
    open_channels = channels.drop_duplicates().groupby("value").size()
    open_channels = open_channels.sort_values(ascending=False, kind="stable")
    counts = {
        "desk_website": int(read_column(actors, "website").notna().sum()),
        **{f"desk_channel:{name}": int(n) for name, n in open_channels.items()},
        "desk_founded": int(actors["founded"].notna().sum()) if "founded" in actors else 0,
    }
    table = pd.DataFrame({"indicator": list(counts), "n": list(counts.values())})
    return table.assign(share=table["n"] / (len(actors) or np.nan))
