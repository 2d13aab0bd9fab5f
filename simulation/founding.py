"""The genesis of a simulated chain.

Law: small and quick where the protocol does not care: few state buckets, short timeouts, one operator a
member, two of the central bank.
"""

from __future__ import annotations

from typing import Final

from coseal.ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from simulation.keys import Scheme
from simulation.payments import CENTRAL, ISSUER
from simulation.swarm import Options

START_MS: Final = 1_700_000_000_000
STATE_BITS: Final = 4
MEMBERS: Final = (
    ("bank-a", "bank"),
    ("central-bank", "bank"),
    ("enterprise-a", "enterprise"),
    ("regulator", "government"),
    ("institute-a", "institute"),
    ("enterprise-b", "enterprise"),
    ("bank-b", "bank"),
    ("ministry", "government"),
    ("institute-b", "institute"),
)
"""The first n run a validator from the start, the next ``joiners`` run none yet."""

RIGHTS: Final = ("operate", "submit", "pay", "treasury")


def make_genesis(options: Options, scheme: Scheme) -> Genesis:
    """Return the genesis of a world: a member a validator, a small state tree, short timeouts.

    Members without a node come last; an observer is the last member's, so that it may become a validator.
    """
    members = tuple(
        Member(
            id=name,
            name=name,
            role=role,
            level="central" if role == "government" else "",
            sector="",
            central_bank=name == "central-bank",
            operators=(Operator("admin", scheme.signer("operator", name).public_key, RIGHTS), *_issuer(name, scheme)),
        )
        for name, role in MEMBERS[: options.n + options.joiners]
    )
    nodes = [
        Node(m.id, m.id, "validator", scheme.signer("node", m.id).public_key, b"\x01") for m in members[: options.n]
    ]
    for number in range(1, options.observers + 1):
        name = f"observer-{number}"
        nodes.append(Node(name, members[-1].id, "observer", scheme.signer("node", name).public_key, b"\x01"))
    parameters = Parameters(
        tenure=options.tenure,
        state_bits=STATE_BITS,
        round_timeout_ms=options.round_timeout_ms,
        round_timeout_ms_max=options.round_timeout_ms_max,
        heartbeat_ms=options.heartbeat_ms,
    )
    raw = encode_genesis(name="simulated", time_ms=START_MS, parameters=parameters, members=members, nodes=tuple(nodes))
    return Genesis.decode(raw)


def _issuer(member: str, scheme: Scheme) -> tuple[Operator, ...]:
    """Return the second operator of the central bank: who confirms an instruction does not issue on it."""
    if member != CENTRAL:
        return ()
    return (Operator(ISSUER, scheme.signer("operator", f"{CENTRAL}/{ISSUER}").public_key, RIGHTS),)
