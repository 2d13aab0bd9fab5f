"""The live view of a real network: its figures are those of the interface, and an interrupt ends it."""

from __future__ import annotations

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from coseal.cli import live_view
from coseal.network.watch import Watch
from tests.cluster.network import Cluster

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster.make(tmp_path_factory.mktemp("watched"))
    try:
        made.start()
        made.wait_height(1, seconds=120)
        yield made
    finally:
        made.close()


def figures(cluster: Cluster) -> dict[str, tuple[Any, ...]]:
    """Return of every node what its interface says of height, round, state and peers."""
    statuses = {name: cluster.get(name, "/v1/status") for name in cluster.names}
    return {
        name: (s["height"], s["round"], s["state_root"], sum(peer["connected"] for peer in s["peers"]))
        for name, s in statuses.items()
    }


def test_the_figures_are_those_of_the_interface(cluster: Cluster):
    clock = iter((0.0,))
    watch = Watch(cluster.net, clock=lambda: next(clock, 2.0))
    first = watch.look()
    answers = [cluster.submit("bank-a", cluster.transaction()) for _ in range(3)]
    cluster.wait_height(max(answer["height"] for answer in answers), seconds=120)
    happened, deadline = [], time.monotonic() + 120
    while True:  # until a look fell between two answers that say the same: then nothing moved meanwhile
        assert time.monotonic() < deadline
        before, sight, after = figures(cluster), watch.look(), figures(cluster)
        happened += [one.text for one in sight.happened]
        if before == after:
            break
    assert {node.name: (node.height, node.round, node.state_root, node.peers) for node in sight.nodes} == after
    assert first.height is not None
    assert sight.height is not None
    assert sight.height == max(height for height, *_ in after.values())
    assert sight.transactions_per_s == 1.5
    assert sight.blocks_per_s == (sight.height - first.height) / 2
    assert sum("membership.set_profile by bank-a/admin" in text for text in happened) == 3
    assert json.loads(json.dumps(live_view.document(cluster.net, sight)))["findings_open"] == 0


def test_in_a_terminal_it_draws_until_an_interrupt(cluster: Cluster):
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "LINES": "40"}
    command = [sys.executable, "-m", "coseal", "status", str(Path(cluster.net.directory)), "--watch"]
    ours_before = signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a background job ignores it, a terminal not
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment)
    signal.signal(signal.SIGINT, ours_before)
    os.close(theirs)
    try:
        shown, deadline = "", time.monotonic() + 60
        while shown.count("Ctrl-C ends this view") < 2:
            assert time.monotonic() < deadline, shown
            if select.select([ours], [], [], 1)[0]:
                shown += os.read(ours, 65_536).decode()
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if select.select([ours], [], [], 0.1)[0]:
                with suppress(OSError):  # it has closed its end
                    os.read(ours, 65_536)  # as a terminal does: who may not write cannot end
        assert process.wait(1) == 0
        assert "enterprise-a" in shown
        assert "Traceback" not in shown
    finally:
        process.kill()
        process.wait()
        os.close(ours)
