"""The cells of a table as it writes them: its encoding, and numbers with a decimal comma or separated thousands.

Law: a number is read only where it can mean one thing, and keeps its digits; bytes that are no text of the encoding are
a finding with their line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from coseal.formats.importers.log import BadLog, Findings, read_bytes

UTF_8: Final = "utf-8"
ENCODINGS: Final[Mapping[str, str]] = {
    UTF_8: "utf-8-sig",  # with or without a byte order mark
    "utf-16": "utf-16",
    "latin-1": "latin-1",
    "iso-8859-15": "iso-8859-15",
    "cp1250": "cp1250",
    "cp1251": "cp1251",
    "cp1252": "cp1252",
    "gb18030": "gb18030",  # and all that is GBK or GB 2312
    "big5": "big5",
    "shift-jis": "cp932",
    "euc-kr": "cp949",
}
"""The encodings that a table may have, and how Python calls the one that holds it."""

DECIMALS: Final = (".", ",")
THOUSANDS: Final = ("", ".", ",", "'", " ")
_SPACES: Final = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'"})


@dataclass(frozen=True)
class Numbers:
    """How numbers are written: the decimal mark, and what separates thousands (nothing if empty)."""

    decimal: str = "."
    thousands: str = ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        grouped = rf"[0-9]{{1,3}}(?:{re.escape(self.thousands)}[0-9]{{3}})+|" if self.thousands else ""
        fraction = rf"(?:{re.escape(self.decimal)}[0-9]+)?"
        return re.compile(rf"-?(?:{grouped}[0-9]+){fraction}(?:[eE][+-]?[0-9]+)?", re.ASCII)

    def plain(self, text: str) -> str | None:
        """Return a number's text as the ledger writes it, with its digits; None if it is not written this way."""
        if self == _PLAIN:
            return text
        spaced = text.translate(_SPACES)
        if self._pattern.fullmatch(spaced) is None:
            return None
        whole = spaced.replace(self.thousands, "") if self.thousands else spaced
        return whole.replace(self.decimal, ".")

    @property
    def expected(self) -> str:
        """Return an example in words."""
        return f"a number as 1{self.thousands}234{self.decimal}56"


_PLAIN: Final = Numbers()


def read_table(path: Path, encoding: str) -> str:
    """Return a file's text; bytes that are none in this encoding are a finding with their line."""
    data, codec = read_bytes(path), ENCODINGS[encoding]
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        line = data[: error.start].decode(codec, "replace").count("\n") + 1
        wrong = " ".join(f"{byte:02x}" for byte in data[error.start : max(error.end, error.start + 1)][:4])
        findings = Findings()
        code = "not_utf8" if encoding == UTF_8 else "bad_encoding"
        findings.add(code, f"line {line}", f"the bytes {wrong} are no text in {encoding}")
        raise BadLog(path, findings.all()) from None
