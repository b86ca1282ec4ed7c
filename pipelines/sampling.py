"""A sample that anybody can draw again: the seed and the child's id decide, never the order of rows. Pure.

Each child gets a number from a hash of the seed and the id; the smallest numbers are drawn. A child who joins later, or a list sorted otherwise,
changes nobody else's number.
"""

from __future__ import annotations

import hashlib

import pandas as pd

from config.errors import ConfigurationError

NOT_SAID = "not recorded"


def drawn(children: pd.DataFrame, size: int, seed: int, stratum: str | None = None) -> pd.DataFrame:
    """A sample of ``child_id`` rows, with ``stratum`` and ``draw`` (1 for the first drawn), in the order of drawing.

    By stratum the sample is shared out by size (largest remainders), each stratum that has a child getting at least one while there is room.
    Raises ConfigurationError for a sample larger than the list.
    """
    if not 1 <= size <= len(children):
        raise ConfigurationError(
            f"A sample of {size} cannot be drawn from {len(children)} children.", "Give a --size between 1 and that."
        )
    named = (
        children[stratum].astype("object").where(children[stratum].notna(), NOT_SAID).astype("str")
        if stratum
        else "all"
    )
    frame = children.assign(stratum=named, number=children["child_id"].map(lambda child: _number(seed, child)))
    frame = frame.sort_values("number", ignore_index=True)
    shares = _shares(frame["stratum"].value_counts(), size)
    within = frame.groupby("stratum").cumcount()
    taken = frame[within < frame["stratum"].map(shares)].reset_index(drop=True)
    return taken.assign(draw=range(1, len(taken) + 1)).drop(columns="number")


def _number(seed: int, child_id: str) -> str:
    return hashlib.sha256(f"{seed}|{child_id}".encode()).hexdigest()


def _shares(sizes: pd.Series, size: int) -> pd.Series:
    """How many to draw of each stratum; they come to `size`."""
    sizes = sizes.sort_index()
    exact = sizes * size / sizes.sum()
    shares = exact.astype("int64")
    if len(sizes) <= size:
        shares = shares.clip(lower=1)
    # What is still to be given goes to the largest remainders; what the ones for small strata cost is taken from the smallest.
    remainder = (exact - shares).sort_values(ascending=False, kind="stable")
    while shares.sum() < size:
        for name in remainder.index:
            if shares.sum() < size and shares[name] < sizes[name]:
                shares[name] += 1
    while shares.sum() > size:
        shares[(shares - exact).where(shares > 1).idxmax()] -= 1
    return shares
