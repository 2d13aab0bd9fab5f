"""Commands on a running network, carried out in this process: starting one of its own costs more than most of them do.

Those that may start or end nodes have their own all the same (a refusal does not), and ``test_command_line`` runs all
as users do.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from typer.testing import CliRunner

from coseal.cli import app

_OF_PROCESSES = ("up", "down", "node", "member")


def command(*words: object) -> list[str]:
    """Return the words that run ``coseal WORDS`` as a process."""
    return [sys.executable, "-m", "coseal", *(str(word) for word in words)]


def environment() -> dict[str, str]:
    """Return the environment, without settings for other networks."""
    return {name: value for name, value in os.environ.items() if not name.startswith("COSEAL_")}


def coseal(*words: object, code: int = 0) -> str:
    """Run ``coseal WORDS``, expect its exit code, and return what it printed; of one that failed also its stderr."""
    out, said = _run(words, code)
    return out + said if code else out


def documents(*words: object, code: int = 0) -> Any:
    """Return the JSON that ``coseal WORDS --json`` prints."""
    return json.loads(_run((*words, "--json"), code)[0])


def _run(words: tuple[object, ...], code: int) -> tuple[str, str]:
    if words[0] in _OF_PROCESSES and not code:
        done = subprocess.run(
            command(*words), capture_output=True, text=True, timeout=240, env=environment(), check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout, done.stderr
    ran = CliRunner().invoke(app, [str(word) for word in words])
    assert isinstance(ran.exception, SystemExit | None), ran.exception
    assert ran.exit_code == code, ran.output
    return ran.stdout, ran.stderr
