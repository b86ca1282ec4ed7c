"""The list that inspectors ask for on the first day, and a sample of it for tracking and audit."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pandas as pd

from config.errors import ConfigurationError
from config.settings import config_file, load_yaml
from outputs.about import About, not_received
from pipelines.asking import then_of
from pipelines.configuration import versions
from pipelines.frames import look_up, small_frames
from pipelines.positions import position, protected
from pipelines.sampling import drawn
from pipelines.store import Store

#: By what a sample can be stratified.
STRATA = ("age", "need", "education", "in_authority", "residential", "whereabouts", "looked_after")


@small_frames()
def inspectors_list(store: Store, as_of: date | None = None, known_on: date | None = None) -> pd.DataFrame:
    """Every child with an active plan, one row each, with the systems' record numbers and no names; restricted ones show no whereabouts."""
    night = store.night_of(known_on)
    at = position(store, as_of or night, night)
    words = load_yaml(config_file(store.settings.config_dir, "questions.yml"))
    then = then_of(at, at.as_of, words)
    plans = then.plans.set_index("child_id")
    frame = at.register[at.register["active_plan"] == "Y"]
    child = frame["child_id"]
    columns = {"age_band": "age"} | {
        name: name
        for name in ("education", "authority", "residential", "looked_after", "is_independent", "sex_code", "ethnicity_code", "placement_started_on", "setting_type")
    }  # fmt: skip
    frame = frame.assign(**{new: look_up(child, plans[old]) for new, old in columns.items()})
    frame = frame.assign(out_of_area=frame["in_authority"].map({"N": "Y", "Y": "N"}))
    masked = protected(store, frame, frame)
    secret = masked["is_restricted"].fillna(False).astype(bool)
    for name in ("education", "authority", "is_independent", "out_of_area"):
        masked[name] = masked[name].astype("object").mask(secret, "restricted")
    return masked.drop(columns=[name for name in masked if name.endswith("_from")]).reset_index(drop=True)


def sample(children: pd.DataFrame, size: int, seed: int, stratum: str | None = None) -> pd.DataFrame:
    """A sample of an inspectors' list: the same list and seed draw the same children; see `sampling.drawn`.

    Raises ConfigurationError for a size or a stratum that the list does not have.
    """
    if stratum and stratum not in STRATA:
        raise ConfigurationError(f"A sample cannot be stratified by {stratum}.", f"It takes --by {', '.join(STRATA)}.")
    column = {"age": "age_band", "need": "need_code", "whereabouts": "whereabouts_grade"}.get(stratum or "", stratum)
    return drawn(children, size, seed, column)


def write_list(
    store: Store, path: Path, frame: pd.DataFrame, as_of: date, night: date, how: str, now: datetime
) -> None:
    """Write a list of `inspectors_list` or `sample` as a workbook. `how` says how it came about. Raises ConfigurationError where it cannot be written."""
    from outputs.inspectors_workbook import write_inspectors

    about = About(
        store.settings.council.name, as_of, store.newest_run(night)["run_id"], now, f"{as_of:%Y-%m}", not_received(store.feeds(night)), versions()
    )  # fmt: skip
    try:
        write_inspectors(path, frame, about, how)
    except OSError as error:
        raise ConfigurationError(
            f"{path} cannot be written: {error.strerror}.", "Give another file with --file."
        ) from error


def describe(frame: pd.DataFrame, population: int, seed: int, stratum: str | None, as_of: date, night: date) -> str:
    """How a sample was drawn, in words that let anybody draw it again."""
    how = f"{len(frame)} of {population} children with an active plan as at {as_of}, by what the night of {night} knew; seed {seed}"
    if not stratum:
        return f"{how}; drawn at random."
    counts = frame["stratum"].value_counts().sort_index()
    shares = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{how}; stratified by {stratum}: {shares}."
