"""Restricted children's whereabouts are masked everywhere, and text that a spreadsheet would run is made harmless."""

from __future__ import annotations

import pandas as pd
import pytest
from test_outputs_frames import SECRET_DETAIL, SECRET_SETTING, SECRET_URN, exceptions, register

from outputs.protect import (
    RESTRICTED,
    WHEREABOUTS_COLUMNS,
    clean_text,
    mask_restricted,
    neutral_csv,
    restricted_children,
    says_where,
    would_run,
)


def test_every_whereabouts_column_of_a_restricted_child_is_masked_even_where_it_is_empty() -> None:
    frame = register(80)
    hidden = frame["is_restricted"]
    frame["home_postcode"] = None
    masked = mask_restricted(frame, frame)
    for column in set(WHEREABOUTS_COLUMNS) & set(frame.columns):
        assert (masked.loc[hidden, column] == RESTRICTED).all(), column
        pd.testing.assert_series_equal(masked.loc[~hidden, column], frame.loc[~hidden, column], check_dtype=False)
    assert SECRET_SETTING not in masked.to_csv() and SECRET_URN not in masked.to_csv()
    assert (frame.loc[hidden, "setting_name"] == SECRET_SETTING).all(), "the frame handed in is unchanged"


@pytest.mark.parametrize(
    ("column", "says"),
    [
        ("setting_type", True),
        ("setting_phase", True),
        ("liquidlogic_postcode", True),
        ("placement_la_code", True),
        ("has_home_education", True),
        ("plan_started_on", False),
        ("placement_from", False),
        ("waiting_days", False),
        ("child_id", False),
        ("need_code", False),
        ("whereabouts_grade", False),
        ("seen_by", False),
    ],
)
def test_a_column_added_later_is_masked_by_its_name(column: str, says: bool) -> None:
    assert says_where(column) == says


@pytest.mark.parametrize(
    ("cohorts", "shown"),
    [
        ("looked_after+out_of_authority", "looked_after+restricted"),
        ("residential", "restricted"),
        ("s61+home_educated", "restricted"),
        ("looked_after", "looked_after+restricted"),
        ("", "restricted"),
        (None, "restricted"),
    ],
)
def test_cohort_words_that_say_where_a_child_is_are_replaced(cohorts: str | None, shown: str) -> None:
    frame = pd.DataFrame({"child_id": ["C1"], "cohorts": [cohorts], "is_restricted": [True]})
    assert mask_restricted(frame, frame)["cohorts"].tolist() == [shown]


@pytest.mark.parametrize("flags", [["Y", "N", None], [True, False, False], ["yes", "no", ""]])
def test_a_restricted_flag_may_be_text_or_true_and_false(flags: list[object]) -> None:
    assert restricted_children(pd.DataFrame({"is_restricted": flags})).tolist() == [True, False, False]


def test_without_the_flag_nobody_is_restricted() -> None:
    frame = pd.DataFrame({"child_id": ["C1"], "setting_name": ["A school"]})
    assert mask_restricted(frame, frame)["setting_name"].tolist() == ["A school"]


def test_evidence_about_a_restricted_child_is_withheld_and_the_record_stays_to_be_looked_up() -> None:
    frame, children = exceptions(400), register(300)
    masked = mask_restricted(frame, children)
    hidden = frame["child_id"].isin(children.loc[children["is_restricted"], "child_id"])
    assert hidden.sum() > 5
    assert SECRET_DETAIL not in masked.to_csv()
    assert (masked.loc[hidden, "detail"] == RESTRICTED).all()
    assert masked["child_id"].equals(frame["child_id"]) and masked["source_id"].equals(frame["source_id"])
    assert masked["severity"].equals(frame["severity"]) and masked["owner"].equals(frame["owner"])
    assert not (masked.loc[hidden, "field"] == "out_of_authority").any()


def test_a_rule_whose_title_tells_where_a_restricted_child_is_is_withheld_and_still_counts() -> None:
    children = pd.DataFrame({"child_id": ["C1", "C2"], "is_restricted": [True, False]})
    frame = pd.DataFrame(
        {
            "child_id": ["C1", "C2", "C1"],
            "rule": ["WH04", "WH04", "RV01"],
            "title": ["Home outside the authority", "Home outside the authority", "Review overdue"],
            "detail": ["x", "x", "x"],
        }
    )
    masked = mask_restricted(frame, children)
    assert masked["rule"].tolist() == [RESTRICTED, "WH04", "RV01"]
    assert masked["title"].tolist() == [RESTRICTED, "Home outside the authority", "Review overdue"]


def test_a_row_without_child_is_masked_by_the_systems_own_number() -> None:
    children = pd.DataFrame({"child_id": ["C1"], "is_restricted": [True], "synergy_id": ["31"], "capita_id": ["200"]})
    frame = pd.DataFrame(
        {
            "child_id": [None, None, None],
            "source": ["synergy", "capita", "capita"],
            "source_id": ["31", "31", "200"],
            "detail": ["a", "b", "c"],
        }
    )
    assert mask_restricted(frame, children)["detail"].tolist() == [RESTRICTED, "b", RESTRICTED]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("bell \x07 null \x00", "bell  null "),
        ("one\r\ntwo\rthree", "one\ntwo\nthree"),
        ("tab\tkept", "tab\tkept"),
        ("half \ud83d pair", "half  pair"),
        ("👩‍👧 שלום", "👩‍👧 שלום"),
        ("", ""),
    ],
)
def test_control_characters_go_and_everything_else_stays(text: str, clean: str) -> None:
    assert clean_text(text) == clean


def test_text_longer_than_a_cell_is_cut_with_a_note() -> None:
    cut = clean_text("x" * 40_000)
    assert len(cut) < 32_767 and cut.endswith("[cut here: the record holds 40,000 characters]")
    assert clean_text("x" * 32_000) == "x" * 32_000


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "\r=1", "\n=1", "＝1", "－1"])
def test_text_that_a_spreadsheet_would_run_is_known(text: str) -> None:
    assert would_run(text)
    neutral = neutral_csv(pd.DataFrame({"text": [text, " " + text, "plain", "a=b"]}))["text"].tolist()
    assert neutral == ["'" + text, "' " + text, "plain", "a=b"]


def test_neutral_csv_leaves_numbers_dates_and_what_is_not_recorded_alone() -> None:
    frame = pd.DataFrame({"n": [-1, 2], "d": pd.to_datetime(["2026-01-01", None]), "t": ["-x", None]})
    neutral = neutral_csv(frame)
    assert neutral["n"].tolist() == [-1, 2] and neutral["d"].isna().tolist() == [False, True]
    assert neutral["t"].tolist()[0] == "'-x" and pd.isna(neutral["t"].tolist()[1])
