"""How workbooks look: colours that can be read, and each look made once."""

from __future__ import annotations

from typing import Any

from openpyxl.cell.cell import Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Protection, Side
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

DATE_FORMAT = "dd/mm/yyyy"
INK, QUIET, LINE, HEAD, PAPER, ACCENT = "1C2B33", "5A6872", "D5DCE0", "12404F", "F4F7F8", "0B5D75"
#: Cells that people fill in: their fill, the line around them, and the fill of their heading.
ENTRY, ENTRY_LINE, ENTRY_HEAD = "FFFDE5", "D9C26A", "6B5300"
#: Fill and text of each severity: dark enough on light, or light enough on dark, to be read (WCAG AA).
SEVERITY_COLOURS = {
    "critical": ("9B1C1C", "FFFFFF"),
    "high": ("F9D3B4", "5C2A00"),
    "medium": ("FFF1C2", "4D3B00"),
    "info": ("DCE9F2", "17405C"),
}
RAG_COLOURS = {"red": ("9B1C1C", "FFFFFF"), "amber": ("FFD58A", "4D3300"), "green": ("CDE9D6", "0E4A26")}
#: How each grade of whereabouts looks: what is not confirmed stands out.
GRADE_LOOKS = {
    "missing": "severity critical",
    "not_known": "severity critical",
    "recorded": "severity high",
    "corroborated": "text",
    "seen": "text",
}
FONT = "Arial"


class Styles:
    """The named looks of a workbook, each made once, with a quoted twin for text that must never run."""

    def __init__(self, sheet: WriteOnlyWorksheet) -> None:
        self.ids: dict[str, tuple[int, int]] = {}
        for name, look in _looks().items():
            plain, quoted = Cell(sheet, row=1, column=1), Cell(sheet, row=1, column=1)
            for part, value in look.items():
                setattr(plain, part, value)
                setattr(quoted, part, value)
            quoted.quotePrefix = True
            self.ids[name] = (plain.style_id, quoted.style_id)


def _fill(colour: str) -> PatternFill:
    return PatternFill("solid", start_color=colour)


def _looks() -> dict[str, dict[str, Any]]:
    hair = Border(bottom=Side("hair", color="A9B6BD"))
    top = Alignment(vertical="center")
    body = {"font": Font(name=FONT, size=10, color=INK), "border": hair, "alignment": top}
    wrapped = body | {"alignment": Alignment(vertical="center", wrap_text=True)}
    right = Alignment(vertical="center", horizontal="right", indent=1)
    centre = Alignment(vertical="center", horizontal="center")
    looks: dict[str, dict[str, Any]] = {
        "text": body | {"number_format": "@"},
        "wrapped": wrapped | {"number_format": "@"},
        "date": body | {"number_format": DATE_FORMAT, "alignment": centre},
        "late": body
        | {
            "number_format": DATE_FORMAT,
            "alignment": centre,
            "font": Font(name=FONT, size=10, bold=True, color="9B1C1C"),
        },
        "number": body | {"number_format": "#,##0", "alignment": right},
        "percent": body | {"number_format": '0.0"%"', "alignment": right},
        "points": body | {"number_format": "+0.0;-0.0;0.0", "alignment": right},
        "target": body | {"number_format": "General", "alignment": right},
        "flag": body | {"alignment": centre},
        "new": body | {"font": Font(name=FONT, size=10, bold=True, color=ACCENT), "alignment": centre},
        "restricted": body | {"font": Font(name=FONT, size=10, italic=True, color=QUIET)},
        "head": {
            "font": Font(name=FONT, size=10, bold=True, color="FFFFFF"),
            "fill": _fill(HEAD),
            "alignment": Alignment(vertical="center", wrap_text=True),
            "border": Border(left=Side("thin", color="3B6675"), bottom=Side("medium", color=HEAD)),
        },
        "head list": {
            "font": Font(name=FONT, size=10, bold=True, color="FFFFFF"),
            "fill": _fill(HEAD),
            # At the top: the button of the filter sits at the bottom.
            "alignment": Alignment(vertical="top", wrap_text=True),
            "border": Border(left=Side("thin", color="3B6675"), bottom=Side("medium", color=HEAD)),
        },
        "head right": {
            "font": Font(name=FONT, size=10, bold=True, color="FFFFFF"),
            "fill": _fill(HEAD),
            "alignment": Alignment(vertical="center", horizontal="right", indent=1, wrap_text=True),
            "border": Border(left=Side("thin", color="3B6675"), bottom=Side("medium", color=HEAD)),
        },
        "blank": {},
        "title": {"font": Font(name=FONT, size=20, bold=True, color=HEAD), "alignment": Alignment(vertical="center")},
        "subtitle": {"font": Font(name=FONT, size=12, color=QUIET), "alignment": Alignment(vertical="center")},
        "section": {
            "font": Font(name=FONT, size=13, bold=True, color=HEAD),
            "border": Border(bottom=Side("medium", color=HEAD)),
            "alignment": Alignment(vertical="bottom"),
        },
        "prose": {
            "font": Font(name=FONT, size=10, color=INK),
            "alignment": Alignment(vertical="center", wrap_text=True),
        },
        "label": {"font": Font(name=FONT, size=10, bold=True, color=INK), "border": hair, "alignment": top},
        "fact": {
            "font": Font(name=FONT, size=10, color=INK),
            "border": hair,
            "alignment": Alignment(vertical="center", wrap_text=True),
        },
        "count": {
            "font": Font(name=FONT, size=10, color=INK),
            "border": hair,
            "number_format": "#,##0",
            "alignment": right,
        },
        "link": {"font": Font(name=FONT, size=10, color=ACCENT, underline="single"), "border": hair, "alignment": top},
        "total": {
            "font": Font(name=FONT, size=10, bold=True, color=INK),
            "border": Border(top=Side("thin", color=INK)),
            "number_format": "#,##0",
            "alignment": right,
        },
        "total note": {"font": Font(name=FONT, size=10, color=QUIET), "border": Border(top=Side("thin", color=INK))},
        "total label": {
            "font": Font(name=FONT, size=10, bold=True, color=INK),
            "border": Border(top=Side("thin", color=INK)),
        },
        "warning": {
            "font": Font(name=FONT, size=10, bold=True, color="5C2A00"),
            "fill": _fill("FCE5D2"),
            "alignment": Alignment(vertical="center", wrap_text=True),
        },
    }
    # What people fill in: the only cells that are not locked.
    entry = {
        "font": Font(name=FONT, size=10, color=INK),
        "fill": _fill(ENTRY),
        "border": Border(*[Side("thin", color=ENTRY_LINE)] * 4),
        "protection": Protection(locked=False),
    }
    looks["entry"] = entry | {"number_format": "@", "alignment": Alignment(vertical="center", wrap_text=True)}
    looks["entry choice"] = entry | {"number_format": "@", "alignment": top}
    looks["entry date"] = entry | {"number_format": DATE_FORMAT, "alignment": centre}
    looks["head entry"] = looks["head list"] | {"fill": _fill(ENTRY_HEAD)}
    for prefix, colours in (("severity", SEVERITY_COLOURS), ("rag", RAG_COLOURS)):
        for name, (fill, ink) in colours.items():
            looks[f"{prefix} {name}"] = {
                "font": Font(name=FONT, size=10, bold=True, color=ink),
                "fill": _fill(fill),
                "border": Border(bottom=Side("thin", color="FFFFFF")),
                "alignment": centre,
                "number_format": "#,##0",
            }
    return looks
