"""Netting: members enter what others owe them into a run, and rings of debts clear without money.

Law: a run clears once, by amounts that are proven to be the greatest possible; any member may find them. In its
clearing hour nothing in it changes, so that no payment spoils a proof.

contracts/trade/README.md, section Netting.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple

from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import (
    INVALID,
    Accepted,
    Action,
    Args,
    Arguments,
    Context,
    Reader,
    Rejected,
    Result,
    View,
)
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import Integer, Many, Name, Table
from coseal.contracts.kernel.wording import duration_text, moment_text
from coseal.contracts.supervision.holds import held
from coseal.contracts.supervision.state import holds_key
from coseal.contracts.trade import clearing, fields, history
from coseal.contracts.trade.books import RUNS, Books, on_hold, shown_due, stayed
from coseal.contracts.trade.clearing import MAX_POTENTIAL, Obligation
from coseal.contracts.trade.history import PARTY, RECEIVABLE
from coseal.contracts.trade.ledger import ACCEPTED, OVERDUE, SETTLED, Receivable, number_of
from coseal.contracts.trade.runs import CLEARED, CLEARING_MS, ENDED, LAPSED, OPEN, Run, phase, run_of, shown_run
from coseal.contracts.trade.state import NAME, OPEN_KEY, entered_key, receivable_key, run_key, running_key
from coseal.ledger.genesis import NETTING_OPEN_MS, Genesis

MIN_OPEN_MS: Final = NETTING_OPEN_MS
"""How long a run is open at least, unless the genesis says less."""
MAX_OPEN_MS: Final = 30 * DAY_MS
MAX_AT_ONCE: Final = 64
MAX_OBLIGATIONS: Final = 1_000
MAX_PARTIES: Final = 128
OBLIGATION_STEPS: Final = 240
"""One that is read, compared with its certificate and written, beside its reads and writes."""
_ENTER_STEPS: Final = 40


class Entered(NamedTuple):
    """What is in a run: numbers of receivables in the order of entering, and how often each party is named."""

    numbers: list[int]
    parties: dict[str, int]

    @classmethod
    def read(cls, reader: Reader, number: int) -> Entered:
        """Return what is in a run."""
        value: Any = reader.get(entered_key(number))
        return cls([*value[0]], dict(value[1]))

    def tally(self, receivable: Receivable, change: int) -> None:
        """Count the parties of a receivable that comes in (1) or goes (-1)."""
        for party in (receivable.debtor, receivable.holder):
            named = self.parties.get(party, 0) + change
            if named:
                self.parties[party] = named
            else:
                del self.parties[party]


# Opening, entering, leaving


def install(view: View, genesis: Genesis) -> None:
    """Write how long runs of this chain are open at least, if that is less than usual."""
    if genesis.parameters.netting_open_ms != MIN_OPEN_MS:
        view.put(OPEN_KEY, genesis.parameters.netting_open_ms)


def _least_open_ms(reader: Reader) -> int:
    found: Any = reader.get(OPEN_KEY)
    return MIN_OPEN_MS if found is None else int(found)


def _open(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books, member, closes_ms = Books(view, context), context.member, args["closes_ms"]
    wrong = stayed(view, member)
    if wrong is not None:
        return wrong
    open_ms = closes_ms - context.time_ms
    least_ms = MIN_OPEN_MS if open_ms >= MIN_OPEN_MS else _least_open_ms(view)
    if not least_ms <= open_ms <= MAX_OPEN_MS:  # D19
        least, now = duration_text(least_ms), moment_text(context.time_ms)
        return Rejected("bad_term", f"args.closes_ms: from {least} to 30 days after block time {now}")
    before: Any = view.get(running_key(member))
    if before is not None and phase(run_of(view, before), context.time_ms) != ENDED:  # D19
        return Rejected("exists", f"N{before} of {member} has not ended; a member has one run at a time")
    number = books.new_number(RUNS)
    run = Run(member, closes_ms, OPEN, context.height)
    view.put(running_key(member), number)
    view.put(entered_key(number), [[], {}])
    deadlines.add(view, NAME, BLOCK_CLOCK, closes_ms + CLEARING_MS, ["run", number])
    view.put(run_key(number), run.encoded())
    named = [[history.RUN, f"N{number}"]]
    opened = history.event(history.RUN_OPENED, named, by=context.sender, closes=moment_text(closes_ms))
    return books.append(member, [opened], {"run": shown_run(number, run)})


def _enter(view: View, context: Context, args: Args) -> Accepted | Rejected:
    names: list[str] = args["receivables"]
    books, found = Books(view, context), _in_time(view, context, args)
    if isinstance(found, Rejected):
        return found
    number, run = found
    view.charge(_ENTER_STEPS * len(names))
    entered = Entered.read(view, number)
    for name in names:
        taken = _nettable(books, context, name)
        if isinstance(taken, Rejected):
            return taken
        receivable_number, receivable = taken
        entered.numbers.append(receivable_number)
        entered.tally(receivable, 1)
        books.put(receivable_number, receivable, replace(receivable, run=number))
    if len(entered.numbers) > MAX_OBLIGATIONS or len(entered.parties) > MAX_PARTIES:  # D19
        return Rejected("limit", f"N{number} takes {MAX_OBLIGATIONS} receivables of {MAX_PARTIES} parties")
    return _kept(books, number, run, entered, history.ENTERED)


def _withdraw(view: View, context: Context, args: Args) -> Accepted | Rejected:
    names: list[str] = args["receivables"]
    books, found = Books(view, context), _in_time(view, context, args)
    if isinstance(found, Rejected):
        return found
    number, run = found
    view.charge(_ENTER_STEPS * len(names))
    entered = Entered.read(view, number)
    gone: set[int] = set()
    for name in names:
        taken = _held_by(books, context, name)
        if isinstance(taken, Rejected):
            return taken
        receivable_number, receivable = taken
        if receivable.run != number:
            return Rejected("not_now", f"{name} is not in N{number}")
        gone.add(receivable_number)
        entered.tally(receivable, -1)
        books.put(receivable_number, receivable, replace(receivable, run=0))
    left = [each for each in entered.numbers if each not in gone]
    return _kept(books, number, run, Entered(left, entered.parties), history.WITHDRAWN)


def _in_time(view: View, context: Context, args: Args) -> tuple[int, Run] | Rejected:
    """Return a run that is entered and left still, by a member that is not on hold."""
    number = number_of(args["run"], "N")
    run = run_of(view, number)
    if run is None:
        return Rejected("unknown_run", f"there is no run {args['run']}")
    if phase(run, context.time_ms) != OPEN:
        return Rejected("not_now", f"N{number} closed at {moment_text(run.closes_ms)}")
    return stayed(view, context.member) or (number, run)


def _held_by(books: Books, context: Context, name: str) -> tuple[int, Receivable] | Rejected:
    found = books.found(name)
    if isinstance(found, Rejected):
        return found
    if found[1].holder != context.member:
        return Rejected("not_yours", f"{found[1].holder} holds R{found[0]}")
    return found


def _nettable(books: Books, context: Context, name: str) -> tuple[int, Receivable] | Rejected:
    """Return a receivable that its holder may enter."""
    found = _held_by(books, context, name)
    if isinstance(found, Rejected):
        return found
    number, receivable = found
    other = run_of(books.view, receivable.run)
    why = "its debtor did not agree to netting" if not receivable.nettable else _hindrance(receivable)
    if not why and phase(other, context.time_ms) != ENDED:
        why = f"it is in N{receivable.run}"
    if why:  # D19
        return Rejected("not_nettable", f"R{number}: {why}")
    return on_hold(books.view, number) or found


def _hindrance(receivable: Receivable) -> str:
    """Say what of a receivable itself keeps it from clearing, or nothing."""
    if receivable.status not in (ACCEPTED, OVERDUE):
        return f"it is {receivable.status}"
    if receivable.pledgee:
        return f"it is pledged to {receivable.pledgee}"
    return "it is disputed" if receivable.dispute is not None else ""


def _kept(books: Books, number: int, run: Run, entered: Entered, kind: str) -> Accepted | Rejected:
    books.view.put(entered_key(number), [entered.numbers, entered.parties])
    said = {"run": shown_run(number, run), "entered": len(entered.numbers)}
    return books.write_run(kind, number, books.changed(), said)


# Clearing


def obligations(reader: Reader, run: Run, receivables: Sequence[tuple[int, Receivable]]) -> list[Obligation]:
    """Return what the receivables of a run clear at most: nothing of one that is disputed, on hold, or of a party
    on hold, nor of one that a bank has in pledge or that is owed no more.
    """
    any_held = reader.get(holds_key(NAME)) is not None
    parties = sorted({name for _, one in receivables for name in (one.debtor, one.holder)}) if any_held else []
    apart = {name for name in parties if held(reader, NAME, PARTY, name) is not None}
    found = []
    for number, one in receivables:
        out = bool(_hindrance(one)) or one.debtor in apart or one.holder in apart
        out = out or (any_held and held(reader, NAME, RECEIVABLE, f"R{number}") is not None)  # D17
        weight = clearing.weight(one.due_ms, run.closes_ms)
        found.append(Obligation(one.debtor, one.holder, 0 if out else one.outstanding, weight))
    return found


def in_run(reader: Reader, number: int) -> list[tuple[int, Receivable]]:
    """Return the receivables in a run, in the order in which its clearing names them."""
    found = []
    for each in Entered.read(reader, number).numbers:
        value: Any = reader.get(receivable_key(each))
        found.append((each, Receivable.decoded(value)))
    return found


def _clear(view: View, context: Context, args: Args) -> Accepted | Rejected:
    books, cleared, number = Books(view, context), args["cleared"], number_of(args["run"], "N")
    run = run_of(view, number)
    if run is None:
        return Rejected("unknown_run", f"there is no run {args['run']}")
    if phase(run, context.time_ms) in (OPEN, ENDED):
        until = moment_text(run.closes_ms + CLEARING_MS)
        return Rejected("not_now", f"N{number} clears from {moment_text(run.closes_ms)} to {until}, once")
    view.charge(OBLIGATION_STEPS * len(cleared))
    count = len(Entered.read(view, number).numbers)
    if len(cleared) != count:
        return Rejected(INVALID, f"args.cleared: expected an amount for each of {count} receivables")
    receivables = in_run(view, number)
    wrong = clearing.refusal(obligations(view, run, receivables), cleared, args["potentials"])
    if wrong is not None:
        return wrong
    shown = []
    for (receivable_number, one), amount in zip(receivables, cleared, strict=True):
        if amount:
            left = replace(one, outstanding=one.outstanding - amount)  # D22
            books.put(receivable_number, one, left if left.outstanding else replace(left, status=SETTLED))
            shown.append([f"R{receivable_number}", amount])
    ended = replace(run, status=CLEARED, total=sum(cleared))
    view.put(run_key(number), ended.encoded())
    named = [(number_of(name, "R"), amount) for name, amount in shown]
    return books.write_run(history.RUN_CLEARED, number, named, {"run": shown_run(number, ended), "cleared": shown})


def lapse(view: View, moment: Moment, number: int) -> Result | Accepted:
    """End a run that nobody cleared."""
    run = run_of(view, number)
    if run is None or run.status != OPEN:
        return {}
    ended = replace(run, status=LAPSED)
    view.put(run_key(number), ended.encoded())
    lapsed = history.event(history.RUN_LAPSED, [[history.RUN, f"N{number}"]])
    return shown_due(Books(view, moment.context()).append(run.by, [lapsed], {"run": shown_run(number, ended)}))


_run: Final = fields.receivable
_receivables: Final = Many(fields.receivable, low=1, high=MAX_AT_ONCE, unique=True)
ACTIONS: Final[dict[str, Action]] = {
    "open_run": Action(
        arguments=Arguments({"closes_ms": fields.moment}),
        apply=_open,
        title="Open a netting run, which others enter until it closes",
        example={"closes_ms": 1_700_086_400_000},
    ),
    "enter": Action(
        arguments=Arguments({"run": _run, "receivables": _receivables}),
        apply=_enter,
        title="Enter receivables that one holds into a netting run",
        example={"run": "N1", "receivables": ["R1"]},
    ),
    "withdraw": Action(
        arguments=Arguments({"run": _run, "receivables": _receivables}),
        apply=_withdraw,
        title="Withdraw receivables from a netting run before it closes",
        example={"run": "N1", "receivables": ["R1"]},
    ),
    "clear": Action(
        arguments=Arguments(
            {
                "run": _run,
                "cleared": Many(fields.fen, low=1, high=MAX_OBLIGATIONS),
                "potentials": Table(Integer(-MAX_POTENTIAL, MAX_POTENTIAL), high=MAX_PARTIES, key=Name()),
            }
        ),
        apply=_clear,
        title="Clear a netting run by amounts that are proven to be the greatest possible",
        example={"run": "N1", "cleared": [500_000, 500_000], "potentials": {"enterprise-a": 0, "enterprise-b": 0}},
    ),
}
