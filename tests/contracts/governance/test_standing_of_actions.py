"""What a suspended and a former member may send, and what no measure pauses: by the tables of the contracts."""

from __future__ import annotations

from coseal.contracts.kernel.action import FORMER, GOOD, STANDINGS, SUSPENDED
from coseal.contracts.registry import CONTRACTS
from docs.site import actions as reference

ACTIONS = {f"{c.name}.{name}": action for c in CONTRACTS.values() for name, action in c.actions.items()}
MONEY = {
    "currency.close_wallet",
    "currency.pay",
    "currency.pay_batch",
    "currency.post_pending",
    "currency.redeem",
    "trade.pay_recourse",
    "trade.repay",
    "trade.settle",
}
"""A standing never touches money, but a measure may pause moving it."""
FORMER_MAY = MONEY | {
    "credit.contest",
    "currency.keep_key",
    "currency.void_pending",
    "membership.rotate_operator_key",
    "supervision.appeal",
    "supervision.contest_hold",
    "supervision.respond",
    "trade.answer",
    "trade.claim_recourse",
    "trade.resolve",
    "trade.set_wallet",
}
SUSPENDED_MAY = FORMER_MAY | {
    "evidence.report",
    "governance.appeal",
    "governance.leave",
    "governance.stay",
    "membership.add_operator",
    "membership.declare_software",
    "membership.ready",
    "membership.remove_node",
    "membership.remove_operator",
    "membership.rotate_link_certificate",
    "process.attest",
    "process.record",
    "standards.answer",
    "standards.end_adoption",
    "supervision.ask",
}
NEVER_PAUSED = {
    "credit.contest",
    "currency.keep_key",
    "currency.settle_redeem",
    "currency.void_pending",
    "process.attest",
    "process.record",
    "standards.answer",
    "standards.end_adoption",
    "supervision.appeal",
    "supervision.ask",
    "supervision.contest_hold",
    "supervision.respond",
    "trade.answer",
    "trade.claim_recourse",
    "trade.resolve",
    "trade.set_wallet",
}


def test_a_suspended_member_keeps_its_facts_and_answers_and_a_former_one_its_answers():
    assert {name for name, action in ACTIONS.items() if action.standing == FORMER} == FORMER_MAY
    assert {name for name, action in ACTIONS.items() if action.standing in (FORMER, SUSPENDED)} == SUSPENDED_MAY
    assert {action.standing for action in ACTIONS.values()} == {FORMER, SUSPENDED, GOOD} == set(STANDINGS)


def test_nobody_is_kept_from_facts_answers_and_governing_by_a_pause():
    always = {name for name in ACTIONS if name.partition(".")[0] in ("governance", "membership", "evidence")}
    assert {name for name, action in ACTIONS.items() if not action.pausable} == always | NEVER_PAUSED


def test_whoever_may_send_it_with_less_standing_is_never_paused():
    assert [name for name in SUSPENDED_MAY - MONEY if ACTIONS[name].pausable] == []


def test_the_reference_of_actions_lists_them():
    page = reference.page()
    table = page[page.index("## Standing") : page.index("## membership")]
    rows = {
        cells[1].strip(" `"): [cell.strip() for cell in cells[2:5]]
        for cells in map(_cells, table.splitlines())
        if cells
    }
    for name, action in ACTIONS.items():
        said = ["yes" if each else "" for each in (name in SUSPENDED_MAY, name in FORMER_MAY, not action.pausable)]
        assert rows.get(name, ["", "", ""]) == said


def _cells(line):
    return line.split("|") if line.startswith("| `") else []
