"""The digest: one page a night, as HTML and text, for a folder and for an e-mail. Counts and links only; nothing in it is about one child."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap
from typing import Any

import pandas as pd

from outputs.about import About, feed_title, system_title
from outputs.render import environment
from outputs.volume_table import TOLD, account, by_severity
from outputs.wording import SEVERITY_TITLES, uk_date

#: The counts of the digest, in order.
COUNTS = ("new", "reopened", "newly_overdue", "resolved", "overdue", "number")
#: What people open from it, and what for.
LINKS = (
    ("report.html", "Look at the page"),
    ("exceptions.xlsx", "Work from the workbook"),
    ("kpis.xlsx", "Read the figures"),
)


@dataclass(frozen=True)
class Digest:
    """A subject, and the page as text and as HTML; `mark` is the same for two runs of a night that come to the same."""

    subject: str
    text: str
    html: str
    mark: str


def digest_of(
    volume: pd.DataFrame, about: About, outputs_url: str = "", systems: Iterable[str] = (), is_beside: bool = False
) -> Digest:
    """The digest of a night.

    `volume` as `pipelines.volume.volume` gives it; `about` names the night and what was not received; `outputs_url` is where people reach the folder
    of outputs; `systems` have a page on source health each. Without an address the names of the files stand for the links, and lead to them where
    the digest `is_beside` them.
    """
    rows = by_severity(volume)
    totals = {name: sum(row[name] for row in rows) for name in (*COUNTS, "backlog")}
    lines = [{"title": SEVERITY_TITLES[row["severity"]], **row} for row in rows] + [{"title": "All", **totals}]
    content: dict[str, Any] = {
        "council": about.council,
        "night": uk_date(about.as_of),
        "run_id": about.run_id,
        "heads": [TOLD[name][0] for name in COUNTS],
        "rows": [{"title": line["title"], "cells": [line[name] for name in COUNTS]} for line in lines],
        "words": "; ".join(f"{TOLD[name][0]}: {TOLD[name][1]}" for name in COUNTS) + ".",
        "backlog": totals["backlog"],
        "account": account(volume),
        "missing": _missing(about),
        "before": about.night_before,
        "links": _links(about, outputs_url, systems, is_beside),
    }
    subject = (
        f"{about.council}, {content['night']}: {totals['new']:,} new, {totals['newly_overdue']:,} newly late, "
        f"{totals['resolved']:,} resolved" + (", sources missing" if content["missing"] else "")
    )
    html = environment().get_template("digest.html.j2").render(**content)
    return Digest(subject, _text(content), html, f"{about.as_of} {_hash(content)}")


def write_digest(folder: Path, digest: Digest) -> None:
    """Write ``digest.html`` and ``digest.txt``. Raises OSError where they cannot be written."""
    (folder / "digest.html").write_bytes(digest.html.encode("utf-8"))
    (folder / "digest.txt").write_bytes(digest.text.encode("utf-8"))


def _hash(content: dict[str, Any]) -> str:
    """A short hash of what the page says, whichever run says it."""
    told = {name: part for name, part in content.items() if name not in ("run_id", "links")}
    return hashlib.sha256(json.dumps(told, default=int, sort_keys=True).encode()).hexdigest()[:16]


def _missing(about: About) -> list[str]:
    """A line a system: which of its feeds were not received. Not why: a reason may hold a path or a name."""
    feeds: dict[str, list[str]] = {}
    for missing in about.sources_not_received:
        feeds.setdefault(missing.system, []).append(feed_title(missing.feed))
    return [f"{system_title(system)}: {', '.join(names)}" for system, names in feeds.items()]


def _links(about: About, outputs_url: str, systems: Iterable[str], is_beside: bool) -> list[dict[str, str]]:
    files = {
        **dict(LINKS),
        **{f"health-{system}.html": f"See what arrived from {system_title(system)}" for system in systems},
    }
    base = f"{outputs_url}/{about.period}/{about.run_id}/" if outputs_url else ""
    is_linked = base or is_beside
    return [{"what": what, "name": name, "url": f"{base}{name}" if is_linked else ""} for name, what in files.items()]


def _text(content: dict[str, Any]) -> str:
    wide = max(len(head) for head in content["heads"]) + 2
    lines = [f"{content['council']}: exceptions of the night of {content['night']}", ""]
    lines.append(" " * 10 + "".join(f"{head:>{wide}}" for head in content["heads"]))
    lines += [f"{row['title']:<10}" + "".join(f"{cell:>{wide},}" for cell in row["cells"]) for row in content["rows"]]
    lines += ["", *wrap(content["words"], 90)]
    if content["backlog"]:
        lines += [
            "",
            f"Beside these, {content['backlog']:,} of rules that began or came out of shadow: backlog, not news.",
        ]
    lines += ["", content["account"]] if content["account"] else []
    lines += ["", *(["Not received:", *(f"  {line}" for line in content["missing"])] if content["missing"] else ["Every source was received."])]  # fmt: skip
    lines += ["", content["before"]] if content["before"] else []
    lines += ["", *(f"{link['what']}: {link['url'] or link['name']}" for link in content["links"])]
    return "\n".join([*lines, f"Run {content['run_id']}. Counts only: nothing here is about one child.", ""])
