"""A node declares on the chain which versions and contracts its software has, so that governance may rely on it.

Law: a node declares when the state says otherwise of it, validator or observer, and repeats itself ever more
rarely, so that two processes with one key and different software do not fill the chain (N36).
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.execution import Executor
from coseal.contracts.governance import admissions
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.kernel.admitted import shown
from coseal.contracts.membership import nodes as membership_nodes
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import Transaction
from coseal.node.core import own_transaction

PAUSE_MAX_MS: Final = 3_600_000
"""A declaration that is repeated waits twice as long as before, at most this long."""


class Declaration:
    """Sends ``membership.declare_software`` for ``node_id`` when that is due; ``signer`` None: it has no key."""

    def __init__(self, executor: Executor, node_id: str, signer: Signer | None) -> None:
        self._executor, self._node_id, self._signer = executor, node_id, signer
        self._said: dict[str, Any] | None = None
        self._pause_ms, self._again_ms = own_transaction.VALID_MS, 0

    def due(self, own: dict[str, Any] | None, block_time_ms: int) -> Transaction | None:
        """Return what to send now, or None. ``own`` is the node's registry entry; the caller knows it is caught up."""
        if self._signer is None or not own_transaction.may_send(own, self._signer):
            return None
        args = self._to_declare()
        if args is None:
            return None
        if args != self._said:
            self._pause_ms, self._again_ms = own_transaction.VALID_MS, 0
        elif block_time_ms < self._again_ms:
            return None
        transaction = own_transaction.sign(
            self._executor, self._signer, self._node_id, "declare_software", args, block_time_ms
        )
        if transaction is not None:
            self._said, self._again_ms = args, block_time_ms + self._pause_ms
            self._pause_ms = min(2 * self._pause_ms, PAUSE_MAX_MS)
        return transaction

    def _to_declare(self) -> dict[str, Any] | None:
        """Return the whole of what is true now, if the state says otherwise of any of it."""
        executor, node_id = self._executor, self._node_id
        reader = executor.reader
        versions = governance_versions.to_declare(reader, node_id, executor.known_versions)
        contracts = admissions.to_declare(reader, node_id, executor.offered)
        if versions is None and contracts is None:
            return None
        if versions is None:
            versions = membership_nodes.declared_versions(reader, node_id)
        if contracts is None:
            contracts = membership_nodes.declared_sources(reader, node_id)
        more = {"contracts": [shown(each) for each in contracts]} if contracts else {}
        return {"protocol_versions": versions, **more}
