"""NATS JetStream, the real server: each event stored once and in order, whatever is restarted meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeVar

import nats
import pytest
from nats.js.api import StreamConfig

from coseal.errors import CosealError
from coseal.streams.delivery import Away, NotTaken
from coseal.streams.jetstream import JetStream, Options
from coseal.streams.outgoing import STRUCTURED, Outgoing
from tests.cluster.network import reserve_ports
from tests.coseal.streams.conftest import events_of, grown, pay, record

NATS_SERVER = shutil.which("nats-server", path=f"{os.environ['PATH']}:/usr/sbin")
pytestmark = pytest.mark.skipif(NATS_SERVER is None, reason="no nats-server; apt-get install nats-server")

T = TypeVar("T")


class Server:
    """A NATS server with JetStream in a folder, on a port of its own."""

    def __init__(self, folder: Path, **more: str) -> None:
        self.port, self._lock = reserve_ports(1)
        self.url = f"nats://127.0.0.1:{self.port}"
        self.config = folder / "nats.conf"
        settings = {"host": "127.0.0.1", "port": str(self.port), "jetstream": f'{{ store_dir: "{folder}/js" }}', **more}
        self.config.write_text("".join(f"{name}: {value}\n" for name, value in settings.items()))
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        assert NATS_SERVER is not None
        log = self.config.with_name("nats.log")
        self.process = subprocess.Popen([NATS_SERVER, "-c", str(self.config), "-l", str(log)])
        deadline = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=5) as client:
                    assert client.recv(4) == b"INFO"
                    return
            except OSError:
                assert self.process.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.02)

    def stop(self, number: int = signal.SIGKILL) -> None:
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(30)
            self.process = None

    def close(self) -> None:
        self.stop()
        os.close(self._lock)

    def ask(self, question: Callable[[Any], Awaitable[T]]) -> T:
        """Return what a client of its own comes to."""

        async def run() -> T:
            client = await nats.connect(self.url, allow_reconnect=False)
            try:
                return await question(client.jetstream(timeout=30))
            finally:
                await client.close()

        return asyncio.run(run())

    def stored(self, stream: str = "COSEAL") -> list[tuple[str, dict[str, Any]]]:
        """Return subject and event of every message of a stream, in its order."""

        async def read(js: Any) -> list[tuple[str, dict[str, Any]]]:
            state = (await js.stream_info(stream)).state
            if not state.messages:
                return []
            messages = [await js.get_msg(stream, seq) for seq in range(state.first_seq, state.last_seq + 1)]
            assert {message.headers["content-type"] for message in messages} <= {"application/cloudevents+json"}
            return [(message.subject, json.loads(message.data)) for message in messages]

        return self.ask(read)

    def ids(self) -> list[str]:
        return [event["id"] for _, event in self.stored()]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("nats"))
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def empty(server: Server) -> Server:
    """The server without a stream."""

    async def clear(js: Any) -> None:
        for stream in await js.streams_info():
            await js.delete_stream(stream.config.name)

    server.ask(clear)
    return server


@pytest.fixture(scope="module")
def events() -> list[Outgoing]:
    chain = grown()
    record(chain, 6, [pay(f"n{number}", number + 1) for number in range(60)])
    return events_of(chain)


class Sender:
    """One process that publishes; ``told`` keeps what it says."""

    def __init__(self, server: Server, **options: Any) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        given = {"create": True, "timeout_s": 5.0} | options
        self.receiver = JetStream(server.url, Options(**given), lambda what, facts: self.told.append((what, facts)))

    def send(self, events: list[Outgoing], meanwhile: Callable[[int], None] = lambda first: None) -> None:
        """Publish events, each window again until it is acknowledged; ``meanwhile`` acts before each window."""

        async def run() -> None:
            try:
                for first in range(0, len(events), self.receiver.batch_events):
                    await asyncio.to_thread(meanwhile, first)
                    await self._insist(events[first : first + self.receiver.batch_events])
            finally:
                await self.receiver.close()

        asyncio.run(run())

    async def _insist(self, window: list[Outgoing]) -> None:
        for _ in range(100):
            try:
                return await self.receiver.deliver(window)
            except Away as error:
                self.told.append(("away", {"detail": error.detail}))
                await asyncio.sleep(0.2)
        raise AssertionError(self.told)

    def once(self, events: list[Outgoing]) -> None:
        """Publish events in one attempt."""

        async def run() -> None:
            try:
                await self.receiver.deliver(events)
            finally:
                await self.receiver.close()

        asyncio.run(run())


@pytest.mark.parametrize("window", [1, 7, 256])
def test_every_event_is_stored_in_order_under_its_subject(empty: Server, events: list[Outgoing], window: int) -> None:
    Sender(empty, window=window).send(events)
    stored = empty.stored()
    assert [event for _, event in stored] == [event.document() for event in events]
    assert [subject for subject, _ in stored] == [event.type for event in events]


def test_what_is_sent_again_is_stored_once(empty: Server, events: list[Outgoing]) -> None:
    Sender(empty, window=10).send(events[:40])
    Sender(empty, window=16).send(events)
    assert empty.ids() == [event.id for event in events]


def test_a_server_that_is_killed_again_and_again_loses_and_doubles_nothing(
    tmp_path: Path, events: list[Outgoing]
) -> None:
    server, kills, one_at_a_time = Server(tmp_path), [], threading.Lock()

    def restart() -> None:
        with one_at_a_time:
            server.stop()
            server.start()

    def kill_soon(first: int) -> None:
        if first in (8, 24, 48):
            kills.append(threading.Timer(first / 20_000, restart))
            kills[-1].start()

    try:
        server.start()
        Sender(server, window=8).send(events, kill_soon)
        for kill in kills:
            kill.join(60)
        assert server.ids() == [event.id for event in events]
    finally:
        server.close()


def test_where_others_write_too_messages_go_one_by_one_in_order(
    empty: Server, events: list[Outgoing], monkeypatch: pytest.MonkeyPatch
) -> None:
    publish = JetStream._one

    async def intruded(self: JetStream, js: Any, event: Outgoing, after: Outgoing | None = None) -> None:
        await publish(self, js, event, after)
        if after is None:
            await js.publish("coseal.foreign", b"{}", headers={"content-type": STRUCTURED})

    monkeypatch.setattr(JetStream, "_one", intruded)
    sender = Sender(empty, window=8)
    sender.send(events)
    ours = [event["id"] for subject, event in empty.stored() if subject != "coseal.foreign"]
    assert ours == [event.id for event in events]
    assert [what for what, _ in sender.told] == ["warning"]
    assert "another writes to this stream too" in sender.told[0][1]["detail"]


def test_without_its_stream_it_waits_until_there_is_one(empty: Server, events: list[Outgoing]) -> None:
    sender = Sender(empty, create=False)
    with pytest.raises(Away, match="no stream COSEAL; make it there, or give --create"):
        sender.once(events[:1])

    async def make(js: Any) -> None:
        await js.add_stream(StreamConfig(name="COSEAL", subjects=["other.>"]))

    empty.ask(make)
    with pytest.raises(Away, match="no stream there takes the subject"):
        sender.once(events[:1])

    async def mend(js: Any) -> None:
        await js.update_stream(StreamConfig(name="COSEAL", subjects=["other.>", "coseal.>"]))

    empty.ask(mend)
    sender.once(events[:1])
    assert empty.ids() == [events[0].id]


def test_a_subject_that_another_stream_takes_is_told(empty: Server, events: list[Outgoing]) -> None:
    async def make(js: Any) -> None:
        await js.add_stream(StreamConfig(name="OTHER", subjects=["coseal.>"]))
        await js.add_stream(StreamConfig(name="COSEAL", subjects=["ours.>"]))

    empty.ask(make)
    with pytest.raises(Away, match="expected stream does not match"):
        Sender(empty, create=False).once(events[:1])
    assert empty.stored("OTHER") == []


def test_a_full_stream_holds_events_back_until_there_is_room(empty: Server, events: list[Outgoing]) -> None:
    def full(bound: int) -> Callable[[Any], Awaitable[Any]]:
        async def change(js: Any) -> None:
            config = StreamConfig(name="COSEAL", subjects=["coseal.>"], max_msgs=bound, discard="new")
            await (js.update_stream if bound > 5 else js.add_stream)(config)

        return change

    empty.ask(full(5))
    sender = Sender(empty, window=4)
    sender.once(events[:4])
    with pytest.raises(Away, match="maximum messages exceeded"):
        sender.once(events[4:8])
    empty.ask(full(10_000))
    sender.send(events)
    assert empty.ids() == [event.id for event in events]


def test_an_event_larger_than_the_stream_takes_is_not_taken(empty: Server, events: list[Outgoing]) -> None:
    async def make(js: Any) -> None:
        await js.add_stream(StreamConfig(name="COSEAL", subjects=["coseal.>"], max_msg_size=1_500))

    empty.ask(make)
    large = max(events, key=lambda event: len(event.structured))
    with pytest.raises(NotTaken, match="message size exceeds maximum allowed"):
        Sender(empty).once([large])


def test_an_event_larger_than_the_server_takes_is_not_taken(tmp_path: Path, events: list[Outgoing]) -> None:
    server = Server(tmp_path, max_payload="3000")
    try:
        server.start()
        large = replace(events[0], data={"text": "x" * 3_000})
        with pytest.raises(NotTaken, match="is larger than the 3000 bytes the server takes"):
            Sender(server).once([large])
    finally:
        server.close()


def test_a_stream_in_memory_is_warned_of(empty: Server, events: list[Outgoing]) -> None:
    async def make(js: Any) -> None:
        await js.add_stream(StreamConfig(name="COSEAL", subjects=["coseal.>"], storage="memory"))

    empty.ask(make)
    sender = Sender(empty)
    sender.once(events[:1])
    assert [what for what, _ in sender.told] == ["warning"]
    assert "memory" in sender.told[0][1]["detail"]


def test_who_may_not_write_there_is_told(tmp_path: Path, events: list[Outgoing]) -> None:
    server = Server(tmp_path, authorization='{ user: "ledger", password: "secret" }')
    try:
        server.start()
        with pytest.raises(Away, match=r"(?i)authorization"):
            Sender(server).once(events[:1])
        server.url = server.url.replace("//", "//ledger:secret@")
        sender = Sender(server)
        sender.once(events[:1])
        assert server.ids() == [events[0].id]
        assert "secret" not in sender.receiver.name
    finally:
        server.close()


def test_a_server_that_is_not_there_is_away(events: list[Outgoing]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    server = SimpleNamespace(url=f"nats://127.0.0.1:{port}")
    with pytest.raises(Away, match="Connect call failed"):
        Sender(server).once(events[:1])


@pytest.mark.parametrize(
    ("url", "options", "why"),
    [
        ("http://mq.example", {}, "expected nats://HOST:PORT"),
        ("nats://", {}, "expected nats://HOST:PORT"),
        ("nats://user:secret@:4222", {}, "expected nats://HOST:PORT"),
        ("nats://mq.example:4222222", {}, "no port"),
        ("nats://mq.example", {"stream": "a.b"}, "stream 'a.b'"),
        ("nats://mq.example", {"subject": "a..b"}, "subject 'a..b'"),
        ("nats://mq.example", {"subject": "a.>"}, "subject 'a.>'"),
        ("nats://mq.example", {"credentials": Path("/none.creds")}, "no such file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_connected(url: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(CosealError, match=why) as refused:
        JetStream(url, Options(**options), lambda what, facts: None)
    assert "secret" not in str(refused.value)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CosealError, match="not installed") as refused:
        JetStream("nats://mq.example", Options(), lambda what, facts: None)
    assert "coseal[nats]" in refused.value.hint
