"""Consistent reads: from which height on this node's state covers everything committed before the question.

Law: what was acknowledged at height h was committed by q validators, each of which made a prepared certificate of h
durable first; so among any q answers one honest node shows a tip at or above h, or that certificate. The height
asked for is the highest so shown, and only what verifies counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from coseal.ledger.certificate import PbftCertificate, Phase
from coseal.ledger.errors import BadCertificate
from coseal.ledger.signing import Verify
from coseal.ledger.validators import ValidatorSet
from coseal.node.core.wire import TipReply

OPEN_MAX: Final = 1_000
PATIENCE_MS: Final = 10_000


@dataclass(slots=True)
class _Open:
    since_ms: int
    height: int
    answered: dict[str, None] = field(default_factory=dict)


class OpenReads:
    """The questions that wait for answers, by token; the oldest is given up when there are too many."""

    def __init__(self, chain_id: bytes, verify: Verify) -> None:
        self._chain_id = chain_id
        self._verify = verify
        self._open: dict[int, _Open] = {}

    def ask(self, token: int, now_ms: int) -> None:
        """Begin; the node's own answer comes in like the others'."""
        self._open[token] = _Open(now_ms, 0)
        if len(self._open) > OPEN_MAX:
            del self._open[next(iter(self._open))]

    def answer(
        self, node: str, reply: TipReply, validators: ValidatorSet, tip: int, *, proven: bool = False
    ) -> int | None:
        """Take the answer of ``node``; return the height once q validators have answered, else None.

        ``validators`` are those of the height after ``tip``, our own height; nobody else counts. What is shown at or
        below it asks for nothing and needs no proof. Raises ``BadCertificate`` for an answer that proves nothing; it
        does not count. ``proven``: it is this node's own, verified before it was kept, perhaps with validators of a
        later epoch than that of a state that is being rebuilt.
        """
        question = self._open.get(reply.token)
        if question is None or validators.index(node) is None:
            return None
        shown = [(reply.certificate, Phase.COMMIT), (reply.prepared, Phase.PREPARE)]
        for certificate, phase in shown:
            if certificate is not None and certificate.height > tip and not proven:
                self._require(certificate, phase, validators)
        heights = [certificate.height for certificate, _ in shown if certificate is not None]
        question.height = max([question.height, *heights])  # N38
        question.answered = {name: None for name in (*question.answered, node) if validators.index(name) is not None}
        if len(question.answered) < validators.quorum:
            return None
        del self._open[reply.token]
        return question.height

    def tick(self, now_ms: int) -> None:
        """Forget the questions that nobody waits for any more."""
        late = [token for token, question in self._open.items() if now_ms - question.since_ms > PATIENCE_MS]
        for token in late:
            del self._open[token]

    def _require(self, certificate: PbftCertificate, phase: Phase, validators: ValidatorSet) -> None:
        if certificate.phase is not phase:
            raise BadCertificate(f"a certificate of {certificate.phase.name} in the place of one of {phase.name}")
        certificate.verify(self._chain_id, validators, self._verify)
