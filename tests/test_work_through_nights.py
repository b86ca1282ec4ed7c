"""Four nights worked through as an analyst would: assign, note, accept, claim, by workbook through the inbox, saved by openpyxl and by a real
LibreOffice. In the end every exception is in exactly the state that can be computed by hand; the others are as if nobody had worked.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from returned_nights import filled
from returns_drawn import at
from test_returned import through_libreoffice

from config.settings import load_settings
from pipelines import store_people as people
from pipelines.answers import claims_known
from pipelines.demo import invent
from pipelines.run import RunResult, run_night
from pipelines.store import Store

LATER = "2027-03-01"


@dataclass
class Worked:
    """The nights, the store that nobody worked in, the one that was worked in, and who is who in it."""

    days: list[date]
    untouched: Store
    store: Store
    chosen: dict[str, str]
    results: list[RunResult]


def demo_nights(folder: Path) -> list[tuple[date, Path]]:
    return invent(folder / "extracts", plans=200, nights=4, seed=7, end=date(2026, 11, 2)).nights


def borough_nights(shared: Path) -> list[tuple[date, Path]]:
    days = [date(2026, 10, day) for day in (25, 26, 27, 28)]
    return [(day, shared / "borough" / f"night-{day}") for day in days]


@pytest.fixture(scope="module", params=["demo", "borough"])
def worked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Worked:
    folder = tmp_path_factory.mktemp(request.param)
    nights = demo_nights(folder) if request.param == "demo" else borough_nights(request.getfixturevalue("shared_data"))
    return work_through(folder, nights)


def run(store: Store, day: date, extracts: Path) -> RunResult:
    return run_night(store.settings, day, extracts, now=datetime(day.year, day.month, day.day, 5, tzinfo=UTC))


def states(store: Store, day: date) -> pd.DataFrame:
    """Every exception as that night left it, by its id."""
    return store.exceptions(day, include_resolved=True).set_index("exception_id").sort_index()


def choose(untouched: Store, days: list[date]) -> dict[str, str]:
    """Exceptions whose life is known from a council in which nobody works: some that last, one that the second night resolves."""
    nights = [states(untouched, day) for day in days]
    first = nights[0]
    register = untouched.register()
    open_to_all = ~first["child_id"].isin(
        register.loc[register["is_restricted"].fillna(False).astype(bool), "child_id"]
    )
    lasts = open_to_all & first["status"].eq("open")
    for night in nights:
        same = night.reindex(first.index)
        lasts &= same["status"].eq("open") & same["detail"].eq(first["detail"]) & same["reopened_on"].isna()
    medium = first.index[lasts & first["severity"].isin(["medium", "info"])]
    serious = first.index[lasts & first["severity"].isin(["critical", "high"])]
    resolved = first.index[open_to_all & nights[1].reindex(first.index)["status"].eq("resolved")]
    names = ("lapses", "taken back", "failing", "confirmed", "assigned", "resolved")
    return dict(zip(names, [*medium[:3], *serious[:2], resolved[0]], strict=True))


def work_through(folder: Path, nights: list[tuple[date, Path]]) -> Worked:
    """Run the nights twice, once with nobody and once with Ada and Grace, who hand in by the inbox."""
    days = [day for day, _ in nights]
    untouched = Store(load_settings({"EHCP_DATA": str(folder / "untouched")}))
    for day, extracts in nights:
        run(untouched, day, extracts)
    chosen = choose(untouched, days)
    store = Store(load_settings({"EHCP_DATA": str(folder / "data")}))
    work: dict[int, list[tuple[str, dict[str, Any], bool]]] = {
        0: [("Ada", {
            "lapses_until": days[3], "lapses_reason": "agreed with the family", "taken back_until": LATER, "taken back_reason": "known",
            "confirmed_until": LATER, "confirmed_reason": "known", "assigned_to": "Grace", "assigned_note": "rang the school",
            "resolved_fixed": "Yes", "failing_fixed": "Yes",
        }, False)],
        1: [("Grace", {
            "confirmed_until": "01/03/2027", "confirmed_reason": "I agree", "assigned_to": "Data team", "taken back_until": None,
            "failing_note": "+ still there 🙂",
        }, True)],
        2: [("Ada", {"taken back_until": None, "taken back_reason": None, "assigned_to": "Ada"}, False),
            ("Grace", {"assigned_to": "Grace"}, True)],
    }  # fmt: skip
    results = []
    for place, (day, extracts) in enumerate(nights):
        results.append(run(store, day, extracts))
        for who, cells, by_office in work.get(place, []):
            hand_over(store, chosen, folder / f"{day} {who}", who, cells, by_office)
    return Worked(days, untouched, store, chosen, results)


def hand_over(
    store: Store, chosen: dict[str, str], folder: Path, who: str, cells: dict[str, Any], by_office: bool
) -> None:
    """Fill in the newest workbook, save it (through LibreOffice too), and put it into the inbox."""
    folder.mkdir()
    copy = folder / "exceptions.xlsx"
    copy.write_bytes((store.settings.outputs_dir / "latest" / "exceptions.xlsx").read_bytes())
    path = filled(chosen, copy, f"{who}.xlsx", who, **cells)
    if by_office:
        path = through_libreoffice(path, folder / "office")
    inbox = store.settings.data_dir / "inbox"
    inbox.mkdir(exist_ok=True)
    (inbox / path.name).write_bytes(path.read_bytes())


def test_every_exception_is_in_the_state_that_can_be_computed_by_hand(worked: Worked) -> None:
    accepted = {"lapses": (1, 2), "taken back": (1, 2), "confirmed": (2, 3)}
    for place, day in enumerate(worked.days):
        wanted, found = states(worked.untouched, day), states(worked.store, day)
        expected = wanted["status"].copy()
        for name, nights in accepted.items():
            if place in nights:
                expected[worked.chosen[name]] = "accepted"
        pd.testing.assert_series_equal(found["status"], expected)
        for column in ("first_seen_on", "reopened_on", "resolved_on", "detail"):
            pd.testing.assert_series_equal(found[column], wanted[column])


def test_the_trail_says_who_did_what_from_which_file_and_cell(worked: Worked) -> None:
    trail = people.trail(worked.store).set_index("exception_id")
    first, second, third = worked.days[:3]

    def told(name: str) -> list[tuple[Any, ...]]:
        own = trail.loc[[worked.chosen[name]]]
        own = own[
            own["event"].isin(
                ["assigned", "noted", "accepted", "acceptance proposed", "claimed fixed", "undone", "acceptance lapsed"]
            )
        ]
        return [
            (row.night.date(), row.event, row.who if isinstance(row.who, str) else None, str(row.place).split(",")[0])
            for row in own.itertuples()
        ]

    assert told("lapses") == [
        (first, "accepted", "Ada", "Ada.xlsx"),
        (worked.days[3], "acceptance lapsed", None, "nan"),
    ]
    assert told("taken back") == [(first, "accepted", "Ada", "Ada.xlsx"), (third, "undone", "Ada", "Ada.xlsx")]
    assert told("confirmed") == [
        (first, "acceptance proposed", "Ada", "Ada.xlsx"),
        (second, "accepted", "Grace", "Grace.xlsx"),
    ]
    assert told("assigned") == [
        (first, "assigned", "Ada", "Ada.xlsx"),
        (first, "noted", "Ada", "Ada.xlsx"),
        (second, "assigned", "Grace", "Grace.xlsx"),
    ]
    assert told("failing") == [(first, "claimed fixed", "Ada", "Ada.xlsx"), (second, "noted", "Grace", "Grace.xlsx")]
    assert told("resolved") == [(first, "claimed fixed", "Ada", "Ada.xlsx")]
    assert trail["who"].notna().sum() == 11


def test_the_nights_told_what_came_of_each_file(worked: Worked) -> None:
    lines = [[line for line in result.messages if line.startswith("inbox: ")] for result in worked.results]
    assert [len(some) for some in lines] == [0, 1, 1, 2]
    assert "Ada.xlsx (Ada): 10 applied;" in lines[1][0]
    assert "Grace.xlsx (Grace): 4 applied, 1 refused;" in lines[2][0]
    assert "Ada.xlsx (Ada): 2 applied, 1 in conflict;" in lines[3][0]
    assert "Grace.xlsx (Grace): 1 in conflict;" in lines[3][1]
    inbox = worked.store.settings.data_dir / "inbox"
    assert not [path for path in inbox.glob("*") if path.is_file()]
    assert len(list((inbox / "applied").glob("* receipt.xlsx"))) == 4


def test_a_claim_tells_in_how_many_nights_it_still_failed(worked: Worked) -> None:
    one = worked.chosen["failing"]
    fresh = [not states(worked.untouched, day).loc[one, "on_old_data"] for day in worked.days[1:]]
    told = claims_known(worked.store, "exception").set_index("exception_id").loc[one]
    assert (told["claimed_on"].date(), told["claim_failing"]) == (worked.days[0], sum(fresh))


def test_the_last_workbook_shows_what_stands(worked: Worked) -> None:
    book = openpyxl.load_workbook(worked.store.settings.outputs_dir / "latest" / "exceptions.xlsx")

    def cell(name: str, title: str) -> Any:
        return at(book, "All exceptions", worked.chosen[name], title).value

    assert cell("assigned", "Assigned to") == "Data team" and cell("assigned", "Note") == "rang the school"
    assert cell("failing", "Fixed in source") == "Yes" and cell("failing", "Note") == "+ still there 🙂"
    assert at(book, "All exceptions", worked.chosen["failing"], "Note").data_type == "s"
    assert cell("confirmed", "Accept until") == datetime(2027, 3, 1) and cell("confirmed", "Status") == "Accepted"
    assert cell("lapses", "Accept until") is None and cell("taken back", "Accept until") is None


def test_all_of_it_again_changes_nothing(worked: Worked) -> None:
    store = worked.store
    before = people.trail(store)
    inbox = store.settings.data_dir / "inbox"
    from pipelines.inbox import take_inbox

    for path in (inbox / "applied").glob("*.xlsx"):
        if "receipt" not in path.name:
            (inbox / path.name).write_bytes(path.read_bytes())
    lines = take_inbox(store, datetime.now(UTC) + timedelta(days=1))
    assert len(lines) == 4 and not [line for line in lines if "applied" in line.split(";")[0].split(": ", 2)[2]]
    pd.testing.assert_frame_equal(people.trail(store), before)
