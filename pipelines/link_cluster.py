"""Records joined into children, pair by pair: at most one record of each system in a child, and no two that must stay apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

SYSTEMS = ("synergy", "capita", "liquidlogic")
_MANY = 1 << 31


class Clusters:
    """Which records (positions of `records`) are one child so far, and `how` each came to be linked.

    A class, because every pass changes the same few arrays. `cluster` holds for each record the lowest position of its child;
    `different` are pairs (`a`, `b`) that a person told apart.
    """

    def __init__(self, records: pd.DataFrame, different: pd.DataFrame) -> None:
        self.cluster = np.arange(len(records))
        self.how = np.full(len(records), "unlinked", dtype=object)
        names = pd.Index(SYSTEMS).union(pd.Index(records["source"].unique()), sort=False)
        self.system = names.get_indexer(records["source"])
        self._holds = np.left_shift(1, self.system)
        self._numbers = {name: pd.factorize(records[name])[0] for name in ("upn", "permanent_upn", "uln")}
        self._different = different
        self.systems = len(names)

    def holds(self, side: np.ndarray) -> np.ndarray:
        """For each of these records the systems that its child has a record of, as bits."""
        return self._holds[self.cluster[side]]

    def between(self, pairs: pd.DataFrame) -> list[pd.DataFrame]:
        """Pairs apart by which two systems they are of, in the order in which systems are linked."""
        first, second = self.system[pairs["a"].to_numpy()], self.system[pairs["b"].to_numpy()]
        low, high = np.minimum(first, second), np.maximum(first, second)
        return [pairs[(low == one) & (high == other)] for one, other in combinations(range(self.systems), 2)]

    def joinable(self, pairs: pd.DataFrame) -> np.ndarray:
        """True for pairs of two children who have no system in common and whom nobody told apart."""
        left, right = self.cluster[pairs["a"].to_numpy()], self.cluster[pairs["b"].to_numpy()]
        free = (left != right) & (self._holds[left] & self._holds[right] == 0)
        if len(self._different):
            apart = pair_key(*(self.cluster[self._different[side].to_numpy()] for side in ("a", "b")))
            free &= ~np.isin(pair_key(left, right), apart)
        return free

    def candidates(self, pairs: pd.DataFrame) -> pd.DataFrame:
        """The joinable ones of these pairs, with their children as `left` < `right`; the numbers of all records of both must not disagree."""
        pairs = pairs[self.joinable(pairs)]
        left, right = self.cluster[pairs["a"].to_numpy()], self.cluster[pairs["b"].to_numpy()]
        frame = pairs.assign(left=np.minimum(left, right), right=np.maximum(left, right))
        if len(frame) and "number_conflict" in frame:  # a person's decision stands whatever the numbers say
            frame = frame[~(self._numbers_disagree(frame) & ~frame["number_conflict"].to_numpy())]
        return frame

    def join_sole(self, pairs: pd.DataFrame, label: str) -> None:
        """Join the candidates that are each other's only one; the rest stay apart. Two systems after another."""
        for part in self.between(pairs):
            frame = self.candidates(part).drop_duplicates(["left", "right"])
            both = pd.concat([frame["left"], frame["right"]])
            shared = set(both[both.duplicated()])
            self.join(frame[~frame["left"].isin(shared) & ~frame["right"].isin(shared)], label)

    def join(self, chosen: pd.DataFrame, label: str) -> None:
        """Make each of these pairs one child; no child may be in two of them."""
        if chosen.empty:
            return
        a, b = chosen["a"].to_numpy(), chosen["b"].to_numpy()
        left, right = self.cluster[a], self.cluster[b]
        keep, gone = np.minimum(left, right), np.maximum(left, right)
        moved = np.arange(len(self.cluster))
        moved[gone] = keep
        self._holds[keep] |= self._holds[gone]
        touched = np.concatenate([a, b])
        self.how[touched[self.how[touched] == "unlinked"]] = label
        self.cluster = moved[self.cluster]

    def _numbers_disagree(self, frame: pd.DataFrame) -> np.ndarray:
        """True where two children hold different permanent UPNs or different ULNs, and share neither number."""
        sides = frame[["left", "right"]].reset_index(drop=True)
        among = np.isin(self.cluster, pd.unique(pd.concat([sides["left"], sides["right"]])))

        def hold(name: str) -> pd.DataFrame:
            held = pd.DataFrame({"cluster": self.cluster[among], "number": self._numbers[name][among]})
            return held[held["number"] >= 0].drop_duplicates()

        def share(name: str) -> np.ndarray:
            held = hold(name)
            both = sides.reset_index(names="row").merge(held, left_on="left", right_on="cluster")
            both = both.merge(held, left_on=["right", "number"], right_on=["cluster", "number"])
            return sides.index.isin(both["row"])

        def differ(name: str) -> np.ndarray:
            known = hold(name)["cluster"]
            return (sides["left"].isin(known) & sides["right"].isin(known)).to_numpy()

        return (differ("permanent_upn") | differ("uln")) & ~share("upn") & ~share("uln")


def pair_key(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One number for a pair of positions, whichever comes first."""
    return np.minimum(a, b).astype("int64") * _MANY + np.maximum(a, b)
