"""What CometBFT is configured with: made again at every start from the genesis, the node's keys and its registry.

Law: nothing in ``engine/`` is for editing; ``data/priv_validator_state.json`` is CometBFT's guard against signing twice
and is never touched once it is there. Nothing is downloaded: the binary is the operator's, and must be the pinned one.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from coseal.ledger.comet import address_of, comet_chain_id
from coseal.ledger.engines import COMETBFT_INSTALL, COMETBFT_VERSION, is_cometbft
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import Ed25519Signer
from coseal.node.config import ConfigProblem
from coseal.node.signing import keys

FOLDER: Final = "engine"
ABCI_SOCKET: Final = "abci.sock"
RPC_SOCKET: Final = "rpc.sock"
SOCKET_PATH_MAX: Final = 100
"""A path of a Unix socket has some 107 bytes at most."""
LINK_WAIT: Final = "1ms"
GOSSIP_WAIT: Final = "5ms"
"""How long CometBFT gathers what a link sends, and looks again for what a peer lacks: most of its latency."""
EVIDENCE_WINDOW: Final = {"max_age_num_blocks": "100", "max_age_duration": str(10 * 60 * 1_000_000_000)}
"""M21: how long after a double vote CometBFT puts it into a block: until both are over, blocks and nanoseconds."""
_ROOM_BYTES: Final = 64 * 1024
_MAX_TRANSACTION_BYTES: Final = 256 * 1024 + 64
_TRUST: Final = "trust.json"
_CHUNKS: Final = "chunks"
_PRECOMMITTED: Final = 3
_FLAG: Final = "tendermint"  # CometBFT's names of key types still say so


@dataclass(frozen=True, slots=True)
class Trust:
    """The hash of CometBFT's first block, and the addresses at which its RPC shows the headers that follow."""

    hash: bytes
    servers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Home:
    """Where CometBFT lives, and with which keys: ``folder`` is ``engine/`` in the node's folder."""

    folder: Path
    binary: Path
    genesis: Genesis
    node_id: str
    listen: tuple[str, int]
    consensus_seed: bytes
    link_seed: bytes
    consensus_files: tuple[Path, ...] = ()
    """Where this node's consensus keys are, the present one and the one that is to follow it."""
    sources: tuple[str, ...] = ()
    """Nodes' HTTP addresses at which a node without CometBFT's data asks about the chain."""
    join_gap_blocks: int = 0
    trust: Trust | None = None
    """What CometBFT joins by a snapshot with; None if it does not."""
    signs_above: int = 0
    """The height up to which a key whose guard is made now may have signed before (M15)."""

    @property
    def is_new(self) -> bool:
        """Whether CometBFT has no data here yet."""
        return not (self.folder / "data" / "state.db").exists()

    @property
    def abci(self) -> Path:
        """The socket on which this node answers."""
        return self.folder / ABCI_SOCKET

    @property
    def rpc(self) -> Path:
        """The socket on which CometBFT answers."""
        return self.folder / RPC_SOCKET


def find_binary(given: Path | None) -> Path:
    """Return CometBFT's binary, from the configuration or the PATH; raise ``ConfigProblem`` for none or another."""
    found = given or (None if (on_path := shutil.which("cometbft")) is None else Path(on_path))
    if found is None or not found.is_file():
        where = f"{found} is not there" if found is not None else "there is no cometbft on the PATH"
        raise ConfigProblem(
            f"CometBFT orders this chain, and {where}: `{COMETBFT_INSTALL}`, or name it in cometbft_binary"
        )
    if not is_cometbft(found.read_bytes()):
        raise ConfigProblem(f"{found} is not CometBFT {COMETBFT_VERSION} as released: `{COMETBFT_INSTALL}`")
    return found


def with_key(home: Home, key: bytes) -> Home:
    """Return a home whose CometBFT signs with another key of this node; raise ``KeyProblem`` if no file has it."""
    for path in home.consensus_files:
        if path.exists():
            private = keys.load_private_key(path, keys.passphrase())
            if private.public_key().public_bytes_raw() == key:
                return replace(home, consensus_seed=private.private_bytes_raw())
    raise keys.KeyProblem(f"no file of this node has the consensus key {key.hex()}")


def peer_id(certificate: bytes) -> str:
    """Return what CometBFT calls the node with this link certificate: the address of its key, in hexadecimal."""
    return address_of(keys.key_in_certificate(certificate)).hex()


def write(home: Home) -> None:
    """Write everything but CometBFT's own data."""
    (home.folder / "config").mkdir(mode=0o700, parents=True, exist_ok=True)
    (home.folder / "data").mkdir(mode=0o700, exist_ok=True)
    home.rpc.unlink(missing_ok=True)  # a killed CometBFT leaves it, and does not start where it is
    _write(home.folder / "config" / "config.toml", _toml(_settings(home)))
    _write(home.folder / "config" / "genesis.json", json.dumps(_genesis(home.genesis), indent=1))
    _write(
        home.folder / "config" / "priv_validator_key.json", json.dumps(_validator_key(home.consensus_seed), indent=1)
    )
    _write(home.folder / "config" / "node_key.json", json.dumps({"priv_key": _private(home.link_seed)}))
    if home.trust is not None:
        shutil.rmtree(home.folder / _CHUNKS, ignore_errors=True)
        (home.folder / _CHUNKS).mkdir(mode=0o700)
    guard = home.folder / "data" / "priv_validator_state.json"
    if not guard.exists() and not any(guard.parent.iterdir()):
        last = {"round": 2**31 - 1, "step": _PRECOMMITTED} if home.signs_above else {"round": 0, "step": 0}
        _write(guard, json.dumps({"height": str(home.signs_above), **last}))


def _settings(home: Home) -> dict[str, dict[str, Any]]:
    """Return what differs from CometBFT's defaults. Its own waits, of 100 ms each, are most of its latency."""
    parameters = home.genesis.parameters
    timeout = f"{parameters.round_timeout_ms}ms"
    half = f"{max(1, parameters.round_timeout_ms // 2)}ms"
    host, port = home.listen
    return {
        "": {
            "proxy_app": f"unix://{ABCI_SOCKET}",
            "moniker": home.node_id,
            "filter_peers": True,
            "log_level": "error",
            "log_format": "json",
        },
        "rpc": {
            "laddr": f"unix://{RPC_SOCKET}",
            "unsafe": True,  # only we reach the socket; it has CometBFT dial, which gives up by itself after a while
            "max_request_batch_size": 256,
            "max_body_bytes": 64 * 1024 * 1024,  # a batch of the largest transactions, as base64
        },
        "p2p": {
            "laddr": f"tcp://{host}:{port}",
            "pex": False,
            "addr_book_strict": False,
            "allow_duplicate_ip": True,
            "max_num_inbound_peers": 256,
            "max_num_outbound_peers": 256,
            "flush_throttle_timeout": LINK_WAIT,
        },
        "mempool": {
            "size": 10_000,
            "max_txs_bytes": 64 * 1024 * 1024,
            "max_tx_bytes": _MAX_TRANSACTION_BYTES,
            "cache_size": 20_000,
            "recheck": True,
        },
        "consensus": {
            "timeout_propose": timeout,
            "timeout_propose_delta": half,
            "timeout_prevote": half,
            "timeout_prevote_delta": half,
            "timeout_precommit": half,
            "timeout_precommit_delta": half,
            "timeout_commit": "0s",
            "create_empty_blocks": False,
            "peer_gossip_sleep_duration": GOSSIP_WAIT,
        },
        "tx_index": {"indexer": "null"},
        **({} if home.trust is None else {"statesync": _state_sync(home.trust)}),
    }


def _state_sync(trust: Trust) -> dict[str, Any]:
    """Return how CometBFT joins by a snapshot: from the block that the genesis' validators decided, however old."""
    servers = trust.servers if len(trust.servers) > 1 else trust.servers * 2  # it wants two
    return {
        "enable": True,
        "rpc_servers": ",".join(servers),
        "trust_height": 1,
        "trust_hash": trust.hash.hex(),
        "trust_period": "1000000h",
        "discovery_time": "5s",
        "chunk_request_timeout": "5s",
        "max_snapshot_chunks": 10_000_000,
        "temp_dir": _CHUNKS,
    }


def keep_trust(home: Home) -> None:
    """Let the next start of the node find what CometBFT joins with; forget it where it joins by no snapshot."""
    path = home.folder / _TRUST
    if home.trust is None:
        path.unlink(missing_ok=True)
    else:
        _write(path, json.dumps({"hash": home.trust.hash.hex(), "servers": home.trust.servers}))


def kept_trust(home: Home) -> Trust | None:
    """Return what was kept, None if CometBFT joins by no snapshot."""
    try:
        found = json.loads((home.folder / _TRUST).read_text("utf-8"))
        return Trust(bytes.fromhex(found["hash"]), tuple(map(str, found["servers"])))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _genesis(genesis: Genesis) -> dict[str, Any]:
    at = datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=genesis.time_ms + 1)
    bound = min(genesis.parameters.block_bytes_max + _ROOM_BYTES, 100 * 1024 * 1024)
    return {
        "genesis_time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "chain_id": comet_chain_id(genesis.chain_id),
        "initial_height": "1",
        "consensus_params": {
            "block": {"max_bytes": str(bound), "max_gas": "-1"},
            "evidence": {**EVIDENCE_WINDOW, "max_bytes": "65536"},
            "validator": {"pub_key_types": ["ed25519"]},
            "version": {"app": "0"},
            "abci": {"vote_extensions_enable_height": "0"},
        },
        "validators": [
            {
                "address": address_of(seat.key).hex().upper(),
                "pub_key": _public(seat.key),
                "power": "1",
                "name": seat.id,
            }
            for seat in genesis.validators.validators
        ],
        "app_hash": "",
    }


def _validator_key(seed: bytes) -> dict[str, Any]:
    key = Ed25519Signer(seed).public_key
    return {"address": address_of(key).hex().upper(), "pub_key": _public(key), "priv_key": _private(seed)}


def _public(key: bytes) -> dict[str, str]:
    return {"type": f"{_FLAG}/PubKeyEd25519", "value": base64.b64encode(key).decode()}


def _private(seed: bytes) -> dict[str, str]:
    both = base64.b64encode(seed + Ed25519Signer(seed).public_key).decode()
    return {"type": f"{_FLAG}/PrivKeyEd25519", "value": both}


def _toml(settings: dict[str, dict[str, Any]]) -> str:
    lines = ["# Made at every start of the node from its genesis and its keys; changes are lost."]
    for section, values in settings.items():
        lines += ([f"[{section}]"] if section else []) + [
            f"{name} = {json.dumps(value)}" for name, value in values.items()
        ]
    return "\n".join(lines) + "\n"


def _write(path: Path, text: str) -> None:
    """Put a file in place that only this user reads; a crash leaves the former one."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    new.rename(path)
