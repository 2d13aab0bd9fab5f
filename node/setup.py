"""Making a node: its keys before there is a genesis, its empty journal after.

Law: nothing that exists is replaced. A journal is made here and nowhere else, so that a node which has lost its
journal can tell; a backup restored without one is not a new node.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis
from coseal.node.config import ConfigProblem, NodeConfig, load
from coseal.node.core import journal
from coseal.node.exits import Exit
from coseal.node.signing import keys
from coseal.node.signing.keys import KeyProblem
from coseal.node.storage import journal_file
from coseal.node.storage.data_folder import JOURNAL_FOLDER
from coseal.node.storage.files import StorageError


def init_command(folders: list[Path], node_id: str | None) -> Exit:
    """Make keys (with ``node_id``) or journals (without); print the public parts, or where the journals are."""
    try:
        if node_id is None:
            for folder in folders:
                print(create_journal(folder))
            return Exit.STOPPED
        if len(folders) != 1:
            raise ConfigProblem("--node-id goes with one --data")
        print(json.dumps(create_keys(folders[0], node_id), indent=1))
        return Exit.STOPPED
    except (ConfigProblem, KeyProblem, StorageError) as error:
        print(error.reason, file=sys.stderr)
        return Exit.STORAGE if isinstance(error, StorageError) else Exit.USAGE


def create_keys(folder: Path, node_id: str) -> dict[str, str]:
    """Make the consensus key, the link key and the link certificate; return the public parts as genesis has them."""
    secret = keys.passphrase()
    consensus = keys.create_key(folder / "keys" / "consensus.pem", secret)
    link = keys.create_key(folder / "keys" / "link.pem", secret)
    certificate = keys.create_certificate(folder / "keys" / "link.crt", link, node_id)
    return {
        "id": node_id,
        "consensus_key": consensus.public_key().public_bytes_raw().hex(),
        "link_certificate": certificate.hex(),
    }


def create_journal(folder: Path) -> Path:
    """Make the journal of a node that has never voted on the chain of its genesis, and return its path."""
    config = load(folder)
    data = journal.initial(read_genesis(config).chain_id, config.node_id)
    journal_file.create(folder / JOURNAL_FOLDER, data)
    return folder / JOURNAL_FOLDER / journal_file.JOURNAL_NAME


def read_genesis(config: NodeConfig) -> Genesis:
    """Read the genesis that the configuration names; raise ``ConfigProblem``."""
    try:
        return Genesis.decode(config.genesis.read_bytes())
    except OSError as error:
        raise ConfigProblem(f"cannot read the genesis {config.genesis}: {error.strerror}") from None
    except LedgerError as error:
        raise ConfigProblem(f"the genesis {config.genesis} cannot be used: {error.reason}") from None
