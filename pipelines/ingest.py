"""From what arrived to the effective tables of the night: each feed's rows fresh where it was accepted, as last carried where it was not.

Every row also says ``carried_on``, the last night on which a fresh, accepted feed carried it, ``is_old``, and its ``feed``. Children whose record
a people feed no longer carries keep their last known rows until it is explained why.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pandas as pd

from checks.contracts import validate
from config.canonical import TABLES
from config.errors import ExtractError, FeedRefusedError
from config.profiles import Feed, Profile
from config.settings import Settings
from connectors.files import check_size
from connectors.pull import Arrival, fetch, fetch_lookups
from connectors.reading import read_feed
from pipelines.frames import age_on, is_among
from pipelines.rawstore import keep_raw, read_snapshot
from pipelines.store import NightStore

log = logging.getLogger("ehcp.ingest")
#: What to do about a feed that did not come, or came old, where nothing more is known.
_ASK = "Ask the owner of the system for tonight's extract; when it has come, run the night again."
#: Canonical tables by name; None where there is no accepted copy at all.
Tables = dict[str, Any]


@dataclass
class Ingested:
    """The night's tables and feeds, and what was wrong with rows: frames that the SR rules look at."""

    tables: dict[str, Any] = field(default_factory=dict)
    feeds: pd.DataFrame = field(default_factory=pd.DataFrame)
    set_aside: pd.DataFrame = field(default_factory=pd.DataFrame)
    unknown_codes: pd.DataFrame = field(default_factory=pd.DataFrame)
    repeated: pd.DataFrame = field(default_factory=pd.DataFrame)
    header_changes: pd.DataFrame = field(default_factory=pd.DataFrame)
    vanished: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass
class _Collected:
    parts: dict[str, list[pd.DataFrame]] = field(default_factory=lambda: {name: [] for name in TABLES})
    feeds: list[dict[str, Any]] = field(default_factory=list)
    set_aside: list[pd.DataFrame] = field(default_factory=list)
    unknown_codes: list[pd.DataFrame] = field(default_factory=list)
    repeated: list[pd.DataFrame] = field(default_factory=list)
    header_changes: list[dict[str, Any]] = field(default_factory=list)


def ingest(
    night: NightStore, profiles: Mapping[str, Profile], arrivals: list[Arrival], as_of: date, settings: Settings
) -> Ingested:
    """Keep, read and judge every feed, and put the effective tables together. Raises nothing for one bad feed: its last accepted copy is used."""
    before = night.previous_nightly("run_feeds").assign(night=night.previous_night).set_index(["system", "feed"])
    people_of_register = _register_records(night)
    accepted = night.acceptances()
    got = _Collected()
    work = settings.private_dir / "fetched" / night.run_id
    for arrival in arrivals:
        profile = profiles[arrival.system]
        feed = profile.feeds[arrival.feed]
        last = before.loc[(arrival.system, arrival.feed)] if (arrival.system, arrival.feed) in before.index else None
        row, tables = _take(got, arrival, profile, feed, last, accepted, as_of, settings, work)
        got.feeds.append(row)
        if row["is_accepted"]:
            for name, frame in tables.items():
                got.parts[name].append(
                    frame.assign(carried_on=pd.Timestamp(as_of).as_unit("us"), is_old=False, feed=feed.name)
                )
        else:
            _take_old(got, profile, feed, night.previous_snapshot)
    feeds = pd.DataFrame(got.feeds)
    tables = {name: pd.concat(parts, ignore_index=True) if parts else None for name, parts in got.parts.items()}
    vanished = _vanish(tables, feeds, night.previous_snapshot, people_of_register, as_of)
    _add_strangers(tables)
    return Ingested(
        tables,
        feeds,
        _stacked(got.set_aside, ["system", "feed", "source", "source_id", "line", "reason"]),
        _stacked(got.unknown_codes, ["system", "feed", "column", "value", "source", "source_id", "row_id"]),
        _stacked(got.repeated, ["system", "feed", "source", "source_id", "row_id", "line"]),
        pd.DataFrame(got.header_changes, columns=["system", "feed", "reason"], dtype="str"),
        vanished,
    )


def _take(
    got: _Collected,
    arrival: Arrival,
    profile: Profile,
    feed: Feed,
    last: pd.Series | None,
    accepted: set[tuple[str, str, str]],
    as_of: date,
    settings: Settings,
    work: Path,
) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """One feed: its line for the list of feeds (with `todo`, in case it is not accepted or is stale), and its tables (empty unless it was read)."""
    row = _line(arrival, feed, last)
    if arrival.status != "arrived":
        return row | {"status": "missing", "reason": arrival.why or "no file in this run"}, {}
    try:
        path = fetch(arrival, profile, work / profile.system)
        if arrival.path is None:
            fetch_lookups(profile, path.parent)
        check_size(path, feed)  # before a copy of two gigabytes is kept
        row |= {"file": path.name, "sha256": keep_raw(settings.private_dir, path)}
        reading = read_feed(profile, feed.name, path, as_of=as_of)
    except ExtractError as error:
        return row | {"status": "missing", "reason": error.what, "todo": error.todo}, {}
    except FeedRefusedError as error:
        if "column" in error.what:
            got.header_changes.append({"system": profile.system, "feed": feed.name, "reason": f"refused: {error.what}"})
        return row | {"status": "refused", "reason": f"{error.what} {error.todo}", "todo": error.todo}, {}
    if reading.rows == 0:
        return row | {"status": "missing", "reason": "the file has no rows"}, {}
    tables, broken = {}, []
    for name, frame in reading.tables.items():
        tables[name], aside = validate(name, frame)
        broken.append(aside)
    aside = (
        pd.concat([reading.set_aside, *broken], ignore_index=True).drop_duplicates(["file", "line"])
        if any(map(len, broken))
        else reading.set_aside
    )
    row |= {
        "rows": reading.rows, "set_aside": len(aside), "repeated": len(reading.repeated), "left_out": reading.left_out,
        "accepted": reading.rows - len(aside) - len(reading.repeated) - reading.left_out, "newest_on": reading.newest_on,
    }  # fmt: skip
    row |= _gate(row, feed, last, accepted) | {"is_stale": _is_stale(row, feed, as_of)}
    changes = [f"new column {name}" for name in reading.new_columns] + [
        f"informational column {name} is absent" for name in reading.missing_columns
    ]
    if changes:
        got.header_changes.append(
            {
                "system": profile.system,
                "feed": feed.name,
                "reason": "; ".join(changes) + "; reported, the feed was read",
            }
        )
    if row["is_accepted"]:
        origin = {"system": profile.system, "feed": feed.name}
        got.set_aside.append(aside.assign(**origin, source=profile.system))
        got.unknown_codes.append(reading.unknown_codes.assign(**origin, source=profile.system))
        got.repeated.append(reading.repeated.assign(**origin, source=profile.system))
    return row, tables


def _line(arrival: Arrival, feed: Feed, last: Any) -> dict[str, Any]:
    had = last is not None and pd.notna(last["rows"]) and bool(last["is_accepted"])
    previous = last["rows"] if had else (last["previous_rows"] if last is not None else None)
    copy_of = last["night"] if had else (last["old_copy_of"] if last is not None else None)
    return {
        "system": arrival.system, "feed": arrival.feed, "file": arrival.path.name if arrival.path else "", "sha256": None,
        "modified_on": arrival.modified_at.date() if arrival.modified_at else None, "rows": 0, "accepted": 0, "set_aside": 0, "repeated": 0, "left_out": 0,
        "newest_on": None, "previous_rows": previous if pd.notna(previous) else None, "status": "missing", "is_accepted": False,
        "is_expected": feed.expected, "is_stale": False, "is_volume_moved": False, "old_copy_of": copy_of, "reason": "", "todo": _ASK, "tables": ", ".join(feed.tables),
    }  # fmt: skip


def _gate(
    row: dict[str, Any], feed: Feed, last: pd.Series | None, accepted: set[tuple[str, str, str]]
) -> dict[str, Any]:
    """The volume gate (SR03): beyond the first limit it is reported, beyond the second a person, or a second night like it, must accept it."""
    fine: dict[str, Any] = {"status": "accepted", "is_accepted": True, "is_volume_moved": False}
    previous = row["previous_rows"]
    if previous is None:
        return fine
    gate, moved = feed.volume, abs(row["rows"] - previous)
    percent = 100 * moved / previous if previous else float("inf")
    if not (percent > gate.raise_percent and moved > gate.raise_rows):
        return fine
    told: dict[str, Any] = {
        "is_volume_moved": True,
        "reason": f"{previous:,} rows in the last accepted run, {row['rows']:,} now",
    }
    if not (percent > gate.stop_percent and moved > gate.stop_rows):
        return fine | told
    settled = (
        last is not None
        and last["status"] == "gated"
        and abs(row["rows"] - last["rows"]) <= gate.settle_percent / 100 * last["rows"]
    )
    by_person = (row["system"], row["feed"], row["sha256"]) in accepted
    if settled or by_person:
        return (
            fine
            | told
            | {
                "reason": told["reason"]
                + ("; accepted by a person" if by_person else "; the same as last night, accepted")
            }
        )
    return told | {
        "status": "gated",
        "is_accepted": False,
        "reason": told["reason"] + ": not accepted",
        "todo": f"Where that number is right: ehcp feeds accept {row['system']} {row['feed']} --reason TEXT, then run the night again.",
    }


def _is_stale(row: dict[str, Any], feed: Feed, as_of: date) -> bool:
    if feed.freshness_hours is None:
        return False
    newest = max((day for day in (row["newest_on"], row["modified_on"]) if day), default=None)
    return newest is None or (as_of - newest).days * 24 > feed.freshness_hours


def _take_old(got: _Collected, profile: Profile, feed: Feed, snapshot: Path | None) -> None:
    """Use the rows that the last accepted copy of the feed carried."""
    for name in feed.tables:
        old = read_snapshot(snapshot, name)
        if old is not None:
            mine = old[(old["source"] == profile.system) & (old["feed"] == feed.name)]
            if len(mine):
                got.parts[name].append(mine.assign(is_old=True))


def _register_records(night: NightStore) -> pd.DataFrame:
    """The person records (source, source_id) of the children who were on the register last night."""
    links, register = night.previous("links"), night.previous("register")
    return links.loc[is_among(links["child_id"], register["child_id"]), ["source", "source_id"]]


def _vanish(
    tables: Tables, feeds: pd.DataFrame, snapshot: Path | None, records: pd.DataFrame, as_of: date
) -> pd.DataFrame:
    """Keep the last known rows of register children whose record a people feed no longer carries; gives the unexplained ones.

    Explained are: a cease date on the plan, a death, and for social care an ended involvement or an eighteenth birthday. Columns ``source``,
    ``source_id``, ``feed``, ``last_carried_on``.
    """
    columns = ["source", "source_id", "feed", "last_carried_on"]
    before, now = read_snapshot(snapshot, "people"), tables["people"]
    if before is None or now is None:
        return pd.DataFrame(columns=columns, dtype="str")
    here = pd.MultiIndex.from_frame(now[["source", "source_id"]])
    ours = pd.MultiIndex.from_frame(before[["source", "source_id"]]).isin(pd.MultiIndex.from_frame(records))
    gone = before[ours & ~pd.MultiIndex.from_frame(before[["source", "source_id"]]).isin(here)]
    keys = pd.MultiIndex.from_frame(gone[["source", "source_id"]])
    for name, frame in tables.items():
        old = None if TABLES[name].is_reference else read_snapshot(snapshot, name)
        if old is None:
            continue
        old = old[pd.MultiIndex.from_frame(old[["source", "source_id"]]).isin(keys)]
        if frame is not None:
            old = old[
                ~pd.MultiIndex.from_frame(old[["source", "row_id"]]).isin(
                    pd.MultiIndex.from_frame(frame[["source", "row_id"]])
                )
            ]
        tables[name] = pd.concat([frame, old], ignore_index=True) if frame is not None else old
    day = pd.Timestamp(as_of)
    # What the last accepted copy of a feed carried is dated to one night; a record dated earlier was gone by then already.
    kept = tables["people"]
    newest = kept.groupby(["source", "feed"])["carried_on"].transform("max")
    is_gone = pd.MultiIndex.from_frame(kept[["source", "source_id"]]).isin(keys) | (kept["carried_on"] < newest)
    vanished = kept.loc[is_gone, ["source", "source_id", "feed", "carried_on", "born_on", "died_on"]].rename(
        columns={"carried_on": "last_carried_on"}
    )
    explained = _explained(vanished, tables, day)
    leavers = pd.MultiIndex.from_frame(vanished.loc[explained, ["source", "source_id"]])
    for name, frame in tables.items():
        if frame is not None and not TABLES[name].is_reference and len(leavers):
            tables[name] = frame[~pd.MultiIndex.from_frame(frame[["source", "source_id"]]).isin(leavers)].reset_index(
                drop=True
            )
    return vanished.loc[~explained, columns].reset_index(drop=True)


def _explained(vanished: pd.DataFrame, tables: Tables, day: pd.Timestamp) -> pd.Series:
    keys = pd.MultiIndex.from_frame(vanished[["source", "source_id"]])
    explained = vanished["died_on"].notna()
    plans, involvements = tables["plans"], tables["involvements"]
    if plans is not None:
        ceased = plans[plans["ceased_on"] <= day]
        running = plans[plans["started_on"].notna() & ~(plans["ceased_on"] <= day)]
        explained |= keys.isin(pd.MultiIndex.from_frame(ceased[["source", "source_id"]])) & ~keys.isin(
            pd.MultiIndex.from_frame(running[["source", "source_id"]])
        )
    if involvements is not None:
        in_care = vanished["source"].isin(involvements["source"].unique())
        ended = involvements[involvements["ended_on"] <= day]
        explained |= in_care & keys.isin(pd.MultiIndex.from_frame(ended[["source", "source_id"]]))
        explained |= in_care & (age_on(vanished["born_on"], day) >= 18).fillna(False).astype(bool)
    return explained.astype(bool)


def _add_strangers(tables: Tables) -> None:
    """Give a bare person record to rows about somebody whom the people feed does not hold, so that no plan is without a child."""
    people = tables["people"]
    if people is None:
        return
    known = pd.MultiIndex.from_frame(people[["source", "source_id"]])
    found = []
    for name in ("plans", "requests", "placements", "care_placements"):
        frame = tables[name]
        if frame is not None:
            strangers = frame[~pd.MultiIndex.from_frame(frame[["source", "source_id"]]).isin(known)]
            found.append(strangers[["source", "source_id", "file", "line", "carried_on", "is_old", "feed"]])
    bare = pd.concat(found).drop_duplicates(["source", "source_id"])
    if len(bare):
        log.warning("%d with rows but no person record", len(bare))
        bare = bare.assign(row_id=bare["source_id"]).reindex(columns=people.columns)
        tables["people"] = pd.concat(
            [people, bare.astype({c: people[c].dtype for c in people.columns})], ignore_index=True
        )


def _stacked(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=columns, dtype="str")
