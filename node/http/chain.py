"""The chain itself: genesis, blocks, headers, validators, members, and the state with its proofs.

Law: what is given in binary is the stored bytes, unchanged, so a client can verify it against genesis alone.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from coseal.contracts.evidence import actions as evidence
from coseal.contracts.kernel.action import Reader
from coseal.contracts.membership import actions as membership
from coseal.contracts.membership import epochs as membership_epochs
from coseal.ledger import codec
from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import Malformed
from coseal.ledger.handover import Handover, handover_json, with_handovers
from coseal.ledger.head import Head
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import block_json, certificate_json, header_json, plain, state_proof_json
from coseal.ledger.signing import HASH_BYTES
from coseal.ledger.snapshot import MAX_DEPTH, Manifest
from coseal.ledger.state import MAX_KEY_BYTES
from coseal.ledger.strict_json import strict_json
from coseal.node.http.bodies import HEIGHT_HEADER, JSON, MSGPACK, answer, msgpack_list, wants_msgpack
from coseal.node.http.context import Context, WithHandovers
from coseal.node.http.problems import Problem, unavailable

_HEIGHT_MAX = 2**63 - 1
_JSON_BLOCKS = 100
_JSON_HASHES = 4_096
_PROVEN_KEYS = 256

From = Annotated[int, Query(alias="from", ge=1, le=_HEIGHT_MAX, description="First height.")]
FromEpoch = Annotated[int, Query(alias="from", ge=1, le=_HEIGHT_MAX, description="First epoch.")]
Limit = Annotated[int, Query(ge=1, le=1_000, description="At most so many; fewer if they would be too large.")]
HeightOrLatest = Annotated[str, Path(pattern="^(latest|[0-9]{1,19})$", description="A height, or `latest`.")]
Keys = Annotated[str, Query(description=f'State keys as a JSON list, `["contract/key", ...]`, {_PROVEN_KEYS} at most.')]
KeyProof = Annotated[bool, Query(description="Prove the value, or its absence, against the certified state root.")]


def router(context: Context) -> APIRouter:
    """Return the routes of the chain."""
    routes = APIRouter(prefix="/v1", tags=["chain"])
    fresh = [Depends(context.fresh)]
    services = context.services

    @routes.get("/genesis", summary="The exact bytes of the genesis document")
    async def genesis() -> Response:
        return Response(services.genesis.raw, 200, {HEIGHT_HEADER: str(services.height)}, JSON)

    @routes.get("/blocks", summary="Committed blocks from a height on", dependencies=fresh)
    async def blocks(request: Request, from_height: From = 1, limit: Limit = 100) -> Response:
        tip = services.height
        context.require_kept(from_height)
        if wants_msgpack(request.headers):
            return msgpack_list(await asyncio.to_thread(_read_raw, context, from_height, limit), height=tip)
        found = await asyncio.to_thread(_read_raw, context, from_height, min(limit, _JSON_BLOCKS))
        rendered = await asyncio.to_thread(lambda: [block_json(CommittedBlock.decode(raw)) for raw in found])
        return answer({"height": tip, "blocks": rendered, "next": _next(from_height, len(found), tip)}, height=tip)

    @routes.get("/headers", summary="Headers and their commit certificates from a height on", dependencies=fresh)
    async def headers(request: Request, from_height: From = 1, limit: Limit = 1_000) -> Response:
        tip = services.height
        heads = await asyncio.to_thread(_read_heads, context, from_height, limit)
        if wants_msgpack(request.headers):
            return msgpack_list([[head.header.raw, head.certificate.encode()] for head in heads], height=tip)
        rendered = await asyncio.to_thread(lambda: [_head_json(head) for head in heads])
        return answer({"height": tip, "headers": rendered, "next": _next(from_height, len(heads), tip)}, height=tip)

    @routes.get("/snapshot", summary="The newest snapshot of the state that this node has")
    async def snapshot(request: Request) -> Response:
        manifest = services.snapshot()
        if manifest is None:
            raise Problem(404, "no_snapshot", "this node has no snapshot yet", more={"height": services.height})
        if wants_msgpack(request.headers):
            return Response(manifest.encode(), 200, {HEIGHT_HEADER: str(manifest.height)}, MSGPACK)
        return answer(_manifest_json(manifest), height=manifest.height)

    @routes.get(
        "/snapshot/{height:part}/{item:part}", summary="A chunk of a snapshot; the item after the last is its block"
    )
    async def snapshot_item(
        height: Annotated[int, Path(ge=1, le=_HEIGHT_MAX)], item: Annotated[int, Path(ge=0, le=1 << MAX_DEPTH)]
    ) -> Response:
        data = await asyncio.to_thread(services.snapshot_item, height, item)
        if data is None:
            raise Problem(404, "no_snapshot", "it is not here (any more); ask /v1/snapshot for the newest one")
        return Response(data, 200, {HEIGHT_HEADER: str(height)}, MSGPACK)

    @routes.get("/blocks/{height:part}", summary="One committed block", dependencies=fresh)
    async def block(request: Request, height: HeightOrLatest) -> Response:
        tip = services.height
        wanted = tip if height == "latest" else int(height)
        context.require_kept(wanted)
        raw = await asyncio.to_thread(services.read_block, wanted) if 1 <= wanted <= tip else None
        if raw is None:
            raise Problem(404, "unknown_block", f"blocks 1 to {tip} are committed here", more={"height": tip})
        if wants_msgpack(request.headers):
            return Response(raw, 200, {HEIGHT_HEADER: str(tip), "Coseal-Tip": str(tip)}, MSGPACK)
        rendered = await asyncio.to_thread(lambda: block_json(CommittedBlock.decode(raw)))
        return answer({"height": wanted, **rendered}, height=tip)

    @routes.get("/validators", summary="The validators of a height, and since when", dependencies=fresh)
    async def validators(height: Annotated[int | None, Query(ge=1, le=_HEIGHT_MAX)] = None) -> Response:
        tip = services.height
        wanted = tip + 1 if height is None else height
        if wanted > tip + 1:
            raise Problem(404, "unknown_height", f"validators are known up to height {tip + 1}", more={"height": tip})
        reader = context.reader()
        deciding = membership_epochs.validators_at(reader, wanted)
        found = None if deciding is None else membership_epochs.epoch(reader, deciding.epoch)
        if found is None:
            raise unavailable("the state does not hold the validators of this height")
        shown, proofs = membership_epochs.shown(found), evidence.counts(reader)
        shown["validators"] = [{**seat, "proofs": proofs.get(seat["id"], 0)} for seat in shown["validators"]]
        return answer({"height": wanted, **shown}, height=tip)

    @routes.get("/handovers", summary="What leads from the genesis to the validators of each epoch", dependencies=fresh)
    async def handovers(request: Request, from_epoch: FromEpoch = 1, limit: Limit = 200) -> Response:
        tip = services.height
        last = min(services.validators.epoch, from_epoch + limit - 1)
        found = await context.handovers(last, from_epoch)
        if wants_msgpack(request.headers):
            return msgpack_list([handover.encode() for handover in found], height=tip)
        following = last + 1 if last < services.validators.epoch else None
        rendered = [_handover_json(handover) for handover in found]
        return answer({"height": tip, "handovers": rendered, "next": following}, height=tip)

    @routes.get("/members", summary="Members, their operators and nodes", dependencies=fresh)
    async def members() -> Response:
        height = services.height
        return answer({"height": height, "members": membership.members(context.reader())}, height=height)

    @routes.get("/members/{id:part}", summary="One member", dependencies=fresh)
    async def member(id: Annotated[str, Path(max_length=64)]) -> Response:
        height, reader = services.height, context.reader()
        found = membership.member(reader, id)
        if found is None:
            raise Problem(404, "unknown_member", "no member has this id", more={"height": height})
        proven = [row for row in evidence.summary(reader) if row["member"] == id]
        return answer({"height": height, "member": found, "evidence": proven}, height=height)

    @routes.get("/nodes", summary="Registered nodes, with the keys they validated with", dependencies=fresh)
    async def nodes() -> Response:
        reader, height = context.reader(), services.height
        seats = _seats(reader)
        found = [{**node, "seats": seats.get(node["id"], [])} for node in membership.nodes(reader)]
        return answer({"height": height, "nodes": found}, height=height)

    @routes.get("/nodes/{id:part}", summary="One node, also a former one", dependencies=fresh)
    async def node(id: Annotated[str, Path(max_length=64)]) -> Response:
        reader, height = context.reader(), services.height
        found = membership.node(reader, id)
        if found is None:
            raise Problem(404, "unknown_node", "no node has or had this id", more={"height": height})
        return answer({"height": height, "node": {**found, "seats": _seats(reader).get(id, [])}}, height=height)

    @routes.get("/state/{contract:part}/{key:rest}", summary="A value of the state, with its proof", dependencies=fresh)
    async def state(
        contract: Annotated[str, Path(max_length=64)],
        key: Annotated[str, Path()],
        proof: KeyProof = False,
        handovers: WithHandovers = True,
    ) -> Response:
        full = f"{contract}/{key}"
        if not proof:
            height, value = services.height, services.state.get(full.encode())
            present = {"key": full, "present": value is not None, "value": None if value is None else _value(value)}
            return answer({"height": height, **present}, height=height)
        certified = await prove_key(context, full)
        document = await proof_document(context, certified, handovers=handovers)
        return answer(document, height=certified.header.height)

    @routes.get("/proofs", summary="Values of the state of one block, each with its proof", dependencies=fresh)
    async def proofs(request: Request, keys: Keys, handovers: WithHandovers = True) -> Response:
        found = await prove_keys(context, _keys(keys))
        height = found[0].header.height
        encoded = [certified.encode() for certified in found]
        if sum(map(len, encoded)) > context.limits.response_bytes:
            raise Problem(422, "too_many_rows", "these values and their proofs are too large together; give fewer keys")
        if wants_msgpack(request.headers):
            return msgpack_list(encoded, height=height)
        document = {"height": height, "proofs": [state_proof_json(certified) for certified in found]}
        leading = await context.handovers(found[0].header.epoch) if handovers else ()
        return answer(with_handovers(document, leading), height=height)

    return routes


def _keys(text: str) -> list[str]:
    """Return the state keys of a query parameter; raise the problem 400."""
    try:
        keys = codec.sequence(strict_json(text, "keys"), "keys", limit=_PROVEN_KEYS)
        found = [codec.text(key, "keys", limit=MAX_KEY_BYTES) for key in keys]
    except Malformed as error:
        raise Problem(400, "invalid_parameter", error.reason) from None
    if not found:
        raise Problem(400, "invalid_parameter", "keys: give at least one")
    return found


def _seats(reader: Reader) -> dict[str, list[dict[str, Any]]]:
    """Return by node from which height to which (None: still) it validated with which key, oldest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for epoch in membership_epochs.epochs(reader):
        for rows in found.values():
            if rows[-1]["to"] is None:
                rows[-1]["to"] = epoch["first_height"] - 1
        for seat in epoch["validators"]:
            rows = found.setdefault(seat["id"], [])
            if rows and rows[-1]["key"] == seat["key"] and rows[-1]["to"] == epoch["first_height"] - 1:
                rows[-1]["to"] = None
            else:
                rows.append({"key": seat["key"], "from": epoch["first_height"], "to": None})
    return found


async def prove_key(context: Context, key: str) -> CertifiedValue:
    """Return a key's value and its proof against the newest certified header; raise the problem 503 at genesis."""
    [certified] = await prove_keys(context, [key])
    return certified


async def prove_keys(context: Context, keys: Sequence[str]) -> list[CertifiedValue]:
    """Return the values of keys and their proofs, all against one header; see ``prove_key``."""
    services = context.services
    height = services.height  # the proofs are of the same moment: nothing is awaited between
    proven = [(key.encode(), *services.state.prove(key.encode())) for key in keys]
    header, certificate = await context.certified(height)
    return [CertifiedValue(key, value, proof, header, certificate) for key, value, proof in proven]


async def proof_document(context: Context, certified: CertifiedValue, *, handovers: bool = True) -> dict[str, Any]:
    """Return the state-proof document, with what leads from the genesis to its epoch."""
    leading = await context.handovers(certified.header.epoch) if handovers else ()  # Y25
    return with_handovers(state_proof_json(certified), leading)


def _value(raw: bytes) -> Any:
    return plain(codec.decode(raw))


def _next(first: int, count: int, tip: int) -> int | None:
    """Return where the next page starts, None when this one reaches the tip."""
    return first + count if first + count <= tip else None


def _read_raw(context: Context, first: int, limit: int) -> list[bytes]:
    """Return encoded blocks from ``first`` on, at least one if it exists, at most the response's size."""
    raws: list[bytes] = []
    size = 0
    for height in range(first, min(first + limit - 1, context.services.height) + 1):
        raw = context.services.read_block(height)
        if raw is None or (raws and size + len(raw) > context.limits.response_bytes):
            break
        size += len(raw)
        raws.append(raw)
    return raws


def _read_heads(context: Context, first: int, limit: int) -> list[Head]:
    """Return the heads from ``first`` on, whether the bodies are pruned or not."""
    heights = range(first, min(first + limit - 1, context.services.height) + 1)
    found = (context.services.read_head(height) for height in heights)
    return [Head.decode(raw) for raw in itertools.takewhile(lambda raw: raw is not None, found) if raw is not None]


def _head_json(head: Head) -> dict[str, Any]:
    return {"header": header_json(head.header), "certificate": certificate_json(head.certificate)}


def _handover_json(handover: Handover) -> dict[str, Any]:
    return {"epoch": handover.epoch, "first_height": handover.header.height + 1, **handover_json(handover)}


def _manifest_json(manifest: Manifest) -> dict[str, Any]:
    """Return what a snapshot is; ``hashes`` are the nodes of the state tree that its chunks are."""
    hashes = [manifest.hashes[i : i + HASH_BYTES].hex() for i in range(0, len(manifest.hashes), HASH_BYTES)]
    return {
        "height": manifest.height,
        "block_hash": manifest.header.hash.hex(),
        "state_root": manifest.header.state_root.hex(),
        "state_bits": manifest.bits,
        "depth": manifest.depth,
        "chunks": manifest.chunks,
        "hashes": hashes if len(hashes) <= _JSON_HASHES else [],
        "header": header_json(manifest.header),
        "certificate": certificate_json(manifest.certificate),
    }
