"""The source health page of each system: what arrived, how much of it was taken, and what was not as expected.

For the analyst of that system, and made to be sent to whoever looks after the extract. It works with no network, and
it quotes file, line, column and reason, never the raw text of a row.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from outputs.about import About, system_title
from outputs.render import write_page
from outputs.wording import FEED_STATUS, in_words, titled

_TOP = 200


def write_health(
    folder: Path,
    system: str,
    feeds: pd.DataFrame,
    expectation_results: pd.DataFrame | None,
    set_aside: pd.DataFrame | None,
    unknown_codes: pd.DataFrame | None,
    new_columns: pd.DataFrame | None,
    about: About,
) -> Path:
    """Write `folder`/health-<system>.html and return its path.

    Each frame may hold every system; the rows of this one are taken (a frame without a ``system`` column is taken
    whole). `feeds` is the night's feeds frame; `expectation_results` has system, feed, expectation, column, observed,
    wanted, is_met, severity; `set_aside` has file, line, reason and may have column and row_id; `unknown_codes` has
    table, column, value, and line or source_id; `new_columns` has feed, column and may have ``what`` (new, or missing
    and informational). Frames may be None or empty. Raises OSError where the page cannot be written.
    """
    own_feeds = _of(feeds, system)
    results, aside = in_words(_of(expectation_results, system)), _of(set_aside, system)
    path = folder / f"health-{system}.html"
    met = results["is_met"].astype("boolean").fillna(False) if len(results) else pd.Series(dtype="boolean")
    write_page(
        path,
        "health.html.j2",
        about=about,
        system=system_title(system),
        feeds=[_feed(record, about) for record in own_feeds.to_dict("records")],
        unmet=_records(results[~met] if len(results) else results),
        met=_records(results[met] if len(results) else results),
        has_left_out="left_out" in own_feeds and bool(own_feeds["left_out"].fillna(0).gt(0).any()),
        stops=int((results["severity"][~met] == "stop").sum()) if len(results) else 0,
        aside_reasons=_reasons(aside),
        aside=_lines(aside),
        aside_total=len(aside),
        codes=_codes(_of(unknown_codes, system)),
        columns=_columns(_of(new_columns, system)),
    )
    return path


def _of(frame: pd.DataFrame | None, system: str) -> pd.DataFrame:
    if frame is None:
        return pd.DataFrame()
    return frame[frame["system"] == system] if "system" in frame else frame


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    text = frame.astype("object").where(frame.notna(), "")
    return [{str(name): value for name, value in record.items()} for record in text.to_dict("records")]


def _feed(record: dict[Any, Any], about: About) -> dict[str, Any]:
    rows, before = record["rows"], record["previous_rows"]
    moved = ""
    if not pd.isna(rows) and not pd.isna(before) and before:
        step = 100 * (rows - before) / before
        moved = "as before" if rows == before else f"{'+' if step > 0 else '−'}{abs(step):.1f}%"
    copies = {(missing.system, missing.feed): missing.old_copy_of for missing in about.sources_not_received}
    sha = record.get("sha256")
    return {
        **{
            name: record[name]
            for name in (
                "feed",
                "rows",
                "accepted",
                "set_aside",
                "repeated",
                "previous_rows",
                "newest_on",
                "modified_at",
            )
        },
        "left_out": record.get("left_out"),
        "file": record["file"] if isinstance(record["file"], str) else "",
        "sha": sha[:12] if isinstance(sha, str) else "",
        "status": titled(record["status"], FEED_STATUS),
        "is_accepted": not pd.isna(record["is_accepted"]) and bool(record["is_accepted"]),
        "reason": record["reason"] if isinstance(record["reason"], str) else "",
        "moved": moved,
        "old_copy_of": copies.get((record["system"], record["feed"])),
    }


def _reasons(aside: pd.DataFrame) -> list[dict[str, Any]]:
    """How many rows were set aside, by file and reason, the most first."""
    if aside.empty:
        return []
    sizes = (
        aside.assign(file=aside["file"].map(_file_name))
        .groupby(["file", "reason"], dropna=False)
        .size()
        .sort_values(ascending=False, kind="stable")
    )
    return [{"file": file, "reason": reason, "number": int(number)} for (file, reason), number in sizes.items()]


def _lines(aside: pd.DataFrame) -> list[dict[str, Any]]:
    """The first lines set aside. The raw text stays in the private store, so only these columns are read."""
    if aside.empty:
        return []
    safe = (
        aside.reindex(columns=["file", "line", "row_id", "column", "reason"])
        .sort_values(["file", "line"], kind="stable")
        .head(_TOP)
    )
    return _records(safe.assign(file=safe["file"].map(_file_name)))


def _file_name(file: object) -> str:
    """The file's name alone: where it lies is nobody's business on a page."""
    return str(file).replace("\\", "/").rsplit("/", 1)[-1] if isinstance(file, str) else ""


def _codes(codes: pd.DataFrame) -> list[dict[str, Any]]:
    """Values that no code map holds, with how often each occurs and the first line."""
    if codes.empty:
        return []
    frame = codes.reindex(columns=["feed", "table", "column", "value", "line"])
    frame["place"] = frame["feed"].astype("object").fillna(frame["table"])
    frame["value"] = frame["value"].astype("str").str.slice(0, 60)
    grouped = frame.groupby(["place", "column", "value"], dropna=False)["line"].agg(["size", "min"]).reset_index()
    sizes = grouped.rename(columns={"size": "number", "min": "line"})
    return _records(sizes.sort_values("number", ascending=False, kind="stable").head(_TOP))


def _columns(columns: pd.DataFrame) -> list[dict[str, Any]]:
    if columns.empty:
        return []
    frame = columns.reindex(columns=["feed", "column", "what"])
    return _records(frame.assign(what=frame["what"].astype("object").fillna("new")))
