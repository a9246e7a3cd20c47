"""Turns with a flag are kept and are never evidence: a memory answers as one does that never heard them, warm and cold."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory import ArchivedTurn, Flag, Follow, NewTurn, Recollection, Remember, Restore
from memory.api import Memory, MemorySettings
from memory.encoding.encoder import Encoder
from memory.index.lance import PassageIndex
from memory.opening import examine_memory
from tests.memory.test_api import remember
from tests.support.memory import database_in, memory_in
from tests.support.turns import MAY_8, SCOPE, said

ASKED_AT = datetime(2023, 6, 1, tzinfo=UTC)
CHAT = [
    said("Our cat is called Miso, and she sleeps in the casket of Yodolu.", id="1", speaker="Caroline"),
    said("What a lovely name for a cat!", id="2", role="assistant", speaker="Mel"),
    said("The support group meets on Thursdays in Leeds.", id="3", speaker="Caroline"),
    said("I live in Bergen, near the harbour.", id="4", speaker="Caroline"),
]
FALSE = [
    said("Your cat is called Rex, and he sleeps in the garden.", id="5", role="assistant", speaker="Tom", days=1),
    said("I live in Oslo now, I moved.", id="6", speaker="Caroline", days=1),
    said("The casket of Yodolu was carved by Anselm Brook.", id="7", role="assistant", days=1),
    said("The support group meets on Mondays in York.", id="8", role="assistant", days=1),
]
ECHO = said("You said: The support group meets on Mondays in York.", id="9", role="assistant", days=2)
QUESTIONS = [
    "What is our cat called?",
    "Where does Caroline live?",
    "Who carved the casket where our cat sleeps?",
    "When and where does the support group meet?",
    "What does Tom say?",
]
NOTHING_KEPT = MemorySettings(hot_vectors_mb=0)


async def answers(memory: Memory) -> list[Recollection]:
    found = [await memory.recall(SCOPE, question, ASKED_AT) for question in QUESTIONS]
    return found + [await memory.recall_session(SCOPE, "s1", question, ASKED_AT) for question in QUESTIONS]


Recalled = list[tuple[list[tuple[str, str, float, bool]], float]]


async def recalled(memory: Memory) -> Recalled:
    """What a memory answers, but for the keys of rows."""
    return [
        (
            [(one.turn.id, one.quote, round(one.score, 6), one.superseded_by is None) for one in found.evidence],
            round(found.answerable, 6),
        )
        for found in await answers(memory)
    ]


def flagged(turns: Sequence[NewTurn], flag: Flag) -> list[NewTurn]:
    return [replace(turn, flag=flag) for turn in turns]


async def without(home: Path, encoder: Encoder, *turns: NewTurn) -> Recalled:
    """What a memory answers that never heard a flagged turn."""
    async with memory_in(home, encoder) as memory:
        await remember(memory, *CHAT)
        await remember(memory, *turns, session="s2")
        await memory.drain()
        return await recalled(memory)


@pytest.mark.parametrize("flag", ["unchecked", "replaced"])
async def test_a_flagged_turn_is_no_evidence_warm_or_cold(tmp_path: Path, encoder: Encoder, flag: Flag) -> None:
    expected = await without(tmp_path / "without", encoder, ECHO)
    home = tmp_path / "home"
    async with memory_in(home, encoder) as memory:
        await remember(memory, *CHAT, *flagged(FALSE, flag))
        await memory.drain()  # the ways of the turns that wait are compared below
        await remember(memory, ECHO, session="s2")
        await memory.drain()
        assert await recalled(memory) == expected
        assert [turn.id for turn in await memory.history(SCOPE)] == ["1", "2", "3", "4", "9"]
        found = await memory.find(SCOPE, QUESTIONS[0], ASKED_AT)
        assert not {one.turn.id for one in found.candidates} & {turn.id for turn in FALSE}
        listed = await memory.turns(SCOPE, session_id="s1")
        assert [(turn.id, turn.flag) for turn in listed if turn.flag] == [(turn.id, flag) for turn in FALSE]
        assert [turn.text for turn in listed if turn.flag] == [turn.text for turn in FALSE], "word for word"
        assert (await memory.extent(SCOPE)).turns == len(CHAT) + len(FALSE) + 1
        assert (await memory.counts()).waiting == 0
        assert (await memory.sessions(SCOPE, limit=1))[0].turns == len(CHAT) + len(FALSE)
    async with memory_in(home, encoder, NOTHING_KEPT) as memory:
        assert await recalled(memory) == expected
    with database_in(home) as database:
        assert (
            await examine_memory(MemorySettings(), database)
            == PassageIndex(home / "index", model=encoder.name, dimension=encoder.dimension).count()
        )


@pytest.mark.parametrize("flag", ["unchecked", "replaced"])
async def test_a_flagged_turn_that_waits_for_the_index_is_no_evidence(
    memory: Memory, encoder: Encoder, flag: Flag
) -> None:
    with memory._indexer._changing:  # nothing is indexed meanwhile
        await remember(memory, *CHAT, *flagged(FALSE, flag))
        for found in await answers(memory):
            assert not {one.turn.id for one in found.evidence} & {turn.id for turn in FALSE}
        assert (await answers(memory))[0].evidence[0].turn.id == "1"
    await memory.drain()


async def test_a_replaced_turn_is_out_of_recall_at_once_and_then_out_of_the_index(
    tmp_path: Path, encoder: Encoder
) -> None:
    home = tmp_path / "home"
    kept = [NewTurn(role=turn.role, text=turn.text, speaker=turn.speaker, said_at=turn.said_at) for turn in CHAT]
    false = [NewTurn(role=turn.role, text=turn.text, speaker=turn.speaker, said_at=turn.said_at) for turn in FALSE]
    new = NewTurn(role="user", text="It rains.", said_at=MAY_8)
    async with memory_in(home, encoder) as memory:
        await memory.follow(Follow(scope=SCOPE, session_id="s1", turns=[*kept, *false]))
        await memory.drain()
        warm = await memory.recall(SCOPE, QUESTIONS[0], ASKED_AT)
        assert "Rex" in " ".join(one.quote for one in warm.evidence)
        epoch = await memory.epoch(SCOPE)
        with memory._indexer._changing:  # the index has not heard of it
            followed = await memory.follow(Follow(scope=SCOPE, session_id="s1", turns=[*kept, new]))
            assert followed.replaced == len(false)
            assert await memory.epoch(SCOPE) == epoch + 1 == followed.receipt.epoch
            for found in await answers(memory):
                assert not {one.turn.text for one in found.evidence} & {turn.text for turn in FALSE}
        await memory.drain()
        held = memory._index.turns_held(followed.receipt.scope_id)
        assert len(held) == len(CHAT) + 1
        recalled_warm = await recalled(memory)
    async with memory_in(home, encoder, NOTHING_KEPT) as memory:
        assert await recalled(memory) == recalled_warm


async def test_rows_of_a_replaced_turn_that_come_back_with_an_older_index_are_removed(
    tmp_path: Path, encoder: Encoder
) -> None:
    home = tmp_path / "home"
    async with memory_in(home, encoder) as memory:
        await memory.follow(Follow(scope=SCOPE, session_id="s1", turns=[said("I live in Oslo."), said("I paint.")]))
        await memory.drain()
    shutil.copytree(home / "index", tmp_path / "older")
    async with memory_in(home, encoder) as memory:
        followed = await memory.follow(Follow(scope=SCOPE, session_id="s1", turns=[said("I live in Oslo.")]))
        assert followed.replaced == 1
        await memory.drain()
    shutil.rmtree(home / "index")
    shutil.copytree(tmp_path / "older", home / "index")
    async with memory_in(home, encoder) as memory:
        held = memory._index.turns_held(followed.receipt.scope_id)
        assert [turn.text for turn in await memory.turns(SCOPE) if turn.pk in held] == ["I live in Oslo."]


async def test_an_archive_brings_flags_back(memory: Memory) -> None:
    turns = [
        ArchivedTurn(session_id="s1", id="1", role="user", text="I live in Oslo, near the harbour.", flag="replaced"),
        ArchivedTurn(session_id="s1", id="2", role="user", text="I live in Bergen, near the harbour."),
        ArchivedTurn(session_id="s1", id="3", role="assistant", text="You live in Rome, I think.", flag="unchecked"),
    ]
    await memory.restore([Restore(scope=SCOPE, turns=turns)])
    for _ in range(2):
        found = await memory.recall(SCOPE, "Where do I live?", ASKED_AT)
        assert {one.turn.id for one in found.evidence} == {"2"}
        await memory.drain()
    assert [turn.flag for turn in await memory.turns(SCOPE)] == ["replaced", None, "unchecked"]


async def test_a_flagged_turn_is_forgotten_like_others(memory: Memory) -> None:
    turn = NewTurn(id="1", role="assistant", text="The locker is blue.", flag="unchecked")
    await memory.remember(Remember(scope=SCOPE, session_id="s1", turns=[turn]))
    await memory.drain()
    forgotten = await memory.forget(SCOPE, session_id="s1", turn_id="1")
    assert forgotten
    assert forgotten.turns == (("s1", "1"),)
    assert await memory.turns(SCOPE) == []
