"""How two person records are compared: names in one form, numbers that are valid, dates that nearly agree. Vectorised over pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd

from config.identifiers import postcode_key, uln_is_valid, upn_is_permanent, upn_is_valid

#: A block of more records than this is a filler value or a very common name, and would make more pairs than it finds.
LARGEST_BLOCK = 40


def plain_name(name: pd.Series) -> pd.Series:
    """A name without accents, punctuation, titles or spaces, in capitals; blank becomes missing."""
    text = name.str.normalize("NFKD").str.upper().str.replace(r"^(MR|MRS|MISS|MS|MASTER|DR)\.? ", "", regex=True)
    text = text.str.replace(r"[^A-Z]", "", regex=True)
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
    frame["upn"] = people["upn"].where(upn_is_valid(people["upn"]))
    frame["permanent_upn"] = people["upn"].where(upn_is_permanent(people["upn"]))
    frame["uln"] = people["uln"].where(uln_is_valid(people["uln"]))
    frame["is_closed"] = (
        people["is_birth_estimated"].fillna(False).astype(bool)
        | people["merged_on"].notna()
        | people["died_on"].notna()
    )
    for name in ("house", "street"):
        text = people[name].str.upper().str.replace(r"[^A-Z0-9]", "", regex=True)
        frame[name] = text.where(text != "")
    frame["postcode"] = postcode_key(people["postcode"])
    frame["postcodes"] = "|" + frame["postcode"].fillna("-") + "|"
    if addresses is not None:
        kept = (
            addresses.assign(key=postcode_key(addresses["postcode"]))
            .dropna(subset=["key"])
            .sort_values(["source", "source_id", "started_on", "row_id"])
        )
        grouped = kept.groupby(["source", "source_id"])["key"]
        lived = pd.DataFrame({"lived": grouped.agg("|".join), "last": grouped.last()})
        found = frame.join(lived, on=["source", "source_id"])
        frame["postcodes"] = frame["postcodes"] + found["lived"].fillna("-") + "|"
        frame["postcode"] = frame["postcode"].fillna(found["last"])
    return frame


def _blocks(records: pd.DataFrame) -> pd.DataFrame:
    """Pairs of record positions of different systems that share a number, or two of name, date of birth and postcode."""
    born = records["born_on"].dt.strftime("%Y%m%d")
    keys = {
        "upn": records["upn"],
        "uln": records["uln"],
        "surname and born": records["surname"] + born,
        "forename and born": records["forename"] + born,
        "postcode and born": records["postcode"] + born,
        "name and postcode": records["surname"] + records["forename"].str[:3] + records["postcode"],
        "swapped": None,
    }
    systems = records["source"]
    found = []
    for name, key in keys.items():
        left = key if key is not None else records["forename"] + "," + records["surname"] + born
        right = key if key is not None else records["surname"] + "," + records["forename"] + born
        sides = [
            pd.DataFrame({"key": side, "at": records.index, "system": systems}).dropna(subset=["key"])
            for side in (left, right)
        ]
        size = sides[0].groupby("key")["at"].transform("size")
        small = sides[0][size <= LARGEST_BLOCK] if name not in ("upn", "uln") else sides[0][size <= 4 * LARGEST_BLOCK]
        pairs = small.merge(sides[1], on="key", suffixes=("_a", "_b"))
        pairs = pairs[pairs["system_a"] != pairs["system_b"]]
        found.append(
            pd.DataFrame({"a": np.minimum(pairs["at_a"], pairs["at_b"]), "b": np.maximum(pairs["at_a"], pairs["at_b"])})
        )
    return pd.concat(found).drop_duplicates().sort_values(["a", "b"]).reset_index(drop=True)


def compare_pairs(records: pd.DataFrame, nicknames: pd.DataFrame, chosen: pd.DataFrame | None = None) -> pd.DataFrame:
    """Candidate pairs, or the `chosen` ones (positions ``a``, ``b``), with what agrees and what does not, as flags."""
    pairs = _blocks(records) if chosen is None else chosen.copy()
    a, b = records.loc[pairs["a"]].reset_index(drop=True), records.loc[pairs["b"]].reset_index(drop=True)

    def equal(column: str) -> pd.Series:
        return (a[column] == b[column]).fillna(False).astype(bool)

    def conflict(column: str) -> pd.Series:
        return (a[column].notna() & b[column].notna() & (a[column] != b[column])).astype(bool)

    swapped = ((a["forename"] == b["surname"]) & (a["surname"] == b["forename"])).fillna(False).astype(bool)
    surname = (
        equal("surname")
        | (a["other_surname"] == b["surname"]).fillna(False)
        | (a["surname"] == b["other_surname"]).fillna(False)
    )
    forename = (
        equal("forename")
        | (a["known_as"] == b["forename"]).fillna(False)
        | (a["forename"] == b["known_as"]).fillna(False)
    )
    pairs["surname_same"] = surname.astype(bool) | swapped
    pairs["forename_same"] = forename.astype(bool) | swapped
    pairs["name_same"] = pairs["surname_same"] & pairs["forename_same"]
    pairs["forename_near"] = pairs["forename_same"] | _near_forename(a, b, nicknames)
    pairs["born_same"] = equal("born_on")
    pairs["born_near"] = pairs["born_same"] | _near_birth(a["born_on"], b["born_on"])
    pairs["upn_same"], pairs["uln_same"] = equal("upn"), equal("uln")
    pairs["number_conflict"] = (conflict("permanent_upn") & ~pairs["uln_same"]) | (conflict("uln") & ~pairs["upn_same"])
    sexes = a["sex_code"].isin(["M", "F"]) & b["sex_code"].isin(["M", "F"])
    pairs["sex_conflict"] = sexes & (a["sex_code"] != b["sex_code"])
    pairs["postcode_same"] = _share_postcode(a["postcodes"], b["postcodes"])
    pairs["door_same"] = equal("house") & (equal("street") | equal("postcode"))
    pairs["is_closed"] = a["is_closed"] | b["is_closed"]
    pairs["is_sibling"] = ~pairs["forename_near"] & (_has_namesake(records, a, b) | _has_namesake(records, b, a))
    pairs["is_placed"] = a["is_placed"] | b["is_placed"]
    common = _common_names(records)
    pairs["is_common"] = common.loc[pairs["a"]].to_numpy() | common.loc[pairs["b"]].to_numpy()
    return pairs


def _has_namesake(records: pd.DataFrame, one: pd.DataFrame, other: pd.DataFrame) -> pd.Series:
    """True where the system of `one` holds a record with the very name and date of birth of `other`: its twin, most likely."""
    name = ["surname", "forename", "born_on"]
    held = pd.MultiIndex.from_frame(records[["source", *name]].dropna())
    sought = pd.MultiIndex.from_frame(other[name].assign(source=one["source"])[["source", *name]])
    return pd.Series(sought.isin(held), index=one.index)


def _common_names(records: pd.DataFrame) -> pd.Series:
    """True where another record of the same system has the same name and date of birth: name and date alone decide nothing then."""
    person = records.groupby(["surname", "forename", "born_on"]).ngroup()  # -1 where one of them is missing
    held = records.assign(person=person)[(person >= 0) & ~records["is_closed"]]
    twice = held.loc[held.duplicated(["person", "source"]), "person"]
    numbers = (
        records.assign(person=person).dropna(subset=["permanent_upn"]).drop_duplicates(["person", "permanent_upn"])
    )
    several = numbers.loc[numbers.duplicated("person"), "person"]
    return (person >= 0) & (person.isin(twice) | person.isin(several))


def _near_forename(a: pd.DataFrame, b: pd.DataFrame, nicknames: pd.DataFrame) -> pd.Series:
    """True where one forename begins the other (three letters at least) or is a known short form of it, or two share a long form."""
    both = pd.concat([nicknames, nicknames.set_axis(["short", "name"], axis=1)[["name", "short"]]])
    siblings = nicknames.merge(nicknames, on="name")[["short_x", "short_y"]].set_axis(["name", "short"], axis=1)
    known = pd.MultiIndex.from_frame(pd.concat([both, siblings]).drop_duplicates())
    near = np.zeros(len(a), dtype=bool)
    for left, right in (("forename", "forename"), ("known_as", "forename"), ("forename", "known_as")):
        names = pd.DataFrame({"x": a[left].to_numpy(), "y": b[right].to_numpy()}).fillna("")
        codes = names.groupby(["x", "y"], sort=False).ngroup().to_numpy()
        once = names.drop_duplicates()
        is_near = pd.MultiIndex.from_frame(once).isin(known)
        is_near |= np.fromiter(  # two different forenames are far fewer than pairs of records
            (
                len(p) > 2 and len(q) > 2 and (p.startswith(q) or q.startswith(p))
                for p, q in zip(once["x"], once["y"], strict=True)
            ),
            dtype=bool,
            count=len(once),
        )
        near |= is_near[codes]
    return pd.Series(near, index=a.index)


def _near_birth(a: pd.Series, b: pd.Series) -> pd.Series:
    """True where two dates are one slip apart: day and month swapped, one digit wrong, 1 January for unknown, or a year out."""
    same_year = a.dt.year == b.dt.year
    swapped = same_year & (a.dt.month == b.dt.day) & (a.dt.day == b.dt.month)
    default = same_year & (((a.dt.month == 1) & (a.dt.day == 1)) | ((b.dt.month == 1) & (b.dt.day == 1)))
    digits = pd.Series(0, index=a.index)
    for part, width in (("day", 2), ("month", 2), ("year", 4)):
        x, y = getattr(a.dt, part).fillna(0).astype("int64"), getattr(b.dt, part).fillna(0).astype("int64")
        for place in range(width):
            digits = digits + ((x // 10**place) % 10 != (y // 10**place) % 10)
    known = a.notna() & b.notna()
    return (known & (swapped | default | (digits == 1))).astype(bool)


def _share_postcode(a: pd.Series, b: pd.Series) -> pd.Series:
    """True where any postcode, present or past, of one record is among those of the other."""
    several = ((a.str.count(r"\|") > 2) | (b.str.count(r"\|") > 2)).to_numpy()
    share = ((a == b) & (a != "|-|")).to_numpy(dtype=bool, copy=True)
    share[several] = [
        bool((set(x.split("|")) & set(y.split("|"))) - {"", "-"}) for x, y in zip(a[several], b[several], strict=True)
    ]
    return pd.Series(share, index=a.index)


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
