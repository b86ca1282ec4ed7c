"""A sheet of A4: fpdf2 with our font, header and footer, the tags that it leaves to its caller, and the lines and boxes a pack is made of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pandas as pd
from fpdf import FPDF
from fpdf.enums import MethodReturnValue

from outputs.looks import LINE, QUIET
from outputs.protect import clean_text

FONT = "DejaVu Sans Condensed"
_FONTS = Path(__file__).resolve().parent / "fonts"
_MARGIN, _TOP, _FOOT = 16.0, 20.0, 18.0


class Sheet(FPDF):
    """fpdf2 with our font, header and footer, and the tags that it leaves to its caller."""

    def __init__(self, title: str, marking: str, written: str) -> None:
        super().__init__("P", "mm", "A4")
        self._title, self._marking, self._written = clean_text(title), clean_text(marking), written
        self.add_font(FONT, "", _FONTS / "DejaVuSansCondensed.ttf")
        self.add_font(FONT, "B", _FONTS / "DejaVuSansCondensed-Bold.ttf")
        self.set_margins(_MARGIN, _TOP, _MARGIN)
        self.set_auto_page_break(False)
        self.alias_nb_pages("{pages}")

    @property
    def space_left(self) -> float:
        """Millimetres above the footer."""
        return float(self.h - _FOOT - self.y)

    def header(self) -> None:
        """The title and the marking, not read aloud."""
        with self.artifact():
            self.ink(QUIET, 7.5)
            self.set_xy(_MARGIN, 9)
            self.cell(0, 4, self._title if self.page > 1 else "")
            self.set_xy(_MARGIN, 9)
            self.cell(0, 4, self._marking, align="R")
        self.set_xy(_MARGIN, _TOP if self.page > 1 else 17)

    def footer(self) -> None:
        """When it was written, and which page of how many."""
        with self.artifact():
            self.ink(QUIET, 7.5)
            self.hair(self.h - 13.5, LINE)
            self.set_xy(_MARGIN, self.h - 12)
            self.cell(0, 4, f"Written {self._written}")
            # How many pages there are is filled in at the end, so the width is that of two digits.
            self.set_xy(self.w - _MARGIN - self.get_string_width("Page 00 of 00") - 1, self.h - 12)
            self.cell(0, 4, f"Page {self.page} of {{pages}}")

    @contextmanager
    def tagged(self, kind: str, title: str | None = None, alt: str | None = None) -> Iterator[None]:
        """Mark what is drawn as a piece of the document's structure, in reading order."""
        place = self.struct_builder.next_mcid_for_page(self.page)
        # fpdf2 tags only pictures by itself; this is the step it takes for them, with another kind.
        self._add_marked_content(struct_type=kind, mcid=place, title=title, alt_text=alt)
        self._out(f"{kind} <</MCID {place}>> BDC")
        yield
        self._out("EMC")

    @contextmanager
    def artifact(self) -> Iterator[None]:
        """Mark what is drawn as decoration."""
        self._out("/Artifact BMC")
        yield
        self._out("EMC")

    def ink(self, colour: str, size: float, bold: bool = False) -> None:
        """The font and colour of what is written next."""
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(*rgb(colour))

    def lines_of(self, text: str, wide: float) -> list[str]:
        """The text in the lines that fit a width, in the font that is set."""
        found = self.multi_cell(
            wide, 4, clean_text(text), dry_run=True, output=MethodReturnValue.LINES, align="L", padding=0
        )
        return list(found) or [""]  # type: ignore[arg-type]

    def box(self, x: float, y: float, wide: float, tall: float, fill: str) -> None:
        """A filled rectangle."""
        self.set_fill_color(*rgb(fill))
        self.rect(x, y, wide, tall, style="F")

    def hair(self, y: float, colour: str) -> None:
        """A thin line across the page."""
        self.set_draw_color(*rgb(colour))
        self.set_line_width(0.15)
        self.line(self.l_margin, y, self.w - self.r_margin, y)

    def rule(self, colour: str, thick: float) -> None:
        """A line across the page below what was written last."""
        self.ln(0.8)
        self.set_draw_color(*rgb(colour))
        self.set_line_width(thick)
        self.line(self.l_margin, self.y, self.w - self.r_margin, self.y)
        self.ln(0.8)

    def spark(
        self,
        values: Sequence[float | None],
        place: tuple[float, float, float, float],
        bounds: tuple[float, float] | None = None,
    ) -> None:
        """A line of numbers over time in a rectangle (x, y, wide, tall), with a dot on the last; it breaks where a number is missing."""
        known = [
            (number, float(value)) for number, value in enumerate(values) if value is not None and not pd.isna(value)
        ]
        if not known:
            return
        x, y, wide, tall = place
        low, high = bounds or (min(value for _, value in known), max(value for _, value in known))
        steps, spread = max(len(values) - 1, 1), (high - low) or 0.0
        points = {
            number: (
                x + wide * number / steps if len(values) > 1 else x + wide / 2,
                y + tall * (1 - (value - low) / spread) if spread else y + tall / 2,
            )
            for number, value in known
        }
        self.set_draw_color(*rgb("0B5D75"))
        self.set_fill_color(*rgb("0B5D75"))
        self.set_line_width(0.35)
        for before, after in pairwise(points):
            if after - before == 1:
                self.line(*points[before], *points[after])
        self.circle(*points[known[-1][0]], 0.7, style="F")


def rgb(colour: str) -> tuple[int, int, int]:
    """``12404F`` as three numbers from 0 to 255."""
    return int(colour[:2], 16), int(colour[2:4], 16), int(colour[4:], 16)
