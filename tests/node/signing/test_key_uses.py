"""One key, one use: which keys a node refuses to start with, and that none of them is shown."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from coseal.node.__main__ import main
from coseal.node.exits import Exit
from coseal.node.signing import keys
from tests.node.single import make_node, write_genesis


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield make_node(tmp_path, port=22_060)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def refusal(folder: Path, capfd: pytest.CaptureFixture[str]) -> str:
    """Start the node, which ends at once with USAGE, and return what it said; none of its keys is in it."""
    assert main(["run", "--data", str(folder)]) == Exit.USAGE
    said = capfd.readouterr().err
    assert "cannot_start" in said
    for pem in (folder / "keys").glob("*.pem"):
        body = pem.read_text().splitlines()[1]
        assert body not in said
    return said


def configure(folder: Path, *lines: str) -> None:
    path = folder / "node.toml"
    path.write_text("\n".join([*lines, path.read_text()]))


def test_a_link_key_that_is_the_consensus_key_is_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = folder / "keys"
    shutil.copyfile(made / "consensus.pem", made / "link.pem")
    (made / "link.crt").unlink()
    key = keys.load_private_key(made / "consensus.pem")
    certificate = keys.create_certificate(made / "link.crt", key, "regulator")
    # the registry itself says so: nobody checks it but the node
    write_genesis(folder, key.public_key().public_bytes_raw(), certificate)
    assert "link.pem is the consensus key" in refusal(folder, capfd)


def test_an_operator_key_that_is_the_consensus_key_is_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.copyfile(folder / "keys" / "consensus.pem", folder / "keys" / "operator.pem")
    (folder / "keys" / "operator.pem").chmod(0o600)
    configure(folder, 'gateway_sender = "regulator/admin"')
    assert "operator.pem is the consensus key" in refusal(folder, capfd)


def test_an_http_key_that_is_the_consensus_key_is_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = folder / "keys"
    keys.create_certificate(made / "http.crt", keys.load_private_key(made / "consensus.pem"), "localhost")
    configure(
        folder,
        'http_listen = "127.0.0.1:22061"',
        'http_tls_certificate = "keys/http.crt"',
        'http_tls_key = "keys/consensus.pem"',
    )
    assert "is the consensus key" in refusal(folder, capfd)


@pytest.mark.parametrize("name", ["consensus.pem", "link.pem"])
@pytest.mark.parametrize("harm", ["wide", "absent", "encrypted"])
def test_a_key_that_others_can_read_that_is_missing_or_locked_is_said(
    folder: Path, capfd: pytest.CaptureFixture[str], name: str, harm: str
) -> None:
    path = folder / "keys" / name
    if harm == "wide":
        path.chmod(0o640)
    elif harm == "absent":
        path.unlink()
    else:
        path.write_bytes(keys.private_pem(keys.load_private_key(path), b"open sesame"))
    said = refusal(folder, capfd)
    assert name in said
    assert {"wide": "chmod 600", "absent": "No such file", "encrypted": "COSEAL_KEY_PASSPHRASE"}[harm] in said


def test_a_token_file_that_others_can_read_is_refused(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = folder / "keys" / "tokens.toml"
    path.write_text("")
    path.chmod(0o644)
    assert "tokens.toml has mode 0644" in refusal(folder, capfd)
