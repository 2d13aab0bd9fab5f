"""A request for an opening in the state: its scope, who answered it, which seats released, until when each step is due.

Law: while a request is open, the sidecars of its scope name it and are not erased, at most ``sealing.WAIT_MS`` longer.

contracts/disclosure/README.md, V15 to V26.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from coseal.contracts.disclosure import live, log
from coseal.contracts.disclosure.policy import RELEASE, term_ms
from coseal.contracts.disclosure.sealing import ERASE
from coseal.contracts.disclosure.state import NAME, request_key, sidecar_key
from coseal.contracts.disclosure.vaults import Vault
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Name

ASKED: Final = "asked"
APPROVED: Final = "approved"
RELEASED: Final = "released"
OPENED: Final = "opened"
LAPSED: Final = "lapsed"
EXPIRED: Final = "expired"
STATUSES: Final = (ASKED, APPROVED, RELEASED, OPENED, LAPSED, EXPIRED)
"""The statuses of a request; the last three end it."""
REQUEST: Final = "request"
"""The kind of due thing that ends the term of a step of a request."""
OVERDUE: Final = "overdue"
"""The step of a log that says what was not done in time."""
EXPIRE: Final = "expire"
"""The step at which a request ends, whatever was done."""
MAX_REQUESTS: Final = 16
"""Open requests that name one sidecar."""
MAX_ANSWERS: Final = 64
SCOPE_STEPS: Final = 4 * ENTRY_STEPS
"""What a sidecar of a scope counts for whenever the request is kept, and once more when it ends."""
AGAINST: Final = "against"
"""The kind of an answer that refuses; others are counted as the policy's kinds of approvals."""


@dataclass(slots=True)
class Request:
    """A request of the member ``by``. Times are in ms.

    ``sender`` is the operator that requested. ``scope`` are ``[number of a sidecar, sequences, labels]``, ``answers``
    ``[member, user, kind]``, ``released`` ``[seat, member, name of the sidecar]``, the name empty once it is erased.
    Until ``object_ms`` the owner objects.
    """

    by: str
    id: str
    sender: str
    basis: str
    reference: str
    owner: str
    vault: str
    scope: list[list[Any]]
    key: bytes
    status: str
    height: int
    object_ms: int
    due_ms: int
    expires_ms: int
    objected: bool
    answered: bool
    answers: list[list[str]]
    released: list[list[Any]]
    declined: list[int]

    @property
    def name(self) -> str:
        """Return how logs and sidecars name it."""
        return f"{self.by}/{self.id}"

    @property
    def is_open(self) -> bool:
        """Say whether anything may still be done about it."""
        return self.status in (ASKED, APPROVED, RELEASED)

    def count(self, kind: str) -> int:
        """Return how many answered in a way."""
        return sum(answer[2] == kind for answer in self.answers)

    def seats(self) -> list[int]:
        """Return the seats that released."""
        return [seat for seat, _, _ in self.released]


def request_of(reader: Reader, by: str, name: str) -> Request | None:
    """Return a request of a member, or None."""
    value: Any = reader.get(request_key(by, name))
    return None if value is None else Request(by, name, *(value[field] for field in _FIELDS))


def found_request(reader: Reader, args: Mapping[str, Any]) -> Request | Rejected:
    """Return the request that arguments name, or the refusal of one that there is not."""
    request = request_of(reader, args["by"], args["request"])
    missing = Rejected("unknown_request", f"{args['by']} has no request {args['request']}")
    return missing if request is None else request


def write(view: View, request: Request) -> None:
    """Keep a request."""
    view.charge(SCOPE_STEPS * len(request.scope))
    view.put(request_key(request.by, request.id), {field: getattr(request, field) for field in _FIELDS})


def said(request: Request) -> Result:
    """Return what each receipt shows of a request."""
    named = {"by": request.by, "request": request.id, "owner": request.owner, "vault": request.vault}
    return {**named, "status": request.status, "due_ms": request.due_ms}


def logged(view: View, height: int, request: Request, step: str, subject: str = "") -> list[Any]:
    """Extend the owner's log by a step of a request; the subject begins with the request."""
    about = f"{request.name} {subject}" if subject else request.name
    return log.extend(view, height, request.owner, step, request.vault, about)


def until(view: View, request: Request, step: str, time_ms: int) -> None:
    """Have a step of a request fall due, at the latest when the request ends."""
    request.due_ms = min(time_ms, request.expires_ms)
    deadlines.add(view, NAME, BLOCK_CLOCK, request.due_ms, [REQUEST, request.by, request.id, step])


def approve(view: View, request: Request, time_ms: int) -> None:
    """Let seats release from now on."""
    request.status = APPROVED
    until(view, request, RELEASE, time_ms + term_ms(view, RELEASE))


def late(view: View, height: int, request: Request, steps: Sequence[tuple[str, str]]) -> Result:
    """Record steps that were not done in time, each with its member, empty where it is nobody's in particular."""
    shown = [{"by": request.by, "request": request.id, "step": step, "member": member} for step, member in steps]
    entries = [logged(view, height, request, OVERDUE, f"{step} {member}" if member else step) for step, member in steps]
    return {"late": shown, log.LOG: entries} if steps else {}


def register(view: View, request: Request) -> Rejected | None:
    """Have the sidecars of the scope name the request; they are live, as its sender was shown."""
    for number, _, _ in request.scope:
        key = sidecar_key(request.owner, request.vault, number)
        record: Any = view.get(key)
        if len(record["requests"]) == MAX_REQUESTS:  # V16
            return Rejected("limit", f"{MAX_REQUESTS} open requests name the sidecar {number}; wait until one ends")
        view.put(key, {**record, "requests": [*record["requests"], [request.by, request.id]]})
    return None


def end(view: View, request: Request, status: str, time_ms: int) -> list[list[Any]]:
    """End a request: erase what was released, let go of its scope; return the sidecars that are erased."""
    request.status = status
    view.charge(SCOPE_STEPS * len(request.scope))
    erased = [[name.hex(), member, request.name, live.RELEASE] for _, member, name in request.released]
    for _, _, name in request.released:
        live.remove(view, name)
    request.released = [[seat, member, b""] for seat, member, _ in request.released]
    for number, _, _ in request.scope:
        key = sidecar_key(request.owner, request.vault, number)
        record: Any = view.get(key)
        if record is None:
            continue
        left = [one for one in record["requests"] if one != [request.by, request.id]]
        view.put(key, {**record, "requests": left})
        if not left and record["erase_ms"] <= time_ms:  # V23
            deadlines.add(view, NAME, BLOCK_CLOCK, time_ms, [ERASE, request.owner, request.vault, number])
    write(view, request)
    return erased


def may_open(reader: Reader, vault: Vault, number: int, member: str) -> bool:
    """Say whether a member has an approved request for the cells of a sidecar."""
    record: Any = reader.get(sidecar_key(vault.owner, vault.id, number))
    own = [] if record is None else [name for by, name in record["requests"] if by == member]
    found = (request_of(reader, member, name) for name in own)
    return any(request is not None and request.status in (APPROVED, RELEASED) for request in found)


WHICH: Final = {"by": Name(), "request": Name()}
_FIELDS: Final[tuple[str, ...]] = (
    *("sender", "basis", "reference", "owner", "vault", "scope", "key", "status", "height", "object_ms", "due_ms"),
    *("expires_ms", "objected", "answered", "answers", "released", "declined"),
)
