"""A document that proves an answer by itself, asked of a node: of a ballot, certificate, trade question or statement.

Law: what is returned was verified as its receiver will; a node that leaves something out, or alters it, is found out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from coseal.audit.certified import Judged
from coseal.audit.steps import Trace
from coseal.client.exchange import Exchange, asking_for, document_of, false_answer
from coseal.client.reads import Verifier
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover, with_handovers
from coseal.ledger.render import MAX_DOCUMENT_DEPTH
from coseal.ledger.strict_json import strict_json


class Shown(Protocol):
    """What a document shows: at least the certified header that everything in it rests on."""

    @property
    def header(self) -> Header:
        """The header."""
        ...

    @property
    def certificate(self) -> Certificate:
        """The signatures under it."""
        ...


S = TypeVar("S", bound=Shown)


class Kind(NamedTuple, Generic[S]):
    """A kind of document: its name in messages, how it is read, and how it is verified (``coseal.audit``)."""

    name: str
    read: Callable[[Any], S]
    verify: Callable[[Any, Genesis, Trace], tuple[str, dict[str, Any], Judged]]


class Wanted(NamedTuple, Generic[S]):
    """What is asked: where, what it proves in words, and which document is the one; ``other`` says that one is not."""

    path: str
    params: Mapping[str, Any]
    what: str
    fits: Callable[[S], bool]
    other: str


class Proven(NamedTuple, Generic[S]):
    """A verified document: what it shows, in words and as facts, at which height, and itself with its handovers."""

    shown: S
    reason: str
    facts: Mapping[str, Any]
    height: int
    document: dict[str, Any]


def proven(
    verifier: Verifier,
    kind: Kind[S],
    wanted: Wanted[S],
    floor: int,
    leading: Callable[[int], Iterable[Handover]],
) -> Exchange[Proven[S]]:
    """Return the document that a node gives, verified; ``leading`` gives what leads to an epoch.

    Raises ``FalseAnswer`` for one that does not prove what is wanted, ``StaleAnswer`` for one below height ``floor``.
    """
    params = {"handovers": "false", **wanted.params, **asking_for(floor)}
    reply = yield from verifier.ask("GET", wanted.path, params=params)
    if reply.status != 200:
        document_of(reply)
    try:
        shown = kind.read(bare := strict_json(reply.content, kind.name, depth=MAX_DOCUMENT_DEPTH))
        yield from verifier.validators_of(shown.header, shown.certificate)
        document = with_handovers(bare, leading(shown.header.epoch))
        reason, facts, judged = kind.verify(document, verifier.genesis, Trace())
    except LedgerError as error:
        raise false_answer(reply.node, f"does not prove {wanted.what}: {error.reason}") from error
    if not wanted.fits(shown):
        raise false_answer(reply.node, wanted.other)
    verifier.saw(reply.node, wanted.what, judged.header.height, floor)
    return Proven(shown, reason, facts, judged.header.height, document)
