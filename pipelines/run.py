"""One night, in one screen: pull, keep, link, reconcile, judge, follow, measure, publish.

Plain functions: the command calls them, the Prefect flow calls them, and neither adds anything. `as_of` and `now` are handed in. A night is
one transaction and its outputs appear by a rename, so a run that dies anywhere leaves the last night standing.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd

from config.errors import (
    EXIT_EXTRACT_MISSING,
    EXIT_FEED_REFUSED,
    EXIT_OK,
    ExtractError,
    FeedRefusedError,
    StoreError,
)
from config.profiles import load_profiles
from config.settings import Settings
from connectors.pull import find_extracts
from pipelines import publish
from pipelines.assemble import published_register
from pipelines.configuration import configuration_hash, load_configuration, versions
from pipelines.digest import mail_tonight
from pipelines.facts import forget_facts, keep_facts
from pipelines.follow import Followed, settle
from pipelines.handed_out import purge_handed_out
from pipelines.inbox import purge_inbox, take_inbox
from pipelines.ingest import Ingested, ingest
from pipelines.inherit import inherit
from pipelines.kpi_breakdowns import broken_down, child_facts
from pipelines.kpis import compute, measure, members
from pipelines.link import Linkage
from pipelines.link_canaries import canary_messages
from pipelines.link_night import link_night
from pipelines.link_quality import beside, link_quality, worse
from pipelines.notifications import notifications
from pipelines.produce import Published, write_outputs
from pipelines.rawstore import private_key, purge_raw, write_snapshot
from pipelines.review_files import hand_out_review, purge_reviews
from pipelines.road import assemble_frames, follow, judge, leave_out_sealed, read_by_figures
from pipelines.routing import known_of
from pipelines.second_process import second_process
from pipelines.star import star_of_night
from pipelines.store import Store
from pipelines.store_audit import audited_until
from pipelines.store_links import earlier_exceptions, known_before, save_link_events

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

    taken = take_inbox(store, now) if not backfill and len(store.runs()) else []
    result = _one_night(settings, store, profiles, as_of, pull, backfill, progress, now)
    result.messages += taken
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
    from checks.expectations import be_ready, collect, stop_if_unmet, submit

    configuration = load_configuration(settings)
    day = pd.Timestamp(as_of)
    watch = Stopwatch(progress)
    with (
        second_process() as second,
        publish.withdrawn_on_error() as published,
        store.night(as_of, backfill) as night,
    ):
        watch.start("pull and read")
        second.submit(be_ready)
        ingested = ingest(night, profiles, pull(), as_of, settings)
        _need(ingested)
        judging = submit(
            second, _present(ingested), ingested.feeds, _previous_expectations(night), as_of, settings.config_dir
        )

        watch.start("link")
        known = known_before(night.connection, night.night, night.previous_night)
        linked = link_night(ingested.tables, known, day, private_key(settings.private_dir), configuration.link_model)
        linkage = linked.linkage
        leave_out_sealed(ingested, linked.sealed)

        watch.start("register")
        assembled, frames = assemble_frames(ingested, linkage, day, configuration)

        frames["audits"] = audited_until(night.connection, night.night)

        watch.start("rules")
        register = frames["register"]
        evaluated = judge(ingested, frames, linkage, day, configuration)

        watch.start("exceptions")
        before = partial(earlier_exceptions, night.connection, known, linked.events, night=night.night)
        inherited = inherit(known, linked, evaluated.findings, before(), before(of="shadow_findings"))
        known = inherited.known
        followed = settle(
            night.connection,
            known,
            evaluated,
            follow(known, evaluated, ingested, frames, linked.sealed, day),
            register,
            known_of(register, assembled.tables["involvements"], day),
            linked.sealed,
            configuration,
            as_of,
        )
        exceptions = followed.shown

        watch.start("expectations")
        expectations = collect(second, judging)
        stop_if_unmet(expectations)
        canaries = second.submit(canary_messages, day, configuration.link_model)

        watch.start("figures")
        tonight = read_by_figures(frames, exceptions, ingested.feeds, expectations, day, configuration)
        measured = measure(tonight)
        figures = compute(tonight, configuration.targets, measured)
        facts = child_facts(register, assembled.tables["involvements"], day)
        breakdowns = broken_down(measured, facts)

        earlier_links = night.link_trend()
        quality = link_quality(
            linkage.links,
            linkage.review,
            ingested.tables["people"],
            ingested.tables["care_placements"],
            register["child_id"],
            day,
        )
        got_worse = worse(quality, earlier_links, configuration.watch)

        watch.start("publish")
        public_register = published_register(register, day)
        night.open_run(versions() | {"configuration": configuration_hash(settings.config_dir)}, now)
        for name, frame in (
            ("links", linkage.links),
            ("sealed_records", linked.sealed),
            ("never_links", linked.never),
            ("register", public_register),
            ("exceptions", followed.exceptions),
            ("followed_exceptions", inherited.followed),
            ("shadow_findings", followed.shadow),
            ("kpi_members", members(measured)),
        ):
            night.save(name, frame)
        night.save_events(pd.concat([inherited.events, followed.events], ignore_index=True))
        save_link_events(night.connection, night.night, linked.events)
        for name, frame in (
            ("run_feeds", ingested.feeds),
            ("kpi_values", figures),
            ("kpi_breakdowns", breakdowns),
            ("rule_results", evaluated.results),
            ("exception_volume", followed.volume),
            ("expectation_results", expectations),
            ("review_pairs", linkage.review),
            ("link_quality", quality),
        ):
            night.save_nightly(name, frame)
        star = star_of_night(
            register,
            assembled.tables,
            night.aged(exceptions[exceptions["status"] != "resolved"]),
            figures,
            night.trend(),
            day,
        )
        night.save_star(star)
        counts = _counts(ingested, linkage, register, evaluated, followed)
        write_snapshot(night.snapshot, ingested.tables | {"links": linkage.links})
        keep_facts(settings.private_dir, ingested.tables, linkage.links, as_of)
        exit_code, messages = _verdict(ingested)
        said = [f"linking: {line}. Look at `ehcp links quality`." for line in got_worse]
        period = f"{as_of:%Y-%m}"
        with publish.writing(settings.outputs_dir, period, night.run_id) as folder:
            night_came_to = Published(
                ingested,
                public_register,
                night.aged(exceptions),
                followed.volume,
                figures,
                breakdowns,
                facts["team"],
                notifications(frames, facts, day, configuration.limits),
                expectations,
                evaluated.results,
                star,
                beside(quality, earlier_links),
                earlier_links,
                got_worse,
                frames["audits"],
            )
            write_outputs(folder, settings, night, night_came_to, now, second)
        published.append(settings.outputs_dir / period / night.run_id)
        hand_out_review(settings, night, linkage, ingested.tables["people"], known.decisions, public_register, now)
        messages = [*canaries.result(), *said, *messages]
        watch.stop()
        night.close_run(exit_code, counts, watch.seconds)
        run_id = night.run_id
    outputs = settings.outputs_dir / period / run_id
    if as_of == store.night_of():
        try:
            outputs = publish.make_latest(settings.outputs_dir, period, run_id)
        except StoreError as error:  # the night itself is complete
            exit_code = error.exit_code
            messages += [error.what, error.todo]
    if as_of == store.night_of() and not backfill:
        messages += mail_tonight(settings, store)
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


def _verdict(ingested: Ingested) -> tuple[int, list[str]]:
    """The exit code and what is not as it should be: for the feeds of a system that share a reason a line, and one that says what to do."""
    feeds = ingested.feeds[ingested.feeds["is_expected"]]
    wrong = feeds[feeds["status"].isin(["missing", "gated", "refused"]) | feeds["is_stale"]]
    wrong = wrong.assign(state=wrong["status"].replace("accepted", "stale"))
    messages = [
        f"{system} {', '.join(names)}: {state}. {reason.removesuffix(todo)}".rstrip() + f"\n    {todo}"
        for (system, state, reason, todo), names in wrong.groupby(["system", "state", "reason", "todo"], sort=False)[
            "feed"
        ]
    ]
    if (wrong["status"] == "refused").any():
        return EXIT_FEED_REFUSED, messages
    return (EXIT_EXTRACT_MISSING if len(wrong) else EXIT_OK), messages


def _counts(
    ingested: Ingested,
    linkage: Linkage,
    register: pd.DataFrame,
    evaluated: Any,
    followed: Followed,
) -> dict[str, int]:
    feeds = ingested.feeds
    numbers = {name: int(feeds[name].sum()) for name in ("rows", "accepted", "set_aside", "repeated", "left_out")}
    came_and_went = followed.volume[["new", "resolved", "overdue"]].sum()
    return numbers | {
        "records": len(linkage.links),
        "linked": int(linkage.links["child_id"].duplicated(keep=False).sum()),
        "undecided": len(linkage.review),
        "children": len(register),
        "active_plans": int(register["has_active_plan"].sum()),
        "findings": len(evaluated.findings),
        "open": int((followed.shown["status"] != "resolved").sum()),
        **{name: int(number) for name, number in came_and_went.items()},
    }


def tidy(settings: Settings, store: Store, now: datetime) -> None:
    """Keep the tables of the last nights only, raw files for their retention time and as long as a feed still rests on them, and facts for theirs."""
    nights = store.runs()
    complete = nights[nights["status"] == "complete"].head(settings.council.snapshots_kept)
    for folder in (settings.private_dir / "tables").glob("*"):
        if folder.name not in set(complete["run_id"]):
            shutil.rmtree(folder, ignore_errors=True)
    oldest = now - timedelta(days=settings.council.raw_retention_days)
    purge_raw(settings.private_dir, store.raw_in_use(), oldest)
    if settings.council.facts_retention_days:
        forget_facts(settings.private_dir, (now - timedelta(days=settings.council.facts_retention_days)).date())
    purge_handed_out(settings.private_dir, oldest)
    purge_inbox(settings, oldest)
    purge_reviews(settings, set(complete["run_id"]), oldest)
    shutil.rmtree(settings.private_dir / "fetched", ignore_errors=True)
