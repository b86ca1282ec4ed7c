"""A4 on paper: a small kit for packs and reports as PDF, the same bytes for the same content and time stamp.

A `Paper` is written from top to bottom: headings, paragraphs, facts, tiles, tables that break over pages under a repeated head, and charts
drawn as lines. What is read aloud is tagged in reading order (headings, paragraphs, table rows, charts with a sentence each); what is
decoration is not. The font is in the package and embedded, so a name such as Żółć prints everywhere. Nothing personal is asked for here:
what is handed in is printed, so whoever hands it in protects it first (`outputs.protect`, `outputs.suppress`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from outputs.looks import HEAD, INK, LINE, PAPER, QUIET, RAG_COLOURS, SEVERITY_COLOURS
from outputs.paper_sheet import Sheet, rgb
from outputs.protect import clean_text
from outputs.wording import uk_time

_SIZES = {1: 15.0, 2: 11.5, 3: 9.5}
_FILLS = {**SEVERITY_COLOURS, **RAG_COLOURS}
#: A table of so few rows stays whole, in millimetres; a heading leaves room for one.
_SHORT, _WHOLE = 5, 44.0


@dataclass(frozen=True)
class PaperColumn:
    """A column of a table: the key in each row, its heading, its share of the width, and how it looks.

    `look` is ``text``, ``number`` (to the right), ``tag`` (the cell is a pair of words and colour: a rating or a severity), ``bar`` (a share
    from 0 to 1) or ``spark`` (numbers over time, None where there is none).
    """

    key: str
    title: str
    width: float = 1.0
    look: str = "text"


@dataclass(frozen=True)
class Tile:
    """One figure to see from afar: the number, what it counts, a quiet note, and ``bad``, ``good`` or nothing as its tone."""

    number: str
    label: str
    note: str = ""
    tone: str = ""


class Paper:
    """A document being written. `marking` is printed on every page, beside the title, the page and how many there are."""

    def __init__(
        self,
        title: str,
        subtitle: str,
        generated_at: datetime,
        marking: str = "Official: sensitive",
        language: str = "en-GB",
    ) -> None:
        self.pdf = Sheet(title, marking, uk_time(generated_at))
        self.pdf.set_title(title)
        self.pdf.set_subject(subtitle)
        self.pdf.set_lang(language)
        self.pdf.set_creator("ehcp-register")
        self.pdf.set_producer("ehcp-register")
        self.pdf.set_creation_date(generated_at)
        self.pdf.add_page()
        self._front(title, subtitle)

    def _front(self, title: str, subtitle: str) -> None:
        pdf = self.pdf
        with pdf.tagged("/H1", title):
            pdf.ink(HEAD, 21, bold=True)
            pdf.multi_cell(0, 9, clean_text(title), align="L", new_x="LMARGIN", new_y="NEXT")
        with pdf.tagged("/P"):
            pdf.ink(QUIET, 11)
            pdf.multi_cell(0, 5.6, clean_text(subtitle), align="L", new_x="LMARGIN", new_y="NEXT")
        pdf.rule(HEAD, 0.8)
        pdf.ln(4)

    def heading(self, text: str, level: int = 1) -> None:
        """A heading of level 1 to 3; it is in the outline, and never stays behind alone at the foot of a page."""
        pdf, size = self.pdf, _SIZES[level]
        self.room(size * 0.42 + 7 + _WHOLE)
        pdf.ln(4.5 if level == 1 else 2.5)
        pdf.start_section(clean_text(text), level - 1, strict=False)
        with pdf.tagged(f"/H{level + 1}", text):
            pdf.ink(HEAD, size, bold=True)
            pdf.multi_cell(0, size * 0.42, clean_text(text), align="L", new_x="LMARGIN", new_y="NEXT")
        if level == 1:
            pdf.rule(HEAD, 0.35)
        pdf.ln(1.8)

    def paragraph(self, text: str, bold: bool = False, quiet: bool = False, size: float = 9.5) -> None:
        """Running text; a long paragraph goes on on the next page."""
        pdf = self.pdf
        pdf.ink(QUIET if quiet else INK, size, bold)
        step = size * 0.5
        lines = pdf.lines_of(text, pdf.epw)
        while lines:
            self.room(step * min(len(lines), 2))
            fitting = max(1, int(pdf.space_left // step))
            with pdf.tagged("/P"):
                for line in lines[:fitting]:
                    pdf.cell(0, step, line, new_x="LMARGIN", new_y="NEXT")
            lines = lines[fitting:]
        pdf.ln(1.8)

    def bullets(self, items: Sequence[str], size: float = 9.5) -> None:
        """A list of short lines."""
        pdf, step = self.pdf, size * 0.5
        for item in items:
            pdf.ink(INK, size)
            lines = pdf.lines_of(item, pdf.epw - 5)
            self.room(step * len(lines))
            with pdf.tagged("/LI"):
                for place, line in enumerate(lines):
                    pdf.cell(5, step, "•" if place == 0 else "")
                    pdf.cell(0, step, line, new_x="LMARGIN", new_y="NEXT")
            pdf.ln(0.7)
        pdf.ln(1.2)

    def notice(self, text: str, tone: str = "amber") -> None:
        """A few lines in a coloured box: what must not be overlooked. `tone` is a rating or a severity."""
        pdf, step = self.pdf, 5.0
        fill, ink = _FILLS[tone]
        pdf.ink(ink, 10, bold=True)
        lines = pdf.lines_of(text, pdf.epw - 8)
        tall = step * len(lines) + 5
        self.room(tall)
        with pdf.tagged("/P"):
            pdf.box(pdf.l_margin, pdf.y, pdf.epw, tall, fill)
            top = pdf.y
            for place, line in enumerate(lines):
                pdf.set_xy(pdf.l_margin + 4, top + 2.5 + place * step)
                pdf.cell(pdf.epw - 8, step, line)
        pdf.set_xy(pdf.l_margin, top + tall + 3)

    def facts(self, pairs: Sequence[tuple[str, str]]) -> None:
        """Labels and what they stand for, a line each."""
        rows = [{"label": label, "value": value} for label, value in pairs]
        self.table(rows, [PaperColumn("label", "", 1), PaperColumn("value", "", 3)], bold_first=True)

    def tiles(self, tiles: Sequence[Tile], across: int = 3) -> None:
        """Figures to see from afar, so many in a row."""
        pdf, gap, tall = self.pdf, 3.5, 24.0
        wide = (pdf.epw - gap * (across - 1)) / across
        for first in range(0, len(tiles), across):
            self.room(tall + gap)
            top = pdf.y
            for place, tile in enumerate(tiles[first : first + across]):
                self._tile(tile, pdf.l_margin + place * (wide + gap), top, wide, tall)
            pdf.set_xy(pdf.l_margin, top + tall + gap)

    def _tile(self, tile: Tile, x: float, top: float, wide: float, tall: float) -> None:
        pdf = self.pdf
        edge = {"bad": RAG_COLOURS["red"][0], "good": "2E7D4F"}.get(tile.tone, HEAD)
        with pdf.tagged("/P"):
            pdf.box(x, top, wide, tall, PAPER)
            pdf.box(x, top, wide, 1.2, edge)
            pdf.ink(edge if tile.tone == "bad" else INK, 19, bold=True)
            pdf.set_xy(x + 3, top + 3)
            pdf.cell(wide - 6, 8, tile.number)
            pdf.ink(INK, 8.8, bold=True)
            pdf.set_xy(x + 3, top + 11.5)
            pdf.cell(wide - 6, 4.2, tile.label)
            pdf.ink(QUIET, 7.4)
            for place, line in enumerate(pdf.lines_of(tile.note, wide - 6)[:2]):
                pdf.set_xy(x + 3, top + 16.2 + place * 3.5)
                pdf.cell(wide - 6, 3.5, line)

    def table(
        self,
        rows: Sequence[Mapping[str, Any]],
        columns: Sequence[PaperColumn],
        caption: str = "",
        size: float = 8.2,
        total: Mapping[str, Any] | None = None,
        bold_first: bool = False,
    ) -> None:
        """Rows under a head that is repeated on every page; a row is never split, nor a short table under a caption. `total` is a last row above
        which a line is drawn.
        """
        pdf = self.pdf
        shares = sum(column.width for column in columns)
        widths = [pdf.epw * column.width / shares for column in columns]
        step = size * 0.46
        if caption:
            self.room(_WHOLE if len(rows) <= _SHORT else 30)
            with pdf.tagged("/P"):
                pdf.ink(INK, size + 1, bold=True)
                pdf.multi_cell(0, step + 1.2, clean_text(caption), align="L", new_x="LMARGIN", new_y="NEXT")
        self.room(22)
        self._head(columns, widths, size)
        for row in [*rows, *([total] if total else [])]:
            is_total = row is total
            cells = [self._cell_lines(row, column, wide, size) for column, wide in zip(columns, widths, strict=True)]
            tall = max(step * max((len(lines) for lines in cells), default=1), step) + 1.9
            # A line that heads the next ones stays with the first of them.
            if pdf.space_left < tall + (8 if row.get("is_bold") else 0):
                pdf.add_page()
                self._head(columns, widths, size)
            top = pdf.y
            with pdf.tagged("/P"):
                x = pdf.l_margin
                for place, (column, wide, lines) in enumerate(zip(columns, widths, cells, strict=True)):
                    bold = is_total or bool(row.get("is_bold")) or (bold_first and place == 0)
                    self._cell(row.get(column.key), column, lines, (x, top, wide, tall), size, bold)
                    x += wide
            pdf.hair(top if is_total else top + tall, INK if is_total else LINE)
            pdf.set_xy(pdf.l_margin, top + tall)
        pdf.ln(3)

    def _head(self, columns: Sequence[PaperColumn], widths: Sequence[float], size: float) -> None:
        pdf, step = self.pdf, size * 0.46
        if not any(column.title for column in columns):
            return
        pdf.ink("FFFFFF", size, bold=True)
        cells = [pdf.lines_of(column.title, wide - 2) for column, wide in zip(columns, widths, strict=True)]
        tall, top, x = step * max(len(lines) for lines in cells) + 2.2, pdf.y, pdf.l_margin
        pdf.box(x, top, pdf.epw, tall, HEAD)
        with pdf.tagged("/P"):
            for column, wide, lines in zip(columns, widths, cells, strict=True):
                for place, line in enumerate(lines):
                    pdf.set_xy(x, top + 1.1 + place * step)
                    pdf.cell(wide, step, line, align="R" if column.look == "number" else "L")
                x += wide
        pdf.set_xy(pdf.l_margin, top + tall)

    def _cell_lines(self, row: Mapping[str, Any], column: PaperColumn, wide: float, size: float) -> list[str]:
        if column.look in ("bar", "spark"):
            return [""]
        value = row.get(column.key)
        self.pdf.ink(INK, size, bool(row.get("is_bold")) or column.look == "tag")
        return self.pdf.lines_of(value[0] if column.look == "tag" and value else _text(value), wide - 2)

    def _cell(
        self,
        value: Any,
        column: PaperColumn,
        lines: Sequence[str],
        place: tuple[float, float, float, float],
        size: float,
        bold: bool,
    ) -> None:
        pdf, (x, top, wide, tall), step = self.pdf, place, size * 0.46
        if column.look == "bar":
            if value is not None:
                pdf.box(x + 1, top + 1.2, max(0.3, (wide - 2) * min(1.0, float(value))), step - 0.6, "6FA3B5")
            return
        if column.look == "spark":
            pdf.spark(value or (), (x + 2, top + 1.1, wide - 4, min(tall, 6.5) - 2.2))
            return
        colour = INK
        if column.look == "tag" and value:
            fill, colour = _FILLS.get(value[1], ("FFFFFF", QUIET))
            pdf.box(x + 0.8, top + 0.6, wide - 1.6, step * len(lines) + 0.7, fill)
        pdf.ink(colour, size, bold or column.look == "tag")
        for number, line in enumerate(lines):
            pdf.set_xy(x, top + 0.95 + number * step)
            pdf.cell(wide, step, line, align={"number": "R", "tag": "C"}.get(column.look, "L"))

    def columns(self, values: Sequence[tuple[str, int | None, str]], says: str, tall: float = 46) -> None:
        """Columns side by side (name, number or None, ``late`` or nothing), the number or a dash above each; `says` is what a reader who cannot see it hears."""
        pdf = self.pdf
        self.room(tall + 4)
        top, most = pdf.y, max((number or 0 for _, number, _ in values), default=0) or 1
        step = pdf.epw / max(len(values), 1)
        with pdf.tagged("/Figure", alt=says):
            for place, (name, number, tone) in enumerate(values):
                x, high = pdf.l_margin + place * step, (tall - 15) * (number or 0) / most
                pdf.box(
                    x + step * 0.18,
                    top + tall - 9 - high,
                    step * 0.64,
                    high,
                    RAG_COLOURS["red"][0] if tone == "late" else "6FA3B5",
                )
                pdf.ink(INK, 7.6, bold=True)
                pdf.set_xy(x, top + tall - 13.4 - high)
                pdf.cell(step, 4, "–" if number is None else f"{number:,}", align="C")
                pdf.ink(QUIET, 7)
                pdf.set_xy(x, top + tall - 8)
                pdf.multi_cell(step, 3.2, clean_text(name), align="C")
            pdf.hair(top + tall - 9, INK)
        pdf.set_xy(pdf.l_margin, top + tall + 2)

    def line(
        self, values: Sequence[tuple[str, float | None]], says: str, target: float | None = None, tall: float = 40
    ) -> None:
        """A figure over time (name of the moment, value) with its target as a dashed line; `says` is what a reader who cannot see it hears."""
        pdf = self.pdf
        self.room(tall + 4)
        known = [value for _, value in values if value is not None] + ([target] if target is not None else [])
        top, low, high = pdf.y, min(known, default=0.0), max(known, default=1.0)
        spread = (high - low) or 1.0
        with pdf.tagged("/Figure", alt=says):
            frame = (pdf.l_margin + 12, top + 3, pdf.epw - 14, tall - 13)
            pdf.ink(QUIET, 7)
            for worth, y in ((high, frame[1]), (low, frame[1] + frame[3])):
                pdf.set_xy(pdf.l_margin, y - 2)
                pdf.cell(11, 4, f"{worth:,.4g}", align="R")
            if target is not None:
                y = frame[1] + frame[3] * (1 - (target - low) / spread)
                pdf.set_draw_color(*rgb(QUIET))
                pdf.set_dash_pattern(1.2, 1.2)
                pdf.line(frame[0], y, frame[0] + frame[2], y)
                pdf.set_dash_pattern()
            pdf.spark([value for _, value in values], frame, (low, high))
            if values:
                for name, align in ((values[0][0], "L"), (values[-1][0], "R")):
                    pdf.set_xy(frame[0], top + tall - 8)
                    pdf.ink(QUIET, 7)
                    pdf.cell(frame[2], 4, clean_text(name), align=align)
        pdf.set_xy(pdf.l_margin, top + tall)

    def page_break(self) -> None:
        """What follows begins on a new page."""
        self.pdf.add_page()

    def room(self, tall: float) -> None:
        """A new page, unless so many millimetres are left on this one."""
        if self.pdf.space_left < tall:
            self.pdf.add_page()

    def save(self, path: Path) -> None:
        """Write the file. Raises OSError where it cannot be written."""
        path.write_bytes(bytes(self.pdf.output()))


def _text(value: object) -> str:
    return "" if value is None or (not isinstance(value, str) and pd.isna(value)) else str(value)
