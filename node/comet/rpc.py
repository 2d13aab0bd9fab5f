"""CometBFT's RPC on its Unix socket: what it shows of a decided block, its links, and giving it transactions.

Law: every call has an end and a bound; what comes back is read strictly or refused as ``RpcTrouble``, and never
believed by the machine.
"""

from __future__ import annotations

import asyncio
import base64
import json
from calendar import timegm
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from time import strptime
from typing import Any, Final

from coseal.ledger.comet import VoteKind, bytes_value, timestamp, varint
from coseal.ledger.equivocation import Signed, VoteRest
from coseal.ledger.signing import ZERO_HASH
from coseal.node.core.comet.certifying import Decided, DoubleVote, Precommit

TIMEOUT_S: Final = 5.0
ANSWER_BYTES_MAX: Final = 16 * 1024 * 1024
BATCH: Final = 100
_COMMITTED: Final = 2
_NO_EVIDENCE: Final = sha256(b"").hexdigest().upper()
_UNREADABLE: Final = (KeyError, TypeError, ValueError, AttributeError)


class RpcTrouble(Exception):
    """CometBFT does not answer, or not with what was asked for."""


class Rpc:
    """Calls over ``socket``; each has a connection of its own."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)

    async def commit(self, height: int) -> Decided:
        """Return the commit of a decided block and the double votes in it; raise ``RpcTrouble`` while there is none."""
        result = await self._result("commit", {"height": str(height)})
        decided = decided_in(result)
        try:
            accused = result["signed_header"]["header"]["evidence_hash"] not in ("", _NO_EVIDENCE)
        except _UNREADABLE as error:
            raise RpcTrouble(f"a commit that cannot be read: {error!r}") from None
        return replace(decided, double_votes=await self._double_votes(height)) if accused else decided

    async def _double_votes(self, height: int) -> tuple[DoubleVote, ...]:
        """Return the double votes in a block; what cannot be read is left out: other evidence than two votes."""
        result = await self._result("block", {"height": str(height)})
        found = []
        try:
            for shown in result["block"]["evidence"]["evidence"]:
                with suppress(*_UNREADABLE):
                    found.append(_double_vote(shown["value"]))
        except _UNREADABLE as error:
            raise RpcTrouble(f"evidence that cannot be read: {error!r}") from None
        return tuple(found)

    async def peers(self) -> tuple[str, ...]:
        """Return the ids of the nodes that CometBFT is linked to."""
        result = await self._result("net_info", {})
        try:
            return tuple(str(peer["node_info"]["id"]) for peer in result["peers"])
        except (KeyError, TypeError) as error:
            raise RpcTrouble(f"a list of peers that cannot be read: {error!r}") from None

    async def progress(self) -> tuple[int, bool]:
        """Return the height of CometBFT's state, and whether it catches up with blocks that are decided."""
        result = await self._result("status", {})
        try:
            return int(result["sync_info"]["latest_block_height"]), bool(result["sync_info"]["catching_up"])
        except (KeyError, TypeError, ValueError) as error:
            raise RpcTrouble(f"a status that cannot be read: {error!r}") from None

    async def shown(self, method: str, params: Mapping[str, str], number: int) -> Any:
        """Return CometBFT's whole answer to a call of somebody else, an error included."""
        return await self._post(call(method, dict(params), number))

    async def dial(self, peers: Sequence[str]) -> None:
        """Have CometBFT dial these ``ID@HOST:PORT``; whether it could, ``peers`` shows."""
        await self._result("dial_peers", {"peers": list(peers), "persistent": False})

    async def offer(self, raws: Sequence[bytes]) -> None:
        """Give transactions to CometBFT's pool; what it thinks of each is not waited for."""
        for start in range(0, len(raws), BATCH):
            calls = [
                call("broadcast_tx_async", {"tx": base64.b64encode(raw).decode()}, number)
                for number, raw in enumerate(raws[start : start + BATCH])
            ]
            await self._post(calls)

    async def _result(self, method: str, params: dict[str, Any]) -> Any:
        return result_in(await self._post(call(method, params, 0)), method)

    async def _post(self, body: Any) -> Any:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                return json.loads(await self._exchange(json.dumps(body).encode()))
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError) as error:
            raise RpcTrouble(f"CometBFT does not answer: {error or type(error).__name__}") from None

    async def _exchange(self, body: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self._socket, limit=ANSWER_BYTES_MAX)
        try:
            head = ("POST / HTTP/1.0", "Host: node", "Content-Type: application/json", f"Content-Length: {len(body)}")
            writer.write("\r\n".join((*head, "", "")).encode() + body)
            await writer.drain()
            answer = await reader.read(ANSWER_BYTES_MAX)
            while not reader.at_eof() and len(answer) < ANSWER_BYTES_MAX:
                answer += await reader.read(ANSWER_BYTES_MAX)
        finally:
            writer.close()
        _, found, content = answer.partition(b"\r\n\r\n")
        if not found:
            raise RpcTrouble("CometBFT's answer has no end")
        return content


def result_in(answer: Any, method: str) -> Any:
    """Return the result that an answer to a call holds; raise ``RpcTrouble`` for an error."""
    if type(answer) is not dict or "result" not in answer:
        raise RpcTrouble(f"{method}: {answer.get('error') if type(answer) is dict else answer}")
    return answer["result"]


def decided_in(result: Any) -> Decided:
    """Return the commit that an answer to ``commit`` holds; raise ``RpcTrouble``."""
    try:
        return _decided(result["signed_header"])
    except _UNREADABLE as error:
        raise RpcTrouble(f"a commit that cannot be read: {error!r}") from None


def call(method: str, params: dict[str, Any], number: int) -> dict[str, Any]:
    """Return what asks CometBFT's RPC, before it is JSON."""
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def _decided(shown: dict[str, Any]) -> Decided:
    header, commit = shown["header"], shown["commit"]
    parts = commit["block_id"]["parts"]
    votes = []
    for vote in commit["signatures"]:
        if vote["block_id_flag"] == _COMMITTED:
            seconds, nanoseconds = moment(vote["timestamp"])
            signature = base64.b64decode(vote["signature"], validate=True)
            votes.append(Precommit(bytes.fromhex(vote["validator_address"]), seconds, nanoseconds, signature))
    return Decided(
        *_place(commit),
        int(parts["total"]),
        bytes.fromhex(parts["hash"]),
        tuple(_fields(header)),
        tuple(votes),
    )


def _place(shown: dict[str, Any]) -> tuple[int, int]:
    """Return a height and a round, in their bounds; raise ``ValueError``."""
    height, round = int(shown["height"]), int(shown["round"])
    if not 1 <= height < 2**63 or not 0 <= round < 2**31:
        raise ValueError(f"no height and round: {height}, {round}")
    return height, round


def _double_vote(shown: dict[str, Any]) -> DoubleVote:
    one, other = shown["vote_a"], shown["vote_b"]
    places = [
        (bytes.fromhex(vote["validator_address"]), *_place(vote), VoteKind(vote["type"])) for vote in (one, other)
    ]
    if places[0] != places[1]:
        raise ValueError("the votes are of two places")
    return DoubleVote(*places[0], _signed(one), _signed(other))


def _signed(vote: dict[str, Any]) -> Signed:
    block_hash, parts = bytes.fromhex(vote["block_id"]["hash"]), vote["block_id"]["parts"]
    rest = VoteRest(int(parts["total"]), bytes.fromhex(parts["hash"]) or ZERO_HASH, *moment(vote["timestamp"]))
    return Signed(block_hash or ZERO_HASH, base64.b64decode(vote["signature"], validate=True), rest)


def _fields(header: dict[str, Any]) -> list[bytes]:
    """Return the 14 fields of CometBFT's header as it hashes them; one that is empty is nothing."""
    version, last = header["version"], header["last_block_id"]
    parts = _number(1, int(last["parts"]["total"])) + _octets(2, last["parts"]["hash"])
    chain_id = header["chain_id"].encode()
    hashes = ("validators_hash", "next_validators_hash", "consensus_hash", "app_hash", "last_results_hash")
    return [
        _number(1, int(version.get("block", 0))) + _number(2, int(version.get("app", 0))),
        bytes_value(chain_id),
        _number(1, int(header["height"])),
        timestamp(*moment(header["time"])),
        _octets(1, last["hash"]) + b"\x12" + varint(len(parts)) + parts,
        _octets(1, header["last_commit_hash"]),
        _octets(1, header["data_hash"]),
        *(_octets(1, header[name]) for name in hashes),
        _octets(1, header["evidence_hash"]),
        _octets(1, header["proposer_address"]),
    ]


def moment(text: str) -> tuple[int, int]:
    """Return seconds and nanoseconds since the epoch of a time as CometBFT writes it; raise ``ValueError``."""
    if not text.endswith("Z"):
        raise ValueError(f"not a time in UTC: {text!r}")
    whole, _, fraction = text[:-1].partition(".")
    if len(fraction) > 9 or (fraction and not fraction.isdecimal()):
        raise ValueError(f"not a time: {text!r}")
    return timegm(strptime(whole, "%Y-%m-%dT%H:%M:%S")), int(fraction.ljust(9, "0"))


def _number(number: int, value: int) -> bytes:
    return varint(number << 3) + varint(value) if value else b""


def _octets(number: int, text: str) -> bytes:
    value = bytes.fromhex(text)
    return varint(number << 3 | 2) + varint(len(value)) + value if value else b""
