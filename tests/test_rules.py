"""Rules as drawn tables: the boundary day and the day after, the excused case and the missing value.

A row whose last column holds x must be found, every other row must not. Columns that a rule does not read need not be drawn.
"""

from __future__ import annotations

import pandas as pd
import pytest

from checks.engine import Context, catalogue, evaluate
from config.canonical import TABLES
from config.limits import load_limits

LIMITS = load_limits()
DAY = pd.Timestamp(2026, 5, 26)
FLAGS = {"yes": True, "no": False, "": None}


def drawn(text: str) -> tuple[pd.DataFrame, list[str]]:
    """A table drawn with bars: dates, whole numbers, yes and no are read as such; blank is missing."""
    rows = [[cell.strip() for cell in line.split("|")] for line in text.strip().splitlines()]
    frame = pd.DataFrame(rows[1:], columns=rows[0])
    faults = frame.loc[frame.pop("fault") == "x", "child"].tolist()
    frame = frame.rename(columns={"child": "child_id"})
    for name in frame.columns.drop("child_id"):
        told = frame[name][frame[name] != ""]
        if name.startswith(("is_", "has_", "on_register", "decides", "last_was_seen")):
            frame[name] = frame[name].map(FLAGS).astype("boolean")
        elif name.endswith(("_on", "since")) or name == "on" or name == "too_old_after":
            frame[name] = pd.to_datetime(frame[name].where(frame[name] != "")).astype("datetime64[us]")
        elif len(told) and told.str.fullmatch(r"-?\d+").all() and not name.endswith(("_code", "_urn", "urn", "_id")):
            frame[name] = pd.to_numeric(frame[name].where(frame[name] != "")).astype("Int64")
        else:
            frame[name] = frame[name].where(frame[name] != "").astype("str")
    return frame, faults


def check(code: str, text: str) -> None:
    """Run one rule on a drawn table and compare whom it finds. What is not drawn is in scope and says nothing."""
    rule = catalogue()[code]
    frame, faults = drawn(text)
    if rule.scope and rule.scope not in frame:
        frame[rule.scope] = True
    for name in [*rule.fields, *rule.needs]:
        if name not in frame:
            frame[name] = pd.Series(pd.NA, index=frame.index, dtype="str")
    if not isinstance(rule.severity, str):
        frame[rule.severity.flag] = True
    result = evaluate(Context({rule.looks_at: frame}, dict.fromkeys(TABLES, "fresh"), DAY, LIMITS), {code: rule})
    assert sorted(result.findings["child_id"]) == sorted(faults)


CASES = {
    "SR01": """
        child   | feed     | is_expected | status   | fault
        gone    | pupils   | yes         | missing  | x
        here    | pupils   | yes         | accepted |
        gated   | pupils   | yes         | gated    |
        not due | pupils   | no          | missing  |
    """,
    "SR02": """
        child | feed   | is_stale | fault
        old   | pupils | yes      | x
        fresh | pupils | no       |
    """,
    "SR03": """
        child  | feed   | is_volume_moved | previous_rows | rows | fault
        moved  | pupils | yes             | 1000          | 1150 | x
        stayed | pupils | no              | 1000          | 1100 |
    """,
    "SR04": """
        child | feed   | line | reason | fault
        bad   | pupils | 7    | no key | x
        none  | pupils |      |        |
    """,
    "SR05": """
        child   | feed  | column | value | fault
        unknown | plans | Status | Q     | x
        blank   | plans | Status |       |
    """,
    "SR06": """
        child   | feed           | reason           | fault
        changed | home_education | new column Extra | x
        same    | home_education |                  |
    """,
    "SR07": """
        child | feed   | row_id | line | fault
        twice | pupils | 310577 | 9    | x
        blank | pupils |        | 9    |
    """,
    "SR08": """
        child   | source  | feed   | is_on_register | fault
        gone    | synergy | pupils | yes            | x
        context | synergy | pupils | no             |
    """,
    "ID01": """
        child  | absent_from | fault
        absent | Capita      | x
        both   |             |
    """,
    "ID02": """
        child    | cohort   | has_plan_flag | has_plan | age | fault
        no plan  | disabled | yes           | no       | 25  | x
        planned  | disabled | yes           | yes      | 12  |
        too old  | disabled | yes           | no       | 26  |
        no flag  | disabled | no            | no       | 12  |
    """,
    "ID03": """
        child  | sharers | on_register | fault
        shared | 2       | yes         | x
        own    | 1       | yes         |
        other  | 2       | no          |
    """,
    "ID04": """
        child | upn_count | fault
        two   | 2         | x
        one   | 1         |
        none  | 0         |
    """,
    "ID05": """
        child   | upn           | is_upn_valid | is_upn_code | on_register | fault
        wrong   | A801200005001 | no           | no          | yes         | x
        right   | B801200005001 | yes          | no          | yes         |
        code    | UN1           | no           | yes         | yes         |
        blank   |               | no           | no          | yes         |
        context | A801200005001 | no           | no          | no          |
    """,
    "ID06": """
        child | age | has_identifier | fault
        six   | 6   | no             | x
        five  | 5   | no             |
        known | 6   | yes            |
        ageless |   | no             |
    """,
    "ID07": """
        child   | born_difference             | fault
        swapped | capita: day and month swapped | x
        same    |                             |
    """,
    "ID08": """
        child | name_difference   | fault
        other | surname in capita | x
        same  |                   |
    """,
    "ID09": """
        child | sex_difference     | fault
        other | capita and synergy | x
        same  |                    |
    """,
    "ID10": """
        child   | pair         | on_register | fault
        ours    | capita 2001  | yes         | x
        context | capita 2002  | no          |
    """,
    "ID11": """
        child  | twins_of | on_register | fault
        double | 2        | yes         | x
        single | 1        | yes         |
        other  | 2        | no          |
    """,
    "ID12": """
        child    | closed_as | has_active_plan | fault
        deceased | deceased  | yes             | x
        alive    |           | yes             |
        context  | merged    | no              |
    """,
    "WH01": """
        child    | whereabouts_grade | fault
        lost     | not_known         | x
        missing  | missing           |
        recorded | recorded          |
    """,
    "WH02": """
        child | is_roll_elsewhere | fault
        other | yes               | x
        same  | no                |
    """,
    "WH03": """
        child | has_home_address | fault
        none  | no               | x
        known | yes              |
    """,
    "WH04": """
        child        | is_home_outside | is_looked_after | home_la_code | fault
        outside      | yes             | no              | 881          | x
        looked after | yes             | yes             | 881          |
        inside       | no              | no              | 883          |
    """,
    "WH05": """
        child        | postcode_count | is_looked_after | is_restricted | fault
        two          | 2              | no              | no            | x
        one          | 1              | no              | no            |
        looked after | 2              | yes             | no            |
        restricted   | 2              | no              | yes           |
    """,
    "WH06": """
        child   | on_register | is_open | started_on | fault
        missing | yes         | yes     | 2026-05-26 | x
        found   | yes         | no      | 2026-05-01 |
        context | no          | yes     | 2026-05-26 |
    """,
    "WH07": """
        child  | has_active_plan | is_open | started_on | fault
        gone   | yes             | yes     | 2026-05-26 | x
        closed | yes             | no      | 2026-05-01 |
    """,
    "WH08": """
        child | is_care_residential_school | residential_code | fault
        day   | yes                        |                  | x
        board | yes                        | A                |
        home  | no                         |                  |
    """,
    "WH09": """
        child   | is_in_authority | is_out_of_authority | fault
        away    | yes             | yes                 | x
        local   | no              | no                  | x
        right   | yes             | no                  |
        unknown |                 | yes                 |
    """,
    "WH10": """
        child  | whereabouts_grade | fault
        only   | recorded          | x
        seen   | seen              |
        lost   | not_known         |
    """,
    "PL01": """
        child | has_placement_row | fault
        none  | no                | x
        some  | yes               |
    """,
    "PL02": """
        child  | has_placement_row | last_placement_ended_on | has_open_or_future_row | fault
        ended  | yes               | 2026-05-26              | no                     | x
        open   | yes               | 2026-05-01              | yes                    |
        never  | no                |                         | no                     |
    """,
    "PL03": """
        child | main_count | fault
        two   | 2          | x
        one   | 1          |
    """,
    "PL04": """
        child | identifiers | fault
        none  | 0           | x
        one   | 1           |
        two   | 2           | x
    """,
    "PL05": """
        child   | urn    | is_known | fault
        unknown | 987654 | no       | x
        known   | 900100 | yes      |
        blank   |        | no       |
    """,
    "PL06": """
        child     | closed_on  | fault
        today     | 2026-05-26 | x
        tomorrow  | 2026-05-27 |
        open      |            |
    """,
    "PL07": """
        child | is_attending_elsewhere | fault
        other | yes                    | x
        same  | no                     |
    """,
    "PL08": """
        child   | is_provision_fitting | fault
        wrong   | no  | x
        right   | yes |
        unknown | |
    """,
    "PL09": """
        child   | age | low_age | high_age | fault
        below   | 3   | 4       | 11       | x
        lowest  | 4   | 4       | 11       |
        highest | 11  | 4       | 11       |
        above   | 12  | 4       | 11       | x
        unknown |     | 4       | 11       |
    """,
    "PL10": """
        child | boarding_words                    | fault
        wrong | boards in Capita, not in Synergy  | x
        right |                                   |
    """,
    "PL11": """
        child | is_named_unapproved | fault
        named | yes                 | x
        other | no                  |
    """,
    "PL12": """
        child  | is_home_educated | roll_urns | fault
        both   | yes              | 900100    | x
        home   | yes              |           |
        school | no               | 900100    |
    """,
    "PL13": """
        child | provision_type | fault
        blank |                | x
        known | Special        |
    """,
    "AW01": """
        child   | awaiting         | fault
        nothing | nothing_in_place | x
        interim | interim          |
        placed  |                  |
    """,
    "AW02": """
        child   | awaiting         | fault
        interim | interim          | x
        nothing | nothing_in_place |
    """,
    "AW03": """
        child   | is_school_age | is_in_place | born_on    | fault
        out     | yes           | no          | 2015-01-01 | x
        in      | yes           | yes         | 2015-01-01 |
        older   | no            | no          | 2008-01-01 |
    """,
    "AW04": """
        child     | is_neet | age | fault
        fifteen   | yes     | 15  | x
        sixteen   | yes     | 16  |
        last      | yes     | 25  |
        too old   | yes     | 26  | x
        in school | no      | 12  |
    """,
    "AW05": """
        child    | waiting_touched_on | fault
        31 days  | 2026-04-25         | x
        30 days  | 2026-04-26         |
        unknown  |                    |
    """,
    "PD01": """
        child | row_id | started_on | fault
        blank | 1      |            | x
        known | 2      | 2020-01-01 |
    """,
    "PD02": """
        child    | received_on | decided_on | outcome_on | started_on | ceased_on  | fault
        in order | 2024-01-01  | 2024-02-01 | 2024-05-01 | 2024-05-01 |            |
        decided  | 2024-03-01  | 2024-02-01 | 2024-05-01 | 2024-05-01 |            | x
        ceased   | 2024-01-01  | 2024-02-01 | 2024-05-01 | 2024-05-01 | 2024-04-30 | x
        gaps     | 2024-01-01  |            |            | 2024-05-01 |            |
    """,
    "PD03": """
        child    | event      | on         | fault
        tomorrow | decided_on | 2026-05-27 | x
        today    | decided_on | 2026-05-26 |
    """,
    "PD04": """
        child    | issue_days | has_exception | received_on | fault
        141      | 141        | no            | 2026-01-01  | x
        140      | 140        | no            | 2026-01-01  |
        excused  | 200        | yes           | 2026-01-01  |
        unknown  |            | no            |             |
    """,
    "PD05": """
        child   | is_undecided | open_days | fault
        43      | yes          | 43        | x
        42      | yes          | 42        |
        decided | no           | 60        |
    """,
    "PD06": """
        child   | open_days | has_exception | fault
        141     | 141       | no            | x
        140     | 140       | no            |
        excused | 200       | yes           |
    """,
    "PD07": """
        child | plan_difference                    | fault
        apart | ceased in Capita, active in Synergy | x
        alike |                                    |
    """,
    "PD08": """
        child       | ceased_on  | cease_reason_code | fault
        date only   | 2026-05-01 |                   | x
        reason only |            | 2                 | x
        both        | 2026-05-01 | 2                 |
        neither     |            |                   |
    """,
    "PD09": """
        child    | too_old_after | born_on    | fault
        past     | 2026-05-25    | 2000-01-01 | x
        last day | 2026-05-26    | 2000-01-01 |
        unknown  |               |            |
    """,
    "PD10": """
        child     | transferred_on | transferred_from_la_code | fault
        no date   |                | 881                      | x
        no place  | 2025-01-01     |                          | x
        both      | 2025-01-01     | 881                      |
        neither   |                |                          |
    """,
    "PD11": """
        child   | started_on | fault
        before  | 2014-08-31 | x
        first   | 2014-09-01 |
        unknown |            |
    """,
    "PD12": """
        child   | age | too_old_after | born_on    | fault
        25      | 25  | 2026-07-31    | 2001-01-01 | x
        24      | 24  | 2027-07-31    | 2002-01-01 |
        too old | 25  | 2026-05-25    | 2000-08-01 |
    """,
    "PD13": """
        child   | open_days | has_exception | fault
        113     | 113       | no            | x
        112     | 112       | no            |
        140     | 140       | no            | x
        141     | 141       | no            |
        excused | 120       | yes           |
    """,
    "RV01": """
        child     | next_review_due_on | last_completed_review_on | fault
        yesterday | 2026-05-25         | 2025-05-26               | x
        today     | 2026-05-26         | 2025-05-27               |
        never     | 2026-05-25         |                          |
        unknown   |                    | 2025-05-26               |
    """,
    "RV02": """
        child    | next_review_due_on | last_completed_review_on | fault
        never    | 2026-05-25         |                          | x
        not yet  | 2026-05-26         |                          |
        reviewed | 2026-05-25         | 2025-05-26               |
    """,
    "RV03": """
        child      | row_id | met_on     | met_days | decided_on | is_superseded | fault
        29 days    | 1      | 2026-04-27 | 29       |            | no            | x
        28 days    | 2      | 2026-04-28 | 28       |            | no            |
        decided    | 3      | 2026-04-27 | 29       | 2026-05-20 | no            |
        superseded | 4      | 2026-04-27 | 29       |            | yes           |
    """,
    "RV04": """
        child    | row_id | outcome_code | met_on     | met_days | amendments_sent_on | final_plan_on | fault
        29 days  | 1      | A            | 2026-04-27 | 29       |                    |               | x
        28 days  | 2      | A            | 2026-04-28 | 28       |                    |               |
        sent     | 3      | A            | 2026-04-27 | 29       | 2026-05-20         |               |
        maintain | 4      | M            | 2026-04-27 | 29       |                    |               |
        final    | 5      | A            | 2026-04-27 | 29       |                    | 2026-05-25    |
    """,
    "RV05": """
        child    | row_id | outcome_code | met_on     | met_days | final_plan_on | fault
        85 days  | 1      | A            | 2026-03-02 | 85       |               | x
        84 days  | 2      | A            | 2026-03-03 | 84       |               |
        final    | 3      | A            | 2026-03-02 | 85       | 2026-05-20    |
        maintain | 4      | M            | 2026-03-02 | 85       |               |
    """,
    "RV06": """
        child    | row_id | met_on     | report_sent_on | decided_on | amendments_sent_on | final_plan_on | plan_started_on | fault
        early    | 1      | 2026-03-02 |                | 2026-03-01 |                    |               | 2020-01-01      | x
        future   | 2      | 2026-05-27 |                |            |                    |               | 2020-01-01      | x
        pre-plan | 3      | 2019-12-31 |                |            |                    |               | 2020-01-01      | x
        in order | 4      | 2026-03-02 | 2026-03-02     | 2026-03-20 | 2026-03-20         | 2026-05-01    | 2020-01-01      |
    """,
    "RV07": """
        child  | is_latest | recorded_due_on | next_review_due_on | fault
        other  | yes       | 2026-06-01      | 2026-07-01         | x
        same   | yes       | 2026-07-01      | 2026-07-01         |
        blank  | yes       |                 | 2026-07-01         |
    """,
    "RV08": """
        child    | phase_due_on | phase_final_on | fault
        deadline | 2026-05-26   |                | x
        tomorrow | 2026-05-27   |                |
        in time  | 2026-05-26   | 2026-05-25     |
        late     | 2026-05-26   | 2026-05-26     | x
    """,
    "RV12": """
        child   | phase_due_on | phase_final_on | fault
        90 days | 2026-08-24   |                | x
        91 days | 2026-08-25   |                |
        final   | 2026-08-24   | 2026-05-01     |
        missed  | 2026-05-26   |                |
    """,
    "RV09": """
        child   | next_review_due_on | fault
        today   | 2026-05-26         | x
        90 days | 2026-08-24         | x
        91 days | 2026-08-25         |
        overdue | 2026-05-25         |
    """,
    "RV10": """
        child | row_id | met_on     | same_day_children | fault
        26    | 1      | 2026-03-02 | 26                | x
        25    | 2      | 2026-03-02 | 25                |
    """,
    "RV11": """
        child   | last_meeting_on | capita_meeting_on | fault
        differ  | 2026-03-02      | 2026-03-03        | x
        same    | 2026-03-02      | 2026-03-02        |
        one     | 2026-03-02      |                   |
    """,
    "VS01": """
        child | cohort | state      | fault
        never | s61    | never_seen | x
        due   | s61    | first_not_due |
    """,
    "VS02": """
        child | cohort | state       | fault
        late  | s61    | overdue     | x
        fine  | s61    | in_interval |
    """,
    "VS03": """
        child   | cohort | last_was_seen | fault
        unseen  | s61    | no            | x
        seen    | s61    | yes           |
        unknown | s61    |               |
    """,
    "VS04": """
        child | visited_on | impossible    | fault
        wrong | 2026-05-27 | in the future | x
        right | 2026-05-26 |               |
    """,
    "VS05": """
        child   | cohort | visit_due_on | fault
        today   | s61    | 2026-05-26   | x
        28 days | s61    | 2026-06-23   | x
        29 days | s61    | 2026-06-24   |
        overdue | s61    | 2026-05-25   |
    """,
    "VS06": """
        child | is_cohort_undecided | fault
        unsure | yes                | x
        sure   | no                 |
    """,
}


@pytest.mark.parametrize("code", sorted(CASES))
def test_rule(code):
    check(code, CASES[code])


def test_every_rule_is_drawn():
    assert sorted(CASES) == sorted(catalogue())


def test_every_rule_says_what_to_do():
    for rule in catalogue().values():
        assert rule.title and rule.about and rule.owner and rule.fix_in and rule.todo and rule.basis, rule.code


def test_a_rule_without_any_copy_is_not_evaluated():
    rule = catalogue()["WH06"]
    result = evaluate(Context({}, {"missing_episodes": "none"}, DAY, LIMITS), {"WH06": rule})
    assert result.findings.empty
    assert result.results.loc[0, "state"] == "not_evaluated"
    assert "missing episodes" in result.results.loc[0, "reason"]


def test_what_no_extract_carries_is_not_evaluated():
    frame = pd.DataFrame({"child_id": ["a"], "recorded_due_on": [pd.NaT]})
    result = evaluate(
        Context({"reviews": frame}, dict.fromkeys(TABLES, "fresh"), DAY, LIMITS), {"RV07": catalogue()["RV07"]}
    )
    assert result.results.loc[0, "reason"] == "no extract carries a recorded date of the next review"


def test_a_rule_about_faults_only_counts_what_it_was_asked_of():
    feeds = pd.DataFrame({"rows": [200, 40]})
    frame, _ = drawn(CASES["SR04"])
    frame = frame.assign(source="synergy")
    context = Context({"set_aside": frame, "feeds": feeds}, dict.fromkeys(TABLES, "fresh"), DAY, LIMITS)
    counts = evaluate(context, {"SR04": catalogue()["SR04"]}).results.loc[0]
    assert (counts["looked_at"], counts["found"]) == (240, 1)


def test_evidence_about_a_place_is_hidden_for_a_restricted_child():
    frame, _ = drawn("child | urn | is_known | is_open_of_active_plan | fault\nhidden | 987654 | no | yes | x")
    context = Context({"placements": frame}, dict.fromkeys(TABLES, "fresh"), DAY, LIMITS, frozenset(["hidden"]))
    assert evaluate(context, {"PL05": catalogue()["PL05"]}).findings["detail"].tolist() == ["restricted"]
