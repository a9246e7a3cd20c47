"""Servers that are nearly OpenAI's, over real HTTP: without usage, under another name, without schemas."""

from decimal import Decimal
from pathlib import Path

from memory.encoding.encoder import Encoder
from tests.scenarios.test_cascade import LOCAL, ask, cited, house, right
from tests.support.chat_server import answers, error, picky


def test_a_server_without_usage_schema_or_the_asked_name_is_used_and_paid_all_the_same(
    tmp_path: Path, encoder: Encoder
) -> None:
    with house(tmp_path / "home", encoder, TIRTHA_LOCAL_ACCEPTED_MODELS="default,/models/qwen.gguf") as opened:
        client, local, frontier = opened
        local.script = picky(
            {"response_format": error(400, "")},
            lambda request: answers("Miso", cited(request), model="default", usage=None),
        )
        answer = ask(client)
        assert (answer["path"], answer["answer"], answer["model"]) == ("local", "Miso", LOCAL)
        assert answer["usage"]["estimated"] is True
        assert answer["usage"]["prompt_tokens"] > 100
        assert answer["usage"]["completion_tokens"] > 5
        decision = client.get(f"/v1/decisions/{answer['decision_id']}").json()
        assert [(call["model"], call["estimated"]) for call in decision["calls"]] == [(LOCAL, False), ("default", True)]
        assert decision["calls"][0]["fault"].endswith("it seems not to take response_format")
        assert Decimal(decision["cost_usd"]) == Decimal(answer["cost_usd"]) > 0
        assert decision["usage"] == answer["usage"]
        again = ask(client)
        assert again["cached"]
        assert again["usage"] == {"prompt_tokens": 0, "completion_tokens": 0, "estimated": False}
        local.script = right("another")
        other = ask(client, budget=166)
        assert other["path"] == "frontier"
        assert len(local.requests) > 2
        decision = client.get(f"/v1/decisions/{other['decision_id']}").json()
        assert "accepted_models" in decision["attempts"][0]["verdicts"][0]["reason"]
        assert not any("response_format" in request for request in local.requests[1:])
        assert other["usage"]["estimated"] is False
        assert len(frontier.requests) == 1
