"""Audiences: named readers of a vault, by versions; the owner grants the key of a version in envelopes.

Law: a member that a new version leaves out gets no key of it; envelopes are live until the next version.

contracts/disclosure/README.md, V12 and V13.
"""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.disclosure import keys, live, log
from coseal.contracts.disclosure.state import audience_key, audiences_key
from coseal.contracts.disclosure.vaults import ARMED, DEALT, Vault, found
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.fields import Integer, Many, Name
from coseal.contracts.kernel.sidecars import Sidecar, named
from coseal.contracts.membership.state import member_key
from coseal.ledger.sealed import AUDIENCES_MAX

MAX_READERS: Final = 64
MAX_GRANTS: Final = 16
"""Sidecars of envelopes of one version of an audience."""
DEFINED: Final = "audience"
GRANTED: Final = "granted"


def _names(reader: Reader, vault: Vault) -> list[str]:
    value: Any = reader.get(audiences_key(vault.owner, vault.id))
    return list(value or ())


def _audience(reader: Reader, vault: Vault, name: str) -> dict[str, Any] | None:
    value: Any = reader.get(audience_key(vault.owner, vault.id, name))
    return None if value is None else dict(value)


def is_reader(reader: Reader, vault: Vault, member: str) -> bool:
    """Say whether a member is in an audience of a vault."""
    audiences = (_audience(reader, vault, name) for name in _names(reader, vault))
    return any(audience is not None and member in audience["members"] for audience in audiences)


def _own(view: View, context: Context, args: Args) -> Vault | Rejected:
    vault = found(view, context.member, args["vault"])
    if isinstance(vault, Rejected) or vault.status in (DEALT, ARMED):
        return vault
    return Rejected("wrong_step", f"{vault.id} is {vault.status}")


def _define(view: View, context: Context, args: Args) -> Result | Rejected:
    vault, name = _own(view, context, args), args["audience"]
    if isinstance(vault, Rejected):
        return vault
    for member in args["members"]:
        if view.get(member_key(member)) is None:
            return Rejected("unknown_member", f"{member} is no member of this chain")
    before, names = _audience(view, vault, name), _names(view, vault)
    if before is None:
        if len(names) == AUDIENCES_MAX:  # V12
            return Rejected("limit", f"{vault.id} has {AUDIENCES_MAX} audiences; change one of them")
        view.put(audiences_key(vault.owner, vault.id), [*names, name])
    erased = [] if before is None else _erase(view, vault, before["grants"])  # V13
    version = 1 if before is None else before["version"] + 1
    record = {"version": version, "members": list(args["members"]), "grants": [], "height": context.height}
    view.put(audience_key(vault.owner, vault.id, name), record)
    entry = log.extend(view, context.height, vault.owner, DEFINED, vault.id, f"{name} {version}")
    said = {"owner": vault.owner, "vault": vault.id, "audience": name, "version": version}
    return {**said, "erased": erased, log.LOG: [entry]}


def _grant(view: View, context: Context, args: Args) -> Result | Rejected:
    vault, name = _own(view, context, args), args["audience"]
    if isinstance(vault, Rejected):
        return vault
    audience = _audience(view, vault, name)
    if audience is None or args["version"] > audience["version"]:
        newest = 0 if audience is None else audience["version"]
        return Rejected("unknown_audience", f"the newest version of {name} is {newest}; define the next one first")
    for member in args["to"]:
        if member not in audience["members"]:  # V12
            return Rejected("no_reader", f"{member} is not in version {audience['version']} of {name}")
        if not keys.newest_version(view, member, keys.READER):
            return Rejected("no_key", f"{member} has published no key as a reader; ask it to")
    if len(audience["grants"]) == MAX_GRANTS:
        return Rejected("limit", f"{MAX_GRANTS} grants of version {audience['version']} of {name}; define the next one")
    sidecar = named(args["envelopes"])
    refusal = live.refusal(view, vault.owner, sidecar)
    if refusal is not None:
        return refusal
    live.add(view, sidecar, vault.owner, vault.id, live.GRANT)
    view.put(audience_key(vault.owner, vault.id, name), {**audience, "grants": [*audience["grants"], sidecar.name]})
    subjects = [f"{name} {args['version']} {member}" for member in args["to"]]
    entries = [log.extend(view, context.height, vault.owner, GRANTED, vault.id, subject) for subject in subjects]
    said = {"owner": vault.owner, "vault": vault.id, "audience": name, "version": args["version"]}
    return {**said, "envelopes": args["envelopes"]["name"], log.LOG: entries}


def _erase(view: View, vault: Vault, grants: list[bytes]) -> list[list[Any]]:
    """Erase the envelopes of grants; return them."""
    for name in grants:
        live.remove(view, name)
    return [[name.hex(), vault.owner, vault.id, live.GRANT] for name in grants]


def end(view: View, vault: Vault) -> list[list[Any]]:
    """End the audiences of a vault that is closed; return the envelopes that are erased."""
    erased: list[list[Any]] = []
    for name in _names(view, vault):
        audience = _audience(view, vault, name)
        if audience is not None:
            erased += _erase(view, vault, audience["grants"])
        view.delete(audience_key(vault.owner, vault.id, name))
    view.delete(audiences_key(vault.owner, vault.id))
    return erased


_EXAMPLE: Final = {"vault": "loans", "audience": "readers"}
ACTIONS: Final[dict[str, Action]] = {
    "define_audience": Action(
        arguments=Arguments(
            {"vault": Name(), "audience": Name(), "members": Many(Name(), low=1, high=MAX_READERS, unique=True)}
        ),
        apply=_define,
        title="Say who reads what is sealed into a vault, or the next version of that",
        example={**_EXAMPLE, "members": ["city"]},
        capability="operate",
    ),
    "grant": Action(
        arguments=Arguments(
            {
                "vault": Name(),
                "audience": Name(),
                "version": Integer(1, 2**31),
                "to": Many(Name(), low=1, high=MAX_READERS, unique=True),
                "envelopes": Sidecar(),
            }
        ),
        apply=_grant,
        title="Give readers of an audience the key of one of its versions",
        example={**_EXAMPLE, "version": 1, "to": ["city"], "envelopes": {"name": "e1" * 32, "bytes": 2_000}},
        capability="operate",
    ),
}
