"""`review.xlsx`: pairs of records that may be one child, side by side, to be answered and handed back. Personal data: for the private store only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.covers import column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.entries import mark, stamp, write_choices, your_name
from outputs.sheets import Book, Column, write_list

TITLE, SHEET, KEY_TITLE = "Clerical review", "Pairs", "Key"
_BOTH = (
    ("surname", "Surname", 16, "text"),
    ("forename", "Forename", 16, "text"),
    ("known_as", "Known as", 12, "text"),
    ("born_on", "Date of birth", 12, "date"),
    ("sex_code", "Sex", 6, "text"),
    ("upn", "UPN", 16, "text"),
    ("uln", "ULN", 13, "text"),
    ("postcode", "Postcode", 11, "text"),
)
COLUMNS = (
    Column("key", KEY_TITLE, 12, is_hidden=True),
    Column("answer", "Answer", 12, "entry choice", "same: one child; different: two children, for good; unsure: ask again", choices="answers"),
    Column("reason", "Reason", 28, "entry", "in a few words, without names: it is kept with your name"),
    Column("how_sure", "How sure", 10, "text", "likely, may be or doubtful: how sure it is that the two are one child"),
    Column("weight", "Weight", 8, "points", "how much speaks for one child; the greater, the more"),
    Column("agrees", "What agrees", 24, "wrapped", "what both records say alike"),
    Column("differs", "What does not", 24, "wrapped", "what they say differently, or one does not say"),
    Column("record_a", "First record", 20, "text", "system and number: look it up there"),
    Column("record_b", "Second record", 20, "text", "system and number: look it up there"),
    *(
        Column(f"{key}_{end}", f"{title}, {word}", width, kind)
        for key, title, width, kind in _BOTH
        for end, word in (("a", "first"), ("b", "second"))
    ),
    Column("asked", "Why it is asked again", 30, "wrapped", "an answer was given and has lapsed, or was unsure", is_printed=False),
    Column("answered", "Last answer", 18, "text", "the last answer that stands, and whose", is_printed=False),
    Column("child_a", "First child", 12, "text", "whose record the first one is now", is_printed=False),
    Column("child_b", "Second child", 12, "text", "whose record the second one is now", is_printed=False),
)  # fmt: skip


def write_review(path: Path, pairs: pd.DataFrame, about: About, handout: str, answers: Sequence[str]) -> None:
    """Write the review workbook: one row a pair (the keys of `COLUMNS`), `answers` in the dropdown. Raises OSError where it cannot be written."""
    book, columns = Book(), (COLUMNS[0], mark(handout), *COLUMNS[1:])
    footer = footer_of(about, TITLE)
    cover = open_cover(
        book,
        TITLE,
        "Pairs of records of two systems that may be one child, and that nothing in them decides. Compare the two, choose an answer, say why. "
        "Then hand the file back: put it into the folder inbox of the data directory. This file holds names and dates of birth: keep it "
        "where it was given to you, and do not send it on.",
        about,
    )
    your_name(cover)
    run_facts(cover, about)
    column_guide(cover, [column for column in COLUMNS if not column.is_hidden])
    write_choices(book, {"answers": list(answers)})
    write_list(book, SHEET, pairs, columns, footer, freeze=3)
    write_run_sheet(book, about, columns, "review", len(pairs), handout)
    stamp(book, handout)
    book.save(path)
