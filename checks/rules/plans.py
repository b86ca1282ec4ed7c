"""PD: plan dates. Are the dates of request, decision, plan and cease complete, in order and in time?"""

from functools import partial

import pandas as pd

from checks.engine import DUTY, HIGH, INFO, MEDIUM, RECORD, rule

plan_rule = partial(rule, kind=RECORD, owner="SEN casework", fix_in="Synergy: EHC plan")
request_rule = partial(
    rule, kind=DUTY, owner="SEN casework", fix_in="Synergy: EHC request", uses=("requests",), scope="is_in_assessment"
)


@plan_rule("PD01", "No plan start date", severity=HIGH, uses=("plans",), scope="is_casework", field="started_on", todo="Record when the plan was first issued.",
           detail="plan {row_id} has no start date")  # fmt: skip
def no_plan_start(plans):
    """A plan row without a start date."""
    return plans.started_on.isna()


@plan_rule("PD02", "Dates out of order", severity=MEDIUM, uses=("plans", "requests"), scope="is_casework_on_register", field="started_on", todo="Correct the date that is wrong.",
           detail="received {received_on}, decided {decided_on}, outcome {outcome_on}, start {started_on}, ceased {ceased_on}")  # fmt: skip
def dates_out_of_order(plans):
    """Request, decision to assess, assessment outcome, plan start and cease are not in order."""
    steps = ["received_on", "decided_on", "outcome_on", "started_on", "ceased_on"]
    latest_so_far = plans[steps].cummax(axis=1)
    return pd.Series((plans[steps].lt(latest_so_far)).any(axis=1), index=plans.index)


@plan_rule("PD03", "Date in the future", severity=MEDIUM, uses=("plans", "requests"), scope="on_register", field="{event}", fix_in="Synergy: EHC request or plan", thing="event_key",
           todo="Correct the date.", detail="{event} is {on}")  # fmt: skip
def date_in_future(past_events, as_of):
    """A past event (request, decision, outcome, plan start) dated after the day."""
    return past_events.on > as_of


@plan_rule("PD04", "Issued after 20 weeks", severity=MEDIUM, kind=DUTY, uses=("plans", "requests"), scope="is_issued_this_year", field="started_on",
           basis="SEND Regulations 2014, reg. 13(2)", needs=("received_on",), fix_in="nowhere: it explains K11", todo="Record an exception if one applied.",
           detail="issued {issue_days} days after the request")  # fmt: skip
def issued_late(plans, limits):
    """A plan started in the last 12 months, more than 140 days after the request, with no exception recorded."""
    return (plans.issue_days > limits.plan_issue_days) & ~plans.has_exception.fillna(False)


@request_rule("PD05", "Decision to assess overdue", since="received_on", allows="decision_to_assess_days", severity=HIGH, basis="SEND Regulations 2014, reg. 5(3)", field="decided_on", todo="Decide and notify the family.",
              detail="request of {received_on}, no decision")  # fmt: skip
def decision_overdue(requests, limits):
    """A request open for more than 42 days without a decision whether to assess."""
    return requests.is_undecided & (requests.open_days > limits.decision_to_assess_days)


@request_rule("PD06", "Assessment overdue", since="received_on", allows="plan_issue_days", severity=HIGH, basis="SEND Regulations 2014, reg. 13(2)", field="outcome_on", todo="Finish the assessment and issue or refuse the plan.",
              detail="request of {received_on}, no outcome")  # fmt: skip
def assessment_overdue(requests, limits):
    """No outcome 140 days after the request, and no exception recorded."""
    return (requests.open_days > limits.plan_issue_days) & ~requests.has_exception.fillna(False)


@request_rule("PD13", "Assessment near its limit", severity=INFO, basis="SEND Regulations 2014, reg. 10(1)", field="outcome_on",
              todo="A decision not to issue would already be late; finish the assessment.", detail="request of {received_on}, no outcome")  # fmt: skip
def assessment_near_limit(requests, limits):
    """No outcome 112 days after the request, and not yet 140."""
    return (
        (requests.open_days > limits.no_plan_decision_days)
        & (requests.open_days <= limits.plan_issue_days)
        & ~requests.has_exception.fillna(False)
    )


@plan_rule("PD07", "Ceased in one system, active in another", severity=HIGH, uses=("plans",), scope="has_plan_in_both", field="ceased_on",
           fix_in="the system that is behind", todo="Record the cease in the other system, or undo it.", detail="{plan_difference}")  # fmt: skip
def ceased_in_one(register):
    """The plan has ceased in one education system and is active in the other."""
    return register.plan_difference.notna()


@plan_rule("PD08", "Cease date and reason do not go together", severity=MEDIUM, uses=("plans",), scope="is_casework_on_register", field="ceased_on",
           todo="Record both, or neither.", detail="ceased {ceased_on}, reason {cease_reason_code}")  # fmt: skip
def cease_incomplete(plans):
    """A cease date without a reason, or a reason without a date."""
    return plans.ceased_on.notna() != plans.cease_reason_code.notna()


@plan_rule("PD09", "Too old for a plan", since="too_old_after", severity=HIGH, uses=("plans", "people"), scope="has_active_plan", record="synergy", field="born_on", needs=("born_on",),
           basis="Children and Families Act 2014, s. 46; SEND Regulations 2014, reg. 46", todo="Cease the plan, or correct the date of birth.", detail="aged {age}")  # fmt: skip
def too_old(register, as_of):
    """After the 31 July that ends the academic year (1 August to 31 July) in which the young person turned 25."""
    return register.too_old_after < as_of


@plan_rule("PD10", "Transfer in without its facts", severity=MEDIUM, uses=("plans",), scope="is_casework_on_register", field="transferred_on",
           basis="SEND Regulations 2014, reg. 15", todo="Record the authority and the date of transfer; the review clock needs both.",
           detail="from {transferred_from_la_code} on {transferred_on}")  # fmt: skip
def transfer_without_facts(plans):
    """The plan came from another authority with no date, or with no authority."""
    return plans.transferred_on.notna() != plans.transferred_from_la_code.notna()


@plan_rule("PD11", "Plan starts before 1 September 2014", severity=MEDIUM, uses=("plans",), scope="is_casework_on_register", field="started_on", needs=("started_on",),
           basis="Children and Families Act 2014, part 3 commencement", todo="Record when the EHC plan replaced the statement.", detail="starts {started_on}")  # fmt: skip
def starts_before_plans_existed(plans):
    """A plan start before EHC plans existed."""
    return plans.started_on < pd.Timestamp(2014, 9, 1)


@plan_rule("PD12", "Aged 25", severity=INFO, uses=("plans", "people"), scope="has_active_plan", record="synergy", field="born_on", needs=("born_on",),
           todo="Explain: the plan may run to the end of the academic year.", detail="aged {age}")  # fmt: skip
def aged_25(register, as_of):
    """Aged 25 and not yet too old for a plan: a query, explain."""
    return (register.age >= 25) & ~(register.too_old_after < as_of)
