"""What a context holds of a labelled answer."""

from datetime import UTC, datetime

import pytest

from compaction import Context
from compaction.rendering import ContextLine
from eval.harness.conversations import Conversation, LabelledQuestion

DAY = datetime(2024, 3, 15, tzinfo=UTC)


def question(answer: str = "", sessions: frozenset[str] = frozenset()) -> LabelledQuestion:
    return LabelledQuestion(
        id="c:7", question="?", answer=answer, kind="any", evidence=frozenset({"t1", "t2"}), sessions=sessions
    )


def context(*quoted: tuple[str, str]) -> Context:
    """A context that quotes these turns of these sessions."""
    lines = tuple(
        ContextLine(n=n, turn_id=turn, session_id=session, speaker="user", said_at=DAY, quote="x", score=1.0, times=())
        for n, (turn, session) in enumerate(quoted, 1)
    )
    return Context(text="", tokens=0, budget=165, lines=lines, left_out={})


def test_recall_counts_turns_or_sessions_where_only_they_are_labelled() -> None:
    assert question().recall_of(context(("t1", "s1"), ("t9", "s1"))) == 0.5
    by_session = question(sessions=frozenset({"s1", "s2"}))
    assert by_session.recall_of(context(("t9", "s1"))) == 0.5, "any turn of the session"
    assert by_session.recall_of(context(("t1", "s3"))) == 0.0
    assert question().place == 7


@pytest.mark.parametrize(
    ("answer", "text", "contained"),
    [
        ("The cello", "[1] Ann: I play the CELLO, badly.", True),
        ("7 May 2023", "[1] Ann: I went there yesterday (7 May 2023).", True),
        ("cello and piano", "[1] Ann: The piano is out of tune, and so is my cello.", True),
        ("cello and piano", "[1] Ann: I play the cello.", False),
        ("No", "[1] Ann: No, I never did.", True),
        ("No", "[1] Ann: I know nothing.", False),
        ("弁護士", "[1] user: 彼は弁護士です。", True),
        ("", "[1] Ann: Anything.", None),
    ],
)
def test_an_answer_is_contained_by_its_words_in_a_row_or_all_that_carry_content(
    answer: str, text: str, *, contained: bool | None
) -> None:
    assert question(answer).contained_in(text) is contained


def test_questions_are_asked_a_day_after_the_end_unless_the_set_says_when() -> None:
    chat = Conversation(id="c", sessions={}, questions=(), last_said_at=DAY)
    assert chat.asked_at.isoformat() == "2024-03-16T00:00:00+00:00"
    dated = Conversation(id="c", sessions={}, questions=(), last_said_at=DAY, questions_dated=DAY)
    assert dated.asked_at == DAY
