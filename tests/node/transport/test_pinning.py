from __future__ import annotations

import errno
import os

import pytest

from coseal.node.transport import pinning


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED)), "Connection refused"),
        (OSError("a..b is no host name"), "a..b is no host name"),
        (ConnectionResetError(), "ConnectionResetError"),
        (TimeoutError(), "the handshake took too long"),
    ],
)
def test_why_a_handshake_failed_is_said_in_words(error: Exception, says: str) -> None:
    assert pinning.handshake_problem(error) == says
