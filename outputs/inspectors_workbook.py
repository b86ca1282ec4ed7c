"""The inspectors' list as a workbook: every child with a plan, those educated out of the area on a sheet of their own as well. No names."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.covers import column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.protect import restricted_children
from outputs.sheets import Book, Column, write_list
from outputs.wording import GRADES, counted, titled

TITLE = "Children and young people with EHC plans"
COLUMNS = (
    Column("draw", "Draw", 6, "number", "the place in the sample; empty in the full list"),
    Column("stratum", "Stratum", 14, "text", "the part of the list that the child was drawn from; empty in the full list"),
    Column("child_id", "Child", 12, "text", "the child's id in this register; look names and numbers up in the systems"),
    Column("synergy_id", "Synergy", 11, "text", "the child's number in Synergy"),
    Column("capita_id", "Capita", 12, "text", "the child's number in Capita"),
    Column("liquidlogic_id", "Liquidlogic", 11, "text", "the child's number in Liquidlogic"),
    Column("age", "Age", 5, "number", "in completed years on the day"),
    Column("sex_code", "Sex", 5, "text", "as recorded"),
    Column("ethnicity_code", "Ethnicity", 9, "text", "CBDS code"),
    Column("need_code", "Need", 8, "text", "primary need, as the SEN2 return codes it"),
    Column("plan_started_on", "Plan issued", 11, "date", "the date of the plan"),
    Column("last_completed_review_on", "Last review", 11, "date", "the latest whose decision was notified"),
    Column("next_review_due_on", "Review due", 11, "due", "the day before twelve months are up; red where it has passed"),
    Column("setting_name", "Setting", 30, "wrapped", "of the current main placement; restricted: the child's address is restricted"),
    Column("setting_urn", "URN", 10, "text", "the setting in the national register of establishments"),
    Column("setting_type", "Type of setting", 22, "wrapped", "as the national register of establishments has it"),
    Column("education", "Where educated", 18, "wrapped", "mainstream, special, home educated and so on"),
    Column("placement_started_on", "There since", 11, "date", "when the current placement began"),
    Column("out_of_area", "Out of area", 8, "text", "Y: the setting lies in another authority's area"),
    Column("authority", "Authority", 18, "wrapped", "the authority that the setting lies in"),
    Column("residential", "Residential", 13, "text", "day, 38 to 51 weeks, or 52 weeks"),
    Column("looked_after", "Looked after", 15, "text", "an open care placement that is no short break"),
    Column("last_statutory_visit_on", "Statutory visit", 11, "date", "the last at which the child was seen"),
    Column("last_monitoring_visit_on", "Monitoring visit", 11, "date", "the last at which the child was seen"),
    Column("awaiting", "Awaiting", 14, "text", "waiting for provision: nothing_in_place, or interim"),
    Column("whereabouts_grade", "Whereabouts", 27, "grade", "how sure it is where the child is"),
)  # fmt: skip


def write_inspectors(path: Path, frame: pd.DataFrame, about: About, how: str) -> None:
    """Write the list, or a sample of it: a cover, all children, and those educated out of the area. `frame` is protected by whoever hands it in.

    Raises OSError where the file cannot be written.
    """
    late = pd.to_datetime(frame["next_review_due_on"]) < pd.Timestamp(about.as_of)
    shown = frame.assign(next_review_due_on_is_late=late)
    for name in ("draw", "stratum"):
        shown[name] = frame.get(name, None)
    columns = [column for column in COLUMNS if column.key in frame or column.key in ("setting_urn",)]
    away = shown[shown["out_of_area"] == "Y"]
    blank = [column.title for column in columns if not shown[column.key].notna().any()]
    book = Book()
    cover = open_cover(
        book, TITLE, f"{counted(len(shown), 'child', 'children')}, {len(away):,} of them educated out of the area. {how}", about
    )  # fmt: skip
    restricted = int(restricted_children(frame).sum())
    if restricted:
        cover.gap()
        cover.prose(
            f"{counted(restricted, 'child has', 'children have')} a restricted address. They are in the list; nothing here says where they "
            "are, and they are not on the sheet of those out of the area."
        )
    if blank:
        cover.gap()
        cover.prose(f"No record holds: {', '.join(blank)}. Blank there means not recorded.")
    grades = shown["whereabouts_grade"].map(lambda grade: titled(grade, GRADES)).value_counts()
    cover.heading("Whereabouts")
    for grade, count in grades.items():
        cover.line((str(grade), "label"), (int(count), "count"))
    column_guide(cover, columns)
    run_facts(cover, about)
    footer = footer_of(about, TITLE)
    write_list(book, "All children", shown, columns, footer, freeze=1, is_a3=True)
    write_list(book, "Out of area", away, columns, footer, freeze=1, is_a3=True)
    write_run_sheet(book, about, columns, "inspectors", len(shown))
    book.save(path)
