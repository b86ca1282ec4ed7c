"""What the pack of a frozen month says, as frames that its paper and its workbook share: in words, sorted, nothing worked out anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from outputs.about import feed_title, system_title
from outputs.wording import FEED_STATUS, LINES_IN_DAYS, line_title, short_date, titled, uk_date

PART_TITLES = {
    "register": "Register",
    "exceptions": "Exceptions",
    "kpi_values": "Figures",
    "kpi_members": "Children behind the figures",
    "acceptances": "Acceptances of exceptions",
    "feed_acceptances": "Feeds let through",
    "sources": "Sources",
    "moves": "What moved",
    "moved": "Children who moved",
    "causes": "Why figures moved",
    "lateness": "Feeds that were late",
    "explained": "Who explained critical exceptions",
    "caveats": "Caveats",
    "compared": "Comparison",
    "rules": "Rules",
    "restated": "What was restated",
}
#: What stands for the name where nobody has noted, claimed or accepted an open critical exception.
NOBODY = "nobody yet"
#: A figure's fields as the pack names them.
FIELD_TITLES = {
    "value": "Value",
    "numerator": "Meet it",
    "denominator": "Of",
    "not_judged": "Not judged",
    "target": "Target",
    "definition": "What is counted",
}
#: A figure as the frozen rows of the children who moved name it: ``K06/looked_after numerator``.
_FIGURE = r"^(?P<code>[^/ ]+)(?:/(?P<line>.+))? (?P<part>\w+)$"
#: Which part of a figure one child moved in.
_OF_A_CHILD = {"numerator": "meets it", "denominator": "is counted"}
WEIGHT_WORDS = {"block": "Must be put right", "tick": "To be ticked off"}


@dataclass(frozen=True)
class PackFacts:
    """Which month this is, as known when, and what proves it. `frozen_at` is in the council's local time."""

    council: str
    period: str
    version: int
    night: str
    cut_off: str
    frozen_at: datetime
    frozen: str
    follows: str
    parts: Mapping[str, Mapping[str, Any]]
    versions: Mapping[str, str]
    run_id: str
    opening: str | None = None
    reason: str = ""
    who: str = ""

    @property
    def title(self) -> str:
        """``October 2026: the month for sign-off``, and which restatement it is."""
        month = f"{pd.Timestamp(self.period + '-01'):%B %Y}"
        again = f", restatement {self.version - 1}" if self.version > 1 else ""
        return f"{month}: the month for sign-off{again}"

    @property
    def subtitle(self) -> str:
        """Whose month, and as which night knew it."""
        return f"{self.council} · as the night of {uk_date(self.night)} knew it · version {self.version}"


def frame_of(parts: Mapping[str, pd.DataFrame], part: str, *columns: str) -> pd.DataFrame:
    """A part with these columns, empty ones where nothing was frozen in them; text is text."""
    told = parts.get(part, pd.DataFrame(columns=list(columns))).reindex(columns=list(columns))
    texts = [name for name in told if told[name].dtype in ("object", "string")]
    return told.astype(dict.fromkeys(texts, "str"))


def figures(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The figures in the order of the catalogue with rating, last month's value and the change in points (or days)."""
    names = ("code", "line", "title", "numerator", "denominator", "value", "not_judged", "target", "definition")
    told = frame_of(parts, "kpi_values", *names)
    told["line"] = told["line"].fillna("")
    compared = frame_of(parts, "compared", "code", "line", "rag", "previous_value", "place")
    compared["line"] = compared["line"].fillna("")
    told = told.merge(compared, on=["code", "line"], how="left").sort_values("place", ignore_index=True)
    for name in ("numerator", "denominator", "value", "not_judged", "target", "previous_value"):
        told[name] = pd.to_numeric(told[name], errors="coerce").astype("Float64")
    return told.assign(
        line_title=told["line"].map(line_title),
        unit=told["line"].isin(LINES_IN_DAYS).map({True: "days", False: "%"}),
        change=(told["value"] - told["previous_value"]).round(1),
        rag=told["rag"].astype("str").fillna(""),
    )


def moves(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What moved, one row per figure and part, those that stood still left out; counts are children.

    ``why_in`` tells by cause who joined or came (``5 review completed; 1 moved``), ``why_out`` who left or went.
    """
    counts = ["opening", "joined", "came", "left", "went", "closing"]
    told = frame_of(parts, "moves", "code", "line", "part", *counts)
    told["line"] = told["line"].fillna("")
    told = told[(told[["joined", "came", "left", "went"]].fillna(0) != 0).any(axis=1)]
    titles = frame_of(parts, "kpi_values", "code", "title").drop_duplicates("code").set_index("code")["title"]
    told = told.assign(title=told["code"].map(titles), line_title=told["line"].map(line_title))
    told["part_title"] = told["part"].map({"numerator": "meet it", "denominator": "are counted"})
    causes = frame_of(parts, "causes", "code", "line", "part", "cause", "came", "went")
    causes["line"] = causes["line"].fillna("")
    for way, name in (("came", "why_in"), ("went", "why_out")):
        told = told.merge(_why(causes, way, name), on=["code", "line", "part"], how="left")
    return told.sort_values(["code", "line", "part"], ignore_index=True)


def moved(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The children who moved, a row each: the figures that each ``came`` into and ``went`` out of, in words."""
    told = frame_of(parts, "moved", "child_id", "came", "went")
    titles = frame_of(parts, "kpi_values", "code", "title").drop_duplicates("code").set_index("code")["title"]
    for way in ("came", "went"):
        each = told[way].str.split("; ").explode().str.extract(_FIGURE).dropna(subset=["code"])
        line = (": " + each["line"].map(line_title)).where(each["line"].notna(), "")
        figure = (each["code"] + " " + each["code"].map(titles).fillna("") + line).rename("figure")
        of = (
            each["part"].map(_OF_A_CHILD).groupby([each.index, figure], sort=False).agg(", ".join).reset_index("figure")
        )
        told[way] = (of["figure"] + " (" + of["part"] + ")").groupby(level=0).agg("; ".join)
    return told


def _why(causes: pd.DataFrame, way: str, name: str) -> pd.DataFrame:
    """By code, line and part the causes of one way in words, the one of most children first."""
    told = causes[causes[way].fillna(0) > 0].sort_values([way, "cause"], ascending=[False, True])
    words = told[way].astype("str") + " " + told["cause"]
    return words.groupby([told["code"], told["line"], told["part"]]).agg("; ".join).rename(name).reset_index()


def critical(parts: Mapping[str, pd.DataFrame], night: str) -> pd.DataFrame:
    """The critical exceptions that stand, the oldest first, by ids alone, with the rule's title, the age in days, and who explained it last.

    ``explained`` is a name with the day; of an open one that nobody has noted, claimed or accepted it says so.
    """
    names = ("exception_id", "rule", "child_id", "severity", "owner", "status", "first_seen_on")
    told = frame_of(parts, "exceptions", *names)
    told = told[told["severity"] == "critical"]
    titles = frame_of(parts, "rules", "rule", "title").set_index("rule")["title"]
    first = pd.to_datetime(told["first_seen_on"])
    told = told.assign(
        title=told["rule"].map(titles),
        first_seen_on=first,
        age_days=(pd.Timestamp(night) - first).dt.days,
        status=told["status"].map({"open": "Open", "accepted": "Accepted", "not_evaluated": "Could not be checked"}),
    )
    said = frame_of(parts, "explained", "exception_id", "who", "at").set_index("exception_id")
    words = said["who"] + ", " + said["at"].map(short_date)
    told["explained"] = told["status"].map({"Open": NOBODY, "Accepted": "see below"}).astype("str")
    told["explained"] = told["exception_id"].map(words).astype("str").fillna(told["explained"])
    return told.sort_values(["first_seen_on", "rule", "child_id", "exception_id"], ignore_index=True)


def acceptances(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Which exceptions count as accepted: since when, until when, by whom, who proposed it, and why."""
    names = ("exception_id", "rule", "child_id", "severity", "given_on", "until", "who", "proposed_by", "reason")
    told = frame_of(parts, "acceptances", *names)
    dated = told.assign(given_on=pd.to_datetime(told["given_on"]), until=pd.to_datetime(told["until"]))
    return dated.sort_values(["severity", "until", "exception_id"], ignore_index=True)


def sources(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The feeds at the cut-off in words, those that were late first, with how many nights of the month they were late, when last and why.

    ``old_copy_of`` is the night of the copy that stood in at the cut-off; empty where the feed itself was taken.
    """
    names = (
        "system",
        "feed",
        "status",
        "is_late",
        "old_copy_of",
        "rows",
        "accepted",
        "set_aside",
        "nights",
        "nights_late",
        "reason",
    )
    told = frame_of(parts, "sources", *names)
    lateness = frame_of(parts, "lateness", "system", "feed", "last_late_on", "reason")
    told = told.merge(lateness, on=["system", "feed"], how="left", suffixes=("", "_late"))
    told = told.assign(
        system_title=told["system"].map(system_title),
        feed_title=told["feed"].map(feed_title),
        status_title=told["status"].map(lambda status: titled(status, FEED_STATUS)),
        old_copy_of=pd.to_datetime(told["old_copy_of"]).where(told["status"].isin(["missing", "gated", "refused"])),
        last_late_on=pd.to_datetime(told["last_late_on"]),
        reason=told["reason"].where(told["reason"] != "").astype("str").fillna(told["reason_late"].astype("str")),
        is_late=told["is_late"].fillna(False).astype(bool),
    )
    return told.sort_values(
        ["is_late", "nights_late", "system", "feed"], ascending=[False, False, True, True], ignore_index=True
    )


def let_through(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The feeds whose volume moved and that somebody let through: which, who, when, why, and the SHA-256 of the file."""
    told = frame_of(parts, "feed_acceptances", "system", "feed", "who", "at", "reason", "sha256")
    return told.assign(system=told["system"].map(system_title), feed=told["feed"].map(feed_title))


def caveats(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What must be put right and what is ticked off before signing."""
    told = frame_of(parts, "caveats", "id", "weight", "text")
    return told.assign(weight_title=told["weight"].map(WEIGHT_WORDS))


def restated(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """What a restatement changes: figures field by field, and of the other parts how many rows."""
    told = frame_of(parts, "restated", "part", "key", "field", "before", "after").fillna("")
    titles = frame_of(parts, "kpi_values", "code", "title").drop_duplicates("code").set_index("code")["title"]
    of = told["key"].str.partition(" ")
    title = (of[0] + " " + of[0].map(titles).fillna("")).str.strip()
    line = (": " + of[2].map(line_title)).where(of[2] != "", "")
    named = (title + line).where(told["part"] == "kpi_values", told["key"])
    field = told["field"].map(FIELD_TITLES).fillna(told["field"])
    return told.assign(key=named, field=field, part_title=told["part"].map(PART_TITLES))


def proof(facts: PackFacts) -> list[tuple[str, str]]:
    """What identifies the frozen data: labels and texts."""
    compared = uk_date(facts.opening) if facts.opening else "no earlier night"
    return [
        ("Month", facts.period),
        ("Version", str(facts.version)),
        ("Cut-off", uk_date(facts.cut_off)),
        ("Night and run", f"{uk_date(facts.night)}, run {facts.run_id}"),
        ("Compared with", compared),
        ("Hash of the data", facts.frozen),
        ("Journal before it", facts.follows or "nothing: this is its first record"),
        *((f"Version of {name}", value) for name, value in sorted(facts.versions.items())),
    ]
