"""Where things are and what this council is: the environment, the council's own files, and two lines where a value makes no sense."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config.errors import EXIT_CONFIGURATION, ConfigurationError
from config.settings import PACKAGED, config_file, load_settings, load_yaml

COUNCIL = "name: Testshire\nla_code: '999'\n"


def own(folder: Path, text: str, name: str = "council.yml") -> dict[str, str]:
    """The environment of a council with one file of its own."""
    (folder / name).write_text(text, encoding="utf-8")
    return {"EHCP_CONFIG": str(folder)}


def test_nothing_set_gives_var_and_the_embedded_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load_settings({})
    assert settings.data_dir == Path("var") and settings.config_dir is None
    assert settings.database_url == f"sqlite:///{tmp_path.as_posix()}/var/ehcp.sqlite"
    assert settings.council.la_code == "883"
    assert not (tmp_path / "var").exists(), "asking for settings makes no folder"


def test_an_empty_value_is_as_good_as_none() -> None:
    assert load_settings({"EHCP_DATA": "", "EHCP_DATABASE_URL": "", "EHCP_CONFIG": ""}) == load_settings({})


def test_the_environment_says_where(tmp_path: Path) -> None:
    url = "postgresql://ehcp@db/ehcp"
    settings = load_settings({"EHCP_DATA": str(tmp_path), "EHCP_DATABASE_URL": url})
    assert (settings.data_dir, settings.database_url) == (tmp_path, url)
    assert settings.private_dir == tmp_path / "private" and settings.outputs_dir == tmp_path / "outputs"


def test_the_home_folder_is_expanded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert load_settings({"EHCP_DATA": "~/ehcp"}).data_dir == tmp_path / "ehcp"


def test_a_councils_own_file_replaces_the_packaged_one_and_only_that(tmp_path: Path) -> None:
    settings = load_settings(own(tmp_path, COUNCIL + "raw_retention_days: 30\n"))
    assert (settings.council.name, settings.council.raw_retention_days) == ("Testshire", 30)
    assert config_file(settings.config_dir, "council.yml") == tmp_path / "council.yml"
    assert config_file(settings.config_dir, "kpis.yml") == PACKAGED / "kpis.yml"


@pytest.mark.parametrize(
    "path", sorted(PACKAGED.rglob("*.yml")), ids=lambda path: path.relative_to(PACKAGED).as_posix()
)
def test_every_packaged_file_can_be_read(path: Path) -> None:
    assert load_yaml(path)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: [Testshire\n", "not valid YAML"),
        ("name: Testshire\n\tla_code: '999'\n", "line 2"),
        ("", "holds no settings"),
        ("- Testshire\n", "holds no settings"),
        ("name: Testshire\n", "la_code"),
        (COUNCIL + "raw_retention_day: 30\n", "raw_retention_day"),
        (COUNCIL + "raw_retention_days: soon\n", "raw_retention_days"),
        ("name: Testshire\nla_code: 999\n", "la_code"),
    ],
)
def test_a_file_that_makes_no_sense_is_told_in_two_lines(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told) as caught:
        load_settings(own(tmp_path, text))
    assert "council.yml" in caught.value.what and caught.value.todo
    assert len(str(caught.value).splitlines()) == 2 and caught.value.exit_code == EXIT_CONFIGURATION


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="not a folder"):
        load_settings({"EHCP_CONFIG": str(tmp_path / "nowhere")})


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "council.yml").mkdir()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_settings({"EHCP_CONFIG": str(tmp_path)})


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "council.yml").write_bytes("name: Café Council\nla_code: '999'\n".encode("cp1252"))
    with pytest.raises(ConfigurationError):
        load_settings({"EHCP_CONFIG": str(tmp_path)})


@pytest.mark.parametrize("line", ["snapshots_kept: 0", "raw_retention_days: -5"])
def test_a_number_out_of_range(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(own(tmp_path, COUNCIL + line + "\n"))


def test_an_authority_code_has_three_digits(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(own(tmp_path, "name: Testshire\nla_code: 'x'\n"))


def test_a_key_given_twice(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        load_settings(own(tmp_path, COUNCIL + "name: Othershire\n"))


def test_settings_load_nothing_heavy() -> None:
    code = "import sys, config.settings; print(sorted({'pandas', 'sqlalchemy', 'prefect'} & set(sys.modules)))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert told.stdout.strip() == "[]"
