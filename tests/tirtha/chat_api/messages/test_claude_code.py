"""What requests of Claude Code say of themselves."""

import json

import pytest

from tirtha.chat_api.messages.claude_code import asks_for_itself, installation, is_claude_code, typed

HASH = "3f" * 32
SESSION = "57a121ec-f78c-48c3-a745-e3036a3ecc33"


@pytest.mark.parametrize(
    ("user_id", "device"),
    [
        (f"user_{HASH}_account__session_{SESSION}", HASH),
        (f"user_{HASH}_account_{SESSION}_session_{SESSION}", HASH),
        (json.dumps({"device_id": HASH, "account_uuid": "", "session_id": SESSION}), HASH),
        (json.dumps({"device_id": 3}), None),
        (json.dumps({"session_id": SESSION}), None),
        ("{", None),
        ("[1]", None),
        ("ann", None),
        ("user_ann", None),
        ("user_1", None),
    ],
)
def test_an_installation_is_the_same_in_every_session(user_id: str, device: str | None) -> None:
    assert installation(user_id) == device


def test_the_program_is_known_by_its_headers() -> None:
    assert is_claude_code({"user-agent": "claude-cli/2.1.92 (external, cli)"})
    assert is_claude_code({"user-agent": "node", "x-claude-code-session-id": SESSION})
    assert not is_claude_code({"user-agent": "Anthropic/Python 2.14.0"})
    assert not is_claude_code({})


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("<system-reminder>\nA\n</system-reminder>", ""),
        ("<system-reminder>A</system-reminder>\n<system-reminder>B</system-reminder>\nFix it.", "Fix it."),
        ("<command-name>/init</command-name><command-args></command-args>", ""),
        ("<bash-stdout>ls</bash-stdout>", ""),
        (
            "What does <system-reminder>A</system-reminder> mean?",
            "What does <system-reminder>A</system-reminder> mean?",
        ),
        ("<system-reminder>not closed", "<system-reminder>not closed"),
        ("<div>mine</div>", "<div>mine</div>"),
    ],
)
def test_only_what_the_program_wrote_in_front_is_left_out(text: str, own: str) -> None:
    assert typed(text) == own


def test_titles_and_topics_are_the_programs_own_requests() -> None:
    topic = "Analyze if this message indicates a new conversation topic. If it does, extract a 2-3 word title that captures it."
    title = "Generate a concise, sentence-case title (3-7 words) that captures the main topic of this coding session."
    assert asks_for_itself(topic, tools=False)
    assert asks_for_itself(title, tools=False)
    assert not asks_for_itself(title, tools=True), "who can call tools does somebody's work"
    assert not asks_for_itself("You are Claude Code, Anthropic's official CLI for Claude.", tools=False)
