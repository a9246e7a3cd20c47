"""Whether answers were right: said by those who may, of their own decisions, kept until what it is about is forgotten."""

from typing import Any

import httpx
import pytest

from cascade.errors import UnknownDecision
from tests.tirtha.http.test_memories import every_page, store_pets
from tirtha.caller import Caller, local_caller
from tirtha.errors import Forbidden
from tirtha.operations.feedback import FeedbackRequest
from tirtha.service import Service


async def decide(client: httpx.AsyncClient, question: str = "What is my cat called?") -> str:
    response = await client.post("/v1/ask", json={"user_id": "u1", "question": question})
    assert response.status_code == 200, response.text
    return str(response.json()["decision_id"])


async def say(client: httpx.AsyncClient, decision_id: str, body: Any) -> httpx.Response:
    return await client.post(f"/v1/decisions/{decision_id}/feedback", json=body)


async def test_the_last_word_counts_and_is_shown_with_the_decision(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    id_ = await decide(client)
    path = f"/v1/decisions/{id_}"
    assert (await client.get(path)).json()["feedback"] is None
    for correct in (True, False):
        said = await say(client, id_, {"correct": correct})
        assert said.status_code == 200, said.text
        assert (said.json()["decision_id"], said.json()["correct"]) == (id_, correct)
        assert (await client.get(path)).json()["feedback"] == said.json()
    assert (await client.get("/v1/feedback")).json() == {"feedback": [said.json()], "next": None}


async def test_all_that_was_said_is_listed_page_by_page(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    ids = [await decide(client, f"What is my {pet} called?") for pet in ("cat", "dog", "parrot")]
    for id_ in ids:
        await say(client, id_, {"correct": True})
    listed = await every_page(client, "/v1/feedback", "feedback", limit=2)
    assert [one["decision_id"] for one in listed] == sorted(ids)
    foreign = (await client.get("/v1/users", params={"limit": 1})).json()["next"]
    assert (await client.get("/v1/feedback", params={"cursor": foreign or "x"})).status_code == 422


@pytest.mark.parametrize(
    "body", [{}, {"correct": "yes"}, {"correct": 1}, {"correct": None}, {"correct": True, "why": "x"}]
)
async def test_anything_but_right_or_wrong_is_refused_and_changes_nothing(
    body: dict[str, Any], client: httpx.AsyncClient
) -> None:
    await store_pets(client)
    id_ = await decide(client)
    assert (await say(client, id_, body)).status_code == 422
    assert (await client.get("/v1/feedback")).json()["feedback"] == []


async def test_of_what_does_not_exist_or_is_forgotten_nothing_can_be_said(client: httpx.AsyncClient) -> None:
    await store_pets(client)
    id_ = await decide(client)
    assert (await say(client, "nothing", {"correct": True})).status_code == 404
    await say(client, id_, {"correct": True})
    await client.delete("/v1/users/u1")
    assert (await say(client, id_, {"correct": False})).status_code == 404
    assert (await client.get("/v1/feedback")).json()["feedback"] == []


async def test_another_tenants_decision_is_as_one_that_does_not_exist(
    client: httpx.AsyncClient, service: Service
) -> None:
    await store_pets(client)
    id_, other = await decide(client), local_caller("other")
    await service.give_feedback(local_caller(), id_, correct=True)
    with pytest.raises(UnknownDecision) as caught:
        await service.give_feedback(other, id_, correct=False)
    with pytest.raises(UnknownDecision) as unknown:
        await service.give_feedback(other, "nothing", correct=False)
    assert str(caught.value).replace(id_, "nothing") == str(unknown.value)
    assert await service.feedback(other, id_) is None
    assert (await service.feedbacks(other, FeedbackRequest())).items == []
    kept = await service.feedback(local_caller(), id_)
    assert kept
    assert kept.correct


async def test_saying_needs_the_right_to_write(client: httpx.AsyncClient, service: Service) -> None:
    await store_pets(client)
    id_ = await decide(client)
    reader = Caller(tenant="default", rights=frozenset({"read"}))
    with pytest.raises(Forbidden):
        await service.give_feedback(reader, id_, correct=True)
    assert await service.feedback(reader, id_) is None
