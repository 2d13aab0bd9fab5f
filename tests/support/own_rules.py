"""Rules that members adopt for themselves, on the process type ``loans``."""

from __future__ import annotations

from typing import Any, Final

from coseal.ledger.block import Receipt
from coseal.ledger.render import time_text
from tests.support.chain import Chain
from tests.support.standards import Competition

NAMED: Final = {"standard": "r", "version": 1}
HOUR_MS: Final = 3_600_000
EVENTS: Final = {"apply": {"attributes": {"amount": "integer"}}, "decide": {}}


def rule(rule_id: str, kind: str, **fields: Any) -> dict[str, Any]:
    """Return a rule on loans."""
    named = {"id": rule_id, "version": 1, "title": rule_id, "severity": "violation", "effect": "flag"}
    return {**named, "legal_basis": [], "scope": {"process_type": "loans"}, "kind": kind, **fields}


SMALL: Final = rule("SMALL", "guard", on=["apply"], **{"assert": "e.attributes.amount <= 100"})
DECIDED: Final = rule("DECIDED", "declare", template="response", a="apply", b="decide", within_ms=HOUR_MS)


class OwnRules(Competition):
    """A competition in ``lending`` in which a rule set on loans is proposed by city."""

    steps = 0
    """What the last transaction took."""

    def submit(self, member: str, action: str, /, **args: Any) -> Receipt:
        receipt = super().submit(member, action, **args)
        self.steps = receipt.steps
        return receipt

    def propose_rules(self, *rules: dict[str, Any], standard: str = "r", version: int = 1, **more: Any) -> Any:
        """Propose a rule set."""
        args = {"standard": standard, "version": version, "kind": "rule_set", "domain": "lending", "title": "Rules"}
        return self.submit("city", "propose", **{**args, "content": {"rules": list(rules)}, "patents": [], **more})

    def batch(self, member: str, *items: tuple[str, str, int], source: str = "loans") -> dict[str, Any]:
        """Record events (type, object, amount) of now; return what the receipt shows."""
        first = self._sequences.get((member, source), 0) + 1
        self._sequences[member, source] = first + len(items) - 1
        now = time_text(self.chain.now_ms)
        events: list[dict[str, Any]] = [
            {"event": f"e{first + at}", "type": kind, "time": now, "objects": [["case", name]]}
            | ({"attributes": {"amount": amount}} if kind == "apply" else {})
            for at, (kind, name, amount) in enumerate(items)
        ]
        return self.ok(member, "process.record", source=source, sequence=first, items=events)

    def figures(self, member: str, standard: str = "r") -> list[int] | None:
        """Return what the state has of a member's use in the present period: items, conforming, undetermined."""
        rows: Any = self.chain.get(f"standards/use/{standard}/1/{member}")
        return None if rows is None else list(rows[-1][1:])

    def own(self, member: str) -> Any:
        """Return the own sets of a member."""
        return self.chain.get(f"standards/own/{member}/loans")

    def monitors(self, member: str, name: str = "c") -> Any:
        """Return what the own sets of a member keep of an object."""
        return self.chain.get(f"standards/monitors/{member}/loans/case/{name}")


def own_rules(chain: Chain) -> OwnRules:
    """Return a chain on which three members record loans."""
    found = OwnRules(chain)
    found.define("loans", event_types=EVENTS, late_ms=0)
    found.ok("bank-a", "classify", process_type="loans", domain="lending")
    for member in ("bank-a", "central-bank", "enterprise-a"):
        found.source(member, "loans")
    return found
