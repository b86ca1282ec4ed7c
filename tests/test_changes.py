"""What changed between two nights: drawn registers, links and KPI members."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from store_drawn import FIRST, NOW, SECOND

from config.errors import ConfigurationError
from pipelines.answers_past import changes_between, kpi_bridges
from pipelines.changes import CAUSES, bridges, causes
from pipelines.cli import main
from pipelines.store import Store
from pipelines.tables import HISTORY

MEMBERS = st.dictionaries(
    st.tuples(st.sampled_from(["K01", "K06"]), st.sampled_from(["", "s61"]), st.sampled_from("abcdefg")), st.booleans()
)


def members(drawn: dict[tuple[str, str, str], bool]) -> pd.DataFrame:
    rows = [(*key, met) for key, met in drawn.items()]
    frame = pd.DataFrame(rows, columns=["code", "line", "child_id", "in_numerator"])
    return frame.astype({"code": "str", "line": "str", "child_id": "str", "in_numerator": "boolean"})


def child(child_id: str, **facts: object) -> dict[str, object]:
    return {
        "child_id": child_id,
        "active_plan": "Y",
        "setting_urn": "100",
        "setting_name": "Elm",
        "is_restricted": False,
        **facts,
    }


def keep(store: Store, night: date, children: list[dict[str, object]], links: dict[str, str], counted: dict) -> None:
    with store.night(night) as kept:
        kept.open_run({"application": "test"}, NOW)
        kept.save("register", pd.DataFrame(children).reindex(columns=list(HISTORY["register"][1])))
        rows = [("synergy", record, who, "drawn") for record, who in links.items()]
        kept.save("links", pd.DataFrame(rows, columns=["source", "source_id", "child_id", "how"]))
        kept.save("kpi_members", members(counted))
        kept.close_run(0, {}, {"all": 0.1})


@pytest.fixture
def store(store: Store) -> Store:
    opened = store
    day = pd.Timestamp
    keep(
        opened,
        FIRST,
        [
            child("goes"),
            child("moves"),
            child("hidden", is_restricted=True),
            child("reviewed", last_completed_review_on=day("2025-10-01")),
            child("mended", last_completed_review_on=day("2025-10-01"), plan_started_on=day("2020-01-01")),
            child("renamed"),
        ],
        {"1": "goes", "2": "moves"},
        {("K06", "s61", "hidden"): True, ("K01", "", "goes"): True},
    )
    keep(
        opened,
        SECOND,
        [
            child("goes", active_plan="N"),
            child("comes"),
            child("moves", setting_urn="200", setting_name="Oak"),
            child("hidden", is_restricted=True, setting_urn="300", setting_name="Ash"),
            child("reviewed", last_completed_review_on=day(SECOND)),
            child("mended", last_completed_review_on=day("2025-09-01"), plan_started_on=day("2020-02-01")),
            child("renamed", setting_name="Elm Academy"),
        ],
        {"1": "goes", "2": "comes"},
        {("K01", "", "comes"): False},
    )
    return opened


def test_each_change_is_told_once_and_by_its_kind(store: Store) -> None:
    found = changes_between(store, FIRST, SECOND)
    told = set(zip(found["change"], found["child_id"], found["field"], strict=True))
    assert told == {
        ("joined", "comes", "active_plan"),
        ("left", "goes", "active_plan"),
        ("moved", "moves", "setting"),
        ("moved", "hidden", "setting"),
        ("review completed", "reviewed", "last_completed_review_on"),
        ("corrected", "mended", "last_completed_review_on"),
        ("corrected", "mended", "plan_started_on"),
        ("relinked", "comes", "synergy 2"),
    }
    assert len(found) == len(told)
    whys = found.set_index(["change", "child_id"])["why"]
    assert whys[("joined", "comes")] == "relinked" and whys[("left", "goes")] == ""


def test_a_restricted_child_shows_no_setting_and_no_telling_line(store: Store) -> None:
    found = changes_between(store, FIRST, SECOND)
    moved = found[(found["change"] == "moved") & (found["child_id"] == "hidden")]
    assert moved[["before", "after"]].to_numpy().tolist() == [["restricted", "restricted"]]
    assert not found.astype("str").isin(["Ash"]).any().any()
    line = kpi_bridges(store, FIRST, SECOND).set_index(["code", "line", "part"]).loc[("K06", "s61", "denominator")]
    assert (line["opening"], line["children_out"], line["closing"], line["ids_out"]) == (1, 1, 0, "restricted")


def test_a_child_who_is_restricted_since_shows_no_earlier_move(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "restricted", lambda store: {"moves"})
    found = changes_between(store, FIRST, SECOND)
    moved = found[(found["change"] == "moved") & (found["child_id"] == "moves")]
    assert moved[["before", "after"]].to_numpy().tolist() == [["restricted", "restricted"]]
    assert not found.astype("str").isin(["Oak"]).any().any()


def test_the_same_day_gives_nothing(store: Store) -> None:
    assert changes_between(store, SECOND, SECOND).empty
    still = kpi_bridges(store, SECOND, SECOND)
    assert not still[["children_in", "children_out"]].any().any()


def test_days_the_wrong_way_round_are_refused(store: Store) -> None:
    with pytest.raises(ConfigurationError, match="is after"):
        changes_between(store, SECOND, FIRST)


@settings(deadline=None, max_examples=40)
@given(MEMBERS, MEMBERS)
def test_bridges_add_up_and_name_the_children(first: dict, last: dict) -> None:
    found = bridges(members(first), members(last))
    assert (found["opening"] + found["children_in"] - found["children_out"] == found["closing"]).all()
    for row in found.to_dict("records"):
        before, after = (
            {
                key[2]
                for key, met in drawn.items()
                if key[:2] == (row["code"], row["line"]) and (met or row["part"] == "denominator")
            }
            for drawn in (first, last)
        )
        assert (row["opening"], row["closing"]) == (len(before), len(after))
        assert set(row["ids_in"].split()) == after - before and set(row["ids_out"].split()) == before - after
    assert set(zip(found["code"], found["line"], strict=True)) == {key[:2] for key in {*first, *last}}


def test_the_command_prints_both(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.commands.past.open_store", lambda: store)
    days = ["--from", FIRST.isoformat(), "--to", SECOND.isoformat(), "--format", "json"]
    plain = CliRunner().invoke(main, ["changes", *days])
    assert plain.exit_code == 0 and '"moved"' in plain.output
    bridged = CliRunner().invoke(main, ["changes", *days, "--bridges"])
    assert bridged.exit_code == 0 and '"children_in"' in bridged.output


@settings(deadline=None, max_examples=40)
@given(MEMBERS, MEMBERS, st.dictionaries(st.sampled_from("abcdefg"), st.sampled_from(CAUSES)))
def test_the_causes_of_a_bridge_take_its_opening_to_its_closing(first: dict, last: dict, why: dict) -> None:
    given_causes = pd.Series(why, dtype="str")
    whole = bridges(members(first), members(last)).set_index(["code", "line", "part"])
    found = bridges(members(first), members(last), given_causes, "otherwise")
    for key, rows in found.groupby(["code", "line", "part"]):
        line = whole.loc[key]
        assert (rows["opening"] == line["opening"]).all() and (rows["closing"] == line["closing"]).all()
        assert line["opening"] + rows["children_in"].sum() - rows["children_out"].sum() == line["closing"]
        assert set(" ".join(rows["ids_in"]).split()) == set(line["ids_in"].split())
        for cause, ids in zip(rows["cause"], rows["ids_in"] + " " + rows["ids_out"], strict=True):
            assert {why.get(child, "otherwise") for child in ids.split()} == {cause}
    still = whole[(whole["children_in"] == 0) & (whole["children_out"] == 0)]
    assert len(found.groupby(["code", "line", "part"])) == len(whole) - len(still)


def test_each_child_has_one_cause_and_a_relink_comes_first(store: Store) -> None:
    why = causes(changes_between(store, FIRST, SECOND)).to_dict()
    assert why == {
        "goes": "left",
        "comes": "relinked",
        "moves": "relinked",
        "hidden": "moved",
        "reviewed": "review completed",
        "mended": "corrected",
    }
    bridge = kpi_bridges(store, FIRST, SECOND, by_cause=True).set_index(["code", "line", "part"])
    assert bridge.loc[("K01", "", "numerator"), "cause"] == "left"
    assert bridge.loc[("K06", "s61", "denominator"), ["cause", "ids_out"]].tolist() == [
        "time passed, or another record",
        "restricted",
    ]


def test_changed_rules_are_told_and_are_the_cause_where_nothing_else_is(store: Store) -> None:
    from sqlalchemy import update

    from pipelines import tables as t

    with store.writing() as connection:
        connection.execute(
            update(t.runs).where(t.runs.c.as_of == SECOND).values(versions={"application": "test", "rules": "newer"})
        )
    told = changes_between(store, FIRST, SECOND)
    assert told.loc[
        told["change"] == "rules or settings changed", ["field", "before", "after"]
    ].to_numpy().tolist() == [["rules", "", "newer"]]
    bridge = kpi_bridges(store, FIRST, SECOND, by_cause=True).set_index(["code", "line", "part"])
    assert bridge.loc[("K06", "s61", "denominator"), "cause"] == "rules or settings changed"
