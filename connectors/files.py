"""Opening an extract, and refusing at once what is not what the profile says: each with what to do about it."""

from __future__ import annotations

import codecs
import re
import zipfile
import zlib
from functools import partial, reduce
from pathlib import Path

from config.errors import ExtractError, FeedRefusedError
from config.profiles import Feed

_ZIP = b"PK\x03\x04"
_OLE = b"\xd0\xcf\x11\xe0"
_GZIP = b"\x1f\x8b"
#: All cells between the first and the last are held in memory, empty ones too: about 50 bytes each.
_MOST_CELLS = 50_000_000
_ASK_AGAIN = "Ask for the extract again; the last accepted one is used until then."


def check_size(path: Path, feed: Feed) -> int:
    """The size in bytes of a file that is there, can be opened, holds something and is not larger than allowed."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            raise ExtractError(f"{path} is a folder, not a file.", "Correct 'file' in the profile.")
        with path.open("rb"):
            pass
    except FileNotFoundError as problem:
        raise ExtractError(f"{path} does not exist.", f"It vanished or never came. {_ASK_AGAIN}") from problem
    except OSError as problem:
        raise ExtractError(
            f"{path} cannot be opened: {problem.strerror or problem}.",
            "Somebody may have it open, or this account may not read it; close it or allow reading, and run again.",
        ) from problem
    if size == 0:
        raise ExtractError(f"{path.name} is empty (0 bytes).", _ASK_AGAIN)
    if size > feed.max_megabytes * 1_000_000:
        raise FeedRefusedError(
            f"{path.name} has {size / 1e6:,.0f} MB; at most {feed.max_megabytes:,.0f} MB are read (memory).",
            f"If that size is right, raise 'max_megabytes' of feed '{feed.name}' (nine times it in memory).",
        )
    return size


def read_bytes(path: Path, feed: Feed) -> bytes:
    """The content of a text extract, after the checks that tell a wrong kind of file apart."""
    check_size(path, feed)
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise ExtractError(
            f"{path} cannot be read: {problem.strerror or problem}.",
            "Somebody may have it locked, or the share went away; run again when it can be read.",
        ) from problem
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = head[:300].lower()
    if data[:4] in (_ZIP, _OLE) or (data[:2] == _GZIP and feed.kind != "xml"):
        raise FeedRefusedError(
            f"{path.name} is a workbook or an archive, and the profile says it is text ({feed.kind}).",
            "Ask for the file as CSV, or say 'format: xlsx' in the profile if it is meant to be a workbook.",
        )
    if feed.kind != "xml" and (lower.startswith((b"<!doctype html", b"<html")) or b"<html" in lower):
        raise FeedRefusedError(
            f"{path.name} is a web page, not an extract (a login page is often saved by mistake).",
            "Sign in to the source system again and renew the download.",
        )
    if not head and not data.removeprefix(codecs.BOM_UTF8).strip():
        raise ExtractError(f"{path.name} is empty (only blank lines).", _ASK_AGAIN)
    if not data.strip(b"\0"):
        raise ExtractError(f"{path.name} holds nothing but NUL bytes; it was never written out.", _ASK_AGAIN)
    return data


def check_workbook(path: Path, feed: Feed) -> None:
    """Refuses a file that is not a workbook, or one that would unpack to far more than it seems."""
    check_size(path, feed)
    with path.open("rb") as file:
        magic = file.read(4)
    if magic == _OLE:
        return
    if magic != _ZIP:
        raise FeedRefusedError(
            f"{path.name} is not a workbook: it does not begin like one (a CSV renamed to .xlsx, or a cut file).",
            "Ask for the file as a workbook, or say 'format: csv' in the profile if it is meant to be text.",
        )
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
            far = next(
                (cell for cell in map(partial(_last_cell, archive), archive.namelist()) if _cells(cell) > _MOST_CELLS),
                "",
            )
    # RuntimeError: encrypted, or a version of zip that does not exist.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as problem:
        raise FeedRefusedError(f"{path.name} is a damaged or truncated workbook ({problem}).", _ASK_AGAIN) from problem
    if unpacked > feed.max_megabytes * 4_000_000:
        raise FeedRefusedError(
            f"{path.name} unpacks to {unpacked / 1e6:,.0f} MB; at most {feed.max_megabytes * 4:,.0f} MB are read.",
            f"If that size is right, raise 'max_megabytes' of feed '{feed.name}' in its profile.",
        )
    if far:
        raise FeedRefusedError(
            f"{path.name}: a sheet reaches to cell {far}, which is {_cells(far):,} cells; at most {_MOST_CELLS:,} are read.",
            "A cell far outside the table was probably filled in by mistake: clear it, or ask for the extract again.",
        )


def _last_cell(archive: zipfile.ZipFile, name: str) -> str:
    """The last cell of a sheet as the workbook states it, such as XFD1048576; empty where it states none."""
    if not name.startswith("xl/worksheets/"):
        return ""
    with archive.open(name) as sheet:
        found = re.search(rb'<dimension ref="[A-Z]+\d+:([A-Z]+\d+)"', sheet.read(4096))
    return found[1].decode() if found else ""


def _cells(last: str) -> int:
    """How many cells a sheet has whose last one is this."""
    letters = last.rstrip("0123456789")
    columns = reduce(lambda number, letter: number * 26 + ord(letter) - 64, letters, 0)
    return columns * int(last[len(letters) :] or 0)


def utf8(data: bytes, path: Path, feed: Feed) -> bytes:
    """The text as UTF-8 without a byte order mark, from the encoding that the profile states; never guessed.

    Raises `FeedRefusedError` with the line of the first byte that does not belong to the stated encoding.
    """
    name = codecs.lookup(feed.encoding).name
    stated_16 = name.startswith(("utf-16", "utf-32"))
    marks = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
    if not stated_16:
        if data[:2] in marks or data[:2000].count(0) > len(data[:2000]) // 4:
            raise _encoding(path, f"is UTF-16, and the profile says {feed.encoding}", "encoding: utf-16")
        if data[-16:].strip(b"\0") == b"" or data.count(0) > max(50, len(data) // 100):
            line = data.count(10, 0, data.find(0)) + 1
            raise FeedRefusedError(
                f"{path.name}, line {line}: runs of NUL bytes; it was damaged on its way.", _ASK_AGAIN
            )
    if name in ("utf-8", "utf-8-sig", "ascii"):
        data = data.removeprefix(codecs.BOM_UTF8)
        if data.isascii():
            return data
        try:
            data.decode("utf-8" if name != "ascii" else "ascii")
        except UnicodeDecodeError as problem:
            line = data.count(10, 0, problem.start) + 1
            raise _encoding(
                path, f"line {line}: byte 0x{data[problem.start]:02x} is not {feed.encoding}", "encoding: cp1252", ", "
            ) from problem
        return data
    if data.startswith(codecs.BOM_UTF8) or (not stated_16 and not data.isascii() and _is_utf8(data)):
        raise _encoding(path, f"is UTF-8, and the profile says {feed.encoding}", "encoding: utf-8-sig")
    try:
        return data.decode(name).removeprefix("\ufeff").encode("utf-8")
    except UnicodeDecodeError as problem:
        line = data.count(10, 0, problem.start) + 1
        what = f"line {line}: cannot be read as {feed.encoding}"
        raise _encoding(path, what, "the encoding it has", ", ") from problem


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _encoding(path: Path, what: str, remedy: str, joint: str = " ") -> FeedRefusedError:
    return FeedRefusedError(
        f"{path.name}{joint}{what}.",
        f"Ask for the extract in the agreed encoding, or state {remedy} in the profile if it changed for good.",
    )
