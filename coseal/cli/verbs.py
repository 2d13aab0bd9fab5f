"""A command for each action of each contract: ``coseal CONTRACT ACTION --FIELD VALUE``, made from the action's fields.

Law: such a command is ``coseal submit CONTRACT.ACTION`` with its arguments as options, and nothing else.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final

import typer

from coseal.cli.shared import Commands
from coseal.cli.transactions import submit
from coseal.client.actions import sender_of
from coseal.contracts.kernel.action import Action
from coseal.contracts.kernel.fields import (
    Boolean,
    Dependent,
    Field,
    Integer,
    Later,
    Many,
    OneOf,
    Parts,
    Special,
    Translatable,
)
from coseal.contracts.registry import CONTRACTS

_SHARED: Final = {
    name: parameter
    for name, parameter in inspect.signature(submit).parameters.items()
    if name not in ("action", "words")
}
"""The parameters of ``coseal submit`` but those that a command's name and options stand for."""
_TAKEN: Final = frozenset(
    spelling
    for parameter in _SHARED.values()
    for option in parameter.annotation.__metadata__
    for declared in (option.default, *(option.param_decls or ()))  # in an annotation the first stands for a default
    if isinstance(declared, str)
    for spelling in declared.split("/")
)


def names() -> list[str]:
    """Return what the first word of such a command can be."""
    return list(CONTRACTS)


@cache
def group(contract: str) -> Any:
    """Return the commands of a contract."""
    about = f"Send an action of the contract {contract}, one command each."
    app = typer.Typer(name=contract, cls=Commands, help=about, no_args_is_help=True, add_completion=False)
    for name, action in CONTRACTS[contract].actions.items():
        about = f"{action.title}.\n\nSent by {sender_of(action)}. `coseal actions {contract}.{name}` has an example."
        app.command(_dashed(name), help=about)(_command(f"{contract}.{name}", action))
    app.callback()(lambda: None)  # a group also where there is one action only
    return typer.main.get_command(app)


def _command(name: str, action: Action) -> Callable[..., None]:
    record = action.arguments.record
    own = [_parameter(key, field, needed=key in record.required) for key, field in record.fields.items()]

    def run(**given: Any) -> None:
        submit(action=name, words=words(record.fields, given), **{key: given[key] for key in _SHARED})

    parameters = [*own, *_SHARED.values()]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer makes options from
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def words(fields: Mapping[str, Field], given: Mapping[str, Any]) -> list[str]:
    """Return the options that were given as words of ``coseal submit``: ``key=text`` or ``key:=JSON``."""
    return [_word(key, field, given[f"args_{key}"]) for key, field in fields.items() if given.get(f"args_{key}")]


def _word(key: str, field: Field, values: list[Any]) -> str:
    plain = [value.value if isinstance(value, Enum) else value for value in values]
    if _is_list(field):
        return f"{key}:={json.dumps(plain, ensure_ascii=False)}"
    value = plain[-1]
    if not isinstance(value, str):
        return f"{key}:={json.dumps(value)}"
    mapped = isinstance(field, Translatable) and value[:1] == "{"
    return f"{key}:={value}" if _is_json(field) or mapped else f"{key}={value}"


def _parameter(key: str, field: Field, *, needed: bool) -> inspect.Parameter:
    """Return the option of a field; it may be repeated for the items of a list, else the last one counts."""
    plain = f"--{_dashed(key)}"
    spelling = f"--args.{key}" if plain in _TAKEN else plain  # --key is the sender's
    said = field.describe().replace("[", "\\[")
    about = typer.Option(
        spelling,
        metavar=_metavar(field),
        help=said[:1].upper() + said[1:] + (" (needed)" if needed else ""),
        show_default=False,
    )
    kind = _type(field.item if isinstance(field, Many) and _is_list(field) else field, key)
    annotation = Annotated[list[kind] | None, about]  # type: ignore[valid-type]  # made of the field
    return inspect.Parameter(f"args_{key}", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _type(field: Field, key: str) -> Any:
    """Return how one word of the command line is read; of a choice, how it is completed too."""
    match field:
        case OneOf():
            return Enum(key, {choice or "(empty)": choice for choice in field.allowed})
        case Integer():
            return int
        case Boolean():
            return bool
    return str


def _metavar(field: Field) -> str | None:
    if isinstance(field.item if isinstance(field, Many) else field, OneOf):
        return None  # the choices
    return "JSON" if _is_json(field) else "NUMBER" if isinstance(field, Integer) else "TEXT"


def _is_list(field: Field) -> bool:
    """Say whether an option is given once for each item: of texts, numbers and choices."""
    return isinstance(field, Many) and not isinstance(field.item, Parts | Later)


def _is_json(field: Field) -> bool:
    """Say whether a value is written as JSON: where it has parts, or its form is known later."""
    if isinstance(field, Special):
        return field.schema.get("type") != "string"
    return isinstance(field, Parts | Later | Dependent) and not _is_list(field)


def _dashed(name: str) -> str:
    return name.replace("_", "-")
