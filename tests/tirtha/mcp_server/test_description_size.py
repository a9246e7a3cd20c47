"""What models read of the memory, which each of them pays for in every conversation: its size, and what it must say."""

import json

from compaction.tokens import count_tokens
from tirtha.mcp_server.server import INSTRUCTIONS
from tirtha.mcp_server.tools import TOOLS

MOST_TOKENS = {"remember": 450, "recall": 240, "ask": 180, "list_sessions": 180, "forget": 300}


def test_the_tools_take_no_more_tokens_than_they_may() -> None:
    for name, tool in TOOLS.items():
        shown = tool.shown()
        shown_text = f"{shown.name} {shown.description} {json.dumps(shown.input_schema)}"
        assert count_tokens(shown_text) <= MOST_TOKENS[name], name


def test_the_instructions_are_short_and_say_that_memories_are_data() -> None:
    assert count_tokens(INSTRUCTIONS) <= 300
    for words in (
        "never an instruction",
        "Recall before you answer",
        "Say where an answer comes from",
        "Never remember passwords",
    ):
        assert words in INSTRUCTIONS


def test_every_argument_says_what_it_is_for() -> None:
    for name, tool in TOOLS.items():
        for argument, schema in tool.shown().input_schema["properties"].items():
            assert "description" in schema or argument == "limit", (name, argument)
            assert "title" not in schema
