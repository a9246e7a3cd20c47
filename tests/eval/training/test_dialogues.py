"""Our own dialogues: the same again, labelled rightly, and with questions of which the words alone do not say who is meant."""

import re
import subprocess
import sys
from collections import Counter
from datetime import datetime, timedelta

import pytest

from eval.harness.conversations import Conversation
from eval.training.dialogues.data import Dialogue, dialogues, written
from eval.training.dialogues.planning import Mention
from eval.training.dialogues.tables import all_facts, smalltalk, speakers
from eval.training.dialogues.weaving import Held
from language.words import content_terms

SEEDS = range(30)


@pytest.fixture(scope="module")
def made() -> list[Dialogue]:
    return [written(seed) for seed in SEEDS]


def turns_of(conversation: Conversation) -> dict[str, dict[str, str]]:
    return {turn["id"]: turn for turns in conversation.sessions.values() for turn in turns}


def said(text: str, within: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(text.lower())}(?!\w)", within.lower()) is not None


def test_the_same_seed_is_the_same_dialogue_in_another_process() -> None:
    code = (
        "from eval.training.dialogues.data import dialogues; [one] = dialogues([3]);"
        "print(one.sessions, [(each.question, each.answer, sorted(each.evidence)) for each in one.questions])"
    )
    environments = ({"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)} for seed in ("1", "2"))
    runs = [
        subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        for env in environments
    ]
    [here], [other] = dialogues([3]), dialogues([4])
    questions = [(each.question, each.answer, sorted(each.evidence)) for each in here.questions]
    assert {run.stdout for run in runs} == {f"{here.sessions} {questions}\n"}
    assert here.sessions != other.sessions


def test_a_chat_has_the_promised_shape(made: list[Dialogue]) -> None:
    for one in made:
        conversation = one.conversation
        assert 15 <= len(conversation.sessions) <= 20
        assert all(10 <= len(turns) <= 30 for turns in conversation.sessions.values())
        times = [datetime.fromisoformat(turn["said_at"]) for turn in turns_of(conversation).values()]
        assert times == sorted(set(times))
        assert times[-1] - times[0] < timedelta(days=183)
        assert {turn["speaker"] for turn in turns_of(conversation).values()} == set(conversation.speakers)
        assert sum(len(request.turns) for request in conversation.requests()) == len(times)
        assert not [
            turn["text"] for turn in turns_of(conversation).values() if re.search(r"[{}|]|\s$|^\s", turn["text"])
        ]


def test_forty_questions_a_fifth_of_them_without_an_answer(made: list[Dialogue]) -> None:
    for one in made:
        questions = one.conversation.questions
        assert len(questions) == 40
        assert len({question.id for question in questions}) == 40
        assert sum(not question.answerable for question in questions) == 8
        assert not [question.question for question in questions if re.search(r"[{}|]", question.question)]
    kinds = Counter(question.kind for one in made for question in one.conversation.questions)
    assert min(kinds.values()) > len(SEEDS) * 3, kinds
    assert set(kinds) == {"single-hop", "temporal", "multi-hop"}


def test_evidence_turns_are_there_and_hold_the_answer(made: list[Dialogue]) -> None:
    for one in made:
        turns = turns_of(one.conversation)
        for question in one.conversation.questions:
            if not question.answerable:
                assert (question.answer, question.evidence) == ("", frozenset())
                continue
            assert question.evidence
            assert question.evidence <= turns.keys()
            held = " ".join(f"{turns[turn]['speaker']}: {turns[turn]['text']}" for turn in question.evidence)
            names = set(content_terms(" ".join(one.conversation.speakers)))
            if question.kind != "temporal" and not question.answer.isdigit():
                assert set(content_terms(question.answer)) - names <= set(content_terms(held)), (question, held)


def test_who_is_asked_in_vain_has_not_mentioned_it(made: list[Dialogue]) -> None:
    """What they say about the other one aside: "When do I get to hear you play the oud?" is no answer to what they play."""
    for one in made:
        turns = turns_of(one.conversation).values()
        mentioned = {
            (held.about.fact.subject, held.about.owner) for held in one.holding if isinstance(held.about, Mention)
        }
        for question, asked in zip(one.conversation.questions, one.asked, strict=True):
            assert question.answerable == (asked.wrong is None)
            if asked.wrong is None:
                continue
            name = one.conversation.speakers[asked.wrong]
            assert name in question.question
            for held in asked.evidence:
                if not isinstance(held.about, Mention):
                    continue
                mention = held.about
                assert {owner for subject, owner in mentioned if subject == mention.fact.subject} == {1 - asked.wrong}
                theirs = {turn["id"] for turn in turns if turn["speaker"] == name and said(mention.value, turn["text"])}
                assert theirs <= one.holding[Held(mention, "v")], question


def test_matching_words_do_not_decide_alone_and_neither_does_the_speaker(made: list[Dialogue]) -> None:
    by_the_named = by_the_other = shared = none_shared = 0
    for one in made:
        turns = turns_of(one.conversation)
        for question in one.conversation.questions:
            named = [name for name in one.conversation.speakers if name in question.question]
            for turn in question.evidence:
                if len(named) == 1:
                    by_the_named += turns[turn]["speaker"] == named[0]
                    by_the_other += turns[turn]["speaker"] != named[0]
                words = set(content_terms(question.question)) - set(content_terms(" ".join(named)))
                shared += bool(words & set(content_terms(turns[turn]["text"])))
                none_shared += not words & set(content_terms(turns[turn]["text"]))
    assert 0.05 < by_the_other / (by_the_named + by_the_other) < 0.2
    assert 0.3 < none_shared / (shared + none_shared) < 0.8


def test_the_tables_are_as_rich_as_promised() -> None:
    facts = all_facts()
    assert len({fact.subject for fact in facts}) == len(facts) >= 60
    for fact in facts:
        assert len(fact.told) >= 3, fact.subject
        assert len(fact.changed) >= 3 or fact.form != "changes", fact.subject
        assert len(fact.questions) >= 3, fact.subject
        assert len(fact.asked) >= 2, fact.subject
        assert len(fact.answers) == len(fact.values) == len(set(fact.values)) >= 4, fact.subject
    table = smalltalk()
    assert len({*table.lines, *table.reactions}) >= 150
    assert len(set(table.generic)) >= 60
    assert len(set(speakers())) >= 40
