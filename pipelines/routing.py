"""To whom each exception goes, and why. Pure: frames and routes in, frames out. Nothing ends up without an owner."""

from __future__ import annotations

from typing import Any

import pandas as pd

from config.routing import Route, Routing
from pipelines.frames import is_open, latest

#: Where a rule names nobody and no route fits.
NOBODY = "Data team"


def known_of(register: pd.DataFrame, involvements: Any, as_of: pd.Timestamp) -> pd.DataFrame:
    """What routes may ask about a child, by child_id: setting (URN), team, caseworker (of the newest open involvement), is_restricted."""
    facts = register.drop_duplicates("child_id").set_index("child_id")
    known = pd.DataFrame({"setting": facts["setting_urn"], "is_restricted": facts["is_restricted"]})
    if involvements is None:
        return known.assign(team=pd.Series(dtype="str"), caseworker=pd.Series(dtype="str"))
    newest = latest(involvements[is_open(involvements, as_of)], "started_on")
    return known.join(newest[["team", "worker"]].rename(columns={"worker": "caseworker"}))


def routed(exceptions: pd.DataFrame, known: pd.DataFrame, routing: Routing) -> pd.DataFrame:
    """Exceptions with ``owner`` and ``owner_why``, by the first route that fits; else the owner that the rule names.

    `known` as `known_of` gives it. Routes that could say where a child is are passed over for a restricted child.
    """
    told = exceptions["owner"].astype("str").str.strip()
    owner = pd.Series(pd.NA, index=exceptions.index, dtype="str")
    why = pd.Series("", index=exceptions.index, dtype="str")
    columns = {name: exceptions[name].astype("str") for name in ("rule", "kind", "severity", "source")}
    columns |= {
        name: exceptions["child_id"].map(known[name]).astype("str").str.strip().replace("", pd.NA)
        for name in ("setting", "team", "caseworker")
    }
    restricted = exceptions["child_id"].map(known["is_restricted"]).astype("boolean").fillna(False).astype(bool)
    for number, route in enumerate(routing.routes, 1):
        fits = _fits(route, columns, restricted) & owner.isna()
        given = columns[route.named] if route.named else pd.Series(route.to.strip(), index=owner.index, dtype="str")
        owner = owner.mask(fits, given)
        why = why.mask(fits, f"route {number} of routing.yml ({', '.join(route.conditions) or 'every exception'})")
    unrouted = owner.isna()
    own = told.replace("", pd.NA).fillna(NOBODY)
    return exceptions.assign(owner=owner.fillna(own), owner_why=why.mask(unrouted, "the rule's own owner"))


def _fits(route: Route, columns: dict[str, pd.Series], restricted: pd.Series) -> pd.Series:
    fits = ~restricted if route.is_telling else pd.Series(True, index=restricted.index)
    for name, values in route.conditions.items():
        fits &= columns[name].str.startswith(values).fillna(False) if name == "rule" else columns[name].isin(values)
    return fits & columns[route.named].notna() if route.named else fits
