"""Workbooks that people work through, at size: written, opened by LibreOffice beside a plain file of the same cells, read back and applied.

uv run python benchmarks/workbooks.py                     20,000 open exceptions
uv run python benchmarks/workbooks.py --exceptions 5000
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pandas as pd

from config.settings import Council, Settings
from outputs.about import About
from outputs.workbooks import write_exceptions
from pipelines.catalogues import rules_frame, titled
from pipelines.handed_out import read_handed_out
from pipelines.store import Store
from pipelines.store_returns import hand_in
from pipelines.worksheets import hand_out_exceptions

NIGHT, NOW = date(2026, 11, 24), datetime(2026, 11, 25, 2, tzinfo=UTC)
OWNERS = ("SEN casework", "Commissioning", "Data team", "Social care", "Admissions")


def main() -> None:
    """Draw the exceptions, time each step, print a line each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exceptions", type=int, default=20_000)
    asked = parser.parse_args()
    print(f"{platform.system()}, Python {platform.python_version()}, {os.cpu_count()} cores, {asked.exceptions:,} open")
    with tempfile.TemporaryDirectory() as place:
        bench(Path(place), asked.exceptions)


def bench(place: Path, number: int) -> None:
    """All steps at one size."""
    url = f"sqlite:///{(place / 'ehcp.sqlite').as_posix()}"
    council = Council(name="Bench", la_code="883")
    store = Store(Settings(data_dir=place, database_url=url, config_dir=None, council=council))
    exceptions = drawn(number)
    register = pd.DataFrame({"child_id": exceptions["child_id"].unique()}).assign(is_restricted=False)
    with store.night(NIGHT) as night:
        night.open_run({"application": "bench"}, NOW)
        night.save("exceptions", exceptions)
        night.save("register", register)
        standing = titled(night.aged(exceptions)).assign(
            why_first="critical; 12 days overdue", due_on=pd.Timestamp(2026, 12, 1), is_overdue=False, is_lead=True, priority=50, cause=""
        )  # fmt: skip
        about = About("Bench", NIGHT, night.run_id, NOW, "2026-11", (), {})
        began, cpu = time.perf_counter(), time.process_time()
        hand_out_exceptions(place, store.settings, night, standing, register, about)
        both, both_cpu = time.perf_counter() - began, time.process_time() - cpu
        night.close_run(0, {}, {})
    [kept] = (place / "private" / "handed_out").glob("*.parquet")
    told("exceptions.xlsx and one workbook per owner written", both, both_cpu)
    empty = standing.assign(assigned_to=None, fixed=None, accept_until=pd.NaT, accept_reason=None, note=None, so_far="")
    began, cpu = time.perf_counter(), time.process_time()
    write_exceptions(place / "again.xlsx", empty, about, register, handout=kept.stem, people=OWNERS)
    told("  exceptions.xlsx alone", time.perf_counter() - began, time.process_time() - cpu)
    plain(place / "again.xlsx", place / "plain.xlsx")
    for name in ("again.xlsx", "plain.xlsx"):
        told(f"LibreOffice opens and saves {name} ({(place / name).stat().st_size / 1e6:.1f} MB)", office(place / name))
    some = pd.Series(range(number)) % 4 == 0
    worked = empty.assign(
        note=pd.Series("rang the school", index=empty.index).where(some.to_numpy()),
        assigned_to=pd.Series("Grace", index=empty.index).where(some.shift(1, fill_value=False).to_numpy()),
    )
    write_exceptions(place / "worked.xlsx", worked, about, register, handout=kept.stem, people=OWNERS)
    assert len(read_handed_out(place / "private", [kept.stem], "x")) == number
    for what in ("read back and applied", "read back and applied again"):
        began, cpu = time.perf_counter(), time.process_time()
        [file] = hand_in(store, [place / "worked.xlsx"], NOW, who="Ada")
        told(f"{what} ({file.summary})", time.perf_counter() - began, time.process_time() - cpu)


def drawn(number: int) -> pd.DataFrame:
    """Open exceptions as a night leaves them: every rule in turn, two a child."""
    rules = rules_frame()[["rule", "severity", "kind"]]
    places = pd.Series(range(number))
    of_rule = rules.iloc[(places % len(rules)).to_numpy()].reset_index(drop=True)
    numbers = (places // 2).astype("str")
    return of_rule.assign(
        exception_id=("x" + places.astype("str").str.zfill(15)),
        child_id="C" + numbers.str.zfill(7), source="synergy", source_id=numbers, row_id=places.astype("str"), thing="", field="placement_ended_on",
        detail="the review of 2026-03-0" + (places % 9 + 1).astype("str") + " was due on 2026-05-26; nothing is recorded since then for the plan " + numbers,
        owner=[OWNERS[place % len(OWNERS)] for place in range(number)], status="open", on_old_data=False, is_backlog=False,
        first_seen_on=pd.Timestamp(2026, 11, 1), reopened_on=pd.NaT, resolved_on=pd.NaT,
    )  # fmt: skip


def plain(path: Path, copy: Path) -> None:
    """The same cells, without any look, dropdown or protection."""
    there, bare = openpyxl.load_workbook(path, read_only=True), openpyxl.Workbook(write_only=True)
    for name in there.sheetnames:
        sheet = bare.create_sheet(name)
        for row in there[name].iter_rows(values_only=True):
            sheet.append(row)
    bare.save(copy)


def office(path: Path) -> float:
    """Seconds in which LibreOffice opens a file and saves it; nothing where it is not installed."""
    program = shutil.which("libreoffice") or shutil.which("soffice")
    if program is None:
        return float("nan")
    folder = path.parent / "office"
    profile = f"-env:UserInstallation={(path.parent / 'profile').as_uri()}"
    words = [program, profile, "--headless", "--convert-to", "xlsx", "--outdir", str(folder)]
    if not folder.exists():
        openpyxl.Workbook().save(path.parent / "first.xlsx")
        subprocess.run([*words, str(path.parent / "first.xlsx")], check=True, capture_output=True)  # makes the profile
    began = time.perf_counter()
    subprocess.run([*words, str(path)], check=True, capture_output=True)
    return time.perf_counter() - began


def told(what: str, seconds: float, cpu: float | None = None) -> None:
    """One line; the seconds of this process alone tell of a busy machine."""
    print(f"{what}: {seconds:.1f} s" + (f" ({cpu:.1f} s of work)" if cpu is not None else ""), flush=True)


if __name__ == "__main__":
    main()
