"""Reading REALTALK's chats."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.errors import Unusable
from eval.realtalk.data import read_realtalk

MESSAGE = {"clean_text": "I play the cello.", "speaker": "Ann", "date_time": "29.12.2023, 22:42:04", "dia_id": "D1:1"}
PHOTO = {"clean_text": " ", "speaker": "Bo", "date_time": "30.12.2023, 08:00:00", "dia_id": "D1:2"}
CHAT: dict[str, Any] = {
    "name": {"speaker_1": "Ann", "speaker_2": "Bo"},
    "session_1": [MESSAGE, PHOTO],
    "events_session_1": {"Ann": []},
    "qa": [
        {"question": "What does Ann play?", "answer": "The cello", "evidence": ["D1:1"], "category": 1},
        {"question": "How many cats?", "answer": 2, "evidence": ["D9:9"], "category": 3},
    ],
}


def written(folder: Path, chat: dict[str, Any]) -> Path:
    (folder / "Chat_1.json").write_text(json.dumps(chat))
    return folder


def test_a_chat_has_its_messages_and_questions(tmp_path: Path) -> None:
    (chat,) = read_realtalk(written(tmp_path, CHAT))
    assert (chat.id, chat.speakers) == ("Chat_1", ("Ann", "Bo"))
    (request,) = chat.requests()
    assert [(turn.id, turn.speaker, turn.text) for turn in request.turns] == [
        ("D1:1", "Ann", "I play the cello."),
        ("D1:2", "Bo", "[image]"),
    ]
    assert chat.last_said_at.isoformat() == "2023-12-30T08:00:00+00:00"
    assert [(one.id, one.answer, one.evidence) for one in chat.questions] == [
        ("Chat_1:0", "The cello", frozenset({"D1:1"}))
    ]
    assert [(one.id, one.answer) for one in chat.without_evidence] == [("Chat_1:1", "2")]


@pytest.mark.parametrize(
    "chat",
    [
        CHAT | {"qa": [{"question": "?"}]},
        CHAT | {"session_1": [MESSAGE | {"date_time": "yesterday"}]},
        CHAT | {"session_1": [MESSAGE]},
        [],
    ],
)
def test_another_format_is_refused_by_the_name_of_the_file(tmp_path: Path, chat: Any) -> None:
    with pytest.raises(Unusable, match=r"Chat_1\.json is not in REALTALK's format"):
        read_realtalk(written(tmp_path, chat))


def test_a_folder_without_chats_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="holds no chat"):
        read_realtalk(tmp_path)
