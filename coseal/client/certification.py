"""Argument files on this side of a network: read, their evidence hashed, checked, and tried on verdicts.

Law: an argument is judged by the modules that judge it on the ledger; evidence counts by what its file is now.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from coseal.contracts.certification import form, scheme
from coseal.contracts.certification.argument import EVIDENCE, Argument, Fault, Node, check
from coseal.contracts.certification.kept import PAGE_IDS, kept
from coseal.contracts.certification.projects import MAX_ARGUED
from coseal.contracts.certification.state import argument_node_key, nodes_key, project_key
from coseal.contracts.certification.support import OPEN, UNDERMINED, claims_in, support
from coseal.errors import BadAnswer, CosealError
from coseal.formats import arguments, ltac
from coseal.formats.importers.log import read_text
from coseal.ledger import codec
from coseal.ledger.errors import LedgerError
from coseal.ledger.strict_json import strict_json

if TYPE_CHECKING:
    from coseal.client.blocking import Client

MAX_BYTES: Final = 192 * 1024
"""What the nodes of one transaction take at most, as JSON."""
JSON: Final = ".json"
Data = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Written:
    """An argument as a file has it: its nodes, and the lines of those that a text has."""

    nodes: tuple[Data, ...]
    lines: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Checked:
    """What is said of an argument.

    ``open`` and ``fallen`` are the claims that are open, and those that are undermined, if all evidence is accepted but
    for the leaves that were named as refuted; ``unresolved`` is how much evidence is on a ledger, which was not asked.
    """

    argument: Argument
    faults: tuple[Fault, ...]
    undeveloped: tuple[str, ...]
    open: tuple[str, ...]
    fallen: tuple[str, ...]
    unresolved: int

    @property
    def consistent(self) -> bool:
        """Say whether it may be sealed and no claim of it falls."""
        return not self.faults and not self.fallen


def read_argument(path: Path) -> Written:
    """Return the argument in a file, JSON if its name ends so, else LTAC; raise ``BadAnswer`` with what is wrong."""
    if path.suffix != JSON:
        nodes, lines = arguments.nodes_of(ltac.read(read_text(path)))
        return Written(tuple(nodes), lines)
    data = _read_json(path)
    if type(data) is not list or not data:
        raise BadAnswer(f"{path}: expected a list of nodes", "as `coseal certification convert` writes it")
    faults = [f"[{index}]{fault}" for index, node in enumerate(data) for fault in form.faults_of(node)]
    if faults:
        raise BadAnswer("\n".join(faults[:64]))
    return Written(tuple(data), {})


def read_scheme(path: Path) -> Data:
    """Return the scheme in a JSON file; raise ``BadAnswer`` with all that is wrong."""
    data = _read_json(path)
    faults = list(scheme.faults_of(data))
    if faults:
        raise BadAnswer("\n".join(f"{path}{fault}" for fault in faults))
    found: Data = data
    return found


def _read_json(path: Path) -> Any:
    try:
        return strict_json(read_text(path), str(path))
    except LedgerError as error:
        raise BadAnswer(str(error)) from None


def grounded(written: Written, folder: Path) -> tuple[Written, tuple[Fault, ...]]:
    """Return an argument with the digests of the evidence whose files are in a folder, and what is wrong with files.

    A place with a scheme, as ``https://``, is no file; its digest has to be written down.
    """
    nodes: list[Data] = []
    faults: list[Fault] = []
    for node in written.nodes:
        place = node.get("place", "")
        if node["kind"] != EVIDENCE or not place or "://" in place or not (folder / place).is_file():
            nodes.append(node)
            continue
        digest = _digest(folder / place)
        if node.get("sha256", digest) != digest:
            faults.append(Fault(node["id"], "digest_differs", f"{place} is {digest}"))
        nodes.append({**node, "sha256": node.get("sha256", digest)})
    return replace(written, nodes=tuple(nodes)), tuple(faults)


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise CosealError(f"{path}: {error.strerror}") from None


def check_argument(
    written: Written, criteria: Sequence[str] = (), refuted: Sequence[str] = (), *, ungrounded: bool = False
) -> Checked:
    """Return what is said of an argument; ``ungrounded`` lets evidence be without a digest."""
    nodes = tuple(_taken(node, ungrounded=ungrounded) for node in form.nodes_of(written.nodes))
    argument = Argument(nodes)
    leaves = {leaf.id for leaf in argument.leaves()}
    unknown = [name for name in refuted if name not in leaves]
    if unknown:
        raise CosealError(
            f"{unknown[0]} is no leaf", "evidence, assumptions and claims declared assumed or axiomatic are"
        )
    verdicts = {leaf.id: True for leaf in argument.leaves() if leaf.kind == EVIDENCE}
    found = support(argument, {**verdicts, **dict.fromkeys(refuted, False)})
    return Checked(
        argument,
        check(nodes, criteria),
        tuple(node.id for node in argument.undeveloped()),
        tuple(claims_in(argument, found, OPEN)),
        tuple(claims_in(argument, found, UNDERMINED)),
        sum("reference" in node for node in written.nodes),
    )


def _taken(node: Node, *, ungrounded: bool) -> Node:
    return replace(node, grounded=True) if ungrounded and node.kind == EVIDENCE else node


def write_argument(written: Written, *, as_json: bool) -> str:
    """Return an argument as JSON or LTAC; raise ``BadAnswer`` if LTAC read again would be another argument."""
    if as_json:
        return json.dumps(written.nodes, ensure_ascii=False, indent=2) + "\n"
    faults = check_argument(written, ungrounded=True).faults
    if faults:
        raise BadAnswer(
            f"{faults[0].node}: {faults[0].code}: {faults[0].detail}", "an argument with faults has no text"
        )
    text = str(arguments.document_of(written.nodes))
    again, _ = arguments.nodes_of(ltac.read(text))
    for given, read in zip(written.nodes, again, strict=True):
        if given != read:
            raise BadAnswer(
                f"{given['id']}: LTAC would make another node of it",
                "order nodes as their trees are read, and name a citation by what it stands below, ^ and what it cites",
            )
    return text


def differences(client: Client, project: str, written: Written) -> list[dict[str, Any]]:
    """Return the arguments of ``certification.argue`` that make a project's argument the written one.

    The state is proven; what the ledger has already is not sent again. Raises ``BadAnswer`` if there is no such
    project.
    """
    record = client.value(project_key(project))
    if record is None:
        raise BadAnswer(f"there is no project {project}", "apply for it first: `coseal certification apply`")
    known = kept_nodes(client, project, record["nodes"])
    wanted = {node["id"] for node in written.nodes}
    drop = [name for name in known if name not in wanted]
    news = [node for node in written.nodes if known.get(node["id"]) != kept(node)]
    parts: list[dict[str, Any]] = [
        {"drop": drop[at : at + MAX_ARGUED], "nodes": []} for at in range(0, len(drop), MAX_ARGUED)
    ]
    parts += [{"drop": [], "nodes": parcel} for parcel in _parcels(news)]
    return [{"project": project, **part} for part in parts]


def kept_nodes(client: Client, project: str, count: int) -> dict[str, Any]:
    """Return the nodes of a project as the state keeps them, by id, proven."""
    known: dict[str, Any] = {}
    for page in range(-(-count // PAGE_IDS)):
        ids = client.value(nodes_key(project, page))
        found = client.values([argument_node_key(project, name) for name in ids])
        known |= {name: codec.decode(one.value) for name, one in zip(ids, found, strict=True) if one.value is not None}
    return known


def _parcels(nodes: Sequence[Data]) -> list[list[Data]]:
    parcels: list[list[Data]] = []
    size = MAX_BYTES
    for node in nodes:
        more = len(json.dumps(node))
        if size + more > MAX_BYTES or len(parcels[-1]) == MAX_ARGUED:
            parcels.append([])
            size = 0
        parcels[-1].append(node)
        size += more
    return parcels
