"""An audit from the sample to its results: drawn, handed out, handed back, counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

import pandas as pd

from config.errors import ConfigurationError, ReturnRefusedError
from connectors.returned import read_returned
from outputs.about import About
from outputs.audit_workbook import KEY_TITLE, write_audit
from pipelines.audit import ENTRIES, audited_children, by_field, items, over_time, standing
from pipelines.handed_out import hand_out_id, keep_handed_out, read_handed_out
from pipelines.inspection import describe, sample
from pipelines.positions import position, protected
from pipelines.returns import APPLY, CURRENT_COLUMNS, changed, contested, weigh
from pipelines.store import Store
from pipelines.store_audit import add_results, add_sample, one_sample, read_audits

TITLES = {entry.key: entry.title for entry in ENTRIES}


@dataclass(frozen=True)
class Applied:
    """What a returned workbook came to: how many cells were taken, and the edits that were not (`returns.EDIT_COLUMNS`)."""

    sample_id: str
    who: str
    taken: int
    same: int
    left: pd.DataFrame
    problems: list[tuple[str, str, str]]


def draw_audit(
    store: Store,
    path: Path,
    size: int,
    seed: int,
    stratum: str | None,
    as_of: date | None,
    who: str,
    now: datetime,
    known_on: date | None = None,
) -> tuple[str, str]:
    """Draw a sample, keep it, and write its workbook; gives the sample's id and how it was drawn.

    The same day, night and seed give the same sample. Raises ConfigurationError where the file cannot be written.
    """
    from pipelines.inspection import inspectors_list

    night = store.night_of(known_on)
    day = as_of or night
    population = inspectors_list(store, day, night)
    chosen = sample(population, size, seed, stratum)
    at = position(store, day, night)
    register = protected(store, at.register, at.register).set_index("child_id").loc[chosen["child_id"]].reset_index()
    # What is the same for every restricted child says nothing, and which row it came from would say it all the same.
    secret = register["is_restricted"].fillna(False).astype(bool)
    register["placement_from"] = register["placement_from"].mask(secret)
    looked_at = items(register)
    handed = looked_at[["key"]].assign(basis=looked_at["value"], result="", note="")
    handed = handed.assign(**{f"{name}:shown": "" for name in TITLES})
    run = store.newest_run(night)["run_id"]
    sample_id = hand_out_id("audit", run, handed)
    how = describe(chosen, len(population), seed, stratum, day, night)
    about = About(store.settings.council.name, day, run, now, f"{day:%Y-%m}")
    numbers = looked_at["child_id"].map(register.set_index("child_id")["synergy_id"])
    try:
        write_audit(path, looked_at.assign(result=None, note=None, synergy_id=numbers), about, sample_id, how, ENTRIES[0].choices, TITLES)  # fmt: skip
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be written: {error.strerror}.", "Give another file.") from error
    keep_handed_out(store.settings.private_dir, sample_id, handed)
    facts = {"as_of": day, "known_on": night, "size": size, "seed": seed, "stratum": stratum, "who": who, "at": now}
    add_sample(store, sample_id, facts, looked_at)
    return sample_id, how


def apply_audit(store: Store, path: Path, who: str | None, now: datetime) -> Applied:
    """Take the results of a returned workbook. Each cell has its effect once; what somebody else has put since stands, and both are named.

    Raises ReturnRefusedError for a file that is no audit's, or that does not say whose work it is.
    """
    returned = read_returned(path, KEY_TITLE, TITLES)
    person = returned.who or (who or "")
    if not person:
        raise ReturnRefusedError(
            f"{path.name} does not say who filled it in.", "Write your name on its first sheet, or give --who."
        )
    returned.who = person
    handouts = returned.rows["handout"].unique()
    if any(not handout.startswith("audit-") for handout in handouts):
        raise ReturnRefusedError(f"{path.name} is not the workbook of an audit.", "Hand it back to the command that it came from.")  # fmt: skip
    handed = read_handed_out(store.settings.private_dir, handouts, path.name)
    for handout in handouts:
        one_sample(store, handout)
    edits = contested(weigh(changed(returned, handed, ENTRIES), _current(store, handouts)))
    taken = edits[edits["outcome"] == APPLY]
    with store.reading() as connection:
        sampled, _ = read_audits(connection)
    keyed = sampled.assign(key=sampled["child_id"] + "|" + sampled["field"], handout=sampled["sample_id"])
    rows = taken.merge(
        keyed[["handout", "key", "child_id", "field", "system"]].rename(columns={"field": "audited"}),
        on=["handout", "key"],
    )
    results = pd.DataFrame(
        {
            "sample_id": rows["handout"], "child_id": rows["child_id"], "field": rows["audited"], "system": rows["system"], "entry": rows["field"],
            "value": rows["new"],
        }
    )  # fmt: skip
    add_results(store, results, path.name, person, now)
    left = edits[~edits["outcome"].isin([APPLY, "same"])]
    return Applied(handouts[0], person, len(results), int((edits["outcome"] == "same").sum()), left, returned.problems)


def _current(store: Store, handouts: object) -> pd.DataFrame:
    """What stands of these samples now, by key and field of the workbook."""
    with store.reading() as connection:
        _, results = read_audits(connection)
    mine = results[results["sample_id"].isin(list(handouts))].sort_values("id")  # type: ignore[call-overload]
    mine = mine.drop_duplicates(["sample_id", "child_id", "field", "entry"], keep="last")
    frame = pd.DataFrame(
        {
            "key": mine["child_id"] + "|" + mine["field"], "field": mine["entry"], "value": mine["value"], "who": mine["who"], "place": mine["file"],
            "is_proposed": False,
        }
    )  # fmt: skip
    return frame[list(CURRENT_COLUMNS)].reset_index(drop=True)


def undo_audit(store: Store, file: str, who: str, now: datetime) -> int:
    """Take back what a file's results changed, each to what stood before it; gives how many cells. What has been changed since stays.

    Raises ConfigurationError where nothing of that file stands.
    """
    with store.reading() as connection:
        _, results = read_audits(connection)
    keys = ["sample_id", "child_id", "field", "entry"]
    ordered = results.sort_values("id")
    newest = ordered.drop_duplicates(keys, keep="last")
    mine = newest[newest["file"] == file]
    if mine.empty:
        raise ConfigurationError(f"No result of {file} stands.", "The files are named in: ehcp audit results --list")
    others = ordered[ordered["file"] != file].drop_duplicates(keys, keep="last")
    before = mine[[*keys, "system"]].merge(others[[*keys, "value"]], on=keys, how="left").fillna({"value": ""})
    add_results(store, before, f"undo of {file}", who, now)
    return len(before)


def _active_at(store: Store, day: pd.Timestamp) -> set[str]:
    """The children with an active plan, as the last night by the day left them."""
    register = store.register(day.date())
    return set(register.loc[register["active_plan"] == "Y", "child_id"])


def audit_results(store: Store, until: date | None = None) -> dict[str, pd.DataFrame]:
    """What the audits found, by the end of a day where one is given: ``by_field`` (the worst first), ``over_time`` by month, ``children`` audited,
    ``results`` one by one."""
    with store.reading() as connection:
        sampled, results = read_audits(connection, until)
    given = standing(results)
    done = audited_children(sampled, given)
    files = results.sort_values("id").drop_duplicates(["sample_id", "child_id", "field"], keep="last")
    listed = given.merge(files[["sample_id", "child_id", "field", "file"]], on=["sample_id", "child_id", "field"])
    return {
        "by_field": by_field(given),
        "over_time": over_time(sampled, results, partial(_active_at, store)),
        "children": done,
        "results": listed,
    }
