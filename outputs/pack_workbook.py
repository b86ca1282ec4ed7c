"""The pack of a frozen month as a workbook: the same as the paper, whole, with the children behind what moved. Children are named by id alone."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date
from pathlib import Path

import pandas as pd

from outputs import pack_frames as frames
from outputs.about import About
from outputs.covers import Cover
from outputs.pack_frames import PackFacts
from outputs.sheets import Book, Column, write_list
from outputs.steady import steady_workbook
from outputs.wording import uk_time

_FIGURES = (
    Column("code", "Code", 8),
    Column("title", "Figure", 32, "wrapped"),
    Column("line_title", "Part", 32, "wrapped"),
    Column("value", "Value", 9, "figure"),
    Column("numerator", "Meet it", 10, "number"),
    Column("denominator", "Of", 10, "number"),
    Column("not_judged", "Not judged", 10, "number"),
    Column("target", "Target", 9, "target"),
    Column("rag", "Rating", 10, "rag"),
    Column("previous_value", "Last month", 10, "figure"),
    Column("change", "Change", 9, "points"),
    Column("definition", "What is counted", 70, "wrapped"),
)
_MOVES = (
    Column("code", "Code", 8),
    Column("title", "Figure", 32, "wrapped"),
    Column("line_title", "Part", 30, "wrapped"),
    Column("part_title", "Children who", 14),
    Column("opening", "Opening", 10, "number"),
    Column("joined", "Joined", 9, "number"),
    Column("came", "Came", 9, "number"),
    Column("left", "Left", 9, "number"),
    Column("went", "Went", 9, "number"),
    Column("closing", "Closing", 10, "number"),
    Column("why_in", "Why they joined or came", 44, "wrapped"),
    Column("why_out", "Why they left or went", 44, "wrapped"),
)
_MOVED = (
    Column("child_id", "Child", 12),
    Column("came", "Came into (and whether it is counted or meets it)", 70, "wrapped"),
    Column("went", "Went out of", 70, "wrapped"),
)
_CRITICAL = (
    Column("exception_id", "Exception", 20),
    Column("child_id", "Child", 12),
    Column("rule", "Rule", 10),
    Column("title", "What is wrong", 50, "wrapped"),
    Column("owner", "Owner", 20),
    Column("status", "Stands as", 14),
    Column("first_seen_on", "First found", 12, "date"),
    Column("age_days", "Days", 8, "number"),
    Column("explained", "Explained last by", 30),
)
_ACCEPTANCES = (
    Column("exception_id", "Exception", 20),
    Column("child_id", "Child", 12),
    Column("rule", "Rule", 10),
    Column("severity", "Severity", 10, "severity"),
    Column("who", "Accepted by", 22),
    Column("proposed_by", "Proposed by", 22),
    Column("given_on", "Since the night of", 14, "date"),
    Column("until", "Until", 12, "date"),
    Column("reason", "Why", 60, "wrapped"),
)
_LET_THROUGH = (
    Column("system", "System", 14),
    Column("feed", "Feed", 20),
    Column("who", "Let through by", 22),
    Column("at", "When", 22),
    Column("reason", "Why", 60, "wrapped"),
    Column("sha256", "SHA-256 of the file", 66),
)
_SOURCES = (
    Column("system_title", "System", 24),
    Column("feed_title", "Feed", 20),
    Column("status_title", "At the cut-off", 20),
    Column("is_late", "Late", 8, "flag"),
    Column("nights_late", "Nights late", 11, "number"),
    Column("nights", "Of nights", 10, "number"),
    Column("last_late_on", "Last late on", 13, "date"),
    Column("old_copy_of", "Copy used of", 13, "date"),
    Column("rows", "Rows", 10, "number"),
    Column("accepted", "Accepted", 10, "number"),
    Column("set_aside", "Set aside", 10, "number"),
    Column("reason", "Why", 60, "wrapped"),
)
_RESTATED = (
    Column("part_title", "Part", 26),
    Column("key", "Which", 26),
    Column("field", "What of it", 16),
    Column("before", "Was", 30, "wrapped"),
    Column("after", "Is", 30, "wrapped"),
)


def write_pack_workbook(path: Path, parts: Mapping[str, pd.DataFrame], facts: PackFacts) -> None:
    """Write the pack as a workbook, the same bytes for the same parts and time stamp. Raises OSError where the file cannot be written."""
    about = About(facts.council, date.fromisoformat(facts.night), facts.run_id, facts.frozen_at, facts.period)
    footer = f"{facts.council} · {facts.title} · version {facts.version} · official: sensitive"
    book = Book()
    book.properties.creator = "ehcp-register"
    book.properties.created = facts.frozen_at.astimezone(UTC).replace(tzinfo=None)
    _cover(book, parts, facts, footer)
    lists = [
        ("Figures", frames.figures(parts), _FIGURES),
        ("What moved", frames.moves(parts), _MOVES),
        ("Children who moved", frames.moved(parts), _MOVED),
        ("Critical exceptions", frames.critical(parts, facts.night), _CRITICAL),
        ("Accepted", frames.acceptances(parts), _ACCEPTANCES),
        ("Feeds let through", frames.let_through(parts), _LET_THROUGH),
        ("Sources", frames.sources(parts), _SOURCES),
    ]
    if facts.version > 1:
        lists.insert(0, ("Restated", frames.restated(parts), _RESTATED))
    for title, frame, columns in lists:
        write_list(book, title, frame, columns, f"{footer} · {title.lower()}", freeze=1)
    book.save(path)
    steady_workbook(path, about.generated_at)


def _cover(book: Book, parts: Mapping[str, pd.DataFrame], facts: PackFacts, footer: str) -> None:
    cover = Cover(book, "Read me first", footer)
    cover.gap(6)
    cover.line((facts.title, "title"), height=34)
    cover.line((facts.subtitle, "subtitle"), height=20)
    cover.gap()
    cover.prose(
        "The month as it is signed: the same as the paper, whole. It is made from frozen rows and is not kept up to date; to work with today's "
        "figures take the workbooks of the newest night."
    )
    if facts.version > 1:
        cover.prose(f"Restated by {facts.who}: {facts.reason}", "warning")
    cover.heading("Before it is signed")
    caveats = frames.caveats(parts)
    if caveats.empty:
        cover.prose("There is no caveat.")
    for row in caveats.to_dict("records"):
        cover.fact(
            row["weight_title"], f"{row['text']} ({row['id']})", "warning" if row["weight"] == "block" else "fact"
        )
    cover.heading("What proves it")
    for label, text in [*frames.proof(facts), ("Frozen", uk_time(facts.frozen_at))]:
        cover.fact(label, text)
