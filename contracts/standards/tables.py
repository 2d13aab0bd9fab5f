"""The tables of standards: versions, who is on them, what is used, what reviews found, disputes."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, document, integer, text

_STANDARD: Final = (text("standard", "its id"), integer("version", "its version"))
_DOMAIN: Final = text("domain", "what it competes in")
_PERIOD: Final = integer("period", "number of the period, 30 days of block time")

STANDARDS: Final = Table(
    "standards",
    "one row a version of a standard, in its present state",
    ("standard", "version"),
    (
        *_STANDARD,
        text("kind", "`process_type`, `rule_set`, `schema`, `area_list` or `format`"),
        _DOMAIN,
        text("title", "its title, in English if it has one"),
        text("status", "`proposed`, `in_use`, `de_facto`, `lapsed` or `ended`"),
        text("member", "member that proposed it"),
        integer("adopters", "members that ever tried or adopted it"),
        text("recognised", "`recommended`, `reference`, or empty"),
        text("recognised_by", "member that recognised it, or empty"),
        integer("sunset_ms", "when it ends; null if it does not", null=True),
        *MADE,
        document("content, patents, digest, titles by language; the instrument of its recognition, its successor"),
    ),
    indexes=(("standards_by_domain", "(domain, standard, version)"),),
)
ADOPTIONS: Final = Table(
    "adoptions",
    "one row a member that tries or has adopted a version, or did",
    ("standard", "version", "member"),
    (
        *_STANDARD,
        text("member", "the member"),
        text("mode", "`trial` or `adopted`"),
        integer("from_ms", "since when"),
        integer("until_ms", "until when; null: open", null=True),
        *WRITTEN,
        document("sources, if not all; why it ended"),
    ),
    indexes=(("adoptions_by_member", "(member, standard, version)"),),
)
STANDARD_USE: Final = Table(
    "standard_use",
    "one row a member, version and period: what it recorded under the version",
    ("standard", "version", "member", "period"),
    (
        *_STANDARD,
        text("member", "the member"),
        _PERIOD,
        integer("items", "items"),
        integer("conforming", "those that conform"),
        integer("undetermined", "those that could not be judged"),
        *WRITTEN,
    ),
)
DOMAIN_USE: Final = Table(
    "domain_use",
    "one row a member, domain and period: what it recorded in the domain",
    ("domain", "member", "period"),
    (_DOMAIN, text("member", "the member"), _PERIOD, integer("items", "items"), *WRITTEN),
)
STANDARD_STATUS: Final = Table(
    "standard_status",
    "one row a review of a version",
    ("standard", "version", "period"),
    (
        *_STANDARD,
        _PERIOD,
        text("status", "status after the review"),
        text("before", "status before it"),
        integer("users", "members that use it"),
        integer("active", "members that are active in its domain"),
        integer("adopters", "members that have adopted it"),
        integer("items", "items under it in the period"),
        *WRITTEN,
        document("`by_constituency`: `users`, `active` and `adopters`"),
    ),
)
STANDARD_DISPUTES: Final = Table(
    "standard_disputes",
    "one row a dispute",
    ("standard", "version", "member", "number"),
    (
        *_STANDARD,
        text("member", "member that disputes it"),
        integer("number", "how many of this member about this version"),
        text("ground", "`ambiguity`, `defect`, `patent`, `capture` or `domain`"),
        text("status", "`open`, `overdue`, `answered`, `upheld` or `dismissed`"),
        integer("due_ms", "when the answer is due"),
        *MADE,
        document("what is disputed, the answer, the ballot"),
    ),
)

OWN_FINDINGS: Final = Table(
    "own_findings",
    "one row what an own rule set found on what its member recorded; nobody is obliged by it",
    ("height", "position", "number"),
    (
        *MADE,
        integer("number", "number among those of the transaction, or of the block's start"),
        *_STANDARD,
        text("member", "the member whose own set it is"),
        text("rule", "the rule"),
        integer("rule_version", "its version"),
        text("object_type", "object type"),
        text("object", "object it is about"),
        integer("sequence", "the item's number in its source; null of a deadline", null=True),
        text("verdict", "`violated` or `undetermined`"),
    ),
    indexes=(("own_findings_by_standard", "(standard, version, member, height)"),),
)

TABLES: Final = (STANDARDS, ADOPTIONS, STANDARD_USE, DOMAIN_USE, STANDARD_STATUS, STANDARD_DISPUTES, OWN_FINDINGS)
