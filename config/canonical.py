"""The canonical tables: every frame that travels between rooms has one of these shapes.

Declared once, here, because every room may import `config`: profiles map a source's columns onto these names,
`checks.contracts` turns each table into a pandera schema, and the documentation is generated from them.

Field names follow the national standards (SEN2, SSDA903, CBDS). Dates end in ``_on``, timestamps in ``_at``, codes in
``_code``; flags begin with ``is_`` or ``has_``. Kinds and their pandas types:

=========  ====================  =====================================================================
kind       dtype                 meaning
=========  ====================  =====================================================================
``id``     ``str``               an identifier; never a number, so leading zeros survive
``text``   ``str``               free text
``code``   ``str``               a value of a closed list, decoded by the profile's code map
``date``   ``datetime64[us]``    a calendar day (midnight, no time zone)
``flag``   ``boolean``           yes, no or not recorded
``number`` ``Int64``             a whole number
=========  ====================  =====================================================================
"""

from __future__ import annotations

from dataclasses import dataclass

DTYPES = {"id": "str", "text": "str", "code": "str", "date": "datetime64[us]", "flag": "boolean", "number": "Int64"}

#: Where a row comes from. ``source_id`` is the person's key in that source, ``row_id`` the row's own key;
#: ``file`` and ``line`` say where it stands in the extract; ``carried_on`` is the last night on which a fresh,
#: accepted feed held it (added when a night's tables are put together, not by a connector).
ORIGIN = {"source": "id", "source_id": "id", "row_id": "id", "file": "text", "line": "number"}


@dataclass(frozen=True)
class Table:
    """A canonical table: its columns with their kinds, in order, and which of them a row cannot do without."""

    name: str
    about: str
    columns: dict[str, str]
    needed: tuple[str, ...] = ("source_id", "row_id")
    #: Reference tables describe no child, so they carry no person key.
    is_reference: bool = False

    @property
    def all_columns(self) -> dict[str, str]:
        """Origin columns first, then the table's own."""
        return ORIGIN | self.columns

    @property
    def dtypes(self) -> dict[str, str]:
        """The pandas dtype of every column, origin included."""
        return {name: DTYPES[kind] for name, kind in self.all_columns.items()}


def _table(name: str, about: str, is_reference: bool = False, needed: tuple[str, ...] = (), **columns: str) -> Table:
    keys = () if is_reference else ("source_id", "row_id")
    return Table(name, about, columns, needed=keys + needed, is_reference=is_reference)


_TABLES = (
    _table(
        "people",
        "one row per person record of a source",
        upn="id",
        former_upn="id",
        uln="id",
        nhs_number="id",
        upn_unknown_code="code",
        alternative_id="id",
        surname="text",
        forename="text",
        known_as="text",
        preferred_surname="text",
        former_surname="text",
        born_on="date",
        is_birth_estimated="flag",
        sex_code="code",
        ethnicity_code="code",
        need_code="code",
        nc_year="text",
        house="text",
        street="text",
        town="text",
        postcode="text",
        home_la_code="code",
        sen_status_code="code",
        died_on="date",
        merged_on="date",
    ),
    _table(
        "addresses",
        "addresses that a source keeps apart from the person, with their dates",
        type_code="code",
        started_on="date",
        ended_on="date",
        house="text",
        street="text",
        town="text",
        postcode="text",
        is_restricted="flag",
    ),
    _table(
        "requests",
        "requests for an EHC needs assessment, with the decision and the outcome (SEN2 modules 2 and 3)",
        received_on="date",
        request_source_code="code",
        decided_on="date",
        decision_code="code",
        outcome_on="date",
        outcome_code="code",
        has_exception="flag",
    ),
    _table(
        "plans",
        "EHC plans as each education system holds them (SEN2 modules 4 and 5)",
        request_id="id",
        maintaining_la_code="code",
        started_on="date",
        ceased_on="date",
        cease_reason_code="code",
        named_urn="id",
        named_ukprn="id",
        named_setting_code="code",
        named_setting_name="text",
        transferred_from_la_code="code",
        transferred_on="date",
        need_code="code",
    ),
    _table(
        "placements",
        "a child in a setting, as the casework system commissions it (SEN2 PlacementDetail)",
        urn="id",
        ukprn="id",
        setting_code="code",
        setting_name="text",
        provision_type="text",
        rank_code="code",
        started_on="date",
        ended_on="date",
        residential_code="code",
        is_in_authority="flag",
        has_sen_unit="flag",
        has_resourced_provision="flag",
    ),
    _table(
        "rolls",
        "school rolls; enrolment status C single, M main, S subsidiary, G guest",
        urn="id",
        setting_name="text",
        enrol_status_code="code",
        started_on="date",
        ended_on="date",
        is_boarder="flag",
    ),
    _table(
        "care_placements",
        "placements of looked-after children (SSDA903 episodes)",
        care_id="id",
        care_started_on="date",
        legal_status_code="code",
        started_on="date",
        ended_on="date",
        placement_code="code",
        provider_code="code",
        postcode="text",
        home_postcode="text",
        care_end_code="code",
        is_long_term="flag",
    ),
    _table(
        "reviews",
        "annual reviews; complete when the decision is notified, not when the meeting is held",
        plan_id="id",
        met_on="date",
        report_sent_on="date",
        decided_on="date",
        outcome_code="code",
        amendments_sent_on="date",
        final_plan_on="date",
        recorded_due_on="date",
        phase_due_on="date",
        phase_final_on="date",
    ),
    _table(
        "visits",
        "welfare and monitoring visits, and other recorded contacts",
        kind_code="code",
        visited_on="date",
        purpose="text",
        visited_by="text",
        is_seen="flag",
        is_seen_alone="flag",
        outcome_code="code",
    ),
    _table(
        "missing_episodes",
        "episodes of a child missing (M) or away without authorisation (A)",
        started_on="date",
        ended_on="date",
        status_code="code",
        interview_offered_code="text",
    ),
    _table("missing_education", "children missing education cases", started_on="date", ended_on="date", reason="text"),
    _table(
        "home_education",
        "spells of elective home education",
        started_on="date",
        ended_on="date",
        reason="text",
    ),
    _table(
        "awaiting",
        "children waiting for provision",
        started_on="date",
        ended_on="date",
        type_sought="text",
        reason="text",
        updated_on="date",
    ),
    _table(
        "involvements",
        "social care involvement, with the worker and the team",
        worker="text",
        team="text",
        started_on="date",
        ended_on="date",
        is_child_in_need="flag",
        is_disabled="flag",
        has_plan="flag",
    ),
    _table(
        "settings",
        "the national register of establishments (Get Information about Schools)",
        is_reference=True,
        needed=("urn",),
        urn="id",
        la_code="code",
        la_name="text",
        establishment_number="id",
        setting_name="text",
        type_code="code",
        type_name="text",
        status_code="code",
        status_name="text",
        opened_on="date",
        closed_on="date",
        phase="text",
        low_age="number",
        high_age="number",
        boarders="text",
        ukprn="id",
        postcode="text",
        section_41="text",
        resourced_provision="text",
    ),
    _table(
        "setting_links",
        "predecessors and successors of establishments",
        is_reference=True,
        needed=("urn", "link_urn"),
        urn="id",
        link_urn="id",
        link_name="text",
        link_type="text",
        linked_on="date",
    ),
    _table(
        "postcodes",
        "which authority a postcode lies in",
        is_reference=True,
        needed=("postcode", "la_code"),
        postcode="text",
        la_code="code",
    ),
)

TABLES: dict[str, Table] = {table.name: table for table in _TABLES}
