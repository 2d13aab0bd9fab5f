"""Signatures that CometBFT accepts and rule E1 refuses, made with a key: points in affine coordinates, slowly.

Nothing here calls ``ledger.zip215``: the arithmetic is written a second time.
"""

from __future__ import annotations

from hashlib import sha512

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Affine = tuple[int, int]
BASE: Affine = (
    15112221349535400772501151409588531511454012693041857206046113283949847762202,
    46316835694926478169428394003475163141307993866256225615783033603165251855960,
)
ORDER_8_Y = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
"""The y of four of the points of order 8; the other four have its negative."""


def small_encodings() -> list[bytes]:
    """Return all 14 encodings of the 8 points of small order: 6 of them are not canonical (ZIP-215)."""
    ys = [0, 1, P - 1, ORDER_8_Y, P - ORDER_8_Y, P, P + 1]
    return [(y | sign << 255).to_bytes(32, "little") for y in ys for sign in (0, 1)]


def sign(seed: bytes, message: bytes) -> bytes:
    """Return a signature whose R carries a point of order 8: it holds only with the cofactor."""
    secret = sha512(seed).digest()
    scalar = int.from_bytes(secret[:32], "little") & (2**254 - 8) | 2**254
    nonce = int.from_bytes(sha512(b"nonce" + secret + message).digest(), "little") % L
    carried = encoded(added(times(nonce, BASE), order_8()))
    digest = int.from_bytes(sha512(carried + encoded(times(scalar, BASE)) + message).digest(), "little") % L
    return carried + ((nonce + digest * scalar) % L).to_bytes(32, "little")


def order_8() -> Affine:
    """Return a point of order 8."""
    square = (ORDER_8_Y**2 - 1) * pow(D * ORDER_8_Y**2 + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    return (x if (x * x - square) % P == 0 else x * ROOT % P), ORDER_8_Y


def added(left: Affine, right: Affine) -> Affine:
    """Return the sum of two points."""
    (x1, y1), (x2, y2) = left, right
    both = D * x1 * x2 * y1 * y2
    return (x1 * y2 + x2 * y1) * pow(1 + both, -1, P) % P, (y1 * y2 + x1 * x2) * pow(1 - both, -1, P) % P


def times(scalar: int, point: Affine) -> Affine:
    """Return the multiple of a point."""
    found: Affine = (0, 1)
    for bit in bin(scalar)[2:]:
        found = added(found, found)
        found = added(found, point) if bit == "1" else found
    return found


def encoded(point: Affine) -> bytes:
    """Return the canonical encoding of a point."""
    x, y = point
    return (y | (x & 1) << 255).to_bytes(32, "little")
