"""From a data folder to a running node: read, check, open, run.

Law: a node starts only with the keys that the chain registers for it, as far as its own state knows, and with files it
can trust.
"""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import ssl
import sys
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import structlog
import uvloop

from coseal.contracts.installed import installed
from coseal.contracts.membership import actions as membership
from coseal.contracts.membership.nodes import FORMER
from coseal.ledger import codec, native
from coseal.ledger.engines import COMETBFT, engine_of
from coseal.ledger.genesis import Genesis
from coseal.ledger.native import Core, CoreProblem
from coseal.ledger.signing import Ed25519Signer, Signer
from coseal.node.comet.engine import CometEngine, require_short
from coseal.node.comet.files import FOLDER, Home, find_binary
from coseal.node.config import ConfigProblem, NodeConfig, load
from coseal.node.core.comet.machine import CometMachine
from coseal.node.core.context import MachineConfig
from coseal.node.core.machine import Machine
from coseal.node.core.verified_cache import VerifiedCache
from coseal.node.core.wire import Hello
from coseal.node.engine import EngineMachine
from coseal.node.exits import Exit
from coseal.node.fault_injection import NO_FAULTS
from coseal.node.http.auth import BadTokenFile, Token, load_tokens
from coseal.node.http.services import Gateway
from coseal.node.http.tls import http_context
from coseal.node.runtime import Runtime
from coseal.node.setup import read_genesis
from coseal.node.signing import keys, later_key
from coseal.node.signing.keys import KeyProblem
from coseal.node.signing.remote_signer import RemoteSigner, WrongSigner
from coseal.node.storage.data_folder import Policy, Storage
from coseal.node.storage.files import Locked, NeedsRelease, StorageError, how_to_repair
from coseal.node.telemetry import logs
from coseal.node.telemetry.tracing import Tracer
from coseal.node.transport.links import Identity

DESCRIPTORS: Final = 65_536
COLLECTIONS: Final = (20_000, 20, 50)
"""Thresholds of Python's garbage collector. Transactions are many small objects without cycles, which wait in the
mempool: with the usual thresholds a tenth of the time under load went into looking at them again and again."""
_log = structlog.get_logger("node")


def run_command(folder: Path, *, allow_voting: bool = False) -> int:
    """Run the node of ``folder`` and return its exit status; problems are said in one log line."""
    logs.configure("info", folder.name)
    try:
        config = load(folder)
        logs.configure(config.log_level, config.node_id)
        if config.fault_injection != NO_FAULTS:
            _log.warning("fault_injection", **config.fault_injection.model_dump())
        status = _run(folder, config, allow_voting=allow_voting)
    except (ConfigProblem, CoreProblem, KeyProblem) as error:
        return _fail(error.reason, Exit.USAGE)
    except BadTokenFile as error:
        return _fail(str(error), Exit.USAGE)
    except Locked as error:
        return _fail(error.reason, Exit.LOCKED)
    except NeedsRelease as error:
        return _fail(error.reason, Exit.RELEASE)
    except StorageError as error:
        return _fail(error.reason, Exit.STORAGE)
    except Exception as error:
        _log.error("fault", exc_info=error)
        return Exit.BUG
    if status is Exit.STORAGE:
        # Threads may hang in a dying disk, and nothing may be written any more.
        sys.stderr.flush()
        os._exit(status)
    return status


def _run(folder: Path, config: NodeConfig, *, allow_voting: bool) -> Exit:
    runtime = build(folder, config, allow_voting=allow_voting)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        while True:
            _raise_descriptor_limit()
            gc.freeze()  # what was loaded so far stays; no need to look at it again in every collection
            gc.set_threshold(*COLLECTIONS)
            status = runner.run(runtime.run())
            if not runtime.joined:
                return status
            _log.info("joined", height=runtime.joined)  # its snapshot is taken over as the folder is opened again
            gc.unfreeze()
            runtime = build(folder, config, allow_voting=allow_voting, engine=runtime.engine)  # CometBFT lives on


def build(
    folder: Path, config: NodeConfig, *, allow_voting: bool = False, engine: CometEngine | None = None
) -> Runtime:
    """Open the node of ``folder``, ready to run; raise what ``run_command`` reports.

    ``engine``: CometBFT beside this node, where it runs already.
    """
    for problem in installed().problems:
        _log.warning("contract_not_offered", text=problem)
    genesis, secret = read_genesis(config), keys.passphrase()
    core = native.choose(os.environ.get(native.SETTING), software_version())
    core.report = lambda fault: _log.error("native_fault", text=fault, core=core.name)
    if core.mode != native.PYTHON:
        codec.decode_by(core.decode)
    tokens, verified = _tokens(config), VerifiedCache(core.verify)
    policy = Policy(config.snapshot_blocks, config.prune_keep_blocks)
    storage = Storage(folder, genesis, admit=verified.admit, progress=_say_progress, policy=policy)
    try:
        return _runtime(config, storage, core, verified, tokens, secret, engine, allow_voting=allow_voting)
    except Exception:
        storage.close()
        raise


def _runtime(
    config: NodeConfig,
    storage: Storage,
    core: Core,
    verified: VerifiedCache,
    tokens: tuple[Token, ...],
    secret: bytes | None,
    engine: CometEngine | None,
    *,
    allow_voting: bool,
) -> Runtime:
    """Check the node's keys against what the state registers, and put it together."""
    for notice in storage.notices:
        _log.warning("storage_repaired", text=notice)
    genesis = storage.genesis
    entry = _registered(storage, config.node_id)
    signer, next_signer = _signers(config, genesis, entry, secret)
    identity = _identity(storage.folder, config, genesis, entry, signer, secret)
    gateway = _gateway(config, signer, secret)
    comet = _comet_home(config, storage, entry, secret) if engine is None else engine.home
    settings = MachineConfig(
        genesis=genesis,
        node_id=config.node_id,
        signer=signer,
        software_version=software_version(),
        verify=core.verify,
        join_gap_blocks=_join_gap(config, storage),
        next_signer=next_signer,
    )
    machine: EngineMachine
    if comet is None:
        machine = Machine(
            settings,
            storage.executor,
            tip=storage.committed(storage.tip_height),
            journal_data=storage.journal.read(),
            verified=verified,
            first_height=storage.first_height,
            kept=storage.joining.load(),
            sidecars=storage.sidecars.sizes(),
        )
    else:
        present = Ed25519Signer(comet.consensus_seed)
        others = [one for one in (signer, next_signer) if one is not None and one.public_key != present.public_key]
        machine = CometMachine(
            replace(settings, signer=present, next_signer=others[0] if others else None),
            storage.executor,
            tip=storage.committed(storage.tip_height),
            journal_data=storage.journal.read(),
            verified=verified,
            first_height=storage.first_height,
        )
    return Runtime(
        config=config,
        storage=storage,
        machine=machine,
        core=core,
        verified=verified,
        identity=identity,
        tokens=tokens,
        gateway=gateway,
        allow_voting=allow_voting,
        signer=signer if isinstance(signer, RemoteSigner) else None,
        http_tls=_http_tls(config, signer, secret),
        tracer=_tracer(config),
        comet=engine or comet,
    )


def _comet_home(config: NodeConfig, storage: Storage, entry: Entry | None, secret: bytes | None) -> Home | None:
    """Return where CometBFT lives if it orders this chain; raise ``ConfigProblem`` if it cannot run here."""
    if engine_of(storage.genesis) is not COMETBFT:
        return None
    if config.signer is not None:
        raise ConfigProblem("signer: CometBFT signs with the key itself; put it into the file of consensus_key")
    key = keys.load_private_key(config.consensus_key, secret)
    if config.consensus_key_next.exists() and entry is not None:  # CometBFT signs with one key, the registered one
        following = keys.load_private_key(config.consensus_key_next, secret)
        key = following if following.public_key().public_bytes_raw() == entry.consensus_key else key
    home = Home(
        folder=storage.folder.resolve() / FOLDER,
        binary=find_binary(config.cometbft_binary),
        genesis=storage.genesis,
        node_id=config.node_id,
        listen=config.link_listen,
        consensus_seed=key.private_bytes_raw(),
        link_seed=keys.load_private_key(config.link_key, secret).private_bytes_raw(),
        consensus_files=(config.consensus_key, config.consensus_key_next),
        sources=config.join_from,
        join_gap_blocks=config.join_gap_blocks,
    )
    require_short(home)
    return home


def _tracer(config: NodeConfig) -> Tracer | None:
    """Return what makes spans, if they are wanted; raise ``ConfigProblem`` if the libraries for it are not there."""
    if config.trace.endpoint is None:
        return None
    try:
        from coseal.node.telemetry.otlp import Collector  # an extra, and slow to load
    except ImportError:
        raise ConfigProblem("trace: OpenTelemetry is not installed; pip install 'coseal[trace]'") from None
    collector = Collector.at(config.trace.endpoint, config.node_id, software_version())
    return Tracer(collector.export, config.trace.one_in, close=collector.close)


def _join_gap(config: NodeConfig, storage: Storage) -> int:
    """A node that is to keep all blocks does not give up those it has; a new one has none."""
    return config.join_gap_blocks if config.prune_keep_blocks is not None or not storage.tip_height else 0


def software_version() -> str:
    """Return the version of the installed distribution."""
    try:
        return version("coseal")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True)
class Entry:
    """What the state registers for this node; ``outdated``: the node knew later blocks, which are gone."""

    consensus_key: bytes
    link_certificate: bytes
    outdated: bool


def _registered(storage: Storage, node_id: str) -> Entry | None:
    """Return the node's entry in its own state; None if there is none, for the node may have been added since."""
    reader, height = storage.executor.reader, storage.tip_height
    found = membership.node(reader, node_id)
    if found is None:
        names = ", ".join(entry["id"] for entry in membership.nodes(reader))
        text = f"{node_id} is not registered at height {height}, the last one known here ({names} are)"
        _log.warning("not_registered", text=f"{text}; it follows until it finds a block that registers it")
        return None
    if found["kind"] == FORMER:
        # N29
        raise ConfigProblem(f"{node_id} was removed from the chain at height {found['since']}; make and add a new node")
    outdated = later_key.signed_above(storage.journal.read(), storage.genesis.chain_id, node_id, height)
    return Entry(bytes.fromhex(found["consensus_key"]), bytes.fromhex(found["link_certificate"]), outdated)


def _signers(
    config: NodeConfig, genesis: Genesis, entry: Entry | None, secret: bytes | None
) -> tuple[Signer, Signer | None]:
    """Return who signs with the consensus key, and who with the one that is to follow it, if there is a file of it."""
    if config.signer is not None:
        return _remote_signer(config, config.signer.removeprefix("unix:"), genesis, entry), None
    signer = keys.load_signer(config.consensus_key, secret)
    following = keys.load_signer(config.consensus_key_next, secret) if config.consensus_key_next.exists() else None
    held = [signer.public_key, *([] if following is None else [following.public_key])]
    if entry is not None and entry.consensus_key not in held:
        _require_later(config, entry, signer.public_key, secret)
    return signer, following


def _require_later(config: NodeConfig, entry: Entry, held: bytes, secret: bytes | None) -> None:
    """Raise ``KeyProblem`` unless the key that is held may be registered in blocks that this node lacks (N37)."""
    text = (
        f"{config.consensus_key} is not the key of {config.node_id}: as far as this node knows the chain registers "
        f"{entry.consensus_key.hex()}, the file's public key is {held.hex()}"
    )
    if not entry.outdated and not later_key.is_former(config, entry.consensus_key, secret):
        former = config.consensus_key.parent / later_key.FORMER_FOLDER
        raise KeyProblem(
            f"{text}; if the key was replaced, put the former one into {former}, or back in its place and the new one "
            f"into {config.consensus_key_next}, or begin from a snapshot of another node; else this is another node's "
            "folder or key"
        )
    _log.warning(
        "later_key", text=f"{text}; it follows, without a vote, until it finds the block that registers this one"
    )


def _remote_signer(config: NodeConfig, path: str, genesis: Genesis, entry: Entry | None) -> RemoteSigner:
    """Return the signer behind a socket; one that is away now is found later, one with another key never."""
    if config.consensus_key.exists():  # U9
        raise KeyProblem(
            f"{config.consensus_key} is in the node's folder although `signer` is set; the signer must be the only one "
            "that holds the key: make it with `python -m coseal.node init-signer`, which moves the key, or move the "
            "file away"
        )
    known = entry is not None and not entry.outdated
    signer = RemoteSigner(path, entry.consensus_key if entry is not None and known else None, genesis.chain_id)
    try:
        signer.connect()
    except WrongSigner as error:
        raise KeyProblem(error.reason) from None
    if not signer.public_key:
        raise ConfigProblem(
            f"{config.node_id} is not registered as far as this node knows, or this node lacks blocks: its key is what "
            f"its signer says, and {signer.trouble}; start the signer first"
        )
    return signer


def _identity(
    folder: Path, config: NodeConfig, genesis: Genesis, entry: Entry | None, signer: Signer, secret: bytes | None
) -> Identity:
    certificate = keys.load_certificate(config.link_certificate)
    if entry is not None and certificate != entry.link_certificate:
        text = f"{config.link_certificate} is not the certificate that the chain registers for {config.node_id}"
        _log.warning("link_certificate", text=f"{text}, as far as this node knows; peers refuse it until it is")
    link_key = keys.load_private_key(config.link_key, secret).public_key().public_bytes_raw()
    if link_key != keys.key_in_certificate(certificate):
        raise KeyProblem(
            f"{config.link_certificate} is not the certificate of {config.link_key}: put back the pair that was made "
            f"together, or {how_to_repair(folder)} if the key is the right one"
        )
    if link_key == signer.public_key:
        raise KeyProblem(
            f"{config.link_key} is the consensus key; links and votes need keys of their own: make another link key "
            "and register its certificate"
        )
    hello = Hello(genesis.chain_id, config.node_id, software_version())
    vouched = {peer: keys.load_certificate(path) for peer, path in config.peer_certificates.items()}
    return Identity(hello, config.link_certificate, config.link_key, secret, vouched)


def _gateway(config: NodeConfig, consensus: Signer, secret: bytes | None) -> Gateway | None:
    if config.gateway_sender is None:
        return None
    signer = keys.load_signer(config.operator_key, secret)
    if signer.public_key == consensus.public_key:
        raise KeyProblem(f"{config.operator_key} is the consensus key; an operator needs a key of its own")
    return Gateway(config.gateway_sender, signer)


def _http_tls(config: NodeConfig, consensus: Signer, secret: bytes | None) -> ssl.SSLContext | None:
    certificate, key = config.http_tls_certificate, config.http_tls_key
    if certificate is None or key is None:
        return None
    return http_context(certificate, key, secret, consensus_key=consensus.public_key)


def _tokens(config: NodeConfig) -> tuple[Token, ...]:
    if config.tokens.exists():
        keys.require_private(config.tokens)
    return load_tokens(config.tokens)


def _raise_descriptor_limit() -> None:
    """Allow as many open connections as the system lets this process have."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = DESCRIPTORS if hard == resource.RLIM_INFINITY else min(DESCRIPTORS, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _say_progress(height: int, tip: int) -> None:
    if height % 1_000 == 0 or height == tip:
        _log.info("replaying", height=height, tip=tip)


def _fail(reason: str, status: Exit) -> Exit:
    _log.error("cannot_start", reason=reason, status=int(status))
    return status
