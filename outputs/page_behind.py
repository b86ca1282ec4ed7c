"""The lists of the page that no exception makes: advice that should be in, plans audited, and settings in use in other authorities."""

from __future__ import annotations

from typing import Any

import pandas as pd

from outputs.page_lists import Shown, rows_of
from outputs.protect import RESTRICTED
from outputs.wording import counted, short_date

#: Whose lines these are: plans, case files and assessments are casework's.
_OWNER = "SEN casework"
_BLANK: dict[str, Any] = {"severity": "", "rule": "", "owner": _OWNER, "first_seen_on": pd.NaT, "age_days": pd.NA}


def advice_due(notified: pd.DataFrame | None, as_of: pd.Timestamp) -> pd.DataFrame:
    """The children in assessment whose advice should have been in before the day, a row each: ``child_id``, ``due_on``, ``last_on`` (the decision to
    assess); the longest overdue first. `notified` are the lines of the notification lists.
    """
    if notified is None:
        return pd.DataFrame(columns=["child_id", "due_on", "last_on"])
    late = notified[(notified["list"] == "advice due") & (notified["due_on"] < as_of)]
    late = late.drop_duplicates("child_id").sort_values(["due_on", "child_id"])
    return late.reindex(columns=["child_id", "due_on", "last_on"])


def advice_list(late: pd.DataFrame, register: pd.DataFrame, as_of: pd.Timestamp, most: int) -> Shown:
    """`advice_due` as a list of the page."""
    detail = [
        f"{f'decided on {short_date(decided)} to assess; ' if not pd.isna(decided) else ''}due {short_date(due)}, {counted((as_of - due).days, 'day')} ago"
        for due, decided in zip(late["due_on"], late["last_on"], strict=True)
    ]
    lines = late.assign(title="Advice should be in", detail=detail, **_BLANK)
    intro = (
        "Six weeks from the decision to assess have passed. When advice came in is in no extract: ask what is missing."
    )
    return Shown("advice", "Advice that should be in", intro, rows_of(lines, register, most), len(late), len(late))


def audited_list(audits: pd.DataFrame | None, register: pd.DataFrame, as_of: pd.Timestamp, most: int) -> Shown:
    """The children with a plan that was audited in the last 12 months, those with something wrong first.

    `audits` has ``child_id``, ``audited_on``, ``is_accurate`` and ``found`` (what was wrong, in words); `register` is masked already.
    """
    done = pd.DataFrame(columns=["child_id", "audited_on", "is_accurate", "found"]) if audits is None else audits
    active = register.loc[register["active_plan"] == "Y", "child_id"]
    on = pd.to_datetime(done["audited_on"])
    done = done[done["child_id"].isin(active) & (on > as_of - pd.DateOffset(years=1)) & (on <= as_of)]
    done = done.sort_values(["is_accurate", "audited_on", "child_id"], ascending=[True, False, True])
    titles = done["is_accurate"].map({True: "Audited: found accurate", False: "Audited: not accurate"}).astype("str")
    days = done["audited_on"].map(short_date).astype("str")
    lines = done.assign(title=titles, detail=(days + ". " + done["found"].astype("str")).str.rstrip(". "), **_BLANK)
    intro = "Plan and case file held against the records in the last 12 months; those not accurate first."
    empty = (
        "No plan was audited in the last 12 months. The command ehcp audit draws a sample and takes its results back."
    )
    return Shown("audited", "Plans audited", intro, rows_of(lines, register, most), len(done), len(done), empty=empty)


def settings_away(active: pd.DataFrame) -> list[dict[str, Any]]:
    """The settings in other authorities that children with a plan are placed at: ``name``, ``authority``, ``urn``, ``number`` of children, the most
    first. `active` is masked already: a setting where restricted children alone are is not there.
    """
    away = active[(active["in_authority"] == "N") & active["setting_urn"].notna() & (active["setting_urn"] != "")]
    away = away[away["setting_urn"] != RESTRICTED]
    columns = {name: (column, "first") for name, column in (("name", "setting_name"), ("authority", "setting_la_name")) if column in away}  # fmt: skip
    found = away.groupby("setting_urn", as_index=False).agg(number=("child_id", "size"), **columns)
    found = found.rename(columns={"setting_urn": "urn"}).sort_values(["number", "urn"], ascending=[False, True])
    rows = found.reindex(columns=["name", "authority", "urn", "number"]).astype("object")
    return rows.where(rows.notna(), "").to_dict("records")
