"""The workbook of clerical review: handed out with the night, into the private store, as it shows names."""

from __future__ import annotations

import shutil
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from config.errors import StoreError
from config.settings import Settings
from outputs.about import About
from outputs.protect import restricted_children
from outputs.review_workbook import write_review
from pipelines.configuration import versions
from pipelines.decisions import standing
from pipelines.handed_out import hand_out_id, keep_handed_out
from pipelines.link import Linkage
from pipelines.rawstore import private_folder
from pipelines.review import FIELDS, handed, queue, side_by_side
from pipelines.store import Store

KIND = "review"


def review_folder(settings: Settings) -> Path:
    """Where review workbooks are: in the private store, as they show names."""
    return settings.private_dir / "review"


def hand_out_review(
    settings: Settings,
    night: Any,
    linkage: Linkage,
    people: pd.DataFrame,
    decisions: pd.DataFrame,
    register: pd.DataFrame,
    now: datetime,
) -> Path | None:
    """Write the night's review workbook into the private store, by month and run, and remember what was handed out; None where no pair waits.

    `register` says who is restricted. Raises StoreError where it cannot be written.
    """
    if linkage.review.empty:
        return None
    told = queue(linkage.review, linkage.links, standing(decisions))
    secret = set(register.loc[restricted_children(register), "child_id"])
    remembered = handed(told)
    handout = hand_out_id(KIND, night.run_id, remembered)
    month = f"{night.night:%Y-%m}"
    about = About(settings.council.name, night.night, night.run_id, now.astimezone(), month, (), versions())
    try:
        folder = private_folder(review_folder(settings))
        for name in (month, night.run_id):
            folder = private_folder(folder / name)
        keep_handed_out(settings.private_dir, handout, remembered)
        shown = side_by_side(told, people, secret).assign(key=remembered["key"])
        write_review(folder / "review.xlsx", shown, about, handout, FIELDS[0].choices)
    except OSError as error:
        raise StoreError(
            f"The review workbook cannot be written: {error.strerror}.",
            "Make room in the data directory, close the file if it is open, then run again. Nothing was changed.",
        ) from error
    return folder / "review.xlsx"


def newest_review(store: Store) -> Path | None:
    """The review workbook of the newest night; None where no pair waits."""
    run = store.newest_run()
    path = review_folder(store.settings) / f"{run['as_of']:%Y-%m}" / run["run_id"] / "review.xlsx"
    return path if path.is_file() else None


def purge_reviews(settings: Settings, kept_runs: set[str], older_than: datetime) -> None:
    """Remove the review workbooks of runs that are not among these, and those that came back before a moment."""
    for path in review_folder(settings).glob("*/*"):
        if path.is_dir() and path.name not in kept_runs:
            shutil.rmtree(path, ignore_errors=True)
        elif path.is_file() and path.stat().st_mtime < older_than.timestamp():
            path.unlink()
