"""The register of policy instruments."""

from coseal.contracts.policy.actions import CONTRACT

__all__ = ["CONTRACT"]
