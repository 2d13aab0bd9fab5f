"""Which sidecars this node holds, in memory or on disk, and the effects that write and erase them.

Law: what is said to be on disk is durable before any effect after the one that wrote it leaves the node; bytes are held
only under the name and the size that they have (N41).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from coseal.contracts.kernel.sidecars import Named
from coseal.ledger.errors import LedgerError, Malformed
from coseal.ledger.sealed import decode_sidecar
from coseal.node.core.events import EraseSidecar, KeepSidecar, NodeEffect


def check(named: Named, data: bytes) -> None:
    """Raise ``LedgerError`` unless these bytes are the sidecar that is named: size first, then form and name."""
    if len(data) != named.size:  # N41
        raise Malformed(f"a sidecar of {len(data)} bytes, {named.size} are named")
    decode_sidecar(data, named.name)


class HeldSidecars:
    """Sidecars by name; ``on_disk`` gives the size of each that the disk has at the start."""

    def __init__(self, emit: Callable[[NodeEffect], None], on_disk: Mapping[bytes, int]) -> None:
        self._emit = emit
        self._disk = dict(on_disk)
        self._memory: dict[bytes, bytes] = {}

    def __iter__(self) -> Iterator[bytes]:
        """Iterate over all names; what is held must not change meanwhile."""
        return iter({**self._disk, **self._memory})

    def size(self, name: bytes) -> int | None:
        """Return the size of a sidecar that is held, or None."""
        data = self._memory.get(name)
        return self._disk.get(name) if data is None else len(data)

    def has(self, named: Named) -> bool:
        """Say whether a sidecar is held under this name and size."""
        return self.size(named.name) == named.size

    def has_all(self, sidecars: Iterable[Named]) -> bool:
        """Say whether all of these are held."""
        return all(map(self.has, sidecars))

    def data(self, name: bytes) -> bytes | None:
        """Return the bytes of one that waits in memory."""
        return self._memory.get(name)

    def is_on_disk(self, name: bytes) -> bool:
        """Say whether the disk has it, or will before anything else leaves."""
        return name in self._disk

    def take(self, named: Named, data: bytes) -> None:
        """Hold a sidecar in memory; raise ``LedgerError`` if the bytes are not what is named."""
        if not self.has(named):
            check(named, data)
            self._memory[named.name] = data  # N42

    def write(self, sidecars: Iterable[Named]) -> None:
        """Make durable what waits in memory of these, before the effects that follow (N42, N45)."""
        for named in sidecars:
            data = self._memory.pop(named.name, None)
            if data is not None:
                self._disk[named.name] = len(data)
                self._emit(KeepSidecar(named.name, data))

    def let_go(self, name: bytes) -> None:
        """Hold a sidecar no more; what the disk has of it is overwritten after what was written before (N51)."""
        self._memory.pop(name, None)
        if self._disk.pop(name, None) is not None:
            self._emit(EraseSidecar(name))

    def lost(self, name: bytes) -> None:
        """The disk turned out not to have one."""
        self._disk.pop(name, None)


def none_held() -> HeldSidecars:
    """Return what a node holds on a chain that has no sidecars."""

    def unexpected(effect: NodeEffect) -> None:
        raise LedgerError(f"a chain without sidecars has {effect}")

    return HeldSidecars(unexpected, {})
