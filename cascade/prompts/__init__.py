"""Prompts: files beside this one, filled in by `string.Template`. Memory never enters a system message.

What comes from memory stands between marks that depend on the text itself, so that no stored text can hold its own closing mark.
"""

import json
from dataclasses import asdict
from functools import cache
from hashlib import blake2b
from importlib.resources import files
from string import Template

from cascade.model import Brief, ChatRequest, Message

__all__ = [
    "ANSWER_SCHEMA",
    "PROMPTS",
    "answer_messages",
    "code_messages",
    "feedback",
    "fence",
    "prompts_hash",
    "request_key",
    "review_messages",
    "vote_messages",
]

PROMPTS = (
    "system", "answer", "second_opinion", "feedback", "vote_system", "vote", "code_system", "code", "code_review",
)  # fmt: skip
ANSWER_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "answer": {"type": ["string", "null"]},
            "citations": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["answer", "citations"],
        "additionalProperties": False,
    }
)


def answer_messages(brief: Brief, *, feedback: str = "", variant: str = "answer") -> tuple[Message, ...]:
    """Ask the brief's question; the `variant` "second_opinion" asks it in another way."""
    text = _filled(
        variant,
        today=_day(brief),
        fence=fence(brief.text),
        context=brief.text,
        question=brief.question,
        feedback=feedback,
    )
    return Message(role="system", content=_text("system")), Message(role="user", content=text)


def feedback(answer: str, reasons: str) -> str:
    """Say what was wrong with an earlier answer."""
    return _filled("feedback", answer=answer or "(empty)", reasons=reasons)


def vote_messages(brief: Brief, answer: str) -> tuple[Message, ...]:
    """Ask whether the brief's lines entail an answer."""
    text = _filled("vote", fence=fence(brief.text), context=brief.text, question=brief.question, answer=answer)
    return Message(role="system", content=_text("vote_system")), Message(role="user", content=text)


def code_messages(question: str, entry_point: str, tests: str) -> tuple[Message, ...]:
    """Ask for a program."""
    text = _filled("code", question=question, entry_point=entry_point, tests=tests or "(none are given)")
    return Message(role="system", content=_text("code_system")), Message(role="user", content=text)


def review_messages(question: str, program: str, tests: str, outcome: str) -> tuple[Message, ...]:
    """Ask for a review of a program, with what its tests showed."""
    text = _filled("code_review", question=question, program=program, tests=tests or "(none)", outcome=outcome)
    return Message(role="system", content=_text("code_system")), Message(role="user", content=text)


def request_key(model: str, request: ChatRequest) -> str:
    """Return the key that recordings know a request by: a hash of all of it but the sample's number and what a server refused."""
    whole = asdict(request) | {"model": model}
    del whole["sample"], whole["without"]
    return blake2b(json.dumps(whole, sort_keys=True, ensure_ascii=True).encode(), digest_size=16).hexdigest()


def fence(text: str) -> str:
    """Return the name of the mark around a text: made of the text, so that it cannot hold its own closing mark.

    An author of texts can try them until one holds its own mark: of four bytes, within minutes. Such a text gets another mark.
    """
    name = _mark(text)
    while name in text.lower():
        name = _mark(f"{name}\n{text}")
    return name


def _mark(text: str) -> str:
    return f"memory-{blake2b(text.encode('utf-8', 'surrogatepass'), digest_size=4).hexdigest()}"


@cache
def prompts_hash() -> str:
    """Return the hash of all prompts together, which every decision carries."""
    texts = "\0".join(_text(name) for name in PROMPTS) + ANSWER_SCHEMA
    return blake2b(texts.encode(), digest_size=8).hexdigest()


def _day(brief: Brief) -> str:
    return f"{brief.asked_at:%A}, {brief.asked_at.day} {brief.asked_at:%B %Y}"


def _filled(name: str, **values: str) -> str:
    return Template(_text(name)).substitute(values).strip()


@cache
def _text(name: str) -> str:
    return files("cascade.prompts").joinpath(f"{name}.md").read_text("utf-8").strip()
