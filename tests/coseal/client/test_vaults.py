"""A vault is dealt, compared and armed through clients; wrong keys are refused with the reason, and nothing is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest

from coseal.client.asynchronous import AsyncClient
from coseal.client.custodian import Answer
from coseal.client.vaults import Vaults
from coseal.errors import BadAnswer, CosealError, Refused
from coseal.ledger import sealed
from coseal.ledger.sealed import Envelopes, Purpose
from coseal.sealing import dealing
from coseal.sealing.envelopes import SealingKey
from coseal.sealing.secrets import Secrets
from tests.support.deciding import Deciding
from tests.support.disclosure import SUBJECT
from tests.support.keys import signer

OWNER, SEATS = "bank-a", tuple(SUBJECT["seats"])


class Scene(Deciding):
    """The chain of a node with the usual plan, and what its members do through clients; blocks are the node's."""

    contract = "disclosure"

    def __init__(self, node: Any, folder: Path) -> None:
        self.chain, self.node, self.folder = node.chain, node, folder
        self.decide("custody_plan", **SUBJECT)
        self.chain.extend([])

    def secrets(self, member: str) -> Secrets:
        return Secrets(self.folder / member / "sealing")

    def vaults(self, member: str) -> Vaults[Any, Answer]:
        return self.node.client(member).vaults(self.secrets(member))

    def keys(self, *members: str, use: str = "custody") -> None:
        for member in members:
            self.vaults(member).set_sealing_key(use).require_ok()

    def open(self, **more: Any) -> Any:
        ends_ms = self.chain.executor.time_ms + 100 * 86_400_000
        return self.vaults(OWNER).open_vault("loans", "usual", "loan", ends_ms=ends_ms, **more)


@pytest.fixture
def scene(node: Any, tmp_path: Path) -> Scene:
    return Scene(node, tmp_path)


def test_custodians_compare_their_keys_and_the_vault_is_armed(scene: Scene) -> None:
    scene.keys(*SEATS)
    assert scene.open(pad=8).require_ok().data["status"] == "dealt"
    found = [scene.vaults(member).accept_seat(OWNER, "loans") for member in SEATS]
    assert [(one.seat, one.refused, one.status) for one in found] == [
        (0, "", "dealt"),
        (1, "", "dealt"),
        (2, "", "armed"),
    ]
    kept = scene.secrets(OWNER).vault("loans")
    for seat, member in enumerate(SEATS):
        others = tuple(key for number, key in enumerate(kept.keys) if number != seat)
        assert scene.secrets(member).seat(OWNER, "loans").keys == others
    with pytest.raises(BadAnswer, match="nothing to answer"):
        scene.vaults(SEATS[0]).accept_seat(OWNER, "loans")


def test_a_key_that_is_not_the_one_committed_to_is_refused_with_the_reason(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.keys(*SEATS)
    honest = dealing.commitments

    def lie(vault: bytes, keys: Any) -> list[bytes]:
        return [*honest(vault, keys)[:2], b"x" * 32]

    monkeypatch.setattr(dealing, "commitments", lie)
    scene.open().require_ok()
    found = scene.vaults(SEATS[0]).accept_seat(OWNER, "loans")
    assert (found.refused, found.status) == ("Key 2 is not the one committed to", "refused")
    assert found.committed.transaction.args["reason"] == found.refused
    assert not scene.secrets(SEATS[0]).has_seat(OWNER, "loans")


@pytest.mark.parametrize(
    ("deal", "reason"),
    [
        (lambda made, other: Envelopes(b"v" * 32, made.envelopes), "no envelopes of this vault"),
        (lambda made, other: Envelopes(made.about, made.envelopes[1:]), "0 envelopes for institute-a"),
        (lambda made, other: Envelopes(made.about, other(made, b"k" * 64, 9)), "version 9 of a key of which 1 is the"),
        (lambda made, other: Envelopes(made.about, other(made, b"k" * 32, 1)), "has 1 keys, the seat has 2"),
        (lambda made, other: Envelopes(made.about, other(made, b"k" * 33, 1)), "33 bytes"),
        (lambda made, other: Envelopes(made.about, other(made, b"k" * 64, 1)), "Keys 1, 2 are not those"),
    ],
)
def test_an_envelope_of_a_liar_is_refused(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, deal: Any, reason: str
) -> None:
    scene.keys(*SEATS)
    honest, chain, member = dealing.deal, scene.node.genesis.chain_id, SEATS[0]
    public = scene.secrets(member).sealing_keys("custody")[1].public

    def other(made: Envelopes, text: bytes, version: int) -> Any:
        from coseal.sealing.envelopes import seal

        info = sealed.envelope_info(chain, Purpose.DEALING, made.about, member, "custody", version)
        changed = sealed.Envelope(member, version, seal(public, text, info))
        return tuple(changed if one.member == member else one for one in made.envelopes)

    monkeypatch.setattr(dealing, "deal", lambda *given: deal(honest(*given), other))
    scene.open().require_ok()
    found = scene.vaults(member).accept_seat(OWNER, "loans")
    assert reason in found.refused
    assert found.committed.transaction.action == "refuse_seat"


def test_nothing_is_answered_for_what_this_side_lacks(scene: Scene) -> None:
    scene.keys(*SEATS)
    scene.open().require_ok()
    scene.secrets(SEATS[0]).folder.rename(scene.folder / "elsewhere")
    with pytest.raises(CosealError, match="no private key of version 1"):
        scene.vaults(SEATS[0]).accept_seat(OWNER, "loans")
    scene.node.sidecars.clear()
    with pytest.raises(Refused, match="unknown_sidecar"):
        scene.vaults(SEATS[1]).accept_seat(OWNER, "loans")
    assert scene.chain.get("disclosure/vault/bank-a/loans")["seats"] == [[member, "dealt"] for member in SEATS]


def test_keys_that_an_interrupted_run_kept_are_those_that_are_published(scene: Scene) -> None:
    scene.secrets(SEATS[0]).save_sealing_key("custody", 1, SealingKey(b"k" * 32))
    scene.keys(*SEATS)
    assert scene.chain.get(f"disclosure/key/{SEATS[0]}/custody/1")["key"] == SealingKey(b"k" * 32).public
    with pytest.raises(Refused):
        scene.open(pad=17)  # refused after its keys were kept
    kept = scene.secrets(OWNER).vault("loans").keys
    scene.open().require_ok()
    assert scene.secrets(OWNER).vault("loans").keys == kept
    with pytest.raises(Refused, match="exists"):
        scene.open()


def test_a_custodian_without_a_key_is_named_before_anything_is_sent(scene: Scene) -> None:
    scene.keys(SEATS[0])
    posted = len(scene.node.posted)
    with pytest.raises(Refused, match=f"no_key: no key for custody of {', '.join(SEATS[1:])}"):
        scene.open()
    with pytest.raises(Refused, match="no_plan"):
        scene.vaults(OWNER).open_vault("loans", "none", "loan")
    assert len(scene.node.posted) == posted
    assert not scene.secrets(OWNER).has_vault("loans")


def test_a_vault_dealt_again_has_a_substitute_for_who_refused(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.keys(*SEATS, *SUBJECT["substitutes"])
    with monkeypatch.context() as patched:
        patched.setattr(dealing, "commitments", lambda vault, keys: [b"x" * 32 for _ in keys])
        scene.open().require_ok()
    assert scene.vaults(SEATS[0]).accept_seat(OWNER, "loans").status == "refused"
    ends_ms = scene.chain.executor.time_ms + 86_400_000
    again = scene.vaults(OWNER).open_vault("loans-2", "usual", "loan", ends_ms=ends_ms, again="loans").require_ok()
    seats = [member for member, _ in again.data["seats"]]
    assert seats == ["central-bank", *SEATS[1:]]
    assert [scene.vaults(member).accept_seat(OWNER, "loans-2").refused for member in seats] == ["", "", ""]


def test_readers_are_granted_the_key_of_a_version(scene: Scene) -> None:
    scene.keys(*SEATS)
    scene.keys("city", "regulator", use="reader")
    scene.open().require_ok()
    vaults = scene.vaults(OWNER)
    assert vaults.define_audience("loans", "readers", ["city", "regulator"]).require_ok().data["version"] == 1
    granted = vaults.grant("loans", "readers").require_ok()
    sidecar = sealed.decode_sidecar(scene.node.sidecars[granted.data["envelopes"]])
    assert isinstance(sidecar, Envelopes)
    chain, kept = scene.node.genesis.chain_id, scene.secrets(OWNER).vault("loans")
    for envelope in sidecar.envelopes:
        key = scene.secrets(envelope.member).sealing_keys("reader")[1]
        about = sealed.audience_id(kept.hash, "readers", 1)
        info = sealed.envelope_info(chain, Purpose.AUDIENCE, about, envelope.member, "reader", 1)
        assert key.open(envelope.content, info) == kept.audiences["readers"][1]
    vaults.define_audience("loans", "readers", ["city"]).require_ok()
    assert vaults.grant("loans", "readers").require_ok().data["version"] == 2
    assert vaults.grant("loans", "readers", version=1, to=["city"]).ok
    keys = scene.secrets(OWNER).vault("loans").audiences["readers"]
    assert keys[1] != keys[2]
    with pytest.raises(Refused, match="unknown_audience"):
        vaults.grant("loans", "readers", version=3)
    assert vaults.close_vault("loans").require_ok().data["status"] == "destroyed"


def test_the_asynchronous_client_does_the_same(scene: Scene) -> None:
    scene.keys(*SEATS)
    scene.open().require_ok()

    async def accept() -> Answer:
        sender = f"{SEATS[0]}/admin"
        transport = httpx.MockTransport(scene.node.handle_request)
        more = {"signer": signer(sender), "sender": sender, "token": "t", "transport": transport}
        async with AsyncClient("http://node.test", scene.node.genesis, **more) as client:  # type: ignore[arg-type]
            return await client.vaults(scene.secrets(SEATS[0])).accept_seat(OWNER, "loans")

    assert asyncio.run(accept()).refused == ""
