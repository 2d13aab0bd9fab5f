"""Changing a network's folder: a node's part is added, marked or taken out; a private key is replaced.

Law: every file is replaced whole or not at all, a private key is never lost, one command at a time changes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from coseal.client import keys
from coseal.errors import CosealError
from coseal.ledger.genesis import COMETBFT_NAME, is_name
from coseal.network import folders
from coseal.network.folders import Network, NodeEntry
from coseal.network.processes import require_free_ports

ADDING: Final = "adding.json"
"""In the folder of a node that is being added: what was asked for, so that an interrupted command continues."""
_PORT_TRIES: Final = 64
_REMOVED: Final = "removed"


@dataclass(frozen=True, slots=True)
class Addition:
    """A node that is being added: its name, its member with its role, and ``observer`` or ``validator``."""

    name: str
    member: str
    role: str
    kind: str


@contextlib.contextmanager
def changing(directory: Path) -> Iterator[Network]:
    """Hold the folder against other commands that change it, and return it as it is now; raise ``CosealError``."""
    network = folders.load(directory)
    with (directory / ".changing").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise CosealError(f"another command is changing {directory}", "wait until it has ended") from None
        yield network


def unfinished(network: Network) -> Addition | None:
    """Return the addition that was begun and not finished, or None."""
    for node in network.nodes:
        path = node.data / ADDING
        if path.is_file():
            try:
                document = json.loads(path.read_text(encoding="utf-8"))
                return Addition(node.name, document["member"], node.role, document["kind"])
            except (OSError, ValueError, KeyError, TypeError):
                raise CosealError(f"{path} is damaged", "remove it, and the node with `coseal node remove`") from None
    return None


def add_node(network: Network, addition: Addition, operator: Path, user: str, *, port: int | None = None) -> Network:
    """Make the folder of a node with keys, certificate, configuration and empty journal, and enter it in the network.

    Its gateway signs with the key in ``operator``, of the member's ``user``. Raises ``CosealError``.
    """
    if not is_name(addition.name):
        raise CosealError(f"{addition.name!r} is not a valid node name", "use a-z, 0-9, '-' and '.', a letter first")
    target = network.directory / "nodes" / addition.name
    if (target / ADDING).is_file() and all(node.name != addition.name for node in network.nodes):
        shutil.rmtree(target)  # made by a command that was interrupted before anybody knew of it
    if target.exists() or (network.directory / _REMOVED / addition.name).exists():
        raise CosealError(f"{network.directory} has or had a node {addition.name}", "choose another --name")
    entry = _place(network, addition, port)
    building = network.directory / "nodes" / f".{addition.name}.{secrets.token_hex(4)}"
    try:
        seed = keys.read_seed(operator, keys.environment_passphrase())
        building.mkdir(parents=True)
        folders.make_node_keys(building, addition.name, addition.member, seed)
        text = folders.node_toml(
            addition.name,
            link_listen=entry.link,
            http_listen=entry.http,
            gateway_sender=f"{addition.member}/{user}",
            peers={node.name: node.link for node in network.nodes},
            join_from=[node.url for node in network.nodes] if network.genesis().engine == COMETBFT_NAME else (),
        )
        (building / "node.toml").write_text(text, encoding="utf-8")
        (building / ADDING).write_text(json.dumps({"member": addition.member, "kind": addition.kind}) + "\n")
        folders.make_journals([building])
        building.rename(target)
    except OSError as error:
        raise CosealError(f"cannot make {entry.data}: {error.strerror}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
    added = _write(network, (*network.nodes, entry))
    for node in network.nodes:  # for their next start; while they run the chain tells them the address
        _set_peer(node.data / "node.toml", addition.name, entry.link)
    return added


def set_kind(network: Network, name: str, kind: str) -> Network:
    """Note what a node is now."""
    nodes = tuple(replace(node, kind=kind) if node.name == name else node for node in network.nodes)
    return network if nodes == network.nodes else _write(network, nodes)


def finish(network: Network, addition: Addition) -> Network:
    """Note that a node is added."""
    (network.node(addition.name).data / ADDING).unlink(missing_ok=True)
    return set_kind(network, addition.name, addition.kind)


def remove_node(network: Network, name: str) -> tuple[Network, Path]:
    """Take a stopped node out of the network; its folder, with its keys, is kept elsewhere: return where."""
    entry, target = network.node(name), network.directory / _REMOVED / name
    left = _write(network, tuple(node for node in network.nodes if node.name != name))
    for node in left.nodes:
        _set_peer(node.data / "node.toml", name, None)
    try:
        target.parent.mkdir(exist_ok=True)
        if entry.data.exists():
            entry.data.rename(target)
    except OSError as error:
        raise CosealError(f"cannot move {entry.data} to {target}: {error.strerror}") from None
    return left, target


def stage_key(staged: Path) -> bytes:
    """Return the public key of the successor that waits in ``staged``; make it if there is none yet."""
    passphrase = keys.environment_passphrase()
    if not staged.exists():
        keys.write_key(staged, keys.new_seed(), passphrase)
    return keys.public_key(keys.read_seed(staged, passphrase))


def promote_key(staged: Path, path: Path) -> Path:
    """Put a copy of the successor of a key in its place, and return where the former key is kept.

    ``staged`` stays until the caller has done what the change needs, so that an interrupted command finds it.
    """
    former, folder = _public(path).hex()[:16], path.parent / "former"
    kept = folder / f"{path.stem}-{former}{path.suffix}"
    try:
        if _public(path) == _public(staged):
            return max(folder.glob(f"{path.stem}-*{path.suffix}"), key=lambda file: file.stat().st_mtime, default=kept)
        folder.mkdir(mode=0o700, exist_ok=True)
        if not kept.exists():
            os.link(path, kept)
        _copy_key(staged, path)
    except OSError as error:
        raise CosealError(f"cannot put {staged} in the place of {path}: {error.strerror}") from None
    return kept


def _public(path: Path) -> bytes:
    return keys.read_signer(path, keys.environment_passphrase()).public_key


def _copy_key(source: Path, target: Path) -> None:
    passphrase = keys.environment_passphrase()
    made = target.with_name(f".{target.stem}.{secrets.token_hex(4)}{target.suffix}")
    keys.write_key(made, keys.read_seed(source, passphrase), passphrase)
    made.replace(target)


def write_operator_key(node: NodeEntry, source: Path) -> None:
    """Let a node's gateway sign with the key in ``source`` from its next start on."""
    _copy_key(source, node.data / "keys" / "operator.pem")


def require_local(network: Network) -> None:
    """Refuse a folder whose nodes do not run on this machine."""
    if any(node.link.rpartition(":")[0] == node.name for node in network.nodes):
        raise CosealError(
            f"the nodes of {network.directory} run in containers, where this command cannot reach them",
            "see docs/operating.md, section Members and nodes, for the same by hand",
        )


def _place(network: Network, addition: Addition, port: int | None) -> NodeEntry:
    """Return the entry of a new node at ports that nothing uses."""
    host = network.nodes[0].http.rpartition(":")[0]
    first = 2 + max(int(node.http.rpartition(":")[2]) for node in network.nodes)
    problem: CosealError | None = None
    for base in (port,) if port is not None else range(first, min(first + 2 * _PORT_TRIES, 65_535), 2):
        entry = NodeEntry(
            name=addition.name,
            member=addition.member,
            role=addition.role,
            kind="observer",
            http=f"{host}:{base}",
            link=f"{host}:{base + 1}",
            data=network.directory / "nodes" / addition.name,
        )
        try:
            require_free_ports([entry])
        except CosealError as error:
            problem = error
            continue
        return entry
    raise problem or CosealError("no free ports above those of the network", "give --port")


def _write(network: Network, nodes: tuple[NodeEntry, ...]) -> Network:
    """Replace ``network.toml``; return the network it describes."""
    relative = [replace(node, data=node.data.relative_to(network.directory)) for node in nodes]
    _replace(network.directory / "network.toml", folders.network_toml(network.name, network.chain_id, relative))
    return replace(network, nodes=nodes)


def _set_peer(config: Path, name: str, address: str | None) -> None:
    """Set or remove one line of the table of peers, the last one of a ``node.toml`` that we made."""
    try:
        text = config.read_text(encoding="utf-8")
        head, table, peers = text.partition("[peers]\n")
        if not table:
            return
        lines = [line for line in peers.splitlines() if not re.match(rf'"?{re.escape(name)}"?\s*=', line)]
        if address is not None:
            lines.append(f"{json.dumps(name)} = {json.dumps(address)}")
        _replace(config, head + table + "".join(f"{line}\n" for line in lines))
    except OSError as error:
        raise CosealError(f"{config}: {error.strerror}") from None


def _replace(path: Path, text: str) -> None:
    made = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with made.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    made.replace(path)
