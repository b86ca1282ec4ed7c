"""Why two records are, or are not, one child: the passes tried, the guards that stopped it, the weight and what it is made of. In words, no values."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import pandas as pd

from config.settings import config_file
from outputs.waterfall import waterfall_svg
from pipelines.decisions import PAIR, ordered, pair_key, standing
from pipelines.link import PASSES, placed_for_adoption
from pipelines.link_codes import encode
from pipelines.link_compare import KEPT_TIMES, OFTEN, compare_pairs, prepare_people
from pipelines.link_model import FILE, Model, load_model
from pipelines.link_night import unsealed
from pipelines.link_score import waterfall, weigh
from pipelines.rawstore import private_folder, read_snapshot
from pipelines.review_files import review_folder
from pipelines.store import Store, snapshot_folder
from pipelines.store_links import decisions_shown, people_of_newest

#: What stops a link whatever else agrees, as `link_compare` flags it.
GUARDS = {
    "number_conflict": "their UPNs or ULNs are different numbers",
    "sex_conflict": "the sex differs",
    "is_closed": "one record is closed: died, merged, or not born yet",
    "is_sibling": "a twin or namesake: one system holds both children",
    "is_common": "the name and date of birth are several children's",
    "is_placed": "a child was placed for adoption: another surname needs a number",
    "is_often": "a name and birthday of many: needs a number or a home",
}
#: The comparisons of the model in words, where its own names are none.
COMPARISONS = {"born": "date of birth", "upn": "UPN", "uln": "ULN", "nhs": "NHS number"}
#: What the thresholds of the model do.
THRESHOLDS = {"review": "a person is asked from", "fracture": "kept from", "join": "joined from"}


@dataclass(frozen=True)
class Explained:
    """`now`: what holds tonight, in a sentence; `steps` (step, outcome), `parts` (comparison, level, weight) and the `picture` of them; where the two
    are records of one system, which are never linked, there is neither."""

    now: str
    steps: pd.DataFrame
    parts: pd.DataFrame
    picture: Path | None


def explain(store: Store, pair: pd.DataFrame) -> Explained:
    """Explain one pair (`PAIR`, one row) on the newest night's records. Raises ConfigurationError where these are no longer kept."""
    links = store.links().set_index(["source", "source_id"])
    ends = [tuple(pair[PAIR[at : at + 2]].iloc[0]) for at in (0, 2)]
    children = [links.loc[end, "child_id"] for end in ends]
    is_one = children[0] == children[1]
    hows = " and ".join(dict.fromkeys(str(links.loc[end, "how"]) for end in ends))
    now = f"One child, {children[0]}: {hows}." if is_one else f"Two children, {children[0]} and {children[1]}."
    if ends[0][0] == ends[1][0]:
        steps = pd.DataFrame({"step": ["one record of each system in a child"], "outcome": ["stops it"]})
        return Explained(now, steps, pd.DataFrame(columns=["comparison", "level", "weight"]), None)
    people, addresses = _records(store)
    care = read_snapshot(snapshot_folder(store.settings, store.newest_run()["run_id"]), "care_placements")
    nicknames = pd.read_csv(config_file(None, "nicknames.csv"), dtype="str")
    passes = _passes(pair, people, addresses, care, nicknames, is_one)
    steps = pd.concat([_decided(store, pair), passes], ignore_index=True)
    model = load_model(config_file(store.settings.config_dir, FILE))
    [(parts, picture)] = _drawn(store, pair, people, addresses, nicknames, model)
    total = parts["weight"].sum()
    reached = [
        f"{words} {getattr(model, name):g}" for name, words in THRESHOLDS.items() if total >= getattr(model, name)
    ]
    outcome = f"{total:.1f}: {reached[-1] if reached else f'nobody is asked (below {model.review:g})'}"
    scored = pd.DataFrame({"step": ["weight by the model"], "outcome": [outcome]})
    return Explained(now, pd.concat([steps, scored], ignore_index=True), parts.round({"weight": 2}), picture)


def pictures_of_child(store: Store, child_id: str) -> list[Path]:
    """A picture of the weight of each two records of a child, drawn on the newest night's records. None where the child has one record or none."""
    links = store.links()
    mine = links.loc[links["child_id"] == child_id, ["source", "source_id"]].to_numpy().tolist()
    if len(mine) < 2:
        return []
    pairs = ordered(pd.DataFrame([[*one, *other] for one, other in combinations(mine, 2)], columns=PAIR, dtype="str"))
    people, addresses = _records(store)
    nicknames = pd.read_csv(config_file(None, "nicknames.csv"), dtype="str")
    model = load_model(config_file(store.settings.config_dir, FILE))
    return [picture for _, picture in _drawn(store, pairs, people, addresses, nicknames, model)]


def _records(store: Store) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The newest night's people, sealed ones left out, and addresses."""
    sealed, _ = store.closed_by_adoption()
    folder = snapshot_folder(store.settings, store.newest_run()["run_id"])
    return unsealed(people_of_newest(store), sealed), read_snapshot(folder, "addresses")


def _drawn(
    store: Store,
    pairs: pd.DataFrame,
    people: pd.DataFrame,
    addresses: pd.DataFrame | None,
    nicknames: pd.DataFrame,
    model: Model,
) -> list[tuple[pd.DataFrame, Path]]:
    """Of each pair what its weight is made of (comparison, level, weight), and the picture of it."""
    told = waterfall(weigh(pairs, people, addresses, nicknames, model), model).replace({"comparison": COMPARISONS})
    folder = private_folder(private_folder(review_folder(store.settings)) / "explained")
    thresholds = {words: getattr(model, name) for name, words in THRESHOLDS.items()}
    found = []
    for place, row in enumerate(pairs[PAIR].to_numpy().tolist()):  # a child has three records at most
        parts = told.loc[told["pair"] == place, ["comparison", "level", "weight"]].reset_index(drop=True)
        named = [f"{row[0]}:{row[1]}", f"{row[2]}:{row[3]}"]
        picture = folder / f"{'-'.join(named)}.svg".replace(":", "_")
        picture.write_text(waterfall_svg(parts, " and ".join(named), thresholds), encoding="utf-8")
        found.append((parts, picture))
    return found


def _decided(store: Store, pair: pd.DataFrame) -> pd.DataFrame:
    """What people and the never-link list say of the pair."""
    said = standing(decisions_shown(store))
    said = said[pair_key(said).isin(pair_key(pair)).to_numpy()]
    never = store.history("never_links")
    never = never[pair_key(never).isin(pair_key(pair)).to_numpy()]
    told = [f"{answer} by {who}" for answer, who in said[["answer", "who"]].to_numpy()]
    return pd.DataFrame(
        {
            "step": ["decision", "never-link list"],
            "outcome": ["; ".join(told) or "none", "; ".join(never["why"]) or "not on it"],
        }
    )


def _passes(
    pair: pd.DataFrame,
    people: pd.DataFrame,
    addresses: pd.DataFrame | None,
    care: pd.DataFrame | None,
    nicknames: pd.DataFrame,
    is_one: bool,
) -> pd.DataFrame:
    """Which guards stop the pair, and which passes hold for it."""
    records = prepare_people(people, addresses).sort_values(["source", "source_id"], kind="stable", ignore_index=True)
    records["is_placed"] = placed_for_adoption(records, care)
    at = pd.Series(records.index, index=pd.MultiIndex.from_frame(records[["source", "source_id"]]))
    positions = pd.DataFrame(
        {end: [at.loc[tuple(pair[PAIR[place : place + 2]].iloc[0])]] for end, place in (("a", 0), ("b", 2))}
    )
    flags = compare_pairs(encode(records), nicknames, positions)
    flags["namesakes"] /= KEPT_TIMES if is_one else 1
    flags["is_often"] = flags["name_same"] & flags["born_same"] & (flags["namesakes"] >= OFTEN)
    rows = [(f"guard: {words}", "against it" if flags[flag].iloc[0] else "no") for flag, words in GUARDS.items()] + [
        (f"pass: {label}", "holds" if condition(flags).iloc[0] else "does not hold") for label, condition in PASSES
    ]
    return pd.DataFrame(rows, columns=["step", "outcome"])
