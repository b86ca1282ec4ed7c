"""What the lists of the command answer, for the newest night, a past one, or a day by what is known now."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd

from checks.engine import SEVERITIES, Context, catalogue, evaluate
from config.canonical import TABLES
from config.errors import ConfigurationError, ExtractError, FeedRefusedError
from config.profiles import load_profiles
from config.settings import Settings
from connectors.pull import fetch, find_extracts
from connectors.reading import read_feed
from outputs.protect import mask_restricted
from pipelines.assemble import Assembled, build
from pipelines.catalogues import titled
from pipelines.compare import rule_frames
from pipelines.configuration import Configuration, load_configuration
from pipelines.feed_frames import table_states
from pipelines.ingest import Ingested
from pipelines.kpis import Night, compute
from pipelines.produce import published_register
from pipelines.rawstore import read_snapshot
from pipelines.store import Store, snapshot_folder

EXCEPTION_COLUMNS = (
    "rule", "child_id", "source", "source_id", "row_id", "field", "detail", "severity", "kind", "status", "on_old_data", "first_seen_on", "age_days",
    "owner", "fix_in", "title", "todo", "nights", "is_new", "resolved_on", "exception_id",
)  # fmt: skip


def exceptions_known(store: Store, known_on: date | None = None, include_resolved: bool = False) -> pd.DataFrame:
    """The exceptions as a night left them, with what the catalogue says of their rules, most serious first."""

    frame = mask_restricted(titled(store.exceptions(known_on, include_resolved)), store.register(known_on))
    order = frame["severity"].map({name: place for place, name in enumerate(SEVERITIES)})
    frame = frame.assign(order=order).sort_values(
        ["order", "rule", "child_id", "source", "source_id", "row_id"], kind="stable"
    )
    return frame[list(EXCEPTION_COLUMNS)].reset_index(drop=True)


def _recomputed(store: Store, as_of: date) -> tuple[Assembled, Configuration, Ingested]:
    """What was true on a day by what is known now: the newest night's tables, assembled as at that day."""
    settings = store.settings
    run = store.newest_run()
    folder = snapshot_folder(settings, run["run_id"])
    tables = {name: read_snapshot(folder, name) for name in TABLES}
    if tables["plans"] is None:
        raise ConfigurationError(
            f"The tables of run {run['run_id']} are no longer kept.",
            "Run the newest night again, or ask with --known-on.",
        )
    configuration = load_configuration(settings)
    ingested = Ingested(tables, store.feeds(), vanished=pd.DataFrame(columns=["source", "source_id"], dtype="str"))
    assembled = build(
        tables,
        store.links(),
        ingested.vanished,
        pd.Timestamp(as_of),
        configuration.limits,
        configuration.precedence,
        configuration.la_code,
    )
    return assembled, configuration, ingested


def register_as_of(store: Store, as_of: date | None, known_on: date | None, with_sources: bool = False) -> pd.DataFrame:
    """The register: of the newest night, as a past night knew it (`known_on`), or as at a day by what is known now (`as_of`)."""

    if as_of is None or as_of == store.night_of(known_on):
        frame = store.register(known_on)
    else:
        assembled, _, _ = _recomputed(store, as_of)
        frame = published_register(assembled.register, pd.Timestamp(as_of))
    origins = [name for name in frame if name.endswith("_from")]
    return mask_restricted(frame, frame).drop(columns=[] if with_sources else origins)


def kpis_as_of(store: Store, as_of: date | None, known_on: date | None) -> pd.DataFrame:
    """The KPI figures: of the newest night, as a past night knew them, or as at a day by what is known now."""
    if as_of is None or as_of == store.night_of(known_on):
        return store.kpis(known_on)
    assembled, configuration, ingested = _recomputed(store, as_of)
    day = pd.Timestamp(as_of)
    undecided = pd.DataFrame(
        columns=["source_a", "source_id_a", "source_b", "source_id_b", "weight", "agrees", "differs"], dtype="str"
    )
    frames = rule_frames(
        assembled,
        undecided,
        day,
        configuration.limits,
        configuration.precedence,
        configuration.provision,
        configuration.la_code,
    )
    children_rules = {code: rule for code, rule in catalogue().items() if not code.startswith("SR")}
    evaluated = evaluate(Context(frames, table_states(ingested), day, configuration.limits), children_rules)
    none = ingested.feeds.iloc[:0]
    night = Night(
        frames, evaluated.findings, none, pd.DataFrame({"system": [], "is_met": []}), day, configuration.limits
    )
    return compute(night, configuration.targets)[0]


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
