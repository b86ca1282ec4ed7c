"""How two person records are compared: names in one form, numbers that are valid, dates that nearly agree. Vectorised over pairs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from config.identifiers import postcode_key, uln_is_valid, upn_is_permanent, upn_is_valid
from pipelines.link_codes import Coded, combined
from pipelines.link_model import SMALLEST

#: From how many namesakes of one birthday by chance alone (`namesakes` of `compare_pairs`) name and date of birth no longer link two records:
#: one child in 100 would have one. `KEPT_TIMES` as many where the two were one child on an earlier night, so that a council that
#: grows by a child does not part others.
OFTEN, KEPT_TIMES = 0.01, 4


def of_each_value(change: Callable[[pd.Series], pd.Series], column: pd.Series) -> pd.Series:
    """`change` of a column, done once for each of its values: names and postcodes come again and again."""
    codes, values = pd.factorize(column)
    return change(pd.Series(values)).reindex(codes).set_axis(column.index)


def plain_name(name: pd.Series) -> pd.Series:
    """A name without accents, punctuation, titles or spaces, in capitals; blank becomes missing."""
    return of_each_value(_plain_name, name)


def _plain_name(name: pd.Series) -> pd.Series:
    text = name.str.normalize("NFKD").str.upper().str.replace(r"^(MR|MRS|MISS|MS|MASTER|DR)\.? ", "", regex=True)
    text = text.str.replace(r"[^A-Z]", "", regex=True)
    return text.where(text != "")


def plain_line(line: pd.Series) -> pd.Series:
    """A line of an address as letters and digits alone, in capitals; blank becomes missing."""
    text = line.str.upper().str.replace(r"[^A-Z0-9]", "", regex=True)
    return text.where(text != "")


def prepare_people(people: pd.DataFrame, addresses: pd.DataFrame | None) -> pd.DataFrame:
    """Person records in the form they are compared in: plain names, valid numbers, current and past postcodes as one text."""
    frame = people[["source", "source_id", "born_on", "sex_code"]].copy()
    frame["surname"] = plain_name(people["surname"])
    frame["forename"] = plain_name(people["forename"])
    frame["known_as"] = plain_name(people["known_as"]).fillna(frame["forename"])
    frame["other_surname"] = (
        plain_name(people["preferred_surname"]).fillna(plain_name(people["former_surname"])).fillna(frame["surname"])
    )
    frame["upn"] = of_each_value(lambda upn: upn.where(upn_is_valid(upn)), people["upn"])
    frame["permanent_upn"] = of_each_value(lambda upn: upn.where(upn_is_permanent(upn)), frame["upn"])
    frame["uln"] = people["uln"].where(uln_is_valid(people["uln"]))
    frame["is_closed"] = (
        people["is_birth_estimated"].fillna(False).astype(bool)
        | people["merged_on"].notna()
        | people["died_on"].notna()
    )
    for name in ("house", "street"):
        frame[name] = of_each_value(plain_line, people[name])
    frame["postcode"] = of_each_value(postcode_key, people["postcode"])
    frame["postcodes"] = "|" + frame["postcode"].fillna("-") + "|"
    if addresses is not None:
        kept = (
            addresses.assign(key=of_each_value(postcode_key, addresses["postcode"]))
            .dropna(subset=["key"])
            .sort_values(["source", "source_id", "started_on", "row_id"])
        )
        grouped = kept.groupby(["source", "source_id"])["key"]
        lived = pd.DataFrame({"lived": grouped.agg("|".join), "last": grouped.last()})
        found = frame.join(lived, on=["source", "source_id"])
        frame["postcodes"] = frame["postcodes"] + found["lived"].fillna("-") + "|"
        frame["postcode"] = frame["postcode"].fillna(found["last"])
    return frame


def compare_pairs(coded: Coded, nicknames: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Pairs of records (positions ``a``, ``b``), with what agrees and what does not, as flags."""
    a, b = pairs["a"].to_numpy(), pairs["b"].to_numpy()

    def equal(left: str, right: str = "") -> np.ndarray:
        codes = coded[left][a]
        return (codes == coded[right or left][b]) & (codes >= 0)

    def conflict(column: str) -> np.ndarray:
        left, right = coded[column][a], coded[column][b]
        return (left != right) & (left >= 0) & (right >= 0)

    pairs = pairs[["a", "b"]].copy()
    swapped = equal("forename", "surname") & equal("surname", "forename")
    pairs["surname_same"] = (
        equal("surname") | equal("other_surname", "surname") | equal("surname", "other_surname") | swapped
    )
    pairs["forename_same"] = equal("forename") | equal("known_as", "forename") | equal("forename", "known_as") | swapped
    pairs["name_same"] = pairs["surname_same"] & pairs["forename_same"]
    pairs["forename_near"] = _or_near(
        pairs["forename_same"], pairs, lambda a, b: _near_forename(coded, a, b, nicknames)
    )
    pairs["born_same"] = equal("born")
    pairs["born_near"] = _or_near(pairs["born_same"], pairs, lambda a, b: _near_birth(coded, a, b))
    pairs["upn_same"], pairs["uln_same"] = equal("upn"), equal("uln")
    pairs["number_conflict"] = (conflict("permanent_upn") & ~pairs["uln_same"]) | (conflict("uln") & ~pairs["upn_same"])
    pairs["sex_conflict"] = conflict("sex")
    pairs["postcode_same"] = _or_near(equal("postcode"), pairs, lambda a, b: _share_postcode(coded, a, b))
    pairs["door_same"] = equal("house") & (equal("street") | equal("postcode"))
    for flag in ("is_closed", "is_placed"):
        pairs[flag] = coded[flag][a] | coded[flag][b]
    pairs["is_sibling"] = ~pairs["forename_near"] & _has_namesake(coded, a, b)
    common = _common_names(coded)
    pairs["is_common"] = common[a] | common[b]
    namesakes = _namesakes(coded)
    pairs["namesakes"] = np.maximum(namesakes[a], namesakes[b])
    return pairs


def _or_near(same: Any, pairs: pd.DataFrame, near: Callable[[np.ndarray, np.ndarray], np.ndarray]) -> np.ndarray:
    """`same`, and where it is false what `near` says of the positions of those pairs."""
    found = np.array(same)
    rest = pairs[~found]
    found[~found] = near(rest["a"].to_numpy(), rest["b"].to_numpy())
    return found


def _has_namesake(coded: Coded, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """True where the system of one record holds another with the very name and date of birth of the other one: its twin, most likely."""
    person, system = coded["person"], coded["system"]
    # The last row is for those not known in full, whom nobody holds.
    held = np.zeros((person.max(initial=-1) + 2, coded.systems), dtype=bool)
    held[person[person >= 0], system[person >= 0]] = True
    return held[person[b], system[a]] | held[person[a], system[b]]


def _common_names(coded: Coded) -> np.ndarray:
    """True where another record of the same system has the same name and date of birth: name and date alone decide nothing then."""
    person = coded["person"]
    records = pd.DataFrame({name: coded[name] for name in ("person", "system", "permanent_upn")})[person >= 0]
    held = records[~coded["is_closed"][person >= 0]]
    numbers = records[records["permanent_upn"] >= 0].drop_duplicates(["person", "permanent_upn"])
    common = np.zeros(person.max(initial=-1) + 2, dtype=bool)
    common[held.loc[held.duplicated(["person", "system"]), "person"]] = True
    common[numbers.loc[numbers.duplicated("person"), "person"]] = True
    return common[person]


def _namesakes(coded: Coded) -> np.ndarray:
    """How many other children of the very name and date of birth of each record a system would hold by chance alone.

    As many as bear the name, or would if forenames and surnames were dealt out at random, times the share born on that day (1 January is
    a birthday of many). Counted in the system that holds most of them. A small extract is still of a council.
    """
    system, systems = coded["system"], coded.systems
    largest = max(np.bincount(system, minlength=1).max(), SMALLEST)

    def most(codes: np.ndarray) -> np.ndarray:
        held = np.bincount((codes + 1) * systems + system, minlength=(codes.max(initial=-1) + 2) * systems)
        return held.reshape(-1, systems).max(axis=1)[codes + 1] * (codes >= 0)

    at_random = most(coded["surname"]) * most(coded["forename"]) / largest
    name = most(combined(coded["surname"], coded["forename"]))
    return np.maximum(name - 1, at_random) * most(coded["born"]) / largest


def _near_forename(coded: Coded, a: np.ndarray, b: np.ndarray, nicknames: pd.DataFrame) -> np.ndarray:
    """True where one forename begins the other (three letters at least) or is a known short form of it, or two share a long form."""
    both = pd.concat([nicknames, nicknames.set_axis(["short", "name"], axis=1)[["name", "short"]]])
    siblings = nicknames.merge(nicknames, on="name")[["short_x", "short_y"]].set_axis(["name", "short"], axis=1)
    known = pd.MultiIndex.from_frame(pd.concat([both, siblings]).drop_duplicates())
    near = np.zeros(len(a), dtype=bool)
    for left, right in (("forename", "forename"), ("known_as", "forename"), ("forename", "known_as")):
        names = pd.DataFrame({"x": coded[left][a], "y": coded[right][b]})
        names = names[(names["x"] >= 0) & (names["y"] >= 0)]
        once = names.drop_duplicates()
        x, y = (coded.names[once[side]] for side in ("x", "y"))
        is_near = pd.MultiIndex.from_arrays([x, y]).isin(known)
        is_near |= np.fromiter(  # two different forenames are far fewer than pairs of records
            (len(p) > 2 and len(q) > 2 and (p.startswith(q) or q.startswith(p)) for p, q in zip(x, y, strict=True)),
            dtype=bool,
            count=len(once),
        )
        found = names.merge(once[is_near].assign(is_near=True), on=["x", "y"], how="left")["is_near"].notna()
        near[names.index[found]] = True
    return near


def _near_birth(coded: Coded, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """True where two dates are one slip apart: day and month swapped, one digit wrong, 1 January for unknown, or a year out."""
    one, other = coded["born"][a], coded["born"][b]
    known = (one >= 0) & (other >= 0)
    x, y = coded.born[one[known]], coded.born[other[known]]
    same_year = x.year == y.year
    swapped = same_year & (x.month == y.day) & (x.day == y.month)
    default = same_year & (((x.month == 1) & (x.day == 1)) | ((y.month == 1) & (y.day == 1)))
    digits = np.zeros(len(x), dtype="int64")
    for part, width in (("day", 2), ("month", 2), ("year", 4)):
        left, right = getattr(x, part).to_numpy(), getattr(y, part).to_numpy()
        for place in range(width):
            digits += (left // 10**place) % 10 != (right // 10**place) % 10
    known[known] = swapped | default | (digits == 1)
    return known


def _share_postcode(coded: Coded, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """True where any postcode, present or past, of one record is among those of the other."""
    sides = pd.DataFrame({"a": a, "b": b}).reset_index(names="pair")
    lived = coded.lived
    known = sides.merge(lived, left_on="a", right_on="at").merge(
        lived, left_on=["b", "postcode"], right_on=["at", "postcode"]
    )
    return np.isin(sides["pair"], known["pair"])


def same_birth_identity(records: pd.DataFrame, closed: pd.Series) -> pd.Series:
    """True for records of other systems that carry the identity of a closed one: its UPN and surname, or its full name and date of birth."""
    gone = records[closed]
    numbers = pd.MultiIndex.from_frame(gone[["upn", "surname"]].dropna())
    names = pd.MultiIndex.from_frame(gone[["surname", "forename", "born_on"]].dropna())
    by_number = pd.MultiIndex.from_frame(records[["upn", "surname"]]).isin(numbers)
    by_name = pd.MultiIndex.from_frame(records[["surname", "forename", "born_on"]]).isin(names)
    return pd.Series((by_number | by_name) & ~closed.to_numpy(), index=records.index)


_WORDS = {
    "upn_same": "UPN", "uln_same": "ULN", "surname_same": "surname", "forename_same": "forename", "born_same": "date of birth", "postcode_same": "postcode",
}  # fmt: skip


def describe_pairs(records: pd.DataFrame, pairs: pd.DataFrame) -> pd.DataFrame:
    """Undecided pairs for people: the two records, what agrees and what does not in words, and their `weight` by the model, greatest first."""
    a, b = records.loc[pairs["a"]].reset_index(drop=True), records.loc[pairs["b"]].reset_index(drop=True)
    flags = pairs.reset_index(drop=True)
    agrees = pd.Series("", index=flags.index, dtype="str")
    differs = pd.Series("", index=flags.index, dtype="str")
    for flag, word in _WORDS.items():
        agrees = agrees.mask(flags[flag], agrees + ", " + word)
        if flag not in ("upn_same", "uln_same"):
            differs = differs.mask(~flags[flag], differs + ", " + word)
    differs = differs.mask(flags["number_conflict"], differs + ", number").mask(
        flags["sex_conflict"], differs + ", sex"
    )
    return pd.DataFrame(
        {
            "source_a": a["source"], "source_id_a": a["source_id"], "source_b": b["source"], "source_id_b": b["source_id"],
            "weight": flags["weight"].astype("float64").round(3),
            "agrees": "agrees: " + agrees.str[2:].where(agrees != "", "nothing"),
            "differs": "differs: " + differs.str[2:].where(differs != "", "nothing"),
        }
    ).sort_values(["weight", "source_a", "source_id_a", "source_b", "source_id_b"], ascending=[False, True, True, True, True]).reset_index(drop=True)  # fmt: skip
