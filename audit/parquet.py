"""How many rows a Parquet file says it has, read from its footer by the standard library alone.

Law: nothing is read beyond the footer, and nesting is bounded; what does not fit is a ``ValueError``. The footer is a
Thrift struct in the compact protocol, of which field 3 is the number of rows.
Source: the Parquet format's thrift definition, FileMetaData; Thrift's specification of the compact protocol.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

_MAGIC: Final = b"PAR1"
_ROWS: Final = 3
_DEPTH: Final = 16
_STOP, _TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(13)


def rows(data: bytes) -> int:
    """Return the number of rows; raise ``ValueError`` for what is no Parquet file."""
    size = int.from_bytes(data[-8:-4], "little")
    if len(data) < 12 or data[:4] != _MAGIC or data[-4:] != _MAGIC or size > len(data) - 12:
        raise ValueError("no Parquet file")
    footer = _Compact(data[-8 - size : -8])
    for field, kind in footer.fields():
        if field == _ROWS and kind == _I64:
            return footer.integer()
        footer.skip(kind, _DEPTH)
    raise ValueError("the footer does not say how many rows there are")


class _Compact:
    """Reads Thrift's compact protocol."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yield (number, type) of each field of the struct here, to be read or skipped before the next one."""
        number = 0
        while kind := (head := self._byte()) & 0x0F:
            number = number + (head >> 4) if head >> 4 else self.integer()
            yield number, kind

    def integer(self) -> int:
        """Read an integer in zigzag form."""
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def skip(self, kind: int, depth: int) -> None:
        """Pass over a value."""
        if depth == 0:
            raise ValueError("the footer is nested too deep")
        if kind in (_TRUE, _FALSE):  # of a field; the type is the value
            return
        if kind in (_I16, _I32, _I64):
            self._varint()
        elif kind in (_BYTE, _DOUBLE):
            self._pass(1 if kind == _BYTE else 8)
        elif kind == _BINARY:
            self._pass(self._varint())
        elif kind in (_LIST, _SET):
            head = self._byte()
            count = self._varint() if head >> 4 == 15 else head >> 4
            for _ in range(min(count, len(self._data))):
                self._byte() if head & 0x0F in (_TRUE, _FALSE) else self.skip(head & 0x0F, depth - 1)
        elif kind == _STRUCT:
            for _, inner in self.fields():
                self.skip(inner, depth - 1)
        else:  # FileMetaData has no map
            raise ValueError(f"the footer holds a value of type {kind}")

    def _varint(self) -> int:
        value = shift = 0
        while shift < 70:
            byte = self._byte()
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ValueError("the footer holds a number of more than 64 bits")

    def _byte(self) -> int:
        self._pass(1)
        return self._data[self._at - 1]

    def _pass(self, count: int) -> None:
        self._at += count
        if self._at > len(self._data):
            raise ValueError("the footer ends too early")
