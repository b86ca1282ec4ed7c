"""What audits found, kept: samples with what is to be looked at, and results that are only ever added."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pandas as pd
from sqlalchemy import Connection, insert, select

from config.errors import ConfigurationError
from pipelines import tables as t
from pipelines.audit import RESULT_COLUMNS, audited_children, standing
from pipelines.database import read_frame
from pipelines.history import shown
from pipelines.store import Store

SAMPLE_COLUMNS = ("sample_id", "as_of", "known_on", "size", "seed", "stratum", "who", "at")
_ITEMS = ["sample_id", "child_id", "field", "system"]


def add_sample(store: Store, sample_id: str, facts: dict[str, Any], items: pd.DataFrame) -> bool:
    """Keep a sample and its items (child_id, field, system); gives False where it is there already."""
    with store.writing() as connection:
        if connection.scalar(select(t.audit_samples.c.sample_id).where(t.audit_samples.c.sample_id == sample_id)):
            return False
        connection.execute(insert(t.audit_samples), {"sample_id": sample_id, **facts})
        rows = items[["child_id", "field", "system"]].assign(sample_id=sample_id).to_dict("records")
        connection.execute(insert(t.audit_items), rows)
    return True


def add_results(store: Store, results: pd.DataFrame, file: str, who: str, at: datetime) -> None:
    """Append results: sample_id, child_id, field, system, entry (result or note), value. All or none."""
    rows = results.assign(file=file, who=who).to_dict("records")
    if rows:
        with store.writing() as connection:
            connection.execute(insert(t.audit_results), [row | {"at": at} for row in rows])


def read_samples(store: Store) -> pd.DataFrame:
    """Every sample, newest first."""
    table = t.audit_samples
    query = select(*(table.c[name] for name in SAMPLE_COLUMNS)).order_by(table.c.at.desc(), table.c.sample_id)
    with store.reading() as connection:
        return read_frame(connection, query, SAMPLE_COLUMNS)


def read_audits(connection: Connection, until: date | None = None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The items of all samples and all results (by the end of the day `until`), without what an adoption closed."""
    items, results = t.audit_items, t.audit_results
    of_items = read_frame(connection, select(*(items.c[name] for name in _ITEMS)), _ITEMS)
    query = select(*(results.c[name] for name in RESULT_COLUMNS)).order_by(results.c.id)
    of_results = read_frame(connection, query, RESULT_COLUMNS)
    of_results["at"] = pd.to_datetime(of_results["at"], utc=True)
    if until is not None:
        of_results = of_results[of_results["at"] < pd.Timestamp(until, tz="UTC") + pd.Timedelta(days=1)]
    texts = dict.fromkeys(("sample_id", "child_id", "field", "system"), "str")
    return shown(connection, of_items.astype(texts)), shown(connection, of_results.astype(texts))


def audited_until(connection: Connection, day: date) -> pd.DataFrame:
    """The children audited by the end of a day: see `audit.audited_children`."""
    sampled, results = read_audits(connection, day)
    return audited_children(sampled, standing(results))


def one_sample(store: Store, sample_id: str) -> pd.Series:
    """A sample by its id. Raises ConfigurationError where there is none."""
    samples = read_samples(store)
    found = samples[samples["sample_id"] == sample_id]
    if found.empty:
        raise ConfigurationError(f"There is no audit sample {sample_id}.", "See them with: ehcp audit results")
    return found.iloc[0]
