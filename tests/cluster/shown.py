"""Pages whose commands are run as they stand, and whose output is held against what the commands print.

Law: what a page shows is what a reader sees, but for what differs from run to run (hashes, times, heights, ports,
processes) and what the page leaves out with a line ``...``.

A page holds blocks of commands, fenced as ``console`` or indented, in which ``$ `` begins a command, and blocks with a
``title``, which are files that the reader writes. A command may fail only if the next one is ``echo $?``. All commands
of a page run in one shell, in their order.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ELISION = "..."
_FENCED = re.compile(r"^```(\w+)(?: title=\"([^\"]+)\")?\n(.*?)^```$|^(    \$ .*?)(?=^(?! {4}|$)|\Z)", re.M | re.S)
_MARK = "\x01"
_TIMEOUT_S = 400
_VARIES = (
    (r"[0-9a-f]{8,}(\.{2,3})?", "#"),
    (r"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|[+-]\d\d:\d\d)?", "#"),
    (r"\b(127\.0\.0\.1):\d+", r"\1:#"),
    (r"\d+(\.\d+)? (s|ms|MB|kB|events/s|/s)\b", r"# \2"),
    (r"\b(process|\w*height|heights|block|blocks|from|to|epoch|round|index) +\d+(\.\d+)?\b", r"\1 #"),
    (r"(^|\s)\d+:\d+(?=\s|$)", r"\1#:#"),
    (r"\b\d+ of \d+ (validators signed)", r"# \1"),
    (r"\b[\d,]+ (blocks|transactions|bytes)\b", r"# \1"),
    (r"\b\d+ of them new\b", "# of them new"),
    (r"\(\+\d+\)", "(+#)"),
    (r"\bsteps +\d+", "steps #"),
    (r"\b\d+ epoch\(s\)", "# epoch(s)"),
    (r"\b(signed_by|signatures of|votes:) .*", r"\1 #"),
    (r"─+", "─"),
    (r"(validator|observer) +\d+ +\d+ +\d+ ", r"\1 # # # "),
    (r"\b(\w*height|\w+_ms|sequence|pid|variant)(\"?[:=] ?)\d+", r"\1\2#"),
    (r"\s+", " "),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A command of a page with the lines shown under it; or a file, which has a ``name`` and its lines."""

    text: str
    lines: tuple[str, ...]
    name: str = ""


def shown(page: str) -> list[Shown]:
    """Return the commands and files of a page, in order."""
    found: list[Shown] = []
    for match in _FENCED.finditer(page):
        language, title, fenced, indented = match.groups()
        if title:
            found.append(Shown("", tuple(fenced.splitlines()), title))
        elif language == "console":
            found += _commands(fenced.splitlines())
        elif indented:
            found += _commands([line.removeprefix("    ") for line in indented.splitlines()])
    return found


def _commands(lines: Sequence[str]) -> Iterator[Shown]:
    text: list[str] = []
    output: list[str] = []
    for line in [*lines, "$ "]:
        if line.startswith("$ "):
            if text:
                while output and not output[-1]:
                    output.pop()
                yield Shown("\n".join(text), tuple(output))
            text, output = [line[2:]], []
        elif text[-1].endswith("\\") and not output:
            text.append(line)
        else:
            output.append(line)


def script(steps: Sequence[Shown]) -> str:
    """Return a shell script that does what the page says and ends at the first failure that is not shown as one."""
    parts = ["set -o pipefail"]
    for index, step in enumerate(steps):
        if step.name:
            parts.append(f"cat > {step.name} <<'END OF FILE'\n" + "\n".join(step.lines) + "\nEND OF FILE")
            continue
        follows = steps[index + 1].text if index + 1 < len(steps) else ""
        may_fail = follows == "echo $?"
        parts.append(f"{step.text}\n__code=$?\nprintf '\\n{_MARK}%s{_MARK}\\n' $__code")
        parts.append("(exit $__code)" if may_fail else "[ $__code = 0 ] || exit 1")
    return "\n".join(parts) + "\n"


def follow(page: str, folder: Path, *, base_port: int, steps: slice = slice(None)) -> None:
    """Do what a page says in ``folder``, with a network at ``base_port``; fail where it shows otherwise.

    ``steps`` are those of the page that are done.
    """
    wanted = shown(page)[steps]
    text = script(wanted).replace("coseal up", f"coseal up --base-port {base_port}")
    text = re.sub(r"(?<=127\.0\.0\.1:)86(\d\d)", lambda match: str(base_port + int(match[1])), text)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COSEAL_")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", "-c", text],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    told = re.findall(rf"(.*?)\n{_MARK}(\d+){_MARK}\n", done.stdout, re.S)
    commands = [step for step in wanted if not step.name]
    for step, (output, code) in zip(commands, told, strict=False):
        lines = output.strip("\n").splitlines()
        shows = "\n".join(step.lines)
        said = f"$ {step.text}\n{output}\n[exit code {code}; the page shows]\n{shows}"
        assert matches(step.lines, lines), said
    ended = f"the page ended here:\n{done.stdout[-4000:]}"
    assert len(told) == len(commands), ended
    assert done.returncode == 0, ended


def steady(line: str) -> str:
    """Return a line of output without what differs from run to run."""
    for pattern, sign in _VARIES:
        line = re.sub(pattern, sign, line)
    return line.strip()


def matches(expected: Sequence[str], lines: Sequence[str]) -> bool:
    """Say whether lines of output are those that a page shows; a line ``...`` stands for any number of lines.

    A shown line that ends with `` ...`` is the beginning of one. Under a command that shows nothing may be anything.
    """
    if not expected:
        return True
    wanted = [steady(line) for line in expected if line.strip()]
    said = [steady(line) for line in lines if line.strip()]
    return _matches(wanted, said)


def _matches(wanted: Sequence[str], said: Sequence[str]) -> bool:
    if not wanted:
        return not said
    first, rest = wanted[0], wanted[1:]
    if first == ELISION:
        return any(_matches(rest, said[skipped:]) for skipped in range(len(said) + 1))
    return bool(said) and _equal(first, said[0]) and _matches(rest, said[1:])


def _equal(wanted: str, said: str) -> bool:
    beginning, dots, _ = wanted.partition(f" {ELISION}")
    return said.startswith(beginning) if dots else said == wanted
