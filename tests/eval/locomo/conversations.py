"""A conversation small enough to check by hand."""

from typing import Any


def conversation() -> dict[str, Any]:
    """A record of a LoCoMo file: two sessions, and questions of every kind."""
    return {
        "sample_id": "conv-1",
        "conversation": {
            "speaker_a": "Caroline",
            "speaker_b": "Mel",
            "session_1_date_time": "1:56 pm on 8 May, 2023",
            "session_1": [
                {"speaker": "Caroline", "dia_id": "D1:1", "text": "I went to a support group yesterday."},
                {"speaker": "Mel", "dia_id": "D1:2", "text": "Look at this!", "blip_caption": "a lake at sunset"},
            ],
            "session_2_date_time": "9:00 am on 1 June, 2023",
            "session_2": [{"speaker": "Mel", "dia_id": "D2:1", "text": "I adopted a cat named Miso."}],
        },
        "qa": [
            {
                "question": "When did Caroline go to the support group?",
                "answer": "7 May 2023",
                "evidence": ["D1:1"],
                "category": 2,
            },
            {"question": "What did Mel show?", "answer": "a lake", "evidence": ["D1:2; D9:9"], "category": 4},
            {"question": "How many cats?", "answer": 1, "evidence": ["D2:1", "D7:7"], "category": 1},
            {"question": "No evidence?", "answer": "none", "evidence": ["D"], "category": 4},
            {"question": "Adversarial?", "adversarial_answer": "x", "evidence": ["D1:1"], "category": 5},
        ],
    }
