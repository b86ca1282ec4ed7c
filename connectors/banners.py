"""Lines that a report writer leaves among the rows: totals, page breaks, aborted prints."""

from __future__ import annotations

import re

#: Anchored to the first text of the line, so that a child called Totall or a street called Page Road is none.
_BANNER = re.compile(
    r"^\W*(?:(?:grand |sub-?)?totals?\b|end of (?:report|file|data)|report (?:run|ends?|printed)|run on\b|page \d+\b"
    r"|\d+ (?:rows?|records?)\b|(?:rows?|records?) (?:selected|affected|returned|:)|continued\b)"
    r"|^\s*\*{2,}|print aborted|^\W*-{4,}\W*$",
    re.IGNORECASE,
)


def is_banner(text: str) -> bool:
    """Whether a line is a total or a banner and no row."""
    return bool(_BANNER.search(text))
