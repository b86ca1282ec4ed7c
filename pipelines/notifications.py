"""Whom to tell of what: reviews ahead, advice that falls due, phase transfers at risk and children new to the area. Pure: frames in, frames out.

The statement of action, weakness 3: "a system that notifies the relevant professionals and services". Recipients are teams: SEN casework has
every child; a social care team has the children it works with; all departments are told of children new to the area. A restricted child is
in SEN casework's lists only, without the setting.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from config.limits import Limits
from outputs.protect import mask_restricted

CASEWORK, EVERYBODY = "SEN casework", "All departments"
REVIEWS, ADVICE, PHASES, NEWCOMERS = "reviews ahead", "advice due", "phase transfers", "new to the area"
#: What a row of any list says; a list leaves empty what it does not speak of.
COLUMNS = (
    "team", "list", "child_id", "due_on", "days_left", "setting_name", "professional", "last_on", "detail", "synergy_id",
)  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """What the lists are made from: the night's rule frames, child facts (`kpi_breakdowns.child_facts`), the day and the limits."""

    frames: dict[str, Any]
    facts: pd.DataFrame
    as_of: pd.Timestamp
    limits: Limits


def notifications(frames: dict[str, Any], facts: pd.DataFrame, as_of: pd.Timestamp, limits: Limits) -> pd.DataFrame:
    """Every line of every list (`COLUMNS`), soonest first within a team and list.

    `frames` are those of `compare.rule_frames`; `facts` has ``team`` and ``caseworker`` by ``child_id``. A child with a social care team is in
    that team's lists as well as in casework's.
    """
    asked = Asked(frames, facts, as_of, limits)
    lines = pd.concat([_reviews(asked), _advice(asked), _phases(asked), _newcomers(asked)], ignore_index=True)
    # A list without lines has no dtypes to hand on.
    lines = lines.assign(**{name: lines[name].astype("datetime64[us]") for name in ("due_on", "last_on")})
    register = frames["register"]
    lines = lines.merge(
        register[["child_id", "setting_name", "synergy_id", "is_restricted"]], on="child_id", how="left"
    )
    lines["professional"] = lines["child_id"].map(facts["caseworker"])
    lines["days_left"] = (lines["due_on"] - as_of).dt.days.astype("Int64")
    lines = mask_restricted(lines, register)
    theirs = lines.assign(team=lines["child_id"].map(facts["team"]))
    theirs = theirs[theirs["team"].notna() & ~theirs["is_restricted"].fillna(False).astype(bool)]
    newcomers = lines[(lines["list"] == NEWCOMERS) & ~lines["is_restricted"].fillna(False).astype(bool)]
    everything = pd.concat([lines.assign(team=CASEWORK), theirs, newcomers.assign(team=EVERYBODY)], ignore_index=True)
    return everything.reindex(columns=list(COLUMNS)).sort_values(
        ["team", "list", "due_on", "child_id"], ignore_index=True
    )


def _reviews(asked: Asked) -> pd.DataFrame:
    """Reviews that fall due from the day to 90 days (set) after it, as RV09 finds them."""
    register = asked.frames["register"]
    last_day = asked.as_of + pd.Timedelta(days=asked.limits.review_soon_days)
    due = register["next_review_due_on"]
    ahead = register[register["has_active_plan"] & (due >= asked.as_of) & (due <= last_day)]
    return pd.DataFrame(
        {
            "list": REVIEWS,
            "child_id": ahead["child_id"],
            "due_on": ahead["next_review_due_on"],
            "last_on": ahead["last_completed_review_on"],
            "detail": "ask for written advice; tell the setting",
        }
    )


def _advice(asked: Asked) -> pd.DataFrame:
    """Assessments in progress whose advice should be in, or falls due in the next 90 days (set): six weeks from the decision to assess
    (SEND Regulations 2014, reg. 8(1)). No extract says when advice came in, so the line says only when it should have.
    """
    requests = asked.frames["requests"]
    if requests is None:
        return pd.DataFrame(columns=["list", "child_id", "due_on", "last_on", "detail"])
    open_ones = requests[requests["is_in_assessment"] & (requests["decided_on"] <= asked.as_of)]
    due = open_ones["decided_on"] + pd.Timedelta(days=asked.limits.advice_days)
    near = due <= asked.as_of + pd.Timedelta(days=asked.limits.review_soon_days)
    passed = (due < asked.as_of).map({True: "should be in: check what is missing", False: "falls due"})
    return pd.DataFrame(
        {
            "list": ADVICE,
            "child_id": open_ones["child_id"],
            "due_on": due,
            "last_on": open_ones["decided_on"],
            "detail": passed,
        }
    )[near].drop_duplicates("child_id", keep="last")


def _phases(asked: Asked) -> pd.DataFrame:
    """Phase transfers without a final plan whose deadline passed or comes in the next 90 days (set), as RV08 and RV12 find them (reg. 18(1))."""
    reviews = asked.frames["reviews"]
    if reviews is None:
        return pd.DataFrame(columns=["list", "child_id", "due_on", "last_on", "detail"])
    last_day = asked.as_of + pd.Timedelta(days=asked.limits.phase_risk_days)
    at_risk = reviews[
        reviews["has_active_plan"] & (reviews["phase_due_on"] <= last_day) & reviews["phase_final_on"].isna()
    ]
    return pd.DataFrame(
        {
            "list": PHASES,
            "child_id": at_risk["child_id"],
            "due_on": at_risk["phase_due_on"],
            "last_on": at_risk["met_on"],
            "detail": (at_risk["phase_due_on"] <= asked.as_of).map(
                {True: "deadline missed, no final plan", False: "no final plan names the next setting yet"}
            ),
        }
    ).drop_duplicates(["child_id", "due_on"], keep="last")


def _newcomers(asked: Asked) -> pd.DataFrame:
    """Children whose plan came from another authority in the last 90 days (set); their review is due within three months (reg. 15(5))."""
    register = asked.frames["register"]
    came = register["transferred_on"]
    since = asked.as_of - pd.Timedelta(days=asked.limits.review_soon_days)
    new = register[register["has_active_plan"] & (came >= since) & (came <= asked.as_of)]
    return pd.DataFrame(
        {
            "list": NEWCOMERS,
            "child_id": new["child_id"],
            "due_on": new["next_review_due_on"],
            "last_on": new["transferred_on"],
            "detail": "plan taken over from another authority: update your own records",
        }
    )
