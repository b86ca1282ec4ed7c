"""`exceptions.xlsx`: what an analyst opens in the morning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from outputs.about import About, system_title
from outputs.covers import Cover, column_guide, footer_of, open_cover, run_facts, write_run_sheet
from outputs.entries import stamp, your_name
from outputs.exceptions_entries import READ_ONLY, TO_FILL_IN, choices_to_fill_in, columns_of
from outputs.exceptions_summary import write_summary
from outputs.looks import SEVERITY_COLOURS
from outputs.protect import RESTRICTED, mask_restricted
from outputs.sheets import ROW_LIMIT, Book, Column, write_list
from outputs.wording import (
    AGE_BANDS,
    KIND_TITLES,
    RULE_STATES,
    SEVERITIES,
    SEVERITY_MEANINGS,
    SEVERITY_TITLES,
    STATUS_TITLES,
    band,
    counted,
    plain_detail,
    told_detail,
)

TITLE = "Exceptions"
NO_OWNER = "No owner"

_SEVERITY_ABOUT = "; ".join(f"{SEVERITY_TITLES[name]}: {text}" for name, text in SEVERITY_MEANINGS.items())
COLUMNS = (
    Column("exception_id", "Key", 12, "text", "identifies the exception from night to night", is_hidden=True),
    Column("severity", "Severity", 10, "severity", _SEVERITY_ABOUT),
    Column(
        "child_id",
        "Child",
        12,
        "text",
        "the child's id in this register, the same every night; no names are in this file",
    ),
    Column(
        "news",
        "New",
        8,
        "new",
        "New: first found on this night; Back: resolved earlier, found again on this night; Backlog: found by a rule that began on this night",
    ),
    Column(
        "why_first",
        "Why first",
        26,
        "wrapped",
        "what makes it urgent: severity, the child's situation, days overdue, systems that show the same",
    ),
    Column("rule", "Rule", 8, "text", "the rule's code; it never changes meaning"),
    Column("title", "What is wrong", 27, "wrapped", "the rule in a few words"),
    Column(
        "detail",
        "What was found",
        36,
        "wrapped",
        "the evidence: dates and values as recorded; withheld for a child whose address is restricted",
    ),
    Column("source", "System", 11, "text", "whose record is at fault; empty where the fault lies between systems"),
    Column(
        "source_id",
        "Record",
        13,
        "wrapped",
        "the child's number in that system, to look it up by; where the fault lies between systems, its number in each",
    ),
    Column("todo", "What to do", 44, "wrapped", "what puts it right; it goes away once a fresh extract shows it"),
    Column("first_seen_on", "First found", 11, "date", "the first night on which it was found"),
    Column("age_days", "Days open", 7, "number", "days since it was first found"),
    Column("due_on", "Target", 11, "date", "until when it should be dealt with, by its severity"),
    Column("is_overdue", "Past target", 9, "flag", "Yes: the target has passed", is_printed=False),
    Column("priority", "Points", 8, "number", "the more the sooner; the weights are in priority.yml", is_printed=False),
    Column(
        "is_lead",
        "Lead",
        7,
        "flag",
        "Yes: the child's first exception, the others stand under it; filter by it to see each child once",
        is_printed=False,
    ),
    Column(
        "cause",
        "Cause shared",
        34,
        "wrapped",
        "what several exceptions have in common: one thing to fix; see the sheet Causes",
        is_printed=False,
    ),
    Column(
        "claim",
        "Said to be fixed",
        34,
        "wrapped",
        "what somebody claims, and whether extracts since bear it out",
        is_printed=False,
    ),
    Column("fix_in", "Where to fix it", 46, "wrapped", "the system, and the screen or field", is_printed=False),
    Column("owner", "Owner", 20, "wrapped", "the team that it goes to; each has a sheet of its own", is_printed=False),
    Column(
        "team",
        "Social care team",
        18,
        "text",
        "the team of the child's open social care involvement, to filter by; withheld for a child whose address is restricted",
        is_printed=False,
    ),
    Column(
        "status",
        "Status",
        14,
        "text",
        "open, accepted until a date, explained by a person, or could not be checked this night",
        is_printed=False,
    ),
    Column(
        "on_old_data",
        "Old data",
        9,
        "flag",
        "Yes: judged on an earlier copy, because a source did not arrive",
        is_printed=False,
    ),
    Column(
        "nights", "Nights", 8, "number", "nights run since it was first found, that one among them", is_printed=False
    ),
    Column(
        "kind",
        "Kind",
        12,
        "text",
        "safety: a child may be at risk; duty: something is late; record: the record is wrong; source feed: an extract",
        is_printed=False,
    ),
    Column("row_id", "Row", 12, "text", "the row in the extract", is_printed=False),
    Column("field", "Field", 22, "text", "the field at fault", is_printed=False),
    Column("basis", "Basis", 40, "text", "the law or policy behind the rule", is_printed=False),
)

#: How many days a resolved one stays on its sheet.
RESOLVED_DAYS = 7
_RESOLVED_ON = Column("resolved_on", "Resolved", 11, "date", "the night on which fresh data no longer showed it")
_OF_RESOLVED = (
    "exception_id",
    "severity",
    "child_id",
    "rule",
    "title",
    "detail",
    "source",
    "source_id",
    "first_seen_on",
    "owner",
    "claim",
)
RESOLVED_COLUMNS = (
    *(replace(column, is_printed=True) for column in COLUMNS if column.key in _OF_RESOLVED),
    _RESOLVED_ON,
)

CAUSE_COLUMNS = (
    Column("cause", "What they share", 44, "wrapped", "the rule, and the value that these exceptions have in common"),
    Column("rule", "Rule", 8, "text", "the rule's code"),
    Column("severity", "Severity", 10, "severity", "the highest among them"),
    Column("children", "Children", 10, "number", "how many children; none where it is about an extract"),
    Column("exceptions", "Exceptions", 11, "number", "how many exceptions go away with it"),
    Column("todo", "What to do", 44, "wrapped", "what puts it right"),
    Column("fix_in", "Where to fix it", 40, "wrapped", "the system, and the screen or field"),
    Column("owner", "Owner", 24, "wrapped", "who has them"),
    Column("oldest_on", "Oldest", 11, "date", "when the first of them was found"),
)

RULE_COLUMNS = (
    Column("rule", "Rule", 8, "text", "the rule's code"),
    Column("title", "What is wrong", 44, "wrapped", "the rule in a few words"),
    Column("severity", "Severity", 10, "severity", "the highest it raises"),
    Column("state", "Tonight", 26, "wrapped", "checked, checked on an earlier copy of an extract, or not evaluated"),
    Column("looked_at", "Looked at", 10, "number", "how many children or rows it was asked of"),
    Column("found", "At fault", 10, "number", "how many of them it found"),
    Column("not_judged", "Could not tell", 10, "number", "how many lacked what it needs; they do not count as fine"),
    Column("reason", "Why not evaluated", 50, "wrapped", "what no extract carries, or what did not arrive"),
)


def write_exceptions(
    path: Path,
    exceptions: pd.DataFrame,
    about: About,
    register: pd.DataFrame | None = None,
    row_limit: int = ROW_LIMIT,
    causes: pd.DataFrame | None = None,
    handout: str = "",
    people: Sequence[str] = (),
    volume: pd.DataFrame | None = None,
    rules: pd.DataFrame | None = None,
) -> None:
    """Write the exceptions workbook.

    `exceptions` is the exceptions frame of a night (one row per exception, in the order in which to work through them; resolved ones are left
    to a sheet of their own and counted nowhere else); `causes` what several of them share (see `pipelines.priority.causes`), `volume` how many
    came and went (see `pipelines.volume`), `rules` what became of each (see `pipelines.catalogues.checked`). With `register` the whereabouts of restricted children are masked here as well; without it the frame
    has to be masked already. With the id of a `handout` it has cells to fill in (`exceptions_entries`, with `people` to choose from). Raises
    OSError where the file cannot be written.
    """
    if register is not None:
        exceptions = mask_restricted(exceptions, register)
    standing, resolved = prepared(exceptions)
    columns, freeze = columns_of(COLUMNS, handout), 4 if handout else 3
    book = Book()
    footer = footer_of(about, TITLE)
    cover = open_cover(
        book,
        TITLE,
        "Every exception that stands tonight: one row for each child, rule and thing that is wrong. It is made to be worked "
        "through, owner by owner, child by child, most urgent first. Put things right in the system named: an exception disappears by itself "
        "when a fresh extract shows that it is right.",
        about,
    )
    if handout:
        your_name(cover)
    owners = sorted(standing["owner"].unique(), key=str.casefold)
    for fixed in ("Summary", "Causes", "Rules", "All exceptions", "Resolved", "_run"):
        book.reserve(fixed)
    names = {owner: book.reserve(owner) for owner in owners}
    severity_counts(cover, standing)
    _contents(cover, standing, owners, names, 0 if causes is None else len(causes), len(resolved), rules)
    how_to(cover, handout)
    column_guide(cover, columns)
    run_facts(cover, about)
    choices_to_fill_in(book, handout, people)
    write_summary(book, standing, owners, names, footer, volume)
    if causes is not None and len(causes):
        write_list(book, "Causes", causes, CAUSE_COLUMNS, f"{footer} · causes", freeze=1, row_limit=row_limit)
    if rules is not None:
        told = rules.assign(state=rules["state"].replace(RULE_STATES))
        write_list(book, "Rules", told, RULE_COLUMNS, f"{footer} · rules", freeze=1)
    write_list(book, "All exceptions", shown(standing), columns, footer, freeze=freeze, row_limit=row_limit)
    for owner in owners:
        own = standing[standing["owner"] == owner]
        colour = SEVERITY_COLOURS["critical"][0] if (own["severity"] == "critical").any() else None
        write_list(
            book,
            names[owner],
            shown(own),
            columns,
            f"{footer} · {owner}",
            freeze=freeze,
            row_limit=row_limit,
            tab_colour=colour,
        )
    if len(resolved):
        footer_resolved = f"{footer} · resolved"
        write_list(book, "Resolved", shown(resolved), RESOLVED_COLUMNS, footer_resolved, freeze=3, row_limit=row_limit)
    write_run_sheet(book, about, columns, "exceptions", len(standing), handout)
    if handout:
        stamp(book, handout)
    book.save(path)


def prepared(exceptions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The standing exceptions and the resolved ones, in the order given; every one has an owner."""
    ordered = exceptions.assign(
        owner=exceptions["owner"]
        .astype("str")
        .where(exceptions["owner"].notna() & (exceptions["owner"] != ""), NO_OWNER),
        age_band=band(exceptions["age_days"], AGE_BANDS),
    )
    is_resolved = ordered["status"] == "resolved"
    return ordered[~is_resolved], ordered[is_resolved]


def shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Codes as words, for people."""
    return frame.assign(
        source=frame["source"].map(lambda system: system_title(system) if isinstance(system, str) and system else None),
        detail=told_detail(frame).mask(frame["detail"] == RESTRICTED, RESTRICTED),
        claim=plain_detail(frame["claim"]) if "claim" in frame else None,
        field=frame["field"].str.replace("_", " ") if "field" in frame else None,
        status=frame["status"].replace(STATUS_TITLES),
        kind=frame["kind"].replace(KIND_TITLES),
        **{name: frame[name].astype("boolean").map({True: "Yes"}) for name in ("on_old_data", "is_overdue", "is_lead")},
    )


def severity_counts(cover: Cover, standing: pd.DataFrame) -> None:
    """How many there are, severity by severity."""
    children = counted(standing["child_id"].nunique(), "child", "children")
    cover.heading(f"{counted(len(standing), 'exception')} tonight, about {children}")
    heads = [(text, "head right") for text in ("Exceptions", "Children", "New tonight", "On old data")]
    cover.line(("Severity", "head"), ("What it means", "head"), *heads, height=20)
    for severity in SEVERITIES:
        own = standing[standing["severity"] == severity]
        counts = [(number, "count") for number in _four_counts(own)]
        cover.line(
            (SEVERITY_TITLES[severity], f"severity {severity}"),
            (SEVERITY_MEANINGS[severity], "fact"),
            *counts,
        )
    totals = [(number, "total") for number in _four_counts(standing)]
    cover.line(("All", "total label"), ("a child of several severities counts once", "total note"), *totals, height=18)


def _four_counts(standing: pd.DataFrame) -> tuple[int, int, int, int]:
    return (
        len(standing),
        int(standing["child_id"].nunique()),
        _count(standing["is_new"]),
        _count(standing["on_old_data"]),
    )


def _contents(
    cover: Cover,
    standing: pd.DataFrame,
    owners: Sequence[str],
    names: dict[str, str],
    shared: int,
    resolved: int,
    rules: pd.DataFrame | None,
) -> None:
    cover.heading("What is in this workbook")
    heads = [(text, "head right") for text in ("Exceptions", "Critical", "New tonight", "On old data")]
    cover.line(("Sheet", "head"), ("What it holds", "head"), *heads, height=20)
    _contents_line(
        cover, "Summary", "counts by owner, by age and by rule; each adds up to the same total", "Summary", None
    )
    _contents_line(
        cover, "All exceptions", "the whole list, child by child, most urgent first", "All exceptions", standing
    )
    if shared:
        text = f"{counted(shared, 'thing')} that several exceptions share: put right once, they all go"
        _contents_line(cover, "Causes", text, "Causes", None)
    if rules is not None:
        number = int((rules["state"] == "not_evaluated").sum())
        text = f"every rule: how much it looked at and could not tell; {counted(number, 'rule')} not evaluated, with the reason"
        _contents_line(cover, "Rules", text, "Rules", None)
    for owner in owners:
        own = standing[standing["owner"] == owner]
        _contents_line(cover, owner, f"what {owner} can put right", names[owner], own)
    if resolved:
        text = f"{resolved:,} that went away in the last {RESOLVED_DAYS} days, as fresh data no longer show them"
        _contents_line(cover, "Resolved", text, "Resolved", None)


def _contents_line(cover: Cover, label: str, text: str, sheet: str, own: pd.DataFrame | None) -> None:
    if own is None:
        counts: list[tuple[int | None, str]] = [(None, "count")] * 4
    else:
        critical = int((own["severity"] == "critical").sum())
        counts = [(len(own), "count"), (critical or None, "severity critical" if critical else "count")]
        counts += [(_count(own["is_new"]), "count"), (_count(own["on_old_data"]), "count")]
    cover.line((label, "link"), (text, "fact"), *counts)
    cover.link(2, sheet)


def how_to(cover: Cover, handout: str) -> None:
    """How to work with the list, step by step."""
    cover.heading("How to work with it")
    for number, text in enumerate(
        (
            "Open the sheet of your team. The list begins with the child to look at first, and says why; a child's other exceptions stand below.",
            "Use the arrows in the heading row to see only what is new, one rule, or one child. The heading and the child stay in view.",
            "Look the record up in the system named, by its number, and put it right there. Nothing is put right in this file.",
            *(TO_FILL_IN if handout else READ_ONLY),
            "Tomorrow's workbook shows what is left. What was marked old data can go away only when its source arrives again.",
        ),
        1,
    ):
        cover.fact(f"Step {number}", text)


def _count(flags: pd.Series) -> int:
    return int(flags.astype("boolean").fillna(False).sum())
