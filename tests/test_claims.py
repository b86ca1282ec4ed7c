"""Claims held against the extracts since, drawn: the night of the claim does not count, old data is no evidence, and 20,000 claims are quick."""

from __future__ import annotations

from time import perf_counter

import pandas as pd
import pytest

from pipelines.claims import summed, told

NIGHTS = pd.Series(pd.date_range("2026-11-01", "2026-11-10"))


def exceptions(**known: object) -> pd.DataFrame:
    row = {
        "exception_id": "x",
        "source": "liquidlogic",
        "status": "open",
        "owner": "Social care",
        "reopened_on": None,
        "resolved_on": None,
    } | known
    frame = pd.DataFrame([row])
    for name in ("reopened_on", "resolved_on"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    return frame


def acts(*drawn: tuple[str, str]) -> pd.DataFrame:
    """Acts of x as (event, night), by ada, in order."""
    frame = pd.DataFrame(list(drawn), columns=["event", "night"], dtype="str")
    return frame.assign(
        exception_id="x", value="SEN team", who="ada", night=pd.to_datetime(frame["night"]).astype("datetime64[us]")
    )


def spells(*drawn: tuple[str, bool, str, str | None]) -> pd.DataFrame:
    frame = pd.DataFrame(list(drawn), columns=["status", "on_old_data", "known_from", "known_to"]).assign(
        exception_id="x"
    )
    for name in ("known_from", "known_to"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    return frame


ALWAYS = spells(("open", False, "2026-10-01", None))


@pytest.mark.parametrize(
    ("drawn", "history", "failing"),
    [
        ([("claimed fixed", "2026-11-06")], ALWAYS, 4),  # the night of the claim itself is no evidence
        ([("claimed fixed", "2026-11-10")], ALWAYS, 0),
        ([("claimed fixed", "2026-11-09")], ALWAYS, 1),
        ([("claimed fixed", "2026-11-03"), ("claimed fixed", "2026-11-08")], ALWAYS, 7),  # the first claim counts
        ([("claimed fixed", "2026-11-03")], spells(("open", True, "2026-10-01", None)), 0),  # no fresh extract
        ([("claimed fixed", "2026-11-03")], spells(("open", False, "2026-10-01", "2026-11-06"), ("not_evaluated", True, "2026-11-06", "2026-11-09"), ("open", False, "2026-11-09", None)), 4),
        ([("claimed fixed", "2026-11-03")], spells(("accepted", False, "2026-10-01", "2026-11-05"), ("resolved", False, "2026-11-05", None)), 1),
    ],
)  # fmt: skip
def test_in_how_many_extracts_since_it_was_still_found(
    drawn: list[tuple[str, str]], history: pd.DataFrame, failing: int
) -> None:
    assert told(exceptions(), acts(*drawn), history, NIGHTS)["claim_failing"].tolist() == [failing]


@pytest.mark.parametrize(
    ("known", "claimed", "says"),
    [
        ({}, "2026-11-06", "Said to be fixed in Liquidlogic on 2026-11-06, still failing in 4 extracts since"),
        ({}, "2026-11-09", "Said to be fixed in Liquidlogic on 2026-11-09, still failing in 1 extract since"),
        ({"source": ""}, "2026-11-10", "Said to be fixed in the source on 2026-11-10, no fresh extract since"),
        ({"status": "resolved", "resolved_on": "2026-11-08"}, "2026-11-06", "Said to be fixed in Liquidlogic on 2026-11-06, no longer found since 2026-11-08"),
        ({"reopened_on": "2026-11-06"}, "2026-11-06", "Said to be fixed in Liquidlogic on 2026-11-06, still failing in 4 extracts since"),
        ({"reopened_on": "2026-11-07"}, "2026-11-06", ""),  # it came back after the claim: that claim is spent
    ],
)  # fmt: skip
def test_what_a_claim_says(known: dict[str, object], claimed: str, says: str) -> None:
    row = told(exceptions(**known), acts(("claimed fixed", claimed)), ALWAYS, NIGHTS).iloc[0]
    assert row["claim"] == says and pd.isna(row["assigned_to"]) and pd.isna(row["claimed_by"]) == (says == "")


def test_the_newest_assignment_holds() -> None:
    drawn = acts(("assigned", "2026-11-01"), ("assigned", "2026-11-02")).assign(value=["A", "B"])
    assert told(exceptions(), drawn, ALWAYS, NIGHTS)["assigned_to"].tolist() == ["B"]
    assert told(exceptions(), drawn.iloc[:0], ALWAYS.iloc[:0], NIGHTS)["claim"].tolist() == [""]


def test_claims_are_counted_by_owner() -> None:
    frame = pd.concat(
        [
            exceptions(exception_id="a").assign(claimed_on=NIGHTS[0], claim_failing=3),
            exceptions(exception_id="b").assign(claimed_on=NIGHTS[0], claim_failing=0),
            exceptions(exception_id="c", status="resolved", owner="A").assign(claimed_on=NIGHTS[0], claim_failing=3),
            exceptions(exception_id="d").assign(claimed_on=pd.NaT, claim_failing=pd.NA),
        ]
    )
    assert summed(frame, "owner").to_numpy().tolist() == [["Social care", 2, 1, 1, 0], ["A", 1, 0, 0, 1]]


def test_twenty_thousand_claims_over_a_year_take_no_loop_over_claims() -> None:
    ids = [f"x{n}" for n in range(20_000)]
    many = pd.concat([exceptions()] * 1).loc[[0] * len(ids)].assign(exception_id=ids).reset_index(drop=True)
    claims = acts(("claimed fixed", "2026-01-01")).loc[[0] * len(ids)].assign(exception_id=ids)
    history = ALWAYS.assign(known_from=pd.Timestamp(2025, 12, 1)).loc[[0] * len(ids)].assign(exception_id=ids)
    began = perf_counter()
    frame = told(many, claims, history, pd.Series(pd.date_range("2026-01-01", "2026-12-31")))
    assert set(frame["claim_failing"]) == {364} and perf_counter() - began < 10
