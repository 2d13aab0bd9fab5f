"""LTAC, the text form of assurance cases: an element a line, two spaces a level, a blank line between packages.

Law: what is read is written again byte for byte; a text of which that is not so is refused, with what is wrong by line.

Form: Extended LTAC 1.5 (Argevide; David A. Wheeler), https://github.com/david-a-wheeler/verocase, docs/reference.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from coseal.errors import BadAnswer

TYPES: Final = ("Claim", "Strategy", "Evidence", "Context", "Assumption", "Justification", "Relation")
LINK: Final = "Link"
MAX_LINE: Final = 4_096
MAX_LINES: Final = 16_384
_SHOWN: Final = 12
_LINE: Final = re.compile(rf"( *)- ({'|'.join((*TYPES, LINK))})(?=[ :]|$)(.*)")
_HEAD: Final = re.compile(r"(?: (\^?)([^:^]+?))?(?:: (.+))?")
_TAIL: Final = re.compile(r"(.*?)(?: \{([^{}]*)\})?(?: \(([^()]*)\))?")
_NO_ID: Final = str.maketrans("", "", ":^{}()")
_HINT: Final = "the form is described in docs/formats.md#arguments"


@dataclass(frozen=True, slots=True)
class Element:
    """A line that is an element. ``id`` is None where it follows from the statement (``name``).

    ``cited``: it stands for an element declared elsewhere. ``statement`` is None where there is none. ``options`` and
    ``reference`` are None where the text has no braces or parentheses for them, empty where these are empty.
    """

    line: int
    level: int
    type: str
    id: str | None
    cited: bool = False
    statement: str | None = None
    options: tuple[str, ...] | None = None
    reference: str | None = None

    @property
    def name(self) -> str:
        """Return the id by which others cite this element."""
        return self.id if self.id is not None else (self.statement or "").translate(_NO_ID).strip()

    def __str__(self) -> str:
        """Return the line."""
        head = "" if self.id is None else f" {'^' if self.cited and self.type != LINK else ''}{self.id}"
        text = "" if self.statement is None else f": {self.statement}"
        options = "" if self.options is None else f" {{{', '.join(self.options)}}}"
        reference = "" if self.reference is None else f" ({self.reference})"
        return f"{'  ' * self.level}- {self.type}{head}{text}{options}{reference}"


Line: TypeAlias = Element | str
"""An element, or a line between elements as it is: blank, or a comment."""


@dataclass(frozen=True, slots=True)
class Document:
    """An LTAC text; ``ended`` says whether its last line ends."""

    lines: tuple[Line, ...]
    ended: bool = True

    @property
    def elements(self) -> list[Element]:
        """Return the elements in order."""
        return [line for line in self.lines if isinstance(line, Element)]

    def __str__(self) -> str:
        """Return the text."""
        return "\n".join(map(str, self.lines)) + ("\n" if self.ended else "")


class BadText(BadAnswer):
    """A text is not in the form; ``faults`` are all that is wrong, each with its line."""

    def __init__(self, faults: Sequence[tuple[int, str]]) -> None:
        shown = [f"line {line}: {detail}" for line, detail in faults[:_SHOWN]]
        more = [f"and {len(faults) - _SHOWN} more"] if len(faults) > _SHOWN else []
        super().__init__("\n".join([*shown, *more]), _HINT)
        self.faults = tuple(faults)


def read(text: str) -> Document:
    """Return an LTAC text as its lines; raise ``BadText``."""
    ended = text.endswith("\n")
    given = text[: -1 if ended else None].split("\n")
    if len(given) > MAX_LINES:
        raise BadText([(MAX_LINES + 1, f"{len(given)} lines, at most {MAX_LINES}")])
    lines: list[Line] = []
    faults: list[tuple[int, str]] = []
    deepest = 0  # the level that the next element may have
    for number, line in enumerate(given, 1):
        if line == "" or line.lstrip(" ").startswith("#"):
            lines.append(line)
            continue
        element = _element(number, line)
        if isinstance(element, str):
            faults.append((number, element))
            continue
        if element.level > deepest:
            above = "the first element begins the line" if deepest == 0 else f"at most {2 * deepest}"
            faults.append((number, f"it is indented by {2 * element.level} spaces: {above}"))
        deepest = element.level + 1
        lines.append(element)
    if not faults and not any(isinstance(line, Element) for line in lines):
        faults.append((1, "there is no element"))
    if faults:
        raise BadText(faults)
    return Document(tuple(lines), ended)


def _element(number: int, line: str) -> Element | str:
    """Return the element of a line, or what is wrong with it."""
    if len(line) > MAX_LINE:
        return f"{len(line)} characters, at most {MAX_LINE}"
    if line.endswith("\r"):
        return "it ends with a carriage return; use line ends of one character (LF)"
    found = _LINE.fullmatch(line)
    if found is None:
        return f"expected `- ` and {', '.join(TYPES)} or {LINK}, indented by spaces"
    spaces, kind, rest = found.groups()
    if len(spaces) % 2:
        return f"it is indented by {len(spaces)} spaces; a level is two"
    head = _HEAD.fullmatch(rest)
    if head is None:
        return f"expected `{kind} ID: statement`"
    mark, name, text = head.groups()
    if kind == LINK:
        if mark or name is None or text is not None:
            return "expected `Link ID`, of an element that is declared elsewhere"
        element = Element(number, len(spaces) // 2, kind, name, cited=True)
    elif text is None:
        if not mark:
            return f"expected `{kind} ID: statement`; only a citation (`{kind} ^ID`) needs no statement"
        element = Element(number, len(spaces) // 2, kind, name, cited=True)
    else:
        statement, options, reference = _tail(text)
        element = Element(number, len(spaces) // 2, kind, name, bool(mark), statement, options, reference)
    if not element.name or element.statement == "":
        return f"expected `{kind} ID: statement`"
    return element if str(element) == line else f"write it as `{str(element).lstrip()}`"


def _tail(text: str) -> tuple[str, tuple[str, ...] | None, str | None]:
    """Return statement, options and reference of what follows the colon."""
    found = _TAIL.fullmatch(text)
    if found is None:  # a line holds no line end, so this cannot be
        return text, None, None
    statement, options, reference = found.groups()
    words = None if options is None else tuple(_option(word) for word in options.split(",") if word.strip())
    return statement, words, reference


def _option(word: str) -> str:
    """Return an option in lower case, but for a value after ``=``."""
    name, equals, value = word.strip().partition("=")
    return name.lower() + equals + value


def closed(
    statement: str, options: tuple[str, ...] | None, reference: str | None
) -> tuple[tuple[str, ...] | None, str | None]:
    """Return options and reference for a statement, empty ones added where its end would be taken for such."""
    for braces in (options, options or ()):
        for parentheses in (reference, reference or ""):
            tail = Element(0, 0, "", None, False, statement, braces, parentheses)
            if _tail(str(tail).removeprefix("- : ")) == (statement, braces, parentheses):
                return braces, parentheses
    raise ValueError(f"{statement!r} cannot be written")


def document(packages: Iterable[Sequence[Element]]) -> Document:
    """Return a text of packages with a blank line between them."""
    lines: list[Line] = []
    for package in packages:
        lines += ([""] if lines else []) + list(package)
    return Document(tuple(lines))
