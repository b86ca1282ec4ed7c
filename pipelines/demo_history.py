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
from pipelines.demo_places import COUNCIL, PROVISION
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
    mistaken, named = _lived(council, pd.Timestamp(nights[0]))
    for night in nights:
        where = folder / f"night-{night}"
        exported = _as_exported(council, mistaken, named, pd.Timestamp(night))
        write_extracts(exported, where, pd.Timestamp(night), place=0, nights=1)
        yield night, where


def _lived(council: Council, first: pd.Timestamp) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the council a past since `first`; gives what plans said otherwise until a night.

    The starts that were recorded wrongly (EHCP ID, wrong, until), and the settings that were named before (Pupil ID, urn, name, until).
    """
    rng, end, plans = council.rng, council.end, council.ehc_plans
    span = max((end - first).days, 60)
    ago = pd.Timedelta(days=span)
    named = _moves(council, ago)
    for spells in (council.addresses, council.involvements):
        spells["START_DTTM"] -= ago
    council.missing_episodes.loc[0, ["START_DTTM", "END_DTTM"]] -= ago
    council.missing_education.loc[0, ["START_DATE", "END_DATE"]] -= ago
    _in_care_since(council, ago)
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
    mistaken = pd.DataFrame(
        {
            "EHCP ID": wrong["EHCP ID"].to_numpy(),
            "wrong": (wrong["Start Date"] - pd.Timedelta(days=31)).to_numpy(),
            "until": until,
        }
    ).set_index("EHCP ID")
    return mistaken, named


def _moves(council: Council, ago: pd.Timedelta) -> pd.DataFrame:
    """Each placement and roll begins with the plan or in a September since; whoever moved was in another setting of the right age and kind before.

    Pupils without a plan have been where they are since `ago` before.
    Gives what the plans of those who moved named until then: Pupil ID, urn, name, until.
    """
    rng, placements, rolls = council.rng, council.placements, council.rolls
    pupils = council.children[council.children["synergy"] != ""].set_index("synergy")
    settings = council.places.settings.set_index("URN")
    plans = council.ehc_plans.set_index("Pupil ID")
    born, now = placements["Pupil ID"].map(pupils["born"]), placements["School URN"]
    year = council.end.year if council.end.month >= 9 else council.end.year - 1
    # For how many years the child has been old enough for the setting: who was not came when old enough, and one in four of the others in some year.
    of_age = (year - born.dt.year - (born.dt.month > 8) - now.map(settings["StatutoryLowAge"])).clip(lower=0).fillna(9)
    back = of_age.where(of_age <= 3, rng.integers(0, 4, len(placements))).astype("int64")
    september = pd.to_datetime({"year": year - back, "month": 9, "day": 2})
    first = placements["Pupil ID"].map(plans["Start Date"]).fillna(placements["Start Date"])
    usual = placements["Start Date"] == placements["Start Date"].mode().iloc[0]
    moved = (september > first) & usual & (now != "") & ((of_age <= 3) | (rng.random(len(placements)) < 0.25))
    start = first.where(~moved, september).astype("datetime64[us]")
    placements["Start Date"] = start.where(usual, placements["Start Date"])
    urn = _settings_before(council, placements[moved], born[moved])
    before = placements[moved].assign(
        **{
            "Placement ID": "1" + placements["Placement ID"],
            "School URN": urn,
            "Placement Name": urn.map(settings["EstablishmentName"]),
            "Provision Type": urn.map(settings["TypeOfEstablishment (code)"]).map(PROVISION),
            "In Authority?": (urn.map(settings["LA (code)"]) == COUNCIL).map({True: "Y", False: "N"}),
            "Start Date": first[moved],
            "End Date": start[moved],
        }
    )
    student = pupils["capita"]
    at = placements.assign(STUD_ID=placements["Pupil ID"].map(student)).set_index("STUD_ID")["Start Date"]
    rolls["START_DATE"] = rolls["STUD_ID"].map(at).fillna(rolls["START_DATE"] - ago)
    earlier = pd.DataFrame(
        {
            "HIST_ID": "8" + before["Placement ID"], "STUD_ID": before["Pupil ID"].map(student), "BASE_URN": before["School URN"],
            "BASE_NAME": before["Placement Name"].str.upper(), "ENROL_STATUS": "C", "START_DATE": before["Start Date"], "END_DATE": before["End Date"],
        }
    )  # fmt: skip
    council.placements = pd.concat([placements, before], ignore_index=True)
    council.rolls = pd.concat([rolls, earlier], ignore_index=True)
    agreed = before[before["Pupil ID"].map(plans["Section I URN"]) == now[moved]]
    told = agreed[["Pupil ID", "School URN", "Placement Name", "End Date"]]
    return told.set_axis(["Pupil ID", "urn", "name", "until"], axis=1)


def _settings_before(council: Council, placements: pd.DataFrame, born: pd.Series) -> pd.Series:
    """The URN of a setting of the same kind that took children of the age that each child had when the placement began."""
    places = council.places
    age = (placements["Start Date"] - born).dt.days / 365.25
    is_special = (placements["Provision Type"] == "Special") & (age < 18.5)
    kinds = (
        (is_special, places.by_kind["44"]),
        (~is_special & (age < 11.5), places.primary),
        (~is_special & (age >= 11.5) & (age < 18.5), places.high),
        (age >= 18.5, places.by_kind["18"]),
    )
    urn = pd.Series("", index=placements.index, dtype="str")
    for holds, some in kinds:
        urn = urn.mask(holds, pd.Series(council.rng.choice(some, len(placements)), index=placements.index))
    return urn


def _in_care_since(council: Council, ago: pd.Timedelta) -> None:
    """Whoever is in care has been for so much longer, though not since before birth."""
    care, kids = council.care_placements, council.children
    born = care["DIM_PERSON_ID"].map(kids[kids["liquidlogic"] != ""].set_index("liquidlogic")["born"])
    since = (care["START_DTTM"] - ago).clip(lower=born + pd.Timedelta(days=30)).astype("datetime64[us]")
    council.care_placements = care.assign(START_DTTM=since, CLA_START_DTTM=since)


def _visits(council: Council, span: int) -> None:
    """Monitoring visits about twice a year, and statutory visits every month, as long as the child has been placed."""
    rng, end = council.rng, council.end
    placed = {
        "visits": council.placements.groupby("Pupil ID")["Start Date"].min(),
        "care_visits": council.care_placements.groupby("DIM_PERSON_ID")["START_DTTM"].min(),
    }
    kinds = (("visits", 180, "Date of Visit", "Visit ID"), ("care_visits", 30, "EVENT_DTTM", "CASENOTE_ID"))
    for kind, every, on, key in kinds:
        latest, found = getattr(council, kind), []
        who = "Pupil ID" if kind == "visits" else "DIM_PERSON_ID"
        pattern = latest.drop_duplicates(who)
        for back in range(max(every, 240 if kind == "care_visits" else 60), span, every):
            when = end - pd.to_timedelta(back + rng.integers(0, every - 10, len(pattern)), unit="D")
            found.append(pattern.assign(**{on: when.normalize(), key: str(back) + pattern[key]}))
        earlier = pd.concat(found, ignore_index=True)
        earlier = earlier[earlier[on] >= earlier[who].map(placed[kind])]
        setattr(council, kind, pd.concat([latest, earlier], ignore_index=True))


def _as_exported(council: Council, mistaken: pd.DataFrame, named: pd.DataFrame, night: pd.Timestamp) -> Council:
    """The council with what had not happened by the night taken out, the mistakes that it had not found put in, and plans that name the setting of then."""
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
    still = named[named["until"] > night].set_index("Pupil ID")
    for column, of in (("Section I URN", "urn"), ("Section I Setting Name", "name")):
        then.ehc_plans[column] = look_up(then.ehc_plans["Pupil ID"], still[of]).fillna(then.ehc_plans[column])
    return then
