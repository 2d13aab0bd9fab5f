"""A small contract whose transactions name sidecars: members put them, and erase what they put.

Law: what is live is one list in the state; a name that is live is not put again, so nobody's can be taken over.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.contract import Contract
from coseal.contracts.kernel.fields import Hexadecimal
from coseal.contracts.kernel.sidecars import Named, Sidecar, Sidecars
from coseal.contracts.registry import RULES, Contracts
from coseal.ledger.sealed import Envelope, Envelopes, encode_sidecar, name_of

NAME: Final = "lockers"
LIVE: Final = f"{NAME}/live"
"""``[[name, bytes, member], ...]`` of the live sidecars, the oldest first."""
LIVE_MAX: Final = 256


def _put(view: View, context: Context, args: Args) -> Result | Rejected:
    name, live = args["sidecar"]["name"], _live(view)
    if any(entry[0] == name for entry in live):
        return Rejected("already_put", f"{name} is live; erase it first")
    if len(live) >= LIVE_MAX:
        return Rejected("full", f"{LIVE_MAX} sidecars are live; erase one first")
    view.put(LIVE, [*live, [name, args["sidecar"]["bytes"], context.member]])
    return {"name": name}


def _erase(view: View, context: Context, args: Args) -> Result | Rejected:
    live = _live(view)
    if not any(entry[0] == args["name"] and entry[2] == context.member for entry in live):
        return Rejected("not_put", f"{context.member} has no live sidecar {args['name']}")
    view.put(LIVE, [entry for entry in live if entry[0] != args["name"]])
    return {"name": args["name"]}


def _live(reader: Reader) -> list[Any]:
    found: Any = reader.get(LIVE)
    return found or []


def _newest_first(reader: Reader) -> Iterator[Named]:
    return (Named(bytes.fromhex(name), size) for name, size, _ in reversed(_live(reader)))


def _find(reader: Reader, name: bytes) -> Named | None:
    return next((named for named in _newest_first(reader) if named.name == name), None)


def _changed(act: str, data: Mapping[str, Any]) -> Iterator[bytes]:
    if act in (f"{NAME}.put", f"{NAME}.erase"):
        yield bytes.fromhex(data["name"])


def _may_read(reader: Reader, name: bytes, member: str) -> bool:
    return any(entry[0] == name.hex() and entry[2] == member for entry in _live(reader))


CONTRACT: Final = Contract(
    NAME,
    {
        "put": Action(Arguments({"sidecar": Sidecar()}), _put, "Put a sidecar"),
        "erase": Action(Arguments({"name": Hexadecimal()}), _erase, "Erase a sidecar"),
    },
    sidecars=Sidecars(_newest_first, _find, _changed, _may_read),
)


def made(number: int, size: int = 1_200) -> tuple[bytes, bytes]:
    """Return name and bytes of a sidecar of about this size, different by its number."""
    envelopes = Envelopes(bytes(32), (Envelope("bank-a", 0, number.to_bytes(8, "big").ljust(size, b"\x01")),))
    return name_of(envelopes), encode_sidecar(envelopes)


def with_lockers(rules: Mapping[int, Contracts] = RULES) -> dict[int, Contracts]:
    """Return the rules of every version with the contract beside the others."""
    return {version: {**contracts, NAME: CONTRACT} for version, contracts in rules.items()}
