"""One night, in one screen: pull, keep, link, reconcile, judge, follow, measure, publish.

Plain functions: the command calls them, the Prefect flow calls them, and neither adds anything. `as_of` and `now` are handed in. A night is
one transaction and its outputs appear by a rename, so a run that dies anywhere leaves the last night standing.
"""

from __future__ import annotations

import hashlib
import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from checks.engine import Context, catalogue, evaluate
from config.canonical import TABLES
from config.errors import (
    EXIT_EXTRACT_MISSING,
    EXIT_FEED_REFUSED,
    EXIT_OK,
    ConfigurationError,
    ExtractError,
    FeedRefusedError,
)
from config.limits import Limits, load_limits
from config.profiles import load_profiles
from config.settings import Settings, config_file, load_yaml
from connectors.pull import find_extracts
from pipelines import publish
from pipelines.assemble import Assembled, build, public
from pipelines.compare import rule_frames
from pipelines.feed_frames import feed_frames, table_states
from pipelines.ingest import Ingested, ingest
from pipelines.kpis import Night, compute
from pipelines.lifecycle import advance, rule_states
from pipelines.link import Linkage, link_people
from pipelines.rawstore import purge_raw, read_snapshot, write_snapshot
from pipelines.store import Store, snapshot_folder

log = logging.getLogger("ehcp.run")
STAGES = ("pull and read", "link", "register", "rules", "exceptions", "expectations", "figures", "publish")


@dataclass
class RunResult:
    """What a night came to. `exit_code` is what the command ends with; `summary` is what it prints."""

    run_id: str
    as_of: date
    exit_code: int
    counts: dict[str, int]
    outputs: Path
    messages: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def summary(self) -> str:
        """One line of counts, and a line for each thing that was not as it should be."""
        c = self.counts
        head = (
            f"{self.as_of}  run {self.run_id}: {c['rows']:,} rows in = {c['accepted']:,} accepted + {c['set_aside']:,} set aside"
            f" + {c['repeated']:,} repeated; {c['children']:,} children on the register, {c['open']:,} open exceptions"
            f" ({c['new']:,} new); {sum(self.seconds.values()):.1f} s"
        )
        return "\n".join([head, *(f"  {message}" for message in self.messages)])


@dataclass(frozen=True)
class Configuration:
    """Everything a night reads from YAML, read once."""

    limits: Limits
    precedence: dict[str, list[str]]
    provision: dict[str, list[str]]
    targets: dict[str, dict[str, Any]]


def load_configuration(settings: Settings) -> Configuration:
    """Limits, precedence, provision types and KPI targets, the council's own where it has them."""
    named = {
        name: load_yaml(config_file(settings.config_dir, f"{name}.yml")) for name in ("precedence", "provision", "kpis")
    }
    return Configuration(load_limits(settings.config_dir), named["precedence"], named["provision"], named["kpis"])


class Stopwatch:
    """Logs one line a stage, with its seconds, and tells the progress bar."""

    def __init__(self, progress: Callable[[str], None] | None) -> None:
        self.progress, self._since, self._stage = progress, perf_counter(), ""
        self.seconds: dict[str, float] = {}

    def start(self, stage: str) -> None:
        """The stage before is over, this one begins."""
        self.stop()
        self._stage = stage
        if self.progress:
            self.progress(stage)

    def stop(self) -> None:
        """The last stage is over."""
        now = perf_counter()
        if self._stage:
            self.seconds[self._stage] = round(now - self._since, 3)
            log.info("%s: %.1f s", self._stage, now - self._since)
        self._since, self._stage = now, ""


def run_night(
    settings: Settings,
    as_of: date,
    extracts: Path | None = None,
    backfill: bool = False,
    progress: Callable[[str], None] | None = None,
    *,
    now: datetime,
) -> RunResult:
    """Run the night of `as_of`, pulled from where the profiles say or from the folder `extracts`. Safe to run again.

    With `backfill` the night may be older than the newest one; the later nights are then replayed from their raw files. Raises EhcpError for
    what a person can put right; nothing has changed then.
    """
    from pipelines.replay import replay_arrivals

    profiles = load_profiles(settings.config_dir)
    store = Store(settings)
    later = store.nights_after(as_of) if backfill else []

    def pull() -> list[Any]:
        return [
            arrival
            for profile in profiles.values()
            for arrival in find_extracts(profile, extracts, as_of, now, base=settings.data_dir)
        ]

    result = _one_night(settings, store, profiles, as_of, pull, backfill, progress, now)
    for day, feeds in later:
        arrivals = replay_arrivals(settings, feeds, day)
        replayed = _one_night(settings, store, profiles, day, partial(list, arrivals), True, None, now)
        result.messages.append(f"replayed {day} as run {replayed.run_id}")
    return result


def _one_night(
    settings: Settings,
    store: Store,
    profiles: dict[str, Any],
    as_of: date,
    pull: Callable[[], list[Any]],
    backfill: bool,
    progress: Callable[[str], None] | None,
    now: datetime,
) -> RunResult:
    from checks.expectations import collect, start_worker, stop_if_unmet, submit

    configuration = load_configuration(settings)
    day = pd.Timestamp(as_of)
    watch = Stopwatch(progress)
    with start_worker() as worker, store.night(as_of, backfill) as night:
        watch.start("pull and read")
        ingested = ingest(night, profiles, pull(), as_of, settings)
        _need(ingested)
        judging = submit(
            worker, _present(ingested), ingested.feeds, _previous_expectations(night), as_of, settings.config_dir
        )

        watch.start("link")
        linkage, sealed = _link(night, ingested, day)

        watch.start("register")
        assembled = _assemble(ingested, linkage.links, configuration, day, settings)
        frames = rule_frames(
            assembled,
            linkage.review,
            day,
            configuration.limits,
            configuration.precedence,
            configuration.provision,
            settings.council.la_code,
        )

        watch.start("rules")
        register = frames["register"]
        restricted = frozenset(register.loc[register["is_restricted"], "child_id"])
        frames |= feed_frames(ingested, register, linkage.links)
        evaluated = evaluate(Context(frames, table_states(ingested), day, configuration.limits, restricted))

        watch.start("exceptions")
        exceptions, events = _follow(night, evaluated, ingested, frames, day)

        watch.start("expectations")
        expectations = collect(worker, judging)
        stop_if_unmet(expectations)

        watch.start("figures")
        standing = exceptions[exceptions["status"] != "resolved"]
        figures, members = compute(
            Night(frames, standing, ingested.feeds, expectations, day, configuration.limits), configuration.targets
        )

        watch.start("publish")
        public_register = published_register(register, day)
        night.open_run(_versions(), now)
        for name, frame in (
            ("links", linkage.links),
            ("sealed_records", sealed),
            ("register", public_register),
            ("exceptions", exceptions),
            ("kpi_members", members),
        ):
            night.save(name, frame)
        night.save_events(events)
        for name, frame in (
            ("run_feeds", ingested.feeds),
            ("kpi_values", figures),
            ("rule_results", evaluated.results),
            ("expectation_results", expectations),
            ("review_pairs", linkage.review),
        ):
            night.save_nightly(name, frame)
        counts = _counts(ingested, linkage, register, evaluated, exceptions, day)
        write_snapshot(night.snapshot, ingested.tables)
        exit_code, messages = _verdict(ingested)
        period = f"{as_of:%Y-%m}"
        with publish.writing(settings.outputs_dir, period, night.run_id) as folder:
            write_outputs(
                folder, settings, night, ingested, public_register, night.aged(exceptions), figures, expectations, now
            )
        watch.stop()
        night.close_run(exit_code, counts, watch.seconds)
        run_id = night.run_id
    outputs = (
        publish.make_latest(settings.outputs_dir, period, run_id)
        if as_of == store.night_of()
        else settings.outputs_dir / period / run_id
    )
    tidy(settings, store, now)
    return RunResult(run_id, as_of, exit_code, counts, outputs, messages, watch.seconds)


def _need(ingested: Ingested) -> None:
    """A first night needs at least people, plans and placements; a later one falls back on the copies it has."""
    absent = [name for name in ("people", "plans", "placements") if ingested.tables[name] is None]
    if absent:
        feeds = ingested.feeds
        who = feeds[feeds["tables"].str.split(", ").map(lambda names: bool(set(names) & set(absent)))]
        told = "; ".join(f"{row.system} {row.feed}: {row.reason}" for row in who.itertuples())
        error = ExtractError if (who["status"] == "missing").all() else FeedRefusedError
        raise error(
            f"There is no copy of {', '.join(absent)} to work from. {told}",
            "Provide these extracts and run the night again. Nothing was changed.",
        )


def _present(ingested: Ingested) -> dict[str, pd.DataFrame]:
    return {name: frame for name, frame in ingested.tables.items() if frame is not None}


def _previous_expectations(night: Any) -> pd.DataFrame | None:
    previous = night.previous_nightly("expectation_results")
    return None if previous.empty else previous


def _link(night: Any, ingested: Ingested, day: pd.Timestamp) -> tuple[Linkage, pd.DataFrame]:
    """Link tonight's records. What an adoption once closed stays sealed, also after the record has gone."""
    tables = ingested.tables
    nicknames = pd.read_csv(config_file(None, "nicknames.csv"), dtype="str")
    known = night.previous("sealed_records")
    people = _without(tables["people"], known)
    linkage = link_people(
        people,
        tables["addresses"],
        tables["care_placements"],
        tables["plans"],
        night.previous("links"),
        night.decisions(),
        nicknames,
        day,
    )
    sealed = pd.concat([known, linkage.sealed]).drop_duplicates().sort_values(["source", "source_id"])
    ingested.vanished = _without(ingested.vanished, sealed)
    for name in ("set_aside", "unknown_codes", "repeated"):
        frame = getattr(ingested, name)
        if "source_id" in frame:
            setattr(ingested, name, _without(frame, sealed))
    return linkage, sealed


def _without(frame: Any, keys: pd.DataFrame) -> pd.DataFrame:
    known = pd.MultiIndex.from_frame(keys[["source", "source_id"]])
    return frame[~pd.MultiIndex.from_frame(frame[["source", "source_id"]]).isin(known)].reset_index(drop=True)


def _assemble(
    ingested: Ingested, links: pd.DataFrame, configuration: Configuration, day: pd.Timestamp, settings: Settings
) -> Assembled:
    return build(
        ingested.tables,
        links,
        ingested.vanished,
        day,
        configuration.limits,
        configuration.precedence,
        settings.council.la_code,
    )


def _follow(
    night: Any, evaluated: Any, ingested: Ingested, frames: dict[str, Any], day: pd.Timestamp
) -> tuple[pd.DataFrame, pd.DataFrame]:
    vanished = frames["vanished"]
    uncertain = set(vanished.loc[vanished["is_on_register"], "child_id"])
    states = rule_states(
        evaluated.results,
        {code: rule.uses for code, rule in catalogue().items() if rule.is_of_one_record},
        ingested.feeds,
    )
    return advance(night.previous("exceptions"), evaluated.findings, states, uncertain, day)


def _verdict(ingested: Ingested) -> tuple[int, list[str]]:
    """The exit code and a line for each feed that is not as it should be."""
    feeds = ingested.feeds[ingested.feeds["is_expected"]]
    wrong = feeds[feeds["status"].isin(["missing", "gated", "refused"]) | feeds["is_stale"]]
    messages = [
        f"{row.system} {row.feed}: {'stale' if row.status == 'accepted' else row.status}. {row.reason}".rstrip()
        for row in wrong.itertuples()
    ]
    if (wrong["status"] == "refused").any():
        return EXIT_FEED_REFUSED, messages
    return (EXIT_EXTRACT_MISSING if len(wrong) else EXIT_OK), messages


def _counts(
    ingested: Ingested,
    linkage: Linkage,
    register: pd.DataFrame,
    evaluated: Any,
    exceptions: pd.DataFrame,
    day: pd.Timestamp,
) -> dict[str, int]:
    feeds = ingested.feeds
    numbers = {name: int(feeds[name].sum()) for name in ("rows", "accepted", "set_aside", "repeated", "left_out")}
    standing = exceptions[exceptions["status"] != "resolved"]
    return numbers | {
        "records": len(linkage.links),
        "linked": int(linkage.links["child_id"].duplicated(keep=False).sum()),
        "undecided": len(linkage.review),
        "children": len(register),
        "active_plans": int(register["has_active_plan"].sum()),
        "findings": len(evaluated.findings),
        "open": len(standing),
        "new": int((standing["first_seen_on"] == day).sum()),
        "resolved": int((exceptions["resolved_on"] == day).sum()),
    }


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    rules = "".join(f"{code}{rule.version}" for code, rule in catalogue().items())
    return {"application": version("ehcp-register"), "rules": hashlib.sha256(rules.encode()).hexdigest()[:12]}


def published_register(register: pd.DataFrame, day: pd.Timestamp) -> pd.DataFrame:
    """The register as people see it, with where each value came from."""
    frame = public(register, day)
    came = {
        "plan_from": "plan_from",
        "placement_from": "placement_from",
        "review_from": "review_from",
        "born_from": "born_on_from",
    }
    frame = frame.assign(**{name: register[column] for name, column in came.items()})
    frame["visit_from"] = "visit " + register["last_visit_row"]
    frame["waiting_from"] = "synergy " + register["waiting_row"].astype("str")
    frame["setting_type"] = register["type_name"].where(register["has_active_plan"])
    return frame


def write_outputs(
    folder: Path,
    settings: Settings,
    night: Any,
    ingested: Ingested,
    register: pd.DataFrame,
    exceptions: pd.DataFrame,
    figures: pd.DataFrame,
    expectations: pd.DataFrame,
    now: datetime,
) -> None:
    """Write every output of a night into a folder: workbooks, page, source health and BI files, all from the same frames."""
    from outputs.about import About, not_received
    from outputs.extracts import write_extracts
    from outputs.health import write_health
    from outputs.page import write_report
    from outputs.workbooks import write_exceptions, write_kpis, write_register

    titled = _titled(exceptions)
    standing = titled[titled["status"] != "resolved"]
    recent = titled[(titled["status"] != "resolved") | (titled["resolved_on"] == pd.Timestamp(night.night))]
    about = About(
        settings.council.name,
        night.night,
        night.run_id,
        now.astimezone(),
        f"{night.night:%Y-%m}",
        not_received(ingested.feeds),
        _versions(),
    )
    targets = load_yaml(config_file(settings.config_dir, "kpis.yml"))
    rag = figures.assign(
        **{
            part: figures["code"].map({code: t.get(part) for code, t in targets.items()})
            for part in ("direction", "green", "amber")
        }
    )
    trend = night.trend()
    feeds = ingested.feeds.assign(modified_at=pd.to_datetime(ingested.feeds["modified_on"]))
    write_exceptions(folder / "exceptions.xlsx", standing, about, register=register)
    write_register(folder / "register.xlsx", register, about)
    write_kpis(folder / "kpis.xlsx", rag, about, trend)
    write_report(folder / "report.html", rag, recent, register, feeds, expectations, trend, about)
    for system in feeds["system"].unique():
        write_health(
            folder,
            system,
            feeds,
            expectations,
            ingested.set_aside,
            ingested.unknown_codes,
            _new_columns(ingested),
            about,
        )
    write_extracts(folder, register, standing, figures, about)


def _new_columns(ingested: Ingested) -> pd.DataFrame:
    changes = ingested.header_changes
    return changes.assign(column=changes["reason"])


def _titled(exceptions: pd.DataFrame) -> pd.DataFrame:
    """Exceptions with what the catalogue says of their rule."""
    frame = rules_frame().set_index("rule")[["title", "fix_in", "todo", "basis"]]
    return exceptions.join(frame, on="rule")


def rules_frame() -> pd.DataFrame:
    """The catalogue of rules as a frame, one row per rule."""
    return pd.DataFrame(
        [
            {
                "rule": r.code, "title": r.title, "severity": r.highest_severity, "kind": r.kind, "owner": r.owner, "fix_in": r.fix_in, "todo": r.todo,
                "basis": r.basis, "condition": r.about, "looks at": r.looks_at, "denominator": r.scope or "every row", "needs": ", ".join(r.needs),
                "version": r.version,
            }
            for r in catalogue().values()
        ]
    )  # fmt: skip


EXCEPTION_COLUMNS = (
    "rule", "child_id", "source", "source_id", "row_id", "field", "detail", "severity", "kind", "status", "on_old_data", "first_seen_on", "age_days",
    "owner", "fix_in", "title", "todo", "nights", "is_new", "resolved_on", "exception_id",
)  # fmt: skip


def exceptions_known(store: Store, known_on: date | None = None, include_resolved: bool = False) -> pd.DataFrame:
    """The exceptions as a night left them, with what the catalogue says of their rules, most serious first."""
    from checks.engine import SEVERITIES
    from outputs.protect import mask_restricted

    frame = mask_restricted(_titled(store.exceptions(known_on, include_resolved)), store.register(known_on))
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
    return _assemble(ingested, store.links(), configuration, pd.Timestamp(as_of), settings), configuration, ingested


def register_as_of(store: Store, as_of: date | None, known_on: date | None, with_sources: bool = False) -> pd.DataFrame:
    """The register: of the newest night, as a past night knew it (`known_on`), or as at a day by what is known now (`as_of`)."""
    from outputs.protect import mask_restricted

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
        store.settings.council.la_code,
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
    from connectors.pull import fetch
    from connectors.reading import read_feed

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


def tidy(settings: Settings, store: Store, now: datetime) -> None:
    """Keep the tables of the last nights only, and raw files for their retention time and as long as a feed still rests on them."""
    nights = store.runs()
    complete = nights[nights["status"] == "complete"].head(settings.council.snapshots_kept)
    for folder in (settings.private_dir / "tables").glob("*"):
        if folder.name not in set(complete["run_id"]):
            shutil.rmtree(folder, ignore_errors=True)
    purge_raw(settings.private_dir, store.raw_in_use(), now - timedelta(days=settings.council.raw_retention_days))
    shutil.rmtree(settings.private_dir / "fetched", ignore_errors=True)
