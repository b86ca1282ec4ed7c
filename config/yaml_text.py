"""YAML in which every scalar is text: ``001``, ``NO`` and ``2026-01-02`` stay what was written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from config.errors import ConfigurationError


class _OneOfEachKey:
    """A key given twice is an error instead of the last one winning."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: dict[str, int] = {}
        for key_node, _ in node.value:
            key = str(key_node.value)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"'{key}' is given twice (line {seen[key]} too)", key_node.start_mark
                )
            seen[key] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep)  # type: ignore[misc]


class _TextLoader(_OneOfEachKey, yaml.CBaseLoader):
    """Everything is text."""


class TypedLoader(_OneOfEachKey, yaml.CSafeLoader):
    """Numbers, dates and yes or no as YAML reads them."""


def read_yaml(path: Path) -> Any:
    """The content of a YAML file with every scalar as text. Raises `ConfigurationError`, with the line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as problem:
        raise ConfigurationError(
            f"{path} cannot be read: {problem.strerror or problem}.",
            "Put the file there, or point EHCP_CONFIG at the folder that holds it.",
        ) from problem
    except UnicodeDecodeError as problem:
        raise ConfigurationError(f"{path} is not UTF-8 text.", "Save the file as UTF-8.") from problem
    try:
        return yaml.load(text, Loader=_TextLoader)
    except yaml.MarkedYAMLError as problem:
        line = problem.problem_mark.line + 1 if problem.problem_mark else 1
        raise ConfigurationError(
            f"{path}, line {line}: {problem.problem or 'not YAML'}.",
            "Correct that line; texts that hold a colon, a hash or a percent sign go between quotes.",
        ) from problem
    except yaml.reader.ReaderError as problem:
        line = text.count("\n", 0, problem.position) + 1
        raise ConfigurationError(
            f"{path}, line {line}: a control character (U+{ord(text[problem.position]):04X}) that YAML does not allow.",
            "Delete that character and save the file as UTF-8.",
        ) from problem
