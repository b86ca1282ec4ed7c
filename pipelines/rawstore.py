"""The private store: raw extracts unchanged, under their SHA-256, and each run's canonical tables. For the owner of the process only."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

import pandas as pd

from config.errors import ExtractError, StoreError

_CHUNK = 1 << 20


def private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter (mode 0700; on Windows the permissions of the profile folder apply)."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.name == "posix":
        path.chmod(0o700)
    return path


def private_key(private_dir: Path) -> bytes:
    """The council's own key for hashes that nobody without it can try values against; made the first time. Raises StoreError."""
    path = private_folder(private_dir) / "key"
    try:
        if not path.exists():
            part = path.with_suffix(".part")
            part.write_bytes(secrets.token_bytes(32))
            if os.name == "posix":
                part.chmod(0o600)
            part.replace(path)
        return path.read_bytes()
    except OSError as error:
        raise StoreError(
            f"The key in {private_dir} cannot be used: {error.strerror}.",
            "See that the data directory can be read and written, then run again. Nothing was changed.",
        ) from error


def raw_path(private_dir: Path, sha256: str) -> Path:
    """Where the raw file with this SHA-256 is kept."""
    return private_dir / "raw" / sha256[:2] / sha256


def keep_raw(private_dir: Path, source: Path) -> str:
    """Copy a file into the raw store, once for the same content; gives the SHA-256 of what was copied. Appears whole or not at all."""
    private_folder(private_dir)
    part = private_folder(private_dir / "raw") / f"{source.name}.part"
    digest = hashlib.sha256()
    try:
        file = source.open("rb")
    except OSError as error:
        raise ExtractError(
            f"{source.name} cannot be opened: {error.strerror}.",
            "Close it elsewhere, or correct its permissions, then run again.",
        ) from error
    try:
        with file, part.open("wb") as copy:
            while piece := file.read(_CHUNK):
                digest.update(piece)
                copy.write(piece)
        target = raw_path(private_dir, digest.hexdigest())
        if not target.exists():
            private_folder(target.parent)
            if os.name == "posix":
                part.chmod(0o600)
            part.replace(target)
    except OSError as error:
        raise StoreError(
            f"{source.name} cannot be kept in the raw store: {error.strerror}.",
            "Make room in the data directory, then run again. Nothing was changed.",
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return digest.hexdigest()


def purge_raw(private_dir: Path, keep: Iterable[str], older_than: datetime) -> int:
    """Remove raw files that no night within the retention time needs; gives how many."""
    kept, gone = set(keep), 0
    for path in (private_dir / "raw").glob("*/*"):
        if path.name not in kept and path.stat().st_mtime < older_than.timestamp():
            path.unlink()
            gone += 1
    return gone


def write_snapshot(folder: Path, tables: dict[str, pd.DataFrame | None]) -> None:
    """Keep a run's canonical tables as Parquet, so that the next night can fall back on them."""
    private_folder(folder.parent)
    try:
        shutil.rmtree(folder, ignore_errors=True)
        private_folder(folder)
        for name, frame in tables.items():
            if frame is not None:
                frame.to_parquet(folder / f"{name}.parquet", index=False)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise StoreError(
            f"The tables of this night cannot be kept: {error.strerror}.",
            "Make room in the data directory, then run again. Nothing was changed.",
        ) from error


def keep_snapshot(folder: Path, tables: dict[str, pd.DataFrame | None]) -> None:
    """Keep tables that save a later question some work, whole or not at all; where they cannot be kept, the question is answered all the same."""
    part = folder.with_name(f"{folder.name}.{secrets.token_hex(4)}")
    try:
        write_snapshot(part, tables)
        part.rename(folder)
    except (StoreError, OSError):
        shutil.rmtree(part, ignore_errors=True)


def read_snapshot(folder: Path | None, name: str) -> pd.DataFrame | None:
    """A canonical table of an earlier run; None where it had none."""
    path = folder / f"{name}.parquet" if folder else None
    if path is None or not path.exists():
        return None
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        return file.read().to_pandas()
