"""CometBFT beside the node: what the machine says to it, what it asks the machine, and what is seen of it.

Law: nothing here decides; CometBFT starts when the node listens and is ended before it stops. There are no links of the
node's own: CometBFT carries transactions and blocks.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, Protocol

import structlog

from coseal.node.comet import files, joining
from coseal.node.comet.files import Home
from coseal.node.comet.process import Child
from coseal.node.comet.rpc import Rpc, RpcTrouble
from coseal.node.comet.server import AbciServer
from coseal.node.config import ConfigProblem
from coseal.node.core.comet import abci
from coseal.node.core.comet.abci import ApplySnapshotChunk, Echo, Flush, OfferSnapshot, Query, Request
from coseal.node.core.events import (
    AbciAnswer,
    AbciAsked,
    AskCommit,
    CommitFound,
    EngineSeen,
    NodeEvent,
    Offer,
    Pin,
    SignWith,
)
from coseal.node.http.services import Unavailable
from coseal.node.signing.keys import KeyProblem
from coseal.node.transport.links import PortInUse, check_port

LOOK_S: Final = 1.0
RETRY_S: Final = 0.05
DIAL_LOOKS: Final = 7
OFFERED_MAX: Final = 20_000
JOIN_PATIENCE_S: Final = 180.0
"""How long CometBFT may find nothing of a snapshot: it waits two minutes for a chunk before it takes another one."""
_FILTER_ID: Final = "/p2p/filter/id/"
_log = structlog.get_logger("node")


class Answering(Protocol):
    """What answers the questions of CometBFT: a machine, and the runtime around it."""

    @property
    def pins(self) -> Sequence[Pin]:
        """The registered nodes now."""
        ...

    @property
    def height(self) -> int:
        """The height of its state."""
        ...

    def give(self, event: NodeEvent) -> object:
        """Take an event."""
        ...

    def fault(self, error: Exception) -> None:
        """Take what nobody thought of; the node ends then."""
        ...


class CometEngine:
    """Implements ``Network``. ``home`` is where CometBFT lives now."""

    def __init__(self, home: Home, certificate: bytes, answering: Answering) -> None:
        """``certificate`` is this node's own."""
        self.dropped = 0
        self.shown: bytes | None = certificate
        self.home = home
        self._answering, self._held = answering, False
        self._addresses: dict[str, tuple[str, int]] = {}
        self._dial_in = 0
        self._server = AbciServer(home.abci, self._asked)
        self._rpc = Rpc(home.rpc)
        self._child = Child(home.binary, home.folder, self._prepare, self._said)
        self._trouble: str | None = "CometBFT has not started yet"
        self._joined_s = 0.0  # when something of a snapshot was last seen
        self._commits: deque[int] = deque()
        self._offers: deque[bytes] = deque()
        self._wanted, self._offered = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    def hold(self) -> None:
        """M18: let nobody answer while the state of a snapshot takes the place of the former: what is asked waits."""
        self._held = True

    def serve(self, answering: Answering) -> None:
        """Have what waits, and everything from now on, answered by another machine, once it has started."""
        self._answering, self._held = answering, False

    # See ``Network``

    async def start(self, listen: tuple[str, int], peers: Mapping[str, tuple[str, int]]) -> None:
        """Answer on the socket, then start CometBFT; raise ``PortInUse`` if its port is taken."""
        loop = asyncio.get_running_loop()
        self._joined_s = loop.time()
        if self._tasks:  # it runs since before the machine had its state
            loop.call_soon(self._server.ask_again)
            return
        check_port(listen)
        self._addresses = dict(peers)
        try:
            self.home.folder.mkdir(mode=0o700, exist_ok=True)
            await self._server.start()
        except OSError as error:
            raise PortInUse(f"cannot listen on {self.home.abci}: {error.strerror or error}") from None
        self.home = await joining.prepared(self.home, self._answering.height)
        started = self._child.start()
        self._tasks = [loop.create_task(work()) for work in (self._look, self._find_commits, self._give_offers)]
        for task in (*self._tasks, started):
            task.add_done_callback(self._task_ended)

    async def close(self) -> None:
        """End CometBFT, then stop answering."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._child.close()
        await self._server.close()

    def _task_ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, Exception):
            self._answering.fault(error)

    def _give(self, event: NodeEvent) -> None:
        if not self._held:
            self._answering.give(event)

    def pin(self, node: str, certificate: bytes, address: tuple[str, int] | None = None) -> None:
        """A node is registered: it is let in when it dials, and dialled."""
        if address is not None:
            self._addresses[node] = address

    def unpin(self, node: str) -> None:
        """A node is registered no more: its next link is refused."""

    def renew(self, certificate: bytes) -> None:
        """CometBFT's links show the key that it started with."""

    def send(self, peer: str, payload: bytes, *, consensus: bool, bulk: bool = False) -> None:
        """There are no messages between nodes but CometBFT's."""
        self.dropped += 1

    def broadcast(self, payload: bytes, *, consensus: bool) -> None:
        """As ``send``."""
        self.dropped += 1

    def pause(self, peer: str) -> None:
        """Nothing is read from a peer."""

    def resume(self, peer: str) -> None:
        """Nothing is read from a peer."""

    def disconnect(self, peer: str, reason: str) -> None:
        """There are no links."""

    async def shown_to(self, method: str, params: Mapping[str, str], number: int) -> Any:
        """Return what CometBFT answers somebody who joins by a snapshot; raise ``Unavailable``."""
        try:
            return await self._rpc.shown(method, params, number)
        except RpcTrouble as error:
            raise Unavailable(str(error)) from None

    def carry_out(self, effect: AbciAnswer | AskCommit | Offer | SignWith) -> None:
        """Answer, look for a commit, give transactions to CometBFT's pool, or start it again with another key."""
        match effect:
            case AbciAnswer(connection, number, answer):
                self._server.answer(connection, number, answer)
            case AskCommit(height):
                self._commits.append(height)
                self._wanted.set()
            case Offer(raws):
                room = OFFERED_MAX - len(self._offers)
                self.dropped += max(0, len(raws) - room)
                self._offers += raws[: max(0, room)]
                self._offered.set()
            case SignWith(key):
                self._sign_with(key)

    def _sign_with(self, key: bytes) -> None:
        try:
            self.home = files.with_key(self.home, key)
        except KeyProblem as error:
            _log.error("consensus_key", reason=error.reason)
            return
        _log.info("engine_renewed", key=key.hex())
        self._child.renew()

    # What CometBFT asks

    def _asked(self, connection: int, number: int, request: Request) -> None:
        match request:
            case Echo(message):
                self._server.answer(connection, number, abci.echo(message))
            case Flush():
                self._server.answer(connection, number, abci.flush())
            case Query(path):
                allowed = not path.startswith(_FILTER_ID) or self._is_registered(path.removeprefix(_FILTER_ID))
                answer = abci.query(0 if allowed else 1, "" if allowed else "not registered")
                self._server.answer(connection, number, answer)
            case _:
                if isinstance(request, OfferSnapshot | ApplySnapshotChunk):
                    self._joined_s = asyncio.get_running_loop().time()
                self._give(AbciAsked(connection, number, request))

    def _is_registered(self, peer: str) -> bool:
        return any(files.peer_id(pin.certificate) == peer for pin in self._answering.pins)

    # CometBFT itself

    def _prepare(self) -> None:
        files.write(self.home)

    def _said(self, trouble: str) -> None:
        self._trouble = trouble
        self._give(EngineSeen((), False, trouble))

    async def _look(self) -> None:
        """See once a second whom CometBFT is linked to."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                linked, (height, follows) = await self._rpc.peers(), await self._rpc.progress()
                self._see_joining(height)
            except RpcTrouble as error:
                self._give(EngineSeen((), False, self._trouble or str(error)))
                self._see_joining(0)
                continue
            self._trouble = None
            names = {files.peer_id(pin.certificate): pin.node for pin in self._answering.pins}
            present = tuple(sorted(names[peer] for peer in linked if peer in names))
            self._give(EngineSeen(present, follows, None))
            await self._dial({node: peer for peer, node in names.items() if node not in present})

    def _see_joining(self, height: int) -> None:
        """M19: forget the snapshot once CometBFT has its state, or when it finds none: it takes the blocks then."""
        if self.home.trust is None:
            return
        idle_s = asyncio.get_running_loop().time() - self._joined_s
        if not height and idle_s < JOIN_PATIENCE_S:
            return
        self.home = replace(self.home, trust=None)
        files.keep_trust(self.home)
        if not height:
            _log.warning(
                "no_snapshot", text="no peer offered a snapshot that could be joined; blocks are taken instead"
            )
            self._child.renew()

    async def _dial(self, missing: Mapping[str, str]) -> None:
        """Dial who is missing: the node that is later in the alphabet at once, the other one seldom.

        Two that dial each other at one time refuse each other, and CometBFT does not try again for ever.
        """
        self._dial_in = (self._dial_in + 1) % DIAL_LOOKS
        wanted = [
            f"{peer}@{host}:{port}"
            for node, peer in missing.items()
            if node != self.home.node_id and (self.home.node_id > node or self._dial_in == 0)
            for host, port in [self._addresses.get(node, ("", 0))]
            if host
        ]
        if wanted:
            with suppress(RpcTrouble):
                await self._rpc.dial(wanted)

    async def _find_commits(self) -> None:
        while True:
            await self._wanted.wait()
            while self._commits:
                try:
                    decided = await self._rpc.commit(self._commits[0])
                except RpcTrouble:
                    await asyncio.sleep(RETRY_S)
                    continue
                self._commits.popleft()
                self._give(CommitFound(decided))
            self._wanted.clear()

    async def _give_offers(self) -> None:
        while True:
            await self._offered.wait()
            self._offered.clear()
            while self._offers:
                raws = [self._offers.popleft() for _ in range(min(len(self._offers), 100))]
                with suppress(RpcTrouble):  # what is lost is offered again while it waits in our pool
                    await self._rpc.offer(raws)


def require_short(home: Home) -> None:
    """Raise ``ConfigProblem`` if the sockets' paths are too long for the system."""
    if len(str(home.abci)) > files.SOCKET_PATH_MAX:
        raise ConfigProblem(
            f"{home.abci} is too long for a socket's path (at most {files.SOCKET_PATH_MAX} bytes): use a shorter folder"
        )
