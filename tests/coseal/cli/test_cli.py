"""The command line without a running network: help, errors, exit codes, and the documents it prints."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from coseal import __version__
from coseal.cli import PANELS, app
from coseal.cli import network as network_commands
from coseal.errors import CosealError
from coseal.ledger import native
from coseal.ledger.proof import TransactionProof
from coseal.ledger.render import proof_json, transaction_raw_from_json
from coseal.ledger.transaction import Transaction
from coseal.network import folders, processes
from coseal.network.consortium import default_consortium
from tests.audit.conftest import Chain

RUNNER = CliRunner()
COMMANDS = [
    [],
    ["up"],
    ["init"],
    ["down"],
    ["status"],
    ["logs"],
    ["node"],
    ["node", "start"],
    ["node", "stop"],
    ["node", "kill"],
    ["node", "add"],
    ["node", "remove"],
    ["node", "rotate-key"],
    ["member"],
    ["member", "add"],
    ["member", "rotate-key"],
    ["governance"],
    ["governance", "propose"],
    ["governance", "vote"],
    ["governance", "withdraw"],
    ["governance", "appeal"],
    ["member", "leave"],
    ["member", "stay"],
    ["governance", "list"],
    ["governance", "show"],
    ["demo"],
    ["submit"],
    ["sign"],
    ["show"],
    ["import"],
    ["audit"],
    ["verify"],
    ["snapshot"],
    ["restore"],
    ["archive"],
    ["prune"],
    ["keys"],
    ["keys", "generate"],
    ["keys", "show"],
    ["keys", "list"],
    ["bench"],
    ["rules"],
    ["rules", "check"],
    ["rules", "test"],
]


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("COSEAL_DIR", "COSEAL_TOKEN", "COSEAL_KEY_PASSPHRASE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> folders.Network:
    folder = tmp_path_factory.mktemp("cli") / "net"
    return folders.create(folder, default_consortium(4), addressing=folders.Addressing(base_port=24_400))


def run(*words: str | Path, code: int = 0) -> str:
    result = RUNNER.invoke(app, [str(word) for word in words])
    assert result.exit_code == code, result.output
    return result.output


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: list[str]):
    output = run(*command, "--help")
    assert "Usage" in output
    if command and command not in (["node"], ["keys"], ["rules"], ["member"], ["governance"]):
        assert "Example" in output


@pytest.mark.parametrize(
    ("imports", "heavy"),
    [
        (
            "coseal.cli",
            {"httpx", "cryptography", "nacl", "ormsgpack", "coseal.contracts", "coseal.audit", "coseal.node"},
        ),
        (
            "coseal.cli, coseal.network.access, coseal.client.blocking, coseal.network.folders",
            {"pygments", "click", "cryptography.x509", "coseal.node"},
        ),
    ],
    ids=["help", "a command that asks a node"],
)
def test_it_answers_at_once_because_nothing_heavier_is_imported(imports: str, heavy: set[str]):
    code = (
        f"import sys, {imports}\nheavy = {heavy} & set(sys.modules)\nsys.exit(f'imported: {{heavy}}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_version_is_told():
    core = native.choose(os.environ.get(native.SETTING), __version__).name
    assert run("--version").strip() == f"coseal {__version__}, {core}"


def test_a_word_that_is_no_command_or_option_is_usage():
    run("fly", code=2)
    run("up", "--speed", "9", code=2)
    run("show", "moon", "1", code=2)
    run("import", "x.json", code=2)  # --as is missing


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["status"], "no network in coseal-net"),
        (["down", "nowhere"], "no network in nowhere"),
        (["logs", "bank-a"], "no network"),
        (["submit", "policy.fly", "--as", "regulator"], "policy has no action 'fly'"),
        (["submit", "policy", "--as", "regulator"], "expected CONTRACT.ACTION"),
        (["show", "block", "1"], "no network"),
        (["audit", "nowhere"], "no genesis in nowhere"),
        (["verify", "r.json"], "no genesis in coseal-net"),
        (["import", "none.json", "--as", "bank-a"], "No such file"),
        (["up", "--consortium", "none.toml"], "no such file"),
        (["up", "--consortium", "none.toml", "--validators", "4"], "exclude each other"),
        (["keys", "show", "none.pem"], "no such key"),
        (["demo", "--base-port", "70000"], "less than or equal to 65000"),
    ],
)
def test_a_mistake_is_told_in_a_sentence_with_exit_code_2(words: list[str], says: str):
    output = run(*words, code=2)
    assert says in " ".join(output.split())
    assert "Traceback" not in output


def test_status_has_the_promised_shape(net: folders.Network):
    document = json.loads(run("status", net.directory, "--json"))
    assert list(document) == ["chain_id", "nodes"]
    assert document["chain_id"] == net.chain_id
    names = ["name", "role", "kind", "pid", "url", "height", "round", "state_root", "healthy", "why_stalled"]
    assert [list(node) for node in document["nodes"]] == [
        [*names, "evidence", "upgrade", "contracts", "leader", "peers", "pending"]
    ] * 4
    assert document["nodes"][0] == {
        "name": "regulator",
        "role": "government",
        "kind": "validator",
        "pid": None,
        "url": "http://127.0.0.1:24400",
        "height": None,
        "round": None,
        "state_root": None,
        "healthy": False,
        "why_stalled": "not running",
        "evidence": None,
        "upgrade": None,
        "contracts": None,
        "leader": None,
        "peers": None,
        "pending": None,
    }
    run("status", net.directory, "--check", code=1)
    assert "not running" in run("status", net.directory)


VALIDATORS = ["bank-a", "central-bank", "enterprise-a", "regulator"]


def upgrade(having: list[str], first_height: int | None, *, known: bool = True) -> dict[str, Any]:
    """Return a version to come as a node's status has it."""
    lacking = [name for name in VALIDATORS if name not in having]
    ballot = {"version": 2, "height": 100, "proposal": "rules"}
    return {**ballot, "first_height": first_height, "having": having, "lacking": lacking, "needed": 3, "known": known}


@pytest.mark.parametrize(
    ("having", "first_height", "says"),
    [
        (VALIDATORS, 100, "version 2 takes effect at block 100; every validator has it"),
        (VALIDATORS[:3], 100, "version 2 takes effect at block 100; regulator lacks it and will stop there"),
        (
            VALIDATORS[:1],
            None,
            "1 of 4 validators have it, 3 are needed; central-bank, enterprise-a and regulator lack it",
        ),
    ],
)
def test_status_says_who_lacks_a_version_to_come(net: folders.Network, having: list[str], first_height: int, says: str):
    coming = upgrade(having, first_height)
    nodes = [replace(processes.status_of(net, node), upgrade=coming, height=9) for node in net.nodes]
    assert says in str(network_commands._table(net, nodes).caption)


def test_status_names_nodes_that_lack_a_version_and_do_not_validate(net: folders.Network):
    first, *others = (replace(processes.status_of(net, node), height=9) for node in net.nodes)
    nodes = [replace(first, name="observer-1", upgrade=upgrade(VALIDATORS, 100, known=False)), *others]
    assert str(network_commands._table(net, nodes).caption).endswith("every validator has it; observer-1 lacks it")
    assert network_commands._table(net, others).caption is None


def test_status_says_why_a_node_ended(net: folders.Network):
    reason = "block 9 needs protocol version 2, this software knows 1: install a newer release and start again"
    lines = [{"event": "started"}, {"event": "halted", "reason": reason}, {"status": 7, "event": "stopped"}]
    log = net.nodes[0].log
    log.write_text("Traceback\n" + "".join(json.dumps(line) + "\n" for line in lines))
    assert processes.status_of(net, net.nodes[0]).why_stalled == f"not running: {reason}"
    log.write_text(log.read_text() + '{"event": "started"}\n{"event": "stopped"}\n{"half')
    assert processes.status_of(net, net.nodes[0]).why_stalled == "not running"
    log.unlink()


def test_the_folder_may_come_from_the_environment(net: folders.Network, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COSEAL_DIR", str(net.directory))
    assert json.loads(run("status", "--json"))["chain_id"] == net.chain_id
    assert json.loads(run("down", "--json")) == {"stopped": []}
    assert "not running" in run("logs", "nobody", code=2) or "no node" in run("logs", "nobody", code=2)


def test_init_makes_a_network_once(tmp_path: Path):
    assert "4 nodes" in run("init", tmp_path / "n", "--base-port", "24500")
    raw = (tmp_path / "n" / "genesis.json").read_bytes()
    assert "already" in run("init", tmp_path / "n")
    assert (tmp_path / "n" / "genesis.json").read_bytes() == raw


def test_up_on_an_existing_network_refuses_what_it_cannot_change(net: folders.Network):
    assert "--validators cannot change it" in run("up", net.directory, "--validators", "7", code=2)
    assert "--observers cannot change it" in run("up", net.directory, "--observers", "1", code=2)
    assert "--base-port cannot change it" in run("up", net.directory, "--base-port", "24402", code=2)
    other = Path(__file__).parents[3] / "examples" / "consortium" / "harbour.toml"
    assert "--consortium cannot change it" in run("up", net.directory, "--consortium", other, code=2)


def test_up_on_an_existing_network_takes_options_that_describe_it(net: folders.Network, monkeypatch):
    started = []

    def start(node):
        started.append(node.name)
        raise CosealError("enough")

    monkeypatch.setattr("coseal.network.processes.start", start)
    run("up", net.directory, "--validators", "4", "--base-port", "24400", "--detach", code=2)
    assert started == ["regulator"]


def test_up_says_which_port_is_taken_and_leaves_nothing_behind(tmp_path: Path):
    import socket

    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", 24_602))
        held.listen()
        output = run("up", tmp_path / "n", "--base-port", "24600", "--detach", code=2)
    assert "port 24602 is in use by" in output
    assert "central-bank (http) needs it" in output
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["json", "base64", "msgpack"])
def test_a_signed_transaction_is_the_same_in_every_form(net: folders.Network, form: str):
    words = ["sign", "policy.endorse", "id=cn/1", "--as", "bank-a", "--dir", net.directory, "--format", form]
    result = RUNNER.invoke(app, [str(word) for word in words])
    assert result.exit_code == 0
    if form == "json":
        raw = transaction_raw_from_json(json.loads(result.stdout))
    elif form == "base64":
        import base64

        raw = base64.b64decode(result.stdout)
    else:
        raw = result.stdout_bytes
    transaction = Transaction.decode(raw)
    transaction.verify_signature()
    assert (transaction.sender, transaction.contract, transaction.action) == ("bank-a/admin", "policy", "endorse")
    assert transaction.args == {"id": "cn/1"}
    assert transaction.chain_id.hex() == net.chain_id


def test_signing_alone_says_that_it_cannot_gather_what_a_correction_shows(net: folders.Network, tmp_path: Path):
    data = tmp_path / "batch.json"
    item = {"event": "e2", "type": "pay", "time": "2026-01-05T10:00:00Z", "corrects": 1}
    data.write_text(json.dumps({"source": "log", "sequence": 2, "items": [item]}))
    output = run("sign", "process.record", "--data", data, "--as", "bank-a", "--dir", net.directory, code=2)
    assert "signing alone asks no node" in output
    assert "`coseal submit` gathers that from a node" in output


def test_who_signs_must_be_known(net: folders.Network):
    sign = ["sign", "policy.endorse", "id=cn/1", "--dir", net.directory, "--as"]
    assert "'nobody' is not a member" in run(*sign, "nobody", code=2)
    assert "no key of bank-a/clerk" in run(*sign, "bank-a/clerk", code=2)


def test_without_a_node_that_answers_a_submission_could_not_be_told(net: folders.Network):
    output = run("submit", "policy.endorse", "id=cn/1", "--as", "bank-a", "--dir", net.directory, code=2)
    assert "no node" in output
    run("show", "policy", "cn/1", "--url", "http://127.0.0.1:24999", "--dir", net.directory, code=2)


def test_a_url_needs_a_genesis(tmp_path: Path):
    assert "--genesis" in run("show", "block", "1", "--url", "http://127.0.0.1:24999", code=2)


def test_findings_are_printed_with_exit_code_1_and_nothing_is_sent(tmp_path: Path):
    bad = {"eventTypes": [], "objectTypes": [], "objects": [], "events": [{"id": "e", "type": "t", "time": "0"}]}
    (tmp_path / "log.json").write_text(json.dumps(bad))
    document = json.loads(run("import", "log.json", "--as", "bank-a", "--json", code=1))
    assert document["ok"] is False
    assert document["recorded"] == 0
    assert {
        "code": "undeclared_type",
        "count": 1,
        "examples": [{"path": "events[0].type", "detail": "'t' is not declared"}],
    } in (document["findings"])
    assert "undeclared_type" in run("import", "log.json", "--as", "bank-a", code=1)


def test_a_dry_run_counts_and_sends_nothing(tmp_path: Path):
    (tmp_path / "log.csv").write_text("c,a,t\nA,x,2026-01-01T00:00:00Z\n")
    (tmp_path / "map.toml").write_text('case = "c"\nactivity = "a"\ntimestamp = "t"\n')
    words = ["import", "log.csv", "--map", "map.toml", "--as", "bank-a", "--dry-run"]
    assert json.loads(run(*words, "--json"))["items"] == 1
    assert "1 item, 1 event" in run(*words)
    printed = json.loads(run(*words[:-1], "--print-type"))
    assert (printed["id"], printed["event_types"]) == ("log", {"x": {"attributes": {}}})
    assert "one choice" in run(*words, "--define-only", code=2)


def test_keys_are_made_shown_and_listed(net: folders.Network):
    made = json.loads(run("keys", "generate", "--out", "k.pem", "--json"))
    assert json.loads(run("keys", "show", "k.pem", "--json")) == made
    assert "exists" in run("keys", "generate", "--out", "k.pem", code=2)
    rows = json.loads(run("keys", "list", "--dir", net.directory, "--json"))
    assert [row["sender"] for row in rows] == [
        f"{m}/admin" for m in ("regulator", "central-bank", "bank-a", "enterprise-a")
    ]
    assert "PRIVATE" not in run("keys", "list", "--dir", net.directory)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--trust", "abc"], "expected HEIGHT:HASH"),
        (["--from", "5", "--to", "2"], "1 <= from <= to"),
        (["--from", "5", "--level", "replay"], "begins at height 1"),
        (["--url", "ftp://x"], "expected http"),
    ],
)
def test_a_question_to_the_auditor_that_makes_no_sense_is_usage(net: folders.Network, options: list[str], says: str):
    assert says in run("audit", net.directory, *options, code=2)


def test_an_audit_of_nothing_could_not_be_told(net: folders.Network):
    document = json.loads(run("audit", net.directory, "--json", code=2))
    assert document["verdict"] == "unknown"


def test_a_file_that_is_no_document_does_not_verify(net: folders.Network, tmp_path: Path):
    (tmp_path / "r.json").write_text('{"coseal": "receipt", "version": 1, "raw": "AAAA"}')
    result = json.loads(run("verify", "r.json", "--dir", net.directory, "--json", code=1))
    assert result["verdict"] == "bad"
    run("verify", "none.json", "--genesis", net.genesis_path, code=2)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("# Coseal\n", 2),
        ("", 2),
        ("\0", 2),
        ("[]", 2),
        ('{"coseal": "object-history"}', 1),
        ('{"coseal": "object-history", "version": null, "record": {}}', 1),
        ('{"coseal": "evidence-bundle", "object": 7}', 1),
        ('{"coseal": "receipt", "version": 1, "raw": {}}', 1),
        ('{"coseal": "export", "version": 1, "file": []}', 1),
    ],
)
def test_any_file_is_answered_in_words(net: folders.Network, tmp_path: Path, text: str, code: int):
    (tmp_path / "any").write_text(text)
    shown = run("verify", "any", "--genesis", net.genesis_path, code=code)
    assert shown.startswith("unknown: " if code == 2 else "bad: ")
    run("verify", "any", "--genesis", net.genesis_path, "--json", code=code)


def test_the_steps_of_a_verification_are_shown_with_rule_values_and_what_must_still_be_believed(tmp_path: Path):
    chain = Chain().grow(3, transactions=2)
    proof = TransactionProof.of(chain.blocks[1], 0)
    (tmp_path / "genesis.json").write_bytes(chain.genesis.raw)
    (tmp_path / "r.json").write_text(json.dumps(proof_json(proof)))
    shown = run("verify", "r.json", "--genesis", "genesis.json", "--steps")
    assert "5 certificate      ok" in shown
    assert "encoding.md Q1 to Q3, E1, D2" in shown
    assert f"leads_to         {proof.header.tx_root.hex()}" in shown
    assert "what must still be believed:" in shown
    assert "certificate " not in run("verify", "r.json", "--genesis", "genesis.json")
    spoilt = replace(proof, transaction_path=(bytes(32), *proof.transaction_path[1:]))
    (tmp_path / "r.json").write_text(json.dumps(proof_json(spoilt)))
    shown = run("verify", "r.json", "--genesis", "genesis.json", "--steps", code=1)
    assert "6 transaction path bad     the path does not lead to the root" in shown
    assert "receipt path" not in shown


def test_the_help_shows_the_ten_commands_that_matter_first_and_every_command_in_a_group():
    listed = [name for names in PANELS.values() for name in names]
    assert len(PANELS["Begin here"]) == 10
    assert sorted(listed) == sorted(get_command(app).commands)
    lines = run("--help").splitlines()
    heads = [line for line in lines if any(f" {panel} " in line for panel in PANELS)]
    assert len(heads) == len(PANELS)
    assert "Begin here" in heads[0]


@pytest.mark.parametrize("words", [["status"], ["down"], ["keys", "list"], ["findings", "list"], ["rules", "ballots"]])
def test_the_folder_is_an_argument_or_an_option_as_one_likes(words: list[str], tmp_path: Path):
    said = run(*words, str(tmp_path / "none"), code=2)
    assert "no network in" in said
    assert run(*words, "--dir", str(tmp_path / "none"), code=2) == said
    assert "name one folder" in run(*words, str(tmp_path / "none"), "--dir", str(tmp_path), code=2)


def test_the_folder_of_the_command_line_comes_before_that_of_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COSEAL_DIR", str(tmp_path / "environment"))
    assert str(tmp_path / "environment") in run("status", code=2)
    assert str(tmp_path / "word") in run("status", str(tmp_path / "word"), code=2)
    assert str(tmp_path / "option") in run("status", "--dir", str(tmp_path / "option"), code=2)
