"""The folder of secrets beside an operator's key: private keys for envelopes, keys of own vaults, keys of seats.

Law: a file is its owner's alone, is on disk whole when it is there at all, and is never replaced by another secret; an
audience's key is only ever added. Nothing here is sent anywhere.

    sealing-<use>-<version>.json    a private key for envelopes, of use ``reader`` or ``custody``
    vault-<id>.json                 a vault of the own member: all its keys, and those of its audiences by version
    seat-<owner>_<id>.json          the keys of the own seat at another member's vault
    request-<id>.json               the key of an own request for an opening

Files are JSON, secrets as lower-case hexadecimal.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from coseal.errors import CosealError
from coseal.ledger import custody, sealed, strict_json
from coseal.ledger.errors import LedgerError
from coseal.sealing.envelopes import SealingKey

USES: Final = ("reader", "custody")
FOLDER: Final = "sealing"
_NAME: Final = re.compile(r"[a-z][a-z0-9.-]{0,63}")
_SEALING_KEY: Final = re.compile(r"sealing-(?:reader|custody)-([1-9][0-9]{0,9})\.json")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class VaultSecrets:
    """What the owner of a vault keeps: ``keys`` in the order of the commitments, ``audiences`` by name and version.

    ``chain`` is the id of the chain (32 bytes), ``plan`` the plan by which the keys were dealt.
    """

    chain: bytes
    owner: str
    id: str
    plan: str
    keys: tuple[bytes, ...] = field(repr=False)
    audiences: Mapping[str, Mapping[int, bytes]] = field(default_factory=dict, repr=False)

    @property
    def hash(self) -> bytes:
        """Return the hash that stands for the vault (B1)."""
        return sealed.vault_id(self.chain, self.owner, self.id)


@dataclass(frozen=True, slots=True)
class SeatSecrets:
    """What a custodian keeps of its seat: ``keys`` in the order of ``custody.keys_of``."""

    chain: bytes
    owner: str
    id: str
    seat: int
    keys: tuple[bytes, ...] = field(repr=False)


def beside(key: Path) -> Secrets:
    """Return the secrets that belong to an operator's key, a file."""
    return Secrets(key.parent / FOLDER)


class Secrets:
    """A folder of secrets; it is made, for its owner alone, when the first one is saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)

    # Keys for envelopes

    def save_sealing_key(self, use: str, version: int, key: SealingKey) -> None:
        """Keep a private key for envelopes; raise ``CosealError`` if there is one of that use and version."""
        self._create(_sealing_name(use, version), {"sealing": 1, "use": use, "seed": key.seed.hex()})

    def sealing_keys(self, use: str) -> dict[int, SealingKey]:
        """Return the private keys of a use, by version."""
        _require_use(use)
        found = {}
        for path in sorted(self.folder.glob(f"sealing-{use}-*.json")):
            match = _SEALING_KEY.fullmatch(path.name)
            if match is not None:
                found[int(match[1])] = self._read(path.name, lambda data: SealingKey(bytes.fromhex(data["seed"])))
        return dict(sorted(found.items()))

    # Requests for openings

    def save_request_key(self, chain: bytes, request: str, key: SealingKey) -> None:
        """Keep the key of an own request, which opens what seats release to it."""
        self._create(
            _request_name(request), {"request": 1, "chain": chain.hex(), "id": request, "seed": key.seed.hex()}
        )

    def request_key(self, chain: bytes, request: str) -> SealingKey | None:
        """Return the key of an own request, None if there is none; raise ``CosealError`` if it is of another chain."""
        name = _request_name(request)
        if not (self.folder / name).exists():
            return None
        kept_of, seed = self._read(name, lambda data: (bytes.fromhex(data["chain"]), bytes.fromhex(data["seed"])))
        if kept_of != chain:
            raise CosealError(f"{self.folder / name} is of a request on another chain", "move it away")
        return SealingKey(seed)

    # Own vaults

    def save_vault(self, vault: VaultSecrets) -> None:
        """Keep the keys of an own vault; raise ``CosealError`` if there are keys of a vault of that id."""
        self._create(_vault_name(vault.id), _vault_document(vault))

    def has_vault(self, vault: str) -> bool:
        """Say whether keys of an own vault of this id are kept."""
        return (self.folder / _vault_name(vault)).exists()

    def vault(self, vault: str) -> VaultSecrets:
        """Return the keys of an own vault; raise ``CosealError`` if there are none."""
        return self._read(_vault_name(vault), _vault_of)

    def add_audience_key(self, vault: str, audience: str, version: int, key: bytes) -> None:
        """Add the key of a version of an audience; raise ``CosealError`` if another key of it is kept."""
        _require_name(audience, "audience")
        if len(key) != custody.KEY_BYTES or version < 1:
            raise CosealError(f"audience {audience}: a key of {custody.KEY_BYTES} bytes and a version from 1")
        kept = self.vault(vault)
        versions = dict(kept.audiences.get(audience, {}))
        if versions.setdefault(version, key) != key:
            raise CosealError(f"another key of version {version} of {audience} is kept", "it is never replaced")
        more = replace(kept, audiences={**kept.audiences, audience: versions})
        self._write(_vault_name(vault), _vault_document(more), os.replace)

    # Seats

    def save_seat(self, seat: SeatSecrets) -> None:
        """Keep the keys of an own seat; raise ``CosealError`` if there are keys of it already."""
        document = {"seat": 1, "chain": seat.chain.hex(), "owner": seat.owner, "id": seat.id, "number": seat.seat}
        self._create(_seat_name(seat.owner, seat.id), {**document, "keys": [key.hex() for key in seat.keys]})

    def has_seat(self, owner: str, vault: str) -> bool:
        """Say whether keys of the own seat at a vault are kept."""
        return (self.folder / _seat_name(owner, vault)).exists()

    def seat(self, owner: str, vault: str) -> SeatSecrets:
        """Return the keys of the own seat at a vault; raise ``CosealError`` if there are none."""
        return self._read(_seat_name(owner, vault), _seat_of)

    # Audiences of others

    def add_granted_key(self, chain: bytes, owner: str, vault: str, reader: tuple[str, int], key: bytes) -> None:
        """Keep the key of an audience (name and version) of another's vault, which its envelope held."""
        kept = self.granted_keys(chain, owner, vault)
        if kept.setdefault(reader, key) != key:
            raise CosealError(f"another key of version {reader[1]} of {reader[0]} of {owner}/{vault} is kept")
        versions: dict[str, dict[str, str]] = {}
        for (audience, version), each in sorted(kept.items()):
            versions.setdefault(audience, {})[str(version)] = each.hex()
        document = {"granted": 1, "chain": chain.hex(), "owner": owner, "id": vault, "audiences": versions}
        self._write(_granted_name(owner, vault), document, os.replace)

    def granted_keys(self, chain: bytes, owner: str, vault: str) -> dict[tuple[str, int], bytes]:
        """Return the keys of audiences of another's vault that are kept, by name and version; none is no error."""
        name = _granted_name(owner, vault)
        if not (self.folder / name).exists():
            return {}
        kept_of, keys = self._read(name, _granted_of)
        if kept_of != chain:
            raise CosealError(f"{self.folder / name} has keys of {owner}/{vault} on another chain", "move it away")
        return keys

    # Files

    def _create(self, name: str, document: Mapping[str, Any]) -> None:
        self._write(name, document, os.link)

    def _write(self, name: str, document: Mapping[str, Any], place: Callable[[Path, Path], None]) -> None:
        """Write a file whole, then give it its name by ``place``; ``os.link`` refuses a name that is taken."""
        path, unfinished = self.folder / name, self.folder / f".{name}.{os.getpid()}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._require_private(self.folder)
            with contextlib.suppress(FileNotFoundError):
                unfinished.unlink()
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(json.dumps(document, ensure_ascii=False, indent=2) + "\n")
                file.flush()
                os.fsync(file.fileno())
            place(unfinished, path)
            _sync_folder(self.folder)
            _sync_folder(self.folder.parent)
        except FileExistsError:
            raise CosealError(f"{path} exists", "a secret is never replaced") from None
        except OSError as error:
            raise CosealError(f"{path}: {error.strerror}") from None
        finally:
            with contextlib.suppress(OSError):
                unfinished.unlink()

    def _read(self, name: str, parse: Callable[[Any], _T]) -> _T:
        path = self.folder / name
        try:
            self._require_private(path)
            return parse(strict_json.strict_json(path.read_bytes(), str(path)))
        except FileNotFoundError:
            hint = "use the key of the operator who made it, or a copy of its folder `sealing`"
            raise CosealError(f"{path}: there is no such secret", hint) from None
        except OSError as error:
            raise CosealError(f"{path}: {error.strerror}") from None
        except (LedgerError, AttributeError, KeyError, TypeError, ValueError):
            raise CosealError(f"{path}: not what Coseal wrote", "take it from a copy of the folder") from None

    @staticmethod
    def _require_private(path: Path) -> None:
        if path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise CosealError(f"{path}: others may read it", f"chmod go-rwx {path}")


def _vault_document(vault: VaultSecrets) -> dict[str, Any]:
    audiences = {
        name: {str(version): key.hex() for version, key in sorted(versions.items())}
        for name, versions in sorted(vault.audiences.items())
    }
    named = {"vault": 1, "chain": vault.chain.hex(), "owner": vault.owner, "id": vault.id, "plan": vault.plan}
    return {**named, "keys": [key.hex() for key in vault.keys], "audiences": audiences}


def _vault_of(data: Any) -> VaultSecrets:
    audiences = {
        name: {int(version): bytes.fromhex(key) for version, key in versions.items()}
        for name, versions in data["audiences"].items()
    }
    chain, keys = bytes.fromhex(data["chain"]), tuple(map(bytes.fromhex, data["keys"]))
    return VaultSecrets(chain, data["owner"], data["id"], data["plan"], keys, audiences)


def _seat_of(data: Any) -> SeatSecrets:
    chain, keys = bytes.fromhex(data["chain"]), tuple(map(bytes.fromhex, data["keys"]))
    return SeatSecrets(chain, data["owner"], data["id"], data["number"], keys)


def _granted_of(data: Any) -> tuple[bytes, dict[tuple[str, int], bytes]]:
    keys = {
        (name, int(version)): bytes.fromhex(key)
        for name, versions in data["audiences"].items()
        for version, key in versions.items()
    }
    return bytes.fromhex(data["chain"]), keys


def _sealing_name(use: str, version: int) -> str:
    _require_use(use)
    if version < 1:
        raise CosealError(f"version {version} of a key", "versions begin with 1")
    return f"sealing-{use}-{version}.json"


def _vault_name(vault: str) -> str:
    _require_name(vault, "vault")
    return f"vault-{vault}.json"


def _seat_name(owner: str, vault: str) -> str:
    _require_name(owner, "owner")
    _require_name(vault, "vault")
    return f"seat-{owner}_{vault}.json"


def _granted_name(owner: str, vault: str) -> str:
    _require_name(owner, "owner")
    _require_name(vault, "vault")
    return f"granted-{owner}_{vault}.json"


def _request_name(request: str) -> str:
    _require_name(request, "request")
    return f"request-{request}.json"


def _require_use(use: str) -> None:
    if use not in USES:
        raise CosealError(f"{use!r} is no use of a key for envelopes", f"there are {' and '.join(USES)}")


def _require_name(name: str, what: str) -> None:
    if not _NAME.fullmatch(name):
        raise CosealError(f"{what} {name!r}: a name of a-z, 0-9, '-' and '.', beginning with a letter")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
