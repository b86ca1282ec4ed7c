"""`ehcp register`, `kpis`, `feeds` and `rules`: what is so, what was so, and by which rules."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import click

from pipelines.commands.common import (
    Group,
    as_of_option,
    format_option,
    known_on_option,
    only_nights,
    open_store,
    pass_now,
    print_frame,
    say_clocks,
    say_old,
    settings,
)

#: What a terminal shows first of each list.
REGISTER_LEAD = ("child_id", "whereabouts_grade", "setting_name", "next_review_due_on", "visit_due_on")
KPI_LEAD = ("code", "line", "title", "value", "target", "numerator", "denominator", "not_judged")
RANGE_LEAD = (
    "code",
    "line",
    "title",
    "value",
    "best",
    "worst",
    "in_doubt",
    "target",
    "rag",
    "month_change",
    "quarter_change",
)
_BREAKDOWNS = ["age", "need", "setting_type", "authority", "care", "team", "caseworker"]
SHADOW_LEAD = ("rule", "child_id", "detail", "severity", "first_seen_on")
RESULT_LEAD = ("rule", "state", "looked_at", "found", "not_judged", "reason", "title")
FEED_LEAD = ("system", "feed", "status", "rows", "accepted", "set_aside", "reason")


@click.command()
@as_of_option
@known_on_option
@click.option("--sources", is_flag=True, help="Add where each value came from: system, table and row.")
@format_option
def register(as_of: date | None, known_on: date | None, sources: bool, style: str) -> None:
    """One row per child: where they are, plan, reviews, visits, awaiting, and how sure the whereabouts are."""
    from pipelines.answers import register_as_of

    store = open_store()
    say_clocks(store, as_of, known_on)
    print_frame(register_as_of(store, as_of, known_on, with_sources=sources), style, REGISTER_LEAD)


@click.command()
@as_of_option
@known_on_option
@click.option("--by", type=click.Choice(_BREAKDOWNS), help="Each figure by this; the categories add up to the figure.")
@click.option(
    "--ranges", is_flag=True, help="At best and at worst, rating, and change since last month and last quarter."
)
@format_option
def kpis(as_of: date | None, known_on: date | None, by: str | None, ranges: bool, style: str) -> None:
    """The KPI figures, with numerator, denominator and how many could not be judged."""
    from pipelines.answers import kpis_as_of
    from pipelines.answers_figures import figures_by, figures_in_doubt

    store = open_store()
    say_clocks(store, as_of, known_on)
    say_old(store, known_on)
    if by:
        print_frame(figures_by(store, by, as_of, known_on), style)
    elif ranges:
        print_frame(figures_in_doubt(store, as_of, known_on), style, RANGE_LEAD)
    else:
        print_frame(kpis_as_of(store, as_of, known_on), style, KPI_LEAD)


@click.group(cls=Group)
def feeds() -> None:
    """What arrived, what was accepted, and letting a gated feed through."""


@feeds.command("list")
@only_nights("an extract arrives on a night")
@known_on_option
@format_option
def feeds_list(known_on: date | None, style: str) -> None:
    """Each feed of the newest night: file, rows, accepted, set aside, and why it was not accepted."""
    store = open_store()
    say_clocks(store, None, known_on)
    print_frame(store.feeds(known_on=known_on), style, FEED_LEAD)


@feeds.command("accept")
@click.argument("system")
@click.argument("feed")
@click.option("--reason", required=True, help="Why the volume is right. Kept with your name.")
@click.option("--who", help="Your name. Default: the name you are logged in with.")
@pass_now
def feeds_accept(now: datetime, system: str, feed: str, reason: str, who: str | None) -> None:
    """Let the feed that its volume gate stopped through. Run the night again afterwards."""
    import getpass

    accepted = open_store().accept_feed(system, feed, reason, who or getpass.getuser(), now)
    click.echo(
        f"Accepted {system} {feed} as it arrived on {accepted}. Run the night again: ehcp run nightly --as-of {accepted}"
    )


@feeds.command("try")
@click.argument("system")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@format_option
def feeds_try(system: str, folder: Path, style: str) -> None:
    """Read a folder with a source's profile and say what it holds, without keeping anything."""
    from pipelines.answers import try_feeds

    print_frame(try_feeds(settings(), system, folder), style)


@click.group(cls=Group)
def rules() -> None:
    """The catalogue of rules."""


@rules.command("list")
@format_option
def rules_list(style: str) -> None:
    """Every rule: code, title, severity, kind, owner, where to fix it."""
    from pipelines.catalogues import rules_frame

    print_frame(rules_frame()[["rule", "title", "severity", "kind", "owner", "fix_in"]], style)


@rules.command("results")
@only_nights("it says what became of each rule on a night")
@known_on_option
@format_option
def rules_results(known_on: date | None, style: str) -> None:
    """What became of every rule on the newest night: how much it looked at, found and could not judge, and why it was not evaluated."""
    from pipelines.answers import rules_checked

    store = open_store()
    say_clocks(store, None, known_on)
    print_frame(rules_checked(store, known_on), style, RESULT_LEAD)


@rules.command("shadow")
@click.argument("code", required=False)
@only_nights("a rule in shadow is followed night by night")
@known_on_option
@format_option
def rules_shadow(code: str | None, known_on: date | None, style: str) -> None:
    """What the rules in shadow would raise (or one, by its CODE): nothing of it is in a list or a figure.

    A rule is put in shadow in rules.yml, until a date or until the line is taken out.
    """
    from pipelines.answers import shadow_known

    store = open_store()
    say_clocks(store, None, known_on)
    print_frame(shadow_known(store, code.upper() if code else None, known_on), style, SHADOW_LEAD)


@rules.command("show")
@click.argument("code")
@format_option
def rules_show(code: str, style: str) -> None:
    """One rule: condition, legal basis, what to do, and what it looks at."""
    from config.errors import ConfigurationError
    from pipelines.catalogues import rules_frame

    frame = rules_frame()
    frame = frame[frame["rule"] == code.upper()]
    if frame.empty:
        raise ConfigurationError(f"There is no rule {code}.", "See the codes with: ehcp rules list")
    print_frame(frame.T.reset_index().set_axis(["part", "text"], axis=1), style)
