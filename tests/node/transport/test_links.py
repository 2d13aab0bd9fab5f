from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import socket
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from coseal.ledger.block import MAX_FRAME_BYTES
from coseal.node.core import wire
from coseal.node.core.wire import Hello, Transactions
from coseal.node.signing import keys
from coseal.node.transport import link, links
from coseal.node.transport.link import Frame, Link
from coseal.node.transport.links import Identity, Links, PortInUse

CHAIN = bytes(range(32))
NAMES = ("a", "b", "c", "stranger")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {}
    for name in NAMES:
        folder = folders[name] = tmp_path_factory.mktemp(name)
        keys.create_certificate(folder / "link.crt", keys.create_key(folder / "link.pem"), name)
    return folders


_turns = itertools.count(os.getpid() * 7)


def free_port() -> int:
    """Return a port that nothing uses; processes that test side by side begin at different ones."""
    for turn in itertools.islice(_turns, 300):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", 22_100 + turn % 300))
            return 22_100 + turn % 300
    raise AssertionError("no free port")


class Recorder:
    """A receiver that remembers everything and can be waited on."""

    def __init__(self) -> None:
        self.connected: list[str] = []
        self.disconnected: list[tuple[str, str]] = []
        self.frames: list[tuple[str, bytes]] = []
        self.refused: list[tuple[str, str]] = []

    def peer_connected(self, peer: str) -> None:
        self.connected.append(peer)

    def peer_disconnected(self, peer: str, reason: str) -> None:
        self.disconnected.append((peer, reason))

    def peer_frame(self, peer: str, payload: bytes) -> None:
        self.frames.append((peer, payload))

    def link_refused(self, address: str, reason: str) -> None:
        self.refused.append((address, reason))


async def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    async with asyncio.timeout(seconds):
        while not condition():
            await asyncio.sleep(0.005)


class Net:
    """Starts links of named nodes on loopback and closes them afterwards."""

    def __init__(self, folders: dict[str, Path]) -> None:
        self.folders = folders
        self.ports = dict.fromkeys(NAMES, 0)
        self.links: dict[str, Links] = {}
        self.seen: dict[str, Recorder] = {}

    def registry(self) -> dict[str, bytes]:
        return {name: keys.load_certificate(self.folders[name] / "link.crt") for name in ("a", "b", "c")}

    def identity(self, name: str, *, chain: bytes = CHAIN, claims: str | None = None) -> Identity:
        folder = self.folders[name]
        return Identity(Hello(chain, claims or name, "test"), folder / "link.crt", folder / "link.pem")

    async def start(
        self, name: str, *peers: str, chain: bytes = CHAIN, registry: dict[str, bytes] | None = None
    ) -> Recorder:
        self.ports[name] = self.ports[name] or free_port()
        recorder = self.seen[name] = Recorder()
        self.links[name] = Links(
            self.identity(name, chain=chain), registry or self.registry(), recorder, recorder.peer_frame
        )
        addresses = {peer: ("127.0.0.1", self.ports[peer]) for peer in peers}
        await self.links[name].start(("127.0.0.1", self.ports[name]), addresses)
        return recorder

    async def close(self) -> None:
        for each in self.links.values():
            await each.close()

    def context(self, name: str | None) -> ssl.SSLContext:
        """TLS of our own making, with the certificate of ``name`` or none."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        if name is not None:
            context.load_cert_chain(self.folders[name] / "link.crt", self.folders[name] / "link.pem")
        return context

    async def stranger(
        self, name: str | None, to: str, context: ssl.SSLContext | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """A TLS client with the certificate of ``name`` or none."""
        context = context or self.context(name)
        return await asyncio.open_connection("127.0.0.1", self.ports[to], ssl=context)


def run(certificates: dict[str, Path], scenario: Callable[[Net], Awaitable[None]]) -> None:
    async def whole() -> None:
        net = Net(certificates)
        try:
            await scenario(net)
        finally:
            await net.close()
            await asyncio.sleep(0.02)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(whole())


async def read_to_end(reader: asyncio.StreamReader) -> bytes:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        return await reader.read()
    return b""


def framed(payload: bytes) -> bytes:
    return len(payload).to_bytes(4, "big") + payload


def test_two_nodes_connect_and_exchange_frames_in_order(certificates) -> None:
    async def scenario(net: Net) -> None:
        b = await net.start("b")
        a = await net.start("a", "b")
        await until(lambda: a.connected == ["b"] and b.connected == ["a"])
        payloads = [bytes([i]) * (i * 1000 + 1) for i in range(50)]
        for payload in payloads:
            net.links["a"].send("b", payload, consensus=True)
            net.links["b"].broadcast(payload, consensus=False)
        await until(lambda: len(b.frames) == 50 and len(a.frames) == 50)
        assert b.frames == [("a", payload) for payload in payloads]
        assert a.frames == [("b", payload) for payload in payloads]

    run(certificates, scenario)


def test_a_frame_of_the_largest_size_passes(certificates) -> None:
    async def scenario(net: Net) -> None:
        b = await net.start("b")
        a = await net.start("a", "b")
        await until(lambda: a.connected and b.connected)
        net.links["a"].send("b", bytes(MAX_FRAME_BYTES), consensus=False)
        await until(lambda: b.frames)
        assert len(b.frames[0][1]) == MAX_FRAME_BYTES

    run(certificates, scenario)


def test_one_byte_more_closes_the_link(certificates) -> None:
    async def scenario(net: Net) -> None:
        b = await net.start("b")
        a = await net.start("a", "b")
        await until(lambda: a.connected and b.connected)
        net.links["a"].send("b", bytes(MAX_FRAME_BYTES + 1), consensus=False)
        await until(lambda: b.disconnected)
        assert f"a frame of {MAX_FRAME_BYTES + 1} bytes" in b.disconnected[0][1]
        assert b.frames == []

    run(certificates, scenario)


def test_when_both_dial_one_connection_remains_and_works(certificates, monkeypatch) -> None:
    monkeypatch.setattr(links, "_HIGHER_ID_WAITS_SECONDS", 0.0)

    async def scenario(net: Net) -> None:
        net.ports["a"], net.ports["b"] = free_port(), free_port()
        a, b = await asyncio.gather(net.start("a", "b"), net.start("b", "a"))
        await until(lambda: a.connected and b.connected)
        await asyncio.sleep(0.3)
        assert net.links["a"].connected == ["b"]
        assert net.links["b"].connected == ["a"]
        net.links["a"].send("b", b"one", consensus=True)
        net.links["b"].send("a", b"two", consensus=True)
        await until(lambda: a.frames and b.frames)

    run(certificates, scenario)


def test_the_higher_id_dials_when_the_lower_one_does_not_know_it(certificates, monkeypatch) -> None:
    monkeypatch.setattr(links, "_HIGHER_ID_WAITS_SECONDS", 0.05)

    async def scenario(net: Net) -> None:
        a = await net.start("a")
        await net.start("b", "a")
        await until(lambda: a.connected == ["b"])

    run(certificates, scenario)


def test_a_peer_that_comes_back_is_connected_again(certificates) -> None:
    async def scenario(net: Net) -> None:
        await net.start("b")
        a = await net.start("a", "b")
        await until(lambda: a.connected)
        await net.links["b"].close()
        await until(lambda: a.disconnected)
        await net.start("b")
        await until(lambda: a.connected == ["b", "b"])

    run(certificates, scenario)


def test_two_processes_with_the_same_keys_are_noticed_and_do_not_fight_without_end(certificates) -> None:
    async def scenario(net: Net) -> None:
        b = await net.start("b")
        first = await net.start("a", "b")
        await until(lambda: first.connected)
        net.links["the first a"] = net.links.pop("a")
        net.ports["a"] = 0
        second = await net.start("a", "b")
        await until(lambda: len(first.connected) + len(second.connected) >= 5)
        assert ("a", links._TWICE) in b.refused
        await asyncio.sleep(2.0)
        assert len(b.refused) < 30  # without a pause between them there were some hundred

    run(certificates, scenario)


def test_a_link_in_the_place_of_another_ends_one_and_begins_one_for_whoever_asked_something_on_it(certificates) -> None:
    async def scenario(net: Net) -> None:
        a = await net.start("a")
        writers = []
        for count in (1, 2):
            _, writer = await net.stranger("b", "a")
            writer.write(framed(wire.encode(Hello(CHAIN, "b", "test"))))
            writers.append(writer)
            await until(lambda count=count: a.connected == ["b"] * count)
        assert a.disconnected == [("b", links._REPLACED)]
        for writer in writers:
            writer.close()

    run(certificates, scenario)


def test_no_certificate_is_refused(certificates) -> None:
    async def scenario(net: Net) -> None:
        a = await net.start("a")
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            reader, writer = await net.stranger(None, "a")
            async with asyncio.timeout(5):
                assert await read_to_end(reader) == b""
            writer.close()
        await until(lambda: a.refused)
        assert a.connected == []

    run(certificates, scenario)


def test_an_unregistered_certificate_is_refused(certificates) -> None:
    async def scenario(net: Net) -> None:
        a = await net.start("a")
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            reader, writer = await net.stranger("stranger", "a")
            writer.write(framed(wire.encode(Hello(CHAIN, "b", "test"))))
            async with asyncio.timeout(5):
                assert await read_to_end(reader) == b""
            writer.close()
        await until(lambda: a.refused)
        assert a.connected == []

    run(certificates, scenario)


def test_a_registered_certificate_under_another_name_is_refused(certificates) -> None:
    async def scenario(net: Net) -> None:
        a = await net.start("a")
        reader, writer = await net.stranger("c", "a")
        writer.write(framed(wire.encode(Hello(CHAIN, "b", "test"))))
        async with asyncio.timeout(5):
            await read_to_end(reader)
        writer.close()
        await until(lambda: a.refused)
        assert a.refused[0] == ("c", "it calls itself b, its certificate is that of c")
        assert a.connected == []

    run(certificates, scenario)


def test_who_answers_in_the_place_of_a_peer_is_refused(certificates) -> None:
    async def scenario(net: Net) -> None:
        await net.start("c")
        net.ports["b"] = net.ports["c"]  # a believes that b lives there
        a = await net.start("a", "b")
        await until(lambda: a.refused)
        assert ("b", "it is c, not b") in [("b", reason) for _, reason in a.refused]
        assert a.connected == []

    run(certificates, scenario)


def test_a_node_of_another_chain_is_refused(certificates) -> None:
    async def scenario(net: Net) -> None:
        b = await net.start("b", chain=bytes(32))
        a = await net.start("a", "b")
        await until(lambda: a.refused and b.refused)
        assert any("another chain" in reason for _, reason in a.refused + b.refused)
        assert a.connected == b.connected == []

    run(certificates, scenario)


@pytest.mark.parametrize(
    "first",
    [
        framed(b"\xff\xff"),
        framed(wire.encode(Transactions(()))),
        (2_000_000).to_bytes(4, "big"),
        bytes(4),
    ],
)
def test_anything_but_a_hello_comes_to_nothing(certificates, first: bytes) -> None:
    async def scenario(net: Net) -> None:
        a = await net.start("a")
        reader, writer = await net.stranger("c", "a")
        writer.write(first)
        async with asyncio.timeout(2):
            await read_to_end(reader)
        writer.close()
        await until(lambda: a.refused)
        assert a.connected == []

    run(certificates, scenario)


def test_a_silent_stranger_is_closed_in_time_before_and_after_the_handshake(certificates, monkeypatch) -> None:
    """In production 2.5 s for each of the two phases, so 5 s in all; here a tenth of it."""
    assert links.HANDSHAKE_SECONDS + link.HELLO_SECONDS <= 5
    monkeypatch.setattr(links, "HANDSHAKE_SECONDS", 0.25)
    monkeypatch.setattr(link, "HELLO_SECONDS", 0.25)

    async def scenario(net: Net) -> None:
        a = await net.start("a")
        mute_reader, mute = await asyncio.open_connection("127.0.0.1", net.ports["a"])
        greeted_reader, greeted = await net.stranger("c", "a")
        dripping_reader, dripping = await net.stranger("b", "a")
        dripping.write(b"\0\0")
        async with asyncio.timeout(1):
            await read_to_end(mute_reader)
            await read_to_end(greeted_reader)
            await read_to_end(dripping_reader)
        for writer in (mute, greeted, dripping):
            writer.close()
        await until(lambda: len(a.refused) == 3)
        assert a.connected == []

    run(certificates, scenario)


def test_a_flood_of_connections_is_bounded_and_a_peer_still_talks(certificates, monkeypatch) -> None:
    monkeypatch.setattr(links, "HANDSHAKE_SECONDS", 1.0)

    async def scenario(net: Net) -> None:
        b = await net.start("b")
        a = await net.start("a", "b")
        await until(lambda: a.connected and b.connected)
        flood = []
        for _ in range(200):
            flood.append(await asyncio.open_connection("127.0.0.1", net.ports["b"]))
        await asyncio.sleep(0.05)
        assert len(net.links["b"]._strangers) <= links.STRANGERS_PER_ADDRESS_MAX
        net.links["a"].send("b", b"still here", consensus=True)
        await until(lambda: ("a", b"still here") in b.frames, 1.0)
        async with asyncio.timeout(5):
            for reader, writer in flood:
                assert await read_to_end(reader) == b""
                writer.close()
        await until(lambda: len(net.links["b"]._strangers) == 0)
        assert b.disconnected == []

    run(certificates, scenario)


@pytest.mark.parametrize("speaks", [False, True])
def test_many_addresses_are_bounded_together_and_a_peer_that_is_quick_gets_in(
    certificates, monkeypatch, speaks: bool
) -> None:
    """With all places taken by whoever is patient, the oldest gives way: before the handshake, or after it."""
    monkeypatch.setattr(links, "HANDSHAKE_SECONDS", 30.0)
    monkeypatch.setattr(link, "HELLO_SECONDS", 30.0)
    monkeypatch.setattr(links, "STRANGERS_MAX", 12)

    async def scenario(net: Net) -> None:
        a = await net.start("a")
        context = net.context("c") if speaks else None
        crowd = []
        for number in range(2, 22):
            local = (f"127.0.0.{number}", 0)
            crowd.append(await asyncio.open_connection("127.0.0.1", net.ports["a"], ssl=context, local_addr=local))
        await until(lambda: len(net.links["a"]._strangers) == 12)
        b = await net.start("b", "a")
        await until(lambda: a.connected == ["b"] and b.connected == ["a"])
        async with asyncio.timeout(10):
            await read_to_end(crowd[0][0])
        net.links["b"].send("a", b"through the crowd", consensus=True)
        await until(lambda: ("b", b"through the crowd") in a.frames)
        for _, writer in crowd:
            writer.close()
        await until(lambda: len(net.links["a"]._strangers) == 0)

    run(certificates, scenario)


def test_a_port_in_use_is_named(certificates) -> None:
    async def scenario(net: Net) -> None:
        await net.start("a")
        net.ports["b"] = net.ports["a"]
        with pytest.raises(PortInUse, match=str(net.ports["a"])):
            await net.start("b")

    run(certificates, scenario)


def test_old_tls_is_refused(certificates) -> None:
    async def scenario(net: Net) -> None:
        a = await net.start("a")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(net.folders["c"] / "link.crt", net.folders["c"] / "link.pem")
        with pytest.raises((ConnectionError, ssl.SSLError)):
            await asyncio.open_connection("127.0.0.1", net.ports["a"], ssl=context)
        await until(lambda: a.refused)

    run(certificates, scenario)


def test_tls_is_1_3_with_nothing_to_resume_compress_or_send_early(certificates) -> None:
    """Each connection shows its certificate anew: no ticket, no session, so no 0-RTT data that could be replayed."""

    async def scenario(net: Net) -> None:
        await net.start("a")
        first = net.context("c")
        for _ in range(2):
            reader, writer = await net.stranger("c", "a", first)
            writer.write(framed(wire.encode(Hello(CHAIN, "c", "test"))))
            async with asyncio.timeout(10):
                await reader.readexactly(4)  # its hello: a ticket would have come before
            tls = writer.get_extra_info("ssl_object")
            assert tls.version() == "TLSv1.3"
            assert tls.compression() is None
            assert not tls.session_reused
            assert not tls.session.has_ticket
            assert tls.cipher()[0] in (
                "TLS_AES_256_GCM_SHA384",
                "TLS_CHACHA20_POLY1305_SHA256",
                "TLS_AES_128_GCM_SHA256",
            )
            writer.close()

    run(certificates, scenario)


class FakeTransport(asyncio.Transport):
    """Takes what it is given; a test decides when it is full."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []

    def write(self, data) -> None:
        self.written.append(data[4:])

    def writelines(self, chunks) -> None:
        self.write(b"".join(chunks))

    def is_closing(self) -> bool:
        return False


def congested_link() -> tuple[Link, FakeTransport]:
    made = Link(None, Hello(CHAIN, "a", "test"), {}, expected="b", now=0.0)  # type: ignore[arg-type]
    transport = FakeTransport()
    made._transport = transport
    made.pause_writing()
    return made, transport


@pytest.mark.parametrize("size", [1, 16 * 1024 - 1, 16 * 1024])
def test_a_frame_of_any_size_goes_out_behind_its_length(size):
    link, transport = congested_link()
    link.resume_writing()
    link.send(Frame(b"x" * size, consensus=False))
    assert transport.written == [b"x" * size]


def test_a_slow_peer_loses_the_oldest_consensus_message_first(monkeypatch) -> None:
    monkeypatch.setattr(link, "OUTBOUND_BYTES", 100)
    slow, transport = congested_link()
    slow.send(Frame(b"t" * 40, consensus=False))
    slow.send(Frame(b"1" * 40, consensus=True))
    slow.send(Frame(b"2" * 20, consensus=True))
    assert slow.dropped == 0
    slow.send(Frame(b"3" * 20, consensus=True))
    assert slow.dropped == 1
    slow.resume_writing()
    assert transport.written == [b"t" * 40, b"2" * 20, b"3" * 20]


def test_without_consensus_messages_the_oldest_frame_goes(monkeypatch) -> None:
    monkeypatch.setattr(link, "OUTBOUND_BYTES", 100)
    slow, transport = congested_link()
    for digit in b"123":
        slow.send(Frame(bytes([digit]) * 40, consensus=False))
    slow.resume_writing()
    assert transport.written == [b"2" * 40, b"3" * 40]
    assert slow.dropped == 1


def test_what_is_bulk_waits_behind_everything_and_is_never_in_the_place_of_consensus(monkeypatch) -> None:
    monkeypatch.setattr(link, "OUTBOUND_BYTES", 100)
    monkeypatch.setattr(link, "BULK_BYTES", 100)
    slow, transport = congested_link()
    slow.send(Frame(b"b" * 60, consensus=False, bulk=True))
    slow.send(Frame(b"1" * 60, consensus=True))
    slow.send(Frame(b"c" * 60, consensus=False, bulk=True))
    slow.send(Frame(b"2" * 40, consensus=True))
    assert slow.dropped == 1
    slow.resume_writing()
    assert transport.written == [b"1" * 60, b"2" * 40, b"b" * 60]


def test_one_bulk_frame_of_any_size_may_wait(monkeypatch) -> None:
    monkeypatch.setattr(link, "BULK_BYTES", 100)
    slow, transport = congested_link()
    slow.send(Frame(b"b" * 200, consensus=False, bulk=True))
    slow.resume_writing()
    assert transport.written == [b"b" * 200]


def renewed(folder: Path, name: str) -> bytes:
    """Put another link key and certificate in the place of a node's; return the certificate's DER."""
    for file in ("link.pem", "link.crt"):
        (folder / file).unlink()
    return keys.create_certificate(folder / "link.crt", keys.create_key(folder / "link.pem"), name)


@pytest.fixture
def own_certificates(tmp_path: Path) -> dict[str, Path]:
    folders = {}
    for name in NAMES:
        folder = folders[name] = tmp_path / name
        folder.mkdir()
        keys.create_certificate(folder / "link.crt", keys.create_key(folder / "link.pem"), name)
    return folders


def test_a_node_is_let_in_from_the_moment_it_is_pinned(certificates) -> None:
    async def scenario(net: Net) -> None:
        known = {name: der for name, der in net.registry().items() if name != "b"}
        a = await net.start("a", registry=known)
        b = await net.start("b", "a")
        await until(lambda: a.refused and b.refused)
        assert a.connected == []
        net.links["a"].pin("b", net.registry()["b"])
        await until(lambda: a.connected == ["b"] and b.connected == ["a"])
        net.links["a"].send("b", b"hello", consensus=False)
        await until(lambda: b.frames == [("a", b"hello")])

    run(certificates, scenario)


def test_a_pinned_node_is_dialled_where_it_says_it_is(certificates) -> None:
    async def scenario(net: Net) -> None:
        known = {name: der for name, der in net.registry().items() if name != "b"}
        a = await net.start("a", registry=known)
        b = await net.start("b")
        net.links["a"].pin("b", net.registry()["b"], ("127.0.0.1", net.ports["b"]))
        await until(lambda: a.connected == ["b"] and b.connected == ["a"])

    run(certificates, scenario)


def test_an_unpinned_node_loses_its_link_and_is_let_in_no_more(certificates) -> None:
    async def scenario(net: Net) -> None:
        c = await net.start("c")
        b = await net.start("b", "c")
        a = await net.start("a", "b", "c")
        await until(lambda: sorted(a.connected) == ["b", "c"] and sorted(b.connected) == ["a", "c"])
        net.links["a"].unpin("b")
        await until(lambda: a.disconnected and b.disconnected)
        assert a.disconnected == [("b", "it is registered no more")]
        net.links["b"].pin("a", net.registry()["a"], ("127.0.0.1", net.ports["a"]))  # b goes on knocking
        await until(lambda: a.refused)
        assert list(net.links["a"].connected) == ["c"]
        assert a.connected.count("b") == 1
        net.links["a"].send("c", b"still here", consensus=False)
        await until(lambda: ("a", b"still here") in c.frames)

    run(certificates, scenario)


def test_a_replaced_certificate_closes_the_link_and_the_new_one_opens_it_without_a_restart(own_certificates) -> None:
    async def scenario(net: Net) -> None:
        b = await net.start("b")
        a = await net.start("a", "b")
        await until(lambda: a.connected == ["b"] and b.connected == ["a"])
        new = renewed(net.folders["b"], "b")  # the operator puts the files in place, then the chain registers them
        net.links["a"].pin("b", new)
        net.links["b"].pin("b", new)
        await until(lambda: a.connected == ["b", "b"] and b.connected == ["a", "a"])
        assert a.disconnected == [("b", "its certificate was replaced")]
        assert net.links["b"].shown == new

    run(own_certificates, scenario)


def test_the_former_certificate_of_a_node_is_refused(own_certificates) -> None:
    async def scenario(net: Net) -> None:
        a = await net.start("a")
        registered = dict(net.registry())
        await net.start("b", "a")
        await until(lambda: a.connected == ["b"])
        der = renewed(net.folders["c"], "c")  # any other certificate: b does not have it
        net.links["a"].pin("b", der)
        await until(lambda: a.disconnected and a.refused)
        assert list(net.links["a"].connected) == []
        net.links["a"].pin("b", registered["b"])
        await until(lambda: a.connected == ["b", "b"])

    run(own_certificates, scenario)


def test_files_that_do_not_load_leave_the_links_as_they_are(own_certificates) -> None:
    async def scenario(net: Net) -> None:
        b = await net.start("b")
        a = await net.start("a", "b")
        await until(lambda: a.connected == ["b"])
        shown = net.links["a"].shown
        der = renewed(net.folders["a"], "a")
        net.links["a"].renew(b"another")  # the chain has not registered what is in the file
        net.links["a"].pin("c", net.registry()["c"][:-1] + b"x")
        assert (net.links["a"].shown, a.refused) == (shown, [])
        (net.folders["a"] / "link.pem").write_text("half a file")
        net.links["a"].renew(der)
        assert a.refused[-1][0] == "this node"
        (net.folders["a"] / "link.crt").write_text("half a file")
        net.links["a"].renew(der)
        assert net.links["a"].shown == shown
        net.links["b"].disconnect("a", "a test")
        await until(lambda: a.connected == ["b", "b"] and b.connected == ["a", "a"])

    run(own_certificates, scenario)


def test_what_is_registered_and_no_certificate_keeps_nobody_else_out(certificates) -> None:
    async def scenario(net: Net) -> None:
        registry = {**net.registry(), "c": bytes.fromhex("3003020100")}
        b = await net.start("b", registry=registry)
        a = await net.start("a", "b", registry=registry)
        await until(lambda: a.connected == ["b"] and b.connected == ["a"])
        net.links["a"].pin("d", b"\x30\x00")
        net.links["b"].disconnect("a", "a test")
        await until(lambda: a.connected == ["b", "b"])

    run(certificates, scenario)
