"""Who certifies which epoch: the sets of validators that follow from the genesis by certified handovers.

Law: a set is believed only if the set before it certified a header that announces it; where it was found does not
matter. Two certified handovers to one epoch are a fork. Source: docs/spec/audit.md, section Epochs.
"""

from __future__ import annotations

from collections.abc import Iterable

from coseal.audit.light import UnknownValidators
from coseal.ledger.block import Header
from coseal.ledger.certificates import Certificate
from coseal.ledger.engines import engine_of
from coseal.ledger.errors import BadCertificate, LedgerError
from coseal.ledger.genesis import Genesis
from coseal.ledger.handover import Handover
from coseal.ledger.proof import verify_certified
from coseal.ledger.validators import ValidatorSet


class ForkedEpochs(LedgerError):
    """One set of validators certified two handovers to the next epoch."""

    def __init__(self, one: Handover, other: Handover, validators: ValidatorSet) -> None:
        """``validators`` is the set that certified both."""
        super().__init__(f"two certified handovers to epoch {one.epoch}")
        self.one, self.other, self.validators = one, other, validators


class Epochs:
    """The sets believed so far by epoch, with the handovers that lead to them; begins with the genesis alone."""

    def __init__(self, genesis: Genesis) -> None:
        self._genesis, self._engine = genesis, engine_of(genesis)
        self._sets: dict[int, ValidatorSet] = {genesis.validators.epoch: genesis.validators}
        self._handovers: dict[int, Handover] = {}
        self._shown: dict[tuple[int, bytes], ValidatorSet] = {}

    @property
    def last(self) -> ValidatorSet:
        """The set of the highest epoch believed."""
        return self._sets[max(self._sets)]

    def __len__(self) -> int:
        return len(self._sets)

    def take(self, handover: Handover) -> None:
        """Believe the set of a handover from a known epoch; raise a ``LedgerError`` that says why not.

        ``UnknownValidators`` if the epoch before is not known, ``ForkedEpochs`` if another one led to that epoch.
        """
        self.show(handover.validators)
        before = self.of(handover.header, handover.certificate)
        handover.verify(self._genesis.chain_id, before)  # A11
        held = self._handovers.setdefault(handover.epoch, handover)
        if held.header != handover.header:
            raise ForkedEpochs(held, handover, before)  # A13
        self._sets.setdefault(handover.epoch, handover.validators)

    def take_all(self, handovers: Iterable[Handover]) -> None:
        """Take each in order; see ``take``."""
        for handover in handovers:
            self.take(handover)

    def show(self, validators: ValidatorSet) -> None:
        """Remember a set that nothing proves, for whoever knows its hash."""
        self._shown[validators.epoch, validators.hash] = validators

    def trust(self, validators: ValidatorSet) -> None:
        """Believe a set for another reason than a handover: a pinned header names it."""
        self._sets[validators.epoch] = validators

    def known(self, epoch: int) -> ValidatorSet | None:
        """Return the set of an epoch that is believed, or None."""
        return self._sets.get(epoch)

    def find(self, wanted: bytes, epoch: int) -> ValidatorSet | None:
        """Return the set with this hash and epoch, proven or not; None if nobody showed it (a ``FindValidators``)."""
        known = self._sets.get(epoch)
        return known if known is not None and known.hash == wanted else self._shown.get((epoch, wanted))

    def of(self, header: Header, certificate: Certificate) -> ValidatorSet:
        """Return the set whose signatures ``certificate`` must hold; no signature is checked here.

        Raises ``BadCertificate`` for a certificate of something else, ``UnknownValidators`` for an unknown epoch.
        """
        if header.chain_id != self._genesis.chain_id:
            raise BadCertificate("the header is of another chain")
        self._engine.require(certificate)
        if not certificate.is_of(header):
            raise BadCertificate("the certificate is of another block")
        known = self._sets.get(header.epoch)
        if known is None:
            raise UnknownValidators(
                f"block {header.height} is of epoch {header.epoch}, and nothing at hand leads from the genesis to the "
                "validators of that epoch: fetch the document anew with its handovers, or audit the chain"
            )
        return known

    def verify(self, header: Header, certificate: Certificate) -> ValidatorSet:
        """Return the set that certified ``header``; raise a ``LedgerError`` unless it did."""
        validators = self.of(header, certificate)
        verify_certified(header, certificate, self._genesis.chain_id, validators)
        return validators

    def up_to(self, epoch: int) -> tuple[Handover, ...]:
        """Return the handovers that lead to ``epoch``, ascending."""
        return tuple(handover for number, handover in sorted(self._handovers.items()) if number <= epoch)
