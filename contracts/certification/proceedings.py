"""The course of a project after it is sealed: its status, the clock of its step, its rounds, its outcome.

Law: each step has one clock, fixed when the step begins; what is due of a step that is over does nothing; a round that
no panel can decide is drawn again three times at most.

contracts/certification/README.md, R1 to R6.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from coseal.contracts.certification import certificates
from coseal.contracts.certification.accounts import account
from coseal.contracts.certification.panel import Reviewer, draw
from coseal.contracts.certification.reviewers import DRAW_STEPS, get_eligible
from coseal.contracts.certification.scheme import term_ms
from coseal.contracts.certification.state import NAME, project_key, round_key, scheme_key
from coseal.contracts.certification.verdict import OUTCOMES
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Args, Context, Rejected, Result, View
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK

SEALED: Final = "sealed"
ADMITTED: Final = "admitted"
DRAWN: Final = "drawn"
REVIEW: Final = "review"
REVEAL: Final = "reveal"
REVIEWED: Final = "reviewed"
INCONCLUSIVE: Final = "inconclusive"
STATUSES: Final = (
    SEALED,
    ADMITTED,
    DRAWN,
    REVIEW,
    REVEAL,
    REVIEWED,
    *OUTCOMES,
    INCONCLUSIVE,
    certificates.EXPIRED,
    certificates.REVOKED,
)
"""What a project may be once it is sealed, in this order, and again from the second on after an appeal."""
STEP: Final = "step"
"""The kind of due thing that ends a step."""
STEPS: Final = "steps"
"""Where a block's first receipt has what the ends of steps did."""
REST_MS: Final = 90 * DAY_MS
MAX_ROUNDS: Final = 3
"""Panels that are drawn for one outcome."""
_TERM_OF: Final = {
    SEALED: "admit_ms",
    ADMITTED: "seed_ms",
    DRAWN: "declare_ms",
    REVIEW: "commit_ms",
    REVEAL: "reveal_ms",
    REVIEWED: "decide_ms",
}


class Proceeding:
    """A project as one action or due thing changes it; ``write`` puts what became of it, and says it."""

    def __init__(self, view: View, name: str, record: dict[str, Any], height: int, time_ms: int) -> None:
        self.view, self.name, self.height, self.time_ms = view, name, height, time_ms
        self.record, self._before = dict(record), record
        self.scheme: Any = view.get(scheme_key(record["scheme"]))
        self.round: dict[str, Any] = {}
        if record.get("round"):
            found: Any = view.get(round_key(name, record["round"]))
            self.round = dict(found)
        self.said: Result = {}

    # Who

    @property
    def interested(self) -> frozenset[str]:
        """The members that have an interest in the project."""
        return interested(self.record)

    @property
    def bodies(self) -> list[str]:
        """The bodies of the scheme that have no interest in the project."""  # R2
        return [body for body in self.scheme["bodies"] if body not in self.interested]

    def acts(self, member: str) -> Rejected | None:
        """Return why a member does not act as the body of the project, or None."""
        if member in self.interested:  # R2
            return Rejected("own_case", f"{member} has an interest in {self.name}")
        bodies, turn = self.bodies, self.record["turn"]
        acting = bodies[turn : turn + 1] or bodies  # R3
        return None if member in acting else Rejected("not_body", f"{' or '.join(acting)} acts in {self.name}")

    def reviewers(self) -> list[Reviewer]:
        """Return who may be drawn now."""
        self.view.charge(DRAW_STEPS * self.record["eligible"])
        out = frozenset(self.round["out"])
        found = get_eligible(self.view, self.name, self.record["eligible"])
        return [reviewer for reviewer in found if reviewer.name not in out]

    def panel(self) -> list[Reviewer]:
        """Return who sits on the panel."""
        return [Reviewer(*each) for each in self.round["panel"]]

    # Steps

    def enter(self, status: str, duration_ms: int | None = None) -> None:
        """Begin a step, or the present one again; without a term of its own it ends by no clock."""  # R1
        if duration_ms is None and status in _TERM_OF:
            duration_ms = term_ms(self.scheme, _TERM_OF[status])
        self.record |= {"status": status, "step": self.record.get("step", 0) + 1, "due_ms": 0}
        if duration_ms is not None:
            self.record["due_ms"] = self.time_ms + duration_ms
            deadlines.add(self.view, NAME, BLOCK_CLOCK, self.record["due_ms"], [STEP, self.name, self.record["step"]])

    def missed(self, who: Sequence[str]) -> None:
        """Note who was to act in the present step and did not."""  # R1
        late = [[self.record["status"], each] for each in who]
        if self.round:
            self.round["late"] = [*self.round["late"], *late]
        else:
            self.record["late"] = [*self.record.get("late", ()), *late]
        self.said["late"] = [[self.record["round"], *each] for each in late]

    def begin_round(self, out: Sequence[str], draws: int, *, appeal: bool) -> None:
        """Begin a round with seeds of its own; ``out`` are not drawn."""
        self.record["round"] += 1
        seeders = [self.record["member"], *self.bodies]
        self.round = {"appeal": appeal, "draws": draws, "height": self.height, "seeders": seeders, "seeds": {}}
        self.round |= {"panel": [], "declared": [], "out": list(dict.fromkeys(out)), "late": []}
        self.enter(ADMITTED)

    def undecided(self, silent: Sequence[str]) -> None:
        """Draw another panel without those who were silent, if one is left to draw; else end without a verdict."""
        round = self.round
        self.round["out"] = list(dict.fromkeys([*round["out"], *silent]))
        if round["draws"] < MAX_ROUNDS and draw(b"", self.reviewers(), self.scheme["panel"]) is not None:  # R5
            self._put_round()
            self.begin_round(self.round["out"], round["draws"] + 1, appeal=round["appeal"])
        else:
            self.conclude(self.record["appeal"]["before"] if round["appeal"] else INCONCLUSIVE)  # R6

    def conclude(self, outcome: str) -> None:
        """End with an outcome, against which the applicant may appeal for a time."""
        self.enter(self._certified(outcome))
        self.record["decided"] = [self.height, self.time_ms]
        self.record["appeal_ms"] = self.time_ms + term_ms(self.scheme, "appeal_ms")

    def _certified(self, outcome: str) -> str:
        """Issue a certificate with an outcome, or keep that of the first one; return the status it leaves."""
        before = self.record.get("certificate")
        if before is not None and "verdict" not in self.round:  # an appeal that could not decide
            expired = certificates.status_of(self.view, before) == certificates.EXPIRED
            return certificates.EXPIRED if expired else outcome
        changed: list[Result] = []
        if before is not None and certificates.status_of(self.view, before) in certificates.IN_FORCE:
            changed.append(certificates.end(self.view, before, certificates.REPLACED))  # C3
        if outcome in certificates.IN_FORCE:
            moment = Moment(self.height, self.time_ms)
            named = self.record["scheme"]
            changed.append(certificates.issue(self.view, self.name, self.scheme, named, outcome, moment))
            self.record["certificate"] = changed[-1]["certificate"]
        if changed:
            self.said[certificates.CERTIFICATES] = changed
        return outcome

    # Keeping

    def _put_round(self) -> None:
        self.view.put(round_key(self.name, self.record["round"]), self.round)

    def write(self) -> Result:
        """Put the project and its round; return what a receipt says of them."""
        if self.round:
            self._put_round()
        self.view.put(project_key(self.name), self.record)
        account(self.view, self._before, self.record)
        said = {name: self.record.get(name, 0) for name in ("status", "round", "due_ms")}
        return {"project": self.name, **said, **self.said}


def interested(record: Args) -> frozenset[str]:
    """Return the members that have an interest in a project: applicant, parties and funders."""  # R2
    return frozenset((record["member"], *record["parties"], *record.get("funders", ())))


def opened(view: View, context: Context, name: str) -> Proceeding | Rejected:
    """Return the proceeding of a project, or the refusal of one that there is not."""
    found: Any = view.get(project_key(name))
    if found is None:
        return Rejected("unknown_project", f"there is no project {name}")
    return Proceeding(view, name, found, context.height, context.time_ms)


def in_step(view: View, context: Context, name: str, *statuses: str) -> Proceeding | Rejected:
    """Return the proceeding of a project that is in one of these steps, or the refusal."""
    found = opened(view, context, name)
    if isinstance(found, Rejected) or found.record["status"] in statuses:
        return found
    return Rejected("wrong_step", f"{name} is {found.record['status']}, not {' or '.join(statuses)}")


def due(view: View, moment: Moment, name: str, step: int) -> Proceeding | None:
    """Return the proceeding whose step is over, or None if another one has begun since."""
    found: Any = view.get(project_key(name))
    if found["step"] != step:
        return None
    return Proceeding(view, name, found, moment.height, moment.time_ms)
