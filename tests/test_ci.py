"""What CI runs is what the README tells people to run."""

from __future__ import annotations

import os
import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TESTS = "uv run pytest"


def test_ci_runs_the_readmes_own_test_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [line.strip() for block in re.findall(r"```\w*\n(.*?)```", readme, re.S) for line in block.splitlines()]
    assert any(line.split("#")[0].strip() == TESTS for line in commands), "the README names another test command"
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert TESTS in script.splitlines()
    assert "uv run --locked poe check" in script.splitlines()


def test_the_script_can_be_run() -> None:
    script = ROOT / ".ci" / "run"
    assert script.read_bytes().startswith(b"#!/usr/bin/env bash\n")
    assert os.name == "nt" or os.access(script, os.X_OK)


def test_the_tasks_are_the_ones_that_people_are_told_of() -> None:
    tasks = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["poe"]["tasks"]
    assert {"check", "test", "demo", "bench"} <= set(tasks)
    assert all(task.get("help") for task in tasks.values())
    assert tasks["check"]["sequence"] == ["lint", "format-check", "types", "layers"]
