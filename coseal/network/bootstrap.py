"""A member that joins a running network of other organisations: its own folder, made on its own machine.

Law: as in a founding, its private keys stay where they are made; what the others need is in two public files.

    DIR/member.json    the subject of the proposal `add_member`
    DIR/node.json      the arguments of `membership.add_node`

The rest of DIR is as ``coseal.network.founding`` makes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coseal.client.genesis import read_genesis
from coseal.errors import CosealError
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.network import ceremony, folders, founding
from coseal.network.add_nodes import NewMember, member_subject, require_member
from coseal.network.folders import NodeEntry


@dataclass(frozen=True, slots=True)
class Place:
    """Where the node is: ``address`` HOST:PORT for the others; ``listen``, None: as ``founding.link_listen`` says.

    ``join_from``: nodes' HTTP addresses, which it asks where CometBFT orders the chain.
    """

    address: str
    http_port: int = founding.DEFAULT_HTTP_PORT
    listen: str | None = None
    join_from: tuple[str, ...] = ()


def prepare(directory: Path, member: NewMember, genesis_file: Path, place: Place, peers: Mapping[str, str]) -> Genesis:
    """Make keys, configuration and empty journal of a member and its node; return the genesis it relies on.

    The node bears the member's name. ``peers``: nodes of the network and where they are reached, one at least. Run
    again after an interruption, it keeps the keys; a folder that is ready is left alone.
    """
    require_member(member)
    genesis = read_genesis(genesis_file)
    _require_new(genesis, member, {**peers, member.id: place.address})
    if (directory / "network.toml").exists():
        raise CosealError(
            f"{directory} is ready", f"start its node with `coseal node start {member.id} --dir {directory}`"
        )
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    operator = founding.own_key(directory / "members" / member.id / f"{member.user}.pem")
    part, _, _ = founding.own_node(directory, member.id, member.id, place.address, member.user)
    _json(directory / "member.json", member_subject(member, operator.public_key))
    _json(
        directory / "node.json",
        {
            "node": member.id,
            "consensus_key": part.consensus_key.hex(),
            "link_certificate": part.link_certificate.hex(),
            "address": part.address,
        },
    )
    founding.write_whole(directory / "genesis.json", genesis.raw)
    http, data = f"127.0.0.1:{place.http_port}", Path("nodes") / member.id
    text = folders.node_toml(
        member.id,
        link_listen=founding.link_listen(place.address, place.listen),
        http_listen=http,
        gateway_sender=f"{member.id}/{member.user}",
        peers=peers,
        join_from=place.join_from,
    )
    founding.write_whole(directory / data / "node.toml", text.encode())
    if not (directory / data / "journal").exists():
        folders.make_journals([directory / data])
    entry = NodeEntry(member.id, member.id, member.role, "observer", http, place.address, data)
    text = folders.network_toml(genesis.name, genesis.chain_id.hex(), [entry])
    founding.write_whole(directory / "network.toml", text.encode())
    return genesis


def _require_new(genesis: Genesis, member: NewMember, addresses: Mapping[str, str]) -> None:
    if any(member.id in (one.id, node.id) for one in genesis.members for node in genesis.nodes):
        raise CosealError(f"{member.id} is in the genesis", "founders run `coseal genesis join`; choose another id")
    if len(addresses) == 1:
        raise CosealError("no peer is named", "give --peer NODE=HOST:PORT of one node of the network at least")
    for node, address in addresses.items():
        try:
            ceremony.address(address, f"address of {node}")
        except LedgerError as error:
            raise CosealError(error.reason) from None


def _json(path: Path, document: Mapping[str, Any]) -> None:
    founding.write_whole(path, (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode())
