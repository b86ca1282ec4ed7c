"""Nights of a few drawn exceptions, with the workbooks that people work through, for tests of what comes back."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
from openpyxl.utils import get_column_letter
from returns_drawn import put, worked
from store_drawn import NOW

from outputs.about import About
from outputs.exceptions_entries import columns_of
from outputs.exceptions_workbook import COLUMNS
from pipelines import store_people as people
from pipelines.acts import honour
from pipelines.catalogues import titled
from pipelines.lifecycle import advance
from pipelines.store import Store
from pipelines.worksheets import hand_out_exceptions

SEVERITIES = {1: "critical", 2: "medium", 3: "medium"}


def found(*numbers: int, detail: str = "due 2026-10-01") -> pd.DataFrame:
    """A finding for each number: of child c<number>; the first is critical."""
    rows = [
        {"rule": "RV01", "child_id": f"c{n}", "source": "synergy", "source_id": str(n), "row_id": "11", "thing": "", "field": "", "detail": detail,
         "severity": SEVERITIES.get(n, "medium"), "kind": "duty", "owner": "SEN casework" if n < 3 else "Data team"}
        for n in numbers
    ]  # fmt: skip
    return pd.DataFrame(rows, dtype="str").assign(on_old_data=False)


def night(
    store: Store,
    day: date,
    findings: pd.DataFrame,
    folder: Path,
    state: str = "fresh",
    restricted: tuple[str, ...] = (),
) -> Path:
    """A night as far as exceptions go, with its workbooks; gives `exceptions.xlsx`."""
    folder = folder / f"{day}"
    folder.mkdir(parents=True, exist_ok=True)
    children = sorted(set(findings["child_id"]) | set(restricted) | {"c1", "c2", "c3"})
    register = pd.DataFrame({"child_id": children}).assign(is_restricted=[child in restricted for child in children])
    with store.night(day) as kept:
        today = pd.Timestamp(day)
        exceptions, events = advance(kept.previous("exceptions"), findings, {"RV01": state}, set(), today)
        exceptions, lapsed = honour(exceptions, people.read_events(kept.connection), today)
        exceptions = exceptions.assign(is_backlog=False)
        kept.open_run({"application": "test"}, NOW)
        kept.save("exceptions", exceptions)
        kept.save("register", register)
        kept.save_events(pd.concat([events, lapsed], ignore_index=True))
        standing = titled(kept.aged(exceptions)).assign(
            why_first="", due_on=pd.NaT, is_overdue=False, is_lead=True, priority=1, cause=""
        )
        standing = standing[standing["status"] != "resolved"].sort_values("child_id")
        about = About("Test", day, kept.run_id, NOW, f"{day:%Y-%m}", (), {})
        hand_out_exceptions(folder, store.settings, kept, standing, register, about)
        kept.close_run(0, {}, {})
    return folder / "exceptions.xlsx"


def letter(title: str) -> str:
    """The column of a heading in the workbook."""
    titles = [column.title for column in columns_of(COLUMNS, "h")]
    return get_column_letter(titles.index(title) + 1)


def ids(store: Store) -> dict[str, str]:
    """The exception of each child."""
    return store.exceptions(include_resolved=True).set_index("child_id")["exception_id"].to_dict()


def filled(store: Store | dict[str, str], path: Path, name: str, who: str | None, **cells: object) -> Path:
    """A copy of a workbook with cells filled in: ``c1_note="text"`` writes the note of the exception of child c1 (or of that name in a dict)."""
    titles = {
        "to": "Assigned to",
        "fixed": "Fixed in source",
        "until": "Accept until",
        "reason": "Reason to accept",
        "note": "Note",
    }
    known = store if isinstance(store, dict) else ids(store)

    def work(book: object) -> None:
        for cell, value in cells.items():
            child, field = cell.rsplit("_", 1)
            put("All exceptions", known[child], titles[field], value)(book)

    return worked(path, work, who=who, to=path.with_name(name))


def told(store: Store) -> list[tuple[str, str, str, str]]:
    """What people did, in order: child, event, value and who."""
    trail = people.trail(store)
    trail = trail[trail["who"].notna()]
    from pipelines.acts import readable

    return [tuple(row) for row in readable(trail)[["child_id", "event", "value", "who"]].fillna("").to_numpy().tolist()]
