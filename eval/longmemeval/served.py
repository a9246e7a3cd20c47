"""LongMemEval over HTTP, for harnesses that are not ours: a served Tirtha remembers a question's history, then answers it.

Each history is a user of its own, named by the question and its history's hash, so that a question asked again finds its turns
there and nothing else. They stay in that memory: give such runs a `TIRTHA_HOME` of their own. A question asked again is answered
by the exact cache, at no cost, as it would be for anybody.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import httpx
from tenacity import AsyncRetrying, retry_if_result, stop_after_delay, wait_fixed

from eval.longmemeval.data import HistorySession, LongMemEvalQuestion

__all__ = ["Served", "ask_served"]

_TIMEOUT_S = 600.0
_INDEXED_WITHIN_S = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """An answer that was served. sessions: those the context of the budget names; tokens: of that; path, model: who answered."""

    answer: str
    abstained: bool
    sessions: frozenset[str]
    tokens: int
    path: str
    model: str
    cost_usd: str
    decision_id: str


async def ask_served(question: LongMemEvalQuestion, *, base_url: str, budget: int) -> Served:
    """Have the server at `base_url` remember the question's history, if it has not yet, and answer it.

    Raises:
        httpx.HTTPError: the server cannot be reached, or refuses; its own words are in the message.
        tenacity.RetryError: the history was not indexed within an hour.
    """
    user = _user(question)
    async with httpx.AsyncClient(base_url=base_url, timeout=_TIMEOUT_S) as client:
        for session in question.sessions:
            await _remember(client, user, session, wait="durable")
        waits = AsyncRetrying(
            stop=stop_after_delay(_INDEXED_WITHIN_S), wait=wait_fixed(1), retry=retry_if_result(lambda done: not done)
        )
        for last in [one for one in question.sessions if one.turns][-1:]:
            # Turns that are there are not stored twice, so that a session may be sent again only to wait for the index.
            await waits(_remember, client, user, last, wait="indexed")
        asked = {
            "user_id": user, "question": question.question, "budget": budget, "asked_at": question.asked_at.isoformat(),
        }  # fmt: skip
        context = await _post(client, "/v1/context", asked)
        said = await _post(client, "/v1/ask", asked)
    return Served(
        answer=said["answer"] or "",
        abstained=said["abstained"],
        sessions=frozenset(line["session_id"] for line in context["lines"]),
        tokens=context["tokens"],
        path=said["path"],
        model=said["model"] or "",
        cost_usd=said["cost_usd"],
        decision_id=said["decision_id"],
    )


def _user(question: LongMemEvalQuestion) -> str:
    history = blake2b(digest_size=8)
    for session in question.sessions:
        for turn in session.turns:
            history.update(f"{turn.id}\0{turn.role}\0{turn.said_at}\0{turn.text}\0".encode())
    return f"longmemeval-{question.id[:80]}-{history.hexdigest()}"


async def _remember(client: httpx.AsyncClient, user: str, session: HistorySession, *, wait: str) -> bool:
    """Send a session; whether it is indexed."""
    turns = [
        {"id": turn.id, "role": turn.role, "text": turn.text, "said_at": turn.said_at and turn.said_at.isoformat()}
        for turn in session.turns
    ]
    if not turns:
        return True
    body = {"user_id": user, "session_id": session.key, "turns": turns, "wait": wait}
    indexed: bool = (await _post(client, "/v1/remember", body))["indexed"]
    return indexed


async def _post(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    response = await client.post(path, json=body)
    if response.is_error:
        raise httpx.HTTPStatusError(
            f"{path}: {response.status_code} {response.text[:500]}", request=response.request, response=response
        )
    read: dict[str, Any] = response.json()
    return read
