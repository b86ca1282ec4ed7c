"""What years of nights cost: build time, growth of the database and the kept facts per night, and how long an answer takes at any date.

python benchmarks/history.py --plans 2500 --months 36 --folder /tmp/history
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

import pandas as pd
import sqlalchemy as sa

from config.settings import Settings, load_settings
from pipelines import run
from pipelines.answers import exceptions_known, kpis_as_of, register_as_of
from pipelines.answers_past import changes_between, kpi_bridges
from pipelines.asking import REGISTRY, ask
from pipelines.demo_history import history_nights, invent_history
from pipelines.inspection import inspectors_list
from pipelines.one_child import child_file
from pipelines.rawstore import raw_path
from pipelines.store import Store
from pipelines.tables import metadata

END = date(2026, 10, 27)
#: Commands that are timed as a whole, from the start of Python; DAY stands for a date.
COMMANDS = (
    "register --as-of DAY", "register --known-on DAY", "exceptions list --as-of DAY", "kpis --as-of DAY", "ask where-educated --as-of DAY",
    "changes --from DAY --to LAST", "inspectors list --as-of DAY",
)  # fmt: skip


def build(settings: Settings, folder: Path, plans: int, months: int, pupils_per_plan: int) -> None:
    """Run every night of the history that has not been run yet, without its workbooks and pages, which no answer reads; a line a night goes to nights.jsonl."""
    vars(run)["write_outputs"] = lambda *_: None
    store = Store(settings)
    done = set(store.runs()["as_of"])
    for night, extracts in invent_history(folder / "extracts", plans, history_nights(END, months), 1, pupils_per_plan):
        if str(night) not in done:
            began = perf_counter()
            result = run.run_night(settings, night, extracts=extracts, now=_morning_after(night))
            line = {
                "night": str(night), "exit_code": result.exit_code, "seconds": round(perf_counter() - began, 1), "database": database_bytes(store),
                "facts": facts_bytes(settings), "children": result.counts["children"],
            }  # fmt: skip
            with (folder / "nights.jsonl").open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            print(line, flush=True)
        shutil.rmtree(extracts)


def _morning_after(night: date) -> datetime:
    return datetime.combine(night + timedelta(days=1), time(6), tzinfo=UTC)


def database_bytes(store: Store) -> int:
    """The size of the database: SQLite's file with its journal, or what PostgreSQL says."""
    if store.engine.dialect.name == "sqlite":
        return sum(path.stat().st_size for path in store.settings.data_dir.glob("ehcp.sqlite*"))
    with store.reading() as connection:
        return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)


def facts_bytes(settings: Settings) -> int:
    """The size of the kept facts."""
    return sum(path.stat().st_size for path in (settings.private_dir / "facts").glob("*.parquet"))


def growth(folder: Path) -> pd.DataFrame:
    """Kilobytes that a night added to the database and to the facts: median and largest, of month ends and of nights in a row."""
    nights = pd.read_json(folder / "nights.jsonl", lines=True, dtype=False)
    gap = pd.to_datetime(nights["night"]).diff().dt.days
    kind = gap.map(lambda days: "night after night" if days == 1 else "month end").where(gap.notna())
    grown = nights[["database", "facts"]].diff() / 1000
    return grown.groupby(kind).agg(["median", "max"]).round(0)


def answers(store: Store) -> dict[str, Callable[[date], Any]]:
    """Each kind of answer as a function of a date, by the words of its command."""
    first = _nights(store)[0]
    child = store.register(first).query("active_plan == 'Y'")["child_id"].iloc[0]
    asked: dict[str, Callable[[date], Any]] = {
        "register --known-on": lambda day: register_as_of(store, None, day),
        "register --as-of": lambda day: register_as_of(store, day, None),
        "exceptions list --known-on": lambda day: exceptions_known(store, day),
        "exceptions list --as-of": lambda day: exceptions_known(store, as_of=day),
        "kpis --known-on": lambda day: kpis_as_of(store, None, day),
        "kpis --as-of": lambda day: kpis_as_of(store, day, None),
        "child --known-on": lambda day: child_file(store, child, None, day),
        "child --as-of": lambda day: child_file(store, child, day, None),
        "inspectors list --known-on": lambda day: inspectors_list(store, None, day),
        "inspectors list --as-of": lambda day: inspectors_list(store, day, None),
        "changes": lambda day: changes_between(store, first, day),
        "changes --bridges": lambda day: kpi_bridges(store, first, day),
        "changes --causes": lambda day: kpi_bridges(store, first, day, by_cause=True),
    }
    for name in REGISTRY:
        asked[f"ask {name} --known-on"] = lambda day, name=name: ask(store, name, None, day)
        asked[f"ask {name} --as-of"] = lambda day, name=name: ask(store, name, day, None)
    return asked


def _nights(store: Store) -> list[date]:
    return sorted(date.fromisoformat(night) for night in store.runs()["as_of"])


def days_asked(store: Store) -> tuple[date, date, date]:
    """Three days: soon after the first night, in the middle of a month half-way, and twenty nights ago."""
    nights = _nights(store)
    return nights[0] + timedelta(days=150), nights[len(nights) // 4] + timedelta(days=15), nights[-20]


def answer_times(store: Store) -> dict[str, tuple[float, float]]:
    """Seconds of each kind of answer, and of them the processor's, the worst of three days, in a process that has its libraries loaded."""
    return {
        name: max(_seconds(partial(ask_of, day)) for day in days_asked(store))
        for name, ask_of in answers(store).items()
    }


def command_times(settings: Settings, day: date) -> dict[str, tuple[float, float]]:
    """Seconds of whole commands, Python's start and every import included."""
    environ = {"EHCP_DATA": str(settings.data_dir), "EHCP_DATABASE_URL": settings.database_url}
    last = END.isoformat()
    found = {}
    for command in COMMANDS:
        words = command.replace("DAY", day.isoformat()).replace("LAST", last).split()
        call = partial(
            subprocess.run,
            [sys.executable, "-c", "from pipelines.cli import main; main()", *words, "--format", "csv"],
            env=os.environ | environ, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        found[f"ehcp {command}"] = _seconds(call)
    return found


def _seconds(call: Callable[[], Any]) -> tuple[float, float]:
    """How long a call takes by the clock, and how long the processor works for it, processes that it starts included."""
    began, worked = perf_counter(), sum(os.times()[:4])
    call()
    return perf_counter() - began, sum(os.times()[:4]) - worked


def rebuild(store: Store, folder: Path, nights_back: int) -> list[str]:
    """Run a past night again from its kept raw files, and the later ones after it; gives the tables that are not the same afterwards, row for row."""
    nights = _nights(store)[-nights_back:]
    before = {**_rows(store), **_facts(store.settings)}
    extracts = folder / "again"
    for feed in store.feeds(nights[0]).dropna(subset=["sha256"]).itertuples():
        path = extracts / feed.system / feed.file
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(raw_path(store.settings.private_dir, feed.sha256), path)
    run.run_night(store.settings, nights[0], extracts=extracts, backfill=True, now=_morning_after(nights[-1]))
    shutil.rmtree(extracts)
    after = {**_rows(store), **_facts(store.settings)}
    return [name for name in before if before[name] != after[name]]


def _rows(store: Store) -> dict[str, list[str]]:
    """Every row of every table but the log of runs and the numbers of rows."""
    found = {}
    with store.reading() as connection:
        for table in metadata.sorted_tables:
            if table.name != "runs":
                columns = [column for column in table.columns if column.name not in ("id", "run_id")]
                found[table.name] = sorted(repr(tuple(row)) for row in connection.execute(sa.select(*columns)))
    return found


def _facts(settings: Settings) -> dict[str, list[str]]:
    files = (settings.private_dir / "facts").glob("*.parquet")
    return {
        f"facts/{path.stem}": sorted(map(repr, pd.read_parquet(path).itertuples(index=False, name=None)))
        for path in files
    }


def main() -> None:
    """Build what is not there, then time the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--plans", type=int, default=2500)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--pupils-per-plan", type=int, default=11)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--ask-only", action="store_true")
    parser.add_argument("--rebuild", type=int, metavar="NIGHTS", help="Run this many nights again from the raw files.")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    settings = load_settings({"EHCP_DATA": str(chosen.folder / "data"), "EHCP_DATABASE_URL": chosen.database_url})
    if not chosen.ask_only:
        build(settings, chosen.folder, chosen.plans, chosen.months, chosen.pupils_per_plan)
    store = Store(settings)
    print(growth(chosen.folder).to_string())
    answer_times(store)
    for name, (seconds, worked) in (answer_times(store) | command_times(settings, days_asked(store)[1])).items():
        print(f"{name}: {seconds:.2f} s, processor {worked:.2f} s", flush=True)
    if chosen.rebuild:
        differing = rebuild(store, chosen.folder, chosen.rebuild)
        print(f"{chosen.rebuild} nights again from the raw files:", ", ".join(differing) or "the same, row for row")


if __name__ == "__main__":
    main()
