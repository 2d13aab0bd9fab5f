"""Reads of the client library by what this console followed: questions to one node, and what its answers prove.

Law: answers are judged by the followed headers and nothing else, now and whenever they are judged once more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from coseal.client import exchange, reads
from coseal.client.exchange import Ask, Exchange, Pause
from coseal.console.light import LightClient
from coseal.console.nodes import Reply
from coseal.errors import FalseAnswer
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.genesis import Genesis
from coseal.ledger.validators import ValidatorSet

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Followed:
    """Who reads from a node for this console: it believes what the light client followed (``reads.Verifier``)."""

    light: LightClient
    node: str

    @property
    def genesis(self) -> Genesis:
        """The trusted genesis."""
        return self.light.genesis

    def ask(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Exchange[exchange.Reply]:
        """Ask this node and no other."""
        return (yield Ask(method, self.node, path, params or {}, headers=headers or {}))

    def validators_of(self, header: Header, certificate: Certificate) -> Exchange[ValidatorSet]:
        """Return the validators of a header's epoch; ``Conflict`` for a block beside the followed one."""
        yield from ()
        if self.light.hash_at(header.height) not in (None, header.hash):
            self.light.check(header, certificate)
        return self.light.validators(header.epoch)

    def saw(self, node: str, what: str, height: int, floor: int) -> None:
        """Raise ``StaleAnswer`` for what is of a lower height than was asked for."""
        reads.require_reached(node, what, height, floor)


def judged(replies: Sequence[Reply], read: Exchange[T]) -> T:
    """Return what a read makes of the answers to its questions; raises as ``answered``."""
    next(read)
    for reply in replies:
        found = answered(reply, read)
        if not isinstance(found, Ask | Pause):
            return found
    raise Malformed("it takes more questions")


def answered(reply: Reply, read: Exchange[T]) -> T | Ask | Pause:
    """Return what a read makes of the answer to its question: the next question, or at the last one its value.

    Raises ``Problem`` for a refusal, a ``LedgerError`` for anything that does not hold.
    """
    body = reply.require_ok()
    try:
        return read.send(exchange.Reply(reply.node, reply.status, body))
    except StopIteration as end:
        found: T = end.value
        return found
    except FalseAnswer as error:
        if isinstance(error.__cause__, LedgerError):
            raise error.__cause__ from None
        raise Malformed(error.detail.removeprefix(f"{reply.node} ")) from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise Malformed(f"not the document that was asked for: {type(error).__name__}") from None
