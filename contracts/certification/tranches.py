"""Tranches of a project: their form, who may be named in them, and how they are kept.

Law: what a tranche asks for is fixed when the project is applied for; nobody that takes part in the project pays it or
attests its milestone.

contracts/certification/README.md, F1 and F2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.certification.state import tranche_key
from coseal.contracts.currency.tranches import MAX_TRANCHES
from coseal.contracts.kernel.action import Args, Reader, Rejected, View, refused
from coseal.contracts.kernel.fields import Identifier, Integer, Label, Many, Name, Record
from coseal.contracts.membership.state import member_key

PLANNED: Final = "planned"
PLEDGED: Final = "pledged"
CLAIMED: Final = "claimed"
RELEASED: Final = "released"
STATUSES: Final = (PLANNED, PLEDGED, CLAIMED, RELEASED)
MAX_AMOUNT: Final = 10**15
"""In fen, as of a payment."""
MAX_ATTESTERS: Final = 8
Tranche = dict[str, Any]

MILESTONE: Final = Record(
    {
        "object": Many(Identifier(), low=3, high=3),
        "members": Many(Name(), low=1, high=MAX_ATTESTERS, unique=True),
    },
    {
        "event": Label(),
        "tally": Record({"name": Identifier(slash=False), "least": Integer(1, 2**62)}),
    },
)
"""What has to be reached: an event about an object (process type, object type, id), or a tally of it."""
TRANCHES: Final = Many(
    Record({"amount": Integer(1, MAX_AMOUNT), "funder": Name(), "milestone": MILESTONE}), low=1, high=MAX_TRANCHES
)
EXAMPLE: Final[Mapping[str, Any]] = {
    "amount": 50_000_000,
    "funder": "central-bank",
    "milestone": {"object": ["works", "site", "S1"], "event": "Handed over", "members": ["bank-a"]},
}


def milestone_faults(args: Args) -> Iterator[Rejected]:
    """Yield what the forms alone do not find: a milestone is either an event or a tally."""
    for index, tranche in enumerate(args.get("tranches", ())):
        if ("event" in tranche["milestone"]) == ("tally" in tranche["milestone"]):
            yield from refused(f".tranches[{index}].milestone: expected either event or tally")


def funders_of(tranches: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the members that are to pay, each once."""
    return list(dict.fromkeys(tranche["funder"] for tranche in tranches))


def wrong_tranches(
    reader: Reader, tranches: Sequence[Mapping[str, Any]], taking_part: frozenset[str]
) -> Rejected | None:
    """Return why somebody who is named in a tranche may not be, or None."""
    named = dict.fromkeys(
        member for tranche in tranches for member in (tranche["funder"], *tranche["milestone"]["members"])
    )
    for member in named:
        if reader.get(member_key(member)) is None:
            return Rejected("unknown_member", f"{member} is no member")
        if member in taking_part:  # F2
            return Rejected("own_case", f"{member} takes part in the project: it neither pays nor attests a milestone")
    return None


def put_tranches(view: View, project: str, tranches: Sequence[Mapping[str, Any]], height: int) -> None:
    """Put the tranches of a new project."""  # F1
    for number, tranche in enumerate(tranches, 1):
        kept = {name: tranche[name] for name in ("amount", "funder", "milestone")}
        view.put(tranche_key(project, number), {**kept, "status": PLANNED, "height": height})


def tranche_of(reader: Reader, project: str, number: int) -> Tranche | Rejected:
    """Return a tranche, or the refusal of one that there is not."""
    found: Any = reader.get(tranche_key(project, number))
    return Rejected("unknown_tranche", f"{project} has no tranche {number}") if found is None else dict(found)
