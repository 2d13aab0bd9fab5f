"""Gateways: members that take comments of people who are no members, and acknowledge them by a key of their own.

Law: a promise holds as it was when it was made: a gateway that changes its key or its term voids no acknowledgement.

contracts/participation/README.md, G1 to G4.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Label
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership.state import EXAMPLE_KEY, public_key
from coseal.contracts.participation.state import GATEWAYS_KEY, office_key

MAX_GATEWAYS: Final = 64
MAX_PROMISES: Final = 16
"""Keys and terms of one gateway that may still be asked about."""
MIN_INCLUDE_MS: Final = 3_600_000
MAX_INCLUDE_MS: Final = 7 * DAY_MS
CLAIM_MS: Final = 366 * DAY_MS
"""How long after an acknowledgement its holder may still claim that it was left out."""
ROLES: Final = ("government", "institute", "public")

Office = dict[str, Any]


def _register(view: View, context: Context, args: Args) -> Result | Rejected:
    if context.role not in ROLES:  # G1
        return Rejected("wrong_role", f"gateways are government, institute and public members, not {context.role}")
    before: Any = view.get(office_key(context.member))
    promise = [context.time_ms, args["key"], args["include_ms"]]
    if before is None:
        wrong = _enter(view, context.member)
        if wrong is not None:
            return wrong
        record: Office = {"promises": [promise], "withheld": {}}
    else:
        promises = _kept(before["promises"], context.time_ms)
        if promises[-1][1:] != promise[1:]:  # G3
            if len(promises) >= MAX_PROMISES:
                free = moment_text(promises[1][0] + CLAIM_MS + MAX_INCLUDE_MS)
                return Rejected("limit", f"{len(promises)} keys and terms may still be asked about; wait until {free}")
            promises = [*promises, promise]
        record = {**before, "promises": promises}
    record |= {"url": args["url"], "duties_sha256": args["duties_sha256"], "height": context.height}
    view.put(office_key(context.member), record)
    return {"gateway": context.member, "key": args["key"], "include_ms": args["include_ms"]}


def _enter(view: View, member: str) -> Rejected | None:
    gateways: Any = view.get(GATEWAYS_KEY) or []
    if len(gateways) >= MAX_GATEWAYS:  # G2
        return Rejected("limit", f"there are {MAX_GATEWAYS} gateways; comment at one of them")
    view.put(GATEWAYS_KEY, [*gateways, member])
    return None


def _kept(promises: list[Any], time_ms: int) -> list[Any]:
    """Return the promises that may still be asked about: those whose successor is not that old, and the last."""  # G4
    old = time_ms - CLAIM_MS - MAX_INCLUDE_MS
    return [one for one, after in pairwise(promises) if after[0] >= old] + promises[-1:]


def office(reader: Reader, member: str) -> Office | Rejected:
    """Return a gateway's office, or the refusal of one that there is not."""
    found: Any = reader.get(office_key(member))
    if found is None:
        return Rejected("unknown_gateway", f"{member} is no gateway; it registers with participation.register_gateway")
    return dict(found)


def promise_at(record: Office, time_ms: int) -> tuple[str, int] | None:
    """Return the key of a gateway at a time, hexadecimal, and within how many ms it then promised to record."""
    found = [promise for promise in record["promises"] if promise[0] <= time_ms]
    return (found[-1][1], found[-1][2]) if found else None


def include_ms(record: Office, closes_ms: int) -> int:
    """Return how long after a consultation closes a gateway may still record: by its promise of that moment."""  # N5
    promised = promise_at(record, closes_ms)
    return MIN_INCLUDE_MS if promised is None else promised[1]


ACTIONS: Final[dict[str, Action]] = {
    "register_gateway": Action(
        arguments=Arguments(
            {
                "url": Label(high=256),
                "key": public_key,
                "include_ms": Integer(MIN_INCLUDE_MS, MAX_INCLUDE_MS),
                "duties_sha256": Hexadecimal(),
            }
        ),
        apply=_register,
        title="Become a gateway for comments of people, or change its address, key or term",
        example={
            "url": "https://comments.example",
            "key": EXAMPLE_KEY,
            "include_ms": DAY_MS,
            "duties_sha256": "00" * 32,
        },
        capability="operate",
    ),
}
