"""Models that think aloud, say nothing or refuse, over real HTTP."""

from pathlib import Path

import pytest

from memory.encoding.encoder import Encoder
from tests.scenarios.test_cascade import FRONTIER, LOCAL, QUESTION, ask, cited, house, nothing, right
from tests.support.chat_server import says

REFUSAL = "I'm sorry, but I can't help with that."


@pytest.mark.slow
def test_thoughts_are_never_served_and_silence_is_never_an_abstention(tmp_path: Path, encoder: Encoder) -> None:
    with house(tmp_path / "home", encoder) as (client, local, frontier):
        local.script = lambda request: says(f"<think>Rex? [3]</think>Miso [{cited(request)}]", model=LOCAL)
        answer = ask(client)
        assert (answer["path"], answer["answer"]) == ("local", "Miso")

        local.script = lambda request: says(None, finish="length", model=LOCAL, more={"reasoning_content": "hm"})
        answer = ask(client, budget=166)
        assert (answer["path"], answer["answer"]) == ("frontier", "Miso")
        calls = client.get(f"/v1/decisions/{answer['decision_id']}").json()["calls"]
        assert [call["fault"] for call in calls] == ["said_nothing: length", ""]

        frontier.script = lambda request: says(REFUSAL, model=FRONTIER)
        response = client.post("/v1/ask", json=QUESTION | {"budget": 167})
        assert (response.status_code, response.headers["retry-after"]) == (503, "60")
        assert "said nothing (a refusal)" in response.json()["detail"]
        paths = {one["path"]: one["n"] for one in client.get("/v1/stats").json()["paths"]}
        assert paths == {"local": 1, "frontier": 1, "error": 1}

        frontier.script = nothing(FRONTIER)
        assert ask(client, budget=168)["path"] == "abstain"
        local.script, frontier.script = right(LOCAL), right(FRONTIER)
        assert ask(client, budget=167)["path"] == "local"
