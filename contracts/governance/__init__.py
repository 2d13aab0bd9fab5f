"""What members decide together by ballot."""

from coseal.contracts.governance.actions import contract

__all__ = ["contract"]
