"""Who gets what: the first route that fits, never nobody, and never an owner that says where a restricted child is."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st

from checks.engine import catalogue
from config.errors import ConfigurationError
from config.routing import Route, Routing, load_routing
from pipelines.routing import NOBODY, known_of, routed

CODES = tuple(catalogue())
KNOWN = pd.DataFrame(
    {
        "setting": ["100001", None, "100001", "100002"],
        "is_restricted": [False, False, True, False],
        "team": ["North", " ", "North", None],
        "caseworker": ["J Example", None, "J Example", ""],
    },
    index=["c1", "c2", "secret", "c4"],
)


def owner(*routes: dict[str, object], **known: str) -> tuple[str, str]:
    row = {
        "rule": "RV01",
        "kind": "duty",
        "severity": "high",
        "source": "synergy",
        "child_id": "c1",
        "owner": "SEN casework",
    } | known
    told = routed(
        pd.DataFrame([row]), KNOWN, Routing(routes=tuple(Route.model_validate(route) for route in routes))
    ).iloc[0]
    return told["owner"], told["owner_why"]


OWN = ("SEN casework", "the rule's own owner")


@pytest.mark.parametrize(
    ("routes", "known", "got"),
    [
        ([], {}, OWN),
        ([{"rule": "RV", "to": "Reviews"}], {}, ("Reviews", "route 1 of routing.yml (rule)")),
        ([{"rule": ["WH", "RV02"], "to": "Reviews"}], {}, OWN),
        ([{"rule": "RV", "severity": "critical", "to": "A"}, {"kind": "duty", "to": "B"}], {}, ("B", "route 2 of routing.yml (kind)")),
        ([{"setting": "100001", "to": "North"}], {}, ("North", "route 1 of routing.yml (setting)")),
        ([{"setting": "100001", "to": "North"}], {"child_id": "c4"}, OWN),
        ([{"setting": "100001", "to": "North"}], {"child_id": "secret"}, OWN),
        ([{"caseworker": "J Example", "to": "J"}], {"child_id": "secret"}, OWN),
        ([{"to": "{team}"}], {"child_id": "secret"}, OWN),
        ([{"rule": "RV", "to": "Reviews"}], {"child_id": "secret"}, ("Reviews", "route 1 of routing.yml (rule)")),
        ([{"to": "{team}"}], {}, ("North", "route 1 of routing.yml (every exception)")),
        ([{"to": "{team}"}], {"child_id": "c2"}, OWN),  # a team of spaces is no team
        ([{"to": "{caseworker}"}], {"child_id": "c4"}, OWN),
        ([{"to": "{caseworker}"}], {"child_id": "nobody knows"}, OWN),
        ([{"source": "capita", "to": "Schools"}], {"source": ""}, OWN),
    ],
)  # fmt: skip
def test_the_first_route_that_fits_wins(
    routes: list[dict[str, object]], known: dict[str, str], got: tuple[str, str]
) -> None:
    assert owner(*routes, **known) == got


ODD = st.sampled_from(["", " ", "\t", "=1+1", "é" * 300, "North", "100001"])


@options(max_examples=100, deadline=None)
@given(rule=st.sampled_from(CODES), child=st.sampled_from([*KNOWN.index, "", "?"]), source=ODD, given_owner=ODD, to=st.sampled_from(["{team}", "{caseworker}", "Somebody"]))  # fmt: skip
def test_nothing_ends_up_without_an_owner(rule: str, child: str, source: str, given_owner: str, to: str) -> None:
    told = owner(
        {"source": ["synergy", "North"], "to": to}, rule=rule, child_id=child, source=source, owner=given_owner
    )
    assert told[0].strip() and told[1]


def test_every_rule_names_an_owner_and_one_that_did_not_would_have_one() -> None:
    assert all(rule.owner.strip() for rule in catalogue().values())
    assert owner(owner="  ") == (NOBODY, "the rule's own owner")


def test_team_and_caseworker_are_of_the_newest_involvement_that_is_open() -> None:
    register = pd.DataFrame(
        {"child_id": ["c1", "c2"], "setting_urn": ["100001", None], "is_restricted": [False, False]}
    )
    rows = [
        ["c1", "1", "2024-01-01", None, "Old team", "A"],
        ["c1", "2", "2026-01-01", None, "New team", "B"],
        ["c1", "3", "2026-06-01", "2026-07-01", "Closed team", "C"],
    ]
    involvements = pd.DataFrame(rows, columns=["child_id", "row_id", "started_on", "ended_on", "team", "worker"])
    for name in ("started_on", "ended_on"):
        involvements[name] = pd.to_datetime(involvements[name]).astype("datetime64[us]")
    known = known_of(register, involvements, pd.Timestamp(2026, 10, 28))
    assert known.loc["c1", ["setting", "team", "caseworker"]].tolist() == ["100001", "New team", "B"]
    assert known.loc["c2", ["team", "caseworker"]].isna().all()
    assert list(known_of(register, None, pd.Timestamp(2026, 10, 28)).columns) == [
        "setting",
        "is_restricted",
        "team",
        "caseworker",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes:\n  - {rule: XX, to: A}", "route 1: there is no rule XX"),
        ("routes:\n  - {colour: red, to: A}", "routes.1.colour"),
        ("routes:\n  - {rule: RV}", "routes.1.to"),
        ("routes:\n  - {rule: RV, to: ' '}", "routes.1.to"),
        ("routes:\n  - {rule: RV, to: '{setting}'}", "routes.1.to"),
        ("routes:\n  - {severity: urgent, to: A}", "routes.1.severity"),
        ("ways: []", "ways"),
    ],
)
def test_a_route_that_makes_no_sense_is_refused_by_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "routing.yml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as error:
        load_routing(tmp_path, CODES)
    assert said in str(error.value)


def test_the_packaged_routes_and_the_example_in_their_comment_are_read(tmp_path: Path) -> None:
    assert load_routing(None, CODES).routes == ()
    packaged = Path(load_routing.__code__.co_filename).with_name("routing.yml").read_text(encoding="utf-8")
    example = [line[2:] for line in packaged.splitlines() if line.startswith(("# routes:", "#   - "))]
    (tmp_path / "routing.yml").write_text("\n".join(example), encoding="utf-8")
    assert [route.to for route in load_routing(tmp_path, CODES).routes] == ["{team}", "North quadrant", "J Example"]
