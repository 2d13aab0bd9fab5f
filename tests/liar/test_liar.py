"""A lying node against everything that verifies; and verifiers that were broken on purpose, each found by a lie.

A share of the lies of ``make liar``.
"""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from coseal.audit import certified, decision, statement
from coseal.audit.bundle import _Bundle
from coseal.audit.sources import UrlSource
from coseal.client import decisions, dossiers, pages, reads, statements
from coseal.client import trade as client_trade
from coseal.client.stream import Blocks
from coseal.ledger import codec, render
from coseal.ledger.state import StateProof
from tests.liar.__main__ import lie, table
from tests.liar.judge import Judge, without_waiting
from tests.liar.questions import questions
from tests.liar.scene import scene_in


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    folder: Path = tmp_path_factory.mktemp("liar")
    with without_waiting(), scene_in(folder) as scene:
        yield Judge(scene, questions, quick=True)


def test_no_client_and_no_verifier_says_more_than_what_holds(judge: Judge) -> None:
    score = lie(judge, 1_500, seed=1)
    assert score.broken == []
    assert score.count > 1_400
    assert score.refused > score.harmless
    assert "verify bundle" in table(score)


@dataclass(frozen=True)
class Mutant:
    """A check that is left out: in a function of an owner, one text instead of another."""

    owner: Any
    function: str
    text: str
    instead: str
    question: str

    def __str__(self) -> str:
        return f"{self.function}: {self.text}"


MUTANTS = [
    Mutant(reads, "require_reached", "height < floor", "False", "state"),
    Mutant(reads, "require_reached", "height < floor", "False", "values"),
    Mutant(reads, "require_reached", "height < floor", "False", "history"),
    Mutant(reads, "require_reached", "height < floor", "False", "latest block"),
    Mutant(reads, "state", "certified.key != key.encode()", "False", "state"),
    Mutant(reads, "state", "certified.verify(verifier.genesis.chain_id, validators)", "pass", "state"),
    Mutant(reads, "values", "[one.key for one in found] != [key.encode() for key in keys]", "False", "values"),
    Mutant(reads, "receipt", "transaction.id != tx_id", "False", "receipt"),
    Mutant(reads, "block", 'height not in ("latest", str(found), found)', "False", "block"),
    Mutant(reads, "receipt", "except LedgerError as error", "except ZeroDivisionError as error", "receipt"),
    Mutant(Blocks, "_require_next", "header.height != height", "False", "stream"),
    Mutant(reads, "history", "!= place", "is None", "history"),
    Mutant(pages, "_page", "type(items) is not list", "False", "lists"),
    Mutant(codec, "fields", "name not in names", "False", "verify"),
    Mutant(render, "_require_rendering", "name not in rendered", "False", "verify"),
    Mutant(render, "_require_rendering", "not _same(value, rendered[name])", "False", "verify"),
    Mutant(
        StateProof,
        "verify",
        "found != (None if value is None else value_hash_of(value))",
        "False",
        "verify state-proof",
    ),
    Mutant(_Bundle, "found", "len(self.findings) != raised_of(count)", "False", "verify bundle"),
    Mutant(_Bundle, "recorded", "if wanted:", "if False:", "verify bundle"),
    Mutant(_Bundle, "_require_step", "step is None", "False", "verify bundle"),
    Mutant(_Bundle, "_value", "certified.header != self.header", "False", "verify bundle of a source"),
    Mutant(_Bundle, "held", "key != hold_key(*self.name)", "False", "verify bundle"),
    Mutant(decision, "_votes", "if value is None:", "if place.turn < 0:", "verify decision"),
    Mutant(certified, "value_of", "value.key != key.encode()", "False", "verify decision"),
    Mutant(
        certified,
        "value_of",
        "value.proof.verify(value.key, value.value, value.header.state_root)",
        "pass",
        "verify decision, only raw",
    ),
    Mutant(decisions, "_asked", "(shown.contract, shown.id) == (contract, ballot_id)", "True", "decision"),
    Mutant(statement, "verify_wallet_statement", "verify_statement(shown", "tuple, (shown", "verify wallet-statement"),
    Mutant(statements, "asked", "(shown.wallet, shown.period) == (wallet, period)", "True", "statement"),
    Mutant(certified, "value_of", "value.proof.verify", "(lambda *_: None)", "verify trade-proof"),
    Mutant(client_trade, "_asked", "shown.question == question", "True", "unregistered"),
    Mutant(certified, "value_of", "value.proof.verify", "(lambda *_: None)", "verify dossier"),
    Mutant(dossiers, "asked", "shown.question == question", "True", "dossier"),
    Mutant(UrlSource, "tip", "except LedgerError as error", "except ZeroDivisionError as error", "audit"),
]


def left_out(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """Replace the code of a mutant's function by that of its changed source; all references to it see the change."""
    function = inspect.unwrap(inspect.getattr_static(mutant.owner, mutant.function))
    plain = getattr(function, "__func__", function)
    source = textwrap.dedent(inspect.getsource(plain))
    assert mutant.text in source, "the mutant is of another version of the source"
    space: dict[str, Any] = {}
    changed = source.replace(mutant.text, mutant.instead, 1)
    exec(compile("from __future__ import annotations\n" + changed, mutant.function, "exec"), plain.__globals__, space)
    made = inspect.unwrap(space[mutant.function])
    monkeypatch.setattr(plain, "__code__", getattr(made, "__func__", made).__code__)


def is_misled(judge: Judge, question: str) -> bool:
    if question == "audit":
        return bool(judge.lie_to_auditor(100).broken)
    if not question.startswith("verify"):
        return judge.is_misled_about(question) or bool(judge.lie_about(question, 200).broken)
    name = question.removeprefix("verify").strip()
    chosen = {name: judge.documents[name]} if name else judge.documents
    return judge.is_misled_by(chosen) or bool(judge.lie_in(chosen, 200).broken)


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_check_that_is_left_out_is_found_by_a_lie(
    judge: Judge, mutant: Mutant, monkeypatch: pytest.MonkeyPatch
) -> None:
    left_out(mutant, monkeypatch)
    assert is_misled(judge, mutant.question)
