"""What the SR rules look at: the feeds of the night and what was wrong with their rows, in the shape that rules read."""

from __future__ import annotations

from typing import Any

import pandas as pd

from config.canonical import TABLES
from pipelines.frames import is_among
from pipelines.ingest import Ingested


def feed_frames(ingested: Ingested, register: pd.DataFrame, links: pd.DataFrame) -> dict[str, Any]:
    """The frames `feeds`, `set_aside`, `unknown_codes`, `repeated`, `header_changes` and `vanished`, by the name of a rule's parameter."""
    feeds = ingested.feeds.assign(source=ingested.feeds["system"])
    for column in ("newest_on", "modified_on"):
        feeds[column] = pd.to_datetime(feeds[column]).astype("datetime64[us]")
    feeds["previous_rows"] = feeds["previous_rows"].astype("Int64")
    aside = ingested.set_aside
    # The person and row of a damaged line are not to be trusted: the finding is about the feed's line.
    aside = pd.DataFrame(
        {
            "source": aside["system"],
            "feed": aside["feed"],
            "line": aside["line"].astype("Int64"),
            "reason": aside["reason"],
        }
    )
    aside["line_key"] = aside["feed"] + " " + aside["reason"].astype("str")
    codes = ingested.unknown_codes
    codes = codes.assign(value_key=codes["feed"] + " " + codes["column"] + " " + codes["row_id"].astype("str"))
    codes = _with_child(codes, links)
    vanished = _with_child(ingested.vanished, links)
    vanished = vanished.assign(is_on_register=is_among(vanished["child_id"], register["child_id"]))
    return {
        "feeds": feeds,
        "set_aside": aside,
        "unknown_codes": codes,
        "repeated": _with_child(ingested.repeated, links),
        "header_changes": ingested.header_changes.assign(source=ingested.header_changes["system"]),
        "vanished": vanished,
    }


def _with_child(frame: pd.DataFrame, links: pd.DataFrame) -> pd.DataFrame:
    return frame.merge(links[["child_id", "source", "source_id"]], on=["source", "source_id"], how="left").reset_index(
        drop=True
    )


def table_states(ingested: Ingested) -> dict[str, str]:
    """Of each canonical table: ``fresh``, ``old`` (a feed of it was not accepted tonight) or ``none`` (no accepted copy at all)."""
    feeds = ingested.feeds
    by_table = feeds.assign(table=feeds["tables"].str.split(", ")).explode("table")
    old = set(by_table.loc[~by_table["is_accepted"] & by_table["is_expected"], "table"])
    return {name: "none" if ingested.tables[name] is None else ("old" if name in old else "fresh") for name in TABLES}
