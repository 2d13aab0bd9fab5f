"""Submitting an action: signing it, sending it, and waiting for its commit; types by action are in the stub beside.

Law: there is one behaviour for all actions; ``make stubs`` writes ``submitting.pyi`` from their fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from coseal.client.corrections import submitted
from coseal.client.exchange import Exchange
from coseal.client.session import COMMIT_TIMEOUT_S, Session
from coseal.client.transactions import Committed


class _Running(Protocol):
    session: Session

    def run(self, exchange: Exchange[Committed]) -> Any: ...


class Submitting:
    """``submit`` of the blocking client."""

    def submit(
        self: _Running,
        contract: str,
        action: str,
        args: Mapping[str, Any],
        *,
        timeout_s: float = COMMIT_TIMEOUT_S,
    ) -> Committed:
        """Sign, send, wait for the commit and return the verified outcome, which may be a rejection.

        What a correction or a dispute has to show of what was recorded before is gathered and verified first.
        Errors as ``commit``. A type checker knows what arguments each action takes; see ``submit_any``.

        >>> committed = client.submit("membership", "set_profile", {"name": "Regulator"})
        >>> committed.require_ok().receipt.code
        'ok'
        >>> client.submit("policy", "endorse", {"id": "no/such"}).receipt.code
        'unknown_instrument'
        """
        committed: Committed = self.run(submitted(self.session, contract, action, args, timeout_s))
        return committed

    submit_any = submit
    """``submit`` of an action or of arguments that a type checker does not know."""


class AsyncSubmitting:
    """``submit`` of the asynchronous client."""

    async def submit(
        self: _Running,
        contract: str,
        action: str,
        args: Mapping[str, Any],
        *,
        timeout_s: float = COMMIT_TIMEOUT_S,
    ) -> Committed:
        """Sign, send, wait for the commit and return the verified outcome; see ``Client.submit``."""
        committed: Committed = await self.run(submitted(self.session, contract, action, args, timeout_s))
        return committed

    submit_any = submit
    """``submit`` of an action or of arguments that a type checker does not know."""
