"""XML: one element makes a row; its children, and those of its ancestors, are the columns. Tags match in any case.

A column is named ``Tag`` (a child of the row), ``Ancestor/Tag`` (a child of an element around the row),
``Child/Tag`` (the first such below the row), ``Ancestor/#`` (which occurrence of that ancestor in the file it is,
from 1: a key where the file has none), or ``Element/Tag`` of the part before the rows (the header of a return).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
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
    if not reader.lines:
        headers = list(feed.headers)
    rows = reader.rows()
    columns = [pa.array([row.get(header, "") for row in rows], pa.string()) for header in headers]
    unseen = [header for header in feed.headers if not any(header in row for row in rows)]
    return Grid(headers, columns, np.array(reader.lines, dtype=np.int64), unseen=unseen)


class _Reader:
    """The state of one pass. An element is [name, its leaf children, whether it has children]; a row remembers the
    elements around it and is put together when the file has ended, so that the order of tags does not matter."""

    def __init__(self, row: str, wanted: list[str]) -> None:
        self.row = row.casefold()
        self.wanted = {header.casefold(): header for header in wanted}
        self.tags: dict[str, str] = {}
        self.lines: list[int] = []
        self.line: Callable[[], int] = lambda: 0
        self._rows: list[tuple[list[_Element], dict[str, str]]] = []
        self._open: list[_Element] = []
        self._inside: list[dict[str, str]] = []
        self._text: list[str] = []
        self._counts: Counter[str] = Counter()
        self._facts: list[tuple[list[_Element], str, dict[str, str]]] = []
        self._of_all: dict[str, str] = {}

    def start(self, tag: str, _attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2].casefold()
        self._counts[name] += 1
        if self._open:
            self._open[-1].has_children = True
        element = _Element(name, {"#": str(self._counts[name])})
        self._open.append(element)
        self._text = []
        if name == self.row:
            if not self.lines:
                self._settle_facts()
            below: dict[str, str] = {}
            self.lines.append(self.line())
            self._rows.append((list(self._open), below))
            self._inside.append(below)

    def text(self, text: str) -> None:
        self._text.append(text)

    def end(self, tag: str) -> None:
        element = self._open.pop()
        if element.name == self.row:
            self._inside.pop()
        if not element.has_children and self._open:
            around = self._open[-1]
            around.leaves.setdefault(element.name, "".join(self._text).strip())
            if around.name == self.row:
                self.tags.setdefault(element.name, self.wanted.get(element.name, tag.rpartition(":")[2]))
        elif self._inside and element.name != self.row:
            for leaf, value in element.leaves.items():
                self._inside[-1].setdefault(f"{element.name}/{leaf}", value)
        elif element.has_children and not self.lines:
            self._facts.append((list(self._open), element.name, element.leaves))
        self._text = []

    def _settle_facts(self) -> None:
        """What was said before the first row holds for all rows, unless it was said inside an element that is still
        open (the first person's request says nothing about the others)."""
        still_open = {id(element) for element in self._open[1:]}
        for around, name, leaves in self._facts:
            if not any(id(element) in still_open for element in around):
                for leaf, value in leaves.items():
                    self._of_all.setdefault(f"{name}/{leaf}", value)

    def rows(self) -> list[dict[str, str]]:
        """One mapping per row, by the header of the profile, or by the tag where the profile names none."""
        return [self._row(around, below) for around, below in self._rows]

    def _row(self, around: list[_Element], below: dict[str, str]) -> dict[str, str]:
        values = {**self._of_all, **below}
        for element in around:
            values |= {f"{element.name}/{leaf}": value for leaf, value in element.leaves.items()}
        values |= around[-1].leaves
        names = {**self.tags, **self.wanted}
        return {names[tag]: value for tag, value in values.items() if tag in names}


@dataclass
class _Element:
    name: str
    leaves: dict[str, str]
    has_children: bool = False
