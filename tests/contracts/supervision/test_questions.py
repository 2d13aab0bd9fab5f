from __future__ import annotations

from hashlib import sha256

from coseal.contracts.supervision.terms import TERMS, times


def ask(court, sender="bank-a"):
    return court.act(sender, "ask", topic="Terms", question="From when do six months count?", about=["R-TERM"])


def test_a_question_is_answered_by_a_government_member_once(court):
    asked = ask(court)
    assert asked.data == {
        "id": "Q1",
        "status": "open",
        "deadline_ms": court.chain.executor.time_ms + TERMS["answer"],
    }
    assert court.act("bank-a", "answer", question="Q1", answer="From issue").code == "forbidden"
    assert court.act("regulator", "answer", question="Q9", answer="From issue").code == "unknown_question"
    answered = court.act("regulator", "answer", question="Q1", answer="From issue")
    (counted,) = answered.data.pop("credit")
    assert (counted["member"], counted["kind"], counted["origin"]) == ("regulator", "answered_in_time", "Q1")
    assert answered.data == {"id": "Q1", "status": "answered", "took_ms": 2_000 + 1_000}
    assert court.act("city", "answer", question="Q1", answer="From issue").code == "wrong_step"
    record = court.get("question/Q1")
    assert (record["member"], record["answered_by"], record["about"]) == ("bank-a", "regulator/admin", ["R-TERM"])
    assert times(court.chain.executor.reader, "answer", "regulator")["total_ms"] == 3_000
    assert court.wait(4 * TERMS["answer"]) == {}


def test_a_member_does_not_answer_itself(court):
    ask(court, "regulator")
    assert court.act("regulator", "answer", question="Q1", answer="So").code == "own_case"
    assert court.act("city", "answer", question="Q1", answer="So").ok


def test_a_question_without_an_answer_in_time_is_a_fact(court):
    ask(court)
    deadline_ms = court.chain.executor.time_ms + TERMS["answer"]
    assert court.wait(TERMS["answer"] - 1) == {}
    (late,) = court.wait(1)["overdue"]
    assert late == {
        "what": "question",
        "id": "Q1",
        "step": "answer",
        "side": "supervisor",
        "member": "",
        "deadline_ms": deadline_ms,
        "escalation": 1,
    }
    assert court.wait(TERMS["answer"])["overdue"][0]["escalation"] == 2
    assert court.wait(TERMS["answer"])["overdue"][0]["escalation"] == 3
    assert court.wait(2 * TERMS["answer"]) == {}
    assert court.act("regulator", "answer", question="Q1", answer="At last").ok
    assert times(court.chain.executor.reader, "answer")["overdue"] == 3


def test_guidance_is_published_and_replaced_by_its_member(court):
    guide = {"title": "Terms", "text": "From the day of issue."}
    assert court.act("bank-a", "guide", **guide).code == "forbidden"
    assert court.act("regulator", "guide", **guide).data == {"id": "G1"}
    assert court.get("guidance/G1")["text_sha256"] == sha256(b"From the day of issue.").hexdigest()
    assert court.act("city", "guide", **guide, replaces="G1").code == "forbidden"
    assert court.act("regulator", "guide", **guide, replaces="G7").code == "unknown_guidance"
    assert court.act("regulator", "guide", **guide, replaces="G1").data == {"id": "G2"}
    assert court.get("guidance/G1")["replaced_by"] == "G2"
    assert court.act("regulator", "guide", **guide, replaces="G1").code == "wrong_step"
