"""Compiles the hot modules into the wheel, when ``COSEAL_COMPILED=1`` asks for it; any other build is of sources alone.

The modules that ``compiled`` of pyproject.toml names are compiled by mypyc, in a copy: no binary ever lies beside the
sources of a checkout. The wheel holds the sources too, for auditors and tracebacks; Python takes the binaries first.
Why, and what differs: docs/decisions/0023-compiled-build.md.
"""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "COSEAL_COMPILED"
MYPY = """[mypy]
explicit_package_bases = true
ignore_missing_imports = true
warn_unused_configs = false
[mypy-nacl.*,cryptography.*,msgpack.*,ormsgpack.*]
follow_imports = skip
"""
"""Types of other packages are left out, so that the result does not depend on which are installed here."""


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds compiled modules to a wheel."""

    def dependencies(self) -> list[str]:
        """Return what compiling needs; nothing for a build that does not compile."""
        return [str(self.config["compiler"])] if _wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and name the binaries to the builder; raise ``SystemExit`` where there is no C compiler."""
        if version == "editable" or not _wanted():
            return
        _require_c_compiler()
        self._work = Path(tempfile.mkdtemp(prefix="coseal-compile-"))
        binaries = _compiled(Path(self.root), self._work, self.config["compiled"])
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        build_data["force_include"].update({str(path): str(path.relative_to(self._work)) for path in binaries})

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the copy."""
        work = getattr(self, "_work", None)
        if work is not None:
            shutil.rmtree(work)


def _wanted() -> bool:
    return os.environ.get(VARIABLE, "") not in ("", "0")


def _require_c_compiler() -> None:
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        raise SystemExit(
            f"{VARIABLE} asks for a compiled build, but there is no C compiler ({compiler}): "
            f"install gcc, or build without {VARIABLE}"
        )
    header = Path(sysconfig.get_path("include")) / "Python.h"
    if not header.is_file():
        raise SystemExit(f"{VARIABLE} asks for a compiled build, but {header} is missing: install Python's headers")


def _compiled(root: Path, work: Path, patterns: list[str]) -> list[Path]:
    """Compile the modules in a copy under ``work``; return the binaries."""
    from mypyc.build import mypycify
    from setuptools import Distribution

    shutil.copytree(root / "coseal", work / "coseal", ignore=shutil.ignore_patterns("__pycache__", "*.so"))
    with contextlib.chdir(work):
        Path("mypy.ini").write_text(MYPY, encoding="utf-8")
        modules = [str(path) for pattern in patterns for path in _matches(pattern)]
        extensions = mypycify(modules, opt_level="2", debug_level="0", multi_file=True, group_name="coseal")
        distribution = Distribution({"name": "coseal", "packages": [], "ext_modules": extensions})
        command = distribution.get_command_obj("build_ext")
        command.ensure_finalized()
        command.inplace = True
        command.run()
    return sorted(path for path in work.rglob("*.so") if "build" not in path.relative_to(work).parts)


def _matches(pattern: str) -> list[Path]:
    """Return the modules of a pattern; raise ``SystemExit`` if there is none: it has been renamed."""
    found = sorted(path for path in Path().glob(pattern) if path.name != "__init__.py")
    if not found:
        raise SystemExit(f"pyproject.toml: no module {pattern} to compile")
    return found
