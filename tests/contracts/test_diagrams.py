"""The diagrams of a finding and of a policy show what the contracts do: every act is tried from every status."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from coseal.contracts.policy import acts as policy_acts
from coseal.contracts.supervision import findings as supervision_findings
from coseal.contracts.supervision.findings import finding

FIGURES = Path(__file__).resolve().parents[2] / "docs" / "figures"
Steps: TypeAlias = set[tuple[str, str, str]]
"""(status before, act, status after)."""


def drawn(name: str) -> tuple[dict[str, Any], Steps]:
    """Return a diagram's boxes and what its arrows say; an arrow from or to a frame stands for all that it holds."""
    document = tomllib.loads((FIGURES / f"{name}.toml").read_text("utf-8"))
    held = {frame: entry["holds"] for frame, entry in document.get("frames", {}).items()}

    def ends(end: str) -> list[str]:
        return list(held.get(end, [end]))

    arrows = document["arrows"]
    steps = {(a, arrow["act"], b) for arrow in arrows for a in ends(arrow["from"]) for b in ends(arrow["to"])}
    return document["boxes"], steps


def explored(acts: Iterable[str], run: Callable[[tuple[str, ...]], list[tuple[Any, str] | None]]) -> Steps:
    """Return every step there is: each act is tried from each status that any acts lead to.

    ``run`` takes acts on something new, and returns (what tells statuses apart, status) at first and after each act,
    None for one that was refused.
    """
    acts, found, paths = list(acts), set(), {}
    [start] = run(())
    assert start is not None
    paths[start] = ()
    waiting = [start]
    while waiting:
        before = waiting.pop()
        for act in acts:
            after = run((*paths[before], act))[-1]
            if after is not None:
                found.add((before, act, after))
                if after not in paths:
                    paths[after] = (*paths[before], act)
                    waiting.append(after)
    return found


DECISION = {"reason": "So it is", "measure": "A fine"}
FINDING_ACTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "acknowledge": ("regulator", {}),
    "inquire": ("regulator", {"question": "Why?"}),
    "respond": ("bank-a", {"response": "So."}),
    "decide: rectified": ("regulator", {"outcome": "rectified", **DECISION}),
    "decide: sanctioned": ("regulator", {"outcome": "sanctioned", **DECISION}),
    "decide: dismissed": ("regulator", {"outcome": "dismissed", **DECISION}),
    "appeal": ("bank-a", {"reason": "Unfair"}),
    "decide_appeal: upheld": ("city", {"outcome": "upheld", "reason": "Fair"}),
    "decide_appeal: overturned": ("city", {"outcome": "overturned", "reason": "Unfair"}),
}


def test_the_diagram_of_a_finding_shows_every_step_there_is(court):
    assert {act.partition(":")[0] for act in FINDING_ACTS} == set(supervision_findings.ACTIONS)
    court.adopt(court.rule("R-ONCE", **court.ONCE))

    def run(acts: tuple[str, ...]) -> list[Any]:
        finding_id = court.finding()
        seen = [place(finding_id)]
        for act in acts:
            if act == "time":
                record = finding(court.chain.executor.reader, finding_id)
                due_ms = record["deadline_ms"]
                if due_ms is not None:
                    court.wait(max(1, due_ms - court.chain.executor.time_ms))
                seen.append(place(finding_id) if due_ms is not None else None)
            else:
                sender, args = FINDING_ACTS[act]
                done = court.act(sender, act.partition(":")[0], finding=finding_id, **args)
                seen.append(place(finding_id) if done.ok else None)
        return seen

    def place(finding_id: str) -> tuple[bool, str]:
        record = finding(court.chain.executor.reader, finding_id)
        status = record["status"]
        return status == "inquiry" and any(step == "respond" for step, *_ in record["overdue"]), status

    found = explored((*FINDING_ACTS, "time"), run)
    usual = {(a, act, b) for (late, a), act, (_, b) in found if not late}
    late = {(a, act, b) for (late, a), act, (_, b) in found if late} - usual
    named: Steps = {(a, name_of(act), b) for a, act, b in usual if (a, act) != (b, "time")}
    named |= {(a, f"{name_of(act)}, response overdue", b) for a, act, b in late}
    boxes, arrows = drawn("finding")
    assert arrows == named
    assert set(boxes) == {a for a, _, _ in named} | {b for _, _, b in named} | {"notified"}


def name_of(act: str) -> str:
    """Return an act as the diagram has it: of a decision only a dismissal leads elsewhere by its outcome."""
    return act if act in ("time", "decide: dismissed") else act.partition(":")[0]


POLICY_ACTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "publish": ("", {"stage": "passed"}),
    "publish: proposed": ("", {"stage": "proposed"}),
    "endorse": ("central-bank", {}),
    "approve": ("regulator", {"date": "2023-11-05"}),
    "promulgate": ("", {"date_publication": "2023-11-06", "first_date_entry_in_force": "2023-11-07"}),
    "amend": ("", {"date": "2023-11-10"}),
    "repeal": ("", {"date_no_longer_in_force": "2023-11-30"}),
    "evaluate": ("institute-a", {"date": "2023-11-12", "verdict": "met", "summary": "Done"}),
}
"""Act -> member, empty for the one that publishes, and arguments."""


def add_province(chain: Any, key: str) -> None:
    """Have the validators' members admit a government between the central and the municipal one."""
    operators = [{"user": "admin", "key": key, "capabilities": ["operate", "submit"]}]
    subject: dict[str, Any] = {
        "member": "province",
        "name": "Province",
        "role": "government",
        "level": "provincial",
        "sector": "",
    }
    subject["operators"] = operators
    chain.submit("regulator/admin", "governance.propose", id="add", kind="add_member", subject=subject)
    for member in ("central-bank", "bank-a"):
        assert chain.submit(f"{member}/admin", "governance.vote", ballot="add", choice="yes").ok


def test_the_diagram_of_a_policy_shows_every_act_there_is(chain, signer_of):
    assert {act.partition(":")[0] for act in POLICY_ACTS} == set(policy_acts.ACTIONS)
    add_province(chain, signer_of("province/admin").public_key.hex())
    ids = iter(range(10_000))

    def run(issuer: str, acts: tuple[str, ...]) -> list[Any]:
        policy = f"p/{next(ids)}"
        seen = [place(policy)]
        for act in acts:
            member, args = POLICY_ACTS[act]
            if act.startswith("publish"):
                args = {**args, "title": "Notice", "type_document": "notice", "date_document": "2023-11-01"}
                args["passed_by"] = [issuer, "central-bank"]
            name = f"policy.{act.partition(':')[0]}"
            done = chain.submit(f"{member or issuer}/admin", name, id=policy, **args)
            seen.append(place(policy) if done.ok else None)
        return seen

    def place(policy: str) -> tuple[tuple[str, ...], str]:
        entry = chain.get(f"policy/instrument/{policy}")
        if entry is None:
            return (), "none"
        done = {event["action"] for event in entry["events"]} & {"endorsed", "approved"}
        return tuple(sorted(done)), entry["status"]

    found = {
        (a, act, b)
        for issuer in ("city", "province")
        for (_, a), act, (_, b) in explored(POLICY_ACTS, partial(run, issuer))
    }
    boxes, arrows = drawn("policy")
    assert arrows == {(a, act, b) for a, act, b in found if a != b}
    kept: dict[str, set[str]] = {}
    for a, act, b in found:
        if a == b:
            kept.setdefault(a, set()).add(act)
    assert {name: set(box.get("acts", ())) for name, box in boxes.items()} == {
        name: kept.get(name, set()) for name in boxes
    }
    assert all(act in box["text"] for box in boxes.values() for act in box.get("acts", ()))
