"""Working days in England, and the month that they close. Bank holidays come from the `holidays` library, which carries them years ahead;
a new one that Parliament declares comes with its next version (`uv lock --upgrade-package holidays`).
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import islice

from config.errors import ConfigurationError


def working_day(year: int, month: int, number: int) -> date:
    """The n-th working day of a month: Monday to Friday, without England's bank holidays."""
    from holidays import country_holidays

    closed = country_holidays("GB", subdiv="ENG", years=year)
    first = date(year, month, 1)
    days = (first + timedelta(days=passed) for passed in range(31))
    return next(islice((day for day in days if day.weekday() < 5 and day not in closed), number - 1, None))


def month_after(period: str) -> tuple[int, int]:
    """Year and month after a period ``2026-10``."""
    year, month = month_of(period)
    return (year + month // 12, month % 12 + 1)


def month_of(period: str) -> tuple[int, int]:
    """Year and month of a period. Raises ConfigurationError where it is none."""
    year, _, month = period.partition("-")
    if not (len(period) == 7 and year.isdigit() and month.isdigit() and 1 <= int(month) <= 12 and int(year) >= 2000):
        raise ConfigurationError(f"{period} is no month.", "Give it as 2026-10.")
    return int(year), int(month)


def cut_off(period: str, number: int) -> date:
    """The day on which a month is closed: the n-th working day of the month after it."""
    return working_day(*month_after(period), number)


def newest_closed(day: date, number: int) -> str:
    """The newest month whose cut-off is not after a day."""
    last = day.replace(day=1) - timedelta(days=1)
    if cut_off(f"{last:%Y-%m}", number) > day:
        last = last.replace(day=1) - timedelta(days=1)
    return f"{last:%Y-%m}"
