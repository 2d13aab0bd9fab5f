"""Genesis documents of tests: members by name, each with one operator, some with a node."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Final

from coseal.ledger.genesis import PBFT_NAME, Genesis, Member, Node, Operator, Parameters, encode_genesis
from tests.support.keys import operator, validator

START_MS: Final = 1_700_000_000_000
"""The time of a genesis."""
PRESENCE_MS: Final = START_MS + 180 * 86_400_000
"""When it is looked at whether the members of a genesis are present still: all that is due on a new chain."""
ROLES: Final[Mapping[str, str]] = {
    "regulator": "government",
    "city": "government",
    "central-bank": "bank",
    "bank-a": "bank",
    **{f"bank-{letter}": "bank" for letter in "bcde"},
    "enterprise-a": "enterprise",
    "enterprise-b": "enterprise",
    "institute-a": "institute",
    "public-a": "public",
}
"""Every member that a chain of a test may have. The city is municipal, the regulator central."""
MEMBERS: Final = ("regulator", "city", "central-bank", "bank-a", "enterprise-a", "institute-a", "public-a")
"""The members of a usual chain: of every role."""
VALIDATORS: Final = ("regulator", "central-bank", "bank-a", "enterprise-a")
"""Those of them that run a validator."""


def make_genesis(
    name: str = "test",
    *,
    members: Sequence[str] = MEMBERS,
    validators: Sequence[str] = VALIDATORS,
    observers: Sequence[str] = (),
    registrars: Sequence[str] = ("regulator",),
    capabilities: Sequence[str] | None = None,
    certificates: Mapping[str, bytes] | None = None,
    time_ms: int = START_MS,
    constitution: Mapping[str, Any] | None = None,
    engine: str = PBFT_NAME,
    money: bool = False,
    **parameters: Any,
) -> Genesis:
    """Return a genesis. A member's ``admin`` may operate and submit, a government's supervise, ``registrars`` record.

    ``capabilities`` are those of every operator instead; ``validators`` are named as their members, a second one of a
    member with a suffix (``bank-a.2``); ``observers`` are nodes of the first member; ``certificates`` are link
    certificates of nodes, where a test looks at them; with ``money`` everybody may pay and
    hold seats of vaults, and banks have a treasury; ``parameters`` as in the genesis.
    """
    links = certificates or {}
    nodes = [(node, node.partition(".")[0], "validator") for node in validators]
    nodes += [(node, members[0], "observer") for node in observers]
    raw = encode_genesis(
        name=name,
        time_ms=time_ms,
        parameters=Parameters(**{"state_bits": 8, **parameters}),
        members=tuple(_member(member, capabilities or _capabilities(member, registrars, money)) for member in members),
        nodes=tuple(
            Node(node, member, kind, validator(node).public_key, links.get(node, b"certificate"))
            for node, member, kind in nodes
        ),
        constitution=constitution,
        engine=engine,
    )
    return Genesis.decode(raw)


@cache
def genesis() -> Genesis:
    """Return the genesis of the usual chain."""
    return make_genesis()


def _member(member: str, capabilities: Sequence[str]) -> Member:
    role = ROLES[member]
    return Member(
        id=member,
        name=member.title(),
        role=role,
        level=("municipal" if member == "city" else "central") if role == "government" else "",
        sector="",
        central_bank=member == "central-bank",
        operators=(Operator("admin", operator(member).public_key, tuple(sorted(capabilities))),),
    )


def _capabilities(member: str, registrars: Sequence[str], money: bool) -> list[str]:
    given = ["operate", "submit"]
    given += ["registrar"] if member in registrars else []
    given += ["approve", "custody", "pay", *(["treasury"] if ROLES[member] == "bank" else [])] if money else []
    return given + (["supervise"] if ROLES[member] == "government" else [])
