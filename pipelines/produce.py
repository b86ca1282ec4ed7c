"""A night's outputs, all from the same frames: workbooks, the page, source health and BI files."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import wait
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from config.priority import load_priority
from config.settings import Settings, config_file, load_yaml
from outputs.about import About, not_received
from outputs.board_pack import write_board
from outputs.digest import digest_of, write_digest
from outputs.exceptions_workbook import RESOLVED_DAYS
from outputs.extracts import write_extracts
from outputs.figures import night_before
from outputs.health import write_health
from outputs.linking import linking_of
from outputs.notifications_workbook import write_notifications
from outputs.page import write_report
from outputs.page_sections import Beside
from outputs.protect import RESTRICTED, restricted_children
from outputs.star import write_star
from outputs.wording import plain_detail, with_names
from outputs.workbooks import write_kpis, write_register
from pipelines.catalogues import checked, titled
from pipelines.configuration import versions
from pipelines.ingest import Ingested
from pipelines.kpi_breakdowns import with_value
from pipelines.kpi_sources import old_sources
from pipelines.kpis import rated
from pipelines.open_figures import comparators_or_none
from pipelines.priority import causes, in_order, prioritise
from pipelines.second_process import SecondProcess
from pipelines.store_triage import with_acts
from pipelines.worksheets import hand_out_exceptions

#: What the page leads to and the second process writes.
_MEANWHILE = frozenset({"board.html", "board-pack.pdf", "register.xlsx", "kpis.xlsx"})


@dataclass(frozen=True)
class Published:
    """What a night came to, as its outputs need it.

    `register` is the published one; `exceptions` carry their ages; `volume` is `volume.volume`'s, `breakdowns` `kpi_breakdowns.broken_down`'s,
    `teams` the social care team by child id, `notified` the lines of the notification lists, `results` what became of each rule, `star` the tables for BI by name, `linking` how well the night
    linked beside the one before, `link_trend` how earlier nights did, `got_worse` what is told of that, `audits` whose plans were
    audited (`audit.audited_children`).
    """

    ingested: Ingested
    register: pd.DataFrame
    exceptions: pd.DataFrame
    volume: pd.DataFrame
    figures: pd.DataFrame
    breakdowns: pd.DataFrame
    teams: pd.Series
    notified: pd.DataFrame
    expectations: pd.DataFrame
    results: pd.DataFrame
    star: dict[str, pd.DataFrame]
    linking: pd.DataFrame
    link_trend: pd.DataFrame
    got_worse: list[str]
    audits: pd.DataFrame


def write_outputs(
    folder: Path, settings: Settings, night: Any, published: Published, now: datetime, second: SecondProcess
) -> None:
    """Write every output of a night into a folder: workbooks, pages, packs, source health and BI files, all from the same frames.

    What rests on nothing but frames is written by the second process, the rest by this one.
    """
    ingested, register, figures, volume = published.ingested, published.register, published.figures, published.volume
    expectations = published.expectations
    weights = load_priority(settings.config_dir)
    followed = titled(with_acts(night.connection, published.exceptions, night.night))
    followed = in_order(prioritise(followed, register, weights, pd.Timestamp(night.night)))
    followed = _for_people(followed, published.teams, register, ingested.tables["settings"])
    standing = followed[followed["status"] != "resolved"]
    recent = followed[(followed["status"] != "resolved") | (followed["resolved_on"] == pd.Timestamp(night.night))]
    trend, others = night.trend(), comparators_or_none(settings)
    about = About(
        settings.council.name,
        night.night,
        night.run_id,
        now.astimezone(),
        f"{night.night:%Y-%m}",
        not_received(ingested.feeds),
        versions(),
        night_before(trend, pd.Timestamp(night.night)),
    )
    rag = rated(figures, load_yaml(config_file(settings.config_dir, "kpis.yml")))
    rag = rag.assign(old_sources=old_sources(rag["code"], ingested.feeds))
    feeds = ingested.feeds.assign(modified_at=pd.to_datetime(ingested.feeds["modified_on"]))
    rules = checked(published.results)
    lately = pd.Timestamp(night.night) - pd.Timedelta(days=RESOLVED_DAYS)
    resolved = followed[followed["resolved_on"] > lately].sort_values("resolved_on", ascending=False, kind="stable")
    linking = published.linking, published.link_trend
    meanwhile = [
        second.submit(write_board, folder, rag, recent, register, expectations, trend, about, others),
        second.submit(write_register, folder / "register.xlsx", register, about),
        second.submit(write_kpis, folder / "kpis.xlsx", rag, about, trend, with_value(published.breakdowns), linking),
        second.submit(write_extracts, folder, register, standing, figures, about),
        second.submit(write_star, folder / "bi", published.star),
    ]
    try:
        owners = hand_out_exceptions(
            folder, settings, night, standing, register, about, causes(standing), volume, resolved, rules
        )
        teams = write_notifications(folder / "notifications", published.notified, about)
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
        write_digest(folder, digest_of(volume, about, settings.outputs_url, feeds["system"].unique(), is_beside=True))
        write_report(
            folder / "report.html",
            rag,
            recent,
            register.assign(setting_la_name=_authorities(register, ingested.tables["settings"])),
            feeds,
            expectations,
            trend,
            about,
            others,
            published.teams,
            volume,
            published.notified,
            _beside(folder, owners, teams),
            linking_of(*linking, pd.Timestamp(night.night), published.got_worse),
            rules,
            published.audits,
        )
    finally:
        wait(meanwhile)  # also after an error: nobody writes into the folder once it is taken away
    for written in meanwhile:
        written.result()


def _for_people(
    exceptions: pd.DataFrame, teams: pd.Series, register: pd.DataFrame, settings: pd.DataFrame | None
) -> pd.DataFrame:
    """With the social care team of the child (``team``; withheld for a restricted one, whom it could tell the area of), and with the names of settings in
    what was found (``told``) and in what several share (``cause``).
    """
    secret = register.loc[restricted_children(register), "child_id"]
    children, rules = exceptions["child_id"], exceptions["rule"]
    named = None if settings is None else settings.dropna(subset="setting_name").drop_duplicates("urn")
    names = {} if named is None else dict(zip(named["urn"], named["setting_name"], strict=True))
    told, cause = (with_names(exceptions[name], rules, names) for name in ("detail", "cause"))
    team = children.map(teams).astype("object").mask(children.isin(secret), RESTRICTED)
    return exceptions.assign(team=team, told=told, cause=plain_detail(cause))


def _beside(folder: Path, owners: Mapping[str, Path], teams: Mapping[str, Path]) -> Beside:
    """What stands in the folder, or will when the night ends, as the page leads to it."""
    named = [{name: path.relative_to(folder).as_posix() for name, path in paths.items()} for paths in (owners, teams)]
    return Beside(_MEANWHILE.union(path.name for path in folder.iterdir()), *named)


def _authorities(register: pd.DataFrame, settings: pd.DataFrame | None) -> pd.Series:
    """The name of the authority that each child's setting lies in, as the national register of establishments has it."""
    if settings is None:
        return pd.Series(pd.NA, index=register.index, dtype="str")
    return register["setting_urn"].map(settings.drop_duplicates("urn").set_index("urn")["la_name"])


def _new_columns(ingested: Ingested) -> pd.DataFrame:
    changes = ingested.header_changes
    return changes.assign(column=changes["reason"])
