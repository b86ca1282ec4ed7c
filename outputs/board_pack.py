"""`board-pack.pdf`: a few pages for a board, made to be read on paper. Counts only, and none of 1 to 4 children can be read or worked out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from outputs.board import Board, for_board, write_board_page
from outputs.figures import RAG_WORDS
from outputs.paper import Paper, PaperColumn, Tile
from outputs.suppress import HIDDEN
from outputs.wording import counted, short_date, uk_date

_FIGURES = (
    PaperColumn("name", "Figure", 3.7),
    PaperColumn("value", "Value", 1.5, "number"),
    PaperColumn("count", "Number of", 1.7, "number"),
    PaperColumn("range", "At worst, at best", 2.0, "number"),
    PaperColumn("target", "Target", 1.2, "number"),
    PaperColumn("rag", "Rating", 1.15, "tag"),
    PaperColumn("course", "Over nights", 1.5, "spark"),
    PaperColumn("since", "Direction of travel", 2.4),
)
_OTHERS = (("england", "England"), ("region", "Region"), ("neighbours", "Neighbours"), ("published", "As published"))


def write_board(folder: Path, *night: Any) -> None:
    """Write `board.html` and `board-pack.pdf` of a night (the arguments of `for_board`). Raises OSError where a file cannot be written."""
    board = for_board(*night)
    write_board_page(folder / "board.html", board)
    write_board_pack(folder / "board-pack.pdf", board)


def write_board_pack(path: Path, board: Board) -> None:
    """Write the pack. The same night and time stamp give the same bytes. Raises OSError where the file cannot be written."""
    about = board.about
    paper = Paper(
        "Children with EHC plans: board pack",
        f"{about.council}, as at {uk_date(about.as_of)}",
        about.generated_at,
        marking="Official",
    )
    _front(paper, board)
    _figures(paper, board)
    _ahead(paper, board)
    _sources(paper, board)
    paper.save(path)


def _front(paper: Paper, board: Board) -> None:
    where = board.whereabouts
    if where["number"]:
        paper.notice(
            f"Whereabouts not confirmed: {where['words']} of {counted(board.plans, 'child', 'children')} with a plan. The target is 0.",
            "critical",
        )
    elif board.plans and not board.about.has_old_data:
        paper.notice(f"Whereabouts are confirmed or recorded for all {board.plans:,} children with a plan.", "green")
    if where["reasons"]:
        paper.bullets([f"{reason['words']}: {reason['name']}" for reason in where["reasons"]])
    if where["recorded_only"]:
        paper.paragraph(
            f"A further {where['recorded_only']} are recorded only: somebody wrote down where the child is, and nothing confirms it."
        )
    for missing in board.about.missing_together:
        # Not why: a reason may hold a path or a name.
        copy = (
            f"the copy of {uk_date(missing.old_copy_of)} is used" if missing.old_copy_of else "there is no earlier copy"
        )
        paper.notice(f"Not every source arrived. {missing.title}: {copy}.", "amber")
    if board.about.night_before:
        paper.notice(board.about.night_before, "amber")
    paper.heading("At a glance")
    paper.tiles([Tile(tile["number"], tile["label"], tile["note"], tile["tone"]) for tile in board.tiles])
    rated = ", ".join(f"{number} {RAG_WORDS[rag].lower()}" for rag, number in board.rated.items())
    paper.paragraph(f"Of the figures with a target: {rated}.", bold=True)
    if board.concerns:
        paper.table(
            [{**concern, "number": concern["words"]} for concern in board.concerns[:6]],
            [
                PaperColumn("name", "What most children are listed for", 2.4),
                PaperColumn("number", "Children", 0.9, "number"),
                PaperColumn("about", "", 4),
            ],
            caption="Top concerns",
        )


def _figures(paper: Paper, board: Board) -> None:
    paper.page_break()
    paper.heading("Figures against target")
    paper.paragraph(
        "Each figure is of all children it is about, on the night. Beside it stands what it comes to at worst and at best, once the records that are in "
        "doubt turn out either way. Direction compares with the last night of the month and of the quarter before.",
        quiet=True,
        size=8.5,
    )
    paper.table([_figure(row) for row in board.kpis], _FIGURES, size=7.6)
    for row in board.kpis:
        if not row["is_heading"] and row["not_judged"] and not row["denominator"]:
            paper.paragraph(f"{row['code']} is not measured. {row['definition']}", quiet=True, size=7.6)
    compared = [_others(row) for row in board.kpis if not row["is_heading"] and row["others"]]
    if compared:
        columns = [PaperColumn("name", "Figure", 3.4), PaperColumn("here", "Here", 1, "number")]
        columns += [PaperColumn(kind, title, 1.3, "number") for kind, title in _OTHERS]
        paper.table(compared, [*columns, PaperColumn("year", "Year", 0.9, "number")], caption="What others come to")
    paper.paragraph(
        "Others: Department for Education, Education, health and care plans (Open Government Licence v3.0), of the same definition; statistical "
        "neighbours are counted together. Numbers below 5, and those from which one could be worked out, are not shown.",
        quiet=True,
        size=7.6,
    )


def _others(row: dict[str, Any]) -> dict[str, Any]:
    words = {other["kind"]: other["words"] for other in row["others"]}
    name = f"{row['code']} {row['title']}" + (f": {row['line'].lower()}" if row["line"] else "")
    return {"name": name, "here": row["value_words"], "year": row["others"][0]["year"], **words}


def _figure(row: dict[str, Any]) -> dict[str, Any]:
    if row["is_heading"]:
        return {"name": _named(row), "is_bold": True}
    since = [f"{row['change']} overnight"] if row["change"] else []
    moves = [f"{move['words']} since {short_date(move['on'])}" for move in row["travel"] if move["words"]]
    return {
        "name": row["line"] or _named(row),
        "is_bold": False,
        "value": row["value_words"],
        "range": row["range_words"].removeprefix("between ").replace(" and ", " to "),
        "count": _count(row),
        "target": row["target_words"],
        "rag": (row["rag_word"], row["rag"]) if row["rag"] else None,
        "course": row["course"],
        "since": "\n".join(dict.fromkeys(moves or since)),
    }


def _named(row: dict[str, Any]) -> str:
    return f"{row['code']} {row['title']}" + (f" ({row['old_words']})" if row["old_words"] else "")


def _count(row: dict[str, Any]) -> str:
    number, of = row["number_words"], row["of_words"]
    return number if of == "–" or number == HIDDEN else f"{number} of {of}"


def _ahead(paper: Paper, board: Board) -> None:
    paper.heading("Reviews, waiting and where children are")
    shown = [(month["name"], month["number"], "") for month in board.months[:12]]
    kept_back = any(month["number"] is None for month in board.months[:12])
    says = "Reviews due: " + ", ".join(f"{month['name']} {month['words']}" for month in board.months[:12])
    paper.paragraph("Annual reviews due in the twelve months ahead", bold=True)
    paper.columns(shown, says)
    if kept_back:
        paper.paragraph("A month with a dash holds a number that is not shown.", quiet=True, size=7.6)
    for caption, head, rows in (
        ("Annual reviews overdue, by how long", "Overdue by", board.overdue),
        ("Children waiting for provision, by days", "Waiting", board.awaiting),
        ("Children by authority of the setting", "Authority", board.authority),
        ("Children by provision commissioned", "Provision", board.provision),
        ("Children by type of setting", "Setting", board.types),
    ):
        if rows:
            columns = [
                PaperColumn("name", head, 2.6),
                PaperColumn("words", "Children", 1, "number"),
                PaperColumn("share", "", 2.4, "bar"),
            ]
            paper.table(rows, columns, caption=caption)


def _sources(paper: Paper, board: Board) -> None:
    paper.heading("Can these figures be relied on?")
    if board.systems:
        rows = [
            {
                "system": system["system"],
                **{
                    f"m{place}": f"{measure['numerator']:,} of {measure['denominator']:,}" if measure else "–"
                    for place, measure in enumerate(system["measures"])
                },
            }
            for system in board.systems
        ]
        heads = ("Extracts on time", "Rows accepted", "Expectations met")
        columns = [
            PaperColumn("system", "System", 2),
            *(PaperColumn(f"m{place}", head, 1.4, "number") for place, head in enumerate(heads)),
        ]
        paper.table(rows, columns, caption="What arrived on this night")
    versions = ", ".join(f"{name} {version}" for name, version in board.about.versions.items())
    paper.facts(
        [
            ("As at", uk_date(board.about.as_of)),
            ("Run", board.about.run_id),
            ("Made by", versions),
            (
                "Reproducible",
                "asked again for this night, every figure is the same; the definitions are in kpis.xlsx and docs/kpis.md",
            ),
        ]
    )
