"""A month as frozen rows: frames made plain, a hash a row, a hash a part, one hash for all; and two freezes compared. Pure.

Rows speak of `child_id` alone: no name, no record number of a system, no evidence in words. What rests on a restricted child's whereabouts is withheld
before it is frozen. A row that has to be erased loses its content and keeps its hash, so that the month can still be verified.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from outputs.figures import judged
from outputs.protect import mask_restricted, restricted_children
from pipelines.acts import resting_on
from pipelines.chain import canonical, digest
from pipelines.frames import is_among

#: The parts of a freeze and what tells their rows apart. The first ones can be read from history again; the others are drawn from them.
PARTS: dict[str, tuple[str, ...]] = {
    "register": ("child_id",),
    "exceptions": ("exception_id",),
    "kpi_values": ("code", "line"),
    "kpi_members": ("child_id",),
    "acceptances": ("exception_id",),
    "feed_acceptances": ("system", "feed", "sha256"),
    "sources": ("system", "feed"),
    "moves": ("code", "line", "part"),
    "moved": ("child_id",),
    "causes": ("code", "line", "part", "cause"),
    "lateness": ("system", "feed"),
    "explained": ("exception_id",),
    "caveats": ("id",),
    "compared": ("code", "line"),
    "rules": ("rule",),
    "restated": ("part", "key", "field"),
}
OF_HISTORY = ("register", "exceptions", "kpi_values", "kpi_members", "acceptances", "feed_acceptances", "sources")
#: Columns of a register that name records of the systems, or the row of one.
_RECORDS = r"^(?!child_id$).*_(?:id|from)$"
_EXCEPTION = (
    "exception_id", "rule", "child_id", "field", "severity", "kind", "owner", "status", "on_old_data", "first_seen_on", "reopened_on", "rests_on",
)  # fmt: skip
ROW_COLUMNS = ("part", "key", "content", "hash")


def register_part(register: pd.DataFrame) -> pd.DataFrame:
    """The register without record numbers, and without whereabouts where a child is restricted."""
    kept = mask_restricted(register, register)
    return kept.drop(columns=kept.filter(regex=_RECORDS).columns)


def exceptions_part(exceptions: pd.DataFrame, register: pd.DataFrame) -> pd.DataFrame:
    """The exceptions that stand; of what each found, a short hash (``rests_on``) instead of the words."""
    standing = mask_restricted(exceptions[exceptions["status"] != "resolved"], register)
    return standing.assign(rests_on=resting_on(standing["detail"]))[list(_EXCEPTION)]


def members_part(members: pd.DataFrame, register: pd.DataFrame, telling: Iterable[str]) -> pd.DataFrame:
    """One row a child: the figures it is counted in (``counted``) and those it meets (``meets``), as ``K06/looked_after`` with blanks between.

    A line of `telling` (or a part of one) says where a child is: of a restricted child it is left out.
    """
    secret = set(register.loc[restricted_children(register), "child_id"])
    shown = members[~(members["line"].str.split(":").str[0].isin(set(telling)) & is_among(members["child_id"], secret))]
    shown = shown.sort_values(["child_id", "code", "line"])
    line = shown["line"].fillna("").astype(object)
    figure = (shown["code"].astype(object) + ("/" + line).where(line != "", "")) + " "
    met = figure.where(shown["in_numerator"].fillna(False).astype(bool), "")
    said = pd.DataFrame({"child_id": shown["child_id"], "counted": figure, "meets": met})
    told = said.groupby("child_id", as_index=False)[["counted", "meets"]].sum()
    return told.assign(**{name: told[name].astype("str").str.strip() for name in ("counted", "meets")})


def sources_part(feeds: pd.DataFrame, nights: pd.DataFrame) -> pd.DataFrame:
    """The feeds at the cut-off, with how many nights of the month each expected one was late (`nights`: ``night`` and the columns of feeds)."""
    at_cut_off = feeds[
        [
            "system",
            "feed",
            "status",
            "is_expected",
            "is_stale",
            "old_copy_of",
            "rows",
            "accepted",
            "set_aside",
            "reason",
        ]
    ].assign(is_late=late(feeds))
    counted = nights.assign(is_late=late(nights)).groupby(["system", "feed"])["is_late"].agg(["size", "sum"])
    counted = counted.set_axis(["nights", "nights_late"], axis=1).astype("Int64").reset_index()
    return at_cut_off.merge(counted, on=["system", "feed"], how="left")


def lateness_part(nights: pd.DataFrame) -> pd.DataFrame:
    """The expected feeds that were late in the month: on which night the last time, and why. `nights` as in `sources_part`."""
    last = nights[late(nights)].sort_values("night").drop_duplicates(["system", "feed"], keep="last")
    told = last[["system", "feed", "night", "reason"]].rename(columns={"night": "last_late_on"})
    return told.assign(last_late_on=pd.to_datetime(told["last_late_on"]))


def late(feeds: pd.DataFrame) -> pd.Series:
    """Which feeds were expected and not there: missing, gated or refused, or older than they may be."""
    absent = feeds["status"].isin(["missing", "gated", "refused"]) | feeds["is_stale"].fillna(False)
    return (absent & feeds["is_expected"].fillna(False)).astype(bool)


def moves_part(
    bridges: pd.DataFrame, before: set[str], after: set[str], withheld: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """What moved and why, from `bridges` (see `changes.bridges`); `before` and `after` are the children with a plan at either end.

    The first frame has, by code, line and part, ``opening`` + ``joined`` + ``came`` - ``left`` - ``went`` = ``closing`` in children: joined and left
    are those whose plan began or ended in between, came and went those who had one at both ends and were then counted otherwise. The second names the
    children, a row each, in ``came`` and ``went`` as ``K01/line numerator``; an id that `bridges` withheld stays out.
    """
    keys = bridges[["code", "line", "part"]].reset_index(drop=True)
    ids = {name: bridges[name].reset_index(drop=True).str.split().explode() for name in ("ids_in", "ids_out")}

    def of(name: str, others: set[str]) -> pd.Series:
        new = ids[name].notna() & (ids[name] != withheld) & ~is_among(ids[name], others)
        return new.groupby(level=0).sum().astype("int64")

    joined, left = of("ids_in", before), of("ids_out", after)
    numbers = bridges.reset_index(drop=True)
    moves = keys.assign(
        opening=numbers["opening"],
        joined=joined,
        came=numbers["children_in"] - joined,
        left=left,
        went=numbers["children_out"] - left,
        closing=numbers["closing"],
    )
    line = keys["line"].fillna("").astype(object)
    figure = keys["code"].astype(object) + ("/" + line).where(line != "", "") + " " + keys["part"].astype(object)
    parts = [
        pd.DataFrame({"child_id": who, "way": way, "figure": figure.reindex(who.index)})
        for way, who in (("came", ids["ids_in"]), ("went", ids["ids_out"]))
    ]
    named = pd.concat(parts).dropna(subset=["child_id"])
    named = named[~named["child_id"].isin(["", withheld])].sort_values(["child_id", "way", "figure"])
    named["figure"] = named["figure"] + "; "
    wide = named.pivot_table(index="child_id", columns="way", values="figure", aggfunc="sum")
    wide = wide.reindex(columns=["came", "went"]).astype("str").fillna("")
    moved = wide.apply(lambda text: text.str.removesuffix("; ")).reset_index()
    return moves, moved.rename_axis(columns=None)


def causes_part(bridges: pd.DataFrame) -> pd.DataFrame:
    """Why each figure moved, from `bridges` by cause: how many children ``came`` and ``went`` by each cause, who joined and left among them.

    Over the causes of a line they add up to what `moves_part` tells: joined + came, and left + went.
    """
    told = bridges[["code", "line", "part", "cause", "children_in", "children_out"]]
    return told.rename(columns={"children_in": "came", "children_out": "went"})


def compared_part(figures: pd.DataFrame, before: pd.DataFrame | None, targets: Mapping[str, Any]) -> pd.DataFrame:
    """Beside each figure its place in the list, its rating by the targets of today, and its value in the month before (`before`, figures as well)."""
    rated = judged(
        figures.assign(
            **{
                name: figures["code"].map({code: target.get(name) for code, target in targets.items()})
                for name in ("direction", "green", "amber")
            }
        )
    )
    told = rated[["code", "line"]].assign(rag=rated["rag"].mask(rated["rag"] == ""), place=range(len(rated)))
    told["line"] = told["line"].fillna("")
    if before is None or before.empty:
        return told
    earlier = before.reindex(columns=["code", "line", "value"]).rename(columns={"value": "previous_value"})
    earlier["line"] = earlier["line"].astype("str").fillna("")
    return told.merge(earlier, on=["code", "line"], how="left")


def frozen_rows(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The rows of all parts (`ROW_COLUMNS`), sorted. Raises ValueError where a key comes twice: it would hide a row."""
    found = []
    for part, frame in parts.items():
        rows = _plain(frame)
        keys = [" ".join(str(row.get(name, "")) for name in PARTS[part]).strip() for row in rows]
        if len(set(keys)) < len(keys):
            raise ValueError(f"{part}: a key ({', '.join(PARTS[part])}) comes more than once")
        texts = [canonical(row) for row in rows]
        hashes = [row_hash(part, key, text) for key, text in zip(keys, texts, strict=True)]
        found.append(pd.DataFrame({"part": part, "key": keys, "content": texts, "hash": hashes}, dtype="str"))
    return pd.concat(found, ignore_index=True).sort_values(["part", "key"], ignore_index=True)[list(ROW_COLUMNS)]


def row_hash(part: str, key: str, content: str) -> str:
    """The hash of one frozen row."""
    return digest(f"{part}\n{key}\n{content}")


def part_hashes(rows: pd.DataFrame) -> dict[str, dict[str, Any]]:
    """By part how many rows it has and the hash of their hashes, which an erased row still has."""
    return {
        str(part): {"rows": len(hashes), "hash": digest("\n".join(sorted(hashes)))}
        for part, hashes in rows.groupby("part")["hash"]
    }


def frozen_hash(parts: Mapping[str, Mapping[str, Any]]) -> str:
    """The one hash of a frozen month, from `part_hashes`."""
    return digest(canonical(parts))


def part_frames(rows: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The parts as frames again, dates as text, erased rows left out."""
    import json

    kept = rows[rows["content"].notna()]
    return {
        str(part): pd.DataFrame([json.loads(text) for text in texts]).convert_dtypes()
        for part, texts in kept.groupby("part")["content"]
    }


def changed_since(frozen: pd.DataFrame, everything: pd.DataFrame, shown: pd.DataFrame) -> pd.DataFrame:
    """What history says today otherwise than the frozen rows: part, key, and what became of it (changed, gone, new).

    `everything` is what history holds, `shown` the same as people may read it: what an adoption closed since then is gone from `shown`, and is no difference.
    """
    hashes = set(frozen["hash"])
    frozen = frozen[frozen["part"].isin(OF_HISTORY) & frozen["content"].notna()]
    keys = ["part", "key"]
    then = frozen[[*keys, "hash"]].merge(everything[[*keys, "hash"]], on=keys, how="left", suffixes=("", "_now"))
    then = then[then["hash"] != then["hash_now"]]
    became = then["hash_now"].isna().map({True: "gone", False: "changed"})
    here = pd.MultiIndex.from_frame(shown[keys])
    new = shown[shown["part"].isin(OF_HISTORY) & ~here.isin(pd.MultiIndex.from_frame(frozen[keys]))]
    new = new[~new["hash"].isin(hashes)]  # of an erased row only the hash is left
    told = pd.concat([then[keys].assign(became=became), new[keys].assign(became="new")], ignore_index=True)
    return told.sort_values(keys, ignore_index=True)


def difference(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """What a restatement changes, as rows ``part``, ``key``, ``field``, ``before``, ``after``: every field of a figure, and for the other parts how many
    rows are new, gone and changed."""
    of = [frame[frame["part"].isin(OF_HISTORY)] for frame in (before, after)]
    figures = [part_frames(frame).get("kpi_values", pd.DataFrame()) for frame in of]
    long = [
        _long(frame, ["value", "numerator", "denominator", "not_judged", "target", "definition"]) for frame in figures
    ]
    both = long[0].merge(long[1], on=["key", "field"], how="outer", suffixes=("_before", "_after"))
    both = both[both["text_before"].fillna("") != both["text_after"].fillna("")]
    told = [
        pd.DataFrame(
            {
                "part": "kpi_values",
                "key": both["key"],
                "field": both["field"],
                "before": both["text_before"],
                "after": both["text_after"],
            }
        )
    ]
    keys = ["part", "key"]
    rows = of[0].merge(of[1], on=keys, how="outer", suffixes=("_before", "_after"))
    rows = rows[(rows["part"] != "kpi_values") & (rows["hash_before"] != rows["hash_after"])]
    became = pd.Series("changed", index=rows.index).mask(rows["hash_after"].isna(), "gone")
    became = became.mask(rows["hash_before"].isna(), "new")
    counted = became.groupby([rows["part"], became.rename("became")]).size().rename("rows").reset_index()
    told.append(
        pd.DataFrame(
            {
                "part": counted["part"],
                "key": "rows",
                "field": counted["became"],
                "before": "",
                "after": counted["rows"].astype("str"),
            }
        )
    )
    return pd.concat(told, ignore_index=True).fillna("").astype("str")


def _long(figures: pd.DataFrame, fields: list[str]) -> pd.DataFrame:
    if figures.empty:
        return pd.DataFrame(columns=["key", "field", "text"], dtype="str")
    line = figures["line"] if "line" in figures else pd.Series("", index=figures.index)
    key = (figures["code"].astype("str") + " " + line.fillna("").astype("str")).str.strip()
    long = figures.reindex(columns=fields).astype("str").assign(key=key)
    return long.melt("key", var_name="field", value_name="text").dropna(subset=["text"])


def _plain(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of plain values; what is not known is left out of its row."""
    columns = {}
    for name in frame:
        values = frame[name]
        if str(values.dtype).startswith("datetime64"):
            values = values.dt.strftime("%Y-%m-%d")
        columns[str(name)] = values.astype(object).where(values.notna(), None).tolist()
    return [
        {name: value for name, value in zip(columns, row, strict=True) if value is not None}
        for row in zip(*columns.values(), strict=True)
    ]
