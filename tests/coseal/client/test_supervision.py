"""Supervision from a member's side: what is given is read rightly, what is shown was proven."""

from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from coseal.cli.findings import where_it_stands
from coseal.client import supervision
from coseal.errors import BadAnswer, CosealError, Refused

RULE = {
    "id": "R-POSITIVE",
    "version": 1,
    "title": "Amounts are positive",
    "legal_basis": ["external:a law"],
    "scope": {"process_type": "t", "object_type": "case"},
    "kind": "guard",
    "on": ["Create"],
    "assert": "e.attributes.amount > 0",
}
TYPE = {
    "id": "t",
    "version": 1,
    "title": "T",
    "object_types": {"case": {}},
    "event_types": {"Create": {"attributes": {"amount": "integer"}}},
}


@pytest.mark.parametrize(
    ("text", "ms"), [("250ms", 250), ("90s", 90_000), ("15min", 900_000), ("24 h", 86_400_000), ("10d", 864_000_000)]
)
def test_a_time_is_a_number_with_its_unit(text, ms):
    assert supervision.duration_ms(text) == ms


@pytest.mark.parametrize(
    ("status", "outcome", "text"),
    [
        ("rectified", "rectified", "rectified"),
        ("closed", "rectified", "closed (rectified)"),
        ("raised", None, "raised"),
        ("inquiry", "", "inquiry"),
    ],
)
def test_where_a_finding_stands_is_not_said_twice(status, outcome, text):
    assert where_it_stands({"status": status, "outcome": outcome}) == text


@pytest.mark.parametrize("text", ["", "10", "d", "-1d", "0s", "1.5h", "1 week", "1d2h"])
def test_any_other_time_is_refused(text):
    with pytest.raises(CosealError, match="expected a time such as 90s, 15min, 24h or 10d"):
        supervision.duration_ms(text)


def test_evidence_is_the_digest_of_a_file_or_a_digest(tmp_path: Path):
    file = tmp_path / "letter.txt"
    file.write_bytes(b"so it was")
    given = ["ab" * 32, str(file)]
    assert supervision.evidence_of(given) == {"evidence": ["ab" * 32, sha256(b"so it was").hexdigest()]}
    assert supervision.evidence_of([]) == {}
    with pytest.raises(CosealError, match=r"nothing\.txt: No such file"):
        supervision.evidence_of([str(tmp_path / "nothing.txt")])


@pytest.mark.parametrize(
    ("text", "is_one"), [("F1", True), ("F120", True), ("F0", False), ("f1", False), ("F1/x", False)]
)
def test_a_finding_is_told_from_an_object(text, is_one):
    assert supervision.is_finding(text) is is_one


@pytest.fixture
def supervised(node):
    """A node on whose chain a rule was adopted and broken, and the finding answered."""
    with node.client() as enterprise, node.client("regulator") as regulator:
        enterprise.submit("process", "define_type", TYPE).require_ok()
        source = {"id": "s", "process_type": "t", "mode": "historical"}
        enterprise.submit("process", "register_source", source).require_ok()
        supervision.propose(regulator, [RULE], title="Amounts").require_ok()
        for member in ("regulator", "central-bank", "bank-a"):
            with node.client(member) as client:
                supervision.vote(client, "B1", "yes", "it is right").require_ok()
        event = {"event": "e1", "type": "Create", "time": "2020-01-01T00:00:00Z", "objects": [["case", "c1"]]}
        batch = {"source": "s", "sequence": 1, "items": [{**event, "attributes": {"amount": -1}}]}
        enterprise.submit("process", "record", batch).require_ok()
        supervision.step(regulator, "acknowledge", "F1", note="seen").require_ok()
        supervision.step(regulator, "inquire", "F1", question="Why?").require_ok()
        supervision.step(enterprise, "respond", "F1", response="So.", evidence=["cd" * 32]).require_ok()
    return node


def test_a_finding_comes_with_what_was_said_in_each_proven_step(supervised):
    with supervised.client() as client:
        document = supervision.finding(client, "F1")
    assert document["finding"]["status"] == "response"
    assert document["rule"] == RULE
    said = [
        {key: step[key] for key in ("step", "by", "note", "question", "response", "evidence") if key in step}
        for step in document["trail"]
    ]
    assert said == [
        {"step": "acknowledge", "by": "regulator/admin", "note": "seen"},
        {"step": "inquire", "by": "regulator/admin", "question": "Why?"},
        {"step": "respond", "by": "enterprise-a/admin", "response": "So.", "evidence": ["cd" * 32]},
    ]


def test_a_node_that_changes_what_was_said_is_found_out(supervised):
    def lie(path, document):
        if path.startswith("/v1/transactions/"):
            document["transaction"]["args"]["finding"] = "F2"
        return document

    supervised.tamper = lie
    with supervised.client() as client, pytest.raises(BadAnswer, match="a receipt that does not hold"):
        supervision.finding(client, "F1")


def test_rules_and_ballots_are_shown_as_proven(supervised):
    with supervised.client() as client:
        rule = supervision.rule(client, "R-POSITIVE")
        assert (rule["status"], rule["active"], rule["rule"]) == ("adopted", 1, RULE)
        assert supervision.rule(client, "R-POSITIVE@1") == rule
        ballot = supervision.ballot(client, "B1")
        assert {vote["member"] for vote in ballot["votes"]} == {"regulator", "central-bank", "bank-a"}
        assert (ballot["yes"], ballot["needed"], ballot["of"]) == (3, 3, 4)
        assert (ballot["rule"]["name"], ballot["rule"]["electorate"]) == ("ordinary", "validators")
        assert ballot["set"]["rules"] == [["R-POSITIVE", 1]]


def test_what_is_not_there_is_said_and_what_is_misspelt_is_refused(supervised):
    with supervised.client() as client:
        for look, name in (
            (supervision.finding, "F9"),
            (supervision.rule, "R-NONE"),
            (supervision.rule, "R-POSITIVE@2"),
        ):
            with pytest.raises(BadAnswer, match=f"there is no .* {name}"):
                look(client, name)
        with pytest.raises(BadAnswer, match="there is no ballot B9"):
            supervision.ballot(client, "B9")
        with pytest.raises(CosealError, match="they are called F1, F2"):
            supervision.finding(client, "12")
        with pytest.raises(CosealError, match="expected ID or ID@VERSION"):
            supervision.rule(client, "R-POSITIVE@new")
        with pytest.raises(Refused, match="ballot_closed"):
            _vote_late(supervised)


def _vote_late(node):
    with node.client("bank-a") as client:
        supervision.vote(client, "B1", "no").require_ok()


def test_a_list_is_asked_for_as_the_api_has_it(node):
    seen = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json={"height": 1, "findings": [], "next": None})

    client = node.client()
    client._http = httpx.Client(base_url="http://node.test", transport=httpx.MockTransport(answer))
    assert list(client.findings(rule="R", party=None)) == []
    assert seen == ["http://node.test/v1/findings?rule=R&limit=1000"]
