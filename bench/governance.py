"""What a vote costs in a large consortium: ``python -m bench.governance``: 999 members and 320 open proposals.

Law: each figure is the CPU time of one act on a state as it is read from disk, its changes encoded; the median of
several acts, each on the state before. Exit status 1 if one is above its bound.

The consortium has 64 validators of as many members; every proposal that rule A2 allows is open, and a third of the
members has voted on each. The constitution is the recommended one.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, Final

from bench.machine import about
from coseal.contracts.genesis_state import genesis_updates
from coseal.contracts.governance import electorate
from coseal.contracts.kernel.action import Context, Rejected
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.overlay import Overlay
from coseal.contracts.membership import epochs
from coseal.contracts.registry import CONTRACTS
from coseal.ledger.genesis import Genesis, Member, Node, Operator, Parameters, encode_genesis
from coseal.ledger.signing import Ed25519Signer
from coseal.ledger.validators import ROLES

MEMBERS: Final = 999
VALIDATORS: Final = 64
PROPOSALS: Final = 320
VOTE_MS: Final = 3.0
SEAT_MS: Final = 15.0
ROUNDS: Final = 15
START_MS: Final = 1_700_000_000_000
DOCUMENT: Final = Path(__file__).parents[1] / "examples" / "constitution" / "recommended.json"
GOVERNANCE: Final = CONTRACTS["governance"].actions

State = dict[bytes, bytes]


def member_id(number: int) -> str:
    """Return the id of a member; the first ones run a validator."""
    return f"member-{number:04}"


def role(number: int) -> str:
    """Return the role of a member: all five in turn, so that every constituency is large."""
    return ROLES[number % len(ROLES)]


def key(name: str) -> bytes:
    """Return a public key of its own for every name."""
    return Ed25519Signer(name.encode().ljust(32, b".")).public_key


def genesis() -> Genesis:
    """Return the genesis of the consortium."""
    members = tuple(
        Member(
            id=member_id(number),
            name=f"Member {number}",
            role=role(number),
            level="central" if role(number) == "government" else "",
            sector="",
            central_bank=False,
            operators=(Operator("admin", key(f"operator {number}"), ("operate", "submit")),),
        )
        for number in range(MEMBERS)
    )
    nodes = tuple(
        Node(member_id(number), member_id(number), "validator", key(f"node {number}"), b"certificate %d" % number)
        for number in range(VALIDATORS)
    )
    return Genesis.decode(
        encode_genesis(
            name="bench",
            time_ms=START_MS,
            parameters=Parameters(),
            members=members,
            nodes=nodes,
            constitution=json.loads(DOCUMENT.read_text("utf-8")),
        )
    )


def act(view: Overlay, name: str, number: int, args: dict[str, Any], time_ms: int = START_MS + 1) -> None:
    """Have a member do something; raise ``RuntimeError`` if it is refused."""
    member = member_id(number)
    who = Context(1, time_ms, number.to_bytes(32, "big"), f"{member}/admin", member, role(number), "", ("operate",), 1)
    done = GOVERNANCE[name].apply(view, who, args)
    if isinstance(done, Rejected):
        raise RuntimeError(f"{name} by {member}: {done.code} {done.detail}")


def prepared() -> State:
    """Return a state with all proposals open, and a third of the members having voted on each."""
    state: State = {name: value for name, value in genesis_updates(genesis()).items() if value is not None}
    view = Overlay(state.get)
    proposers = [number for number in range(VALIDATORS, VALIDATORS + 16) for _ in range(4)]
    proposers += [number for number in range(VALIDATORS) for _ in range(4)]
    for index, proposer in enumerate(proposers):
        operator = {"user": "admin", "key": key(f"newcomer {index}").hex(), "capabilities": ["operate"]}
        fields = {"member": f"new-{index}", "name": "New", "role": "bank", "level": "", "sector": ""}
        subject = {**fields, "operators": [operator]}
        args = {"id": f"p-{index}", "kind": "add_member", "subject": subject, "closes_ms": START_MS + 20 * DAY_MS}
        act(view, "propose", proposer, args)
        for voter in range(index % 3, MEMBERS, 3):
            if voter != proposer:
                act(view, "vote", voter, {"ballot": f"p-{index}", "choice": ("yes", "no", "abstain")[voter % 7 % 3]})
    return {**state, **{name: value for name, value in view.updates().items() if value is not None}}


def timed(state: State, acts: list[Callable[[Overlay], None]]) -> tuple[float, float]:
    """Return the median and the longest CPU time of some acts in ms, each on the state as it is."""
    took = []
    for one in acts:
        view = Overlay(state.get)
        began = time.process_time()
        one(view)
        view.updates()
        took.append((time.process_time() - began) * 1e3)
    return median(took), max(took)


def vote(number: int, index: int) -> Callable[[Overlay], None]:
    """Return a vote of a member on a proposal that it has not voted on."""
    return lambda view: act(view, "vote", number, {"ballot": f"p-{index}", "choice": "yes"})


def step_down(number: int) -> Callable[[Overlay], None]:
    """Return that a member runs no validator any more: its votes leave the tallies of that electorate."""

    def change(view: Overlay) -> None:
        current = epochs.validators(view)
        seats = [seat for seat in current.validators if seat.member != member_id(number)]
        epochs.schedule(view, "bench", seats)
        epochs.begin(view, Moment(2, START_MS + 2))
        electorate.changed(view, member_id(number), START_MS + 2)

    return change


def main() -> int:
    """Measure, print and write both figures with their bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench/results/governance.json"))
    options = parser.parse_args()
    print(f"preparing {PROPOSALS} proposals of {MEMBERS} members", flush=True)
    state = prepared()
    voters = [(3 * number + index % 3 + 1) % MEMBERS for number, index in enumerate(range(ROUNDS))]
    figures = {
        "vote_ms": (timed(state, [vote(voter, index) for index, voter in enumerate(voters)]), VOTE_MS),
        "seat_ms": (timed(state, [step_down(number) for number in range(ROUNDS)]), SEAT_MS),
    }
    document: dict[str, Any] = {"machine": about()}
    good = True
    for name, ((middle, most), bound) in figures.items():
        document[name] = {"median": round(middle, 3), "most": round(most, 3), "bound": bound}
        good = good and middle <= bound
        print(f"{name}: {middle:.2f} (most {most:.2f}), at most {bound:g}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(json.dumps(document, indent=1) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
