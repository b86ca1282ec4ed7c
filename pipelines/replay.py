"""A past night again, from the raw files that were kept."""

from __future__ import annotations

import shutil
from datetime import UTC, date, datetime

import pandas as pd

from config.errors import ConfigurationError
from config.settings import Settings
from connectors.pull import Arrival
from pipelines.rawstore import private_folder, raw_path


def replay_arrivals(settings: Settings, feeds: pd.DataFrame, night: date) -> list[Arrival]:
    """The arrivals of a night as it took them. Raises ConfigurationError where a raw file is past its retention."""
    arrivals = []
    for feed in feeds.itertuples():  # a few dozen feeds
        if not isinstance(feed.sha256, str):
            arrivals.append(Arrival(feed.system, feed.feed, "missing", why=feed.reason))
            continue
        raw = raw_path(settings.private_dir, feed.sha256)
        if not raw.exists():
            raise ConfigurationError(
                f"{feed.system} {feed.feed} of {night} is no longer kept.",
                "That night cannot be replayed; choose a later one.",
            )
        folder = private_folder(settings.private_dir / "fetched" / f"replay-{night}" / feed.system)
        path = folder / feed.file
        shutil.copyfile(raw, path)
        modified = datetime.combine(feed.modified_on.date(), datetime.min.time(), UTC)
        arrivals.append(
            Arrival(feed.system, feed.feed, "arrived", path=path, modified_at=modified, size=path.stat().st_size)
        )
    return arrivals
