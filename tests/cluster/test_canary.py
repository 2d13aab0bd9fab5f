"""Row L1: every secret of a network is searched for in everything that a real run says or writes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from coseal.client import keys
from coseal.ledger import transaction
from coseal.ledger.transaction import Transaction
from tests.cluster.canary import forms, hits
from tests.cluster.network import Cluster

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

PASSPHRASE = "canary-passphrase-5b1f9d"
PLAINTEXT = "canary-plaintext-c07e42"
SUBMIT = ("submit", "membership.set_profile")
SECRET_FILES = (".pem", "tokens.toml")


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """One node whose key files are encrypted, which logs all it can."""
    monkeypatch.setenv("COSEAL_KEY_PASSPHRASE", PASSPHRASE)
    made = Cluster.make(tmp_path, 1)
    config = made.entry(made.names[0]).data / "node.toml"
    text = config.read_text()
    assert 'log_level = "info"' in text
    config.write_text(text.replace('log_level = "info"', 'log_level = "debug"'))
    yield made
    made.close()


def secrets(cluster: Cluster) -> dict[str, set[bytes]]:
    found = {"passphrase": forms(PASSPHRASE.encode())}
    for path in cluster.net.directory.rglob("*.pem"):
        found[str(path)] = forms(keys.read_seed(path, PASSPHRASE.encode()))
    for name in cluster.names:
        found[f"token of {name}"] = forms(cluster.token(name).encode())
    return found


def ask(url: str, *, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
    """Return head and body of an answer, whatever it is."""
    request = urllib.request.Request(url, data=body, headers=headers or {})
    try:
        with urllib.request.urlopen(request, timeout=20) as response:
            return bytes(response.headers) + response.read(1 << 22)
    except urllib.error.HTTPError as error:
        with error:
            return bytes(error.headers) + error.read()


def answers(cluster: Cluster, name: str) -> dict[str, bytes]:
    """Return what good and bad requests get, secrets put in every place where a client may put them by mistake."""
    url, token = cluster.entry(name).url, cluster.token(name)
    identified = {"Authorization": f"Bearer {token}"}
    document = json.loads(ask(f"{url}/openapi.json", headers=identified).partition(b"\n\n")[2])
    quiet = [path for path in document["paths"] if "{" not in path and path != "/v1/stream"]
    found = {path: ask(url + path, headers=identified) for path in [*quiet, "/openapi.json"]}
    wrong = {"Authorization": f"Bearer x{token}", "Content-Type": "application/json", "Idempotency-Key": token}
    right = {**wrong, **identified}
    asked = {"contract": "membership", "action": "set_profile", "args": {"description": PLAINTEXT}}
    for number, body in enumerate((b"{}", b"\xc1" + token.encode(), json.dumps({token: PASSPHRASE}).encode())):
        for which, headers in (("right", right), ("wrong", wrong)):
            for path in ("/v1/submit", "/v1/transactions", "/v1/transactions/batch", "/v1/events"):
                found[f"POST {path} {number} {which}"] = ask(url + path, body=body, headers=headers)
    ask(f"{url}/v1/submit?wait=commit", body=json.dumps(asked).encode(), headers=right)
    found["target"] = ask(f"{url}/v1/members?token={token}", headers=identified)
    found["path"] = ask(f"{url}/v1/transactions/{token}", headers=identified)
    found["signature"] = ask(
        f"{url}/v1/members", headers={"Signature-Input": f'coseal=("{token}")', "Signature": token}
    )
    return found


def transaction_of(cluster: Cluster, member: str) -> Transaction:
    """Sign a transaction that carries the plaintext onto the chain, where it is public."""
    return transaction.sign(
        keys.read_signer(cluster.net.key_path(f"{member}/admin"), PASSPHRASE.encode()),
        chain_id=cluster.genesis.chain_id,
        sender=f"{member}/admin",
        contract="membership",
        action="set_profile",
        args={"description": PLAINTEXT},
        valid_until_ms=time.time_ns() // 1_000_000 + 300_000,
        salt=os.urandom(16),
    )


def said_by(*words: object, environment: dict[str, str] | None = None) -> bytes:
    command = [sys.executable, "-m", *(str(word) for word in words)]
    done = subprocess.run(
        command, capture_output=True, timeout=120, check=False, env={**os.environ, **(environment or {})}
    )
    return done.stdout + done.stderr


def test_l1_no_secret_is_in_any_answer_log_file_or_output(cluster: Cluster, tmp_path: Path) -> None:
    (name,) = cluster.names
    net, data = cluster.net.directory, cluster.entry(name).data
    member = cluster.genesis.members[0].id
    wanted = secrets(cluster)
    assert len(wanted) >= 4
    cluster.start()
    cluster.wait_height(0)
    tx = transaction_of(cluster, member)
    assert cluster.submit(name, tx)["status"] == "committed"
    outputs = answers(cluster, name)
    for words in (
        ("status", net, "--json"),
        ("show", "block", 1, "--dir", net, "--json"),
        ("show", "member", member, "--dir", net, "--json"),
        ("show", "tx", tx.id.hex(), "--dir", net, "--json"),
        ("audit", net, "--json"),
        ("keys", "--help"),
        (*SUBMIT, "description=x", "--as", member, "--dir", net, "--json"),
        (*SUBMIT, "nothing=x", "--as", member, "--dir", net, "--json"),
        ("sign", "membership.set_profile", "description=x", "--as", member, "--dir", net),
        ("logs", name, "--dir", net),
    ):
        said = outputs["coseal " + " ".join(map(str, words[:3]))] = said_by("coseal", *words)
        assert b"Usage" not in said or "--help" in words, said.decode()
    other = {"COSEAL_KEY_PASSPHRASE": PASSPHRASE[:-1]}
    submit = (*SUBMIT, "description=x", "--as", member, "--dir", net)
    outputs["coseal, wrong passphrase"] = said_by("coseal", *submit, environment=other)
    assert b"passphrase" in outputs["coseal, wrong passphrase"]
    cluster.kill(name)
    outputs["node, wrong passphrase"] = said_by("node", "run", "--data", data, environment=other)
    damage(data)
    outputs["node, damaged log"] = said_by("node", "run", "--data", data)
    assert all(outputs.values())
    assert b"Traceback" not in outputs["node, wrong passphrase"] + outputs["coseal, wrong passphrase"]
    files = {
        str(path.relative_to(net)): path.read_bytes()
        for path in net.rglob("*")
        if path.is_file() and not path.name.endswith(SECRET_FILES)
    }
    logs = {place: content for place, content in files.items() if place.endswith("node.log")}
    assert len(files) > 5
    assert logs
    assert hits(wanted, outputs | files) == []
    chain = ("coseal show", "coseal submit", "/v1/transactions", "/v1/blocks", "/v1/members", "/v1/stream")
    silent = {place: output for place, output in outputs.items() if not place.startswith(chain)}
    assert hits({"plaintext": forms(PLAINTEXT.encode())}, silent | logs) == []
    shown = {path.name: path.read_bytes() for path in net.rglob("tokens.toml")}
    assert hits(wanted, shown) == [f"token of {name} in tokens.toml"], "the search finds what is there"
    for path in net.rglob("*"):
        if path.name.endswith(SECRET_FILES):
            assert path.stat().st_mode & 0o077 == 0, path


def damage(data: Path) -> None:
    """Flip a byte in the middle of the block log, so that the node ends with an error at its next start."""
    (path,) = (data / "blocks").glob("*.log")
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)
