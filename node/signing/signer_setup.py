"""Making a signer: a node gives up its consensus key, and the new guard goes on from the node's journal.

Law: there is never a second guard for one key in one folder, nor a guard that knows less than the node's journal; a
crash leaves the key in one place at least.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from coseal.node.config import ConfigProblem, NodeConfig, load
from coseal.node.core import journal
from coseal.node.exits import Exit
from coseal.node.setup import read_genesis
from coseal.node.signing import keys
from coseal.node.signing.keys import KeyProblem
from coseal.node.signing.signer import GUARD_FOLDER, KEY_NAME, SOCKET_NAME
from coseal.node.storage import journal_file
from coseal.node.storage.data_folder import JOURNAL_FOLDER
from coseal.node.storage.files import StorageError, disk_errors, lock_folder, replace_file, sync_directory
from coseal.node.storage.journal_file import JournalFile


def init_command(folder: Path, node: Path, above: int | None, key: Path | None) -> int:
    """Make the signer of a node: move its key, go on from its guard; print the public parts."""
    try:
        print(json.dumps(create(folder, node, above, key), indent=1))
        return Exit.STOPPED
    except (ConfigProblem, KeyProblem, StorageError) as error:
        print(error.reason, file=sys.stderr)
        return Exit.STORAGE if isinstance(error, StorageError) else Exit.USAGE


def create(folder: Path, node: Path, above: int | None = None, key: Path | None = None) -> dict[str, str]:
    """Make the folder of a signer for the node in ``node``; raise ``ConfigProblem``, ``KeyProblem``, ``StorageError``.

    With ``above`` the new guard refuses every height up to it and nothing is taken over: for a guard that was lost, and
    for a new key, while the node runs. ``key`` is the file to move, the node's consensus key if it is None; none is
    moved if ``folder`` has one already.
    """
    config = load(node)
    if above is not None:
        return _create(folder, node, config, above, key or config.consensus_key)
    lock = lock_folder(node)
    try:
        return _create(folder, node, config, None, key or config.consensus_key)
    finally:
        os.close(lock)


def _create(folder: Path, node: Path, config: NodeConfig, above: int | None, source: Path) -> dict[str, str]:
    chain_id = read_genesis(config).chain_id
    with disk_errors("create", folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / "keys" / KEY_NAME
    moves = not target.exists()
    signer = keys.load_signer(source if moves else target, keys.passphrase())
    journal_file.create(folder / GUARD_FOLDER, _first_guard(node, chain_id, config.node_id, above))
    if moves:
        _move_key(source, target)
    return {
        "id": config.node_id,
        "chain_id": chain_id.hex(),
        "consensus_key": signer.public_key.hex(),
        "signer": f"unix:{folder.resolve() / SOCKET_NAME}",
    }


def _first_guard(node: Path, chain_id: bytes, node_id: str, above: int | None) -> bytes:
    """Return the guard's first file: what the node's journal says was signed, or nothing up to ``above``."""
    if above is not None:  # U8
        return journal.Journal(chain_id, node_id).raise_floor(above)
    loaded = journal.load(JournalFile(node / JOURNAL_FOLDER).read(), chain_id, node_id)
    signs = loaded.journal.persisted.signs
    if not loaded.entitles or signs is None:
        raise StorageError(
            f"the journal of {node} does not say what was signed: give --above HEIGHT, a height that the network "
            "committed two blocks after this key can have voted the last time"
        )
    return journal.Journal(chain_id, node_id).take_over(signs)


def _move_key(source: Path, target: Path) -> None:
    """Move a key file so that a crash leaves it in one place at least."""
    keys.require_private(source)
    with disk_errors("move the key to", target):
        target.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(target, source.read_bytes())
        source.unlink()
        sync_directory(source.parent)
