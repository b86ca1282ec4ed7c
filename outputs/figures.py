"""Figures as people judge them: how each stands against its target, and how it moved since the night before."""

from __future__ import annotations

import pandas as pd

from outputs.about import system_title
from outputs.wording import uk_date

RAG_WORDS = {"green": "Green", "amber": "Amber", "red": "Red", "": "Not rated"}


def old_words(systems: object) -> str:
    """``earlier copy of Capita, Liquidlogic``, of the systems (``capita, liquidlogic``) whose earlier copy a figure rests on; empty where there is none."""
    if not isinstance(systems, str) or not systems:
        return ""
    return f"earlier copy of {', '.join(system_title(system) for system in systems.split(', '))}"


def judged(kpis: pd.DataFrame) -> pd.DataFrame:
    """The KPI frame with ``rag`` (green, amber, red or empty).

    Uses the columns ``rag``, or ``direction``, ``green`` and ``amber``, where the frame has them; else the target
    alone. A figure of which less is better (`direction` down, or a target of 0) is judged by its numerator, the
    others by their percentage.
    """
    target = pd.to_numeric(kpis["target"], errors="coerce")
    direction = kpis["direction"] if "direction" in kpis else pd.Series(pd.NA, index=kpis.index, dtype="object")
    is_down = (direction == "down").fillna(False) | (direction.isna() & (target == 0))
    figure = (
        pd.to_numeric(kpis["numerator"], errors="coerce")
        .astype("Float64")
        .where(is_down, pd.to_numeric(kpis["value"], errors="coerce"))
    )
    green = (pd.to_numeric(kpis["green"], errors="coerce") if "green" in kpis else target).fillna(target)
    amber = (pd.to_numeric(kpis["amber"], errors="coerce") if "amber" in kpis else target).fillna(green)
    sign = is_down.map({True: -1.0, False: 1.0})
    rag = pd.Series("red", index=kpis.index, dtype="object")
    rag = rag.mask((figure * sign >= amber * sign).fillna(False).astype(bool), "amber")
    rag = rag.mask((figure * sign >= green * sign).fillna(False).astype(bool), "green")
    known = (figure.notna() & target.notna()).astype(bool)
    return kpis.assign(rag=rag.where(known, "").astype("str"), is_down=is_down)


def nights_of(trend: pd.DataFrame | None, kpis: pd.DataFrame, as_of: pd.Timestamp, nights: int = 400) -> pd.DataFrame:
    """One row per figure and night (``as_of``, ``code``, ``line``, ``numerator``, ``denominator``, ``value``),
    tonight included, later nights left out, oldest first, the latest `nights` only.
    """
    columns = ["as_of", "code", "line", "numerator", "denominator", "value"]
    tonight = kpis.assign(as_of=as_of)[columns]
    parts = [tonight]
    if trend is not None and len(trend):
        parts.insert(
            0, trend.assign(as_of=pd.to_datetime(trend["as_of"])).loc[lambda frame: frame["as_of"] < as_of, columns]
        )
    every = pd.concat([part for part in parts if len(part)] or [tonight], ignore_index=True)
    every["line"] = every["line"].fillna("")
    for name in ("numerator", "denominator", "value"):
        every[name] = pd.to_numeric(every[name], errors="coerce").astype("Float64").astype("float64")
    kept = sorted(every["as_of"].unique())[-nights:]
    return (
        every[every["as_of"].isin(kept)]
        .drop_duplicates(["as_of", "code", "line"], keep="last")
        .sort_values("as_of", ignore_index=True)
    )


def arrivals(nights: pd.DataFrame) -> pd.Series:
    """What did not arrive in time, by night, oldest first: ``Capita 3 of 5 extracts``; empty for a night on which every extract did.

    `nights` holds figures of nights (``as_of``, ``code``, ``line``, ``numerator``, ``denominator``); K17 counts each system's extracts.
    """
    counted = nights[(nights["code"] == "K17") & nights["line"].str.endswith(": extracts on time")]
    told = [
        f"{system_title(line.partition(':')[0])} {int(came)} of {int(of)} extracts" if came < of else ""
        for line, came, of in zip(counted["line"], counted["numerator"], counted["denominator"], strict=True)
    ]
    words = pd.Series(told, index=pd.to_datetime(counted["as_of"]), dtype="object")
    return words.groupby(level=0, sort=True).agg(lambda systems: "; ".join(filter(None, systems)))


def night_before(trend: pd.DataFrame, as_of: pd.Timestamp) -> str:
    """Which systems did not send all of their extracts in time on the latest earlier night, as a sentence; empty where all did.

    `trend` holds the figures of earlier nights. What came in late then comes back tonight, and looks like news.
    """
    earlier = arrivals(trend[trend["as_of"] < as_of])
    if earlier.empty or not earlier.iloc[-1]:
        return ""
    return (
        f"Compare with care: on the night of {uk_date(earlier.index[-1])} not everything arrived in time ({earlier.iloc[-1]}). Figures of that "
        "night rest in part on earlier copies, and what is new or resolved since may only be the source coming back."
    )


def moved(kpis: pd.DataFrame, every_night: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The KPI frame with ``previous_numerator``, ``previous_value`` and ``change`` (points) since the latest earlier
    night.
    """
    earlier = every_night[every_night["as_of"] < as_of].drop_duplicates(["code", "line"], keep="last")
    before = earlier.set_index(["code", "line"])[["numerator", "value"]].add_prefix("previous_")
    joined = kpis.assign(line=kpis["line"].fillna("")).join(before, on=["code", "line"])
    value = pd.to_numeric(joined["value"], errors="coerce").astype("Float64").astype("float64")
    return joined.assign(change=value - joined["previous_value"])


#: Since when a figure's direction of travel is told: the last night of the month before, and of the quarter before.
SPANS = {"month": "M", "quarter": "Q"}


def travelled(kpis: pd.DataFrame, every_night: pd.DataFrame, as_of: pd.Timestamp) -> pd.DataFrame:
    """The KPI frame with, for each of `SPANS`, ``<span>_on``, ``<span>_numerator``, ``<span>_value`` and ``<span>_change`` (points).

    The night compared with is the last one of the calendar month, or quarter, before; empty where no night was run in it.
    """
    found = kpis.assign(line=kpis["line"].fillna(""))
    for span, unit in SPANS.items():
        before = as_of.to_period(unit) - 1
        nights = every_night[every_night["as_of"].dt.to_period(unit) == before]
        last = nights[nights["as_of"] == nights["as_of"].max()].set_index(["code", "line"])
        facts = last[["as_of", "numerator", "value"]].set_axis(
            [f"{span}_on", f"{span}_numerator", f"{span}_value"], axis=1
        )
        found = found.join(facts, on=["code", "line"])
        value = pd.to_numeric(found["value"], errors="coerce").astype("Float64").astype("float64")
        found[f"{span}_change"] = (value - found[f"{span}_value"].astype("float64")).round(1)
    return found
