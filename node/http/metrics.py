"""Requests counted and timed, by route and status: labels are templates, never values of a request."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_METHODS: Final = frozenset({"GET", "HEAD", "POST"})


@dataclass(slots=True)
class _Times:
    """How often each bucket, and what is beyond the last, was hit; and the sum, in s."""

    hits: list[int] = field(default_factory=lambda: [0] * (len(_BUCKETS) + 1))
    sum_s: float = 0.0


class RequestMetrics(Collector):
    """The two metrics of the HTTP API, kept on the loop as plain numbers: a locked one costs as much as a route."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._times: dict[str, _Times] = {}
        registry.register(self)

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one request."""
        self._requests[method if method in _METHODS else "other", route, status] += 1
        times = self._times.get(route)
        if times is None:
            times = self._times[route] = _Times()
        times.hits[bisect_left(_BUCKETS, seconds)] += 1
        times.sum_s += seconds

    def collect(self) -> Iterable[Metric]:
        """Return both when asked; see ``prometheus_client``."""
        labels = ["method", "route", "status"]
        requests = CounterMetricFamily("coseal_http_requests", "HTTP requests answered", labels=labels)
        for (method, route, status), count in self._requests.items():
            requests.add_metric([method, route, str(status)], count)
        seconds = HistogramMetricFamily("coseal_http_request_seconds", "Time to answer, in s", labels=["route"])
        for route, times in self._times.items():
            bounds = [*(str(bound) for bound in _BUCKETS), "+Inf"]
            seconds.add_metric([route], list(zip(bounds, accumulate(times.hits), strict=True)), times.sum_s)
        return requests, seconds
