"""The node's configuration: ``node.toml`` in its data folder, over which ``COSEAL_*`` variables take precedence.

Law: an unknown key, a missing one or a value out of bounds stops the node before it opens anything, with a message
that names the key. Nothing secret is in here: keys and tokens are files of their own.
"""

from __future__ import annotations

import ipaddress
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from coseal.node.fault_injection import NO_FAULTS, FaultInjection
from coseal.node.http.limits import Limits
from coseal.node.telemetry.tracing import NO_TRACE, TraceSettings

CONFIG_NAME = "node.toml"


class ConfigProblem(Exception):
    """The configuration cannot be used; ``reason`` names the key and says what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _endpoint(value: Any) -> tuple[str, int]:
    """Parse ``HOST:PORT`` (an IPv6 host in brackets)."""
    if isinstance(value, tuple):
        return value
    host, colon, port = str(value).rpartition(":")
    if not colon or not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65_536:
        raise ValueError("expected HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)


# NoDecode: in the environment it is written as in the file, not as JSON.
Endpoint = Annotated[tuple[str, int], NoDecode, BeforeValidator(_endpoint)]


class NodeConfig(BaseSettings):
    """All settings of one node; relative paths are relative to the data folder. Times and sizes carry units."""

    model_config = SettingsConfigDict(env_prefix="COSEAL_", extra="forbid", frozen=True, env_nested_delimiter="__")

    node_id: str = Field(pattern=r"^[a-z][a-z0-9.-]{0,63}$")
    genesis: Path = Path("genesis.json")
    link_listen: Endpoint
    http_listen: Endpoint | None = None
    http_tls_certificate: Path | None = None
    http_tls_key: Path | None = None
    http_allow_plain: bool = False
    peers: dict[str, Endpoint] = Field(default_factory=dict)
    peer_certificates: dict[str, Path] = Field(default_factory=dict)
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    consensus_key: Path = Path("keys/consensus.pem")
    consensus_key_next: Path = Path("keys/consensus-next.pem")
    signer: str | None = Field(default=None, pattern=r"^unix:/[^\x00]+$")
    link_key: Path = Path("keys/link.pem")
    link_certificate: Path = Path("keys/link.crt")
    operator_key: Path = Path("keys/operator.pem")
    gateway_sender: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9.-]*/[a-z][a-z0-9.-]*$")
    tokens: Path = Path("keys/tokens.toml")
    snapshot_blocks: int = Field(default=10_000, ge=0)
    prune_keep_blocks: int | None = Field(default=None, ge=1)
    join_gap_blocks: int = Field(default=10_000, ge=0)
    join_from: tuple[Annotated[str, Field(pattern=r"^https?://[^\s,/]+/?$")], ...] = Field(default=(), max_length=16)
    cometbft_binary: Path | None = None
    index: Literal["always", "on_demand"] = "always"
    verifier_processes: int = Field(default=1, ge=1, le=64)
    http_limits: Limits = Field(default_factory=Limits)
    fault_injection: FaultInjection = NO_FAULTS
    trace: TraceSettings = NO_TRACE

    @model_validator(mode="after")
    def _plain_http_stays_at_home(self) -> NodeConfig:
        """HTTP binds loopback unless TLS is configured, or the operator says that something in front provides it."""
        if (self.http_tls_certificate is None) != (self.http_tls_key is None):
            raise ValueError("http_tls_certificate and http_tls_key are given together or not at all")
        plain = self.http_listen is not None and self.http_tls_certificate is None and not self.http_allow_plain
        if plain and self.http_listen is not None and not _is_loopback(self.http_listen[0]):
            raise ValueError(
                f"http_listen: {self.http_listen[0]} is not a loopback address; configure http_tls_certificate and "
                "http_tls_key, or set http_allow_plain = true if TLS is provided in front of the node"
            )
        return self

    @model_validator(mode="after")
    def _drills_stay_on_one_machine(self) -> NodeConfig:
        """A network of more than one machine is somebody's production until the opposite is shown."""
        listening = [self.link_listen, *([self.http_listen] if self.http_listen is not None else [])]
        outside = [host for host, _ in (*listening, *self.peers.values()) if not _is_loopback(host)]
        if self.fault_injection != NO_FAULTS and outside:
            raise ValueError(
                f"fault_injection: {outside[0]} is not a loopback address, and faults on purpose are for a network on "
                "one machine; remove these settings"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Environment over file (which ``load`` passes as arguments); nothing else is read."""
        return env_settings, init_settings


def load(folder: Path) -> NodeConfig:
    """Read the configuration of the node in ``folder`` with absolute paths; raise ``ConfigProblem``."""
    path = folder / CONFIG_NAME
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ConfigProblem(f"cannot read {path}: {error.strerror}; is {folder} a node's data folder?") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigProblem(f"{path}: {error}") from None
    try:
        config = NodeConfig(**given)
    except ValidationError as error:
        raise ConfigProblem(f"{path}: {_problems(error)}") from None
    except SettingsError as error:
        raise ConfigProblem(f"environment: {error}") from None
    paths = {
        name: folder.resolve() / value
        for name in NodeConfig.model_fields
        if isinstance(value := getattr(config, name), Path)
    }
    vouched = {peer: folder.resolve() / path for peer, path in config.peer_certificates.items()}
    return config.model_copy(update={**paths, "peer_certificates": vouched})


def _problems(error: ValidationError) -> str:
    """Return the problems as one line; the values stay out, one of them might be a secret in the wrong place."""
    found = []
    for item in error.errors(include_url=False, include_context=False, include_input=False):
        key = ".".join(str(part) for part in item["loc"])
        found.append(f"{key}: {item['msg']}" if key else item["msg"])
    return "; ".join(found)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
