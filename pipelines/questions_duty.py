"""Questions about reviews and assessment: what was done in time, what is overdue, and for how long."""

from __future__ import annotations

import pandas as pd

from pipelines.deadlines import academic_age
from pipelines.frames import days, is_among, look_up
from pipelines.questions import NotRecordedError, Rows, Then, question
from pipelines.questions_where import WHO

REVIEW = ("child_id", "row_id", "met_on", "decided_on", "outcome_code", "final_plan_on")


def _median(values: pd.Series) -> float | None:
    return None if values.dropna().empty else float(values.median())


def _all_duties(reviews: pd.DataFrame, day: pd.Timestamp) -> pd.Series:
    """Every duty of a review is discharged by the day: decision notified, and where it is to amend, the final amended plan sent."""
    return (reviews["decided_on"] <= day) & (
        (reviews["outcome_code"] != "A") | (reviews["final_plan_on"] <= day)
    ).fillna(False)


@question(
    "reviews-completed",
    11,
    "Reviews completed in the period",
    by=("month",),
    of_period=True,
    meets="every duty discharged",
    shows=REVIEW,
)
def reviews_completed(then: Then) -> pd.DataFrame:
    """Reviews whose decision was notified in the period, a row each; of them those with every duty discharged by the day: where the decision was to amend,
    the final amended plan sent. Meetings in the period without a decision are listed as lacking it."""
    reviews = then.reviews
    decided = then.in_period(reviews["decided_on"])
    undecided = then.in_period(reviews["met_on"]) & reviews["decided_on"].isna()
    rows = reviews[decided | undecided]
    lacks = rows["decided_on"].isna().map({True: "decision date"})
    return rows.assign(on=rows["decided_on"], meets=_all_duties(rows, then.day), lacks=lacks)


@question("reviews-due", 11, "Reviews due in the period and not completed", by=("month",), of_period=True, meets="not completed by the day",
          shows=(*WHO, "due_on", "completed_on"))  # fmt: skip
def reviews_due(then: Then) -> pd.DataFrame:
    """Children with an active plan whose twelve months since plan start or the last completed review before the period ran out in the period; of them
    those whose review was not completed (decision notified) by the day. Plans without a start are listed."""
    from pipelines.deadlines import next_review_due

    done = then.reviews.dropna(subset=["decided_on"])
    before = done[done["decided_on"] < then.since].groupby("child_id")["decided_on"].max()
    within = done[done["decided_on"] >= then.since].groupby("child_id")["decided_on"].min()
    plans = then.plans
    due = next_review_due(plans["plan_started_on"], look_up(plans["child_id"], before), plans["transferred_on"])
    rows = plans.assign(due_on=due, completed_on=look_up(plans["child_id"], within), on=due)
    rows["lacks"] = due.isna().map({True: "plan start"})
    return rows[then.in_period(due) | due.isna()].assign(meets=lambda f: f["completed_on"].isna())


@question("reviews-incomplete", 11, "Reviews not complete after the meeting", by=("months_since",), meets="a decision was notified",
          own={"months_since": "whole months since the meeting: 6 to 12, 12 to 24, over 24"}, shows=(*REVIEW, "months_since"))  # fmt: skip
def reviews_incomplete(then: Then) -> pd.DataFrame:
    """Reviews of plans active on the day whose meeting was at least 6 months before and whose duties are not all discharged, unless a later meeting of the
    child took their place."""
    reviews = then.reviews[is_among(then.reviews["child_id"], then.plans["child_id"])]
    last = look_up(reviews["child_id"], reviews.groupby("child_id")["met_on"].max())
    rows = reviews[
        (reviews["met_on"] <= then.day - pd.DateOffset(months=6)) & ~_all_duties(reviews, then.day) & (reviews["met_on"] == last)
    ]  # fmt: skip
    since = pd.Series("6 to 12", index=rows.index, dtype="str")
    since = since.mask(rows["met_on"] <= then.day - pd.DateOffset(months=12), "12 to 24")
    since = since.mask(rows["met_on"] <= then.day - pd.DateOffset(months=24), "over 24")
    return rows.assign(months_since=since, meets=rows["decided_on"].notna())


@question("reviews-overdue", 12, "Overdue reviews", by=("age",), meets="overdue",
          shows=(*WHO, "plan_started_on", "last_completed_review_on", "next_review_due_on", "days_late"))  # fmt: skip
def reviews_overdue(then: Then) -> pd.DataFrame:
    """Children with an active plan on the day, and of them those whose next review was due before it: the day before twelve months after plan start or the
    last completed review. Plans without a start are listed as lacking it."""
    late = then.plans["next_review_due_on"] < then.day
    return then.plans.assign(
        meets=late,
        days_late=days(then.day, then.plans["next_review_due_on"]).where(late),
        lacks=then.plans["next_review_due_on"].isna().map({True: "plan start"}),
    )


@question("review-decisions", 13, "Told of the decision within 4 weeks of the meeting", by=("academic_year",), of_period=True,
          meets="decision within 28 days", shows=(*REVIEW, "days_to_decision", "days_to_final_plan"))  # fmt: skip
def review_decisions(then: Then) -> Rows:
    """Review meetings in the period whose 28 days are up, and of them those with a decision within 28 days of the meeting; beside it the median days from
    meeting to decision and to the final amended plan."""
    limit = then.limits.review_decision_days
    reviews = then.reviews
    rows = reviews[then.in_period(reviews["met_on"]) & (days(then.day, reviews["met_on"]) > limit)]
    taken = days(rows["decided_on"], rows["met_on"])
    final = days(rows["final_plan_on"], rows["met_on"])
    rows = rows.assign(on=rows["met_on"], days_to_decision=taken, days_to_final_plan=final, meets=taken <= limit)
    medians = {"median days to the decision": _median(taken), "median days to the amended plan": _median(final)}
    return Rows(rows, medians)


def _transfers(then: Then) -> pd.DataFrame:
    return then.table("reviews", "phase_due_on").dropna(subset=["phase_due_on"])


@question("phase-transfers", 14, "Phase transfers finalised in time", by=("year",), of_period=True, meets="final plan before the deadline",
          own={"year": "year of the deadline"}, shows=("child_id", "row_id", "phase_due_on", "phase_final_on"))  # fmt: skip
def phase_transfers(then: Then) -> pd.DataFrame:
    """Plans to be reviewed for a phase transfer whose deadline (15 February, 31 March into post-16) fell in the period, and of them those finalised before
    it. Use --from for several years."""
    rows = _transfers(then)
    rows = rows[then.in_period(rows["phase_due_on"])]
    in_time = rows["phase_final_on"] < rows["phase_due_on"]
    return rows.assign(year=rows["phase_due_on"].dt.year.astype("str"), meets=in_time)


@question("september-transfers", 10, "Transferring in September with no named setting", by=("transfer",), meets="no final plan names the next setting",
          own={"transfer": "into secondary, or into post-16, by age"}, shows=(*WHO, "transfer", "phase_due_on", "phase_final_on"))  # fmt: skip
def september_transfers(then: Then) -> pd.DataFrame:
    """Children with an active plan who are in the last year of primary or of secondary school by age on the day, and of them those for whom no final plan
    names the next setting. Where no phase transfer is recorded for the child, it is listed as lacking."""
    year = academic_age(then.plans["born_on"], then.day)
    kind = year.map({10: "into secondary", 15: "into post-16"})
    rows = then.plans.assign(transfer=kind)[kind.notna()]
    reviews = then.tables["reviews"]
    if reviews is None or not reviews["phase_due_on"].notna().any():
        raise NotRecordedError(
            "No extract carries phase transfers (due date and final plan).", {"children of the age": len(rows)}
        )
    first = pd.Timestamp(then.day.year - (then.day.month < 9), 9, 1)
    due = reviews[(reviews["phase_due_on"] >= first) & (reviews["phase_due_on"] < first + pd.DateOffset(years=1))]
    by_child = (
        due.sort_values(["child_id", "phase_due_on"]).drop_duplicates("child_id", keep="last").set_index("child_id")
    )
    on = look_up(rows["child_id"], by_child["phase_due_on"])
    final = look_up(rows["child_id"], by_child["phase_final_on"])
    return rows.assign(
        phase_due_on=on, phase_final_on=final, meets=final.isna(), lacks=on.isna().map({True: "phase transfer"})
    )


@question("reviews-late", 16, "Reviews that are 8 or more months late", by=("age",), meets="8 or more months late",
          shows=(*WHO, "next_review_due_on", "days_late"))  # fmt: skip
def reviews_late(then: Then) -> Rows:
    """Children with an active plan, and of them those whose review was due 8 months or more before the day; beside it the share of this calendar year's
    reviews done, and the share of the year gone."""
    plans = then.plans
    due = plans["next_review_due_on"]
    rows = plans.assign(
        meets=due <= then.day - pd.DateOffset(months=8),
        days_late=days(then.day, due).where(due < then.day),
        lacks=due.isna().map({True: "plan start"}),
    )
    new_year = pd.Timestamp(then.day.year, 1, 1)
    expected = plans[plans["plan_started_on"] < new_year]
    done = then.reviews[(then.reviews["decided_on"] >= new_year) & (then.reviews["decided_on"] <= then.day)]
    share = is_among(expected["child_id"], done["child_id"]).mean() if len(expected) else None
    gone = ((then.day - new_year).days + 1) / (
        pd.Timestamp(then.day.year, 12, 31) - new_year + pd.Timedelta(days=1)
    ).days
    return Rows(
        rows,
        {
            "% of this year's reviews done": None if share is None else round(100 * float(share), 1),
            "% of the year gone": round(100 * gone, 1),
        },
    )


_REQUEST = ("child_id", "row_id", "received_on", "source_of_request", "decision", "decided_on")
_DECISIONS = {"Y": "to assess", "N": "refused", "W": "withdrawn"}


@question("requests", 17, "Requests for an assessment", by=("month",), of_period=True, meets="refused", shows=_REQUEST,
          own={"source_of_request": "SEN2 code of who asked", "decision": "to assess, refused, withdrawn or not yet decided"})  # fmt: skip
def requests(then: Then) -> pd.DataFrame:
    """Requests received in the period, a row each, and of them those refused; by month, by source of request, by decision as at the day. Requests without
    a date are listed."""
    rows = then.table("requests")
    rows = rows[then.in_period(rows["received_on"]) | rows["received_on"].isna()]
    decision = rows["decision_code"].map(_DECISIONS).fillna("not yet decided")
    return rows.assign(
        on=rows["received_on"],
        source_of_request=rows["request_source_code"],
        decision=decision,
        meets=decision == "refused",
        lacks=rows["received_on"].isna().map({True: "date received"}),
    )


@question("plans-issued", 17, "Plans issued, and within 20 weeks", by=("month",), of_period=True, meets="within 20 weeks of the request",
          shows=("child_id", "row_id", "started_on", "received_on", "days_taken", "exception"),
          own={"exception": "whether an exception to the 20 weeks is recorded", "source_of_request": "SEN2 code of who asked"})  # fmt: skip
def plans_issued(then: Then) -> pd.DataFrame:
    """Plans of this council that started in the period, a row each, and of them those within 140 days of the request that the plan names. A plan without
    a request is listed as lacking it."""
    plans, asked = then.table("plans"), then.table("requests")
    rows = plans[plans["leads"] & plans["source"].isin(then.casework) & then.in_period(plans["started_on"])]
    facts = asked.drop_duplicates(["source", "row_id"]).set_index(["source", "row_id"])
    facts = facts[["received_on", "has_exception", "request_source_code"]]
    rows = rows.join(facts, on=["source", "request_id"])
    taken = days(rows["started_on"], rows["received_on"])
    return rows.assign(
        on=rows["started_on"],
        days_taken=taken,
        exception=rows["has_exception"].map({True: "recorded", False: "none"}).fillna("none"),
        source_of_request=rows["request_source_code"],
        meets=taken <= then.limits.plan_issue_days,
        lacks=taken.isna().map({True: "date of the request"}),
    )


@question("open-cases", 18, "Assessments under way", by=("stage",), meets="past the deadline",
          own={"stage": "decision to assess, or assessment", "weeks_open": "whole weeks since the request: 0 to 6, 6 to 20, over 20"}, shows=(*WHO, "row_id", "stage", "received_on", "days_open"))  # fmt: skip
def open_cases(then: Then) -> pd.DataFrame:
    """Requests without an outcome on the day, neither refused nor withdrawn, and of them those past their deadline: 42 days to the decision to assess, 140
    days to the plan."""
    rows = then.table("requests")
    rows = rows[rows["is_in_assessment"] & ~is_among(rows["child_id"], then.plans["child_id"])]
    undecided = rows["decided_on"].isna()
    limit = undecided.map({True: then.limits.decision_to_assess_days, False: then.limits.plan_issue_days})
    opened = days(then.day, rows["received_on"])
    stage = undecided.map({True: "decision to assess", False: "assessment"})
    weeks = pd.Series("0 to 6", index=rows.index, dtype="str").mask(opened > 6 * 7, "6 to 20")
    weeks = weeks.mask(opened > 20 * 7, "over 20").where(opened.notna())
    return rows.assign(stage=stage, weeks_open=weeks, days_open=opened, meets=opened > limit)
