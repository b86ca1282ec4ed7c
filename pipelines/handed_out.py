"""What was handed out in workbooks that people fill in: kept in the private store, so that what comes back can be compared with it.

One file a hand-out, named by its id ``<kind>-<run_id>-<hash>``; every workbook of that kind and run shares it, whichever rows it holds.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from config.errors import EhcpError, ReturnRefusedError, StoreError
from connectors.returned import read_returned
from pipelines.rawstore import private_folder
from pipelines.returns import APPLY, Field, HandedIn, changed

_ID = re.compile(r"^[a-z_]+-\d{4}-\d{2}-\d{2}-\d+-[0-9a-f]{8}$")


def hand_out_id(kind: str, run_id: str, handed: pd.DataFrame) -> str:
    """The id of a hand-out: the same for the same content."""
    told = pd.util.hash_pandas_object(handed.astype("str"), index=False).to_numpy().tobytes()
    return f"{kind}-{run_id}-{hashlib.sha256(told).hexdigest()[:8]}"


def keep_handed_out(private_dir: Path, handout: str, handed: pd.DataFrame) -> None:
    """Keep what was handed out: ``key``, ``basis`` and each field as ``<field>`` and ``<field>:shown`` (text). Appears whole or not at all."""
    folder = private_folder(private_folder(private_dir) / "handed_out")
    part = folder / f"{handout}.part"
    try:
        handed.astype("str").to_parquet(part, index=False, compression="zstd")
        part.replace(folder / f"{handout}.parquet")
    except OSError as error:
        raise StoreError(
            f"What is handed out cannot be kept: {error.strerror}.",
            "Make room in the data directory, then run again. Nothing was changed.",
        ) from error


def read_handed_out(private_dir: Path, handouts: Iterable[str], file: str) -> pd.DataFrame:
    """What was handed out under these ids, with ``handout``. Raises ReturnRefusedError where none of them is known, or no longer."""
    frames = []
    wanted = sorted(set(handouts))
    for handout in wanted:
        path = private_dir / "handed_out" / f"{handout}.parquet"
        if _ID.match(handout) and path.is_file():
            frames.append(pd.read_parquet(path).astype("str").assign(handout=handout))
    if not frames:
        raise ReturnRefusedError(
            f"{file} was handed out as {', '.join(wanted)[:80]}, which is not kept here (any more).",
            "Put your work into a newer workbook; what was handed out is kept as long as raw files are.",
        )
    return pd.concat(frames, ignore_index=True).fillna("").astype({"handout": "str"})


def read_back(
    private_dir: Path, path: Path, who: str | None, key_title: str, fields: Sequence[Field], handout: str = ""
) -> HandedIn:
    """A returned file's edits against what was handed out, or why it is refused.

    `who` stands over the name in the file; `key_title` and the titles of `fields` are the headings to find; `handout` stands for the id of a file
    that cannot be read.
    """
    file = HandedIn(path, handout=handout)
    try:
        returned = read_returned(path, key_title, {field.key: field.title for field in fields})
        given = read_handed_out(private_dir, returned.rows["handout"], path.name)
        file.sha256, file.handout, file.problems = returned.sha256, returned.handout, returned.problems
        returned.who = file.who = " ".join((who or returned.who).split())[:100]
        file.edits = changed(returned, given, fields)
        if not file.who and (file.edits["outcome"] == APPLY).any():
            raise ReturnRefusedError(
                f"{path.name} does not say whose work it is.",
                "Write your name beside 'Your name' on its first sheet and hand it back, or give --who.",
            )
    except EhcpError as refusal:
        file.refusal, file.edits = refusal, HandedIn(path).edits
    return file


def purge_handed_out(private_dir: Path, older_than: datetime) -> int:
    """Forget what was handed out before a moment; gives how many hand-outs."""
    gone = 0
    for path in (private_dir / "handed_out").glob("*"):
        if path.stat().st_mtime < older_than.timestamp():
            path.unlink()
            gone += 1
    return gone
