"""What to look at first: points and their reasons drawn as tables, leads, causes, target times, and what a restricted child's line never says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from config.errors import ConfigurationError
from config.priority import load_priority
from pipelines.priority import causes, in_order, prioritise

NIGHT = pd.Timestamp(2026, 10, 28)
WEIGHTS = load_priority()


def child(child_id: str = "C1", **known: object) -> dict[str, object]:
    """A child of 17 about whom nothing makes anything urgent, unless said."""
    return {
        "child_id": child_id, "whereabouts_grade": "seen", "vanished": None, "awaiting": None, "cohorts": "", "age": 17, "is_restricted": False,
    } | known  # fmt: skip


def exception(exception_id: str = "x1", **known: object) -> dict[str, object]:
    """A high exception raised tonight, unless said."""
    return {
        "exception_id": exception_id, "rule": "RV01", "title": "Review overdue", "child_id": "C1", "source": "synergy", "severity": "high", "status": "open",
        "owner": "SEN casework", "first_seen_on": NIGHT, "reopened_on": pd.NaT, "since_on": pd.NaT, "shared": "", "todo": "Hold it.", "fix_in": "Synergy",
    } | known  # fmt: skip


def judged(exceptions: list[dict[str, object]], children: list[dict[str, object]]) -> pd.DataFrame:
    frame, register = pd.DataFrame(exceptions), pd.DataFrame(children)
    for name in ("first_seen_on", "reopened_on", "since_on"):
        frame[name] = pd.to_datetime(frame[name]).astype("datetime64[us]")
    return prioritise(frame, register, WEIGHTS, NIGHT)


def one(known: dict[str, object] | None = None, **of_child: object) -> tuple[int, str]:
    row = judged([exception(**(known or {}))], [child(**of_child)]).iloc[0]
    return int(row["priority"]), row["why_first"]


@pytest.mark.parametrize(("severity", "points"), [("critical", 1000), ("high", 400), ("medium", 150), ("info", 20)])
def test_severity_counts_first(severity: str, points: int) -> None:
    assert one({"severity": severity}) == (points, severity.capitalize())


@pytest.mark.parametrize(
    ("known", "points", "says"),
    [
        ({"whereabouts_grade": "missing"}, 300, "missing"),
        ({"whereabouts_grade": "not_known"}, 200, "whereabouts not confirmed"),
        ({"vanished": "capita"}, 250, "gone from a system"),
        ({"awaiting": "nothing_in_place"}, 250, "nothing in place"),
        ({"cohorts": "looked_after"}, 150, "looked after"),
        ({"cohorts": "looked_after+residential+out_of_authority"}, 350, "looked after, residential, placed out of authority"),
        ({"age": 4}, 60, "aged 4"),
        ({"age": 5}, 40, "aged 5"),
        ({"age": 10}, 40, "aged 10"),
        ({"age": 11}, 20, "aged 11"),
        ({"age": 15}, 20, "aged 15"),
        ({"age": 16}, 0, ""),
        ({"age": None}, 0, ""),
    ],
)  # fmt: skip
def test_the_situation_of_the_child_adds_points_and_its_words(known: dict[str, object], points: int, says: str) -> None:
    assert one(None, **known) == (400 + points, "; ".join(part for part in ("High", says) if part))


@pytest.mark.parametrize(
    ("since", "points", "says"),
    [
        ("2026-10-28", 0, ""),  # due tonight: not overdue
        ("2026-10-27", 0, "; 1 day overdue"),
        ("2026-10-22", 0, "; 6 days overdue"),
        ("2026-10-21", 5, "; 7 days overdue"),  # the first whole week
        ("2026-04-29", 130, "; 182 days overdue"),  # the last week that counts
        ("2020-01-01", 130, "; 2,492 days overdue"),
        (None, 0, ""),
    ],
)
def test_each_whole_week_overdue_counts_up_to_half_a_year(since: str | None, points: int, says: str) -> None:
    assert one({"since_on": since}) == (400 + points, f"High{says}")


@pytest.mark.parametrize(("raised", "points", "says"), [("2026-10-22", 0, ""), ("2026-10-21", 5, "; open 7 days")])
def test_without_a_due_date_the_time_it_has_been_open_counts(raised: str, points: int, says: str) -> None:
    assert one({"first_seen_on": raised}) == (400 + points, f"High{says}")


def test_systems_that_show_the_same_topic_of_the_same_child_count_and_others_do_not() -> None:
    frame = judged(
        [
            exception("a", rule="WH02", source="synergy"),
            exception("b", rule="PL02", source="capita"),
            exception("c", rule="WH08", source="liquidlogic", status="resolved"),
            exception("d", rule="RV01", source="capita"),
            exception("e", rule="WH02", source="liquidlogic", child_id="C2"),
            exception("f", rule="WH01", source=""),
        ],
        [child(), child("C2")],
    ).set_index("exception_id")
    assert frame["priority"].to_dict() == {"a": 460, "b": 460, "c": 460, "d": 400, "e": 400, "f": 460}
    assert frame.loc["a", "why_first"] == "High; shown by 2 systems" and frame.loc["d", "why_first"] == "High"


def test_what_people_accepted_waits_below_everything() -> None:
    assert one({"severity": "critical", "status": "accepted"}) == (0, "Waits: accepted until a date")


@pytest.mark.parametrize("telling", [{"cohorts": "residential+out_of_authority"}, {"awaiting": "nothing_in_place"}])
def test_of_a_restricted_child_neither_words_nor_points_say_where(telling: dict[str, object]) -> None:
    said = {"rule": "PL06", "shared": "100001, closed 2026-08-31"}
    plain = judged([exception("a", **said), exception("b", **said)], [child(is_restricted=True)])
    told = judged([exception("a", **said), exception("b", **said)], [child(is_restricted=True, **telling)])
    pd.testing.assert_frame_equal(plain, told)
    assert told["why_first"].tolist() == ["High; address restricted"] * 2 and told["cause"].tolist() == ["", ""]


def test_a_child_has_one_lead_and_the_others_stand_under_it() -> None:
    frame = judged(
        [
            exception("a", severity="medium"),
            exception("b", severity="critical"),
            exception("c", severity="critical", status="accepted"),
            exception("d", severity="high", child_id="C2"),
            exception("e", severity="critical", child_id="C2", status="resolved"),
            exception("f", severity="critical", child_id=""),
            exception("g", severity="info", child_id=""),
        ],
        [child(), child("C2", cohorts="looked_after")],
    )
    ordered = in_order(frame.sample(frac=1, random_state=3))
    assert ordered["exception_id"].tolist() == ["b", "a", "c", "f", "d", "g", "e"]
    assert dict(zip(frame["exception_id"], frame["lead"], strict=True)) == {
        "a": "b", "b": "b", "c": "b", "d": "d", "e": "d", "f": "f", "g": "g",
    }  # fmt: skip
    assert ordered.loc[ordered["is_lead"], "exception_id"].tolist() == ["b", "f", "d", "g"]


def test_a_closed_school_under_forty_children_is_one_thing_to_fix() -> None:
    closed = {"rule": "PL06", "title": "Setting closed", "shared": "100001, closed 2026-08-31"}
    many = [exception(f"x{n}", child_id=f"C{n}", **closed) for n in range(40)]
    rest = [
        exception("other", child_id="C50", **closed | {"shared": "100002, closed 2026-08-31"}),
        exception("done", child_id="C51", **closed | {"status": "resolved"}),
        exception("none", child_id="C52"),
    ]
    frame = judged(many + rest, [child(f"C{n}") for n in range(60)])
    told = causes(frame)
    assert told[["cause", "rule", "children", "exceptions"]].to_numpy().tolist() == [
        ["Setting closed: 100001, closed 2026-08-31", "PL06", 40, 40]
    ]
    assert (frame["cause"] != "").sum() == 40 and set(frame["cause_size"].dropna()) == {40}


@pytest.mark.parametrize(
    ("severity", "raised", "reopened", "status", "due", "late"),
    [
        ("critical", "2026-10-26", None, "open", "2026-10-28", False),  # its last day
        ("critical", "2026-10-25", None, "open", "2026-10-27", True),
        ("critical", "2026-09-01", "2026-10-26", "open", "2026-10-28", False),  # counts from when it came back
        ("critical", "2026-10-25", None, "accepted", "2026-10-27", False),
        ("critical", "2026-10-25", None, "not_evaluated", "2026-10-27", True),
        ("critical", "2026-10-25", None, "resolved", "2026-10-27", False),
        ("high", "2026-10-18", None, "open", "2026-10-28", False),
        ("high", "2026-10-17", None, "open", "2026-10-27", True),
        ("medium", "2026-09-27", None, "open", "2026-10-27", True),
        ("info", "2020-01-01", None, "open", None, False),
    ],
)
def test_target_times(severity: str, raised: str, reopened: str, status: str, due: str | None, late: bool) -> None:
    known = {"severity": severity, "first_seen_on": raised, "reopened_on": reopened, "status": status}
    row = judged([exception(**known)], [child()]).iloc[0]
    assert (None if pd.isna(row["due_on"]) else f"{row['due_on']:%Y-%m-%d}") == due
    assert bool(row["is_overdue"]) is late


def test_no_exceptions_give_the_same_columns() -> None:
    empty = judged([exception()], [child()]).iloc[:0]
    assert list(in_order(prioritise(empty, pd.DataFrame([child()]), WEIGHTS, NIGHT)).columns) == list(empty.columns)
    assert causes(empty).empty


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("severity: {critical: 1000}\n", "severity: no points for high, info, medium"),
        ("causes_from: 1\n", "causes_from: "),
        ("situation: {asleep: {points: 1, says: x}}\n", "situation.asleep"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_by_name(tmp_path: Path, wrong: str, said: str) -> None:
    packaged = Path(load_priority.__code__.co_filename).with_name("priority.yml").read_text(encoding="utf-8")
    key = wrong.split(":")[0]
    kept: list[str] = []
    skipping = False
    for line in packaged.splitlines():
        skipping = line.startswith(f"{key}:") or (skipping and line.startswith((" ", "#", "-")))
        kept += [] if skipping else [line]
    (tmp_path / "priority.yml").write_text("\n".join([*kept, wrong]), encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_priority(tmp_path)
    assert said in str(error.value)
