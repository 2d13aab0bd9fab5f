"""The chapters of the demo about supervision: rules by ballot, findings answered, silence noticed, evidence kept.

Law: as ``coseal.demo.story``: nothing is staged; what the chain is said to have noticed, it noticed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from coseal.audit.verify import verify_document, verify_file
from coseal.client import bundle, supervision
from coseal.client.blocking import Client
from coseal.contracts.supervision.state import finding_key
from coseal.demo.examples import example
from coseal.demo.progress import Narrator, Summary
from coseal.errors import BadAnswer, Unreachable
from coseal.ledger.genesis import Genesis

FINES_RULES: Final = "rules/traffic-fines.json"
HANDOVERS: Final = "data-handover"
VOTERS: Final = ("regulator", "central-bank", "bank-a")
_ANSWERED: Final = "TF-NOTIFIED"
_SILENT: Final = "HO-TAKEN-OVER"
_TERMS: Final = {"appeal": 2_000}
_WITHIN_MS: Final = 2_000
_WAIT_S: Final = 40.0
_POLL_S: Final = 0.1


def handover_type() -> dict[str, Any]:
    """Return the process type of handing data over: what happens is recorded within a second, or is late."""
    return {
        "id": HANDOVERS,
        "version": 1,
        "title": {"en": "Handing over of data sets", "zh": "数据集交接"},
        "object_types": {"dataset": {}},
        "event_types": {"handed over": {"attributes": {"file": "string"}}, "taken over": {}},
        "gaps": "record",
        "late_ms": 1_000,
    }


def handover(number: int, dataset: str, **more: Any) -> dict[str, Any]:
    """Return the event that a data set was handed over now."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    event = {"event": f"handover-{number}", "type": "handed over", "time": now, "objects": [["dataset", dataset]]}
    return {**event, **more}


def handover_rules(policy: str) -> list[dict[str, Any]]:
    """Return the rules about handovers, resting on a policy of the register."""
    head = {"version": 1, "legal_basis": [policy], "severity": "violation", "effect": "flag"}
    taken: dict[str, Any] = {
        "id": _SILENT,
        **head,
        "title": {
            "en": "What is handed over is taken over within two seconds",
            "zh": "移交的数据集应在两秒内接收",
        },
        "scope": {"process_type": HANDOVERS, "object_type": "dataset"},
        "kind": "declare",
        "template": "response",
        "a": "handed over",
        "b": "taken over",
        "within_ms": _WITHIN_MS,
    }
    gap = {
        "id": "HO-GAP",
        **head,
        "title": {"en": "A source leaves nothing out", "zh": "数据源不得遗漏"},
        "kind": "gap",
    }
    return [taken, {**gap, "scope": {"process_type": HANDOVERS}}]


@dataclass(slots=True)
class FirstFinding:
    """Notes how much of a log was recorded when its first finding was seen."""

    client: Client
    process_type: str
    found: dict[str, Any] | None = None
    recorded: int = 0
    _asked: float = field(default=0.0)

    def look(self, recorded: int) -> None:
        """Ask the node, at most twice a second, until there is one."""
        if self.found is None and time.monotonic() - self._asked > 0.5:
            self._asked = time.monotonic()
            rows = self.client.get("/v1/findings", process_type=self.process_type, limit=1)["findings"]
            if rows:
                self.found, self.recorded = rows[0], recorded


class Supervision:
    """Plays its chapters over clients of the members' own nodes."""

    def __init__(self, client: Callable[[str], Client], narrator: Narrator, summary: Summary) -> None:
        self._client, self._tell, self._summary = client, narrator, summary

    def adopt(self, policy: str) -> None:
        """Have the shipped rules about fines adopted by ballot, and the time to appeal shortened.

        That nothing is left out rests on ``policy`` of this chain's register as well.
        """
        rules = json.loads(example(FINES_RULES).read_text(encoding="utf-8"))
        next(rule for rule in rules if rule["kind"] == "gap")["legal_basis"].append(policy)
        with self._client("regulator") as client:
            data = supervision.propose(client, rules, title="Fines and their deadlines").require_ok().receipt.data
            self._tell.say(
                f"regulator proposes {len(rules)} rules on traffic fines, each with its legal basis and tests that "
                f"every node has run; in the worst case an event costs {data['cost']} steps"
            )
            self._vote(data["ballot"])
            reason = "a story has less time than the law gives"
            terms = client.submit("supervision", "propose_terms", {"terms": _TERMS, "reason": reason}).require_ok()
        self._vote(terms.receipt.data["ballot"])
        self._figure(rules=len(rules))

    def _vote(self, ballot: str) -> None:
        """Vote yes member by member until the ballot is decided."""
        for member in VOTERS:
            with self._client(member) as client:
                data = supervision.vote(client, ballot, "yes").require_ok().receipt.data
        self._tell.say(
            f"ballot {ballot}: {', '.join(VOTERS)} say yes; {data['status']}, {data['needed']} of {data['of']} needed"
        )

    def report(self, first: FirstFinding, total: int, height: int) -> None:
        """Tell what the rules found while the fines were recorded, the last of them in block ``height``."""
        path = "/v1/findings/statistics"
        with self._client("regulator") as client:
            counts = client.get(path, process_type=first.process_type, min_height=height)["counts"]
        if first.found is not None:
            found = first.found
            self._tell.say(
                f"the first finding came in block {found['height']}, with {first.recorded:,} of {total:,} events "
                f"recorded: {found['id']}, {found['rule']} on {found['object_type']} {found['object']}"
            )
        by_rule = {row["rule"]: row["count"] for row in counts}
        self._tell.say(f"findings by rule: {', '.join(f'{rule} {count}' for rule, count in by_rule.items())}")
        self._figure(findings_raised=by_rule, first_finding_at=first.recorded)

    def answer(self) -> str:
        """Take one finding through its life, both sides in turn; return its id."""
        with self._client("regulator") as regulator, self._client("enterprise-a") as enterprise:
            found = regulator.get("/v1/findings", rule=_ANSWERED, limit=1)["findings"][0]
            name = found["id"]
            self._tell.say(f"{name}: {_ANSWERED} on fine {found['object']}: {found['detail']}")
            supervision.step(regulator, "acknowledge", name).require_ok()
            question = "The fine was sent after its term. Why?"
            supervision.step(regulator, "inquire", name, question=question).require_ok()
            self._tell.say(f"regulator takes it up and asks (both sides are played, the finding is real): {question}")
            refused = supervision.step(regulator, "respond", name, response="It was withdrawn.")
            self._tell.say(f"nobody answers for another: a response by the regulator is {refused.receipt.code}")
            response = "It waited for an address. Fines that wait are now looked through every week."
            evidence = supervision.evidence_of([str(example("traffic-fines/README.md"))])
            supervision.step(enterprise, "respond", name, response=response, **evidence).require_ok()
            self._tell.say(f"enterprise-a responds, with evidence: {response}")
            decided = supervision.step(
                regulator, "decide", name, outcome="rectified", reason="The procedure was changed"
            ).require_ok()
            self._tell.say(f"regulator decides: {decided.receipt.data['outcome']}; the time to appeal runs")
            closed: str = self._await(lambda: _closed(regulator, name), f"{name} to close")
            self._tell.say(f"no appeal: the chain closes {name} by itself ({closed})")
            times = regulator.get("/v1/supervision/times")["steps"]
        both = ", ".join(
            f"{row['step']} {row['mean_ms'] / 1_000:.1f} s ({row['side']})" for row in times if row["done"]
        )
        self._tell.say(f"the times of both sides are on record: {both}")
        self._figure(answered=name, answered_as=closed, refused_response=refused.receipt.code)
        return str(name)

    def silence(self, policy: str) -> None:
        """Adopt a rule with a deadline, hand something over, and let nobody say any more."""
        with self._client("regulator") as client:
            ballot = supervision.propose(client, handover_rules(policy)).require_ok().receipt.data["ballot"]
            self._vote(ballot)
            with self._client("enterprise-a") as enterprise:
                batch = {"source": "handovers", "sequence": 2, "items": [handover(2, "harbour-log")]}
                recorded = enterprise.submit_any("process", "record", batch).require_ok()
            self._tell.say(
                f"enterprise-a hands over harbour-log in block {recorded.height}; it has to be taken over within 2 s, "
                "and nobody sends anything any more"
            )
            found = self._await(lambda: _finding_of(client, _SILENT, "harbour-log"), "the missed deadline")
            block = client.block(found["height"])
            self._tell.say(
                f"the chain makes block {found['height']} by itself, with {block.block.header.tx_count} transactions "
                f"in it: finding {found['id']}, {found['detail']}"
            )
        self._figure(silent=found["id"], silent_transactions=block.block.header.tx_count)

    def gap(self) -> None:
        """Leave out items of a source, with a reason, and see it noticed."""
        with self._client("enterprise-a") as client:
            batch = {"source": "handovers", "sequence": 6, "items": [handover(6, "quay-log")]}
            missing = client.submit_any("process", "record", batch)
            self._tell.say(f"enterprise-a sends item 6 after item 2: refused, {missing.receipt.code}")
            data = (
                client.submit_any("process", "record", {**batch, "gap": "the meter was off"}).require_ok().receipt.data
            )
        found = next(view for view in data["findings"] if view["rule"] == "HO-GAP")
        self._tell.say(
            f"with a reason it is recorded, and so is that items {data['gap'][0]} to {data['gap'][1]} are missing: "
            f"finding {found['id']} on source {found['object']}"
        )
        self._figure(gap=data["gap"], gap_finding=found["id"])

    def evidence(self, finding: str, genesis: Genesis) -> None:
        """Put the answered case into one file, verify it offline, and see a change in it found out."""
        with self._client("regulator") as client:
            document = bundle.collect(client, bundle.name_of(client, finding))
        path: Path = self._summary.directory / f"{finding}.bundle.json"
        path.write_text(json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        result = verify_file(path, genesis)
        if not result.ok:
            raise BadAnswer(f"{path} does not verify: {result.reason}")
        self._tell.say(
            f"{path.name}, {path.stat().st_size / 1e6:.1f} MB, verified with the genesis alone, no node asked:"
        )
        for step in result.steps:
            self._tell.say(f"    {step.name:<12} {step.detail[:96]}")
        forged = deepcopy(document)
        del forged["findings"][0]
        caught = verify_document(forged, genesis)
        if caught.ok:
            raise BadAnswer("a bundle with its finding taken out passed as whole")
        self._tell.say(f"with the finding taken out it is refused: {caught.reason}")
        self._figure(bundle=str(path), bundle_bytes=path.stat().st_size, bundle_items=result.facts["items"])

    # Means

    def _await(self, look: Callable[[], Any], what: str) -> Any:
        """Look until there is something; raise ``Unreachable`` after a while."""
        end = time.monotonic() + _WAIT_S
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                raise Unreachable(f"waited {_WAIT_S:.0f} s for {what}", "see `coseal status`")
            time.sleep(_POLL_S)

    def _figure(self, **figures: Any) -> None:
        self._summary.figures |= figures


def _closed(client: Client, finding: str) -> str | None:
    """Return the outcome of a finding that is closed."""
    value = client.value(finding_key(finding))
    return str(value["outcome"]) if value["status"] == "closed" else None


def _finding_of(client: Client, rule: str, name: str) -> dict[str, Any] | None:
    rows = client.get("/v1/findings", rule=rule, object=name, limit=1)["findings"]
    return dict(rows[0]) if rows else None
