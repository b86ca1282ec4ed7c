"""A workbook that is the same bytes for the same content and time stamp: what the library dates with the clock is dated with the stamp."""

from __future__ import annotations

import re
import zipfile
from datetime import UTC, datetime
from pathlib import Path

_STAMPS = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*(</dcterms:)")


def steady_workbook(path: Path, at: datetime) -> None:
    """Write a saved workbook anew with `at` as the moment it was created and changed, and as that of every file in it."""
    moment = at.astimezone(UTC)
    stamp = moment.strftime("%Y-%m-%dT%H:%M:%SZ").encode()
    with zipfile.ZipFile(path) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members:
            info = zipfile.ZipInfo(name, moment.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            if name == "docProps/core.xml":
                content = _STAMPS.sub(rb"\g<1>" + stamp + rb"\g<2>", content)
            archive.writestr(info, content)
