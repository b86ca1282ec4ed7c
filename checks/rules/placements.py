"""PL: placements. Is there one, is it identified, and does it fit the plan and the establishment register?"""

from functools import partial

from checks.engine import CRITICAL, HIGH, INFO, MEDIUM, RECORD, rule

place_rule = partial(rule, kind=RECORD, owner="SEN casework", fix_in="Synergy: placements", scope="has_active_plan")
open_row = partial(place_rule, scope="is_open_of_active_plan")
REGISTER = ("placements", "settings")


@place_rule(
    "PL01",
    "No placement",
    severity=CRITICAL,
    uses=("placements",),
    record="synergy",
    todo="Record where the child is educated, or that they are not.",
)
def no_placement(register):
    """An active plan with no placement row at all."""
    return ~register.has_placement_row


@place_rule("PL02", "Placement ended, none follows", since="last_placement_ended_on", severity=CRITICAL, uses=("placements",), record="synergy", field="ended_on",
            todo="Record the next placement, or that there is none.", detail="ended {last_placement_ended_on}")  # fmt: skip
def placement_ended(register):
    """The latest placement ended on or before the day and none is open or to come."""
    return register.has_placement_row & register.last_placement_ended_on.notna() & ~register.has_open_or_future_row


@place_rule("PL03", "Several main placements", severity=MEDIUM, uses=("placements",), record="synergy", field="rank_code",
            todo="End the old placement, or rank it as secondary.", detail="{main_count} open main placements")  # fmt: skip
def several_main_placements(register):
    """More than one open primary placement."""
    return register.main_count > 1


@open_row("PL04", "Setting not identified", severity=MEDIUM, uses=("placements",), field="urn", todo="Record exactly one of URN, UKPRN and SEN setting code.",
          detail="{identifiers} of URN, UKPRN and setting code given")  # fmt: skip
def setting_not_identified(placements):
    """None, or more than one, of URN, UKPRN and SEN setting code."""
    return placements.identifiers != 1


@open_row(
    "PL05",
    "URN unknown",
    shared="{urn}",
    severity=MEDIUM,
    uses=REGISTER,
    field="urn",
    names_place=True,
    todo="Correct the establishment number.",
    detail="{urn} is not in the register",
)
def urn_unknown(placements):
    """The URN is not in the register of establishments."""
    return placements.urn.notna() & ~placements.is_known


@open_row("PL06", "Setting closed", shared="{setting_urn}, closed {closed_on}", severity=HIGH, uses=(*REGISTER, "setting_links"), field="urn", names_place=True,
          todo="Record the successor, or the placement that followed.", detail="{setting_urn} closed {closed_on}; successor {successor_urn}")  # fmt: skip
def setting_closed(placements, as_of):
    """The establishment closed on or before the day."""
    return placements.closed_on <= as_of


@place_rule("PL07", "Attends another setting than the plan names", shared="plan names {named_urn}, attends {attended}", severity=HIGH, uses=("plans", *REGISTER, "setting_links"), record="synergy", field="named_urn",
            names_place=True, todo="Amend Section I, or correct the placement.", detail="names {named_urn}, attends {attended}")  # fmt: skip
def attends_another_setting(register):
    """Section I names a setting, and the current primary placement is another, successors allowed for."""
    return register.is_attending_elsewhere


@open_row("PL08", "Provision type contradicts the setting", shared="{provision_type} at {type_name}", severity=MEDIUM, uses=REGISTER, field="provision_type", names_place=True, needs=("is_provision_fitting",),
          todo="Correct the provision type or the setting.", detail="{provision_type} at {type_name}")  # fmt: skip
def provision_contradicts(placements):
    """The recorded type, SEN unit or resourced provision flag does not fit the establishment register."""
    return ~placements.is_provision_fitting


@open_row("PL09", "Age outside the setting's range", shared="{setting_urn}", severity=MEDIUM, uses=("people", *REGISTER), field="age", needs=("age", "low_age", "high_age"), names_place=True,
          todo="Check the setting and the date of birth.", detail="aged {age} at {setting_urn}, ages {low_age} to {high_age}")  # fmt: skip
def age_outside_range(placements):
    """Age on the day below or above the statutory range of the establishment."""
    return (placements.age < placements.low_age) | (placements.age > placements.high_age)


@place_rule("PL10", "Residential flag wrong", shared="{boarding_words}", severity=HIGH, uses=("placements", "care_placements", "settings"), record=None, field="residential_code", names_place=True,
            todo="Record how many weeks the child boards.", detail="{boarding_words}")  # fmt: skip
def residential_flag_wrong(register):
    """Boarding recorded in one system and not in another, or absent at a boarding setting where social care places the child."""
    return register.boarding_words.notna()


@place_rule("PL11", "Independent setting not on the Section 41 list", shared="{named_urn}", severity=INFO, uses=("plans", "settings"), record="synergy", field="named_urn", names_place=True,
            todo="Check that the placement was agreed with the setting.", detail="names {named_urn}, {named_type}")  # fmt: skip
def not_section_41(register):
    """The plan names an independent setting that is not approved under section 41."""
    return register.is_named_unapproved


@open_row("PL13", "Provision not recorded", severity=MEDIUM, uses=("placements",), field="provision_type", todo="Record what type of provision is commissioned.",
          detail="no provision type")  # fmt: skip
def provision_not_recorded(placements):
    """An open placement that does not say what type of provision is commissioned."""
    return placements.provision_type.isna()


@place_rule("PL12", "Home educated and on roll", shared="on roll at {roll_urns}", severity=HIGH, uses=("home_education", "placements", "rolls"), names_place=True, fix_in="Synergy: home education, or Capita: school history",
            todo="Ask the school and the family, and end the wrong one.", detail="home educated in Synergy, on roll at {roll_urns} in Capita")  # fmt: skip
def home_educated_and_on_roll(register):
    """Elective home education in one system, an open main roll in another."""
    return register.is_home_educated & register.roll_urns.notna()
