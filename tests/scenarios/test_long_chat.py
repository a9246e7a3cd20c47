"""A chat that outgrows the model's window: nothing above the window is sent, and what was said early is there when it is asked for.

The client sends its whole history with every message, as chat clients do. The usual cure, dropping the oldest messages, is
measured beside it on the same chat.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import openai
import pytest

from compaction import count_tokens
from eval.harness.serving import numbered_texts
from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer, Reply, chat_server
from tests.support.chats import chat_reply
from tests.support.server import serving

log = logging.getLogger(__name__)

RULES = "You are a friendly assistant who keeps answers short."
FACTS = (
    ("My dentist is called Doctor Okafor.", "What is the name of my dentist?"),
    ("I keep the spare key under the blue flowerpot.", "Where do I keep the spare key?"),
    ("My daughter Nell is allergic to walnuts.", "What is my daughter Nell allergic to?"),
    ("We named our cat Pudding.", "What is our cat called?"),
    ("I drive a green Skoda.", "Which car do I drive?"),
    ("My first job was in a bakery in Ghent.", "Where was my first job?"),
    ("I play the cello on Thursdays.", "Which instrument do I play?"),
    ("My shoe size is 43.", "What is my shoe size?"),
    ("The boiler was repaired by Mr Lindqvist.", "Who repaired the boiler?"),
    ("Our anniversary is on the ninth of February.", "When is our anniversary?"),
    ("I am reading a novel by Saramago.", "Which author am I reading?"),
    ("My passport runs out in 2031.", "When does my passport run out?"),
    ("The bicycle is locked with the code 8812.", "What is the code of the bicycle lock?"),
    ("My brother Emil lives in Tartu.", "Where does my brother Emil live?"),
    ("I am learning Portuguese.", "Which language am I learning?"),
    ("My favourite soup is goulash.", "What is my favourite soup?"),
    ("The piano was bought from Mrs Adeyemi.", "From whom was the piano bought?"),
    ("My flight to Reykjavik leaves from gate 17.", "Where does my flight go from gate 17?"),
    ("I lost my umbrella in the tram.", "Where did I lose my umbrella?"),
    ("Our tent has room for six.", "How many people fit into our tent?"),
)
PER_TURN = 2  # facts that are said in one message, the first ones of the chat
FILLERS = 6  # further sentences in it


@dataclass(slots=True)
class Wire:
    """What came to the tier: the tokens of the largest prompt, and the newest messages."""

    most_tokens: int = 0
    newest: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: dict[str, Any]) -> Reply:
        """Take a request, and answer with nothing that anybody could have asked for."""
        self.newest = request["messages"]
        self.most_tokens = max(self.most_tokens, tokens(self.newest))
        return chat_reply(request, f"I see. I have noted {len(self.newest)} things, tell me more when you like.")


@dataclass(frozen=True, slots=True)
class Held:
    """How a chat went: the tokens of its largest prompt, and which facts were in the context when they were asked for."""

    most_tokens: int
    held: list[str]
    left: list[str]  # those that a history cut to the window would have held
    history_tokens: int


def tokens(messages: Sequence[dict[str, Any]]) -> int:
    return sum(count_tokens(str(message["content"])) for message in messages)


def words(messages: Sequence[dict[str, Any]]) -> str:
    return "\n".join(str(message["content"]) for message in messages)


def newest_within(messages: Sequence[dict[str, Any]], window: int) -> list[dict[str, Any]]:
    """The usual cure: the instructions, and the newest messages that fit."""
    kept: list[dict[str, Any]] = []
    for message in reversed(messages[1:]):
        if tokens([messages[0], *kept, message]) > window:
            break
        kept.insert(0, message)
    return [messages[0], *kept]


def chat(url: str, tier: ChatServer, turns: int, window: int, *, user: str, headers: dict[str, str]) -> Held:
    """Hold a chat of so many turns, of a user and an assistant in turn; its last messages ask for what was said first."""
    wire = Wire()
    tier.script = wire
    client = openai.OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0, default_headers=headers)
    fillers = numbered_texts(turns * FILLERS)
    messages: list[dict[str, Any]] = [{"role": "system", "content": RULES}]
    held: list[str] = []
    left: list[str] = []
    said = turns // 2
    for number in range(said):
        asked = number - (said - len(FACTS))
        facts = FACTS[PER_TURN * number : PER_TURN * (number + 1)]
        text = " ".join([*(fact for fact, _ in facts), *fillers[FILLERS * number : FILLERS * (number + 1)]])
        if asked >= 0:
            text = FACTS[asked][1]
        messages.append({"role": "user", "content": text})
        options = {"tirtha": {"window": window}}
        answer = client.chat.completions.create(
            model="tirtha",
            messages=messages,  # type: ignore[arg-type]
            user=user,
            extra_body=options,
        )
        if asked >= 0:
            fact = FACTS[asked][0]
            held += [fact] if fact in words(wire.newest) else []
            left += [fact] if fact in words(newest_within(messages, window)) else []
        messages.append({"role": "assistant", "content": answer.choices[0].message.content})
    return Held(wire.most_tokens, held, left, tokens(messages))


@pytest.mark.parametrize("headers", [{"X-Tirtha-Session": "the long one"}, {}], ids=["named session", "no session"])
@pytest.mark.parametrize(("turns", "window"), [(80, 2_000), pytest.param(400, 8_000, marks=pytest.mark.long)])
def test_early_facts_are_in_the_context(
    tmp_path: Path, encoder: Encoder, turns: int, window: int, headers: dict[str, str]
) -> None:
    prices = {"TIRTHA_LOCAL_INPUT_USD_PER_MTOK": "1", "TIRTHA_LOCAL_OUTPUT_USD_PER_MTOK": "1"}
    with (
        chat_server("small") as tier,
        serving(tmp_path, encoder, TIRTHA_LOCAL_URL=tier.url, TIRTHA_LOCAL_MODEL="small", **prices) as url,
    ):
        result = chat(url, tier, turns, window, user="ann", headers=headers)
    log.info(
        "%d turns, %d tokens of history, window %d: at most %d tokens sent; %d of %d facts in the context, "
        "%d with the oldest messages dropped",
        turns, result.history_tokens, window, result.most_tokens, len(result.held), len(FACTS), len(result.left),
    )  # fmt: skip
    assert result.history_tokens > window, "a chat that fits shows nothing"
    assert result.most_tokens <= window
    assert result.held == [fact for fact, _ in FACTS]
    assert len(result.left) < len(FACTS) / 2, "the usual cure loses them"
