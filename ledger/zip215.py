"""Ed25519 as CometBFT verifies it: the rule ZIP-215, which accepts all that rule E1 does, and more.

Law: asked only for a precommit of CometBFT that E1 refuses (M6), never for a transaction or anything else. What is
accepted cannot be made without the key: only the holder of a key can sign so that the two rules differ.

The rule: both encodings are of points of the curve, canonical or not, of whatever order; S < L; and
[8][S]B = [8]R + [8][k]A. Plain Python, some milliseconds a signature, for it is hardly ever needed.
Source: zips.z.cash/zip-0215.
"""

from __future__ import annotations

from hashlib import sha512
from typing import Final, TypeAlias

from coseal.ledger.signing import HASH_BYTES, SIGNATURE_BYTES

Point: TypeAlias = tuple[int, int, int, int]
"""Extended coordinates X, Y, Z, T: x = X/Z, y = Y/Z, xy = T/Z."""

_P: Final = 2**255 - 19
_L: Final = 2**252 + 27742317777372353535851937790883648493
_D: Final = -121665 * pow(121666, -1, _P) % _P
_ROOT: Final = pow(2, (_P - 1) // 4, _P)
"""A square root of -1."""
_NEUTRAL: Final[Point] = (0, 1, 1, 0)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether CometBFT accepts ``signature``; never raises for bad input."""
    scalar = int.from_bytes(signature[32:], "little")
    if len(public_key) != HASH_BYTES or len(signature) != SIGNATURE_BYTES or scalar >= _L:
        return False
    key, nonce = _point(public_key), _point(signature[:32])
    if key is None or nonce is None:
        return False
    digest = int.from_bytes(sha512(signature[:32] + public_key + message).digest(), "little") % _L
    rest = _add(_times(scalar, _BASE), _negative(_add(nonce, _times(digest, key))))
    x, y, z, _ = _times(8, rest)
    return x == 0 and y == z


def _point(encoded: bytes) -> Point | None:
    """Return the point of an encoding, whose y may be p or more and whose x of 0 may be negative; None for none."""
    number = int.from_bytes(encoded, "little")
    y, sign = (number & (2**255 - 1)) % _P, number >> 255
    above, below = (y * y - 1) % _P, (_D * y * y + 1) % _P
    x = above * pow(below, 3, _P) * pow(above * pow(below, 7, _P), (_P - 5) // 8, _P) % _P
    if (below * x * x + above) % _P == 0:
        x = x * _ROOT % _P
    if (below * x * x - above) % _P:
        return None
    if x & 1 != sign:
        x = -x % _P
    return x, y, 1, x * y % _P


def _add(left: Point, right: Point) -> Point:
    """Return the sum; the formulas hold for every two points (Hisil and others, 2008)."""
    (x1, y1, z1, t1), (x2, y2, z2, t2) = left, right
    minus, plus = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
    mixed, doubled = 2 * _D * t1 * t2, 2 * z1 * z2
    e, f, g, h = plus - minus, doubled - mixed, doubled + mixed, plus + minus
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _negative(point: Point) -> Point:
    x, y, z, t = point
    return -x % _P, y, z, -t % _P


def _times(scalar: int, point: Point) -> Point:
    found = _NEUTRAL
    while scalar:
        if scalar & 1:
            found = _add(found, point)
        point, scalar = _add(point, point), scalar >> 1
    return found


def _base() -> Point:
    found = _point((4 * pow(5, -1, _P) % _P).to_bytes(32, "little"))
    if found is None:
        raise AssertionError("the base point is on the curve")
    return found


_BASE: Final = _base()
