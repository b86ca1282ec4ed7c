"""What must never leave: the whereabouts of restricted children, and text that a spreadsheet would run.

**Restricted children.** Where any system restricts a child's address, every column that says or hints where the child
is holds the word ``restricted`` in everything we write, even when another system shows it openly. The columns are
declared here. What an exception found (its evidence) may quote any of them, so it is withheld as a whole; the child's
id and the record's id stay, so that the person who fixes it can look in the source system, where access is
controlled.

**Text that runs.** Excel and LibreOffice read a cell that begins with ``= + - @``, a tab or a return as a formula. In
a workbook the cell is typed as text and carries `quotePrefix`, so nothing is altered (`outputs.sheets`). A CSV file
has no types: there such text gets an apostrophe in front, the same mark that a spreadsheet uses, and the data
dictionary says so. Parquet has types and is read by programs, so it holds the text as it is.
"""

from __future__ import annotations

import re

import pandas as pd

RESTRICTED = "restricted"

#: Columns of a register (or of a frame like it) that say where a child is.
WHEREABOUTS_COLUMNS = (
    "setting_urn",
    "setting_code",
    "setting_name",
    "setting_type",
    "setting_la_code",
    "setting_la_name",
    "named_urn",
    "named_ukprn",
    "named_setting_code",
    "named_setting_name",
    "urn",
    "ukprn",
    "provision_type",
    "type_name",
    "in_authority",
    "is_in_authority",
    "is_out_of_authority",
    "residential",
    "residential_code",
    "has_sen_unit",
    "has_resourced_provision",
    "has_home_education",
    "house",
    "street",
    "town",
    "address",
    "postcode",
    "home_postcode",
    "synergy_postcode",
    "liquidlogic_postcode",
    "capita_postcode",
    "home_la_code",
    "home_la_name",
)
#: A column that somebody adds later under such a name is masked as well; dates and references to rows say nothing.
_WHEREABOUTS = re.compile(
    r"^(setting|named|provision|home|address|house|street|town)|postcode|urn$|ukprn|authority|residential|la_(code|name)$"
)
_SAYS_NOTHING = re.compile(r"_(on|at|from|by|id|row|days)$")
#: Columns of an exception that may quote any of them, what people wrote about it among them.
EVIDENCE_COLUMNS = ("detail", "told", "evidence", "value", "values", "raw", "shared", "accept_reason", "note")
#: Rules whose very title tells where a child is; the row stays, and counts, without saying which rule it is.
TELLING_RULES = frozenset({"WH04", "WH08", "WH09"})
#: What is withheld of such a row beside its evidence.
TELLING_COLUMNS = ("rule", "title", "field", "row_id", "fix_in", "todo", "basis")
#: Visit cohorts that say nothing about where a child is; every other word is replaced.
OPEN_COHORTS = frozenset({"looked_after"})
_COHORT_WORDS = re.compile(r"\b(?:residential|s61|out_of_authority|home_educated)\b")

#: Excel's limit for one cell is 32,767 characters.
CELL_LIMIT = 32_000
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def restricted_children(register: pd.DataFrame) -> pd.Series:
    """True for each row of `register` whose child is restricted; takes Y/N text and flags. Without the column nobody
    is.
    """
    if "is_restricted" not in register:
        return pd.Series(False, index=register.index)
    flags = register["is_restricted"]
    if flags.dtype in ("bool", "boolean"):
        return flags.fillna(False).astype(bool)
    return flags.astype("str").str.upper().isin(["Y", "YES", "TRUE", "1"])


def mask_restricted(frame: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """A copy of `frame` in which nothing says where a restricted child is.

    `frame` is the register, an exceptions frame or any frame with ``child_id`` (or ``source`` and ``source_id``);
    `register` says who is restricted (``child_id``, ``is_restricted``, and the ``<system>_id`` columns where it has
    them). A frame that carries its own ``is_restricted`` column is masked by that as well.
    """
    hidden = _rows_of_restricted(frame, register)
    if not hidden.any():
        return frame.copy()
    masked = frame.copy()
    telling = hidden & masked["rule"].isin(TELLING_RULES) if "rule" in masked else pd.Series(False, index=masked.index)
    for column in masked.columns:
        if says_where(column) or column in EVIDENCE_COLUMNS:
            masked[column] = _replaced(masked[column], hidden)
    for column in TELLING_COLUMNS:
        if column in masked and telling.any():
            masked[column] = _replaced(masked[column], telling)
    if "cohorts" in masked:
        masked["cohorts"] = _mask_cohorts(masked["cohorts"], hidden)
    for column in ("field", "cohort", "visit_cohort"):
        if column in masked:
            named = masked[column].astype("str").str.contains(_COHORT_WORDS, na=False)
            masked[column] = _replaced(masked[column], hidden & named)
    return masked


def says_where(column: str) -> bool:
    """Whether a column of this name says where a child is: it is declared, or its name says so."""
    return column in WHEREABOUTS_COLUMNS or bool(_WHEREABOUTS.search(column) and not _SAYS_NOTHING.search(column))


def _rows_of_restricted(frame: pd.DataFrame, register: pd.DataFrame) -> pd.Series:
    """Which rows are about a restricted child, by the child's id, by a system's id, or by the frame's own flag."""
    who = register[restricted_children(register)]
    hidden = restricted_children(frame)
    if "child_id" in frame and "child_id" in who:
        hidden = hidden | frame["child_id"].isin(set(who["child_id"].dropna()))
    if {"source", "source_id"} <= set(frame.columns):
        for column in [name for name in who.columns if name.endswith("_id") and name != "child_id"]:
            ids = set(who[column].dropna().astype(str)) - {""}
            of_system = frame["source"].astype("str") == column.removesuffix("_id")
            hidden = hidden | (of_system & frame["source_id"].astype("str").isin(ids))
    return hidden.astype(bool)


def _replaced(column: pd.Series, rows: pd.Series) -> pd.Series:
    """The column as text, with the word in the rows given: also where it was empty, since emptiness tells as well."""
    if not rows.any():
        return column
    return column.astype("object").mask(rows, RESTRICTED)


def _mask_cohorts(cohorts: pd.Series, rows: pd.Series) -> pd.Series:
    words = cohorts[rows].fillna("").astype("str").str.split("+")
    kept = ["+".join([word for word in row if word in OPEN_COHORTS] + [RESTRICTED]) for row in words]
    masked = cohorts.astype("object")
    masked.loc[rows] = kept
    return masked


def clean_text(text: str, limit: int = CELL_LIMIT) -> str:
    """Text without control characters, and cut with a note where a cell could not hold it. Line ends become ``\\n``."""
    text = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    text = _CONTROL.sub("", text)
    if len(text) > limit:
        return f"{text[:limit]} [cut here: the record holds {len(text):,} characters]"
    return text


def would_run(text: str) -> bool:
    """Whether a spreadsheet could take the text for a formula."""
    return text[:1] in _RUNS


def neutral_csv(frame: pd.DataFrame) -> pd.DataFrame:
    """A copy for CSV: text without control characters, with an apostrophe where a spreadsheet would run it."""
    neutral = frame.copy()
    for name in neutral.columns:
        if not (pd.api.types.is_string_dtype(neutral[name]) or neutral[name].dtype == object):
            continue
        text = neutral[name].astype("str").where(neutral[name].notna())
        text = text.str.replace(_CONTROL, "", regex=True)
        first = text.str.lstrip(" ").str[:1]
        neutral[name] = text.mask(first.isin(_RUNS), "'" + text.fillna(""))
    return neutral
