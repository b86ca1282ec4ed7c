"""Which canonical tables each KPI rests on, and so which figures of a night rest on an earlier copy of some system's extract."""

from __future__ import annotations

import pandas as pd

from config.canonical import TABLES
from outputs.about import system_title

_SEEN = ("visits", "reviews", "rolls", "care_placements", "placements", "home_education", "missing_episodes", "missing_education")  # fmt: skip
_WHEREABOUTS = ("plans", "people", *_SEEN)
#: By code; nothing for K17, which counts what arrived. K09 looks at every rule about records.
RESTS_ON: dict[str, tuple[str, ...]] = {
    "K01": ("plans", "reviews"),
    "K02": ("plans", "reviews"),
    "K03": ("plans", "placements", "settings"),
    "K04": ("plans", "placements", "settings", "rolls"),
    "K05": _WHEREABOUTS,
    "K06": ("plans", "visits", "placements", "care_placements", "home_education"),
    "K07": ("plans", "placements", "awaiting"),
    "K08": _WHEREABOUTS,
    "K09": tuple(TABLES),
    "K10": ("plans",),
    "K11": ("plans", "requests"),
    "K12": ("requests",),
    "K13": ("plans", "reviews"),
    "K14": ("plans", "reviews"),
    "K15": ("plans", "reviews"),
    "K16": ("plans", "placements", "settings"),
    "K17": (),
    "K18": ("plans", "placements"),
}


def old_sources(codes: pd.Series, feeds: pd.DataFrame) -> pd.Series:
    """For each KPI code the systems whose earlier copy stands in for something it rests on, as ``capita, liquidlogic``; empty text where there is none.

    `feeds` are the feeds of the night: ``system``, ``tables`` (joined by commas), ``is_accepted``, ``is_expected``.
    """
    absent = feeds[~feeds["is_accepted"].astype(bool) & feeds["is_expected"].astype(bool)]
    by_table = absent.assign(table=absent["tables"].str.split(", ")).explode("table")
    told = {
        code: ", ".join(sorted(set(by_table.loc[by_table["table"].isin(tables), "system"])))
        for code, tables in RESTS_ON.items()
    }
    return codes.map(told).fillna("").astype("str")


def told_old(feeds: pd.DataFrame) -> list[str]:
    """A sentence for each set of systems whose earlier copy stands in: which figures rest on it. `feeds` as of `old_sources`."""
    codes = pd.Series(list(RESTS_ON), dtype="str")
    told = codes.groupby(old_sources(codes, feeds)).agg(", ".join)
    return [
        f"On an earlier copy of {', '.join(map(system_title, systems.split(', ')))}: {figures}."
        for systems, figures in told.items()
        if systems
    ]
