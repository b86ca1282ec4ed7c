"""Invented children who go through the linking with every night, to show that it still does what it should. Pure.

They are linked apart from everybody else, by the same code, model and short forms of names, so they change no link, and reach neither the store
nor an output. What comes of them is compared with what must: a wrong join or a missed one is a message of the night.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from config.canonical import TABLES
from config.settings import config_file
from pipelines.link import ADOPTED, link_people
from pipelines.link_model import Model

FILE = "canaries.csv"


def canary_messages(as_of: pd.Timestamp, model: Model) -> list[str]:
    """What a night says about its canaries: nothing when all is well."""
    nicknames = pd.read_csv(config_file(None, "nicknames.csv"), dtype="str")
    return [
        f"linking check: {wrong}. Do not rely on tonight's new links before the model, the short forms or the program is put right."
        for wrong in wrongly_linked(read_canaries(config_file(None, FILE)), nicknames, as_of, model)
    ]


def read_canaries(path: Path) -> pd.DataFrame:
    """The invented records as text: `child` says who is one child, `adopted_on` when an adoption closed the record."""
    return pd.read_csv(path, dtype="str", keep_default_na=False).replace("", None)


def wrongly_linked(
    canaries: pd.DataFrame, nicknames: pd.DataFrame, as_of: pd.Timestamp, model: Model | None
) -> list[str]:
    """What the linking did wrong with the canaries, in words, one line each; nothing when all is well."""
    people = _canonical("people", canaries.assign(row_id=canaries["source_id"]))
    closed = canaries[canaries["adopted_on"].notna()]
    care = _canonical(
        "care_placements",
        closed.assign(
            row_id=closed["source_id"], started_on="2012-01-01", ended_on=closed["adopted_on"], care_end_code=ADOPTED[0]
        ),
    )
    linkage = link_people(people, None, care, None, None, None, nicknames, as_of, model)
    keys = ["source", "source_id"]
    found = canaries.merge(linkage.links, on=keys, how="left")
    sealed = set(map(tuple, linkage.sealed[keys].to_numpy().tolist()))
    expected = set(map(tuple, closed[keys].to_numpy().tolist()))
    told = [f"canary record {source} {number} is not sealed" for source, number in sorted(expected - sealed)]
    told += [f"canary record {source} {number} is sealed" for source, number in sorted(sealed - expected)]
    linked = found.dropna(subset=["child_id"])
    for _, part in linked.groupby("child_id"):
        if part["child"].nunique() > 1:
            told.append(f"canaries {', '.join(sorted(part['child'].unique(), key=int))} became one child")
    for child, part in linked.groupby("child"):
        if part["child_id"].nunique() > 1:
            told.append(f"the records of canary {child} were not linked")
    return told


def _canonical(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    kinds = TABLES[table].dtypes
    frame = frame.reindex(columns=list(kinds))
    for name, kind in kinds.items():
        frame[name] = (
            pd.to_datetime(frame[name]).astype(kind) if kind.startswith("datetime") else frame[name].astype(kind)
        )
    return frame
