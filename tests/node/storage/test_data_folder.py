from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from coseal.ledger import framing
from coseal.ledger.genesis import Genesis
from coseal.ledger.state import State
from coseal.ledger.transaction import Transaction
from coseal.node.storage.block_log import BlockLog
from coseal.node.storage.data_folder import Storage
from coseal.node.storage.files import Damaged, Locked, StorageError
from tests.support.chain import Chain
from tests.support.genesis import genesis, make_genesis


def opened(folder: Path, chain: Genesis | None = None, **options: object) -> Storage:
    folder.mkdir(exist_ok=True)
    return Storage(folder, chain or genesis(), map_bytes=1 << 26, **options)  # type: ignore[arg-type]


def filled(folder: Path, blocks: int = 5, *, applied: int | None = None) -> Chain:
    """Write a chain as the node does; only ``applied`` of its blocks reach the state database."""
    chain = Chain(genesis())
    storage = opened(folder)
    for height in range(1, blocks + 1):
        chain.grow(1)
        committed = chain.blocks[-1]
        storage.blocks.append(height, committed.encode())
        storage.blocks.sync()
        outcome = storage.executor.execute_block(committed.block)
        storage.executor.commit(outcome)
        if applied is None or height <= applied:
            storage.apply(height, committed.block.hash, outcome.change)
    storage.close()
    return chain


def root_of(storage: Storage) -> bytes:
    """The root as the database itself has it, not as memory remembers it."""
    return State(storage.store, genesis().parameters.state_bits).root


def test_a_new_folder_holds_the_genesis_state(tmp_path: Path) -> None:
    storage = opened(tmp_path / "node")
    assert storage.tip_height == 0
    assert storage.executor.height == 0
    assert root_of(storage) == Chain(genesis()).executor.state.root
    assert storage.notices == []
    storage.close()


def test_what_was_committed_is_there_after_a_restart(tmp_path: Path) -> None:
    chain = filled(tmp_path / "node")
    storage = opened(tmp_path / "node")
    assert storage.notices == []
    assert storage.executor.height == 5
    assert storage.executor.time_ms == chain.executor.time_ms
    assert storage.executor.state.root == root_of(storage) == chain.executor.state.root
    assert storage.committed(3) == chain.blocks[2]
    storage.close()


def test_the_exactly_once_window_survives_a_restart(tmp_path: Path) -> None:
    chain = filled(tmp_path / "node")
    storage = opened(tmp_path / "node")
    for raw in chain.blocks[2].block.transactions:
        refusal = storage.executor.check(Transaction.decode(raw), storage.executor.time_ms + 1)
        assert refusal is not None
        assert refusal.code == "duplicate"
    storage.close()


@pytest.mark.parametrize("applied", [0, 1, 4])
def test_a_state_that_lags_is_brought_to_the_tip(tmp_path: Path, applied: int) -> None:
    chain = filled(tmp_path / "node", applied=applied)
    seen: list[tuple[int, int]] = []
    storage = opened(tmp_path / "node", progress=lambda height, tip: seen.append((height, tip)))
    assert seen == [(height, 5) for height in range(applied + 1, 6)]
    assert storage.executor.state.root == root_of(storage) == chain.executor.state.root
    storage.close()


def test_a_wiped_state_is_rebuilt_to_the_same_root(tmp_path: Path) -> None:
    chain = filled(tmp_path / "node")
    before = opened(tmp_path / "node")
    entries = list(before.store.items())
    before.close()
    shutil.rmtree(tmp_path / "node" / "state")
    storage = opened(tmp_path / "node")
    assert storage.executor.state.root == root_of(storage) == chain.executor.state.root
    assert list(storage.store.items()) == entries
    storage.close()


def test_a_state_ahead_of_the_log_is_rebuilt(tmp_path: Path) -> None:
    chain = filled(tmp_path / "node")
    path = tmp_path / "node" / "blocks" / "00000001.log"
    path.write_bytes(path.read_bytes()[: framing.scan(path.read_bytes()).records[-1].start + 9])
    storage = opened(tmp_path / "node")
    assert "block 5" in storage.notices[0]
    assert "rebuilt" in storage.notices[1]
    assert storage.tip_height == storage.executor.height == 4
    assert storage.executor.state.root == root_of(storage) == chain.blocks[3].block.header.state_root
    storage.close()


def test_a_damaged_state_is_noticed_by_its_root_and_rebuilt(tmp_path: Path) -> None:
    chain = filled(tmp_path / "node")
    storage = opened(tmp_path / "node")
    key_hash, entry = next(storage.store.items())
    marker = storage.store.marker
    assert marker is not None
    storage.store.write({key_hash: bytes([entry[0] ^ 1]) + entry[1:]}, marker)
    storage.close()
    repaired = opened(tmp_path / "node")
    assert "damaged" in repaired.notices[0]
    assert repaired.executor.state.root == root_of(repaired) == chain.executor.state.root
    repaired.close()


def test_a_flipped_byte_in_the_log_is_refused_naming_the_height(tmp_path: Path) -> None:
    filled(tmp_path / "node")
    path = tmp_path / "node" / "blocks" / "00000001.log"
    data = bytearray(path.read_bytes())
    data[framing.scan(bytes(data)).records[1].start + 40] ^= 1
    path.write_bytes(data)
    with pytest.raises(Damaged, match="block 2 is damaged"):
        opened(tmp_path / "node")


def test_blocks_that_execute_to_other_roots_are_refused(tmp_path: Path) -> None:
    """A log that holds together but contradicts its own header is a determinism fault, never skipped."""
    chain = Chain(genesis())
    chain.grow(2)
    header = chain.blocks[1].block.header
    object.__setattr__(header, "state_root", bytes(32))
    header.__dict__.pop("raw", None)
    header.__dict__.pop("hash", None)
    chain.blocks[1].block.__dict__.pop("raw", None)
    object.__setattr__(chain.blocks[1], "certificate", chain.certify(chain.blocks[1].block.header))
    storage = opened(tmp_path / "node")
    for height, committed in enumerate(chain.blocks, start=1):
        storage.blocks.append(height, committed.encode())
    storage.blocks.sync()
    storage.close()
    with pytest.raises(StorageError, match="replaying block 2"):
        opened(tmp_path / "node")


def test_the_folder_of_another_chain_is_refused(tmp_path: Path) -> None:
    filled(tmp_path / "node")
    with pytest.raises(StorageError, match="right genesis"):
        opened(tmp_path / "node", make_genesis(name="another"))


def test_an_empty_state_of_another_chain_is_replaced(tmp_path: Path) -> None:
    opened(tmp_path / "node").close()
    other = make_genesis(name="another", time_ms=5)
    storage = opened(tmp_path / "node", other)
    assert storage.executor.time_ms == 5
    storage.close()


def test_a_second_opening_is_refused_and_the_lock_goes_with_the_process(tmp_path: Path) -> None:
    storage = opened(tmp_path / "node")
    with pytest.raises(Locked, match=f"pid {os.getpid()}"):
        opened(tmp_path / "node")
    storage.close()
    opened(tmp_path / "node").close()


def test_a_failed_opening_frees_the_folder(tmp_path: Path) -> None:
    filled(tmp_path / "node")
    for _ in range(2):
        with pytest.raises(StorageError, match="right genesis"):
            opened(tmp_path / "node", make_genesis(name="another"))
    opened(tmp_path / "node").close()


FILL = """
import resource, signal, sys
from pathlib import Path
from coseal.node.storage.files import StorageError
from coseal.node.storage.block_log import BlockLog
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
folder = Path(sys.argv[1])
log = BlockLog(folder / "blocks")
try:
    for height in range(1, 1_000):
        log.append(height, bytes(1_000))
        log.sync()
        print(height, flush=True)
except StorageError as error:
    sys.exit(error.reason)
"""


def test_a_disk_that_takes_no_more_ends_the_process_with_the_file_named(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", FILL, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    reported = len(run.stdout.split())
    assert run.returncode != 0
    assert "cannot append block" in run.stderr
    assert "free space" in run.stderr
    assert "Traceback" not in run.stderr
    assert reported > 0
    log = BlockLog(tmp_path / "blocks")
    assert log.tip_height == reported
    assert "cut off" in log.notices[0]
    log.close()
