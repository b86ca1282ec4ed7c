"""How well a night linked, by system and group, and when a fall is told."""

from __future__ import annotations

import pandas as pd

from pipelines.link_quality import beside, fallen, link_quality


def _links(apart: int) -> pd.DataFrame:
    """A hundred children in Synergy and Capita, of whom so many are apart."""
    rows = [("synergy", str(n), f"C{n}") for n in range(100)]
    rows += [("capita", str(n), f"C{n}" if n >= apart else f"D{n}") for n in range(100)]
    return pd.DataFrame(rows, columns=["source", "source_id", "child_id"]).assign(how="score")


NOBODY = pd.DataFrame({"weight": pd.Series(dtype="float64")})


def _rate(frame: pd.DataFrame, measure: str, group: str, column: str = "rate") -> float:
    return frame.set_index(["measure", "group"])[column][measure, group]


def test_rates_by_system_and_by_group():
    people = pd.DataFrame({"source": "synergy", "source_id": [str(n) for n in range(100)]})
    people["ethnicity_code"] = ["APKN"] * 10 + ["WBRI"] * 90
    people["need_code"] = "ASD"
    care = pd.DataFrame({"source": ["synergy"] * 2, "source_id": ["0", "50"]})
    found = link_quality(_links(10), pd.DataFrame({"weight": [3.2, 4.9, 11.0, None]}), people, care)
    assert _rate(found, "linked, by system", "synergy") == 90
    assert _rate(found, "linked, by ethnicity", "APKN") == 0
    assert _rate(found, "linked, by ethnicity", "WBRI") == 100
    assert _rate(found, "linked, by care", "looked after") == 50
    assert _rate(found, "children, by number of records", "2", "count") == 90
    assert _rate(found, "pairs that wait for a person", "weight 0 to 5", "count") == 2
    assert _rate(found, "pairs that wait for a person", "all", "count") == 4


def test_the_night_before_stands_beside():
    both = beside(link_quality(_links(10), NOBODY), link_quality(_links(0), NOBODY))
    assert _rate(both, "linked, by system", "capita", "rate_before") == 100


def test_a_sharp_fall_is_told_and_a_small_one_is_not():
    assert fallen(_links(0), _links(0).iloc[:0]) == []
    assert fallen(_links(4), _links(0)) == []
    assert len(fallen(_links(5), _links(0))) == 2
    assert fallen(_links(0), _links(50)) == []
