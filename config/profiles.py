"""Profiles: which file of which system feeds which canonical table, in YAML that holds names, dates and codes only.

A profile is one source system. Its feeds are its extracts, named like the file without its ending; a feed maps the
columns of one file onto one or more tables of `config.canonical`. Everything in the YAML is read as text, so that
``001``, ``NO`` and ``2026-01-02`` stay what was written.

    system: synergy
    where: {folder: inbox/synergy, quiet_minutes: 10}
    defaults: {encoding: utf-8-sig, delimiter: ",", dates: "%d/%m/%Y", yes: [Y], no: [N]}
    feeds:
      ehc_plans:
        file: "ehc_plans*.csv"
        table: plans
        columns:
          row_id: {from: EHCP ID, as: whole}
          source_id: {from: Pupil ID, as: whole}
          started_on: Start Date
          cease_reason_code: {from: Cease Reason, codes: sen2_cease_reason}
        ignore: [Keyworker Tel]

A file that feeds several tables says ``tables:`` with the columns of each; ``rows: {INVOLVEMENT_TYPE: [EHCP]}`` picks
the rows of a table by the value of one column. ``dates: excel`` reads the day numbers of a spreadsheet. Mistakes raise
`ConfigurationError` with the file and the key.
"""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from config.canonical import TABLES
from config.errors import ConfigurationError
from config.yaml_text import read_yaml

PACKAGED = ("synergy", "liquidlogic", "capita", "reference")
SOURCES = Path(__file__).resolve().parent / "sources"
#: How a text may be read, and the canonical kinds that it may fill.
FILLS = {
    "text": {"text", "code", "id"},
    "id": {"id", "text", "code"},
    "whole": {"id", "text"},
    "upn": {"id"},
    "upn_reason": {"code"},
    "postcode": {"text", "id"},
    "code": {"code", "text"},
    "choice": {"code", "text"},
    "date": {"date"},
    "flag": {"flag"},
    "number": {"number"},
}
#: The form of dates that a spreadsheet saved as numbers of days.
EXCEL = "excel"
READ_AS = {"id": "id", "text": "text", "code": "code", "date": "date", "flag": "flag", "number": "number"}


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _as_map(value: Any) -> Any:
    return {code: code for code in value} if isinstance(value, list) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
CodeValues = Annotated[dict[str, str], BeforeValidator(_as_map)]
#: Kept as written: a tab is a delimiter.
Delimiter = Annotated[str, StringConstraints(strip_whitespace=False)]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, str_strip_whitespace=True)


class CodeMap(_Model):
    """Their code to ours: written out, or taken from a lookup file that lies beside the extract.

    `values` is used where no lookup file is there. An empty text on our side means "not recorded".
    """

    values: CodeValues = Field(default_factory=dict)
    file: str | None = None
    from_: str | None = Field(default=None, alias="from")
    to: str | None = None
    delimiter: Delimiter | None = None
    encoding: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> CodeMap:
        if self.file and not (self.from_ and self.to):
            raise ValueError("a lookup file needs 'from' (the column of codes) and 'to' (the column of meanings)")
        if not self.file and not self.values:
            raise ValueError("needs 'values', or 'file' with 'from' and 'to'")
        return self


class Column(_Model):
    """One canonical column: the header it comes `from` (several are joined with '/', for keys), or a `constant`.

    `as_` says how the text is read (`choice`: "f) U6: Foster placement" is U6), `format` the forms of a date, `codes`
    the code map, `yes`, `no` and `blank` the texts that mean so. An `info` column may be renamed or absent.
    """

    from_: Texts = Field(default=(), alias="from")
    constant: str | None = None
    as_: str | None = Field(default=None, alias="as")
    format: Texts = ()
    codes: str | None = None
    yes: Texts = ()
    no: Texts = ()
    blank: Texts = ()
    info: bool = False

    @model_validator(mode="after")
    def _one_origin(self) -> Column:
        if bool(self.from_) == (self.constant is not None):
            raise ValueError("needs either 'from' (a header) or 'constant' (a text), not both")
        if self.as_ is not None and self.as_ not in FILLS:
            raise ValueError(f"'as: {self.as_}' is not a way of reading; use one of {', '.join(FILLS)}")
        return self


def _column(value: Any) -> Any:
    return {"from": value} if isinstance(value, str | list) else value


class TableMap(_Model):
    """The columns of one canonical table, and which rows of the file it takes: all, unless `rows` names the values of
    one column, or `when` a column that must hold something (the date of a visit, in a list of children).

    `distinct`: several rows may speak of the same person, who is kept once; otherwise a key that comes again is a
    repeated row.
    """

    columns: dict[str, Annotated[Column, BeforeValidator(_column)]]
    rows: dict[str, Texts] = Field(default_factory=dict)
    when: str | None = None
    distinct: bool = False


class VolumeGate(_Model):
    """When a row count is remarkable: both the share and the number of rows must be exceeded."""

    raise_percent: float = 10
    raise_rows: int = 20
    stop_percent: float = 15
    stop_rows: int = 20
    #: A stopped feed that comes again within this share of the stopped count is accepted.
    settle_percent: float = 2


class SetAsideGate(_Model):
    """When so many rows of one file break that the file itself is wrong: above both, the feed is refused."""

    percent: float = 10
    rows: int = 20


class Where(_Model):
    """Where a system's extracts land: a folder, an fsspec URL, or a database for feeds with `sql`.

    A relative folder is taken from the data directory. `url_env` names an environment variable that holds the URL,
    so that no password is in a file. `quiet_minutes`: a file changed more recently is still being written.
    `cut_off`: a file that came later than this time on the morning after the night belongs to the next night.
    """

    folder: str | None = None
    url: str | None = None
    url_env: str | None = None
    options: dict[str, str] = Field(default_factory=dict)
    quiet_minutes: float = 10
    cut_off: str | None = Field(default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    timezone: str = "Europe/London"

    @model_validator(mode="after")
    def _one_place(self) -> Where:
        if sum(value is not None for value in (self.folder, self.url, self.url_env)) > 1:
            raise ValueError("give one of 'folder', 'url' and 'url_env'")
        return self


class Xml(_Model):
    """The element that makes a row. Columns name its child elements, or ``Ancestor/Child``, or ``Ancestor/#`` (which
    occurrence of the ancestor it is). Tags match in any case."""

    row: str


class Feed(_Model):
    """One extract: how its file is laid out, and what it feeds."""

    name: str = ""
    title: str = ""
    file: Texts = ()
    sql: str | None = None
    format: Literal["csv", "xlsx", "xml", "sql"] | None = None
    encoding: str = "utf-8"
    delimiter: Delimiter = ","
    quote: str = '"'
    #: The line of the header, counted from 1, or "search": the first line that holds the needed columns.
    header: int | Literal["search"] | None = None
    sheet: str | None = None
    xml: Xml | None = None
    tables: dict[str, TableMap] = Field(default_factory=dict)
    #: Why no table takes anything of this file, where that is so; its rows are counted as left out.
    unused: str | None = None
    ignore: tuple[str, ...] = ()
    #: Why all columns that are not named are ignored; for national files with far more columns than are used.
    ignore_others: str | None = None
    #: Rows that are left out by name: {INVOLVEMENT_TYPE: [SEN Support]}.
    ignore_rows: dict[str, Texts] = Field(default_factory=dict)
    dates: Texts = ()
    yes: Texts = ()
    no: Texts = ()
    volume: VolumeGate = Field(default_factory=VolumeGate)
    set_aside: SetAsideGate = Field(default_factory=SetAsideGate)
    freshness_hours: float | None = 26
    expected: bool = True
    max_megabytes: float = 800
    is_reference: bool = False

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        """``table: plans`` with ``columns:`` is short for ``tables: {plans: {columns: ...}}``."""
        if isinstance(value, dict) and "table" in value:
            value = dict(value)
            if "tables" in value:
                raise ValueError("give 'table' with 'columns', or 'tables', not both")
            short = {key: value.pop(key) for key in ("columns", "rows", "when", "distinct") if key in value}
            value["tables"] = {value.pop("table"): short}
        if isinstance(value, dict) and value.get("freshness_hours") in ("never", ""):
            value = {**value, "freshness_hours": None}
        return value

    @cached_property
    def kind(self) -> str:
        """csv, xlsx, xml or sql: stated, or told from the ending of the file."""
        if self.format:
            return self.format
        if self.sql:
            return "sql"
        if self.xml:
            return "xml"
        return "xlsx" if self.file and self.file[0].lower().endswith((".xlsx", ".xlsm", ".xls")) else "csv"

    @cached_property
    def headers(self) -> dict[str, bool]:
        """Every header that the feed uses, and whether it is needed (False: informational)."""
        used: dict[str, bool] = {}
        for table in self.tables.values():
            for column in table.columns.values():
                for header in column.from_:
                    used[header] = used.get(header, False) or not column.info
            for header in (*table.rows, *((table.when,) if table.when else ())):
                used[header] = True
        for header in self.ignore_rows:
            used[header] = True
        return used


#: What `defaults` may say for every feed of a profile.
_DEFAULTS = {"format", "encoding", "delimiter", "quote", "header", "dates", "yes", "no"}
_DEFAULTS |= {"volume", "set_aside", "freshness_hours", "expected", "max_megabytes"}


class Profile(_Model):
    """One source system: where its extracts land, its feeds by name, and its code maps by name."""

    system: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    title: str = ""
    reference: bool = False
    where: Where = Field(default_factory=Where)
    feeds: dict[str, Feed]
    codes: dict[str, CodeMap] = Field(default_factory=dict)
    #: The file that the profile was read from, for messages.
    origin: str = ""

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, value: Any) -> Any:
        """Hands the defaults of the profile down to its feeds; a plain code list or map becomes a code map."""
        if not isinstance(value, dict):
            raise ValueError("a profile is a mapping that begins with 'system:'")
        value = dict(value)
        given = value.pop("defaults", {}) or {}
        if not isinstance(given, dict) or not set(given) <= _DEFAULTS:
            odd = sorted(set(given) - _DEFAULTS)[0] if isinstance(given, dict) else given
            raise ValueError(f"defaults: '{odd}' cannot be given for all feeds; {', '.join(sorted(_DEFAULTS))} can")
        feeds = value.get("feeds") or {}
        if not isinstance(feeds, dict):
            raise ValueError("'feeds' is a mapping from a feed's name to its layout")
        for name, feed in feeds.items():
            if not isinstance(feed, dict):
                raise ValueError(f"feed '{name}' is a mapping with 'file', 'table' and 'columns'")
        value["feeds"] = {
            name: {**given, **feed, "name": name, "is_reference": str(value.get("reference", "")).lower() == "true"}
            for name, feed in feeds.items()
        }
        codes = value.get("codes") or {}
        value["codes"] = {
            name: code
            if isinstance(code, CodeMap) or (isinstance(code, dict) and {"file", "values"} & set(code))
            else {"values": code}
            for name, code in codes.items()
        }
        return value

    @model_validator(mode="after")
    def _makes_sense(self) -> Profile:
        for name, feed in self.feeds.items():
            for complaint in _complaints(self, feed):
                raise ValueError(f"feeds.{name}.{complaint}")
        return self


def _complaints(profile: Profile, feed: Feed) -> list[str]:
    """What is wrong with a feed beyond its grammar, as 'key: complaint'."""
    wrong = []
    if not feed.file and not feed.sql:
        wrong.append("file: say which file (a name, or a pattern such as 'pupils*.csv'), or give 'sql'")
    if bool(feed.tables) == bool(feed.unused):
        wrong.append("tables: say which table the file feeds, or why none does (unused: the reason)")
    if feed.kind == "xml" and not feed.xml:
        wrong.append("xml: an XML feed says which element makes a row: xml: {row: Person}")
    if feed.kind == "csv":
        wrong += _text_complaints(feed)
    both = sorted(set(feed.headers) & set(feed.ignore))
    if both:
        wrong.append(f"ignore: '{both[0]}' is used by a column and ignored as well")
    for table_name, mapped in feed.tables.items():
        key = f"tables.{table_name}"
        if table_name not in TABLES:
            wrong.append(f"{key}: there is no canonical table of that name; there are {', '.join(TABLES)}")
            continue
        table = TABLES[table_name]
        kinds = {"source_id": "id", "row_id": "id"} | table.columns
        if len(mapped.rows) > 1:
            wrong.append(f"{key}.rows: rows are chosen by one column")
        for name, column in mapped.columns.items():
            place = f"{key}.columns.{name}"
            if name not in kinds:
                wrong.append(f"{place}: table '{table_name}' has no such column; it has {', '.join(table.columns)}")
                continue
            wrong += [f"{place}: {text}" for text in _column_complaints(profile, feed, kinds[name], column)]
        needed = [n for n in table.needed if n not in mapped.columns and not (n == "row_id" and table_name == "people")]
        if needed:
            wrong.append(f"{key}.columns: a row of '{table_name}' cannot do without {' and '.join(needed)}")
    return wrong


def _text_complaints(feed: Feed) -> list[str]:
    """What is wrong with the encoding, delimiter or quote that a text feed states."""
    wrong = []
    marks = {"delimiter": feed.delimiter, "quote": feed.quote}
    odd = [name for name, mark in marks.items() if len(mark) > 1 or not mark.isascii() or mark in ("\n", "\r")]
    if odd == ["quote"] or feed.quote == feed.delimiter:
        wrong.append("quote: one character that is not the delimiter, such as '\"', or '' where fields are not quoted")
    elif odd or not feed.delimiter:
        wrong.append("delimiter: one character, such as ',' or '|'; a tab is \"\\t\", in double quotes")
    if not _is_encoding(feed.encoding):
        wrong.append(f"encoding: there is no encoding '{feed.encoding}'; say utf-8, cp1252 or utf-16")
    return wrong


def _is_encoding(name: str) -> bool:
    """Whether Python turns bytes into text by that name; base64 and others of its codecs do not."""
    try:
        b" ".decode(name)
    except UnicodeError:  # a space may be none, but it is text that was looked for
        return True
    except LookupError:
        return False
    return True


def _column_complaints(profile: Profile, feed: Feed, kind: str, column: Column) -> list[str]:
    reading = column.as_ or READ_AS[kind]
    formats = column.format or feed.dates
    wrong = []
    if kind not in FILLS[reading]:
        wrong.append(f"'as: {reading}' cannot fill a column of kind {kind}")
    if column.codes and column.codes not in profile.codes:
        wrong.append(f"no code map named '{column.codes}'; there are {', '.join(sorted(profile.codes)) or 'none'}")
    if len(column.from_) > 1 and reading not in ("id", "text"):
        wrong.append("only an identifier or a text may be joined from several headers")
    if reading == "date" and column.from_:
        if not formats:
            wrong.append("say the form of the date: format: \"%d/%m/%Y\" (or 'dates' for the whole feed)")
        wordy = next((form for form in formats if not _is_date_form(form)), None)
        if wordy is not None:
            wrong.append(
                f"'{wordy}' is no form of a date: write %d, %m and %Y, such as \"%d/%m/%Y\"; or {EXCEL} for day numbers"
            )
        if any("%d/%m" in f for f in formats) and any("%m/%d" in f for f in formats):
            wrong.append("formats with day first and with month first together would be a guess; give one")
    if reading == "flag" and column.from_ and not column.codes and not (column.yes or feed.yes):
        wrong.append("say which texts mean yes and no: yes: [Y], no: [N]")
    return wrong


def _is_date_form(form: str) -> bool:
    """Whether days can be written and read back in that form."""
    if form == EXCEL:
        return True
    try:
        dt.datetime.strptime(dt.datetime(2026, 10, 27).strftime(form), form)
    except ValueError:
        return False
    return "%Y" in form or "%y" in form


def column_reading(table: str, name: str, column: Column) -> str:
    """How a column's text is read: as stated, else by the kind of the canonical column."""
    kinds = {"source_id": "id", "row_id": "id"} | TABLES[table].columns
    return column.as_ or READ_AS[kinds[name]]


_PLAIN = {"extra_forbidden": "there is no such key", "missing": "this key is needed"}


def read_profile(path: Path, shared_codes: dict[str, Any] | None = None) -> Profile:
    """One profile from a YAML file; `shared_codes` are code lists that it may name without repeating them."""
    content = read_yaml(path)
    if isinstance(content, dict):
        content = {"system": path.stem, **content, "origin": str(path)}
        content["codes"] = {**(shared_codes or {}), **(content.get("codes") or {})}
    try:
        return Profile.model_validate(content)
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        what = _PLAIN.get(first["type"], first["msg"].removeprefix("Value error, "))
        raise ConfigurationError(
            f"{path}{', ' + key if key else ''}: {what}.",
            "Correct that key in the file; the profiles in config/sources show the grammar.",
        ) from problem


def load_profiles(config_dir: Path | None = None) -> dict[str, Profile]:
    """Every profile by its system: the packaged ones, each replaced by a file of its name in `config_dir`/sources.

    Other YAML files there are further systems; a replaced profile without feeds switches its system off. Code lists
    are in ``codes.yml`` of the same folders.
    """
    own = config_dir / "sources" if config_dir else None
    if config_dir is not None and not config_dir.is_dir():
        raise ConfigurationError(
            f"The configuration folder {config_dir} does not exist.",
            "Set EHCP_CONFIG to a folder that holds sources/*.yml, or unset it to use the packaged profiles.",
        )
    files = {name: SOURCES / f"{name}.yml" for name in PACKAGED}
    shared = dict(read_yaml(SOURCES / "codes.yml") or {})
    if own is not None and own.is_dir():
        mine = {path.stem: path for path in sorted(own.glob("*.yml"))}
        if "codes" in mine:
            shared |= read_yaml(mine.pop("codes")) or {}
        files |= mine
    profiles = {name: read_profile(path, shared) for name, path in files.items()}
    for name, profile in profiles.items():
        if profile.system != name:
            raise ConfigurationError(
                f"{profile.origin}, system: says '{profile.system}', and the file is named {name}.yml.",
                "Give the file the name of the system.",
            )
    return {name: profile for name, profile in profiles.items() if profile.feeds}
