"""What people fill in, in a workbook of exceptions: the columns, and how to."""

from __future__ import annotations

from collections.abc import Sequence

from outputs.entries import mark, write_choices
from outputs.sheets import Book, Column

#: What people fill in, in a workbook that is handed out to be worked through.
ENTRIES = (
    Column("so_far", "So far", 26, "wrapped", "what people did that stands in no cell to fill in", is_printed=False),
    Column(
        "assigned_to",
        "Assigned to",
        18,
        "entry choice",
        "Fill in: the person or team that sees to it. Choose from the list or write another.",
        is_printed=False,
        choices="people",
    ),
    Column(
        "fixed",
        "Fixed in source",
        9,
        "entry choice",
        "Fill in: Yes once it is put right in the system. It goes when a fresh extract shows it.",
        is_printed=False,
        choices="yes",
    ),
    Column(
        "accept_until",
        "Accept until",
        12,
        "entry date",
        "Fill in, with a reason: the day on which the acceptance lapses. A critical or high one needs a second person to write the same date.",
        is_printed=False,
    ),
    Column(
        "accept_reason",
        "Reason to accept",
        26,
        "entry",
        "Fill in, with a date: why it can stand until then. No names of children.",
        is_printed=False,
    ),
    Column(
        "note",
        "Note",
        34,
        "entry",
        "Fill in: what the next person should know. The trail keeps earlier notes. No names of children.",
        is_printed=False,
    ),
)


def columns_of(columns: Sequence[Column], handout: str) -> tuple[Column, ...]:
    """The columns of a list: with those to fill in, behind the printed ones, where it is handed out to be worked through."""
    if not handout:
        return tuple(columns)
    place = [column.is_printed for column in columns].index(False)
    return (columns[0], mark(handout), *columns[1:place], *ENTRIES, *columns[place:])


def choices_to_fill_in(book: Book, handout: str, people: Sequence[str]) -> None:
    """What the dropdowns offer; nothing where the list is only read."""
    if handout:
        write_choices(book, {"people": people, "yes": ("Yes",)})


READ_ONLY = (
    "Where the record was right after all, say so to the person who runs the register, so that the rule can be looked at.",
)
TO_FILL_IN = (
    "Fill in the yellow cells: who sees to it, whether it is fixed in its source, until when it can stand and why, a note. All else is locked, "
    "without a password, and is not read when the file comes back; filters work. Clear a cell to take back what you did yourself.",
    "To sort, or to delete rows, take the protection off first: Review, Unprotect Sheet. Nothing depends on the order.",
    "Save it as .xlsx and put it into the inbox folder. The next night takes it, and a receipt says what came of each cell. Two people may work "
    "at once: only where they fill in the same cell differently is neither taken, and both are told.",
)
