"""The workbooks that people work through and hand back: `exceptions.xlsx`, one per owner, and what is remembered of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from config.settings import Settings
from outputs.about import About, system_title
from outputs.owners_workbooks import write_by_owner
from outputs.protect import mask_restricted
from outputs.workbooks import write_exceptions
from pipelines.acts import ASSIGNED, OF_PEOPLE
from pipelines.explain import SYSTEMS
from pipelines.handed_out import hand_out_id, keep_handed_out
from pipelines.store_people import read_events
from pipelines.worked import handed, what_stands, with_work

KIND = "exceptions"


def hand_out_exceptions(
    folder: Path,
    settings: Settings,
    night: Any,
    standing: pd.DataFrame,
    register: pd.DataFrame,
    about: About,
    causes: pd.DataFrame | None = None,
    volume: pd.DataFrame | None = None,
    resolved: pd.DataFrame | None = None,
    rules: pd.DataFrame | None = None,
) -> dict[str, Path]:
    """Write the exceptions of a night into a folder, with what people did so far, and keep what was handed out; gives the file of each owner.

    `standing` are the exceptions that are not resolved, with titles and ages, in the order in which to work through them; `register` says who
    is restricted; `causes` what several of them share, `volume` how many came and went, `resolved` those that went away lately, to be read,
    `rules` what became of each rule.
    """
    day = pd.Timestamp(night.night)
    events = read_events(night.connection, kinds=OF_PEOPLE)
    events = events[events["night"] <= day]
    stands = what_stands(events, standing, day)
    shown = with_records(mask_restricted(with_work(standing, stands), register), register)
    remembered = handed(shown, stands, standing["detail"])
    handout = hand_out_id(KIND, night.run_id, remembered)
    keep_handed_out(settings.private_dir, handout, remembered)
    people = to_choose_from(standing["owner"], events)
    listed = shown if resolved is None else pd.concat([shown, resolved], ignore_index=True)
    write_exceptions(
        folder / "exceptions.xlsx",
        listed,
        about,
        register,
        causes=causes,
        handout=handout,
        people=people,
        volume=volume,
        rules=rules,
    )
    return write_by_owner(folder / "by_owner", shown, about, register, handout, people)


def with_records(exceptions: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """Exceptions with, as ``source_id`` where no one system's record is at fault, the child's numbers in all of them: ``Synergy 313587, Capita 21``."""
    between = exceptions["source"].fillna("") == ""
    ids = register.drop_duplicates("child_id").set_index("child_id")
    ids = ids.reindex(exceptions.loc[between, "child_id"].unique()).reindex(columns=[f"{name}_id" for name in SYSTEMS])
    numbers = ids.set_axis([system_title(name) for name in SYSTEMS], axis=1).stack().dropna()
    told = (numbers.index.get_level_values(1) + " " + numbers.astype("str")).groupby(level=0, sort=False).agg(", ".join)
    found = exceptions["child_id"].map(told).astype("str")
    return exceptions.assign(source_id=exceptions["source_id"].mask(between & found.notna(), found))


def to_choose_from(owners: pd.Series, events: pd.DataFrame) -> list[str]:
    """Whom an exception can be given to: the teams, those it was given to before, and those who work on exceptions."""
    names = pd.concat([owners, events.loc[events["event"] == ASSIGNED, "value"], events["who"]]).dropna()
    names = names.str.strip()
    names = names[(names != "") & (names.str.len() <= 100)]
    return names.groupby(names.str.casefold()).first().sort_index().tolist()
