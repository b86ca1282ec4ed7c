"""`ehcp exceptions apply` and `ehcp links apply`: workbooks that people filled in, handed back by hand."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from pipelines.commands.common import format_option, open_store, pass_now, print_frame

#: What a terminal shows first of each cell.
LEAD = ("outcome", "file", "sheet", "cell", "title", "new", "why")


@click.command("apply")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would come of each cell, and change nothing.")
@click.option("--who", help="Whose work it is, over the name in the file.")
@format_option
@pass_now
def apply(now: datetime, files: tuple[Path, ...], dry_run: bool, who: str | None, style: str) -> None:
    """Apply workbooks that were filled in (exceptions or pairs to review), as one sitting.

    Each is compared with what was handed out and with what stands now. A receipt says what came of each cell; a copy of the file is put beside
    it in the inbox folder applied (or refused). The nightly run does the same with the files in the inbox.
    """
    import pandas as pd

    from config.errors import EXIT_FEED_REFUSED
    from pipelines.inbox import hand_in_files

    handed, lines = hand_in_files(open_store(), files, now, who, dry_run)
    told = pd.concat([file.edits for file in handed], ignore_index=True)
    told = told[[*LEAD, "who", "old", "child_id", "rule", "key"]]
    if style == "table":
        for line in lines:
            click.echo(f"{'Would come of it: ' if dry_run else ''}{line}")
        for file in handed:
            for sheet, cell, why in file.problems:
                click.echo(f"  {file.path.name}, {sheet} {cell}: {why}")
            if file.refusal is not None:
                click.echo(f"  {file.refusal.todo}")
    if len(told) or style != "table":
        print_frame(told, style, LEAD)
    if any(file.refusal is not None for file in handed):
        click.get_current_context().exit(EXIT_FEED_REFUSED)
