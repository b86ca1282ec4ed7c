"""How rules are declared and run. A rule is a function from tables to a boolean column; the engine deals with all the rest, once.

A rule's first parameter names the table it looks at, further parameters are other tables, `as_of`, or `limits`. It returns True where a
row is at fault. The engine gives the denominator, counts what could not be judged, words the evidence, and marks what rests on
an old copy of a feed or could not be evaluated at all.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from config.limits import Limits

CRITICAL, HIGH, MEDIUM, INFO = "critical", "high", "medium", "info"
SEVERITIES = (CRITICAL, HIGH, MEDIUM, INFO)
RECORD, DUTY, SAFETY, FEED = "record", "duty", "safety", "feed"


@dataclass(frozen=True)
class Graded:
    """A severity that depends on a flag of the row: `high` where it is set, `low` elsewhere."""

    flag: str
    high: str
    low: str


@dataclass(frozen=True)
class Rule:
    """Everything about a rule but its condition. See `rule` for the meaning of each part."""

    code: str
    title: str
    judge: Callable[..., pd.Series]
    severity: str | Graded
    kind: str
    owner: str
    fix_in: str
    todo: str
    basis: str
    looks_at: str
    uses: tuple[str, ...]
    scope: str | None
    fields: tuple[str, ...]
    needs: tuple[str, ...]
    carried: tuple[str, str] | None
    detail: str
    thing: str | None
    record: str | None
    field: str
    names_place: bool
    version: int
    since: str | None
    allows: str | None
    shared: str
    among: str

    @property
    def about(self) -> str:
        """The condition in words: the first paragraph of the function's docstring."""
        return (inspect.getdoc(self.judge) or "").split("\n\n")[0].replace("\n", " ")

    @property
    def is_of_one_record(self) -> bool:
        """Whether the fault lies in one system's record, so that the other systems' feeds do not bear on it."""
        return self.looks_at not in ("register", "cohorts") or self.record is not None

    @property
    def highest_severity(self) -> str:
        """The severity, or the higher of the two where it depends on the row."""
        return self.severity.high if isinstance(self.severity, Graded) else self.severity


REGISTRY: dict[str, Rule] = {}


def rule(
    code: str,
    title: str,
    *,
    severity: str | Graded,
    kind: str,
    owner: str,
    fix_in: str,
    todo: str,
    basis: str = "council policy",
    uses: tuple[str, ...],
    scope: str | None = None,
    fields: tuple[str, ...] = (),
    needs: tuple[str, ...] = (),
    carried: tuple[str, str] | None = None,
    detail: str = "",
    thing: str | None = None,
    record: str | None = None,
    field: str = "",
    names_place: bool = False,
    version: int = 1,
    since: str | None = None,
    allows: str | None = None,
    shared: str = "",
    among: str = "",
) -> Callable[[Callable[..., pd.Series]], Callable[..., pd.Series]]:
    """Declare a rule.

    `uses` are the canonical tables it rests on; `scope` a flag column of the table it looks at: the denominator; `needs` columns
    without which a row cannot be judged; `carried` a column that at least one row must have for the rule to be evaluated at all, and what it holds in words;
    `detail` the evidence, a template over the row's columns; `thing` the column that tells two faults of one child apart (the row's own
    key unless said); `record` the system whose person record is at fault where rows do not say; `names_place` whether the evidence
    tells where a child is, and must be hidden for a restricted one; `since` the date column from which the duty has been overdue, plus the
    days of the limit named in `allows`; `shared` what several findings have in common when one thing is behind them all, a template too;
    `among` the denominator where the table it looks at holds faults only: a frame (its rows), or a flag or count of one, as ``feeds.rows``.
    """

    def declare(judge: Callable[..., pd.Series]) -> Callable[..., pd.Series]:
        if code in REGISTRY:
            raise ValueError(f"rule {code} is declared twice")
        looks_at = next(iter(inspect.signature(judge).parameters))
        REGISTRY[code] = Rule(
            code, title, judge, severity, kind, owner, fix_in, todo, basis, looks_at, uses, scope,
            (*(fields or _names(detail)), *_names(shared), *([since] if since else [])), needs,
            carried, detail, thing, record, field, names_place, version, since, allows, shared, among,
        )  # fmt: skip
        return judge

    return declare


def catalogue() -> dict[str, Rule]:
    """Every rule by code, in the order of the catalogue."""
    from checks.rules import load_all

    load_all()
    return dict(sorted(REGISTRY.items(), key=lambda item: (_GROUPS.index(item[0][:2]), item[0])))


_GROUPS = ("SR", "ID", "WH", "PL", "AW", "PD", "RV", "VS")


@dataclass(frozen=True)
class Context:
    """What rules may read: frames by name, the state of each canonical table, the day, and the limits.

    `states` says of each canonical table ``fresh``, ``old`` (at least one of its feeds is an older copy) or ``none``.
    """

    frames: Mapping[str, pd.DataFrame | None]
    states: Mapping[str, str]
    as_of: pd.Timestamp
    limits: Limits
    restricted: frozenset[str] = frozenset()


FINDINGS = (
    "rule",
    "child_id",
    "source",
    "source_id",
    "row_id",
    "thing",
    "field",
    "detail",
    "severity",
    "kind",
    "owner",
    "on_old_data",
    "since_on",
    "shared",
)
_NO_FINDINGS = pd.DataFrame(columns=list(FINDINGS), dtype="str").astype(
    {"on_old_data": "bool", "since_on": "datetime64[us]"}
)


@dataclass
class Evaluated:
    """`findings` (columns FINDINGS), `results`, one row per rule: looked_at, found, not_judged, state, reason, version, is_shadow, and what
    the rules in shadow found (`shadow`, columns FINDINGS), which is raised nowhere.
    """

    findings: pd.DataFrame
    results: pd.DataFrame
    shadow: pd.DataFrame


def evaluate(context: Context, rules: Mapping[str, Rule] | None = None, words: bool = True) -> Evaluated:
    """Run the rules. Those in shadow (`rules.yml`) are counted and raise nothing. Without `words` ``detail`` and ``shared`` are empty."""
    found: dict[bool, list[pd.DataFrame]] = {False: [], True: []}
    results = []
    for code, declared in (rules or catalogue()).items():
        outcome = _run(declared, context, words)
        is_shadow = context.limits.is_in_shadow(code, context.as_of.date())
        results.append({"rule": code, **outcome[0], "version": declared.version, "is_shadow": is_shadow})
        if outcome[1] is not None:
            found[is_shadow].append(outcome[1])
    raised, shadow = (
        pd.concat(parts, ignore_index=True)[list(FINDINGS)] if parts else _NO_FINDINGS.copy()
        for parts in (found[False], found[True])
    )
    return Evaluated(raised, pd.DataFrame(results), shadow)


def _run(declared: Rule, context: Context, words: bool) -> tuple[dict[str, Any], pd.DataFrame | None]:
    nothing = {"looked_at": 0, "found": 0, "not_judged": 0, "state": "not_evaluated", "reason": ""}
    subject = context.frames.get(declared.looks_at)
    absent = [name for name in declared.uses if context.states.get(name, "none") == "none"]
    if subject is None or absent:
        names = ", ".join(absent) or declared.looks_at
        return nothing | {"reason": f"no accepted copy of {names.replace('_', ' ')}"}, None
    if declared.carried and not subject[declared.carried[0]].notna().any():
        return nothing | {"reason": f"no extract carries {declared.carried[1]}"}, None
    scope = _flag(subject[declared.scope]) if declared.scope else None
    arguments = {name: _argument(name, context) for name in inspect.signature(declared.judge).parameters}
    fault = _flag(declared.judge(**arguments))
    fault = fault if scope is None else fault & scope
    unknown = 0
    if declared.needs:
        untold = subject[list(declared.needs)].isna().any(axis=1) & ~fault
        unknown = int((untold if scope is None else untold & scope).sum())
    is_old = any(context.states[name] == "old" for name in declared.uses)
    result = {
        "looked_at": _asked_of(declared, context)
        if declared.among
        else int(fault.count() if scope is None else scope.sum()),
        "found": int(fault.sum()),
        "not_judged": unknown,
        "state": "old" if is_old else "fresh",
        "reason": "",
    }
    if not fault.any():
        return result, None
    return result, _findings(declared, subject[_told(declared, subject)][fault], context, is_old, words)


def _told(declared: Rule, subject: pd.DataFrame) -> list[str]:
    """The columns of the subject that a finding says something of: a register has a hundred, a finding needs a few."""
    said = {"child_id", "source", "source_id", "row_id", f"{declared.record}_id", declared.thing, declared.since}
    said |= {*_names(declared.detail), *_names(declared.shared), *_names(declared.field)}
    if isinstance(declared.severity, Graded):
        said.add(declared.severity.flag)
    return [name for name in subject if name in said]


def _flag(flag: pd.Series) -> pd.Series:
    """A flag as plain True and False; what is not known is False."""
    return flag if flag.dtype == bool else flag.astype("boolean").fillna(False).astype(bool)


def _asked_of(declared: Rule, context: Context) -> int:
    """How many rows or children a rule was asked of whose own table holds the faults only."""
    name, _, column = declared.among.partition(".")
    frame = context.frames.get(name)
    return 0 if frame is None else len(frame) if not column else int(frame[column].sum())


def _argument(name: str, context: Context) -> Any:
    if name == "as_of":
        return context.as_of
    return context.limits if name == "limits" else context.frames.get(name)


def _findings(declared: Rule, rows: pd.DataFrame, context: Context, is_old: bool, words: bool) -> pd.DataFrame:
    blank = pd.Series("", index=rows.index, dtype="str")

    def column(name: str) -> pd.Series:
        return rows[name].astype("str").fillna("") if name in rows else blank

    if declared.record:
        source_id = column(f"{declared.record}_id")
        source = blank.mask(source_id != "", declared.record)
    else:
        source, source_id = column("source"), column("source_id")
    row_id = column("row_id")
    severity: Any = declared.severity
    if isinstance(severity, Graded):
        severity = rows[severity.flag].astype(bool).map({True: severity.high, False: severity.low})
    detail, shared = (_worded(text, rows) if words else blank for text in (declared.detail, declared.shared))
    child = column("child_id")
    if declared.names_place:
        detail = detail.mask(child.isin(context.restricted), "restricted")
    return pd.DataFrame(
        {
            "rule": declared.code,
            "child_id": child,
            "source": source,
            "source_id": source_id,
            "row_id": row_id,
            "thing": column(declared.thing) if declared.thing else row_id,
            "field": column(declared.field[1:-1]) if declared.field.startswith("{") else declared.field,
            "detail": detail,
            "severity": severity,
            "kind": declared.kind,
            "owner": declared.owner,
            "on_old_data": is_old,
            "since_on": _since(declared, rows, context),
            # Of a restricted child nothing is grouped: what is shared may be the place.
            "shared": shared.mask(child.isin(context.restricted), ""),
        }
    )


def _since(declared: Rule, rows: pd.DataFrame, context: Context) -> pd.Series:
    """The day from which the duty has been overdue; missing where the rule knows none."""
    if declared.since is None:
        return pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us]")
    allowed = getattr(context.limits, declared.allows) if declared.allows else 0
    return pd.to_datetime(rows[declared.since]).astype("datetime64[us]") + pd.Timedelta(days=allowed)


def _names(template: str) -> list[str]:
    return [name for _, name, _, _ in string.Formatter().parse(template) if name]


def _worded(template: str, rows: pd.DataFrame) -> pd.Series:
    """Fill a template from the columns of each row, whole columns at a time; dates as 2026-10-27, missing values as 'not recorded'."""
    text = pd.Series("", index=rows.index, dtype="str")
    for literal, name, _, _ in string.Formatter().parse(template):
        text = text + literal
        if name:
            value = rows[name]
            is_date = pd.api.types.is_datetime64_any_dtype(value)
            shown = value.dt.strftime("%Y-%m-%d") if is_date else value.astype("str")
            text = text + shown.where(value.notna(), "not recorded").astype("str")
    return text
