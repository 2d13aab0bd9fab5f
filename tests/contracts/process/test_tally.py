"""Tallies in the state: what adds up, what does not, corrections, many members; rules that read them."""

import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coseal.contracts.process.chain import item_hash
from coseal.contracts.process.state import further_tally_key, tally_key
from coseal.contracts.process.tallies import declared_tallies
from coseal.contracts.process.tally import (
    EMPTY,
    MAX_ADDED,
    MAX_CORRECTIONS,
    MAX_MEMBERS,
    MAX_SUM,
    Tally,
    after,
    exact,
    figure,
    matched,
    read_tally,
    sides,
    with_member,
    write_tally,
)
from coseal.contracts.process.types import DEFINE_TYPE, definition_hash, normalised

ORDERS = json.loads((Path(__file__).parents[3] / "examples/rules/orders.type.json").read_text("utf-8"))
LINE = ("order_line", "enterprise-a/A1/1")
BUYER, SELLER = "enterprise-a", "bank-a"
TIME = "2023-11-01T00:00:00Z"
DECLARED = declared_tallies(normalised(ORDERS))["order_line"]


def event(name, kind, *, line=LINE, counterparty=None, corrects=None, **attributes):
    item = {"event": name, "type": kind, "time": TIME, "objects": [list(line)], "attributes": attributes}
    extra = {"counterparty": counterparty, "corrects": corrects}
    return item | {key: value for key, value in extra.items() if value is not None}


def placed(name="o1", quantity="100", amount="100.00", **more):
    unit = {"unit": "KGM", "currency": "CNY"}
    return event(
        name, "Order line placed", quantity=quantity, net_amount=amount, counterparty=SELLER, **{**unit, **more}
    )


def received(name="r1", accepted="90", **more):
    return event(name, "Goods received", accepted=accepted, counterparty=SELLER, **{"unit": "KGM", **more})


def invoiced(name="i1", quantity="90", amount="90.00", **more):
    unit = {"unit": "KGM", "currency": "CNY"}
    return event(
        name, "Invoice line issued", quantity=quantity, net_amount=amount, counterparty=BUYER, **{**unit, **more}
    )


@pytest.fixture
def orders(chain):
    assert chain.submit("enterprise-a/admin", "process.define_type", **ORDERS).ok
    for member in ("enterprise-a", "bank-a", "public-a"):
        args = {"id": "erp", "process_type": "orders", "mode": "historical"}
        assert chain.submit(f"{member}/admin", "process.register_source", **args).ok
    return chain


def record(chain, member, sequence, *items, **extra):
    receipt = chain.submit(
        f"{member}/admin", "process.record", source="erp", sequence=sequence, items=list(items), **extra
    )
    assert receipt.ok, receipt
    return receipt


def tally_of(chain, line=LINE):
    return read_tally(chain.executor.reader, "orders", *line)


def match_of(chain, line=LINE):
    return matched(DECLARED, tally_of(chain, line), BUYER, SELLER)


# Definitions


def test_a_definition_without_tallies_keeps_its_hash():
    plain = {key: value for key, value in ORDERS.items() if key not in ("tallies", "match")}
    assert set(normalised(plain)) == set(normalised(ORDERS)) - {"tallies", "match"}
    assert definition_hash(normalised({**plain, "tallies": {}, "match": {}})) == definition_hash(normalised(plain))


def test_every_default_of_a_tally_is_written_out():
    full = normalised(ORDERS)
    assert full["tallies"]["order_line"]["receipts"] == [{"on": "Goods received", "add": 1, "scale": 0, "sign": 1}]
    assert full["match"]["order_line"]["price_ppm"] == 0


@pytest.mark.parametrize(
    ("tallies", "words"),
    [
        ({"nothing": {"a": [{"on": "Goods received", "add": 1}]}}, "'nothing' is no object type"),
        ({"order_line": {"a": [{"on": "Nothing", "add": 1}]}}, "'Nothing' is no event type"),
        ({"order_line": {"a": [{"on": "Goods received", "add": "unit"}]}}, "integer, scaled, decimal"),
        ({"order_line": {"a": [{"on": "Goods received", "add": "none"}]}}, "integer, scaled, decimal"),
        ({"order_line": {"a": [{"on": "Goods received", "add": 1}] * 2}}, "stands twice"),
        (
            {"order_line": {"a": [{"on": "Goods received", "add": 1}, {"on": "Goods returned", "add": 1, "scale": 1}]}},
            r"a\[1\].scale: expected 0",
        ),
        ({"order_line": {"a": []}}, "a list of 1 to 16 items"),
        ({"order_line": {f"a{n}": [{"on": "Goods received", "add": 1}] for n in range(17)}}, "at most 16 entries"),
        ({"order_line": {"a": [{"on": "Goods received", "add": 0}]}}, "an integer of 1 to 1000"),
        ({"order_line": {"a": [{"on": "Goods received", "add": 1, "sign": 0}]}}, "1 or -1"),
    ],
)
def test_a_tally_names_only_what_its_type_has(tallies, words):
    refused = DEFINE_TYPE.arguments.check({**ORDERS, "tallies": tallies, "match": {}})
    assert refused is not None
    assert refused.code == "invalid_argument"
    assert re.search(words, refused.detail)


@pytest.mark.parametrize(
    ("match", "words"),
    [
        ({"invoice": {}}, "has no tally 'ordered'"),
        ({"order_line": {"unit": "none"}}, "order_line.unit: no event type has an attribute 'none'"),
        ({"order_line": {"mode": {"attribute": "quantity"}}}, "order_line.mode.attribute"),
        ({"order_line": {"mode": {"default": "four_way"}}}, "one of three_way_after"),
        ({"order_line": {"quantity_ppm": 1_000_001}}, "from 0 to 1000000"),
    ],
)
def test_matching_needs_its_tallies_and_attributes(match, words):
    refused = DEFINE_TYPE.arguments.check({**ORDERS, "match": match})
    assert refused is not None
    assert words in refused.detail


def test_amounts_are_counted_in_fen_and_quantities_in_one_scale():
    for name, words in (("ordered_amount", "needs scale 2"), ("received", "need one scale")):
        tallies = json.loads(json.dumps(ORDERS["tallies"]))
        for term in tallies["order_line"][name]:
            term["scale"] = 4
        refused = DEFINE_TYPE.arguments.check({**ORDERS, "tallies": tallies})
        assert refused is not None
        assert words in refused.detail


def test_a_later_version_adds_tallies_and_changes_none(orders):
    more = {**ORDERS["tallies"], "order": {"confirmed": [{"on": "Order confirmed", "add": 1}]}}
    assert orders.submit("enterprise-a/admin", "process.define_type", **{**ORDERS, "version": 2, "tallies": more}).ok
    receipt = orders.submit("enterprise-a/admin", "process.define_type", **{**ORDERS, "version": 3})
    assert receipt.code == "tally_changed"
    assert "args.tallies.order.confirmed" in receipt.detail


# Sums


def test_what_is_recorded_adds_up_by_member_and_over_all(orders):
    record(orders, BUYER, 1, placed(), received(), received("r2", "5.5"))
    record(orders, "public-a", 1, received("x"))
    tally = tally_of(orders)
    assert tally.members[BUYER][:3] == [None, "KGM", "CNY"]
    assert tally.members[BUYER][3]["received"] == [95_500, 2, 0]
    assert tally.members["public-a"][3]["received"] == [90_000, 1, 0]
    assert (tally.total("received"), tally.total("receipts")) == (185_500, 3)
    assert tally.rest == {}


def test_an_item_of_another_object_or_type_leaves_no_tally(orders):
    record(orders, BUYER, 1, event("c", "Order confirmed", note="x"), {"object": LINE[1], "type": LINE[0]})
    assert orders.get(tally_key("orders", *LINE)) is None


def test_batches_cut_anywhere_give_the_same(orders, make_chain):
    items = [placed(), received(), received("r2", "3"), event("b", "Goods returned", quantity="1", unit="KGM")]
    record(orders, BUYER, 1, *items)
    other = make_chain()
    assert other.submit("enterprise-a/admin", "process.define_type", **ORDERS).ok
    args = {"id": "erp", "process_type": "orders", "mode": "historical"}
    assert other.submit("enterprise-a/admin", "process.register_source", **args).ok
    for number, item in enumerate(items, 1):
        record(other, BUYER, number, item)
    assert other.get(tally_key("orders", *LINE)) == orders.get(tally_key("orders", *LINE))


@pytest.mark.parametrize(
    ("value", "own", "scale", "expected"),
    [
        ("1.5", -1, 3, 1_500),
        ("-0.001", -1, 3, -1),
        ("1.0005", -1, 3, None),
        ("1.5000", -1, 3, 1_500),
        ("1e3", -1, 2, 100_000),
        ("15e-1", -1, 1, 15),
        ("1e-5", -1, 3, None),
        ("0e999999999", -1, 0, 0),
        ("1e999999999", -1, 0, None),
        ("1e-999999999", -1, 0, None),
        ("0.00", -1, 0, 0),
        ("000123", -1, 0, 123),
        (str(MAX_ADDED), -1, 0, MAX_ADDED),
        (str(MAX_ADDED + 1), -1, 0, None),
        ("9" * 64, -1, 18, None),
        (7, -1, 3, None),
        (7, 0, 3, 7_000),
        (750, 2, 1, 75),
        (755, 2, 1, None),
        (-750, 2, 1, -75),
        ("7", 0, 3, None),
        (True, 0, 0, None),
    ],
)
def test_a_value_adds_exactly_or_not_at_all(value, own, scale, expected):
    assert exact(value, own, scale) == expected


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9),
    st.integers(0, 8),
)
def test_exact_agrees_with_decimals(value, scale):
    scaled = value.scaleb(scale)
    expected = int(scaled) if scaled == scaled.to_integral_value() and abs(scaled) <= MAX_ADDED else None
    assert exact(format(value, "f"), -1, scale) == expected
    assert exact(f"{value:e}".replace("e+", "e"), -1, scale) == expected or "." not in f"{value:e}"


def test_what_does_not_add_exactly_is_counted_and_taints_only_its_member(orders):
    record(orders, BUYER, 1, placed(), received(accepted="1.0005"))
    record(orders, "public-a", 1, received("x", "1.5"))
    tally = tally_of(orders)
    assert tally.members[BUYER][3]["received"] == [0, 0, 1]
    assert figure(tally.members[BUYER][3], "received") is None
    assert figure(tally.members["public-a"][3], "received") == 1_500
    assert match_of(orders).verdict == "undetermined"
    assert match_of(orders).reasons == ("inexact",)


def test_another_unit_or_currency_is_not_added(orders):
    record(orders, BUYER, 1, placed(), received(unit="C62"), placed("o2", "1", "1.00", currency="EUR"))
    figures = tally_of(orders).members[BUYER][3]
    assert figures["received"] == [0, 0, 1]
    assert figures["ordered"] == [101_000, 2, 0]
    assert figures["ordered_amount"] == [10_000, 1, 1]


def test_a_third_party_changes_neither_unit_nor_figures_of_the_parties(orders):
    record(orders, "public-a", 1, placed("x", "7", "7.00", unit="C62", currency="EUR", match_mode="none"))
    record(orders, BUYER, 1, placed(), received(accepted="100"))
    record(orders, SELLER, 1, invoiced(quantity="100", amount="100.00"))
    assert match_of(orders).verdict == "matched"
    assert match_of(orders).payable_amount == 10_000


def test_units_of_the_parties_that_differ_leave_it_undetermined(orders):
    record(orders, BUYER, 1, placed(), received())
    record(orders, SELLER, 1, invoiced(unit="C62"))
    assert match_of(orders).reasons == ("unit",)


def test_an_unknown_mode_leaves_it_undetermined(orders):
    record(orders, BUYER, 1, placed(match_mode="sometimes"), received())
    record(orders, SELLER, 1, invoiced())
    assert match_of(orders).reasons == ("unknown_mode",)


def test_a_sum_beyond_all_bounds_is_lost_for_good():
    item = placed(quantity=str(MAX_ADDED // 1_000))
    huge = {"ordered": [MAX_SUM - 1, 9, 0]}
    tally = Tally({BUYER: [None, "KGM", "CNY", huge, 0, []]}, {}, {})
    tally = after(DECLARED, tally, f"{BUYER}/erp", 1, item, None)
    assert tally.members[BUYER][3]["ordered"] == [None, 10, 0]
    tally = after(DECLARED, tally, f"{BUYER}/erp", 2, event("c", "Order line cancelled", quantity="1"), None)
    assert tally.members[BUYER][3]["ordered"][0] is None
    assert matched(DECLARED, tally, BUYER, SELLER).verdict == "undetermined"


def test_a_ninth_member_has_a_key_of_its_own():
    rows = {f"m{number}": [None, None, None, {"receipts": [1, 1, 0]}, 0, []] for number in range(MAX_MEMBERS)}
    key = tally_key("orders", *LINE)
    tally = Tally(rows, {}, {})
    written = {}
    view = type("Written", (), {"put": lambda self, name, found: written.__setitem__(name, found)})()
    changed = after(DECLARED, tally, "ninth/erp", 1, received(), None)
    write_tally(view, tally, changed, "orders", *LINE)
    assert set(written) == {key, further_tally_key("ninth", "orders", *LINE)}
    assert list(written[key][0]) == list(rows)
    assert written[key][1]["receipts"] == [1, 1, 0]
    again = with_member(type("Read", (), {"get": lambda self, name: written[name]})(), tally, "ninth", "orders", *LINE)
    again = after(DECLARED, again._replace(rest=written[key][1]), "ninth/erp", 2, received("r2", "1"), None)
    assert again.rest["receipts"] == [2, 2, 0]
    assert again.rest["received"] == [91_000, 2, 0]
    assert (again.total("receipts"), again.row("ninth")[3]["receipts"]) == (10, [2, 2, 0])


# Corrections


def correct(chain, member, sequence, target, shown, item, **extra):
    hashed = item_hash(f"{member}/erp", target, shown).hex()
    return record(chain, member, sequence, {**item, "corrects": [target, hashed]}, corrected=[shown], **extra)


def test_an_item_corrected_away_leaves_the_tally(orders):
    wrong = received(accepted="900")
    record(orders, BUYER, 1, placed(), wrong)
    correct(orders, BUYER, 3, 2, wrong, received("r2", "90"))
    row = tally_of(orders).members[BUYER]
    assert (row[3]["received"], row[3]["receipts"], row[4], row[5]) == ([90_000, 1, 0], [1, 1, 0], 1, [["erp", 2]])
    assert tally_of(orders).total("received") == 90_000


def test_a_correction_in_the_same_batch_takes_out_what_it_corrects(orders):
    wrong = received(accepted="900")
    hashed = item_hash(f"{BUYER}/erp", 2, wrong).hex()
    record(orders, BUYER, 1, placed(), wrong, {**received("r2", "90"), "corrects": [2, hashed]})
    assert tally_of(orders).members[BUYER][3]["received"] == [90_000, 1, 0]


def test_a_correction_that_names_another_line_moves_what_it_says(orders):
    other = ("order_line", "enterprise-a/A1/2")
    wrong = received()
    record(orders, BUYER, 1, placed(), wrong)
    correct(orders, BUYER, 3, 2, wrong, received("r2") | {"objects": [list(other)]})
    assert tally_of(orders).members[BUYER][3]["received"] == [0, 0, 0]
    assert tally_of(orders, other).members[BUYER][3]["received"] == [90_000, 1, 0]


def test_what_was_not_exact_is_taken_out_as_well(orders):
    wrong = received(accepted="1.0005")
    record(orders, BUYER, 1, placed(), wrong)
    correct(orders, BUYER, 3, 2, wrong, received("r2", "1.5"))
    assert tally_of(orders).members[BUYER][3]["received"] == [1_500, 1, 0]


def test_a_correction_of_a_correction_counts_the_newest(orders):
    first = received(accepted="900")
    record(orders, BUYER, 1, placed(), first)
    second = received("r2", "90")
    correct(orders, BUYER, 3, 2, first, second)
    second |= {"corrects": [2, item_hash(f"{BUYER}/erp", 2, first).hex()]}
    correct(orders, BUYER, 4, 3, second, received("r3", "91"))
    assert tally_of(orders).members[BUYER][3]["received"] == [91_000, 1, 0]


def test_what_was_taken_out_is_not_taken_out_again(orders):
    first = received(accepted="900")
    record(orders, BUYER, 1, placed(), first)
    correct(orders, BUYER, 3, 2, first, received("r2", "90"))
    correct(orders, BUYER, 4, 2, first, received("r3", "91"))
    assert tally_of(orders).members[BUYER][3]["received"] == [90_000, 1, 1]
    assert match_of(orders).verdict == "undetermined"


def test_a_correction_of_what_was_never_added_makes_nothing_good(orders):
    record(orders, BUYER, 1, placed())
    record(orders, BUYER, 2, event("n", "Order confirmed"))
    correct(orders, BUYER, 3, 2, received("never", "10"), received("r2", "90"))
    assert tally_of(orders).members[BUYER][3]["received"] == [0, 0, 1]


def test_more_corrections_than_are_kept_leave_it_undetermined():
    tally, item = after(DECLARED, EMPTY, f"{BUYER}/erp", 1, placed(), None), received(accepted="1")
    for number in range(MAX_CORRECTIONS + 1):
        tally = after(DECLARED, tally, f"{BUYER}/erp", 10 + number, item, None)
    for number in range(MAX_CORRECTIONS + 1):
        tally = after(DECLARED, tally, f"{BUYER}/erp", 100 + number, None, (10 + number, item))
        exact_so_far = figure(tally.members[BUYER][3], "received")
        assert (exact_so_far is None) == (number == MAX_CORRECTIONS)
    assert len(tally.members[BUYER][5]) == MAX_CORRECTIONS


def test_a_first_event_that_is_corrected_away_fixes_no_unit(orders):
    wrong = placed(unit="C62")
    record(orders, BUYER, 1, wrong)
    correct(orders, BUYER, 2, 1, wrong, placed("o2"))
    row = tally_of(orders).members[BUYER]
    assert row[1] == "KGM"
    assert row[3]["ordered"] == [100_000, 1, 0]


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_the_tally_is_the_sum_over_the_corrected_items(data):
    """Against plain decimals over the items that stand."""
    tally, items, standing = EMPTY, {}, {}
    for sequence in range(1, data.draw(st.integers(1, 14)) + 1):
        member = data.draw(st.sampled_from(["a", "b"]))
        quantity = data.draw(st.sampled_from(["1", "2.5", "0.125", "-3", "1e1"]))
        item = received(f"r{sequence}", quantity)
        targets = sorted(key for key in standing if key[0] == member)
        corrected = None
        if targets and data.draw(st.booleans()):
            target = data.draw(st.sampled_from(targets))
            corrected = (target[1], items[target])
            del standing[target]
        tally = after(DECLARED, tally, f"{member}/erp", sequence, item, corrected)
        items[member, sequence] = item
        standing[member, sequence] = Decimal(quantity)
    for member in ("a", "b"):
        found = [value for key, value in standing.items() if key[0] == member]
        assert figure(tally.row(member)[3], "received") == int(sum(found) * 1_000)
    assert tally.total("received") == int(sum(standing.values()) * 1_000)
    assert tally.total("receipts") == len(standing)


# Rules


def test_who_despatches_sells_though_nothing_is_invoiced_yet():
    tally = after(DECLARED, EMPTY, f"{BUYER}/erp", 1, placed(), None)
    assert sides(DECLARED, tally, "Goods despatched", SELLER, BUYER) == (BUYER, SELLER)
    assert sides(DECLARED, tally, "Invoice cleared", BUYER, SELLER) == (BUYER, SELLER)
    assert sides(DECLARED, tally, "Goods received", "public-a", SELLER) == ("public-a", SELLER)
    assert sides(DECLARED, EMPTY, "Invoice line issued", SELLER, BUYER) == (BUYER, SELLER)


def test_rules_in_force_see_the_tallies_after_the_event(orders):
    rules = json.loads((Path(__file__).parents[3] / "examples/rules/trade-match.json").read_text("utf-8"))
    receipt = orders.submit("enterprise-a/admin", "supervision.propose_rules", rules=rules)
    assert receipt.ok, receipt
    for member in ("regulator", "central-bank", "bank-a"):
        orders.submit(f"{member}/admin", "supervision.vote", ballot=receipt.data["ballot"], choice="yes")
    record(orders, BUYER, 1, placed(), received())
    record(orders, SELLER, 1, invoiced(quantity="100", amount="100.00"))
    cleared = event("c1", "Invoice cleared", counterparty=SELLER)
    found = record(orders, BUYER, 3, cleared).data["findings"]
    assert [one["rule"] for one in found] == ["TM-MATCHED"]
    record(orders, SELLER, 2, event("k", "Invoice line credited", quantity="10", net_amount="10.00"))
    assert "findings" not in record(orders, BUYER, 4, {**cleared, "event": "c2"}).data
