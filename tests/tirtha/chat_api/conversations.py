"""Conversations sent by the OpenAI package: what is asked, what Tirtha says of the answer, and what reached the model."""

from typing import Any

from openai import OpenAI

from tests.support.chat_server import ChatServer

__all__ = ["ASKED", "SISTER", "ask", "prompt", "says", "stream", "told"]

SISTER = "My sister Ada lives in Bergen."

ASKED = "Where does my sister Ada live?"


def says(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def ask(client: OpenAI, *messages: Any, **more: Any) -> Any:
    """Send a conversation; texts are the user's and the assistant's in turn."""
    sent = [
        says(("user", "assistant")[place % 2], one) if isinstance(one, str) else one
        for place, one in enumerate(messages)
    ]
    return client.chat.completions.create(model=more.pop("model", "tirtha"), messages=sent, **more)  # type: ignore[arg-type]


def stream(client: OpenAI, *messages: Any, **more: Any) -> list[Any]:
    return list(ask(client, *messages, stream=True, **more))


def told(answer: Any) -> dict[str, Any]:
    block: dict[str, Any] = answer.model_extra["tirtha"]
    return block


def prompt(model: ChatServer) -> str:
    """The last message that reached the model."""
    content: str = model.requests[-1]["messages"][-1]["content"]
    return content
