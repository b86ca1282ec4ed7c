"""The pack of a frozen month: what a senior manager reads before signing, made from the frozen rows alone, so that it can be made again byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from outputs.pack_frames import PackFacts
from outputs.pack_paper import write_pack_paper
from outputs.pack_workbook import write_pack_workbook
from pipelines.chain import digest
from pipelines.freezing import part_frames

#: The hash of every frozen row, so that `verify` can name a row also where the database's own hashes were made anew.
HASHES = "row-hashes.txt"
LONDON = ZoneInfo("Europe/London")


def write_pack(folder: Path, rows: pd.DataFrame, facts: Mapping[str, Any], at: datetime) -> dict[str, str]:
    """Write the pack of a freeze into a folder; gives the SHA-256 of each file by name. `rows` are frozen rows, `facts` those of the freeze."""
    names = (
        "council",
        "period",
        "version",
        "night",
        "cut_off",
        "frozen",
        "follows",
        "parts",
        "versions",
        "run_id",
        "opening",
    )
    told = PackFacts(
        **{name: facts[name] for name in names},
        frozen_at=at.astimezone(LONDON),
        reason=facts.get("reason", ""),
        who=facts.get("who", ""),
    )
    parts = part_frames(rows)
    write_pack_paper(folder / f"pack-{told.period}.pdf", parts, told)
    write_pack_workbook(folder / f"pack-{told.period}.xlsx", parts, told)
    lines = sorted(rows["part"] + " " + rows["hash"])
    (folder / HASHES).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return {path.name: digest(path.read_bytes()) for path in sorted(folder.iterdir())}
