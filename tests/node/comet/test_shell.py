"""What stands between the machine and CometBFT: its RPC, the socket on which it asks, its files, its binary."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from coseal.ledger import signing
from coseal.ledger.block import Header
from coseal.ledger.certificates import decode_certificate
from coseal.ledger.comet import SECONDS_MAX, SECONDS_MIN, VoteKind, address_of, comet_chain_id
from coseal.ledger.engines import COMETBFT_BUILD
from coseal.ledger.errors import BadCertificate
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.validators import ValidatorSet
from coseal.node.comet import files
from coseal.node.comet.files import Home, find_binary
from coseal.node.comet.rpc import Rpc, RpcTrouble, moment
from coseal.node.comet.server import AbciServer
from coseal.node.config import ConfigProblem
from coseal.node.core.comet import abci
from coseal.node.core.comet.certifying import Decided, DoubleVote, certificate_of
from tests.support.comet import vote_shown, voted_twice
from tests.support.genesis import make_genesis

RECORDED = json.loads((Path(__file__).parent / "commits.json").read_text())
"""Commits of CometBFT 0.38.25 over four validators, as its RPC showed them; one of round 1, an absent vote in each."""
COMMIT = RECORDED["commits"][0]["shown"]["commit"]
VALIDATORS = ValidatorSet.decode(bytes.fromhex(RECORDED["validators"]))
GENESIS = make_genesis(engine="cometbft")
SIGNER = Ed25519Signer(bytes([3]) * 32)


async def answering(path: Path, *answers: object) -> asyncio.Server:
    """Serve these answers on a socket, one a connection, as CometBFT's RPC would."""
    left = list(answers)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(size)
        body = left.pop(0)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n" + (body if isinstance(body, bytes) else json.dumps(body).encode()))
        writer.close()

    return await asyncio.start_unix_server(serve, str(path))


def call(path: Path, work: Callable[[Rpc], Awaitable[object]], *answers: object) -> object:
    async def run() -> object:
        server = await answering(path, *answers)
        try:
            return await work(Rpc(path))
        finally:
            server.close()

    return asyncio.run(run())


# Commits as CometBFT shows them


@pytest.mark.parametrize("number", range(len(RECORDED["commits"])))
def test_a_real_commit_becomes_the_recorded_certificate_and_no_change_of_it_does(number: int, tmp_path: Path) -> None:
    recorded = RECORDED["commits"][number]
    header = Header.decode(bytes.fromhex(recorded["header"]))
    transactions = tuple(bytes.fromhex(raw) for raw in recorded["transactions"])
    shown = {"result": {"signed_header": recorded["shown"], "canonical": True}}
    decided = call(tmp_path / "s", lambda rpc: rpc.commit(header.height), shown)
    certificate = certificate_of(decided, header, transactions, VALIDATORS, signing.verify)  # type: ignore[arg-type]
    assert certificate.encode().hex() == recorded["certificate"]
    certificate.verify_commit(header, VALIDATORS)
    assert decode_certificate(bytes.fromhex(recorded["certificate"])) == certificate
    for name in recorded["shown"]["header"]:
        changed = json.loads(json.dumps(shown))
        fields = changed["result"]["signed_header"]["header"]
        other = {"version": {"block": "12"}, "time": "2026-01-01T00:00:00Z", "height": "9", "chain_id": "x"}
        fields[name] = other.get(
            name, {"hash": "", "parts": {"total": 9, "hash": ""}} if name == "last_block_id" else "AB"
        )
        if name == "data_hash":
            continue  # ours is made from the transactions; what CometBFT says of it is not used
        no_evidence = {"result": {"block": {"evidence": {"evidence": []}}}}
        found = call(tmp_path / "s", lambda rpc: rpc.commit(header.height), changed, no_evidence)
        with pytest.raises(BadCertificate):
            certificate_of(found, header, transactions, VALIDATORS, signing.verify)  # type: ignore[arg-type]
    with pytest.raises(BadCertificate):
        certificate_of(decided, header, (*transactions, b"x"), VALIDATORS, signing.verify)  # type: ignore[arg-type]
    with pytest.raises(BadCertificate):
        certificate.verify_commit(replace(header, state_root=bytes(32)), VALIDATORS)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        [],
        {"error": {"message": "height must be less than or equal to the head"}},
        {"result": {}},
        {"result": {"signed_header": {"header": {}, "commit": {}}}},
        {"result": {"signed_header": {**RECORDED["commits"][0]["shown"], "header": {"version": 7}}}},
        {"result": {"signed_header": {"header": RECORDED["commits"][0]["shown"]["header"], "commit": None}}},
        {"result": {"signed_header": {**RECORDED["commits"][0]["shown"], "commit": {**COMMIT, "round": -1}}}},
    ],
)
def test_an_answer_that_is_no_commit_is_trouble(answer: object, tmp_path: Path) -> None:
    with pytest.raises(RpcTrouble):
        call(tmp_path / "s", lambda rpc: rpc.commit(1), answer)


def test_the_double_votes_of_a_block_come_with_its_commit_and_other_evidence_is_left_out(tmp_path: Path) -> None:
    shown = json.loads(json.dumps(RECORDED["commits"][0]["shown"]))
    shown["header"]["evidence_hash"] = "AB" * 32
    votes = voted_twice(GENESIS.chain_id, SIGNER, 9, kind=VoteKind.PRECOMMIT, round=2)
    place = {"kind": VoteKind.PRECOMMIT, "height": 9, "round": 2}
    one, other = (vote_shown(half, SIGNER.public_key, **place) for half in votes)
    double = {"vote_a": one, "vote_b": other}
    held = [
        {"type": "tendermint/LightClientAttackEvidence", "value": {"conflicting_block": {}}},
        {"type": "tendermint/DuplicateVoteEvidence", "value": double},
        {"type": "tendermint/DuplicateVoteEvidence", "value": {**double, "vote_b": {**other, "round": 3}}},
        {"value": {"vote_a": {**one, "height": "0"}, "vote_b": {**other, "height": "0"}}},
        {"value": {"vote_a": {**one, "round": -1}, "vote_b": {**other, "round": -1}}},
    ]
    answers = ({"result": {"signed_header": shown}}, {"result": {"block": {"evidence": {"evidence": held}}}})
    decided = call(tmp_path / "s", lambda rpc: rpc.commit(7), *answers)
    assert isinstance(decided, Decided)
    address = address_of(SIGNER.public_key)
    assert decided.double_votes == (DoubleVote(address, 9, 2, VoteKind.PRECOMMIT, *votes),)
    plain = call(
        tmp_path / "s", lambda rpc: rpc.commit(7), {"result": {"signed_header": RECORDED["commits"][0]["shown"]}}
    )
    assert isinstance(plain, Decided)
    assert plain.double_votes == ()
    with pytest.raises(RpcTrouble):
        call(tmp_path / "s", lambda rpc: rpc.commit(7), answers[0], {"result": {"block": {}}})


def test_nobody_on_the_socket_is_trouble_too(tmp_path: Path) -> None:
    with pytest.raises(RpcTrouble, match="does not answer"):
        asyncio.run(Rpc(tmp_path / "nothing").peers())


def test_times_are_read_to_the_nanosecond_or_refused() -> None:
    assert moment("2023-11-14T22:13:20.000000001Z") == (1_700_000_000, 1)
    assert moment("2023-11-14T22:13:20.5Z") == (1_700_000_000, 500_000_000)
    assert moment("2023-11-14T22:13:20Z") == (1_700_000_000, 0)
    assert moment("1969-12-31T23:59:53.000000005Z") == (-7, 5)
    assert moment("0001-01-01T00:00:00Z") == (SECONDS_MIN, 0)
    assert moment("9999-12-31T23:59:59Z") == (SECONDS_MAX, 0)
    for text in ("2023-11-14T22:13:20+00:00", "2023-11-14T22:13:20.0000000001Z", "2023-11-14T22:13:20.-1Z", "now", ""):
        with pytest.raises(ValueError, match=r"time|now"):
            moment(text)


# The socket on which CometBFT asks


def test_answers_leave_in_the_order_of_the_questions_and_a_broken_frame_ends_the_connection(tmp_path: Path) -> None:
    asked: list[tuple[int, int, abci.Request]] = []

    async def run() -> None:
        server = AbciServer(tmp_path / "abci.sock", lambda *question: asked.append(question))
        await server.start()
        reader, writer = await asyncio.open_unix_connection(str(tmp_path / "abci.sock"))
        frames = abci.framed(b"\x1a\x00") + abci.framed(b"\x12\x00") + abci.framed(b"\x5a\x00")
        for byte in frames:
            writer.write(bytes([byte]))
            await writer.drain()
        while len(asked) < 3:
            await asyncio.sleep(0.001)
        (connection, first, _), (_, second, _), (_, third, _) = asked
        server.answer(connection, third, b"3")
        server.ask_again()
        for number, data in ((second, b"2"), (first, b"1")):
            server.answer(connection, number, data)
        assert await asyncio.wait_for(reader.readexactly(6), 5) == b"\x011\x012\x013"
        server.answer(connection, first, b"again")
        writer.write(b"\x02\xff\xff")
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()
        server.answer(connection, third + 1, b"nobody")
        await server.close()

    asyncio.run(run())
    assert [request for *_, request in asked[:3]] == [abci.Info(), abci.Flush(), abci.Commit()]
    assert [number for _, number, _ in asked] == [0, 1, 2, 0, 1]
    assert asked[3:] == asked[:2]  # what was not answered yet


# Files and binary


def home(folder: Path) -> Home:
    seeds = (bytes([1]) * 32, bytes([2]) * 32)
    return Home(folder / "engine", folder / "cometbft", GENESIS, "bank-a", ("127.0.0.1", 7), *seeds)


def test_the_files_name_our_chain_our_keys_and_our_validators_and_are_nobody_elses_to_read(tmp_path: Path) -> None:
    files.write(home(tmp_path))
    config = tmp_path / "engine" / "config"
    genesis = json.loads((config / "genesis.json").read_text())
    assert genesis["chain_id"] == comet_chain_id(GENESIS.chain_id)
    assert len(genesis["chain_id"]) == 43
    assert [row["address"] for row in genesis["validators"]] == [
        address_of(seat.key).hex().upper() for seat in GENESIS.validators.validators
    ]
    window = {"max_age_num_blocks": "100", "max_age_duration": "600000000000"}  # M21: ten minutes, in nanoseconds
    assert genesis["consensus_params"]["evidence"] == {**window, "max_bytes": "65536"}
    settings = tomllib.loads((config / "config.toml").read_text())
    assert settings["consensus"]["create_empty_blocks"] is False
    assert (settings["p2p"]["pex"], settings["filter_peers"]) == (False, True)
    key = json.loads((config / "priv_validator_key.json").read_text())
    assert key["address"] == address_of(Ed25519Signer(bytes([1]) * 32).public_key).hex().upper()
    assert {path.stat().st_mode & 0o077 for path in (tmp_path / "engine").rglob("*.json")} == {0}


def test_the_guard_against_signing_twice_is_made_once_and_never_again(tmp_path: Path) -> None:
    files.write(home(tmp_path))
    guard = tmp_path / "engine" / "data" / "priv_validator_state.json"
    guard.write_text('{"height": "9", "round": 0, "step": 3}')
    (tmp_path / "engine" / "rpc.sock").touch()
    files.write(home(tmp_path))
    assert json.loads(guard.read_text())["height"] == "9"
    assert not (tmp_path / "engine" / "rpc.sock").exists()  # CometBFT would not start where a killed one left it
    (tmp_path / "engine" / "data" / "blockstore.db").mkdir()
    guard.unlink()
    files.write(home(tmp_path))
    assert not guard.exists()  # data without its guard: CometBFT refuses to start, and so it should


def test_only_the_pinned_release_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigProblem, match=r"no cometbft on the PATH: `go install .*@v0\.38\.25`"):
        find_binary(None)
    program = tmp_path / "cometbft"
    with pytest.raises(ConfigProblem, match="is not there"):
        find_binary(program)
    program.write_bytes(b"ELF" + COMETBFT_BUILD.replace(b"v0.38.25", b"v0.38.24"))
    program.chmod(0o755)
    with pytest.raises(ConfigProblem, match=r"is not CometBFT v0\.38\.25 as released"):
        find_binary(None)
    program.write_bytes(b"ELF" + COMETBFT_BUILD)
    assert find_binary(None) == find_binary(program) == program
