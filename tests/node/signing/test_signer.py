from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coseal.ledger.certificate import Phase, vote_preimage
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import CannotSign, Ed25519Signer, verify
from coseal.node.__main__ import main
from coseal.node.config import load
from coseal.node.core import journal
from coseal.node.exits import Exit
from coseal.node.signing import keys, remote_signer, signer, signer_setup
from coseal.node.signing.keys import KeyProblem
from coseal.node.signing.remote_signer import RemoteSigner, WrongSigner
from coseal.node.signing.signer import SignerProblem
from coseal.node.signing.signer_wire import Is, Refused, Sign, Signed, Who, encode
from coseal.node.start import build
from coseal.node.storage.files import Locked, StorageError, lock_folder
from coseal.node.storage.journal_file import JournalFile
from tests.node.signing_process import SignerProcess, ask, closed_by_peer, connected
from tests.node.single import make_node

KEY = Ed25519Signer(b"k" * 32)


@pytest.fixture
def node(tmp_path: Path) -> Path:
    return make_node(tmp_path, port=22_050)


@pytest.fixture(autouse=True)
def _a_busy_machine_is_no_absent_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert remote_signer.ANSWER_SECONDS <= 1
    monkeypatch.setattr(remote_signer, "ANSWER_SECONDS", 20.0)


@pytest.fixture
def made(node: Path, tmp_path: Path) -> Iterator[SignerProcess]:
    signer_setup.create(tmp_path / "signer", node)
    process = SignerProcess(tmp_path / "signer")
    yield process
    process.end()


def chain_of(node: Path) -> bytes:
    return Genesis.decode((node / "genesis.json").read_bytes()).chain_id


def registered(node: Path) -> bytes:
    return Genesis.decode((node / "genesis.json").read_bytes()).nodes[0].consensus_key


def vote(chain_id: bytes, height: int, block: bytes = b"a" * 32) -> bytes:
    return vote_preimage(chain_id, 0, height, 0, Phase.PREPARE, block)


def until(condition: Callable[[], object], seconds: float = 15.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


# Making it


def test_init_signer_moves_the_key_and_says_the_public_parts(
    node: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pem = (node / "keys" / "consensus.pem").read_bytes()
    folder = tmp_path / "signer"
    assert main(["init-signer", "--data", str(folder), "--from", str(node)]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown == {
        "id": "regulator",
        "chain_id": chain_of(node).hex(),
        "consensus_key": registered(node).hex(),
        "signer": f"unix:{folder}/signer.sock",
    }
    assert not (node / "keys" / "consensus.pem").exists()
    moved = folder / "keys" / "consensus.pem"
    assert moved.read_bytes() == pem
    assert [path.stat().st_mode & 0o077 for path in (folder, moved.parent, moved)] == [0, 0, 0]
    assert main(["init-signer", "--data", str(folder), "--from", str(node)]) == Exit.STORAGE  # never a second guard


def test_a_new_signer_goes_on_from_what_its_node_signed(node: Path, tmp_path: Path) -> None:
    chain_id = chain_of(node)
    file = JournalFile(node / "journal")
    file.replace(journal.Journal(chain_id, "regulator").raise_floor(41))
    signer_setup.create(tmp_path / "signer", node)
    service = signer.open_service(tmp_path / "signer")
    assert service.place[0] == 41
    assert isinstance(service.answer(Sign(vote(chain_id, 41))), Refused)
    assert isinstance(service.answer(Sign(vote(chain_id, 42))), Signed)


def test_without_a_sound_journal_only_a_height_to_stay_above_makes_a_guard(node: Path, tmp_path: Path) -> None:
    (node / "journal" / "journal.log").unlink()
    with pytest.raises(StorageError, match="--above"):
        signer_setup.create(tmp_path / "signer", node)
    assert (node / "keys" / "consensus.pem").exists()
    signer_setup.create(tmp_path / "signer", node, above=100)
    service = signer.open_service(tmp_path / "signer")
    assert isinstance(service.answer(Sign(vote(chain_of(node), 100))), Refused)
    assert isinstance(service.answer(Sign(vote(chain_of(node), 101))), Signed)


def test_the_signer_of_a_running_node_is_not_made(node: Path, tmp_path: Path) -> None:
    descriptor = lock_folder(node)
    try:
        with pytest.raises(Locked):
            signer_setup.create(tmp_path / "signer", node)
    finally:
        os.close(descriptor)


def test_the_signer_of_a_new_key_is_made_while_the_node_runs(node: Path, tmp_path: Path) -> None:
    new = keys.create_key(tmp_path / "new.pem").public_key().public_bytes_raw()
    descriptor = lock_folder(node)
    try:
        shown = signer_setup.create(tmp_path / "signer", node, above=50, key=tmp_path / "new.pem")
    finally:
        os.close(descriptor)
    assert shown["consensus_key"] == new.hex()
    assert not (tmp_path / "new.pem").exists()
    assert (node / "keys" / "consensus.pem").exists()
    service = signer.open_service(tmp_path / "signer")
    assert isinstance(service.answer(Sign(vote(chain_of(node), 50))), Refused)
    assert isinstance(service.answer(Sign(vote(chain_of(node), 51))), Signed)


# The process


def test_it_signs_over_its_socket_which_is_its_users_alone(made: SignerProcess, node: Path) -> None:
    made.start()
    mode = made.socket.stat().st_mode
    assert (stat.S_ISSOCK(mode), stat.S_IMODE(mode)) == (True, 0o600)
    with connected(made.socket) as connection:
        assert ask(connection, Who()) == Is(registered(node), chain_of(node), "regulator")
        preimage = vote(chain_of(node), 1)
        answer = ask(connection, Sign(preimage))
        assert isinstance(answer, Signed)
        assert verify(registered(node), preimage, answer.signature)


def test_what_it_signed_survives_kill_9(made: SignerProcess, node: Path) -> None:
    chain_id = chain_of(node)
    made.start()
    with connected(made.socket) as connection:
        first = ask(connection, Sign(vote(chain_id, 7)))
    made.end(signal.SIGKILL)
    assert made.socket.exists()  # nobody's now, and no hindrance
    made.start()
    with connected(made.socket) as connection:
        assert ask(connection, Sign(vote(chain_id, 7))) == first
        assert isinstance(ask(connection, Sign(vote(chain_id, 7, b"b" * 32))), Refused)
        assert isinstance(ask(connection, Sign(vote(chain_id, 6))), Refused)
    assert made.end(signal.SIGTERM) == 0
    assert not [line for line in made.log().splitlines() if "Traceback" in line]
    refusals = [entry for entry in map(json.loads, made.log().splitlines()) if entry["event"] == "refused"]
    assert "height 7" in refusals[0]["reason"]


def test_two_nodes_on_one_signer_get_one_signature_for_one_place(made: SignerProcess, node: Path) -> None:
    chain_id = chain_of(node)
    made.start()
    given: dict[int, set[bytes]] = {height: set() for height in range(1, 60)}

    def run(block: bytes) -> None:
        with connected(made.socket) as connection:
            for height in given:
                if isinstance(ask(connection, Sign(vote(chain_id, height, block))), Signed):
                    given[height].add(block)

    clones = [threading.Thread(target=run, args=(bytes([number]) * 32,)) for number in (1, 2)]
    for clone in clones:
        clone.start()
    for clone in clones:
        clone.join()
    assert all(len(blocks) <= 1 for blocks in given.values())
    assert any(given.values())


def test_a_user_it_was_not_told_of_is_hung_up_on(made: SignerProcess, tmp_path: Path) -> None:
    listener = signer._listen(tmp_path / "other.sock", shared=True)
    assert stat.S_IMODE((tmp_path / "other.sock").stat().st_mode) == 0o660
    service = signer.open_service(made.folder)
    counter = signer.Counter(service, listener, {os.geteuid() + 1})
    with connected(tmp_path / "other.sock") as connection:
        counter._accept()
        assert connection.recv(1024) == b""
    counter = signer.Counter(service, listener, {os.geteuid()})
    with connected(tmp_path / "other.sock") as connection:
        counter._accept()
        connection.send(b"\x92\xa3who\x01")
        accepted = [key.fileobj for key in counter._selector.get_map().values() if key.fileobj is not listener]
        assert counter._answer(accepted[0])
        assert connection.recv(1024)
        accepted[0].close()
    listener.close()


def test_only_so_many_connections_are_open_and_one_that_closes_makes_room(made: SignerProcess) -> None:
    made.start()
    open_ones = [connected(made.socket) for _ in range(signer.CONNECTIONS_MAX)]
    assert all(isinstance(ask(each, Who()), Is) for each in open_ones)
    with connected(made.socket) as one_more:
        assert closed_by_peer(one_more)
    open_ones.pop().close()
    with connected(made.socket) as next_one:
        assert isinstance(ask(next_one, Who()), Is)
    for each in open_ones:
        each.close()


@pytest.mark.parametrize("packet", [b"\xff", b"x" * 513, b"y" * 60_000, b"\x93\xa4sign\x01\xc0"])
def test_a_packet_that_is_no_question_ends_its_connection_and_no_other(made: SignerProcess, packet: bytes) -> None:
    made.start()
    with connected(made.socket) as good, connected(made.socket) as bad:
        bad.send(packet)
        assert closed_by_peer(bad)
        assert isinstance(ask(good, Who()), Is)


def test_who_does_not_read_its_answers_stalls_nobody(made: SignerProcess) -> None:
    made.start()
    with connected(made.socket) as good, connected(made.socket) as deaf:
        deaf.setblocking(False)
        for _ in range(100_000):
            try:
                deaf.send(b"\x92\xa3who\x01")
            except OSError:
                break
        assert isinstance(ask(good, Who()), Is)


@pytest.mark.parametrize("harm", ["missing", "damaged", "of no node"])
def test_a_signer_without_a_sound_guard_does_not_start(
    made: SignerProcess, harm: str, capfd: pytest.CaptureFixture[str]
) -> None:
    path = made.folder / "guard" / "journal.log"
    if harm == "missing":
        path.unlink()
    elif harm == "damaged":
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(data)
    else:
        path.write_bytes(b"")
    assert signer.signer_command(made.folder, None, []) == Exit.STORAGE
    assert "--above" in capfd.readouterr().err


def test_a_torn_guard_is_mended(made: SignerProcess, node: Path) -> None:
    path = made.folder / "guard" / "journal.log"
    service = signer.open_service(made.folder)
    assert isinstance(service.answer(Sign(vote(chain_of(node), 3))), Signed)
    path.write_bytes(path.read_bytes()[:-7])
    service = signer.open_service(made.folder)
    assert service.place == (3, 0)
    assert isinstance(service.answer(Sign(vote(chain_of(node), 3, b"b" * 32))), Refused)
    assert signer.open_service(made.folder).place == (3, 0)


def test_two_processes_cannot_share_the_folder_and_other_problems_have_their_status(
    made: SignerProcess, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made.start()
    assert signer.signer_command(made.folder, None, []) == Exit.LOCKED
    made.end()
    assert signer.signer_command(tmp_path / "absent", None, []) == Exit.USAGE
    assert signer.signer_command(made.folder, None, ["no-such-user-here"]) == Exit.USAGE
    assert "no-such-user-here" in capfd.readouterr().err
    assert signer._uid("4711") == 4711
    with pytest.raises(SignerProblem, match="107"):
        signer._listen(tmp_path / ("x" * 120), shared=False)
    with pytest.raises(SignerProblem, match="cannot listen"):
        signer._listen(tmp_path / "no" / "folder.sock", shared=False)


def test_the_key_may_be_encrypted(node: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = node / "keys" / "consensus.pem"
    key = keys.load_private_key(path)
    path.write_bytes(keys.private_pem(key, b"open sesame"))
    with pytest.raises(KeyProblem):
        signer_setup.create(tmp_path / "signer", node)
    monkeypatch.setenv(keys.PASSPHRASE_VARIABLE, "open sesame")
    signer_setup.create(tmp_path / "signer", node)
    process = SignerProcess(tmp_path / "signer")
    try:
        process.start()
        assert "sesame" not in process.log()
    finally:
        process.end()
    monkeypatch.delenv(keys.PASSPHRASE_VARIABLE)
    assert signer.signer_command(tmp_path / "signer", None, []) == Exit.USAGE


# The node's end


class Notes:
    def __init__(self) -> None:
        self.trouble: list[str | None] = []
        self.refused: list[str] = []


@pytest.fixture
def remote(made: SignerProcess, node: Path) -> Iterator[RemoteSigner]:
    each = RemoteSigner(str(made.socket), registered(node), chain_of(node))
    yield each
    each.close()


def test_a_signer_that_dies_and_comes_back_is_found_again(
    made: SignerProcess, node: Path, remote: RemoteSigner
) -> None:
    chain_id, notes = chain_of(node), Notes()
    remote.connect()
    assert "No such file" in str(remote.trouble)
    remote.start(notes.trouble.append, notes.refused.append)
    with pytest.raises(CannotSign, match="away"):
        remote.sign(vote(chain_id, 1))
    made.start()
    until(lambda: remote.trouble is None)
    assert verify(remote.public_key, vote(chain_id, 1), remote.sign(vote(chain_id, 1)))
    made.end(signal.SIGKILL)
    until(lambda: remote.trouble is not None)  # noticed without asking for anything
    started = time.monotonic()
    for _ in range(100):
        with pytest.raises(CannotSign):
            remote.sign(vote(chain_id, 2))
    assert time.monotonic() - started < 5
    made.start()
    until(lambda: remote.trouble is None)
    assert remote.sign(vote(chain_id, 2))
    assert [trouble is None for trouble in notes.trouble[:1] + notes.trouble[-1:]] == [False, True]


def test_a_signer_that_hangs_costs_one_wait_and_its_late_answer_is_never_taken(
    made: SignerProcess, node: Path, remote: RemoteSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain_id, notes = chain_of(node), Notes()
    monkeypatch.setattr(remote_signer, "ANSWER_SECONDS", 3.0)
    made.start()
    remote.connect()
    remote.start(notes.trouble.append, notes.refused.append)
    remote.sign(vote(chain_id, 1))
    made.send(signal.SIGSTOP)
    with pytest.raises(CannotSign, match="in time"):
        remote.sign(vote(chain_id, 2))
    started = time.monotonic()
    for _ in range(50):
        with pytest.raises(CannotSign):
            remote.sign(vote(chain_id, 2))
    assert time.monotonic() - started < 50  # not three seconds each
    made.send(signal.SIGCONT)
    until(lambda: remote.trouble is None)
    assert verify(remote.public_key, vote(chain_id, 3), remote.sign(vote(chain_id, 3)))


def test_a_refusal_is_passed_on_and_said(made: SignerProcess, node: Path, remote: RemoteSigner) -> None:
    notes = Notes()
    made.start()
    remote.connect()
    remote.start(notes.trouble.append, notes.refused.append)
    remote.sign(vote(chain_of(node), 5))
    with pytest.raises(CannotSign, match="height 5"):
        remote.sign(vote(chain_of(node), 5, b"b" * 32))
    assert "height 5" in notes.refused[0]
    assert remote.trouble is None
    with pytest.raises(CannotSign, match="length"):
        remote.sign(b"x" * 257)


def test_a_signer_with_another_key_or_of_another_chain_is_wrong(made: SignerProcess, node: Path) -> None:
    made.start()
    other = RemoteSigner(str(made.socket), Ed25519Signer(b"o" * 32).public_key, chain_of(node))
    with pytest.raises(WrongSigner, match="another key"):
        other.connect()
    other = RemoteSigner(str(made.socket), registered(node), bytes(32))
    with pytest.raises(WrongSigner, match="another chain"):
        other.connect()


def test_a_node_that_does_not_know_its_key_yet_takes_the_one_its_signer_first_says(
    made: SignerProcess, node: Path
) -> None:
    remote = RemoteSigner(str(made.socket), None, chain_of(node))
    remote.connect()
    assert remote.public_key == b""
    made.start()
    remote.connect()
    assert remote.public_key == registered(node)
    assert verify(remote.public_key, vote(chain_of(node), 1), remote.sign(vote(chain_of(node), 1)))
    remote.close()


@pytest.mark.parametrize("answers", [[b"\xff"], [b""], [b"x" * 600]], ids=["nonsense", "hang-up", "too long"])
def test_what_is_no_signer_is_not_believed(tmp_path: Path, answers: list[bytes]) -> None:
    listener = signer._listen(tmp_path / "s", shared=False)

    def answer() -> None:
        connection, _ = listener.accept()
        connection.recv(1024)
        for packet in answers:
            if packet:
                connection.send(packet)
        connection.close()

    impostor = threading.Thread(target=answer)
    impostor.start()
    remote = RemoteSigner(str(tmp_path / "s"), KEY.public_key, bytes(32))
    remote.connect()
    impostor.join()
    listener.close()
    assert remote.trouble is not None
    with pytest.raises(CannotSign):
        remote.sign(b"p" * 109)


def test_a_signature_that_does_not_verify_is_no_signature(tmp_path: Path) -> None:
    listener = signer._listen(tmp_path / "s", shared=False)

    def answer() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(1024)
            connection.send(encode(Is(KEY.public_key, bytes(32), "a")))
            connection.recv(1024)
            connection.send(encode(Signed(KEY.sign(b"something else"))))

    impostor = threading.Thread(target=answer)
    impostor.start()
    remote = RemoteSigner(str(tmp_path / "s"), KEY.public_key, bytes(32))
    remote.connect()
    with pytest.raises(CannotSign, match="did not answer with a signature"):
        remote.sign(b"p" * 109)
    impostor.join()
    remote.close()
    listener.close()


# The node's start


def configure(node: Path, line: str) -> None:
    path = node / "node.toml"
    path.write_text(line + "\n" + path.read_text())


def test_a_node_with_a_signer_does_not_start_with_the_key_beside_it(made: SignerProcess, node: Path) -> None:
    configure(node, f'signer = "unix:{made.socket}"')
    (node / "keys" / "consensus.pem").write_bytes((made.folder / "keys" / "consensus.pem").read_bytes())
    with pytest.raises(KeyProblem, match="init-signer"):
        build(node, load(node))


def test_a_node_whose_signer_is_of_another_node_does_not_start(made: SignerProcess, tmp_path: Path) -> None:
    other = make_node(tmp_path / "other", port=22_051)
    (other / "keys" / "consensus.pem").unlink()
    configure(other, f'signer = "unix:{made.socket}"')
    made.start()
    with pytest.raises(KeyProblem, match="another key"):
        build(other, load(other))


def test_the_process_that_holds_the_key_loads_no_network_database_or_contract() -> None:
    code = "import sys, coseal.node.signing.signer; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"uvicorn", "fastapi", "httpx", "pydantic", "lmdb"} & {name.partition(".")[0] for name in loaded}
    parts = {name.split(".")[1] for name in loaded if name.startswith("coseal.")}
    assert parts == {"ledger", "consensus", "node"}
