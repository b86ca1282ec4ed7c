"""Outputs appear whole or not at all: written beside, renamed into place, and only then the newest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.errors import StoreError

#: The end of a folder's name until everything is in it.
PARTIAL = ".partial"


@contextmanager
def writing(outputs: Path, period: str, run_id: str) -> Iterator[Path]:
    """A folder to write a run's outputs in. At the end it is renamed to ``<outputs>/<period>/<run_id>``; after an error it is removed.

    What a killed run left half-written is removed too: only one night is written at a time.
    """
    final = outputs / period / run_id
    partial = final.with_name(run_id + PARTIAL)
    try:
        for left in outputs.glob(f"*/*{PARTIAL}"):
            shutil.rmtree(left, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        shutil.rmtree(final, ignore_errors=True)
        partial.replace(final)
    except OSError as error:
        raise StoreError(
            f"The outputs cannot be written: {error.strerror}.",
            "Make room in the data directory and close open workbooks, then run again.",
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def withdrawn_on_error() -> Iterator[list[Path]]:
    """Folders that are put into the list are removed again if the night fails after all: of a night that the database does not know nothing stands."""
    published: list[Path] = []
    try:
        yield published
    except BaseException:
        for folder in published:
            shutil.rmtree(folder, ignore_errors=True)
        raise


def make_latest(outputs: Path, period: str, run_id: str) -> Path:
    """Point ``<outputs>/latest`` at a run, in one step where the system can; Windows without the right to link gets a copy.

    Raises StoreError where somebody has a file of the earlier copy open; the run's own outputs stand all the same.
    """
    latest, target = outputs / "latest", Path(period) / run_id
    fresh, old = outputs / "latest.new", outputs / "latest.old"
    try:
        _remove(fresh)
        try:
            fresh.symlink_to(target, target_is_directory=True)
        except OSError:
            shutil.copytree(outputs / target, fresh)
        try:
            fresh.replace(latest)
        except OSError:  # Windows renames nothing over a folder, nor over a link to one
            _remove(old)
            latest.replace(old)
            fresh.replace(latest)
            _remove(old)
    except OSError as error:
        raise StoreError(
            f"The night is complete, but {latest} still shows an earlier one: {error.strerror}.",
            f"Close the workbooks that are open from there and run the night again; its outputs are in {outputs / target}.",
        ) from error
    return latest


def _remove(path: Path) -> None:
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)
