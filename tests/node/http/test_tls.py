"""HTTP behind TLS: what a stranger can hold before the first byte of HTTP, and which keys it takes."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import httpx
import pytest
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID

from coseal.node.http import tls
from coseal.node.http.context import Settings
from coseal.node.http.limits import Limits
from coseal.node.http.server import HttpServer
from coseal.node.signing.keys import KeyProblem
from tests.node.http.world import World

OTHER_KEY = bytes(32)
PATIENT = Limits(handshake_seconds=30, handshakes=12, handshakes_per_address=8)
HASTY = Limits(handshake_seconds=0.3)
Play = Callable[[HttpServer, ssl.SSLContext], Awaitable[None]]


class Files:
    """A self-signed certificate for 127.0.0.1 and its key."""

    def __init__(self, folder: Path, *, passphrase: bytes | None = None, curve: bool = False) -> None:
        private = ec.generate_private_key(ec.SECP256R1()) if curve else Ed25519PrivateKey.generate()
        self.certificate, self.key = folder / "http.crt", folder / "http.pem"
        self.public_key = b"" if curve else private.public_key().public_bytes_raw()
        name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")]), datetime.now(UTC)
        number, until = x509.random_serial_number(), now + timedelta(1)
        signed = (
            x509.CertificateBuilder(name, name, private.public_key(), number, now, until)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(private, hashes.SHA256() if curve else None)
        )
        protection = NoEncryption() if passphrase is None else BestAvailableEncryption(passphrase)
        self.key.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection))
        self.key.chmod(0o600)
        self.certificate.write_bytes(signed.public_bytes(Encoding.PEM))

    def context(self, secret: bytes | None = None, *, consensus_key: bytes = OTHER_KEY) -> ssl.SSLContext:
        return tls.http_context(self.certificate, self.key, secret, consensus_key=consensus_key)


def serve(folder: Path, play: Play, limits: Limits) -> None:
    files = Files(folder)

    async def run() -> None:
        world = World(folder, settings=Settings(limits=limits))
        server = HttpServer(world.app, "127.0.0.1", 0, limits, tls=files.context())
        await server.start()
        try:
            await play(server, ssl.create_default_context(cafile=str(files.certificate)))
        finally:
            await server.stop()
            world.close()

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())


async def answers(server: HttpServer, context: ssl.SSLContext) -> bool:
    async with httpx.AsyncClient(base_url=f"https://127.0.0.1:{server.port}", verify=context, timeout=20) as client:
        return (await client.get("/healthz")).status_code == 200


async def is_closed(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionError):
        async with asyncio.timeout(10):
            return await reader.read() == b""
    return True


def test_it_speaks_tls_and_nothing_older_than_1_2(tmp_path: Path) -> None:
    async def play(server: HttpServer, context: ssl.SSLContext) -> None:
        assert await answers(server, context)
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
        old.minimum_version, old.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
        old.set_ciphers("ALL:@SECLEVEL=0")
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", server.port, ssl=old)
        with pytest.raises(httpx.HTTPError):  # and not plain HTTP
            async with httpx.AsyncClient() as client:
                await client.get(f"http://127.0.0.1:{server.port}/healthz")

    with pytest.warns(DeprecationWarning, match="TLSv1"):
        serve(tmp_path, play, Limits())


def test_who_does_not_finish_the_handshake_is_closed_in_time(tmp_path: Path) -> None:
    async def play(server: HttpServer, context: ssl.SSLContext) -> None:
        mute = await asyncio.open_connection("127.0.0.1", server.port)
        dripping = await asyncio.open_connection("127.0.0.1", server.port)
        dripping[1].write(b"\x16\x03\x01")
        for reader, writer in (mute, dripping):
            assert await is_closed(reader)
            writer.close()
        assert await answers(server, context)

    assert Limits().handshake_seconds <= 5
    serve(tmp_path, play, HASTY)


@pytest.mark.parametrize("local", [True, False])
def test_strangers_are_bounded_and_whoever_is_quick_still_gets_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, local: bool
) -> None:
    """Of one address beyond loopback there are fewer; when all places are taken the oldest gives way."""
    monkeypatch.setattr(tls, "is_loopback", lambda address: local)

    async def play(server: HttpServer, context: ssl.SSLContext) -> None:
        strangers = server._server.servers[0].strangers
        crowd = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(40)]
        bound = PATIENT.handshakes if local else PATIENT.handshakes_per_address
        async with asyncio.timeout(10):
            while len(strangers) < bound:
                await asyncio.sleep(0.01)
        assert len(strangers) == bound
        if local:
            assert await is_closed(crowd[0][0])
            assert await answers(server, context)
        else:
            assert await is_closed(crowd[-1][0])
        for _, writer in crowd:
            writer.close()
        async with asyncio.timeout(10):
            while len(strangers):
                await asyncio.sleep(0.01)
        assert await answers(server, context)

    serve(tmp_path, play, PATIENT)


def test_a_port_in_use_is_said(tmp_path: Path) -> None:
    async def play(server: HttpServer, context: ssl.SSLContext) -> None:
        second = HttpServer(server._app, "127.0.0.1", server.port, Limits(), tls=Files(tmp_path).context())
        with pytest.raises(OSError, match="listen"):
            await second.start()

    serve(tmp_path, play, Limits())


@pytest.mark.parametrize("curve", [False, True])
def test_an_encrypted_key_is_opened_with_the_passphrase_and_asked_of_nobody(tmp_path: Path, curve: bool) -> None:
    files = Files(tmp_path, passphrase=b"open sesame", curve=curve)
    assert files.context(b"open sesame")
    for wrong in (None, b"something else"):
        with pytest.raises(KeyProblem, match="passphrase"):
            files.context(wrong)
    assert Files(tmp_path, curve=curve).context(b"for the other keys")


def test_keys_that_must_not_be_used_are_refused(tmp_path: Path) -> None:
    files = Files(tmp_path)
    with pytest.raises(KeyProblem, match="is the consensus key"):
        files.context(consensus_key=files.public_key)
    files.key.chmod(0o644)
    with pytest.raises(KeyProblem, match="chmod 600"):
        files.context()
    files.key.chmod(0o600)
    (tmp_path / "other").mkdir()
    files.certificate.write_bytes(Files(tmp_path / "other").certificate.read_bytes())
    with pytest.raises(KeyProblem, match="belong together"):
        files.context()
    files.certificate.unlink()
    with pytest.raises(KeyProblem, match="no such file"):
        files.context()
    files.key.unlink()
    with pytest.raises(KeyProblem, match="cannot read"):
        files.context()
