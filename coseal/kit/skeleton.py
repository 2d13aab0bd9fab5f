"""The files of a new contract: a package that passes its own tests and `coseal contract check` at once.

Law: what is made is a small contract that works, to be changed; nothing is written over.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from coseal.contracts.registry import TAKEN
from coseal.errors import CosealError
from coseal.ledger.genesis import CONTRACT_NAME_RULE, is_contract_name

_PYPROJECT: Final = """\
[build-system]
requires = ["hatchling>=1.27"]
build-backend = "hatchling.build"

[project]
name = "coseal-contract-NAME"
version = "1"
description = "The contract NAME of a Coseal chain."
requires-python = ">=3.11"
dependencies = ["coseal"]

# A later version is a package of its own beside the first one, NAME_2: a node that catches up, and an audit, run both.
[project.entry-points."coseal.contracts"]
NAME-1 = "NAME_1:CONTRACT"

[tool.hatch.build.targets.wheel]
packages = ["NAME_1"]
"""

_INIT: Final = '''\
"""The contract NAME: notes of members, each under a name of its own."""

from coseal.contracts.kernel.contract import Contract

from NAME_1.actions import ACTIONS
from NAME_1.shown import LISTS, NOTES, write
from NAME_1.state import KEYS, OPEN_KEYS

CONTRACT = Contract(
    name="NAME",
    version=1,
    actions=ACTIONS,
    keys=KEYS,
    open_keys=OPEN_KEYS,
    tables=(NOTES,),
    rows=write,
    lists=LISTS,
)
'''

_STATE: Final = '''\
"""Where the contract NAME keeps what in the state. Its keys are spelt here alone and begin with its name."""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel.action import Reader, View

KEYS = {"NAME/note/<member>/<id>": "a note: its text, and the height of its last change"}
"""The families of keys, with what is kept there."""
OPEN_KEYS = ("NAME/note/",)
"""Keys whose values grow with their arguments: reading and writing them costs by size."""


def note(reader: Reader, member: str, note_id: str) -> dict[str, Any] | None:
    """Return a note of a member, or None."""
    record: Any = reader.get(_key(member, note_id))
    return record


def put_note(view: View, member: str, note_id: str, text: str, height: int) -> None:
    """Write a note."""
    view.put(_key(member, note_id), {"text": text, "height": height})


def delete_note(view: View, member: str, note_id: str) -> None:
    """Remove a note."""
    view.delete(_key(member, note_id))


def _key(member: str, note_id: str) -> str:
    return f"NAME/note/{member}/{note_id}"
'''

_ACTIONS: Final = '''\
"""The actions of the contract NAME. Rules 1 and 2 are those of README.md."""

from __future__ import annotations

from coseal.contracts.kernel.action import Action, Args, Arguments, Context, Rejected, Result, View
from coseal.contracts.kernel.fields import Identifier, Text

from NAME_1.state import delete_note, note, put_note


def _write(view: View, context: Context, args: Args) -> Result | Rejected:
    put_note(view, context.member, args["id"], args["text"], context.height)  # rule 1
    return {"member": context.member, "id": args["id"]}


def _remove(view: View, context: Context, args: Args) -> Result | Rejected:
    if note(view, context.member, args["id"]) is None:  # rule 2
        return Rejected("unknown_note", f"{context.member} has no note {args['id']}")
    delete_note(view, context.member, args["id"])
    return {"member": context.member, "id": args["id"]}


ACTIONS = {
    "write": Action(
        arguments=Arguments({"id": Identifier(slash=False), "text": Text(high=1_000)}),
        apply=_write,
        title="Write a note of the own member, or another text in its place",
        example={"id": "first", "text": "To whom it may concern"},
    ),
    "remove": Action(
        arguments=Arguments({"id": Identifier(slash=False)}),
        apply=_remove,
        title="Remove a note of the own member",
        example={"id": "first"},
    ),
}
'''

_SHOWN: Final = '''\
"""What people see of the contract NAME: a table of the index with a row a note, and a list of them."""

from __future__ import annotations

from typing import Any

from coseal.contracts.kernel.lists import Filter, List
from coseal.contracts.kernel.rows.buffer import Rows
from coseal.contracts.kernel.rows.place import Act
from coseal.contracts.kernel.rows.schema import WRITTEN, Table, text
from coseal.contracts.kernel.rows.writer import Writer

NOTES = Table(
    "NAME__notes",
    "one row a note",
    ("member", "id"),
    (text("member", "whose it is"), text("id", "its name"), text("note", "its text"), *WRITTEN),
)


def write(rows: Rows) -> Writer:
    """Return what writes the rows of each accepted action."""
    kept = rows.of(NOTES)

    def written(tx: Any, data: Any, act: Act) -> None:
        kept.put({**data, "note": tx.args["text"], **act.place})

    def removed(tx: Any, data: Any, act: Act) -> None:
        kept.remove(data["member"], data["id"])

    return Writer({"NAME.write": written, "NAME.remove": removed})


LISTS = (
    List(
        "NAME.notes",
        "/v1/lists/NAME.notes",
        "NAME",
        NOTES,
        "Notes of members",
        {"en": "Notes", "zh": "备注"},
        {
            "id": {"en": "Name", "zh": "名称"},
            "member": {"en": "Member", "zh": "成员"},
            "note": {"en": "Text", "zh": "内容"},
        },
        (Filter("member"),),
        key=lambda member, note_id: f"NAME/note/{member}/{note_id}",
        named_by=("member", "id"),
    ),
)
'''

_README: Final = """\
# The contract NAME

Notes of members, each under a name of its own.

| rule | |
|---|---|
| 1 | A member writes its own notes; a note that is there gets the new text |
| 2 | A member removes its own notes; what is not there is refused: `unknown_note` |

    coseal contract check .
    python -m pytest
"""

_TEST: Final = '''\
"""The rules of README.md, on a chain in memory."""

from coseal.kit import Trial

from NAME_1 import CONTRACT


def test_a_member_writes_and_removes_its_own_notes() -> None:
    chain = Trial(CONTRACT)
    assert chain.submit("bank-a", "NAME.write", id="first", text="Hello").data == {"member": "bank-a", "id": "first"}
    assert chain.get("NAME/note/bank-a/first") == {"text": "Hello", "height": 1}
    assert chain.submit("bank-b", "NAME.remove", id="first").code == "unknown_note"
    assert chain.submit("bank-a", "NAME.remove", id="first").ok
    assert chain.get("NAME/note/bank-a/first") is None


def test_notes_are_listed() -> None:
    chain = Trial(CONTRACT)
    for name in ("first", "second"):
        chain.submit("bank-a", "NAME.write", id=name, text="Hello")
    chain.submit("bank-a", "NAME.remove", id="first")
    assert [entry["id"] for entry in chain.shown.entries("NAME.notes", member="bank-a")] == ["second"]
    assert chain.shown.faults == []


def test_a_note_has_a_text() -> None:
    refused = Trial(CONTRACT).submit("bank-a", "NAME.write", id="first", text="")
    assert (refused.code, "args.text" in refused.detail) == ("invalid_argument", True)
'''

_CONFTEST: Final = '''\
"""Tests find the package beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
'''


def require_free(name: str) -> None:
    """Raise ``CosealError`` if a contract cannot be called so."""
    if not is_contract_name(name):
        raise CosealError(f"{name!r}: expected {CONTRACT_NAME_RULE}")
    if name in TAKEN:  # W1
        raise CosealError(f"{name} is taken", f"taken are {', '.join(sorted(TAKEN))}")


def make(name: str, folder: Path) -> list[Path]:
    """Write the files of a new contract into ``folder``, which is not there; return them."""
    require_free(name)
    if folder.exists():
        raise CosealError(f"{folder} is there already", "choose another folder with --dir")
    files = {
        "pyproject.toml": _PYPROJECT,
        "README.md": _README,
        "conftest.py": _CONFTEST,
        f"{name}_1/__init__.py": _INIT,
        f"{name}_1/state.py": _STATE,
        f"{name}_1/actions.py": _ACTIONS,
        f"{name}_1/shown.py": _SHOWN,
        f"tests/test_{name}.py": _TEST,
    }
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text.replace("NAME", name), encoding="utf-8")
    return [folder / path for path in files]
