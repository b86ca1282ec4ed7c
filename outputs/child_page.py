"""One child on a page: a picture of the years in lanes, and under it the same in tables. Protected by whoever hands it in."""

from __future__ import annotations

from html import escape
from pathlib import Path

import pandas as pd
from markupsafe import Markup

from outputs.about import About
from outputs.render import write_page

_LEFT, _WIDTH, _LANE, _TOP = 130, 1000, 26, 26
#: How each kind of event is drawn: its sign, its lane, its css class.
MARKS = {
    "review completed": ("●", "reviews", "done"), "review missed": ("✕", "reviews", "bad"), "review due": ("○", "reviews", "due"),
    "review meeting": ("▽", "reviews", "quiet"), "final amended plan": ("■", "reviews", "done"), "visit": ("●", "visits", "done"),
    "request received": ("▷", "plan", "quiet"), "exception raised": ("▲", "exceptions", "bad"), "exception resolved": ("△", "exceptions", "done"),
    "decision": ("◆", "exceptions", "quiet"),
}  # fmt: skip


def lifeline(spells: pd.DataFrame, events: pd.DataFrame, first: pd.Timestamp, last: pd.Timestamp) -> Markup:
    """The picture: a bar each spell (lane, started_on, ended_on, text), a sign each event (on, kind, text), over the years from `first` to `last`.

    It says in words what it shows, and nothing is only in the picture: the tables hold the same.
    """
    drawn_events = events[events["kind"].isin(list(MARKS)) & events["on"].between(first, last)]
    lanes = list(dict.fromkeys([*spells["lane"], *(MARKS[kind][1] for kind in drawn_events["kind"])]))
    place = {lane: number for number, lane in enumerate(lanes)}
    height = _TOP + _LANE * max(len(lanes), 1) + 8
    span = max((last - first).days, 1)

    def x(on: pd.Timestamp) -> float:
        return _LEFT + (_WIDTH - _LEFT - 10) * min(max((on - first).days / span, 0.0), 1.0)

    parts = []
    for year in range(first.year + 1, last.year + 1):
        at = x(pd.Timestamp(year, 1, 1))
        parts.append(f'<line class="year" x1="{at:.1f}" x2="{at:.1f}" y1="16" y2="{height}"/><text class="year" x="{at:.1f}" y="12">{year}</text>')  # fmt: skip
    for lane, number in place.items():
        parts.append(f'<text class="lane" x="0" y="{_TOP + _LANE * number + 15}">{escape(lane)}</text>')
    for spell in spells.to_dict("records"):
        begun = first if pd.isna(spell["started_on"]) else spell["started_on"]
        ended = last if pd.isna(spell["ended_on"]) else spell["ended_on"]
        left, right = x(begun), x(ended)
        until = "now" if pd.isna(spell["ended_on"]) else f"{ended:%d %b %Y}"
        told = escape(f"{spell['lane']}: {spell['text']} {begun:%d %b %Y} to {until}")
        css = "missing" if spell["lane"].startswith("missing") else "spell"
        parts.append(
            f'<rect class="{css}" x="{left:.1f}" y="{_TOP + _LANE * place[spell["lane"]] + 3}" width="{max(right - left, 2):.1f}" height="16" rx="2">'
            f"<title>{told}</title></rect>"
        )
    for event in drawn_events.to_dict("records"):
        sign, lane, css = MARKS[event["kind"]]
        told = escape(f"{event['on']:%d %b %Y}: {event['kind']} {event['text']}")
        parts.append(f'<text class="{css}" x="{x(event["on"]):.1f}" y="{_TOP + _LANE * place[lane] + 16}">{sign}<title>{told}</title></text>')  # fmt: skip
    said = f"{len(spells)} spells and {len(drawn_events)} events from {first:%d %b %Y} to {last:%d %b %Y}; the tables below hold the same."
    return Markup(
        f'<svg class="lifeline" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(said, quote=True)}">{"".join(parts)}</svg>'
    )


def write_child(
    path: Path,
    about: About,
    child_id: str,
    is_restricted: bool,
    facts: list[tuple[str, str]],
    records: pd.DataFrame,
    spells: pd.DataFrame,
    reviews: pd.DataFrame,
    events: pd.DataFrame,
    exceptions: pd.DataFrame,
) -> None:
    """Write the page of one child. No names: the child's id and the systems' record numbers. Raises OSError where it cannot be written."""
    last = pd.Timestamp(about.as_of)
    due = reviews.loc[reviews["state"] == "due", "due_on"]
    end = max([last, *due]) + pd.Timedelta(days=20)
    starts = pd.concat([spells["started_on"], events["on"]]).dropna()
    first = max(starts.min() if len(starts) else last, last - pd.DateOffset(years=12)) - pd.Timedelta(days=20)
    open_ones = exceptions[exceptions["status"] != "resolved"]
    write_page(
        path,
        "child.html.j2",
        about=about,
        child_id=child_id,
        is_restricted=is_restricted,
        facts=facts,
        picture=lifeline(spells, events, first, end),
        marks=[(sign, kind, css) for kind, (sign, _, css) in MARKS.items()],
        records=_rows(records),
        spells=_rows(spells.sort_values("started_on", ascending=False)),
        reviews=_rows(reviews),
        events=_rows(events.iloc[::-1]),
        exceptions=_rows(open_ones[["rule", "title", "severity", "status", "first_seen_on", "detail", "fix_in"]]),
    )


def _rows(frame: pd.DataFrame) -> list[dict[str, object]]:
    return [dict(row) for row in frame.astype(object).where(frame.notna(), None).to_dict("records")]
