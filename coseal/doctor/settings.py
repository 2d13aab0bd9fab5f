"""A node's configuration, as far as the doctor needs it: `node.toml`, with the defaults of docs/operating.md.

Law: it is read leniently; whether the node takes it is the node's own to say.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coseal.errors import CosealError

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Settings:
    """Paths are absolute; addresses are (host, port). ``http`` None: the node serves no HTTP."""

    folder: Path
    node: str
    genesis: Path
    link: Address
    http: Address | None
    http_certificate: Path | None
    http_key: Path | None
    peers: Mapping[str, Address]
    consensus_key: Path
    consensus_key_next: Path
    signer: str | None
    link_key: Path
    link_certificate: Path
    operator_key: Path | None
    tokens: Path
    cometbft: Path | None

    @property
    def url(self) -> str | None:
        """The base URL of the HTTP API as seen from this machine."""
        if self.http is None:
            return None
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.http[0], self.http[0])
        scheme = "http" if self.http_certificate is None else "https"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{self.http[1]}"


def read(path: Path) -> Settings:
    """Read a `node.toml`; raise ``CosealError`` naming the key that cannot be used."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}", "give a node's folder, or --config FILE") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CosealError(f"{path}: {error}", "node.toml is TOML in UTF-8, see docs/operating.md") from None
    folder = path.resolve().parent

    def file(key: str, default: str) -> Path:
        return folder / _text(path, given.get(key, default), key)

    def optional(key: str) -> Path | None:
        return file(key, "") if key in given else None

    peers = given.get("peers", {})
    if type(peers) is not dict:
        raise CosealError(f"{path}: peers: expected a table")
    return Settings(
        folder=folder,
        node=_text(path, given.get("node_id"), "node_id"),
        genesis=file("genesis", "genesis.json"),
        link=_address(path, given.get("link_listen"), "link_listen"),
        http=_address(path, given["http_listen"], "http_listen") if "http_listen" in given else None,
        http_certificate=optional("http_tls_certificate"),
        http_key=optional("http_tls_key"),
        peers={name: _address(path, value, f"peers.{name}") for name, value in peers.items()},
        consensus_key=file("consensus_key", "keys/consensus.pem"),
        consensus_key_next=file("consensus_key_next", "keys/consensus-next.pem"),
        signer=_text(path, given["signer"], "signer") if "signer" in given else None,
        link_key=file("link_key", "keys/link.pem"),
        link_certificate=file("link_certificate", "keys/link.crt"),
        operator_key=file("operator_key", "keys/operator.pem") if "gateway_sender" in given else None,
        tokens=file("tokens", "keys/tokens.toml"),
        cometbft=optional("cometbft_binary"),
    )


def _text(path: Path, value: Any, key: str) -> str:
    if type(value) is not str or not value:
        raise CosealError(f"{path}: {key}: expected a text", "see docs/operating.md, Configuration")
    return value


def _address(path: Path, value: Any, key: str) -> Address:
    host, _, port = _text(path, value, key).rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise CosealError(f"{path}: {key}: expected HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)
