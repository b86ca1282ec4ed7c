"""Outputs appear whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.errors import StoreError
from pipelines.publish import make_latest, writing


def put(outputs: Path, run_id: str, text: str) -> None:
    with writing(outputs, "2026-10", run_id) as folder:
        (folder / "report.html").write_text(text, encoding="utf-8")


def test_a_run_appears_whole_and_latest_follows(tmp_path: Path) -> None:
    for run_id in ("2026-10-25-1", "2026-10-26-1"):
        put(tmp_path, run_id, run_id)
        make_latest(tmp_path, "2026-10", run_id)
        assert (tmp_path / "latest" / "report.html").read_text(encoding="utf-8") == run_id
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-10", "latest"]


def test_a_fault_leaves_nothing_half_written(tmp_path: Path) -> None:
    put(tmp_path, "1", "whole")
    make_latest(tmp_path, "2026-10", "1")
    with pytest.raises(RuntimeError), writing(tmp_path, "2026-10", "2") as folder:
        (folder / "half.xlsx").write_bytes(b"half")
        raise RuntimeError
    assert [path.name for path in (tmp_path / "2026-10").iterdir()] == ["1"]
    assert (tmp_path / "latest" / "report.html").exists()


def test_what_a_killed_run_left_is_cleared_when_it_runs_again(tmp_path: Path) -> None:
    left = tmp_path / "2026-10" / "1.partial"
    left.mkdir(parents=True)
    (left / "half.xlsx").write_bytes(b"half")
    put(tmp_path, "1", "whole")
    assert [path.name for path in (tmp_path / "2026-10" / "1").iterdir()] == ["report.html"] and not left.exists()


def test_what_another_killed_run_left_is_cleared(tmp_path: Path) -> None:
    (tmp_path / "2026-10" / "0.partial").mkdir(parents=True)
    put(tmp_path, "1", "whole")
    assert not (tmp_path / "2026-10" / "0.partial").exists()


def test_a_full_disk_is_told_in_two_lines(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="No space"), writing(tmp_path, "2026-10", "1"):
        raise OSError(28, "No space left on device")
    assert not list((tmp_path / "2026-10").iterdir())


def test_without_the_right_to_link_latest_is_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(1314, "A required privilege is not held by the client")

    monkeypatch.setattr(Path, "symlink_to", no_links)
    for run_id in ("1", "2"):
        put(tmp_path, run_id, run_id)
        make_latest(tmp_path, "2026-10", run_id)
        assert not (tmp_path / "latest").is_symlink()
        assert (tmp_path / "latest" / "report.html").read_text(encoding="utf-8") == run_id
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-10", "latest"]


def windows(monkeypatch: pytest.MonkeyPatch, is_open: bool = False) -> None:
    """Renaming as on Windows: never over a folder or a link to one, and no folder in which a file is open."""
    rename = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if target.is_dir() or (is_open and path.name == "latest"):
            raise PermissionError(13, "Access is denied")
        return rename(path, target)

    monkeypatch.setattr(Path, "replace", replace)


def test_latest_follows_where_nothing_is_renamed_over_a_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    windows(monkeypatch)
    for run_id in ("1", "2", "3"):
        put(tmp_path, run_id, run_id)
        make_latest(tmp_path, "2026-10", run_id)
        assert (tmp_path / "latest" / "report.html").read_text(encoding="utf-8") == run_id
    assert sorted(path.name for path in tmp_path.iterdir()) == ["2026-10", "latest"]


def test_a_workbook_open_in_latest_is_told_and_the_earlier_copy_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "1", "1")
    make_latest(tmp_path, "2026-10", "1")
    put(tmp_path, "2", "2")
    windows(monkeypatch, is_open=True)
    with pytest.raises(StoreError, match="still shows an earlier one: Access is denied") as told:
        make_latest(tmp_path, "2026-10", "2")
    assert len(str(told.value).splitlines()) == 2
    assert (tmp_path / "latest" / "report.html").read_text(encoding="utf-8") == "1"
    assert (tmp_path / "2026-10" / "2" / "report.html").exists()
