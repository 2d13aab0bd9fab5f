"""Spans to a collector, by OTLP over HTTP, with the OpenTelemetry SDK: the extra ``trace``.

Law: telling is never waited for. Spans queue up to a bound, in a thread of the SDK's; what does not fit is lost.
"""

from __future__ import annotations

import threading
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from coseal.node.telemetry.tracing import Span

QUEUE_MAX: Final = 8192
CLOSE_SECONDS: Final = 3.0
_TIMEOUT_SECONDS: Final = 3.0


class Collector:
    """Where spans go; ``export`` returns at once."""

    def __init__(self, exporter: SpanExporter, node_id: str, software_version: str) -> None:
        self._processor = BatchSpanProcessor(exporter, max_queue_size=QUEUE_MAX)
        self._scope = InstrumentationScope("coseal.node", software_version)
        self._resource = Resource(
            {"service.name": "coseal", "service.instance.id": node_id, "service.version": software_version}
        )

    @staticmethod
    def at(endpoint: str, node_id: str, software_version: str) -> Collector:
        """Return the collector at an OTLP endpoint (``http://HOST:4318/v1/traces``)."""
        exporter = OTLPSpanExporter(endpoint=endpoint, timeout=_TIMEOUT_SECONDS)
        return Collector(exporter, node_id, software_version)

    def export(self, span: Span) -> None:
        """Queue a span."""
        root = _context(span, span.root_id)
        is_root = span.span_id == span.root_id
        attributes = {"coseal.transaction": span.tx_id.hex(), **span.attributes}
        self._processor.on_end(
            ReadableSpan(
                span.name,
                context=_context(span, span.span_id),
                parent=None if is_root else root,
                resource=self._resource,
                attributes=attributes,
                kind=SpanKind.SERVER if is_root else SpanKind.INTERNAL,
                start_time=span.start_ns,
                end_time=span.end_ns,
                instrumentation_scope=self._scope,
            )
        )

    def close(self) -> None:
        """Send what is queued, for ``CLOSE_SECONDS`` at most: the SDK itself would wait half a minute."""
        closing = threading.Thread(target=self._processor.shutdown, name="spans", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def _context(span: Span, span_id: bytes) -> SpanContext:
    trace, one = int.from_bytes(span.trace_id), int.from_bytes(span_id)
    return SpanContext(trace, one, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
