"""The observer of disputes: what rests on a disputed event is judged again, by the rules to which the dispute matters.

Law: a dispute that begins or ends is judged in its own transaction, as a correction is; what cannot be judged again is
undetermined, with the dispute as its reason.

contracts/supervision/README.md, section Corrections.
"""

from __future__ import annotations

from coseal.contracts.kernel.action import Context, Rejected, Result, View
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.process.attestation import Contested
from coseal.contracts.process.corrections import named_objects
from coseal.contracts.rules.rule import COUNT
from coseal.contracts.supervision.corrections import Again, Recording, dispute, read_history
from coseal.contracts.supervision.effects import Outcome
from coseal.contracts.supervision.object_monitors import Watched, judging_type
from coseal.contracts.supervision.observer import MAX_SHOWN_BYTES
from coseal.contracts.supervision.related import SET_STEPS, WATCH_STEPS
from coseal.contracts.supervision.sets_in_force import judging
from coseal.contracts.supervision.state import object_state_key
from coseal.contracts.supervision.superseding import Settled, object_again, settle


def observe_dispute(view: View, context: Context, contested: Contested) -> Result | Rejected:
    """Judge the objects again that a disputed event names, for rules to which the dispute matters."""  # J39
    judges = judging(view, contested.definition)
    if all(judge.disputed == COUNT for judge in judges):
        return {}
    source, sequence, item, hashed, definition, history = contested
    again = Again(view, context, definition["late_ms"])
    one = Recording(source, sequence, item, hashed, context.height, context.time_ms)
    histories, objects, settled = read_history(view, history), list[Watched](), list[Settled]()
    for name in named_objects(item, definition):
        place = (definition["id"], *name)
        view.charge(WATCH_STEPS + SET_STEPS * len(judges))
        value = view.get(object_state_key(*place))
        if value is None:
            continue
        watched = Watched(place, value, judging_type(judges, place[1]))
        indexes = [
            index
            for index, judge in enumerate(watched.judges)
            if judge.disputed != COUNT and watched.entries[index] is not None
        ]
        if indexes:
            latest_ms = None if watched.clock == BLOCK_CLOCK else again.source(watched.clock)["latest_ms"]
            found = object_again(again, watched, histories.get(name), [], [dispute(one)], indexes, latest_ms)
            if isinstance(found, Rejected):
                return found
            settled += found
            objects.append(watched)
    for watched in objects:
        watched.write(view, definition["late_ms"])
    outcome = Outcome(view, context.height, context.time_ms)
    for case, judged, about in settled:
        settle(outcome, context, case, judged, about)
    return outcome.result(MAX_SHOWN_BYTES)
