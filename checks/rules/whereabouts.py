"""WH: whereabouts. Does anybody know where the child is, and do the systems agree?"""

from functools import partial

import pandas as pd

from checks.engine import CRITICAL, HIGH, MEDIUM, RECORD, SAFETY, rule

where_rule = partial(rule, kind=RECORD, owner="SEN casework", fix_in="Synergy: placements")
EVIDENCE = ("visits", "reviews", "rolls", "care_placements", "placements", "home_education")


@where_rule("WH01", "Whereabouts not known", severity=CRITICAL, uses=(*EVIDENCE, "missing_episodes", "missing_education"), scope="has_active_plan",
            todo="Find the child today: ring home and school, then record where they are.",
            detail="last seen {seen_on}, corroborated {corroborated_on}, recorded {recorded_on}")  # fmt: skip
def whereabouts_not_known(register):
    """None of the three grades within the limit (60 days; 120 for a NEET or NIEO young person of 16 or over), and no open missing case."""
    return register.whereabouts_grade == "not_known"


@where_rule("WH02", "Education systems disagree", shared="Synergy {setting_urn}, Capita {roll_urns}", severity=HIGH, uses=("placements", "rolls", "settings", "setting_links"), scope="has_active_plan", names_place=True,
            fix_in="Synergy: placements, or Capita: school history", todo="Ask the school, then correct the wrong system.", field="urn",
            detail="Synergy says {setting_urn}, Capita says {roll_urns}")  # fmt: skip
def systems_disagree(register):
    """Synergy's current primary placement and Capita's main roll name different settings, successors allowed for."""
    return register.is_roll_elsewhere


@where_rule("WH03", "No usable home address", severity=HIGH, uses=("people", "addresses"), scope="has_active_plan", field="postcode", fix_in="Synergy: pupil address",
            todo="Ask the family for the address and record it.", detail="no usable current address in any system")  # fmt: skip
def no_home_address(register):
    """No current address, or a placeholder, in every system; a restricted address counts as present."""
    return ~register.has_home_address


@where_rule("WH04", "Home outside the authority", shared="authority {home_la_code}", severity=HIGH, uses=("people", "addresses", "postcodes", "care_placements"), scope="has_active_plan", names_place=True,
            field="postcode", needs=("home_la_code",), todo="Ask whether the family has moved; if so, transfer the plan.", detail="home in authority {home_la_code}")  # fmt: skip
def home_outside(register):
    """The home postcode lies in another authority while this council maintains the plan, and the child is not looked after."""
    return register.is_home_outside & ~register.is_looked_after


@where_rule("WH05", "Home addresses disagree", severity=MEDIUM, uses=("people", "addresses"), scope="has_active_plan", field="postcode", names_place=True,
            fix_in="the system with the older address", todo="Ask the family, then correct the wrong system.", detail="{postcode_count} different postcodes")  # fmt: skip
def home_addresses_disagree(register):
    """Current home postcodes differ between systems for a child who is not looked after."""
    return (register.postcode_count > 1) & ~register.is_looked_after & ~register.is_restricted


@where_rule("WH06", "Missing now", severity=CRITICAL, kind=SAFETY, uses=("missing_episodes",), scope="on_register", among="register", field="missing_episodes", owner="Social care",
            fix_in="Liquidlogic: missing episodes", todo="Follow the missing child procedure; close the episode when the child is found.", detail="missing since {started_on}")  # fmt: skip
def missing_now(missing_episodes):
    """A child of the register with an open missing episode in Liquidlogic."""
    return missing_episodes.is_open


@where_rule("WH07", "Missing from education now", severity=CRITICAL, kind=SAFETY, uses=("missing_education",), scope="has_active_plan", among="register.has_active_plan", field="missing_education",
            fix_in="Capita: children missing education", todo="Trace the child; close the case when education is found.", detail="case open since {started_on}")  # fmt: skip
def missing_education_now(missing_education):
    """An active plan and an open missing-education case."""
    return missing_education.is_open


@where_rule("WH08", "Care placement contradicts education record", severity=HIGH, uses=("care_placements", "placements"), scope="has_active_plan", names_place=True,
            todo="Ask the social worker; record the boarding in the other system.", detail="in a residential school by social care, {residential_words} in Synergy")  # fmt: skip
def care_contradicts_education(register):
    """Liquidlogic has an open placement in a residential school (S1) while Synergy shows a day placement or none."""
    return register.is_care_residential_school & register.residential_code.isna()


@where_rule("WH09", "Out of authority not flagged", severity=MEDIUM, uses=("placements", "settings"), scope="has_active_plan", names_place=True,
            needs=("is_in_authority", "is_out_of_authority"), todo="Correct the in-authority flag.", field="is_in_authority",
            detail="setting in authority {setting_la_code}, flagged in authority: {is_in_authority}")  # fmt: skip
def authority_not_flagged(register):
    """The setting's authority differs from the council's and the record says in-authority, or the reverse."""
    return register.is_in_authority == register.is_out_of_authority


@where_rule("WH10", "Recorded only", severity=HIGH, uses=EVIDENCE, scope="has_active_plan", todo="Ask the setting whether the child attends, and when they were last seen.",
            detail="recorded {recorded_on}, last seen {seen_on}, corroborated {corroborated_on}")  # fmt: skip
def recorded_only(register):
    """Neither seen nor corroborated within the limit: somebody wrote it down once and nothing confirms it."""
    return pd.Series(register.whereabouts_grade == "recorded")
