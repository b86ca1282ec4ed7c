"""Ranges and breakdowns: a figure lies between its best and its worst, and every breakdown adds up to it."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import ConfigurationError
from config.limits import load_limits
from outputs.figures import nights_of, travelled
from outputs.wording import BREAKDOWNS
from pipelines.commands.lists import kpis as kpis_command
from pipelines.configuration import _need_rules
from pipelines.kpi_breakdowns import NOT_RECORDED, broken_down, child_facts, with_value
from pipelines.kpi_ranges import either_way
from pipelines.kpis import REGISTRY, Counted, Measured, Night, compute, measure

AS_OF = pd.Timestamp("2026-10-27")


def flags(text: str) -> pd.Series:
    return pd.Series([letter == "x" for letter in text])


@pytest.mark.parametrize(
    ("counted", "meets", "doubted", "not_judged", "is_down", "wanted"),
    [
        ("xxxx", "xxx.", "....", 0, False, (0, 3, 3, 75.0, 75.0)),  # nothing in doubt: no range
        ("xxxx", "xxx.", "...x", 0, False, (1, 4, 3, 100.0, 75.0)),  # one who does not meet it may after all
        ("xxxx", "xxx.", "x...", 0, False, (1, 3, 2, 75.0, 50.0)),  # one who meets it may not
        ("xxx.", "xxx.", "...x", 0, False, (0, 3, 3, 100.0, 100.0)),  # one who is not counted bears on nothing
        ("xxxx", "xxx.", "....", 1, False, (1, 4, 3, 80.0, 60.0)),  # not judged falls either way, and then counts
        ("xxxx", "x...", "xx..", 0, True, (2, 0, 2, 0.0, 50.0)),  # where less is better the best is the lower
        ("....", "....", "....", 0, False, (0, 0, 0, None, None)),  # a denominator of 0 gives no percentage
    ],
)
def test_drawn_ranges(counted, meets, doubted, not_judged, is_down, wanted):
    assert either_way(flags(counted), flags(meets), flags(doubted), not_judged, is_down) == wanted


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=1), st.integers(0, 5), st.booleans())
def test_the_figure_lies_between_its_best_and_its_worst(rows, not_judged, is_down):
    counted, meets, doubted = (pd.Series(column) for column in zip(*rows, strict=True))
    meets &= counted
    _, best, worst, top, bottom = either_way(counted, meets, doubted, not_judged, is_down)
    low, high = sorted([best, worst])
    assert low <= meets.sum() <= high
    if counted.any():
        share = 100 * meets.sum() / counted.sum()
        assert min(top, bottom) - 1e-9 <= share <= max(top, bottom) + 1e-9


def register(**columns: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "child_id": ["C1", "C2", "C3", "C4"],
            "has_active_plan": True,
            "is_restricted": [False, False, True, False],
            "age": pd.array([4, 5, 19, None], dtype="Int64"),
            "need_code": ["ASD", "ASD", "OTH", None],
            "type_name": ["Community school", None, "Secret school", None],
            "setting_code": [None, "EHE", None, None],
            "is_out_of_authority": pd.array([False, None, True, None], dtype="boolean"),
            "is_looked_after": [True, False, False, False],
            "plan_started_on": pd.to_datetime(["2020-01-01"] * 3 + [None]),
        }
    )
    return frame.assign(**columns)


INVOLVEMENTS = pd.DataFrame(
    {
        "child_id": ["C1", "C1", "C2"],
        "row_id": ["1", "2", "3"],
        "worker": ["Old", "New", "Gone"],
        "team": ["One", "Two", "One"],
        "started_on": pd.to_datetime(["2024-01-01", "2025-01-01", "2024-01-01"]),
        "ended_on": pd.to_datetime([None, None, "2026-10-27"]),
    }
)


def test_facts_are_those_of_the_day_and_the_place_of_a_restricted_child_is_withheld():
    facts = child_facts(register(), INVOLVEMENTS, AS_OF).fillna("")
    assert facts["age"].tolist() == ["under 5", "5 to 10", "16 to 19", ""]
    assert facts["setting_type"].tolist() == ["Community school", "EHE", "restricted", ""]
    assert facts["authority"].tolist() == ["in authority", "", "restricted", ""]
    assert facts["care"].tolist() == ["looked after"] + ["not looked after"] * 3
    assert facts["caseworker"].tolist() == ["New", "", "", ""]  # an involvement that ended today is over
    assert child_facts(register(), None, AS_OF)["team"].isna().all()


def test_every_breakdown_adds_up_to_the_figure_also_where_a_child_counts_twice_or_is_not_on_the_register():
    reviews = pd.DataFrame({"child_id": ["C1", "C1", "C2", "C9"], "row_id": ["1", "2", "3", "4"]})
    counted, meets = flags("xxxx"), flags("x..x")
    lines = [
        Counted("K13", Measured("", reviews, counted, meets), counted, meets),
        Counted("K07", Measured("longest_days", reviews, counted, meets, number=9.0), counted, meets),
        Counted("K17", Measured("synergy", pd.DataFrame(index=range(4)), counted, meets), counted, meets),
    ]
    found = with_value(broken_down(lines, child_facts(register(), INVOLVEMENTS, AS_OF)))
    assert set(found["code"]) == {"K13"} and set(found["by"]) >= {"age", "need", "authority", "care", "caseworker"}
    sums = found.groupby("by")[["numerator", "denominator"]].sum()
    assert (sums["numerator"] == 2).all() and (sums["denominator"] == 4).all()
    by_age = found[found["by"] == "age"].set_index("category")
    assert list(by_age.index) == ["under 5", "5 to 10", NOT_RECORDED]
    assert by_age["value"].tolist() == [50.0, 0.0, 100.0]


def night(rules: list[tuple[str, str]]) -> Night:
    children = register(
        placement_from=["synergy placements 1", "synergy placements 2", "x", "y"],
        next_review_due_on=pd.to_datetime(["2027-01-01"] * 3 + [None]),
        last_completed_review_on=pd.to_datetime(["2026-01-01"] * 3 + [None]),
    )
    exceptions = pd.DataFrame(rules, columns=["rule", "child_id"]).assign(kind="record", severity="high")
    placements = pd.DataFrame(
        columns=["child_id", "source", "row_id", "is_open", "is_primary", "identifiers", "is_known", "setting_code"]
    )
    frames = {"register": children, "placements": placements.astype({"is_open": bool, "is_primary": bool})}
    none = pd.DataFrame(columns=["system", "is_met"])
    return Night(frames, exceptions, none, none, AS_OF, load_limits())


def test_a_child_whom_nothing_can_clear_stays_in_the_figure_at_best(monkeypatch):
    monkeypatch.setattr(
        "pipelines.kpis.REGISTRY", {code: kpi for code, kpi in REGISTRY.items() if code in ("K01", "K05")}
    )
    drawn = night([("WH01", "C1"), ("WH06", "C2"), ("WH01", "C2"), ("WH10", "C3"), ("RV01", "C1"), ("RV06", "C1")])
    targets = {
        "K01": {"target": 100, "direction": "up", "green": 95, "amber": 60, "doubt": ["RV06"]},
        "K05": {"target": 0, "direction": "down", "green": 0, "amber": 0, "doubt": ["WH01", "WH10"], "firm": ["WH06"]},
    }
    figures = compute(drawn, targets, measure(drawn))
    row = figures.set_index(["code", "line"])
    known = row.loc[("K05", "")]
    assert (known.numerator, known.best_numerator, known.worst_numerator, known.in_doubt) == (2, 1, 3, 2)
    reviewed = row.loc[("K01", "")]  # C4 has no plan start: not judged, falls either way
    assert (reviewed.numerator, reviewed.denominator, reviewed.not_judged) == (2, 3, 1)
    assert (reviewed.best, reviewed.worst, reviewed.in_doubt) == (100.0, 50.0, 2)
    assert (known.rag, reviewed.rag) == ("red", "amber")


def test_a_rule_that_does_not_exist_cannot_put_a_figure_in_doubt():
    with pytest.raises(ConfigurationError, match="K01: there is no rule RV99"):
        _need_rules({"K01": {"doubt": ["RV01", "RV99"]}})


def test_travel_is_told_since_the_last_night_of_the_month_and_of_the_quarter_before():
    def figure(value):
        return pd.DataFrame(
            {"code": ["K01"], "line": [""], "numerator": [int(value)], "denominator": [100], "value": [float(value)]}
        )

    nights = {"2026-06-28": 50, "2026-06-29": 60, "2026-09-29": 70, "2026-09-30": 72, "2026-10-26": 80}
    earlier = pd.concat([figure(value).assign(as_of=pd.Timestamp(day)) for day, value in nights.items()])
    tonight = figure(81)
    of_october = travelled(tonight, nights_of(earlier, tonight, AS_OF), AS_OF).iloc[0]
    assert (of_october.month_on, of_october.month_change) == (pd.Timestamp("2026-09-30"), 9.0)
    assert (of_october.quarter_on, of_october.quarter_change) == (pd.Timestamp("2026-09-30"), 9.0)
    november = pd.Timestamp("2026-11-01")
    later = travelled(tonight, nights_of(earlier, tonight, november), november).iloc[0]
    assert (later.month_change, later.quarter_change) == (1.0, 9.0)
    january = pd.Timestamp("2027-01-02")  # no night in December: nothing to compare the month with
    last = travelled(tonight, nights_of(earlier, tonight, january), january).iloc[0]
    assert pd.isna(last.month_change) and last.quarter_change == 1.0


def test_phase_transfers_are_told_apart_by_deadline_and_age_and_add_up():
    """Into post-16 by the deadline of 31 March; into secondary who is 11 on 31 August of the year; all others besides."""
    drawn = [
        ("P16", "2010-05-01", "2026-03-31", "2026-03-30"),
        ("ELEVEN", "2014-09-01", "2026-02-15", "2026-02-14"),
        ("ELEVEN2", "2015-08-31", "2026-02-15", None),
        ("TEN", "2015-09-01", "2026-02-15", "2026-02-15"),
        ("TWELVE", "2014-08-31", "2026-02-15", "2026-02-01"),
        ("LASTYEAR", "2013-10-01", "2025-02-15", "2025-02-01"),
        ("NODEADLINE", "2013-10-01", None, None),
    ]
    frame = pd.DataFrame(drawn, columns=["child_id", "born_on", "phase_due_on", "phase_final_on"])
    for name in ("born_on", "phase_due_on", "phase_final_on"):
        frame[name] = pd.to_datetime(frame[name])
    reviews = frame[["child_id", "phase_due_on", "phase_final_on"]].assign(is_casework=True)
    none = pd.DataFrame(columns=["system", "is_met"])
    drawn_night = Night({"reviews": reviews, "register": frame}, none, none, none, AS_OF, load_limits())
    lines = {
        part.line: (int((part.counted & part.meets).sum()), int(part.counted.sum()))
        for part in REGISTRY["K15"].measure(drawn_night)
    }
    assert lines == {"": (3, 5), "into_secondary": (1, 2), "into_post_16": (1, 1), "other_transfers": (1, 2)}


def test_the_command_offers_every_breakdown_there_is():
    [by] = [option for option in kpis_command.params if option.name == "by"]
    assert list(by.type.choices) == list(BREAKDOWNS)
