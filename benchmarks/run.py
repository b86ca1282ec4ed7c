"""A night, stage by stage, at several sizes: seconds, peak memory, and the floor in the same run. Prints what the README quotes.

The floor is what no program could avoid: reading the same files with the fastest reader there is for each (pyarrow for CSV, calamine for
workbooks) and writing workbooks with the same cells. A night is told as so many times its floor, because a ratio travels between machines
and seconds do not.

    uv run poe bench                                  2,500 and 25,000 plans
    uv run poe bench --plans 250000 --nights 1        a whole region on one machine
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import openpyxl
import psutil
import pyarrow.csv
from python_calamine import CalamineWorkbook

from config.settings import PACKAGED
from pipelines.demo import invent

END = date(2026, 11, 24)
MB = 1024 * 1024


@dataclass(frozen=True)
class Measured:
    """One night: wall seconds of the whole command, processor seconds and peak memory (MB) of all its processes, seconds a stage."""

    seconds: float
    processor: float
    peak_mb: float
    stages: dict[str, float]


def main() -> None:
    """Invent the councils, run their nights, print one table a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plans", type=int, nargs="+", default=[2_500, 25_000])
    parser.add_argument("--nights", type=int, default=2, help="how many nights to run; the second finds a history")
    asked = parser.parse_args()
    print(f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores\n")
    for plans in asked.plans:
        with tempfile.TemporaryDirectory() as place:
            bench(Path(place), plans, asked.nights)


def bench(place: Path, plans: int, nights: int) -> None:
    """One size: the nights in order, each beside its floor."""
    council = invent(place / "council", plans=plans, nights=nights, seed=1, end=END)
    data, own = place / "data", own_rules(place / "config", plans)
    for night, extracts in council.nights:
        measured = run(data, extracts, night, own)
        outputs = (data / "outputs" / "latest").resolve()
        read, written = read_floor(extracts), write_floor(outputs, place / "floor.xlsx")
        print(
            f"{plans:,} plans, {pupils(extracts):,} pupils, night of {night}, {measured.processor:.0f} s of processor time"
        )
        print(
            f"  whole command {measured.seconds:.1f} s, peak {measured.peak_mb:,.0f} MB, database {size(data):,.0f} MB"
        )
        print("  " + ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in measured.stages.items()))
        print(f"  floor {read + written:.1f} s (reading {read:.1f}, writing the workbooks {written:.1f})")
        print(f"  ratio {measured.seconds / (read + written):.1f}\n", flush=True)


def own_rules(folder: Path, plans: int) -> Path:
    """The configuration of a council of that size: as packaged, but for the review date that looks entered in bulk.

    The packaged limit is a council's of 2,500 plans; with ten times as many, an ordinary day has more reviews than that.
    """
    rules = (PACKAGED / "rules.yml").read_text(encoding="utf-8")
    limit = max(25, 2 * plans // 200)
    folder.mkdir()
    own = re.sub(r"(bulk_review_children: \{days: )25,", rf"\g<1>{limit},", rules)
    (folder / "rules.yml").write_text(own, encoding="utf-8")
    return folder


def run(data: Path, extracts: Path, night: date, config: Path) -> Measured:
    """`ehcp run nightly` as anyone runs it, in a process of its own, with the memory of that process and its children watched."""
    # Compiled packages, as the operator's guide installs them: whoever may write beside them has them from the first night on.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"EHCP_DATA": str(data), "EHCP_CONFIG": str(config)}
    command = [sys.executable, "-c", "from pipelines.cli import main; main()"]
    began = time.perf_counter()
    process = subprocess.Popen(
        [*command, "run", "nightly", "--extracts", str(extracts), "--as-of", str(night)],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    peak = Peak(process.pid)
    code = process.wait()
    seconds = time.perf_counter() - began
    peak.stop()
    if code not in (0, 10):
        raise SystemExit(f"The night of {night} ended with {code}.")
    told = subprocess.run(
        [*command, "runs", "show", "--format", "json"], env=environment, capture_output=True, text=True, check=True
    )
    parts = {row["part"]: row["value"] for row in json.loads(told.stdout)}
    stages = {name.removeprefix("seconds: "): float(v) for name, v in parts.items() if name.startswith("seconds: ")}
    return Measured(seconds, peak.processor, peak.megabytes, stages)


class Peak:
    """Watches the memory and the processor time of a process and its children, twenty times a second."""

    def __init__(self, pid: int) -> None:
        self.megabytes, self._processor = 0.0, dict[int, float]()
        self._process, self._over = psutil.Process(pid), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()

    @property
    def processor(self) -> float:
        """Seconds of processor time that they took."""
        return sum(self._processor.values())

    def stop(self) -> None:
        """No more is watched."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.05):
            try:
                family = [self._process, *self._process.children(recursive=True)]
                used = sum(member.memory_info().rss for member in family)
                self._processor |= {member.pid: sum(member.cpu_times()[:2]) for member in family}
            except psutil.NoSuchProcess:
                continue  # a child ended between being listed and being asked
            self.megabytes = max(self.megabytes, used / MB)


def read_floor(extracts: Path) -> float:
    """Seconds to read every file of a night, everything as text, and do nothing with it."""
    began = time.perf_counter()
    for path in sorted(extracts.rglob("*.csv")):
        raw = path.read_bytes()
        encoding = "utf-8" if _is_utf8(raw) else "cp1252"
        header = raw.splitlines()[0].decode(encoding)
        delimiter = max(",;|\t", key=header.count)
        names = [name.strip('"') for name in header.split(delimiter)]
        pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(encoding=encoding),
            parse_options=pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
            convert_options=pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pyarrow.string())),
        )
    for path in sorted(extracts.rglob("*.xlsx")):
        book = CalamineWorkbook.from_path(path)
        for sheet in book.sheet_names:
            book.get_sheet_by_name(sheet).to_python()
    return time.perf_counter() - began


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def write_floor(outputs: Path, target: Path) -> float:
    """Seconds to write the cells of the night's workbooks again, without a style, with openpyxl's writer for long sheets."""
    seconds = 0.0
    for path in sorted(outputs.glob("*.xlsx")):
        source = CalamineWorkbook.from_path(path)
        sheets = {name: source.get_sheet_by_name(name).to_python() for name in source.sheet_names}
        began = time.perf_counter()
        book = openpyxl.Workbook(write_only=True)
        for name, rows in sheets.items():
            sheet = book.create_sheet(name)
            for row in rows:
                sheet.append(row)
        book.save(target)
        seconds += time.perf_counter() - began
    return seconds


def pupils(extracts: Path) -> int:
    """How many pupils the school system's extract holds."""
    with (extracts / "capita" / "students.csv").open("rb") as lines:
        return sum(1 for _ in lines) - 1


def size(data: Path) -> float:
    """The embedded database in MB."""
    return sum(path.stat().st_size for path in data.glob("*.sqlite*")) / MB


if __name__ == "__main__":
    main()
