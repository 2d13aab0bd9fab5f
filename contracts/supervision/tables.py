"""The tables of supervision: rules, ballots, findings with their steps, holds, questions, guidance."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, document, integer, octets, text

_TYPE: Final = text("process_type", "process type")
_DEADLINE: Final = integer("deadline_ms", "when it is due; null if nothing is", null=True)
_OVERDUE: Final = integer("overdue", "how often its time has passed without it")
_TERM: Final = integer("term_ms", "how long it may take", null=True)
_TIME: Final = integer("time_ms", "block time when it came")

RULES: Final = Table(
    "rules",
    "one row a version of a rule",
    ("id", "version"),
    (
        text("id", "its id"),
        integer("version", "its version"),
        _TYPE,
        text("kind", "`declare`, `guard`, `shape`, `segregation`, `related`, `lag`, `gap` or `periodic`"),
        text("status", "`proposed`, `trial`, `tried`, `adopted`, `superseded`, `retired` or `rejected`"),
        text("severity", "`notice`, `warning` or `violation`; empty if the rule names none"),
        text("effect", "`flag`, `notify`, `hold` or `reject`"),
        text("proposer", "member that proposed it"),
        text("ballot", "ballot it was proposed in"),
        *MADE,
        document("the rule"),
    ),
)
BALLOTS: Final = Table(
    "ballots",
    "one row a ballot about rules or terms",
    ("number",),
    (
        integer("number", "its number"),
        text("id", "its id: B and the number"),
        text("kind", "`rules`, `adopt`, `retire`, `terms`"),
        text("status", "`open`, `passed`, `accepted`, `rejected`, `expired` or `failed`"),
        text("proposer", "member that opened it"),
        integer("yes", "votes for"),
        integer("no", "votes against"),
        integer("abstain", "abstentions"),
        integer("closes_ms", "when it closes"),
        *MADE,
        document("what it is about; when it was opened, how many had a vote and were needed"),
    ),
    unique=("id",),
)
FINDINGS: Final = Table(
    "findings",
    "one row a finding, in its present state",
    ("number",),
    (
        integer("number", "its number"),
        text("id", "its id: F and the number"),
        text(
            "rule",
            "rule that raised it; `system:case` if a person opened it, `system:emergency` after an emergency request",
        ),
        integer("version", "version of the rule"),
        _TYPE,
        text("object_type", "object type"),
        text("object", "object it is about"),
        text("source", "source whose item raised it", null=True),
        text("subject", "member that has to answer", null=True),
        text("opened_by", "`member/user` that opened it; null if a rule raised it", null=True),
        text("severity", "severity of the rule"),
        text("effect", "effect of the rule"),
        text("verdict", "what the rule says"),
        text(
            "status",
            "`notified`, `raised`, `acknowledged`, `inquiry`, `response`, `rectified`, `sanctioned`, `appeal`,"
            " `closed` or `superseded`",
        ),
        _DEADLINE,
        text("step", "step that is due", null=True),
        text("side", "`supervisor` or `subject`: who is to take it", null=True),
        text("supervisor", "member that took it up", null=True),
        text("outcome", "what was decided", null=True),
        _OVERDUE,
        integer("escalation", "how far it has been escalated"),
        _TERM,
        _TIME,
        *MADE,
        document("the finding as it was raised"),
    ),
    unique=("id",),
    indexes=(
        ("findings_by_status", "(status, number)"),
        ("findings_by_rule", "(rule, number)"),
        ("findings_by_object", "(object, number)"),
    ),
)
FINDING_STEPS: Final = Table(
    "finding_steps",
    "one row a step of a finding",
    ("finding", "number"),
    (
        integer("finding", "`findings.number`"),
        integer("number", "from 0 on"),
        text("step", "`raised`, `acknowledge`, `inquire`, `respond`, `decide`, `overdue`, `closed`, ..."),
        text("sender", "`member/user`, empty if it came by itself"),
        _TIME,
        octets("tx", "`transactions.id`", null=True),
        *MADE,
        document("what was said"),
    ),
    series=1,
)
HOLDS: Final = Table(
    "holds",
    "one row an object that is or was on hold",
    ("process_type", "object_type", "object"),
    (
        _TYPE,
        text("object_type", "object type"),
        text("object", "id of the object"),
        text("finding", "`findings.id`"),
        text("status", "`held`, `lifted`, `expired` or `unanswered`"),
        integer("amount", "how much is held, in the smallest unit; null for the whole object", null=True),
        integer("until_ms", "when it ends"),
        *WRITTEN,
    ),
)
QUESTIONS: Final = Table(
    "questions",
    "one row a question to the supervisors",
    ("number",),
    (
        integer("number", "its number"),
        text("id", "its id: Q and the number"),
        text("topic", "its topic"),
        text("member", "member that asked"),
        text("status", "`open` or `answered`"),
        _DEADLINE,
        _OVERDUE,
        _TERM,
        _TIME,
        text("answered_by", "`member/user`", null=True),
        integer("took_ms", "how long the answer took", null=True),
        *MADE,
        document("question and answer"),
    ),
    unique=("id",),
)
GUIDANCE: Final = Table(
    "guidance",
    "one row a piece of guidance",
    ("number",),
    (
        integer("number", "its number"),
        text("id", "its id: G and the number"),
        text("title", "its title"),
        text("member", "member that gave it"),
        text("replaced_by", "id of what replaced it", null=True),
        _TIME,
        *MADE,
        document("its text"),
    ),
    unique=("id",),
)

TABLES: Final = (RULES, BALLOTS, FINDINGS, FINDING_STEPS, HOLDS, QUESTIONS, GUIDANCE)
