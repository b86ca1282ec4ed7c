"""Invented councils that are hard to link, with who is who: few names, twins and triplets, moves, changed names, slips. The same seed gives the same council."""

from __future__ import annotations

import numpy as np
import pandas as pd

from config.canonical import TABLES
from pipelines.demo_council import FORENAMES, SURNAMES, invented_upns

#: Share of a system's records without a UPN, and with a slip or a change of each kind, against the child's own facts.
NO_UPN = {"synergy": 0.25, "capita": 0.10, "liquidlogic": 0.60}
CHANGES = {"moved": 0.15, "surname": 0.04, "forename slip": 0.03, "short": 0.05, "born swapped": 0.02, "born digit": 0.02, "estimated": 0.01, "sibling's UPN": 0.004}  # fmt: skip
SHORT = {"Thomas": "Tom", "Charlie": "Charles", "Oliver": "Ollie", "Alfie": "Alfred", "Frederick": "Freddie", "Isabella": "Bella", "Sophia": "Sophie", "Florence": "Flo"}  # fmt: skip


def hard_council(children: int, seed: int, birthdays: int = 120) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The canonical people of three systems, and by (source, source_id) the true ``child`` and ``family``.

    A tenth of the children are twins or triplets. Twelve surnames, two dozen forenames for either sex and `birthdays` dates of birth make namesakes of one birthday common.
    """
    rng = np.random.default_rng(seed)
    everybody = _children(children, birthdays, rng)
    parts = []
    for system, share in (("synergy", 0.6), ("capita", 0.95), ("liquidlogic", 0.35)):
        held = everybody[rng.random(children) < share].reset_index(drop=True)
        parts.append(_slipped(held, everybody, system, rng))
    people = pd.concat(parts, ignore_index=True)
    truth = people.set_index(["source", "source_id"])[["child", "family"]]
    frame = people.assign(row_id=people["source_id"]).reindex(columns=list(TABLES["people"].dtypes))
    return frame.astype(TABLES["people"].dtypes), truth


def _children(count: int, birthdays: int, rng: np.random.Generator) -> pd.DataFrame:
    """Families of one, two or three children born on one day, in one home, under one surname."""
    of_family = rng.choice([1, 2, 3], count, p=[0.95, 0.045, 0.005])
    family = np.repeat(np.arange(count), of_family)[:count]
    home = pd.DataFrame(
        {
            "surname": rng.choice(SURNAMES.split()[:12], count),
            "born_on": pd.Timestamp("2011-01-01") + pd.to_timedelta(9 * rng.integers(0, birthdays, count), unit="D"),
            "house": rng.integers(1, 60, count).astype(str),
            "street": rng.choice(["Elm Road", "Mill Lane", "Dene Way", "Ivy Close"], count),
            "postcode": [f"SM{n % 9 + 1} {n // 9 % 10}AB" for n in rng.integers(0, 90, count)],
        }
    )
    frame = home.iloc[family].reset_index(drop=True).assign(family=family, child=np.arange(count))
    frame["sex_code"] = rng.choice(["M", "F"], count)
    names = {sex: np.array(FORENAMES[sex].split()) for sex in FORENAMES}
    frame["forename"] = [rng.choice(names[sex]) for sex in frame["sex_code"]]
    # Two of one birth are not given one name.
    while (twice := frame.duplicated(["family", "forename"])).any():
        frame.loc[twice, "forename"] = [rng.choice(names[sex]) for sex in frame.loc[twice, "sex_code"]]
    return frame.assign(own_upn=invented_upns(rng, count))


def _slipped(held: pd.DataFrame, everybody: pd.DataFrame, system: str, rng: np.random.Generator) -> pd.DataFrame:
    """A system's records of these children: numbers missing, homes left behind, names changed, letters and digits wrong."""
    frame = held.assign(source=system, source_id=(rng.permutation(len(held)) + 100).astype(str))
    is_changed = {name: rng.random(len(held)) < share for name, share in CHANGES.items()}
    frame["upn"] = frame["own_upn"].where(rng.random(len(held)) >= NO_UPN[system])
    sibling = everybody[everybody.duplicated("family", keep=False)].drop_duplicates("family").set_index("family")
    theirs = frame["family"].map(sibling["own_upn"])
    frame["upn"] = frame["upn"].mask(is_changed["sibling's UPN"] & theirs.notna(), theirs)
    other = held.sample(frac=1, random_state=int(rng.integers(1 << 30))).reset_index(drop=True)
    for name in ("house", "street", "postcode"):
        frame[name] = frame[name].mask(is_changed["moved"], other[name])
    frame["surname"] = frame["surname"].mask(is_changed["surname"], other["surname"])
    drop = frame["forename"].str[:2] + frame["forename"].str[3:]
    frame["forename"] = frame["forename"].mask(is_changed["forename slip"] & (drop.str.len() > 3), drop)
    short = frame["forename"].map(SHORT)
    frame["forename"] = frame["forename"].mask(is_changed["short"] & short.notna(), short)
    born = frame["born_on"]
    swapped = pd.to_datetime(born.dt.strftime("%Y-%d-%m"), format="%Y-%m-%d", errors="coerce")
    frame["born_on"] = born.mask(is_changed["born swapped"] & swapped.notna(), swapped)
    frame["born_on"] = frame["born_on"].mask(is_changed["born digit"], born + pd.Timedelta(days=1))
    frame["is_birth_estimated"] = is_changed["estimated"]
    frame["born_on"] = frame["born_on"].mask(is_changed["estimated"], born.dt.to_period("Y").dt.to_timestamp())
    return frame
