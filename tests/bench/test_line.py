"""A line with a delay: every packet takes as long as it should, none is lost, and bytes come fast."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bench.delay import NETWORK
from bench.line import line
from bench.wan import hub
from tests.cluster.hosts import ip, why_not

ROUND_TRIP_MS = 40


@pytest.fixture
def namespaces() -> Iterator[list[str]]:
    """Two namespaces with a hub of so much delay between them."""
    reason = why_not() or (None if Path("/dev/net/tun").exists() else "there is no /dev/net/tun")
    if reason is not None:
        pytest.skip(reason)
    names = [f"coseal-{os.getpid()}-line{place}" for place in range(2)]
    with ExitStack() as stack:
        for name in names:
            ip("netns", "add", name)
            stack.callback(ip, "netns", "del", name)
        stack.enter_context(hub(ROUND_TRIP_MS / 2, names))
        yield names


def test_a_packet_is_held_up_for_half_a_round_trip_each_way_and_no_longer(namespaces: list[str]) -> None:
    found = line(*namespaces, f"{NETWORK}.2", 9000, sent_bytes=4_000_000)
    assert ROUND_TRIP_MS <= found["least ping ms"] <= ROUND_TRIP_MS + 5
    assert found["MB/s"] > 2  # a connection without windows that grow, a packet a round trip, would do 0.04
    for name in namespaces:
        shown = subprocess.run(["ip", "-n", name, "-j", "-s", "link", "show", "wan0"], capture_output=True, check=True)
        counted = json.loads(shown.stdout)[0]["stats64"]
        assert counted["tx"]["packets"] > 20
        assert counted["tx"]["dropped"] == counted["rx"]["dropped"] == 0
