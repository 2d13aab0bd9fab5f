"""Mistakes in rules and findings: which rules are in force, and how corrected records are judged."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one, walked

_CHECKS = "coseal.contracts.supervision.checks"
_SETS = "coseal.contracts.supervision.sets_in_force"
_WATCH = "coseal.contracts.supervision.observer"

MUTANTS: Final[dict[str, Mutant]] = {
    # Findings and rules in force, over sequences of actions
    "closed_counts_as_open": walked(
        "a finding that closes because nobody appealed stays counted as open",
        "coseal.contracts.supervision.findings",
        'due["holds"] += _count_closed(view, record)',
        'due["holds"] += supervision_holds.end_of_finding(view, record)',
    ),
    "ended_rule_compiled": walked(
        "a rule that was superseded or retired is compiled with the others",
        _SETS,
        'rules.append(ended_rule(document["rule"]) if off else compiled_rule(document, definition))',
        "rules.append(compiled_rule(document, definition) if off else compiled_rule(document, definition))",
    ),
    "trial_unchecked": walked(
        "a set is not checked again when its trial begins",
        "coseal.contracts.supervision.rule_sets",
        "    return check_set(view, _proposed(view, record), set_id, phase)\n",
        "    from coseal.contracts.rules.rule import parse_rule\n"
        "    if phase == TRIAL:\n"
        "        return tuple(parse_rule(rule) for rule in _proposed(view, record))\n"
        "    return check_set(view, _proposed(view, record), set_id, phase)\n",
    ),
    "trials_left_out_of_types": walked(
        "a type may lose what a rule on trial names",
        _CHECKS,
        "        for document in judging_documents(view, entry):\n            object_types, event_types",
        '        for document in judging_documents(view, entry) if entry["phase"] == ADOPTED else ():\n'
        "            object_types, event_types",
    ),
    "trials_left_out_of_room": walked(
        "rules on trial do not count towards what may judge",
        _CHECKS,
        '        if entry["set"] != set_id:\n',
        '        if entry["set"] != set_id and entry["phase"] == ADOPTED:\n',
    ),
    "gives_way_to_a_trial": walked(
        "a version in force is taken to give way to the next one's trial",
        _CHECKS,
        "for rule in rules if phase == ADOPTED else ():",
        "for rule in rules:",
    ),
    "room_unchecked_at_adoption": walked(
        "a set is adopted whether there is room or not",
        _CHECKS,
        '            return Rejected("limit", f"{what}, at most {most}; retire some first")',
        '            return None if view.get(f"supervision/set/{set_id}") else Rejected("limit", what)',
    ),
    "type_named_as_sources": walked(
        "a type gets objects named as sources while rules about sources judge it",
        _CHECKS,
        "        if about is not None:\n",
        "        if about is None and not changed:\n",
    ),
    "dear_types": walked(
        "the costs of rules are not those under the new version of their type",
        _CHECKS,
        "cost += after.cost - compiled_rule(document, before).cost",
        "cost += after.cost - after.cost",
    ),
    "obligation_by_events": walked(
        "an obligation of a historical source goes by the source's own clock",
        _WATCH,
        "watched.recorded_by(source, live=True)  # J5",
        "watched.recorded_by(source, live=False)",
    ),
    "foreign_obligation": walked(
        "an obligation names a source of another process type",
        _CHECKS,
        'if record is not None and record["process_type"] != process_type:  # J5',
        'if record is not None and record["process_type"] is None:',
    ),
    "long_texts_kept": walked(
        "what is kept of events holds long texts whole",
        "coseal.contracts.rules.facts",
        "    if len(text) <= _SHORT_BYTES and (",
        "    if text or (",
    ),
    "compiled_for_another_type": walked(
        "a rule compiled under one version of a type is used under the next",
        _SETS,
        "    return digest, named\n",
        "    return digest, len(named)\n",
    ),
    "compiling_charged_to_events": walked(
        "recording is charged for what the node has not compiled yet",
        _SETS,
        "document: Any = peek(reader, rule_key(rule_id, version))",
        "document: Any = reader.get(rule_key(rule_id, version))",
    ),
    "effect_not_undone": walked(
        "what the failed effect of a ballot wrote stays",
        "coseal.contracts.kernel.overlay",
        "        self._rollback_to(undone)\n        return refused\n",
        "        return refused\n",
    ),
    "due_without_a_mark": walked(
        "a due thing that fails is put back among those that are due",
        "coseal.contracts.kernel.due",
        "            self.view.mark()\n            done += 1\n",
        "            done += 1\n",
    ),
    "due_of_the_block_before": one(
        "what a block writes into an index of due things is not looked at after it",
        "coseal.contracts.execution",
        "known[name] if name in known and name not in changed else",
        "known[name] if name in known else",
        "tests/contracts/test_execution.py",
    ),
    "due_before_the_block_began": one(
        "what becomes due by the start of a block itself waits for the next",
        "coseal.contracts.kernel.due",
        "earliest_ms(self.view, contract) if name in changed else self.earliest[name]",
        "self.earliest[name]",
        "tests/contracts/test_budget.py",
    ),
    "superseded_counts_as_open": walked(
        "a finding that is superseded stays counted as open",
        "coseal.contracts.supervision.findings",
        '    return [] if record["status"] == "notified" else _count_closed(view, record)\n',
        "    return []\n",
    ),
    "compiled_at_the_door": walked(
        "a type's rules are compiled before it is asked who defines it",
        "coseal.contracts.process.types",
        "    definition = next_definition(view, context, args)  # T1\n",
        "    from coseal.contracts.supervision.checks import fit_type\n"
        '    known: Any = view.get(type_key(args["id"]))\n'
        "    if known is not None:\n"
        '        fit_type(view, known, {**normalised(args), "definition": str(dict(args))})\n'
        "    definition = next_definition(view, context, args)  # T1\n",
    ),
    # Corrections
    "corrected_away_satisfies": one(
        "an event that was corrected away still counts in its place",
        "coseal.contracts.process.corrections",
        "        found[root] = Place(root, index, lost if root == index else found[root].lost)\n",
        "        found.setdefault(root, Place(root, index, lost))\n",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "correction_leaves_its_object": one(
        "a correction belongs only to the objects that it names",
        "coseal.contracts.process.batch",
        "objects = tuple(dict.fromkeys((*objects, *named_objects(corrected, self.definition))))  # T11",
        "objects = tuple(objects)",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "history_unproven": one(
        "what is shown of an object need not be all of it",
        "coseal.contracts.supervision.object_monitors",
        "    if len(items) == count and current == head:\n",
        "    if len(items) <= count or current == head:\n",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "disputes_do_not_matter": one(
        "a trace is judged with its disputed events whatever the rule says",
        "coseal.contracts.supervision.corrections",
        "                if judge.disputed != COUNT and name in",
        "                if not judge.disputed and name in",
        "tests/contracts/supervision/test_disputes.py",
    ),
    "settled_disputes_stay": one(
        "an event that was confirmed after a dispute is still taken for disputed",
        "coseal.contracts.process.attestation",
        '    return record is not None and record["status"] == DISPUTED\n',
        '    return record is not None and record["status"] != OPEN\n',
        "tests/contracts/supervision/test_disputes.py",
    ),
    "dispute_shows_anything": one(
        "what a dispute shows need not be the event that is attested",
        "coseal.contracts.process.attestation",
        '    if hashed.hex() != args["item"]:\n',
        "    if not hashed.hex():\n",
        "tests/contracts/process/test_attestation.py",
    ),
    "silent_without_history": one(
        "without the history a correction leaves the verdicts as they were",
        "coseal.contracts.rules.monitor",
        "        return self.undetermine(state, slots, why, event, time_ms)\n",
        "        return self.undetermine(state, slots[:0], why, event, time_ms)\n",
        "tests/contracts/supervision/test_corrections.py",
    ),
    "related_corrected_in_silence": one(
        "what was judged by a related object stays as it was when that is corrected",
        "coseal.contracts.supervision.superseding",
        "    return settled, others\n",
        "    return settled, others[:0]\n",
        "tests/contracts/supervision/test_related.py",
    ),
    "related_later": one(
        "an object that is judged again is judged by what related objects had later, too",
        "coseal.contracts.rules.related",
        "order = [True if sight.settled else earlier(event, place) for event in events]",
        "order = [True for event in events]",
        "tests/contracts/supervision/test_related.py",
    ),
    "related_beyond_the_bound": one(
        "related objects beyond the bound do not matter",
        "coseal.contracts.rules.related",
        "names, more = names[:MAX_RELATED], len(names) > MAX_RELATED",
        "names, more = names[:MAX_RELATED], False",
        "tests/contracts/rules/test_related.py",
    ),
    "recording_times_unproven": one(
        "when an item was recorded is not part of the chain",
        "coseal.contracts.supervision.object_monitors",
        'time_ms.to_bytes(8, "big")',
        "bytes(8)",
        "tests/contracts/supervision/test_corrections.py",
    ),
}
