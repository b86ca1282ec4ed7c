"""VS: welfare and monitoring visits, cohort by cohort. In several cohorts the one with the shortest interval decides."""

from functools import partial

import pandas as pd

from checks.engine import DUTY, HIGH, INFO, MEDIUM, RECORD, Graded, rule

BASIS = "the cohort's interval and its source in rules.yml"
STATUTORY = Graded("is_statutory", HIGH, MEDIUM)
cohort_rule = partial(rule, kind=DUTY, owner="Social care", fix_in="Liquidlogic: statutory visits, or Synergy: monitoring visits", basis=BASIS, scope="decides", thing="cohort",
                      field="{cohort}", uses=("visits", "placements", "care_placements", "home_education"))  # fmt: skip


@cohort_rule(
    "VS01",
    "No visit recorded",
    since="visit_due_on",
    severity=STATUTORY,
    todo="Visit the child, or record the visit that was made.",
    detail="{cohort} since {since}, first visit due {visit_due_on}",
)
def no_visit(cohorts):
    """In the cohort for longer than its first interval, and no visit since then saw the child."""
    return cohorts.state == "never_seen"


@cohort_rule(
    "VS02",
    "Visit overdue",
    since="visit_due_on",
    severity=STATUTORY,
    todo="Visit the child, or record the visit that was made.",
    detail="{cohort}: last seen {last_seen_on}, due {visit_due_on}",
)
def visit_overdue(cohorts):
    """The last visit that saw the child, since the placement, arrangement or spell began, is longer ago than the interval."""
    return cohorts.state == "overdue"


@cohort_rule(
    "VS03",
    "Visited but not seen",
    severity=MEDIUM,
    todo="Go back until the child has been seen.",
    detail="{cohort}: latest visit {last_visit_on}, not seen",
)
def visited_not_seen(cohorts):
    """The latest visit records the child as not seen."""
    return ~cohorts.last_was_seen


@rule("VS04", "Visit date impossible", severity=MEDIUM, kind=RECORD, owner="Social care", fix_in="the system that holds the visit", uses=("visits", "placements", "care_placements", "people"),
      scope="has_active_plan", field="visited_on", needs=("visited_on",), todo="Correct the date.", detail="{visited_on}: {impossible}")  # fmt: skip
def visit_date_impossible(visits):
    """A visit dated in the future, before birth, or before the first known placement."""
    return visits.impossible.notna()


@cohort_rule("VS05", "Visit due soon", severity=INFO, todo="Plan the visit.", detail="{cohort}: due {visit_due_on}")
def visit_due_soon(cohorts, as_of, limits):
    """The next visit is due within 28 days (set)."""
    return (cohorts.visit_due_on >= as_of) & (cohorts.visit_due_on <= as_of + pd.Timedelta(days=limits.visit_soon_days))


@rule("VS06", "Visit cohort cannot be decided", severity=MEDIUM, kind=RECORD, owner="SEN casework", fix_in="Synergy: placements", uses=("placements", "settings"), scope="has_active_plan",
      record="synergy", field="setting", todo="Identify the setting, so that its authority is known.", detail="the authority of the setting is not known")  # fmt: skip
def cohort_undecided(register):
    """Residential or out-of-authority facts are missing, so the visits that are due cannot be told."""
    return register.is_cohort_undecided
