"""Small pictures drawn as inline SVG: no library, no script, nothing fetched. Each says in words what it shows.

The numbers stand in a table beside every picture, so a picture is never the only way to read a figure.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import pandas as pd
from markupsafe import Markup


def sparkline(
    values: Sequence[float | None],
    label: str,
    width: int = 120,
    height: int = 30,
    target: float | None = None,
    other: float | None = None,
    nothing: str = "no figure yet",
) -> Markup:
    """A line of a figure over nights with a dot on the last; `label` says it in words. One night alone gives the dot, none the words `nothing`.

    The target is a dashed line and what others come to (`other`) a dotted one, where they are given; both are in the scale.
    """
    known = [(place, float(value)) for place, value in enumerate(values) if value is not None and not pd.isna(value)]
    if not known:
        return Markup(f'<span class="quiet">{escape(nothing)}</span>')
    beside = [(css, float(worth)) for css, worth in (("target", target), ("other", other)) if worth is not None]
    scale = [value for _, value in [*known, *beside]]
    low, high = min(scale), max(scale)
    spread, steps, pad = (high - low) or 1.0, max(len(values) - 1, 1), 4.0
    middle, last = high == low, -1

    def point(place: int, value: float) -> tuple[float, float]:
        x = pad + place * (width - 2 * pad) / steps if len(values) > 1 else width / 2
        y = height / 2 if middle else height - pad - (value - low) / spread * (height - 2 * pad)
        return round(x, 1), round(y, 1)

    runs: list[list[tuple[float, float]]] = []
    for place, value in known:
        # A night without the figure breaks the line.
        if not runs or place - last > 1:
            runs.append([])
        runs[-1].append(point(place, value))
        last = place
    drawn = "".join(
        f'<polyline points="{" ".join(f"{x:g},{y:g}" for x, y in run)}"/>'
        if len(run) > 1
        else f'<circle class="alone" cx="{run[0][0]:g}" cy="{run[0][1]:g}" r="1.5"/>'
        for run in runs
    )
    x, y = runs[-1][-1]
    drawn = (
        "".join(
            f'<line class="{css}" x1="0" x2="{width}" y1="{level:g}" y2="{level:g}"/>'
            for css, worth in beside
            for _, level in [point(0, worth)]
        )
        + drawn
    )
    return Markup(
        f'<svg class="spark" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img" '
        f'aria-label="{escape(label, quote=True)}">{drawn}<circle cx="{x:g}" cy="{y:g}" r="3"/></svg>'
    )


def bar(share: float, css: str = "") -> Markup:
    """A horizontal bar filled to `share` of its cell, for a table's row; the number stands beside it."""
    width = max(0.0, min(1.0, share)) * 100
    return Markup(
        f'<svg class="bar {css}" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true"><rect width="{width:.1f}" height="10"/></svg>'
    )


def stacked(parts: Sequence[tuple[float, str, str]], label: str) -> Markup:
    """One bar of several parts (number, css class, name); `label` says the whole in words. A part without a name is the rest of the bar."""
    total = sum(number for number, _, _ in parts) or 1
    drawn, x = [], 0.0
    for number, css, name in parts:
        width = 100 * number / total
        if number:
            told = f"<title>{escape(name)}: {number:,.0f}</title>" if name else ""
            drawn.append(f'<rect class="{css}" x="{x:.2f}" width="{width:.2f}" height="12">{told}</rect>')
        x += width
    return Markup(
        f'<svg class="stacked" viewBox="0 0 100 12" preserveAspectRatio="none" role="img" aria-label="{escape(label, quote=True)}">{"".join(drawn)}</svg>'
    )


def columns(values: Sequence[tuple[str, int, str]], label: str, height: int = 150) -> Markup:
    """Columns side by side (name, number, css class), each with its number on top and its name below."""
    if not values:
        return Markup()
    step, top, foot = 52, 18, 34
    most = max((number for _, number, _ in values), default=0) or 1
    width = step * len(values)
    drawn = []
    for place, (name, number, css) in enumerate(values):
        x, tall = place * step, number / most * (height - top - foot)
        y, centre = height - foot - tall, place * step + step / 2
        first, _, second = name.partition(" ")
        drawn.append(
            f'<rect class="{css}" x="{x + 7}" y="{y:.1f}" width="{step - 14}" height="{tall:.1f}" rx="1.5"/>'
            f'<text class="number" x="{centre:g}" y="{y - 5:.1f}">{number:,}</text>'
            f'<text x="{centre:g}" y="{height - 20}">{escape(first)}</text><text x="{centre:g}" y="{height - 7}">{escape(second)}</text>'
        )
    base = height - foot + 0.5
    return Markup(
        f'<svg class="columns" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">'
        f'{"".join(drawn)}<line x1="0" x2="{width}" y1="{base}" y2="{base}"/></svg>'
    )
