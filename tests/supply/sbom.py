"""``python -m tests.supply.sbom``: print the software bill of materials of the lock, as CycloneDX 1.6 JSON.

It is written from the lock alone and the metadata of what is installed; ``make sbom`` runs it where exactly the lock
is installed. Same lock, same bytes.
"""

from __future__ import annotations

import json
import sys
import tomllib
import uuid
from typing import Any

from packaging.utils import canonicalize_name

from tests.supply.closure import ROOT, declared, licence_of, needs_of, read_lock, runtime_closure

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:coseal:sbom")


def bill() -> dict[str, Any]:
    """Return the document; raise ``ValueError`` where what is installed is not what is locked."""
    lock, installed = read_lock(), runtime_closure()
    strange = [name for name, found in installed.items() if name not in lock or lock[name].version != found.version]
    if strange:
        raise ValueError(f"installed in other versions than locked: {', '.join(strange)}; run `make locked` first")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    own = f"pkg:pypi/{project['name']}@{project['version']}"
    document: dict[str, Any] = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
                "purl": own,
                "licenses": [{"expression": project["license"]}],
            }
        },
        "components": [
            {
                "type": "library",
                "bom-ref": _reference(name, found.version),
                "name": name,
                "version": found.version,
                "purl": _reference(name, found.version),
                "licenses": [{"license": {"name": licence_of(found)}}],
                "properties": [{"name": "coseal:file-sha256", "value": value} for value in lock[name].hashes],
            }
            for name, found in installed.items()
        ],
        "dependencies": [
            {"ref": own, "dependsOn": _references([each.name for each in declared()], installed)},
            *(
                {
                    "ref": _reference(name, found.version),
                    "dependsOn": _references([each.name for each in needs_of(found)], installed),
                }
                for name, found in installed.items()
            ),
        ],
    }
    content = json.dumps(document, sort_keys=True)
    return {"serialNumber": uuid.uuid5(NAMESPACE, content).urn, **document}


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{name}@{version}"


def _references(names: list[str], installed: dict[str, Any]) -> list[str]:
    chosen = sorted({canonicalize_name(name) for name in names})
    return [_reference(name, installed[name].version) for name in chosen]


if __name__ == "__main__":
    try:
        json.dump(bill(), sys.stdout, indent=1, sort_keys=True)
        print()
    except ValueError as error:
        sys.exit(str(error))
