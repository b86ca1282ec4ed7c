"""The workbook of clerical review come back: its answers kept as decisions, each once, or refused by sheet and cell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pandas as pd

from outputs.review_workbook import KEY_TITLE
from pipelines.decisions import PAIR
from pipelines.handed_out import read_back
from pipelines.returns import HandedIn, contested
from pipelines.review import ANSWER, FIELDS, judged, pairs_asked
from pipelines.review_files import KIND
from pipelines.store import Store
from pipelines.store_links import draft, keep_decisions


def hand_in(
    store: Store, paths: Sequence[Path], at: datetime, who: str | None = None, dry_run: bool = False
) -> list[HandedIn]:
    """Keep the answers of the workbooks of one sitting, in this order; with `dry_run` only say what would come of each cell.

    A cell that cannot be taken is refused by sheet and cell, and the others are kept; a file that cannot be read is given back with its refusal.
    """
    files = [read_back(store.settings.private_dir, path, who, KEY_TITLE, FIELDS, handout=f"{KIND}-") for path in paths]
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
