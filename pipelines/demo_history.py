"""Years of an invented council: what each of many nights exported, with moves, plans that ceased, visits, waits, and records corrected later.

Everything is generated as at the last night; an earlier night exports the same with what had not happened yet taken out, and with the
mistakes that had not been found yet. Same seed, same council.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.demo_apart import keep_apart
from pipelines.demo_council import PUPILS_PER_PLAN, Council
from pipelines.demo_extracts import write_extracts
from pipelines.demo_faults import plant
from pipelines.frames import look_up

#: Of each frame, when a row came to be, and its later dates with what came with each.
_BEGINS = {
    "requests": "Date Request Received", "ehc_plans": "Start Date", "placements": "Start Date", "rolls": "START_DATE", "care_placements": "START_DTTM",
    "awaiting": "Awaiting Since", "missing_education": "START_DATE", "missing_episodes": "START_DTTM", "home_education": "Start Date",
}  # fmt: skip
_LATER: dict[str, dict[str, tuple[str, ...]]] = {
    "requests": {"Decision Date": ("Decision", "A"), "Outcome Date": ("Outcome", "")}, "ehc_plans": {"Date Ceased": ("Cease Reason", "")},
    "placements": {"End Date": ()}, "care_placements": {"END_DTTM": ("CARE_REASON_END_CODE", "")}, "rolls": {"END_DATE": ()}, "awaiting": {"Date Closed": ()}, "missing_education": {"END_DATE": ()},
}  # fmt: skip


def history_nights(end: date, months: int, nightly_days: int = 60) -> list[date]:
    """The nights of a history: each month end of the last `months`, and each night of the last `nightly_days`; oldest first."""
    first = pd.Timestamp(end) - pd.DateOffset(months=months)
    ends = {stamp.date() for stamp in pd.date_range(first, end, freq="ME")}
    return sorted(ends | {end - timedelta(days=back) for back in range(nightly_days)})


def invent_history(
    folder: Path, plans: int, nights: list[date], seed: int = 1, pupils_per_plan: int = PUPILS_PER_PLAN
) -> Iterator[tuple[date, Path]]:
    """Write the extracts of one night after another, oldest first, and give each night with its folder."""
    council = Council(plans, seed, pd.Timestamp(nights[-1]), pupils_per_plan)
    keep_apart(council)
    plant(council, 1)
    mistaken = _lived(council, pd.Timestamp(nights[0]))
    for night in nights:
        where = folder / f"night-{night}"
        exported = _as_exported(council, mistaken, pd.Timestamp(night))
        write_extracts(exported, where, pd.Timestamp(night), place=0, nights=1)
        yield night, where


def _lived(council: Council, first: pd.Timestamp) -> pd.DataFrame:
    """Give the council a past since `first`; gives the plan starts that were recorded wrongly until a night: EHCP ID, wrong, until."""
    rng, end, plans = council.rng, council.end, council.ehc_plans
    span = max((end - first).days, 60)
    _moves(council)
    ago = pd.Timedelta(days=span)
    for spells in (council.addresses, council.involvements, council.missing_episodes.iloc[:1]):
        spells["START_DTTM"] -= ago
    council.missing_education.loc[0, "START_DATE"] -= ago
    ceases = rng.random(len(plans)) < 0.08
    ceased = (end - pd.to_timedelta(rng.integers(1, span, len(plans)), unit="D")).normalize()
    ceases &= (ceased > plans["Start Date"] + pd.Timedelta(days=200)).to_numpy()
    plans["Date Ceased"] = pd.Series(ceased, index=plans.index).where(ceases).astype("datetime64[us]")
    plans.loc[ceases, "Cease Reason"] = "2"
    over = plans.set_index("Pupil ID")["Date Ceased"]
    council.reviews = council.reviews[
        ~(council.reviews["Review Meeting Date"] > council.reviews["Pupil ID"].map(over))
    ].reset_index(drop=True)
    # Further back than the first night, so that one month's visits are a small part of all of them.
    _visits(council, span + 540)
    waits = plans[rng.random(len(plans)) < 0.05]
    since = (end - pd.to_timedelta(rng.integers(40, span, len(waits)), unit="D")).normalize()
    council.awaiting = pd.concat(
        [
            council.awaiting,
            pd.DataFrame(
                {
                    "Wait ID": 30000 + np.arange(len(waits)),
                    "Pupil ID": waits["Pupil ID"].to_numpy(),
                    "Awaiting Since": since,
                    "Date Closed": since + pd.to_timedelta(rng.integers(20, 120, len(waits)), unit="D"),
                    "Type Sought": "Special school",
                    "Last Update": since,
                }
            ).astype({"Wait ID": "str"}),
        ],
        ignore_index=True,
    )
    wrong = plans[rng.random(len(plans)) < 0.01]
    until = (end - pd.to_timedelta(rng.integers(1, span, len(wrong)), unit="D")).normalize()
    return pd.DataFrame(
        {
            "EHCP ID": wrong["EHCP ID"].to_numpy(),
            "wrong": (wrong["Start Date"] - pd.Timedelta(days=31)).to_numpy(),
            "until": until,
        }
    ).set_index("EHCP ID")


def _moves(council: Council) -> None:
    """Each placement and roll begins with the plan or in a September since; whoever moved was in another setting before."""
    rng, placements, rolls = council.rng, council.placements, council.rolls
    begun = council.ehc_plans.set_index("Pupil ID")["Start Date"]
    year = council.end.year if council.end.month >= 9 else council.end.year - 1
    september = pd.to_datetime({"year": year - rng.integers(0, 4, len(placements)), "month": 9, "day": 2})
    first = placements["Pupil ID"].map(begun).fillna(placements["Start Date"]).reset_index(drop=True)
    usual = placements["Start Date"] == placements["Start Date"].mode().iloc[0]
    moved = (september > first).to_numpy() & usual.to_numpy() & (placements["School URN"] != "").to_numpy()
    start = first.where(~moved, september).astype("datetime64[us]").to_numpy()
    placements["Start Date"] = pd.Series(start, index=placements.index).where(usual, placements["Start Date"])
    before = placements[moved].copy()
    before["Placement ID"] = "1" + before["Placement ID"]
    before["School URN"] = np.roll(before["School URN"].to_numpy(), 1)
    before["Placement Name"] = before["School URN"].map(council.places.names())
    before["End Date"], before["Start Date"] = before["Start Date"] - pd.Timedelta(days=1), first[moved].to_numpy()
    planned = council.children[council.children["synergy"] != ""]
    student = planned.set_index("synergy")["capita"]
    at = placements.assign(STUD_ID=placements["Pupil ID"].map(student)).set_index("STUD_ID")["Start Date"]
    rolls["START_DATE"] = rolls["STUD_ID"].map(at).fillna(rolls["START_DATE"])
    earlier = pd.DataFrame(
        {
            "HIST_ID": "8" + before["Placement ID"], "STUD_ID": before["Pupil ID"].map(student), "BASE_URN": before["School URN"],
            "BASE_NAME": before["Placement Name"].str.upper(), "ENROL_STATUS": "C", "START_DATE": before["Start Date"], "END_DATE": before["End Date"],
        }
    )  # fmt: skip
    council.placements = pd.concat([placements, before], ignore_index=True)
    council.rolls = pd.concat([rolls, earlier], ignore_index=True)


def _visits(council: Council, span: int) -> None:
    """Monitoring visits about twice a year, and statutory visits every month, over the whole past."""
    rng, end = council.rng, council.end
    kinds = (("visits", 180, "Date of Visit", "Visit ID"), ("care_visits", 30, "EVENT_DTTM", "CASENOTE_ID"))
    for kind, every, on, key in kinds:
        latest, found = getattr(council, kind), []
        who = "Pupil ID" if kind == "visits" else "DIM_PERSON_ID"
        pattern = latest.drop_duplicates(who)
        for back in range(max(every, 240 if kind == "care_visits" else 60), span, every):
            when = end - pd.to_timedelta(back + rng.integers(0, 20, len(pattern)), unit="D")
            found.append(pattern.assign(**{on: when.normalize(), key: str(back) + pattern[key]}))
        setattr(council, kind, pd.concat([latest, *found], ignore_index=True))


def _as_exported(council: Council, mistaken: pd.DataFrame, night: pd.Timestamp) -> Council:
    """The council with what had not happened by the night taken out, and the mistakes that it had not found put in."""
    then = copy(council)
    for name, begins in _BEGINS.items():
        frame = getattr(council, name)
        frame = frame[~(pd.to_datetime(frame[begins]) > night)].copy()
        for column, with_it in _LATER.get(name, {}).items():
            later = pd.to_datetime(frame[column]) > night
            frame[column] = pd.to_datetime(frame[column]).mask(later)
            if with_it:
                frame[with_it[0]] = frame[with_it[0]].mask(later, with_it[1])
        setattr(then, name, frame)
    unfound = mistaken.loc[mistaken["until"] > night, "wrong"]
    wrong = look_up(then.ehc_plans["EHCP ID"], unfound)
    then.ehc_plans["Start Date"] = wrong.fillna(then.ehc_plans["Start Date"])
    return then
