"""What people changed in a workbook that was handed out: handed out, theirs and now, compared cell by cell. Pure: frames in, frames out.

For every list that people fill in (see `connectors.returned`). A caller declares its `Field`s, gives what was handed out (`pipelines.handed_out`)
and what stands now, and turns the edits that are left with the outcome ``apply`` into acts of its own:

    edits = changed(returned, handed, FIELDS)      one row an edit
    edits = weigh(edits, current, taken)           each file against what stands now
    edits = contested(edits)                       all files of one sitting against each other
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field as made
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from config.errors import EhcpError
from outputs.protect import CELL_LIMIT, clean_text

if TYPE_CHECKING:
    from connectors.returned import Returned

APPLY, SAME, CONFLICT, REFUSED = "apply", "same", "conflict", "refused"
SO_ALREADY = "it is so already"
#: One row an edit: where it was made, by whom, what was handed out (`old`, and `was`: the same, unmasked), what it says now, what comes of it.
EDIT_COLUMNS = (
    "file", "sheet", "cell", "line", "handout", "key", "who", "field", "title", "old", "was", "basis", "new", "outcome", "why",
)  # fmt: skip
#: What stands now, by key and field: the value, who gave it and where, and whether it is a proposal that another person can confirm.
CURRENT_COLUMNS = ("key", "field", "value", "who", "place", "is_proposed")


@dataclass(frozen=True)
class Field:
    """One column that people fill in: ``text``, ``date`` or ``choice`` (one of `choices`), of at most `most` characters."""

    key: str
    title: str
    kind: str = "text"
    choices: tuple[str, ...] = ()
    most: int = CELL_LIMIT


@dataclass
class HandedIn:
    """One file of a sitting: whose it is, its edits (`EDIT_COLUMNS`) with what came of each, what in it could not be understood (sheet, cell,
    why), or why the whole file was refused."""

    path: Path
    sha256: str = ""
    handout: str = ""
    who: str = ""
    edits: pd.DataFrame = made(default_factory=lambda: pd.DataFrame(columns=list(EDIT_COLUMNS)))
    problems: list[tuple[str, str, str]] = made(default_factory=list)
    refusal: EhcpError | None = None

    @property
    def counts(self) -> dict[str, int]:
        """How many cells were applied, contested, refused, and so already."""
        outcomes = self.edits["outcome"].value_counts()
        counts = {name: int(outcomes.get(name, 0)) for name in (APPLY, CONFLICT, REFUSED, SAME)}
        return counts | {REFUSED: counts[REFUSED] + len(self.problems)}

    @property
    def summary(self) -> str:
        """One line: what came of the file."""
        if self.refusal is not None:
            return f"{self.path.name}: refused. {self.refusal.what.rstrip('.')}"
        words = {APPLY: "applied", CONFLICT: "in conflict", REFUSED: "refused", SAME: "so already"}
        parts = [f"{number:,} {words[name]}" for name, number in self.counts.items() if number]
        told = ", ".join(parts) or "nothing changed"
        return f"{self.path.name}{f' ({self.who})' if self.who else ''}: {told}"


def changed(returned: Returned, handed: pd.DataFrame, fields: Sequence[Field]) -> pd.DataFrame:
    """The cells that differ from what was handed out, in the columns `EDIT_COLUMNS`; a cell that cannot be read has the outcome ``refused``.

    `handed` has, by ``handout`` and ``key``: ``basis`` and for each field its value as ``<field>`` and as it was shown as ``<field>:shown``.
    The same edit on two sheets of one file counts once. A cell that is not there, as its column was deleted, says nothing.
    """
    rows = returned.rows.merge(handed, on=["handout", "key"], how="left", suffixes=("", ":was"), indicator=True)
    known = rows["_merge"] == "both"
    parts = []
    for field in fields:
        told = rows[field.key]
        value, why = canonical(told, field)
        shown = rows[f"{field.key}:shown"].fillna("")
        cells = returned.letters
        odd = _odd(rows, field.key, returned)
        differs = told.notna() & (value != canonical(shown, field)[0]) | (odd != "")
        part = rows.loc[differs, ["sheet", "line", "handout", "key", "basis"]].assign(
            file=returned.file,
            who=returned.who,
            field=field.key,
            title=field.title,
            old=shown[differs],
            was=rows.loc[differs, f"{field.key}:was"].fillna(""),
            new=value[differs],
            why=odd.where(odd != "", why).mask(~known, "nothing of this key was handed out")[differs],
        )
        part["cell"] = part["sheet"].map({s: letter for (s, name), letter in cells.items() if name == field.key})
        part["cell"] = part["cell"].astype("str") + part["line"].astype("str")
        parts.append(part)
    edits = pd.concat(parts, ignore_index=True)
    edits["outcome"] = edits["why"].eq("").map({True: APPLY, False: REFUSED}).astype("str")
    edits = edits[list(EDIT_COLUMNS)].astype({"basis": "str", "why": "str", "cell": "str"}).fillna({"basis": ""})
    return edits.sort_values(["sheet", "line"], kind="stable", ignore_index=True).drop_duplicates(
        ["handout", "key", "field", "new", "outcome"], ignore_index=True
    )


def weigh(edits: pd.DataFrame, current: pd.DataFrame, taken: pd.DataFrame | None = None) -> pd.DataFrame:
    """Each edit against what stands now: already so, somebody else's since, or to be applied.

    `current` has the `CURRENT_COLUMNS`; what it does not name stands empty. `taken` (handout, key, field, value_hash, who) are the edits that were
    applied before and not taken back: each has its effect once. Another person's change since the hand-out stands, and both values are named.
    """
    now = edits[["key", "field"]].merge(current, on=["key", "field"], how="left").set_axis(edits.index)
    value, by = now["value"].astype("str").fillna(""), now["who"].astype("str").fillna("")
    proposed = now["is_proposed"].astype("boolean").fillna(False).astype(bool)
    mine = folded(by) == folded(edits["who"])
    live = edits["outcome"] == APPLY
    same = live & (edits["new"] == value) & (~proposed | mine)
    before = pd.Series(False, index=edits.index)
    if taken is not None and len(taken):
        here = _effects(edits.assign(value_hash=value_hash(edits["new"])))
        before = live & pd.Series(here.isin(_effects(taken)), index=edits.index)
    confirms = proposed & ~mine & (edits["new"] == value)
    same = same | before
    # To clear a cell takes back what it showed; what stands behind it, one's own too, was not meant.
    other = (value != edits["was"]) & (by != "")
    meets = live & ~same & ~confirms & other & (~mine | (edits["new"] == ""))
    where = " in " + now["place"].astype("str").fillna("")
    told = "since this was handed out " + by + where.where(where != " in ", "") + " put " + quoted(value)
    told = told + "; this file says " + quoted(edits["new"]) + "; what stood before this file stays"
    return edits.assign(
        outcome=edits["outcome"].mask(same, SAME).mask(meets, CONFLICT),
        why=edits["why"].mask(same, SO_ALREADY).mask(before, "it was applied before").mask(meets, told).astype("str"),
    )


def value_hash(values: pd.Series) -> pd.Series:
    """A short hash of each value: enough to know it again, without keeping it a second time."""
    return values.map(lambda text: hashlib.sha256(text.encode()).hexdigest()[:16])


def _effects(frame: pd.DataFrame) -> pd.MultiIndex:
    keys = frame[["handout", "key", "field", "value_hash"]].assign(who=folded(frame["who"]))
    return pd.MultiIndex.from_frame(keys)


def contested(edits: pd.DataFrame, weighed: pd.Series | None = None) -> pd.DataFrame:
    """All edits of one sitting against each other: of the same cell, two people's different values are both left out, and both are named.

    One person's later file stands over the same person's earlier one (`edits` in the order of the files); on two sheets of one file nobody can
    say which is meant. `weighed` takes the place of ``new`` where two values may stand side by side.
    """
    values = edits["new"] if weighed is None else weighed
    live = edits["outcome"] == APPLY
    cells = [edits["key"], edits["field"]]
    # What is so already is said all the same: a file that is handed in again stands over its forerunner again.
    said = edits["file"].where(edits["outcome"].isin([APPLY, SAME, CONFLICT]))
    last = said.groupby([*cells, folded(edits["who"])]).transform("last")
    earlier = live & (edits["file"] != last) & last.notna()
    edits = edits.assign(
        outcome=edits["outcome"].mask(earlier, SAME),
        why=edits["why"].mask(earlier, "a later file of the same person says it, or says otherwise").astype("str"),
    )
    # What is so already, or meets what stands, is a word too: where another clears what stands it would come in the next time.
    heard = edits["outcome"].isin([APPLY, CONFLICT]) | (edits["why"] == SO_ALREADY)
    against = (edits["outcome"] == APPLY) & (values.where(heard).groupby(cells).transform("nunique") > 1)
    if not against.any():
        return edits
    place = (
        edits["file"] + ", " + edits["sheet"] + "!" + edits["cell"] + ", " + edits["who"].where(edits["who"] != "", "?")
    )
    told = (quoted(edits["new"]) + " (" + place + ")")[heard]
    named = told.groupby([edits.loc[heard, "key"], edits.loc[heard, "field"]]).transform(" and ".join)
    return edits.assign(
        outcome=edits["outcome"].mask(against, CONFLICT),
        why=edits["why"]
        .mask(against, "the same cell says " + named.reindex(edits.index) + "; neither is applied")
        .astype("str"),
    )


_DATES = ("%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d %b %Y", "%d %B %Y", "%d/%m/%y", "%Y-%m-%d %H:%M:%S")
_SERIAL = re.compile(r"^[3-7]\d{4}$")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def canonical(told: pd.Series, field: Field) -> tuple[pd.Series, pd.Series]:
    """The values of a column as they are kept (dates as ``2026-12-01``), and why one cannot be taken (empty where it can)."""
    plain = told.astype("str").fillna("").str.strip()
    known = {text: _canonical(text, field) for text in plain.unique()}
    return (
        plain.map({text: pair[0] for text, pair in known.items()}).astype("str"),
        plain.map({text: pair[1] for text, pair in known.items()}).astype("str"),
    )


def _canonical(text: str, field: Field) -> tuple[str, str]:
    if not text:
        return "", ""
    if field.kind == "date":
        return _day(text)
    if _CONTROL.search(text):
        return text, "it holds control characters, which no cell can keep"
    if field.kind == "choice":
        for choice in field.choices:
            if choice.casefold() == text.casefold():
                return choice, ""
        return text, f"it can only say {' or '.join(field.choices)}, or nothing"
    if len(text) > field.most:
        return text, f"it has {len(text):,} characters; at most {field.most:,} are kept"
    return text, ""


def _day(text: str) -> tuple[str, str]:
    """A day from a date cell, from text as people write it (the day first), or from the number that a spreadsheet shows for a date."""
    if _SERIAL.match(text):
        return str((np.datetime64("1899-12-30") + int(text)).astype("datetime64[D]")), ""
    for form in ("%Y-%m-%d", *_DATES):
        day = pd.to_datetime(text, format=form, errors="coerce")
        if day is not pd.NaT and 1900 <= day.year <= 9998:
            return f"{day:%Y-%m-%d}", ""
    return text, "it is no date; write it as 31/12/2026"


def shown_text(values: pd.Series) -> pd.Series:
    """Text as a cell shows it: without control characters, cut where a cell ends, one kind of line end."""
    return values.fillna("").astype("str").map(lambda text: clean_text(text).strip(), na_action="ignore")


def quoted(values: pd.Series) -> pd.Series:
    """Values as a message names them: in quotes, shortened, ``nothing`` where there is none."""
    short = values.where(values.str.len() <= 60, values.str[:57] + "...")
    return ("‘" + short + "’").where(values != "", "nothing")


def _odd(rows: pd.DataFrame, field: str, returned: Returned) -> pd.Series:
    """Why a cell of this field was not read; empty where it was."""
    if not returned.odd:
        return pd.Series("", index=rows.index, dtype="str")
    letters = rows["sheet"].map({s: letter for (s, name), letter in returned.letters.items() if name == field})
    keys = pd.Series(
        list(zip(rows["sheet"], letters.astype("str") + rows["line"].astype("str"), strict=True)), rows.index
    )
    return keys.map(returned.odd).fillna("").astype("str")


def folded(names: pd.Series) -> pd.Series:
    """Names for comparing: capitals and spaces around do not make another person."""
    return names.fillna("").str.strip().str.casefold()
