"""What supersession is worth: the newer statement stands before the older one with it, and need not without."""

from dataclasses import replace
from datetime import UTC, datetime

from eval.evidence.supersession import about_changes, both_ways
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.training.fitting import ask_conversations
from memory.encoding.encoder import Encoder
from memory.recall.reranker import RecallModels, reranked


def conversation() -> Conversation:
    lines = [("D1:1", "The standup is at 9:30 every morning.", 1), ("D1:2", "The standup moved to 10:15.", 8)]
    turns = [
        {"id": id_, "role": "user", "text": text, "said_at": datetime(2026, 3, day, 9, tzinfo=UTC).isoformat()}
        for id_, text, day in lines
    ]
    question = LabelledQuestion(
        id="c1:0",
        question="When is the standup?",
        answer="10:15",
        kind="knowledge_update",
        evidence=frozenset({"D1:2"}),
    )
    other = replace(question, id="c1:1", kind="single")
    return Conversation(
        id="c1", sessions={"s1": turns}, questions=(question, other), last_said_at=datetime(2026, 3, 8, 9, tzinfo=UTC)
    )


async def test_questions_about_changes_are_judged_in_both_ways(encoder: Encoder) -> None:
    [chosen] = about_changes([conversation(), replace(conversation(), questions=())])
    assert [question.id for question in chosen.questions] == ["c1:0"]
    [every] = about_changes([conversation()], every_question=True)
    assert [question.id for question in every.questions] == ["c1:0", "c1:1"]
    [asked] = await ask_conversations("beam", [chosen], encoder)
    scores = reranked(RecallModels.load(encoder.name).reranker, asked.features)
    wide = both_ways(asked, scores, budget=165)
    assert (wide.recall, wide.words, wide.marked) == ((1.0, 1.0), (1.0, 1.0), True)
    narrow = both_ways(asked, scores, budget=25)  # one line
    assert narrow.recall[0] == 1.0
