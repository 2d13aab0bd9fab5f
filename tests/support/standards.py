"""A chain on which standards compete: members with live sources record in periods of block time."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.standards.state import adoption_key, domain_key, standard_key
from coseal.contracts.standards.status import TERMS, opens_ms, period_of
from coseal.ledger.block import Receipt
from coseal.ledger.render import time_text
from tests.support.chain import Chain

DAY_MS: Final = 86_400_000
FORMAT: Final[dict[str, Any]] = {
    "kind": "format",
    "domain": "event-logs",
    "title": "OCEL 2.0",
    "content": {"name": "OCEL 2.0", "sha256": "00" * 32, "place": "https://www.ocel-standard.org"},
    "patents": [],
}
LOANS: Final = (("bank-a", "loans"), ("central-bank", "loans"), ("enterprise-a", "loans"))
NAMED: Final = {"standard": "s", "version": 1}
_NOTICE: Final = {"type_document": "notice", "date_document": "2021-09-15"}


class Competition:
    """What members do about standards; each call is a block."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self._sequences: dict[tuple[str, str], int] = {}

    def submit(self, member: str, action: str, /, **args: Any) -> Receipt:
        name = action if "." in action else f"standards.{action}"
        return self.chain.submit(f"{member}/admin", name, **args)

    def ok(self, member: str, action: str, /, **args: Any) -> dict[str, Any]:
        receipt = self.submit(member, action, **args)
        assert receipt.ok, (receipt.code, receipt.detail)
        return dict(receipt.data)

    def code(self, member: str, action: str, /, **args: Any) -> str:
        return self.submit(member, action, **args).code

    def define(self, process_type: str, owner: str = "bank-a", version: int = 1, **more: Any) -> str:
        """Define a process type; return the hash of its definition."""
        definition = {"id": process_type, "version": version, "title": f"{process_type} {version}"}
        definition |= {"object_types": {"case": {}}, "event_types": {"apply": {}}, **more}
        return str(self.ok(owner, "process.define_type", **definition)["definition"])

    def propose(self, standard: str, process_type: str = "", by: str = "bank-a", /, **more: Any) -> dict[str, Any]:
        """Propose version 1 of a standard: a process type of a domain of the same name as its title, or a format."""
        args = {"standard": standard, "version": 1, **FORMAT}
        if process_type:
            definition = self.chain.get(f"process/type/{process_type}")["definition"]
            content = {"process_type": process_type, "definition": definition}
            args |= {"kind": "process_type", "domain": "lending", "title": standard, "content": content}
        return self.ok(by, "propose", **{**args, **more})

    def source(self, member: str, process_type: str, mode: str = "live", name: str = "") -> None:
        self.ok(member, "process.register_source", id=name or process_type, process_type=process_type, mode=mode)

    def record(self, member: str, source: str, items: int = TERMS.use_min) -> None:
        """Record events of now."""
        first = self._sequences.get((member, source), 0) + 1
        self._sequences[member, source] = first + items - 1
        now = time_text(self.chain.now_ms)
        events = [
            {"event": f"e{first + at}", "type": "apply", "time": now, "objects": [["case", f"{source}-{first + at}"]]}
            for at in range(items)
        ]
        self.ok(member, "process.record", source=source, sequence=first, items=events)

    def wait(self, later_ms: int) -> dict[str, Any]:
        """Commit an empty block so much later; return what standards began it with."""
        self.chain.extend([], later_ms=later_ms)
        return dict(self.chain.begun.get("standards", {}))

    def close(self) -> dict[str, Any]:
        """Commit the first block of the next period; return what standards began it with."""
        return self.wait(opens_ms(period_of(self.chain.executor.time_ms) + 1) - self.chain.executor.time_ms)

    def periods(self, *records: tuple[str, str], count: int = TERMS.periods, items: int = TERMS.use_min) -> Any:
        """Have members (member, source) record in each of the next periods; return what the last review began with."""
        begun: dict[str, Any] = {}
        for _ in range(count):
            for member, source in records:
                self.record(member, source, items)
            begun = self.close()
        return begun

    # What is there

    def standard(self, standard: str, version: int = 1) -> Any:
        return self.chain.get(standard_key(standard, version))

    def status(self, standard: str, version: int = 1) -> str:
        return str(self.standard(standard, version)["status"])

    def adoption(self, standard: str, member: str, version: int = 1) -> Any:
        return self.chain.get(adoption_key(standard, version, member))

    def domain(self, name: str) -> Any:
        return self.chain.get(domain_key(name))

    # Ballots

    def decide(self, kind: str, /, **subject: Any) -> dict[str, Any]:
        """Propose and accept; return the last vote's result."""
        proposal = f"{kind.replace('_', '-')}-{self.chain.executor.height}"
        result = self.ok("regulator", "governance.propose", id=proposal, kind=kind, subject=subject)
        for member in ("central-bank", "bank-a", "enterprise-a"):
            if result["status"] == "open" and member != subject.get("member"):
                result = self.ok(member, "governance.vote", ballot=proposal, choice="yes")
        assert result["status"] == "accepted", result
        return result


def competing(chain: Chain) -> Competition:
    """Return a competition in ``lending``: two process types of bank-a, with sources of five members."""
    found = Competition(chain)
    for process_type, members in (
        ("loans", ("bank-a", "central-bank", "enterprise-a")),
        ("credits", ("city", "public-a", "bank-a")),
    ):
        found.define(process_type)
        for member in members:
            found.source(member, process_type)
    return found


def compete(chain: Chain) -> Competition:
    """Two standards compete; one becomes de facto and is recognised, disputed and moved; others end and lapse."""
    scene = competing(chain)
    scene.propose("s", "loans")
    scene.propose("t", "credits")
    scene.propose("f", "", "city", title={"zh": "格式", "en": "A format"})
    scene.propose("old")
    scene.ok("regulator", "policy.publish", id="cn/1", title="N", **_NOTICE)
    for member, _ in LOANS:
        scene.ok(member, "adopt", **NAMED)
    scene.ok("city", "try", standard="t", version=1, sources=["credits"])
    scene.ok("public-a", "adopt", standard="f", version=1)
    scene.close()
    scene.periods(*LOANS, ("city", "credits"))
    scene.ok("city", "recognise", **NAMED, level="recommended", instrument="cn/1")
    scene.ok("central-bank", "dispute", **NAMED, ground="ambiguity", text="Is a renewal a loan?")
    scene.ok("city", "end_adoption", standard="t", version=1, reason="Enough")
    scene.wait(30 * DAY_MS)
    scene.ok("bank-a", "answer", **NAMED, member="central-bank", text="It is")
    upheld = {**NAMED, "member": "central-bank", "outcome": "upheld", "notice_ms": 60 * DAY_MS}
    scene.decide("settle_dispute", dispute=upheld, classify={"process_type": "loans", "domain": "credit"})
    scene.wait(1_000)
    scene.ok("city", "deprecate", standard="f", version=1, notice_ms=30 * DAY_MS, reason="Old")
    scene.wait(120 * DAY_MS)
    return scene
