"""For those who run the node: status, health, readiness, metrics.

Law: ``/healthz`` is 200 only when a block can commit here, and every other answer says in words what is missing.
"""

from __future__ import annotations

import dataclasses
from typing import Any

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.responses import Response

from coseal.contracts.membership import actions as membership
from coseal.ledger.render import time_text
from coseal.node.core.health import NodeStatus
from coseal.node.http.bodies import answer
from coseal.node.http.context import Context


def router(context: Context) -> APIRouter:
    """Return the operational routes."""
    routes = APIRouter(tags=["operations"])
    services = context.services

    @routes.get("/v1/status", summary="The node's view of itself and the network")
    async def status() -> Response:
        found = services.status()
        return answer(status_json(context, found), height=found.height)

    @routes.get("/healthz", summary="200 if a block can commit here, else 503 with the reason")
    async def health() -> Response:
        found = services.status()
        document = {"healthy": found.healthy, "height": found.height, "why_stalled": found.why_stalled}
        return answer(document, height=found.height, status=200 if found.healthy else 503)

    @routes.get("/readyz", summary="200 if this node has caught up and answers reads, else 503")
    async def ready() -> Response:
        found = services.status()
        document = {"ready": not found.syncing, "height": found.height, "syncing": found.syncing}
        return answer(document, height=found.height, status=503 if found.syncing else 200)

    @routes.get("/metrics", summary="Metrics in the Prometheus text format")
    async def metrics() -> Response:
        return Response(generate_latest(services.registry), 200, media_type=CONTENT_TYPE_LATEST)

    return routes


def status_json(context: Context, status: NodeStatus) -> dict[str, Any]:
    """Return the document of ``GET /v1/status``."""
    services, index = context.services, context.services.index
    own = membership.node(context.reader(), status.node) or {"member": None}
    member = None if own["member"] is None else membership.member(context.reader(), own["member"])
    return {
        "chain_id": status.chain_id.hex(),
        "chain_name": services.genesis.name,
        "node": status.node,
        "member": own["member"],
        "role": None if member is None else member["role"],
        "kind": status.kind,
        "voting": status.voting,
        "silence": status.silence,
        "software_version": status.software_version,
        "core": services.core.name,
        "protocol_version": status.protocol_version,
        "height": status.height,
        "first_height": services.first_height,
        "block_hash": status.block_hash.hex(),
        "state_root": status.state_root.hex(),
        "time": time_text(status.time_ms),
        "time_ms": status.time_ms,
        "clock_ms": services.now_ms(),
        "round": status.round,
        "leader": status.leader,
        "epoch": status.epoch,
        "validators": status.validators,
        "quorum": status.quorum,
        "peers": [
            {
                "node": peer.node,
                "validator": peer.validator,
                "connected": peer.connected,
                "height": peer.height,
                "age_ms": peer.age_ms,
            }
            for peer in status.peers
        ],
        "mempool": {"transactions": status.mempool_transactions, "bytes": status.mempool_bytes},
        "index": {
            "height": index.height,
            "lag": max(0, status.height - index.height),
            "resting": index.resting,
            "error": index.error,
            "left_out": index.left_out,
        },
        "syncing": status.syncing,
        "healthy": status.healthy,
        "why_stalled": status.why_stalled,
        "upgrade": None if status.upgrade is None else dataclasses.asdict(status.upgrade),
        "contracts": list(status.contracts),
        "evidence": status.evidence,
        "faults": status.faults,
        "aside": status.aside,
        "member_steps": status.member_steps,
        "sidecars": dataclasses.asdict(status.sidecars),
        "counters": dict(sorted(status.counters.items())),
    }
