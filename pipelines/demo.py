"""An invented council: nightly extracts of three systems, with known faults and the answers beside them.

Every child, school and street is made up; council code 883 is used only so that identifiers have a valid form. The same seed gives the
same council. All of it is generated as at the last night; an earlier night is the same with what had not happened yet taken out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from config.identifiers import UPN_LETTERS

FORENAMES = {
    "M": "Noah Oliver George Arthur Muhammad Leo Harry Oscar Archie Henry Theo Freddie Jack Charlie Alfie Jacob Thomas Finley Isaac Adam Tomasz Yusuf Kofi Luca",
    "F": "Olivia Amelia Isla Ava Lily Ivy Freya Florence Willow Rosie Sophia Grace Daisy Elsie Maya Poppy Phoebe Evie Zara Amina Zofia Efua Elena Chloe",
}
SURNAMES = "Abbott Baker Carver Dunmore Eastman Fletcher Garrow Hensley Ingram Jarvis Kemble Larkin Marlowe Norbury Oakes Penrose Quill Rowley Sedgwick Thorne Underhill Vickers Wexford Yarrow Adeyemi Banerjee Castellano Diaz-Ward Okafor Nowak O'Shea Petrov Rahman Singh Tremblay Zielinski"
STREETS = [
    "Alder",
    "Beacon",
    "Chapel",
    "Dene",
    "Elm",
    "Ferry",
    "Glebe",
    "Heron",
    "Ivy",
    "Juniper",
    "Kestrel",
    "Laurel",
    "Mill",
    "Nettle",
    "Orchard",
    "Priory",
    "Quarry",
    "Rowan",
    "Sorrel",
    "Thistle",
]
NEEDS, NEED_SHARES = ["ASD", "SLCN", "SEMH", "MLD", "PD", "HI", "SLD"], [0.33, 0.23, 0.2, 0.12, 0.06, 0.03, 0.03]
COUNCIL, NEIGHBOUR = "883", "881"
#: Other pupils on Capita's rolls for each plan, and the most of them that are invented.
PUPILS_PER_PLAN, MOST_PUPILS = 11, 3_300_000


@dataclass(frozen=True)
class Demo:
    """The nights with their folders, oldest first, and the folder of the answers."""

    nights: list[tuple[date, Path]]
    truth: Path


def invent(
    folder: Path,
    plans: int = 600,
    nights: int = 3,
    seed: int = 1,
    *,
    end: date,
    progress: Callable[[str], None] | None = None,
) -> Demo:
    """Write the extracts of an invented council for some nights that end with `end`, and the answer key under ``truth``."""
    council = Council(plans, seed, pd.Timestamp(end))
    planted = council.plant(nights)
    written = []
    for place in range(nights):
        night = end - timedelta(days=nights - 1 - place)
        where = folder / f"night-{night}"
        council.write(where, pd.Timestamp(night), place, nights)
        written.append((night, where))
        if progress:
            progress(str(night))
    truth = folder / "truth"
    truth.mkdir(parents=True, exist_ok=True)
    council.answers(truth, planted, [night for night, _ in written])
    (folder / "README.md").write_text(
        "# An invented council\n\nEvery child, school and street here is made up. One folder a night in the layout of a council's export;"
        " `truth/` says which faults were planted and which records are one child.\n",
        encoding="utf-8",
    )
    return Demo(written, truth)


def _days(start: Any, offsets: Any) -> pd.Series:
    days = pd.to_timedelta(np.asarray(offsets), unit="D")
    base = pd.Series(start).to_numpy() if isinstance(start, pd.Series) else start
    return pd.Series(pd.DatetimeIndex(base + days)).astype("datetime64[us]")


def _upns(rng: np.random.Generator, count: int) -> pd.Series:
    """Valid, different UPNs: the check letter is the weighted sum of the other characters, modulo 23."""
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
        self._settings()
        self._children()
        self._casework()
        self._reviews()
        self._care()
        self._visits()

    def _settings(self) -> None:
        rows: list[tuple[Any, ...]] = []
        kinds = [
            ("Primary School", "34", 4, 11, 40),
            ("High School", "34", 11, 18, 24),
            ("Special School", "44", 3, 19, 10),
            ("College", "18", 16, 99, 6),
        ]
        number = 900100
        for kind, code, low, high, count in kinds:
            for place in range(count):
                away = place % 8 == 7
                number += 7
                rows.append(
                    (
                        str(number),
                        NEIGHBOUR if away else COUNCIL,
                        f"{STREETS[place % 20]} {STREETS[(place * 3 + 5) % 20]} {kind}",
                        code,
                        low,
                        high,
                        str(10080000 + len(rows)),
                    )
                )
        frame = pd.DataFrame(
            rows,
            columns=[
                "URN",
                "LA (code)",
                "EstablishmentName",
                "TypeOfEstablishment (code)",
                "StatutoryLowAge",
                "StatutoryHighAge",
                "UKPRN",
            ],
        )
        names = {"34": "Academy converter", "44": "Academy special converter", "18": "Further education"}
        frame["LA (name)"] = frame["LA (code)"].map({COUNCIL: "Saltmere", NEIGHBOUR: "Nearby County"})
        frame["EstablishmentNumber"] = range(2000, 2000 + len(frame))
        frame["TypeOfEstablishment (name)"] = frame["TypeOfEstablishment (code)"].map(names)
        frame["EstablishmentStatus (code)"], frame["EstablishmentStatus (name)"] = "1", "Open"
        frame["OpenDate"], frame["CloseDate"] = "01-09-2012", ""
        frame["PhaseOfEducation (name)"] = frame["TypeOfEstablishment (code)"].map(
            {"34": "Not applicable", "44": "Not applicable", "18": "16 plus"}
        )
        frame["Boarders (name)"], frame["Section41Approved (name)"], frame["TypeOfResourcedProvision (name)"] = (
            "No boarders",
            "Not applicable",
            "Not applicable",
        )
        frame["Postcode"] = [f"SM{1 + place % 9} {place % 10}AB" for place in range(len(frame))]
        closed = frame.iloc[[0]].assign(
            URN="900001",
            UKPRN="10089999",
            EstablishmentNumber=1999,
            CloseDate="31-08-2019",
            **{"EstablishmentStatus (code)": "2", "EstablishmentStatus (name)": "Closed"},
        )
        before = frame.iloc[[1]].assign(
            URN="900002",
            UKPRN="10089998",
            EstablishmentNumber=1998,
            CloseDate="31-08-2022",
            **{"EstablishmentStatus (code)": "2", "EstablishmentStatus (name)": "Closed"},
        )
        self.settings = pd.concat([frame, closed, before], ignore_index=True)
        self.setting_links = pd.DataFrame(
            [("900002", frame["URN"][1], frame["EstablishmentName"][1], "Successor", "01-09-2022")],
            columns=["URN", "LinkURN", "LinkName", "LinkType", "LinkEstablishedDate"],
        )
        self.postcodes = pd.DataFrame(
            [(f"SM{a} {b}{c}{d}", COUNCIL) for a in range(1, 10) for b in range(10) for c in "ABDEF" for d in "GHJLN"],
            columns=["postcode", "la_code"],
        )
        self._by_kind = {
            code: (frame[frame["TypeOfEstablishment (code)"] == code]["URN"].to_numpy()) for code in ("34", "44", "18")
        }
        self._primary = frame[frame["StatutoryHighAge"] == 11]["URN"].to_numpy()
        self._high = frame[(frame["StatutoryHighAge"] == 18)]["URN"].to_numpy()

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
        frame["upn"] = _upns(rng, count)
        frame["house"] = rng.integers(1, 190, count).astype(str)
        frame["street"] = np.char.add(rng.choice(np.array(STREETS), count), " Road")
        frame["postcode"] = self.postcodes["postcode"].to_numpy()[rng.integers(0, len(self.postcodes), count)]
        frame["need"] = rng.choice(NEEDS, count, p=NEED_SHARES)
        frame["synergy"] = np.where(np.arange(count) < planned, (310000 + rng.permutation(count)).astype(str), "")
        frame["capita"] = (2000000 + rng.permutation(count)).astype(str)
        frame["liquidlogic"] = ""
        frame["age"] = age
        special = np.arange(count) % 4 == 0
        urn = np.where(
            age >= 18.5,
            rng.choice(self._by_kind["18"], count),
            np.where(age < 11.6, rng.choice(self._primary, count), rng.choice(self._high, count)),
        )
        frame["urn"] = np.where(
            (np.arange(count) < planned) & special & (age < 18.5), rng.choice(self._by_kind["44"], count), urn
        )
        self.children = frame

    def _casework(self) -> None:
        rng, end = self.rng, self.end
        kids = self.children.iloc[: self.plans]
        oldest = np.minimum(kids["age"].to_numpy() - 2.5, 8.0)
        since = (rng.uniform(0.08, 1, len(kids)) * oldest * 365).astype(int) + 15
        started = _days(end, -since)
        asked = _days(started, -rng.integers(90, 190, len(kids)))
        self.requests = pd.DataFrame(
            {
                "EHC Request ID": np.arange(40000, 40000 + self.plans + self.assessed).astype(str),
                "Pupil ID": self.children["synergy"].iloc[: self.plans + self.assessed],
                "Date Request Received": pd.concat(
                    [asked, _days(end, -rng.integers(5, 100, self.assessed))], ignore_index=True
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
                "Section I SEN Setting": "", "Section I Setting Name": kids["urn"].map(self._names()), "Transferred In From LA": "", "Transfer In Date": pd.NaT, "Primary Need": kids["need"],
            }
        )  # fmt: skip
        kind = kids["urn"].map(self.settings.set_index("URN")["TypeOfEstablishment (code)"])
        local = kids["urn"].map(self.settings.set_index("URN")["LA (code)"]) == COUNCIL
        entered = pd.Timestamp(end.year if end.month >= 9 else end.year - 1, 9, 2)
        self.placements = pd.DataFrame(
            {
                "Placement ID": np.arange(600000, 600000 + self.plans).astype(str), "Pupil ID": kids["synergy"], "School URN": kids["urn"], "UKPRN": "", "SEN Setting": "",
                "Placement Name": kids["urn"].map(self._names()), "Provision Type": kind.map({"34": "Mainstream", "44": "Special", "18": "Further education"}), "Placement Rank": "1",
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
                "BASE_NAME": everyone["urn"].map(self._names()).str.upper(), "ENROL_STATUS": "C", "START_DATE": entered, "END_DATE": pd.NaT,
            }
        )  # fmt: skip
        self.missing_education = pd.DataFrame(
            {
                "CASE_ID": ["77000"],
                "STUD_ID": everyone["capita"].iloc[[self.plans + self.assessed]].to_numpy(),
                "START_DATE": _days(end, [-90]),
                "END_DATE": _days(end, [-60]),
                "REASON": "Moved",
            }
        )

    def _names(self) -> pd.Series:
        return self.settings.set_index("URN")["EstablishmentName"]

    def _reviews(self) -> None:
        rng, end, found = self.rng, self.end, []
        plans = self.ehc_plans
        late = rng.random(len(plans)) < 0.14
        for year in range(1, 9):
            met = _days(plans["Start Date"], 365 * year - 40 + rng.integers(-20, 25, len(plans)))
            keep = (met <= end) & ~(late & (met > end - pd.Timedelta(days=380)))
            outcome = rng.choice(["M", "A"], len(plans), p=[0.55, 0.45])
            decided = _days(met, rng.integers(8, 27, len(plans)))
            amend = outcome == "A"
            part = pd.DataFrame(
                {
                    "Pupil ID": plans["Pupil ID"], "EHCP ID": plans["EHCP ID"], "Review Meeting Date": met, "Report Sent": met + pd.Timedelta(days=6), "Decision Date": decided,
                    "Outcome": outcome, "Proposed Amendments Sent": decided.where(amend), "Final Amended Plan Sent": _days(met, rng.integers(45, 82, len(plans))).where(amend),
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
        self.carers = people
        in_care = people.iloc[::4]
        begun = _days(end, -rng.integers(200, 900, len(in_care)))
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
                "START_DTTM": _days(end, [-200]),
                "END_DTTM": _days(end, [-198]),
                "MISSING_STATUS": "M",
                "RETURN_INTERVIEW_OFFERED": "YES",
            }
        )
        spans = [_days(end, -rng.integers(0, 6, len(in_care)) - 30 * step) for step in range(8)]
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
        when = _days(self.end, -self.rng.integers(5, 40, len(away)))
        self.visits = pd.DataFrame(
            {
                "Visit ID": np.arange(880000, 880000 + len(away)).astype(str), "Pupil ID": away["Pupil ID"].to_numpy(), "Date of Visit": when, "Purpose": "Out of authority",
                "Officer": "Alex Invented", "Child Seen?": "Y",
            }
        )  # fmt: skip

    def plant(self, nights: int) -> list[tuple[str, str, int]]:
        """Put known faults on clean children. Gives (rule, true_id, first night on which it shows, counted from 0)."""
        planted: list[tuple[str, str, int]] = []
        plain = self.children.iloc[: self.plans]
        local = (self.placements["In Authority?"] == "Y").to_numpy()
        clean = plain.index[
            (plain["liquidlogic"] == "").to_numpy() & local & plain["age"].between(6.2, 15.5).to_numpy()
        ]
        reviewed = set(self.reviews.loc[self.reviews["Decision Date"] > self.end - pd.Timedelta(days=300), "Pupil ID"])
        clean = [i for i in clean if plain.at[i, "synergy"] in reviewed]
        take = iter(clean)
        each = max(1, self.plans // 400)

        def fault(rule: str, change: Callable[[int], None], count: int = each, first: int = 0) -> None:
            for _ in range(count):
                child = next(take, None)
                if child is not None:
                    change(child)
                    planted.append((rule, self.children.at[child, "true_id"], first))

        def put(frame: str, column: str, value: Any) -> Callable[[int], None]:
            def change(child: int) -> None:
                table = getattr(self, frame)
                table.loc[child, column] = value

            return change

        def without_roll(child: int) -> None:
            self.rolls.loc[child, "END_DATE"] = self.end - pd.Timedelta(days=200)

        def unseen(child: int) -> None:
            self.reviews = self.reviews[self.reviews["Pupil ID"] != self.children.at[child, "synergy"]]

        def drop_placement(child: int) -> None:
            self.placements = self.placements.drop(child)

        def lost(child: int) -> None:
            without_roll(child)
            unseen(child)
            self.placements.loc[child, ["Start Date", "End Date"]] = [
                self.end - pd.Timedelta(days=500),
                self.end - pd.Timedelta(days=180),
            ]

        def recorded(child: int) -> None:
            without_roll(child)
            unseen(child)

        def moved(child: int) -> None:
            others = self._primary if self.children.at[child, "age"] < 11.6 else self._high
            self.rolls.loc[child, "BASE_URN"] = (
                others[0] if self.rolls.loc[child, "BASE_URN"] != others[0] else others[1]
            )

        def waiting(child: int) -> None:
            self.placements.loc[child, "End Date"] = self.end - pd.Timedelta(days=40)
            row = {
                "Wait ID": str(9000 + child),
                "Pupil ID": self.children.at[child, "synergy"],
                "Awaiting Since": self.end - pd.Timedelta(days=40),
                "Type Sought": "Special school",
                "Last Update": self.end - pd.Timedelta(days=10),
            }
            self.awaiting = pd.concat([self.awaiting, pd.DataFrame([row])], ignore_index=True)

        def missing(child: int) -> None:
            row = {
                "CASE_ID": str(78000 + child),
                "STUD_ID": self.children.at[child, "capita"],
                "START_DATE": self.end - pd.Timedelta(days=20),
                "REASON": "Moved, destination unknown",
            }
            self.missing_education = pd.concat([self.missing_education, pd.DataFrame([row])], ignore_index=True)

        fault("PL01", drop_placement)
        fault("PL02", put("placements", "End Date", self.end - pd.Timedelta(days=30)))
        fault("PL04", put("placements", "School URN", ""))
        fault("PL05", put("placements", "School URN", "987654"))
        fault("PL06", put("placements", "School URN", "900001"))
        fault("PL07", put("ehc_plans", "Section I URN", self._by_kind["44"][2]))
        fault("PL13", put("placements", "Provision Type", ""))
        fault("WH01", lost)
        fault("WH10", recorded)
        fault("WH02", moved)
        fault("WH07", missing)
        fault("AW01", waiting)
        fault("PD08", put("ehc_plans", "Cease Reason", "2"))
        fault("PD03", put("requests", "Decision Date", self.end + pd.Timedelta(days=300)))
        fault("ID05", put("children", "upn", "A883123456789"))
        for name, last_seen, back in (("synergy", nights - 2, nights), ("capita", nights - 2, nights)):
            child = next(take, None)
            if child is not None and nights >= 2 and not (name == "capita" and nights < 3):
                self.gone.append((name, self.children.at[child, name], last_seen, back))
                planted.append(("SR08", self.children.at[child, "true_id"], last_seen + 1))
        return planted

    def write(self, folder: Path, night: pd.Timestamp, place: int, nights: int) -> None:
        """Write one night: what had not happened yet is left out, and the night's feed faults are put in."""
        kids = self.children
        planned = kids.iloc[: self.plans + self.assessed]
        pupils = pd.DataFrame(
            {
                "Pupil ID": planned["synergy"], "UPN": planned["upn"], "ULN": "", "No UPN Reason": "", "Legal Surname": planned["surname"], "Legal Forename": planned["forename"], "Known As": "",
                "Date of Birth": planned["born"], "Sex": planned["sex"], "Ethnicity": "WBRI", "Primary Need": planned["need"], "NC Year": "", "House No": planned["house"],
                "Street": planned["street"], "Town": "Saltmere", "Postcode": planned["postcode"],
            }
        )  # fmt: skip
        students = pd.DataFrame(
            {
                "STUD_ID": kids["capita"], "UPN": kids["upn"], "ULN": "", "UPN_UNKNOWN": "", "SURNAME": kids["surname"].str.upper(), "FORENAME": kids["forename"].str.upper(),
                "CHOSEN_SURNAME": "", "DOB": kids["born"], "SEX": kids["sex"], "HOUSE": kids["house"], "STREET": kids["street"].str.upper(), "POSTCODE": kids["postcode"], "HOME_LA": COUNCIL,
                "SEN_STATUS": np.where(np.arange(len(kids)) < self.plans, "E", "N"),
            }
        )  # fmt: skip
        persons = pd.DataFrame(
            {
                "DIM_PERSON_ID": self.carers["liquidlogic"], "LEGACY_ID": "LL" + self.carers["liquidlogic"], "UPN": self.carers["upn"].where(np.arange(len(self.carers)) % 5 > 1, "UN1"),
                "FORENAME": self.carers["forename"], "SURNAME": self.carers["surname"], "BIRTH_DTTM": self.carers["born"], "DOB_ESTIMATED": "N", "GENDER_MAIN_CODE": self.carers["sex"],
                "ETHNICITY_MAIN_CODE": "WBRI", "DEATH_DTTM": pd.NaT, "DUPLICATED_DTTM": pd.NaT,
            }
        )  # fmt: skip
        reviews = self.reviews[self.reviews["Review Meeting Date"] <= night].copy()
        for column in ("Report Sent", "Decision Date", "Proposed Amendments Sent", "Final Amended Plan Sent"):
            reviews[column] = reviews[column].where(reviews[column] <= night)
        reviews["Outcome"] = reviews["Outcome"].where(reviews["Decision Date"].notna(), "")
        of = self.ehc_plans.set_index("Pupil ID")
        student = planned.set_index("synergy")["capita"]
        held = pd.DataFrame(
            {
                "STUD_ID": of.index.map(student),
                "INVOLVEMENT_TYPE": "EHCP",
                "MAINTAINING_LA": COUNCIL,
                "START_DATE": of["Start Date"].to_numpy(),
                "END_DATE": of["Date Ceased"].to_numpy(),
            }
        )
        local = {"M": "NOCHG", "A": "AMD", "": ""}
        mirrored = pd.DataFrame(
            {
                "STUD_ID": reviews["Pupil ID"].map(student), "INVOLVEMENT_TYPE": "EHCP Review", "MAINTAINING_LA": COUNCIL, "START_DATE": reviews["Review Meeting Date"],
                "LA_OUTCOME": reviews["Outcome"].map(local), "DECISION_DATE": reviews["Decision Date"], "AMENDMENT_NOTICE_DATE": reviews["Proposed Amendments Sent"], "FINAL_PLAN_DATE": reviews["Final Amended Plan Sent"],
            }
        )  # fmt: skip
        columns = [
            "STUD_ID",
            "INVOLVEMENT_TYPE",
            "MAINTAINING_LA",
            "START_DATE",
            "END_DATE",
            "LA_OUTCOME",
            "DECISION_DATE",
            "AMENDMENT_NOTICE_DATE",
            "FINAL_PLAN_DATE",
        ]
        of_capita = pd.concat([held, mirrored], ignore_index=True).reindex(columns=columns)
        of_capita.insert(0, "INV_ID", np.arange(900000, 900000 + len(of_capita)).astype(str))
        if place == 1 and nights >= 3:
            students = students.iloc[: int(len(students) * 0.8)]
        home = self.home_education
        if place == nights - 1 and nights >= 2:
            home = home.rename(columns={"Reason": "Reason Given"}).assign(Approved="")
        synergy = {
            "pupils": pupils,
            "ehc_requests": self.requests,
            "ehc_plans": self.ehc_plans,
            "placements": self.placements,
            "annual_reviews": reviews,
            "home_education": home,
            "awaiting_provision": self.awaiting,
        }
        capita = {
            "students": students,
            "school_history": self.rolls,
            "involvements": of_capita,
            "missing_education": self.missing_education,
        }
        care = {
            "persons": persons,
            "addresses": self.addresses,
            "cla_placements": self.care_placements,
            "visits": self.care_visits[self.care_visits["EVENT_DTTM"] <= night],
            "missing_episodes": self.missing_episodes,
            "involvements": self.involvements,
        }
        synergy["home_education"] = (
            home
            if len(home)
            else pd.DataFrame(
                [
                    [
                        "15000",
                        planned["synergy"].iloc[-1],
                        night - pd.Timedelta(days=900),
                        night - pd.Timedelta(days=700),
                        "",
                        *[""] * (len(home.columns) - 5),
                    ]
                ],
                columns=home.columns,
            )
        )
        people = {"synergy": "Pupil ID", "capita": "STUD_ID"}
        for system, source_id, last, back in self.gone:
            if last < place < back:
                tables = synergy if system == "synergy" else capita
                for name, frame in tables.items():
                    tables[name] = frame[frame[people[system]] != source_id]
        synergy["ehc_plans"] = _damaged(synergy["ehc_plans"], "Total")
        synergy["pupils"] = pd.concat([synergy["pupils"], synergy["pupils"].iloc[[5]]])
        for name, frame in synergy.items():
            _csv(frame, folder / "synergy" / f"{name}.csv", "utf-8-sig", ",", "%d/%m/%Y")
        _visits_workbook(
            self.visits[self.visits["Date of Visit"] <= night], folder / "synergy" / "monitoring_visits.xlsx"
        )
        for name, frame in capita.items():
            _csv(frame, folder / "capita" / f"{name}.csv", "utf-8", "|", "%Y-%m-%d")
        lookup = pd.DataFrame(
            [
                ("0441", "NOCHG", "Maintain, no change", "M"),
                ("0441", "AMD", "Amend", "A"),
                ("0441", "CEASE", "Cease", "C"),
            ],
            columns=["TABLE_ID", "CODE", "DESCRIPTION", "SEN2_CODE"],
        )
        _csv(lookup, folder / "capita" / "lookup_0441_review_outcome.csv", "utf-8", "|", "%Y-%m-%d")
        if not (place == 2 and nights >= 3):
            for name, frame in care.items():
                _csv(frame, folder / "liquidlogic" / f"{name}.csv", "cp1252", ",", "%Y-%m-%d 00:00:00.000")
        reference = {
            "edubasealldata": self.settings,
            "links_edubasealldata": self.setting_links,
            "postcodes": self.postcodes,
        }
        for name, frame in reference.items():
            _csv(frame, folder / "reference" / f"{name}.csv", "cp1252", ",", "%d-%m-%Y")

    def answers(self, folder: Path, planted: list[tuple[str, str, int]], nights: list[date]) -> None:
        """The key: which records are one child, and which planted fault shows on which night."""
        kids = self.children
        parts = [
            kids.loc[kids[s] != "", ["true_id", s]].set_axis(["true_id", "source_id"], axis=1).assign(system=s)
            for s in ("synergy", "capita", "liquidlogic")
        ]
        pd.concat(parts)[["true_id", "system", "source_id"]].to_csv(folder / "people.csv", index=False)
        for place, night in enumerate(nights):
            rows = [(rule, true_id, "must") for rule, true_id, first in planted if first <= place]
            pd.DataFrame(rows, columns=["rule", "true_id", "strength"]).to_csv(
                folder / f"exceptions-{night}.csv", index=False
            )


def _damaged(frame: pd.DataFrame, word: str) -> pd.DataFrame:
    banner = pd.DataFrame([[word, *[""] * (len(frame.columns) - 2), "end of report"]], columns=frame.columns)
    return pd.concat([frame.iloc[:5].astype(object), banner, frame.iloc[5:].astype(object)], ignore_index=True)


def _csv(frame: pd.DataFrame, path: Path, encoding: str, separator: str, dates: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out = frame.copy()
    for name in out.columns:
        sample = out[name].dropna()
        if pd.api.types.is_datetime64_any_dtype(out[name]) or (
            len(sample) and isinstance(sample.iloc[0], pd.Timestamp)
        ):
            moments = pd.to_datetime(out[name], errors="coerce")
            text = moments.dt.strftime(dates)
            out[name] = text.where(
                moments.notna(), out[name].astype(object).where(moments.isna() & out[name].notna(), "")
            )
    out.to_csv(path, index=False, encoding=encoding, sep=separator, errors="replace")


def _visits_workbook(frame: pd.DataFrame, path: Path) -> None:
    """Three title rows above the header, and date cells, as the real export has them."""
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Visits")
    for title in ("Saltmere Council (invented)", "Monitoring visits", "Every child is made up"):
        sheet.append([title])
    sheet.append(list(frame.columns))
    for row in frame.itertuples(index=False):
        sheet.append([value.to_pydatetime() if isinstance(value, pd.Timestamp) else value for value in row])
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
