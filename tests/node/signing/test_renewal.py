"""Keys, certificates and rules that change while a node runs, and what it starts with afterwards."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from coseal.contracts.membership import actions as membership
from coseal.contracts.registry import CONTRACTS, RULES
from coseal.ledger.block import Receipt
from coseal.ledger.genesis import Genesis
from coseal.ledger.signing import key_preimage
from coseal.node import setup
from coseal.node.__main__ import main
from coseal.node.config import load
from coseal.node.exits import Exit
from coseal.node.http.services import Location
from coseal.node.runtime import Runtime
from coseal.node.signing import keys
from coseal.node.start import build
from tests.node.single import acted, make_node, signed
from tests.node.test_runtime import commit, run, started
from tests.node.transport.test_links import free_port


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield make_node(tmp_path, port=free_port())
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.02)


async def act(runtime: Runtime, folder: Path, name: str, /, **args: Any) -> Receipt:
    tx = acted(folder, name, **args)
    place = await commit(runtime, tx)
    assert isinstance(place, Location)
    committed = runtime.services.recent_block(place.height)
    assert committed is not None
    receipt = Receipt.decode(committed.receipts[place.index + 1])
    assert receipt.ok, receipt
    return receipt


def new_key(folder: Path, name: str = "consensus-next.pem") -> dict[str, str]:
    """Put a new consensus key in place; return the subject of the proposal that registers it."""
    keys.create_key(folder / "keys" / name, None)
    signer = keys.load_signer(folder / "keys" / name, None)
    chain_id = Genesis.decode((folder / "genesis.json").read_bytes()).chain_id
    proof = signer.sign(key_preimage(chain_id, "regulator", signer.public_key))
    return {"node": "regulator", "key": signer.public_key.hex(), "proof": proof.hex()}


def registered(runtime: Runtime) -> str:
    node = membership.node(runtime._machine.executor.reader, "regulator")
    assert node is not None
    return str(node["consensus_key"])


async def rotate(runtime: Runtime, folder: Path, subject: dict[str, str]) -> None:
    receipt = await act(runtime, folder, "governance.propose", id="key", kind="rotate_validator_key", subject=subject)
    assert receipt.data["status"] == "accepted"
    await until(lambda: registered(runtime) == subject["key"])


@pytest.mark.parametrize("in_place", ["before it starts", "while it runs"])
def test_a_lone_validator_goes_on_with_its_new_key_and_starts_with_it_again(folder: Path, in_place: str) -> None:
    subjects = [new_key(folder)] if in_place == "before it starts" else []

    async def first(runtime: Runtime) -> None:
        await started(runtime)
        await rotate(runtime, folder, (subjects or [new_key(folder)])[0])
        await commit(runtime, signed(folder))

    async def second(runtime: Runtime) -> None:
        await commit(runtime, signed(folder, "again"))

    assert run(folder, first) is Exit.STOPPED
    assert run(folder, second) is Exit.STOPPED
    made = folder / "keys"
    (made / "consensus-next.pem").rename(made / "consensus.pem")
    assert run(folder, second) is Exit.STOPPED


def test_a_key_that_comes_late_is_taken_up_when_it_is_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("coseal.node.runtime.PROGRESS_SECONDS", 0.1)

    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        subject = new_key(folder, "elsewhere.pem")
        receipt = await act(
            runtime, folder, "governance.propose", id="key", kind="rotate_validator_key", subject=subject
        )
        assert receipt.data["status"] == "accepted"
        await until(lambda: runtime._machine.missing_key is not None)
        await until(lambda: not runtime._machine.status(runtime._now_ms()).voting)
        silence = runtime._machine.status(runtime._now_ms()).silence
        assert silence is not None
        assert "consensus_key_next" in silence
        made = folder / "keys"
        shutil.copyfile(made / "consensus.pem", made / "consensus-next.pem")  # the wrong one changes nothing
        (made / "consensus-next.pem").chmod(0o600)
        await asyncio.sleep(0.3)
        assert runtime._machine.missing_key is not None
        (made / "elsewhere.pem").rename(made / "consensus-next.pem")
        await until(lambda: runtime._machine.missing_key is None)
        await commit(runtime, signed(folder))

    assert run(folder, scenario) is Exit.STOPPED


def test_a_node_does_not_start_with_another_key_than_the_chain_registers(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        await rotate(runtime, folder, new_key(folder))

    assert run(folder, scenario) is Exit.STOPPED
    (folder / "keys" / "consensus-next.pem").unlink()
    assert main(["run", "--data", str(folder)]) == Exit.USAGE
    assert "consensus.pem is not the key of regulator" in capfd.readouterr().err


def test_another_link_certificate_is_shown_once_the_chain_registers_it(folder: Path) -> None:
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        old, made = runtime._links.shown, folder / "keys"
        for name in ("link.pem", "link.crt"):
            (made / name).unlink()
        new = keys.create_certificate(made / "link.crt", keys.create_key(made / "link.pem", None), "regulator")
        await commit(runtime, signed(folder))
        assert runtime._links.shown == old
        await act(runtime, folder, "membership.rotate_link_certificate", node="regulator", certificate=new.hex())
        await until(lambda: runtime._links.shown == new)

    assert run(folder, scenario) is Exit.STOPPED


def test_a_node_whose_certificate_is_not_the_registered_one_says_so_and_starts(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (folder / "keys" / "link.crt").unlink()
    keys.create_certificate(folder / "keys" / "link.crt", keys.load_private_key(folder / "keys" / "link.pem"), "x")
    runtime = build(folder, load(folder))
    runtime._storage.close()
    assert "is not the certificate that the chain registers" in capfd.readouterr().out + capfd.readouterr().err


def test_a_node_that_its_state_does_not_know_yet_starts_and_follows(folder: Path, tmp_path: Path) -> None:
    """It has keys of its own, and the genesis of the others; here nobody is there to follow."""
    other = tmp_path / "other"
    setup.create_keys(other, "newcomer")
    shutil.copyfile(folder / "genesis.json", other / "genesis.json")
    (other / "node.toml").write_text(f'node_id = "newcomer"\nlink_listen = "127.0.0.1:{free_port()}"\n')
    setup.create_journal(other)

    async def scenario(runtime: Runtime) -> None:
        await asyncio.sleep(0.2)
        status = runtime._machine.status(runtime._now_ms())
        assert (status.kind, status.voting, status.height) == ("unregistered", False, 0)
        assert status.why_stalled is not None
        assert "not registered" in status.why_stalled

    assert run(other, scenario) is Exit.STOPPED


def test_a_node_that_the_chain_removed_does_not_start(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    public = setup.create_keys(folder.parent / "second", "second")

    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        certificate, key = public["link_certificate"], public["consensus_key"]
        await act(
            runtime, folder, "membership.add_node", node="second", link_certificate=certificate, consensus_key=key
        )
        assert [pin.node for pin in runtime._machine.pins] == ["regulator", "second"]
        await act(runtime, folder, "membership.remove_node", node="second")
        await runtime.services.wait_height(4, 5)

    assert run(folder, scenario) is Exit.STOPPED
    config = (folder / "node.toml").read_text().replace('"regulator"', '"second"')
    (folder / "node.toml").write_text(config)
    assert main(["run", "--data", str(folder)]) == Exit.USAGE
    assert "second was removed from the chain" in capfd.readouterr().err


def test_a_node_ends_before_rules_it_lacks_and_does_not_start_again(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async def scenario(runtime: Runtime) -> None:
        await started(runtime)
        machine = runtime._machine
        machine.executor._rules = {**RULES, 2: CONTRACTS}
        await until(lambda: "software" in own(runtime))  # it says by itself what it has
        height = runtime.services.height + 4
        subject = {"version": 2, "height": height}
        receipt = await act(runtime, folder, "governance.propose", id="rules", kind="protocol_version", subject=subject)
        assert receipt.data["software"] == {"having": ["regulator"], "lacking": [], "needed": 1}
        while runtime.services.height < height - 2:
            await runtime.services.submit([signed(folder, str(runtime.services.height))])
            await asyncio.sleep(0.05)
        machine.executor._rules = RULES  # as if an older release had been installed, too late to say so
        status = machine.status(runtime._now_ms())
        assert status.upgrade is not None
        assert (status.upgrade.first_height, status.upgrade.known) == (height, False)
        await runtime.services.submit([signed(folder, "last")])

    assert run(folder, scenario, stop=False) is Exit.RELEASE
    assert main(["run", "--data", str(folder)]) == Exit.RELEASE
    assert "needs protocol version 2, this software knows 1" in capfd.readouterr().err


def own(runtime: Runtime) -> dict[str, Any]:
    node = membership.node(runtime._machine.executor.reader, "regulator")
    assert node is not None
    return node
