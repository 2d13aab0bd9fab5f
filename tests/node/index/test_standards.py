"""Rows about standards: they follow from receipts, say what the state says, and a recount of them gives the status."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from coseal.contracts.registry import LISTS
from coseal.contracts.standards.status import Share, Use, is_active, is_de_facto, is_user
from coseal.ledger.validators import ROLES
from coseal.node.index import lists
from coseal.node.index.index import Index
from tests.node.index.test_index import dump, opened, rebuilt
from tests.support.chain import Chain
from tests.support.genesis import ROLES as ROLE_OF
from tests.support.genesis import make_genesis
from tests.support.own_rules import DECIDED, HOUR_MS, NAMED, SMALL, own_rules
from tests.support.standards import LOANS, Competition, compete


@pytest.fixture(scope="module")
def scene() -> Competition:
    return compete(Chain(make_genesis(name="standards")))


@pytest.fixture
def index(tmp_path: Path, scene: Competition) -> Any:
    index = opened(tmp_path / "index.sqlite", scene.chain)
    index.start(len(scene.chain.blocks))
    assert index.wait(len(scene.chain.blocks), 20)
    yield index
    index.stop()


def listed(index: Index, name: str, **filters: str) -> Any:
    return asyncio.run(index.query(lists.page, LISTS[name], filters))[1].items


def test_rebuilding_equals_following_and_fills_every_table(tmp_path: Path, index: Index, scene: Competition) -> None:
    found = dump(index.path)
    for name in ("standards", "adoptions", "standard_use", "domain_use", "standard_status", "standard_disputes"):
        assert found[name], name
    assert found == rebuilt(tmp_path, scene.chain)


def test_versions_stand_as_the_state_has_them(index: Index, scene: Competition) -> None:
    found = {item["standard"]: item for item in listed(index, "standards")}
    assert {name: item["status"] for name, item in found.items()} == {
        "s": "ended",
        "f": "ended",
        "t": "proposed",
        "old": "lapsed",
    }
    for name, item in found.items():
        record, head = scene.standard(name), scene.chain.get(f"standards/head/{name}")
        assert (item["status"], item["adopters"]) == (record["status"], record["adopters"])
        assert (item["domain"], item["kind"], item["member"]) == (head["domain"], head["kind"], head["member"])
        assert (item["sunset_ms"], item["digest"]) == (record.get("sunset_ms"), record["digest"])
        assert item["recognised"] == record.get("recognition", {}).get("level", "")
    assert (found["f"]["title"], found["f"]["titles"]["zh"]) == ("A format", "格式")
    assert [item["standard"] for item in listed(index, "standards", domain="credit")] == ["s"]
    assert [item["standard"] for item in listed(index, "standards", status="lapsed")] == ["old"]


def test_adoptions_stand_as_the_state_has_them(index: Index, scene: Competition) -> None:
    found = listed(index, "adoptions")
    assert len(found) == 5
    for item in found:
        record = scene.adoption(item["standard"], item["member"])
        assert [item[name] for name in ("mode", "from_ms", "until_ms")] == [
            record[name] for name in ("mode", "from_ms", "until_ms")
        ]
    assert [item["member"] for item in listed(index, "adoptions", standard="t", mode="trial")] == ["city"]
    assert len(listed(index, "adoptions", standard="s", version="1")) == 3


def test_a_dispute_has_its_answer_and_its_ballot(index: Index, scene: Competition) -> None:
    (item,) = listed(index, "standard-disputes")
    record = scene.chain.get("standards/dispute/s/1/central-bank")
    assert (item["status"], item["answer"]) == (record["status"], "It is") == ("upheld", "It is")
    assert item["ballot"] == record["settled"][0]


def test_use_is_what_the_state_counts(index: Index, scene: Competition) -> None:
    by_member: dict[str, list[list[int]]] = {}
    for item in listed(index, "standard-use", standard="s"):
        row = [item["period"], item["items"], item["conforming"], item["undetermined"]]
        by_member.setdefault(item["member"], []).append(row)
    assert by_member == {member: scene.chain.get(f"standards/use/s/1/{member}") for member, _ in LOANS}


def test_a_recount_of_the_rows_gives_the_status_of_every_review(index: Index) -> None:
    """From rows alone, as anybody counts them who follows the chain: for the domain in which it was then."""
    found = dump(index.path)
    items: dict[str, dict[int, int]] = {}
    for domain, member, period, count, *_ in found["domain_use"]:
        if domain == "lending":
            items.setdefault(member, {})[period] = count
    use: dict[str, dict[int, Use]] = {}
    for item in listed(index, "standard-use", standard="s"):
        use.setdefault(item["member"], {})[item["period"]] = Use(item["items"], item["conforming"])
    before, statuses = False, []
    for review in listed(index, "standard-status", standard="s")[:5]:
        shares = {}
        for role in ROLES:
            active = [name for name in items if ROLE_OF[name] == role and is_active(items[name], review["period"])]
            users = [name for name in active if is_user(items[name], use.get(name, {}), review["period"])]
            shares[role] = Share(len(users), len(active))
        assert review["by_constituency"]["users"] == {role: share.users for role, share in shares.items()}
        assert review["by_constituency"]["active"] == {role: share.active for role, share in shares.items()}
        assert review["users"] == sum(share.users for share in shares.values())
        before = is_de_facto(before, shares, 7)
        statuses.append(review["status"])
        assert (review["status"] == "de_facto") is before
    assert statuses == ["in_use", "in_use", "in_use", "de_facto", "in_use"]


def test_figures_and_findings_of_own_rule_sets_follow_from_receipts(tmp_path: Path) -> None:
    own = own_rules(Chain(make_genesis(name="own-rules")))
    assert own.propose_rules(SMALL, DECIDED).ok
    for member in ("bank-a", "central-bank"):
        own.ok(member, "adopt", **NAMED)
    own.batch("bank-a", ("apply", "c", 500), ("apply", "d", 5), ("apply", "e", 5))
    own.batch("central-bank", ("apply", "c", 5))
    own.wait(2 * HOUR_MS)
    found = rebuilt(tmp_path, own.chain)
    use = {row[2]: list(row[4:7]) for row in found["standard_use"]}
    assert use == {member: own.figures(member) for member in ("bank-a", "central-bank")}
    assert use == {"bank-a": [3, 0, 0], "central-bank": [1, 0, 0]}
    judged = [row[5:] for row in found["own_findings"]]
    assert sorted(judged) == [
        *(("bank-a", "DECIDED", 1, "case", name, None, "violated") for name in "cde"),
        ("bank-a", "SMALL", 1, "case", "c", 1, "violated"),
        ("central-bank", "DECIDED", 1, "case", "c", None, "violated"),
    ]
