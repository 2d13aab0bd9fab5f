"""Where the supervision contract keeps what in the state: the only place where its keys are spelt."""

from __future__ import annotations

from typing import Final

from coseal.contracts.kernel import deadlines

NAME: Final = "supervision"
SOURCE_BYTES_KEY: Final = "supervision/source_bytes"
TERMS_KEY: Final = "supervision/terms"

KEYS: Final = {
    "supervision/rule/<rule>": "which versions of a rule there are",
    "supervision/rule/<rule>/<version>": "one version of a rule",
    "supervision/set/<set>": "a rule set",
    "supervision/active/<process type>": "the sets that judge a process type",
    SOURCE_BYTES_KEY: "the bytes of source of all rules that judge",
    "supervision/waiting/<process type>": "how many sets with rules about sources are proposed, on trial or tried",
    "supervision/trial/<set>": "what the rules of a set found on trial",
    "supervision/ballot/<id>": "a ballot on rules or terms: how it stands, and what became of it",
    "supervision/subject/<id>": "what a ballot is about",
    "supervision/vote/<id>/<round>/<member>": "a vote, with its reason, and where it counts",
    "supervision/open/<member>": "how many ballots a proposer has open",
    "supervision/object/<process type>/<object type>/<object>": "the state of the monitors of an object",
    "supervision/finding/<id>": "a finding with its steps",
    "supervision/findings/<process type>/<object type>/<object>": "how many findings about an object there ever were",
    "supervision/cases/<member>": "how many cases that a member opened are open",
    "supervision/hold/<process type>/<object type>/<object>": "the hold of an object",
    "supervision/holds/<process type>": "how many objects of a process type are on hold",
    "supervision/obligation/<rule>/<member>/<source>": "what a source owes by a periodic rule",
    "supervision/question/<id>": "a question and its answer",
    "supervision/guidance/<id>": "a piece of guidance",
    "supervision/times/<step>": "how long a step took, and how often it was late",
    "supervision/times/<step>/<member>": "the same of one member",
    "supervision/statistics/<process type>/<rule>": "what became of the findings of a rule",
    TERMS_KEY: "the terms that differ from the defaults",
    "supervision/counter/<what>": "the last number of a ballot, finding, question or piece of guidance",
    **deadlines.keys(NAME),
}
OPEN_KEYS: Final = (
    "supervision/object/",
    "supervision/active/",
    "supervision/set/",
    "supervision/subject/",
    "supervision/rule/",
    "supervision/trial/",
    "supervision/finding/",
    *deadlines.open_keys(NAME),
)


def head_key(rule_id: str) -> str:
    """Return the state key of which versions of a rule there are."""
    return f"supervision/rule/{rule_id}"


def rule_key(rule_id: str, version: int) -> str:
    """Return the state key of one version of a rule."""
    return f"supervision/rule/{rule_id}/{version}"


def set_key(set_id: str) -> str:
    """Return the state key of a rule set."""
    return f"supervision/set/{set_id}"


def active_key(process_type: str) -> str:
    """Return the state key of the sets that judge a process type."""
    return f"supervision/active/{process_type}"


def waiting_key(process_type: str) -> str:
    """Return the state key of how many sets with rules about sources are proposed, on trial or tried."""
    return f"supervision/waiting/{process_type}"


def trial_key(set_id: str) -> str:
    """Return the state key of what the rules of a set found on trial."""
    return f"supervision/trial/{set_id}"


def ballot_key(ballot_id: str) -> str:
    """Return the state key of a ballot."""
    return f"supervision/ballot/{ballot_id}"


def subject_key(ballot_id: str) -> str:
    """Return the state key of what a ballot is about."""
    return f"supervision/subject/{ballot_id}"


def open_key(member: str) -> str:
    """Return the state key of how many ballots a proposer has open; absent for none."""
    return f"supervision/open/{member}"


def object_state_key(process_type: str, object_type: str, object_id: str) -> str:
    """Return the state key of the monitors of an object."""
    return f"supervision/object/{process_type}/{object_type}/{object_id}"


def finding_key(finding_id: str) -> str:
    """Return the state key of a finding."""
    return f"supervision/finding/{finding_id}"


def findings_key(process_type: str, object_type: str, object_id: str) -> str:
    """Return the state key of how many findings about an object there ever were, and of which severity are open.

    With its proof all findings can be shown, or that none is open.
    """
    return f"supervision/findings/{process_type}/{object_type}/{object_id}"


def cases_key(member: str) -> str:
    """Return the state key of how many cases that a member opened are open; absent for none."""
    return f"supervision/cases/{member}"


def hold_key(process_type: str, object_type: str, object_id: str) -> str:
    """Return the state key of an object's hold."""
    return f"supervision/hold/{process_type}/{object_type}/{object_id}"


def holds_key(process_type: str) -> str:
    """Return the state key of how many objects of a process type are on hold; absent for none."""
    return f"supervision/holds/{process_type}"


def obligation_key(rule_id: str, source: str) -> str:
    """Return the state key of what ``source`` (``member/source``) owes by a rule."""
    return f"supervision/obligation/{rule_id}/{source}"


def question_key(question_id: str) -> str:
    """Return the state key of a question."""
    return f"supervision/question/{question_id}"


def guidance_key(guidance_id: str) -> str:
    """Return the state key of a piece of guidance."""
    return f"supervision/guidance/{guidance_id}"


def times_key(step: str, member: str = "") -> str:
    """Return the state key of how long a step took, of one member or of all."""
    return f"supervision/times/{step}/{member}" if member else f"supervision/times/{step}"


def rule_statistics_key(process_type: str, rule: str) -> str:
    """Return the state key of what became of the findings of a rule."""
    return f"supervision/statistics/{process_type}/{rule}"


def counter_key(what: str) -> str:
    """Return the state key of the last number of ``ballot``, ``finding``, ``question`` or ``guidance``."""
    return f"supervision/counter/{what}"
