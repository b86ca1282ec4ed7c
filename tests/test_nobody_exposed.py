"""A restricted address, an adoption and unusual names are planted in an invented council; then every file, answer, view, log and page is searched.

The planted words occur nowhere else, so one of them in an output is a leak and nothing but.
"""

from __future__ import annotations

import logging
import subprocess
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from pypdf import PdfReader

from config.settings import Settings, load_settings
from pipelines.cli import main
from pipelines.demo import invent
from pipelines.run import run_night
from pipelines.store import Store

END = date(2026, 11, 2)
NOW = datetime(2026, 11, 3, 1, 30, tzinfo=UTC)
#: Unusual names, each with a word that is nowhere else; the last would run as a formula.
NAMES = (
    "O'Zqxjv-Ødegård",
    "Zqxjw  van der Zqxjw",
    "李Zqxjy",
    "Zqxjz' OR 1=1 --",
    '=HYPERLINK("http://zqxjf.example","Zqxjf")',
)
HIDDEN = {"setting": "Zqxwk Hidden School", "urn": "999917", "street": "Zqxpp Lane", "postcode": "ZE9 9ZX"}
#: The number, in social care, of the record that an adoption closes.
ADOPTED = "987650001234"
ASKED = (
    ["register"], ["register", "--sources"], ["register", "--as-of", "2026-10-20"], ["exceptions", "list", "--status", "resolved"], ["exceptions", "list"], ["exceptions", "causes"],
    ["links", "list"], ["links", "review"], ["links", "never"], ["feeds", "list"], ["kpis"], ["kpis", "--by", "setting_type"],
    ["kpis", "--as-of", "2026-10-20"], ["runs", "list"], ["runs", "show"], ["notifications", "list"], ["exceptions", "history"],
    ["changes", "--from", "2026-11-01", "--to", "2026-11-02"], ["changes", "--from", "2026-11-01", "--to", "2026-11-02", "--bridges"],
)  # fmt: skip


class Extract:
    """A CSV extract of the invented council, edited in place."""

    def __init__(self, path: Path, delimiter: str = ",", encoding: str = "utf-8-sig") -> None:
        self.path, self.delimiter, self.encoding = path, delimiter, encoding
        self.frame = pd.read_csv(path, sep=delimiter, encoding=encoding, dtype="str", keep_default_na=False)

    def put(self, column: str, key: str, **values: str) -> None:
        """Set columns (``_`` for a space) of the rows of one key."""
        for name, value in values.items():
            self.frame.loc[self.frame[column] == key, name.replace("_", " ")] = value

    def add(self, like: int = 0, **values: str) -> None:
        """A further row like another, with other values."""
        self.frame = pd.concat([self.frame, self.frame.iloc[[like]].assign(**values)], ignore_index=True)

    def save(self) -> None:
        self.frame.to_csv(self.path, sep=self.delimiter, encoding=self.encoding, index=False)


def plant(night: Path, pupils: list[str], record: str, pupil: str) -> None:
    """Name `pupils` unusually; restrict the child of the social care `record` and the Synergy `pupil`, and hide where it goes; add an adoption."""
    synergy, care = night / "synergy", night / "liquidlogic"
    people, placements = Extract(synergy / "pupils.csv"), Extract(synergy / "placements.csv")
    for name, key in zip(NAMES, pupils, strict=True):
        people.put("Pupil ID", key, Legal_Surname=name)
    people.put("Pupil ID", pupil, Street=HIDDEN["street"], Postcode=HIDDEN["postcode"])
    placements.put("Pupil ID", pupil, School_URN=HIDDEN["urn"], Placement_Name=HIDDEN["setting"])
    register = Extract(night / "reference" / "edubasealldata.csv", encoding="cp1252")
    register.add(URN=HIDDEN["urn"], EstablishmentName=HIDDEN["setting"], UKPRN="")
    persons = Extract(care / "persons.csv", encoding="cp1252")
    addresses = Extract(care / "addresses.csv", encoding="cp1252")
    episodes = Extract(care / "cla_placements.csv", encoding="cp1252")
    addresses.put("DIM_PERSON_ID", record, STREET=HIDDEN["street"], POSTCODE=HIDDEN["postcode"], RESTRICTED_FLAG="Y")
    addresses.frame.loc[addresses.frame["DIM_PERSON_ID"] == record, "RESTRICTED_FLAG"] = "Y"
    persons.add(
        DIM_PERSON_ID=ADOPTED,
        LEGACY_ID="",
        UPN="",
        FORENAME="Zqxad",
        SURNAME="Zqxae",
        DEATH_DTTM="",
        DUPLICATED_DTTM="",
    )
    episodes.add(
        PLACEMENT_ID="999999", DIM_PERSON_ID=ADOPTED, END_DTTM="2026-10-01 00:00:00.000", CARE_REASON_END_CODE="E12"
    )
    for extract in (people, placements, register, persons, addresses, episodes):
        extract.save()


@pytest.fixture(scope="module")
def exposed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Settings, dict[str, str]]:
    """The settings of two nights with everything planted, and all the text that came of them by where it stands."""
    folder = tmp_path_factory.mktemp("exposed")
    settings = load_settings({"EHCP_DATA": str(folder / "var")})
    demo = invent(folder / "extracts", plans=200, nights=2, seed=11, end=END)
    truth = pd.read_csv(demo.truth / "people.csv", dtype="str")
    persons = Extract(demo.nights[0][1] / "liquidlogic" / "addresses.csv", encoding="cp1252").frame["DIM_PERSON_ID"]
    open_placements = Extract(demo.nights[0][1] / "synergy" / "placements.csv").frame["Pupil ID"]
    wide = truth.pivot(index="true_id", columns="system", values="source_id")
    both = wide[wide["liquidlogic"].isin(persons) & wide["synergy"].isin(open_placements)]
    # Found by a number in both systems: the link of the restricted child must not depend on an address that changed.
    record, pupil = both.iloc[0][["liquidlogic", "synergy"]]
    pupils = [key for key in open_placements.unique() if key != pupil][: len(NAMES)]
    lines: list[str] = []
    handler = logging.Handler(logging.DEBUG)
    handler.emit = lambda entry: lines.append(entry.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("ehcp")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    messages = []
    for day, extracts in demo.nights:
        plant(extracts, pupils, record, pupil)
        messages.append(run_night(settings, day, extracts, now=NOW).summary)
    logger.removeHandler(handler)
    logger.setLevel(level)
    texts = {
        str(path.relative_to(settings.outputs_dir)): text_of(path)
        for path in settings.outputs_dir.rglob("*")
        if path.is_file()
    }
    texts |= {"log": "\n".join(lines), "messages": "\n".join(messages)}
    for words in ASKED:
        answer = asked(settings, *words)
        assert answer.exit_code == 0, (words, answer.output)
        texts[" ".join(words)] = answer.output
    return settings, texts


def asked(settings: Settings, *words: str) -> Result:
    # A terminal that is wide enough to show every column, and as a file.
    shown = ["--format", "csv"]
    return CliRunner().invoke(main, [*words, *shown], env={"EHCP_DATA": str(settings.data_dir), "COLUMNS": "500"})


def text_of(path: Path) -> str:
    if path.suffix == ".pdf":
        return "\n".join(page.extract_text() for page in PdfReader(path).pages)
    if path.suffix == ".xlsx":
        book = openpyxl.load_workbook(path)
        cells = [str(cell) for sheet in book for row in sheet.iter_rows(values_only=True) for cell in row if cell]
        return "\n".join([*cells, *(str(name) for name in book.sheetnames)])
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_csv(index=False)
    return path.read_text(encoding="utf-8-sig")


def found_in(texts: dict[str, str], *words: str) -> dict[str, list[str]]:
    """Where any of the words stands, capitals or not."""
    said = {place: [word for word in words if word.casefold() in text.casefold()] for place, text in texts.items()}
    return {place: hits for place, hits in said.items() if hits}


def test_the_search_reads_what_people_read(exposed) -> None:
    _, texts = exposed
    names = {Path(place).name for place in texts}
    assert {"report.html", "register.xlsx", "children.parquet", "board-pack.pdf", "sen-casework.xlsx", "log"} <= names
    assert found_in(texts, "Northmere") and len(texts) > 50
    assert not [place for place, text in texts.items() if not text.strip()]
    assert any("restricted" in text for text in texts.values())


def test_no_name_is_anywhere(exposed) -> None:
    assert not found_in(exposed[1], "zqxj", "李", "Ødegård")


def test_no_name_is_in_the_database(exposed) -> None:
    store = Store(exposed[0])
    with store.reading() as connection:
        tables = sa.inspect(connection).get_table_names()
        for table in tables:
            frame = pd.read_sql(sa.text(f'SELECT * FROM "{table}"'), connection)
            assert "zqx" not in frame.drop(columns=[c for c in frame if c == "setting_name"]).to_csv().casefold(), table
            if table.startswith("bi_"):
                assert not found_in({table: frame.to_csv()}, "zqx", HIDDEN["urn"]), table


def test_where_a_restricted_child_goes_and_lives_is_nowhere(exposed) -> None:
    assert not found_in(exposed[1], *HIDDEN.values(), HIDDEN["postcode"].replace(" ", ""), "zqxwk", "zqxpp")


def test_what_an_adoption_closed_is_nowhere_and_neither_is_its_name(exposed) -> None:
    assert not found_in(exposed[1], ADOPTED, "zqxad", "zqxae")
    with Store(exposed[0]).reading() as connection:
        kept = pd.read_sql(sa.text("SELECT * FROM sealed_records"), connection)["source_id"].tolist()
        assert ADOPTED in kept, "sealed, and known to be, so that it is left out of every answer"


def test_a_name_that_is_a_formula_runs_in_no_workbook(exposed) -> None:
    for path in exposed[0].outputs_dir.rglob("*.xlsx"):
        for sheet in openpyxl.load_workbook(path):
            formulas = [cell.coordinate for row in sheet.iter_rows() for cell in row if cell.data_type == "f"]
            assert not formulas, (path.name, sheet.title)


def test_git_ignores_where_all_this_lands() -> None:
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():
        pytest.skip("not a git checkout")
    told = subprocess.run(
        ["git", "check-ignore", "var/private/raw/x"], cwd=root, capture_output=True, text=True, check=False
    )
    assert told.returncode == 0
