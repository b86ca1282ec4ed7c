"""A sample council's four nights against its answer key: every scored rule, every figure, every cell of the register.

One night lacks a fifth of the school system's pupils, one the whole of social care. The key says of each finding whether it must be raised or may
be; what is found and in neither list is false.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest

from config.settings import load_settings
from pipelines.answers import exceptions_known
from pipelines.run import run_night
from pipelines.store import Store

NIGHTS = ("2026-10-25", "2026-10-26", "2026-10-27", "2026-10-28")
EXIT_CODES = dict(zip(NIGHTS, (0, 10, 10, 0), strict=True))
#: Findings that are of a feed, and those that are of a row, rather than of a child.
OF_FEEDS, OF_ROWS = ("SR01", "SR03", "SR04", "SR06"), ("SR07",)
SAME_NAME = ["K01", "K02", "K03", "K04", "K05", "K09", "K13", "K14", "K18"]


@pytest.fixture(scope="module")
def store(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    data = tmp_path_factory.mktemp("borough")
    settings = load_settings({"EHCP_DATA": str(data)})
    for night in NIGHTS:
        day = date.fromisoformat(night)
        extracts = shared_data / "borough" / f"night-{night}"
        result = run_night(settings, day, extracts=extracts, now=datetime(day.year, day.month, day.day, 5, tzinfo=UTC))
        assert result.exit_code == EXIT_CODES[night]
    return Store(settings)


@pytest.fixture(scope="module")
def key(shared_data: Path) -> Path:
    return shared_data / "borough" / "truth"


def true_ids(store: Store, key: Path, night: str) -> pd.Series:
    """The key's number of each of our children."""
    people = pd.read_csv(key / "people.csv", dtype="str").rename(columns={"system": "source"})
    links = store.links(date.fromisoformat(night)).merge(people, on=["source", "source_id"])
    return links.drop_duplicates("child_id").set_index("child_id")["true_id"]


def identity(frame: pd.DataFrame, system: str, row: str) -> pd.Series:
    """What a finding is compared by: the rule with the feed, the row (which the key has under `source_id`) or the child."""
    of_feed, of_row = frame["rule"].isin(OF_FEEDS), frame["rule"].isin(OF_ROWS)
    about = frame["true_id"].where(~of_feed, frame[system] + " " + frame["field"])
    return frame["rule"] + " " + about.where(~of_row, frame[system] + " " + frame[row])


@pytest.mark.parametrize("night", NIGHTS)
def test_rules_find_what_is_there_and_nothing_else(store, key, night):
    wanted = pd.read_csv(key / f"exceptions-{night}.csv", dtype="str").fillna("")
    scored = set(pd.read_csv(key / "counts.csv", dtype="str")["rule"])
    wanted["about"] = identity(wanted, "system", "source_id")
    found = exceptions_known(store, date.fromisoformat(night))
    found = found[found["rule"].isin(scored) & (found["status"] != "resolved") & (found["status"] != "not_evaluated")]
    found = found.assign(true_id=found["child_id"].map(true_ids(store, key, night)))
    found = found.assign(
        about=identity(found.fillna({"source": "", "field": "", "row_id": "", "true_id": ""}), "source", "row_id")
    )
    must = set(wanted.loc[wanted["strength"] == "must", "about"])
    missed, false = must - set(found["about"]), set(found["about"]) - set(wanted["about"])
    assert len(must) > 200
    assert not missed, missed
    # On the night without social care one visit rule goes by an older roll than the key does.
    assert len(false) <= (night == "2026-10-27"), false


@pytest.mark.parametrize("night", NIGHTS)
def test_figures_are_the_key_s(store, key, night):
    wanted = json.loads((key / f"kpis-{night}.json").read_text())
    found = store.kpis(date.fromisoformat(night)).fillna({"line": ""}).set_index(["code", "line"])
    numbers = {
        place: (row.numerator, row.denominator) for place, row in zip(found.index, found.itertuples(), strict=True)
    }
    for code in SAME_NAME:
        assert numbers[code, ""] == (wanted[code]["numerator"], wanted[code]["denominator"]), code
    assert numbers["K05", "recorded_only"][0] == wanted["K05"]["recorded_only"]
    for line, part in wanted["K11"].items():
        assert numbers["K11", line] == (part["numerator"], part["denominator"]), line
    for cohort, parts in wanted["K06"].items():
        assert numbers["K06", cohort] == (parts["in_interval"], parts["cohort"]), cohort
        for part in ("first_not_due", "overdue", "never_seen"):
            assert numbers["K06", f"{cohort}: {part}"] == (parts[part], parts["cohort"]), (cohort, part)
    for part in ("nothing_in_place", "interim"):
        assert numbers["K07", part][0] == wanted["K07"][part]
    for part in ("longest_days", "median_days"):
        assert found.loc[("K07", part), "value"] == wanted["K07"][part]


@pytest.mark.parametrize("night", NIGHTS)
def test_the_register_agrees_cell_by_cell(store, key, night):
    wanted = pd.read_csv(key / f"register-{night}.csv", dtype="str").fillna("").set_index("true_id")
    found = store.register(date.fromisoformat(night))
    found = found.assign(true_id=found["child_id"].map(true_ids(store, key, night))).set_index("true_id")
    assert found.index.is_unique
    assert set(found.index) == set(wanted.index)
    # A restricted child's places are held back on purpose: those cells are not compared.
    shown = wanted.index[~found.loc[wanted.index, "is_restricted"].fillna(False).to_numpy(bool)]
    dates = [name for name in wanted if name.endswith("_on")]
    cells = found.loc[shown, list(wanted)].copy()
    for name in dates:
        cells[name] = pd.to_datetime(cells[name]).dt.strftime("%Y-%m-%d")
    equal = cells.astype("str").where(cells.notna(), "") == wanted.loc[shown]
    assert equal.to_numpy().mean() >= 0.995, (~equal).sum().loc[lambda n: n > 0].to_dict()


def test_nothing_of_social_care_resolves_while_it_is_missing(store):
    before, during = (exceptions_known(store, date(2026, 10, day), include_resolved=True) for day in (26, 27))
    of_social_care = before[(before["source"] == "liquidlogic") & (before["status"] == "open")]
    after = during.set_index("exception_id").reindex(of_social_care["exception_id"])
    assert len(of_social_care) > 0
    assert not (after["status"] == "resolved").any()
