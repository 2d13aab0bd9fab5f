"""The figures of a stream for Prometheus.

Law: figures are read when asked for, nothing is kept twice.
"""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from coseal.errors import CosealError
from coseal.streams.delivery import Figures


class FiguresCollector(Collector):
    """Gives the figures of one delivery."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield every metric as it is now."""
        figures = self._figures
        counters = (
            ("coseal_stream_events_sent", "Events acknowledged by the receiver.", figures.sent),
            ("coseal_stream_events_left_out", "Events no filter asked for.", figures.left_out),
            ("coseal_stream_attempts_failed", "Deliveries that were not acknowledged.", figures.attempts_failed),
            ("coseal_stream_dead_letters", "Events the receiver does not take.", figures.dead_letters),
        )
        for name, told, value in counters:
            yield CounterMetricFamily(name, told, value=value)
        gauges = (
            ("coseal_stream_receiver_up", "1 if the last attempt was acknowledged.", figures.receiver_up),
            ("coseal_stream_height", "Height of the last block that is done with.", figures.height),
            ("coseal_stream_block_timestamp_seconds", "Block time of that block.", figures.time_ms / 1_000),
        )
        for name, told, gauge in gauges:
            yield GaugeMetricFamily(name, told, value=float(gauge))


def serve(figures: Figures, address: str) -> None:
    """Serve the figures at HOST:PORT until the process ends; raise ``CosealError``."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise CosealError(f"--metrics {address}: expected HOST:PORT", "such as 127.0.0.1:9109")
    registry = CollectorRegistry()
    registry.register(FiguresCollector(figures))
    try:
        start_http_server(int(port), host.strip("[]") or "127.0.0.1", registry)
    except OSError as error:
        raise CosealError(f"--metrics {address}: {error.strerror}") from None
