"""The workbook of clerical review come back: its answers kept as decisions, each once, or refused by sheet and cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from config.errors import EhcpError, ReturnRefusedError
from connectors.returned import read_returned
from outputs.review_workbook import KEY_TITLE
from pipelines.decisions import PAIR
from pipelines.handed_out import read_handed_out
from pipelines.returns import APPLY, HandedIn, changed, contested
from pipelines.review import ANSWER, FIELDS, judged, pairs_asked
from pipelines.review_files import KIND
from pipelines.store import Store
from pipelines.store_links import draft, keep_decisions

_TITLES = {field.key: field.title for field in FIELDS}


def hand_in(
    store: Store, paths: Sequence[Path], at: datetime, who: str | None = None, dry_run: bool = False
) -> list[HandedIn]:
    """Keep the answers of the workbooks of one sitting, in this order; with `dry_run` only say what would come of each cell.

    A cell that cannot be taken is refused by sheet and cell, and the others are kept; a file that cannot be read is given back with its refusal.
    """
    files = [_read(store, path, who) for path in paths]
    readable = [file for file in files if file.refusal is None and len(file.edits)]
    if readable:
        together = contested(pd.concat([file.edits for file in readable], keys=range(len(readable))))
        asked = pairs_asked(together)
        objection = pd.Series(dtype="str")
        if len(asked):
            rows, refused = draft(store, asked[[*PAIR, ANSWER, "reason"]], "", at)
            objection = refused.set_axis(asked.index)
            taken = (refused == "").to_numpy()
            rows = rows.assign(who=asked["who"].to_numpy(), place=asked["place"].to_numpy())[taken]
            if len(rows) and not dry_run:
                keep_decisions(store, rows)
        together = judged(together, objection)
        for place, file in enumerate(readable):
            file.edits = together.loc[place]
    for file in files:
        file.edits = file.edits.assign(child_id="", rule="")
    return files


def _read(store: Store, path: Path, who: str | None) -> HandedIn:
    """A file's edits, or why it is refused."""
    file = HandedIn(path, handout=f"{KIND}-")
    try:
        returned = read_returned(path, KEY_TITLE, _TITLES)
        given = read_handed_out(store.settings.private_dir, returned.rows["handout"], path.name)
        file.sha256, file.handout, file.problems = returned.sha256, returned.handout, returned.problems
        returned.who = file.who = " ".join((who or returned.who).split())[:100]
        file.edits = changed(returned, given, FIELDS)
        if not file.who and (file.edits["outcome"] == APPLY).any():
            raise ReturnRefusedError(
                f"{path.name} does not say whose work it is.",
                "Write your name beside 'Your name' on its first sheet and hand it back, or give --who.",
            )
    except EhcpError as refusal:
        file.refusal, file.edits = refusal, HandedIn(path).edits
    return file
