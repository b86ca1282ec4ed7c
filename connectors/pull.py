"""Where the extracts of a night are: in a folder, behind an fsspec URL, or in a database.

    arrivals = find_extracts(profiles["synergy"], None, as_of, now, base=data_dir)
    path = fetch(arrivals[0], profiles["synergy"], work_folder)

A file that changed within the last `quiet_minutes` is still being written and is left to a later run of the same
night; one that came after the night's cut-off belongs to the next night. Where a pattern fits several files the
newest wins, and the others are named.
"""

from __future__ import annotations

import csv
import datetime as dt
import logging
import os
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal
from zoneinfo import ZoneInfo

from config.errors import ConfigurationError, ExtractError, FeedRefusedError
from config.profiles import Feed, Profile, Where

_CHUNK = 1 << 20
log = logging.getLogger("ehcp.pull")


@dataclass(frozen=True)
class Arrival:
    """What was found for one feed. `path` is a local file, or None when it must be fetched first (`url`) or is
    missing. `modified_at` is in UTC, `size` in bytes; `passed_over` are the names of other files that fitted the
    pattern; `why` says in words what is behind a status other than 'arrived'."""

    system: str
    feed: str
    status: Literal["arrived", "missing", "not_quiet"]
    path: Path | None = None
    modified_at: dt.datetime | None = None
    size: int | None = None
    url: str | None = None
    passed_over: tuple[str, ...] = ()
    why: str = ""
    sha256: str | None = None


@dataclass(frozen=True)
class _Found:
    name: str
    place: str
    modified_at: dt.datetime | None
    size: int | None


def find_extracts(
    profile: Profile,
    root: Path | None,
    as_of: dt.date,
    now: dt.datetime,
    base: Path | None = None,
    environ: dict[str, str] | None = None,
) -> list[Arrival]:
    """One `Arrival` for every feed of the profile.

    With `root` the files are taken from `root`/<system> as they are: somebody pointed at them, so neither the quiet
    time nor the cut-off applies. Otherwise from where the profile says; a relative folder is under `base` (the data
    directory). `now` is a moment with a time zone. A place that cannot be reached makes its feeds missing, with the
    reason; a folder given as `root` that does not exist raises `ExtractError`.
    """
    if now.tzinfo is None:
        raise ValueError("now needs a time zone")
    if root is not None:
        if not root.is_dir():
            raise ExtractError(
                f"The extracts folder {root} does not exist or is no folder.",
                "Give --extracts the folder that holds a folder per system: synergy, liquidlogic, capita, reference.",
            )
        there = _list_folder(root / profile.system)
        return [_arrival(profile, feed, there, None, now) for feed in profile.feeds.values()]
    where = profile.where
    latest = _cut_off(where, as_of)
    arrivals = []
    listing: list[_Found] | str | None = None
    for feed in profile.feeds.values():
        if feed.sql:
            arrivals.append(Arrival(profile.system, feed.name, "arrived", modified_at=_utc(now), url="sql"))
            continue
        if listing is None:
            listing = _list_place(profile, base, environ)
        found = _arrival(profile, feed, listing, where, now, latest)
        arrivals.append(found if where.folder is not None or found.status == "missing" else replace(found, path=None))
    return arrivals


def place_of(profile: Profile, base: Path | None = None) -> str:
    """Where a profile's extracts land, in words and without a password."""
    where = profile.where
    if where.folder is not None:
        return str((base or Path()) / where.folder)
    if where.url_env:
        return f"the address in environment variable {where.url_env}"
    return _without_password(where.url or "")


def _arrival(
    profile: Profile,
    feed: Feed,
    listing: list[_Found] | str,
    where: Where | None,
    now: dt.datetime,
    latest: dt.datetime | None = None,
) -> Arrival:
    if isinstance(listing, str):
        return Arrival(profile.system, feed.name, "missing", why=listing)
    patterns = feed.file or (f"{feed.name}.csv",)
    fitting = [f for f in listing if any(fnmatchcase(f.name.lower(), pattern.lower()) for pattern in patterns)]
    late = [f.name for f in fitting if latest and f.modified_at and f.modified_at > latest]
    fitting = sorted(
        (f for f in fitting if f.name not in late),
        key=lambda f: (f.modified_at or dt.datetime.min.replace(tzinfo=dt.UTC), f.name),
    )
    if not fitting:
        why = f"no file fits {' or '.join(patterns)}"
        if late:
            why = f"{late[0]} came after the cut-off and belongs to the next night"
        return Arrival(profile.system, feed.name, "missing", why=why, passed_over=tuple(late))
    newest, others = fitting[-1], tuple(f.name for f in fitting[:-1]) + tuple(late)
    arrival = Arrival(
        profile.system,
        feed.name,
        "arrived",
        path=Path(newest.place),
        modified_at=newest.modified_at,
        size=newest.size,
        url=newest.place,
        passed_over=others,
        why=f"newest of {len(fitting)} files" if len(fitting) > 1 else "",
    )
    quiet = dt.timedelta(minutes=where.quiet_minutes) if where else dt.timedelta()
    if where and newest.modified_at is None and quiet:
        return replace(arrival, why="the place gives no time of change, so the quiet time was not applied")
    if where and newest.modified_at is not None and now - newest.modified_at < quiet:
        why = f"{newest.name} changed less than {where.quiet_minutes:g} minutes ago and may still be being written"
        return replace(arrival, status="not_quiet", why=why)
    return arrival


def _cut_off(where: Where, as_of: dt.date) -> dt.datetime | None:
    if where.cut_off is None:
        return None
    moment = dt.datetime.combine(as_of + dt.timedelta(days=1), dt.time.fromisoformat(where.cut_off))
    return moment.replace(tzinfo=ZoneInfo(where.timezone)).astimezone(dt.UTC)


def _utc(moment: dt.datetime) -> dt.datetime:
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _list_folder(folder: Path) -> list[_Found] | str:
    """The files of a folder, or in words why there are none to list. The words are for everybody's pages: where the folder is stands in the log."""
    found = []
    try:
        for path in sorted(folder.iterdir()):
            try:
                stat = path.stat()
            except FileNotFoundError:  # renamed by its writer between the listing and now: a later run takes it
                continue
            if path.is_file():
                changed = dt.datetime.fromtimestamp(stat.st_mtime, dt.UTC)
                found.append(_Found(path.name, str(path), changed, stat.st_size))
    except FileNotFoundError:
        log.warning("the folder %s does not exist", folder)
        return "its folder of extracts does not exist"
    except OSError as problem:
        log.warning("the folder %s cannot be listed: %s", folder, problem.strerror or problem)
        return f"its folder of extracts cannot be listed: {problem.strerror or type(problem).__name__}"
    return found


def _list_place(profile: Profile, base: Path | None, environ: dict[str, str] | None) -> list[_Found] | str:
    where = profile.where
    if where.folder is not None:
        return _list_folder((base or Path()) / where.folder)
    filesystem, folder = _filesystem(profile, environ)
    try:
        entries = filesystem.ls(folder, detail=True, refresh=True) if filesystem.exists(folder) else None
    except _unreachable() as problem:
        log.warning("%s cannot be reached: %s", place_of(profile), type(problem).__name__)
        return f"the place of its extracts cannot be reached: {type(problem).__name__}"
    if entries is None:
        log.warning("%s does not exist", place_of(profile))
        return "the place of its extracts does not exist"
    return [
        _Found(entry["name"].rpartition("/")[2], entry["name"], _modified(filesystem, entry), entry.get("size"))
        for entry in entries
        if entry.get("type") == "file"
    ]


def _modified(filesystem: Any, entry: dict[str, Any]) -> dt.datetime | None:
    for key in ("mtime", "LastModified", "last_modified", "modified", "created"):
        value = entry.get(key)
        if isinstance(value, int | float):
            return dt.datetime.fromtimestamp(value, dt.UTC)
        if isinstance(value, dt.datetime):
            return _utc(value)
    try:
        return _utc(filesystem.modified(entry["name"]))
    except _unreachable():
        return None


def _url(profile: Profile, environ: dict[str, str] | None) -> str:
    where = profile.where
    if where.url_env:
        value = (os.environ if environ is None else environ).get(where.url_env)
        if not value:
            raise ConfigurationError(
                f"{profile.origin or profile.system}: environment variable {where.url_env} is not set.",
                f"Set it to the address where the extracts of {profile.system} are.",
            )
        return value
    if where.url:
        return where.url
    raise ConfigurationError(
        f"{profile.origin or profile.system}, where: no folder and no address.",
        "Say where the extracts land (where: {folder: ...}), or run with --extracts DIR.",
    )


def _filesystem(profile: Profile, environ: dict[str, str] | None) -> tuple[Any, str]:
    import fsspec

    try:
        return fsspec.core.url_to_fs(_url(profile, environ), **profile.where.options)
    except (ImportError, ValueError) as problem:
        raise ConfigurationError(
            f"{profile.origin or profile.system}, where: the address cannot be used ({type(problem).__name__}: "
            f"{str(problem).split('://')[0][:80]}).",
            "Correct the address; some kinds need a package (SFTP: paramiko, S3: s3fs) in this environment.",
        ) from problem
    except _unreachable() as problem:
        log.warning("%s cannot be reached: %s", place_of(profile), type(problem).__name__)
        raise ExtractError(
            f"the place of the extracts of {profile.system} cannot be reached: {type(problem).__name__}.",
            "Look whether the server and the network are up and the account is right; the next run tries again.",
        ) from problem


def _unreachable() -> tuple[type[BaseException], ...]:
    """What a far place raises when it is not there; SFTP has a family of its own."""
    paramiko = sys.modules.get("paramiko")
    return (OSError, EOFError, NotImplementedError) + ((paramiko.SSHException,) if paramiko else ())


def _without_password(url: str) -> str:
    scheme, mark, rest = url.partition("://")
    return f"{scheme}{mark}{rest.rpartition('@')[2].partition('?')[0]}"


def fetch(arrival: Arrival, profile: Profile, folder: Path, environ: dict[str, str] | None = None) -> Path:
    """The extract as a local file: itself when it is one, else a copy in `folder`, whole or not there at all.

    The answer of a query becomes ``<feed>.csv`` (UTF-8, comma, dates as yyyy-mm-dd). Raises `ExtractError` when the
    place cannot be reached or the file changes while it is copied, `FeedRefusedError` when it is larger than allowed.
    """
    feed = profile.feeds[arrival.feed]
    if arrival.path is not None:
        return arrival.path
    folder.mkdir(parents=True, exist_ok=True)
    if feed.sql:
        return _query(profile, feed, folder / f"{feed.name}.csv", environ)
    if arrival.url is None:
        raise ExtractError(f"{profile.system}: no extract of '{feed.name}' ({arrival.why}).", "Ask for the extract.")
    target = folder / arrival.url.rstrip("/").rpartition("/")[2]
    filesystem, _ = _filesystem(profile, environ)
    part = target.with_name(target.name + ".part")
    try:
        with filesystem.open(arrival.url, "rb") as source, part.open("wb") as copy:
            copied = _copy(source, copy, feed, target.name)
    except _unreachable() as problem:
        part.unlink(missing_ok=True)
        log.warning("%s could not be fetched from %s", target.name, place_of(profile))
        raise ExtractError(
            f"{target.name} could not be fetched: {type(problem).__name__}.",
            "Look whether the server and the network are up; nothing was kept of it, and the next run tries again.",
        ) from problem
    except FeedRefusedError:
        part.unlink(missing_ok=True)
        raise
    if arrival.size is not None and copied != arrival.size:
        part.unlink(missing_ok=True)
        raise ExtractError(
            f"{target.name} changed while it was fetched ({arrival.size:,} bytes before, {copied:,} now).",
            "It is still being written; the next run takes it when it is quiet.",
        )
    part.replace(target)
    if arrival.modified_at is not None:
        os.utime(target, (arrival.modified_at.timestamp(),) * 2)
    return target


def fetch_lookups(profile: Profile, folder: Path, environ: dict[str, str] | None = None) -> None:
    """Copies the lookup files of a far place's code maps into `folder`, so that they lie beside the extracts."""
    patterns = [codes.file for codes in profile.codes.values() if codes.file]
    if not patterns or profile.where.folder is not None or any(feed.sql for feed in profile.feeds.values()):
        return
    listing = _list_place(profile, None, environ)
    feed = next(iter(profile.feeds.values()))
    for found in listing if isinstance(listing, list) else []:
        if any(fnmatchcase(found.name.lower(), pattern.lower()) for pattern in patterns):
            lookup = Arrival(profile.system, feed.name, "arrived", url=found.place, size=found.size)
            fetch(lookup, profile, folder, environ)


def _copy(source: Any, copy: Any, feed: Feed, name: str) -> int:
    copied = 0
    while chunk := source.read(_CHUNK):
        copied += len(chunk)
        if copied > feed.max_megabytes * 1_000_000:
            raise FeedRefusedError(
                f"{name} has more than {feed.max_megabytes:,.0f} MB; it was not fetched further.",
                f"If that size is right, raise 'max_megabytes' of feed '{feed.name}' in its profile.",
            )
        copy.write(chunk)
    return copied


def _query(profile: Profile, feed: Feed, target: Path, environ: dict[str, str] | None) -> Path:
    """Streams the answer of a query into a CSV file."""
    import sqlalchemy as sa

    part = target.with_name(target.name + ".part")
    try:
        engine = sa.create_engine(_url(profile, environ))
        with engine.connect().execution_options(stream_results=True, yield_per=5000) as connection:
            answer = connection.execute(sa.text(feed.sql or ""))
            with part.open("w", encoding="utf-8", newline="") as file:
                writer = csv.writer(file)
                writer.writerow(answer.keys())
                for rows in answer.partitions():
                    writer.writerows(_texts(rows))
                    if file.tell() > feed.max_megabytes * 1_000_000:
                        raise FeedRefusedError(
                            f"The query of feed '{feed.name}' gives more than {feed.max_megabytes:,.0f} MB.",
                            f"If that size is right, raise 'max_megabytes' of feed '{feed.name}' in its profile.",
                        )
    except sa.exc.ArgumentError as problem:
        raise ConfigurationError(
            f"{profile.origin or profile.system}, where: not a database address.",
            "Give an SQLAlchemy address, such as postgresql+psycopg://user@host/database, in an environment variable.",
        ) from problem
    except (sa.exc.SQLAlchemyError, ImportError) as problem:
        part.unlink(missing_ok=True)
        reason = type(getattr(problem, "orig", None) or problem).__name__
        raise ExtractError(
            f"The query of feed '{feed.name}' of {profile.system} failed: {reason}.",
            "Look whether the database is up, the account may read it and the query in the profile still fits.",
        ) from problem
    except FeedRefusedError:
        part.unlink(missing_ok=True)
        raise
    finally:
        if "engine" in locals():
            engine.dispose()
    part.replace(target)
    return target


def _texts(rows: Iterable[Any]) -> list[list[str]]:
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, dt.datetime):
        return value.date().isoformat() if value.time() == dt.time() else value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
