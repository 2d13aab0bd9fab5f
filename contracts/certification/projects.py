"""Projects: a member applies under a scheme, argues, and seals the argument; a draft that nobody touches lapses.

Law: an argument that is sealed has no fault, and never changes after; nobody but the applicant argues for a project.

contracts/certification/README.md, P1 to P8.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from coseal.contracts.certification import form, scheme
from coseal.contracts.certification.argument import MAX_NODES, Fault, check
from coseal.contracts.certification.kept import PAGE_IDS, ids_of, kept, nodes_in, put_ids, root_of, taken
from coseal.contracts.certification.proceedings import SEALED, Proceeding, interested
from coseal.contracts.certification.references import is_known
from coseal.contracts.certification.schemes import RETIRED, scheme_of
from coseal.contracts.certification.state import (
    COUNT_KEY,
    NAME,
    argument_node_key,
    drafts_key,
    nodes_key,
    number_key,
    project_key,
    scheme_key,
)
from coseal.contracts.certification.tranches import (
    EXAMPLE,
    TRANCHES,
    funders_of,
    milestone_faults,
    put_tranches,
    wrong_tranches,
)
from coseal.contracts.kernel import deadlines
from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Reader, Rejected, Result, View
from coseal.contracts.kernel.budget import ENTRY_STEPS
from coseal.contracts.kernel.contract import Moment
from coseal.contracts.kernel.dates import DAY_MS
from coseal.contracts.kernel.deadlines import BLOCK_CLOCK
from coseal.contracts.kernel.fields import (
    Hexadecimal,
    Identifier,
    Integer,
    Label,
    Many,
    Name,
    Special,
    Translatable,
)
from coseal.contracts.membership.state import member_key

DRAFT: Final = "draft"
LAPSED: Final = "lapsed"
LAPSE: Final = "lapse"
"""The kind of due thing that ends a draft."""
LAPSE_MS: Final = 90 * DAY_MS
MAX_DRAFTS: Final = 8
MAX_PARTIES: Final = 16
MAX_ARGUED: Final = 500
MAX_FAULTS: Final = 16
NODE_STEPS: Final = 50
"""What checking and hashing a node takes, beside reading it."""
TRANCHE_STEPS: Final = 100
"""What the form of a tranche and the members that it names take, beside reading them."""
_LAPSED_PAGES: Final = 4
"""Pages of nodes that one due thing deletes."""

Project = dict[str, Any]


def _faults_of_nodes(value: Any) -> Iterator[str]:
    if type(value) is not list or len(value) > MAX_ARGUED:
        yield f": expected a list of 0 to {MAX_ARGUED} nodes"
        return
    seen: dict[str, int] = {}
    for index, node in enumerate(value):
        found = [f"[{index}]{fault}" for fault in form.faults_of(node)]
        yield from found
        if not found and seen.setdefault(node["id"], index) != index:
            yield f"[{index}].id: {node['id']} stands twice"


_NODE: Final = {"id": "Credit-System", "kind": "claim", "statement": "A debt outlives its operator"}
_EVIDENCE: Final = {"id": "Test", "kind": "evidence", "parent": "Credit-System", "statement": "An exercise"}
_nodes: Final = Special(
    _faults_of_nodes,
    f"a list of 0 to {MAX_ARGUED} nodes, no id twice",
    {"type": "array", "maxItems": MAX_ARGUED, "items": form.NODE.json_schema()},
    refused=(None, {}, [None], [{}], [{**_NODE, "any": True}], [_NODE, _NODE], [_NODE] * (MAX_ARGUED + 1)),
    passed=([], [_NODE], [_NODE, {**_EVIDENCE, "sha256": "00" * 32}]),
)


def project_of(reader: Reader, name: str) -> Project | Rejected:
    """Return a project, or the refusal of one that there is not."""
    found: Any = reader.get(project_key(name))
    return Rejected("unknown_project", f"there is no project {name}") if found is None else found


def _apply(view: View, context: Context, args: Args) -> Result | Rejected:
    name = args["project"]
    under = scheme_of(view, args["scheme"])
    if isinstance(under, Rejected):
        return under
    drafts: Any = view.get(drafts_key(context.member)) or 0
    if view.get(project_key(name)) is not None:
        return Rejected("exists", f"there is a project {name}; choose another id")
    if under["status"] == RETIRED:  # S7
        return Rejected("retired", f"{args['scheme']} takes no new projects: {under['reason']}")
    if drafts >= MAX_DRAFTS:  # P2
        return Rejected("limit", f"{context.member} has {drafts} drafts; seal one, or wait until one lapses")
    for party in args.get("parties", ()):
        if view.get(member_key(party)) is None:  # P1
            return Rejected("unknown_member", f"{party} is no member")
    parties, tranches = args.get("parties", []), args.get("tranches", [])
    view.charge(TRANCHE_STEPS * len(tranches))
    wrong = wrong_tranches(view, tranches, frozenset((context.member, *parties)))
    if wrong is not None:
        return wrong
    taking_part = {"member": context.member, "parties": parties, "funders": funders_of(tranches)}
    if interested(taking_part).issuperset(under["bodies"]):  # R2
        return Rejected("own_case", f"every body of {args['scheme']} has an interest in {name}")
    count: Any = view.get(COUNT_KEY) or 0
    record = {"number": count + 1, "member": context.member, **{each: args[each] for each in _SAID}}
    record |= {"parties": parties, "nodes": 0}
    if tranches:
        record |= {"tranches": len(tranches), "funders": taking_part["funders"], "planned": 0, "released": 0}
        put_tranches(view, name, tranches, context.height)
    record |= {"status": DRAFT, "height": context.height, "time_ms": context.time_ms, "touched_ms": context.time_ms}
    view.put(project_key(name), record)
    view.put(COUNT_KEY, count + 1)
    view.put(number_key(count + 1), name)
    view.put(drafts_key(context.member), drafts + 1)
    view.put(scheme_key(args["scheme"]), {**under, "projects": under["projects"] + 1})
    deadlines.add(view, NAME, BLOCK_CLOCK, context.time_ms + LAPSE_MS, [LAPSE, name, 0])
    criteria = list(scheme.applying(under, args["kind"]))
    return {"project": name, "number": count + 1, "status": DRAFT, "criteria": criteria}


_SAID: Final = ("title", "scheme", "kind", "framework_sha256")


def _draft_of(view: View, context: Context, name: str) -> Project | Rejected:
    """Return a draft of the sender's member, or why it is none."""
    found = project_of(view, name)
    if isinstance(found, Rejected):
        return found
    if found["member"] != context.member:  # P3
        return Rejected("not_applicant", f"{found['member']} argues for {name}")
    return found if found["status"] == DRAFT else Rejected("not_draft", f"{name} is {found['status']}")  # P3, P7


def _argue(view: View, context: Context, args: Args) -> Result | Rejected:
    name = args["project"]
    record = _draft_of(view, context, name)
    if isinstance(record, Rejected):
        return record
    before = ids_of(view, name, record["nodes"])
    here = dict.fromkeys(before)
    for dropped in args.get("drop", ()):
        if dropped not in here:
            return Rejected("unknown_node", f"{name} has no node {dropped}")
        del here[dropped]
        view.delete(argument_node_key(name, dropped))
    for node in args["nodes"]:
        here[node["id"]] = None  # a node that is replaced keeps its place
        view.put(argument_node_key(name, node["id"]), kept(node))  # P4
    after = list(here)
    if len(after) > MAX_NODES:  # A1
        return Rejected("limit", f"{name} would have {len(after)} nodes, at most {MAX_NODES}")
    put_ids(view, name, before, after)
    view.put(project_key(name), {**record, "nodes": len(after), "touched_ms": context.time_ms})
    return {"project": name, "nodes": len(after)}


def _seal(view: View, context: Context, args: Args) -> Result | Rejected:
    name = args["project"]
    record = _draft_of(view, context, name)
    if isinstance(record, Rejected):
        return record
    view.charge(NODE_STEPS * record["nodes"])
    nodes = nodes_in(view, name, ids_of(view, name, record["nodes"]))
    found = root_of(nodes)
    if args["count"] != record["nodes"] or args["root"] != found:  # P6
        return Rejected("root_differs", f"{name} has {record['nodes']} nodes with the root {found}")
    under: Any = view.get(scheme_key(record["scheme"]))
    faults = _faults(view, nodes, scheme.applying(under, record["kind"]))
    if faults:  # P5
        said = "; ".join(f"{fault.node}: {fault.code}" for fault in faults[:MAX_FAULTS])
        return Rejected("inconsistent_argument", f"{len(faults)} faults: {said}")
    sealed = {"root": found, "sealed": [context.height, context.time_ms], "turn": 0, "round": 0}
    proceeding = Proceeding(view, name, {**record, **sealed}, context.height, context.time_ms)
    proceeding.enter(SEALED)
    _count_drafts(view, context.member)
    return {**proceeding.write(), "nodes": record["nodes"], "root": found}


def _faults(reader: Reader, nodes: Mapping[str, Mapping[str, Any]], criteria: Sequence[str]) -> list[Fault]:
    faults = [] if nodes else [Fault("", "empty", "there is no node")]
    faults += check(taken(nodes), criteria)
    for name, data in nodes.items():
        if "reference" in data and not is_known(reader, data["reference"]):
            faults.append(Fault(name, "unknown_reference", "the ledger has nothing of that name"))
    return faults


def _count_drafts(view: View, member: str) -> None:
    """Count one draft of a member less."""
    drafts: Any = view.get(drafts_key(member))
    if drafts > 1:
        view.put(drafts_key(member), drafts - 1)
    else:
        view.delete(drafts_key(member))


def lapse(view: View, moment: Moment, name: str, page: int) -> Result:
    """End a draft that nobody touched for long, and delete its nodes, some pages at a time."""
    record: Any = view.get(project_key(name))
    if page == 0:
        if record["status"] != DRAFT:
            return {}
        if moment.time_ms < record["touched_ms"] + LAPSE_MS:
            deadlines.add(view, NAME, BLOCK_CLOCK, record["touched_ms"] + LAPSE_MS, [LAPSE, name, 0])
            return {}
        view.put(project_key(name), {**record, "status": LAPSED})  # P8
        _count_drafts(view, record["member"])
    last = -(-record["nodes"] // PAGE_IDS)
    for each in range(page, min(page + _LAPSED_PAGES, last)):
        ids: Any = view.get(nodes_key(name, each))
        view.charge(4 * ENTRY_STEPS * len(ids))
        for node in ids:
            view.delete(argument_node_key(name, node))
        view.delete(nodes_key(name, each))
    if page + _LAPSED_PAGES < last:
        deadlines.add(view, NAME, BLOCK_CLOCK, moment.time_ms, [LAPSE, name, page + _LAPSED_PAGES])
    return {"lapsed": [{"project": name}]} if page == 0 else {}


_project: Final = Identifier(slash=False)
ACTIONS: Final[dict[str, Action]] = {
    "apply": Action(
        arguments=Arguments(
            {
                "project": _project,
                "title": Translatable(),
                "scheme": Identifier(slash=False),
                "kind": Label(),
                "framework_sha256": Hexadecimal(),
            },
            {"parties": Many(Name(), low=1, high=MAX_PARTIES, unique=True), "tranches": TRANCHES},
            milestone_faults,
        ),
        apply=_apply,
        title="Apply for the certification of a project",
        example={
            "project": "clearing",
            "title": "Clearing of freight invoices",
            "scheme": "rationality",
            "kind": "public_chain",
            "framework_sha256": "00" * 32,
            "parties": ["enterprise-a"],
            "tranches": [dict(EXAMPLE)],
        },
        capability="operate",
    ),
    "argue": Action(
        arguments=Arguments(
            {"project": _project, "nodes": _nodes},
            {"drop": Many(Identifier(slash=False), high=MAX_ARGUED, unique=True)},
        ),
        apply=_argue,
        title="Add, replace or drop nodes of a project's argument",
        example={"project": "clearing", "nodes": [_NODE, {**_EVIDENCE, "sha256": "00" * 32}], "drop": ["Old"]},
        capability="operate",
    ),
    "seal": Action(
        arguments=Arguments({"project": _project, "count": Integer(0, MAX_NODES), "root": Hexadecimal()}),
        apply=_seal,
        title="Seal a project's argument, which changes no more",
        example={"project": "clearing", "count": 2, "root": "00" * 32},
        capability="operate",
    ),
}
