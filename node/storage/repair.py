"""``python -m coseal.node repair``: puts a stopped node's folder in order: it starts and gets what is gone from peers.

Law: nothing is deleted, what is damaged is moved aside; no key and no journal is ever made here, so a validator that
lost its sign guard follows first, as after any loss. What is kept proved itself by its checksums, and the node checks
it again when it starts.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from coseal.contracts.kernel.overlay import CommittedReader
from coseal.contracts.membership import actions as membership
from coseal.ledger import framing
from coseal.ledger.genesis import Genesis
from coseal.ledger.state import key_hash_of, split_entry
from coseal.node.config import ConfigProblem, NodeConfig, load
from coseal.node.core import journal
from coseal.node.core.journal import Verdict
from coseal.node.exits import Exit
from coseal.node.setup import read_genesis
from coseal.node.signing import keys
from coseal.node.signing.keys import KeyProblem
from coseal.node.storage.block_log import BLOCK, HEAD, BlockLog
from coseal.node.storage.data_folder import BLOCKS_FOLDER, JOURNAL_FOLDER, STATE_FOLDER
from coseal.node.storage.files import Damaged, StorageError, disk_errors, lock_folder, replace_file, sync_directory
from coseal.node.storage.join_folder import HEADS_FOLDER, SNAPSHOTS_FOLDER
from coseal.node.storage.journal_file import JOURNAL_NAME
from coseal.node.storage.state_store import ReadOnlyStore

Say = Callable[[str], None]
INDEX_NAME: Final = "index.sqlite"
IDEMPOTENCY_NAME: Final = "idempotency.sqlite"
_SQLITE_SUFFIXES: Final = ("", "-wal", "-shm")


def repair_command(folder: Path) -> Exit:
    """Repair a folder and print a line for each thing that was done, or why it cannot be."""
    try:
        config = load(folder)
        found = Repair(folder, config, read_genesis(config)).run()
    except (ConfigProblem, KeyProblem) as error:
        print(error.reason, file=sys.stderr)
        return Exit.USAGE
    except StorageError as error:
        print(error.reason, file=sys.stderr)
        return Exit.STORAGE
    print("\n".join(found or ["nothing is damaged"]))
    return Exit.STOPPED


class Repair:
    """One repair of a folder; what is put aside goes to a folder of its own, ``damaged-TIME``, within it."""

    def __init__(self, folder: Path, config: NodeConfig, genesis: Genesis) -> None:
        self._folder, self._config, self._genesis = folder, config, genesis
        self._aside = folder / time.strftime("damaged-%Y%m%dT%H%M%SZ", time.gmtime())
        self._done: list[str] = []

    def run(self) -> list[str]:
        """Do it and return what was done, in words; raise ``Locked`` if the node runs, or ``KeyProblem``."""
        lock = lock_folder(self._folder)
        try:
            self._blocks()
            self._journal()
            self._database(INDEX_NAME, "the node makes it anew from its blocks")
            self._database(
                IDEMPOTENCY_NAME,
                "the gateway has forgotten its keys, so a request from before that is sent again may be recorded twice",
            )
            self._link()
        finally:
            os.close(lock)
        return self._done

    # Blocks

    def _blocks(self) -> None:
        """Keep the blocks up to the first damaged one; of a log that cannot begin, nothing."""
        try:
            heads = BlockLog(self._folder / HEADS_FOLDER, kind=HEAD)
        except Damaged as error:
            self._join_again(error.reason)
            return
        tip = heads.tip_height
        heads.close()
        begins, ends = self._cut(self._folder / BLOCKS_FOLDER, anywhere=tip > 0)
        if begins > tip + 1:
            self._join_again(f"the blocks begin at height {begins}, the heads of those before end at {tip}")
        elif begins > 1 and not any(begins <= height <= ends for height in self._snapshots()):
            self._join_again(f"of the blocks from {begins} to {ends}, which are left, there is no snapshot")

    def _snapshots(self) -> list[int]:
        folder = self._folder / SNAPSHOTS_FOLDER
        return [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]

    def _join_again(self, why: str) -> None:
        for name in (BLOCKS_FOLDER, HEADS_FOLDER, SNAPSHOTS_FOLDER, STATE_FOLDER):
            self._put_aside(self._folder / name)
        self._say(f"{why}: blocks, heads, snapshots and state are in {self._aside}, and come from the peers again")

    def _cut(self, folder: Path, *, anywhere: bool) -> tuple[int, int]:
        """Put aside what does not follow in order in the log; return the first and the last height that are left.

        ``anywhere``: the log may begin with any height, and any file.
        """
        paths = sorted(folder.glob("*.log")) if folder.is_dir() else []
        number = int(paths[0].stem) if paths and anywhere else 1
        first, following = 1, None if anywhere else 1
        for place, path in enumerate(paths):
            good_bytes = 0
            if path.name == f"{number + place:08d}.log":
                good_bytes, begins, following = good_part(path, following)
                first = begins if place == 0 else first
            if good_bytes < path.stat().st_size:
                self._cut_here(paths[place:], good_bytes, following or 1)
                break
        return first, (following or 1) - 1

    def _cut_here(self, paths: list[Path], good_bytes: int, height: int) -> None:
        damaged = paths[0]
        with disk_errors("put aside", damaged):
            place = self._aside / damaged.parent.name
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if good_bytes:
                shutil.copy2(damaged, place / damaged.name)
                replace_file(damaged, damaged.read_bytes()[:good_bytes])
                paths = paths[1:]
            for path in paths:
                os.rename(path, place / path.name)
            sync_directory(damaged.parent)
        self._say(
            f"{damaged} is damaged at byte {good_bytes}: the blocks before height {height} are kept, the others come "
            f"from the peers again; the damaged files are in {place}"
        )

    # The journal

    def _journal(self) -> None:
        """A damaged journal entitles to nothing; without one the node follows until it cannot contradict itself."""
        path = self._folder / JOURNAL_FOLDER / JOURNAL_NAME
        then = "the node follows, and votes again by itself when it cannot contradict what it may have signed"
        data = None
        if path.exists():
            with disk_errors("read", path):
                data = path.read_bytes()
        verdict = journal.load(data, self._genesis.chain_id, self._config.node_id).verdict
        if verdict is Verdict.DAMAGED:
            self._put_aside(path)
            self._say(f"the journal is damaged, or of another node or chain; it is in {self._aside}: {then}")
        elif verdict is Verdict.MISSING:
            self._say(f"there is no journal: {then}")

    # Files of SQLite

    def _database(self, name: str, then: str) -> None:
        path = self._folder / name
        why = damage_of(path)
        if why is not None:
            for suffix in _SQLITE_SUFFIXES:
                self._put_aside(path.with_name(name + suffix))
            self._say(f"{name} is damaged ({why}); it is in {self._aside}: {then}")

    # The link's identity

    def _link(self) -> None:
        """Write the registered certificate again if it is of the link key, and the file does not fit."""
        path, secret = self._config.link_certificate, keys.passphrase()
        key = keys.load_private_key(self._config.link_key, secret).public_key().public_bytes_raw()
        try:
            if keys.key_in_certificate(keys.load_certificate(path)) == key:
                return
            why = f"does not fit {self._config.link_key}"
        except KeyProblem as error:
            why = error.reason.removeprefix(f"{path} ")
        fitting = next((found for found in self._certificates() if keys.key_in_certificate(found) == key), None)
        if fitting is None:
            raise KeyProblem(
                f"{path} {why}, and no certificate that this node knows to be registered for it does: put back the "
                "pair that was made together, or make another one and register it (docs/consortium.md, Keys replaced)"
            )
        self._put_aside(path)
        certificate = x509.load_der_x509_certificate(fitting)
        replace_file(path, certificate.public_bytes(serialization.Encoding.PEM), mode=0o644)
        self._say(f"{path} {why}; the certificate that the chain registers is in its place")

    def _certificates(self) -> list[bytes]:
        """Return the certificates registered for this node, as far as it knows: in its state, in the genesis."""
        found = [node.link_certificate for node in self._genesis.nodes if node.id == self._config.node_id]
        try:
            store = ReadOnlyStore(self._folder / STATE_FOLDER)
        except StorageError:
            return found
        try:
            store.renew()
            reader = CommittedReader(lambda key: _value(store.get(key_hash_of(key))))
            entry = membership.node(reader, self._config.node_id)
        except Exception:  # a damaged database may answer anything; it is rebuilt when the node starts
            entry = None
        finally:
            store.close()
        return found if entry is None else [bytes.fromhex(entry["link_certificate"]), *found]

    # Putting aside

    def _say(self, text: str) -> None:
        self._done.append(text)

    def _put_aside(self, path: Path) -> None:
        if not path.exists():
            return
        with disk_errors("put aside", path):
            self._aside.mkdir(mode=0o700, exist_ok=True)
            target = self._aside / path.name
            os.rename(path, target.with_name(f"{path.name}-kept") if target.exists() else target)
            sync_directory(path.parent)
            sync_directory(self._aside)


def good_part(path: Path, height: int | None) -> tuple[int, int, int | None]:
    """Return how many bytes of a file are blocks in order, with which height they begin, and which would follow.

    ``height`` is the first one that is wanted, None for any.
    """
    with disk_errors("read", path):
        view = memoryview(path.read_bytes())
    offset, first = 0, height or 1
    while offset < len(view):
        record = framing.read(view, offset)
        if record is None or record.kind != BLOCK or height not in (None, record.sequence):
            break
        first = record.sequence if offset == 0 else first
        height, offset = record.sequence + 1, record.end
    return offset, first, height


def damage_of(path: Path) -> str | None:
    """Say what is wrong with a file of SQLite, None if nothing is, or it is not there."""
    if not path.exists():
        return None
    try:
        connection = sqlite3.connect(path)
        try:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        return str(error)
    return None if found == "ok" else str(found)


def _value(entry: bytes | None) -> bytes | None:
    return None if entry is None else split_entry(entry)[1]
