"""What an adoption closed appears nowhere, on no day: also not in an answer about a day before the order. Pure: frames in, frames out.

History keeps what earlier nights knew, and one of them may have held the record openly. So whoever reads history for people takes the sealed
records out again: their rows, the rows of a child all of whose records are sealed, and their numbers in the row of a child who has others.
"""

from __future__ import annotations

import pandas as pd

from pipelines.frames import is_among


def is_sealed(frame: pd.DataFrame, sealed: pd.DataFrame, end: str = "") -> pd.Series:
    """Which rows name a sealed record in ``source`` and ``source_id`` (with `end` behind both: ``_a``, ``_b``)."""
    keys = pd.MultiIndex.from_frame(frame[[f"source{end}", f"source_id{end}"]])
    return pd.Series(keys.isin(pd.MultiIndex.from_frame(sealed[["source", "source_id"]])), index=frame.index)


def sealed_children(links: pd.DataFrame, sealed: pd.DataFrame) -> set[str]:
    """The children who have sealed records and no other; `links` holds which record was which child on any night."""
    closed = is_sealed(links, sealed)
    return set(links.loc[closed, "child_id"]) - set(links.loc[~closed, "child_id"])


def without_sealed(frame: pd.DataFrame, sealed: pd.DataFrame, children: set[str]) -> pd.DataFrame:
    """A frame of history as people may read it. `children` are those of `sealed_children`."""
    if sealed.empty:
        return frame
    shown = pd.Series(True, index=frame.index)
    for end in ("", "_a", "_b"):
        if f"source_id{end}" in frame:
            shown &= ~is_sealed(frame, sealed, end)
    if "child_id" in frame:
        shown &= ~is_among(frame["child_id"], children)
    frame = frame[shown].reset_index(drop=True)
    for system, numbers in sealed.groupby("source")["source_id"]:
        if f"{system}_id" in frame:
            frame[f"{system}_id"] = frame[f"{system}_id"].mask(is_among(frame[f"{system}_id"], numbers))
    return frame
