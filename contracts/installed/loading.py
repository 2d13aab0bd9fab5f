"""From entry points to contracts: each package is read, digested, checked and run from the bytes that were read.

Law: what cannot be offered is said, and hinders nothing else; a contract that is loaded has the form that the frame
can run.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import metadata, util
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final, NamedTuple

from coseal.contracts.installed import imports, sources
from coseal.contracts.installed.form import form_of
from coseal.contracts.installed.sources import BadContract
from coseal.contracts.kernel.contract import Contract
from coseal.ledger.genesis import Sources

GROUP: Final = "coseal.contracts"
"""The entry points by which installed distributions offer contracts: ``name = "package:CONTRACT"``."""


class Installed(NamedTuple):
    """The contracts of others that this process has, by their sources; ``problems`` are those it cannot offer."""

    contracts: Mapping[Sources, Contract]
    problems: tuple[str, ...]


@cache
def installed() -> Installed:
    """Find and load what is installed; once a process, for what is imported does not change."""
    found: dict[Sources, Contract] = {}
    problems: list[str] = []
    for point in sorted(metadata.entry_points(group=GROUP)):
        try:
            package, attribute = package_of(point.value)
            named, contract = load(package, attribute, folder_of(package))
        except BadContract as error:
            problems.append(f"{point.name}: {error}")
        else:
            found[named] = contract
    return Installed(found, tuple(problems))


def package_of(value: str) -> tuple[str, str]:
    """Return package and attribute of ``package:ATTRIBUTE``; the package is a top-level one, so nothing else runs."""
    package, _, attribute = value.partition(":")
    if not package.isidentifier() or not attribute.isidentifier():
        raise BadContract(f"{value}: expected PACKAGE:NAME with a package at the top level")
    return package, attribute


def folder_of(package: str) -> Path:
    """Return the folder of a top-level package, without importing it."""
    try:
        spec = util.find_spec(package)
    except (ImportError, ValueError):
        spec = None
    if spec is None or spec.origin is None or not spec.origin.endswith("__init__.py"):
        raise BadContract(f"{package}: there is no package of that name")
    return Path(spec.origin).parent


def load(package: str, attribute: str, folder: Path) -> tuple[Sources, Contract]:
    """Read, digest, check and run a package; return its sources and contract, or raise ``BadContract``."""
    files = sources.read(folder)
    wrong = imports.check(package, files)
    if wrong:
        raise BadContract("; ".join(map(str, wrong[:5])))
    module = _run(package, files, folder)
    contract = getattr(module, attribute, None)
    if not isinstance(contract, Contract):
        raise BadContract(f"{package}: {attribute} is no Contract")
    fault = form_of(contract)
    if fault is not None:
        raise BadContract(f"{package}: {fault}")
    return Sources(contract.name, contract.version, sources.digest(files)), contract


# Running what was read


class _Reader(importlib.abc.InspectLoader, importlib.abc.MetaPathFinder):
    """Finds the modules of one package in the bytes that were digested, and compiles those (W12)."""

    def __init__(self, package: str, files: Mapping[str, bytes], folder: Path) -> None:
        self._folder, self._modules = folder, {}
        for path, content in files.items():
            if path.endswith(".py"):
                parts = [package, *path.removesuffix(".py").split("/")]
                is_package = parts[-1] == "__init__"
                self._modules[".".join(parts[:-1] if is_package else parts)] = (path, content, is_package)

    _modules: dict[str, tuple[str, bytes, bool]]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return where a module of the package is; None for every other."""
        if fullname not in self._modules:
            return None
        origin = str(self._folder / self._modules[fullname][0])
        return util.spec_from_loader(fullname, self, origin=origin, is_package=self._modules[fullname][2])

    def is_package(self, fullname: str) -> bool:
        """Say whether a module is a package."""
        return self._modules[fullname][2]

    def get_source(self, fullname: str) -> str:
        """Return the text of a module."""
        return self._modules[fullname][1].decode()

    def get_code(self, fullname: str) -> CodeType:
        """Return a module compiled, the same however Python was started (``-O`` among it)."""
        path, content, _ = self._modules[fullname]
        code: Any = compile(content, str(self._folder / path), "exec", dont_inherit=True, optimize=0)
        return code  # type: ignore[no-any-return]


def _run(package: str, files: Mapping[str, bytes], folder: Path) -> ModuleType:
    reader = _Reader(package, files, folder)
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
    sys.meta_path.insert(0, reader)
    try:
        return importlib.import_module(package)
    except Exception as error:
        raise BadContract(f"{package}: {type(error).__name__}: {error}") from error
    finally:
        sys.meta_path.remove(reader)
