"""Drawn tables for the tests of linking: one line is one person record. Every child is invented."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from config.canonical import TABLES
from pipelines.link import Linkage, link_people
from pipelines.link_model import load_model

AS_OF = pd.Timestamp("2026-10-25")
MODEL = load_model(Path(__file__).parent.parent / "config" / "link_model.json")
NICKNAMES = pd.read_csv(Path(__file__).parent.parent / "config" / "nicknames.csv", dtype="str")
#: Short heads of drawn columns, and the letter that a record's name begins with.
_HEADS = {
    "sex": "sex_code", "born": "born_on", "known": "known_as", "chosen": "preferred_surname", "died": "died_on", "merged": "merged_on",
    "estimated": "is_birth_estimated", "started": "started_on", "ended": "ended_on", "ceased": "ceased_on", "end": "care_end_code", "place": "placement_code",
}  # fmt: skip
_SYSTEM = {"S": "synergy", "C": "capita", "L": "liquidlogic"}
_LETTERS = "ABCDEFGHJKLMNPQRTUVWXYZ"


def upn(number: int) -> str:
    """A valid permanent UPN, another for each number."""
    digits = f"8832{number:08d}"
    value = sum(int(digit) * weight for digit, weight in zip(digits, range(2, 14), strict=True))
    return _LETTERS[value % 23] + digits


def uln(number: int) -> str:
    """A valid ULN, another for each number."""
    stem = 100_000_000 + number * 11
    while True:
        remainder = sum(int(digit) * weight for digit, weight in zip(str(stem), range(10, 1, -1), strict=True)) % 11
        if remainder:
            return f"{stem}{10 - remainder}"
        stem += 1


def drawn(table: str, text: str) -> pd.DataFrame:
    """A canonical table from lines of ``a | b``. ``S1`` is Synergy's record 1; ``#7`` in upn or uln is a valid number."""
    lines = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    frame = pd.DataFrame(lines[1:], columns=[_HEADS.get(head, head) for head in lines[0]], dtype="str")
    frame = frame.mask(frame == "")
    for name, number in (("upn", upn), ("uln", uln)):
        if name in frame:
            made = frame[name].str.extract(r"^#(\d+)$")[0].dropna().astype("int64").map(number)
            frame[name] = frame[name].where(~frame.index.isin(made.index), made.reindex(frame.index))
    frame["source"] = frame["record"].str[0].map(_SYSTEM)
    frame["source_id"] = frame["record"].str[1:]
    frame["row_id"] = frame["source_id"] if table == "people" else frame.index.astype("str")
    frame["file"], frame["line"] = "drawn", range(2, len(frame) + 2)
    frame = frame.reindex(columns=list(TABLES[table].dtypes))
    for name, kind in TABLES[table].dtypes.items():
        if kind == "boolean":
            frame[name] = frame[name].map({"Y": True, "N": False}).astype("boolean")
        elif kind.startswith("datetime"):
            frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
        else:
            frame[name] = frame[name].astype(kind)
    return frame


def link(
    people: str | pd.DataFrame,
    addresses: str | None = None,
    care: str | None = None,
    plans: str | None = None,
    previous: Linkage | pd.DataFrame | None = None,
    decisions: str | None = None,
    as_of: str | pd.Timestamp = AS_OF,
) -> Linkage:
    """Links of drawn tables. `decisions` are lines such as ``S1 = C1`` (same) and ``S1 x C2`` (different)."""
    return link_people(
        drawn("people", people) if isinstance(people, str) else people,
        drawn("addresses", addresses) if addresses else None,
        drawn("care_placements", care) if care else None,
        drawn("plans", plans) if plans else None,
        previous.links if isinstance(previous, Linkage) else previous,
        _decisions(decisions) if decisions else None,
        NICKNAMES,
        pd.Timestamp(as_of),
        MODEL,
    )


def _decisions(text: str) -> pd.DataFrame:
    words = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame(
        {
            "source_a": [_SYSTEM[left[0]] for left, _, _ in words],
            "source_id_a": [left[1:] for left, _, _ in words],
            "source_b": [_SYSTEM[right[0]] for _, _, right in words],
            "source_id_b": [right[1:] for _, _, right in words],
            "answer": [{"=": "same", "x": "different"}[sign] for _, sign, _ in words],
        },
        dtype="str",
    )


def _name(source: pd.Series, source_id: pd.Series) -> pd.Series:
    return source.str[0].str.upper() + source_id


def together(linkage: Linkage) -> set[str]:
    """The children, each as its records' names in order: {"C1 S1", "L3"}."""
    links = linkage.links.assign(name=_name(linkage.links["source"], linkage.links["source_id"])).sort_values("name")
    return set(links.groupby("child_id")["name"].agg(" ".join))


def ids(linkage: Linkage) -> dict[str, str]:
    """The child id of each record by its name."""
    return dict(zip(_name(linkage.links["source"], linkage.links["source_id"]), linkage.links["child_id"], strict=True))


def how(linkage: Linkage) -> dict[str, str]:
    """The pass that linked each record."""
    return dict(zip(_name(linkage.links["source"], linkage.links["source_id"]), linkage.links["how"], strict=True))


def sealed(linkage: Linkage) -> set[str]:
    """The names of the sealed records."""
    return set(_name(linkage.sealed["source"], linkage.sealed["source_id"]))


def queue(linkage: Linkage) -> set[str]:
    """The pairs that wait for a person: {"C1 S1"}."""
    review = linkage.review
    left, right = _name(review["source_a"], review["source_id_a"]), _name(review["source_b"], review["source_id_b"])
    return {" ".join(sorted(pair)) for pair in zip(left, right, strict=True)}
