"""The scenario's part about credit: formulas, and facts contested, answered, corrected, deleted."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.credit.facts import KEPT_MONTHS
from coseal.contracts.credit.formulas import PROPOSALS
from coseal.contracts.credit.state import month_key
from coseal.contracts.supervision.terms import term_ms
from tests.vectors.recorded.governed import Proposals
from tests.vectors.recorded.scenario import DAY_MS, Scenario

SUBJECT: Final = PROPOSALS["credit_formula"].example
DEBTOR: Final = "enterprise-a"
MONTH_MS: Final = 31 * DAY_MS


def ballots(scenario: Scenario) -> None:
    """Adopt a formula."""
    formulas = Proposals(scenario, "credit_formula")
    formulas.no("wrong_version", {"formula": {**SUBJECT["formula"], "version": 2}})
    formulas.every_end({**SUBJECT})
    scenario.wait(1)


def run(scenario: Scenario, months: list[int]) -> None:
    """Run this part, on the facts that trade left in these months; it ends when they are deleted."""
    facts = [
        {"month": month, "kind": kind, "entry": 1}
        for month in months
        for kind in scenario.get(month_key(DEBTOR, month)) or ()
    ]
    first, second, third = facts[:3]
    said: dict[str, Any] = {"reason": "It was another", "evidence": ["ab" * 32]}
    scenario.no("unknown_fact", DEBTOR, "credit.contest", **{**first, "entry": 999}, **said)
    scenario.no("invalid_argument", DEBTOR, "credit.contest", **{**first, "entry": 0}, **said)
    for fact in (first, second, third):
        scenario.ok(DEBTOR, "credit.contest", **fact, **said)
    scenario.no("wrong_step", DEBTOR, "credit.contest", **first, **said)
    scenario.no("not_a_fact", DEBTOR, "credit.contest", **{**first, "entry": _taken_out(scenario, first)}, **said)
    answer = {**first, "member": DEBTOR, "outcome": "upheld", **said}
    scenario.no("own_case", "regulator", "credit.answer", **{**answer, "member": "regulator"})
    scenario.no("forbidden", "bank-a", "credit.answer", **answer)
    scenario.ok("regulator", "credit.answer", **answer)
    scenario.ok("regulator", "credit.answer", **{**answer, **second, "outcome": "refused"})
    becomes = {"kind": "settled_on_time", "amount": 1, "days": 0}
    correct = {**first, "member": DEBTOR, "becomes": becomes, "reason": "It was one fen"}
    scenario.no("wrong_step", "regulator", "credit.correct", **{**correct, **second})
    scenario.ok("regulator", "credit.correct", **correct)
    scenario.wait(term_ms(scenario.chain.executor, "answer") + DAY_MS)
    scenario.ok("regulator", "credit.answer", **{**answer, **third})
    consult = {"member": DEBTOR, "purpose": "A loan", "legal_basis": "external: consent"}
    scenario.no("same_party", DEBTOR, "credit.consult", **consult)
    scenario.no("unknown_member", "bank-a", "credit.consult", **{**consult, "member": "nobody"})
    scenario.ok("bank-a", "credit.consult", **consult)
    scenario.wait((KEPT_MONTHS + 2) * MONTH_MS)


def _taken_out(scenario: Scenario, fact: dict[str, Any]) -> int:
    """Return the entry that takes a contested fact out: the last of its list."""
    figure = scenario.get(f"credit/fact/{DEBTOR}/{fact['month']}/{fact['kind']}")
    return int(figure[3])
