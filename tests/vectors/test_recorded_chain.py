"""The recorded chain is executed as it was recorded, and has everything in it that the contracts know."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coseal.contracts import block_events as feed
from coseal.contracts.evidence.actions import PHASES
from coseal.contracts.registry import CONTRACTS, KEYS, KINDS
from coseal.contracts.rows.tables import CORE, LEFT_OUT, TABLES
from coseal.contracts.rules.rule import BODIES, EFFECTS
from coseal.ledger.genesis import Genesis
from coseal.ledger.transaction import Transaction
from tests.support.others import TALLIES
from tests.support.prepared import NEVER
from tests.support.specifications import FOLDER, codes_in, section, specification
from tests.support.state_keys import families_of
from tests.vectors.recorded.chain import FILE, whole
from tests.vectors.recorded.replay import Replay, first_difference, offered_in, read

HINT = "if that is meant, run `make vectors` and commit it"
FEW_KEYS = "its effect writes a few keys: nothing makes it too costly"
CODES_WITHOUT_A_BLOCK = {
    ("membership", "too_many_operators"): "a member with 1,000 operators",
    ("governance", "too_many_members"): "a chain with 1,000 members",
    ("governance", "too_many_contracts"): "a chain with 32 contracts of others",
    ("governance", "too_many_measures"): "a chain with 64 measures in force",
    ("currency", "limit"): "1,000 open pending debits of one wallet, or 4·10^18 fen in circulation",
    ("currency", "needs_central_bank"): "a ballot; it is the code of a void one, in its outcome",
    ("trade", "not_a_bank"): "a genesis that gives an enterprise the capability treasury",
    ("credit", "wrong_version"): "a ballot; governance refuses its proposal by this code",
    ("disclosure", "limit"): "17 audiences of a vault, 17 grants of one version, or 17 requests for one sidecar",
    ("disclosure", "bad_plan"): "a ballot; governance refuses its proposal by this code",
    ("certification", "not_in_force"): "a ballot; governance refuses its proposal by this code",
    ("certification", "unknown_certificate"): "a ballot; governance refuses its proposal by this code",
    ("certification", "wrong_body"): "a ballot; governance refuses its proposal by this code",
    ("frame", "not_on_this_engine"): "an action that names a sidecar, on a chain ordered by CometBFT",
    ("governance", "last_government"): "a chain with one government member, which runs no validator",
}
"""Codes that the chain does not have, each with what it would need."""
ENDS_WITHOUT_A_BLOCK = {
    **{("governance", kind, "failed"): FEW_KEYS for kind in KINDS},
    ("supervision", "retire", "failed"): FEW_KEYS,
    ("supervision", "terms", "failed"): FEW_KEYS,
}
"""Ends of ballots that the chain does not have."""
FAMILIES_WITHOUT_A_BLOCK = {
    "standards/period": "a genesis whose periods have another length than 30 days",
    "trade/open": "a genesis whose netting runs are shorter than an hour",
    "standards/deadline/page/<slot>/<page>/<clock>": "65 standards that are proposed in one block",
    "currency/deadline/page/<slot>/<page>/<clock>": "65 pending transfers that end at one time",
    "trade/deadline/page/<slot>/<page>/<clock>": "65 receivables that are due at one time",
    "credit/deadline/page/<slot>/<page>/<clock>": "65 members with facts in one month",
    "disclosure/deadline/page/<slot>/<page>/<clock>": "65 vaults that are dealt in one block",
    "certification/deadline/page/<slot>/<page>/<clock>": "65 projects that are applied for in one block",
    "participation/deadline/page/<slot>/<page>/<clock>": "65 consultations that close at one time",
    "mission/deadline/page/<slot>/<page>/<clock>": "65 reports that are due at one time",
    "governance/deadline/page/<slot>/<page>/<clock>": "65 open proposals that end at one time, of 17 members or more",
    "process/tally_of/<member>/<process type>/<object type>/<object>": "nine members that record of one object",
}
"""Families of keys that the chain does not write, each with what it would need."""
SUPERVISED_KINDS = ("rules", "adopt", "retire", "terms")
DUE = {
    *(("governance", kind) for kind in ("ballot", "seat", "presence", "retime", "suspension", "notice", "measure")),
    *(("supervision", kind) for kind in ("finding", "question", "hold", "ballot", "object", "passed", "clock")),
    ("supervision", "show finding"),
    ("supervision", "show hold"),
    *(("currency", kind) for kind in ("pending", "rekey", "decided")),
    *(("trade", kind) for kind in ("lapse", "due", "dispute", "run")),
    *(("disclosure", kind) for kind in ("accept", "erase", "plan", "policy", "request", "review")),
    *(("credit", kind) for kind in ("answer", "formula", "forget")),
    *(("certification", kind) for kind in ("lapse", "scheme", "step", "expire", "certificate")),
    *(("participation", kind) for kind in ("close", "answer")),
    *(("mission", kind) for kind in ("opened", "opened_indicator", "evaluation", "report", "answer")),
    *(("standards", kind) for kind in ("domain", "review", "lapse", "sunset", "answer", "settled", "moved", "own")),
}
"""Everything that falls due; ``passed`` goes by the clock of a historical source."""


@pytest.fixture(scope="module")
def lines():
    return read((Path(__file__).parent / FILE).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def genesis(lines):
    return Genesis.decode(lines[0]["genesis"].encode())


@pytest.fixture(scope="module")
def replay(genesis):
    return Replay(genesis)


@pytest.fixture(scope="module")
def replayed(replay, lines):
    return list(replay.lines(offered_in(lines)))


@pytest.fixture(scope="module")
def acts(lines):
    return [line for line in lines if "tx" in line]


def begun(lines):
    return [line["begun"]["data"] for line in lines if "data" in line.get("begun", ())]


def test_what_was_recorded_comes_out_as_it_was_recorded(lines, replayed):
    difference = first_difference(lines, replayed)
    assert not difference, f"the recorded chain differs; {HINT}: {difference}"


def test_the_scenario_offers_to_the_chain_what_was_recorded(lines, genesis):
    scenario = whole()
    assert scenario.chain.genesis.raw == genesis.raw
    for number, (before, after) in enumerate(zip(offered_in(lines), scenario.offered, strict=True)):
        assert before == after, f"block {number} of the scenario differs; {HINT}"


def test_a_difference_is_named_by_its_place(lines):
    at = next(index for index, line in enumerate(lines) if line.get("code") == "exists")
    changed = [*lines[:at], {**lines[at], "code": "ok"}, *lines[at + 1 :]]
    said = first_difference(lines, changed)
    assert f"block {lines[at]['block']}, transaction {lines[at]['position']} ({lines[at]['action']}" in said
    assert 'expected "exists"\n  found    "ok"' in said
    assert first_difference(lines, lines) == ""
    assert "lines expected" in first_difference(lines, lines[:-1])


def test_every_action_is_accepted(acts):
    known = {f"{contract.name}.{action}" for contract in CONTRACTS.values() for action in contract.actions}
    known.add("tally.add")
    known -= NEVER
    assert {line["action"] for line in acts if line["code"] == "ok"} == known


def documented_codes():
    """Yield (contract or ``frame``, code)."""
    frame = (FOLDER / "contracts.md").read_text(encoding="utf-8")
    budget = (FOLDER / "budget.md").read_text(encoding="utf-8")
    for text in (section(frame, "Rejection: what fails inside a block"), section(budget, "Refusals")):
        yield from (("frame", code) for code in codes_in(text))
    yield from (("membership", code) for code in codes_in(section(specification("membership"), "Rules"), 2))
    for name in CONTRACTS:
        if name != "membership":
            yield from ((name, code) for code in codes_in(section(specification(name), "Refusals")))


def test_every_documented_refusal_occurs(acts):
    found = {(line["action"].partition(".")[0], line["code"]) for line in acts}
    found |= {("frame", code) for _, code in found}
    found |= {("supervision", code) for name, code in found if name == "process"}  # what rules refuse
    found |= {("disclosure", code) for name, code in found if name == "process"}  # what cannot be sealed
    documented = set(documented_codes())
    assert len(documented) > 100
    assert documented - found == set(CODES_WITHOUT_A_BLOCK)


def test_every_reason_occurs_for_which_a_transaction_is_never_in_a_block(lines):
    frame = (FOLDER / "contracts.md").read_text(encoding="utf-8")
    documented = codes_in(section(frame, "Validity: what is never in a block"), 2)
    refused = {line["refused"] for line in lines if "refused" in line}
    assert refused == documented | {"invalid_block", "diverged"}
    assert len(documented) == 6


def test_every_finding_on_a_policy_occurs(acts):
    recorded = [line["data"] for line in acts if line["action"] == "policy.record" and line["code"] == "ok"]
    found = {code for data in recorded for _, code in data["findings"]}
    assert found == codes_in(section(specification("policy"), "Findings"))


def test_every_kind_of_ballot_comes_to_every_end(acts, lines):
    ends = set()
    for line in acts:
        contract, _, action = line["action"].partition(".")
        if (
            contract not in ("standards", "trade")
            and action in ("vote", "propose", "withdraw")
            and line["code"] == "ok"
        ):
            ends.add((contract, line["data"]["kind"], line["data"]["status"]))
    for data in begun(lines):
        ends |= {("governance", one["kind"], one["status"]) for one in data.get("governance", {}).get("closed", ())}
        ends |= {("supervision", one["kind"], one["status"]) for one in data.get("supervision", {}).get("ballots", ())}
    assert {"passed", "withdrawn"} <= {end[2] for end in ends if end[0] == "governance"}
    ends = {end for end in ends if end[2] not in ("open", "passed", "withdrawn")}
    known = {
        ("governance", kind, status)
        for kind in KINDS
        for status in ("accepted", "rejected", "expired", "void", "failed")
    }
    known |= {
        ("supervision", kind, status)
        for kind in SUPERVISED_KINDS
        for status in ("accepted", "rejected", "expired", "failed")
    }
    assert known - ends == set(ENDS_WITHOUT_A_BLOCK)
    assert ends <= known


def test_every_key_is_of_one_documented_family_and_every_family_is_written(replay, replayed):
    families = {**KEYS, **{family: kept for contract in TALLIES.values() for family, kept in contract.keys.items()}}
    found = families_of(replay.chain.written, families)
    assert {key: names for key, names in found.items() if len(names) != 1} == {}
    assert set(families) - {names[0] for names in found.values()} == set(FAMILIES_WITHOUT_A_BLOCK)


def test_everything_that_falls_due_does(replay, replayed):
    assert replay.fired == DUE
    assert {name for name, _ in DUE} == {contract.name for contract in CONTRACTS.values() if contract.fire is not None}


def test_everything_that_a_block_can_begin_with_occurs(lines):
    found = begun(lines)
    supervised = [data["supervision"] for data in found if "supervision" in data]
    contracts = {"membership", "governance", "supervision", "standards", "currency", "trade", "credit", "certification"}
    contracts |= {"disclosure", "mission", "participation"}
    assert {name for data in found for name in data} == {*contracts, "system"}
    assert {name for data in found for name in data.get("standards", ())} == {
        *("domains", "reviews", "lapsed", "ended", "missed", "overdue", "settled", "moved")
    }
    assert {name for data in supervised for name in data} == {
        *("findings", "shadow", "overdue", "closed", "holds", "ballots")
    }
    assert {late["what"] for data in supervised for late in data.get("overdue", ())} == {
        "finding",
        "question",
        "contest",
    }
    assert {hold["status"] for data in supervised for hold in data.get("holds", ())} == {
        "expired",
        "lifted",
        "unanswered",
    }
    assert {name for data in found for name in data.get("governance", ())} == {
        *("closed", "contracts", "ended", "left", "protocol_version", "reinstated", "stepped_down")
    }
    admitted = [entry for data in found for entry in data.get("governance", {}).get("contracts", ())]
    assert [(entry["version"], entry["in_force"]) for entry in admitted] == [(1, False), (1, True), (2, True)]
    codes = {entry["code"] for data in found for entry in data.get("system", {}).get("aside", ())}
    assert codes == {"too_costly"}


def test_rules_of_every_kind_and_effect_find_something(acts, lines):
    proposals = [line for line in acts if line["action"] == "supervision.propose_rules" and line["code"] == "ok"]
    rules = [rule for line in proposals for rule in Transaction.decode(bytes.fromhex(line["tx"])).args["rules"]]
    results = [line.get("data", {}) for line in acts] + [data.get("supervision", {}) for data in begun(lines)]
    found = {view["rule"] for data in results for view in data.get("findings", ()) if "rule" in view}
    found |= {rule["id"] for rule in rules if any(f"violates {rule['id']} " in line.get("detail", "") for line in acts)}
    assert {rule["kind"] for rule in rules if rule["id"] in found} == set(BODIES)
    assert {rule.get("effect", "flag") for rule in rules if rule["id"] in found} == set(EFFECTS)
    assert "system:hold" in found


def test_a_proof_of_every_phase_is_on_record(acts):
    reports = [line["data"] for line in acts if line["action"] == "evidence.report" and line["code"] == "ok"]
    assert {data["phase"] for data in reports} == set(PHASES)


def test_every_table_has_rows(lines):
    rows = [line for line in lines if "rows" in line]
    assert {line["table"] for line in rows if not line["count"]} == {LEFT_OUT.name}
    assert {line["table"] for line in rows if line["rows"] == "detailed"} == {table.name for table in TABLES}
    assert {line["table"] for line in rows if line["rows"] == "node"} == {table.name for table in CORE}


def test_long_data_is_the_exception(acts):
    assert sum("data_hash" in line for line in acts) <= 3
    assert all(re.fullmatch("[0-9a-f]{64}", line["data_hash"]) for line in acts if "data_hash" in line)


def test_the_feed_has_events_of_every_kind(replay, replayed):
    assert replay.event_kinds == set(feed.KINDS)
