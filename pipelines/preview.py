"""What a decision about a link would do, before it is applied: the newest night's road taken twice, in memory, with it and without it.

Nothing is kept. The tables are those that the newest night kept in the private store; where whereabouts would show, a restricted child's are withheld.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pandas as pd

from checks.engine import catalogue
from config.canonical import TABLES
from config.errors import ConfigurationError
from outputs.protect import mask_restricted
from pipelines.assemble import published_register
from pipelines.catalogues import titled
from pipelines.changes import relinks
from pipelines.configuration import Configuration, load_configuration
from pipelines.ingest import Ingested
from pipelines.inherit import as_followed, inherit
from pipelines.kpis import compute, measure
from pipelines.link_night import Known, link_night
from pipelines.pastday import vanished_by
from pipelines.rawstore import private_key, read_snapshot
from pipelines.road import assemble_frames, follow, judge, leave_out_sealed, read_by_figures
from pipelines.store import Store, snapshot_folder
from pipelines.store_audit import audited_until
from pipelines.store_links import earlier_exceptions, known_before

#: The lists of rows that a night has beside its tables; they are not kept, and no decision changes them.
_LISTS = {
    "set_aside": ["system", "feed", "source", "source_id", "line", "reason"],
    "unknown_codes": ["system", "feed", "column", "value", "source", "source_id", "row_id"],
    "repeated": ["system", "feed", "source", "source_id", "row_id", "line"],
    "header_changes": ["system", "feed", "reason"],
}


@dataclass(frozen=True)
class Preview:
    """What would change: `links` (record, before, after), `register` (child_id, value, before, after), `exceptions` (change, severity, rule, title,
    child_id, exception_id), `figures` (code, line, title, before, after)."""

    links: pd.DataFrame
    register: pd.DataFrame
    exceptions: pd.DataFrame
    figures: pd.DataFrame


def look_ahead(store: Store, rows: pd.DataFrame, progress: Callable[[str], None] | None = None) -> Preview:
    """What the newest night would have said had these decisions or withdrawals (`rows`, as `store_links.draft` gives them) been there.

    Raises ConfigurationError where the tables of the newest night are no longer kept.
    """
    tell = progress or (lambda _: None)
    run, night = store.newest_run(), store.night_of()
    nights = store.runs().query("status == 'complete'")["as_of"]
    earlier = [day for day in nights if day < night.isoformat()]
    configuration = load_configuration(store.settings)
    key = private_key(store.settings.private_dir)
    expectations, feeds = store.nightly("expectation_results"), store.feeds()
    sides = []
    with store.reading() as connection:
        previous = max(earlier, default=None)
        known = known_before(connection, night, pd.Timestamp(previous).date() if previous else None)
        audits = audited_until(connection, night)
        before = partial(earlier_exceptions, connection, known, night=night)
        for words, decisions in (
            ("as it is", known.decisions),
            ("with the decision", pd.concat([known.decisions, rows], ignore_index=True)),
        ):
            tell(f"The night of {night} {words}")
            ingested = _kept(store, run["run_id"], feeds, pd.Timestamp(night))
            said = replace(known, decisions=decisions)
            sides.append(_take(ingested, said, before, expectations, audits, night, configuration, key))
    return _differences(*sides)


def _kept(store: Store, run_id: str, feeds: pd.DataFrame, night: pd.Timestamp) -> Ingested:
    """The newest night's tables and feeds as it had them, its vanished records told by the night that last carried them."""
    folder = snapshot_folder(store.settings, run_id)
    tables = {name: read_snapshot(folder, name) for name in TABLES}
    people = tables["people"]
    if people is None:
        raise ConfigurationError(f"The tables of run {run_id} are no longer kept.", "Run the newest night again first.")
    lists = {name: pd.DataFrame(columns=columns, dtype="str") for name, columns in _LISTS.items()}
    return Ingested(tables, feeds, vanished=vanished_by(people, night), **lists)


@dataclass(frozen=True)
class _Side:
    links: pd.DataFrame
    register: pd.DataFrame
    exceptions: pd.DataFrame
    followed: pd.DataFrame
    figures: pd.DataFrame


def _take(
    ingested: Ingested,
    known: Known,
    before: Callable[[pd.DataFrame], pd.DataFrame],
    expectations: pd.DataFrame,
    audits: pd.DataFrame,
    night: Any,
    configuration: Configuration,
    key: bytes,
) -> _Side:
    day = pd.Timestamp(night)
    linked = link_night(ingested.tables, known, day, key, configuration.link_model)
    leave_out_sealed(ingested, linked.sealed)
    _, frames = assemble_frames(ingested, linked.linkage, day, configuration)
    frames["audits"] = audits
    of_children = {code: rule for code, rule in catalogue().items() if not code.startswith("SR") or code == "SR08"}
    evaluated = judge(ingested, frames, linked.linkage, day, configuration, of_children)
    known = inherit(known, linked, evaluated.findings, before(linked.events)).known
    exceptions, _ = follow(known, evaluated, ingested, frames, linked.sealed, day)
    read = read_by_figures(frames, exceptions, ingested.feeds, expectations, day, configuration)
    figures = compute(read, configuration.targets, measure(read))
    return _Side(linked.linkage.links, published_register(frames["register"], day), exceptions, known.followed, figures)


def _differences(before: _Side, after: _Side) -> Preview:
    moved = relinks(before.links, after.links)
    links = moved[["field", "before", "after"]].rename(columns={"field": "record"}).reset_index(drop=True)
    links["record"] = links["record"].str.replace(" ", ":", n=1)
    who = pd.concat([before.register, after.register])[["child_id", "is_restricted"]]
    who = who.sort_values("is_restricted").drop_duplicates("child_id", keep="last")
    registers = [
        mask_restricted(side.register.drop(columns=["is_restricted"]), who).assign(is_restricted=side.register["is_restricted"])
        for side in (before, after)
    ]  # fmt: skip
    standing = [side.exceptions[side.exceptions["status"] != "resolved"] for side in (before, after)]
    return Preview(
        links,
        _register(*registers),
        _exceptions(standing[0], standing[1], (before.followed, after.followed), who),
        _figures(before.figures, after.figures),
    )


def _register(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """The register values that differ, a row per child and value; a child that is on one side only is one row."""
    both = before.merge(after, on="child_id", how="outer", suffixes=("_before", "_after"), indicator="side")
    alone = both[both["side"] != "both"]
    on_before = (alone["side"] == "left_only").map({True: "yes", False: "no"}).astype("str")
    on_after = on_before.map({"yes": "no", "no": "yes"})
    found = [
        pd.DataFrame(
            {"child_id": alone["child_id"], "value": "on the register", "before": on_before, "after": on_after}
        )
    ]
    stays = both[both["side"] == "both"]
    for name in [name for name in before if name != "child_id" and not name.endswith("_from")]:
        old, new = _texts(stays[f"{name}_before"]), _texts(stays[f"{name}_after"])
        rows = old != new
        found.append(
            pd.DataFrame(
                {"child_id": stays.loc[rows, "child_id"], "value": name, "before": old[rows], "after": new[rows]}
            )
        )
    return pd.concat(found).sort_values(["child_id", "value"], kind="stable", ignore_index=True)


def _texts(values: pd.Series) -> pd.Series:
    if str(values.dtype).startswith("datetime64"):
        values = values.dt.strftime("%Y-%m-%d")
    return values.astype(object).where(values.notna(), "").astype("str")


def _exceptions(
    before: pd.DataFrame, after: pd.DataFrame, followed: tuple[pd.DataFrame, pd.DataFrame], who: pd.DataFrame
) -> pd.DataFrame:
    """Exceptions that would be raised, would no longer stand, or would go to another child with what people did (`followed`, before and after)."""
    one, other = before["exception_id"], after["exception_id"]
    now, then = as_followed(one, followed[1]), as_followed(other, followed[0])
    told = pd.concat(
        [
            after[~then.isin(one) & ~other.isin(now)].assign(change="raised"),
            before[~now.isin(other) & ~one.isin(then)].assign(change="no longer stands"),
            before[(now != one) & ~one.isin(other) & now.isin(other)].assign(change="goes with its child"),
            after[(then != other) & ~other.isin(one) & then.isin(one)].assign(change="comes back to its child"),
        ]
    )
    told = mask_restricted(titled(told), who)
    names = ["change", "severity", "rule", "title", "child_id", "exception_id"]
    return told[names].sort_values(["change", "rule", "child_id"], kind="stable", ignore_index=True)


def _figures(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Figures of which the value, the numerator or the denominator would be another."""
    keys = ["code", "line"]
    both = before.merge(
        after[[*keys, "numerator", "denominator", "value"]], on=keys, how="outer", suffixes=("", "_after")
    )
    sides = [
        _texts(both[f"numerator{end}"])
        + " of "
        + _texts(both[f"denominator{end}"])
        + " = "
        + _texts(both[f"value{end}"])
        for end in ("", "_after")
    ]
    told = both[[*keys, "title"]].assign(before=sides[0], after=sides[1])
    return told[told["before"] != told["after"]].reset_index(drop=True)
