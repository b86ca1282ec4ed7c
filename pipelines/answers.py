"""What the lists of the command answer, for the newest night, a past one, or a day by what is known now."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from config.errors import ConfigurationError, ExtractError, FeedRefusedError
from config.priority import load_priority
from config.profiles import load_profiles
from config.settings import Settings
from connectors.pull import fetch, find_extracts
from connectors.reading import read_feed
from pipelines.catalogues import checked, titled
from pipelines.claims import summed as claims_by
from pipelines.frames import small_frames
from pipelines.positions import masked, position, protected, with_secret
from pipelines.priority import causes, in_order, prioritise
from pipelines.store import Store
from pipelines.store_triage import volumes, with_acts
from pipelines.volume import summed

EXCEPTION_COLUMNS = (
    "rule", "child_id", "source", "source_id", "row_id", "field", "detail", "severity", "kind", "status", "on_old_data", "first_seen_on", "age_days",
    "owner", "owner_why", "fix_in", "title", "todo", "nights", "is_new", "news", "is_backlog", "reopened_on", "resolved_on", "exception_id", "priority", "why_first", "is_lead", "lead", "cause",
    "cause_size", "overdue_days", "due_on", "is_overdue", "assigned_to", "claim", "claimed_on", "claimed_by", "claim_failing",
)  # fmt: skip


@small_frames()
def exceptions_known(
    store: Store, known_on: date | None = None, include_resolved: bool = False, as_of: date | None = None
) -> pd.DataFrame:
    """The exceptions with what the catalogue says of their rules, what to look at first on top: as a night left them, or as at a day by what a
    night knew.

    As at a day that is not the night's own, none is resolved: the list holds what was at fault on that day.
    """
    frame = _prioritised(store, known_on, include_resolved, as_of)
    return frame[list(EXCEPTION_COLUMNS)].reset_index(drop=True)


def _in_shadow(store: Store, known_on: date | None) -> set[str]:
    """The rules that were in shadow on a night: what they raised earlier is kept, and in no list."""
    results = store.nightly("rule_results", known_on)
    return set(results.loc[results["is_shadow"].fillna(False).astype(bool), "rule"])


def rules_checked(store: Store, known_on: date | None = None) -> pd.DataFrame:
    """What became of every rule on a night: see `catalogues.checked`."""
    return checked(store.nightly("rule_results", known_on))


def shadow_known(store: Store, rule: str | None = None, known_on: date | None = None) -> pd.DataFrame:
    """What the rules in shadow would have raised on a night (or one of them), with how long they have found it."""
    frame = protected(store, store.history("shadow_findings", known_on).drop(columns="thing"), store.register(known_on))
    frame = frame[frame["rule"] == rule] if rule else frame
    return frame.sort_values(["rule", "child_id", "exception_id"], ignore_index=True)


def volume_known(store: Store, by: str, known_on: date | None = None) -> pd.DataFrame:
    """How many exceptions came, went and were late on a night, by ``rule``, ``severity`` or ``owner``; by ``night``, every night's counts."""
    if by == "night":
        return summed(volumes(store), "night")
    return summed(store.nightly("exception_volume", known_on), by)


def claims_known(store: Store, by: str, known_on: date | None = None) -> pd.DataFrame:
    """What is said to be fixed, held against the extracts since: by ``owner`` or ``claimed_by``, or each ``exception``, the longest failing first."""
    frame = exceptions_known(store, known_on, include_resolved=True)
    if by != "exception":
        return claims_by(frame, by)
    claimed = frame[frame["claimed_on"].notna()].sort_values(
        ["claim_failing", "priority"], ascending=False, kind="stable"
    )
    columns = [
        "exception_id",
        "rule",
        "child_id",
        "owner",
        "claimed_by",
        "claimed_on",
        "claim_failing",
        "status",
        "claim",
    ]
    return claimed[columns].reset_index(drop=True)


@small_frames()
def causes_known(store: Store, known_on: date | None = None, as_of: date | None = None) -> pd.DataFrame:
    """What several exceptions of a night, or as at a day, have in common; see `priority.causes`."""
    return causes(_prioritised(store, known_on, include_resolved=False, as_of=as_of))


def _prioritised(store: Store, known_on: date | None, include_resolved: bool, as_of: date | None) -> pd.DataFrame:
    day = _past_day(store, as_of, known_on)
    if day is None:
        found, register = store.exceptions(known_on, include_resolved), store.register(known_on)
        found = found[~found["rule"].isin(_in_shadow(store, known_on))]
    else:
        then = position(store, day, known_on, with_names=True)
        found, register = then.exceptions(), then.register
    # Whoever is restricted by the newest knowledge has no place counted or named on an earlier day either.
    register = with_secret(store, register)
    weights, judged = load_priority(store.settings.config_dir), pd.Timestamp(day or store.night_of(known_on))
    with store.reading() as connection:
        found = with_acts(connection, found, day or store.night_of(known_on))
    frame = prioritise(titled(found), register, weights, judged)
    return masked(in_order(frame), register)


def _past_day(store: Store, as_of: date | None, known_on: date | None) -> date | None:
    """The day that has to be put together again; None where the question is about a night as it left things, which history holds."""
    return None if as_of == store.night_of(known_on) else as_of


@small_frames()
def register_as_of(store: Store, as_of: date | None, known_on: date | None, with_sources: bool = False) -> pd.DataFrame:
    """The register: as a night left it (the newest, or that of `known_on`), or as at a day (`as_of`) by what that night knew."""
    day = _past_day(store, as_of, known_on)
    frame = store.register(known_on) if day is None else position(store, day, known_on).register
    origins = [name for name in frame if name.endswith("_from")]
    return protected(store, frame, frame).drop(columns=[] if with_sources else origins)


@small_frames()
def kpis_as_of(store: Store, as_of: date | None, known_on: date | None) -> pd.DataFrame:
    """The KPI figures: as a night left them (the newest, or that of `known_on`), or as at a day (`as_of`) by what that night knew."""
    day = _past_day(store, as_of, known_on)
    if day is None:
        return store.kpis(known_on)
    return position(store, day, known_on, with_names=True).kpis()


def try_feeds(settings: Settings, system: str, folder: Path) -> pd.DataFrame:
    """Read a folder with a source's profile: rows in, accepted, set aside, repeated, and what was odd. Keeps nothing."""

    profiles = load_profiles(settings.config_dir)
    if system not in profiles:
        raise ConfigurationError(f"There is no source {system}.", f"The sources are {', '.join(profiles)}.")
    lines = []
    for arrival in find_extracts(profiles[system], folder, date.max, datetime.max.replace(tzinfo=UTC)):
        line = {
            "feed": arrival.feed,
            "file": arrival.path.name if arrival.path else "",
            "rows": 0,
            "accepted": 0,
            "set_aside": 0,
            "repeated": 0,
            "left_out": 0,
            "note": arrival.why,
        }
        if arrival.path:
            try:
                reading = read_feed(profiles[system], arrival.feed, fetch(arrival, profiles[system], folder))
            except (ExtractError, FeedRefusedError) as error:
                line["note"] = error.what
            else:
                odd = [f"{len(reading.unknown_codes)} unknown codes"] if len(reading.unknown_codes) else []
                odd += [f"new column {name}" for name in reading.new_columns] + [
                    f"absent column {name}" for name in reading.missing_columns
                ]
                line |= {
                    "rows": reading.rows, "accepted": reading.accepted, "set_aside": len(reading.set_aside), "repeated": len(reading.repeated),
                    "left_out": reading.left_out, "note": "; ".join(odd),
                }  # fmt: skip
        lines.append(line)
    return pd.DataFrame(lines)
