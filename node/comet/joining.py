"""What a node without CometBFT's data asks other nodes over HTTP, before its CometBFT starts.

Law: the hash from which CometBFT follows the headers is believed only with the signatures of a quorum of the genesis'
validators; what else is said decides nothing but which way the node catches up, and up to which height it stays silent.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from dataclasses import replace
from typing import Any, Final

import structlog

from coseal.ledger import signing
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.node.comet import files
from coseal.node.comet.files import Home, Trust
from coseal.node.comet.rpc import ANSWER_BYTES_MAX, TIMEOUT_S, RpcTrouble, call, decided_in, result_in
from coseal.node.core.comet.certifying import block_hash_of

PATH: Final = "/v1/engine"
"""Where a node's HTTP API shows CometBFT's headers, as its RPC would."""
SILENT_BLOCKS: Final = 2
"""How far past the highest known height a key may have signed whose guard is lost (N25)."""
_OPENER: Final = urllib.request.build_opener(urllib.request.ProxyHandler({}))
_log = structlog.get_logger("node")


async def prepared(home: Home, height: int) -> Home:
    """Return ``home`` with what its CometBFT starts with: what it joins with, if it is to join by a snapshot.

    ``height`` is that of the node's state. Of a CometBFT that has data, what was decided before holds.
    """
    if not home.is_new:
        return replace(home, trust=files.kept_trust(home))
    shown = [found for found in await asyncio.gather(*(_look(one, home.genesis) for one in home.sources)) if found]
    found = None
    if shown:
        tip, (block_hash, _) = max(tip for _, _, tip in shown), shown[0][:2]
        if wants_snapshot(height, tip, home.join_gap_blocks):
            found = Trust(block_hash, tuple(server for _, server, _ in shown))
        home = replace(home, signs_above=tip + SILENT_BLOCKS)  # M15
    home = replace(home, trust=found)
    files.keep_trust(home)
    return home


def wants_snapshot(height: int, tip: int, gap_blocks: int) -> bool:
    """M16: say whether a node joins by a snapshot: its CometBFT has lost what the node has, or the chain is long."""
    return height > 0 or 0 < gap_blocks <= tip


async def _look(source: str, genesis: Genesis) -> tuple[bytes, str, int] | None:
    """Return the hash of the first block as a source shows it, its RPC's address, and its height; None if it cannot."""
    server = source.rstrip("/") + PATH
    try:
        first = decided_in(await asyncio.to_thread(_ask, server, "commit", {"height": "1"}))
        latest = decided_in(await asyncio.to_thread(_ask, server, "commit", {}))
        if first.height != 1:
            raise RpcTrouble(f"it shows height {first.height} as the first")
        block_hash = block_hash_of(first, genesis.chain_id, genesis.validators, signing.verify)
    except RpcTrouble as error:
        _log.warning("join_source", source=source, reason=str(error))
    except LedgerError as error:
        _log.warning("join_source", source=source, reason=error.reason)
    else:
        return block_hash, server, latest.height
    return None


def _ask(server: str, method: str, params: dict[str, str]) -> Any:
    body = json.dumps(call(method, params, 0)).encode()
    request = urllib.request.Request(server, body, {"Content-Type": "application/json"})
    try:
        with _OPENER.open(request, timeout=TIMEOUT_S) as response:
            answer = json.loads(response.read(ANSWER_BYTES_MAX))
    except (OSError, ValueError) as error:
        raise RpcTrouble(str(error)) from None
    return result_in(answer, method)
