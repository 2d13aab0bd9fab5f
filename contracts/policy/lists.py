"""The lists of the policy register: instruments, and what recorded ones come from."""

from __future__ import annotations

from typing import Any, Final

from coseal.contracts.kernel.lists import Filter, List, Order, Row, Words
from coseal.contracts.policy import tables
from coseal.contracts.policy.instrument import issuers_of
from coseal.contracts.policy.state import instrument_key

_PART: Final = "policies"
_SOURCE: Final[Words] = {"en": "Source", "zh": "来源"}


def _summary(row: Row) -> dict[str, Any]:
    """Return the fields of an instrument, how many events it has, who issued it, and where it was written last."""
    document = dict(row["document"])
    issuers = issuers_of(document)
    events = document.pop("events")
    place = {"height": row["height"], "index": row["position"]}
    return {**document, "year": row["year"], "events": len(events), "issuers": issuers, **place}


POLICIES: Final = List(
    "policies",
    "/v1/policies",
    _PART,
    tables.POLICIES,
    "Instruments, filtered, by id or the newest first",
    {"en": "Policy instruments", "zh": "政策文件"},
    {
        "id": {"en": "Id", "zh": "编号"},
        "title": {"en": "Title", "zh": "名称"},
        "level": {"en": "Level", "zh": "层级"},
        "year": {"en": "Year", "zh": "年份"},
        "type_document": {"en": "Kind of document", "zh": "文种"},
        "issuers": {"en": "Issuers", "zh": "发文机关"},
    },
    (
        Filter("year", "Four digits, or `undated`.", pattern="^([0-9]{4}|undated)$"),
        Filter(
            "area",
            title={"en": "Area", "zh": "领域"},
            condition="EXISTS (SELECT 1 FROM policy_areas f WHERE f.area = :area AND f.policy = policies.id)",
        ),
        Filter("level"),
        Filter(
            "issuer",
            title={"en": "Issuer", "zh": "发文机关"},
            condition="EXISTS (SELECT 1 FROM policy_issuers f WHERE f.issuer = :issuer AND f.policy = policies.id)",
        ),
        Filter("status", title={"en": "Status", "zh": "状态"}),
        Filter("origin", title={"en": "Origin", "zh": "来历"}),
        Filter("type_document"),
        Filter("member", title={"en": "Recorded by", "zh": "登记方"}),
        Filter("source", "SHA-256 of what it was recorded from.", title=_SOURCE),
        Filter("title", "Text that the title contains.", "instr(lower(title), lower(:title)) > 0"),
    ),
    (Order("id", ("id",)), Order("newest", ("date", "id"), descending=True, separator=" ")),
    "`newest`: by date, latest first.",
    entry=_summary,
    key=instrument_key,
)
POLICY_SOURCES: Final = List(
    "policy-sources",
    "/v1/policies/sources",
    _PART,
    tables.POLICY_SOURCES,
    "What recorded instruments come from",
    {"en": "Sources of policy instruments", "zh": "政策文件的来源"},
    {
        "source": _SOURCE,
        "sha256": {"en": "SHA-256", "zh": "SHA-256"},
        "member": {"en": "Recorded by", "zh": "登记方"},
        "instruments": {"en": "Instruments", "zh": "文件数"},
    },
    orders=(Order("", ("height", "position")),),
    entries="sources",
    computed={
        "instruments": "(SELECT count(*) FROM policies p WHERE p.source = policy_sources.sha256"
        " AND p.status <> 'proposed')"
    },
    paged=False,
)

LISTS: Final = (POLICIES, POLICY_SOURCES)
