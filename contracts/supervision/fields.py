"""The field of a list of rules, as actions take it.

Law: it checks only what stands in keys; the rest of a rule is read when its process type is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from coseal.contracts.kernel.fields import Identifier, Special
from coseal.contracts.kernel.names import MAX_IDENTIFIER
from coseal.contracts.supervision.checks import MAX_PROPOSED

_process_type: Final = Identifier(slash=False)


def rules_field(most: int) -> Special:
    """Return the field of 1 to ``most`` rules of one process type."""

    def faults(value: Any) -> Iterator[str]:
        if type(value) is not list or not 0 < len(value) <= most:
            yield f": expected a list of 1 to {most} rules"
            return
        process_type: Any = None
        for index, entry in enumerate(value):
            scope = entry.get("scope") if type(entry) is dict else None
            named = scope.get("process_type") if type(scope) is dict else None
            error = _process_type.check(named)
            if error is not None:
                yield f"[{index}].scope.process_type{error}"
            elif process_type not in (None, named):
                yield f"[{index}].scope.process_type: expected {process_type}; a set is about one process type"
            else:
                process_type = named
            if type(entry) is dict and type(entry.get("version")) is not int:
                yield f"[{index}].version: expected an integer"

    properties = {
        "version": {"type": "integer"},
        "scope": {
            "type": "object",
            "required": ["process_type"],
            "properties": {"process_type": {"type": "string", "minLength": 1, "maxLength": MAX_IDENTIFIER}},
        },
    }
    rule = {"type": "object", "required": ["scope", "version"], "properties": properties}
    return Special(
        faults,
        f"a list of 1 to {most} rules of one process type, each as in a rule file",
        {"type": "array", "minItems": 1, "maxItems": most, "items": rule},
        refused=(
            None,
            {},
            [],
            [None],
            [{"version": 1}],
            [{"version": 1, "scope": {"process_type": "a/b"}}],
            [{"version": "1", "scope": {"process_type": "a"}}],
            [{"version": 1, "scope": {"process_type": name}} for name in ("a", "b")],
            [{"version": 1, "scope": {"process_type": "a"}}] * (most + 1),
        ),
        passed=([{"version": 1, "scope": {"process_type": "a"}}] * most,),
    )


RULES: Final = rules_field(MAX_PROPOSED)
