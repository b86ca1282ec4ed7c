"""A month frozen as its cut-off knew it: read from history once, kept as rows that nobody changes, with a pack for whoever signs it.

Freezing again what is frozen changes nothing; where history tells the month otherwise by now, it refuses, and a restatement is a new version with its
difference shown, to be signed again.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pandas as pd

from config.errors import ConfigurationError, StoreError
from config.settings import config_file, load_yaml
from config.signoff import SignoffRules, load_signoff
from outputs.protect import OPEN_COHORTS, RESTRICTED, mask_restricted
from pipelines import publish
from pipelines.acts import OF_PEOPLE, acceptances
from pipelines.answers_past import kpi_bridges
from pipelines.catalogues import rules_frame
from pipelines.caveats import caveats
from pipelines.chain import FROZEN, Record, about, digest
from pipelines.configuration import configuration_hash
from pipelines.freezing import (
    OF_HISTORY,
    causes_part,
    changed_since,
    compared_part,
    difference,
    exceptions_part,
    frozen_hash,
    frozen_rows,
    lateness_part,
    members_part,
    moves_part,
    part_frames,
    part_hashes,
    register_part,
    sources_part,
)
from pipelines.history import read_known, read_nightly, shown
from pipelines.kpis import COHORTS
from pipelines.packs import LONDON, write_pack
from pipelines.signoff_state import (
    erased_hashes,
    last_words,
    need_freeze,
    newest_freeze,
    still_unexplained,
)
from pipelines.store import Store
from pipelines.store_people import read_events
from pipelines.store_signoff import (
    RECEIPTS,
    JournalWriter,
    as_utc,
    copy_receipts,
    feed_acceptances,
    pack_folder,
    pack_name,
    read_rows,
    receipt_folders,
    save_rows,
    writing,
)
from pipelines.working_days import cut_off, month_of

#: Lines of figures that say where a child is.
TELLING = frozenset(COHORTS) - OPEN_COHORTS


def freeze_month(store: Store, period: str, now: datetime) -> tuple[Record, bool]:
    """Freeze a month as known on its cut-off and make its pack; gives the record of the freeze, and whether it is a new one.

    Run again it changes nothing, and writes files of the pack that are gone. Raises ConfigurationError before the cut-off, where no night was run by then,
    and where history tells the frozen month otherwise by now.
    """
    rules = load_signoff(store.settings.config_dir)
    month_of(period)
    known_on = cut_off(period, rules.cut_off_working_day)
    with writing(store, rules) as writer:
        frozen = newest_freeze(writer.records, period)
        if frozen is None:
            if now.astimezone(LONDON).date() < known_on:
                raise ConfigurationError(
                    f"{period} is closed on {known_on}, and that day has not come.",
                    "Run it on that day or later; until then the figures are in: ehcp kpis",
                )
            return _freeze(store, writer, rules, period, known_on, known_on, now, None, {}), True
        changed = _changed(store, frozen, rules)
        if changed:
            raise ConfigurationError(
                f"{period} is frozen, and history tells it otherwise by now: {changed}.",
                f"Nothing was changed. To correct the month: ehcp signoff restate {period} --reason TEXT",
            )
        _restore_pack(store, writer, frozen, rules)
        return frozen, False


def restate(
    store: Store, period: str, reason: str, who: str, now: datetime, known_on: date | None = None
) -> tuple[Record, pd.DataFrame]:
    """Freeze a month anew, as the cut-off's night (or that of `known_on`) tells it today; gives the record and the difference (`freezing.difference`).

    The earlier version and its signatures stay; the new one has to be signed. Raises ConfigurationError where the month was never frozen, nothing
    differs, or there is no reason.
    """
    if not reason.strip() or not who.strip():
        raise ConfigurationError("A restatement needs a reason and a name.", "Give --reason and --who.")
    rules = load_signoff(store.settings.config_dir)
    with writing(store, rules) as writer:
        frozen = need_freeze(writer.records, period)
        day = known_on or date.fromisoformat(frozen.facts["known_on"])
        closed = date.fromisoformat(frozen.facts["cut_off"])
        if day < closed:
            raise ConfigurationError(
                f"{day} is before the cut-off, {closed}.", "Give the cut-off or a later day with --known-on."
            )
        before = read_rows(writer.connection, period, frozen.facts["version"])
        why = {"reason": reason.strip(), "who": who.strip(), "replaces": frozen.hash}
        record = _freeze(store, writer, rules, period, closed, day, now, before, why)
        rows = read_rows(writer.connection, period, record.facts["version"])
    return record, part_frames(rows)["restated"][["part", "key", "field", "before", "after"]]


def _freeze(
    store: Store,
    writer: JournalWriter,
    rules: SignoffRules,
    period: str,
    closed: date,
    known_on: date,
    now: datetime,
    before: pd.DataFrame | None,
    why: dict[str, str],
) -> Record:
    now = now.replace(microsecond=0)  # as the journal keeps it: what people did after it is left aside
    night = store.night_of(known_on)
    if f"{night:%Y-%m}" < period:
        raise ConfigurationError(
            f"No night of {period} or after it was run by {known_on}: the newest is {night}.",
            "Run a night first: ehcp run nightly --as-of DATE",
        )
    run = store.newest_run(night)
    parts = _read_parts(store, night, period, now, is_shown=True)
    opening = _opening(store, writer.records, period)
    moved = _moved(store, opening["night"], night) if opening else {}
    versions = run["versions"] | {
        "links": _links_hash(store, night),
        "configuration": configuration_hash(store.settings.config_dir),
    }
    targets = load_yaml(config_file(store.settings.config_dir, "kpis.yml"))
    titles = rules_frame()[["rule", "title"]]
    parts |= moved | {
        "compared": compared_part(parts["kpi_values"], opening["figures"] if opening else None, targets),
        "rules": titles[titles["rule"].isin(parts["exceptions"]["rule"])],
    }
    parts["explained"] = last_words(store, parts["exceptions"])
    parts["caveats"] = caveats(
        parts,
        rules,
        night=night,
        cut_off=closed,
        finished_at=as_utc(run["finished_at"]).astimezone(LONDON),
        unexplained=len(still_unexplained(store, parts["exceptions"])),
        opening=opening,
        versions=versions,
    )
    erased = erased_hashes(writer.records)
    rows = _without(frozen_rows(parts), erased)
    if before is not None:
        told = difference(before[before["content"].notna()], rows)
        if told.empty:
            raise ConfigurationError(
                f"Nothing differs from what is frozen for {period}.",
                "A restatement is for a month that is told otherwise by now.",
            )
        parts["restated"] = told
        rows = _without(frozen_rows(parts), erased)
    hashes = part_hashes(rows)
    earlier = newest_freeze(writer.records, period)
    version = earlier.facts["version"] + 1 if earlier else 1
    facts: dict[str, Any] = {
        "period": period,
        "version": version,
        "night": night.isoformat(),
        "run_id": run["run_id"],
        "cut_off": closed.isoformat(),
        "known_on": known_on.isoformat(),
        "opening": opening["night"].isoformat() if opening else None,
        "parts": hashes,
        "frozen": frozen_hash(hashes),
        "versions": versions,
        "council": store.settings.council.name,
        "follows": writer.records[-1].hash if writer.records else "",
        "has_receipts_in_pack": True,
        **why,
    }
    pack = store.settings.outputs_dir / period / pack_name(version)
    if any((pack / RECEIPTS).glob("*.json")):
        raise StoreError(
            f"{pack} holds receipts of a freeze that the journal knows nothing of: nothing was frozen over it.",
            "See what is missing: ehcp signoff verify; then restore the database from a backup.",
        )
    save_rows(writer.connection, period, version, rows)
    with publish.writing(store.settings.outputs_dir, period, pack.name) as folder:
        files = write_pack(folder, rows, facts, now)
    return writer.add(FROZEN, now, facts | {"files": files})


def _without(rows: pd.DataFrame, erased: set[str]) -> pd.DataFrame:
    """The rows without those that were erased: a restatement does not bring them back."""
    return rows[~rows["hash"].isin(erased)].reset_index(drop=True)


def _read_parts(store: Store, night: date, period: str, moment: datetime, is_shown: bool) -> dict[str, pd.DataFrame]:
    """The parts that history can give again. `is_shown`: without what an adoption has closed; what people did after `moment` is left aside."""
    with store.reading() as connection:

        def known(name: str) -> pd.DataFrame:
            frame = read_known(connection, name, night)
            return shown(connection, frame) if is_shown else frame

        register, exceptions, members = known("register"), known("exceptions"), known("kpi_members")
        feeds = read_nightly(connection, "run_feeds", night)
        nights = store.nights(date(*month_of(period), 1), night)
        every = pd.concat([read_nightly(connection, "run_feeds", day).assign(night=day) for day in nights])
        events = read_events(connection, kinds=OF_PEOPLE, night=night)
        let_through = feed_acceptances(connection)
        figures = read_nightly(connection, "kpi_values", night)
    events = events[(events["night"] <= pd.Timestamp(night)) & ~(events["at"] > moment)]
    first = pd.Timestamp(date(*month_of(period), 1), tz=LONDON)
    let_through = let_through[(let_through["at"] >= first) & (let_through["at"] <= moment)]
    return {
        "register": register_part(register),
        "exceptions": exceptions_part(exceptions, register),
        "kpi_values": figures.drop(columns=["run_id"], errors="ignore"),
        "kpi_members": members_part(members, register, TELLING),
        "acceptances": _acceptances(exceptions, events, register),
        "feed_acceptances": let_through.assign(at=let_through["at"].dt.strftime("%Y-%m-%d %H:%M UTC")).drop_duplicates(
            ["system", "feed", "sha256"], keep="last"
        ),
        "sources": sources_part(feeds, every),
        "lateness": lateness_part(every),
    }


def _acceptances(exceptions: pd.DataFrame, events: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Who accepted what until when, and who proposed it where two were needed; why is withheld of a restricted child."""
    given = acceptances(events)
    given["proposed_by"] = given["proposal"].map(events.set_index("id")["who"]).astype("str")
    accepted = exceptions.loc[exceptions["status"] == "accepted", ["exception_id", "rule", "child_id", "severity"]]
    told = accepted.join(given[["given_on", "until", "who", "proposed_by", "reason"]], on="exception_id", how="inner")
    # An acceptance's reason is evidence in words: masked as the detail of an exception is.
    masked = mask_restricted(told.rename(columns={"reason": "detail"}), register)
    return masked.rename(columns={"detail": "reason"})


def _opening(store: Store, records: list[Record], period: str) -> dict[str, Any] | None:
    """The night that the month before was frozen from, or the last one in it."""
    earlier = sorted(
        {r.facts["period"] for r in records if r.facts.get("kind") == FROZEN and r.facts["period"] < period}
    )
    if earlier:
        frozen = need_freeze(records, earlier[-1])
        night = date.fromisoformat(frozen.facts["night"])
        with store.reading() as connection:
            rows = read_rows(connection, earlier[-1], frozen.facts["version"])
        now_stands = store.newest_run(night)["run_id"]
        return {
            "night": night,
            "rules": frozen.facts["versions"].get("rules"),
            "is_recomputed": now_stands != frozen.facts["run_id"],
            "figures": part_frames(rows).get("kpi_values"),
        }
    before = store.nights(date.min, date(*month_of(period), 1) - timedelta(days=1))
    if not before:
        return None
    rules = store.newest_run(before[-1])["versions"].get("rules")
    return {"night": before[-1], "rules": rules, "is_recomputed": False, "figures": store.kpis(before[-1])}


def _moved(store: Store, opening: date, night: date) -> dict[str, pd.DataFrame]:
    """The parts that tell what moved from one night to the other, who, and why."""
    before, after = (
        set(register.loc[register["active_plan"] == "Y", "child_id"])
        for register in (store.history("register", day) for day in (opening, night))
    )
    moves, moved = moves_part(kpi_bridges(store, opening, night), before, after, RESTRICTED)
    return {"moves": moves, "moved": moved, "causes": causes_part(kpi_bridges(store, opening, night, by_cause=True))}


def _links_hash(store: Store, night: date) -> str:
    """One hash over which record was which child; the same again until somebody relinks that night."""
    with store.reading() as connection:
        links = read_known(connection, "links", night)
    lines = links["source"] + "\t" + links["source_id"] + "\t" + links["child_id"]
    return digest("\n".join(sorted(lines)))[:12]


def _changed(store: Store, frozen: Record, rules: SignoffRules) -> str:
    """What history tells otherwise than a freeze, in words; empty where it tells the same."""
    facts = frozen.facts
    night = store.night_of(date.fromisoformat(facts["known_on"]))
    if night.isoformat() != facts["night"]:
        return f"the night of {night} is nearer to the cut-off than that of {facts['night']}"
    moment = datetime.fromisoformat(facts["at"])
    with store.reading() as connection:
        kept = read_rows(connection, facts["period"], facts["version"])
    everything, told = (
        frozen_rows(_read_parts(store, night, facts["period"], moment, is_shown)) for is_shown in (False, True)
    )
    changed = changed_since(kept, everything, told)
    counts = changed.groupby("part").size()
    return ", ".join(f"{part} {counts[part]} rows" for part in OF_HISTORY if part in counts)


def _restore_pack(store: Store, writer: JournalWriter, frozen: Record, rules: SignoffRules) -> None:
    """Write a pack that is gone again, from the frozen rows, with copies of its receipts; one of whose files is there stays as it is."""
    facts = frozen.facts
    folder = pack_folder(store, frozen)
    if any((folder / name).exists() for name in facts["files"]):
        return
    rows = read_rows(writer.connection, facts["period"], facts["version"])
    with publish.writing(store.settings.outputs_dir, facts["period"], folder.name) as fresh:
        if write_pack(fresh, rows, facts, datetime.fromisoformat(facts["at"])) != facts["files"]:
            raise ConfigurationError(
                f"The pack of {facts['period']} is gone and cannot be made again as it was: rows were erased since, or the program is another.",
                f"Restore {folder} from a backup.",
            )
        places = [folder / RECEIPTS, *receipt_folders(store, rules)]
        copy_receipts(about(writer.records, frozen), places, fresh / RECEIPTS)
