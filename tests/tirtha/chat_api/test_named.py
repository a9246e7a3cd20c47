"""Whom a chat is for: by the key, the headers and the body, in that order; and no memory where no user is named."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.chat_server import ChatServer
from tests.support.chats import chats
from tests.support.server import serving
from tests.tirtha.chat_api.conftest import tier
from tirtha.keys.local_proof import local_proof

FACT = "My sister Ada lives in Bergen."
ASKED = "Where does my sister Ada live?"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("named") / "home"


@pytest.fixture(scope="module")
def keyed(home: Path, encoder: Encoder, model: ChatServer) -> Iterator[str]:
    """A server on which keys are needed."""
    with serving(home, encoder, **tier(model)) as url:
        assert httpx.post(f"{url}/v1/keys", json={"name": "first"}, timeout=60).status_code == 201
        yield url


def key(keyed: str, home: Path, **fields: Any) -> str:
    proof = {"authorization": f"Tirtha-Local {local_proof(home)}"}
    made = httpx.post(f"{keyed}/v1/keys", json={"name": "test"} | fields, headers=proof, timeout=60)
    assert made.status_code == 201, made.text
    made_key: str = made.json()["key"]
    return made_key


def chat(
    url: str, text: str, *, key: str | None = None, headers: dict[str, str] | None = None, **body: Any
) -> httpx.Response:
    shown = {"authorization": f"Bearer {key}"} if key else {}
    sent = {"model": "tirtha", "messages": [{"role": "user", "content": text}], **body}
    return httpx.post(f"{url}/v1/chat/completions", json=sent, headers=shown | (headers or {}), timeout=60)


def knows(answer: httpx.Response) -> bool:
    assert answer.status_code == 200, answer.text
    return bool(answer.headers["x-tirtha-memory"] == "added")


def test_on_loopback_without_keys_no_one_named_is_the_user_default(tirtha_url: str, model: ChatServer) -> None:
    model.script = chats("Yes.")
    chat(tirtha_url, FACT)
    assert knows(chat(tirtha_url, ASKED))
    assert knows(chat(tirtha_url, ASKED, user="default"))


def test_with_a_key_of_several_users_no_one_named_has_no_memory(keyed: str, home: Path, model: ChatServer) -> None:
    model.script = chats("Yes.")
    unbound = key(keyed, home)
    for text in (FACT, ASKED):
        answer = chat(keyed, text, key=unbound)
        assert answer.headers["x-tirtha-memory"] == "none"
        assert model.requests[-1]["messages"] == [{"role": "user", "content": text}]
    users = httpx.get(f"{keyed}/v1/users", headers={"authorization": f"Bearer {unbound}"}, timeout=60).json()
    assert "default" not in [one["user_id"] for one in users["users"]]


@pytest.mark.parametrize(
    "named",
    [
        {"headers": {"X-Tirtha-User": "ann-1"}},
        {"safety_identifier": "ann-2"},
        {"user": "ann-3"},
        {"headers": {"X-Tirtha-User": "ann-4"}, "user": "bob"},
        {"safety_identifier": "ann-5", "user": "bob"},
    ],
)
def test_a_user_is_named_by_header_or_body(keyed: str, home: Path, model: ChatServer, named: dict[str, Any]) -> None:
    model.script = chats("Yes.")
    unbound = key(keyed, home)
    meant = named.get("headers", {}).get("X-Tirtha-User") or named.get("safety_identifier") or named["user"]
    chat(keyed, FACT, key=unbound, **named)
    assert knows(chat(keyed, ASKED, key=unbound, headers={"X-Tirtha-User": meant}))
    assert not knows(chat(keyed, ASKED, key=unbound, headers={"X-Tirtha-User": "bob"}))


def test_a_bound_key_is_its_user_and_no_one_else(keyed: str, home: Path, model: ChatServer) -> None:
    model.script = chats("Yes.")
    bound = key(keyed, home, user_id="cleo")
    chat(keyed, FACT, key=bound)
    assert knows(chat(keyed, ASKED, key=bound, user="cleo"))
    refused = chat(keyed, ASKED, key=bound, user="ann-1")
    assert refused.status_code == 403
    assert refused.json()["error"]["type"] == "permission_error"


def test_the_users_of_a_web_interface_are_believed_from_a_trusted_proxy_only(
    keyed: str, home: Path, model: ChatServer
) -> None:
    model.script = chats("Yes.")
    of_interface = {"X-OpenWebUI-User-Id": "dora", "X-OpenWebUI-Chat-Id": "chat-1"}
    trusted = key(keyed, home, trusted_proxy=True)
    answer = chat(keyed, FACT, key=trusted, headers=of_interface)
    assert answer.headers["x-tirtha-session"] == "chat-1"
    assert knows(chat(keyed, ASKED, key=trusted, headers={"X-Tirtha-User": "dora"}))
    stranger = chat(keyed, ASKED, key=key(keyed, home), headers=of_interface)
    assert stranger.headers["x-tirtha-memory"] == "none"


def test_a_key_that_may_not_write_remembers_nothing(keyed: str, home: Path, model: ChatServer) -> None:
    model.script = chats("Yes.")
    reading, both = key(keyed, home, rights=["read"]), key(keyed, home)
    chat(keyed, FACT, key=both, user="eve")
    assert knows(chat(keyed, ASKED, key=reading, user="eve"))
    chat(keyed, "I have a goat.", key=reading, user="eve")
    turns = httpx.get(f"{keyed}/v1/memories?user_id=eve", headers={"authorization": f"Bearer {both}"}, timeout=60)
    assert "I have a goat." not in [turn["text"] for turn in turns.json()["turns"]]
    assert chat(keyed, ASKED, key=key(keyed, home, rights=["write"]), user="eve").status_code == 403


def test_a_wrong_key_is_reported_as_the_openai_api_reports_it(keyed: str) -> None:
    for shown in (None, "trt_wrong"):
        answer = chat(keyed, "Hi", key=shown)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == "invalid_api_key"
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "named",
    [
        {"headers": {"X-Tirtha-Session": "s-1"}},
        {"conversation": "s-2"},
        {"metadata": {"session_id": "s-3"}},
        {"headers": {"X-Tirtha-Session": "s-4"}, "metadata": {"session_id": "other"}},
    ],
)
def test_a_session_may_be_named(tirtha_url: str, model: ChatServer, named: dict[str, Any]) -> None:
    model.script = chats("Yes.")
    meant = (
        named.get("headers", {}).get("X-Tirtha-Session") or named.get("conversation") or named["metadata"]["session_id"]
    )
    assert chat(tirtha_url, "I have a dog.", user="fay", **named).headers["x-tirtha-session"] == meant


def test_a_header_names_a_user_in_utf_8_as_the_body_does(tirtha_url: str, model: ChatServer) -> None:
    model.script = chats("Yes.")
    chat(tirtha_url, FACT, user="Zoë")
    sent = {"model": "tirtha", "messages": [{"role": "user", "content": ASKED}]}
    headers = {"X-Tirtha-User": "Zoë".encode()}
    answer = httpx.post(f"{tirtha_url}/v1/chat/completions", json=sent, headers=headers, timeout=60)  # type: ignore[arg-type]
    assert knows(answer)


def test_a_name_that_cannot_be_one_is_an_error(tirtha_url: str) -> None:
    answer = chat(tirtha_url, "Hi", user="x" * 200)
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "user"
