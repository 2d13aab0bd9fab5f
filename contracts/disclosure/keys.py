"""Keys of members for envelopes: each a new version, the newest 16 kept.

contracts/disclosure/README.md, V4.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.disclosure.state import newest_key_key, sealing_key_key
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Result, View
from coseal.contracts.kernel.fields import Hexadecimal, OneOf
from coseal.ledger.sealed import SEALING_KEY_BYTES

READER: Final = "reader"
CUSTODY: Final = "custody"
KEPT_VERSIONS: Final = 16
SUITE: Final = "hpke-647a-0001-0002"
"""KEM, KDF and AEAD of the envelopes that a key opens, by their numbers in HPKE's registry (B8)."""


def newest_version(reader: Reader, member: str, use: str) -> int:
    """Return the newest version of a member's key, 0 if it has none."""
    value: Any = reader.get(newest_key_key(member, use))
    return 0 if value is None else int(value)


def _set(view: View, context: Context, args: Args) -> Result:
    member, use = context.member, args["use"]
    version = newest_version(view, member, use) + 1
    record = {"suite": SUITE, "key": bytes.fromhex(args["key"]), "height": context.height}
    view.put(newest_key_key(member, use), version)
    view.put(sealing_key_key(member, use, version), record)
    if version > KEPT_VERSIONS:  # V4
        view.delete(sealing_key_key(member, use, version - KEPT_VERSIONS))
    return {"member": member, "use": use, "version": version}


ACTIONS: Final[dict[str, Action]] = {
    "set_sealing_key": Action(
        arguments=Arguments({"use": OneOf(READER, CUSTODY), "key": Hexadecimal(SEALING_KEY_BYTES)}),
        apply=_set,
        title="Publish the key of the own member under which others put envelopes for it",
        example={"use": CUSTODY, "key": "5c" * SEALING_KEY_BYTES},
        capability="operate",
    ),
}
