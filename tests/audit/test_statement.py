"""The statement of a wallet: made of a real chain by an auditor, verified, and spoilt in every part."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from coseal.audit.report import Verdict
from coseal.audit.statement import STEP_NAMES
from coseal.audit.verify import Verification, verify_bytes
from coseal.cli.archived_statements import statement_from
from coseal.contracts.currency.ledger import ISSUANCE, Movement, month_of, month_start_ms, next_month
from coseal.contracts.currency.statement import Period, movement_from_json, movement_json
from coseal.errors import BadAnswer, CosealError
from coseal.ledger.proof import CertifiedValue
from coseal.ledger.render import proven_value_from_json, proven_value_json
from tests.audit.conftest import ListSource
from tests.support.currency import DAY_MS, Money, funded, payment

EA, EB, KEYED = "bank-a/ea", "bank-b/eb", "bank-a/keyed"
NOVEMBER, DECEMBER, FEBRUARY = 202311, 202312, 202402


@pytest.fixture(scope="module")
def scene() -> Money:
    """Payments in November, a pending one that expires in December, and payments in February; none in January."""
    money = funded()
    money.ok("enterprise-a", "pay", **payment(EA, EB, 100, about=["t", "case", "1"], reference="r", end_to_end="e"))
    money.ok("enterprise-a", "pay", **payment(EA, KEYED, 50))
    args = {"expires_ms": money.chain.now_ms + 20 * DAY_MS, "release": {}}
    money.ok("enterprise-a", "pend", **payment(EA, EB, 70), **args)
    money.wait(21 * DAY_MS)
    money.wait(70 * DAY_MS)
    money.ok("enterprise-a", "pay", **payment(EA, EB, 7))
    money.ok("bank-a", "redeem", amount=500)
    return money


def made(scene: Money, name: str, first: int | None = None, last: int | None = None) -> dict[str, Any]:
    source = ListSource(scene.chain.blocks)
    return json.loads(json.dumps(statement_from([source], scene.chain.genesis, name, Period(first, last))))


@pytest.fixture(scope="module")
def whole(scene: Money) -> dict[str, Any]:
    return made(scene, EA)


def verify(scene: Money, document: Any) -> Verification:
    return verify_bytes(json.dumps(document).encode(), scene.chain.genesis)


def test_all_movements_of_a_wallet_are_proven_to_be_all(scene: Money, whole: dict[str, Any]) -> None:
    found = verify(scene, whole)
    assert (found.verdict, found.kind) == (Verdict.OK, "wallet-statement"), found.reason
    assert tuple(step.name for step in found.steps) == STEP_NAMES
    facts = found.facts
    assert (facts["movements"], facts["opening"], facts["closing"]) == (6, "0.00", "398.43")
    assert (facts["credited"], facts["debited"], facts["holder"]) == ("400.00", "1.57", "member:enterprise-a")
    assert [row["kind"] for row in whole["movements"]] == ["posted", "posted", "posted", "pending", "void", "posted"]
    assert "these 6 movements are all of bank-a/ea, from the beginning, up to block" in found.reason
    json.dumps(found.to_json())


@pytest.mark.parametrize(
    ("first", "last", "count", "opening", "closing"),
    [
        (NOVEMBER, NOVEMBER, 4, "0.00", "398.50"),
        (DECEMBER, DECEMBER, 1, "398.50", "398.50"),
        (202401, 202401, 0, "398.50", "398.50"),
        (202401, None, 1, "398.50", "398.43"),
        (None, 202401, 5, "0.00", "398.50"),
        (FEBRUARY, 202512, 1, "398.50", "398.43"),
        (202601, 202612, 0, "398.43", "398.43"),
        (202201, 202212, 0, "0.00", "0.00"),
    ],
)
def test_a_statement_of_months_begins_and_ends_where_they_do(
    scene: Money, first: int | None, last: int | None, count: int, opening: str, closing: str
) -> None:
    found = verify(scene, made(scene, EA, first, last))
    assert found.ok, found.reason
    assert [found.facts[name] for name in ("movements", "opening", "closing")] == [count, opening, closing]


def test_every_wallet_and_the_issuance_have_statements(scene: Money) -> None:
    for name in (EB, KEYED, "bank-a/vault", "bank-b/hosted", ISSUANCE):
        found = verify(scene, made(scene, name))
        assert found.ok, (name, found.reason)
    assert found.facts["closing"] == "-1000.00"
    assert found.facts["incoming"] == "5.00"  # of a redemption that is not settled yet


def test_a_wallet_that_is_not_there_has_no_statement(scene: Money) -> None:
    with pytest.raises(CosealError, match="there is no wallet bank-a/nobody"):
        made(scene, "bank-a/nobody")


def test_before_there_is_money_the_issuance_is_proven_to_have_done_nothing(scene: Money) -> None:
    source = ListSource(scene.chain.blocks[:1])
    document = statement_from([source], scene.chain.genesis, ISSUANCE, Period())
    found = verify(scene, json.loads(json.dumps(document)))
    assert found.verdict is Verdict.OK, found.reason
    assert (found.facts["movements"], found.facts["closing"]) == (0, "0.00")


def test_no_statement_is_made_of_a_chain_that_does_not_verify(scene: Money) -> None:
    source = ListSource([*scene.chain.blocks[:9], *scene.chain.blocks[10:]])
    with pytest.raises(BadAnswer, match="the chain does not verify"):
        statement_from([source], scene.chain.genesis, EA, Period())


def _swap(rows: list[Any]) -> None:
    rows[1], rows[2] = rows[2], rows[1]


def _change(field: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(document: dict[str, Any]) -> None:
        row = movement_from_json(document["movements"][1])
        document["movements"][1] = movement_json(Movement(**{**row._asdict(), field: value}))

    return change


SPOILT: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a line removed": (lambda it: it["movements"].pop(2), "5 movements are shown, 6 were made"),
    "the first line removed": (lambda it: it["movements"].pop(0), "5 movements are shown, 6 were made"),
    "the last line removed": (lambda it: it["movements"].pop(), "5 movements are shown, 6 were made"),
    "two lines exchanged": (lambda it: _swap(it["movements"]), "does not come after"),
    "a line twice": (lambda it: it["movements"].insert(1, it["movements"][1]), "7 movements are shown, 6 were made"),
    "an amount": (_change("amount", 101), "are not those made"),
    "a reference": (_change("reference", "s"), "are not those made"),
    "a purpose": (_change("code", "TAXS"), "are not those made"),
    "a time": (_change("time_ms", 1), "are not those made"),
    "another wallet's line": (_change("debit", EB), "is not of bank-a/ea"),
    "a hash": (lambda it: it["movements"][0].update(hash="00" * 32), "does not have the hash"),
    "an amount beside its hash": (lambda it: it["movements"][0].update(amount=1), "does not have the hash"),
    "an amount that is true": (lambda it: it["movements"][0].update(amount=True), "expected an integer"),
    "a field less in a line": (lambda it: it["movements"][0].pop("about"), "expected the fields"),
    "a field more in a line": (lambda it: it["movements"][0].update(more=1), "expected the fields"),
    "a field more": (lambda it: it.update(more=1), "expected the fields"),
    "a balance": (lambda it: it["record"]["value"].__setitem__(0, "member:bank-a"), "differs from what the raw form"),
    "another wallet's name": (lambda it: it.update(wallet=EB), "is shown in the place of"),
    "a month that is not asked for": (lambda it: it["opening"].append(it["record"]), "has no such end"),
    "a month of no year": (lambda it: it.update(first=202313), "there is no such month"),
    "an end before its beginning": (lambda it: it.update(first=202312, last=202311), "expected no month before"),
    "a later beginning": (lambda it: it.update(first=202312), "are neither shown nor proven absent"),
    "an earlier end": (lambda it: it.update(last=202311), "are neither shown nor proven absent"),
}


@pytest.mark.parametrize("how", SPOILT)
def test_whatever_is_left_out_or_changed_is_named(scene: Money, whole: dict[str, Any], how: str) -> None:
    document = deepcopy(whole)
    spoil, named = SPOILT[how]
    spoil(document)
    found = verify(scene, document)
    assert (found.verdict, found.exit_code) == (Verdict.BAD, 1)
    assert named in found.reason


def test_an_end_of_a_statement_cannot_be_another_month(scene: Money) -> None:
    """December's totals in the place of November's would hide November's movements."""
    november, december = made(scene, EA, NOVEMBER), made(scene, EA, DECEMBER)
    found = verify(scene, {**november, "opening": december["opening"], "movements": december["movements"]})
    assert found.verdict is Verdict.BAD
    assert "currency/month/bank-a/ea/202312 is shown in the place of currency/month/bank-a/ea/202311" in found.reason
    january = made(scene, EA, 202401, 202401)
    assert [value["present"] for value in january["opening"]] == [False, True]
    found = verify(scene, {**january, "opening": january["opening"][:1]})
    assert "the totals of bank-a/ea before 2024-02 are neither shown nor proven absent" in found.reason
    found = verify(scene, {**january, "opening": [*january["opening"], january["opening"][0]]})
    assert "beyond the one that has the wallet's totals" in found.reason


def test_movements_of_another_month_are_no_part_of_a_statement(scene: Money) -> None:
    november, both = made(scene, EA, NOVEMBER, NOVEMBER), made(scene, EA, NOVEMBER, DECEMBER)
    found = verify(scene, {**november, "closing": both["closing"], "movements": both["movements"]})
    assert found.verdict is Verdict.BAD


def test_a_total_that_is_changed_in_its_raw_form_does_not_lead_to_the_certified_state(
    scene: Money, whole: dict[str, Any]
) -> None:
    tip = scene.chain.blocks[-1]
    one = proven_value_from_json(whole["record"], tip.block.header, tip.certificate)
    for value in (scene.chain.state.get(b"currency/wallet/bank-b/eb"), None):
        changed = CertifiedValue(one.key, value, one.proof, one.header, one.certificate)
        found = verify(scene, {**whole, "record": proven_value_json(changed)})
        assert found.verdict is Verdict.BAD
        assert found.steps[-1].name == "balances"


def test_a_month_begins_at_the_first_millisecond_that_is_its_own() -> None:
    month = 196912
    for _ in range(3_000):
        month = next_month(month)
        at = month_start_ms(month)
        before = (at - 1 + 8 * 3_600_000) // DAY_MS
        assert month_of(before + 1) == month
        assert month_of(before) < month
        assert next_month(month_of(before)) == month
