"""Exceptions follow their child when two ids are found to be one child, with all that people did, and are again what they were when that is taken back."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from store_drawn import FIRST, NOW, contents, settings_in

from config.priority import load_priority
from pipelines import store_people as people
from pipelines.acts import honour
from pipelines.inherit import FOLLOWED, RESUMED, inherit
from pipelines.lifecycle import advance
from pipelines.link import Linkage
from pipelines.link_night import Known, Linked, became
from pipelines.shadow import would_raise
from pipelines.store import Store
from pipelines.store_links import earlier_exceptions, known_before, save_link_events
from pipelines.volume import COUNTS, volume

NIGHTS = [FIRST + timedelta(place) for place in range(6)]
LATER = date(2027, 1, 1)
SYSTEM = {"S": "synergy", "C": "capita", "L": "liquidlogic"}
#: A rule in shadow.
SHADOW = "WH09"
#: Three children apart; two of them one; and all three.
APART, TWO, THREE = "S1=a C2=b L3=c", "S1=a C2=a L3=c", "S1=a C2=a L3=a"


def night(store: Store, day: date, links: str, *found: str) -> None:
    """A night as far as exceptions go. ``S1=a`` says whose a record is; ``WH01 a`` is found of that child, ``ID05 a C2`` of its record."""
    today = pd.Timestamp(day)
    rows = [(SYSTEM[record[0]], record[1:], child) for record, child in (word.split("=") for word in links.split())]
    frame = pd.DataFrame(rows, columns=["source", "source_id", "child_id"], dtype="str").assign(how="drawn")
    nothing = pd.DataFrame(columns=["source", "source_id"], dtype="str")
    lapsed = pd.DataFrame(columns=["decision_id", "source_a", "source_id_a", "why"], dtype="str")
    findings = _findings([line.split() for line in found])
    in_shadow = findings["rule"] == SHADOW
    with store.night(day) as kept:
        known = known_before(kept.connection, kept.night, kept.previous_night)
        linked = Linked(Linkage(frame, nothing, nothing), nothing, nothing, became(known, frame, lapsed))
        earlier = earlier_exceptions(kept.connection, known, linked.events, night=day)
        earlier_shadow = earlier_exceptions(kept.connection, known, linked.events, night=day, of="shadow_findings")
        told = inherit(known, linked, findings[~in_shadow], earlier, earlier_shadow)
        shadow, findings = would_raise(told.known.shadow, findings[in_shadow], today), findings[~in_shadow]
        states = dict.fromkeys(("WH01", "WH03", "ID04", "ID05"), "fresh")
        exceptions, events = advance(told.known.exceptions, findings, states, set(), today)
        exceptions, ended = honour(exceptions, told.known.acts, today)
        _closes(told.known, exceptions, today)
        kept.open_run({"application": "test"}, NOW)
        kept.save("links", frame)
        kept.save("register", frame[["child_id"]].drop_duplicates().assign(is_restricted=False))
        kept.save("exceptions", exceptions.assign(is_backlog=False))
        kept.save("followed_exceptions", told.followed)
        kept.save("shadow_findings", shadow)
        kept.save_events(pd.concat([told.events, events, ended], ignore_index=True))
        save_link_events(kept.connection, day, linked.events)
        kept.close_run(0, {}, {})


def _closes(known: Known, tonight: pd.DataFrame, day: pd.Timestamp) -> None:
    """The account of every night closes: what stands is what the night before left standing, and what came, less what went."""
    left, before, tonight = (frame.assign(is_backlog=False) for frame in (known.left, known.exceptions, tonight))
    counts = [
        volume(*sides, load_priority(), day, left=left)[list(COUNTS)].sum()
        for sides in ((left, left), (before, tonight))
    ]
    stood, stands = (told["open"] + told["accepted"] + told["not_evaluated"] for told in counts)
    came, went = counts[1][["new", "backlog", "reopened", "relinked"]].sum(), counts[1][["resolved", "to_shadow"]].sum()
    assert stands == stood + came - went


def _findings(lines: list[list[str]]) -> pd.DataFrame:
    rows = [
        {"rule": rule, "child_id": child, "source": SYSTEM[own[0][0]] if own else "", "source_id": own[0][1:] if own else "", "row_id": "", "thing": "",
         "field": "", "detail": "as it is", "severity": "medium", "kind": "record", "owner": "Data team", "shared": ""}
        for rule, child, *own in lines
    ]  # fmt: skip
    names = ["rule", "child_id", "source", "source_id", "row_id", "thing", "field", "detail", "severity", "kind", "owner", "shared"]  # fmt: skip
    return pd.DataFrame(rows, columns=names, dtype="str").assign(on_old_data=False, since_on=pd.NaT)


def exceptions(store: Store) -> dict[str, tuple[str, int, bool]]:
    """By rule and child: the status, the night first seen (0 is the first), and whether it came back after it was resolved."""
    return {
        f"{row.rule} {row.child_id}": (row.status, (row.first_seen_on.date() - FIRST).days, pd.notna(row.reopened_on))
        for row in store.exceptions(include_resolved=True).itertuples()
    }


def id_of(store: Store, name: str) -> str:
    frame = store.exceptions(include_resolved=True)
    return frame.loc[(frame["rule"] + " " + frame["child_id"]) == name, "exception_id"].item()


def whole(store: Store) -> pd.DataFrame:
    return store.history("exceptions").sort_values("exception_id", ignore_index=True)


@pytest.fixture
def embedded(tmp_path: Path) -> Store:
    return Store(settings_in(tmp_path / "data"))


def test_what_people_did_and_the_age_follow_to_the_child_it_turned_out_to_be_and_come_back(store: Store) -> None:
    night(store, NIGHTS[0], APART, "WH01 b", "WH03 b")
    night(store, NIGHTS[1], APART, "WH01 b", "WH03 b", "WH01 a")
    former = id_of(store, "WH01 b")
    people.note(store, former, "rang the school", "grace", NOW)
    people.assign(store, former, "Data team", "grace", NOW)
    people.accept(store, former, LATER, "known", "ada", NOW)
    night(store, NIGHTS[2], APART, "WH01 b", "WH03 b", "WH01 a")
    before, stood = whole(store), exceptions(store)
    assert stood["WH01 b"] == ("accepted", 0, False) and stood["WH01 a"] == ("open", 1, False)

    night(store, NIGHTS[3], TWO, "WH01 a", "WH03 a")
    assert exceptions(store) == {"WH01 a": ("accepted", 0, False), "WH03 a": ("open", 0, False)}
    now = people.one_exception(store, former)
    assert now["exception_id"] == id_of(store, "WH01 a") != former
    assert "Accepted until 2027-01-01 by ada." in people.standing_of(store, now["exception_id"])
    trail = people.trail(store, child_id="a")
    assert {"accepted", "assigned", "noted", FOLLOWED} <= set(trail["event"])
    assert set(people.trail(store, child_id="b")["event"]) >= {"noted", FOLLOWED}
    assert trail.loc[trail["event"] == FOLLOWED, "reason"].unique().tolist() == ["child b is a"]
    people.note(store, former, "one child after all", "ada", NOW)
    assert people.trail(store, now["exception_id"])["event"].tolist().count("noted") == 2

    night(store, NIGHTS[4], APART, "WH01 b", "WH03 b", "WH01 a")
    assert exceptions(store) == stood
    pd.testing.assert_frame_equal(whole(store), before)
    assert store.history("followed_exceptions").empty
    told = people.trail(store, former)["event"].tolist()
    assert told.count("noted") == 1 and told[-1] == RESUMED and "reopened" not in told


def test_an_acceptance_taken_back_meanwhile_stays_taken_back(embedded: Store) -> None:
    night(embedded, NIGHTS[0], APART, "WH01 b")
    former = id_of(embedded, "WH01 b")
    people.accept(embedded, former, LATER, "known", "ada", NOW)
    night(embedded, NIGHTS[1], TWO, "WH01 a")
    assert people.undo(embedded, former, "ada", NOW) == "accepted"
    night(embedded, NIGHTS[2], APART, "WH01 b")
    assert exceptions(embedded) == {"WH01 b": ("open", 0, False)}
    assert people.standing_of(embedded, former) == []


def test_what_a_wrong_link_resolved_goes_on_and_what_it_raised_resolves(embedded: Store) -> None:
    night(embedded, NIGHTS[0], APART, "WH03 a")
    people.accept(embedded, id_of(embedded, "WH03 a"), LATER, "known", "ada", NOW)
    night(embedded, NIGHTS[1], APART, "WH03 a")
    before = exceptions(embedded)
    assert before == {"WH03 a": ("accepted", 0, False)}
    night(embedded, NIGHTS[2], TWO, "ID04 a")
    assert exceptions(embedded)["WH03 a"] == ("resolved", 0, False)
    night(embedded, NIGHTS[3], APART, "WH03 a")
    assert exceptions(embedded) == before | {"ID04 a": ("resolved", 2, False)}


def test_what_was_put_right_meanwhile_stays_resolved(embedded: Store) -> None:
    night(embedded, NIGHTS[0], APART, "WH03 a", "WH01 b")
    night(embedded, NIGHTS[1], TWO, "ID04 a")
    night(embedded, NIGHTS[2], APART)
    frame = embedded.exceptions(include_resolved=True).set_index(["rule", "child_id"])
    assert frame.loc[("WH03", "a"), "resolved_on"] == pd.Timestamp(NIGHTS[1])
    assert frame.loc[("WH01", "b"), "resolved_on"] == pd.Timestamp(NIGHTS[2])


def test_an_exception_of_a_record_goes_with_its_record_a_resolved_one_too(embedded: Store) -> None:
    night(embedded, NIGHTS[0], APART, "ID05 b C2", "WH01 b")
    night(embedded, NIGHTS[1], APART)
    before = whole(embedded)
    night(embedded, NIGHTS[2], TWO)
    assert set(exceptions(embedded)) == {"ID05 a", "WH01 a"}
    night(embedded, NIGHTS[3], APART)
    pd.testing.assert_frame_equal(whole(embedded), before)


def test_one_record_of_several_that_goes_takes_its_own_and_leaves_the_childs(embedded: Store) -> None:
    night(embedded, NIGHTS[0], "S1=a C2=b L3=b", "ID05 b C2", "ID05 b L3", "WH01 b")
    night(embedded, NIGHTS[1], "S1=a C2=a L3=b", "ID05 a C2", "ID05 b L3", "WH01 b")
    assert exceptions(embedded) == dict.fromkeys(["ID05 a", "ID05 b", "WH01 b"], ("open", 0, False))
    assert embedded.history("followed_exceptions").empty


def test_a_child_told_in_two_and_one_again(embedded: Store) -> None:
    night(embedded, NIGHTS[0], TWO, "WH03 a")
    people.accept(embedded, id_of(embedded, "WH03 a"), LATER, "known", "ada", NOW)
    night(embedded, NIGHTS[1], TWO, "WH03 a")
    before = exceptions(embedded)
    night(embedded, NIGHTS[2], "S1=a C2=d L3=c", "WH01 d")
    night(embedded, NIGHTS[3], TWO, "WH03 a")
    assert exceptions(embedded) == before | {"WH01 a": ("resolved", 2, False)}


def test_twice_one_child_and_back_step_by_step(embedded: Store) -> None:
    night(embedded, NIGHTS[0], APART, "WH01 c")
    people.note(embedded, id_of(embedded, "WH01 c"), "first", "ada", NOW)
    steps = ["S1=a C2=b L3=b", THREE, "S1=a C2=b L3=b", APART]
    for place, (links, child) in enumerate(zip(steps, "babc", strict=True), 1):
        night(embedded, NIGHTS[place], links, f"WH01 {child}")
        assert exceptions(embedded) == {f"WH01 {child}": ("open", 0, False)}
        assert "noted" in people.trail(embedded, child_id=child)["event"].tolist()


def test_two_children_who_are_found_to_be_a_third_at_once(embedded: Store) -> None:
    night(embedded, NIGHTS[0], APART, "WH01 b")
    night(embedded, NIGHTS[1], APART, "WH01 b", "WH01 c", "WH03 c")
    night(embedded, NIGHTS[2], THREE, "WH01 a", "WH03 a")
    assert exceptions(embedded) == {"WH01 a": ("open", 0, False), "WH03 a": ("open", 1, False)}
    assert len(embedded.history("followed_exceptions")) == 3


@pytest.mark.parametrize("place", [2, 3])
def test_a_night_run_again_comes_to_the_same(embedded: Store, place: int) -> None:
    nights = [(APART, "WH01 b", "WH01 a"), (TWO, "WH01 a"), (TWO, "WH01 a"), (APART, "WH01 b", "WH01 a")]
    for day, drawn in zip(NIGHTS[: place + 1], nights, strict=False):
        night(embedded, day, *drawn)
    before = contents(embedded)
    night(embedded, NIGHTS[place], *nights[place])
    assert contents(embedded) == before


def test_what_a_rule_in_shadow_finds_keeps_its_first_night(embedded: Store) -> None:
    def first() -> dict[str, int]:
        found = embedded.history("shadow_findings")
        nights = (found["first_seen_on"] - pd.Timestamp(FIRST)).dt.days
        return dict(zip(found["child_id"] + " " + found["source_id"], nights, strict=True))

    night(embedded, NIGHTS[0], APART, "WH09 b", "WH09 c L3")
    night(embedded, NIGHTS[1], APART, "WH09 b", "WH09 a", "WH09 c L3")
    night(embedded, NIGHTS[2], THREE, "WH09 a", "WH09 a L3")
    assert first() == {"a ": 0, "a 3": 0}
    night(embedded, NIGHTS[3], TWO, "WH09 a", "WH09 c L3")
    assert first() == {"a ": 0, "c 3": 0}
    night(embedded, NIGHTS[4], APART, "WH09 a", "WH09 b")
    assert first() == {"a ": 1, "b ": 0}
