"""The reference of the command line, made from the commands themselves (Typer)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import typer.main

from coseal.cli import app
from docs.site.markdown import block, code, table


def page() -> str:
    """Return every command with its usage, arguments, options and examples."""
    return "\n".join(
        part for words, command in _commands(typer.main.get_command(app)) for part in _entry(words, command)
    )


def _commands(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _commands(command, (*words, name))
        elif not command.hidden:
            yield (*words, name), command


def _entry(words: tuple[str, ...], command: Any) -> Iterator[str]:
    shown = [item for item in command.params if not getattr(item, "hidden", False)]
    arguments = [item for item in shown if not _is_option(item)]
    usage = " ".join(
        ["coseal", *words, *map(_placeholder, arguments), *(["[options]"] if len(shown) > len(arguments) else [])]
    )
    yield f"## {' '.join(words)}\n"
    yield block(usage, "text")
    yield _prose(command.help or "")
    rows = [(code(_placeholder(item)), item.help or "", _default(item)) for item in arguments]
    yield table(("argument", "", "if not given"), rows)
    options = [item for item in shown if _is_option(item)]
    yield table(("option", "", "if not given"), [(_names(item), item.help or "", _default(item)) for item in options])


def _is_option(item: Any) -> bool:
    return str(item.opts[0]).startswith("-")


def _placeholder(item: Any) -> str:
    name = item.metavar or item.name.upper()
    more = " ..." if item.nargs == -1 else ""
    return f"{name}{more}" if item.required else f"[{name}{more}]"


def _names(item: Any) -> str:
    """Return an option's spellings with what it takes."""
    takes = "" if item.is_flag else f" {item.metavar or _kind(item)}"
    names = [code(f"{name}{takes}") for name in (*item.opts, *item.secondary_opts)]
    return ", ".join(names) + ("; may be repeated" if item.multiple else "")


def _kind(item: Any) -> str:
    """Return what an option takes, from its annotation: the choices, or the kind of value."""
    annotation = item.type_descriptor.annotation
    choices = [str(choice.value) for choice in annotation] if hasattr(annotation, "__members__") else []
    return "|".join(choices) or {"int": "N", "float": "N", "Path": "FILE"}.get(
        getattr(annotation, "__name__", ""), "TEXT"
    )


def _default(item: Any) -> str:
    """Return what holds when it is left out, and the variable of the environment that is asked."""
    told = item.show_default if isinstance(item.show_default, str) else ""
    if item.required:
        told = "required"
    elif not told and not getattr(item, "is_flag", False) and item.default not in (None, [], ()):
        told = str(getattr(item.default, "value", item.default))
    variable = item.envvar if isinstance(item.envvar, str) else ""
    return "; ".join(part for part in (told, f"`{variable}` of the environment" if variable else "") if part)


def _prose(text: str) -> str:
    """Return a help text as Markdown: its indented lines are code."""
    plain = re.sub(r"\[/?(bold|dim|italic)\]", "", text)
    parts: list[str] = []
    for paragraph in plain.split("\n\n"):
        if not paragraph.startswith("  "):
            parts.append(paragraph + "\n")
        elif parts and parts[-1].startswith("```"):
            parts[-1] = block(parts[-1][len("```text\n") : -len("\n```\n")] + "\n" + _dedented(paragraph), "text")
        else:
            parts.append(block(_dedented(paragraph), "text"))
    return "\n".join(parts)


def _dedented(paragraph: str) -> str:
    return "\n".join(line.removeprefix("  ") for line in paragraph.splitlines())
