"""A chain on which a bit of everything happened, nodes that serve it over real HTTP, and receivers of each kind."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest

from coseal.client import supervision
from coseal.contracts.evidence import actions as evidence
from coseal.ledger.certificate import vote_preimage
from coseal.ledger.codec import encode
from coseal.streams.outgoing import Outgoing, outgoing
from tests.coseal.conftest import FakeNode
from tests.support.keys import signer

TYPE = {
    "id": "orders",
    "version": 1,
    "title": "Orders",
    "object_types": {"order": {"attributes": {"status": "string"}}, "party": {}},
    "event_types": {"pay": {"attributes": {"amount": "integer"}}},
}
RULE = {
    "id": "R-POSITIVE",
    "version": 1,
    "title": "Amounts are positive",
    "legal_basis": ["external:a law"],
    "scope": {"process_type": "orders", "object_type": "order"},
    "kind": "guard",
    "on": ["pay"],
    "assert": "e.attributes.amount > 0",
    "severity": "warning",
}
POLICY = {
    "id": "notice/1",
    "title": '供应链金融 "通知" 100 %',
    "type_document": "notice",
    "date_document": "2026-01-05",
}
RECORD = {
    "source": "gazette",
    "source_sha256": "ab" * 32,
    "instruments": [
        {"id": f"old/{n}", "title": "Old", "events": [{"action": "passed", "date": "2017"}]} for n in (1, 2)
    ],
}


def pay(event: str, amount: int, at: str = "2026-01-05T10:00:00+08:00") -> dict[str, Any]:
    objects = [["order", f"o/{event}"], ["party", "p1", "payer"]]
    return {"event": event, "type": "pay", "time": at, "objects": objects, "attributes": {"amount": amount}}


@pytest.fixture
def chain() -> FakeNode:
    """A chain on which a bit of everything happened."""
    return grown()


@pytest.fixture(scope="session")
def past() -> FakeNode:
    """The same for tests that add nothing to it."""
    return grown()


def grown() -> FakeNode:
    """Return a chain of process data, a rule with its finding, policies, evidence, and what was refused."""
    node = FakeNode()
    with node.client() as enterprise, node.client("regulator") as regulator:
        assert not regulator.submit("membership", "remove_operator", {"user": "nobody"}).ok
        enterprise.submit("process", "define_type", TYPE).require_ok()
        source = {"id": "erp", "process_type": "orders", "mode": "historical", "zone_minutes": 480}
        enterprise.submit("process", "register_source", source).require_ok()
        supervision.propose(regulator, [RULE], title="Amounts").require_ok()
        for member in ("regulator", "central-bank", "bank-a"):
            with node.client(member) as client:
                supervision.vote(client, "B1", "yes", "it is right").require_ok()
        items = [
            {"object": "o1", "type": "order"},
            pay("e1", 5),
            {"change": "o1", "type": "order", "attributes": [["status", "2026-01-05T02:00:00Z", "paid"]]},
            {"relation": ["order", "o1"], "to": ["party", "p1"]},
            pay("e2", -5, "2026-01-05 10:00:00"),
        ]
        record(node, 1, items)
        assert not enterprise.submit("process", "record", {"source": "erp", "sequence": 1, "items": items}).ok
        regulator.submit("policy", "publish", POLICY).require_ok()
        regulator.submit("policy", "record", RECORD).require_ok()
        regulator.submit("evidence", "report", contradiction(node)).require_ok()
    return node


def record(node: FakeNode, sequence: int, items: list[dict[str, Any]]) -> None:
    with node.client() as client:
        client.submit("process", "record", {"source": "erp", "sequence": sequence, "items": items}).require_ok()


def contradiction(node: FakeNode) -> dict[str, Any]:
    """Two votes of bank-a for one place."""

    def half(digest: str) -> dict[str, str]:
        signed = vote_preimage(node.genesis.chain_id, 0, 1, 0, evidence.PHASES["prepare"], bytes.fromhex(digest))
        return {"hash": digest, "signature": signer("node:bank-a").sign(signed).hex()}

    place = {"validator": "bank-a", "height": 1, "round": 0, "phase": "prepare"}
    return {**place, "first": half("11" * 32), "second": half("22" * 32)}


def events_of(node: FakeNode) -> list[Outgoing]:
    return [event for block in node.blocks for event in outgoing(block)]


def ids_of(node: FakeNode) -> list[str]:
    return [event.id for event in events_of(node)]


class Hosts(httpx.AsyncBaseTransport):
    """Answers for hosts as the node does; those in ``down`` refuse, those in ``kept_from`` pruned what is below."""

    def __init__(self, node: FakeNode) -> None:
        self.node = node
        self.asked: list[str] = []
        self.down: set[str] = set()
        self.kept_from: dict[str, int] = {}
        self.forged: dict[int, bytes] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)
        host = request.url.host
        self.asked.append(host)
        if host in self.down:
            raise httpx.ConnectError("refused", request=request)
        return self.answer(request)

    def answer(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/v1/blocks":
            first = int(request.url.params["from"])
            if first < self.kept_from.get(request.url.host, 0):
                problem = {"code": "pruned", "detail": "not kept here", "first_height": 3}
                return httpx.Response(410, json=problem)
            if self.forged:
                blocks = self.node.blocks[first - 1 : first + 99]
                return httpx.Response(
                    200, content=encode([self.forged.get(one.block.header.height, one.encode()) for one in blocks])
                )
        return self.node.handle_request(request)


class Served:
    """A server of real HTTP on loopback, for as long as it is not closed; ``port`` 0 takes a free one."""

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self._thread.join(10)


class Quiet(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status: int, headers: dict[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        with contextlib.suppress(OSError):  # who asked may be gone
            self.end_headers()
            self.wfile.write(body)

    def trickle(self, status: int) -> None:
        """Begin an answer that comes byte by byte."""
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.wfile.write(b"HTTP/1.1 %d so\r\ncontent-length: 1000\r\n\r\n" % status)
            for _ in range(1_000):
                self.wfile.write(b".")
                time.sleep(0.02)


@pytest.fixture
def served_node(chain: FakeNode) -> Iterator[Served]:
    """The chain behind real HTTP; what is not there yet is waited for, for a moment."""
    lock = threading.Lock()

    class Handler(Quiet):
        def do_GET(self) -> None:
            request = httpx.Request("GET", f"http://node.test{self.path}")
            wanted = int(request.url.params.get("min_height", 0))
            end = time.monotonic() + 1
            while len(chain.blocks) < wanted and time.monotonic() < end:
                time.sleep(0.02)
            with lock:
                response = chain.handle_request(request)
            self.answer(response.status_code, {"content-type": "application/json"}, response.content)

    with closing(Served(Handler)) as served:
        yield served


class Hook:
    """A webhook over real HTTP. ``answers`` are given in turn, 204 after them: a status, one
    with headers, a time to wait, "close" or "trickle STATUS"."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[Any] = []
        self.connections = 0
        self.allow = threading.Semaphore(1_000_000)
        hook = self

        class Handler(Quiet):
            def setup(self) -> None:
                super().setup()
                hook.connections += 1

            def do_POST(self) -> None:
                body = self.body()
                if len(body) < int(self.headers.get("content-length", 0)):
                    return  # its sender was killed in the middle of it
                hook.allow.acquire(timeout=60)
                answer = hook.answers.pop(0) if hook.answers else 204
                if answer == "close":
                    self.connection.close()
                    self.close_connection = True
                    return
                if isinstance(answer, str) and answer.startswith("trickle"):
                    self.trickle(int(answer.partition(" ")[2]))
                    return
                if isinstance(answer, float):
                    time.sleep(answer)
                    answer = 204
                status, headers = answer if isinstance(answer, tuple) else (answer, {})
                if 200 <= status < 300:
                    hook.requests.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.answer(status, headers, b"so\x00 it is" if status != 204 else b"")

        self.handler = Handler
        self.served = Served(Handler)
        self.url = self.served.url

    def close(self) -> None:
        self.served.close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with closing(Hook()) as made:
        yield made
