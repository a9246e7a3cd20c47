"""One search path on real talk: 500 questions find the same, cold and warm, alone and beside three noisy tenants."""

from pathlib import Path

import pytest

from eval.evidence.sets import read_set
from eval.harness.answer_paths import remember_all
from eval.harness.conversations import Conversation
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from tests.support.memory import memory_in

ALL_COLD = MemorySettings(hot_vectors_mb=0)
ASKED = 500


async def answers(memory: Memory, conversations: list[Conversation]) -> list[list[tuple[str, str, float]]]:
    asked = [(conversation, question) for conversation in conversations for question in conversation.questions]
    found = [await memory.recall(one.scope, question.question, one.asked_at) for one, question in asked[:ASKED]]
    return [[(one.turn.id, one.quote, one.score) for one in each.evidence] for each in found]


@pytest.mark.long
async def test_500_questions_find_the_same_cold_and_warm_and_beside_noisy_tenants(
    tmp_path: Path, encoder: Encoder, shared_data: Path
) -> None:
    asked = read_set("locomo", shared_data / "locomo_dev.json")[:4]
    noise = read_set("realtalk", shared_data / "realtalk")[:3]
    async with memory_in(tmp_path, encoder) as memory:
        for conversation in asked:
            await remember_all(memory, conversation.requests())
        warm = await answers(memory, asked)
    assert len(warm) == ASKED
    assert min(map(len, warm)) > 0
    async with memory_in(tmp_path, encoder, ALL_COLD) as memory:
        assert await answers(memory, asked) == warm, "each is cold"
        for conversation in noise:
            await remember_all(memory, conversation.requests())
        assert await answers(memory, asked) == warm, "whatever others hold"
    async with memory_in(tmp_path, encoder) as memory:
        assert await answers(memory, asked) == warm, "the first of a scope is cold, the others are warm"
