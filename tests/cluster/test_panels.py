"""A project is refused for one refuted leaf, argued again and certified, on a network of processes, by commands."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coseal.audit import sd_jwt
from coseal.demo.examples import example
from coseal.formats import arguments, ltac
from tests.cluster.commands import coseal, documents
from tests.cluster.network import reserve_ports

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

MEMBERS = {
    "regulator": "government",
    "central-bank": "bank",
    "bank-a": "bank",
    "factory": "enterprise",
    "city": "government",
    "academy": "institute",
    "union": "public",
}
VALIDATORS = ("regulator", "central-bank", "bank-a", "factory")
BODIES = ("regulator", "academy")
REVIEWERS = {name: "6.3" if name in ("academy", "union") else "5.2" for name in MEMBERS if name != "factory"}
SCHEME = json.loads(example("certification/rationality.json").read_text(encoding="utf-8"))


def consortium() -> str:
    lines = ['name = "panels"', f"validators = {json.dumps(VALIDATORS)}"]
    for name, role in MEMBERS.items():
        level = 'level = "central"\n' if role == "government" else ""
        lines.append(f'[[members]]\nid = "{name}"\nname = "{name}"\nrole = "{role}"\n{level}')
    return "\n".join(lines)


def statuses_in(file: Path) -> bytes:
    """Return the packed statuses of a status list token that ``academy`` signed."""
    token = sd_jwt.jws(file.read_text(encoding="utf-8").strip(), "status list", "statuslist+jwt")
    assert token.header["kid"] == "academy/admin"
    return zlib.decompress(sd_jwt.decode(token.claims["status_list"]["lst"], "list"))


class Court:
    """A network, and the commands that are typed on it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.net = folder, folder / "net"
        (folder / "town.toml").write_text(consortium(), encoding="utf-8")
        words = ("--consortium", folder / "town.toml", "--constitution", "founding", "--timeout", 200)
        base = reserve_ports(len(VALIDATORS))[0]
        coseal("up", self.net, "--detach", "--no-console", "--base-port", base, *words)

    def run(self, *words: object, code: int = 0) -> str:
        return " ".join(coseal("certification", *words, "--dir", self.net, code=code).split())

    def adopt(self) -> None:
        panel = {**SCHEME["panel"], "size": 5}
        subject = {"scheme": "rationality", "content": {**SCHEME, "panel": panel}, "bodies": list(BODIES)}
        file = self.folder / "scheme.json"
        file.write_text(json.dumps(subject), encoding="utf-8")
        words = ("--data", file, "--id", "scheme", "--as", "regulator", "--reason", "It asks what matters")
        found: dict[str, Any] = dict(documents("governance", "propose", "adopt_scheme", *words, "--dir", self.net))
        for member in VALIDATORS[1:]:
            if found["status"] == "open":
                voted = ("vote", "scheme", "yes", "--as", member, "--dir", self.net)
                found = dict(documents("governance", *voted))
        assert found["status"] == "accepted"

    def seal(self, project: str, nodes: list[dict[str, Any]]) -> None:
        file = self.folder / f"{project}.json"
        file.write_text(json.dumps(nodes), encoding="utf-8")
        args = {"project": project, "title": "Clearing", "scheme": "rationality", "kind": "public_chain"}
        applied = [f"--{name}={value}" for name, value in {**args, "framework-sha256": "cd" * 32}.items()]
        self.run("apply", *applied, "--as", "factory")
        self.run("argue-file", file, "--project", project, "--as", "factory")
        assert "sealed" in self.run("seal-file", file, "--project", project, "--as", "factory")

    def judge(self, project: str, **opinions: str) -> str:
        """Take a sealed project through a panel; return how it stands then."""
        self.run("admit", "--project", project, "--as", "regulator")
        for _ in ("commit", "show"):
            for member in ("factory", *BODIES):
                self.run("give-seed", project, "--keep", self.folder / f"seed-{project}-{member}", "--as", member)
        panel = self.panel(project)
        assert {name.split("/")[0] for name in panel} <= REVIEWERS.keys()
        for name in panel:
            self.run("declare", "--project", project, "--conflict", "false", "--as", name)
        form = self.folder / "form.json"
        self.run("review-form", project, "--out", form)
        self.fill(form, opinions)
        for words in (("--review", form), ()):
            for name in panel:
                keep = self.folder / f"review-{project}-{name.replace('/', '-')}"
                self.run("review", project, *words, "--keep", keep, "--as", name)
        return self.run("show", project)

    def panel(self, project: str) -> list[str]:
        (found,) = [json.loads(coseal("certification", "show", project, "--json", "--dir", self.net))]
        return [f"{member}/{user}" for member, user, *_ in found["round"]["panel"]]

    @staticmethod
    def fill(form: Path, opinions: dict[str, str]) -> None:
        review = json.loads(form.read_text(encoding="utf-8"))
        for leaf in review["leaves"]:
            review["leaves"][leaf] = {"opinion": opinions.get(leaf, "accepted"), "reason": "As it was shown"}
        for criterion in review["scores"]:
            review["scores"][criterion] = {"score": 3, "reason": "As it was shown"}
        form.write_text(json.dumps(review), encoding="utf-8")


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    made = Court(tmp_path)
    yield made
    coseal("down", made.net)


def clearing() -> list[dict[str, Any]]:
    """Return the shipped argument with nothing open in it."""
    nodes, _ = arguments.nodes_of(ltac.read(example("certification/clearing.ltac").read_text(encoding="utf-8")))
    made = [{**node, "sha256": "ab" * 32} if node["kind"] == "evidence" else dict(node) for node in nodes]
    return [{**node, "declared": "axiomatic"} if node["id"] == "Shippers" else node for node in made]


def test_a_project_on_one_refuted_leaf_is_refused_and_certified_when_it_is_argued_again(court: Court) -> None:
    court.adopt()
    until_ms = (int(time.time()) + 365 * 86_400) * 1_000
    for member, field in REVIEWERS.items():
        words = (f"--fields={field}", f"--statement-sha256={'ee' * 32}", f"--until-ms={until_ms}")
        court.run("register-reviewer", "--user", "admin", *words, "--as", member)
    court.seal("first", clearing())
    said = court.judge("first", **{"Default-Test": "refuted"})
    assert "first: reviewed" in said
    assert "credit-system undermined" in said
    decide = ("decide", "--project", "first", "--reason", "The exercise fails", "--as", "regulator")
    court.run(*decide, "--outcome", "certified", code=1)
    court.run(*decide, "--outcome", "refused")
    assert "first: refused" in court.run("show", "first")
    court.seal("second", clearing())
    assert "verdict certified" in court.judge("second")
    court.run(
        "decide", "--project", "second", "--outcome", "certified", "--reason", "It was repeated", "--as", "regulator"
    )
    said = court.run("show", "second")
    assert "second: certified" in said
    assert "certificate C1" in said
    file, genesis = court.folder / "certificate.json", court.net / "genesis.json"
    assert "C1: second of factory is certified" in court.run("export", "C1", "--out", file)
    verify = ("verify", file, "--genesis", genesis)
    assert "is certified under rationality" in " ".join(coseal(*verify).split())
    held, shown, status = (court.folder / name for name in ("held.json", "shown.json", "status.jwt"))
    assert "factory/admin" in court.run("credential", "C1", "--as", "academy", "--out", held)
    words = ("--audience", "https://bank.example", "--nonce", "n1", "--as", "factory", "--sd-jwt", court.folder / "vc")
    court.run("present", held, "--disclose", "score", *words, "--out", shown)
    assert "academy/admin signed the credential" in " ".join(coseal("verify", shown, "--genesis", genesis).split())
    court.run("present", held, "--disclose", "score", "--word-alone", "--out", shown)
    assert "its word alone" in " ".join(coseal("verify", shown, "--genesis", genesis).split())
    court.run("present", held, "--disclose", "reviewers", "--out", shown, code=2)
    court.run("present", held, "--nonce", "n1", "--out", shown, code=2)
    court.run("credential", "C1", "--as", "bank-a", "--out", court.folder / "none.json", code=2)
    court.run("status-list", "--as", "academy", "--uri", "https://academy.example/status", "--out", status)
    assert statuses_in(status) == b"\x00"
    subject = court.folder / "revoke.json"
    subject.write_text(json.dumps({"certificate": "C1", "reason": "It was staged"}), encoding="utf-8")
    words = ("--data", subject, "--id", "revoke", "--as", "regulator", "--reason", "It was staged")
    found: dict[str, Any] = dict(documents("governance", "propose", "revoke_certificate", *words, "--dir", court.net))
    for member in VALIDATORS[1:]:
        if found["status"] == "open":
            voted = ("vote", "revoke", "yes", "--as", member, "--dir", court.net)
            found = dict(documents("governance", *voted))
    assert "second: revoked" in court.run("show", "second")
    court.run("export", "C1", "--out", court.folder / "late.json", code=1)
    court.run("status-list", "--as", "academy", "--uri", "https://academy.example/status", "--out", status)
    assert statuses_in(status) == b"\x01"
    height = json.loads(file.read_text(encoding="utf-8"))["block"]["header"]["height"]
    coseal(*verify, "--min-height", str(int(height) + 1), code=2)
