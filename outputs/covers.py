"""The first sheet of every workbook: what this is, of which night, what is missing, and how to work with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from openpyxl.utils import get_column_letter
from openpyxl.worksheet.hyperlink import Hyperlink

from outputs.about import About, feed_title, system_title
from outputs.looks import HEAD
from outputs.sheets import Book, Column, Sheet, page_set_up
from outputs.wording import uk_date, uk_time

#: Widths of a cover's columns: a margin, labels, and what they say.
WIDTHS = (2, 28, 46, 13, 13, 13, 13)


class Cover:
    """A sheet of prose and small tables, filled from top to bottom."""

    def __init__(
        self, book: Book, title: str, footer: str, widths: Sequence[float] = WIDTHS, tab_colour: str = HEAD
    ) -> None:
        self.sheet: Sheet = book.add(title)
        self.row = 0
        self._widths = widths
        for place, width in enumerate(widths, 1):
            self.sheet.column_dimensions[get_column_letter(place)].width = width
        self.sheet.sheet_view.showGridLines = False
        self.sheet.sheet_properties.tabColor = tab_colour
        page_set_up(self.sheet, footer, landscape=False)

    def line(self, *cells: tuple[Any, str], height: float | None = None) -> None:
        """One row: (value, look) pairs from the second column on; as tall as its facts need where no height is given."""
        self.row += 1
        if height is None:
            columns = zip(cells, self._widths[1:], strict=False)
            facts = [_height(text, width) for (text, look), width in columns if look == "fact" and text]
            height = max(facts, default=None)
        if height:
            self.sheet.heights[self.row] = height
        self.sheet.append([(None, ""), *cells])

    def gap(self, height: float = 9) -> None:
        """A little air."""
        self.line((None, "blank"), height=height)

    def heading(self, text: str) -> None:
        """A section's heading, across the page."""
        self.gap(14)
        self.line(*[(text, "section")] + [(None, "section")] * (len(self._widths) - 2), height=22)

    def prose(self, text: str, look: str = "prose") -> None:
        """A paragraph across the page, as tall as it needs."""
        across = len(self._widths) - 1
        self.line(*[(text, look)] + [(None, look)] * (across - 1), height=_height(text, sum(self._widths[1:])))
        self.merge(2, len(self._widths))

    def fact(self, label: str, text: str, look: str = "fact") -> None:
        """A label and what it says, as tall as it needs."""
        across = len(self._widths) - 2
        self.line(
            (label, "label"),
            *[(text, look)] + [(None, look)] * (across - 1),
            height=_height(text, sum(self._widths[2:])),
        )
        self.merge(3, len(self._widths))

    def link(self, column: int, sheet_name: str) -> None:
        """Make a cell of the row just written lead to another sheet."""
        place = f"{get_column_letter(column)}{self.row}"
        quoted = sheet_name.replace("'", "''")
        # Added straight to the list that openpyxl writes after the rows: a streamed row keeps no cells to hang it on.
        self.sheet._hyperlinks.append(Hyperlink(ref=place, location=f"'{quoted}'!A1"))

    def merge(self, first: int, last: int) -> None:
        """Join cells of the row just written."""
        self.sheet.merged_cells.add(f"{get_column_letter(first)}{self.row}:{get_column_letter(last)}{self.row}")


def _height(text: str, width: float) -> float:
    lines = sum(max(1, math.ceil(len(part) / (width * 1.12))) for part in text.split("\n"))
    return 13.5 * lines + 4


def open_cover(book: Book, title: str, subtitle: str, about: About) -> Cover:
    """A cover with the title, the night and what was not received: what a reader must know before any figure."""
    cover = Cover(book, "Read me first", footer_of(about, title))
    cover.gap(6)
    cover.line((title, "title"), height=34)
    cover.line((f"{about.council}  ·  {about.day}", "subtitle"), height=20)
    cover.gap()
    cover.prose(subtitle)
    missing_sources(cover, about)
    return cover


def missing_sources(cover: Cover, about: About) -> None:
    """What was not received this night, or that everything was."""
    cover.heading("What this rests on")
    if about.night_before:
        cover.prose(about.night_before)
    if not about.sources_not_received:
        cover.prose("Every source that was expected for this night was received and accepted.")
        return
    cover.prose(
        "Not everything arrived. What is drawn from the sources below is as it was on an earlier night, and is marked so.",
        "warning",
    )
    for missing in about.missing_together:
        stands_in = (
            f"the copy of {uk_date(missing.old_copy_of)} is used"
            if missing.old_copy_of
            else "there is no earlier copy: nothing could be checked"
        )
        cover.fact(system_title(missing.system), f"{feed_title(missing.feed)}: {missing.reason}; {stands_in}")


def run_facts(cover: Cover, about: About, extra: Sequence[tuple[str, str]] = ()) -> None:
    """Which run this is, for whoever asks later."""
    cover.heading("Where this comes from")
    facts = [
        ("Council", about.council),
        ("Judged as at", uk_date(about.as_of)),
        ("Run", about.run_id),
        ("Written", uk_time(about.generated_at)),
        *extra,
        *((name.capitalize(), value) for name, value in about.versions.items()),
    ]
    for label, text in facts:
        cover.fact(label, text)


def column_guide(cover: Cover, columns: Sequence[Column]) -> None:
    """What each column means."""
    cover.heading("What each column means")
    for column in columns:
        if not column.is_hidden:
            cover.fact(column.title, column.about)


def footer_of(about: About, title: str) -> str:
    """What every printed page says at its foot."""
    return f"{about.council} · {title} · {about.day} · run {about.run_id} · official: sensitive"


def write_run_sheet(
    book: Book, about: About, columns: Sequence[Column], kind: str, rows: int, handout: str = ""
) -> None:
    """A hidden sheet with the run's facts and the key of every heading, so that a file handed back can be understood."""
    sheet = book.add("_run")
    sheet.sheet_state = "hidden"
    facts = {
        "kind": kind,
        "format": "1",
        "council": about.council,
        "as_of": about.as_of.isoformat(),
        "run_id": about.run_id,
        "generated_at": about.generated_at.isoformat(timespec="seconds"),
        "rows": str(rows),
        "handout": handout,
    } | {f"column:{column.key}": column.title for column in columns}
    for name, value in facts.items():
        sheet.append([(name, "text"), (value, "text")])
