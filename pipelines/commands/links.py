"""`ehcp links`: which record of which system is which child, and what people say about it."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.commands.common import (
    Group,
    format_option,
    known_on_option,
    only_nights,
    open_store,
    pass_now,
    print_frame,
    say_clocks,
)
from pipelines.commands.returned import apply

if TYPE_CHECKING:
    from pipelines.store import Store

who_option = click.option("--who", help="Your name. Default: the name you are logged in with.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask before it is kept.")
dry_option = click.option("--dry-run", is_flag=True, help="Only show what would change; keep nothing.")
#: What a terminal shows first of the queue.
QUEUE_LEAD = ("record_a", "record_b", "how_sure", "agrees", "differs")
#: What it shows first of decisions, and of what became of a child: who, when and why.
DECISION_LEAD = ("answer", "at", "who", "reason", "state")
HISTORY_LEAD = ("night", "event", "record", "who", "why")
#: What it shows first of what would change.
PREVIEW_LEAD = {
    "Exceptions that would come or go": ("change", "severity", "rule", "child_id", "title"),
    "Figures that would change": ("code", "line", "before", "after"),
}


@click.group(cls=Group)
def links() -> None:
    """Which record of which system is which child, and what people say about it."""


links.add_command(apply)


@links.command("list")
@only_nights("a record is linked on a night")
@known_on_option
@format_option
def links_list(known_on: date | None, style: str) -> None:
    """One row per person record, unlinked ones included, and how it was linked."""
    store = open_store()
    say_clocks(store, None, known_on)
    print_frame(store.links(known_on=known_on)[["child_id", "source", "source_id", "how"]], style)


@links.command("review")
@click.option(
    "--names", is_flag=True, help="Show names, dates of birth and numbers side by side: personal data, on your screen."
)
@only_nights("pairs wait after a night")
@known_on_option
@format_option
def links_review(names: bool, known_on: date | None, style: str) -> None:
    """The pairs that wait for a person: what agrees, what does not, the weight, and how sure."""
    from pipelines.answers_links import review_queue
    from pipelines.review_files import newest_review

    store = open_store()
    say_clocks(store, None, known_on)
    print_frame(review_queue(store, names, known_on), style, QUEUE_LEAD)
    path = newest_review(store)
    if style == "table" and path is not None and known_on is None:
        click.echo(f"To answer them in a workbook (it holds names): {path}")


@links.command("decide")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@click.argument("answer", type=click.Choice(["same", "different", "unsure"]))
@click.option("--reason", required=True, help="Why. Kept with your name; no names of children.")
@who_option
@yes_option
@dry_option
@pass_now
def links_decide(
    now: datetime, first: str, second: str, answer: str, reason: str, who: str | None, yes: bool, dry_run: bool
) -> None:
    """Say whether two records (system:number) are one child. First shows what would change; takes effect with the next night."""
    from config.errors import ConfigurationError
    from pipelines.answers_links import need_pair
    from pipelines.store_links import UNCHANGED, draft, keep_decisions

    store = open_store()
    asked = need_pair(store, first, second).assign(answer=answer, reason=reason)
    rows, refused = draft(store, asked, _who(who), now)
    if refused.iloc[0] == UNCHANGED:
        click.echo(f"{first} and {second} are decided {answer} already. Nothing was changed.")
        return
    if refused.iloc[0]:
        raise ConfigurationError(
            f"This cannot be decided: {refused.iloc[0]}.",
            "What was decided: ehcp links show CHILD. Who is never linked: ehcp links never",
        )
    if _agreed(store, rows, yes, dry_run):
        keep_decisions(store, rows)
        click.echo(f"Decided {answer}: {first} and {second}. It takes effect with the next night.")


@links.command("undo")
@click.argument("child_id", metavar="CHILD")
@click.option("--reason", required=True, help="Why it is taken back. Kept with your name; no names of children.")
@who_option
@yes_option
@dry_option
@pass_now
def links_undo(now: datetime, child_id: str, reason: str, who: str | None, yes: bool, dry_run: bool) -> None:
    """Take back the last decision about a child's records. First shows what would change; the trail keeps both."""
    from pipelines.store_links import keep_decisions, withdrawal

    store = open_store()
    row = withdrawal(store, child_id, reason, _who(who), now)
    pair = row.iloc[0]
    told = f"{pair['source_a']}:{pair['source_id_a']} and {pair['source_b']}:{pair['source_id_b']}"
    click.echo(f"Taking back the decision about {told}.")
    if _agreed(store, row, yes, dry_run):
        keep_decisions(store, row)
        click.echo("Taken back. It takes effect with the next night.")


def _who(who: str | None) -> str:
    import getpass

    return who or getpass.getuser()


def _agreed(store: Store, rows: Any, yes: bool, dry_run: bool) -> bool:
    """Show what the rows would change, and ask. Nothing is kept here."""
    from pipelines.preview import look_ahead

    preview = look_ahead(store, rows, lambda words: click.echo(f"{words} ...", err=True))
    for title, frame in (
        ("Records that would be another child's", preview.links),
        ("Register values that would change", preview.register),
        ("Exceptions that would come or go", preview.exceptions),
        ("Figures that would change", preview.figures),
    ):
        click.echo(f"\n{title}: {len(frame) or 'none'}")
        if len(frame):
            print_frame(frame, "table", PREVIEW_LEAD.get(title, ()))
    if dry_run:
        click.echo("\nNothing was kept.")
        return False
    if yes or click.confirm("\nKeep it?"):
        return True
    click.echo("Nothing was kept.")
    return False


@links.command("show")
@click.argument("child_id", metavar="CHILD")
@format_option
def links_show(child_id: str, style: str) -> None:
    """One child: its records, how and since when each was linked, what people decided about them, and pictures of what each weight is made of."""
    from pipelines.answers_links import decisions_of_child, records_of_child
    from pipelines.explained import pictures_of_child

    store = open_store()
    print_frame(records_of_child(store, child_id), style)
    if style != "table":
        return
    said = decisions_of_child(store, child_id)
    click.echo("\nWhat people decided about them:" if len(said) else "\nNobody decided anything about them.")
    if len(said):
        print_frame(said, style, DECISION_LEAD)
    for picture in pictures_of_child(store, child_id):
        click.echo(f"As a picture: {picture}")


@links.command("history")
@click.argument("child_id", metavar="CHILD")
@format_option
def links_history(child_id: str, style: str) -> None:
    """What became of a child: records linked, merges, splits, decisions and their lapses; when, why and by whom."""
    from pipelines.answers_links import history_of_child

    print_frame(history_of_child(open_store(), child_id), style, HISTORY_LEAD)


@links.command("never")
@only_nights("pairs are kept apart from a night on")
@known_on_option
@format_option
def links_never(known_on: date | None, style: str) -> None:
    """The never-link list: pairs that people or the guard for twins told apart for good."""
    from pipelines.answers_links import never_link_list

    store = open_store()
    say_clocks(store, None, known_on)
    print_frame(never_link_list(store, known_on), style)


@links.command("train")
@click.option(
    "--to",
    "path",
    type=click.Path(path_type=Path),
    help="The file to write. Default: link_model.json in the folder EHCP_CONFIG names.",
)
@pass_now
def links_train(now: datetime, path: Path | None) -> None:
    """Train the model of scored links on the newest night's records.

    No pairs need to be judged first, and the same night gives the same model. It takes a minute or two. The next night scores with it if it is
    link_model.json in the folder that EHCP_CONFIG names.
    """
    from config.errors import ConfigurationError
    from pipelines.answers_links_model import train_links
    from pipelines.link_model import FILE

    store = open_store()
    folder = store.settings.config_dir
    if path is None and folder is None:
        raise ConfigurationError(
            "There is no folder of your own settings for the model.", "Set EHCP_CONFIG, or name a file with --to."
        )
    target = path or folder / FILE  # type: ignore[operator]
    click.echo("Training; a minute or two.", err=True)
    model = train_links(store, target, f"{now:%Y-%m-%d}")
    sizes = ", ".join(f"{system} {count:,}" for system, count in model.trained["records"].items())
    learned = "; ".join(f"{pairs:,} that share {block}" for block, pairs in model.trained["pairs"].items())
    click.echo(f"Wrote {target}, version {model.version}.\nRecords: {sizes}.\nPairs learned from: {learned or 'none'}.")
    click.echo(
        f"Joined from weight {model.join:g}, let go below {model.fracture:g}, shown to a person from {model.review:g}."
    )


@links.command("explain")
@click.argument("first", metavar="A")
@click.argument("second", metavar="B")
@format_option
def links_explain(first: str, second: str, style: str) -> None:
    """Why two records (system:number) are one child or not: passes, guards, weight, and a picture of what the weight is made of."""
    from pipelines.answers_links import need_pair
    from pipelines.explained import explain

    store = open_store()
    told = explain(store, need_pair(store, first, second))
    if style == "table":
        click.echo(told.now)
    print_frame(told.steps, style)
    if style == "table" and told.picture is not None:
        print_frame(told.parts, style)
        click.echo(f"As a picture: {told.picture}")


@links.command("quality")
@click.option("--over-time", is_flag=True, help="Every night's measures, each from the oldest night to the newest.")
@only_nights("it measures the linking of a night")
@known_on_option
@format_option
def links_quality(over_time: bool, known_on: date | None, style: str) -> None:
    """How well the newest night linked, beside the night before: by system, ethnicity, need and care; the queue and its weights."""
    from pipelines.answers_links_model import quality, quality_over_time

    store = open_store()
    say_clocks(store, None, known_on)
    print_frame(quality_over_time(store) if over_time else quality(store, known_on), style)
