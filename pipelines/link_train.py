"""Training the model of scored links from the records themselves; nobody needs to say first which are one child.

How often strangers agree (u) is counted by Splink on random pairs. How often one child's records agree (m) is estimated by expectation
maximisation (Fellegi and Sunter 1969, Winkler 1988) within blocks that make most pairs true, on the levels that Splink finds. First guesses
keep a share of the say, so that a slip which a tidy council never shows still counts for what it is; Splink's own estimation has no such
prior, and stops at a level that no true pair has.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from pipelines.link_model import Model, blank_settings
from pipelines.link_score import database, linker_of, score_pairs

#: Pairs of strangers that are counted, the seed of all draws, the most pairs of one block, and rounds of estimation.
DRAWN, SEED, MOST, ROUNDS = 1_000_000, 1, 200_000, 40
#: The share that a first guess keeps in what is learned, and of pairs that teach less than these many.
LEAN, FEWEST = 0.25, 500
#: Weights from which a pair is joined, let go and shown to a person, and the lead over the next candidate, in bits.
JOIN, FRACTURE, REVIEW, MARGIN = 11.0, 7.0, 3.0, 6.0

#: Blocks that make most pairs true, and the comparisons that the block itself decides: those are not learned in it.
_BLOCKS = (
    (("upn",), ("upn",)),
    (("born", "postcode"), ("born", "home")),
    (("born", "house", "street"), ("born", "home")),
    (("surname", "forename", "postcode"), ("surname", "forename", "home")),
    (("surname", "forename", "born"), ("surname", "forename", "born")),
)


def train_model(described: pd.DataFrame, common: dict[str, pd.DataFrame], version: str) -> Model:
    """A model of the records in `described` (`link_score.features` of several systems); `common` is `link_score.rarity`.

    The same records give the same model. `version` is what it will be called.
    """
    sizes = described["source_dataset"].value_counts().sort_index()
    guessed = blank_settings()["comparisons"]
    u = _among_strangers(described, common)
    start = Model(version, {}, JOIN, FRACTURE, REVIEW, MARGIN, True, _settings(guessed, {}, u)).for_population(
        int(sizes.max())
    )
    blocks: dict[str, int] = {}
    counts: dict[str, Any] = {comparison["output_column_name"]: 0.0 for comparison in guessed}
    for columns, decided in _BLOCKS:
        pairs = _pairs_in_block(described, list(columns))
        if pairs.empty:
            continue
        levels = score_pairs(pairs, described, common, start)
        found = _maximise(levels, start, [name for name in start.comparisons if name not in decided])
        counts = {name: counts[name] + found.get(name, 0.0) for name in counts}
        blocks[", ".join(columns)] = len(pairs)
    told = {"records": {str(k): int(v) for k, v in sizes.items()}, "pairs": blocks, "drawn": DRAWN, "seed": SEED}
    trained = Model(version, told, JOIN, FRACTURE, REVIEW, MARGIN, True, _settings(guessed, counts, u))
    return trained.for_population(int(sizes.max()))


def _among_strangers(described: pd.DataFrame, common: dict[str, pd.DataFrame]) -> dict[str, np.ndarray]:
    """How often strangers are at each level, the least likely level first."""
    settings = blank_settings()
    for comparison in settings["comparisons"]:
        for level in comparison["comparison_levels"]:
            level.pop("u_probability", None)
    with database() as api:
        linker = linker_of(api, described, common, settings)
        linker.training.estimate_u_using_random_sampling(max_pairs=DRAWN, seed=SEED)
        learned = linker.misc.save_model_to_json()["comparisons"]
    found = {}
    for comparison, guess in zip(learned, blank_settings()["comparisons"], strict=True):
        counted = np.array([level.get("u_probability") or 0.0 for level in _known(comparison)][::-1])
        least = np.array([level["u_probability"] for level in _known(guess)][::-1])
        counted = np.maximum(counted, least)
        found[comparison["output_column_name"]] = counted / counted.sum()
    return found


def _known(comparison: dict[str, Any]) -> list[dict[str, Any]]:
    return [level for level in comparison["comparison_levels"] if not level.get("is_null_level")]


def _guess(comparison: dict[str, Any]) -> np.ndarray:
    guess = np.array([level["m_probability"] for level in _known(comparison)][::-1])
    return guess / guess.sum()


def _leaning(counts: Any, guess: np.ndarray) -> np.ndarray:
    """Shares of levels from counts of true pairs at each, leaning on the guess, the more so the fewer they are."""
    total = float(np.sum(counts))
    lean = max(LEAN, FEWEST / (FEWEST + total))
    return guess if total == 0 else (1 - lean) * counts / total + lean * guess


def _settings(guessed: list[dict[str, Any]], counts: dict[str, Any], u: dict[str, np.ndarray]) -> dict[str, Any]:
    """Splink's settings with m from `counts` (true pairs at each level) and the first guesses, and with `u`."""
    settings = blank_settings()
    for comparison, guess in zip(settings["comparisons"], guessed, strict=True):
        name = comparison["output_column_name"]
        m = _leaning(counts.get(name, 0.0), _guess(guess))
        for place, level in enumerate(_known(comparison)[::-1]):
            level["m_probability"] = round(float(m[place]), 9)
            level["u_probability"] = round(float(u[name][place]), 9)
    return settings


def _pairs_in_block(described: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Pairs (positions `a` < `b`) of two systems that agree on all these columns; where there are very many, a fixed draw of them."""
    rows = described.dropna(subset=columns)[["unique_id", "source_dataset", *columns]]
    size = rows.groupby(columns)["unique_id"].transform("size")
    pairs = rows[(size > 1) & (size <= 20)].merge(rows, on=columns)
    pairs = pairs[
        (pairs["unique_id_x"] < pairs["unique_id_y"]) & (pairs["source_dataset_x"] != pairs["source_dataset_y"])
    ]
    pairs = (
        pairs[["unique_id_x", "unique_id_y"]].set_axis(["a", "b"], axis=1).sort_values(["a", "b"], ignore_index=True)
    )
    return pairs if len(pairs) <= MOST else pairs.sample(MOST, random_state=SEED).sort_index(ignore_index=True)


def _maximise(levels: pd.DataFrame, start: Model, names: list[str]) -> dict[str, np.ndarray]:
    """How many true pairs are at each level of the comparisons `names`, by expectation maximisation from the guesses of `start`."""
    patterns = levels.groupby([f"gamma_{name}" for name in names]).size().rename("pairs").reset_index()
    pairs = patterns["pairs"].to_numpy()
    by_name = {c["output_column_name"]: c for c in start.splink["comparisons"] if c["output_column_name"] in names}
    u = {name: np.array([level["u_probability"] for level in _known(by_name[name])][::-1]) for name in names}
    guess = {name: _guess(by_name[name]) for name in names}
    gamma = {name: patterns[f"gamma_{name}"].to_numpy() for name in names}
    m, share, found = guess, 0.5, {}
    for _ in range(ROUNDS):
        odds = np.full(len(patterns), np.log(share / (1 - share)))
        for name in names:
            weights = np.append(np.log(m[name] / u[name]), 0.0)  # the last one is for -1: not known
            odds += weights[gamma[name]]
        true = pairs / (1 + np.exp(-odds))
        found = {
            name: np.bincount(gamma[name][gamma[name] >= 0], true[gamma[name] >= 0], minlength=len(u[name]))
            for name in names
        }
        m = {name: _leaning(found[name], guess[name]) for name in names}
        share = float(np.clip(true.sum() / pairs.sum(), 0.01, 0.99))
    return found
