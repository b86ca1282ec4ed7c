"""The sign-off's own tables: the journal, to which records are only ever added, the frozen rows, and what proves a signatory."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from config.errors import StoreError
from config.signoff import SignoffRules
from pipelines import tables as t
from pipelines.chain import Record, next_record, read_receipt, receipt_name, receipt_text
from pipelines.database import lock, read_frame
from pipelines.freezing import ROW_COLUMNS
from pipelines.publish import PARTIAL
from pipelines.store import Store

RECEIPTS = "receipts"
#: The end of a receipt's name until its record is committed.
UNFINISHED = ".unfinished"


def receipt_folders(store: Store, rules: SignoffRules) -> list[Path]:
    """Where a receipt of every record is kept: in the data directory, and in the second folder where the settings name one."""
    second = [Path(rules.receipts_folder).expanduser()] if rules.receipts_folder else []
    return [store.settings.data_dir / RECEIPTS, *second]


def pack_name(version: int | str) -> str:
    """The name of the folder of a pack (of `*` a pattern for all of them)."""
    return f"signoff-v{version}"


def pack_folder(store: Store, record: Record) -> Path:
    """Where the pack is of a freeze, or of the freeze that was decided about."""
    return store.settings.outputs_dir / record.facts["period"] / pack_name(record.facts["version"])


def pack_folders(store: Store, period: str | None = None) -> list[Path]:
    """Every pack that is on disk, of one month or of all, whatever the journal knows of it; none that was not written to its end."""
    found = store.settings.outputs_dir.glob(f"{period or '*'}/{pack_name('*')}")
    return sorted(path for path in found if path.suffix != PARTIAL)


def copy_receipts(records: Iterable[Record], places: list[Path], to: Path) -> None:
    """Copy all receipts of the first place, and those of these records from the first that holds each; none is made anew from the database."""
    to.mkdir()
    names = [*(path.name for path in places[0].glob("*.json")), *map(receipt_name, records)]
    for name in dict.fromkeys(names):
        kept = [place / name for place in places if (place / name).is_file()]
        if kept:
            shutil.copyfile(kept[0], to / name)


def receipts_in(place: Path, records: Iterable[Record]) -> dict[str, str]:
    """The receipts in a folder (or in one file) by name. One that has not got its name yet counts where its record was committed."""
    files = [*place.glob("*.json"), *place.glob("*.txt")] if place.is_dir() else [place] if place.exists() else []
    files += [path for path in place.glob("*" + UNFINISHED) if _is_recorded(path, records)]
    return {file.name: file.read_text(encoding="utf-8", errors="replace") for file in sorted(files)}


def _is_recorded(path: Path, records: Iterable[Record]) -> bool:
    receipt = read_receipt(path.read_text(encoding="utf-8", errors="replace"))
    return receipt is not None and receipt.hash in {record.hash for record in records}


def journal(connection: Connection) -> list[Record]:
    """Every record, oldest first."""
    rows = connection.execute(select(t.signoff_journal).order_by(t.signoff_journal.c.number)).all()
    return [Record(row.number, row.content, row.hash) for row in rows]


@contextmanager
def writing(store: Store, rules: SignoffRules) -> Iterator[JournalWriter]:
    """One transaction of the sign-off, and nobody else's at the same time. The receipts of its records are there before it ends, and go if it fails.

    They get their names after it: what a process leaves that died before, is told apart from a receipt whose record was taken away, and is cleared here.
    """
    writer: JournalWriter | None = None
    try:
        with store.writing() as connection:
            lock(connection)
            writer = JournalWriter(connection, store, rules)
            for folder in (*receipt_folders(store, rules), *(pack / RECEIPTS for pack in pack_folders(store))):
                for left in folder.glob("*" + UNFINISHED):
                    if _is_recorded(left, writer.records):
                        _finish(left)
                    else:
                        left.unlink()
            yield writer
    except BaseException:
        if writer:
            for path in writer.receipts:
                path.unlink(missing_ok=True)
        raise
    for path in writer.receipts:
        with suppress(OSError):  # it is recorded all the same: the next act names the receipt
            _finish(path)


def _finish(path: Path) -> None:
    path.replace(path.with_suffix(""))


class JournalWriter:
    """What is added to the journal in one transaction."""

    def __init__(self, connection: Connection, store: Store, rules: SignoffRules) -> None:
        self.connection = connection
        self.records = journal(connection)
        self.receipts: list[Path] = []
        self._store, self._rules = store, rules

    def add(self, kind: str, at: datetime, facts: Mapping[str, Any]) -> Record:
        """Add a record and write its receipts, that of a month beside its pack too. Raises StoreError where a receipt cannot be written."""
        record = next_record(self.records, kind, at, facts)
        self.connection.execute(
            insert(t.signoff_journal), {"number": record.number, "content": record.content, "hash": record.hash}
        )
        self.records.append(record)
        beside = [pack_folder(self._store, record) / RECEIPTS] if "period" in facts else []
        for folder in (*receipt_folders(self._store, self._rules), *beside):
            path = folder / receipt_name(record)
            try:
                folder.mkdir(parents=True, exist_ok=True)
                if path.exists():
                    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
                unfinished = path.with_name(path.name + UNFINISHED)
                self.receipts.append(unfinished)
                unfinished.write_text(receipt_text(record), encoding="utf-8", newline="\n")
            except OSError as error:
                raise StoreError(
                    f"The receipt {path} cannot be written: {error.strerror}.",
                    "See that the folder is there and that no older receipt of that number lies in it; nothing was recorded.",
                ) from error
        return record


def save_rows(connection: Connection, period: str, version: int, rows: pd.DataFrame) -> None:
    """Keep the rows of a freeze."""
    plain = rows[list(ROW_COLUMNS)].assign(period=period, version=version).astype(object).to_dict("records")
    connection.execute(insert(t.signoff_rows), plain)


def read_rows(connection: Connection, period: str, version: int) -> pd.DataFrame:
    """The rows of a freeze as they are kept; key and content are missing where a row was erased."""
    table = t.signoff_rows
    query = select(*(table.c[name] for name in ROW_COLUMNS)).where(table.c.period == period, table.c.version == version)
    frame = read_frame(connection, query.order_by(table.c.id), ROW_COLUMNS)
    return frame.astype("str")


def kept_versions(connection: Connection) -> list[tuple[str, int]]:
    """Of which months and versions there are frozen rows, in order."""
    table = t.signoff_rows
    query = select(table.c.period, table.c.version).distinct().order_by(table.c.period, table.c.version)
    return [(row.period, row.version) for row in connection.execute(query)]


def erase_rows(connection: Connection, child_id: str) -> pd.DataFrame:
    """Take the content and the key of a child's frozen rows away, in every month; gives their ``part`` and ``hash``."""
    table = t.signoff_rows
    named = table.c.content.like(f'%"child_id":"{child_id}"%')
    frame = read_frame(
        connection, select(table.c.part, table.c.hash).where(named).order_by(table.c.id), ["part", "hash"]
    )
    connection.execute(update(table).where(named).values(content=None, key=None))
    return frame


def save_passphrase(connection: Connection, signatory: str, secret: str | None) -> None:
    """Keep a signatory's passphrase (as scrypt made it) in the place of an earlier one; None removes it."""
    table = t.signoff_passphrases
    connection.execute(table.delete().where(table.c.signatory == signatory))
    if secret:
        connection.execute(insert(table), {"signatory": signatory, "secret": secret, "attempts": 0})


def passphrases(connection: Connection) -> dict[str, Any]:
    """By signatory: secret, attempts and tried_at."""
    return {row.signatory: row for row in connection.execute(select(t.signoff_passphrases)).all()}


def count_try(connection: Connection, signatory: str, at: datetime, was_right: bool) -> None:
    """Count a wrong passphrase, or forget the wrong ones after a right one."""
    table = t.signoff_passphrases
    attempts = 0 if was_right else table.c.attempts + 1
    connection.execute(
        update(table).where(table.c.signatory == signatory).values(attempts=attempts, tried_at=at.astimezone(UTC))
    )


def save_code(
    connection: Connection, signatory: str, period: str, version: int, secret: str, expires_at: datetime
) -> None:
    """Keep a one-time code (as scrypt made it). An earlier one of the same signatory counts no more."""
    connection.execute(
        insert(t.signoff_codes),
        {
            "signatory": signatory,
            "period": period,
            "version": version,
            "secret": secret,
            "expires_at": expires_at.astimezone(UTC),
            "attempts": 0,
        },
    )


def newest_code(connection: Connection, signatory: str) -> Any | None:
    """The newest code that a signatory was sent; None where there was none."""
    codes = t.signoff_codes
    newest = select(func.max(codes.c.id)).where(codes.c.signatory == signatory).scalar_subquery()
    return connection.execute(select(codes).where(codes.c.id == newest)).one_or_none()


def count_code(connection: Connection, code_id: int, at: datetime, was_right: bool) -> None:
    """Count a wrong attempt at a code, or mark it as used."""
    codes = t.signoff_codes
    change: dict[str, Any] = {"used_at": at.astimezone(UTC)} if was_right else {"attempts": codes.c.attempts + 1}
    connection.execute(update(codes).where(codes.c.id == code_id).values(**change))


def as_utc(moment: datetime) -> datetime:
    """A moment of the database with its time zone, which SQLite does not keep."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def feed_acceptances(connection: Connection) -> pd.DataFrame:
    """Which gated files people let through: system, feed, sha256, who, at and reason, oldest first."""
    table, names = t.feed_acceptances, ["system", "feed", "sha256", "who", "at", "reason"]
    frame = read_frame(connection, select(*(table.c[name] for name in names)).order_by(table.c.id), names)
    return frame.assign(at=pd.to_datetime(frame["at"], utc=True))
