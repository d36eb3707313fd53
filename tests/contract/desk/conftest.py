"""The head node of ``xio sync``'s tests, for those who look at it."""

from tests.contract.sync.conftest import head

__all__ = ["head"]
