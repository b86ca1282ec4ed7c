"""What every output says about itself: whose figures, of which night, from which run, and what was not received."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

import pandas as pd

#: The systems as people call them.
SYSTEM_TITLES = {
    "synergy": "Synergy",
    "liquidlogic": "Liquidlogic",
    "capita": "Capita",
    "reference": "National reference data",
}


@dataclass(frozen=True)
class NotReceived:
    """A feed that was not accepted for this night. `old_copy_of` is the night whose copy stands in, None where there
    is none.
    """

    system: str
    feed: str
    reason: str
    old_copy_of: date | None = None

    @property
    def title(self) -> str:
        """The system and the feed, as a reader knows them."""
        return f"{system_title(self.system)}: {feed_title(self.feed)}"


@dataclass(frozen=True)
class About:
    """The facts printed on every cover and page.

    `as_of` is the night that is judged, `generated_at` the moment of writing in the council's local time, `period` the
    month as ``YYYY-MM``; `versions` names what produced the figures (application, rules, KPI definitions).
    """

    council: str
    as_of: date
    run_id: str
    generated_at: datetime
    period: str = ""
    sources_not_received: tuple[NotReceived, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    #: What a reader must know of the night before to compare with it (`outputs.figures.night_before`); empty where all arrived.
    night_before: str = ""

    @property
    def day(self) -> str:
        """The day that is judged, in words: the night's own, or another one by what that night knew."""
        is_own = self.run_id.startswith(f"{self.as_of}-")
        return f"{'night of' if is_own else 'as at'} {self.as_of.day} {self.as_of:%B %Y}"

    @property
    def has_old_data(self) -> bool:
        """Whether any figure rests on the copy of an earlier night, or on nothing."""
        return bool(self.sources_not_received)

    @property
    def missing_together(self) -> tuple[NotReceived, ...]:
        """The same, with the feeds of a system that are missing for one reason told in one line."""
        together: dict[tuple[str, str, date | None], list[str]] = {}
        for missing in self.sources_not_received:
            together.setdefault((missing.system, missing.reason, missing.old_copy_of), []).append(missing.feed)
        return tuple(
            NotReceived(system, ", ".join(names), reason, copy) for (system, reason, copy), names in together.items()
        )


def system_title(system: str) -> str:
    """``synergy`` as people write it; a system nobody named here keeps its own name with a capital."""
    return SYSTEM_TITLES.get(system, system[:1].upper() + system[1:])


def feed_title(feed: str) -> str:
    """A feed as people read it: ``missing_episodes`` is ``missing episodes``."""
    return feed.replace("_", " ")


def not_received(feeds: pd.DataFrame) -> tuple[NotReceived, ...]:
    """The feeds of a night that were not accepted, in the order given.

    `feeds` has the columns ``system``, ``feed``, ``status``, ``reason``, ``is_accepted``, and may have
    ``old_copy_of`` (the night whose copy was used; empty where there is none).
    """
    missing = feeds[~feeds["is_accepted"].astype("boolean").fillna(False)]
    copies = (
        pd.to_datetime(missing["old_copy_of"]) if "old_copy_of" in missing else pd.Series(pd.NaT, index=missing.index)
    )
    reasons = missing["reason"].fillna(missing["status"]).astype(str)
    return tuple(
        NotReceived(str(system), str(feed), reason, None if pd.isna(copy) else copy.date())
        for system, feed, reason, copy in zip(missing["system"], missing["feed"], reasons, copies, strict=True)
    )
