from __future__ import annotations

import time
from pathlib import Path

import pytest

from coseal.node.config import ConfigProblem, load

MINIMAL = 'node_id = "bank-a"\nlink_listen = "127.0.0.1:22001"\n'


def write(folder: Path, text: str) -> Path:
    (folder / "node.toml").write_text(text, "utf-8")
    return folder


def test_a_minimal_file_gives_defaults_and_absolute_paths(tmp_path: Path) -> None:
    config = load(write(tmp_path, MINIMAL))
    assert config.node_id == "bank-a"
    assert config.link_listen == ("127.0.0.1", 22001)
    assert config.http_listen is None
    assert config.genesis == tmp_path / "genesis.json"
    assert config.consensus_key == tmp_path / "keys" / "consensus.pem"
    assert config.http_limits.body_bytes > 0


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    text = (
        MINIMAL
        + 'genesis = "../g.json"\nhttp_listen = "[::1]:22000"\nlog_level = "debug"\ngateway_sender = "bank-a/admin"\n'
        + 'verifier_processes = 3\n[peers]\nregulator = "host.example:22003"\n[http_limits]\nconnections = 7\n'
    )
    config = load(write(tmp_path, text))
    assert config.http_listen == ("::1", 22000)
    assert config.peers == {"regulator": ("host.example", 22003)}
    assert config.http_limits.connections == 7
    assert config.gateway_sender == "bank-a/admin"


def test_the_environment_takes_precedence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSEAL_LOG_LEVEL", "error")
    monkeypatch.setenv("COSEAL_LINK_LISTEN", "0.0.0.0:5")
    monkeypatch.setenv("COSEAL_PEERS", '{"regulator": "10.0.0.1:22003"}')
    config = load(write(tmp_path, MINIMAL))
    assert (config.log_level, config.link_listen) == ("error", ("0.0.0.0", 5))
    assert config.peers == {"regulator": ("10.0.0.1", 22003)}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("", "node_id"),
        ('node_id = "bank-a"\n', "link_listen"),
        (MINIMAL + "unknown = 1\n", "unknown"),
        (MINIMAL + 'log_level = "loud"\n', "log_level"),
        (MINIMAL + "verifier_processes = 0\n", "verifier_processes"),
        (MINIMAL + "[http_limits]\nconections = 7\n", "conections"),
        (MINIMAL.replace("22001", "70000"), "link_listen"),
        (MINIMAL.replace("127.0.0.1:22001", "22001"), "link_listen"),
        (MINIMAL.replace("bank-a", "Bank A"), "node_id"),
        (MINIMAL + '[peers]\nregulator = "nowhere"\n', "peers.regulator"),
        (MINIMAL + 'gateway_sender = "admin"\n', "gateway_sender"),
        (MINIMAL + 'http_listen = "0.0.0.0:80"\n', "http_allow_plain"),
        (MINIMAL + 'http_listen = "10.1.2.3:80"\n', "http_allow_plain"),
        (MINIMAL + 'http_listen = "[::]:80"\n', "http_allow_plain"),
        (MINIMAL + 'http_listen = "node.example:80"\n', "http_allow_plain"),
        (MINIMAL + 'http_listen = "127.0.0.1.node.example:80"\n', "http_allow_plain"),
        (MINIMAL + 'http_tls_key = "k.pem"\n', "http_tls_certificate"),
        (MINIMAL + 'http_tls_certificate = "c.pem"\n', "http_tls_key"),
        (MINIMAL + 'signer = "tcp:10.0.0.1:5"\n', "signer"),
        (MINIMAL + 'signer = "unix:relative.sock"\n', "signer"),
        ("node_id = ", "node.toml"),
    ],
)
def test_a_problem_names_its_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(ConfigProblem) as caught:
        load(write(tmp_path, text))
    assert named in caught.value.reason


def test_a_value_is_not_repeated_in_a_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem) as caught:
        load(write(tmp_path, MINIMAL + 'log_level = "canary-51c"\npassword = "canary-51c"\n'))
    assert "canary" not in caught.value.reason


@pytest.mark.parametrize("extra", ["http_allow_plain = true", 'http_tls_certificate = "c.pem"\nhttp_tls_key = "k.pem"'])
def test_http_beyond_loopback_needs_tls_or_a_word(tmp_path: Path, extra: str) -> None:
    assert load(write(tmp_path, f'{MINIMAL}http_listen = "0.0.0.0:80"\n{extra}\n')).http_listen == ("0.0.0.0", 80)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "[::1]", "localhost"])
def test_plain_http_is_for_this_machine(tmp_path: Path, host: str) -> None:
    assert load(write(tmp_path, f'{MINIMAL}http_listen = "{host}:80"\n')).http_listen is not None


def test_a_folder_that_is_no_data_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigProblem, match="data folder"):
        load(tmp_path)


def test_an_environment_variable_that_is_not_what_it_should_be_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSEAL_PEERS", "regulator=10.0.0.1:22003")
    with pytest.raises(ConfigProblem, match="peers"):
        load(write(tmp_path, MINIMAL))


def test_a_drill_is_taken_on_one_machine_and_refused_beyond_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = load(write(tmp_path, MINIMAL + "[fault_injection]\nclock_offset_ms = -5000\n"))
    assert abs(config.fault_injection.now_ms() - (time.time() * 1000 - 5_000)) < 1_000
    monkeypatch.setenv("COSEAL_FAULT_INJECTION__WRITE_DELAY_MS", "7")
    assert load(write(tmp_path, MINIMAL)).fault_injection.write_delay_ms == 7
    for line in ('peers = {regulator = "10.0.0.1:22003"}\n', 'http_listen = "0.0.0.0:1"\nhttp_allow_plain = true\n'):
        with pytest.raises(ConfigProblem, match=r"fault_injection: .* is not a loopback address"):
            load(write(tmp_path, line + MINIMAL))
