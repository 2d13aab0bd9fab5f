"""A network of one validator, for tests of the whole shell in one process."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from coseal.ledger import transaction
from coseal.ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.transaction import Transaction
from coseal.node import setup

OPERATOR = Ed25519Signer(bytes(range(32)))


def make_node(folder: Path, *, port: int, http_port: int | None = None, with_journal: bool = True) -> Path:
    """Make the data folder of validator ``regulator``, alone on its chain, and return it."""
    data = folder / "node"
    public = setup.create_keys(data, "regulator")
    write_genesis(data, bytes.fromhex(public["consensus_key"]), bytes.fromhex(public["link_certificate"]))
    lines = ['node_id = "regulator"', f'link_listen = "127.0.0.1:{port}"', 'log_level = "debug"']
    if http_port is not None:
        lines.append(f'http_listen = "127.0.0.1:{http_port}"')
    (data / "node.toml").write_text("\n".join(lines) + "\n")
    if with_journal:
        setup.create_journal(data)
    return data


def write_genesis(data: Path, consensus_key: bytes, certificate: bytes) -> None:
    """Write the genesis of the chain on which validator ``regulator`` is alone, with the keys that it has."""
    operator = Operator("admin", OPERATOR.public_key, ("operate", "registrar", "submit", "supervise"))
    raw = encode_genesis(
        name="alone",
        time_ms=time.time_ns() // 1_000_000,
        parameters=Parameters(state_bits=8),
        members=(Member("regulator", "Regulator", "government", "central", "", False, (operator,)),),
        nodes=(Node("regulator", "regulator", "validator", consensus_key, certificate),),
    )
    (data / "genesis.json").write_bytes(raw)


def signed(data: Path, text: str = "hello") -> Transaction:
    """A transaction of the one member, whose argument is ``text``."""
    return acted(data, "membership.set_profile", description=text)


def acted(data: Path, name: str, /, **args: Any) -> Transaction:
    """The transaction with which the one member does ``contract.action``."""
    contract, _, action = name.partition(".")
    return transaction.sign(
        OPERATOR,
        chain_id=Genesis.decode((data / "genesis.json").read_bytes()).chain_id,
        sender="regulator/admin",
        contract=contract,
        action=action,
        args=args,
        valid_until_ms=time.time_ns() // 1_000_000 + 300_000,
        salt=os.urandom(16),
    )
