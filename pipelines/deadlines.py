"""Statutory clocks, as columns: when something is due, by which provision. Pure functions of dates; nothing reads the clock."""

from __future__ import annotations

import pandas as pd

from pipelines.frames import dates_in


def twelve_months_from(base: pd.Series) -> pd.Series:
    """Last day of the 12 months that begin with `base` (Children and Families Act 2014, s. 44(1)).

    That is the day before the anniversary. A period that begins on 29 February has no anniversary in other years and
    ends on 28 February.
    """
    is_leap_day = (base.dt.month == 2) & (base.dt.day == 29)
    anniversary = base + pd.DateOffset(years=1)
    return anniversary.where(is_leap_day, anniversary - pd.Timedelta(days=1)).astype("datetime64[us]")


def next_review_due(started_on: pd.Series, last_completed_on: pd.Series, transferred_on: pd.Series) -> pd.Series:
    """When the next annual review must be complete, that is, its decision notified.

    Twelve months from the later of plan start and the last completed review; for a plan transferred in, the later of that
    and three months from the transfer (SEND Regulations 2014, reg. 15(5)). Missing where there is no plan start.
    """
    base = started_on.where(~(last_completed_on > started_on), last_completed_on)
    due = twelve_months_from(base)
    after_transfer = (transferred_on + pd.DateOffset(months=3)).astype("datetime64[us]")
    return due.where(~(after_transfer > due), after_transfer)


def compulsory_school_age_from(born_on: pd.Series) -> pd.Series:
    """The prescribed day (31 December, 31 March or 31 August) on or after the fifth birthday (Education Act 1996, s. 8(2))."""
    fifth = born_on + pd.DateOffset(years=5)
    year = fifth.dt.year
    march, august, december = dates_in(year, 3, 31), dates_in(year, 8, 31), dates_in(year, 12, 31)
    return march.where(fifth <= march, august.where(fifth <= august, december)).where(born_on.notna())


def compulsory_school_age_to(born_on: pd.Series) -> pd.Series:
    """The last Friday of June in the school year (1 September to 31 August) in which the young person turns 16 (s. 8(3))."""
    sixteenth = born_on + pd.DateOffset(years=16)
    year = sixteenth.dt.year + (sixteenth.dt.month >= 9)
    end_of_june = dates_in(year, 6, 30)
    return end_of_june - pd.to_timedelta((end_of_june.dt.day_of_week - 4) % 7, unit="D")


def too_old_after(born_on: pd.Series) -> pd.Series:
    """The 31 July that ends the academic year (1 August to 31 July) in which the young person turned 25 (reg. 46)."""
    turned = born_on + pd.DateOffset(years=25)
    return dates_in(turned.dt.year + (turned.dt.month >= 8), 7, 31)


def academic_age(born_on: pd.Series, as_of: pd.Timestamp) -> pd.Series:
    """Age on the 31 August before the school year that contains the day: what national curriculum years go by."""
    start = as_of.year if as_of.month >= 9 else as_of.year - 1
    return (start - born_on.dt.year - (born_on.dt.month >= 9)).astype("Int64")


def overdue_band(days_late: pd.Series) -> pd.Series:
    """How late, in the bands 0-3, 3-6, 6-12 and over 12 months; missing where not late."""
    bands = pd.cut(
        days_late.astype("Float64"),
        [0, 91, 182, 365, float("inf")],
        labels=["0-3 months", "3-6 months", "6-12 months", "over 12 months"],
    )
    return bands.astype("str").where(bands.notna())
