"""The server by itself: what it says when something fails that should not."""

import logging

import pytest
from mcp import Client
from mcp.shared.exceptions import MCPError

from tests.support.agents import ERAS, Era, refusal
from tirtha.mcp_server.errors import Refused
from tirtha.mcp_server.ports import Connection
from tirtha.mcp_server.server import Context, ToolOutcome, make_server

eras = pytest.mark.parametrize("era", ERAS)


async def broken(ctx: Context) -> Connection:
    """A connection that fails in a way that no one foresaw."""
    raise RuntimeError("a secret of somebody")


async def refusing(ctx: Context) -> Connection:
    """A connection that cannot be used just now."""
    raise Refused("the disk is full", retry_after_s=5)


@eras
async def test_an_unexpected_error_is_logged_and_its_words_are_withheld(
    era: Era, caplog: pytest.LogCaptureFixture
) -> None:
    called: list[tuple[str, ToolOutcome]] = []
    with caplog.at_level(logging.ERROR):
        async with Client(make_server(broken, called=lambda *call: called.append(call)), mode=era) as client:
            words = refusal(await client.call_tool("recall", {"question": "Who?"}))
            assert words == "an unexpected error; the log of Tirtha has it"
            for asking in (client.list_resources(), client.read_resource("tirtha://sessions/s")):
                with pytest.raises(MCPError, match=r"^an unexpected error; the log of Tirtha has it$"):
                    await asking
    assert called == [("recall", "failed")]
    assert "the tool recall failed" in caplog.messages


@eras
async def test_a_refusal_is_reported_in_its_own_words_with_the_time_to_wait(era: Era) -> None:
    called: list[tuple[str, ToolOutcome]] = []
    async with Client(make_server(refusing, called=lambda *call: called.append(call)), mode=era) as client:
        words = refusal(await client.call_tool("recall", {"question": "Who?"}))
        assert words == "the disk is full (try again in 5 s)"
        with pytest.raises(MCPError, match="the disk is full"):
            await client.list_resources()
    assert called == [("recall", "refused")]
