"""An invented council: nightly extracts of three systems, with known faults and the answers beside them.

Every child in it is made up. The same seed gives the same council. All of it is generated as at the last night; an earlier night is the
same with what had not happened yet taken out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from pipelines.demo_apart import keep_apart
from pipelines.demo_council import Council
from pipelines.demo_extracts import write_extracts
from pipelines.demo_faults import plant


@dataclass(frozen=True)
class Demo:
    """The nights with their folders, oldest first, and the folder of the answers."""

    nights: list[tuple[date, Path]]
    truth: Path


def invent(
    folder: Path,
    plans: int = 600,
    nights: int = 3,
    seed: int = 1,
    *,
    end: date,
    progress: Callable[[str], None] | None = None,
) -> Demo:
    """Write the extracts of an invented council for some nights that end with `end`, and the answer key under ``truth``."""
    council = Council(plans, seed, pd.Timestamp(end))
    apart = keep_apart(council)
    planted = plant(council, nights)
    written = []
    for place in range(nights):
        night = end - timedelta(days=nights - 1 - place)
        where = folder / f"night-{night}"
        write_extracts(council, where, pd.Timestamp(night), place, nights)
        written.append((night, where))
        if progress:
            progress(str(night))
    truth = folder / "truth"
    truth.mkdir(parents=True, exist_ok=True)
    _answers(truth, council, planted, [night for night, _ in written])
    apart.to_csv(truth / "never_link.csv", index=False)
    (folder / "README.md").write_text(
        "# An invented council\n\nEvery child, school and street here is made up. One folder a night in the layout of a council's export;"
        " `truth/` says which faults were planted, which records are one child and which never are.\n",
        encoding="utf-8",
    )
    return Demo(written, truth)


def _answers(folder: Path, council: Council, planted: list[tuple[str, str, int]], nights: list[date]) -> None:
    """The key: which records are one child, and which planted fault shows on which night."""
    kids = council.children
    parts = [
        kids.loc[kids[s] != "", ["true_id", s]].set_axis(["true_id", "source_id"], axis=1).assign(system=s)
        for s in ("synergy", "capita", "liquidlogic")
    ]
    pd.concat(parts)[["true_id", "system", "source_id"]].to_csv(folder / "people.csv", index=False)
    for place, night in enumerate(nights):
        rows = [(rule, true_id, "must") for rule, true_id, first in planted if first <= place]
        pd.DataFrame(rows, columns=["rule", "true_id", "strength"]).to_csv(
            folder / f"exceptions-{night}.csv", index=False
        )
