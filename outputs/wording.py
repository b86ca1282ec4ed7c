"""How outputs say things: dates and numbers as people here write them, and the plain words behind codes.

One place, so that a workbook, a page and a health page call the same thing by the same name.
"""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Mapping
from datetime import datetime

import pandas as pd

from outputs.about import SYSTEM_TITLES
from outputs.protect import RESTRICTED

SEVERITIES = ("critical", "high", "medium", "info")
SEVERITY_TITLES = {"critical": "Critical", "high": "High", "medium": "Medium", "info": "Info"}
SEVERITY_MEANINGS = {
    "critical": "a child may be unsafe or lost",
    "high": "a statutory duty is breached or cannot be shown",
    "medium": "the record is wrong or incomplete, or a council policy is not met",
    "info": "watch list: nothing is wrong yet",
}
KIND_TITLES = {"safety": "Safety", "duty": "Duty", "record": "Record", "feed": "Source feed"}
STATUS_TITLES = {
    "open": "Open",
    "accepted": "Accepted",
    "explained": "Explained",
    "not_evaluated": "Could not be checked",
    "resolved": "Resolved",
}
#: How a row is news on a night.
NEWS_TITLES = {"new": "New", "back": "Back", "backlog": "Backlog"}
#: How a rule was judged on a night.
RULE_STATES = {"fresh": "Checked", "old": "Checked on an earlier copy", "not_evaluated": "Not evaluated"}
#: What the first two letters of a rule are about.
FAMILIES = {
    "SR": "Source feeds",
    "ID": "Identity",
    "WH": "Whereabouts",
    "PL": "Placements",
    "AW": "Awaiting provision",
    "PD": "Plan dates",
    "RV": "Annual reviews",
    "VS": "Visits",
}
GRADES = {
    "seen": "Seen",
    "corroborated": "Confirmed by a second system",
    "recorded": "Recorded only",
    "not_known": "Not known",
    "missing": "Missing",
}
GRADE_MEANINGS = {
    "seen": "a visit, a review meeting or a contact within the limit",
    "corroborated": "an open school roll or care placement, from a fresh extract",
    "recorded": "somebody wrote it down; nothing confirms it",
    "not_known": "no system confirms where the child is",
    "missing": "an open missing episode or missing-education case",
}
COHORTS = {
    "looked_after": "Looked after",
    "residential": "Residential school or college",
    "s61": "Arrangements under section 61",
    "out_of_authority": "Placed out of authority",
    "home_educated": "Home educated",
    "restricted": "Restricted",
}
SETTING_CODES = {
    "OLA": "Arranged by the council under section 61",
    "OPA": "Arranged by parents or young person",
    "EHE": "Home educated",
    "EYP": "Early years provider",
    "NEET": "Not in education, employment or training",
    "NIEO": "Not in education, other",
    "NIEC": "Notice to cease issued",
    "OTH": "Type of setting only",
}
REVIEW_OUTCOMES = {"M": "maintain", "A": "amend", "C": "cease"}
ASSESSMENT_DECISIONS = {"Y": "to assess", "N": "not to assess", "W": "withdrawn", "A": "awaited"}
MISSING = {"M": "missing", "A": "away without authorisation"}
VISITS = {
    "STVL": "statutory visit",
    "CINV": "child in need visit",
    "CPVL": "child protection visit",
    "OTHR": "other visit",
    "monitoring": "monitoring visit",
}
#: The Department's codes for where a looked-after child is placed (SSDA903), those that it no longer uses included.
CARE_PLACEMENTS = {
    **dict.fromkeys(("A3", "A4", "A5", "A6"), "placed for adoption"),
    "H5": "supported accommodation",
    "K1": "secure children's home",
    "K2": "children's home",
    "K3": "supported accommodation",
    "P1": "with own parents",
    "P2": "independent living",
    "P3": "residential employment",
    "R1": "residential care home",
    "R2": "health service",
    "R3": "family centre or mother and baby unit",
    "R5": "young offender institution",
    "S1": "residential school",
    **dict.fromkeys(("T0", "T1", "T2", "T3", "T4"), "temporary placement"),
    **dict.fromkeys(("U1", "U2", "U3"), "foster care with a relative or friend"),
    **dict.fromkeys(("U4", "U5", "U6"), "foster care"),
    **dict.fromkeys(("Z1", "Z11", "Z12", "Z13", "Z14"), "other placement"),
}
#: The Department's codes for the legal status of a looked-after child (SSDA903).
LEGAL_STATUSES = {
    "C1": "interim care order",
    "C2": "full care order",
    "D1": "freed for adoption",
    "E1": "placement order",
    "V2": "accommodated under section 20",
    "V3": "short breaks",
    "V4": "short breaks",
    "J1": "on remand",
    "J2": "accommodated under PACE",
    "J3": "sentenced to a residence requirement",
    "L1": "police protection",
    "L2": "emergency protection order",
    "L3": "child assessment order",
}
#: The Department's codes for the primary type of need.
NEEDS = {
    "SPLD": "Specific learning difficulty",
    "MLD": "Moderate learning difficulty",
    "SLD": "Severe learning difficulty",
    "PMLD": "Profound and multiple learning difficulty",
    "SEMH": "Social, emotional and mental health",
    "SLCN": "Speech, language and communication needs",
    "HI": "Hearing impairment",
    "VI": "Vision impairment",
    "MSI": "Multi-sensory impairment",
    "PD": "Physical disability",
    "ASD": "Autistic spectrum disorder",
    "DS": "Down syndrome",
    "OTH": "Other difficulty or disability",
}
#: The Department's main codes for ethnicity.
ETHNICITIES = {
    "WBRI": "White British",
    "WIRI": "White Irish",
    "WIRT": "Traveller of Irish heritage",
    "WROM": "Gypsy or Roma",
    "WOTH": "Any other White background",
    "MWBC": "White and Black Caribbean",
    "MWBA": "White and Black African",
    "MWAS": "White and Asian",
    "MOTH": "Any other mixed background",
    "AIND": "Indian",
    "APKN": "Pakistani",
    "ABAN": "Bangladeshi",
    "AOTH": "Any other Asian background",
    "BCRB": "Black Caribbean",
    "BAFR": "Black African",
    "BOTH": "Any other Black background",
    "CHNE": "Chinese",
    "OOTH": "Any other ethnic group",
    "REFU": "Ethnicity refused",
    "NOBT": "Ethnicity not yet obtained",
}
#: What figures are broken down by.
BREAKDOWNS = {
    "age": "Age",
    "need": "Primary need",
    "setting_type": "Type of setting",
    "authority": "In or out of authority",
    "care": "Care status",
    "team": "Social care team",
    "caseworker": "Caseworker",
}
AWAITING = {"nothing_in_place": "Nothing in place", "interim": "Interim placement"}
FEED_STATUS = {
    "accepted": "Accepted",
    "missing": "Not received",
    "refused": "Refused",
    "gated": "Held: volume moved",
    "stale-accepted": "Accepted, but old",
    "stale_accepted": "Accepted, but old",
}

#: Parts of a KPI, where their names need words of their own.
LINES = {
    **COHORTS,
    "in_interval": "seen in time",
    "first_not_due": "first visit not yet due",
    "overdue": "overdue",
    "never_seen": "never seen, though due",
    "recorded_only": "Recorded only",
    "nothing_in_place": "Nothing in place",
    "interim": "Interim placement",
    "longest_days": "Longest wait, in days",
    "median_days": "Median wait, in days",
    "updated_in_30_days": "Record updated in the last 30 days",
    "with_exceptions": "Every plan",
    "into_secondary": "Into secondary",
    "into_post_16": "Into post-16",
    "other_transfers": "Other phases",
    "without_exceptions": "Plans without an exception to the time limit",
}
#: Parts whose value is a number of days, not a percentage.
LINES_IN_DAYS = frozenset({"longest_days", "median_days"})
#: Parts told by their percentage, even where less of the figure is better.
LINES_IN_PERCENT = frozenset({"updated_in_30_days"})
#: Bands of age as the SEN2 statistics group them: the last completed year of each, and its name.
CHILD_AGES = {4: "under 5", 10: "5 to 10", 15: "11 to 15", 19: "16 to 19", 25: "20 to 25", 200: "over 25"}
#: Bounds in days, and the words, for how long an exception has been open.
AGE_BANDS = (
    (0, "New tonight"),
    (7, "1 to 7 days"),
    (30, "8 to 30 days"),
    (90, "31 to 90 days"),
    (math.inf, "Over 90 days"),
)
WAITING_BANDS = (
    (30, "Up to 30 days"),
    (90, "31 to 90 days"),
    (180, "91 to 180 days"),
    (365, "181 to 365 days"),
    (math.inf, "Over a year"),
)


def uk_date(value: object) -> str:
    """``27 October 2026``; nothing for a date that is not recorded."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    moment = pd.Timestamp(value)
    return f"{moment.day} {moment:%B %Y}"


def short_date(value: object) -> str:
    """``27 Oct 2026``, for tables."""
    if value is None or (not isinstance(value, str) and pd.isna(value)):
        return ""
    moment = pd.Timestamp(value)
    return f"{moment.day} {moment:%b %Y}"


def uk_time(value: datetime) -> str:
    """``28 October 2026 at 01:47``."""
    return f"{uk_date(value.date())} at {value:%H:%M}"


def whole(value: object) -> str:
    """``1,234``; a dash for a number that is not known."""
    if value is None or pd.isna(value):
        return "–"
    return f"{int(value):,}"  # type: ignore[call-overload]


def percent(value: object, is_exact: bool = True) -> str:
    """``81.4%``: one decimal. ``100%`` and ``0%`` are said of all and of none only; what rounds there keeps its decimal."""
    if value is None or pd.isna(value):
        return "–"
    number = float(value)  # type: ignore[arg-type]
    return f"{number:.0f}%" if is_exact and number in (0.0, 100.0) else f"{number:.1f}%"


def counted(number: int, singular: str, plural: str | None = None) -> str:
    """``1 child``, ``2 children``."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"


def band(values: pd.Series, bands: tuple[tuple[float, str], ...]) -> pd.Series:
    """The band of each number by its upper bounds, both included; ``Not recorded`` where there is none."""
    bounds = [-math.inf, *(upper for upper, _ in bands)]
    numbers = pd.to_numeric(values, errors="coerce").astype("Float64").astype("float64")
    cut = pd.cut(numbers, bins=bounds, labels=[label for _, label in bands])
    return cut.astype("object").where(numbers.notna(), "Not recorded").astype("str")


def age_band(age: pd.Series) -> pd.Series:
    """The band of `CHILD_AGES` of each age in completed years; missing without an age, and for a child who is not yet born."""
    bands = pd.cut(age.astype("Float64"), [-1, *CHILD_AGES], labels=list(CHILD_AGES.values()))
    return bands.astype("object")


def severity_rank(severity: pd.Series) -> pd.Series:
    """0 for critical to 3 for info, for sorting; 9 for anything else."""
    return severity.map({name: place for place, name in enumerate(SEVERITIES)}).fillna(9).astype("int64")


def titled(code: Hashable, titles: dict[str, str]) -> str:
    """The words for a code; a code without any is shown as it is, with spaces."""
    if code is None or (isinstance(code, float) and math.isnan(code)):
        return ""
    text = str(code)
    return titles.get(text, text.replace("_", " "))


def line_title(line: object) -> str:
    """The part of a KPI in words: ``looked_after: overdue`` is ``Looked after: overdue``."""
    if not isinstance(line, str) or not line:
        return ""
    text = ": ".join(SYSTEM_TITLES.get(part) or titled(part, LINES) for part in line.split(": "))
    return text[:1].upper() + text[1:]


def category_titles(by: pd.Series, category: pd.Series) -> pd.Series:
    """Categories of breakdowns in words, each with a capital: ``EHE`` by type of setting is ``Home educated``."""
    setting = category.map({**SETTING_CODES, "restricted": "Restricted: not shown"})
    text = category.map(NEEDS).where(by == "need", setting).fillna(category).astype("str")
    return text.str[:1].str.upper() + text.str[1:]


def cohort_titles(joined: object) -> str:
    """``out_of_authority+residential`` as people say it."""
    if not isinstance(joined, str) or not joined:
        return ""
    return ", ".join(titled(word, COHORTS) for word in joined.split("+"))


#: A date by itself: one in the name of a file or a folder stays as it is.
_ISO_DATE = re.compile(r"(?<![\w/\\-])(\d{4})-(\d{2})-(\d{2})(?![\w/\\-])")
_COHORT_WORD = re.compile(r"^(looked_after|residential|s61|out_of_authority|home_educated)(?=:| since)")


#: A date told by the name of its column: ``decided_on is``.
_DATE_NAMED = re.compile(r"\b([a-z]+(?:_[a-z]+)*)_on is\b")


def plain_detail(details: pd.Series) -> pd.Series:
    """What was found, for people: dates as ``11/05/2026``, cohorts and the names of dates in words."""
    text = details.astype("str").str.replace(_ISO_DATE, r"\3/\2/\1", regex=True)
    text = text.str.replace(_DATE_NAMED, lambda found: f"{found.group(1).replace('_', ' ')} on", regex=True)
    return text.str.replace(_COHORT_WORD, lambda found: COHORTS[found.group()], regex=True).where(details.notna())


_URN = re.compile(r"\b\d{6}\b")
_SYSTEM = re.compile(rf"\b({'|'.join(SYSTEM_TITLES)})\b")


def with_names(texts: pd.Series, rules: pd.Series, settings: Mapping[str, str]) -> pd.Series:
    """What was found, or what several share, with settings and systems as people know them: ``900185`` is ``Elm School (900185)`` where a rule on
    whereabouts or placements tells it, ``capita`` is ``Capita`` where one on feeds does. `settings` are names by URN; others stay as they are.
    """

    def named(found: re.Match[str]) -> str:
        name = settings.get(found.group())
        return f"{name} ({found.group()})" if name else found.group()

    family = rules.astype("str").str[:2]
    places, feeds = family.isin(["WH", "PL"]), family == "SR"
    told = texts.astype("object")
    told[places] = texts[places].str.replace(_URN, named, regex=True)
    told[feeds] = texts[feeds].str.replace(_SYSTEM, lambda found: SYSTEM_TITLES[found.group()], regex=True)
    return told.astype("str").where(texts.notna(), texts)


def told_detail(exceptions: pd.DataFrame) -> pd.Series:
    """What was found of each exception, for people (`plain_detail`): with the feed that it is about, and for a vanished child the system that no longer
    has the record. What is withheld of a restricted child stays withheld.

    Uses ``told`` (`with_names`) where the frame has it, else ``detail``; and ``rule``, ``kind``, ``field`` (the feed, where the exception is about one) and ``source``.
    """
    found = exceptions["told" if "told" in exceptions else "detail"]
    detail = plain_detail(found)
    rule, kind, field, source = (
        exceptions.get(name, pd.Series("", index=exceptions.index)).fillna("").astype("str")
        for name in ("rule", "kind", "field", "source")
    )
    about_feed = kind.isin(["feed", KIND_TITLES["feed"]]) & (field != "") & detail.notna()
    detail = detail.mask(about_feed, field.str.replace("_", " ") + ": " + detail)
    system = source.map(lambda name: SYSTEM_TITLES.get(name, name.capitalize()))
    gone = (rule == "SR08") & (found != RESTRICTED)
    return detail.mask(gone.fillna(False), "no longer in " + system + ", " + detail)


def in_words(expectations: pd.DataFrame) -> pd.DataFrame:
    """Expectation results with ``expectation`` in plain words: where the frame has a ``title``, that."""
    if "title" not in expectations:
        return expectations
    return expectations.assign(expectation=expectations["title"].fillna(expectations["expectation"]))
