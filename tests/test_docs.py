"""The catalogues in `docs/` are what the declarations say today, and every command that a document shows exists."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from pipelines.catalogue_pages import PAGES, kpis_page, rules_page, write_pages
from pipelines.catalogues import rules_frame
from pipelines.cli import main
from pipelines.kpis import REGISTRY

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize(("name", "page"), PAGES.items())
def test_a_catalogue_is_up_to_date(name: str, page) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == page(), "write it again: uv run poe docs"


def test_every_rule_and_every_kpi_has_its_place() -> None:
    headings = [line[4:8] for line in rules_page().splitlines() if line.startswith("### ")]
    assert headings == rules_frame()["rule"].tolist()
    rows = [line.split(" | ")[0][2:] for line in kpis_page().splitlines() if line.startswith("| K")]
    assert rows == ["KPI", *sorted(REGISTRY)]


def test_nothing_is_left_blank_or_nan() -> None:
    text = "".join(page() for page in PAGES.values())
    assert "nan" not in text.lower().split()
    assert "<NA>" not in text


def test_the_pages_are_written_where_asked(tmp_path: Path) -> None:
    write_pages(str(tmp_path / "new"))
    assert (tmp_path / "new" / "rules.md").read_text(encoding="utf-8") == rules_page()


def _shown() -> list[tuple[str, str]]:
    """The lines of code blocks that call the command, by the document that shows them."""
    pages = [DOCS / "operators-guide.md", DOCS / "analysts-guide.md"]
    blocks = [
        (page.name, block) for page in pages for block in re.findall(r"```\n(.*?)```", page.read_text("utf-8"), re.S)
    ]
    return [(name, line) for name, block in blocks for line in block.splitlines() if line.startswith("uv run ehcp ")]


@pytest.mark.parametrize(("page", "line"), _shown())
def test_a_command_in_a_guide_exists_with_its_options(page: str, line: str) -> None:
    words = shlex.split(line)[3:]
    command: click.Command = main
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words.pop(0))
        assert found, f"{page}: {line}"
        command = found
    # Parses the options and looks up nothing: the folders of an example need not be there.
    command.make_parser(click.Context(command)).parse_args(words)


def test_help_cuts_no_sentence_off() -> None:
    for words in ([], ["exceptions"], ["signoff"], ["ask"]):
        told = CliRunner().invoke(main, [*words, "--help"], terminal_width=60)
        assert "..." not in told.output.split("Commands:")[1], words


def test_the_documents_that_the_readme_names_are_there() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    named = re.findall(r"\]\((docs/[^)#]+)\)", readme)
    assert {"docs/operators-guide.md", "docs/analysts-guide.md", "docs/rules.md", "docs/kpis.md"} <= set(named)
    assert all((DOCS.parent / name).is_file() for name in named)
