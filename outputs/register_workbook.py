"""`register.xlsx`: one row for every child with a plan, and every child in assessment."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from outputs.about import About
from outputs.covers import column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.protect import mask_restricted, restricted_children
from outputs.sheets import ROW_LIMIT, Book, Column, write_list
from outputs.wording import AWAITING, GRADE_MEANINGS, GRADES, cohort_titles, counted, titled

TITLE = "Register of children with EHC plans"

COLUMNS = (
    Column("child_id", "Child", 13, "text", "the child's id in this register; the same every night. No names are kept in this file"),
    Column("whereabouts_grade", "Whereabouts", 18, "grade", "; ".join(f"{GRADES[grade]}: {text}" for grade, text in GRADE_MEANINGS.items())),
    Column("plan", "Plan", 13, "text", "Active plan, or In assessment: a request without outcome"),
    Column("age", "Age", 6, "number", "in years, on the night"),
    Column("need_code", "Need", 8, "text", "primary need, as the SEN2 return codes it"),
    Column("setting_name", "Setting", 32, "wrapped", "the current main placement. The word restricted stands for a child whose address is restricted"),
    Column("provision_type", "Provision", 20, "wrapped", "the type of provision commissioned"),
    Column("in_authority", "In authority", 10, "flag", "Y: the setting lies in this authority, as recorded; N: in another"),
    Column("residential", "Residential", 11, "flag", "Y: a 38 to 51 or 52 week residential placement"),
    Column("plan_started_on", "Plan started", 11, "date", "the date of the plan"),
    Column("last_completed_review_on", "Last review", 11, "date", "the latest annual review whose decision was notified: a meeting alone completes nothing"),
    Column("next_review_due_on", "Review due", 11, "due", "the day before twelve months after the plan or the last completed review; red where it has passed"),
    Column("cohorts", "Visit cohorts", 24, "wrapped", "why the child is to be visited"),
    Column("last_statutory_visit_on", "Statutory visit", 11, "date", "the last statutory visit at which the child was seen"),
    Column("last_monitoring_visit_on", "Monitoring visit", 11, "date", "the last monitoring visit at which the child was seen"),
    Column("visit_due_on", "Visit due", 11, "due", "when the next visit is due, by the strictest cohort; red where it has passed"),
    Column("awaiting", "Awaiting", 17, "text", "waiting for provision, with nothing in place or with an interim placement"),
    Column("waiting_days", "Days waiting", 9, "number", "days since the wait began"),
    Column("seen_on", "Seen", 11, "date", "when the child was last seen, and by which system's record"),
    Column("seen_by", "Seen by", 13, "text", "the system that says so", is_printed=False),
    Column("corroborated_on", "Confirmed", 11, "date", "the last night on which a second system's open roll or care placement stood"),
    Column("corroborated_by", "Confirmed by", 15, "text", "the system that says so", is_printed=False),
    Column("recorded_on", "Recorded", 11, "date", "the last night on which the casework record stood", is_printed=False),
    Column("vanished", "Vanished from", 13, "text", "the systems that no longer carry the child, without a reason", is_printed=False),
    Column("is_restricted", "Restricted", 10, "flag", "Y: the address is restricted, so nothing here says where the child is", is_printed=False),
    Column("setting_urn", "URN", 10, "text", "the setting's number in the national register of establishments", is_printed=False),
    Column("setting_code", "Setting code", 9, "text", "the SEN2 code, where the placement is not at an establishment", is_printed=False),
    Column("synergy_id", "Synergy", 11, "text", "the child's number in Synergy", is_printed=False),
    Column("liquidlogic_id", "Liquidlogic", 11, "text", "the child's number in Liquidlogic", is_printed=False),
    Column("capita_id", "Capita", 11, "text", "the child's number in Capita", is_printed=False),
)
_ORDER = {"missing": 0, "not_known": 1, "recorded": 2}


def write_register(path: Path, register: pd.DataFrame, about: About, row_limit: int = ROW_LIMIT) -> None:
    """Write the register workbook: a cover and one row per child, whereabouts not confirmed first.

    `register` has the public register's columns; the whereabouts of restricted children are masked here. Raises OSError where the
    file cannot be written.
    """
    masked = mask_restricted(register, register)
    restricted = restricted_children(register)
    as_of = pd.Timestamp(about.as_of)
    shown = masked.assign(
        plan=masked["active_plan"].map({"Y": "Active plan"}).fillna("In assessment"),
        is_restricted=restricted.map({True: "Y", False: None}),
        cohorts=masked["cohorts"].map(cohort_titles),
        awaiting=masked["awaiting"].map(lambda code: titled(code, AWAITING) or None),
        next_review_due_on_is_late=(pd.to_datetime(masked["next_review_due_on"]) < as_of) & (masked["active_plan"] == "Y"),
        visit_due_on_is_late=pd.to_datetime(masked["visit_due_on"]) < as_of,
        _order=masked["whereabouts_grade"].map(_ORDER).fillna(9),
    ).sort_values(["_order", "child_id"], kind="stable")
    book = Book()
    footer = footer_of(about, TITLE)
    active = int((register["active_plan"] == "Y").sum())
    cover = open_cover(
        book,
        TITLE,
        f"{counted(active, 'child', 'children')} with an active plan and {len(register) - active:,} in assessment: where each is educated, "
        "when the plan was reviewed and is next due, the last visits, and how sure we are of where each child is. "
        "Children whose whereabouts are not confirmed come first.",
        about,
    )
    cover.heading("How sure we are of where children are")
    cover.line(("Whereabouts", "head"), ("With a plan", "head"), ("In assessment", "head"), height=20)
    grades = register["whereabouts_grade"].fillna("")
    has_plan = register["active_plan"] == "Y"
    for grade in [*GRADES, *sorted(set(grades) - set(GRADES))]:
        own = grades == grade
        if own.any() or grade in GRADES:
            label = titled(grade, GRADES) or "Not graded"
            cover.line((label, "label"), (int((own & has_plan).sum()), "count"), (int((own & ~has_plan).sum()), "count"))
    cover.line(("All", "total label"), (active, "total"), (len(register) - active, "total"))
    if restricted.any():
        cover.gap()
        cover.prose(
            f"{counted(int(restricted.sum()), 'child has', 'children have')} a restricted address. Nothing in this file says where they are; "
            "the word restricted stands instead. Their records are in the systems named at the right of the list."
        )
    column_guide(cover, COLUMNS)
    run_facts(cover, about)
    write_list(book, "Register", shown, COLUMNS, footer, freeze=2, row_limit=row_limit)
    write_run_sheet(book, about, COLUMNS, "register", len(register))
    book.save(path)


