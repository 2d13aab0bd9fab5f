"""The verdict from outside: what nodes serve at the end, against what clients were told on the way.

Law: nothing of a node is opened; everything comes over HTTP, as any member could ask for it.
"""

from __future__ import annotations

import json
import urllib.request
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from coseal.audit.audit import audit
from coseal.audit.report import Level, Verdict
from coseal.audit.sources import UrlSource
from coseal.ledger.block import CommittedBlock, Receipt
from coseal.ledger.transaction import Transaction
from simulation.history import out_of_order
from tests.cluster.clients import REGISTERS, Clients
from tests.cluster.histories import NEVER, register_fault, set_fault
from tests.cluster.network import Cluster


@dataclass(frozen=True, slots=True)
class Recorded:
    """A transaction as the chain has it."""

    transaction: Transaction
    height: int
    index: int
    ok: bool


def faults(cluster: Cluster, clients: Clients) -> list[str]:
    """Return everything that is wrong, after the network has come to rest at one height; nothing if all is well."""
    return _of_nodes(cluster) + of_clients(clients, recorded(cluster))


def _of_nodes(cluster: Cluster) -> list[str]:
    """Compare what nodes serve: the same headers, so the same roots, and a chain that a full audit confirms."""
    heads = {name: _heads(cluster, name) for name in cluster.names}
    first = cluster.names[0]
    found = [f"the headers of {name} differ from those of {first}" for name in heads if heads[name] != heads[first]]
    report = audit([UrlSource(cluster.entry(name).url, name) for name in cluster.names], cluster.genesis, Level.REPLAY)
    if report.verdict is not Verdict.OK or any(source.status != "ok" for source in report.sources):
        found.append(f"the audit says {report.verdict.value}: {report.findings} {report.sources}")
    return found


def of_clients(clients: Clients, chain: Sequence[Recorded]) -> list[str]:
    """Compare what clients were told with the chain, and with what one copy of the data could have said."""
    found = [f"{count} times a client was answered {what}" for what, count in clients.anomalies.items()]
    found += _exactly_once(clients, chain) + _reads(clients, chain)
    reasons = [register_fault(clients.writes, clients.reads), set_fault(clients.adds, clients.looks)]
    return found + [f"not linearizable: {reason}" for reason in reasons if reason is not None]


def _get(cluster: Cluster, name: str, path: str) -> Any:
    with urllib.request.urlopen(f"{cluster.entry(name).url}{path}", timeout=20) as response:
        return json.load(response)


def _heads(cluster: Cluster, name: str) -> list[Any]:
    """Return all headers of a node; certificates may differ, any quorum's will do."""
    found: list[Any] = []
    following: int | None = 1
    while following is not None:
        page = _get(cluster, name, f"/v1/headers?from={following}")
        found += [head["header"] for head in page["headers"]]
        following = page["next"]
    return found


def recorded(cluster: Cluster) -> list[Recorded]:
    """Return what clients sent, in the order of the chain; the nodes' own transactions are none of it."""
    found, name = [], cluster.names[0]
    for height in range(1, cluster.height(name) + 1):
        request = urllib.request.Request(f"{cluster.entry(name).url}/v1/blocks/{height}")
        request.add_header("Accept", "application/msgpack")
        with urllib.request.urlopen(request, timeout=20) as response:
            committed = CommittedBlock.decode(response.read())
        for index, raw in enumerate(committed.block.transactions):
            transaction = Transaction.decode(raw)
            if not transaction.sender.startswith("node:"):
                ok = Receipt.decode(committed.receipts[index + 1]).ok
                found.append(Recorded(transaction, height, index, ok))
    return found


def _exactly_once(clients: Clients, chain: Sequence[Recorded]) -> list[str]:
    found = []
    places = {item.transaction.id: (item.height, item.index) for item in chain}
    sent = {item.transaction.id for item in clients.sent}
    for tx_id, count in Counter(item.transaction.id for item in chain).items():
        if count > 1:
            found.append(f"transaction {tx_id.hex()} is in the chain {count} times")
        if tx_id not in sent:
            found.append(f"transaction {tx_id.hex()} is in the chain, and nobody sent it")
    for item in clients.sent:
        place = places.get(item.transaction.id)
        if item.place is not None and item.place != place:
            found.append(f"transaction {item.transaction.id.hex()} was acknowledged at {item.place} and is at {place}")
    found += [f"{item.transaction.id.hex()} at {item.height} was rejected" for item in chain if not item.ok]
    return found


def _reads(clients: Clients, chain: Sequence[Recorded]) -> list[str]:
    """Judge every read by the order that the chain gave the writes, and plain reads by their height and node."""
    found = []
    position, values = {"": -1}, {register: [(0, "")] for register in REGISTERS}
    for at, item in enumerate(chain):
        register = item.transaction.sender.partition("/")[0]
        if register in values and item.transaction.action == "set_profile":
            position[item.transaction.args["description"]] = at
            values[register].append((item.height, item.transaction.args["description"]))
    operations: dict[str, list[tuple[float, float, int, str]]] = defaultdict(list)
    for write in clients.writes:
        if write.value in position:
            operation = (write.invoked_s, write.returned_s, position[write.value], f"write {write.value}")
            operations[write.register].append(operation)
        elif write.returned_s < NEVER:
            found.append(f"{write.value} was acknowledged and is not in the chain")
    for read in clients.reads:
        if read.value in position:
            operation = (read.invoked_s, read.returned_s, position[read.value], f"read {read.value!r}")
            operations[read.register].append(operation)
    for plain in clients.plain:
        expected = [value for height, value in values[plain.register] if height <= plain.height][-1]
        if plain.value != expected:
            found.append(f"{plain.node} said {plain.register} is {plain.value!r} at {plain.height}, not {expected!r}")
        moment = (plain.invoked_s, plain.returned_s, plain.height, f"a read at height {plain.height}")
        operations[f"{plain.node} since it lost {plain.life} disks"].append(moment)
    for what, done in operations.items():
        reason = out_of_order(done)
        if reason is not None:
            found.append(f"{what}: {reason}")
    return found
