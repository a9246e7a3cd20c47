"""LongMemEval over HTTP for other harnesses: a real server remembers each history once, apart from the others, and answers."""

from pathlib import Path

import httpx
import pytest

from eval.longmemeval.data import read_longmemeval
from eval.longmemeval.served import ask_served


@pytest.mark.slow
async def test_a_history_is_remembered_once_and_asked(file: Path, server: str) -> None:
    first, second = read_longmemeval(file)
    served = await ask_served(first, base_url=server, budget=165)
    assert "Target" in served.answer
    assert not served.abstained
    assert served.sessions & first.answer_sessions
    assert 0 < served.tokens <= 165
    again = await ask_served(first, base_url=server, budget=165)
    assert again.answer == served.answer
    assert again.path == "cache", "nothing was stored anew"
    assert (await ask_served(second, base_url=server, budget=165)).path != "cache"


@pytest.mark.slow
async def test_what_the_server_refuses_is_said_in_its_words(file: Path, server: str) -> None:
    first = next(iter(read_longmemeval(file)))
    with pytest.raises(httpx.HTTPStatusError, match=r"/v1/context: 422 .*budget"):
        await ask_served(first, base_url=server, budget=0)
