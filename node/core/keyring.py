"""The consensus keys of a node as one signer, for what it signs outside of consensus.

Law: a node signs with the key that the state registers for it, and with no other while it holds that one.
"""

from __future__ import annotations

from coseal.contracts.execution import Executor
from coseal.contracts.membership import actions as membership
from coseal.ledger.signing import Signer
from coseal.ledger.transaction import node_sender


class Keyring:
    """Implements ``Signer`` for ``node_id``; ``take`` adds a key that an operator gave."""

    def __init__(self, executor: Executor, node_id: str, signer: Signer, *others: Signer) -> None:
        self._reader, self._sender = executor.reader, node_sender(node_id)
        self._first = signer
        self._signers = {one.public_key: one for one in (signer, *others)}

    @property
    def public_key(self) -> bytes:
        """The registered key if it is held, else that of the first signer."""
        return self._present.public_key

    def take(self, signer: Signer) -> None:
        """Hold another key as well."""
        self._signers[signer.public_key] = signer

    def sign(self, message: bytes) -> bytes:
        """See ``Signer``; raise ``CannotSign``."""
        return self._present.sign(message)

    @property
    def _present(self) -> Signer:
        registered = membership.sender_key(self._reader, self._sender)
        return self._signers.get(registered or b"", self._first)
