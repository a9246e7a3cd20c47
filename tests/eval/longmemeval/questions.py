"""Records in LongMemEval's official format, of a few turns."""

from typing import Any


def session(*texts: str, answer: int | None = None) -> list[dict[str, Any]]:
    """A session of these turns, the user's first; `answer` is the place of the turn that holds the answer."""
    roles = ("user", "assistant")
    turns: list[dict[str, Any]] = [{"role": roles[place % 2], "content": text} for place, text in enumerate(texts)]
    if answer is not None:
        turns = [turn | {"has_answer": place == answer} for place, turn in enumerate(turns)]
    return turns


def question(question_id: str, **changes: Any) -> dict[str, Any]:
    """A question over two sessions, of which the first answers it."""
    return {
        "question_id": question_id,
        "question_type": "single-session-user",
        "question": "Where did I redeem the coupon?",
        "answer": 5,
        "question_date": "2023/05/30 (Tue) 01:13",
        "haystack_dates": ["2023/05/01 (Mon) 10:00", "2023/05/20 (Sat) 02:21"],
        "haystack_session_ids": ["answer_1", "noise_1"],
        "haystack_sessions": [
            session("I redeemed a coupon at Target.", "Nice! Anything else?", answer=0),
            session("How do I bake bread?", "Mix flour and water."),
        ],
        "answer_session_ids": ["answer_1"],
    } | changes
