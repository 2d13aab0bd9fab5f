"""Releasing parts of cells for a request, in an envelope that its requester alone opens; and what was released.

Law: a custodian derives the parts of cells that a live sidecar has, never of ids that somebody names; an envelope opens
for one request alone.

docs/spec/disclosure.md, B8, B13, B15 and B16.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from coseal.ledger import custody, sealed
from coseal.ledger.custody import Plan, Release
from coseal.ledger.errors import Malformed
from coseal.ledger.sealed import Cell, Cells, Envelope, Envelopes, Purpose
from coseal.ledger.signing import Signer
from coseal.sealing import envelopes
from coseal.sealing.envelopes import SealingKey

USE: Final = "request"
"""The use of a key that a request brings, in what its envelopes are bound to; its version is 0."""


class Scoped(NamedTuple):
    """A cell of a sidecar that a request names, with its id."""

    id: bytes
    cell: Cell


def in_scope(sidecar: Cells, source: str, sequences: Collection[int], labels: Collection[str]) -> list[Scoped]:
    """Return the cells of a sidecar that have one of these sequences and labels; those that it lacks are no cells."""
    return [
        Scoped(sealed.cell_id(sidecar.vault, sidecar.seed, source, cell.sequence, cell.label), cell)
        for cell in sidecar.cells
        if cell.sequence in sequences and cell.label in labels
    ]


def release(
    chain: bytes, request: bytes, seat: int, keys: Sequence[bytes], cells: Sequence[bytes], signer: Signer
) -> Release:
    """Return what a seat with these keys says of cells (their ids) for a request (its hash), signed."""
    parts = tuple((cell, tuple(custody.part(key, cell) for key in keys)) for cell in cells)
    return Release(request, seat, parts).signed(chain, signer)


def enclose(chain: bytes, member: str, public: bytes, given: Release) -> Envelopes:
    """Return a release in an envelope for the requester, under the key that its request brings."""
    info = sealed.envelope_info(chain, Purpose.RELEASE, given.request, member, USE, 0)
    return Envelopes(given.request, (Envelope(member, 0, envelopes.seal(public, given.encode(), info)),))


def disclosed(chain: bytes, member: str, plan: Plan, request: bytes, sidecar: Envelopes, key: SealingKey) -> Release:
    """Return the release in the envelope for the requester; raise ``Malformed`` for anything that is none."""
    own = [one for one in sidecar.envelopes if (one.member, one.version) == (member, 0)]
    if len(own) != 1 or sidecar.about != request:
        raise Malformed("sidecar: no envelope of this request")
    info = sealed.envelope_info(chain, Purpose.RELEASE, request, member, USE, 0)
    found = custody.decode_release(key.open(own[0].content, info), plan)
    if found.request != request:
        raise Malformed("release: of another request")
    return found
