"""The star for business intelligence: stable names and types, the same in the database and as Parquet, and nobody exposed."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sa
from store_drawn import settings_in, throw_away_database

from outputs.star import STAR, calendar, star_dictionary
from outputs.wording import age_band
from pipelines import tables as t
from pipelines.demo import invent
from pipelines.run import run_night
from pipelines.store import Store

CONTRACT = Path(__file__).parent / "star_contract.csv"
END = date(2026, 11, 2)
NOW = datetime(2026, 11, 3, 6, 0, tzinfo=UTC)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory):
    """Two nights of an invented council, on each database."""
    folder = tmp_path_factory.mktemp("star")

    def run(url: str = "") -> Store:
        settings = settings_in(folder / "var", url) if url else settings_in(folder / "var")
        for night, extracts in invent(folder / "extracts", plans=200, nights=2, seed=5, end=END).nights:
            run_night(settings, night, extracts, now=NOW)
        return Store(settings)

    if request.param == "sqlite":
        yield run()
        return
    try:
        with throw_away_database() as url:
            opened = run(url)
            yield opened
            opened.engine.dispose()
    except sa.exc.OperationalError:
        pytest.skip("no PostgreSQL server answers; set EHCP_TEST_DATABASE_URL to test on one")


def parquet(store: Store, name: str) -> pd.DataFrame:
    return pd.read_parquet(store.settings.outputs_dir / "latest" / "bi" / f"{name}.parquet")


def in_database(store: Store, name: str) -> pd.DataFrame:
    table = STAR[name]
    names = ", ".join(table.columns)
    with store.reading() as connection:
        rows = connection.execute(sa.text(f"SELECT {names} FROM bi_{name}")).all()
    return pd.DataFrame(rows, columns=list(table.columns))


def test_names_and_types_are_those_that_reports_were_built_on() -> None:
    """A change here breaks people's reports: it needs a migration, a line in the changelog, and then this file."""
    agreed = pd.read_csv(CONTRACT, dtype="str")
    assert star_dictionary()[["table", "column", "type"]].to_csv(index=False) == agreed.to_csv(index=False)


@pytest.mark.parametrize("name", STAR)
def test_the_database_and_the_parquet_file_say_the_same(store: Store, name: str) -> None:
    kinds = {column: kind for column, (kind, _) in STAR[name].columns.items()}
    written, kept = parquet(store, name), in_database(store, name)
    assert list(written) == list(kinds)
    for column, kind in kinds.items():
        if kind == "date":
            kept[column] = pd.to_datetime(kept[column])
        if kind == "flag":
            kept[column] = kept[column].astype("boolean")

    def plain(frame: pd.DataFrame) -> pd.DataFrame:
        text = frame.astype({column: "str" for column, kind in kinds.items() if kind in ("text", "date", "flag")})
        text = text.astype({column: "Float64" for column, kind in kinds.items() if kind in ("whole", "number")})
        return text.sort_values(list(STAR[name].key), ignore_index=True)

    assert len(written) > 0
    pd.testing.assert_frame_equal(plain(written), plain(kept), check_dtype=False)


@pytest.mark.parametrize("name", STAR)
def test_a_key_is_never_empty_nor_twice(store: Store, name: str) -> None:
    key = parquet(store, name)[list(STAR[name].key)]
    assert key.notna().all(axis=None)
    assert not key.duplicated().any()


@pytest.mark.parametrize(
    ("fact", "column", "dimension", "key"),
    [
        ("children", "setting_key", "settings", "setting_key"),
        ("placements", "setting_key", "settings", "setting_key"),
        ("placements", "child_id", "children", "child_id"),
        ("reviews", "child_id", "children", "child_id"),
        ("visits", "child_id", "children", "child_id"),
        ("plans", "child_id", "children", "child_id"),
        ("exceptions", "owner", "owners", "owner"),
        ("exceptions", "rule", "rules", "rule"),
        ("reviews", "decided_on", "dates", "date_on"),
        ("kpi_values", "as_of", "dates", "date_on"),
    ],
)
def test_what_a_fact_names_is_in_its_dimension(store: Store, fact: str, column: str, dimension: str, key: str) -> None:
    named = parquet(store, fact)[column].dropna()
    named = named[named != "restricted"]
    assert len(named) and named.isin(parquet(store, dimension)[key]).all()


def test_nothing_says_where_a_restricted_child_is(store: Store) -> None:
    children, placements = parquet(store, "children"), parquet(store, "placements")
    restricted = children[children["is_restricted"]]
    assert len(restricted)
    assert set(restricted["setting_key"]) | set(restricted["in_authority"]) == {"restricted"}
    theirs = placements[placements["child_id"].isin(restricted["child_id"])]
    assert len(theirs) and set(theirs["setting_key"]) | set(theirs["provision_type"]) == {"restricted"}
    # Nor does a setting stand in the list only because of them.
    used = set(placements["setting_key"]) | set(children["setting_key"])
    assert set(parquet(store, "settings")["setting_key"]) <= used


def test_no_column_holds_a_name_a_birth_or_a_number_of_a_source() -> None:
    personal = {"surname", "forename", "born_on", "upn", "uln", "nhs_number", "postcode", "source_id", "synergy_id"}
    assert not personal & set(star_dictionary()["column"])


def test_the_views_for_wider_use_count_every_child_and_hold_no_id(store: Store) -> None:
    with store.reading() as connection:
        for view, count in (("children", "children"), ("reviews", "children"), ("exceptions", "exceptions")):
            result = connection.execute(sa.text(f"SELECT * FROM bi_wide_{view}"))
            assert not {"child_id", "exception_id"} & set(result.keys())
            total = connection.scalar(sa.text(f"SELECT sum({count}) FROM bi_wide_{view}"))
            facts = parquet(store, "exceptions" if view == "exceptions" else "children")
            if view != "exceptions":
                facts = facts[facts["has_active_plan"]]
            if view == "reviews":
                facts = facts[facts["next_review_due_on"].notna()]
            assert total == len(facts)


def test_running_the_night_again_leaves_one_copy(store: Store) -> None:
    before = {name: len(in_database(store, name)) for name in STAR}
    run_night(store.settings, END, store.settings.data_dir.parent / "extracts" / f"night-{END}", now=NOW)
    assert {name: len(in_database(store, name)) for name in STAR} == before


def test_the_tables_are_declared_once() -> None:
    assert {f"bi_{name}" for name in STAR} - {"bi_kpi_values"} == {table.name for table in t.star_tables.values()}


def test_ages_fall_into_bands_at_their_boundaries() -> None:
    ages = pd.Series([0, 4, 5, 10, 11, 15, 16, 19, 20, 25, 26, None, -1], dtype="Int64")
    under, five, eleven, sixteen, twenty = "under 5", "5 to 10", "11 to 15", "16 to 19", "20 to 25"
    wanted = [under, under, five, five, eleven, eleven, sixteen, sixteen, twenty, twenty]
    assert age_band(ages).fillna("").tolist() == [*wanted, "over 25", "", ""]


def test_years_begin_on_their_days() -> None:
    days = calendar(pd.Timestamp("2026-03-31"), pd.Timestamp("2026-09-01")).set_index("date_on")
    assert days.loc[["2026-03-31", "2026-04-01"], "financial_year"].tolist() == ["2025-26", "2026-27"]
    assert days.loc[["2026-08-31", "2026-09-01"], "academic_year"].tolist() == ["2025-26", "2026-27"]
    assert days.loc["2026-06-30", "quarter"] == "2026-Q2" and days.loc["2026-06-30", "is_month_end"]
