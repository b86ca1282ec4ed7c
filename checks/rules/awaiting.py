"""AW: awaiting provision. Who waits, for how long, and with what in the meantime?"""

from functools import partial

from checks.engine import CRITICAL, DUTY, HIGH, MEDIUM, RECORD, SAFETY, rule

wait_rule = partial(
    rule,
    owner="Commissioning",
    fix_in="Synergy: awaiting provision, placements",
    scope="has_active_plan",
    record="synergy",
    uses=("plans", "placements", "awaiting", "home_education"),
)


@wait_rule("AW01", "Awaiting, with nothing in place", since="awaiting_since", severity=CRITICAL, kind=SAFETY, field="awaiting", basis="Children and Families Act 2014, s. 42",
           todo="Find a place, and interim provision until then.", detail="waiting since {awaiting_since}")  # fmt: skip
def awaiting_with_nothing(register):
    """Marked as awaiting, or only a type named, or not in education (NIEO), and no open placement."""
    return register.awaiting == "nothing_in_place"


@wait_rule("AW02", "Awaiting another setting", severity=MEDIUM, kind=SAFETY, field="awaiting", todo="Find the place that is waited for.",
           detail="waiting since {awaiting_since}, interim provision in place")  # fmt: skip
def awaiting_with_interim(register):
    """Awaiting, but with an open interim placement."""
    return register.awaiting == "interim"


@wait_rule("AW03", "Compulsory school age, not in education", severity=CRITICAL, kind=SAFETY, basis="Education Act 1996, ss. 8, 19 and 436A", needs=("born_on",),
           todo="Arrange education now, and record it.", detail="aged {age}, no placement, home education or section 61 arrangement")  # fmt: skip
def school_age_not_in_education(register):
    """Compulsory school age, and no open placement, home education or section 61 arrangement."""
    return register.is_school_age & ~register.is_in_place


@wait_rule("AW04", "NEET code outside 16-25", severity=MEDIUM, kind=RECORD, uses=("placements", "people"), field="setting_code", needs=("age",),
           todo="Record what the child really does; NEET is for ages 16 to 25.", detail="NEET, aged {age}")  # fmt: skip
def neet_outside_ages(register):
    """An open placement coded NEET for somebody under 16 or over 25."""
    return register.is_neet & ((register.age < 16) | (register.age > 25))


@wait_rule("AW05", "Waiting record gone stale", since="waiting_touched_on", allows="waiting_update_days", severity=HIGH, kind=DUTY, uses=("awaiting",), field="updated_on", todo="Ring the family and the settings, and record the result.",
           detail="last updated {waiting_touched_on}")  # fmt: skip
def waiting_record_stale(register, as_of, limits):
    """Awaiting, and the record has had no update for 30 days (set)."""
    from pandas import Timedelta

    return register.waiting_touched_on < as_of - Timedelta(days=limits.waiting_update_days)
