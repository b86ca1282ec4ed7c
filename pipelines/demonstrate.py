"""An invented council with its nights run, in one step: what `ehcp demo`, the notebooks and worked examples start from."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from config.errors import ConfigurationError
from config.settings import Settings, load_settings
from pipelines.demo import Demo, invent
from pipelines.run import run_night
from pipelines.store import Store

END = date(2026, 10, 27)


def demo_store(data_dir: Path, plans: int = 200, nights: int = 2, seed: int = 1, end: date = END) -> Store:
    """The store of an invented council in `data_dir`: made there the first time (some seconds), only opened afterwards.

    It always uses the packaged configuration and a database of its own in `data_dir`, never the council's, so that
    invented children cannot get among real ones. Raises EhcpError as a night does.
    """
    settings = load_settings({"EHCP_DATA": str(data_dir)})
    store = Store(settings)
    done = {str(day) for day in store.runs()["as_of"]} if (data_dir / "ehcp.sqlite").exists() else set()
    wanted = {str(end - timedelta(days=back)) for back in range(nights)}
    if not wanted <= done:
        council = invent(data_dir / "demo", plans=plans, nights=nights, seed=seed, end=end)
        for night, extracts in council.nights:
            after = datetime.combine(night + timedelta(days=1), time(6), tzinfo=UTC)
            run_night(settings, night, extracts=extracts, now=after)
    return store


def demonstration(
    settings: Settings, plans: int, nights: int, seed: int, end: date | None, yesterday: date
) -> tuple[Demo, set[date]]:
    """The invented council of `ehcp demo` in the data directory, and those of its nights that have been run there already.

    A demonstration of the same size and seed is found again, with the end it had; one that stopped half-way goes on. Without `end` a new one
    ends `yesterday`. Raises ConfigurationError where nights stand that it did not invent: a real council's, or another demonstration's.
    """
    store = Store(settings)
    runs = store.runs()
    done = {date.fromisoformat(str(day)[:10]) for day in runs.loc[runs["status"] == "complete", "as_of"]}
    note = settings.data_dir / "demo" / "invented.json"
    had = json.loads(note.read_text(encoding="utf-8")) if note.exists() and done else {}
    last = end or date.fromisoformat(had.get("end", str(yesterday)))
    wish = {"plans": plans, "nights": nights, "seed": seed, "end": str(last)}
    invented = {last - timedelta(days=back) for back in range(nights)}
    if done and (had != wish or not done <= invented):
        raise ConfigurationError(
            f"{settings.data_dir} holds nights that are not of this demonstration; invented children must not get among them.",
            "Set EHCP_DATA to an empty folder and run ehcp demo again.",
        )
    if done == invented:
        folder = settings.data_dir / "demo"
        return Demo([(night, folder / f"night-{night}") for night in sorted(done)], folder / "truth"), done
    council = invent(settings.data_dir / "demo", plans=plans, nights=nights, seed=seed, end=last)
    note.write_text(json.dumps(wish), encoding="utf-8")
    return council, done
