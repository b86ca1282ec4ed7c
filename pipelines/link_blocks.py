"""Which pairs of records are compared at all: those of two systems that share something narrow, so that the work is bounded. Pure."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from pipelines.link_cluster import Clusters, pair_key
from pipelines.link_codes import Coded, combined

#: A block of more records than this is a filler value or a very common name, and would make more pairs than it finds.
LARGEST_BLOCK = 40

#: What two records must share for the passes: columns of codes. A number that is right may stand in more records than a name.
_FOR_PASSES = (
    (("upn",), 4 * LARGEST_BLOCK),
    (("uln",), 4 * LARGEST_BLOCK),
    (("surname", "born"), LARGEST_BLOCK),
    (("forename", "born"), LARGEST_BLOCK),
    (("postcode", "born"), LARGEST_BLOCK),
    (("surname", "beginning", "postcode"), LARGEST_BLOCK),
)
#: What two records must share to be scored, beyond what the passes look at.
_FOR_SCORES = (
    ("born", "initial"),
    ("born", "surname_initial"),
    ("surname", "forename"),
    ("postcode",),
    ("postcode", "surname"),
    ("house", "street"),
    ("street", "forename"),
    ("street", "surname"),
    ("house", "born"),
    ("house", "forename"),
    ("house", "surname"),
)


def pairs_for_passes(coded: Coded) -> pd.DataFrame:
    """Pairs (`a` < `b`) of two systems that share a number, or two of name, date of birth and postcode."""
    columns = coded.columns | {"beginning": coded.letters("forename", 3)}
    at = [np.flatnonzero(coded["system"] == system) for system in range(coded.systems)]
    found = []
    for block, largest in _FOR_PASSES:
        key = combined(*(columns[name] for name in block))
        key = np.where(_sizes(key) <= largest, key, -1)
        found += [_sharing(key, key, at[one], at[other]) for one, other in combinations(range(coded.systems), 2)]
    names = combined(
        np.concatenate([coded["forename"], coded["surname"]]),
        np.concatenate([coded["surname"], coded["forename"]]),
        np.concatenate([coded["born"], coded["born"]]),
    )
    given, swapped = np.split(names, 2)
    given = np.where(_sizes(given) <= LARGEST_BLOCK, given, -1)
    for one, other in combinations(range(coded.systems), 2):
        found += [_sharing(given, swapped, at[one], at[other]), _sharing(given, swapped, at[other], at[one])]
    return _once(found)


def pairs_for_scores(coded: Coded, clusters: Clusters) -> pd.DataFrame:
    """Pairs (`a` < `b`) of two systems whose children each lack the other's system, and that share a block."""
    columns = coded.columns | {"initial": coded.letters("forename", 1), "surname_initial": coded.letters("surname", 1)}
    at = np.arange(len(coded))
    holds = clusters.holds(at)
    found = []
    for one, other in combinations(range(coded.systems), 2):
        is_open = ~coded["is_closed"] & (holds & (1 << one | 1 << other) != (1 << one | 1 << other))
        left, right = (at[is_open & (coded["system"] == system)] for system in (one, other))
        for block in _FOR_SCORES:
            sides = np.concatenate([left, right])
            key = np.full(len(coded), -1)
            key[sides] = combined(*(columns[name][sides] for name in block))
            for side in (left, right):
                key[side] = np.where(_sizes(key[side]) <= LARGEST_BLOCK, key[side], -1)
            found.append(_sharing(key, key, left, right))
    return _once(found)


def _sizes(key: np.ndarray) -> np.ndarray:
    """How many records share the key of each; what is not known shares nothing, whatever it says here."""
    return np.bincount(key + 1)[key + 1]


def _sharing(left_key: np.ndarray, right_key: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Pairs, as `pair_key`, of a record of `left` with one of `right` of the same key."""
    sides = [
        pd.DataFrame({"key": key[at], name: at})[key[at] >= 0]
        for key, at, name in ((left_key, left, "a"), (right_key, right, "b"))
    ]
    pairs = sides[0].merge(sides[1], on="key")
    return pair_key(pairs["a"].to_numpy(), pairs["b"].to_numpy())


def _once(found: list[np.ndarray]) -> pd.DataFrame:
    keys = np.unique(np.concatenate(found)) if found else np.array([], dtype="int64")
    return pd.DataFrame({"a": keys >> 31, "b": keys & ((1 << 31) - 1)})
