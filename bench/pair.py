"""Two networks side by side: one with many objects in its state, one with next to none, under the same load in turn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Run
from bench.network import Network, running_network
from bench.rows import fill, throughput

_ITEMS = 500


class Pair:
    """The two networks; ``objects`` is how many are in the state of the full one."""

    def __init__(self, full: Network, empty: Network) -> None:
        self.full, self.empty, self.objects = full, empty, 0
        self._turn = False

    @staticmethod
    @contextmanager
    def running(port: int) -> Iterator[Pair]:
        """Start both."""
        with running_network(base_port=port) as full, running_network(base_port=port + 100) as empty:
            yield Pair(full, empty)

    def compared(self, objects: int, transactions: int) -> Run:
        """Fill the one up to so many objects; then the same throughput on both, and their ratio."""
        if self.objects < objects:
            fill(self.full, -(-(objects - self.objects) // _ITEMS), items=_ITEMS, objects=True)
            self.objects = objects
        self._turn = not self._turn
        rates = {}
        for network in (self.full, self.empty) if self._turn else (self.empty, self.full):
            rates[network] = throughput(network, transactions=transactions)["transactions/s"]
        full, empty = rates[self.full], rates[self.empty]
        return {
            "ratio": full / empty,
            "transactions/s, full": full,
            "transactions/s, empty": empty,
            "objects": self.objects,
        }
