"""The catalogue of rules as frames, and exceptions with what it says of their rule."""

from __future__ import annotations

import pandas as pd

from checks.engine import catalogue


def rules_frame() -> pd.DataFrame:
    """The catalogue of rules as a frame, one row per rule."""
    return pd.DataFrame(
        [
            {
                "rule": r.code, "title": r.title, "severity": r.highest_severity, "kind": r.kind, "owner": r.owner, "fix_in": r.fix_in, "todo": r.todo,
                "basis": r.basis, "condition": r.about, "looks at": r.looks_at, "denominator": f"of {r.among}" if r.among else r.scope or "every row", "needs": ", ".join(r.needs),
                "version": r.version,
            }
            for r in catalogue().values()
        ]
    )  # fmt: skip


def checked(results: pd.DataFrame) -> pd.DataFrame:
    """What became of every rule on a night, in the order of the catalogue, with its title and severity.

    `results` are a night's (`checks.engine.Evaluated`). Columns rule, title, severity, state (fresh, old: on an earlier copy of a feed, or
    not_evaluated), looked_at (the denominator), found, not_judged (lacked a date or a source, and never counted as fine), reason (why it was not
    evaluated), is_shadow.
    """
    frame = rules_frame()[["rule", "title", "severity"]].merge(results, on="rule")
    return frame[["rule", "title", "severity", "state", "looked_at", "found", "not_judged", "reason", "is_shadow"]]


def titled(exceptions: pd.DataFrame) -> pd.DataFrame:
    """Exceptions with what the catalogue says of their rule."""
    frame = rules_frame().set_index("rule")[["title", "fix_in", "todo", "basis"]]
    return exceptions.join(frame, on="rule")
