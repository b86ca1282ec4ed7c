"""A night settles its exceptions in the store: a rule goes into shadow and comes out, a version changes, and every count is kept. On both databases."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
from store_drawn import FIRST, NOW

from checks.engine import Evaluated
from pipelines.answers import exceptions_known, shadow_known, volume_known
from pipelines.configuration import Configuration, load_configuration
from pipelines.follow import settle
from pipelines.lifecycle import advance, rule_states
from pipelines.routing import known_of
from pipelines.store import Store
from pipelines.store_links import known_before
from pipelines.store_people import trail

REGISTER = pd.DataFrame(
    {"child_id": ["c1", "c2", "c3"], "is_restricted": False, "has_active_plan": True, "seen_on": pd.NaT, "setting_urn": "100001",
     "synergy_id": ["1", "2", "3"], "liquidlogic_id": None, "capita_id": None, "whereabouts_grade": "seen", "cohorts": "", "age": 9}
)  # fmt: skip
FEEDS = pd.DataFrame(
    [["synergy", "pupils", "people", "accepted", True, True]],
    columns=["system", "feed", "tables", "status", "is_accepted", "is_expected"],
)
SEALED = pd.DataFrame({"source": [], "source_id": []}, dtype="str")
NIGHTS = [FIRST + timedelta(place) for place in range(6)]


def finding(child: str) -> dict[str, object]:
    return {"rule": "ID05", "child_id": child, "source": "synergy", "source_id": child[1:], "row_id": "", "thing": "", "field": "upn",
            "detail": "wrong form", "severity": "medium", "kind": "record", "owner": "Data team", "on_old_data": False,
            "since_on": pd.NaT, "shared": ""}  # fmt: skip


def night(store: Store, day: date, *children: str, is_shadow: bool = False, version: int = 1) -> None:
    """A night on which one rule finds the fault of some children."""
    configuration: Configuration = load_configuration(store.settings)
    found = pd.DataFrame([finding(child) for child in children], columns=list(finding("c1")))
    results = pd.DataFrame(
        [{"rule": "ID05", "state": "fresh", "version": version, "is_shadow": is_shadow, "found": len(found)}]
    )
    evaluated = Evaluated(found.iloc[:0] if is_shadow else found, results, found if is_shadow else found.iloc[:0])
    with store.night(day) as kept:
        known = known_before(kept.connection, kept.night, kept.previous_night)
        states = rule_states(results, {"ID05": ("people",)}, FEEDS)
        followed = advance(known.exceptions, evaluated.findings, states, set(), pd.Timestamp(day))
        children_known = known_of(REGISTER, None, pd.Timestamp(day))
        told = settle(kept.connection, known, evaluated, followed, REGISTER, children_known, SEALED, configuration, day)
        kept.open_run({"application": "test"}, NOW)
        kept.save("register", REGISTER)
        kept.save("exceptions", told.exceptions)
        kept.save("shadow_findings", told.shadow)
        kept.save_events(told.events)
        kept.save_nightly("rule_results", results)
        kept.save_nightly("exception_volume", told.volume)
        kept.close_run(0, {}, {})


def counts(store: Store, day: date) -> dict[str, int]:
    told = volume_known(store, "severity", day)
    return {} if told.empty else {name: int(number) for name, number in told.iloc[0].drop("severity").items() if number}


def statuses(store: Store) -> dict[str, tuple[str, int, bool]]:
    frame = exceptions_known(store, include_resolved=True)
    return {row.child_id: (row.status, row.age_days, bool(row.is_backlog)) for row in frame.itertuples()}


def test_a_rule_goes_into_shadow_and_starts_again_with_its_backlog_marked(store: Store) -> None:
    night(store, NIGHTS[0], "c1")
    night(store, NIGHTS[1], "c1", "c2", is_shadow=True)
    assert exceptions_known(store).empty and counts(store, NIGHTS[1]) == {"to_shadow": 1}
    assert shadow_known(store)["child_id"].tolist() == ["c1", "c2"] and shadow_known(store, "RV01").empty
    night(store, NIGHTS[2], "c1", "c2", is_shadow=True)
    assert counts(store, NIGHTS[2]) == {}
    assert shadow_known(store)["first_seen_on"].tolist() == [pd.Timestamp(NIGHTS[1])] * 2
    night(store, NIGHTS[3], "c1", "c2")
    assert shadow_known(store).empty
    # What it had raised before its shadow was kept, with its age; what it found in shadow is backlog.
    assert statuses(store) == {"c1": ("open", 3, False), "c2": ("open", 0, True)}
    assert counts(store, NIGHTS[3]) == {"open": 2, "backlog": 2}
    night(store, NIGHTS[4], "c2", "c3")
    assert statuses(store) == {"c1": ("resolved", 4, False), "c2": ("open", 1, True), "c3": ("open", 0, False)}
    assert counts(store, NIGHTS[4]) == {"open": 2, "new": 1, "resolved": 1}
    [aside] = trail(store)[lambda events: events["event"] == "not evaluated"]["reason"]
    assert aside == "in shadow"
    raised = trail(store)[lambda events: events["event"] == "raised"]
    assert raised["reason"].fillna("").tolist() == ["", "no longer in shadow", ""]


def test_a_changed_version_raises_backlog_and_says_why_it_resolved(store: Store) -> None:
    night(store, NIGHTS[0], "c1")
    night(store, NIGHTS[1], "c2", version=2)
    assert statuses(store) == {"c1": ("resolved", 1, False), "c2": ("open", 0, True)}
    assert counts(store, NIGHTS[1]) == {"open": 1, "backlog": 1, "resolved": 1}
    assert trail(store)["reason"].fillna("").tolist() == ["", "version 2", "version 2"]
    night(store, NIGHTS[2], "c2", "c3", version=2)
    assert counts(store, NIGHTS[2]) == {"open": 2, "new": 1}


def test_a_night_run_again_settles_the_same(store: Store) -> None:
    night(store, NIGHTS[0], "c1")
    night(store, NIGHTS[1], "c1", "c2", version=2)
    before = statuses(store), counts(store, NIGHTS[1])
    night(store, NIGHTS[1], "c1", "c2", version=2)
    assert (statuses(store), counts(store, NIGHTS[1])) == before
    assert volume_known(store, "night")["night"].tolist() == [pd.Timestamp(day) for day in NIGHTS[:2]]
