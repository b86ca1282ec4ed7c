"""The facts of an invented council, all as at its last night: children, plans, placements, reviews, care and visits. Same seed, same council.

Every child, school and street is made up; council code 883 is used only so that identifiers have a valid form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from config.identifiers import UPN_LETTERS
from pipelines.demo_places import COUNCIL, PROVISION, STREETS, invent_places

FORENAMES = {
    "M": "Noah Oliver George Arthur Muhammad Leo Harry Oscar Archie Henry Theo Freddie Jack Charlie Alfie Jacob Thomas Finley Isaac Adam Tomasz Yusuf Kofi Luca",
    "F": "Olivia Amelia Isla Ava Lily Ivy Freya Florence Willow Rosie Sophia Grace Daisy Elsie Maya Poppy Phoebe Evie Zara Amina Zofia Efua Elena Chloe",
}
SURNAMES = "Abbott Baker Carver Dunmore Eastman Fletcher Garrow Hensley Ingram Jarvis Kemble Larkin Marlowe Norbury Oakes Penrose Quill Rowley Sedgwick Thorne Underhill Vickers Wexford Yarrow Adeyemi Banerjee Castellano Diaz-Ward Okafor Nowak O'Shea Petrov Rahman Singh Tremblay Zielinski"
NEEDS, NEED_SHARES = ["ASD", "SLCN", "SEMH", "MLD", "PD", "HI", "SLD"], [0.33, 0.23, 0.2, 0.12, 0.06, 0.03, 0.03]
#: Other pupils on Capita's rolls for each plan, and the most of them that are invented.
PUPILS_PER_PLAN, MOST_PUPILS = 11, 3_300_000


def days_from(start: Any, offsets: Any) -> pd.Series:
    """Days so many days after (or, below 0, before) a day or days."""
    days = pd.to_timedelta(np.asarray(offsets), unit="D")
    base = pd.Series(start).to_numpy() if isinstance(start, pd.Series) else start
    return pd.Series(pd.DatetimeIndex(base + days)).astype("datetime64[us]")


def invented_upns(rng: np.random.Generator, count: int) -> pd.Series:
    """So many valid, different UPNs: the check letter is the weighted sum of the other characters, modulo 23."""
    digits = np.char.add(
        COUNCIL, np.char.zfill(((np.arange(count) * 611_953 + rng.integers(0, 10_000)) % 900_000_000).astype(str), 9)
    )
    total = sum(
        (np.frombuffer("".join(digits).encode(), dtype=np.uint8).reshape(-1, 12)[:, i].astype(int) - 48) * (i + 2)
        for i in range(12)
    )
    return pd.Series(np.char.add(np.array(list(UPN_LETTERS))[total % 23], digits), dtype="str")


class Council:
    """The invented facts as frames, one per extract, in the columns of the export layout; dates stay dates until they are written."""

    def __init__(self, plans: int, seed: int, end: pd.Timestamp, pupils_per_plan: int = PUPILS_PER_PLAN) -> None:
        self.rng, self.end, self.plans = np.random.default_rng(seed), end, plans
        self.assessed = max(6, plans // 10)
        self.pupils = min(plans * pupils_per_plan, MOST_PUPILS)
        self.gone: list[tuple[str, str, int, int]] = []
        self.places = invent_places()
        self._children()
        self._casework()
        self._reviews()
        self._care()
        self._visits()

    def _children(self) -> None:
        rng = self.rng
        count = self.plans + self.assessed + self.pupils
        planned = self.plans + self.assessed
        age = np.where(
            np.arange(count) < planned, np.clip(rng.normal(11.5, 4.3, count), 4.3, 23.8), rng.uniform(4.3, 16.5, count)
        )
        sex = np.where(rng.random(count) < 0.68, "M", "F")
        names = {s: np.array(FORENAMES[s].split()) for s in FORENAMES}
        frame = pd.DataFrame({"true_id": [f"T{n:07d}" for n in range(1, count + 1)], "sex": sex})
        frame["forename"] = np.where(sex == "M", rng.choice(names["M"], count), rng.choice(names["F"], count))
        frame["surname"] = rng.choice(np.array(SURNAMES.split()), count)
        frame["born"] = (self.end - pd.to_timedelta((age * 365.25).astype(int), unit="D")).astype("datetime64[us]")
        frame["upn"] = invented_upns(rng, count)
        frame["house"] = rng.integers(1, 190, count).astype(str)
        frame["street"] = np.char.add(rng.choice(np.array(STREETS), count), " Road")
        frame["postcode"] = self.places.postcodes["postcode"].to_numpy()[
            rng.integers(0, len(self.places.postcodes), count)
        ]
        frame["need"] = rng.choice(NEEDS, count, p=NEED_SHARES)
        frame["synergy"] = np.where(np.arange(count) < planned, (310000 + rng.permutation(count)).astype(str), "")
        frame["capita"] = (2000000 + rng.permutation(count)).astype(str)
        frame["liquidlogic"] = ""
        frame["age"] = age
        special = np.arange(count) % 4 == 0
        urn = np.where(
            age >= 18.5,
            rng.choice(self.places.by_kind["18"], count),
            np.where(age < 11.6, rng.choice(self.places.primary, count), rng.choice(self.places.high, count)),
        )
        frame["urn"] = np.where(
            (np.arange(count) < planned) & special & (age < 18.5), rng.choice(self.places.by_kind["44"], count), urn
        )
        self.children = frame

    def _casework(self) -> None:
        rng, end = self.rng, self.end
        kids = self.children.iloc[: self.plans]
        oldest = np.minimum(kids["age"].to_numpy() - 2.5, 8.0)
        since = (rng.uniform(0.08, 1, len(kids)) * oldest * 365).astype(int) + 15
        started = days_from(end, -since)
        asked = days_from(started, -rng.integers(90, 190, len(kids)))
        self.requests = pd.DataFrame(
            {
                "EHC Request ID": np.arange(40000, 40000 + self.plans + self.assessed).astype(str),
                "Pupil ID": self.children["synergy"].iloc[: self.plans + self.assessed],
                "Date Request Received": pd.concat(
                    [asked, days_from(end, -rng.integers(5, 100, self.assessed))], ignore_index=True
                ),
                "Request Source": rng.choice(["1", "2", "3"], self.plans + self.assessed),
            }
        )
        received = self.requests["Date Request Received"]
        is_plan = np.arange(len(self.requests)) < self.plans
        self.requests["Decision Date"] = (received + pd.Timedelta(days=30)).where(
            is_plan | (received + pd.Timedelta(days=30) <= end)
        )
        self.requests["Decision"] = np.where(self.requests["Decision Date"].notna(), "Y", "A")
        self.requests["Outcome Date"] = pd.concat([started, pd.Series([pd.NaT] * self.assessed)], ignore_index=True)
        self.requests["Outcome"], self.requests["20 Week Exception"] = np.where(is_plan, "Y", ""), "0"
        self.ehc_plans = pd.DataFrame(
            {
                "EHCP ID": np.arange(70000, 70000 + self.plans).astype(str), "Pupil ID": kids["synergy"], "EHC Request ID": self.requests["EHC Request ID"].iloc[: self.plans],
                "Maintaining LA": COUNCIL, "Start Date": started, "Date Ceased": pd.NaT, "Cease Reason": "", "Section I URN": kids["urn"], "Section I UKPRN": "",
                "Section I SEN Setting": "", "Section I Setting Name": kids["urn"].map(self.places.names()), "Transferred In From LA": "", "Transfer In Date": pd.NaT, "Primary Need": kids["need"],
            }
        )  # fmt: skip
        kind = kids["urn"].map(self.places.settings.set_index("URN")["TypeOfEstablishment (code)"])
        local = kids["urn"].map(self.places.settings.set_index("URN")["LA (code)"]) == COUNCIL
        entered = pd.Timestamp(end.year if end.month >= 9 else end.year - 1, 9, 2)
        self.placements = pd.DataFrame(
            {
                "Placement ID": np.arange(600000, 600000 + self.plans).astype(str), "Pupil ID": kids["synergy"], "School URN": kids["urn"], "UKPRN": "", "SEN Setting": "",
                "Placement Name": kids["urn"].map(self.places.names()), "Provision Type": kind.map(PROVISION), "Placement Rank": "1",
                "Start Date": entered, "End Date": pd.NaT, "Residential": "", "In Authority?": np.where(local, "Y", "N"),
            }
        )  # fmt: skip
        self.home_education = pd.DataFrame(columns=["Ehe ID", "Pupil ID", "Start Date", "End Date", "Reason"])
        self.awaiting = pd.DataFrame(
            columns=["Wait ID", "Pupil ID", "Awaiting Since", "Date Closed", "Type Sought", "Reason", "Last Update"]
        )
        everyone = self.children
        self.rolls = pd.DataFrame(
            {
                "HIST_ID": np.arange(5000000, 5000000 + len(everyone)).astype(str), "STUD_ID": everyone["capita"], "BASE_URN": everyone["urn"],
                "BASE_NAME": everyone["urn"].map(self.places.names()).str.upper(), "ENROL_STATUS": "C", "START_DATE": entered, "END_DATE": pd.NaT,
            }
        )  # fmt: skip
        self.missing_education = pd.DataFrame(
            {
                "CASE_ID": ["77000"],
                "STUD_ID": everyone["capita"].iloc[[self.plans + self.assessed]].to_numpy(),
                "START_DATE": days_from(end, [-90]),
                "END_DATE": days_from(end, [-60]),
                "REASON": "Moved",
            }
        )

    def _reviews(self) -> None:
        rng, end, found = self.rng, self.end, []
        plans = self.ehc_plans
        late = rng.random(len(plans)) < 0.14
        for year in range(1, 9):
            met = days_from(plans["Start Date"], 365 * year - 40 + rng.integers(-20, 25, len(plans)))
            keep = (met <= end) & ~(late & (met > end - pd.Timedelta(days=380)))
            outcome = rng.choice(["M", "A"], len(plans), p=[0.55, 0.45])
            decided = days_from(met, rng.integers(8, 27, len(plans)))
            amend = outcome == "A"
            part = pd.DataFrame(
                {
                    "Pupil ID": plans["Pupil ID"], "EHCP ID": plans["EHCP ID"], "Review Meeting Date": met, "Report Sent": met + pd.Timedelta(days=6), "Decision Date": decided,
                    "Outcome": outcome, "Proposed Amendments Sent": decided.where(amend), "Final Amended Plan Sent": days_from(met, rng.integers(45, 82, len(plans))).where(amend),
                }
            )  # fmt: skip
            found.append(part[keep.to_numpy()])
        self.reviews = pd.concat(found, ignore_index=True)
        self.reviews.insert(0, "Review ID", np.arange(200000, 200000 + len(self.reviews)).astype(str))

    def _care(self) -> None:
        rng, end, kids = self.rng, self.end, self.children
        known = kids.index[
            (kids.index < self.plans) & (kids.index % 11 == 3)
            | (kids.index >= self.plans + self.assessed) & (kids.index % 60 == 7)
        ]
        self.children.loc[known, "liquidlogic"] = (500000 + rng.permutation(len(known))).astype(str)
        people = self.children.loc[known].reset_index(drop=True)
        in_care = people.iloc[::4]
        begun = days_from(end, -rng.integers(200, 900, len(in_care)))
        self.care_placements = pd.DataFrame(
            {
                "PLACEMENT_ID": np.arange(330000, 330000 + len(in_care)).astype(str), "DIM_PERSON_ID": in_care["liquidlogic"], "CLA_ID": (np.arange(len(in_care)) + 44000).astype(str),
                "CLA_START_DTTM": begun.to_numpy(), "LEGAL_STATUS": "C2", "START_DTTM": begun.to_numpy(), "END_DTTM": pd.NaT, "PLACEMENT_TYPE_CODE": "U6", "PLACEMENT_PROVIDER_CODE": "PR1",
                "POSTCODE": in_care["postcode"], "CARE_REASON_END_CODE": "",
            }
        )  # fmt: skip
        self.addresses = pd.DataFrame(
            {
                "ADDRESS_ID": np.arange(1200000, 1200000 + len(people)).astype(str), "DIM_PERSON_ID": people["liquidlogic"], "TYPE_CODE": "HOME", "START_DTTM": end - pd.Timedelta(days=700),
                "END_DTTM": pd.NaT, "HOUSE_NO": people["house"], "STREET": people["street"], "TOWN": "Saltmere", "POSTCODE": people["postcode"],
                "RESTRICTED_FLAG": np.where(np.arange(len(people)) % 29 == 5, "Y", "N"),
            }
        )  # fmt: skip
        self.involvements = pd.DataFrame(
            {
                "INV_ID": np.arange(710000, 710000 + len(people)).astype(str), "DIM_PERSON_ID": people["liquidlogic"], "ALLOCATED_WORKER": "Sam Invented", "ALLOCATED_TEAM": "Children's Team",
                "START_DTTM": end - pd.Timedelta(days=400), "END_DTTM": pd.NaT, "CIN_FLAG": "Y", "DISABLED_FLAG": "N", "EHC_PLAN_FLAG": "N",
            }
        )  # fmt: skip
        self.missing_episodes = pd.DataFrame(
            {
                "EPISODE_ID": ["52000"],
                "DIM_PERSON_ID": people["liquidlogic"].iloc[[-1]].to_numpy(),
                "START_DTTM": days_from(end, [-200]),
                "END_DTTM": days_from(end, [-198]),
                "MISSING_STATUS": "M",
                "RETURN_INTERVIEW_OFFERED": "YES",
            }
        )
        spans = [days_from(end, -rng.integers(0, 6, len(in_care)) - 30 * step) for step in range(8)]
        self.care_visits = pd.concat(
            [
                pd.DataFrame(
                    {
                        "DIM_PERSON_ID": in_care["liquidlogic"].to_numpy(),
                        "TYPE_CODE": "STVL",
                        "EVENT_DTTM": when,
                        "SEEN_FLAG": "Y",
                        "SEEN_ALONE_FLAG": "Y",
                    }
                )
                for when in spans
            ],
            ignore_index=True,
        )
        self.care_visits.insert(0, "CASENOTE_ID", np.arange(6600000, 6600000 + len(self.care_visits)).astype(str))

    def _visits(self) -> None:
        away = self.placements[self.placements["In Authority?"] == "N"]
        when = days_from(self.end, -self.rng.integers(5, 40, len(away)))
        self.visits = pd.DataFrame(
            {
                "Visit ID": np.arange(880000, 880000 + len(away)).astype(str), "Pupil ID": away["Pupil ID"].to_numpy(), "Date of Visit": when, "Purpose": "Out of authority",
                "Officer": "Alex Invented", "Child Seen?": "Y",
            }
        )  # fmt: skip
