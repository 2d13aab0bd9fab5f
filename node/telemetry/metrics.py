"""What a node measures, for Prometheus: names begin with ``coseal_``, end in their unit, counters in ``_total``.

Law: labels have few values (node ids, codes, kinds of messages), never something a client chose; what is here stands in
the table of docs/observability.md, and nothing else does. Naming: prometheus.io, "Metric and label naming".
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from coseal.node.core.events import Admission, Answer
from coseal.node.core.health import STATUS_AGE_MS_MAX, NodeStatus
from coseal.node.core.wire import ConsensusMessage, WireMessage

_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
_COMMIT_SECONDS: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
TIMED_MAX: Final = 100_000
"""Transactions whose time to commit is being taken; beyond it new ones are not timed."""

# Every counter would otherwise have a second series with the time of its making, which nobody reads.
disable_created_metrics()  # type: ignore[no-untyped-call]


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
        self.proposals = self._histogram("coseal_proposal_check_seconds", "Checking and executing one proposed block.")
        self.refused = self._counter("coseal_links_refused", "Connections that did not become a link.")
        self.malformed = Counter(
            "coseal_frames_malformed", "Frames that are none of ours.", ["peer"], registry=self.registry
        )
        self.sent = Messages("coseal_messages_sent", "Messages given to the links, a broadcast once.", self.registry)
        self.received = Messages("coseal_messages_received", "Messages that reached the machine.", self.registry)
        self.commits = CommitTimes(
            self._histogram(
                "coseal_transaction_commit_seconds",
                "From the admission of a client's transaction to its durable commit here.",
                _COMMIT_SECONDS,
            )
        )

    def observe(
        self,
        *,
        verified: Callable[[], int],
        dropped: Callable[[], int],
        unapplied: Callable[[], int],
        indexed: Callable[[], int],
        left_out: Callable[[], int],
        free_bytes: Callable[[], int],
    ) -> None:
        """Read these from the parts that count them whenever someone asks."""
        counted, gauge = CounterMetricFamily, GaugeMetricFamily
        for family, name, text, read in (
            (counted, "coseal_signatures_verified", "Transactions whose signature the verifier checked.", verified),
            (counted, "coseal_frames_dropped", "Frames that slow peers did not take in time.", dropped),
            (gauge, "coseal_state_unapplied_blocks", "Blocks that the state database has yet to take.", unapplied),
            (
                gauge,
                "coseal_index_height",
                "Height that the index of queries has reached, or the tip while it rests.",
                indexed,
            ),
            (gauge, "coseal_index_left_out", "Transactions whose rows a fault kept out of the index.", left_out),
            (gauge, "coseal_disk_free_bytes", "Free bytes of the disk with the data folder.", free_bytes),
        ):
            self.registry.register(_Reading(family, name, text, read))

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(name, text, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: Sequence[float] = _SECONDS) -> Histogram:
        return Histogram(name, text, buckets=buckets, registry=self.registry)


class Messages:
    """Counts messages by kind: the words of the class's name, ``round_change``."""

    def __init__(self, name: str, text: str, registry: CollectorRegistry) -> None:
        self._counter = Counter(name, text, ["kind"], registry=registry)
        self._by_type: dict[type, Counter] = {}

    def count(self, message: WireMessage) -> None:
        """Count one message; a consensus message by what is inside."""
        kind = type(message.message) if isinstance(message, ConsensusMessage) else type(message)
        counter = self._by_type.get(kind)
        if counter is None:
            counter = self._by_type[kind] = self._counter.labels(_words(kind.__name__))
        counter.inc()


class CommitTimes:
    """How long clients' transactions take from admission to the durable commit; ``TIMED_MAX`` at a time."""

    def __init__(self, seconds: Histogram) -> None:
        self._seconds = seconds
        self._since: dict[bytes, float] = {}

    def answered(self, answers: Iterable[Answer]) -> None:
        """The machine said what becomes of clients' transactions: those that are new to it are timed."""
        now = time.perf_counter()
        for answer in answers:
            if answer.admission is Admission.ACCEPTED and len(self._since) < TIMED_MAX:
                self._since[answer.tx_id] = now

    def committed(self, tx_ids: Iterable[bytes]) -> None:
        """A block with these is durable; those of other nodes' clients are not timed here."""
        if not self._since:
            return
        now = time.perf_counter()
        for tx_id in tx_ids:
            since = self._since.pop(tx_id, None)
            if since is not None:
                self._seconds.observe(now - since)

    def dropped(self, tx_id: bytes) -> None:
        """A transaction will not commit."""
        self._since.pop(tx_id, None)


def _words(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class _Reading(Collector):
    """One number that another part of the node keeps."""

    def __init__(self, family: Callable[..., Metric], name: str, text: str, read: Callable[[], int]) -> None:
        self._family, self._name, self._text, self._read = family, name, text, read

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        yield self._family(self._name, self._text, value=self._read())


class _StatusCollector(Collector):
    def __init__(self, status: Callable[[], NodeStatus]) -> None:
        self._status = status

    def describe(self) -> Iterable[Metric]:
        return ()

    def collect(self) -> Iterable[Metric]:
        status = self._status()
        for name, text, value in (
            ("coseal_height", "Height of the committed state.", status.height),
            ("coseal_block_timestamp_seconds", "Time of the last block, since the epoch.", status.time_ms / 1000),
            ("coseal_round", "Round of the height being decided.", status.round),
            ("coseal_epoch", "Epoch of the validators.", status.epoch),
            ("coseal_validators", "Validators of the next height.", status.validators),
            ("coseal_quorum", "Votes that make a certificate.", status.quorum),
            ("coseal_validators_reachable", "Validators heard of lately, this node with them.", _reachable(status)),
            ("coseal_validator_seat", "Whether this node is a validator.", int(status.kind == "validator")),
            ("coseal_voting", "Whether this node may sign.", int(status.voting)),
            ("coseal_syncing", "Whether this node is catching up.", int(status.syncing)),
            ("coseal_healthy", "Whether a block can commit here.", int(status.healthy)),
            ("coseal_protocol_version", "Version of the rules in force.", status.protocol_version),
            ("coseal_release_needed", "Whether rules to come will stop this node.", int(_needs_release(status))),
            ("coseal_version_missing", "Validators that an accepted version waits for.", _missing(status)),
            ("coseal_contract_faults", "Exceptions of contracts contained since the start.", status.faults),
            (
                "coseal_contracts_missing",
                "Contracts in force or accepted that are not here.",
                _contracts_missing(status),
            ),
            ("coseal_aside", "Due things that were set aside and are still to be done.", status.aside),
            ("coseal_mempool_transactions", "Pending transactions.", status.mempool_transactions),
            ("coseal_mempool_bytes", "Bytes of pending transactions.", status.mempool_bytes),
            ("coseal_sidecars_live", "Sidecars that the state lists as live.", status.sidecars.live),
            ("coseal_sidecars_missing", "Live sidecars that are not here.", status.sidecars.missing),
        ):
            yield GaugeMetricFamily(name, text, value=value)
        build = GaugeMetricFamily("coseal_build_info", "1, with the software's version.", labels=["version"])
        build.add_metric([str(status.software_version)], 1)
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
        steps = GaugeMetricFamily("coseal_member_steps", "What a member's transactions took lately.", labels=["member"])
        for member, count in status.member_steps.items():
            steps.add_metric([member], count)
        yield from (build, connected, height, proofs, steps)
        counters = CounterMetricFamily("coseal_machine_events", "Refusals, accusations and others.", labels=["code"])
        for code, count in status.counters.items():
            counters.add_metric([code], count)
        yield counters


def _reachable(status: NodeStatus) -> int:
    """Count as ``why_stalled`` does."""
    heard = (peer.age_ms is not None and peer.age_ms <= STATUS_AGE_MS_MAX for peer in status.peers if peer.validator)
    return int(status.kind == "validator" and status.voting) + sum(heard)


def _needs_release(status: NodeStatus) -> bool:
    upgrade = status.upgrade
    return upgrade is not None and upgrade.first_height is not None and not upgrade.known


def _contracts_missing(status: NodeStatus) -> int:
    return sum(not contract["known"] for contract in status.contracts)


def _missing(status: NodeStatus) -> int:
    upgrade = status.upgrade
    return 0 if upgrade is None else max(0, upgrade.needed - len(upgrade.having))
