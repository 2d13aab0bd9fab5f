"""What members decide together by ballot."""

from coseal.contracts.governance.actions import CONTRACT

__all__ = ["CONTRACT"]
