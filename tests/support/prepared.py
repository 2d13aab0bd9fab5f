"""A chain on which every action can be accepted: for each action, its example made valid for the state of the moment.

Law: what ``ready`` returns is accepted as often as it is asked for, in one block or in many.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from coseal.contracts.currency.ledger import mandate_preimage
from coseal.contracts.currency.supply import INSTRUCTION_EXAMPLE, RESERVES_TYPE
from coseal.contracts.evidence.actions import arguments_of
from coseal.contracts.governance.state import CONSTITUTION_KEY, proposal_key
from coseal.contracts.process.chain import decoded_item_hash, item_hash
from coseal.ledger.block import Receipt
from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.equivocation import Equivocation, Signed
from coseal.ledger.render import time_text
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.transaction import Transaction
from tests.support.chain import Chain
from tests.support.genesis import VALIDATORS
from tests.support.keys import signer, validator
from tests.support.prepared_certification import PreparedCertification
from tests.support.prepared_disclosure import PreparedDisclosure
from tests.support.prepared_mission import PreparedMission
from tests.support.prepared_participation import PreparedParticipation
from tests.support.prepared_trade import PreparedTrade
from tests.support.supervised import DAY_MS, RULES, TYPE, Story, rule

Args = dict[str, Any]
Ready = tuple[str, Args]
"""Who sends it, and the arguments."""

BLOCK: Final = 100
"""At most so many transactions are in one block."""
OPEN_MS: Final = 5_000
WAIT_MS: Final = 10_000
BALLOTS: Final = frozenset(
    (
        *("governance.propose", "governance.vote", "governance.withdraw", "supervision.vote", "standards.propose"),
        *("supervision.propose_rules", "supervision.propose_retirement", "supervision.propose_terms"),
    )
)
AT_ONCE: Final = 4
"""So many of ``BALLOTS`` may be open at once."""
NEVER: Final = frozenset(("currency.define_unit",))
"""Actions that are refused whatever they say."""
DEPUTY: Final = "regulator/deputy"
ISSUER: Final = "central-bank/issuer"
SOCIAL_CREDIT_CODE: Final = "uscc:91110000600037341L"
RECOMMENDED: Final = Path(__file__).parents[2] / "examples" / "constitution" / "recommended.json"


class Prepared(PreparedTrade, PreparedCertification, PreparedDisclosure, PreparedParticipation, PreparedMission):
    """Extends ``chain``; ``ready(action, count)`` prepares so many calls of an action that will be accepted."""

    def __init__(self, chain: Chain) -> None:
        super().__init__()
        self.chain = chain
        self._number = 0
        self._proposed: list[str] = []
        Story(chain).begin()
        source = {"id": "log", "process_type": "t", "mode": "live"}
        key = signer(DEPUTY).public_key.hex()
        deputy = {"user": "deputy", "key": key, "capabilities": ["submit", "supervise"]}
        self._ok(
            [("enterprise-a", "process.register_source", source), ("regulator", "membership.add_operator", deputy)]
        )
        self._sequence = 0
        self._spare: list[str] = []

    @property
    def now_ms(self) -> int:
        """The time of the last block."""
        return self.chain.executor.time_ms

    def ready(self, action: str, count: int) -> list[Ready]:
        """Return so many calls of ``CONTRACT.ACTION``; each will be accepted."""
        contract, _, name = action.partition(".")
        prepare: Callable[[int], Iterator[Ready]] | None = getattr(self, f"_{contract}_{name}", None)
        assert prepare is not None, f"say in tests/support/prepared.py on what state {action} is accepted"
        return list(prepare(count))

    def send(self, calls: Sequence[tuple[str, str, Args]], *, later_ms: int = 1) -> list[Receipt]:
        """Commit calls (sender, action, arguments), and return their receipts."""
        receipts: list[Receipt] = []
        for start in range(0, len(calls), BLOCK):
            made = [self._sign(*call) for call in calls[start : start + BLOCK]]
            committed = self.chain.extend(made, later_ms=later_ms)
            receipts += [Receipt.decode(raw) for raw in committed.receipts[1:]]
        return receipts

    def preview(self, calls: Sequence[tuple[str, str, Args]]) -> Iterator[Receipt]:
        """Yield the receipt that each of the calls would get in the next block; nothing is committed."""
        executor = self.chain.executor
        for call in calls:
            outcome = executor.run(executor.height + 1, executor.time_ms + 1, [self._sign(*call)])
            yield Receipt.decode(outcome.receipts[1])

    def wait(self) -> None:
        """Let open ballots expire."""
        self.chain.extend([], later_ms=WAIT_MS)

    def _sign(self, sender: str, action: str, args: Args) -> Transaction:
        name = sender if "/" in sender or ":" in sender else f"{sender}/admin"
        return self.chain.sign(name, action, args)

    def _ok(self, calls: Sequence[tuple[str, str, Args]]) -> list[dict[str, Any]]:
        receipts = self.send(calls)
        assert all(receipt.ok for receipt in receipts), [(one.code, one.detail) for one in receipts if not one.ok][:3]
        return [dict(receipt.data) for receipt in receipts]

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _key(self) -> str:
        seed = sha256(f"key {self._next()}".encode()).digest()
        return Ed25519Signer(seed).public_key.hex()

    def _node(self, member: str) -> Args:
        node = f"{member}-{self._next()}"
        certificate = bytes([0x30, 4]) + self._next().to_bytes(4, "big")
        return {
            "node": node,
            "link_certificate": certificate.hex(),
            "consensus_key": validator(node).public_key.hex(),
            "address": "host:1",
        }

    # Membership

    def _membership_add_operator(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "bank-a", {"user": f"u{self._next()}", "key": self._key(), "capabilities": ["submit"]}

    def _operators(self, count: int) -> list[str]:
        added = [args for _, args in self._membership_add_operator(count)]
        self._ok([("bank-a", "membership.add_operator", args) for args in added])
        return [args["user"] for args in added]

    def _membership_remove_operator(self, count: int) -> Iterator[Ready]:
        for user in self._operators(count):
            yield "bank-a", {"user": user}

    def _membership_rotate_operator_key(self, count: int) -> Iterator[Ready]:
        for user in self._operators(count):
            yield "bank-a", {"user": user, "key": self._key()}

    def _membership_set_profile(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "bank-a", {"name": "Bank A", "description": "A bank", "url": "https://bank.example"}

    def _membership_add_node(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "bank-a", self._node("bank-a")

    def _membership_remove_node(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            node = self._node("enterprise-a")
            self._ok([("enterprise-a", "membership.add_node", node)])
            yield "enterprise-a", {"node": node["node"]}

    def _membership_rotate_link_certificate(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            certificate = bytes([0x30, 5]) + self._next().to_bytes(5, "big")
            yield "central-bank", {"node": "central-bank", "certificate": certificate.hex()}

    def _membership_ready(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            observer = self._node("central-bank")
            self._ok([("central-bank", "membership.add_node", observer)])
            yield f"node:{observer['node']}", {"height": self.chain.executor.height}

    def _membership_declare_software(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "node:bank-a", {"protocol_versions": [1, 1 + self._next()]}

    # Governance

    def _governance_propose(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            number = self._next()
            user = {"user": "admin", "key": self._key(), "capabilities": ["operate"]}
            member = {
                "member": f"m{number}",
                "name": "M",
                "role": "bank",
                "level": "",
                "sector": "",
                "operators": [user],
            }
            proposal = {"id": f"p{number}", "kind": "add_member", "subject": member, "reason": "It has asked"}
            yield "bank-a", {**proposal, "closes_ms": self.now_ms + OPEN_MS}

    def _governance_vote(self, count: int) -> Iterator[Ready]:
        proposals = [args for _, args in self._governance_propose(count)]
        self._ok([("central-bank", "governance.propose", args) for args in proposals])
        for args in proposals:
            yield "regulator", {"ballot": args["id"], "choice": "no", "reason": "Not yet"}

    def _governance_withdraw(self, count: int) -> Iterator[Ready]:
        proposals = [args for _, args in self._governance_propose(count)]
        self._ok([("central-bank", "governance.propose", args) for args in proposals])
        for args in proposals:
            yield "central-bank", {"proposal": args["id"], "reason": "Not yet"}

    def _admitted(self, count: int) -> list[str]:
        """Admit so many banks; ``admin`` of each may operate."""
        members = []
        for _ in range(count):
            number = self._next()
            user = {
                "user": "admin",
                "key": signer(f"m{number}/admin").public_key.hex(),
                "capabilities": ["operate", "submit"],
            }
            fields = {"name": "M", "role": "bank", "level": "", "sector": "", "operators": [user]}
            self._accepted(f"p{number}", "add_member", {"member": f"m{number}", **fields})
            members.append(f"m{number}")
        return members

    def _accepted(self, name: str, kind: str, subject: Args, by: str = "regulator") -> None:
        """Propose, and have all that run a validator vote yes, as long as that is asked."""
        proposal = {"id": name, "kind": kind, "subject": subject, "reason": "It is time"}
        self._ok([(by, "governance.propose", proposal)])
        votes = {"ballot": name, "choice": "yes", "reason": "So it is"}
        self.send([(who, "governance.vote", votes) for who in VALIDATORS if who != by])

    def _governance_leave(self, count: int) -> Iterator[Ready]:
        for member in self._admitted(count):
            yield member, {"member": member, "reason": "It was merged"}

    def _governance_stay(self, count: int) -> Iterator[Ready]:
        leaving = list(self._governance_leave(count))
        self._ok([(member, "governance.leave", args) for member, args in leaving])
        for member, _ in leaving:
            yield member, {"reason": "It was not"}

    def _governance_appeal(self, count: int) -> Iterator[Ready]:
        """Under a constitution with a delay; those that run a validator decide about suspensions."""
        if self.chain.get(CONSTITUTION_KEY) is None:
            self._spare = self._admitted(64)
            document = json.loads(RECOMMENDED.read_text("utf-8"))
            document["tracks"]["standing"]["electorate"] = "validators"
            self._accepted(f"p{self._next()}", "amend_constitution", {"from": "00" * 32, "document": document})
        members, self._spare = self._spare[:count], self._spare[count:]
        proposals = {f"p{self._next()}": member for member in members}
        grounds = [{"kind": "external", "id": "Judgment"}]
        for name, member in proposals.items():
            until_ms = self.now_ms + 90 * DAY_MS
            subject = {"member": member, "until_ms": until_ms, "seats": False, "grounds": grounds}
            self._accepted(name, "suspend_member", subject, by=member)
        self.chain.extend([], later_ms=7 * DAY_MS)
        while any(self.chain.get(proposal_key(name))["status"] != "passed" for name in proposals):
            self.chain.extend([], later_ms=1)
        for name, member in proposals.items():
            yield member, {"proposal": name, "reason": "It rests on what was withdrawn", "evidence": ["22" * 32]}

    # Policy

    def _policy_publish(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            policy = {"id": f"policy/{self._next()}", "title": "Notice", "type_document": "notice"}
            yield "regulator", {**policy, "date_document": "2021-09-15"}

    def _published(self, count: int, **more: Any) -> list[str]:
        policies = [{**args, **more} for _, args in self._policy_publish(count)]
        self._ok([("regulator", "policy.publish", args) for args in policies])
        return [args["id"] for args in policies]

    def _policy_endorse(self, count: int) -> Iterator[Ready]:
        shared = {"passed_by": ["regulator", "central-bank"], "text_sha256": "0a" * 32}
        for policy in self._published(count, **shared):
            yield "central-bank", {"id": policy, "text_sha256": "0a" * 32}

    def _policy_approve(self, count: int) -> Iterator[Ready]:
        passed = [{"action": "passed", "date": "2021-09-15", "issuer": "A city"}]
        recorded = [
            {"id": f"city/{self._next()}", "title": "Local", "level": "municipal", "events": passed}
            for _ in range(count)
        ]
        source = {"source": "A gazette", "source_sha256": "00" * 32}
        self._ok([("regulator", "policy.record", {**source, "instruments": [one]}) for one in recorded])
        for one in recorded:
            yield "regulator", {"id": one["id"], "date": "2021-09-20", "number": "7"}

    def _policy_promulgate(self, count: int) -> Iterator[Ready]:
        dates = {"date_publication": "2021-09-20", "first_date_entry_in_force": "2021-10-01"}
        for policy in self._published(count):
            yield "regulator", {"id": policy, **dates, "number": "7"}

    def _promulgated(self, count: int) -> list[str]:
        ready = [args for _, args in self._policy_promulgate(count)]
        self._ok([("regulator", "policy.promulgate", args) for args in ready])
        return [args["id"] for args in ready]

    def _policy_amend(self, count: int) -> Iterator[Ready]:
        for policy in self._promulgated(count):
            yield "regulator", {"id": policy, "date": "2021-11", "kind": "revised"}

    def _policy_repeal(self, count: int) -> Iterator[Ready]:
        for policy in self._promulgated(count):
            yield "regulator", {"id": policy, "date_no_longer_in_force": "2022"}

    def _policy_evaluate(self, count: int) -> Iterator[Ready]:
        for policy in self._promulgated(count):
            yield "regulator", {"id": policy, "date": "2022-01", "verdict": "met", "summary": "It works"}

    def _policy_record(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            instrument = {"id": f"old/{self._next()}", "title": "Law", "passed_by": ["A ministry"]}
            yield "regulator", {"source": "A gazette", "source_sha256": "00" * 32, "instruments": [instrument]}

    # Process

    def _process_define_type(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "enterprise-a", {**TYPE, "id": f"t{self._next()}"}

    def _process_register_source(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "enterprise-a", {"id": f"s{self._next()}", "process_type": "t", "mode": "historical"}

    def _event(self, kind: str = "Check", **more: Any) -> Args:
        number = self._next()
        place = {"time": time_text(self.now_ms), "objects": [["case", f"c{number}"]]}
        return {"event": f"e{number}", "type": kind, **place, **more}

    def _process_record(self, count: int) -> Iterator[Ready]:
        """Every call is the next of its source only until one of them is accepted: each has a source of its own."""
        sources = [args for _, args in self._process_register_source(count)]
        self._ok([("enterprise-a", "process.register_source", args) for args in sources])
        for source in sources:
            yield "enterprise-a", {"source": source["id"], "sequence": 1, "items": [self._event()]}

    def _recorded(self, batches: Sequence[list[Args]]) -> list[dict[str, Any]]:
        """Record batches as the live source, and return what came of them."""
        calls = []
        for items in batches:
            args = {"source": "log", "sequence": self._sequence + 1, "items": items}
            calls.append(("enterprise-a", "process.record", args))
            self._sequence += len(items)
        return self._ok(calls)

    def _process_attest(self, count: int) -> Iterator[Ready]:
        items = [self._event(counterparty="bank-a") for _ in range(count)]
        first = self._sequence + 1
        self._recorded([[item] for item in items])
        for offset, item in enumerate(items):
            ordered = dict(sorted(item.items()))
            digest = decoded_item_hash("enterprise-a/log", first + offset, ordered)
            yield (
                "bank-a",
                {"item": digest.hex(), "verdict": "dispute", "reason": "Two boxes short", "attested": ordered},
            )

    # Supervision

    def _supervision_propose_rules(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            proposed = rule(f"R-{self._next()}", "declare", template="absence", a="Check", n=9)
            more = {"title": "More", "reason": "It is needed", "trial_ms": DAY_MS, "open_ms": OPEN_MS}
            yield "bank-a", {"rules": [proposed], **more}

    def _supervision_propose_retirement(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            retired = {"process_type": "t", "rules": [RULES[0]["id"]], "reason": "It is old"}
            yield "central-bank", {**retired, "open_ms": OPEN_MS}

    def _supervision_propose_terms(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "enterprise-a", {"terms": {"respond": DAY_MS}, "reason": "Sooner", "open_ms": OPEN_MS}

    def _supervision_vote(self, count: int) -> Iterator[Ready]:
        terms = {"terms": {"respond": DAY_MS}, "reason": "Sooner", "open_ms": OPEN_MS}
        for opened in self._ok([("regulator", "supervision.propose_terms", terms)] * count):
            yield "bank-a", {"ballot": opened["ballot"], "choice": "no", "reason": "Too soon"}

    def _findings(self, count: int) -> list[str]:
        """Have a rule broken so often, each time by an object of its own, which goes on hold."""
        batches = []
        for _ in range(count):
            event = self._event()
            batches.append([event, {**event, "event": f"{event['event']} again"}])
        return [data["findings"][0]["id"] for data in self._recorded(batches)]

    def _each(self, action: str, sender: str, findings: Sequence[str], **args: Any) -> list[str]:
        """Take one step with all findings, and return them."""
        self._ok([(sender, f"supervision.{action}", {"finding": finding, **args}) for finding in findings])
        return list(findings)

    def _acknowledged(self, count: int) -> list[str]:
        return self._each("acknowledge", "regulator", self._findings(count))

    def _inquired(self, count: int) -> list[str]:
        return self._each("inquire", "regulator", self._acknowledged(count), question="Why?")

    def _responded(self, count: int) -> list[str]:
        return self._each("respond", "enterprise-a", self._inquired(count), response="So.")

    def _decided(self, count: int) -> list[str]:
        return self._each("decide", "regulator", self._responded(count), outcome="rectified", reason="Seen")

    def _supervision_open_case(self, count: int) -> Iterator[Ready]:
        event = self._event()
        self._recorded([[event]])
        object_type, name = event["objects"][0][:2]
        about = {"process_type": "t", "object_type": object_type, "object": name, "subject": "enterprise-a"}
        why = {"severity": "warning", "reason": "The file says otherwise", "legal_basis": ["external: complaint 17"]}
        for _ in range(count):
            yield "regulator", {**about, **why, "evidence": ["0a" * 32]}

    def _supervision_acknowledge(self, count: int) -> Iterator[Ready]:
        for finding in self._findings(count):
            yield "regulator", {"finding": finding, "note": "Seen"}

    def _supervision_inquire(self, count: int) -> Iterator[Ready]:
        for finding in self._acknowledged(count):
            yield "regulator", {"finding": finding, "question": "Why?", "evidence": ["0a" * 32]}

    def _supervision_respond(self, count: int) -> Iterator[Ready]:
        for finding in self._inquired(count):
            yield "enterprise-a", {"finding": finding, "response": "So."}

    def _supervision_decide(self, count: int) -> Iterator[Ready]:
        for finding in self._responded(count):
            yield "regulator", {"finding": finding, "outcome": "sanctioned", "reason": "Again", "measure": "A fine"}

    def _supervision_appeal(self, count: int) -> Iterator[Ready]:
        for finding in self._decided(count):
            yield "enterprise-a", {"finding": finding, "reason": "It was otherwise"}

    def _supervision_decide_appeal(self, count: int) -> Iterator[Ready]:
        appealed = self._each("appeal", "enterprise-a", self._decided(count), reason="No")
        for finding in appealed:
            yield DEPUTY, {"finding": finding, "outcome": "upheld", "reason": "Yes"}

    def _supervision_hold(self, count: int) -> Iterator[Ready]:
        lifted = self._each("lift_hold", "regulator", self._findings(count), reason="For now")
        for finding in lifted:
            yield "regulator", {"finding": finding, "reason": "It may be financed twice", "hold_ms": DAY_MS}

    def _supervision_lift_hold(self, count: int) -> Iterator[Ready]:
        for finding in self._findings(count):
            yield "regulator", {"finding": finding, "reason": "It was cancelled"}

    def _supervision_contest_hold(self, count: int) -> Iterator[Ready]:
        for finding in self._findings(count):
            yield "enterprise-a", {"finding": finding, "reason": "The goods perish"}

    def _supervision_confirm_hold(self, count: int) -> Iterator[Ready]:
        contested = self._each("contest_hold", "enterprise-a", self._findings(count), reason="The goods perish")
        for finding in contested:
            yield "regulator", {"finding": finding, "reason": "The risk stands"}

    def _supervision_ask(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "bank-a", {"topic": "Terms", "question": "From when?"}

    def _supervision_answer(self, count: int) -> Iterator[Ready]:
        question = {"topic": "Terms", "question": "From when?"}
        for asked in self._ok([("bank-a", "supervision.ask", question)] * count):
            yield "regulator", {"question": asked["id"], "answer": "From the day of issue"}

    def _supervision_guide(self, count: int) -> Iterator[Ready]:
        for _ in range(count):
            yield "regulator", {"title": "Terms", "text": "They count from the day of issue"}

    # Evidence

    def _evidence_report(self, count: int) -> Iterator[Ready]:
        chain_id, epoch = self.chain.genesis.chain_id, 0
        for _ in range(count):
            round = self._next()
            hashes = (b"\x11" * 32, b"\x22" * 32)
            halves = [
                Signed(one, validator("regulator").sign(vote_preimage(chain_id, epoch, 1, round, Phase.PREPARE, one)))
                for one in hashes
            ]
            yield "bank-a", arguments_of("regulator", Equivocation(epoch, 1, round, Phase.PREPARE, *halves))

    # Standards

    def _standards_propose(self, count: int) -> Iterator[Ready]:
        """What was proposed before is taken up by others: only so many of a member may wait for that."""
        self._take_up()
        for number in range(count):
            yield ("enterprise-a", "bank-a")[number % 2], self._proposal()

    def _proposal(self) -> Args:
        """Return a standard in a domain of its own: only so many compete in one."""
        number = self._next()
        self._proposed.append(f"s{number}")
        named = {"standard": f"s{number}", "version": 1, "domain": f"d{number}", "title": "S", "patents": []}
        return {**named, "kind": "area_list", "content": {"areas": ["Lending"]}}

    def _take_up(self) -> None:
        """Have the city try what is proposed."""
        names = [name for name in self._proposed if self.chain.get(f"standards/head/{name}") is not None]
        self._ok([("city", "standards.try", {"standard": name, "version": 1}) for name in names])
        self._proposed.clear()

    def _standards(self, count: int) -> list[Args]:
        """Propose so many standards, which the city tries; return how each is named."""
        named = []
        for start in range(0, count, 8):
            made = [self._proposal() for _ in range(start, min(start + 8, count))]
            self._ok([("enterprise-a", "standards.propose", one) for one in made])
            named += [{"standard": one["standard"], "version": 1} for one in made]
            self._take_up()
        return named

    def _standards_try(self, count: int) -> Iterator[Ready]:
        for named in self._standards(count):
            yield "enterprise-a", {**named, "sources": ["log"]}

    def _standards_adopt(self, count: int) -> Iterator[Ready]:
        for named in self._standards(count):
            yield "enterprise-a", {**named, "sources": ["log"], "effective_ms": self.now_ms + DAY_MS}

    def _standards_end_adoption(self, count: int) -> Iterator[Ready]:
        for named in self._standards(count):
            yield "city", {**named, "reason": "No more"}

    def _standards_supersede(self, count: int) -> Iterator[Ready]:
        (following,) = self._standards(1)
        successor = {"successor": following["standard"], "successor_version": 1}
        for named in self._standards(count):
            yield "enterprise-a", {**named, **successor, "notice_ms": 90 * DAY_MS, "reason": "It is better"}

    def _standards_deprecate(self, count: int) -> Iterator[Ready]:
        for named in self._standards(count):
            yield "enterprise-a", {**named, "notice_ms": 90 * DAY_MS, "reason": "It is old"}

    def _standards_recognise(self, count: int) -> Iterator[Ready]:
        (policy,) = self._published(1)
        for named in self._standards(count):
            proposal = f"p{self._next()}"
            proposed = {"id": proposal, "kind": "recognise_standard", "subject": named}
            vote = {"ballot": proposal, "choice": "yes"}
            voting = [(member, "governance.vote", vote) for member in ("central-bank", "bank-a")]
            self._ok([("regulator", "governance.propose", proposed), *voting])
            yield "regulator", {**named, "level": "recommended", "instrument": policy}

    def _standards_withdraw_recognition(self, count: int) -> Iterator[Ready]:
        for sender, args in self._standards_recognise(count):
            self._ok([(sender, "standards.recognise", args)])
            yield sender, {"standard": args["standard"], "version": 1, "reason": "Too early"}

    def _standards_classify(self, count: int) -> Iterator[Ready]:
        for sender, definition in self._process_define_type(count):
            self._ok([(sender, "process.define_type", definition)])
            yield sender, {"process_type": definition["id"], "domain": "lending"}

    def _standards_dispute(self, count: int) -> Iterator[Ready]:
        for named in self._standards(count):
            yield "city", {**named, "ground": "patent", "text": "It is ours", "evidence": ["0a" * 32]}

    def _standards_answer(self, count: int) -> Iterator[Ready]:
        disputed = [args for _, args in self._standards_dispute(count)]
        self._ok([("city", "standards.dispute", args) for args in disputed])
        for args in disputed:
            named = {"standard": args["standard"], "version": 1, "member": "city"}
            yield "enterprise-a", {**named, "text": "It is not"}

    # Currency

    def _money(self) -> None:
        """Have bank-a admitted and funded, with a wallet of enterprise-a and one with a key; a second issuer."""
        if self.chain.get("currency/institution/bank-a") is not None:
            return
        issuer = {"user": "issuer", "key": signer(ISSUER).public_key.hex(), "capabilities": ["treasury"]}
        source = {"id": "reserves", "process_type": "reserves", "mode": "live"}
        self._ok(
            [
                ("central-bank", "membership.add_operator", issuer),
                ("central-bank", "process.define_type", RESERVES_TYPE),
                ("central-bank", "currency.admit_institution", {"member": "bank-a"}),
                ("bank-a", "process.register_source", source),
            ]
        )
        self._ok([(sender, "currency.issue", args) for sender, args in self._currency_issue(1)])
        opened = {"class": "corporate", "holder": "member:enterprise-a"}
        paid = {"from": "bank-a/vault", "to": "bank-a/ea", "amount": 10**14, "code": "CASH"}
        self._ok(
            [
                ("bank-a", "currency.open_wallet", {**opened, "id": "ea"}),
                ("bank-a", "currency.open_wallet", {**opened, "id": "eb"}),
                ("bank-a", "currency.pay", paid),
            ]
        )

    def _currency_admit_institution(self, count: int) -> Iterator[Ready]:
        self._money()
        for _ in range(count):
            bank = f"b{self._next()}"
            user = {"user": "admin", "key": self._key(), "capabilities": ["operate"]}
            subject = {"member": bank, "name": "B", "role": "bank", "level": "", "sector": "", "operators": [user]}
            proposal = {"id": f"p-{bank}", "kind": "add_member", "subject": subject, "reason": "It has asked"}
            self._ok([("bank-a", "governance.propose", {**proposal, "closes_ms": self.now_ms + OPEN_MS})])
            vote = {"ballot": f"p-{bank}", "choice": "yes"}
            self._ok([(member, "governance.vote", vote) for member in ("central-bank", "regulator")])
            yield "central-bank", {"member": bank}

    def _currency_dismiss_institution(self, count: int) -> Iterator[Ready]:
        admitted = list(self._currency_admit_institution(count))
        self._ok([(sender, "currency.admit_institution", args) for sender, args in admitted])
        for _, args in admitted:
            yield "central-bank", {**args, "successor": "bank-a"}

    def _currency_issue(self, count: int) -> Iterator[Ready]:
        self._money()
        source = "bank-a/reserves"
        first = self.chain.get("process/source/bank-a/reserves")["sequence"] + 1
        items = [
            {
                **INSTRUCTION_EXAMPLE,
                "event": f"i{self._next()}",
                "time": time_text(self.now_ms),
                "attributes": {
                    **INSTRUCTION_EXAMPLE["attributes"],
                    "amount": "9000000000000.00",
                    "instruction": f"I{self._next()}",
                },
            }
            for _ in range(count)
        ]
        self._ok(
            [
                ("bank-a", "process.record", {"source": "reserves", "sequence": first + at, "items": [item]})
                for at, item in enumerate(items)
            ]
        )
        hashes = [item_hash(source, first + at, item).hex() for at, item in enumerate(items)]
        self._ok([("central-bank", "process.attest", {"item": item, "verdict": "confirm"}) for item in hashes])
        for at, item in enumerate(items):
            yield ISSUER, {"source": source, "sequence": first + at, "item": item}

    def _currency_open_wallet(self, count: int) -> Iterator[Ready]:
        self._money()
        for _ in range(count):
            yield "bank-a", {"id": f"w{self._next()}", "class": "corporate", "holder": "member:enterprise-a"}

    def _wallets(self, count: int, **keyed: str) -> list[str]:
        opened = [args for _, args in self._currency_open_wallet(count)]
        if keyed:
            opened = [{**args, "holder": SOCIAL_CREDIT_CODE, **keyed} for args in opened]
        self._ok([("bank-a", "currency.open_wallet", args) for args in opened])
        return [f"bank-a/{args['id']}" for args in opened]

    def _currency_close_wallet(self, count: int) -> Iterator[Ready]:
        for wallet in self._wallets(count):
            yield "bank-a", {"wallet": wallet}

    def _currency_reclass_wallet(self, count: int) -> Iterator[Ready]:
        for wallet in self._wallets(count):
            yield "bank-a", {"wallet": wallet, "class": "corporate"}

    def _currency_rekey_wallet(self, count: int) -> Iterator[Ready]:
        for wallet in self._wallets(count, key=signer("customer").public_key.hex()):
            yield "bank-a", {"wallet": wallet, "key": self._key()}

    def _currency_keep_key(self, count: int) -> Iterator[Ready]:
        changes = list(self._currency_rekey_wallet(count))
        self._ok([(sender, "currency.rekey_wallet", args) for sender, args in changes])
        for _, args in changes:
            named, until_ms = {"wallet": args["wallet"]}, self.now_ms + 2 * DAY_MS
            signed = mandate_preimage(self.chain.chain_id, args["wallet"], 1, until_ms, "currency.keep_key", named)
            signature = signer("customer").sign(signed).hex()
            yield "city", {**named, "mandate": {"nonce": 1, "until_ms": until_ms, "signature": signature}}

    def _currency_redeem(self, count: int) -> Iterator[Ready]:
        self._money()
        for _ in range(count):
            yield "bank-a", {"amount": 1}

    def _redemptions(self, count: int) -> list[str]:
        calls = [(sender, "currency.redeem", args) for sender, args in self._currency_redeem(count)]
        return [data["redemption"] for data in self._ok(calls)]

    def _currency_settle_redeem(self, count: int) -> Iterator[Ready]:
        for redemption in self._redemptions(count):
            yield "central-bank", {"redemption": redemption}

    _currency_void_redeem = _currency_settle_redeem

    def _currency_pay(self, count: int) -> Iterator[Ready]:
        self._money()
        for _ in range(count):
            yield "enterprise-a", {"from": "bank-a/ea", "to": "bank-a/eb", "amount": 1, "code": "SUPP"}

    def _currency_pay_batch(self, count: int) -> Iterator[Ready]:
        for sender, item in self._currency_pay(count):
            yield sender, {"items": [item], "linked": False}

    def _currency_pend(self, count: int) -> Iterator[Ready]:
        for sender, item in self._currency_pay(count):
            yield sender, {**item, "expires_ms": self.now_ms + DAY_MS, "release": {"arbiter": "regulator"}}

    def _pendings(self, count: int) -> list[str]:
        calls = [(sender, "currency.pend", args) for sender, args in self._currency_pend(count)]
        return [data["pending"] for data in self._ok(calls)]

    def _currency_post_pending(self, count: int) -> Iterator[Ready]:
        for pending in self._pendings(count):
            yield "regulator", {"pending": pending}

    def _currency_void_pending(self, count: int) -> Iterator[Ready]:
        for pending in self._pendings(count):
            yield "regulator", {"pendings": [pending]}

    def _currency_open_case(self, count: int) -> Iterator[Ready]:
        self._money()
        why = {"severity": "warning", "reason": "No contract", "legal_basis": ["external: complaint 17"]}
        for _ in range(count):
            yield "regulator", {"wallet": "bank-a/eb", **why}
