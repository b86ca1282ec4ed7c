"""Whether anything that was frozen or signed has been changed since, and what: row, figure, file, record, receipt or signatory.

Three things are held against one another that no one person can change together: the database, the packs on disk, and the receipts outside the database
(in the data directory, beside the packs, in a second folder, in mailboxes).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pandas as pd

from config.errors import ConfigurationError
from config.signoff import load_signoff
from pipelines.chain import (
    DECLINED,
    FROZEN,
    SIGNED,
    Breach,
    Record,
    about,
    broken_receipts,
    broken_records,
    digest,
)
from pipelines.freezing import frozen_hash, part_hashes, row_hash
from pipelines.packs import HASHES
from pipelines.signoff_state import erased_hashes, need_freeze
from pipelines.store import Store
from pipelines.store_signoff import (
    RECEIPTS,
    UNFINISHED,
    journal,
    kept_versions,
    pack_folder,
    pack_folders,
    passphrases,
    read_rows,
    receipt_folders,
    receipts_in,
)
from pipelines.working_days import month_of

#: What a decision holds of the freeze that it was made about.
_HELD = ("period", "frozen", "files", "versions")
#: What programs put beside a file that is open, or into a folder that is looked at.
_OF_PROGRAMS = ("~$*", ".~lock.*#", "Thumbs.db", "desktop.ini", ".DS_Store")
BREACH_COLUMNS = ("part", "place", "what")


def verify(store: Store, period: str | None = None, receipts: Sequence[Path] = ()) -> pd.DataFrame:
    """Everything that is not as it was frozen or signed (`BREACH_COLUMNS`); an empty frame where all of it is.

    `period` limits the rows and packs to one month; the journal and its receipts are always looked at as a whole. `receipts` are further files or folders
    of receipts, such as those that came by e-mail. Raises ConfigurationError where one of them does not exist, and for a month that was never frozen.
    """
    if period:
        month_of(period)
    with store.reading() as connection:
        records = journal(connection)
    found = broken_journal(store)
    for path in receipts:
        if not path.exists():
            raise ConfigurationError(
                f"There are no receipts at {path}.", "Give the file or the folder that holds them."
            )
        found += broken_receipts(records, receipts_in(path, records), path.as_posix())
    every = [record for record in records if record.facts.get("kind") == FROZEN]
    freezes = {record.hash: record for record in every if _is_whole(record.facts)}
    found += [
        Breach("record", record.title, "It does not say all that a freeze says: its rows and files cannot be told.")
        for record in every
        if record.hash not in freezes
    ]
    for frozen in freezes.values():
        if period in (None, frozen.facts["period"]):
            found += _broken_freeze(store, frozen, erased_hashes(records))
    found += _broken_decisions(records, freezes)
    found += _without_freeze(store, freezes.values(), period)
    if period and not found:
        need_freeze(records, period)
    return pd.DataFrame([vars(breach) for breach in found], columns=list(BREACH_COLUMNS)).drop_duplicates()


def broken_journal(store: Store) -> list[Breach]:
    """What speaks against the journal, by itself and by the receipts kept for it, and passphrases that no enrolment set."""
    with store.reading() as connection:
        records = journal(connection)
        secrets = {name: row.secret for name, row in passphrases(connection).items()}
    found = broken_records(records)
    due = dict.fromkeys(receipt_folders(store, load_signoff(store.settings.config_dir)), records)
    due |= {pack / RECEIPTS: [] for pack in pack_folders(store)}
    for frozen in records:
        if frozen.facts.get("has_receipts_in_pack") and _is_whole(frozen.facts):
            due[pack_folder(store, frozen) / RECEIPTS] = about(records, frozen)
    for folder, wanted in due.items():
        found += broken_receipts(records, receipts_in(folder, records), folder.as_posix(), wanted)
    return found + list(_broken_secrets(records, secrets))


def _is_whole(facts: dict[str, Any]) -> bool:
    """Whether a record says all that a freeze says, each thing in its own shape: what was tampered with may not."""
    shapes = {"period": str, "version": int, "files": dict, "parts": dict, "frozen": str, "versions": dict}
    return all(isinstance(facts.get(name), shape) for name, shape in shapes.items()) and all(
        isinstance(part, dict) and part.keys() == {"rows", "hash"} for part in facts["parts"].values()
    )


def _without_freeze(store: Store, freezes: Iterable[Record], period: str | None) -> Iterator[Breach]:
    """Rows and packs of which the journal knows no freeze: its record was taken away, or they were put there."""
    known = {(frozen.facts["period"], frozen.facts["version"]): pack_folder(store, frozen) for frozen in freezes}
    with store.reading() as connection:
        kept = kept_versions(connection)
    for month, version in kept:
        if (month, version) not in known and period in (None, month):
            yield Breach("row", f"{month} version {version}", "The journal knows no freeze of these rows.")
    for folder in pack_folders(store, period):
        if folder not in known.values():
            what = "The journal knows no freeze that made this pack: its record was taken away, or a freeze was cut off (run it again)."
            yield Breach("file", folder.as_posix(), what)


def _broken_freeze(store: Store, frozen: Record, erased: set[str]) -> Iterator[Breach]:
    facts = frozen.facts
    where = f"{facts['period']} version {facts['version']}"
    with store.reading() as connection:
        rows = read_rows(connection, facts["period"], facts["version"])
    folder = pack_folder(store, frozen)
    for name, wanted in facts["files"].items():
        path = folder / name
        if not path.is_file():
            yield Breach("file", path.as_posix(), "The file is missing from the pack.")
        elif digest(path.read_bytes()) != wanted:
            yield Breach("file", path.as_posix(), "The file is not the one that was signed.")
    for path in _strangers(folder, facts["files"]):
        yield Breach("file", path.as_posix(), "The file is no part of the pack: it was put there after the freeze.")
    named = list(_broken_rows(rows, erased, where)) + list(_unlisted(rows, folder / HASHES, facts, where))
    yield from named
    parts = part_hashes(rows)
    for part, wanted in facts["parts"].items():
        got = parts.get(part, {"rows": 0, "hash": digest("")})
        if got != wanted and (got["rows"] != wanted["rows"] or not named):
            yield Breach(
                "row",
                f"{where}: {part}",
                f"Its rows are not those that were frozen ({got['rows']} of {wanted['rows']} rows).",
            )
    for part in parts.keys() - facts["parts"].keys():
        yield Breach("row", f"{where}: {part}", "These rows were added after the freeze.")
    if frozen_hash(facts["parts"]) != facts["frozen"]:
        yield Breach("record", frozen.title, "Its hash of the frozen data is not that of its parts.")


def _strangers(folder: Path, files: Iterable[str]) -> list[Path]:
    """What lies in the folder of a pack and is neither a file of it nor read as a receipt."""
    known = {folder / name for name in files} | {folder / RECEIPTS}
    receipts = {path for end in ("*.json", "*" + UNFINISHED) for path in (folder / RECEIPTS).glob(end)}
    return [
        path
        for path in sorted(folder.rglob("*"))
        if path not in known | receipts and not any(fnmatch(path.name, name) for name in _OF_PROGRAMS)
    ]


def _broken_rows(rows: pd.DataFrame, erased: set[str], where: str) -> Iterator[Breach]:
    """Rows that are not what was hashed, and rows without content whose erasure was never recorded."""
    kept = rows[rows["content"].notna()]
    hashed = [row_hash(*row) for row in zip(kept["part"], kept["key"].fillna(""), kept["content"], strict=True)]
    for row in kept[kept["hash"] != pd.Series(hashed, index=kept.index, dtype="str")].itertuples():
        yield _row(where, row.part, row.key, "The row was changed.")
    gone = rows[rows["content"].isna() & ~rows["hash"].isin(erased)]
    for row in gone.itertuples():
        yield _row(where, row.part, row.key, "Its content was taken away, and no erasure was recorded.")


def _unlisted(rows: pd.DataFrame, listed: Path, facts: dict[str, dict[str, str]], where: str) -> Iterator[Breach]:
    """Rows that the pack's list of hashes does not hold: changed together with their own hash. Only a list that is itself untouched can tell."""
    if not listed.is_file() or digest(listed.read_bytes()) != facts["files"].get(HASHES):
        return
    known = set(listed.read_text(encoding="utf-8").splitlines())
    for row in rows[~(rows["part"] + " " + rows["hash"]).isin(known)].itertuples():
        yield _row(where, row.part, row.key, "The row was changed or added after the freeze, and its hash made anew.")


def _row(where: str, part: str, key: object, what: str) -> Breach:
    kind = "figure" if part == "kpi_values" else "row"
    return Breach(kind, f"{where}: {part} {key if isinstance(key, str) else '(erased)'}", what)


def _broken_decisions(records: list[Record], freezes: dict[str, Record]) -> Iterator[Breach]:
    """Signatures and refusals that rest on something that is no freeze, or not on what it says."""
    for record in records:
        if record.facts.get("kind") not in (SIGNED, DECLINED):
            continue
        frozen = freezes.get(str(record.facts.get("freeze")))
        if frozen is None:
            yield Breach("record", record.title, "What it decided about is not in the journal any more.")
        elif any(record.facts.get(name) != frozen.facts[name] for name in _HELD):
            yield Breach(
                "record", record.title, "It was given on other data, files or versions than those of its freeze."
            )


def _broken_secrets(records: list[Record], secrets: dict[str, str]) -> Iterator[Breach]:
    """Passphrases that were not set by enrolling: the last enrolment of each signatory holds the hash of what was kept."""
    known = {
        str(record.facts.get("name")).casefold(): record.facts["passphrase"]
        for record in records
        if "passphrase" in record.facts
    }
    for signatory in sorted(known.keys() | secrets.keys()):
        kept = digest(secrets[signatory]) if signatory in secrets else None
        if known.get(signatory) != kept:
            yield Breach("signatory", signatory, "The passphrase was changed without an enrolment.")
