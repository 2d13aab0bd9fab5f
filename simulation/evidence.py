"""I14: what honest nodes accuse others of, and what the chain holds against validators, judged anew.

Law: nothing of the product is asked. A record on the chain is read from a block's bytes, and both of its signatures
are checked over preimages made here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from coseal.node.core import events
from simulation import reading
from simulation.reading import PHASES, Seen

if TYPE_CHECKING:
    from simulation.node import SimulatedNode
    from simulation.world import World

REPORT: Final = "evidence.report"
KEPT: Final = 16
Place = tuple[str, int, int, int]
"""Validator, height, round, phase."""


class Evidence:
    """What one world's nodes prove against each other; ``fault`` texts say what is wrong."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.chain_id = world.genesis.chain_id
        self.recorded: dict[Place, int] = {}  # -> the height of the block that holds it
        self.accusations: dict[tuple[int, int], dict[Place, None]] = {}  # (endpoint, life) -> where

    def accused(self, node: SimulatedNode, accused: events.Accused) -> str | None:
        """Judge what an honest node says it holds against another."""
        first, second = (
            reading.said(b"\x93\xa9consensus\x01" + message) for message in (accused.first, accused.second)
        )
        if first is None or second is None:
            return "evidence that is no consensus message"
        places = [(said.phase, said.height, said.round, said.sender) for said in (first, second)]
        if places[0] != places[1] or first.subject == second.subject:
            return f"{node.id} calls two messages contradicting that are not"
        if accused.node not in self.world.faulty_names():
            return f"{node.id} accuses the honest {accused.node}"
        held = self.accusations.setdefault((node.index, node.life), {})
        held[accused.node, first.height, first.round, first.phase] = None
        return None

    def signed_by_node(self, raw: bytes) -> bool:
        """Say whether a transaction is a node's own word, signed with that node's key."""
        claim = reading.claim(raw)
        if claim is None or not claim.sender.startswith("node:"):
            return False
        keys = self.world.keys(claim.sender.removeprefix("node:"))
        return claim.key in keys and self.world.scheme.verify(claim.key, claim.preimage, claim.signature)

    def committed(self, seen: Seen) -> str | None:
        """Judge the reports in a block, as it becomes known."""
        for raw, receipt in zip(seen.transactions, seen.receipts[1:], strict=True):
            claim, code = reading.claim(raw), reading.unpack(receipt)[3]
            if claim is None or claim.name != REPORT:
                continue
            fault = self._report(seen.height, claim.sender, claim.args, code)
            if fault is not None:
                return fault
        return None

    def _report(self, height: int, sender: str, args: dict[str, Any], code: str) -> str | None:
        who = f"the report of {sender} at height {height}"
        if code == "ok":
            fault = self._record(height, args)
            return None if fault is None else f"{who} {fault}"
        if sender.removeprefix("node:") in self.world.faulty_names():
            self.world.goals["evidence_refused"] += code == "forged_evidence"
            return None
        known = ("already_reported", "enough_reported")
        if code == "unknown_sender" and len(self.world.keys(sender.removeprefix("node:"))) > 1:
            return None  # it got another key just then
        return None if code in known else f"{who} was refused: {code}"

    def _record(self, height: int, args: dict[str, Any]) -> str | None:
        name, phase = args["validator"], PHASES[args["phase"]]
        place = (name, args["height"], args["round"], phase)
        era = self.world.epochs.at(args["height"])
        index, hashes = era.index(name), list[bytes]()
        if index is None:
            return f"is against {name}, which did not validate then"
        key = era.seats[index].key
        for half in (args["first"], args["second"]):
            hashes.append(bytes.fromhex(half["hash"]))
            preimage = reading.vote(self.chain_id, era.number, args["height"], args["round"], phase, hashes[-1])
            if not self.world.scheme.verify(key, preimage, bytes.fromhex(half["signature"])):
                return f"put a signature on record that {name} never made"
        if hashes[0] == hashes[1]:
            return "put one thing said twice on record"
        if name not in self.world.faulty_names():
            return f"is against the honest {name}"
        if self.recorded.setdefault(place, height) != height or args["height"] > height:
            return f"is a second one, or before its time: {place}"
        self.world.goals["evidence_committed"] += 1
        return None

    def missing(self, node: SimulatedNode) -> Place | None:
        """Return what an honest node has held against another since it started, and the chain does not have."""
        for place in self.accusations.get((node.index, node.life), {}):
            if place not in self.recorded and sum(known[0] == place[0] for known in self.recorded) < KEPT:
                return place
        return None
