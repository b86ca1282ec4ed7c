"""Person records as whole numbers: what linking compares a million times is compared as integers, not as text. Pure.

A number stands for a value, and -1 for one that is missing. Names of every kind are numbered together, and so are all postcodes, so that
they compare across columns too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

SYSTEMS = ("synergy", "capita", "liquidlogic")
_NAMES = ("forename", "known_as", "surname", "other_surname")
_ALONE = ("upn", "permanent_upn", "uln", "house", "street")


@dataclass(frozen=True)
class Coded:
    """Records by position: `columns` of codes (-1 is missing) and of flags, the `names` that name codes stand for, and `born`, the dates.

    `system` numbers the systems in the order in which they are linked; `person` the combinations of surname, forename and date of birth;
    `lived` is (`at`, `postcode`), every postcode, present or past, of the records that have several.
    """

    columns: dict[str, np.ndarray]
    names: np.ndarray
    born: pd.DatetimeIndex
    lived: pd.DataFrame
    systems: int

    def __getitem__(self, column: str) -> np.ndarray:
        return self.columns[column]

    def __len__(self) -> int:
        return len(self.columns["system"])

    def letters(self, column: str, count: int) -> np.ndarray:
        """Codes of the first letters of a name."""
        of_name = pd.factorize(pd.Series(self.names, dtype="str").str[:count])[0]
        return np.append(of_name, -1)[self.columns[column]]


def encode(records: pd.DataFrame) -> Coded:
    """The codes of `records` (of `prepare_people`, with `is_placed`)."""
    columns: dict[str, np.ndarray] = {}
    codes, names = pd.factorize(pd.concat([records[name] for name in _NAMES]))
    columns |= dict(zip(_NAMES, np.split(codes, len(_NAMES)), strict=True))
    columns |= {name: pd.factorize(records[name])[0] for name in _ALONE}
    columns["born"], born = pd.factorize(records["born_on"])
    columns["postcode"], lived = _postcodes(records)
    columns["sex"] = pd.Index(["M", "F"]).get_indexer(records["sex_code"])
    systems = pd.Index(SYSTEMS).union(pd.Index(records["source"].unique()), sort=False)
    columns["system"] = systems.get_indexer(records["source"])
    columns["person"] = combined(columns["surname"], columns["forename"], columns["born"])
    columns |= {name: records[name].to_numpy(dtype=bool) for name in ("is_closed", "is_placed")}
    return Coded(columns, np.asarray(names, dtype=object), pd.DatetimeIndex(born), lived, len(systems))


def _postcodes(records: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    several = records["postcodes"].str.count(r"\|") > 2
    split = records.loc[several, "postcodes"].str.strip("|").str.split("|").explode()
    codes, _ = pd.factorize(pd.concat([records["postcode"], split.where(split != "-")]))
    lived = pd.DataFrame({"at": split.index, "postcode": codes[len(records) :]})
    return codes[: len(records)], lived[lived["postcode"] >= 0].drop_duplicates(ignore_index=True)


def combined(*codes: np.ndarray) -> np.ndarray:
    """Codes of the combinations of several columns of codes (up to three, of fewer than two million values each); -1 where one is missing."""
    key = codes[0].astype("int64")
    known = key >= 0
    for column in codes[1:]:
        known &= column >= 0
        key = key * (int(column.max(initial=0)) + 1) + column
    found = np.full(len(key), -1)
    found[known] = pd.factorize(key[known])[0]
    return found
