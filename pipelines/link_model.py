"""The model of scored links: which comparisons there are, what each level of agreement weighs, and from which weight on a pair is linked.

A file in `config/` (`link_model.json`, the council's own where it has one), written by `ehcp links train` and read every night. A weight is a
log2 Bayes factor, as Splink and Fellegi and Sunter (1969) have it: +1 doubles the odds that two records are one child.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from config.errors import ConfigurationError

#: Version of the comparisons below: a file of another one has levels that this program does not know.
FORMAT = 1
FILE = "link_model.json"
#: As many children as the smallest council is taken to have.
SMALLEST = 4096


@dataclass(frozen=True)
class Model:
    """What scores a pair.

    `join`, `fracture` and `review` are weights: a pair is joined from `join` on; one that was joined on an earlier night is let go only below
    `fracture`; from `review` on a person is asked. `margin` is how much better than the next one a candidate must be. `keep_twins_apart` forbids
    links between two forenames that are both known names, where surname and date of birth agree. `splink` is Splink's own settings.
    """

    version: str
    trained: dict[str, Any]
    join: float
    fracture: float
    review: float
    margin: float
    keep_twins_apart: bool
    splink: dict[str, Any]

    def for_population(self, size: int) -> Model:
        """The same for systems of which the largest holds `size` records: that any two are one child is 1 in so many, as a power of two.

        A power, so that a few children more or fewer move no weight from one night to the next; and a small extract is still of a council.
        """
        prior = 2.0 ** -math.ceil(math.log2(max(size, SMALLEST)))
        return replace(self, splink=self.splink | {"probability_two_random_records_match": prior})

    @property
    def prior_weight(self) -> float:
        """The weight of a pair of which nothing is known."""
        chance = self.splink["probability_two_random_records_match"]
        return math.log2(chance / (1 - chance))

    @property
    def comparisons(self) -> list[str]:
        """The names of the comparisons, in order."""
        return [comparison["output_column_name"] for comparison in self.splink["comparisons"]]

    def level(self, comparison: str, gamma: int) -> str:
        """A level of a comparison in words. Splink counts from the least likely level (0) up; what is not known is -1."""
        return _NOT_KNOWN if gamma < 0 else self._labels(comparison)[gamma]

    def gamma(self, comparison: str, label: str) -> int:
        """Splink's number for a level in words."""
        return self._labels(comparison).index(label)

    def _labels(self, comparison: str) -> list[str]:
        levels = next(c for c in self.splink["comparisons"] if c["output_column_name"] == comparison)[
            "comparison_levels"
        ]
        return [str(level["label_for_charts"]) for level in levels if not level.get("is_null_level")][::-1]


def load_model(path: Path) -> Model:
    """The model in a file. Raises ConfigurationError where it is not one, or its thresholds are out of order."""
    todo = "Train it again with `ehcp links train`, or take the file away to use the one that came with the program."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise ConfigurationError(f"{path} is of another version of the program.", todo)
        model = Model(**content)
    except OSError as error:
        raise ConfigurationError(f"{path} cannot be read: {error.strerror}.", todo) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigurationError(f"{path} holds no model of links: {error}.", todo) from error
    if not model.review <= model.fracture <= model.join:
        raise ConfigurationError(f"{path}: thresholds must rise from review over fracture to join.", todo)
    return model


def save_model(model: Model, path: Path) -> None:
    """Write a model, so that two trainings on the same records give the same file."""
    text = json.dumps({"format": FORMAT} | asdict(model), indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def blank_settings() -> dict[str, Any]:
    """Splink's settings before training: every level with its first guesses, and no blocks, since linking says which pairs are compared."""
    return {
        "link_type": "link_only",
        "sql_dialect": "duckdb",
        "unique_id_column_name": "unique_id",
        "source_dataset_column_name": "source_dataset",
        "probability_two_random_records_match": 2.0**-15,
        "retain_intermediate_calculation_columns": True,
        "retain_matching_columns": True,
        "blocking_rules_to_generate_predictions": [],
        "comparisons": [_comparison(name, levels) for name, levels in _LEVELS.items()],
    }


def _comparison(name: str, levels: list[tuple[str, str, float, float]]) -> dict[str, Any]:
    made: list[dict[str, Any]] = []
    for label, condition, agreeing, by_chance in levels:
        level: dict[str, Any] = {"sql_condition": condition, "label_for_charts": label}
        if label == _NOT_KNOWN:
            level["is_null_level"] = True
        else:
            level |= {"m_probability": agreeing, "u_probability": by_chance}
        if label.startswith("same") and name in RARITY:
            level |= {"tf_adjustment_column": name, "tf_adjustment_weight": 1.0, "tf_minimum_u_value": 1e-4}
        made.append(level)
    return {"output_column_name": name, "comparison_levels": made}


#: Comparisons in which a rare value that agrees weighs more than a common one.
RARITY = ("forename", "surname")
_NOT_KNOWN = "not known in both"
_DOOR = "list_has_any(doors_l, doors_r)"
_POSTCODE = "list_has_any(postcodes_l, postcodes_r)"


def _slip(column: str) -> str:
    """One letter wrong, missing, added or exchanged with its neighbour, in a word of four or more."""
    left, right = f"{column}_l", f"{column}_r"
    return f"least(length({left}), length({right})) > 3 and damerau_levenshtein({left}, {right}) = 1"


def _like(column: str) -> str:
    return f"jaro_winkler_similarity({column}_l, {column}_r) >= 0.85"


#: Comparisons: label, condition over the columns of `link_score.features`, and first guesses: m, how often one child's records are at this level,
#: and the least that u, how often strangers are, is taken to be. The first condition that holds decides.
_LEVELS: dict[str, list[tuple[str, str, float, float]]] = {
    "forename": [
        (_NOT_KNOWN, "forename_l is null or forename_r is null", 0, 0),
        ("same forename", "forename_l = forename_r", 0.90, 1e-3),
        ("known as, or a short form", "list_has_any(forms_l, forms_r)", 0.035, 5e-4),
        ("in the place of the surname", "forename_l = surname_r or surname_l = forename_r", 0.005, 1e-4),
        ("forename one letter out", _slip("forename"), 0.03, 5e-4),
        ("forename alike", _like("forename"), 0.015, 2e-3),
        ("another forename", "ELSE", 0.015, 0.9),
    ],
    "surname": [
        (_NOT_KNOWN, "surname_l is null or surname_r is null", 0, 0),
        ("same surname", "surname_l = surname_r", 0.90, 1e-3),
        ("former, chosen or half of a double surname", "list_has_any(surnames_l, surnames_r)", 0.03, 2e-4),
        ("in the place of the forename", "forename_l = surname_r or surname_l = forename_r", 0.005, 1e-4),
        ("surname one letter out", _slip("surname"), 0.025, 5e-4),
        ("surname alike", _like("surname"), 0.01, 2e-3),
        ("another surname", "ELSE", 0.03, 0.9),
    ],
    "born": [
        (_NOT_KNOWN, "born_l is null or born_r is null", 0, 0),
        ("same date of birth", "born_l = born_r", 0.965, 1e-4),
        ("day and month exchanged", "left(born_l, 4) = left(born_r, 4) and substr(born_l, 5, 2) = right(born_r, 2) and right(born_l, 2) = substr(born_r, 5, 2)", 0.008, 5e-5),
        ("date of birth one digit out", "damerau_levenshtein(born_l, born_r) = 1", 0.014, 1e-3),
        ("1 January of that year", "left(born_l, 4) = left(born_r, 4) and (right(born_l, 4) = '0101' or right(born_r, 4) = '0101')", 0.003, 1e-4),
        ("another date of birth", "ELSE", 0.01, 0.9),
    ],
    "home": [
        (_NOT_KNOWN, "(postcodes_l is null or postcodes_r is null) and (street_l is null or street_r is null)", 0, 0),
        ("same house, street and postcode", f"{_DOOR} and {_POSTCODE}", 0.55, 1e-6),
        ("same house and street", _DOOR, 0.02, 1e-5),
        ("address alike", f"house_l = house_r and {_like('street')}", 0.02, 3e-5),
        ("same house and postcode", f"house_l = house_r and {_POSTCODE}", 0.02, 2e-6),
        ("same street and postcode", f"street_l = street_r and {_POSTCODE}", 0.05, 2e-5),
        ("same postcode", _POSTCODE, 0.12, 1e-4),
        ("same street and town", "street_l = street_r and town_l = town_r", 0.02, 1e-4),
        ("same house and town", "house_l = house_r and town_l = town_r", 0.01, 1e-4),
        ("postcode one letter out", "damerau_levenshtein(postcode_l, postcode_r) = 1", 0.02, 1e-3),
        ("same town", "town_l = town_r", 0.07, 1e-3),
        ("another home", "ELSE", 0.10, 0.9),
    ],
    "sex": [
        (_NOT_KNOWN, "sex_l is null or sex_r is null", 0, 0),
        ("same sex", "sex_l = sex_r", 0.99, 0.5),
        ("another sex", "ELSE", 0.01, 0.3),
    ],
    "upn": [
        (_NOT_KNOWN, "upns_l is null or upns_r is null", 0, 0),
        ("same UPN, present or former", "list_has_any(upns_l, upns_r)", 0.95, 1e-6),
        ("UPN one character out", "damerau_levenshtein(upn_l, upn_r) = 1", 0.01, 1e-5),
        ("another UPN", "ELSE", 0.04, 0.9),
    ],
    "uln": [
        (_NOT_KNOWN, "uln_l is null or uln_r is null", 0, 0),
        ("same ULN", "uln_l = uln_r", 0.98, 1e-6),
        ("another ULN", "ELSE", 0.02, 0.9),
    ],
    "nhs": [
        (_NOT_KNOWN, "nhs_l is null or nhs_r is null", 0, 0),
        ("same NHS number", "nhs_l = nhs_r", 0.98, 1e-6),
        ("another NHS number", "ELSE", 0.02, 0.9),
    ],
}  # fmt: skip
