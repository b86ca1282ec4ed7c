"""A small invented system for the tests of profiles, readers and contracts."""

from __future__ import annotations

from pathlib import Path

from config.profiles import Profile, read_profile
from config.yaml_text import read_yaml
from connectors.reading import Reading, read_feed

CASEWORK = """
system: casework
title: An invented casework system
where: {folder: inbox}
defaults: {encoding: utf-8, delimiter: ",", dates: "%d/%m/%Y", yes: [Y], no: [N]}
feeds:
  pupils:
    file: "pupils*.csv"
    table: people
    columns:
      source_id: {from: Pupil ID, as: whole}
      upn: {from: UPN, as: upn}
      uln: ULN
      surname: Surname
      forename: Forename
      born_on: Date of Birth
      sex_code: {from: Sex, codes: sex}
      postcode: {from: Postcode, as: postcode}
      is_birth_estimated: {from: Estimated, info: true}
    ignore: [Telephone]
"""
HEADER = "Pupil ID,UPN,ULN,Surname,Forename,Date of Birth,Sex,Postcode,Estimated,Telephone"
ROW = "100,K883704410403,,Marsh,George,05/08/2012,M,NM1 1GD,N,"


def profile(folder: Path, text: str = CASEWORK, name: str = "casework", **replaced: str) -> Profile:
    """A profile from YAML text, in which parts may be replaced: profile(folder, **{'delimiter: ","': ...})."""
    for old, new in replaced.items():
        assert old in text
        text = text.replace(old, new)
    path = folder / f"{name}.yml"
    path.write_text(text, encoding="utf-8")
    return read_profile(path, read_yaml(Path(__file__).parent.parent / "config" / "sources" / "codes.yml"))


def pupils(folder: Path, *rows: str, header: str = HEADER, encoding: str = "utf-8", end: str = "\n") -> Path:
    """A pupils file of those rows, with line feeds."""
    path = folder / "pupils.csv"
    path.write_bytes(end.join([header, *rows, ""]).encode(encoding))
    return path


def read_pupils(folder: Path, *rows: str, header: str = HEADER, **kwargs: str) -> Reading:
    """The reading of such a file."""
    return read_feed(profile(folder), "pupils", pupils(folder, *rows, header=header, **kwargs))
