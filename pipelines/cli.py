"""The command `ehcp`. It and the flows alone read the clock; everything below takes the day as an argument.

A command's module is imported when the command is called for, and nothing heavy before it runs, so that help and errors come at once.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib import import_module
from typing import Any

import click

from config.errors import EhcpError
from pipelines.commands.common import Group

EXITS = """
Exit codes: 0 fine; 10 an extract is missing, gated or stale; 11 a feed was refused; 12 an expectation stopped
publication; 13 what was signed has been changed; 14 configuration; 1 a bug. The highest that applies wins.
"""
#: Where each command is, in the order of the help: first what runs, then what answers.
COMMANDS = {
    "demo": "nights", "run": "nights", "register": "lists", "exceptions": "exceptions", "links": "links", "feeds": "lists", "kpis": "lists",
    "changes": "past",
    "report": "reports",
    "notifications": "notifications",
    "signoff": "signoff",
    "ask": "asks", "child": "child", "inspectors": "inspectors", "audit": "audit",
    "digest": "digest",
    "runs": "nights", "rules": "lists", "serve": "nights",
}  # fmt: skip


class Command(Group):
    """The commands by name. Errors for users are two lines and a fixed exit code; a bug keeps its traceback."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A command, imported now."""
        module = COMMANDS.get(name)
        return getattr(import_module(f"pipelines.commands.{module}"), name) if module else None

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command and turn an expected error into its message."""
        try:
            return super().invoke(ctx)
        except EhcpError as error:
            click.echo(f"{error.what}\n{error.todo}", err=True)
            ctx.exit(error.exit_code)


@click.group(
    cls=Command, epilog=EXITS, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110}
)
@click.version_option(package_name="ehcp-register", prog_name="ehcp")
@click.pass_context
def main(ctx: click.Context) -> None:
    """Every night, say where every child with an EHC plan is, what is overdue for them, and what in the records cannot be believed."""
    ctx.obj = ctx.obj or datetime.now(UTC).astimezone()
