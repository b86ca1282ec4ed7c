"""A night of an invented council as its three systems export it, in the layout of a council's export specification."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from pipelines.demo_council import Council
from pipelines.demo_places import COUNCIL


def write_extracts(council: Council, folder: Path, night: pd.Timestamp, place: int, nights: int) -> None:
    """Write one night: what had not happened yet is left out, and the night's feed faults are put in."""
    kids = council.children
    planned = kids.iloc[: council.plans + council.assessed]
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
            "SEN_STATUS": np.where(np.arange(len(kids)) < council.plans, "E", "N"),
        }
    )  # fmt: skip
    carers = kids[kids["liquidlogic"] != ""].reset_index(drop=True)
    persons = pd.DataFrame(
        {
            "DIM_PERSON_ID": carers["liquidlogic"], "LEGACY_ID": "LL" + carers["liquidlogic"], "UPN": carers["upn"].where(np.arange(len(carers)) % 5 > 1, "UN1"),
            "FORENAME": carers["forename"], "SURNAME": carers["surname"], "BIRTH_DTTM": carers["born"], "DOB_ESTIMATED": "N", "GENDER_MAIN_CODE": carers["sex"],
            "ETHNICITY_MAIN_CODE": "WBRI", "DEATH_DTTM": pd.NaT, "DUPLICATED_DTTM": pd.NaT,
        }
    )  # fmt: skip
    reviews = council.reviews[council.reviews["Review Meeting Date"] <= night].copy()
    for column in ("Report Sent", "Decision Date", "Proposed Amendments Sent", "Final Amended Plan Sent"):
        reviews[column] = reviews[column].where(reviews[column] <= night)
    reviews["Outcome"] = reviews["Outcome"].where(reviews["Decision Date"].notna(), "")
    of = council.ehc_plans.set_index("Pupil ID")
    student = planned.set_index("synergy")["capita"]
    held = pd.DataFrame(
        {
            # A record keeps its number from night to night, whatever comes before it.
            "INV_ID": ("8" + of["EHCP ID"]).to_numpy(),
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
            "INV_ID": "9" + reviews["Review ID"], "STUD_ID": reviews["Pupil ID"].map(student), "INVOLVEMENT_TYPE": "EHCP Review", "MAINTAINING_LA": COUNCIL, "START_DATE": reviews["Review Meeting Date"],
            "LA_OUTCOME": reviews["Outcome"].map(local), "DECISION_DATE": reviews["Decision Date"], "AMENDMENT_NOTICE_DATE": reviews["Proposed Amendments Sent"], "FINAL_PLAN_DATE": reviews["Final Amended Plan Sent"],
        }
    )  # fmt: skip
    columns = [
        "INV_ID",
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
    if place == 1 and nights >= 3:
        students = students.iloc[: int(len(students) * 0.8)]
    home = council.home_education
    if place == nights - 1 and nights >= 2:
        home = home.rename(columns={"Reason": "Reason Given"}).assign(Approved="")
    synergy = {
        "pupils": pupils,
        "ehc_requests": council.requests,
        "ehc_plans": council.ehc_plans,
        "placements": council.placements,
        "annual_reviews": reviews,
        "home_education": home,
        "awaiting_provision": council.awaiting,
    }
    capita = {
        "students": students,
        "school_history": council.rolls,
        "involvements": of_capita,
        "missing_education": council.missing_education,
    }
    care = {
        "persons": persons,
        "addresses": council.addresses,
        "cla_placements": council.care_placements,
        "visits": council.care_visits[council.care_visits["EVENT_DTTM"] <= night],
        "missing_episodes": council.missing_episodes,
        "involvements": council.involvements,
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
    for system, source_id, last, back in council.gone:
        if last < place < back:
            tables = synergy if system == "synergy" else capita
            for name, frame in tables.items():
                tables[name] = frame[frame[people[system]] != source_id]
    synergy["ehc_plans"] = _damaged(synergy["ehc_plans"], "Total")
    synergy["pupils"] = pd.concat([synergy["pupils"], synergy["pupils"].iloc[[5]]])
    for name, frame in synergy.items():
        _csv(frame, folder / "synergy" / f"{name}.csv", "utf-8-sig", ",", "%d/%m/%Y")
    _visits_workbook(
        council.visits[council.visits["Date of Visit"] <= night], folder / "synergy" / "monitoring_visits.xlsx"
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
        "edubasealldata": council.places.settings,
        "links_edubasealldata": council.places.links,
        "postcodes": council.places.postcodes,
    }
    for name, frame in reference.items():
        _csv(frame, folder / "reference" / f"{name}.csv", "cp1252", ",", "%d-%m-%Y")


def _damaged(frame: pd.DataFrame, word: str) -> pd.DataFrame:
    banner = pd.DataFrame([[word, *[""] * (len(frame.columns) - 2), "end of report"]], columns=frame.columns)
    return pd.concat([frame.iloc[:5].astype(object), banner, frame.iloc[5:].astype(object)], ignore_index=True)


def _csv(frame: pd.DataFrame, path: Path, encoding: str, separator: str, dates: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    out = frame.copy()
    for name in out.columns:
        # A banner line in a table makes its dates plain objects, among which are blanks.
        if pd.api.types.is_datetime64_any_dtype(out[name]) or (
            out[name].dtype == object and any(isinstance(value, pd.Timestamp) for value in out[name])
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
