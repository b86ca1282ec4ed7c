"""The inbox for workbooks that people hand back: each is applied or refused, put away, and answered with a receipt.

A kind of list has a handler here, called with the store, the files of one sitting, the moment, the name given and whether only to tell.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from config.errors import ReturnRefusedError
from config.settings import Settings
from connectors.returned import kind_of
from outputs.about import About
from outputs.receipt import write_receipt
from pipelines import review_files, review_returns, store_returns
from pipelines.returns import HandedIn
from pipelines.store import Store

Handler = Callable[[Store, Sequence[Path], datetime, str | None, bool], list[HandedIn]]
HANDLERS: dict[str, Handler] = {store_returns.KIND: store_returns.hand_in, review_files.KIND: review_returns.hand_in}
APPLIED, REFUSED = "applied", "refused"
#: Files of these endings are somebody's work; all else in the inbox is left there, and told.
_ENDINGS = (".xlsx", ".xlsm", ".xls", ".ods")
#: How long a file that is not whole may still be on its way.
_ON_ITS_WAY = timedelta(minutes=10)


def inbox(settings: Settings) -> Path:
    """Where people put the workbooks that they hand back; extracts have folders of their own in it."""
    return settings.data_dir / "inbox"


def take_inbox(store: Store, now: datetime) -> list[str]:
    """Apply every workbook in the inbox, oldest first; gives a line for each, and for each that is left for the next time."""
    waiting, ready = _sorted_out(inbox(store.settings), now)
    if not ready:
        return waiting
    return waiting + [f"inbox: {line}" for line in hand_in_files(store, ready, now)[1]]


def hand_in_files(
    store: Store, paths: Sequence[Path], now: datetime, who: str | None = None, dry_run: bool = False
) -> tuple[list[HandedIn], list[str]]:
    """Apply workbooks of any kind as one sitting, put them away and write the receipts; gives the files and a line for each."""
    files, by_kind = [], _by_kind(paths)
    for kind, some in by_kind.items():
        files += HANDLERS[kind](store, some, now, who, dry_run)
    lines = [file.summary if dry_run else _answer(store, file, now) for file in files]
    return files, lines


def _by_kind(paths: Sequence[Path]) -> dict[str, list[Path]]:
    """The files by handler; one that does not say what it is goes where it is refused in words."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        try:
            kind = kind_of(path)
        except ReturnRefusedError:
            kind = store_returns.KIND
        found.setdefault(kind if kind in HANDLERS else store_returns.KIND, []).append(path)
    return found


def _sorted_out(folder: Path, now: datetime) -> tuple[list[str], list[Path]]:
    """Lines about files that are left there (no workbook, open, or still being copied), and the others."""
    lines, ready = [], []
    found = [path for path in folder.glob("*") if path.is_file() and not path.name.startswith((".", "~$"))]
    for path in sorted(found, key=lambda path: (path.stat().st_mtime, path.name)):
        if path.suffix.casefold() not in _ENDINGS:
            lines.append(f"inbox: {path.name} is no workbook (.xlsx); it is left there")
            continue
        held = [path.with_name(f"~${path.name}"), path.with_name(f".~lock.{path.name}#")]
        if any(mark.exists() for mark in held):
            lines.append(f"inbox: {path.name} is open in a spreadsheet; it is taken the next time, once it is closed")
            continue
        try:
            kind_of(path)
        except ReturnRefusedError as refusal:
            if datetime.fromtimestamp(path.stat().st_mtime, tz=now.tzinfo) > now - _ON_ITS_WAY:
                lines.append(
                    f"inbox: {path.name} may still be on its way; it is looked at the next time. {refusal.what}"
                )
                continue
        ready.append(path)
    return lines, ready


def _answer(store: Store, file: HandedIn, now: datetime) -> str:
    """Put a file away, write its receipt, and give the line about it. What it did is kept already: a file that cannot be moved is only told."""
    settings = store.settings
    # A review workbook shows names: it is put away in the private store.
    is_private = file.handout.startswith(f"{review_files.KIND}-")
    folder = review_files.review_folder(settings) if is_private else inbox(settings)
    place = folder / (REFUSED if file.refusal is not None else APPLIED)
    try:
        place.mkdir(parents=True, exist_ok=True)
        stem = _free(place, f"{now:%Y-%m-%d %H%M} {file.path.stem}", file.path.suffix)
        if file.path.exists():
            if file.path.resolve().parent == inbox(settings).resolve():
                file.path.replace(place / f"{stem}{file.path.suffix}")
            else:
                shutil.copy2(file.path, place / f"{stem}{file.path.suffix}")
        receipt = place / f"{stem} receipt.xlsx"
        refusal = (file.refusal.what, file.refusal.todo) if file.refusal is not None else None
        write_receipt(receipt, file.path.name, file.who, file.edits, file.problems, refusal, _about(store, now))
    except OSError as error:
        return (
            f"{file.summary}; it could not be put away ({error.strerror}): close it, it changes nothing a second time"
        )
    return f"{file.summary}; receipt: {receipt}"


def _free(place: Path, stem: str, ending: str) -> str:
    """A stem under which nothing is there yet."""
    name, number = stem, 1
    while (place / f"{name}{ending}").exists() or (place / f"{name} receipt.xlsx").exists():
        number += 1
        name = f"{stem} ({number})"
    return name


def _about(store: Store, now: datetime) -> About:
    run = store.newest_run()
    return About(
        store.settings.council.name, run["as_of"], run["run_id"], now, f"{run['as_of']:%Y-%m}", (), run["versions"]
    )


def purge_inbox(settings: Settings, older_than: datetime) -> int:
    """Remove files put away before a moment, with their receipts; gives how many."""
    gone = 0
    for path in [*(inbox(settings) / APPLIED).glob("*"), *(inbox(settings) / REFUSED).glob("*")]:
        if path.is_file() and path.stat().st_mtime < older_than.timestamp():
            path.unlink()
            gone += 1
    return gone
