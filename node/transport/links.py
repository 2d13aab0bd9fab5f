"""The links to all other nodes: TLS 1.3 both ways, every certificate pinned, one connection a pair.

Law: only a certificate that is registered now opens a link, and no outside authority is asked; a stranger holds a
socket for a few seconds at most, and only a bounded number of sockets.

``pin`` and ``unpin`` follow the registry while the links are up. Every node dials the peers it has an address of. When
two connections join one pair, both ends keep the one that the lower id dialled; the higher id therefore waits a little
before it dials.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Protocol

from coseal.node.core.events import AbciAnswer, AskCommit, Offer, SignWith
from coseal.node.core.wire import Hello
from coseal.node.transport import pinning
from coseal.node.transport.dialing import connect
from coseal.node.transport.link import IDLE_SECONDS, Frame, Link
from coseal.node.transport.pending_connections import PendingConnections

HANDSHAKE_SECONDS: Final = 2.5
STRANGERS_MAX: Final = 128
STRANGERS_PER_ADDRESS_MAX: Final = 32
_FIRST_RETRY_SECONDS: Final = 0.05
_LAST_RETRY_SECONDS: Final = 3.0
_HIGHER_ID_WAITS_SECONDS: Final = 1.5
_BACKLOG: Final = 128
_REPLACED: Final = "another connection to the same peer took its place"
_TWICE: Final = "it connected while a connection of it was open; if that goes on, two processes have its keys"


class PortInUse(Exception):
    """Something else listens on our address; ``reason`` names it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Receiver(Protocol):
    """What the links tell the runtime; called on the loop."""

    def peer_connected(self, peer: str) -> None:
        """A link to ``peer`` is up."""
        ...

    def peer_disconnected(self, peer: str, reason: str) -> None:
        """The last link to ``peer`` is gone."""
        ...

    def link_refused(self, address: str, reason: str) -> None:
        """A connection did not become a link."""
        ...


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are on a link: our Hello, and the files of our certificate and its key.

    ``vouched``: certificates (DER) of peers for which the operator vouches until the registry says otherwise.
    """

    hello: Hello
    certificate: Path
    key: Path
    passphrase: bytes | None = None
    vouched: Mapping[str, bytes] = field(default_factory=dict)


class Links:
    """All links of a node; every method is called on the loop."""

    def __init__(
        self,
        identity: Identity,
        registry: Mapping[str, bytes],
        receiver: Receiver,
        deliver: Callable[[str, bytes], None],
    ) -> None:
        """``registry`` maps every node of the chain to the DER of its link certificate, as far as it is known.

        ``deliver`` gets each encoded message with the peer that it came from.
        """
        self.dropped = 0
        self.shown: bytes | None = None
        self._closing = False
        self._identity, self._receiver, self._deliver = identity, receiver, deliver
        self._me = identity.hello.node_id
        known = (*registry.items(), *identity.vouched.items())
        self._nodes = {der: node for node, der in known if node != self._me}
        self._addresses: dict[str, tuple[str, int]] = {}
        self._links: dict[str, Link] = {}
        self._strangers = PendingConnections(STRANGERS_MAX, STRANGERS_PER_ADDRESS_MAX)
        self._unready: set[Link] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: socket.socket | None = None
        self._wake: dict[str, asyncio.Event] = {}
        self._dialling: dict[str, asyncio.Task[None]] = {}

    async def start(self, listen: tuple[str, int], peers: Mapping[str, tuple[str, int]]) -> None:
        """Listen and begin to dial; raise ``PortInUse``."""
        self._load_contexts()
        self._listener = _listen(listen)
        self._spawn(self._accept(self._listener))
        self._spawn(self._watch_idle())
        self._addresses = dict(peers)
        for peer in peers:
            self._begin_dialling(peer)

    def pin(self, node: str, certificate: bytes, address: tuple[str, int] | None = None) -> None:
        """Let ``node`` in with this certificate (DER) and no other, and dial it where we know it or it says to be.

        Of this node itself: show this certificate, if it is the one in our file.
        """
        if node == self._me:
            self.renew(certificate)
            return
        if [known for known, owner in self._nodes.items() if owner == node] != [certificate]:
            self._forget(node)
            self._nodes[certificate] = node
            self._trust(certificate)
            self._send_away(node, "its certificate was replaced")
        if address is not None:
            self._addresses.setdefault(node, address)
        self._begin_dialling(node)

    def unpin(self, node: str) -> None:
        """Close the link to ``node`` and let it in no more."""
        self._forget(node)
        task = self._dialling.pop(node, None)
        if task is not None:
            task.cancel()
        self._send_away(node, "it is registered no more")

    def renew(self, certificate: bytes) -> None:
        """Show this certificate (DER) from now on, if it is the one in our file; what is wrong there is reported."""
        try:
            if pinning.certificate_in(self._identity.certificate) == certificate:
                self._load_contexts()
        except (OSError, ValueError, ssl.SSLError) as error:
            self._receiver.link_refused("this node", f"its link certificate and key do not load: {error}")

    async def close(self) -> None:
        """Close every connection and stop listening."""
        self._closing = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._listener is not None:
            self._listener.close()
        for link in [*self._links.values(), *self._unready]:
            link.close("this node stops")
        await asyncio.sleep(0)

    @property
    def connected(self) -> Iterable[str]:
        """The peers with a link, in order."""
        return sorted(self._links)

    def send(self, peer: str, payload: bytes, *, consensus: bool, bulk: bool = False) -> None:
        """Send an encoded message; it is lost if the link is down. What is ``bulk`` waits behind everything else."""
        link = self._links.get(peer)
        if link is not None:
            link.send(Frame(payload, consensus, bulk))

    def broadcast(self, payload: bytes, *, consensus: bool) -> None:
        """Send one encoded message to every connected peer."""
        frame = Frame(payload, consensus)
        for link in self._links.values():
            link.send(frame)

    def pause(self, peer: str) -> None:
        """Stop reading from ``peer``."""
        if peer in self._links:
            self._links[peer].pause()

    def resume(self, peer: str) -> None:
        """Read from ``peer`` again."""
        if peer in self._links:
            self._links[peer].resume()

    def disconnect(self, peer: str, reason: str) -> None:
        """Close the link to ``peer``; it may come back."""
        if peer in self._links:
            self._links[peer].close(reason)

    def carry_out(self, effect: AbciAnswer | AskCommit | Offer | SignWith) -> None:
        """A machine that uses links says nothing of this kind."""
        raise ValueError(f"{type(effect).__name__} is for CometBFT")

    async def shown_to(self, method: str, params: Mapping[str, str], number: int) -> Any:
        """There is no CometBFT."""
        return None

    # What a link tells us

    def link_ready(self, link: Link) -> None:
        """See ``link.Owner``: keep one link a pair."""
        self._unready.discard(link)
        peer = str(link.peer)
        current = self._links.get(peer)
        if current is None:
            self._links[peer] = link
            self._receiver.peer_connected(peer)
        elif self._preferred(link) or not self._preferred(current):
            if self._preferred(link) == self._preferred(current):
                self._receiver.link_refused(peer, _TWICE)
            self._receiver.peer_disconnected(peer, _REPLACED)  # what was asked on it will not be answered
            self._links[peer] = link  # of two alike the newer one lives: the peer has forgotten the other
            self._receiver.peer_connected(peer)
            current.close(_REPLACED)
        else:
            link.close("there is a connection to this peer")

    def link_frame(self, link: Link, payload: bytes) -> None:
        """See ``link.Owner``."""
        if self._links.get(str(link.peer)) is link:
            self._deliver(str(link.peer), payload)

    def link_lost(self, link: Link, reason: str) -> None:
        """See ``link.Owner``."""
        self._unready.discard(link)
        self.dropped += link.dropped
        peer = link.peer
        if peer is not None and self._links.get(peer) is link:
            del self._links[peer]
            self._receiver.peer_disconnected(peer, reason)
        elif not link.ready:
            self._receiver.link_refused(peer or "a stranger", reason)
        if peer in self._wake:
            self._wake[peer].set()

    def _preferred(self, link: Link) -> bool:
        """Whether the lower id of the pair dialled this connection."""
        return link.dialled == (self._me < str(link.peer))

    # Connections

    def _load_contexts(self) -> None:
        """Make the TLS contexts of new connections; those that are up go on as they are."""
        mine = self._identity.certificate, self._identity.key, self._identity.passphrase
        for_server = pinning.context(*mine, self._nodes, server=True)
        self._client_context = pinning.context(*mine, self._nodes, server=False)
        self._server_context = for_server
        self.shown = pinning.certificate_in(self._identity.certificate)

    def _trust(self, certificate: bytes) -> None:
        """Have TLS accept a certificate of a peer as well, and no former one.

        A context forgets nothing, so another is made. That needs the certificate we show in its file; if the operator
        has put the next one there already, the peer's is only added: one that replaces another works when ours does.
        """
        if self.shown is not None:
            self.renew(self.shown)
        for either in (self._server_context, self._client_context):
            pinning.accept(either, certificate)

    def _forget(self, node: str) -> None:
        for certificate in [known for known, owner in self._nodes.items() if owner == node]:
            del self._nodes[certificate]

    def _send_away(self, node: str, reason: str) -> None:
        """Close the link to ``node``, and what may become one."""
        self.disconnect(node, reason)
        for link in [link for link in self._unready if link.peer == node]:
            link.close(reason)

    def _begin_dialling(self, peer: str) -> None:
        address = self._addresses.get(peer)
        if address is not None and peer != self._me and peer in self._nodes.values() and peer not in self._dialling:
            self._wake[peer] = asyncio.Event()
            self._dialling[peer] = self._spawn(self._dial(peer, address))

    def _new_link(self, expected: str | None) -> Link:
        link = Link(self, self._identity.hello, self._nodes, expected=expected, now=asyncio.get_running_loop().time())
        self._unready.add(link)
        return link

    async def _accept(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(listener)
            except OSError as error:  # out of descriptors: give others time to close theirs
                self._receiver.link_refused("a stranger", f"cannot accept: {error.strerror}")
                await asyncio.sleep(0.1)
                continue
            self._let_in(connection, str(address[0]))

    def _let_in(self, connection: socket.socket, host: str) -> None:
        """Give a new connection a stranger's place, until the link is ready or gone."""
        tasks: list[asyncio.Task[None]] = []
        place = self._strangers.enter(host, lambda: tasks[0].cancel())
        if place is None:
            connection.close()
            return

        def done(task: asyncio.Task[None]) -> None:
            self._strangers.leave(place)
            if task.cancelled():  # perhaps before it began
                connection.close()

        tasks.append(self._spawn(self._welcome(connection, host)))
        tasks[0].add_done_callback(done)

    async def _welcome(self, connection: socket.socket, host: str) -> None:
        """Shake hands on a new connection; cancelled when another one needs the place."""
        link = self._new_link(None)
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: link, connection, ssl=self._server_context, ssl_handshake_timeout=HANDSHAKE_SECONDS
            )
            await link.settled.wait()
        except (OSError, ssl.SSLError, TimeoutError) as error:
            self._receiver.link_refused(host, pinning.handshake_problem(error))
        except asyncio.CancelledError:
            if not link.ready:
                link.close("it took so long that another took its place")
                raise
        finally:
            self._unready.discard(link)

    async def _dial(self, peer: str, address: tuple[str, int]) -> None:
        """Keep a connection to ``peer``, as long as it is registered."""
        loop = asyncio.get_running_loop()
        delay = _FIRST_RETRY_SECONDS
        if self._me > peer:
            await asyncio.sleep(_HIGHER_ID_WAITS_SECONDS)
        while not self._closing:
            while peer in self._links:
                began = loop.time()
                self._wake[peer].clear()
                await self._wake[peer].wait()
                if loop.time() - began > _LAST_RETRY_SECONDS:
                    delay = _FIRST_RETRY_SECONDS
                else:  # what broke at once may break again
                    delay = await _pause(delay)
            link = self._new_link(peer)
            try:
                connection = await connect(*address, HANDSHAKE_SECONDS)
                # Not wait_for, which may swallow the cancellation of this task when the connection is just made.
                async with asyncio.timeout(HANDSHAKE_SECONDS):
                    await loop.create_connection(
                        lambda link=link: link,  # type: ignore[misc]
                        sock=connection,
                        server_hostname=address[0],
                        ssl=self._client_context,
                        ssl_handshake_timeout=HANDSHAKE_SECONDS,
                    )
                await link.settled.wait()
            except (OSError, ssl.SSLError, TimeoutError) as error:
                self._receiver.link_refused(peer, pinning.handshake_problem(error))
            finally:
                self._unready.discard(link)
            if peer not in self._links:
                delay = await _pause(delay)

    async def _watch_idle(self) -> None:
        """Close links from which nothing came for a while; a live node says its status every second."""
        while True:
            await asyncio.sleep(IDLE_SECONDS / 4)
            now = asyncio.get_running_loop().time()
            for link in list(self._links.values()):
                if not link.paused and now - link.heard > IDLE_SECONDS:
                    link.close(f"nothing came for {IDLE_SECONDS:.0f} s")

    def _spawn(self, work: object) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)  # type: ignore[arg-type]
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task


async def _pause(delay: float) -> float:
    """Wait about ``delay`` s and return how long to wait the next time."""
    await asyncio.sleep(delay * random.uniform(0.5, 1.0))
    return min(delay * 2, _LAST_RETRY_SECONDS)


def check_port(address: tuple[str, int]) -> None:
    """Raise ``PortInUse`` if nobody could listen there now."""
    _listen(address).close()


def _listen(address: tuple[str, int]) -> socket.socket:
    host, port = address
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise PortInUse(
            f"cannot listen for peers on {host}:{port}: {error.strerror}; change link_listen or stop what uses the port"
        ) from None
    listener.setblocking(False)
    return listener
