"""`register.xlsx`: one row for every child with a plan, and every child in assessment."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from outputs.about import About, system_title
from outputs.covers import Cover, column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.looks import GRADE_LOOKS
from outputs.protect import mask_restricted, restricted_children
from outputs.sheets import ROW_LIMIT, Book, Column, write_list
from outputs.wording import AWAITING, GRADE_MEANINGS, GRADES, cohort_titles, counted, titled

TITLE = "Register of children with EHC plans"

_GRADES_ABOUT = "; ".join(f"{GRADES[grade]}: {text}" for grade, text in GRADE_MEANINGS.items())
COLUMNS = (
    Column(
        "child_id",
        "Child",
        12,
        "text",
        "the child's id in this register, the same every night; no names are in this file",
    ),
    Column("whereabouts_grade", "Whereabouts", 27, "grade", _GRADES_ABOUT),
    Column("plan", "Plan", 13, "text", "active plan, or in assessment: a request without outcome"),
    Column("age", "Age", 5, "number", "in years, on the night"),
    Column("need_code", "Need", 8, "text", "primary need, as the SEN2 return codes it"),
    Column(
        "setting_name",
        "Setting",
        30,
        "wrapped",
        "of the current main placement; restricted: the child's address is restricted",
    ),
    Column("provision_type", "Provision", 19, "wrapped", "the type of provision commissioned"),
    Column(
        "in_authority", "In authority", 10, "flag", "Y: the setting is recorded as in this authority; N: in another"
    ),
    Column("residential", "Residential", 11, "flag", "Y: a residential placement of 38 to 51 or 52 weeks"),
    Column("plan_started_on", "Plan started", 11, "date", "the date of the plan"),
    Column(
        "last_completed_review_on",
        "Last review",
        11,
        "date",
        "the latest whose decision was notified: a meeting completes nothing",
    ),
    Column(
        "next_review_due_on", "Review due", 11, "due", "the day before twelve months are up; red where it has passed"
    ),
    Column("cohorts", "Visit cohorts", 22, "wrapped", "why the child is to be visited"),
    Column("last_statutory_visit_on", "Statutory visit", 11, "date", "the last at which the child was seen"),
    Column("last_monitoring_visit_on", "Monitoring visit", 11, "date", "the last at which the child was seen"),
    Column("visit_due_on", "Visit due", 11, "due", "by the strictest cohort; red where it has passed"),
    Column(
        "awaiting", "Awaiting", 17, "text", "waiting for provision: with nothing in place, or with an interim placement"
    ),
    Column("waiting_days", "Days waiting", 8, "number", "days since the wait began"),
    Column("seen_on", "Seen", 11, "date", "when the child was last seen"),
    Column("corroborated_on", "Confirmed", 11, "date", "the last night on which a school roll or care placement stood"),
    Column("seen_by", "Seen by", 19, "text", "the systems that say so", is_printed=False),
    Column("corroborated_by", "Confirmed by", 19, "text", "the systems that say so", is_printed=False),
    Column(
        "recorded_on", "Recorded", 11, "date", "the last night on which the casework record stood", is_printed=False
    ),
    Column(
        "vanished", "Vanished from", 14, "text", "systems that no longer carry the child, unexplained", is_printed=False
    ),
    Column("is_restricted", "Restricted", 10, "flag", "Y: nothing here says where the child is", is_printed=False),
    Column(
        "setting_urn", "URN", 10, "text", "the setting in the national register of establishments", is_printed=False
    ),
    Column("setting_code", "Setting code", 10, "text", "the SEN2 code, where it is no establishment", is_printed=False),
    Column("synergy_id", "Synergy", 11, "text", "the child's number in Synergy", is_printed=False),
    Column("liquidlogic_id", "Liquidlogic", 11, "text", "the child's number in Liquidlogic", is_printed=False),
    Column("capita_id", "Capita", 12, "text", "the child's number in Capita", is_printed=False),
)
_ORDER = {"missing": 0, "not_known": 1, "recorded": 2}


def write_register(path: Path, register: pd.DataFrame, about: About, row_limit: int = ROW_LIMIT) -> None:
    """Write the register workbook: a cover and one row per child, whereabouts not confirmed first.

    `register` has the public register's columns; the whereabouts of restricted children are masked here. Raises
    OSError where the file cannot be written.
    """
    masked = mask_restricted(register, register)
    restricted = restricted_children(register)
    as_of = pd.Timestamp(about.as_of)
    shown = masked.assign(
        plan=masked["active_plan"].map({"Y": "Active plan"}).fillna("In assessment"),
        is_restricted=restricted.map({True: "Y", False: None}),
        cohorts=masked["cohorts"].map(cohort_titles),
        awaiting=masked["awaiting"].map(lambda code: titled(code, AWAITING) or None),
        next_review_due_on_is_late=(pd.to_datetime(masked["next_review_due_on"]) < as_of)
        & (masked["active_plan"] == "Y"),
        **{name: masked[name].map(_systems) for name in ("seen_by", "corroborated_by", "vanished") if name in masked},
        visit_due_on_is_late=pd.to_datetime(masked["visit_due_on"]) < as_of,
        _order=masked["whereabouts_grade"].map(_ORDER).fillna(9),
    ).sort_values(["_order", "child_id"], kind="stable")
    book = Book()
    footer = footer_of(about, TITLE)
    active = int((register["active_plan"] == "Y").sum())
    cover = open_cover(
        book,
        TITLE,
        f"{counted(active, 'child', 'children')} with an active plan and {len(register) - active:,} in assessment: where each "
        "is educated, when the plan was reviewed and is next due, the last visits, and how sure we are of where each child "
        "is. Children whose whereabouts are not confirmed come first.",
        about,
    )
    _grades(cover, register)
    if restricted.any():
        cover.gap()
        cover.prose(
            f"{counted(int(restricted.sum()), 'child has', 'children have')} a restricted address. Nothing in this file "
            "says where they are; the word restricted stands instead. Their records are in the systems named at the right."
        )
    column_guide(cover, COLUMNS)
    run_facts(cover, about)
    write_list(book, "Register", shown, COLUMNS, footer, freeze=2, row_limit=row_limit, is_a3=True)
    write_run_sheet(book, about, COLUMNS, "register", len(register))
    book.save(path)


def _grades(cover: Cover, register: pd.DataFrame) -> None:
    """How many children by grade of whereabouts, with a plan and in assessment; both columns add up."""
    cover.heading("How sure we are of where children are")
    heads = [(text, "head right") for text in ("With a plan", "In assessment", "All")]
    cover.line(("Whereabouts", "head"), ("What it means", "head"), *heads, height=32)
    grades = register["whereabouts_grade"].fillna("")
    has_plan = register["active_plan"] == "Y"
    for grade in [*GRADE_LOOKS, *sorted(set(grades) - set(GRADE_LOOKS))]:
        own = grades == grade
        counts = [int((own & has_plan).sum()), int((own & ~has_plan).sum()), int(own.sum())]
        look = GRADE_LOOKS.get(grade, "label") if counts[2] else "label"
        cover.line(
            (titled(grade, GRADES) or "Not graded", look),
            (GRADE_MEANINGS.get(grade), "fact"),
            *[(count, "count") for count in counts],
        )
    totals = [int(has_plan.sum()), int((~has_plan).sum()), len(register)]
    cover.line(("All", "total label"), (None, "total note"), *[(total, "total") for total in totals])


def _systems(joined: object) -> str | None:
    return ", ".join(map(system_title, joined.split("+"))) if isinstance(joined, str) and joined else None
