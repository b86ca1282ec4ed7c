"""Records joined into children, pair by pair: at most one record of each system in a child, and no two that must stay apart."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from pipelines.link_codes import Coded

_MANY = 1 << 31


class Clusters:
    """Which records (by position in `coded`) are one child so far, and `how` each came to be linked.

    A class, because every pass changes the same few arrays. `cluster` holds for each record the lowest position of its child;
    `different` are pairs (`a`, `b`) that a person told apart.
    """

    def __init__(self, coded: Coded, different: pd.DataFrame) -> None:
        self.cluster = np.arange(len(coded))
        self.how = np.full(len(coded), "unlinked", dtype=object)
        self.systems = coded.systems
        self._coded = coded
        self._holds = np.left_shift(1, coded["system"])
        self._members = np.full((len(coded), coded.systems), -1)
        self._members[self.cluster, coded["system"]] = self.cluster
        self._different = different

    def holds(self, side: np.ndarray) -> np.ndarray:
        """For each of these records the systems that its child has a record of, as bits."""
        return self._holds[self.cluster[side]]

    def between(self, pairs: pd.DataFrame) -> list[pd.DataFrame]:
        """Pairs apart by which two systems they are of, in the order in which systems are linked."""
        first, second = (self._coded["system"][pairs[side].to_numpy()] for side in ("a", "b"))
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
            in_doubt = ~(frame["number_conflict"] | frame["upn_same"] | frame["uln_same"]).to_numpy()
            in_doubt[in_doubt] = self._numbers_disagree(frame[in_doubt])
            frame = frame[~in_doubt]
        return frame

    def join_sole(self, pairs: pd.DataFrame, label: str) -> None:
        """Join the candidates that are each other's only one; the rest stay apart. Two systems after another."""
        for part in self.between(pairs):
            frame = self.candidates(part).drop_duplicates(["left", "right"])
            left, right = frame["left"].to_numpy(), frame["right"].to_numpy()
            times = np.bincount(np.concatenate([left, right]), minlength=len(self.cluster))
            self.join(frame[(times[left] == 1) & (times[right] == 1)], label)

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
        self._members[keep] = np.maximum(self._members[keep], self._members[gone])
        touched = np.concatenate([a, b])
        self.how[touched[self.how[touched] == "unlinked"]] = label
        self.cluster = moved[self.cluster]

    def _numbers_disagree(self, frame: pd.DataFrame) -> np.ndarray:
        """True where two children hold different permanent UPNs or different ULNs, and share neither number."""

        def numbers(name: str, side: str) -> np.ndarray:
            members = self._members[frame[side].to_numpy()]
            return np.where(members >= 0, self._coded[name][members], -1)

        def share(name: str) -> np.ndarray:
            left, right = numbers(name, "left")[:, :, None], numbers(name, "right")[:, None, :]
            return ((left == right) & (left >= 0)).any(axis=(1, 2))

        def both_known(name: str) -> np.ndarray:
            return np.minimum(numbers(name, "left").max(axis=1), numbers(name, "right").max(axis=1)) >= 0

        return (both_known("permanent_upn") | both_known("uln")) & ~share("upn") & ~share("uln")


def pair_key(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """One number for a pair of positions, whichever comes first."""
    return np.minimum(a, b).astype("int64") * _MANY + np.maximum(a, b)
