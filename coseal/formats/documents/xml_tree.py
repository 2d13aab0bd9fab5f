"""An XML document as a tree of bounded size, and the strict reading of what stands in it.

Law: a document type declaration is refused, so no entity is ever expanded and nothing outside the file is read; what is
wrong is a finding with its path.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from coseal.contracts.process.items import is_decimal
from coseal.formats.importers.log import Findings
from coseal.formats.importers.xml_stream import Refused, parse

MAX_DEPTH: Final = 64
MAX_ELEMENTS: Final = 200_000
MAX_TEXT: Final = 4_096
_MAX_DIGITS: Final = 40


@dataclass(slots=True)
class Node:
    """An element: namespace, name, attributes without namespaces, text, children, and its path."""

    space: str
    name: str
    attributes: dict[str, str]
    path: str
    children: list[Node] = field(default_factory=list)
    text: str = ""

    def all(self, *names: str) -> list[Node]:
        """Return the elements that a path of names leads to."""
        found = [self]
        for name in names:
            found = [child for node in found for child in node.children if child.name == name]
        return found


def read_tree(path: Path, findings: Findings) -> Node:
    """Return the root of a file; raises ``BadLog`` for what is no XML, has a DTD or is too large."""
    reader = _Reader()
    parse(path, reader, findings, separator=" ")
    return reader.root


class _Reader:
    def __init__(self) -> None:
        self.root = Node("", "", {}, "")
        self._open: list[Node] = []
        self._counts: list[dict[str, int]] = []
        """Of each open element: how many children of a name it has."""
        self._count = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._count += 1
        if self._count > MAX_ELEMENTS:
            raise Refused("too_large", f"more than {MAX_ELEMENTS} elements")
        if len(self._open) >= MAX_DEPTH:
            raise Refused("too_deep", f"more than {MAX_DEPTH} elements in each other")
        space, _, name = tag.rpartition(" ")
        own = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        if not self._open:
            node = self.root = Node(space, name, own, name)
        else:
            around = self._open[-1]
            number = self._counts[-1][name] = self._counts[-1].get(name, 0) + 1
            node = Node(space, name, own, f"{around.path}/{name}" + (f"[{number}]" if number > 1 else ""))
            around.children.append(node)
        self._open.append(node)
        self._counts.append({})

    def end(self, tag: str) -> None:
        self._open.pop()
        self._counts.pop()

    def text(self, data: str) -> None:
        if self._open:
            self._open[-1].text += data

    def doctype(self, *_: object) -> None:
        raise Refused("dtd", "a document type declaration; send the document without it")


class Form:
    """Reads what a document has to have, and may have; what is wrong goes to ``findings``."""

    def __init__(self, findings: Findings) -> None:
        self.findings = findings

    def one(self, node: Node, *names: str, needed: bool = False) -> Node | None:
        """Return the one element at a path of names."""
        found = node.all(*names)
        where = "/".join((node.path, *names))
        if len(found) > 1:
            self.findings.add("several", where, "expected once")
        if not found and needed:
            self.findings.add("missing", where, "expected")
        return found[0] if found else None

    def text(self, node: Node, *names: str, needed: bool = False) -> str:
        """Return the text of the one element at a path, "" where there is none."""
        found = self.one(node, *names, needed=needed)
        text = "" if found is None else " ".join(found.text.split())
        if found is not None and (not text or len(text) > MAX_TEXT):
            if needed or text:
                self.findings.add("bad_text", found.path, f"expected a text of 1 to {MAX_TEXT} characters")
            return ""
        return text

    def decimal(self, node: Node, *names: str, needed: bool = False) -> str:
        """Return the decimal of the one element at a path as its text."""
        text = self.text(node, *names, needed=needed)
        if text and not (is_decimal(text) and len(text) <= _MAX_DIGITS and "e" not in text.lower()):
            self.findings.add("bad_decimal", "/".join((node.path, *names)), f"{text[:64]!r} is no decimal")
            return ""
        return text

    def quantity(self, node: Node, name: str, *, needed: bool = False) -> tuple[str, str]:
        """Return a quantity and its unit."""
        found = self.one(node, name, needed=needed)
        return ("", "") if found is None else (self.decimal(node, name), found.attributes.get("unitCode", ""))


def every(node: Node) -> Iterator[Node]:
    """Yield an element and all in it."""
    yield node
    for child in node.children:
        yield from every(child)
