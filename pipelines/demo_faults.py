"""Known faults, put on clean children of an invented council, so that the answers are known."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from pipelines.demo_council import Council


def plant(council: Council, nights: int) -> list[tuple[str, str, int]]:
    """Put known faults on clean children. Gives (rule, true_id, first night on which it shows, counted from 0)."""
    planted: list[tuple[str, str, int]] = []
    plain = council.children.iloc[: council.plans]
    local = (council.placements["In Authority?"] == "Y").to_numpy()
    clean = plain.index[(plain["liquidlogic"] == "").to_numpy() & local & plain["age"].between(6.2, 15.5).to_numpy()]
    reviewed = set(
        council.reviews.loc[council.reviews["Decision Date"] > council.end - pd.Timedelta(days=300), "Pupil ID"]
    )
    clean = [i for i in clean if plain.at[i, "synergy"] in reviewed]
    take = iter(clean)
    each = max(1, council.plans // 400)

    def fault(rule: str, change: Callable[[int], None], count: int = each, first: int = 0) -> None:
        for _ in range(count):
            child = next(take, None)
            if child is not None:
                change(child)
                planted.append((rule, council.children.at[child, "true_id"], first))

    def put(frame: str, column: str, value: Any) -> Callable[[int], None]:
        def change(child: int) -> None:
            table = getattr(council, frame)
            table.loc[child, column] = value

        return change

    def without_roll(child: int) -> None:
        council.rolls.loc[child, "END_DATE"] = council.end - pd.Timedelta(days=200)

    def unseen(child: int) -> None:
        council.reviews = council.reviews[council.reviews["Pupil ID"] != council.children.at[child, "synergy"]]

    def drop_placement(child: int) -> None:
        council.placements = council.placements.drop(child)

    def lost(child: int) -> None:
        without_roll(child)
        unseen(child)
        council.placements.loc[child, ["Start Date", "End Date"]] = [
            council.end - pd.Timedelta(days=500),
            council.end - pd.Timedelta(days=180),
        ]

    def recorded(child: int) -> None:
        without_roll(child)
        unseen(child)

    def moved(child: int) -> None:
        others = council.places.primary if council.children.at[child, "age"] < 11.6 else council.places.high
        council.rolls.loc[child, "BASE_URN"] = (
            others[0] if council.rolls.loc[child, "BASE_URN"] != others[0] else others[1]
        )

    def waiting(child: int) -> None:
        council.placements.loc[child, "End Date"] = council.end - pd.Timedelta(days=40)
        row = {
            "Wait ID": str(9000 + child),
            "Pupil ID": council.children.at[child, "synergy"],
            "Awaiting Since": council.end - pd.Timedelta(days=40),
            "Type Sought": "Special school",
            "Last Update": council.end - pd.Timedelta(days=10),
        }
        council.awaiting = pd.concat([council.awaiting, pd.DataFrame([row])], ignore_index=True)

    def missing(child: int) -> None:
        row = {
            "CASE_ID": str(78000 + child),
            "STUD_ID": council.children.at[child, "capita"],
            "START_DATE": council.end - pd.Timedelta(days=20),
            "REASON": "Moved, destination unknown",
        }
        council.missing_education = pd.concat([council.missing_education, pd.DataFrame([row])], ignore_index=True)

    fault("PL01", drop_placement)
    fault("PL02", put("placements", "End Date", council.end - pd.Timedelta(days=30)))
    fault("PL04", put("placements", "School URN", ""))
    fault("PL05", put("placements", "School URN", "987654"))
    fault("PL06", put("placements", "School URN", "900001"))
    fault("PL07", put("ehc_plans", "Section I URN", council.places.by_kind["44"][2]))
    fault("PL13", put("placements", "Provision Type", ""))
    fault("WH01", lost)
    fault("WH10", recorded)
    fault("WH02", moved)
    fault("WH07", missing)
    fault("AW01", waiting)
    fault("PD08", put("ehc_plans", "Cease Reason", "2"))
    fault("PD03", put("requests", "Decision Date", council.end + pd.Timedelta(days=300)))
    fault("ID05", put("children", "upn", "A883123456789"))
    for name, last_seen, back in (("synergy", nights - 2, nights), ("capita", nights - 2, nights)):
        child = next(take, None)
        if child is not None and nights >= 2 and not (name == "capita" and nights < 3):
            council.gone.append((name, council.children.at[child, name], last_seen, back))
            planted.append(("SR08", council.children.at[child, "true_id"], last_seen + 1))
    return planted
