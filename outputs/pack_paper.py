"""The pack of a frozen month on paper: what a senior manager reads before signing, the most telling first. Children are named by id alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from outputs import pack_frames as frames
from outputs.figures import RAG_WORDS
from outputs.pack_frames import PackFacts
from outputs.paper import Paper, PaperColumn, Tile
from outputs.wording import SEVERITY_TITLES, counted, percent, short_date, uk_date, whole

#: More rows than these are in the workbook.
_MOST = 60


def write_pack_paper(path: Path, parts: Mapping[str, pd.DataFrame], facts: PackFacts) -> None:
    """Write the pack as PDF. `parts` are the frozen parts as frames. Raises OSError where the file cannot be written."""
    paper = Paper(facts.title, facts.subtitle, facts.frozen_at)
    figures, critical, sources = frames.figures(parts), frames.critical(parts, facts.night), frames.sources(parts)
    _first_page(paper, parts, facts, figures, critical, sources)
    if facts.version > 1:
        _restated(paper, parts, facts)
    _figures(paper, figures)
    _moves(paper, parts, facts)
    _critical(paper, critical)
    _acceptances(paper, parts)
    _sources(paper, sources)
    _definitions(paper, figures)
    _proof(paper, facts)
    paper.save(path)


def _first_page(
    paper: Paper,
    parts: Mapping[str, pd.DataFrame],
    facts: PackFacts,
    figures: pd.DataFrame,
    critical: pd.DataFrame,
    sources: pd.DataFrame,
) -> None:
    caveats = frames.caveats(parts)
    blocking = int((caveats["weight"] == "block").sum())
    if blocking:
        paper.notice(
            f"{counted(blocking, 'condition')} must be put right before this month can be signed: see below.", "red"
        )
    paper.tiles(_tiles(figures, critical, sources))
    paper.heading("What you are asked")
    paper.paragraph(
        "To say that these figures are the council's figures for the month, with the caveats below. From your signature on they cannot be changed "
        "without it being seen; a correction is a restatement, and you are asked again. You may decline, and say why."
    )
    paper.heading("Before you sign", 2)
    if caveats.empty:
        paper.paragraph(
            "There is no caveat: every source was there at the cut-off, and every critical exception is explained."
        )
        return
    rows = [
        {
            "what": row["text"],
            "id": row["id"],
            "weight": (row["weight_title"], "red" if row["weight"] == "block" else "amber"),
        }
        for row in caveats.to_dict("records")
    ]
    columns = [
        PaperColumn("weight", "", 1.25, "tag"),
        PaperColumn("what", "Caveat", 4.6),
        PaperColumn("id", "Tick it as", 1.5),
    ]
    paper.table(rows, columns)


def _tiles(figures: pd.DataFrame, critical: pd.DataFrame, sources: pd.DataFrame) -> list[Tile]:
    whole_ones = figures[figures["line"] == ""].set_index("code")
    tiles = []
    for code, label in (
        ("K05", "Whereabouts not confirmed"),
        ("K01", "Plans reviewed in 12 months"),
        ("K03", "Placement known"),
    ):
        if code in whole_ones.index:
            row = whole_ones.loc[code]
            number = whole(row["numerator"]) if code == "K05" else percent(row["value"])
            before = "" if pd.isna(row["previous_value"]) else f"; last month {percent(row['previous_value'])}"
            note = f"{whole(row['numerator'])} of {whole(row['denominator'])}{before}"
            tone = {"red": "bad", "green": "good"}.get(row["rag"], "")
            tiles.append(Tile(number, label, note, tone))
    still_open = int((critical["status"] == "Open").sum())
    accepted = len(critical) - still_open
    late = int(sources["is_late"].sum())
    missed = int((sources["nights_late"].fillna(0) > 0).sum())
    tiles.append(
        Tile(
            whole(still_open),
            "Critical exceptions open",
            f"{accepted:,} more accepted or not checked",
            "bad" if still_open else "good",
        )
    )
    tiles.append(
        Tile(whole(late), "Feeds late at the cut-off", f"of {len(sources):,} feeds", "bad" if late else "good")
    )
    tiles.append(Tile(whole(missed), "Feeds late in the month", "on one night or more"))
    return tiles


def _restated(paper: Paper, parts: Mapping[str, pd.DataFrame], facts: PackFacts) -> None:
    told = frames.restated(parts)
    paper.heading("What this restatement changes")
    paper.paragraph(f"Restated by {facts.who}: {facts.reason}")
    figures = told[told["part"] == "kpi_values"]
    columns = [
        PaperColumn("key", "Figure", 2.2),
        PaperColumn("field", "What of it", 1.4),
        PaperColumn("before", "Was", 2),
        PaperColumn("after", "Is", 2),
    ]
    if len(figures):
        paper.table(_records(figures), columns, caption="Figures")
    others = told[told["part"] != "kpi_values"]
    if len(others):
        columns = [
            PaperColumn("part_title", "Part", 3),
            PaperColumn("field", "Rows that are", 2),
            PaperColumn("after", "How many", 1, "number"),
        ]
        paper.table(_records(others), columns, caption="Rows behind them")


def _figures(paper: Paper, figures: pd.DataFrame) -> None:
    paper.heading("Figures")
    paper.paragraph(
        "Each figure with how many meet it, of how many, and how many could not be judged because a date or a source was missing. What each "
        "one counts is at the end. Parts that nobody or everybody is in are in the workbook only.",
        quiet=True,
    )
    has_before = bool(figures["previous_value"].notna().any())
    is_part = figures["line"].str.contains(": ")
    figures = figures[
        ~(is_part & ((figures["numerator"] == 0) | (figures["value"] == 100)).fillna(False))
        & ~((figures["line"] != "") & (figures["denominator"] == 0) & figures["previous_value"].isna())
    ]
    rows: list[dict[str, Any]] = []
    for row in figures.to_dict("records"):
        days = row["unit"] == "days"
        shown = {name: whole(row[name]) if days else percent(row[name]) for name in ("value", "previous_value")}
        moved = "" if pd.isna(row["change"]) else f"{row['change']:+.1f}" if row["change"] else "0"
        rows.append(
            {
                "code": row["code"] if not row["line"] else "",
                "figure": row["line_title"] or row["title"],
                "is_bold": not row["line"],
                "value": shown["value"],
                "of": f"{whole(row['numerator'])} / {whole(row['denominator'])}",
                "not_judged": whole(row["not_judged"]) if row["not_judged"] else "",
                "target": "" if pd.isna(row["target"]) else f"{row['target']:g}",
                "rag": (RAG_WORDS[row["rag"]], row["rag"]) if row["rag"] else None,
                "before": shown["previous_value"],
                "change": moved,
            }
        )
    columns = [
        PaperColumn("code", "Code", 0.95),
        PaperColumn("figure", "Figure", 4.2),
        PaperColumn("value", "Value", 1.1, "number"),
        PaperColumn("of", "Meet it / of", 1.7, "number"),
        PaperColumn("not_judged", "Not judged", 1.25, "number"),
        PaperColumn("target", "Target", 1.15, "number"),
        PaperColumn("rag", "Rating", 1.2, "tag"),
    ]
    if has_before:
        columns += [
            PaperColumn("before", "Last month", 1.15, "number"),
            PaperColumn("change", "Change", 1.25, "number"),
        ]
    paper.table(_with_headings(rows, figures), columns)


def _with_headings(rows: list[dict[str, Any]], figures: pd.DataFrame) -> list[dict[str, Any]]:
    """A line with code and title above the parts of a figure that has no line of its own."""
    told: list[dict[str, Any]] = []
    whole_ones, last = set(figures.loc[figures["line"] == "", "code"]), None
    for row, code, title in zip(rows, figures["code"], figures["title"], strict=True):
        if code != last and code not in whole_ones:
            told.append({"code": code, "figure": title, "is_bold": True})
        told.append(row)
        last = code
    return told


def _moves(paper: Paper, parts: Mapping[str, pd.DataFrame], facts: PackFacts) -> None:
    paper.heading("What moved, and why")
    if not facts.opening:
        paper.paragraph("There is no earlier night to compare with.")
        return
    moves = frames.moves(parts)
    paper.paragraph(
        f"In children, from the night of {uk_date(facts.opening)} to that of {uk_date(facts.night)}: opening + joined + came - left - went = closing. Joined and left: "
        "the plan began or ended in between. Came and went: a plan at both ends, and counted otherwise. Who they are is in the workbook. What stood still is left out.",
        quiet=True,
    )
    if moves.empty:
        paper.paragraph("Nothing moved.")
        return
    told = moves.assign(
        figure=moves["code"].astype("str")
        + " "
        + moves["line_title"].where(moves["line"] != "", moves["title"]).astype("str")
    )
    numbers = [
        ("opening", "Opening"),
        ("joined", "Joined"),
        ("came", "Came"),
        ("left", "Left"),
        ("went", "Went"),
        ("closing", "Closing"),
    ]
    shown = told.assign(**{name: told[name].map(whole) for name, _ in numbers})
    columns = [PaperColumn("figure", "Figure", 4), PaperColumn("part_title", "Children who", 1.75)]
    columns += [PaperColumn(name, title, 1.3, "number") for name, title in numbers]
    paper.table(_records(shown), columns)
    columns = [
        PaperColumn("figure", "Figure", 3.2),
        PaperColumn("part_title", "Children who", 1.3),
        PaperColumn("why_in", "Joined or came", 3.4),
        PaperColumn("why_out", "Left or went", 3.4),
    ]
    paper.table(_records(shown), columns, caption="Why: in children, by what explains most of what changed for each")


def _critical(paper: Paper, critical: pd.DataFrame) -> None:
    paper.heading("Critical exceptions")
    if critical.empty:
        paper.paragraph("None stands.")
        return
    paper.paragraph(
        "A child may be unsafe or lost. Children are named by id; who they are is looked up in the systems, by those who may. Explained by: who noted, claimed or "
        "proposed to accept it last; the workbook has the ids of the exceptions.",
        quiet=True,
    )
    shown = critical.head(_MOST)
    shown = shown.assign(
        first=shown["first_seen_on"].map(short_date),
        age=shown["age_days"].map(whole),
        about=shown["rule"].astype("str") + " " + shown["title"].astype("str").fillna(""),
    )
    columns = [
        PaperColumn("child_id", "Child", 1.4),
        PaperColumn("about", "Rule", 3.2),
        PaperColumn("owner", "Owner", 2.1),
        PaperColumn("status", "Stands as", 1.5),
        PaperColumn("first", "First found", 1.75),
        PaperColumn("age", "Days", 1.0, "number"),
        PaperColumn("explained", "Explained by", 2.6),
    ]
    paper.table(_records(shown), columns)
    if len(critical) > _MOST:
        paper.paragraph(f"{len(critical) - _MOST:,} more are in the workbook.")


def _acceptances(paper: Paper, parts: Mapping[str, pd.DataFrame]) -> None:
    paper.heading("Accepted, and by whom")
    told = frames.acceptances(parts)
    if told.empty:
        paper.paragraph("No exception counts as accepted.")
    else:
        shown = told.head(_MOST)
        shown = shown.assign(
            until=shown["until"].map(short_date),
            severity=shown["severity"].map(SEVERITY_TITLES),
            by=shown["who"].astype("str").fillna("")
            + (", proposed by " + shown["proposed_by"].astype("str")).fillna(""),
        )
        columns = [
            PaperColumn("child_id", "Child", 1.45),
            PaperColumn("rule", "Rule", 0.9),
            PaperColumn("severity", "Severity", 1),
            PaperColumn("by", "Accepted by", 2.6),
            PaperColumn("until", "Until", 1.3),
            PaperColumn("reason", "Why", 3.6),
        ]
        paper.table(_records(shown), columns)
        if len(told) > _MOST:
            paper.paragraph(f"{len(told) - _MOST:,} more are in the workbook.")
    feeds = frames.let_through(parts)
    if len(feeds):
        columns = [
            PaperColumn("system", "System", 1.2),
            PaperColumn("feed", "Feed", 1.6),
            PaperColumn("who", "Let through by", 2),
            PaperColumn("at", "When", 1.8),
            PaperColumn("reason", "Why", 3.4),
        ]
        paper.table(_records(feeds), columns, caption="Feeds whose volume moved, let through by a person")


def _sources(paper: Paper, sources: pd.DataFrame) -> None:
    paper.heading("Sources")
    shown = sources[sources["is_late"] | (sources["nights_late"].fillna(0) > 0)]
    if shown.empty:
        paper.paragraph("Every expected extract was there on every night of the month.")
        return
    shown = shown.assign(
        late=shown["nights_late"].map(whole) + " of " + shown["nights"].map(whole),
        last=shown["last_late_on"].map(short_date),
        copy=shown["old_copy_of"].map(short_date),
        now=[
            (status, "red") if is_late else (status, "")
            for status, is_late in zip(shown["status_title"], shown["is_late"], strict=True)
        ],
    )
    columns = [
        PaperColumn("system_title", "System", 1.5),
        PaperColumn("feed_title", "Feed", 1.9),
        PaperColumn("now", "At the cut-off", 1.5, "tag"),
        PaperColumn("late", "Nights late", 1.2, "number"),
        PaperColumn("last", "Last late on", 1.5),
        PaperColumn("copy", "Copy used of", 1.5),
        PaperColumn("reason", "Why", 3.0),
    ]
    paper.table(_records(shown), columns)
    paper.paragraph(
        f"There on every night of the month: {len(sources) - len(shown):,} of {len(sources):,} feeds.", quiet=True
    )


def _definitions(paper: Paper, figures: pd.DataFrame) -> None:
    paper.heading("What each figure counts")
    columns = [
        PaperColumn("code", "Code", 0.7),
        PaperColumn("title", "Figure", 2.4),
        PaperColumn("definition", "Meet it / of", 5.4),
    ]
    paper.table(_records(figures.drop_duplicates("code")), columns)


def _proof(paper: Paper, facts: PackFacts) -> None:
    paper.room(150)
    paper.heading("What proves it")
    paper.paragraph(
        "The frozen rows have a hash each, their parts one each, and all of them the one below; your signature holds it together with the hashes of these files and of "
        "the signature before yours. Receipts are kept outside the database and sent to you. `ehcp signoff verify` names whatever was changed since."
    )
    paper.facts(frames.proof(facts))
    rows = [
        {"part": frames.PART_TITLES.get(name, name), "rows": f"{part['rows']:,}", "hash": part["hash"]}
        for name, part in facts.parts.items()
    ]
    columns = [
        PaperColumn("part", "Part", 2.1),
        PaperColumn("rows", "Rows", 0.7, "number"),
        PaperColumn("hash", "SHA-256 of its rows' hashes", 5.2),
    ]
    paper.table(rows, columns, size=7.2)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    plain = frame.astype(object).where(frame.notna(), None)
    return [{str(name): value for name, value in row.items()} for row in plain.to_dict("records")]
