"""How well a night linked, by system and group, and when it is said that it got worse."""

from __future__ import annotations

import pandas as pd
import pytest

from config.errors import ConfigurationError
from config.linking import Watch, load_watch
from outputs.linking import ALL, CHILDREN, FOUND, QUEUE, SYSTEMS
from pipelines.link_quality import beside, link_quality, worse

AS_OF = pd.Timestamp("2026-10-25")
NIGHTS = [AS_OF - pd.Timedelta(days=back) for back in range(9, 0, -1)]


def _links(apart: int) -> pd.DataFrame:
    """A hundred children in Synergy and Capita, of whom so many are apart."""
    rows = [("synergy", str(n), f"C{n}") for n in range(100)]
    rows += [("capita", str(n), f"C{n}" if n >= apart else f"D{n}") for n in range(100)]
    return pd.DataFrame(rows, columns=["source", "source_id", "child_id"]).assign(how="score")


def _people() -> pd.DataFrame:
    people = pd.DataFrame(
        {"source": ["synergy"] * 100 + ["capita"] * 100, "source_id": [str(n) for n in range(100)] * 2}
    )
    people["ethnicity_code"] = (["APKN"] * 10 + ["WBRI"] * 88 + [None] * 2) * 2
    people["need_code"] = ["ASD"] * 100 + [None] * 100
    return people


def _quality(apart: int = 0, waiting: int = 0, care: pd.DataFrame | None = None) -> pd.DataFrame:
    review = pd.DataFrame({"weight": [3.2, 4.9, 11.0, None, *[6.0] * waiting][: waiting or 4]})
    register = pd.Series([f"C{n}" for n in range(100)])
    return link_quality(_links(apart), review, _people(), care, register, AS_OF)


def _trend(*nights: pd.DataFrame) -> pd.DataFrame:
    dated = zip(NIGHTS[-len(nights) :], nights, strict=True)
    return pd.concat([frame.assign(as_of=night) for night, frame in dated], ignore_index=True)


def _of(frame: pd.DataFrame, measure: str, group: str, column: str = "rate") -> float:
    return frame.set_index(["measure", "group"])[column][measure, group]


def test_rates_by_system_and_by_group():
    care = pd.DataFrame(
        {
            "source": "synergy",
            "source_id": ["0", "50", "60"],
            "ended_on": pd.to_datetime([None, "2026-10-26", "2026-10-25"]),
        }
    )
    found = _quality(10, care=care)
    assert _of(found, SYSTEMS, "synergy") == 90
    assert _of(found, CHILDREN, ALL) == 90
    assert (_of(found, FOUND, "synergy"), _of(found, FOUND, "capita")) == (100, 90)
    assert _of(found, f"{CHILDREN}, by ethnicity", "APKN") == 0
    assert _of(found, f"{CHILDREN}, by ethnicity", "WBRI") == 100
    assert _of(found, f"{CHILDREN}, by ethnicity", "not recorded", "of") == 2
    assert _of(found, f"{CHILDREN}, by primary need", "ASD", "of") == 100
    assert _of(found, "records linked, by care", "looked after", "of") == 2, "the placement that ended tonight is over"
    assert _of(found, "records linked, by care", "looked after") == 50
    assert _of(found, "children, by number of records", "2", "count") == 90
    assert _of(found, QUEUE, "weight 0 to 5", "count") == 2
    assert _of(found, QUEUE, ALL, "count") == 4


def test_the_night_before_stands_beside():
    both = beside(_quality(10), _trend(_quality(5), _quality(0)))
    assert _of(both, SYSTEMS, "capita", "rate_before") == 100
    assert beside(_quality(10), _trend(_quality()).iloc[:0])["rate_before"].isna().all()


@pytest.mark.parametrize(
    ("before", "tonight", "measures"),
    [
        ([], 5, []),
        ([0], 2, []),
        ([0], 4, []),  # too few records
        ([0], 5, ["register children found", "register children linked", "records linked"]),
        ([0, 2, 4, 5], 5, ["register children found", "register children linked", "records linked"]),  # slowly
        ([0, 5, 5, 5, 5, 5, 5, 5], 5, []),  # longer ago than seven nights
        ([50], 0, []),
    ],
)
def test_a_fall_is_told_against_the_best_of_the_last_nights(before, tonight, measures):
    told = worse(_quality(tonight), _trend(*map(_quality, before)) if before else _trend(_quality()).iloc[:0], Watch())
    assert all(any(line.startswith(measure) for line in told) for measure in measures)
    assert bool(told) == bool(measures)


def test_a_group_that_is_lost_alone_is_told_by_name():
    told = worse(_quality(6), _trend(_quality()), Watch(fall_points=50))
    assert told == ["register children linked, by ethnicity: APKN 40.0%, 100.0% on the night of 2026-10-24"]


@pytest.mark.parametrize(
    ("then", "now", "is_told"), [(1, 11, True), (1, 10, False), (100, 125, False), (100, 126, True)]
)
def test_a_queue_that_grows_is_told(then, now, is_told):
    told = worse(_quality(waiting=now), _trend(_quality(waiting=then)), Watch())
    assert told == ([f"{QUEUE}: {now}, {then} on the night of 2026-10-24"] if is_told else [])


def test_a_setting_that_makes_no_sense_is_refused(tmp_path):
    assert load_watch() == Watch()
    (tmp_path / "linking.yml").write_text("fall_points: -1\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="fall_points"):
        load_watch(tmp_path)
