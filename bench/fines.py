"""The shipped log of traffic fines, recorded with ten rules in force: the seven of its own and three more.

Every run records the same log anew, under other names, so that runs are alike; each case is whole in one source.
"""

from __future__ import annotations

import json
import time
from functools import cache
from typing import Any

import uvloop

from bench.figures import Run
from bench.network import Network
from bench.rows import BATCH, send, sources
from bench.work import MEMBER, submit, transaction
from coseal.demo.examples import example
from coseal.formats.importers.log import Log
from coseal.formats.importers.mapping import load_mapping
from coseal.formats.importers.reader import read_log

CLIENTS = 16
EVENTS = 34_724
FILE, MAP = "traffic-fines/traffic-fines.csv.gz", "traffic-fines/traffic-fines.toml"
_VOTERS = ("regulator", "central-bank", "bank-a")
_SCOPE = {"process_type": "traffic-fines", "object_type": "fine"}
_HEAD = {"version": 1, "legal_basis": ["external:for measurements"], "effect": "flag", "scope": _SCOPE}
MORE_RULES: list[dict[str, Any]] = [
    {"id": "BENCH-ONCE", "kind": "declare", "template": "absence", "a": "Create Fine", "n": 2, **_HEAD},
    {"id": "BENCH-SHAPE", "kind": "shape", "on": ["Payment"], "schema": {"required": ["paymentamount"]}, **_HEAD},
    {
        "id": "BENCH-GUARD",
        "kind": "guard",
        "on": ["Create Fine"],
        "assert": "decimal(e.attributes.amount, 2) <= 10000000",
        **_HEAD,
    },
]


@cache
def read() -> Log:
    """Read the log as ``coseal import`` does."""
    return read_log(example(FILE), load_mapping(example(MAP), example(FILE), None), None)


@cache
def adopt(network: Network) -> None:
    """Define the log's process type and bring the ten rules into force by ballot; once a network."""
    rules = json.loads(example("rules/traffic-fines.json").read_text("utf-8")) + MORE_RULES
    for raw in (
        transaction(network, "process", "define_type", read().definition),
        transaction(network, "supervision", "propose_rules", {"rules": rules}, "regulator"),
        *(transaction(network, "supervision", "vote", {"ballot": "B1", "choice": "yes"}, who) for who in _VOTERS),
    ):
        uvloop.run(submit(network.urls[0], [raw]))


def imported(network: Network) -> Run:
    """Record the log with ``coseal import``, as a user does: reading, checks, signing, commits."""
    adopt(network)
    started = time.perf_counter()
    options = ["--map", str(example(MAP)), "--as", MEMBER, "--dir", str(network.directory)]
    network.coseal("import", str(example(FILE)), *options, timeout_s=300)
    return {"events/s": EVENTS / (time.perf_counter() - started)}


def recorded(network: Network, events: int, *, batch: int = BATCH) -> Run:
    """Record the first ``events`` of the log in batches, from 16 clients over all nodes, under the ten rules."""
    adopt(network)
    log = read()
    chosen = list(sources(CLIENTS))
    shares: dict[str, list[dict[str, Any]]] = {f"fines-{source}": [] for source in chosen}
    for item in log.items[:events]:
        (((kind, case, *_),),) = (item["objects"],)
        source = f"fines-{chosen[int.from_bytes(case.encode()) % CLIENTS]}"
        shares[source].append({**item, "event": f"{source}-{item['event']}", "objects": [[kind, f"{source}-{case}"]]})
    registered = [
        transaction(network, "process", "register_source", {**log.source, "id": source}, MEMBER) for source in shares
    ]
    uvloop.run(submit(network.urls[0], registered))
    work = [
        [
            transaction(
                network, "process", "record", {"source": source, "sequence": 1 + at, "items": items[at : at + batch]}
            )
            for at in range(0, len(items), batch)
        ]
        for source, items in shares.items()
    ]
    figures = dict(send(network, network.urls, work))
    sent = sum(map(len, shares.values())) / sum(map(len, work))
    cpu_us = figures.pop("CPU ms a transaction and node") / sent * 1000
    rate, by_cpu = figures.pop("transactions/s") * sent, figures.pop("transactions/s by CPU") * sent
    return {"events/s": rate, "events/s by CPU": by_cpu, "CPU us an event and node": cpu_us, **figures}
