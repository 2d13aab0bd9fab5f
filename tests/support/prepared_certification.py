"""The examples of certification made valid: projects at every step, reviewers, panels.

Law: as in ``tests.support.prepared``, whose chain it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from coseal.contracts.certification.kept import root_of_written
from coseal.contracts.certification.panel import seed_commitment
from coseal.contracts.certification.reviewing import review_commitment
from coseal.contracts.certification.schemes import PROPOSALS
from coseal.contracts.certification.state import reviewer_key, round_key, scheme_key
from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import type_key
from coseal.ledger.render import time_text
from tests.support.chain import Chain
from tests.support.keys import signer

Args = dict[str, Any]
Ready = tuple[str, Args]
Calls = list[tuple[str, str, Args]]

APPLICANT: Final = "enterprise-a"
BODIES: Final = ("regulator", "institute-a")
FUNDER: Final = "bank-a"
ATTESTER: Final = "city"
PLACE: Final = ["works", "site", "S1"]
TRANCHE: Final[Args] = {
    "amount": 10_000,
    "funder": FUNDER,
    "milestone": {"object": PLACE, "event": "built", "members": [ATTESTER]},
}
PANEL: Final = ("regulator", "city", "central-bank", "institute-a", "public-a")
NODES: Final = [
    {"id": "c", "kind": "claim", "statement": "It is so", "declared": "assumed", "criterion": "credit-system"}
]
REVIEW: Final[Args] = {
    "leaves": {"c": {"opinion": "accepted", "reason": "So it is"}},
    "scores": {"credit-system": {"score": 4, "reason": "So it is"}},
}
SEED: Final = "5e" * 32
SALT: Final = "5a" * 32
YEAR_MS: Final = 366 * 86_400_000


class PreparedCertification:
    """What ``Prepared`` has for the actions of certification."""

    chain: Chain

    @property
    def now_ms(self) -> int:
        raise NotImplementedError

    def _ok(self, calls: Sequence[tuple[str, str, Args]]) -> list[dict[str, Any]]:
        raise NotImplementedError

    def _next(self) -> int:
        raise NotImplementedError

    def _admitted(self, count: int) -> list[str]:
        raise NotImplementedError

    def _accepted(self, name: str, kind: str, subject: Args, by: str = "regulator") -> None:
        raise NotImplementedError

    def _scheme(self) -> None:
        """Have the scheme of the example adopted, once."""
        kind = PROPOSALS["adopt_scheme"]
        if self.chain.get(scheme_key(kind.example["scheme"])) is None:
            self._accepted("adopt-scheme", "adopt_scheme", dict(kind.example))

    def _application(self) -> Args:
        args = {"project": f"p{self._next()}", "title": "P", "scheme": "rationality", "kind": "payment"}
        return {**args, "framework_sha256": "00" * 32}

    def _certification_apply(self, count: int) -> Iterator[Ready]:
        """Each by a member of its own: only so many drafts of one may be open."""
        self._scheme()
        for member in self._admitted(count):
            yield member, self._application()

    def _certification_argue(self, count: int) -> Iterator[Ready]:
        applied = list(self._certification_apply(count))
        self._ok([(sender, "certification.apply", args) for sender, args in applied])
        for sender, args in applied:
            yield f"{sender}/admin", {"project": args["project"], "nodes": [], "drop": []}

    def _certification_seal(self, count: int) -> Iterator[Ready]:
        argued = [(sender, {**args, "nodes": NODES}) for sender, args in self._certification_argue(count)]
        self._ok([(sender, "certification.argue", args) for sender, args in argued])
        for sender, args in argued:
            yield sender, {"project": args["project"], "count": 1, "root": root_of_written(NODES)}

    def _certification_register_reviewer(self, count: int) -> Iterator[Ready]:
        for member in self._admitted(count):
            office = {"user": "admin", "fields": ["5.2"], "statement_sha256": "00" * 32}
            yield member, {**office, "until_ms": self.now_ms + YEAR_MS}

    # Panels

    def _sealed(self, count: int) -> list[str]:
        """Have so many projects sealed by one member, one after another."""
        self._scheme()
        if self.chain.get(reviewer_key(f"{PANEL[0]}/admin")) is None:
            office = {"user": "admin", "fields": ["6"], "statement_sha256": "00" * 32}
            office["until_ms"] = self.now_ms + 2 * YEAR_MS
            self._ok([(member, "certification.register_reviewer", office) for member in PANEL])
        calls: Calls = []
        projects = []
        for _ in range(count):
            args = {**self._application(), "tranches": [TRANCHE]}
            project = args["project"]
            calls += [
                (APPLICANT, "certification.apply", args),
                (APPLICANT, "certification.argue", {"project": project, "nodes": NODES}),
                (APPLICANT, "certification.seal", {"project": project, "count": 1, "root": root_of_written(NODES)}),
            ]
            projects.append(project)
        self._ok(calls)
        return projects

    def _certification_admit(self, count: int) -> Iterator[Ready]:
        for project in self._sealed(count):
            yield BODIES[0], {"project": project}

    def _certification_commit_seed(self, count: int) -> Iterator[Ready]:
        admitted = list(self._certification_admit(count))
        self._ok([(sender, "certification.admit", args) for sender, args in admitted])
        for _, args in admitted:
            yield APPLICANT, {**args, "commitment": self._seed_commitment(args["project"], APPLICANT)}

    @staticmethod
    def _seed_commitment(project: str, member: str) -> str:
        return seed_commitment(project, 1, member, bytes.fromhex(SEED))

    def _certification_reveal_seed(self, count: int) -> Iterator[Ready]:
        projects = [args["project"] for _, args in self._certification_commit_seed(count)]
        self._ok(
            [
                (
                    member,
                    "certification.commit_seed",
                    {"project": project, "commitment": self._seed_commitment(project, member)},
                )
                for project in projects
                for member in (APPLICANT, *BODIES)
            ]
        )
        for project in projects:
            yield APPLICANT, {"project": project, "seed": SEED}

    def _certification_declare(self, count: int) -> Iterator[Ready]:
        projects = [args["project"] for _, args in self._certification_reveal_seed(count)]
        self._ok(
            [
                (member, "certification.reveal_seed", {"project": project, "seed": SEED})
                for project in projects
                for member in (APPLICANT, *BODIES)
            ]
        )
        for project in projects:
            yield self._panel(project)[0], {"project": project, "conflict": False}

    def _panel(self, project: str) -> list[str]:
        return [f"{member}/{user}" for member, user, *_ in self.chain.get(round_key(project, 1))["panel"]]

    def _certification_commit(self, count: int) -> Iterator[Ready]:
        projects = [args["project"] for _, args in self._certification_declare(count)]
        args = {"conflict": False}
        self._ok(
            [
                (name, "certification.declare", {"project": project, **args})
                for project in projects
                for name in self._panel(project)
            ]
        )
        for project in projects:
            name = self._panel(project)[0]
            yield name, {"project": project, "commitment": review_commitment(project, 1, name, REVIEW, SALT)}

    def _certification_reveal(self, count: int) -> Iterator[Ready]:
        projects = [args["project"] for _, args in self._certification_commit(count)]
        self._ok(
            [
                (
                    name,
                    "certification.commit",
                    {"project": project, "commitment": review_commitment(project, 1, name, REVIEW, SALT)},
                )
                for project in projects
                for name in self._panel(project)
            ]
        )
        for project in projects:
            yield self._panel(project)[0], {"project": project, "review": REVIEW, "salt": SALT}

    def _certification_decide(self, count: int) -> Iterator[Ready]:
        projects = [args["project"] for _, args in self._certification_reveal(count)]
        self._ok(
            [
                (name, "certification.reveal", {"project": project, "review": REVIEW, "salt": SALT})
                for project in projects
                for name in self._panel(project)
            ]
        )
        for project in projects:
            yield BODIES[0], {"project": project, "outcome": "refused", "reason": "It is not enough"}

    def _certified(self, count: int) -> list[str]:
        """Have projects certified that have a tranche; return them."""
        decided = list(self._certification_decide(count))
        self._ok([(sender, "certification.decide", {**args, "outcome": "certified"}) for sender, args in decided])
        return [args["project"] for _, args in decided]

    def _certification_suspend(self, count: int) -> Iterator[Ready]:
        for project in self._certified(count):
            yield BODIES[0], {"project": project, "reason": "A look", "until_ms": self.now_ms + 86_400_000}

    def _certification_reinstate(self, count: int) -> Iterator[Ready]:
        suspended = list(self._certification_suspend(count))
        self._ok([(sender, "certification.suspend", args) for sender, args in suspended])
        for sender, args in suspended:
            yield sender, {"project": args["project"], "reason": "In order"}

    def _certification_pledge(self, count: int) -> Iterator[Ready]:
        for project in self._certified(count):
            yield FUNDER, {"project": project, "tranche": 1}

    def _certification_claim_milestone(self, count: int) -> Iterator[Ready]:
        """Each project is shown another event, which the city confirmed."""
        pledged = list(self._certification_pledge(count))
        self._ok([(sender, "certification.pledge", args) for sender, args in pledged])
        source, kind = (
            f"works{self._next()}",
            {"id": PLACE[0], "version": 1, "title": "W", "object_types": {"site": {}}},
        )
        if self.chain.get(type_key(PLACE[0])) is None:
            self._ok([(APPLICANT, "process.define_type", {**kind, "event_types": {"built": {}}})])
        log = {"id": source, "process_type": PLACE[0], "mode": "live"}
        self._ok([(APPLICANT, "process.register_source", log)])
        place = {"time": time_text(self.now_ms), "objects": [PLACE[1:]], "counterparty": ATTESTER}
        items = [{"event": f"e{n}", "type": "built", **place} for n in range(len(pledged))]
        self._ok([(APPLICANT, "process.record", {"source": source, "sequence": 1, "items": items})])
        shown = [
            {"source": f"{APPLICANT}/{source}", "sequence": n, "item": dict(sorted(item.items()))}
            for n, item in enumerate(items, 1)
        ]
        hashes = [item_hash(each["source"], each["sequence"], each["item"]).hex() for each in shown]
        self._ok([(ATTESTER, "process.attest", {"item": hashed, "verdict": "confirm"}) for hashed in hashes])
        for (_, args), each in zip(pledged, shown, strict=True):
            yield APPLICANT, {**args, "items": [each]}

    def _certification_release(self, count: int) -> Iterator[Ready]:
        claimed = list(self._certification_claim_milestone(count))
        self._ok([(sender, "certification.claim_milestone", args) for sender, args in claimed])
        for _, args in claimed:
            yield FUNDER, {"project": args["project"], "tranche": 1}

    def _certification_appeal(self, count: int) -> Iterator[Ready]:
        """A second panel has other operators of the same members."""
        if self.chain.get(reviewer_key(f"{PANEL[0]}/second")) is None:
            users = [(member, f"{member}/second") for member in PANEL]
            right = {"user": "second", "capabilities": ["submit"]}
            self._ok(
                [
                    (member, "membership.add_operator", {**right, "key": signer(name).public_key.hex()})
                    for member, name in users
                ]
            )
            office = {"user": "second", "fields": ["6"], "statement_sha256": "00" * 32}
            office["until_ms"] = self.now_ms + 2 * YEAR_MS
            self._ok([(member, "certification.register_reviewer", office) for member in PANEL])
        decided = list(self._certification_decide(count))
        self._ok([(sender, "certification.decide", args) for sender, args in decided])
        for _, args in decided:
            yield APPLICANT, {"project": args["project"], "reason": "It was repeated"}
