"""Members who act by one contract, and decide by ballot; each call is a block."""

from __future__ import annotations

from typing import Any

from coseal.ledger.block import Receipt
from tests.support.chain import Chain

Data = dict[str, Any]


class Deciding:
    """Actions are of ``contract`` unless they name another one."""

    contract: str
    chain: Chain

    def submit(self, member: str, action: str, /, **args: Any) -> Receipt:
        name = action if "." in action else f"{self.contract}.{action}"
        return self.chain.submit(f"{member}/admin", name, **args)

    def ok(self, member: str, action: str, /, **args: Any) -> Data:
        receipt = self.submit(member, action, **args)
        assert receipt.ok, (receipt.code, receipt.detail)
        return dict(receipt.data)

    def code(self, member: str, action: str, /, **args: Any) -> str:
        return self.submit(member, action, **args).code

    def propose(self, kind: str, /, **subject: Any) -> Receipt:
        proposal = f"{kind.replace('_', '-')}-{self.chain.executor.height}"
        return self.submit("regulator", "governance.propose", id=proposal, kind=kind, subject=subject)

    def decide(self, kind: str, /, **subject: Any) -> Data:
        """Propose and accept; return the last vote's result."""
        result: Data = dict(self.propose(kind, **subject).data)
        proposal = result["ballot"]
        for member in ("central-bank", "bank-a", "enterprise-a"):
            if result["status"] == "open":
                result = self.ok(member, "governance.vote", ballot=proposal, choice="yes")
        assert result["status"] == "accepted", result
        return result
