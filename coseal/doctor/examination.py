"""A whole examination: the machine, then every node whose folder is here."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from coseal import __version__
from coseal.client.blocking import Client
from coseal.contracts.membership.state import node_key
from coseal.doctor import folder, machine, reach
from coseal.doctor.folder import Registered
from coseal.doctor.line import Line, bad
from coseal.doctor.reach import Answer
from coseal.doctor.settings import Settings, read
from coseal.errors import CosealError
from coseal.ledger.genesis import PBFT_NAME, Genesis
from coseal.network import folders
from coseal.network.processes import reading_token, why_ended

Say = Callable[[Line], None]

_AFTER_THE_END = "remove the cause and start the node again; see docs/operating.md, Exit status"


def configurations(directory: Path) -> tuple[list[Path], str | None]:
    """Return the `node.toml` of every node whose folder is here, and the chain id that `network.toml` names."""
    if (directory / "node.toml").is_file():
        return [directory / "node.toml"], None
    if not folders.exists(directory):
        raise CosealError(f"{directory} holds no network and no node", "give a folder, or --config FILE")
    net = folders.load(directory)
    return [path for node in net.nodes if (path := node.data / "node.toml").is_file()], net.chain_id


def examine(configs: Sequence[Path], chain_id: str | None, urls: Sequence[str], say: Say) -> list[Line]:
    """Look at everything; ``say`` each line as it is found.

    ``chain_id`` (hex): what the genesis must have, if it is known. ``urls``: HTTP interfaces of others, for clocks.
    """
    lines: list[Line] = []

    def tell(*found: Line) -> None:
        for line in found:
            lines.append(line)
            say(line)

    tell(*machine.examine())
    others = {url: reach.status(url) for url in urls}
    for config in configs:
        try:
            settings = read(config)
        except CosealError as error:
            tell(bad(config.parent.name, "configuration", error.detail, error.hint or "see docs/operating.md"))
            continue
        _node(settings, chain_id, others, tell)
    return lines


def _node(settings: Settings, chain_id: str | None, others: dict[str, Answer], tell: Callable[..., None]) -> None:
    node, now_s = settings.node, time.time()
    pid = folder.process_of(settings.folder)
    genesis, line = folder.genesis(settings, chain_id)
    tell(line, *folder.disk(settings), *folder.key_files(settings, now_s), folder.journal(settings, now_s))
    tell(*folder.http_certificate(settings, datetime.fromtimestamp(now_s, UTC)))
    silent = Answer(None, 0.0, "the node does not run")
    own = silent if settings.url is None else reach.status(settings.url, reading_token(settings.tokens))
    # Not every file system shows in /proc/locks who holds a lock.
    running = pid is not None or (own.document is not None and own.document.get("node") == node)
    if not running:
        own = silent
        ended = why_ended(settings.folder / "node.log")
        if ended is not None:
            tell(bad(node, "status", f"it does not run: {ended}", _AFTER_THE_END))
        tell(*folder.gateway_memory(settings))
    elif settings.url is not None:
        tell(*reach.itself(settings, genesis, own, __version__))
    if pid is not None and (limit := folder.descriptors_of(pid)) is not None:
        tell(machine.judge_descriptors(node, f"process {pid}", limit))
    tell(*reach.ports(settings, running=running), *reach.signer(settings))
    if genesis is None:
        return
    tell(*machine.engine(node, genesis.engine, settings.cometbft))
    nodes = {node, *settings.peers}
    registered = _registered(settings, genesis, nodes, asking=own.document is not None)
    tell(*folder.key_contents(settings, registered.get(node)))
    certificates = {name: entry.link_certificate for name, entry in registered.items()}
    if genesis.engine == PBFT_NAME:  # CometBFT's links show no certificate
        tell(*reach.peers(settings, certificates, own))
    precision_ms = genesis.parameters.clock_precision_ms
    block = reach.judge_block_time(node, own, precision_ms)
    tell(*([] if block is None else [block]))
    for url, answer in others.items():
        tell(*([] if answer.document is None else [reach.chain(node, url, genesis, answer.document)]))
        tell(reach.judge_clock(node, url, answer, precision_ms))


def _registered(settings: Settings, genesis: Genesis, nodes: set[str], *, asking: bool) -> dict[str, Registered]:
    """Return what is registered for nodes: proven by the running node's state, else what the genesis says."""
    certain = not any((settings.folder / "blocks").glob("*.log"))
    found = {name: entry for name in nodes if (entry := folder.in_genesis(genesis, name, certain=certain)) is not None}
    if not asking or settings.url is None:
        return found
    try:
        with Client(settings.url, genesis, token=reading_token(settings.tokens)) as client:
            for name in sorted(nodes):
                record = client.value(node_key(name))
                if record is not None:
                    found[name] = Registered(record["consensus_key"], record["link_certificate"], "the chain")
    except CosealError:
        pass  # it said more of itself in its status; what the genesis says is compared
    return found
