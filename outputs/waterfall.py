"""How a pair of records came to its weight, as a picture: a bar for each comparison, from what is known of no pair to the sum. No values, only words."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import pandas as pd

_ROW, _TEXT, _BARS, _TOP = 26, 430, 420, 64
_FOR, _AGAINST, _SUM, _INK, _QUIET = "#1F6F54", "#9B1C1C", "#12404F", "#1C2B33", "#5A6872"


def waterfall_svg(parts: pd.DataFrame, title: str, thresholds: Mapping[str, float]) -> str:
    """An SVG of one pair's weight. `parts`: ``comparison``, ``level`` (words) and ``weight``, in order; `thresholds` are drawn as lines by name.

    Bars to the right speak for one child, bars to the left against it; the last bar is the sum. The numbers stand beside the bars.
    """
    ends = parts["weight"].cumsum()
    total = float(ends.iloc[-1])
    scale = [0.0, total, *ends, *thresholds.values()]
    low, high = min(scale), max(scale)
    spread = (high - low) or 1.0
    height = _TOP + (len(parts) + 1) * _ROW + 54
    width = _TEXT + _BARS + 100

    def x(weight: float) -> float:
        return round(_TEXT + (weight - low) / spread * _BARS, 1)

    def bar(place: int, words: str, start: float, end: float, colour: str, shown: float) -> str:
        top = _TOP + place * _ROW
        left, right = sorted((x(start), x(end)))
        return (
            f'<text x="8" y="{top + 15}" fill="{_INK}">{escape(words)}</text>'
            f'<rect x="{left}" y="{top + 3}" width="{max(right - left, 1):.1f}" height="{_ROW - 8}" fill="{colour}"/>'
            f'<text x="{right + 5}" y="{top + 15}" fill="{_INK}" stroke="#FFFFFF" stroke-width="3" paint-order="stroke">{f"{shown:+.1f}" if shown else "0"}</text>'
        )

    drawn = [f'<text x="8" y="24" font-size="16" fill="{_INK}">{escape(title)}</text>']
    # The names of close lines stand under each other.
    for place, (name, weight) in enumerate(thresholds.items()):
        drawn.append(
            f'<line x1="{x(weight)}" x2="{x(weight)}" y1="{_TOP - 6}" y2="{height - 48 + 14 * place}" stroke="{_QUIET}" stroke-dasharray="4 3"/>'
            f'<text x="{x(weight)}" y="{height - 36 + 14 * place}" fill="{_QUIET}" text-anchor="middle">{escape(name)} {weight:g}</text>'
        )
    start = 0.0
    for place, (comparison, level, weight) in enumerate(parts[["comparison", "level", "weight"]].to_numpy().tolist()):
        colour = _FOR if weight > 0 else _AGAINST if weight < 0 else _QUIET
        drawn.append(bar(place, f"{comparison}: {level}"[:66], start, start + weight, colour, weight))
        start += weight
    drawn.append(bar(len(parts), "together", 0.0, total, _SUM, total))
    words = f"{title}: the weight is {total:.1f}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{escape(words)}" font-family="Arial, sans-serif" font-size="12"><rect width="100%" height="100%" fill="#FFFFFF"/>'
        + "".join(drawn)
        + "</svg>"
    )
