"""Code maps that are delivered as a lookup file beside the extract."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from config.errors import FeedRefusedError
from config.profiles import Feed, Profile
from connectors.grid import plain


def lookup_files(profile: Profile, folder: Path) -> dict[str, Path]:
    """The lookup file of each code map that has one in the folder; of several, the last by name."""
    found = {}
    for name, codes in profile.codes.items():
        if codes.file:
            files = sorted(folder.glob(codes.file)) if folder.is_dir() else []
            if files:
                found[name] = files[-1]
    return found


def code_map(profile: Profile, feed: Feed, name: str, folder: Path) -> dict[str, str]:
    """Their code to ours: from the lookup file where it is there, else as written in the profile. The file has the
    encoding and the delimiter of the feed unless the profile says otherwise.

    Raises `FeedRefusedError` for a lookup file that lacks its columns or cannot be read.
    """
    codes = profile.codes[name]
    path = lookup_files(profile, folder).get(name)
    if path is None or not codes.from_ or not codes.to:
        return codes.values
    try:
        text = path.read_text(encoding=codes.encoding or feed.encoding).removeprefix("\ufeff")
    except (OSError, UnicodeError, LookupError) as problem:
        raise FeedRefusedError(
            f"{path.name} (lookup of codes) cannot be read as {codes.encoding or feed.encoding}.",
            "Say its 'encoding' under 'codes' in the profile, or remove the file to use the codes written there.",
        ) from problem
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=codes.delimiter or feed.delimiter))
    header = [plain(cell) for cell in rows[0]] if rows else []
    if plain(codes.from_) not in header or plain(codes.to) not in header:
        raise FeedRefusedError(
            f"{path.name} (lookup of codes), line 1: columns '{codes.from_}' and '{codes.to}' not found.",
            "Correct the names or the 'delimiter' under 'codes' in the profile, or ask for the file with those columns.",
        )
    theirs, ours = header.index(plain(codes.from_)), header.index(plain(codes.to))
    return {
        row[theirs].strip(): row[ours].strip() for row in rows[1:] if len(row) == len(header) and row[theirs].strip()
    }
