"""Whether a milestone is reached: by an event that a named member confirmed, or by a tally that both sides count.

Law: no item serves twice, in any project; who confirms is named by the milestone, and takes no part in the project.

contracts/certification/README.md, F4 and F5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from coseal.contracts.certification.state import used_key
from coseal.contracts.kernel.action import Reader, Rejected, View
from coseal.contracts.kernel.budget import ITEM_STEPS
from coseal.contracts.process.attestation import attestation
from coseal.contracts.process.chain import decoded_item_hash, objects_of
from coseal.contracts.process.state import source_key
from coseal.contracts.process.tally import figure, read_tally, with_member

CONFIRMED: Final = "confirmed"
Milestone = Mapping[str, Any]


def shown(view: View, milestone: Milestone, items: Sequence[Mapping[str, Any]]) -> list[str] | Rejected:
    """Return the hashes of items that show a milestone, or why one of them does not."""
    hashes: list[str] = []
    for index, given in enumerate(items):
        view.charge(ITEM_STEPS)
        source, sequence = given["source"], given["sequence"]
        hashed = decoded_item_hash(source, sequence, given["item"])
        where = f"args.items[{index}]: item {sequence} of {source}"
        if hashed.hex() in hashes or view.get(used_key(hashed.hex())) is not None:  # F5
            return Rejected("used", f"{where} served as a milestone")
        said = attestation(view, hashed)
        if said is None:
            return Rejected("not_attested", f"{where}: no event with a counterparty has the hash {hashed.hex()}")
        if said["counterparty"] not in milestone["members"]:  # F4
            return Rejected("not_attested", f"{where} names {said['counterparty']}, whom the milestone does not")
        if said["status"] != CONFIRMED:  # F4
            return Rejected("not_attested", f"{where}: {said['counterparty']} has not confirmed it")
        if not _is_of(view, milestone, source, given["item"]):  # F4
            return Rejected("wrong_item", f"{where} is not '{milestone['event']}' of {' '.join(milestone['object'])}")
        hashes.append(hashed.hex())
    return hashes


def _is_of(reader: Reader, milestone: Milestone, source: str, item: Mapping[str, Any]) -> bool:
    """Say whether an item that was recorded is of the type and the object of a milestone."""
    process_type, object_type, name = milestone["object"]
    recorded: Any = reader.get(source_key(source))
    right = recorded["process_type"] == process_type and item.get("type") == milestone["event"]
    return right and "event" in item and (object_type, name) in objects_of(item)


def not_reached(reader: Reader, milestone: Milestone, taking_part: Sequence[str]) -> Rejected | None:
    """Return why a tally does not reach a milestone by the count of one that takes part and of one named, or None."""
    process_type, object_type, name = milestone["object"]
    wanted = milestone["tally"]
    tally = read_tally(reader, process_type, object_type, name)
    for side in (taking_part, milestone["members"]):
        for member in side:
            tally = with_member(reader, tally, member, process_type, object_type, name)
        counts = [figure(tally.row(member)[3], wanted["name"]) for member in side]
        if not any(count is not None and count >= wanted["least"] for count in counts):  # F4
            least = f"{wanted['name']} of {' '.join(milestone['object'])} to be {wanted['least']} or more"
            return Rejected("not_reached", f"none of {', '.join(side)} counts {least}")
    return None
