"""The places of the invented council: its schools and colleges and some of a neighbour's, in the layout of the national register."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

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
COUNCIL, NEIGHBOUR = "883", "881"
#: The provision that a setting gives, by its type.
PROVISION = {"34": "Mainstream", "44": "Special", "18": "Further education"}


@dataclass(frozen=True)
class Places:
    """`settings`, `links` (of successors) and `postcodes`, in the columns of the national files; the URNs open to children by type
    (`by_kind`) and of primary and high schools."""

    settings: pd.DataFrame
    links: pd.DataFrame
    postcodes: pd.DataFrame
    by_kind: dict[str, np.ndarray]
    primary: np.ndarray
    high: np.ndarray

    def names(self) -> pd.Series:
        """Names by URN."""
        return self.settings.set_index("URN")["EstablishmentName"]


def invent_places() -> Places:
    """The same places every time."""
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
    settings = pd.concat([frame, closed, before], ignore_index=True)
    links = pd.DataFrame(
        [("900002", frame["URN"][1], frame["EstablishmentName"][1], "Successor", "01-09-2022")],
        columns=["URN", "LinkURN", "LinkName", "LinkType", "LinkEstablishedDate"],
    )
    postcodes = pd.DataFrame(
        [(f"SM{a} {b}{c}{d}", COUNCIL) for a in range(1, 10) for b in range(10) for c in "ABDEF" for d in "GHJLN"],
        columns=["postcode", "la_code"],
    )
    ages = frame["StatutoryHighAge"]
    return Places(
        settings,
        links,
        postcodes,
        {code: urns.to_numpy() for code, urns in frame.groupby("TypeOfEstablishment (code)")["URN"]},
        frame.loc[ages == 11, "URN"].to_numpy(),
        frame.loc[ages == 18, "URN"].to_numpy(),
    )
