"""XML as the importers read it: a file's elements one after the other, in bounded memory.

Law: a document type declaration is refused, so no entity is ever expanded and nothing outside the file is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from xml.parsers import expat

from coseal.formats.importers.log import BadLog, Findings, read_bytes

_DEPTH_MAX: Final = 64


@dataclass(slots=True)
class Element:
    """An element: its name without namespace, its attributes, its text before the first child, its children."""

    tag: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""


Handler = Callable[[tuple[str, ...], Element], None]
"""``handler(names of the elements around, element)``."""


def stream(path: Path, depth: int, handler: Handler, findings: Findings) -> Element:
    """Hand over each element at ``depth`` (1: children of the root) once it is complete; return the root, without them.

    The root and what lies between keep their attributes. Raises ``BadLog`` if the file is no XML or has a DTD.
    """
    reader = _Reader(depth, handler)
    parse(path, reader, findings)
    for name, line in reader.stray:
        findings.add("unknown_text", name, line)
    return reader.root


class Refused(Exception):
    """What a reader of a file does not take, with the code of the finding."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


class Events(Protocol):
    """What expat calls, in the order of the file; each may raise ``Refused``."""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Begin an element."""
        ...

    def end(self, tag: str) -> None:
        """End the element begun last."""
        ...

    def text(self, data: str) -> None:
        """Take text of the element begun last."""
        ...

    def doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        """Refuse a document type declaration."""
        ...


def parse(path: Path, reader: Events, findings: Findings, *, separator: str | None = None) -> None:
    """Have ``reader`` take a whole file, with names as they are written, or as namespace, ``separator`` and name.

    Raises ``BadLog`` for what is no XML and for what the reader refuses.
    """
    parser = expat.ParserCreate(namespace_separator=separator)
    parser.buffer_text = True
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(read_bytes(path), True)
    except expat.ExpatError as error:
        findings.add("not_xml", f"line {error.lineno}, column {error.offset}", expat.ErrorString(error.code))
        raise BadLog(path, findings.all()) from None
    except (LookupError, ValueError) as error:  # an encoding that is unknown here, or that expat cannot take
        findings.add("not_xml", "line 1", str(error)[:200])
        raise BadLog(path, findings.all()) from None
    except Refused as error:
        findings.add(error.code, f"line {parser.CurrentLineNumber}", str(error))
        raise BadLog(path, findings.all()) from None


class _Reader:
    def __init__(self, depth: int, handler: Handler) -> None:
        self.root = Element("", {})
        self.stray: list[tuple[str, str]] = []
        self._depth, self._handler = depth, handler
        self._open: list[Element] = []
        self._places: list[tuple[str, int]] = []
        self._counts: list[dict[str, int]] = [{}]

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        element = Element(tag.rpartition(":")[2], attributes)
        if len(self._open) >= _DEPTH_MAX:
            raise Refused("too_deep", f"more than {_DEPTH_MAX} elements in each other")
        if not self._open:
            self.root = element
        elif len(self._open) > self._depth:
            self._open[-1].children.append(element)
        self._open.append(element)
        counts = self._counts[-1]
        number = counts[element.tag] = counts.get(element.tag, 0) + 1
        self._places.append((element.tag, number))
        self._counts.append({})

    def end(self, tag: str) -> None:
        element = self._open.pop()
        text = element.text.strip()
        if text and (element.children or len(self._open) < self._depth):
            root, *inner = self._places
            self.stray.append(("/".join([root[0], *(f"{name}[{number}]" for name, number in inner)]), text[:60]))
        self._places.pop()
        self._counts.pop()
        if len(self._open) == self._depth:
            self._handler(tuple(outer.tag for outer in self._open), element)
        elif self._open and len(self._open) < self._depth:
            self._open[-1].children.append(element)

    def text(self, data: str) -> None:
        self._open[-1].text += data

    def doctype(self, name: str, system: str | None, public: str | None, internal: int) -> None:
        raise Refused("has_dtd", "a document type declaration is not read; take it out")
