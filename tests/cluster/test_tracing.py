"""Four real nodes tell an OpenTelemetry collector of one transaction, and what they tell is one trace."""

from __future__ import annotations

import gzip
import threading
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.network import Cluster

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra trace is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


class Collector:
    """Keeps (node, span) of everything that comes by OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[tuple[str, Any]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                collector.take(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def take(self, body: bytes) -> None:
        for told in ExportTraceServiceRequest.FromString(body).resource_spans:
            of = {one.key: one.value.string_value for one in told.resource.attributes}
            spans = [span for scope in told.scope_spans for span in scope.spans]
            self.spans += [(of["service.instance.id"], span) for span in spans]

    def nodes_of(self, trace_id: bytes) -> dict[str, set[str]]:
        """Return who told of which span, by its name."""
        found: dict[str, set[str]] = defaultdict(set)
        for node, span in list(self.spans):
            if span.trace_id == trace_id:
                found[span.name].add(node)
        return found


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever)
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


def test_the_spans_of_all_nodes_join_one_trace_of_the_transaction(tmp_path: Path, collector: Collector) -> None:
    cluster = Cluster.make(tmp_path)
    try:
        environment = {"COSEAL_TRACE__ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "200"}
        cluster.settings = dict.fromkeys(cluster.names, environment)
        cluster.start()
        cluster.wait_height(1, seconds=120)
        tx = cluster.transaction(text="not to be told")
        cluster.submit("bank-a", tx)
        trace_id, root_id = tx.id[:16], tx.id[16:24]
        everyone = set(cluster.names)
        cluster.wait(lambda: collector.nodes_of(trace_id)["receipt"] == everyone, "all tell of the receipt", 120)
        cluster.wait(lambda: collector.nodes_of(trace_id)["transaction"], "the root is told", 120)
        assert cluster.stop("bank-a") == 0
    finally:
        cluster.close()
    nodes = collector.nodes_of(trace_id)
    assert nodes["transaction"] == nodes["verification"] == nodes["admission"] == {"bank-a"}
    (leader,) = nodes["proposal"]
    assert nodes["vote"] <= everyone - {leader}
    assert len(nodes["vote"]) >= 2  # with the leader a quorum; one may learn of the commit before it votes
    assert len(nodes["prepared"]) >= 2
    spans = [span for _, span in collector.spans if span.trace_id == trace_id]
    (root,) = [span for span in spans if span.name == "transaction"]
    assert (root.span_id, root.parent_span_id) == (root_id, b"")
    assert {span.parent_span_id for span in spans if span is not root} == {root_id}
    assert all(span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
    told = b"".join(span.SerializeToString() for _, span in collector.spans)
    assert [secret for secret in (b"not to be told", *cluster.secrets()) if secret in told] == []
