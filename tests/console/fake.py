"""Nodes that serve a chain made in memory, honest or not, without a process or a socket."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import httpx

from coseal.console.light import LightClient
from coseal.console.nodes import Address, Nodes
from coseal.console.reader import Reader
from coseal.ledger import codec
from coseal.ledger.proof import CertifiedValue, TransactionProof
from coseal.ledger.render import proof_json, state_proof_json
from tests.audit.conftest import Chain

Twist = Callable[[str, Any], Any]
"""``twist(path, answer)`` returns another answer: bytes, a document, a status, or an exception to raise."""


class FakeNetwork:
    """Nodes by name, each with the chain it serves and how it twists its answers."""

    def __init__(self, **chains: Chain) -> None:
        self.chains = chains
        self.twists: dict[str, Twist] = {}
        self.asked: list[tuple[str, str]] = []
        self.holding: dict[tuple[str, str], list[asyncio.Event]] = {}
        """What is waited for before a node's next answers to a path are given, one event each."""
        transport = httpx.MockTransport(self._answer)
        addresses = [Address(name, f"http://{name}") for name in chains]
        self.nodes = Nodes(addresses, transport=transport)
        self.light = LightClient(next(iter(chains.values())).genesis, self.nodes)
        self.reader = Reader(self.nodes, self.light)

    async def follow(self) -> None:
        """Poll, and follow as far as nodes lead."""
        await self.nodes.poll()
        while await self.light.advance():
            pass

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        name, path = request.url.host, request.url.path
        self.asked.append((name, path))
        if held := self.holding.get((name, path)):
            await held.pop(0).wait()
        answer = self._honest(self.chains[name], path, request.url.params)
        if name in self.twists:
            answer = self.twists[name](path, answer)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer, json={"code": f"http_{answer}", "detail": "as told"})
        return httpx.Response(200, content=answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    def _honest(self, chain: Chain, path: str, params: httpx.QueryParams) -> Any:
        tip = chain.blocks[-1]
        if path == "/v1/status":
            return {
                "node": "regulator",
                "height": tip.block.header.height,
                "healthy": True,
                "leader": "bank-a",
                "peers": [],
            }
        first, limit = int(params.get("from", 1)), int(params.get("limit", 100))
        if path == "/v1/stream":
            return b'id: 3:0\nevent: transaction\ndata: {"height": 3}\n\n: comment\n\n'
        if path == "/v1/headers":
            found = chain.blocks[first - 1 : first - 1 + limit]
            return codec.encode([[one.block.header.raw, one.certificate.encode()] for one in found])
        if path == "/v1/blocks":
            return codec.encode([one.encode() for one in chain.blocks[first - 1 : first - 1 + limit]])
        if path.startswith("/v1/blocks/"):
            height = path.rpartition("/")[2]
            if height != "latest" and int(height) > len(chain.blocks):
                return 404
            return (tip if height == "latest" else chain.blocks[int(height) - 1]).encode()
        if path.startswith("/v1/state/"):
            key = path.removeprefix("/v1/state/").encode()
            value, proof = chain.executor.state.prove(key)
            return state_proof_json(CertifiedValue(key, value, proof, tip.block.header, tip.certificate))
        if path == "/v1/proofs":
            keys = [key.encode() for key in json.loads(params["keys"])]
            proven = [(key, *chain.executor.state.prove(key)) for key in keys]
            head = (tip.block.header, tip.certificate)
            return codec.encode([CertifiedValue(*one, *head).encode() for one in proven])
        if path.startswith("/v1/transactions/"):
            return proof_json(TransactionProof.of(chain.blocks[2], 0))
        if path == "/v1/validators":
            current = chain.executor.validators
            seats = [{"id": s.id, "member": s.member, "role": s.role, "key": s.key.hex()} for s in current.validators]
            return {"epoch": current.epoch, "validators": seats}
        return 404
