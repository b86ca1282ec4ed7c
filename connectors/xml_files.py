"""XML: one element makes a row; its children, and those of its ancestors, are the columns. Tags match in any case.

A column is named ``Tag`` (a child of the row), ``Ancestor/Tag`` (a child of an element around the row),
``Child/Tag`` (the first such below the row), or ``Ancestor/#`` (which occurrence of that ancestor in the file it is,
from 1: a key where the file has none).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from config.errors import FeedRefusedError
from config.profiles import Feed
from connectors import files
from connectors.grid import Grid


def read(path: Path, feed: Feed) -> Grid:
    """The rows of an XML extract. Raises `FeedRefusedError`, with the line, for what is not well-formed XML."""
    data = files.read_bytes(path, feed)
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data[:4096]:
        raise FeedRefusedError(
            f"{path.name} declares a document type or entities, which no return has.",
            "Ask where the file comes from; it is not read, because such declarations can be used to do harm.",
        )
    assert feed.xml is not None
    reader = _Reader(feed.xml.row, list(feed.headers))
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    reader.line = lambda: parser.CurrentLineNumber
    try:
        parser.Parse(data, True)
    except expat.ExpatError as problem:
        raise FeedRefusedError(
            f"{path.name}, line {problem.lineno}: not well-formed XML ({expat.ErrorString(problem.code)}).",
            "The file is damaged or cut short; ask for it again.",
        ) from problem
    headers = list(dict.fromkeys([*reader.wanted.values(), *reader.tags.values()]))
    columns = [pa.array([row.get(header, "") for row in reader.rows], pa.string()) for header in headers]
    return Grid(headers, columns, np.array(reader.lines, dtype=np.int64), place=path.name)


class _Reader:
    """The state of one pass: the open elements, and the rows begun and finished so far."""

    def __init__(self, row: str, wanted: list[str]) -> None:
        self.row = row.casefold()
        self.wanted = {header.casefold(): header for header in wanted}
        self.tags: dict[str, str] = {}
        self.rows: list[dict[str, str]] = []
        self.lines: list[int] = []
        self.line: Any = None
        self._open: list[tuple[str, dict[str, str]]] = []
        self._text: list[str] = []
        self._has_child: list[bool] = []
        self._counts: dict[str, int] = {}
        self._waiting: dict[int, tuple[dict[str, str], list[tuple[str, dict[str, str]]]]] = {}
        self._begun: list[tuple[int, dict[str, str]]] = []

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self._counts[name.casefold()] = self._counts.get(name.casefold(), 0) + 1
        if self._has_child:
            self._has_child[-1] = True
        self._open.append((name, {"#": str(self._counts[name.casefold()])}))
        self._has_child.append(False)
        self._text = []
        if name.casefold() == self.row:
            self.lines.append(self.line())
            self.rows.append({})
            self._begun.append((len(self.rows) - 1, {}))

    def text(self, text: str) -> None:
        self._text.append(text)

    def end(self, _tag: str) -> None:
        name, children = self._open.pop()
        is_leaf = not self._has_child.pop()
        if is_leaf and self._open:
            value = "".join(self._text).strip()
            self._open[-1][1].setdefault(name.casefold(), value)
            if self._open[-1][0].casefold() == self.row:
                self.tags.setdefault(name.casefold(), self.wanted.get(name.casefold(), name))
        elif not is_leaf and self._begun and name.casefold() != self.row:
            for tag, value in children.items():
                self._begun[-1][1].setdefault(f"{name.casefold()}/{tag}", value)
        self._text = []
        if name.casefold() == self.row:
            number, below = self._begun.pop()
            self._finish(number, name, children, below)

    def _finish(self, number: int, name: str, children: dict[str, str], below: dict[str, str]) -> None:
        """Fills in a row when its element ends. Ancestors have said by then only what stands before it, which is
        what the returns do: the keys and the person come first."""
        values = {**below, **{tag: value for tag, value in children.items() if tag != "#"}}
        for ancestor, said in [*self._open, (name, children)]:
            for tag, value in said.items():
                values[f"{ancestor.casefold()}/{tag}"] = value
        self.rows[number] = {
            (self.wanted.get(tag) or self.tags.get(tag, tag)): value
            for tag, value in values.items()
            if tag in self.wanted or tag in self.tags
        }
