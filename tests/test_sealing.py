"""A child is adopted between two nights: whatever day is asked for afterwards, the record that the order closed is in no answer."""

from __future__ import annotations

import pandas as pd
import pytest
from store_drawn import FIRST, NOW, SECOND

from pipelines import store_people as people
from pipelines.answers_past import changes_between, kpi_bridges
from pipelines.sealing import sealed_children, without_sealed
from pipelines.store import Store
from pipelines.tables import HISTORY

#: Liquidlogic L1 is closed by the order. C1 has that record alone; C2 lost its record L2 in the same way and keeps Synergy's.
LINKS = {"C1": [("liquidlogic", "L1")], "C2": [("synergy", "S2"), ("liquidlogic", "L2")], "C3": [("synergy", "S3")]}
SEALED = pd.DataFrame({"source": "liquidlogic", "source_id": ["L1", "L2"]})


def links(*without: str) -> pd.DataFrame:
    rows = [(s, i, child, "drawn") for child, ids in LINKS.items() for s, i in ids if i not in without]
    return pd.DataFrame(rows, columns=["source", "source_id", "child_id", "how"])


def register(known: pd.DataFrame) -> pd.DataFrame:
    ids = known.pivot(index="child_id", columns="source", values="source_id").add_suffix("_id").reset_index()
    return ids.assign(active_plan="Y", is_restricted=False).reindex(columns=list(HISTORY["register"][1]))


def exceptions(known: pd.DataFrame) -> pd.DataFrame:
    frame = known[["child_id", "source", "source_id"]].assign(exception_id="x" + known["source_id"], rule="ID05")
    return frame.assign(status="open", severity="medium").reindex(columns=list(HISTORY["exceptions"][1]))


@pytest.fixture
def adopted(store: Store) -> Store:
    for night, known in ((FIRST, links()), (SECOND, links("L1", "L2"))):
        with store.night(night) as kept:
            kept.open_run({"application": "test"}, NOW)
            kept.save("links", known)
            kept.save("register", register(known))
            kept.save("exceptions", exceptions(known))
            members = known[["child_id"]].drop_duplicates().assign(code="K01", line="", in_numerator=True)
            kept.save("kpi_members", members)
            kept.save("sealed_records", SEALED if night == SECOND else SEALED.head(0))
            pair = {"source_a": "synergy", "source_id_a": "S3", "source_b": "liquidlogic", "source_id_b": "L1"}
            kept.save_nightly("review_pairs", pd.DataFrame([pair]) if night == FIRST else pd.DataFrame())
            kept.save_events(pd.DataFrame({"exception_id": exceptions(known)["exception_id"], "event": "raised"}))
            kept.close_run(0, {}, {"all": 0.1})
    return store


@pytest.mark.parametrize("day", [FIRST, SECOND])
def test_no_day_shows_what_was_closed(adopted: Store, day) -> None:
    assert adopted.links(day)["source_id"].tolist() == ["S2", "S3"]
    assert adopted.register(day)["child_id"].tolist() == ["C2", "C3"]
    assert adopted.register(day)["liquidlogic_id"].isna().all()
    assert set(adopted.exceptions(day, include_resolved=True)["exception_id"]) == {"xS2", "xS3"}
    assert set(adopted.history("kpi_members", day)["child_id"]) == {"C2", "C3"}
    assert adopted.nightly("review_pairs", day).empty


def test_neither_the_changes_nor_the_bridges_nor_the_trail_tell_of_it(adopted: Store) -> None:
    assert changes_between(adopted, FIRST, SECOND).empty
    bridge = kpi_bridges(adopted, FIRST, SECOND)
    assert bridge[["children_in", "children_out"]].eq(0).all(axis=None)
    assert set(people.trail(adopted)["exception_id"]) == {"xS2", "xS3"}


def test_the_night_before_the_order_showed_the_child(store: Store) -> None:
    with store.night(FIRST) as kept:
        kept.open_run({"application": "test"}, NOW)
        kept.save("links", links())
        kept.close_run(0, {}, {"all": 0.1})
    assert set(store.links()["source_id"]) == {"L1", "L2", "S2", "S3"}


def test_only_a_child_without_another_record_is_closed() -> None:
    assert sealed_children(links(), SEALED) == {"C1"}
    assert sealed_children(links(), SEALED.head(0)) == set()


def test_without_a_sealed_record_a_frame_stays_as_it_is() -> None:
    pd.testing.assert_frame_equal(without_sealed(links(), SEALED.head(0), set()), links())
