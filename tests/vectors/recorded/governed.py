"""The scenario's part about governance and evidence: every end of every proposal, proofs of every phase."""

from __future__ import annotations

from typing import Any

from coseal.contracts.evidence.actions import PHASES
from coseal.contracts.kernel.admitted import shown
from coseal.ledger import signing
from coseal.ledger.certificate import vote_preimage
from tests.support.keys import signer
from tests.support.others import TALLY_1, TALLY_2
from tests.vectors.recorded.scenario import Scenario
from tests.vectors.recorded.supervised import heavy


def run(scenario: Scenario) -> None:
    """Run this part, but for what was set aside."""
    _evidence(scenario)
    _forms(scenario)
    _members(scenario)
    _validators(scenario)
    _versions(scenario)
    _contracts(scenario)


class Proposals:
    """Proposals of one kind, each under a name of its own."""

    def __init__(self, scenario: Scenario, kind: str, proposer: str = "regulator") -> None:
        self.scenario, self.kind, self.proposer = scenario, kind, proposer

    def args(self, name: str, subject: dict[str, Any], **more: Any) -> dict[str, Any]:
        """Return the arguments of a proposal."""
        return {"id": f"{self.kind.replace('_', '-')}.{name}", "kind": self.kind, "subject": subject, **more}

    def no(self, code: str, subject: dict[str, Any], **more: Any) -> None:
        """Have a proposal refused in the next block."""
        self.scenario.no(code, self.proposer, "governance.propose", **self.args("refused", subject, **more))

    def make(self, name: str, subject: dict[str, Any], **more: Any) -> str:
        """Make a proposal; return its id."""
        made = self.scenario.ok(self.proposer, "governance.propose", **self.args(name, subject, **more))
        return str(made["ballot"])

    def accept(self, name: str, subject: dict[str, Any]) -> None:
        """Make a proposal and have it accepted."""
        self.scenario.decided("governance", self.make(name, subject), "accepted", but=self.proposer)

    def every_end(self, subject: dict[str, Any]) -> None:
        """Have one rejected, one expired, one accepted, and one accepted that cannot take effect any more."""
        scenario = self.scenario
        scenario.decided("governance", self.make("rejected", subject), "rejected", "no", but=self.proposer)
        self.make("expired", subject, closes_ms=scenario.now_ms + 10_000)
        twins = [self.make(status, subject, reason="It is time") for status in ("accepted", "void")]
        scenario.wait(20_000)
        for ballot, status in zip(twins, ("accepted", "void"), strict=True):
            scenario.decided("governance", ballot, status, but=self.proposer)


def _forms(scenario: Scenario) -> None:
    """What is wrong with proposals and votes, whatever they are about."""
    version = Proposals(scenario, "protocol_version", "public-a")
    later = {"version": 2, "height": 100_000}
    version.no("invalid_argument", {"version": "2", "height": 9})
    version.no("bad_time", later, closes_ms=1)
    ballots = [version.make(f"waiting-{n}", later, closes_ms=scenario.now_ms + 60_000) for n in range(4)]
    version.no("too_many_proposals", later)
    scenario.no("exists", "city", "governance.propose", **version.args("waiting-0", later))
    scenario.no("unknown_ballot", "city", "governance.vote", ballot="none", choice="yes")
    scenario.no("not_elector", "public-a", "governance.vote", ballot=ballots[0], choice="yes")
    scenario.ok("city", "governance.vote", ballot=ballots[0], choice="yes", reason="Why not")
    scenario.no("already_voted", "city", "governance.vote", ballot=ballots[0], choice="no")
    scenario.wait(70_000)
    scenario.no("ballot_closed", "city", "governance.vote", ballot=ballots[0], choice="yes")


def _members(scenario: Scenario) -> None:
    proposals = Proposals(scenario, "add_member")

    def subject(
        name: str, role: str = "bank", level: str = "", rights: tuple[str, ...] = ("operate",)
    ) -> dict[str, Any]:
        operator = {"user": "admin", "key": scenario.key(f"{name}/admin"), "capabilities": list(rights)}
        fields = {"name": name.title(), "role": role, "level": level, "sector": ""}
        return {"member": name, **fields, "operators": [operator]}

    proposals.no("member_exists", subject("bank-a"))
    proposals.no("bad_member", subject("bank-b", level="central"))
    proposals.no("bad_member", subject("bank-b", rights=("supervise",)))
    proposals.no("bad_member", subject("bank-b", rights=("submit",)))
    proposals.no("key_in_use", {**subject("bank-b"), "operators": subject("bank-a")["operators"]})
    proposals.every_end(subject("bank-b", rights=("operate", "submit")))
    proposals.accept("province", subject("province", "government", "provincial", ("operate", "supervise")))


def _validators(scenario: Scenario) -> None:
    """The set of validators grows, shrinks and changes a key; the smaller set decides a ballot when it is due."""
    add, remove = Proposals(scenario, "add_validator"), Proposals(scenario, "remove_validator")
    add.no("unknown_node", {"node": "nowhere"})
    add.no("is_validator", {"node": "bank-a"})
    add.no("not_ready", {"node": "public-a-2"})
    add.no("unsafe_validators", {"node": "bank-a-2"})
    remove.no("not_validator", {"node": "institute-a-1"})
    add.every_end({"node": "institute-a-1"})
    late = _decided_late(scenario)
    remove.every_end({"node": "institute-a-1"})
    scenario.wait(scenario.get(f"supervision/ballot/{late}")["closes_ms"] - scenario.now_ms)
    if scenario.get(f"supervision/ballot/{late}")["status"] != "failed":
        raise RuntimeError("the effect of a ballot that was decided when it was due did not fail")
    _keys(scenario)
    pending = [
        scenario.step("ok", "central-bank", "governance.propose", **remove.args("pending", {"node": "city"})),
        *(
            scenario.step("ok", member, "governance.vote", ballot="remove-validator.pending", choice="yes")
            for member in ("bank-a", "city", "enterprise-a")
        ),
        scenario.step(
            "change_pending", "regulator", "governance.propose", **add.args("pending", {"node": "public-a-1"})
        ),
    ]
    scenario.block(*pending)
    scenario.wait(1_000)
    remove.no("too_few_validators", {"node": "bank-a"})
    scenario.ok("node:city", "membership.ready", height=scenario.chain.executor.height)
    add.accept("back", {"node": "city"})
    scenario.wait(1_000)


def _decided_late(scenario: Scenario) -> str:
    """Propose a rule whose check takes more than is left when a ballot is due; one yes is missing."""
    args = {"rules": [heavy("R-HEAVIER")], "open_ms": 3_600_000}
    ballot = str(scenario.ok("bank-a", "supervision.propose_rules", **args)["ballot"])
    for member in ("bank-a", "central-bank", "city", "regulator"):
        scenario.ok(member, "supervision.vote", ballot=ballot, choice="yes")
    return ballot


def _keys(scenario: Scenario) -> None:
    rotate = Proposals(scenario, "rotate_validator_key", "bank-a")
    second = signer("node bank-a, second key")

    def subject(node: str = "bank-a", key: str = "") -> dict[str, str]:
        public = bytes.fromhex(key) if key else second.public_key
        proof = second.sign(signing.key_preimage(scenario.chain.genesis.chain_id, node, public))
        return {"node": node, "key": public.hex(), "proof": proof.hex()}

    rotate.no("forbidden", subject("regulator"))
    rotate.no("bad_proof", {**subject(), "node": "bank-a-2"})
    rotate.no("not_validator", subject("bank-a-2"))
    rotate.every_end(subject())
    rotate.no("key_in_use", subject())
    scenario.chain.keys["node:bank-a"] = second


def _versions(scenario: Scenario) -> None:
    """A protocol version is accepted and withdrawn, and accepted again and in force."""
    version, withdraw = Proposals(scenario, "protocol_version"), Proposals(scenario, "withdraw_version")
    next_height = scenario.chain.executor.height + 1
    version.no("bad_version", {"version": 3, "height": 100_000})
    version.no("too_soon", {"version": 2, "height": next_height})
    withdraw.no("not_pending", {"proposal": "protocol-version.accepted"})
    version.every_end({"version": 2, "height": next_height + 30})
    version.no("change_pending", {"version": 2, "height": 100_000})
    withdraw.every_end({"proposal": "protocol-version.accepted"})
    version.accept("again", {"version": 2, "height": scenario.chain.executor.height + 12})
    for node in ("bank-a", "central-bank", "city", "regulator"):
        scenario.ok(f"node:{node}", "membership.declare_software", protocol_versions=[2])
    while scenario.get("system/protocol_version") == 1:
        scenario.wait(1_000)
    Proposals(scenario, "add_validator").no("lacks_version", {"node": "public-a-1"})
    scenario.ok("node:city", "membership.declare_software", protocol_versions=[2, 3])
    scenario.wait(1_000)


def _contracts(scenario: Scenario) -> None:
    """Contracts that no software ships: one is withdrawn, one void at its height, one in force and then replaced."""
    add, withdraw = Proposals(scenario, "add_contract"), Proposals(scenario, "withdraw_contract")
    first, second = (shown(sources) for sources in (TALLY_1, TALLY_2))
    next_height = scenario.chain.executor.height + 1
    add.no("too_soon", {**first, "height": next_height})
    withdraw.no("not_pending", {"proposal": "add-contract.accepted"})
    add.every_end({**first, "height": next_height + 60})
    add.no("change_pending", {**second, "height": 100_000})
    withdraw.every_end({"proposal": "add-contract.accepted"})
    add.accept("nowhere", {**first, "height": scenario.chain.executor.height + 8})
    while scenario.get("governance/admissions") is not None:
        scenario.wait(1_000)
    for node in ("bank-a", "central-bank", "city", "regulator"):
        said = {"protocol_versions": [2], "contracts": [first, second]}
        scenario.ok(f"node:{node}", "membership.declare_software", **said)
    add.accept("first", {**first, "height": scenario.chain.executor.height + 8})
    while scenario.get("system/contracts") is None:
        scenario.wait(1_000)
    scenario.ok("bank-a", "tally.add", amount=2)
    scenario.no("invalid_argument", "bank-a", "tally.add", amount=-1)
    scenario.no("internal_error", "bank-a", "tally.add", amount=13)
    scenario.no("too_costly", "bank-a", "tally.add", amount=15)
    scenario.ok("node:public-a-1", "membership.declare_software", protocol_versions=[2])
    Proposals(scenario, "add_validator").no("lacks_contract", {"node": "public-a-1"})
    add.no("name_taken", {**first, "name": "process", "height": 100_000})
    add.no("bad_version", {**first, "height": 100_000})
    add.accept("second", {**second, "height": scenario.chain.executor.height + 8})
    while scenario.get("governance/admissions") is not None:
        scenario.wait(1_000)
    scenario.ok("bank-a", "tally.add", amount=2)


def _evidence(scenario: Scenario) -> None:
    epoch, height = scenario.get("membership/validators")[0], scenario.chain.executor.height

    def proof(phase: str, number: int = 0, *, at: int = height, validator: str = "bank-a") -> dict[str, Any]:
        halves = []
        for digest in (b"\x11" * 32, b"\x22" * 32):
            preimage = vote_preimage(scenario.chain.genesis.chain_id, epoch, at, number, PHASES[phase], digest)
            signature = signer(f"node {validator}").sign(preimage)
            halves.append({"hash": digest.hex(), "signature": signature.hex()})
        place = {"validator": validator, "height": at, "round": number, "phase": phase}
        return {**place, "first": halves[0], "second": halves[1]}

    prepare = proof("prepare")
    turned = {**prepare, "first": prepare["second"], "second": prepare["first"]}
    scenario.no("invalid_argument", "public-a", "evidence.report", **turned)
    scenario.no("forged_evidence", "public-a", "evidence.report", **{**prepare, "round": 1})
    scenario.no("not_yet", "public-a", "evidence.report", **proof("commit", at=height + 1_000))
    scenario.no("unknown_validator", "public-a", "evidence.report", **proof("commit", validator="bank-a-2"))
    for phase in PHASES:
        scenario.ok("node:regulator" if phase == "commit" else "public-a", "evidence.report", **proof(phase))
    scenario.no("already_reported", "city", "evidence.report", **prepare)
    scenario.block(
        *(scenario.step("ok", "city", "evidence.report", **proof("commit", number)) for number in range(1, 13))
    )
    scenario.no("enough_reported", "city", "evidence.report", **proof("commit", 13))
    scenario.ok("city", "evidence.report", **proof("prepare", validator="central-bank"))
