"""Breaks one line of the product in memory, before it is imported.

Law: no file is written; a mutation whose old text is not in the source exactly once is an error, so a mutant cannot
quietly become the product. Loaded by ``-p simulation.patching`` it works under pytest, too (see ``VARIABLE``).
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import os
import sys
import types
from collections.abc import Sequence

from simulation.mutations import MUTANTS, Mutant

VARIABLE = "SIMULATED_MUTANT"


class _Loader(importlib.machinery.SourceFileLoader):
    """Loads a module from its changed text, past any cached bytecode."""

    def __init__(self, name: str, path: str, changes: list[tuple[str, str]]) -> None:
        super().__init__(name, path)
        self._changes = changes

    def get_code(self, fullname: str) -> types.CodeType:
        """Return the code of the changed source."""
        text = self.get_data(self.path).decode()
        for old, new in self._changes:
            if text.count(old) != 1:
                raise SystemExit(f"{self.path}: expected once, found {text.count(old)} times: {old!r}")
            text = text.replace(old, new)
        return compile(text, self.path, "exec")


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self._changes: dict[str, list[tuple[str, str]]] = {}
        for module, old, new in mutant.changes:
            self._changes.setdefault(module, []).append((old, new))

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Find a mutated module; leave all others to the rest."""
        if fullname not in self._changes:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.origin is None:
            return None
        spec.loader = _Loader(fullname, spec.origin, self._changes[fullname])
        return spec


def install(name: str) -> None:
    """Break the product as mutant ``name`` says; its modules must not have been imported yet."""
    mutant = MUTANTS[name]
    loaded = [module for module, _, _ in mutant.changes if module in sys.modules]
    if loaded:
        raise SystemExit(f"too late to change {', '.join(loaded)}")
    sys.meta_path.insert(0, _Finder(mutant))


if os.environ.get(VARIABLE):
    install(os.environ[VARIABLE])
