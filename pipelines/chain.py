"""The chain of the sign-off: records that hold the hash of the record before them, and what speaks against them. Pure.

A record is canonical JSON (keys sorted, no spaces, UTF-8); its hash is the SHA-256 of that text. A receipt is a record with its hash as a file outside
the database: whoever rewrites the records and works out every hash anew cannot rewrite a receipt that somebody else keeps.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

ENROLLED, REMOVED, FROZEN, SIGNED, DECLINED, ERASED = "enrolled", "removed", "frozen", "signed", "declined", "erased"


@dataclass(frozen=True)
class Record:
    """One record of the journal: its number, its canonical text and the hash that was kept with it."""

    number: int
    content: str
    hash: str

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the record says; empty where its text is no longer one."""
        try:
            facts = json.loads(self.content)
        except json.JSONDecodeError:
            return {}
        return facts if isinstance(facts, dict) else {}

    @property
    def title(self) -> str:
        """How a person would name it: ``record 12 (signed, 2026-10)``."""
        told = ", ".join(str(self.facts[name]) for name in ("kind", "period") if self.facts.get(name))
        return f"record {self.number} ({told})" if told else f"record {self.number}"


@dataclass(frozen=True)
class Breach:
    """Something that is not as it was: `part` (record, receipt, row, figure, file, signatory), `place` (which), `what` (is wrong)."""

    part: str
    place: str
    what: str


def canonical(value: Any) -> str:
    """The one text for a value: JSON with sorted keys and no spaces. Raises ValueError for a number that is none."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def digest(text: str | bytes) -> str:
    """SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode() if isinstance(text, str) else text).hexdigest()


def next_record(records: Iterable[Record], kind: str, at: datetime, facts: Mapping[str, Any]) -> Record:
    """The record that comes after `records`: its kind, when, what it says, and the hash of the one before it."""
    last = max(records, key=lambda record: record.number, default=None)
    number = last.number + 1 if last else 1
    moment = at.astimezone(UTC).isoformat(timespec="seconds")
    body = {**facts, "number": number, "kind": kind, "at": moment, "previous": last.hash if last else ""}
    text = canonical(body)
    return Record(number, text, digest(text))


def receipt_text(record: Record) -> str:
    """The receipt of a record as the text of a file: the record as it was hashed, readable, and its hash."""
    return (
        json.dumps({"hash": record.hash, "record": record.facts}, sort_keys=True, ensure_ascii=False, indent=1) + "\n"
    )


def receipt_name(record: Record) -> str:
    """The name of its file: ``000012-signed-2026-10.json``."""
    told = [str(record.facts[name]) for name in ("kind", "period") if record.facts.get(name)]
    return "-".join([f"{record.number:06d}", *told]) + ".json"


def read_receipt(text: str) -> Record | None:
    """A receipt read back, also out of a message around it; None where the text is none any more."""
    try:
        said = json.loads(text[text.find("{") : text.rfind("}") + 1])
        return Record(int(said["record"]["number"]), canonical(said["record"]), str(said["hash"]))
    except (ValueError, TypeError, KeyError):
        return None


def about(records: Iterable[Record], frozen: Record) -> list[Record]:
    """The records of one version of a month: its freeze, and what was decided about it."""
    month = [frozen.facts["period"], frozen.facts["version"]]
    return [record for record in records if [record.facts.get(name) for name in ("period", "version")] == month]


def broken_records(records: list[Record]) -> list[Breach]:
    """Where the chain does not hold in itself: a text that is not its hash, a link that is not the record before, a number that is missing."""
    found, previous = [], ""
    for number, record in enumerate(sorted(records, key=lambda record: record.number), 1):
        if record.number != number or record.facts.get("number") != record.number:
            found.append(
                Breach("record", record.title, f"A record is missing or was moved: number {number} was due here.")
            )
            return found
        if digest(record.content) != record.hash:
            found.append(Breach("record", record.title, "Its text is not what was hashed: the record was changed."))
        if record.facts.get("previous") != previous:
            found.append(Breach("record", record.title, "It does not hold the hash of the record before it."))
        previous = record.hash
    return found


def broken_receipts(
    records: list[Record], receipts: Mapping[str, str], place: str, due: Iterable[Record] = ()
) -> list[Breach]:
    """What receipts (file name: text) say against the records. `due`: those of which a receipt should be there."""
    known, seen, found = {record.number: record for record in records}, set(), []
    for name, text in sorted(receipts.items()):
        receipt = read_receipt(text)
        where = f"{place}/{name}"
        if receipt is None or digest(receipt.content) != receipt.hash:
            found.append(
                Breach("receipt", where, "The receipt itself was changed: its hash is not that of what it says.")
            )
            if receipt:
                seen.add(receipt.number)
            continue
        seen.add(receipt.number)
        record = known.get(receipt.number)
        if record is None:
            found.append(
                Breach(
                    "record", receipt.title, f"It is gone from the database; the receipt {where} proves it was there."
                )
            )
        elif record.hash != receipt.hash:
            found.append(
                Breach(
                    "record",
                    record.title,
                    f"The database says something else than the receipt {where}: it was rewritten.",
                )
            )
    return found + [
        Breach("receipt", f"{place}/{receipt_name(record)}", "The receipt is missing.")
        for record in due
        if record.number not in seen and record.facts
    ]
