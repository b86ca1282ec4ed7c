"""What years of nights cost: build time, growth of the database and the kept facts per night, and how long an answer takes at any date.

python benchmarks/history.py --plans 2500 --months 36 --folder /tmp/history
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from config.settings import load_settings
from pipelines.demo_history import history_nights, invent_history
from pipelines.run import run_night
from pipelines.store import Store

END = date(2026, 10, 27)


def build(folder: Path, plans: int, months: int, pupils_per_plan: int, database_url: str) -> None:
    """Run every night of the history that has not been run yet; a line a night goes to nights.jsonl."""
    settings = load_settings({"EHCP_DATA": str(folder / "data"), "EHCP_DATABASE_URL": database_url})
    nights = history_nights(END, months)
    done = set(Store(settings).runs()["as_of"])
    for night, extracts in invent_history(folder / "extracts", plans, nights, 1, pupils_per_plan):
        if str(night) in done:
            continue
        began = perf_counter()
        now = datetime.combine(night + timedelta(days=1), time(6), tzinfo=UTC)
        result = run_night(settings, night, extracts=extracts, now=now)
        shutil.rmtree(extracts)
        line = {
            "night": str(night), "exit_code": result.exit_code, "seconds": round(perf_counter() - began, 1), "database": _size(settings.data_dir, "ehcp.sqlite*"),
            "facts": _size(settings.private_dir / "facts", "*.parquet"), "children": result.counts["children"],
        }  # fmt: skip
        with (folder / "nights.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        print(line, flush=True)


def _size(folder: Path, pattern: str) -> int:
    return sum(path.stat().st_size for path in folder.glob(pattern))


def answer_times(store: Store) -> dict[str, float]:
    """Seconds of each kind of answer, the worst of three dates, in a process that has its libraries loaded."""
    from pipelines.answers import exceptions_known, kpis_as_of, register_as_of

    days = (date(2024, 3, 31), date(2025, 9, 15), END - timedelta(days=20))
    asked: dict[str, Callable[[date], Any]] = {
        "register --known-on": lambda day: register_as_of(store, None, day),
        "register --as-of": lambda day: register_as_of(store, day, None),
        "exceptions --known-on": lambda day: exceptions_known(store, day),
        "exceptions --as-of": lambda day: exceptions_known(store, as_of=day),
        "kpis --known-on": lambda day: kpis_as_of(store, None, day),
        "kpis --as-of": lambda day: kpis_as_of(store, day, None),
    }
    return {name: round(max(_timed(ask, day) for day in days), 2) for name, ask in asked.items()}


def _timed(ask: Callable[[date], Any], day: date) -> float:
    began = perf_counter()
    ask(day)
    return perf_counter() - began


def main() -> None:
    """Build what is not there, then time the answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--plans", type=int, default=2500)
    parser.add_argument("--months", type=int, default=36)
    parser.add_argument("--pupils-per-plan", type=int, default=11)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--ask-only", action="store_true")
    chosen = parser.parse_args()
    chosen.folder.mkdir(parents=True, exist_ok=True)
    if not chosen.ask_only:
        build(chosen.folder, chosen.plans, chosen.months, chosen.pupils_per_plan, chosen.database_url)
    store = Store(load_settings({"EHCP_DATA": str(chosen.folder / "data"), "EHCP_DATABASE_URL": chosen.database_url}))
    answer_times(store)
    for name, seconds in answer_times(store).items():
        print(f"{name}: {seconds} s")


if __name__ == "__main__":
    main()
