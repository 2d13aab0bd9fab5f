"""Small data for the pages to show: a few policies, a process, and something refused. Add what your page needs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coseal import keys, policies
from coseal.client import Client
from coseal.demo_supervision import handover, handover_type

NOTICE = {
    "id": "notice/2026-1",
    "title": "Notice on process data <b>not markup</b>",
    "type_document": "notice",
    "date_document": "2026-01-05",
    "passed_by": ["regulator", "central-bank"],
    "is_about": ["process data"],
}


MEASURES = {
    **{name: NOTICE[name] for name in ("type_document", "date_document", "is_about")},
    "id": "notice/2026-2",
    "title": "Measures on process data",
    "title_language": "en",
    "implements": ["notice/2026-1"],
    "cites": ["table1/09", "not/recorded"],
}


def fill(client_of: Callable[[str], Client]) -> dict[str, Any]:
    """Record the sample and return ids that tests need."""
    with client_of("regulator") as regulator, client_of("enterprise-a") as enterprise, client_of("bank-a") as bank:
        recorded = regulator.submit("policy", "record", policies.table1()).require_ok()
        few = next(policies.batches(_some_of_the_corpus()))
        corpus = {"source": "Legal instruments of China, a few", "source_sha256": "00" * 32, "instruments": few}
        regulator.submit("policy", "record", corpus).require_ok()
        published = regulator.submit("policy", "publish", NOTICE).require_ok()
        regulator.submit("policy", "publish", MEASURES).require_ok()
        refused = bank.submit("policy", "publish", {**NOTICE, "id": "notice/by-a-bank"})
        enterprise.submit("process", "define_type", handover_type()).require_ok()
        source = {"id": "handovers", "process_type": handover_type()["id"], "mode": "live"}
        enterprise.submit("process", "register_source", source).require_ok()
        items = [handover(n, f"log-{n % 3}", attributes={"file": f"part-{n}.csv"}) for n in range(1, 13)]
        batch = {"source": "handovers", "sequence": 1, "items": items}
        process = enterprise.submit("process", "record", batch).require_ok()
    _govern(client_of)
    return {
        "table1_height": recorded.height,
        "published": published.transaction.id.hex(),
        "refused": refused.transaction.id.hex(),
        "process": process.transaction.id.hex(),
        "tip": process.height,
        "municipal": next(item["id"] for item in few if item["level"] == "municipal" and len(item["events"]) > 2),
    }


def _some_of_the_corpus() -> list[dict[str, Any]]:
    """Return every fortieth instrument of the corpus: all levels, many years, dated and undated, with its events."""
    return policies.corpus()[1][::40]


def _govern(client_of: Callable[[str], Client]) -> None:
    """Admit a member by a quorum, and leave one proposal open."""
    key = keys.public_key(keys.new_seed()).hex()
    subject = {
        "member": "institute-a",
        "name": "Institute A",
        "role": "institute",
        "level": "",
        "sector": "",
        "operators": [{"user": "admin", "key": key, "capabilities": ["operate", "submit"]}],
    }
    proposal = {
        "id": "admit-institute-a",
        "kind": "add_member",
        "subject": subject,
        "reason": "Its panel reviews projects.",
    }
    with client_of("enterprise-a") as enterprise, client_of("bank-a") as bank, client_of("central-bank") as central:
        enterprise.submit("governance", "propose", proposal).require_ok()
        bank.submit("governance", "vote", {"ballot": proposal["id"], "choice": "yes"}).require_ok()
        central.submit(
            "governance", "vote", {"ballot": proposal["id"], "choice": "yes", "reason": "Welcome."}
        ).require_ok()
        upgrade = {"id": "second-protocol", "kind": "protocol_version", "subject": {"version": 2, "height": 1_000_000}}
        bank.submit("governance", "propose", upgrade).require_ok()
        clerk = {"user": "clerk", "key": keys.public_key(keys.new_seed()).hex(), "capabilities": ["submit"]}
        central.submit("membership", "add_operator", clerk).require_ok()
        fresh = {"user": "clerk", "key": keys.public_key(keys.new_seed()).hex()}
        central.submit("membership", "rotate_operator_key", fresh).require_ok()
