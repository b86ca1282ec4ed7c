"""Rules in shadow raise nothing and resolve nothing, and what a rule finds on its first night is backlog: drawn nights, no database."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from checks.engine import Context, catalogue, evaluate
from config.canonical import TABLES
from config.errors import ConfigurationError
from config.limits import Limits, load_limits
from config.settings import Council, Settings
from pipelines.configuration import load_configuration
from pipelines.lifecycle import rule_states
from pipelines.shadow import COLUMNS, explained, marked, starting, would_raise

DAY = pd.Timestamp(2026, 10, 28)
LIMITS = load_limits()


def limits(**shadow: date | None) -> Limits:
    return LIMITS.model_copy(update={"shadow": shadow})


@pytest.mark.parametrize(
    ("until", "day", "is_shadow"),
    [
        (date(2026, 11, 1), date(2026, 10, 31), True),  # its last night in shadow
        (date(2026, 11, 1), date(2026, 11, 1), False),
        (None, date(2099, 1, 1), True),
    ],
)
def test_a_rule_is_in_shadow_until_the_night_before_its_date(until: date | None, day: date, is_shadow: bool) -> None:
    assert limits(RV10=until).is_in_shadow("RV10", day) is is_shadow
    assert not limits(RV10=until).is_in_shadow("RV01", day)


def test_a_rule_in_shadow_is_counted_and_raises_nothing() -> None:
    frame = pd.DataFrame({"child_id": ["c1", "c2"], "upn_count": [2, 1]})
    rules = {"ID04": catalogue()["ID04"]}
    context = Context({"register": frame}, dict.fromkeys(TABLES, "fresh"), DAY, limits(ID04=None))
    told = evaluate(context, rules)
    assert told.findings.empty and told.shadow["child_id"].tolist() == ["c1"]
    assert told.results[["found", "is_shadow", "version"]].to_numpy().tolist() == [[1, True, 1]]
    live = evaluate(Context(context.frames, context.states, DAY, LIMITS), rules)
    assert live.findings["child_id"].tolist() == ["c1"] and live.shadow.empty


def test_nothing_of_a_rule_in_shadow_resolves_in_any_of_its_states() -> None:
    results = pd.DataFrame({"rule": ["SR05", "RV01"], "state": ["fresh", "fresh"], "is_shadow": [True, False]})
    columns = ["system", "feed", "tables", "status", "is_accepted", "is_expected"]
    feeds = pd.DataFrame([["synergy", "pupils", "people", "accepted", True, True]], columns=columns)
    states = rule_states(results, {"SR05": ("people",)}, feeds)
    assert {name: state for name, state in states.items() if name.startswith("SR05")} == {"SR05": "not_evaluated"}
    assert states["RV01"] == "fresh"


def results(*drawn: tuple[str, int | None, bool, str]) -> pd.DataFrame:
    frame = pd.DataFrame(list(drawn), columns=["rule", "version", "is_shadow", "state"])
    return frame.assign(version=frame["version"].astype("Int64"))


@pytest.mark.parametrize(
    ("before", "tonight", "why"),
    [
        (("RV01", 1, False, "fresh"), ("RV01", 1, False, "fresh"), None),
        (("RV01", 1, False, "fresh"), ("RV01", 2, False, "fresh"), "version 2"),
        (("RV01", 1, False, "old"), ("RV01", 2, False, "old"), "version 2"),
        (("RV01", 1, False, "fresh"), ("RV01", 2, True, "fresh"), None),  # in shadow: not started
        (("RV01", 1, True, "fresh"), ("RV01", 1, False, "fresh"), "no longer in shadow"),
        (("RV01", 1, True, "fresh"), ("RV01", 1, False, "not_evaluated"), None),  # not yet: nothing was judged
        (("RV02", 1, False, "fresh"), ("RV01", 1, False, "fresh"), "first night of the rule"),
        (("RV01", None, False, "fresh"), ("RV01", 1, False, "fresh"), None),  # a night before versions were kept
    ],
)  # fmt: skip
def test_which_rules_start_tonight(before: tuple, tonight: tuple, why: str | None) -> None:
    assert starting(results(tonight), results(before)) == ({"RV01": why} if why else {})


def test_no_rule_starts_on_the_first_night_of_all() -> None:
    assert starting(results(("RV01", 1, False, "fresh")), results()) == {}


def test_backlog_is_what_a_starting_rule_raised_and_stays_backlog() -> None:
    names = ["exception_id", "rule", "first_seen_on", "status"]
    drawn = [["a", "RV01", DAY, "open"], ["b", "RV01", DAY - pd.Timedelta(days=9), "open"], ["c", "RV02", DAY, "open"], ["d", "RV03", DAY - pd.Timedelta(days=1), "open"]]  # fmt: skip
    tonight = pd.DataFrame(drawn, columns=names)
    previous = pd.DataFrame({"exception_id": ["b", "d"], "is_backlog": pd.Series([False, True], dtype="boolean")})
    told = marked(tonight, previous, {"RV01"}, DAY)
    assert dict(zip(told["exception_id"], told["is_backlog"], strict=True)) == {
        "a": True,
        "b": False,
        "c": False,
        "d": True,
    }
    events = pd.DataFrame({"exception_id": ["a", "c", "a"], "event": ["raised", "raised", "not evaluated"]})
    assert explained(events, told, {"RV01": "version 2"})["reason"].fillna("").tolist() == ["version 2", "", ""]
    assert explained(events, told, {}, {"RV01"})["reason"].fillna("").tolist() == ["", "", "in shadow"]


def test_what_a_shadow_rule_would_raise_keeps_the_night_it_was_first_found() -> None:
    row = {"rule": "RV10", "source": "synergy", "source_id": "1", "row_id": "r", "thing": "", "field": "", "detail": "", "severity": "info", "owner": "x"}  # fmt: skip
    findings = pd.DataFrame([row | {"child_id": "c1"}, row | {"child_id": "c2", "source_id": "2"}])
    nothing = pd.DataFrame(columns=list(COLUMNS))
    first = would_raise(nothing, findings.iloc[:1], DAY)
    second = would_raise(first, findings, DAY + pd.Timedelta(days=3))
    assert second["first_seen_on"].tolist() == [DAY, DAY + pd.Timedelta(days=3)]
    assert would_raise(second, findings.iloc[:0], DAY).empty


def test_a_rule_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    packaged = Path(load_limits.__code__.co_filename).with_name("rules.yml").read_text(encoding="utf-8")
    (tmp_path / "rules.yml").write_text(packaged.replace("shadow: {}", "shadow: {XX01: 2026-12-01}"), encoding="utf-8")
    council = Council(name="Test", la_code="883")
    with pytest.raises(ConfigurationError, match="shadow: there is no rule XX01"):
        load_configuration(Settings(data_dir=tmp_path, database_url="sqlite://", config_dir=tmp_path, council=council))
