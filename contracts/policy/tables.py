"""The tables of policy instruments."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel.rows.schema import MADE, WRITTEN, Table, document, integer, text

_POLICY: Final = text("policy", "`policies.id`")

POLICIES: Final = Table(
    "policies",
    "one row an instrument, in its present state",
    ("id",),
    (
        text("id", "its id"),
        text("title", "its title"),
        text("level", "level of government, or `unstated`"),
        text("year", "year of its publication, else of the document, else `undated`"),
        text("type_document", "kind of document, or `unstated`"),
        text("status", "`recorded`, `proposed`, `passed`, `promulgated` or `ended`"),
        text("origin", "`live`, or `recorded` from a source"),
        text("member", "member that published or recorded it"),
        text("date", "date of its publication, else of the document, else empty"),
        text("source", "SHA-256 of the source it was recorded from, else empty"),
        *WRITTEN,
        document("every field, with its events"),
    ),
    indexes=(
        ("policies_by_year", "(year, id)"),
        ("policies_by_date", "(date, id)"),
        ("policies_by_source", "(source, status)"),
    ),
)
POLICY_SOURCES: Final = Table(
    "policy_sources",
    "one row a source that instruments were recorded from",
    ("sha256",),
    (
        text("sha256", "its SHA-256, hexadecimal"),
        text("source", "what it is"),
        text("member", "member that recorded it first"),
        *MADE,
    ),
)
POLICY_RELATIONS: Final = Table(
    "policy_relations",
    "one row a relation of an instrument to another",
    ("policy", "relation", "target"),
    (
        _POLICY,
        text("relation", "`amends`, `repeals`, `based_on`, `implements` or `cites`"),
        text("target", "id of the other"),
        *WRITTEN,
    ),
    indexes=(("policy_relations_to", "(target, policy, relation)"),),
)
POLICY_AREAS: Final = Table(
    "policy_areas",
    "one row an area that an instrument is about",
    ("area", "policy"),
    (text("area", "the area"), _POLICY, *WRITTEN),
    indexes=(("policy_areas_of", "(policy, area)"),),
)
POLICY_ISSUERS: Final = Table(
    "policy_issuers",
    "one row an issuer of an instrument",
    ("issuer", "policy"),
    (text("issuer", "the issuer"), _POLICY, integer("joint", "1 if it passed the instrument, 0 if not"), *WRITTEN),
    indexes=(("policy_issuers_of", "(policy, issuer, joint)"),),
)
POLICY_EVENTS: Final = Table(
    "policy_events",
    "one row an event in an instrument's life",
    ("policy", "number"),
    (
        _POLICY,
        integer("number", "from 0 on"),
        text("action", "`proposed`, `passed`, `promulgated`, `amended`, `repealed`, ..."),
        text("date", "its date, or empty"),
        text("issuer", "who acted, or empty"),
        *MADE,
    ),
)

TABLES: Final = (POLICIES, POLICY_SOURCES, POLICY_RELATIONS, POLICY_AREAS, POLICY_ISSUERS, POLICY_EVENTS)
