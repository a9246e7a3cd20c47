"""Over real HTTP and without a model: what was said is quoted, the newer comes first, and what was not said is not answered."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.server import serving

MAY, JUNE = "2023-05-08T12:00:00Z", "2023-06-17T12:00:00Z"
NOT_IN_MEMORY = "That is not in memory."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[httpx.Client]:
    home: Path = tmp_path_factory.mktemp("nothing_false")
    with serving(home, encoder) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def asked(server: httpx.Client, question: str, *said: tuple[str, str]) -> tuple[str, str]:
    """Remember turns, each a session of its own unless said on one day; return the answer and the context."""
    user = f"user of {question} {said[0][0]}"
    for number, day in enumerate(dict.fromkeys(day for day, _ in said)):
        turns = [{"role": "user", "text": text, "said_at": day} for on, text in said if on == day]
        body = {"user_id": user, "session_id": f"s{number}", "turns": turns}
        server.post("/v1/remember", json=body).raise_for_status()
    body = {"user_id": user, "question": question, "asked_at": "2023-07-01T12:00:00Z"}
    context = server.post("/v1/context", json=body).raise_for_status().json()
    answer = server.post("/v1/ask", json=body).raise_for_status().json()
    return answer["answer"], context["text"]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("I finished the puzzle in two days.", "When did I finish the puzzle?"),
        ("We march 10 miles every day.", "When do we march?"),
        ("I may 5 times a week go out.", "When do I go out?"),
        ("I was born on 3 May.", "When was I born?"),
        ("My sister's birthday is June 5.", "When is my sister's birthday?"),
        ("I see the dentist next Friday.", "When do I see the dentist?"),
        ("The meeting is at 10:30 a.m. with Dr. Mbeki.", "When is the meeting?"),
        ("The exam is on 05/04/2026.", "When is the exam?"),
        ("The trip is from the 20th to the 25th.", "When is the trip?"),
        ("The party is Saturday week.", "When is the party?"),
    ],
)
def test_the_line_is_quoted_and_no_date_is_added(server: httpx.Client, text: str, question: str) -> None:
    answer, context = asked(server, question, (MAY, text))
    assert answer == f'user said on 8 May 2023: "{text}"'
    assert text in context


@pytest.mark.parametrize(
    ("older", "newer", "question"),
    [
        (
            "I work at Brightwell as an analyst.",
            "I quit Brightwell, I started at Corvane last week.",
            "Where do I work?",
        ),
        ("Our standup is at 9:30.", "The standup moved to 10:15.", "When is our standup?"),
        ("My dog Rufus is 4 years old.", "Rufus died on Monday.", "How old is my dog Rufus?"),
        ("I love Chinese food.", "I hate Chinese food now.", "Do I like Chinese food?"),
    ],
)
def test_the_newer_is_the_answer(server: httpx.Client, older: str, newer: str, question: str) -> None:
    answer, context = asked(server, question, (MAY, older), (JUNE, newer))
    assert newer in answer.splitlines()[0]
    assert newer.removesuffix(".").split(",")[0] in context
    assert "(superseded)" in context or older not in context


@pytest.mark.parametrize(
    ("older", "newer", "question"),
    [
        ("I bought two tickets to the opera.", "I bought four tickets to the opera.", "What tickets did I buy?"),
        ("I ran 5 km.", "I ran 10 km.", "How far did I run?"),
        ("My first marathon took 4 hours.", "My second marathon took 3 hours.", "How long did my marathons take?"),
    ],
)
def test_events_both_stay(server: httpx.Client, older: str, newer: str, question: str) -> None:
    _, context = asked(server, question, (MAY, older), (JUNE, newer))
    assert older in context
    assert newer in context
    assert "superseded" not in context


@pytest.mark.parametrize(
    ("said", "correction", "question"),
    [
        ("The gate code is 4417#.", "sorry, 4471#, I swapped the digits", "What is the gate code?"),
        ("Dinner with Ann is on Wednesday.", "no, I meant Thursday", "When is dinner with Ann?"),
    ],
)
def test_a_correction_is_the_answer(server: httpx.Client, said: str, correction: str, question: str) -> None:
    answer, _ = asked(server, question, (MAY, said), (MAY, "Nice weather today."), (MAY, correction))
    assert correction in answer.splitlines()[0]


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("I like dark mode.", "Do I like aubergines?"),
        ("My cat is called Miso.", "What is the name of my hamster?"),
    ],
)
def test_a_near_line_is_no_answer(server: httpx.Client, text: str, question: str) -> None:
    assert asked(server, question, (MAY, text))[0] == NOT_IN_MEMORY


def test_a_day_said_in_chinese_is_dated(server: httpx.Client) -> None:
    said = "\u6628\u5929\u6211\u642c\u5230\u4e86\u6210\u90fd\u3002"  # yesterday I moved to Chengdu
    question = "\u6211\u4ec0\u4e48\u65f6\u5019\u642c\u5230\u4e86\u6210\u90fd\uff1f"  # when did I move to Chengdu?
    _, context = asked(server, question, ("2024-03-12T12:00:00Z", said))
    assert "11 March 2024" in context
