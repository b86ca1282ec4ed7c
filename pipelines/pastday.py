"""What was true on a past day by what is known later: what had not happened by that day is taken out again. Pure: frames in, frames out.

An event dated after the day, and not after the night that is asked, had not happened yet: its row, or its date and what came with it, is left
out. A date after that night too is no event but a mistake, or a plan for later, and stays for the rules to find. Placements that begin
later stay: they were planned. A plan that starts later stays as one that has not begun, so that its system goes on deciding for the child; one
that came from another authority later begins here with its transfer. What carries no date (a name, a need, a flag) is taken as it is known.
"""

from __future__ import annotations

from typing import Any

import pandas as pd

Tables = dict[str, Any]

#: When each table's row came to be: one that began after the day was not there yet.
BEGINS = {
    "requests": ("received_on",), "rolls": ("started_on",), "care_placements": ("started_on",),
    "reviews": ("met_on",), "visits": ("visited_on",), "missing_episodes": ("started_on",), "missing_education": ("started_on",),
    "home_education": ("started_on",), "awaiting": ("started_on",), "involvements": ("started_on",),
}  # fmt: skip
#: Later events of a row, and what was recorded with each.
LATER: dict[str, dict[str, tuple[str, ...]]] = {
    "people": {"died_on": (), "merged_on": ()},
    "requests": {"decided_on": ("decision_code",), "outcome_on": ("outcome_code",)},
    "plans": {"ceased_on": ("cease_reason_code",)},
    "reviews": {
        "report_sent_on": (), "decided_on": ("outcome_code",), "amendments_sent_on": (), "final_plan_on": (), "phase_final_on": (),
    },
}  # fmt: skip


def as_at(tables: Tables, day: pd.Timestamp, known: pd.Timestamp) -> Tables:
    """The canonical tables as they were true at the end of `day`, by what the night of `known` knew. A later day takes nothing out."""
    found = {}
    for name, frame in tables.items():
        if frame is not None:
            begun = pd.Series(True, index=frame.index)
            for column in BEGINS.get(name, ()):
                begun &= ~came_later(frame[column], day, known)
            frame = frame[begun].reset_index(drop=True)
            if name == "plans":
                came = frame["transferred_on"]
                frame = frame.assign(started_on=frame["started_on"].mask(came_later(came, day, known), came))
            for column, with_it in LATER.get(name, {}).items():
                later = came_later(frame[column], day, known)
                frame = frame.assign(**{each: frame[each].mask(later) for each in (column, *with_it)})
        found[name] = frame
    return found


def came_later(dates: pd.Series, day: pd.Timestamp, known: pd.Timestamp) -> pd.Series:
    """Which dates are after the day, and not after the night that is asked: what had not happened yet."""
    return (dates > day) & (dates <= known)


def vanished_by(people: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """The person records that their people feed last carried before `day` and carries no more (``source, source_id, feed, last_carried_on``).

    `people` are those that a night kept, so that what explains a record's going is taken out already.
    """
    newest = people.groupby(["source", "feed"])["carried_on"].transform("max")
    gone = people[(people["carried_on"] < newest) & (people["carried_on"] < day)]
    columns = ["source", "source_id", "feed", "carried_on"]
    return gone[columns].rename(columns={"carried_on": "last_carried_on"}).reset_index(drop=True)
