"""An invented council with its nights run, in one step: what the notebooks and worked examples start from."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

from config.settings import load_settings
from pipelines.demo import invent
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
