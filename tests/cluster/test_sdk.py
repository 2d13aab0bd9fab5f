"""The library on four real nodes: its docstrings and examples run as they stand, and nodes die in between."""

from __future__ import annotations

import asyncio
import csv
import doctest
import importlib
import importlib.util
import json
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import coseal
from coseal.client import supervision
from coseal.network.processes import token_for
from tests.cluster.network import Cluster
from tests.coseal.streams.conftest import Hook
from tests.reference import reference

pytestmark = pytest.mark.cluster

EXAMPLES = Path(__file__).parents[2] / "examples"
ORDERS = {"id": "orders", "version": 1, "title": "Orders", "object_types": {"order": {}}, "event_types": {"pay": {}}}


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster.make(tmp_path_factory.mktemp("sdk"))
    try:
        cluster.start()
        cluster.wait_height(1, seconds=120)
        with connect(cluster, "regulator") as client:
            client.submit("process", "define_type", ORDERS).require_ok()
            source = {"id": "orders", "process_type": "orders", "mode": "historical"}
            client.submit("process", "register_source", source).require_ok()
        yield cluster
    finally:
        cluster.close()


def urls(net: Cluster, first: str = "regulator") -> list[str]:
    return [net.entry(name).url for name in sorted(net.names, key=lambda name: name != first)]


def connect(net: Cluster, member: str, nodes: list[str] | None = None, token: str | None = None) -> coseal.Client:
    key = net.net.key_path(f"{member}/admin")
    return coseal.connect(nodes or urls(net, member), key=key, genesis=net.net.genesis_path, token=token)


def pays(count: int, first: int = 1) -> list[dict[str, Any]]:
    at = "2026-01-05T10:00:00+08:00"
    numbers = range(first, first + count)
    return [{"event": f"e{n}", "type": "pay", "time": at, "objects": [["order", f"o{n % 97}"]]} for n in numbers]


def example(name: str) -> ModuleType:
    path = EXAMPLES / "sdk" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"sdk_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_examples_in_docstrings_are_true(net: Cluster) -> None:
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    with connect(net, "regulator", [net.entry("regulator").url], token_for(net.entry("regulator"))) as client:
        known = {
            "asyncio": asyncio,
            "client": client,
            "coseal": coseal,
            "genesis": net.net.genesis_path,
            "key": net.net.key_path("regulator/admin"),
            "url": net.entry("regulator").url,
        }
        raised = {"id": "raise-the-version", "kind": "protocol_version", "subject": {"version": 2, "height": 1_000_000}}
        client.submit("governance", "propose", raised).require_ok()
        client.submit("governance", "withdraw", {"proposal": raised["id"], "reason": "It is early"}).require_ok()
        with connect(net, "central-bank") as central:
            central.submit("currency", "admit_institution", {"member": "bank-a"}).require_ok()
        ran = 0
        for name in ("blocking", "connection", "offline", "money"):
            module = importlib.import_module(f"coseal.client.{name}")
            for one in finder.find(module, f"coseal.client.{name}", extraglobs=known):
                ran += bool(one.examples)
                runner.run(one)
    assert ran >= 10
    assert runner.summarize().failed == 0


def test_a_node_that_dies_in_the_middle_loses_nothing_and_doubles_nothing(net: Cluster) -> None:
    killed: list[str] = []

    def kill(done: int, total: int) -> None:
        if done >= 500 and not killed:
            killed.append("enterprise-a")
            net.kill("enterprise-a")

    with connect(net, "enterprise-a") as client:
        source = {"id": "pays", "process_type": "orders", "mode": "historical"}
        client.submit("process", "register_source", source).require_ok()
        recorded = client.record(pays(3_000), source="pays", sequence=1, batch_items=100, progress=kill)
        assert killed
        assert (recorded.added, recorded.sequence) == (3_000, 3_000)
        assert client.url != net.entry("enterprise-a").url
        again = client.record(pays(3_001), source="pays", sequence=1)
        assert (again.before, again.added, again.sequence) == (3_000, 1, 3_001)
        counted = Counter(
            item["event"]
            for event in client.stream(start=1, contract="process", follow=False)
            if event.data["action"] == "record" and event.data["receipt"]["ok"]
            for item in event.data["args"]["items"]
            if event.data["args"]["source"] == "pays"
        )
        assert counted == Counter(item["event"] for item in pays(3_001))
        history = client.history("orders", "order", "o1")
        assert len([source for source, _, _ in history.items if source == "enterprise-a/pays"]) == 31
    net.start("enterprise-a")
    net.wait_one_tip()


def test_with_one_node_alone_it_waits_for_it_to_come_back(net: Cluster) -> None:
    with connect(net, "bank-a", [net.entry("bank-a").url]) as client:
        source = {"id": "alone", "process_type": "orders", "mode": "historical"}
        client.submit("process", "register_source", source).require_ok()
        transaction = client.sign("membership", "set_profile", {"description": "alone"})
        back = threading.Timer(1.0, net.start, ["bank-a"])

        def restart(done: int, total: int) -> None:
            if done >= 200 and back.ident is None:
                net.kill("bank-a")
                back.start()

        assert client.record(pays(1_000), source="alone", sequence=1, batch_items=50, progress=restart).added == 1_000
        assert client.commit(transaction).ok
    back.join()
    net.wait_one_tip()


def test_a_stream_goes_on_at_another_node(net: Cluster) -> None:
    with connect(net, "central-bank") as client, connect(net, "regulator") as writer:
        start = writer.submit("membership", "set_profile", {"description": "before"}).height
        events = client.stream(start=start, contract="membership")
        seen = [next(events).data["args"]["description"]]
        net.kill("central-bank")
        for number in range(3):
            writer.submit("membership", "set_profile", {"description": str(number)}).require_ok()
        seen += [next(events).data["args"]["description"] for _ in range(3)]
        events.close()
    assert seen == ["before", "0", "1", "2"]
    net.start("central-bank")
    net.wait_one_tip()


def test_a_stream_out_goes_on_at_another_node(net: Cluster, tmp_path: Path) -> None:
    nodes = [word for url in urls(net, "bank-a")[:2] for word in ("--url", url)]
    words = ["webhook", "--mode", "batch", "--cursor", str(tmp_path / "c"), "--from", "tip", "--json"]
    access = [*nodes, "--genesis", str(net.net.genesis_path), "--type", "coseal.process.event"]
    with closing(Hook()) as hook, connect(net, "enterprise-a") as client:
        command = [sys.executable, "-m", "coseal", "stream", *words, hook.url, *access]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            try:
                assert process.stdout is not None
                assert json.loads(process.stdout.readline())["what"] == "started"
                source = {"id": "out", "process_type": "orders", "mode": "historical"}
                client.submit("process", "register_source", source).require_ok()
                client.record(pays(200), source="out", sequence=1)
                net.kill("bank-a")
                client.record(pays(200, first=201), source="out", sequence=201)

                def received() -> list[str]:
                    return [one["data"]["item"]["event"] for _, body in list(hook.requests) for one in json.loads(body)]

                net.wait(lambda: len(received()) >= 400, "all events at the receiver", 120)
                process.send_signal(signal.SIGTERM)
                assert process.wait(60) == 0
                assert received() == [item["event"] for item in pays(400)]
            finally:
                process.kill()
    net.start("bank-a")
    net.wait_one_tip()


def test_an_erp_a_bank_and_a_regulator_work_together_and_a_researcher_reads(net: Cluster, tmp_path: Path) -> None:
    erp, bank, regulator, researcher = map(
        example, ("erp_export", "bank_attests", "regulator_answers", "researcher_exports")
    )
    adopt(net, erp)
    database = tmp_path / "erp.sqlite"
    fill(database, [("C1", 10_000, 30), ("C2", 20_000, 9_000)])
    with connect(net, "enterprise-a") as client:
        assert erp.export(client, database) == 2
        assert erp.export(client, database) == 0
        fill(database, [("C3", 30_000, 60)])
        assert erp.export(client, database) == 1

    said = asyncio.run(attested(net, bank, {"C1": 10_000, "C2": 99, "C3": 30_000}, None))
    assert [text for _, text in said if text] == ["erp-1: confirm", "erp-2: dispute", "erp-3: confirm"]
    half = next(place for place, text in said if text == "erp-2: dispute")
    again = asyncio.run(attested(net, bank, {"C1": 10_000, "C2": 99, "C3": 30_000}, half))
    assert [text for _, text in again if text] == ["erp-3: confirm"]  # made already, and no error

    with connect(net, "regulator") as client, connect(net, "enterprise-a") as firm:
        (finding,) = await_index(client, net)
        reads = lambda proven: ("dismissed", proven["trail"][-1]["response"])  # noqa: E731
        assert regulator.answer(client, reads) == [(finding, "acknowledge")]
        assert await_step(regulator, client, reads) == [(finding, "inquire")]
        supervision.step(firm, "respond", finding, response="A typing error").require_ok()
        assert await_step(regulator, client, reads) == [(finding, "decide")]
        assert supervision.finding(client, finding)["finding"]["status"] == "closed"

    url, genesis = net.entry("regulator").url, net.net.genesis_path
    assert researcher.main(url, str(genesis), "receivables", str(tmp_path / "out")) == 0
    with open(tmp_path / "out" / "receivables.csv", newline="") as file:
        assert [row["case"] for row in csv.DictReader(file)] == ["C1", "C2", "C3"]
    assert len(researcher.table(url, genesis, "receivables")) == 3
    require_ocel(tmp_path / "out" / "receivables.json")


def adopt(net: Cluster, erp: ModuleType) -> None:
    """Define what the ERP records, and adopt the one rule about terms."""
    with connect(net, "enterprise-a") as client:
        erp.register(client)
        erp.register(client)
    rules = json.loads((EXAMPLES / "rules" / "receivables.json").read_text())
    rules = [rule for rule in rules if rule["id"] == "RC-TERM-MAX"]
    with connect(net, "regulator") as client:
        ballot = supervision.propose(client, rules).require_ok().receipt.data["ballot"]
    for member in ("regulator", "central-bank", "bank-a"):
        with connect(net, member) as client:
            supervision.vote(client, ballot, "yes").require_ok()


def fill(database: Path, certificates: list[tuple[str, int, int]]) -> None:
    """Let the ERP issue certificates: name, amount in cents, days to payment."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS outbox"
            " (number INTEGER PRIMARY KEY, type TEXT, at TEXT, certificate TEXT, amount INTEGER, due TEXT)"
        )
        for name, amount, days in certificates:
            now = datetime.now(UTC)
            at, due = (time.isoformat(timespec="milliseconds") for time in (now, now + timedelta(days=days)))
            row = ("Certificate issued", at, name, amount, due)
            connection.execute("INSERT INTO outbox (type, at, certificate, amount, due) VALUES (?, ?, ?, ?, ?)", row)


async def attested(net: Cluster, bank: ModuleType, books: dict[str, int], after: str | None) -> list[tuple[str, str]]:
    options = {"key": net.net.key_path("bank-a/admin"), "genesis": net.net.genesis_path}
    async with await coseal.connect_async(urls(net, "bank-a"), **options) as client:
        return [told async for told in bank.attest(client, books, after, follow=False)]


def await_index(client: coseal.Client, net: Cluster) -> list[str]:
    """Return the findings that wait for the supervisor, once the index has them."""
    deadline = time.monotonic() + 30
    while not (found := [row["id"] for row in client.findings(awaits="supervisor")]):
        assert time.monotonic() < deadline, net.logs()
        time.sleep(0.05)
    return found


def await_step(regulator: ModuleType, client: coseal.Client, reads: Any) -> list[tuple[str, str]]:
    """Return the next step taken, once the index shows what waits."""
    deadline = time.monotonic() + 30
    while not (taken := regulator.answer(client, reads)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return taken


def require_ocel(path: Path) -> None:
    """Read the file with a process-mining tool if there is one, else check it by the published schema."""
    if importlib.util.find_spec("pm4py") is not None:
        log = importlib.import_module("pm4py").read_ocel2_json(str(path))
        assert len(log.events) == 3
        return
    if importlib.util.find_spec("r4pm") is not None and importlib.util.find_spec("polars") is not None:
        assert len(importlib.import_module("r4pm").df.import_ocel(str(path))["events"]) == 3
        return
    if importlib.util.find_spec("jsonschema") is None:
        pytest.skip("no PM4Py, and no jsonschema")
    schema = json.loads(reference("schemas", "ocel2_schema.json").read_text())
    for what in ("events", "objects"):  # the schema wants texts; logs, the published example too, hold numbers
        value = schema["properties"][what]["items"]["properties"]["attributes"]["items"]["properties"]["value"]
        value["type"] = ["string", "number", "boolean"]
    importlib.import_module("jsonschema").validate(json.loads(path.read_text()), schema)


def test_an_example_that_cannot_connect_says_what_to_do(net: Cluster, tmp_path: Path, capsys) -> None:
    erp = example("erp_export")
    key = str(net.net.key_path("enterprise-a/admin"))
    other = tmp_path / "genesis.json"
    other.write_bytes(net.genesis.raw.replace(b'"coseal-net"', b'"coseal-new"'))
    assert erp.main(net.entry("regulator").url, key, str(other), "none.sqlite") == 1
    assert "the genesis is old or was changed" in capsys.readouterr().err
    assert erp.main("http://127.0.0.1:9", key, str(net.net.genesis_path), "none.sqlite") == 2
    assert "is the network up?" in capsys.readouterr().err
    assert sys.modules.get("sdk_erp_export") is None
