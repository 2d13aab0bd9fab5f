"""A network's folder: what `coseal up` makes on the first run and finds again on every later one.

Law: a folder is made whole or not at all; afterwards this module only reads it.

    DIR/genesis.json                     what everyone agrees on; its hash is the chain id
    DIR/network.toml                     the nodes, for the command line
    DIR/members/<member>/<user>.pem      the users' keys
    DIR/nodes/<node>/node.toml           how the node runs
    DIR/nodes/<node>/keys/               consensus.pem, link.pem, link.crt, operator.pem, tokens.toml
"""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

from coseal.client import keys
from coseal.client.genesis import read_genesis
from coseal.contracts.governance.document import ELECTORATES, VALIDATORS, constitution_of
from coseal.contracts.governance.safety import breaches
from coseal.errors import CosealError
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis, Member, Node, Operator, encode_genesis
from coseal.network.consortium import DEFAULT_USER, Consortium, Founder, public_observer

DEFAULT_BASE_PORT: Final = 8600
_LAYOUT_VERSION: Final = 1
_SUIT_HINT: Final = "see `coseal constitution check`, or found the network with --constitution founding"


@dataclass(frozen=True, slots=True)
class Addressing:
    """Where nodes listen and how they are reached.

    On one machine every node has its own ports: HTTP ``base_port + 2 i``, links one above. With ``by_name`` (one
    container a node) each listens on all addresses at ``base_port`` and the next, and peers use the node's name;
    HTTP is then published on the host at ``base_port + 2 i``.
    """

    base_port: int = DEFAULT_BASE_PORT
    host: str = "127.0.0.1"
    by_name: bool = False

    def http_listen(self, index: int) -> str:
        """Return host:port of the HTTP server of node ``index``."""
        return f"0.0.0.0:{self.base_port}" if self.by_name else self.http_url_host(index)

    def link_listen(self, index: int) -> str:
        """Return host:port on which node ``index`` accepts peers."""
        return f"0.0.0.0:{self.base_port + 1}" if self.by_name else f"{self.host}:{self.base_port + 2 * index + 1}"

    def link_address(self, index: int, name: str) -> str:
        """Return host:port under which peers reach node ``index``."""
        return f"{name}:{self.base_port + 1}" if self.by_name else self.link_listen(index)

    def http_url_host(self, index: int) -> str:
        """Return host:port of node ``index``'s HTTP as seen from this machine."""
        return f"{self.host}:{self.base_port + 2 * index}"


@dataclass(frozen=True, slots=True)
class NodeEntry:
    """One node of a network folder; ``http`` and ``link`` are host:port, ``data`` its folder."""

    name: str
    member: str
    role: str
    kind: str
    http: str
    link: str
    data: Path

    @property
    def url(self) -> str:
        """The base URL of its HTTP API."""
        return f"http://{self.http}"

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.data / "node.log"


@dataclass(frozen=True, slots=True)
class Network:
    """A network folder, read."""

    directory: Path
    name: str
    chain_id: str
    nodes: tuple[NodeEntry, ...]

    @property
    def genesis_path(self) -> Path:
        """The genesis document."""
        return self.directory / "genesis.json"

    def genesis(self) -> Genesis:
        """Read the genesis document; raise ``CosealError`` when it is not the one this folder was made with."""
        return read_genesis(self.genesis_path, self.chain_id)

    def node(self, name: str) -> NodeEntry:
        """Return a node by name."""
        for node in self.nodes:
            if node.name == name:
                return node
        raise CosealError(f"no node {name!r}", f"choose one of {', '.join(node.name for node in self.nodes)}")

    def users(self, member: str) -> list[str]:
        """Return the users of a member whose keys are in the folder, ``admin`` first."""
        names = [file.stem for file in (self.directory / "members" / member).glob("*.pem")]
        return sorted(names, key=lambda name: (name != DEFAULT_USER, name))

    def key_path(self, sender: str) -> Path:
        """Return the key file of MEMBER/USER."""
        member, _, user = sender.partition("/")
        path = self.directory / "members" / member / f"{user}.pem"
        if not path.is_file():
            known = sorted(f"{file.parent.name}/{file.stem}" for file in (self.directory / "members").glob("*/*.pem"))
            raise CosealError(f"no key of {sender} in {self.directory}", f"there are {', '.join(known) or 'none'}")
        return path


def exists(directory: Path) -> bool:
    """Say whether ``directory`` holds a network."""
    return (directory / "network.toml").is_file()


def load(directory: Path) -> Network:
    """Read a network folder; raise ``CosealError`` when there is none or it is damaged."""
    path = directory / "network.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        if document["version"] != _LAYOUT_VERSION:
            raise CosealError(f"{path}: layout version {document['version']}, this software knows {_LAYOUT_VERSION}")
        nodes = tuple(
            NodeEntry(
                name=row["name"],
                member=row["member"],
                role=row["role"],
                kind=row["kind"],
                http=row["http"],
                link=row["link"],
                data=directory / row["data"],
            )
            for row in document["nodes"]
        )
        return Network(directory, document["name"], document["chain_id"], nodes)
    except FileNotFoundError:
        raise CosealError(f"no network in {directory}", f"make one with `coseal up {directory}`") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CosealError(f"{path}: damaged ({type(error).__name__}: {error})") from None


def create(
    directory: Path, consortium: Consortium, *, observers: int = 0, addressing: Addressing | None = None
) -> Network:
    """Make a network folder: keys, genesis, one folder a node. Starts nothing.

    Keys are encrypted if the environment holds a passphrase (``keys.environment_passphrase``).
    """
    addressing = addressing or Addressing()
    if exists(directory):
        raise CosealError(
            f"{directory} holds a network already", "resume it with `coseal up`, or choose another folder"
        )
    if directory.is_dir() and any(directory.iterdir()):
        raise CosealError(f"{directory} is not empty and holds no network", "choose another folder")
    if not 0 <= observers <= 64:
        raise CosealError(f"{observers} observers", "a network has at most 64")
    if not 1 <= addressing.base_port <= 65_535 - 2 * (len(consortium.validators) + observers):
        raise CosealError(f"base port {addressing.base_port}", "the ports of all nodes must lie within 1 to 65535")
    building = directory.parent / f".{directory.name}.{secrets.token_hex(4)}"
    try:
        building.mkdir(parents=True)
        _build(building, consortium, observers, addressing)
        building.rename(directory)
    except OSError as error:
        raise CosealError(f"cannot make {directory}: {error.strerror}") from None
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return load(directory)


def planned_nodes(consortium: Consortium, observers: int, addressing: Addressing) -> list[NodeEntry]:
    """Return the nodes that ``create`` would make, to see beforehand whether their ports are free."""
    return [
        NodeEntry(
            name=seat.name,
            member=seat.member.id,
            role=seat.member.role,
            kind=seat.kind,
            http=addressing.http_url_host(index),
            link=addressing.link_address(index, seat.name),
            data=Path("nodes") / seat.name,
        )
        for index, seat in enumerate(founding_seats(consortium, observers)[1])
    ]


@dataclass(frozen=True, slots=True)
class Seat:
    """A node to be made: its name, its member, its kind."""

    name: str
    member: Founder
    kind: str


def founding_seats(consortium: Consortium, observers: int = 0) -> tuple[tuple[Founder, ...], list[Seat]]:
    """Return the members and the nodes; a member's first validator bears its name, further ones get a number."""
    members = {member.id: member for member in consortium.members}
    seats: list[Seat] = []
    for index, member_id in enumerate(consortium.validators):
        earlier = consortium.validators[:index].count(member_id)
        name = member_id if earlier == 0 else f"{member_id}-{earlier + 1}"
        seats.append(Seat(name, members[member_id], "validator"))
    if observers:
        host = next((member for member in consortium.members if member.role == "public"), None)
        if host is None:
            host = members["public"] = public_observer()
        seats += [Seat(f"observer-{index + 1}", host, "observer") for index in range(observers)]
    names = [seat.name for seat in seats]
    for index, name in enumerate(names):
        if name in names[:index]:
            raise CosealError(f"two nodes would be named {name}", "rename a member of the consortium")
    return tuple(members.values()), seats


def unsafe_constitution(consortium: Consortium, observers: int = 0) -> str | None:
    """Return what the consortium's constitution lacks for its members (K1 to K5); None if it has nothing to lack."""
    if consortium.constitution is None:
        return None
    constitution = constitution_of(consortium.constitution)
    members, seats = founding_seats(consortium, observers)
    running = {seat.member.id for seat in seats if seat.kind == "validator"}
    sizes: dict[str, dict[str, int]] = {name: {} for name in ELECTORATES}
    for member in members:
        constituency = constitution.constituency_of(member.role, member.central_bank)
        for name in ELECTORATES:
            if name != VALIDATORS or member.id in running:
                sizes[name][constituency] = sizes[name].get(constituency, 0) + 1
    return next(map(str, breaches(constitution, sizes)), None)


def _build(directory: Path, consortium: Consortium, observers: int, addressing: Addressing) -> None:
    members, seats = founding_seats(consortium, observers)
    unsafe = unsafe_constitution(consortium, observers)
    if unsafe is not None:
        raise CosealError(f"the constitution does not suit these members: {unsafe}", _SUIT_HINT)
    user_seeds = {(member.id, user.name): keys.new_seed() for member in members for user in member.users}
    for (member_id, user), seed in user_seeds.items():
        keys.write_key(directory / "members" / member_id / f"{user}.pem", seed, keys.environment_passphrase())
    entries = [_make_node_keys(directory / "nodes" / seat.name, seat, user_seeds) for seat in seats]
    raw = encode_genesis(
        name=consortium.name,
        time_ms=time.time_ns() // 1_000_000,
        parameters=consortium.parameters,
        members=tuple(_genesis_member(member, user_seeds) for member in members),
        nodes=tuple(entries),
        contracts=consortium.contracts,
        constitution=consortium.constitution,
        engine=consortium.engine,
    )
    try:
        genesis = Genesis.decode(raw)
    except LedgerError as error:
        raise CosealError(f"the consortium makes no valid genesis: {error.reason}") from None
    (directory / "genesis.json").write_bytes(raw)
    for index, seat in enumerate(seats):
        _write_node_config(directory / "nodes" / seat.name, index, seats, addressing)
    nodes_toml = network_toml(genesis.name, genesis.chain_id.hex(), planned_nodes(consortium, observers, addressing))
    (directory / "network.toml").write_text(nodes_toml, encoding="utf-8")
    make_journals([directory / "nodes" / seat.name for seat in seats])


def make_journals(folders: Sequence[Path]) -> None:
    """Let the node software make each node's empty journal: nothing else can vouch that a node has never voted."""
    if not folders:
        return
    data = [word for folder in folders for word in ("--data", str(folder))]
    made = subprocess.run(
        [sys.executable, "-m", "coseal.node", "init", *data], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise CosealError(f"the nodes' journals cannot be made: {made.stderr.strip()[-500:]}")


def _genesis_member(member: Founder, seeds: dict[tuple[str, str], bytes]) -> Member:
    operators = tuple(
        Operator(user.name, keys.public_key(seeds[member.id, user.name]), tuple(sorted(user.capabilities)))
        for user in member.users
    )
    return Member(member.id, member.name, member.role, member.level, member.sector, member.central_bank, operators)


def _make_node_keys(folder: Path, seat: Seat, user_seeds: dict[tuple[str, str], bytes]) -> Node:
    """Write a node's keys and return its genesis entry. The gateway signs with the key of the member's first user."""
    key, der = make_node_keys(folder, seat.name, seat.member.id, user_seeds[seat.member.id, seat.member.users[0].name])
    return Node(seat.name, seat.member.id, seat.kind, key, der)


def make_node_keys(folder: Path, name: str, member: str, operator_seed: bytes) -> tuple[bytes, bytes]:
    """Write a node's keys, certificate and a token; return the consensus key (public) and the certificate (DER).

    The gateway signs with the key of ``operator_seed``; its token is made here, for that member's systems.
    """
    consensus, link, passphrase = keys.new_seed(), keys.new_seed(), keys.environment_passphrase()
    for file, seed in (("consensus", consensus), ("link", link), ("operator", operator_seed)):
        keys.write_key(folder / "keys" / f"{file}.pem", seed, passphrase)
    pem, der = keys.link_certificate(link, name)
    (folder / "keys" / "link.crt").write_bytes(pem)
    tokens = folder / "keys" / "tokens.toml"
    tokens.touch(mode=0o600)
    tokens.write_text(_tokens_toml(member), encoding="utf-8")
    return keys.public_key(consensus), der


def _tokens_toml(member: str) -> str:
    """Return a token file with one fresh token, with which the member's own systems may read and submit."""
    fields = {"name": "first", "member": member, "token": secrets.token_urlsafe(24)}
    lines = [f"{name} = {_quoted(value)}" for name, value in fields.items()]
    return "\n".join(["[[token]]", *lines, 'scopes = ["read", "submit"]', ""])


def _write_node_config(folder: Path, index: int, seats: Sequence[Seat], addressing: Addressing) -> None:
    seat = seats[index]
    peers = {peer.name: addressing.link_address(number, peer.name) for number, peer in enumerate(seats)}
    text = node_toml(
        seat.name,
        link_listen=addressing.link_listen(index),
        http_listen=addressing.http_listen(index),
        gateway_sender=f"{seat.member.id}/{seat.member.users[0].name}",
        peers=peers,
        allow_plain=addressing.by_name,
    )
    (folder / "node.toml").write_text(text, encoding="utf-8")


def node_toml(
    name: str,
    *,
    link_listen: str,
    http_listen: str,
    gateway_sender: str,
    peers: Mapping[str, str],
    allow_plain: bool = False,
    join_from: Sequence[str] = (),
) -> str:
    """Return a node's configuration; ``peers`` are the nodes' names and link addresses, its own left out.

    ``join_from``: nodes' HTTP addresses, for one that joins a chain that CometBFT orders.
    """
    lines = [
        "# Made by coseal; read by `python -m coseal.node`. Paths are relative to this folder.",
        f"node_id = {_quoted(name)}",
        'genesis = "../../genesis.json"',
        f"link_listen = {_quoted(link_listen)}",
        f"http_listen = {_quoted(http_listen)}",
        'log_level = "info"',
        f"gateway_sender = {_quoted(gateway_sender)}",
    ]
    if allow_plain:
        lines.append("http_allow_plain = true  # the port is published on the host's loopback address only")
    if join_from:
        lines.append(f"join_from = [{', '.join(map(_quoted, join_from))}]")
    lines += ["", "[peers]"]
    lines += [f"{_quoted(peer)} = {_quoted(address)}" for peer, address in peers.items() if peer != name]
    return "\n".join(lines) + "\n"


def network_toml(name: str, chain_id: str, nodes: Sequence[NodeEntry]) -> str:
    """Return ``network.toml``; the nodes' ``data`` folders are relative to the network's."""
    lines = [
        "# Made by coseal; read by the coseal command.",
        f"version = {_LAYOUT_VERSION}",
        f"name = {_quoted(name)}",
        f"chain_id = {_quoted(chain_id)}",
    ]
    for node in nodes:
        lines += ["", "[[nodes]]"]
        lines += [f"{field.name} = {_quoted(getattr(node, field.name))}" for field in fields(NodeEntry)]
    return "\n".join(lines) + "\n"


def _quoted(value: Any) -> str:
    """Return a TOML basic string; JSON escapes the same characters the same way."""
    return json.dumps(str(value), ensure_ascii=False)
