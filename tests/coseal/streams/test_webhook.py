"""The webhook over real HTTP: the modes by the official library, every way a receiver can answer, and signatures."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import ssl
import textwrap
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature, algorithms

from coseal.errors import BadAnswer, CosealError
from coseal.streams.delivery import Away, NotTaken
from coseal.streams.outgoing import Outgoing
from coseal.streams.signature import Secret
from coseal.streams.webhook import Mode, Options, Webhook
from tests.coseal.streams.conftest import Hook, events_of, grown, pay, record

SECRET = Secret("erp-1", b"0123456789abcdef" * 2)
GUIDE = Path(__file__).parents[3] / "docs" / "streams.md"


@pytest.fixture(scope="module")
def events() -> list[Outgoing]:
    """The events of the chain, one about an object with every kind of sign in its id."""
    chain = grown()
    record(chain, 6, [pay('罚单 "a" 100% é', 5)])
    return events_of(chain)


def send(hook: Hook | str, events: Sequence[Outgoing], **options: Any) -> None:
    async def deliver() -> None:
        webhook = Webhook(hook if isinstance(hook, str) else hook.url, Options(**options))
        try:
            for first in range(0, len(events), webhook.batch_events):
                await webhook.deliver(events[first : first + webhook.batch_events])
        finally:
            await webhook.close()

    asyncio.run(deliver())


def told(event: Any) -> tuple[Any, ...]:
    names = ("ledgertx", "ledgerverified", "recordedtime", "sequence", "processtype", "eventtype", "severity")
    extensions = tuple(event.get_extension(name) for name in names)
    time_of = event.get_time()
    return (
        event.get_id(),
        event.get_source(),
        event.get_type(),
        event.get_subject(),
        time_of,
        event.get_data(),
        extensions,
    )


def expected(event: Outgoing) -> tuple[Any, ...]:
    return told(JSONFormat().read(CloudEvent, event.structured))


@pytest.mark.parametrize("mode", [Mode.structured, Mode.binary])
def test_the_official_library_reads_each_request_as_its_event(hook: Hook, events: list[Outgoing], mode: Mode) -> None:
    send(hook, events, mode=mode)
    read = [from_http_event(HTTPMessage(headers=headers, body=body), JSONFormat()) for headers, body in hook.requests]
    assert [told(event) for event in read] == [expected(event) for event in events]
    assert any("罚单" in str(event.get_subject()) for event in read)
    types = {headers["content-type"] for headers, _ in hook.requests}
    assert types == {"application/json" if mode is Mode.binary else "application/cloudevents+json"}


def test_a_batch_is_a_list_of_events(hook: Hook, events: list[Outgoing]) -> None:
    send(hook, events, mode=Mode.batch, batch_events=5)
    assert {headers["content-type"] for headers, _ in hook.requests} == {"application/cloudevents-batch+json"}
    batches = [json.loads(body) for _, body in hook.requests]
    assert [len(batch) for batch in batches[:-1]] == [5] * (len(batches) - 1)
    read = [JSONFormat().read(CloudEvent, json.dumps(event)) for batch in batches for event in batch]
    assert [told(event) for event in read] == [expected(event) for event in events]


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_every_2xx_is_an_acknowledgement_on_a_connection_that_stays(
    hook: Hook, events: list[Outgoing], status: int
) -> None:
    hook.answers = [status] * len(events)
    send(hook, events)
    assert len(hook.requests) == len(events)
    assert hook.connections == 1


@pytest.mark.parametrize("status", [400, 409, 413, 422, 431])
def test_some_statuses_say_that_the_event_is_not_taken(hook: Hook, events: list[Outgoing], status: int) -> None:
    hook.answers = [status]
    with pytest.raises(NotTaken, match=f"it answered {status}: so it is"):
        send(hook, events[:1])


@pytest.mark.parametrize("status", [401, 403, 404, 405, 408, 415, 418, 429, 500, 502, 503, 504])
def test_other_statuses_say_that_it_is_to_be_tried_again(hook: Hook, events: list[Outgoing], status: int) -> None:
    hook.answers = [status]
    with pytest.raises(Away, match=f"it answered {status}: so it is") as away:
        send(hook, events[:1])
    assert away.value.after_s == 0


def test_a_retired_receiver_ends_the_stream(hook: Hook, events: list[Outgoing]) -> None:
    hook.answers = [410]
    with pytest.raises(BadAnswer, match="is retired: it answered 410"):
        send(hook, events[:1])


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_told_and_not_followed(hook: Hook, events: list[Outgoing], status: int) -> None:
    hook.answers = [(status, {"location": f"{hook.url}/other"})]
    with pytest.raises(Away, match=rf"it answered {status} to {hook.url}/other; redirects are not followed"):
        send(hook, events[:1])
    assert hook.requests == []


@pytest.mark.parametrize(
    ("value", "least", "most"),
    [
        ("7", 7, 7),
        (timedelta(seconds=500), 1, 500),
        (timedelta(seconds=-500), 0, 0),
        ("soon", 0, 0),
        ("-5", 0, 0),
        ("9" * 400, 0, 0),
        ("Thu, 01 Jan 1970 00:00:00", 0, 0),
    ],
)
def test_it_says_how_long_the_receiver_wants_to_be_left_alone(
    hook: Hook, events: list[Outgoing], value: str | timedelta, least: int, most: int
) -> None:
    if isinstance(value, timedelta):
        value = format_datetime(datetime.now(UTC) + value, usegmt=True)
    hook.answers = [(503, {"retry-after": value})]
    with pytest.raises(Away) as away:
        send(hook, events[:1])
    assert least <= away.value.after_s <= most


def test_a_slow_receiver_is_given_up_on_in_time(hook: Hook, events: list[Outgoing]) -> None:
    hook.answers = [3.0]
    began = time.monotonic()
    with pytest.raises(Away, match=r"no answer within 0\.2 s"):
        send(hook, events[:1], timeout_s=0.2)
    assert time.monotonic() - began < 2.5


def test_one_that_trickles_its_answer_is_given_up_on_in_time(hook: Hook, events: list[Outgoing]) -> None:
    hook.answers = ["trickle 500"]
    with pytest.raises(Away, match=r"no answer within 0\.3 s"):
        send(hook, events[:1], timeout_s=0.3)
    hook.answers = ["trickle 200"]
    send(hook, events[:1], timeout_s=0.3)  # that is an acknowledgement


def test_one_that_closes_the_connection_or_is_not_there_is_away(hook: Hook, events: list[Outgoing]) -> None:
    hook.answers = ["close"]
    with pytest.raises(Away, match=r"RemoteProtocolError|ReadError"):
        send(hook, events[:1])
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    with pytest.raises(Away, match="ConnectError"):
        send(f"http://127.0.0.1:{port}", events[:1])


def test_over_tls_only_a_receiver_with_a_trusted_certificate_gets_events(
    hook: Hook, events: list[Outgoing], tmp_path: Path
) -> None:
    ca = certified(hook, tmp_path)
    url = hook.url.replace("http://127.0.0.1", "https://localhost")
    with pytest.raises(Away, match="certificate verify failed"):
        send(url, events[:1])
    assert hook.requests == []
    send(url, events, ca=ca)
    assert len(hook.requests) == len(events)
    with pytest.raises(CosealError, match="No such file"):
        Webhook(url, Options(ca=tmp_path / "none.pem"))


def certified(hook: Hook, folder: Path) -> Path:
    """Have a webhook speak TLS, and return the file of the certificate that it shows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    begin, end = now - timedelta(hours=1), now + timedelta(hours=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begin, end)
    certificate = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), False).sign(
        key, hashes.SHA256()
    )
    file, secret = folder / "receiver.pem", folder / "receiver.key"
    file.write_bytes(certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, secret)
    server = hook.served.server
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return file


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://erp.example/", "expected https"),
        ("erp.example/hook", "expected https"),
        ("https://", "expected https"),
        ("http://erp.example/hook", "in the clear"),
        ("https://erp.example:99999999/", "is not a port"),
    ],
)
def test_events_do_not_go_where_they_should_not(url: str, why: str) -> None:
    with pytest.raises(CosealError, match=why):
        Webhook(url, Options())


def test_its_name_holds_no_secret_of_the_url() -> None:
    webhook = Webhook("https://user:word@erp.example:8443/hook?key=abc#x", Options())
    assert webhook.name == "https://erp.example:8443/hook"
    assert Webhook("http://erp.example/hook", Options(allow_http=True)).name == "http://erp.example/hook"


def test_a_bearer_token_is_sent(hook: Hook, events: list[Outgoing]) -> None:
    send(hook, events[:1], bearer="abc.def")
    assert hook.requests[0][0]["authorization"] == "Bearer abc.def"


# Signatures


class Keys(HTTPSignatureKeyResolver):
    def resolve_public_key(self, key_id: str) -> bytes:
        assert key_id == SECRET.id
        return SECRET.value

    resolve_private_key = resolve_public_key


def verify(headers: dict[str, str], body: bytes) -> set[str]:
    """Return the components whose signature another library verified."""
    request = httpx.Request("POST", "http://erp.example/hook", headers=headers, content=body)
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.HMAC_SHA256, key_resolver=Keys())
    (result,) = verifier.verify(request)
    assert result.label == "coseal"
    assert result.covered_components.pop('"@signature-params"')
    return {name.strip('"') for name in result.covered_components}


@pytest.mark.parametrize("mode", list(Mode))
def test_another_library_verifies_the_signature_and_everything_is_covered(
    hook: Hook, events: list[Outgoing], mode: Mode
) -> None:
    send(hook, events, mode=mode, secret=SECRET)
    for headers, body in hook.requests:
        attributes = {name for name in headers if name.startswith("ce-")}
        assert verify(headers, body) == {"@method", "content-type", "content-digest"} | attributes
        assert bool(attributes) is (mode is Mode.binary)


def receiver_of_the_guide() -> Any:
    """Return the function that docs/streams.md gives to receivers."""
    code = next(
        block for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "is_ours" in block
    )
    space: dict[str, Any] = {}
    exec(textwrap.dedent(code), space)
    return space["is_ours"]


@pytest.mark.parametrize("mode", list(Mode))
def test_the_receiver_of_the_guide_takes_ours_and_nothing_that_was_changed(
    hook: Hook, events: list[Outgoing], mode: Mode
) -> None:
    is_ours = receiver_of_the_guide()
    send(hook, events, mode=mode, secret=SECRET)
    for headers, body in hook.requests:
        assert is_ours(SECRET.value, "POST", headers, body)
    headers, body = hook.requests[-1]
    assert not is_ours(b"another secret of thirty-two byte", "POST", headers, body)
    assert not is_ours(SECRET.value, "PUT", headers, body)
    assert not is_ours(SECRET.value, "POST", headers, body + b" ")
    assert not is_ours(SECRET.value, "POST", headers | {"content-type": "text/plain"}, body)
    assert not is_ours(SECRET.value, "POST", headers | {"ce-added": "x"}, body)
    old = headers["signature-input"].replace("created=", "created=1")
    assert not is_ours(SECRET.value, "POST", headers | {"signature-input": old}, body)
    if mode is Mode.binary:
        assert not is_ours(SECRET.value, "POST", headers | {"ce-type": "coseal.policy.repeal"}, body)
        forged = headers | {"ce-type": "coseal.policy.repeal"}
        with pytest.raises(InvalidSignature):
            verify(forged, body)
