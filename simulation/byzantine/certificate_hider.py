"""Hides its prepared certificate in a round change, or shows an old one; leading, it shows what suits it."""

from __future__ import annotations

from dataclasses import replace

from coseal.consensus.messages import Proposal, RoundChange
from coseal.ledger.block import Block
from coseal.node.core.wire import WireMessage
from simulation.byzantine.behaviour import Behaviour, frame


class CertificateHider(Behaviour):
    """If q round changes without any certificate can be found, it proposes another block than the prepared one."""

    name = "certificate hider"

    def outbound(self, target: int, message: WireMessage, data: bytes) -> list[bytes]:
        """Carry none, or the lowest known; justify what it likes."""
        own = self.own(message)
        if isinstance(own, RoundChange):
            known = sorted(self.certificates(own.height), key=lambda certificate: certificate.round)
            known = [certificate for certificate in known if certificate.round < own.round]
            shown = self.rng.choice([None, *known[:1]])
            return [frame(self.signed(replace(own, prepared=shown)))]
        if isinstance(own, Proposal) and own.justification:
            return [frame(self.signed(self._justified_anew(own)))]
        return [data]

    def _justified_anew(self, own: Proposal) -> Proposal:
        heard = [m for m in self.ears.at(own.height) if isinstance(m, RoundChange) and m.round == own.round]
        changes = {change.sender: change for change in (*own.justification, *heard)}
        if self.me is not None:
            changes[self.me] = self.change(own.height, own.round, None)
        suiting = sorted(changes.values(), key=lambda change: -1 if change.prepared is None else change.prepared.round)
        validators = self.validators
        count = self.rng.choice((validators.quorum, validators.quorum, validators.weak_quorum))
        shown = tuple(suiting[:count])
        if any(change.prepared is not None for change in shown):
            return replace(own, justification=shown)
        block, header = own.block, own.block.header
        header = replace(header, created_round=own.round, proposer=self.node.id, time_ms=header.time_ms + 1)
        return replace(own, justification=shown, block=Block(header, block.transactions, block.last_commit))
