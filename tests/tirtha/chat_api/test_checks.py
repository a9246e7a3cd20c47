"""What is done about an answer before it is shown: the policies, the frontier tier, a tenant's money, and no model at all."""

from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI

from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer, chat_server, status
from tests.support.chats import chats
from tests.support.server import serving
from tests.tirtha.chat_api.conftest import tier

SISTER = "My sister Ada lives in Bergen."
ASKED = "Where does my sister Ada live?"
WRONG, RIGHT = "Your sister lives in Oslo.", "Your sister lives in Bergen."


def frontier(model: ChatServer) -> dict[str, str]:
    own = {name.replace("LOCAL", "FRONTIER"): value for name, value in tier(model).items()}
    return own | {"TIRTHA_FRONTIER_MODEL": "large"}


def knowing_sister(url: str) -> OpenAI:
    turns = [{"role": "user", "text": SISTER}]
    answer = httpx.post(f"{url}/v1/remember", json={"user_id": "default", "turns": turns}, timeout=60)
    assert answer.status_code == 201
    return OpenAI(base_url=f"{url}/v1", api_key="none", max_retries=0)


def ask(client: OpenAI, **more: Any) -> Any:
    return client.chat.completions.create(model="tirtha", messages=[{"role": "user", "content": ASKED}], **more)


@pytest.mark.slow
def test_a_policy_has_streams_checked_before_they_are_shown(
    tmp_path: Path, encoder: Encoder, model: ChatServer
) -> None:
    with (
        serving(tmp_path, encoder, TIRTHA_POLICY_CHAT_CHECKS="before", **tier(model)) as url,
        knowing_sister(url) as client,
    ):
        model.script = chats(WRONG, RIGHT)
        chunks = list(ask(client, stream=True, stream_options={"include_usage": True}))
        assert "".join(one.choices[0].delta.content or "" for one in chunks if one.choices) == RIGHT
        assert chunks[-1].model_extra["tirtha"]["path"] == "local_repaired"
        assert not any(request.get("stream") for request in model.requests[-2:])
        model.script = chats(WRONG, RIGHT)
        events = list(client.responses.create(model="tirtha", input="And where does Ada live?", stream=True))
        assert [event.type for event in events][-1] == "response.completed"
        assert events[-1].response.output_text == RIGHT  # type: ignore[union-attr]
        assert [event.sequence_number for event in events] == list(range(len(events)))


def test_what_a_small_model_gets_wrong_a_large_one_answers(tmp_path: Path, encoder: Encoder, model: ChatServer) -> None:
    with (
        chat_server("large") as large,
        serving(tmp_path, encoder, **tier(model), **frontier(large)) as url,
        knowing_sister(url) as client,
    ):
        model.script, large.script = chats(WRONG), chats(RIGHT)
        answer = ask(client)
        block = answer.model_extra["tirtha"]
        assert (block["path"], block["tier"], block["verified"]) == ("frontier", "frontier", True)
        assert len(model.requests[-2:]) == 2
        assert ask(client, extra_body={"tirtha": {"max_tier": "local"}}).model_extra["tirtha"]["verified"] is False
        model.script = lambda _: status(500)
        chunks = list(ask(client, stream=True))
        assert chunks[-1].model_extra["tirtha"]["tier"] == "frontier"


def test_a_repair_by_the_large_model_is_not_called_a_local_one(
    tmp_path: Path, encoder: Encoder, model: ChatServer
) -> None:
    with serving(tmp_path, encoder, **frontier(model)) as url, knowing_sister(url) as client:
        model.script = chats(WRONG, RIGHT)
        answer = ask(client)
        block = answer.model_extra["tirtha"]
        assert answer.choices[0].message.content == RIGHT
        assert (block["path"], block["tier"], block["verified"]) == ("frontier", "frontier", True)


def test_without_a_model_it_is_said_which_setting_is_missing(tmp_path: Path, encoder: Encoder) -> None:
    with serving(tmp_path, encoder) as url:
        sent = {"model": "tirtha", "messages": [{"role": "user", "content": "Hi"}]}
        answer = httpx.post(f"{url}/v1/chat/completions", json=sent, timeout=60)
        assert answer.status_code == 503
        assert "TIRTHA_LOCAL_URL" in answer.json()["error"]["message"]
        assert httpx.get(f"{url}/v1/models", timeout=60).json() == {"object": "list", "data": []}


def test_a_tenant_whose_money_is_spent_is_refused(tmp_path: Path, encoder: Encoder, model: ChatServer) -> None:
    with (
        serving(tmp_path, encoder, TIRTHA_TENANT_USD_PER_DAY="0.0001", **tier(model)) as url,
        knowing_sister(url) as client,
    ):
        model.script = chats(RIGHT)
        ask(client)
        with pytest.raises(openai.RateLimitError) as refused:
            ask(client)
        assert refused.value.code == "insufficient_quota"
