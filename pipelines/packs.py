"""The pack of a frozen month: what a director reads before signing, made from the frozen rows alone, so that it can be made again byte for byte."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pandas as pd

from pipelines.chain import digest

#: The hash of every frozen row, so that `verify` can name a row also where the database's own hashes were made anew.
HASHES = "row-hashes.txt"


def write_pack(folder: Path, rows: pd.DataFrame, facts: Mapping[str, Any], at: datetime) -> dict[str, str]:
    """Write the pack of a freeze into a folder; gives the SHA-256 of each file by name. `rows` are frozen rows, `facts` those of the freeze."""
    lines = sorted(rows["part"] + " " + rows["hash"])
    (folder / HASHES).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")
    return {path.name: digest(path.read_bytes()) for path in sorted(folder.iterdir())}
