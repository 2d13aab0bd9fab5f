"""A new contract passes every check; each mistake is found, by its file and line or by what came of it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from coseal.cli import app
from coseal.errors import CosealError
from coseal.kit import checks, skeleton, static


@pytest.fixture
def project(tmp_path):
    skeleton.make("pledges", tmp_path / "pledges")
    yield tmp_path / "pledges"
    sys.path[:] = [path for path in sys.path if not path.startswith(str(tmp_path))]


def report(project):
    (offer,) = checks.offers(str(project))
    return checks.check(offer)


def edit(project, before, after, file="actions.py"):
    path = project / "pledges_1" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


def test_a_new_contract_passes_its_checks_and_its_own_tests(project):
    done = CliRunner().invoke(app, ["contract", "check", str(project), "--json"])
    assert done.exit_code == 0, done.output
    (found,) = json.loads(done.output)["contracts"]
    assert {line["verdict"] for line in found["lines"]} <= {"ok", "not checked"}
    assert {line["check"] for line in found["lines"]} == {
        "imports",
        "text",
        "form",
        "schemas",
        "trial",
        "shown",
        "cost",
        "replay",
    }
    assert (found["sources"]["name"], found["sources"]["version"]) == ("pledges", 1)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(project)]
    assert subprocess.run(command, cwd=project, timeout=120, check=False).returncode == 0


def test_a_mistake_ends_a_check_with_exit_code_1(project):
    edit(project, "from __future__", "import time\nfrom __future__", "state.py")
    done = CliRunner().invoke(app, ["contract", "check", str(project)])
    assert done.exit_code == 1
    assert "state.py:6: may not import time" in done.output or "may not import time" in done.output


@pytest.mark.parametrize("name", ["process", "kernel", "rules", "Pledges", "a-b", ""])
def test_a_name_that_is_taken_or_none_is_refused(name, tmp_path):
    with pytest.raises(CosealError):
        skeleton.make(name, tmp_path / "made")
    assert not (tmp_path / "made").exists()


def test_nothing_is_written_over(project):
    with pytest.raises(CosealError, match="there already"):
        skeleton.make("pledges", project)


def test_a_folder_without_a_contract_is_said(tmp_path):
    with pytest.raises(CosealError, match="no folder of a contract"):
        checks.offers(str(tmp_path))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 1.5", "float"),
        ("x = 1 / 2", "use //"),
        ("x = 4\nx /= 2", "use //"),
        ("x = float('1')", "float()"),
        ("import math\nx = math.sqrt(2)", "math.sqrt"),
        ("x = hash('a')", "hash()"),
        ("x = id('a')", "id()"),
        ("for x in {1, 2}:\n    pass", "order of a set"),
        ("s = {1}\nx = [y for y in s]", "order of a set"),
        ("x = list({1} | {2})", "order of a set"),
        ("x = ','.join(set('ab'))", "order of a set"),
        ("def f():\n    global x", "global x"),
        ("try:\n    pass\nexcept:\n    pass", "end of the budget"),
        ("async def f():\n    pass", "awaits"),
        ("x = (1).__class__", "__class__"),
    ],
)
def test_a_text_that_breaks_determinism_is_found(text, said):
    found = static.check({"a.py": text.encode()})
    assert [each for each in found if each.severe and said in each.text], found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 'A'.lower()", "Unicode"),
        ("while True:\n    pass", "nothing ends it"),
        ("def f(view):\n    for key in range(9):\n        view.get(str(key))", "a loop over the state"),
        ("def f(r: Reader):\n    while True:\n        r.get('a')", "a loop over the state"),
        ("from functools import cache\n@cache\ndef f():\n    pass", "remembered"),
    ],
)
def test_a_text_that_deserves_a_look_is_a_warning(text, said):
    found = static.check({"a.py": text.encode()})
    assert [each for each in found if not each.severe and said in each.text], found


@pytest.mark.parametrize(
    "text",
    [
        "x = sorted({1, 2})",
        "x = len({1})",
        "x = {y for y in {1, 2}}",
        "x = sorted(y for y in {1, 2})",
        "x = 7 // 2",
        "import math\nx = math.isqrt(9)",
        "try:\n    pass\nexcept ValueError:\n    pass",
        "for x in [1, 2]:\n    pass",
        "def f(view):\n    while view.spent < 10:\n        view.charge(1)",
    ],
)
def test_what_is_the_same_everywhere_is_no_finding(text):
    assert static.check({"a.py": text.encode()}) == []


@pytest.mark.parametrize(
    ("before", "after", "check", "said"),
    [
        ('"id": args["id"]}\n\n\ndef _remove', '"id": 1 // 0}\n\n\ndef _remove', "trial", "ZeroDivisionError"),
        (
            "put_note(view, context.member",
            'view.put("process/x", 1); put_note(view, context.member',
            "trial",
            "OutsidePrefix",
        ),
        ('"id": args["id"]}\n\n\ndef _remove', "}\n\n\ndef _remove", "shown", "KeyError: 'id'"),
        ('example={"id": "first"}', 'example={"id": ""}', "schemas", "its example is refused"),
        ('title="Remove a note of the own member"', 'title=""', "schemas", "no title"),
    ],
)
def test_a_mistake_of_an_action_is_found_by_trying_it(project, before, after, check, said):
    edit(project, before, after)
    found = report(project)
    assert not found.ok
    assert [line for line in found.lines if line.check == check and line.verdict == "bad" and said in line.text], (
        found.lines
    )


def test_a_value_changed_in_place_is_found(project):
    edit(project, "return record", 'if record:\n        record["text"] = ""\n    return record', "state.py")
    assert [line for line in report(project).lines if "changed in place" in line.text]


def test_what_differs_from_process_to_process_is_found_by_replay(project):
    edit(project, '"id": args["id"]}\n\n\ndef _remove', '"id": str({"a", "b", "c", "d", "e"})}\n\n\ndef _remove')
    found = report(project)
    assert [line for line in found.lines if line.check == "replay" and line.verdict == "bad"], found.lines


def test_what_costs_much_is_a_warning(project):
    edit(project, "put_note(view, context.member", "view.charge(100_000); put_note(view, context.member")
    found = report(project)
    assert found.ok
    assert [line for line in found.lines if line.check == "cost" and line.verdict == "warn"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('Filter("member")', 'Filter("member", condition="no such SQL")', "NAME.notes with member: OperationalError"),
        ('named_by=("member", "id")', 'named_by=("member", "name")', "KeyError: 'name'"),
        ('"note": {"en"', '"body": {"en"', "lacks body"),
    ],
)
def test_a_list_that_fails_is_found(project, before, after, said):
    edit(project, before, after, "shown.py")
    assert [
        line.text
        for line in report(project).lines
        if line.verdict == "bad" and said.replace("NAME", "pledges") in line.text
    ]


def test_a_version_is_checked_against_the_one_before_it(project):
    """A table that is another under the same name would leave the new version without rows."""
    second = project / "pledges_2"
    shutil.copytree(project / "pledges_1", second)
    for path in second.glob("*.py"):
        text = path.read_text().replace("pledges_1", "pledges_2").replace("version=1", "version=2")
        path.write_text(text.replace(', text("note", "its text")', "").replace('"note": tx.args["text"], ', ""))
    points = project / "pyproject.toml"
    first = 'pledges-1 = "pledges_1:CONTRACT"'
    points.write_text(points.read_text().replace(first, f'{first}\npledges-2 = "pledges_2:CONTRACT"'))
    reports = checks.check_all(checks.offers(str(project)))
    (line,) = [line for line in reports[1].lines if line.check == "successor"]
    assert (line.verdict, "pledges__notes" in line.text) == ("bad", True)
    assert not [line for line in reports[0].lines if line.check == "successor"]
