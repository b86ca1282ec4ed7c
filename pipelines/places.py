"""Which setting is which: the establishment register, successors, and which placements put a child somewhere."""

from __future__ import annotations

import pandas as pd

from pipelines.frames import is_open

#: Arrangements without an establishment that are provision all the same: section 61, parents' own, home education, early years.
ARRANGEMENTS = ("OLA", "OPA", "EHE", "EYP")
MAIN_ROLL = ("C", "M")


def successors(links: pd.DataFrame | None, rounds: int = 10) -> pd.DataFrame:
    """Every establishment with each later one that its Successor links lead to, however many steps away.

    Columns ``urn``, ``later_urn``. An academy conversion or a merger gives a new number, so two numbers in this list are
    the same setting. Steps are bounded, so a loop in the register of establishments cannot hang the night.
    """
    columns = {"urn": "urn", "link_urn": "later_urn"}
    if links is None or links.empty:
        return pd.DataFrame(columns=list(columns.values()), dtype="str")
    step = links.loc[links["link_type"].str.startswith("Successor", na=False), list(columns)].rename(columns=columns)
    step = step.drop_duplicates()
    reached = step
    for _ in range(rounds):
        further = reached.merge(step, left_on="later_urn", right_on="urn", suffixes=("", "_mid"))
        further = further[["urn", "later_urn_mid"]].set_axis(["urn", "later_urn"], axis=1)
        longer = pd.concat([reached, further]).drop_duplicates()
        if len(longer) == len(reached):
            break
        reached = longer
    return reached[reached["urn"] != reached["later_urn"]].reset_index(drop=True)


def same_setting(a: pd.Series, b: pd.Series, later: pd.DataFrame) -> pd.Series:
    """True where two establishment numbers are one setting: equal, or one follows the other."""
    known = pd.MultiIndex.from_frame(later[["urn", "later_urn"]])
    forward = pd.MultiIndex.from_arrays([a, b]).isin(known)
    backward = pd.MultiIndex.from_arrays([b, a]).isin(known)
    return (a == b) | pd.Series(forward | backward, index=a.index)


def establishment_of(urn: pd.Series, ukprn: pd.Series, settings: pd.DataFrame | None) -> pd.Series:
    """The establishment number a record means: its URN, else the establishment with that UKPRN (an open one first)."""
    if settings is None or settings.empty:
        return urn
    by_ukprn = settings.dropna(subset=["ukprn"]).assign(is_closed=lambda s: s["closed_on"].notna())
    by_ukprn = by_ukprn.sort_values(["ukprn", "is_closed", "urn"]).drop_duplicates("ukprn").set_index("ukprn")["urn"]
    return urn.where(urn.notna(), ukprn.map(by_ukprn)).astype("str")


def describe_placements(
    placements: pd.DataFrame, tables: dict[str, pd.DataFrame | None], as_of: pd.Timestamp
) -> pd.DataFrame:
    """Placement rows with what the rules ask of them.

    Adds ``setting_urn`` (URN, or by UKPRN), ``identifiers`` (how many of URN, UKPRN and setting code are given),
    ``is_placed`` (says where: an establishment, an arrangement, or nothing at all), ``is_open``, ``is_primary``, and the
    establishment's own facts (``known_urn``, ``setting_la_code``, ``closed_on``, ``low_age``, ``high_age``, ``type_name``,
    ``type_code``, ``resourced_provision``, ``boarders``, ``section_41``).
    """
    settings = tables.get("settings")
    given = placements[["urn", "ukprn", "setting_code"]].notna()
    frame = placements.assign(
        setting_urn=establishment_of(placements["urn"], placements["ukprn"], settings),
        identifiers=given.sum(axis=1),
        is_open=is_open(placements, as_of),
        is_primary=~(placements["rank_code"] == "2"),
    )
    has_establishment = given["urn"] | given["ukprn"]
    frame["is_placed"] = has_establishment | ~given["setting_code"] | placements["setting_code"].isin(ARRANGEMENTS)
    if settings is None:
        settings = pd.DataFrame(columns=["urn", *_SETTING_FACTS], dtype="str")
    facts = settings.drop_duplicates("urn").set_index("urn")[list(_SETTING_FACTS)].rename(columns=_SETTING_FACTS)
    frame = frame.join(facts.assign(is_known=True), on="setting_urn")
    frame["is_known"] = frame["is_known"].astype("boolean").fillna(False).astype(bool)
    return frame


_SETTING_FACTS = {
    "setting_name": "register_name",
    "la_code": "setting_la_code",
    "closed_on": "closed_on",
    "low_age": "low_age",
    "high_age": "high_age",
    "type_code": "type_code",
    "type_name": "type_name",
    "resourced_provision": "resourced_provision",
    "boarders": "boarders",
    "section_41": "section_41",
}
