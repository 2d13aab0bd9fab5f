"""The console as a whole: what it was started with, and what runs in it.

Law: the genesis and the key are files of this machine; everything else comes from nodes.
"""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from coseal.audit.sources import Source, UrlSource
from coseal.console.audits import Audits
from coseal.console.guard import BrowserSession
from coseal.console.light import LightClient
from coseal.console.live import Live, LookUp
from coseal.console.nodes import Address, Nodes
from coseal.console.reader import Reader
from coseal.console.signing import Operator
from coseal.ledger.genesis import Genesis


class Console:
    """One console: a chain, the nodes it asks, and perhaps a key to act with."""

    def __init__(
        self,
        genesis: Genesis,
        addresses: Sequence[Address],
        *,
        port: int,
        operator: Operator | None = None,
        token: str | None = None,
        look_up: LookUp | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.genesis = genesis
        self.operator = operator
        self.session = BrowserSession(port)
        self.nodes = Nodes(addresses, token=token, transport=transport)
        self.light = LightClient(genesis, self.nodes)
        self.reader = Reader(self.nodes, self.light)
        self.live = Live(self.nodes, self.light, look_up)
        self._token = token
        self.audits = Audits(genesis, self._sources, self.live.ring)

    def _sources(self) -> list[Source]:
        """Return the nodes as an audit reads them: all, so that they are compared."""
        return [UrlSource(address.url, address.name, address.token or self._token) for address in self.nodes.addresses]
