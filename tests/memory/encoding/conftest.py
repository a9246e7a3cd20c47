"""The encoder itself, which keeps no vectors."""

import pytest

from memory.encoding.encoder import Encoder


@pytest.fixture(scope="session")
def encoder() -> Encoder:
    return Encoder()
