"""What governance can decide: of each kind what a proposal says, when it may take effect, and what it then does.

Law: a proposal is checked when it is made and again when it is accepted, by the same function, against the state of
that moment; what takes effect cannot fail any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from coseal.contracts.governance import admissions, amendment, electorate, seats
from coseal.contracts.governance import versions as governance_versions
from coseal.contracts.governance.state import UPGRADE_KEY
from coseal.contracts.governance.versions import MIN_NOTICE_BLOCKS
from coseal.contracts.kernel import due
from coseal.contracts.kernel.action import GOOD, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.admitted import SOURCES, shown, sources_of
from coseal.contracts.kernel.fields import Hexadecimal, Integer, Label, Many, Name, OneOf, Record, Text
from coseal.contracts.kernel.proposals import Case, ProposalKind, Subject
from coseal.contracts.kernel.state import PROTOCOL_VERSION_KEY, aside_key
from coseal.contracts.kernel.wording import moment_text
from coseal.contracts.membership import epochs as membership_epochs
from coseal.contracts.membership import nodes as membership_nodes
from coseal.contracts.membership.standing import standing
from coseal.contracts.membership.state import (
    EXAMPLE_KEY,
    MEMBERS_KEY,
    ROLE_CAPABILITIES,
    free_key,
    key_key,
    member_key,
    node_key,
    operators_key,
    public_key,
    put_member,
    put_operator,
)
from coseal.ledger import signing
from coseal.ledger.genesis import LEVELS, MAX_MEMBERS
from coseal.ledger.validators import ROLES, Validator

MAX_OPERATORS: Final = 16
"""Operators with which a member begins; it adds more itself."""

# Validators


def _with_seat(view: View, node_id: str) -> list[Validator]:
    record: Any = view.get(node_key(node_id))
    owner: Any = view.get(member_key(record["member"]))
    seat = Validator(node_id, record["member"], owner["role"], record["consensus_key"])
    return sorted((*seats.current(view), seat), key=lambda seat: seat.id)


def _check_addition(view: View, case: Case, subject: Subject) -> Rejected | None:
    node_id = subject["node"]
    record: Any = view.get(node_key(node_id))
    if record is None or record["kind"] == membership_nodes.FORMER:
        return Rejected("unknown_node", f"there is no node {node_id}; its member registers it with membership.add_node")
    if record["kind"] != "observer":
        return Rejected("is_validator", f"{node_id} validates already")
    owner = standing(view, record["member"])
    if owner.status != GOOD:  # S6
        until = "" if owner.until_ms is None else f" until {moment_text(owner.until_ms)}"
        return Rejected("suspended", f"{record['member']} is {owner.status}{until}; its nodes take no seat meanwhile")
    if not membership_nodes.is_ready(view, node_id, case.height):  # A3
        blocks = membership_nodes.READY_BLOCKS
        detail = f"{node_id} has not said within the last {blocks} blocks that it is caught up; start it and wait"
        return Rejected("not_ready", detail)
    version: Any = view.get(PROTOCOL_VERSION_KEY)
    if not governance_versions.has(view, node_id, version):  # A11
        detail = f"{node_id} has not said that its software has protocol version {version}, which is in force"
        return Rejected("lacks_version", f"{detail}; install a newer release on it")
    sources = admissions.lacking_in_force(view, node_id)
    if sources is not None:  # W8
        detail = f"{node_id} has not said that it has contract {sources.name} version {sources.version}, now in force"
        return Rejected("lacks_contract", f"{detail}; install it there")
    return seats.check_set(view, _with_seat(view, node_id))


def _add(view: View, case: Case, subject: Subject) -> Result:
    membership_epochs.schedule(view, case.id, _with_seat(view, subject["node"]))
    return _takes_effect(case)


def _check_removal(view: View, case: Case, subject: Subject) -> Rejected | None:
    left = seats.without(seats.current(view), subject["node"])
    if len(left) == len(seats.current(view)):
        return Rejected("not_validator", f"{subject['node']} does not validate")
    return seats.check_left(view, subject["node"], left) or seats.check_set(view, left)


def _remove(view: View, case: Case, subject: Subject) -> Result:
    membership_epochs.schedule(view, case.id, seats.without(seats.current(view), subject["node"]))
    return _takes_effect(case)


def _with_key(reader: Reader, subject: Subject) -> list[Validator]:
    key = bytes.fromhex(subject["key"])
    return [replace(seat, key=key) if seat.id == subject["node"] else seat for seat in seats.current(reader)]


def _check_proof(context: Context, subject: Subject) -> Rejected | None:
    key = bytes.fromhex(subject["key"])
    message = signing.key_preimage(context.chain_id, subject["node"], key)
    if context.verify(key, message, bytes.fromhex(subject["proof"])):  # A7
        return None
    return Rejected("bad_proof", "the proof is not a signature by the new key over this chain, node and key")


def _check_rotation(view: View, case: Case, subject: Subject) -> Rejected | None:
    node_id, key = subject["node"], bytes.fromhex(subject["key"])
    if all(seat.id != node_id for seat in seats.current(view)):
        return Rejected("not_validator", f"{node_id} does not validate; remove it and register it with its new key")
    record: Any = view.get(node_key(node_id))
    if record["member"] != case.proposer:  # A7
        return Rejected("forbidden", f"{node_id} is a node of {record['member']}, which alone proposes its key")
    return free_key(view, key) or seats.check_set(view, _with_key(view, subject))


def _rotate(view: View, case: Case, subject: Subject) -> Result:
    view.put(key_key(bytes.fromhex(subject["key"])), f"node {subject['node']}")
    membership_epochs.schedule(view, case.id, _with_key(view, subject))
    return _takes_effect(case)


def _takes_effect(case: Case) -> Result:
    """The set signs from the block after the next on (M10)."""
    return {"first_height": case.height + 2}


# Members


def _check_member(view: View, case: Case, subject: Subject) -> Rejected | None:
    member_id, operators = subject["member"], subject["operators"]
    everyone: Any = view.get(MEMBERS_KEY)
    if member_id in everyone:
        return Rejected("member_exists", f"{member_id} is a member already")
    if len(everyone) >= MAX_MEMBERS:
        return Rejected("too_many_members", f"at most {MAX_MEMBERS} members")
    if (subject["role"] == "government") != bool(subject["level"]):
        return Rejected("bad_member", "a level is for a government member, and every one has it")
    given = sorted({capability for operator in operators for capability in operator["capabilities"]})
    for capability in given:
        role = ROLE_CAPABILITIES.get(capability, subject["role"])
        if role != subject["role"]:
            return Rejected("bad_member", f"only a {role} member has {capability}")
    if "operate" not in given:
        return Rejected("bad_member", "one of its operators at least needs the capability operate")
    for name in ("user", "key"):
        if len({operator[name] for operator in operators}) < len(operators):
            return Rejected("bad_member", f"two operators have one {name}")
    refusals = (free_key(view, bytes.fromhex(operator["key"])) for operator in operators)
    return next((refusal for refusal in refusals if refusal is not None), None)


def _add_member(view: View, case: Case, subject: Subject) -> Result:
    member_id, operators = subject["member"], subject["operators"]
    everyone: Any = view.get(MEMBERS_KEY)
    view.put(MEMBERS_KEY, sorted([*everyone, member_id]))
    fields = {name: subject[name] for name in ("name", "role", "level", "sector")}
    put_member(view, member_id, {**fields, "central_bank": False}, since=case.height)
    rights = {operator["user"]: sorted(operator["capabilities"]) for operator in operators}
    view.put(operators_key(member_id), rights)
    for operator in operators:
        key = bytes.fromhex(operator["key"])
        put_operator(view, member_id, operator["user"], key, since=case.height, history=[])
    electorate.admitted(view, member_id, subject["role"], case.time_ms)
    return {"member": member_id}


# Rules


def _check_version(view: View, case: Case, subject: Subject) -> Rejected | None:
    current: Any = view.get(PROTOCOL_VERSION_KEY)
    if view.get(UPGRADE_KEY) is not None:  # A8
        return Rejected("change_pending", "another protocol version is accepted and not in force yet; wait for it")
    if subject["version"] != current + 1:  # A8
        return Rejected("bad_version", f"the chain runs under version {current}, the next is {current + 1}")
    if subject["height"] < case.height + MIN_NOTICE_BLOCKS:  # A8
        least = case.height + MIN_NOTICE_BLOCKS
        return Rejected("too_soon", f"height {subject['height']} is too soon, {least} is the first possible")
    return None


def _schedule_version(view: View, case: Case, subject: Subject) -> Result:
    governance_versions.schedule(view, subject["version"], subject["height"], case.id)
    return {"version": subject["version"], "height": subject["height"]}


def _note_support(reader: Reader, subject: Subject) -> Result:
    return {"software": governance_versions.support(reader, subject["version"]).document()}


def _check_withdrawal(view: View, case: Case, subject: Subject) -> Rejected | None:
    upgrade: Any = view.get(UPGRADE_KEY)
    if upgrade is None or upgrade[2] != subject["proposal"]:  # A10
        detail = f"{subject['proposal']} is no protocol version that is accepted and not in force yet"
        return Rejected("not_pending", detail)
    return None


def _withdraw_version(view: View, case: Case, subject: Subject) -> Result:
    upgrade: Any = view.get(UPGRADE_KEY)
    view.delete(UPGRADE_KEY)
    return {"version": upgrade[0], "height": upgrade[1]}


# Contracts of others


def _check_contract(taken: Collection[str], view: View, case: Case, subject: Subject) -> Rejected | None:
    if subject["name"] in taken:  # W1
        return Rejected(
            "name_taken", f"{subject['name']} is the name of a contract that this software ships, or reserved"
        )
    return admissions.check(view, sources_of(subject), subject["height"], case.height)


def _schedule_contract(view: View, case: Case, subject: Subject) -> Result:
    admissions.schedule(view, sources_of(subject), subject["height"], case.id)
    return dict(subject)


def _note_sources(reader: Reader, subject: Subject) -> Result:
    return {"software": admissions.support(reader, sources_of(subject)).document()}


def _check_contract_withdrawal(view: View, case: Case, subject: Subject) -> Rejected | None:
    if admissions.pending(view, subject["proposal"]) is None:  # W5
        detail = f"{subject['proposal']} is no contract that is accepted and not in force yet"
        return Rejected("not_pending", detail)
    return None


def _withdraw_contract(view: View, case: Case, subject: Subject) -> Result:
    admission: Any = admissions.pending(view, subject["proposal"])
    admissions.withdraw(view, admission)
    return {**shown(admission.sources), "height": admission.height}


# Due things


def _check_retry(view: View, case: Case, subject: Subject) -> Rejected | None:
    if view.get(aside_key(subject["number"])) is None:
        return Rejected("unknown_aside", f"nothing that was set aside has the number {subject['number']}")
    return None


def _retry(view: View, case: Case, subject: Subject) -> Result:
    return due.retry(view, subject["number"])


# The table

_node = Record({"node": Name()})


def _member(capabilities: Sequence[str]) -> Record:
    """Return the field of a member to be, whose operators may have these capabilities."""
    given = Many(OneOf(*capabilities), low=1, high=len(capabilities), unique=True)
    operator = Record({"user": Name(), "key": public_key, "capabilities": given})
    return Record(
        {
            "member": Name(),
            "name": Label(),
            "role": OneOf(*ROLES),
            "level": OneOf("", *LEVELS),
            "sector": Text(high=64, low=0),
            "operators": Many(operator, low=1, high=MAX_OPERATORS),
        }
    )


def kinds(capabilities: Sequence[str], taken: Collection[str]) -> dict[str, ProposalKind]:
    """Return what can be proposed about members, validators, rules and contracts, by name.

    ``taken`` are the names that no contract of others has.
    """
    return {
        "add_validator": ProposalKind(_node, _check_addition, _add, {"node": "bank-a-2"}),
        "remove_validator": ProposalKind(_node, _check_removal, _remove, {"node": "bank-a"}),
        "rotate_validator_key": ProposalKind(
            Record({"node": Name(), "key": public_key, "proof": Hexadecimal(signing.SIGNATURE_BYTES)}),
            _check_rotation,
            _rotate,
            {"node": "bank-a", "key": EXAMPLE_KEY, "proof": "00" * signing.SIGNATURE_BYTES},
            _check_proof,
        ),
        "add_member": ProposalKind(
            _member(capabilities),
            _check_member,
            _add_member,
            {
                "member": "bank-b",
                "name": "Second Bank",
                "role": "bank",
                "level": "",
                "sector": "",
                "operators": [{"user": "admin", "key": EXAMPLE_KEY, "capabilities": ["operate", "submit"]}],
            },
            newcomer=lambda subject: str(subject["role"]),
        ),
        "protocol_version": ProposalKind(
            Record({"version": Integer(1), "height": Integer(1)}),
            _check_version,
            _schedule_version,
            {"version": 2, "height": 100_000},
            note=_note_support,
        ),
        "withdraw_version": ProposalKind(
            Record({"proposal": Name()}), _check_withdrawal, _withdraw_version, {"proposal": "rules-2"}
        ),
        "add_contract": ProposalKind(
            Record({**SOURCES, "height": Integer(1)}),
            partial(_check_contract, taken),
            _schedule_contract,
            {"name": "pledges", "version": 1, "sha256": "00" * 32, "height": 100_000},
            note=_note_sources,
        ),
        "withdraw_contract": ProposalKind(
            Record({"proposal": Name()}), _check_contract_withdrawal, _withdraw_contract, {"proposal": "pledges-1"}
        ),
        "amend_constitution": amendment.KIND,
        "retry_due": ProposalKind(Record({"number": Integer(1)}), _check_retry, _retry, {"number": 1}),
    }
