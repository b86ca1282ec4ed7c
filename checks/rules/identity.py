"""ID: identity. Do the systems agree on who the child is?"""

from functools import partial

from checks.engine import CRITICAL, HIGH, INFO, MEDIUM, RECORD, rule

identity_rule = partial(rule, kind=RECORD, owner="Data team", fix_in="the system whose record is wrong")
CASEWORK = "Synergy: pupil record"


@identity_rule("ID01", "In one education system only", severity=MEDIUM, uses=("people", "plans"), scope="has_active_plan",
               todo="Find or create the child's record in the other education system.", detail="no record in {absent_from}")  # fmt: skip
def in_one_education_system(register):
    """An active plan in one of Synergy and Capita, and no record of the child in the other."""
    return register.absent_from.notna()


@identity_rule("ID02", "Social care child without a plan link", severity=HIGH, uses=("people", "plans", "involvements", "care_placements"),
               todo="Find the child's plan, or correct the plan flag.", fix_in="Liquidlogic: EHC plan flag", detail="{cohort} in social care, flagged as having a plan")  # fmt: skip
def care_without_plan(care_people):
    """Looked after, disabled or in residential care in Liquidlogic, aged 0-25, flagged there as having a plan, and no plan found."""
    return care_people.has_plan_flag & ~care_people.has_plan & (care_people.age <= 25)


@identity_rule("ID03", "UPN shared", severity=HIGH, uses=("people",), scope="on_register", field="upn", fix_in="the system that holds it twice",
               todo="Find out whose number it is and remove it from the others.", detail="{sharers} records of this system hold the same UPN")  # fmt: skip
def upn_shared(people):
    """The same UPN on more than one child in one system."""
    return people.sharers > 1


@identity_rule("ID04", "UPNs disagree", severity=HIGH, uses=("people",), field="upn", todo="Look the number up, and correct the wrong record.",
               detail="{upn_count} different valid numbers")  # fmt: skip
def upns_disagree(register):
    """Linked records of one child carry different valid permanent UPNs."""
    return register.upn_count > 1


@identity_rule("ID05", "UPN invalid", severity=MEDIUM, uses=("people",), scope="on_register", field="upn", todo="Look the number up and correct it.",
               detail="wrong form or check letter")  # fmt: skip
def upn_invalid(people):
    """The UPN fails the format or the check letter; a reason code is not a UPN."""
    return people.upn.notna() & ~people.is_upn_valid & ~people.is_upn_code


@identity_rule("ID06", "No identifier", severity=MEDIUM, uses=("people",), field="upn", needs=("age",), fix_in=CASEWORK,
               todo="Look the UPN up, or record why there is none.", detail="no UPN, ULN or reason, aged {age}")  # fmt: skip
def no_identifier(register):
    """Aged 6 or over with no UPN, no ULN and no reason code in any record."""
    return (register.age >= 6) & ~register.has_identifier


@identity_rule("ID07", "Date of birth disagrees", severity=HIGH, uses=("people",), field="born_on", todo="See the birth certificate, and correct the wrong record.",
               detail="{born_difference}")  # fmt: skip
def born_disagrees(register):
    """Linked records differ in the date of birth; unborn and merged records are left out."""
    return register.born_difference.notna()


@identity_rule(
    "ID08",
    "Name disagrees",
    severity=INFO,
    uses=("people",),
    field="name",
    todo="Ask which name is in use.",
    detail="{name_difference}",
)
def name_disagrees(register):
    """Linked records differ beyond a known variant of the name."""
    return register.name_difference.notna()


@identity_rule(
    "ID09",
    "Sex disagrees",
    severity=INFO,
    uses=("people",),
    field="sex_code",
    todo="Ask which is right.",
    detail="recorded differently in {sex_difference}",
)
def sex_disagrees(register):
    """Linked records differ in sex."""
    return register.sex_difference.notna()


@identity_rule("ID10", "Possible match undecided", severity=HIGH, uses=("people",), among="people.on_register", thing="pair", fix_in="the clerical review",
               todo="Compare the two records and say same or different.", detail="may be {other_source} {other_source_id}: {agrees}; {differs}")  # fmt: skip
def match_undecided(undecided):
    """A pair between the review and the link threshold that nobody has decided."""
    return undecided.on_register


@identity_rule("ID11", "Possible duplicate", severity=HIGH, uses=("people",), scope="on_register", thing="source_id", todo="Merge the two records at source if they are one child.",
               detail="{twins_of} records of this system have the same name, date of birth and postcode or number")  # fmt: skip
def possible_duplicate(people):
    """Two records of one system that look like one child."""
    return people.twins_of > 1


@identity_rule("ID12", "Closed identity with active plan", severity=CRITICAL, uses=("people", "plans"), scope="has_active_plan", fix_in="the system that closed the record",
               owner="SEN casework", todo="Find out at once whether the child is alive and whose record this is.", detail="{closed_as}")  # fmt: skip
def closed_identity(people):
    """A deceased, merged or unborn record belongs to a child with an active plan."""
    return people.closed_as.notna()
