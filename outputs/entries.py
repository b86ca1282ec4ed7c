"""Cells that people fill in, in a workbook that comes back: coloured, unlocked, with a dropdown and a word of help; all else is protected.

For every list that people work through. A list is one to fill in when some of its `Column`s are of kind ``entry``, ``entry date`` or
``entry choice``; it needs a hidden column with the key of the row, and `mark` beside it. Write the choices first (`write_choices`), then the
list (`outputs.sheets.write_list`), the name (`your_name`) and, last, `stamp`. `connectors.returned` reads it back.

The protection has no password: it keeps from accidents, and taking it off (to sort, say) loses nothing; a spreadsheet then asks before it
takes what is typed into any other cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from openpyxl.packaging.custom import StringProperty
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation

if TYPE_CHECKING:
    from outputs.covers import Cover
    from outputs.sheets import Book, Column, Sheet

CHOICES_SHEET = "_lists"
#: What Excel takes as the text of a message beside a cell.
_MOST_HELP, _MOST_TITLE = 250, 32
_ELSEWHERE = "Only the yellow cells are read when this comes back. Put the record right in its system instead. Write here all the same?"
_DAY_BEFORE_ALL = 36526  # 1 January 2000


def mark(handout: str) -> Column:
    """A hidden column whose heading names the hand-out: it goes along with a sheet that is copied into another workbook."""
    from outputs.sheets import Column

    return Column("_handed_out", f"Handed out {handout}", 4, "text", is_hidden=True)


def write_choices(book: Book, choices: Mapping[str, Sequence[str]]) -> None:
    """Put the values of each list on a hidden sheet, for the dropdowns of the columns that name it. Needs a sheet before it."""
    sheet = book.add(CHOICES_SHEET)
    sheet.sheet_state = "hidden"
    names = list(choices)
    for place in range(max((len(values) for values in choices.values()), default=0)):
        sheet.append([(choices[name][place], "text") if place < len(choices[name]) else (None, "") for name in names])
    for place, name in enumerate(names, 1):
        if choices[name]:
            letter = get_column_letter(place)
            book.choices[name] = f"'{sheet.title}'!${letter}$1:${letter}${len(choices[name])}"


def open_entries(sheet: Sheet, columns: Sequence[Column], rows: int, choices: Mapping[str, str]) -> None:
    """Protect a list but for the cells to fill in, and put dropdowns and help on those. A list without any stays open."""
    if not any(column.is_entry for column in columns):
        return
    protect(sheet)
    if not rows:
        return
    # Excel cannot sort while the sheet is protected. Once it is not, typing beside the cells to fill in still asks first.
    elsewhere = DataValidation(
        "custom", "FALSE", showErrorMessage=True, errorStyle="warning", errorTitle="Not read back", error=_ELSEWHERE
    )
    sheet.data_validations.append(elsewhere)
    for place, column in enumerate(columns, 1):
        letter = get_column_letter(place)
        if not column.is_entry:
            elsewhere.add(f"{letter}2:{letter}{rows + 1}")
            continue
        rule = DataValidation(
            promptTitle=column.title[:_MOST_TITLE], prompt=column.about[:_MOST_HELP], showInputMessage=True
        )
        if column.kind == "entry choice" and column.choices in choices:
            # Another value than the list's may be right (a new colleague): the way back judges, the sheet only offers.
            rule.type, rule.formula1, rule.allow_blank = "list", choices[column.choices], True
        elif column.kind == "entry date":
            rule.type, rule.operator, rule.formula1, rule.allow_blank = "date", "greaterThan", _DAY_BEFORE_ALL, True
            rule.showErrorMessage, rule.errorTitle, rule.error = True, "Not a date", "Write a date, as 31/12/2026."
        rule.add(f"{letter}2:{letter}{rows + 1}")
        sheet.data_validations.append(rule)


def protect(sheet: Sheet) -> None:
    """No password; filters, column widths and heights stay free."""
    protection = sheet.protection
    protection.sheet = True
    for free in ("sort", "autoFilter", "formatColumns", "formatRows", "formatCells"):
        setattr(protection, free, False)


def your_name(cover: Cover, who: str = "") -> None:
    """The cell for the name of whoever fills the workbook in, on its cover."""
    cover.heading("Who fills this in")
    told = "write it here once: it goes with everything you do"
    cover.line(("Your name", "label"), (who or None, "entry"), (told, "fact"), height=18)
    cover.merge(4, 7)
    protect(cover.sheet)


def stamp(book: Book, handout: str) -> None:
    """Name the hand-out in the document's properties, where it outlives a removed sheet."""
    book.custom_doc_props.append(StringProperty(name="ehcp hand-out", value=handout))
