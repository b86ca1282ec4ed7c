"""The KPI figures: each from one definition, with its numerator, its denominator, the children behind both, and how many could not be judged.

A KPI is declared as a rule is: code, title and definition above a function that says who is counted and who meets it. Targets are settings
(`kpis.yml`). A denominator of 0 gives no percentage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from config.limits import Limits
from outputs.figures import judged
from pipelines.frames import days, is_among, look_up, row_reference
from pipelines.kpi_ranges import RANGE_COLUMNS, either_way
from pipelines.places import ARRANGEMENTS


@dataclass(frozen=True)
class Measured:
    """One line of a KPI. `counted` and `meets` are flags over the rows of `of`, which carries ``child_id`` where rows are children's.

    `number` replaces the percentage where the line is a plain number (days).
    """

    line: str
    of: pd.DataFrame
    counted: pd.Series
    meets: pd.Series
    not_judged: int = 0
    number: float | None = None


@dataclass(frozen=True)
class Night:
    """What the KPIs read: the rules' frames, the open exceptions (``rule``, ``child_id``, ``kind``, ``severity``), feeds and expectations."""

    frames: Mapping[str, Any]
    open_exceptions: pd.DataFrame
    feeds: pd.DataFrame
    expectations: pd.DataFrame
    as_of: pd.Timestamp
    limits: Limits

    @cached_property
    def active(self) -> pd.DataFrame:
        """The children of the register with an active plan."""
        register = self.frames["register"]
        return register[register["has_active_plan"]]

    @cached_property
    def has_known_placement(self) -> pd.Series:
        """Of each active plan, whether it meets K03."""
        placements = self.frames["placements"]
        main = placements[placements["is_open"] & placements["is_primary"] & (placements["identifiers"] == 1)]
        known = main[main["is_known"] | main["setting_code"].isin(ARRANGEMENTS)]
        return is_among(self.active["placement_from"], row_reference(known))

    def has(self, children: pd.DataFrame, *rules: str) -> pd.Series:
        """True for the children with an open exception of one of these rules."""
        hit = self.open_exceptions.loc[self.open_exceptions["rule"].isin(rules), "child_id"]
        return is_among(children["child_id"], hit)

    @property
    def a_year_ago(self) -> pd.Timestamp:
        """The same day of the year before: a period of 12 months begins after it."""
        return self.as_of - pd.DateOffset(years=1)


@dataclass(frozen=True)
class Kpi:
    """A KPI's declaration."""

    code: str
    title: str
    definition: str
    measure: Callable[[Night], Iterator[Measured]]


REGISTRY: dict[str, Kpi] = {}


def kpi(
    code: str, title: str
) -> Callable[[Callable[[Night], Iterator[Measured]]], Callable[[Night], Iterator[Measured]]]:
    """Declare a KPI; the first line of the function's docstring is the definition that is printed beside the figure."""

    def declare(measure: Callable[[Night], Iterator[Measured]]) -> Callable[[Night], Iterator[Measured]]:
        REGISTRY[code] = Kpi(
            code, title, (measure.__doc__ or "").strip().split("\n\n")[0].replace("\n    ", " "), measure
        )
        return measure

    return declare


@dataclass(frozen=True)
class Counted:
    """A line of a KPI once measured: who is counted (``counted``), and who meets it (``meets``), as plain flags over the rows of `part.of`."""

    code: str
    part: Measured
    counted: pd.Series
    meets: pd.Series


def measure(night: Night) -> list[Counted]:
    """Every line of every KPI, measured: what the figures, their ranges and their breakdowns are all made from."""
    lines = []
    for code in sorted(REGISTRY):
        for part in REGISTRY[code].measure(night):
            counted = part.counted.fillna(False).astype(bool)
            lines.append(Counted(code, part, counted, counted & part.meets.fillna(False).astype(bool)))
    return lines


def compute(night: Night, targets: Mapping[str, Mapping[str, Any]], measured: Sequence[Counted]) -> pd.DataFrame:
    """All figures: code, line, title, numerator, denominator, value, not_judged, target, definition, the columns of `kpi_ranges`, and `rag`.

    `measured` is what `measure` gave for this night. Values are percentages, rounded to one decimal as the Department rounds, or days where the
    line says so.
    """
    lines = []
    for this in measured:
        declared, part, counted, meets = REGISTRY[this.code], this.part, this.counted, this.meets
        settings = targets.get(this.code, {})
        denominator, numerator = int(counted.sum()), int(meets.sum())
        value = part.number if part.number is not None else (100 * numerator / denominator if denominator else None)
        target = settings.get("target") if part.line in _TARGETED.get(this.code, ("",)) else None
        plain = (this.code, part.line, declared.title, numerator, denominator, value, part.not_judged, target)
        lines.append((*plain, declared.definition, *_range(this, night, settings)))
    columns = ["code", "line", "title", "numerator", "denominator", "value", "not_judged", "target", "definition"]
    figures = pd.DataFrame(lines, columns=[*columns, *RANGE_COLUMNS])
    figures = figures.astype({"value": "Float64", "target": "Float64"} | RANGE_COLUMNS)
    figures[["value", "best", "worst"]] = figures[["value", "best", "worst"]].round(1)
    return figures.assign(rag=rated(figures, targets)["rag"])


def members(measured: Sequence[Counted]) -> pd.DataFrame:
    """The children behind the figures: ``code, line, child_id, in_numerator``, a row per child counted."""
    found = [
        pd.DataFrame(
            {
                "code": this.code,
                "line": this.part.line,
                "child_id": this.part.of.loc[this.counted, "child_id"],
                "in_numerator": this.meets[this.counted],
            }
        )
        for this in measured
        if "child_id" in this.part.of
    ]
    # A child may stand behind a line with several rows (two reviews); it meets the line if all of them do.
    return pd.concat(found).groupby(["code", "line", "child_id"], as_index=False)["in_numerator"].min()


def rated(figures: pd.DataFrame, targets: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The figures with ``direction``, ``green`` and ``amber`` as the settings have them, and ``rag`` by them (`outputs.figures.judged`)."""
    parts = {
        part: figures["code"].map({code: settings.get(part) for code, settings in targets.items()})
        for part in ("direction", "green", "amber")
    }
    return judged(figures.assign(**parts))


def _range(this: Counted, night: Night, settings: Mapping[str, Any]) -> tuple[Any, ...]:
    """The figure at best and at worst, once what is in doubt falls either way (`kpi_ranges.either_way`); nothing for a line in days."""
    part = this.part
    # Three of the four counts of a visit cohort say how the fourth falls short; they have no better and worse of their own.
    if part.number is not None or (this.code == "K06" and ": " in part.line):
        return (None,) * len(RANGE_COLUMNS)
    doubted = pd.Series(False, index=part.of.index)
    if "child_id" in part.of and settings.get("doubt"):
        doubted = night.has(part.of, *settings["doubt"]) & ~night.has(part.of, *settings.get("firm", ()))
    is_down = settings.get("direction") == "down" and part.line != "updated_in_30_days"
    return either_way(this.counted, this.meets, doubted, part.not_judged, is_down)


COHORTS = ("looked_after", "residential", "s61", "out_of_authority", "home_educated")
_TARGETED: dict[str, tuple[str, ...]] = {
    "K06": COHORTS,
    "K07": ("nothing_in_place",),
    "K10": ("audited", "accurate"),
    "K11": ("with_exceptions",),
}


def _all(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(True, index=frame.index)


@kpi("K01", "Plans reviewed within 12 months")
def plans_reviewed(night: Night) -> Iterator[Measured]:
    """Active plans whose next review is not overdue / active plans at least 12 months old."""
    plans = night.active
    old_enough = plans["plan_started_on"] <= night.a_year_ago
    yield Measured("", plans, old_enough, ~night.has(plans, "RV01", "RV02"), int(plans["plan_started_on"].isna().sum()))


@kpi("K02", "Review dates held")
def review_dates_held(night: Night) -> Iterator[Measured]:
    """Plans with plan start, last review (or under 12 months old) and next due all known and in order / active plans."""
    plans = night.active
    reviewed = plans["last_completed_review_on"]
    young = plans["plan_started_on"] > night.a_year_ago
    in_order = ~(reviewed < plans["plan_started_on"])
    yield Measured("", plans, _all(plans), plans["next_review_due_on"].notna() & (reviewed.notna() | young) & in_order)


@kpi("K03", "Placement known")
def placement_known(night: Night) -> Iterator[Measured]:
    """An open main placement with exactly one identifier, in the establishment register, or a recognised arrangement / active plans."""
    plans = night.active
    yield Measured("", plans, _all(plans), night.has_known_placement)


@kpi("K04", "Placement corroborated")
def placement_corroborated(night: Night) -> Iterator[Measured]:
    """Children of K03 whose setting a second system confirms / children of K03."""
    plans = night.active
    yield Measured("", plans, night.has_known_placement, plans["has_agreeing_roll"])


@kpi("K05", "Whereabouts not confirmed")
def whereabouts_not_known(night: Night) -> Iterator[Measured]:
    """Active plans with WH01, WH06, WH07 or an unexplained SR08 / active plans; beside it, recorded only (WH10)."""
    plans = night.active
    yield Measured("", plans, _all(plans), night.has(plans, "WH01", "WH06", "WH07", "SR08"))
    yield Measured("recorded_only", plans, _all(plans), night.has(plans, "WH10"))


@kpi("K06", "Welfare visits in date")
def visits_in_date(night: Night) -> Iterator[Measured]:
    """Children seen within the cohort's interval / children in the cohort; beside it: first visit not yet due, overdue, never seen though due."""
    cohorts = night.frames["cohorts"]
    for cohort in COHORTS:
        counted = cohorts["cohort"] == cohort
        yield Measured(cohort, cohorts, counted, cohorts["state"] == "in_interval")
        for state in ("first_not_due", "overdue", "never_seen"):
            yield Measured(f"{cohort}: {state}", cohorts, counted, cohorts["state"] == state)


@kpi("K07", "Awaiting provision")
def awaiting_provision(night: Night) -> Iterator[Measured]:
    """Children awaiting, with nothing in place and with an interim placement / active plans; longest and median days; updated in 30 days."""
    plans = night.active
    yield Measured("nothing_in_place", plans, _all(plans), plans["awaiting"] == "nothing_in_place")
    yield Measured("interim", plans, _all(plans), plans["awaiting"] == "interim")
    waiting = plans["awaiting"].notna()
    waited = days(night.as_of, plans["awaiting_since"]).where(waiting)
    for line, number in (("longest_days", waited.max()), ("median_days", waited.median())):
        yield Measured(line, plans, waiting, waiting, number=None if pd.isna(number) else float(number))
    recent = ~(plans["waiting_touched_on"] < night.as_of - pd.Timedelta(days=night.limits.waiting_update_days))
    has_record = plans["waiting_row"].notna()
    yield Measured("updated_in_30_days", plans, waiting & has_record, recent, int((waiting & ~has_record).sum()))


@kpi("K08", "Missing and tracked")
def missing_and_tracked(night: Night) -> Iterator[Measured]:
    """Children with WH01, WH06, WH07 or SR08 whose exception has an assignee and a note in the last 7 days / such children."""
    children = night.frames["register"]
    exceptions = night.open_exceptions
    tracked = exceptions[exceptions["is_tracked"].astype(bool)] if "is_tracked" in exceptions else exceptions.iloc[:0]
    rules = ["WH01", "WH06", "WH07", "SR08"]
    meets = is_among(children["child_id"], tracked.loc[tracked["rule"].isin(rules), "child_id"])
    yield Measured("", children, night.has(children, *rules), meets)


@kpi("K09", "Records accurate and up to date")
def records_accurate(night: Night) -> Iterator[Measured]:
    """Active plans with no open critical or high exception of kind record / active plans."""
    plans = night.active
    wrong = night.open_exceptions
    wrong = wrong[(wrong["kind"] == "record") & wrong["severity"].isin(["critical", "high"])]
    yield Measured("", plans, _all(plans), ~is_among(plans["child_id"], wrong["child_id"]))


@kpi("K10", "Records audited")
def records_audited(night: Night) -> Iterator[Measured]:
    """Active plans audited (every field of the plan and case file looked at) in the last 12 months / active plans; beside it, found accurate / audited."""
    audits, plans = night.frames.get("audits"), night.active
    if audits is not None:
        recent = audits[(audits["audited_on"] > night.a_year_ago) & (audits["audited_on"] <= night.as_of)]
        audited = is_among(plans["child_id"], recent["child_id"])
        yield Measured("audited", plans, _all(plans), audited)
        yield Measured(
            "accurate", plans, audited, is_among(plans["child_id"], recent.loc[recent["is_accurate"], "child_id"])
        )


@kpi("K11", "Plans in 20 weeks")
def plans_in_20_weeks(night: Night) -> Iterator[Measured]:
    """Issued within 140 days of the request / plans started in the last 12 months that have a request; with and without exceptions."""
    plans = night.frames["plans"]
    issued = plans["is_started_this_year"] & plans["received_on"].notna()
    in_time = plans["issue_days"] <= night.limits.plan_issue_days
    without_request = int((plans["is_started_this_year"] & plans["received_on"].isna()).sum())
    yield Measured("with_exceptions", plans, issued, in_time, without_request)
    yield Measured(
        "without_exceptions", plans, issued & ~plans["has_exception"].fillna(False), in_time, without_request
    )


@kpi("K12", "Decisions to assess in 6 weeks")
def decisions_in_6_weeks(night: Night) -> Iterator[Measured]:
    """Decided within 42 days of the request / requests decided in the last 12 months."""
    requests = night.frames["requests"]
    if requests is not None:
        decided = (requests["decided_on"] > night.a_year_ago) & (requests["decided_on"] <= night.as_of)
        taken = days(requests["decided_on"], requests["received_on"])
        yield Measured(
            "",
            requests,
            decided & taken.notna(),
            taken <= night.limits.decision_to_assess_days,
            int((decided & taken.isna()).sum()),
        )


def _held_meetings(night: Night) -> tuple[pd.DataFrame, pd.Series]:
    """Casework reviews, and which of them belong to a plan with a start and were held in the last 12 months."""
    reviews, plans = night.frames["reviews"], night.frames["plans"]
    begun = plans.loc[plans["leads"] & plans["started_on"].notna()]
    ours = reviews["is_casework"] & is_among(
        reviews["source"] + " " + reviews["plan_id"], begun["source"] + " " + begun["row_id"]
    )
    return reviews, ours & (reviews["met_on"] > night.a_year_ago) & (reviews["met_on"] <= night.as_of)


@kpi("K13", "Review decisions in 4 weeks")
def review_decisions_in_4_weeks(night: Night) -> Iterator[Measured]:
    """Decision within 28 days of the meeting / meetings in the last 12 months whose 28 days are up, plans since ceased included."""
    reviews, held = _held_meetings(night)
    limit = night.limits.review_decision_days
    yield Measured(
        "", reviews, held & (reviews["met_days"] > limit), days(reviews["decided_on"], reviews["met_on"]) <= limit
    )


@kpi("K14", "Amended plans in 12 weeks")
def amended_plans_in_12_weeks(night: Night) -> Iterator[Measured]:
    """Final plan within 84 days of the meeting / reviews decided to amend, meeting in the last 12 months, whose 84 days are up."""
    reviews, held = _held_meetings(night)
    limit = night.limits.amended_plan_days
    due = held & (reviews["outcome_code"] == "A") & (reviews["met_days"] > limit)
    yield Measured("", reviews, due, days(reviews["final_plan_on"], reviews["met_on"]) <= limit)


@kpi("K15", "Phase transfers in time")
def phase_transfers_in_time(night: Night) -> Iterator[Measured]:
    """Final plan before the phase transfer deadline / transfers whose deadline fell in the last 12 months; none where no extract carries them; into
    secondary, into post-16 and others apart."""
    reviews, register = night.frames["reviews"], night.frames["register"]
    deadline = reviews["phase_due_on"]
    due = reviews["is_casework"] & (deadline > night.a_year_ago) & (deadline <= night.as_of)
    in_time = reviews["phase_final_on"] < deadline
    yield Measured("", reviews, due, in_time)
    # The deadline of 31 March is that into post-16; who is 11 when the school year ends goes into secondary.
    post_16 = (deadline.dt.month == 3).fillna(False)
    born = look_up(reviews["child_id"], register.drop_duplicates("child_id").set_index("child_id")["born_on"])
    eleven = ((deadline.dt.year - born.dt.year - (born.dt.month > 8)) == 11).fillna(False)
    yield Measured("into_secondary", reviews, due & ~post_16 & eleven, in_time)
    yield Measured("into_post_16", reviews, due & post_16, in_time)
    yield Measured("other_transfers", reviews, due & ~post_16 & ~eleven, in_time)


@kpi("K16", "Out-of-authority settings visited")
def settings_visited(night: Night) -> Iterator[Measured]:
    """Settings visited under the quality assurance framework in the last 12 months / out-of-authority settings in use. Not available: no extract
    carries visits to settings, only visits to children; the settings in use are counted as not judged."""
    plans = night.active
    away = plans.loc[plans["is_out_of_authority"].fillna(False).astype(bool), "setting_urn"]
    none = pd.DataFrame(index=range(0))
    yield Measured("", none, _all(none), _all(none), int(away.nunique()))


@kpi("K17", "Source health")
def source_health(night: Night) -> Iterator[Measured]:
    """Per system: feeds accepted tonight / feeds expected; rows accepted / rows that arrived; expectations met / expectations judged."""
    feeds, expectations = night.feeds, night.expectations
    for system in sorted(feeds["system"].unique()):
        mine = feeds["system"] == system
        yield Measured(
            f"{system}: extracts on time", feeds, mine & feeds["is_expected"], feeds["is_accepted"] & ~feeds["is_stale"]
        )
        rows, accepted = int(feeds.loc[mine, "rows"].sum()), int(feeds.loc[mine, "accepted"].sum())
        counted = pd.DataFrame(index=range(rows))
        yield Measured(
            f"{system}: rows accepted", counted, _all(counted), pd.Series(counted.index < accepted, index=counted.index)
        )
        asked = expectations["system"] == system
        met = expectations["is_met"].astype("boolean")
        untold = int((asked & met.isna()).sum())
        yield Measured(f"{system}: expectations met", expectations, asked & met.notna(), met, not_judged=untold)


@kpi("K18", "Provision known")
def provision_known(night: Night) -> Iterator[Measured]:
    """Active plans whose open placement says what provision is commissioned / active plans with an open placement."""
    plans, placements = night.active, night.frames["placements"]
    in_place = is_among(plans["child_id"], placements.loc[placements["is_open"], "child_id"])
    yield Measured("", plans, in_place, ~night.has(plans, "PL13"))
