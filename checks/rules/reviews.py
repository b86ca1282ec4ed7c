"""RV: reviews. A review is complete when its decision is notified, not when the meeting is held."""

from functools import partial

import pandas as pd

from checks.engine import DUTY, HIGH, INFO, MEDIUM, RECORD, rule

child_rule = partial(
    rule,
    kind=DUTY,
    owner="SEN casework",
    fix_in="Synergy: annual review",
    scope="has_active_plan",
    record="synergy",
    uses=("plans", "reviews"),
)
row_rule = partial(
    rule,
    kind=DUTY,
    owner="SEN casework",
    fix_in="Synergy: annual review",
    scope="is_of_active_plan",
    uses=("plans", "reviews"),
)


@child_rule("RV01", "Review overdue", since="next_review_due_on", severity=HIGH, basis="Children and Families Act 2014, s. 44(1)", field="next_review_due_on", needs=("next_review_due_on",),
            todo="Hold the review and notify the decision.", detail="due {next_review_due_on}")  # fmt: skip
def review_overdue(register, as_of):
    """The next review was due before the day."""
    return (register.next_review_due_on < as_of) & register.last_completed_review_on.notna()


@child_rule("RV02", "Never reviewed", since="next_review_due_on", severity=HIGH, basis="Children and Families Act 2014, s. 44(1)", field="last_completed_review_on", needs=("next_review_due_on",),
            todo="Hold the first review and notify the decision.", detail="plan from {plan_started_on}, first review due {next_review_due_on}")  # fmt: skip
def never_reviewed(register, as_of):
    """The plan is older than 12 months and no review has been completed (instead of RV01)."""
    return (register.next_review_due_on < as_of) & register.last_completed_review_on.isna()


@row_rule("RV03", "Decision overdue", since="met_on", allows="review_decision_days", severity=HIGH, basis="SEND Regulations 2014, reg. 20(10)", field="decided_on", needs=("met_on",), todo="Decide and notify the family.",
          detail="{row_id}: meeting on {met_on}, no decision")  # fmt: skip
def review_decision_overdue(reviews, limits):
    """The review meeting was more than 28 days ago, no decision is recorded, and no later meeting has superseded it."""
    return (reviews.met_days > limits.review_decision_days) & reviews.decided_on.isna() & ~reviews.is_superseded


@row_rule("RV04", "Amendments not sent", since="met_on", allows="review_decision_days", severity=HIGH, basis="SEND Regulations 2014, reg. 22(2); R (L, M and P) v Devon CC [2022] EWHC 493 (Admin)", field="amendments_sent_on",
          needs=("met_on",), todo="Send the proposed amendments.", detail="{row_id}: decided to amend, meeting on {met_on}")  # fmt: skip
def amendments_not_sent(reviews, limits):
    """The decision is to amend, the meeting was more than 28 days ago, and no proposed amendments have been sent."""
    return (
        (reviews.outcome_code == "A")
        & (reviews.met_days > limits.review_decision_days)
        & reviews.amendments_sent_on.isna()
        & reviews.final_plan_on.isna()
    )


@row_rule("RV05", "Final amended plan overdue", since="met_on", allows="amended_plan_days", severity=HIGH, basis="SEND Regulations 2014, reg. 22(3)-(4)", field="final_plan_on", needs=("met_on",),
          todo="Issue the final amended plan.", detail="{row_id}: decided to amend, meeting on {met_on}")  # fmt: skip
def final_plan_overdue(reviews, limits):
    """The decision is to amend, the meeting was more than 84 days ago, and there is no final amended plan."""
    return (reviews.outcome_code == "A") & (reviews.met_days > limits.amended_plan_days) & reviews.final_plan_on.isna()


@row_rule("RV06", "Review dates impossible", severity=MEDIUM, kind=RECORD, field="met_on", todo="Correct the date that is wrong.",
          detail="{row_id}: meeting {met_on}, decision {decided_on}, final plan {final_plan_on}, plan from {plan_started_on}")  # fmt: skip
def review_dates_impossible(reviews, as_of):
    """Review dates are out of order, before the plan, or in the future."""
    steps = ["report_sent_on", "decided_on", "amendments_sent_on", "final_plan_on"]
    too_early = reviews[steps].lt(reviews.met_on, axis=0).any(axis=1) | (
        reviews.final_plan_on < reviews.amendments_sent_on
    )
    in_future = reviews[["met_on", *steps]].gt(as_of).any(axis=1)
    return pd.Series(too_early | in_future | (reviews.met_on < reviews.plan_started_on), index=reviews.index)


@row_rule("RV07", "Recorded due date differs", severity=INFO, kind=RECORD, carried=("recorded_due_on", "a recorded date of the next review"), field="recorded_due_on", needs=("recorded_due_on",),
          todo="Correct the recorded date, or the dates it follows from.", detail="recorded {recorded_due_on}, the rule gives {next_review_due_on}")  # fmt: skip
def recorded_due_differs(reviews):
    """A next review date recorded in a system is not the one that the rule gives."""
    return reviews.is_latest & reviews.recorded_due_on.notna() & (reviews.recorded_due_on != reviews.next_review_due_on)


@row_rule("RV08", "Phase transfer deadline missed", since="phase_due_on", severity=HIGH, basis="SEND Regulations 2014, reg. 18(1)", carried=("phase_due_on", "the deadline of a phase transfer"), field="phase_final_on", needs=("phase_due_on",),
          todo="Name the next setting in a final plan.", detail="due before {phase_due_on}, no final plan")  # fmt: skip
def phase_deadline_missed(reviews, as_of):
    """Transfers phase in September and no final plan names the school or type by the day before 15 February (31 March into post-16)."""
    return (reviews.phase_due_on <= as_of) & ~(reviews.phase_final_on < reviews.phase_due_on)


@row_rule("RV12", "Phase transfer at risk", severity=MEDIUM, basis="SEND Regulations 2014, reg. 18(1)", carried=("phase_due_on", "the deadline of a phase transfer"), field="phase_final_on", needs=("phase_due_on",),
          todo="Name the next setting in a final plan before the deadline.", detail="due before {phase_due_on}, no final plan yet")  # fmt: skip
def phase_at_risk(reviews, as_of, limits):
    """Transfers phase, no final plan yet, and the deadline is in the next 90 days (set)."""
    soon = as_of + pd.Timedelta(days=limits.phase_risk_days)
    return (reviews.phase_due_on > as_of) & (reviews.phase_due_on <= soon) & reviews.phase_final_on.isna()


@child_rule("RV09", "Review due soon", severity=INFO, field="next_review_due_on", needs=("next_review_due_on",), todo="Notify the professionals and ask for their advice.",
            detail="due {next_review_due_on}")  # fmt: skip
def review_due_soon(register, as_of, limits):
    """The next review is due in the next 90 days (set)."""
    soon = as_of + pd.Timedelta(days=limits.review_soon_days)
    return (register.next_review_due_on >= as_of) & (register.next_review_due_on <= soon)


@row_rule("RV10", "Review date entered in bulk", shared="{met_on}", severity=INFO, kind=RECORD, field="met_on", needs=("met_on",), todo="Check the date against the papers.",
          detail="{row_id}: {met_on} stands on {same_day_children} children")  # fmt: skip
def review_date_in_bulk(reviews, limits):
    """The same review date stands on more than 25 children (set)."""
    return reviews.same_day_children > limits.bulk_review_children


@child_rule("RV11", "Review dates disagree", severity=MEDIUM, kind=DUTY, record=None, field="met_on", fix_in="the education system that is behind", todo="Record the review in both systems.",
            detail="latest meeting {last_meeting_on} in Synergy, {capita_meeting_on} in Capita")  # fmt: skip
def review_dates_disagree(register):
    """The latest review date differs between systems."""
    return (
        register.last_meeting_on.notna()
        & register.capita_meeting_on.notna()
        & (register.last_meeting_on != register.capita_meeting_on)
    )
