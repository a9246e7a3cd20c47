"""A chat in BEAM's layout, small enough to check by hand."""

import json
from pathlib import Path
from typing import Any


def message(id_: int, role: str, content: str, day: str | None = None) -> dict[str, Any]:
    """A message; `day` as BEAM writes it."""
    return {"id": id_, "role": role, "content": content} | ({"time_anchor": day, "index": "1,1"} if day else {})


BATCHES: list[dict[str, Any]] = [
    {
        "batch_number": 1,
        "time_anchor": None,
        "turns": [
            [
                message(0, "user", "My boat has a blue sail. ->-> 1,1", "March-15-2024"),
                message(1, "assistant", "A blue sail is easy to see from afar."),
            ],
            [message(2, "user", "I train with Olga twice a week. ->-> 1,N/A"), message(3, "assistant", "Well done!")],
        ],
    },
    {
        "batch_number": 2,
        "time_anchor": None,
        "turns": [
            [
                message(4, "user", "Now I train with Olga four times a week.->-> 2,1) Labels: Sport", "April-02-2024"),
                message(5, "assistant", "Mind your knees."),
                message(6, "user", "Always answer me with a date. ->-> 2,2"),
            ]
        ],
    },
]

QUESTIONS: dict[str, list[dict[str, Any]]] = {
    "abstention": [{"question": "What does my yacht cost?", "ideal_response": "That was not said."}],
    "contradiction_resolution": [
        {
            "question": "How often do I train?",
            "ideal_answer": "You said twice and four times.",
            "source_chat_ids": {"first_statement": [2], "second_statement": [4]},
        }
    ],
    "event_ordering": [
        {"question": "In which order?", "answer": "The sail, then Olga.", "source_chat_ids": [0, [2, 4]]}
    ],
    "information_extraction": [{"question": "Which colour has my sail?", "answer": "Blue", "source_chat_ids": [0, 99]}],
    "instruction_following": [
        {
            "question": "When does the race start?",
            "instruction_being_tested": "Always answer with a date.",
            "source_chat_ids": [[6]],
        }
    ],
    "knowledge_update": [
        {
            "question": "How often do I train with Olga now?",
            "answer": "Four times a week",
            "source_chat_ids": {"original_info": [2], "updated_info": [4]},
        }
    ],
    "preference_following": [
        {"question": "What shall I eat?", "preference_being_tested": "I like fish.", "source_chat_ids": []}
    ],
    "summarization": [{"question": "Sum it up.", "ideal_summary": "A boat, and Olga.", "source_chat_ids": [0, 2]}],
}


def write_chat(folder: Path, *, batches: Any = BATCHES, questions: Any = QUESTIONS) -> Path:
    """Write a chat into a folder and return the folder."""
    (folder / "probing_questions").mkdir(parents=True)
    (folder / "chat.json").write_text(json.dumps(batches))
    (folder / "probing_questions" / "probing_questions.json").write_text(json.dumps(questions))
    return folder
