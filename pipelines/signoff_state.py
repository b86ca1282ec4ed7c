"""How frozen months stand: which version is the newest, who decided what about it, and what still stands in the way of a signature."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import pandas as pd

from config.errors import ConfigurationError
from config.signoff import load_signoff
from pipelines.acts import OF_PEOPLE
from pipelines.caveats import IGNORE, UNEXPLAINED, explained, unexplained, unexplained_caveat
from pipelines.chain import DECLINED, ERASED, FROZEN, SIGNED, Record
from pipelines.freezing import part_frames
from pipelines.history import read_known, shown
from pipelines.inherit import as_followed
from pipelines.store import Store
from pipelines.store_people import read_events
from pipelines.store_signoff import journal, read_rows


def newest_freeze(records: Iterable[Record], period: str) -> Record | None:
    """The newest version of a frozen month; None where it was not frozen."""
    found = [
        record for record in records if record.facts.get("kind") == FROZEN and record.facts.get("period") == period
    ]
    return found[-1] if found else None


def need_freeze(records: Iterable[Record], period: str) -> Record:
    """The newest version of a month. Raises ConfigurationError where it was not frozen."""
    frozen = newest_freeze(records, period)
    if frozen is None:
        raise ConfigurationError(f"{period} is not frozen.", f"Freeze it first: ehcp run monthly --period {period}")
    return frozen


def erased_hashes(records: Iterable[Record]) -> set[str]:
    """The hashes of all rows whose erasure was recorded."""
    return {value for record in records if record.facts.get("kind") == ERASED for value in record.facts.get("rows", ())}


def decisions(records: Iterable[Record], frozen: Record) -> pd.DataFrame:
    """What signatories decided about one freeze, each one's last word: name, role, decision, at, comment."""
    columns = ["name", "role", "decision", "at", "comment"]
    rows = [
        {name: record.facts[name] for name in ("name", "role", "at", "comment")} | {"decision": record.facts["kind"]}
        for record in records
        if record.facts.get("kind") in (SIGNED, DECLINED) and record.facts.get("freeze") == frozen.hash
    ]
    frame = pd.DataFrame(rows, columns=columns, dtype="str")
    return frame[~frame["name"].str.casefold().duplicated(keep="last")].reset_index(drop=True)


def standing_of(records: Iterable[Record], frozen: Record, needed: int) -> str:
    """How a freeze stands: ``to be signed``, ``declined`` or ``signed``."""
    said = decisions(records, frozen)["decision"]
    if (said == DECLINED).any():
        return "declined"
    return "signed" if (said == SIGNED).sum() >= needed else "to be signed"


def still_unexplained(store: Store, exceptions: pd.DataFrame) -> pd.DataFrame:
    """Of the frozen critical exceptions those that nobody has explained by now, without what an adoption has closed since."""
    now, events = _by_now(store, exceptions)
    with store.reading() as connection:
        return shown(connection, exceptions.loc[unexplained(now, events).index])


def last_words(store: Store, exceptions: pd.DataFrame) -> pd.DataFrame:
    """Who explained each open critical exception of a freeze last, and when (`caveats.explained`), by the ids of the freeze."""
    now, events = _by_now(store, exceptions)
    told = explained(now, events).drop(columns=["child_id"]).set_index("exception_id")
    own = exceptions[["exception_id", "child_id"]].assign(now=now["exception_id"])
    found = own.join(told, on="now", how="inner").drop(columns=["now"])
    return found.assign(at=found["at"].dt.strftime("%Y-%m-%d"))


def _by_now(store: Store, exceptions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Frozen exceptions under the ids that they have by now, and what people have done to exceptions."""
    with store.reading() as connection:
        followed = read_known(connection, "followed_exceptions", date.max)
        events = read_events(connection, kinds=OF_PEOPLE)
    return exceptions.assign(exception_id=as_followed(exceptions["exception_id"], followed)), events


def periods(store: Store) -> pd.DataFrame:
    """Every frozen month, newest first, in every version: night, cut-off, how it stands, who decided, and its caveats."""
    rules = load_signoff(store.settings.config_dir)
    with store.reading() as connection:
        records = journal(connection)
    freezes = [record for record in records if record.facts.get("kind") == FROZEN]
    newest = {record.facts["period"]: record.number for record in freezes}
    rows = []
    for record in freezes:
        facts = record.facts
        said = decisions(records, record)
        is_newest = newest[facts["period"]] == record.number
        rows.append(
            {
                "period": facts["period"],
                "version": facts["version"],
                "stands": standing_of(records, record, rules.signatures_needed) if is_newest else "restated",
                "night": facts["night"],
                "cut_off": facts["cut_off"],
                "decided": "; ".join(said["name"] + " (" + said["role"] + ") " + said["decision"]),
                "frozen_at": facts["at"],
                "frozen": facts["frozen"],
            }
        )
    columns = ["period", "version", "stands", "night", "cut_off", "decided", "frozen_at", "frozen"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.sort_values(["period", "version"], ascending=False, ignore_index=True)


def open_caveats(store: Store, period: str) -> pd.DataFrame:
    """The caveats of a month's newest version: id, weight and text. Weights are those of today's settings, and what is explained by now is left out."""
    with store.reading() as connection:
        frozen = need_freeze(journal(connection), period)
        parts = part_frames(read_rows(connection, period, frozen.facts["version"]))
    found = parts.get("caveats", pd.DataFrame(columns=["id", "weight", "text"], dtype="str"))
    found = found[found["id"] != UNEXPLAINED]
    exceptions = parts.get("exceptions")
    left = 0 if exceptions is None else len(still_unexplained(store, exceptions))
    if left:
        found = pd.concat([found, unexplained_caveat(left)], ignore_index=True)
    weights = load_signoff(store.settings.config_dir).conditions.model_dump()
    now = found["id"].str.replace("-", "_").map(weights).fillna(found["weight"])
    found = found.assign(weight=now)[now != IGNORE]
    return found.sort_values(["weight", "id"], ignore_index=True)


def journal_frame(store: Store) -> pd.DataFrame:
    """The journal for people: number, at, what was done, period, version, who, what they said, and the hash."""
    with store.reading() as connection:
        records = journal(connection)
    rows = [
        {
            "number": record.number,
            "at": record.facts.get("at"),
            "kind": "restated" if "replaces" in record.facts else record.facts.get("kind"),
            "period": record.facts.get("period"),
            "version": record.facts.get("version"),
            "who": record.facts.get("name") or record.facts.get("who"),
            "role": record.facts.get("role"),
            "comment": record.facts.get("comment") or record.facts.get("reason"),
            "hash": record.hash,
        }
        for record in records
    ]
    columns = ["number", "at", "kind", "period", "version", "who", "role", "comment", "hash"]
    return pd.DataFrame(rows, columns=columns).convert_dtypes()
