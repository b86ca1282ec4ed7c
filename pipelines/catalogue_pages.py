"""The catalogues as pages: `docs/rules.md`, `docs/kpis.md` and `docs/data-dictionary.md`, written from the declarations themselves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from config.limits import load_limits
from config.settings import config_file, load_yaml
from outputs.extracts import data_dictionary
from outputs.star import STAR, star_dictionary
from outputs.wording import BREAKDOWNS, FAMILIES, KIND_TITLES, SEVERITY_MEANINGS, SEVERITY_TITLES
from pipelines.catalogues import rules_frame
from pipelines.kpis import REGISTRY

_GENERATED = "<!-- Written by `uv run poe docs`: change the declaration, not this page. -->"


def rules_page() -> str:
    """Every rule in Markdown, family by family, with the limits and visit intervals that the packaged `rules.yml` sets."""
    frame = rules_frame()
    shown = frame.assign(
        family=frame["rule"].str[:2].map(FAMILIES),
        severity=frame["severity"].map(SEVERITY_TITLES),
        kind=frame["kind"].map(KIND_TITLES),
    )
    named = frame["denominator"].str.removeprefix("of ")
    scope = (
        ("where `" + named + "`")
        .mask(named != frame["denominator"], "of `" + named + "`")
        .mask(named == "every row", "every row")
    )
    entry = (
        "### " + shown["rule"] + " " + shown["title"] + "\n\n"
        + shown["condition"] + "\n\n"
        + "- " + shown["severity"] + " · " + shown["kind"] + " · " + shown["owner"] + "\n"
        + "- Looks at: `" + shown["looks at"] + "`, " + scope + "\n"
        + ("- Needs: " + shown["needs"] + "\n").where(shown["needs"] != "", "")
        + "- To do: " + shown["todo"] + " (" + shown["fix_in"] + ")\n"
        + "- Basis: " + shown["basis"] + "\n"
    )  # fmt: skip
    families = [
        f"## {family}\n\n" + "\n".join(entry[shown["family"] == family]) for family in shown["family"].drop_duplicates()
    ]
    severities = pd.DataFrame({"Severity": SEVERITY_TITLES, "Means": SEVERITY_MEANINGS})
    parts = [
        f"# Rules\n\n{_GENERATED}",
        f"{len(frame)} rules. A rule with two severities stands under the higher one. The same list: `ehcp rules list`, `ehcp rules show CODE`.",
        _table(severities),
        *families,
        "## Limits\n\nThe packaged `rules.yml`; a council's own replaces it. *To be confirmed*: nobody has yet read it in the text of the law.",
        _table(_limits()),
        "## Visit intervals\n\nIn days.",
        _table(_intervals()),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def kpis_page() -> str:
    """Every KPI in Markdown: what is counted of what, and the packaged target with the bounds of its colours."""
    declared = pd.DataFrame(
        [(kpi.code, kpi.title, kpi.definition) for kpi in REGISTRY.values()], columns=["KPI", "Title", "Definition"]
    )
    targets = pd.DataFrame.from_dict(load_yaml(config_file(None, "kpis.yml")), orient="index")
    doubted = pd.Series(
        {code: ", ".join(rules) for code, rules in targets.pop("doubt").dropna().items()},
        name="In doubt by",
        dtype="str",
    )
    targets = targets.drop(columns="firm")
    better = targets.pop("direction").map({"up": "more", "down": "less"}).rename("Better")
    targets = targets.astype("Int64").astype("str").rename(columns=str.capitalize).join([better, doubted])
    whole = declared.sort_values("KPI").join(targets, on="KPI").fillna("")
    parts = [
        f"# KPI figures\n\n{_GENERATED}",
        f"{len(whole)} figures. The definition is numerator / denominator; what could not be judged is counted beside each figure, and a denominator"
        " of 0 gives no percentage. The figures of a night: `ehcp kpis`.",
        "Target, Green and Amber are the packaged `kpis.yml`, which a council's own replaces; empty where a figure has no target. Each figure is also"
        " told at best and at worst (`ehcp kpis --ranges`): the children with an open exception of a rule under *In doubt by*, and those not judged,"
        " fall either way. `ehcp kpis --by "
        + "|".join(BREAKDOWNS)
        + "` breaks every figure down; the categories, *not recorded* among them, add up"
        " to the figure.",
        _table(whole),
    ]
    return "\n\n".join(parts) + "\n"


def dictionary_page() -> str:
    """The data dictionary in Markdown: the star, table by table, then the flat files."""
    columns = star_dictionary()
    parts = [
        f"# Data dictionary\n\n{_GENERATED}",
        "Types: text, date (a day), whole, number, flag (true, false or empty). How to connect: [business intelligence](business-intelligence.md).",
        "# The star\n\nEach table is in the database under the name given here, and without `bi_` as a Parquet file in `outputs/latest/bi`.",
    ]
    for name, table in STAR.items():
        its = columns[columns["table"] == f"bi_{name}"].drop(columns="table")
        parts += [f"## bi_{name}\n\n{table.about[0].upper()}{table.about[1:]}. Key: {_code(*table.key)}.", _table(its)]
    parts.append("# The flat files\n\nIn `outputs/latest`, as Parquet and as CSV.")
    for name, its in data_dictionary().groupby("table", sort=False):
        parts += [f"## {name}", _table(its.drop(columns="table"))]
    return "\n\n".join(parts) + "\n"


#: The generated pages by file name.
PAGES: dict[str, Callable[[], str]] = {
    "rules.md": rules_page,
    "kpis.md": kpis_page,
    "data-dictionary.md": dictionary_page,
}


def write_pages(folder: str = "docs") -> None:
    """Write the generated pages into a folder: what `uv run poe docs` does."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name, page in PAGES.items():
        (Path(folder) / name).write_text(page(), encoding="utf-8", newline="\n")


def _code(*names: str) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _limits() -> pd.DataFrame:
    limits = load_limits().limits
    return pd.DataFrame(
        [
            (f"`{name}`", limit.days, limit.about, _source(limit.source, limit.advisory))
            for name, limit in limits.items()
        ],
        columns=["Limit", "Days", "For", "Source"],
    )


def _intervals() -> pd.DataFrame:
    visits = load_limits().visits.values()
    return pd.DataFrame(
        [
            (v.title, v.first, v.then, v.long_term or "", ", ".join(v.kinds), _source(v.source, v.advisory))
            for v in visits
        ],
        columns=["Cohort", "First", "Then", "Long term", "Kinds of visit", "Source"],
    )


def _source(source: str, is_advisory: bool) -> str:
    return f"{source} (*to be confirmed*)" if is_advisory else source


def _table(frame: pd.DataFrame) -> str:
    """A frame as a Markdown table."""
    cells = frame.astype("str").apply(lambda column: column.str.replace("|", r"\|", regex=False))
    first, *others = cells.columns
    lines = "| " + cells[first].str.cat(cells[others], sep=" | ") + " |"
    head = ["| " + " | ".join(frame.columns) + " |", "|" + "---|" * len(frame.columns)]
    return "\n".join([*head, *lines])
