"""`coseal stream` as processes: killed, ended by a signal, restarted; what it prints, serves and exits with."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from coseal.cli import app
from coseal.streams.cursor import Cursor
from tests.cluster.network import reserve_ports
from tests.coseal.conftest import FakeNode
from tests.coseal.streams.conftest import Hook, Served, ids_of, pay, record

GUIDE = Path(__file__).parents[3] / "docs" / "streams.md"


class Commands:
    """`coseal stream` on a served chain: here, or as a process, which is killed at the end if it still runs."""

    def __init__(self, node: Served, chain: FakeNode, folder: Path) -> None:
        self.node, self.chain, self.folder = node, chain, folder
        self.genesis = folder / "genesis.json"
        self.genesis.write_bytes(chain.genesis.raw)
        self.processes: list[subprocess.Popen[str]] = []

    def words(self, *words: str) -> list[str]:
        access = ["--url", self.node.url, "--genesis", str(self.genesis), "--dir", str(self.folder / "none")]
        return ["stream", *words, *access]

    def run(self, *words: str) -> Any:
        return CliRunner().invoke(app, self.words(*words))

    def start(self, *words: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "coseal", *self.words(*words)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=self.folder)
        self.processes.append(process)
        return process

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait(60)
            if process.stdout is not None:
                process.stdout.close()

    def cursor(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads((self.folder / "c").read_text())
        return document


@pytest.fixture
def commands(
    served_node: Served, chain: FakeNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Commands]:
    monkeypatch.chdir(tmp_path)
    made = Commands(served_node, chain, tmp_path)
    yield made
    made.close()


def wait(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def received(hook: Hook) -> list[str]:
    """Return the ids a webhook acknowledged, those that came again left out."""
    return list(dict.fromkeys(json.loads(body)["id"] for _, body in list(hook.requests)))


def figures(port: int) -> dict[str, float]:
    """Return what is served for Prometheus."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=60) as answer:
        lines = [line for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(value) for name, value in (line.split() for line in lines)}


@pytest.fixture
def port() -> Iterator[int]:
    found, lock = reserve_ports(1)
    yield found
    os.close(lock)


def test_a_stream_that_is_killed_and_a_receiver_that_goes_away_lose_nothing(
    commands: Commands, hook: Hook, port: int
) -> None:
    words = ("webhook", hook.url, "--cursor", "c", "--json")
    whole = ids_of(commands.chain)
    hook.answers = [204, 204, "close", 500, 204, 503, 204]
    first = commands.start(*words)
    wait(lambda: len(received(hook)) >= 5)
    first.kill()
    told, _ = first.communicate()
    away = [facts for facts in map(json.loads, told.splitlines()) if facts["what"] == "receiver_away"]
    assert [facts["event"] for facts in away][:2] == [whole[2], whole[2]]
    record(commands.chain, 6, [pay("e6", 1)])
    second = commands.start(*words, "--metrics", f"127.0.0.1:{port}")
    wait(lambda: received(hook) == ids_of(commands.chain))
    record(commands.chain, 7, [pay("e7", 1)])
    wait(lambda: received(hook) == ids_of(commands.chain))
    wait(lambda: figures(port)["coseal_stream_height"] == 14)
    found = figures(port)
    second.send_signal(signal.SIGTERM)
    told, _ = second.communicate(timeout=60)
    assert second.returncode == 0
    assert json.loads(told.splitlines()[-1])["what"] == "ended"
    assert set(found) <= set(GUIDE.read_text().split("`"))
    assert found["coseal_stream_receiver_up"] == 1
    tip = commands.chain.blocks[-1].block
    assert found["coseal_stream_block_timestamp_seconds"] == tip.header.time_ms / 1_000
    assert (commands.cursor()["height"], commands.cursor()["after"]) == (tip.header.height + 1, None)
    hook.requests.clear()
    assert commands.run(*words, "--until-tip").exit_code == 0
    assert hook.requests == []


def test_what_it_prints_for_people_and_for_programs(commands: Commands) -> None:
    people = commands.run("print", "--until-tip", "--type", "coseal.finding.*")
    assert people.exit_code == 0
    assert people.stdout.split()[1:] == ["8:0:1", "coseal.finding.raised", "order/o/e2", "warning"]
    programs = commands.run("print", "--until-tip", "--json", "--from", "10", "--cursor", "c")
    events = [json.loads(line) for line in programs.stdout.splitlines()]
    assert [event["id"] for event in events] == ["10:0", "11:0", "11:0.0", "11:0.1", "12:0"]
    assert events[0]["ledgerverified"] == "certificate"
    assert commands.run("print", "--until-tip", "--cursor", "c").stdout == ""


def test_dead_letters_are_told_by_the_exit_code_too(commands: Commands, hook: Hook) -> None:
    words = ("webhook", hook.url, "--cursor", "c", "--until-tip")
    hook.answers = [422]
    ended = commands.run(*words)
    assert ended.exit_code == 1
    assert "does not take event 2:0 (coseal.process.define_type): it answered 422: so it is" in ended.stderr
    assert "--dead-letters FILE" in ended.stderr
    hook.answers = [422]
    kept = commands.run(*words, "--dead-letters", "dead")
    assert kept.exit_code == 1
    assert "event 2:0 (coseal.process.define_type) was not taken and is in the dead letters" in kept.stdout
    assert f"ended, up to block 12: {len(ids_of(commands.chain)) - 1} sent, 0 left out, 1 dead letters" in kept.stdout
    assert json.loads((commands.folder / "dead").read_text())["event"]["id"] == "2:0"
    assert received(hook) == ids_of(commands.chain)[1:]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("webhook", "http://127.0.0.1:1", "--cursor", "c", "--from", "0"), 2, "expected a height from 1 on, or tip"),
        (("webhook", "http://erp.example", "--cursor", "c"), 2, "in the clear"),
        (("webhook", "http://127.0.0.1:1"), 2, "--cursor"),
        (("webhook", "http://127.0.0.1:1", "--cursor", "c", "--severity", "grave"), 2, "no severity"),
        (("webhook", "http://127.0.0.1:1", "--cursor", "c", "--secret-file", "genesis.json/x"), 2, "genesis.json/x"),
        (("webhook", "http://127.0.0.1:1", "--cursor", "c", "--secret-file", "short"), 2, "openssl rand -hex 32"),
        (("webhook", "http://127.0.0.1:1", "--cursor", "c", "--metrics", "9109"), 2, "expected HOST:PORT"),
        (("webhook", "http://127.0.0.1:1", "--cursor", "bad"), 2, "bad is no JSON"),
        (("webhook", "http://127.0.0.1:1", "--cursor", "c", "--give-up-after", "0"), 2, "acknowledged nothing"),
        (("nats", "http://127.0.0.1:1", "--cursor", "c"), 2, "expected nats://HOST:PORT"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(commands: Commands, words: tuple[str, ...], code: int, said: str) -> None:
    (commands.folder / "short").write_text("too short\n")
    (commands.folder / "bad").write_text("{")
    ended = commands.run(*words)
    assert (ended.exit_code, said in " ".join(ended.stderr.split())) == (code, True), ended.stderr
    assert "Traceback" not in ended.stderr


def test_two_streams_do_not_share_a_cursor(commands: Commands, hook: Hook) -> None:
    held = Cursor(Path("c"), chain_id=commands.chain.genesis.chain_id.hex(), to=f"{hook.url}/")
    with closing(held):
        other = commands.run("webhook", hook.url, "--cursor", "c", "--until-tip")
    assert other.exit_code == 2
    assert "c is in use by another process" in other.stderr
    assert hook.requests == []


def test_the_options_that_the_guide_and_the_service_unit_name_exist() -> None:
    group = typer.main.get_command(app).commands["stream"]
    known = {name for command in group.commands.values() for param in command.params for name in param.opts}
    unit = (GUIDE.parents[1] / "deploy" / "systemd" / "coseal-stream@.service").read_text()
    text = GUIDE.read_text().replace("systemctl enable --now", "") + unit
    named = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", text))
    assert {"--cursor", "--url", "--genesis", "--metrics", "--dead-letters"} <= named <= known
    assert "coseal stream $TARGET --cursor" in unit
