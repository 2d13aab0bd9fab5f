"""The scenario's part about the policy register: live acts, and historical facts with all that is odd about them."""

from __future__ import annotations

from typing import Any

from tests.vectors.recorded.scenario import Scenario

NOTICE = {"type_document": "notice", "date_document": "2021-09-15"}


def run(scenario: Scenario) -> None:
    """Run this part."""
    _joint(scenario)
    _municipal(scenario)
    _proposed(scenario)
    _recorded(scenario)


def _joint(scenario: Scenario) -> None:
    """A policy of two issuers, from its publication to its end."""
    joint = {
        "id": "cn/2021/1",
        "title": "虚拟货币",
        "passed_by": ["regulator", "central-bank", "A body"],
        "level": "central",
    }
    scenario.no("invalid_argument", "regulator", "policy.publish", **NOTICE, **joint)
    del joint["level"]
    scenario.no("forbidden", "bank-a", "policy.publish", **NOTICE, **joint)
    scenario.no("future_date", "regulator", "policy.publish", **{**NOTICE, "date_document": "2031"}, **joint)
    scenario.ok(
        "regulator",
        "policy.publish",
        **NOTICE,
        **joint,
        jurisdiction="CN-31",
        is_about=["money"],
        text_sha256="ab" * 32,
        cites=["cn/2013/1"],
        number="237",
    )
    scenario.no("exists", "regulator", "policy.publish", **NOTICE, **joint)
    endorse = {"id": "cn/2021/1"}
    scenario.no("unknown_instrument", "central-bank", "policy.endorse", id="cn/0")
    scenario.no("text_differs", "central-bank", "policy.endorse", **endorse, text_sha256="cd" * 32)
    scenario.no("not_awaited", "city", "policy.endorse", **endorse)
    scenario.ok("central-bank", "policy.endorse", **endorse, text_sha256="ab" * 32)
    scenario.no("already_done", "central-bank", "policy.endorse", **endorse)
    scenario.no("not_promulgated", "regulator", "policy.amend", **endorse, date="2022")
    dates = {"date_publication": "2021-09-24", "first_date_entry_in_force": "2021-10"}
    scenario.no("date_order", "regulator", "policy.promulgate", **endorse, **{**dates, "date_publication": "2020"})
    scenario.ok("regulator", "policy.promulgate", **endorse, **dates, number="237/1")
    scenario.no("already_done", "regulator", "policy.promulgate", **endorse, **dates)
    scenario.no("forbidden", "city", "policy.amend", **endorse, date="2022")
    for kind in ("amended", "revised", "corrected"):
        scenario.ok("central-bank", "policy.amend", **endorse, date="2022-01-10", kind=kind, text_sha256="cd" * 32)
    scenario.no("forbidden", "bank-a", "policy.evaluate", **endorse, date="2023", verdict="met", summary="Done")
    for verdict in ("met", "partly_met", "not_met"):
        evidence = ["ef" * 32]
        scenario.ok(
            "institute-a",
            "policy.evaluate",
            **endorse,
            date="2022-09-24",
            verdict=verdict,
            summary="So it went",
            evidence=evidence,
        )
    scenario.ok("regulator", "policy.repeal", **endorse, date_no_longer_in_force="2030-01-01", by="cn/2030/1")
    scenario.no("ended", "regulator", "policy.amend", **endorse, date="2023")


def _municipal(scenario: Scenario) -> None:
    """A policy of a city, which a higher level approves."""
    scenario.ok("city", "policy.publish", id="cn/city/1", title="Parking", **NOTICE)
    promulgate = {"id": "cn/city/1", "date_publication": "2021-10", "first_date_entry_in_force": "2022"}
    scenario.no("approval_missing", "city", "policy.promulgate", **promulgate)
    scenario.no("forbidden", "city", "policy.approve", id="cn/city/1", date="2021-09-20")
    scenario.ok("regulator", "policy.approve", id="cn/city/1", date="2021-09-20", number="9")
    scenario.no("already_done", "regulator", "policy.approve", id="cn/city/1", date="2021-09-20")
    scenario.ok("city", "policy.promulgate", **promulgate)


def _proposed(scenario: Scenario) -> None:
    """A proposal, which is passed later."""
    proposed = {"id": "cn/2022/2", "title": "A draft", **NOTICE}
    scenario.ok("regulator", "policy.publish", **proposed, stage="proposed")
    scenario.no("not_passed", "regulator", "policy.repeal", id="cn/2022/2", date_no_longer_in_force="2030")
    scenario.no("forbidden", "city", "policy.publish", **proposed)
    scenario.ok("regulator", "policy.publish", **{**proposed, "date_document": "2022-05"})


def _recorded(scenario: Scenario) -> None:
    """Historical facts: every finding there is, and the one refusal."""

    def record(code: str, *instruments: dict[str, Any], sha: str = "00", sender: str = "regulator") -> None:
        args = {"source": "A table", "source_sha256": sha * 32, "instruments": list(instruments)}
        if code == "ok":
            scenario.ok(sender, "policy.record", **args)
        else:
            scenario.no(code, sender, "policy.record", **args)

    def event(action: str, date: str = "", issuer: str = "Council") -> dict[str, str]:
        given = {"action": action, "date": date, "issuer": issuer}
        return {name: value for name, value in given.items() if value}

    record("forbidden", {"id": "t/1", "title": "T"}, sender="bank-a")
    record("invalid_argument", {"id": "t/1"})
    odd = [
        event("passed", "2017-05"),
        event("passed", "2017-05"),
        event("promulgated", "2017-01"),
        event("approved", "2016-05"),
        event("effective", "2016-01"),
        event("repealed", "2015", "Another body"),
        event("amended", "2018", ""),
        event("suspended", "", ""),
    ]
    record(
        "ok",
        {"id": "t/1", "title": "Odd", "level": "municipal", "jurisdiction": "CN", "events": odd},
        {"id": "t/2", "title": "Never passed", "events": [event("effective", "2016")]},
        {"id": "t/3", "title": "Not approved", "level": "municipal", "events": [event("passed", "2016")]},
        {"id": "cn/city/1", "title": "Live"},
        {
            "id": "t/4",
            "title": "All acts",
            "passed_by": ["Council"],
            "is_about": ["money", "roads"],
            "amends": ["t/1"],
            "events": [
                event(action, "2019") for action in ("proposed", "consulted", "revised", "corrected", "evaluated")
            ]
            + [event("expired", "2020")],
        },
    )
    record("ok", {"id": "t/2", "title": "Passed, says another"}, sha="11", sender="city")
    many = [event("amended", f"19{n:02}") for n in range(64)]
    record("limit", {"id": "t/5", "title": "Many", "events": many}, {"id": "t/5", "title": "Many", "events": odd[:1]})
