"""The clock is read in the command and in the flows, and nowhere else: every figure is as at a day that is handed in."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("config", "connectors", "checks", "outputs", "pipelines")
#: Who may read it.
MAY = ("pipelines/cli.py", "pipelines/flows*.py")
#: What reads it, by the last two names. A stopwatch (perf_counter, monotonic, process_time) tells no time of day.
READS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "Timestamp.now", "Timestamp.utcnow", "Timestamp.today",
    "time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "time.strftime",
    "pendulum.now", "pendulum.today", "func.now", "func.current_date", "func.current_timestamp",
}  # fmt: skip
#: Texts that a parser of dates or a database takes for the clock.
TEXTS = {"now", "today", "CURRENT_DATE", "CURRENT_TIMESTAMP"}


def reads_of_the_clock(source: str) -> list[tuple[int, str]]:
    """Line and name of everything in a module that reads the clock."""
    tree = ast.parse(source)
    # `from datetime import datetime as dt` must not hide it.
    renamed = {
        alias.asname: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.asname
    }
    imported = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            parts = _dotted(node)
            parts[0] = renamed.get(parts[0], parts[0])
            if ".".join(parts[-2:]) in READS:
                found.append((node.lineno, ".".join(parts)))
        elif isinstance(node, ast.Call):
            name = imported.get(node.func.id, "") if isinstance(node.func, ast.Name) else ""
            if name in READS:
                found.append((node.lineno, name))
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            texts = {a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)}
            if called in ("to_datetime", "Timestamp", "datetime64", "text") and texts & TEXTS:
                found.append((node.lineno, f"{called}({(texts & TEXTS).pop()!r})"))
    return found


def _dotted(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    return [node.id if isinstance(node, ast.Name) else "?"]


def test_only_the_command_and_the_flows_read_the_clock() -> None:
    modules = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    assert len(modules) > 20
    read = [
        f"{path.relative_to(ROOT).as_posix()}:{line} {name}"
        for path in modules
        if not any(path.relative_to(ROOT).match(pattern) for pattern in MAY)
        for line, name in reads_of_the_clock(path.read_text(encoding="utf-8"))
    ]
    assert not read, "the clock is read outside the command and the flows: " + "; ".join(read)


@pytest.mark.parametrize(
    "source",
    [
        "from datetime import datetime\ndatetime.now()",
        "import datetime\nx = datetime.datetime.utcnow()",
        "import datetime as dt\nx = dt.date.today()",
        "from datetime import date as d\nx = d.today()",
        "import pandas as pd\nx = pd.Timestamp.now()",
        "import pandas as pd\nx = pd.Timestamp('now')",
        "import pandas as pd\nx = pd.to_datetime('today')",
        "import time\nx = time.time()",
        "from time import time\nx = time()",
        "from datetime import datetime\nfactory = datetime.now",
        "from sqlalchemy import func\nx = func.now()",
    ],
)
def test_every_way_of_reading_it_is_seen(source: str) -> None:
    assert reads_of_the_clock(source)


@pytest.mark.parametrize(
    "source",
    [
        "from time import perf_counter\nx = perf_counter()",
        "import time\nx = time.monotonic()",
        "def f(now):\n    return now.date()",
        "import pandas as pd\nx = pd.Timestamp('2026-10-25')",
    ],
)
def test_a_stopwatch_and_a_day_handed_in_are_fine(source: str) -> None:
    assert not reads_of_the_clock(source)
