"""What the product is made of: locked with hashes, complete, of acceptable licences, and told truly."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.supply import closure, sbom
from tests.supply.closure import BUILD_LOCK, LOCK, ROOT, declared, read_lock, runtime_closure
from tests.supply.vulnerabilities import judge


@pytest.mark.parametrize("path", [LOCK, BUILD_LOCK], ids=lambda path: path.name)
def test_a_lock_holds_versions_and_hashes_and_nothing_of_where_they_came_from(path: Path) -> None:
    lock = read_lock(path)
    assert lock
    text = path.read_text("utf-8")
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted-host|(^|\s)-e\s|\s@\s|#", text)
    assert all(entry.hashes for entry in lock.values())


def test_a_line_of_another_form_is_no_lock(tmp_path: Path) -> None:
    for line in ("httpx>=0.27", "httpx==1.0", "httpx @ file:///x --hash=sha256:" + "0" * 64, "-r other.txt"):
        (tmp_path / "lock").write_text(line + "\n")
        with pytest.raises(ValueError, match="lock"):
            read_lock(tmp_path / "lock")


@pytest.mark.parametrize(("path", "table"), [(LOCK, "dependencies"), (BUILD_LOCK, "requires")])
def test_a_lock_has_every_declared_dependency_in_its_range(path: Path, table: str) -> None:
    lock = read_lock(path)
    assert declared(table)
    for requirement in declared(table):
        locked = lock[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(locked.version, prereleases=True), f"{requirement}: run `make lock`"


def test_the_lock_covers_the_closure_of_the_runtime_and_fits_each_of_its_ranges() -> None:
    lock, installed = read_lock(), runtime_closure()
    assert len(installed) > len(declared())
    assert [name for name in installed if name not in lock] == [], "run `make lock`"
    for name, found in installed.items():
        for requirement in closure.needs_of(found):
            locked = lock[canonicalize_name(requirement.name)]
            if found.version == lock[name].version:  # the ranges of another version say nothing of this lock
                assert requirement.specifier.contains(locked.version, prereleases=True), f"{name} needs {requirement}"


def test_nothing_that_the_product_needs_is_under_gpl_or_agpl_or_of_unknown_licence() -> None:
    licences = {name: closure.licence_of(found) for name, found in runtime_closure().items()}
    assert {name for name, licence in licences.items() if not licence} == set()
    assert {name: licence for name, licence in licences.items() if closure.is_copyleft(licence)} == {}


@pytest.mark.parametrize(
    ("licence", "copyleft"),
    [
        ("MIT", False),
        ("MPL-2.0", False),
        ("LGPL-3.0-or-later", False),
        ("GNU Lesser General Public License v3 (LGPLv3)", False),
        ("GPL-3.0-only", True),
        ("AGPL-3.0-or-later", True),
        ("MIT AND GPLv2", True),
        ("GNU General Public License v2 (GPLv2)", True),
        ("GNU Affero General Public License v3", True),
    ],
)
def test_copyleft_is_told_from_the_rest(licence: str, copyleft: bool) -> None:
    assert closure.is_copyleft(licence) is copyleft


def as_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the lock name the versions that are installed here."""
    lock = {name: closure.Locked(name, found.version, ("0" * 64,)) for name, found in runtime_closure().items()}
    monkeypatch.setattr(sbom, "read_lock", lambda: lock)


def test_the_bill_of_materials_names_everything_once_and_is_the_same_each_time(monkeypatch) -> None:
    as_installed(monkeypatch)
    document = sbom.bill()
    assert document == sbom.bill()
    assert (document["bomFormat"], document["specVersion"]) == ("CycloneDX", "1.6")
    assert document["serialNumber"].startswith("urn:uuid:")
    references = [component["bom-ref"] for component in document["components"]]
    assert [component["name"] for component in document["components"]] == list(runtime_closure())
    assert len(set(references)) == len(references)
    known = {*references, document["metadata"]["component"]["bom-ref"]}
    for row in document["dependencies"]:
        assert {row["ref"], *row["dependsOn"]} <= known
    assert all(component["licenses"][0]["license"]["name"] for component in document["components"])
    json.dumps(document)


def test_there_is_no_bill_of_materials_of_something_else_than_the_lock(monkeypatch) -> None:
    as_installed(monkeypatch)
    lock = sbom.read_lock()
    lock["httpx"] = closure.Locked("httpx", "0.0.1", ("0" * 64,))
    with pytest.raises(ValueError, match="httpx"):
        sbom.bill()


def answered(*rows: dict) -> str:
    return json.dumps({"dependencies": list(rows), "fixes": []})


CLEAN = {"name": "rich", "version": "1", "vulns": []}
SKIPPED = {"name": "httpx", "skip_reason": "Dependency not found"}
KNOWN = {"name": "idna", "version": "2", "vulns": [{"id": "PYSEC-1", "fix_versions": ["3"], "aliases": []}]}


@pytest.mark.parametrize(
    ("output", "status", "said"),
    [
        (answered(CLEAN), 0, "1 checked, no known vulnerability"),
        (answered(CLEAN, KNOWN), 1, "idna 2: PYSEC-1, fixed in 3"),
        (answered(SKIPPED), 2, "NOT CHECKED, the service knows nothing of 1 of 1: httpx"),
        (answered(CLEAN, SKIPPED), 2, "NOT CHECKED IN PART"),
        (answered(KNOWN, SKIPPED), 1, "NOT CHECKED IN PART"),
        (answered(), 2, "NOT CHECKED"),
        ("", 2, "NOT CHECKED, the service did not answer: no route"),
        ("[]", 2, "NOT CHECKED"),
    ],
)
def test_what_was_not_checked_is_never_called_passed(output: str, status: int, said: str) -> None:
    verdict = judge("a.lock", output, "Traceback\nno route\n")
    assert verdict.status == status
    assert said in "\n".join(verdict.lines)
    assert ("no known" in "\n".join(verdict.lines)) == (status == 0)


def test_image_and_guide_install_from_the_locks_with_hashes() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    installs = re.findall(r"/pip (?:--python \S+ )?install ([^\n&;]*)", dockerfile)
    assert len(installs) == len(re.findall(r"\bpip\b[^\n&;]* install\b", dockerfile))
    for name in (LOCK.name, BUILD_LOCK.name):
        assert f"--require-hashes -r {name}" in [line.strip(" \\") for line in installs]
    assert all("--require-hashes" in line or "--no-deps --no-index" in line for line in installs)
    assert "--require-hashes -r requirements.lock" in (ROOT / "docs" / "operating.md").read_text("utf-8")


def test_the_image_copies_all_that_its_wheel_is_built_from_and_its_builder_is_sent_nothing_else() -> None:
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    sources = {source for line in copied for source in line.split()}
    linked = [path.name for path in (ROOT / "coseal").iterdir() if path.is_symlink()]
    needed = {name.split("/")[0] for name in [*wheel["packages"], *linked, *wheel.get("force-include", {})]}
    assert needed - sources == set()
    sdist = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["sdist"]
    assert {f"/{name}" for name in linked} <= set(
        sdist["exclude"]
    )  # else it holds them by their folder, not as coseal.*
    rules = [line for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line[:1] not in ("", "#")]
    assert rules[0] == "*"
    sent = [path.name for rule in rules if rule.startswith("!") for path in ROOT.glob(rule[1:])]
    assert sorted(sent) == sorted(sources)
