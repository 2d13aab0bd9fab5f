"""A node whose folder knows a later key than its state does: it was put back behind the block that replaced the key.

Law: this lets a node follow, nothing else. With a key that is not the registered one it signs nothing (V5), so a wrong
key costs a vote and never makes a second one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coseal.node.config import NodeConfig
from coseal.node.core import journal
from coseal.node.signing import keys
from coseal.node.signing.keys import KeyProblem

FORMER_FOLDER: Final = "former"
"""Beside the consensus key: those that it replaced, as `coseal node rotate-key` keeps them."""


def signed_above(data: bytes | None, chain_id: bytes, node_id: str, height: int) -> bool:
    """Say whether a journal's bytes show that this node signed above the height that follows ``height``.

    Then it knew blocks that are gone, and the registry with them.
    """
    loaded = journal.load(data, chain_id, node_id)
    signs = loaded.journal.persisted.signs or ()
    return loaded.entitles and any(sign.height > height + 1 for sign in signs)


def is_former(config: NodeConfig, registered: bytes, secret: bytes | None) -> bool:
    """Say whether a registered key is one that this node had before: its file is still there."""
    return any(_public_key(path, secret) == registered for path in _former(config))


def _former(config: NodeConfig) -> list[Path]:
    folder = config.consensus_key.parent / FORMER_FOLDER
    return sorted(folder.glob("*.pem")) if folder.is_dir() else []


def _public_key(path: Path, secret: bytes | None) -> bytes | None:
    try:
        return keys.load_signer(path, secret).public_key
    except KeyProblem:
        return None
