"""A node's folder: its disk, its key files, the genesis, its journal; whether a process has it."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Final

from cryptography import x509

from coseal.client import keys
from coseal.client.genesis import read_genesis
from coseal.doctor.line import Line, bad, ok, warn
from coseal.doctor.settings import Settings
from coseal.errors import CosealError, WrongKey
from coseal.ledger import framing
from coseal.ledger.block import CommittedBlock
from coseal.ledger.errors import LedgerError
from coseal.ledger.genesis import Genesis

_GIB: Final = 1024**3
_SYNCS: Final = 20
_FIRST_RECORD_BYTES: Final = 16 * 1024 * 1024
_SYNC_BYTES: Final = 4096
_DAY_S: Final = 86_400
_OLD_KEY_DAYS: Final = 365
_EXPIRES_SOON_DAYS: Final = 30
_JOURNAL_BEHIND_S: Final = 600
_VOLATILE: Final = frozenset({"tmpfs", "ramfs"})
_REMOTE: Final = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs"})


@dataclass(frozen=True, slots=True)
class Registered:
    """What the chain registers for a node, and where that is known from, in words.

    ``certain``: nothing can have replaced it since; the genesis alone does not tell once there are blocks.
    """

    consensus_key: bytes
    link_certificate: bytes
    source: str
    certain: bool = True


# Disk


def disk(settings: Settings) -> list[Line]:
    """Look at space, kind and latency of the disk that holds the folder."""
    usage = shutil.disk_usage(settings.folder)
    found = [judge_space(settings.node, usage.free, usage.total)]
    kind = judge_file_system(settings.node, _file_system(settings.folder))
    latencies = sync_latencies_ms(settings.folder)
    if isinstance(latencies, str):
        found.append(bad(settings.node, "disk writes", latencies, "the node's user must own its folder"))
    else:
        found.append(judge_latency(settings.node, latencies))
    return [*found, *([] if kind is None else [kind])]


def judge_space(node: str, free: int, total: int) -> Line:
    """Judge free bytes: a full disk ends the node with status 4."""
    text = f"{free / _GIB:.1f} of {total / _GIB:.1f} GiB free"
    if free < _GIB:
        return bad(node, "disk space", text, "make room before the node ends: add disk, or prune_keep_blocks")
    if free < 5 * _GIB or free * 20 < total:
        return warn(node, "disk space", text, "plan for more: add disk, or prune_keep_blocks")
    return ok(node, "disk space", text)


def judge_latency(node: str, latencies_ms: list[float]) -> Line:
    """Judge how long writes took to be on the disk; a validator waits for at least two of them a block."""
    middle, longest = median(latencies_ms), max(latencies_ms)
    text = f"{middle:.1f} ms (median), {longest:.1f} ms (longest) until {_SYNC_BYTES} bytes are on the disk"
    if middle > 200:
        return bad(node, "disk writes", text, "a round may end before a vote is written: use a local SSD")
    if middle > 20 or longest > 500:
        return warn(node, "disk writes", text, "every block waits for it: use a local SSD with nothing else on it")
    return ok(node, "disk writes", text)


def judge_file_system(node: str, kind: str | None) -> Line | None:
    """Judge the kind of the file system; None if there is nothing to say."""
    if kind in _VOLATILE:
        todo = "put the folder on a disk: a validator that loses its journal must not vote"
        return bad(node, "file system", f"{kind} is gone after a restart of the machine", todo)
    if kind in _REMOTE:
        return warn(node, "file system", f"{kind} is another machine's disk", "LMDB and locks want a local one")
    return None


def sync_latencies_ms(folder: Path) -> list[float] | str:
    """Write and sync a file of a few KiB some times; return how long each took, or why it cannot be written."""
    path = folder / f".doctor-{os.getpid()}"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        return f"no file can be made: {error.strerror}"
    try:
        took = []
        for _ in range(_SYNCS):
            began = time.perf_counter()
            os.write(descriptor, bytes(_SYNC_BYTES))
            os.fdatasync(descriptor)
            took.append((time.perf_counter() - began) * 1000)
        return took
    except OSError as error:
        return f"a write fails: {error.strerror}"
    finally:
        os.close(descriptor)
        path.unlink()


def _file_system(folder: Path) -> str | None:
    """Return the kind of file system of a folder, None where /proc does not say."""
    try:
        mounts = [line.split() for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    except OSError:
        return None
    above = {str(path) for path in (folder.resolve(), *folder.resolve().parents)}
    holding = [(len(words[4]), words[words.index("-") + 1]) for words in mounts if words[4] in above]
    return max(holding, default=(0, None))[1]


# Keys


def key_files(settings: Settings, now_s: float) -> list[Line]:
    """Look at mode, owner and age of every file that holds a secret."""
    wanted = {"link key": settings.link_key, "operator key": settings.operator_key, "HTTP key": settings.http_key}
    if settings.signer is None:
        wanted["consensus key"] = settings.consensus_key
    for name, path in {"next consensus key": settings.consensus_key_next, "tokens": settings.tokens}.items():
        if path.exists():
            wanted[name] = path
    owner = settings.folder.stat().st_uid
    return [_key_file(settings.node, name, path, owner, now_s) for name, path in wanted.items() if path is not None]


def _key_file(node: str, name: str, path: Path, owner: int, now_s: float) -> Line:
    try:
        status, content = path.stat(), path.read_bytes()
    except OSError as error:
        return bad(node, name, f"{path}: {error.strerror}", "put the file in place; never make another one instead")
    mode, days = stat.S_IMODE(status.st_mode), int((now_s - status.st_mtime) // _DAY_S)
    secret = "" if name == "tokens" else ", encrypted" if b"ENCRYPTED" in content else ", not encrypted"
    text = f"mode {mode:04o}, {days} days old{secret}"
    if mode & 0o077:
        return bad(node, name, text, f"others can read it, and the node does not start: chmod 600 {path}")
    if status.st_uid != owner:
        return warn(node, name, f"{text}, owned by user {status.st_uid}", f"chown {owner} {path}")
    if days > _OLD_KEY_DAYS:
        return warn(node, name, text, "consider another one, see docs/consortium.md, Keys replaced")
    return ok(node, name, text)


def key_contents(settings: Settings, registered: Registered | None) -> list[Line]:
    """See that the keys are those which the chain registers for this node."""
    node = settings.node
    if registered is None:
        return [warn(node, "keys", "neither genesis nor chain knows this node", "register it: membership.add_node")]
    found = []
    try:
        certificate = keys.certificate_der(settings.link_certificate)
        same = certificate == registered.link_certificate
        link_key = keys.read_signer(settings.link_key, keys.environment_passphrase()).public_key
        if link_key != x509.load_der_x509_certificate(certificate).public_key().public_bytes_raw():  # type: ignore[union-attr]
            todo = "put the pair in place that was made together"
            found.append(bad(node, "link identity", "link key and link certificate are no pair", todo))
        else:
            found.append(_registered(node, "link identity", same, registered, "its certificate"))
        if settings.signer is None:
            signer = keys.read_signer(settings.consensus_key, keys.environment_passphrase())
            same = signer.public_key == registered.consensus_key
            found.append(_registered(node, "consensus identity", same, registered, "its key"))
    except WrongKey as error:
        found.append(warn(node, "keys", error.detail, "COSEAL_KEY_PASSPHRASE_FILE lets the doctor open them"))
    except CosealError as error:
        found.append(bad(node, "keys", error.detail, error.hint or "see docs/operating.md, Keys"))
    except (AttributeError, ValueError):
        found.append(bad(node, "link identity", "the link certificate is not of an Ed25519 key", "make another one"))
    return found


def _registered(node: str, check: str, same: bool, registered: Registered, what: str) -> Line:
    if same:
        return ok(node, check, f"{what} is the one that {registered.source} registers")
    text = f"{what} is not the one that {registered.source} registers"
    if not registered.certain:
        return warn(node, check, text, "if it was replaced since, look again while the node runs; else it is wrong")
    return bad(node, check, text, "this is another node's folder or key, or another chain's genesis")


def http_certificate(settings: Settings, now: datetime) -> list[Line]:
    """Look at the life of the HTTP certificate, if there is one."""
    if settings.http_certificate is None:
        return []
    try:
        ends = x509.load_pem_x509_certificate(settings.http_certificate.read_bytes()).not_valid_after_utc
    except (OSError, ValueError):
        text = f"{settings.http_certificate} is no PEM certificate"
        return [bad(settings.node, "HTTP certificate", text, "the node does not start without it")]
    return [judge_certificate(settings.node, ends, now)]


def judge_certificate(node: str, ends: datetime, now: datetime) -> Line:
    """Judge the HTTP certificate by the end of its life."""
    days = (ends - now).days
    text = f"valid until {ends:%Y-%m-%d}, {days} days"
    if days < 0:
        return bad(node, "HTTP certificate", text, "clients refuse it: renew it and restart the node")
    if days < _EXPIRES_SOON_DAYS:
        return warn(node, "HTTP certificate", text, "renew it and restart the node")
    return ok(node, "HTTP certificate", text)


# Genesis, journal, process


def genesis(settings: Settings, chain_id: str | None) -> tuple[Genesis | None, Line]:
    """Read the genesis and compare it with the blocks, and with ``chain_id`` (hex) if it is known."""
    try:
        found = read_genesis(settings.genesis, chain_id)
    except CosealError as error:
        return None, bad(settings.node, "genesis", error.detail, "get it again from a member; compare the chain id")
    blocks = _chain_of_blocks(settings.folder)
    if blocks not in (None, found.chain_id):
        text = f"chain {found.chain_id.hex()}, but the blocks are of chain {blocks.hex() if blocks else ''}"
        return None, bad(settings.node, "genesis", text, "put back the genesis with which this node was made")
    return found, ok(settings.node, "genesis", f"chain {found.chain_id.hex()}, {found.name}")


def _chain_of_blocks(folder: Path) -> bytes | None:
    """Return the chain id in the first block of the log, None if there is none that can be read."""
    for path in sorted((folder / "blocks").glob("*.log"))[:1]:
        try:
            with path.open("rb") as file:
                record = framing.read(memoryview(file.read(_FIRST_RECORD_BYTES)), 0)
            if record is None:
                return None
            return CommittedBlock.decode(record.payload, check_roots=False).block.header.chain_id
        except (OSError, ValueError, LedgerError):
            return None  # whether the log is damaged is the node's to say
    return None


def in_genesis(found: Genesis, node: str, *, certain: bool) -> Registered | None:
    """Return what the genesis registers for a node; ``certain`` while there is no block that can have replaced it."""
    for entry in found.nodes:
        if entry.id == node:
            return Registered(entry.consensus_key, entry.link_certificate, "the genesis", certain)
    return None


def journal(settings: Settings, now_s: float) -> Line:
    """Compare the time of the journal with that of the newest block: an old copy of a journal must never be used."""
    path = settings.folder / "journal" / "journal.log"
    blocks = [file.stat().st_mtime for file in (settings.folder / "blocks").glob("*.log")]
    written = path.stat().st_mtime if path.exists() else None
    return judge_journal(settings.node, written, max(blocks, default=None), now_s)


def judge_journal(node: str, written_s: float | None, newest_block_s: float | None, now_s: float) -> Line:
    """Judge by the times (s) at which journal and newest block were written; None: it is not there."""
    if written_s is None and newest_block_s is None:
        todo = (
            "a new node: `python -m coseal.node init --data DIR`; a restored one: it follows, and votes again by itself"
        )
        return warn(node, "journal", "there is none, and no block", todo)
    if written_s is None:
        return warn(
            node, "journal", "it was lost; the node follows and does not vote yet", "see docs/operating.md, Files"
        )
    age_s = now_s - written_s
    text = f"last written {datetime.fromtimestamp(written_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
    if age_s < -60:
        return bad(node, "journal", f"{text}, which is yet to come", "the clock is wrong, or was")
    if newest_block_s is not None and newest_block_s - written_s > _JOURNAL_BEHIND_S:
        minutes = int((newest_block_s - written_s) // 60)
        todo = "an old copy? If so, stop the node and move journal/ away; an observer that never voted is fine"
        return warn(node, "journal", f"{text}, {minutes} min before the newest block", todo)
    return ok(node, "journal", text)


def gateway_memory(settings: Settings) -> list[Line]:
    """Look at the file of the gateway's idempotency keys of a node that does not run, if there is one."""
    path, check = settings.folder / "idempotency.sqlite", "gateway's memory"
    if not path.exists():
        return []
    try:
        # Nobody writes it now, and looking must leave no file beside it.
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?immutable=1", uri=True)
        try:
            (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        finally:
            connection.close()
    except sqlite3.Error as error:
        found = str(error)
    if found == "ok":
        return [ok(settings.node, check, f"{path.name} is whole")]
    todo = f"the node does not start: restore the file, or `coseal node repair {settings.node}`"
    return [bad(settings.node, check, f"{path} is damaged: {found}", todo)]


def process_of(folder: Path) -> int | None:
    """Return the process that holds the folder's lock, None if none does or /proc does not say."""
    try:
        held = (folder / "lock").stat()
        rows = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return None
    wanted = f"{os.major(held.st_dev):02x}:{os.minor(held.st_dev):02x}:{held.st_ino}"
    return next((int(words[4]) for words in rows if words[1] == "FLOCK" and words[5] == wanted), None)


def descriptors_of(pid: int) -> int | None:
    """Return the hard limit of open files of a process, None where it cannot be read or there is none."""
    try:
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
    except OSError:
        return None
    (words,) = [line.split() for line in limits if line.startswith("Max open files")]
    return int(words[4]) if words[4].isdigit() else None
