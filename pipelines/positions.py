"""A past day, put together again: what was true on one day (`as_of`) by what one night knew (`known_on`).

The pure road (assemble, compare, rules, figures) runs with that day, over the tables that night knew, from which what had not happened by the day
has been taken out. Register and questions rest on the kept facts, for any night; exceptions and figures need names and addresses too, which
are kept for the last nights only (`snapshots_kept`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

import pandas as pd

from checks.engine import Context, catalogue, evaluate
from config.canonical import TABLES
from config.errors import ConfigurationError
from outputs.protect import mask_restricted, restricted_children
from pipelines.acts import OF_PEOPLE, honour
from pipelines.assemble import Assembled, build, published_register
from pipelines.compare import rule_frames
from pipelines.configuration import Configuration, load_configuration
from pipelines.facts import children_of_interest, read_facts
from pipelines.feed_frames import table_states
from pipelines.frames import is_among, small_frames
from pipelines.ingest import Ingested
from pipelines.kpi_breakdowns import broken_down, child_facts
from pipelines.kpis import Counted, Night, compute, measure
from pipelines.lifecycle import OPEN, identify
from pipelines.pastday import as_at, came_later, vanished_by
from pipelines.rawstore import keep_snapshot, read_snapshot
from pipelines.routing import known_of, routed
from pipelines.sealing import without_sealed
from pipelines.store import Store, snapshot_folder
from pipelines.store_audit import audited_until
from pipelines.store_people import first_seen, read_events

_NO_PAIRS = ["source_a", "source_id_a", "source_b", "source_id_b", "weight", "agrees", "differs"]


@dataclass(frozen=True)
class Position:
    """One day by one night's knowledge: the register, the tables behind it with `child_id`, and from them exceptions and figures."""

    store: Store
    as_of: date
    known_on: date
    assembled: Assembled
    vanished: pd.DataFrame
    feeds: pd.DataFrame
    configuration: Configuration

    @property
    def day(self) -> pd.Timestamp:
        """The day, as a midnight Timestamp."""
        return pd.Timestamp(self.as_of)

    @cached_property
    def register(self) -> pd.DataFrame:
        """The register as people see it; not yet masked."""
        return published_register(self.assembled.register, self.day)

    @cached_property
    def frames(self) -> dict[str, Any]:
        """What rules read about children, and who has vanished."""
        configuration = self.configuration
        undecided = pd.DataFrame(columns=_NO_PAIRS, dtype="str")
        frames = rule_frames(
            self.assembled, undecided, self.day, configuration.limits, configuration.precedence, configuration.provision, configuration.la_code
        )  # fmt: skip
        keys = self.assembled.tables["people"][["source", "source_id", "child_id"]]
        vanished = self.vanished.merge(keys, on=["source", "source_id"], how="left")
        on_register = is_among(vanished["child_id"], frames["register"]["child_id"])
        events = frames["past_events"]
        events = events[~came_later(events["on"], self.day, pd.Timestamp(self.known_on))]
        return frames | {"past_events": events, "vanished": vanished.assign(is_on_register=on_register)}

    def findings(self, words: bool) -> pd.DataFrame:
        """What the rules about children find on the day, with or without the words; what arrived on that day (SR01 to SR07) is known on nights only."""
        rules = {code: rule for code, rule in catalogue().items() if not code.startswith("SR") or code == "SR08"}
        register = self.frames["register"]
        restricted = frozenset(register.loc[register["is_restricted"], "child_id"])
        states = table_states(Ingested({**dict.fromkeys(TABLES), **self.assembled.tables}, self.feeds))
        context = Context(self.frames, states, self.day, self.configuration.limits, restricted)
        return evaluate(context, rules, words).findings

    def exceptions(self) -> pd.DataFrame:
        """The findings as exceptions: accepted where people had accepted them by the day, dated to the night that first raised them."""
        findings = self.findings(words=True)
        frame = findings.assign(exception_id=identify(findings), status=OPEN, reopened_on=pd.NaT)
        seen = (
            frame["exception_id"].map(first_seen(self.store, frame["exception_id"].tolist())).astype("datetime64[us]")
        )
        frame["first_seen_on"] = seen.where(seen <= self.day)
        frame["age_days"] = (self.day - frame["first_seen_on"]).dt.days.astype("Int64")
        with self.store.reading() as connection:
            events = read_events(connection, kinds=OF_PEOPLE, night=self.known_on)
        frame, _ = honour(frame, events, self.day)
        children = known_of(self.assembled.register, self.assembled.tables["involvements"], self.day)
        frame = routed(frame, children, self.configuration.routing)
        return frame.assign(nights=pd.NA, is_new=pd.NA, news="", is_backlog=pd.NA, resolved_on=pd.NaT)

    def kpis(self) -> pd.DataFrame:
        """The figures; without source health (K17), which is of a night."""
        return compute(self._night, self.configuration.targets, self._measured)

    def breakdowns(self) -> pd.DataFrame:
        """The figures by what is known of the children on the day (`kpi_breakdowns.COLUMNS`)."""
        register, tables = self.frames["register"], self.assembled.tables
        return broken_down(self._measured, child_facts(register, tables["involvements"], self.day))

    @cached_property
    def _night(self) -> Night:
        nothing = pd.DataFrame({"system": [], "is_met": []})
        with self.store.reading() as connection:
            frames = self.frames | {"audits": audited_until(connection, self.as_of)}
        return Night(
            frames, self.findings(words=False), self.feeds.iloc[:0], nothing, self.day, self.configuration.limits
        )

    @cached_property
    def _measured(self) -> list[Counted]:
        return measure(self._night)


@small_frames()
def position(
    store: Store,
    as_of: date,
    known_on: date | None = None,
    with_names: bool = False,
    child_id: str | None = None,
) -> Position:
    """What was true on `as_of` by what the night of `known_on` (the newest unless said) knew; of one child alone, where asked.

    `with_names` takes the whole tables, which exceptions and figures need. Raises ConfigurationError where they are no longer kept.
    """
    night = store.night_of(known_on)
    feeds, configuration = store.feeds(night), load_configuration(store.settings)
    facts = None if with_names else read_facts(store.settings.private_dir, night, feeds)
    tables, links = facts or _whole(store, night, with_names)
    sealed, children = store.closed_by_adoption()
    links = without_sealed(links, sealed, children)
    # Nothing in a child's row rests on another child, and only rows of linked records are put together.
    links = links[links["child_id"] == child_id] if child_id else links
    day = pd.Timestamp(as_of)
    tables = as_at(tables, day, pd.Timestamp(night))
    vanished = vanished_by(tables["people"], day)
    assembled = build(
        tables, links, vanished, day, configuration.limits, configuration.precedence, configuration.la_code
    )
    return Position(store, as_of, night, assembled, vanished, feeds, configuration)


def _whole(store: Store, night: date, with_names: bool) -> tuple[dict[str, Any], pd.DataFrame]:
    """The tables and links as the run of a night kept them, as far as they bear on a child with a plan or a request.

    Most pupils have nothing to do with a plan; the first question to a night leaves the others beside its tables for the next one.
    """
    whole = snapshot_folder(store.settings, store.newest_run(night)["run_id"])
    folder = whole / "narrowed"
    is_narrow = folder.is_dir()
    tables = {name: read_snapshot(folder if is_narrow else whole, name) for name in TABLES}
    if tables["plans"] is None:
        kept = store.settings.council.snapshots_kept
        raise ConfigurationError(
            f"The tables of the night of {night} are no longer kept: those of the last {kept} nights are.",
            "Ask with --as-of alone (by what is known now) or with --known-on alone (as that night left it)."
            if with_names
            else "Ask about a night since the facts are kept, or with --as-of alone.",
        )
    links = read_snapshot(folder if is_narrow else whole, "links")
    if links is not None and is_narrow:
        return tables, links
    tables, links = narrowed(tables, store.links(night) if links is None else links)
    keep_snapshot(folder, tables | {"links": links})
    return tables, links


def narrowed(tables: dict[str, Any], links: pd.DataFrame) -> tuple[dict[str, Any], pd.DataFrame]:
    """Tables and links without the pupils who have nothing to do with a plan.

    There stay the children with a plan or a request, those whom social care says have a plan, and whoever shares a number, or a name and a
    date of birth, with one of them in a system: so every rule finds what it finds over the whole tables.
    """
    ours = set(children_of_interest(tables, links))
    involvements = tables["involvements"]
    keys = ["source", "source_id"]
    if involvements is not None:
        flagged = involvements.loc[involvements["has_plan"].fillna(False).astype(bool), keys]
        ours |= set(flagged.merge(links, on=keys)["child_id"])
    chosen = is_among(links["child_id"], ours)
    people = tables["people"]
    named = people[[*keys, "upn", "born_on"]].assign(surname=people["surname"].str.casefold())
    known = named.merge(links.loc[chosen, keys], on=keys)
    alike = is_among(named["upn"], known["upn"].dropna()) | _is_in(named, known[["surname", "born_on"]].dropna())
    links = links[chosen | _is_in(links, named.loc[alike, keys])]
    narrow = {
        name: frame if frame is None or TABLES[name].is_reference else frame.merge(links[keys], on=keys)
        for name, frame in tables.items()
    }
    return narrow, links


def _is_in(frame: pd.DataFrame, wanted: pd.DataFrame) -> pd.Series:
    """Which rows of a frame hold what a row of `wanted` holds, in the columns of `wanted`."""
    found = frame.merge(wanted.drop_duplicates(), how="left", on=list(wanted), indicator=True)["_merge"]
    return (found == "both").set_axis(frame.index)


def protected(store: Store, frame: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """A frame for people: whoever is restricted by the register given, or by the newest knowledge, shows no whereabouts."""
    return masked(frame, with_secret(store, register))


def with_secret(store: Store, register: pd.DataFrame) -> pd.DataFrame:
    """A register in which whoever is restricted by the newest knowledge is restricted on an earlier day too."""
    secret = restricted_children(register) | is_among(register["child_id"], store.restricted())
    return register.assign(is_restricted=secret)


def masked(frame: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """A frame for people by the register of `with_secret`: whoever is restricted shows no whereabouts."""
    shown = mask_restricted(frame, register)
    if "is_restricted" in shown:
        secret = set(register.loc[register["is_restricted"], "child_id"])
        shown["is_restricted"] = shown["is_restricted"].astype("boolean") | is_among(shown["child_id"], secret)
    return shown
