"""Decimal texts, read, compared and rounded exactly: the same on every machine, and without floats.

Law: a text has at most ``MAX_TEXT`` characters, and no power of ten beyond that many digits is ever made, whatever
its exponent says.

docs/spec/rules.md, rules G39 and G43.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from coseal.contracts.rules.cel.values import MAX_TEXT, EvalError, integer

MAX_SCALE: Final = 18
_DIGITS: Final = frozenset("0123456789")
_LARGEST_SHIFT: Final = MAX_TEXT + 2
"""Powers of ten by which every number of at most ``MAX_TEXT`` digits becomes less than half."""
ROUNDINGS: Final[Mapping[str, str]] = {
    "ceiling": "up to the next greater",
    "down": "towards zero",
    "floor": "down to the next smaller",
    "half_down": "to the nearest, a half towards zero",
    "half_even": "to the nearest, a half to the even one",
    "half_up": "to the nearest, a half away from zero",
    "up": "away from zero",
}
"""The ways of rounding by name; what each means is that of Python's ``decimal`` and IEEE 754."""


def read(text: str) -> tuple[int, int]:
    """Return the number and the power of ten that ``[-]digits[.digits][e[+-]digits]`` names."""
    mantissa, mark, exponent = text.replace("E", "e").partition("e")
    digits = mantissa[1:] if mantissa[:1] == "-" else mantissa
    whole, point, fraction = digits.partition(".")
    power = exponent[1:] if exponent[:1] in ("-", "+") else exponent
    if (
        len(text) > MAX_TEXT
        or not whole
        or bool(point) != bool(fraction)
        or bool(mark) != bool(power)
        or not _DIGITS.issuperset(whole + fraction + power)
    ):
        raise EvalError("no decimal as -12.50 or 1e-05")
    number, shift = int(whole + fraction), int(power or "0")
    return -number if mantissa[0] == "-" else number, (-shift if exponent[:1] == "-" else shift) - len(fraction)


def decimal(text: str, scale: int) -> int:
    """Return a decimal text (``12.50``, ``-3``, ``1e-05``) in units of 10^-``scale``, exactly or not at all (G39).

    ``decimal('12.5', 2)`` is 1250; ``decimal('12.345', 2)`` is an error, as is what does not fit 64 bit.
    """
    number, rest, _ = _scaled(text, scale)
    if rest:
        raise EvalError(f"the decimal has more than {scale} digits after the point")
    return integer(number)


def rounded(text: str, scale: int, rounding: str) -> int:
    """Return a decimal text in units of 10^-``scale``, rounded by one of ``ROUNDINGS`` (G39)."""
    require_rounding(rounding)
    number, rest, unit = _scaled(text, scale)
    negative = text[0] == "-"
    if rounding == "up":
        more = rest > 0
    elif rounding == "floor" or rounding == "ceiling":
        more = rest > 0 and negative == (rounding == "floor")
    elif rounding == "down":
        more = False
    elif 2 * rest == unit:
        more = rounding == "half_up" or (rounding == "half_even" and number % 2 == 1)
    else:
        more = 2 * rest > unit
    return integer(number + (-1 if negative else 1) if more else number)


def require_rounding(rounding: str) -> None:
    """Raise EvalError for a name that is none of ``ROUNDINGS``."""
    if rounding not in ROUNDINGS:
        raise EvalError(f"no rounding of that name; expected one of {', '.join(ROUNDINGS)}")


def compare(left: str | int, right: str | int) -> int:
    """Return -1, 0 or 1: whether the first of two numbers is less than, equal to or greater than the second (G43)."""
    number, power = (left, 0) if isinstance(left, int) else read(left)
    other, other_power = (right, 0) if isinstance(right, int) else read(right)
    sign, other_sign = (number > 0) - (number < 0), (other > 0) - (other < 0)
    if sign != other_sign or sign == 0:
        return (sign > other_sign) - (sign < other_sign)
    size, other_size = len(str(abs(number))) + power, len(str(abs(other))) + other_power
    if size != other_size:
        return sign if size > other_size else -sign
    shift = power - other_power  # at most the digits of a text: the sizes are equal
    number, other = number * _power(max(0, shift)), other * _power(max(0, -shift))
    return (number > other) - (number < other)


def _scaled(text: str, scale: int) -> tuple[int, int, int]:
    """Return the units of 10^-``scale``, cut towards zero; what is left, as a part of the third number."""
    if not 0 <= scale <= MAX_SCALE:
        raise EvalError(f"the scale is 0 to {MAX_SCALE}")
    number, power = read(text)
    shift = scale + power
    if number == 0:
        return 0, 0, 1
    if shift > MAX_SCALE + 1:
        raise EvalError("integer overflow")
    if shift >= 0:
        return number * _power(shift), 0, 1
    unit = _power(min(-shift, _LARGEST_SHIFT))
    units, rest = divmod(abs(number), unit)
    return -units if number < 0 else units, rest, unit


def _power(digits: int) -> int:
    power: int = 10**digits
    return power
