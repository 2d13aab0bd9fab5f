"""What the doctor makes of a machine, a folder and its peers; the real thing is in tests/cluster/test_consortium.py."""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.client import keys
from coseal.doctor import folder, machine, reach
from coseal.doctor.examination import configurations, examine
from coseal.doctor.line import Line, Rating, bad, ok, warn, worst
from coseal.doctor.reach import Answer
from coseal.doctor.settings import Settings, read
from coseal.errors import CosealError
from coseal.network import folders
from coseal.network.consortium import default_consortium
from tests.cluster.network import reserve_ports

GIB = 1024**3
NODE = "bank-a"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANYWHERE = ("127.0.0.1", 9)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base, lock = reserve_ports(4)
    directory = tmp_path_factory.mktemp("made") / "net"
    folders.create(directory, default_consortium(4), addressing=folders.Addressing(base_port=base))
    yield directory
    os.close(lock)


@pytest.fixture
def net(made: Path, tmp_path: Path) -> Path:
    """A copy of a network's folder, to be spoilt."""
    return Path(shutil.copytree(made, tmp_path / "net"))


def settings_of(net: Path) -> Settings:
    return read(net / "nodes" / NODE / "node.toml")


def lines_of(net: Path) -> dict[str, Line]:
    configs, chain_id = configurations(net / "nodes" / NODE)
    return {line.check: line for line in examine(configs, chain_id, [], lambda line: None)}


# The machine


@pytest.mark.parametrize(
    ("line", "verdict"),
    [
        (machine.judge_python("CPython", (3, 11, 7), True, 1), Rating.ok),
        (machine.judge_python("CPython", (3, 10, 9), True, 0), Rating.bad),
        (machine.judge_python("PyPy", (3, 11, 7), True, 0), Rating.warn),
        (machine.judge_python("CPython", (3, 12, 0), False, 0), Rating.warn),
        (machine.judge_core("python", "1"), Rating.ok),
        (machine.judge_core("fast", "1"), Rating.bad),
        (machine.judge_openssl("OpenSSL 3.0.1", (3, 0), True), Rating.ok),
        (machine.judge_openssl("OpenSSL 1.1.1", (1, 1), True), Rating.warn),
        (machine.judge_openssl("OpenSSL 1.1.0", (1, 1), False), Rating.bad),
        (machine.judge_libraries("1", {"lmdb>=1.6": "1.10.0"}), Rating.ok),
        (machine.judge_libraries("1", {"lmdb>=1.6": "1.5.9"}), Rating.bad),
        (machine.judge_libraries("1", {"lmdb>=1.6": None}), Rating.bad),
        (machine.judge_descriptors("", "us", 65_536), Rating.ok),
        (machine.judge_descriptors("", "us", resource.RLIM_INFINITY), Rating.ok),
        (machine.judge_descriptors("", "us", 20_000), Rating.warn),
        (machine.judge_descriptors("", "us", 1_024), Rating.bad),
        (machine.judge_speed(2_000), Rating.ok),
        (machine.judge_speed(1_999), Rating.warn),
        (machine.judge_kernel_clock(0), Rating.ok),
        (machine.judge_kernel_clock(5), Rating.warn),
        (machine.judge_kernel_clock(None), Rating.warn),
        (folder.judge_space(NODE, 50 * GIB, 100 * GIB), Rating.ok),
        (folder.judge_space(NODE, 6 * GIB, 1000 * GIB), Rating.warn),
        (folder.judge_space(NODE, GIB // 2, 100 * GIB), Rating.bad),
        (folder.judge_latency(NODE, [1.0, 2.0, 30.0]), Rating.ok),
        (folder.judge_latency(NODE, [30.0, 30.0, 30.0]), Rating.warn),
        (folder.judge_latency(NODE, [1.0, 1.0, 900.0]), Rating.warn),
        (folder.judge_latency(NODE, [300.0]), Rating.bad),
        (folder.judge_journal(NODE, 1_000.0, 1_010.0, 1_020.0), Rating.ok),
        (folder.judge_journal(NODE, 1_000.0, 9_000.0, 9_001.0), Rating.warn),
        (folder.judge_journal(NODE, None, 1_000.0, 1_001.0), Rating.warn),
        (folder.judge_journal(NODE, None, None, 1_001.0), Rating.warn),
        (folder.judge_journal(NODE, 5_000.0, 1_000.0, 1_001.0), Rating.bad),
    ],
)
def test_a_figure_has_its_verdict_and_what_is_not_ok_says_what_to_do(line: Line, verdict: Rating) -> None:
    assert line.verdict is verdict
    assert bool(line.todo) == (verdict is not Rating.ok)


def test_a_file_system_that_forgets_is_bad_and_one_of_another_machine_deserves_a_look() -> None:
    verdicts = {kind: folder.judge_file_system(NODE, kind) for kind in ("tmpfs", "nfs4", "ext4", None)}
    assert [line and line.verdict for line in verdicts.values()] == [Rating.bad, Rating.warn, None, None]


def test_the_worst_line_is_the_verdict() -> None:
    assert worst([]) is Rating.ok
    assert worst([ok("", "a", ""), bad("", "b", "", "x"), warn("", "c", "", "y")]) is Rating.bad


# A folder


def test_a_new_network_has_nothing_bad(made: Path) -> None:
    lines = lines_of(made)
    assert [line for line in lines.values() if line.verdict is Rating.bad] == []
    assert lines["consensus identity"].verdict is Rating.ok
    assert lines["link port"].text.endswith("is free; the node does not run")
    assert not list(made.rglob(".doctor-*"))


def test_a_key_that_others_can_read_is_bad(net: Path) -> None:
    (net / "nodes" / NODE / "keys" / "consensus.pem").chmod(0o640)
    line = lines_of(net)["consensus key"]
    assert (line.verdict, "chmod 600" in line.todo) == (Rating.bad, True)


def test_an_old_key_and_one_of_another_user_deserve_a_look(net: Path) -> None:
    settings = settings_of(net)
    os.utime(settings.link_key, (0, 0))
    found = {line.check: line for line in folder.key_files(settings, 400 * 86_400.0)}
    assert (found["link key"].verdict, "400 days" in found["link key"].text) == (Rating.warn, True)


def test_a_missing_key_is_bad(net: Path) -> None:
    (net / "nodes" / NODE / "keys" / "link.pem").unlink()
    assert lines_of(net)["link key"].verdict is Rating.bad


def test_keys_that_are_not_the_registered_ones_are_bad(net: Path) -> None:
    path = net / "nodes" / NODE / "keys" / "consensus.pem"
    path.unlink()
    keys.write_key(path, keys.new_seed())
    line = lines_of(net)["consensus identity"]
    assert (line.verdict, "not the one that the genesis registers" in line.text) == (Rating.bad, True)
    (net / "nodes" / NODE / "blocks").mkdir()
    (net / "nodes" / NODE / "blocks" / "00000001.log").touch()
    assert lines_of(net)["consensus identity"].verdict is Rating.warn  # a block may have replaced it


def test_a_link_key_beside_anothers_certificate_is_bad(net: Path) -> None:
    other = net / "nodes" / "regulator" / "keys" / "link.crt"
    shutil.copyfile(other, net / "nodes" / NODE / "keys" / "link.crt")
    assert "no pair" in lines_of(net)["link identity"].text


def test_keys_under_a_passphrase_that_is_not_told_deserve_a_look(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = net / "nodes" / NODE / "keys" / "link.pem"
    seed = keys.read_seed(path)
    path.unlink()
    keys.write_key(path, seed, b"secret")
    assert lines_of(net)["keys"].verdict is Rating.warn
    monkeypatch.setenv("COSEAL_KEY_PASSPHRASE", "wrong")
    assert lines_of(net)["keys"].verdict is Rating.warn


def test_a_tampered_or_missing_genesis_is_bad(net: Path) -> None:
    path = net / "genesis.json"
    raw = path.read_bytes()
    path.write_bytes(raw.replace(b'"tenure": 16', b'"tenure": 17'))
    configs, chain_id = configurations(net)
    lines = [line for line in examine(configs, chain_id, [], lambda line: None) if line.check == "genesis"]
    assert [line.verdict for line in lines] == [Rating.bad] * 4
    assert "was changed" in lines[0].text
    path.write_bytes(raw[:100])
    assert lines_of(net)["genesis"].verdict is Rating.bad
    path.unlink()
    assert lines_of(net)["genesis"].verdict is Rating.bad


def test_a_port_that_another_program_has_is_bad(net: Path) -> None:
    settings = settings_of(net)
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(settings.link)
        other.listen()
        line = lines_of(net)["link port"]
    assert (line.verdict, "already in use" in line.text) == (Rating.bad, True)


def test_an_http_certificate_that_ends_is_noticed_in_time(net: Path) -> None:
    config = net / "nodes" / NODE / "node.toml"
    config.write_text('http_tls_certificate = "http.crt"\n' + config.read_text())
    settings = settings_of(net)
    shutil.copyfile(settings.link_certificate, net / "nodes" / NODE / "http.crt")
    assert folder.http_certificate(settings, NOW)[0].verdict is Rating.ok
    ends = [NOW + timedelta(days=days) for days in (90, 10, -1)]
    verdicts = [folder.judge_certificate(NODE, end, NOW).verdict for end in ends]
    assert verdicts == [Rating.ok, Rating.warn, Rating.bad]
    (net / "nodes" / NODE / "http.crt").write_text("no certificate")
    assert folder.http_certificate(settings, NOW)[0].verdict is Rating.bad


def test_a_signer_that_is_away_is_bad(net: Path) -> None:
    config = net / "nodes" / NODE / "node.toml"
    config.write_text(f'signer = "unix:{net}/signer.sock"\n' + config.read_text())
    lines = lines_of(net)
    assert lines["signer"].verdict is Rating.bad
    assert "consensus key" not in lines


@pytest.mark.parametrize(
    "text", ["node_id = 3\n", "node_id = 'a'\nlink_listen = 'nowhere'\n", "peers = 1\n", "[", "node_id = 'a'\n"]
)
def test_a_configuration_that_cannot_be_read_is_bad(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.toml").write_text(text)
    lines = examine([tmp_path / "node.toml"], None, [], lambda line: None)
    assert lines[-1].check == "configuration"
    assert lines[-1].verdict is Rating.bad


def test_a_folder_with_nothing_to_look_at_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CosealError, match="holds no network and no node"):
        configurations(tmp_path)


# Others


def test_a_peer_is_judged_by_the_certificate_it_shows() -> None:
    def judge(shown: bytes | str, registered: bytes | None, connected: set[str] | None) -> Rating:
        return reach.judge_peer(NODE, "peer", ANYWHERE, shown, registered, connected).verdict

    assert judge(b"right", b"right", {"peer"}) is Rating.ok
    assert judge(b"right", b"right", None) is Rating.ok
    assert judge(b"right", b"right", set()) is Rating.warn
    assert judge(b"wrong", b"right", None) is Rating.bad
    assert judge(b"later", None, None) is Rating.warn
    assert judge("refused", b"right", set()) is Rating.bad
    assert judge("refused", b"right", {"peer"}) is Rating.warn
    assert judge("refused", b"right", None) is Rating.warn


@pytest.mark.parametrize(
    ("theirs", "verdict"),
    [(10_000, Rating.ok), (9_300, Rating.warn), (12_000, Rating.bad), (None, Rating.warn), ("10", Rating.warn)],
)
def test_clocks_are_compared_by_what_the_chain_allows(theirs: object, verdict: Rating) -> None:
    answer = Answer({"clock_ms": theirs}, 10_000.0)
    assert reach.judge_clock(NODE, "url", answer, 500).verdict is verdict


def test_a_block_from_the_future_shows_a_late_clock() -> None:
    def judge(time_ms: int) -> Line | None:
        return reach.judge_block_time(NODE, Answer({"height": 3, "time_ms": time_ms}, 10_000.0), 500)

    assert [line and line.verdict for line in (judge(9_000), judge(11_000))] == [Rating.ok, Rating.bad]
    assert reach.judge_block_time(NODE, Answer({"height": 0}, 10_000.0), 500) is None


def test_a_running_node_is_judged_by_what_it_says_of_itself(made: Path) -> None:
    settings, genesis = settings_of(made), folders.load(made).genesis()
    good = {
        "node": NODE,
        "chain_id": genesis.chain_id.hex(),
        "healthy": True,
        "syncing": False,
        "height": 3,
        "kind": "validator",
        "voting": True,
        "software_version": "1",
    }

    def judge(**changed: object) -> dict[str, Rating]:
        lines = reach.itself(settings, genesis, Answer({**good, **changed}, 0.0), "1")
        return {line.check: line.verdict for line in lines}

    assert judge() == {"chain": Rating.ok, "status": Rating.ok}
    assert judge(chain_id="ab")["chain"] is Rating.bad
    assert judge(healthy=False, why_stalled="alone")["status"] is Rating.bad
    assert judge(syncing=True)["status"] is Rating.warn
    assert judge(voting=False, silence="lost journal")["voting"] is Rating.bad
    assert judge(software_version="0")["software"] is Rating.warn
    assert judge(node="other") == {"status": Rating.bad}
    assert reach.itself(settings, genesis, Answer(None, 0.0, "refused"), "1")[0].verdict is Rating.bad


def test_a_version_to_come_is_bad_for_the_node_that_will_stop_and_a_warning_while_it_waits() -> None:
    ballot = {"version": 2, "height": 100, "proposal": "rules", "needed": 3}
    names = ["bank-a", "central-bank", "enterprise-a", "regulator"]

    def judge(having: int, first_height: int | None, *, known: bool) -> Line:
        who = {"having": names[:having], "lacking": names[having:]}
        return reach.judge_version(NODE, {**ballot, **who, "first_height": first_height, "known": known})

    stops = judge(3, 100, known=False)
    assert (stops.verdict, "needs a newer release before block 100" in stops.todo) == (Rating.bad, True)
    waits = judge(0, None, known=False)
    assert (waits.verdict, "0 of 4 validators have it" in waits.text) == (Rating.warn, True)
    assert "withdraw_version proposal=rules" in waits.todo
    assert judge(2, None, known=True).verdict is Rating.warn
    assert judge(3, 100, known=True).verdict is Rating.warn
    assert judge(4, 100, known=True) == Line(
        NODE, "protocol version", Rating.ok, "protocol version 2 takes effect at block 100; every validator has it"
    )


def test_a_node_that_ended_for_want_of_a_release_is_bad(net: Path) -> None:
    log = net / "nodes" / NODE / "node.log"
    log.write_text('{"event": "started"}\n{"event": "halted", "reason": "block 9 needs protocol version 2"}\n')
    line = lines_of(net)["status"]
    assert (line.verdict, line.text) == (Rating.bad, "it does not run: block 9 needs protocol version 2")


def test_a_port_without_tls_shows_no_certificate() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = server.getsockname()
        server.settimeout(0.01)
    assert "refused" in str(reach.shown_certificate(address)).lower()


def test_the_command_ends_with_the_code_of_its_verdict(net: Path) -> None:
    config = str(net / "nodes" / NODE / "node.toml")
    done = CliRunner().invoke(app, ["doctor", "--config", config, "--json"])
    document = json.loads(done.stdout)
    assert (done.exit_code, document["verdict"]) == (0, "warn")  # nobody of the network runs
    assert {"node", "check", "verdict", "text", "todo"} == set(document["lines"][0])
    (net / "nodes" / NODE / "keys" / "link.pem").chmod(0o644)
    done = CliRunner().invoke(app, ["doctor", "--config", config])
    assert done.exit_code == 1
    assert "chmod 600" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("bad: ")
    assert CliRunner().invoke(app, ["doctor", "--config", config + ".none"]).exit_code == 2


def test_the_gateways_damaged_memory_is_bad(net: Path) -> None:
    path = net / "nodes" / "bank-a" / "idempotency.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE keys (key)")
    connection.close()
    (line,) = folder.gateway_memory(settings_of(net))
    assert (line.verdict, sorted(path.parent.glob("idempotency*"))) == (Rating.ok, [path])
    path.write_bytes(b"x" * 5_000)
    (line,) = folder.gateway_memory(settings_of(net))
    assert line.verdict is Rating.bad
    assert "idempotency.sqlite is damaged" in line.text
    assert "coseal node repair bank-a" in line.todo
    path.unlink()
    assert folder.gateway_memory(settings_of(net)) == []
