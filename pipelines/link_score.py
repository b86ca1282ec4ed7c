"""The weight of pairs of records: Splink, on DuckDB, with the comparisons and weights of a model. Pure: the same records give the same weights."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd

from config.identifiers import nhs_is_valid, postcode_key
from pipelines.frames import is_among
from pipelines.link_compare import plain_line, plain_name, prepare_people
from pipelines.link_model import RARITY, Model

#: What DuckDB may take, and where it puts what does not fit: a scratch folder that goes with it.
MEMORY, SPILL, THREADS = "1GB", "20GB", 2
#: Pairs that are scored at once.
BATCH = 200_000
#: Splink is told which pairs to compare, so that it is decided in one place (`link_blocks`).
_NO_BLOCKS: dict[str, Any] = {"blocking_rules_to_generate_predictions": []}
_LISTS = ("forms", "surnames", "postcodes", "doors", "upns")


def features(
    records: pd.DataFrame, people: pd.DataFrame, addresses: pd.DataFrame | None, nicknames: pd.DataFrame
) -> pd.DataFrame:
    """The columns that the model compares, one row for each of `records` (of `prepare_people`), by its index as ``unique_id``.

    Lists: `forms` (forename, known as, and the long forms of both), `surnames` (with chosen, former and the halves of a double one), `postcodes`
    and `doors` (house and street) of now and before, `upns`. Everything else is text. Missing means not known.
    """
    keys = ["source", "source_id"]
    people = people[is_among(people["source_id"], records["source_id"])].drop_duplicates(keys)
    raw = records[keys].merge(people, on=keys, how="left").set_index(records.index)
    frame = pd.DataFrame({"unique_id": records.index, "source_dataset": records["source"]}, index=records.index)
    for name in ("forename", "surname", "upn", "uln"):
        frame[name] = records[name]
    frame["forms"] = _forms(records, nicknames)
    halves = raw["surname"].str.split(r"[-\s]+", regex=True).explode().astype("str")
    chosen = pd.concat([plain_name(raw["preferred_surname"]), plain_name(raw["former_surname"])])
    frame["surnames"] = _lists(records.index, records["surname"], chosen, plain_name(halves), longer_than=2)
    frame["born"] = records["born_on"].dt.strftime("%Y%m%d")
    frame["sex"] = records["sex_code"].where(records["sex_code"].isin(["M", "F"]))
    frame["nhs"] = raw["nhs_number"].where(nhs_is_valid(raw["nhs_number"]))
    frame["upns"] = _lists(records.index, records["upn"], raw["former_upn"])
    frame["postcode"] = records["postcode"]
    homes = _homes(records, raw, addresses)
    frame["postcodes"] = _lists(records.index, records["postcode"], homes["postcode"])
    frame["doors"] = _lists(records.index, homes["house"] + "," + homes["street"])
    last = homes[~homes.index.duplicated(keep="last")].reindex(records.index)
    for name in ("house", "street", "town"):
        frame[name] = last[name]
    return frame


def _forms(records: pd.DataFrame, nicknames: pd.DataFrame) -> pd.Series:
    called = pd.concat([records["forename"], records["known_as"]]).dropna().rename_axis("at").reset_index(name="short")
    long = called.merge(nicknames, on="short").set_index("at")["name"]
    return _lists(records.index, records["forename"], records["known_as"], long)


def _lists(index: pd.Index, *parts: pd.Series, longer_than: int = 0) -> pd.Series:
    """All values of each record, sorted and once each, as Arrow lists; missing where there is none."""
    import pyarrow as pa

    values = pd.concat(parts).dropna()
    values = values[values.str.len() > longer_than]
    at = index.get_indexer(values.index)
    once = pd.DataFrame({"at": at, "value": values.to_numpy()}).drop_duplicates().sort_values(["at", "value"])
    counts = np.bincount(once["at"], minlength=len(index))
    offsets = pa.array(np.concatenate([[0], counts.cumsum()]), pa.int32())
    lists = pa.ListArray.from_arrays(offsets, pa.array(once["value"]), mask=pa.array(counts == 0))
    return pd.Series(pd.arrays.ArrowExtensionArray(lists), index=index)


def _homes(records: pd.DataFrame, raw: pd.DataFrame, addresses: pd.DataFrame | None) -> pd.DataFrame:
    """Every home of each record, the present one last: `postcode`, `house`, `street`, `town` in plain form, by the record's index."""
    columns = ["house", "street", "town", "postcode"]
    homes = raw[columns]
    if addresses is not None:
        at = records.reset_index(names="at")[["at", "source", "source_id"]]
        kept = at.merge(addresses, on=["source", "source_id"]).sort_values(["at", "started_on", "row_id"])
        homes = pd.concat([kept.set_index("at")[columns], homes])
    found = pd.DataFrame({name: plain_line(homes[name]) for name in columns[:3]})
    found["postcode"] = postcode_key(homes["postcode"])
    return found.dropna(how="all")


@contextmanager
def database() -> Iterator[Any]:
    """DuckDB in memory, bounded, for Splink; what spills goes to a scratch folder."""
    import duckdb
    from splink import DuckDBAPI

    with tempfile.TemporaryDirectory() as scratch, duckdb.connect() as connection:
        connection.execute(f"SET memory_limit='{MEMORY}'")
        connection.execute(f"SET threads={THREADS}")
        connection.execute(f"SET temp_directory='{scratch}'")
        connection.execute(f"SET max_temp_directory_size='{SPILL}'")
        yield DuckDBAPI(connection=connection)


def linker_of(api: Any, frame: pd.DataFrame, common: dict[str, pd.DataFrame], settings: dict[str, Any]) -> Any:
    """Splink over the records of `frame` (`features`), one table a system, each column of its stated type."""
    import pyarrow as pa
    from splink import Linker

    kinds = dict.fromkeys(_LISTS, pa.list_(pa.string())) | {"unique_id": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in frame.columns])
    parts = frame.sort_values("unique_id").groupby("source_dataset", sort=True)
    tables = [
        api.register(pa.Table.from_pandas(part, schema, preserve_index=False), dataset_display_name=str(name))
        for name, part in parts
    ]
    linker = Linker(tables, settings, log_level=logging.ERROR, validate_settings=False)
    for name, table in common.items():
        linker.table_management.register_term_frequency_lookup(api.register(table), name)
    return linker


def rarity(records: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """How common each forename and surname is among all records: Splink's term frequencies, two columns each."""
    return {
        name: records[name]
        .value_counts(normalize=True)
        .rename(f"tf_{name}")
        .rename_axis(name)
        .sort_index()
        .reset_index()
        for name in ("forename", "surname")
    }


def weigh(
    pairs: pd.DataFrame,
    people: pd.DataFrame,
    addresses: pd.DataFrame | None,
    nicknames: pd.DataFrame,
    model: Model,
) -> pd.DataFrame:
    """`score_pairs` for pairs by name (source_a, source_id_a, source_b, source_id_b), in their order, with all of them as columns.

    `people` are the records of all systems, sealed ones taken out: how rare a name is and how large the systems are is counted on them.
    """
    keys = ["source", "source_id"]
    sides = {end: pairs[[f"{key}_{end}" for key in keys]].set_axis(keys, axis=1) for end in ("a", "b")}
    chosen = pd.concat(sides.values()).drop_duplicates()
    lived = addresses.merge(chosen, on=keys) if addresses is not None else None
    records = prepare_people(people.merge(chosen, on=keys).drop_duplicates(keys), lived).reset_index(drop=True)
    at = pd.Series(records.index, index=pd.MultiIndex.from_frame(records[keys]))
    positions = pd.DataFrame(
        {end: at.reindex(pd.MultiIndex.from_frame(side)).to_numpy() for end, side in sides.items()}
    )
    low, high = positions.min(axis=1).astype("int64"), positions.max(axis=1).astype("int64")
    names = pd.DataFrame({name: plain_name(people[name]) for name in ("forename", "surname")})
    model = model.for_population(int(people["source"].value_counts().max()))
    described = features(records, people.merge(chosen, on=keys), lived, nicknames)
    scored = score_pairs(pd.DataFrame({"a": low, "b": high}), described, rarity(names), model)
    return pd.concat([pairs.reset_index(drop=True), scored.drop(columns=["a", "b"])], axis=1)


def waterfall(scored: pd.DataFrame, model: Model) -> pd.DataFrame:
    """What makes up each weight, one row a pair and comparison: `pair` (row of `scored`), `comparison`, `level` in words, `weight`.

    `scored` is what `weigh` gave. First of each pair comes what is known of no pair (`before comparing`); the weights of a
    pair add up to its weight. What is not known in both weighs nothing.
    """
    prior = pd.DataFrame(
        {"pair": scored.index, "comparison": "before comparing", "level": "two records of different systems"}
    )
    parts = [prior.assign(weight=scored["weight"] - scored[[f"mw_{name}" for name in model.comparisons]].sum(axis=1))]
    for name in model.comparisons:
        levels = scored[f"gamma_{name}"].map(lambda gamma, name=name: model.level(name, int(gamma)))
        parts.append(
            pd.DataFrame({"pair": scored.index, "comparison": name, "level": levels, "weight": scored[f"mw_{name}"]})
        )
    return pd.concat(parts).sort_values("pair", kind="stable", ignore_index=True)


def score_pairs(
    pairs: pd.DataFrame, described: pd.DataFrame, common: dict[str, pd.DataFrame], model: Model
) -> pd.DataFrame:
    """`pairs` (positions `a` < `b` of two systems) with `weight`, and for each comparison its level (`gamma_*`) and weight (`mw_*`).

    `described` is `features` of at least these records, `common` is `rarity` of everybody. The weights of the comparisons and
    `model.prior_weight` add up to `weight`. The order of the pairs is kept.
    """
    if pairs.empty:
        names = [f"{kind}_{name}" for name in model.comparisons for kind in ("gamma", "mw")]
        return pairs[["a", "b"]].assign(**dict.fromkeys(["weight", *names], 0.0))
    numbered = pairs[["a", "b"]].reset_index(drop=True)
    chosen = described.loc[np.unique(numbered.to_numpy())]
    keys = chosen["source_dataset"] + "-__-" + chosen["unique_id"].astype("str")  # as Splink names a record
    found = []
    with database() as api:
        linker = linker_of(api, chosen, common, model.splink | _NO_BLOCKS)
        for start in range(0, len(numbered), BATCH):
            batch = numbered.iloc[start : start + BATCH]
            sides = {f"join_key_{end}": keys.loc[batch[side]].to_numpy() for side, end in (("a", "l"), ("b", "r"))}
            blocked = api.register(pd.DataFrame(sides).assign(match_key="0"))
            linker.table_management.register_blocked_pairs_for_predict(blocked)
            scored = linker.inference.predict(warning_mode="never")
            found.append(scored.as_duckdbpyrelation().select(_wanted(model)).df())
            scored.drop_table_from_database_and_remove_from_cache()
    return numbered.merge(pd.concat(found), on=["a", "b"], how="left", validate="one_to_one")


def _wanted(model: Model) -> str:
    """The columns of Splink's answer that are used; what a rare name adds is part of its comparison's weight."""
    made = [
        "least(unique_id_l, unique_id_r) AS a, greatest(unique_id_l, unique_id_r) AS b, match_weight AS weight",
        *(f"gamma_{name}" for name in model.comparisons),
        *(
            f"mw_{name} + mw_tf_adj_{name} AS mw_{name}" if name in RARITY else f"mw_{name}"
            for name in model.comparisons
        ),
    ]
    return ", ".join(made)
