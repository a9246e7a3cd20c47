from eval.evidence.sets import facts_conversation
from eval.plain_facts.data import PlainFacts
from eval.training.dialogues.data import dialogues
from eval.training.unanswerable import FOREIGN, small_memories, with_foreign_questions

SETS = {
    "dialogues": dialogues(range(1, 3)),
    "plain-facts": [facts_conversation(PlainFacts(language="en", part="fitting", seed=seed)) for seed in (1, 2)],
}


def test_each_conversation_is_asked_questions_of_others_of_its_set_and_of_other_sets() -> None:
    for name, conversations in with_foreign_questions(SETS).items():
        for own, found in zip(SETS[name], conversations, strict=True):
            foreign = [one for one in found.questions if one.kind == FOREIGN]
            assert found.questions[: len(own.questions)] == own.questions
            assert len(foreign) == 12
            assert len({one.id for one in found.questions}) == len(found.questions)
            assert not any(one.answerable or one.evidence or one.answer for one in foreign)
            of_others = {q.question for one in SETS[name] if one is not own for q in one.questions}
            assert sum(one.question in of_others for one in foreign) >= 6


def test_a_small_memory_holds_the_evidence_of_its_question_and_little_else() -> None:
    for conversations in small_memories(SETS).values():
        assert len(conversations) == 8
        for small in conversations:
            own, *foreign = small.questions
            turns = [turn["id"] for turns in small.sessions.values() for turn in turns]
            assert own.evidence <= set(turns)
            assert len(turns) <= 5 * len(own.evidence)
            assert [one.kind for one in foreign] == [FOREIGN] * 4
            assert small.part_of in {one.id for one in SETS["dialogues"] + SETS["plain-facts"]}


def test_the_same_questions_are_drawn_again() -> None:
    assert with_foreign_questions(SETS) == with_foreign_questions(SETS)
    assert small_memories(SETS) == small_memories(SETS)
