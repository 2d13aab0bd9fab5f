"""Small data for the pages to show: a few policies, a process, and something refused. Add what your page needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from coseal.client import keys
from coseal.client.blocking import Client
from coseal.demo import policies
from coseal.demo.oversight import handover, handover_type
from tests.support.supervised import DAY_MS, RULES, TYPE, rule

NOTICE = {
    "id": "notice/2026-1",
    "title": "Notice on process data <b>not markup</b>",
    "type_document": "notice",
    "date_document": "2026-01-05",
    "passed_by": ["regulator", "central-bank"],
    "is_about": ["process data"],
}


# Here a real network commits: on a busy machine a block may come more than the second after the event that TYPE allows.
PERMITS = {**TYPE, "late_ms": 600_000}

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
    _supervise(client_of)
    _propose_rules(client_of)
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


def now() -> str:
    """Return this moment as a source writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def permits(first: int, *events: tuple[str, str, int]) -> dict[str, Any]:
    """Return a batch about permits: (what happened, case, amount) from number ``first`` of the source on."""
    items = [
        {
            "event": f"permit-{number}",
            "type": kind,
            "time": now(),
            "objects": [["case", case]],
            **({"attributes": {"amount": amount}} if kind == "Create" else {}),
        }
        for number, (kind, case, amount) in enumerate(events, first)
    ]
    return {"source": "live", "sequence": first, "items": items}


def _supervise(client_of: Callable[[str], Client]) -> None:
    """Adopt rules on permits and break some: F1 a notice, F2 with a hold, F3 a gap, F4 an amount."""
    with client_of("regulator") as regulator, client_of("enterprise-a") as enterprise:
        enterprise.submit("process", "define_type", PERMITS).require_ok()
        enterprise.submit(
            "process", "register_source", {"id": "live", "process_type": "t", "mode": "live"}
        ).require_ok()
        regulator.submit("supervision", "propose_rules", {"rules": RULES, "title": "Permits"}).require_ok()
        regulator.submit("supervision", "propose_terms", {"terms": {"appeal": 1_000}, "reason": "A test"}).require_ok()
        for member in ("regulator", "central-bank", "bank-a"):
            with client_of(member) as client:
                for ballot in ("B1", "B2"):
                    client.submit("supervision", "vote", {"ballot": ballot, "choice": "yes"}).require_ok()
        batch = permits(1, ("Create", "c1", 5), ("Create", "c2", 5), ("Decide", "c2", 0), ("Check", "c2", 0))
        enterprise.submit("process", "record", batch).require_ok()
        late = {**permits(8, ("Check", "c2", 0)), "gap": "the meter was off"}
        enterprise.submit("process", "record", late).require_ok()
        enterprise.submit("process", "record", permits(9, ("Create", "c3", -1), ("Decide", "c3", 0))).require_ok()


AMOUNT = rule(
    "R-AMOUNT",
    "guard",
    on=["Create"],
    **{"assert": "e.attributes.amount > 10"},
    version=2,
    title={"en": "A permit is for more than 10", "zh": "许可金额须超过 10"},
)
CHECKED = rule(
    "R-CHECKED",
    "declare",
    template="precedence",
    a="Check",
    b="Decide",
    within_ms=60 * DAY_MS,
    title={"en": "A decision comes within 60 days after a check", "zh": "决定须在审查后 60 日内作出"},
)


def _propose_rules(client_of: Callable[[str], Client]) -> None:
    """Propose rules (B3, awaiting the regulator), try others (B4, B5), and propose to end some (B6) and terms (B7)."""
    tried = rule("R-TRIED", "guard", on=["Check"], **{"assert": "false"}, title={"en": "On trial", "zh": "试行规则"})
    with client_of("regulator") as regulator, client_of("enterprise-a") as enterprise, client_of("bank-a") as bank:
        permits_of_2026 = {"en": "Permits of 2026", "zh": "2026 年许可"}
        again = {"rules": [AMOUNT, CHECKED], "title": permits_of_2026, "reason": "The act was amended in <b>May</b>."}
        bank.submit("supervision", "propose_rules", again).require_ok()
        regulator.submit("supervision", "propose_rules", {"rules": [tried], "trial_ms": 30 * DAY_MS}).require_ok()
        for ballot, client, choice, reason in (
            ("B3", enterprise, "yes", "We can keep that."),
            ("B3", bank, "no", "10 is too much."),
            ("B4", regulator, "yes", "Let us see."),
            ("B4", enterprise, "yes", None),
            ("B4", bank, "yes", None),
        ):
            because = {"reason": reason} if reason else {}
            client.submit("supervision", "vote", {"ballot": ballot, "choice": choice, **because}).require_ok()
        enterprise.submit("process", "record", permits(11, ("Check", "c4", 0))).require_ok()
        ended = {"process_type": "t", "rules": ["R-NOTE"], "reason": "Nobody reads it."}
        regulator.submit("supervision", "propose_retirement", ended).require_ok()
        terms = {"terms": {"respond": 864_000_000, "answer": 86_400_000}, "reason": "Two weeks are too long."}
        bank.submit("supervision", "propose_terms", terms).require_ok()


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
