"""The queue of clerical review, as people read it and answer it. Pure: frames in, frames out."""

from __future__ import annotations

import pandas as pd

from outputs.protect import RESTRICTED
from pipelines.decisions import PAIR, ordered, pair_key
from pipelines.returns import APPLY, REFUSED, SAME, Field

ANSWER, REASON = "answer", "reason"
#: What people fill in. The answer is kept in small letters; a reason goes with it.
FIELDS = (
    Field(ANSWER, "Answer", "choice", ("Same", "Different", "Unsure")),
    Field(REASON, "Reason", "text", most=500),
)
#: What is shown of each record where names are asked for; a restricted child's postcode is withheld.
PERSONAL = ("surname", "forename", "known_as", "born_on", "sex_code", "upn", "uln", "postcode")
QUEUE_COLUMNS = (
    "record_a", "record_b", "child_a", "child_b", "weight", "how_sure", "agrees", "differs", "asked", "answered",
)  # fmt: skip


def named(pairs: pd.DataFrame, end: str) -> pd.Series:
    """One side of each pair as people write it: ``synergy:600123``."""
    return pairs[f"source_{end}"] + ":" + pairs[f"source_id_{end}"]


def queue(pairs: pd.DataFrame, links: pd.DataFrame, said: pd.DataFrame) -> pd.DataFrame:
    """A night's undecided `pairs` in the columns `QUEUE_COLUMNS`, heaviest first.

    `links` says whose child each record is, `said` are the decisions that stand; ``asked`` says why a pair that was answered is asked about again.
    """
    child = links.set_index(["source", "source_id"])["child_id"]
    last = pd.Series((said["answer"] + " by " + said["who"]).to_numpy(), index=pair_key(said).to_numpy(), dtype="str")
    told = pd.DataFrame({"record_a": named(pairs, "a"), "record_b": named(pairs, "b")})
    for end in ("a", "b"):
        keys = pd.MultiIndex.from_frame(pairs[[f"source_{end}", f"source_id_{end}"]])
        told[f"child_{end}"] = child.reindex(keys).to_numpy()
    told = told.assign(
        weight=pairs["weight"].astype("Float64").round(1),
        how_sure=how_sure(pairs),
        agrees=pairs["agrees"].str.removeprefix("agrees: "),
        differs=pairs["differs"].str.removeprefix("differs: "),
        asked=pairs["asked"].fillna("").astype("str"),
        answered=pair_key(ordered(pairs)).map(last).astype("str").fillna("").to_numpy(),
    )
    return told.sort_values(["weight", "record_a", "record_b"], ascending=[False, True, True], ignore_index=True)


def how_sure(pairs: pd.DataFrame) -> pd.Series:
    """How sure it is that the two are one child, in words: ``likely`` with a shared number or name and date of birth, ``doubtful`` with a number or
    the sex against it, else ``may be``."""
    agree, differ = pairs["agrees"].fillna(""), pairs["differs"].fillna("")
    number = agree.str.contains(r"\b(?:UPN|ULN)\b", regex=True)
    person = agree.str.contains("surname") & agree.str.contains("forename") & agree.str.contains("date of birth")
    against = differ.str.contains(r"\b(?:number|sex)\b", regex=True)
    words = pd.Series("may be", index=pairs.index, dtype="str").mask(number | person, "likely")
    return words.mask(against, "doubtful")


def side_by_side(told: pd.DataFrame, people: pd.DataFrame, restricted: set[str]) -> pd.DataFrame:
    """The queue with both records' personal data (`PERSONAL` with ``_a`` and ``_b``): for the owner's screen or a private file only."""
    record = people["source"] + ":" + people["source_id"]
    found = people[list(PERSONAL)].set_axis(pd.Index(record), axis=0)
    found = found[~found.index.duplicated()]
    hidden = told["child_a"].isin(restricted) | told["child_b"].isin(restricted)
    shown = told.copy()
    for name in PERSONAL:
        for end in ("a", "b"):
            values = found[name].reindex(told[f"record_{end}"]).set_axis(told.index)
            shown[f"{name}_{end}"] = values.astype(object).mask(hidden, RESTRICTED) if name == "postcode" else values
    return shown


def key_of(told: pd.DataFrame) -> pd.Series:
    """The key of a row of the workbook."""
    return told["record_a"] + "|" + told["record_b"]


def handed(told: pd.DataFrame) -> pd.DataFrame:
    """What is remembered of a workbook that is handed out: every cell to fill in is empty."""
    cells = {f"{name}{end}": "" for name in (ANSWER, REASON) for end in ("", ":shown")}
    return pd.DataFrame({"key": key_of(told)}).assign(basis="", **cells)


def pairs_asked(edits: pd.DataFrame) -> pd.DataFrame:
    """The answers of returned edits (``outcome`` apply) as pairs: `PAIR` in order, answer, reason, who, place; by the edits' index."""
    answers = edits[(edits["field"] == ANSWER) & (edits["outcome"] == APPLY) & (edits["new"] != "")]
    reasons = edits[(edits["field"] == REASON) & (edits["new"] != "")].drop_duplicates(["file", "key"], keep="last")
    reason = reasons.set_index(["file", "key"])["new"].reindex(pd.MultiIndex.from_frame(answers[["file", "key"]]))
    sides = answers["key"].str.extract(r"^([^:|]+):([^|]+)\|([^:|]+):(.+)$").set_axis(PAIR, axis=1)
    told = sides.assign(
        answer=answers["new"].str.lower(),
        reason=pd.Series(reason.to_numpy(), index=answers.index).fillna("answered in the review workbook"),
        who=answers["who"],
        place=answers["file"] + ", " + answers["sheet"] + "!" + answers["cell"],
    )
    return ordered(told) if len(told) else told


def judged(edits: pd.DataFrame, objection: pd.Series) -> pd.DataFrame:
    """The edits with the outcome of each answer by `objection` (by index; blank: applied), and reasons that go with no answer refused."""
    why = objection.reindex(edits.index).fillna("")
    edits = edits.assign(
        outcome=edits["outcome"].mask(why != "", REFUSED).mask(why == "unchanged", SAME),
        why=edits["why"].mask(why != "", why).mask(why == "unchanged", "it is so already").astype("str"),
    )
    cleared = (edits["field"] == ANSWER) & (edits["outcome"] == APPLY) & (edits["new"] == "")
    answered = edits[(edits["field"] == ANSWER) & (edits["new"] != "")].drop_duplicates(["file", "key"], keep="last")
    outcome = answered.set_index(["file", "key"])["outcome"]
    of_reason = (edits["field"] == REASON) & (edits["outcome"] == APPLY)
    goes_with = outcome.reindex(pd.MultiIndex.from_frame(edits[["file", "key"]])).set_axis(edits.index)
    alone = of_reason & ~goes_with.isin([APPLY, SAME])
    return edits.assign(
        outcome=edits["outcome"].mask(alone | cleared, REFUSED).mask(of_reason & goes_with.eq(SAME), SAME),
        why=edits["why"].mask(alone, "a reason is taken with the answer beside it").mask(cleared, "take it back with ehcp links undo").astype("str"),
    )  # fmt: skip
