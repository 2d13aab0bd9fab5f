"""Findings and titles in the reader's language: from the same codes, and never without a sentence."""

from __future__ import annotations

import re

import pytest

from coseal.client.languages import LANGUAGES, reader_language, title_of, why
from coseal.contracts.rules.reasons import ENGLISH, Reason, reason

HELD = re.compile(r"{(\w+)}")


def finding(found: Reason):
    return {"reason": [found.code, found.values], "detail": str(found)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_a_sentence_for_every_code_with_the_same_values(language):
    sentences = LANGUAGES[language].sentences
    assert list(sentences) == list(ENGLISH.sentences)
    for code, words in ENGLISH.sentences.items():
        assert set(HELD.findall(sentences[code])) == set(HELD.findall(words)), code


def test_a_finding_is_said_in_the_readers_language():
    late = finding(reason("late", lag_ms=123_456, within_ms=1_000))
    assert why(late, "en") == "recorded 2 min 3.456 s after it happened; 1 s is allowed"
    assert why(late, "zh") == "发生 2 分 3.456 秒后才记录，允许 1 秒"
    before = finding(reason("not_before_within", a="apply", b="pay", matching=True, within_ms=5_184_000_000))
    assert why(before, "zh") == "pay 之前 60 天内没有相匹配的 apply"
    assert (
        why(finding(reason("on_hold", until_ms=0, finding="F3")), "zh") == "因监管发现 F3 暂停至 1970-01-01T00:00:00Z"
    )


@pytest.mark.parametrize("odd", [{}, {"reason": None}, {"reason": ["to come", {}]}, {"reason": ["late", {}]}])
def test_what_a_language_cannot_say_is_shown_as_the_ledger_says_it(odd):
    assert why({"detail": "as it was", **odd}, "zh") == "as it was"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "de_DE"}, "en"),
        ({"LANG": "en_GB", "COSEAL_LANGUAGE": "zh"}, "zh"),
        ({"LC_MESSAGES": "zh"}, "zh"),
        ({"COSEAL_LANGUAGE": "zh-Hans"}, "zh"),
    ],
)
def test_the_readers_language_is_chosen_or_that_of_the_locale(environment, language):
    assert reader_language(environment) == language


def test_a_title_has_the_readers_language_or_english_or_what_there_is():
    both = {"title": {"en": "Loans", "zh": "贷款"}}
    assert [title_of(both, language) for language in ("en", "zh", "de")] == ["Loans", "贷款", "Loans"]
    assert title_of({"title": {"fr": "Prêts", "de": "Kredite"}}, "zh") == "Kredite"
    assert title_of({"title": "Loans"}, "zh") == "Loans"
    assert (title_of({}, "en", "R-1"), title_of(None, "en")) == ("R-1", "")
