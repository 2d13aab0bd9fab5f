"""Mistakes in contracts of others: which sources run, what they may do, whose rows they make."""

from __future__ import annotations

from typing import Final

from simulation.mutations.mutant import Mutant, one

_KINDS = "coseal.contracts.governance.kinds"
_SEATS = "coseal.contracts.governance.seats"
_ADMISSIONS = "coseal.contracts.governance.admissions"
_REGISTRY = "coseal.contracts.registry"
_OTHERS = "coseal.contracts.rows.others"
_ADMISSIONS_SUITE = "tests/contracts/governance/test_admissions.py"
_INSTALLED_SUITE = "tests/contracts/installed"
_OTHERS_SUITE = "tests/contracts/rows/test_others.py"

MUTANTS: Final[dict[str, Mutant]] = {
    "contract_named_as_another": one(
        "a ballot admits a contract of others under the name of a shipped one",
        _KINDS,
        'if subject["name"] in taken:  # W1',
        "if not taken:",
        _ADMISSIONS_SUITE,
    ),
    "genesis_names_as_another": one(
        "a genesis admits a contract of others under the name of a shipped one",
        "coseal.contracts.genesis_state",
        "if sources.name in admitted.RESERVED or sources.name in RULES[genesis.protocol_version]:  # W1",
        "if not sources.name:",
        _ADMISSIONS_SUITE,
    ),
    "offered_as_another": one(
        "a contract of others is offered under the name of a shipped one",
        "coseal.contracts.installed.form",
        "elif name in TAKEN:  # W1",
        "elif not name:",
        _INSTALLED_SUITE,
    ),
    "digest_without_lengths": one(
        "two sets of sources whose files only together have the same bytes have one digest",
        "coseal.contracts.installed.sources",
        'hashed.update(len(part).to_bytes(8, "big") + part)',
        "hashed.update(part)",
        _INSTALLED_SUITE,
    ),
    "contract_imports_all": one(
        "a contract of others imports whatever of this software it likes",
        "coseal.contracts.installed.imports",
        'any(module == own or module.startswith(f"{own}.") for own in OWN)',
        'module.startswith("coseal.")',
        _INSTALLED_SUITE,
    ),
    "genesis_sources_unknown": one(
        "what the genesis admits counts as lacking on every node",
        _ADMISSIONS,
        "return in_genesis or sources in",
        "return sources in",
        _ADMISSIONS_SUITE,
    ),
    "contract_needs_nobody": one(
        "a contract of others comes into force at its height, whoever has it",
        _ADMISSIONS,
        "if found.suffices:  # W5",
        "if found.needed:",
        _ADMISSIONS_SUITE,
    ),
    "same_version_again": one(
        "a ballot admits the version that is in force once more",
        _ADMISSIONS,
        "if sources.version <= present.get(sources.name, 0):  # W5",
        "if sources.version < present.get(sources.name, 0):",
        _ADMISSIONS_SUITE,
    ),
    "contracts_of_the_start": one(
        "blocks run with the contracts that the state admitted when the node started",
        "coseal.contracts.execution",
        "if self._composed is None or self._composed[0] != (version, wanted):",
        "if self._composed is None:",
        _ADMISSIONS_SUITE,
    ),
    "other_sources_will_do": one(
        "a node runs a contract without the sources that the state names",
        "coseal.contracts.execution",
        "if entry.sources not in self._others:  # W7",
        "if entry.sources.name not in {each.name for each in self._others}:",
        _ADMISSIONS_SUITE,
    ),
    "newcomer_lacks_contract": one(
        "a node becomes a validator without having said that it has a contract in force",
        _KINDS,
        "if sources is not None:  # W8",
        "if not node_id:",
        _ADMISSIONS_SUITE,
    ),
    "contract_loses_quorum": one(
        "a removal leaves fewer than a quorum that have a contract in force",
        _SEATS,
        "if lost is not None:  # W8",
        "if view is None:",
        _ADMISSIONS_SUITE,
    ),
    "contract_writes_anywhere": one(
        "a contract of others writes keys of another",
        _REGISTRY,
        'writes=f"{name}/")  # W9',
        'writes="")',
        _ADMISSIONS_SUITE,
    ),
    "hooks_that_are_not_run": one(
        "a contract of others is offered with one hook that the frame does not run",
        "coseal.contracts.installed.form",
        "if given:  # W10",
        "if len(given) > 1:",
        _INSTALLED_SUITE,
    ),
    "damaged_index_stops": one(
        "a contract of others that damages its index of due things stops every node",
        "coseal.contracts.kernel.due",
        "except TypeError:  # W10",
        "except ZeroDivisionError:",
        _ADMISSIONS_SUITE,
    ),
    "first_names_declared": one(
        "a node that has many contracts says those first by name, not those that the chain needs",
        _ADMISSIONS,
        "for each in sorted(offered, key=lambda each: (each not in needed, each))",
        "for each in sorted(offered)",
        _ADMISSIONS_SUITE,
    ),
    "bytecode_runs": one(
        "bytecode that lies beside the sources of a contract runs in their place",
        "coseal.contracts.installed.loading",
        "sys.meta_path.insert(0, reader)",
        "sys.meta_path.append(reader)",
        _INSTALLED_SUITE,
    ),
    "rows_of_the_newest": one(
        "rows are those of the newest version, not of the one that the block ran with",
        _OTHERS,
        "in_force(sorted(entries), height)",
        "in_force(sorted(entries))",
        _OTHERS_SUITE,
    ),
    "events_of_the_newest": one(
        "events are those of the newest version, not of the one that the block ran with",
        _REGISTRY,
        "for entry in in_force(entries, height))",
        "for entry in in_force(entries))",
        _ADMISSIONS_SUITE,
    ),
    "table_of_another_form": one(
        "a later version writes rows into a table that has other columns",
        _OTHERS,
        "elif table.structure != present[table.name].structure:  # W13",
        "elif table.name != present[table.name].name:",
        _OTHERS_SUITE,
    ),
    "promise_not_asked": one(
        "what a contract of others promises of its state is not asked after what it did",
        _REGISTRY,
        "if broken is not None:  # W14",
        "if broken == contract.name:",
        _ADMISSIONS_SUITE,
    ),
    "event_fault_spreads": one(
        "an exception of a contract's events costs the events of the whole transaction",
        "coseal.contracts.block_events",
        'return [{CANNOT_BE_SHOWN: f"{type(error).__name__}: {error}"[:400]}]  # W15',
        "raise",
        _OTHERS_SUITE,
    ),
}
