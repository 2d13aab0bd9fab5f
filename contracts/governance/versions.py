"""The protocol version to come: which validators have said that their software has it, and where it takes effect.

Law: a version takes effect only at a height that is decided by validators of which a quorum has said that their
software has it (A8), so no vote stops the chain; until then it waits and can be withdrawn (A10). Nor does a later
change of the validators take that quorum away (A11).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from coseal.contracts.governance.state import UPGRADE_KEY, VERSION_KEY
from coseal.contracts.kernel.action import Reader, Result, View
from coseal.contracts.kernel.state import PROTOCOL_VERSION_KEY
from coseal.contracts.membership import epochs as membership_epochs
from coseal.contracts.membership import nodes as membership_nodes
from coseal.ledger.validators import Validator, quorum

MIN_NOTICE_BLOCKS: Final = 2
"""From the block in which all that a version needs has come together to the first block under it."""


class Support(NamedTuple):
    """How far validators have a version: their nodes, ascending; ``needed`` is how many must have it."""

    having: tuple[str, ...]
    lacking: tuple[str, ...]
    needed: int

    @property
    def suffices(self) -> bool:
        """Whether those that have it decide blocks without the others."""
        return len(self.having) >= self.needed

    def document(self) -> Result:
        """Return it as JSON can hold it."""
        return {"having": list(self.having), "lacking": list(self.lacking), "needed": self.needed}


def has(reader: Reader, node_id: str, version: int) -> bool:
    """Say whether the software of a node has a version, by its own word; every node has that of genesis."""
    in_genesis = version == _current(reader) and reader.get(VERSION_KEY) is None
    return in_genesis or version in membership_nodes.declared_versions(reader, node_id)


def support_of(reader: Reader, version: int, seats: Sequence[Validator]) -> Support:
    """Return who of these validators has a version."""
    return counted(seats, lambda node_id: has(reader, node_id, version))


def support(reader: Reader, version: int) -> Support:
    """Return who has a version of the validators that ``deciding`` gives."""
    return support_of(reader, version, deciding(reader))


def counted(seats: Sequence[Validator], has: Callable[[str], bool]) -> Support:
    """Return of which of these validators ``has``, asked for each node's id, is true."""
    having = tuple(seat.id for seat in seats if has(seat.id))
    return Support(having, tuple(seat.id for seat in seats if seat.id not in having), quorum(len(seats)))


def deciding(reader: Reader) -> tuple[Validator, ...]:
    """Return the validators after the change that is under way, if one is, else the present ones."""
    return (membership_epochs.coming(reader) or membership_epochs.validators(reader)).validators


def schedule(view: View, version: int, height: int, proposal_id: str) -> None:
    """Have a version take effect at ``height``, or at the first one after it that A8 allows."""
    view.put(UPGRADE_KEY, [version, height, proposal_id])


def begin_block(view: View, height: int) -> Result | None:
    """Bring the version that waits into force for the block after ``height``, if it is time; return what changed."""
    record: Any = view.get(UPGRADE_KEY)
    if record is None or height + 1 < record[1] or not support(view, record[0]).suffices:  # A8
        return None
    version, _, proposal_id = record
    view.put(PROTOCOL_VERSION_KEY, version)
    view.put(VERSION_KEY, [version, height + 1, proposal_id])
    view.delete(UPGRADE_KEY)
    return {"version": version, "first_height": height + 1, "proposal": proposal_id}


# Queries


def pending(reader: Reader) -> str | None:
    """Return the id of the proposal whose version is accepted and not in force yet, or None."""
    record: Any = reader.get(UPGRADE_KEY)
    return None if record is None else str(record[2])


def upgrade(reader: Reader, tip: int) -> dict[str, Any] | None:
    """Return the version that is accepted and not in force in the state after block ``tip``, or None.

    ``version``, ``height`` and ``proposal`` are those of the ballot; ``having``, ``lacking`` and ``needed`` say who of
    the validators has it. ``first_height`` is where it takes effect, None while it waits for a quorum to have it.
    """
    record: Any = reader.get(UPGRADE_KEY)
    if record is None:
        return None
    version, height, proposal_id = record
    found = support(reader, version)
    first_height = max(height, tip + MIN_NOTICE_BLOCKS) if found.suffices else None
    about = {"version": version, "height": height, "proposal": proposal_id, "first_height": first_height}
    return {**about, **found.document()}


def to_declare(reader: Reader, node_id: str, known: Iterable[int]) -> list[int] | None:
    """Return what a node whose software has the versions ``known`` has to say of it, None if the state says so.

    What matters are later versions than the one in force, and that one, unless it is that of genesis.
    """
    first = _current(reader) + (reader.get(VERSION_KEY) is None)
    wanted = sorted(version for version in known if version >= first)[: membership_nodes.MAX_VERSIONS]
    said = [version for version in membership_nodes.declared_versions(reader, node_id) if version >= first]
    return None if said == wanted else wanted


def _current(reader: Reader) -> int:
    version: Any = reader.get(PROTOCOL_VERSION_KEY)
    return int(version)
