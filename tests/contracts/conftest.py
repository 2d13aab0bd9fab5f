"""A chain with a process under supervision, for tests of contracts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from coseal.contracts.process.chain import item_hash, objects_of
from coseal.contracts.process.corrections import shown_history
from coseal.ledger.block import Receipt
from coseal.ledger.genesis import Genesis
from coseal.ledger.render import time_text
from coseal.ledger.signing import Ed25519Signer
from tests.support.chain import Chain
from tests.support.genesis import VALIDATORS, make_genesis
from tests.support.keys import signer


class Court:
    """A chain with a process under supervision: type ``loans``, its source ``bank-a/log``."""

    TYPE = "loans"
    ATTRIBUTES: ClassVar = {"amount": "integer", "by": "string"}

    def __init__(self, chain: Chain, mode: str = "live", **definition: Any) -> None:
        self.chain = chain
        self.sequence: dict[str, int] = {}
        self.recorded: list[tuple[str, int, int, int, dict[str, Any]]] = []
        self.belongs: list[dict[tuple[str, str], None]] = []
        types = {name: {"attributes": self.ATTRIBUTES} for name in ("apply", "check", "decide", "pay", "report")}
        made = chain.submit(
            "bank-a/admin",
            "process.define_type",
            **{
                "id": self.TYPE,
                "version": 1,
                "title": "Loans",
                "object_types": {"case": {"attributes": {"limit": "integer"}}, "party": {}},
                "event_types": types,
                "late_ms": 0,
                "gaps": "record",
                **definition,
            },
        )
        assert made.ok, made
        self.register("bank-a", "log", mode)

    def register(self, member: str, source: str, mode: str = "live") -> None:
        made = self.chain.submit(
            f"{member}/admin", "process.register_source", id=source, process_type=self.TYPE, mode=mode
        )
        assert made.ok, made
        self.sequence[f"{member}/{source}"] = 0

    @staticmethod
    def rule(rule_id: str, kind: str = "declare", **fields: Any) -> dict[str, Any]:
        basis = ["external: the Lending Act, section 3"]
        scope = {"process_type": Court.TYPE}
        return {"id": rule_id, "version": 1, "legal_basis": basis, "scope": scope, "kind": kind, **fields}

    def propose(self, *rules: dict[str, Any], sender: str = "bank-a/admin", **args: Any) -> Receipt:
        return self.chain.submit(sender, "supervision.propose_rules", rules=list(rules), **args)

    def vote(self, ballot: str, *members: str, choice: str = "yes") -> Receipt:
        receipt = None
        for member in members or VALIDATORS[:3]:
            receipt = self.chain.submit(f"{member}/admin", "supervision.vote", ballot=ballot, choice=choice)
        assert receipt is not None
        return receipt

    def adopt(self, *rules: dict[str, Any]) -> Receipt:
        """Propose rules and vote for them; return the deciding vote's receipt."""
        proposed = self.propose(*rules)
        assert proposed.ok, proposed
        decided = self.vote(proposed.data["ballot"])
        assert decided.data["status"] == "accepted", decided
        return decided

    def event(self, kind: str, case: str = "c1", *, at_ms: int | None = None, **fields: Any) -> dict[str, Any]:
        """An event as an item of ``record``, by default of now."""
        time = time_text(self.chain.now_ms if at_ms is None else at_ms)
        return {"event": f"{kind} {case} {time}", "type": kind, "time": time, "objects": [["case", case]], **fields}

    def record(self, *items: dict[str, Any], source: str = "bank-a/log", **args: Any) -> Receipt:
        member, _, name = source.partition("/")
        first = args.pop("sequence", self.sequence[source] + 1)
        receipt = self.chain.submit(
            f"{member}/admin", "process.record", source=name, sequence=first, items=list(items), **args
        )
        if receipt.ok:
            self.sequence[source] = receipt.data["last"]
            also = {sequence: objects for sequence, _, objects in receipt.data.get("corrections", ())}
            at = (self.chain.executor.height, self.chain.executor.time_ms)
            for sequence, item in enumerate(items, receipt.data["first"]):
                self.recorded.append((source, sequence, *at, item))
                names = (*objects_of(item), *map(tuple, also.get(sequence, ())))
                self.belongs.append(dict.fromkeys(names))
        return receipt

    def item(self, sequence: int, source: str = "bank-a/log") -> dict[str, Any]:
        """Return an item that was recorded."""
        return next(entry[4] for entry in self.recorded if entry[:2] == (source, sequence))

    def corrects(self, sequence: int, source: str = "bank-a/log") -> list[Any]:
        """Return what a correction of an item names."""
        return [sequence, item_hash(source, sequence, self.item(sequence, source)).hex()]

    def history(self, *names: tuple[str, str]) -> dict[str, Any]:
        """Return the history of objects for ``process.record``, since rules look at them."""
        shown = {}
        for name in names:
            items = [entry for entry, of in zip(self.recorded, self.belongs, strict=True) if name in of]
            known = self.get(f"object/{self.TYPE}/{name[0]}/{name[1]}")
            if known is not None and known[6]:
                shown[name] = items[known[5] : known[5] + known[6]]
        return shown_history(shown)

    def correct(self, *items: dict[str, Any], shown: bool = True, source: str = "bank-a/log", **args: Any) -> Receipt:
        """Record corrections with what they correct and, unless not ``shown``, the history of their objects."""
        first = self.sequence[source] + 1
        numbers = [item["corrects"][0] for item in items if item.get("corrects", [first])[0] < first]
        corrected = [self.item(number, source) for number in numbers]
        names = dict.fromkeys(name for item in (*corrected, *items) for name in objects_of(item))
        history = self.history(*names) if shown else {"objects": []}
        more = {"history": history} if history["objects"] else {}
        return self.record(*items, source=source, corrected=corrected, **more, **args)

    def attest(
        self, sequence: int, verdict: str, *, shown: bool = True, source: str = "bank-a/log", **args: Any
    ) -> Receipt:
        """Confirm or dispute an event, showing it and, unless not ``shown``, the history of its objects."""
        item, history = self.item(sequence, source), {"objects": []}
        if shown:
            history = self.history(*objects_of(item))
        more = {"history": history} if history["objects"] else {}
        more |= {"reason": "It was less"} if verdict == "dispute" else {}
        hashed = item_hash(source, sequence, item).hex()
        return self.chain.submit(
            f"{item['counterparty']}/admin",
            "process.attest",
            **{"item": hashed, "verdict": verdict, "attested": item, **more, **args},
        )

    def wait(self, duration_ms: int) -> dict[str, Any]:
        """Make an empty block so much later; return what supervision did at its start."""
        self.chain.block(time_ms=self.chain.executor.time_ms + duration_ms)
        return self.chain.begun.get("supervision", {})

    def finding(self, **fields: Any) -> str:
        """Have a finding raised on a new case of bank-a; return its id. Needs ``adopt(ONCE)`` before."""
        case = f"case {self.sequence['bank-a/log']}"
        receipt = self.record(self.event("pay", case), self.event("pay", case, event="second"))
        return str(receipt.data["findings"][0]["id"])

    ONCE: ClassVar = {"template": "absence", "a": "pay", "n": 2}

    def act(self, sender: str, action: str, /, **args: Any) -> Receipt:
        return self.chain.submit(sender if "/" in sender else f"{sender}/admin", f"supervision.{action}", **args)

    def get(self, key: str) -> Any:
        return self.chain.get(f"supervision/{key}")


@pytest.fixture
def court() -> Court:
    return Court(Chain())


@pytest.fixture(scope="session")
def make_court() -> Callable[..., Court]:
    return lambda mode="live", **definition: Court(Chain(), mode, **definition)


@pytest.fixture
def chain() -> Chain:
    return Chain()


@pytest.fixture(scope="session")
def make_chain() -> Callable[..., Chain]:
    return Chain


@pytest.fixture(scope="session")
def genesis_with() -> Callable[..., Genesis]:
    return make_genesis


@pytest.fixture(scope="session")
def signer_of() -> Callable[[str], Ed25519Signer]:
    return signer
