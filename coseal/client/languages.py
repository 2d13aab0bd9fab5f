"""The languages in which rules and findings are read: which one a reader has, and what findings say in it.

Law: a finding is said from its code and values, never translated from its English text; what a language has no
sentence for is shown as the ledger says it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final

from coseal.contracts.kernel.wording import FIRST_LANGUAGE, Units, in_language
from coseal.contracts.rules.reasons import ENGLISH, Language, sentence

CHINESE: Final = Language(
    Units(" 天", " 天", " 小时", " 分", " 秒", " 毫秒"),
    (" ", "相匹配的 "),
    {
        # DECLARE
        "occurred": "发生了 {a}，而规则不允许",
        "too_often": "{a} 发生 {count} 次，允许 {most} 次",
        "not_first": "首个事件不是 {a}",
        "both": "{a} 与{matching}{b} 均已发生",
        "both_within": "{a} 与{matching}{b} 均已发生，且相隔不超过 {within_ms}",
        "not_before": "{b} 之前没有{matching}{a}",
        "not_before_within": "{b} 之前 {within_ms}内没有{matching}{a}",
        "not_after_within": "{a} 之后 {within_ms}内没有{matching}{b}",
        "not_near_within": "{a} 前后 {within_ms}内没有{matching}{b}",
        "again": "{matching}{b} 发生之前再次发生 {a}",
        "again_within": "{a} 之后 {within_ms}内没有{matching}{b}，即再次发生 {a}",
        "not_since": "上次 {b} 之后没有{matching}{a}，即发生 {b}",
        "not_since_within": "上次 {b} 之后、本次 {b} 之前 {within_ms}内没有{matching}{a}",
        "not_alternating": "{a} 与{matching}{b} 未交替发生",
        "not_alternating_within": "{a} 与{matching}{b} 未在 {within_ms}内交替发生",
        "not_next": "{a} 之后未紧接{matching}{b}",
        "not_next_within": "{a} 之后 {within_ms}内未紧接{matching}{b}",
        "not_previous": "{b} 未紧接在{matching}{a} 之后",
        "not_previous_within": "{b} 未在 {within_ms}内紧接于{matching}{a} 之后",
        "not_adjacent": "{a} 与{matching}{b} 未彼此紧接",
        "not_adjacent_within": "{a} 与{matching}{b} 未在 {within_ms}内彼此紧接",
        "too_many_waiting": "等待匹配的事件超过 {most} 个",
        "too_much_read": "匹配条件从一个事件读取超过 {most} 个字符",
        # The other kinds
        "condition": "规则的条件不成立",
        "no_value": "表达式没有值：{problem}",
        "shape": "结构不符：{problem}",
        "claim_false": "所有者声明该条件不成立",
        "claim_missing": "所有者未声明该条件是否成立",
        "claim_version": "所有者声明的是第 {stated} 版，执行判断的是第 {version} 版",
        "late": "发生 {lag_ms}后才记录，允许 {within_ms}",
        "item_missing": "缺少第 {first} 条",
        "items_missing": "缺少第 {first} 至 {last} 条",
        "too_many_missing": "缺少第 {first} 至 {last} 条，允许缺 {most} 条",
        "same_actor": "{a} 与 {b} 由同一 {actor} 办理：{who}",
        "same_actor_again": "{a} 再次由同一 {actor} 办理：{who}",
        "no_actor": "没有 {actor}：无法确定由谁办理",
        "too_many_actors": "一个对象的办理者超过 {most} 个",
        "too_few": "{from_ms} 至 {until_ms} 期间应有 {n} 次 {activities}，实有 {done} 次",
        # Related objects
        "had_not": "{b} 发生时，{n} 个 {object_type} 中有 {count} 个此前没有 {a}：{objects}",
        "had_few": "{b} 发生时，{n} 个 {object_type} 中仅 {count} 个此前有 {a}，至少需 {least} 个：{objects}",
        "had_many": "{b} 发生时，{n} 个 {object_type} 中有 {count} 个此前有 {a}，至多允许 {most} 个：{objects}",
        "had_not_together": "{b} 之前没有一个 {a} 同时涉及全部 {n} 个 {object_type}：{objects}",
        "met_not": "{b} 发生时，{n} 个 {object_type} 中有 {count} 个不符合条件：{objects}",
        "met_few": "{b} 发生时，{n} 个 {object_type} 中仅 {count} 个符合条件，至少需 {least} 个：{objects}",
        "met_many": "{b} 发生时，{n} 个 {object_type} 中有 {count} 个符合条件，至多允许 {most} 个：{objects}",
        "too_many_related": "相关的 {object_type} 超过 {most} 个",
        "too_many_together": "{object_type} {object} 的 {a} 超过 {most} 次",
        "related_unseen": "{object_type} {object} 的记录早于本规则对它的监督",
        "related_no_target": "无法确定 {object_type} {object} 是否有 {a}：其条件没有值",
        "related_no_value": "条件对 {object_type} {object} 没有值：{problem}",
        "related_order": "{object_type} {object} 的 {a} 是否在先无从证明",
        "related_changed": "{object_type} {object} 此后已变更",
        "related_again": "{object_type} {object} 在同一批次中更正",
        "related_unproven": "{object_type} {object} 的记录已更正，且未重新判断",
        "related_corrected": "{source} 的第 {item} 条已更正，而 {object_type} {object} 曾据此计入",
        "related_beyond": "{source} 的第 {item} 条已更正，而据此判断的 {object_type} 超过 {most} 个",
        # Corrections
        "history_missing": "{source} 的第 {item} 条已更正，但未出示该对象的历史",
        "history_unseen": "{source} 的第 {item} 条已更正，而其记录早于本规则对该对象的监督",
        "history_long": "{source} 的第 {item} 条已更正；重新判断该对象需超过 {most} 步",
        "recording_unproven": "{source} 的第 {item} 条已更正或存在争议，而满足期限的事件何时记录无从证明",
        "period_corrected": "{from_ms} 至 {until_ms} 期间的一个事件已更正，而该期间已结束",
        # Disputes
        "disputed": "{source} 的第 {item} 条存在争议",
        "dispute_missing": "{source} 的第 {item} 条存在或曾有争议，但未出示该对象的历史",
        "dispute_long": "{source} 的第 {item} 条存在或曾有争议；重新判断该对象需超过 {most} 步",
        # Holds
        "on_hold": "因监管发现 {finding} 暂停至 {until_ms}",
        "opened": "由 {by} 立案：{text}",
        "unjustified": "紧急开封请求 {request} 经审查认定不当：{text}",
    },
)
LANGUAGES: Final[Mapping[str, Language]] = {"en": ENGLISH, "zh": CHINESE}


def reader_language(environment: Mapping[str, str] = os.environ) -> str:
    """Return the language of who reads a terminal: ``COSEAL_LANGUAGE``, else the locale's if there is one for it."""
    for name in ("COSEAL_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        value = environment.get(name, "")
        if value:
            language = value.lower().replace("-", "_").partition("_")[0].partition(".")[0]
            return language if language in LANGUAGES else FIRST_LANGUAGE
    return FIRST_LANGUAGE


def why(finding: Mapping[str, Any], language: str) -> str:
    """Return why a finding (its record, view or row) was raised."""
    match finding.get("reason"):
        case [str(code), dict(values)] if language != FIRST_LANGUAGE and language in LANGUAGES:
            try:
                return sentence(code, values, LANGUAGES[language])
            except KeyError:  # of a later version of the rules
                return str(finding["detail"])
    return str(finding["detail"])


def title_of(document: Mapping[str, Any] | None, language: str, otherwise: str = "") -> str:
    """Return the title of a rule, set or process type in a language; ``otherwise`` where it has none."""
    title = (document or {}).get("title")
    return in_language(title, language) if title else otherwise
