"""Who holds a wallet: a member, a legal entity by its code, or a commitment to one. Never a natural person.

Law: a code that is formed like a resident's number is refused, whatever it is called.

Sources: GB 32100-2015 (unified social credit code), ISO 17442 (LEI), GB 11643-1999 (resident's number).
"""

from __future__ import annotations

from typing import Final

from coseal.contracts.currency.authority import HOSTED, KEY, MEMBER
from coseal.contracts.kernel.action import Args, Reader, Rejected
from coseal.contracts.kernel.dates import parse_date
from coseal.contracts.membership.state import member_key

COMMITMENT: Final = "commitment"
_SOCIAL: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SOCIAL_WEIGHTS: Final = tuple(pow(3, at, 31) for at in range(17))
_RESIDENT_WEIGHTS: Final = tuple(pow(2, 17 - at, 11) for at in range(17))
_DIGITS: Final = frozenset("0123456789")
_LEI: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def is_social_credit_code(code: str) -> bool:
    """Say whether a code passes GB 32100: 18 characters, the last checks the others."""
    if len(code) != 18 or not set(code) <= set(_SOCIAL):
        return False
    total = sum(_SOCIAL.index(letter) * weight for letter, weight in zip(code[:17], _SOCIAL_WEIGHTS, strict=True))
    return code[17] == _SOCIAL[-total % 31]


def is_legal_entity_identifier(code: str) -> bool:
    """Say whether a code passes ISO 17442: 18 characters and two digits, 1 modulo 97 with letters as 10 to 35."""
    if len(code) != 20 or not set(code) <= set(_LEI) or not set(code[18:]) <= _DIGITS:
        return False
    left = 0
    for letter in code:
        number = _LEI.index(letter)
        left = (left * (100 if number > 9 else 10) + number) % 97
    return left == 1


def is_resident_number(code: str) -> bool:
    """Say whether a code is formed like a resident's number: a date of birth in it, and its check digit."""
    if len(code) != 18 or not set(code[:17]) <= _DIGITS:
        return False
    if parse_date(f"{code[6:10]}-{code[10:12]}-{code[12:14]}") is None:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(code[:17], _RESIDENT_WEIGHTS, strict=True))
    return code[17] in ("Xx" if total % 11 == 2 else "10X98765432"[total % 11])


def holder_of(reader: Reader, args: Args) -> tuple[str, str, str] | Rejected:
    """Return the holder of a new wallet, who disposes of it, and the kind of holder that its class has to take."""
    key = KEY if "key" in args else HOSTED
    if "holder_commitment" in args:
        return f"{COMMITMENT}:{args['holder_commitment']}", key, "uscc"
    scheme, _, code = args["holder"].partition(":")
    if is_resident_number(code):  # C4
        return Rejected("natural_person", "args.holder: a resident's number; only legal entities have wallets here")
    if scheme == "uscc" and is_social_credit_code(code):
        return args["holder"], key, scheme
    if scheme == "lei" and is_legal_entity_identifier(code):
        return args["holder"], key, scheme
    if scheme != MEMBER:
        detail = "args.holder: expected member:, uscc: or lei: and a code that passes its check (GB 32100, ISO 17442)"
        return Rejected("bad_identifier", detail)
    if reader.get(member_key(code)) is None:
        return Rejected("bad_identifier", f"args.holder: there is no member {code[:64]}")
    if "key" in args:
        return Rejected("bad_identifier", "args.key: the operators of a member dispose of its wallet; leave it out")
    return args["holder"], MEMBER, scheme
