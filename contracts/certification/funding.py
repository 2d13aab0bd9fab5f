"""Funds: a funder pledges a tranche, the applicant claims its milestone, the funder releases it.

Law: nothing is released without a certificate in force, nor before what comes before it; what was released stays so;
a tranche is paid by one pending transfer, once.

contracts/certification/README.md, F1 to F7.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.certification import certificates, milestones
from coseal.contracts.certification.accounts import account, planned_under
from coseal.contracts.certification.proceedings import INCONCLUSIVE
from coseal.contracts.certification.projects import LAPSED, Project, project_of
from coseal.contracts.certification.state import certificate_key, project_key, tranche_key, used_key
from coseal.contracts.certification.tranches import CLAIMED, PLANNED, PLEDGED, RELEASED, Tranche, tranche_of
from coseal.contracts.certification.verdict import CERTIFIED
from coseal.contracts.currency.pending import EXPIRED, OPEN, VOIDED, found, number_of
from coseal.contracts.currency.post import wallet_of
from coseal.contracts.currency.state import pending_key
from coseal.contracts.currency.tranches import MAX_TRANCHES, put_payment
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.fields import Identifier, Integer, Later, Many, Record
from coseal.contracts.process.corrections import ITEM_EXAMPLE
from coseal.contracts.supervision.holds import held

MAX_ITEMS: Final = 16
MAX_PLANNED: Final = 2**62
"""In fen, under one scheme."""
_OVER: Final = (LAPSED, INCONCLUSIVE, certificates.EXPIRED, certificates.REVOKED)


def _find(view: View, args: Args) -> tuple[Project, Tranche] | Rejected:
    """Return a project and the tranche of it that is named."""
    record = project_of(view, args["project"])
    if isinstance(record, Rejected):
        return record
    tranche = tranche_of(view, args["project"], args["tranche"])
    return tranche if isinstance(tranche, Rejected) else (record, tranche)


def _said(args: Args, tranche: Mapping[str, Any]) -> Result:
    said = {name: tranche[name] for name in ("status", "amount", "funder", "pending") if name in tranche}
    return {"project": args["project"], "tranche": args["tranche"], **said}


def _pledge(view: View, context: Context, args: Args) -> Result | Rejected:
    both = _find(view, args)
    if isinstance(both, Rejected):
        return both
    record, tranche = both
    if tranche["funder"] != context.member:
        return Rejected("not_funder", f"{tranche['funder']} is asked for tranche {args['tranche']}")
    if record["status"] in _OVER:
        return Rejected("wrong_step", f"{args['project']} is {record['status']}")
    first = tranche["status"] == PLANNED
    if not first and ("pending" not in args or _is_backed(view, tranche, context.time_ms)):  # F3
        return Rejected("pledged", f"{context.member} has pledged tranche {args['tranche']}")
    if first and planned_under(view, record["scheme"]) + tranche["amount"] > MAX_PLANNED:
        return Rejected("limit", f"no more than {MAX_PLANNED} fen are planned under {record['scheme']}")
    if "pending" in args:
        wrong = _wrong_pending(view, record, tranche, args)
        if wrong is not None:
            return wrong
        tranche["pending"] = args["pending"]
        released = tranche["status"] == RELEASED
        put_payment(view, args["project"], args["tranche"], number_of(args["pending"]), released=released)
    if first:
        tranche["status"] = PLEDGED
        after = {**record, "planned": record["planned"] + tranche["amount"]}
        account(view, record, after)
        view.put(project_key(args["project"]), after)
    view.put(tranche_key(args["project"], args["tranche"]), {**tranche, "height": context.height})
    return _said(args, tranche)


def _is_backed(reader: Reader, tranche: Tranche, time_ms: int) -> bool:
    """Say whether the money of a tranche is reserved, or was paid."""
    if "pending" not in tranche:
        return False
    kept: Any = reader.get(pending_key(number_of(tranche["pending"])))
    late = kept["status"] == OPEN and kept["expires_ms"] <= time_ms
    return kept["status"] not in (VOIDED, EXPIRED) and not late


def _wrong_pending(reader: Reader, record: Project, tranche: Tranche, args: Args) -> Rejected | None:
    """Return why a pending transfer does not back a tranche, or None."""  # F3
    kept = found(reader, args["pending"])
    if isinstance(kept, Rejected):
        return Rejected("wrong_pending", kept.detail)
    payee = wallet_of(reader, kept["credit"])
    if payee is None or payee.holder != f"member:{record['member']}":
        return Rejected("wrong_pending", f"{args['pending']} pays a wallet that is not {record['member']}'s")
    if kept["amount"] != tranche["amount"]:
        return Rejected("wrong_pending", f"{args['pending']} reserves {kept['amount']} fen, not {tranche['amount']}")
    if kept["release"].get("tranche") != [args["project"], args["tranche"]]:
        named = f"[{args['project']}, {args['tranche']}]"
        return Rejected("wrong_pending", f"{args['pending']} does not name the tranche {named} in its release")
    return None


def _claim(view: View, context: Context, args: Args) -> Result | Rejected:
    both = _find(view, args)
    if isinstance(both, Rejected):
        return both
    record, tranche = both
    if record["member"] != context.member:
        return Rejected("not_applicant", f"{record['member']} claims the milestones of {args['project']}")
    if tranche["status"] == PLANNED:
        return Rejected("not_pledged", f"{tranche['funder']} has not pledged tranche {args['tranche']}")
    if tranche["status"] != PLEDGED:
        return Rejected("claimed", f"tranche {args['tranche']} is {tranche['status']}")
    milestone, items = tranche["milestone"], args.get("items", ())
    if "tally" in milestone:
        wrong = milestones.not_reached(view, milestone, [record["member"], *record["parties"]])
        if items:
            wrong = Rejected("wrong_item", "the milestone is a tally, which no item shows")
        if wrong is not None:
            return wrong
    elif not items:
        return Rejected("not_attested", f"args.items: show '{milestone['event']}' of {' '.join(milestone['object'])}")
    hashes = milestones.shown(view, milestone, items)
    if isinstance(hashes, Rejected):
        return hashes
    for hashed in hashes:
        view.put(used_key(hashed), [args["project"], args["tranche"]])  # F5
    tranche |= {"status": CLAIMED, "height": context.height, "items": hashes}
    view.put(tranche_key(args["project"], args["tranche"]), tranche)
    return {**_said(args, tranche), "items": hashes}


def _release(view: View, context: Context, args: Args) -> Result | Rejected:
    both = _find(view, args)
    if isinstance(both, Rejected):
        return both
    record, tranche = both
    if tranche["funder"] != context.member:
        return Rejected("not_funder", f"{tranche['funder']} releases tranche {args['tranche']}")
    wrong = _not_releasable(view, context, args, record, tranche)
    if wrong is not None:
        return wrong
    tranche |= {"status": RELEASED, "height": context.height}
    after = {**record, "released": record["released"] + tranche["amount"]}
    account(view, record, after)
    view.put(project_key(args["project"]), after)
    view.put(tranche_key(args["project"], args["tranche"]), tranche)
    if "pending" in tranche:
        put_payment(view, args["project"], args["tranche"], number_of(tranche["pending"]), released=True)
    return _said(args, tranche)


def _not_releasable(view: View, context: Context, args: Args, record: Project, tranche: Tranche) -> Rejected | None:
    """Return what stands against a release, or None."""  # F6
    if tranche["status"] == RELEASED:
        return Rejected("released", f"tranche {args['tranche']} was released at height {tranche['height']}")
    if tranche["status"] == PLANNED:
        return Rejected("not_pledged", f"{context.member} has not pledged tranche {args['tranche']}")
    if record["status"] != CERTIFIED:
        return Rejected("not_certified", f"{args['project']} is {record['status']}")
    certificate: Any = view.get(certificate_key(record["certificate"]))
    if certificate["until_ms"] <= context.time_ms:
        return Rejected("not_certified", f"the time of {record['certificate']} is over")
    if certificates.is_suspended(certificate, context.time_ms):
        return Rejected("not_certified", f"{record['certificate']} is suspended")
    if tranche["status"] != CLAIMED:
        return Rejected("milestone_missing", f"{record['member']} has not claimed its milestone")
    before = tranche_of(view, args["project"], args["tranche"] - 1) if args["tranche"] > 1 else None
    if isinstance(before, dict) and before["status"] != RELEASED:
        return Rejected("out_of_order", f"tranche {args['tranche'] - 1} is {before['status']}; release it first")
    place = tranche["milestone"]["object"]
    if held(view, *place) is not None:
        return Rejected("on_hold", f"{' '.join(place)} is on hold")
    return None


_project: Final = Identifier(slash=False)
_named: Final = {"project": _project, "tranche": Integer(1, MAX_TRANCHES)}
_item: Final = Record(
    {
        "source": Identifier(),
        "sequence": Integer(1, 2**53),
        "item": Later(
            "the event that shows the milestone, as it was recorded",
            refused=(None, 1, {}, ITEM_EXAMPLE),
            passed=(ITEM_EXAMPLE,),
        ),
    }
)
ACTIONS: Final[dict[str, Action]] = {
    "pledge": Action(
        arguments=Arguments(_named, {"pending": Identifier(slash=False)}),
        apply=_pledge,
        title="Accept to pay a tranche of a project when its milestone is reached",
        example={"project": "clearing", "tranche": 1, "pending": "P1"},
        capability="operate",
    ),
    "claim_milestone": Action(
        arguments=Arguments(_named, {"items": Many(_item, low=1, high=MAX_ITEMS)}),
        apply=_claim,
        title="Show that the milestone of a tranche is reached",
        example={
            "project": "clearing",
            "tranche": 1,
            "items": [{"source": "enterprise-a/works", "sequence": 1, "item": ITEM_EXAMPLE}],
        },
        capability="operate",
    ),
    "release": Action(
        arguments=Arguments(_named),
        apply=_release,
        title="Release a tranche of a certified project, for good",
        example={"project": "clearing", "tranche": 1},
        capability="operate",
    ),
}
