"""Spans as the OpenTelemetry SDK gets them, and that a collector which is away costs the node nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator

import pytest

pytest.importorskip("opentelemetry.exporter.otlp.proto.http", reason="the extra trace is not installed")

from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from coseal.node.telemetry.otlp import QUEUE_MAX, Collector
from coseal.node.telemetry.tracing import Span, root_id
from tests.node.transport.test_links import free_port

TX = bytes(range(32))


def span(name: str = "vote", span_id: bytes = b"12345678") -> Span:
    return Span(name, TX, span_id, 1_000, 2_000, {"coseal.height": 7})


@pytest.fixture
def _quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_a_span_is_told_under_the_root_of_its_transactions_trace_and_the_root_under_nothing() -> None:
    exporter = InMemorySpanExporter()
    collector = Collector(exporter, "bank-a", "1.2.3")
    collector.export(span())
    collector.export(span("transaction", root_id(TX)))
    collector.close()
    vote, root = exporter.get_finished_spans()
    assert (vote.context.trace_id, vote.context.span_id) == (int.from_bytes(TX[:16]), int.from_bytes(b"12345678"))
    assert vote.parent is not None
    assert (vote.parent.trace_id, vote.parent.span_id) == (root.context.trace_id, root.context.span_id)
    assert root.parent is None
    assert (vote.start_time, vote.end_time) == (1_000, 2_000)
    assert dict(vote.attributes or {}) == {"coseal.transaction": TX.hex(), "coseal.height": 7}
    assert vote.resource.attributes["service.instance.id"] == "bank-a"


@pytest.mark.usefixtures("_quiet")
def test_a_collector_that_is_away_is_not_waited_for_and_spans_beyond_the_queue_are_lost() -> None:
    collector = Collector.at(f"http://127.0.0.1:{free_port()}/v1/traces", "bank-a", "1.2.3")
    began = time.thread_time()
    for _ in range(2 * QUEUE_MAX):
        collector.export(span())
    assert time.thread_time() - began < 10  # of this thread: it does not wait
    began = time.monotonic()
    collector.close()
    assert time.monotonic() - began < 15  # the SDK's own close would take 30
