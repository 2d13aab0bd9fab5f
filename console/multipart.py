"""What a form with files sends: its parts, read from the bytes of the request.

Law: bounded in size, in number, and in the length of each head, before anything is looked at. RFC 7578, of which only
what browsers send is taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from typing import Final

from coseal.ledger.errors import Malformed

PARTS_MAX: Final = 16
_HEAD_BYTES_MAX: Final = 4_096
_BOUNDARY_MAX: Final = 70


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form; ``file`` is the name of the file it was chosen from, empty for what was typed."""

    name: str
    file: str
    data: bytes

    @property
    def text(self) -> str:
        """What was typed; raises ``Malformed`` if it is no text."""
        try:
            return self.data.decode()
        except UnicodeDecodeError:
            raise Malformed(f"{self.name}: not UTF-8") from None


def parse(content_type: str, body: bytes) -> list[Part]:
    """Return the parts of ``multipart/form-data``; raise ``Malformed``."""
    boundary = _parameter(content_type, "boundary")
    if not content_type.startswith("multipart/form-data") or not 0 < len(boundary) <= _BOUNDARY_MAX:
        raise Malformed("expected a form of type multipart/form-data")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode("latin-1", "replace"), PARTS_MAX + 1)
    if len(pieces) < 2 or not pieces[-1].startswith(b"--"):
        raise Malformed(f"the form is cut short, or has more than {PARTS_MAX} parts")
    return [_part(piece) for piece in pieces[1:-1]]


def _part(piece: bytes) -> Part:
    head, blank, data = piece.partition(b"\r\n\r\n")
    if not blank or not head.startswith(b"\r\n") or len(head) > _HEAD_BYTES_MAX:
        raise Malformed("a part of the form has no head")
    for line in head.decode("utf-8", "replace").split("\r\n"):
        name, _, value = line.partition(":")
        if name.lower() == "content-disposition":
            return Part(_parameter(value, "name"), _parameter(value, "filename"), data)
    raise Malformed("a part of the form has no name")


def _parameter(value: str, name: str) -> str:
    """Return a parameter of a header's value, empty if it has none."""
    message = Message()
    message["content-type"] = value.strip()
    found = message.get_param(name)
    return found if isinstance(found, str) else ""
