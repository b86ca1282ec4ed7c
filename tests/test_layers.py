"""Which room may import which: the contracts of `pyproject.toml`, held by import-linter."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
#: Libraries that take a tenth of a second or more to import.
HEAVY = {
    "pandas",
    "numpy",
    "pyarrow",
    "sqlalchemy",
    "pandera",
    "great_expectations",
    "prefect",
    "duckdb",
    "splink",
    "openpyxl",
    "pydantic",
}
CONTRACTS = {"rooms", "pipelines", "database", "prefect", "expectations", "contracts"}


def test_no_room_reaches_into_another() -> None:
    # A process of its own: import-linter reads the modules, and must not meet what other tests put in their place.
    run = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_contracts_are_still_there() -> None:
    """Loosening a layer is a decision, not a side effect."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    contracts = {contract["id"]: contract for contract in config["contracts"]}
    assert set(contracts) == CONTRACTS
    assert contracts["rooms"]["layers"] == ["pipelines", "connectors | checks | outputs", "config"]
    assert contracts["pipelines"]["exhaustive"]
    assert not any("ignore_imports" in contract for contract in contracts.values())


def test_help_loads_nothing_heavy() -> None:
    for words in (["--help"], ["run", "nightly", "--help"], ["serve", "--help"]):
        code = f"import sys\nfrom pipelines.cli import main\nmain({words!r}, standalone_mode=False)\nprint(sorted({HEAVY!r} & set(sys.modules)))"
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        assert told.stdout.splitlines()[-1] == "[]", words
