"""Notification lists: one workbook for each team that has to be told something, a sheet for each list."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.covers import column_guide, footer_of, open_cover, run_facts
from outputs.sheets import Book, Column, write_list

TITLE = "Notification list"
COLUMNS = (
    Column("child_id", "Child", 12, "text", "the child's id in the register; no names are in this file"),
    Column("synergy_id", "Synergy", 12, "text", "the child's number in Synergy, to look the child up"),
    Column("due_on", "Due", 12, "due", "what has to be done is due on this day; red where it has passed"),
    Column("days_left", "Days left", 9, "number", "days from the night to that day; below 0 where it has passed"),
    Column("setting_name", "Setting", 34, "wrapped", "of the current main placement; restricted: not to be shown"),
    Column(
        "professional", "Social worker", 22, "text", "of the open social care involvement; empty where there is none"
    ),
    Column("last_on", "Step before", 12, "date", "last review, decision to assess, meeting, or transfer in"),
    Column("detail", "What to do", 44, "wrapped", "in a few words"),
)
#: The lists in their order, with the heading of each sheet and what a reader must know of it.
LISTS = {
    "reviews ahead": ("Reviews ahead", "Reviews due in the next 90 days, unless the council set another time: ask for written advice now."),
    "advice due": (
        "Advice due",
        "Assessments in progress and when their advice should be in: six weeks from the decision to assess. When advice came in is in no "
        "extract, so it is not said here.",
    ),
    "phase transfers": ("Phase transfers", "No final plan names the next setting, and the deadline is near or has passed."),
    "new to the area": ("New to the area", "Plans taken over from another authority in that time: their review is due within three months."),
}  # fmt: skip


def write_notifications(folder: Path, lines: pd.DataFrame, about: About) -> dict[str, Path]:
    """Write one workbook for each team into `folder`; gives the file of each.

    `lines` has ``team``, ``list`` (a key of `LISTS`) and the keys of `COLUMNS`, already masked for restricted children. Raises OSError where
    a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, Path] = {}
    for team, theirs in lines.groupby("team", sort=True):
        path = folder / f"{_file_name(str(team), {path.stem for path in written.values()})}.xlsx"
        _write_one(path, str(team), theirs, about)
        written[str(team)] = path
    return written


def _write_one(path: Path, team: str, lines: pd.DataFrame, about: About) -> None:
    late = lines["due_on"] < pd.Timestamp(about.as_of)
    lines = lines.assign(due_on_is_late=late)
    book = Book()
    title = f"{TITLE}: {team}"
    cover = open_cover(
        book, title, "Who has to be told or asked, and by when. Soonest first. Write nothing back: it is made anew each night.", about
    )  # fmt: skip
    cover.heading("What is in it")
    counts = lines["list"].value_counts()
    of_team = {name: told for name, told in LISTS.items() if name in counts.index}
    for name, (heading, told) in of_team.items():
        cover.line((heading, "label"), (told, "fact"), (int(counts[name]), "count"), height=42)
        cover.link(2, book.reserve(heading))
    column_guide(cover, COLUMNS)
    run_facts(cover, about)
    for name, (heading, _) in of_team.items():
        write_list(book, heading, lines[lines["list"] == name], COLUMNS, footer_of(about, title), freeze=1)
    book.save(path)


def _file_name(team: str, taken: set[str]) -> str:
    """A name that every file system takes, and that no other team's file has."""
    plain = re.sub(r"[^a-z0-9]+", "-", team.casefold()).strip("-")[:60] or "team"
    name, number = plain, 1
    while name in taken:
        number += 1
        name = f"{plain}-{number}"
    return name
