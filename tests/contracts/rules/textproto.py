"""A reader for the text form of protocol buffers, as far as the conformance files of CEL use it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Message = dict[str, list[Any]]
"""Field name -> its values in order; a value is a message, a text, or the word as written."""

ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Text(str):
    """A quoted value, told from a bare word."""


class Bytes(bytes):
    """A quoted value that is no UTF-8."""


def read(source: str) -> Message:
    """Return the message a whole file is."""
    return message(iter([*tokens(source), "}"]))


def tokens(source: str) -> Iterator[str | Text | Bytes]:
    """Yield marks, words and quoted values; neighbouring quoted values are one."""
    at, pending = 0, None
    while at < len(source):
        character = source[at]
        if character.isspace():
            at += 1
            continue
        if character == "#":
            end = source.find("\n", at)
            at = len(source) if end < 0 else end
            continue
        if character in "'\"":
            value, at = quoted(source, at)
            pending = value if pending is None else pending + value
            continue
        if pending is not None:
            yield closed(pending)
            pending = None
        if character in "{}[]:,;<>":
            at += 1
            yield character
            continue
        start = at
        while at < len(source) and (source[at].isalnum() or source[at] in "_.+-/"):
            at += 1
        assert at > start, source[at : at + 20]
        yield source[start:at]
    if pending is not None:
        yield closed(pending)


def closed(value: bytes) -> Text | Bytes:
    try:
        return Text(value.decode())
    except UnicodeDecodeError:
        return Bytes(value)


def quoted(source: str, at: int) -> tuple[bytes, int]:
    """Read a quoted value: (bytes, where it ends)."""
    quote, at = source[at], at + 1
    found = bytearray()
    while source[at] != quote:
        if source[at] != "\\":
            found += source[at].encode()
            at += 1
            continue
        letter = source[at + 1]
        at += 2
        if letter in "xX":
            size = 2 if source[at + 1] in "0123456789abcdefABCDEF" else 1
            found.append(int(source[at : at + size], 16))
            at += size
        elif letter in "uU":
            size = 4 if letter == "u" else 8
            found += chr(int(source[at : at + size], 16)).encode("utf-8", "surrogatepass")
            at += size
        elif letter in "01234567":
            size = 1
            while size < 3 and source[at - 1 + size] in "01234567":
                size += 1
            found.append(int(source[at - 1 : at - 1 + size], 8))
            at += size - 1
        else:
            found += ESCAPES.get(letter, letter).encode()
    return bytes(found), at + 1


def message(found: Iterator[Any]) -> Message:
    """Read fields up to the closing brace."""
    fields: Message = {}
    for token in found:
        if token in ("}", ">") and not isinstance(token, Text):
            return fields
        if token in (",", ";"):
            continue
        name = token
        if token == "[":  # an extension or the type of an Any
            name = "[" + "".join(iter(lambda: next(found), "]")) + "]"
        values = fields.setdefault(name, [])
        token = next(found)
        if token == ":" and not isinstance(token, Text):
            token = next(found)
        if token == "[" and not isinstance(token, Text):
            while (token := next(found)) != "]":
                if token != ",":
                    values.append(message(found) if token == "{" else token)
            continue
        values.append(message(found) if token == "{" and not isinstance(token, Text) else token)
    raise AssertionError("a message is not closed")
