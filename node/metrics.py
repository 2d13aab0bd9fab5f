"""What a node measures, for Prometheus: names begin with ``coseal_``, units are in the name.

Law: labels have few values (node ids, codes), never something a client chose; docs/operating.md lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from node.health import NodeStatus

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)


class Metrics:
    """The counters the shell keeps, and a view of the machine's status made when someone asks."""

    def __init__(self, status: Callable[[], NodeStatus]) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.registry.register(_StatusCollector(status))
        self.blocks = self._counter("coseal_blocks_committed", "Blocks committed since the start.")
        self.transactions = self._counter("coseal_transactions_committed", "Transactions committed since the start.")
        self.syncs = self._histogram("coseal_disk_sync_seconds", "Writing and syncing one batch of journal and log.")
        self.writes = self._counter("coseal_disk_writes", "Journal records and blocks written.")
        self.verified = Gauge(
            "coseal_signatures_verified", "Transactions whose signature the verifier checked.", registry=self.registry
        )
        self.unapplied = Gauge(
            "coseal_state_unapplied_blocks", "Blocks that the state database has yet to take.", registry=self.registry
        )
        self.dropped = Gauge(
            "coseal_link_frames_dropped", "Frames that slow peers did not take in time.", registry=self.registry
        )
        self.refused = self._counter("coseal_links_refused", "Connections that did not become a link.")
        self.malformed = Counter(
            "coseal_frames_malformed", "Frames that are none of ours.", ["peer"], registry=self.registry
        )

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

    def _histogram(self, name: str, text: str) -> Histogram:
        return Histogram(name, text, buckets=_SECONDS, registry=self.registry)


class _StatusCollector(Collector):
    def __init__(self, status: Callable[[], NodeStatus]) -> None:
        self._status = status

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        status = self._status()
        for name, text, value in (
            ("coseal_height", "Height of the committed state.", status.height),
            ("coseal_block_time_seconds", "Time of the last block.", status.time_ms / 1000),
            ("coseal_round", "Round of the height being decided.", status.round),
            ("coseal_epoch", "Epoch of the validators.", status.epoch),
            ("coseal_validators", "Validators of the next height.", status.validators),
            ("coseal_quorum", "Votes that make a certificate.", status.quorum),
            ("coseal_voting", "Whether this node may sign.", int(status.voting)),
            ("coseal_syncing", "Whether this node is catching up.", int(status.syncing)),
            ("coseal_healthy", "Whether a block can commit here.", int(status.healthy)),
            ("coseal_mempool_transactions", "Pending transactions.", status.mempool_transactions),
            ("coseal_mempool_bytes", "Bytes of pending transactions.", status.mempool_bytes),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        connected = GaugeMetricFamily("coseal_peer_connected", "Whether the link is up.", labels=["peer"])
        height = GaugeMetricFamily("coseal_peer_height", "Highest tip the peer has proven.", labels=["peer"])
        for peer in status.peers:
            connected.add_metric([peer.node], int(peer.connected))
            height.add_metric([peer.node], peer.height)
        proofs = GaugeMetricFamily(
            "coseal_evidence_proofs", "Proofs on the chain that a validator contradicted itself.", labels=["validator"]
        )
        for validator, count in status.evidence.items():
            proofs.add_metric([validator], count)
        yield from (connected, height, proofs)
        counters = CounterMetricFamily("coseal_machine_events", "Refusals, accusations and others.", labels=["code"])
        for code, count in status.counters.items():
            counters.add_metric([code], count)
        yield counters
